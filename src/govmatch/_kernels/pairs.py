"""Enumerate eligible request–slot pairs and keep the cheapest.

Two loops with the travel plug between them: `scan` writes the pairs that pass window and path,
the caller asks the plug for their minutes, `keep` applies the remaining conditions, prices the
pairs and keeps the best few of each request, and lists all of them where that is asked.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]
F64 = NDArray[np.float64]

PATH, DISTANCE, CLEARANCE, EXCLUDED, COST, FIT = range(6)
"""Stages in which a pair can fail first, after the window; `FIT` fails none."""


class Requests(NamedTuple):
    """Arrays by request position."""

    source: I32
    earliest: I64
    latest: I64
    wished: I64
    minutes: I64
    people: I64
    clearance: I8
    dialect: I32
    hometown: I32
    unmet_cost: I64
    forbid_ptr: I64
    forbid_provider: I32
    assign_ptr: I64
    assign_provider: I32  # of each request ascending
    change: I64  # what a pair costs more that keeps nobody who is announced
    stay_ptr: I64
    stay_slot: I32  # of each request ascending: the slots in which somebody announced stays
    stay_met: NDArray[np.bool_]  # filled: which of these pairs are eligible


class Providers(NamedTuple):
    """Arrays by provider position."""

    home: I32
    max_travel: F64
    clearance: I8
    dialect: I32
    hometown: I32


class Qualified(NamedTuple):
    """Slots of the providers that hold what one profile of needs asks for, by home node, then start."""

    slot: I32
    provider: I32
    start: I64
    end: I64
    epoch: I32
    until: I64  # minute at which the first certificate that is needed ends
    surplus: I32
    home: I32  # (n_homes,) the distinct homes
    home_ptr: I64  # (n_homes + 1,)
    longest: int


class ByStart(NamedTuple):
    """The same slots ascending by start, for counting who is free in a window."""

    provider: I32
    start: I64
    end: I64
    until: I64
    longest: int


class Weights(NamedTuple):
    """Prices: whole hundredths of an equivalent minute, or minutes; `wait_minutes` is per hour."""

    dialect: int
    hometown: int
    level_minutes: float
    wait_minutes: float
    unknown_minutes: float


class Setting(NamedTuple):
    """What decides on a pair and its cost, beside the pool."""

    requests: Requests
    providers: Providers
    path_cost: I32  # (n_epochs, n_sources, n_nodes), -1 where no path leads
    weights: Weights


class Pairs(NamedTuple):
    """Pairs that pass window and path: positions in the pool, request by request, and their travel."""

    slot: I32
    ptr: I64
    minutes: F64


class Marks(NamedTuple):
    """Scratch: the stamps of the last request that met a provider, or knows a slot, and the stage reached."""

    stamp: I64  # (n_providers,)
    stage: I8  # (n_providers,)
    known: I64  # (n_slots,)


@jit
def fits(earliest: int, latest: int, minutes: int, together: bool, start: int, end: int) -> bool:
    """Whether a slot admits a request; people who come together start at the earliest wish."""
    begins = max(earliest, start)
    if together and begins > earliest:
        return False
    return min(latest, end) - begins >= minutes


@jit
def count_free(chosen: I32, requests: Requests, pool: ByStart, marks: Marks, counts: I64) -> None:
    """Write into `counts[r, 0]` how many providers have a slot that admits request r.

    Requests with equal windows that follow each other in `chosen` are counted once.
    """
    previous = -1
    for r in chosen:
        earliest, latest, minutes = requests.earliest[r], requests.latest[r], requests.minutes[r]
        together = requests.people[r] > 1
        if (
            previous >= 0
            and earliest == requests.earliest[previous]
            and latest == requests.latest[previous]
            and minutes == requests.minutes[previous]
            and together == (requests.people[previous] > 1)
        ):
            counts[r, 0] = counts[previous, 0]
            continue
        free = 0
        first = np.searchsorted(pool.start, earliest + minutes - pool.longest)
        last = np.searchsorted(pool.start, latest - minutes, side="right")
        for t in range(first, last):
            if max(earliest, pool.start[t]) >= pool.until[t]:
                continue
            if fits(earliest, latest, minutes, together, pool.start[t], pool.end[t]):
                p = pool.provider[t]
                if marks.stamp[p] != r:
                    marks.stamp[p] = r
                    free += 1
        counts[r, 0] = free
        previous = r


@jit
def scan(
    chosen: I32,
    begin: int,
    requests: Requests,
    pool: Qualified,
    path_cost: NDArray[np.int32],
    reached: NDArray[np.bool_],
    pair_slot: I32,
    pair_ptr: I64,
) -> int:
    """Write positions in `pool` of the pairs that pass window and path, request by request.

    Starts at `chosen[begin]` and stops before the buffer could overflow; returns the next position.
    `reached[source, node]` tells whether any epoch has a path, so that whole homes are passed over.
    """
    filled = 0
    i = begin
    pair_ptr[0] = 0
    while i < len(chosen):
        r = chosen[i]
        if filled + len(pool.slot) > len(pair_slot):
            break
        source, earliest, latest = requests.source[r], requests.earliest[r], requests.latest[r]
        minutes, together = requests.minutes[r], requests.people[r] > 1
        for h in range(len(pool.home)):
            if not reached[source, pool.home[h]]:
                continue
            start = pool.start[pool.home_ptr[h] : pool.home_ptr[h + 1]]
            first = np.searchsorted(start, earliest + minutes - pool.longest)
            for j in range(first, len(start)):
                if start[j] > latest - minutes:
                    break
                t = pool.home_ptr[h] + j
                if (
                    fits(earliest, latest, minutes, together, start[j], pool.end[t])
                    and max(earliest, start[j]) < pool.until[t]
                    and path_cost[pool.epoch[t], source, pool.home[h]] >= 0
                ):
                    pair_slot[filled] = t
                    filled += 1
        i += 1
        pair_ptr[i - begin] = filled
    return i


@jit
def hundredths(minutes: float) -> int:
    """Round minutes to hundredths, halves upwards."""
    return int(np.floor(minutes * 100.0 + 0.5))


class Best(NamedTuple):
    """The `k` best pairs of each request, ascending by key; `size[r]` of them are filled."""

    size: I32
    slot: I32
    cost: I64
    key: I64


class Prices(NamedTuple):
    """What a slot costs beside its pair: the dual prices above it; and the key a pair must stay below."""

    above: I64
    ceiling: I64
    known_ptr: I64
    known_slot: I32
    tolled: bool
    period: I32  # (n_slots,)
    toll: I64  # (n_periods, n_sources, n_nodes) what a way costs on top in each period


class Every(NamedTuple):
    """All pairs of a block that pass all but the cost: their slots, by request; empty: not asked for."""

    slot: I32
    ptr: I64  # (len(block) + 1,)


@jit
def change_cost(requests: Requests, r: int, slot: int) -> int:
    """Return what a pair costs more, 0 where it keeps somebody who is announced; and note that it is met."""
    first, last = requests.stay_ptr[r], requests.stay_ptr[r + 1]
    q = first + np.searchsorted(requests.stay_slot[first:last], slot)
    if q < last and requests.stay_slot[q] == slot:
        requests.stay_met[q] = True
        return 0
    return int(requests.change[r])


@jit
def keep(
    block: I32,
    setting: Setting,
    pool: Qualified,
    pairs: Pairs,
    prices: Prices,
    marks: Marks,
    counts: I64,
    best: Best,
    every: Every,
) -> None:
    """Apply distance, clearance, exclusion and cost; keep the pairs of smallest cost + price.

    Every term of a cost is rounded by itself. Only pairs with a key below `prices.ceiling[r]` that
    are not among the known ones are kept.
    `counts[r, 1:6]` receive the providers that pass path, distance, clearance, exclusion and cost,
    and `counts[r, 6]` the pairs that pass all but the cost.
    """
    requests, providers, path_cost, weights = setting
    k = best.slot.shape[1]
    listed, listing = 0, len(every.slot) > 0
    for i in range(len(block)):
        r = block[i]
        if listing:
            every.ptr[i] = listed
        stamp = -2 - r
        announced = requests.change[r] > 0 or requests.stay_ptr[r + 1] > requests.stay_ptr[r]
        for q in range(prices.known_ptr[r], prices.known_ptr[r + 1]):
            marks.known[prices.known_slot[q]] = stamp
        for j in range(pairs.ptr[i], pairs.ptr[i + 1]):
            t = pairs.slot[j]
            p = pool.provider[t]
            minutes = pairs.minutes[j]
            if np.isnan(minutes):
                minutes = weights.unknown_minutes
            if marks.stamp[p] != stamp:
                marks.stamp[p] = stamp
                marks.stage[p] = DISTANCE
                counts[r, 1] += 1
            if minutes > providers.max_travel[p]:
                continue
            stage = CLEARANCE
            cost = 0
            if providers.clearance[p] >= requests.clearance[r]:
                stage = EXCLUDED
                allowed = True
                for f in range(requests.forbid_ptr[r], requests.forbid_ptr[r + 1]):
                    if requests.forbid_provider[f] == p:
                        allowed = False
                first, last = requests.assign_ptr[r], requests.assign_ptr[r + 1]
                if last > first:
                    f = first + np.searchsorted(requests.assign_provider[first:last], p)
                    allowed = allowed and f < last and requests.assign_provider[f] == p
                if allowed:
                    stage = COST
                    cost = hundredths(minutes)
                    cost += path_cost[pool.epoch[t], requests.source[r], providers.home[p]]
                    if requests.dialect[r] != -1 and requests.dialect[r] != providers.dialect[p]:
                        cost += weights.dialect
                    if requests.hometown[r] != -1 and requests.hometown[r] != providers.hometown[p]:
                        cost += weights.hometown
                    cost += hundredths(weights.level_minutes * pool.surplus[t])
                    waited = max(requests.earliest[r], pool.start[t]) - requests.wished[r]
                    cost += hundredths(weights.wait_minutes * waited / 60.0)
                    if announced:
                        cost += change_cost(requests, r, pool.slot[t])
                    counts[r, 6] += 1
                    if listing:
                        every.slot[listed] = pool.slot[t]
                        listed += 1
                    if cost < requests.unmet_cost[r] or last > first:
                        stage = FIT
            while marks.stage[p] < stage:
                marks.stage[p] += 1
                counts[r, marks.stage[p]] += 1
            if stage < FIT:
                continue
            s = pool.slot[t]
            key = cost + prices.above[s]
            if prices.tolled:
                key += prices.toll[prices.period[s], requests.source[r], providers.home[p]]
            if key >= prices.ceiling[r]:
                continue
            n = best.size[r]
            if n == k and key >= best.key[r, n - 1]:
                continue
            if marks.known[s] == stamp:
                continue
            if n < k:
                best.size[r] = n + 1
                place = n
            else:
                place = n - 1
            while place > 0 and best.key[r, place - 1] > key:
                best.key[r, place] = best.key[r, place - 1]
                best.cost[r, place] = best.cost[r, place - 1]
                best.slot[r, place] = best.slot[r, place - 1]
                place -= 1
            best.key[r, place] = key
            best.cost[r, place] = cost
            best.slot[r, place] = s
    if listing:
        every.ptr[len(block)] = listed
