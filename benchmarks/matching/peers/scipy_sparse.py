"""`scipy.sparse.csgraph.min_weight_full_bipartite_matching` (LAPJVsp) with the shorter side as rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from benchmarks.matching.bipartite import flow_of, short_side_first
from benchmarks.matching.instances import Instance, IntArray


@dataclass(frozen=True)
class Model:
    """The matrix, and whether its rows are the providers."""

    matrix: csr_array
    transposed: bool


def build(instance: Instance) -> Model:
    """Lay out the matrix."""
    sparse = short_side_first(instance)
    return Model(sparse.csr(), sparse.transposed)


def solve(model: Model) -> IntArray:
    """Return the column of each row."""
    rows, columns = min_weight_full_bipartite_matching(model.matrix)
    mate = np.empty(len(rows), np.int64)
    mate[rows] = columns
    return mate


def read(instance: Instance, model: Model, answer: IntArray) -> IntArray:
    """Return the flow that the mates stand for."""
    return flow_of(instance, answer, model.transposed)
