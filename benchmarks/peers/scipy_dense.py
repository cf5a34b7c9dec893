"""`scipy.optimize.linear_sum_assignment` on a dense matrix: for instances without nested capacities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.network import Day, IntArray

CELLS = 200_000_000


def refuses(day: Day) -> str:
    """Take one person a request, and capacities that no other node shares."""
    entered = np.unique(day.node)
    if (day.parent[entered] >= 0).any() or (day.load_cost[entered] > 0).any():
        return "nested capacities"
    if (day.demand > 1).any():
        return "several people a request"
    cells = len(day.demand) * (len(day.demand) + int(_columns(day)[1].sum()))
    return f"a dense matrix of {cells:,} cells" if cells > CELLS else ""


def build(day: Day) -> NDArray[np.float64]:
    """One row a request; one column a unit of capacity, and one a request for staying unmet."""
    nodes, units = _columns(day)
    first = np.concatenate([[0], np.cumsum(units)])
    n = len(day.demand)
    matrix = np.full((n, first[-1] + n), np.inf)
    position = np.searchsorted(nodes, day.node)
    for row, at, cost in zip(day.request, position, day.cost, strict=True):
        span = slice(first[at], first[at + 1])
        matrix[row, span] = np.minimum(matrix[row, span], cost)
    asked = np.flatnonzero(day.demand)
    matrix[asked, first[-1] + asked] = day.unmet_cost[asked]
    return matrix[asked]


def solve(model: NDArray[np.float64]) -> int:
    """Return the least sum."""
    rows, columns = linear_sum_assignment(model)
    return int(np.rint(model[rows, columns]).sum())


def _columns(day: Day) -> tuple[IntArray, IntArray]:
    nodes, arcs = np.unique(day.node, return_counts=True)
    return nodes, np.minimum(day.capacity[nodes], arcs)
