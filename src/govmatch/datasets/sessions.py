"""Synthetic group sessions, and those who ask for their seats: classes for children, canteens' meals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from govmatch.datasets.columns import IntArray, frame, generator, moments, numbered, pick, spread
from govmatch.datasets.geography import ZONE

_PART = 9
_GUESTS = 13.0
"""Requests for seats to one session."""

_AT_HOME = 0.03
"""Share of those who hold the kindred skill who would come instead."""


@dataclass(frozen=True)
class _Kind:
    """One kind of session, at one of several hours; all times in minutes.

    `kin` is the skill of volunteers, some of whom would also do the same at home.
    `early` and `late`: how long before the session's start, and after its end, its guests are free.
    `shared`: share of the guests who come with the one before them in the list.
    """

    name: str
    skill: str
    kin: str
    group: str
    clearance: int
    begins: tuple[int, ...]
    lasts: int
    early: int
    late: int
    minutes: int
    seats: tuple[int, int]
    fewest: int
    cost: tuple[int, int]
    led: bool
    shared: float


KINDS = (
    _Kind("爱心课堂 Love Classroom", "love_classroom", "childcare", "child", 1, (930, 1050), 90, 30, 60, 90,
          (12, 30), 5, (60, 120), True, 0.3),
    _Kind("社区食堂 Community canteen", "canteen_meal", "meal_delivery", "elderly", 0, (660, 1020), 120, 0, 0,
          30, (20, 60), 8, (120, 240), False, 0.2),
)  # fmt: skip


def sessions(tables: dict[str, pd.DataFrame], seed: int, share: float) -> dict[str, pd.DataFrame]:
    """Let a share of the requests that stand alone ask for seats, and lay out sessions for them.

    A request keeps its place and priority; siblings and couples live at one address and are free at the same
    hours. A few volunteers would come to them instead.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As `govmatch.datasets.haining` gives them, of one day.
    seed : int
    share : float
        From 0 to 1, of all requests.

    Returns
    -------
    dict of str to DataFrame
        The tables that change: requests, sessions, residents, skills, about.
    """
    rng = generator(seed, _PART)
    requests = tables["requests"].copy()
    if "resident_id" not in requests:
        requests["resident_id"] = pd.Series(None, index=requests.index, dtype=object)
    taken = requests["request_id"].isin(tables["roles"]["request_id"]) | requests["resident_id"].notna()
    taken |= requests["duplicate_of"].notna() | requests["request_id"].isin(requests["duplicate_of"])
    free = np.flatnonzero(~taken.to_numpy())
    chosen = np.sort(rng.choice(free, min(len(free), round(share * len(requests))), replace=False))
    kind = pick(rng, np.ones(len(KINDS)), len(chosen))
    day = f"{requests['earliest'].min():%Y-%m-%d}"
    laid, homes, n_homes = [], [], 0
    for k, one in enumerate(KINDS):
        at = chosen[kind == k]
        if len(at):
            laid.append(_lay_out(rng, one, requests["community_id"].iloc[at], day))
            homes.append(_ask(rng, one, requests, at, day) + n_homes)
            n_homes = int(homes[-1].max()) + 1
    at = np.concatenate([chosen[kind == k] for k in range(len(KINDS))])
    resident = numbered("P-S", np.arange(1, len(at) + 1), 6)
    requests.loc[requests.index[at], "resident_id"] = resident
    residents = frame(
        resident_id=resident,
        household_id=numbered("H-S", np.concatenate([*homes, np.zeros(0, np.int64)]) + 1, 6),
        community_id=requests["community_id"].to_numpy(dtype=object)[at],
        group=requests["group"].to_numpy(dtype=object)[at],
    )
    changed = {"requests": requests, "residents": residents}
    if "residents" in tables:
        changed["residents"] = pd.concat([tables["residents"], residents], ignore_index=True)
    if laid:
        table = pd.concat(laid, ignore_index=True)
        table.insert(
            0, "session_id", pd.Series(numbered("S-", np.arange(1, len(table) + 1), 4), dtype=object)
        )
        changed["sessions"] = _led(table, tables)
    changed["skills"] = pd.concat([tables["skills"], _at_home(rng, tables["skills"])], ignore_index=True)
    words = "classes, canteens, their guests and households are synthetic 班次、食堂、来者与家庭均为合成数据"
    said = frame(key=np.array(["sessions"], dtype=object), value=np.array([words], dtype=object))
    changed["about"] = pd.concat([tables["about"], said], ignore_index=True)
    return changed


def _lay_out(rng: np.random.Generator, one: _Kind, asked: pd.Series, day: str) -> pd.DataFrame:
    """Share sessions among the communities of those who ask, at the kind's hours in turn."""
    places, counts = np.unique(asked.to_numpy().astype(str), return_counts=True)
    n = max(1, round(len(asked) / _GUESTS))
    community = np.repeat(places.astype(object), spread(n, counts.astype(np.float64)))
    turn = pd.Series(community).groupby(community).cumcount().to_numpy()
    begins = np.array(one.begins)[(turn + rng.integers(0, 2, n)) % len(one.begins)]
    return frame(
        name=np.full(n, one.name, dtype=object),
        community_id=community,
        skill=np.full(n, one.skill, dtype=object),
        clearance=np.full(n, one.clearance),
        start=moments(day, begins, ZONE),
        end=moments(day, begins + one.lasts, ZONE),
        seats=rng.integers(one.seats[0], one.seats[1] + 1, n),
        min_seats=np.full(n, one.fewest),
        open_minutes=rng.integers(one.cost[0], one.cost[1] + 1, n).astype(np.float64),
    )


