"""Limits that the generator lays on a day."""

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
