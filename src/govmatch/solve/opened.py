"""A search where nodes are opened or not: a relaxation, the openings exactly, and flows for what they leave.

While it is not settled which are open, everything is open for nothing: a relaxation whose prices and bound
hold for all plans. A mixed-integer programme of the openings, with everybody else at their price, chooses
which are held and raises the bound; for each choice the plan is a flow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.certificate import Proof, prices_above
from govmatch.solve.control import Control
from govmatch.solve.core import DEAREST, ROUNDS, SMALL, Core, by_tree, roots
from govmatch.solve.coupled import ENOUGH, LARGE, Coupled, Found, Served, choose, follow
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.mip.model import Outcome, solve
from govmatch.solve.mip.openings import PartOpenings
from govmatch.solve.opened_steps import Held, stepped
from govmatch.solve.ruled import WHOLE, Ruled, keep_rules, search_ruled
from govmatch.solve.rules import Limits
from govmatch.solve.team_live import improve
from govmatch.solve.team_prices import best_duals

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MOST_ARCS, STALE, TURNS, STEPS = 30_000, 0.05, 2, 6
"""Arcs beyond which the core does not grow; when so many turns close less than such a share of the gap,
the search ends; and steps from one plan to the next."""

SHARE = 0.4
"""Of the time that is left, for the prices of limits while everything is open."""

URGE = 4
"""Unmet costs that a flow pays for each of the fewest in an open node, so that they come."""


@dataclass(frozen=True)
class Opened(Ruled):
    """A plan, what is held in it, and own prices of its flow, (n_nodes,)."""

    held: Held
    own: IntArray


class _Case:
    """An instance with openings and limits, seen at prices of the limits.

    Attributes
    ----------
    coupled : Coupled
        As it is given.
    openings : Openings
    limits : Limits
    price : int64 (limits.n,)
    dear : Coupled
        With these prices in place of the limits.
    relaxed : Coupled
        The same with everything open for nothing.
    earned : int
        What a bound on `dear` lacks to be one on all plans, to be taken off.
    """

    def __init__(self, coupled: Coupled, limits: Limits, price: IntArray) -> None:
        if coupled.openings is None:
            raise ValueError("the instance has no openings; expected some")
        self.coupled, self.openings, self.limits, self.price = coupled, coupled.openings, limits, price
        self.dear = limits.priced(coupled, price)
        self.relaxed = self.dear.all_open()
        self.earned = limits.earned(price)

    @cached_property
    def plain(self) -> Coupled:
        """The instance with what floors cost only."""
        return self.limits.priced(self.coupled, self.price, tolls=False)

    def ends(self, best: Opened, control: Control) -> bool:
        """Tell whether the search may end."""
        return control.poll() or self.coupled.suffices(best.found.proof, control)


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
    relaxed = coupled.all_open()
    if limits.n:
        inner = control.part(SHARE)
        eased = inner.run(search_ruled, relaxed, limits, inner, before, start)
    else:
        free = choose(relaxed, control, before.found.served if before else None, start)
        eased = Ruled(free, np.zeros(0, np.int64))
    case, served = _Case(coupled, limits, eased.price), eased.found.served
    found, wanted = _proved(case, eased.found), _wanted(case, eased.found)
    best = settle(case, before.held if before else wanted, found, served, control)
    if before is not None and case.openings.n:
        best = _better(best, settle(case, wanted, found, served, control))
    large = before is not None and len(coupled.instance.request) > LARGE
    if not large and not case.ends(best, control):
        best = _walked(case, best, served, control)
        best = _sharpened(case, best, control)
    if limits.n and len(coupled.instance.request) <= WHOLE and not case.ends(best, control):
        best = _whole(case, best, control)
    if case.ends(best, control):
        return best
    return _improved(case, best, control)


def _improved(case: _Case, best: Opened, control: Control) -> Opened:
    """Look for better teams, or a better plan under limits, beside what is held."""
    fixed = _Fixed(case.coupled, case.limits, best.held)
    if case.limits.n or case.coupled.bonds is not None:
        start = fixed.start(best.own)
        ruled = search_ruled(
            fixed.coupled, fixed.limits, control, Ruled(fixed.of(best.found), case.price), start
        )
        flow = fixed.flow(ruled.found)
        if case.openings.kept(case.coupled.instance, flow):
            found = ruled.found
            tried = _told(case, best.held, best.found, found.served, flow, found.unmet, best.own)
            best = _better(best, tried)
    elif len(case.coupled.tree.worth):
        served = improve(fixed.coupled, fixed.of(best.found), control)
        if served is not None:
            best = _better(best, settle(case, best.held, best.found, served, control))
    return best


def _proved(case: _Case, free: Found) -> Found:
    """Take the duals of the relaxation that prove most."""
    best, bound = free, free.proof.bound
    for dual in (free.request_dual, best_duals(case.dear.alone, np.maximum(free.price, 0))):
        proved = case.dear.bound(dual, free.price) - case.earned
        if proved > bound:
            best, bound = replace(free, request_dual=dual), proved
    return replace(best, proof=Proof(best.proof.primal, bound))


def _better(old: Opened, new: Opened) -> Opened:
    """Keep the cheaper plan, and the better bound with the duals that go with it."""
    one, other = old.found, new.found
    proving = other if other.proof.bound > one.proof.bound else one
    cheaper = new if other.proof.primal < one.proof.primal else old
    proof = Proof(cheaper.found.proof.primal, proving.proof.bound)
    found = replace(cheaper.found, request_dual=proving.request_dual, price=proving.price, proof=proof)
    return replace(cheaper, found=found)


def _wanted(case: _Case, free: Found) -> Held:
    """Hold what the relaxation uses with the fewest or more."""
    openings, instance = case.openings, case.coupled.instance
    on = openings.taken(instance, free.flow) >= openings.fewest
    every = Held(np.ones(openings.n, np.bool_), openings.together(instance, free.flow))
    return every.only(on)


def _walked(case: _Case, best: Opened, served: Served, control: Control) -> Opened:
    """Open and close by prices as long as that makes the plan cheaper."""
    for _ in range(STEPS):
        if case.ends(best, control):
            break
        found = best.found
        held = stepped(case.dear.instance, case.openings, best.held, found.flow, found.unmet, best.own)
        if (held.on == best.held.on).all() and (held.seat == best.held.seat).all():
            break
        tried = settle(case, held, best.found, served, control)
        if tried.found.proof.primal >= best.found.proof.primal:
            break
        best = _better(best, tried)
    return best


class _Fixed:
    """An instance in which it is settled what is held: no openings any more, but urgent places."""

    def __init__(self, coupled: Coupled, limits: Limits, held: Held) -> None:
        openings, instance = coupled.openings, coupled.instance
        assert openings is not None
        self._whole, n_nodes = coupled, len(instance.parent)
        of = openings.of_arcs(instance)
        tie = openings.tie[instance.request]
        seat = np.append(held.seat, -1)[tie]
        self.seated = np.flatnonzero((tie >= 0) & (of >= 0) & (of == seat))
        # whoever is seated with others asks for nothing else
        gone = (of >= 0) & ((tie >= 0) | ~np.append(held.on, True)[of])
        settled = np.zeros(len(instance.demand), np.bool_)
        settled[instance.request[self.seated]] = True
        gone |= settled[instance.request]
        capacity = instance.capacity.copy()
        capacity[openings.node] -= np.bincount(of[self.seated], minlength=openings.n)
        lacking = openings.fewest - np.bincount(of[self.seated], minlength=openings.n)
        keep = np.flatnonzero(~gone)
        urgent = np.flatnonzero((lacking > 0) & held.on)
        place = np.full(openings.n + 1, -1)
        place[urgent] = n_nodes + np.arange(len(urgent))
        wanted = keep[place[of[keep]] >= 0]  # each such arc twice: into an urgent place, and into another
        called = np.zeros(len(instance.demand), np.bool_)
        called[instance.request[wanted]] = True
        urge = URGE * int(instance.unmet_cost[called].max(initial=0))
        lacking = np.minimum(lacking[urgent], np.maximum(capacity[openings.node[urgent]], 0))
        capacity[openings.node[urgent]] -= lacking
        self.origin = np.concatenate([keep, wanted])
        order = np.argsort(instance.request[self.origin], kind="stable")
        self.origin = self.origin[order]
        node = np.concatenate([instance.node[keep], place[of[wanted]]])[order]
        request = instance.request[self.origin]
        dear = called[request] & (node < n_nodes)
        part = Instance(
            request=request,
            node=node,
            group=instance.group[self.origin],
            cost=instance.cost[self.origin] + urge * dear,
            demand=np.where(settled, 0, instance.demand),
            unmet_cost=instance.unmet_cost + urge * called,
            capacity=np.append(capacity, lacking),
            parent=np.append(instance.parent, np.full(len(urgent), -1)),
            load_cost=np.append(instance.load_cost, np.zeros(len(urgent), np.int64)),
        )
        self.coupled = Coupled(part, coupled.tree, bonds=coupled.bonds)
        taken = np.zeros(len(instance.request), np.int64)
        taken[self.seated] = 1
        self.limits = Limits(limits.rules.copied(self.origin, taken), limits.floors)
        full = limits.rules.usage(taken) > limits.rules.limit
        through = np.isin(self.seated, limits.rules.arc[full[limits.rules.rule]])
        self.beyond = np.unique(tie[self.seated[through]])  # ties that a rule does not let through
        self._n_nodes = n_nodes

    def start(self, price: IntArray | None) -> IntArray | None:
        """Return own prices for all nodes."""
        if price is None:
            return None
        return np.append(price, np.zeros(len(self.coupled.instance.parent) - self._n_nodes, np.int64))

    def flow(self, found: Found) -> IntArray:
        """Return a plan's flow on the arcs of the whole instance."""
        flow = np.zeros(len(self._whole.instance.request), np.int64)
        flow[self.origin[found.flow > 0]] = 1
        flow[self.seated] = 1
        return flow

    def of(self, found: Found) -> Found:
        """Return what was found on the whole, for a search that starts from its teams and prices."""
        none = np.zeros(len(self.origin), np.int64)
        start = self.start(found.price)
        assert start is not None
        return replace(found, flow=none, price=start)


