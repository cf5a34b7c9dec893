"""People kept apart, people who prefer each other, and neutral ones, from tables to a verified plan."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import govmatch as gm
from tests.naive_teams import best_cost
from tests.team_towns import random_team_town
from tests.test_stays import keys
from tests.test_team_match import sent, town
from tests.towns import frame, random_policy, request


def bonds(*rows):
    """Rows such as ("V1", "V2", "apart")."""
    return frame("provider_id other_id kind", *rows)


def with_bonds(seed, largest, share=0.35):
    """A random town with teams, in which many are kept apart or prefer each other, and some are kin."""
    return lay_bonds(random_team_town(seed, largest), np.random.default_rng(seed + 2), share)


def lay_bonds(tables, rng, share=0.35):
    """Keep people of a town apart, or let them prefer each other, and make some kin."""
    people = tables["volunteers"]["volunteer_id"].tolist()
    rows = [
        (one, other, str(rng.choice(["apart", "together"])))
        for i, one in enumerate(people)
        for other in people[i + 1 :]
        if rng.random() < share
    ]
    tables["bonds"] = bonds(*((q, p, k) if rng.random() < 0.5 else (p, q, k) for p, q, k in rows))
    known = tables.get("residents", pd.DataFrame({"resident_id": []}))["resident_id"].tolist()
    new = pd.DataFrame({"resident_id": ["X1", "X2"]})
    tables["residents"] = pd.concat([tables["residents"], new]) if known else new
    asked = tables["requests"]
    free = asked["duplicate_of"].isna() if "duplicate_of" in asked else np.ones(len(asked), bool)
    asked = asked.loc[free, "request_id"].tolist()
    parties = {(r, str(rng.choice(["X1", "X2"]))) for r in asked if rng.random() < 0.5}
    kin = {(p, str(rng.choice(["X1", "X2"]))) for p in people if rng.random() < 0.3}
    tables["parties"] = frame("request_id resident_id", *sorted(parties))
    tables["kin"] = frame("volunteer_id resident_id", *sorted(kin))
    return tables


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), largest=st.integers(3, 9))
def test_random_towns_with_bonds(seed, largest):
    try:
        problem = gm.Problem.from_tables(with_bonds(seed, largest), policy=random_policy(seed))
    except gm.InvalidTables:  # a window that is too short for what was drawn
        reject()
    plan = gm.match(problem)
    cost, bound = (round(x * 100) for x in (plan.certificate.primal, plan.certificate.bound))
    best = best_cost(problem)
    assert bound <= best <= cost
    assert cost == best  # so small a town is solved whole
    assert plan.certificate.verified


def crowded(seed):
    """A village where most can do most, several are wanted at once, and bonds are many."""
    rng = np.random.default_rng(seed)
    hours = ["08:00-12:00", "08:00-10:00", "09:00-12:00"]
    names = [f"V{i}" for i in range(int(rng.integers(3, 8)))]
    people = {
        v: (str(rng.choice(["art", "art care", "care", "art care"])), str(rng.choice(hours))) for v in names
    }
    asked, roles = [], []
    for i in range(int(rng.integers(1, 5))):
        kind = rng.choice(["alone", "several", "open", "team", "least"])
        name, window = f"R{i}", "sat 08:00-12:00" if rng.random() < 0.6 else "sat 08:00-09:00"
        more = {} if kind in ("alone", "team") else {"people": int(rng.integers(2, 5))}
        if kind == "open":
            window = "sat 08:00-18:00"
        if kind == "least":
            more["min_serve"] = int(rng.integers(1, more["people"] + 1))
        if kind == "team":
            if rng.random() < 0.4:
                more["min_serve"] = 2
            for skill in ("art", "care"):
                roles.append(
                    {
                        "request_id": name,
                        "role": f"{skill} one",
                        "skill": skill,
                        "count": int(rng.integers(1, 3)),
                        "leader": bool(rng.random() < 0.3),
                    }
                )
        skill = None if kind == "team" else str(rng.choice(["art", "care"]))
        asked.append(request(name, "C1", skill, window=window, priority=int(rng.integers(1, 5)), **more))
    tables = town(people, asked, roles or None)
    if rng.random() < 0.5:
        tables["volunteers"]["max_jobs_per_day"] = 3
    rows = [
        (one, other, str(rng.choice(["apart", "together"])))
        for i, one in enumerate(names)
        for other in names[i + 1 :]
        if rng.random() < 0.5
    ]
    tables["bonds"] = bonds(*rows)
    if rng.random() < 0.3:
        tables["residents"] = frame("resident_id", ("X1",), ("X2",))
        tables["parties"] = frame("request_id resident_id", ("R0", "X1"), ("R0", "X2"))
        tables["kin"] = frame("volunteer_id resident_id", ("V0", "X1"), ("V1", "X2"), ("V1", "X1"))
    teams = replace(gm.Policy().teams, together_minutes=float(rng.choice([0, 1.5, 20, 300])))
    return tables, replace(gm.Policy(), teams=teams)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_crowded_villages_with_bonds(seed):
    tables, policy = crowded(seed)
    problem = gm.Problem.from_tables(tables, policy=policy)
    plan = gm.match(problem)
    best = best_cost(problem)
    assert round(plan.certificate.bound * 100) == best == round(plan.certificate.primal * 100)
    assert plan.certificate.verified
    shuffled = {name: table.sample(frac=1, random_state=seed) for name, table in tables.items()}
    again = gm.match(gm.Problem.from_tables(shuffled, policy=policy))
    assert again.certificate.primal == plan.certificate.primal


def test_apart_is_told_only_where_nothing_else_would_help():
    told = 0
    for seed in range(40):
        tables, policy = crowded(seed)
        plan = gm.match(gm.Problem.from_tables(tables, policy=policy))
        for row in plan.unmet[plan.unmet["reason"] == "apart"].itertuples():
            told += 1
            only = {
                name: table[table["request_id"] == row.request_id] if "request_id" in table else table
                for name, table in tables.items()
            }
            free = gm.match(gm.Problem.from_tables(only, policy=policy))  # with nobody else to serve
            assert free.unmet["people"].sum() >= 1
            del only["bonds"]
            served = gm.match(gm.Problem.from_tables(only, policy=policy))
            assert len(served.assignments) > len(free.assignments)
    assert told >= 10


# by hand


def two_wanted(people, **more):
    """A town in which two are wanted at once for one request."""
    asked = [request("R1", "C1", "art", window="sat 08:00-12:00", people=2, min_serve=2)]
    return town({name: ("art", "08:00-12:00") for name in people}, asked, **more)


def everybody(plan):
    return {name for _, name, _ in sent(plan)}


def test_who_keeps_apart_is_never_sent_to_one_request():
    assert everybody(gm.match(gm.Problem.from_tables(two_wanted(["V1", "V2"])))) == {"V1", "V2"}
    parted = bonds(("V1", "V2", "apart"))
    plan = gm.match(gm.Problem.from_tables(two_wanted(["V1", "V2"], bonds=parted)))
    (row,) = plan.unmet.to_dict("records")
    assert (row["reason"], row["reason_zh"]) == ("apart", "合格者之间须回避同组,能同时到场者不足")
    assert row["eligible"] == 2
    assert "too few of those who are eligible may come together" in str(gm.explain(plan, "R1"))
    plan = gm.match(gm.Problem.from_tables(two_wanted(["V1", "V2", "V3"], bonds=parted)))
    assert "V3" in everybody(plan)
    assert len(everybody(plan)) == 2
    assert plan.certificate.termination == "optimal"
    (left,) = {"V1", "V2"} - everybody(plan)
    (came,) = {"V1", "V2"} & everybody(plan)
    told = gm.explain(plan, "R1").candidates.set_index("provider_id")["bonds"]
    assert told[left] == f"kept apart from {came} 须与 {came} 回避同组"
    assert told["V3"] == ""


def test_two_who_keep_apart_may_serve_two_requests_at_the_same_hour():
    tables = two_wanted(["V1", "V2"], bonds=bonds(("V2", "V1", "apart")))
    tables["requests"] = pd.DataFrame(
        [request(f"R{i}", "C1", "art", window="sat 08:00-12:00") for i in range(2)]
    )
    problem = gm.Problem.from_tables(tables)
    assert "bonds" not in problem.features  # nobody works beside another
    assert len(gm.match(problem, method="flow").assignments) == 2


def test_who_prefers_another_comes_with_that_one_where_the_price_says_so():
    tables = two_wanted(["V1", "V2", "V3"], bonds=bonds(("V3", "V2", "together")))
    tables["volunteers"].loc[2, ["lat", "lon"]] = 30.53, 120.6  # V3 has a way to go
    plan = gm.match(gm.Problem.from_tables(tables))
    assert everybody(plan) == {"V2", "V3"}
    assert plan.assignments["bond_cost"].tolist() == [0, 0]
    told = gm.explain(plan, "R1").candidates.set_index("provider_id")["bonds"]
    assert told["V3"] == "prefers to come with V2 愿与 V2 同组"
    cheap = replace(gm.Policy(), teams=replace(gm.Policy().teams, together_minutes=3))
    plan = gm.match(gm.Problem.from_tables(tables, policy=cheap))
    rows = plan.assignments.set_index("provider_id")
    assert rows["bond_cost"].to_dict() == {"V1": 0, "V2": 3}  # V2 came without V3
    assert rows.loc["V2", "cost_minutes"] == 3 + rows.loc["V2", "travel_cost"]


def test_several_at_once_without_teams_are_a_flow_that_is_mended():
    asked = [request("R1", "C1", "art", window="sat 08:00-12:00", people=2)]
    people = {f"V{i}": ("art", "08:00-12:00") for i in range(3)}
    tables = town(people, asked, bonds=bonds(("V0", "V1", "apart")))
    problem = gm.Problem.from_tables(tables)
    assert problem.features == {"bonds"}
    plan = gm.match(problem)
    assert "V2" in everybody(plan)
    assert len(plan.assignments) == 2
    assert plan.certificate.termination == "optimal"
    with pytest.raises(gm.UnsupportedFeature, match="not supported yet: bonds"):
        gm.match(problem, method="flow")
    tables = town({"V0": people["V0"], "V1": people["V1"]}, asked, bonds=bonds(("V0", "V1", "apart")))
    plan = gm.match(gm.Problem.from_tables(tables))
    assert len(plan.assignments) == 1
    assert plan.unmet[["people", "reason"]].to_numpy().tolist() == [[1, "apart"]]


def test_a_flow_that_keeps_the_bonds_by_itself_is_the_optimum():
    asked = [request("R1", "C1", "art", window="sat 08:00-12:00", people=2)]
    people = {f"V{i}": ("art", "08:00-12:00") for i in range(3)} | {"V3": ("care", "08:00-12:00")}
    plan = gm.match(gm.Problem.from_tables(town(people, asked, bonds=bonds(("V0", "V3", "apart")))))
    assert plan.certificate.rounds == 1
    assert plan.certificate.termination == "optimal"


def test_rounds_refuse_bonds_by_name():
    tables = two_wanted(["V1", "V2"], bonds=bonds(("V1", "V2", "apart")))
    tables["requests"]["min_serve"] = None
    tables["requests"]["latest"] = tables["requests"]["earliest"] + pd.Timedelta(minutes=240)
    rounds = replace(gm.Policy(), rounds=replace(gm.Policy().rounds, on=True))
    with pytest.raises(gm.UnsupportedFeature, match="bonds"):
        gm.match(gm.Problem.from_tables(tables, policy=rounds))


def test_bonds_beside_pins():
    tables = two_wanted(["V1", "V2", "V3"], bonds=bonds(("V1", "V2", "apart")))
    tables["pins"] = frame("request_id provider_id action", ("R1", "V1", "assign"), ("R1", "V2", "assign"))
    plan = gm.match(gm.Problem.from_tables(tables))
    assert plan.unmet["reason"].tolist() == ["apart"]
    tables["pins"] = frame("request_id provider_id action", ("R1", "V1", "assign"), ("R1", "V3", "assign"))
    assert everybody(gm.match(gm.Problem.from_tables(tables))) == {"V1", "V3"}


def test_bonds_beside_an_announced_plan():
    tables = two_wanted(["V1", "V2", "V3"])
    policy = replace(gm.Policy(), stability=replace(gm.Policy().stability, change_minutes=50))
    before = gm.match(gm.Problem.from_tables(tables, policy=policy))
    one, other = sorted(everybody(before))
    tables["bonds"] = bonds((one, other, "apart"))
    plan = gm.match(gm.Problem.from_tables(tables, policy=policy), incumbent=before)
    assert plan.changes["kind"].value_counts()["kept"] == 1
    assert plan.certificate.termination == "optimal"


# neutrality


def dispute():
    """Two mediators are wanted; one of three is kin of a party."""
    tables = two_wanted(["V1", "V2", "V3"])
    tables["residents"] = frame("resident_id", ("P1",), ("P2",), ("P3",))
    tables["parties"] = frame("request_id resident_id", ("R1", "P1"), ("R1", "P2"))
    tables["kin"] = frame("volunteer_id resident_id", ("V2", "P2"), ("V1", "P3"))
    return tables


def test_mediators_are_neutral_to_both_parties():
    plan = gm.match(gm.Problem.from_tables(dispute()))
    assert everybody(plan) == {"V1", "V3"}
    tables = dispute()
    tables["kin"] = frame("volunteer_id resident_id", *((f"V{i}", "P1") for i in (1, 2, 3)))
    plan = gm.match(gm.Problem.from_tables(tables))
    assert plan.unmet[["reason", "eligible"]].to_numpy().tolist() == [["excluded", 3]]


def test_other_requests_bring_other_parties():
    problem = gm.Problem.from_tables(dispute())
    requests = dispute()["requests"]
    assert "V2" in problem.supply.provider_id[problem.demand.forbid_provider]
    assert not len(problem.with_requests(requests).demand.forbid_provider)
    again = problem.with_requests(requests, parties=dispute()["parties"])
    assert again.demand.forbid_provider.tolist() == problem.demand.forbid_provider.tolist()


def test_visits_of_a_recurring_dispute_are_neutral():
    tables = dispute()
    tables["requests"]["people"], tables["requests"]["min_serve"] = 1, None
    tables["visits"] = frame("request_id weeks", ("R1", 1))
    tables["kin"] = frame("volunteer_id resident_id", ("V2", "P2"), ("V1", "P1"))
    plan = gm.match(gm.Problem.from_tables(tables))
    assert plan.assignments["provider_id"].tolist() == ["V3"]


# the verifier


@pytest.fixture(scope="module")
def bonded():
    tables = two_wanted(
        ["V1", "V2", "V3", "V4"], bonds=bonds(("V1", "V2", "apart"), ("V3", "V4", "together"))
    )
    tables["volunteers"].loc[3, ["lat", "lon"]] = 30.60, 120.6  # V4 lives too far away to pay
    problem = gm.Problem.from_tables(tables)
    plan = gm.match(problem)
    assert gm.verify(problem, plan).ok
    assert plan.assignments["bond_cost"].tolist() == [0, 20] or everybody(plan) == {"V3", "V4"}
    return tables, plan


def faults(tables, plan, assignments):
    found = gm.verify(gm.Problem.from_tables(tables), replace(plan, assignments=assignments)).faults
    return dict(zip(found["code"], found["message"], strict=True))


def test_people_who_keep_apart_are_found():
    tables = two_wanted(["V1", "V2"])
    plan = gm.match(gm.Problem.from_tables(tables))
    tables["bonds"] = bonds(("V2", "V1", "apart"))
    found = gm.verify(gm.Problem.from_tables(tables), plan).faults
    told = (
        found.loc[found["code"] == "not_apart", ["request_id", "provider_id", "message"]].to_numpy().tolist()
    )
    assert told == [
        ["R1", one, f"is sent to one request with {other!r}; the bonds keep the two apart"]
        for one, other in (("V1", "V2"), ("V2", "V1"))
    ]


def test_a_price_of_coming_alone_that_is_wrong_is_found():
    tables = two_wanted(["V1", "V2", "V3"], bonds=bonds(("V1", "V9", "together")))
    tables["volunteers"] = pd.concat(
        [tables["volunteers"], tables["volunteers"].head(1).assign(volunteer_id="V9")]
    )
    tables["bonds"] = bonds(("V1", "V9", "together"), ("V2", "V9", "together"), ("V3", "V9", "together"))
    plan = gm.match(gm.Problem.from_tables(tables))
    rows = plan.assignments
    assert rows["bond_cost"].tolist() == [20, 20]
    less = rows.assign(bond_cost=[20.0, 5.0], cost_minutes=rows["cost_minutes"] - [0, 15])
    found = faults(tables, plan, less)
    assert found["wrong_bond_cost"] == "bond_cost is 5.00; 20.00 by who comes without whom"
    assert "wrong_total" not in found
    assert "wrong_total" in faults(tables, plan, rows.assign(bond_cost=[20.0, 5.0]))
    tables["bonds"] = tables["bonds"].tail(0)
    found = gm.verify(gm.Problem.from_tables(tables), plan).faults.set_index("code")["message"]
    assert found["wrong_bond_cost"].iloc[0] == "bond_cost is 20.00; 0.00 by who comes without whom"
    assert "primal is" in found["primal_wrong"]


def test_kin_of_a_party_are_found():
    tables = dispute()
    kin = tables.pop("kin")
    tables["kin"] = kin.tail(1)
    tables["pins"] = frame("request_id provider_id action", ("R1", "V1", "forbid"))
    plan = gm.match(gm.Problem.from_tables(tables))
    assert everybody(plan) == {"V2", "V3"}
    tables["kin"] = kin
    found = gm.verify(gm.Problem.from_tables(tables), plan).faults
    told = found.loc[found["code"] == "not_neutral", ["provider_id", "message"]].to_numpy().tolist()
    assert told == [["V2", "a party of this request is kin of this provider"]]
    assert "forbidden_pair" not in set(found["code"])


def test_apart_as_a_reason_needs_two_who_keep_apart():
    tables = two_wanted(["V1", "V2"], bonds=bonds(("V1", "V2", "apart")))
    plan = gm.match(gm.Problem.from_tables(tables))
    tables["skills"] = tables["skills"].assign(skill=["art", "care"])
    problem = gm.Problem.from_tables(tables)
    messages = gm.verify(problem, plan).faults["message"].tolist()
    assert "reason 'apart'; no two who keep apart hold what it needs" in messages


# bad tables


@pytest.mark.parametrize(
    ("rows", "column", "code", "words"),
    [
        (
            [("V1", "V1", "apart")],
            "other_id",
            "self_reference",
            "both people are 'V1'; expected two different",
        ),
        (
            [("V1", "V2", "apart"), ("V2", "V1", "together")],
            "kind",
            "bond_conflict",
            "'V2 / V1' are kept apart by row 0 and prefer each other in this one; expected either",
        ),
        (
            [("V1", "V2", "apart"), ("V1", "V2", "together")],
            "provider_id",
            "duplicate_key",
            "earlier row has",
        ),
        ([("V1", "V7", "apart")], "other_id", "unknown_reference", "'V7' is not in volunteers"),
        ([("V1", "V2", "near")], "kind", "not_a_choice", "expected one of apart, together"),
    ],
)
def test_wrong_bonds_are_told(rows, column, code, words):
    with pytest.raises(gm.InvalidTables) as caught:
        gm.Problem.from_tables(two_wanted(["V1", "V2"], bonds=bonds(*rows)))
    told = caught.value.violations
    row = told[(told["table"] == "bonds") & (told["column"] == column)].iloc[-1]
    assert row["row"] == len(rows) - 1
    assert code == row["code"]
    assert words in row["message"]


def test_the_same_bond_both_ways_is_one():
    same = bonds(("V2", "V1", "together"), ("V1", "V2", "together"), ("V1", "V3", "apart"))
    problem = gm.Problem.from_tables(two_wanted(["V1", "V2", "V3"], bonds=same))
    assert problem.bonds.together.tolist() == [[0, 1]]
    assert problem.bonds.apart.tolist() == [[0, 2]]
    nothing = replace(gm.Policy(), teams=replace(gm.Policy().teams, together_minutes=0))
    again = gm.Problem.from_tables(two_wanted(["V1", "V2", "V3"], bonds=same), policy=nothing)
    assert len(again.bonds) == 1


def test_parties_are_those_of_the_request_that_is_matched():
    tables = dispute()
    more = request("R2", "C1", "art", window="sat 08:00-12:00", duplicate_of="R1")
    tables["requests"] = pd.DataFrame([*tables["requests"].to_dict("records"), more])
    tables["parties"] = frame("request_id resident_id", ("R2", "P1"))
    with pytest.raises(gm.InvalidTables, match="expected the party on the request that it duplicates"):
        gm.Problem.from_tables(tables)
    tables["parties"] = frame("request_id resident_id", ("R1", "P9"))
    with pytest.raises(gm.InvalidTables, match="'P9' is not in residents"):
        gm.Problem.from_tables(tables)
    kept = gm.Problem.from_tables(tables, on_error="drop")  # not served by whoever is not neutral
    assert "R1" not in kept.demand.request_id.tolist()


def test_alternates_get_on_with_those_who_are_sent():
    tables = two_wanted(["V1", "V2", "V3", "V4"])
    plan = gm.match(gm.Problem.from_tables(tables))
    one, other = sorted(everybody(plan))
    spare = sorted({"V1", "V2", "V3", "V4"} - {one, other})
    assert set(plan.alternates["provider_id"]) == set(spare)
    tables["bonds"] = bonds((spare[0], one, "apart"))
    tables["volunteers"].loc[tables["volunteers"]["volunteer_id"] == spare[0], ["lat", "lon"]] = (
        30.52,
        120.6,
    )
    plan = gm.match(gm.Problem.from_tables(tables))
    assert everybody(plan) == {one, other}
    assert plan.alternates["provider_id"].tolist() == [spare[1]]


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_bonds_beside_announced_plans_against_the_oracle(seed):
    tables, policy = crowded(seed)
    stable = replace(policy, stability=replace(policy.stability, change_minutes=float(seed % 3 * 15)))
    loose = {name: table for name, table in tables.items() if name != "bonds"}
    before = gm.match(gm.Problem.from_tables(loose, policy=stable))
    problem = gm.Problem.from_tables(tables, policy=stable)
    plan = gm.match(problem, incumbent=before)
    best = best_cost(problem, keys(before.assignments))
    assert round(plan.certificate.bound * 100) == best == round(plan.certificate.primal * 100)
