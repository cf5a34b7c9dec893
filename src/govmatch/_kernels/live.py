"""Rows that come and go: arcs entered at their nodes and taken out, units taken off, searches run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.augment import augment
from govmatch._kernels.jit import jit
from govmatch._kernels.market import OPEN, REST, SIZE, START, USED, Flow, Log, Network, Scratch, unlink
from govmatch._kernels.relieve import relieve

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

SMALLEST = 4
"""Places of the smallest segment of entries."""


class Entries(NamedTuple):
    """Where the entries of nodes stand: segments of 4, 8, 16, … places, used again when they are left."""

    place: I32  # (n_arcs,) of an arc, in its node's segment
    room: I32  # (n_nodes,) places of a node's segment, 0: none
    free: I64  # (60,) first free segment of each size, -1: none; the next one stands in ``entry_cost``
    top: I64  # (1,) where no segment was yet


@jit
def enter(net: Network, entries: Entries, first: int, last: int) -> int:
    """Enter the arcs ``first … last - 1`` at their nodes; return the first one for which room ran out."""
    start, size = net.entry_start, net.entry_size
    entry_arc, entry_row, entry_cost = net.entry_arc, net.entry_row, net.entry_cost
    room, place, free, top = entries.room, entries.place, entries.free, entries.top
    for a in range(first, last):
        k = net.arc_node[a]
        if size[k] == room[k]:
            grade = 0
            while SMALLEST << grade <= room[k]:
                grade += 1
            wanted = SMALLEST << grade
            to = free[grade]
            if to >= 0:
                free[grade] = entry_cost[to]
            else:
                to = top[0]
                if to + wanted > len(entry_arc):
                    return a
                top[0] += wanted
            for i in range(size[k]):
                entry_arc[to + i] = entry_arc[start[k] + i]
                entry_row[to + i] = entry_row[start[k] + i]
                entry_cost[to + i] = entry_cost[start[k] + i]
            if room[k] > 0:
                entry_cost[start[k]] = free[grade - 1]
                free[grade - 1] = start[k]
            start[k] = to
            room[k] = wanted
        i = start[k] + size[k]
        entry_arc[i] = a
        entry_row[i] = net.arc_row[a]
        entry_cost[i] = net.arc_cost[a]
        place[a] = size[k]
        size[k] += 1
    return last


@jit
def leave(net: Network, entries: Entries, first: int, last: int) -> None:
    """Take the arcs ``first … last - 1`` out of their nodes' entries."""
    for a in range(first, last):
        k = net.arc_node[a]
        net.entry_size[k] -= 1
        i = net.entry_start[k] + entries.place[a]
        j = net.entry_start[k] + net.entry_size[k]
        b = net.entry_arc[j]
        net.entry_arc[i] = b
        net.entry_row[i] = net.entry_row[j]
        net.entry_cost[i] = net.entry_cost[j]
        entries.place[b] = entries.place[a]
        if net.entry_size[k] == 0:
            grade = 0
            while SMALLEST << grade < entries.room[k]:
                grade += 1
            net.entry_cost[net.entry_start[k]] = entries.free[grade]
            entries.free[grade] = net.entry_start[k]
            entries.room[k] = 0


@jit
def take_off(net: Network, flow: Flow, first: int, last: int, lacking: I64) -> tuple[int, int]:
    """Take the units of the rows ``first … last - 1`` off their nodes, which then lack them.

    Returns
    -------
    int, int
        Nodes written to `lacking`; what the used arcs cost.
    """
    n = 0
    cost = 0
    for q in range(first, last):
        a = flow.held[q, USED]
        flow.held[q, USED] = REST
        if a < 0:
            continue
        k = net.arc_node[a]
        unlink(net.row, flow.page, q, k)
        flow.surplus[k] -= 1
        cost += net.arc_cost[a]
        lacking[n] = k
        n += 1
    return n, cost


@jit
def open_hub(net: Network, flow: Flow, hub: int, demand: int) -> None:
    """Open all units of a hub, at the highest level that its arcs allow."""
    level = net.hub_unmet_cost[hub]
    for q in range(net.hub_start[hub], net.hub_start[hub] + net.hub_size[hub]):
        for a in range(net.row[q, START], net.row[q, START] + net.row[q, SIZE]):
            level = min(level, net.arc_cost[a] + flow.price[net.arc_node[a]])
    flow.hub_level[hub] = level
    flow.hub_rest[hub] = 0
    flow.hub_open[hub] = demand


@jit
def restore_optimum(
    net: Network,
    flow: Flow,
    scratch: Scratch,
    sources: I64,
    lacking: I64,
    log: Log,
    stop: NDArray[np.uint8],
) -> int:
    """Place what is left over, fill what is lacking; return what it costs."""
    for source in sources:
        if source < len(net.row) and flow.held[source, USED] == REST:
            flow.held[source, USED] = OPEN
    cost = augment(net, flow, scratch, sources, log, stop)
    return cost + relieve(net, flow, scratch, lacking, log, stop)
