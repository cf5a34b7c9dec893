"""Synthetic limits beside capacities: quotas of agreements, work away from home, hours of a week."""

from __future__ import annotations

import pandas as pd

from govmatch.datasets.columns import generator

_PART = 11


def limits(tables: dict[str, pd.DataFrame], seed: int) -> dict[str, pd.DataFrame]:
    """Return the tables that get limits: agreements, communities and volunteers, some of each without one."""
    rng = generator(seed, _PART)

    def some(n: int, share: float, values: list[int]) -> pd.Series:
        picked = pd.Series(pd.array(rng.choice(values, n), dtype="Int64"))
        picked[rng.random(n) >= share] = pd.NA
        return picked

    agreements, communities = tables["agreements"], tables["communities"]
    volunteers = tables["volunteers"]
    return {
        "agreements": agreements.assign(
            quota_per_week=some(len(agreements), 0.3, [5, 10, 20]).set_axis(agreements.index)
        ),
        "communities": communities.assign(
            away_per_week=some(len(communities), 0.5, [10, 20, 40]).set_axis(communities.index)
        ),
        "volunteers": volunteers.assign(
            max_minutes_per_week=some(len(volunteers), 0.1, [60, 120, 240]).set_axis(volunteers.index)
        ),
    }
