"""What a peer gets: the day's final arcs in one file, as arrays and as the same min-cost flow.

Every peer solves the same min-cost flow. It is written by the process that matched the day, and read
with numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from govmatch.solve.instance import Instance

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Day:
    """An `Instance` (first nine), its network (`tail` to `supply`) and the cost of its optimum."""

    request: IntArray  # (n_arcs,)
    node: IntArray  # (n_arcs,)
    group: IntArray  # (n_arcs,)
    cost: IntArray  # (n_arcs,) hundredths of an equivalent minute
    demand: IntArray  # (n_requests,)
    unmet_cost: IntArray  # (n_requests,)
    capacity: IntArray  # (n_forest_nodes,)
    parent: IntArray  # (n_forest_nodes,)
    load_cost: IntArray  # (n_forest_nodes,)
    tail: IntArray  # (n_network_arcs,)
    head: IntArray  # (n_network_arcs,)
    upper: IntArray  # (n_network_arcs,) capacity
    price: IntArray  # (n_network_arcs,) cost
    supply: IntArray  # (n_network_nodes,) positive at requests, negative at the sink
    objective: IntArray  # ()


def save(path: Path, instance: Instance, objective: int) -> None:
    """Write `instance`, its network and the cost of its optimum."""
    arrays = {**network(instance), "objective": np.int64(objective)}
    for field in fields(Day):
        if field.name not in arrays:
            arrays[field.name] = getattr(instance, field.name)
    np.savez(path, **arrays)


def network(instance: Instance) -> dict[str, IntArray]:
    """Lay out the min-cost flow, as the fields of `Day` from `tail` to `supply`.

    Its nodes are the requests, group nodes (where several arcs of a request count as one person),
    forest nodes and, last, the sink; forest nodes that cannot bind are skipped. Its arcs are those of
    the instance, those into group nodes, one unmet arc a request, and those out of forest nodes, one a
    unit where there is a load cost.
    """
    from govmatch.solve.certificate import node_loads

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
    up = np.where(stop >= 0, number[stop], sink)  # where flow into a forest node comes first

    nodes = np.flatnonzero(binding)
    above = np.where(instance.parent[nodes] >= 0, up[instance.parent[nodes]], sink)
    units = np.minimum(instance.capacity[nodes], below[nodes])
    stepped = instance.load_cost[nodes] > 0
    copies = np.where(stepped, units, 1)
    step = np.arange(copies.sum()) - np.repeat(np.cumsum(copies) - copies, copies)

    requests = np.arange(n_requests)
    groups = first_group + np.arange(len(entry))
    supply = np.zeros(sink + 1, np.int64)
    supply[:n_requests] = instance.demand
    supply[sink] = -instance.demand.sum()
    return {
        "tail": np.concatenate(
            [
                np.where(member >= 0, first_group + member, instance.request),
                entry,
                requests,
                np.repeat(number[nodes], copies),
            ]
        ),
        "head": np.concatenate(
            [up[instance.node], groups, np.full(n_requests, sink), np.repeat(above, copies)]
        ),
        "upper": np.concatenate(
            [
                np.ones(len(member) + len(entry), np.int64),
                instance.demand,
                np.where(np.repeat(stepped, copies), 1, np.repeat(units, copies)),
            ]
        ),
        "price": np.concatenate(
            [
                instance.cost,
                np.zeros(len(entry), np.int64),
                instance.unmet_cost,
                step * np.repeat(instance.load_cost[nodes], copies),
            ]
        ),
        "supply": supply,
    }


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


def load(path: Path) -> Day:
    """Read what `save` wrote."""
    with np.load(path) as file:
        return Day(**{field.name: file[field.name] for field in fields(Day)})


def cost_of(day: Day, flow: NDArray[np.float64] | IntArray) -> int:
    """Return the exact cost of a flow on the network's arcs.

    Raises
    ------
    ValueError
        If the flow is not integral, breaks a capacity, or does not balance at every node.
    """
    whole = np.rint(flow).astype(np.int64)
    if np.abs(whole - flow).max(initial=0.0) > 1e-4:
        raise ValueError("the peer's flow is not integral")
    if (whole < 0).any() or (whole > day.upper).any():
        raise ValueError("the peer's flow breaks a capacity")
    balance = np.zeros(len(day.supply), np.int64)
    np.add.at(balance, day.tail, whole)
    np.subtract.at(balance, day.head, whole)
    if (balance != day.supply).any():
        raise ValueError("the peer's flow does not balance")
    return int((whole * day.price).sum())
