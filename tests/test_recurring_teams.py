"""Teams that recur: matched and verified by hand, and beside the same towns with every visit written out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import govmatch as gm
from govmatch.model.policy import Continuity
from govmatch.plan.verify_demand import read_requests
from tests.naive_teams import best_cost
from tests.team_towns import random_team_town
from tests.towns import frame, random_policy, request, volunteer

SATURDAYS = ("2026-11-21", "2026-11-28", "2026-12-05")
VISITS = [f"R1@{day}" for day in SATURDAYS]
POLICY = replace(gm.Policy(), continuity=Continuity(0.0, 0.0))
ROLES = frame(
    "request_id role skill count minutes after after_least after_most",
    ("R1", "designer", "design", 1, 60, None, 0, None),
    ("R1", "teacher", "art", 2, 60, "designer", 60, 60),
)


def course(hours, roles=ROLES, weeks=3, window="sat 08:00-12:00", policy=POLICY, **more):
    """A weekly course; `hours` says when each person is free, week by week (None: not at all)."""
    people = list(hours)
    skills = {name: "design" if name.startswith("D") else "art" for name in people}
    tables = {
        "communities": frame("community_id lat lon", ("C1", 30.5, 120.6)),
        "volunteers": pd.DataFrame([volunteer(name, "C1", lat=30.5, lon=120.6) for name in people]),
        "skills": frame("provider_id skill level", *((name, skills[name], 1) for name in people)),
        "availability": pd.DataFrame(
            [
                {"provider_id": name, "start": f"{day} {span[:5]}", "end": f"{day} {span[6:]}"}
                for name in people
                for day, span in zip(SATURDAYS, hours[name], strict=True)
                if span is not None
            ]
        ),
        "requests": pd.DataFrame([request("R1", "C1", window=window)]),
        "roles": roles,
        "visits": pd.DataFrame({"request_id": ["R1"], "weeks": [weeks]}),
    } | more
    return gm.Problem.from_tables(tables, policy=policy, horizon=("2026-11-21", "2026-12-12"))


MORNING = ("08:00-12:00",) * 3
HOURS = {
    "D1": MORNING,
    "T1": MORNING,
    "T2": ("08:00-12:00", None, "10:10-12:00"),
}


@pytest.fixture(scope="module")
def plan():
    return gm.match(course(HOURS))


def sent(plan, visit):
    rows = plan.assignments[plan.assignments["request_id"] == visit]
    return sorted((r.role, r.provider_id, r.start.strftime("%m-%d %H:%M")) for r in rows.itertuples())


def test_a_course_of_three_weeks_goes_as_by_hand(plan):
    assert plan.problem.features == {"teams", "recurrence"}
    assert plan.problem.demand.request_id.tolist() == VISITS
    assert sent(plan, VISITS[0]) == [
        ("designer", "D1", "11-21 08:00"),
        ("teacher", "T1", "11-21 09:00"),
        ("teacher", "T2", "11-21 09:00"),
    ]
    assert sent(plan, VISITS[1]) == []  # one teacher is missing, and so nobody comes
    # the teachers start when the second can, at 10:30, and the designer an hour earlier
    assert sent(plan, VISITS[2]) == [
        ("designer", "D1", "12-05 09:30"),
        ("teacher", "T1", "12-05 10:30"),
        ("teacher", "T2", "12-05 10:30"),
    ]
    (row,) = plan.unmet.to_dict("records")
    told = row["request_id"], row["reason"], row["role"], row["eligible"], row["people"]
    assert told == (VISITS[1], "together", "teacher", 2, 3)
    # three people an hour and a half late at 2 minutes an hour, three missing at 480; nobody travels
    assert plan.assignments["wait_cost"].sum() == pytest.approx(9)
    assert plan.certificate.primal == pytest.approx(3 * 480 + 9)
    assert plan.certificate.bound == plan.certificate.primal
    assert plan.certificate.termination == "optimal"
    assert plan.certificate.verified
    assert (plan.assignments["face_cost"] == 0).all()


def test_it_is_explained_as_a_whole_and_visit_by_visit(plan):
    told = gm.explain(plan, "R1")
    assert str(told).startswith("R1: 2 of 3 visits by 3 face(s)")
    assert told.visits["reason"].tolist() == ["", "together", ""]
    one = gm.explain(plan, VISITS[2])
    assert one.status == "served"
    assert set(one.candidates["role"]) == {"designer", "teacher"}
    assert gm.explain(plan, VISITS[1]).reason == "together"


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda f: f.drop(index=f.index[-1]), "team_incomplete", "1 people are sent as 'teacher'"),
        (
            lambda f: f.assign(
                **{
                    c: f[c] + pd.to_timedelta(np.where(f["role"] == "teacher", 30, 0), unit="min")
                    for c in ("start", "end")
                }
            ),
            "wrong_start",
            "'teacher' starts 90 minutes after 'designer'; expected 60 to 60",
        ),
        (
            lambda f: f.assign(role=f["role"].replace("designer", "teacher")),
            "team_incomplete",
            "0 people are sent as 'designer'; the team needs 1",
        ),
    ],
)
def test_the_verifier_sees_each_visit_as_a_team(plan, change, code, message):
    frame_ = change(plan.assignments.copy())
    faults = gm.verify(plan.problem, replace(plan, assignments=frame_)).faults
    mine = faults[faults["code"] == code]
    assert message in " ".join(mine["message"])
    assert set(mine["request_id"]) <= {VISITS[0], VISITS[2]}


@pytest.mark.parametrize(
    ("window", "teams"),
    [
        ({"earliest": "2026-11-21 20:00", "latest": None}, False),  # until midnight
        ({"earliest": None, "latest": "2026-11-21 12:00"}, True),
        ({"earliest": None, "latest": None}, True),
    ],
)
def test_whether_several_people_are_a_team_goes_by_the_window_of_a_visit(window, teams):
    asked = pd.DataFrame([{"request_id": "R1", "community_id": "C1", "people": 2, "skill": "art", **window}])
    names = {"T1": ("08:00-12:00",) * 3, "T2": ("20:00-23:00",) * 3, "T3": ("20:00-24:00",) * 3}
    problem = course(names, requests=asked, roles=ROLES.iloc[:0])
    assert ("teams" in problem.features) == teams
    assert read_requests(problem).team.tolist() == [teams] * 3
    assert gm.match(problem).certificate.verified


# with continuity


HISTORY = frame("request_id provider_id start", ("R1@2026-11-14", "T1", "2026-11-14 08:00"))
THREE = {
    "D1": ("08:00-12:00", None, "08:00-12:00"),
    "D2": MORNING,
    **{name: MORNING for name in ("T1", "T2", "T3")},
}


@pytest.mark.parametrize(
    ("policy", "more", "cost", "designers"),
    [
        # the first designer is away once; who comes instead comes to all
        (gm.Policy(), {}, 0, {"D2"}),
        (POLICY, {"visits": pd.DataFrame({"request_id": ["R1"], "weeks": [3], "faces": [3]})}, 0, {"D2"}),
        # all but one are strangers, each once
        (replace(gm.Policy(), continuity=Continuity(0.0, 30.0)), {"history": HISTORY}, 60, {"D2"}),
    ],
)
@pytest.mark.parametrize("method", ["auto", "coupled"])
def test_a_team_is_the_same_people_week_by_week(policy, more, cost, designers, method):
    plan = gm.match(course(THREE, policy=policy, **more), method=method)
    assert len(plan.assignments) == 9
    assert plan.assignments["provider_id"].nunique() == 3
    who = plan.assignments
    assert set(who.loc[who["role"] == "designer", "provider_id"]) == designers
    assert plan.assignments["face_cost"].sum() == pytest.approx(cost)
    assert plan.certificate.termination == "optimal"
    assert str(gm.explain(plan, "R1")).startswith("R1: 3 of 3 visits by 3 face(s)")


def test_a_team_stays_away_rather_than_have_more_faces_than_it_may():
    hours = {**THREE, "D2": ("08:00-12:00", "08:00-12:00", None)}
    visits = pd.DataFrame({"request_id": ["R1"], "weeks": [3], "faces": [3]})
    plan = gm.match(course(hours, visits=visits))
    assert plan.assignments["request_id"].nunique() == 2
    assert plan.assignments["provider_id"].nunique() == 3
    assert plan.unmet["reason"].tolist() == ["faces"]
    assert plan.certificate.termination == "optimal"


def test_known_minutes_without_history_refuse_nothing():
    policy = replace(gm.Policy(), continuity=Continuity(0.0, 30.0))
    assert len(gm.match(course(HOURS, policy=policy)).assignments) == 6


# beside the same towns written out


def written_out(tables, problem):
    """The tables with every visit as a request of its own, and with it all that the others say of it."""
    demand, zone = problem.demand, problem.policy.time_zone
    recurs = set(tables["visits"]["request_id"])
    dated = np.flatnonzero(problem.series.of >= 0)
    asked = tables["requests"].set_index("request_id", drop=False)
    rows, repeated = [], {name: [] for name in ("roles", "pins", "parties", "request_goods")}
    for i in dated.tolist():
        name = asked.index[demand.row[i]]
        window = {
            column: pd.Timestamp(int(times[i]) * 60, unit="s", tz="UTC").tz_convert(zone)
            for column, times in (("earliest", demand.earliest), ("latest", demand.latest))
        }
        rows.append({**asked.loc[name], **window, "request_id": demand.request_id[i]})
        for table, found in repeated.items():
            if table in tables:
                mine = tables[table]
                mine = mine[mine["request_id"] == name] if len(mine) else mine
                found += mine.assign(request_id=demand.request_id[i]).to_dict("records")
    flat = {name: table for name, table in tables.items() if name != "visits"}
    once = tables["requests"][~tables["requests"]["request_id"].isin(recurs)]
    flat["requests"] = pd.DataFrame([*once.to_dict("records"), *rows], dtype=object)
    for table, found in repeated.items():
        if table in tables:
            kept = tables[table]
            kept = kept[~kept["request_id"].isin(recurs)].to_dict("records") if len(kept) else []
            flat[table] = pd.DataFrame([*kept, *found], columns=tables[table].columns, dtype=object)
    return flat


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_random_towns_with_recurring_teams(seed):
    rng = np.random.default_rng(seed)
    tables = random_team_town(seed, 5)
    requests = tables["requests"]
    twins = set(requests["duplicate_of"].dropna()) if "duplicate_of" in requests else set()
    linked = requests["duplicate_of"].notna() if "duplicate_of" in requests else False
    ids = requests.loc[~(requests["request_id"].isin(twins) | linked), "request_id"]
    ids = ids[rng.random(len(ids)) < 0.7]
    tables["visits"] = pd.DataFrame({"request_id": ids, "weeks": 2}, dtype=object)
    if "availability" in tables:
        later = tables["availability"].copy()
        for column in ("start", "end"):
            later[column] = later[column] + pd.Timedelta(days=7)
        later = later[rng.random(len(later)) < 0.8]
        tables["availability"] = pd.concat([tables["availability"], later], ignore_index=True)
    policy = replace(random_policy(seed), continuity=Continuity(0.0, 0.0))
    horizon = ("2026-11-21", "2026-12-05")
    try:
        problem = gm.Problem.from_tables(tables, policy=policy, horizon=horizon)
    except gm.InvalidTables:  # a window that is too short for what was drawn
        reject()
    written = gm.Problem.from_tables(written_out(tables, problem), policy=policy, horizon=horizon)
    assert sorted(problem.demand.request_id) == sorted(written.demand.request_id)
    assert len(problem.teams.request) == len(written.teams.request)
    plan = gm.match(problem)
    assert plan.certificate.verified
    cost, bound = (round(x * 100) for x in (plan.certificate.primal, plan.certificate.bound))
    best = best_cost(written)
    assert bound <= best <= cost
    assert cost == best  # so small a town is solved whole


def test_who_is_assigned_to_a_recurring_request_is_assigned_to_each_visit():
    hours = {name: ("08:00-12:00",) * 3 for name in ("T1", "T2", "T3")}
    asked = [request(f"R{i}", "C1", "art", window="sat 08:00-12:00") for i in (1, 2)]
    pins = frame("request_id provider_id action", ("R1", "T1", "assign"), ("R2", "T3", "assign"))
    plan = gm.match(course(hours, roles=ROLES.iloc[:0], requests=pd.DataFrame(asked), pins=pins))
    rows = plan.assignments
    assert dict(zip(rows["request_id"], rows["provider_id"], strict=True)) == {
        **dict.fromkeys(VISITS, "T1"),
        "R2": "T3",
    }
    assert plan.certificate.verified
