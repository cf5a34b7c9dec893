"""Candidates where there are sessions: people as ever, and every seat that a request could take.

Seats are enumerated all at once, since who of a household sits where depends on all of them; pricing adds
people only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import BoolArray, Demand, Nodes, Supply
from govmatch.model.policy import Policy
from govmatch.model.sessions import people_of, seats_of
from govmatch.model.travel import Travel
from govmatch.reach.candidates import CHEAPEST, Arcs, Candidates, Tolls
from govmatch.reach.paths import Paths
from govmatch.reach.stays import Stays
from govmatch.reach.units import Units

IntArray = NDArray[np.int64]


class Seated:
    """As `Candidates`, of people and of sessions.

    Attributes
    ----------
    tie : int64 (n_units,)
        The household of each unit that could sit in a session, among those of which several could; else -1.
        Sessions that could not take all of a household are not among the pairs.
    people : Candidates
        Without the sessions.
    eligible : Arcs
        Every pair of a unit and a session's slot that is eligible, for households one by one.
    seats : Supply
        The sessions alone.
    first_slot : int
        How many slots of people stand before theirs.
    """

    def __init__(
        self,
        nodes: Nodes,
        supply: Supply,
        units: Units,
        policy: Policy,
        paths: Paths,
        travel: Travel,
        may_sit: BoolArray,
        siblings: IntArray,
        stays: Stays | None = None,
    ) -> None:
        demand = units.demand
        self.stays = Stays.none(demand.n_requests) if stays is None else stays
        self.travel = travel.prepare(supply.lat, supply.lon, supply.mode, demand.lat, demand.lon)
        every = np.arange(demand.n_requests)
        first, last = np.searchsorted(supply.slot_provider, [supply.n_people, supply.n_providers]).tolist()
        mine, self._stays_of_people = self.stays.within(every, 0, first)
        self.people = Candidates(nodes, people_of(supply), demand, policy, paths, travel, mine)
        self._siblings, self._demand = siblings[units.request], demand
        seats, self._before, self.first_slot = seats_of(supply)
        self.seats = seats
        self._sitting = np.flatnonzero(may_sit[units.request] & (units.role < 0))
        theirs = _chosen(demand, self._sitting, self._before)
        mine, self._stays_of_seats = self.stays.within(self._sitting, first, last)
        self._sessions = Candidates(nodes, seats, theirs, policy, paths, travel, mine)
        self.tie = np.full(demand.n_requests, -1)
        self.eligible = Arcs(*(np.zeros(0, np.int64) for _ in range(3)))
        self._session_pairs = 0

    @property
    def passed(self) -> IntArray:
        """How many providers pass the first stages; sessions count for requests that they may serve."""
        passed = self.people.passed.copy()
        passed[self._sitting] += self._sessions.passed
        return passed

    @property
    def pairs(self) -> int:
        """Eligible pairs of a request and a slot, whatever they cost."""
        return self.people.pairs + self._sessions.pairs

    @property
    def outside_cost(self) -> IntArray:
        """Every eligible pair that `cheapest` did not return costs at least this, but for those of ties."""
        return self.people.outside_cost

    @property
    def examined(self) -> BoolArray:
        """Which units were looked at."""
        return self.people.examined

    def cheapest(self, stop: Callable[[], bool] = lambda: False) -> Arcs:
        """Return the cheapest pairs with people, and all with sessions."""
        found = self._sessions.cheapest(k=max(1, _most_of_a_skill(self.seats)))
        unit, slot = self._sitting[found.request], found.slot + self.first_slot
        self.eligible = Arcs(unit, slot, found.cost)
        kept = self._together(unit, found.slot)
        seats = Arcs(unit[kept], slot[kept], found.cost[kept])
        people = self.people.cheapest(stop=stop)
        self.stays.met[self._stays_of_people] = self.people.stays.met
        self.stays.met[self._stays_of_seats] = self._sessions.stays.met
        return people.merged(seats)[0]

    def priced_in(
        self,
        arcs: Arcs,
        request_dual: IntArray,
        slot_price: IntArray,
        k: int = CHEAPEST,
        stop: Callable[[], bool] = lambda: False,
        tolls: Tolls | None = None,
    ) -> tuple[Arcs, bool]:
        """Return the pairs with people to add; see `Candidates.priced_in`."""
        known = arcs.slot < self.first_slot
        people = Arcs(arcs.request[known], arcs.slot[known], arcs.cost[known])
        price = slot_price[: self.first_slot]
        return self.people.priced_in(people, request_dual, price, k, stop=stop, tolls=tolls)

    def _together(self, unit: IntArray, slot: IntArray) -> BoolArray:
        """Tie the units of a household that could sit, and tell which pairs are of sessions for all of it."""
        kept = np.ones(len(unit), np.bool_)
        sits = np.unique(unit)
        group = np.full(len(self.tie), -1)
        group[sits] = self._siblings[sits]
        tied = np.flatnonzero(group >= 0)
        members = np.bincount(group[tied], minlength=int(group.max(initial=-1)) + 1)
        several = tied[members[group[tied]] > 1]
        self.tie[several] = np.unique(group[several], return_inverse=True)[1]
        at = np.flatnonzero(self.tie[unit] >= 0)
        tie = self.tie[unit[at]]
        wide = len(self.seats.slot_start)
        size = np.bincount(self.tie[several])
        people = np.bincount(self.tie[several], self._demand.people[several]).astype(np.int64)
        pair = tie * wide + slot[at]
        _, which, count = np.unique(pair, return_inverse=True, return_counts=True)
        kept[at] = (count[which] == size[tie]) & (people[tie] <= self.seats.slot_capacity[slot[at]])
        return kept


def _most_of_a_skill(seats: Supply) -> int:
    """Return how many sessions offer the skill that most offer."""
    return int(np.bincount(seats.skill_code).max(initial=0)) if len(seats.skill_code) else 0


def _chosen(demand: Demand, rows: IntArray, before: int) -> Demand:
    """Take some requests, and count providers from the first session on."""
    n, m = demand.n_requests, len(demand.need_skill)
    counts = np.diff(demand.need_ptr)[rows]
    ptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    need = np.repeat(demand.need_ptr[rows] - ptr[:-1], counts) + np.arange(ptr[-1])
    place = np.full(n, -1)
    place[rows] = np.arange(len(rows))
    taken = {}
    for column in fields(demand):
        values = getattr(demand, column.name)
        if column.name.startswith("need_") and column.name != "need_ptr":
            taken[column.name] = values[need] if len(values) == m else values
        elif not column.name.startswith(("need_", "forbid_", "assign_")):
            taken[column.name] = values[rows]
    for action in ("forbid", "assign"):
        request, provider = getattr(demand, f"{action}_request"), getattr(demand, f"{action}_provider")
        kept = place[request] >= 0
        taken[f"{action}_request"] = place[request[kept]].astype(np.int32)
        taken[f"{action}_provider"] = (provider[kept] - before).astype(np.int32)
    return replace(demand, **taken, need_ptr=ptr)
