"""Continuity of carer, after the flow tier: few faces for each recurring request, and what they cost at least."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.plan.forest import Forest, Layout, lay_out
from govmatch.reach.candidates import CHEAPEST, Arcs, Candidates
from govmatch.reach.costs import hundredths
from govmatch.solve import series
from govmatch.solve.certificate import Proof, prices_above, valid_duals
from govmatch.solve.control import Control
from govmatch.solve.instance import Solution
from govmatch.solve.series_bound import series_bound
from govmatch.solve.series_instance import SeriesInstance, faces_cost, total_cost

IntArray = NDArray[np.int64]

NOT_WANTED = np.iinfo(np.int64).min // 4


@dataclass(frozen=True)
class Continued:
    """An assignment over more arcs, its cost and a bound, both with faces."""

    arcs: Arcs
    layout: Layout
    solution: Solution
    proof: Proof


def wants_continuity(problem: Problem) -> bool:
    """Tell whether faces cost anything, or are limited, for any recurring request."""
    told, rules = problem.series, problem.policy.continuity
    strangers = rules.known_minutes > 0 and len(told.known_series) > 0
    return told.n > 0 and (rules.face_minutes > 0 or strangers or bool((told.faces >= 0).any()))


def series_instance(problem: Problem, arcs: Arcs, layout: Layout) -> SeriesInstance:
    """Add the series of a problem to the instance of its arcs."""
    told, rules = problem.series, problem.policy.continuity
    return SeriesInstance(
        flow=layout.instance,
        face=problem.supply.slot_provider[arcs.slot[layout.arc]].astype(np.int64),
        series=told.of,
        free=told.people,
        most=told.faces,
        known_series=told.known_series,
        known_face=told.known_provider,
        further_cost=int(hundredths(rules.face_minutes)),
        stranger_cost=int(hundredths(rules.known_minutes)),
    )


def continue_faces(
    problem: Problem,
    candidates: Candidates,
    forest: Forest,
    start: Continued,
    control: Control,
) -> Continued:
    """Serve recurring requests by few faces, from the flow without them.

    Pairs are added that would cost less than the flow's, were they to save faces; what is left out then
    costs at least what the pricing looked for, and enters the bound as somebody whose face costs nothing.
    """
    demand, supply = problem.demand, problem.supply
    arcs, layout, solution = start.arcs, start.layout, start.solution
    instance = series_instance(problem, arcs, layout)
    faces = instance.further_cost + instance.stranger_cost
    dual, own = valid_duals(layout.instance, solution.request_dual, solution.price)
    price = np.zeros(len(forest.parent), np.int64)
    price[layout.node] = own
    above = prices_above(forest.parent, price)[: len(supply.slot_provider)]
    reach = np.where(problem.series.of >= 0, np.minimum(dual + faces, demand.unmet_cost), dual)
    low, outside = np.minimum(dual, candidates.outside_cost), np.minimum(reach, candidates.outside_cost)
    new, looked = candidates.priced_in(arcs, reach, above, stop=control.poll)
    if looked:
        low, outside = dual.copy(), reach.copy()
        reduced = new.cost + above[new.slot]
        counts = np.bincount(new.request, minlength=demand.n_requests)
        last = np.zeros(demand.n_requests, np.int64)
        np.maximum.at(last, new.request, reduced)
        full = counts >= CHEAPEST  # perhaps more were found than are returned
        outside[full] = np.minimum(outside, last)[full]
        np.minimum.at(low, new.request, reduced)
        units = np.bincount(layout.arc, solution.flow, len(arcs)).astype(np.int64)
        arcs, place = arcs.merged(new)
        moved = np.zeros(len(arcs), np.int64)
        moved[place] = units
        layout = lay_out(arcs, demand, supply, forest)
        solution = replace(solution, flow=layout.carries(moved).astype(np.int64), price=price[layout.node])
        instance = series_instance(problem, arcs, layout)
    bound = max(start.proof.bound, series_bound(instance, low, solution.price, outside))
    found = series.solve(instance, solution, control, bound)
    return Continued(arcs, layout, found, Proof(total_cost(instance, found), bound))


def with_faces(problem: Problem, start: Continued) -> Continued:
    """Count what faces cost in an assignment that was made without them."""
    instance = series_instance(problem, start.arcs, start.layout)
    primal = start.proof.primal + faces_cost(instance, start.solution.flow)
    return replace(start, proof=Proof(primal, start.proof.bound))
