"""Synthetic requests of one day, like life: services, rhythm, groups, dialects, hot spots, repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from govmatch.datasets.columns import (
    FloatArray,
    IntArray,
    TextArray,
    frame,
    generator,
    moments,
    numbered,
    pick,
    pick_by_row,
    texts,
)
from govmatch.datasets.geography import ZONE, Places
from govmatch.datasets.inhabitants import DIALECTS, HOMETOWNS, Inhabitants
from govmatch.datasets.services import FIRST, GROUPS, PAIRED, SERVICES, hour_weights
from govmatch.datasets.supply import scattered

_PART = 4
_DAY, _HALF, _FIXED = 0, 1, 2
_LAST = 1435  # latest end, so that the horizon stays one day
_REPEATED = 0.007  # share of requests that report a need already reported
_PAIRED = 0.06  # share of a service's requests that want a second skill of the same person
_HALVES = np.array([(450, 750), (750, 1080), (1080, 1290)])  # morning, afternoon, evening
_PRIORITY = np.array([0.1, 0.55, 0.25, 0.08, 0.02])  # 1 … 5
_LEVEL = np.array([0.8, 0.15, 0.05])  # 1 … 3
_CHANNELS = (
    "24-hour hotline 24小时热线", "stairwell council 楼道议事会", "tea room 茶室", "grid worker 网格员",
    "community desk 社区窗口", "mini program 小程序", "social organisation 社会组织",
)  # fmt: skip
_CHANNEL_SHARE = np.array([0.3, 0.1, 0.08, 0.2, 0.12, 0.15, 0.05])


@dataclass(frozen=True)
class _Windows:
    """When, in minutes of the day, all int64 (n,)."""

    minutes: IntArray
    people: IntArray
    earliest: IntArray
    latest: IntArray


def demand(
    places: Places, people: Inhabitants, seed: int, requests: int, day: str, focus: float
) -> dict[str, pd.DataFrame]:
    """Draw the `requests` and `roles` tables.

    Parameters
    ----------
    places, people : Places, Inhabitants
        Where requests arise; groups and new residents' homes.
    seed : int
    requests : int
        Number of requests, repeats of the same need included.
    day : str
        ISO day.
    focus : float
        How much denser still 西山社区 is than its place in the county makes it.
    """
    rng = generator(seed, _PART)
    weekend = bool(np.datetime64(day, "D").astype(object).weekday() >= 5)
    service = pick(rng, np.array([s.share for s in SERVICES]), requests)
    windows = _windows(rng, service, weekend)
    group = pick_by_row(rng, np.array([s.groups for s in SERVICES], dtype=np.float64), service)
    community = _where(rng, places, people, group, focus)
    dialect, hometown = _dialects(rng, people, service, group, community)
    lat, lon = scattered(rng, places, community, share=0.7)
    first = np.isin(np.array(GROUPS), FIRST)[group]
    priority = 1 + pick(rng, _PRIORITY, requests) + (first & (rng.random(requests) < 0.5))
    asked = windows.earliest - np.minimum(rng.exponential(1200.0, requests).astype(np.int64) + 15, 14 * 1440)
    table = frame(
        request_id=numbered("R-", np.arange(1, requests + 1), 5 if requests < 100_000 else 7),
        community_id=places.code[community],
        category=np.array([s.category for s in SERVICES], dtype=object)[service],
        skill=np.array([s.skill for s in SERVICES], dtype=object)[service],
        level=1 + pick(rng, _LEVEL, requests),
        certified=np.array([s.certified for s in SERVICES])[service],
        people=windows.people,
        earliest=moments(day, windows.earliest, ZONE),
        latest=moments(day, windows.latest, ZONE),
        minutes=windows.minutes,
        priority=np.minimum(priority, 5),
        group=np.array(GROUPS, dtype=object)[group],
        clearance=np.array([s.clearance for s in SERVICES])[service],
        dialect=texts(DIALECTS, dialect),
        hometown=texts(HOMETOWNS, hometown),
        lat=lat,
        lon=lon,
        channel=np.array(_CHANNELS, dtype=object)[pick(rng, _CHANNEL_SHARE, requests)],
        duplicate_of=np.full(requests, None, dtype=object),
        submitted=moments(day, asked, ZONE),
    )
    table.loc[table["skill"].isna().to_numpy(dtype=bool), "level"] = 1
    table = _with_repeats(rng, table)
    return {"requests": table, "roles": _pair(rng, table)}


def _where(
    rng: np.random.Generator, places: Places, people: Inhabitants, group: IntArray, focus: float
) -> IntArray:
    """Draw communities: of each group where that group lives, denser in hot spots."""
    heat = people.heat.copy()
    heat[places.xishan] *= focus
    return pick_by_row(rng, (people.count * heat[:, None]).T.astype(np.float64), group)


def _windows(rng: np.random.Generator, service: IntArray, weekend: bool) -> _Windows:
    n = len(service)
    half_hour = pick_by_row(rng, hour_weights(weekend), service)
    wish = half_hour * 30 + rng.integers(0, 2, n) * 15
    shortest, longest = np.array([s.minutes for s in SERVICES])[service].T
    minutes = shortest + (rng.random(n) * ((longest - shortest) // 5 + 1)).astype(np.int64) * 5
    crowd = rng.random(n) < np.array([s.crowd for s in SERVICES])[service]
    people = np.where(crowd, rng.choice([2, 3], n, p=[0.7, 0.3]), 1)
    kind = pick_by_row(rng, np.array([s.window for s in SERVICES]), service)
    kind[crowd] = _FIXED  # several people meet at one hour

    slack = rng.choice([0, 15, 30, 60, 90], n, p=[0.1, 0.2, 0.3, 0.25, 0.15])
    half = np.searchsorted(_HALVES[1:, 0], wish, side="right")
    opens = np.where(
        kind == _DAY, 480 + rng.integers(0, 5, n) * 30, np.where(kind == _HALF, _HALVES[half, 0], wish)
    )
    closes = np.where(
        kind == _DAY,
        1020 + rng.integers(0, 9, n) * 30,
        np.where(kind == _HALF, _HALVES[half, 1], wish + minutes + slack),
    )
    earliest = np.minimum(opens, _LAST - minutes)
    return _Windows(minutes, people, earliest, np.clip(closes, earliest + minutes, _LAST))


def _dialects(
    rng: np.random.Generator, people: Inhabitants, service: IntArray, group: IntArray, community: IntArray
) -> tuple[IntArray, IntArray]:
    """Return dialect asked and hometown, -1 for none; newcomers of a community often share their home."""
    n = len(service)
    newcomer = group == GROUPS.index("new_resident")
    home = np.where(rng.random(n) < 0.6, people.origin[community], rng.integers(1, len(HOMETOWNS), n))
    home = np.where(newcomer, home, 0)
    asks = rng.random(n) < np.array([s.dialect for s in SERVICES])[service]
    return np.where(asks, home, -1), np.where(newcomer, home, -1)


def _with_repeats(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Turn a few rows into second reports of the needs of other rows, through another channel."""
    repeats = round(len(table) * _REPEATED)
    if repeats == 0:
        return table
    rows = rng.choice(len(table), 2 * repeats, replace=False)
    original, repeat = rows[:repeats], rows[repeats:]
    source = np.arange(len(table))
    source[repeat] = original
    copied = table.iloc[source].reset_index(drop=True)
    copied["request_id"] = table["request_id"]
    copied["channel"] = table["channel"]
    copied["submitted"] = copied["submitted"] + pd.to_timedelta(
        np.where(source != np.arange(len(table)), 12, 0), "min"
    )
    duplicate_of = np.full(len(table), None, dtype=object)
    duplicate_of[repeat] = table["request_id"].to_numpy()[original]
    copied["duplicate_of"] = pd.Series(duplicate_of, dtype=object)
    return copied


