"""Runs of different lengths, one after the other, as columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

IntArray = NDArray[np.int64]


def runs(count: ArrayLike) -> tuple[IntArray, IntArray]:
    """Return of each entry of runs of so many which run it is in, and its place there, from 0."""
    lengths = np.asarray(count, dtype=np.int64)
    of = np.repeat(np.arange(len(lengths)), lengths)
    return of, np.arange(len(of)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def matches(ascending: NDArray[np.integer], wanted: NDArray[np.integer]) -> tuple[IntArray, IntArray]:
    """Return, for all that is wanted, every position at which it stands in an ascending column.

    Parameters
    ----------
    ascending : int (n,)
    wanted : int (m,)

    Returns
    -------
    of, at : int64
        Positions in `wanted`, ascending, and in `ascending`.
    """
    first, last = (np.searchsorted(ascending, wanted, side=side) for side in ("left", "right"))
    of, nth = runs(last - first)
    return of, first[of] + nth
