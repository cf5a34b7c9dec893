"""Floats as whole numbers: exact where they can be, rounded down else, and bounds that stay true."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govmatch.solve.scaling import Scale, choose_scale, exact_terms

finite = st.floats(-1e12, 1e12, allow_nan=False)


def chosen(costs: list[float], units: float = 10) -> Scale:
    array = np.array(costs)
    largest = float(np.abs(array).max(initial=0))
    return choose_scale([array, np.zeros(1)], largest * units, largest * units, largest)


@pytest.mark.parametrize(
    ("costs", "base", "exponent", "exact"),
    [
        ([1.0, 2.0, -7.0], 2, 0, True),
        ([1.5, 2.25], 2, 2, True),
        ([0.0, -0.0], 2, 0, True),
        ([], 2, 0, True),
        ([4096.0, 8192.0], 2, 0, True),
        ([2.0**-30, 3.0], 2, 30, True),
        ([0.01, 12.34, -7.1], 10, 2, False),
        ([0.1, 0.001], 10, 3, False),
        ([2.0**80, 2.0**90], 2, -40, True),
        ([1 / 3, 2.0], 2, 49, False),
        ([1e299, 1 / 3], 2, -943, False),
        ([1 / 3 * 1e-300], 2, 1000, False),
    ],
)
def test_the_scale_is_the_smallest_that_is_exact_or_the_finest_that_fits(
    costs: list[float], base: int, exponent: int, exact: bool
) -> None:
    scale = chosen(costs)
    assert (scale.base, scale.exponent, scale.exact) == (base, exponent, exact)
    assert scale.resolution == pytest.approx(float(base) ** -exponent, rel=1e-15)


def test_exact_scales_bring_every_cost_back() -> None:
    for costs in ([0.5, -3.25, 1e6], [0.01, 2.07, -0.99, 1234.56]):
        scale = chosen(costs)
        assert scale.real(scale.whole(np.array(costs))).tolist() == costs


@settings(max_examples=200, deadline=None, derandomize=True)
@given(costs=st.lists(finite, min_size=1, max_size=6), units=st.sampled_from([1, 10, 1e6]))
def test_scaled_costs_fit_and_are_off_by_no_more_than_the_slack_allows(
    costs: list[float], units: float
) -> None:
    scale = chosen(costs, units)
    whole = scale.whole(np.array(costs))
    assert int(np.abs(whole).max()) * units <= 2**62
    for number, cost in zip(whole.tolist(), costs, strict=True):
        off = Fraction(number) / scale.factor - Fraction(cost)
        if scale.base == 2:
            assert -1 / scale.factor < off <= 0
            assert off == 0 or not scale.exact
        else:
            assert abs(off) * int(units) <= scale.slack


def test_a_negative_cost_too_small_for_the_scale_is_rounded_down() -> None:
    scale = chosen([2.0**900, -(2.0**-900), 2.0**-900])
    assert scale.exponent < -800
    assert scale.whole(np.array([2.0**900, -(2.0**-900), 2.0**-900])).tolist()[1:] == [-1, 0]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(-(2**70), 2**70), st.sampled_from([(2, 0), (2, 40), (2, -40), (10, 2), (10, 15)]))
def test_a_bound_is_rounded_down_to_the_nearest_float(bound: int, kind: tuple[int, int]) -> None:
    slack = Fraction(1, 3) if kind[0] == 10 else Fraction(0)
    scale = Scale(*kind, exact=False, slack=slack)
    exact = Fraction(bound) / scale.factor - slack
    found = scale.below(bound)
    assert Fraction(found) <= exact < Fraction(math.nextafter(found, math.inf))


def test_a_bound_beyond_floats() -> None:
    scale = Scale(2, -1000, exact=False)
    assert scale.below(-(2**62)) == -math.inf
    assert scale.below(2**62) == math.nextafter(math.inf, 0)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.floats(-1e200, 1e200), st.integers(0, 2**62)), max_size=5))
def test_products_are_summed_exactly(pairs: list[tuple[float, int]]) -> None:
    # a float below 1e-250 may lose its last bits when it is cut in pieces
    pairs = [(value if abs(value) > 1e-250 else 0.0, count) for value, count in pairs]
    values, counts = np.array([v for v, _ in pairs], float), np.array([n for _, n in pairs], np.int64)
    exact = sum((Fraction(v) * n for v, n in pairs), Fraction(0))
    assert sum(map(Fraction, exact_terms(values, counts)), Fraction(0)) == exact
