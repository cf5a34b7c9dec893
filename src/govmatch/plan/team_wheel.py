"""The wheel with teams: choose teams and starts, solve, price out all pairs, choose again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.plan.forest import capacity_forest, lay_out
from govmatch.plan.wheel import Clock, Result, better, ended
from govmatch.reach.candidates import Arcs, Priced
from govmatch.reach.quotas import Quotas
from govmatch.reach.stays import Stays
from govmatch.reach.units import Units, team_worth
from govmatch.solve.certificate import Proof, node_loads, prices_above, valid_duals
from govmatch.solve.control import Control
from govmatch.solve.coupled import Coupled
from govmatch.solve.instance import Solution
from govmatch.solve.ruled import Ruled, search_ruled
from govmatch.solve.rules import Rules
from govmatch.solve.team_tree import TeamTree

IntArray = NDArray[np.int64]


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


def turn_teams(
    problem: Problem,
    units: Units,
    candidates: Priced,
    arcs: Arcs,
    control: Control,
    clock: Clock,
    gap: float,
    quotas: Quotas | None = None,
    tree: TeamTree | None = None,
) -> Result:
    """Search and price out until no pair is left, the gap suffices, or `control` ends it."""
    forest = capacity_forest(problem.supply, problem.policy)
    n_slots, stays = len(problem.supply.slot_provider), candidates.stays
    tree = team_tree(problem, units) if tree is None else tree
    price: IntArray | None = None  # of all nodes of the forest
    before: Ruled | None = None
    best: Result | None = None
    rounds = 0
    while True:
        with clock.phase("solve"):
            layout = lay_out(arcs, units.demand, problem.supply, forest, units.n_alone, stays)
            coupled = Coupled(layout.instance, tree, candidates.outside_cost)
            start = None if price is None else price[layout.node]
            rules = _rules(quotas, arcs, units, layout.arc)
            before = control.run(search_ruled, coupled, rules, control, before, start)
            found, rounds = before.found, rounds + 1
        solution = Solution(found.flow, found.unmet, found.request_dual, found.price, "searched")
        best = better(best, Result(arcs, layout, solution, _true(found.proof, stays), rounds))
        if control.poll() or best.proof.gap <= gap:
            break
        with clock.phase("price_out"):
            tolled, toll = coupled, None
            if before.price.any() and quotas is not None:
                tolled = coupled.tolled(rules.tolls(before.price, len(layout.instance.request)))
                toll = quotas.tolls(before.price)
            dual, own = valid_duals(layout.instance, found.request_dual, found.price)
            dual = np.where(coupled.in_team, tolled.limits(prices_above(layout.instance.parent, own)), dual)
            price = np.zeros(len(forest.parent), np.int64)
            price[layout.node] = own
            above = prices_above(forest.parent, price)[:n_slots]
            new, looked = candidates.priced_in(arcs, dual, above, stop=control.poll, tolls=toll)
        if not looked:
            break
        # whatever is not among the arcs costs, with its prices, at least this
        dear = new.cost + above[new.slot]
        if quotas is not None:
            passes = quotas.passes(new, units.demand)
            np.add.at(dear, passes.arc, before.price[passes.rule])
        np.minimum.at(dual, new.request, dear)
        bound = tolled.bound(np.minimum(dual, found.request_dual), own, dual)
        bound -= int((before.price * rules.limit).sum())
        proof = Proof(found.proof.primal, bound)
        best = better(best, Result(arcs, layout, solution, _true(proof, stays), rounds))
        if control.poll() or best.proof.gap <= gap or not len(new):
            break
        arcs, _ = arcs.merged(new)
    if control.reason is None and best.proof.gap > gap:
        return best  # "searched"
    return replace(best, solution=replace(best.solution, termination=ended(best, candidates, control, gap)))


def _true(proof: Proof, stays: Stays) -> Proof:
    """Return what is proved of the costs as they are, where those of changes are charged another way."""
    return Proof(proof.primal + stays.constant, proof.bound + stays.constant)


def _rules(quotas: Quotas | None, arcs: Arcs, units: Units, arc: IntArray) -> Rules:
    """Say which arcs of the instance count for which rule; `arc` is the pair of each."""
    none = np.zeros(0, np.int64)
    if quotas is None:
        return Rules(none, none, none)
    passes = quotas.passes(arcs, units.demand)
    first = np.searchsorted(passes.arc, arc)
    count = np.searchsorted(passes.arc, arc, side="right") - first
    copy = np.repeat(np.arange(len(arc)), count)
    at = np.arange(len(copy)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    return Rules(copy, passes.rule[at], quotas.limit)


def blocked_by_rules(result: Result, units: Units, quotas: Quotas) -> IntArray:
    """Return the units for which somebody is free whose way passes an agreement that is used up."""
    layout, flow = result.layout, result.solution.flow
    instance, rules = layout.instance, _rules(quotas, result.arcs, units, layout.arc)
    full = rules.usage(flow) >= rules.limit
    spare = instance.capacity - node_loads(instance, flow) <= 0
    free = prices_above(instance.parent, spare.astype(np.int64))[instance.node] == 0
    shut = np.unique(rules.arc[full[rules.rule]])
    return np.unique(instance.request[shut[free[shut] & (flow[shut] == 0)]])
