"""`python -m benchmarks coupled`: days with teams, our plan beside one plain CP-SAT model of our arcs."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median

from benchmarks.coupled.days import FULL, SIZES
from benchmarks.isolate import Measured, ProcessKilled, in_own_process
from benchmarks.table import markdown, write_between_markers

README = Path(__file__).parents[1] / "README.md"
MARKERS = ("<!-- coupled:start -->", "<!-- coupled:end -->")
WORK = "benchmarks.coupled.work"
QUICK_SECONDS = 5.0

HEADER = (
    "day", "requests", "teams: served of all", "arcs", "govmatch: cost, min", "bound", "gap", "ended as",
    "match, s", "tables to verified plan, s", "MB", "one CP-SAT model: cost, min", "bound on these arcs",
    "gap on these arcs", "building + solving, s", "MB", "its cost ÷ ours", "goal",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Measure every size, print the table, and write it down where asked."""
    asked = _arguments(arguments)
    rng = random.Random(asked.seed)
    results: Measured = {"setup": _setup(asked), "sizes": {}}
    with tempfile.TemporaryDirectory() as folder:
        for size in asked.sizes:
            runs = results["sizes"][size] = []
            for _ in range(asked.repeat):
                seed = rng.randrange(1, 100_000)
                runs.append({"seed": seed, **_measure(size, seed, asked.seconds, Path(folder))})
                print(size, json.dumps(runs[-1]), file=sys.stderr, flush=True)
                if asked.json:
                    text = json.dumps(results, indent=1, ensure_ascii=False)
                    asked.json.write_text(text + "\n", encoding="utf-8")
    text = table(results)
    print(text)
    if asked.write_readme:
        write_between_markers(README, text, MARKERS)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks coupled", description=__doc__)
    parser.add_argument("--sizes", type=_names, help=f"of {','.join(SIZES)}")
    parser.add_argument("--repeat", type=int, help="days of each size, every one with its own seed (3)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--seconds", type=float, help="what each side has for a day (60)")
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    parser.add_argument("--quick", action="store_true", help="a tiny day, once, in a few seconds")
    parser.add_argument("--write-readme", action="store_true", help="put the table into benchmarks/README.md")
    asked = parser.parse_args(arguments)
    asked.sizes = asked.sizes or (["quick"] if asked.quick else list(FULL))
    asked.repeat = asked.repeat or (1 if asked.quick else 3)
    asked.seconds = asked.seconds or (QUICK_SECONDS if asked.quick else 60.0)
    return asked


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in SIZES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(SIZES)}")
    return names


def _setup(asked: argparse.Namespace) -> Measured:
    return {
        "date": date.today().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        # what else the machine was doing when the run began; None where it does not tell (Windows)
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "seed": asked.seed,
        "repeat": asked.repeat,
        "seconds": asked.seconds,
    }


def _measure(size: str, seed: int, seconds: float, folder: Path) -> Measured:
    """Make a day and give it to both; either is None where it failed for want of time or memory."""
    tables, arcs = folder / "tables.pickle", folder / "arcs.npz"
    arcs.unlink(missing_ok=True)
    cap = 3 * seconds + 240
    made = _give(["make", size, str(seed), str(tables)], cap)
    if made is None:
        raise RuntimeError(f"the tables of {size} with seed {seed} could not be made in {cap:g} s")
    ours = _give(["ours", str(tables), str(arcs), str(seconds)], cap)
    peer = _give(["cpsat", str(arcs), str(seconds)], cap) if ours is not None else None
    return {**made, "ours": ours, "cpsat": peer}


def _give(arguments: list[str], cap: float) -> Measured | None:
    try:
        return in_own_process(arguments, cap, WORK)
    except ProcessKilled:
        return None


def table(results: Measured) -> str:
    """Lay the medians out as Markdown."""
    setup = results["setup"]
    load = "" if setup["load"] is None else f", load average {setup['load']:.1f} when the run began"
    intro = (
        f"{setup['date']}, {setup['machine']}, {setup['cores']} cores{load}, Python {setup['python']}. "
        f"Medians of {setup['repeat']} day(s) a size on both sides, each with a seed of its own "
        f"(`--seed {setup['seed']}`); {setup['seconds']:g} s for each side. "
        "The people are synthetic 合成人员."
    )
    rows = [_row(size, runs, setup["seconds"]) for size, runs in results["sizes"].items()]
    return f"{intro}\n\n{markdown(list(HEADER), rows)}"


def _row(size: str, runs: list[Measured], seconds: float) -> list[str]:
    label, goal = SIZES[size].label, SIZES[size].goal
    ours = [run["ours"] for run in runs if run["ours"] is not None]
    requests = f"{median(run['requests'] for run in runs):,.0f}"
    if len(ours) < len(runs):
        failed = f"failed {len(runs) - len(ours)} of {len(runs)} times"
        last = "none" if goal is None else f"≤ {goal:g} %: **not reached**"
        return [label, requests, "–", "–", failed, *["–"] * 12, last]

    def middle(told: list[Measured], key: str) -> float:
        return float(median(one[key] for one in told))

    gap, whole = middle(ours, "gap"), middle(ours, "seconds")
    reached = goal is not None and 100 * gap <= goal and whole <= seconds
    return [
        label,
        requests,
        f"{middle(ours, 'served'):,.0f} of {middle(ours, 'teams'):,.0f}",
        f"{middle(ours, 'arcs'):,.0f}",
        _minutes(middle(ours, "cost")),
        _minutes(middle(ours, "bound")),
        f"**{_percent(gap)}**",
        ", ".join(sorted({one["termination"] for one in ours})),
        f"{middle(ours, 'match'):.1f}",
        f"{whole:.1f}",
        _mb(ours),
        *_peer(runs),
        "none" if goal is None else f"≤ {goal:g} % in {seconds:g} s: {'✓' if reached else '**not reached**'}",
    ]


def _peer(runs: list[Measured]) -> list[str]:
    told = [run["cpsat"] for run in runs if run["cpsat"] is not None]
    answered = [one for one in told if one["cost"] is not None]
    if not told:
        return ["ended without a word", *["–"] * 5]
    bound = _minutes(median(one["bound"] for one in told))
    build, whole = (median(one[key] for one in told) for key in ("build", "seconds"))
    spent = [f"{build:.1f} + {whole - build:.1f}", _mb(told)]
    if len(answered) < len(runs):
        return [f"no plan for {len(runs) - len(answered)} of {len(runs)}", bound, "–", *spent, "–"]
    ratio = median(run["cpsat"]["cost"] / max(1, run["ours"]["cost"]) for run in runs)
    cost, gap = (median(one[key] for one in answered) for key in ("cost", "gap"))
    return [_minutes(cost), bound, _percent(gap), *spent, f"{ratio:.4f}"]


def _minutes(hundredths: float) -> str:
    return f"{hundredths / 100:,.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.3f} %"


def _mb(told: list[Measured]) -> str:
    known = [one["mb"] for one in told if one["mb"] is not None]
    return f"{median(known):,.0f}" if known else "?"
