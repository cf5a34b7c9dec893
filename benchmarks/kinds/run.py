"""`python -m benchmarks kinds`: every kind of coupling on a day, from DataFrames to a verified plan."""

from __future__ import annotations

import argparse
import os
import platform
import random
from datetime import date
from pathlib import Path

from benchmarks.isolate import in_own_process
from benchmarks.table import markdown, write_between_markers

README = Path(__file__).parents[1] / "README.md"
MARKERS = ("<!-- kinds:start -->", "<!-- kinds:end -->")
SETS = (
    "teams", "goods", "sessions", "bonds+teams", "limits", "limits+floors", "teams+goods", "teams+sessions",
    "teams+bonds+limits+floors", "teams+goods+limits", "rounds",
)  # fmt: skip
HEADER = (
    "coupled", "requests", "with somebody unserved", "goods sent", "sessions held", "gap", "ended as",
    "tables to verified plan, s", "MB",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Measure every set of kinds, print the table, and write it down where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks kinds", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--seconds", type=float, default=60.0, help="time of each day (60)")
    parser.add_argument("--quick", action="store_true", help="Xishan instead of the county, 5 seconds each")
    parser.add_argument("--write-readme", action="store_true", help="put the table into benchmarks/README.md")
    asked = parser.parse_args(arguments)
    town, seconds = ("xishan", 5.0) if asked.quick else ("haining", asked.seconds)
    load = f", load average {os.getloadavg()[0]:.1f} at first" if hasattr(os, "getloadavg") else ""
    text = (
        f"{date.today().isoformat()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        f"{load}. "
        f"One day of {town} each (`--seed {asked.seed}`), a tenth coupled, {seconds:g} s. "
        "The people are synthetic 合成人员.\n\n"
    )
    text += markdown(list(HEADER), [_row(town, kinds, asked.seed, seconds) for kinds in SETS])
    print(text)
    if asked.write_readme:
        write_between_markers(README, text, MARKERS)


def _row(town: str, kinds: str, seed: int, seconds: float) -> list[str]:
    given = [town, kinds, "0.1", str(seed), str(seconds)]
    told = in_own_process(given, 3 * seconds + 240, "benchmarks.kinds.work")
    if told is None:
        return [kinds, *["–"] * 4, "no answer", *["–"] * 3]
    return [
        kinds,
        f"{told['requests']:,}",
        f"{told['unserved']:,}",
        f"{told['goods']:,}",
        f"{told['held']:,}",
        f"**{100 * told['gap']:.3f} %**",
        told["termination"],
        f"{told['seconds']:.1f}",
        f"{told['mb']:,.0f}",
    ]
