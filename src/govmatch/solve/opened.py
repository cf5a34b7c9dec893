"""A search where nodes are opened or not: a relaxation, the openings exactly, and flows for what they leave.

While it is not settled which are open, everything is open for nothing: a relaxation whose prices and bound
hold for all plans. A mixed-integer programme of the openings, with everybody else at their price, chooses
which are held and raises the bound; for each choice the plan is a flow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
from govmatch.solve.openings import Openings
from govmatch.solve.ruled import Ruled
from govmatch.solve.team_live import improve
from govmatch.solve.team_prices import best_duals

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MOST_ARCS, STALE, TURNS, STEPS = 30_000, 0.05, 2, 6
"""Arcs beyond which the core does not grow; when so many turns close less than such a share of the gap,
the search ends; and steps from one plan to the next."""

URGE = 4
"""Unmet costs that a flow pays for each of the fewest in an open node, so that they come."""


@dataclass(frozen=True)
class Opened(Ruled):
    """A plan, what is held in it, and own prices of its flow, (n_nodes,); no rules."""

    held: Held
    own: IntArray


def search_opened(
    coupled: Coupled, control: Control, before: Opened | None = None, start: IntArray | None = None
) -> Opened:
    """Seek a plan of little cost and a bound near it.

    Parameters
    ----------
    coupled : Coupled
        With openings.
    control : Control
    before : Opened, optional
        What was found with fewer arcs.
    start : int64 (n_nodes,), optional
        Own prices near the optimum.
    """
    openings = _openings(coupled)
    relaxed = Coupled(coupled.instance, coupled.tree, coupled.outside)
    free = choose(relaxed, control, before.found.served if before else None, start)
    found = _proved(coupled, free)
    best = settle(coupled, before.held if before else _wanted(coupled, free), found, free.served, control)
    if before is not None and openings.n:
        best = _better(best, settle(coupled, _wanted(coupled, free), found, free.served, control))
    large = before is not None and len(coupled.instance.request) > LARGE
    if not large and not _ends(coupled, best, control):
        best = _walked(coupled, best, free.served, control)
        best = _sharpened(coupled, relaxed, best, control)
    if len(coupled.tree.worth) and not _ends(coupled, best, control):
        fixed = _Fixed(coupled, best.held)
        served = improve(fixed.coupled, fixed.of(best.found), control)
        if served is not None:
            best = _better(best, settle(coupled, best.held, best.found, served, control))
    return best


def _openings(coupled: Coupled) -> Openings:
    if coupled.openings is None:
        raise ValueError("the instance has no openings; expected some")
    return coupled.openings


def _ends(coupled: Coupled, best: Opened, control: Control) -> bool:
    return control.poll() or coupled.suffices(best.found.proof, control)


def _proved(coupled: Coupled, free: Found) -> Found:
    """Take the duals of the relaxation that prove most."""
    best, bound = free, free.proof.bound
    for dual in (free.request_dual, best_duals(coupled.alone, np.maximum(free.price, 0))):
        proved = coupled.bound(dual, free.price)
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


def _wanted(coupled: Coupled, free: Found) -> Held:
    """Hold what the relaxation uses with the fewest or more."""
    openings, instance = _openings(coupled), coupled.instance
    on = openings.taken(instance, free.flow) >= openings.fewest
    every = Held(np.ones(openings.n, np.bool_), openings.together(instance, free.flow))
    return every.only(on)


def _walked(coupled: Coupled, best: Opened, served: Served, control: Control) -> Opened:
    """Open and close by prices as long as that makes the plan cheaper."""
    openings = _openings(coupled)
    for _ in range(STEPS):
        if _ends(coupled, best, control):
            break
        held = stepped(coupled.instance, openings, best.held, best.found.flow, best.found.unmet, best.own)
        if (held.on == best.held.on).all() and (held.seat == best.held.seat).all():
            break
        tried = settle(coupled, held, best.found, served, control)
        if tried.found.proof.primal >= best.found.proof.primal:
            break
        best = _better(best, tried)
    return best


class _Fixed:
    """An instance in which it is settled what is held: no openings any more, but urgent places."""

    def __init__(self, coupled: Coupled, held: Held) -> None:
        openings, instance = _openings(coupled), coupled.instance
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
        self.coupled = Coupled(part, coupled.tree)
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


def settle(coupled: Coupled, held: Held, found: Found, served: Served, control: Control) -> Opened:
    """Make the plan of what is held; nodes in which the fewest do not come are closed, the emptiest first.

    `found` gives the bound and the duals that are kept.
    """
    openings, price = _openings(coupled), found.price
    while True:
        fixed = _Fixed(coupled, held)
        plan = follow(fixed.coupled, served, control, fixed.start(price))
        flow = fixed.flow(plan)
        taken = openings.taken(coupled.instance, flow)
        lacking = np.flatnonzero((taken > 0) & (taken < openings.fewest))
        if not len(lacking):
            break
        emptiest = lacking[np.argsort(taken[lacking] / openings.fewest[lacking], kind="stable")]
        closed = emptiest if control.poll() else emptiest[: (len(emptiest) + 1) // 2]
        on = np.ones(openings.n, np.bool_)
        on[closed] = False
        held = held.only(on)
    own = np.maximum(plan.price[: len(price)], 0)
    return _told(coupled, held.only(taken > 0), found, plan.served, flow, plan.unmet, own)


def _told(
    coupled: Coupled,
    held: Held,
    found: Found,
    served: Served,
    flow: IntArray,
    unmet: IntArray,
    own: IntArray,
) -> Opened:
    """Return a plan with what it costs, beside the bound and duals that were known."""
    openings = _openings(coupled)
    solution = Solution(flow, unmet, found.request_dual, found.price, "searched")
    kept, used, unmet, cost = coupled.plan(served, solution)
    cost += int(openings.cost[openings.opened(coupled.instance, used)].sum())
    plan = replace(found, served=kept, flow=used, unmet=unmet, proof=Proof(cost, found.proof.bound))
    return Opened(plan, np.zeros(0, np.int64), held, own)


def _sharpened(coupled: Coupled, relaxed: Coupled, best: Opened, control: Control) -> Opened:
    """Choose exactly what is held, everybody outside a core at their price; see `core.sharpen`."""
    openings, instance = _openings(coupled), coupled.instance
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
        begun = relaxed.bound(best_duals(relaxed.alone, price), price)
        core = Core(coupled, price, kept[root], best.found.proof.primal - begun)
        part = replace(core.part, openings=of_part(coupled, core.arc, best.found.proof.primal))
        outcome = solve(part, control)
        if outcome is None:
            break
        proof = best.found.proof
        bound = max(proof.bound, min(outcome.bound + core.constant, proof.primal))
        best = replace(best, found=replace(best.found, proof=Proof(proof.primal, bound)))
        if outcome.request is None or _ends(coupled, best, control):
            break
        tried = _planned(coupled, core, outcome, best, price, control, bool(kept[root].all()))
        tried = _walked(coupled, tried, tried.found.served, control)
        best = _better(best, tried)
        more = kept | (by_tree(root, core.excess(outcome)) > 0) | (len(instance.request) <= MOST_ARCS)
        more |= by_tree(root, prices_above(parent, tried.own)) >= floor
        grows = bool((more & ~kept).any())
        grows &= np.isin(instance.node, np.flatnonzero(more[root])).sum() <= MOST_ARCS
        kept = more if grows else kept
        stale = stale + 1 if best.found.proof.gap > gap * (1 - STALE) and not grows else 0
        if _ends(coupled, best, control) or stale == TURNS:
            break
        gap = best.found.proof.gap
    return best


def of_part(coupled: Coupled, arc: IntArray, primal: int) -> PartOpenings:
    """Say which arcs of a part enter which opening; `arc` is the instance's, -1 none."""
    openings, instance = _openings(coupled), coupled.instance
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
    coupled: Coupled,
    core: Core,
    outcome: Outcome,
    best: Opened,
    price: IntArray,
    control: Control,
    every: bool,
) -> Opened:
    """Make the plan of what a core's programme chose; as it is where it had `every` node."""
    openings, instance = _openings(coupled), coupled.instance
    arcs = core.arc[outcome.used]
    used = np.zeros(len(instance.request), np.int64)
    used[arcs[arcs >= 0]] = 1
    on = openings.opened(instance, used)
    held = Held(on, openings.together(instance, used))
    served = core.served(outcome, price)
    if every and (arcs >= 0).all():
        come = np.bincount(instance.request[arcs], minlength=len(instance.demand))
        return _told(coupled, held, best.found, served, used, instance.demand - come, price)
    return settle(coupled, held, best.found, served, control)
