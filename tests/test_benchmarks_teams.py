"""The teams benchmark: its days, its peer and its table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.teams import plain, run, work
from benchmarks.teams.days import day
from govmatch.solve import teams
from govmatch.solve.team_instance import check, faults, plan_cost


def test_a_day_is_made_as_said() -> None:
    instance = day(40, 60, 3)
    check(instance)
    roles = np.bincount(instance.role_request, minlength=40)
    assert set(roles) == {1, 2, 3}
    assert set(instance.count) == {1, 2}
    assert np.bincount(instance.arc_role).max() <= 20
    again = day(40, 60, 3)
    assert (again.cost == instance.cost).all() and (again.node == instance.node).all()


def test_the_peer_finds_the_same_cost_on_a_small_day() -> None:
    instance = day(12, 15, 5)
    used, bound = plain.solve(instance, 10)
    assert used is not None and faults(instance, used) == []
    ours = teams.solve(instance)
    assert bound == pytest.approx(plan_cost(instance, used))
    assert ours.bound <= plan_cost(instance, used) <= ours.cost


def test_the_programme_prints_and_writes_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("<!-- teams:start -->\n<!-- teams:end -->\n", encoding="utf-8")
    monkeypatch.setattr(run, "README", readme)

    def given(arguments: list[str], seconds: float) -> dict[str, float | None] | None:
        if arguments[0] == "cpsat":
            return None
        return {"seconds": 1.0, "mb": 200.0, "cost": 100, "gap": 0.002}

    monkeypatch.setattr(run, "_give", given)
    run.main(["--quick", "--seed", "1", "--write-readme", "--json", str(tmp_path / "run.json")])
    row = "| 100 × 150 | 2 | **0.200 %** | 1.0 | 200 | – | no answer | – | ≤ 0.1 %: **not reached** |"
    assert row in capsys.readouterr().out
    assert row in readme.read_text(encoding="utf-8")


def test_a_piece_of_work_says_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    work.main("ours", 20, 40, 1, 5.0)
    assert '"gap": 0.0' in capsys.readouterr().out


def test_runs_that_failed_are_not_passed_over() -> None:
    good = {"seconds": 1.0, "mb": 200.0, "cost": 100, "gap": 0.0}
    sizes = {"a": (1, 1, 30.0, 0.1), "b": (1, 1, 30.0, 0.1)}
    rows = {
        "a": {"ours": [good, None], "cpsat": [good, good]},
        "b": {"ours": [good, good], "cpsat": [good, None]},
    }
    text = run.table(rows, sizes, 1)
    assert "| a | 30 | failed 1 times | – | – | – | – | – | **not reached** |" in text
    assert "| b | 30 | **0.000 %** | 1.0 | 200 | – | no answer to 1 of 2 | – | ≤ 0.1 %: ✓ |" in text
