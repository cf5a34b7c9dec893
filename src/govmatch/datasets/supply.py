"""Synthetic volunteers, what they and organisations can do, and when they are free."""

from __future__ import annotations

import numpy as np
import pandas as pd

from govmatch.datasets.columns import (
    IntArray,
    TextArray,
    frame,
    generator,
    moments,
    numbered,
    optional_int,
    pick,
    pick_by_row,
    texts,
)
from govmatch.datasets.geography import ZONE, Places
from govmatch.datasets.inhabitants import DIALECTS, HOMETOWNS, Inhabitants
from govmatch.datasets.institutions import Institutions
from govmatch.datasets.services import FIELDS, SERVICES, field_weights
from govmatch.ragged import runs

FREE_SHARE = 0.1

_PART = 3
_SKILLS_HELD = np.array([0.12, 0.36, 0.32, 0.15, 0.05])  # 1 … 5
_LEVEL = np.array([0.35, 0.32, 0.2, 0.09, 0.04])  # 1 … 5

# pieces of a day: first start, spread of the start, shortest and longest length, latest end (minutes)
_PIECES = np.array(
    [
        (450, 90, 180, 300, 750),  # morning
        (750, 90, 180, 300, 1080),  # afternoon
        (915, 60, 180, 270, 1200),  # late afternoon
        (1080, 45, 120, 210, 1290),  # evening
        (480, 60, 480, 600, 1110),  # the whole day; the policy cuts it into its slots
    ]
)
_HABITS = np.array(
    [
        (1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0), (0, 0, 0, 1, 0), (1, 1, 0, 0, 0),
        (1, 0, 0, 1, 0), (0, 1, 0, 1, 0), (1, 1, 0, 1, 0), (0, 0, 0, 0, 1),
    ]
)  # fmt: skip
_HABIT_SHARE = {
    False: np.array([0.2, 0.15, 0.08, 0.22, 0.12, 0.06, 0.06, 0.05, 0.06]),
    True: np.array([0.17, 0.2, 0.06, 0.09, 0.2, 0.04, 0.08, 0.08, 0.08]),
}
_OFFICE_HOURS = (
    np.array([(480, 720), (810, 1050)]),
    np.array([(480, 1050)]),
    np.array([(540, 1260)]),
)


def supply(
    places: Places,
    people: Inhabitants,
    institutions: Institutions,
    seed: int,
    volunteers: int,
    alliance_share: float,
    scarcity: float,
    day: str,
) -> dict[str, pd.DataFrame]:
    """Draw the `volunteers`, `skills` and `availability` tables.

    Parameters
    ----------
    places, people, institutions
        Where volunteers live and whom they belong to.
    seed : int
    volunteers : int
        Registered volunteers; `FREE_SHARE` of them are free on the day.
    alliance_share : float
        Share of them that Xishan's Love Alliance brings.
    scarcity : float
        Divides how often scarce skills are held.
    day : str
        ISO day.
    """
    rng = generator(seed, _PART)
    weekend = bool(np.datetime64(day, "D").astype(object).weekday() >= 5)
    organization, community = _belonging(rng, places, people, institutions, volunteers, alliance_share)
    free = np.sort(rng.choice(volunteers, round(volunteers * FREE_SHARE), replace=False))
    volunteer_id = numbered("V-", np.arange(1, volunteers + 1), 7)
    field = np.append(institutions.field, len(FIELDS))[organization]

    # every column has a generator's part of its own, so that scarcity changes skills alone
    holder, service = _skills(generator(seed, _PART + 10), field, scarcity)
    staffed = np.flatnonzero(institutions.capacity > 0)
    staff, staff_service = _staff_skills(generator(seed, _PART + 11), institutions, staffed, scarcity)

    tables = {
        "volunteers": _volunteers(rng, places, people, institutions, volunteer_id, organization, community)
    }
    vetted = np.array([s.clearance for s in SERVICES])[service]
    raised = np.where(rng.random(len(vetted)) < 0.85, vetted, 0)
    clearance = tables["volunteers"]["clearance"].to_numpy().copy()
    np.maximum.at(clearance, holder, raised)
    tables["volunteers"]["clearance"] = clearance
    tables["skills"] = _skill_rows(
        rng,
        np.concatenate([volunteer_id[holder], institutions.organization_id[staff]]),
        np.concatenate([service, staff_service]),
        day,
    )
    who, start, end = _pieces(generator(seed, _PART + 12), len(free), weekend)
    office, opens, closes = _office_hours(generator(seed, _PART + 13), len(staffed))
    tables["availability"] = frame(
        provider_id=np.concatenate([volunteer_id[free][who], institutions.organization_id[staffed][office]]),
        start=moments(day, np.concatenate([start, opens]), ZONE),
        end=moments(day, np.concatenate([end, closes]), ZONE),
    )
    return tables


def _belonging(
    rng: np.random.Generator,
    places: Places,
    people: Inhabitants,
    institutions: Institutions,
    volunteers: int,
    alliance_share: float,
) -> tuple[IntArray, IntArray]:
    """Return organisation (-1: the community alone) and community of each volunteer."""
    population = people.count.sum(axis=1).astype(np.float64)
    in_alliance = round(volunteers * alliance_share)
    around = np.where(places.great_xishan == 1, population, 0.0)
    around[places.xishan] = around.sum() - around[places.xishan]  # half of them live in Xishan itself
    community = np.concatenate(
        [pick(rng, around, in_alliance), pick(rng, population, volunteers - in_alliance)]
    )
    sizes = 1.0 / np.arange(3, 3 + len(institutions.members))  # a few members are large
    member = institutions.members[pick(rng, sizes, volunteers)]
    own = institutions.own[rng.integers(0, len(institutions.own), volunteers)]
    near = institutions.first[community] + (rng.random(volunteers) * institutions.count[community]).astype(
        int
    )
    drawn = rng.random(volunteers)
    allied = np.where(drawn < 0.75, member, np.where(drawn < 0.9, own, -1))
    other = np.where((drawn < 0.6) & (institutions.count[community] > 0), near, -1)
    return np.where(np.arange(volunteers) < in_alliance, allied, other), community


