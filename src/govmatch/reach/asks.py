"""What rounds ask for: the roles of all requests, each a row with a window and needs of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import Demand, Teams
from govmatch.ragged import matches

IntArray = NDArray[np.int64]

PRICELESS = 1 << 50
"""Hundredths: what leaving an ask costs where its arcs are enumerated, so that none is too dear."""


@dataclass(frozen=True)
class Asks:
    """Roles of requests, by position; a request without roles is one."""

    request: IntArray  # (Q,) position in Demand, ascending
    people: IntArray  # (Q,)
    after: IntArray  # (Q,) position here of the role after whose start it starts; -1: at the team's start
    after_least: IntArray  # (Q,) minutes
    after_most: IntArray  # (Q,) minutes
    due: IntArray  # (Q,) minute after which a begin is late: the window's end less the longest role
    demand: Demand  # each ask as if it were a request for one person that no price is too dear for

    def __len__(self) -> int:
        return len(self.request)


def read_asks(demand: Demand, teams: Teams, last: int | None) -> Asks:
    """Take the roles of teams, and all other requests as they are.

    Parameters
    ----------
    demand : Demand
    teams : Teams
    last : int, optional
        A minute by which every visit must be over instead of the window's end, where windows are soft.
    """
    alone = np.setdiff1d(np.arange(demand.n_requests), teams.request)
    n = len(teams.request)
    of = np.concatenate([teams.request, alone]).astype(np.int64)
    order = np.argsort(of, kind="stable")
    place = np.empty(len(of) + 1, np.int64)
    place[order], place[-1] = np.arange(len(of)), -1

    def both(team: NDArray[Any], single: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([team, single])[order]

    def whole(team: NDArray[Any], single: NDArray[Any]) -> IntArray:
        return both(team, single).astype(np.int64)

    nothing = np.zeros(len(alone), np.int64)
    request = of[order]
    minutes = whole(teams.minutes, demand.minutes[alone])
    longest = np.zeros(demand.n_requests, np.int64)
    np.maximum.at(longest, request, minutes)
    latest = demand.latest[request]
    # needs, ask by ask: those of the teams' roles, then those of single requests
    counts = np.concatenate([np.diff(teams.need_ptr), np.diff(demand.need_ptr)[alone]]).astype(np.int64)
    starts = np.concatenate([teams.need_ptr[:-1], demand.need_ptr[alone] + len(teams.need_skill)])
    at = np.repeat(starts[order], counts[order])
    ptr = np.concatenate([[0], np.cumsum(counts[order])]).astype(np.int64)
    at = at + np.arange(int(ptr[-1])) - np.repeat(ptr[:-1], counts[order])

    def need(name: str) -> NDArray[Any]:
        joined: NDArray[Any] = np.concatenate([getattr(teams, name), getattr(demand, name)])[at]
        return joined

    # a pin forbids or assigns a person for every role
    by_request = np.argsort(demand.forbid_request, kind="stable")
    forbidden = demand.forbid_request[by_request]
    asking, pairs = matches(forbidden, request)
    assigned, whom = matches(demand.assign_request, request)
    asked = replace(
        demand,
        **{
            name: getattr(demand, name)[request]
            for name in (
                "request_id", "row", "community", "lat", "lon", "earliest", "wished", "priority", "group",
                "dialect", "hometown",
            )
        },
        latest=latest if last is None else np.maximum(latest, last),
        minutes=minutes,
        people=np.ones(len(of), np.int64),
        min_serve=np.ones(len(of), np.int64),
        clearance=both(teams.clearance, demand.clearance[alone]),
        unmet_cost=np.full(len(of), PRICELESS),
        role=both(teams.role, demand.role[alone]),
        need_ptr=ptr,
        need_skill=need("need_skill"),
        need_skill_name=need("need_skill_name"),
        need_level=need("need_level"),
        need_certified=need("need_certified"),
        forbid_request=asking.astype(np.int32),
        forbid_provider=demand.forbid_provider[by_request][pairs],
        assign_request=assigned.astype(np.int32),
        assign_provider=demand.assign_provider[whom],
    )  # fmt: skip
    after = whole(teams.after, np.full(len(alone), -1))
    # positions in Teams become positions here
    team_place = np.append(place[:n], -1)
    return Asks(
        request=request,
        people=whole(teams.people, demand.people[alone]),
        after=team_place[after],
        after_least=whole(teams.after_least, nothing),
        after_most=whole(teams.after_most, nothing),
        due=latest - longest[request],
        demand=asked,
    )
