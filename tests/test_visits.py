"""Tours against brute force, and what may not go wrong with them."""

from __future__ import annotations

import dataclasses
import re
import threading
import time

import numpy as np
import pytest

from govmatch.errors import InvalidInput
from govmatch.solve import visits
from govmatch.solve.control import Control
from govmatch.solve.visit_bound import lower_bound
from govmatch.solve.visit_instance import VisitInstance, check
from tests.naive_visits import brute_force, cost_of


def make(rng: np.random.Generator, requests: int, tours: int, *, hard: bool = True) -> VisitInstance:
    """A random small day: several places, one or two people a request, links, caps, hard and soft ends."""
    people = rng.integers(1, 3, requests) if tours > 1 else np.ones(requests, np.int64)
    request = np.repeat(np.arange(requests), people)
    n, places = len(request), requests + 2
    earliest = rng.integers(0, 60, n)
    due = earliest + rng.integers(0, 40, n)
    first = np.flatnonzero(np.diff(request, append=-1) == 0)
    least = rng.integers(-10, 15, len(first))
    able = rng.random((n, tours)) < 0.8
    option_visit, option_tour = np.nonzero(able)
    nodes = int(rng.integers(0, 3))
    person = np.sort(rng.integers(0, tours, tours))
    begin, end = np.zeros(tours, np.int64), np.zeros(tours, np.int64)
    for k in range(tours):  # one person's tours one after the other, some before time 0
        after = end[k - 1] if k and person[k] == person[k - 1] else rng.integers(-40, 1)
        begin[k] = after + rng.integers(0, 20)
        end[k] = begin[k] + rng.integers(30, 200)
    travel = rng.integers(0, 30, (2, places, places))
    mode, leaves, returns = rng.integers(0, 2, (3, tours))  # tours begin and end at the first two places
    there, on = request[option_visit] + 2, option_tour
    rules = int(rng.integers(0, 3))
    floors = int(rng.integers(0, 3))
    promised = np.argwhere(rng.random((requests, floors)) < 0.7)
    counts = np.argwhere(rng.random((len(option_visit), rules)) < 0.5)
    return VisitInstance(
        travel=travel.astype(np.int32),
        place=request + 2,
        minutes=rng.integers(1, 30, n),
        earliest=earliest,
        due=due,
        latest=due + (rng.integers(0, 60, n) if hard else 1000),
        late_cost=rng.integers(0, 4, n),
        request=request,
        unmet_cost=rng.integers(20, 300, requests),
        promise_request=promised[:, 0],
        promise_floor=promised[:, 1],
        promise_people=rng.integers(1, 3, len(promised)),
        allowed=rng.integers(0, 3, floors),
        short_cost=rng.integers(0, 400, floors),
        link_first=first,
        link_second=first + 1,
        link_least=least,
        link_most=least + rng.integers(0, 3, len(first)) * 10,
        option_visit=option_visit,
        option_tour=option_tour,
        option_cost=rng.integers(-5, 30, len(option_visit)),
        option_out=travel[mode[on], leaves[on], there],
        option_back=travel[mode[on], there, returns[on]],
        entry_option=counts[:, 0],
        entry_rule=counts[:, 1],
        entry_weight=rng.integers(1, 4, len(counts)),
        limit=rng.integers(0, 3 * n, rules),
        person=person,
        mode=mode,
        begin=begin,
        end=end,
        node=rng.integers(-1, nodes, tours) if nodes else np.full(tours, -1),
        parent=np.arange(-1, nodes - 1),
        capacity=rng.integers(0, 4, nodes),
        load_cost=rng.integers(0, 20, nodes),
        travel_cost=int(rng.integers(0, 3)),
        largest_late_cost=int(rng.integers(0, 3)),
    )


def quick(instance: VisitInstance, seed: int = 0) -> visits.VisitSolution:
    return visits.solve(instance, seed=seed)


@pytest.fixture
def few_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "MOVES_A_VISIT", 1_500)


