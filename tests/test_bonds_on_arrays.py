"""People kept apart and people who prefer each other, on arrays: plans and bounds against every plan."""

from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest

from govmatch.solve.bonds import Bonds, Meetings
from govmatch.solve.control import Control
from govmatch.solve.core import Core
from govmatch.solve.coupled import Coupled, choose, follow
from govmatch.solve.mip.model import solve
from govmatch.solve.ruled import search_ruled
from govmatch.solve.rules import Limits, Rules
from govmatch.solve.team_live import improve
from govmatch.solve.team_prices import best_duals
from govmatch.solve.team_search import search
from tests.test_coupled import NO_FLOORS, cheapest, random_day

pytestmark = pytest.mark.kernels


def random_bonds(seed):
    """Every two of four people are kept apart, prefer each other, or neither."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, 6, p=[0.3, 0.4, 0.3])
    pairs = np.array(list(combinations(range(4), 2)))
    return Bonds(pairs[kind == 0], pairs[kind == 1], int(rng.integers(1, 12)))


def people_by_owner(instance, tree, used):
    role = dict(zip(tree.state_request.tolist(), tree.state_role.tolist(), strict=True))
    sent = defaultdict(set)
    for a in used:
        r = int(instance.request[a])
        if r in role:
            team = int(tree.role_team[role[r]])
            if tree.role_people[tree.role_team == team].sum() > 1:
                sent["team", team].add(int(instance.group[a]))
        elif instance.demand[r] > 1:
            sent["alone", r].add(int(instance.group[a]))
    return sent.values()


def oracle(instance, tree, bonds):
    """Return the least cost of any plan that keeps people apart, with what it costs who come alone."""

    def allowed(used):
        sent = people_by_owner(instance, tree, used)
        return not any({p, q} <= people for people in sent for p, q in bonds.apart.tolist())

    def more(used):
        sent = people_by_owner(instance, tree, used)
        return bonds.cost * sum(
            (p in people) != (q in people) for people in sent for p, q in bonds.together.tolist()
        )

    return cheapest(instance, tree, allowed, more=more)


@pytest.mark.parametrize("seed", range(30))
def test_the_search_with_bonds_against_all_plans(seed):
    instance, tree = random_day(seed)
    bonds = random_bonds(seed)
    best = oracle(instance, tree, bonds)
    coupled = Coupled(instance, tree, bonds=bonds)
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


@pytest.mark.parametrize("seed", range(20))
def test_who_can_never_come_is_priced_into_every_bound(seed):
    instance, tree = random_day(seed)
    bonds = random_bonds(seed)
    best = oracle(instance, tree, bonds)
    plain = Coupled(instance, tree, bonds=bonds)
    rng = np.random.default_rng(seed)
    never = plain.settled(lambda group, owner: np.ones(len(group), bool))
    some = plain.settled(lambda group, owner: rng.random(len(group)) < 0.5)
    for coupled in (never, some, some.settled(lambda group, owner: np.ones(len(group), bool))):
        found = search(coupled, Control())
        assert (found.proof.primal, found.proof.bound) == (best, best)
        for share in (0.0, 0.5, 1.0):
            price = rng.integers(0, 15, len(instance.parent))
            kept = rng.random(len(instance.parent)) < share
            core = Core(coupled, price, kept[np.array([4, 4, 5, 5, 4, 5])], 1 << 40)
            assert solve(core.part, Control()).bound + core.constant <= best
        price = np.zeros(len(instance.parent), np.int64)
        assert coupled.bound(best_duals(coupled.alone, price), price) <= best
    open_ = plain.bound(best_duals(plain.alone, price), price)
    assert never.bound(best_duals(never.alone, price), price) >= open_


@pytest.mark.parametrize("seed", range(12))
def test_ways_that_are_not_among_the_arcs_excuse_who_comes_alone(seed):
    instance, tree = random_day(seed)
    bonds = random_bonds(seed)
    best = oracle(instance, tree, bonds)
    rng = np.random.default_rng(seed)
    known = rng.random(len(instance.request)) < 0.6
    outside = np.full(len(instance.demand), 1 << 52)
    np.minimum.at(outside, instance.request[~known], instance.cost[~known])
    whole = Coupled(instance, tree, bonds=bonds)
    part = whole.without(~known)
    part.outside = np.minimum(part.outside, outside)
    for share in (0.0, 0.5, 1.0):
        price = rng.integers(0, 15, len(instance.parent))
        kept = rng.random(len(instance.parent)) < share
        core = Core(part, price, kept[np.array([4, 4, 5, 5, 4, 5])], 1 << 40)
        assert solve(core.part, Control()).bound + core.constant <= best
    assert search(part, Control()).proof.bound <= best


@pytest.mark.parametrize("seed", range(8))
def test_bonds_beside_rules(seed):
    instance, tree = random_day(seed)
    bonds = random_bonds(seed)
    rng = np.random.default_rng(seed + 100)
    entry = np.flatnonzero(rng.random(len(instance.request)) < 0.5)
    weight = np.ones(len(entry), np.int64)
    rules = Rules(entry, rng.integers(0, 2, len(entry)), weight, np.array([1, 2]))
    best = cheapest(
        instance,
        tree,
        lambda used: (
            (
                rules.usage(np.bincount(np.array(used, int), minlength=len(instance.request))) <= rules.limit
            ).all()
            and not any(
                {p, q} <= people
                for people in people_by_owner(instance, tree, used)
                for p, q in bonds.apart.tolist()
            )
        ),
        more=lambda used: (
            bonds.cost
            * sum(
                (p in who) != (q in who)
                for who in people_by_owner(instance, tree, used)
                for p, q in bonds.together.tolist()
            )
        ),
    )
    found = search_ruled(Coupled(instance, tree, bonds=bonds), Limits(rules, NO_FLOORS), Control()).found
    assert found.proof.bound <= best == found.proof.primal
    assert (rules.usage(found.flow) <= rules.limit).all()


def test_a_search_cut_short_still_keeps_people_apart():
    for seed in range(12):
        instance, tree = random_day(seed)
        bonds = random_bonds(seed)
        control = Control(time_limit=1e-9)
        found = search(Coupled(instance, tree, bonds=bonds), control)
        best = oracle(instance, tree, bonds)
        assert found.proof.bound <= best <= found.proof.primal
        used = np.flatnonzero(found.flow)
        for people in people_by_owner(instance, tree, used):
            assert not any({p, q} <= people for p, q in bonds.apart.tolist())


def test_team_by_team_with_bonds():
    improved = 0
    for seed in range(16):
        instance, tree = random_day(seed)
        coupled = Coupled(instance, tree, bonds=random_bonds(seed))
        start = choose(coupled, Control())
        nobody = follow(
            coupled,
            type(start.served)(np.zeros(2, np.bool_), start.served.request, start.served.push),
            Control(),
            None,
        )
        served = improve(coupled, nobody, Control())
        if served is not None:
            improved += follow(coupled, served, Control(), None).proof.primal < nobody.proof.primal
    assert improved >= 8


def test_meetings_by_hand():
    bonds = Bonds(np.array([[0, 1]]), np.array([[1, 2], [2, 3]]), 7)
    owner = np.array([0, 0, 0, 1, 1, -1])
    group = np.array([0, 1, 2, 2, 3, 0])
    met = Meetings(bonds, owner, group)
    assert met.n == 5
    flow = np.array([1, 1, 0, 0, 1, 1])
    assert met.clashing(flow, np.array([3, 5, 0, 0, 0, 0])).tolist() == [1]
    assert met.clashing(flow, np.array([6, 5, 0, 0, 0, 0])).tolist() == [0]
    assert met.lonely(flow) == 14  # 1 without 2 at owner 0, 3 without 2 at owner 1
    assert met.toll(surely=True).tolist() == [0, 0, 7, 7, 0, 0]  # 3 cannot come to owner 0, 1 not to 1
    assert met.toll().tolist() == [0, 7, 14, 14, 7, 0]
    assert met.toll(np.array([0, 0, 1, 0, 0, 0])).tolist() == [0, -7, 14, 14, 7, 0]
    assert met.pairs_of(met.together) == {0: [(1, 2)], 1: [(2, 3)]}
    assert met.mattering.tolist() == [0, 1, 2, 3, 4]
    nobody = Meetings(bonds, np.full(3, -1), np.arange(3))
    assert nobody.lonely(np.ones(3, int)) == 0
    assert nobody.toll().tolist() == [0, 0, 0]
    assert nobody.clashing(np.ones(3, int), np.ones(3, int)).tolist() == []
