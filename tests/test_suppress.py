"""What outside readers can work out from the summary: an attacker with a solver."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from govmatch.reporting.suppress import SMALL, shielded, small, withhold

KEYS = ("town", "community_id")


def _cells(rows: list[tuple[int, int, int, int]]) -> pd.DataFrame:
    """Cells from (town, community, served, unmet)."""
    kept = [(t, c, s, u) for t, c, s, u in rows if s + u > 0]
    return pd.DataFrame(
        {
            "town": [f"T{t}" for t, *_ in kept],
            "community_id": [f"C{t}{c}" for t, c, *_ in kept],
            "people": [s + u for *_, s, u in kept],
            "served": [s for *_, s, _ in kept],
            "unmet": [u for *_, u in kept],
        }
    )


def _ranges(cells: pd.DataFrame, totals: pd.DataFrame) -> list[tuple[int, int]]:
    """The least and most that an attacker can hold possible, for each cell's served, then unmet, then people.

    The attacker knows every told count, that untold people are 1 to 4, and that a cell with people told and
    parts untold has 1 or more served and 1 or more unmet.
    """
    n = len(cells)
    low, high = np.zeros(2 * n), np.full(2 * n, 1000.0)
    rows, least, most = [], [], []

    def known(terms: list[int], lower: float, upper: float) -> None:
        row = np.zeros(2 * n)
        row[terms] = 1
        rows.append(row)
        least.append(lower)
        most.append(upper)

    for i, cell in enumerate(cells.itertuples(index=False)):
        if cell.people_told:
            known([i, n + i], cell.people, cell.people)
        else:
            known([i, n + i], 1, SMALL - 1)
        if cell.parts_told:
            low[[i, n + i]] = high[[i, n + i]] = cell.served, cell.unmet
        elif cell.people_told:
            low[[i, n + i]] = 1
    for total in totals.itertuples(index=False):
        inside = np.ones(n, dtype=bool)
        for key in KEYS:
            if isinstance(getattr(total, key), str):
                inside &= (cells[key] == getattr(total, key)).to_numpy()
        at = np.flatnonzero(inside).tolist()
        if total.people_told:
            known([*at, *(n + i for i in at)], total.people, total.people)
        if total.parts_told:
            known(at, total.served, total.served)
    constraint = LinearConstraint(np.array(rows), least, most)
    found = []
    for terms in [*([i] for i in range(2 * n)), *([i, n + i] for i in range(n))]:
        objective = np.zeros(2 * n)
        objective[terms] = 1
        ends = []
        for sign in (1, -1):
            solved = milp(sign * objective, constraints=constraint, bounds=Bounds(low, high), integrality=1)
            assert solved.success, solved.message
            ends.append(sign * round(solved.fun))
        found.append((ends[0], ends[1]))
    return found


def _check(cells: pd.DataFrame) -> None:
    told, totals = withhold(cells, KEYS)
    ranges = _ranges(told, totals)
    n = len(told)
    for i, cell in enumerate(told.itertuples(index=False)):
        if not cell.people_told:
            least, most = ranges[2 * n + i]
            assert (least, most) == (1, SMALL - 1), f"people of cell {i} are known to be {least} to {most}"
        if not cell.parts_told:
            for at in (i, n + i):
                assert ranges[at][0] < ranges[at][1], f"cell {i} is worked out as {ranges[at][0]}"


ROWS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 7), st.integers(0, 7)),
    min_size=1,
    max_size=8,
).filter(lambda rows: any(s + u for *_, s, u in rows))


@settings(max_examples=40, deadline=None)
@given(ROWS)
@example([(0, 0, 3, 0), (0, 0, 9, 0)])
@example([(0, 0, 4, 0)] * 3)
@example([(0, 0, 2, 0)] * 4)
@example([(0, 0, 4, 4), (0, 1, 9, 9)])
def test_no_withheld_count_can_be_worked_out(rows: list[tuple[int, int, int, int]]) -> None:
    _check(_cells(rows))


def test_one_small_cell_takes_its_total_with_it() -> None:
    told, totals = withhold(_cells([(0, 0, 3, 0), (0, 0, 9, 0), (0, 1, 20, 0)]), KEYS)
    assert told["people_told"].tolist() == [False, True, True]
    shown = totals.set_index("level")["people_told"]
    assert shown["community"].tolist() == [False, True]
    assert not shown["town"] and not shown["all"]


def test_many_small_cells_leave_the_total_told() -> None:
    told, totals = withhold(_cells([(0, 0, 1, 1), (0, 0, 2, 0), (0, 0, 3, 0), (0, 0, 4, 0)]), KEYS)
    assert not told["people_told"].any()
    assert totals["people_told"].all()


def test_zero_is_told_and_served_falls_with_a_small_unmet() -> None:
    told, _ = withhold(_cells([(0, 0, 9, 0), (0, 0, 9, 2)]), KEYS)
    assert told["people_told"].tolist() == [True, True]
    assert told["parts_told"].tolist() == [True, False]


def test_no_small_total_is_told() -> None:
    _, totals = withhold(_cells([(0, 0, 1, 0), (0, 0, 1, 0), (1, 0, 30, 0)]), KEYS)
    assert not totals.loc[small(totals["people"].to_numpy()), "people_told"].any()


@pytest.mark.parametrize(
    ("low", "high", "remainder", "wide"),
    [
        ([], [], 0, True),
        ([1], [4], 3, False),
        ([1, 1], [4, 4], 5, True),
        ([1, 1], [4, 4], 6, False),
        ([1] * 4, [4] * 4, 16, False),
    ],
)
def test_shielded(low: list[int], high: list[int], remainder: int, wide: bool) -> None:
    assert shielded(np.array(low, dtype=np.int64), np.array(high, dtype=np.int64), remainder) is wide


def test_no_cells_give_one_total_of_nothing() -> None:
    told, totals = withhold(_cells([]), KEYS)
    assert len(told) == 0
    assert totals["people"].tolist() == [0]
