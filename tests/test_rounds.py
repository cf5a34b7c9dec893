"""Rounds through match: by hand, by brute force, on random towns, on a day of Xishan."""

from __future__ import annotations

import dataclasses
import threading
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import govmatch as gm
from govmatch.errors import InvalidInput, UnsupportedFeature
from govmatch.model.policy import Floors, Rounds
from govmatch.reach import options as options_module
from govmatch.reach import ways as ways_module
from govmatch.reporting.console import certificate_text
from govmatch.solve import visit_bound, visits
from tests.naive_rounds import least_cost, limits_hold
from tests.rounds_town import Line, asked, clock, free, line, person, policy, problem, tables
from tests.towns import random_policy, random_town


@pytest.fixture(autouse=True)
def few_moves(monkeypatch):
    monkeypatch.setattr(visits, "MOVES_A_VISIT", 1_000)


def test_one_person_makes_two_visits_in_one_slot_with_the_way_between_them():
    day = [asked("A", 10, "09:00-09:40"), asked("B", 20, "09:20-12:00")]
    plan = gm.match(problem(day, [person("V", 0)], [free("V", "08:00-12:00")]))
    assert line(plan, "request_id", "start", "end", "order", "travel_minutes", "return_minutes") == [
        ("A", "09:00", "09:30", 1, 10.0, 0.0),
        ("B", "09:40", "10:10", 2, 10.0, 20.0),
    ]
    assert plan.assignments["travel_cost"].tolist() == [10.0, 30.0]
    assert plan.assignments["tour"].tolist() == [1, 1]
    certificate = plan.certificate
    assert (certificate.primal, certificate.verified, certificate.scope) == (40.0, True, "all_pairs")
    # 10 there and half of 10 to the next, half of 10 from the one before and 20 back
    assert certificate.bound == 40.0
    assert (certificate.termination, certificate.gap) == ("optimal", 0.0)
    assert certificate.solver == "govmatch simulated annealing of tours"
    assert gm.verify(plan.problem, plan).ok


def test_a_start_may_fall_between_minutes():
    plan = gm.match(
        problem([asked("A", 10.2501, "08:00-12:00")], [person("V", 0)], [free("V", "08:00-12:00")])
    )
    # a way is rounded up to the thousandth of a minute
    assert plan.assignments["start"].iloc[0] == clock("08:10") + pd.Timedelta(milliseconds=251 * 60)
    assert plan.assignments["travel_minutes"].iloc[0] == 10.251
    assert plan.certificate.resolution_minutes == 0.001


def test_the_cost_of_travel_is_that_from_home_where_the_policy_says_so():
    day = [asked("A", 10, "09:00-09:40"), asked("B", 20, "09:20-12:00")]
    given_ = problem(day, [person("V", 0)], [free("V", "08:00-12:00")], 'cost = "home"')
    plan = gm.match(given_)
    assert line(plan, "request_id", "start", "travel_minutes", "return_minutes", "travel_cost") == [
        ("A", "09:00", 10.0, 0.0, 10.0),
        ("B", "09:40", 10.0, 20.0, 20.0),
    ]
    assert (plan.certificate.primal, plan.certificate.termination) == (30.0, "optimal")


def test_tours_begin_and_end_at_the_organisation_where_the_policy_says_so():
    firms = [{"organization_id": "O", "community_id": "C", "lat": 0.005, "lon": 0.0}]
    people = [person("V", 0, organization_id="O"), person("W", 50)]
    day = [asked("A", 10, "08:00-09:00"), asked("B", 60, "08:00-09:00")]
    slots = [free("V", "08:00-12:00"), free("W", "08:00-12:00")]
    given_ = problem(day, people, slots, 'start = "organization"', organizations=firms)
    plan = gm.match(given_)
    assert line(plan, "request_id", "provider_id", "start", "travel_minutes", "return_minutes") == [
        ("A", "V", "08:05", 5.0, 5.0),
        ("B", "W", "08:10", 10.0, 10.0),
    ]


