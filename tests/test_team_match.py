"""Teams through `gm.match`: tables in, a verified plan with a bound out."""

import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

import govmatch as gm
from tests.naive_teams import TeamWorld, best_cost
from tests.team_towns import random_team_town
from tests.towns import at, frame, free, random_policy, request, volunteer


def town(people, asked, roles=None, **more):
    """One community; each person has skills and hours, such as ``{"V1": ("art care", "08:00-12:00")}``."""
    tables = {
        "communities": frame("community_id lat lon", ("C1", 30.5, 120.6)),
        "volunteers": pd.DataFrame([volunteer(name, "C1", lat=30.5, lon=120.6) for name in people]),
        "skills": frame(
            "provider_id skill level certified_until",
            *(
                (name, skill.rstrip("!"), 1, "2027-01-01" if skill.endswith("!") else None)
                for name, (skills, _) in people.items()
                for skill in skills.split()
            ),
        ),
        "availability": free(
            *((name, *(f"sat {t}" for t in hours.split("-"))) for name, (_, hours) in people.items())
        ),
        "requests": pd.DataFrame(asked),
        **more,
    }
    if roles is not None:
        tables["roles"] = pd.DataFrame(roles, dtype=object)
    return tables


def role(name, skill, **more):
    return {"request_id": "R1", "role": name, "skill": skill, **more}


def sent(plan, request_id="R1"):
    rows = plan.assignments[plan.assignments["request_id"] == request_id]
    return [(r.role, r.provider_id, r.start.strftime("%H:%M")) for r in rows.itertuples()]


# against the oracle


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), largest=st.integers(3, 10))
@example(seed=36, largest=7)
@example(seed=389, largest=8)
def test_random_towns_with_teams(seed, largest):
    try:
        problem = gm.Problem.from_tables(random_team_town(seed, largest), policy=random_policy(seed))
    except gm.InvalidTables:  # a window that is too short for what was drawn
        reject()
    plan = gm.match(problem)
    cost, bound = (round(x * 100) for x in (plan.certificate.primal, plan.certificate.bound))
    best = best_cost(problem)
    assert bound <= best <= cost
    assert cost == best  # so small a town is solved whole
    assert plan.certificate.verified


def test_the_oracle_knows_teams_as_the_tables_say_them():
    problem = gm.Problem.from_tables(random_team_town(36, 7), policy=random_policy(36))
    world = TeamWorld(problem)
    teams = [r["request_id"] for r in world.requests if world.team(r)[0]]
    ids = problem.demand.request_id[np.unique(problem.teams.request)]
    assert teams == ids.tolist()


# the cases of the account


def test_a_course_takes_its_designer_and_its_teachers_or_nobody():
    roles = [role("designer 设计", "design"), role("teacher 授课", "art", count=2)]
    people = {"V1": ("design", "08:00-12:00"), "V2": ("art", "08:00-12:00"), "V3": ("art", "08:00-12:00")}
    asked = [request("R1", "C1", window="sat 08:00-12:00")]
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles)))
    assert sorted(sent(plan)) == [
        ("designer 设计", "V1", "08:00"),
        ("teacher 授课", "V2", "08:00"),
        ("teacher 授课", "V3", "08:00"),
    ]
    assert plan.certificate.termination == "optimal"
    people["V3"] = ("art", "10:30-12:00")  # then all begin when the last can
    assert {start for *_, start in sent(gm.match(gm.Problem.from_tables(town(people, asked, roles))))} == {
        "10:30"
    }
    people["V3"] = ("art", "11:30-12:00")
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles)))
    assert plan.assignments.empty
    (row,) = plan.unmet.to_dict("records")
    assert (row["reason"], row["role"], row["eligible"], row["people"]) == ("together", "teacher 授课", 2, 3)
    assert row["unmet_minutes"] == 3 * 480


def test_nine_residents_watch_a_renovation_and_six_suffice():
    people = {f"V{i}": ("watch", "08:00-12:00") for i in range(7)}
    asked = [request("R1", "C1", "watch", window="sat 08:00-18:00", people=9, min_serve=6)]
    plan = gm.match(gm.Problem.from_tables(town(people, asked)))
    assert len(plan.assignments) == 7
    assert plan.unmet[["people", "reason", "eligible"]].to_numpy().tolist() == [[2, "capacity", 7]]
    del people["V0"], people["V1"]
    plan = gm.match(gm.Problem.from_tables(town(people, asked)))
    assert plan.assignments.empty
    assert plan.unmet["people"].tolist() == [9]


