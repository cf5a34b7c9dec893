"""One suite for all features of the solvers: each against an oracle on small towns, or refused by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

import govmatch as gm
from govmatch.plan.match import FEATURES
from tests import naive, naive_teams
from tests.goods_towns import random_goods_town
from tests.naive_goods import best_cost_with_goods
from tests.naive_sessions import best_session_cost
from tests.session_towns import random_session_town
from tests.team_towns import random_team_town
from tests.test_bonds import with_bonds
from tests.test_limits import with_limits
from tests.test_pins import with_pins
from tests.test_quotas import with_quotas
from tests.towns import random_policy, random_town

SEEDS = 12


def _plain(seed):
    return random_town(seed, 8), random_policy(seed)


def _limited(feature):
    """A town with one of the limits, and the policy that goes with it."""

    def town(seed):
        tables, policy = with_limits(random_town(seed, 8), seed)
        plain = gm.Policy()
        if feature != "away":
            tables["communities"] = tables["communities"].drop(columns="away_per_week", errors="ignore")
        if feature != "hours":
            tables["volunteers"] = tables["volunteers"].drop(columns="max_minutes_per_week", errors="ignore")
            policy = replace(policy, load=replace(policy.load, minutes_per_week=0))
        floors = policy.floors if feature == "floors" else plain.floors
        return tables, replace(
            policy, floors=floors, reserve=policy.reserve if feature == "reserve" else plain.reserve
        )

    return town


def _with_pins(problem):
    extra = 10**7  # the oracle leaves an assigned request only if it must: so dear is it there
    cost, left = naive.optimum_with_pins(problem, extra)
    return cost - extra * left


CASES = {
    "single_role": (_plain, naive.optimal_cost),
    "several_people": (_plain, naive.optimal_cost),
    "load_cost": (_plain, naive.optimal_cost),
    "pins": (lambda seed: (with_pins(seed), random_policy(seed)), _with_pins),
    "quotas": (lambda seed: (with_quotas(seed), random_policy(seed)), naive.optimal_cost),
    "teams": (lambda seed: (random_team_town(seed, 6), random_policy(seed)), naive_teams.best_cost),
    "goods": (lambda seed: (random_goods_town(seed, 6), random_policy(seed)), best_cost_with_goods),
    "sessions": (lambda seed: (random_session_town(seed, 7), random_policy(seed)), best_session_cost),
    "bonds": (lambda seed: (with_bonds(seed, 6), random_policy(seed)), naive_teams.best_cost),
    **{name: (_limited(name), naive.optimal_cost) for name in ("away", "hours", "floors", "reserve")},
}
ELSEWHERE = {"recurrence"}
"""In tests/test_continuity.py and tests/test_recurring_teams.py: its oracle is another problem."""


def problems(feature):
    """Some small towns that ask for a feature."""
    town, _ = CASES[feature]
    found = []
    for seed in range(8 * SEEDS):
        tables, policy = town(seed)
        try:
            problem = gm.Problem.from_tables(tables, policy=policy)
        except gm.InvalidTables:  # a window that is too short for what was drawn
            continue
        if feature in problem.features or feature in ("single_role", "several_people", "load_cost", "pins"):
            found.append(problem)
        if len(found) == SEEDS:
            break
    return found


def test_every_feature_has_its_case():
    assert set(CASES) | ELSEWHERE == set(FEATURES["coupled"])
    assert FEATURES["flow"] < FEATURES["coupled"]


@pytest.mark.parametrize("feature", sorted(CASES))
def test_a_feature_against_its_oracle(feature):
    _, oracle = CASES[feature]
    asked = problems(feature)
    assert len(asked) >= 4
    for problem in asked:
        plan = gm.match(problem, method="coupled")
        cost, bound = (round(x * 100) for x in (plan.certificate.primal, plan.certificate.bound))
        assert bound <= oracle(problem) == cost
        assert gm.verify(problem, plan).ok


@pytest.mark.parametrize("feature", sorted(set(CASES) - FEATURES["flow"]))
def test_a_flow_alone_refuses_what_it_has_not(feature):
    with pytest.raises(gm.UnsupportedFeature, match=feature):
        gm.match(problems(feature)[0], method="flow")
