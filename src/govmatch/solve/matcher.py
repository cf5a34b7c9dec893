"""`Matcher`: the optimum, kept while requests come, change and go and capacities move."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from govmatch.errors import InvalidInput, SolverError, UnknownId
from govmatch.solve import snapshot
from govmatch.solve.arguments import in_range, read_arguments, whole
from govmatch.solve.certificate import Proof, prove
from govmatch.solve.live_flow import LiveFlow
from govmatch.solve.live_instance import live_instance
from govmatch.solve.live_request import LiveRequest
from govmatch.solve.pins import Pins

IntArray = NDArray[np.int64]
P = ParamSpec("P")
R = TypeVar("R")

DEAREST = 2**40
"""No cost may be larger, up or down: what an event adds up over a million units then fits 62 bits."""

MOST_DEMAND = 2**20
"""Units of one request."""


def _locked(method: Callable[Concatenate[Matcher, P], R]) -> Callable[Concatenate[Matcher, P], R]:
    """Hold the matcher's lock during a call; refuse one that was interrupted in the middle of a change."""

    @wraps(method)
    def held(self: Matcher, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            if self._torn:
                raise SolverError(
                    "the matcher was interrupted in the middle of a change and is no longer consistent; "
                    "go on with a snapshot or a copy made before"
                )
            return method(self, *args, **kwargs)

    return cast("Callable[Concatenate[Matcher, P], R]", held)


class Matcher:
    """An assignment that stays optimal over the arcs given, whatever changes.

    After every call the assignment is optimal, and `certificate` proves it. Each change is one or a few
    shortest augmenting paths, searched only as far as the change reaches.

    Parameters
    ----------
    capacity : array_like of int
        Units that each node of the capacity forest lets through, >= 0; (n_nodes,).
    parent : array_like of int (n_nodes,), optional
        The node above each node, in any labelling; -1 at a root. Default: every node is a root.
    load_cost : array_like of int, optional
        The j-th unit through a node costs ``(j - 1) * load_cost`` more; one number, or (n_nodes,).

    Attributes
    ----------
    changed : list of int
        Handles of the requests that the last change served otherwise than before, ascending; the request
        added or removed among them.
    total_cost : int
        Of the assignment: arcs, unmet units and loads.
    lock : threading.RLock
        Held by every call. Hold it to make several calls one, such as an `add` and what it `changed`.

    Raises
    ------
    InvalidInput
        A wrong argument (also a ValueError).

    Notes
    -----
    Costs are integers of at most 2**40, up or down. As long as anything is pinned, the dearest one times the
    units that are live must stay below 2**54, about; a call beyond that is refused. A call that raises
    because of its arguments has changed nothing. One that is interrupted in the middle, by Ctrl-C, a signal
    handler that raises or a lack of memory, leaves a matcher that refuses every further call with a
    `SolverError`: go on with an earlier snapshot.

    One matcher may be used from several threads: each call holds its lock, and the search releases the
    GIL. `changed` is that of the last change, whichever thread made it. Memory grows with the requests
    alive at once, not with those that ever were, and with the nodes; a closed node keeps its number.

    The searches are Dijkstra's on reduced costs, from an arrival forward and from a departure backward
    (Jonker & Volgenant 1987; Ahuja, Magnanti & Orlin 1993, ch. 9).

    Examples
    --------
    >>> import govmatch as gm
    >>> m = gm.Matcher([1, 1])
    >>> first = m.add([0, 1], [10, 14], unmet_cost=60)
    >>> m.assignment(first)
    array([0])
    >>> second = m.add([0], [12], unmet_cost=60)
    >>> m.changed, m.assignment(first), m.total_cost
    ([0, 1], array([1]), 26)
    >>> m.remove(second)
    >>> m.assignment(first), m.certificate().gap
    (array([0]), 0.0)
    """

    def __init__(
        self, capacity: ArrayLike, parent: ArrayLike | None = None, load_cost: ArrayLike | None = None
    ) -> None:
        steps = None if load_cost is None else whole("load_cost", load_cost)
        room = whole("capacity", capacity)
        if room.ndim == 0:
            raise InvalidInput(f"capacity is {room}; expected one number for each node")
        given = read_arguments([], [], [], 0, 1, room, parent, steps, None, None, None)
        step = np.asarray(given.load_cost, np.int64)
        in_range("load_cost", step, None, DEAREST, f"at most 2**40 = {DEAREST}")
        self.lock = threading.RLock()
        self._torn = False  # in the middle of a change
        self._live = LiveFlow(given.capacity, given.parent, step)
        self._n_nodes = len(given.capacity)
        self._pins = Pins(self._live)
        self._requests: dict[int, LiveRequest] = {}
        self._next = 0
        self._changed: list[int] = []

    @_locked
    def __len__(self) -> int:
        """Count the live requests."""
        return len(self._requests)

    def __repr__(self) -> str:
        with self.lock:
            if self._torn:
                return "Matcher(interrupted in the middle of a change)"
            return f"Matcher({len(self)} requests, {self._n_nodes} nodes, total_cost={self.total_cost})"

    @property
    @_locked
    def changed(self) -> list[int]:
        """Which requests the last change served otherwise than before."""
        return self._changed.copy()

    @property
    @_locked
    def total_cost(self) -> int:
        """What the assignment costs."""
        return self._live.total

    @_locked
    def add(
        self,
        providers: ArrayLike,
        costs: ArrayLike,
        *,
        demand: int = 1,
        unmet_cost: int,
        group: ArrayLike | None = None,
    ) -> int:
        """Take in a request and serve it at least cost; others may move.

        Parameters
        ----------
        providers : array_like of int (n_arcs,)
            Nodes that may serve it.
        costs : array_like of int (n_arcs,)
        demand : int, default 1
            Units that it needs, each from another group; at most 2**20. Meant for tens, perhaps hundreds:
            the time grows with the square (4,000 units of 8,000 groups: half a second).
        unmet_cost : int
            What leaving a unit unserved costs.
        group : array_like of int (n_arcs,), optional
            Arcs with equal group count once. Default: the provider.

        Returns
        -------
        int
            Its handle, never used again for another request.

        Raises
        ------
        InvalidInput
            A wrong argument, or costs too large beside a pin.
        """
        node, cost, person = self._arcs_given(providers, costs, group)
        units = _number("demand", demand, 0, MOST_DEMAND)
        unmet = _number("unmet_cost", unmet_cost, -DEAREST, DEAREST)
        request = LiveRequest(units, unmet, node, cost, person).changed()
        self._pins.see(None, request)
        handle = self._next
        self._begin()
        self._next += 1
        self._attach(handle, request)
        self._live.settle(self._live.sources(request), [])
        self._end({handle: []})
        return handle

    @_locked
    def add_arcs(
        self, h: int, providers: ArrayLike, costs: ArrayLike, group: ArrayLike | None = None
    ) -> None:
        """Let further nodes serve a live request.

        Parameters
        ----------
        h : int
            Its handle.
        providers, costs, group : array_like of int (n_new,)
            As in `add`. Where `add` was given groups, give them here, too: the default, the provider's
            number, may be that of a group.

        Raises
        ------
        UnknownId
            No live request has this handle.
        InvalidInput
            A wrong argument, a pin of which it is no longer clear whom it means, or costs too large beside
            a pin.
        """
        request = self._known(h)
        node, cost, person = self._arcs_given(providers, costs, group)
        new = request.changed(
            node=np.concatenate([request.node, node]),
            cost=np.concatenate([request.cost, cost]),
            group=np.concatenate([request.group, person]),
        )
        self._exchange(h, request, new)

    @_locked
    def set_cost(self, h: int, provider: int, cost: int) -> None:
        """Change what the arcs of a request to one provider cost.

        Parameters
        ----------
        h : int
            The request's handle.
        provider : int
            A node to which it has an arc.
        cost : int
            Of all its arcs there.

        Raises
        ------
        UnknownId
            No live request has this handle.
        InvalidInput
            The request has no arc to the provider, or the cost is wrong, or too large beside a pin.
        """
        request = self._known(h)
        at = self._arcs_to(h, request, provider)
        price = _number("cost", cost, -DEAREST, DEAREST)
        self._exchange(h, request, request.changed(cost=np.where(at, price, request.cost)))

    @_locked
    def remove(self, h: int) -> None:
        """Let a request go; what it held is given to whom it helps most.

        Raises
        ------
        UnknownId
            No live request has this handle.
        """
        request = self._known(h)
        before = self._live.served(request)
        self._begin()
        lacking = self._live.detach(request)
        self._pins.count(request, -1)
        del self._requests[h]
        self._live.settle([], lacking)
        self._end({h: before})

    @_locked
    def pin(self, h: int, provider: int) -> None:
        """Have one unit of a request served by this provider, whatever it costs.

        Parameters
        ----------
        h : int
            The request's handle.
        provider : int
            A node to which it has an arc.

        Raises
        ------
        UnknownId
            No live request has this handle.
        InvalidInput
            The request has no arc to the provider, or of several groups, so that it is not clear which
            is pinned; or the costs and units that are live are too large for a pin to outweigh.
        Infeasible
            There is no capacity for it beside the other pins, or no further unit or group.
        """
        request = self._known(h)
        self._arcs_to(h, request, provider)
        if provider in request.pins:
            return self._nothing()
        node = int(provider)
        self._pins.see_room(h, node)
        return self._exchange(h, request, request.changed(pins=(*request.pins, node)))

    @_locked
    def unpin(self, h: int) -> None:
        """Undo all pins of a request.

        Raises
        ------
        UnknownId
            No live request has this handle.
        """
        request = self._known(h)
        if not request.pins:
            return self._nothing()
        return self._exchange(h, request, request.changed(pins=()))

    @_locked
    def set_capacity(self, node: int, c: int) -> None:
        """Change what a node lets through; below its load, units are moved or left at least cost.

        Parameters
        ----------
        node : int
        c : int
            The new capacity, >= 0.

        Raises
        ------
        InvalidInput
            There is no such node, it is closed, or the capacity is negative.
        Infeasible
            More units are pinned through the node.
        """
        k, room = self._open_node(node), _number("c", c, 0, None)
        self._pins.see_capacity(k, room)
        self._begin()
        self._live.resize(k, room)
        self._end({})

    @_locked
    def add_node(self, capacity: int, parent: int = -1, load_cost: int = 0) -> int:
        """Add a node to the forest and return its number.

        Parameters
        ----------
        capacity : int
            Units that it lets through, >= 0.
        parent : int, default -1
            The node above it; -1 for a root.
        load_cost : int, default 0
            The j-th unit through it costs ``(j - 1) * load_cost`` more.

        Raises
        ------
        InvalidInput
            A wrong argument, or a load cost too large beside a pin; the parent may be closed, but must be
            there.
        """
        room = _number("capacity", capacity, 0, None)
        up = _number("parent", parent, -1, self._n_nodes - 1)
        step = _number("load_cost", load_cost, 0, DEAREST)
        self._pins.see_load_costs(max(self._live.steepest, step + self._live.load_costs_above(up)))
        node = self._n_nodes
        self._begin()
        self._live.add_node(node, room, up, step)
        self._n_nodes += 1
        self._end({})
        return node

    @_locked
    def close_node(self, node: int) -> None:
        """Let nothing through a node any more, for good.

        Parameters
        ----------
        node : int

        Raises
        ------
        InvalidInput
            There is no such node, or it is closed already.
        Infeasible
            A unit is pinned through the node.
        """
        k = self._open_node(node)
        self._pins.see_capacity(k, 0)
        self._begin()
        self._live.resize(k, 0)
        self._live.closed[k] = True
        self._end({})

    @_locked
    def assignment(self, h: int) -> IntArray:
        """Return the nodes that serve a request, ascending; fewer than its demand where it is unmet.

        Raises
        ------
        UnknownId
            No live request has this handle.
        """
        return np.array(self._live.served(self._known(h)), np.int64)

    @_locked
    def request_dual(self, h: int) -> int:
        """Return what one more unit of a request would cost at most, by the prices at hand.

        Raises
        ------
        UnknownId
            No live request has this handle.
        """
        request = self._known(h)
        return self._live.dual(request, request.parts[-1])

    @_locked
    def prices(self) -> IntArray:
        """Return the own price of each node, (n_nodes,) int64, >= 0.

        0 where it has room to spare and no load cost; with one, what its next unit costs at most.
        """
        price = self._live.arrays.flow.price[: self._n_nodes]
        parent = self._live.arrays.net.parent[: self._n_nodes]
        # below 0 only where nothing comes through: 0 is as right there
        return np.maximum(0, price - np.where(parent >= 0, price[parent], 0))

    @_locked
    def certificate(self) -> Proof:
        """Prove the optimum anew: its cost beside the bound that the prices give.

        Computed by code that shares nothing with the search, over everything that is live.

        Returns
        -------
        Proof
            With `primal` and `bound`, equal where the assignment is optimal, and `gap`.
        """
        return prove(*live_instance(self._live, self._requests.values(), self.prices()))

    @_locked
    def snapshot(self) -> bytes:
        """Return everything as bytes, for `restore`."""
        requests = [(h, *snapshot.request_to_json(r)) for h, r in sorted(self._requests.items())]
        return snapshot.pack(self._state() | {"requests": requests}, self._live.arrays.arrays)

    @classmethod
    def restore(cls, data: bytes) -> Matcher:
        """Make the matcher of which `snapshot` was taken.

        Give it bytes that you trust: its digest finds damage, not forgery.

        Raises
        ------
        InvalidInput
            The bytes are not a whole snapshot of this version.
        """
        state, arrays = snapshot.unpack(data)
        matcher = cls([])
        requests = {told[0]: snapshot.request_from_json(told[1:]) for told in state["requests"]}
        matcher._take(state, arrays, requests)
        return matcher

    @_locked
    def __deepcopy__(self, memo: dict[int, Any]) -> Matcher:
        twin = type(self)([])
        arrays = {name: array.copy() for name, array in self._live.arrays.arrays.items()}
        # a request that is laid in is never changed, only replaced
        twin._take(self._state(), arrays, self._requests.copy())
        return twin

    def __reduce__(self) -> tuple[Callable[[bytes], Matcher], tuple[bytes]]:
        return self.restore, (self.snapshot(),)

    # what a change is made of

    def _begin(self) -> None:
        self._torn = True
        self._live.begin()

    def _end(self, touched: dict[int, list[int]]) -> None:
        """Find whose nodes differ from before; `touched` holds those of requests laid out anew."""
        before = dict(touched)
        for h in self._live.moved() - before.keys():
            before[h] = self._live.served_before(self._requests[h])
        now = {h: self._live.served(self._requests[h]) if h in self._requests else [] for h in before}
        self._changed = sorted(h for h in before if before[h] != now[h])
        self._torn = False

    def _nothing(self) -> None:
        self._changed = []

    def _exchange(self, h: int, old: LiveRequest, new: LiveRequest) -> None:
        self._pins.see(old, new)
        before = self._live.served(old)
        self._begin()
        lacking = self._live.detach(old)
        self._pins.count(old, -1)
        self._attach(h, new)
        self._live.settle(self._live.sources(new), lacking)
        self._end({h: before})

    def _attach(self, handle: int, request: LiveRequest) -> None:
        for part in request.parts:
            self._live.lay(handle, request, part)
        self._requests[handle] = request
        self._pins.count(request, 1)

    # what is there

    def _known(self, h: object) -> LiveRequest:
        number = None if isinstance(h, bool) or not isinstance(h, int | np.integer) else int(h)
        request = None if number is None else self._requests.get(number)
        if request is None:
            raise UnknownId(f"no live request has the handle {h!r}")
        return request

    def _open_node(self, node: int) -> int:
        k = _number("node", node, 0, self._n_nodes - 1)
        if self._live.closed[k]:
            raise InvalidInput(f"node {k} is closed; expected an open one")
        return k

    def _arcs_given(
        self, providers: ArrayLike, costs: ArrayLike, group: ArrayLike | None
    ) -> tuple[IntArray, IntArray, IntArray]:
        node, cost = whole("providers", providers), whole("costs", costs)
        person = node if group is None else whole("group", group)
        for name, values in (("providers", node), ("costs", cost), ("group", person)):
            if values.ndim != 1:
                raise InvalidInput(f"{name} has shape {values.shape}; expected one number for each arc")
            if len(values) != len(node):
                raise InvalidInput(
                    f"{name} has {len(values)} numbers; expected {len(node)}, one for each arc"
                )
        in_range("providers", node, 0, self._n_nodes - 1, f"a node from 0 to {self._n_nodes - 1}")
        in_range("costs", cost, -DEAREST, DEAREST, "at most 2**40, up or down")
        closed = self._live.closed[node]
        if closed.any():
            at = int(closed.argmax())
            raise InvalidInput(f"providers[{at}] is {node[at]}, which is closed; expected an open node")
        return node.copy(), cost.copy(), person.copy()

    def _arcs_to(self, h: int, request: LiveRequest, provider: int) -> NDArray[np.bool_]:
        at: NDArray[np.bool_] = request.node == _number("provider", provider, None, None)
        if not at.any():
            raise InvalidInput(f"provider is {provider}; request {h} has no arc to it")
        return at

    # bytes

    def _state(self) -> dict[str, Any]:
        return {
            "n_nodes": self._n_nodes,
            "next": self._next,
            "live": self._live.to_json(),
            "changed": self._changed,
        }

    def _take(
        self, state: dict[str, Any], arrays: dict[str, NDArray[Any]], requests: dict[int, LiveRequest]
    ) -> None:
        self._n_nodes, self._next, self._changed = state["n_nodes"], state["next"], state["changed"]
        self._requests = requests
        self._live.take(state["live"], arrays, self._requests)
        for request in self._requests.values():
            self._pins.count(request, 1)


def _number(name: str, value: int, low: int | None, high: int | None) -> int:
    array = whole(name, value)
    if array.ndim:
        raise InvalidInput(f"{name} has shape {array.shape}; expected one number")
    expected = f"from {low} to {high}" if high is not None else f"{low} or more"
    if low is not None:
        in_range(name, array, low, high, expected)
    return int(array)
