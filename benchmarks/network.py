"""What a peer gets: the day's final arcs in one file, as arrays and as the same min-cost flow.

The flow is the one that `govmatch.solve.network` lays out, so that every peer solves the same
problem; it is written by the process that matched the day, and read with numpy alone.
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
    from govmatch.solve.network import build

    net = build(instance)
    arrays = {
        "tail": net.tail,
        "head": net.head,
        "upper": net.capacity,
        "price": net.cost,
        "supply": net.supply,
        "objective": np.int64(objective),
    }
    for field in fields(Day):
        if field.name not in arrays:
            arrays[field.name] = getattr(instance, field.name)
    np.savez(path, **arrays)


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
