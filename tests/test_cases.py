"""The cases that the account names, each from tables to a verified plan, as small examples."""

from dataclasses import replace

import pandas as pd
import pytest

import govmatch as gm
from govmatch.model.policy import Continuity
from tests.test_team_match import role, sent, town
from tests.towns import frame, request, volunteer

MORNING = "08:00-12:00"


def test_micro_love_for_children_takes_its_designer_and_students_who_know_each_other():
    """微爱童行: a social worker designs the course and leads; two students of one class teach it."""
    people = {
        "V-designer": ("course_design", MORNING),
        "V-student-1": ("teaching", MORNING),
        "V-student-2": ("teaching", MORNING),
        "V-student-3": ("teaching", MORNING),
        "V-student-4": ("teaching", "09:00-12:00"),
    }
    roles = [
        role("designer 课程设计", "course_design", leader=True, minutes=90),
        role("teacher 授课", "teaching", count=2, minutes=60, after="designer 课程设计", after_least=30),
    ]
    bonds = frame(
        "provider_id other_id kind",
        ("V-student-3", "V-student-4", "together"),
        ("V-student-1", "V-student-2", "apart"),
    )
    asked = [request("R1", "C1", window="sat 08:00-12:00", category="微爱童行")]
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles, bonds=bonds)))
    # the two friends come, half an hour later than the others could: a minute each is cheaper than parting
    assert sorted(sent(plan)) == [
        ("designer 课程设计", "V-designer", "08:30"),
        ("teacher 授课", "V-student-3", "09:00"),
        ("teacher 授课", "V-student-4", "09:00"),
    ]
    assert plan.assignments["bond_cost"].sum() == 0
    assert plan.certificate.termination == "optimal"
    del people["V-designer"]
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles, bonds=bonds.iloc[:1])))
    assert plan.unmet[["role", "reason", "people"]].to_numpy().tolist() == [
        ["designer 课程设计", "no_such_service", 3]
    ]


def test_nine_residents_supervise_a_renovation_for_three_months():
    """Every Saturday for twelve weeks: a leader and eight more, six suffice; no limit on faces."""
    weeks = pd.date_range("2026-11-21", periods=12, freq="7D", tz="Asia/Shanghai")
    residents = [f"V{i:02}" for i in range(11)]
    away = {("V00", 3), *((f"V{i:02}", 5) for i in range(6, 11)), ("V01", 7)}
    tables = {
        "communities": frame("community_id lat lon", ("C1", 30.5, 120.6)),
        "volunteers": pd.DataFrame([volunteer(name, "C1", lat=30.5, lon=120.6) for name in residents]),
        "skills": frame(
            "provider_id skill level",
            *((name, "renovation_watch", 3 if name in ("V00", "V01") else 1) for name in residents),
        ),
        "availability": pd.DataFrame(
            [
                {
                    "provider_id": name,
                    "start": day + pd.Timedelta(hours=8),
                    "end": day + pd.Timedelta(hours=10),
                }
                for name in residents
                for week, day in enumerate(weeks)
                if (name, week) not in away
            ]
        ),
        "requests": pd.DataFrame(
            [request("R1", "C1", window="sat 08:00-10:00", min_serve=6, category="居民监理")]
        ),
        "roles": frame(
            "request_id role skill level count leader",
            ("R1", "leader 组长", "renovation_watch", 3, 1, True),
            ("R1", "resident 居民", "renovation_watch", 1, 8, False),
        ),
        "visits": frame("request_id weeks", ("R1", 12)),
        # the sharpest critic and the builder's cousin do not sit in one team
        "bonds": frame("provider_id other_id kind", ("V02", "V03", "apart")),
    }
    policy = replace(gm.Policy(), continuity=Continuity(0.0, 0.0))
    horizon = ("2026-11-21", "2027-02-13")
    plan = gm.match(gm.Problem.from_tables(tables, policy=policy, horizon=horizon))
    assert plan.problem.features == {"bonds", "recurrence", "teams"}
    sizes = plan.assignments.groupby("request_id").size()
    assert len(sizes) == 11  # in the sixth week six are there, two of whom keep apart: too few
    assert sizes.tolist() == [9] * 11
    assert plan.unmet[["request_id", "people", "reason"]].to_numpy().tolist() == [
        ["R1@2026-12-26", 9, "apart"]
    ]
    leaders = plan.assignments[plan.assignments["role"] == "leader 组长"].set_index("request_id")[
        "provider_id"
    ]
    assert set(leaders) <= {"V00", "V01"}
    assert leaders["R1@2026-12-12"] == "V01"  # V00 is away in the fourth week
    for _, team in plan.assignments.groupby("request_id"):
        assert not {"V02", "V03"} <= set(team["provider_id"])
    assert plan.certificate.verified
    assert gm.explain(plan, "R1").visits["provider_id"].ne("").sum() == 11
    # what the team finds is told afterwards, beside who came
    first = plan.assignments[plan.assignments["request_id"] == "R1@2026-11-21"].head(1)
    history = pd.DataFrame(
        {
            "request_id": "R1",
            "provider_id": first["provider_id"],
            "start": first["start"],
            "outcome": "渗水返工 a leak, mended before the wall was closed",
            "saved": 3_200.0,
        }
    )
    later = gm.Problem.from_tables({**tables, "history": history}, policy=policy, horizon=horizon)
    assert later.tables["history"]["saved"].tolist() == [3_200.0]
    assert later.tables["history"]["outcome"].str.startswith("渗水返工").all()
    with pytest.raises(gm.InvalidTables, match=r"history\[0\]\.saved: expected a number of at least 0"):
        gm.Problem.from_tables(
            {**tables, "history": history.assign(saved=-1.0)}, policy=policy, horizon=horizon
        )


