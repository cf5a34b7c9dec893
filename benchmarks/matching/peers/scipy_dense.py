"""`scipy.optimize.linear_sum_assignment` on a dense matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.matching.bipartite import dense, flow_of
from benchmarks.matching.instances import Instance, IntArray

build = dense


def solve(model: NDArray[np.float64]) -> tuple[IntArray, IntArray]:
    """Return matched rows and columns."""
    return linear_sum_assignment(model)


def read(instance: Instance, model: NDArray[np.float64], answer: tuple[IntArray, IntArray]) -> IntArray:
    """Return the flow; a pair without an arc carries none, and one that saves nothing stays alone."""
    mate = np.full(len(instance.demand), -1)
    rows, columns = answer
    mate[rows] = np.where(model[rows, columns] < 0, columns, -1) if len(instance.unmet_cost) else columns
    return flow_of(instance, mate)
