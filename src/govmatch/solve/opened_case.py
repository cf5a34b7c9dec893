"""An instance with openings at given prices, and the plan of what is held in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.certificate import Proof
from govmatch.solve.control import Control
from govmatch.solve.coupled import Coupled, Found, Served, follow
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.opened_steps import Held, stepped
from govmatch.solve.ruled import Ruled, keep_rules
from govmatch.solve.rules import Limits

IntArray = NDArray[np.int64]

STEPS = 6
"""Steps from one plan to the next."""

URGE = 4
"""Unmet costs that a flow pays for each of the fewest in an open node, so that they come."""


@dataclass(frozen=True)
class Opened(Ruled):
    """A plan, what is held in it, and own prices of its flow, (n_nodes,)."""

    held: Held
    own: IntArray


class Case:
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


class Fixed:
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


def settle(case: Case, held: Held, found: Found, served: Served, control: Control) -> Opened:
    """Make the plan of what is held; nodes in which the fewest do not come are closed, the emptiest first.

    `found` gives the bound and the duals that are kept.
    """
    openings, price = case.openings, found.price
    while True:
        fixed = Fixed(case.coupled, case.limits, held)
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
    return told(case, held.only(taken > 0), found, plan.served, flow, plan.unmet, own)


def told(
    case: Case,
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


def better_opened(old: Opened, new: Opened) -> Opened:
    """Keep the cheaper plan, and the better bound with the duals that go with it."""
    one, other = old.found, new.found
    proving = other if other.proof.bound > one.proof.bound else one
    cheaper = new if other.proof.primal < one.proof.primal else old
    proof = Proof(cheaper.found.proof.primal, proving.proof.bound)
    found = replace(cheaper.found, request_dual=proving.request_dual, price=proving.price, proof=proof)
    return replace(cheaper, found=found)


def walked(case: Case, best: Opened, served: Served, control: Control) -> Opened:
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
        best = better_opened(best, tried)
    return best
