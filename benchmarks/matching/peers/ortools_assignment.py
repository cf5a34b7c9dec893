"""OR-Tools' sparse assignment (cost scaling, Goldberg & Kennedy 1995), on the square that it wants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment

from benchmarks.matching.bipartite import doubled, flow_of
from benchmarks.matching.instances import Instance, IntArray


@dataclass(frozen=True)
class Model:
    """The solver, and whether its left nodes are the providers."""

    solver: SimpleLinearSumAssignment
    transposed: bool


def build(instance: Instance) -> Model:
    """Pass all arcs in one call."""
    square, solver = doubled(instance), SimpleLinearSumAssignment()
    solver.add_arcs_with_cost(square.rows.astype(np.int32), square.columns.astype(np.int32), square.cost)
    return Model(solver, square.transposed)


def solve(model: Model) -> None:
    """Solve; mates are read one by one only, which is left out of the time in the peer's favour."""
    status = model.solver.solve()
    if status != model.solver.OPTIMAL:
        raise RuntimeError(f"OR-Tools ended with status {status}")


def read(instance: Instance, model: Model, answer: None) -> IntArray:
    """Ask for the mate of every left node."""
    left = len(instance.capacity) if model.transposed else len(instance.demand)
    mate = np.array([model.solver.right_mate(node) for node in range(left)], np.int64)
    return flow_of(instance, mate, model.transposed)
