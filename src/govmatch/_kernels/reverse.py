"""The auction from the other side: places that nobody holds at their price ask for less."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.auction import LARGEST_STEP, POLL
from govmatch._kernels.jit import jit
from govmatch._kernels.market import (
    CAPACITY,
    FAR,
    FIRST_USED,
    HUB,
    LEVEL,
    LOAD_COST,
    NEXT,
    PARENT,
    PRICE,
    REST,
    SURPLUS,
    UNITS,
    USED,
    Flow,
    Network,
    link,
    unlink,
)

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


LOOKS = 64
"""Looks at places and their arcs, in arcs of the network, after which it ends."""


@jit
def dearest_row(net: Network, held: I64, hub: int) -> int:
    """Return the used row of a hub that has the highest level; -1: none."""
    dearest = -1
    for q in range(net.hub_start[hub], net.hub_start[hub] + net.hub_size[hub]):
        if held[q, USED] >= 0 and (dearest < 0 or held[q, LEVEL] > held[dearest, LEVEL]):
            dearest = q
    return dearest


@jit
def reverse_auction(
    net: Network, flow: Flow, ring: I32, waiting: int, eps: int, patience: int, stop: NDArray[np.uint8]
) -> None:
    """Let every node that lacks a unit ask for less until somebody comes or its price is gone.

    The mirror image of `auction` (Bertsekas & Castañon 1992, A forward/reverse auction algorithm for
    asymmetric assignment problems): a node takes the request that would pay most, at the price that the
    second one would pay, less `eps`; whoever loses the request asks next. The free places below a node
    are looked at together, and go down with it. After every `patience` asks `eps` doubles. Where that does
    not end, because very many places stand below one node, the rest is left to `relieve`.

    Parameters
    ----------
    ring : int32 (n_nodes + 1,)
        A ring whose first `waiting` entries are the nodes with negative surplus.
    """
    n_nodes = len(net.parent)
    arc_row, arc_node, arc_cost = net.arc_row, net.arc_node, net.arc_cost
    entry_start, entry_size, entry_arc = net.entry_start, net.entry_size, net.entry_arc
    entry_row, entry_cost = net.entry_row, net.entry_cost
    hubs = len(net.hub_start) > 0
    first_child, next_sibling = net.first_child, net.next_sibling
    row, held, page = net.row, flow.held, flow.page
    queued = np.zeros(n_nodes, np.bool_)
    inside = np.empty(n_nodes, np.int32)
    offset = np.empty(n_nodes, np.int64)
    top = net.hub_unmet_cost.copy()  # no used row of a hub has a higher level
    for i in range(waiting):
        queued[ring[i]] = True
    head = 0
    length = len(ring)
    tail = waiting % length
    asks = 0
    limit = patience
    looks = LOOKS * len(arc_row)
    while waiting > 0:
        x = ring[head]
        head += 1
        if head == length:
            head = 0
        waiting -= 1
        queued[x] = False
        while page[x, SURPLUS] < 0:
            asks += 1
            if looks < 0 or (asks % POLL == 0 and stop[0]):
                return
            if asks == limit:
                eps = min(2 * eps, LARGEST_STEP)
                limit += patience
            up = page[x, PARENT]
            floor = page[x, LOAD_COST] * (page[x, UNITS] - 1) + (page[up, PRICE] if up >= 0 else 0)
            best = floor
            second = floor
            choice = -1
            n = 0
            if page[x, PRICE] > floor:
                inside[0] = x
                offset[0] = 0
                n = 1
                i = 0
                while i < n:
                    k = inside[i]
                    off = offset[i]
                    looks -= 1 + entry_size[k]
                    for j in range(entry_start[k], entry_start[k] + entry_size[k]):
                        q = entry_row[j]
                        if hubs and held[q, USED] < 0 and row[q, HUB] >= 0:
                            h = row[q, HUB]
                            g = top[h] - entry_cost[j] - off
                            if flow.hub_rest[h] > 0:
                                g = net.hub_unmet_cost[h] - entry_cost[j] - off
                            elif g > second:
                                # it would rather let its dearest unit go
                                q = dearest_row(net, held, h)
                                top[h] = held[q, LEVEL] if q >= 0 else -FAR
                                g = top[h] - entry_cost[j] - off
                        else:
                            g = held[q, LEVEL] - entry_cost[j] - off
                        if g > second and held[entry_row[j], USED] != entry_arc[j]:
                            if g > best:
                                second = best
                                best = g
                                choice = entry_arc[j]
                            else:
                                second = g
                    c = first_child[k]
                    while c >= 0:
                        if page[c, UNITS] < page[c, CAPACITY]:
                            inside[n] = c
                            offset[n] = off + page[c, LOAD_COST] * page[c, UNITS]
                            n += 1
                        c = next_sibling[c]
                    i += 1
            if choice < 0:
                drop = page[x, PRICE] - floor
            else:
                drop = max(0, page[x, PRICE] - max(floor, second - eps))
            if drop > 0:
                for i in range(n):
                    k = inside[i]
                    page[k, PRICE] -= drop
                    q = page[k, FIRST_USED]
                    while q >= 0:
                        held[q, LEVEL] -= drop
                        q = row[q, NEXT]
            if choice < 0:
                page[x, UNITS] -= 1
                page[x, SURPLUS] += 1
                if up < 0:
                    continue
                page[up, SURPLUS] -= 1
                # the parent goes on at once: its free places are looked at together
                if page[x, SURPLUS] < 0 and not queued[x]:
                    queued[x] = True
                    ring[tail] = x
                    tail += 1
                    if tail == length:
                        tail = 0
                    waiting += 1
                x = up
                continue
            q = arc_row[choice]
            leaver = q
            if held[q, USED] < 0 and row[q, HUB] >= 0:
                h = row[q, HUB]
                if flow.hub_rest[h] > 0:
                    flow.hub_rest[h] -= 1
                    top[h] = net.hub_unmet_cost[h]
                else:
                    leaver = dearest_row(net, held, h)
            gone = held[leaver, USED]
            if gone >= 0:
                k = arc_node[gone]
                unlink(row, page, leaver, k)
                held[leaver, USED] = REST
                page[k, SURPLUS] -= 1
                if page[k, SURPLUS] < 0 and not queued[k] and k != x:
                    queued[k] = True
                    ring[tail] = k
                    tail += 1
                    if tail == length:
                        tail = 0
                    waiting += 1
            held[q, USED] = choice
            k = arc_node[choice]
            held[q, LEVEL] = arc_cost[choice] + page[k, PRICE]
            link(row, page, q, k)
            while k != x:
                page[k, UNITS] += 1
                k = page[k, PARENT]
            page[x, SURPLUS] += 1