def test_mediators_are_neutral_to_both_parties():
    people = {name: ("mediation", "08:00-12:00") for name in ("V1", "V2", "V3", "V4")}
    asked = [request("R1", "C1", window="sat 08:00-12:00")]
    roles = [role("chair", "mediation"), role("second", "mediation")]
    pins = frame("request_id provider_id action", ("R1", "V1", "forbid"), ("R1", "V2", "forbid"))
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles, pins=pins)))
    assert {who for _, who, _ in sent(plan)} == {"V3", "V4"}


def test_a_rescue_squad_needs_its_certified_leader():
    asked = [request("R1", "C1", window="sat 08:00-10:00", min_serve=2, priority=5)]
    roles = [role("leader", "rescue", certified=True, leader=True), role("member", "rescue", count=3)]
    people = {"V1": ("rescue!", "08:00-10:00"), "V2": ("rescue", "08:00-10:00")}
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles)))
    assert sorted(sent(plan)) == [("leader", "V1", "08:00"), ("member", "V2", "08:00")]
    people["V1"] = ("rescue", "08:00-10:00")
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles)))
    assert plan.unmet[["reason", "role", "people"]].to_numpy().tolist() == [["certificate", "leader", 4]]


def test_a_team_larger_than_everybody_together_is_told_so():
    people = {"V1": ("watch", "08:00-12:00"), "V2": ("watch", "08:00-12:00")}
    roles = [role("a", "watch", count=3), role("b", "watch")]
    plan = gm.match(gm.Problem.from_tables(town(people, [request("R1", "C1")], roles)))
    assert plan.unmet[["reason", "role", "eligible"]].to_numpy().tolist() == [["people", "a", 2]]


# chains


@pytest.mark.parametrize(
    ("hours", "least", "most", "starts"),
    [
        ("08:00-18:00", 0, None, ["08:00", "08:00"]),
        ("08:00-18:00", 90, 90, ["08:00", "09:30"]),
        ("11:00-18:00", 30, 120, ["09:00", "11:00"]),
        ("11:10-18:00", 30, 120, ["09:30", "11:30"]),
        ("16:30-18:00", 30, 120, ["14:30", "16:30"]),
    ],
)
def test_a_role_starts_within_its_offsets_after_another(hours, least, most, starts):
    people = {"V1": ("survey", "08:00-18:00"), "V2": ("repair", hours)}
    roles = [
        role("survey", "survey", minutes=30),
        role("repair", "repair", minutes=60, after="survey", after_least=least, after_most=most),
    ]
    policy = replace(gm.Policy(), slots=replace(gm.Policy().slots, long_minutes=720))
    tables = town(people, [request("R1", "C1", window="sat 08:00-18:00")], roles)
    plan = gm.match(gm.Problem.from_tables(tables, policy=policy))
    assert [start for *_, start in sent(plan)] == starts
    waits = dict(zip(plan.assignments["role"], plan.assignments["wait_cost"], strict=True))
    late = (pd.Timestamp(starts[0]) - pd.Timestamp("08:00")).total_seconds() / 3600
    assert waits["survey"] == pytest.approx(late * policy.fit.wait_minutes)


def test_one_person_is_never_two_of_a_team():
    people = {"V1": ("survey repair", "08:00-12:00"), "V2": ("music", "08:00-12:00")}
    tables = town(
        people,
        [request("R1", "C1", window="sat 08:00-12:00")],
        [role("survey", "survey", minutes=30), role("repair", "repair", after="survey", after_least=60)],
    )
    tables["availability"] = free(("V1", "sat 08:00", "sat 08:45"), ("V1", "sat 08:45", "sat 12:00"))
    plan = gm.match(gm.Problem.from_tables(tables))
    assert plan.assignments.empty
    assert plan.unmet[["reason", "role"]].to_numpy().tolist() == [["capacity", ""]]
    people["V2"] = ("repair", "08:00-12:00")
    tables["skills"] = town(people, [request("R1", "C1")])["skills"]
    tables["availability"] = pd.concat([tables["availability"], free(("V2", "sat 08:00", "sat 12:00"))])
    assert [who for _, who, _ in sent(gm.match(gm.Problem.from_tables(tables)))] == ["V1", "V2"]


