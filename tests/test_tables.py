"""Reading tables: every accepted form, every kind of column, every fault of a cell."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from govmatch.errors import InvalidInput, InvalidTables
from govmatch.model.policy import Policy
from govmatch.model.problem import Problem
from govmatch.model.schema import TABLES
from govmatch.model.tables import normalise
from tests.small_tables import changed, village, with_rows


def faults(tables, code):
    """The faults with a code, as (table, row, column), and their messages."""
    found = normalise(tables)[1]
    of_code = found[found["code"] == code]
    places = list(zip(of_code["table"], of_code["row"], of_code["column"], strict=True))
    return places, of_code["message"].tolist(), found


def only(tables, code):
    """The one fault that the tables have: its place and message."""
    places, messages, found = faults(tables, code)
    assert len(found) == 1, found.to_string()
    assert len(places) == 1, found.to_string()
    return places[0], messages[0]


def test_the_village_is_clean():
    frames, violations, ignored = normalise(village())
    assert len(violations) == 0
    assert ignored == ()
    assert set(frames) == set(village())
    for name, frame in frames.items():
        assert list(frame.columns) == [c.name for c in TABLES[name].columns]
        assert isinstance(frame.index, pd.RangeIndex)


def test_canonical_dtypes_and_defaults():
    frames = normalise(village())[0]
    requests, volunteers = frames["requests"], frames["volunteers"]
    assert requests["request_id"].dtype == object
    assert requests["people"].tolist() == [1, 1, 1]
    assert requests["people"].dtype == np.int64
    assert requests["certified"].dtype == bool
    assert str(requests["earliest"].dtype) == "datetime64[us, Asia/Shanghai]"
    assert requests["earliest"][0] == pd.Timestamp("2026-05-01 09:00", tz="Asia/Shanghai")
    assert requests["earliest"].isna().tolist() == [False, False, True]
    assert requests["crs"].tolist() == ["wgs84"] * 3
    assert requests["group"].tolist() == ["elderly", None, None]
    assert str(volunteers["max_jobs_per_day"].dtype) == "Int64"
    assert volunteers["max_jobs_per_day"].tolist() == [1, pd.NA, pd.NA]
    assert volunteers["clearance"].tolist() == [0, 2, 0]
    assert volunteers["lat"].dtype == np.float64
    assert str(frames["skills"]["certified_until"].dtype) == "datetime64[us]"
    assert frames["skills"]["certified_until"][3] == pd.Timestamp("2026-12-31")


def polars():
    return pytest.importorskip("polars", reason="polars is optional; it comes with govmatch[dev]")


def pyarrow():
    return pytest.importorskip("pyarrow", reason="pyarrow is optional; it comes with govmatch[dev]")


def _texts(frame):
    """The columns of text: str since pandas 3, object before."""
    return [c for c in frame.columns if frame[c].dtype in ("str", object)]


def _polars(frame):
    return polars().DataFrame(
        {name: [None if pd.isna(v) else v for v in frame[name]] for name in frame.columns}
    )


FORMS = {
    "polars": _polars,
    "pyarrow": lambda frame: pyarrow().Table.from_pandas(frame, preserve_index=False),
    "dict of columns": lambda frame: {name: frame[name].tolist() for name in frame.columns},
    "dict of arrays": lambda frame: {name: frame[name].to_numpy() for name in frame.columns},
    "records": lambda frame: frame.to_dict("records"),
    "object columns": lambda frame: frame.astype(object),
    "categories": lambda frame: frame.astype(dict.fromkeys(_texts(frame), "category")),
    "arrow dtypes": lambda frame: pyarrow() and frame.convert_dtypes(dtype_backend="pyarrow"),
    "nullable dtypes": lambda frame: frame.convert_dtypes(),
    "python strings": lambda frame: frame.astype(
        {c: pd.StringDtype("python", na_value=np.nan) for c in frame.columns if frame[c].dtype == "str"}
    ),
    "odd index": lambda frame: frame.set_axis([7] * len(frame)),
    "reversed columns": lambda frame: frame[frame.columns[::-1]],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_table_says_the_same(form):
    expected = Problem.from_tables(village())
    found = Problem.from_tables({name: FORMS[form](frame) for name, frame in village().items()})
    assert found.fingerprint == expected.fingerprint
    for name, frame in expected.tables.items():
        pd.testing.assert_frame_equal(found.tables[name], frame)


def test_polars_without_pyarrow_says_the_same(monkeypatch):
    def without(self, **_):
        raise ModuleNotFoundError("pyarrow is not installed")

    monkeypatch.setattr(polars().DataFrame, "to_pandas", without)
    found = Problem.from_tables({name: _polars(frame) for name, frame in village().items()})
    assert found.fingerprint == Problem.from_tables(village()).fingerprint


def test_sparse_columns_and_odd_datetimes_are_read():
    tables = changed("requests", minutes=pd.arrays.SparseArray([60, 30, 45]))
    start = pd.Series(
        [dt.datetime(30_000 // 10, 1, 1), np.datetime64("90000-01-01", "s"), "2026-05-01"], dtype=object
    )
    tables["history"] = {"request_id": ["x"] * 3, "provider_id": ["V1"] * 3, "start": start}
    places, _, found = faults(tables, "out_of_range")
    assert places == [("history", 0, "start"), ("history", 1, "start")]
    assert len(found) == 2


def test_times_of_every_form_are_the_same_instant():
    shanghai = dt.timezone(dt.timedelta(hours=8))
    forms = [
        "2026-05-01 09:00",
        "2026/5/1 9:00",
        " 2026.05.01 09:00:00 ",
        "2026年5月1日 9时00分",
        "2026-05-01T09:00:00.000",
        dt.datetime(2026, 5, 1, 9),
        pd.Timestamp("2026-05-01 09:00"),
        np.datetime64("2026-05-01T09:00", "s"),
    ]
    aware = [
        "2026-05-01T01:00:00Z",
        "2026-05-01T09:00+08:00",
        "2026-05-01 03:00:00 +0200",
        "2026-04-30T20:30:00-04:30",
        "2026-05-01T09+08".replace("T09", "T09:00"),
        dt.datetime(2026, 5, 1, 9, tzinfo=shanghai),
        pd.Timestamp("2026-05-01 01:00", tz="UTC"),
        pd.Timestamp("2026-04-30 21:00", tz="America/New_York"),
    ]
    expected = pd.Timestamp("2026-05-01 09:00", tz="Asia/Shanghai")
    for cells in (forms, aware):
        history = {"request_id": ["x"] * len(cells), "provider_id": ["V1"] * len(cells), "start": cells}
        frames, violations, _ = normalise({**village(), "history": history})
        assert len(violations) == 0, violations.to_string()
        assert (frames["history"]["start"] == expected).all()
    for unit in ("s", "ms", "us", "ns"):
        column = pd.Series(pd.to_datetime(["2026-05-01 09:00"] * 3)).astype(f"datetime64[{unit}]")
        for start in (
            column,
            column.dt.tz_localize("Asia/Shanghai"),
            column.dt.tz_localize("Asia/Shanghai").dt.tz_convert("UTC"),
        ):
            frames = normalise(
                {**village(), "history": {"request_id": ["x"] * 3, "provider_id": ["V1"] * 3, "start": start}}
            )[0]
            assert (frames["history"]["start"] == expected).all()


def test_dates_lose_their_time_of_day_in_the_policys_zone():
    until = ["2026-12-31", "2026-12-30T23:30:00Z", None, "9999-12-31"]
    places, messages, found = faults(changed("skills", certified_until=until), "mixed_zones")
    assert [place[1] for place in places] == [0, 3]
    assert "has no zone in a column that elsewhere names one" in messages[0]
    assert len(found) == 2
    until = [dt.date(2026, 12, 31), np.datetime64("2026-12-31"), pd.NaT, dt.datetime(9999, 12, 31, 23)]
    frames, violations, _ = normalise(changed("skills", certified_until=until))
    assert len(violations) == 0, violations.to_string()
    days = ["2026-12-31", "2026-12-31", "9999-12-31"]
    assert frames["skills"]["certified_until"].dropna().astype(str).str[:10].tolist() == days


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([330481001009, 2, 3], ["330481001009", "2", "3"]),
        ([330481001009.0, 2.0, 3.0], ["330481001009", "2", "3"]),
        (["330481001009", 2, Decimal(3)], ["330481001009", "2", "3"]),
        (pd.array([330481001009, 2, 3], dtype="Int64"), ["330481001009", "2", "3"]),
    ],
)
def test_numbers_as_ids_become_decimal_texts(ids, expected):
    frames, violations, _ = normalise({**changed("requests", request_id=ids), "pins": None})
    assert len(violations) == 0
    assert frames["requests"]["request_id"].tolist() == expected


@pytest.mark.parametrize("value", [2.5, True, 2.0**60, [1], b"R1", dt.date(2026, 5, 1), object()])
def test_what_is_no_id_is_reported(value):
    place, message = only({**changed("requests", request_id=["R1", value, "R3"])}, "not_an_id")
    assert place == ("requests", 1, "request_id")
    assert "expected an id: a text, or a whole number that has kept all its digits; found" in message


def test_truth_in_every_spelling():
    yes, no = ["true", "1", "YES", "是", 1, True, 1.0, "T"], ["false", "0", "no", "否", 0, False, 0.0, None]
    goods = {"owner_id": ["C1"] * 16, "good": list("abcdefghijklmnop"), "amount": [1] * 16, "lent": yes + no}
    frames, violations, _ = normalise({**village(), "goods": goods})
    assert len(violations) == 0, violations.to_string()
    assert frames["goods"]["lent"].tolist() == [True] * 8 + [False] * 8


@pytest.mark.parametrize("value", [2, "maybe", "10", [True], 0.5, Decimal(1)])
def test_what_is_neither_true_nor_false_is_reported(value):
    cells = pd.Series([True, value, False], dtype=object)
    place, message = only(changed("requests", certified=cells), "not_a_bool")
    assert place == ("requests", 1, "certified")
    assert "expected true or false" in message


@pytest.mark.parametrize(
    ("table", "column", "value", "code", "words"),
    [
        ("requests", "people", "two", "not_an_integer", r"a whole number from 1 to 1,000; found 'two'"),
        ("requests", "people", 1.5, "not_an_integer", "found 1.5"),
        ("requests", "people", True, "not_an_integer", "found True"),
        ("requests", "people", 0, "out_of_range", "from 1 to 1,000; found 0"),
        ("requests", "people", -3, "out_of_range", "found -3"),
        ("requests", "people", 10**30, "out_of_range", "found 1000000"),
        ("requests", "people", Decimal("1e400"), "not_finite", r"found 1E\+400"),
        ("requests", "people", "99999999999999999999", "out_of_range", "found '9999"),
        ("requests", "people", "inf", "not_finite", "found 'inf'"),
        ("requests", "people", "nan", "not_an_integer", "found 'nan'"),
        ("requests", "people", "1_0", "not_an_integer", "found '1_0'"),
        ("requests", "people", 2 + 0j, "not_an_integer", "found"),
        ("requests", "people", dt.date(2026, 5, 1), "not_an_integer", "found 2026-05-01"),
        (
            "volunteers",
            "max_travel_minutes",
            float("inf"),
            "not_finite",
            "a number from 0 to 1,440; found inf",
        ),
        ("volunteers", "max_travel_minutes", "far", "not_a_number", "found 'far'"),
        ("volunteers", "max_travel_minutes", -1, "out_of_range", "found -1"),
        ("volunteers", "mode", "boat", "not_a_choice", "one of walk, ebike, car; found 'boat'"),
        (
            "volunteers",
            "preset",
            "sometimes",
            "unknown_preset",
            "the policy has no preset 'sometimes'; it has always",
        ),
        ("requests", "earliest", "tomorrow", "not_a_time", "such as 2026-05-01 09:00; found 'tomorrow'"),
        ("requests", "earliest", "2026-02-30", "not_a_time", "found '2026-02-30'"),
        ("requests", "earliest", 45_000, "not_a_time", "found 45000"),
        ("requests", "earliest", "1850-01-01", "out_of_range", "in the years 1900 to 2199"),
        ("requests", "earliest", "9999-12-31", "out_of_range", "in the years 1900 to 2199"),
        (
            "skills",
            "certified_until",
            "9" * 70,
            "not_a_time",
            r"a date such as 2026-05-01; found '9+… \(72 char",
        ),
        ("requests", "category", "half \ud800", "not_encodable", "text that UTF-8 can hold"),
        ("requests", "request_id", "half \ud800", "not_encodable", "text that UTF-8 can hold"),
        ("requests", "category", "x" * 10_001, "too_long", "at most 10,000 characters"),
        ("requests", "category", ["x"], "not_a_text", r"expected a text; found \['x'\]"),
        ("requests", "skill", "x" * 201, "too_long", "at most 200 characters"),
        ("requests", "community_id", None, "null", "a value is required: where"),
        ("requests", "community_id", "", "null", "a value is required: where"),
        ("requests", "community_id", "C9", "unknown_reference", "'C9' is not in communities"),
        ("requests", "resident_id", "P9", "unknown_reference", "'P9' is not in residents"),
        (
            "availability",
            "provider_id",
            "C1",
            "unknown_reference",
            "'C1' is not in volunteers or organizations",
        ),
    ],
)
def test_a_bad_cell_is_named(table, column, value, code, words):
    tables = village()
    values = tables[table][column].tolist() if column in tables[table] else [None] * len(tables[table])
    if column == "people":
        values = [1] * len(values)
    cells = np.empty(len(values), dtype=object)
    cells[:] = values
    cells[1] = value
    tables[table] = tables[table].assign(**{column: pd.Series(cells, dtype=object)})
    place, _ = only(tables, code)
    assert place == (table, 1, column)
    with pytest.raises(InvalidTables, match=words):
        Problem.from_tables(tables)


def test_a_number_that_python_will_not_print_is_named_all_the_same():
    people = pd.Series([1, 10**5000, 1], dtype=object)
    place, message = only(changed("requests", people=people), "not_finite")
    assert place == ("requests", 1, "people")
    assert message.endswith("found a very large int")


def test_an_id_that_is_too_long_is_named():
    places, messages, _ = faults(changed("requests", request_id=["R1", "R" * 201, "R3"]), "too_long")
    assert places == [("requests", 1, "request_id")]
    assert messages[0] == "expected at most 200 characters; found '" + "R" * 59 + "… (203 characters)"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_local_times_that_the_clock_skips_or_repeats_are_faults(zone):
    spring = {"Europe/Berlin": "2026-03-29", "America/New_York": "2026-03-08"}[zone]
    autumn = {"Europe/Berlin": "2026-10-25", "America/New_York": "2026-11-01"}[zone]
    twice = "01:30" if zone == "America/New_York" else "02:30"
    start = [f"{spring} 02:30", f"{autumn} {twice}", f"{spring} 03:30", f"{autumn} 03:30", f"{autumn} 00:30"]
    history = {"request_id": ["x"] * 5, "provider_id": ["V1"] * 5, "start": start}
    frames, violations, _ = normalise({**village(), "history": history}, Policy(time_zone=zone))
    assert violations["code"].tolist() == ["no_such_local_time"] * 2
    assert violations["row"].tolist() == [0, 1]
    assert f"the clocks of {zone} skip '{spring} 02:30' or show it twice" in violations["message"][0]
    expected = pd.DatetimeIndex(start[2:]).tz_localize(zone)
    assert frames["history"]["start"][2:].tolist() == expected.tolist()


def test_faults_of_whole_tables_and_columns():
    tables = village()
    tables["voluteers"] = tables.pop("volunteers")
    tables["skills"] = 3
    tables["pins"] = tables["pins"].drop(columns="provider_id")
    tables["about"] = pd.concat([tables["about"], tables["about"]], axis=1)
    del tables["communities"]
    tables[7] = tables["about"]
    found = normalise(tables)[1]
    whole = found[found["row"] == -1].set_index("code")
    assert whole.loc["unknown_table", "table"].tolist() == ["voluteers", "7"]
    assert (
        "there is no such table; did you mean volunteers?" in whole.loc["unknown_table", "message"].tolist()
    )
    assert whole.loc["not_a_table", "table"] == "skills"
    assert "expected a pandas or polars DataFrame, a pyarrow Table" in whole.loc["not_a_table", "message"]
    assert whole.loc["missing_table", "table"] == "communities"
    assert whole.loc["missing_column", "column"] == "provider_id"
    assert (
        whole.loc["duplicate_column", "message"].tolist() == ["the column stands 2 times; expected once"] * 2
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"request_id": [1, 2], "community_id": ["C1"]}, "found columns of different lengths: 1, 2"),
        ({"request_id": "R1"}, "a column must be a sequence; found 'R1'"),
        ([{"request_id": "R1"}, 3], "a list that holds something else than dict records"),
        ("requests.csv", "found str"),
        (lambda: polars().LazyFrame({"request_id": ["R1"]}), "found LazyFrame"),
    ],
)
def test_what_is_no_table_is_named(value, words):
    value = value() if callable(value) else value
    place, message = only({**village(), "requests": value, "pins": None}, "not_a_table")
    assert place == ("requests", -1, "")
    assert words in message


def test_unknown_columns_are_ignored_and_listed():
    tables = changed("requests", remark="x")
    tables["about"] = tables["about"].assign(**{"备注": 1})
    problem = Problem.from_tables(tables)
    assert problem.ignored == ("requests.remark", "about.备注")
    assert problem.fingerprint == Problem.from_tables(village()).fingerprint


@pytest.mark.parametrize(
    ("table", "slip", "near"),
    [
        ("requests", "clearence", "clearance"),
        ("requests", "certifed", "certified"),
        ("requests", "Priority", "priority"),
        ("roles", "skil", "skill"),
        ("volunteers", "max_job_per_day", "max_jobs_per_day"),
        ("volunteers", "max jobs per week", "max_jobs_per_week"),
        ("organizations", "capacity_per_slots", "capacity_per_slot"),
    ],
)
def test_a_column_that_is_nearly_one_of_the_schema_is_a_fault(table, slip, near):
    tables = village()
    frame = tables.get(table, pd.DataFrame({"request_id": ["R2"], "skill": ["repair"]}))
    tables[table] = frame.drop(columns=near, errors="ignore").assign(**{slip: 1})
    found = normalise(tables)[1].set_index("code")
    assert found.loc["misspelt_column", ["table", "row", "column"]].tolist() == [table, -1, slip]
    message = found.loc["misspelt_column", "message"]
    assert message == (
        f"{table} has no column {slip!r}; did you mean {near}? Rename the column or leave it out"
    )
    with pytest.raises(InvalidTables, match=f"did you mean {near}"):
        Problem.from_tables(tables, on_error="drop")


def test_words_of_their_own_and_columns_beside_the_one_they_resemble_are_no_slips():
    tables = changed("volunteers", community="West", household_id="H", latitude=30.5)
    tables["communities"] = tables["communities"].assign(place="near the lake")
    problem = Problem.from_tables(tables)
    assert problem.ignored == (
        "communities.place",
        "volunteers.community",
        "volunteers.household_id",
        "volunteers.latitude",
    )


def test_the_nearest_table_is_named_whatever_its_case():
    tables = {**village(), "SKILL": village()["skills"]}
    _, message = only(tables, "unknown_table")
    assert message == "there is no such table; did you mean skills?"


def test_every_fault_is_collected_and_five_are_shown():
    tables = with_rows("requests", *[{"request_id": f"X{i}", "community_id": f"C{i}"} for i in range(10, 17)])
    tables["volunteers"] = tables["volunteers"].assign(mode=["boat", "ski", None])
    with pytest.raises(InvalidTables, match=r"… and 4 more; see `\.violations`") as caught:
        Problem.from_tables(tables)
    assert caught.value.violations["code"].tolist() == ["not_a_choice"] * 2 + ["unknown_reference"] * 7


def test_tables_must_be_a_mapping():
    with pytest.raises(InvalidInput, match="tables must be a mapping of table names to tables"):
        normalise([village()])


def test_tables_as_given_are_left_alone():
    tables = village()
    before = {name: frame.copy(deep=True) for name, frame in tables.items()}
    Problem.from_tables(tables)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(tables[name], frame)


def test_later_changes_of_the_given_tables_do_not_reach_the_problem():
    tables = {name: frame.astype(object) for name, frame in village().items()}
    problem = Problem.from_tables(tables)
    for frame in tables.values():
        frame.iloc[:, 0] = "changed"
    assert problem.tables["requests"]["request_id"].tolist() == ["R1", "R2", "R3"]
    assert problem.fingerprint == Problem.from_tables(village()).fingerprint
