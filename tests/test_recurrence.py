"""Rows of `visits` as dated visits: weekdays, windows, clocks that change, holidays, the horizon, faults."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import govmatch as gm
from govmatch.model.policy import Recurrence
from govmatch.model.recurrence import least_between, spread, weekdays_of
from govmatch.plan.verify_demand import read_requests

HORIZON = ("2026-05-01", "2026-06-01")


def town(visits=None, requests=None, **more):
    """One request R of Monday 2026-05-04, 09:00 to 11:00, and who might come."""
    requests = requests or {"earliest": ["2026-05-04 09:00"], "latest": ["2026-05-04 11:00"]}
    n = len(next(iter(requests.values())))
    ids = requests.pop("request_id", ["R", "S", "T"][:n])
    return {
        "communities": pd.DataFrame({"community_id": ["C"]}),
        "volunteers": pd.DataFrame({"volunteer_id": ["V"], "community_id": ["C"]}),
        "requests": pd.DataFrame({"request_id": ids, "community_id": "C", **requests}),
        **({} if visits is None else {"visits": pd.DataFrame({"request_id": ["R"], **visits})}),
        **{name: pd.DataFrame(table) for name, table in more.items()},
    }


def problem_of(tables, horizon=HORIZON, zone="Asia/Shanghai", **policy):
    policy = replace(gm.Policy(), time_zone=zone, **policy)
    problem = gm.Problem.from_tables(tables, policy=policy, horizon=horizon)
    read = read_requests(problem)  # the verifier's own reading
    asked = ~read.linked
    assert read.ids.values[asked].tolist() == problem.demand.request_id.tolist()
    np.testing.assert_array_equal(read.earliest[asked], problem.demand.earliest)
    np.testing.assert_array_equal(read.latest[asked], problem.demand.latest)
    return problem


def dates(problem):
    return [name.partition("@")[2][5:] for name in problem.demand.request_id.tolist()]


def clock(problem, column="earliest"):
    minutes = getattr(problem.demand, column)
    times = pd.to_datetime(minutes * 60, unit="s", utc=True).tz_convert(problem.policy.time_zone)
    return times.strftime("%m-%d %H:%M").tolist()


def faults(tables, horizon=HORIZON, **policy):
    with pytest.raises(gm.InvalidTables) as caught:
        problem_of(tables, horizon, **policy)
    found = caught.value.violations
    return list(zip(found["table"], found["column"], found["code"], found["message"], strict=True))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("tue", (1,)),
        ("Mon, thu", (0, 3)),
        ("周一、周四", (0, 3)),
        ("星期天 saturday", (5, 6)),
        ("0;6", (0, 6)),
        ("mon,mon", None),
        ("someday", None),
        (" , ", None),
    ],
)
def test_weekdays_are_read_from_text(text, days):
    assert weekdays_of(text) == days


@pytest.mark.parametrize("n", range(1, 8))
@pytest.mark.parametrize("first", range(7))
def test_spread_days_lie_as_far_apart_as_can_be(first, n):
    days = spread(first, n)
    assert days[0] == first
    assert len(set(days)) == n
    assert least_between(days) == 7 // n - 1


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ({"weeks": [2]}, ["05-04", "05-11"]),
        ({"weekdays": ["tue"], "weeks": [2]}, ["05-05", "05-12"]),
        ({"weekdays": ["sun,mon"], "weeks": [1]}, ["05-04", "05-10"]),
        ({"per_week": [2], "days_between": [1]}, ["05-04", "05-07"]),
        ({"per_week": [3], "days_between": [1]}, ["05-04", "05-06", "05-08"]),
        ({"per_week": [7]}, [f"05-{day:02d}" for day in range(4, 11)]),
        ({"start": ["2026-05-13"], "weeks": [2]}, ["05-13", "05-20"]),
        ({"start": ["2026-04-01"], "weekdays": ["fri"], "weeks": [6]}, ["05-01", "05-08"]),
        ({"start": ["2026-05-28"], "per_week": [2], "weeks": [8]}, ["05-28", "05-31"]),
    ],
)
def test_dates_of_a_series(visits, expected):
    problem = problem_of(town(visits))
    assert dates(problem) == expected
    assert set(clock(problem)) == {f"{day} 09:00" for day in expected}
    assert set(clock(problem, "latest")) == {f"{day} 11:00" for day in expected}
    assert problem.features == {"recurrence"}
    assert problem.series.of.tolist() == [0] * len(expected)


@pytest.mark.parametrize(
    ("window", "opens", "closes"),
    [
        ({"earliest": [None], "latest": [None]}, "05-01 00:00", "05-02 00:00"),
        ({"earliest": ["2026-05-04 22:00"], "latest": [None]}, "05-04 22:00", "05-05 00:00"),
        ({"earliest": [None], "latest": ["2026-05-04 08:00"]}, "05-04 00:00", "05-04 08:00"),
        (
            {"earliest": ["2026-05-04 22:00"], "latest": ["2026-05-05 06:00"]},
            "05-04 22:00",
            "05-05 06:00",
        ),
        (
            {"earliest": ["2026-05-04 08:59:30"], "latest": ["2026-05-04 11:00:30"]},
            "05-04 09:00",
            "05-04 11:00",
        ),
    ],
)
def test_what_a_window_leaves_open_is_the_days(window, opens, closes):
    problem = problem_of(town({"weeks": [2]}, window))
    assert clock(problem)[0] == opens
    assert clock(problem, "latest")[0] == closes
    assert len(clock(problem)) == 2


def test_visits_keep_the_time_of_day_when_the_clock_changes():
    window = {"earliest": ["2026-03-22 02:30"], "latest": ["2026-03-22 05:00"]}
    tables = town({"weeks": [3]}, window)
    problem = problem_of(tables, ("2026-03-20", "2026-04-30"), "Europe/Berlin")
    # on 29 March the clock goes from 02:00 to 03:00
    assert clock(problem) == ["03-22 02:30", "03-29 03:30", "04-05 02:30"]
    assert clock(problem, "latest") == ["03-22 05:00", "03-29 05:00", "04-05 05:00"]
    assert np.diff(problem.demand.earliest).tolist() == [7 * 1440, 7 * 1440 - 60]
    autumn = town({"weeks": [2]}, {"earliest": ["2026-10-18 02:30"], "latest": ["2026-10-18 05:00"]})
    twice = problem_of(autumn, ("2026-10-01", "2026-11-30"), "Europe/Berlin")
    assert np.diff(twice.demand.earliest).tolist() == [7 * 1440]  # the first of the two 02:30
    assert np.diff(twice.demand.latest).tolist() == [7 * 1440 + 60]


def test_a_horizon_without_one_covers_the_recurrence():
    problem = problem_of(town({"weeks": [5]}), None)
    bounds = pd.to_datetime(np.array(problem.horizon) * 60, unit="s", utc=True).tz_convert("Asia/Shanghai")
    assert bounds.strftime("%m-%d").tolist() == ["05-04", "06-02"]
    assert dates(problem)[-1] == "06-01"
    years = problem_of(town({"weeks": [104]}), None)
    assert len(years.demand.request_id) == 104


def test_a_visit_that_the_horizon_cuts():
    tables = town({"weeks": [3]})
    assert dates(problem_of(tables, ("2026-05-04 09:30", "2026-05-18 10:30"))) == ["05-11", "05-18"]
    cut = problem_of(tables, ("2026-05-04 09:30", "2026-05-18 10:30"))
    assert clock(cut, "latest")[-1] == "05-18 10:30"
    assert dates(problem_of(tables, ("2026-05-04 09:30", "2026-05-18 09:59"))) == ["05-11"]


MAY = {"date": ["2026-05-04", "2026-05-05", "2026-05-09"], "kind": ["holiday", "holiday", "workday"]}


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ({"holiday": ["keep"], "weeks": [2]}, ["05-04", "05-11"]),
        ({"holiday": ["skip"], "weeks": [2]}, ["05-11"]),
        ({"holiday": ["move"], "weeks": [2]}, ["05-06", "05-11"]),
        ({"weeks": [2]}, ["05-06", "05-11"]),  # the policy's
        ({"holiday": ["move"], "weekdays": ["mon,wed,thu"]}, ["05-06", "05-07", "05-08"]),
        ({"holiday": ["move"], "weekdays": ["mon,tue,wed,thu,fri"]}, [*[f"05-{d:02}" for d in (6, 7, 8, 9)]]),
        ({"holiday": ["move"], "weekdays": ["mon,thu"], "days_between": [1]}, ["05-07", "05-09"]),
        ({"holiday": ["move"], "weekdays": ["mon,thu"], "days_between": [2]}, ["05-07"]),
        ({"holiday": ["move"], "weekdays": ["mon,sun"]}, ["05-06", "05-10"]),
    ],
)
def test_holidays_skip_or_move(visits, expected):
    problem = problem_of(town(visits, holidays=MAY), recurrence=Recurrence("move"))
    assert dates(problem) == expected


def test_what_became_of_each_visit_is_told():
    problem = problem_of(
        town({"weekdays": ["mon,tue,wed,thu,fri"], "weeks": [5], "holiday": ["move"]}, holidays=MAY),
        ("2026-05-01", "2026-05-12"),
    )
    told = problem.visits
    assert told.columns.tolist() == ["visit_id", "request_id", "planned", "date", "status", "status_zh"]
    assert told["status"].tolist()[:6] == ["moved", "skipped", "made", "made", "made", "made"]
    assert set(told["status"].iloc[6:]) == {"outside"}
    assert told["visit_id"].iloc[0] == "R@2026-05-09"
    assert told["planned"].iloc[0] == pd.Timestamp("2026-05-04")
    assert told["visit_id"].iloc[1] is None
    assert told["status_zh"].iloc[1] == "跳过"
    assert problem_of(town()).visits.empty


def test_chinese_holidays():
    days = gm.datasets.chinese_holidays(2025, 2026)
    kinds = days.set_index("date")["kind"]
    assert kinds[pd.Timestamp("2026-10-01")] == "holiday"
    assert kinds[pd.Timestamp("2026-02-14")] == "workday"
    assert days.set_index("date")["name"][pd.Timestamp("2026-05-01")] == "劳动节"
    with pytest.raises(gm.InvalidInput, match=r"years: found 1999; expected years from 2004 to 20\d\d"):
        gm.datasets.chinese_holidays(1999)
    with pytest.raises(gm.InvalidInput, match="years: found no year; expected"):
        gm.datasets.chinese_holidays()
    problem = problem_of(
        town({"weeks": [2], "holiday": ["move"]}, holidays=days), ("2026-05-01", "2026-05-31")
    )
    assert dates(problem) == ["05-06", "05-11"]  # 4 and 5 May are off, 9 May is worked


@pytest.mark.parametrize(
    ("visits", "more", "column", "code", "words"),
    [
        ({"weekdays": ["someday"]}, {}, "weekdays", "unknown_weekday", "found 'someday'; expected different"),
        ({"weekdays": ["mon"], "per_week": [2]}, {}, "per_week", "count_conflict", "2 visits a week, and"),
        (
            {"weekdays": ["mon,tue"], "days_between": [1]},
            {},
            "days_between",
            "gap_conflict",
            "more free days are asked for than lie between the visits ('mon,tue, 2 a week, 0 days')",
        ),
        ({"per_week": [4], "days_between": [1]}, {}, "days_between", "gap_conflict", "'4 a week, 0 days'"),
        ({"weekdays": ["sun,mon"], "days_between": [1]}, {}, "days_between", "gap_conflict", "0 days"),
        (
            {"holiday": ["move"]},
            {},
            "holiday",
            "no_holidays",
            "the table holidays lists none of 2026; expected that year's, such as gm.datasets",
        ),
        ({"faces": [1]}, {"people": [2]}, "faces", "count_conflict", "at most 1 different people, and more"),
        (
            {"start": ["2026-07-01"]},
            {},
            "request_id",
            "never_in_horizon",
            "no visit of 'R' falls into the horizon, 2026-05-01 00:00:00+08:00 to 2026-06-01 00:00:00+08:00",
        ),
        (
            {"holiday": ["skip"], "weekdays": ["fri"]},
            {"holidays": {"date": ["2026-05-08"]}},
            "request_id",
            "never_in_horizon",
            "after holidays; expected another start, weekdays, weeks or horizon",
        ),
    ],
)
def test_faults_of_a_recurrence_are_named(visits, more, column, code, words):
    tables = {name: table for name, table in more.items() if name == "holidays"}
    request = {"earliest": ["2026-05-04 09:00"], "latest": ["2026-05-04 11:00"]}
    request |= {name: cells for name, cells in more.items() if name != "holidays"}
    found = faults(town(visits, request, **tables))
    assert [fault[:3] for fault in found] == [("visits", column, code)]
    assert words in found[0][3]


def test_faults_that_lie_between_requests():
    linked = town({"weeks": [2]}, {"request_id": ["R", "S"], "duplicate_of": ["S", None]})
    assert faults(linked)[0][2] == "linked_request"
    assert "expected visits of the request that it duplicates" in faults(linked)[0][3]
    taken = town({"weeks": [2]}, {"request_id": ["R", "R@2026-05-11"], "minutes": [60, 60]})
    found = faults(taken)
    assert found[0][:3] == ("requests", "request_id", "reserved_text")
    assert found[0][3].startswith("'R@2026-05-11' reads as a dated visit of a request that recurs")
    fine = town({"weeks": [2]}, {"request_id": ["R", "S@2026-05-11"], "minutes": [60, 60]})
    assert len(problem_of(fine).demand.request_id) == 3
    short = town({"weeks": [2]}, {"earliest": ["2026-05-04 23:30"], "latest": [None], "minutes": [60]})
    assert faults(short)[0][2] == "window_too_short"


def test_a_series_that_began_before_the_horizon_goes_on():
    tables = town({"weeks": [20]}, {"earliest": ["2026-03-02 09:00"], "latest": ["2026-03-02 11:00"]})
    assert dates(problem_of(tables)) == ["05-04", "05-11", "05-18", "05-25"]


def test_a_recurring_request_goes_with_its_faulty_row():
    tables = town({"weekdays": ["x"]}, {"request_id": ["R", "S"], "minutes": [60, 60]})
    problem = gm.Problem.from_tables(tables, horizon=HORIZON, on_error="drop")
    assert problem.demand.request_id.tolist() == ["S"]


def test_pins_roles_and_teams_hold_for_every_visit():
    tables = town(
        {"weeks": [2]},
        {"request_id": ["S", "R"], "minutes": [60, 60]},
        pins={"request_id": ["R"], "provider_id": ["V"], "action": ["forbid"]},
        roles={
            "request_id": ["R", "R"],
            "role": ["a", "b"],
            "skill": ["x", "y"],
            "after": [None, "a"],
            "after_least": [0, 5],
        },
    )
    problem = gm.Problem.from_tables(tables, horizon=HORIZON)
    assert problem.demand.request_id.tolist() == ["S", "R@2026-05-01", "R@2026-05-08"]
    assert problem.demand.forbid_request.tolist() == [1, 2]
    assert problem.demand.need_ptr.tolist() == [0, 0, 2, 4]
    assert problem.teams.request.tolist() == [1, 1, 2, 2]
    assert problem.teams.after.tolist() == [-1, 0, -1, 2]
    assert problem.teams.need_ptr.tolist() == [0, 1, 2, 3, 4]
    assert problem.features == {"recurrence", "teams"}


@settings(max_examples=150, deadline=None)
@given(
    days=st.sets(st.integers(0, 6), min_size=1),
    weeks=st.integers(1, 12),
    start=st.integers(-40, 40),
    opens=st.integers(0, 1439),
    length=st.integers(60, 3000),
    rule=st.sampled_from(["keep", "skip", "move"]),
    off=st.sets(st.integers(-60, 200), max_size=30),
    between=st.integers(0, 6),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC"]),
)
def test_the_library_and_the_verifier_read_the_same(
    days, weeks, start, opens, length, rule, off, between, zone
):
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    origin = pd.Timestamp("2026-03-20")
    begin = origin + pd.Timedelta(days=start, minutes=opens)
    end = begin + pd.Timedelta(minutes=length)
    listed = [str((origin + pd.Timedelta(days=d)).date()) for d in sorted(off)] + ["2025-06-15", "2026-12-24"]
    tables = town(
        {
            "weekdays": [",".join(names[day] for day in days)],
            "weeks": [weeks],
            "holiday": [rule],
            "days_between": [min(between, least_between(tuple(days)))],
        },
        {"earliest": [begin.isoformat()], "latest": [end.isoformat()]},
        holidays={"date": listed},
    )
    try:
        problem = problem_of(tables, ("2026-01-01", "2026-12-31"), zone)
    except gm.InvalidTables as error:
        # the first time itself may be one that the clock skips, or every visit fall away
        assert set(error.violations["code"]) <= {"never_in_horizon", "ambiguous_time", "window_too_short"}, (
            error
        )
        return
    found = pd.to_datetime([name.partition("@")[2] for name in problem.demand.request_id])
    assert found.is_unique
    assert (np.diff(found.to_numpy()).astype("timedelta64[D]").astype(int) > 0).all()
