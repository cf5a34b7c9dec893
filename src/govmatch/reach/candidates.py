"""Who can serve whom, at what cost: the cheapest pairs, and the pairs that duals price in.

Every eligible pair is looked at once. The number kept is small: the cheapest few of a request at
first, later those whose cost lies below the request's dual less the prices above their slot, as
in column generation (Ahuja, Magnanti & Orlin 1993, ch. 17; Barnhart et al. 1998). A request whose
dual does not exceed the dearest candidate it already has cannot price anything in and is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels import pairs as kernels
from govmatch.model.encoded import Demand, Nodes, Supply
from govmatch.model.policy import Policy
from govmatch.model.travel import Travel
from govmatch.reach.costs import hundredths
from govmatch.reach.paths import Paths
from govmatch.reach.pools import SkillIndex, profiles
from govmatch.reach.stays import Stays
from govmatch.reach.travel import checked_minutes

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

STAGES = ("skill", "level", "certificate", "window", "path", "distance", "clearance", "excluded", "cost")
"""Reasons for which a pair is no arc, in the order in which they are asked."""

CHEAPEST, FEWEST, ROOM = 80, 32, 8_000_000
"""Candidates of a request before the first solve, pricing adds what is missing; and how many of so many
requests that there is no `ROOM` for that many."""

MARGIN = 500
"""Hundredths of an equivalent minute: pricing also takes pairs whose reduced cost is below this. The next
duals may price them in, and a round more costs more than a few arcs more."""

BLOCK = 2_000_000
"""Pairs that are held at once."""

ANY = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Arcs:
    """Eligible pairs, ascending by request."""

    request: IntArray  # (n_arcs,)
    slot: IntArray  # (n_arcs,)
    cost: IntArray  # (n_arcs,) hundredths of an equivalent minute

    def __len__(self) -> int:
        return len(self.request)

    def merged(self, other: Arcs) -> tuple[Arcs, IntArray]:
        """Return both together, ascending by request, and where in it those of `self` stand."""
        place = np.arange(len(self)) + np.searchsorted(other.request, self.request)
        theirs = np.ones(len(self) + len(other), np.bool_)
        theirs[place] = False
        columns = []
        for mine, new in (
            (self.request, other.request),
            (self.slot, other.slot),
            (self.cost, other.cost),
        ):
            column = np.empty(len(theirs), np.int64)
            column[place], column[theirs] = mine, new
            columns.append(column)
        return Arcs(*columns), place


NO_TOLL = np.zeros((1, 1, 1), np.int64)


@dataclass(frozen=True)
class Tolls:
    """Prices, >= 0, of ways through the alliance."""

    period: NDArray[np.int32]  # (n_slots,)
    cost: IntArray  # (n_periods, n_communities, n_nodes)


Block = tuple[NDArray[np.int32], kernels.Qualified, NDArray[np.int32], IntArray]
"""Requests, their pool, and pairs by position in it with pointers by request."""


@dataclass
class _Profile:
    requests: IntArray
    pool: kernels.Qualified
    by_start: kernels.ByStart


class Priced(Protocol):
    """What the wheel reads of candidates."""

    @property
    def stays(self) -> Stays:
        """Who is announced."""

    @property
    def outside_cost(self) -> IntArray:
        """What pairs cost at least that were not returned, (n_units,)."""

    @property
    def examined(self) -> NDArray[np.bool_]:
        """Which units were looked at."""

    def priced_in(
        self,
        arcs: Arcs,
        request_dual: IntArray,
        slot_price: IntArray,
        k: int = CHEAPEST,
        *,
        stop: Callable[[], bool],
        tolls: Tolls | None,
    ) -> tuple[Arcs, bool]:
        """Return the pairs to add to `arcs`, and whether all were looked at."""


class Candidates:
    """All eligible pairs of a problem, enumerated on demand.

    Attributes
    ----------
    passed : int64 (n_requests, len(STAGES) + 1)
        How many providers pass the first j stages; column 0 counts all providers. Filled by `cheapest`.
    travel : PairTravel
        From providers to requests, by position.
    pairs : int
        Eligible pairs of a request and a slot, whatever they cost. Filled by `cheapest`.
    outside_cost : int64 (n_requests,)
        Every eligible pair that `cheapest` did not return costs at least this: the dearest pair that
        was kept, or 0 where the request was not looked at. Filled by `cheapest`.
    examined : bool (n_requests,)
        Which requests `cheapest` looked at.
    stays : Stays
        Who is announced; the costs of pairs are shifted as it says.
    """

    def __init__(
        self,
        nodes: Nodes,
        supply: Supply,
        demand: Demand,
        policy: Policy,
        paths: Paths,
        travel: Travel,
        stays: Stays | None = None,
    ) -> None:
        self.stays = stays if stays is not None else Stays.none(demand.n_requests)
        self._supply, self._demand, self._paths = supply, demand, paths
        self.travel = travel.prepare(supply.lat, supply.lon, supply.mode, demand.lat, demand.lon)
        requests = kernels.Requests(
            source=demand.community,
            earliest=demand.earliest,
            latest=demand.latest,
            wished=demand.wished,
            minutes=demand.minutes,
            people=demand.people,
            clearance=demand.clearance,
            dialect=demand.dialect,
            hometown=demand.hometown,
            unmet_cost=demand.unmet_cost,
            forbid_ptr=np.searchsorted(np.sort(demand.forbid_request), np.arange(demand.n_requests + 1)),
            forbid_provider=demand.forbid_provider[np.argsort(demand.forbid_request, kind="stable")],
            assign_ptr=np.searchsorted(demand.assign_request, np.arange(demand.n_requests + 1)),
            assign_provider=demand.assign_provider,
            change=self.stays.change,
            stay_ptr=self.stays.ptr,
            stay_slot=self.stays.slot,
            stay_met=self.stays.met,
        )
        providers = kernels.Providers(
            home=supply.home,
            max_travel=supply.max_travel_minutes,
            clearance=supply.clearance,
            dialect=supply.dialect,
            hometown=supply.hometown,
        )
        weights = kernels.Weights(
            dialect=int(hundredths(policy.fit.dialect_minutes)),
            hometown=int(hundredths(policy.fit.hometown_minutes)),
            level_minutes=policy.fit.level_minutes,
            wait_minutes=policy.fit.wait_minutes,
            unknown_minutes=policy.travel.unknown_minutes,
        )
        self._setting = kernels.Setting(requests, providers, paths.cost, weights)
        index = SkillIndex(supply, policy.time_zone)
        self._profiles = []
        self.passed = np.zeros((demand.n_requests, len(STAGES) + 1), np.int64)
        self.pairs = 0
        self.examined = np.zeros(demand.n_requests, np.bool_)
        self._reached: NDArray[np.bool_] = np.any(paths.cost >= 0, axis=0)
        for needs, rows in profiles(demand):
            holders = index.holders(needs)
            self._profiles.append(_Profile(rows, *index.pools(holders, paths)))
            self.passed[rows, 1] = holders.with_skill
            self.passed[rows, 2] = len(holders.provider)
            ends = np.sort(holders.until)
            self.passed[rows, 3] = len(ends) - np.searchsorted(ends, demand.earliest[rows], side="right")
        self.passed[:, 0] = supply.n_providers
        self.outside_cost = np.zeros(demand.n_requests, np.int64)

    def cheapest(self, k: int | None = None, stop: Callable[[], bool] = lambda: False) -> Arcs:
        """Return the `k` cheapest eligible pairs of every request that cost less than leaving it.

        Without `k`, as many as there is room for. `stop` is asked between blocks; where it says yes,
        later requests have no arcs.
        """
        n = self._demand.n_requests
        if k is None:
            k = min(CHEAPEST, max(FEWEST, ROOM // max(1, n)))
            # who asks for many needs as many, as far as there is room
            k = max(k, min(2 * int(self._demand.people.max(initial=1)), 4 * ROOM // max(1, n)))
        best, counts, self.examined = self._enumerate(np.ones(n, np.bool_), self._free(), k, stop)
        self._tell(counts)
        full = best.size == k
        self.outside_cost[:] = np.where(self.examined, ANY, 0)
        self.outside_cost[full] = best.key[full, k - 1]
        return _arcs(best)

    def every(self, stop: Callable[[], bool] = lambda: False) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield the requests and slots of all eligible pairs, block by block, whatever they cost.

        `stop` is asked between blocks; where it says yes, later requests have no pairs. What `cheapest` fills
        is filled at the end, but for `outside_cost`.
        """
        n = self._demand.n_requests
        counts, best, prices, marks = np.zeros((n, 7), np.int64), _best(n, 1), self._free(), self._marks()
        self.examined = np.zeros(n, np.bool_)
        for requests, pool, pairs in self._timed(np.ones(n, np.bool_), self.examined, stop):
            ptr = np.zeros(len(requests) + 1, np.int64)
            every = kernels.Every(np.empty(len(pairs.slot), np.int32), ptr)
            kernels.keep(requests, self._setting, pool, pairs, prices, marks, counts, best, every)
            yield np.repeat(requests.astype(np.int64), np.diff(ptr)), every.slot[: ptr[-1]].astype(np.int64)
        self._tell(counts)

    def _free(self) -> kernels.Prices:
        """No slot costs anything, and none is known."""
        n, none = self._demand.n_requests, np.zeros(0, np.int32)
        above = np.zeros(len(self._supply.slot_provider), np.int64)
        return kernels.Prices(above, np.full(n, ANY), np.zeros(n + 1, np.int64), none, False, none, NO_TOLL)

    def _tell(self, counts: IntArray) -> None:
        self._count_free(self.examined, counts)
        self.passed[:, 4:] = counts[:, :6]
        self.pairs = int(counts[:, 6].sum())

    def priced_in(
        self,
        arcs: Arcs,
        request_dual: IntArray,
        slot_price: IntArray,
        k: int = CHEAPEST,
        margin: int = MARGIN,
        stop: Callable[[], bool] = lambda: False,
        tolls: Tolls | None = None,
    ) -> tuple[Arcs, bool]:
        """Return the pairs to add to `arcs`, and whether all were looked at.

        The `k` pairs of least reduced cost of each request outside `arcs`, as far as it is below
        `margin`; none where no request has one below 0.

        Parameters
        ----------
        arcs : Arcs
            What the duals were computed on.
        request_dual : int64 (n_requests,)
        slot_price : int64 (n_slots,)
            Sum of the prices of a slot and the nodes above it.
        k, margin : int
        stop : callable
            Asked between blocks; where it says yes, later requests are not looked at.
        tolls : Tolls, optional
            What ways through the alliance cost on top.
        """
        n = self._demand.n_requests
        # Every pair outside the arcs costs at least the dearest that was kept, and prices are >= 0.
        open_ = request_dual > self.outside_cost
        if not open_.any():
            return _no_arcs(), True
        ceiling = request_dual + margin
        ptr = np.searchsorted(arcs.request, np.arange(n + 1))
        toll = tolls if tolls is not None else Tolls(np.zeros(0, np.int32), NO_TOLL)
        prices = kernels.Prices(
            slot_price, ceiling, ptr, arcs.slot.astype(np.int32), tolls is not None, toll.period, toll.cost
        )
        best, _, examined = self._enumerate(ceiling > self.outside_cost, prices, k, stop)
        prices_in = (best.size > 0) & (best.key[:, 0] < request_dual)
        return _arcs(best) if prices_in.any() else _no_arcs(), bool(examined[open_].all())

    def _enumerate(
        self, wanted: NDArray[np.bool_], prices: kernels.Prices, k: int, stop: Callable[[], bool]
    ) -> tuple[kernels.Best, IntArray, NDArray[np.bool_]]:
        n = self._demand.n_requests
        best, none = _best(n, k), kernels.Every(np.zeros(0, np.int32), np.zeros(0, np.int64))
        counts = np.zeros((n, 7), np.int64)
        examined = ~wanted
        marks = self._marks()
        for requests, pool, pairs in self._timed(wanted, examined, stop):
            kernels.keep(requests, self._setting, pool, pairs, prices, marks, counts, best, none)
        return best, counts, examined

    def _timed(
        self, wanted: NDArray[np.bool_], examined: NDArray[np.bool_], stop: Callable[[], bool]
    ) -> Iterator[tuple[NDArray[np.int32], kernels.Qualified, kernels.Pairs]]:
        """Yield blocks of pairs that pass window and path, with their travel, and note who is examined."""
        for profile in self._profiles:
            if not len(profile.pool.slot):
                examined[profile.requests] = True
        for requests, pool, pair_slot, pair_ptr in self._blocks(wanted):
            if stop():
                break
            examined[requests] = True
            filled = pair_slot[: pair_ptr[-1]]
            origin = pool.provider[filled]
            target = np.repeat(requests, np.diff(pair_ptr))
            yield (
                requests,
                pool,
                kernels.Pairs(filled, pair_ptr, checked_minutes(self.travel, origin, target)),
            )

    def _blocks(self, wanted: NDArray[np.bool_]) -> Iterator[Block]:
        buffer = np.empty(max(BLOCK, len(self._supply.slot_provider)), np.int32)
        for profile in self._profiles:
            chosen = profile.requests[wanted[profile.requests]].astype(np.int32)
            if not len(profile.pool.slot):
                continue
            ptr = np.zeros(len(chosen) + 1, np.int64)
            begin = 0
            while begin < len(chosen):
                end = kernels.scan(
                    chosen,
                    begin,
                    self._setting.requests,
                    profile.pool,
                    self._paths.cost,
                    self._reached,
                    buffer,
                    ptr,
                )
                yield chosen[begin:end], profile.pool, buffer, ptr[: end - begin + 1]
                begin = end

    def _count_free(self, examined: NDArray[np.bool_], counts: IntArray) -> None:
        marks, demand = self._marks(), self._demand
        for profile in self._profiles:
            rows = profile.requests[examined[profile.requests]]
            keys = (demand.people[rows] > 1, demand.minutes[rows], demand.latest[rows], demand.earliest[rows])
            chosen = rows[np.lexsort(keys)].astype(np.int32)
            kernels.count_free(chosen, self._setting.requests, profile.by_start, marks, counts)

    def _marks(self) -> kernels.Marks:
        providers, slots = self._supply.n_providers, len(self._supply.slot_provider)
        stamp, known = np.full(providers, -1, np.int64), np.full(slots, -1, np.int64)
        return kernels.Marks(stamp, np.zeros(providers, np.int8), known)


def _best(n: int, k: int) -> kernels.Best:
    slot, cost, key = np.zeros((n, k), np.int32), np.zeros((n, k), np.int64), np.zeros((n, k), np.int64)
    return kernels.Best(np.zeros(n, np.int32), slot, cost, key)


def _no_arcs() -> Arcs:
    return Arcs(*(np.zeros(0, np.int64) for _ in range(3)))


def _arcs(best: kernels.Best) -> Arcs:
    filled = np.arange(best.slot.shape[1]) < best.size[:, None]
    request = np.repeat(np.arange(len(best.size)), best.size)
    return Arcs(request, best.slot[filled].astype(np.int64), best.cost[filled])
