"""A correct plan is tampered with, and the verifier names what was done."""

import re
from dataclasses import replace

import pandas as pd
import pytest

import govmatch as gm
from tests.towns import at, hand_town


@pytest.fixture(scope="module")
def problem():
    return gm.Problem.from_tables(hand_town())


@pytest.fixture(scope="module")
def plan(problem):
    return gm.match(problem)


def found(problem, plan):
    return gm.verify(problem, plan).faults


def row_of(frame, request_id):
    return frame.index[frame["request_id"] == request_id][0]


def changed(frame, request_id, /, **cells):
    """The frame with cells of a request's first row replaced."""
    frame = frame.astype(dict.fromkeys((c for c in cells if frame[c].dtype != "float64"), object))
    for column, value in cells.items():
        frame.at[row_of(frame, request_id), column] = value
    return frame


def added(frame, like, /, **cells):
    """The frame with one more row: that of the request `like`, changed."""
    row = frame.loc[[row_of(frame, like)]].astype(object)
    for column, value in cells.items():
        row[column] = [value]
    return pd.concat([frame.astype(object), row], ignore_index=True)


def slot(start, end):
    return {"slot_start": at(start), "slot_end": at(end)}


def job(start, end):
    return {"start": at(start), "end": at(end)}


ASSIGNMENTS = {
    # who
    "wrong skill": (
        "wrong_skill",
        "does not hold 'repair'",
        lambda a: changed(a, "R04", provider_id="V1", **slot("sat 13:00", "sat 15:00")),
    ),
    "one of two skills missing": (
        "wrong_skill",
        "does not hold 'mediation'",
        lambda a: changed(a, "R17", provider_id="V1", **slot("sat 08:00", "sat 12:00")),
    ),
    "level too low": (
        "level_too_low",
        "level 1 of 'tutoring' is held; 2 is needed",
        lambda a: changed(a, "R01", provider_id="V7"),
    ),
    "expired certificate": (
        "certificate_expired",
        "ends on 2026-11-20",
        lambda a: changed(a, "R03", provider_id="V1", **slot("sat 08:00", "sat 12:00")),
    ),
    "no certificate": (
        "certificate_missing",
        "no certificate of 'first aid'",
        lambda a: changed(a, "R03", provider_id="V2", **slot("sat 08:00", "sat 12:00")),
    ),
    "clearance too low": (
        "clearance_too_low",
        "clearance 0; 1 is needed",
        lambda a: changed(a, "R05", provider_id="V4", **slot("sun 10:00", "sun 12:00")),
    ),
    "forbidden pair": (
        "forbidden_pair",
        "pins forbid",
        lambda a: changed(a, "R04", provider_id="V3", **slot("sat 12:30", "sat 17:00")),
    ),
    "unknown provider": (
        "unknown_provider",
        "no such provider",
        lambda a: changed(a, "R01", provider_id="V99"),
    ),
    "organisation without staff": (
        "unknown_provider",
        "no such provider",
        lambda a: changed(a, "R14", provider_id="O2"),
    ),
    "missing provider": ("unknown_provider", "no such", lambda a: changed(a, "R01", provider_id=None)),
    "unknown request": ("unknown_request", "no such request", lambda a: changed(a, "R01", request_id="R99")),
    "wrong role": ("wrong_role", "expected 'mediator'", lambda a: changed(a, "R17", role="helper")),
    "wrong kind": (
        "wrong_kind",
        "expected 'volunteer'",
        lambda a: changed(a, "R01", provider_kind="organization"),
    ),
    "wrong organisation": (
        "wrong_organization",
        "charged to 'O2'",
        lambda a: changed(a, "R14", organization_id="O1"),
    ),
    "wrong community": ("wrong_community", "arises in 'C1'", lambda a: changed(a, "R01", community_id="C2")),
    # when
    "before the window": (
        "outside_window",
        "leaves the window",
        lambda a: changed(a, "R14", **job("sat 12:30", "sat 13:30")),
    ),
    "after the window": (
        "outside_window",
        "leaves the window",
        lambda a: changed(a, "R01", **job("sat 11:30", "sat 12:30")),
    ),
    "outside the slot": (
        "outside_slot",
        "leaves the slot",
        lambda a: changed(a, "R03", **job("sat 10:30", "sat 11:30")),
    ),
    "no such slot": (
        "unknown_slot",
        "has no slot",
        lambda a: changed(a, "R01", slot_end=at("sat 13:00")),
    ),
    "slot of another": (
        "unknown_slot",
        "has no slot",
        lambda a: changed(a, "R11", **slot("mon 18:00", "mon 21:00")),
    ),
    "no time at all": ("unknown_slot", "no time", lambda a: changed(a, "R01", slot_start=pd.NaT)),
    "later than need be": (
        "wrong_start",
        "earliest that fits",
        lambda a: changed(a, "R01", start=at("sat 08:30")),
    ),
    "not together": ("wrong_start", "earliest that fits", lambda a: changed(a, "R02", start=at("sat 09:30"))),
    "too long": ("wrong_end", "60 are asked", lambda a: changed(a, "R01", end=at("sat 09:15"))),
    "assumed is hidden": ("wrong_assumed", "comes from a preset", lambda a: changed(a, "R17", assumed=False)),
    # capacities
    "double booking": (
        "double_booking",
        "2 jobs in one slot that holds 1",
        lambda a: added(a, "R13", request_id="R12"),
    ),
    "staff + 1": (
        "slot_capacity",
        "3 jobs in one slot that holds 2",
        lambda a: added(a, "R02", request_id="R01", **job("sat 08:30", "sat 09:30")),
    ),
    "day + 1": (
        "day_capacity",
        "2 jobs on one day; at most 1",
        lambda a: added(a, "R13", request_id="R14", **slot("sat 12:00", "sat 18:00")),
    ),
    "week + 1": (
        "week_capacity",
        "3 jobs in one week; at most 2",
        lambda a: added(
            added(a, "R06", request_id="R14", **slot("sat 13:00", "sat 18:00")),
            "R06",
            request_id="R05",
            **slot("sun 10:00", "sun 12:00"),
        ),
    ),
    "organisation's week + 1": (
        "organization_capacity",
        "4 jobs in one week; at most 3",
        lambda a: added(a, "R06", request_id="R04", **slot("sat 13:00", "sat 18:00")),
    ),
    # through whom
    "expired agreement": (
        "forbidden_path",
        "no permitted and valid edge joins 'C1' and 'O2'",
        lambda a: changed(a, "R06", route="C1 > O2"),
    ),
    "not yet valid": (
        "forbidden_path",
        "no permitted and valid edge joins 'U3' and 'C1'",
        lambda a: changed(a, "R05", route="C3 > U3 > C1 > C2 > O2"),
    ),
    "unknown node": ("forbidden_path", "no node 'XX'", lambda a: changed(a, "R06", route="C1 > XX > O2")),
    "leads elsewhere": ("forbidden_path", "does not lead from", lambda a: changed(a, "R01", route="C1 > C2")),
    "no route": ("forbidden_path", "no node ''", lambda a: changed(a, "R01", route=None)),
    "too many hops": (
        "forbidden_path",
        "7 hops; the policy allows 4",
        lambda a: changed(a, "R06", route="C1 > C2 > C1 > C2 > C1 > C2 > C1 > C2"),
    ),
    "dearer path": (
        "path_not_cheapest",
        "costs 8.00 minutes; the cheapest permitted one 6.00",
        lambda a: changed(a, "R17", route="C2 > C1", hops=1, route_cost=8.0),
    ),
    "wrong hops": ("wrong_hops", "hops is 5; the route has 2", lambda a: changed(a, "R06", hops=5)),
    # how far
    "wrong travel": (
        "wrong_travel",
        "by the places and the mode",
        lambda a: changed(a, "R01", travel_minutes=9.0),
    ),
    "travel not known": ("wrong_travel", "travel_known", lambda a: changed(a, "R01", travel_known=False)),
    "too far": (
        "too_far",
        "at most 5.0 are accepted",
        lambda a: added(a, "R06", request_id="R15", provider_id="V9", **slot("sun 18:00", "sun 21:00")),
    ),
    # at what cost
    **{
        f"wrong {term}": (
            "wrong_cost_term",
            f"{term} is 77.00",
            lambda a, term=term: changed(a, "R01", **{term: 77.0}),
        )
        for term in ("travel_cost", "route_cost", "dialect_cost", "hometown_cost", "level_cost", "wait_cost")
    },
    "a cost that is no number": (
        "wrong_cost_term",
        "wait_cost is nan",
        lambda a: changed(a, "R01", wait_cost=float("nan")),
    ),
    "wrong load": ("wrong_load_cost", "job 2 of the week, 6.00", lambda a: changed(a, "R05", load_cost=0.0)),
    "wrong total": ("wrong_total", "its terms add up to", lambda a: changed(a, "R01", cost_minutes=1.0)),
    # how many
    "one too many": (
        "people_exceeded",
        "4 people are sent; 3 are asked",
        lambda a: added(a, "R07", provider_id="V1", **slot("sun 08:30", "sun 11:30")),
    ),
    "one too few": (
        "people_missing",
        "2 people are sent and 0 stand as unserved; 3 are asked",
        lambda a: a.drop(row_of(a, "R07")),
    ),
    "a request is lost": ("people_missing", "0 people are sent", lambda a: a[a["request_id"] != "R01"]),
    "nothing is left": ("people_missing", "0 people are sent", lambda a: a.iloc[:0]),
    "the same person twice": (
        "person_twice",
        "is sent 2 times; has 1 to send",
        lambda a: added(a, "R01", **slot("sat 13:00", "sat 15:00")),
    ),
    "a linked report is served": (
        "duplicate_served",
        "linked to another report",
        lambda a: added(a, "R04", request_id="R09"),
    ),
    "a column is missing": ("missing_column", "no column 'hops'", lambda a: a.drop(columns="hops")),
    "no frame": ("malformed", "expected a pandas DataFrame", lambda a: a.to_dict()),
}

