"""Who is left unserved, and the reason; for a team, that of the role for which fewest are left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.plan.reasons import first_empty_stage
from govmatch.reach.candidates import Candidates
from govmatch.reach.seats import Seated
from govmatch.reach.units import Units

OUTRUN = ("capacity", "pin_conflict", "quota", "away", "hours", "reserve", "session")
"""Reasons of requests for which enough are eligible."""

IntArray = NDArray[np.int64]
ObjectArray = NDArray[np.object_]


def best_starts(units: Units, passed: IntArray) -> IntArray:
    """Return every unit that stands alone, and of each role of a team the one for which most are left."""
    n = units.n_alone
    role = units.role[n:]
    at = np.arange(n, len(units.role))
    # the earliest of equals
    order = at[np.lexsort((-at, *passed[n:].T, role))]
    role = units.role[order]
    last = np.append(role[1:] != role[:-1], True)[: len(role)]
    return np.concatenate([np.arange(n), order[last]])


def reasons(
    problem: Problem, units: Units, candidates: Candidates | Seated, blocked: ObjectArray
) -> tuple[ObjectArray, IntArray, ObjectArray, NDArray[np.bool_]]:
    """Return for each request why it is unserved, if it is: reason, providers left before, role, unseen.

    The role is that of a request of one role, the one that lacks people first in a team, or "" where each
    role has enough. A request is unseen where there was no time to look at all of its pairs.
    """
    demand, teams = problem.demand, problem.teams
    n = demand.n_requests
    unit = best_starts(units, candidates.passed)
    role, of = units.role[unit], units.request[unit]
    must, people = np.append(teams.least >= teams.people, False), np.append(teams.people, 1)
    # one provider may send as many as it has places
    people_slots = problem.supply.slot_provider < problem.supply.n_people  # no role is served by a seat
    places = int(problem.supply.slot_capacity[people_slots].max(initial=1))
    needed = np.where(must[role], -(-people[role] // places), 1)
    code, left, stage = first_empty_stage(candidates.passed[unit], needed)
    code[(code == "window") & (demand.people[of] > 1)] = "together"
    assigned = np.isin(of, demand.assign_request)
    code[(code == "excluded") & assigned] = "pinned"
    limited = (code == "capacity") & (blocked[of] != "")
    code[limited] = blocked[of[limited]]
    code[(code == "capacity") & assigned] = "pin_conflict"
    # of a team, the role whose stage comes first
    order = np.lexsort((role, stage, of))
    first = order[np.diff(of[order], prepend=-1) > 0]
    reason, eligible = np.full(n, "window", dtype=object), np.zeros(n, np.int64)
    reason[of[first]], eligible[of[first]] = code[first], left[first]
    name = demand.role.copy()
    in_team = first[role[first] >= 0]
    lacks = in_team[~np.isin(code[in_team], OUTRUN)]
    name[of[lacks]] = teams.role[role[lacks]]
    unseen = np.zeros(n, np.bool_)
    unseen[units.request[~candidates.examined]] = True
    name[unseen & np.isin(np.arange(n), units.team)] = ""
    return reason, eligible, name, unseen