def test_an_organisation_sends_its_people_to_several_roles():
    tables = town(
        {"V1": ("music", "08:00-12:00")},
        [request("R1", "C1", window="sat 08:00-10:00")],
        [role("cook", "cooking"), role("server", "serving", count=2)],
        organizations=pd.DataFrame(
            [
                {
                    "organization_id": "O1",
                    "community_id": "C1",
                    "capacity_per_slot": 3,
                    "lat": 30.5,
                    "lon": 120.6,
                }
            ]
        ),
    )
    tables["skills"] = frame("provider_id skill", ("O1", "cooking"), ("O1", "serving"))
    tables["availability"] = free(("O1", "sat 08:00", "sat 12:00"))
    assert [who for _, who, _ in sent(gm.match(gm.Problem.from_tables(tables)))] == ["O1"] * 3
    tables["organizations"]["capacity_per_slot"] = 2
    assert gm.match(gm.Problem.from_tables(tables)).unmet["reason"].tolist() == ["capacity"]


# what is told


def test_explain_tells_of_every_role():
    people = {"V1": ("design", "08:00-12:00"), "V2": ("art", "09:00-12:00"), "V3": ("art", "08:00-12:00")}
    roles = [role("designer", "design"), role("teacher", "art")]
    problem = gm.Problem.from_tables(town(people, [request("R1", "C1", window="sat 08:00-12:00")], roles))
    told = gm.explain(gm.match(problem), "R1")
    assert told.status == "served"
    chosen = told.candidates[told.candidates["chosen"]]
    assert chosen[["role", "provider_id"]].to_numpy().tolist() == [["designer", "V1"], ["teacher", "V3"]]
    assert told.funnel["role"].tolist() == ["designer"] * 10 + ["teacher"] * 10
    assert told.funnel.loc[told.funnel["stage"] == "window", "providers"].tolist() == [1, 1]
    del people["V1"]
    problem = gm.Problem.from_tables(town(people, [request("R1", "C1", window="sat 08:00-12:00")], roles))
    told = gm.explain(gm.match(problem), "R1")
    assert (told.status, told.reason) == ("unmet", "no_such_service")
    assert "nobody offers what is needed" in str(told)
    assert told.candidates["role"].unique().tolist() == ["teacher"]


def test_alternates_are_told_by_role():
    people = {name: ("art", "08:00-12:00") for name in ("V1", "V2", "V3")}
    roles = [role("lead", "art"), role("second", "art")]
    plan = gm.match(
        gm.Problem.from_tables(town(people, [request("R1", "C1", window="sat 08:00-09:00")], roles))
    )
    free_one = ({"V1", "V2", "V3"} - {who for _, who, _ in sent(plan)}).pop()
    assert plan.alternates[["role", "provider_id", "rank"]].to_numpy().tolist() == [
        ["lead", free_one, 1],
        ["second", free_one, 1],
    ]


# a day of Haining


@pytest.fixture(scope="module")
def day():
    return gm.Problem.from_tables(gm.datasets.xishan(seed=3, requests=200, coupled=0.2))


def test_a_day_with_teams_has_a_plan_and_a_bound_close_to_it(day):
    plan = gm.match(day)
    assert plan.certificate.gap <= 0.002
    assert plan.certificate.termination in ("optimal", "searched")
    assert plan.certificate.bound <= plan.certificate.primal
    served = plan.assignments.groupby("request_id")["role"].nunique()
    assert (served > 1).any()
    assert gm.verify(day, plan).ok


def test_a_flow_alone_refuses_teams(day):
    with pytest.raises(gm.UnsupportedFeature, match="not supported yet: teams"):
        gm.match(day, method="flow")


@pytest.mark.parametrize("limit", [0.05, 0.5, 2.0])
def test_a_time_limit_leaves_a_verified_plan(day, limit):
    plan = gm.match(day, time_limit=limit)
    assert plan.certificate.verified
    assert plan.certificate.bound <= plan.certificate.primal