def _ask(rng: np.random.Generator, one: _Kind, requests: pd.DataFrame, at: IntArray, day: str) -> IntArray:
    """Let requests ask for a seat at one of the kind's hours; return the household of each, from 0."""
    community = requests["community_id"].to_numpy().astype(str)
    order = np.argsort(community[at], kind="stable")
    ranked = at[order]
    follows = rng.random(len(at)) < one.shared
    follows[0] = False
    follows[1:] &= community[ranked[1:]] == community[ranked[:-1]]
    head = np.maximum.accumulate(np.where(follows, 0, np.arange(len(at))))
    begins = np.array(one.begins)[rng.integers(0, len(one.begins), len(at))[head]]
    rows = requests.index[ranked]
    for column, values in (
        ("category", one.name),
        ("skill", one.skill),
        ("level", 1),
        ("certified", False),
        ("people", 1),
        ("clearance", one.clearance),
        ("group", one.group),
        ("dialect", None),
        ("minutes", one.minutes),
        ("earliest", moments(day, begins - one.early, ZONE)),
        ("latest", moments(day, begins + one.lasts + one.late, ZONE)),
        ("lat", requests["lat"].to_numpy()[ranked[head]]),
        ("lon", requests["lon"].to_numpy()[ranked[head]]),
    ):
        requests.loc[rows, column] = values
    household = np.empty(len(at), np.int64)
    household[order] = np.cumsum(~follows) - 1
    return household


def _led(table: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Let volunteers of the community who hold the skill hold the sessions that are led, one each."""
    skills, volunteers = tables["skills"], tables["volunteers"]
    led = {one.kin: one.skill for one in KINDS if one.led}
    able = skills[skills["skill"].isin(list(led))].assign(skill=lambda held: held["skill"].map(led))
    who = volunteers.loc[volunteers["clearance"].fillna(0) >= max(one.clearance for one in KINDS)]
    able = able.merge(
        who[["volunteer_id", "community_id"]], left_on="provider_id", right_on="volunteer_id"
    ).drop_duplicates("provider_id")
    keys = ["community_id", "skill"]
    able = able.assign(turn=able.groupby(keys).cumcount())[[*keys, "turn", "provider_id"]]
    turn = table.groupby(keys).cumcount()
    found = table[keys].assign(turn=turn).merge(able, on=[*keys, "turn"], how="left")["provider_id"]
    table.insert(2, "provider_id", found.astype(object).where(found.notna(), None))
    return table


def _at_home(rng: np.random.Generator, skills: pd.DataFrame) -> pd.DataFrame:
    """Give some of those who hold a kindred skill that of the sessions."""
    kin = {one.kin: one.skill for one in KINDS}
    able = skills[skills["skill"].isin(list(kin))]
    some = able[rng.random(len(able)) < _AT_HOME]
    return some.assign(skill=some["skill"].map(kin).astype(object), level=1, certified_until=None)
