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


@jit
def trace_back(
    pointer: NDArray[np.int64],
    tail: NDArray[np.int32],
    price: NDArray[np.int32],
    layers: NDArray[np.int32],
    ends: NDArray[np.int32],
    steps: NDArray[np.int32],
    arcs: NDArray[np.int32],
) -> None:
    """Write the cheapest walk to each of `ends`, with the fewest hops, from its end to the source.

    Parameters
    ----------
    pointer, tail, price, layers
        As `fill_layers` has filled them.
    ends : int32 (n,)
        Nodes that are reached.
    steps, arcs : int32 (n, 1 + hops)
        The nodes in turn, and the arc into each: of equally good ones the first, -1 at the source, which
        is the last.
    """
    for i in range(len(ends)):
        at = ends[i]
        cost = layers[-1, at]
        hops = 0
        while layers[hops, at] != cost:
            hops += 1
        for k in range(hops):
            before = layers[hops - 1 - k]
            j = pointer[at]
            while before[tail[j]] + price[j] != cost:
                j += 1
            steps[i, k], arcs[i, k] = at, j
            at, cost = tail[j], cost - price[j]
        steps[i, hops], arcs[i, hops] = at, -1
