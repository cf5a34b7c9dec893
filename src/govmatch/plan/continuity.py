"""Continuity of carer, after the flow tier: few faces for each recurring request, and a bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.plan.forest import Forest, Layout, lay_out
from govmatch.reach.candidates import CHEAPEST, Arcs, Candidates
from govmatch.reach.costs import hundredths
from govmatch.solve.certificate import Proof, prices_above, valid_duals
from govmatch.solve.control import Control
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.series import Search, raise_prices
from govmatch.solve.series_bound import series_bound
from govmatch.solve.series_instance import SeriesInstance

IntArray = NDArray[np.int64]

WIDE, MOST = 4_000_000, 400
"""Pairs that the bound adds at once, and of one request."""

WORK = 8
"""Pricing with a few pairs and the bound, times this, is all work on the bound with as many pairs."""

SHARE, BOUND_SHARE = 0.25, 0.5
"""Of the time that is left, for prices; and then for the bound at them."""


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


def series_instance(problem: Problem, instance: Instance, face: IntArray, series: IntArray) -> SeriesInstance:
    """Add the series of a problem to an instance of some of its arcs; see `SeriesInstance`."""
    told, rules = problem.series, problem.policy.continuity
    return SeriesInstance(
        flow=instance,
        face=face,
        series=series,
        free=told.people,
        most=told.faces,
        known_series=told.known_series,
        known_face=told.known_provider,
        further_cost=int(hundredths(rules.face_minutes)),
        stranger_cost=int(hundredths(rules.known_minutes)),
    )


def faces_of(problem: Problem, arcs: Arcs, layout: Layout) -> IntArray:
    """Return who comes by each of the instance's arcs, (n_arcs,)."""
    return problem.supply.slot_provider[arcs.slot[layout.arc]].astype(np.int64)


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
    wheel = _Wheel(problem, candidates, forest, start, control)
    begun = time.monotonic()
    wheel.price_in(CHEAPEST)
    arcs, layout, price = wheel.arcs, wheel.layout, wheel.own
    took = time.monotonic() - begun
    search = Search(wheel.instance, wheel.solution, control)
    bound = start.proof.bound
    left = np.inf if control.deadline is None else control.deadline - time.monotonic()
    if not (control.poll() or control.near(search.cost, bound)) and WORK * took < left:
        # the bound looks at more pairs than the search: whoever is left out it takes for a face that is free
        wide = min(MOST, max(CHEAPEST, WIDE // problem.demand.n_requests))
        if WORK * took * wide / CHEAPEST < left:
            wheel.price_in(wide)
        else:
            wide = CHEAPEST
        wheel.raise_prices(search.cost, control.part(SHARE))
        wheel.price_in(wide)
        price = wheel.price_at(layout)
        bound = max(bound, wheel.bound(control.part(BOUND_SHARE).poll))
    if not (control.poll() or control.near(search.cost, bound)):
        search.start_anew(price)
        search.improve(bound)
    return Continued(arcs, layout, search.best, Proof(search.cost, bound))


class _Wheel:
    """The arcs, an assignment on them, and own prices of the nodes that prove a bound."""

    def __init__(
        self, problem: Problem, candidates: Candidates, forest: Forest, start: Continued, control: Control
    ) -> None:
        self._problem, self._candidates, self._forest, self._control = problem, candidates, forest, control
        self.arcs, self.layout, self.solution = start.arcs, start.layout, start.solution
        self.instance = self._series()
        self._dual, self.own = valid_duals(
            start.layout.instance, start.solution.request_dual, start.solution.price
        )
        self._low = self._outside = np.zeros(0, np.int64)

    def _series(self) -> SeriesInstance:
        problem, layout = self._problem, self.layout
        face = faces_of(problem, self.arcs, layout)
        return series_instance(problem, layout.instance, face, problem.series.of)

    def price_in(self, k: int) -> None:
        """Add pairs that might save faces at the prices, `k` of each request at most."""
        problem, demand, supply = self._problem, self._problem.demand, self._problem.supply
        told, known = problem.series, self._candidates.outside_cost
        faces = self.instance.further_cost + self.instance.stranger_cost
        price = np.zeros(len(self._forest.parent), np.int64)
        price[self.layout.node] = self.own
        above = prices_above(self._forest.parent, price)[: len(supply.slot_provider)]
        dual = np.minimum(self._dual, demand.unmet_cost)
        # a limited series may have to leave a visit rather than send somebody else
        limited = np.append(told.faces >= 0, False)[told.of]
        worth = np.where(limited, demand.unmet_cost, np.minimum(dual + faces, demand.unmet_cost))
        reach = np.where(told.of >= 0, worth, dual)
        new, looked = self._candidates.priced_in(self.arcs, reach, above, k, stop=self._control.poll)
        if not looked:
            self._low, self._outside = np.minimum(dual, known), np.minimum(reach, known)
            return
        reduced = new.cost + above[new.slot]
        last = np.zeros(demand.n_requests, np.int64)
        np.maximum.at(last, new.request, reduced)
        full = np.bincount(new.request, minlength=demand.n_requests) >= k  # perhaps there are more
        self._outside = np.where(full, np.minimum(reach, last), reach)
        self._low = dual.copy()
        np.minimum.at(self._low, new.request, reduced)
        self._grow(new)
        self.own = price[self.layout.node]

    def bound(self, stop: Callable[[], bool]) -> int:
        """Return the bound that the prices give over all pairs, after `price_in`."""
        return series_bound(self.instance, self._low, self.own, self._outside, stop)

    def _grow(self, new: Arcs) -> None:
        units = np.bincount(self.layout.arc, self.solution.flow, len(self.arcs)).astype(np.int64)
        self.arcs, place = self.arcs.merged(new)
        moved = np.zeros(len(self.arcs), np.int64)
        moved[place] = units
        self.layout = lay_out(
            self.arcs, self._problem.demand, self._problem.supply, self._forest, stays=self._candidates.stays
        )
        carries = self.layout.carries(moved).astype(np.int64)
        self.solution = replace(self.solution, flow=carries, price=np.zeros(len(self.layout.node), np.int64))
        self.instance = self._series()

    def price_at(self, layout: Layout) -> IntArray:
        """Return the own prices of the nodes of an earlier layout."""
        price = np.zeros(len(self._forest.parent), np.int64)
        price[self.layout.node] = self.own
        return price[layout.node]

    def raise_prices(self, worth: int, control: Control) -> None:
        """Raise the prices, towards a cost that was reached; find each request's cheapest arc at them."""
        arcs = self.layout.instance
        self.own = raise_prices(self.instance, self.own, self._outside, worth, control)
        cheapest = np.minimum(arcs.unmet_cost, self._outside)
        np.minimum.at(cheapest, arcs.request, arcs.cost + prices_above(arcs.parent, self.own)[arcs.node])
        self._dual = cheapest
