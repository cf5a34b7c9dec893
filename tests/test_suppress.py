"""What outside readers can work out from the summary, when they know the rule that made it.

Two attackers: one lists every small table and keeps those that give the same publication; one has a solver,
asks it for the least and the most of each count that the rule allows, and shows that both tables are
published alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from govmatch.reporting.suppress import SMALL, fit, groups_told, kinds_told, publish

Place = tuple[str, str, str]  # town, community, category
Table = dict[Place, tuple[int, int]]  # served and unmet

VALUES = SMALL - 1  # a withheld small count must leave at least as many values possible


def _publication(table: Table) -> pd.DataFrame:
    cells = pd.DataFrame(
        [(t, c, k, "", s, u) for (t, c, k), (s, u) in table.items() if s + u > 0],
        columns=["town", "community_id", "category", "group", "served", "unmet"],
    ).astype({"served": "int64", "unmet": "int64"})
    return publish(cells, pd.DataFrame([(t, c) for t, c, _ in table], columns=["town", "community_id"]))


def _read(published: pd.DataFrame) -> tuple[object, ...]:
    """What is printed: where the parts are withheld, their sum alone; of few people, that they are few."""
    told = published.copy()
    people = told["served"] + told["unmet"]
    few = people.between(1, SMALL - 1)
    for name in ("served", "unmet"):
        told[name] = told[name].astype(object).where(told["parts"], "*")
    told["people"] = people.astype(object).where(~few, "few")
    return tuple(told.astype(object).where(told.notna(), "").itertuples(index=False, name=None))


def _sums(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _sums(total - first, parts - 1):
            yield (first, *rest)


def _tables(places: list[Place], served: int, unmet: int) -> Iterator[Table]:
    for s, u in product(_sums(served, len(places)), _sums(unmet, len(places))):
        yield dict(zip(places, zip(s, u, strict=True), strict=True))


def _counts(table: Table, depth: int) -> dict[tuple[str, ...], tuple[int, int, int]]:
    found: dict[tuple[str, ...], tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for place, (s, u) in table.items():
        before = found[place[:depth]]
        found[place[:depth]] = (before[0] + s, before[1] + u, before[2] + s + u)
    return found


SHAPES = {
    "two towns": [("A", "a", "k"), ("A", "b", "k"), ("B", "c", "k")],
    "one town": [("A", "a", "k"), ("A", "b", "k"), ("A", "c", "k")],
    "three kinds": [("A", "a", "k"), ("A", "a", "l"), ("A", "a", "m")],
}


FEW_UNMET = [(4, 1), (3, 2), (2, 3), (1, 4)]


@pytest.mark.parametrize(
    ("shape", "wholes"),
    [
        ("two towns", [(5, 5)]),
        ("two towns", FEW_UNMET),
        ("one town", [(9, 0)]),
        ("one town", FEW_UNMET),
        ("three kinds", [(0, 7)]),
        ("three kinds", [(5, 5)]),
    ],
)
def test_every_small_table_that_reads_alike_is_listed(shape: str, wholes: list[tuple[int, int]]) -> None:
    alike: dict[tuple[object, ...], list[Table]] = defaultdict(list)
    for whole in wholes:
        for table in _tables(SHAPES[shape], *whole):
            alike[_read(_publication(table))].append(table)
    for tables in alike.values():
        for depth in (1, 2, 3):
            listed = [_counts(table, depth) for table in tables]
            for place in listed[0]:
                for count in range(3):
                    values = {counts[place][count] for counts in listed}
                    if any(0 < value < SMALL for value in values):
                        assert len(values) >= VALUES, f"{place} can only be {values}: {tables[0]}"


@pytest.mark.parametrize(("served", "unmet"), [(5, 0), (8, 0), (13, 0), (5, 5), (5, 9), (8, 8), (16, 6)])
@pytest.mark.parametrize("n", [2, 3])
def test_every_way_of_joining_leaves_five_values(served: int, unmet: int, n: int) -> None:
    alike: dict[tuple[object, ...], list[np.ndarray]] = defaultdict(list)
    for s, u in product(_sums(served, n), _sums(unmet, n)):
        counts = np.array([s, u], dtype=np.int64).T
        groups = groups_told(counts)
        told = [tuple(counts[group].sum(axis=0).tolist()) for group in groups]
        assert all(fit(*sums) for sums in told)
        alike[(str(groups), *told)].append(np.column_stack([counts, counts.sum(axis=1)]))
    for tables in alike.values():
        values = np.stack(tables)
        for at, count in product(range(n), range(3)):
            possible = set(values[:, at, count].tolist())
            if any(0 < value < SMALL for value in possible):
                assert len(possible) >= SMALL, f"place {at} can only be {possible}"


def _extremes(served: int, unmet: int, k: int, parts: bool, terms: list[int]) -> list[np.ndarray]:
    """The k places' (served, unmet) with the least, then the most, of some terms that the rule allows.

    Variables: served, unmet of each place; for each sum before the last place three switches, of which one
    is on: few people, few served, few unmet.
    """
    size, big = 2 * k + 3 * (k - 1), served + unmet + SMALL
    rows, least, most = [], [], []

    def rule(coefficients: dict[int, float], low: float, high: float) -> None:
        row = np.zeros(size)
        row[list(coefficients)] = list(coefficients.values())
        rows.append(row)
        least.append(low)
        most.append(high)

    rule({i: 1 for i in range(k)}, served, served)
    rule({k + i: 1 for i in range(k)}, unmet, unmet)
    for j in range(k - 1):
        of_served, of_unmet = ([base + i for i in range(j + 1)] for base in (0, k))
        switch = 2 * k + 3 * j
        rule({switch + way: 1 for way in range(3 if parts else 1)}, 1, 1)
        for way, at in enumerate((of_served + of_unmet, of_served, of_unmet)):
            sums = dict.fromkeys(at, 1.0)
            rule(sums | {switch + way: big}, -np.inf, SMALL - 1 + big)
            rule(sums | {switch + way: -big}, (way > 0) - big, np.inf)
    high = np.array([*[served] * k, *[unmet] * k, *[1] * (3 * (k - 1))])
    objective = np.zeros(size)
    objective[terms] = 1
    found = []
    for sign in (1, -1):
        solved = milp(
            sign * objective,
            constraints=LinearConstraint(np.array(rows), least, most),
            bounds=Bounds(np.zeros(size), high),
            integrality=np.ones(size),
        )
        assert solved.success, solved.message
        found.append(np.round(solved.x[: 2 * k]).astype(np.int64).reshape(2, k).T)
    return found


ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 30), st.integers(0, 7)),
    min_size=2,
    max_size=8,
)


@settings(max_examples=12, deadline=None)
@given(ROWS)
@example([(0, 0, 46, 4), (1, 0, 56, 4)])
@example([(0, 0, 46, 4), (0, 1, 56, 4)])
@example([(0, 0, 8, 0), (0, 1, 0, 0), (0, 2, 2, 0)])
@example([(0, 0, 20, 1), (1, 0, 20, 1), (2, 0, 20, 1)])
def test_a_solver_that_knows_the_rule_learns_no_small_count(rows: list[tuple[int, int, int, int]]) -> None:
    table: Table = {}
    for t, c, s, u in rows:
        before = table.get((f"T{t}", f"C{t}{c}", "k"), (0, 0))
        table[(f"T{t}", f"C{t}{c}", "k")] = (before[0] + s, before[1] + u)
    published = _publication(table)
    for row in published[published["level"] != "cell"].itertuples(index=False):
        by_town = row.level == "town"
        joined = row.towns if by_town else row.communities
        if len(joined) < 2:
            continue
        k = len(joined)
        for place, (terms, total) in product(
            range(k), (([0], row.served), ([k], row.unmet), ([0, k], row.served + row.unmet))
        ):
            ends = _extremes(row.served, row.unmet, k, row.parts, [place + term for term in terms])
            values = [int(end[place][[term // k for term in terms]].sum()) for end in ends]
            assert total < SMALL or values[1] - values[0] >= SMALL - 1, f"{joined[place]} is {values}"
            for end in ends:
                other = {at: n for at, n in table.items() if at[0 if by_town else 1] not in joined}
                for name, (s, u) in zip(joined, end.tolist(), strict=True):
                    inside = sorted(at for at in table if at[0 if by_town else 1] == name)
                    other |= {at: (s, u) if at == inside[0] else (0, 0) for at in inside}
                assert _read(_publication(other)) == _read(published), "the attacker's table reads alike"


def test_two_places_with_four_unmet_each_are_joined() -> None:
    """Stars in both, and their total beside them, gave away that each is four."""
    published = _publication({("A", "a", "k"): (46, 4), ("B", "b", "k"): (56, 4)})
    assert published[["level", "served", "unmet"]].values.tolist() == [["all", 102, 8]]
    published = _publication({("A", "a", "k"): (46, 4), ("A", "a", "l"): (56, 4)})
    assert published["level"].tolist() == ["all", "town", "community"], "nor are the kinds told"


def test_an_ordinary_town_is_told_and_small_ones_are_joined() -> None:
    table = {("A", "a", "k"): (40, 6), ("B", "b", "k"): (30, 2), ("C", "c", "k"): (20, 4)}
    published = _publication({**table, ("D", "d", "k"): (9, 0)})
    towns = published[published["level"] == "town"]
    assert towns["towns"].tolist() == [("A",), ("B", "C"), ("D",)]
    assert towns[["served", "unmet"]].values.tolist() == [[40, 6], [50, 6], [9, 0]]
    assert published["parts"].all()


def test_few_unmet_in_the_whole_leave_what_was_asked() -> None:
    published = _publication({("A", "a", "k"): (40, 1), ("B", "b", "k"): (2, 0), ("C", "c", "k"): (9, 0)})
    assert not published["parts"].any()
    assert published.loc[published["level"] == "town", "towns"].tolist() == [("A",), ("B", "C")]


@pytest.mark.parametrize("whole", [(0, 0), (3, 0), (1, 3)])
def test_a_whole_of_few_people_is_one_row(whole: tuple[int, int]) -> None:
    published = _publication({("A", "a", "k"): whole})
    assert published["level"].tolist() == ["all"]
    assert published["parts"].tolist() == [whole == (0, 0)]


def test_what_is_left_over_goes_back_until_it_is_fit() -> None:
    assert groups_told(np.array([[9, 5], [9, 0], [0, 3]])) == [[0, 1, 2]], "(9, 3) would be unfit"
    assert groups_told(np.array([[9, 5], [9, 0], [2, 0]])) == [[0], [1, 2]]
    assert groups_told(np.array([[4, 1], [9, 0]]), parts=False) == [[0], [1]]


def test_kinds_are_told_all_or_none() -> None:
    assert kinds_told(np.array([[9, 0], [5, 5]]))
    assert not kinds_told(np.array([[9, 0], [9, 3]]))
    assert kinds_told(np.array([[9, 0], [9, 3]]), parts=False)
