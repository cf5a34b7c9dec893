"""The cheapest permitted paths from communities to every node, by a layered shortest path.

Plain arrays; no graph library. `alliance` makes the edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from govmatch._kernels.paths import fill_layers, trace_back
from govmatch.errors import InvalidInput
from govmatch.model.encoded import Int32Array, IntArray, Nodes, TextArray
from govmatch.model.policy import Policy

FIRST_DAY = np.iinfo(np.int32).min  # of an edge that was always valid
LAST_DAY = np.iinfo(np.int32).max  # of an edge that has no end
_UNREACHED = np.int32(2**30 - 1)  # twice this, the largest sum a round can form, fits 32 bits


@dataclass(frozen=True, eq=False)
class EdgeArrays:
    """Undirected edges that a request may pass, one row each; closed kinds are left out.

    Positions below ``nodes.n`` are those of `Nodes`; nodes that only a user's graph has follow.
    """

    tail: Int32Array  # (M,) one side
    head: Int32Array  # (M,) other side
    kind: NDArray[np.int8]  # (M,) position in schema.EDGE_KINDS
    cost: IntArray  # (M,) hundredths of an equivalent minute
    first_day: Int32Array  # (M,) first valid local day, FIRST_DAY where open
    last_day: Int32Array  # (M,) last valid local day, LAST_DAY where open
    extra_id: TextArray  # (X,) ids of nodes beyond those of the tables
    quota: IntArray  # (M,) jobs a week that may pass; -1 without a limit


@dataclass(frozen=True, eq=False)
class _Arcs:
    """Both directions of the edges of one epoch, by head, then tail, then row of the edge."""

    tail: Int32Array
    cost: Int32Array
    edge: Int32Array
    pointer: IntArray  # (N + 1,) arcs into v: pointer[v]:pointer[v + 1]


@dataclass(frozen=True, eq=False)
class Paths:
    """Cheapest paths of at most `max_hops` hops, for every epoch of a horizon.

    An epoch is a set of days on which the same edges are valid.

    Attributes
    ----------
    sources : int32 (C,)
        Node positions of the communities, in the order of `cost`.
    node_id : object (N,)
        Ids by node position: those of the tables, then nodes that only a user's graph has.
    max_hops : int
    days : int32 (D,)
        Local days, ascending.
    day_epoch : int32 (D,)
        Epoch of each.
    cost : int32 (E, C, N)
        Hundredths of an equivalent minute; -1 where no permitted path leads.
    """

    sources: Int32Array
    node_id: TextArray
    max_hops: int
    days: Int32Array
    day_epoch: Int32Array
    cost: Int32Array
    _arcs: tuple[_Arcs, ...]
    # Layers are computed again when a route is read back: those of all epochs and sources would take
    # `max_hops` times the room of `cost`. Readers ask source by source, so the last one is kept.
    _last: dict[tuple[int, int], Int32Array] = field(default_factory=dict, init=False, repr=False)

    def epoch_of_day(self, day: ArrayLike) -> Int32Array:
        """Return the epoch of each local day.

        Raises
        ------
        InvalidInput
            A day that `reach_paths` was not given.
        """
        wanted = np.asarray(day, dtype=np.int64)
        if not wanted.size:
            return np.zeros(wanted.shape, dtype=np.int32)
        if not len(self.days):
            raise InvalidInput("these paths were computed for no day at all")
        at = np.minimum(np.searchsorted(self.days, wanted), len(self.days) - 1)
        wrong = np.flatnonzero(self.days[at] != wanted)
        if len(wrong):
            raise InvalidInput(
                f"day {wanted.ravel()[wrong[0]]} is not among the {len(self.days)} days of these paths"
            )
        return self.day_epoch[at]

    def route(self, source: int, node: int, epoch: int) -> tuple[int, ...]:
        """Return the node positions of the cheapest path, both ends included; () where there is none.

        Of equally cheap paths the one with the fewest hops is taken, and of these the one whose
        last hand-over has the lowest position, then the one before it, and so on.

        Parameters
        ----------
        source : int
            Position in `sources`.
        node, epoch : int
        """
        return self.routes(source, [node], epoch)[0]

    def routes(self, source: int, nodes: ArrayLike, epoch: int) -> list[tuple[int, ...]]:
        """Return `route` to each of several nodes."""
        return [tuple(nodes) for nodes, _ in self._back(source, nodes, epoch)]

    def route_edges(self, source: int, node: int, epoch: int) -> tuple[int, ...]:
        """Return the rows of `EdgeArrays` along `route`, one per hop."""
        [(_, arcs)] = self._back(source, [node], epoch)
        return tuple(self._arcs[epoch].edge[arcs[1:]].tolist())

    def edges_passed(self, source: int, epoch: int) -> tuple[IntArray, Int32Array]:
        """Return the nodes that a source reaches, and the rows of `EdgeArrays` on the way to each.

        Returns
        -------
        nodes : int64 (n,)
        edges : int32 (n, max_hops + 1)
            -1 where the way is shorter.
        """
        layers, arcs = self._layers(source, epoch), self._arcs[epoch]
        nodes = np.flatnonzero(self.cost[epoch, source] >= 0)
        steps, into = (np.empty((len(nodes), len(layers)), dtype=np.int32) for _ in range(2))
        trace_back(arcs.pointer, arcs.tail, arcs.cost, layers, nodes.astype(np.int32), steps, into)
        beyond = np.cumsum(into < 0, axis=1) > 0  # what follows the source is not written
        edges = np.where(beyond, -1, into)
        return nodes, np.where(edges >= 0, np.append(arcs.edge, -1)[edges], -1).astype(np.int32)

    def _back(self, source: int, nodes: ArrayLike, epoch: int) -> list[tuple[list[int], list[int]]]:
        """Return the nodes along the route to each node, and the arc into each, -1 at the source."""
        layers, arcs = self._layers(source, epoch), self._arcs[epoch]
        ends = np.asarray(nodes, dtype=np.int32)
        reached = np.flatnonzero(self.cost[epoch, source, ends] >= 0)
        steps, into = (np.empty((len(reached), len(layers)), dtype=np.int32) for _ in range(2))
        trace_back(arcs.pointer, arcs.tail, arcs.cost, layers, ends[reached], steps, into)
        found: list[tuple[list[int], list[int]]] = [([], [])] * len(ends)
        for i, along, through in zip(reached.tolist(), steps.tolist(), into.tolist(), strict=True):
            last = through.index(-1)
            found[i] = along[last::-1], through[last::-1]
        return found

    def _layers(self, source: int, epoch: int) -> Int32Array:
        layers = self._last.get((epoch, source))
        if layers is None:
            layers = _new_layers(self.max_hops, len(self.node_id))
            _fill_from(int(self.sources[source]), self._arcs[epoch], layers)
            self._last.clear()
            self._last[epoch, source] = layers
        return layers


def reach_paths(
    nodes: Nodes, edges: EdgeArrays, policy: Policy, sources: Int32Array, days: Iterable[int]
) -> Paths:
    """Compute the cheapest permitted paths from every source to every node.

    With ``d_0`` zero at the source and infinite elsewhere, ``d_k(v) = min(d_{k-1}(v), min over edges
    (u, v) of d_{k-1}(u) + cost)``: the Bellman–Ford recursion stopped after `max_hops` rounds
    (Lawler, Combinatorial Optimization, 1976, section 3.2). Only the last round is kept; a path that
    somebody asks for is read back from rounds computed again for its source.

    Parameters
    ----------
    nodes : Nodes
    edges : EdgeArrays
    policy : Policy
        Its ``route.max_hops`` is the limit.
    sources : int32 (C,)
        Node positions.
    days : iterable of int
        Local days since 1970-01-01 on which something may happen.

    Returns
    -------
    Paths

    Raises
    ------
    InvalidInput
        A position outside the nodes, a negative cost, costs that 32 bits cannot add up.
    """
    n = nodes.n + len(edges.extra_id)
    from_nodes = np.asarray(sources, dtype=np.int32)
    for name, values in (("tail", edges.tail), ("head", edges.head), ("sources", from_nodes)):
        if len(values) and (values.min() < 0 or values.max() >= n):
            raise InvalidInput(f"{name} holds a position outside the {n} nodes")
    dearest = int(edges.cost.max()) if len(edges.cost) else 0
    if len(edges.cost) and edges.cost.min() < 0:
        raise InvalidInput(f"edge {int(edges.cost.argmin())} has a negative cost")
    # A cheapest path visits no node twice.
    max_hops = max(0, min(policy.route.max_hops, n - 1))
    if dearest * max(max_hops, 1) >= _UNREACHED:
        raise InvalidInput(f"{max_hops} hops of {dearest / 100} minutes do not fit 32 bits of hundredths")

    local_days = np.unique(np.asarray(list(days), dtype=np.int32))
    day_epoch, valid = _epochs(edges, local_days)
    arcs = tuple(_arcs(edges, mask, n) for mask in valid)
    cost = np.empty((len(arcs), len(from_nodes), n), dtype=np.int32)
    layers = _new_layers(max_hops, n)
    for epoch_arcs, epoch_cost in zip(arcs, cost, strict=True):
        for source, row in zip(from_nodes.tolist(), epoch_cost, strict=True):
            _fill_from(source, epoch_arcs, layers)
            row[:] = np.where(layers[-1] == _UNREACHED, -1, layers[-1])
    return Paths(
        sources=from_nodes,
        node_id=np.concatenate([nodes.node_id, edges.extra_id]),
        max_hops=max_hops,
        days=local_days,
        day_epoch=day_epoch,
        cost=cost,
        _arcs=arcs,
    )


def _epochs(edges: EdgeArrays, days: Int32Array) -> tuple[Int32Array, Sequence[NDArray[np.bool_]]]:
    """Return the epoch of each day, and for each epoch the mask of its valid edges.

    Without any day there is one epoch, in which every edge is valid.
    """
    m = len(edges.tail)
    if not len(days):
        return np.zeros(0, dtype=np.int32), [np.ones(m, dtype=np.bool_)]
    dated = np.flatnonzero((edges.first_day > days[0]) | (edges.last_day < days[-1]))
    # Days between two changes share an epoch without being compared edge by edge.
    changes = np.concatenate([edges.first_day[dated].astype(np.int64), edges.last_day[dated] + np.int64(1)])
    stretch = np.searchsorted(np.unique(changes), days, side="right")
    _, first, day_stretch = np.unique(stretch, return_index=True, return_inverse=True)
    day = days[first][:, None]
    on = (edges.first_day[dated] <= day) & (edges.last_day[dated] >= day)
    patterns, epoch = np.unique(on, axis=0, return_inverse=True)
    valid = []
    for pattern in patterns:
        mask = np.ones(m, dtype=np.bool_)
        mask[dated] = pattern
        valid.append(mask)
    return epoch.ravel()[day_stretch].astype(np.int32), valid


def _arcs(edges: EdgeArrays, mask: NDArray[np.bool_], n: int) -> _Arcs:
    row = np.flatnonzero(mask & (edges.tail != edges.head)).astype(np.int32)
    tail = np.concatenate([edges.tail[row], edges.head[row]])
    head = np.concatenate([edges.head[row], edges.tail[row]])
    edge = np.concatenate([row, row])
    order = np.lexsort((edge, tail, head))
    pointer = np.concatenate([[0], np.cumsum(np.bincount(head, minlength=n))]).astype(np.int64)
    return _Arcs(tail[order], edges.cost[edge[order]].astype(np.int32), edge[order], pointer)


def _new_layers(max_hops: int, n: int) -> Int32Array:
    return np.empty((max_hops + 1, n), dtype=np.int32)


def _fill_from(source: int, arcs: _Arcs, layers: Int32Array) -> None:
    """Write into `layers` (1 + max_hops, N) the costs with at most 0, 1, … `max_hops` hops."""
    layers[0] = _UNREACHED
    layers[0, source] = 0
    fill_layers(arcs.pointer, arcs.tail, arcs.cost, layers)
