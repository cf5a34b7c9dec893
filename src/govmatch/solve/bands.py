"""Sets of arcs of which so many units are used at most, and so many at least or each further one costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Bands:
    """What limits the use of sets of arcs beside the capacities of nodes.

    Attributes
    ----------
    arc, band : int64 (n_entries,)
        An arc that counts for a band; each pair once.
    weight : int64 (n_entries,)
        What one unit of the arc counts, > 0; 1 where the band has a least.
    most, least : int64 (n_bands,)
    lack : int64 (n_bands,)
        What each unit below the least costs, hundredths, >= 0.
    """

    arc: IntArray
    band: IntArray
    weight: IntArray
    most: IntArray
    least: IntArray
    lack: IntArray

    def usage(self, flow: IntArray) -> IntArray:
        """Sum what counts for each band, (n_bands,)."""
        used = np.zeros(len(self.most), np.int64)
        np.add.at(used, self.band, self.weight * flow[self.arc])
        return used

    def kept(self, flow: IntArray) -> bool:
        """Tell whether no band has more than its most."""
        return bool((self.usage(flow) <= self.most).all())

    def cost(self, flow: IntArray) -> int:
        """Return what is below the least costs."""
        return int((self.lack * np.maximum(self.least - self.usage(flow), 0)).sum())

    def by_arc(self, n_arcs: int) -> tuple[IntArray, IntArray, IntArray]:
        """Return pointers by arc, and the band and the weight of each entry in that order."""
        order = np.argsort(self.arc, kind="stable")
        return np.searchsorted(self.arc[order], np.arange(n_arcs + 1)), self.band[order], self.weight[order]


def no_bands() -> Bands:
    """Return no bands at all."""
    return Bands(*(np.zeros(0, np.int64) for _ in range(6)))


def joined(parts: list[Bands]) -> Bands:
    """Return several sets of bands as one."""
    first = np.cumsum([0, *(len(part.most) for part in parts)]).tolist()
    columns = {
        name: np.concatenate([np.zeros(0, np.int64), *(getattr(part, name) for part in parts)])
        for name in ("arc", "weight", "most", "least", "lack")
    }
    band = [part.band + begin for part, begin in zip(parts, first[:-1], strict=True)]
    return Bands(**columns, band=np.concatenate([np.zeros(0, np.int64), *band]))
