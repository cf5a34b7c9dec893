"""The benchmark of days with teams: its arrays, its check, its peer and its table."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import govmatch as gm
from benchmarks.coupled import core, plain, run, work
from benchmarks.coupled.check import cost_of
from benchmarks.coupled.days import SIZES, Arrays, arrays, load, save
from benchmarks.isolate import ProcessKilled
from govmatch.plan.team_wheel import team_tree
from tests.team_towns import random_team_town


def chain() -> Arrays:
    """A request alone, and a team of a survey and a repair that starts one or two steps later.

    Requests: 0 alone, 1 the survey, 2 and 3 the repair at two times. Two people, each with a day of two jobs
    of which the second costs 5 more.
    """

    def of(*values: int) -> np.ndarray:
        return np.array(values, np.int64)

    return Arrays(
        request=of(0, 1, 2, 3, 3),
        node=of(0, 0, 1, 2, 0),
        group=of(7, 7, 8, 8, 7),
        cost=of(10, 20, 30, 40, 1),
        demand=of(1, 1, 1, 1),
        unmet_cost=of(100, 0, 0, 0),
        capacity=of(2, 1, 1, 2, 2),
        parent=of(3, 4, 4, -1, -1),
        load_cost=of(0, 0, 0, 5, 5),
        worth=of(500),
        absence=of(250),
        fewest=of(2),
        role_team=of(0, 0),
        role_people=of(1, 1),
        must=np.array([True, True]),
        start_team=of(0),
        state_role=of(0, 1, 1),
        state_request=of(1, 2, 3),
        link_state=of(1, 2, 3),
        link_parent=of(0, 1, 1),
    )


def used(*arcs: int) -> np.ndarray:
    return np.isin(np.arange(5), arcs)


def test_a_plan_is_counted_again() -> None:
    assert cost_of(chain(), used()) == 100 + 500
    assert cost_of(chain(), used(0)) == 10 + 500
    assert cost_of(chain(), used(0, 1, 2)) == 10 + 20 + 5 + 30


def test_a_part_of_a_team_pays_for_who_is_absent() -> None:
    day = replace(chain(), must=np.array([True, False]), fewest=np.array([1]))
    assert cost_of(day, used(1)) == 100 + 20 + 250


@pytest.mark.parametrize(
    ("arcs", "changes", "message"),
    [
        ((1,), {}, "role 1 of team 0 gets 0 people, and asked for 1"),
        ((1, 2, 3), {"role_people": np.array([1, 2])}, "somebody serves a request or a team twice"),
        ((1, 2, 3), {"group": np.arange(5)}, "role 1 of team 0 starts at two times"),
        ((1, 4), {"group": np.arange(5), "capacity": np.ones(5, int)}, "node 0 carries 2, more than 1"),
        ((1, 4), {}, "somebody serves a request or a team twice"),
        ((1,), {"must": np.array([True, False])}, "team 0 has 1 people, fewer than 2"),
        (
            (1, 3),
            {"link_state": np.array([1, 2]), "link_parent": np.array([0, 1])},
            "team 0 has no start from which its roles start as they do",
        ),
        ((0,), {"demand": np.array([0, 1, 1, 1])}, "request 0 gets 1 people, and asked for 0"),
    ],
)
def test_a_plan_that_breaks_a_rule_is_refused(
    arcs: tuple[int, ...], changes: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(ValueError) as refused:
        cost_of(replace(chain(), **changes), used(*arcs))
    assert str(refused.value) == message


def test_the_peer_solves_a_chain() -> None:
    found, bound, _ = plain.solve(chain(), 10)
    assert found is not None
    assert cost_of(chain(), found) == 65 == bound


@pytest.mark.parametrize("seed", [1, *range(3, 16)])
def test_the_peer_and_we_find_the_same_cost_in_a_town(seed: int, tmp_path: Path) -> None:
    problem = gm.Problem.from_tables(random_team_town(seed))
    plan = gm.match(problem)
    assert len(plan.search.units.team), "the seeds are those of towns with a team"
    day = arrays(plan.search.instance, team_tree(problem, plan.search.units))
    save(tmp_path / "day.npz", day)
    again = load(tmp_path / "day.npz")
    assert all((getattr(again, name) == values).all() for name, values in vars(day).items())
    ours = cost_of(day, plan.search.solution.flow > 0)
    found, bound, _ = plain.solve(again, 20)
    assert found is not None
    assert cost_of(again, found) == bound, "the town is small enough to be proved"
    # the arcs are not all pairs: our bound over all is no more than the model's over them
    assert plan.certificate.gap == 0
    assert cost_of(again, found) == ours


def test_the_quick_run_from_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme, kept = tmp_path / "README.md", tmp_path / "run.json"
    readme.write_text("before\n<!-- coupled:start -->\nold\n<!-- coupled:end -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(run, "README", readme)
    run.main(["--quick", "--seed", "5", "--seconds", "20", "--write-readme", "--json", str(kept)])
    out = capsys.readouterr().out
    text = readme.read_text(encoding="utf-8")
    assert out.strip() in text and "old" not in text
    assert text.startswith("before\n") and text.endswith("after\n")
    (measured,) = json.loads(kept.read_text(encoding="utf-8"))["sizes"]["quick"]
    ours, peer = measured["ours"], measured["cpsat"]
    assert measured["requests"] == 40
    assert ours["gap"] == 0 and ours["termination"] == "optimal"
    assert peer["cost"] == peer["bound"] == ours["cost"]
    assert "| Xishan, 40 requests | 40 |" in out and "synthetic 合成人员" in out


def fake(**changes: object) -> dict[str, object]:
    ours = {
        "cost": 20_000, "bound": 19_960, "gap": 0.002, "termination": "searched", "match": 9.0,
        "seconds": 10.0, "mb": 200.0, "arcs": 5_000, "teams": 30, "served": 28,
    }  # fmt: skip
    return ours | changes


def told(*runs: tuple[object, object], size: str = "xishan") -> str:
    setup = {
        "date": "2026-01-01", "machine": "M", "cores": 2, "load": None, "python": "3.11", "seed": 1,
        "repeat": len(runs), "seconds": 60.0,
    }  # fmt: skip
    rows = [{"seed": 1, "requests": 300, "ours": ours, "cpsat": peer} for ours, peer in runs]
    return run.table({"setup": setup, "sizes": {size: rows}}).splitlines()[-1]


PEER = {"seconds": 60.0, "build": 4.0, "mb": 300.0, "bound": 15_000.0, "cost": 30_000, "gap": 0.5}


def test_the_table_shows_both_sides() -> None:
    assert told((fake(), PEER)) == (
        "| Xishan, a day | 300 | 28 of 30 | 5,000 | 200.00 | 199.60 | **0.200 %** | "
        "searched | 9.0 | 10.0 | 200 | "
        "300.00 | 150.00 | 50.000 % | 4.0 + 56.0 | 300 | 1.5000 | ≤ 0.5 % in 60 s: ✓ |"
    )


def test_a_goal_needs_the_gap_and_the_time() -> None:
    assert told((fake(gap=0.006), PEER)).endswith("| ≤ 0.5 % in 60 s: **not reached** |")
    assert told((fake(seconds=60.5), PEER)).endswith("| ≤ 0.5 % in 60 s: **not reached** |")
    assert told((fake(gap=0.9), PEER), size="stress").endswith("| none |")


def test_what_failed_is_not_passed_over() -> None:
    assert told((None, None), (fake(), PEER)) == (
        "| Xishan, a day | 300 | – | – | failed 1 of 2 times |" + " – |" * 12 + " ≤ 0.5 %: **not reached** |"
    )
    silent = PEER | {"cost": None, "gap": None, "bound": 0.0}
    row = told((fake(), PEER), (fake(), silent))
    assert "| no plan for 1 of 2 | 75.00 | – | 4.0 + 56.0 | 300 | – |" in row
    assert "| ended without a word | – | – | – | – | – |" in told((fake(), None))


def test_a_process_that_the_system_ends_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def given(arguments: list[str], cap: float, module: str) -> dict[str, object] | None:
        if arguments[0] == "make":
            return {"requests": 3}
        if arguments[0] == "cpsat":
            raise ProcessKilled("cpsat was ended by signal 9")
        return fake()

    monkeypatch.setattr(run, "in_own_process", given)
    assert run._measure("xishan", 1, 60.0, tmp_path) == {"requests": 3, "ours": fake(), "cpsat": None}
    monkeypatch.setattr(run, "in_own_process", lambda *_: None)
    with pytest.raises(RuntimeError, match="the tables of xishan with seed 1 could not be made in 420 s"):
        run._measure("xishan", 1, 60.0, tmp_path)


def test_a_piece_of_work_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables, arcs = str(tmp_path / "tables.pickle"), str(tmp_path / "arcs.npz")
    work.main(["make", "quick", "3", tables])
    work.main(["ours", tables, arcs, "20"])
    work.main(["cpsat", arcs, "20"])
    made, ours, peer = map(json.loads, capsys.readouterr().out.splitlines())
    assert made == {"requests": 40}
    assert ours["cost"] == ours["bound"] == peer["cost"] == peer["bound"]


def test_an_unknown_size_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["--sizes", "xishan,mars"])
    assert f"mars: not one of {', '.join(SIZES)}" in capsys.readouterr().err


def test_both_solvers_prove_the_same_of_a_core(capsys: pytest.CaptureFixture[str]) -> None:
    core.main(["--requests", "40", "--coupled", "0.3", "--seconds", "20"])
    lines = capsys.readouterr().out.splitlines()
    assert lines, "the match was proved without a core"
    for line in lines:
        found = re.fullmatch(
            r"[\d,]+ arcs, \d+ teams: HiGHS [\d.]+ s, bound (\d+); CP-SAT [\d.]+ s, bound (\d+)", line
        )
        assert found, line
        assert found[1] == found[2]
