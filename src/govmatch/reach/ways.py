"""Ways from place to place, for tours: distinct places once, and times in whole parts of a minute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import FloatArray, Int32Array
from govmatch.model.travel import Travel
from govmatch.reach.travel import checked_minutes

IntArray = NDArray[np.int64]

PARTS = 1000
"""Parts of a minute in which tours are timed."""

_ROUNDING = 1e-6
"""Parts: a float that is a whole number but for its rounding is not rounded up to the next."""


@dataclass(frozen=True)
class Places:
    """Distinct places; coordinates that are unknown are all one place, which is some way from itself."""

    lat: FloatArray  # (n_places,)
    lon: FloatArray  # (n_places,)


def distinct_places(lat: FloatArray, lon: FloatArray) -> tuple[Places, IntArray]:
    """Return the distinct places, and which of them each is."""
    unknown = np.isnan(lat) | np.isnan(lon)
    pairs = np.stack([np.where(unknown, np.nan, lat), np.where(unknown, np.nan, lon)], axis=1)
    keys = np.where(np.isnan(pairs), 1e9, pairs)
    _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return Places(pairs[first, 0], pairs[first, 1]), which.reshape(-1).astype(np.int64)


def in_parts(minutes: FloatArray, unknown: float, most: int) -> IntArray:
    """Return minutes as parts, rounded up; unknown ones as the policy says, and none above `most` parts."""
    known = np.where(np.isnan(minutes), unknown, minutes)
    parts: IntArray = np.ceil(np.minimum(known * PARTS, most) - _ROUNDING).astype(np.int64)
    return parts


class Ways:
    """Minutes between places, by the mode of who travels.

    A plug is asked for ways from providers to requests elsewhere; a place from which somebody goes on is an
    origin as a home is.
    """

    def __init__(self, travel: Travel, places: Places, n_modes: int) -> None:
        n = len(places.lat)
        self._n = n
        mode = np.repeat(np.arange(n_modes), n).astype(np.int8)
        self._pairs = travel.prepare(
            np.tile(places.lat, n_modes), np.tile(places.lon, n_modes), mode, places.lat, places.lon
        )

    def minutes(self, mode: NDArray[np.integer], origin: IntArray, destination: IntArray) -> FloatArray:
        """Return the minutes of ways (n,) from place to place; NaN where a place is unknown."""
        at: Int32Array = (mode.astype(np.int64) * self._n + origin).astype(np.int32)
        return checked_minutes(self._pairs, at, destination.astype(np.int32))
