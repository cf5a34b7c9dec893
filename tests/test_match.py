"""Matching from tables to a proved plan, at the sizes and limits that users meet."""

from __future__ import annotations

import _thread
import importlib
import io
import threading
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import govmatch as gm
from govmatch.reach.candidates import Arcs, Candidates
from govmatch.reporting.console import certificate_text
from govmatch.solve import flow
from tests.towns import at, frame, hand_town, request, volunteer


def village(**tables):
    base = {
        "communities": pd.DataFrame([{"community_id": "C1", "lat": 30.5, "lon": 120.6}]),
        "volunteers": pd.DataFrame([volunteer("V1", "C1"), volunteer("V2", "C1")]),
        "availability": frame(
            "provider_id start end",
            ("V1", at("sat 08:00"), at("sat 12:00")),
            ("V2", at("sat 08:00"), at("sat 12:00")),
        ),
        "requests": pd.DataFrame([request("R1", "C1")]),
    }
    return {**base, **tables}


def matched(tables, **more):
    return gm.match(gm.Problem.from_tables(tables, **more))


def test_the_hand_made_town_has_the_plan_that_was_worked_out_on_paper() -> None:
    plan = matched(hand_town())
    sent = plan.assignments.groupby("request_id")["provider_id"].apply(lambda s: "+".join(sorted(s)))
    assert sent["R02"] == "O1+O1"  # two of the organisation's own people
    assert sent["R07"] == "O1+O1+V7"  # three people, a preset among them
    assert sent["R04"] == "V5"  # V3 is forbidden, V8 never free
    assert dict(zip(plan.unmet["request_id"], plan.unmet["reason"], strict=True)) == {
        "R08": "no_such_service",
        "R10": "level",
        "R12": "capacity",
        "R15": "distance",
        "R16": "window",
    }
    assert plan.linked == 1
    assert plan.certificate.primal == plan.certificate.bound
    assert plan.certificate.verified
    assert plan.certificate.termination == "optimal"


def test_no_requests_give_an_empty_plan() -> None:
    tables = village(requests=pd.DataFrame({"request_id": [], "community_id": []}))
    plan = matched(tables)
    assert len(plan.assignments) == len(plan.unmet) == 0
    assert plan.certificate.primal == plan.certificate.bound == 0
    assert plan.summary().empty
    assert plan.alternates.empty and plan.candidate_projects.empty
    assert list(plan.assignments["start"]) == []


def test_no_supply_leaves_everything_unmet_with_its_reason() -> None:
    tables = village(volunteers=pd.DataFrame({"volunteer_id": [], "community_id": []}))
    del tables["availability"]
    plan = matched(tables)
    assert plan.unmet["reason"].tolist() == ["no_supply"]
    assert plan.unmet["reason_zh"].tolist() == ["没有任何服务者"]
    assert plan.certificate.gap == 0


def test_supply_from_organisations_alone() -> None:
    tables = village(
        organizations=frame("organization_id community_id capacity_per_slot", ("O1", "C1", 2)),
        requests=pd.DataFrame([request(f"R{i}", "C1") for i in range(3)]),
    )
    del tables["volunteers"]
    tables["availability"] = frame("provider_id start end", ("O1", at("sat 08:00"), at("sat 12:00")))
    plan = matched(tables)
    assert plan.assignments["provider_kind"].tolist() == ["organization"] * 2
    assert plan.unmet["reason"].tolist() == ["capacity"]


def test_supply_from_a_roster_alone_states_that_it_is_assumed() -> None:
    tables = village()
    del tables["availability"]
    plan = matched(tables)
    assert plan.certificate.assumed_share == 1.0
    assert plan.assignments["assumed"].all()


def test_places_without_coordinates_travel_as_the_policy_assumes() -> None:
    tables = village(communities=pd.DataFrame([{"community_id": "C1"}]))
    plan = matched(tables)
    assert plan.assignments["travel_cost"].tolist() == [15.0]
    assert not plan.assignments["travel_known"].any()


