"""Features beside each other: what each says stays true, whatever else the tables ask for."""

import pandas as pd
import pytest

import govmatch as gm
from govmatch.model.policy import Floors, Policy, Reserve, Rounds, Stability
from govmatch.reporting.sheets import dispatch_sheet
from tests.test_bonds import bonds
from tests.test_limits import away, busy, certified, matched, old_and_young, town, with_limits
from tests.test_team_match import role
from tests.test_team_match import town as team_town
from tests.towns import random_town, request

PEOPLE = {f"V{i}": ("art", "08:00-12:00") for i in range(4)}


# alternates


@pytest.mark.parametrize(
    ("tables", "policy"),
    [
        (away(1), None),  # who lives in C2 does one job elsewhere
        (certified(4), Policy(reserve=Reserve(share=0.75))),  # one of four may go
    ],
)
def test_nobody_whom_a_limit_keeps_at_home_is_an_alternate(tables, policy):
    tables["requests"] = tables["requests"].head(1)
    plan = matched(tables, policy)
    assert len(plan.assignments) == 1
    assert plan.alternates.empty
    tables["communities"]["away_per_week"] = None
    assert len(matched(tables).alternates) == 2


def test_nobody_without_time_for_another_job_is_an_alternate():
    tables = busy(60)
    tables["volunteers"] = pd.concat([tables["volunteers"], tables["volunteers"].assign(volunteer_id="V1")])
    hours = tables["availability"].head(2)
    tables["availability"] = pd.concat([hours, hours.assign(provider_id="V1")])
    tables["requests"] = tables["requests"].head(2)
    tables["requests"][["earliest", "latest"]] = hours[["start", "end"]].to_numpy()
    plan = matched(tables)
    assert len(plan.assignments) == 2  # one hour each
    assert plan.alternates.empty
    tables["volunteers"]["max_minutes_per_week"] = 120
    assert len(matched(tables).alternates) == 2


def test_nobody_is_an_alternate_through_an_agreement_that_is_used_up():
    tables = town(3)
    tables["requests"] = tables["requests"].head(1)
    tables["agreements"]["quota_per_week"] = 1
    assert matched(tables).alternates.empty
    tables["agreements"]["quota_per_week"] = 2
    assert len(matched(tables).alternates) == 2


def test_the_sheet_names_alternates_for_the_role():
    people = {
        "D1": ("design", "08:00-12:00"),
        "D2": ("design", "08:00-12:00"),
        "T1": ("art", "08:00-12:00"),
        "T2": ("art", "08:00-12:00"),
    }
    roles = [role("designer", "design"), role("teacher", "art")]
    tables = team_town(people, [request("R1", "C1", window="sat 08:00-09:00")], roles)
    plan = gm.match(gm.Problem.from_tables(tables))
    sheet = dispatch_sheet(plan).frame
    shown = dict(zip(sheet["岗位 role"], sheet["备选一 first alternate"].str[:1], strict=True))
    assert shown == {"designer": "D", "teacher": "T"}


# certificates and floors


def test_a_flow_that_is_mended_says_that_highs_took_part():
    asked = [request("R1", "C1", "art", window="sat 08:00-12:00", people=2)]
    parted = bonds(*((f"V{i}", f"V{j}", "apart") for i in range(3) for j in range(i)))
    plan = gm.match(gm.Problem.from_tables(team_town(PEOPLE, asked, bonds=parted)))
    assert len(plan.assignments) == 2
    assert plan.certificate.solver.endswith("with HiGHS") == (plan.certificate.rounds > 1)
    calm = gm.match(gm.Problem.from_tables(team_town(PEOPLE, asked)))
    assert "HiGHS" not in calm.certificate.solver


def test_the_cost_of_floors_counts_changes_on_both_sides():
    policy = Policy(floors=Floors({"old": 0.5}), stability=Stability(7.0))
    problem = gm.Problem.from_tables(old_and_young(), policy=policy)
    gone = pd.DataFrame(
        {
            "request_id": ["R0", "R9"],
            "role": "helper",
            "provider_id": "V3",
            "start": pd.Timestamp("2026-11-21 08:00", tz="Asia/Shanghai"),
        }
    )
    plan = gm.match(problem, incumbent=gone)
    assert plan.certificate.primal > gm.match(problem).certificate.primal
    assert plan.cost_of_floors() == pytest.approx(4 * 240)  # what it is without an incumbent


def test_who_is_missing_under_a_floor_has_the_price_of_the_floor():
    tables, policy = with_limits(random_town(62, 9), 62)  # HiGHS proves the bound, at prices of 0
    plan = matched(tables, policy)
    short = plan.floors[plan.floors["short"] > 0]
    assert short["price_minutes"].tolist() == [policy.floors.price_minutes] * 2


# rounds


def rounds_of_a_team():
    """Two people for an hour: a team of two and three single requests are too much."""
    asked = [request(f"R{i}", "C1", "art", window="sat 08:00-12:00", priority=5 - i) for i in range(3)]
    asked.append(request("R3", "C1", window="sat 08:00-12:00", priority=1))
    roles = [{**role("lead", "art"), "request_id": "R3"}, {**role("second", "art"), "request_id": "R3"}]
    return team_town({f"V{i}": ("art", "08:00-09:05") for i in range(2)}, asked, roles)


def test_a_team_that_rounds_leave_out_is_told_and_verified():
    policy = Policy(rounds=Rounds(on=True))
    plan = gm.match(gm.Problem.from_tables(rounds_of_a_team(), policy=policy), time_limit=2)
    assert {"R2", "R3"} == set(plan.unmet["request_id"])
    assert plan.certificate.verified


def test_rounds_have_sheets_without_alternates(tmp_path):
    policy = Policy(rounds=Rounds(on=True))
    plan = gm.match(gm.Problem.from_tables(rounds_of_a_team(), policy=policy), time_limit=2)
    sheet = dispatch_sheet(plan)
    assert set(sheet.frame["备选一 first alternate"]) == {""}
    assert not any("Alternates" in note for note in sheet.notes)
    assert len(gm.write_sheets(plan, tmp_path)) >= 6
