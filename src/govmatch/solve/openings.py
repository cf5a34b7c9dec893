"""Nodes that cost something to open, and are held with so many people or not at all.

Neither is a flow. A bound takes the arcs of each such node by themselves: at request duals u it is left
closed, or opened at its cost with those whose reduced costs are least (Lagrangian relaxation of the demand
in a facility location problem, Geoffrion & McBride 1978); who goes together is not asked of a bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.certificate import exact_sum, lower_bound, valid_duals
from govmatch.solve.instance import Instance

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Openings:
    """Nodes of an instance that are opened or not; each is a leaf and a root.

    Attributes
    ----------
    node : int64 (n_openings,)
    cost : int64 (n_openings,)
        What opening it costs, >= 0.
    fewest : int64 (n_openings,)
        Fewest units with which it is open, >= 1.
    tie : int64 (n_requests,)
        Requests of one number are all served in whole by one opening, or none of them by any; -1: free.
        Where one of them has arcs into a node, all have, as many as they ask for.
    """

    node: IntArray
    cost: IntArray
    fewest: IntArray
    tie: IntArray

    @property
    def n(self) -> int:
        """Number of nodes that are opened or not."""
        return len(self.node)

    @property
    def n_ties(self) -> int:
        """Number of sets of requests that go together."""
        return int(self.tie.max(initial=-1)) + 1

    def of_arcs(self, instance: Instance) -> IntArray:
        """Return which opening each arc enters, (n_arcs,); -1: none."""
        number = np.full(len(instance.parent), -1)
        number[self.node] = np.arange(self.n)
        found: IntArray = number[instance.node]
        return found

    def bound(self, instance: Instance, request_dual: IntArray, price: IntArray) -> int:
        """Compute the bound that any duals give.

            L(u, y) + sum_s min(0, cost_s + min_{fewest_s <= k <= capacity_s} sum of the k least (c_a - u_r))

        where L is `certificate.lower_bound` without the arcs of openings.
        """
        u, _ = valid_duals(instance, request_dual, price)
        of = self.of_arcs(instance)
        rest = instance.of_arcs(of < 0)
        price = price.copy()
        price[self.node] = 0
        at = np.flatnonzero(of >= 0)
        reduced = instance.cost[at] - u[instance.request[at]]
        return lower_bound(rest, request_dual, price) + exact_sum(
            self._least(of[at], reduced, instance.capacity[self.node])
        )

    def _least(self, of: IntArray, reduced: IntArray, capacity: IntArray) -> IntArray:
        """Return the least that each opening adds, closed or open, (n_openings,)."""
        order = np.lexsort((reduced, of))
        of, reduced = of[order], reduced[order]
        count = np.bincount(of, minlength=self.n)
        worth = np.bincount(of[reduced < 0], minlength=self.n)
        units = np.minimum(np.maximum(worth, self.fewest), np.minimum(count, capacity))
        total = np.concatenate([[0], np.cumsum(reduced)])
        first = np.cumsum(count) - count
        least = self.cost + total[first + units] - total[first]
        return np.where(units >= self.fewest, np.minimum(least, 0), 0)

    def opened(self, instance: Instance, flow: IntArray) -> BoolArray:
        """Tell which are used, (n_openings,)."""
        return self.taken(instance, flow) > 0

    def taken(self, instance: Instance, flow: IntArray) -> IntArray:
        """Count the units in each, (n_openings,)."""
        of = self.of_arcs(instance)
        return np.bincount(of[(of >= 0) & (flow > 0)], minlength=self.n).astype(np.int64)

    def together(self, instance: Instance, flow: IntArray) -> IntArray:
        """Return the opening that serves all of each tie in whole, (n_ties,); -1: there is none."""
        of = self.of_arcs(instance)
        mine = np.flatnonzero((of >= 0) & (flow > 0) & (self.tie[instance.request] >= 0))
        asked = np.bincount(self.tie[self.tie >= 0], instance.demand[self.tie >= 0], self.n_ties)
        found = np.full(self.n_ties, -1)
        pair = self.tie[instance.request[mine]] * max(1, self.n) + of[mine]
        pairs, units = np.unique(pair, return_counts=True)
        tie, opening = np.divmod(pairs, max(1, self.n))
        whole = units == asked[tie]
        found[tie[whole]] = opening[whole]
        return found

    def kept(self, instance: Instance, flow: IntArray) -> bool:
        """Tell whether a flow has the fewest in each that is used, and every tie together or outside."""
        taken = self.taken(instance, flow)
        of = self.of_arcs(instance)
        sits = np.zeros(len(self.tie), np.bool_)
        sits[instance.request[(of >= 0) & (flow > 0)]] = True
        apart = self.together(instance, flow)[self.tie[sits & (self.tie >= 0)]] < 0
        return bool(((taken == 0) | (taken >= self.fewest)).all() and not apart.any())
