"""The witness that requests cannot all be served, its check, and what it costs inside to leave one."""

from __future__ import annotations

import pickle
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from govmatch.errors import GovmatchError, Infeasible
from govmatch.solve import flow, witness
from govmatch.solve.arguments import read_arguments
from govmatch.solve.encoding import Encoded, encode
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.required import leaving_cost
from govmatch.solve.witness import Witness
from tests.naive_assign import Case, brute_force, brute_size, random_case, witness_faults

pytestmark = pytest.mark.kernels


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def encoded(case: Case) -> Encoded:
    defaults: dict[str, Any] = {"n_requests": None, "demand": 1, "capacity": 1}
    return encode(read_arguments(**{**defaults, **case.arguments()}))  # type: ignore[arg-type]


def solved(case: Case) -> tuple[Instance, np.ndarray, Solution]:
    whole = encoded(case)
    must = np.zeros(case.n_requests, np.bool_) if whole.required is None else whole.required
    return whole.instance, must, flow.solve(whole.instance)


def cases(first: int, count: int) -> list[Case]:
    """Random cases in which most requests must be served."""
    found = []
    for seed in range(first, first + count):
        case, rng = random_case(seed, largest=7), random.Random(seed)
        required = [rng.random() < 0.7 for _ in range(case.n_requests)]
        found.append(case if case.unmet_cost is None else replace(case, required=required))
    return found


def test_leaving_is_never_cheaper_and_what_is_left_has_a_witness() -> None:
    infeasible = 0
    for case in cases(0, 300):
        if brute_size(case) > 5_000:
            continue
        instance, must, solution = solved(case)
        left = bool((solution.unmet[must] > 0).any())
        assert left == (brute_force(case) is None), case.call()
        found = witness.find(instance, must, solution)
        assert (found is not None) == left, case.call()
        if found is None:
            continue
        infeasible += 1
        assert witness.check(instance, must, found) == [], case.call()
        assert witness_faults(case, found) == [], case.call()
        assert found.demand > found.capacity + found.ways
    assert infeasible > 50


def test_the_cost_of_leaving_is_the_least_that_suffices() -> None:
    # request 0 has one provider, which request 1 has for nothing, whose next one request 2 has for nothing, …
    n = 6
    request = np.concatenate([np.arange(n), np.arange(1, n)])
    provider = np.concatenate([np.arange(n), np.arange(n - 1)])
    instance = Instance(
        request=request,
        node=provider,
        group=provider,
        cost=np.concatenate([np.full(n, 100), np.zeros(n - 1, np.int64)]),
        demand=np.ones(n, np.int64),
        unmet_cost=np.zeros(n, np.int64),
        capacity=np.ones(n, np.int64),
        parent=np.full(n, -1),
        load_cost=np.zeros(n, np.int64),
    )
    least = leaving_cost(instance, np.ones(n, np.bool_))
    assert least == 100 * n + 1
    for leaving, unmet in ((least, 0), (least - 2, 1)):
        solution = flow.solve(replace(instance, unmet_cost=np.full(n, leaving)))
        assert solution.unmet.sum() == unmet


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1 + 9 + (9 - 2) + (60 - 4)),
        ({"capacity": ints(1, 0)}, 1 + 9 + (60 - 4)),  # one provider can be left, by the larger span
        (
            {"demand": ints(5, 1)},
            1 + 9 + (60 - 4) + (9 - 2),
        ),  # served at most twice, and two providers in all
        (
            {"capacity": ints(4, 1), "load_cost": ints(3, 50)},
            1 + 9 + 7 + 56 + 3,
        ),  # 0 carries two units at most
        ({"parent": ints(1, -1), "capacity": ints(9, 9), "load_cost": ints(0, 5)}, 1 + 9 + 7 + 56 + 2 * 5),
        ({"cost": ints(-9, -8, -4)}, 1 + 0 + 1 + 64),
        ({"request": ints(1, 1, 1), "group": ints(0, 1, 2)}, 1 + 0 + (60 - 2)),
    ],
)
def test_the_parts_of_the_cost_of_leaving(changes: dict[str, np.ndarray], expected: int) -> None:
    instance = Instance(
        request=ints(0, 0, 1),
        node=ints(0, 1, 0),
        group=ints(0, 1, 0),
        cost=ints(2, 9, 4),
        demand=ints(1, 1),
        unmet_cost=ints(10**9, 60),
        capacity=ints(1, 1),
        parent=ints(-1, -1),
        load_cost=ints(0, 0),
    )
    assert leaving_cost(replace(instance, **changes), np.array([True, False])) == expected


CROWDED = Case(
    request=[0, 1, 1, 2, 3, 3],
    provider=[0, 0, 1, 1, 3, 2],
    cost=[1] * 6,
    n_requests=4,
    demand=[1, 2, 1, 1],
    capacity=[9, 9, 1, 1, 2],
    parent=[4, 4, 4, -1, -1],
    load_cost=[0] * 5,
    unmet_cost=None,
)
"""Nodes 0, 1 and 2 stand below 4, which has room for two; three requests need four units there."""


def test_a_witness_is_read_from_the_cut() -> None:
    instance, must, solution = solved(CROWDED)
    found = witness.find(instance, must, solution)
    assert found is not None
    assert found.requests.tolist() == [0, 1, 2]
    assert found.nodes.tolist() == [4]
    assert found.arcs.tolist() == []
    assert (found.demand, found.capacity, found.ways) == (4, 2, 0)
    assert str(found) == (
        "requests 0, 1 and 2 must be served and need 4 units, but can get 2 at most: node 4 lets 2 through"
    )