def test_the_second_job_of_a_week_costs_more() -> None:
    tables = village(
        volunteers=pd.DataFrame([volunteer("V1", "C1")]),
        availability=frame(
            "provider_id start end",
            ("V1", at("sat 08:00"), at("sat 12:00")),
            ("V1", at("sat 13:00"), at("sat 17:00")),
        ),
        requests=pd.DataFrame([request("R1", "C1"), request("R2", "C1", window="sat 13:00-17:00")]),
    )
    assert matched(tables).assignments["load_cost"].tolist() == [0.0, 6.0]


def test_a_job_dearer_than_leaving_it_is_left() -> None:
    policy = gm.Policy(unmet=gm.Policy().unmet.__class__(base_minutes=1.0, priority_minutes=0.0))
    tables = village(requests=pd.DataFrame([request("R1", "C1", dialect="Wu", priority=1)]))
    plan = matched(tables, policy=policy)
    assert plan.unmet["reason"].tolist() == ["cost"]


@pytest.mark.parametrize(
    ("change", "feature"),
    [
        ({"request_goods": frame("request_id good amount", ("R1", "rice", 1.0))}, "goods"),
    ],
)
def test_what_a_later_tier_does_is_refused_by_name(change, feature) -> None:
    problem = gm.Problem.from_tables(village(**change))
    with pytest.raises(gm.UnsupportedFeature, match=f"not supported yet: {feature}"):
        gm.match(problem, method="flow")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "simplex"}, "method is 'simplex'; expected one of auto, flow"),
        ({"time_limit": 0}, "time_limit is 0; expected seconds above 0"),
        ({"time_limit": "1 s"}, "time_limit is '1 s'"),
        ({"time_limit": float("nan")}, "time_limit is nan"),
        ({"gap": -0.1}, "gap is -0.1; expected a finite number, 0 or more"),
        ({"cancel": 3}, r"cancel is 3; expected an object with is_set\(\)"),
    ],
)
def test_wrong_arguments_are_named(arguments, words) -> None:
    problem = gm.Problem.from_tables(village())
    with pytest.raises(gm.InvalidInput, match=words):
        gm.match(problem, **arguments)


def test_tables_instead_of_a_problem_say_what_to_do() -> None:
    with pytest.raises(gm.InvalidInput, match=r"expected a Problem: Problem\.from_tables"):
        gm.match(village())


def test_editing_the_alliance_changes_routes_and_plans() -> None:
    tables = hand_town()
    alliance = gm.Alliance.from_tables(tables)
    before = matched(tables, alliance=alliance)
    route = before.assignments.set_index("request_id").loc["R05", "route"]
    assert route == "C3 > C1 > C2 > O2"
    alliance.graph.remove_edge("C3", "C1")
    after = matched(tables, alliance=alliance)
    assert "R05" in after.unmet["request_id"].tolist()
    assert after.unmet.set_index("request_id").loc["R05", "reason"] == "path"
    assert after.certificate.problem_fingerprint != before.certificate.problem_fingerprint


def test_the_same_input_gives_the_same_plan() -> None:
    tables = gm.datasets.xishan(seed=3, requests=80, volunteers=600)
    first, second = matched(tables), matched(tables)
    pd.testing.assert_frame_equal(first.assignments, second.assignments)
    pd.testing.assert_frame_equal(first.unmet, second.unmet)
    assert first.certificate == second.certificate


def test_more_rounds_than_one_are_priced_out_to_the_optimum(monkeypatch) -> None:
    tables = gm.datasets.xishan(seed=1, requests=150, volunteers=300, scarcity=2.0)
    problem = gm.Problem.from_tables(tables)
    wide = gm.match(problem)
    monkeypatch.setattr("govmatch.reach.candidates.Candidates.cheapest.__defaults__", (1, lambda: False))
    narrow = gm.match(problem)
    assert narrow.certificate.rounds > 1
    assert narrow.certificate.primal == narrow.certificate.bound == wide.certificate.primal


