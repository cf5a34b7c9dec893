"""Fill what lacks a unit: from each lack a shortest path back to one that can be had, or a lower price."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.augment import MORE
from govmatch._kernels.heap import drop_first, push
from govmatch._kernels.jit import jit
from govmatch._kernels.market import (
    CAPACITY,
    DISTANCE,
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
    Log,
    Network,
    Scratch,
    link,
    unlink,
)

I64 = NDArray[np.int64]

TO_CHILD, TO_PARENT, TO_HUB = -2, -3, -4
"""``Scratch.via`` of a position: its unit goes on to a child (which sends up one less), to its parent,
or back to its hub (then ``-4 - row``)."""

SINK, ROW_COMES, HUB_COMES = 1, 2, 3
"""How a path begins."""


@jit
def relieve(
    net: Network, flow: Flow, scratch: Scratch, lacking: I64, log: Log, stop: NDArray[np.uint8]
) -> int:
    """Fill every lack of the nodes, and keep the prices legal.

    The mirror image of `augment`: Dijkstra's search against the arcs, until a request that stays out
    is drawn in, or a node above can do with less because its price has fallen far enough.

    Parameters
    ----------
    lacking : int64
        Nodes whose surplus is negative. There may be no surplus above 0 and no open unit.
    log : Log
        As in `augment`.

    Returns
    -------
    int
        What it costs, as in `augment`.
    """
    arc_row, arc_node, arc_cost = net.arc_row, net.arc_node, net.arc_cost
    entry_start, entry_size, entry_arc = net.entry_start, net.entry_size, net.entry_arc
    entry_row, entry_cost = net.entry_row, net.entry_cost
    hubs = len(net.hub_start) > 0
    first_child, next_sibling = net.first_child, net.next_sibling
    row, held, page, hub_level = net.row, flow.held, flow.page, flow.hub_level
    following, via, touched, stack = scratch.previous, scratch.via, scratch.touched, scratch.stack
    heap_key, heap_value = scratch.heap_key, scratch.heap_value
    n_nodes = len(net.parent)
    logging = len(log.event) > 0
    now_event = log.state[0]
    n_logged = log.state[1]
    cost = 0
    for source in lacking:
        while page[source, SURPLUS] < 0:
            if stop[0]:
                log.state[1] = n_logged
                return cost
            cost -= page[source, PRICE]
            best = FAR
            begin = 0
            begin_at = -1
            begin_arc = -1
            now = 0
            n_heap = 0
            page[source, DISTANCE] = 0
            following[source] = -1
            via[source] = -1
            touched[0] = source
            n_touched = 1
            stack[0] = source
            n_stack = 1
            while True:
                if n_stack > 0:
                    n_stack -= 1
                    x = stack[n_stack]
                elif n_heap > 0:
                    now = heap_key[0]
                    x = heap_value[0]
                    n_heap = drop_first(heap_key, heap_value, n_heap)
                else:
                    break
                if now >= best:
                    break
                c = MORE - x if x < 0 else -1
                if c >= 0:
                    x = page[c, PARENT]
                elif page[x, DISTANCE] != now:
                    continue
                if x >= n_nodes:
                    h = x - n_nodes
                    if flow.hub_rest[h] > 0:
                        best = now
                        begin = HUB_COMES
                        begin_at = x
                        break
                    for q in range(net.hub_start[h], net.hub_start[h] + net.hub_size[h]):
                        if held[q, USED] < 0:
                            continue
                        d = now + hub_level[h] - held[q, LEVEL]
                        y = arc_node[held[q, USED]]
                        if d < best and d < page[y, DISTANCE]:
                            if page[y, DISTANCE] == FAR:
                                touched[n_touched] = y
                                n_touched += 1
                            page[y, DISTANCE] = d
                            following[y] = x
                            via[y] = TO_HUB - q
                            if d == now:
                                stack[n_stack] = y
                                n_stack += 1
                            else:
                                n_heap = push(heap_key, heap_value, n_heap, d, y)
                    continue
                p = page[x, PRICE]
                if c < 0:
                    up = page[x, PARENT]
                    if page[x, UNITS] > 0:
                        d = now + p - page[x, LOAD_COST] * (page[x, UNITS] - 1)
                        if up < 0:
                            if d < best:
                                best = d
                                begin = SINK
                                begin_at = x
                        else:
                            d -= page[up, PRICE]
                            if d < best and d < page[up, DISTANCE]:
                                if page[up, DISTANCE] == FAR:
                                    touched[n_touched] = up
                                    n_touched += 1
                                page[up, DISTANCE] = d
                                following[up] = x
                                via[up] = TO_CHILD
                                if d == now:
                                    stack[n_stack] = up
                                    n_stack += 1
                                else:
                                    n_heap = push(heap_key, heap_value, n_heap, d, up)
                        if best <= now:
                            break
                    base = now + p
                    for i in range(entry_start[x], entry_start[x] + entry_size[x]):
                        q = entry_row[i]
                        a = entry_arc[i]
                        b = held[q, USED]
                        if b < 0 and hubs and row[q, HUB] >= 0:
                            hub = row[q, HUB]
                            d = base + entry_cost[i] - hub_level[hub]
                            y = n_nodes + hub
                        else:
                            d = base + entry_cost[i] - held[q, LEVEL]
                            if d >= best or b == a:
                                continue
                            if b < 0:
                                best = d
                                begin = ROW_COMES
                                begin_at = x
                                begin_arc = a
                                continue
                            y = arc_node[b]
                        if d < best and d < page[y, DISTANCE]:
                            if page[y, DISTANCE] == FAR:
                                touched[n_touched] = y
                                n_touched += 1
                            page[y, DISTANCE] = d
                            following[y] = x
                            via[y] = a
                            if d == now:
                                stack[n_stack] = y
                                n_stack += 1
                            else:
                                n_heap = push(heap_key, heap_value, n_heap, d, y)
                    c = first_child[x]
                while c >= 0:
                    if page[c, UNITS] < page[c, CAPACITY]:
                        d = now + page[c, LOAD_COST] * page[c, UNITS] - (page[c, PRICE] - p)
                        if d < best and d < page[c, DISTANCE]:
                            if page[c, DISTANCE] == FAR:
                                touched[n_touched] = c
                                n_touched += 1
                            page[c, DISTANCE] = d
                            following[c] = x
                            via[c] = TO_PARENT
                            if d == now:
                                # there first: the other children may not be needed
                                if next_sibling[c] >= 0:
                                    stack[n_stack] = MORE - next_sibling[c]
                                    n_stack += 1
                                stack[n_stack] = c
                                n_stack += 1
                                break
                            n_heap = push(heap_key, heap_value, n_heap, d, c)
                    c = next_sibling[c]
            for t in range(n_touched):
                x = touched[t]
                if page[x, DISTANCE] < best:
                    fall = best - page[x, DISTANCE]
                    if x >= n_nodes:
                        hub_level[x - n_nodes] -= fall
                    else:
                        page[x, PRICE] -= fall
                        q = page[x, FIRST_USED]
                        while q >= 0:
                            held[q, LEVEL] -= fall
                            q = row[q, NEXT]
            cost += best
            if begin == SINK:
                page[begin_at, UNITS] -= 1
                begin_arc = -1
            elif begin == HUB_COMES:
                begin_arc = -1
                flow.hub_rest[begin_at - n_nodes] -= 1
            x = begin_at
            a = begin_arc
            y = begin_at
            while True:
                # the unit that comes to y by `a` (an arc or a code) from x
                if a >= 0:
                    q = arc_row[a]
                    gone = held[q, USED]
                    if gone >= 0:
                        unlink(row, page, q, x)
                    held[q, USED] = a
                    held[q, LEVEL] = arc_cost[a] + page[y, PRICE]
                    link(row, page, q, y)
                    if logging and log.event[q] != now_event:
                        log.event[q] = now_event
                        log.before[q] = gone
                        log.rows[n_logged] = q
                        n_logged += 1
                elif a == TO_CHILD:
                    page[y, UNITS] -= 1
                elif a == TO_PARENT:
                    page[x, UNITS] += 1
                elif a <= TO_HUB:
                    q = TO_HUB - a
                    gone = held[q, USED]
                    unlink(row, page, q, x)
                    held[q, USED] = REST
                    if logging and log.event[q] != now_event:
                        log.event[q] = now_event
                        log.before[q] = gone
                        log.rows[n_logged] = q
                        n_logged += 1
                x = y
                a = via[x]
                y = following[x]
                if y < 0:
                    break
            page[source, SURPLUS] += 1
            for t in range(n_touched):
                x = touched[t]
                page[x, DISTANCE] = FAR
    log.state[1] = n_logged
    return cost
