"""Whatever the tables hold, the answer is a problem or a sentence about what is wrong with them."""

import datetime as dt
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from govmatch.errors import InvalidInput, InvalidTables
from govmatch.model.problem import Problem
from govmatch.model.schema import TABLES
from tests.small_tables import village

ODD = [
    None,
    float("nan"),
    float("inf"),
    -float("inf"),
    pd.NaT,
    pd.NA,
    np.datetime64("NaT", "s"),
    np.timedelta64(5, "m"),
    "",
    " ",
    "nan",
    "1e999",
    "1_000",
    "\x00",
    "\ud800",
    "编号一",
    "🧑‍🤝‍🧑",
    "C1",
    "V1",
    "O1",
    "R1",
    "x" * 201,
    "x" * 100_000,
    0,
    1,
    -1,
    2,
    2.5,
    True,
    False,
    10**30,
    10**5000,
    -(10**400),
    2**53 + 1,
    330481001009.0,
    np.int8(3),
    np.float32(0.1),
    Decimal("1.5"),
    Decimal("NaN"),
    Decimal("1e999999"),
    Fraction(1, 3),
    1j,
    b"C1",
    [1, 2],
    {"a": 1},
    (),
    object(),
    np.array([1, 2]),
    "2026-05-01 09:00",
    "2026/5/1 9:00",
    "2026-05-01T09:00:00Z",
    "2026-05-01T09:00+08:00",
    "2026-02-30",
    "2026-13-01",
    "9999-12-31",
    "0000-01-01",
    "24:00",
    dt.datetime(2026, 5, 1, 9),
    dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=14))),
    dt.datetime(9999, 12, 31, 23, tzinfo=dt.timezone(dt.timedelta(hours=-12))),
    dt.date(2026, 5, 1),
    dt.time(9),
    pd.Timestamp("2026-05-01 09:00", tz="Asia/Shanghai"),
    pd.Timestamp("2026-05-01 09:00", tz="America/New_York"),
    np.datetime64("2026-05-01T09:00"),
    np.datetime64("294000-01-01", "us"),
    pd.Period("2026-05"),
    pd.Interval(0, 1),
]
DTYPES = [
    "object",
    "float64",
    "int64",
    "Int64",
    "bool",
    "boolean",
    "str",
    "string",
    "category",
    "datetime64[ns]",
]
COLUMNS = [(table.name, column.name) for table in TABLES.values() for column in table.columns]


@st.composite
def damaged(draw):
    """The village after some accidents."""
    tables = village()
    for name in draw(st.lists(st.sampled_from(sorted(set(TABLES) - set(tables))), max_size=2, unique=True)):
        width = len(TABLES[name].columns)
        cells = draw(st.lists(st.sampled_from(ODD), min_size=width, max_size=width))
        tables[name] = _frame({c.name: [v] for c, v in zip(TABLES[name].columns, cells, strict=True)})
    for _ in range(draw(st.integers(1, 4))):
        table, column = draw(st.sampled_from(COLUMNS))
        if table not in tables:
            continue
        frame = tables[table]
        n = len(frame)
        accident = draw(
            st.sampled_from(["cell", "cells", "gone", "rows", "twice", "empty", "dtype", "bare", "extra"])
        )
        if accident == "cell" and n:
            values = frame[column].tolist() if column in frame and frame.columns.is_unique else [None] * n
            values[draw(st.integers(0, n - 1))] = draw(st.sampled_from(ODD))
            tables[table] = _put(frame, column, values)
        elif accident == "cells":
            values = draw(st.lists(st.sampled_from(ODD), min_size=n, max_size=n))
            tables[table] = _put(frame, column, values)
        elif accident == "gone":
            tables[table] = frame.loc[:, [c for c in frame.columns if c != column]]
        elif accident == "rows" and n:
            tables[table] = frame.iloc[draw(st.lists(st.integers(0, n - 1), max_size=6))]
        elif accident == "twice" and column in frame:
            tables[table] = pd.concat([frame, frame[[column]]], axis=1)
        elif accident == "empty":
            tables[table] = frame.iloc[:0]
        elif accident == "bare":
            tables[table] = pd.DataFrame()
        elif accident == "extra":
            tables[table] = frame.assign(**{"": 1, "备注": "x"})
        elif accident == "dtype" and column in frame and frame.columns.is_unique:
            try:
                tables[table] = frame.assign(**{column: frame[column].astype(draw(st.sampled_from(DTYPES)))})
            except (TypeError, ValueError, OverflowError):
                continue
    return tables


def _column(values):
    cells = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        cells[i] = value
    return pd.Series(cells, dtype=object)


def _frame(columns):
    return pd.DataFrame({name: _column(values) for name, values in columns.items()})


def _put(frame, column, values):
    frame = frame.loc[:, ~frame.columns.duplicated()].reset_index(drop=True)
    return frame.assign(**{column: _column(values)})


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(damaged(), st.sampled_from(["raise", "drop"]))
def test_damaged_tables_make_a_problem_or_a_sentence(tables, on_error):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            problem = Problem.from_tables(tables, on_error=on_error)
        except InvalidTables as error:
            faults = error.violations
            assert len(faults)
            assert list(faults.columns) == ["table", "row", "column", "code", "message", "value"]
            assert faults["message"].str.len().between(5, 600).all()
            assert str(error)
            if on_error == "drop":
                assert (faults["row"] < 0).any()
            return
        except InvalidInput as error:
            assert str(error)
            return
        _is_sound(problem)
        assert len(problem.fingerprint) == 40
        assert set(problem.tables) <= set(TABLES)
        for name, frame in problem.tables.items():
            assert list(frame.columns) == [c.name for c in TABLES[name].columns]
        if on_error == "raise":
            assert len(problem.dropped) == 0


def _is_sound(problem):
    supply, demand = problem.supply, problem.demand
    assert (np.diff(supply.slot_provider) >= 0).all()
    assert (supply.slot_start < supply.slot_end).all()
    assert (supply.slot_start >= problem.horizon[0]).all()
    assert (supply.slot_end <= problem.horizon[1]).all()
    assert ((supply.home >= 0) | (np.arange(supply.n_providers) >= supply.n_volunteers)).all()
    assert (demand.latest - demand.earliest >= demand.minutes).all()
    assert (demand.community >= 0).all()
    assert demand.need_ptr[-1] == len(demand.need_skill)
    assert (demand.unmet_cost > 0).all()


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.sampled_from(
            [*ODD, [], [1], [{"a": 1}, 3], {"a": 1}, {"a": [1], "b": [1, 2]}, "abc", pd.Series([1])]
        ),
        st.dictionaries(
            st.sampled_from(["request_id", "community_id", 7, None]), st.lists(st.sampled_from(ODD))
        ),
    )
)
def test_whatever_stands_for_a_table_is_read_or_named(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            Problem.from_tables({**village(), "requests": value, "pins": None})
        except InvalidTables as error:
            assert set(error.violations["table"]) <= {"requests"}


@pytest.mark.parametrize("value", [None, [], 3, "communities", pd.DataFrame({"a": [1]})])
def test_what_is_no_mapping_of_tables_is_an_error_that_says_so(value):
    with pytest.raises(InvalidInput, match="tables must be a mapping of table names to tables"):
        Problem.from_tables(value)
