"""A mixed-integer programme whose parts do not touch each other, solved part by part."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

CHUNK = 2_000
"""Variables of small parts that are solved together."""

LEAST_SECONDS, LP_SECONDS = 0.01, 0.3
"""Least time for a part; and time for its linear relaxation, whatever is left."""

WHOLE = 1e-7
"""By how much a whole number may be off in a float."""


@dataclass(frozen=True)
class Joined:
    """What was found of all parts together, as SciPy names it."""

    status: int
    message: str
    x: FloatArray | None
    mip_dual_bound: float | None


def milp_apart(
    cost: FloatArray,
    most: FloatArray,
    matrix: csr_matrix,
    low: FloatArray,
    high: FloatArray,
    seconds: float,
    slack: float,
) -> Joined:
    """Minimise ``cost @ x`` over whole ``0 <= x <= most``, ``low <= matrix @ x <= high``.

    Parameters
    ----------
    cost, most : float64 (n,)
    matrix : csr_matrix (m, n)
    low, high : float64 (m,)
    seconds : float
        For all parts together; the small ones come first.
    slack : float
        A difference of cost and bound, of all parts together, that suffices.
    """
    begun = time.monotonic()
    x, bound, whole = np.zeros(len(cost)), 0.0, True
    chunks = _chunks(matrix)
    for i, (rows, columns) in enumerate(chunks):
        left = max(LEAST_SECONDS, (seconds - (time.monotonic() - begun)) / (len(chunks) - i))
        part = _Part(cost[columns], most[columns], matrix[rows][:, columns], low[rows], high[rows])
        found = part.solve(left, slack * len(columns) / len(cost))
        if isinstance(found, Joined):
            return found
        value, chosen = found
        bound += value
        if chosen is None:
            whole = False
        else:
            x[columns] = chosen
    return Joined(0, "", x if whole else None, bound)


@dataclass(frozen=True)
class _Part:
    """One programme."""

    cost: FloatArray
    most: FloatArray
    matrix: csr_matrix
    low: FloatArray
    high: FloatArray

    def solve(self, seconds: float, slack: float) -> Joined | tuple[float, FloatArray | None]:
        """Return a bound and, if there is one, a solution; or why there is none."""
        begun = time.monotonic()
        relaxed = self._milp(0, LP_SECONDS + seconds, 0.0)
        if relaxed.status != 0:
            return Joined(int(relaxed.status), str(relaxed.message), None, None)
        value = float(relaxed.fun)
        if np.abs(relaxed.x - np.round(relaxed.x)).max(initial=0) < WHOLE:
            return value, relaxed.x
        left = max(LEAST_SECONDS, seconds - (time.monotonic() - begun))
        found = self._milp(1, left, slack / max(1.0, abs(value)))
        if found.status not in (0, 1):
            return Joined(int(found.status), str(found.message), None, None)
        proved = found.mip_dual_bound
        if proved is not None and np.isfinite(proved):
            value = max(value, float(proved))
        return value, found.x

    def _milp(self, integrality: int, seconds: float, gap: float) -> OptimizeResult:
        return milp(
            self.cost,
            integrality=np.full(len(self.cost), integrality),
            bounds=Bounds(0, self.most),
            constraints=LinearConstraint(self.matrix, self.low, self.high),
            options={"time_limit": seconds, "mip_rel_gap": gap},
        )


def _chunks(matrix: csr_matrix) -> list[tuple[IntArray, IntArray]]:
    """Return rows and columns of parts that do not touch, the smallest first, small ones together."""
    m = matrix.shape[0]
    entries = matrix.tocoo()
    shape = (m + matrix.shape[1], m + matrix.shape[1])
    joined = csr_matrix((np.ones(entries.nnz), (entries.row, entries.col + m)), shape=shape)
    n_parts, label = connected_components(joined, directed=False)
    size = np.bincount(label[m:], minlength=n_parts)
    order = np.argsort(size, kind="stable")
    chunk = np.empty(n_parts, np.int64)
    chunk[order] = (np.cumsum(size[order]) - size[order]) // CHUNK
    big = order[size[order] >= CHUNK]
    chunk[big] = int(chunk.max(initial=0)) + 1 + np.arange(len(big))
    of = chunk[label]
    return [(np.flatnonzero(of[:m] == k), np.flatnonzero(of[m:] == k)) for k in np.unique(of[m:]).tolist()]
