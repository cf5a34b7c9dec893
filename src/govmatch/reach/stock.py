"""Stocks of goods as capacities, and goods as roles that a request needs beside its people.

A stock is a node for each period in which it may be used, with as many units as it has whole lots. What a
request needs of a kind is a role of as many units as lots, at the local day on which its service starts: one
state for all starts on days that share the alliance's edges and every period of that kind's stocks. A lot
that comes from an owner costs the way from the request to the owner, as for a person, over the number of
lots that the request asks of the kind, rounded to hundredths, halves upwards. Nothing else is charged, and
neither pins nor quotas nor announcements are about goods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import Demand, IntArray, Supply
from govmatch.model.goods import period_of
from govmatch.model.problem import Problem
from govmatch.model.schema import PERIODS
from govmatch.model.times import MINUTE, zone_of
from govmatch.ragged import matches
from govmatch.reach.candidates import ANY, CHEAPEST, Arcs, Candidates, Tolls
from govmatch.reach.paths import Paths
from govmatch.reach.seats import Seated
from govmatch.reach.stays import Stays
from govmatch.reach.units import Units

CLOSEST, ROOM, AT_LAST = 16, 500_000, 8
"""Owners of a kind that a request is given at first where all have no room, those of the cheapest ways; room
for lots on all ways together; and how many times that there is at last, when all rounds asked for more."""

_BY_REQUEST = (
    "request_id", "row", "community", "lat", "lon", "earliest", "latest", "wished", "minutes", "people",
    "min_serve", "priority", "clearance", "group", "dialect", "hometown", "unmet_cost", "role",
)  # fmt: skip


def local_days(problem: Problem, first: IntArray) -> IntArray:
    """Return the local days of minutes."""
    return zone_of(problem.policy.time_zone).day(first * MINUTE).astype(np.int64)


def needed_days(problem: Problem) -> IntArray:
    """Return every local day on which a request that needs goods may start, ascending."""
    demand = problem.demand
    request = np.unique(problem.goods.request)
    first, last = (local_days(problem, edge[request]) for edge in (demand.earliest, demand.latest))
    spans = [np.arange(a, b + 1) for a, b in np.unique(np.stack([first, last], axis=1), axis=0).tolist()]
    return np.unique(np.concatenate([np.zeros(0, np.int64), *spans]))


@dataclass(frozen=True)
class Stock:
    """Stocks, and states of what is asked of them, laid beside the people of a problem.

    Attributes
    ----------
    supply : Supply
        The people's with one provider more for each stock and one slot more for each period of it; only what
        the capacity forest reads is extended.
    units : Units
        The people's with one more for each state of goods; of their demand the same holds.
    n_people : int
        Units of people.
    n_slots : int
        Slots of people.
    slot_stock, slot_period : int64 (n_stock_slots,)
        Stock of each further slot, and the number of its period (`period_of`).
    alone : int64 (n_alone_with_goods,)
        Units that would stand alone without their goods: teams of one role, in the order of their requests.
    start : int64 (n_starts + n_alone_with_goods,)
        UTC minute of each of `units.start`, then the earliest of each of `alone`.
    state_want, state_day : int64 (n_states,)
        Of each further unit, the position in `Goods.request` and a local day that stands for it.
    link_state, link_start : int64 (n_links,)
        States and the positions in `start` that they go with.
    pairs : Arcs
        All ways of goods, by unit, then by cost.
    """

    supply: Supply
    units: Units
    n_people: int
    n_slots: int
    slot_stock: IntArray
    slot_period: IntArray
    alone: IntArray
    start: IntArray
    state_want: IntArray
    state_day: IntArray
    link_state: IntArray
    link_start: IntArray
    pairs: Arcs


def stock_up(problem: Problem, units: Units, paths: Paths) -> Stock:
    """Lay the goods of a problem beside the units of its people."""
    goods = problem.goods
    request = np.unique(goods.request)
    by_itself = np.flatnonzero(np.isin(units.request[: units.n_alone], request))
    alone = by_itself[np.argsort(units.request[by_itself], kind="stable")]
    begins = np.concatenate([units.start, problem.demand.earliest[units.request[alone]]])
    day = local_days(problem, begins)
    of_start = np.concatenate([units.team[units.start_team], units.request[alone]])
    # every want at every start of its request
    order = np.argsort(of_start, kind="stable")
    want, at = matches(of_start[order], goods.request)
    start = order[at]
    epoch = paths.epoch_of_day(day[start]).astype(np.int64)
    keys = [want, epoch]
    for number in range(1, len(PERIODS)):
        varies = np.isin(goods.asked_kind[want], goods.stock_kind[goods.period == number])
        keys.append(np.where(varies, period_of(day[start], np.full(len(start), number)), 0))
    _, example, state = np.unique(np.stack(keys), axis=1, return_index=True, return_inverse=True)
    state_want, state_day = want[example], day[start[example]]
    ways, slot_stock, slot_period = _ways(problem, paths, state_want, state_day)
    n, n_slots = len(units.request), len(problem.supply.slot_provider)
    pairs = Arcs(n + ways.request, n_slots + ways.slot, ways.cost)
    return Stock(
        supply=_supply(problem.supply, goods.stock, slot_stock),
        units=_units(units, goods.request[state_want], goods.asked[state_want]),
        n_people=n,
        n_slots=n_slots,
        slot_stock=slot_stock,
        slot_period=slot_period,
        alone=alone,
        start=begins,
        state_want=state_want,
        state_day=state_day,
        link_state=state.reshape(-1),
        link_start=start,
        pairs=pairs,
    )


def _ways(problem: Problem, paths: Paths, want: IntArray, day: IntArray) -> tuple[Arcs, IntArray, IntArray]:
    """Return the ways of all states by state, then cost; and stock and period of each slot, by number."""
    goods, community = problem.goods, problem.demand.community.astype(np.int64)
    order = np.argsort(goods.stock_kind, kind="stable")
    order = order[goods.stock[order] > 0]
    state, at = matches(goods.stock_kind[order], goods.asked_kind[want])
    stock = order[at]
    epoch = paths.epoch_of_day(day).astype(np.int64)
    route = paths.cost[epoch[state], community[goods.request[want[state]]], goods.owner[stock]].astype(
        np.int64
    )
    state, stock, route = state[route >= 0], stock[route >= 0], route[route >= 0]
    cost = lot_cost(route, goods.asked[want[state]])
    period = period_of(day[state], goods.period[stock])
    span = int(period.max(initial=0)) + 1
    slots, slot = np.unique(stock * span + period, return_inverse=True)
    slot = slot.reshape(-1).astype(np.int64)
    by_cost = np.lexsort((slot, cost, state))
    return Arcs(state[by_cost], slot[by_cost], cost[by_cost]), slots // span, slots % span


def lot_cost(route: IntArray, lots: IntArray) -> IntArray:
    """Share the cost of a way among the lots of a request, hundredths, halves upwards."""
    shared: IntArray = (2 * route + lots) // (2 * lots)
    return shared


def _supply(supply: Supply, lots: IntArray, slot_stock: IntArray) -> Supply:
    """Put stocks behind the people; they belong to no organisation and have no days or weeks."""
    n_stocks, n = len(lots), supply.n_providers
    nobody = np.full(n_stocks, -1, dtype=np.int32)
    never = np.zeros(len(slot_stock), dtype=np.int32)
    return replace(
        supply,
        provider_id=np.concatenate([supply.provider_id, np.full(n_stocks, None, dtype=object)]),
        organization=np.concatenate([supply.organization, nobody]),
        slot_provider=np.concatenate([supply.slot_provider, n + slot_stock]).astype(np.int32),
        slot_capacity=np.concatenate([supply.slot_capacity, lots[slot_stock]]),
        slot_day=np.concatenate([supply.slot_day, never]),
        slot_week=np.concatenate([supply.slot_week, never]),
    )


def _units(units: Units, request: IntArray, lots: IntArray) -> Units:
    """Put states of goods behind the people's units, each with the columns of its request."""
    n = len(units.request)
    place = np.zeros(int(units.request.max(initial=0)) + 1, np.int64)
    place[units.request] = np.arange(n)
    at = np.concatenate([np.arange(n), place[request]])
    demand: Demand = replace(units.demand, **{name: getattr(units.demand, name)[at] for name in _BY_REQUEST})
    demand.people[n:] = lots
    return replace(
        units,
        demand=demand,
        request=units.request[at],
        role=np.concatenate([units.role, np.zeros(len(request), np.int64)]),
    )


