"""`gm.match` against an oracle that looks at every pair and lets HiGHS choose."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import govmatch as gm
from tests import naive
from tests.instances import random_instance
from tests.towns import at, free, hand_town, random_policy, random_town

CODES = ["no_supply", "no_such_service", *naive.STAGES[1:], "capacity"]


def problem_of(seed, largest=8):
    return gm.Problem.from_tables(random_town(seed, largest), policy=random_policy(seed))


def cost_of(tables, policy=None, **more):
    """Cost of the matched plan in hundredths."""
    plan = gm.match(gm.Problem.from_tables(tables, policy=policy, **more))
    assert plan.certificate.gap == 0
    return round(plan.certificate.primal * 100)


def conforms(problem):
    plan = gm.match(problem)
    certificate = plan.certificate
    assert round(certificate.primal * 100) == naive.optimal_cost(problem)
    assert certificate.bound == certificate.primal
    assert certificate.gap == 0
    assert certificate.scope == "all_pairs"
    assert certificate.termination == "optimal"
    assert certificate.verified
    assert certificate.pairs == len(naive.eligible_pairs(problem, any_cost=True))
    assert gm.verify(problem, plan).ok
    return plan


def reasons_conform(problem, plan):
    counts = naive.count_reasons(problem)
    totals = counts.sum().to_numpy()
    assert plan.funnel["pairs"].tolist() == [*(totals[:-1] - totals[1:]), totals[-1]]
    several = {r["request_id"] for r in naive.World(problem).requests if r["people"] > 1}
    for row in plan.unmet.itertuples():
        left = counts.loc[row.request_id].tolist()
        empty = left.index(0) if 0 in left else len(left)
        code = "together" if CODES[empty] == "window" and row.request_id in several else CODES[empty]
        assert (row.request_id, row.reason) == (row.request_id, code)
        assert row.eligible == left[max(empty - 1, 0)]


def test_the_hand_made_town():
    problem = gm.Problem.from_tables(hand_town())
    plan = conforms(problem)
    reasons_conform(problem, plan)
    assert plan.certificate.primal == 3072.86
    reasons = dict(zip(plan.unmet["request_id"], plan.unmet["reason"], strict=True))
    assert reasons == {
        "R08": "no_such_service",
        "R10": "level",
        "R15": "distance",
        "R16": "window",
        **dict.fromkeys(set(reasons) & {"R12", "R13"}, "capacity"),
    }
    assert plan.linked == 1


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), largest=st.integers(2, 12))
@example(seed=1150, largest=8)
@example(seed=3054, largest=20)  # a certificate that ends between a night slot's first day and the window's
def test_random_towns(seed, largest):
    problem = problem_of(seed, largest)
    reasons_conform(problem, conforms(problem))


def test_a_certificate_must_outlive_the_night():
    """The slot begins on the certificate's last day; the window, the day after."""
    tables = {
        "communities": pd.DataFrame({"community_id": ["C"]}),
        "volunteers": pd.DataFrame({"volunteer_id": ["V"], "community_id": ["C"]}),
        "availability": free(("V", "sat 23:00", "sun 03:00")),
        "skills": pd.DataFrame(
            {"provider_id": ["V"], "skill": ["first aid"], "certified_until": [pd.Timestamp("2026-11-21")]}
        ),
        "requests": pd.DataFrame(
            {
                "request_id": ["R"],
                "community_id": ["C"],
                "skill": ["first aid"],
                "certified": [True],
                "earliest": [at("sun 00:30")],
                "latest": [at("sun 02:30")],
            }
        ),
    }
    horizon = (at("sat 00:00"), at("mon 00:00"))
    plan = gm.match(gm.Problem.from_tables(tables, horizon=horizon))
    assert plan.unmet["reason"].tolist() == ["certificate"]
    tables["skills"]["certified_until"] = pd.Timestamp("2026-11-22")
    assert len(gm.match(gm.Problem.from_tables(tables, horizon=horizon)).assignments) == 1


def test_xishan_small():
    tables = gm.datasets.xishan(seed=0, requests=60, volunteers=400)
    problem = gm.Problem.from_tables(tables)
    plan = conforms(problem)
    reasons_conform(problem, plan)
    assert len(plan.assignments) >= 20


# what must not change the cost


@pytest.mark.parametrize("seed", range(4))
def test_order_of_rows(seed):
    tables, policy = random_town(seed, 14), random_policy(seed)
    shuffled = {name: table.sample(frac=1, random_state=seed) for name, table in tables.items()}
    # a request of several rows of roles takes no other order of them amiss either
    assert cost_of(shuffled, policy) == cost_of(tables, policy)


