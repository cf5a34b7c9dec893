"""Place what is left over: from each surplus a shortest path to a lack, to a rest or to the sink.

What is done with a position that is reached is written out wherever it is done, here and in `relieve`:
as a function of its own, called or inlined, it made the searches 1.3 to 1.9 times slower, because what
they count then lives in memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    OPEN,
    PARENT,
    PRICE,
    REST,
    SIZE,
    START,
    SURPLUS,
    UNITS,
    UNMET_COST,
    USED,
    Flow,
    Log,
    Network,
    Scratch,
    link,
    unlink,
)

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

UP, DOWN = -2, -3
"""``Scratch.via`` of a node that was reached from a child, from its parent."""

MORE = -1
"""``MORE - c`` on the stack stands for c and its next siblings, whose parent has been looked at."""

SINK, LACK, ROW_RESTS, HUB_RESTS = 1, 2, 3, 4
"""How a path ends."""


@jit
def augment(
    net: Network, flow: Flow, scratch: Scratch, sources: I64, log: Log, stop: NDArray[np.uint8]
) -> int:
    """Send every unit that is left over at the sources on its cheapest way, and keep the prices legal.

    Dijkstra's search on reduced costs from one source at a time (Jonker & Volgenant 1987; Ahuja,
    Magnanti & Orlin 1993, ch. 9); it ends at the first place that takes the unit: a node that lacks
    one, a request that may stay out, the sink. Settled prices rise by what is missing to the end.

    Parameters
    ----------
    sources : int64
        Rows that are `OPEN`, ``n_rows + node`` of nodes with surplus, ``n_rows + n_nodes + hub`` of
        hubs with open units.
    log : Log
        Told which rows change; without room for any row, nothing is told.

    Returns
    -------
    int
        What it costs: used arcs, rests and loads after it less those before.
    """
    arc_row, arc_node, arc_cost = net.arc_row, net.arc_node, net.arc_cost
    first_child, next_sibling = net.first_child, net.next_sibling
    row, held, page, hub_level = net.row, flow.held, flow.page, flow.hub_level
    previous, via, touched, stack = scratch.previous, scratch.via, scratch.touched, scratch.stack
    heap_key, heap_value = scratch.heap_key, scratch.heap_value
    n_rows, n_nodes = len(row), len(net.parent)
    logging = len(log.event) > 0
    now_event = log.state[0]
    n_logged = log.state[1]
    cost = 0
    for source in sources:
        node = source - n_rows
        hub = node - n_nodes
        while True:
            if node < 0:
                if held[source, USED] != OPEN:
                    break
            elif hub < 0:
                if page[node, SURPLUS] <= 0:
                    break
            elif flow.hub_open[hub] <= 0:
                break
            if stop[0]:
                log.state[1] = n_logged
                return cost
            n_touched = 0
            n_heap = 0
            n_stack = 0
            best = FAR
            end = 0
            end_at = -1
            end_row = -1
            now = 0
            if node < 0:
                low = row[source, UNMET_COST]
                for i in range(row[source, START], row[source, START] + row[source, SIZE]):
                    if arc_cost[i] >= low:
                        break
                    low = min(low, arc_cost[i] + page[arc_node[i], PRICE])
                held[source, LEVEL] = low
                cost += low
                best = row[source, UNMET_COST] - low
                end = ROW_RESTS
                for i in range(row[source, START], row[source, START] + row[source, SIZE]):
                    d = arc_cost[i] - low
                    if d >= best:
                        break
                    y = arc_node[i]
                    d += page[y, PRICE]
                    if d < best and d < page[y, DISTANCE]:
                        if page[y, DISTANCE] == FAR:
                            touched[n_touched] = y
                            n_touched += 1
                        page[y, DISTANCE] = d
                        previous[y] = -1
                        via[y] = i
                        if d == 0:
                            stack[n_stack] = y
                            n_stack += 1
                        else:
                            n_heap = push(heap_key, heap_value, n_heap, d, y)
            else:
                cost += page[node, PRICE] if hub < 0 else hub_level[hub]
                page[node, DISTANCE] = 0
                previous[node] = -1
                via[node] = -1
                touched[0] = node
                n_touched = 1
                stack[0] = node
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
                    d = now + net.hub_unmet_cost[h] - hub_level[h]
                    if d < best:
                        best = d
                        end = HUB_RESTS
                        end_at = x
                        end_row = -1
                    if net.hub_size[h] == 0:
                        continue
                    q = net.hub_start[h]
                    r = q + net.hub_size[h] - 1
                    for i in range(row[q, START], row[r, START] + row[r, SIZE]):
                        d = now + arc_cost[i] - hub_level[h]
                        if d >= best or held[arc_row[i], USED] >= 0:
                            continue
                        y = arc_node[i]
                        d += page[y, PRICE]
                        if d < best and d < page[y, DISTANCE]:
                            if page[y, DISTANCE] == FAR:
                                touched[n_touched] = y
                                n_touched += 1
                            page[y, DISTANCE] = d
                            previous[y] = x
                            via[y] = i
                            if d == now:
                                stack[n_stack] = y
                                n_stack += 1
                            else:
                                n_heap = push(heap_key, heap_value, n_heap, d, y)
                    continue
                p = page[x, PRICE]
                if c < 0:
                    if page[x, SURPLUS] < 0:
                        best = now
                        end = LACK
                        end_at = x
                        break
                    up = page[x, PARENT]
                    if page[x, UNITS] < page[x, CAPACITY]:
                        d = now + page[x, LOAD_COST] * page[x, UNITS] - p
                        if up < 0:
                            if d < best:
                                best = d
                                end = SINK
                                end_at = x
                        else:
                            d += page[up, PRICE]
                            if d < best and d < page[up, DISTANCE]:
                                if page[up, DISTANCE] == FAR:
                                    touched[n_touched] = up
                                    n_touched += 1
                                page[up, DISTANCE] = d
                                previous[up] = x
                                via[up] = UP
                                if d == now:
                                    stack[n_stack] = up
                                    n_stack += 1
                                else:
                                    n_heap = push(heap_key, heap_value, n_heap, d, up)
                        if best <= now:
                            break
                    q = page[x, FIRST_USED]
                    while q >= 0:
                        v = held[q, LEVEL]
                        if row[q, HUB] < 0:
                            d = now + row[q, UNMET_COST] - v
                            if d < best:
                                best = d
                                end = ROW_RESTS
                                end_at = x
                                end_row = q
                        else:
                            y = n_nodes + row[q, HUB]
                            d = now + hub_level[row[q, HUB]] - v
                            if d < best and d < page[y, DISTANCE]:
                                if page[y, DISTANCE] == FAR:
                                    touched[n_touched] = y
                                    n_touched += 1
                                page[y, DISTANCE] = d
                                previous[y] = x
                                via[y] = held[q, USED]
                                if d == now:
                                    stack[n_stack] = y
                                    n_stack += 1
                                else:
                                    n_heap = push(heap_key, heap_value, n_heap, d, y)
                        for i in range(row[q, START], row[q, START] + row[q, SIZE]):
                            d = now + arc_cost[i] - v
                            if d >= best:
                                break
                            y = arc_node[i]
                            d += page[y, PRICE]
                            if d < best and d < page[y, DISTANCE]:
                                if page[y, DISTANCE] == FAR:
                                    touched[n_touched] = y
                                    n_touched += 1
                                page[y, DISTANCE] = d
                                previous[y] = x
                                via[y] = i
                                # a free place without anything below leads nowhere but up: look there at once
                                if (
                                    page[y, UNITS] < page[y, CAPACITY]
                                    and page[y, FIRST_USED] < 0
                                    and first_child[y] < 0
                                ):
                                    up = page[y, PARENT]
                                    if up >= 0 and page[y, SURPLUS] == 0:
                                        d += (
                                            page[y, LOAD_COST] * page[y, UNITS]
                                            - page[y, PRICE]
                                            + page[up, PRICE]
                                        )
                                        if d >= best or d >= page[up, DISTANCE]:
                                            continue
                                        if page[up, DISTANCE] == FAR:
                                            touched[n_touched] = up
                                            n_touched += 1
                                        page[up, DISTANCE] = d
                                        previous[up] = y
                                        via[up] = UP
                                        y = up
                                if d == now:
                                    stack[n_stack] = y
                                    n_stack += 1
                                else:
                                    n_heap = push(heap_key, heap_value, n_heap, d, y)
                        q = row[q, NEXT]
                    c = first_child[x]
                while c >= 0:
                    if page[c, UNITS] > 0:
                        d = now + page[c, PRICE] - p - page[c, LOAD_COST] * (page[c, UNITS] - 1)
                        if d < best and d < page[c, DISTANCE]:
                            if page[c, DISTANCE] == FAR:
                                touched[n_touched] = c
                                n_touched += 1
                            page[c, DISTANCE] = d
                            previous[c] = x
                            via[c] = DOWN
                            if d == now:
                                # down there first: the other children may not be needed
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
                    rise = best - page[x, DISTANCE]
                    if x >= n_nodes:
                        hub_level[x - n_nodes] += rise
                    else:
                        page[x, PRICE] += rise
                        q = page[x, FIRST_USED]
                        while q >= 0:
                            held[q, LEVEL] += rise
                            q = row[q, NEXT]
            cost += best
            if end == SINK:
                page[end_at, UNITS] += 1
            elif end == LACK:
                page[end_at, SURPLUS] += 1
                cost -= page[end_at, PRICE]
            elif end == HUB_RESTS:
                flow.hub_rest[end_at - n_nodes] += 1
            elif end_row >= 0:
                q = end_row
                gone = held[q, USED]
                unlink(row, page, q, end_at)
                held[q, USED] = REST
                held[q, LEVEL] = row[q, UNMET_COST]
                if logging and log.event[q] != now_event:
                    log.event[q] = now_event
                    log.before[q] = gone
                    log.rows[n_logged] = q
                    n_logged += 1
            else:
                held[source, USED] = REST
                held[source, LEVEL] = row[source, UNMET_COST]
            x = end_at
            while x >= 0:
                before = previous[x]
                a = via[x]
                if a == UP:
                    page[before, UNITS] += 1
                elif a == DOWN:
                    page[x, UNITS] -= 1
                elif a >= 0:
                    q = arc_row[a]
                    gone = held[q, USED]
                    if gone >= 0:
                        unlink(row, page, q, before)
                    if logging and log.event[q] != now_event:
                        log.event[q] = now_event
                        log.before[q] = gone
                        log.rows[n_logged] = q
                        n_logged += 1
                    if x >= n_nodes:
                        held[q, USED] = REST
                    else:
                        held[q, USED] = a
                        held[q, LEVEL] = arc_cost[a] + page[x, PRICE]
                        link(row, page, q, x)
                x = before
            if node >= 0:
                if hub < 0:
                    page[node, SURPLUS] -= 1
                else:
                    flow.hub_open[hub] -= 1
            for t in range(n_touched):
                x = touched[t]
                page[x, DISTANCE] = FAR
    log.state[1] = n_logged
    return cost