def test_an_organisation_without_a_place_leaves_its_people_at_home():
    firms = [{"organization_id": "O", "community_id": None, "lat": None, "lon": None}]
    given_ = problem(
        [asked("A", 10, "08:00-09:00")],
        [person("V", 0, organization_id="O")],
        [free("V", "08:00-12:00")],
        'start = "organization"',
        organizations=firms,
        agreements=[{"agreement_id": "G", "from_id": "C", "to_id": "O", "kind": "membership"}],
    )
    assert gm.match(given_).assignments["travel_minutes"].tolist() == [10.0]


def test_a_slot_holds_the_way_there_and_back_too():
    slots = [free("V", "08:00-08:45")]
    plan = gm.match(problem([asked("A", 10, "08:00-12:00")], [person("V", 0)], slots))
    assert plan.assignments.empty
    row = plan.unmet.iloc[0]
    assert (row["reason"], row["eligible"]) == ("way", 1)
    assert row["reason_zh"] == "合格者的空闲时段容纳不下服务与往返路程"
    told = str(gm.explain(plan, "A"))
    assert "do not hold it together with the way there and back" in told
    assert "way there and back     往返路程          0" in told
    slots = [free("V", "08:00-08:50")]
    plan = gm.match(problem([asked("A", 10, "08:00-12:00")], [person("V", 0)], slots))
    assert line(plan, "start") == [("08:10",)]


def test_late_begins_are_paid_and_the_largest_lateness_once():
    day = [asked("A", 0, "08:00-08:40"), asked("B", 0, "08:00-08:40")]
    soft = "late_minutes = 2\nlargest_late_minutes = 0.5"
    plan = gm.match(problem(day, [person("V", 0)], [free("V", "08:00-12:00")], soft))
    assert [row[0] for row in line(plan, "start")] == ["08:00", "08:30"]
    assert sorted(plan.assignments["late_cost"]) == [0.0, 2 * 20 + 0.5 * 20]
    assert plan.certificate.primal == 50.0
    hard = gm.match(problem(day, [person("V", 0)], [free("V", "08:00-12:00")]))
    assert len(hard.assignments) == 1
    assert hard.unmet["reason"].tolist() == ["time"]


def test_nobody_goes_without_a_rest_for_longer_than_the_policy_says():
    day = [asked(name, 0, "08:00-12:00", 60) for name in "ABC"]
    rules = "rest_minutes = 30\nrest_after_minutes = 120"
    plan = gm.match(problem(day, [person("V", 0)], [free("V", "08:00-12:00")], rules))
    assert [row[0] for row in line(plan, "start")] == ["08:00", "09:00", "10:30"]
    # waiting is a rest
    day = [
        asked("A", 0, "08:00-09:00", 60),
        asked("B", 0, "09:30-10:30", 60),
        asked("C", 0, "10:00-12:00", 60),
    ]
    plan = gm.match(problem(day, [person("V", 0)], [free("V", "08:00-12:00")], rules))
    assert line(plan, "request_id", "start") == [("A", "08:00"), ("B", "09:30"), ("C", "10:30")]


def test_lunch_is_a_gap_between_the_hours_of_the_slots():
    hours = (
        'slots.hours = { morning = ["08:00", "12:00"], afternoon = ["13:00", "18:00"] }\n'
        'presets = { default = "x", named = { x = { days = ["sat"], slots = ["morning"] } } }'
    )
    day = [asked("A", 10, "11:00-12:50"), asked("B", 10, "11:40-13:40")]
    plan = gm.match(problem(day, [person("V", 0)], [free("V", "08:00-18:00")], more=hours))
    assert line(plan, "request_id", "start", "return_minutes") == [("A", "11:00", 10.0), ("B", "13:10", 10.0)]


