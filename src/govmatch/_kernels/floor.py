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
def first_prices(net: Network, hub_demand: I64, used: I64, load: I64, price: I64) -> None:
    """Price the full nodes by those that a greedy flow has left out.

    A node that stops an unserved request must cost at least what that request would pay there, or the
    request would not be left out. Where few are left out, others can make room for them, and the price
    stays 0: only a shortage all around a node counts.

    Parameters
    ----------
    used : int64 (n_rows,)
        Arcs of the flow, or negative.
    load : int64 (n_nodes,)
        Its units through each node.
    price : int64 (n_nodes,)
        Zeros; filled.
    """
    n_rows, n_nodes = len(net.row_start), len(net.parent)
    row_start, row_size, arc_node, arc_cost = net.row_start, net.row_size, net.arc_node, net.arc_cost
    parent, capacity, load_cost, row_hub = net.parent, net.capacity, net.load_cost, net.row_hub
    lacks = hub_demand.copy()
    for q in range(n_rows):
        if row_hub[q] >= 0:
            lacks[row_hub[q]] -= used[q] >= 0
    pressure = np.zeros(n_nodes, np.float64)
    for q in range(n_rows):
        if used[q] >= 0:
            continue
        hub = row_hub[q]
        wanted = lacks[hub] if hub >= 0 else 1
        if wanted == 0:
            continue
        unmet = net.hub_unmet_cost[hub] if hub >= 0 else net.unmet_cost[q]
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
