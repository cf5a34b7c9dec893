"""The benchmark of kinds, as far as it is quick: its peer, its check, its table."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

import govmatch as gm
from benchmarks.isolate import ProcessKilled
from benchmarks.kinds import plain, read, run, work
from benchmarks.kinds.check import cost_of
from tests.coupled_towns import KINDS, coupled_problem
from tests.plain_peer import beside_the_optimum
from tests.recurring import recurring_town

# the plan beside the optimum


def agrees(problem):
    """Compare a town's plan with the optimum."""
    faults, _, _ = beside_the_optimum(problem)
    assert faults == []


@pytest.mark.parametrize("kind", ["none", *KINDS])
@pytest.mark.parametrize("seed", [1007, 1024, 1026, 1039])
def test_each_kind_is_as_cheap_as_the_model_proves(kind, seed):
    agrees(coupled_problem(seed, [kind], 9))


@pytest.mark.parametrize("kinds", [*combinations(KINDS, 2), *combinations(KINDS[:6], 3), KINDS[:7], KINDS])
def test_kinds_together_are_as_cheap_as_the_model_proves(kinds):
    agrees(coupled_problem(3000 + sum(map(len, kinds)), kinds, 8))


@pytest.mark.parametrize("seed", [7066, 7117])
def test_seats_that_are_worth_it_only_for_a_floor_are_verified(seed):
    agrees(coupled_problem(seed, ["sessions", "floors"], 9))


@pytest.mark.parametrize("seed", range(3))
def test_faces_are_as_few_as_the_model_proves(seed):
    tables, _, _, policy, horizon = recurring_town(seed)
    agrees(gm.Problem.from_tables(tables, policy=policy, horizon=horizon))


# the check


def planned(kinds, seed):
    """Return the day and the answer of a town's plan."""
    plan = gm.match(coupled_problem(seed, kinds, 9))
    day = read.day_of(plan)
    return day, read.answer_of(plan, day)


def changed(day, part, /, **columns):
    """Return the day with other columns in one of its parts."""
    return replace(day, **{part: replace(getattr(day, part), **columns)})


BROKEN = {
    "people": ("none", 1000, "asked", "people", 0, r"request \d+ gets \d people, and asked for 0"),
    "slots": ("none", 1000, "offered", "slot_capacity", 0, r"slot \(\d+,\) has \d jobs, more than 0"),
    "days": ("none", 1000, "offered", "day_cap", 0, r"day \(\d+, \d+\) has \d jobs, more than 0"),
    "weeks": ("none", 1000, "offered", "week_cap", 0, r"week \(\d+, \d+\) has \d jobs, more than 0"),
    "firms": ("none", 1002, "offered", "firm_week_cap", 0, r"organisation \(\d+, \d+\) has \d jobs, more"),
    "hours": (
        "none",
        1000,
        "offered",
        "minutes_per_week",
        1,
        r"volunteer \d+ uses \d+ in a week, more than 1",
    ),
    "away": ("none", 1002, "rules", "away_per_week", 0, r"community \d+ uses \d in a week, more than 0"),
    "quotas": ("limits", 1018, "rules", "quota", 0, r"agreement \d+ uses \d in a week, more than 0"),
    "fewest": ("teams", 1014, "asked", "fewest", 99, r"request \d+ gets \d people, fewer than 99"),
    "roles": (
        "teams",
        1014,
        "asked",
        "role_people",
        0,
        r"role \d+ of request \d+ gets \d people, and asked for 0",
    ),
    "starts": (
        "teams",
        1014,
        "asked",
        "start_minute",
        0,
        r"request \d+ has no start from which its roles start",
    ),
    "stocks": ("goods", 1002, "stocks", "lots", 0, r"stock \d+ gives \d+ lots, more than 0"),
    "needs": (
        "goods",
        1002,
        "stocks",
        "want_lots",
        99,
        r"request \d+ gets .* lots by day; it needs 99 on one",
    ),
    "seats": ("sessions", 1004, "offered", "session_fewest", 99, r"session \d+ has \d people, fewer than 99"),
    "faces": ("recurrence", 1002, "rules", "face_most", 0, r"series \d+ has \d faces, more than 0"),
}
"""By rule: a town, and what is made too tight for its plan."""