def test_a_time_limit_is_kept_and_the_bound_stays_true() -> None:
    problem = gm.Problem.from_tables(gm.datasets.great_xishan(seed=0, requests=4000, volunteers=8000))
    exact = gm.match(problem)
    gm.match(gm.Problem.from_tables(village()), time_limit=1e-9)  # compiles what only a cut solve calls
    for limit in (0.05, 0.6):
        begin = time.monotonic()
        plan = gm.match(problem, time_limit=limit)
        assert time.monotonic() - begin < limit + 2.0  # 0.5 without coverage and neighbours
        assert plan.certificate.verified
        assert plan.certificate.bound <= exact.certificate.primal <= plan.certificate.primal
        if plan.certificate.termination == "time_limit":
            assert plan.certificate.gap > 0
            assert set(plan.unmet["reason"]) <= {*exact.unmet["reason"], "time", "capacity"}


def test_a_road_graph_replaces_the_great_circle() -> None:
    nodes = pd.DataFrame({"node_id": [1, 2], "lat": [30.5, 30.6], "lon": [120.6, 120.6]})
    arcs = pd.DataFrame({"tail": [1, 2], "head": [2, 1], "minutes": [7.0, 11.0]})
    tables = village(
        communities=pd.DataFrame(
            [
                {"community_id": "C1", "lat": 30.5, "lon": 120.6},
                {"community_id": "C2", "lat": 30.6, "lon": 120.6},
            ]
        ),
        agreements=frame("agreement_id from_id to_id kind", ("A", "C1", "C2", "federation")),
        requests=pd.DataFrame([request("R1", "C2")]),
    )
    plan = matched(tables, travel=gm.RoadGraph(nodes, arcs))
    assert plan.assignments["travel_cost"].tolist() == [7.0]
    assert plan.assignments["route"].tolist() == ["C1 > C2"] or plan.assignments["route"].tolist() == [
        "C2 > C1"
    ]


def test_keeping_encoded_supply_gives_the_plan_of_a_fresh_problem() -> None:
    tables = gm.datasets.xishan(seed=2, requests=60, volunteers=500)
    fresh = matched({**tables})
    half = {**tables, "requests": tables["requests"].head(10), "roles": tables["roles"].head(0)}
    half["requests"] = half["requests"].assign(duplicate_of=None)
    kept = gm.Problem.from_tables(half).with_requests(tables["requests"], roles=tables["roles"])
    assert gm.match(kept).certificate.primal == fresh.certificate.primal


def test_assignments_carry_every_term_and_their_sum() -> None:
    plan = matched(gm.datasets.xishan(seed=0, requests=60, volunteers=600))
    terms = [
        "travel_cost",
        "route_cost",
        "dialect_cost",
        "hometown_cost",
        "level_cost",
        "wait_cost",
        "load_cost",
    ]
    assert np.allclose(plan.assignments[terms].sum(axis=1), plan.assignments["cost_minutes"])
    total = plan.assignments["cost_minutes"].sum() + plan.unmet["unmet_minutes"].sum()
    assert plan.certificate.primal == pytest.approx(total)


def test_several_people_start_together_and_the_reason_says_so() -> None:
    tables = village(requests=pd.DataFrame([request("R1", "C1", minutes=60, people=2)]))
    tables["availability"] = frame(
        "provider_id start end",
        ("V1", at("sat 09:00"), at("sat 12:00")),
        ("V2", at("sat 09:00"), at("sat 12:00")),
    )
    plan = matched(tables)
    assert plan.unmet["reason"].tolist() == ["together"]
    assert "同时" in plan.unmet["reason_zh"].iloc[0]


