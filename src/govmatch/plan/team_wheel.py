"""The wheel with teams: choose teams and starts, solve, price out all pairs, choose again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.plan.forest import Forest, Layout, capacity_forest, lay_out
from govmatch.plan.openings import openings_of
from govmatch.plan.wheel import Clock, Result, better, ended
from govmatch.ragged import matches
from govmatch.reach.candidates import Arcs, Priced
from govmatch.reach.floors import FloorRows
from govmatch.reach.limits import AllLimits, PairLimits
from govmatch.reach.paths import EdgeArrays, Paths
from govmatch.reach.quotas import Quotas
from govmatch.reach.reserve import Reserve
from govmatch.reach.seats import Seated
from govmatch.reach.stays import Stays
from govmatch.reach.units import Units, team_worth
from govmatch.reach.weeks import Away, Hours
from govmatch.solve.bonds import Bonds
from govmatch.solve.certificate import Proof, node_loads, prices_above, valid_duals
from govmatch.solve.control import Control
from govmatch.solve.coupled import Coupled
from govmatch.solve.instance import Solution
from govmatch.solve.opened import search_opened
from govmatch.solve.ruled import Ruled, search_ruled
from govmatch.solve.rules import Floors, Limits, Rules
from govmatch.solve.team_tree import TeamTree

IntArray = NDArray[np.int64]
Impossible = Callable[[IntArray, IntArray], NDArray[np.bool_]]


@dataclass(frozen=True)
class Bounds:
    """What limits a plan beside capacities."""

    quotas: Quotas  # also among `pairs`, first
    pairs: AllLimits
    floors: FloorRows

    def __len__(self) -> int:
        return len(self.pairs) + len(self.floors)

    def rules(self, arcs: Arcs, units: Units, arc: IntArray) -> Rules:
        """Say which arcs of an instance, whose pairs are `arc`, count for which rule."""
        passes = self.pairs.passes(arcs, units.demand)
        copy, at = matches(passes.arc, arc)
        return Rules(copy, passes.rule[at], passes.weight[at], self.pairs.limit)

    def limits(self, arcs: Arcs, units: Units, arc: IntArray, team: IntArray) -> Limits:
        """Return the rules and the floors; `team` has the request of each team."""
        # the unit of a request that stands alone, or its team after all units
        member = np.full(int(units.request.max(initial=-1)) + 1, -1)
        member[units.request[: units.n_alone]] = np.arange(units.n_alone)
        member[team] = len(units.role) + np.arange(len(team))
        floors = self.floors
        price = np.full(len(floors), floors.price)
        soft = Floors(member[floors.request], floors.floor, floors.allowed, price)
        return Limits(self.rules(arcs, units, arc), soft)


@dataclass(frozen=True)
class Coupling:
    """What a coupled search plans, and what it has to look at beside capacities.

    Attributes
    ----------
    problem : Problem
        Its supply has the stocks of goods behind the people; leaving requests costs as in the search.
    units : Units
        Those of goods behind those of people, from `n_people` on.
    n_people : int
    candidates : Priced
    tree : TeamTree
    team : int64 (n_teams,)
        The request of each team.
    bounds : Bounds
    bonds : Bonds or None
    impossible : callable or None
        Of bonds: tells of providers and owners who can never come there.
    seats : Seated or None
        Who may sit in sessions, if there are any.
    """

    problem: Problem
    units: Units
    n_people: int
    candidates: Priced
    tree: TeamTree
    team: IntArray
    bounds: Bounds
    bonds: Bonds | None = None
    impossible: Impossible | None = None
    seats: Seated | None = None

    def layout(self, arcs: Arcs, forest: Forest) -> Layout:
        """Lay out arcs on the forest."""
        units = self.units
        return lay_out(arcs, units.demand, self.problem.supply, forest, units.n_alone, self.candidates.stays)

    def coupled(self, layout: Layout) -> Coupled:
        """Return the instance of a layout with its teams, bonds and sessions."""
        openings = None if self.seats is None else openings_of(self.seats, layout)
        return Coupled(layout.instance, self.tree, self.candidates.outside_cost, self.bonds, openings)

    def limits(self, arcs: Arcs, layout: Layout) -> Limits:
        """Return what limits a layout of arcs beside capacities."""
        return self.bounds.limits(arcs, self.units, layout.arc, self.team)


def team_tree(problem: Problem, units: Units) -> TeamTree:
    """Say which units make up each team, and what it is worth."""
    demand, teams = problem.demand, problem.teams
    of = units.team
    return TeamTree(
        worth=team_worth(problem)[of],
        absence=demand.unmet_cost[of],
        fewest=demand.min_serve[of],
        role_team=np.searchsorted(of, teams.request),
        role_people=teams.people,
        must=teams.least >= teams.people,
        start_team=units.start_team,
        state_role=units.role[units.n_alone :],
        state_request=np.arange(units.n_alone, len(units.role)),
        link_state=units.link_state,
        link_parent=units.link_parent,
    )


def turn_teams(coupling: Coupling, arcs: Arcs, control: Control, clock: Clock, gap: float) -> Result:
    """Search and price out until no pair is left, the gap suffices, or `control` ends it."""
    problem, units, candidates = coupling.problem, coupling.units, coupling.candidates
    forest = capacity_forest(problem.supply, problem.policy)
    n_slots, stays, bounds = len(problem.supply.slot_provider), candidates.stays, coupling.bounds
    price: IntArray | None = None  # of all nodes of the forest
    before: Ruled | None = None
    best: Result | None = None
    rounds = 0
    while True:
        with clock.phase("solve"):
            layout = coupling.layout(arcs, forest)
            start = None if price is None else price[layout.node]
            limits, coupled = coupling.limits(arcs, layout), coupling.coupled(layout)
            if coupling.impossible is not None:
                coupled = coupled.settled(coupling.impossible)
                layout = replace(layout, instance=coupled.instance)
            search = search_ruled if coupled.openings is None else search_opened
            before = control.run(search, coupled, limits, control, before, start)
            found, rounds = before.found, rounds + 1
        solution = Solution(found.flow, found.unmet, found.request_dual, found.price, "searched")
        best = better(best, Result(arcs, layout, solution, _true(found.proof, stays), rounds, before.price))
        if control.poll() or best.proof.gap <= gap:
            break
        with clock.phase("price_out"):
            priced, n_quotas = limits.priced(coupled, before.price), len(bounds.quotas)
            passed = before.price[:n_quotas]
            toll = bounds.quotas.tolls(passed) if passed.any() else None
            dual, own = valid_duals(priced.instance, found.request_dual, found.price)
            dual = np.where(coupled.in_team, priced.limits(prices_above(layout.instance.parent, own)), dual)
            price = np.zeros(len(forest.parent), np.int64)
            price[layout.node] = own
            above = prices_above(forest.parent, price)[:n_slots]
            new, looked = candidates.priced_in(arcs, dual, above, stop=control.poll, tolls=toll)
        if not looked:
            break
        # whatever is not among the arcs costs, with its prices, at least this
        dear = new.cost + above[new.slot]
        if toll is not None:  # what other rules charge is not told to the search for pairs
            passes = bounds.quotas.passes(new, units.demand)
            np.add.at(dear, passes.arc, passed[passes.rule])
        np.minimum.at(dual, new.request, dear)
        bound = priced.bound(np.minimum(dual, found.request_dual), own, dual) - limits.earned(before.price)
        proof = Proof(found.proof.primal, bound)
        best = better(best, Result(arcs, layout, solution, _true(proof, stays), rounds, before.price))
        if control.poll() or best.proof.gap <= gap or not len(new):
            break
        arcs, _ = arcs.merged(new)
    if control.reason is None and best.proof.gap > gap:
        return best  # "searched"
    return replace(best, solution=replace(best.solution, termination=ended(best, candidates, control, gap)))


def _true(proof: Proof, stays: Stays) -> Proof:
    """Return what is proved of the costs as they are, where those of changes are charged another way."""
    return Proof(proof.primal + stays.constant, proof.bound + stays.constant)


def bounds_of(problem: Problem, units: Units, edges: EdgeArrays, paths: Paths, floors: FloorRows) -> Bounds:
    """Collect all limits of a problem."""
    quotas, asked = Quotas(edges, paths, problem.supply), problem.features
    parts: list[PairLimits] = [quotas]
    if "away" in asked:
        parts.append(Away(problem))
    if "hours" in asked:
        parts.append(Hours(problem, units.demand))
    if "reserve" in asked:
        parts.append(Reserve(problem))
    return Bounds(quotas, AllLimits(parts, len(problem.supply.slot_provider)), floors)


def blocked_by_rules(result: Result, units: Units, bounds: Bounds) -> dict[int, str]:
    """Return the units for which somebody is free but for a rule that is used up, and its reason."""
    layout, flow = result.layout, result.solution.flow
    instance, rules = layout.instance, bounds.rules(result.arcs, units, layout.arc)
    usage = rules.usage(flow)
    spare = instance.capacity - node_loads(instance, flow) <= 0
    free = prices_above(instance.parent, spare.astype(np.int64))[instance.node] == 0
    shut = usage[rules.rule] + rules.weight > rules.limit[rules.rule]
    entry = np.flatnonzero(shut & free[rules.arc] & (flow[rules.arc] == 0))
    code = bounds.pairs.code[rules.rule[entry]]
    # of several reasons the last in the order of the kinds
    return dict(zip(instance.request[rules.arc[entry]].tolist(), code.tolist(), strict=True))
