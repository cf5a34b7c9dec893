"""A correct plan of rounds is tampered with, and the verifier names what was done."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

import govmatch as gm
from govmatch.solve import visits
from tests.rounds_town import asked, clock, free, person, problem

RULES = "late_minutes = 1\nlargest_late_minutes = 2\nrest_minutes = 20\nrest_after_minutes = 150"


def _problem(rules=RULES):
    firms = [
        {
            "organization_id": "O", "community_id": "C", "capacity_per_slot": 2, "capacity_per_week": 4,
            "lat": 0.0, "lon": 0.0,
        },
    ]  # fmt: skip
    people = [
        person("V", 0, max_jobs_per_day=4),
        person("W", 5, max_jobs_per_week=3, organization_id="O"),
        person("X", 0, clearance=2, dialect="Wu"),
    ]
    requests = [
        asked("A", 10, "08:00-09:00", 40),
        asked("B", 20, "09:30-10:30", 60),
        asked("C", 30, "08:00-12:00", 60),
        asked("D", 5, "09:00-10:00", 60, clearance=1, dialect="Wu"),
        asked("T", 4, "08:00-12:00", 30),
        asked("U", 300, "08:00-12:00", 60),
        asked("Y", 10, "08:00-09:00", duplicate_of="A"),
        asked("Z", 10, "08:00-09:00", skill="juggling"),
        asked("L", 0, "08:00-08:20", 20, clearance=2),
        asked("M", 0, "08:00-08:20", 20, clearance=2),
    ]
    roles = [
        {"request_id": "T", "role": "two", "skill": "care", "level": 2, "certified": True, "count": 2},
        {"request_id": "T", "role": "then", "skill": "care", "after": "two", "after_least": 30},
    ]
    skills = [
        {"provider_id": "O", "skill": "care", "level": 3, "certified_until": "2026-12-31"},
        {"provider_id": "W", "skill": "care", "level": 1},
        {"provider_id": "V", "skill": "lifting", "level": 1},
    ]
    slots = [
        free("V", "08:00-13:00"),
        free("O", "08:00-12:00"),
        free("W", "08:00-12:00"),
        free("X", "07:30-12:00"),
    ]
    return problem(requests, people, slots, rules, roles=roles, skills=skills, organizations=firms)


@pytest.fixture(scope="module")
def given():
    return _problem()


@pytest.fixture(scope="module")
def plan(given):
    before, visits.MOVES_A_VISIT = visits.MOVES_A_VISIT, 2_000
    try:
        return gm.match(given)
    finally:
        visits.MOVES_A_VISIT = before


def changed(frame, request, nth=0, **cells):
    frame = frame.copy()
    at = frame.index[frame["request_id"] == request][nth]
    for name, value in cells.items():
        frame[name] = frame[name].astype(object)
        frame.at[at, name] = value
    return frame


def later(frame, request, minutes, nth=0):
    row = frame[frame["request_id"] == request].iloc[nth]
    step = pd.Timedelta(minutes=minutes)
    return changed(frame, request, nth, start=row["start"] + step, end=row["end"] + step)


def one(frame, request, nth=0):
    return frame[frame["request_id"] == request].iloc[[nth]]


def test_the_plan_is_what_the_tampering_below_takes_it_for(given, plan):
    assert gm.verify(given, plan).ok
    made = plan.assignments
    served = set(made["request_id"])
    assert served == {"A", "B", "C", "D", "T", "L", "M"}
    assert set(made.loc[made["request_id"].isin(["L", "M", "D"]), "provider_id"]) == {"X"}
    assert made.loc[made["request_id"] == "T", "provider_id"].tolist() == ["O", "O", "W"]
    assert dict(zip(plan.unmet["request_id"], plan.unmet["reason"], strict=True)) == {
        "U": "distance",
        "Z": "no_such_service",
    }
    # L and M cannot both begin at 08:00: one is 20 minutes late
    assert sorted(made.loc[made["request_id"].isin(["L", "M"]), "late_cost"]) == [0.0, 60.0]


LATE = "the latest begin"
CASES = {
    "unknown request": (
        "unknown_request",
        "the tables hold no such request",
        lambda a: changed(a, "A", request_id="Q"),
    ),
    "unknown provider": ("unknown_provider", "no such provider", lambda a: changed(a, "A", provider_id="Q")),
    "linked": ("duplicate_served", "linked to another report", lambda a: changed(a, "A", request_id="Y")),
    "role": ("wrong_role", "role 'x'; expected one of 'two', 'then'", lambda a: changed(a, "T", role="x")),
    "kind": (
        "wrong_kind",
        "provider_kind 'x'; expected 'volunteer'",
        lambda a: changed(a, "A", provider_kind="x"),
    ),
    "organisation": ("wrong_organization", "expected None", lambda a: changed(a, "D", organization_id="O")),
    "community": ("wrong_community", "community_id 'x'", lambda a: changed(a, "A", community_id="x")),
    "clearance": (
        "clearance_too_low",
        "clearance 0; 1 is needed",
        lambda a: changed(a, "D", provider_id="V"),
    ),
    "skill": ("wrong_skill", "does not hold 'care'", lambda a: changed(a, "T", provider_id="X")),
    "level": (
        "level_too_low",
        "level 1 of 'care' is held; 2 is needed",
        lambda a: changed(a, "T", provider_id="W"),
    ),
    "certificate": (
        "certificate_missing",
        "no certificate of 'care'",
        lambda a: changed(a, "T", provider_id="W"),
    ),
    "slot": (
        "unknown_slot",
        "the provider has no slot",
        lambda a: changed(a, "A", slot_start=clock("07:00")),
    ),
    "assumed": (
        "wrong_assumed",
        "assumed is True; the slot does not come",
        lambda a: changed(a, "A", assumed=True),
    ),
    "duration": (
        "wrong_end",
        "lasts 35.000 minutes; 40 are asked",
        lambda a: changed(a, "A", end=one(a, "A")["start"].iloc[0] + pd.Timedelta(minutes=35)),
    ),
    "before the window": (
        "outside_window",
        "leaves the window 2026-11-21T09:30:00Z",
        lambda a: later(a, "B", -60),
    ),
    "no time": ("outside_window", "no time to no time", lambda a: changed(a, "A", start=pd.NaT, end=pd.NaT)),
    "tour": ("tour_wrong", "tour is 2; the slot holds 1", lambda a: changed(a, "A", tour=2)),
    "order": (
        "wrong_order",
        "order is 7; by its start it is visit 1",
        lambda a: changed(a, "L", order=7) if one(a, "L")["order"].iloc[0] == 1 else changed(a, "M", order=7),
    ),
    "way": ("wrong_travel", "travel_minutes is 99.000", lambda a: changed(a, "A", travel_minutes=99.0)),
    "way known": (
        "wrong_travel",
        "travel_known is False; the two places are known",
        lambda a: changed(a, "A", travel_known=False),
    ),
    "way back": (
        "wrong_return",
        "return_minutes is 99.000; the way back takes",
        lambda a: changed(a, "C", return_minutes=99.0),
    ),
    "no room": ("no_room", "minutes of way it can at", lambda a: later(a, "C", -40)),
    "after the slot": ("outside_slot", "the tour is back at", lambda a: later(a, "D", 180)),
    "travel cost": ("wrong_cost_term", "travel_cost is 1.000", lambda a: changed(a, "A", travel_cost=1.0)),
    "level cost": ("wrong_cost_term", "level_cost is 99.00", lambda a: changed(a, "A", level_cost=99.0)),
    "wait cost": ("wrong_cost_term", "wait_cost is 1.00; 0.00", lambda a: changed(a, "A", wait_cost=1.0)),
    "dialect cost": (
        "wrong_cost_term",
        "dialect_cost is 5.00; 0.00",
        lambda a: changed(a, "D", dialect_cost=5.0),
    ),
    "late cost": ("wrong_late_cost", LATE, lambda a: changed(a, "A", late_cost=3.0)),
    "late begin": ("wrong_late_cost", LATE, lambda a: later(a, "D", 30)),
    "load cost": ("wrong_load_cost", "load_cost is 6.00", lambda a: changed(a, "A", load_cost=6.0)),
    "sum": ("wrong_total", "its terms add up to", lambda a: changed(a, "A", cost_minutes=1.0)),
    "route": ("forbidden_path", "the alliance has no node 'Q'", lambda a: changed(a, "A", route="C > Q")),
    "apart": ("not_together", "people of one role start together", lambda a: later(a, "T", 5, 1)),
    "offset": (
        "wrong_offset",
        "'then' starts 35.000 minutes after 'two'; 30 to 30 are asked",
        lambda a: later(a, "T", 5, 2),
    ),
    "in part": (
        "team_incomplete",
        "1 people are sent as 'two'; 2 are asked, all or none",
        lambda a: a.drop(one(a, "T").index),
    ),
    "one person twice": (
        "person_twice",
        "is sent twice to one request",
        lambda a: changed(a, "T", 1, tour=one(a, "T")["tour"].iloc[0]),
    ),
    "days": (
        "day_capacity",
        "5 jobs on one day; at most 4",
        lambda a: pd.concat([a[a["provider_id"] != "V"], *[one(a, "A")] * 5], ignore_index=True),
    ),
    "weeks": (
        "week_capacity",
        "4 jobs in one week; at most 3",
        lambda a: pd.concat([a[a["provider_id"] != "W"], *[a[a["provider_id"] == "W"].iloc[[0]]] * 4]),
    ),
    "organisation's weeks": (
        "organization_capacity",
        "5 jobs in one week; at most 4",
        lambda a: pd.concat([a, a[a["provider_id"] == "O"].iloc[[0]], a[a["provider_id"] == "W"].iloc[[0]]]),
    ),
    "column": (
        "missing_column",
        "plan.assignments has no column 'late_cost'",
        lambda a: a.drop(columns="late_cost"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_verifier_names_what_was_tampered_with(given, plan, name):
    code, words, tamper = CASES[name]
    wrong = dataclasses.replace(plan, assignments=tamper(plan.assignments).reset_index(drop=True))
    faults = gm.verify(given, wrong).faults
    said = faults.loc[faults["code"] == code, "message"].tolist()
    assert any(words in text for text in said), faults[["code", "message"]].to_string()


def test_a_rest_that_is_not_taken_is_missed(given, plan):
    strict = _problem(RULES.replace("150", "45"))
    faults = gm.verify(strict, plan).faults
    said = faults.loc[faults["code"] == "rest_missing", "message"].tolist()
    assert said and set(said) == {"more than 45 minutes without a rest of 20"}


def test_hard_windows_are_kept(given, plan):
    hard = _problem("rest_minutes = 20\nrest_after_minutes = 150")
    faults = gm.verify(hard, plan).faults
    assert {"outside_window", "wrong_late_cost"} <= set(faults["code"])


@pytest.mark.parametrize(
    ("cells", "code", "words"),
    [
        ({"reason": "capacity"}, "reason_wrong", "only an optimal plan says so"),
        ({"reason": "together"}, "reason_wrong", "reason 'together'; expected one of"),
        ({"reason_zh": "x"}, "reason_wrong", "reason_zh is 'x'"),
        ({"reason": "way"}, "reason_wrong", "recomputed"),
        ({"reason": "cost"}, "reason_wrong", "recomputed"),
        ({"reason": "people"}, "reason_wrong", "recomputed"),
        ({"eligible": 77}, "reason_wrong", "with 77 eligible; recomputed"),
        ({"skill": "x"}, "unmet_wrong", "skill is 'x'; the request needs"),
        ({"people": 2}, "people_missing", "1 are asked"),
        ({"unmet_minutes": 1.0}, "wrong_unmet_cost", "unmet_minutes is 1.00"),
    ],
)
def test_reasons_are_checked(given, plan, cells, code, words):
    unmet = changed(plan.unmet, "U", **cells)
    if "reason" in cells and cells["reason"] in gm.plan.reasons.REASONS:
        unmet = changed(unmet, "U", reason_zh=gm.plan.reasons.REASONS[cells["reason"]][1])
    faults = gm.verify(given, dataclasses.replace(plan, unmet=unmet)).faults
    said = faults.loc[faults["code"] == code, "message"].tolist()
    assert any(words in text for text in said), faults[["code", "message"]].to_string()


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"termination": "done"}, "termination_wrong"),
        ({"termination": "optimal"}, "termination_wrong"),
        ({"primal": 1.0}, "primal_wrong"),
        ({"bound": 1e6}, "bound_above_primal"),
        ({"gap": 0.01}, "gap_wrong"),
        ({"resolution_minutes": 0.01}, "search_wrong"),
        ({"arcs": 10**9}, "search_wrong"),
    ],
)
def test_the_certificate_is_checked(given, plan, cells, code):
    wrong = dataclasses.replace(plan, certificate=dataclasses.replace(plan.certificate, **cells))
    assert code in set(gm.verify(given, wrong).faults["code"])


def _limited(hours=None, away=None, quota=None):
    """Three visits in C by somebody who lives in D."""
    where = [
        {"community_id": name, "name": name, "lat": 0.0, "lon": 0.0, "away_per_week": most}
        for name, most in (("C", None), ("D", away))
    ]
    over = {"agreement_id": "G", "from_id": "C", "to_id": "D", "kind": "federation", "quota_per_week": quota}
    return problem(
        [asked(name, 10, "08:00-12:00", skill=None) for name in "ABE"],
        [person("V", 0, community_id="D", max_minutes_per_week=hours)],
        [free("V", "08:00-12:00")],
        communities=where,
        agreements=[over],
    )


@pytest.mark.parametrize(
    ("limit", "code", "words"),
    [
        ({"hours": 70}, "hours_exceeded", "works 90 minutes in one week; at most 70"),
        ({"away": 1}, "away_exceeded", "volunteers of 'D' do 3 jobs elsewhere in one week; at most 1"),
        ({"quota": 2}, "quota_exceeded", "3 jobs pass agreement 'G' in one week; at most 2"),
    ],
)
def test_limits_are_checked(limit, code, words):
    free_plan, strict = gm.match(_limited()), _limited(**limit)
    faults = gm.verify(strict, free_plan).faults
    assert words in faults.loc[faults["code"] == code, "message"].tolist()
    plan = gm.match(strict)
    (reason,) = limit
    assert set(plan.unmet["reason"]) == {reason}
    for other, said in (
        ("quota", "no agreement's quota is used up"),
        ("away", "no community's jobs elsewhere are used up"),
        ("hours", "every volunteer has time for one more job"),
    ):
        if other != reason:
            unmet = plan.unmet.assign(reason=other, reason_zh=gm.plan.reasons.REASONS[other][1])
            faults = gm.verify(strict, dataclasses.replace(plan, unmet=unmet)).faults
            assert f"reason {other!r}; {said}" in faults["message"].tolist()


def test_a_limit_is_no_reason_for_those_whom_it_does_not_stop():
    given_ = problem(
        [asked("A", 10, "08:00-12:00", skill="care"), asked("B", 10, "08:00-12:00")],
        [person("V", 0, max_minutes_per_week=30)],
        [free("V", "08:00-12:00")],
    )
    plan = gm.match(given_)
    unmet = plan.unmet.assign(reason="hours", reason_zh=gm.plan.reasons.REASONS["hours"][1])
    faults = gm.verify(given_, dataclasses.replace(plan, unmet=unmet)).faults
    said = "nobody whom this limit stops holds what it needs and is there in time"
    assert f"reason 'hours'; {said}" in faults["message"].tolist()


def test_pins_are_checked():
    day = [asked("A", 10, "08:00-08:30"), asked("B", 10, "08:00-08:30")]
    people, slots = [person("V", 10), person("W", 10)], [free(name, "08:00-08:30") for name in "VW"]
    pins = [{"request_id": "A", "provider_id": "V", "action": "assign"}]
    given_ = problem(day, people, slots, pins=pins)
    plan = gm.match(given_)
    assert plan.unmet.empty
    swapped = plan.assignments.replace({"provider_id": {"V": "W", "W": "V"}})
    faults = gm.verify(given_, dataclasses.replace(plan, assignments=swapped)).faults
    assert faults.loc[faults["code"] == "pin_broken", "message"].tolist() == [
        "the pins assign others to this request"
    ]
    pins.append({"request_id": "B", "provider_id": "V", "action": "assign"})
    given_ = problem(day, people, slots, pins=pins)
    plan = gm.match(given_)
    reasons = gm.plan.reasons.REASONS
    for reason, said in (
        ("excluded", "somebody is assigned to it"),
        ("pinned", "recomputed"),
        ("cost", "recomputed"),
    ):
        unmet = plan.unmet.assign(reason=reason, reason_zh=reasons[reason][1])
        faults = gm.verify(given_, dataclasses.replace(plan, unmet=unmet)).faults
        assert any(f"reason {reason!r}" in text and said in text for text in faults["message"])
    alone = problem(day, people[:1], slots[:1])
    plan = gm.match(alone)
    unmet = plan.unmet.assign(reason="pinned", reason_zh=reasons["pinned"][1])
    faults = gm.verify(alone, dataclasses.replace(plan, unmet=unmet)).faults
    assert "reason 'pinned'; nobody is assigned to it" in faults["message"].tolist()


def test_floors_are_checked():
    rules = "[floors]\ncommunity_share = 1.0\nprice_minutes = 100\n"
    given_ = problem(
        [asked("A", 10, "08:00-12:00"), asked("B", 10, "08:00-12:00", skill="juggling")],
        [person("V", 0)],
        [free("V", "08:00-12:00")],
        "",
        rules,
    )
    plan = gm.match(given_)
    floors = plan.floors.assign(sent=2, short=0, cost_minutes=0.0)
    faults = gm.verify(given_, dataclasses.replace(plan, floors=floors)).faults
    assert "plan.floors: sent of community 'C' is 2; recounted 1" in faults["message"].tolist()
    # leaving B costs the floor, too: no way costs more than that
    unmet = plan.unmet.assign(reason="cost", reason_zh=gm.plan.reasons.REASONS["cost"][1])
    faults = gm.verify(given_, dataclasses.replace(plan, unmet=unmet)).faults
    assert "reason_wrong" in set(faults["code"])