def test_arcs_past_the_cut_count_once_a_person() -> None:
    # request 0 needs two people; two of its arcs are one person's, past node 0, which lets one unit through
    case = Case(
        request=[0, 0, 0, 1],
        provider=[0, 1, 2, 0],
        cost=[1] * 4,
        n_requests=2,
        demand=[2, 1],
        capacity=[1, 1, 1],
        parent=[-1, -1, -1],
        load_cost=[0] * 3,
        unmet_cost=None,
        group=[7, 8, 8, 7],
    )
    instance, must, solution = solved(case)
    found = witness.find(instance, must, solution)
    assert found is not None
    assert witness.check(instance, must, found) == []
    assert (found.requests.tolist(), found.nodes.tolist()) == ([0, 1], [0])
    assert found.arcs.tolist() == [1, 2]
    assert found.ways == 1
    assert str(found).endswith(
        "can get 2 at most: node 0 lets 1 through and the arcs that lead past it bring 1"
    )


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            ([3], [], [], 1, 0, 0),
            "request 3 must be served and need 1 unit, but can get 0 at most: there is no arc to serve them",
        ),
        (
            ([3], [], [1, 2], 3, 0, 2),
            "request 3 must be served and need 3 units, but can get 2 at most: their arcs bring 2",
        ),
        (
            ([0, 1], [2, 5], [4], 9, 3, 1),
            "requests 0 and 1 must be served and need 9 units, but can get 4 at most: "
            "nodes 2 and 5 together let 3 through and the arcs that lead past them bring 1",
        ),
        (([0, 1], [2], [4], 3, 1, 1), "node 2 lets 1 through and the arcs that lead past it bring 1"),
        (
            (range(20), [2], [], 20, 1, 0),
            "requests 0, 1, 2, 3, 4 and 15 more must be served and need 20 units",
        ),
    ],
)
def test_a_witness_in_words(parts: Any, words: str) -> None:
    requests, nodes, arcs, *numbers = parts
    assert words in str(Witness(ints(*requests), ints(*nodes), ints(*arcs), *numbers))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"requests": ints(0, 1, 1)}, "a request or a node stands in it twice"),
        ({"nodes": ints(4, 4)}, "a request or a node stands in it twice"),
        ({"nodes": ints(0, 4)}, "node 0 stands below another of its nodes"),
        ({"nodes": ints(0)}, "2 arcs lead past its nodes, and it names 0, or others"),
        ({"arcs": ints(0)}, "0 arcs lead past its nodes, and it names 1, or others"),
        ({"requests": ints(0, 2)}, "it says demand 4, capacity 2 and 0 ways; there are 2, 2 and 0"),
        ({"requests": ints(0, 2)}, "the demand 2 fits into the capacity 2 and 0 other ways"),
        ({"capacity": 1}, "it says demand 4, capacity 1 and 0 ways; there are 4, 2 and 0"),
        ({"ways": 1}, "it says demand 4, capacity 2 and 1 ways; there are 4, 2 and 0"),
        ({"nodes": ints(-1), "demand": 9, "capacity": 0}, "there is no node -1"),
        ({"nodes": ints(4, 5)}, "there is no node 5"),
        ({"requests": ints(-1, 0)}, "there is no request -1"),
        ({"requests": ints(0, 4)}, "there is no request 4"),
        ({"requests": ints()}, "the demand 0 fits into the capacity 2 and 0 other ways"),
    ],
)  # fmt: skip
def test_a_witness_that_proves_nothing_is_refused(changes: dict[str, Any], words: str) -> None:
    instance, must, solution = solved(CROWDED)
    found = witness.find(instance, must, solution)
    assert found is not None
    assert witness.check(instance, must, found) == []
    assert words in witness.check(instance, must, replace(found, **changes))


@pytest.mark.parametrize("length", [2, 3, 4, 5, 8, 9, 40])
def test_arcs_far_below_a_node_pass_through_it(length: int) -> None:
    """However far: node 0 stands above all others, and lets one unit through."""
    chain = Case(
        request=[0, 1, 2],
        provider=[length - 1, length - 1, length // 2],
        cost=[1] * 3,
        n_requests=3,
        demand=[1] * 3,
        capacity=[1] + [9] * (length - 1),
        parent=[-1, *range(length - 1)],
        load_cost=[0] * length,
        unmet_cost=None,
    )
    instance, must, solution = solved(chain)
    found = witness.find(instance, must, solution)
    assert found is not None
    assert (found.nodes.tolist(), found.arcs.tolist(), found.capacity) == ([0], [], 1)
    assert witness.check(instance, must, found) == []
    below = replace(found, nodes=ints(0, length - 1), capacity=10)
    assert f"node {length - 1} stands below another of its nodes" in witness.check(instance, must, below)


def test_a_request_that_need_not_be_served_is_no_witness() -> None:
    instance, must, solution = solved(CROWDED)
    found = witness.find(instance, must, solution)
    assert found is not None
    must[1] = False
    assert witness.check(instance, must, found) == ["request 1 need not be served"]


def test_a_flow_that_is_not_optimal_has_no_witness() -> None:
    case = replace(CROWDED, capacity=[9, 9, 1, 1, 9], demand=[1, 1, 1, 1])
    instance, must, _ = solved(case)
    none = np.zeros(6, np.int64)
    idle = Solution(none, instance.demand, none[:4], none[:5], "time_limit")
    assert witness.find(instance, must, idle) is None
    unserved = witness.find(instance, np.zeros(4, np.bool_), idle)
    assert unserved is None, "nobody must be served"


def test_the_error_carries_its_witness() -> None:
    instance, must, solution = solved(CROWDED)
    found = witness.find(instance, must, solution)
    assert found is not None
    error = Infeasible(found)
    assert isinstance(error, GovmatchError)
    assert error.witness is found
    assert str(error) == str(found)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.witness.requests.tolist() == [0, 1, 2]