def _pair(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    """Move the skill of a few requests to the `roles` table, with a second one beside it; edits `table`."""
    skill: TextArray = table["skill"].to_numpy(dtype=object).copy()
    category: TextArray = table["category"].to_numpy(dtype=object).copy()
    open_rows = table["duplicate_of"].isna().to_numpy() & (table["people"].to_numpy() == 1)
    drawn: FloatArray = rng.random(len(table))
    certified = {s.skill: s.certified for s in SERVICES}
    rows: list[IntArray] = []
    skills: list[TextArray] = []
    for one, other, name in PAIRED:
        chosen = np.flatnonzero((skill == one) & open_rows & (drawn < _PAIRED))
        rows += [chosen, chosen]
        skills += [np.full(len(chosen), s, dtype=object) for s in (one, other)]
        category[chosen] = name
    row = np.concatenate(rows)
    held = np.concatenate(skills)
    order = np.argsort(row, kind="stable")
    skill[row] = None
    table["skill"] = pd.Series(skill, dtype=object)
    table["category"] = pd.Series(category, dtype=object)
    table.loc[np.unique(row), "level"] = 1
    return frame(
        request_id=table["request_id"].to_numpy(dtype=object)[row[order]],
        role=np.full(len(row), "helper", dtype=object),
        skill=held[order],
        level=np.ones(len(row), dtype=np.int64),
        certified=np.array([certified[s] for s in held[order]], dtype=bool),
        count=np.ones(len(row), dtype=np.int64),
    )