def test_mediators_are_neutral_to_both_parties_of_a_dispute():
    """Two mediate: neither is kin of a party, and the two get on with each other."""
    people = {f"V{i}": ("mediation", MORNING) for i in range(1, 7)}
    roles = [role("chair 主调", "mediation", leader=True), role("second 副调", "mediation")]
    asked = [request("R1", "C1", window="sat 08:00-12:00", category="调解")]
    more = {
        "residents": frame("resident_id", ("P-left",), ("P-right",), ("P-other",)),
        "parties": frame("request_id resident_id", ("R1", "P-left"), ("R1", "P-right")),
        # V1 is a party's sister, V2 is the other party, V3 is kin of nobody here
        "kin": frame("volunteer_id resident_id", ("V1", "P-left"), ("V2", "P-right"), ("V3", "P-other")),
        "bonds": frame("provider_id other_id kind", ("V3", "V4", "apart"), ("V5", "V6", "together")),
    }
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles, **more)))
    assert {who for _, who, _ in sent(plan)} == {"V5", "V6"}
    assert gm.explain(plan, "R1").funnel.query("stage == 'not excluded'")["providers"].tolist() == [4, 4]
    for gone in ("V5", "V6"):
        del people[gone]
    more["bonds"] = more["bonds"].head(1)
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles, **more)))
    assert plan.unmet[["reason", "reason_zh"]].to_numpy().tolist() == [
        ["apart", "合格者之间须回避同组,能同时到场者不足"]
    ]
    more["bonds"] = more["bonds"].head(0)
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles, **more)))
    assert {who for _, who, _ in sent(plan)} == {"V3", "V4"}


def test_a_rescue_squad_of_adults_has_at_least_one_certified_member():
    """Everybody holds the skill `adult`; one role of one person asks for a certificate that is valid."""
    roles = [
        role("certified 持证", "rescue", certified=True, leader=True),
        role("certified 持证", "adult", leader=True),
        role("member 队员", "rescue", count=3),
        role("member 队员", "adult", count=3),
    ]
    asked = [request("R1", "C1", window="sat 08:00-10:00", min_serve=3, priority=5, category="走失寻人")]
    people = {
        "V1": ("rescue! adult", "08:00-10:00"),
        "V2": ("rescue adult", "08:00-10:00"),
        "V3": ("rescue adult", "08:00-10:00"),
        "V4": ("rescue!", "08:00-10:00"),  # certified, and too young
    }
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles)))
    assert ("certified 持证", "V1", "08:00") in sent(plan)
    assert {who for _, who, _ in sent(plan)} == {"V1", "V2", "V3"}
    assert plan.unmet["people"].tolist() == [1]  # three suffice
    people["V1"] = ("rescue adult", "08:00-10:00")
    plan = gm.match(gm.Problem.from_tables(town(people, asked, roles)))
    assert plan.unmet[["role", "reason", "people"]].to_numpy().tolist() == [
        ["certified 持证", "certificate", 4]
    ]
