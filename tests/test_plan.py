"""What a plan tells: summaries, alternates, candidate projects."""

from __future__ import annotations

import pytest

import govmatch as gm
from tests.towns import hand_town


@pytest.fixture(scope="module")
def plan():
    return gm.match(gm.Problem.from_tables(hand_town()))


@pytest.mark.parametrize("by", [None, "group", "community", "category", "town"])
def test_every_summary_counts_the_same_people(plan, by) -> None:
    summary = plan.summary(by)
    assert summary["people"].sum() == plan.problem.demand.people.sum()
    assert summary["served"].sum() == len(plan.assignments)
    assert summary["unmet"].sum() == plan.unmet["people"].sum()
    assert (summary["served"] + summary["unmet"] == summary["people"]).all()


def test_an_unknown_key_of_a_summary_is_named(plan) -> None:
    with pytest.raises(gm.InvalidInput, match="by is 'street'; expected group, community, category, town"):
        plan.summary("street")


def test_alternates_are_free_eligible_and_not_the_one_sent(plan) -> None:
    sent = set(zip(plan.assignments["request_id"], plan.assignments["provider_id"], strict=True))
    people = plan.assignments[plan.assignments["provider_kind"] == "volunteer"]
    assert len(plan.alternates) > 0
    for row in plan.alternates.itertuples():
        assert (row.request_id, row.provider_id) not in sent
        held = people[people["provider_id"] == row.provider_id]
        assert not ((held["slot_start"] <= row.start) & (row.start < held["slot_end"])).any()
    assert plan.alternates.groupby("request_id")["rank"].max().le(2).all()


def test_needs_that_nobody_offers_are_clustered(plan) -> None:
    projects = plan.candidate_projects
    assert projects[["skill", "town", "requests"]].to_numpy().tolist() == [["pet loss", "硖石", 1]]


def test_the_funnel_accounts_for_every_pair(plan) -> None:
    problem = plan.problem
    assert plan.funnel["pairs"].sum() == problem.demand.n_requests * problem.supply.n_providers


def test_the_certificate_is_a_plain_record(plan) -> None:
    record = plan.certificate.to_dict()
    assert record["scope"] == "all_pairs"
    assert record["resolution_minutes"] == 0.01
    assert record["synthetic"] is True
