"""Random towns in which some requests need a team."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.towns import random_town


def random_team_town(seed, largest=7):
    """A random town; some requests get several roles, or several people at an open time."""
    tables = random_town(seed, largest)
    rng = np.random.default_rng(seed + 1)
    requests = tables["requests"].copy()
    known = set(tables["roles"]["request_id"]) if "roles" in tables else set()
    rows = []
    requests["min_serve"] = None
    for at, row in requests.iterrows():
        if rng.random() < 0.4 or row["request_id"] in known or pd.notna(row.get("duplicate_of")):
            continue
        if rng.random() < 0.2:
            people = int(rng.integers(2, 4))
            requests.loc[at, ["people", "min_serve"]] = people, int(rng.integers(1, people + 1))
            continue
        names = [f"role {i}" for i in range(int(rng.integers(1, 4)))]
        counts = rng.integers(1, 3, len(names))
        requests.loc[at, ["skill", "level", "certified", "people"]] = None, 1, False, 1
        if len(names) > 1 and rng.random() < 0.3:
            requests.loc[at, "min_serve"] = int(rng.integers(1, counts.sum() + 1))
        for i, name in enumerate(names):
            least = int(rng.choice([0, 30, 45]))
            chained = i > 0 and rng.random() < 0.4
            rows.append(
                {
                    "request_id": row["request_id"],
                    "role": name,
                    "skill": str(rng.choice(["tutoring", "repair", "first aid", "mediation"])),
                    "level": int(rng.integers(1, 3)),
                    "certified": bool(rng.random() < 0.1),
                    "count": int(counts[i]),
                    "leader": bool(rng.random() < 0.2),
                    "minutes": None if rng.random() < 0.5 else int(rng.choice([30, 50])),
                    "clearance": None if rng.random() < 0.7 else int(rng.integers(0, 2)),
                    "after": names[int(rng.integers(i))] if chained else None,
                    "after_least": least if chained else 0,
                    "after_most": (least + int(rng.choice([0, 40, 60])) if rng.random() < 0.7 else None)
                    if chained
                    else None,
                }
            )
    tables["requests"] = requests
    if rows:
        given = tables["roles"].to_dict("records") if "roles" in tables else []
        tables["roles"] = pd.DataFrame([*given, *rows], dtype=object)
    return tables
