"""Flat instances, where everybody serves or is served once, in the forms that assignment solvers take.

Served requests earn ``unmet cost - cost``; a matching that earns most costs least. So a dense solver
gets the matrix of what a pair saves (nothing, where there is no arc), and a sparse one that wants a
full matching gets a partner for staying alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from benchmarks.matching.instances import Instance, IntArray

CELLS = 200_000_000  # of a dense matrix, at most: 1.6 GB

Takes = Literal["flows", "transport", "matchings", "matrices"]


@dataclass(frozen=True)
class Sparse:
    """Rows that must all be matched; `transposed`: the rows are the providers, for they are fewer."""

    rows: IntArray
    columns: IntArray
    cost: IntArray  # above 0, because SciPy takes a stored 0 for no arc
    shape: tuple[int, int]
    transposed: bool = False

    def csr(self) -> csr_array:
        """Return the matrix, columns in order, as floats and 32-bit indices."""
        matrix = csr_array(coo_array((self.cost.astype(float), (self.rows, self.columns)), shape=self.shape))
        matrix.sort_indices()
        matrix.indptr, matrix.indices = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
        return matrix


def refusals(instance: Instance) -> dict[Takes, str]:
    """Say, for each kind of solver, why it cannot express the instance; empty where it can."""
    n, m = len(instance.demand), len(instance.capacity)
    flat = ""
    if (instance.demand > 1).any():
        flat = "several people a request"
    elif (instance.parent >= 0).any():
        flat = "a forest"
    elif (instance.load_cost > 0).any():
        flat = "load costs"
    once = flat or ("several requests a provider" if (instance.capacity > 1).any() else "")
    dense = once or (f"{n * m:,} cells" if n * m > CELLS else "")
    return {"flows": "", "transport": flat, "matchings": once, "matrices": dense}


def dense(instance: Instance) -> NDArray[np.float64]:
    """One row a request, one column a provider: what the pair costs, less what it saves."""
    must = not len(instance.unmet_cost)
    matrix = np.full((len(instance.demand), len(instance.capacity)), np.inf if must else 0.0)
    saved = 0 if must else instance.unmet_cost[instance.request]
    cost = instance.cost - saved
    matrix[instance.request, instance.provider] = cost if must else np.minimum(cost, 0)
    return matrix


def short_side_first(instance: Instance) -> Sparse:
    """Rows are the shorter side; each has a column of its own for staying alone."""
    n, m = len(instance.demand), len(instance.capacity)
    if not len(instance.unmet_cost):
        return Sparse(instance.request, instance.provider, instance.cost + 1, (n, m))
    if n <= m:
        lone = np.arange(n)
        return Sparse(
            np.concatenate([instance.request, lone]),
            np.concatenate([instance.provider, m + lone]),
            np.concatenate([instance.cost, instance.unmet_cost]) + 1,
            (n, m + n),
        )
    lone, most = np.arange(m), int(instance.unmet_cost.max())
    saved = instance.cost - instance.unmet_cost[instance.request]
    return Sparse(
        np.concatenate([instance.provider, lone]),
        np.concatenate([instance.request, n + lone]),
        np.concatenate([saved, np.zeros(m, np.int64)]) + most + 1,
        (m, n + m),
        transposed=True,
    )


def doubled(instance: Instance) -> Sparse:
    """Return a square one: below it its own mirror image, so that the longer side may stay alone, too."""
    upper = short_side_first(instance)
    if not len(instance.unmet_cost):
        return upper
    n_rows, n_columns = upper.shape[0], upper.shape[1] - upper.shape[0]
    rows, columns = upper.rows[: len(instance.cost)], upper.columns[: len(instance.cost)]
    alone = np.arange(n_columns)
    return Sparse(
        np.concatenate([upper.rows, n_rows + columns, n_rows + alone]),
        np.concatenate([upper.columns, n_columns + rows, alone]),
        np.concatenate([upper.cost, np.ones(len(rows) + n_columns, np.int64)]),
        (n_rows + n_columns, n_rows + n_columns),
        upper.transposed,
    )


def flow_of(instance: Instance, mate: IntArray, transposed: bool = False) -> IntArray:
    """Return the flow on the arcs, where row i is matched with column mate[i]."""
    row, column = instance.request, instance.provider
    if transposed:
        row, column = column, row
    return (mate[row] == column).astype(np.int64)
