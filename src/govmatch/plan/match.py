"""The wheel: candidates, solve, price out, solve again; then decode and verify."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from govmatch.errors import InvalidInput, SolverError, UnsupportedFeature
from govmatch.model.problem import Problem
from govmatch.plan.continuity import Continued, continue_faces, wants_continuity
from govmatch.plan.decode import Pairs, assignments_frame, funnel_frame, unmet_frame
from govmatch.plan.faces import full_series
from govmatch.plan.forest import Layout, capacity_forest, lay_out
from govmatch.plan.plan import Certificate, Plan, Search
from govmatch.plan.verify import verify
from govmatch.reach.alliance import edges_for
from govmatch.reach.candidates import Arcs, Candidates
from govmatch.reach.costs import RESOLUTION
from govmatch.reach.paths import EdgeArrays, Paths, reach_paths
from govmatch.reach.travel import GreatCircle
from govmatch.solve import flow
from govmatch.solve.certificate import Proof, exact_dot, lower_bound, prices_above, prove, valid_duals
from govmatch.solve.control import Control, Signal
from govmatch.solve.instance import Solution, Termination

IntArray = NDArray[np.int64]

METHODS = ("auto", "flow")
SOLVER = "govmatch auction and shortest paths"

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

REQUEST_SECONDS, PROVIDER_SECONDS = 1.6e-5, 1.5e-6
"""Time kept back, of a time limit, for decoding and verifying."""


class _Clock:
    """Seconds by phase, and a bar on a terminal for work above a second."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._bar = tqdm(total=len(PHASES), disable=None, delay=1.0, leave=False, bar_format=BAR)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._bar.n = PHASES.index(name)
        self._bar.set_description_str(PHASES_ZH[name])
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    def close(self) -> None:
        self._bar.close()


@dataclass(frozen=True)
class _Result:
    """The best flow found, a bound over all pairs, and how it ended."""

    arcs: Arcs
    layout: Layout
    solution: Solution
    proof: Proof
    rounds: int


def match(
    problem: Problem,
    method: str = "auto",
    *,
    time_limit: float | None = None,
    gap: float = 0.0,
    cancel: Signal | None = None,
) -> Plan:
    """Match requests to providers at least cost, and prove it.

    Parameters
    ----------
    problem : Problem
    method : {"auto", "flow"}
        "flow" is the exact min-cost flow on the capacity forest; "auto" chooses it.
    time_limit : float, optional
        Seconds. A plan stopped by it is feasible and verified, and its certificate carries a true
        bound and gap. The first call on a machine also compiles the kernels, which no limit stops.
    gap : float, default 0.0
        A gap over all eligible pairs that suffices: once it is proved, the search ends.
    cancel : Signal, optional
        Any object with ``is_set()``, such as a `threading.Event`. Set from elsewhere, it ends the
        search as the time limit does. So does Ctrl-C, but without a plan.

    Returns
    -------
    Plan
        Verified; optimal over every eligible pair, unless the gap sufficed or the time limit or `cancel`
        came first.

    Raises
    ------
    UnsupportedFeature
        The tables ask for what no method does yet: teams, recurrence, goods, quotas, pins.
    InvalidInput
        A wrong argument.

    Notes
    -----
    Column generation on the request–slot pairs: solve over the cheapest few pairs of each request,
    price out all eligible pairs with the duals, add those with negative reduced cost, repeat until
    none is left. The optimum over the arcs is then the optimum over all pairs. Each solve starts from
    the prices of the one before.
    """
    control = Control(time_limit, cancel, gap)
    gap, control.gap = control.gap, 0.0  # over all pairs; exact duals on the arcs prove it soonest
    _check(problem, method)
    if control.deadline is not None:
        control.deadline -= REQUEST_SECONDS * problem.demand.n_requests
        control.deadline -= PROVIDER_SECONDS * problem.supply.n_providers
    clock = _Clock()
    try:
        with clock.phase("reach"):
            edges = edges_for(problem)
            paths = _paths(problem, edges)
        with clock.phase("candidates"):
            travel = problem.travel if problem.travel is not None else GreatCircle.from_policy(problem.policy)
            candidates = Candidates(
                problem.nodes, problem.supply, problem.demand, problem.policy, paths, travel
            )
            arcs = candidates.cheapest(stop=control.poll)
        result = _turn(problem, candidates, arcs, control, clock, gap)
        if wants_continuity(problem):
            with clock.phase("solve"):
                result = _continued(problem, candidates, result, control, gap)
        with clock.phase("decode"):
            plan = _tell(problem, candidates, edges, paths, result)
        with clock.phase("verify"):
            verify(problem, plan).raise_for_faults()
    finally:
        clock.close()
    return replace(plan, certificate=replace(plan.certificate, verified=True), seconds=clock.seconds)


