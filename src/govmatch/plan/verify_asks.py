"""The roles of requests read anew for plans of rounds, and where tours begin, for the verifier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from govmatch.plan.verify_columns import Ids, IntArray, ObjectArray, at_or, objects, place_of, table_of
from govmatch.plan.verify_demand import Roles
from govmatch.plan.verify_facts import Facts, read_facts
from govmatch.plan.verify_travel import FloatArray, TravelTimes

_FREE = 10**15
"""Hundredths: no cost of one visit reaches it."""


@dataclass(frozen=True)
class Asks:
    """One row a role of a request that asks for somebody; a request without roles has one.

    `facts` is `by_request` with the roles in the place of the requests, each for one person, at whatever
    cost, and with the places where tours begin as those of the providers.
    """

    request: IntArray  # position in by_request.requests, ascending
    role: ObjectArray
    people: IntArray
    after: IntArray  # position here, -1: none
    least: IntArray
    most: IntArray
    due: IntArray  # minute after which a begin is late
    facts: Facts
    by_request: Facts
    base_lat: FloatArray  # by provider
    base_lon: FloatArray


def _bases(tables: Any, policy: Any, facts: Facts) -> tuple[FloatArray, FloatArray]:
    """Return where the tours of each provider begin and end."""
    who = facts.providers
    if policy.rounds.start != "organization":
        return who.lat, who.lon
    owners = table_of(tables, "organizations", ("organization_id", "community_id", "lat", "lon", "crs"))
    lat, lon = place_of(owners)
    near = Ids(tables["communities"]["community_id"]).at(objects(owners["community_id"]))
    unplaced = np.isnan(lat) | np.isnan(lon)
    there = [at_or(x, near, np.nan) for x in place_of(tables["communities"])]
    lat, lon = np.where(unplaced, there[0], lat), np.where(unplaced, there[1], lon)
    lat, lon = at_or(lat, who.organization, np.nan), at_or(lon, who.organization, np.nan)
    known = ~(np.isnan(lat) | np.isnan(lon))
    return np.where(known, lat, who.lat), np.where(known, lon, who.lon)


def _cell(row: dict[str, Any], name: str, otherwise: Any) -> Any:
    value = row.get(name)
    return otherwise if value is None or value != value else value


def _missing(value: Any) -> bool:
    return value is None or bool(value != value)


def read_asks(problem: Any) -> Asks:
    """Read the roles of all requests that are no further reports of another."""
    tables, policy = problem.tables, problem.policy
    facts = read_facts(problem)
    wish = facts.requests
    listed: dict[int, dict[str, list[dict[str, Any]]]] = {}
    if "roles" in tables:
        rows = tables["roles"].astype(object).where(tables["roles"].notna(), None).to_dict("records")
        for at, row in zip(wish.ids.at(tables["roles"]["request_id"]).tolist(), rows, strict=True):
            if at >= 0:
                listed.setdefault(at, {}).setdefault(str(row["role"]), []).append(row)
    asked = tables["requests"].astype(object).where(tables["requests"].notna(), None).to_dict("records")
    request: list[int] = []
    columns: dict[str, list[Any]] = {
        name: [] for name in ("role", "people", "minutes", "clearance", "after", "least", "most")
    }
    needs: list[tuple[int, str, int, bool]] = []
    for r in np.flatnonzero(~wish.linked).tolist():
        mine = asked[r]
        of = listed.get(r) or {"helper": [{**mine, "count": mine["people"]}]}
        first, names = len(request), list(of)
        for name_, said in of.items():
            row = said[0]
            after = _cell(row, "after", None) if r in listed else None
            least = int(_cell(row, "after_least", 0))
            values = {
                "role": name_,
                "people": int(row["count"]),
                "minutes": int(_cell(row, "minutes", mine["minutes"])),
                "clearance": int(_cell(row, "clearance", mine["clearance"])),
                "after": -1 if after is None else first + names.index(str(after)),
                "least": least,
                "most": int(_cell(row, "after_most", least)),
            }
            for name, value in values.items():
                columns[name].append(value)
            for row in said:
                if not _missing(row["skill"]):
                    needs.append((len(request), str(row["skill"]), int(row["level"]), bool(row["certified"])))
            request.append(r)
    of_request = np.array(request, dtype=np.int64)
    whole = {
        name: np.array(columns[name], dtype=np.int64)
        for name in ("people", "minutes", "clearance", "after", "least", "most")
    }
    role = np.array([*columns["role"], None], dtype=object)[:-1]
    n = len(request)
    longest = np.zeros(len(wish.ids), dtype=np.int64)
    np.maximum.at(longest, of_request, whole["minutes"])
    latest = wish.latest[of_request]
    lat, lon = _bases(tables, policy, facts)
    taken = replace(
        wish,
        ids=Ids(wish.ids.values[of_request]),
        **{
            name: getattr(wish, name)[of_request]
            for name in (
                "row", "linked", "community", "lat", "lon", "earliest", "priority", "category", "group",
                "dialect", "hometown",
            )
        },
        latest=np.maximum(latest, int(problem.horizon[1])) if policy.rounds.soft else latest,
        people=np.ones(n, dtype=np.int64),
        fewest=np.ones(n, dtype=np.int64),
        team=np.zeros(n, dtype=bool),
        unmet_cost=np.full(n, _FREE),
        worth=np.full(n, _FREE),
        roles=Roles(
            request=np.arange(n),
            name=role,
            people=np.ones(n, dtype=np.int64),
            leader=np.zeros(n, dtype=bool),
            must=np.zeros(n, dtype=bool),
            minutes=whole["minutes"],
            clearance=whole["clearance"],
            after=np.full(n, -1),
            least=np.zeros(n, dtype=np.int64),
            steps=np.zeros(n, dtype=np.int64),
            need_role=np.array([need[0] for need in needs], dtype=np.int64),
            need_skill=np.array([*(need[1] for need in needs), None], dtype=object)[:-1],
            need_level=np.array([need[2] for need in needs], dtype=np.int64),
            need_certified=np.array([need[3] for need in needs], dtype=bool),
        ),
        first_role=np.arange(n + 1),
    )  # fmt: skip
    travel = TravelTimes(problem.travel, policy, (lat, lon, facts.providers.mode), (taken.lat, taken.lon))
    return Asks(
        request=of_request,
        role=role,
        people=whole["people"],
        after=whole["after"],
        least=whole["least"],
        most=whole["most"],
        due=latest - longest[of_request],
        facts=replace(facts, requests=taken, travel=travel, sits=np.zeros(n, dtype=bool)),
        by_request=facts,
        base_lat=lat,
        base_lon=lon,
    )