UNMET = {
    "a request is lost": ("people_missing", "0 stand as unserved", lambda u: u[u["request_id"] != "R08"]),
    "stands twice": ("unmet_wrong", "twice", lambda u: pd.concat([u, u.iloc[:1]])),
    "a linked report": ("unmet_wrong", "is linked", lambda u: changed(u, "R08", request_id="R09")),
    "unknown request": ("unknown_request", "do not hold", lambda u: changed(u, "R08", request_id="R99")),
    "too many people": ("people_missing", "2 stand as unserved", lambda u: changed(u, "R08", people=2)),
    "nobody": ("unmet_wrong", "expected 1 or more", lambda u: changed(u, "R08", people=0)),
    "wrong cost": (
        "wrong_unmet_cost",
        "480.00 by the policy",
        lambda u: changed(u, "R08", unmet_minutes=1.0),
    ),
    "wrong priority": ("unmet_wrong", "priority", lambda u: changed(u, "R08", priority=5)),
    "wrong community": ("unmet_wrong", "community_id", lambda u: changed(u, "R08", community_id="C1")),
    "wrong skill": ("unmet_wrong", "needs 'pet loss'", lambda u: changed(u, "R08", skill="tutoring")),
    "nobody offers it, says capacity": (
        "reason_wrong",
        "first empty stage is 'no_such_service'",
        lambda u: changed(u, "R08", reason="capacity"),
    ),
    "somebody offers it": (
        "reason_wrong",
        "first empty stage is 'level'",
        lambda u: changed(u, "R10", reason="no_such_service"),
    ),
    "capacity, says distance": (
        "reason_wrong",
        "recomputed 'capacity'",
        lambda u: changed(u, "R12", reason="distance"),
    ),
    "distance, says capacity": (
        "reason_wrong",
        "recomputed 'distance'",
        lambda u: changed(u, "R15", reason="capacity"),
    ),
    "no such reason": ("reason_wrong", "expected one of", lambda u: changed(u, "R08", reason="bad luck")),
    "no time, says optimal": (
        "reason_wrong",
        "only a plan whose search ended early",
        lambda u: changed(u, "R08", reason="time"),
    ),
    "another reason's text": (
        "reason_wrong",
        "reason_zh is '路程过远'; '尚无人提供此项服务' says 'no_such_service'",
        lambda u: changed(u, "R08", reason_zh="路程过远"),
    ),
    "a column twice": (
        "malformed",
        "more than one column 'reason'",
        lambda u: pd.concat([u, u[["reason"]]], axis=1),
    ),
    "wrong count": ("reason_wrong", "eligible is 99", lambda u: changed(u, "R15", eligible=99)),
    "a column is missing": ("missing_column", "no column 'reason'", lambda u: u.drop(columns="reason")),
}

