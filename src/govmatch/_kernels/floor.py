"""First prices: what those who must be left out would pay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit
from govmatch._kernels.market import Network

PRESSURE = 0.22
"""Units left out, in units of capacity around, from which a place counts as short."""

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


@jit
def first_prices(net: Network, dearest_first: I64, hub_demand: I64, price: I64) -> int:
    """Serve requests in the order given, each at its cheapest free arc; price full nodes by those left out.

    A node that stops an unserved request must cost at least what that request would pay there, or the
    request would not be left out. Where few are left out, others can make room for them, and the price
    stays 0: only a shortage all around a node counts.

    Parameters
    ----------
    dearest_first : int64
        Rows without a hub, and ``n_rows + hub``.
    price : int64 (n_nodes,)
        Zeros; filled.

    Returns
    -------
    int
        Units left out.
    """
    n_rows, n_nodes = len(net.row_start), len(net.parent)
    row_start, row_size, arc_node, arc_cost = net.row_start, net.row_size, net.arc_node, net.arc_cost
    parent, capacity, load_cost = net.parent, net.capacity, net.load_cost
    load = np.zeros(n_nodes, np.int64)
    taken = np.zeros(n_rows, np.bool_)
    pressure = np.zeros(n_nodes, np.float64)
    left = 0
    for who in dearest_first:
        hub = who - n_rows
        if hub < 0:
            first_row, last_row, wanted, unmet = who, who + 1, 1, net.unmet_cost[who]
        else:
            first_row = net.hub_start[hub]
            last_row = first_row + net.hub_size[hub]
            wanted = hub_demand[hub]
            unmet = net.hub_unmet_cost[hub]
        for q in range(first_row, last_row):
            if wanted == 0:
                break
            best = unmet
            choice = -1
            for i in range(row_start[q], row_start[q] + row_size[q]):
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
                taken[q] = True
                k = arc_node[choice]
                while k >= 0:
                    load[k] += 1
                    k = parent[k]
        if wanted == 0:
            continue
        left += wanted
        for q in range(first_row, last_row):
            if taken[q]:
                continue
            for i in range(row_start[q], row_start[q] + row_size[q]):
                pays = unmet - arc_cost[i]
                if pays <= 0:
                    break
                k = arc_node[i]
                while k >= 0 and load[k] < capacity[k]:
                    pays -= load_cost[k] * load[k]
                    k = parent[k]
                if k >= 0:
                    pressure[k] += wanted / row_size[q]
                    price[k] = max(price[k], pays)
    if left == 0:
        return 0
    # one row's bad luck is no shortage: look at the neighbourhood, from nodes to rows and back
    around = np.zeros(n_nodes, np.float64)
    entering = np.zeros(n_nodes, np.int64)
    for q in range(n_rows):
        if row_size[q] == 0:
            continue
        mean = 0.0
        for i in range(row_start[q], row_start[q] + row_size[q]):
            k = arc_node[i]
            while load[k] < capacity[k] and parent[k] >= 0:
                k = parent[k]
            mean += pressure[k] / max(1, capacity[k])
        mean /= row_size[q]
        for i in range(row_start[q], row_start[q] + row_size[q]):
            k = arc_node[i]
            while load[k] < capacity[k] and parent[k] >= 0:
                k = parent[k]
            around[k] += mean
            entering[k] += 1
    for k in range(n_nodes):
        if around[k] < PRESSURE * entering[k]:
            price[k] = 0
    return left
