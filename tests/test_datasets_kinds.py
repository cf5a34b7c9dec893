"""Limits that the generator lays on a day."""

import pytest

import govmatch as gm
from govmatch.datasets.limits import limits


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
