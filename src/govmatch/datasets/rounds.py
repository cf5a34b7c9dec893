"""Synthetic home visits for rounds: short visits with windows of hours, and carers who make several a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from govmatch.datasets.columns import IntArray, frame, generator, moments, pick
from govmatch.datasets.geography import ZONE

_PART = 37
_VISITS_A_CARER = 5
_MOST_JOBS = 10


@dataclass(frozen=True)
class _Visit:
    """One kind of home visit: what it takes, for how long, and within which hours of the day."""

    name: str
    skill: str
    share: float
    minutes: tuple[int, int]
    begins: tuple[int, int]  # of the window, hours
    hours: tuple[int, int]  # that the window is long


VISITS = (
    _Visit("晨间照护 Morning care", "elder_company", 4, (20, 45), (7, 9), (2, 4)),
    _Visit("居家探访 Home visit", "elder_company", 3, (30, 60), (8, 15), (3, 6)),
    _Visit("送餐上门 Meal at home", "meal_delivery", 3, (10, 20), (10, 11), (1, 2)),
    _Visit("居家保洁 Cleaning at home", "house_cleaning", 2, (45, 90), (8, 14), (4, 8)),
)

_SHIFTS = np.array([(7 * 60, 12 * 60), (7 * 60, 15 * 60), (9 * 60, 17 * 60), (13 * 60, 20 * 60)])


def rounds(tables: dict[str, pd.DataFrame], seed: int, share: float) -> dict[str, pd.DataFrame]:
    """Turn a share of the requests that stand alone into home visits, and some of the free into carers.

    A carer holds the skills of all visits, has one shift of five to eight hours and takes up to ten jobs;
    there is one for every five visits. They make rounds where the policy says ``[rounds] on = true``.

    Returns
    -------
    dict of str to DataFrame
        requests, volunteers, skills and availability.
    """
    rng = generator(seed, _PART)
    requests, roles = tables["requests"].copy(), tables["roles"]
    taken = requests["request_id"].isin(roles["request_id"]) | requests["duplicate_of"].notna()
    taken |= requests["request_id"].isin(requests["duplicate_of"])
    alone = np.flatnonzero(~taken.to_numpy())
    chosen = np.sort(rng.choice(alone, round(share * len(alone)), replace=False))
    day = str(tables["availability"]["start"].min().date()) if len(tables["availability"]) else None
    free = _holders(tables)
    n = min(len(free), -(-len(chosen) // _VISITS_A_CARER))
    if day is None or not n:
        return {}
    _ask(rng, requests, chosen, day)
    carers = np.sort(rng.choice(free, n, replace=False))
    return {"requests": requests, **_care(rng, tables, carers, day)}


def _holders(tables: dict[str, pd.DataFrame]) -> IntArray:
    """Return the free volunteers who hold a skill of a visit, by position."""
    skills, volunteers = tables["skills"], tables["volunteers"]["volunteer_id"]
    skilled = skills["provider_id"][skills["skill"].isin({visit.skill for visit in VISITS})]
    able = volunteers.isin(tables["availability"]["provider_id"]) & volunteers.isin(skilled)
    return np.flatnonzero(able.to_numpy(dtype=bool))


def _ask(rng: np.random.Generator, requests: pd.DataFrame, chosen: IntArray, day: str) -> None:
    kind = pick(rng, np.array([visit.share for visit in VISITS]), len(chosen))

    def drawn(name: str, step: int) -> IntArray:
        low, high = np.array([getattr(visit, name) for visit in VISITS])[kind].T
        values: IntArray = low + (rng.random(len(kind)) * ((high - low) // step + 1)).astype(np.int64) * step
        return values

    begins = drawn("begins", 1) * 60
    ends = begins + drawn("hours", 1) * 60
    at = requests.index[chosen]
    for column, values in (
        ("category", [VISITS[k].name for k in kind]),
        ("skill", [VISITS[k].skill for k in kind]),
        ("level", 1),
        ("certified", False),
        ("people", 1),
        ("clearance", 0),
        ("priority", 3),
        ("group", "elderly"),
        ("minutes", drawn("minutes", 5)),
        ("earliest", moments(day, begins, ZONE)),
        ("latest", moments(day, ends, ZONE)),
    ):
        requests.loc[at, column] = values


def _care(
    rng: np.random.Generator, tables: dict[str, pd.DataFrame], carers: IntArray, day: str
) -> dict[str, pd.DataFrame]:
    volunteers = tables["volunteers"].copy()
    at = volunteers.index[carers]
    for column in ("max_jobs_per_day", "max_jobs_per_week"):
        known = volunteers.get(column, pd.Series(pd.NA, volunteers.index, dtype="Int64"))
        volunteers[column] = known.mask(known.index.isin(at), _MOST_JOBS)
    volunteers.loc[at, "mode"] = "ebike"
    ids = volunteers["volunteer_id"].to_numpy(dtype=object)[carers]
    held = list(dict.fromkeys(visit.skill for visit in VISITS))
    given = frame(
        provider_id=np.repeat(ids, len(held)),
        skill=np.tile(np.array(held, dtype=object), len(ids)),
        level=np.full(len(ids) * len(held), 2),
    )
    skills = pd.concat([tables["skills"], given], ignore_index=True)
    shift = _SHIFTS[rng.integers(0, len(_SHIFTS), len(ids))]
    slots = frame(provider_id=ids, start=moments(day, shift[:, 0], ZONE), end=moments(day, shift[:, 1], ZONE))
    others = tables["availability"][~tables["availability"]["provider_id"].isin(ids)]
    return {
        "volunteers": volunteers,
        "skills": skills.drop_duplicates(["provider_id", "skill"], ignore_index=True),
        "availability": pd.concat([others, slots], ignore_index=True),
    }
