"""Random towns with group sessions and households."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.team_towns import random_team_town
from tests.towns import at, random_town

_CLOCKS = ("08:00", "09:15", "10:30", "12:00", "13:30", "15:00")


def random_session_town(seed, largest=8):
    """A random town, with teams in one of three, in which some could sit in sessions."""
    rng = np.random.default_rng(seed + 7)
    tables = random_team_town(seed, largest) if seed % 3 == 0 else random_town(seed, largest)
    requests = tables["requests"].copy()
    skilled = requests["skill"].notna().to_numpy()
    skills = sorted(set(requests["skill"].dropna())) or ["tutoring"]
    favourite = skills[int(rng.integers(len(skills)))]
    gather = skilled & (rng.random(len(requests)) < 0.7)  # so that they meet in sessions
    requests.loc[gather, ["skill", "level", "certified", "clearance"]] = favourite, 1, False, 0
    requests.loc[gather & (rng.random(len(requests)) < 0.5), "people"] = 1
    requests["resident_id"] = [f"P{int(rng.integers(6))}" if rng.random() < 0.8 else None for _ in requests.index]
    tables["requests"] = requests
    tables["residents"] = pd.DataFrame(
        {
            "resident_id": [f"P{i}" for i in range(6)],
            "household_id": [f"H{int(rng.integers(3))}" if rng.random() < 0.8 else None for _ in range(6)],
        }
    )
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
