"""What is matched: a request that stands alone, or one role of a team at one of its starts.

A team starts at the earliest wish or a whole number of ``policy.slots.start_minutes`` later; a role that
follows another starts ``after_least`` minutes after it or a whole number of them later, up to
``after_most``. A start before which no slot has begun since the last is left out: whoever could come could
have come then, and the wait is shorter. That does not hold of the starts at which somebody is announced, nor
of the first on a local day where goods are needed, nor where a reserve is kept hour by hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import BoolArray, Demand, Teams
from govmatch.model.problem import Problem
from govmatch.model.times import MINUTE, zone_of
from govmatch.ragged import matches

IntArray = NDArray[np.int64]

DEAREST = 1 << 36
"""More hundredths of a minute than any pair costs, with its load: 1,300 years."""


@dataclass(frozen=True)
class Units:
    """All units as one `Demand`, those that stand alone first, and how teams are made of the others.

    A state is a team's start, without a unit of its own, or a role at a start. Every role's state is linked
    to the states, of the role that it follows or of the team, at which it may start so.

    Attributes
    ----------
    demand : Demand
        By unit. A role's `earliest` is its start, and `unmet_cost` that of its whole team: dearer people
        are in no plan.
    request : int64 (n_units,)
        Position in the problem's demand.
    role : int64 (n_units,)
        Position in the problem's teams; -1 for a request that stands alone.
    team : int64 (n_teams,)
        Position of each team's request in the problem's demand, ascending.
    start_team : int64 (n_starts,)
        The team of each of its starts; these states come first.
    start : int64 (n_starts,)
        UTC minute of each.
    link_state, link_parent : int64 (n_links,)
        State ``n_starts + u`` is unit ``n_alone + u``; a parent is a start where the role follows none.
    """

    demand: Demand
    request: IntArray
    role: IntArray
    team: IntArray
    start_team: IntArray
    start: IntArray
    link_state: IntArray
    link_parent: IntArray

    @property
    def n_alone(self) -> int:
        """How many requests stand alone."""
        return int((self.role < 0).sum())


def units_of(problem: Problem, announced: Mapping[int, Sequence[int]] | None = None) -> Units:
    """List the units of a problem; `announced` has starts at which a team's role may be, by its position."""
    demand, teams = _before_all(problem.demand), problem.teams
    none = np.zeros(0, np.int64)
    team = np.unique(teams.request)
    if not len(team):
        every = np.arange(demand.n_requests)
        return Units(demand, every, np.full(len(every), -1), team, none, none, none, none)
    grid = _Grid(problem, announced or {})
    for number, request in enumerate(team.tolist()):
        grid.add(number, request)
    alone = np.setdiff1d(np.arange(demand.n_requests), team)
    role, start = np.array(grid.role, np.int64), np.array(grid.start, np.int64)
    request = np.concatenate([alone, teams.request[role]])
    of_role = np.concatenate([np.full(len(alone), -1), role])
    link = np.array(grid.link, np.int64).reshape(-1, 2)
    n_starts = len(grid.start_team)
    # starts have negative numbers until it is known how many there are
    parent = np.where(link[:, 1] < 0, -1 - link[:, 1], link[:, 1] + n_starts)
    return Units(
        _demand(demand, team_worth(problem), teams, request, of_role, start),
        request,
        of_role,
        team,
        np.array(grid.start_team, np.int64),
        np.array(grid.begins, np.int64),
        link[:, 0] + n_starts,
        parent,
    )


def pin_cost(demand: Demand) -> int:
    """Return what leaving an assigned request costs on top, for each person or team: more than all else."""
    if not len(demand.assign_request):
        return 0
    return max(DEAREST, 1 + int((demand.unmet_cost * demand.people).sum()))


def _before_all(demand: Demand) -> Demand:
    """Let assigned requests go before all others."""
    if not len(demand.assign_request):
        return demand
    unmet_cost = demand.unmet_cost.copy()
    unmet_cost[np.unique(demand.assign_request)] += pin_cost(demand)
    return replace(demand, unmet_cost=unmet_cost)


