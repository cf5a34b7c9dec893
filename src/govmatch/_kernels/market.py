"""The arrays that the flow kernels share: the network, the flow with its prices, and scratch.

A request of one unit is a *row*: all its arcs, of which one may be used. A request of several units
is a *hub* over rows, one row a group (a person counts once), so that a row always carries one unit
at most. Arcs of a row lie together, cheapest first. Nodes are those of the capacity forest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

FAR = 1 << 62
"""No distance, no cost."""

PRICE, DISTANCE, UNITS, CAPACITY, LOAD_COST, SURPLUS, PARENT, FIRST_USED = range(8)
"""Columns of ``Flow.page``: all that a search asks of a node, in one cache line."""

START, SIZE, HUB, UNMET_COST, NEXT, PREVIOUS, BID, AT = range(8)
"""Columns of ``Network.row``, one cache line, too: the first arc and how many, the hub (-1: a request of
its own) and what leaving that costs; the row's neighbours in the chain of those whose used arc enters the
same node (-1: none); what the auction knows of its bid."""

USED, LEVEL = range(2)
"""Columns of ``Flow.held``, apart because whoever looks at all the rows of a node asks for nothing else."""

REST, OPEN = -1, -2
"""The used arc of a row without one: it stays out, or its unit is still to be placed."""


class Network(NamedTuple):
    """What does not change while a flow is found, but for the last columns of `row`, which go with it."""

    row: I64  # (n_rows, 8) the columns above
    arc_row: I32  # (n_arcs,)
    arc_node: I32  # (n_arcs,)
    arc_cost: I64  # (n_arcs,)
    entry_start: I64  # (n_nodes,) arcs that enter a node: `entry_arc[start : start + size]`
    entry_size: I32  # (n_nodes,)
    entry_arc: I32  # (n_entries,)
    entry_row: I32  # (n_entries,)
    entry_cost: I64  # (n_entries,)
    parent: I64  # (n_nodes,) -1 at a root; as `capacity` and `load_cost` a column of ``Flow.page``
    capacity: I64  # (n_nodes,)
    load_cost: I64  # (n_nodes,)
    first_child: I32  # (n_nodes,) -1: none
    next_sibling: I32  # (n_nodes,) -1: none
    hub_start: I64  # (n_hubs,) first row
    hub_size: I32  # (n_hubs,) rows
    hub_unmet_cost: I64  # (n_hubs,)


class Flow(NamedTuple):
    """A flow that may still lack or exceed units at some places, and prices under which it is cheapest.

    With ``price`` of a node the sum of its own price and those above it, and ``level`` the dual of a
    row, every arc that could carry more has reduced cost ``cost + price - level >= 0`` and every used
    one 0; the unit that a node sends up next costs at least its own price, the last one at most.
    """

    held: I64  # (n_rows, 2) the used arc, `REST` or `OPEN`; the level
    page: I64  # (n_nodes + n_hubs, 8) the columns above
    first_used: I64  # (n_nodes,) chain of the rows whose used arc enters a node; -1: none
    units: I64  # (n_nodes,) sent up from a node
    price: I64  # (n_nodes,)
    surplus: I64  # (n_nodes,) units that come in less those sent up
    hub_level: I64  # (n_hubs,)
    hub_rest: I64  # (n_hubs,) units that stay unmet
    hub_open: I64  # (n_hubs,) units still to be placed


class Log(NamedTuple):
    """Which rows have changed since an event began; empty arrays where nobody asks."""

    event: I64  # (n_rows,) number of the last event that changed the row
    before: I64  # (n_rows,) the used arc before that event
    rows: I64  # (n_rows,) the rows of the event at hand
    state: I64  # (2,) number of the event at hand, rows so far


class Scratch(NamedTuple):
    """Work space of a search. Positions: the nodes, then the hubs.

    The distances are a column of ``Flow.page``, `FAR` between searches; of hubs nothing else stands there.
    """

    previous: I32  # (n_nodes + n_hubs,)
    via: I32  # (n_nodes + n_hubs,) arc, or a code of the search
    touched: I32  # (n_nodes + n_hubs,)
    stack: I32  # (queue,) positions at the distance at hand
    heap_key: I64  # (queue,) the others, by distance
    heap_value: I32  # (queue,)


def blank_rows(n_rows: int) -> I64:
    """Make ``Network.row`` of requests without arcs."""
    row = np.zeros((n_rows, 8), np.int64)
    row[:, HUB] = row[:, NEXT] = row[:, PREVIOUS] = -1
    return row


@jit
def link(row: I64, page: I64, q: int, node: int) -> None:
    """Put a row whose used arc enters a node first in the node's chain."""
    following = page[node, FIRST_USED]
    row[q, NEXT] = following
    row[q, PREVIOUS] = -1
    if following >= 0:
        row[following, PREVIOUS] = q
    page[node, FIRST_USED] = q


@jit
def unlink(row: I64, page: I64, q: int, node: int) -> None:
    """Take a row out of the chain of the node that its used arc enters."""
    following, before = row[q, NEXT], row[q, PREVIOUS]
    if before >= 0:
        row[before, NEXT] = following
    else:
        page[node, FIRST_USED] = following
    if following >= 0:
        row[following, PREVIOUS] = before


def blank_page(n_nodes: int, n_hubs: int) -> I64:
    """Make ``Flow.page`` of roots without capacity and hubs."""
    page = np.zeros((n_nodes + n_hubs, 8), np.int64)
    page[:, DISTANCE] = FAR
    page[:, PARENT] = -1
    page[:, FIRST_USED] = -1
    return page


def blank_flow(net: Network, page: I64, hub_demand: I64) -> Flow:
    """No unit is placed, no price is above 0; `page` is that of which the network has columns."""
    n_nodes, n_hubs = len(net.parent), len(hub_demand)
    return Flow(
        held=np.zeros((len(net.row), 2), np.int64),
        page=page,
        first_used=page[:n_nodes, FIRST_USED],
        units=page[:n_nodes, UNITS],
        price=page[:n_nodes, PRICE],
        surplus=page[:n_nodes, SURPLUS],
        hub_level=np.zeros(n_hubs, np.int64),
        hub_rest=np.zeros(n_hubs, np.int64),
        hub_open=hub_demand.copy(),
    )


def blank_scratch(net: Network) -> Scratch:
    """Work space for the searches of a network.

    Each arc and each edge may enter a queue once, and so may what is left of a node's children.
    """
    positions = len(net.parent) + len(net.hub_start)
    queue = positions + len(net.arc_row) + len(net.row) + 3 * len(net.parent)
    return Scratch(
        previous=np.empty(positions, np.int32),
        via=np.empty(positions, np.int32),
        touched=np.empty(positions, np.int32),
        stack=np.empty(queue, np.int32),
        heap_key=np.empty(queue, np.int64),
        heap_value=np.empty(queue, np.int32),
    )


def blank_log(n_rows: int) -> Log:
    """No event yet."""
    return Log(
        np.full(n_rows, -1), np.empty(n_rows, np.int64), np.empty(n_rows, np.int64), np.zeros(2, np.int64)
    )
