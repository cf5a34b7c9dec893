"""`python -m benchmarks recurrence`: visits by few faces, the gap, and one plain CP-SAT model, in one run."""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np

import govmatch as gm
from benchmarks.recurrence import plain
from benchmarks.recurrence.days import tables
from benchmarks.table import write_between_markers
from govmatch.plan.continuity import series_instance
from govmatch.plan.plan import Plan
from govmatch.solve.series_instance import SeriesInstance

README = Path(__file__).parents[1] / "README.md"
SIZES = {"200 × 40": (200, 40), "2,000 × 400": (2_000, 400)}
WEEKS = 8
FEW = 2
GOAL = 0.95
"""Share of visits by at most `FEW` faces per elder."""
CHEAPEST = 20
"""Arcs of a request that the model sees: with more it found nothing in the time."""


def main(arguments: list[str] | None = None) -> None:
    """Measure every size, print the table, and write it down where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks recurrence", description=__doc__)
    parser.add_argument("--sizes", default=";".join(SIZES), help="separated by semicolons")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each of the two")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--quick", action="store_true", help="one small size")
    parser.add_argument("--write-readme", action="store_true")
    asked = parser.parse_args(arguments)
    seconds = 10.0 if asked.quick else asked.seconds
    sizes = {"20 × 5": (20, 5)} if asked.quick else {name: SIZES[name] for name in asked.sizes.split(";")}
    gm.warmup()
    rows = [measure(name, *size, seconds, asked.seed) for name, size in sizes.items()]
    text = table(rows, seconds, asked.seed)
    print(text)
    if asked.write_readme:
        write_between_markers(README, text, ("<!-- recurrence:start -->", "<!-- recurrence:end -->"))


def measure(name: str, elders: int, carers: int, seconds: float, seed: int) -> list[str]:
    """Measure a size; return the cells of its row."""
    problem = gm.Problem.from_tables(tables(elders, carers, WEEKS, seed))
    begun = time.perf_counter()
    plan = gm.match(problem, time_limit=seconds)
    took = time.perf_counter() - begun
    instance = instance_of(plan)
    ours, cost = plan.search.solution.flow, 100 * plan.certificate.primal
    begun = time.perf_counter()
    flow, theirs, _ = plain.solve(instance, seconds, CHEAPEST)
    peer = time.perf_counter() - begun
    n = problem.demand.n_requests
    cells = [name, f"{n:,}", _shares(instance, ours), f"{took:.1f}", f"{100 * plan.certificate.gap:.2f} %"]
    if flow is None or theirs is None:
        return [*cells, "no answer", f"{peer:.1f}", "–"]
    return [*cells, _shares(instance, flow), f"{peer:.1f}", f"{theirs / cost:.3f}"]


def instance_of(plan: Plan) -> SeriesInstance:
    """Return the arrays that a plan was found on."""
    problem, search = plan.problem, plan.search
    face = problem.supply.slot_provider[search.arcs.slot[search.arc]].astype(np.int64)
    return series_instance(problem, search.instance, face, problem.series.of)


def few_faces(instance: SeriesInstance, flow: np.ndarray) -> tuple[float, float]:
    """Return the shares of all visits that are made, and made to elders with at most `FEW` faces."""
    used = np.flatnonzero(flow)
    series, width = instance.series[instance.flow.request[used]], int(instance.face.max(initial=0)) + 1
    pairs = np.unique(series * width + instance.face[used])
    faces = np.bincount(pairs // width, minlength=len(instance.free))
    visits = np.bincount(series, minlength=len(instance.free))
    n = len(instance.series)
    return float(len(used) / n), float(visits[faces <= FEW].sum() / n)


def _shares(instance: SeriesInstance, flow: np.ndarray) -> str:
    made, few = few_faces(instance, flow)
    return f"{100 * few:.1f} % (made: {100 * made:.1f} %)"


def table(rows: list[list[str]], seconds: float, seed: int) -> str:
    """Lay the rows out as Markdown."""
    lines = [
        f"One run of each size, `--seed {seed}`, {seconds:g} s for each of the two; synthetic people.",
        "",
        f"| elders × carers | visits | by at most {FEW} faces | s | gap "
        "| one CP-SAT model | s | ÷ our cost |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(f"| {' | '.join(cells)} |" for cells in rows),
    ]
    return "\n".join(lines) + "\n"