class _Grid:
    """The starts of teams and their roles, collected team by team."""

    def __init__(self, problem: Problem, announced: Mapping[int, Sequence[int]]) -> None:
        self._announced = announced
        self._demand, self._teams = problem.demand, problem.teams
        self._step = problem.policy.slots.start_minutes
        self._slots = np.unique(problem.supply.slot_start)
        self._first = np.searchsorted(problem.teams.request, np.arange(problem.demand.n_requests + 1))
        self._zone = zone_of(problem.policy.time_zone)
        self._needs_goods = set(problem.goods.request.tolist())
        self._every_start = "reserve" in problem.features
        self.start_team: list[int] = []
        self.begins: list[int] = []
        self.role: list[int] = []
        self.start: list[int] = []
        self.link: list[tuple[int, int]] = []

    def add(self, number: int, request: int) -> None:
        """List all states of a team and their links."""
        teams = self._teams
        first, last = int(self._first[request]), int(self._first[request + 1])
        order = (
            _parents_first(np.where(teams.after[first:last] >= 0, teams.after[first:last] - first, -1))
            + first
        )
        least, most = np.zeros(last - first, np.int64), np.zeros(last - first, np.int64)
        for q in order.tolist():
            up = int(teams.after[q])
            if up >= 0:
                least[q - first] = least[up - first] + teams.after_least[q]
                most[q - first] = most[up - first] + teams.after_most[q]
        at: dict[tuple[int, int], int] = {}
        linked: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for p in self._starts(request, least, most, teams.minutes[first:last]):
            self.start_team.append(number)
            self.begins.append(p)
            states = {-1: [(p, -len(self.start_team))]}
            for q in order.tolist():
                up = int(teams.after[q])
                states[q] = self._states(q, states[up], int(self._demand.latest[request]), at, linked)

    def _starts(self, request: int, least: IntArray, most: IntArray, minutes: IntArray) -> list[int]:
        """Return the starts of a team that none before makes needless."""
        earliest, latest = int(self._demand.earliest[request]), int(self._demand.latest[request])
        last = latest - int((least + minutes).max())
        starts = np.arange(earliest, last + 1, self._step)
        begun = np.searchsorted(self._slots, starts[:, None] + most, side="right")
        before = np.searchsorted(self._slots, starts[:, None] - self._step + least, side="right")
        needed = (begun > before).any(axis=1) | (starts == earliest) | self._every_start
        for i in range(len(least)):
            for start in self._announced.get(int(self._first[request]) + i, ()):
                needed |= (starts + least[i] <= start) & (start <= starts + most[i])
        if request in self._needs_goods:  # of which there may be more on another day
            needed |= np.diff(self._zone.day(starts * MINUTE), prepend=-1) != 0
        found: list[int] = starts[needed].tolist()
        return found

    def _states(
        self,
        q: int,
        parents: list[tuple[int, int]],
        latest: int,
        at: dict[tuple[int, int], int],
        linked: dict[tuple[int, int], list[tuple[int, int]]],
    ) -> list[tuple[int, int]]:
        """Link a role's states to those before it, each once; return them, each with its start."""
        found: dict[int, int] = {}
        least, most = int(self._teams.after_least[q]), int(self._teams.after_most[q])
        last = latest - int(self._teams.minutes[q])
        for begun, parent in parents:
            if (q, parent) not in linked:
                mine = linked[q, parent] = []
                for start in range(begun + least, min(begun + most, last) + 1, self._step):
                    if (q, start) not in at:
                        at[q, start] = len(self.role)
                        self.role.append(q)
                        self.start.append(start)
                    mine.append((start, at[q, start]))
                    self.link.append((at[q, start], parent))
            found.update(linked[q, parent])
        return list(found.items())


def _parents_first(after: IntArray) -> IntArray:
    """Order roles so that each comes after the one that it follows."""
    depth = np.zeros(len(after), np.int64)
    up = after.copy()
    while (up >= 0).any():
        depth += up >= 0
        up = np.where(up >= 0, after[up], -1)
    return np.argsort(depth, kind="stable")