KERNELS = (4, 5, 9)
"""Seeds that run with the JIT off, too: unmet requests, links, tails."""


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=pytest.mark.kernels if seed in KERNELS else ()) for seed in range(60)]
)
def test_small_days_are_solved_as_by_brute_force(seed: int, few_moves: None) -> None:
    rng = np.random.default_rng(seed)
    tours = int(rng.integers(1, 4))
    instance = make(rng, int(rng.integers(1, 4)), tours)
    found = quick(instance)
    faults, cost = cost_of(instance, found.tour, found.begin)
    assert faults == []
    assert found.cost == cost
    assert found.bound <= (least := brute_force(instance))
    assert found.cost == least
    assert (found.termination == "optimal") == (found.cost == found.bound)


@pytest.mark.parametrize(
    "seed", [pytest.param(s, marks=pytest.mark.kernels) if s < 2 else s for s in range(6)]
)
def test_rests_are_kept_where_links_push_visits_too(seed: int, few_moves: None) -> None:
    rng = np.random.default_rng(300 + seed)
    instance = make(rng, 4 if seed < 2 else 15, 4, hard=bool(seed % 2))
    instance = dataclasses.replace(instance, rest=30, rest_after=35, limit=instance.limit + 1000)
    found = quick(instance)
    faults, cost = cost_of(instance, found.tour, found.begin)
    assert (faults, cost) == ([], found.cost)
    free = quick(dataclasses.replace(instance, rest=0))
    loose = dataclasses.replace(instance, rest_after=10**6)
    assert quick(loose).cost == free.cost
    assert cost_of(instance, free.tour, free.begin)[0] or seed < 4


@pytest.mark.parametrize("seed", range(8))
def test_larger_days_keep_every_limit_and_cost_what_they_say(seed: int, few_moves: None) -> None:
    rng = np.random.default_rng(100 + seed)
    instance = make(rng, 40, 12, hard=bool(seed % 2))
    found = quick(instance)
    faults, cost = cost_of(instance, found.tour, found.begin)
    assert faults == []
    assert found.cost == cost
    assert lower_bound(instance) == found.bound <= cost
    assert cost <= cost_of(instance, np.full(len(found.tour), -1), found.begin)[1]
    assert (found.tour >= 0).any()


@pytest.mark.kernels
def test_two_people_begin_together_and_the_later_one_sets_the_time(few_moves: None) -> None:
    far = np.array([5, 50, 5, 50])
    found = quick(_two_people(option_out=far, option_back=far))
    assert sorted(found.tour) == [0, 1]
    assert list(found.begin) == [50, 50]
    # 5 there and 5 back, 50 there and 50 back, and both 40 later than due
    assert found.cost == 10 + 100 + 2 * 40


@pytest.mark.kernels
def test_a_request_of_two_is_made_by_two_or_not_at_all(few_moves: None) -> None:
    alone = dataclasses.replace(_two_people(), person=np.array([7, 7]), begin=np.array([0, 500]))
    alone = dataclasses.replace(
        alone, end=np.array([500, 900]), latest=np.full(2, 900), link_most=np.array([900])
    )
    found = quick(alone)
    assert list(found.tour) == [-1, -1]
    assert found.cost == 1000


@pytest.mark.kernels
def test_links_that_contradict_leave_a_request_unmet(few_moves: None) -> None:
    first, second = np.array([0, 0]), np.array([1, 1])
    apart = dataclasses.replace(
        _two_people(),
        link_first=first,
        link_second=second,
        link_least=np.array([10, 0]),
        link_most=np.array([20, 5]),
    )
    assert list(quick(apart).tour) == [-1, -1]


def _two_people(**changes: object) -> VisitInstance:
    zero = np.zeros(2, np.int64)
    instance = VisitInstance(
        travel=np.zeros((1, 3, 3), np.int32),
        place=np.ones(2, np.int64),
        minutes=np.full(2, 10),
        earliest=zero,
        due=np.full(2, 10),
        latest=np.full(2, 500),
        late_cost=np.ones(2, np.int64),
        request=zero,
        unmet_cost=np.array([1000]),
        link_first=np.array([0]),
        link_second=np.array([1]),
        link_least=np.array([0]),
        link_most=np.array([0]),
        option_visit=np.array([0, 0, 1, 1]),
        option_tour=np.array([0, 1, 0, 1]),
        option_cost=np.zeros(4, np.int64),
        option_out=np.zeros(4, np.int64),
        option_back=np.zeros(4, np.int64),
        **{name: zero[:0] for name in ("entry_option", "entry_rule", "entry_weight", "limit")},
        **{name: zero[:0] for name in ("promise_request", "promise_floor", "promise_people")},
        **{name: zero[:0] for name in ("allowed", "short_cost")},
        person=np.arange(2),
        mode=zero,
        begin=zero,
        end=np.full(2, 500),
        node=np.full(2, -1),
        parent=np.zeros(0, np.int64),
        capacity=np.zeros(0, np.int64),
        load_cost=np.zeros(0, np.int64),
    )
    return dataclasses.replace(instance, **changes)


