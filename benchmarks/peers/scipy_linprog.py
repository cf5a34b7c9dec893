"""The flow as a linear programme for `scipy.optimize.linprog`, with a sparse incidence matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csc_array

from benchmarks.network import Day


@dataclass(frozen=True)
class Programme:
    """Costs, balance rows and bounds."""

    cost: NDArray[np.float64]
    balance: csc_array
    supply: NDArray[np.float64]
    bounds: NDArray[np.float64]


def build(day: Day) -> Programme:
    """Write out +1 at the tail and -1 at the head of every arc."""
    arcs = np.arange(len(day.tail))
    signs = np.repeat([1.0, -1.0], len(day.tail))
    rows = np.concatenate([day.tail, day.head])
    matrix = csc_array((signs, (rows, np.concatenate([arcs, arcs]))), shape=(len(day.supply), len(day.tail)))
    bounds = np.column_stack([np.zeros(len(day.tail)), day.upper.astype(float)])
    return Programme(day.price.astype(float), matrix, day.supply.astype(float), bounds)


def solve(model: Programme) -> NDArray[np.float64]:
    """Solve with the dual simplex, which ends at an integral vertex."""
    result = linprog(
        model.cost, A_eq=model.balance, b_eq=model.supply, bounds=model.bounds, method="highs-ds"
    )
    if result.status != 0:
        raise RuntimeError(f"linprog: {result.message}")
    flow: NDArray[np.float64] = result.x
    return flow
