"""The instance as a min-cost flow network, solved by OR-Tools; duals from the residual network.

`SimpleMinCostFlow` gives no duals, so the potentials are computed as shortest distances to the
sink over the residual network of its flow (Ahuja, Magnanti & Orlin 1993, ch. 9). It aborts the
process when misused: node ids are remapped to 0..n-1, costs are int64, flows are read only after
OPTIMAL.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.potentials import UNREACHED, distances_to
from govmatch.errors import SolverError
from govmatch.solve.certificate import node_loads
from govmatch.solve.instance import Instance, Solution

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """Directed arcs with capacity and cost; requests supply units, the last node, the sink, takes them."""

    tail: IntArray
    head: IntArray
    capacity: IntArray
    cost: IntArray
    supply: IntArray
    binding: IntArray  # forest nodes that are network nodes of their own
    up: IntArray  # (n_forest_nodes,) network node that flow into a forest node reaches first
    n_requests: int
    n_arcs: int  # the first ones are the instance's arcs
    n_entries: int  # then these, from requests into their group nodes; then one unmet arc a request


def build(instance: Instance) -> Network:
    """Lay out the network; forest nodes that cannot bind are skipped."""
    n_requests, n_forest = len(instance.demand), len(instance.parent)
    below = node_loads(instance, np.ones(len(instance.request), np.int64))
    binding = (below > 0) & ((instance.capacity < below) | (instance.load_cost > 0))
    stop = np.arange(n_forest)
    while True:
        skip = (stop >= 0) & ~binding[stop]
        if not skip.any():
            break
        stop[skip] = instance.parent[stop[skip]]

    entry, member = _group_nodes(instance)
    first_group = n_requests
    first_forest = first_group + len(entry)
    number = np.cumsum(binding) - 1 + first_forest
    sink = first_forest + int(binding.sum())
    up = np.where(stop >= 0, number[stop], sink)

    nodes = np.flatnonzero(binding)
    above = np.where(instance.parent[nodes] >= 0, up[instance.parent[nodes]], sink)
    # One unit more than can arrive keeps a node with spare capacity unsaturated, and its price right.
    units = np.minimum(instance.capacity[nodes], below[nodes] + 1)
    stepped = instance.load_cost[nodes] > 0
    copies = np.where(stepped, units, 1)
    node_tail = np.repeat(number[nodes], copies)
    step = np.arange(copies.sum()) - np.repeat(np.cumsum(copies) - copies, copies)
    node_cost = step * np.repeat(instance.load_cost[nodes], copies)
    node_capacity = np.where(np.repeat(stepped, copies), 1, np.repeat(units, copies))

    requests = np.arange(n_requests)
    supply = np.zeros(sink + 1, np.int64)
    supply[:n_requests] = instance.demand
    supply[sink] = -instance.demand.sum()
    return Network(
        tail=np.concatenate(
            [np.where(member >= 0, first_group + member, instance.request), entry, requests, node_tail]
        ),
        head=np.concatenate(
            [
                up[instance.node],
                first_group + np.arange(len(entry)),
                np.full(n_requests, sink),
                np.repeat(above, copies),
            ]
        ),
        capacity=np.concatenate(
            [np.ones(len(member) + len(entry), np.int64), instance.demand, node_capacity]
        ),
        cost=np.concatenate([instance.cost, np.zeros(len(entry), np.int64), instance.unmet_cost, node_cost]),
        supply=supply,
        binding=nodes,
        up=up,
        n_requests=n_requests,
        n_arcs=len(instance.request),
        n_entries=len(entry),
    )


def _group_nodes(instance: Instance) -> tuple[IntArray, IntArray]:
    """Return the request of each group node, and the group node of each arc (-1: none is needed)."""
    member = np.full(len(instance.request), -1)
    several = np.flatnonzero(instance.demand[instance.request] > 1)
    if not len(several):
        return member[:0], member
    pairs = np.stack([instance.request[several], instance.group[several]])
    distinct, which, count = np.unique(pairs, axis=1, return_inverse=True, return_counts=True)
    shared = count > 1
    number = np.where(shared, np.cumsum(shared) - 1, -1)
    member[several] = number[which.reshape(-1)]
    return distinct[0, shared], member


def flow_of(network: Network) -> IntArray:
    """Solve with OR-Tools; return the flow on every network arc, (n_network_arcs,) int64."""
    from ortools.graph.python import min_cost_flow

    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        network.tail, network.head, network.capacity, network.cost
    )
    solver.set_nodes_supplies(np.arange(len(network.supply)), network.supply)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise SolverError(f"OR-Tools ended with {status} on a network that always has a flow")
    return np.asarray(solver.flows(arcs), np.int64)


def potentials(network: Network, flow: IntArray) -> IntArray:
    """Shortest distances to the sink over the residual network, `UNREACHED` where there is no way."""
    n, sink = len(network.supply), len(network.supply) - 1
    n_requests = network.n_requests
    first_unmet = network.n_arcs + network.n_entries
    forward = flow < network.capacity
    # The unmet units of a request are limited by its demand alone, so its unmet arc stays open.
    forward[first_unmet : first_unmet + n_requests] = True
    back = flow > 0
    tail = np.concatenate([network.tail[forward], network.head[back]])
    head = np.concatenate([network.head[forward], network.tail[back]])
    cost = np.concatenate([network.cost[forward], -network.cost[back]])
    order = np.argsort(head, kind="stable")
    ptr = np.searchsorted(head[order], np.arange(n + 1))
    label = np.full(n, UNREACHED)
    label[sink] = 0
    unmet = slice(first_unmet, first_unmet + n_requests)
    label[network.tail[unmet]] = network.cost[unmet]
    if distances_to(sink, ptr, tail[order], cost[order], label):
        raise SolverError("the flow is not optimal: its residual network has a negative cycle")
    return label


def solution_of(instance: Instance, network: Network, flow: IntArray) -> Solution:
    """Read an optimal network flow as a `Solution` with duals."""
    n_requests = len(instance.demand)
    label = potentials(network, flow)
    dear = int(instance.unmet_cost.max(initial=0)) - int(instance.cost.min(initial=0)) + 1
    label = np.where(label == UNREACHED, dear, label)
    price = np.zeros(len(instance.parent), np.int64)
    own = network.binding
    parent = instance.parent[own]
    above = np.where(parent >= 0, label[network.up[parent]], 0)
    price[own] = np.maximum(0, label[network.up[own]] - above)
    arcs = flow[: network.n_arcs]
    first_unmet = network.n_arcs + network.n_entries
    return Solution(
        flow=arcs,
        unmet=flow[first_unmet : first_unmet + n_requests],
        request_dual=label[:n_requests],
        price=price,
        termination="optimal",
    )
