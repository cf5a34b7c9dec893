"""Visits and tours as columns, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.solve.arguments import refuse_cycles
from govmatch.solve.columns import check_ascending, check_column

IntArray = NDArray[np.int64]

NO_LIMIT = 1 << 40
"""A time that never comes; times and costs are below it."""

LONGEST_WAY = 1 << 30
"""No way from visit to visit takes longer."""


@dataclass(frozen=True)
class VisitInstance:
    """Visits, tours and what they cost, in any one unit of time and one of cost, int64 but for `travel`.

    Attributes
    ----------
    travel : int32 (n_modes, n_places, n_places)
        Time from the place of a visit to that of another, >= 0.
    place, minutes, earliest, due, latest, late_cost, request : (n_visits,)
        Where; how long; begins no earlier; a begin after `due` costs `late_cost` per unit of time; begins no
        later than `latest`; of which request, ascending.
    unmet_cost : (n_requests,)
        What it costs to make none of a request's visits; otherwise all are made, by different people. A
        request without visits costs nothing.
    promise_request, promise_floor, promise_people : (n_promises,)
        How many people a request counts for a floor; ascending by request, a floor once for each.
    allowed, short_cost : (n_floors,)
        How many people of the requests that are not made may be missing under each floor, and what each
        further one costs.
    link_first, link_second, link_least, link_most : (n_links,)
        ``least <= begin of second - begin of first <= most``, for visits of one request.
    option_visit, option_tour, option_cost, option_out, option_back : (n_options,)
        The tours that a visit may be made on; what that costs; the time from the tour's start to the visit,
        and from there to the tour's end. Ascending by visit, then by tour.
    entry_option, entry_rule, entry_weight : (n_entries,)
        What an option counts for a rule, > 0; ascending by option, a rule once for each.
    limit : (n_rules,)
        What each rule lets through of all visits that are made.
    person, mode, begin, end, node : (n_tours,)
        Whose tour; how they travel; it leaves no earlier and is back by then, where it makes a visit; the
        node of the forest to which each of its visits is charged, -1: none. One person's tours do not
        overlap.
    parent, capacity, load_cost : (n_nodes,)
        The forest: -1 at a root; visits let through; the j-th visit through a node costs ``(j - 1) *
        load_cost``.
    travel_cost, largest_late_cost : int
        Of one unit of time on the way; of one unit of the largest lateness of all visits.
    rest, rest_after : int
        No visit is over later than `rest_after` after its tour left its place or ended a rest: a time of
        `rest` without visit and way before leaving for a visit. 0: no rule.
    """

    travel: NDArray[np.int32]
    place: IntArray
    minutes: IntArray
    earliest: IntArray
    due: IntArray
    latest: IntArray
    late_cost: IntArray
    request: IntArray
    unmet_cost: IntArray
    promise_request: IntArray
    promise_floor: IntArray
    promise_people: IntArray
    allowed: IntArray
    short_cost: IntArray
    link_first: IntArray
    link_second: IntArray
    link_least: IntArray
    link_most: IntArray
    option_visit: IntArray
    option_tour: IntArray
    option_cost: IntArray
    option_out: IntArray
    option_back: IntArray
    entry_option: IntArray
    entry_rule: IntArray
    entry_weight: IntArray
    limit: IntArray
    person: IntArray
    mode: IntArray
    begin: IntArray
    end: IntArray
    node: IntArray
    parent: IntArray
    capacity: IntArray
    load_cost: IntArray
    travel_cost: int = 1
    largest_late_cost: int = 0
    rest: int = 0
    rest_after: int = 0


def check(instance: VisitInstance) -> None:
    """Refuse columns whose lengths, ranges or order are wrong.

    Raises
    ------
    InvalidInput
        It names the column and the first wrong position.
    """
    visits, requests, tours = len(instance.place), len(instance.unmet_cost), len(instance.person)
    links, options, nodes = len(instance.link_first), len(instance.option_visit), len(instance.parent)
    promises, floors = len(instance.promise_request), len(instance.allowed)
    entries, rules = len(instance.entry_option), len(instance.limit)
    modes, places = (instance.travel.shape[0], instance.travel.shape[-1]) if instance.travel.ndim else (0, 0)
    for names, size, low, high in (
        ("place", visits, 0, places - 1),
        ("minutes late_cost", visits, 0, NO_LIMIT),
        ("earliest due latest", visits, -NO_LIMIT, NO_LIMIT),
        ("request", visits, 0, requests - 1),
        ("unmet_cost", requests, 0, 1 << 61),
        ("promise_request", promises, 0, requests - 1),
        ("promise_floor", promises, 0, floors - 1),
        ("promise_people", promises, 0, NO_LIMIT),
        ("allowed short_cost", floors, 0, NO_LIMIT),
        ("link_first link_second", links, 0, visits - 1),
        ("link_least link_most", links, -NO_LIMIT, NO_LIMIT),
        ("option_visit", options, 0, visits - 1),
        ("option_tour", options, 0, tours - 1),
        ("option_cost", options, -NO_LIMIT, NO_LIMIT),
        ("option_out option_back", options, 0, NO_LIMIT),
        ("entry_option", entries, 0, options - 1),
        ("entry_rule", entries, 0, rules - 1),
        ("entry_weight", entries, 1, NO_LIMIT),
        ("limit", rules, 0, NO_LIMIT),
        ("person", tours, -NO_LIMIT, NO_LIMIT),
        ("mode", tours, 0, modes - 1),
        ("begin end", tours, -NO_LIMIT, NO_LIMIT),
        ("node", tours, -1, nodes - 1),
        ("parent", nodes, -1, nodes - 1),
        ("capacity load_cost", nodes, 0, NO_LIMIT),
    ):
        for name in names.split():
            check_column(name, getattr(instance, name), (size,), low, high)
    check_column("travel", instance.travel, (modes, places, places), 0, LONGEST_WAY, "int32")
    for name in ("travel_cost", "largest_late_cost", "rest", "rest_after"):
        number = getattr(instance, name)
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= NO_LIMIT:
            raise InvalidInput(f"{name} is {number!r}; expected a whole number from 0 to {NO_LIMIT}")
    check_ascending("request", instance.request)
    check_ascending("entry_option", instance.entry_option)
    check_ascending("promise_request", instance.promise_request)
    _options_in_order(instance)
    _linked(instance)
    _fits(instance)
    refuse_cycles(instance.parent)
    _tours_apart(instance)


def _tours_apart(instance: VisitInstance) -> None:
    order = np.lexsort((instance.begin, instance.person))
    person, begin, end = instance.person[order], instance.begin[order], instance.end[order]
    early = np.flatnonzero((person[1:] == person[:-1]) & (begin[1:] < end[:-1]))
    if len(early):
        raise InvalidInput(
            f"tours {order[early[0]]} and {order[early[0] + 1]} of person {person[early[0]]} overlap"
        )


def _options_in_order(instance: VisitInstance) -> None:
    visit, tour = instance.option_visit, instance.option_tour
    wrong = np.flatnonzero((np.diff(visit) < 0) | ((np.diff(visit) == 0) & (np.diff(tour) <= 0)))
    if len(wrong):
        raise InvalidInput(
            f"options {wrong[0]} and {wrong[0] + 1} are out of order; expected visits ascending, and "
            "the tours of each ascending and once"
        )


def dearest(instance: VisitInstance) -> int:
    """Return what no plan exceeds: every visit at its dearest and latest, and every request unmet."""
    n = len(instance.place)

    def most(*columns: NDArray[np.signedinteger[Any]]) -> int:
        return max(max(int(x.max(initial=0)), -int(x.min(initial=0))) for x in columns)

    late = int(np.maximum(instance.latest - instance.due, 0).max(initial=0))
    cost = n * (
        2 * instance.travel_cost * most(instance.travel, instance.option_out, instance.option_back)
        + most(instance.late_cost) * late
        + most(instance.option_cost)
        + int((instance.load_cost.astype(np.float64) * np.minimum(n, instance.capacity)).sum())
    )
    cost += instance.largest_late_cost * late + sum(instance.unmet_cost.tolist())
    cost += sum(
        people * int(instance.short_cost[floor])
        for people, floor in zip(
            instance.promise_people.tolist(), instance.promise_floor.tolist(), strict=True
        )
    )
    return int(cost)


def _fits(instance: VisitInstance) -> None:
    """Refuse what could overflow."""
    cost = dearest(instance)
    if cost >= 1 << 62:
        raise InvalidInput(f"costs reach {cost}, all visits together; expected less than 2**62 = {1 << 62}")


def _linked(instance: VisitInstance) -> None:
    first, second = instance.link_first, instance.link_second
    wrong = np.flatnonzero((first == second) | (instance.request[first] != instance.request[second]))
    if len(wrong):
        raise InvalidInput(f"link {wrong[0]} does not join two visits of one request")
