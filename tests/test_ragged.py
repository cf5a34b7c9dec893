"""Runs of different lengths, against loops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from govmatch.ragged import matches, runs


@given(st.lists(st.integers(0, 4), max_size=8))
def test_runs(counts):
    of, nth = runs(counts)
    expected = [(run, place) for run, n in enumerate(counts) for place in range(n)]
    assert list(zip(of.tolist(), nth.tolist(), strict=True)) == expected


@given(st.lists(st.integers(0, 5), max_size=8), st.lists(st.integers(-1, 6), max_size=6))
def test_matches(column, wanted):
    column = sorted(column)
    of, at = matches(np.array(column, np.int64), np.array(wanted, np.int64))
    expected = [(i, j) for i, key in enumerate(wanted) for j, value in enumerate(column) if value == key]
    assert list(zip(of.tolist(), at.tolist(), strict=True)) == expected
