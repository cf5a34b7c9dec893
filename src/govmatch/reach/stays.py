"""Announced people who may stay: the pairs that keep them, and what it costs to change anybody else.

Every person announced for a request who is not sent there again in the same role at the same start costs
``policy.stability.change_minutes``, D. Of a request for n people of which A were announced and k stay, that
is ``D (A - k)``. Here it is charged the other way round, so that no cost is negative: every other person sent
to that request, and every unserved one, costs D more. A plan sends or misses n people, k of whom stay, so::

    sum of the shifted costs = sum of the costs + D (n - k)
                             = sum of the costs + D (A - k) + D (n - A)

``D (n - A)`` does not depend on the plan: the optima are the same, and a bound on the shifted cost less that
constant is a bound on the true one. A team that is not served misses all of its n people, so its worth rises
by ``D n``, and each absence from it by D: the same holds for it. An organisation that has m of its people
announced in one slot keeps them with the first m whom it sends again; each further one costs D more, which is
convex. Whoever was announced for a request that is gone costs D in any plan, which is part of the constant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import BoolArray, Demand, Int32Array, IntArray, Supply, Teams, TextArray
from govmatch.model.problem import Problem
from govmatch.reach.costs import hundredths
from govmatch.reach.units import Units

_SPAN = 1 << 40  # minutes


@dataclass(frozen=True)
class Announced:
    """People of an earlier plan, one each; positions are -1 where the tables no longer have them."""

    request: IntArray  # (n,) position in the problem's demand
    role: TextArray  # (n,) name
    provider: IntArray  # (n,)
    start: IntArray  # (n,) minutes UTC

    def shifted(self, problem: Problem) -> Problem:
        """Return the problem with what leaving announced requests costs more."""
        demand = problem.demand
        unmet_cost = demand.unmet_cost + change_cost(problem) * self.named(demand)
        return replace(problem, demand=replace(demand, unmet_cost=unmet_cost))

    def team_role(self, teams: Teams) -> IntArray:
        """Return the role of a team of each person, -1 where there is none, (n,)."""
        of = zip(teams.request.tolist(), teams.role.tolist(), strict=True)
        position = {key: q for q, key in enumerate(of)}
        wanted = zip(self.request.tolist(), self.role.tolist(), strict=True)
        return np.array([position.get(key, -1) for key in wanted], np.int64)

    def team_starts(self, teams: Teams) -> dict[int, list[int]]:
        """Return the starts that are announced, by role of a team."""
        found: dict[int, list[int]] = {}
        for role, start in zip(self.team_role(teams).tolist(), self.start.tolist(), strict=True):
            if role >= 0 and start not in found.setdefault(role, []):
                found[role].append(start)
        return found

    def named(self, demand: Demand) -> BoolArray:
        """Tell which requests anybody is announced for, (n_requests,)."""
        named = np.zeros(demand.n_requests, np.bool_)
        named[self.request[self.request >= 0]] = True
        return named


@dataclass(frozen=True)
class Stays:
    """The pairs of a unit and a slot in which announced people stay.

    Attributes
    ----------
    change : int64 (n_units,)
        Hundredths that each other pair of the unit costs more.
    ptr : int64 (n_units + 1,)
    slot : int32 (n_stays,)
        Of each unit ascending.
    people : int64 (n_stays,)
        How many are announced there.
    met : bool (n_stays,)
        Filled where candidates are enumerated: whether the pair is eligible.
    of : int64 (n_announced,)
        The pair in which each announced person stays; -1 where there is none.
    constant : int
        What the true cost of any plan is above its shifted cost, hundredths.
    """

    change: IntArray
    ptr: IntArray
    slot: Int32Array
    people: IntArray
    met: BoolArray
    of: IntArray
    constant: int

    @classmethod
    def none(cls, n_units: int) -> Stays:
        """Nobody is announced."""
        empty, zero = np.zeros(0, np.int64), np.zeros(n_units, np.int64)
        nobody = np.zeros(0, np.int32), empty, np.zeros(0, np.bool_), empty
        return cls(zero, np.zeros(n_units + 1, np.int64), *nobody, 0)

    def announced(self, unit: IntArray, slot: IntArray) -> IntArray:
        """Return how many people are announced in each pair."""
        found = np.zeros(len(unit), np.int64)
        if not len(self.slot):
            return found
        some = np.flatnonzero(self.ptr[unit + 1] > self.ptr[unit])
        key = self._unit * _SPAN + self.slot
        wanted = unit[some] * _SPAN + slot[some]
        at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        found[some] = np.where(key[at] == wanted, self.people[at], 0)
        return found

    def possible(self, examined: NDArray[np.bool_]) -> BoolArray:
        """Tell who of those announced could stay, as far as it was looked at, (n_announced,)."""
        if not len(self.slot):
            return np.zeros(len(self.of), np.bool_)
        could = self.met | ~examined[self._unit]
        return np.where(self.of >= 0, could[self.of], False)

    def within(self, units: IntArray, first: int, last: int) -> tuple[Stays, IntArray]:
        """Return the pairs of some units, ascending, with slots from `first` to before `last`, counted anew.

        Also which of these pairs they are, to fill `met` from. `of` and `constant` are nobody's.
        """
        place = np.full(len(self.change), -1)
        place[units] = np.arange(len(units))
        unit = place[self._unit]
        kept = np.flatnonzero((unit >= 0) & (self.slot >= first) & (self.slot < last))
        part = Stays(
            change=self.change[units],
            ptr=np.searchsorted(unit[kept], np.arange(len(units) + 1)).astype(np.int64),
            slot=self.slot[kept] - np.int32(first),
            people=self.people[kept],
            met=np.zeros(len(kept), np.bool_),
            of=np.zeros(0, np.int64),
            constant=0,
        )
        return part, kept

    @property
    def _unit(self) -> IntArray:
        return np.repeat(np.arange(len(self.change)), np.diff(self.ptr))


def change_cost(problem: Problem) -> int:
    """Return what one change costs, hundredths."""
    return int(hundredths(problem.policy.stability.change_minutes))


def stays_of(problem: Problem, units: Units, announced: Announced) -> Stays:
    """Find the unit and the slot in which each announced person stays.

    A provider's slots lie apart, so a start is in one of them at most.
    """
    price, demand, supply = change_cost(problem), problem.demand, problem.supply
    named = announced.named(demand)
    unit = _units(problem, units, announced)
    slot = _slots(supply, announced.provider, announced.start)
    begins = np.maximum(np.append(units.demand.earliest, 0)[unit], np.append(supply.slot_start, 0)[slot])
    found = np.flatnonzero((unit >= 0) & (slot >= 0) & (begins == announced.start))
    pairs, which, people = np.unique(
        unit[found] * _SPAN + slot[found], return_inverse=True, return_counts=True
    )
    of = np.full(len(unit), -1)
    of[found] = which.reshape(-1)
    return Stays(
        change=price * named[units.request],
        ptr=np.searchsorted(pairs // _SPAN, np.arange(len(units.request) + 1)).astype(np.int64),
        slot=(pairs % _SPAN).astype(np.int32),
        people=people.astype(np.int64),
        met=np.zeros(len(pairs), np.bool_),
        of=of,
        constant=price * (len(unit) - int(demand.people[named].sum())),
    )


def _units(problem: Problem, units: Units, announced: Announced) -> IntArray:
    """Return the unit of each announced person's role, and of a team's role at its start; -1: none."""
    teams, request = problem.teams, announced.request
    role = announced.team_role(teams)
    alone = np.full(problem.demand.n_requests + 1, -1)
    alone[units.request[: units.n_alone]] = np.arange(units.n_alone)
    unit = alone[request]
    unit[(unit >= 0) & (np.append(units.demand.role, "")[unit] != announced.role)] = -1
    if not len(teams.request):
        return unit
    states = np.arange(units.n_alone, len(units.role))
    key = units.role[states] * _SPAN + units.demand.earliest[states]
    order = np.argsort(key, kind="stable")
    at = _place(key[order], role * _SPAN + announced.start)
    known = (role >= 0) & (announced.start >= 0) & (announced.start < _SPAN) & (at >= 0)
    unit[known] = states[order][at[known]]
    return unit


def _place(key: IntArray, wanted: IntArray) -> IntArray:
    """Return where each wanted key stands among ascending ones; -1: nowhere."""
    if not len(key):
        return np.full(len(wanted), -1)
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[at] == wanted, at, -1)


def _slots(supply: Supply, provider: IntArray, start: IntArray) -> IntArray:
    """Return the slot of each provider that is open at a time; -1: none."""
    if not len(supply.slot_start):
        return np.full(len(provider), -1)
    first = int(supply.slot_start.min())
    key = supply.slot_provider.astype(np.int64) * _SPAN + (supply.slot_start - first)
    when = np.clip(start - first, -1, _SPAN - 1)
    at = np.searchsorted(key, provider * _SPAN + when, side="right") - 1
    open_ = (at >= 0) & (provider >= 0) & (when >= 0)
    open_ &= (supply.slot_provider[at] == provider) & (supply.slot_end[at] > start)
    return np.where(open_, at, -1)
