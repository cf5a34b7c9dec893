"""Limits on pairs that are no capacity: agreements, work away from home, hours of a week, the reserve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import Demand
from govmatch.reach.candidates import Arcs

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Passes:
    """Pairs that count towards limits."""

    arc: IntArray  # (n,) position in `Arcs`, ascending
    rule: IntArray  # (n,)
    weight: IntArray  # (n,) what the pair counts, > 0


class PairLimits(Protocol):
    """Limits of one kind."""

    code: str  # the reason of a request that one of them leaves unserved
    limit: IntArray  # (n_rules,)

    def passes(self, arcs: Arcs, demand: Demand) -> Passes:
        """Say towards which limits each pair counts, and how much."""


class AllLimits:
    """Limits of several kinds, one after the other.

    Attributes
    ----------
    limit : int64 (n_rules,)
    code : object (n_rules,)
    """

    def __init__(self, parts: Sequence[PairLimits], n_slots: int) -> None:
        """`n_slots` are of people: pairs of later slots count for nothing."""
        self._n_slots = n_slots
        self._parts = [part for part in parts if len(part.limit)]
        none = np.zeros(0, np.int64)
        self.limit: IntArray = np.concatenate([none, *(part.limit for part in self._parts)])
        code: list[str] = [part.code for part in self._parts for _ in range(len(part.limit))]
        self.code = np.array(code, dtype=object)

    def __len__(self) -> int:
        return len(self.limit)

    def passes(self, arcs: Arcs, demand: Demand) -> Passes:
        """Say towards which limits each pair counts, and how much."""
        jobs = np.flatnonzero(arcs.slot < self._n_slots)
        arcs = Arcs(arcs.request[jobs], arcs.slot[jobs], arcs.cost[jobs])
        columns, first = [Passes(*(np.zeros(0, np.int64) for _ in range(3)))], 0
        for part in self._parts:
            found = part.passes(arcs, demand)
            columns.append(Passes(found.arc, found.rule + first, found.weight))
            first += len(part.limit)
        arc, rule, weight = (
            np.concatenate([getattr(one, name) for one in columns]) for name in ("arc", "rule", "weight")
        )
        order = np.argsort(arc, kind="stable")
        return Passes(jobs[arc[order]], rule[order], weight[order])
