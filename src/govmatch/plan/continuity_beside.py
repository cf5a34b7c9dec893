"""Continuity of carer beside teams, sessions, goods, bonds and limits: who comes, after all else is chosen.

The search without faces comes first. Its bound holds, since no face costs less than nothing. Then the people
of its plan are exchanged (`solve.series_beside`). At one vector of prices, of capacities and of limits, the
bound parts into series, teams, goods and sessions; what series add for their faces is added to it. There the
faces of visits that are teams, ask for several people or may sit in sessions count as free.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch.plan.continuity import BOUND_SHARE, MOST, SHARE, WIDE, WORK, faces_of, series_instance
from govmatch.plan.forest import Layout, capacity_forest
from govmatch.plan.team_wheel import Coupling
from govmatch.plan.wheel import Result, ended
from govmatch.reach.candidates import CHEAPEST, Arcs
from govmatch.solve.certificate import Proof, node_loads, prices_above, valid_duals
from govmatch.solve.control import Control
from govmatch.solve.core import SMALL
from govmatch.solve.coupled import Coupled
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.opened import search_opened
from govmatch.solve.ruled import Ruled, search_ruled
from govmatch.solve.series import Search, raise_prices
from govmatch.solve.series_beside import Beside
from govmatch.solve.series_bound import series_bound
from govmatch.solve.series_instance import SeriesInstance, total_cost
from govmatch.solve.series_whole import solve_whole
from govmatch.solve.team_prices import best_duals

IntArray = NDArray[np.int64]

TURNS = 3
"""Searches; each after the first, as some of what the one before found was not whole."""

FIRST = 0.4
"""Of the time that is left, for the search without faces."""


def _beside(coupling: Coupling, arcs: Arcs, layout: Layout) -> Beside:
    """Return the arcs with all that limits a plan."""
    fixed = np.arange(len(coupling.units.request)) >= coupling.n_people
    face, of = faces_of(coupling.problem, arcs, layout), _of(coupling)

    def series(instance: Instance, at: IntArray) -> SeriesInstance:
        return series_instance(coupling.problem, instance, face[at], of)

    return Beside(coupling.coupled(layout), coupling.limits(arcs, layout), series, fixed)


def _of(coupling: Coupling) -> IntArray:
    """Return the series of each unit; -1: none."""
    series = coupling.problem.series.of[coupling.units.request]
    series[coupling.n_people :] = -1
    return series


def before_faces(control: Control) -> Control:
    """Return the control of the search without faces, which leaves time for them."""
    return control if control.deadline is None else control.part(FIRST)


def continue_beside(coupling: Coupling, result: Result, control: Control, gap: float) -> Result:
    """Serve recurring requests by few faces in a plan of the coupled search.

    Parameters
    ----------
    coupling : Coupling
    result : Result
        Without faces.
    control : Control
    gap : float
        A gap that suffices.

    Returns
    -------
    Result
        With faces in its proof; no dearer than `result` with its faces, where that keeps the caps.
    """
    control.gap = gap
    constant = coupling.candidates.stays.constant
    wheel = _Wheel(coupling, result, control)
    begun = time.monotonic()
    wheel.price_in(CHEAPEST)
    took = time.monotonic() - begun
    beside, best, bound = wheel.beside, wheel.flow, result.proof.bound - constant
    primal = beside.cost(best) if beside.within_caps(best) else None

    def enough() -> bool:
        return control.poll() or (primal is not None and control.near(primal, bound))

    if not enough() and WORK * took < control.left(np.inf):
        bound = max(bound, wheel.bound(took))
    for _ in range(TURNS):
        if primal is not None and enough():
            break
        found = wheel.improved(best, bound)
        whole = beside.whole(found, best)
        cost = beside.cost(whole)
        if primal is None or cost < primal:
            primal, best = cost, whole
        if (whole == found).all() or control.poll():
            break
        # else again: from a plan that knows who may come, or without what could not be kept whole
        planned = wheel.planned_anew(found)
        cost = beside.cost(planned)
        if cost < primal and beside.within_caps(planned) and beside.together(planned):
            primal, best = cost, planned
    assert primal is not None
    if not enough():
        whole_town = solve_whole(beside, primal, control)
        if whole_town is not None:
            proved, flow = whole_town
            bound = max(bound, proved)
            if flow is not None and beside.cost(flow) < primal:
                primal, best = beside.cost(flow), flow
    return wheel.told(result, best, Proof(primal + constant, min(bound, primal) + constant), gap)


class _Wheel:
    """The arcs, a plan on them, and prices of the nodes and of limits that prove a bound."""

    def __init__(self, coupling: Coupling, result: Result, control: Control) -> None:
        self._coupling, self._control = coupling, control
        self._forest = capacity_forest(coupling.problem.supply, coupling.problem.policy)
        self.arcs = result.arcs
        self.flow, self._limit_price = result.solution.flow, result.prices
        self._dual = result.solution.request_dual
        self._price = np.zeros(len(self._forest.parent), np.int64)
        _, own = valid_duals(result.layout.instance, self._dual, result.solution.price)
        self._price[result.layout.node] = own
        self._raised_price = self._price
        self._outside = np.zeros(0, np.int64)
        self._looked = False
        # bonds may have raised the costs of arcs there
        self._lay_out(coupling.layout(self.arcs, self._forest))

    def _lay_out(self, layout: Layout) -> None:
        self.layout = layout
        self.beside = _beside(self._coupling, self.arcs, layout)
        limits, coupled = self.beside.limits, self.beside.coupled
        if len(self._limit_price) != limits.n:
            self._limit_price = np.zeros(limits.n, np.int64)
        at = limits.priced(coupled, self._limit_price)
        outside = self._coupling.candidates.outside_cost
        self.priced = Coupled(at.instance, at.tree, outside, openings=coupled.openings)
        seats = np.zeros(len(layout.arc), np.bool_)
        if coupled.openings is not None:
            seats = coupled.openings.of_arcs(layout.instance) >= 0
        self._seats = seats
        self._may_sit = np.zeros(len(layout.instance.demand), np.bool_)
        self._may_sit[layout.instance.request[seats]] = True

    @property
    def own(self) -> IntArray:
        """Own prices of the layout's nodes."""
        return self._price[self.layout.node]

    def _duals(self) -> IntArray:
        """Return the duals of all units at the prices, (n_units,)."""
        own, priced = self.own, self.priced
        best = np.where(self._may_sit, self._dual, best_duals(priced.alone, own))
        above = prices_above(self.layout.instance.parent, own)
        best = np.minimum(best, priced.instance.unmet_cost)
        return np.where(priced.in_team, priced.limits(above), best)

    def price_in(self, k: int) -> None:
        """Add pairs that might save faces at the prices, `k` of each unit at most."""
        coupling, forest = self._coupling, self._forest
        told, faces = coupling.problem.series, self.beside.faces
        above = prices_above(forest.parent, self._price)[: len(coupling.problem.supply.slot_provider)]
        dual, unmet = self._duals(), self.priced.instance.unmet_cost
        of = _of(coupling)
        recurs, limited = of >= 0, np.append(told.faces >= 0, False)[of]
        worth = np.minimum(dual + faces.further_cost + faces.stranger_cost, unmet)
        reach = np.where(recurs, np.where(limited, unmet, worth), dual)
        quotas = coupling.bounds.quotas
        passed = self._limit_price[: len(quotas)]
        toll = quotas.tolls(passed) if passed.any() else None
        new, looked = coupling.candidates.priced_in(
            self.arcs, reach, above, k, stop=self._control.poll, tolls=toll
        )
        self._looked = looked
        if not looked:
            return
        dear = new.cost + above[new.slot]
        if toll is not None:
            passes = quotas.passes(new, coupling.units.demand)
            np.add.at(dear, passes.arc, passed[passes.rule])
        last = np.zeros(len(dual), np.int64)
        np.maximum.at(last, new.request, dear)
        full = np.bincount(new.request, minlength=len(dual)) >= k  # perhaps there are more
        self._outside = np.where(full, np.minimum(reach, last), reach)
        goods = new.request >= coupling.n_people
        np.minimum.at(self._outside, new.request[goods], dear[goods])
        if len(new):
            self._grow(new)

    def _grow(self, new: Arcs) -> None:
        units = np.bincount(self.layout.arc, self.flow, len(self.arcs)).astype(np.int64)
        self.arcs, place = self.arcs.merged(new)
        moved = np.zeros(len(self.arcs), np.int64)
        moved[place] = units
        layout = self._coupling.layout(self.arcs, self._forest)
        self.flow = layout.carries(moved).astype(np.int64)
        self._lay_out(layout)

    def improved(self, flow: IntArray, bound: int) -> IntArray:
        """Exchange the people of a plan as long as that saves anything; return the flow."""
        instance, arcs = self.beside.search_instance(flow)
        come = np.bincount(instance.flow.request, flow[arcs], len(instance.flow.demand)).astype(np.int64)
        none = np.zeros(len(come), np.int64)
        start = Solution(flow[arcs], instance.flow.demand - come, none, self.own, "searched")
        search = Search(instance, start, self._control)
        found = np.zeros(len(flow), np.int64)
        found[arcs] = search.best.flow
        if not self._control.poll():
            # what is settled costs the same in all plans of the search
            settled = self.beside.cost(found) - search.cost
            search.start_anew(self._raised_price[self.layout.node])
            search.improve(bound - settled)
            found[arcs] = search.best.flow
        return found

    def planned_anew(self, flow: IntArray) -> IntArray:
        """Search for a plan in which limited series have the faces of another only; return its flow."""
        coupled, limits, arcs = self.beside.with_faces_of(flow)
        ruled: Ruled
        if coupled.openings is None:
            ruled = self._control.run(search_ruled, coupled, limits, self._control, None, self.own)
        else:
            ruled = self._control.run(search_opened, coupled, limits, self._control, None, self.own)
        planned = np.zeros(len(flow), np.int64)
        planned[arcs] = ruled.found.flow
        return planned

    def bound(self, took: float) -> int:
        """Return the best bound at the prices of the plan and at those raised for series.

        `took`: seconds that pricing took with a few pairs.
        """
        look, control = copy(self), self._control
        left = control.left(np.inf)
        # the bound looks at more pairs than the search: whoever is left out it takes for a face that is free
        wide = min(MOST, max(CHEAPEST, WIDE // len(self._dual)))
        wide = wide if WORK * took * wide / CHEAPEST < left else CHEAPEST
        if wide > CHEAPEST:
            look.price_in(wide)
        small = len(look.arcs) <= SMALL
        found = look._bound(control.poll) if small else 0
        if look._looked and not control.poll():
            raised = look._raise(control.part(SHARE))
            look._price = look._price.copy()
            look._price[look.layout.node] = raised
            self._raised_price = look._price
            look.price_in(wide)
            found = max(found, look._bound(control.part(BOUND_SHARE).poll))
        return found

    def _bound(self, stop: Callable[[], bool]) -> int:
        """Return the bound that the prices give over all pairs, after `price_in`."""
        if not self._looked:
            return 0
        priced, earned = self.priced, self.beside.limits.earned(self._limit_price)

        def without(dual: IntArray, own: IntArray) -> int:
            return priced.bound(dual, own, self._outside) - earned

        counted = ~priced.in_team & ~self._may_sit
        instance = self.beside.series(priced.instance, np.arange(len(self.layout.arc)))
        instance = replace(instance, series=np.where(counted, instance.series, -1))
        outside = np.maximum(self._outside, priced.outside)
        return series_bound(instance, self._duals(), self.own, outside, stop, without)

    def _raise(self, control: Control) -> IntArray:
        """Raise the prices for all that stand alone, beside the teams of the plan."""
        priced, flow = self.priced, self.flow
        alone = np.flatnonzero(~priced.in_team[priced.instance.request] & ~self._seats)
        taken = node_loads(priced.instance, np.where(priced.in_team[priced.instance.request], flow, 0))
        room = np.maximum(priced.instance.capacity - taken, 0)
        part = replace(priced.instance.of_arcs(alone), demand=priced.alone.demand, capacity=room)
        instance = self.beside.series(part, alone)
        used = flow[alone]
        come = np.bincount(part.request, used, len(part.demand)).astype(np.int64)
        none = np.zeros(len(come), np.int64)
        start = Solution(used, part.demand - come, none, self.own, "searched")
        free = replace(instance, most=np.full(len(instance.most), -1))
        outside = np.where(self._may_sit, np.minimum(self._outside, self._dual), self._outside)
        return raise_prices(instance, self.own, outside, total_cost(free, start), control)

    def told(self, result: Result, flow: IntArray, proof: Proof, gap: float) -> Result:
        """Return the result of a plan."""
        layout, coupling = self.layout, self._coupling
        come = np.bincount(layout.instance.request, flow, len(layout.instance.demand)).astype(np.int64)
        unmet = np.where(self.priced.in_team, 0, layout.instance.demand - come)
        solution = Solution(flow, unmet, self._dual, self.own, "searched")
        best = Result(self.arcs, layout, solution, proof, result.rounds, result.prices)
        termination = ended(best, coupling.candidates, self._control, gap, otherwise="searched")
        return replace(best, solution=replace(solution, termination=termination))
