"""Everything that `verify` reads from a problem, by position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import BoolArray, Ids, IntArray, objects, table_of, whole
from govmatch.plan.verify_demand import Requests, read_requests
from govmatch.plan.verify_paths import Paths, edges_of
from govmatch.plan.verify_seats import CERTIFIED, Seats, households, may_sit, read_seats, with_seats
from govmatch.plan.verify_slots import NEVER, Calendar, Slots, slots_of, whole_days
from govmatch.plan.verify_supply import Organizations, Providers, read_providers
from govmatch.plan.verify_travel import TravelTimes

_NODE_KEYS = (
    ("communities", "community_id"),
    ("party_units", "unit_id"),
    ("organizations", "organization_id"),
)


@dataclass(frozen=True)
class Facts:
    """Everything that `verify` reads from a problem."""

    policy: Any
    calendar: Calendar
    organizations: Organizations
    providers: Providers
    requests: Requests
    slots: Slots
    skills: Ids
    skill_key: IntArray  # provider * len(skills) + skill, ascending
    skill_level: IntArray
    skill_until: IntArray  # `NEVER` where not certified
    forbidden: IntArray  # row of the request * len(providers.ids) + provider, each once, ascending
    related: IntArray  # likewise, kin of the request's parties; they are among `forbidden`, too
    assigned: IntArray  # likewise
    assigning: IntArray  # rows of requests to which pins assign anybody, if only an empty organisation
    paths: Paths
    travel: TravelTimes
    seats: Seats
    sits: BoolArray  # by request: whether a seat may serve it
    households: IntArray  # by request: who sits together, -1: alone

    def is_forbidden(self, request: IntArray | int, provider: IntArray) -> BoolArray:
        """Tell whether a pin forbids the provider, or whom it is charged to, or a party is its kin."""
        return np.isin(self.requests.row[request] * len(self.providers.ids) + provider, self.forbidden)

    def is_related(self, request: IntArray | int, provider: IntArray) -> BoolArray:
        """Tell whether the provider is kin of one of the request's parties."""
        return np.isin(self.requests.row[request] * len(self.providers.ids) + provider, self.related)

    def has_assigned(self, request: IntArray | int) -> BoolArray:
        """Tell whether pins assign anybody to the request."""
        return np.isin(self.requests.row[request], self.assigning)

    def is_passed_over(self, request: IntArray | int, provider: IntArray) -> BoolArray:
        """Tell whether pins assign others to the request and not this provider."""
        named = np.isin(self.requests.row[request] * len(self.providers.ids) + provider, self.assigned)
        return self.has_assigned(request) & ~named


def _pinned(
    tables: Any, requests: Ids, who: Providers, organizations: Ids, action: str, seats: Seats
) -> IntArray:
    """Read the pins of one action; one on an organisation is one on everybody charged to it."""
    if "pins" not in tables:
        return np.empty(0, dtype=np.int64)
    pins = tables["pins"]
    pins = pins[(pins["action"] == action).to_numpy(dtype=bool)]
    r = requests.at(pins["request_id"])
    p, firm = who.ids.at(pins["provider_id"]), organizations.at(pins["provider_id"])
    pairs = [(r[p >= 0], p[p >= 0])]
    for i in np.flatnonzero(firm >= 0).tolist():
        theirs = np.flatnonzero(who.organization == firm[i])
        pairs.append((np.full(len(theirs), r[i]), theirs))
    if action == "forbid" and len(seats):
        volunteers = table_of(tables, "volunteers", ("volunteer_id", "organization_id"))
        named = list(zip(r.tolist(), objects(pins["provider_id"]).tolist(), strict=True))
        held = np.array(seats.banned(named, volunteers), dtype=np.int64).reshape(-1, 2)
        pairs.append((held[:, 0], held[:, 1]))
    return np.unique(np.concatenate([request * len(who.ids) + one for request, one in pairs]))


def _assigning(tables: Any, requests: Ids) -> IntArray:
    """Read which requests pins assign somebody to."""
    if "pins" not in tables:
        return np.empty(0, dtype=np.int64)
    pins = tables["pins"]
    return np.unique(requests.at(pins["request_id"][(pins["action"] == "assign").to_numpy(dtype=bool)]))


