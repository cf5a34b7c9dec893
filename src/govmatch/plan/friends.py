"""Volunteers whom others prefer: to which requests of several people they can never come."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.ragged import runs
from govmatch.reach.candidates import Candidates
from govmatch.reach.seats import Seated
from govmatch.reach.travel import checked_minutes
from govmatch.reach.units import Units

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def impossible_friends(
    problem: Problem, units: Units, candidates: Candidates | Seated, team: IntArray
) -> Callable[[IntArray, IntArray], BoolArray]:
    """Return what tells whether providers can never come to teams or requests (see `TeamTree.owners`).

    They hold no role's skills at their levels, have no slot that holds it, or live too far away, whatever
    the unit. What else may keep them away is not looked at. `team` has the request of each team.
    """
    order = np.argsort(units.request, kind="stable")
    first = np.searchsorted(units.request[order], np.arange(problem.demand.n_requests + 1))

    def impossible(provider: IntArray, owner: IntArray) -> BoolArray:
        n = len(team)
        request = units.request[np.maximum(owner - n, 0)]
        request[owner < n] = team[owner[owner < n]]
        pair, at = _runs(first, request)
        unit, who = order[at], provider[pair]
        able = np.flatnonzero(_holds(problem, units, who, unit))
        able = able[_free(problem, units, who[able], unit[able])]
        travel = checked_minutes(candidates.travel, who[able].astype(np.int32), unit[able].astype(np.int32))
        near = np.isnan(travel) | (travel <= problem.supply.max_travel_minutes[who[able]])
        found = np.ones(len(provider), np.bool_)
        found[pair[able[near]]] = False
        return found

    return impossible


def _runs(ptr: IntArray, at: IntArray) -> tuple[IntArray, IntArray]:
    """Return for each position in runs ``ptr[i]:ptr[i + 1]`` which of `at` it belongs to, and itself."""
    of, nth = runs(ptr[at + 1] - ptr[at])
    return of, ptr[at][of] + nth


def _holds(problem: Problem, units: Units, who: IntArray, unit: IntArray) -> BoolArray:
    """Tell whether providers hold all that units need, at their levels."""
    supply, demand = problem.supply, units.demand
    pair, need = _runs(demand.need_ptr, unit)
    width, skill = max(1, len(supply.skills)), demand.need_skill[need]
    keys = supply.skill_provider.astype(np.int64) * width + supply.skill_code
    wanted = who[pair] * width + skill
    at = np.searchsorted(keys, wanted)
    enough = (skill >= 0) & (np.append(keys, -1)[at] == wanted)
    enough &= np.append(supply.skill_level, np.int8(0))[at] >= demand.need_level[need]
    lacks = np.zeros(len(who), np.bool_)
    lacks[pair[~enough]] = True
    return ~lacks


def _free(problem: Problem, units: Units, who: IntArray, unit: IntArray) -> BoolArray:
    """Tell whether providers have a slot that is open when a unit starts, and until it ends."""
    supply, demand = problem.supply, units.demand
    first = np.searchsorted(supply.slot_provider, np.arange(supply.n_providers + 1))
    pair, slot = _runs(first, who)
    begin = demand.earliest[unit[pair]]
    fits = (supply.slot_start[slot] <= begin) & (supply.slot_end[slot] >= begin + demand.minutes[unit[pair]])
    found = np.zeros(len(who), np.bool_)
    found[pair[fits]] = True
    return found
