"""Explanations of served, unserved, partly served and linked requests."""

from __future__ import annotations

import pandas as pd
import pytest

import govmatch as gm
from tests.towns import at, frame, hand_town, request, volunteer


@pytest.fixture(scope="module")
def plan():
    return gm.match(gm.Problem.from_tables(hand_town()))


def test_a_served_request_shows_the_chosen_arc_beside_the_next(plan) -> None:
    told = gm.explain(plan, "R01")
    assert told.status == "served"
    assert told.candidates["chosen"].tolist() == [True, False, False]
    assert told.candidates["provider_id"].tolist() == ["V1", "V2", "O1"]
    assert told.candidates.loc[1, "busy_with"] == "R13"
    terms = [c for c in told.candidates if c.endswith("_cost")]
    assert told.candidates[terms].sum(axis=1).round(2).tolist() == told.candidates["cost_minutes"].tolist()
    row = plan.assignments.set_index("request_id").loc["R01"]
    assert told.candidates.loc[0, "cost_minutes"] == row["cost_minutes"] - row["load_cost"]


def test_the_route_names_each_hop_its_edge_and_price(plan) -> None:
    route = gm.explain(plan, "R05").route
    assert route["node_id"].tolist() == ["C3", "C1", "C2", "O2"]
    assert route["edge"].tolist() == ["", "federation", "membership", "tier"]
    assert route["hop_minutes"].tolist() == [0.0, 20.0, 3.25, 2.0]


@pytest.mark.parametrize(
    ("request_id", "reason", "stage", "left"),
    [
        ("R08", "no_such_service", "skill", 0),
        ("R10", "level", "level", 0),
        ("R15", "distance", "distance", 0),
        ("R16", "window", "window", 0),
        ("R12", "capacity", "worth its cost", 3),
    ],
)
def test_an_unserved_request_shows_the_funnel(plan, request_id, reason, stage, left) -> None:
    told = gm.explain(plan, request_id)
    assert (told.status, told.reason) == ("unmet", reason)
    counts = told.funnel.set_index("stage")["providers"]
    assert counts["all providers"] == 10
    assert counts[stage] == left
    assert counts.is_monotonic_decreasing
    assert told.reason_zh in str(told)


def test_a_linked_request_names_its_twin(plan) -> None:
    told = gm.explain(plan, "R09")
    assert told.status == "linked"
    assert "linked to R04" in str(told)
    assert "R04" in told._repr_html_()


def test_a_partly_served_request_says_so() -> None:
    tables = {
        "communities": pd.DataFrame([{"community_id": "C1"}]),
        "volunteers": pd.DataFrame([volunteer("V1", "C1")]),
        "availability": frame("provider_id start end", ("V1", at("sat 08:00"), at("sat 12:00"))),
        "requests": pd.DataFrame([request("R1", "C1", people=2)]),
    }
    told = gm.explain(gm.match(gm.Problem.from_tables(tables)), "R1")
    assert told.status == "partly_served"
    assert "partly served 部分派单: capacity" in str(told)


def test_an_unknown_request_is_answered_with_the_nearest(plan) -> None:
    with pytest.raises(gm.UnknownId, match="no request 'R99'; near: R09"):
        gm.explain(plan, "R99")
    with pytest.raises(KeyError, match="no request 7"):
        gm.explain(plan, 7)


def test_markup_in_ids_is_shown_not_run() -> None:
    tables = {
        "communities": pd.DataFrame([{"community_id": "C1"}]),
        "volunteers": pd.DataFrame([volunteer("<script>", "C1")]),
        "requests": pd.DataFrame([request("<b>", "C1")]),
    }
    text = gm.explain(gm.match(gm.Problem.from_tables(tables)), "<b>")._repr_html_()
    assert "<script>" not in text and "&lt;script&gt;" in text


def test_what_is_no_plan_or_no_id_is_named(plan) -> None:
    with pytest.raises(gm.InvalidInput, match=r"plan is a NoneType; expected a Plan: match\(problem\)"):
        gm.explain(None, "R01")
    with pytest.raises(gm.UnknownId, match=r"no request \['R01'\]"):
        gm.explain(plan, ["R01"])
    with pytest.raises(gm.UnknownId, match="no request 'R01"):
        gm.explain(plan, "R01\x00")
