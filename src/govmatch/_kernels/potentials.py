"""Shortest distances to one node over a residual network with negative arcs but no negative cycle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit

I64 = NDArray[np.int64]
UNREACHED = np.int64(1) << 61


@jit
def distances_to(target: int, ptr: I64, tail: I64, cost: I64, start: I64) -> int:
    """Lower `start` to the shortest distances to `target`, in place; labels must be attainable.

    Label correcting with a queue (Bellman 1958; Moore 1959). Arcs into node v are
    ``ptr[v]:ptr[v + 1]``. Returns 0, or 1 where some node was queued more often than there are
    nodes: a negative cycle.
    """
    n = len(start)
    queue = np.empty(n + 1, np.int64)
    queued = np.zeros(n, np.bool_)
    times = np.zeros(n, np.int64)
    head = 0
    size = 0
    for v in range(n):
        if start[v] < UNREACHED:
            queue[size] = v
            queued[v] = True
            size += 1
    while size > 0:
        v = queue[head]
        head = head + 1 if head < n else 0
        size -= 1
        queued[v] = False
        times[v] += 1
        if times[v] > n:
            return 1
        for a in range(ptr[v], ptr[v + 1]):
            t = tail[a]
            d = start[v] + cost[a]
            if d < start[t]:
                start[t] = d
                if not queued[t]:
                    place = head + size
                    if place > n:
                        place -= n + 1
                    queue[place] = t
                    queued[t] = True
                    size += 1
    return 0
