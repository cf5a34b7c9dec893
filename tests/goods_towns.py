"""Random towns in which some requests need goods."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.team_towns import random_team_town
from tests.towns import at, random_town

KINDS = ("rice", "wheelchairs", "yuan", "beds")


def random_goods_town(seed, largest=7):
    """A random town; some of its requests need goods, of which there are few."""
    rng = np.random.default_rng(seed + 2)
    tables = (random_team_town if rng.random() < 0.5 else random_town)(seed, largest)
    requests = tables["requests"].copy()
    units = tables["party_units"]["unit_id"].tolist() if "party_units" in tables else []
    firms = tables["organizations"]["organization_id"].tolist() if "organizations" in tables else []
    owners = [*tables["communities"]["community_id"], *firms, *units]
    step = {"rice": 2.5, "wheelchairs": 1.0, "yuan": 50.0, "beds": 0.1}
    goods = [
        {
            "owner_id": owner,
            "good": good,
            "amount": float(rng.integers(0, 6)) * step[good] + float(rng.choice([0.0, 0.03])),
            "unit": "piece",
            "lent": bool(good == "wheelchairs" and rng.random() < 0.8),
            "period": rng.choice([None, "horizon", "day", "week", "month"]),
        }
        for owner in owners
        for good in KINDS
        if rng.random() < (0.15 if good == "beds" else 0.5)
    ]
    for row in goods:
        if row["lent"]:
            row["period"] = None
    asked = []
    for place, row in requests.iterrows():
        if rng.random() < 0.3:
            continue
        for good in rng.permutation(KINDS)[: int(rng.integers(1, 3))].tolist():
            asked.append(
                {
                    "request_id": row["request_id"],
                    "good": good,
                    "amount": float(rng.integers(0, 5)) * step[good],
                }
            )
        if rng.random() < 0.2 and int(row.get("people") or 1) == 1:
            requests.loc[place, ["earliest", "latest"]] = at("sat 20:00"), at("mon 10:00")
    tables["requests"] = requests
    if goods:
        tables["goods"] = pd.DataFrame(goods)
    if asked:
        tables["request_goods"] = pd.DataFrame(asked)
    return tables