CERTIFICATE = {
    "primal": ("primal_wrong", "the plan costs", lambda c: {"primal": c.primal - 1}),
    "bound": ("bound_above_primal", "bound is", lambda c: {"bound": c.primal + 1}),
    "no bound": ("gap_wrong", "without a primal and a bound", lambda c: {"bound": None}),
    "a bound that is no number": ("malformed", "bound is 'x'", lambda c: {"bound": "x"}),
    "a bound beyond floats": ("malformed", "bound is 1000", lambda c: {"bound": 10**400}),
    "a bound that is none": ("malformed", "bound is nan", lambda c: {"bound": float("nan")}),
    "gap": ("gap_wrong", "gap is 0.5", lambda c: {"gap": 0.5}),
    "not a gap": ("gap_wrong", "gap is None", lambda c: {"gap": None}),
    "termination": ("termination_wrong", "expected one of", lambda c: {"termination": "done"}),
    "optimal with a gap": (
        "termination_wrong",
        "with gap 0.1",
        lambda c: {"bound": 0.9 * c.primal, "gap": 0.1},
    ),
    "an old termination": (
        "termination_wrong",
        "expected one of optimal, gap, searched, time_limit, cancelled",
        lambda c: {"termination": "gap_reached"},
    ),
    "scope": ("scope_wrong", "expected one of", lambda c: {"scope": "some"}),
    "an old scope": ("scope_wrong", "expected one of all_pairs", lambda c: {"scope": "given_arcs"}),
    "more arcs than pairs": ("search_wrong", "pairs are eligible", lambda c: {"arcs": c.pairs + 1}),
    "fewer arcs than used": (
        "search_wrong",
        "1 arcs were generated; the plan uses 12",
        lambda c: {"arcs": 1},
    ),
    "arcs are no number": ("search_wrong", "arcs is 'x'", lambda c: {"arcs": "x"}),
    "pairs are no whole number": ("search_wrong", "pairs is 7.5", lambda c: {"pairs": 7.5}),
    "no round": ("search_wrong", "rounds is 0; expected a whole number of 1", lambda c: {"rounds": 0}),
    "rounds are a flag": ("search_wrong", "rounds is True", lambda c: {"rounds": True}),
    "resolution": (
        "search_wrong",
        "resolution_minutes is 1; costs are of 0.01",
        lambda c: {"resolution_minutes": 1},
    ),
    "no solver": ("search_wrong", "solver is ''", lambda c: {"solver": ""}),
    "verified, perhaps": ("search_wrong", "verified is 'yes'", lambda c: {"verified": "yes"}),
    "too few pairs": (
        "funnel_wrong",
        "providers have an eligible slot, yet the certificate counts 1",
        lambda c: {"pairs": 1},
    ),
    "problem": ("fingerprint_wrong", "problem_fingerprint", lambda c: {"problem_fingerprint": "x"}),
    "policy": ("fingerprint_wrong", "policy_fingerprint", lambda c: {"policy_fingerprint": "x"}),
    "assumed": ("share_wrong", "assumed_share is 0.5", lambda c: {"assumed_share": 0.5}),
    "placed": ("share_wrong", "placed_assumed_share is None", lambda c: {"placed_assumed_share": None}),
    "synthetic": ("synthetic_wrong", "synthetic is False", lambda c: {"synthetic": False}),
    "synthetic, perhaps": ("synthetic_wrong", "synthetic is 'True'", lambda c: {"synthetic": "True"}),
}


