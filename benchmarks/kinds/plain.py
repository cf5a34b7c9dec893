"""The peer: a whole day with every kind of coupling in one CP-SAT model, as its manual would have it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from benchmarks.kinds.day import Answer, Day
from benchmarks.kinds.plain_constraints import ALL
from benchmarks.kinds.plain_objective import minimise
from benchmarks.kinds.plain_variables import Variables

WORKERS = 8
"""On two cores, too: its kinds of search differ."""

DOUBT = 1e-3
"""By how much a bound told as a float may be off; costs are whole numbers."""


@dataclass(frozen=True)
class Outcome:
    """What the model found.

    Attributes
    ----------
    answer : Answer or None
        None where it has no plan.
    status : str
        As CP-SAT calls it, in small letters.
    cost, bound : int or None
        Of its objective without what assigned requests cost on top; None without a plan.
    left : int
        Assigned people, and teams and requests with goods, that are left out.
    build_seconds : float
    """

    answer: Answer | None
    status: str
    cost: int | None
    bound: int | None
    left: int
    build_seconds: float


def solve(day: Day, seconds: float, workers: int = WORKERS) -> Outcome:
    """Build the model and solve it in so many seconds, building included; the solver has one at least."""
    begun = time.perf_counter()
    model = cp_model.CpModel()
    x = Variables(model, day)
    for constrain in ALL:
        constrain(model, day, x)
    first = minimise(model, day, x)
    built = time.perf_counter() - begun
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.max_time_in_seconds = max(1.0, seconds - built)
    status = solver.solve(model)
    name = solver.status_name(status).lower()
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Outcome(None, name, None, None, 0, built)
    sent, lots = (np.array([solver.value(v) for v in some], np.int64) for some in (x.sent, x.lots))
    total = round(solver.objective_value)
    left = total // first if first else 0
    bound = math.ceil(solver.best_objective_bound - DOUBT) - left * first
    return Outcome(Answer(sent, lots), name, total - left * first, bound, left, built)
