"""A search under limits: prices on them prove a bound, and arcs are closed until a plan keeps the rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from govmatch.errors import SolverError
from govmatch.solve.certificate import Proof, prices_above
from govmatch.solve.control import Control
from govmatch.solve.core import Core
from govmatch.solve.coupled import LARGE, Coupled, Found, Served, choose, follow
from govmatch.solve.mip.model import Relaxed, relax, solve
from govmatch.solve.mip.part import Part
from govmatch.solve.rules import Limits
from govmatch.solve.team_prices import best_duals
from govmatch.solve.team_search import search

IntArray = NDArray[np.int64]

ROUNDS = 100
"""Prices of limits that are tried."""

STALE = 1e-5
"""Where prices cannot prove a larger share of the cost more, in a large instance, no more are tried."""

IDLE = 8
"""Quick looks at teams in a row that find nothing, before a thorough one."""

WHOLE, WHOLE_SECONDS = 250_000, 120.0
"""Arcs up to which an instance is solved whole, and the time for that at most."""

RELAXED, SEARCHED = 0.3, 0.4
"""Of the time that is left, for the linear relaxation of such an instance, and for a search at its prices."""


@dataclass(frozen=True)
class Ruled:
    """A plan that keeps the rules, and the prices of limits beside those of capacities.

    `found.request_dual` and `found.price` are duals where the limits have their prices; what `found.proof`
    says is of the costs as they are, floors that are missed included.
    """

    found: Found
    price: IntArray  # (limits.n,)


def search_ruled(
    coupled: Coupled,
    limits: Limits,
    control: Control,
    before: Ruled | None = None,
    start: IntArray | None = None,
) -> Ruled:
    """Seek a plan that keeps rules and, at a price, floors, and a bound near it.

    Each price of the limits proves a bound, less what the limits earn (Lagrangian relaxation, Geoffrion
    1974). A small instance is solved whole.

    Parameters
    ----------
    coupled : Coupled
        Leaving people costs as if nobody were free to be missing under a floor.
    limits : Limits
    control : Control
    before : Ruled, optional
        What was found with fewer arcs.
    start : int64 (n_nodes,), optional
        Own prices near the optimum.
    """
    nothing = np.zeros(limits.n, np.int64)
    free = limits.priced(coupled, nothing)
    served = before.found.served if before else None
    found = choose(free, control, served, start) if limits.n else search(free, control, served, start)
    if limits.n and (limits.over(coupled, found) <= 0).all():
        found = search(free, control, found.served, found.price)
    if (limits.over(coupled, found) <= 0).all():
        return Ruled(found, nothing)
    plan = keep_rules(coupled, limits, nothing, found, control)
    best = Ruled(replace(plan, proof=Proof(plan.proof.primal, found.proof.bound)), nothing)
    small = len(coupled.instance.request) <= WHOLE
    relaxed = _relaxed(free, limits, control) if small and not control.poll() else None
    if relaxed is None:
        best = _priced(coupled, limits, best, found, before.price if before else nothing, control)
    else:
        at = capped(coupled, limits, relaxed.limit)
        found, plan = search_at(coupled, limits, at, best.found.served, relaxed.node, control)
        best = _better(best, found, found.proof.bound - limits.earned(at), at, plan)
    if small and not (control.poll() or coupled.suffices(best.found.proof, control)):
        best = _whole(free, limits, best, control)
    return best


def search_at(
    coupled: Coupled,
    limits: Limits,
    at: IntArray,
    served: Served,
    start: IntArray | None,
    control: Control,
) -> tuple[Found, Found]:
    """Search at prices of the limits for a share of the time; also return a plan that keeps the rules."""
    inner = control.part(SEARCHED)
    found = inner.run(search, limits.priced(coupled, at), inner, served, start)
    return found, keep_rules(coupled, limits, at, found, control)


def _relaxed(free: Coupled, limits: Limits, control: Control) -> Relaxed | None:
    """Return the prices of the linear relaxation, if there is time for it."""
    return relaxed_prices(whole_core(free, limits).part, control)


def whole_core(free: Coupled, limits: Limits) -> Core:
    """Return everything as one core, with its limits; in `free` no floor has a price."""
    nodes = len(free.instance.parent)
    return Core(free, np.zeros(nodes, np.int64), np.ones(nodes, np.bool_), 1 << 60, limits)


def relaxed_prices(part: Part, control: Control) -> Relaxed | None:
    """Return the prices of a whole core's linear relaxation, if there is time for it."""
    found = relax(part, control, RELAXED * control.left(WHOLE_SECONDS))
    return None if found is None else replace(found, node=found.node[:-1])  # without that of elsewhere


