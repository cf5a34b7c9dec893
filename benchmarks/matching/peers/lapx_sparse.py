"""lapx's sparse solver, on the square that it wants, the shorter side first."""

from __future__ import annotations

import lap

from benchmarks.matching.bipartite import doubled, flow_of
from benchmarks.matching.instances import Instance, IntArray
from benchmarks.matching.peers.scipy_sparse import Model


def build(instance: Instance) -> Model:
    """Lay out the square by rows."""
    square = doubled(instance)
    return Model(square.csr(), square.transposed)


def solve(model: Model) -> IntArray:
    """Return the column of each row."""
    matrix = model.matrix
    mate, _ = lap.lapmod(matrix.shape[0], matrix.data, matrix.indptr, matrix.indices, return_cost=False)
    return mate


def read(instance: Instance, model: Model, answer: IntArray) -> IntArray:
    """Return the flow that the mates stand for."""
    return flow_of(instance, answer, model.transposed)
