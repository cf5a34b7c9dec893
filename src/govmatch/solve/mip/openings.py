"""Openings of a part: which are opened, and which ties they serve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.mip.constraints import Rows

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class PartOpenings:
    """What is opened or not, by the arcs of a part.

    Attributes
    ----------
    arc, opening : int64 (n_entries,)
        Every arc that enters an opening.
    cost, fewest, capacity : int64 (n_openings,)
    bundle_opening : int64 (n_bundles,)
        The opening of each pair of a tie and an opening that could serve all of it.
    bundle : int64 (n_entries,)
        The bundle of each entry; -1: its request is free.
    never : int64 (any,)
        Entries that no plan uses: others of their tie could not come along.
    slack : float
        A difference of cost and bound that suffices.
    """

    arc: IntArray
    opening: IntArray
    cost: IntArray
    fewest: IntArray
    capacity: IntArray
    bundle_opening: IntArray
    bundle: IntArray
    never: IntArray
    slack: float = 0.0


def opening_costs(openings: PartOpenings | None) -> tuple[IntArray, IntArray]:
    """Return the costs of the variables: one an opening, one a bundle."""
    if openings is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return openings.cost, np.zeros(len(openings.bundle_opening), np.int64)


def opening_rows(part: PartOpenings, opening: int, bundle: int, found: Rows) -> None:
    """Open what is used, with the fewest or more, and send each bundle in whole.

    `opening` and `bundle` are where these variables begin.
    """
    n = np.arange(len(part.cost))
    some, none = np.full(len(n), np.inf), np.zeros(len(n))
    found.add(none, some, (part.opening, part.arc, 1), (n, opening + n, -part.fewest))
    found.add(-some, none, (part.opening, part.arc, 1), (n, opening + n, -part.capacity))
    free = np.flatnonzero(part.bundle < 0)
    rows = np.arange(len(free))
    within = (rows, opening + part.opening[free], -1)
    found.add(np.full(len(free), -np.inf), np.zeros(len(free)), (rows, part.arc[free], 1), within)
    bundles = np.arange(len(part.bundle_opening))
    within = (bundles, opening + part.bundle_opening, -1)
    found.add(np.full(len(bundles), -np.inf), np.zeros(len(bundles)), (bundles, bundle + bundles, 1), within)
    tied = np.flatnonzero(part.bundle >= 0)
    rows = np.arange(len(tied))
    whole = (rows, bundle + part.bundle[tied], -1)
    found.add(np.zeros(len(tied)), np.zeros(len(tied)), (rows, part.arc[tied], 1), whole)
    never = np.zeros(len(part.never))
    found.add(never, never, (np.arange(len(never)), part.arc[part.never], 1))
