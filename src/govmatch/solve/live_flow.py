"""A flow on arrays that change: requests laid in and taken out, nodes resized, the optimum restored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.live import enter, leave, open_hub, restore_optimum, take_off
from govmatch._kernels.market import HUB, LEVEL, OPEN, SIZE, START, UNMET_COST, USED
from govmatch.solve.certificate import prices_above
from govmatch.solve.live import LiveArrays
from govmatch.solve.live_request import LiveRequest, Part
from govmatch.solve.segments import Segments

IntArray = NDArray[np.int64]

MUST = 2**57
"""What leaving a pinned unit costs inside."""

MOST_UNITS = 2**40
"""Capacities above are as good as this."""

ROWS, ARCS = 256, 4096
"""Places to begin with."""


class LiveFlow:
    """The arrays of a matcher with what is known of their places.

    Attributes
    ----------
    arrays : LiveArrays
    handle_of : dict of int to int
        The request of each row in use.
    total : int
        What the flow costs.
    steepest : int
        The largest sum of load costs on a way to a root.
    """

    def __init__(self, capacity: IntArray, parent: IntArray, load_cost: IntArray) -> None:
        n_nodes = len(capacity)
        wide = n_nodes > ARCS
        self.arrays = LiveArrays(
            rows=16 * ROWS if wide else ROWS,
            arcs=32 * ARCS if wide else ARCS,
            nodes=max(2, n_nodes),  # columns of one row are contiguous, and would have kernels of their own
            hubs=ROWS // 4,
            entries=64 * ARCS if wide else ARCS,
        )
        net = self.arrays.net
        net.parent[:n_nodes] = parent
        net.capacity[:n_nodes] = np.minimum(capacity, MOST_UNITS)
        net.load_cost[:n_nodes] = load_cost
        for node in np.flatnonzero(parent >= 0)[::-1]:
            self.hang(int(node))
        self.handle_of: dict[int, int] = {}
        self.total = 0
        self.steepest = int(prices_above(parent, load_cost).max(initial=0))
        self._rows, self._arcs, self._hubs = Segments(), Segments(), Segments()
        self._stop = np.zeros(1, np.uint8)

    def add_node(self, node: int, capacity: int, parent: int, load_cost: int) -> None:
        """Make a new node, with the price of the one above."""
        self.arrays.need(nodes=node + 1)
        net, flow = self.arrays.net, self.arrays.flow
        net.capacity[node], net.parent[node] = min(capacity, MOST_UNITS), parent
        net.load_cost[node] = load_cost
        self.steepest = max(self.steepest, load_cost + self.load_costs_above(parent))
        if parent >= 0:
            flow.price[node] = flow.price[parent]
            self.hang(node)

    def load_costs_above(self, node: int) -> int:
        """Sum the load costs of a node and all above it."""
        return sum(int(self.arrays.net.load_cost[k]) for k in self.chain(node))

    @property
    def closed(self) -> NDArray[np.bool_]:
        """Nodes that let nothing through for good."""
        return self.arrays.arrays["closed"]

    def moved(self) -> set[int]:
        """Return the handles of the requests whose rows moved in the event at hand."""
        log, handle_of = self.arrays.log, self.handle_of
        return {handle_of[q] for q in log.rows[: log.state[1]].tolist() if q in handle_of}

    def to_json(self) -> list[Any]:
        """Return what is known beside the arrays, as plain values."""
        return [self.total, self.steepest, *(s.to_json() for s in (self._rows, self._arcs, self._hubs))]

    def take(
        self, told: list[Any], arrays: dict[str, NDArray[Any]], requests: dict[int, LiveRequest]
    ) -> None:
        """Become what `to_json` told of arrays and requests."""
        self.total, self.steepest, *segments = told
        self._rows, self._arcs, self._hubs = (Segments.from_json(s) for s in segments)
        self.arrays.arrays = arrays
        self.arrays.bind()
        self.handle_of = {
            q: h
            for h, request in requests.items()
            for part in request.parts
            for q in range(part.row, part.row + len(part.sizes))
        }

    def begin(self) -> None:
        """Begin an event: from here on the log tells what has moved."""
        state = self.arrays.log.state
        state[0] += 1
        state[1] = 0

    def settle(self, sources: Iterable[int], lacking: Iterable[int]) -> None:
        """Place what the sources have left over, fill what is lacking, and count what it costs."""
        arrays = self.arrays
        cost = restore_optimum(
            arrays.net,
            arrays.flow,
            arrays.scratch,
            np.array(sources, np.int64),
            np.array(lacking, np.int64),
            arrays.log,
            self._stop,
        )
        self.total += int(cost)

    def lay(self, handle: int, request: LiveRequest, part: Part) -> None:
        """Give a part its places and write it there; its units are still to be placed."""
        n_rows, n_arcs = len(part.sizes), len(part.arcs)
        part.row, part.arc = self._rows.take(n_rows), self._arcs.take(n_arcs)
        part.hub = self._hubs.take(1) if part.is_hub else -1
        self.arrays.need(rows=self._rows.top, arcs=self._arcs.top, hubs=self._hubs.top)
        net, flow = self.arrays.net, self.arrays.flow
        rows, arcs = slice(part.row, part.row + n_rows), slice(part.arc, part.arc + n_arcs)
        if n_rows:
            net.row[rows, START] = max(part.arc, 0) + np.cumsum(part.sizes) - part.sizes
            net.row[rows, SIZE] = part.sizes
            net.row[rows, HUB] = part.hub
            net.row[rows, UNMET_COST] = MUST if part.pinned else request.unmet_cost
            for q in range(part.row, part.row + n_rows):
                self.handle_of[q] = handle
        if n_arcs:
            net.arc_row[arcs] = np.repeat(np.arange(part.row, part.row + n_rows), part.sizes)
            net.arc_node[arcs] = request.node[part.arcs]
            net.arc_cost[arcs] = request.cost[part.arcs]
            done = enter(net, self.arrays.entries, part.arc, part.arc + n_arcs)
            while done < part.arc + n_arcs:
                self.arrays.need(entries=self.arrays.room("entries") + 1)
                net, flow = self.arrays.net, self.arrays.flow
                done = enter(net, self.arrays.entries, done, part.arc + n_arcs)
        if part.is_hub:
            net.hub_start[part.hub] = max(part.row, 0)
            net.hub_size[part.hub] = n_rows
            net.hub_unmet_cost[part.hub] = request.unmet_cost
            # more units than groups can only rest
            able = min(part.demand, n_rows)
            open_hub(net, flow, part.hub, able)
            self.total += (part.demand - able) * request.unmet_cost
        else:
            flow.held[part.row, USED] = OPEN

    def detach(self, request: LiveRequest) -> list[int]:
        """Take a request out of the arrays; return the nodes that lack its units now."""
        arrays, lacking = self.arrays, []
        for part in request.parts:
            n_rows, n_arcs = len(part.sizes), len(part.arcs)
            found = np.empty(n_rows, np.int64)
            count, cost = 0, 0
            if n_rows:
                count, cost = take_off(arrays.net, arrays.flow, part.row, part.row + n_rows, found)
            self.total -= int(cost) + (part.demand - int(count)) * request.unmet_cost
            lacking += found[:count].tolist()
            if n_arcs:
                leave(arrays.net, arrays.entries, part.arc, part.arc + n_arcs)
            arrays.net.row[part.row : part.row + n_rows, SIZE] = 0
            for q in range(part.row, part.row + n_rows):
                del self.handle_of[q]
            self._rows.give(part.row, n_rows)
            self._arcs.give(part.arc, n_arcs)
            if part.is_hub:
                arrays.net.hub_size[part.hub] = 0
                arrays.flow.hub_rest[part.hub] = 0
                self._hubs.give(part.hub, 1)
        return lacking

    def sources(self, request: LiveRequest) -> list[int]:
        """Return what `settle` takes for the open units of a request."""
        first_hub = self.arrays.room("rows") + self.arrays.room("nodes")
        return [first_hub + part.hub if part.is_hub else part.row for part in request.parts]

    def resize(self, k: int, c: int) -> None:
        """Let a node carry more or fewer units, and move what that concerns."""
        net, flow = self.arrays.net, self.arrays.flow
        goal, step, up = min(c, MOST_UNITS), int(net.load_cost[k]), int(net.parent[k])
        first_node = self.arrays.room("rows")
        over = [first_node + up] if up >= 0 else []
        while flow.units[k] < goal and self._own_price(k) > step * int(flow.units[k]):
            # a price of its own asks for one unit more, as long as there is one
            self.total += step * int(flow.units[k])
            flow.units[k] += 1
            net.capacity[k] = flow.units[k]
            flow.surplus[k] -= 1
            if up >= 0:
                flow.surplus[up] += 1
            self.settle(over, [k])
        fewer = int(flow.units[k]) - goal
        net.capacity[k] = goal
        if fewer > 0:
            self.total -= step * (fewer * goal + fewer * (fewer - 1) // 2)
            flow.units[k] = goal
            flow.surplus[k] += fewer
            if up >= 0:
                flow.surplus[up] -= fewer
            self.settle([first_node + k], [up] if up >= 0 else [])

    def hang(self, node: int) -> None:
        """Put a node under its parent."""
        net = self.arrays.net
        up = int(net.parent[node])
        net.next_sibling[node] = net.first_child[up]
        net.first_child[up] = node

    def served(self, request: LiveRequest) -> list[int]:
        """Return the nodes that serve a request, ascending."""
        return self._nodes_of(request, self.arrays.flow.held[:, USED])

    def served_before(self, request: LiveRequest) -> list[int]:
        """Return where a request was served when the event at hand began."""
        log, used = self.arrays.log, []
        for part in request.parts:
            rows = slice(part.row, part.row + len(part.sizes))
            moved = log.event[rows] == log.state[0]
            used.append(np.where(moved, log.before[rows], self.arrays.flow.held[rows, USED]))
        arcs = np.concatenate(used)
        return sorted(self.arrays.net.arc_node[arcs[arcs >= 0]].tolist())

    def _nodes_of(self, request: LiveRequest, used: IntArray) -> list[int]:
        arcs = [a for part in request.parts for a in used[part.row : part.row + len(part.sizes)] if a >= 0]
        return sorted(self.arrays.net.arc_node[arcs].tolist())

    def dual(self, request: LiveRequest, part: Part) -> int:
        """Return what one more unit of a part would cost at most."""
        if part.is_hub:
            if part.demand > len(part.sizes):
                return request.unmet_cost  # what exceeds the groups is never served
            return int(self.arrays.flow.hub_level[part.hub])
        return int(self.arrays.flow.held[part.row, LEVEL])

    def chain(self, node: int) -> list[int]:
        """Return a node and all above it."""
        chain = []
        while node >= 0:
            chain.append(node)
            node = int(self.arrays.net.parent[node])
        return chain

    def _own_price(self, k: int) -> int:
        price, up = self.arrays.flow.price, int(self.arrays.net.parent[k])
        return int(price[k]) - (int(price[up]) if up >= 0 else 0)
