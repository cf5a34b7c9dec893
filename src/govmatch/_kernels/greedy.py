"""A feasible flow in one pass over sorted arcs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit

I64 = NDArray[np.int64]


@jit
def take_in_order(
    order: I64, request: I64, node: I64, group: I64, parent: I64, left: I64, room: I64, flow: I64
) -> None:
    """Take each arc of `order` that its request still lacks and all nodes above it have room for.

    Parameters
    ----------
    left : int64 (n_requests,)
        Units that each request still lacks; lowered in place.
    room : int64 (n_nodes,)
        Free capacity; lowered in place.
    flow : int64 (n_arcs,)
        Set to 1 in place. The arcs of one request with equal group are taken at most once.
    """
    taken = set()
    taken.add((np.int64(-1), np.int64(-1)))
    for a in order:
        r = request[a]
        if left[r] == 0 or (r, group[a]) in taken:
            continue
        k = node[a]
        free = True
        while k >= 0:
            if room[k] <= 0:
                free = False
                break
            k = parent[k]
        if not free:
            continue
        k = node[a]
        while k >= 0:
            room[k] -= 1
            k = parent[k]
        if left[r] > 1:
            taken.add((r, group[a]))
        left[r] -= 1
        flow[a] = 1
