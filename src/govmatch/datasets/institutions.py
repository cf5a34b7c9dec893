"""Synthetic party units, organisations and agreements: the alliance as the account describes it.

County committee → town committees → community committees → grid branches and the group of social
organisations; beside these Xishan's joint units, its Love Alliance, and Great Xishan's federation.
"""

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
    numbered,
    optional_int,
    spread,
)
from govmatch.datasets.geography import Places
from govmatch.datasets.inhabitants import Inhabitants
from govmatch.datasets.names import JOINT_UNITS, MEMBERS, ORGANISATIONS
from govmatch.datasets.services import FIELDS, SERVICES
from govmatch.ragged import runs

XISHAN_ORGANISATIONS = 45
ALLIANCE_MEMBERS = 162
ALLIANCE = "P-LOVE"
COUNTY = "P-330481"

_PART = 2
_SERVICE = {s.skill: k for k, s in enumerate(SERVICES)}
_COUNTY_TEAMS = 3  # county-wide teams for each scarce skill


@dataclass(frozen=True)
class Institutions:
    """The alliance's tables, and what the supply needs to know about each organisation."""

    party_units: pd.DataFrame
    organizations: pd.DataFrame
    agreements: pd.DataFrame
    organization_id: TextArray  # (O,)
    field: IntArray  # (O,) position in services.FIELDS
    community: IntArray  # (O,) community position
    capacity: IntArray  # (O,) own staff at once; 0: none
    skill: IntArray  # (O,) a service it must offer, -1: none in particular
    own: IntArray  # positions of Xishan's 45 organisations
    members: IntArray  # positions of the Love Alliance's 162 members
    first: IntArray  # (C,) first of the other organisations of each community …
    count: IntArray  # (C,) … and how many there are


@dataclass(frozen=True)
class _Rows:
    name: TextArray
    kind: TextArray
    field: IntArray
    community: IntArray
    unit: TextArray
    skill: IntArray


def institutions(
    places: Places, people: Inhabitants, seed: int, organizations: int, county: bool
) -> Institutions:
    """Draw the alliance of `places`.

    Parameters
    ----------
    places, people : Places, Inhabitants
        The communities in question.
    seed : int
    organizations : int
        Number of organisations beside Xishan's own and the Love Alliance's members.
    county : bool
        Whether there is a county committee with county-wide teams above the towns.
    """
    rng = generator(seed, _PART)
    at_home = np.zeros(places.n, dtype=np.int64)
    at_home[places.xishan] = XISHAN_ORGANISATIONS
    own = _named(places, at_home, np.zeros(places.n, dtype=np.int64))
    members = _members(places)
    per_community = spread(organizations, people.count.sum(axis=1) ** 0.6, 6) if organizations else 0
    count = np.zeros(places.n, dtype=np.int64) + per_community
    other = _named(places, count, np.arange(places.n) * 5)
    _lift(other, places, rng, county)
    parts = (own, members, other)
    n_own, n_members = len(own.name), len(members.name)
    n = n_own + n_members + len(other.name)
    rows = _Rows(
        *(
            np.concatenate([getattr(p, column) for p in parts])
            for column in ("name", "kind", "field", "community", "unit", "skill")
        )
    )
    organization_id = numbered("O-", np.arange(1, n + 1), 5)
    staff = rng.choice([0, 1, 2, 3, 4], n, p=[0.7, 0.12, 0.1, 0.05, 0.03])
    capacity = np.where(rows.skill >= 0, 2, staff).astype(np.int64)
    weekly = np.where(rng.random(n) < 0.06, rng.integers(10, 60, n), -1)
    # a few bring their own meeting place; the others are found through their community
    placed = rng.random(n) < 0.4
    east, north = rng.normal(0, 0.0025, (2, n))
    clearance = rng.choice([0, 1, 2], n, p=[0.7, 0.22, 0.08])
    table = frame(
        organization_id=organization_id,
        name=rows.name,
        kind=rows.kind,
        field=np.array(FIELDS, dtype=object)[rows.field],
        community_id=places.code[rows.community],
        party_unit_id=rows.unit,
        lat=np.where(placed, np.round(places.lat[rows.community] + north, 6), np.nan),
        lon=np.where(placed, np.round(places.lon[rows.community] + east, 6), np.nan),
        clearance=np.maximum(clearance, _needed_clearance(rows.skill)),
        capacity_per_slot=optional_int(capacity, absent=0),
        capacity_per_week=optional_int(weekly),
        contact=numbered("C-", np.arange(1, n + 1), 5),
    )
    return Institutions(
        _party_units(places, people, county),
        table,
        _agreements(places, organization_id[n_own : n_own + n_members]),
        organization_id,
        rows.field,
        rows.community,
        capacity,
        rows.skill,
        np.arange(n_own),
        n_own + np.arange(n_members),
        n_own + n_members + np.cumsum(count) - count,
        count,
    )


