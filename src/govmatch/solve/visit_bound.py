"""What no tours can undercut: each request at its cheapest, with its visits' part of the ways.

A way between two visits belongs to each of them by half, one from or to an end of the tour to one alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.meet import Stay, shortest_ways
from govmatch.solve.visit_instance import NO_LIMIT, VisitInstance

IntArray = NDArray[np.int64]

BLOCK, MOST_MEETINGS = 20_000_000, 2_000_000_000
"""Pairs of visits on one tour that are looked at between two looks at the clock, and in all."""


@dataclass(frozen=True)
class Chances:
    """Visits and the tours on which they may be made: when, and how far from the tour's ends; all (n,)."""

    tour: IntArray
    mode: IntArray
    holds: IntArray  # visits that can be made on the tour
    place: IntArray
    out: IntArray
    back: IntArray
    over: IntArray  # the earliest time at which the visit can be over there
    last: IntArray  # the latest time at which it can begin there


def least_ways(chances: Chances, travel: NDArray[np.int32], stop: Callable[[], bool]) -> IntArray:
    """Return twice each visit's part of the ways on each tour, at least, (n,).

    By the shortest way to it, from the tour's start or another visit that could come before it there, and the
    shortest from it. 0 where `stop`, which is asked between blocks, left no time, or there are too many.
    """
    order = np.argsort(chances.tour, kind="stable")
    tour = chances.tour[order]
    first = np.flatnonzero(np.diff(tour, prepend=-1))
    ptr = np.append(first, len(tour))
    names = ("place", "out", "back", "over", "last")
    stay = Stay(*(np.ascontiguousarray(getattr(chances, name)[order]) for name in names))
    mode, holds = chances.mode[order][first], chances.holds[order][first]
    twice = np.zeros(len(tour), np.int64)
    meetings = np.cumsum(np.diff(ptr) ** 2)
    begin = 0
    while begin < len(first) and not stop():
        done = int(meetings[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(meetings, done + BLOCK, side="right")))
        if meetings[end - 1] > MOST_MEETINGS:
            break
        shortest_ways(ptr, mode, holds, travel, stay, begin, end, twice)
        begin = end
    found = np.empty(len(tour), np.int64)
    found[order] = twice
    return found


def lower_bound(instance: VisitInstance) -> int:
    """Return what no tours can undercut."""
    visit, tour = instance.option_visit, instance.option_tour
    out, back = shortest(tour, instance.option_out), shortest(tour, instance.option_back)
    begin = np.maximum(instance.earliest[visit], instance.begin[tour] + out)
    minutes = instance.minutes[visit]
    holds, node = np.full(len(instance.person), NO_LIMIT), instance.node
    while (node >= 0).any():
        holds = np.where(node >= 0, np.minimum(holds, np.append(instance.capacity, 0)[node]), holds)
        node = np.append(instance.parent, -1)[node]
    chances = Chances(
        tour=tour,
        mode=instance.mode[tour],
        holds=holds[tour],
        place=instance.place[visit],
        out=instance.option_out,
        back=instance.option_back,
        over=begin + minutes,
        last=np.minimum(instance.latest[visit], instance.end[tour] - minutes - back),
    )
    ways = least_ways(chances, instance.travel, lambda: False)
    twice = np.full(len(instance.place), NO_LIMIT)
    late = instance.late_cost[visit] * np.maximum(0, begin - instance.due[visit])
    np.minimum.at(twice, visit, 2 * (instance.option_cost + late) + instance.travel_cost * ways)
    able = np.zeros(len(instance.place), np.bool_)
    able[visit] = True
    lost = np.unique(instance.request[~able])
    return bound_of(instance.request, twice, instance.unmet_cost) + shortfall(instance, lost)


def shortest(tour: IntArray, way: IntArray) -> IntArray:
    """Return the shortest of the ways on the tour of each, (n,).

    Some way leads from a tour's start to its first visit. That to a later one need not be as long as its
    own: nobody says that ways keep the triangle inequality, and those to unknown places do not.
    """
    least = np.full(int(tour.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, tour, way)
    found: IntArray = least[tour]
    return found


def shortfall(instance: VisitInstance, lost: IntArray) -> int:
    """Return what floors cost at least where some requests cannot be made."""
    gone = np.isin(instance.promise_request, lost)
    missing = np.zeros(len(instance.allowed), np.int64)
    np.add.at(missing, instance.promise_floor[gone], instance.promise_people[gone])
    return int((instance.short_cost * np.maximum(0, missing - instance.allowed)).sum())


def bound_of(request: IntArray, twice: IntArray, unmet_cost: IntArray) -> int:
    """Return half of what the visits of the requests cost at least twice over, or leaving them, rounded up.

    Parameters
    ----------
    request, twice : int64 (n_visits,)
        Of which request a visit is; twice what it costs, with its part of the ways.
    unmet_cost : int64 (n_requests,)
    """
    both = np.zeros(len(unmet_cost), np.int64)
    np.add.at(both, request, twice)
    some = np.bincount(request, minlength=len(unmet_cost)) > 0
    return -int(-np.where(some, np.minimum(2 * unmet_cost, both), 0).sum() // 2)
