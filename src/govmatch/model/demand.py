"""Requests, their needs and what pins say, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.bonds import with_kin
from govmatch.model.cells import Cells
from govmatch.model.encode import fall_back, own_places, provider_numbers
from govmatch.model.encoded import BoolArray, Demand, Int32Array, IntArray, Series, Supply, Teams, TextArray
from govmatch.model.goods import asks_goods, on_several_days
from govmatch.model.horizon import Horizon, windows
from govmatch.model.objects import is_none, spread
from govmatch.model.policy import Policy
from govmatch.model.roles import read_roles
from govmatch.model.series import spread_out
from govmatch.model.session_pins import sessions_held
from govmatch.model.sheets import Sheets
from govmatch.ragged import matches

HELPER = "helper"


def encode_demand(
    sheets: Sheets, supply: Supply, policy: Policy, horizon: Horizon
) -> tuple[Demand, Teams, Series]:
    """Encode requests, dated visits of those that recur, and the roles of those that need a team.

    A team is two or more roles, several people of whom more than one is the least, or several people
    whose window is longer than ``policy.slots.long_minutes``, so that their common start is open. So is who
    needs goods and could start on several days.
    """
    requests = sheets["requests"]
    row = np.flatnonzero(~requests["duplicate_of"].present)
    earliest, latest = (column[row] for column in windows(sheets, policy, horizon))
    community = sheets.positions("requests", "community_id")[row]
    lat, lon = (column[row] for column in own_places(sheets, "requests"))
    fall_back(lat, lon, community, *own_places(sheets, "communities"))
    request_of = np.full(requests.n + 1, -1, dtype=np.int64)
    request_of[row] = np.arange(len(row))
    roles = _Roles(sheets, request_of, row)
    least = requests["min_serve"]
    stated = least.present[row]
    min_serve = np.where(stated, least.values[row], np.where(roles.count > 1, roles.people, 1))
    min_serve = np.maximum(min_serve, roles.leaders)
    open_start = latest - earliest > policy.slots.long_minutes
    team = (roles.count > 1) | ((roles.people > 1) & ((min_serve > 1) | open_start))
    minutes = roles.one("minutes", requests["minutes"].values[row])
    team |= asks_goods(sheets)[row] & on_several_days(sheets.zone, earliest, latest - minutes)
    needs = _Needs(sheets, supply, row, roles)
    group = _groups(sheets)[row]
    priority = requests["priority"].values[row]
    forbid_request, forbid_provider = with_kin(
        sheets, supply, request_of, _pinned(sheets, supply, request_of, "forbid")
    )
    assign_request, assign_provider = _pinned(sheets, supply, request_of, "assign")
    demand = Demand(
        request_id=requests["request_id"].values[row],
        row=row.astype(np.int64),
        community=community,
        lat=lat,
        lon=lon,
        earliest=earliest,
        latest=latest,
        wished=earliest,
        minutes=minutes,
        people=roles.people,
        min_serve=min_serve.astype(np.int64),
        priority=priority.astype(np.int8),
        clearance=roles.one("clearance", requests["clearance"].values[row]).astype(np.int8),
        group=group,
        dialect=_asked(requests["dialect"], supply.dialects)[row],
        hometown=_asked(requests["hometown"], supply.hometowns)[row],
        unmet_cost=_unmet_cost(group, priority, policy),
        role=np.where(team & (roles.count > 1), "", roles.name),
        need_ptr=needs.by(needs.request, len(row)),
        need_skill=needs.skill,
        need_skill_name=needs.name,
        need_level=needs.level,
        need_certified=needs.certified,
        forbid_request=forbid_request,
        forbid_provider=forbid_provider,
        assign_request=assign_request,
        assign_provider=assign_provider,
    )
    return spread_out(demand, _teams(demand, team, stated, needs, roles), sheets, policy, horizon)


def _teams(demand: Demand, team: BoolArray, stated: BoolArray, needs: _Needs, roles: _Roles) -> Teams:
    """Take out the roles of teams; a request without rows in `roles` has one role."""
    listed = np.flatnonzero(team[roles.request])
    plain = np.flatnonzero(team & (roles.count == 0))
    of = np.concatenate([roles.request[listed], plain])
    order = np.argsort(of, kind="stable")
    request, source = of[order], np.concatenate([roles.at[listed], np.full(len(plain), -1)])[order]
    known = source >= 0

    def column(name: str, otherwise: NDArray[Any]) -> NDArray[Any]:
        values: NDArray[Any] = otherwise[request].copy()
        values[known] = getattr(roles.table, name)[source[known]]
        return values

    n = len(request)
    people = column("people", demand.people)
    leader = column("leader", np.zeros(demand.n_requests, dtype=bool))
    everybody = ~stated[request] & (roles.count[request] > 1)
    place = np.full(len(roles.table.request) + 3, -1, dtype=np.int64)
    place[source[known]] = np.flatnonzero(known)
    nobody = np.full(demand.n_requests, -1)
    zero = np.zeros(demand.n_requests, dtype=np.int64)
    # the needs stand in the same order: by request, then by role
    mine = np.flatnonzero(team[needs.request])
    number = np.where(needs.role[mine] >= 0, place[needs.role[mine]], 0)
    alone = needs.role[mine] < 0
    number[alone] = np.searchsorted(request, needs.request[mine[alone]])
    mine = mine[np.argsort(number, kind="stable")]
    return Teams(
        request=request,
        role=column("name", demand.role),
        people=people,
        least=np.where(everybody | leader, people, 0),
        minutes=column("minutes", demand.minutes),
        clearance=column("clearance", demand.clearance).astype(np.int8),
        after=place[column("after", nobody)],
        after_least=column("after_least", zero),
        after_most=column("after_most", zero),
        need_ptr=needs.by(np.sort(number), n),
        need_skill=needs.skill[mine],
        need_skill_name=needs.name[mine],
        need_level=needs.level[mine],
        need_certified=needs.certified[mine],
    )


class _Roles:
    """The listed roles of the requests that are kept, and what they make of each request."""

    def __init__(self, sheets: Sheets, request_of: IntArray, row: IntArray) -> None:
        self.table = read_roles(sheets)
        request = request_of[self.table.request]
        self.at = np.flatnonzero(request >= 0)  # in `table`
        self.request = request[self.at]
        n = len(row)
        self.count = np.bincount(self.request, minlength=n)
        self.people: IntArray = sheets["requests"]["people"].values[row].astype(np.int64)
        listed = self.count > 0
        self.people[listed] = np.bincount(
            self.request, weights=self.table.people[self.at], minlength=n
        ).astype(np.int64)[listed]
        leading = self.table.people[self.at] * self.table.leader[self.at]
        self.leaders = np.bincount(self.request, weights=leading, minlength=n).astype(np.int64)
        self.name = np.full(n, HELPER, dtype=object)
        first = np.flatnonzero(np.diff(self.request, prepend=-1))
        self.name[self.request[first]] = self.table.name[self.at[first]]

    def one(self, column: str, otherwise: IntArray) -> IntArray:
        """Return what each request's only role says, else `otherwise`."""
        values = otherwise.astype(np.int64)
        only = np.flatnonzero(self.count[self.request] == 1)
        values[self.request[only]] = getattr(self.table, column)[self.at[only]]
        return values


