"""Great-circle minutes of pairs of places."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit


@jit
def chord_minutes(
    origin: NDArray[np.float64],
    destination: NDArray[np.float64],
    origins: NDArray[np.int32],
    destinations: NDArray[np.int32],
    minutes: NDArray[np.float64],
) -> int:
    """Write ``2 asin(|o - d| / 2) * o[3]`` of every pair into `minutes`.

    Parameters
    ----------
    origin : float64 (n_origins, 4)
        Unit vector, then minutes per radian. NaN where the place is unknown.
    destination : float64 (n_destinations, 4)
        Unit vector; the last column fills the row up to 32 bytes, half a cache line.
    origins, destinations : int32 (n,)
        Pairs of row numbers.
    minutes : float64 (n,)
        Filled.

    Returns
    -------
    int
        The first pair that points outside the places, where the loop stopped; -1 if none does.
    """
    n_origins = len(origin)
    n_destinations = len(destination)
    for i in range(len(origins)):
        o = origins[i]
        d = destinations[i]
        if o < 0 or o >= n_origins or d < 0 or d >= n_destinations:
            return i
        dx = origin[o, 0] - destination[d, 0]
        dy = origin[o, 1] - destination[d, 1]
        dz = origin[o, 2] - destination[d, 2]
        square = 0.25 * (dx * dx + dy * dy + dz * dz)
        half = math.sqrt(square)
        if square < 0.0025:
            # Below 637 km the series of asin is exact to the last bit and needs no call.
            tail = 35 / 1152 + square * (63 / 2816)
            series = 1.0 + square * (1 / 6 + square * (3 / 40 + square * (5 / 112 + square * tail)))
            minutes[i] = 2.0 * half * series * origin[o, 3]
        else:
            minutes[i] = 2.0 * math.asin(1.0 if half > 1.0 else half) * origin[o, 3]
    return -1