def test_the_roles_of_a_team_start_as_they_say_and_are_different_people():
    roles = [
        {"request_id": "A", "role": "lift", "skill": "lifting", "count": 2, "minutes": 20},
        {
            "request_id": "A", "role": "wash", "skill": "washing", "count": 1, "minutes": 40,
            "after": "lift", "after_least": 15, "after_most": 30,
        },
    ]  # fmt: skip
    skills = [{"provider_id": v, "skill": "lifting"} for v in "UVW"]
    skills += [{"provider_id": v, "skill": "washing"} for v in "UW"]
    people = [person("U", 0), person("V", 20), person("W", 5)]
    slots = [free(v, "08:00-12:00") for v in "UVW"]
    given_ = problem([asked("A", 10, "08:00-12:00", 60)], people, slots, roles=roles, skills=skills)
    assert given_.features == {"teams"}
    plan = gm.match(given_)
    assert line(plan, "role", "start", "end") == [
        ("lift", "08:10", "08:30"),
        ("lift", "08:10", "08:30"),
        ("wash", "08:25", "09:05"),
    ]
    assert plan.assignments["provider_id"].is_unique
    told = gm.explain(plan, "A")
    assert (told.status, len(told.candidates), set(told.funnel["role"])) == ("served", 3, {"lift", "wash"})
    # two of them cannot be three
    alone = problem(
        [asked("A", 10, "08:00-12:00", 60)],
        people[:2],
        slots[:2],
        roles=roles,
        skills=skills[:2] + skills[3:4],
    )
    plan = gm.match(alone)
    assert plan.assignments.empty
    assert plan.unmet[["people", "reason"]].values.tolist() == [[3, "people"]]
    nobody = problem(
        [asked("A", 10, "08:00-12:00", 60)], people[:2], slots[:2], roles=roles, skills=skills[:2]
    )
    assert gm.match(nobody).unmet["reason"].tolist() == ["no_such_service"]


def test_several_people_of_one_request_come_together_or_not_at_all():
    firms = [{"organization_id": "O", "community_id": "C", "capacity_per_slot": 3, "lat": 0.0, "lon": 0.0}]
    day = [asked("A", 10, "08:00-08:40", people=2), asked("B", 20, "08:00-10:00", people=2)]
    given_ = problem(day, [], [free("O", "08:00-12:00")], organizations=firms)
    plan = gm.match(given_)
    assert line(plan, "request_id", "provider_kind", "return_minutes") == [
        ("A", "organization", 0.0), ("A", "organization", 0.0),
        ("B", "organization", 20.0), ("B", "organization", 20.0),
    ]  # fmt: skip
    assert sorted(plan.assignments["tour"]) == [1, 1, 2, 2]
    assert plan.certificate.primal == 80.0 + 4 * 2.0  # the hop from the community to the organisation


def test_what_rounds_do_not_do_is_refused_by_name():
    day = [asked("A", 10, "08:00-12:00", people=2, min_serve=1)]
    with pytest.raises(
        UnsupportedFeature, match=r"min_serve below everybody. method 'rounds' serves requests in"
    ):
        gm.match(problem(day, [person("V", 0)], [free("V", "08:00-12:00")]))
    goods = [{"request_id": "A", "good": "rice", "amount": 1.0}]
    recurring = [{"request_id": "A"}]
    pins = [{"request_id": "A", "provider_id": "V", "action": "assign"}]
    with pytest.raises(UnsupportedFeature) as told:
        gm.match(
            problem(
                [asked("A", 10, "08:00-12:00")], [person("V", 0)], [free("V", "08:00-12:00")],
                request_goods=goods, visits=recurring, pins=pins,
            )
        )  # fmt: skip
    assert told.value.features == ("goods", "recurrence")
    with pytest.raises(UnsupportedFeature, match=r"reserve.*The reserve goes by the hours in which jobs are"):
        gm.match(
            problem(
                [asked("A", 10, "08:00-12:00")], [person("V", 0)], [free("V", "08:00-12:00")], "",
                "[reserve]\nshare = 0.2\n",
            )
        )  # fmt: skip
    plain = gm.Problem.from_tables(
        tables([asked("A", 10, "08:00-12:00")], [person("V", 0)], [free("V", "08:00-12:00")])
    )
    with pytest.raises(
        InvalidInput, match=r"method 'rounds' is for a policy that says so: rounds.on is false"
    ):
        gm.match(plain, method="rounds")
    given_ = problem([asked("A", 10, "08:00-12:00")], [person("V", 0)], [free("V", "08:00-12:00")])
    with pytest.raises(
        InvalidInput, match=r"method 'flow' makes no rounds, and the policy's rounds.on is true"
    ):
        gm.match(given_, method="flow")
    plan = gm.match(given_, method="rounds")
    with pytest.raises(InvalidInput, match="alternates are of plans without rounds"):
        _ = plan.alternates