@pytest.mark.parametrize("rule", BROKEN)
def test_a_plan_that_breaks_a_rule_is_found_out(rule):
    kind, seed, part, column, value, message = BROKEN[rule]
    day, answer = planned([kind], seed)
    everywhere = np.full(len(getattr(getattr(day, part), column)), value)
    with pytest.raises(ValueError, match=message):
        cost_of(changed(day, part, **{column: everywhere}), answer)


def test_a_reserve_that_nobody_may_leave_is_found_out():
    day, answer = planned(["none"], 1000)
    everybody = np.ones(len(day.offered.slot_provider), bool)
    day = changed(day, "offered", slot_certified=everybody)
    cost_of(day, answer)
    with pytest.raises(ValueError, match=r"\d of \d certified people of town \d+ are sent within an hour"):
        cost_of(changed(day, "rules", reserve_share=Fraction(1)), answer)


def test_people_who_keep_apart_and_households_that_do_not_sit_together_are_found_out():
    day, answer = planned(["teams"], 1016)
    there = {}
    for pair in answer.sent.nonzero()[0].tolist():
        there.setdefault(int(day.pair_request[pair]), []).append(int(day.pair_provider[pair]))
    one, other = next(who for who in there.values() if len(set(who)) > 1)[:2]
    day = changed(day, "rules", apart=np.array([[one, other]]))
    with pytest.raises(ValueError, match=f"providers {one} and {other} keep apart, and both serve request"):
        cost_of(day, answer)
    day, answer = planned(["sessions"], 1031)
    together = np.zeros(len(day.asked.people), np.int64)
    with pytest.raises(ValueError, match=r"requests \[.*\] of one household do not sit together"):
        cost_of(changed(day, "asked", household=together), answer)


def test_nobody_serves_a_request_twice():
    day, answer = planned(["none"], 1003)
    [first, *_] = answer.sent.nonzero()[0].tolist()
    own = (day.pair_request == day.pair_request[first]) & (day.pair_provider == day.pair_provider[first])
    everywhere = replace(answer, sent=answer.sent + (own & (answer.sent == 0)))
    day = changed(day, "asked", people=np.full(len(day.asked.people), 99))
    with pytest.raises(ValueError, match="somebody serves a request twice"):
        cost_of(day, everywhere)


def test_goods_come_on_the_day_on_which_the_request_starts():
    day, answer = planned(["goods"], 1002)
    later = changed(day, "asked", day=day.asked.day + 1)
    with pytest.raises(ValueError, match=r"goods of request \d+ come on another day than it starts"):
        cost_of(later, answer)


# the work of each process


def test_a_day_is_planned_and_kept_for_the_peer(tmp_path):
    told = work.measure("xishan", ["goods"], 0.1, 1, 5.0, tmp_path / "day")
    assert told["goods"] > 0
    assert told["gap"] < 0.05
    day = pickle.loads((tmp_path / "day").read_bytes())
    assert (told["pairs"], told["ways"]) == (day.n_pairs, len(day.stocks.way_cost))
    assert told["bound"] <= told["cost"]


def test_floors_are_a_policy(tmp_path):
    told = work.measure("xishan", ["limits", "floors"], 0.1, 1, 5.0, tmp_path / "day")
    assert (told["goods"], told["held"]) == (0, 0)


def test_rounds_are_a_policy_and_have_no_peer(tmp_path):
    told = work.measure("xishan", ["rounds"], 0.1, 1, 5.0, tmp_path / "day")
    assert told["termination"] == "time_limit"
    assert told["gap"] < 0.5
    assert told["pairs"] > 1000
    assert not (tmp_path / "day").exists()


def test_the_peer_tells_what_its_plan_costs(tmp_path, capsys):
    day, answer = planned(["teams"], 1000)
    (tmp_path / "day").write_bytes(pickle.dumps(day))
    work.main(["peer", str(tmp_path / "day"), "20"])
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["cost"]) == ("optimal", cost_of(day, answer)[0])


