"""Requests and their needs as the tables state them, read anew for the verifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import (
    BoolArray,
    Ids,
    IntArray,
    ObjectArray,
    at_or,
    objects,
    place_of,
    whole,
)
from govmatch.plan.verify_paths import hundredths
from govmatch.plan.verify_recurrence import caps_and_known, dated_rows
from govmatch.plan.verify_slots import NEVER, utc_minutes
from govmatch.plan.verify_travel import FloatArray


@dataclass(frozen=True)
class Requests:
    """All rows of `requests`, linked duplicates included; a row that recurs is one for each dated visit."""

    ids: Ids
    base: Ids  # of the rows of the table
    row: IntArray  # row of the table
    caps: dict[int, int]  # most faces, by row of the table that recurs
    known: dict[int, frozenset[str]]  # who served it or its resident before, by row that recurs
    linked: BoolArray
    community: ObjectArray
    lat: FloatArray
    lon: FloatArray
    earliest: IntArray
    latest: IntArray
    minutes: IntArray
    people: IntArray
    priority: IntArray
    clearance: IntArray
    category: ObjectArray
    group: ObjectArray
    dialect: ObjectArray
    hometown: ObjectArray
    role: ObjectArray
    unmet_cost: IntArray  # hundredths, of one person
    need_request: IntArray  # row of the table, ascending
    need_skill: ObjectArray
    need_level: IntArray
    need_certified: BoolArray


def _needs(tables: Any, ids: Ids) -> pd.DataFrame:
    """Return needs (request, role, skill, level, certified, count) ascending by request."""
    asked = tables["requests"]
    plain = pd.DataFrame({c: asked[c].to_numpy() for c in ("skill", "level", "certified")})
    plain = plain.assign(request=np.arange(len(asked)), role="helper", count=-1)
    plain = plain[plain["skill"].notna()]
    if "roles" not in tables or tables["roles"].empty:
        return plain
    roles = tables["roles"]
    listed = pd.DataFrame({c: roles[c].to_numpy() for c in ("role", "skill", "level", "certified", "count")})
    listed = listed.assign(request=ids.at(roles["request_id"]))
    plain = plain[~plain["request"].isin(listed["request"])]
    return pd.concat([plain, listed[listed["request"] >= 0]]).sort_values("request", kind="stable")


def read_requests(problem: Any) -> Requests:
    """Read all rows of `requests`, with their roles, residents and places."""
    tables, policy = problem.tables, problem.policy
    asked, places = tables["requests"], tables["communities"]
    ids, n = Ids(asked["request_id"]), len(asked)
    begin, finish = problem.horizon
    lat, lon = place_of(asked)
    at = Ids(places["community_id"]).at(objects(asked["community_id"]))
    unplaced = np.isnan(lat) | np.isnan(lon)
    there = [at_or(x, at, np.nan) for x in place_of(places)]
    group = objects(asked["group"])
    if "residents" in tables:
        theirs = tables["residents"]
        who = Ids(theirs["resident_id"]).at(objects(asked["resident_id"]))
        group = np.where(pd.isna(group), at_or(objects(theirs["group"]), who, None), group)
    group = np.where(pd.isna(group), "", group)
    earliest, latest = utc_minutes(asked["earliest"], up=True), utc_minutes(asked["latest"])
    needs = _needs(tables, ids)
    owner = whole(needs["request"])
    people, role = whole(asked["people"]), np.full(n, "helper", dtype=object)
    counted = whole(needs["count"])
    people[owner[counted >= 0]] = counted[counted >= 0]
    role[owner] = objects(needs["role"])
    priority = whole(asked["priority"])
    minutes = policy.unmet.group_minutes
    extra = np.array([float(minutes.get(g, 0.0)) for g in group.tolist()])
    price = policy.unmet.base_minutes + policy.unmet.priority_minutes * (priority - 1) + extra
    row, names, earliest, latest = dated_rows(
        problem,
        ids.values,
        np.where(earliest == NEVER, begin, earliest),
        np.where(latest == NEVER, finish, latest),
    )
    caps, known = caps_and_known(tables)
    return Requests(
        ids=Ids(names),
        base=ids,
        row=row,
        caps=caps,
        known=known,
        linked=asked["duplicate_of"].notna().to_numpy(dtype=bool)[row],
        community=objects(asked["community_id"])[row],
        lat=np.where(unplaced, there[0], lat)[row],
        lon=np.where(unplaced, there[1], lon)[row],
        earliest=earliest,
        latest=latest,
        minutes=whole(asked["minutes"])[row],
        people=people[row],
        priority=priority[row],
        clearance=whole(asked["clearance"])[row],
        category=objects(asked["category"])[row],
        group=group[row],
        dialect=objects(asked["dialect"])[row],
        hometown=objects(asked["hometown"])[row],
        role=role[row],
        unmet_cost=hundredths(price)[row],
        need_request=owner,
        need_skill=objects(needs["skill"]),
        need_level=whole(needs["level"]),
        need_certified=np.asarray(needs["certified"], dtype=bool),
    )