class Stocked:
    """Candidates of people, and of goods beside them; of `Candidates` it has what the wheel reads."""

    def __init__(self, people: Candidates | Seated, stock: Stock) -> None:
        self._people, self._stock = people, stock
        n = len(stock.state_want)
        stays = people.stays
        self.stays: Stays = replace(
            stays,
            change=np.append(stays.change, np.zeros(n, np.int64)),
            ptr=np.append(stays.ptr, np.full(n, stays.ptr[-1])),
        )
        self.examined = np.append(people.examined, np.ones(n, np.bool_))
        pairs, first = stock.pairs, self._first
        self._rank = np.arange(len(pairs)) - first[pairs.request - stock.n_people]
        capacity, asked = stock.supply.slot_capacity[pairs.slot], stock.units.demand.people[pairs.request]
        filled = np.cumsum(np.bincount(self._rank, np.minimum(capacity, asked)))
        self._most, self._at_last = (
            max(CLOSEST, int((filled <= times * ROOM).sum())) for times in (1, AT_LAST)
        )
        self._given = self._rank < self._most
        self.outside_cost = np.append(people.outside_cost, np.full(n, ANY))
        self._look_outside()

    def _look_outside(self) -> None:
        """Note what the cheapest way costs that each unit was not given."""
        pairs = self._stock.pairs
        left = np.flatnonzero(~self._given)
        unit, first = np.unique(pairs.request[left], return_index=True)
        self.outside_cost[self._stock.n_people :] = ANY
        self.outside_cost[unit] = pairs.cost[left[first]]

    @cached_property
    def _first(self) -> IntArray:
        unit = self._stock.n_people + np.arange(len(self._stock.state_want))
        return np.searchsorted(self._stock.pairs.request, unit)

    def with_closest(self, arcs: Arcs) -> Arcs:
        """Put the first ways of all goods behind the arcs of people."""
        return _joined(arcs, _some(self._stock.pairs, self._given))

    def priced_in(
        self,
        arcs: Arcs,
        request_dual: IntArray,
        slot_price: IntArray,
        k: int = CHEAPEST,
        stop: Callable[[], bool] = lambda: False,
        tolls: Tolls | None = None,
    ) -> tuple[Arcs, bool]:
        """Return the pairs to add, and whether all were looked at; see `Candidates.priced_in`.

        Of goods also twice as many as before, as far as there is room: a bound takes ways that are not given
        to be without limit, so that its duals seldom ask for them.
        """
        n, pairs = self._stock.n_people, self._stock.pairs
        new, looked = self._people.priced_in(
            _some(arcs, arcs.request < n),
            request_dual[:n],
            slot_price[: self._stock.n_slots],
            k,
            stop=stop,
            tolls=tolls,
        )
        cost = pairs.cost + slot_price[pairs.slot]
        below = np.flatnonzero(~self._given & (cost < request_dual[pairs.request]))
        order = below[np.lexsort((cost[below], pairs.request[below]))]
        unit = pairs.request[order]
        chosen = np.zeros(len(pairs), np.bool_)
        chosen[order[np.arange(len(order)) - np.searchsorted(unit, unit) < CLOSEST]] = True
        self._most = min(2 * self._most, self._at_last)
        chosen |= ~self._given & (self._rank < self._most)
        self._given |= chosen
        self._look_outside()
        return _joined(new, _some(pairs, chosen)), looked


def _some(arcs: Arcs, which: NDArray[np.bool_]) -> Arcs:
    return Arcs(arcs.request[which], arcs.slot[which], arcs.cost[which])


def _joined(arcs: Arcs, further: Arcs) -> Arcs:
    """Put arcs of later requests behind others."""
    return Arcs(
        *(np.concatenate([getattr(a, c) for a in (arcs, further)]) for c in ("request", "slot", "cost"))
    )