def test_what_is_too_large_is_refused(monkeypatch):
    given_ = problem([asked("A", 10, "08:00-12:00")], [person("V", 0)], [free("V", "08:00-12:00")])
    with monkeypatch.context() as patch:
        patch.setattr(options_module, "MOST_PAIRS", 0)
        with pytest.raises(
            InvalidInput, match="eligible pairs of a role and a slot: 1 and more; expected at most 0"
        ):
            gm.match(given_)
    monkeypatch.setattr(ways_module, "MOST_WAYS", 0)
    with pytest.raises(
        InvalidInput, match="rounds hold the ways between 1 places by 1 modes; expected at most 0 ways"
    ):
        gm.match(given_)


def test_unknown_places_are_as_far_as_the_policy_says():
    day = [
        asked("A", 10, "08:00-12:00", lat=None, lon=None),
        asked("B", 10, "08:00-12:00", lat=None, lon=None),
    ]
    found = tables(day, [person("V", 0)], [free("V", "08:00-12:00")])
    found["communities"]["lat"] = found["communities"]["lon"] = np.nan
    plan = gm.match(gm.Problem.from_tables(found, policy()))
    assert plan.assignments["travel_minutes"].tolist() == [15.0, 15.0]
    assert plan.assignments["travel_known"].tolist() == [False, False]
    assert plan.certificate.primal == 45.0


def test_a_one_way_street_makes_the_way_back_longer():
    nodes = pd.DataFrame({"node_id": [0, 1, 2], "lat": [0.0, 0.01, 0.02], "lon": 0.0})
    arcs = pd.DataFrame({"tail": [0, 1, 2], "head": [1, 2, 0], "minutes": [4.0, 5.0, 20.0]})
    day = [asked("A", 10, "08:00-09:00"), asked("B", 20, "08:00-12:00")]
    found = tables(day, [person("V", 0)], [free("V", "08:00-12:00")])
    plan = gm.match(gm.Problem.from_tables(found, policy(), travel=gm.RoadGraph(nodes, arcs)))
    assert line(plan, "request_id", "start", "travel_minutes", "return_minutes") == [
        ("A", "08:04", 4.0, 0.0),
        ("B", "08:39", 5.0, 20.0),
    ]


def test_a_time_limit_and_a_cancel_signal_end_the_search_with_a_verified_plan():
    rng = np.random.default_rng(3)
    day = [asked(f"R{i}", int(rng.integers(1, 60)), "08:00-12:00", 20) for i in range(30)]
    given_ = problem(
        day, [person(f"V{i}", 7 * i) for i in range(5)], [free(f"V{i}", "08:00-12:00") for i in range(5)]
    )
    gm.match(given_, time_limit=0.5)
    begun = time.monotonic()
    plan = gm.match(given_, time_limit=1.0)
    assert time.monotonic() - begun < 5.0
    assert (plan.certificate.termination, plan.certificate.verified) == ("time_limit", True)
    over = threading.Event()
    over.set()
    plan = gm.match(given_, cancel=over)
    assert plan.certificate.termination == "cancelled"
    assert set(plan.unmet["reason"]) == {"time"}


@pytest.mark.parametrize("seed", range(12))
def test_small_days_cost_what_brute_force_finds(seed):
    rng = np.random.default_rng(seed)
    people = [person(f"V{i}", int(rng.integers(0, 30))) for i in range(2)]
    slots = [free(f"V{i}", f"08:00-{rng.integers(10, 13)}:{rng.integers(10, 60)}") for i in range(2)]
    day = []
    for i in range(int(rng.integers(2, 5))):
        first = int(rng.integers(0, 90))
        last = first + int(rng.integers(30, 120))
        window = f"{8 + first // 60:02}:{first % 60:02}-{8 + last // 60:02}:{last % 60:02}"
        day.append(asked(f"R{i}", int(rng.integers(0, 40)), window, 30, priority=1))
    cost = ("round", "home")[seed % 2]
    late, largest = (0.0, 0.0) if seed % 3 == 0 else (1.25, 0.5)
    rules = f'cost = "{cost}"\nlate_minutes = {late}\nlargest_late_minutes = {largest}'
    given_ = problem(day, people, slots, rules, "unmet.base_minutes = 50")
    plan = gm.match(given_)
    least = least_cost(day, people, slots, cost=cost, late=late, largest=largest, unmet=50)
    assert plan.certificate.primal == pytest.approx(least, abs=1e-6)
    assert plan.certificate.bound <= least + 1e-6


