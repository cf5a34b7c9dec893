"""The certificate: true for any duals, tight for optimal ones, and blind to no infeasible flow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govmatch.errors import SolverError
from govmatch.solve import flow
from govmatch.solve.certificate import infeasibilities, load_costs, lower_bound, prices_above, prove
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
