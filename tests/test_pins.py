"""Pins: who is assigned goes, before any other work, and nobody else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import govmatch as gm
from tests import naive
from tests.test_team_match import role, town
from tests.towns import frame, random_policy, random_town, request


def pins(*rows):
    return frame("request_id provider_id action", *((r, p, "assign") for r, p in rows))


def matched(people, asked, pinned, roles=None, **more):
    problem = gm.Problem.from_tables(town(people, asked, roles, pins=pinned, **more))
    return gm.match(problem)


def who(plan):
    return dict(zip(plan.assignments["request_id"], plan.assignments["provider_id"], strict=True))


PEOPLE = {"V1": ("art", "08:00-12:00"), "V2": ("art", "08:00-12:00"), "V3": ("music", "08:00-12:00")}


def test_who_is_assigned_goes_and_others_make_room():
    asked = [request("R1", "C1", "art", priority=1), request("R2", "C1", "art", priority=5)]
    plan = matched({"V1": PEOPLE["V1"]}, asked, pins(("R1", "V1")))
    assert who(plan) == {"R1": "V1"}
    assert plan.unmet[["request_id", "reason"]].to_numpy().tolist() == [["R2", "capacity"]]
    assert plan.certificate.gap == 0
    assert (
        plan.certificate.primal == plan.assignments["cost_minutes"].sum() + plan.unmet["unmet_minutes"].sum()
    )
    plan = matched(PEOPLE, asked, pins(("R1", "V2")))
    assert who(plan) == {"R1": "V2", "R2": "V1"}


def test_a_pin_counts_however_dear_it_is():
    policy = replace(gm.Policy(), unmet=replace(gm.Policy().unmet, base_minutes=1.0, priority_minutes=0.0))
    tables = town(PEOPLE, [request("R1", "C1", "art", dialect="Wu")], pins=pins(("R1", "V1")))
    plan = gm.match(gm.Problem.from_tables(tables, policy=policy))
    assert who(plan) == {"R1": "V1"}
    assert plan.certificate.primal > 1
    del tables["pins"]
    assert gm.match(gm.Problem.from_tables(tables, policy=policy)).unmet["reason"].tolist() == ["cost"]


def test_who_is_assigned_and_cannot_come_is_told():
    plan = matched(
        PEOPLE, [request("R1", "C1", "art"), request("R2", "C1")], pins(("R1", "V3"), ("R2", "V3"))
    )
    assert plan.unmet[["request_id", "reason", "reason_zh"]].to_numpy().tolist() == [
        ["R1", "pinned", "可派者均非指定人选"]
    ]
    assert who(plan) == {"R2": "V3"}


def test_an_assigned_organisation_means_its_people():
    firms = pd.DataFrame([{"organization_id": "O1", "community_id": "C1"}])
    tables = town(PEOPLE, [request("R1", "C1", "art")], pins=pins(("R1", "O1")), organizations=firms)
    tables["volunteers"]["organization_id"] = [None, "O1", None]
    assert who(gm.match(gm.Problem.from_tables(tables))) == {"R1": "V2"}


def test_contradictory_pins_give_a_smallest_set():
    asked = [request(f"R{i}", "C1", "art") for i in range(1, 6)]
    pinned = pins(("R1", "V1"), ("R2", "V1"), ("R2", "V2"), ("R3", "V2"), ("R4", "V4"))
    people = {**PEOPLE, "V4": ("art", "08:00-12:00")}
    plan = matched(people, asked, pinned)
    (row,) = plan.unmet[plan.unmet["reason"] == "pin_conflict"].to_dict("records")
    assert row["request_id"] in ("R1", "R2", "R3")
    told = gm.explain(plan, row["request_id"])
    assert told.conflict == ("R1", "R2", "R3")
    assert "pins that contradict 相互冲突的指定: R1, R2, R3" in str(told)
    assert gm.explain(plan, "R4").conflict == ()
    assert plan.certificate.gap == 0
    assert plan.certificate.bound == plan.certificate.primal


def test_a_team_of_those_who_are_assigned():
    people = {name: ("art", "08:00-12:00") for name in ("V1", "V2", "V3")}
    roles = [role("lead", "art"), role("second", "art")]
    asked = [
        request("R1", "C1", window="sat 08:00-12:00", priority=1),
        request("R2", "C1", "art", priority=5),
    ]
    plan = matched(people, asked, pins(("R1", "V2"), ("R1", "V3")), roles)
    assert set(plan.assignments.loc[plan.assignments["request_id"] == "R1", "provider_id"]) == {"V2", "V3"}
    plan = matched(people, asked, pins(("R1", "V2")), roles)
    assert plan.unmet[["request_id", "reason"]].to_numpy().tolist() == [["R1", "pin_conflict"]]


def with_pins(seed):
    tables, rng = random_town(seed, 7), np.random.default_rng(seed)
    known = tables.get("pins", pd.DataFrame(columns=["request_id", "provider_id", "action"]))
    taken = set(zip(known["request_id"], known["provider_id"], strict=True))
    drawn = {
        (f"R{rng.integers(len(tables['requests']))}", f"V{rng.integers(len(tables['volunteers']))}")
        for _ in range(int(rng.integers(1, 5)))
    }
    more = pins(*sorted(drawn - taken))
    tables["pins"] = pd.concat([known, more], ignore_index=True) if len(more) else known
    return tables


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_random_towns_with_pins(seed):
    problem = gm.Problem.from_tables(with_pins(seed), policy=random_policy(seed))
    plan = gm.match(problem)
    assert plan.certificate.gap == 0
    # the oracle leaves an assigned request only if it must: so dear is it there
    extra = 10**7
    cost, left = naive.optimum_with_pins(problem, extra)
    assert round(plan.certificate.primal * 100) == cost - extra * left


def test_tampering_with_pins_is_found():
    tables = town(PEOPLE, [request("R1", "C1", "art"), request("R2", "C1", "art")], pins=pins(("R1", "V1")))
    problem = gm.Problem.from_tables(tables)
    plan = gm.match(problem)
    other = plan.assignments.replace({"provider_id": {"V1": "V2", "V2": "V1"}})
    faults = gm.verify(problem, replace(plan, assignments=other)).faults
    assert faults[["code", "message"]].to_numpy().tolist() == [
        ["pin_broken", "the pins assign others to this request"]
    ]
    lost = matched(PEOPLE, [request("R1", "C1", "art")], pins(("R1", "V3")))
    for reason, words in (
        ("excluded", "somebody is assigned to it"),
        ("pin_conflict", "recomputed 'pinned'"),
    ):
        unmet = lost.unmet.assign(reason=reason, reason_zh=gm.plan.reasons.REASONS[reason][1])
        messages = gm.verify(lost.problem, replace(lost, unmet=unmet)).faults["message"].tolist()
        assert any(words in message for message in messages), messages


@pytest.mark.parametrize("action", ["assign", "forbid"])
def test_pins_name_whom_the_tables_know(action):
    pinned = frame("request_id provider_id action", ("R1", "V9", action))
    with pytest.raises(gm.InvalidTables, match="'V9' is not in"):
        gm.Problem.from_tables(town(PEOPLE, [request("R1", "C1", "art")], pins=pinned))


def test_an_organisation_without_anybody_keeps_everybody_away():
    firms = pd.DataFrame([{"organization_id": "O1", "community_id": "C1"}])
    tables = town(PEOPLE, [request("R1", "C1", "art")], pins=pins(("R1", "O1")), organizations=firms)
    plan = gm.match(gm.Problem.from_tables(tables))
    assert plan.unmet["reason"].tolist() == ["pinned"]


@pytest.mark.parametrize("gap", [1e-4, 0.5])
def test_a_gap_is_never_told_that_the_certificate_does_not_show(gap):
    tables = gm.datasets.xishan(seed=3, requests=80, coupled=0.2)
    first = tables["requests"]["request_id"].iloc[0], tables["volunteers"]["volunteer_id"].iloc[0]
    tables["pins"] = pins(first)  # who lives or works elsewhere, or is not free
    certificate = gm.match(gm.Problem.from_tables(tables), gap=gap).certificate
    assert certificate.termination != "gap" or certificate.gap <= gap


def test_a_stop_with_pins_unserved_is_told_without_a_fault():
    asked = [request(f"R{i}", "C1", "art", priority=1 + i % 5) for i in range(7)]
    people = {f"V{i}": ("art", "08:00-12:00") for i in range(7)}
    tables = town(people, asked, pins=pins(*((f"R{i}", f"V{i}") for i in range(7))))
    plan = gm.match(gm.Problem.from_tables(tables), time_limit=1e-6)
    assert plan.certificate.bound >= 0
    assert plan.certificate.verified
