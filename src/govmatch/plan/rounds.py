"""Rounds: tours of visits with times, from eligible options to a plan.

One unit of time is a thousandth of a minute, counted from the horizon's start; one unit of cost is the
hundred-thousandth of an equivalent minute, so that a price of a minute of lateness may have two decimals.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput, UnsupportedFeature
from govmatch.model.encoded import Supply
from govmatch.model.problem import Problem
from govmatch.model.schema import MODES
from govmatch.model.travel import Travel
from govmatch.plan.decode import Pairs, floors_frame, pair_terms
from govmatch.plan.forest import Forest, capacity_forest
from govmatch.plan.plan import Certificate, Plan
from govmatch.plan.rounds_bound import HUNDREDTH, PART, UNIT, own_cost, round_bound, unmet_cost
from govmatch.plan.rounds_frames import Made, rounds_assignments, rounds_funnel, rounds_unmet
from govmatch.plan.rounds_limits import entries_of, limits_of, shut_off
from govmatch.ragged import matches, runs
from govmatch.reach.asks import Asks, read_asks
from govmatch.reach.candidates import Candidates
from govmatch.reach.costs import hundredths
from govmatch.reach.floors import FloorRows, floors_of
from govmatch.reach.limits import AllLimits
from govmatch.reach.options import (
    Between,
    Options,
    Stops,
    all_pairs,
    fewer,
    options_of,
    ways_between,
)
from govmatch.reach.paths import EdgeArrays, Paths
from govmatch.reach.travel import checked_minutes
from govmatch.reach.ways import PARTS
from govmatch.solve import visits
from govmatch.solve.control import Control
from govmatch.solve.visit_instance import VisitInstance, dearest

IntArray = NDArray[np.int64]
Phase = Callable[[str], AbstractContextManager[None]]

SOLVER = "govmatch simulated annealing of tours"


@dataclass(frozen=True, eq=False)
class RoundSearch:
    """What a plan of rounds was read from; for explanations."""

    asks: Asks
    options: Options  # all, not only those that the search took
    passed: IntArray  # (n_asks, n_stages + 1)
    examined: NDArray[np.bool_]  # (n_asks,)
    provider_of: NDArray[np.int32]  # (n_slots,)
    edges: EdgeArrays
    paths: Paths


@dataclass(frozen=True)
class Tours:
    """Tours as columns: the slot of each, whose it is, which of the slot's people; and the visits' asks."""

    slot: IntArray  # (n_tours,) ascending
    number: IntArray  # (n_tours,) from 0 within the slot
    person: IntArray  # (n_tours,)
    ask: IntArray  # (n_visits,)


FEATURES = frozenset({"single_role", "several_people", "teams", "pins", "quotas", "away", "hours", "floors"})
"""What rounds can honour."""


def check_rounds(problem: Problem, method: str) -> None:
    """Refuse what rounds do not do, and methods that are not those of the policy.

    Raises
    ------
    InvalidInput, UnsupportedFeature
    """
    on = problem.policy.rounds.on
    if method == "rounds" and not on:
        raise InvalidInput("method 'rounds' is for a policy that says so: rounds.on is false")
    if not on:
        return
    if method not in ("auto", "rounds"):
        raise InvalidInput(f"method {method!r} makes no rounds, and the policy's rounds.on is true")
    missing = sorted(problem.features - FEATURES)
    requests = problem.tables["requests"]
    stated = requests["min_serve"].notna().to_numpy()[problem.demand.row]
    if (stated & (problem.demand.min_serve < problem.demand.people)).any():
        missing.append("min_serve below everybody")
    if missing:
        notes = ["method 'rounds' serves requests in whole, each once."]
        if "reserve" in missing:
            notes.append("The reserve goes by the hours in which jobs are under way, and rounds choose them.")
        raise UnsupportedFeature(missing, notes)


def match_rounds(
    problem: Problem, control: Control, phase: Phase, edges: EdgeArrays, paths: Paths, travel: Travel
) -> Plan:
    """Make a plan of rounds; it is not verified yet."""
    policy, rounds = problem.policy, problem.policy.rounds
    lat, lon = problem.bases
    supply = replace(problem.supply, lat=lat, lon=lon)
    with phase("candidates"):
        asks = read_asks(problem.demand, problem.teams, problem.horizon[1] if rounds.soft else None)
        candidates = Candidates(problem.nodes, supply, asks.demand, policy, paths, travel)
        ask, slot = all_pairs(candidates, control.poll)
        stops = Stops.of(travel, asks, supply, len(MODES))
        there = checked_minutes(candidates.travel, supply.slot_provider[slot], ask.astype(np.int32))
        terms = pair_terms(Pairs(ask, slot), asks.demand, supply, policy, paths, there)
        own = terms.route + terms.dialect + terms.hometown + terms.level
        options = options_of(ask, slot, there, asks, supply, policy, stops, own)
        few = fewer(options, asks, supply, policy)
        between = ways_between(options, supply, stops, policy.travel.unknown_minutes, control.poll)
        limits = limits_of(problem, asks, edges, paths)
        floors = floors_of(problem)
        tours, instance = _instance(problem, supply, asks, few, between, limits, floors)
        instance, pin_cost = _assigned_first(problem, instance)
        bound, least = round_bound(
            problem, supply, asks, options, between, candidates.examined, instance, control.poll
        )
    with phase("solve"):
        found = visits.solve(instance, control, bound=bound)
        ended = found.termination
    with phase("decode"):
        at = np.flatnonzero(found.tour >= 0)
        made = Made(
            ask=tours.ask[at],
            slot=tours.slot[found.tour[at]],
            number=tours.number[found.tour[at]],
            begin=found.begin[at],
        )
        served = np.zeros(problem.demand.n_requests, np.bool_)
        served[asks.request[made.ask]] = True
        extra = pin_cost * int((~served[np.unique(problem.demand.assign_request)]).sum())
        cost, bound = found.cost - extra, max(0, bound - extra)
        shut = shut_off(limits, options, asks, Pairs(made.ask, made.slot))
        worth = floors.raised(problem).demand.unmet_cost
        placed = problem.tables["communities"]["placed"]
        return Plan(
            problem=problem,
            assignments=rounds_assignments(problem, supply, asks, made, stops, paths),
            unmet=rounds_unmet(
                problem, asks, candidates, options, worth, least, shut, served, ended == "optimal"
            ),
            certificate=Certificate(
                primal=cost / UNIT,
                bound=bound / UNIT,
                gap=(cost - bound) / max(UNIT, abs(cost)),
                termination=ended,
                verified=False,
                scope="all_pairs",
                pairs=candidates.pairs,
                arcs=len(few),
                rounds=1,
                resolution_minutes=1 / PARTS,
                solver=SOLVER,
                policy_fingerprint=policy.fingerprint,
                problem_fingerprint=problem.fingerprint,
                assumed_share=supply.assumed_share,
                placed_assumed_share=float((placed == "assumed").mean()) if len(placed) else 0.0,
                synthetic=problem.synthetic,
            ),
            funnel=rounds_funnel(candidates),
            floors=floors_frame(
                floors, np.where(served, problem.demand.people, 0), np.zeros(len(floors), np.int64)
            ),
            linked=len(problem.tables["requests"]) - problem.demand.n_requests,
            search=RoundSearch(
                asks, options, candidates.passed, candidates.examined, supply.slot_provider, edges, paths
            ),
        )


def _assigned_first(problem: Problem, instance: VisitInstance) -> tuple[VisitInstance, int]:
    """Let assigned requests go before all others: return what leaving one costs on top, too."""
    assigned = np.unique(problem.demand.assign_request)
    if not len(assigned):
        return instance, 0
    pin_cost, unmet_cost = dearest(instance) + 1, instance.unmet_cost.copy()
    unmet_cost[assigned] += pin_cost
    return replace(instance, unmet_cost=unmet_cost), pin_cost


def _tours(supply: Supply, asks: Asks, options: Options) -> Tours:
    """Make a tour of every slot that is an option; one for each of its people who could be sent."""
    slot, which = np.unique(options.slot, return_inverse=True)
    wanted = np.bincount(which.reshape(-1), asks.people[options.ask], len(slot)).astype(np.int64)
    people = np.minimum(np.maximum(supply.slot_capacity[slot], 0), wanted)
    of, number = runs(people)
    provider = supply.slot_provider[slot[of]].astype(np.int64)
    staff = provider >= supply.n_volunteers
    person = np.where(staff, supply.n_providers + np.arange(len(of)), provider)
    return Tours(slot[of], number, person, np.repeat(np.arange(len(asks)), asks.people))


def _instance(
    problem: Problem,
    supply: Supply,
    asks: Asks,
    options: Options,
    between: Between,
    limits: AllLimits,
    floors: FloorRows,
) -> tuple[Tours, VisitInstance]:
    policy, rounds, zero = problem.policy, problem.policy.rounds, problem.horizon[0]
    tours = _tours(supply, asks, options)
    people, ask = asks.people, tours.ask
    first = np.cumsum(people) - people

    # every option of an ask, for each of its visits and each tour of the slot
    option, tour = matches(tours.slot, options.slot)
    option, tour, nth = _repeated(option, tour, people[options.ask[option]])
    visit = first[options.ask[option]] + nth
    order = np.lexsort((tour, visit))
    option, tour, visit = option[order], tour[order], visit[order]

    forest = _above(capacity_forest(supply, policy), tours, visit, tour)
    entries = entries_of(limits, options, asks, option, visit)
    promise = np.argsort(floors.request, kind="stable")
    link = _links(asks, first)
    minutes = asks.demand.minutes[ask] * PARTS
    late_price = int(hundredths(rounds.late_minutes)) * HUNDREDTH // PARTS
    latest = (asks.demand.latest - asks.demand.minutes - zero) * PARTS
    return tours, VisitInstance(
        travel=between.parts,
        place=between.place[ask],
        minutes=minutes,
        earliest=(asks.demand.earliest[ask] - zero) * PARTS,
        due=(asks.due[ask] - zero) * PARTS if rounds.soft else latest[ask],
        latest=latest[ask],
        late_cost=np.full(len(ask), late_price),
        request=asks.request[ask],
        unmet_cost=unmet_cost(problem),
        promise_request=floors.request[promise],
        promise_floor=floors.floor[promise],
        promise_people=problem.demand.people[floors.request[promise]],
        allowed=floors.allowed,
        short_cost=np.full(len(floors), floors.price * HUNDREDTH),
        link_first=link[:, 0],
        link_second=link[:, 1],
        link_least=link[:, 2] * PARTS,
        link_most=link[:, 3] * PARTS,
        option_visit=visit,
        option_tour=tour,
        option_cost=own_cost(problem, options)[option],
        option_out=options.out[option],
        option_back=options.back[option],
        entry_option=entries.option,
        entry_rule=entries.rule,
        entry_weight=entries.weight,
        limit=entries.limit,
        person=tours.person,
        mode=between.mode[supply.mode[supply.slot_provider[tours.slot]]],
        begin=(supply.slot_start[tours.slot] - zero) * PARTS,
        end=(supply.slot_end[tours.slot] - zero) * PARTS,
        node=forest.node,
        parent=forest.parent,
        capacity=forest.capacity,
        load_cost=forest.load_cost * HUNDREDTH,
        travel_cost=PART if rounds.cost == "round" else 0,
        largest_late_cost=int(hundredths(rounds.largest_late_minutes)) * HUNDREDTH // PARTS,
        rest=rounds.rest_minutes * PARTS,
        rest_after=rounds.rest_after_minutes * PARTS,
    )


@dataclass(frozen=True)
class _Limits:
    """The nodes above tours: days, weeks and organisation-weeks."""

    node: IntArray  # (n_tours,) -1: none
    parent: IntArray  # (n_nodes,)
    capacity: IntArray
    load_cost: IntArray


def _above(forest: Forest, tours: Tours, visit: IntArray, tour: IntArray) -> _Limits:
    """Keep the nodes that may bind: they cost, or let fewer visits through than could be made below."""
    low = forest.parent[tours.slot]
    load = np.zeros(len(forest.parent), np.int64)
    at, who, n = low[tour], visit, int(visit.max(initial=0)) + 1
    while len(at := at[(up := at >= 0)]):
        who = who[up]
        at, who = np.divmod(np.unique(at * n + who), n)
        load += np.bincount(at, minlength=len(load))
        at = forest.parent[at]
    binds = (load > 0) & ((forest.capacity < load) | (forest.load_cost > 0))
    number = np.append(np.where(binds, np.cumsum(binds) - 1, -1), -1)

    def next_kept(node: IntArray) -> IntArray:
        node = node.copy()
        while (skip := (node >= 0) & (number[node] < 0)).any():
            node[skip] = forest.parent[node[skip]]
        return number[node]

    return _Limits(
        next_kept(low), next_kept(forest.parent[binds]), forest.capacity[binds], forest.load_cost[binds]
    )


def _repeated(option: IntArray, tour: IntArray, times: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Repeat rows, and return which repetition each is."""
    _, nth = runs(times)
    return np.repeat(option, times), np.repeat(tour, times), nth


def _links(asks: Asks, first: IntArray) -> IntArray:
    """Return (first visit, second visit, least, most), minutes between their starts, (n_links, 4)."""
    rows: list[tuple[int, int, int, int]] = []
    root: dict[int, int] = {}
    for q in np.flatnonzero((asks.people > 1) | (np.bincount(asks.request)[asks.request] > 1)).tolist():
        rows += [(int(first[q]), int(first[q]) + j, 0, 0) for j in range(1, int(asks.people[q]))]
        before = int(asks.after[q])
        if before >= 0:
            rows.append(
                (int(first[before]), int(first[q]), int(asks.after_least[q]), int(asks.after_most[q]))
            )
        elif root.setdefault(int(asks.request[q]), q) != q:
            rows.append((int(first[root[int(asks.request[q])]]), int(first[q]), 0, 0))
    return np.array(rows, np.int64).reshape(-1, 4)
