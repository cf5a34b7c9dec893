"""Read a file of the format of Ceschia, Di Gaspero, Rosati & Schaerf (2024) into our tables.

A caregiver is a volunteer of an office, a patient a request whose services are roles. The windows are soft: a
minute of lateness and a minute of the largest lateness cost what a minute of way costs.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

import govmatch as gm

SHIFT = 7 * 1440
"""Minutes of a shift: the files have no end of one, and the tables need one."""

DAY = pd.Timestamp("2026-01-05T00:00:00Z")

STEPS = (1, 2, 4, 5, 10, 20, 50, 100)
"""Minutes of the tables in a minute of the file: those of the tables are whole."""

POLICY = f"""
time_zone = "UTC"
[unmet]
base_minutes = 1000000
priority_minutes = 0
[route]
hop_minutes = {{ tier = 0 }}
[travel]
max_minutes = 1440
[load]
jobs_per_day = 1000
jobs_per_week = 7000
further_job_minutes = 0
[slots]
long_minutes = {SHIFT}
[rounds]
on = true
start = "organization"
cost = "round"
late_minutes = 1
largest_late_minutes = 1
"""


@dataclass(frozen=True, eq=False)
class Matrix:
    """Travel by a matrix: the place with number i lies at latitude i / 1000."""

    minutes_between: NDArray[np.float64]  # (n_places, n_places)

    @property
    def fingerprint(self) -> str:
        """Changes with the matrix."""
        return hashlib.sha256(self.minutes_between.tobytes()).hexdigest()

    def prepare(
        self,
        origin_lat: ArrayLike,
        origin_lon: ArrayLike,
        origin_mode: ArrayLike,
        destination_lat: ArrayLike,
        destination_lon: ArrayLike,
    ) -> MatrixPairs:
        """Find the numbers of the places."""
        origin, destination = (
            np.rint(np.asarray(lat) * 1000).astype(np.int64) for lat in (origin_lat, destination_lat)
        )
        return MatrixPairs(self.minutes_between, origin, destination)


@dataclass(frozen=True, eq=False)
class MatrixPairs:
    """Places of a `Matrix` by number."""

    minutes_between: NDArray[np.float64]
    origin: NDArray[np.int64]
    destination: NDArray[np.int64]

    def minutes(self, origins: NDArray[np.int32], destinations: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the minutes of pairs of positions."""
        return self.minutes_between[self.origin[origins], self.destination[destinations]]


def read(path: Path) -> tuple[dict[str, Any], gm.Problem, int]:
    """Return what the file says, the same as a problem, and the problem's minutes in one of the file's."""
    given = json.loads(path.read_text(encoding="utf-8"))
    step = _step(given)
    offices = [office["id"] for office in given["central_offices"]]
    placed = {"community_id": "all", "lon": 0.0}
    people, skills, free = [], [], []
    for carer in given["caregivers"]:
        # carers leave from and return to their own office where they name one
        office = carer.get("departing_point", offices[0])
        people.append({**placed, "volunteer_id": carer["id"], "organization_id": office})
        people[-1]["lat"] = offices.index(office) / 1000
        skills += [{"provider_id": carer["id"], "skill": name} for name in carer["abilities"]]
        end = DAY + pd.Timedelta(minutes=SHIFT)
        free.append({"provider_id": carer["id"], "start": DAY, "end": end})
    requests, roles = [], []
    for number, patient in enumerate(given["patients"], len(offices)):
        cares = patient["required_caregivers"]
        low, high = (_whole(x * step) for x in patient["time_window"])
        longest = max(_whole(care["duration"] * step) for care in cares)
        requests.append(
            {
                **placed,
                "request_id": patient["id"],
                "lat": number / 1000,
                "earliest": DAY + pd.Timedelta(minutes=low),
                "latest": DAY + pd.Timedelta(minutes=high + longest),
                "minutes": longest,
                "priority": 1,
            }
        )
        least, most = _apart(patient)
        for nth, care in enumerate(cares):
            roles.append(
                {
                    "request_id": patient["id"],
                    "role": f"{nth} {care['service']}",
                    "skill": care["service"],
                    "minutes": _whole(care["duration"] * step),
                    "after": f"0 {cares[0]['service']}" if nth else None,
                    "after_least": _whole(least * step) if nth else 0,
                    "after_most": _whole(most * step) if nth else 0,
                }
            )
    tables = {
        "communities": pd.DataFrame([{"community_id": "all", "name": "all", "lat": 0.0, "lon": 0.0}]),
        "organizations": pd.DataFrame(
            [
                {**placed, "organization_id": name, "name": name, "lat": i / 1000}
                for i, name in enumerate(offices)
            ]
        ),
        "volunteers": pd.DataFrame(people),
        "availability": pd.DataFrame(free),
        "skills": pd.DataFrame(skills),
        "requests": pd.DataFrame(requests),
        "roles": pd.DataFrame(roles),
    }
    travel = Matrix(np.array(given["distances"], dtype=np.float64) * step)
    horizon = (DAY, DAY + pd.Timedelta(minutes=SHIFT))
    policy = gm.Policy.from_text(POLICY, "hhcrsp")
    return given, gm.Problem.from_tables(tables, policy, travel=travel, horizon=horizon), step


def routes(given: dict[str, Any], plan: gm.Plan, step: int) -> list[dict[str, Any]]:
    """Return the timed route of every carer from the plan's assignments, in minutes of the file."""
    rows = plan.assignments.sort_values(["provider_id", "order"])
    starts = (rows["start"].dt.tz_convert("UTC") - DAY) / pd.Timedelta(minutes=1) / step
    stops: dict[str, list[dict[str, Any]]] = {carer["id"]: [] for carer in given["caregivers"]}
    for carer, patient, role, start in zip(
        rows["provider_id"], rows["request_id"], rows["role"], starts, strict=True
    ):
        stops[carer].append({"patient": patient, "service": role.split(" ", 1)[1], "start": round(start, 6)})
    return [{"caregiver": carer, "stops": made} for carer, made in stops.items()]


def _apart(patient: dict[str, Any]) -> tuple[float, float]:
    """Return how long after the first service the second begins, at least and at most."""
    together = patient.get("synchronization")
    if together is None:
        return 0, SHIFT  # two services that nothing joins
    if together["type"] == "simultaneous":
        return 0, 0
    return together["distance"][0], together["distance"][1]


def _step(given: dict[str, Any]) -> int:
    """Return the fewest minutes of the tables in a minute of the file for which all times are whole."""
    times = [care["duration"] for p in given["patients"] for care in p["required_caregivers"]]
    longest = max(times, default=1)
    for patient in given["patients"]:
        times += [*patient["time_window"], *patient.get("synchronization", {}).get("distance", [])]
    for step in STEPS:
        if all(abs(time * step - round(time * step)) < 1e-9 for time in times) and longest * step <= 1440:
            return step
    raise ValueError("times are too fine, or services too long, for tables of whole minutes")


def _whole(minutes: float) -> int:
    return round(minutes)