@pytest.mark.parametrize("seed", range(16))
def test_small_days_with_limits_cost_what_brute_force_finds(seed):
    rng = np.random.default_rng(40 + seed)

    def either(low, high):
        return int(rng.integers(low, high)) if rng.random() < 0.6 else None

    people = [
        person(
            f"V{i}",
            int(rng.integers(0, 30)),
            community_id="CD"[i],
            max_minutes_per_week=either(20, 90),
            max_travel_minutes=200,
        )
        for i in range(2)
    ]
    slots = [free(f"V{i}", "08:00-13:00") for i in range(2)]
    day = [
        asked(
            f"R{i}",
            int(rng.integers(0, 40)),
            "08:00-13:00",
            int(rng.integers(10, 40)),
            community_id=str(rng.choice(["C", "D"])),
            priority=1,
        )
        for i in range(4)
    ]
    where = [
        {"community_id": name, "name": name, "lat": 0.0, "lon": 0.0, "away_per_week": either(0, 3)}
        for name in "CD"
    ]
    quota = int(rng.integers(1, 4))
    agreement = {"agreement_id": "G", "from_id": "C", "to_id": "D", "kind": "federation"}
    agreements = [{**agreement, "hop_minutes": 0.0, "quota_per_week": quota}]
    given_ = problem(
        day, people, slots, "", "unmet.base_minutes = 50", communities=where, agreements=agreements
    )
    plan = gm.match(given_)
    least = least_cost(
        day, people, slots, cost="round", late=0.0, largest=0.0, unmet=50,
        holds=lambda mine: limits_hold(mine, people, where, quota),
    )  # fmt: skip
    assert plan.certificate.primal == pytest.approx(least, abs=1e-6)
    assert plan.certificate.bound <= least + 1e-6
    assert set(plan.unmet["reason"]) <= {"time", "cost", "capacity", "quota", "away", "hours", "way"}


@pytest.mark.parametrize("seed", range(12))
def test_small_days_with_pins_cost_what_brute_force_finds(seed):
    rng = np.random.default_rng(70 + seed)
    people = [person(f"V{i}", int(rng.integers(0, 30))) for i in range(2)]
    slots = [free(f"V{i}", "08:00-10:30") for i in range(2)]
    day = [
        asked(f"R{i}", int(rng.integers(0, 40)), "08:00-10:00", int(rng.integers(20, 50)), priority=1 + i % 2)
        for i in range(4)
    ]
    assigned = {"R0": {"V0"}, "R1": {str(rng.choice(["V0", "V1"]))}}
    pins = [
        {"request_id": r, "provider_id": who, "action": "assign"}
        for r, names in assigned.items()
        for who in names
    ]
    given_ = problem(day, people, slots, "", "unmet = {base_minutes = 45, priority_minutes = 0}", pins=pins)
    plan = gm.match(given_)
    least = least_cost(day, people, slots, cost="round", late=0.0, largest=0.0, unmet=45, assigned=assigned)
    assert plan.certificate.primal == pytest.approx(least, abs=1e-6)
    assert plan.certificate.bound <= least + 1e-6
    sent = plan.assignments
    for name, names in assigned.items():
        assert set(sent.loc[sent["request_id"] == name, "provider_id"]) <= names


