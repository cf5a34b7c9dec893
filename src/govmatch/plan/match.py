"""The wheel: candidates, solve, price out, solve again; then decode and verify."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput, UnsupportedFeature
from govmatch.model.problem import Problem
from govmatch.model.travel import Travel
from govmatch.plan import rounds
from govmatch.plan.announced import Incumbent, read_incumbent
from govmatch.plan.bonds import bonds_of, kept_apart, over, touched
from govmatch.plan.continuity import Continued, continue_faces, wants_continuity
from govmatch.plan.continuity_beside import before_faces, continue_beside
from govmatch.plan.decode import Pairs, assignments_frame, floors_frame, funnel_frame, unmet_frame
from govmatch.plan.faces import full_series
from govmatch.plan.forest import capacity_forest
from govmatch.plan.friends import impossible_friends
from govmatch.plan.goods_frames import goods_frame, stock_frame, tell_lacking
from govmatch.plan.goods_wheel import Sent, goods_tree, of_people, sent_goods, teams_with_goods
from govmatch.plan.openings import not_held
from govmatch.plan.plan import Certificate, Plan, Search
from govmatch.plan.rounds import check_rounds, match_rounds
from govmatch.plan.team_wheel import Bounds, Coupling, blocked_by_rules, bounds_of, team_tree, turn_teams
from govmatch.plan.verify import verify
from govmatch.plan.wheel import Clock, Result, ended, turn
from govmatch.reach.alliance import edges_for
from govmatch.reach.candidates import Arcs, Candidates
from govmatch.reach.costs import RESOLUTION
from govmatch.reach.floors import floors_of
from govmatch.reach.paths import EdgeArrays, Paths, reach_paths
from govmatch.reach.seats import Seated
from govmatch.reach.stays import Stays, stays_of
from govmatch.reach.stock import Stock, Stocked, needed_days, stock_up
from govmatch.reach.travel import GreatCircle
from govmatch.reach.units import Units, pin_cost, units_of
from govmatch.solve import coupled, flow
from govmatch.solve.certificate import Proof, exact_dot
from govmatch.solve.control import Control, Signal

if TYPE_CHECKING:
    import pandas as pd

IntArray = NDArray[np.int64]

METHODS = ("auto", "flow", "coupled", "rounds")
FEATURES = {"flow": flow.FEATURES, "coupled": coupled.FEATURES, "rounds": rounds.FEATURES}
SOLVER = "govmatch auction and shortest paths"

LIMITS = ("quotas", "away", "hours", "floors", "reserve")
"""Features that limit a plan beside capacities."""

TOGETHER = {"goods", "teams", "bonds", "sessions", *LIMITS}
"""Features beside which few faces are sought in a plan that is made without them."""

REQUEST_SECONDS, VISIT_SECONDS, PROVIDER_SECONDS, ROLE_SECONDS, WANT_SECONDS, ROUND_SECONDS = (
    1.6e-5,
    2e-5,
    1.5e-6,
    2e-4,
    1e-3,
    2.5e-4,
)
"""Time kept back, of a time limit, for decoding and verifying; of a request that is a dated visit, both, and
of a role of a team, a kind of goods that a request needs, and a request in rounds, too (for these at most a
quarter of the limit)."""


def match(
    problem: Problem,
    method: str = "auto",
    *,
    time_limit: float | None = None,
    gap: float = 0.0,
    incumbent: Plan | pd.DataFrame | None = None,
    cancel: Signal | None = None,
) -> Plan:
    """Match requests to providers at least cost, and prove it.

    Parameters
    ----------
    problem : Problem
    method : {"auto", "flow", "coupled", "rounds"}
        "flow" is the exact min-cost flow on the capacity forest. "coupled" chooses teams and their starts
        by the prices of such flows, then team by team. "rounds" lets people make several visits in one slot,
        where the policy's ``rounds.on`` says so: a search, with a true bound. "auto" chooses rounds where the
        policy has them, else the flow where there are no teams.
    time_limit : float, optional
        Seconds. A plan stopped by it is feasible and verified, and its certificate carries a true
        bound and gap. The first call on a machine also compiles the kernels, which no limit stops.
    gap : float, default 0.0
        A gap over all eligible pairs that suffices: once it is proved, the search ends.
    incumbent : Plan or DataFrame, optional
        An earlier plan that was announced, or its `assignments` (request_id, role, provider_id, start). Each
        person whom it sends to a request and who is not sent there again, in the same role at the same
        start, costs ``policy.stability.change_minutes``: also those who can no longer come. The plan stays
        optimal, changes included; `Plan.changes` says who is kept, moved, dropped, gone and new.
    cancel : Signal, optional
        Any object with ``is_set()``, such as a `threading.Event`. Set from elsewhere, it ends the
        search as the time limit does. So does Ctrl-C, but without a plan.

    Returns
    -------
    Plan
        Verified; optimal over every eligible pair, unless the gap sufficed or the time limit or `cancel`
        came first; with teams, quotas, bonds, few faces or rounds, the best that a search found, with a
        bound.

    Raises
    ------
    UnsupportedFeature
        The tables or the policy ask for what the method cannot do, such as goods in rounds; or an incumbent
        is given for rounds.
    InvalidInput
        A wrong argument, such as an incumbent that lacks a column or names a person twice for a request.

    Notes
    -----
    Column generation on the request–slot pairs: solve over the cheapest few pairs of each request,
    price out all eligible pairs with the duals, add those with negative reduced cost, repeat until
    none is left. The optimum over the arcs is then the optimum over all pairs. Each solve starts from
    the prices of the one before.
    """
    control = Control(time_limit, cancel, gap)
    gap, control.gap = control.gap, 0.0  # over all pairs; exact duals on the arcs prove it soonest
    _check(problem, method, incumbent)
    if len(problem.demand.assign_request):
        gap = 0.0  # beside what an assigned request costs inside, any gap looks small
    earlier = None if incumbent is None else read_incumbent(incumbent, problem)
    if control.deadline is not None:
        kept = REQUEST_SECONDS * problem.demand.n_requests
        kept += VISIT_SECONDS * int((problem.series.of >= 0).sum())
        kept += PROVIDER_SECONDS * problem.supply.n_providers
        kept += ROLE_SECONDS * len(problem.teams.request)
        kept += WANT_SECONDS * len(problem.goods.request)
        control.deadline -= min(kept, control.left(np.inf) / 2)
        if problem.policy.rounds.on:
            control.deadline -= control.left(4 * ROUND_SECONDS * problem.demand.n_requests) / 4
    clock = Clock()
    try:
        with clock.phase("reach"):
            edges = edges_for(problem)
            paths = _paths(problem, edges)
            travel = problem.travel if problem.travel is not None else GreatCircle.from_policy(problem.policy)
        if problem.policy.rounds.on:
            control.gap = gap
            plan = match_rounds(problem, control, clock.phase, edges, paths, travel)
            with clock.phase("verify"):
                verify(problem, plan).raise_for_faults()
            return _verified(plan, clock)
        with clock.phase("candidates"):
            floors = floors_of(problem)
            costed = floors.raised(problem) if len(floors) else problem
            costed = costed if earlier is None else earlier.announced.shifted(costed)
            starts = None if earlier is None else earlier.announced.team_starts(problem.teams)
            units = units_of(costed, starts)
            stays = None if earlier is None else stays_of(problem, units, earlier.announced)
            candidates = candidates_of(problem, units, paths, travel, stays)
            arcs = candidates.cheapest(stop=control.poll)
        bounds = bounds_of(problem, units, edges, paths, floors)
        stock, mended = None, False
        if len(problem.goods.request):
            with clock.phase("candidates"):
                stock = stock_up(costed, units, paths)
        coupling = _coupling(costed, units, candidates, bounds, stock)
        beside = wants_continuity(problem) and bool(problem.features & TOGETHER)
        first = before_faces(control) if beside else control
        if len(coupling.team) or len(bounds) or isinstance(candidates, Seated):
            if isinstance(coupling.candidates, Stocked):
                arcs = coupling.candidates.with_closest(arcs)
            result = turn_teams(coupling, arcs, first, clock, gap)
        else:
            result = turn(problem.supply, problem.policy, units, candidates, arcs, first, clock, gap)
            mended = coupling.bonds is not None and touched(result, coupling.bonds)
            if mended:  # else the flow is the best with them, too
                flow_alone = result
                result = over(flow_alone, turn_teams(coupling, result.arcs, first, clock, gap))
                termination = ended(result, candidates, first, gap, otherwise="searched")
                result = replace(result, solution=replace(result.solution, termination=termination))
        if beside:
            with clock.phase("solve"):
                result = continue_beside(coupling, result, control, gap)
        elif wants_continuity(problem) and isinstance(candidates, Candidates):
            with clock.phase("solve"):
                # assigned requests go before all others there, too
                told = replace(problem, demand=units.demand)
                result = _continued(told, candidates, result, control, gap)
        sent = None if stock is None else sent_goods(costed, units, result, stock)
        result = result if stock is None else of_people(result, stock)
        with clock.phase("decode"):
            plan = _tell(
                problem,
                costed,
                units,
                candidates,
                edges,
                paths,
                bounds,
                result,
                earlier,
                stock,
                beside or mended,
            )
            if stock is not None and sent is not None:
                plan = _tell_goods(plan, stock, sent, paths)
        with clock.phase("verify"):
            verify(problem, plan).raise_for_faults()
    finally:
        clock.close()
    return _verified(plan, clock)


def _verified(plan: Plan, clock: Clock) -> Plan:
    return replace(plan, certificate=replace(plan.certificate, verified=True), seconds=clock.seconds)


def _check(problem: Problem, method: str, incumbent: object) -> None:
    if not isinstance(problem, Problem):
        raise InvalidInput(
            f"problem is a {type(problem).__name__}; expected a Problem: Problem.from_tables(tables)"
        )
    if method not in METHODS:
        raise InvalidInput(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    check_rounds(problem, method)
    if problem.policy.rounds.on:
        if incumbent is not None:
            raise UnsupportedFeature(["incumbent"], ["method 'rounds' plans every day anew."])
        return
    missing = sorted(problem.features - (coupled.FEATURES if method == "auto" else FEATURES[method]))
    if missing:
        raise UnsupportedFeature(missing, [f"method {method!r} cannot do that."])


def _paths(problem: Problem, edges: EdgeArrays) -> Paths:
    days = np.union1d(problem.supply.slot_day, needed_days(problem))
    sources = np.arange(problem.nodes.n_communities, dtype=np.int32)
    return reach_paths(problem.nodes, edges, problem.policy, sources, tuple(int(d) for d in days))


def candidates_of(
    problem: Problem, units: Units, paths: Paths, travel: Travel, stays: Stays | None
) -> Candidates | Seated:
    """Return who can serve whom, in sessions, too, where there are any."""
    supply, policy = problem.supply, problem.policy
    if "sessions" in problem.features:
        sits, siblings = problem.may_sit, problem.siblings
        return Seated(problem.nodes, supply, units, policy, paths, travel, sits, siblings, stays)
    return Candidates(problem.nodes, supply, units.demand, policy, paths, travel, stays)


def _coupling(
    problem: Problem, units: Units, candidates: Candidates | Seated, bounds: Bounds, stock: Stock | None
) -> Coupling:
    """Say what a coupled search plans, goods included; leaving requests costs as in the search."""
    bonds, seats = bonds_of(problem), candidates if isinstance(candidates, Seated) else None
    tree, team = team_tree(problem, units), units.team
    if stock is not None:
        tree, team = goods_tree(problem, units, stock), teams_with_goods(units, stock)
    never = None if bonds is None else impossible_friends(problem, units, candidates, team)
    limits = bounds, bonds, never, seats
    n = len(units.request)
    if stock is None:
        return Coupling(problem, units, n, candidates, tree, team, *limits)
    whole, stocked = replace(problem, supply=stock.supply), Stocked(candidates, stock)
    return Coupling(whole, stock.units, n, stocked, tree, team, *limits)


def _continued(
    problem: Problem, candidates: Candidates, result: Result, control: Control, gap: float
) -> Result:
    """Serve recurring requests by few faces."""
    control.gap = gap
    constant = candidates.stays.constant
    shifted = Proof(result.proof.primal - constant, result.proof.bound - constant)
    start = Continued(result.arcs, result.layout, result.solution, shifted)
    found = continue_faces(
        problem, candidates, capacity_forest(problem.supply, problem.policy), start, control
    )
    proof = Proof(found.proof.primal + constant, found.proof.bound + constant)
    best = Result(found.arcs, found.layout, found.solution, proof, result.rounds)
    termination = ended(best, candidates, control, gap, otherwise="searched")
    return replace(best, solution=replace(best.solution, termination=termination))


def _tell(
    problem: Problem,
    costed: Problem,
    units: Units,
    candidates: Candidates | Seated,
    edges: EdgeArrays,
    paths: Paths,
    bounds: Bounds,
    result: Result,
    earlier: Incumbent | None,
    stock: Stock | None,
    mended: bool,
) -> Plan:
    stays = candidates.stays
    if earlier is not None:
        result = _announced_first(result, stays)
    layout, solution = result.layout, result.solution
    at = layout.arc[np.flatnonzero(solution.flow)]
    pairs = Pairs(result.arcs.request[at], result.arcs.slot[at])
    blocked = np.full(problem.demand.n_requests, "", dtype=object)
    if len(bounds.pairs):
        for unit, code in blocked_by_rules(result, units, bounds).items():
            blocked[units.request[unit]] = code
    provider = problem.supply.slot_provider[pairs.slot]
    come = np.bincount(units.request[pairs.request], minlength=problem.demand.n_requests)
    full = full_series(problem.series, units.request[pairs.request], provider)
    finished = solution.termination in ("optimal", "searched")
    placed = problem.tables["communities"]["placed"]
    whole = units.team if stock is None else np.union1d(units.team, units.request[stock.alone])
    plain = not (len(whole) or len(bounds) or problem.supply.sessions.n or mended)
    proof = _natural(costed, units, whole, pairs, result.proof)
    certificate = Certificate(
        primal=proof.primal / RESOLUTION,
        bound=proof.bound / RESOLUTION,
        gap=proof.gap,
        termination=solution.termination,
        verified=False,
        scope="all_pairs",
        pairs=candidates.pairs,
        arcs=len(result.arcs),
        rounds=result.rounds,
        resolution_minutes=1 / RESOLUTION,
        solver=SOLVER if plain else SOLVER + ", with HiGHS",
        policy_fingerprint=problem.policy.fingerprint,
        problem_fingerprint=problem.fingerprint,
        assumed_share=problem.supply.assumed_share,
        placed_assumed_share=float((placed == "assumed").mean()) if len(placed) else 0.0,
        synthetic=problem.synthetic,
    )
    return Plan(
        problem=problem,
        assignments=assignments_frame(problem, units, pairs, candidates, paths),
        unmet=unmet_frame(
            problem,
            units,
            pairs,
            candidates,
            blocked,
            full,
            kept_apart(problem, units, candidates.outside_cost, result.arcs, come),
            not_held(problem, units, candidates, provider.astype(np.int64)),
            finished=finished,
        ),
        certificate=certificate,
        funnel=funnel_frame(units, candidates),
        floors=floors_frame(bounds.floors, come.astype(np.int64), result.prices[len(bounds.pairs) :]),
        linked=int(problem.tables["requests"]["duplicate_of"].notna().sum()),
        search=Search(
            units=units,
            instance=layout.instance,
            solution=solution,
            arcs=result.arcs if earlier is None else _unshifted(result.arcs, stays),
            arc=layout.arc,
            passed=candidates.passed,
            examined=candidates.examined,
            travel=candidates.travel,
            edges=edges,
            paths=paths,
            rules=bounds.rules(result.arcs, units, layout.arc),
        ),
        incumbent=None if earlier is None else earlier.told(stays.possible(candidates.examined)),
    )


def _tell_goods(plan: Plan, stock: Stock, sent: Sent, paths: Paths) -> Plan:
    """Add what goods go where, and who lacks them."""
    return replace(
        plan,
        goods=goods_frame(plan.problem, stock, sent, paths),
        stock=stock_frame(plan.problem, stock, sent),
        unmet=tell_lacking(plan.problem, stock, sent, plan.unmet),
    )


def _announced_first(result: Result, stays: Stays) -> Result:
    """Let organisations send those announced first, as a search cut short may not do."""
    layout, flow_ = result.layout, result.solution.flow
    used = layout.carries(np.bincount(layout.arc, flow_, len(result.arcs)).astype(np.int64)).astype(np.int64)
    saved = exact_dot(layout.instance.cost, flow_ - used)
    proof = Proof(result.proof.primal - saved, result.proof.bound)
    return replace(result, solution=replace(result.solution, flow=used), proof=proof)


def _unshifted(arcs: Arcs, stays: Stays) -> Arcs:
    """Take out of the costs of pairs what others than those announced cost more."""
    other = stays.announced(arcs.request, arcs.slot) == 0
    return replace(arcs, cost=arcs.cost - other * stays.change[arcs.request])


def _natural(problem: Problem, units: Units, teams: IntArray, pairs: Pairs, proof: Proof) -> Proof:
    """Take out what assigned requests cost on top that are unserved; `teams` are charged as a whole.

    What is left of the bound holds for every plan that serves as many of them, or more; no cost is below 0.
    """
    demand = problem.demand
    lacking = demand.people - np.bincount(units.request[pairs.request], minlength=demand.n_requests)
    assigned = np.unique(demand.assign_request)
    whole = np.isin(assigned, teams)
    missing = np.where(whole, lacking[assigned] == demand.people[assigned], lacking[assigned])
    extra = pin_cost(demand) * int(missing.sum())
    return Proof(proof.primal - extra, max(0, proof.bound - extra))
