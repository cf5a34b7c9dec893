"""What is matched: arrays in one file, read with numpy alone, and the independent cost of a flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Instance:
    """The arguments of `govmatch.assign`, all int64; arcs in the order of their requests.

    An empty `unmet_cost` means that every request must be served.
    """

    request: IntArray  # (n_arcs,)
    provider: IntArray  # (n_arcs,) a node of the forest
    cost: IntArray  # (n_arcs,)
    demand: IntArray  # (n_requests,)
    unmet_cost: IntArray  # (n_requests,) or (0,)
    capacity: IntArray  # (n_nodes,)
    parent: IntArray  # (n_nodes,) -1 at a root
    load_cost: IntArray  # (n_nodes,)

    @property
    def flat(self) -> bool:
        """Whether no capacity is nested in another and no load has a cost."""
        return bool((self.parent < 0).all() and (self.load_cost == 0).all())

    @property
    def once(self) -> bool:
        """Whether the forest is flat, and everybody serves or is served once."""
        return self.flat and bool((self.capacity == 1).all() and (self.demand == 1).all())

    def save(self, path: Path) -> None:
        """Write the arrays as they are: reading them back is not to cost an unpacking."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})


def load(path: Path) -> Instance:
    """Read what `Instance.save` wrote."""
    with np.load(path) as file:
        return Instance(**{field.name: file[field.name] for field in fields(Instance)})


def levels(instance: Instance) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield (arcs, the nodes that they are below) for the leaves, then their parents, up to the roots."""
    arcs, nodes = np.arange(len(instance.provider)), instance.provider
    while len(arcs):
        yield arcs, nodes
        above = instance.parent[nodes]
        arcs, nodes = arcs[above >= 0], above[above >= 0]


def arcs_below(instance: Instance) -> IntArray:
    """How many arcs lead into or through each node, (n_nodes,)."""
    count = np.zeros(len(instance.parent), np.int64)
    for _, nodes in levels(instance):
        count += np.bincount(nodes, minlength=len(count))
    return count


def compact(instance: Instance) -> Instance:
    """Leave out the nodes that no arc reaches, for us and for the peers alike."""
    reached = arcs_below(instance) > 0
    number = np.cumsum(reached) - 1
    parent = instance.parent[reached]
    return replace(
        instance,
        provider=number[instance.provider],
        capacity=instance.capacity[reached],
        parent=np.where(parent >= 0, number[parent], -1),
        load_cost=instance.load_cost[reached],
    )


def cost_of(instance: Instance, flow: NDArray[np.float64] | IntArray) -> int:
    """Return what a flow on the instance's arcs costs, unmet requests and loads included.

    Raises
    ------
    ValueError
        If the flow is not 0 or 1 everywhere, gives a request more than its demand or, where it must be
        served, less, or loads a node above its capacity.
    """
    whole = np.rint(flow).astype(np.int64)
    if np.abs(whole - flow).max(initial=0.0) > 1e-4 or ((whole < 0) | (whole > 1)).any():
        raise ValueError("a flow that is not 0 or 1 on every arc")
    served = np.bincount(instance.request[whole > 0], minlength=len(instance.demand))
    unmet = instance.demand - served
    must = not len(instance.unmet_cost)
    if (unmet < 0).any() or (must and unmet.any()):
        raise ValueError("a flow that does not meet the demand as it must")
    load = np.zeros(len(instance.parent), np.int64)
    for arcs, nodes in levels(instance):
        load += np.bincount(nodes[whole[arcs] > 0], minlength=len(load))
    if (load > instance.capacity).any():
        raise ValueError("a flow that loads a node above its capacity")
    missing = 0 if must else int((instance.unmet_cost * unmet).sum())
    return (
        missing
        + int(instance.cost[whole > 0].sum())
        + int((instance.load_cost * (load * (load - 1) // 2)).sum())
    )
