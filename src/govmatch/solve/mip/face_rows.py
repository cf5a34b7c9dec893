"""Faces of series, as columns and rows: who comes to a series is paid for once, and so many may come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.mip.constraints import Rows

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PartFaces:
    """Faces of series, by the arcs of a part.

    Attributes
    ----------
    arc, pair : int64 (n_entries,)
        Every arc by which a series sees a face, and that pair of both.
    pair_series, pair_cost : int64 (n_pairs,)
        The series of each pair, and what it costs for itself.
    free, most : int64 (n_series,)
        Faces that cost nothing; faces that are allowed, -1 for any number.
    further_cost : int
    """

    arc: IntArray
    pair: IntArray
    pair_series: IntArray
    pair_cost: IntArray
    free: IntArray
    most: IntArray
    further_cost: int


def face_columns(faces: PartFaces | None) -> tuple[IntArray, FloatArray]:
    """Return costs and upper limits of the variables: one a pair, then faces beyond the free, by series."""
    if faces is None:
        return np.zeros(0, np.int64), np.zeros(0)
    n_pairs, n_series = len(faces.pair_cost), len(faces.free)
    cost = np.concatenate([faces.pair_cost, np.full(n_series, faces.further_cost)])
    return cost, np.append(np.ones(n_pairs), np.full(n_series, np.inf))


def face_rows(faces: PartFaces, first: int, found: Rows) -> None:
    """Pay for each face that is used, and keep the caps; the variables begin at `first`."""
    n = np.arange(len(faces.arc))
    never = np.full(len(n), -np.inf)
    found.add(never, np.zeros(len(n)), (n, faces.arc, 1), (n, first + faces.pair, -1))
    pair, series = first + np.arange(len(faces.pair_cost)), np.arange(len(faces.free))
    more = first + len(pair) + series
    never = np.full(len(series), -np.inf)
    found.add(never, faces.free, (faces.pair_series, pair, 1), (series, more, -1))
    most = np.where(faces.most >= 0, faces.most.astype(np.float64), np.inf)
    found.add(never, most, (faces.pair_series, pair, 1))
