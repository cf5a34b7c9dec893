"""Read home health care files into tables, match, write each carer's timed route, and check it apart.

`python -m benchmarks.hhcrsp FILE… --seconds 60 --json`
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path
from statistics import mean
from typing import Any

import govmatch as gm
from benchmarks.hhcrsp.check import check
from benchmarks.hhcrsp.instances import read, routes


def main() -> int:
    """Solve every file; the exit status is 1 if any route is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hhcrsp", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit for each file")
    parser.add_argument("--best", type=Path, help="a Markdown table of best known costs, to compare with")
    parser.add_argument("--json", action="store_true", help="one line of JSON a file, with the routes")
    asked = parser.parse_args()
    best = _best_known(asked.best) if asked.best else {}
    # compilation is not in the figures
    for _ in range(2):  # a limit that compiling uses up leaves nothing to the search
        gm.match(read(asked.files[0])[1], time_limit=0.5)
    gaps, wrong = [], False
    for path in asked.files:
        told = _solve(path, asked.seconds)
        wrong |= bool(told["faults"])
        if path.name in best:
            told["best_known"] = best[path.name]
            told["gap_percent"] = 100 * (told["cost"] / best[path.name] - 1)
            gaps.append(told["gap_percent"])
        print(json.dumps(told) if asked.json else _line(told), flush=True)
    if gaps and not asked.json:
        print(f"mean over {len(gaps)} files: {mean(gaps):+.2f} % of the best known cost")
    return int(wrong)


def _solve(path: Path, seconds: float) -> dict[str, Any]:
    """Read, match and write the routes, all within the time limit."""
    begun = time.perf_counter()
    given, problem, step = read(path)
    plan = gm.match(problem, time_limit=max(0.1, seconds - (time.perf_counter() - begun)))
    made = routes(given, plan, step)
    took = time.perf_counter() - begun
    faults, parts = check(given, made)
    certificate = plan.certificate
    stated = certificate.primal / step / 3
    # ways are rounded up to thousandths of the tables' minutes
    if not faults and abs(parts["cost"] - stated) > 1e-6 + 0.001 * len(plan.assignments) / step:
        faults.append(f"the plan says it costs {stated}")
    return {
        "file": path.name,
        **parts,
        "seconds": took,
        "bound": certificate.bound / step / 3,
        "termination": certificate.termination,
        "verified": certificate.verified,
        "faults": faults,
        "routes": made,
    }


def _line(told: dict[str, Any]) -> str:
    parts = " + ".join(f"{told[part]:.3f}" for part in ("distance", "total_tardiness", "max_tardiness"))
    text = f"{told['file']:32} {told['cost']:9.3f} = ({parts}) / 3   {told['seconds']:.1f} s"
    if "gap_percent" in told:
        text += f"   best known {told['best_known']:.3f}, {told['gap_percent']:+.2f} %"
    return text + "".join(f"\n  WRONG: {fault}" for fault in told["faults"])


def _best_known(path: Path) -> dict[str, float]:
    rows = re.findall(r"^\|\s*(\S+\.json)\s*\|(?:[^|]*\|){3}\s*([0-9.]+)", path.read_text("utf-8"), re.M)
    return {name: float(cost) for name, cost in rows}


if __name__ == "__main__":
    sys.exit(main())
