"""The terms of an arc's cost, one column each, for chosen pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.model.policy import Policy

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

RESOLUTION = 100
"""Cost units in one equivalent minute."""


def hundredths(minutes: float | FloatArray) -> IntArray:
    """Round equivalent minutes to hundredths, halves upwards."""
    return np.floor(np.asarray(minutes) * RESOLUTION + 0.5).astype(np.int64)


@dataclass(frozen=True)
class Terms:
    """Cost terms of pairs in hundredths of an equivalent minute, each (n_pairs,) int64."""

    travel: IntArray
    route: IntArray
    dialect: IntArray
    hometown: IntArray
    level: IntArray
    wait: IntArray

    @property
    def total(self) -> IntArray:
        """Their sum: the cost of the arc."""
        return self.travel + self.route + self.dialect + self.hometown + self.level + self.wait


def price_terms(
    policy: Policy,
    *,
    travel_minutes: FloatArray,
    route_cost: IntArray,
    wrong_dialect: NDArray[np.bool_],
    wrong_hometown: NDArray[np.bool_],
    surplus_levels: IntArray,
    waited_minutes: IntArray,
) -> Terms:
    """Price pairs by the policy.

    Parameters
    ----------
    travel_minutes : float64 (n_pairs,)
        One-way minutes; NaN where a place is unknown, priced as ``policy.travel.unknown_minutes``.
    route_cost : int64 (n_pairs,)
        Hundredths, from `Paths`.
    surplus_levels : int64 (n_pairs,)
        Levels held above those needed, summed over the needs.
    waited_minutes : int64 (n_pairs,)
        Minutes between the earliest wish and the start.
    """
    fit = policy.fit
    known = np.where(np.isnan(travel_minutes), policy.travel.unknown_minutes, travel_minutes)
    return Terms(
        travel=hundredths(known),
        route=route_cost.astype(np.int64),
        dialect=wrong_dialect * hundredths(fit.dialect_minutes),
        hometown=wrong_hometown * hundredths(fit.hometown_minutes),
        level=hundredths(fit.level_minutes * surplus_levels.astype(np.float64)),
        wait=hundredths(fit.wait_minutes * waited_minutes.astype(np.float64) / 60.0),
    )
