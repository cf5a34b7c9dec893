"""What no plan of rounds can undercut, and the units in which that is counted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import Supply
from govmatch.model.problem import Problem
from govmatch.reach.asks import Asks
from govmatch.reach.costs import hundredths
from govmatch.reach.options import Between, Options
from govmatch.reach.ways import PARTS
from govmatch.solve.visit_bound import Chances, bound_of, least_ways, shortest, shortfall
from govmatch.solve.visit_instance import VisitInstance

IntArray = NDArray[np.int64]

UNIT = 100_000
"""Units of cost in one equivalent minute."""

HUNDREDTH, PART = UNIT // 100, UNIT // PARTS
"""Units of cost in a hundredth of a minute, and in a part of one."""


def own_cost(problem: Problem, options: Options) -> IntArray:
    """Return what options cost beside the ways of the round, in units."""
    travel = options.out * PART if problem.policy.rounds.cost == "home" else 0
    return options.terms * HUNDREDTH + travel


def round_bound(
    problem: Problem,
    supply: Supply,
    asks: Asks,
    options: Options,
    between: Between,
    examined: NDArray[np.bool_],
    instance: VisitInstance,
    stop: Callable[[], bool],
) -> tuple[int, IntArray]:
    """Return a bound over all options, and what each request costs at least beside its ways, in units.

    What there was no time to look at is taken to cost nothing. `instance` says what leaving requests costs.
    """
    demand = problem.demand
    unmet = instance.unmet_cost
    # what costs more is not done either
    dear = 1 + int(unmet.max(initial=0) + demand.people.max(initial=0) * instance.short_cost.sum())
    own, twice = np.where(examined, dear, 0), np.where(examined, 2 * dear, 0)
    cost = own_cost(problem, options)
    np.minimum.at(own, options.ask, cost)
    ways = np.zeros(len(options), np.int64)
    if problem.policy.rounds.cost == "round" and between.complete and examined.all():
        ways = least_ways(_chances(supply, asks, options, between), between.parts, stop)
    np.minimum.at(twice, options.ask, 2 * (cost + _late(problem, supply, asks, options)) + PART * ways)
    least = np.zeros(demand.n_requests, np.int64)
    np.add.at(least, asks.request, own * asks.people)
    able = ~examined
    able[options.ask] = True
    lost = np.unique(asks.request[~able])
    return bound_of(asks.request, twice * asks.people, unmet) + shortfall(instance, lost), least


def _late(problem: Problem, supply: Supply, asks: Asks, options: Options) -> IntArray:
    """Return what each option costs at least for being late, even as the first visit of its tour."""
    price = int(hundredths(problem.policy.rounds.late_minutes)) * HUNDREDTH // PARTS
    begin = supply.slot_start[options.slot] * PARTS + shortest(options.slot, options.out)
    late: IntArray = price * np.maximum(0, begin - asks.due[options.ask] * PARTS)
    return late


def _chances(supply: Supply, asks: Asks, options: Options, between: Between) -> Chances:
    demand, ask, slot = asks.demand, options.ask, options.slot
    minutes, provider = demand.minutes[ask], supply.slot_provider[slot].astype(np.int64)
    person = provider < supply.n_volunteers
    begin = supply.slot_start[slot] * PARTS + shortest(slot, options.out)
    begin = np.maximum(demand.earliest[ask] * PARTS, begin)
    end = (supply.slot_end[slot] - minutes) * PARTS - shortest(slot, options.back)
    return Chances(
        tour=slot,
        mode=between.mode[supply.mode[provider]],
        holds=np.where(person, np.minimum(supply.day_cap, supply.week_cap)[provider], len(asks)),
        place=between.place[ask],
        out=options.out,
        back=options.back,
        over=begin + minutes * PARTS,
        last=np.minimum((demand.latest[ask] - minutes) * PARTS, end),
    )


def unmet_cost(problem: Problem) -> IntArray:
    """Return what leaving each request costs, in units."""
    cost: IntArray = problem.demand.unmet_cost * problem.demand.people * HUNDREDTH
    return cost
