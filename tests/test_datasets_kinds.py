"""Limits and recurring requests that the generator lays on a day."""

import pandas as pd
import pytest

import govmatch as gm
from govmatch.datasets.limits import limits
from govmatch.datasets.recurrence import RHYTHMS, WEEKS, recurrence
from govmatch.datasets.rounds import VISITS, rounds


def test_some_of_each_have_a_limit():
    tables = gm.datasets.xishan(seed=1)
    found = limits(tables, 1)
    for name, column in (
        ("agreements", "quota_per_week"),
        ("communities", "away_per_week"),
        ("volunteers", "max_minutes_per_week"),
    ):
        stated = found[name][column].notna()
        assert 0 < stated.sum() < len(stated)
    again = limits(tables, 1)["volunteers"]["max_minutes_per_week"]
    assert found["volunteers"]["max_minutes_per_week"].equals(again)
    problem = gm.Problem.from_tables({**tables, **found})
    assert {"quotas", "away", "hours"} <= problem.features


@pytest.mark.parametrize(
    ("kinds", "features"),
    [
        (("teams", "goods"), {"teams", "goods"}),
        (("sessions",), {"sessions"}),
        (("teams", "bonds", "limits"), {"teams", "bonds", "quotas", "away", "hours"}),
        (("recurrence",), {"recurrence"}),
        (("recurrence", "limits"), {"recurrence", "quotas", "away", "hours"}),
        ((), set()),
    ],
)
def test_a_day_has_the_kinds_that_are_asked_for(kinds, features):
    tables = gm.datasets.xishan(seed=1, requests=120, coupled=0.2, kinds=kinds)
    problem = gm.Problem.from_tables(tables)
    assert problem.features - {"pins"} == features
    assert problem.synthetic


def test_unknown_kinds_are_refused():
    with pytest.raises(gm.InvalidInput, match="kinds is 'teams'; expected some of teams, sessions, goods"):
        gm.datasets.xishan(kinds="teams")
    with pytest.raises(gm.InvalidInput, match=r"kinds is \('team',\); expected some of"):
        gm.datasets.xishan(kinds=("team",))


# recurring requests


def recurring(seed=1, **more):
    return gm.datasets.xishan(seed=seed, coupled=0.1, kinds=["recurrence"], **more)


def test_a_share_of_the_requests_recurs_for_some_weeks():
    tables = recurring()
    visits = tables["visits"].set_index("request_id")
    assert len(visits) == 30
    asked = tables["requests"].set_index("request_id").loc[visits.index]
    assert set(asked["skill"]) <= {one.skill for one in RHYTHMS}
    assert (asked["people"] == 1).all()
    assert not visits.index.isin(tables["roles"]["request_id"]).any()
    assert set(visits["per_week"]) == {1, 2, 3}
    problem = gm.Problem.from_tables(tables)
    told = problem.visits
    assert len(told) == WEEKS * visits["per_week"].sum()
    days = told.groupby("request_id")["date"].apply(lambda dates: dates.sort_values().diff().min().days)
    assert (days >= 2).all()  # a free day between two
    assert problem.horizon[1] - problem.horizon[0] <= (7 * WEEKS + 1) * 1440
    assert problem.synthetic


def test_carers_are_free_again_and_one_person_never_twice_at_once():
    tables = recurring()
    free = tables["availability"].sort_values(["provider_id", "start"])
    first = free["start"].dt.normalize().min()
    later = free[free["start"].dt.normalize() > first]
    assert 0 < later["provider_id"].nunique() < free["provider_id"].nunique()
    assert set((later["start"].dt.normalize() - first).dt.days % 7) == {0, 2, 3, 4}
    same = free["provider_id"] == free["provider_id"].shift()
    assert (free["start"] >= free["end"].shift())[same].all()
    plain = gm.datasets.xishan(seed=1)["availability"]
    pd.testing.assert_frame_equal(tables["availability"].head(len(plain)), plain)


