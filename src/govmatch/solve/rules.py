"""Limits on sets of arcs that are no capacity of a node, such as quotas of agreements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """Each rule lets so many units of its arcs through.

    Attributes
    ----------
    arc, rule : int64 (n_entries,)
        An arc that counts for a rule; each pair once.
    limit : int64 (n_rules,)
    """

    arc: IntArray
    rule: IntArray
    limit: IntArray

    def usage(self, flow: IntArray) -> IntArray:
        """Count the units of each rule, (n_rules,)."""
        return np.bincount(self.rule, flow[self.arc], len(self.limit)).astype(np.int64)

    def tolls(self, price: IntArray, n_arcs: int) -> IntArray:
        """Sum the prices of each arc's rules, (n_arcs,)."""
        toll = np.zeros(n_arcs, np.int64)
        np.add.at(toll, self.arc, price[self.rule])
        return toll

    def of(self, arcs: IntArray, n_arcs: int) -> Rules:
        """Return the rules for some of the arcs, in a new order; each of `arcs` once."""
        place = np.full(n_arcs, -1)
        place[arcs] = np.arange(len(arcs))
        keep = place[self.arc] >= 0
        return Rules(place[self.arc[keep]], self.rule[keep], self.limit)

    def to_close(self, flow: IntArray, worth: IntArray) -> BoolArray:
        """Choose arcs to close, (n_arcs,), so that rules that are reached hold; `worth` says which stay."""
        usage = self.usage(flow)
        full = usage >= self.limit
        entry = np.flatnonzero(full[self.rule])
        used = flow[self.arc[entry]] > 0
        order = entry[np.lexsort((-worth[self.arc[entry]], ~used, self.rule[entry]))]
        rule = self.rule[order]
        rank = np.arange(len(order)) - np.searchsorted(rule, rule)
        closed = np.zeros(len(flow), np.bool_)
        closed[self.arc[order[rank >= self.limit[rule]]]] = True
        return closed
