"""Group sessions: seats, the fewest, opening costs, siblings; tables in, a verified plan out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

import govmatch as gm
from govmatch.datasets.sessions import sessions as with_sessions
from govmatch.model.policy import Floors, Reserve, Stability
from govmatch.solve import opened_core
from govmatch.solve.mip.apart import milp_apart
from tests.naive_sessions import SessionWorld, best_session_cost
from tests.session_towns import crowded_session_town, random_session_town
from tests.towns import at, frame, free, random_policy, request, volunteer


def session(session_id="S1", hours="09:00-10:00", **more):
    a, b = hours.split("-")
    return {
        "session_id": session_id,
        "community_id": "C1",
        "skill": "tutoring",
        "start": at(f"sat {a}"),
        "end": at(f"sat {b}"),
        "seats": 3,
        **more,
    }


def town(rows, asked=3, volunteers=(), households=None, minutes=60, **more):
    """Children R1, R2, … who ask for tutoring, volunteers who hold it and are free from 8 to 12."""
    requests = asked
    if isinstance(asked, int):
        requests = [
            request(f"R{i}", "C1", "tutoring", resident_id=f"P{i}", minutes=minutes)
            for i in range(1, asked + 1)
        ]
    ids = [r["resident_id"] for r in requests if r.get("resident_id")]
    homes = households or {}
    return {
        "communities": frame("community_id lat lon", ("C1", 30.5, 120.6), ("C2", 30.51, 120.6)),
        "volunteers": pd.DataFrame([volunteer(name, "C1") for name in [*volunteers, "V-idle"]]),
        "skills": frame(
            "provider_id skill level", *((name, "tutoring", 1) for name in volunteers), ("V-idle", "none", 1)
        ),
        "availability": free(*((name, "sat 08:00", "sat 12:00") for name in [*volunteers, "V-idle"])),
        "residents": pd.DataFrame({"resident_id": ids, "household_id": [homes.get(i) for i in ids]}),
        "sessions": pd.DataFrame(rows),
        "requests": pd.DataFrame(requests),
        **more,
    }


def matched(*args, policy=None, **more):
    return gm.match(gm.Problem.from_tables(town(*args, **more), policy=policy))


def seated(plan):
    rows = plan.assignments[plan.assignments["provider_kind"] == "session"]
    return sorted(zip(rows["request_id"], rows["provider_id"], strict=True))


# against the oracle


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), largest=st.integers(3, 10))
def test_random_towns_with_sessions(seed, largest):
    try:
        problem = gm.Problem.from_tables(random_session_town(seed, largest), policy=random_policy(seed))
    except gm.InvalidTables:  # a window that is too short for what was drawn
        reject()
    plan = gm.match(problem)
    cost, bound = (round(x * 100) for x in (plan.certificate.primal, plan.certificate.bound))
    best = best_session_cost(problem)
    assert bound <= best <= cost
    assert cost == best  # so small a town is solved whole
    assert plan.certificate.verified


@pytest.mark.parametrize("seed", range(12))
def test_crowded_towns_with_sessions(seed):
    problem = gm.Problem.from_tables(crowded_session_town(seed, 8 + seed, 1 + seed % 6))
    plan = gm.match(problem)
    best = best_session_cost(problem)
    assert round(plan.certificate.primal * 100) == round(plan.certificate.bound * 100) == best


@pytest.mark.parametrize("seed", range(8))
def test_a_core_that_grows_brackets_the_optimum(seed, monkeypatch):
    monkeypatch.setattr(opened_core, "SMALL", -1)
    monkeypatch.setattr(opened_core, "MOST_ARCS", 10 * (seed % 3))
    problem = gm.Problem.from_tables(crowded_session_town(seed, 12 + seed, 1 + seed % 6))
    plan = gm.match(problem)
    cost, bound = (round(x * 100) for x in (plan.certificate.primal, plan.certificate.bound))
    assert bound <= best_session_cost(problem) <= cost


@pytest.mark.parametrize("seed", range(0, 36, 3))
def test_teams_beside_sessions_in_a_core_that_grows(seed, monkeypatch):
    monkeypatch.setattr(opened_core, "SMALL", -1)
    monkeypatch.setattr(opened_core, "MOST_ARCS", 10 * (seed % 2))
    problem = gm.Problem.from_tables(random_session_town(seed, 9), policy=random_policy(seed))
    plan = gm.match(problem)
    cost, bound = (round(x * 100) for x in (plan.certificate.primal, plan.certificate.bound))
    assert bound <= best_session_cost(problem) <= cost


def test_the_order_of_rows_does_not_matter():
    tables = crowded_session_town(4, 16, 5)
    plan = gm.match(gm.Problem.from_tables(tables))
    other = {name: rows.iloc[::-1].reset_index(drop=True) for name, rows in tables.items()}
    turned = gm.match(gm.Problem.from_tables(other))
    assert turned.certificate.primal == plan.certificate.primal == turned.certificate.bound


@pytest.mark.parametrize("seed", [0, 3, 5, 36])
def test_the_oracle_reads_households_as_the_tables_say_them(seed):
    problem = gm.Problem.from_tables(crowded_session_town(seed))
    number = pd.Series(problem.siblings, problem.demand.request_id)
    ours = {tuple(sorted(ids)) for _, ids in number[number >= 0].groupby(number).groups.items()}
    theirs = {tuple(sorted(r["request_id"] for r in m)) for m in SessionWorld(problem).households}
    assert ours == {one for one in theirs if len(one) > 1}


@pytest.mark.parametrize("cut", [0.001, 0.2, 1.0])
def test_at_any_limit_there_is_a_verified_plan(cut):
    tables = gm.datasets.xishan(seed=0)
    plan = gm.match(gm.Problem.from_tables(tables | with_sessions(tables, 0, 0.4)), time_limit=cut)
    assert plan.certificate.verified
    assert plan.certificate.bound <= plan.certificate.primal


def test_a_day_in_xishan_with_sessions():
    tables = gm.datasets.xishan(seed=0, requests=200)
    plan = gm.match(gm.Problem.from_tables(tables | with_sessions(tables, 0, 0.5)), time_limit=30)
    assert plan.sessions["held"].any()
    assert plan.certificate.gap <= 0.01


# what a session is


def test_a_class_is_held_where_enough_come():
    plan = matched([session(min_seats=3, open_minutes=100)])
    assert seated(plan) == [("R1", "S1"), ("R2", "S1"), ("R3", "S1")]
    (row,) = plan.sessions.to_dict("records")
    assert (row["taken"], row["seats"], row["held"], row["open_cost"]) == (3, 3, True, 100.0)
    assert plan.certificate.primal == 100 + 3 * 2  # an hour's wait each
    assert plan.certificate.termination == "optimal"
    plan = matched([session(min_seats=3)], asked=2)
    assert seated(plan) == []
    assert plan.unmet["reason"].tolist() == ["session", "session"]
    assert plan.unmet["reason_zh"].str.startswith("可参加的活动未开").all()
    assert plan.sessions[["taken", "held", "open_cost"]].to_numpy().tolist() == [[0, False, 0.0]]


def test_a_session_that_costs_more_than_it_saves_is_not_held():
    assert len(seated(matched([session(open_minutes=1400)]))) == 3  # three times 480 minutes
    plan = matched([session(open_minutes=1435)])
    assert seated(plan) == []
    assert plan.unmet["reason"].unique().tolist() == ["session"]
    plan = matched([session(open_minutes=1000)], volunteers=["V1", "V2"])
    assert seated(plan) == []
    assert len(plan.assignments) == 2


def test_seats_and_visits_serve_together():
    plan = matched([session(seats=2)], volunteers=["V1"])
    assert len(seated(plan)) == 2
    assert plan.assignments["provider_kind"].value_counts().to_dict() == {"session": 2, "volunteer": 1}
    plan = matched([session(seats=2)])
    assert plan.unmet["reason"].tolist() == ["capacity"]


def test_who_holds_a_session_is_not_bookable_meanwhile():
    plan = matched([session(provider_id="V1", seats=1)], volunteers=["V1"])
    assert seated(plan)
    assert plan.assignments["provider_id"].tolist() == ["S1"]
    assert plan.problem.supply.slot_provider.tolist() == [1, 2]  # the idle one's and the session's
    plan = matched([session(hours="13:00-14:00", provider_id="V1", seats=1)], volunteers=["V1"])
    assert plan.assignments["provider_id"].tolist() == ["V1"]


def test_a_class_begins_with_its_guests_and_a_canteen_when_they_come():
    late = [request("R1", "C1", "tutoring", "sat 09:30-12:00", minutes=60)]
    assert matched([session(hours="09:00-10:00")], late).unmet["reason"].tolist() == ["window"]
    plan = matched([session(hours="09:00-11:00")], late)
    assert plan.assignments["start"].dt.strftime("%H:%M").tolist() == ["09:30"]


def test_seats_are_for_those_who_meet_what_it_offers():
    one = [request("R1", "C1", "tutoring", level=2, clearance=1)]
    assert matched([session()], one).unmet["reason"].tolist() == ["level"]
    assert matched([session(level=2)], one).unmet["reason"].tolist() == ["clearance"]
    assert seated(matched([session(level=3, clearance=1)], one))
    certified = [request("R1", "C1", "tutoring", certified=True)]
    assert matched([session()], certified).unmet["reason"].tolist() == ["certificate"]
    assert seated(matched([session(certified=True)], certified))


def test_several_people_take_a_seat_each():
    asked = [request("R1", "C1", "tutoring", "sat 09:00-10:00", people=2)]
    assert seated(matched([session()], asked)) == [("R1", "S1")] * 2
    assert matched([session(seats=1)], asked).unmet["people"].tolist() == [1]


def test_teams_and_requests_without_a_skill_take_no_seat():
    asked = [request("R1", "C1"), request("R2", "C1", window="sat 09:00-12:00")]
    roles = pd.DataFrame({"request_id": "R2", "role": ["a", "b"], "skill": "tutoring"}, dtype=object)
    plan = matched([session()], asked, roles=roles)
    assert seated(plan) == []
    assert plan.unmet.set_index("request_id")["reason"].to_dict() == {"R2": "no_such_service"}


def test_pins_speak_of_people():
    pins = frame("request_id provider_id action", ("R1", "V1", "forbid"), ("R2", "V2", "assign"))
    plan = matched([session(provider_id="V1")], volunteers=["V1", "V2"], pins=pins)
    assert seated(plan) == [("R3", "S1")]  # not in a room with V1; and nobody but V2
    assert dict(zip(plan.assignments["request_id"], plan.assignments["provider_id"], strict=True)) == {
        "R2": "V2",
        "R3": "S1",
    }
    tables = town([session()], pins=frame("request_id provider_id action", ("R1", "S1", "assign")))
    with pytest.raises(gm.InvalidTables, match="'S1' is not in volunteers or organizations"):
        gm.Problem.from_tables(tables)


def test_an_organisations_pin_reaches_the_sessions_of_its_volunteers():
    tables = town(
        [session(provider_id="V1", seats=9)],
        volunteers=["V1"],
        organizations=frame("organization_id community_id capacity_per_slot", ("O1", "C1", None)),
        pins=frame("request_id provider_id action", ("R1", "O1", "forbid")),
    )
    tables["volunteers"]["organization_id"] = ["O1", None]
    plan = gm.match(gm.Problem.from_tables(tables))
    assert seated(plan) == [("R2", "S1"), ("R3", "S1")]
    assert plan.assignments["route"].unique().tolist() == ["C1 > O1"]  # through who holds it
    assert plan.unmet["reason"].tolist() == ["excluded"]


# siblings


def test_siblings_sit_together_or_not_at_all():
    two = [session("S1", seats=1), session("S2", seats=1)]
    together = {"P1": "H1", "P2": "H1"}
    plan = matched(two, asked=2)
    assert len(seated(plan)) == 2
    plan = matched(two, asked=2, households=together)
    assert seated(plan) == []
    assert plan.unmet["reason"].tolist() == ["session", "session"]
    plan = matched([*two, session("S3", seats=2, open_minutes=300)], asked=2, households=together)
    assert seated(plan) == [("R1", "S3"), ("R2", "S3")]


def test_a_sibling_who_could_sit_nowhere_keeps_nobody_out():
    asked = [
        request("R1", "C1", "tutoring", resident_id="P1"),
        request("R2", "C1", "tutoring", resident_id="P2", level=3),
        request("R3", "C1", "tutoring", "sat 10:00-12:00", resident_id="P3"),
    ]
    plan = matched([session(seats=1)], asked, households={"P1": "H1", "P2": "H1", "P3": "H1"})
    assert seated(plan) == [("R1", "S1")]


def test_windows_apart_are_no_household():
    asked = [
        request("R1", "C1", "tutoring", "sat 08:00-10:00", resident_id="P1"),
        request("R2", "C1", "tutoring", "sat 10:00-12:00", resident_id="P2"),
    ]
    rows = [session("S1"), session("S2", "11:00-12:00")]
    plan = matched(rows, asked, households={"P1": "H1", "P2": "H1"})
    assert (plan.problem.siblings == -1).all()
    assert seated(plan) == [("R1", "S1"), ("R2", "S2")]


# every noon


def test_a_canteen_every_noon():
    asked = [request("R1", "C1", "tutoring", "sat 11:00-13:00", minutes=30)]
    rows = [session(f"S{d}", start=at(f"{d} 11:00"), end=at(f"{d} 13:00")) for d in ("sat", "sun", "mon")]
    visits = pd.DataFrame({"request_id": ["R1"], "weekdays": ["mon,sat,sun"], "weeks": [2]})
    tables = town(rows, asked, visits=visits)
    policy = gm.Policy()
    policy = replace(policy, continuity=replace(policy.continuity, face_minutes=0.0, known_minutes=0.0))
    plan = gm.match(gm.Problem.from_tables(tables, policy, horizon=("2026-11-21", "2026-11-25")))
    assert sorted(plan.assignments["provider_id"]) == ["Smon", "Ssat", "Ssun"]


# beside others


def test_who_was_told_of_a_session_stays_there_unless_another_saves_more():
    near = session("S1", lat=30.5, lon=120.6)
    far = session("S2", lat=30.55, lon=120.6)
    first = matched([far], households={})
    assert seated(first) == [("R1", "S2"), ("R2", "S2"), ("R3", "S2")]
    for minutes, chosen in ((0.0, "S1"), (1000.0, "S2")):
        policy = replace(gm.Policy(), stability=Stability(minutes))
        problem = gm.Problem.from_tables(town([near, far]), policy=policy)
        plan = gm.match(problem, incumbent=first)
        assert {s for _, s in seated(plan)} == {chosen}
        assert plan.changes["kind"].eq("kept").sum() == (3 if chosen == "S2" else 0)
    gone = gm.match(gm.Problem.from_tables(town([near]), policy=policy), incumbent=first)
    assert {s for _, s in seated(gone)} == {"S1"}  # S2 is not held any more


def test_a_seat_that_is_kept_only_as_it_was_announced_is_told_as_a_session_that_is_not_held():
    asked = [request("R1", "C1", "tutoring", resident_id="P1", minutes=60, priority=1)]
    dear = session("S1", lat=31.4, lon=120.6, open_minutes=100_000.0)  # 100 km away
    policy = replace(
        gm.Policy(),
        stability=Stability(500.0),
        travel=replace(gm.Policy().travel, max_minutes=1_000.0),
    )
    announced = pd.DataFrame(
        {
            "request_id": ["R1"],
            "role": "helper",
            "provider_id": "S1",
            "start": pd.Timestamp("2026-11-21 09:00", tz="Asia/Shanghai"),
        }
    )
    problem = gm.Problem.from_tables(town([dear], asked=asked), policy=policy)
    plan = gm.match(problem, incumbent=announced)
    assert plan.unmet["reason"].tolist() == ["session"]
    assert plan.changes["kind"].tolist() == ["dropped"]
    assert gm.match(problem).unmet["reason"].tolist() == ["cost"]


def test_a_seat_elsewhere_counts_for_the_quota_of_an_agreement():
    quota = frame("agreement_id from_id to_id kind quota_per_week", ("A1", "C1", "C2", "federation", 2))
    elsewhere = session("S1", community_id="C2")
    plan = matched([elsewhere], agreements=quota)
    assert len(seated(plan)) == 2
    assert plan.unmet["reason"].tolist() == ["quota"]
    siblings = dict.fromkeys(("P1", "P2", "P3"), "H1")
    together = matched([elsewhere], agreements=quota, households=siblings)
    assert seated(together) == []  # all three or none
    held = matched([{**elsewhere, "min_seats": 3}], agreements=quota)
    assert seated(held) == []


def test_who_needs_goods_takes_no_seat():
    goods = {
        "goods": frame("owner_id good amount", ("C1", "book", 5.0)),
        "request_goods": frame("request_id good amount", ("R1", "book", 1.0)),
    }
    plan = matched([session()], volunteers=["V1"], **goods)
    assert seated(plan) == [("R2", "S1"), ("R3", "S1")]
    assert plan.assignments.set_index("request_id").loc["R1", "provider_id"] == "V1"
    assert plan.goods["request_id"].tolist() == ["R1"]
    alone = matched([session()], **goods)
    assert alone.unmet["request_id"].tolist() == ["R1"]
    assert str(gm.explain(alone, "R1"))


def test_seats_are_no_certified_people_of_the_reserve():
    policy = replace(gm.Policy(), reserve=Reserve(share=1.0))
    plan = matched([session(certified=True)], policy=policy)
    assert len(seated(plan)) == 3


def test_nobody_sits_with_the_kin_of_their_party():
    held = session("S1", "13:00-14:00", provider_id="V1")
    asked = [request("R1", "C1", "tutoring", resident_id="P1", minutes=60, window="sat 08:00-15:00")]
    neutral = town([held], asked=asked, volunteers=["V1"])
    neutral["availability"] = free(("V1", "sat 16:00", "sat 18:00"))
    assert seated(gm.match(gm.Problem.from_tables(neutral))) == [("R1", "S1")]
    party = {
        "parties": frame("request_id resident_id", ("R1", "P1")),
        "kin": frame("volunteer_id resident_id", ("V1", "P1")),
    }
    free_plan = gm.match(gm.Problem.from_tables(neutral))
    problem = gm.Problem.from_tables({**neutral, **party})
    plan = gm.match(problem)
    assert plan.assignments.empty
    codes = set(gm.verify(problem, free_plan).faults["code"])
    assert "not_neutral" in codes


def test_a_floor_opens_a_session_that_would_not_pay():
    asked = [
        request(f"R{i}", "C1", "tutoring", resident_id=f"P{i}", minutes=60, group="child", priority=1)
        for i in range(1, 4)
    ]
    dear = session(open_minutes=100_000.0)
    assert seated(matched([dear], asked=asked)) == []
    policy = replace(gm.Policy(), floors=Floors({"child": 0.9}, price_minutes=60_000.0))
    plan = matched([dear], asked=asked, policy=policy)
    assert len(seated(plan)) == 3
    assert plan.floors["short"].tolist() == [0]
    assert plan.cost_of_floors() > 0


def test_what_sessions_are_not_done_beside_is_refused_by_name():
    problem = gm.Problem.from_tables(town([session()]))
    with pytest.raises(gm.UnsupportedFeature, match="not supported yet: sessions"):
        gm.match(problem, method="flow")
    policy = replace(gm.Policy(), rounds=replace(gm.Policy().rounds, on=True))
    with pytest.raises(gm.UnsupportedFeature, match="sessions"):
        gm.match(gm.Problem.from_tables(town([session()]), policy=policy))


# bad input


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            [session(min_seats=4)],
            "sessions\\[0\\].min_seats: at least 4 people are to come, more than it has",
        ),
        ([session(hours="10:00-09:00")], "sessions\\[0\\].end: end is not after start"),
        ([session("V1")], "sessions\\[0\\].session_id: 'V1' is also a volunteer or an organisation"),
        ([session(), session()], "sessions\\[1\\].session_id: 'S1' stands in an earlier row too"),
        (
            [session(provider_id="V1"), session("S2", "09:30-11:00", provider_id="V1")],
            "sessions\\[1\\].start: overlaps another session that 'V1' holds",
        ),
        ([session(provider_id="V9")], "sessions\\[0\\].provider_id: 'V9' is not in volunteers or organi"),
        ([session(community_id="C9")], "sessions\\[0\\].community_id: 'C9' is not in communities"),
        ([session(seats=0)], "sessions\\[0\\].seats: expected"),
        ([session(open_minutes=-1)], "sessions\\[0\\].open_minutes: expected"),
        ([session(lat=30.5)], "sessions\\[0\\].lon: lon is missing where lat is 30.5"),
    ],
)
def test_bad_sessions_are_told(rows, text):
    with pytest.raises(gm.InvalidTables, match=text):
        gm.Problem.from_tables(town(rows, volunteers=["V1"]))


def test_sessions_that_follow_each_other_do_not_overlap():
    rows = [session(provider_id="V1"), session("S2", "10:00-11:00", provider_id="V1")]
    assert len(seated(matched(rows, asked=6, volunteers=["V1"]))) == 6


def test_a_session_outside_the_horizon_is_never_held():
    plan = matched([session(start=at("mon 09:00"), end=at("mon 10:00"))])
    assert not plan.sessions["held"].any()
    assert plan.unmet["reason"].unique().tolist() == ["window"]


# explained


def test_seats_and_their_lack_are_explained():
    plan = matched([session(seats=2)], asked=2)
    told = gm.explain(plan, "R1")
    assert told.status == "served"
    assert told.candidates.loc[0, ["provider_id", "busy_with"]].tolist() == ["S1", "R2"]  # it is full
    assert "R1: served by S1" in str(told)
    plan = matched([session(min_seats=3)], asked=2)
    told = gm.explain(plan, "R2")
    assert (told.status, told.reason) == ("unmet", "session")
    assert "too few would come" in str(told)
    assert told.funnel["providers"].iloc[[0, -1]].tolist() == [2, 1]
    assert plan.alternates.empty


# tampering


def faults(plan, **changes):
    found = gm.verify(plan.problem, replace(plan, **changes)).faults
    return list(zip(found["code"], found["provider_id"], found["message"], strict=True))


def codes(plan, **changes):
    return {code for code, _, _ in faults(plan, **changes)}


def taken_over(tables, plan):
    """What the verifier says of a plan under other tables."""
    found = gm.verify(gm.Problem.from_tables(tables), plan).faults
    return dict(zip(found["code"], found["message"], strict=True))


def test_too_many_too_few_and_what_it_costs_are_found():
    plan = matched([session(open_minutes=50)])
    told = taken_over(town([session(open_minutes=50, seats=2)]), plan)
    assert told["slot_capacity"] == "3 jobs in one slot that holds 2"
    told = taken_over(town([session(open_minutes=50, seats=9, min_seats=5)]), plan)
    assert told["session_below_minimum"] == "is held with 3; it needs 5"
    told = taken_over(town([session(open_minutes=51)]), plan)
    assert told["primal_wrong"] == "primal is 56.0; the plan costs 57.00 minutes"
    assert told["sessions_wrong"].endswith("open_cost 50; 3 are seated at a cost of 51.00")


def test_a_holder_who_is_sent_away_is_found():
    plan = matched([session(seats=2)], volunteers=["V1"])
    rows = plan.assignments.copy()
    away = rows["provider_id"] == "V1"
    rows.loc[away, "start"] += pd.Timedelta("1h")
    rows.loc[away, "end"] += pd.Timedelta("1h")
    found = gm.verify(
        gm.Problem.from_tables(town([session(seats=2, provider_id="V1")], volunteers=["V1"])),
        replace(plan, assignments=rows),
    ).faults
    assert {"holder_away", "unknown_slot"} <= set(found["code"])
    text = found.set_index("code").loc["holder_away", "message"]
    assert text == "holds session 'S1' from 2026-11-21T01:00Z to 2026-11-21T02:00Z"


def test_siblings_who_sit_apart_are_found():
    rows = [session("S1", seats=1), session("S2", seats=1), session("S3", seats=2)]
    plan = matched(rows[:2], asked=2)
    told = taken_over(town(rows[:2], asked=2, households={"P1": "H1", "P2": "H1"}), plan)
    assert told["siblings_apart"].startswith(
        "the household of these requests sits in S1 and S2; expected one"
    )
    plan = matched(rows[:1], asked=2)
    told = taken_over(town(rows[:1], asked=2, households={"P1": "H1", "P2": "H1"}), plan)
    assert (
        told["siblings_apart"] == "others of the household sit in S1; all that could sit sit there, or none"
    )


def test_a_seat_for_whom_there_is_none_is_found():
    asked = [request("R1", "C1", "tutoring"), request("R2", "C1", "tutoring")]
    plan = matched([session()], asked)
    told = taken_over(town([session()], [request("R1", "C1"), asked[1]]), plan)
    assert told["seat_wrong"].startswith("a seat; only a request for one skill, of no team")
    told = taken_over(town([session(skill="art")], asked), plan)
    assert told["wrong_skill"] == "the provider does not hold 'tutoring'"
    told = taken_over(town([session(hours="09:30-10:30")], asked), plan)
    assert {"unknown_slot"} <= told.keys()
    pins = frame("request_id provider_id action", ("R1", "V1", "forbid"))
    told = taken_over(
        town([session(provider_id="V1")], asked, volunteers=["V1"], pins=pins),
        plan,
    )
    assert told["forbidden_pair"] == "the pins forbid this provider for this request"


def test_reasons_kinds_and_the_frame_are_checked():
    plan = matched([session(min_seats=3)], asked=2)
    text = gm.plan.reasons.REASONS
    unmet = plan.unmet.assign(reason="capacity", reason_zh=text["capacity"][1])
    assert any("which is 'session'" in message for _, _, message in faults(plan, unmet=unmet))
    full = matched([session(seats=1)], asked=2)
    unmet = full.unmet.assign(reason="session", reason_zh=text["session"][1])
    assert any("left unheld" in message for _, _, message in faults(full, unmet=unmet))
    rows = full.assignments.assign(provider_kind="organization")
    assert "wrong_kind" in codes(full, assignments=rows)
    wrong = replace(full)
    wrong.__dict__["sessions"] = full.sessions.assign(taken=2)
    found = gm.verify(full.problem, wrong).faults
    assert found["message"].tolist() == [
        "plan.sessions says taken 2, held True, open_cost 0; 1 are seated at a cost of 0.00"
    ]
    wrong.__dict__["sessions"] = full.sessions.iloc[:0]
    assert gm.verify(full.problem, wrong).faults["code"].tolist() == ["sessions_wrong"]
    wrong.__dict__["sessions"] = None
    assert gm.verify(full.problem, wrong).ok


def test_ids_that_are_no_text_are_a_fault_and_no_error():
    plan = matched([session()])
    rows = plan.assignments.copy()
    rows["provider_id"] = pd.Series([["S1"], "S1", "S1"], dtype=object)
    assert {"unknown_provider", "malformed"} <= codes(plan, assignments=rows)


def test_no_reason_speaks_of_sessions_where_there_are_none():
    tables = town([session()])
    del tables["sessions"]
    plan = gm.match(gm.Problem.from_tables(tables))
    unmet = plan.unmet.assign(reason="session", reason_zh=gm.plan.reasons.REASONS["session"][1])
    assert "reason_wrong" in codes(plan, unmet=unmet)
    assert plan.sessions.empty


# pieces


def test_parts_that_do_not_touch_are_solved_apart():
    rng = np.random.default_rng(0)
    blocks = [rng.integers(0, 3, (3, 4)) for _ in range(5)]
    matrix = np.zeros((15, 20))
    for i, block in enumerate(blocks):
        matrix[3 * i : 3 * i + 3, 4 * i : 4 * i + 4] = block
    cost, high = -rng.integers(1, 9, 20).astype(float), rng.integers(1, 5, 15).astype(float)
    low, most = np.full(15, -np.inf), np.ones(20)
    found = milp_apart(cost, most, csr_matrix(matrix), low, high, 5.0, 0.0)
    best = sum(
        min(
            (cost[4 * i : 4 * i + 4] @ x, 0)[0]
            for x in np.array(np.meshgrid(*[[0, 1]] * 4)).reshape(4, -1).T
            if (block @ x <= high[3 * i : 3 * i + 3]).all()
        )
        for i, block in enumerate(blocks)
    )
    assert found.mip_dual_bound == pytest.approx(best)
    assert cost @ found.x == pytest.approx(best)


# the generator


def test_generated_sessions_are_asked_for_by_households():
    tables = gm.datasets.xishan(seed=0)
    made = with_sessions(tables, 0, 0.4)
    assert set(made) == {"requests", "sessions", "residents", "skills", "about"}
    asked = made["requests"][made["requests"]["resident_id"].notna()]
    assert len(asked) == round(0.4 * 300)
    assert set(asked["skill"]) == {"love_classroom", "canteen_meal"}
    homes = made["residents"].set_index("resident_id")["household_id"]
    together = asked.groupby(asked["resident_id"].map(homes))
    assert (together["lat"].nunique(dropna=False) == 1).all()
    assert (together["earliest"].nunique() == 1).all()
    assert together.size().max() > 1
    assert tables["requests"]["skill"].isin(["love_classroom"]).sum() == 0  # what was given stays
    problem = gm.Problem.from_tables(tables | made)
    assert "sessions" in problem.features
    assert (problem.siblings >= 0).any()
    again = with_sessions(tables, 0, 0.4)
    pd.testing.assert_frame_equal(made["sessions"], again["sessions"])
    assert "合成" in made["about"]["value"].iloc[-1]
    with_residents = with_sessions({**tables, "residents": made["residents"]}, 1, 0.1)
    assert len(with_residents["residents"]) == len(made["residents"]) + 30
