"""A first set of tours: every request where it costs least at its turn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit
from govmatch._kernels.tours import (
    AFTER,
    FIRST_VISIT,
    LOGGED,
    NOBODY,
    OPTION_TOUR,
    OPTIONS,
    OPTIONS_END,
    OVER,
    PERSON,
    TOUR,
    VISITS_END,
    Tours,
    Visits,
    forget_times,
    put_in,
    take_out,
    time_anew,
    total_cost,
    undo,
)

I64 = NDArray[np.int64]


@jit
def insert_visit(visits: Visits, tours: Tours, x: int, first: int) -> bool:
    """Make visit `x` where it costs least, by nobody who makes one from `first` on; False: nowhere."""
    n, least, best, at = len(visits.visit), 0, NOBODY, 0
    for chosen in range(visits.visit[x, OPTIONS], visits.visit[x, OPTIONS_END]):
        k = visits.option[chosen, OPTION_TOUR]
        taken = False
        for y in range(first, x):
            taken |= visits.tour[tours.chain[y, TOUR], PERSON] == visits.tour[k, PERSON]
        p = n + k
        while not taken:
            tours.sums[LOGGED] = 0
            put_in(visits, tours, x, p, chosen)
            over = tours.sums[OVER] > 0
            if not over:
                listed, kept = time_anew(visits, tours)
                cost = total_cost(visits, tours)
                if kept and (best == NOBODY or cost < least):
                    least, best, at = cost, chosen, p
                forget_times(visits, tours, listed)
            undo(visits, tours)
            p = tours.chain[p, AFTER]
            if over or p >= n:
                break
    if best == NOBODY:
        return False
    put_in(visits, tours, x, at, best)
    time_anew(visits, tours)
    tours.sums[LOGGED] = 0
    return True


@jit
def insert_requests(visits: Visits, tours: Tours, order: I64, stop: NDArray[np.uint8]) -> None:
    """Make the requests in an order, each visit where it costs least; who finds no place stays unmet.

    Parameters
    ----------
    order : int64
        Requests of which no visit is made.
    """
    for r in order:
        if stop[0]:
            return
        first, last = visits.request[r, FIRST_VISIT], visits.request[r, VISITS_END]
        before = total_cost(visits, tours)
        placed = True
        for x in range(first, last):
            placed = placed and insert_visit(visits, tours, x, first)
        if placed and total_cost(visits, tours) <= before:
            continue
        tours.sums[LOGGED] = 0
        for x in range(first, last):
            if tours.chain[x, TOUR] != NOBODY:
                take_out(visits, tours, x)
        time_anew(visits, tours)
        tours.sums[LOGGED] = 0
