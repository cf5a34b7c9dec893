"""Few faces in a plan of the coupled search: who comes may change, not which teams, starts, sessions, goods.

A team that is served, a session that is held and goods that are sent stay so: as many people have to come
as came, whoever they are. Everybody else is free. What limits the plan beside capacities becomes bands of
arcs (see `bands`): rules, bonds that part people, one role for one person of a team, the fewest of a session,
floors. A request whose people may prefer each other, goods and households in a session stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from govmatch.ragged import matches
from govmatch.solve.bands import Bands, joined
from govmatch.solve.bonds import Meetings
from govmatch.solve.certificate import flow_cost
from govmatch.solve.coupled import Coupled
from govmatch.solve.instance import Instance
from govmatch.solve.openings import Openings
from govmatch.solve.rules import Limits
from govmatch.solve.series_instance import MUST, SeriesInstance, faces_cost, used_faces

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

UNLIMITED = 1 << 40


@dataclass(frozen=True)
class Beside:
    """An instance with all that limits its plans.

    Attributes
    ----------
    coupled : Coupled
        With its openings and bonds; leaving people costs as if nobody were free to be missing under a floor.
    limits : Limits
    series : Callable
        Adds the faces and series to an `Instance` whose arcs are some of the coupled one's, (n_arcs,).
    fixed : bool (n_requests,)
        Requests whose arcs are no people.
    """

    coupled: Coupled
    limits: Limits
    series: Callable[[Instance, IntArray], SeriesInstance]
    fixed: BoolArray

    @cached_property
    def natural(self) -> Coupled:
        """The instance in which floors have no price."""
        return self.limits.priced(self.coupled, np.zeros(self.limits.n, np.int64))

    @cached_property
    def faces(self) -> SeriesInstance:
        """All arcs with their faces."""
        return self.series(self.coupled.instance, np.arange(len(self.coupled.instance.request)))

    @cached_property
    def _meetings(self) -> Meetings | None:
        coupled = self.coupled
        if coupled.bonds is None:
            return None
        return Meetings(coupled.bonds, self._owner[coupled.instance.request], coupled.instance.group)

    @cached_property
    def _owner(self) -> IntArray:
        """Whose people may have bonds; see `TeamTree.owners`."""
        return self.coupled.tree.owners(self.coupled.role, self.coupled.instance.demand)

    @cached_property
    def _team(self) -> IntArray:
        """The team of each request that is a state of one, else -1."""
        tree, role = self.coupled.tree, self.coupled.role
        return np.where(self.coupled.in_team, np.append(tree.role_team, -1)[role], -1)

    def cost(self, flow: IntArray) -> int:
        """Return what a plan costs, faces included."""
        return self.plain_cost(flow) + faces_cost(self.faces, flow)

    def plain_cost(self, flow: IntArray) -> int:
        """Return what a plan costs without faces."""
        tree, instance = self.natural.tree, self.natural.instance
        come, by_team = self._come(flow)
        unmet = np.where(self.coupled.in_team, 0, instance.demand - come)
        cost = flow_cost(instance, flow, unmet)
        cost += int(np.where(by_team > 0, tree.absence * (tree.asked - by_team), tree.worth).sum())
        if self.coupled.openings is not None:
            openings = self.coupled.openings
            cost += int(openings.cost[openings.opened(instance, flow)].sum())
        if self._meetings is not None:
            cost += self._meetings.lonely(flow)
        floors = self.limits.floors
        missing = floors.missing(np.concatenate([unmet, self._absent(by_team)]))
        return cost + int((floors.price * np.maximum(missing - floors.limit, 0)).sum())

    def _absent(self, by_team: IntArray) -> IntArray:
        """Return how many people are missing of each team, to which so many people and lots come."""
        tree = self.coupled.tree
        return np.where(by_team > 0, tree.asked - by_team, tree.persons)

    def together(self, flow: IntArray) -> bool:
        """Tell whether sessions have the fewest, and everybody who sits together does."""
        openings = self.coupled.openings
        return openings is None or openings.kept(self.coupled.instance, flow)

    def within_caps(self, flow: IntArray) -> bool:
        """Tell whether no series has more faces than it may have."""
        most = self.faces.most
        count = np.bincount(used_faces(self.faces, np.flatnonzero(flow))[0], minlength=len(most))
        return bool(((most < 0) | (count <= most)).all())

    def _come(self, flow: IntArray) -> tuple[IntArray, IntArray]:
        """Return how many come to each request, and to each team."""
        instance, tree = self.coupled.instance, self.coupled.tree
        come = np.bincount(instance.request, flow, len(instance.demand)).astype(np.int64)
        teams = np.bincount(self._team[self._team >= 0], come[self._team >= 0], len(tree.worth))
        return come, teams.astype(np.int64)

    def _settled(self, flow: IntArray) -> BoolArray:
        """Tell which requests keep whom they have, (n_requests,)."""
        coupled, settled = self.coupled, self.fixed.copy()
        if coupled.openings is not None:
            seats = coupled.openings.of_arcs(coupled.instance) >= 0
            seated = np.unique(coupled.instance.request[seats & (flow > 0)])
            settled[seated[coupled.openings.tie[seated] >= 0]] = True
        if self._meetings is not None:
            met = self._meetings
            some = met.together[met.together >= 0]
            settled |= np.isin(self._owner, met.owner[some]) & (self._owner >= 0)
        return settled

    def search_instance(self, flow: IntArray) -> tuple[SeriesInstance, IntArray]:
        """Return what may change in a plan, and which arcs it has, (n,)."""
        coupled, natural = self.coupled, self.natural.instance
        come, _ = self._come(flow)
        settled = self._settled(flow)
        must = settled | (coupled.in_team & (come > 0))
        free = ~settled & ~(coupled.in_team & (come == 0))
        open_ = free[natural.request]
        if coupled.openings is not None:
            openings = coupled.openings
            of = openings.of_arcs(natural)
            held = np.append(openings.opened(natural, flow), True)
            open_ &= (of < 0) | (held[of] & (openings.tie[natural.request] < 0))
        arcs = np.flatnonzero(open_ | (flow > 0))
        part = replace(
            natural.of_arcs(arcs),
            demand=np.where(must | coupled.in_team, come, natural.demand),
            unmet_cost=np.where(must, MUST, natural.unmet_cost),
        )
        return replace(self.series(part, arcs), bands=self._bands(arcs, flow)), arcs

    def _bands(self, arcs: IntArray, flow: IntArray) -> Bands:
        """Say what limits some of the arcs beside the capacities."""
        instance = self.coupled.instance
        rules = self.limits.rules.of(arcs, len(instance.request))
        none = np.zeros(len(rules.limit), np.int64)
        parts = [Bands(**vars(rules), least=none, lack=none)]
        parts.append(self._floor_bands(arcs))
        team, group = self._team[instance.request[arcs]], instance.group[arcs]
        at = np.flatnonzero(team >= 0)
        parts.append(_at_most_one(at, team[at] * (int(group.max(initial=0)) + 1) + group[at]))
        if self._meetings is not None:
            met = self._meetings
            person = met.person[arcs]
            order = np.argsort(person, kind="stable")
            pair, place = matches(person[order], met.apart.reshape(-1))
            parts.append(_at_most_one(order[place], pair // 2))
        if self.coupled.openings is not None:
            parts.append(_fewest(self.coupled.openings, instance, arcs, flow))
        return joined(parts)

    def _floor_bands(self, arcs: IntArray) -> Bands:
        """Say who comes under each floor, and how many should."""
        coupled, floors = self.coupled, self.limits.floors
        n = len(coupled.instance.demand)
        request = coupled.instance.request[arcs]
        member = np.where(self._team[request] >= 0, n + self._team[request], request)
        member[self.fixed[request]] = -1  # lots are no people
        order = np.argsort(member, kind="stable")
        entry, place = matches(member[order], floors.member)
        asked = np.concatenate([coupled.instance.demand, coupled.tree.persons])
        least = -floors.limit
        np.add.at(least, floors.floor, asked[floors.member])
        every = np.full(len(least), UNLIMITED)
        return Bands(
            order[place], floors.floor[entry], np.ones(len(place), np.int64), every, least, floors.price
        )

    def with_faces_of(self, flow: IntArray) -> tuple[Coupled, Limits, IntArray]:
        """Return what is left of all arcs, and which, where limited series have the faces of a plan only."""
        coupled, faces = self.coupled, self.faces
        width = int(faces.face.max(initial=0)) + 1
        series = faces.series[faces.flow.request]
        limited = (series >= 0) & np.append(faces.most >= 0, False)[series]
        seen = series * width + faces.face
        closed = limited & ~np.isin(seen, seen[limited & (flow > 0)])
        if coupled.openings is not None:  # who sits together goes where all of them may go
            of, tie = coupled.openings.of_arcs(coupled.instance), coupled.openings.tie
            tied = (of >= 0) & (tie[coupled.instance.request] >= 0)
            pair = tie[coupled.instance.request] * (coupled.openings.n + 1) + of
            closed |= tied & np.isin(pair, pair[tied & closed])
        arcs = np.flatnonzero(~closed)
        part = coupled.instance.of_arcs(arcs)
        left = coupled.but(instance=part)
        rules = self.limits.rules.of(arcs, len(closed))
        return left, replace(self.limits, rules=rules), arcs

    def whole(self, flow: IntArray, before: IntArray) -> IntArray:
        """Leave out whatever lacks people who came before, and sessions with too few."""
        coupled, instance = self.coupled, self.coupled.instance
        settled = self._settled(before)
        had, _ = self._come(before)
        owner = np.where(self._team >= 0, self._team, len(coupled.tree.worth) + np.arange(len(settled)))
        if coupled.openings is not None:
            tied = settled & (coupled.openings.tie >= 0)
            first = len(coupled.tree.worth) + len(settled)
            owner = np.where(tied, first + coupled.openings.tie, owner)
        must = settled | coupled.in_team
        flow = flow.copy()
        while True:
            come, _ = self._come(flow)
            lacking = np.unique(owner[must & (come < had)])
            gone = np.isin(owner, lacking)[instance.request]
            if coupled.openings is not None:
                openings, of = coupled.openings, coupled.openings.of_arcs(instance)
                taken = openings.taken(instance, flow)
                few = np.append((taken > 0) & (taken < openings.fewest), False)
                gone |= few[of]
            if not (gone & (flow > 0)).any():
                return flow
            flow[gone] = 0


def _at_most_one(arc: IntArray, key: IntArray) -> Bands:
    """Let one arc of each key be used; keys of one arc need no band."""
    keys, band, count = np.unique(key, return_inverse=True, return_counts=True)
    several = np.flatnonzero(count > 1)
    number = np.full(len(keys), -1)
    number[several] = np.arange(len(several))
    band = number[band.reshape(-1)]
    kept = band >= 0
    one, none = np.ones(len(several), np.int64), np.zeros(len(several), np.int64)
    return Bands(arc[kept], band[kept], np.ones(int(kept.sum()), np.int64), one, none, none)


def _fewest(openings: Openings, instance: Instance, arcs: IntArray, flow: IntArray) -> Bands:
    """Keep the fewest in each node that is opened."""
    held = np.flatnonzero(openings.opened(instance, flow))
    number = np.full(openings.n + 1, -1)
    number[held] = np.arange(len(held))
    band = number[openings.of_arcs(instance)[arcs]]
    at = np.flatnonzero(band >= 0)
    most, lack = np.full(len(held), UNLIMITED), np.full(len(held), MUST)
    return Bands(at, band[at], np.ones(len(at), np.int64), most, openings.fewest[held], lack)
