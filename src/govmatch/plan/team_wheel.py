"""The wheel with teams: choose teams and starts, solve, price out all pairs, choose again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.plan.forest import capacity_forest, lay_out
from govmatch.plan.wheel import Clock, Result, better, ended
from govmatch.reach.candidates import Arcs, Candidates
from govmatch.reach.units import Units, team_worth
from govmatch.solve.certificate import Proof, prices_above, valid_duals
from govmatch.solve.control import Control
from govmatch.solve.coupled import Coupled, Served
from govmatch.solve.instance import Solution
from govmatch.solve.team_search import search
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
    candidates: Candidates,
    arcs: Arcs,
    control: Control,
    clock: Clock,
    gap: float,
) -> Result:
    """Search and price out until no pair is left, the gap suffices, or `control` ends it."""
    forest = capacity_forest(problem.supply, problem.policy)
    n_slots, stays = len(problem.supply.slot_provider), candidates.stays
    tree = team_tree(problem, units)
    price: IntArray | None = None  # of all nodes of the forest
    served: Served | None = None
    best: Result | None = None
    rounds = 0
    while True:
        with clock.phase("solve"):
            layout = lay_out(arcs, units.demand, problem.supply, forest, units.n_alone, stays)
            coupled = Coupled(layout.instance, tree, candidates.outside_cost)
            start = None if price is None else price[layout.node]
            found = control.run(search, coupled, control, served, start)
            served = found.served
            rounds += 1

        def result(bound: int, layout=layout, found=found, arcs=arcs, rounds=rounds) -> Result:  # type: ignore[no-untyped-def]
            solution = Solution(found.flow, found.unmet, found.request_dual, found.price, "searched")
            proof = Proof(found.proof.primal + stays.constant, bound + stays.constant)
            return Result(arcs, layout, solution, proof, rounds)

        best = better(best, result(found.proof.bound))
        if control.poll() or best.proof.gap <= gap:
            break
        with clock.phase("price_out"):
            dual, own = valid_duals(layout.instance, found.request_dual, found.price)
            dual = np.where(coupled.in_team, coupled.limits(prices_above(layout.instance.parent, own)), dual)
            price = np.zeros(len(forest.parent), np.int64)
            price[layout.node] = own
            above = prices_above(forest.parent, price)[:n_slots]
            new, looked = candidates.priced_in(arcs, dual, above, stop=control.poll)
        if not looked:
            break
        # whatever is not among the arcs costs, with its prices, at least this
        np.minimum.at(dual, new.request, new.cost + above[new.slot])
        best = better(best, result(coupled.bound(np.minimum(dual, found.request_dual), own, dual)))
        if control.poll() or best.proof.gap <= gap or not len(new):
            break
        arcs, _ = arcs.merged(new)
    if control.reason is None and best.proof.gap > gap:
        return best  # "searched"
    return replace(best, solution=replace(best.solution, termination=ended(best, candidates, control, gap)))
