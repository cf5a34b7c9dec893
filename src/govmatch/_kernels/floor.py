"""First prices: what those who must be left out would pay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit
from govmatch._kernels.market import HUB, SIZE, START, UNMET_COST, Network

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
    n_rows, n_nodes = len(net.row), len(net.parent)
    row, arc_node, arc_cost = net.row, net.arc_node, net.arc_cost
    parent, capacity, load_cost = net.parent, net.capacity, net.load_cost
    lacks = hub_demand.copy()
    for q in range(n_rows):
        if row[q, HUB] >= 0:
            lacks[row[q, HUB]] -= used[q] >= 0
    pressure = np.zeros(n_nodes, np.float64)
    for q in range(n_rows):
        if used[q] >= 0:
            continue
        hub = row[q, HUB]
        wanted = lacks[hub] if hub >= 0 else 1
        if wanted == 0:
            continue
        unmet = net.hub_unmet_cost[hub] if hub >= 0 else row[q, UNMET_COST]
        for i in range(row[q, START], row[q, START] + row[q, SIZE]):
            pays = unmet - arc_cost[i]
            if pays <= 0:
                break
            k = arc_node[i]
            while k >= 0 and load[k] < capacity[k]:
                pays -= load_cost[k] * load[k]
                k = parent[k]
            if k >= 0:
                pressure[k] += wanted / row[q, SIZE]
                price[k] = max(price[k], pays)
    # one row's bad luck is no shortage: look at the neighbourhood, from nodes to rows and back
    around = np.zeros(n_nodes, np.float64)
    entering = np.zeros(n_nodes, np.int64)
    for q in range(n_rows):
        if row[q, SIZE] == 0:
            continue
        mean = 0.0
        for i in range(row[q, START], row[q, START] + row[q, SIZE]):
            k = arc_node[i]
            while load[k] < capacity[k] and parent[k] >= 0:
                k = parent[k]
            mean += pressure[k] / max(1, capacity[k])
        mean /= row[q, SIZE]
        for i in range(row[q, START], row[q, START] + row[q, SIZE]):
            k = arc_node[i]
            while load[k] < capacity[k] and parent[k] >= 0:
                k = parent[k]
            around[k] += mean
            entering[k] += 1
    for k in range(n_nodes):
        if around[k] < PRESSURE * entering[k]:
            price[k] = 0
