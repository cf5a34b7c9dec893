"""Requests and their needs as the tables state them, read anew for the verifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_amounts import starts_on_several_days
from govmatch.plan.verify_columns import (
    BoolArray,
    Ids,
    IntArray,
    ObjectArray,
    at_or,
    objects,
    place_of,
    table_of,
    whole,
)
from govmatch.plan.verify_paths import hundredths
from govmatch.plan.verify_recurrence import caps_and_known, dated_rows, read_visits, visit_lengths
from govmatch.plan.verify_slots import NEVER, utc_minutes
from govmatch.plan.verify_travel import FloatArray

_ROLE = (
    "request_id", "role", "skill", "level", "certified", "count", "leader", "minutes", "clearance", "after",
    "after_least", "after_most",
)  # fmt: skip


@dataclass(frozen=True)
class Roles:
    """Every request's roles, by request; one that lists none has one role."""

    request: IntArray  # ascending
    name: ObjectArray
    people: IntArray
    leader: BoolArray
    must: BoolArray  # somebody missing here is missing to the whole team
    minutes: IntArray
    clearance: IntArray
    after: IntArray  # position here of the role that it follows; -1 none
    least: IntArray  # minutes after that one's start
    steps: IntArray  # how many steps of the policy later it may start
    need_role: IntArray  # ascending
    need_skill: ObjectArray
    need_level: IntArray
    need_certified: BoolArray


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
    people: IntArray  # of all roles
    fewest: IntArray  # with whom it is served
    team: BoolArray  # its people come together or not at all
    priority: IntArray
    category: ObjectArray
    group: ObjectArray
    dialect: ObjectArray
    hometown: ObjectArray
    unmet_cost: IntArray  # hundredths, of one person
    worth: IntArray  # the same with the prices of its floors
    roles: Roles
    first_role: IntArray  # (n + 1,)

    def role_at(self, request: IntArray, name: ObjectArray) -> IntArray:
        """Return the position of each request's role of that name, -1 where it has none."""
        keys = zip(self.roles.request.tolist(), self.roles.name.tolist(), strict=True)
        place = {key: q for q, key in enumerate(keys)}
        wanted = zip(request.tolist(), name.tolist(), strict=True)
        return np.array([place.get(key, -1) for key in wanted], dtype=np.int64)


def _roles(tables: Any, ids: Ids, policy: Any) -> Roles:
    """Read roles from `roles`, and one of each request that has no rows there."""
    asked = tables["requests"]
    listed = table_of(tables, "roles", _ROLE)
    listed = listed.assign(request=ids.at(listed["request_id"]), place=np.arange(len(listed)))
    listed = listed[listed["request"] >= 0]
    alone = pd.DataFrame({c: asked[c].to_numpy() for c in ("skill", "level", "certified", "people")})
    alone = alone.rename(columns={"people": "count"}).assign(
        request=np.arange(len(asked)), role="helper", place=-1
    )
    alone = alone[~alone["request"].isin(listed["request"])]
    rows = pd.concat([alone, listed], ignore_index=True).sort_values(["request", "place"], kind="stable")
    number = pd.MultiIndex.from_frame(rows[["request", "role"]])
    code, _ = pd.factorize(number)  # in the order of the rows, which is by request
    first = rows[~pd.Series(code).duplicated().to_numpy()]
    request = whole(first["request"])
    least = whole(first["after_least"], 0)
    most = whole(first["after_most"], -1)
    name = objects(first["role"])
    place = {key: q for q, key in enumerate(zip(request.tolist(), name.tolist(), strict=True))}
    after = [
        -1 if up is None or pd.isna(up) else place[r, up]
        for r, up in zip(request.tolist(), objects(first["after"]).tolist(), strict=True)
    ]
    several = np.bincount(request, minlength=len(asked))[request] > 1
    everybody = several & asked["min_serve"].isna().to_numpy()[request]
    leader = np.array([x is True for x in objects(first["leader"]).tolist()], dtype=bool)
    needed = rows["skill"].notna().to_numpy()
    order = np.argsort(code[needed], kind="stable")
    needs = rows[needed].iloc[order]
    minutes, clearance = whole(first["minutes"], -1), whole(first["clearance"], -1)
    return Roles(
        request=request,
        name=name,
        people=whole(first["count"]),
        leader=leader,
        must=everybody | leader,
        minutes=np.where(minutes < 0, whole(asked["minutes"])[request], minutes),
        clearance=np.where(clearance < 0, whole(asked["clearance"])[request], clearance),
        after=np.array(after, dtype=np.int64),
        least=least,
        steps=np.maximum(np.where(most < 0, least, most) - least, 0) // int(policy.slots.start_minutes),
        need_role=code[needed][order].astype(np.int64),
        need_skill=objects(needs["skill"]),
        need_level=whole(needs["level"]),
        need_certified=np.asarray(needs["certified"], dtype=bool),
    )


