"""A search where nodes are opened or not: a relaxation, the openings exactly, and flows for what they leave.

While it is not settled which are open, everything is open for nothing: a relaxation whose prices and bound
hold for all plans. A mixed-integer programme of the openings, with everybody else at their price, chooses
which are held and raises the bound; for each choice the plan is a flow.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.certificate import Proof
from govmatch.solve.control import Control
from govmatch.solve.coupled import LARGE, Coupled, Found, choose
from govmatch.solve.opened_case import Case, Fixed, Opened, better_opened, settle, told, walked
from govmatch.solve.opened_core import part_openings, sharpen_openings, solve_whole
from govmatch.solve.opened_steps import Held
from govmatch.solve.ruled import (
    WHOLE,
    Ruled,
    capped,
    relaxed_prices,
    search_at,
    search_ruled,
    whole_core,
)
from govmatch.solve.rules import Limits
from govmatch.solve.team_live import improve
from govmatch.solve.team_prices import best_duals

IntArray = NDArray[np.int64]

SHARE = 0.4
"""Of the time that is left, for the prices of limits while everything is open."""


def search_opened(
    coupled: Coupled,
    limits: Limits,
    control: Control,
    before: Opened | None = None,
    start: IntArray | None = None,
) -> Opened:
    """Seek a plan of little cost that keeps the limits, and a bound near it.

    Parameters
    ----------
    coupled : Coupled
        With openings.
    limits : Limits
    control : Control
    before : Opened, optional
        What was found with fewer arcs.
    start : int64 (n_nodes,), optional
        Own prices near the optimum.
    """
    small = len(coupled.instance.request) <= WHOLE
    eased = _eased(coupled, limits, control, before, start, small)
    case, served = Case(coupled, limits, eased.price), eased.found.served
    found, wanted = _proved(case, eased.found), _wanted(case, eased.found)
    best = settle(case, before.held if before else wanted, found, served, control)
    if before is not None and case.openings.n:
        best = better_opened(best, settle(case, wanted, found, served, control))
    large = before is not None and len(coupled.instance.request) > LARGE
    if not large and not case.ends(best, control):
        best = walked(case, best, served, control)
        if not (limits.n and small):
            best = sharpen_openings(case, best, control)
    if not case.ends(best, control):
        best = _improved(case, best, control)
    if limits.n and small and not case.ends(best, control):
        best = solve_whole(case, best, control)
    return best


def _eased(
    coupled: Coupled,
    limits: Limits,
    control: Control,
    before: Opened | None,
    start: IntArray | None,
    small: bool,
) -> Ruled:
    """Solve with everything open for nothing, at good prices of the limits."""
    relaxed, nothing = coupled.all_open(), np.zeros(limits.n, np.int64)
    served = before.found.served if before else None
    if not limits.n:
        return Ruled(choose(relaxed, control, served, start), nothing)
    if not small:
        inner = control.part(SHARE)
        return inner.run(search_ruled, relaxed, limits, inner, before, start)
    free = limits.priced(coupled, nothing)
    found = choose(free.all_open(), control, served, start)
    if control.poll():
        return Ruled(found, nothing)
    core = whole_core(free, limits)
    part = replace(core.part, openings=part_openings(coupled, core.arc, found.proof.primal))
    prices = relaxed_prices(part, control)
    if prices is None:
        return Ruled(found, nothing)
    at = capped(coupled, limits, prices.limit)
    found = choose(limits.priced(relaxed, at), control, found.served, prices.node)
    return Ruled(replace(found, proof=Proof(found.proof.primal, found.proof.bound - limits.earned(at))), at)


def _improved(case: Case, best: Opened, control: Control) -> Opened:
    """Look for better teams, or a better plan under limits, beside what is held."""
    limited = case.limits.n or case.coupled.bonds is not None
    if not limited and not len(case.coupled.tree.worth):
        return best
    fixed = Fixed(case.coupled, case.limits, best.held)
    if not limited:
        served = improve(fixed.coupled, fixed.of(best.found), control)
        if served is None:
            return best
        return better_opened(best, settle(case, best.held, best.found, served, control))
    start = fixed.start(best.own)
    _, plan = search_at(fixed.coupled, fixed.limits, case.price, best.found.served, start, control)
    flow = fixed.flow(plan)
    if not case.openings.kept(case.coupled.instance, flow):
        return better_opened(best, settle(case, best.held, best.found, plan.served, control))
    return better_opened(best, told(case, best.held, best.found, plan.served, flow, plan.unmet, best.own))


def _proved(case: Case, free: Found) -> Found:
    """Take the duals of the relaxation that prove most."""
    best, bound = free, free.proof.bound
    for dual in (free.request_dual, best_duals(case.dear.alone, np.maximum(free.price, 0))):
        proved = case.dear.bound(dual, free.price) - case.earned
        if proved > bound:
            best, bound = replace(free, request_dual=dual), proved
    return replace(best, proof=Proof(best.proof.primal, bound))


def _wanted(case: Case, free: Found) -> Held:
    """Hold what the relaxation uses with the fewest or more."""
    openings, instance = case.openings, case.coupled.instance
    on = openings.taken(instance, free.flow) >= openings.fewest
    every = Held(np.ones(openings.n, np.bool_), openings.together(instance, free.flow))
    return every.only(on)
