"""The certificate: true for any duals, tight for optimal ones, and blind to no infeasible flow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govmatch.errors import SolverError
from govmatch.solve import flow
from govmatch.solve.certificate import (
    BLOCK_ARCS,
    exact_dot,
    exact_sum,
    flow_cost,
    infeasibilities,
    load_costs,
    lower_bound,
    node_loads,
    prices_above,
    prove,
)
from govmatch.solve.instance import Instance, Solution
from tests.instances import optimal_cost, random_instance


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 500), data=st.data())
def test_any_duals_give_a_true_bound(seed: int, data: st.DataObject) -> None:
    instance = random_instance(seed)
    numbers = st.integers(-20, 80)
    u = np.array(data.draw(st.lists(numbers, min_size=len(instance.demand), max_size=len(instance.demand))))
    y = np.array(data.draw(st.lists(numbers, min_size=len(instance.parent), max_size=len(instance.parent))))
    assert lower_bound(instance, u, y) <= optimal_cost(instance) + 1e-6


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 500), data=st.data())
def test_duals_beyond_all_measure_give_a_true_bound(seed: int, data: st.DataObject) -> None:
    instance = random_instance(seed)
    numbers = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 1, 2**62, -(2**62), 10**17])
    u = np.array(data.draw(st.lists(numbers, min_size=len(instance.demand), max_size=len(instance.demand))))
    y = np.array(data.draw(st.lists(numbers, min_size=len(instance.parent), max_size=len(instance.parent))))
    assert lower_bound(instance, u.astype(np.int64), y.astype(np.int64)) <= optimal_cost(instance) + 1e-6


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 500), data=st.data())
def test_required_requests_have_no_unmet_cost(seed: int, data: st.DataObject) -> None:
    instance = random_instance(seed)
    n_requests = len(instance.demand)
    required = np.array(data.draw(st.lists(st.booleans(), min_size=n_requests, max_size=n_requests)))
    dear = replace(instance, unmet_cost=np.where(required, 10_000, instance.unmet_cost))
    solution = flow.solve(dear)
    unread = replace(instance, unmet_cost=np.where(required, -(2**60), instance.unmet_cost))
    proof = prove(unread, solution, required)
    left = int(solution.unmet[required].sum())
    assert proof.primal == round(optimal_cost(dear)) - 10_000 * left
    assert proof.primal == flow_cost(unread, solution.flow, solution.unmet, required)
    if not left:
        assert proof.gap == 0
    # where a request is not required, a dual above its unmet cost is cut there
    raised, cut = (np.where(required, solution.request_dual, most) for most in (10**6, instance.unmet_cost))
    assert lower_bound(unread, raised, solution.price, required) == lower_bound(
        unread, cut, solution.price, required
    )


def test_numbers_beyond_int64_are_added_exactly() -> None:
    numbers = [2**62, 2**62, -(2**63), 2**63 - 1, -1, 2**32, -(2**32) - 1]
    assert exact_sum(np.array(numbers)) == sum(numbers)
    assert exact_dot(np.array(numbers), np.array(numbers)) == sum(n * n for n in numbers)
    assert exact_dot(np.array([3, -4]), np.array([5, 6])) == -9
    assert exact_sum(np.zeros(0, np.int64)) == exact_dot(np.zeros(0, np.int64), np.zeros(0, np.int64)) == 0


def test_a_long_chain_in_any_labelling() -> None:
    n = 100_000
    label = np.random.default_rng(0).permutation(n)
    parent = np.full(n, -1)
    parent[label[:-1]] = label[1:]
    price = np.zeros(n, np.int64)
    price[label] = np.arange(n)
    above = prices_above(parent, price)
    assert above[label].tolist() == (np.arange(n)[::-1].cumsum()[::-1]).tolist()
    none = np.zeros(0, np.int64)
    at = np.array([label[0], label[0], label[n // 2]])
    instance = Instance(none, at, none, none, none, none, none, parent, none)
    load = node_loads(instance, np.array([1, 1, 1]))
    assert load[label[[0, n // 2 - 1, n // 2, n - 1]]].tolist() == [2, 2, 3, 3]
    assert node_loads(instance, np.array([0, 1, 0]))[label[n - 1]] == 1


def test_more_arcs_than_are_looked_at_together() -> None:
    n = 2 * BLOCK_ARCS + 5
    instance = Instance(
        request=np.arange(n),
        node=np.zeros(n, np.int64),
        group=np.zeros(n, np.int64),
        cost=np.full(n, 3),
        demand=np.ones(n, np.int64),
        unmet_cost=np.full(n, 10),
        capacity=np.array([n]),
        parent=np.array([-1]),
        load_cost=np.array([0]),
    )
    assert lower_bound(instance, np.full(n, 9), np.array([2])) == n * 9 - n * 2 - n * (9 - 3 - 2)


def test_prices_add_up_along_the_chain() -> None:
    assert prices_above(np.array([1, 2, -1, -1]), np.array([1, 10, 100, 5])).tolist() == [111, 110, 100, 5]


def test_load_cost_is_convex_in_the_units() -> None:
    assert load_costs(np.array([0, 1, 2, 3]), np.array([6, 6, 6, 6])).tolist() == [0, 0, 6, 18]


def _one_slot() -> tuple[Instance, Solution]:
    instance = Instance(
        request=np.array([0, 0, 1]),
        node=np.array([0, 1, 1]),
        group=np.array([0, 0, 0]),
        cost=np.array([1, 2, 3]),
        demand=np.array([2, 1]),
        unmet_cost=np.array([50, 50]),
        capacity=np.array([1, 1, 2]),
        parent=np.array([2, 2, -1]),
        load_cost=np.array([0, 0, 4]),
    )
    return instance, flow.solve(instance)


def test_a_sound_flow_has_no_fault() -> None:
    instance, solution = _one_slot()
    assert infeasibilities(instance, solution) == []
    assert prove(instance, solution).primal == 1 + 3 + 4 + 50


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"flow": np.array([2, 0, 1]), "unmet": np.array([0, 0])}, "more than 1 unit"),
        ({"flow": np.array([1, 0, 1]), "unmet": np.array([0, 0])}, "not its demand"),
        ({"flow": np.array([1, 0, 1]), "unmet": np.array([1, -1])}, "not its demand"),
        ({"flow": np.array([0, 1, 1]), "unmet": np.array([1, 0])}, "more than its capacity"),
        ({"flow": np.array([1, 1, 0]), "unmet": np.array([0, 1])}, "two units of one group"),
    ],
)
def test_each_infeasible_flow_is_named(changes: dict[str, np.ndarray], words: str) -> None:
    instance, solution = _one_slot()
    with pytest.raises(SolverError, match=words):
        prove(instance, replace(solution, **changes))


def test_a_wrong_price_shows_as_a_gap() -> None:
    instance, solution = _one_slot()
    assert prove(instance, solution).gap == 0
    for k in range(len(solution.price)):
        price = solution.price.copy()
        price[k] += 7
        assert lower_bound(instance, solution.request_dual, price) < prove(instance, solution).primal
