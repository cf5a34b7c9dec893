"""Ways from place to place, for tours: distinct places once, and times in whole parts of a minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.model.encoded import FloatArray, Int32Array
from govmatch.model.travel import Travel
from govmatch.reach.travel import checked_minutes

IntArray = NDArray[np.int64]

PARTS = 1000
"""Parts of a minute in which tours are timed."""

_ROUNDING = 1e-6
"""Parts: a float that is a whole number but for its rounding is not rounded up to the next."""

MOST_WAYS = 250_000_000
"""Ways from visit to visit that are held at once, 4 bytes each."""

LONGEST = 1 << 30
"""Parts of a minute that no slot holds, and that are kept in 4 bytes."""

BLOCK = 1_000_000
"""Ways that are asked for at once."""


@dataclass(frozen=True)
class Places:
    """Distinct places; coordinates that are unknown are all one place, which is some way from itself."""

    lat: FloatArray  # (n_places,)
    lon: FloatArray  # (n_places,)


def distinct_places(lat: FloatArray, lon: FloatArray) -> tuple[Places, IntArray]:
    """Return the distinct places, and which of them each is."""
    unknown = np.isnan(lat) | np.isnan(lon)
    pairs = np.where(unknown, 1e9, lat) + 1j * np.where(unknown, 1e9, lon)
    _, first, which = np.unique(pairs, return_index=True, return_inverse=True)
    nowhere = unknown[first]
    places = (np.where(nowhere, np.nan, x[first]) for x in (lat, lon))
    return Places(*places), which.reshape(-1).astype(np.int64)


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

    def between(
        self, modes: IntArray, places: IntArray, unknown: float, stop: Callable[[], bool]
    ) -> tuple[NDArray[np.int32], bool]:
        """Return all ways between some places by some modes, parts, and whether there was time for all.

        Others take `LONGEST`. `stop` is asked between blocks.

        Returns
        -------
        int32 (n_modes, n_places, n_places)
        bool

        Raises
        ------
        InvalidInput
            There are too many to hold.
        """
        n = len(places)
        if len(modes) * n * n > MOST_WAYS:
            raise InvalidInput(
                f"rounds hold the ways between {n:,} places by {len(modes)} modes; expected at most "
                f"{MOST_WAYS:,} ways: match a smaller area or a shorter horizon"
            )
        parts = np.full((len(modes), n, n), LONGEST, np.int32)
        step = max(1, BLOCK // max(1, n))
        for m, mode in enumerate(modes.tolist()):
            for first in range(0, n, step):
                if stop():
                    return parts, False
                origin = np.repeat(places[first : first + step], n)
                goal = np.tile(places, len(origin) // n)
                minutes = self.minutes(np.full(len(origin), mode), origin, goal)
                parts[m, first : first + step] = in_parts(minutes, unknown, LONGEST).reshape(-1, n)
        return parts, True
