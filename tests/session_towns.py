"""Random towns with group sessions and households."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.team_towns import random_team_town
from tests.towns import at, random_town

_CLOCKS = ("08:00", "09:15", "10:30", "12:00", "13:30", "15:00")


def random_session_town(seed, largest=8):
    """A random town, with teams in one of three, in which some could sit in sessions."""
    tables = random_team_town(seed, largest) if seed % 3 == 0 else random_town(seed, largest)
    return add_sessions(tables, seed)


def add_sessions(tables, seed):
    """Add sessions and households, and let many of those who ask for one skill meet there."""
    rng = np.random.default_rng(seed + 7)
    requests = tables["requests"].copy()
    skilled = requests["skill"].notna().to_numpy()
    skills = sorted(set(requests["skill"].dropna())) or ["tutoring"]
    favourite = skills[int(rng.integers(len(skills)))]
    gather = skilled & (rng.random(len(requests)) < 0.7)  # so that they meet in sessions
    requests.loc[gather, ["skill", "level", "certified", "clearance"]] = favourite, 1, False, 0
    requests.loc[gather & (rng.random(len(requests)) < 0.5), "people"] = 1
    requests["resident_id"] = [
        f"P{int(rng.integers(6))}" if rng.random() < 0.8 else None for _ in requests.index
    ]
    tables["requests"] = requests
    neighbours = pd.DataFrame(
        {
            "resident_id": [f"P{i}" for i in range(6)],
            "household_id": [f"H{int(rng.integers(3))}" if rng.random() < 0.8 else None for _ in range(6)],
        }
    )
    known = tables.get("residents", neighbours.head(0))
    tables["residents"] = pd.concat([known.astype(object), neighbours.astype(object)], ignore_index=True)
    holders = [*tables["volunteers"]["volunteer_id"], *tables["organizations"]["organization_id"]]
    places = tables["communities"]["community_id"].tolist()
    days = sorted({f"{t:%a}".lower() for t in requests["earliest"]})
    rows, busy = [], {}
    for i in range(int(rng.integers(1, 6))):
        first = int(rng.integers(len(_CLOCKS) - 1))
        a, b = _CLOCKS[first], _CLOCKS[first + 1 if rng.random() < 0.5 else -1]
        day = days[int(rng.integers(len(days)))]
        holder = holders[int(rng.integers(len(holders)))] if rng.random() < 0.5 else None
        if holder is not None and any(not (b <= c or d <= a) for c, d in busy.get((holder, day), [])):
            holder = None
        busy.setdefault((holder, day), []).append((a, b))
        seats = int(rng.integers(1, 6))
        known = rng.random() < 0.5
        rows.append(
            {
                "session_id": f"S{i}",
                "provider_id": holder,
                "community_id": places[int(rng.integers(len(places)))],
                "lat": round(30.5 + rng.random() * 0.1, 4) if known else None,
                "lon": round(120.6 + rng.random() * 0.1, 4) if known else None,
                "skill": favourite if rng.random() < 0.8 else skills[int(rng.integers(len(skills)))],
                "level": int(rng.integers(1, 4)),
                "certified": bool(rng.random() < 0.4),
                "clearance": int(rng.integers(0, 3)),
                "start": at(f"{day} {a}"),
                "end": at(f"{day} {b}"),
                "seats": seats,
                "min_seats": int(rng.integers(1, seats + 1)),
                "open_minutes": float(rng.choice([0.0, 12.5, 60.0, 400.0])),
            }
        )
    tables["sessions"] = pd.DataFrame(rows)
    return tables


def crowded_session_town(seed, n_requests=14, n_sessions=5):
    """One skill, few volunteers, many who ask, and sessions that compete for them."""
    rng = np.random.default_rng(seed)

    def spot():
        return {"lat": round(30.5 + rng.random() * 0.04, 4), "lon": round(120.6 + rng.random() * 0.04, 4)}

    def pick(values):
        return values[int(rng.integers(len(values)))]

    volunteers = [
        {"volunteer_id": f"V{i}", "community_id": "C0", "clearance": int(rng.integers(0, 2)), **spot()}
        for i in range(int(rng.integers(1, 6)))
    ]
    sessions = []
    for i in range(n_sessions):
        first = int(rng.integers(3))
        seats = int(rng.integers(2, 7))
        sessions.append(
            {
                "session_id": f"S{i}",
                "provider_id": f"V{i}" if i < len(volunteers) and rng.random() < 0.4 else None,
                "community_id": "C0",
                "skill": "tutoring",
                "start": at(f"sat {_CLOCKS[first]}"),
                "end": at(f"sat {_CLOCKS[first + 1]}"),
                "seats": seats,
                "min_seats": int(rng.integers(1, seats + 1)),
                "open_minutes": float(pick((0.0, 30.0, 200.0, 700.0))),
                **spot(),
            }
        )
    requests = [
        {
            "request_id": f"R{i}",
            "community_id": "C0",
            "skill": "tutoring",
            "earliest": at(f"sat {pick(_CLOCKS[:2])}"),
            "latest": at(f"sat {pick(_CLOCKS[3:])}"),
            "minutes": int(pick((30, 60, 75))),
            "people": 2 if rng.random() < 0.1 else 1,
            "min_serve": None,
            "priority": int(rng.integers(1, 4)),
            "resident_id": f"P{i}",
            **spot(),
        }
        for i in range(n_requests)
    ]
    return {
        "communities": pd.DataFrame([{"community_id": "C0", "lat": 30.52, "lon": 120.62}]),
        "volunteers": pd.DataFrame(volunteers),
        "skills": pd.DataFrame(
            [
                {"provider_id": v["volunteer_id"], "skill": "tutoring", "level": int(rng.integers(1, 3))}
                for v in volunteers
            ]
        ),
        "availability": pd.DataFrame(
            [
                {"provider_id": v["volunteer_id"], "start": at(f"sat {a}"), "end": at(f"sat {b}")}
                for v in volunteers
                for a, b in (("08:00", "10:30"), ("10:30", "12:00"), ("12:00", "15:00"))
                if rng.random() < 0.7
            ],
            columns=["provider_id", "start", "end"],
        ),
        "sessions": pd.DataFrame(sessions),
        "residents": pd.DataFrame(
            {
                "resident_id": [f"P{i}" for i in range(n_requests)],
                "household_id": [f"H{int(rng.integers(n_requests))}" for _ in range(n_requests)],
            }
        ),
        "requests": pd.DataFrame(requests),
    }