def test_nothing_to_do_is_done() -> None:
    none = np.zeros(0, np.int64)
    lists = {
        field.name: none
        for field in dataclasses.fields(VisitInstance)
        if field.name not in ("travel", "travel_cost", "largest_late_cost", "rest", "rest_after")
    }
    found = visits.solve(VisitInstance(travel=np.zeros((1, 0, 0), np.int32), **lists))
    assert (found.cost, found.bound, found.termination) == (0, 0, "optimal")


def test_a_bound_that_is_known_takes_the_place_of_the_instance_s_own(few_moves: None) -> None:
    instance = make(np.random.default_rng(5), 6, 3)
    found = visits.solve(instance, bound=-7)
    assert (found.bound, found.termination) == (-7, "searched")


def test_one_seed_finds_the_same_tours_again(few_moves: None) -> None:
    instance = make(np.random.default_rng(5), 30, 9)
    first, again = quick(instance, 3), quick(instance, 3)
    assert (first.tour == again.tour).all() and (first.begin == again.begin).all()


def test_a_time_limit_and_a_cancel_signal_end_the_search_with_what_there_is(few_moves: None) -> None:
    instance = make(np.random.default_rng(6), 60, 20)
    visits.solve(instance, Control(0.1))
    begun = time.monotonic()
    found = visits.solve(instance, Control(0.5))
    assert time.monotonic() - begun < 1.5
    assert found.termination == "time_limit"
    assert cost_of(instance, found.tour, found.begin) == ([], found.cost)
    over = threading.Event()
    over.set()
    found = visits.solve(instance, Control(None, over))
    assert found.termination == "cancelled"
    assert cost_of(instance, found.tour, found.begin) == ([], found.cost)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"place": np.array([1, 3])}, "place[1] is 3; expected 0 to 2"),
        ({"place": np.array([1])}, "minutes has dtype int64 and shape (2,); expected int64 and (1,)"),
        (
            {"minutes": np.array([1.0, 2.0])},
            "minutes has dtype float64 and shape (2,); expected int64 and (2,)",
        ),
        ({"minutes": np.array([-1, 2])}, "minutes[0] is -1; expected 0 to 1099511627776"),
        (
            {"travel": np.zeros((1, 2, 3), np.int64)},
            "travel has dtype int64 and shape (1, 2, 3); expected int32 and (1, 3, 3)",
        ),
        (
            {"travel": np.array(7)},
            "place[0] is 1; expected 0 to -1",
        ),
        ({"travel": -np.ones((1, 3, 3), np.int32)}, "travel[0, 0, 0] is -1; expected 0 to 1073741824"),
        (
            {"limit": np.array([3]), "entry_option": np.array([4]), "entry_rule": np.array([0])},
            "entry_option[0] is 4; expected 0 to 3",
        ),
        ({"promise_floor": np.zeros(1, np.int64)}, "promise_floor has dtype int64 and shape (1,)"),
        ({"limit": np.array([-1])}, "limit[0] is -1; expected 0 to 1099511627776"),
        (
            {
                "limit": np.array([3]),
                "entry_option": np.array([1, 0]),
                "entry_rule": np.array([0, 0]),
                "entry_weight": np.array([1, 1]),
            },
            "entry_option[1] is less than the one before it; expected ascending order",
        ),
        ({"option_out": np.full(4, -1)}, "option_out[0] is -1; expected 0 to 1099511627776"),
        (
            {"request": np.array([1, 0]), "unmet_cost": np.array([5, 5])},
            "request[1] is less than the one before it; expected ascending order",
        ),
        (
            {"option_tour": np.array([1, 0, 0, 1])},
            "options 0 and 1 are out of order; expected visits ascending, and the tours of each ascending",
        ),
        ({"link_second": np.array([0])}, "link 0 does not join two visits of one request"),
        (
            {
                "parent": np.array([1, 0]),
                "capacity": np.array([1, 1]),
                "load_cost": np.array([0, 0]),
            },
            "parent has the cycle 0 → 1 → 0; expected a forest",
        ),
        ({"person": np.array([3, 3])}, "tours 0 and 1 of person 3 overlap"),
        ({"travel_cost": -1}, "travel_cost is -1; expected a whole number from 0 to 1099511627776"),
        ({"travel_cost": 0.5}, "travel_cost is 0.5; expected a whole number from 0 to 1099511627776"),
        ({"largest_late_cost": 1 << 70}, f"largest_late_cost is {1 << 70}; expected a whole number"),
        ({"node": np.array([-1, 0])}, "node[1] is 0; expected -1 to -1"),
        (
            {"late_cost": np.full(2, 1 << 40), "latest": np.full(2, 1 << 40)},
            "costs reach 2417851639207268116857832, all visits together; expected less than 2**62",
        ),
    ],
)
def test_wrong_columns_are_refused_by_name_and_position(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)):
        check(_two_people(**changes))


