"""Check timed routes against the file alone, in minutes: nothing of the solver is used here."""

from __future__ import annotations

import math
from typing import Any

TOLERANCE = 1e-6
"""Minutes."""


def check(given: dict[str, Any], routes: list[dict[str, Any]]) -> tuple[list[str], dict[str, float]]:
    """Return what is wrong with the routes, in words, and the three parts of their cost."""
    faults: list[str] = []
    distances = given["distances"]
    offices = [office["id"] for office in given["central_offices"]]
    position = {name: i for i, name in enumerate(offices)}
    patients = {patient["id"]: patient for patient in given["patients"]}
    position.update({name: len(offices) + i for i, name in enumerate(patients)})
    carers = {carer["id"]: carer for carer in given["caregivers"]}
    begun: dict[tuple[str, str], tuple[float, str]] = {}
    distance, tardiness = 0.0, []
    if sorted(route["caregiver"] for route in routes) != sorted(carers):
        faults.append("not every carer has exactly one route")
    for route in routes:
        carer = carers[route["caregiver"]]
        office = carer.get("departing_point", offices[0])
        at, free = position[office], 0.0
        for stop in route["stops"]:
            patient, service, start = patients[stop["patient"]], stop["service"], stop["start"]
            name = f"{service} at {patient['id']} by {carer['id']}"
            durations = [
                care["duration"] for care in patient["required_caregivers"] if care["service"] == service
            ]
            if not durations or (patient["id"], service) in begun:
                faults.append(f"{name}: not required, or done twice")
                continue
            if service not in carer["abilities"]:
                faults.append(f"{name}: not able")
            if not math.isfinite(start):
                faults.append(f"{name}: begins at {start}")
                continue
            there = position[patient["id"]]
            distance += distances[at][there]
            if start < free + distances[at][there] - TOLERANCE:
                faults.append(f"{name}: begins at {start}, before {free + distances[at][there]}")
            low, high = patient["time_window"]
            if start < low - TOLERANCE:
                faults.append(f"{name}: begins at {start}, before the window opens at {low}")
            tardiness.append(max(0.0, start - high))
            begun[patient["id"], service] = start, carer["id"]
            at, free = there, start + durations[0]
        distance += distances[at][position[office]] if route["stops"] else 0.0
    for patient in patients.values():
        services = [care["service"] for care in patient["required_caregivers"]]
        if any((patient["id"], service) not in begun for service in services):
            faults.append(f"{patient['id']}: not all that is required is done")
            continue
        together = patient.get("synchronization")
        if together is None:
            continue
        (first, one), (second, other) = (begun[patient["id"], service] for service in services)
        least, most = (0, 0) if together["type"] == "simultaneous" else together["distance"]
        if one == other:
            faults.append(f"{patient['id']}: one carer twice")
        if not least - TOLERANCE <= second - first <= most + TOLERANCE:
            faults.append(f"{patient['id']}: begins {second - first} apart, not {least} to {most}")
    total, largest = sum(tardiness), max(tardiness, default=0.0)
    parts = {"distance": distance, "total_tardiness": total, "max_tardiness": largest}
    return faults, {**parts, "cost": (distance + total + largest) / 3}
