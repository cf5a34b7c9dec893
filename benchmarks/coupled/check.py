"""What a plan costs, counted again from the arcs that it uses: plain loops, no code of any solver."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from benchmarks.coupled.days import Arrays


def cost_of(day: Arrays, used: NDArray[np.bool_]) -> int:
    """Return what the plan costs whose arcs these are.

    Raises
    ------
    ValueError
        The plan breaks a rule; the message says which.
    """
    arcs = np.flatnonzero(used).tolist()
    team = day.team.tolist()
    load, come, twice = Counter[int](), Counter[int](), Counter[tuple[int, int]]()
    total = 0
    for a in arcs:
        request, node = int(day.request[a]), int(day.node[a])
        total += int(day.cost[a])
        come[request] += 1
        owner = request if team[request] < 0 else -1 - team[request]
        twice[owner, int(day.group[a])] += 1
        while node >= 0:
            load[node] += 1
            node = int(day.parent[node])
    if max(twice.values(), default=0) > 1:
        raise ValueError("somebody serves a request or a team twice")
    for node, units in load.items():
        if units > day.capacity[node]:
            raise ValueError(f"node {node} carries {units}, more than {day.capacity[node]}")
        total += int(day.load_cost[node]) * (units * (units - 1) // 2)
    for request, people in enumerate(day.demand.tolist()):
        if team[request] < 0:
            if come[request] > people:
                raise ValueError(f"request {request} gets {come[request]} people, and asked for {people}")
            total += int(day.unmet_cost[request]) * (people - come[request])
    return total + _teams(day, come)


def _teams(day: Arrays, come: Counter[int]) -> int:
    """Return what teams cost besides their arcs: absences where they are served, else their worth."""
    by_role: dict[int, list[int]] = defaultdict(list)
    for role, request in zip(day.state_role.tolist(), day.state_request.tolist(), strict=True):
        if come[request]:
            by_role[role].append(request)
    roles, starts = defaultdict(list), defaultdict(list)
    for role, team in enumerate(day.role_team.tolist()):
        roles[team].append(role)
    for start, team in enumerate(day.start_team.tolist()):
        starts[team].append(start)
    follow: dict[int, list[int]] = defaultdict(list)
    for state, parent in zip(day.link_state.tolist(), day.link_parent.tolist(), strict=True):
        follow[parent].append(state)
    total = 0
    for team, worth in enumerate(day.worth.tolist()):
        sent = sum(come[request] for role in roles[team] for request in by_role[role])
        if not sent:
            total += worth
            continue
        for role in roles[team]:
            here, people = sum(come[request] for request in by_role[role]), int(day.role_people[role])
            if len(by_role[role]) > 1:
                raise ValueError(f"role {role} of team {team} starts at two times")
            if here > people or (day.must[role] and here < people):
                raise ValueError(f"role {role} of team {team} gets {here} people, and asked for {people}")
        if sent < day.fewest[team]:
            raise ValueError(f"team {team} has {sent} people, fewer than {day.fewest[team]}")
        if not any(_together(day, start, set(roles[team]), by_role, follow) for start in starts[team]):
            raise ValueError(f"team {team} has no start from which its roles start as they do")
        total += int(day.absence[team]) * (int(day.role_people[roles[team]].sum()) - sent)
    return total


def _together(
    day: Arrays, start: int, roles: set[int], by_role: dict[int, list[int]], follow: dict[int, list[int]]
) -> bool:
    """Tell whether all roles can start, from this start on, where those start that somebody serves."""
    first = len(day.start_team)

    def covered(parent: int) -> set[int]:
        """Return the roles that can start after this state: with it, those that follow it, and so on."""
        found: set[int] = set()
        for state in follow[parent]:
            role, request = int(day.state_role[state - first]), int(day.state_request[state - first])
            if by_role[role] in ([], [request]):
                found |= {role} | covered(state)
        return found

    return covered(start) == roles
