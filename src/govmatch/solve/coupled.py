"""Teams and single requests on one capacity forest: a plan of both, and one bound on all plans.

For given teams at given starts the plan is a min-cost flow. Which teams, and when they start, is chosen by
the prices of that flow; prices also prove the bound, in which every team is served at its cheapest or not
at all (Lagrangian relaxation, Geoffrion 1974).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from govmatch.solve import flow
from govmatch.solve.bonds import Bonds, Meetings
from govmatch.solve.certificate import Proof, flow_cost, lower_bound, valid_duals
from govmatch.solve.control import Control
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.openings import Openings
from govmatch.solve.team_prices import Prices, best_duals
from govmatch.solve.team_tree import FAR, TeamTree

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FEATURES = flow.FEATURES | {
    "teams",
    "quotas",
    "away",
    "hours",
    "floors",
    "reserve",
    "bonds",
    "sessions",
    "goods",
}
"""What the tier can honour."""

LARGE, ENOUGH, NATURAL = 20_000, 1e-4, 1 << 36
"""Arcs from which on a gap of `ENOUGH` ends a search, where no assigned request is unserved: beside what that
costs inside, any gap looks small."""

ROUNDS = 4
"""Rounds in which teams that lack somebody are left out."""


@dataclass(frozen=True)
class Served:
    """Which teams are served, by which requests, and who is kept out of what.

    Attributes
    ----------
    on : bool (n_teams,)
    request : int64 (n_roles,)
        The request that serves each role of a team that is on.
    push : int64 (n_roles,)
        How many people of each role have to come; 0: as many as are worth it.
    apart : int64 (n_pairs, 2)
        A request and a group that does not serve it, as it serves another role of the team, or has to
        keep apart from somebody there.
    """

    on: BoolArray
    request: IntArray
    push: IntArray
    apart: IntArray = field(default_factory=lambda: np.zeros((0, 2), np.int64))


@dataclass(frozen=True)
class Found:
    """A plan, and prices with what they prove.

    Attributes
    ----------
    served : Served
    flow : int64 (n_arcs,)
        0 or 1, on all arcs of the instance.
    unmet : int64 (n_requests,)
        Of requests that stand alone; 0 elsewhere.
    request_dual : int64 (n_requests,)
    price : int64 (n_nodes,)
    proof : Proof
    """

    served: Served
    flow: IntArray
    unmet: IntArray
    request_dual: IntArray
    price: IntArray
    proof: Proof


class Coupled:
    """An instance whose last requests are states of teams (see `TeamTree`).

    Parameters
    ----------
    instance : Instance
        `unmet_cost` of a team's request is not read.
    tree : TeamTree
    outside : int64 (n_requests,), optional
        Every way to serve a request that is not among the arcs costs at least this.
    bonds : Bonds, optional
        Who keeps apart, and who prefers whom, at one team or one request for several people.
    openings : Openings, optional
        Nodes that are opened or not: the bound counts them; for plans see `opened`.
    """

    def __init__(
        self,
        instance: Instance,
        tree: TeamTree,
        outside: IntArray | None = None,
        bonds: Bonds | None = None,
        openings: Openings | None = None,
    ) -> None:
        self.instance, self.tree, self.bonds, self.openings = instance, tree, bonds, openings
        n = len(instance.demand)
        self.outside = np.full(n, FAR) if outside is None else np.minimum(outside, FAR)
        self.in_team = np.zeros(n, np.bool_)
        self.in_team[tree.state_request] = True
        self.role = np.full(n, -1)
        self.role[tree.state_request] = tree.state_role
        self._arc = np.flatnonzero(self.in_team[instance.request])  # of teams
        alone = ~self.in_team[instance.request]
        self.alone = replace(instance.of_arcs(alone), demand=np.where(self.in_team, 0, instance.demand))

    @cached_property
    def prices(self) -> Prices:
        """What prices tell of it."""
        return Prices(self.instance, self.tree, self.in_team)

    @cached_property
    def meetings(self) -> Meetings | None:
        """Where bonds may matter; None where there are none."""
        if self.bonds is None:
            return None
        owner = self.tree.owners(self.role, self.instance.demand)
        return Meetings(self.bonds, owner[self.instance.request], self.instance.group)

    @cached_property
    def steered(self) -> IntArray:
        """Costs of arcs, (n_arcs,), as if nobody came whom others prefer."""
        return self.instance.cost + (0 if self.meetings is None else self.meetings.toll())

    def settled(self, impossible: Callable[[IntArray, IntArray], BoolArray]) -> Coupled:
        """Return the same with a price on arcs of people whom another prefers who can never come there.

        `impossible` tells it of groups and owners (see `TeamTree.owners`). That price counts in every bound.
        """
        if self.meetings is None or self.bonds is None:
            return self
        met, bonds = self.meetings, self.bonds
        row = np.flatnonzero((met.together < 0).any(axis=1))
        here = met.together[row].max(axis=1)
        other = bonds.together[met.pair[row], (met.together[row] < 0).argmax(axis=1)]
        never = impossible(other, met.owner[here])
        row, here = row[never], here[never]
        times = np.append(np.bincount(here, minlength=met.n), 0)
        instance = replace(self.instance, cost=self.instance.cost + met.cost * times[met.person])
        known = np.stack([met.owner[here], met.pair[row]], axis=1)
        bonds = replace(bonds, settled=np.concatenate([bonds.settled, known]))
        return self.but(instance=instance, bonds=bonds)

    def but(
        self,
        instance: Instance | None = None,
        tree: TeamTree | None = None,
        bonds: Bonds | None = None,
    ) -> Coupled:
        """Return the same but for some parts; requests and nodes stay."""
        return Coupled(
            instance or self.instance, tree or self.tree, self.outside, bonds or self.bonds, self.openings
        )

    def all_open(self) -> Coupled:
        """Return the same with every node open for nothing: no plan costs more there."""
        return self if self.openings is None else Coupled(self.instance, self.tree, self.outside, self.bonds)

    def leaning(self, flow: IntArray) -> Coupled:
        """Return the same, whose flows are steered as if all others came as in one that was found."""
        other = copy(self)
        if self.meetings is not None:
            other.steered = np.maximum(self.instance.cost + self.meetings.toll(flow), 0)
        return other

    @cached_property
    def choices(self) -> Prices:
        """As `prices`, at the costs by which flows are steered: what is chosen by them proves nothing."""
        if self.meetings is None:
            return self.prices
        return Prices(replace(self.instance, cost=self.steered), self.tree, self.in_team)

    def suffices(self, proof: Proof, control: Control) -> bool:
        """Whether the search may end."""
        if proof.gap <= control.gap:
            return True
        return len(self.instance.request) > LARGE and proof.gap <= ENOUGH and proof.primal < NATURAL

    def tolled(self, toll: IntArray) -> Coupled:
        """Return the same with costs raised, (n_arcs,)."""
        return self.but(instance=replace(self.instance, cost=self.instance.cost + toll))

    @property
    def n_members(self) -> int:
        """How many requests and teams there are."""
        return len(self.instance.demand) + len(self.tree.worth)

    def lowered(self, less: IntArray) -> Coupled:
        """Return the same with whoever is missing costing less, (n_members,): requests, then teams."""
        tree, n = self.tree, len(self.instance.demand)
        team = less[n:]
        cheaper = replace(tree, worth=tree.worth - team * tree.persons, absence=tree.absence - team)
        instance = replace(self.instance, unmet_cost=self.instance.unmet_cost - less[:n])
        return self.but(instance=instance, tree=cheaper)

    def missing(self, served: Served, used: IntArray, unmet: IntArray) -> IntArray:
        """Return how many people are missing of each request that stands alone, then of each team."""
        tree = self.tree
        arc = np.flatnonzero((used > 0) & self.in_team[self.instance.request])
        team = tree.role_team[self.role[self.instance.request[arc]]]
        come = np.bincount(team, used[arc], len(tree.worth)).astype(np.int64)
        absent = np.where(served.on, tree.asked - come, tree.persons)
        return np.concatenate([np.where(self.in_team, 0, unmet), absent])

    def without(self, arcs: BoolArray) -> Coupled:
        """Return the same without some arcs, (n_arcs,)."""
        return self.but(instance=self.instance.of_arcs(~arcs))

    def reduced(self, above: IntArray) -> tuple[IntArray, IntArray]:
        """Return the arcs of teams by request, cheapest first, and what each costs with its prices."""
        cost = self.instance.cost[self._arc] + above[self.instance.node[self._arc]]
        order = np.lexsort((cost, self.instance.request[self._arc]))
        return self._arc[order], cost[order]

    def limits(self, above: IntArray) -> IntArray:
        """Return, by request of a team, the cost at prices below which a further way matters; else 0."""
        arc, cost = self.reduced(above)
        request = self.instance.request[arc]
        role = np.where(self.in_team, self.role, 0)
        if not self.in_team.any():
            return np.zeros(len(role), np.int64)
        people = self.tree.role_people[role]
        first = np.searchsorted(request, np.arange(len(people)))
        last = np.searchsorted(request, np.arange(len(people)), side="right")
        enough = np.flatnonzero(self.in_team & (last - first >= people))
        team = self.tree.role_team[role]
        limit = np.where(self.in_team, self.tree.worth[team], 0)
        limit[enough] = np.minimum(limit[enough], cost[first[enough] + people[enough] - 1])
        may = self.in_team & ~self.tree.must[role] & (self.tree.needed[team] == 0)
        limit[may] = np.minimum(limit[may], self.tree.absence[team[may]])
        return limit

    def bound(self, request_dual: IntArray, price: IntArray, outside: IntArray | None = None) -> int:
        """Return what no plan undercuts, over all pairs, at any prices.

        `outside`, (n_requests,): what ways that are not among the arcs cost at least, with their prices.
        """
        outside = self.outside if outside is None else np.maximum(outside, self.outside)
        dual = np.minimum(request_dual, outside)
        if self.openings is None:
            alone = lower_bound(self.alone, dual, price)
        else:
            alone = self.openings.bound(self.alone, dual, price)
        _, own = valid_duals(self.instance, request_dual, price)
        team = self.prices.cheapest(own, outside).cost
        return alone + int(np.minimum(team, self.tree.worth).sum())

    def solve(
        self, served: Served, control: Control, start: IntArray | None = None, *, free: bool = False
    ) -> Solution:
        """Solve the flow of the teams that are on; on all arcs of the instance.

        `free`: whoever is missing costs an absence, as if teams could be served in part. Otherwise those
        that have to come are missed at the worth of the whole team.
        """
        tree, instance = self.tree, self.instance
        demand, unmet_cost = self.alone.demand.copy(), instance.unmet_cost.copy()
        role = np.flatnonzero(served.on[tree.role_team])
        team, request = tree.role_team[role], served.request[role]
        push = served.push[role] * (not free)
        demand[request] = np.where(push > 0, push, tree.role_people[role])
        unmet_cost[request] = np.where(push > 0, tree.worth[team], tree.absence[team])
        keep = np.flatnonzero((demand[instance.request] > 0) & ~self._kept_apart(served))
        part = replace(instance.of_arcs(keep), cost=self.steered[keep], demand=demand, unmet_cost=unmet_cost)
        found = flow.solve(part, control, start)
        used = np.zeros(len(instance.request), np.int64)
        used[keep] = found.flow
        return replace(found, flow=used)

    def _kept_apart(self, served: Served) -> BoolArray:
        instance = self.instance
        if not len(served.apart):
            return np.zeros(len(instance.request), np.bool_)
        span = int(instance.group.max(initial=0)) + 1
        pairs = served.apart[:, 0] * span + served.apart[:, 1]
        return np.isin(instance.request * span + instance.group, pairs)

    def complete(self, served: Served, used: IntArray) -> BoolArray:
        """Tell which teams that are on have everybody they need, nobody twice, and nobody to keep apart."""
        tree, instance = self.tree, self.instance
        here = np.bincount(instance.request[used > 0], minlength=len(instance.demand))
        come = np.where(served.on[tree.role_team], here[served.request], 0)
        whole = served.on & (np.bincount(tree.role_team, come, len(tree.worth)) >= tree.fewest)
        whole[tree.role_team[tree.must & (come < tree.role_people)]] = False
        wrong = self.clashes(used)
        wrong = wrong[self.in_team[instance.request[wrong]]]
        whole[tree.role_team[self.role[instance.request[wrong]]]] = False
        return whole

    def clashes(self, used: IntArray) -> IntArray:
        """Return arcs that cannot stay: somebody comes to a team twice, or is to be kept apart."""
        if self.meetings is None:
            return self.twice(used)
        return np.append(self.twice(used), self.meetings.clashing(used, self.instance.cost))

    def twice(self, used: IntArray) -> IntArray:
        """Return the arcs by which somebody serves a further role of the same team."""
        instance = self.instance
        arc = np.flatnonzero((used > 0) & self.in_team[instance.request])
        team = self.tree.role_team[self.role[instance.request[arc]]]
        order = np.lexsort((-instance.cost[arc], instance.group[arc], team))
        arc, team = arc[order], team[order]
        group = instance.group[arc]
        again: IntArray = arc[1:][(team[1:] == team[:-1]) & (group[1:] == group[:-1])]
        return again

    def plan(self, served: Served, solution: Solution) -> tuple[Served, IntArray, IntArray, int]:
        """Keep the teams that are complete; return them, the flow, the unmet and what the plan costs."""
        tree, instance = self.tree, self.instance
        on = self.complete(served, solution.flow)
        role_on = on[tree.role_team]
        open_ = ~self.in_team
        open_[served.request[role_on]] = True
        used = np.where(open_[instance.request], solution.flow, 0)
        unmet = np.where(self.in_team, 0, solution.unmet)
        if self.meetings is not None:
            out = self.meetings.clashing(used, instance.cost)  # from requests that stand alone
            used[out] = 0
            unmet += np.bincount(instance.request[out], minlength=len(unmet))
        cost = flow_cost(instance, used, unmet)
        if self.meetings is not None:
            cost += self.meetings.lonely(used)
        come = np.bincount(
            tree.role_team[role_on],
            np.bincount(instance.request[used > 0], minlength=len(unmet))[served.request[role_on]],
            len(tree.worth),
        ).astype(np.int64)
        cost += int(np.where(on, tree.absence * (tree.asked - come), tree.worth).sum())
        return replace(served, on=on), used, unmet, cost


def choose(
    coupled: Coupled, control: Control, before: Served | None = None, start: IntArray | None = None
) -> Found:
    """Let prices choose: those at which teams may be served in part, raised to those that prove most."""
    tree, nothing = coupled.tree, np.zeros(len(coupled.instance.parent), np.int64)
    if before is None:
        choice = coupled.choices.cheapest(nothing)
        served = Served(choice.cost < FAR, choice.request, choice.push)
        best = _told(coupled, served, coupled.solve(served, control, start, free=True))
    else:
        best = follow(coupled, before, control, start)
    if control.poll():  # duals of a solve cut short may prove less than nobody's being dearer than alone
        dual = best_duals(coupled.alone, nothing)
        alone = replace(best, request_dual=dual, price=nothing)
        return better(best, replace(alone, proof=Proof(best.proof.primal, coupled.bound(dual, nothing))))
    if coupled.suffices(best.proof, control):
        return best
    price = coupled.prices.raised(best.price, best.proof.primal, control)
    dual = best_duals(coupled.alone, price)
    proved = replace(
        best, request_dual=dual, price=price, proof=Proof(best.proof.primal, coupled.bound(dual, price))
    )
    best = better(best, proved)
    if before is not None:
        return best
    choice = coupled.choices.cheapest(price)
    on = choice.cost < tree.worth
    for _ in range(ROUNDS):
        if control.poll():
            break
        found = follow(coupled, Served(on, choice.request, choice.push), control, price)
        best = better(best, found)
        if (found.served.on == on).all():
            break
        on = found.served.on  # without those that lacked somebody
    return best


def follow(coupled: Coupled, served: Served, control: Control, start: IntArray | None) -> Found:
    """Solve for a choice; whoever comes to a team twice, or is to be kept apart, is kept out, and again."""
    while True:
        solution = coupled.solve(served, control, start)
        wrong = coupled.clashes(solution.flow)
        if not len(wrong) or control.poll():
            return _told(coupled, served, solution)
        instance = coupled.instance
        pairs = np.stack([instance.request[wrong], instance.group[wrong]], axis=1)
        served = replace(served, apart=np.concatenate([served.apart, pairs]))
        start = solution.price


def _told(coupled: Coupled, served: Served, solution: Solution) -> Found:
    kept, used, unmet, cost = coupled.plan(served, solution)
    bound = coupled.bound(solution.request_dual, solution.price)
    return Found(kept, used, unmet, solution.request_dual, solution.price, Proof(cost, bound))


def better(old: Found, new: Found) -> Found:
    """Keep the cheaper plan and the better proof."""
    proof = Proof(min(old.proof.primal, new.proof.primal), max(old.proof.bound, new.proof.bound))
    cheaper = new if new.proof.primal <= old.proof.primal else old
    proving = new if new.proof.bound >= old.proof.bound else old
    return replace(cheaper, request_dual=proving.request_dual, price=proving.price, proof=proof)
