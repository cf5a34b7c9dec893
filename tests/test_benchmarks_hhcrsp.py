"""Home health care: a file is read, solved and checked, and the checker finds what was tampered with."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import govmatch as gm
from benchmarks.hhcrsp import __main__ as programme
from benchmarks.hhcrsp.check import check
from benchmarks.hhcrsp.instances import read, routes

GIVEN: dict[str, Any] = {
    "central_offices": [{"id": "d", "location": [0, 0]}],
    "services": [{"id": "s1", "default_duration": 10.0}, {"id": "s2", "default_duration": 10.0}],
    "caregivers": [
        {"id": "c1", "abilities": ["s1", "s2"]},
        {"id": "c2", "abilities": ["s2"]},
    ],
    "patients": [
        {
            "id": "p1",
            "location": [3, 4],
            "time_window": [20.0, 30.0],
            "required_caregivers": [{"service": "s1", "duration": 10.0}],
        },
        {
            "id": "p2",
            "location": [6, 8],
            "time_window": [0.0, 60.0],
            "required_caregivers": [{"service": "s1", "duration": 5.0}, {"service": "s2", "duration": 7.0}],
            "synchronization": {"type": "sequential", "distance": [4, 9]},
        },
    ],
    "distances": [[0, 5.125, 10.25], [5.125, 0, 5.125], [10.25, 5.125, 0]],
}

ROUTES: list[dict[str, Any]] = [
    {
        "caregiver": "c1",
        "stops": [
            {"patient": "p1", "service": "s1", "start": 20.0},
            {"patient": "p2", "service": "s1", "start": 35.125},
        ],
    },
    {"caregiver": "c2", "stops": [{"patient": "p2", "service": "s2", "start": 39.125}]},
]


def test_routes_that_are_right_cost_what_a_hand_counts() -> None:
    faults, parts = check(GIVEN, ROUTES)
    assert faults == []
    assert parts == {
        "distance": pytest.approx(20.5 + 20.5),
        "total_tardiness": 0.0,
        "max_tardiness": 0.0,
        "cost": pytest.approx(41 / 3),
    }
    late = copy.deepcopy(ROUTES)
    late[0]["stops"][0]["start"], late[0]["stops"][1]["start"] = 32.5, 61.0
    late[1]["stops"][0]["start"] = 65.0
    faults, parts = check(GIVEN, late)
    assert faults == []
    assert (parts["total_tardiness"], parts["max_tardiness"]) == (2.5 + 1.0 + 5.0, 5.0)


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (lambda r: r.pop(), "not every carer has exactly one route"),
        (lambda r: r[1]["stops"].clear(), "p2: not all that is required is done"),
        (
            lambda r: r[0]["stops"][0].update(start=19.0),
            "s1 at p1 by c1: begins at 19.0, before the window opens",
        ),
        (lambda r: r[0]["stops"][0].update(start=float("nan")), "s1 at p1 by c1: begins at nan"),
        (lambda r: r[0]["stops"][1].update(start=35.0), "s1 at p2 by c1: begins at 35.0, before 35.125"),
        (lambda r: r[0]["stops"][0].update(service="s2"), "s2 at p1 by c1: not required, or done twice"),
        (lambda r: r[0]["stops"].append(dict(r[0]["stops"][1], start=80.0)), "s1 at p2 by c1: not required"),
        (lambda r: r[1]["stops"][0].update(start=44.25), "p2: begins 9.125 apart, not 4 to 9"),
        (lambda r: r[1]["stops"][0].update(start=39.0), "p2: begins 3.875 apart, not 4 to 9"),
        (lambda r: _swap_carers(r), "s1 at p1 by c2: not able"),
        (lambda r: r[0]["stops"].append(r[1]["stops"].pop()) or _later(r), "p2: one carer twice"),
    ],
)
def test_the_checker_names_what_was_tampered_with(tamper: Any, fault: str) -> None:
    routes = copy.deepcopy(ROUTES)
    tamper(routes)
    faults, _ = check(GIVEN, routes)
    assert any(found.startswith(fault) for found in faults), faults


def _swap_carers(routes: list[dict[str, Any]]) -> None:
    routes[0]["caregiver"], routes[1]["caregiver"] = "c2", "c1"


def _later(routes: list[dict[str, Any]]) -> None:
    routes[0]["stops"][2]["start"] = 41.0


def test_a_file_is_solved_and_its_routes_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, best = tmp_path / "one.json", tmp_path / "best.md"
    path.write_text(json.dumps(GIVEN), encoding="utf-8")
    best.write_text("| one.json | 41 | 0 | 0 | 13.6666667 | x |\n", encoding="utf-8")
    arguments = ["hhcrsp", str(path), "--seconds", "0.3", "--best", str(best)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--json"])
    assert programme.main() == 0
    told = json.loads(capsys.readouterr().out)
    assert told["faults"] == []
    assert told["cost"] == pytest.approx(41 / 3)
    assert told["gap_percent"] == pytest.approx(0, abs=1e-5)
    assert [route["caregiver"] for route in told["routes"]] == ["c1", "c2"]
    assert check(GIVEN, told["routes"]) == ([], {key: told[key] for key in check(GIVEN, ROUTES)[1]})
    monkeypatch.setattr(sys, "argv", arguments)
    assert programme.main() == 0
    assert "mean over 1 files: -0.00 % of the best known cost" in capsys.readouterr().out.replace(
        "+0.00", "-0.00"
    )


def test_wrong_routes_are_said_to_be_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(GIVEN), encoding="utf-8")
    monkeypatch.setattr(programme, "check", lambda given, routes: (["c1: gone"], check(given, routes)[1]))
    monkeypatch.setattr(sys, "argv", ["hhcrsp", str(path), "--seconds", "0.2"])
    assert programme.main() == 1
    assert "WRONG: c1: gone" in capsys.readouterr().out


def test_other_files_of_the_family_are_read(tmp_path: Path) -> None:
    """Two offices, a carer of the second, services at one time or with nothing between them, half minutes."""
    given = copy.deepcopy(GIVEN)
    given["central_offices"].append({"id": "e", "location": [9, 9]})
    given["caregivers"][1]["departing_point"] = "e"
    given["patients"][0]["required_caregivers"].append({"service": "s2", "duration": 12.5})
    given["patients"][1]["synchronization"] = {"type": "simultaneous"}
    given["distances"] = [[0, 9, 5.125, 10.25], [9, 0, 4, 3.5], [5.125, 4, 0, 5.125], [10.25, 3.5, 5.125, 0]]
    path = tmp_path / "two.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    read_, problem, step = read(path)
    assert (read_, step) == (given, 2)
    plan = gm.match(problem, time_limit=2.0)
    made = routes(given, plan, step)
    faults, parts = check(given, made)
    assert faults == []
    assert parts["cost"] == pytest.approx(plan.certificate.primal / step / 3, abs=1e-6)
    # both carers see both patients: 5.125 + 5.125 + 10.25 and 4 + 5.125 + 3.5
    assert parts["cost"] == pytest.approx((20.5 + 12.625) / 3)
    starts = {(s["patient"], s["service"]): s["start"] for route in made for s in route["stops"]}
    assert starts["p2", "s1"] == starts["p2", "s2"]


def test_times_that_tables_cannot_hold_are_refused(tmp_path: Path) -> None:
    given = copy.deepcopy(GIVEN)
    given["patients"][0]["time_window"] = [0.001, 30]
    path = tmp_path / "fine.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    with pytest.raises(
        ValueError, match="times are too fine, or services too long, for tables of whole minutes"
    ):
        read(path)
