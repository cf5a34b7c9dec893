"""govmatch's own flow tier on the same arcs: what `gm.match` spends on its last solve."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from benchmarks.network import Day
from govmatch.solve.certificate import flow_cost
from govmatch.solve.flow import solve as solve_flow
from govmatch.solve.instance import Instance


def warm() -> None:
    """Compile the kernels on requests that outnumber the people, so that each of them is called."""
    rng, n, k = np.random.default_rng(0), 300, 6
    one, root = np.ones(n, np.int64), np.full(n // 2, -1, np.int64)
    request, node = np.repeat(np.arange(n), k), rng.integers(0, n // 2, n * k)
    cost = rng.integers(0, 4_000, n * k)
    solve_flow(Instance(request, node, node, cost, one, 20_000 * one, -root, root, root + 1))


def build(day: Day) -> Instance:
    """Hand over the arrays."""
    return Instance(**{field.name: getattr(day, field.name) for field in fields(Instance)})


def solve(model: Instance) -> int:
    """Return the cost of the optimum; duals are computed, too."""
    solution = solve_flow(model)
    return flow_cost(model, solution.flow, solution.unmet)