def test_a_gap_that_suffices_ends_the_search(day):
    plan = gm.match(day, gap=0.5)
    assert plan.certificate.termination in ("gap", "optimal")
    assert plan.certificate.gap <= 0.5


def test_cancelled_before_it_began(day):
    stop = threading.Event()
    stop.set()
    plan = gm.match(day, cancel=stop)
    assert plan.certificate.termination == "cancelled"
    assert plan.assignments.empty
    assert set(plan.unmet["reason"]) <= {"time", "no_such_service", "level", "certificate"}


def test_the_same_input_gives_the_same_plan_with_teams(day):
    one, other = gm.match(day), gm.match(day)
    pd.testing.assert_frame_equal(one.assignments, other.assignments)


# tampering


@pytest.fixture(scope="module")
def served():
    people = {
        "V1": ("survey", "08:00-12:00"),
        "V2": ("repair", "08:00-12:00"),
        "V3": ("repair", "08:00-12:00"),
        "V4": ("repair survey", "08:00-12:00"),
    }
    roles = [
        role("survey", "survey", minutes=30),
        role("repair", "repair", count=2, after="survey", after_least=60, after_most=120),
    ]
    problem = gm.Problem.from_tables(town(people, [request("R1", "C1", window="sat 08:00-12:00")], roles))
    return problem, gm.match(problem)


def moved(frame, rows, minutes):
    frame = frame.copy()
    for column in ("start", "end"):
        frame.loc[rows, column] += pd.Timedelta(minutes=minutes)
    return frame


TAMPERED = {
    "one of two is gone": (
        "team_incomplete",
        "1 people are sent as 'repair'; the team needs 2",
        lambda a: a.drop(a.index[a["role"] == "repair"][0]),
    ),
    "nobody surveys": (
        "team_incomplete",
        "0 people are sent as 'survey'; the team needs 1",
        lambda a: a[a["role"] != "survey"],
    ),
    "one too many": (
        "people_exceeded",
        "3 people are sent as 'repair'; 2 are asked",
        lambda a: pd.concat(
            [a, a[a["role"] == "repair"].tail(1).assign(provider_id="V4")], ignore_index=True
        ),
    ),
    "the same one twice": (
        "person_twice",
        "serves the same team twice",
        lambda a: a.assign(
            provider_id=np.where(
                a["role"] == "survey",
                "V4",
                np.where(
                    a["provider_id"] == a.loc[a["role"] == "repair", "provider_id"].iloc[0],
                    "V4",
                    a["provider_id"],
                ),
            )
        ),
    ),
    "one comes later": (
        "wrong_start",
        "not all who come as 'repair' start together",
        lambda a: moved(a, a.index[a["role"] == "repair"][:1], 30),
    ),
    "both come too late": (
        "wrong_start",
        "'repair' starts 150 minutes after 'survey'; expected 60 to 120",
        lambda a: moved(a, a["role"] == "repair", 90),
    ),
    "off the clock": (
        "wrong_start",
        "'repair' starts at 2026-11-21T01:10Z, which is no whole number of 30 minutes late",
        lambda a: moved(a, a["role"] == "repair", 10),
    ),
    "before the window": (
        "outside_window",
        "leaves the window",
        lambda a: moved(a, a["role"] != "", -60),
    ),
    "a role it has not": (
        "wrong_role",
        "role 'paint'; expected 'survey' or 'repair'",
        lambda a: a.assign(role=a["role"].replace("survey", "paint")),
    ),
    "the other role's length": (
        "wrong_end",
        "lasts 60 minutes; 30 are asked",
        lambda a: a.assign(end=a["start"] + pd.Timedelta(minutes=60)),
    ),
    "a wait that is not": (
        "wrong_cost_term",
        "wait_cost is 1.00; 0.00 by the policy",
        lambda a: a.assign(wait_cost=1.0, cost_minutes=a["cost_minutes"] + 1),
    ),
}


