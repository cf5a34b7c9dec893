"""Limits beside capacities: work elsewhere, hours of a week, floors, the reserve; tables to verify."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

import govmatch as gm
from govmatch.model.policy import Floors, Load, Policy, Reserve, Unmet
from govmatch.plan.reasons import REASONS
from tests import naive, naive_goods, naive_teams
from tests.goods_towns import random_goods_town
from tests.team_towns import random_team_town
from tests.towns import frame, free, random_policy, random_town, request, volunteer

MORNING = "sat 08:00-12:00"


def town(n=4, **tables):
    """Two communities of one town; everybody lives in C2, all requests come from C1."""
    return {
        "communities": frame(
            "community_id lat lon town", ("C1", 30.5, 120.6, "T"), ("C2", 30.51, 120.6, "T")
        ),
        "agreements": frame("agreement_id from_id to_id kind", ("A1", "C1", "C2", "federation")),
        "volunteers": pd.DataFrame([volunteer(f"V{i}", "C2") for i in range(n)]),
        "availability": free(*((f"V{i}", "sat 08:00", "sat 12:00") for i in range(n))),
        "requests": pd.DataFrame([request(f"R{i}", "C1", window=MORNING, priority=1 + i) for i in range(n)]),
        **tables,
    }


def matched(tables, policy=None):
    return gm.match(gm.Problem.from_tables(tables, policy=policy))


def away(most):
    tables = town()
    tables["communities"]["away_per_week"] = pd.array([None, most], dtype="Int64")
    return tables


def test_a_community_sends_so_many_a_week_elsewhere():
    plan = matched(away(2))
    assert set(plan.assignments["request_id"]) == {"R2", "R3"}
    assert plan.unmet[["request_id", "reason", "reason_zh"]].to_numpy().tolist() == [
        ["R0", "away", "可派者所在社区本周外派名额已用完"],
        ["R1", "away", "可派者所在社区本周外派名额已用完"],
    ]
    assert plan.certificate.termination == "optimal"
    at_home = away(2)
    at_home["requests"]["community_id"] = "C2"
    assert matched(at_home).unmet.empty


def busy(most=120, policy=None):
    """One person for four jobs of one hour each."""
    tables = town()
    tables["volunteers"] = (
        tables["volunteers"]
        .head(1)
        .assign(max_jobs_per_day=9, max_jobs_per_week=9, max_minutes_per_week=pd.array([most], dtype="Int64"))
    )
    tables["availability"] = free(*(("V0", f"sat {8 + i:02}:00", f"sat {9 + i:02}:00") for i in range(4)))
    return tables


def test_nobody_works_longer_in_a_week_than_they_may():
    plan = matched(busy(150))
    assert set(plan.assignments["request_id"]) == {"R2", "R3"}  # a third hour does not fit
    assert plan.unmet["reason"].tolist() == ["hours", "hours"]
    assert plan.unmet["reason_zh"].tolist() == ["可派者本周服务时长已满"] * 2
    policy = Policy(load=Load(minutes_per_week=60))
    assert len(matched(busy(None), policy).assignments) == 1
    assert len(matched(busy(180), policy).assignments) == 3  # their own word before the policy's
    assert len(matched(busy(0)).assignments) == 0


def certified(n=5, priority=2):
    tables = town(n)
    tables["requests"] = tables["requests"].assign(priority=priority, skill="first aid", certified=True)
    tables["skills"] = frame(
        "provider_id skill level certified_until",
        *((f"V{i}", "first aid", 1, "2027-01-01") for i in range(n)),
    )
    return tables


def test_a_share_of_certified_people_is_kept_free():
    policy = Policy(reserve=Reserve(share=0.5))
    plan = matched(certified(), policy)
    assert len(plan.assignments) == 3  # two of five are kept
    assert plan.unmet["reason"].tolist() == ["reserve", "reserve"]
    assert plan.unmet["reason_zh"].tolist() == ["可派者为应急储备的持证人员"] * 2
    assert len(matched(certified(priority=5), policy).assignments) == 5  # for these it is kept
    assert len(matched(certified(), Policy(reserve=Reserve(0.5, ("mediation",)))).assignments) == 5
    apart = certified()
    apart["requests"] = apart["requests"].assign(
        earliest=[f"2026-11-21 {8 + i // 3}:00" for i in range(5)],
        latest=[f"2026-11-21 {9 + i // 3}:00" for i in range(5)],
    )
    assert matched(apart, policy).unmet.empty  # three in the first hour, two in the second


def test_a_team_starts_later_where_the_reserve_has_more_people_free():
    tables = certified(3)
    tables["requests"] = (
        tables["requests"]
        .head(2)
        .assign(people=[1, 2], min_serve=[1, 2], latest=["2026-11-21 09:00", "2026-11-21 12:00"])
    )
    plan = matched(tables, Policy(reserve=Reserve(share=0.34)))  # two of three at any hour
    starts = plan.assignments.set_index("request_id")["start"].dt.strftime("%H:%M")
    assert starts["R0"] == "08:00"
    assert starts["R1"].tolist() == ["09:00"] * 2
    assert plan.certificate.termination == "optimal"


def old_and_young():
    """Two people for three requests of priority 5 of the young and two of the old."""
    tables = town(5)
    tables["volunteers"], tables["availability"] = (
        tables["volunteers"].head(2),
        tables["availability"].head(2),
    )
    tables["requests"] = tables["requests"].assign(
        priority=[1, 1, 5, 5, 5], group=["old", "old", "young", "young", "young"]
    )
    return tables


def test_a_floor_serves_a_group_and_says_what_it_costs():
    plain = matched(old_and_young())
    assert set(plain.assignments["request_id"]) <= {"R2", "R3", "R4"}
    assert plain.floors.empty
    plan = matched(old_and_young(), Policy(floors=Floors({"old": 0.5, "nobody": 1.0})))
    assert len(set(plan.assignments["request_id"]) & {"R0", "R1"}) == 1
    row, nobody = plan.floors.to_dict("records")
    assert (nobody["name"], nobody["asked"], nobody["least"], nobody["short"]) == ("nobody", 0, 0, 0)
    assert (row["kind"], row["name"], row["asked"], row["least"], row["sent"]) == ("group", "old", 2, 1, 1)
    assert (row["short"], row["cost_minutes"]) == (0, 0.0)
    assert plan.certificate.primal - plain.certificate.primal == pytest.approx(4 * 240)
    assert row["price_minutes"] == pytest.approx(4 * 240)
    assert plan.certificate.termination == "optimal"
    assert plan.cost_of_floors() == pytest.approx(4 * 240)


def test_a_floor_that_cannot_be_kept_is_kept_as_far_as_it_goes():
    tables = old_and_young()
    policy = Policy(floors=Floors({"old": 1.0}, community_share=0.7, price_minutes=5000.0))
    plan = matched(tables, policy)
    floors = plan.floors.set_index(["kind", "name"])
    assert floors["least"].to_dict() == {("group", "old"): 2, ("community", "C1"): 4}
    assert floors["sent"].to_dict() == {("group", "old"): 2, ("community", "C1"): 2}
    assert floors["cost_minutes"].to_dict() == {("group", "old"): 0.0, ("community", "C1"): 10_000.0}
    assert set(plan.assignments["request_id"]) == {"R0", "R1"}


def test_a_floor_sends_people_for_whom_leaving_would_be_cheaper():
    cheap = Policy(unmet=Unmet(base_minutes=1.0, priority_minutes=0.0))
    assert set(matched(old_and_young(), cheap).unmet["reason"]) == {"cost"}
    plan = matched(old_and_young(), replace(cheap, floors=Floors({"old": 1.0})))
    assert set(plan.assignments["request_id"]) == {"R0", "R1"}
    assert set(plan.unmet["reason"]) == {"cost"}


LIMITS = ("away", "hours", "reserve", "floors")


def with_limits(tables, seed):
    rng = np.random.default_rng(seed)

    def maybe(n, values):
        picked = pd.array(rng.choice(values, n), dtype="Int64")
        picked[rng.random(n) < 0.4] = pd.NA
        return picked

    if rng.random() < 0.6:
        n = len(tables["communities"])
        tables["communities"] = tables["communities"].assign(away_per_week=maybe(n, [0, 1, 2]))
    if rng.random() < 0.6:
        n = len(tables["volunteers"])
        tables["volunteers"] = tables["volunteers"].assign(max_minutes_per_week=maybe(n, [30, 60, 100, 150]))
    policy = random_policy(seed)
    load = replace(policy.load, minutes_per_week=int(rng.choice([0, 0, 90])))
    groups = {g: float(rng.choice([0.5, 0.9, 1.0])) for g in ("elderly", "child") if rng.random() < 0.5}
    return tables, replace(
        policy,
        load=load,
        floors=Floors(
            groups, float(rng.choice([0, 0, 0.5, 0.8])), float(rng.choice([20.0, 300.0, 10_000.0]))
        ),
        reserve=Reserve(float(rng.choice([0, 0.34, 0.5, 1.0])), ("first aid",) if rng.random() < 0.5 else ()),
    )


def solved(tables, policy):
    problem = gm.Problem.from_tables(tables, policy=policy)
    return problem, gm.match(problem)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_random_towns_with_limits(seed):
    problem, plan = solved(*with_limits(random_town(seed, 9), seed))
    best = naive.optimal_cost(problem)
    assert round(plan.certificate.bound * 100) <= best
    assert round(plan.certificate.primal * 100) == best


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
@example(seed=102182)  # a role shorter than its request
def test_random_towns_with_teams_and_limits(seed):
    try:
        problem, plan = solved(*with_limits(random_team_town(seed, 6), seed))
    except gm.InvalidTables:  # a chain that its window does not hold
        reject()
    best = naive_teams.best_cost(problem)
    assert round(plan.certificate.bound * 100) <= best
    assert round(plan.certificate.primal * 100) == best


def test_every_limit_is_asked_for_by_name():
    policy = Policy(
        load=Load(minutes_per_week=60), floors=Floors(community_share=0.5), reserve=Reserve(share=0.5)
    )
    problem = gm.Problem.from_tables(away(2), policy=policy)
    assert set(LIMITS) <= problem.features
    with pytest.raises(gm.UnsupportedFeature, match="not supported yet: away, floors, hours, reserve"):
        gm.match(problem, method="flow")


def test_goods_that_are_lacking_are_not_counted_as_people_under_a_floor():
    tables = old_and_young()
    tables["goods"] = frame("owner_id good amount", ("C1", "rice", 5.0))
    tables["request_goods"] = frame("request_id good amount", ("R0", "rice", 9.0), ("R1", "rice", 5.0))
    plan = matched(tables, Policy(floors=Floors({"old": 1.0})))
    assert "R1" in set(plan.assignments["request_id"])
    row = plan.floors.set_index("name").loc["old"]
    assert (row["asked"], row["least"], row["sent"], row["short"]) == (2, 2, 1, 1)
    assert row["cost_minutes"] == Policy().floors.price_minutes
    assert plan.goods["amount"].tolist() == [5.0]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_random_towns_with_goods_and_limits(seed):
    try:
        tables, policy = with_limits(random_goods_town(seed), seed)
        problem, plan = solved(tables, policy)
    except gm.InvalidTables:  # a chain that its window does not hold
        reject()
    best = naive_goods.best_cost_with_goods(problem)
    assert round(plan.certificate.bound * 100) <= best
    assert round(plan.certificate.primal * 100) == best


def faults(tables, policy, plan, code):
    """The messages of one kind of fault that a plan of other limits has under these."""
    found = gm.verify(gm.Problem.from_tables(tables, policy=policy), plan).faults
    return found.loc[found["code"] == code, ["provider_id", "message"]].to_numpy().tolist()


def test_tampering_with_limits_is_found():
    assert faults(away(2), None, matched(away(3)), "away_exceeded") == [
        [None, "volunteers of 'C2' do 3 jobs elsewhere in one week; at most 2"]
    ]
    assert faults(busy(150), None, matched(busy(200)), "hours_exceeded") == [
        ["V0", "works 180 minutes in one week; at most 150"]
    ]
    told = faults(certified(), Policy(reserve=Reserve(share=0.5)), matched(certified()), "reserve_used")
    assert [None, "5 jobs take certified people of 'T' in one hour; at most 3 of 5"] in told


def test_tampering_with_floors_is_found():
    policy = Policy(floors=Floors({"old": 1.0}, community_share=0.7, price_minutes=5000.0))
    plan = matched(old_and_young(), policy)

    def told(**changes):
        floors = plan.floors.assign(**changes) if changes else None
        found = gm.verify(plan.problem, replace(plan, floors=floors)).faults
        return found["message"].tolist()

    assert told(sent=[2, 3]) == ["plan.floors: sent of community 'C1' is 3; recounted 2"]
    assert told(least=[1, 4]) == ["plan.floors: least of group 'old' is 1; recounted 2"]
    assert told(asked=[2, 6]) == ["plan.floors: asked of community 'C1' is 6; recounted 5"]
    assert told(short=[0, 1]) == ["plan.floors: short of community 'C1' is 1; recounted 2"]
    assert told(cost_minutes=[0, 5000.0]) == [
        "plan.floors: cost_minutes of community 'C1' is 5000; recounted 10000"
    ]
    assert told(name=["young", "C1"]) == [
        "plan.floors: it has 2 floors; the policy asks for 2: other names, or some twice"
    ]
    assert told() == ["plan.floors is missing; the policy has floors"]
    assert told(price_minutes=[-1.0, float("nan")]) == [
        "plan.floors: price_minutes of group 'old' is -1; expected 0 to 5000",
        "plan.floors: price_minutes of community 'C1' is nan; expected 0 to 5000",
    ]
    assert told(price_minutes=[5001.0, 0.0]) == [
        "plan.floors: price_minutes of group 'old' is 5001; expected 0 to 5000"
    ]
    plain = matched(old_and_young())
    (text,) = gm.verify(plain.problem, replace(plain, floors=5)).faults["message"]
    assert text == "plan.floors is a int; expected a pandas DataFrame"
    cheaper = replace(plan.certificate, primal=plan.certificate.primal - 10_000.0, bound=0.0)
    codes = gm.verify(plan.problem, replace(plan, certificate=cheaper)).faults["code"].tolist()
    assert "primal_wrong" in codes


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("away", "no community's jobs elsewhere are used up"),
        ("hours", "every volunteer has time for one more job"),
        ("reserve", "more certified people are free than are kept everywhere"),
    ],
)
def test_a_limit_that_is_not_used_up_is_no_reason(reason, words):
    plan = matched(old_and_young())
    unmet = plan.unmet.assign(reason=reason, reason_zh=REASONS[reason][1])
    messages = gm.verify(plan.problem, replace(plan, unmet=unmet)).faults["message"].tolist()
    assert f"reason {reason!r}; {words}" in messages


def other_skill(tables, **more):
    """Beside the others, two requests of C2 for one who holds "chess"; the first is served."""
    chess = pd.DataFrame(
        [request(f"X{i}", "C2", "chess", window=MORNING, priority=5 - i, **more) for i in range(2)]
    )
    skills = frame("provider_id skill", ("V9", "chess"))
    free_too = free(("V9", "sat 08:00", "sat 12:00"))
    return {
        **tables,
        "requests": pd.concat([tables["requests"], chess], ignore_index=True),
        "volunteers": pd.concat(
            [tables["volunteers"], pd.DataFrame([volunteer("V9", "C2")])], ignore_index=True
        ),
        "availability": pd.concat([tables["availability"], free_too], ignore_index=True),
        "skills": pd.concat([tables["skills"], skills], ignore_index=True) if "skills" in tables else skills,
    }


@pytest.mark.parametrize(
    ("reason", "tables", "policy", "told"),
    [
        ("away", away(2), None, "capacity"),
        ("hours", busy(150), None, "capacity"),
        ("reserve", certified(), Policy(reserve=Reserve(0.5, ("first aid",))), "capacity"),
    ],
)
def test_a_limit_is_no_reason_for_those_whom_it_does_not_stop(reason, tables, policy, told):
    plan = matched(other_skill(tables), policy)
    mine = plan.unmet["request_id"] == "X1"
    assert plan.unmet.loc[mine, "reason"].tolist() == [told]
    assert (plan.unmet.loc[~mine, "reason"] == reason).any()  # used up, for others
    unmet = plan.unmet.assign(
        reason=plan.unmet["reason"].where(~mine, reason),
        reason_zh=plan.unmet["reason_zh"].where(~mine, REASONS[reason][1]),
    )
    faults = gm.verify(plan.problem, replace(plan, unmet=unmet)).faults
    text = f"reason {reason!r}; nobody whom this limit stops holds what it needs and is there in time"
    assert faults[["request_id", "message"]].to_numpy().tolist() == [["X1", text]]


def test_limits_of_a_whole_day_are_kept_with_a_small_gap():
    tables = gm.datasets.xishan(seed=0)
    tables["communities"] = tables["communities"].assign(away_per_week=40)
    policy = Policy(
        load=Load(minutes_per_week=150),
        floors=Floors({"elderly": 0.9}, community_share=0.5),
        reserve=Reserve(share=0.2),
    )
    plan = matched(tables, policy)
    assert plan.certificate.verified
    assert plan.certificate.gap <= 1e-3


def test_bad_limits_are_refused():
    tables = town()
    tables["communities"] = tables["communities"].assign(away_per_week=[-1, 2])
    tables["volunteers"] = tables["volunteers"].assign(max_minutes_per_week=20_000)
    with pytest.raises(gm.InvalidTables) as caught:
        gm.Problem.from_tables(tables)
    found = caught.value.violations
    assert set(zip(found["table"], found["column"], found["code"], strict=True)) == {
        ("communities", "away_per_week", "out_of_range"),
        ("volunteers", "max_minutes_per_week", "out_of_range"),
    }
    with pytest.raises(
        gm.InvalidPolicy, match=r"floors\.group_share\.old: found 1.5; expected a number from 0 to 1"
    ):
        Policy(floors=Floors({"old": 1.5}))
    with pytest.raises(gm.InvalidPolicy, match=r"reserve\.share: found -1; expected a number from 0 to 1"):
        Policy(reserve=Reserve(share=-1))