def scarce_problem():
    return gm.Problem.from_tables(gm.datasets.xishan(seed=1, requests=150, volunteers=300, scarcity=2.0))


def when_solving(monkeypatch, act):
    """Call `act` with the control just before each solve, and keep the prices that each starts from."""
    solve, starts = flow.solve, []

    def solving(instance, control, *start):
        starts.append(start[0] if start else None)
        act(control)
        return solve(instance, control, *start)

    monkeypatch.setattr(flow, "solve", solving)
    return starts


@pytest.mark.parametrize("reason", ["time_limit", "cancelled"])
def test_a_plan_cut_short_never_says_that_everybody_is_busy(monkeypatch, reason) -> None:
    when_solving(monkeypatch, lambda control: control.stop(reason))
    plan = gm.match(scarce_problem(), time_limit=60)
    assert plan.certificate.termination == reason
    assert plan.certificate.verified
    assert "capacity" not in set(plan.unmet["reason"])
    assert "time" in set(plan.unmet["reason"])
    assert plan.certificate.bound <= plan.certificate.primal


def test_a_bound_is_never_below_what_the_cheapest_pairs_cost(monkeypatch) -> None:
    when_solving(monkeypatch, lambda control: control.stop("cancelled"))
    worthless = flow.solve

    def without_duals(*given):
        solution = worthless(*given)
        return replace(solution, request_dual=np.full_like(solution.request_dual, -(10**6)))

    monkeypatch.setattr(flow, "solve", without_duals)
    plan = gm.match(scarce_problem())
    demand, arcs = plan.problem.demand, plan.search.arcs
    cheapest = demand.unmet_cost.copy()
    np.minimum.at(cheapest, arcs.request, arcs.cost)
    assert plan.certificate.bound == (demand.people * cheapest).sum() / 100 > 0


def test_a_gap_that_suffices_ends_the_search(monkeypatch) -> None:
    monkeypatch.setattr("govmatch.reach.candidates.Candidates.cheapest.__defaults__", (1, lambda: False))
    problem = scarce_problem()
    exact = gm.match(problem).certificate
    rounds = [exact.rounds]
    for gap in (1e-3, 0.05, 1.0):
        plan = gm.match(problem, gap=gap)
        found = plan.certificate
        assert found.verified
        assert found.gap <= gap
        assert found.bound <= exact.primal <= found.primal
        assert found.termination == ("optimal" if found.gap == 0 else "gap")
        assert found.termination == "optimal" or "capacity" not in set(plan.unmet["reason"])
        rounds.append(found.rounds)
    assert found.termination == "gap"
    assert rounds == sorted(rounds, reverse=True)
    assert rounds[0] > rounds[-1]
    assert "within the gap asked for" in certificate_text(plan)


def test_the_prices_of_a_round_are_where_the_next_starts(monkeypatch) -> None:
    monkeypatch.setattr("govmatch.reach.candidates.Candidates.cheapest.__defaults__", (1, lambda: False))
    problem = scarce_problem()
    starts = when_solving(monkeypatch, lambda control: None)
    plan = gm.match(problem)
    assert len(starts) == plan.certificate.rounds > 1
    assert starts[0] is None
    assert all(start.any() for start in starts[1:])
    assert len(starts[-1]) == len(plan.search.instance.parent)


def test_a_signal_ends_the_search_between_two_rounds(monkeypatch) -> None:
    monkeypatch.setattr("govmatch.reach.candidates.Candidates.cheapest.__defaults__", (1, lambda: False))
    problem, cancel = scarce_problem(), threading.Event()
    exact = gm.match(problem).certificate
    priced_in = Candidates.priced_in

    def then_cancelled(*given, **more):
        found = priced_in(*given, **more)
        cancel.set()
        return found

    monkeypatch.setattr(Candidates, "priced_in", then_cancelled)
    plan = gm.match(problem, cancel=cancel)
    found = plan.certificate
    assert (found.termination, found.rounds, found.verified) == ("cancelled", 1, True)
    assert found.bound <= exact.primal <= found.primal
    assert "已取消" in certificate_text(plan)


