"""Why requests that must be served cannot all be: a cut of the network, and a check that trusts nobody.

The witness names requests S, disjoint nodes K of the forest (none above another), and the arcs of S that
enter no node of K and none below. A unit of S passes through K, at most ``sum of capacity_K`` of them, or
takes one of these arcs, at most one a pair of a request and a group. If S needs more than both together,
it cannot be served: a cut in the sense of max-flow min-cut (Ford & Fulkerson 1956), for a single side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from govmatch.solve.certificate import node_loads, prices_above
from govmatch.solve.instance import Instance, Solution

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SHOWN = 5
"""Numbers named in a message before it says how many more."""


@dataclass(frozen=True, eq=False)
class Witness:
    """Requests that need more units than there is room for: ``demand > capacity + ways``.

    Attributes
    ----------
    requests : int64 (any,)
        S, ascending; each must be served.
    nodes : int64 (any,)
        K, ascending; none stands above another.
    arcs : int64 (any,)
        Positions of the arcs of S that enter no node of K and none below, ascending.
    demand : int
        Units that S needs.
    capacity : int
        Units that can pass through K.
    ways : int
        Pairs of a request and a group among `arcs`: as many units can pass outside K.
    """

    requests: IntArray
    nodes: IntArray
    arcs: IntArray
    demand: int
    capacity: int
    ways: int

    def __str__(self) -> str:
        need = f"{_named('request', self.requests)} must be served and need {_count(self.demand, 'unit')}"
        room = []
        if len(self.nodes):
            lets = "lets" if len(self.nodes) == 1 else "together let"
            room.append(f"{_named('node', self.nodes)} {lets} {self.capacity} through")
        if len(self.arcs):
            room.append(
                f"the arcs that lead past {'it' if len(self.nodes) == 1 else 'them'} bring {self.ways}"
                if room
                else f"their arcs bring {self.ways}"
            )
        why = " and ".join(room) or "there is no arc to serve them"
        return f"{need}, but can get {self.capacity + self.ways} at most: {why}"


def find(instance: Instance, required: BoolArray, solution: Solution) -> Witness | None:
    """Read a witness from the residual network of an optimal flow that leaves a required unit unmet.

    S and the nodes A are what can be reached from the first such request. As the sink cannot be (see
    `required`), a node of A lets no more through (a full one whose parent is not in A) or has a parent in
    A; K are the former, without those below another one, whose capacity is 0. What S receives passes
    through K or takes an arc to a node outside A, of which each pair of a request and a group has one.

    Returns
    -------
    Witness or None
        None where every required unit is served or the sink can be reached: not an optimal flow.
    """
    unserved = np.flatnonzero(required & (solution.unmet > 0))
    if not len(unserved):
        return None
    reached = _reach(instance, required, solution, int(unserved[0]))
    if reached is None:
        return None
    n_requests = len(instance.demand)
    side, inside = reached[:n_requests], reached[n_requests:]
    stops = np.append(inside, False)[instance.parent]  # a root's parent is the sink
    cut = inside & ~stops
    chosen = cut & (prices_above(instance.parent, cut.astype(np.int64)) == 1)
    covered = prices_above(instance.parent, chosen.astype(np.int64)) > 0
    arcs = np.flatnonzero(side[instance.request] & ~covered[instance.node])
    requests, nodes = np.flatnonzero(side), np.flatnonzero(chosen)
    return Witness(
        requests=requests,
        nodes=nodes,
        arcs=arcs,
        demand=sum(instance.demand[requests].tolist()),
        capacity=sum(instance.capacity[nodes].tolist()),
        ways=int(_first_of_pair(instance.request[arcs], instance.group[arcs])[1].sum()),
    )


def _reach(instance: Instance, required: BoolArray, solution: Solution, start: int) -> BoolArray | None:
    """Return which requests and nodes the residual network reaches; None where it reaches the sink."""
    n_requests, n_nodes = len(instance.demand), len(instance.parent)
    used, load = solution.flow > 0, node_loads(instance, solution.flow)
    pair, pair_request, pair_used = _pairs(instance, used)
    first_node, first_pair = n_requests, n_requests + n_nodes
    sink = first_pair + len(pair_request)
    near, far = first_pair + pair, first_node + instance.node
    node, root = first_node + np.arange(n_nodes), instance.parent < 0
    above = np.where(root, sink, first_node + instance.parent)
    spare, carrying = load < instance.capacity, (load > 0) & ~root
    pairs = first_pair + np.arange(len(pair_request))
    free = np.flatnonzero(~required)
    tail = [near[~used], far[used], node[spare], above[carrying], free]
    head = [far[~used], near[used], above[spare], node[carrying], np.full(len(free), sink)]
    tail += [pair_request[~pair_used], pairs[pair_used]]
    head += [pairs[~pair_used], pair_request[pair_used]]
    rows, columns = np.concatenate(tail), np.concatenate(head)
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=(sink + 1, sink + 1))
    order = breadth_first_order(graph, start, return_predecessors=False)
    reached = np.zeros(sink + 1, np.bool_)
    reached[order] = True
    return None if reached[sink] else reached[:first_pair]


def _pairs(instance: Instance, used: BoolArray) -> tuple[IntArray, IntArray, BoolArray]:
    """Return the pair of a request and a group of each arc; each pair's request, and whether it is used."""
    order, first = _first_of_pair(instance.request, instance.group)
    pair = np.empty(len(order), np.int64)
    pair[order] = np.cumsum(first) - 1
    taken = np.zeros(int(first.sum()), np.bool_)
    taken[pair[used]] = True
    return pair, instance.request[order][first], taken