class _Needs:
    """What each request needs: the skills of its roles, or the one skill that it names itself."""

    def __init__(self, sheets: Sheets, supply: Supply, row: IntArray, listed: _Roles) -> None:
        requests, roles = sheets["requests"], sheets["roles"]
        number = np.full(len(listed.table.request) + 1, -1, dtype=np.int64)
        number[listed.at] = listed.request
        request = number[listed.table.of_row]
        kept = np.flatnonzero(request >= 0)
        skill = requests["skill"]
        own = np.flatnonzero(skill.present[row] & (listed.count == 0))
        role = listed.table.of_row[kept]
        order = np.lexsort((np.append(np.full(len(own), -1), role), np.append(own, request[kept])))
        self.request: IntArray = np.append(own, request[kept])[order]
        self.role: IntArray = np.append(np.full(len(own), -1), role)[order]

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

    @staticmethod
    def by(owner: IntArray, n: int) -> IntArray:
        """Return where the needs of each of `n` owners begin, and end."""
        return np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=n))]).astype(np.int64)


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


def _pinned(
    sheets: Sheets, supply: Supply, request_of: IntArray, action: str
) -> tuple[Int32Array, Int32Array]:
    """Return the pairs of requests and providers that pins of one action name, each once, ascending.

    Who names an organisation names everybody charged to it: its volunteers and its own staff; -1 where that
    is nobody.
    """
    pins = sheets["pins"]
    request = request_of[sheets.positions("pins", "request_id")]
    row = sheets.positions("pins", "provider_id")
    meant = (pins["action"].values == action) & (request >= 0) & (row >= 0)
    request, row = request[meant], row[meant]
    alone = row < supply.n_volunteers
    organization = row[~alone] - supply.n_volunteers
    ranked = np.argsort(supply.organization, kind="stable")
    of, at = matches(supply.organization[ranked], organization)
    charged = ranked[at]
    provider = np.concatenate([provider_numbers(sheets)[row[alone]], charged]).astype(np.int64)
    width = max(1, supply.n_providers)
    asking = np.concatenate([request[alone], request[~alone][of]])
    if action == "forbid" and supply.sessions.n:  # who must not come holds no session for them either
        held, session = sessions_held(sheets, supply, row)
        asking, provider = np.append(asking, request[held]), np.append(provider, session)
    pairs = np.unique(asking * width + provider)
    requests, providers = pairs // width, pairs % width
    # an organisation to which nobody is charged: nobody is meant, and nobody else either
    nobody = np.setdiff1d(request, requests) if action == "assign" else requests[:0]
    order = np.argsort(np.append(requests, nobody), kind="stable")
    requests, providers = np.append(requests, nobody)[order], np.append(providers, nobody * 0 - 1)[order]
    return requests.astype(np.int32), providers.astype(np.int32)