def test_who_is_assigned_goes_on_the_round_whatever_it_costs_or_is_told_to_be_missing():
    day = [asked("A", 60, "08:00-12:00"), asked("B", 0, "08:00-12:00")]
    people = [person(name, place, max_travel_minutes=90) for name, place in (("V", 0), ("W", 60))]
    slots = [free("V", "08:00-12:00")]
    cheap = "unmet = {base_minutes = 30, priority_minutes = 0}"
    pins = [{"request_id": "A", "provider_id": "V", "action": "assign"}]
    assert gm.match(problem(day, people, slots, "", cheap)).unmet["request_id"].tolist() == ["A"]
    plan = gm.match(problem(day, people, slots, "", cheap, pins=pins))
    assert plan.unmet.empty and plan.certificate.primal == 120.0
    # somebody else is free
    pins[0]["provider_id"] = "W"
    plan = gm.match(problem(day, people, slots, "", cheap, pins=pins))
    assert plan.unmet[["request_id", "reason"]].to_numpy().tolist() == [["A", "pinned"]]
    assert plan.certificate.primal == 30.0
    slots.append(free("W", "08:00-08:30"))
    pins.append({"request_id": "B", "provider_id": "W", "action": "assign"})
    day[1] = asked("B", 60, "08:00-12:00")
    plan = gm.match(problem(day, people, slots, "", cheap, pins=pins))
    assert plan.unmet["reason"].tolist() in (["pin_conflict"], ["time"])
    assert plan.certificate.verified


@pytest.mark.parametrize("seed", range(12))
def test_small_days_with_floors_cost_what_brute_force_finds(seed):
    rng = np.random.default_rng(90 + seed)
    people = [person(f"V{i}", int(rng.integers(0, 30))) for i in range(2)]
    slots = [free(f"V{i}", "08:00-10:00") for i in range(2)]
    day = [
        asked(f"R{i}", int(rng.integers(0, 40)), "08:00-10:00", int(rng.integers(20, 50)), priority=1)
        for i in range(4)
    ]
    share, price = float(rng.choice([0.5, 0.75, 1.0])), int(rng.integers(1, 60))
    rules = f"[floors]\ncommunity_share = {share}\nprice_minutes = {price}\n"
    rules = f"unmet = {{base_minutes = 15, priority_minutes = 0}}\n{rules}"
    plan = gm.match(problem(day, people, slots, "", rules))
    least = least_cost(
        day, people, slots, cost="round", late=0.0, largest=0.0, unmet=15, floor=(int(4 * share), price)
    )
    assert plan.certificate.primal == pytest.approx(least, abs=1e-6)
    assert plan.certificate.bound <= least + 1e-6
    told = plan.floors.iloc[0]
    assert (told["asked"], told["least"]) == (4, int(4 * share))
    assert told["sent"] == len(plan.assignments)
    assert told["cost_minutes"] == price * max(0, int(4 * share) - len(plan.assignments))
    assert plan.cost_of_floors() >= -1e-6


def test_floors_that_cannot_be_kept_are_in_the_bound():
    day = [asked("A", 10, "08:00-12:00"), asked("B", 10, "08:00-12:00", skill="juggling")]
    rules = "[floors]\ncommunity_share = 1.0\nprice_minutes = 100\n"
    plan = gm.match(problem(day, [person("V", 0)], [free("V", "08:00-12:00")], "", rules))
    certificate = plan.certificate
    assert certificate.termination == "optimal"
    assert certificate.primal == 20.0 + plan.unmet["unmet_minutes"].sum() + 100.0
    assert plan.floors["short"].tolist() == [1]


