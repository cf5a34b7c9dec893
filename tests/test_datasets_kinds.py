"""Limits that the generator lays on a day."""

import pytest

import govmatch as gm
from govmatch.datasets.limits import limits
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
