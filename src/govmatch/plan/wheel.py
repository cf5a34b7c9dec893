"""The wheel: solve over the cheapest pairs, price out all of them with the duals, solve again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from govmatch.errors import SolverError
from govmatch.model.encoded import Supply
from govmatch.model.policy import Policy
from govmatch.plan.forest import Layout, capacity_forest, lay_out
from govmatch.reach.candidates import Arcs, Candidates, Priced
from govmatch.reach.units import Units
from govmatch.solve import flow
from govmatch.solve.certificate import Proof, exact_dot, lower_bound, prices_above, prove, valid_duals
from govmatch.solve.control import Control
from govmatch.solve.instance import Solution, Termination

IntArray = NDArray[np.int64]

PHASES = ("reach", "candidates", "solve", "price_out", "decode", "verify")
PHASES_ZH = {
    "reach": "reach 流转路径",
    "candidates": "candidates 候选",
    "solve": "solve 求解",
    "price_out": "price out 检验",
    "decode": "decode 还原",
    "verify": "verify 校验",
}
BAR = "match 匹配 {bar:20} {desc} {elapsed}"


class Clock:
    """Seconds by phase, and a bar on a terminal for work above a second."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._bar = tqdm(total=len(PHASES), disable=None, delay=1.0, leave=False, bar_format=BAR)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time of a block to a phase."""
        self._bar.n = PHASES.index(name)
        self._bar.set_description_str(PHASES_ZH[name])
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


@dataclass(frozen=True)
class Result:
    """The best flow found, a bound over all pairs, and how it ended."""

    arcs: Arcs
    layout: Layout
    solution: Solution
    proof: Proof
    rounds: int
    prices: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Of limits that are no capacities."""


def turn(
    supply: Supply,
    policy: Policy,
    units: Units,
    candidates: Candidates,
    arcs: Arcs,
    control: Control,
    clock: Clock,
    gap: float,
) -> Result:
    """Solve and price out until no pair is left, the gap suffices, or `control` ends it."""
    demand = units.demand
    forest = capacity_forest(supply, policy)
    stays = candidates.stays
    # Nobody is served below the cost of their cheapest pair: better than the duals of a solve cut short.
    low = np.minimum(demand.unmet_cost, candidates.outside_cost)
    np.minimum.at(low, arcs.request, arcs.cost)
    least = exact_dot(demand.people, low) + stays.constant
    price: IntArray | None = None  # of all nodes of the forest
    carried = np.zeros(len(arcs), np.int64)  # that the last flow sends along each arc
    best: Result | None = None
    rounds = 0
    while True:
        with clock.phase("solve"):
            layout = lay_out(arcs, demand, supply, forest, stays=stays)
            if price is None:
                solution = flow.solve(layout.instance, control)
            else:
                solution = flow.solve(layout.instance, control, price[layout.node], layout.carries(carried))
            rounds += 1
            primal = prove(layout.instance, solution).primal + stays.constant
            # Lowered below the cost of every pair outside the arcs, the duals bound all pairs.
            low = np.minimum(solution.request_dual, candidates.outside_cost)
            bound = max(least, lower_bound(layout.instance, low, solution.price) + stays.constant)
        best = better(best, Result(arcs, layout, solution, Proof(primal, bound), rounds))
        if control.poll() or best.proof.gap <= gap:
            break
        with clock.phase("price_out"):
            dual, own = valid_duals(layout.instance, solution.request_dual, solution.price)
            price = np.zeros(len(forest.parent), np.int64)
            price[layout.node] = own
            above = prices_above(forest.parent, price)[: len(supply.slot_provider)]
            new, looked = candidates.priced_in(arcs, dual, above, stop=control.poll)
        if not looked:
            break
        # Lowered to the cost and prices of the cheapest pair outside the arcs, they bound all pairs, too.
        np.minimum.at(dual, new.request, new.cost + above[new.slot])
        bound = lower_bound(layout.instance, dual, own) + stays.constant
        best = better(best, Result(arcs, layout, solution, Proof(primal, bound), rounds))
        if control.poll() or best.proof.gap <= gap:
            break
        carried = np.bincount(layout.arc, solution.flow, len(arcs)).astype(np.int64)
        arcs, place = arcs.merged(new)
        carried, before = np.zeros(len(arcs), np.int64), carried
        carried[place] = before
    return replace(best, solution=replace(best.solution, termination=ended(best, candidates, control, gap)))


def ended(
    best: Result, candidates: Priced, control: Control, gap: float, otherwise: Termination | None = None
) -> Termination:
    """Say what is proved where every request was looked at, else why the search ended early."""
    if candidates.examined.all():
        if best.proof.gap == 0:
            return "optimal"
        if best.proof.gap <= gap:
            return "gap"
    if control.reason is None and otherwise is not None:
        return otherwise
    if control.reason is None:
        raise SolverError(f"the search ended with a gap of {best.proof.gap}, for no reason")
    return control.reason


def better(old: Result | None, new: Result) -> Result:
    """Keep the cheaper flow and the higher bound; both hold over all pairs."""
    if old is None:
        return new
    keep = new if new.proof.primal <= old.proof.primal else old
    bound = max(new.proof.bound, old.proof.bound)
    return replace(keep, proof=Proof(keep.proof.primal, bound), rounds=new.rounds)
