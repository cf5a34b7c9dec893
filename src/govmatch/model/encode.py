"""Canonical tables to the arrays of `encoded`: nodes and supply. Demand is in `demand`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch.model.cells import Cells
from govmatch.model.coordinates import to_wgs84
from govmatch.model.encoded import FloatArray, Int32Array, Nodes, Supply, TextArray
from govmatch.model.horizon import Horizon
from govmatch.model.policy import Policy
from govmatch.model.schema import CRS, MODES, NODE_TABLES
from govmatch.model.sheets import Sheets
from govmatch.model.slots import slots_of

NO_CAP = -1


def encode_nodes(sheets: Sheets) -> Nodes:
    """Return the nodes of the alliance: communities, then party units, then organisations."""
    return Nodes(
        node_id=np.concatenate([sheets[name][sheets[name].table.key[0]].values for name in NODE_TABLES]),
        name=np.concatenate([sheets[name]["name"].values for name in NODE_TABLES]),
        n_communities=sheets["communities"].n,
        n_units=sheets["party_units"].n,
    )


def own_places(sheets: Sheets, table: str) -> tuple[FloatArray, FloatArray]:
    """Return the coordinates that rows state themselves, in WGS-84; NaN where they state none."""
    sheet = sheets[table]
    lat, lon, crs = sheet["lat"].values, sheet["lon"].values, sheet["crs"]
    if crs.uniques is None or crs.codes is None or all(name == CRS[0] for name in crs.uniques):
        return lat.copy(), lon.copy()
    codes = np.array([CRS.index(name) for name in crs.uniques], dtype=np.int64)[crs.codes]
    return to_wgs84(lat, lon, codes)


def fall_back(
    lat: FloatArray, lon: FloatArray, where: Int32Array, other_lat: FloatArray, other_lon: FloatArray
) -> None:
    """Fill unknown places in place from the rows `where` (-1: none) of another table."""
    rows = np.flatnonzero(np.isnan(lat) & (where >= 0))
    lat[rows], lon[rows] = other_lat[where[rows]], other_lon[where[rows]]


def _codes(cells: Cells, mapping: dict[str, int], default: int) -> NDArray[np.int64]:
    """Replace distinct texts by numbers."""
    uniques = [] if cells.uniques is None else cells.uniques.tolist()
    return np.array([mapping[text] for text in uniques] + [default], dtype=np.int64)[cells.codes]


def provider_numbers(sheets: Sheets) -> Int32Array:
    """Return the provider of each volunteer, then of each organisation; -1: it has no staff of its own."""
    n_volunteers = sheets["volunteers"].n
    own = np.flatnonzero(sheets["organizations"]["capacity_per_slot"].values >= 1)
    found = np.full(n_volunteers + sheets["organizations"].n, -1, dtype=np.int32)
    found[:n_volunteers] = np.arange(n_volunteers)
    found[n_volunteers + own] = n_volunteers + np.arange(len(own))
    return found


def encode_supply(sheets: Sheets, policy: Policy, horizon: Horizon) -> Supply:
    """Encode providers, their skills and slots.

    An organisation provides by itself where ``capacity_per_slot >= 1``. A place that is not stated is
    the organisation's, else the community's.
    """
    volunteers, organizations = sheets["volunteers"], sheets["organizations"]
    n_volunteers = volunteers.n
    staff = organizations["capacity_per_slot"].values
    provider_of = provider_numbers(sheets)
    own = np.flatnonzero(provider_of[n_volunteers:] >= 0).astype(np.int32)

    first_organization = sheets["communities"].n + sheets["party_units"].n
    organization_community = sheets.positions("organizations", "community_id")
    organization = np.concatenate([sheets.positions("volunteers", "organization_id"), own])
    community = np.concatenate([sheets.positions("volunteers", "community_id"), organization_community[own]])
    charged = organization >= 0
    home = np.where(charged, first_organization + organization, community)
    away = charged & (community < 0)
    community[away] = organization_community[organization[away]]

    at_community = own_places(sheets, "communities")
    at_organization = own_places(sheets, "organizations")
    lat, lon = (
        np.concatenate([mine, theirs[own]])
        for mine, theirs in zip(own_places(sheets, "volunteers"), at_organization, strict=True)
    )
    fall_back(lat, lon, organization, *at_organization)
    fall_back(lat, lon, community, *at_community)

    def number(column: str, default: float, for_staff: float) -> FloatArray:
        cells = volunteers[column]
        values = cells.values if cells.missing is None else np.where(cells.missing, default, cells.values)
        return np.concatenate([values, np.full(len(own), for_staff)])

    mode = MODES.index(policy.travel.mode)
    modes = _codes(volunteers["mode"], {name: i for i, name in enumerate(MODES)}, mode)
    week_cap = organizations["capacity_per_week"]
    slots = slots_of(sheets, policy, horizon, provider_of, _presets(sheets, policy, len(own)))
    slot_day = sheets.zone.day(slots.start * 60_000_000)
    skills, skill_provider, skill_code, skill_level, skill_until = _skills(sheets, provider_of)
    no_code = np.full(len(own), -1, dtype=np.int32)
    return Supply(
        provider_id=sheets.register("volunteers", "organizations").ids[np.flatnonzero(provider_of >= 0)],
        n_volunteers=n_volunteers,
        home=home.astype(np.int32),
        community=community.astype(np.int32),
        organization=organization.astype(np.int32),
        lat=lat,
        lon=lon,
        mode=np.concatenate([modes, np.full(len(own), mode)]).astype(np.int8),
        max_travel_minutes=number("max_travel_minutes", policy.travel.max_minutes, policy.travel.max_minutes),
        clearance=np.concatenate(
            [volunteers["clearance"].values, organizations["clearance"].values[own]]
        ).astype(np.int8),
        dialect=np.concatenate([_text_codes(volunteers["dialect"]), no_code]),
        hometown=np.concatenate([_text_codes(volunteers["hometown"]), no_code]),
        day_cap=number("max_jobs_per_day", policy.load.jobs_per_day, NO_CAP).astype(np.int64),
        week_cap=number("max_jobs_per_week", policy.load.jobs_per_week, NO_CAP).astype(np.int64),
        organization_week_cap=np.where(week_cap.present, week_cap.values, NO_CAP),
        skills=skills,
        skill_provider=skill_provider,
        skill_code=skill_code,
        skill_level=skill_level,
        skill_until=skill_until,
        slot_provider=slots.provider,
        slot_start=slots.start,
        slot_end=slots.end,
        slot_capacity=np.concatenate([np.ones(n_volunteers, dtype=np.int64), staff[own]])[slots.provider],
        slot_day=slot_day,
        slot_week=((slot_day + 3) // 7).astype(np.int32),
        slot_assumed=slots.assumed,
        dialects=_texts(volunteers["dialect"]),
        hometowns=_texts(volunteers["hometown"]),
    )


def _text_codes(cells: Cells) -> Int32Array:
    codes: Int32Array = np.asarray(cells.codes, dtype=np.int32)
    return codes


def _texts(cells: Cells) -> TextArray:
    return np.array([], dtype=object) if cells.uniques is None else cells.uniques


def _presets(sheets: Sheets, policy: Policy, n_staff: int) -> Int32Array:
    """Return the preset of each provider that may stand in for unknown availability."""
    names = {name: i for i, name in enumerate(policy.presets.named)}
    default = -1
    if not sheets["availability"].given:
        default = names[policy.presets.default]
    own = _codes(sheets["volunteers"]["preset"], names, default)
    return np.concatenate([own, np.full(n_staff, default)]).astype(np.int32)


def _skills(
    sheets: Sheets, provider_of: Int32Array
) -> tuple[TextArray, Int32Array, Int32Array, NDArray[np.int8], Int32Array]:
    """Return names of skills in alphabetical order, and what each provider holds."""
    sheet = sheets["skills"]
    skill, until = sheet["skill"], sheet["certified_until"]
    provider = np.append(provider_of, np.int32(-1))[sheets.positions("skills", "provider_id")]
    codes = np.asarray(skill.codes)
    held = np.flatnonzero(provider >= 0)
    names = _texts(skill)
    offered = np.zeros(len(names), dtype=bool)
    offered[codes[held]] = True
    ranked = sorted(np.flatnonzero(offered).tolist(), key=lambda code: str(names[code]))
    rank = np.full(len(names), -1, dtype=np.int32)
    rank[ranked] = np.arange(len(ranked))
    # no provider has a skill twice, so that the order of the rows as given does not matter
    order = held[np.argsort(provider[held].astype(np.int64) * (len(ranked) + 1) + rank[codes[held]])]
    # a certificate that ended before 1970 is worth as much as none
    last = (
        np.maximum(until.values, -1)
        if until.missing is None
        else np.where(until.missing, -1, np.maximum(until.values, -1))
    )
    return (
        names[np.array(ranked, dtype=np.intp)],
        provider[order],
        rank[codes[order]],
        sheet["level"].values[order].astype(np.int8),
        last[order].astype(np.int32),
    )