@pytest.mark.parametrize(("code", "words", "tamper"), TAMPERED.values(), ids=TAMPERED)
def test_tampered_teams_are_found(served, code, words, tamper):
    problem, plan = served
    assert gm.verify(problem, plan).ok
    faults = gm.verify(problem, replace(plan, assignments=tamper(plan.assignments))).faults
    told = faults.loc[faults["code"] == code, "message"].tolist()
    assert any(words in message for message in told), faults.to_dict("records")


UNMET = {
    "another reason": ("reason_wrong", "recomputed 'together' of 'teacher'", {"reason": "distance"}),
    "another role": ("reason_wrong", "recomputed 'together' of 'teacher'", {"role": "designer"}),
    "no such role": ("unmet_wrong", "expected 'designer' or 'teacher'", {"role": "cook"}),
    "fewer eligible": ("reason_wrong", "eligible is 1; recomputed 2", {"eligible": 1}),
    "window": ("reason_wrong", "'together' is for several people", {"reason": "window"}),
    "cheaper": ("wrong_unmet_cost", "1440.00 by the policy", {"unmet_minutes": 480.0}),
    "all but one": (
        "people_missing",
        "0 people are sent and 2 stand as unserved; 3 are asked",
        {"people": 2},
    ),
}


@pytest.mark.parametrize(("code", "words", "cells"), UNMET.values(), ids=UNMET)
def test_tampered_reasons_of_teams_are_found(code, words, cells):
    people = {"V1": ("design", "08:00-12:00"), "V2": ("art", "08:00-12:00"), "V3": ("art", "11:30-12:00")}
    roles = [role("designer", "design"), role("teacher", "art", count=2)]
    problem = gm.Problem.from_tables(town(people, [request("R1", "C1", window="sat 08:00-12:00")], roles))
    plan = gm.match(problem)
    assert gm.verify(problem, plan).ok
    if "reason" in cells:
        cells = {**cells, "reason_zh": gm.plan.reasons.REASONS[cells["reason"]][1]}
    faults = gm.verify(problem, replace(plan, unmet=plan.unmet.assign(**cells))).faults
    told = faults.loc[faults["code"] == code, "message"].tolist()
    assert any(words in message for message in told), faults.to_dict("records")


def test_starts_lie_on_the_policys_steps():
    people = {"V1": ("art", "08:10-12:00"), "V2": ("art", "08:00-12:00")}
    tables = town(people, [request("R1", "C1", "art", window="sat 08:00-09:30", people=2, min_serve=2)])
    for step, start in ((30, "08:30"), (10, "08:10"), (15, "08:15")):
        policy = replace(gm.Policy(), slots=replace(gm.Policy().slots, start_minutes=step))
        plan = gm.match(gm.Problem.from_tables(tables, policy=policy))
        assert {begin for *_, begin in sent(plan)} == {start}
    assert at("sat 08:15") == plan.assignments["start"].iloc[0]


def test_teams_larger_than_the_first_candidates():
    people = {f"V{i}": ("art", "08:00-12:00") for i in range(150)}
    asked = [
        request("R1", "C1", "art", window="sat 08:00-12:00", people=100, min_serve=50),
        request("R2", "C1", "art", window="sat 08:00-12:00", people=90, min_serve=30),
    ]
    plan = gm.match(gm.Problem.from_tables(town(people, asked)))
    assert len(plan.assignments) == 150
    assert plan.certificate.gap <= 1e-3


def test_links_of_chains_are_listed_once():
    people = {"V1": ("a", "08:00-18:00"), "V2": ("b", "08:00-18:00"), "V3": ("c", "08:00-18:00")}
    roles = [
        role("a", "a", minutes=30),
        role("b", "b", minutes=30, after="a", after_least=0, after_most=120),
        role("c", "c", minutes=30, after="b", after_least=0, after_most=120),
    ]
    policy = replace(gm.Policy(), slots=replace(gm.Policy().slots, long_minutes=720, start_minutes=5))
    tables = town(people, [request("R1", "C1", window="sat 08:00-18:00")], roles)
    plan = gm.match(gm.Problem.from_tables(tables, policy=policy))
    links = np.stack([plan.search.units.link_state, plan.search.units.link_parent], axis=1)
    assert len(np.unique(links, axis=0)) == len(links)
    assert [start for *_, start in sent(plan)] == ["08:00"] * 3
