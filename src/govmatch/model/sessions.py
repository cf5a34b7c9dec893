"""Group sessions: providers of seats, whom they keep busy, and who is seated together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.encode import NO_CAP, fall_back, own_places, provider_numbers
from govmatch.model.encoded import (
    BoolArray,
    Demand,
    Goods,
    Int32Array,
    IntArray,
    Sessions,
    Supply,
    Teams,
    TextArray,
)
from govmatch.model.horizon import Horizon
from govmatch.model.policy import Policy
from govmatch.model.schema import MODES, PROVIDER_TABLES
from govmatch.model.sheets import Sheets
from govmatch.model.times import MINUTE, ceil_minutes
from govmatch.model.violations import Violations

ALWAYS = 2_000_000
"""A local day after all others: a session's certificate does not end."""


def check_sessions(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    """Report sessions that end before they start, lack seats, overlap, or are named as a provider is."""
    sheet = sheets["sessions"]
    ids = sheet["session_id"].values
    seats, fewest = sheet["seats"], sheet["min_seats"].values
    message = "at least {} people are to come, more than it has seats; expected as many or fewer"
    short = seats.present & (fewest > seats.values)
    violations.mask("sessions", "min_seats", "count_conflict", message, short, fewest)
    also = sheets.register(*PROVIDER_TABLES).find(ids) >= 0
    message = "{} is also a volunteer or an organisation; expected an id of its own"
    violations.mask(
        "sessions", "session_id", "ambiguous_id", message, also & sheet["session_id"].present, ids
    )
    start, end = sheet["start"], sheet["end"]
    both = start.present & end.present
    wrong = both & (end.values <= start.values)
    message = "end is not after start; {}"
    violations.mask("sessions", "end", "inverted_window", message, wrong, ids)
    holder = sheets.positions("sessions", "provider_id")
    at = np.flatnonzero(both & ~wrong & (holder >= 0))
    order = at[np.lexsort((end.values[at], start.values[at], holder[at]))]
    latest = pd.Series(end.values[order]).groupby(holder[order]).cummax()
    before = latest.groupby(holder[order]).shift(1, fill_value=np.iinfo(np.int64).min).to_numpy()
    clash = np.zeros(sheet.n, dtype=bool)
    clash[order[before > start.values[order]]] = True
    message = "overlaps another session that {} holds; expected sessions of one holder to lie apart"
    violations.mask("sessions", "start", "overlap", message, clash, sheet["provider_id"].values)


def _times(sheets: Sheets) -> tuple[IntArray, IntArray]:
    """Return the whole minutes of each session."""
    sheet = sheets["sessions"]
    start: IntArray = ceil_minutes(sheet["start"].values)
    end: IntArray = sheet["end"].values // MINUTE
    return start, end


def add_sessions(supply: Supply, sheets: Sheets, policy: Policy, horizon: Horizon) -> Supply:
    """Append the sessions to a supply, and take out the slots that their holders have meanwhile.

    A session has its own place, else its community's; its route ends at its holder's home, else in its
    community. No organisation is charged for its seats.
    """
    sheet, n = sheets["sessions"], sheets["sessions"].n
    if not n:
        return supply
    start, end = _times(sheets)
    holder = sheets.positions("sessions", "provider_id").astype(np.int64)
    supply = _freed(supply, np.append(provider_numbers(sheets), np.int32(-1))[holder], start, end)
    community = sheets.positions("sessions", "community_id")
    lat, lon = own_places(sheets, "sessions")
    fall_back(lat, lon, community, *own_places(sheets, "communities"))
    firsts = supply.n_providers + np.arange(n)
    begin, finish = np.maximum(start, horizon[0]), np.minimum(end, horizon[1])
    slot = np.flatnonzero(begin < finish)
    day = sheets.zone.day(begin[slot] * MINUTE)
    names, codes, mine = _merged(supply, sheet["skill"].values)
    none = np.full(n, -1, np.int32)
    until = np.where(sheet["certified"].values.astype(bool), ALWAYS, -1)

    def both(given: NDArray[Any], more: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([given, more.astype(given.dtype)])

    return replace(
        supply,
        provider_id=both(supply.provider_id, sheet["session_id"].values),
        home=both(supply.home, _homes(sheets, holder, community)),
        community=both(supply.community, community),
        organization=both(supply.organization, none),
        lat=both(supply.lat, lat),
        lon=both(supply.lon, lon),
        mode=both(supply.mode, np.full(n, MODES.index(policy.travel.mode))),
        max_travel_minutes=both(supply.max_travel_minutes, np.full(n, float(policy.travel.max_minutes))),
        clearance=both(supply.clearance, sheet["clearance"].values),
        dialect=both(supply.dialect, none),
        hometown=both(supply.hometown, none),
        day_cap=both(supply.day_cap, np.full(n, NO_CAP)),
        week_cap=both(supply.week_cap, np.full(n, NO_CAP)),
        skills=names,
        skill_provider=both(supply.skill_provider, firsts),
        skill_code=both(codes[supply.skill_code], mine),
        skill_level=both(supply.skill_level, sheet["level"].values),
        skill_until=both(supply.skill_until, until),
        slot_provider=both(supply.slot_provider, firsts[slot]),
        slot_start=both(supply.slot_start, begin[slot]),
        slot_end=both(supply.slot_end, finish[slot]),
        slot_capacity=both(supply.slot_capacity, sheet["seats"].values[slot]),
        slot_day=both(supply.slot_day, day),
        slot_week=both(supply.slot_week, (day + 3) // 7),
        slot_assumed=both(supply.slot_assumed, np.zeros(len(slot), np.bool_)),
        sessions=Sessions(
            row=np.arange(n),
            holder=holder,
            fewest=sheet["min_seats"].values.astype(np.int64),
            open_cost=np.floor(sheet["open_minutes"].values * 100 + 0.5).astype(np.int64),
        ),
    )


def _freed(supply: Supply, holder: Int32Array, start: IntArray, end: IntArray) -> Supply:
    """Take out the slots that overlap a session of their provider."""
    at = np.flatnonzero((holder >= 0) & (start < end))
    at = at[np.lexsort((start[at], holder[at]))]
    if not len(at) or not len(supply.slot_start):
        return supply
    first = min(int(start[at].min()), int(supply.slot_start.min()))
    span = max(int(end[at].max()), int(supply.slot_end.max())) - first + 1
    provider = supply.slot_provider.astype(np.int64)
    # sessions of one holder lie apart: of those that begin before a slot ends, the last ends last
    key = holder[at].astype(np.int64) * span + start[at] - first
    last = at[np.searchsorted(key, provider * span + supply.slot_end - first) - 1]
    free = (holder[last] != provider) | (end[last] <= supply.slot_start) | (start[last] >= supply.slot_end)
    if free.all():
        return supply
    return replace(
        supply,
        **{
            name: getattr(supply, name)[free]
            for name in (
                "slot_provider", "slot_start", "slot_end", "slot_capacity", "slot_day", "slot_week",
                "slot_assumed",
            )
        },
    )  # fmt: skip


def _homes(sheets: Sheets, holder: IntArray, community: Int32Array) -> IntArray:
    """Return the node at which the route to each session ends."""
    n_volunteers, n_organizations = sheets["volunteers"].n, sheets["organizations"].n
    first = sheets["communities"].n + sheets["party_units"].n
    charged = sheets.positions("volunteers", "organization_id")
    lives = sheets.positions("volunteers", "community_id")
    home = np.where(charged >= 0, first + charged, lives)
    home = np.concatenate([home, first + np.arange(n_organizations), [-1]]).astype(np.int64)
    assert len(home) == n_volunteers + n_organizations + 1
    return np.where(holder >= 0, home[holder], community)


def _merged(supply: Supply, offered: TextArray) -> tuple[TextArray, IntArray, IntArray]:
    """Return the names of all skills, the new code of each old one, and the code of each session's."""
    names = np.array([*sorted({*supply.skills.tolist(), *offered.tolist()}), None], dtype=object)[:-1]
    place = {name: code for code, name in enumerate(names.tolist())}
    codes = np.array([place[name] for name in supply.skills.tolist()], dtype=np.int64)
    return names, codes, np.array([place[name] for name in offered.tolist()], dtype=np.int64)


def people_of(supply: Supply) -> Supply:
    """Return the supply without its sessions; positions stay."""
    n, m = supply.n_people, int(np.searchsorted(supply.slot_provider, supply.n_people))
    return _part(supply, slice(0, n), slice(0, m), 0)


def seats_of(supply: Supply) -> tuple[Supply, int, int]:
    """Return the sessions alone, and how many providers and slots stand before them."""
    n, m = supply.n_people, int(np.searchsorted(supply.slot_provider, supply.n_people))
    return _part(supply, slice(n, None), slice(m, None), n), n, m


def _part(supply: Supply, providers: slice, slots: slice, before: int) -> Supply:
    columns = {
        name: getattr(supply, name)[providers]
        for name in (
            "provider_id", "home", "community", "organization", "lat", "lon", "mode", "max_travel_minutes",
            "clearance", "dialect", "hometown", "day_cap", "week_cap",
        )
    } | {
        name: getattr(supply, name)[slots]
        for name in ("slot_start", "slot_end", "slot_capacity", "slot_day", "slot_week", "slot_assumed")
    }  # fmt: skip
    end = before + len(columns["provider_id"])
    skills = slice(*np.searchsorted(supply.skill_provider, [before, end]))
    return replace(
        supply,
        **columns,
        n_volunteers=0 if before else supply.n_volunteers,
        skill_provider=supply.skill_provider[skills] - np.int32(before),
        skill_code=supply.skill_code[skills],
        skill_level=supply.skill_level[skills],
        skill_until=supply.skill_until[skills],
        slot_provider=supply.slot_provider[slots] - np.int32(before),
        sessions=supply.sessions if before else Sessions(*(np.zeros(0, np.int64) for _ in range(4))),
    )


def may_sit(supply: Supply, demand: Demand, teams: Teams, goods: Goods) -> BoolArray:
    """Tell which requests a seat may serve: of one skill, no team, no goods, nobody assigned; (R,)."""
    found: BoolArray = (np.diff(demand.need_ptr) == 1) & (supply.sessions.n > 0)
    found[teams.request] = False
    found[goods.request] = False
    found[demand.assign_request] = False
    return found


def siblings(sheets: Sheets, supply: Supply, demand: Demand, sits: BoolArray) -> IntArray:
    """Return a number for those of one household, for one skill, whose windows overlap, (n_requests,).

    -1: who is alone. `sits`: see `may_sit`.
    """
    household = sheets["residents"]["household_id"]
    resident = sheets.positions("requests", "resident_id")[demand.row]
    code = np.append(pd.factorize(household.values)[0], -1)[resident]
    found = np.full(demand.n_requests, -1, np.int64)
    at = np.flatnonzero((code >= 0) & sits)
    if not len(at):
        return found
    skill = demand.need_skill[demand.need_ptr[at]].astype(np.int64)
    group = code[at].astype(np.int64) * (len(supply.skills) + 3) + skill
    order = np.lexsort((demand.earliest[at], group))
    at, group = at[order], group[order]
    latest = pd.Series(demand.latest[at]).groupby(group).cummax().to_numpy()
    new = np.ones(len(at), np.bool_)
    new[1:] = (group[1:] != group[:-1]) | (demand.earliest[at[1:]] >= latest[:-1])
    number = np.cumsum(new) - 1
    several = np.bincount(number)[number] > 1
    found[at[several]] = np.unique(number[several], return_inverse=True)[1]
    return found
