"""The arguments of `assign`: what is taken, what is refused, and in which words."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from govmatch.errors import InvalidInput
from govmatch.solve.arguments import Arguments, read_arguments
from govmatch.solve.encoding import Encoded, encode

DEFAULTS: dict[str, Any] = {
    "request": [0, 0, 1],
    "provider": [0, 1, 1],
    "cost": [5, 6, 7],
    "n_requests": None,
    "demand": 1,
    "capacity": 1,
    "parent": None,
    "load_cost": None,
    "unmet_cost": 100,
    "required": None,
    "group": None,
}


def read(**changes: Any) -> Arguments:
    return read_arguments(**{**DEFAULTS, **changes})


def encoded(**changes: Any) -> Encoded:
    return encode(read(**changes))


def test_defaults() -> None:
    given = read()
    assert given.group is given.provider
    assert given.demand.tolist() == [1, 1]
    assert given.unmet_cost.tolist() == [100, 100]
    assert given.capacity.tolist() == [1, 1]
    assert given.parent.tolist() == [-1, -1]
    assert given.load_cost.tolist() == [0, 0]
    assert given.required is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        # what is not an array of numbers
        ({"request": [[0], [0, 1]]}, "request cannot be read as an array of numbers: "),
        ({"request": [0.0, 0.0, 1.0]}, "request has dtype float64; expected integers"),
        ({"request": [True, False, True]}, "request has dtype bool; expected integers"),
        ({"provider": ["a", "b", "c"]}, "provider has dtype <U1; expected integers"),
        ({"provider": np.array([0, 1, 1], object)}, "provider has dtype object; expected integers"),
        ({"provider": pd.array([0, None, 1], dtype="Int64")}, "provider has dtype "),
        ({"provider": None}, "provider has dtype object; expected integers"),
        ({"group": [0.5, 1, 2]}, "group has dtype float64; expected integers"),
        ({"demand": 1.0}, "demand has dtype float64; expected integers"),
        ({"demand": [True, True]}, "demand has dtype bool; expected integers"),
        ({"capacity": np.inf}, "capacity has dtype float64; expected integers"),
        ({"parent": [0.0, -1.0]}, "parent has dtype float64; expected integers"),
        ({"cost": [True, False, True]}, "cost has dtype bool; expected integers or floats"),
        ({"cost": [1j, 2j, 3j]}, "cost has dtype complex128; expected integers or floats"),
        ({"cost": [1, 2, 10**30]}, "cost has dtype object; expected integers or floats"),
        ({"cost": np.ones(3, np.longdouble)}, "cost has dtype "),
        ({"unmet_cost": "much"}, "unmet_cost has dtype <U4; expected integers or floats"),
        ({"load_cost": [None, 1]}, "load_cost has dtype object; expected integers or floats"),
        ({"required": [1, 0]}, "required has dtype int64; expected bool, True where it must be served"),
        ({"cost": np.ma.array([1, 2, 3], mask=[0, 0, 1])}, "cost[2] is masked; expected an array without mi"),
        # shapes and lengths
        ({"request": 0}, "request has shape (); expected (n_arcs,), one number for each arc"),
        ({"cost": [[5, 6, 7]]}, "cost has shape (1, 3); expected (n_arcs,), one number for each arc"),
        ({"provider": [0, 1]}, "provider has 2 numbers; expected 3, one for each arc in request"),
        ({"cost": [1, 2, 3, 4]}, "cost has 4 numbers; expected 3, one for each arc in request"),
        ({"group": [1]}, "group has 1 numbers; expected 3, one for each arc in request"),
        ({"demand": [[1, 1]]}, "demand has shape (1, 2); expected one number, or one for each request"),
        (
            {"demand": [1, 1, 1], "n_requests": 2},
            "demand has 3 numbers; expected 2, one for each request, as n_r",
        ),
        (
            {"demand": [1, 1], "unmet_cost": [1, 1, 1]},
            "unmet_cost has 3 numbers; expected 2, one for each request, as demand says",
        ),
        ({"required": [True], "n_requests": 2}, "required has 1 numbers; expected 2, one for each request"),
        (
            {"capacity": [1, 1], "parent": [-1] * 3},
            "capacity has 2 numbers; expected 3, one for each node, as pare",
        ),
        (
            {"capacity": [1, 1], "load_cost": [0] * 3},
            "load_cost has 3 numbers; expected 2, one for each node, as ca",
        ),
        ({"parent": -1}, "parent is -1; expected one number for each node, -1 at a root"),
        # ranges
        ({"request": [0, -1, 1]}, "request[1] is -1; expected a request from 0 to 1"),
        ({"request": [0, 0, 3], "n_requests": 3}, "request[2] is 3; expected a request from 0 to 2"),
        ({"n_requests": 0}, "request[0] is 0; expected a request, and there is none"),
        ({"provider": [0, 7, 9], "capacity": [1, 1]}, "provider[1] is 7; expected a node from 0 to 1"),
        ({"provider": [0, -2, 1]}, "provider[1] is -2; expected a node from 0 to 1"),
        ({"capacity": []}, "provider[0] is 0; expected a node, and there is none"),
        ({"demand": [1, -2]}, "demand[1] is -2; expected 0 or more"),
        ({"demand": -1}, "demand is -1; expected 0 or more"),
        ({"capacity": [0, -1]}, "capacity[1] is -1; expected 0 or more"),
        ({"load_cost": [0.0, -0.5]}, "load_cost[1] is -0.5; expected 0 or more"),
        ({"parent": [2, -2, -1]}, "parent[1] is -2; expected a node from 0 to 2, or -1 at a root"),
        ({"parent": [5, -1]}, "parent[0] is 5; expected a node from 0 to 1, or -1 at a root"),
        ({"cost": [1.0, np.nan, np.inf]}, "cost[1] is nan; expected a finite number"),
        ({"cost": [1.0, 2.0, -np.inf]}, "cost[2] is -inf; expected a finite number"),
        (
            {"unmet_cost": np.inf},
            "unmet_cost is inf; expected a finite number (a request that must be served: `req",
        ),
        ({"load_cost": [np.nan, 0]}, "load_cost[0] is nan; expected a finite number"),
        (
            {"cost": np.array([0, 2**63, 1], np.uint64)},
            "cost[1] is 9223372036854775808; expected an integer below",
        ),
        ({"n_requests": -1}, "n_requests is -1; expected 0 or more and below 2**31"),
        ({"n_requests": 2.0}, "n_requests is 2.0; expected a whole number, or None"),
        ({"n_requests": True}, "n_requests is True; expected a whole number, or None"),
        (
            {"provider": [0, 1, 2**31]},
            "provider goes up to 2147483648; expected nodes from 0 on, below 2**31 - 1",
        ),
        # the forest
        (
            {"parent": [1, 0]},
            "parent has the cycle 0 → 1 → 0; expected a forest, in which every way up ends at a -1",
        ),
        ({"parent": [-1, 1]}, "parent has the cycle 1 → 1; expected a forest"),
        ({"parent": [3, -1, 0, 2, 3, 4]}, "parent has the cycle 0 → 3 → 2 → 0; expected a forest"),
        (
            {"parent": [*range(1, 30), 0]},
            "parent has the cycle 0 → 1 → 2 → 3 → 4 → 5 → 6 → 7 → … → 0; expected",
        ),
        # what must be served
        (
            {"unmet_cost": None, "required": [True, False]},
            "required[1] is False and unmet_cost is None; expected un",
        ),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match="^" + re.escape(words)):
        read(**changes)


@pytest.mark.parametrize(
    "form",
    [
        list,
        tuple,
        np.asarray,
        pd.Series,
        lambda numbers: pd.Series(numbers, index=[5, 3, 1]),
        lambda numbers: np.asarray(numbers, np.int32),
        lambda numbers: np.asarray(numbers, np.uint64),
        lambda numbers: np.asarray(numbers, ">i8"),
        lambda numbers: np.repeat(numbers, 2)[::2],
        lambda numbers: np.ma.array(numbers),
    ],
)
def test_the_same_numbers_in_any_form(form: Any) -> None:
    given = read(**{name: form(DEFAULTS[name]) for name in ("request", "provider", "cost")})
    for name, array in (("request", given.request), ("provider", given.provider), ("cost", given.cost)):
        assert array.tolist() == DEFAULTS[name]
        assert array.dtype == np.int64
        assert array.dtype.isnative
        assert array.flags.c_contiguous
        assert array.flags.writeable, "kernels are compiled for one kind of arrays"


def test_there_are_fewer_arcs_than_kernels_can_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("govmatch.solve.arguments.MOST", 2)
    with pytest.raises(InvalidInput, match=r"request has 3 arcs; expected at most 2\*\*31 - 1"):
        read()


def test_arrays_that_fit_are_passed_on_and_read_only_ones_are_copied() -> None:
    request = np.array([0, 0, 1])
    assert read(request=request).request is request
    request.flags.writeable = False
    assert read(request=request).request is not request
    assert not request.flags.writeable


def test_the_numbers_of_requests_and_nodes() -> None:
    assert len(read(n_requests=5).demand) == 5
    assert len(read(demand=[1, 1, 1]).unmet_cost) == 3
    assert len(read(required=[True, False, False]).demand) == 3
    assert len(read(unmet_cost=[9, 9, 9, 9]).demand) == 4
    assert len(read(n_requests=np.int32(5)).demand) == 5  # type: ignore[arg-type]
    assert len(read(parent=[2, 2, 3, -1]).capacity) == 4
    assert len(read(capacity=[1, 1, 1]).parent) == 3
    assert len(read(load_cost=[0, 1, 2]).parent) == 3


@pytest.mark.parametrize("empty", [[], np.array([]), np.array([], np.int32)])
def test_nothing_is_a_problem_too(empty: Any) -> None:
    given = read(request=empty, provider=empty, cost=empty, unmet_cost=None)
    assert [len(part) for part in (given.cost, given.demand, given.parent)] == [0, 0, 0]
    assert given.required is None
    whole = encode(given).instance
    assert all(getattr(whole, name).dtype == np.int64 for name in vars(whole))
    nodes = read(
        request=empty, provider=empty, cost=empty, n_requests=2, demand=empty[:0] if 0 else 1, capacity=[1]
    )
    assert [len(part) for part in (nodes.cost, nodes.demand, nodes.parent)] == [0, 2, 1]


def test_one_number_stands_for_all() -> None:
    given = read(demand=2, capacity=3, load_cost=0.5, unmet_cost=1.5, required=True)
    assert given.demand.tolist() == [2, 2]
    assert given.capacity.tolist() == [3, 3]
    assert given.load_cost.tolist() == [0.5, 0.5]
    assert given.required is not None
    assert given.required.tolist() == [True, True]
    assert given.unmet_cost.tolist() == [0, 0], "not read where the request must be served"


def test_a_mask_without_true_is_no_mask() -> None:
    assert read(required=[False, False]).required is None


def test_a_deep_forest_in_any_labelling_is_no_cycle() -> None:
    rng = np.random.default_rng(0)
    label = rng.permutation(50_000)
    parent = np.full(50_000, -1)
    parent[label[:-1]] = label[1:]
    begin = time.perf_counter()
    read(parent=parent)
    assert time.perf_counter() - begin < 1.0
    parent[label[-1]] = label[40_000]
    with pytest.raises(InvalidInput, match=r"parent has the cycle \d+ → .* → … → \d+; expected a forest"):
        read(parent=parent)


# ---------------------------------------------------------------- costs that fit


def test_integers_stay_as_they_are() -> None:
    whole = encoded(cost=[-5, 6, 7], load_cost=[1, 2])
    assert whole.own is None
    assert whole.resolution == 1
    assert whole.instance.cost.tolist() == [-5, 6, 7]
    assert whole.instance.unmet_cost.tolist() == [100, 100]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cost": [0, -(2**62), 0]}, "cost[1] is -4611686018427387904: over up to 2 units, costs may add"),
        ({"cost": [-(2**63), 0, 0]}, "cost[0] is -9223372036854775808: "),
        (
            {"cost": [0, 2**61, 0]},
            "cost[1] is 2305843009213693952: over up to 2 units, costs may add up to 4.61e+18; "
            "expected below 2**62: give smaller costs, in a coarser unit",
        ),
        (
            {"unmet_cost": [3, 2**60], "demand": [1, 4]},
            "unmet_cost[1] is 1152921504606846976: over up to 5 units",
        ),
        ({"load_cost": [1, 2**61], "capacity": 9, "demand": 9}, "load_cost[1] is 2305843009213693952: over"),
        (
            {"cost": [2**61 - 9, 0, 0], "unmet_cost": None, "demand": [1, 0]},
            "cost is too large for requests that must be served: leaving one of their units must cost "
            "4.61e+18 inside, which over all of them is beyond 2**62; expected smaller costs",
        ),
        ({"demand": [2**62, 2**62]}, "unmet_cost[0] is 100: over up to 9223372036854775808 units"),
        (
            {"cost": [1e300, 0, 0]},
            "cost[0] is 1e+300: over up to 2 units, costs may add up to 2e+300; "
            "expected below 1e+300: give smaller costs",
        ),
        (
            {"cost": [0.4e300, 0, 0], "unmet_cost": None, "demand": [2, 0]},
            "cost is too large for requests that",
        ),
        (
            {"cost": [2**53 + 1, 0, 0], "unmet_cost": 0.5},
            "cost[0] is 9007199254740993, and other costs are floats, "
            "which hold whole numbers up to 2**53 only; expected integers throughout, or smaller ones",
        ),
        ({"unmet_cost": [0, -(2**60)], "load_cost": 0.5}, "unmet_cost[1] is -1152921504606846976, and other"),
    ],
)
def test_costs_that_do_not_fit_are_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match="^" + re.escape(words)):
        encoded(**changes)


def test_the_largest_costs_that_fit() -> None:
    largest = 2**61 - 101
    whole = encoded(request=[0], provider=[0], cost=[largest], n_requests=1, unmet_cost=100)
    assert whole.instance.cost.tolist() == [largest]
    assert encoded(cost=[1e299, 0, 0]).own is not None


def test_required_requests_cost_more_to_leave_than_any_way_to_serve_them() -> None:
    whole = encoded(unmet_cost=[0, 50], required=[True, False])
    # first arc of request 0 (6), then request 1's unmet cost less its arc (43), and the span of request 0 (1)
    assert whole.instance.unmet_cost.tolist() == [1 + 6 + 43 + 1, 50]
