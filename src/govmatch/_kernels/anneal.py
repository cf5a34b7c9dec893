"""Better tours by simulated annealing: random moves, worse ones taken less and less often."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from govmatch._kernels.jit import helper, jit
from govmatch._kernels.tours import (
    AFTER,
    BEFORE,
    BEGIN,
    CHOSEN,
    DUE,
    EARLIEST,
    FIRST_VISIT,
    LATEST,
    LOGGED,
    NOBODY,
    OPTION_TOUR,
    OPTIONS,
    OPTIONS_END,
    REQUEST,
    TOUR,
    VISITS_END,
    Tours,
    Visits,
    forget_times,
    option,
    put_in,
    take_out,
    time_anew,
    total_cost,
    undo,
    whole,
)

I64 = NDArray[np.int64]

POLL = 1024
"""Moves between two looks at the stop flag, at one temperature."""

MOVE, SWAP, TAILS = 0.5, 0.75, 0.9
"""Upper ends of the shares of the moves; the rest makes whole requests anew."""

NEAR = 0.6
"""How often a place on a tour is sought near a time, and not anywhere."""

EJECT, DROP = 0.5, 0.1
"""How often a request that nobody makes pushes out whoever comes next, and one that is made is let go."""


@helper
def somewhere(rng: Generator, tours: Tours, end: int, time: int) -> int:
    """Draw what a visit could be put right after on the tour that ends at `end`: by time, or anything."""
    chain = tours.chain
    p = chain[end, AFTER]
    if rng.random() < NEAR:
        while p != end and chain[p, BEGIN] < time:
            p = chain[p, AFTER]
        return int(chain[p, BEFORE])
    found, seen = end, 1
    while p != end:
        seen += 1
        if int(rng.random() * seen) == 0:
            found = p
        p = chain[p, AFTER]
    return found


@helper
def draw_option(rng: Generator, visits: Visits, x: int) -> int:
    """Draw one of the options of a visit, `NOBODY` if it has none."""
    first, last = visits.visit[x, OPTIONS], visits.visit[x, OPTIONS_END]
    return first + int(rng.random() * (last - first)) if last > first else NOBODY


@helper
def move_visit(rng: Generator, visits: Visits, tours: Tours, x: int) -> bool:
    """Move one visit to another place, on its own tour or another."""
    chain = tours.chain
    to = draw_option(rng, visits, x)
    before, by = chain[x, BEFORE], chain[x, CHOSEN]
    take_out(visits, tours, x)
    p = somewhere(rng, tours, len(visits.visit) + visits.option[to, OPTION_TOUR], chain[x, BEGIN])
    if p == before and to == by:
        return False
    put_in(visits, tours, x, p, to)
    return True


@helper
def swap_visits(rng: Generator, visits: Visits, tours: Tours, x: int) -> bool:
    """Let two visits change places."""
    n, chain = len(visits.visit), tours.chain
    to = draw_option(rng, visits, x)
    y = chain[somewhere(rng, tours, n + visits.option[to, OPTION_TOUR], chain[x, BEGIN]), AFTER]
    if y >= n or y == x:
        return False
    fro = option(visits, y, chain[x, TOUR])
    if fro < 0:
        return False
    p, q = chain[x, BEFORE], chain[y, BEFORE]
    take_out(visits, tours, x)
    take_out(visits, tours, y)
    if q == x:  # x, y: y goes where x was, and x behind it
        put_in(visits, tours, y, p, fro)
        put_in(visits, tours, x, y, to)
    else:
        put_in(visits, tours, x, q, to)
        put_in(visits, tours, y, x if p == y else p, fro)
    return True


@helper
def swap_tails(rng: Generator, visits: Visits, tours: Tours, x: int) -> bool:
    """Let what follows at a time on two tours change tours; `x` is the first of one tail."""
    n, chain = len(visits.visit), tours.chain
    own, k = chain[x, TOUR], visits.option[draw_option(rng, visits, x), OPTION_TOUR]
    if k == own:
        return False
    p = chain[x, BEFORE]
    q = somewhere(rng, tours, n + k, chain[x, BEGIN])
    y = chain[q, AFTER]
    return move_tail(visits, tours, x, q, k) and move_tail(visits, tours, y, p, own)


@helper
def move_tail(visits: Visits, tours: Tours, x: int, p: int, k: int) -> bool:
    """Put `x` and what follows right after `p` on tour `k`; False: one of them may not go there."""
    while x < len(visits.visit):
        following = tours.chain[x, AFTER]
        to = option(visits, x, k)
        if to < 0:
            return False
        take_out(visits, tours, x)
        put_in(visits, tours, x, p, to)
        p, x = x, following
    return True


@helper
def drop_request(visits: Visits, tours: Tours, r: int) -> None:
    """Take all visits of a request out."""
    for x in range(visits.request[r, FIRST_VISIT], visits.request[r, VISITS_END]):
        if tours.chain[x, TOUR] >= 0:
            take_out(visits, tours, x)


@helper
def make_anew(rng: Generator, visits: Visits, tours: Tours, r: int) -> bool:
    """Make all visits of a request elsewhere; where they were not made, somebody else may have to go."""
    n = len(visits.visit)
    first, last = visits.request[r, FIRST_VISIT], visits.request[r, VISITS_END]
    made = tours.made[r] > 0
    drop_request(visits, tours, r)
    if made and rng.random() < DROP:
        return True
    for x in range(first, last):
        to = draw_option(rng, visits, x)
        if to < 0:
            return False
        time = tours.chain[x, BEGIN]
        if not made:
            room = min(visits.visit[x, DUE], visits.visit[x, LATEST]) - visits.visit[x, EARLIEST]
            time = visits.visit[x, EARLIEST] + int(rng.random() * (1 + max(0, room)))
        p = somewhere(rng, tours, n + visits.option[to, OPTION_TOUR], time)
        if not made and tours.chain[p, AFTER] < n and rng.random() < EJECT:
            out = visits.visit[tours.chain[p, AFTER], REQUEST]
            if out != r:
                while p < n and visits.visit[p, REQUEST] == out:
                    p = tours.chain[p, BEFORE]
                drop_request(visits, tours, out)
        put_in(visits, tours, x, p, to)
    return True


@helper
def propose(rng: Generator, visits: Visits, tours: Tours) -> bool:
    """Try a random move; False: there is nothing to it."""
    x = int(rng.random() * len(visits.visit))
    r = visits.visit[x, REQUEST]
    if tours.chain[x, TOUR] < 0:
        return make_anew(rng, visits, tours, r)
    kind = rng.random()
    if kind < MOVE:
        return move_visit(rng, visits, tours, x)
    if kind < SWAP:
        return swap_visits(rng, visits, tours, x)
    if kind < TAILS:
        return swap_tails(rng, visits, tours, x)
    return make_anew(rng, visits, tours, r)


@jit
def anneal(
    rng: Generator,
    visits: Visits,
    tours: Tours,
    temperature: float,
    moves: int,
    best: I64,
    stop: NDArray[np.uint8],
) -> None:
    """Try `moves` random moves at one temperature.

    A move that costs d more is taken with probability ``exp(-d / temperature)`` (Kirkpatrick, Gelatt &
    Vecchi 1983; for tours with linked visits Ceschia, Di Gaspero, Rosati & Schaerf 2024).

    Parameters
    ----------
    best : int64 (n_visits + 1, 2)
        Tour and begin of each visit in the best tours so far, then a row that begins with their cost.
    """
    now = total_cost(visits, tours)
    for m in range(moves):
        if m % POLL == 0 and stop[0]:
            break
        tours.sums[LOGGED] = 0
        if not propose(rng, visits, tours) or not whole(visits, tours):
            undo(visits, tours)
            continue
        listed, kept = time_anew(visits, tours)
        if kept:
            cost = total_cost(visits, tours)
            if cost <= now or rng.random() < np.exp((now - cost) / temperature):
                now = cost
                if now < best[-1, 0]:
                    for x in range(len(visits.visit)):
                        best[x, 0] = tours.chain[x, TOUR]
                        best[x, 1] = tours.chain[x, BEGIN]
                    best[-1, 0] = now
                continue
        forget_times(visits, tours, listed)
        undo(visits, tours)
