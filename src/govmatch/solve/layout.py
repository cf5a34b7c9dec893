"""An instance laid out for the kernels: rows, hubs, a forest of binding nodes; and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels import index
from govmatch._kernels.market import (
    CAPACITY,
    HUB,
    LOAD_COST,
    PARENT,
    SIZE,
    START,
    UNMET_COST,
    Network,
    blank_page,
    blank_rows,
)
from govmatch.solve.instance import Instance

I32 = NDArray[np.int32]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """The network of an instance, and where its positions come from.

    Attributes
    ----------
    net : Network
        Its last node is a root without a limit, for arcs that meet no binding node.
    arc : int32 (n_arcs,)
        The instance's arc at each place of the network.
    page : int64 (n_nodes + n_hubs, 8)
        ``Flow.page``, of which the network has columns.
    kept : int64 (n_kept,)
        The instance's node of each of the network's nodes but the last.
    row_request : int64 (n_rows,)
    hub_request, hub_demand : int64 (n_hubs,)
        Requests whose demand is not 1, and the units of them that their groups can serve.
    """

    net: Network
    arc: I32
    page: IntArray
    kept: IntArray
    row_request: IntArray
    hub_request: IntArray
    hub_demand: IntArray

    def with_entries(self) -> Layout:
        """List the arcs that enter each node; searches against the arcs need it."""
        net = self.net
        start, size, arc, row, cost = index.entries(net.arc_row, net.arc_node, net.arc_cost, len(net.parent))
        return replace(
            self,
            net=net._replace(
                entry_start=start, entry_size=size, entry_arc=arc, entry_row=row, entry_cost=cost
            ),
        )


@dataclass(frozen=True)
class _Forest:
    """The nodes that may bind, tree by tree, and last a root without a limit."""

    enter: I32  # for each of the instance's nodes, the one that a unit comes to first
    kept: IntArray  # the instance's node of each but the last
    parent: I32
    capacity: IntArray
    load_cost: IntArray

    def moved(self, place: I32) -> _Forest:
        """Give each node a new number."""
        old = np.empty_like(place)
        old[place] = np.arange(len(place), dtype=place.dtype)
        parent = np.where(self.parent >= 0, place[self.parent], np.int32(-1))[old]
        return _Forest(
            place[self.enter], self.kept[old[:-1]], parent, self.capacity[old], self.load_cost[old]
        )


@dataclass(frozen=True)
class _Rows:
    start: IntArray
    size: I32
    request: IntArray
    hub: I32


def lay_out(instance: Instance) -> Layout:
    """Sort the arcs into rows, each by cost, drop the nodes that cannot bind, and put together what meets."""
    size, ordered = index.row_sizes(instance.request, len(instance.demand))
    start = np.cumsum(size) - size
    if ordered:
        arc = np.arange(len(instance.request), dtype=np.int32)
    else:
        arc = index.arcs_by(instance.request, start)
    hubs = np.flatnonzero(instance.demand != 1)
    if len(hubs):
        rows = _rows_by_group(instance, arc, start, size, hubs)
    else:
        every = np.arange(len(size))
        rows = _Rows(start, size.astype(np.int32), every, np.full(len(size), -1, np.int32))
    index.sort_rows(rows.start, rows.size, arc, instance.cost)
    forest = _forest(instance)
    request_order, place = index.near_together(start, size, arc, instance.node, forest.enter, forest.parent)
    forest = forest.moved(place)
    order = request_order
    if len(hubs):  # the rows of a request stay together
        rank = np.empty(len(size), np.int32)
        rank[request_order] = np.arange(len(size), dtype=np.int32)
        order = np.argsort(rank[rows.request], kind="stable").astype(np.int32)
    return _laid(instance, forest, rows, order, arc, hubs)


def _forest(instance: Instance) -> _Forest:
    order = index.top_down(instance.parent)
    enter, kept, parent, capacity, load_cost = index.binding_nodes(
        order, instance.parent, instance.capacity, instance.load_cost, instance.node
    )
    if len(kept):
        return _Forest(enter, kept, parent, capacity, load_cost)
    # columns of one row are contiguous, and would have kernels of their own: one more such root
    kept = np.zeros(1, np.int64)
    return _Forest(enter + np.int32(1), kept, parent.repeat(2), capacity.repeat(2), load_cost.repeat(2))


def _laid(instance: Instance, forest: _Forest, rows: _Rows, order: I32, arc: I32, hubs: IntArray) -> Layout:
    start, laid, arc_row, arc_node, arc_cost = index.lay_rows(
        order, rows.start, rows.size, arc, instance.node, instance.cost, forest.enter
    )
    request, hub, n_nodes = rows.request[order], rows.hub[order], len(forest.parent)
    row, page = blank_rows(len(order)), blank_page(n_nodes, len(hubs))
    row[:, START], row[:, SIZE], row[:, HUB] = start, rows.size[order], hub
    row[:, UNMET_COST] = instance.unmet_cost[request]
    columns = page[:n_nodes]
    columns[:, PARENT], columns[:, CAPACITY] = forest.parent, forest.capacity
    columns[:, LOAD_COST] = forest.load_cost
    inside = np.flatnonzero(hub >= 0)
    hub_start, hub_size = np.zeros(len(hubs), np.int64), np.bincount(hub[inside], minlength=len(hubs))
    hub_start[hub[inside][::-1]] = inside[::-1]
    first_child, next_sibling = index.child_chains(forest.parent)
    none = np.zeros(0, np.int32)
    net = Network(
        row=row,
        arc_row=arc_row,
        arc_node=arc_node,
        arc_cost=arc_cost,
        entry_start=np.zeros(n_nodes, np.int64),
        entry_size=np.zeros(n_nodes, np.int32),
        entry_arc=none,
        entry_row=none,
        entry_cost=np.zeros(0, np.int64),
        parent=columns[:, PARENT],
        capacity=columns[:, CAPACITY],
        load_cost=columns[:, LOAD_COST],
        first_child=first_child,
        next_sibling=next_sibling,
        hub_start=hub_start,
        hub_size=hub_size.astype(np.int32),
        hub_unmet_cost=instance.unmet_cost[hubs],
    )
    return Layout(net, laid, page, forest.kept, request, hubs, np.minimum(instance.demand[hubs], hub_size))


def _rows_by_group(instance: Instance, arc: I32, start: IntArray, size: IntArray, hubs: IntArray) -> _Rows:
    """Split the arcs of each hub by group, reordering `arc` in place; a request of one unit is one row."""
    hub_of = np.full(len(size), -1, np.int32)
    hub_of[hubs] = np.arange(len(hubs), dtype=np.int32)
    index.sort_rows(start[hubs], size[hubs].astype(np.int32), arc, instance.group)
    row_start, row_size, request = index.split_rows(start, size, hub_of, arc, instance.group)
    return _Rows(row_start, row_size, request, hub_of[request])