def renamed(tables):
    """Every id replaced by another that sorts the other way round."""
    ids = sorted(
        set(tables["communities"]["community_id"])
        | set(tables["party_units"]["unit_id"])
        | set(tables["organizations"]["organization_id"])
        | set(tables["volunteers"]["volunteer_id"])
        | set(tables["requests"]["request_id"])
    )
    names = {one: f"新{len(ids) - i:04d} · x" for i, one in enumerate(ids)}
    columns = {
        "community_id", "unit_id", "parent_id", "organization_id", "party_unit_id", "from_id", "to_id",
        "volunteer_id", "provider_id", "request_id", "duplicate_of",
    }  # fmt: skip
    return {
        table: frame.assign(**{c: [names.get(x, x) for x in frame[c]] for c in columns & set(frame.columns)})
        for table, frame in tables.items()
    }


@pytest.mark.parametrize("seed", range(4))
def test_names_of_things(seed):
    tables, policy = random_town(seed, 14), random_policy(seed)
    assert cost_of(renamed(tables), policy) == cost_of(tables, policy)


@pytest.mark.parametrize("seed", range(3))
def test_the_same_input_gives_the_same_plan(seed):
    tables, policy = random_town(seed, 14), random_policy(seed)
    one, other = (gm.match(gm.Problem.from_tables(tables, policy=policy)) for _ in range(2))
    pd.testing.assert_frame_equal(one.assignments, other.assignments)
    pd.testing.assert_frame_equal(one.unmet, other.unmet)


# what may change it in one direction only


@pytest.mark.parametrize("seed", range(4))
def test_more_capacity_never_costs_more(seed):
    tables, policy = random_town(seed, 14), random_policy(seed)
    before = cost_of(tables, policy)
    volunteers, firms = tables["volunteers"], tables["organizations"]
    for more in (
        {"volunteers": volunteers.assign(max_jobs_per_day=24)},
        {"volunteers": volunteers.assign(max_jobs_per_week=168)},
        {"volunteers": volunteers.assign(max_travel_minutes=1440)},
        {"volunteers": volunteers.assign(clearance=3)},
        {
            "organizations": firms.assign(
                capacity_per_slot=pd.to_numeric(firms["capacity_per_slot"]).fillna(0) + 1
            )
        },
        {"organizations": firms.assign(capacity_per_week=None)},
    ):
        assert cost_of({**tables, **more}, policy) <= before


@pytest.mark.parametrize("seed", range(4))
def test_a_request_more_never_costs_less_and_gone_again_restores(seed):
    tables, policy = random_town(seed, 14), random_policy(seed)
    tables.pop("roles", None)
    tables.pop("pins", None)
    requests = tables["requests"]
    costs = [cost_of({**tables, "requests": requests.iloc[:n]}, policy) for n in range(1, len(requests) + 1)]
    assert costs == sorted(costs)
    problem = gm.Problem.from_tables(tables, policy=policy)
    fewer = problem.with_requests(requests.iloc[:1])
    again = fewer.with_requests(requests)
    assert round(gm.match(again).certificate.primal * 100) == costs[-1]


@pytest.mark.parametrize("seed", range(4))
def test_an_edited_alliance(seed):
    tables, policy = random_town(seed, 12), random_policy(seed)
    alliance = gm.Alliance.from_tables(tables, policy=policy)
    rng = np.random.default_rng(seed)
    edges = list(alliance.graph.edges(keys=True))
    for i in rng.permutation(len(edges))[: len(edges) // 3]:
        alliance.graph.remove_edge(*edges[i])
    nodes = list(alliance.graph.nodes)
    alliance.graph.add_node("away", kind="organization", name="outside the tables")
    for node in rng.choice(nodes, min(3, len(nodes)), replace=False).tolist():
        alliance.graph.add_edge(node, "away", kind="tier", hop_minutes=1.25, valid_from=None, valid_to=None)
    conforms(gm.Problem.from_tables(tables, policy=policy, alliance=alliance))


@pytest.mark.parametrize("seed", range(4))
def test_a_road_graph(seed):
    rng = np.random.default_rng(seed)
    n = 40
    nodes = pd.DataFrame(
        {
            "node_id": range(n),
            "lat": 30.5 + rng.random(n) * 0.1,
            "lon": 120.6 + rng.random(n) * 0.1,
        }
    )
    arcs = pd.DataFrame(rng.integers(0, n, (120, 2)), columns=["tail", "head"])
    arcs = arcs.assign(minutes=rng.integers(0, 20, len(arcs)) * 0.75)
    roads = gm.RoadGraph(nodes, arcs, max_minutes=40)
    conforms(gm.Problem.from_tables(random_town(seed, 12), policy=random_policy(seed), travel=roads))


def test_instances_by_enumeration():
    """The oracle of these tests is held against another and, where tiny, against all flows."""
    from tests.instances import optimal_cost

    for seed in range(40):
        instance = random_instance(seed, 5)
        assert naive.brute_force(instance) == round(optimal_cost(instance))


@pytest.mark.parametrize("seed", range(5))
def test_the_instance_of_a_plan(seed):
    plan = gm.match(problem_of(seed, 10))
    assert naive.brute_force(plan.search.instance) == round(plan.certificate.primal * 100)