def test_a_peer_that_is_wrong_is_found_out(tmp_path, monkeypatch):
    day, answer = planned(["none"], 1000)
    (tmp_path / "day").write_bytes(pickle.dumps(day))
    cost, _ = cost_of(day, answer)

    def say(status, cost):
        told = plain.Outcome(answer, status, cost, 1, 0, 0.0)
        monkeypatch.setattr(plain, "solve", lambda day, seconds: told)

    for status, wrong in (("feasible", cost - 1), ("optimal", cost + 1)):
        say(status, wrong)
        with pytest.raises(ValueError, match=f"says that its plan costs {wrong} and leaves 0 assigned"):
            work.peer(tmp_path / "day", 1.0)
    say("feasible", cost + 1)  # it charges for what nobody does
    assert work.peer(tmp_path / "day", 1.0)["cost"] == cost


def test_a_peer_without_a_plan_has_no_cost(tmp_path, monkeypatch):
    day, _ = planned(["none"], 1000)
    (tmp_path / "day").write_bytes(pickle.dumps(day))
    none = plain.Outcome(None, "unknown", None, None, 0, 0.5)
    monkeypatch.setattr(plain, "solve", lambda day, seconds: none)
    told = work.peer(tmp_path / "day", 1.0)
    assert (told["cost"], told["status"], told["build"]) == (None, "unknown", 0.5)


# the table

OURS = {
    "requests": 3000, "unserved": 7, "goods": 0, "held": 2, "pairs": 160_000, "ways": 0, "cost": 100_000,
    "left": 0, "bound": 99_000, "gap": 0.0012, "termination": "searched", "seconds": 9.91, "mb": 700.0,
}  # fmt: skip
THEIRS = {
    "cost": 150_000, "status": "feasible", "build": 1.0, "seconds": 61.0, "mb": 2000.0, "left": 0, "bound": 1
}  # fmt: skip


def shown(monkeypatch, capsys, ours, theirs):
    def give(given, cap, module):
        told = ours if given[0] == "ours" else theirs
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(run, "in_own_process", give)
    run.main(["--seed", "1", "--sets", "teams"])
    out = capsys.readouterr().out
    assert "synthetic" in out
    [row] = [line for line in out.splitlines() if line.startswith("| teams |")]
    assert row.count("|") == len(run.HEADER) + 1
    return row


def test_both_stand_side_by_side(monkeypatch, capsys):
    row = shown(monkeypatch, capsys, OURS, THEIRS)
    assert "| 160,000 | 0 | 1,000.00 | 990.00 | **0.120 %** | searched | 9.9 | 700 |" in row
    assert row.endswith("| 1,500.00 | feasible | 1.0 + 60.0 | 2,000 | 1.5000 |")


def test_a_peer_without_a_plan_says_so(monkeypatch, capsys):
    row = shown(monkeypatch, capsys, OURS, {**THEIRS, "cost": None, "status": "unknown"})
    assert row.endswith("| no plan | unknown | 1.0 + 60.0 | 2,000 | – |")


@pytest.mark.parametrize("lost", [None, ProcessKilled("ended by signal 9")])
def test_whoever_ends_without_a_word_says_nothing(monkeypatch, capsys, lost):
    row = shown(monkeypatch, capsys, OURS, lost)
    assert row.endswith("| ended without a word | – | – | – | – |")
    assert "| teams | no answer | – |" in shown(monkeypatch, capsys, lost, THEIRS)


def test_who_leaves_more_of_what_is_assigned_is_not_just_cheaper(monkeypatch, capsys):
    row = shown(monkeypatch, capsys, OURS, {**THEIRS, "cost": 90_000, "left": 2})
    assert "| 900.00, 2 assigned fewer served |" in row


def test_every_set_of_the_table_is_of_known_kinds():
    known = {"floors", "teams", "sessions", "goods", "bonds", "limits", "recurrence", "rounds"}
    assert {kind for kinds in run.SETS for kind in kinds.split("+")} <= known
