"""OR-Tools' min-cost flow (cost scaling), by its array calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from benchmarks.matching.instances import Instance, IntArray
from benchmarks.matching.network import flow_of


@dataclass(frozen=True)
class Model:
    """The solver, and its names for the arcs."""

    solver: SimpleMinCostFlow
    arcs: IntArray


def build(instance: Instance) -> Model:
    """Pass all arcs in one call, and all supplies in another."""
    flow, solver = flow_of(instance), SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(flow.tail, flow.head, flow.upper, flow.cost)
    solver.set_nodes_supplies(np.arange(len(flow.supply)), flow.supply)
    return Model(solver, arcs)


def solve(model: Model) -> IntArray:
    """Solve, and read all flows in one call."""
    status = model.solver.solve()
    # flows may only be asked for after OPTIMAL
    if status != model.solver.OPTIMAL:
        raise RuntimeError(f"OR-Tools ended with status {status}")
    return model.solver.flows(model.arcs)


def read(instance: Instance, model: Model, answer: IntArray) -> IntArray:
    """Return the first ones, which are the instance's arcs."""
    return answer[: len(instance.cost)]
