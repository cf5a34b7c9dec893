"""`python -m benchmarks kinds`: every kind of coupling on a day, our plan beside one plain CP-SAT model."""

from __future__ import annotations

import argparse
import os
import platform
import random
import sys
import tempfile
from datetime import date
from pathlib import Path

from benchmarks.isolate import Measured, ProcessKilled, in_own_process
from benchmarks.table import markdown, write_between_markers

README = Path(__file__).parents[1] / "README.md"
MARKERS = ("<!-- kinds:start -->", "<!-- kinds:end -->")
WORK = "benchmarks.kinds.work"
SETS = (
    "teams", "goods", "sessions", "bonds+teams", "limits", "limits+floors", "teams+goods", "teams+sessions",
    "teams+bonds+limits+floors", "teams+goods+limits", "teams+goods+sessions+bonds+limits+floors",
    "recurrence", "rounds",
)  # fmt: skip
HEADER = (
    "coupled", "requests", "with somebody unserved", "goods sent", "sessions held", "pairs", "ways of goods",
    "govmatch: cost, min", "bound", "gap", "ended as", "tables to verified plan, s", "MB",
    "one CP-SAT model: cost, min", "ended as", "building + solving, s", "MB", "its cost ÷ ours",
)  # fmt: skip
PEER = 5
"""Columns of the peer, the last."""


def main(arguments: list[str] | None = None) -> None:
    """Measure every set of kinds, print the table, and write it down where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks kinds", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--seconds", type=float, default=60.0, help="what each side has for a day (60)")
    parser.add_argument("--sets", default=",".join(SETS), help="such as teams+goods,limits")
    parser.add_argument("--quick", action="store_true", help="Xishan instead of the county, 5 seconds each")
    parser.add_argument("--write-readme", action="store_true", help="put the table into benchmarks/README.md")
    asked = parser.parse_args(arguments)
    town, seconds = ("xishan", 5.0) if asked.quick else ("haining", asked.seconds)
    load = f", load average {os.getloadavg()[0]:.1f} at first" if hasattr(os, "getloadavg") else ""
    text = (
        f"{date.today().isoformat()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        f"{load}. "
        f"One day of {town} each (`--seed {asked.seed}`), a tenth coupled, {seconds:g} s for each side. "
        "The people are synthetic 合成人员.\n\n"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kinds in asked.sets.split(","):
            rows.append(_row(town, kinds, asked.seed, seconds, Path(folder) / "day.pickle"))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    text += markdown(list(HEADER), rows)
    print(text)
    if asked.write_readme:
        write_between_markers(README, text, MARKERS)


def _row(town: str, kinds: str, seed: int, seconds: float, file: Path) -> list[str]:
    cap = 3 * seconds + 240
    told = _give(["ours", town, kinds, "0.1", str(seed), str(seconds), str(file)], cap)
    if told is None:
        return [kinds, "no answer", *["–"] * (len(HEADER) - 2)]
    if "rounds" in kinds.split("+"):  # which the model does not make
        peer = ["none", *["–"] * (PEER - 1)]
    else:
        peer = _peer(told, _give(["peer", str(file), str(seconds)], cap))
    return [
        kinds,
        f"{told['requests']:,}",
        f"{told['unserved']:,}",
        f"{told['goods']:,}",
        f"{told['held']:,}",
        f"{told['pairs']:,}",
        f"{told['ways']:,}",
        _minutes(told["cost"]),
        _minutes(told["bound"]),
        f"**{100 * told['gap']:.3f} %**",
        told["termination"],
        f"{told['seconds']:.1f}",
        _mb(told),
        *peer,
    ]


def _give(arguments: list[str], cap: float) -> Measured | None:
    """Return what a process measured; None where time or memory ran out."""
    try:
        return in_own_process(arguments, cap, WORK)
    except ProcessKilled:
        return None


def _peer(ours: Measured, told: Measured | None) -> list[str]:
    if told is None:
        return ["ended without a word", *["–"] * (PEER - 1)]
    spent = [told["status"], f"{told['build']:.1f} + {told['seconds'] - told['build']:.1f}", _mb(told)]
    if told["cost"] is None:
        return ["no plan", *spent, "–"]
    more = told["left"] - ours["left"]
    left = f", {abs(more)} assigned {'fewer' if more > 0 else 'more'} served" if more else ""
    return [_minutes(told["cost"]) + left, *spent, f"{told['cost'] / max(1, ours['cost']):.4f}"]


def _minutes(hundredths: int) -> str:
    return f"{hundredths / 100:,.2f}"


def _mb(told: Measured) -> str:
    return "?" if told["mb"] is None else f"{told['mb']:,.0f}"
