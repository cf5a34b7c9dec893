"""A feasible flow, one request after the other: what fits is kept, and each takes its cheapest free arc."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit
from govmatch._kernels.market import REST, SIZE, START, UNMET_COST, Network

I64 = NDArray[np.int64]

POLL = 4096
"""Requests between two looks at the stop flag."""


@jit
def keep_what_fits(net: Network, order: I64, used: I64, load: I64) -> None:
    """Keep the used arcs that all nodes above have room for, request by request; the others are dropped.

    Parameters
    ----------
    order : int64
        Rows without a hub, and ``n_rows + hub``.
    used : int64 (n_rows,)
        Arcs, or negative; changed in place.
    load : int64 (n_nodes,)
        Zeros; filled with the units through each node.
    """
    n_rows = len(net.row)
    for who in order:
        hub = who - n_rows
        first_row = who if hub < 0 else net.hub_start[hub]
        last_row = who + 1 if hub < 0 else first_row + net.hub_size[hub]
        for q in range(first_row, last_row):
            if used[q] < 0:
                continue
            k = net.arc_node[used[q]]
            while k >= 0 and load[k] < net.capacity[k]:
                k = net.parent[k]
            if k >= 0:
                used[q] = REST
                continue
            k = net.arc_node[used[q]]
            while k >= 0:
                load[k] += 1
                k = net.parent[k]


@jit
def serve(net: Network, order: I64, hub_demand: I64, used: I64, load: I64, stop: NDArray[np.uint8]) -> int:
    """Serve requests in the order given, each at its cheapest free arc; return the units left out.

    Parameters
    ----------
    order, used, load
        As in `keep_what_fits`; `used` and `load` may hold something already.
    """
    n_rows = len(net.row)
    row, arc_node, arc_cost = net.row, net.arc_node, net.arc_cost
    parent, capacity, load_cost = net.parent, net.capacity, net.load_cost
    left = 0
    seen = 0
    for who in order:
        seen += 1
        if seen % POLL == 0 and stop[0]:
            break
        hub = who - n_rows
        if hub < 0:
            first_row, last_row, wanted, unmet = who, who + 1, 1, row[who, UNMET_COST]
        else:
            first_row = net.hub_start[hub]
            last_row = first_row + net.hub_size[hub]
            wanted, unmet = hub_demand[hub], net.hub_unmet_cost[hub]
        for q in range(first_row, last_row):
            wanted -= used[q] >= 0
        for q in range(first_row, last_row):
            if wanted == 0:
                break
            if used[q] >= 0:
                continue
            best = unmet
            choice = -1
            for i in range(row[q, START], row[q, START] + row[q, SIZE]):
                c = arc_cost[i]
                if c >= best:
                    break
                k = arc_node[i]
                while k >= 0:
                    if load[k] == capacity[k]:
                        break
                    c += load_cost[k] * load[k]
                    k = parent[k]
                if k < 0 and c < best:
                    best = c
                    choice = i
            if choice >= 0:
                wanted -= 1
                used[q] = choice
                k = arc_node[choice]
                while k >= 0:
                    load[k] += 1
                    k = parent[k]
        left += wanted
    return left