def capped(coupled: Coupled, limits: Limits, price: IntArray) -> IntArray:
    """Return prices of limits, none above what it may be."""
    return np.minimum(price, limits.dearest(_worth(coupled)))


def _worth(coupled: Coupled) -> int:
    """Return the most that leaving one request or team costs."""
    return int(np.append(coupled.instance.unmet_cost, coupled.tree.worth).max(initial=1))


def _priced(
    coupled: Coupled, limits: Limits, best: Ruled, found: Found, price: IntArray, control: Control
) -> Ruled:
    """Move the prices of the limits while that proves more or finds a cheaper plan.

    Every plan says how much the bound changes with the prices at most; together they say where to look next,
    within a box around the best prices so far (Marsten, Hogan & Blankenship 1975).
    """
    n_rules = len(limits.rules.limit)
    dearest = limits.dearest(_worth(coupled))
    natural = int(limits.priced(coupled, np.zeros(limits.n, np.int64)).instance.unmet_cost.max(initial=1))
    usual = np.concatenate([np.maximum(natural // limits.rules.heaviest, 1), dearest[n_rules:]])
    model = _Model(dearest, usual)
    starts = [np.minimum(price, dearest)] if price.any() else []
    top = np.concatenate([price[:n_rules], dearest[n_rules:]])
    if len(dearest) > n_rules:  # what floors cost at most says what can be kept of them
        starts.append(top)
    model.add(np.zeros(limits.n, np.int64), found.proof.primal, limits.over(coupled, found))
    teams, thorough = len(coupled.tree.worth) > 0, False
    size, enough = 0.0, STALE if len(coupled.instance.request) > LARGE else 0.0
    idle = 0
    for _ in range(ROUNDS):
        proof = best.found.proof
        if control.poll() or coupled.suffices(proof, control):
            break
        center, told, slope = model.center()
        if starts:
            at: IntArray | None = starts.pop(0)
        else:
            size = size or max(1.0, proof.primal - told) / slope
            at = model.next(center, size, told + enough * abs(told) + 1) if idle < IDLE or thorough else None
        if at is None and (thorough or not teams):
            break
        if at is None:  # quick looks at teams say no more
            thorough, at = True, center
        dear = limits.priced(coupled, at)
        if thorough:
            found = search(dear, control, best.found.served, np.maximum(best.found.price, 0))
        else:
            found = _choose_again(dear, follow(dear, found.served, control, found.price), control)
        over = limits.over(coupled, found)
        model.add(at, found.proof.primal - limits.earned(at), over)
        if at is top:  # floors that even so are missed cost that much; and none of the others at first
            starts.append(np.where((over > 0) | (np.arange(limits.n) < n_rules), top, 0))
        bound = found.proof.bound - limits.earned(at)
        best = _better(best, found, bound, at, keep_rules(coupled, limits, at, found, control))
        idle = 0 if best.found.proof != proof else idle + 1
        size *= 2 if model.center()[1] > told else 0.25
    return best


class _Model:
    """What bounds at prices are at most, by the plans found at some of them."""

    def __init__(self, dearest: IntArray, usual: IntArray) -> None:
        """Prices are at most `dearest`; boxes are as wide as `usual` ones are apart."""
        self._dearest, self._usual = dearest, usual
        self._at: list[IntArray] = []
        self._value: list[int] = []
        self._over: list[IntArray] = []

    def add(self, at: IntArray, value: int, over: IntArray) -> None:
        """Add a plan: what it costs at prices, less what they earn, and by how much it exceeds limits."""
        self._at.append(at)
        self._value.append(value)
        self._over.append(over)

    def _knows(self, at: IntArray) -> bool:
        """Tell whether a plan at these prices is known."""
        return any(np.array_equal(at, other) for other in self._at)

    def center(self) -> tuple[IntArray, float, float]:
        """Return the prices, of those known, for which the plans tell of the highest bound.

        Also that bound, and how much a step as large as usual prices raises it at most, at least 1.
        """
        over, at = np.array(self._over, np.float64), np.array(self._at, np.float64)
        told = np.array(self._value, np.float64) - (over * at).sum(axis=1)
        bound = told[:, None] + over @ at.T  # by every plan, at all prices
        best = int(np.argmax(bound.min(axis=0)))
        slope = over[np.argmin(bound[:, best])]
        slope[(self._at[best] <= 0) & (slope < 0)] = 0
        steep = max(1.0, float((np.abs(slope) * self._usual).sum()))
        return self._at[best], float(bound[:, best].min()), steep

    def next(self, center: IntArray, size: float, enough: float) -> IntArray | None:
        """Return the most promising prices within a box that is narrowed until it holds new ones.

        None where no prices in it can prove more than is `enough`, or all are known.
        """
        while True:
            at, most = self._highest(center, size)
            if most <= enough:
                return None
            if not self._knows(at):
                return at
            if size * float(self._usual.max()) < 1:
                return None
            size /= 4

    def _highest(self, center: IntArray, size: float) -> tuple[IntArray, float]:
        """Return the prices within a box for which the plans tell of the highest bound, and that."""
        over, at = np.array(self._over), np.array(self._at)
        # the bound at prices p is at most value + over (p - at)
        told = np.array(self._value) - (over * at).sum(axis=1)
        some = np.flatnonzero((center > 0) | (over > 0).any(axis=0))  # all others stay at 0
        step = np.maximum(1.0, size * self._usual[some])
        low = np.maximum(center[some] - step, 0)
        high = np.minimum(center[some] + step, self._dearest[some])
        matrix = np.concatenate([-over[:, some], np.ones((len(over), 1))], axis=1)
        found = linprog(
            np.append(np.zeros(len(some)), -1.0),
            A_ub=matrix,
            b_ub=told,
            bounds=[*zip(low, high, strict=True), (None, None)],
            method="highs",
        )
        if found.x is None:
            raise SolverError(f"HiGHS ended with status {found.status}: {found.message}")
        best = np.zeros(len(center), np.int64)
        best[some] = np.clip(np.round(found.x[:-1]), 0, self._dearest[some])
        return best, float(found.x[-1])


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


def keep_rules(coupled: Coupled, limits: Limits, price: IntArray, found: Found, control: Control) -> Found:
    """Close arcs of rules that are reached until the rules hold; only the plan counts, not its bound.

    What it costs is what it costs with the floors that it misses.
    """
    at = limits.priced(coupled, price, tolls=False)
    instance, rules = at.instance, limits.rules
    open_ = np.arange(len(instance.request))
    dual = best_duals(at.alone, found.price)
    worth = dual[instance.request] - instance.cost
    worth -= prices_above(instance.parent, np.maximum(found.price, 0))[instance.node]
    plan, kept, flow, held = found, rules, found.flow, not len(rules.limit)
    while not held:
        closed = kept.to_close(flow, worth[open_])
        open_ = open_[~closed]
        kept = rules.of(open_, len(instance.request))
        gone = np.ones(len(instance.request), np.bool_)
        gone[open_] = False
        plan = follow(at.without(gone), found.served, control, found.price)
        flow = plan.flow
        held = bool((kept.usage(flow) <= kept.limit).all())
    used = np.zeros(len(instance.request), np.int64)
    used[open_] = flow
    plan = replace(plan, flow=used)
    return replace(plan, proof=Proof(limits.cost(coupled, plan, price), plan.proof.bound))


def _whole(free: Coupled, limits: Limits, best: Ruled, control: Control) -> Ruled:
    """Solve a small instance exactly; in `free` no floor has a price."""
    core = whole_core(free, limits)
    outcome = solve(core.part, control, WHOLE_SECONDS)
    if outcome is None:
        return best
    bound = max(best.found.proof.bound, min(outcome.bound + core.constant, best.found.proof.primal))
    found = replace(best.found, proof=Proof(best.found.proof.primal, bound))
    plan = core.plan(outcome, found) if outcome.request is not None else None
    if plan is not None:
        cost = limits.cost(free, plan, np.zeros(limits.n, np.int64))
        if cost < found.proof.primal:
            found = replace(plan, proof=Proof(cost, min(bound, cost)))
    return Ruled(found, best.price)