def _repeated(roles: Roles, row: IntArray) -> Roles:
    """Repeat each row's roles and their needs for each of its visits."""
    if np.array_equal(row, np.arange(len(row))):
        return roles
    visit = pd.DataFrame({"visit": np.arange(len(row)), "request": row})
    role = pd.DataFrame({"request": roles.request, "old": np.arange(len(roles.request))})
    role = visit.merge(role, on="request", how="left")  # by visit, then as before
    role["new"] = np.arange(len(role))
    old = role["old"].to_numpy(dtype=np.int64)
    need = pd.DataFrame({"old": roles.need_role, "need": np.arange(len(roles.need_role))})
    need = role[["old", "new"]].merge(need, on="old", how="inner").sort_values(["new", "need"])
    place = role.set_index(["visit", "old"])["new"]
    follows = np.flatnonzero(roles.after[old] >= 0)
    after = np.full(len(role), -1, dtype=np.int64)
    leading = pd.MultiIndex.from_arrays([role["visit"].to_numpy()[follows], roles.after[old[follows]]])
    after[follows] = place.reindex(leading).to_numpy(dtype=np.int64)
    at = need["need"].to_numpy(dtype=np.int64)
    return Roles(
        request=role["visit"].to_numpy(dtype=np.int64),
        name=roles.name[old],
        people=roles.people[old],
        leader=roles.leader[old],
        must=roles.must[old],
        minutes=roles.minutes[old],
        clearance=roles.clearance[old],
        after=after,
        least=roles.least[old],
        steps=roles.steps[old],
        need_role=need["new"].to_numpy(dtype=np.int64),
        need_skill=roles.need_skill[at],
        need_level=roles.need_level[at],
        need_certified=roles.need_certified[at],
    )


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
    earliest = np.where(earliest == NEVER, begin, earliest)
    latest = np.where(latest == NEVER, finish, latest)
    roles = _roles(tables, ids, policy)
    people = np.bincount(roles.request, roles.people, n).astype(np.int64)
    several = np.bincount(roles.request, minlength=n) > 1
    fewest = whole(asked["min_serve"], -1)
    fewest = np.where(fewest < 0, np.where(several, people, 1), fewest)
    fewest = np.maximum(fewest, np.bincount(roles.request, roles.people * roles.leader, n).astype(np.int64))
    length = latest - earliest
    visits = read_visits(problem)
    for r, minutes in visit_lengths(problem, visits).items():
        length[r] = minutes
    team = several | ((people > 1) & ((fewest > 1) | (length > policy.slots.long_minutes)))
    one_role = np.searchsorted(roles.request, np.arange(n))  # where there are more it is a team
    team |= starts_on_several_days(problem, ids, earliest, latest, roles.minutes[one_role], visits)
    priority = whole(asked["priority"])
    minutes = policy.unmet.group_minutes
    extra = np.array([float(minutes.get(g, 0.0)) for g in group.tolist()])
    price = policy.unmet.base_minutes + policy.unmet.priority_minutes * (priority - 1) + extra
    floors = policy.floors
    under = np.array([floors.group_share.get(g, 0) > 0 for g in group.tolist()], dtype=np.int64)
    under += floors.community_share > 0
    row, names, earliest, latest = dated_rows(problem, visits, ids.values, earliest, latest)
    caps, known = caps_and_known(tables)
    roles = _repeated(roles, row)
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
        people=people[row],
        fewest=fewest[row],
        team=team[row],
        priority=priority[row],
        category=objects(asked["category"])[row],
        group=group[row],
        dialect=objects(asked["dialect"])[row],
        hometown=objects(asked["hometown"])[row],
        unmet_cost=hundredths(price)[row],
        worth=(hundredths(price) + under * hundredths(floors.price_minutes))[row],
        roles=roles,
        first_role=np.searchsorted(roles.request, np.arange(len(row) + 1)),
    )