def _related(tables: Any, requests: Ids, who: Providers, seats: Seats) -> IntArray:
    """Read who is kin of a party of each request, and which sessions they hold."""
    parties = table_of(tables, "parties", ("request_id", "resident_id"))
    kin = table_of(tables, "kin", ("volunteer_id", "resident_id"))
    both = parties[["request_id", "resident_id"]].merge(kin, on="resident_id", how="inner")
    r, p = requests.at(both["request_id"]), who.ids.at(both["volunteer_id"])
    pairs = [r * len(who.ids) + p]
    if len(seats):
        volunteers = table_of(tables, "volunteers", ("volunteer_id", "organization_id"))
        named = list(zip(r.tolist(), objects(both["volunteer_id"]).tolist(), strict=True))
        held = np.array(seats.banned(named, volunteers), dtype=np.int64).reshape(-1, 2)
        pairs.append(held[:, 0] * len(who.ids) + held[:, 1])
    return np.unique(np.concatenate(pairs))


def _quotas(tables: Any) -> dict[Any, int]:
    """Read the weekly quotas of agreements that have one."""
    if "agreements" not in tables or "quota_per_week" not in tables["agreements"]:
        return {}
    rows = tables["agreements"]
    stated = rows["quota_per_week"].notna().to_numpy(dtype=bool)
    return dict(
        zip(objects(rows["agreement_id"])[stated], whole(rows["quota_per_week"])[stated], strict=True)
    )


def read_facts(problem: Any) -> Facts:
    """Read a problem's tables, policy, horizon, travel and alliance; nothing else of it."""
    tables, policy = problem.tables, problem.policy
    begin, finish = int(problem.horizon[0]), int(problem.horizon[1])
    calendar = Calendar(policy.time_zone, begin, finish)
    people, organizations = read_providers(tables, policy)
    seats = read_seats(tables, people, (begin, finish))
    providers = with_seats(tables, policy, people)
    requests = read_requests(problem)
    rows = table_of(tables, "skills", ("provider_id", "skill", "level", "certified_until"))
    until = np.concatenate((whole_days(rows["certified_until"]), np.where(seats.certified, CERTIFIED, NEVER)))
    offered = pd.DataFrame({"provider_id": seats.ids, "skill": seats.skill, "level": seats.level})
    rows = pd.concat([rows, offered.astype(object)], ignore_index=True) if len(seats) else rows
    code, names = pd.factorize(rows["skill"])
    holder = providers.ids.at(rows["provider_id"])
    key = holder * max(1, len(names)) + code
    order = np.argsort(key, kind="stable")
    order = order[holder[order] >= 0]
    related = _related(tables, requests.base, providers, seats)
    edges = edges_of(tables) if problem.alliance is None else problem.alliance.edges()
    nodes = np.concatenate(
        [objects(tables[table][column]) for table, column in _NODE_KEYS if table in tables]
    )
    origins, targets = (providers.lat, providers.lon, providers.mode), (requests.lat, requests.lon)
    assigning = _assigning(tables, requests.base)
    sits = may_sit(tables, requests, seats, assigning)
    return Facts(
        policy=policy,
        calendar=calendar,
        organizations=organizations,
        providers=providers,
        requests=requests,
        slots=seats.slots(
            slots_of(
                policy, calendar, (begin, finish), people.ids, people.preset, tables.get("availability")
            ),
            calendar,
        ),
        skills=Ids(names),
        skill_key=key[order],
        skill_level=whole(rows["level"])[order],
        skill_until=until[order],
        forbidden=np.union1d(
            _pinned(tables, requests.base, providers, organizations.ids, "forbid", seats), related
        ),
        related=related,
        assigned=_pinned(tables, requests.base, providers, organizations.ids, "assign", seats),
        assigning=assigning,
        paths=Paths(edges, policy, nodes, _quotas(tables)),
        travel=TravelTimes(problem.travel, policy, origins, targets),
        seats=seats,
        sits=sits,
        households=households(tables, requests, sits),
    )
