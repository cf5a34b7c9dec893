"""Random towns with the kinds of coupling that are asked for, and policies that go with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

import govmatch as gm
from govmatch.model.policy import Continuity, Floors, Reserve
from tests.goods_towns import add_goods
from tests.session_towns import add_sessions
from tests.team_towns import random_team_town
from tests.test_bonds import lay_bonds
from tests.test_features_together import with_pins
from tests.test_limits import with_limits
from tests.towns import random_policy, random_town

KINDS = ("teams", "goods", "sessions", "bonds", "limits", "floors", "pins", "recurrence")
HORIZON = ("2026-11-21", "2026-12-05")


def coupled_town(seed, kinds, largest=6):
    """Return the arguments of `Problem.from_tables` for one town."""
    rng = np.random.default_rng(seed + 11)
    tables = (random_team_town if "teams" in kinds else random_town)(seed, largest)
    if "goods" in kinds:
        tables = add_goods(tables, rng)
    if "sessions" in kinds:
        tables = add_sessions(tables, seed)
    if "bonds" in kinds:
        tables = lay_bonds(tables, rng)
    tables, limited = with_limits(tables, seed) if {"limits", "floors"} & set(kinds) else (tables, None)
    policy = random_policy(seed)
    if limited is not None and "limits" in kinds:
        policy = limited if "floors" in kinds else replace(limited, floors=Floors())
        if "agreements" in tables:
            quota = rng.integers(0, 3, len(tables["agreements"]))
            tables["agreements"] = tables["agreements"].assign(quota_per_week=quota)
    elif limited is not None:
        policy = replace(limited, load=policy.load, reserve=Reserve())
        for table, column in (("communities", "away_per_week"), ("volunteers", "max_minutes_per_week")):
            if column in tables[table]:
                tables[table] = tables[table].drop(columns=column)
    if "pins" in kinds:
        tables = with_pins(tables, seed)
    if "recurrence" not in kinds:
        return {"tables": tables, "policy": policy}
    tables, policy = _recurring(tables, policy, rng)
    return {"tables": tables, "policy": policy, "horizon": HORIZON}


def _recurring(tables, policy, rng):
    """Let some requests come back, whose residents know somebody or not, and pay for new faces or not."""
    requests = tables["requests"]
    ids = requests.loc[requests["duplicate_of"].isna()] if "duplicate_of" in requests else requests
    ids = ids["request_id"].iloc[::2].tolist()
    faces = [int(rng.integers(1, 4)) if rng.random() < 0.3 else None for _ in ids]
    priced = Continuity(float(rng.choice([0.0, 20.0, 60.0])), float(rng.choice([0.0, 15.0])))
    if rng.random() < 0.4:
        faces, priced = [None] * len(ids), Continuity(0.0, 0.0)
    tables["visits"] = pd.DataFrame({"request_id": ids, "weeks": 2, "faces": faces}, dtype=object)
    people = tables["volunteers"]["volunteer_id"].tolist()
    met = [(name, str(rng.choice(people))) for name in ids if people and rng.random() < 0.4]
    if met:
        tables["history"] = pd.DataFrame(
            {
                "request_id": [f"{name}@2026-11-01" for name, _ in met],
                "provider_id": [who for _, who in met],
                "start": "2026-11-01 09:00",
            }
        )
    # they are free in both weeks
    if "availability" in tables:
        again = tables["availability"].copy()
        for edge in ("start", "end"):
            again[edge] = pd.to_datetime(again[edge]) + pd.Timedelta(days=7)
        tables["availability"] = pd.concat([tables["availability"], again], ignore_index=True)
    return tables, replace(policy, continuity=priced)


def coupled_problem(seed, kinds, largest=6):
    """Return the town of a seed, or of the next that is one: what is drawn may be too long for its window."""
    while True:
        try:
            return gm.Problem.from_tables(**coupled_town(seed, kinds, largest))
        except gm.InvalidTables:
            seed += 1
