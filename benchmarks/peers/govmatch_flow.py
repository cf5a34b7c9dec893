"""govmatch's own flow tier on the same arcs: what `gm.match` spends on its last solve."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from benchmarks.network import Day
from govmatch.solve.certificate import flow_cost
from govmatch.solve.flow import solve as solve_flow
from govmatch.solve.instance import Instance


def warm() -> None:
    """Compile the kernels on one request and one person."""
    one, zero, root = np.ones(1, np.int64), np.zeros(1, np.int64), np.full(1, -1, np.int64)
    solve_flow(Instance(zero, zero, zero, one, one, one + one, one, root, zero))


def build(day: Day) -> Instance:
    """Hand over the arrays."""
    return Instance(**{field.name: getattr(day, field.name) for field in fields(Instance)})


def solve(model: Instance) -> int:
    """Return the cost of the optimum; duals are computed, too."""
    solution = solve_flow(model)
    return flow_cost(model, solution.flow, solution.unmet)
