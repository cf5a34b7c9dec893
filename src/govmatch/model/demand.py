"""Requests, their needs and what pins forbid, as arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.cells import Cells
from govmatch.model.encode import fall_back, own_places, provider_numbers
from govmatch.model.encoded import BoolArray, Demand, Int32Array, IntArray, Supply, TextArray
from govmatch.model.horizon import Horizon, windows
from govmatch.model.objects import is_none, spread
from govmatch.model.policy import Policy
from govmatch.model.sheets import Sheets

HELPER = "helper"


def encode_demand(sheets: Sheets, supply: Supply, policy: Policy, horizon: Horizon) -> tuple[Demand, bool]:
    """Encode requests; the second value tells whether some need a team.

    A team is two or more roles, or several people whose window is longer than
    ``policy.slots.long_minutes``, so that their common start is open.
    """
    requests = sheets["requests"]
    row = np.flatnonzero(~requests["duplicate_of"].present)
    earliest, latest = (column[row] for column in windows(sheets, horizon))
    community = sheets.positions("requests", "community_id")[row]
    lat, lon = (column[row] for column in own_places(sheets, "requests"))
    fall_back(lat, lon, community, *own_places(sheets, "communities"))
    request_of = np.full(requests.n + 1, -1, dtype=np.int64)
    request_of[row] = np.arange(len(row))
    needs = _Needs(sheets, supply, request_of, row)
    group = _groups(sheets)[row]
    priority = requests["priority"].values[row]
    forbid_request, forbid_provider = _forbidden(sheets, supply, request_of)
    team = (needs.roles > 1) | ((needs.people > 1) & (latest - earliest > policy.slots.long_minutes))
    demand = Demand(
        request_id=requests["request_id"].values[row],
        row=row.astype(np.int64),
        community=community,
        lat=lat,
        lon=lon,
        earliest=earliest,
        latest=latest,
        minutes=requests["minutes"].values[row],
        people=needs.people,
        priority=priority.astype(np.int8),
        clearance=requests["clearance"].values[row].astype(np.int8),
        group=group,
        dialect=_asked(requests["dialect"], supply.dialects)[row],
        hometown=_asked(requests["hometown"], supply.hometowns)[row],
        unmet_cost=_unmet_cost(group, priority, policy),
        role=needs.role,
        need_ptr=needs.ptr,
        need_skill=needs.skill,
        need_skill_name=needs.name,
        need_level=needs.level,
        need_certified=needs.certified,
        forbid_request=forbid_request,
        forbid_provider=forbid_provider,
    )
    return demand, bool(team.any())


class _Needs:
    """What each request needs: the skills of its role, or the one skill that it names itself."""

    def __init__(self, sheets: Sheets, supply: Supply, request_of: IntArray, row: IntArray) -> None:
        requests, roles = sheets["requests"], sheets["roles"]
        n = len(row)
        self.role = np.full(n, HELPER, dtype=object)
        self.people: IntArray = requests["people"].values[row].copy()
        self.roles = np.ones(n, dtype=np.int64)

        request = request_of[sheets.positions("roles", "request_id")]
        kept, code = _first_roles(request, np.asarray(roles["role"].codes), self.roles)
        self.people[request[kept]] = roles["count"].values[kept]
        if roles["role"].uniques is not None:
            self.role[request[kept]] = roles["role"].uniques[code]

        skill = requests["skill"]
        in_role = np.zeros(n, dtype=bool)
        in_role[request[kept]] = True
        own = np.flatnonzero(skill.present[row] & ~in_role)
        needing = np.concatenate([own, request[kept]])
        order = np.argsort(needing, kind="stable")

        def column(name: str) -> NDArray[np.object_]:
            joined = np.concatenate([requests[name].values[row[own]], roles[name].values[kept]])
            return joined[order]

        self.name: TextArray = column("skill")
        self.level = column("level").astype(np.int8)
        self.certified: BoolArray = column("certified").astype(bool)
        codes = np.concatenate(
            [_asked(skill, supply.skills)[row[own]], _asked(roles["skill"], supply.skills)[kept]]
        )
        self.skill: Int32Array = codes[order]
        self.ptr: IntArray = np.concatenate([[0], np.cumsum(np.bincount(needing, minlength=n))]).astype(
            np.int64
        )


def _first_roles(
    request: IntArray, code: NDArray[np.intp], roles: IntArray
) -> tuple[IntArray, NDArray[np.intp]]:
    """Return the rows that belong to the first role of their request; count the roles into `roles`."""
    known = np.flatnonzero(request >= 0)
    if not len(known):
        return known, code[known]
    first = np.full(len(roles), -1, dtype=np.int64)
    first[request[known[::-1]]] = code[known[::-1]]  # the earliest row is written last
    width = int(code.max()) + 1
    pairs = np.unique(request[known] * width + code[known])
    counts = np.bincount(pairs // width, minlength=len(roles))
    np.maximum(roles, counts, out=roles)
    kept = known[code[known] == first[request[known]]]
    return kept, code[kept]


def _asked(cells: Cells, offered: TextArray) -> Int32Array:
    """Return positions in what is offered; -1: nothing asked; -2: asked and not offered."""
    known = {name: i for i, name in enumerate(offered.tolist())}
    uniques = [] if cells.uniques is None else cells.uniques.tolist()
    found = np.array([known.get(name, -2) for name in uniques] + [-1], dtype=np.int32)
    codes: NDArray[np.intp] = np.asarray(cells.codes)
    asked: Int32Array = found[codes]
    return asked


def _groups(sheets: Sheets) -> TextArray:
    """Return every request's group, else its resident's, else an empty text."""
    group = sheets["requests"]["group"]
    resident = sheets.positions("requests", "resident_id")
    theirs = spread(sheets["residents"]["group"].values, resident, None)
    found = np.where(group.present, group.values, theirs)
    found[is_none(found)] = ""
    return found


def _unmet_cost(group: TextArray, priority: IntArray, policy: Policy) -> IntArray:
    """Price a unit that stays unserved, in hundredths of an equivalent minute."""
    unmet = policy.unmet
    codes, names = pd.factorize(group)
    extra = np.array([float(unmet.group_minutes.get(name, 0.0)) for name in names] + [0.0])
    minutes = unmet.base_minutes + unmet.priority_minutes * (priority - 1) + extra[codes]
    hundredths: IntArray = np.floor(minutes * 100 + 0.5).astype(np.int64)
    return hundredths


def _forbidden(sheets: Sheets, supply: Supply, request_of: IntArray) -> tuple[Int32Array, Int32Array]:
    """Return the pairs of requests and providers that pins forbid, each once.

    Who forbids an organisation forbids everybody charged to it: its volunteers and its own staff.
    """
    pins = sheets["pins"]
    request = request_of[sheets.positions("pins", "request_id")]
    row = sheets.positions("pins", "provider_id")
    forbids = (pins["action"].values == "forbid") & (request >= 0) & (row >= 0)
    request, row = request[forbids], row[forbids]
    alone = row < supply.n_volunteers
    organization = row[~alone] - supply.n_volunteers
    ranked = np.argsort(supply.organization, kind="stable")
    first, last = (
        np.searchsorted(supply.organization[ranked], organization, side=side) for side in ("left", "right")
    )
    count = last - first
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    charged = ranked[np.repeat(first, count) + within]
    provider = np.concatenate([provider_numbers(sheets)[row[alone]], charged]).astype(np.int64)
    width = max(1, supply.n_providers)
    pairs = np.unique(np.concatenate([request[alone], np.repeat(request[~alone], count)]) * width + provider)
    return (pairs // width).astype(np.int32), (pairs % width).astype(np.int32)
