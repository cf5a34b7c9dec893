"""The benchmark of kinds, as far as it is quick."""

from benchmarks.kinds import run, work


def test_a_day_with_goods_is_measured():
    told = work.measure("xishan", ["goods"], 0.1, 1, 5.0)
    assert told["goods"] > 0
    assert told["gap"] < 0.05


def test_floors_are_a_policy():
    told = work.measure("xishan", ["limits", "floors"], 0.1, 1, 5.0)
    assert (told["goods"], told["held"]) == (0, 0)


def test_rounds_are_a_policy():
    told = work.measure("xishan", ["rounds"], 0.1, 1, 5.0)
    assert told["termination"] == "time_limit"
    assert told["gap"] < 0.5


def test_the_table_has_a_row_for_each_set(monkeypatch, capsys):
    measured = {
        "requests": 3000, "unserved": 7, "goods": 0, "held": 2, "gap": 0.0012, "termination": "searched",
        "seconds": 9.91, "mb": 700.0,
    }  # fmt: skip
    monkeypatch.setattr(
        run, "in_own_process", lambda given, cap, module: None if "goods" in given[1] else measured
    )
    run.main(["--seed", "1"])
    out = capsys.readouterr().out
    assert "| teams | 3,000 | 7 | 0 | 2 | **0.120 %** | searched | 9.9 | 700 |" in out
    assert "| goods | – | – | – | – | no answer | – | – | – |" in out
    assert "synthetic" in out
