"""Teams and single requests on arrays: plans and bounds against every plan there is."""

import itertools
import time
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from govmatch.solve.control import Control
from govmatch.solve.core import Core
from govmatch.solve.coupled import Coupled, choose, follow
from govmatch.solve.instance import Instance
from govmatch.solve.mip.model import _left_behind, solve
from govmatch.solve.ruled import search_ruled
from govmatch.solve.rules import Floors, Limits, Rules
from govmatch.solve.team_live import improve
from govmatch.solve.team_prices import best_duals
from govmatch.solve.team_search import search
from govmatch.solve.team_tree import TeamTree

pytestmark = pytest.mark.kernels

NONE = np.zeros(0, np.int64)
NO_FLOORS = Floors(NONE, NONE, NONE, NONE)


def random_day(seed):
    """Two requests that stand alone and two teams of one or two roles at two starts, on four people."""
    rng = np.random.default_rng(seed)
    role_team, start_team, state_role, link_state, link_parent = [], [], [], [], []
    people, must = [], []
    for team in range(2):
        starts = [len(start_team) + i for i in range(int(rng.integers(1, 3)))]
        start_team += [team] * len(starts)
        for _ in range(int(rng.integers(1, 3))):
            role_team.append(team)
            people.append(int(rng.integers(1, 3)))
            must.append(bool(rng.random() < 0.6))
            for start in starts:
                link_state.append(len(state_role))
                link_parent.append(start)
                state_role.append(len(role_team) - 1)
    n = 2 + len(state_role)
    asked = np.bincount(role_team, people, 2).astype(np.int64)
    absence = rng.integers(5, 30, 2)
    sure = np.bincount(role_team, np.array(people) * must, 2).astype(np.int64)
    tree = TeamTree(
        worth=asked * absence,
        absence=absence,
        fewest=np.maximum(np.minimum(asked, rng.integers(1, 4, 2)), sure),
        role_team=np.array(role_team),
        role_people=np.array(people),
        must=np.array(must),
        start_team=np.array(start_team),
        state_role=np.array(state_role),
        state_request=np.arange(2, n),
        link_state=np.array(link_state) + len(start_team),
        link_parent=np.array(link_parent),
    )
    arcs = [(r, k) for r in range(n) for k in range(4) if rng.random() < 0.6]
    request, node = np.array(arcs, np.int64).reshape(-1, 2).T
    instance = Instance(
        request=np.ascontiguousarray(request),
        node=np.ascontiguousarray(node),
        group=np.ascontiguousarray(node),
        cost=rng.integers(0, 20, len(request)),
        demand=np.concatenate([rng.integers(1, 3, 2), np.zeros(n - 2, np.int64)]),
        unmet_cost=np.concatenate([rng.integers(5, 40, 2), np.zeros(n - 2, np.int64)]),
        capacity=np.array([1, 1, 2, 1, 2, 3]),
        parent=np.array([4, 4, 5, 5, -1, -1]),
        load_cost=np.array([0, 0, 0, 0, 3, 0]),
    )
    return instance, tree


