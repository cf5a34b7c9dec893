"""Sessions as the tables state them, read anew for the verifier: seats, holders, households."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_amounts import asked_amounts
from govmatch.plan.verify_columns import (
    BoolArray,
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
from govmatch.plan.verify_demand import Requests
from govmatch.plan.verify_paths import hundredths
from govmatch.plan.verify_slots import Calendar, Slots, utc_minutes
from govmatch.plan.verify_supply import NO_LIMIT, Providers
from govmatch.plan.verify_travel import MODES

CERTIFIED = 10_000_000
"""A day after all others: a session's certificate does not end."""

_SESSION = (
    "session_id", "provider_id", "community_id", "lat", "lon", "crs", "skill", "level", "certified",
    "clearance", "start", "end", "seats", "min_seats", "open_minutes",
)  # fmt: skip


@dataclass(frozen=True)
class Seats:
    """The rows of `sessions`; as providers they come after all others."""

    ids: ObjectArray
    holder_id: ObjectArray
    first: int  # position of the first as a provider
    holder: IntArray  # position as a provider, -1: nobody who can be sent
    skill: ObjectArray
    level: IntArray
    certified: BoolArray
    start: IntArray  # within the horizon
    end: IntArray  # likewise; not after `start` where nothing of it lies in the horizon
    stated: tuple[IntArray, IntArray]  # start and end as they are
    seats: IntArray
    fewest: IntArray
    open_cost: IntArray  # hundredths

    def __len__(self) -> int:
        return len(self.ids)

    def slots(self, others: Slots, calendar: Calendar) -> Slots:
        """Add the sessions to the slots of people, and take out those of their holders meanwhile."""
        taken = np.zeros(len(others.start), dtype=bool)
        for who, begin, finish in zip(self.holder.tolist(), *(x.tolist() for x in self.stated), strict=True):
            if who >= 0 and begin < finish:
                taken |= (others.provider == who) & (others.start < finish) & (others.end > begin)
        at = np.flatnonzero(self.start < self.end)
        kept = ~taken
        return Slots(
            provider=np.concatenate((others.provider[kept], self.first + at)),
            start=np.concatenate((others.start[kept], self.start[at])),
            end=np.concatenate((others.end[kept], self.end[at])),
            day=np.concatenate((others.day[kept], calendar.day(self.start[at]))),
            assumed=np.concatenate((others.assumed[kept], np.zeros(len(at), dtype=bool))),
        )

    def banned(self, pairs: Sequence[tuple[int, Any]], volunteers: pd.DataFrame) -> list[tuple[int, int]]:
        """Return request and session of every pin that forbids the holder, or whom they are charged to."""
        charged = dict(
            zip(objects(volunteers["volunteer_id"]), objects(volunteers["organization_id"]), strict=True)
        )
        found = []
        for s, holder in enumerate(self.holder_id.tolist()):
            if holder is not None:
                names = {holder, charged.get(holder)} - {None}
                found += [(request, self.first + s) for request, name in pairs if name in names]
        return found


def read_seats(tables: Any, providers: Providers, horizon: tuple[int, int]) -> Seats:
    """Read the sessions; `providers` are the people."""
    rows = table_of(tables, "sessions", _SESSION)
    start, end = utc_minutes(rows["start"], up=True), utc_minutes(rows["end"])
    holder = objects(rows["provider_id"])
    return Seats(
        ids=objects(rows["session_id"]),
        holder_id=np.array([None if x is None or x != x else x for x in holder] + [None], dtype=object)[:-1],
        first=len(providers.ids),
        holder=providers.ids.at(holder),
        skill=objects(rows["skill"]),
        level=whole(rows["level"]),
        certified=np.asarray(rows["certified"], dtype=bool),
        start=np.maximum(start, horizon[0]),
        end=np.minimum(end, horizon[1]),
        stated=(start, end),
        seats=whole(rows["seats"]),
        fewest=whole(rows["min_seats"], 1),
        open_cost=np.asarray(hundredths(np.nan_to_num(floats(rows["open_minutes"]))), dtype=np.int64),
    )