def team_worth(problem: Problem) -> IntArray:
    """Return what leaving all people of each request costs, (n_requests,); once more if it is assigned."""
    demand = problem.demand
    worth = demand.unmet_cost * demand.people
    worth[np.unique(demand.assign_request)] += pin_cost(demand)
    return worth


def _demand(
    demand: Demand, worth: IntArray, teams: Teams, request: IntArray, role: IntArray, start: IntArray
) -> Demand:
    """Make one row of each unit."""
    in_team = role >= 0
    own = role[in_team]
    earliest, latest, wished = demand.earliest[request], demand.latest[request], demand.wished[request]
    begun = _least_after(teams)
    earliest[in_team], latest[in_team] = start, start + teams.minutes[own]
    wished[in_team] += begun[own]
    minutes, people, clearance = demand.minutes[request], demand.people[request], demand.clearance[request]
    minutes[in_team], people[in_team] = teams.minutes[own], teams.people[own]
    clearance[in_team] = teams.clearance[own]
    unmet_cost, name = demand.unmet_cost[request], demand.role[request]
    unmet_cost[in_team] = worth[request[in_team]]
    name[in_team] = teams.role[own]
    ptr, need = _gather(np.where(in_team, role, request), in_team, demand.need_ptr, teams.need_ptr)

    def needs(column: str) -> NDArray[Any]:
        joined: NDArray[Any] = np.concatenate([getattr(demand, column), getattr(teams, column)])
        return joined[need]

    forbid_request, forbid = _repeated(demand.forbid_request, demand.forbid_provider, request)
    assign_request, assign = _repeated(demand.assign_request, demand.assign_provider, request)
    return replace(
        demand,
        request_id=demand.request_id[request],
        row=demand.row[request],
        community=demand.community[request],
        lat=demand.lat[request],
        lon=demand.lon[request],
        earliest=earliest,
        latest=latest,
        wished=wished,
        minutes=minutes,
        people=people,
        min_serve=demand.min_serve[request],
        priority=demand.priority[request],
        clearance=clearance,
        group=demand.group[request],
        dialect=demand.dialect[request],
        hometown=demand.hometown[request],
        unmet_cost=unmet_cost,
        role=name,
        need_ptr=ptr,
        need_skill=needs("need_skill"),
        need_skill_name=needs("need_skill_name"),
        need_level=needs("need_level"),
        need_certified=needs("need_certified"),
        forbid_request=forbid_request,
        forbid_provider=forbid,
        assign_request=assign_request,
        assign_provider=assign,
    )


def _least_after(teams: Teams) -> IntArray:
    """Return how many minutes after its team's start each role starts at least."""
    total, up = np.zeros(len(teams.after), np.int64), np.arange(len(teams.after))
    while len(up) and (up >= 0).any():
        total += np.where(up >= 0, teams.after_least[up], 0)
        up = np.where(up >= 0, teams.after[up], -1)
    return total


def _gather(owner: IntArray, second: BoolArray, one: IntArray, other: IntArray) -> tuple[IntArray, IntArray]:
    """Return pointers and positions of rows that lie in two ragged columns, the second after the first."""
    begin, count = np.zeros(len(owner), np.int64), np.zeros(len(owner), np.int64)
    for mask, ptr, offset in ((~second, one, 0), (second, other, int(one[-1]))):
        rows = owner[mask]
        begin[mask], count[mask] = ptr[rows] + offset, ptr[rows + 1] - ptr[rows]
    ptr = np.concatenate([[0], np.cumsum(count)])
    return ptr, np.repeat(begin - ptr[:-1], count) + np.arange(ptr[-1])


def _repeated(
    named: NDArray[np.int32], provider: NDArray[np.int32], request: IntArray
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Repeat the pairs of each request, given ascending, for all of its units."""
    unit, at = matches(named, request)
    return unit.astype(np.int32), provider[at]
