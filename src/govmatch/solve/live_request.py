"""A live request of a matcher, and the parts in which it is laid into the arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import Infeasible, InvalidInput

IntArray = NDArray[np.int64]


@dataclass
class Part:
    """Rows that stand together: of one unit, or of a hub.

    Attributes
    ----------
    arcs : int64 (n_arcs,)
        Positions in the request's arcs: row by row, each by cost.
    sizes : int64 (n_rows,)
        Arcs of each row.
    demand : int
        1 for a row of one unit.
    pinned : bool
        Whether it must be served.
    row, arc, hub : int
        Where it stands; hub -1: a row of one unit.
    """

    arcs: IntArray
    sizes: IntArray
    demand: int
    pinned: bool
    is_hub: bool
    row: int = -1
    arc: int = -1
    hub: int = -1


@dataclass
class LiveRequest:
    """What a matcher was told of a request, and its parts."""

    demand: int
    unmet_cost: int
    node: IntArray  # (n_arcs,)
    cost: IntArray  # (n_arcs,)
    group: IntArray  # (n_arcs,)
    pins: tuple[int, ...] = ()
    parts: list[Part] = field(default_factory=list)

    @cached_property
    def dearest(self) -> int:
        """The largest of its costs, up or down."""
        return max(abs(self.unmet_cost), int(self.cost.max(initial=0)), -int(self.cost.min(initial=0)))

    @property
    def most_units(self) -> int:
        """Units that can be served at most."""
        return min(self.demand, len(self.node))

    def changed(self, **fields: Any) -> LiveRequest:
        """Return it with other fields, laid into parts anew.

        Raises
        ------
        InvalidInput
            A pin on a provider to which arcs of several groups lead, where that makes a difference.
        Infeasible
            More pins than units, or two pins on one group.
        """
        new = replace(self, **fields)
        new.parts = new._split()
        return new

    def _split(self) -> list[Part]:
        if self.demand == 1 and len(self.pins) <= 1:
            every = np.arange(len(self.node))
            chosen = every if not self.pins else every[self.node == self.pins[0]]
            return [self._row(chosen, pinned=bool(self.pins))]
        if len(self.pins) > self.demand:
            raise Infeasible(
                f"a request of {self.demand} units cannot keep {len(self.pins)} pins: {self._pins()}"
            )
        groups = [self._group_of(pin) for pin in self.pins]
        if len(set(groups)) < len(groups):
            raise Infeasible(f"pins on providers of one group cannot all be kept: {self._pins()}")
        parts = [self._row(np.flatnonzero(self.node == pin), pinned=True) for pin in self.pins]
        rest = np.flatnonzero(~np.isin(self.group, groups)) if groups else np.arange(len(self.node))
        rest = rest[np.lexsort((self.cost[rest], self.group[rest]))]
        _, sizes = np.unique(self.group[rest], return_counts=True)
        parts.append(Part(rest, sizes, self.demand - len(self.pins), pinned=False, is_hub=True))
        return parts

    def _row(self, arcs: IntArray, *, pinned: bool) -> Part:
        ordered = arcs[np.argsort(self.cost[arcs], kind="stable")]
        return Part(ordered, np.array([len(ordered)]), 1, pinned=pinned, is_hub=False)

    def _group_of(self, pin: int) -> int:
        groups = np.unique(self.group[self.node == pin])
        if len(groups) > 1:
            raise InvalidInput(
                f"provider {pin} is pinned, and arcs of groups {groups[0]} and {groups[1]} lead to it; "
                "expected arcs of one group, so that it is clear who is pinned"
            )
        return int(groups[0])

    def _pins(self) -> str:
        return ", ".join(str(pin) for pin in self.pins)
