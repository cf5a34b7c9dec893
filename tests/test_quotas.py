"""Quotas of agreements: so many jobs a week from one community to another."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import govmatch as gm
from govmatch.solve.rules import Rules
from tests import naive
from tests.towns import frame, free, random_policy, random_town, request, volunteer


def county(quota, n_requests=4, hop=None):
    """Requests in C1, helpers in C2, and one agreement between the two."""
    return {
        "communities": frame("community_id lat lon", ("C1", 30.5, 120.6), ("C2", 30.51, 120.6)),
        "agreements": frame(
            "agreement_id from_id to_id kind hop_minutes quota_per_week",
            ("A1", "C1", "C2", "federation", hop, quota),
        ),
        "volunteers": pd.DataFrame([volunteer(f"V{i}", "C2") for i in range(n_requests)]),
        "availability": free(*((f"V{i}", "sat 08:00", "sat 12:00") for i in range(n_requests))),
        "requests": pd.DataFrame(
            [request(f"R{i}", "C1", window="sat 08:00-12:00", priority=1 + i) for i in range(n_requests)]
        ),
    }


def test_as_many_pass_as_the_quota_lets_and_the_dearest_to_leave_go_first():
    plan = gm.match(gm.Problem.from_tables(county(2)))
    assert set(plan.assignments["request_id"]) == {"R2", "R3"}
    assert plan.unmet[["request_id", "reason", "reason_zh"]].to_numpy().tolist() == [
        ["R0", "quota", "可派者须经由的共建协议本周名额已用完"],
        ["R1", "quota", "可派者须经由的共建协议本周名额已用完"],
    ]
    assert plan.certificate.termination == "optimal"
    assert gm.match(gm.Problem.from_tables(county(4))).unmet.empty


def test_a_quota_of_nothing_closes_the_agreement():
    plan = gm.match(gm.Problem.from_tables(county(0)))
    assert plan.unmet["reason"].tolist() == ["path"] * 4


def test_an_equal_way_without_a_quota_is_taken_first():
    tables = county(1)
    tables["agreements"] = frame(
        "agreement_id from_id to_id kind hop_minutes quota_per_week",
        ("A1", "C1", "C2", "federation", None, 1),
        ("A2", "C2", "C1", "federation", None, None),
    )
    assert gm.match(gm.Problem.from_tables(tables)).unmet.empty
    tables["agreements"].loc[1, "hop_minutes"] = 11.0  # a dearer one is no way out: the route is the cheapest
    assert len(gm.match(gm.Problem.from_tables(tables)).unmet) == 3


def test_each_week_has_its_quota():
    tables = county(1, 2)
    tables["requests"]["latest"] = None
    tables["availability"] = free(("V0", "sat 08:00", "sat 12:00"), ("V1", "mon 08:00", "mon 12:00"))
    plan = gm.match(gm.Problem.from_tables(tables, horizon=("2026-11-21", "2026-11-28")))
    assert sorted(plan.assignments["start"].dt.day_name()) == ["Monday", "Saturday"]


def test_a_flow_alone_refuses_quotas():
    with pytest.raises(gm.UnsupportedFeature, match="not supported yet: quotas"):
        gm.match(gm.Problem.from_tables(county(1)), method="flow")


def test_tampering_with_quotas_is_found():
    problem = gm.Problem.from_tables(county(2))
    plan = gm.match(gm.Problem.from_tables(county(3)))
    faults = gm.verify(problem, plan).faults
    told = faults.loc[faults["code"] == "quota_exceeded", ["provider_id", "message"]].to_numpy().tolist()
    assert told == [["A1", "3 jobs pass agreement 'A1' in one week; at most 2"]]
    plan = gm.match(
        gm.Problem.from_tables(
            {**county(4), "volunteers": county(4)["volunteers"].head(2)}
            | {"availability": county(4)["availability"].head(2)}
        )
    )
    unmet = plan.unmet.assign(reason="quota", reason_zh=gm.plan.reasons.REASONS["quota"][1])
    messages = gm.verify(plan.problem, replace(plan, unmet=unmet)).faults["message"].tolist()
    assert "reason 'quota'; no agreement's quota is used up" in messages


def with_quotas(seed):
    tables, rng = random_town(seed, 8), np.random.default_rng(seed)
    if "agreements" in tables:
        n = len(tables["agreements"])
        quota = pd.array(rng.integers(0, 3, n), dtype="Int64")
        quota[rng.random(n) < 0.3] = pd.NA
        tables["agreements"]["quota_per_week"] = quota
    return tables


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_random_towns_with_quotas(seed):
    problem = gm.Problem.from_tables(with_quotas(seed), policy=random_policy(seed))
    plan = gm.match(problem)
    best = naive.optimal_cost(problem)
    assert round(plan.certificate.bound * 100) <= best
    assert round(plan.certificate.primal * 100) == best  # so small a town is solved whole


def test_a_day_with_quotas_keeps_them():
    tables = gm.datasets.xishan(seed=0)
    tables["agreements"] = tables["agreements"].assign(quota_per_week=1)
    plan = gm.match(gm.Problem.from_tables(tables))
    assert plan.certificate.verified
    assert plan.certificate.gap <= 1e-4
    assert (plan.unmet["reason"] == "quota").any()


def test_rules_close_what_is_worth_least():
    rules = Rules(np.array([0, 1, 2, 2]), np.array([0, 0, 0, 1]), np.ones(4, np.int64), np.array([2, 5]))
    flow, worth = np.array([1, 1, 1, 0]), np.array([3, 1, 2, 9])
    assert rules.usage(flow).tolist() == [3, 1]
    assert rules.to_close(flow, worth).tolist() == [False, True, False, False]
    assert rules.tolls(np.array([10, 1]), 4).tolist() == [10, 10, 11, 0]
    fewer = rules.of(np.array([2, 0]), 4)
    assert (fewer.arc.tolist(), fewer.rule.tolist()) == ([1, 0, 0], [0, 0, 1])


def test_a_quota_and_not_the_pins_is_why():
    tables = county(2)
    tables["pins"] = frame("request_id provider_id action", *((f"R{i}", f"V{i}", "assign") for i in range(3)))
    plan = gm.match(gm.Problem.from_tables(tables))
    left = plan.unmet.set_index("request_id")["reason"]
    assert set(left) == {"quota"}
    assert gm.explain(plan, left.index[0]).conflict == ()
