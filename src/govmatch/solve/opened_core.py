"""Which openings are held, exactly: a core with everybody else at their price, or a small instance whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.certificate import Proof, prices_above
from govmatch.solve.control import Control
from govmatch.solve.core import DEAREST, ROUNDS, SMALL, Core, by_tree, roots
from govmatch.solve.coupled import ENOUGH, Coupled
from govmatch.solve.mip.model import Outcome, solve
from govmatch.solve.mip.openings import PartOpenings
from govmatch.solve.opened_case import Case, Opened, better_opened, settle, told, walked
from govmatch.solve.opened_steps import Held
from govmatch.solve.ruled import WHOLE_SECONDS, whole_core
from govmatch.solve.team_prices import best_duals

IntArray = NDArray[np.int64]

MOST_ARCS, STALE, TURNS = 30_000, 0.05, 2
"""Arcs beyond which the core does not grow; when so many turns close less than such a share of the gap,
the search ends."""


def sharpen_openings(case: Case, best: Opened, control: Control) -> Opened:
    """Choose exactly what is held, everybody outside a core at their price; see `core.sharpen`."""
    coupled, openings, instance = case.dear, case.openings, case.dear.instance
    parent = instance.parent
    root = roots(parent)
    first = np.maximum(best.found.price, 0)
    kept, gap, stale = np.full(len(root), len(instance.request) <= SMALL), np.inf, 0
    kept[openings.node] = True
    teams, floor = len(coupled.tree.worth) > 0, 1 << 60
    if teams:  # who fights over the same people is in the core, too
        dear = by_tree(root, prices_above(parent, first))
        dearest = np.argsort(-dear, kind="stable")[:DEAREST]
        dearest = dearest[dear[dearest] > 0]
        kept[dearest] = True
        floor = int(dear[dearest].min(initial=floor))
    for turn in range(ROUNDS):
        # the relaxation's prices prove most; those of a plan choose well
        price = first if teams or turn % 2 == 0 else best.own
        begun = case.relaxed.bound(best_duals(coupled.alone, price), price)
        core = Core(coupled, price, kept[root], best.found.proof.primal + case.earned - begun)
        part = replace(core.part, openings=part_openings(coupled, core.arc, best.found.proof.primal))
        outcome = solve(part, control)
        if outcome is None:
            break
        proof = best.found.proof
        bound = max(proof.bound, min(outcome.bound + core.constant - case.earned, proof.primal))
        best = replace(best, found=replace(best.found, proof=Proof(proof.primal, bound)))
        if outcome.request is None or case.ends(best, control):
            break
        tried = _planned(case, core, outcome, best, price, control, bool(kept[root].all()))
        tried = walked(case, tried, tried.found.served, control)
        best = better_opened(best, tried)
        more = kept | (by_tree(root, core.excess(outcome)) > 0) | (len(instance.request) <= MOST_ARCS)
        more |= by_tree(root, prices_above(parent, tried.own)) >= floor
        grows = bool((more & ~kept).any())
        grows &= np.isin(instance.node, np.flatnonzero(more[root])).sum() <= MOST_ARCS
        kept = more if grows else kept
        stale = stale + 1 if best.found.proof.gap > gap * (1 - STALE) and not grows else 0
        if case.ends(best, control) or stale == TURNS:
            break
        gap = best.found.proof.gap
    return best


def solve_whole(case: Case, best: Opened, control: Control) -> Opened:
    """Solve a small instance exactly, with its limits."""
    free = case.limits.priced(case.coupled, np.zeros(case.limits.n, np.int64))
    core = whole_core(free, case.limits)
    part = replace(core.part, openings=part_openings(case.coupled, core.arc, best.found.proof.primal))
    outcome = solve(part, control, WHOLE_SECONDS)
    if outcome is None:
        return best
    proof = best.found.proof
    bound = max(proof.bound, min(outcome.bound + core.constant, proof.primal))
    best = replace(best, found=replace(best.found, proof=Proof(proof.primal, bound)))
    if outcome.request is None:
        return best
    price = np.maximum(best.found.price, 0)
    return better_opened(best, _planned(case, core, outcome, best, price, control, every=True))


def part_openings(coupled: Coupled, arc: IntArray, primal: int) -> PartOpenings:
    """Say which arcs of a part enter which opening; `arc` is the instance's, -1 none."""
    openings, instance = coupled.openings, coupled.instance
    assert openings is not None
    every = openings.of_arcs(instance)
    of = np.append(every, -1)[arc]
    entry = np.flatnonzero(of >= 0)
    tie = openings.tie[instance.request[arc[entry]]]
    width = max(1, openings.n)
    whole = np.flatnonzero((every >= 0) & (openings.tie[instance.request] >= 0))
    pairs, size = np.unique(openings.tie[instance.request[whole]] * width + every[whole], return_counts=True)
    tied = np.flatnonzero(tie >= 0)
    mine = np.searchsorted(pairs, tie[tied] * width + of[entry[tied]])
    here = np.bincount(mine, minlength=len(pairs))
    number = np.full(len(pairs), -1)
    complete = np.flatnonzero((here == size) & (size > 0))
    number[complete] = np.arange(len(complete))
    bundle = np.full(len(entry), -1)
    bundle[tied] = number[mine]
    return PartOpenings(
        arc=entry,
        opening=of[entry],
        cost=openings.cost,
        fewest=openings.fewest,
        capacity=instance.capacity[openings.node],
        bundle_opening=pairs[complete] % width,
        bundle=bundle,
        never=tied[bundle[tied] < 0],
        slack=0.0 if len(instance.request) <= SMALL else ENOUGH * primal / 2,
    )


def _planned(
    case: Case,
    core: Core,
    outcome: Outcome,
    best: Opened,
    price: IntArray,
    control: Control,
    every: bool,
) -> Opened:
    """Make the plan of what a core's programme chose; as it is where it had `every` node and keeps rules."""
    openings, instance, rules = case.openings, case.coupled.instance, case.limits.rules
    arcs = core.arc[outcome.used]
    used = np.zeros(len(instance.request), np.int64)
    used[arcs[arcs >= 0]] = 1
    on = openings.opened(instance, used)
    held = Held(on, openings.together(instance, used))
    served = core.served(outcome, price)
    if every and (arcs >= 0).all() and (rules.usage(used) <= rules.limit).all():
        come = np.bincount(instance.request[arcs], minlength=len(instance.demand))
        return told(case, held, best.found, served, used, instance.demand - come, price)
    return settle(case, held, best.found, served, control)