def settle(case: _Case, held: Held, found: Found, served: Served, control: Control) -> Opened:
    """Make the plan of what is held; nodes in which the fewest do not come are closed, the emptiest first.

    `found` gives the bound and the duals that are kept.
    """
    openings, price = case.openings, found.price
    while True:
        fixed = _Fixed(case.coupled, case.limits, held)
        if len(fixed.beyond):
            held = held.without(fixed.beyond)
            continue
        dear = fixed.limits.priced(fixed.coupled, case.price)
        plan = follow(dear, served, control, fixed.start(price))
        if (fixed.limits.rules.usage(plan.flow) > fixed.limits.rules.limit).any():
            plan = keep_rules(fixed.coupled, fixed.limits, case.price, plan, control)
        flow = fixed.flow(plan)
        taken = openings.taken(case.coupled.instance, flow)
        lacking = np.flatnonzero((taken > 0) & (taken < openings.fewest))
        if not len(lacking):
            break
        emptiest = lacking[np.argsort(taken[lacking] / openings.fewest[lacking], kind="stable")]
        closed = emptiest if control.poll() else emptiest[: (len(emptiest) + 1) // 2]
        on = np.ones(openings.n, np.bool_)
        on[closed] = False
        held = held.only(on)
    own = np.maximum(plan.price[: len(price)], 0)
    return _told(case, held.only(taken > 0), found, plan.served, flow, plan.unmet, own)


def _told(
    case: _Case,
    held: Held,
    found: Found,
    served: Served,
    flow: IntArray,
    unmet: IntArray,
    own: IntArray,
) -> Opened:
    """Return a plan with what it costs, beside the bound and duals that were known."""
    openings = case.openings
    solution = Solution(flow, unmet, found.request_dual, found.price, "searched")
    kept, used, unmet, cost = case.plain.plan(served, solution)
    plan = replace(found, served=kept, flow=used, unmet=unmet, proof=Proof(cost, found.proof.bound))
    cost = case.limits.cost(case.coupled, plan, case.price)
    cost += int(openings.cost[openings.opened(case.coupled.instance, used)].sum())
    return Opened(replace(plan, proof=Proof(cost, found.proof.bound)), case.price, held, own)


def _sharpened(case: _Case, best: Opened, control: Control) -> Opened:
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
        part = replace(core.part, openings=_of_part(case, core.arc, best.found.proof.primal))
        outcome = solve(part, control)
        if outcome is None:
            break
        proof = best.found.proof
        bound = max(proof.bound, min(outcome.bound + core.constant - case.earned, proof.primal))
        best = replace(best, found=replace(best.found, proof=Proof(proof.primal, bound)))
        if outcome.request is None or case.ends(best, control):
            break
        tried = _planned(case, core, outcome, best, price, control, bool(kept[root].all()))
        tried = _walked(case, tried, tried.found.served, control)
        best = _better(best, tried)
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


def _whole(case: _Case, best: Opened, control: Control) -> Opened:
    """Solve a small instance exactly, with its limits."""
    free = case.limits.priced(case.coupled, np.zeros(case.limits.n, np.int64))
    price = np.maximum(best.found.price, 0)
    core = Core(free, price, np.ones(len(price), np.bool_), 1 << 60, case.limits)
    part = replace(core.part, openings=_of_part(case, core.arc, best.found.proof.primal))
    outcome = solve(part, control)
    if outcome is None:
        return best
    proof = best.found.proof
    bound = max(proof.bound, min(outcome.bound + core.constant, proof.primal))
    best = replace(best, found=replace(best.found, proof=Proof(proof.primal, bound)))
    if outcome.request is None:
        return best
    return _better(best, _planned(case, core, outcome, best, price, control, every=True))


def _of_part(case: _Case, arc: IntArray, primal: int) -> PartOpenings:
    """Say which arcs of a part enter which opening; `arc` is the instance's, -1 none."""
    openings, instance = case.openings, case.coupled.instance
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
    case: _Case,
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
        return _told(case, held, best.found, served, used, instance.demand - come, price)
    return settle(case, held, best.found, served, control)
