"""Providers as the tables state them, read anew for the verifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from govmatch.plan.verify_columns import (
    Ids,
    IntArray,
    ObjectArray,
    at_or,
    floats,
    objects,
    place_of,
    table_of,
    whole,
)
from govmatch.plan.verify_travel import MODES, FloatArray

NO_LIMIT = 2**40
_ORGANIZATION = (
    "organization_id",
    "community_id",
    "lat",
    "lon",
    "crs",
    "clearance",
    "capacity_per_slot",
    "capacity_per_week",
)
_VOLUNTEER = (
    "volunteer_id",
    "organization_id",
    "community_id",
    "lat",
    "lon",
    "crs",
    "mode",
    "max_travel_minutes",
    "max_jobs_per_day",
    "max_jobs_per_week",
    "clearance",
    "dialect",
    "hometown",
    "preset",
)


@dataclass(frozen=True)
class Providers:
    """Volunteers, then organisations with staff of their own."""

    ids: Ids
    n_volunteers: int
    home: ObjectArray  # node id at which a route ends
    organization: IntArray  # position that is charged, -1 none
    lat: FloatArray
    lon: FloatArray
    mode: IntArray
    max_travel: FloatArray
    clearance: IntArray
    dialect: ObjectArray
    hometown: ObjectArray
    slot_cap: IntArray
    day_cap: IntArray
    week_cap: IntArray
    preset: ObjectArray


@dataclass(frozen=True)
class Organizations:
    """All organisations, whether they have staff of their own or not."""

    ids: Ids
    week_cap: IntArray


def _first_known(*places: tuple[FloatArray, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Return the first of several places whose both coordinates are known."""
    lat, lon = places[0]
    for other_lat, other_lon in places[1:]:
        unknown = np.isnan(lat) | np.isnan(lon)
        lat, lon = np.where(unknown, other_lat, lat), np.where(unknown, other_lon, lon)
    return lat, lon


def read_providers(tables: Any, policy: Any) -> tuple[Providers, Organizations]:
    """Read volunteers, and organisations with staff of their own."""
    volunteers = table_of(tables, "volunteers", _VOLUNTEER)
    owners = table_of(tables, "organizations", _ORGANIZATION)
    communities, organizations = Ids(tables["communities"]["community_id"]), Ids(owners["organization_id"])
    lat, lon = place_of(tables["communities"])
    registered = communities.at(objects(owners["community_id"]))
    charged = organizations.at(objects(volunteers["organization_id"]))
    lives = communities.at(objects(volunteers["community_id"]))
    lives = np.where(lives >= 0, lives, at_or(registered, charged, -1))
    org_lat, org_lon = place_of(owners)
    own_lat, own_lon = _first_known(
        place_of(volunteers),
        (at_or(org_lat, charged, np.nan), at_or(org_lon, charged, np.nan)),
        (at_or(lat, lives, np.nan), at_or(lon, lives, np.nan)),
    )
    org_lat, org_lon = _first_known(
        (org_lat, org_lon), (at_or(lat, registered, np.nan), at_or(lon, registered, np.nan))
    )
    n, staff = len(volunteers), np.flatnonzero(whole(owners["capacity_per_slot"]) >= 1)
    m = len(staff)
    none, unlimited = np.full(m, None, dtype=object), np.full(m, NO_LIMIT)
    named, usual = objects(volunteers["mode"]), MODES.index(policy.travel.mode)
    mode = np.full(n, usual)
    for position, name in enumerate(MODES):
        mode[named == name] = position
    farthest = floats(volunteers["max_travel_minutes"])
    usual_farthest = float(policy.travel.max_minutes)
    home = np.where(charged >= 0, objects(volunteers["organization_id"]), objects(volunteers["community_id"]))
    load, cat = policy.load, np.concatenate
    providers = Providers(
        ids=Ids(cat((objects(volunteers["volunteer_id"]), organizations.values[staff]))),
        n_volunteers=n,
        home=cat((home, organizations.values[staff])),
        organization=cat((charged, staff)),
        lat=cat((own_lat, org_lat[staff])),
        lon=cat((own_lon, org_lon[staff])),
        mode=cat((mode, np.full(m, usual))),
        max_travel=cat((np.where(np.isnan(farthest), usual_farthest, farthest), np.full(m, usual_farthest))),
        clearance=cat((whole(volunteers["clearance"]), whole(owners["clearance"])[staff])),
        dialect=cat((objects(volunteers["dialect"]), none)),
        hometown=cat((objects(volunteers["hometown"]), none)),
        slot_cap=cat((np.ones(n, dtype=np.int64), whole(owners["capacity_per_slot"])[staff])),
        day_cap=cat((whole(volunteers["max_jobs_per_day"], load.jobs_per_day), unlimited)),
        week_cap=cat((whole(volunteers["max_jobs_per_week"], load.jobs_per_week), unlimited)),
        preset=cat((objects(volunteers["preset"]), none)),
    )
    return providers, Organizations(organizations, whole(owners["capacity_per_week"], NO_LIMIT))
