"""The recurrence benchmark: its weeks, its peer and its table."""

from __future__ import annotations

import govmatch as gm
from benchmarks.recurrence import plain, run
from benchmarks.recurrence.days import tables


def test_the_peer_finds_the_same_cost_on_a_small_town() -> None:
    plan = gm.match(gm.Problem.from_tables(tables(6, 3, 3, 1)))
    instance = run.instance_of(plan)
    flow, cost, bound = plain.solve(instance, 20, 100)
    assert flow is not None and cost is not None
    certificate = plan.certificate
    assert round(100 * certificate.bound) <= round(bound) <= cost <= round(100 * certificate.primal)
    assert cost >= 0.98 * 100 * certificate.primal
    made, few = run.few_faces(instance, flow)
    assert 0 < few <= made <= 1


def test_weeks_are_made_as_said() -> None:
    made = tables(30, 10, 4, 2)
    problem = gm.Problem.from_tables(made)
    assert problem.demand.n_requests == 30 * 4
    assert problem.synthetic
    assert made["requests"].equals(tables(30, 10, 4, 2)["requests"])


def test_the_programme_prints_and_writes_its_table(tmp_path, monkeypatch, capsys) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("<!-- recurrence:start -->\n<!-- recurrence:end -->\n", encoding="utf-8")
    monkeypatch.setattr(run, "README", readme)
    monkeypatch.setattr(run, "SIZES", {"20 × 5": (20, 5)})
    run.main(["--quick", "--seed", "1", "--write-readme"])
    row = "| 20 × 5 | 160 |"
    assert row in capsys.readouterr().out
    assert row in readme.read_text(encoding="utf-8")


def test_a_model_without_an_answer_is_told(monkeypatch) -> None:
    monkeypatch.setattr(plain, "solve", lambda *_: (None, None, 0.0))
    cells = run.measure("x", 4, 3, 5.0, 1)
    assert cells[5:] == ["no answer", cells[6], "–"]