def test_limits_are_the_reason_where_they_stop_everybody():
    day = [asked(f"R{i}", 10, "08:00-12:00") for i in range(3)]
    people, slots = [person("V", 0, max_minutes_per_week=70)], [free("V", "08:00-12:00")]
    plan = gm.match(problem(day, people, slots))
    assert (len(plan.assignments), plan.unmet["reason"].tolist()) == (2, ["hours"])
    assert "本周服务时长已满" in str(gm.explain(plan, plan.unmet["request_id"].iloc[0]))
    # the policy's usual limit, and a person who could still come
    more = [person("V", 0), person("W", 0, max_minutes_per_week=100, max_jobs_per_day=1)]
    slots.append(free("W", "08:00-12:00"))
    day.append(asked("R3", 10, "08:00-12:00"))
    rules = policy()
    rules = dataclasses.replace(rules, load=dataclasses.replace(rules.load, minutes_per_week=40))
    plan = gm.match(gm.Problem.from_tables(tables(day, more, slots), rules, travel=Line()))
    assert (len(plan.assignments), plan.unmet["reason"].tolist()) == (2, ["time", "time"])
    where = [
        {"community_id": name, "name": name, "lat": 0.0, "lon": 0.0, "away_per_week": 1} for name in "CD"
    ]
    over = [{"agreement_id": "G", "from_id": "C", "to_id": "D", "kind": "federation", "quota_per_week": 2}]
    for rule, left in (("away", 2), ("quota", 1)):
        where = [{**row, "away_per_week": 1 if rule == "away" else None} for row in where]
        plan = gm.match(
            problem(
                day[:3], [person("V", 0, community_id="D")], slots[:1], communities=where, agreements=over
            )
        )
        assert plan.unmet["reason"].tolist() == [rule] * left


def _with_pins(town, rng):
    """Assign somebody to some requests of a random town."""
    n = int(rng.integers(0, 4))
    pins = {
        "request_id": rng.choice(town["requests"]["request_id"], n),
        "provider_id": rng.choice(town["volunteers"]["volunteer_id"], n),
        "action": "assign",
    }
    known = [town["pins"]] if "pins" in town else []
    pinned = pd.concat([*known, pd.DataFrame(pins)], ignore_index=True)
    town["pins"] = pinned.drop_duplicates(["request_id", "provider_id"], ignore_index=True)
    return town


def _with_limits(town, rng):
    """Limit hours, jobs elsewhere and agreements of a random town."""
    for name, column, high in (
        ("volunteers", "max_minutes_per_week", 200),
        ("communities", "away_per_week", 3),
        ("agreements", "quota_per_week", 3),
    ):
        if name in town and rng.random() < 0.7:
            limit = pd.Series(pd.array(rng.integers(1, high, len(town[name])), dtype="Int64"))
            town[name] = town[name].assign(**{column: limit.set_axis(town[name].index)})
    return town


def _with_teams(town, rng):
    """Give some requests of a random town several roles."""
    known = set(town["roles"]["request_id"]) if "roles" in town else set()
    rows = []
    for name in town["requests"]["request_id"]:
        if name in known or rng.random() < 0.6:
            continue
        least = int(rng.integers(0, 20))
        for j, role in enumerate(("a", "b")[: int(rng.integers(1, 3))]):
            follows = j > 0 and rng.random() < 0.6
            skill = str(rng.choice(["tutoring", "repair", "first aid"]))
            row = {
                "request_id": name,
                "role": role,
                "skill": skill,
                "level": 1,
                "minutes": int(rng.integers(5, 40)),
            }
            row |= {"count": int(rng.integers(1, 3)), "after": "a" if follows else None}
            rows.append(
                {**row, "after_least": least if follows else 0, "after_most": least + 10 if follows else 0}
            )
    if rows:
        town["roles"] = pd.concat(
            [*([town["roles"]] if known else []), pd.DataFrame(rows)], ignore_index=True
        )
    return town


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), soft=st.booleans())
def test_plans_of_random_towns_pass_the_verifier_and_are_explained(seed, soft):
    rng = np.random.default_rng(seed)
    visits.MOVES_A_VISIT = 200
    rules = Rounds(
        on=True,
        start=str(rng.choice(["home", "organization"])),
        cost=str(rng.choice(["round", "home"])),
        rest_minutes=int(rng.choice([0, 20])),
        rest_after_minutes=int(rng.choice([90, 240])),
        late_minutes=float(rng.choice([0.5, 1.115, 3.25])) if soft else 0.0,
        largest_late_minutes=float(rng.choice([0.0, 1.5])) if soft else 0.0,
    )
    town = _with_pins(_with_limits(_with_teams(random_town(seed), rng), rng), rng)
    floors = Floors(community_share=0.5, price_minutes=50.0) if rng.random() < 0.5 else Floors()
    given_ = gm.Problem.from_tables(
        town, dataclasses.replace(random_policy(seed), rounds=rules, floors=floors), on_error="drop"
    )
    plan = gm.match(given_)  # raises where the verifier finds a fault
    certificate = plan.certificate
    assert certificate.bound <= certificate.primal + 1e-9
    stated = plan.assignments["cost_minutes"].sum() + plan.unmet["unmet_minutes"].sum()
    stated += plan.floors["cost_minutes"].sum()
    assert certificate.primal == pytest.approx(stated, abs=1e-3)
    for name in given_.demand.request_id:
        assert str(gm.explain(plan, name)).startswith(f"{name}: ")


