"""Candidates and pricing against the enumeration of all pairs in plain Python."""

from __future__ import annotations

import numpy as np
import pytest

import govmatch as gm
from govmatch.reach.alliance import edges_for
from govmatch.reach.candidates import CHEAPEST, STAGES, Arcs, Candidates
from govmatch.reach.paths import reach_paths
from govmatch.reach.travel import GreatCircle, checked_minutes
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


def small_day():
    return gm.Problem.from_tables(gm.datasets.xishan(seed=1, requests=20, volunteers=200))


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


def outside_keys(problem, arcs, price):
    """Pairs outside `arcs`: their cost, that with the price of their slot, and each request's position."""
    slots = {
        (problem.supply.provider_id[p], int(s)): i
        for i, (p, s) in enumerate(zip(problem.supply.slot_provider, problem.supply.slot_start, strict=True))
    }
    held = pairs_of(problem, arcs)
    outside = {pair: cost for pair, cost in expected_pairs(problem).items() if pair not in held}
    keys = {pair: cost + int(price[slots[pair[1:]]]) for pair, cost in outside.items()}
    return outside, keys, {r: i for i, r in enumerate(problem.demand.request_id)}


@pytest.mark.parametrize("margin", [0, 700])
@pytest.mark.parametrize("seed", range(2, 60, 3))
def test_pricing_returns_just_the_pairs_whose_reduced_cost_is_below_the_margin(seed, margin) -> None:
    problem = problem_of(seed)
    candidates = candidates_of(problem)
    arcs = candidates.cheapest(k=1)
    rng = np.random.default_rng(seed)
    dual = rng.integers(0, 6000, problem.demand.n_requests)
    price = rng.integers(0, 2000, len(problem.supply.slot_provider))
    outside, keys, at = outside_keys(problem, arcs, price)
    new, looked = candidates.priced_in(arcs, dual, price, k=500, margin=margin)
    assert looked
    below = {pair: keys[pair] - int(dual[at[pair[0]]]) for pair in outside}
    expected = {pair: outside[pair] for pair in outside if below[pair] < margin}
    assert pairs_of(problem, new) == (expected if min(below.values(), default=0) < 0 else {})


def test_what_does_not_price_in_is_left_although_it_is_within_the_margin() -> None:
    problem = small_day()
    candidates = candidates_of(problem)
    arcs = candidates.cheapest(k=1)
    price = np.zeros(len(problem.supply.slot_provider), np.int64)
    _, keys, at = outside_keys(problem, arcs, price)
    dual = np.zeros(problem.demand.n_requests, np.int64)
    for pair, key in keys.items():
        i = at[pair[0]]
        dual[i] = min(dual[i] or key, key)
    assert dual.max() > 0
    assert len(candidates.priced_in(arcs, dual, price)[0]) == 0
    assert len(candidates.priced_in(arcs, dual + 1, price)[0]) > 0


def test_requests_whose_pairs_cannot_price_in_are_not_looked_at(monkeypatch) -> None:
    problem = small_day()
    candidates = candidates_of(problem)
    arcs = candidates.cheapest(k=1)
    free = np.zeros(len(problem.supply.slot_provider), np.int64)
    asked = []

    def asking(travel, origin, target):
        asked.append(target)
        return checked_minutes(travel, origin, target)

    monkeypatch.setattr("govmatch.reach.candidates.checked_minutes", asking)
    assert len(candidates.priced_in(arcs, candidates.outside_cost, free)[0]) == 0
    assert not asked
    open_ = np.flatnonzero((candidates.outside_cost > 0) & (candidates.outside_cost < 10**9))[:3]
    dual = np.zeros(problem.demand.n_requests, np.int64)
    dual[open_] = candidates.outside_cost[open_] + 1
    candidates.priced_in(arcs, dual, free, margin=0)
    assert set(np.concatenate(asked).tolist()) == set(open_.tolist())


def test_many_requests_get_fewer_candidates_each(monkeypatch) -> None:
    problem = small_day()
    most = np.bincount(candidates_of(problem).cheapest().request).max()
    assert 32 < most <= CHEAPEST
    monkeypatch.setattr("govmatch.reach.candidates.ROOM", 60)
    assert np.bincount(candidates_of(problem).cheapest().request).max() == 32


def test_a_stop_leaves_requests_unexamined_with_no_bound() -> None:
    problem = gm.Problem.from_tables(hand_town())
    candidates = candidates_of(problem)
    arcs = candidates.cheapest(stop=lambda: True)
    assert len(arcs) == 0
    unseen = ~candidates.examined
    assert unseen.any()
    assert (candidates.outside_cost[unseen] == 0).all()


def test_merging_keeps_the_order_and_tells_where_the_old_ones_stand() -> None:
    old = Arcs(np.array([0, 0, 2, 3]), np.array([5, 1, 2, 3]), np.array([10, 11, 12, 13]))
    new = Arcs(np.array([0, 1, 3]), np.array([7, 8, 9]), np.array([20, 21, 22]))
    both, place = old.merged(new)
    assert both.request.tolist() == [0, 0, 0, 1, 2, 3, 3]
    assert both.slot.tolist() == [5, 1, 7, 8, 2, 3, 9]
    assert both.cost.tolist() == [10, 11, 20, 21, 12, 13, 22]
    assert both.slot[place].tolist() == old.slot.tolist()