def cheapest(instance, tree, allowed=None, extra=None, more=None):
    """Return the least cost of any plan, by trying all.

    `extra` says what those who are missing of each cost on top, `more` what its arcs do.
    """
    arcs_of = [np.flatnonzero(instance.request == r).tolist() for r in range(len(instance.demand))]
    n_alone = 2
    options = []  # by team: what each way to serve it may use, as lists of sets of arcs
    for team in range(len(tree.worth)):
        roles = np.flatnonzero(tree.role_team == team)
        ways = [((), int(tree.worth[team]), int(tree.role_people[roles].sum()))]
        for start in np.flatnonzero(tree.start_team == team):
            states = [
                [
                    s - tree.n_starts
                    for s, p in zip(tree.link_state, tree.link_parent, strict=True)
                    if p == start and tree.state_role[s - tree.n_starts] == q
                ]
                for q in roles
            ]
            for chosen in itertools.product(*states):
                sets = []
                for q, state in zip(roles, chosen, strict=True):
                    mine = arcs_of[tree.state_request[state]]
                    sizes = [tree.role_people[q]] if tree.must[q] else range(int(tree.role_people[q]) + 1)
                    sets.append([c for size in sizes for c in itertools.combinations(mine, size)])
                for picked in itertools.product(*sets):
                    used = sum(picked, ())
                    if len(used) < tree.fewest[team] or len({instance.group[a] for a in used}) < len(used):
                        continue
                    missing = int(tree.role_people[roles].sum()) - len(used)
                    ways.append((used, missing * int(tree.absence[team]), missing))
        options.append(ways)
    for r in range(n_alone):
        ways = []
        for size in range(int(instance.demand[r]) + 1):
            for used in itertools.combinations(arcs_of[r], size):
                if len({instance.group[a] for a in used}) == len(used):
                    missing = int(instance.demand[r]) - size
                    ways.append((used, missing * int(instance.unmet_cost[r]), missing))
        options.append(ways)
    best = None
    for plan in itertools.product(*options):
        used = sum((way[0] for way in plan), ())
        load = np.zeros(len(instance.parent), np.int64)
        for a in used:
            k = instance.node[a]
            while k >= 0:
                load[k] += 1
                k = instance.parent[k]
        if (load > instance.capacity).any() or (allowed is not None and not allowed(used)):
            continue
        cost = sum(way[1] for way in plan) + sum(int(instance.cost[a]) for a in used)
        cost += int((instance.load_cost * load * (load - 1) // 2).sum())
        cost += extra([way[2] for way in plan]) if extra is not None else 0
        cost += more(used) if more else 0
        best = cost if best is None else min(best, cost)
    return best


@pytest.mark.parametrize("seed", range(12))
def test_the_search_against_all_plans(seed):
    instance, tree = random_day(seed)
    best = cheapest(instance, tree)
    coupled = Coupled(instance, tree)
    first = choose(coupled, Control())
    assert first.proof.bound <= best <= first.proof.primal
    found = search(coupled, Control())
    assert (found.proof.primal, found.proof.bound) == (best, best)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        price = rng.integers(0, 15, len(instance.parent))
        assert coupled.bound(best_duals(coupled.alone, price), price) <= best
        kept = rng.random(len(instance.parent)) < 0.5
        root = np.array([4, 4, 5, 5, 4, 5])
        core = Core(coupled, price, kept[root], 1 << 40)
        outcome = solve(core.part, Control())
        assert outcome.bound + core.constant <= best


@pytest.mark.parametrize("seed", range(12))
def test_rules_against_all_plans(seed):
    instance, tree = random_day(seed)
    rng = np.random.default_rng(seed + 100)
    entry = np.flatnonzero(rng.random(len(instance.request)) < 0.5)
    rules = Rules(entry, rng.integers(0, 2, len(entry)), rng.integers(1, 3, len(entry)), np.array([2, 3]))
    best = cheapest(
        instance,
        tree,
        lambda used: (
            (rules.usage(np.bincount(used, minlength=len(instance.request))) <= rules.limit).all()
            if used
            else True
        ),
    )
    found = search_ruled(Coupled(instance, tree), Limits(rules, NO_FLOORS), Control()).found
    assert found.proof.bound <= best == found.proof.primal
    assert (rules.usage(found.flow) <= rules.limit).all()


@pytest.mark.parametrize("seed", range(16))
def test_floors_against_all_plans(seed):
    instance, tree = random_day(seed)
    rng = np.random.default_rng(seed + 100)
    n = len(instance.demand)
    members = np.array([0, 1, n, n + 1])  # teams last, as `cheapest` tells them first
    row, floor = np.nonzero(rng.random((4, 2)) < 0.7)
    price, limit = rng.integers(1, 30, 2), rng.integers(0, 3, 2)
    floors = Floors(members[row], floor, limit, price)

    def extra(missing):
        people = np.array([missing[2], missing[3], missing[0], missing[1]])
        short = np.bincount(floor, people[row], 2).astype(np.int64) - limit
        return int((np.maximum(short, 0) * price).sum())

    entry = np.flatnonzero(rng.random(len(instance.request)) < 0.3)
    rules = Rules(entry, np.zeros(len(entry), np.int64), np.ones(len(entry), np.int64), np.array([2]))

    def allowed(used):
        flow = np.bincount(np.array(used, np.int64), minlength=len(instance.request))
        return (rules.usage(flow) <= rules.limit).all()

    best = cheapest(instance, tree, allowed, extra)
    asked = np.bincount(tree.role_team, tree.role_people, 2).astype(np.int64)
    dear = floors.by_member(price, n + 2)
    raised = replace(tree, worth=tree.worth + dear[n:] * asked, absence=tree.absence + dear[n:])
    coupled = Coupled(replace(instance, unmet_cost=instance.unmet_cost + dear[:n]), raised)
    limits = Limits(rules, floors)
    found = search_ruled(coupled, limits, Control()).found
    assert found.proof.bound <= best == found.proof.primal
    for _ in range(5):
        at = rng.integers(0, 10, 3)
        at[1:] = np.minimum(at[1:], price)
        priced = limits.priced(coupled, at)
        own = rng.integers(0, 15, len(instance.parent))
        assert priced.bound(best_duals(priced.alone, own), own) - limits.earned(at) <= best


def test_the_search_team_by_team_makes_a_plan_without_teams_cheaper():
    improved = 0
    for seed in range(12):
        instance, tree = random_day(seed)
        coupled = Coupled(instance, tree)
        nobody = replace(choose(coupled, Control()).served, on=np.zeros(2, np.bool_))
        alone = follow(coupled, nobody, Control(), None)
        served = improve(coupled, alone, Control())
        if served is not None:
            improved += 1
            cost = follow(coupled, served, Control(), None).proof.primal
            assert cheapest(instance, tree) <= cost < alone.proof.primal
    assert improved >= 8


def test_what_goes_on_after_its_time_is_left_behind():
    release = Event()
    begun = time.monotonic()
    try:
        assert _left_behind(lambda: release.wait(10), Control(0.05)) is None
    finally:
        release.set()
    assert time.monotonic() - begun < 5
    assert _left_behind(lambda: "found", Control(None)) == "found"
