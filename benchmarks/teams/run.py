"""`python -m benchmarks teams`: our plan and bound, and those of one plain CP-SAT model, in one run."""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from statistics import median

from benchmarks.isolate import Measured, ProcessKilled, in_own_process
from benchmarks.table import write_between_markers

README = Path(__file__).parents[1] / "README.md"
WORK = "benchmarks.teams.work"

SIZES = {
    "1,000 × 1,500": (1_000, 1_500, 30.0, 0.1),
    "3,000 × 5,000": (3_000, 5_000, 30.0, 0.1),
    "3,000 × 4,000, contended": (3_000, 4_000, 30.0, 0.1),
    "3,000 × 3,000, short": (3_000, 3_000, 30.0, 0.1),
    "20,000 × 50,000": (20_000, 50_000, 300.0, 1.0),
    "20,000 × 27,000, contended": (20_000, 27_000, 300.0, 1.0),
}
"""Requests, people, seconds allowed, and the gap to reach in %."""

LEAST_SECONDS = 60.0
"""What the peer has at least: in less it found nothing useful."""


def main(arguments: list[str] | None = None) -> None:
    """Measure every size, print the table, and write it down where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks teams", description=__doc__)
    parser.add_argument("--sizes", default=";".join(SIZES), help="separated by semicolons")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one small size, once")
    parser.add_argument("--write-readme", action="store_true")
    asked = parser.parse_args(arguments)
    sizes = {"100 × 150": (100, 150, 2.0, 0.1)} if asked.quick else SIZES
    names = list(sizes) if asked.quick else asked.sizes.split(";")
    rng = random.Random(asked.seed)
    rows: dict[str, dict[str, list[Measured | None]]] = {}
    for name in names:
        requests, people, seconds, _goal = sizes[name]
        rows[name] = {"ours": [], "cpsat": []}
        for _ in range(1 if asked.quick else asked.repeat):
            seed = rng.randrange(1 << 30)
            for who in rows[name]:
                limit = seconds if asked.quick or who == "ours" else max(LEAST_SECONDS, seconds)
                told = _give([who, str(requests), str(people), str(seed), str(limit)], limit)
                rows[name][who].append(told)
                print(name, seed, who, told, flush=True)
    text = table(rows, sizes, asked.seed)
    print(text)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if asked.write_readme:
        write_between_markers(README, text, ("<!-- teams:start -->", "<!-- teams:end -->"))


def _give(arguments: list[str], seconds: float) -> Measured | None:
    try:
        return in_own_process(arguments, 2 * seconds + 120, WORK)
    except ProcessKilled:
        return None


def table(
    rows: dict[str, dict[str, list[Measured | None]]],
    sizes: dict[str, tuple[int, int, float, float]],
    seed: int,
) -> str:
    """Lay the medians out as Markdown."""
    lines = [
        f"Medians of the days of a size, each with a seed of its own (`--seed {seed}`); synthetic people.",
        "",
        "| requests × people | limit, s | govmatch: gap | s | MB | its cost ÷ the model's | "
        "one CP-SAT model: gap | s | goal |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, told in rows.items():
        ours = [one for one in told["ours"] if one is not None]
        peer = [one for one in told["cpsat"] if one is not None and one["cost"] is not None]
        goal = sizes[name][3]
        if len(ours) < len(told["ours"]):
            failed = f"failed {len(told['ours']) - len(ours)} times"
            lines.append(f"| {name} | {sizes[name][2]:g} | {failed} | – | – | – | – | – | **not reached** |")
            continue
        beside = "– | no answer | –"
        if len(peer) == len(ours):
            ratio = median(one["cost"] / other["cost"] for one, other in zip(ours, peer, strict=True))
            beside = f"{ratio:.4f} | {_percent(peer)} | {median(one['seconds'] for one in peer):.1f}"
        elif peer:
            beside = f"– | no answer to {len(ours) - len(peer)} of {len(ours)} | –"
        seconds, mb = (median(one[key] for one in ours) for key in ("seconds", "mb"))
        reached = 100 * median(one["gap"] for one in ours) <= goal
        lines.append(
            f"| {name} | {sizes[name][2]:g} | **{_percent(ours)}** | {seconds:.1f} | {mb:,.0f} | {beside} | "
            f"≤ {goal:g} %: {'✓' if reached else '**not reached**'} |"
        )
    return "\n".join(lines) + "\n"


def _percent(told: list[Measured]) -> str:
    return f"{100 * median(one['gap'] for one in told):.3f} %"
