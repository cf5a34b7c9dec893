"""Features beside each other: what each says stays true, whatever else the tables ask for."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st
from scipy.optimize import OptimizeResult

import govmatch as gm
from govmatch.model.policy import Continuity, Floors, Policy, Reserve, Rounds, Stability
from govmatch.reporting.sheets import dispatch_sheet
from govmatch.solve import opened, ruled
from tests.goods_towns import add_goods, random_goods_town
from tests.naive_goods import GoodsWorld, best_cost_with_goods
from tests.naive_sessions import GoodsAndSessions, SessionWorld, best_session_cost
from tests.naive_teams import TeamWorld, best_cost
from tests.session_towns import add_sessions, crowded_session_town, random_session_town
from tests.team_towns import random_team_town
from tests.test_bonds import bonds, with_bonds
from tests.test_limits import away, busy, certified, matched, old_and_young, town, with_limits
from tests.test_recurring_teams import written_out
from tests.test_stays import drawn, keys
from tests.test_team_match import role
from tests.test_team_match import town as team_town
from tests.towns import frame, random_policy, random_town, request

PEOPLE = {f"V{i}": ("art", "08:00-12:00") for i in range(4)}


# against the oracles

EXTRA = 10**7
"""What each person or team costs in the oracles who is missing though somebody is assigned."""


def with_pins(tables, seed):
    """Assign some people at random, now and then enough for a whole team."""
    rng = np.random.default_rng(seed + 4)
    known = tables.get("pins", frame("request_id provider_id action"))
    requests, people = tables["requests"], tables["volunteers"]["volunteer_id"].tolist()
    asked = requests["request_id"].tolist()
    chosen = {(str(rng.choice(asked)), str(rng.choice(people))) for _ in range(int(rng.integers(1, 3)))}
    if rng.random() < 0.5:
        crowd = str(rng.choice(asked))
        chosen |= {(crowd, name) for name in people if rng.random() < 0.7}
    chosen -= set(zip(known.get("request_id", []), known.get("provider_id", []), strict=True))
    more = frame("request_id provider_id action", *((r, p, "assign") for r, p in sorted(chosen)))
    return {**tables, "pins": pd.concat([known, more], ignore_index=True) if len(more) else known}


def left_out(world, plan):
    """Count who is missing though somebody is assigned, a team as one."""
    sent, left = plan.assignments["request_id"].value_counts(), 0
    for r in world.requests:
        if r["request_id"] in world.assigned:
            team, people, _ = world.team(r)
            come = int(sent.get(r["request_id"], 0))
            left += int(come == 0) if team else people - come
    return left


def check(problem, plan, best, world):
    """The bound is no more than the optimum, and a town so small is solved whole."""
    left = EXTRA * left_out(world, plan)
    cost, bound = (round(x * 100) + left for x in (plan.certificate.primal, plan.certificate.bound))
    assert bound <= best == cost
    assert gm.verify(problem, plan).ok
    assert plan.certificate.termination != "optimal" or bound == cost
    for request_id in problem.demand.request_id:
        assert str(gm.explain(plan, request_id))
    assert plan.alternates["rank"].le(2).all()


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), pinned=st.booleans(), announced=st.booleans())
def test_random_towns_with_teams_bonds_limits_quotas_pins_and_an_incumbent(seed, pinned, announced):
    tables, policy = with_limits(with_bonds(seed, 6), seed)
    if "agreements" in tables:
        quota = np.random.default_rng(seed).integers(0, 3, len(tables["agreements"]))
        tables["agreements"] = tables["agreements"].assign(quota_per_week=quota)
    tables = with_pins(tables, seed) if pinned else tables
    try:
        problem = gm.Problem.from_tables(tables, policy=replace(policy, stability=Stability(20.0)))
    except gm.InvalidTables:  # a chain that its window does not hold
        reject()
    before = drawn(problem, seed) if announced else None
    plan = gm.match(problem, incumbent=before)
    best = best_cost(problem, keys(before) if announced else (), extra=EXTRA * pinned)
    check(problem, plan, best, TeamWorld(problem))
    turned = {name: table.iloc[::-1] for name, table in tables.items()}
    again = gm.Problem.from_tables(turned, policy=problem.policy)
    again = gm.match(again, method="coupled", incumbent=before)
    assert again.certificate.primal == plan.certificate.primal


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), announced=st.booleans())
def test_random_towns_with_goods_limits_pins_and_an_incumbent(seed, announced):
    tables, policy = with_limits(random_goods_town(seed, 6), seed)
    policy = replace(policy, stability=Stability(20.0))
    try:
        problem = gm.Problem.from_tables(with_pins(tables, seed), policy=policy)
    except gm.InvalidTables:  # a window that is too short for what was drawn
        reject()
    before = drawn(problem, seed) if announced else None
    plan = gm.match(problem, incumbent=before)
    best = best_cost_with_goods(problem, keys(before) if announced else (), extra=EXTRA)
    check(problem, plan, best, GoodsWorld(problem))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
@example(seed=15)
def test_random_towns_with_sessions_teams_pins_and_recurrence(seed):
    tables = with_pins(random_session_town(seed, 6), seed)
    ids = tables["requests"]["request_id"].iloc[::2]
    if "duplicate_of" in tables["requests"]:
        reject()
    tables["visits"] = pd.DataFrame({"request_id": ids, "weeks": 2}, dtype=object)
    policy = replace(random_policy(seed), continuity=Continuity(0.0, 0.0))
    horizon = ("2026-11-21", "2026-12-05")
    try:
        problem = gm.Problem.from_tables(tables, policy=policy, horizon=horizon)
    except gm.InvalidTables:  # a window that is too short for what was drawn
        reject()
    plan = gm.match(problem)
    flat = gm.Problem.from_tables(written_out(tables, problem), policy=policy, horizon=horizon)
    check(problem, plan, best_session_cost(flat, extra=EXTRA), SessionWorld(flat))


def everything(seed, largest=6):
    """A town with every kind of coupling but recurrence, each of them in most towns."""
    rng = np.random.default_rng(seed + 11)
    tables = with_bonds(seed, largest)
    tables = add_goods(tables, rng) if rng.random() < 0.7 else tables
    tables = add_sessions(tables, seed) if rng.random() < 0.8 else tables
    tables, policy = with_limits(tables, seed) if rng.random() < 0.7 else (tables, random_policy(seed))
    if "agreements" in tables and rng.random() < 0.5:
        tables["agreements"] = tables["agreements"].assign(
            quota_per_week=rng.integers(0, 4, len(tables["agreements"]))
        )
    tables = with_pins(tables, seed) if rng.random() < 0.3 else tables
    return tables, replace(policy, stability=Stability(20.0))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), announced=st.booleans())
def test_random_towns_with_everything(seed, announced):
    tables, policy = everything(seed)
    try:
        problem = gm.Problem.from_tables(tables, policy=policy)
    except gm.InvalidTables:  # a window that is too short for what was drawn
        reject()
    before = drawn(problem, seed) if announced else None
    plan = gm.match(problem, incumbent=before)
    best = best_session_cost(problem, keys(before) if announced else (), extra=EXTRA)
    check(problem, plan, best, GoodsAndSessions(problem))


@pytest.mark.parametrize("seed", range(40, 64))
@pytest.mark.parametrize("relaxed", [True, False])
def test_prices_of_limits_that_are_sought_step_by_step_bracket_the_optimum(seed, relaxed, monkeypatch):
    """As on a day that is too large to be solved whole, or to be relaxed as a linear programme."""
    if relaxed:
        monkeypatch.setattr(ruled, "relax", lambda part, control, seconds: None)
        monkeypatch.setattr(ruled, "_whole", lambda free, limits, best, control: best)
        monkeypatch.setattr(opened, "solve_whole", lambda case, best, control: best)
    else:
        monkeypatch.setattr(ruled, "WHOLE", -1)
        monkeypatch.setattr(opened, "WHOLE", -1)
    tables, policy = everything(seed)
    try:
        problem = gm.Problem.from_tables(tables, policy=policy)
    except gm.InvalidTables:  # a window that is too short for what was drawn
        return
    plan = gm.match(problem)
    best, left = best_session_cost(problem, extra=EXTRA), EXTRA * left_out(GoodsAndSessions(problem), plan)
    cost, bound = (round(x * 100) + left for x in (plan.certificate.primal, plan.certificate.bound))
    assert bound <= best <= cost
    assert plan.certificate.verified


@pytest.mark.parametrize("status", [1, 2, 4])
def test_a_linear_programme_that_fails_costs_no_plan(status, monkeypatch):
    def failing(*args, **more):
        return OptimizeResult(status=status, message="faked", x=None)

    monkeypatch.setattr("govmatch.solve.mip.model.linprog", failing)
    for seed in (41, 44, 46):
        tables, policy = everything(seed)
        problem = gm.Problem.from_tables(tables, policy=policy)
        assert gm.match(problem).certificate.verified


def test_a_second_suffices_for_a_plan_of_a_town_with_everything():
    kinds = ("teams", "goods", "sessions", "bonds", "limits")
    tables = gm.datasets.great_xishan(seed=1, coupled=0.3, kinds=kinds)
    promise = "[floors]\ncommunity_share = 0.8\n[reserve]\nshare = 0.2"
    problem = gm.Problem.from_tables(tables, policy=gm.Policy.from_text(promise))
    plan = gm.match(problem, time_limit=1.0)
    assert plan.certificate.verified
    assert len(plan.assignments) > 100


@pytest.mark.parametrize("seed", [49, 63, 146])
def test_a_plan_of_a_search_with_pins_and_a_gap_stays_verified(seed):
    problem = gm.Problem.from_tables(with_pins(random_team_town(seed, 7), seed), policy=random_policy(seed))
    plan = gm.match(problem, gap=0.5)
    assert gm.verify(problem, plan).ok


# alternates


@pytest.mark.parametrize(
    ("tables", "policy"),
    [
        (away(1), None),  # who lives in C2 does one job elsewhere
        (certified(4), Policy(reserve=Reserve(share=0.75))),  # one of four may go
    ],
)
def test_nobody_whom_a_limit_keeps_at_home_is_an_alternate(tables, policy):
    tables["requests"] = tables["requests"].head(1)
    plan = matched(tables, policy)
    assert len(plan.assignments) == 1
    assert plan.alternates.empty
    tables["communities"]["away_per_week"] = None
    assert len(matched(tables).alternates) == 2


def test_nobody_without_time_for_another_job_is_an_alternate():
    tables = busy(60)
    tables["volunteers"] = pd.concat([tables["volunteers"], tables["volunteers"].assign(volunteer_id="V1")])
    hours = tables["availability"].head(2)
    tables["availability"] = pd.concat([hours, hours.assign(provider_id="V1")])
    tables["requests"] = tables["requests"].head(2)
    tables["requests"][["earliest", "latest"]] = hours[["start", "end"]].to_numpy()
    plan = matched(tables)
    assert len(plan.assignments) == 2  # one hour each
    assert plan.alternates.empty
    tables["volunteers"]["max_minutes_per_week"] = 120
    assert len(matched(tables).alternates) == 2


def test_nobody_is_an_alternate_through_an_agreement_that_is_used_up():
    tables = town(3)
    tables["requests"] = tables["requests"].head(1)
    tables["agreements"]["quota_per_week"] = 1
    assert matched(tables).alternates.empty
    tables["agreements"]["quota_per_week"] = 2
    assert len(matched(tables).alternates) == 2


def test_the_sheet_names_alternates_for_the_role():
    people = {
        "D1": ("design", "08:00-12:00"),
        "D2": ("design", "08:00-12:00"),
        "T1": ("art", "08:00-12:00"),
        "T2": ("art", "08:00-12:00"),
    }
    roles = [role("designer", "design"), role("teacher", "art")]
    tables = team_town(people, [request("R1", "C1", window="sat 08:00-09:00")], roles)
    plan = gm.match(gm.Problem.from_tables(tables))
    sheet = dispatch_sheet(plan).frame
    shown = dict(zip(sheet["岗位 role"], sheet["备选一 first alternate"].str[:1], strict=True))
    assert shown == {"designer": "D", "teacher": "T"}


# certificates and floors


def test_a_flow_that_is_mended_says_that_highs_took_part():
    asked = [request("R1", "C1", "art", window="sat 08:00-12:00", people=2)]
    parted = bonds(*((f"V{i}", f"V{j}", "apart") for i in range(3) for j in range(i)))
    plan = gm.match(gm.Problem.from_tables(team_town(PEOPLE, asked, bonds=parted)))
    assert len(plan.assignments) == 2
    assert plan.certificate.solver.endswith("with HiGHS") == (plan.certificate.rounds > 1)
    calm = gm.match(gm.Problem.from_tables(team_town(PEOPLE, asked)))
    assert "HiGHS" not in calm.certificate.solver


def test_the_cost_of_floors_counts_changes_on_both_sides():
    policy = Policy(floors=Floors({"old": 0.5}), stability=Stability(7.0))
    problem = gm.Problem.from_tables(old_and_young(), policy=policy)
    gone = pd.DataFrame(
        {
            "request_id": ["R0", "R9"],
            "role": "helper",
            "provider_id": "V3",
            "start": pd.Timestamp("2026-11-21 08:00", tz="Asia/Shanghai"),
        }
    )
    plan = gm.match(problem, incumbent=gone)
    assert plan.certificate.primal > gm.match(problem).certificate.primal
    assert plan.cost_of_floors() == pytest.approx(4 * 240)  # what it is without an incumbent


def test_who_is_missing_under_a_floor_has_the_price_of_the_floor():
    tables, policy = with_limits(random_town(62, 9), 62)  # HiGHS proves the bound, at prices of 0
    plan = matched(tables, policy)
    short = plan.floors[plan.floors["short"] > 0]
    assert short["price_minutes"].tolist() == [policy.floors.price_minutes] * 2


# rounds


def rounds_of_a_team():
    """Two people for an hour: a team of two and three single requests are too much."""
    asked = [request(f"R{i}", "C1", "art", window="sat 08:00-12:00", priority=5 - i) for i in range(3)]
    asked.append(request("R3", "C1", window="sat 08:00-12:00", priority=1))
    roles = [{**role("lead", "art"), "request_id": "R3"}, {**role("second", "art"), "request_id": "R3"}]
    return team_town({f"V{i}": ("art", "08:00-09:05") for i in range(2)}, asked, roles)


def test_a_team_that_rounds_leave_out_is_told_and_verified():
    policy = Policy(rounds=Rounds(on=True))
    plan = gm.match(gm.Problem.from_tables(rounds_of_a_team(), policy=policy), time_limit=2)
    assert {"R2", "R3"} == set(plan.unmet["request_id"])
    assert plan.certificate.verified


def test_rounds_have_sheets_without_alternates(tmp_path):
    policy = Policy(rounds=Rounds(on=True))
    plan = gm.match(gm.Problem.from_tables(rounds_of_a_team(), policy=policy), time_limit=2)
    sheet = dispatch_sheet(plan)
    assert set(sheet.frame["备选一 first alternate"]) == {""}
    assert not any("Alternates" in note for note in sheet.notes)
    assert len(gm.write_sheets(plan, tmp_path)) >= 6


# files


def test_what_is_written_of_a_plan_adds_up_with_sessions(tmp_path):
    problem = gm.Problem.from_tables(crowded_session_town(3, 14, 5))
    plan = gm.match(problem)
    assert plan.sessions["open_cost"].sum() > 0
    told = json.loads(plan.to_json())
    cost = sum(row["cost_minutes"] for row in told["assignments"])
    cost += sum(row["unmet_minutes"] for row in told["unmet"])
    cost += sum(row["open_cost"] for row in told["sessions"])
    assert cost == pytest.approx(told["certificate"]["primal"], abs=0.01)
    plan.to_csv(tmp_path)
    assert len(pd.read_csv(tmp_path / "sessions.csv")) == len(problem.tables["sessions"])