def funnel_cell(f, row, **cells):
    f = f.astype(dict.fromkeys(cells, object))
    for column, value in cells.items():
        f.loc[row, column] = value
    return f


FUNNEL = {
    "rows in another order": ("funnel_wrong", "its rows are eligible, cost", lambda f: f.iloc[::-1]),
    "a row is lost": ("funnel_wrong", "expected no_such_service, level", lambda f: f.iloc[1:]),
    "another name": ("funnel_wrong", "its rows are skill, ", lambda f: funnel_cell(f, 0, reason="skill")),
    "another text": (
        "funnel_wrong",
        "reason_zh is '等级'; '技能等级不足' says 'level'",
        lambda f: funnel_cell(f, 1, reason_zh="等级"),
    ),
    "one too many": (
        "funnel_wrong",
        "its pairs add up to 161; 16 requests and 10 providers make 160",
        lambda f: funnel_cell(f, 0, pairs=f["pairs"][0] + 1),
    ),
    "less than none": ("funnel_wrong", "level counts -1 pairs", lambda f: funnel_cell(f, 1, pairs=-1)),
    "half a pair": ("funnel_wrong", "level counts 0.5 pairs", lambda f: funnel_cell(f, 1, pairs=0.5)),
    "a column is missing": ("missing_column", "no column 'pairs'", lambda f: f.drop(columns="pairs")),
    "no frame": ("malformed", "plan.funnel is a NoneType", lambda f: None),
}


def named(faults, code, words):
    """The code is among the faults, and one of its messages says so."""
    messages = faults.loc[faults["code"] == code, "message"].tolist()
    assert messages, f"no {code}; only {sorted(set(faults['code']))}"
    assert any(re.search(re.escape(words), m) for m in messages), messages


