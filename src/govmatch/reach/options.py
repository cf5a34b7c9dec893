"""Who may make which visit in which slot, what that costs beside the ways, and the bound that follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.model.encoded import FloatArray, Supply
from govmatch.model.policy import Policy
from govmatch.model.travel import Travel
from govmatch.reach.asks import Asks
from govmatch.reach.candidates import Arcs, Candidates
from govmatch.reach.travel import checked_minutes
from govmatch.reach.ways import PARTS, Ways, distinct_places, in_parts

IntArray = NDArray[np.int64]

FAR = 1 << 40
"""Parts of a minute that no slot holds."""

MOST_PAIRS = 20_000_000
"""Pairs of a role and a slot that are looked at and kept."""

MOST_OPTIONS = 64
"""Slots that a visit may be made in, the cheapest from the tour's start; the bound counts all of them."""


@dataclass(frozen=True)
class Stops:
    """The places of a problem with rounds, and the ways between them.

    Attributes
    ----------
    of_ask : int64 (Q,)
        Place of each ask.
    of_provider : int64 (P,)
        Place where each provider's tours begin and end.
    """

    ways: Ways
    of_ask: IntArray
    of_provider: IntArray
    n: int

    @classmethod
    def of(cls, travel: Travel, asks: Asks, supply: Supply, n_modes: int) -> Stops:
        """Take the distinct places of asks and of providers (their tours' starts)."""
        demand = asks.demand
        places, which = distinct_places(
            np.concatenate([demand.lat, supply.lat]), np.concatenate([demand.lon, supply.lon])
        )
        return cls(Ways(travel, places, n_modes), which[: len(asks)], which[len(asks) :], len(places.lat))


@dataclass(frozen=True)
class Options:
    """Eligible pairs of an ask and a slot that holds the visit and the ways, by ask, then slot."""

    ask: IntArray
    slot: IntArray
    terms: IntArray  # (n,) hundredths, without travel and waiting
    out: IntArray  # (n,) parts of a minute from the tour's start to the visit
    back: IntArray  # (n,) parts
    minutes: FloatArray  # (n,) there, as travel states them; NaN unknown

    def __len__(self) -> int:
        return len(self.ask)

    def take(self, at: NDArray[np.integer] | NDArray[np.bool_]) -> Options:
        """Return some of them."""
        return Options(*(getattr(self, name)[at] for name in self.__dataclass_fields__))


def all_pairs(candidates: Candidates, n_asks: int, n_slots: int, stop: Callable[[], bool]) -> Arcs:
    """Return every eligible pair of an ask and a slot, by ask, then slot.

    Raises
    ------
    InvalidInput
        There are too many.
    """
    if n_asks * n_slots > MOST_PAIRS:
        raise InvalidInput(
            f"rounds look at all pairs of {n_asks:,} roles and {n_slots:,} slots; expected at most "
            f"{MOST_PAIRS:,} pairs: match a smaller area or a shorter horizon"
        )
    arcs = candidates.cheapest(max(1, n_slots), stop)
    order = np.lexsort((arcs.slot, arcs.request))
    return Arcs(arcs.request[order], arcs.slot[order], arcs.cost[order])


def options_of(
    arcs: Arcs,
    asks: Asks,
    supply: Supply,
    policy: Policy,
    candidates: Candidates,
    stops: Stops,
    terms: IntArray,
) -> Options:
    """Keep the eligible pairs whose slot holds the way there, the visit in its window, and the way back."""
    provider = supply.slot_provider[arcs.slot].astype(np.int64)
    there = checked_minutes(candidates.travel, provider.astype(np.int32), arcs.request.astype(np.int32))
    place, base = stops.of_ask[arcs.request], stops.of_provider[provider]
    returns = stops.ways.minutes(supply.mode[provider], place, base)
    unknown = policy.travel.unknown_minutes
    out, back = in_parts(there, unknown, FAR), in_parts(returns, unknown, FAR)
    demand = asks.demand
    minutes = demand.minutes[arcs.request]
    low = np.maximum(demand.earliest[arcs.request] * PARTS, supply.slot_start[arcs.slot] * PARTS + out)
    high = PARTS * np.minimum(demand.latest[arcs.request] - minutes, supply.slot_end[arcs.slot] - minutes)
    high = np.minimum(high, (supply.slot_end[arcs.slot] - minutes) * PARTS - back)
    found = Options(arcs.request, arcs.slot, terms, out, back, there)
    return found.take(low <= high)


def fewer(options: Options, asks: Asks, supply: Supply, policy: Policy) -> Options:
    """Keep the cheapest options of every ask, seen alone from the tour's start."""
    late = np.maximum(
        0, supply.slot_start[options.slot] * PARTS + options.out - asks.due[options.ask] * PARTS
    )
    price = policy.rounds.late_minutes + policy.rounds.largest_late_minutes
    key = options.terms + options.out * 100 // PARTS + np.floor(late * price * 100 / PARTS).astype(np.int64)
    order = np.lexsort((options.slot, key, options.ask))
    first = np.searchsorted(options.ask[order], options.ask[order])
    rank = np.arange(len(order)) - first
    kept = rank < np.maximum(MOST_OPTIONS, 4 * asks.people[options.ask[order]])
    return options.take(np.sort(order[kept]))


def least_ways(options: Options, asks: Asks, supply: Supply, stops: Stops, unknown: float) -> IntArray:
    """Return the shortest way to each ask and the shortest from it, together, parts, (Q,).

    From a tour's start, or from another visit, by any mode that somebody eligible has; `FAR` where nobody is.
    """
    n = len(asks)
    into, away = np.full(n, FAR), np.full(n, FAR)
    np.minimum.at(into, options.ask, options.out)
    np.minimum.at(away, options.ask, options.back)
    place, which, count = np.unique(stops.of_ask, return_inverse=True, return_counts=True)
    which, p = which.reshape(-1), len(place)
    origin, goal = (x.reshape(-1) for x in np.meshgrid(place, place, indexing="ij"))
    for mode in np.unique(supply.mode[supply.slot_provider[options.slot]]):
        ways = in_parts(stops.ways.minutes(np.full(p * p, mode), origin, goal), unknown, FAR).reshape(p, p)
        np.fill_diagonal(ways, np.where(count > 1, np.diagonal(ways), FAR))
        into = np.minimum(into, ways.min(axis=0, initial=FAR)[which])
        away = np.minimum(away, ways.min(axis=1, initial=FAR)[which])
    both: IntArray = into + away
    return both
