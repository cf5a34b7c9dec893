"""Weeks of company for elders, with carers who are regularly free and now and then away. Synthetic people."""

from __future__ import annotations

import numpy as np
import pandas as pd

MONDAY = pd.Timestamp("2026-05-11")  # no public holiday in the eight weeks but the Dragon Boat Festival
HALVES = (("08:00", "12:00"), ("13:00", "17:00"))
WINDOWS = (*HALVES, ("08:00", "17:00"))
COMMUNITIES = 20


def tables(elders: int, carers: int, weeks: int, seed: int) -> dict[str, pd.DataFrame]:
    """Make one town.

    Every elder is visited weekly for an hour, on a workday of their own, in a morning, an afternoon or
    either. A carer is free on four of five half-days, the same ones each week, takes two jobs a day and eight
    a week, and is away in one week of ten.
    """
    rng = np.random.default_rng(seed)
    names = np.array([f"C{i:02d}" for i in range(COMMUNITIES)])
    lat, lon = 30.4 + 0.1 * rng.random(COMMUNITIES), 120.6 + 0.15 * rng.random(COMMUNITIES)

    def places(n: int) -> dict[str, object]:
        at = rng.integers(0, COMMUNITIES, n)
        near = rng.normal(scale=0.01, size=(2, n))
        return {"community_id": names[at], "lat": lat[at] + near[0], "lon": lon[at] + near[1]}

    people = [f"V{i:04d}" for i in range(carers)]
    usual = rng.random((carers, 10)) < 0.8
    here = rng.random((carers, weeks)) >= 0.1
    who, week, half = np.nonzero(usual[:, None, :] & here[:, :, None])
    dates = (MONDAY + pd.to_timedelta(7 * week + half // 2, unit="D")).strftime("%Y-%m-%d ")
    opens, closes = (np.array([hours[i] for hours in HALVES])[half % 2] for i in (0, 1))
    day = MONDAY + pd.to_timedelta(rng.integers(0, 5, elders), unit="D")
    part = rng.integers(0, len(WINDOWS), elders)
    first, last = (np.array([hours[i] for hours in WINDOWS])[part] for i in (0, 1))
    pairs = [(a, b) for b in range(COMMUNITIES) for a in range(b)]
    return {
        "communities": pd.DataFrame({"community_id": names, "lat": lat, "lon": lon}),
        "agreements": pd.DataFrame(
            {
                "agreement_id": [f"A{i}" for i in range(len(pairs))],
                "from_id": [names[a] for a, _ in pairs],
                "to_id": [names[b] for _, b in pairs],
                "kind": "federation",
            }
        ),
        "volunteers": pd.DataFrame(
            {"volunteer_id": people, **places(carers), "max_jobs_per_day": 2, "max_jobs_per_week": 8}
        ),
        "availability": pd.DataFrame(
            {"provider_id": np.array(people)[who], "start": dates + opens, "end": dates + closes}
        ),
        "requests": pd.DataFrame(
            {
                "request_id": [f"R{i:05d}" for i in range(elders)],
                **places(elders),
                "group": "elderly",
                "minutes": 60,
                "earliest": day.strftime("%Y-%m-%d ") + first,
                "latest": day.strftime("%Y-%m-%d ") + last,
            }
        ),
        "visits": pd.DataFrame({"request_id": [f"R{i:05d}" for i in range(elders)], "weeks": weeks}),
        "about": pd.DataFrame({"key": ["synthetic"], "value": ["people"]}),
    }