def _needed_clearance(skill: IntArray) -> IntArray:
    needed = np.array([s.clearance for s in SERVICES] + [0])
    return np.asarray(needed[skill])


def _group_of(places: Places, community: IntArray) -> TextArray:
    # strings add as objects: "P-" + code + "-S"
    return np.asarray("P-" + places.code[community] + "-S", dtype=object)


def _named(places: Places, count: IntArray, offset: IntArray) -> _Rows:
    """Name `count` organisations of each community after it and a stem, from stem `offset` on."""
    community, within = runs(count)
    n = len(community)
    # 13 and 48 have no common factor: all stems come up before one comes again
    stem = (within * 13 + offset[community]) % len(ORGANISATIONS)
    stems = np.array([s for _, s in ORGANISATIONS], dtype=object)
    unit = _group_of(places, community)
    unit[within % 5 >= 3] = None
    return _Rows(
        np.asarray(places.name[community] + stems[stem], dtype=object),
        np.full(n, "social_organization", dtype=object),
        np.array([f for f, _ in ORGANISATIONS], dtype=np.int64)[stem],
        community,
        unit,
        np.full(n, -1, dtype=np.int64),
    )


def _members(places: Places) -> _Rows:
    """Place the alliance's members: two in five in Xishan, the others across Great Xishan."""
    i = np.arange(ALLIANCE_MEMBERS)
    elsewhere = np.flatnonzero((places.great_xishan == 1) & (np.arange(places.n) != places.xishan))
    community = np.where(i % 5 < 2, places.xishan, elsewhere[i % len(elsewhere)])
    trade = i * 7 % len(MEMBERS)
    name = np.array([t for _, _, t in MEMBERS], dtype=object)[trade]
    kind = np.array([k for _, k, _ in MEMBERS], dtype=object)[trade]
    field = np.array([f for f, _, _ in MEMBERS], dtype=np.int64)[trade]
    unit = np.full(ALLIANCE_MEMBERS, None, dtype=object)
    skill = np.full(ALLIANCE_MEMBERS, -1, dtype=np.int64)
    # every sixth member is the volunteers' team of a joint unit
    led = np.arange(0, ALLIANCE_MEMBERS, ALLIANCE_MEMBERS // len(JOINT_UNITS))[: len(JOINT_UNITS)]
    unit[led] = _joint_ids()
    name[led] = [f"{t}志愿队" for _, t, _ in JOINT_UNITS]
    kind[led] = "public_institution"
    field[led] = [f for f, _, _ in JOINT_UNITS]
    skill[led] = [-1 if s is None else _SERVICE[s] for _, _, s in JOINT_UNITS]
    return _Rows(
        np.asarray(places.name[community] + name + numbered("", i + 1, 3) + "号", dtype=object),
        kind,
        field,
        community,
        unit,
        skill,
    )


def _joint_ids() -> TextArray:
    return numbered("P-J", np.arange(1, len(JOINT_UNITS) + 1), 2)


def _lift(rows: _Rows, places: Places, rng: np.random.Generator, county: bool) -> None:
    """Put some organisations under their town's committee, and a few scarce skills under the county's."""
    n = len(rows.name)
    town = np.flatnonzero(rng.random(n) < 0.1)
    codes = np.array(["P-" + code for code in places.town_codes], dtype=object)
    rows.unit[town] = codes[places.town[rows.community[town]]]
    if not county:
        return
    scarce = [k for k, s in enumerate(SERVICES) if s.scarce]
    teams = np.sort(rng.choice(n, len(scarce) * _COUNTY_TEAMS, replace=False))
    for team, k in zip(teams, np.tile(scarce, _COUNTY_TEAMS), strict=True):
        rows.name[team] = f"海宁市{SERVICES[k].name_zh}志愿总队"
        rows.field[team], rows.skill[team], rows.unit[team] = SERVICES[k].field, k, COUNTY


def _party_units(places: Places, people: Inhabitants, county: bool) -> pd.DataFrame:
    rows: list[tuple[str, str, str, str | None, str | None]] = []
    if county:
        rows.append((COUNTY, "海宁市委", "committee", None, None))
    for code, town, urban in zip(places.town_codes, places.towns, places.urban, strict=True):
        name = f"{town}党工委" if urban else f"{town}党委"
        rows.append((f"P-{code}", name, "committee", COUNTY if county else None, None))
    branches = np.clip(people.count.sum(axis=1) // 1200, 3, 8)
    for c in range(places.n):
        code, name = places.code[c], places.name[c]
        committee = f"P-{code}"
        rows.append((committee, f"{name}党委", "committee", f"P-{places.town_codes[places.town[c]]}", code))
        rows.append((f"{committee}-S", f"{name}社会组织党小组", "group", committee, None))
        rows.extend(
            (f"{committee}-{k}", f"{name}第{k}网格党支部", "branch", committee, None)
            for k in range(1, branches[c] + 1)
        )
    xishan = places.code[places.xishan]
    rows.append((ALLIANCE, "西山爱心联盟党支部", "branch", f"P-{xishan}", xishan))
    rows.extend(
        (unit, f"{trade}系统共建单位", "joint_unit", None, None)
        for unit, (_, trade, _) in zip(_joint_ids(), JOINT_UNITS, strict=True)
    )
    columns = [np.array(column, dtype=object) for column in zip(*rows, strict=True)]
    names = ("unit_id", "name", "kind", "parent_id", "community_id")
    return frame(**dict(zip(names, columns, strict=True)))


def _agreements(places: Places, member_id: TextArray) -> pd.DataFrame:
    committee = f"P-{places.code[places.xishan]}"
    joint = _joint_ids()
    great = np.flatnonzero(places.great_xishan == 1)
    one, other = np.triu_indices(len(great), k=1)
    counts = (len(joint), len(member_id), len(one))
    # units with a scarce skill are partners of long standing and hand over faster than the policy's rate
    hop_minutes: FloatArray = np.full(sum(counts), np.nan)
    hop_minutes[[k for k, (_, _, scarce) in enumerate(JOINT_UNITS) if scarce]] = 2.0
    since = np.repeat(np.array(["2024-01-01", "2022-06-01", "2025-03-01"], dtype="datetime64[us]"), counts)
    promised = ("services by trade, one activity a month 每月一次专业服务", "people and goods 人员与物资",
                "raised in one place, shared by all 一处筹集、共同使用")  # fmt: skip
    kinds = ("joint_building", "membership", "federation")
    return frame(
        agreement_id=numbered("A-", np.arange(1, sum(counts) + 1), 4),
        from_id=np.concatenate(
            [
                np.full(len(joint), committee, dtype=object),
                np.full(len(member_id), ALLIANCE, dtype=object),
                places.code[great[one]],
            ]
        ),
        to_id=np.concatenate([joint, member_id, places.code[great[other]]]),
        kind=np.repeat(np.array(kinds, dtype=object), counts),
        valid_from=since,
        hop_minutes=hop_minutes,
        promised=np.repeat(np.array(promised, dtype=object), counts),
    )
