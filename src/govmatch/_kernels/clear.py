"""Prices at which a large tree's root is neither short of units nor has too many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit
from govmatch._kernels.market import (
    CAPACITY,
    FAR,
    FIRST_USED,
    LEVEL,
    LOAD_COST,
    NEXT,
    PARENT,
    PRICE,
    SIZE,
    START,
    SURPLUS,
    UNITS,
    UNMET_COST,
    USED,
    Flow,
    Network,
)

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


@jit
def gains(net: Network, top: I32, price: I64) -> tuple[I32, I64]:
    """List, for rows and large trees that they could enter, up to which price of the root they would.

    There are no hubs.

    Parameters
    ----------
    top : int32 (n_nodes,)
        The root of each node in a large tree; -1 elsewhere.

    Returns
    -------
    root : int32 (n,)
    gain : int64 (n,)
        What the row saves by entering the tree, were its root free of charge.
    """
    row, arc_node, arc_cost = net.row, net.arc_node, net.arc_cost
    n_arcs = len(arc_node)
    root = np.empty(n_arcs, np.int32)
    gain = np.empty(n_arcs, np.int64)
    best = np.full(len(price), FAR, np.int64)  # of the row at hand, by root
    n = 0
    for q in range(len(row)):
        first, last = row[q, START], row[q, START] + row[q, SIZE]
        least, second, at = row[q, UNMET_COST], FAR, -1
        begun = n
        for i in range(first, last):
            k = arc_node[i]
            t = top[k]
            cost = arc_cost[i] + price[k]
            if t >= 0:
                if best[t] == FAR:
                    root[n] = t
                    n += 1
                best[t] = min(best[t], cost)
            if cost < least:
                if t < 0 or t != at:
                    second = least
                least, at = cost, t
            elif cost < second and (t < 0 or t != at):
                second = cost
        for j in range(begun, n):
            t = root[j]
            other = second if t == at else least
            gain[j] = other - best[t] + price[t]
            best[t] = FAR
    return root[:n], gain[:n]


def clear_roots(net: Network, price: I64, top: I32) -> None:
    """Shift the prices of each large tree so that as many rows want to enter as its root lets through.

    All other prices taken as they are, that is the root's price at the optimum: below it more would come than
    fit, above it fewer. An auction ends near it, and each unit off costs a search among all places below.

    Parameters
    ----------
    price : int64 (n_nodes,)
        Own prices and those above, summed; changed in place.
    top : int32 (n_nodes,)
        The root of each node in a large tree; -1 elsewhere.
    """
    root, gain = gains(net, top, price)
    order = np.lexsort((-gain, root))
    root, gain = root[order], gain[order]
    shift = np.zeros(len(price), np.int64)
    trees = np.unique(top[top >= 0])
    begin, end = np.searchsorted(root, trees), np.searchsorted(root, trees, side="right")
    for x, first, last in zip(trees, begin, end, strict=True):
        capacity = net.capacity[x]
        if net.load_cost[x] == 0 and capacity > 0:
            own = max(0, int(gain[first + capacity - 1])) if capacity <= last - first else 0
            shift[x] = own - price[x]
    inside = top >= 0
    price[inside] += shift[top[inside]]


@jit
def pass_lacks_up(net: Network, flow: Flow, top: I32) -> None:
    """Let nodes of large trees that lack units ask for less, and their parents lack instead.

    A lack below a full root would be filled from anywhere below it, which is far to look; as a lack of the
    root it is filled by the next request that comes.
    """
    row, held, page = net.row, flow.held, flow.page
    inside = np.empty(len(top), np.int32)
    for x in range(len(top) - 1, -1, -1):  # children before parents
        up = page[x, PARENT]
        if top[x] < 0 or up < 0 or page[x, SURPLUS] >= 0 or page[x, LOAD_COST] > 0:
            continue
        own = page[x, PRICE] - page[up, PRICE]
        fall = own
        # what has room below it goes down with it
        inside[0] = x
        n = 1
        i = 0
        while i < n and fall > 0:
            k = inside[i]
            i += 1
            for j in range(net.entry_start[k], net.entry_start[k] + net.entry_size[k]):
                q = net.entry_row[j]
                if held[q, USED] != net.entry_arc[j]:
                    fall = min(fall, net.entry_cost[j] + page[k, PRICE] - held[q, LEVEL])
            c = net.first_child[k]
            while c >= 0:
                if page[c, LOAD_COST] > 0:
                    fall = 0
                if page[c, UNITS] < page[c, CAPACITY]:
                    inside[n] = c
                    n += 1
                c = net.next_sibling[c]
        if fall > 0:
            for i in range(n):
                k = inside[i]
                page[k, PRICE] -= fall
                q = page[k, FIRST_USED]
                while q >= 0:
                    held[q, LEVEL] -= fall
                    q = row[q, NEXT]
        if fall == own:
            lack = page[x, SURPLUS]
            page[x, SURPLUS] = 0
            page[x, UNITS] += lack
            page[up, SURPLUS] += lack
