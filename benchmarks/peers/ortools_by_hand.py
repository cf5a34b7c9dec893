"""OR-Tools as its manual shows it: arc by arc, flow by flow."""

from __future__ import annotations

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from benchmarks.network import Day, IntArray


def build(day: Day) -> SimpleMinCostFlow:
    """Add one arc and one supply after the other."""
    flow = SimpleMinCostFlow()
    columns = (day.tail.tolist(), day.head.tolist(), day.upper.tolist(), day.price.tolist())
    for tail, head, capacity, cost in zip(*columns, strict=True):
        flow.add_arc_with_capacity_and_unit_cost(tail, head, capacity, cost)
    for node, supply in enumerate(day.supply.tolist()):
        flow.set_node_supply(node, supply)
    return flow


def solve(model: SimpleMinCostFlow) -> IntArray:
    """Solve, and read the flow of every arc."""
    status = model.solve()
    if status != model.OPTIMAL:
        raise RuntimeError(f"OR-Tools ended with status {status}")
    return np.array([model.flow(arc) for arc in range(model.num_arcs())], np.int64)
