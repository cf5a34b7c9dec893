"""Who may make which visit in which slot, what that costs beside the ways, and the ways between visits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.model.encoded import FloatArray, Supply
from govmatch.model.policy import Policy
from govmatch.model.schema import MODES
from govmatch.model.travel import Travel
from govmatch.reach.asks import Asks
from govmatch.reach.candidates import Candidates
from govmatch.reach.ways import PARTS, Ways, distinct_places, in_parts

IntArray = NDArray[np.int64]

FAR = 1 << 40
"""Parts of a minute that no slot holds."""

MOST_PAIRS = 20_000_000
"""Eligible pairs of a role and a slot that are held at once."""

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
        Place where each provider's tours begin and end; -1 without a slot.
    """

    ways: Ways
    of_ask: IntArray
    of_provider: IntArray

    @classmethod
    def of(cls, travel: Travel, asks: Asks, supply: Supply, n_modes: int) -> Stops:
        """Take the distinct places of asks and of providers with slots (their tours' starts)."""
        demand = asks.demand
        mine = np.unique(supply.slot_provider)
        places, which = distinct_places(
            np.concatenate([demand.lat, supply.lat[mine]]), np.concatenate([demand.lon, supply.lon[mine]])
        )
        of_provider = np.full(supply.n_providers, -1)
        of_provider[mine] = which[len(asks) :]
        return cls(Ways(travel, places, n_modes), which[: len(asks)], of_provider)


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


def all_pairs(candidates: Candidates, stop: Callable[[], bool]) -> tuple[IntArray, IntArray]:
    """Return the ask and the slot of every eligible pair, by ask, then slot.

    Raises
    ------
    InvalidInput
        There are too many.
    """
    found, n = [(np.zeros(0, np.int64), np.zeros(0, np.int64))], 0
    for block in candidates.every(stop):
        found.append(block)
        n += len(block[0])
        if n > MOST_PAIRS:
            raise InvalidInput(
                f"rounds hold all eligible pairs of a role and a slot: {n:,} and more; expected at most "
                f"{MOST_PAIRS:,}: match a smaller area or a shorter horizon"
            )
    ask, slot = (np.concatenate([block[i] for block in found]) for i in (0, 1))
    order = np.lexsort((slot, ask))
    return ask[order], slot[order]


def options_of(
    ask: IntArray,
    slot: IntArray,
    there: FloatArray,
    asks: Asks,
    supply: Supply,
    policy: Policy,
    stops: Stops,
    terms: IntArray,
) -> Options:
    """Keep the eligible pairs whose slot holds the way there, the visit in its window, and the way back.

    `there`, (n,), are the minutes from the tour's start; NaN: unknown.
    """
    provider = supply.slot_provider[slot].astype(np.int64)
    returns = stops.ways.minutes(supply.mode[provider], stops.of_ask[ask], stops.of_provider[provider])
    unknown = policy.travel.unknown_minutes
    out, back = in_parts(there, unknown, FAR), in_parts(returns, unknown, FAR)
    demand = asks.demand
    minutes = demand.minutes[ask]
    low = np.maximum(demand.earliest[ask] * PARTS, supply.slot_start[slot] * PARTS + out)
    high = PARTS * np.minimum(demand.latest[ask] - minutes, supply.slot_end[slot] - minutes)
    high = np.minimum(high, (supply.slot_end[slot] - minutes) * PARTS - back)
    found = Options(ask, slot, terms, out, back, there)
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


@dataclass(frozen=True)
class Between:
    """Ways from visit to visit, by the modes of those who could make one."""

    parts: NDArray[np.int32]  # (n_used, n_places, n_places)
    complete: bool  # whether there was time for all
    mode: IntArray  # (n_modes,) where each mode stands in `parts`
    place: IntArray  # (Q,) where each ask stands in `parts`


def ways_between(
    options: Options, supply: Supply, stops: Stops, unknown: float, stop: Callable[[], bool]
) -> Between:
    """Ask for the ways from every ask to every other; `stop` is asked between blocks."""
    modes = np.unique(supply.mode[supply.slot_provider[options.slot]]).astype(np.int64)
    places, which = np.unique(stops.of_ask, return_inverse=True)
    parts, complete = stops.ways.between(modes, places, unknown, stop)
    mode = np.zeros(len(MODES), np.int64)
    mode[modes] = np.arange(len(modes))
    return Between(parts, complete, mode, which.reshape(-1))
