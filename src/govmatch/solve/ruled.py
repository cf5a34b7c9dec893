"""A search under rules: prices on them prove a bound, and arcs are closed until a plan keeps them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.certificate import Proof, prices_above
from govmatch.solve.control import Control
from govmatch.solve.core import Core
from govmatch.solve.coupled import Coupled, Found, Served, follow
from govmatch.solve.mip.model import solve
from govmatch.solve.rules import Rules
from govmatch.solve.team_prices import best_duals
from govmatch.solve.team_search import search

IntArray = NDArray[np.int64]

ROUNDS = 24
"""Prices of rules that are tried."""

WHOLE = 30_000
"""Arcs up to which an instance is solved whole."""


@dataclass(frozen=True)
class Ruled:
    """A plan that keeps the rules, and their prices beside those of capacities.

    `found.request_dual` and `found.price` are duals where the arcs cost their tolls on top.
    """

    found: Found
    price: IntArray  # (n_rules,)


def search_ruled(
    coupled: Coupled,
    rules: Rules,
    control: Control,
    before: Ruled | None = None,
    start: IntArray | None = None,
) -> Ruled:
    """Seek a plan that keeps rules, and a bound near it.

    A rule's price falls and rises with what is used of it beside its limit (subgradient steps, Held, Wolfe &
    Crowder 1974); each price proves a bound, less what the limits earn. A small instance is solved whole.

    Parameters
    ----------
    coupled : Coupled
    rules : Rules
    control : Control
    before : Ruled, optional
        What was found with fewer arcs.
    start : int64 (n_nodes,), optional
        Own prices near the optimum.
    """
    found = search(coupled, control, before.found.served if before else None, start)
    nothing = np.zeros(len(rules.limit), np.int64)
    if (rules.usage(found.flow) <= rules.limit).all():
        return Ruled(found, nothing)
    plan = _repaired(coupled, rules, found, found, control)
    best = Ruled(replace(plan, proof=Proof(plan.proof.primal, found.proof.bound)), nothing)
    best = _priced(coupled, rules, best, found, before.price if before else nothing, control)
    if len(coupled.instance.request) <= WHOLE and not control.poll():
        best = _whole(coupled, rules, best, control)
    return best


def _priced(
    coupled: Coupled, rules: Rules, best: Ruled, found: Found, price: IntArray, control: Control
) -> Ruled:
    """Move the prices of the rules while that proves more or finds a cheaper plan."""
    n = len(coupled.instance.request)
    length, failed = 1.0, 0
    at = price.astype(np.float64)
    for step in range(ROUNDS):
        if control.poll() or best.found.proof.gap <= control.gap:
            break
        whole = np.round(at).astype(np.int64)
        bound = best.found.proof.bound
        if step or whole.any():
            dear = coupled.tolled(rules.tolls(whole, n))
            found = _choose_again(dear, follow(dear, found.served, control, found.price), control)
            bound = found.proof.bound - int((whole * rules.limit).sum())
            plan = _repaired(coupled, rules, found, found, control)
            failed = 0 if bound > best.found.proof.bound else failed + 1
            best = _better(best, found, bound, whole, plan)
            if failed == 3:
                failed, length = 0, length / 2
        over = (rules.usage(found.flow) - rules.limit).astype(np.float64)
        over[(at <= 0) & (over < 0)] = 0
        size = float(over @ over)
        if size == 0:
            break
        at = np.maximum(0.0, at + length * max(best.found.proof.primal - bound, 1) / size * over)
    return best


def _better(best: Ruled, priced: Found, bound: int, price: IntArray, plan: Found) -> Ruled:
    """Keep the better proof and the cheaper plan."""
    found, old = best.found, best.found.proof
    if bound > old.bound:
        found = replace(
            found, request_dual=priced.request_dual, price=priced.price, proof=Proof(old.primal, bound)
        )
        best = Ruled(found, price)
    if plan.proof.primal < old.primal:
        proof = Proof(plan.proof.primal, found.proof.bound)
        found = replace(found, served=plan.served, flow=plan.flow, unmet=plan.unmet, proof=proof)
    return Ruled(found, best.price)


def _choose_again(dear: Coupled, found: Found, control: Control) -> Found:
    """Let the prices choose teams anew, where there are any."""
    if not len(dear.tree.worth) or control.poll():
        return found
    choice = dear.choices.cheapest(np.maximum(found.price, 0))
    served = Served(choice.cost < dear.tree.worth, choice.request, choice.push)
    other = follow(dear, served, control, found.price)
    bound = max(found.proof.bound, other.proof.bound)
    proving = found if found.proof.bound >= other.proof.bound else other
    cheaper = found if found.proof.primal <= other.proof.primal else other
    return replace(
        cheaper,
        request_dual=proving.request_dual,
        price=proving.price,
        proof=Proof(cheaper.proof.primal, bound),
    )


def _repaired(coupled: Coupled, rules: Rules, found: Found, priced: Found, control: Control) -> Found:
    """Close arcs of rules that are reached until the rules hold; only the plan counts, not its bound."""
    instance = coupled.instance
    open_ = np.arange(len(instance.request))
    plan, kept = found, rules
    dual = best_duals(coupled.alone, priced.price)
    worth = dual[instance.request] - instance.cost
    worth -= prices_above(instance.parent, np.maximum(priced.price, 0))[instance.node]
    flow = found.flow
    while True:
        closed = kept.to_close(flow, worth[open_])
        open_ = open_[~closed]
        kept = rules.of(open_, len(instance.request))
        gone = np.ones(len(instance.request), np.bool_)
        gone[open_] = False
        plan = follow(coupled.without(gone), found.served, control, found.price)
        flow = plan.flow
        if (kept.usage(flow) <= rules.limit).all():
            break
    used = np.zeros(len(instance.request), np.int64)
    used[open_] = plan.flow
    return replace(plan, flow=used)


def _whole(coupled: Coupled, rules: Rules, best: Ruled, control: Control) -> Ruled:
    """Solve a small instance exactly."""
    instance = coupled.instance
    price = np.maximum(best.found.price, 0)
    every = np.ones(len(instance.parent), np.bool_)
    core = Core(coupled, price, every, 1 << 60, rules)
    outcome = solve(core.part, control)
    if outcome is None:
        return best
    bound = max(best.found.proof.bound, min(outcome.bound + core.constant, best.found.proof.primal))
    found = replace(best.found, proof=Proof(best.found.proof.primal, bound))
    plan = core.plan(outcome, found) if outcome.request is not None else None
    if plan is not None and plan.proof.primal < found.proof.primal:
        found = replace(plan, proof=Proof(plan.proof.primal, min(bound, plan.proof.primal)))
    return Ruled(found, best.price)