def _first_of_pair(request: IntArray, group: IntArray) -> tuple[IntArray, BoolArray]:
    """Sort arcs by request and group; return the order, and where in it a pair comes first."""
    order = np.lexsort((group, request))
    request, group = request[order], group[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (request[1:] != request[:-1]) | (group[1:] != group[:-1])
    return order, first


def check(instance: Instance, required: BoolArray, witness: Witness) -> list[str]:
    """Say why a witness proves nothing; empty where it proves that S cannot be served.

    Counts over the caller's numbers; the flow it was found by is not looked at.
    """
    for noun, named, number in (
        ("request", witness.requests, len(instance.demand)),
        ("node", witness.nodes, len(instance.parent)),
    ):
        absent = named[(named < 0) | (named >= number)]
        if len(absent):
            return [f"there is no {noun} {absent[0]}"]
    faults = []
    requests, nodes = witness.requests.tolist(), witness.nodes.tolist()
    members, cut = set(requests), set(nodes)
    if len(members) < len(requests) or len(cut) < len(nodes):
        faults.append("a request or a node stands in it twice")
    faults += [f"request {r} need not be served" for r in requests if not required[r]]
    covered = np.zeros(len(instance.parent) + 1, np.bool_)  # the last one stands above all roots
    covered[witness.nodes] = True
    climb = np.append(instance.parent, -1)
    above = covered[climb]  # by a node above
    while (climb >= 0).any():
        above |= above[climb]
        climb = climb[climb]
    faults += [f"node {k} stands below another of its nodes" for k in nodes if above[k]]
    member = np.zeros(len(instance.demand), np.bool_)
    member[witness.requests] = True
    outside = np.flatnonzero(member[instance.request] & ~(covered | above)[instance.node])
    if not np.array_equal(outside, witness.arcs):
        faults.append(f"{len(outside)} arcs lead past its nodes, and it names {len(witness.arcs)}, or others")
    ways = set(zip(instance.request[outside].tolist(), instance.group[outside].tolist(), strict=True))
    demand = sum(int(instance.demand[r]) for r in members)
    capacity = sum(int(instance.capacity[k]) for k in cut)
    if (demand, capacity, len(ways)) != (witness.demand, witness.capacity, witness.ways):
        faults.append(
            f"it says demand {witness.demand}, capacity {witness.capacity} and {witness.ways} ways; "
            f"there are {demand}, {capacity} and {len(ways)}"
        )
    if demand <= capacity + len(ways):
        faults.append(f"the demand {demand} fits into the capacity {capacity} and {len(ways)} other ways")
    return faults


def _named(noun: str, numbers: Iterable[int]) -> str:
    shown = [str(n) for n in numbers]
    if len(shown) == 1:
        return f"{noun} {shown[0]}"
    if len(shown) > SHOWN:
        return f"{noun}s {', '.join(shown[:SHOWN])} and {len(shown) - SHOWN} more"
    return f"{noun}s {', '.join(shown[:-1])} and {shown[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
