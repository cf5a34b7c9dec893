"""Candidates and pricing against the enumeration of all pairs in plain Python."""

from __future__ import annotations

import numpy as np
import pytest

import govmatch as gm
from govmatch.reach.alliance import edges_for
from govmatch.reach.candidates import STAGES, Candidates
from govmatch.reach.paths import reach_paths
from govmatch.reach.travel import GreatCircle
from tests import naive
from tests.towns import hand_town, random_policy, random_town

pytestmark = pytest.mark.kernels


def candidates_of(problem):
    sources = np.arange(problem.nodes.n_communities, dtype=np.int32)
    days = np.unique(problem.supply.slot_day).tolist()
    paths = reach_paths(problem.nodes, edges_for(problem), problem.policy, sources, days)
    travel = GreatCircle.from_policy(problem.policy)
    return Candidates(problem.nodes, problem.supply, problem.demand, problem.policy, paths, travel)


def pairs_of(problem, arcs):
    demand, supply = problem.demand, problem.supply
    return {
        (demand.request_id[r], supply.provider_id[supply.slot_provider[s]], int(supply.slot_start[s])): int(c)
        for r, s, c in zip(arcs.request, arcs.slot, arcs.cost, strict=True)
    }


def expected_pairs(problem):
    found = naive.eligible_pairs(problem)
    return {
        (p["request_id"], p["provider_id"], int(p["slot_start"])): int(p["cost"])
        for p in found.to_dict("records")
    }


def problem_of(seed):
    return gm.Problem.from_tables(random_town(seed), policy=random_policy(seed))


@pytest.mark.parametrize("seed", range(0, 60, 2))
def test_every_eligible_pair_and_its_cost_is_found(seed) -> None:
    problem = problem_of(seed)
    candidates = candidates_of(problem)
    arcs = candidates.cheapest(k=500)
    assert pairs_of(problem, arcs) == expected_pairs(problem)
    counts = naive.count_reasons(problem).to_numpy()
    assert candidates.passed.tolist() == counts.tolist()
    assert candidates.passed.shape[1] == len(STAGES) + 1
    assert candidates.examined.all()


@pytest.mark.parametrize("seed", range(1, 60, 3))
def test_the_cheapest_few_bound_all_that_is_left_out(seed) -> None:
    problem = problem_of(seed)
    candidates = candidates_of(problem)
    kept, every = pairs_of(problem, candidates.cheapest(k=2)), expected_pairs(problem)
    assert kept.items() <= every.items()
    outside = candidates.outside_cost
    position = {r: i for i, r in enumerate(problem.demand.request_id)}
    for pair, cost in every.items():
        if pair not in kept:
            assert cost >= outside[position[pair[0]]]


@pytest.mark.parametrize("seed", range(2, 60, 3))
def test_pricing_returns_just_the_pairs_with_negative_reduced_cost(seed) -> None:
    problem = problem_of(seed)
    candidates = candidates_of(problem)
    arcs = candidates.cheapest(k=1)
    rng = np.random.default_rng(seed)
    dual = rng.integers(0, 6000, problem.demand.n_requests)
    price = rng.integers(0, 2000, len(problem.supply.slot_provider))
    new, looked = candidates.priced_in(arcs, dual, price, k=500)
    assert looked
    slots = {
        (problem.supply.provider_id[p], int(s)): i
        for i, (p, s) in enumerate(zip(problem.supply.slot_provider, problem.supply.slot_start, strict=True))
    }
    position = {r: i for i, r in enumerate(problem.demand.request_id)}
    held = pairs_of(problem, arcs)
    expected = {
        pair: cost
        for pair, cost in expected_pairs(problem).items()
        if pair not in held and cost + price[slots[pair[1:]]] < dual[position[pair[0]]]
    }
    assert pairs_of(problem, new) == expected


def test_a_stop_leaves_requests_unexamined_with_no_bound() -> None:
    problem = gm.Problem.from_tables(hand_town())
    candidates = candidates_of(problem)
    arcs = candidates.cheapest(stop=lambda: True)
    assert len(arcs) == 0
    unseen = ~candidates.examined
    assert unseen.any()
    assert (candidates.outside_cost[unseen] == 0).all()