def test_some_of_those_visited_know_a_carer_who_could_come_again():
    tables = recurring()
    history = tables["history"]
    base = history["request_id"].str.split("@").str[0]
    assert base.is_unique
    assert 0 < len(history) < len(tables["visits"])
    asked = tables["requests"].set_index("request_id").loc[base]
    lives = tables["volunteers"].set_index("volunteer_id").loc[history["provider_id"], "community_id"]
    assert lives.tolist() == asked["community_id"].tolist()
    held = set(zip(tables["skills"]["provider_id"], tables["skills"]["skill"], strict=True))
    assert set(zip(history["provider_id"], asked["skill"], strict=True)) <= held
    assert len(gm.Problem.from_tables(tables).series.known_series) == len(history)


def test_the_same_seed_gives_the_same_visits():
    one, again, other = recurring(), recurring(), recurring(seed=2)
    for name in ("visits", "history", "availability"):
        pd.testing.assert_frame_equal(one[name], again[name])
    assert not one["visits"].equals(other["visits"])


def test_holidays_are_minded_where_they_are_known():
    around = recurring(day="2026-09-23")  # two days before the Mid-Autumn Festival
    told = gm.Problem.from_tables(around).visits["status"]
    assert {"made", "moved"} <= set(told)
    unknown = recurring(day="2150-05-20")
    assert "holidays" not in unknown
    assert set(unknown["visits"]["holiday"]) == {"keep"}
    assert set(gm.Problem.from_tables(unknown).visits["status"]) == {"made"}


def test_requests_of_other_kinds_do_not_recur():
    tables = gm.datasets.xishan(seed=1, coupled=0.3, kinds=["teams", "sessions", "goods", "recurrence"])
    recurs = set(tables["visits"]["request_id"])
    sat = tables["requests"].dropna(subset="resident_id")["request_id"]
    for others in (tables["roles"]["request_id"], tables["request_goods"]["request_id"], sat):
        assert not recurs & set(others)
    gm.Problem.from_tables(tables)


def test_nothing_recurs_where_nothing_is_asked_that_could():
    tables = gm.datasets.xishan(seed=1, requests=40)
    tables["requests"]["skill"] = None
    found = recurrence(tables, 1, 1.0)
    assert len(found["visits"]) == len(found["history"]) == 0
    assert len(found["availability"]) == len(tables["availability"])


def test_most_visits_are_made_by_few_faces():
    problem = gm.Problem.from_tables(recurring(requests=120, volunteers=9000))
    plan = gm.match(problem, time_limit=10)
    asked = int((problem.series.of >= 0).sum())
    assert plan.unmet["request_id"].str.contains("@").sum() < 0.2 * asked
    sent = plan.assignments[plan.assignments["request_id"].str.contains("@")]
    faces = sent.groupby(sent["request_id"].str.split("@").str[0])["provider_id"].nunique()
    assert faces.mean() < 2
    assert plan.certificate.gap < 0.2


def test_home_visits_are_made_in_rounds_by_carers():
    tables = gm.datasets.xishan(seed=1, requests=150, coupled=0.4, kinds=("rounds",))
    visits = tables["requests"]["category"].isin([visit.name for visit in VISITS])
    assert 40 < visits.sum() < 70
    carers = tables["volunteers"]["max_jobs_per_day"] == 10
    assert carers.sum() == -(-visits.sum() // 5)
    again = gm.datasets.xishan(seed=1, requests=150, coupled=0.4, kinds=("rounds",))
    for name, frame in tables.items():
        assert frame.equals(again[name])
    problem = gm.Problem.from_tables(tables, gm.Policy.from_text("[rounds]\non = true\n"))
    gm.match(problem, time_limit=0.5)  # compile
    plan = gm.match(problem, time_limit=5)
    assert plan.assignments["order"].max() > 1


def test_nobody_free_makes_no_carers():
    tables = gm.datasets.xishan(seed=1, requests=20, volunteers=0)
    tables["availability"] = tables["availability"].iloc[:0]
    assert rounds(tables, 1, 0.5) == {}
