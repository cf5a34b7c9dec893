"""Read a file of the format of Ceschia, Di Gaspero, Rosati & Schaerf (2024) into visits and tours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from govmatch.solve.visit_instance import NO_LIMIT, VisitInstance

PARTS = 1000
"""Distances and times are given to the thousandth, and costs are whole numbers of them."""

MUST = 10**9
"""What leaving a patient alone costs: more than any tours."""


def read(path: Path) -> tuple[dict[str, Any], VisitInstance]:
    """Return what the file says, and the same as columns."""
    given = json.loads(path.read_text(encoding="utf-8"))
    offices = len(given["central_offices"])
    carers, patients = given["caregivers"], given["patients"]
    place, minutes, earliest, due, request, service = [], [], [], [], [], []
    link: list[tuple[int, int, int, int]] = []
    for number, patient in enumerate(patients):
        first = len(place)
        for care in patient["required_caregivers"]:
            place.append(offices + number)
            minutes.append(_parts(care["duration"]))
            earliest.append(_parts(patient["time_window"][0]))
            due.append(_parts(patient["time_window"][1]))
            request.append(number)
            service.append(care["service"])
        if together := patient.get("synchronization"):
            least, most = together.get("distance", (0, 0)) if together["type"] == "sequential" else (0, 0)
            link.append((first, first + 1, _parts(least), _parts(most)))
    option_visit, option_tour = np.nonzero(
        np.array([[one in carer["abilities"] for carer in carers] for one in service])
    )
    n, t = len(place), len(carers)
    links = np.array(link, np.int64).reshape(-1, 4)
    # carers leave from and return to their own office where they name one
    names = [office["id"] for office in given["central_offices"]]
    office = np.array([names.index(carer.get("departing_point", names[0])) for carer in carers])
    none, nothing = np.zeros(0, np.int64), np.zeros(t, np.int64)
    return given, VisitInstance(
        travel=np.round(np.array(given["distances"]) * PARTS).astype(np.int64)[None],
        place=np.array(place),
        minutes=np.array(minutes),
        earliest=np.array(earliest),
        due=np.array(due),
        latest=np.full(n, NO_LIMIT),
        late_cost=np.ones(n, np.int64),
        request=np.array(request),
        unmet_cost=np.full(len(patients), MUST),
        link_first=links[:, 0],
        link_second=links[:, 1],
        link_least=links[:, 2],
        link_most=links[:, 3],
        option_visit=option_visit,
        option_tour=option_tour,
        option_cost=np.zeros(len(option_visit), np.int64),
        person=np.arange(t),
        mode=nothing,
        leaves=office,
        returns=office,
        begin=nothing,
        end=np.full(t, NO_LIMIT),
        node=np.full(t, -1),
        parent=none,
        capacity=none,
        load_cost=none,
        travel_cost=1,
        largest_late_cost=1,
    )


def _parts(minutes: float) -> int:
    return round(minutes * PARTS)