def with_seats(tables: Any, policy: Any, people: Providers) -> Providers:
    """Add the sessions as providers: of the usual mode and longest way, charged to nobody."""
    rows = table_of(tables, "sessions", _SESSION)
    n = len(rows)
    if not n:
        return people
    communities = tables["communities"]
    at = Ids(communities["community_id"]).at(objects(rows["community_id"]))
    lat, lon = place_of(rows)
    unplaced = np.isnan(lat) | np.isnan(lon)
    there = [at_or(x, at, np.nan) for x in place_of(communities)]
    volunteers = table_of(tables, "volunteers", ("volunteer_id", "organization_id", "community_id"))
    home: dict[Any, Any] = {}
    for who, firm, place in zip(
        *(objects(volunteers[c]) for c in ("volunteer_id", "organization_id", "community_id")), strict=True
    ):
        home[who] = place if firm is None or firm != firm else firm
    for firm in objects(table_of(tables, "organizations", ("organization_id",))["organization_id"]):
        home[firm] = firm
    where, none, cat = objects(rows["community_id"]), np.full(n, None, dtype=object), np.concatenate
    ends = [home.get(h, c) for h, c in zip(objects(rows["provider_id"]), where, strict=True)]
    return replace(
        people,
        ids=Ids(cat((people.ids.values, objects(rows["session_id"])))),
        home=cat((people.home, np.array([*ends, None], dtype=object)[:-1])),
        organization=cat((people.organization, np.full(n, -1))),
        lat=cat((people.lat, np.where(unplaced, there[0], lat))),
        lon=cat((people.lon, np.where(unplaced, there[1], lon))),
        mode=cat((people.mode, np.full(n, MODES.index(policy.travel.mode)))),
        max_travel=cat((people.max_travel, np.full(n, float(policy.travel.max_minutes)))),
        clearance=cat((people.clearance, whole(rows["clearance"]))),
        dialect=cat((people.dialect, none)),
        hometown=cat((people.hometown, none)),
        slot_cap=cat((people.slot_cap, whole(rows["seats"]))),
        day_cap=cat((people.day_cap, np.full(n, NO_LIMIT))),
        week_cap=cat((people.week_cap, np.full(n, NO_LIMIT))),
        preset=cat((people.preset, none)),
    )


def may_sit(tables: Any, wish: Requests, seats: Seats, assigning: IntArray) -> BoolArray:
    """Tell which requests a seat may serve: of one skill, no team, no goods, and nobody assigned."""
    skills = np.bincount(wish.roles.request[wish.roles.need_role], minlength=len(wish.ids))
    found = (skills == 1) & ~wish.team & ~wish.linked & ~np.isin(wish.row, assigning)
    found &= ~np.isin(wish.row, sorted(asked_amounts(tables, wish.base)))
    return np.asarray(found & (len(seats) > 0))


def households(tables: Any, wish: Requests, sits: BoolArray) -> IntArray:
    """Return a number for those who sit together if they sit: household, skill, windows that overlap."""
    found = np.full(len(wish.ids), -1, dtype=np.int64)
    if "residents" not in tables or not sits.any():
        return found
    theirs = tables["residents"]
    who = Ids(theirs["resident_id"]).at(objects(tables["requests"]["resident_id"]))[wish.row]
    home = at_or(objects(theirs["household_id"]), who, None)
    skill = np.full(len(wish.ids), None, dtype=object)
    skill[wish.roles.request[wish.roles.need_role]] = wish.roles.need_skill
    frame = pd.DataFrame(
        {
            "home": home,
            "skill": skill,
            "from": wish.earliest,
            "to": wish.latest,
            "r": np.arange(len(wish.ids)),
        }
    )
    frame = frame[sits & frame["home"].notna().to_numpy()].sort_values(
        ["home", "skill", "from"], kind="stable"
    )
    number, reach, before = -1, 0, None
    columns = (frame[c].tolist() for c in ("home", "skill", "from", "to", "r"))
    for home_of, asks, begin, finish, r in zip(*columns, strict=True):
        if (home_of, asks) != before or begin >= reach:
            number, reach, before = number + 1, finish, (home_of, asks)
        reach = max(reach, finish)
        found[r] = number
    size = np.bincount(found[found >= 0], minlength=number + 1)
    alone = (found >= 0) & (np.append(size, 0)[found] < 2)
    return np.where(alone, -1, found)
