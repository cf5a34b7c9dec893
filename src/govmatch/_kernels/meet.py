"""What the ways to and from a visit take at least on one tour, beside the other visits it could hold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit

I64 = NDArray[np.int64]


class Stay(NamedTuple):
    """Visits on tours on which they may be made, tour by tour."""

    place: I64
    out: I64  # time from the tour's start
    back: I64  # time to the tour's end
    over: I64  # the earliest time at which the visit can be over on the tour
    last: I64  # the latest time at which it can begin on the tour


@jit
def shortest_ways(
    ptr: I64, mode: I64, holds: I64, travel: NDArray[np.int32], stay: Stay, first: int, last: int, twice: I64
) -> None:
    """Write twice each visit's part of the ways on tours `first` to `last`, at least.

    A way between two visits is half of each; that from the tour's start and that to its end are those of the
    one visit there.

    Parameters
    ----------
    ptr : int64 (n_tours + 1,)
        Where the visits of each tour stand in `stay`.
    mode, holds : int64 (n_tours,)
        Visits that can be made on one tour.
    travel : int32 (n_modes, n_places, n_places)
    twice : int64 (n,)
        Filled for the visits of these tours.
    """
    for k in range(first, last):
        for i in range(ptr[k], ptr[k + 1]):
            out, back = 2 * stay.out[i], 2 * stay.back[i]
            into, away = out, back
            for j in range(ptr[k], ptr[k + 1]):
                if i == j:
                    continue
                there = travel[mode[k], stay.place[j], stay.place[i]]
                if there < into and stay.over[j] + there <= stay.last[i]:
                    into = there
                there = travel[mode[k], stay.place[i], stay.place[j]]
                if there < away and stay.over[i] + there <= stay.last[j]:
                    away = there
            if holds[k] < 2:
                twice[i] = out + back
            elif holds[k] == 2:
                twice[i] = min(out + away, into + back)
            else:
                twice[i] = into + away