def _volunteers(
    rng: np.random.Generator,
    places: Places,
    people: Inhabitants,
    institutions: Institutions,
    volunteer_id: TextArray,
    organization: IntArray,
    community: IntArray,
) -> pd.DataFrame:
    n = len(volunteer_id)
    newcomer = rng.random(n) < 0.25
    home = np.where(rng.random(n) < 0.6, people.origin[community], rng.integers(1, len(HOMETOWNS), n))
    home = np.where(newcomer, home, 0)
    lat, lon = scattered(rng, places, community, share=0.5)
    return frame(
        volunteer_id=volunteer_id,
        organization_id=np.append(institutions.organization_id, np.array([None], dtype=object))[organization],
        community_id=places.code[community],
        lat=lat,
        lon=lon,
        mode=texts(("walk", "ebike", "car"), rng.choice([0, 1, 2, -1], n, p=[0.15, 0.55, 0.2, 0.1])),
        max_travel_minutes=rng.choice([np.nan, 15.0, 20.0, 30.0, 60.0], n, p=[0.8, 0.05, 0.05, 0.06, 0.04]),
        max_jobs_per_day=optional_int(rng.choice([-1, 1, 3], n, p=[0.9, 0.06, 0.04])),
        clearance=rng.choice([0, 1, 2, 3], n, p=[0.86, 0.11, 0.025, 0.005]),
        dialect=texts(DIALECTS, home),
        hometown=texts(HOMETOWNS, home),
    )


def scattered(
    rng: np.random.Generator, places: Places, community: IntArray, share: float
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Return points around each community for `share` of the rows; NaN for the others."""
    n = len(community)
    spread_degrees = np.where(places.village[community] == 1, 0.005, 0.0025)
    north, east = rng.normal(0.0, 1.0, (2, n)).clip(-2.5, 2.5) * spread_degrees
    known = rng.random(n) < share
    lat = np.where(known, np.round(places.lat[community] + north, 6), np.nan)
    lon = np.where(known, np.round(places.lon[community] + east, 6), np.nan)
    return lat, lon


def _skills(rng: np.random.Generator, field: IntArray, scarcity: float) -> tuple[IntArray, IntArray]:
    """Draw one to five skills a volunteer, the first from the field of the own organisation."""
    weights = field_weights(scarcity)
    held = 1 + pick(rng, _SKILLS_HELD, len(field))
    holder = np.repeat(np.arange(len(field)), held)
    is_first = np.zeros(len(holder), dtype=bool)
    is_first[np.cumsum(held) - held] = True
    service = pick_by_row(rng, weights, np.where(is_first, field[holder], len(FIELDS)))
    return _distinct(holder, service)


def _staff_skills(
    rng: np.random.Generator, institutions: Institutions, staffed: IntArray, scarcity: float
) -> tuple[IntArray, IntArray]:
    """Draw the skills of organisations' own staff, all from their field."""
    held = 2 + rng.integers(0, 3, len(staffed))
    holder = np.repeat(staffed, held)
    service = pick_by_row(rng, field_weights(scarcity), institutions.field[holder])
    must = staffed[institutions.skill[staffed] >= 0]
    return _distinct(np.concatenate([holder, must]), np.concatenate([service, institutions.skill[must]]))


def _distinct(holder: IntArray, service: IntArray) -> tuple[IntArray, IntArray]:
    pair = np.unique(holder * len(SERVICES) + service)
    return pair // len(SERVICES), pair % len(SERVICES)


def _skill_rows(
    rng: np.random.Generator, provider_id: TextArray, service: IntArray, day: str
) -> pd.DataFrame:
    n = len(service)
    certified = np.array([s.certified for s in SERVICES])[service]
    days = np.where(rng.random(n) < 0.07, -rng.integers(1, 200, n), rng.integers(0, 900, n))
    until = np.datetime64(day, "D") + days.astype("timedelta64[D]")
    until[~certified | (rng.random(n) < 0.1)] = np.datetime64("NaT", "D")
    return frame(
        provider_id=provider_id,
        skill=np.array([s.skill for s in SERVICES], dtype=object)[service],
        level=1 + pick(rng, _LEVEL, n),
        certified_until=until.astype("datetime64[us]"),
    )


def _pieces(rng: np.random.Generator, free: int, weekend: bool) -> tuple[IntArray, IntArray, IntArray]:
    """Return who, start and end (minutes of the day) of free people's pieces; one person's never overlap."""
    habit = pick(rng, _HABIT_SHARE[weekend], free)
    who, piece = np.nonzero(_HABITS[habit])
    first, shift, shortest, longest, last = _PIECES[piece].T
    start = first + (rng.random(len(who)) * (shift // 15 + 1)).astype(np.int64) * 15
    length = shortest + (rng.random(len(who)) * ((longest - shortest) // 15 + 1)).astype(np.int64) * 15
    return who, start, np.minimum(start + length, last)


def _office_hours(rng: np.random.Generator, staffed: int) -> tuple[IntArray, IntArray, IntArray]:
    habit = pick(rng, np.array([0.55, 0.2, 0.25]), staffed)
    pieces = np.array([len(h) for h in _OFFICE_HOURS])[habit]
    who, within = runs(pieces)
    padded = np.array([np.resize(h, (2, 2)) for h in _OFFICE_HOURS])
    opens, closes = padded[habit[who], within].T
    return who, opens, closes
