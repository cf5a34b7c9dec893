"""The frozen arrays that a flow solver sees, and what it gives back. No DataFrame, no id."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

Termination = Literal["optimal", "gap", "time_limit", "cancelled", "searched"]


@dataclass(frozen=True)
class Instance:
    """A sparse capacitated assignment on a capacity forest.

        min   sum_a cost_a x_a + sum_r unmet_cost_r z_r + sum_k phi_k(load_k)
        s.t.  sum_{a of r} x_a + z_r = demand_r
              sum_{a below k} x_a <= capacity_k
              0 <= x_a <= 1, at most one arc of a (request, group) pair

    where ``phi_k`` has increments ``0, load_cost_k, 2 load_cost_k, …``.

    Attributes
    ----------
    request, node, group : int64 (n_arcs,)
        The request, the forest node that the arc enters, and the person it counts as.
    cost : int64 (n_arcs,)
        Hundredths of an equivalent minute.
    demand, unmet_cost : int64 (n_requests,)
    capacity, parent, load_cost : int64 (n_nodes,)
        `parent` is -1 at a root.
    """

    request: IntArray
    node: IntArray
    group: IntArray
    cost: IntArray
    demand: IntArray
    unmet_cost: IntArray
    capacity: IntArray
    parent: IntArray
    load_cost: IntArray

    def of_arcs(self, arcs: NDArray[np.int64] | NDArray[np.bool_]) -> Instance:
        """Return the same with some of the arcs only, by position or by mask."""
        return replace(
            self,
            request=self.request[arcs],
            node=self.node[arcs],
            group=self.group[arcs],
            cost=self.cost[arcs],
        )


@dataclass(frozen=True)
class Solution:
    """Flow and duals of an `Instance`; `request_dual` and `price` prove a bound (see `certificate`)."""

    flow: IntArray  # (n_arcs,) 0 or 1
    unmet: IntArray  # (n_requests,)
    request_dual: IntArray  # (n_requests,)
    price: IntArray  # (n_nodes,) the node's own price, >= 0
    termination: Termination
