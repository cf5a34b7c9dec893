"""Sets of arcs of which so many units are used at most, and so many at least or each further one costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.rules import Rules

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Bands(Rules):
    """Rules that also have a least; where a rule has one, every unit of its arcs counts 1.

    Attributes
    ----------
    least : int64 (n_rules,)
    lack : int64 (n_rules,)
        What each unit below the least costs, hundredths, >= 0.
    """

    least: IntArray
    lack: IntArray

    def kept(self, flow: IntArray) -> bool:
        """Tell whether no limit is exceeded."""
        return bool((self.usage(flow) <= self.limit).all())

    def cost(self, flow: IntArray) -> int:
        """Return what is below the least costs."""
        return int((self.lack * np.maximum(self.least - self.usage(flow), 0)).sum())

    def by_arc(self, n_arcs: int) -> tuple[IntArray, IntArray, IntArray]:
        """Return pointers by arc, and the rule and the weight of each entry in that order."""
        order = np.argsort(self.arc, kind="stable")
        return np.searchsorted(self.arc[order], np.arange(n_arcs + 1)), self.rule[order], self.weight[order]


def no_bands() -> Bands:
    """Return no bands at all."""
    return Bands(*(np.zeros(0, np.int64) for _ in range(6)))


def joined(parts: list[Bands]) -> Bands:
    """Return several sets of bands as one."""
    first = np.cumsum([0, *(len(part.limit) for part in parts)]).tolist()
    columns = {
        name: np.concatenate([np.zeros(0, np.int64), *(getattr(part, name) for part in parts)])
        for name in ("arc", "weight", "limit", "least", "lack")
    }
    rule = [part.rule + begin for part, begin in zip(parts, first[:-1], strict=True)]
    return Bands(**columns, rule=np.concatenate([np.zeros(0, np.int64), *rule]))
