"""From bids to a state that the exact searches can finish: legal prices, tight arcs, surpluses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.auction import CAPACITY, LOAD, LOW, Book
from govmatch._kernels.jit import jit
from govmatch._kernels.market import (
    FAR,
    HUB,
    LEVEL,
    OPEN,
    REST,
    SIZE,
    START,
    UNMET_COST,
    USED,
    Flow,
    Network,
    link,
)

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


def clear(flow: Flow, hub_demand: I64) -> None:
    """Forget what is sent where; used arcs, levels and prices stay."""
    flow.first_used[:] = -1
    flow.surplus[:] = 0
    flow.hub_open[:] = hub_demand
    flow.hub_rest[:] = 0


def sources(net: Network, flow: Flow) -> I64:
    """List what `augment` has to place: nodes with surplus, open rows, hubs with open units."""
    n_rows, n_nodes = len(net.row), len(net.parent)
    return np.concatenate(
        [
            n_rows + np.flatnonzero(flow.surplus > 0),
            np.flatnonzero(flow.held[:, USED] == OPEN),
            n_rows + n_nodes + np.flatnonzero(flow.hub_open > 0),
        ]
    )


@jit
def price_nodes(net: Network, book: Book, dear: int, price: I64) -> None:
    """Price each node at the cheaper of its lowest bid and the way up."""
    page = book.page
    for k in range(len(price)):
        up = net.parent[k]
        above = price[up] if up >= 0 else 0
        p = page[k, LOW]
        if page[k, LOAD] < page[k, CAPACITY]:
            p = max(book.floor[k], min(p, above + net.load_cost[k] * page[k, LOAD]))
        price[k] = max(above, min(p, dear))


@jit
def keep_tight(net: Network, flow: Flow) -> None:
    """Set the levels by the prices; keep the used arcs that are tight, open what has no place.

    ``flow.held[:, USED]`` holds the arcs; the chains of used arcs are made.
    """
    arc_node, arc_cost, price = net.arc_node, net.arc_cost, flow.price
    row, held = net.row, flow.held
    for q in range(len(row)):
        hub = row[q, HUB]
        best = row[q, UNMET_COST] if hub < 0 else FAR
        for i in range(row[q, START], row[q, START] + row[q, SIZE]):
            c = arc_cost[i]
            if c >= best:
                break
            best = min(best, c + price[arc_node[i]])
        held[q, LEVEL] = best
        a = held[q, USED]
        if a >= 0:
            if arc_cost[a] + price[arc_node[a]] == best:
                continue
            held[q, USED] = REST
        if hub < 0 and best < row[q, UNMET_COST]:
            held[q, USED] = OPEN
        elif hub < 0:
            held[q, USED] = REST
    for h in range(len(net.hub_start)):
        best = net.hub_unmet_cost[h]
        for q in range(net.hub_start[h], net.hub_start[h] + net.hub_size[h]):
            if held[q, USED] < 0:
                best = min(best, held[q, LEVEL])
        placed = 0
        for q in range(net.hub_start[h], net.hub_start[h] + net.hub_size[h]):
            if held[q, USED] >= 0 and held[q, LEVEL] > best:
                held[q, USED] = REST
            placed += held[q, USED] >= 0
        flow.hub_level[h] = best
        left = flow.hub_open[h] + flow.hub_rest[h] - placed
        flow.hub_rest[h] = left if best == net.hub_unmet_cost[h] else 0
        flow.hub_open[h] = left - flow.hub_rest[h]
    for q in range(len(row)):
        if held[q, USED] >= 0:
            k = arc_node[held[q, USED]]
            link(row, flow.page, q, k)
            flow.surplus[k] += 1


@jit
def keep_bids(net: Network, flow: Flow) -> None:
    """Keep every used arc, tight or not, and let what has none rest; for the reverse auction."""
    row, held = net.row, flow.held
    for q in range(len(row)):
        a = held[q, USED]
        if a >= 0:
            k = net.arc_node[a]
            held[q, LEVEL] = net.arc_cost[a] + flow.price[k]
            link(row, flow.page, q, k)
            flow.surplus[k] += 1
        elif row[q, HUB] < 0:
            held[q, LEVEL] = row[q, UNMET_COST]
    for h in range(len(net.hub_start)):
        flow.hub_level[h] = net.hub_unmet_cost[h]
        flow.hub_rest[h] = flow.hub_open[h]
        for q in range(net.hub_start[h], net.hub_start[h] + net.hub_size[h]):
            flow.hub_rest[h] -= held[q, USED] >= 0
        flow.hub_open[h] = 0


@jit
def fill_priced(net: Network, flow: Flow) -> None:
    """Send up from each node what its price allows and what comes in; the rest is surplus.

    A node with a price of its own must be full, one whose load costs something must send up every
    unit that costs less than the price. ``flow.surplus`` holds the units that enter by arcs.
    """
    for k in range(len(net.parent) - 1, -1, -1):
        up = net.parent[k]
        own = flow.price[k] - (flow.price[up] if up >= 0 else 0)
        step = net.load_cost[k]
        if step > 0:
            least = min(net.capacity[k], -(-own // step))
            most = min(net.capacity[k], own // step + 1)
        else:
            least = net.capacity[k] if own > 0 else 0
            most = net.capacity[k]
        come = flow.surplus[k]
        send = min(max(come, least), most)
        flow.units[k] = send
        flow.surplus[k] = come - send
        if up >= 0:
            flow.surplus[up] += send