def test_a_signal_set_before_gives_a_plan_that_serves_nobody() -> None:
    cancel = threading.Event()
    cancel.set()
    plan = gm.match(gm.Problem.from_tables(hand_town()), cancel=cancel)
    assert plan.certificate.termination == "cancelled"
    assert plan.certificate.verified
    assert len(plan.assignments) == 0
    assert set(plan.unmet["reason"]) <= {"time", "no_such_service", "level", "certificate"}


def test_ctrl_c_ends_the_search(monkeypatch) -> None:
    when_solving(monkeypatch, lambda control: _thread.interrupt_main())
    with pytest.raises(KeyboardInterrupt):
        gm.match(scarce_problem(), time_limit=60)


def test_a_search_that_ends_for_no_reason_is_told(monkeypatch) -> None:
    monkeypatch.setattr("govmatch.reach.candidates.Candidates.cheapest.__defaults__", (1, lambda: False))
    monkeypatch.setattr(
        Candidates, "priced_in", lambda *_, **__: (Arcs(*(np.zeros(0, np.int64),) * 3), False)
    )
    with pytest.raises(gm.GovmatchError, match=r"the search ended with a gap of .*, for no reason"):
        gm.match(scarce_problem())


def test_what_no_time_was_left_for_is_not_counted() -> None:
    problem = gm.Problem.from_tables(hand_town())
    plan = gm.match(problem, time_limit=1e-9)
    late = plan.unmet.loc[plan.unmet["reason"] == "time", "request_id"].iloc[0]
    assert gm.explain(plan, late).funnel["stage"].tolist() == [
        "all providers",
        "skill",
        "level",
        "certificate",
    ]
    looked_at = int(plan.search.examined.sum())
    assert plan.funnel["pairs"].sum() == looked_at * problem.supply.n_providers


@pytest.mark.parametrize("limit", [float("inf"), 1e10, 10**400])
def test_a_limit_beyond_all_time_is_none(limit) -> None:
    plan = gm.match(gm.Problem.from_tables(village()), time_limit=limit)
    assert plan.certificate.termination == "optimal"


def test_progress_is_drawn_on_a_terminal_after_a_second(monkeypatch) -> None:
    module = importlib.import_module("govmatch.plan.wheel")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen, bar = Terminal(), module.tqdm
    monkeypatch.setattr(module, "tqdm", lambda **how: bar(**{**how, "file": screen, "delay": 1e-9}))
    gm.match(gm.Problem.from_tables(village()))
    assert "verify 校验" in screen.getvalue()
    quiet = io.StringIO()
    monkeypatch.setattr(module, "tqdm", lambda **how: bar(**{**how, "file": quiet, "delay": 1e-9}))
    gm.match(gm.Problem.from_tables(village()))
    assert quiet.getvalue() == ""


@pytest.mark.parametrize(
    "weights", [{"wait_minutes": 0.015}, {"wait_minutes": 0.022}, {"level_minutes": 0.075}]
)
def test_every_room_rounds_a_term_alike(weights) -> None:

    policy = replace(gm.Policy(), fit=replace(gm.Policy().fit, **weights))
    tables = gm.datasets.xishan(seed=5, requests=120, volunteers=500)
    assert matched(tables, policy=policy).certificate.gap == 0


def test_what_costs_nothing_to_leave_is_no_proof_of_having_looked() -> None:
    free = replace(gm.Policy().unmet, base_minutes=0.0, priority_minutes=0.0)
    policy = replace(gm.Policy(), unmet=free)
    plan = gm.match(gm.Problem.from_tables(hand_town(), policy=policy), time_limit=1e-9)
    assert plan.certificate.gap == 0
    assert plan.certificate.termination == "time_limit"
