"""Teams against brute force: the plan, the bound, and what a wrong plan or column is told."""

from __future__ import annotations

import dataclasses
import itertools
import re
import threading
import time

import numpy as np
import pytest

from govmatch.errors import InvalidInput
from govmatch.solve import teams
from govmatch.solve.control import Control
from govmatch.solve.team_instance import PARTS, TeamInstance, check, faults, lower_bound, plan_cost


def make(seed: int, requests: int = 4, people: int = 5, times: int = 2) -> TeamInstance:
    """Make a small contended day: slots at some times, a limit for each person, an organisation above."""
    rng = np.random.default_rng(seed)
    slots = people * times
    parent = np.concatenate(
        [slots + np.arange(slots) // times, np.full(people, slots + people), np.full(1, -1)]
    )
    capacity = np.concatenate(
        [rng.integers(0, 2, slots), rng.integers(1, times + 1, people), rng.integers(2, slots, 1)]
    )
    role_request = np.repeat(np.arange(requests), rng.integers(1, 4, requests))
    count = rng.integers(1, 3, len(role_request))
    when = rng.integers(0, times, requests)
    arc_role, node = [], []
    for q, r in enumerate(role_request):
        for person in np.sort(rng.choice(people, rng.integers(1, people + 1), replace=False)):
            arc_role.append(q)
            node.append(person * times + when[r])
    return TeamInstance(
        role_request=role_request,
        count=count,
        arc_role=np.array(arc_role),
        node=np.array(node),
        cost=rng.integers(-3, 40, len(node)),
        unmet_cost=rng.integers(0, 150, requests),
        capacity=capacity,
        parent=parent,
    )


def brute_force(instance: TeamInstance) -> int:
    """Try every set of people for every role of every request."""
    choices: list[list[tuple[int, ...]]] = []
    for r in range(len(instance.unmet_cost)):
        roles = np.flatnonzero(instance.role_request == r)
        ways = [
            list(itertools.combinations(np.flatnonzero(instance.arc_role == q), int(instance.count[q])))
            for q in roles
        ]
        choices.append([(), *(tuple(itertools.chain(*way)) for way in itertools.product(*ways))])
    best: int | None = None

    def search(r: int, load: np.ndarray, cost: int) -> None:
        nonlocal best
        if r == len(choices):
            best = cost if best is None else min(best, cost)
            return
        for way in choices[r]:
            more = load.copy()
            for a in way:
                k = int(instance.node[a])
                while k >= 0:
                    more[k] += 1
                    k = int(instance.parent[k])
            if (more <= instance.capacity).all():
                own = int(instance.cost[list(way)].sum()) if way else int(instance.unmet_cost[r])
                search(r + 1, more, cost + own)

    search(0, np.zeros(len(instance.capacity), np.int64), 0)
    assert best is not None
    return best


@pytest.mark.kernels
@pytest.mark.parametrize("block", range(4))
def test_small_days_are_solved_as_by_brute_force_and_the_bound_is_true(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teams, "STEPS", 100)
    for seed in range(block * 20, block * 20 + 20):
        instance = make(seed)
        found, best = teams.solve(instance), brute_force(instance)
        assert faults(instance, found.used) == [], f"seed {seed}"
        assert found.cost == plan_cost(instance, found.used)
        assert found.bound == lower_bound(instance, found.price)
        assert found.bound <= best == found.cost, f"seed {seed}"
        assert found.termination == ("optimal" if found.cost == found.bound else "searched")


@pytest.mark.parametrize("seed", range(40))
def test_any_prices_prove_a_true_bound(seed: int) -> None:
    instance = make(seed, requests=3)
    price = np.random.default_rng(seed).integers(0, 30 * PARTS, len(instance.capacity))
    assert lower_bound(instance, price) <= brute_force(instance)


def test_a_contended_day_is_proved_optimal() -> None:
    instance = make(11, requests=60, people=60, times=4)
    found = teams.solve(instance)
    assert faults(instance, found.used) == []
    assert (found.gap, found.termination) == (0, "optimal")
    assert 0 < found.used.sum() < instance.count.sum()


def test_a_limit_a_signal_and_a_gap_end_the_search_with_a_plan_and_a_true_bound() -> None:
    instance = make(12, requests=400, people=300, times=4)
    teams.solve(make(0))
    begun = time.monotonic()
    short = teams.solve(instance, Control(0.2))
    assert time.monotonic() - begun < 1.2
    over = threading.Event()
    over.set()
    none = teams.solve(instance, Control(None, over))
    whole = teams.solve(instance)
    near = teams.solve(instance, Control(None, None, 0.5))
    assert (none.termination, near.termination) == ("cancelled", "gap")
    assert near.gap <= 0.5
    for found in (short, none, near):
        assert faults(instance, found.used) == []
        assert found.bound <= whole.cost
    assert none.cost == instance.unmet_cost.sum()


def test_tampered_plans_are_told_by_role_and_node() -> None:
    instance = dataclasses.replace(
        make(3),
        role_request=np.array([0, 0, 1]),
        count=np.array([1, 1, 1]),
        arc_role=np.array([0, 1, 2]),
        node=np.array([0, 2, 2]),
        cost=np.array([1, 1, 1]),
        unmet_cost=np.array([9, 9]),
        capacity=np.ones(16, np.int64),
    )
    assert faults(instance, np.array([False, False, True])) == []
    assert faults(instance, np.array([True, False, False])) == ["role 1 has 0 people of 1"]
    told = faults(instance, np.array([True, True, True]))
    assert told[:2] == ["node 2 carries 2, more than 1", "node 11 carries 2, more than 1"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": np.array([0, 1])}, "count[0] is 0; expected 1 to 1048576"),
        ({"count": np.array([1])}, "count has dtype int64 and shape (1,); expected int64 and (2,)"),
        ({"cost": np.array([1.0, 2.0])}, "cost has dtype float64 and shape (2,); expected int64 and (2,)"),
        (
            {"role_request": np.array([1, 0])},
            "role_request[1] is less than the one before it; expected ascending",
        ),
        ({"arc_role": np.array([0, 0])}, "arc 1 enters the same node as another of its role"),
        ({"unmet_cost": np.array([-1, 2])}, "unmet_cost[0] is -1; expected 0 to 1099511627776"),
        (
            {"unmet_cost": np.array([5, 1 << 40])},
            "unmet_cost[1] is 1099511627776; expected less than 2**40 = 1099511627776 with what",
        ),
        (
            {"cost": np.array([1, -(1 << 40)])},
            "unmet_cost[1] is 5; expected less than 2**40 = 1099511627776 with what",
        ),
        ({"parent": np.array([0])}, "parent has the cycle 0 → 0; expected a forest"),
        ({"node": np.array([0, 5])}, "node[1] is 5; expected 0 to 0"),
    ],
)
def test_wrong_columns_are_refused_by_name_and_position(changes: dict[str, object], message: str) -> None:
    right = TeamInstance(
        role_request=np.array([0, 1]),
        count=np.array([1, 1]),
        arc_role=np.array([0, 1]),
        node=np.array([0, 0]),
        cost=np.array([1, 2]),
        unmet_cost=np.array([5, 5]),
        capacity=np.array([1]),
        parent=np.array([-1]),
    )
    check(right)
    with pytest.raises(InvalidInput, match=re.escape(message)):
        check(dataclasses.replace(right, **changes))


def test_costs_whose_sums_do_not_fit_are_refused() -> None:
    n = 40_000
    many = TeamInstance(
        role_request=np.arange(n),
        count=np.ones(n, np.int64),
        arc_role=np.arange(n),
        node=np.zeros(n, np.int64),
        cost=np.full(n, -(1 << 38)),
        unmet_cost=np.zeros(n, np.int64),
        capacity=np.array([1]),
        parent=np.array([-1]),
    )
    with pytest.raises(
        InvalidInput, match=r"costs reach 1\.1e\+16, all together; expected less than 2\*\*53"
    ):
        teams.solve(many)


def test_a_role_of_more_people_than_there_are_stays_unmet() -> None:
    alone = dataclasses.replace(make(1, requests=1), unmet_cost=np.array([50]))
    crowd = dataclasses.replace(alone, count=np.full_like(alone.count, 1 << 20))
    found = teams.solve(crowd)
    assert (found.cost, found.bound, found.termination) == (50, 50, "optimal")


def test_prices_out_of_all_proportion_prove_a_low_bound_and_no_wrong_one() -> None:
    instance = make(2)
    wild = np.full(len(instance.capacity), 1 << 58)
    assert lower_bound(instance, wild) <= brute_force(instance)
