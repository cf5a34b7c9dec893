"""Cheapest walks from one node, by number of hops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit


@jit
def fill_layers(
    pointer: NDArray[np.int64],
    tail: NDArray[np.int32],
    price: NDArray[np.int32],
    layers: NDArray[np.int32],
) -> None:
    """Fill ``layers[k]`` with the cheapest costs over at most k hops, from ``layers[0]``.

    Parameters
    ----------
    pointer : int64 (N + 1,)
        Arcs into node v are ``pointer[v]:pointer[v + 1]``.
    tail, price : int32 (n_arcs,)
        Where an arc begins, and what it costs, 0 or more.
    layers : int32 (1 + hops, N)
        Row 0 is given. No sum of an entry and a price may exceed 32 bits.
    """
    for k in range(1, len(layers)):
        before, now = layers[k - 1], layers[k]
        for v in range(len(now)):
            best = before[v]
            for i in range(pointer[v], pointer[v + 1]):
                best = min(best, before[tail[i]] + price[i])
            now[v] = best