def test_a_day_of_xishan_with_rounds():
    rules = gm.Policy.from_text("[load]\njobs_per_day = 6\n[rounds]\non = true\n")
    given_ = gm.Problem.from_tables(gm.datasets.xishan(seed=0, requests=60), rules)
    plan = gm.match(given_)
    assert plan.certificate.verified
    assert len(plan.assignments) + plan.unmet["people"].sum() == given_.demand.people.sum()
    assert (plan.assignments["order"] > 1).any()
    assert plan.summary()["served_share"].iloc[0] > 0.8
    assert "nothing better found" in certificate_text(plan)


def test_a_county_has_a_verified_plan_with_a_true_bound_at_any_limit():
    rules = gm.Policy.from_text("[load]\njobs_per_day = 6\n[rounds]\non = true\n")
    given_ = gm.Problem.from_tables(gm.datasets.haining(seed=1, requests=400, volunteers=20_000), rules)
    gm.match(given_, time_limit=0.5)
    costs, bounds = [], []
    for limit in (0.01, 0.4, 4.0):
        begun = time.monotonic()
        plan = gm.match(given_, time_limit=limit)
        assert time.monotonic() - begun < limit + 5
        certificate = plan.certificate
        assert (certificate.verified, certificate.termination) == (True, "time_limit")
        costs.append(certificate.primal)
        bounds.append(certificate.bound)
    assert max(bounds) <= min(costs)
    assert costs[2] < costs[0]
    assert len(plan.assignments) > 300


def test_what_there_is_no_time_to_look_at_costs_nothing_in_the_bound(monkeypatch):
    day = [asked(name, place, "08:00-12:00") for name, place in (("A", 10), ("B", 20))]
    given_ = problem(day, [person("V", 0)], [free("V", "08:00-12:00")])
    # each may come after the other: of all ways, half of the one between them is counted
    assert gm.match(given_).certificate.bound == 20.0
    monkeypatch.setattr(visit_bound, "MOST_MEETINGS", 3)
    plan = gm.match(given_)
    assert (plan.certificate.primal, plan.certificate.bound) == (40.0, 0.0)


@pytest.mark.parametrize("minutes", [1, 15])
def test_a_way_through_an_unknown_place_may_be_the_shorter_one(minutes):
    """Y is far from home; X lies nobody knows where: who goes there first reaches Y sooner."""
    day = [
        asked("X", 10, "08:00-08:20", 10, lat=None, lon=None, priority=5, community_id="N"),
        asked("Y", 50, "08:00-08:50", 30, priority=5),
    ]
    found = tables(day, [person("V", 0)], [free("V", "08:00-13:00")])
    places = found["communities"]
    unknown = places.head(1).assign(community_id="N", lat=np.nan, lon=np.nan)
    found["communities"] = pd.concat([places, unknown], ignore_index=True)
    home = places["community_id"].iloc[0]
    found["agreements"] = pd.DataFrame(
        {"agreement_id": ["A"], "from_id": ["N"], "to_id": [home], "kind": ["federation"]}
    )
    rules = policy("late_minutes = 10.0", f"travel.unknown_minutes = {minutes}\nunmet.base_minutes = 2000")
    plan = gm.match(gm.Problem.from_tables(found, rules))
    assert plan.certificate.bound <= plan.certificate.primal
    assert plan.assignments["request_id"].tolist() == ["X", "Y"]
    assert gm.verify(plan.problem, plan).ok