def test_a_tour_that_ends_before_time_zero_can_be_left() -> None:
    early = _two_people(
        request=np.array([0, 1]), unmet_cost=np.array([5, 5]), link_first=np.zeros(0, np.int64)
    )
    none = np.zeros(0, np.int64)
    early = dataclasses.replace(early, link_second=none, link_least=none, link_most=none)
    early = dataclasses.replace(
        early,
        earliest=early.earliest - 1000,
        due=early.due - 1000,
        latest=early.latest - 1000,
        begin=early.begin - 1000,
        end=early.end - 1000,
        travel=np.full((1, 3, 3), 2, np.int32),
        option_out=np.full(4, 2),
        option_back=np.full(4, 2),
        option_cost=np.array([0, 1, 0, 1]),
    )
    assert quick(early).cost == brute_force(early)


def test_a_request_without_visits_costs_nothing(few_moves: None) -> None:
    more = dataclasses.replace(_two_people(), unmet_cost=np.array([1000, 7]))
    found = quick(more)
    assert (found.cost, found.bound, found.termination) == (0, 0, "optimal")
    assert cost_of(more, found.tour, found.begin) == ([], 0)


def test_a_gap_that_holds_ends_the_search() -> None:
    far = np.array([5, 50, 5, 50])
    instance = _two_people(option_out=far, option_back=far, option_cost=np.full(4, 40))
    begun = time.monotonic()
    found = visits.solve(instance, Control(20.0, None, 0.99))
    assert time.monotonic() - begun < 15
    assert (found.cost, found.bound, found.termination) == (270, 80, "gap")


def test_load_costs_that_add_up_along_a_way_are_refused() -> None:
    n, depth = 100, 1_700
    crowd = _two_people()
    columns = {
        name: np.repeat(getattr(crowd, name)[:1], n)
        for name in ("place", "minutes", "earliest", "due", "latest", "late_cost", "request")
    }
    chain = dataclasses.replace(
        crowd,
        **columns,
        node=np.full(2, depth - 1),
        parent=np.arange(-1, depth - 1),
        capacity=np.full(depth, n),
        load_cost=np.full(depth, 1 << 40),
    )
    with pytest.raises(InvalidInput, match=r"costs reach .* all visits together; expected less than"):
        check(chain)


def test_a_short_limit_leaves_time_for_the_search_after_the_greedy_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def slowly(packed: object, tours: object, order: np.ndarray, stop: np.ndarray) -> None:
        asked.append(len(order))
        time.sleep(0.1)

    instance = make(np.random.default_rng(8), 200, 20)
    visits.solve(instance, Control(0.1))
    monkeypatch.setattr(visits, "insert_requests", slowly)
    found = visits.solve(instance, Control(0.8))
    assert sum(asked) < 200
    assert (found.tour >= 0).any()
    assert cost_of(instance, found.tour, found.begin) == ([], found.cost)
