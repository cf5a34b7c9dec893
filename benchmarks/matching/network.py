"""The instance as a min-cost flow, laid out as tightly as an experienced user would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.matching.instances import Instance, IntArray, arcs_below


@dataclass(frozen=True)
class Flow:
    """Directed arcs; the first ones are the instance's, in its order. The last node is the sink."""

    tail: IntArray
    head: IntArray
    upper: IntArray
    cost: IntArray
    supply: IntArray  # (n_nodes,) positive at requests, negative at the sink


def binding(instance: Instance) -> IntArray:
    """Return the nodes that can bind or whose load costs something; no other needs a row or a node."""
    below = arcs_below(instance)
    return np.flatnonzero((below > instance.capacity) | ((instance.load_cost > 0) & (below > 1)))


def first_binding(instance: Instance, nodes: IntArray) -> IntArray:
    """Return, for each node, the position in `nodes` of the first one from it upwards; -1 where none is."""
    position = np.full(len(instance.parent), -1)
    position[nodes] = np.arange(len(nodes))
    at = np.arange(len(instance.parent))
    while (open_ := (at >= 0) & (position[at] < 0)).any():
        at[open_] = instance.parent[at[open_]]
    return np.where(at >= 0, position[at], -1)


def flow_of(instance: Instance) -> Flow:
    """Lay out requests, then the forest's binding nodes, then the sink, with unmet arcs and load steps."""
    nodes = binding(instance)
    up = first_binding(instance, nodes)
    n = len(instance.demand)
    sink = n + len(nodes)
    network_node = np.where(up >= 0, n + up, sink)
    parent = instance.parent[nodes]
    above = np.where(parent >= 0, network_node[parent], sink)
    # a load cost needs one arc a unit, each dearer than the one before
    units = np.minimum(instance.capacity, arcs_below(instance))[nodes]
    stepped = instance.load_cost[nodes] > 0
    copies = np.where(stepped, units, 1)
    step = np.arange(copies.sum()) - np.repeat(np.cumsum(copies) - copies, copies)
    unmet = np.arange(n if len(instance.unmet_cost) else 0)
    supply = np.zeros(sink + 1, np.int64)
    supply[:n] = instance.demand
    supply[sink] = -instance.demand.sum()
    return Flow(
        tail=np.concatenate([instance.request, unmet, np.repeat(n + np.arange(len(nodes)), copies)]),
        head=np.concatenate(
            [network_node[instance.provider], np.full(len(unmet), sink), np.repeat(above, copies)]
        ),
        upper=np.concatenate(
            [
                np.ones(len(instance.cost), np.int64),
                instance.demand[unmet],
                np.repeat(np.where(stepped, 1, units), copies),
            ]
        ),
        cost=np.concatenate(
            [instance.cost, instance.unmet_cost, step * np.repeat(instance.load_cost[nodes], copies)]
        ),
        supply=supply,
    )
