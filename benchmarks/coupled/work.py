"""What runs in a process of its own: make a day, plan it, or give its arcs to the one model."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.coupled.check import cost_of
from benchmarks.coupled.days import SIZES, arrays, load, save
from benchmarks.work import peak_mb


def make(size: str, seed: int, tables_file: Path) -> dict[str, Any]:
    """Make the day's tables and keep them in a file."""
    import pandas as pd

    tables = SIZES[size].tables(seed)
    pd.to_pickle(tables, tables_file)
    return {"requests": len(tables["requests"])}


def ours(tables_file: Path, arcs_file: Path, seconds: float) -> dict[str, Any]:
    """From DataFrames to a verified plan in so many seconds; the arcs go to a file for the peer."""
    import pandas as pd

    import govmatch as gm
    from govmatch.plan.plan import Search
    from govmatch.plan.team_wheel import team_tree

    # imports and the first compilation are not in the figures
    gm.match(gm.Problem.from_tables(gm.datasets.xishan(seed=0, requests=40, coupled=0.2)), time_limit=60)
    tables = pd.read_pickle(tables_file)
    began = time.perf_counter()
    problem = gm.Problem.from_tables(tables)
    read = time.perf_counter() - began
    plan = gm.match(problem, time_limit=max(1.0, seconds - read))
    total = time.perf_counter() - began

    peak, certificate, search = peak_mb(), plan.certificate, plan.search
    assert isinstance(search, Search)
    day = arrays(search.instance, team_tree(problem, search.units))
    save(arcs_file, day)
    cost = cost_of(day, search.solution.flow > 0)
    stated = round(certificate.primal / certificate.resolution_minutes)
    if cost != stated:
        raise ValueError(f"the plan says that it costs {stated}; counted again it costs {cost}")
    if not certificate.verified:
        raise ValueError("the plan is not verified")
    asked = problem.demand.request_id[search.units.team]
    return {
        "cost": cost,
        "bound": round(certificate.bound / certificate.resolution_minutes),
        "gap": certificate.gap,
        "termination": certificate.termination,
        "match": total - read,
        "seconds": total,
        "mb": peak,
        "arcs": len(day.cost),
        "teams": len(asked),
        "served": len(set(asked) & set(plan.assignments["request_id"])),
    }


def cpsat(arcs_file: Path, seconds: float) -> dict[str, Any]:
    """Give the arcs of a day to the one model."""
    from benchmarks.coupled import plain

    day = load(arcs_file)
    began = time.perf_counter()
    used, bound, built = plain.solve(day, seconds)
    told: dict[str, Any] = {"seconds": time.perf_counter() - began, "build": built, "mb": peak_mb()}
    told |= {"bound": bound, "cost": None, "gap": None}
    if used is not None:
        cost = cost_of(day, used)
        told |= {"cost": cost, "gap": (cost - bound) / max(1, abs(cost))}
    return told


def main(arguments: list[str]) -> None:
    """Do the task that the first argument names, and print one line of JSON."""
    task, *rest = arguments
    if task == "make":
        told = make(rest[0], int(rest[1]), Path(rest[2]))
    elif task == "ours":
        told = ours(Path(rest[0]), Path(rest[1]), float(rest[2]))
    else:
        told = cpsat(Path(rest[0]), float(rest[1]))
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