def _check(problem: Problem, method: str) -> None:
    if not isinstance(problem, Problem):
        raise InvalidInput(
            f"problem is a {type(problem).__name__}; expected a Problem: Problem.from_tables(tables)"
        )
    if method not in METHODS:
        raise InvalidInput(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    missing = sorted(problem.features - flow.FEATURES)
    if missing:
        raise UnsupportedFeature(missing, [f"method {method!r} is a flow of single roles."])


def _paths(problem: Problem, edges: EdgeArrays) -> Paths:
    days = np.unique(problem.supply.slot_day)
    sources = np.arange(problem.nodes.n_communities, dtype=np.int32)
    return reach_paths(problem.nodes, edges, problem.policy, sources, tuple(int(d) for d in days))


def _turn(
    problem: Problem, candidates: Candidates, arcs: Arcs, control: Control, clock: _Clock, gap: float
) -> _Result:
    """Solve and price out until no pair is left, the gap suffices, or `control` ends it."""
    demand, supply = problem.demand, problem.supply
    forest = capacity_forest(supply, problem.policy)
    # Nobody is served below the cost of their cheapest pair: better than the duals of a solve cut short.
    low = np.minimum(demand.unmet_cost, candidates.outside_cost)
    np.minimum.at(low, arcs.request, arcs.cost)
    least = exact_dot(demand.people, low)
    price: IntArray | None = None  # of all nodes of the forest
    units = np.zeros(len(arcs), np.int64)  # that the last flow sends along each arc
    best: _Result | None = None
    rounds = 0
    while True:
        with clock.phase("solve"):
            layout = lay_out(arcs, demand, supply, forest)
            if price is None:
                solution = flow.solve(layout.instance, control)
            else:
                solution = flow.solve(layout.instance, control, price[layout.node], layout.carries(units))
            rounds += 1
            proof = prove(layout.instance, solution)
            # Lowered below the cost of every pair outside the arcs, the duals bound all pairs.
            low = np.minimum(solution.request_dual, candidates.outside_cost)
            bound = max(least, lower_bound(layout.instance, low, solution.price))
        best = _better(best, _Result(arcs, layout, solution, Proof(proof.primal, bound), rounds))
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
        bound = lower_bound(layout.instance, dual, own)
        best = _better(best, _Result(arcs, layout, solution, Proof(proof.primal, bound), rounds))
        if control.poll() or best.proof.gap <= gap:
            break
        units = np.bincount(layout.arc, solution.flow, len(arcs)).astype(np.int64)
        arcs, place = arcs.merged(new)
        units, before = np.zeros(len(arcs), np.int64), units
        units[place] = before
    return replace(best, solution=replace(best.solution, termination=_ended(best, candidates, control, gap)))


def _continued(
    problem: Problem, candidates: Candidates, result: _Result, control: Control, gap: float
) -> _Result:
    """Serve recurring requests by few faces."""
    control.gap = gap
    start = Continued(result.arcs, result.layout, result.solution, result.proof)
    found = continue_faces(
        problem, candidates, capacity_forest(problem.supply, problem.policy), start, control
    )
    best = _Result(found.arcs, found.layout, found.solution, found.proof, result.rounds)
    ended = _ended(best, candidates, control, gap, "searched")
    return replace(best, solution=replace(best.solution, termination=ended))


def _ended(
    best: _Result, candidates: Candidates, control: Control, gap: float, otherwise: Termination | None = None
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


def _better(old: _Result | None, new: _Result) -> _Result:
    """Keep the cheaper flow and the higher bound; both hold over all pairs."""
    if old is None:
        return new
    keep = new if new.proof.primal <= old.proof.primal else old
    bound = max(new.proof.bound, old.proof.bound)
    return replace(keep, proof=Proof(keep.proof.primal, bound), rounds=new.rounds)


def _tell(problem: Problem, candidates: Candidates, edges: EdgeArrays, paths: Paths, result: _Result) -> Plan:
    layout, solution = result.layout, result.solution
    at = layout.arc[np.flatnonzero(solution.flow)]
    pairs = Pairs(result.arcs.request[at], result.arcs.slot[at])
    placed = problem.tables["communities"]["placed"]
    certificate = Certificate(
        primal=result.proof.primal / RESOLUTION,
        bound=result.proof.bound / RESOLUTION,
        gap=result.proof.gap,
        termination=solution.termination,
        verified=False,
        scope="all_pairs",
        pairs=candidates.pairs,
        arcs=len(result.arcs),
        rounds=result.rounds,
        resolution_minutes=1 / RESOLUTION,
        solver=SOLVER,
        policy_fingerprint=problem.policy.fingerprint,
        problem_fingerprint=problem.fingerprint,
        assumed_share=problem.supply.assumed_share,
        placed_assumed_share=float((placed == "assumed").mean()) if len(placed) else 0.0,
        synthetic=problem.synthetic,
    )
    return Plan(
        problem=problem,
        assignments=assignments_frame(problem, pairs, candidates, paths),
        unmet=unmet_frame(
            problem,
            solution.unmet,
            candidates,
            optimal=solution.termination == "optimal",
            full=full_series(problem.series, pairs.request, problem.supply.slot_provider[pairs.slot]),
        ),
        certificate=certificate,
        funnel=funnel_frame(candidates),
        linked=int(problem.tables["requests"]["duplicate_of"].notna().sum()),
        search=Search(
            instance=layout.instance,
            solution=solution,
            arcs=result.arcs,
            arc=layout.arc,
            passed=candidates.passed,
            examined=candidates.examined,
            travel=candidates.travel,
            edges=edges,
            paths=paths,
        ),
    )