def test_the_plan_is_correct_as_it_is(problem, plan):
    verification = gm.verify(problem, plan)
    assert verification.ok
    assert verification.faults.empty
    assert verification.checked["assignments"] == len(plan.assignments) == 14
    assert verification.checked["unmet"] == len(plan.unmet) == verification.checked["reasons"] == 5


@pytest.mark.parametrize("case", ASSIGNMENTS)
def test_assignments(problem, plan, case):
    code, words, tamper = ASSIGNMENTS[case]
    named(found(problem, replace(plan, assignments=tamper(plan.assignments.copy()))), code, words)


@pytest.mark.parametrize("case", UNMET)
def test_unmet(problem, plan, case):
    code, words, tamper = UNMET[case]
    named(found(problem, replace(plan, unmet=tamper(plan.unmet.copy()))), code, words)


@pytest.mark.parametrize("case", CERTIFICATE)
def test_certificate(problem, plan, case):
    code, words, tamper = CERTIFICATE[case]
    certificate = replace(plan.certificate, **tamper(plan.certificate))
    named(found(problem, replace(plan, certificate=certificate)), code, words)


@pytest.mark.parametrize("case", FUNNEL)
def test_funnel(problem, plan, case):
    code, words, tamper = FUNNEL[case]
    named(found(problem, replace(plan, funnel=tamper(plan.funnel.copy()))), code, words)


def test_a_funnel_of_whole_requests_where_time_ran_out(problem, plan):
    cut = replace(plan, certificate=replace(plan.certificate, termination="time_limit"))
    odd = funnel_cell(plan.funnel, 0, pairs=plan.funnel["pairs"][0] - 3)
    named(found(problem, replace(cut, funnel=odd)), "funnel_wrong", "or whole multiples of 10")


@pytest.mark.parametrize("linked", [0, 2, None, "1", True])
def test_linked(problem, plan, linked):
    faults = found(problem, replace(plan, linked=linked))
    named(faults, "linked_wrong", f"linked is {linked!r}; 1 requests name another in duplicate_of")


@pytest.mark.parametrize("column", ["travel_known", "assumed"])
@pytest.mark.parametrize("cell", ["True", 1, 1.0, None])
def test_flags_are_true_or_false(problem, plan, column, cell):
    """Text such as "False" is true to Python."""
    a = plan.assignments.astype({column: object})
    a[column] = cell
    faults = found(problem, replace(plan, assignments=a))
    named(faults, "malformed", f"{column} is {cell!r}; expected True or False")
    assert len(faults) == len(a)


@pytest.mark.parametrize("term", ["route_cost", "dialect_cost", "hometown_cost", "level_cost", "wait_cost"])
def test_a_hundredth_is_found(problem, plan, term):
    """Only travel is rounded from a float that two formulas may tell apart."""
    a = plan.assignments
    shifted = a.assign(**{term: a[term] + 0.01, "cost_minutes": a["cost_minutes"] + 0.01})
    faults = found(problem, replace(plan, assignments=shifted))
    assert (faults["code"] == "wrong_cost_term").sum() == len(a)


def test_a_certificate_without_its_fields(problem, plan):
    named(found(problem, replace(plan, certificate=object())), "malformed", "the certificate has no primal")


def test_a_plan_for_another_policy(problem, plan):
    policy = gm.Policy(unmet=replace(problem.policy.unmet, base_minutes=5.0, priority_minutes=1.0))
    other = gm.Problem.from_tables(hand_town(), policy=policy)
    faults = found(other, plan)
    named(faults, "dearer_than_unmet", "leaving it unserved costs")
    named(faults, "fingerprint_wrong", "policy_fingerprint")


def test_a_plan_for_other_tables(plan):
    tables = hand_town()
    tables["availability"] = tables["availability"].query("provider_id != 'V1'")
    named(found(gm.Problem.from_tables(tables), plan), "unknown_slot", "has no slot")


def test_tampering_that_cancels_out(problem, plan):
    """Two terms changed so that the sum stays are still found."""
    a = plan.assignments
    row = a.loc[row_of(a, "R01")]
    shifted = changed(a, "R01", travel_cost=row["travel_cost"] + 3, wait_cost=row["wait_cost"] - 3)
    faults = found(problem, replace(plan, assignments=shifted))
    assert set(faults["code"]) == {"wrong_cost_term"}
    assert len(faults) == 2
    assert set(faults["request_id"]) == {"R01"}
    assert set(faults["provider_id"]) == {"V1"}
