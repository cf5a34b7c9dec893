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
    return add_goods((random_team_town if rng.random() < 0.5 else random_town)(seed, largest), rng)


def add_goods(tables, rng):
    """Add few goods, and let many requests need some."""
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


def dense_goods_town(seed):
    """A town in which everybody can help everybody, so that goods decide who is served."""
    rng = np.random.default_rng(seed)
    places = ["C1", "C2", "C3"]
    days = ("sat", "sun", "mon")[: int(rng.integers(1, 4))]
    agreements = [
        {
            "agreement_id": f"A{i}",
            "from_id": a,
            "to_id": b,
            "kind": "federation",
            "hop_minutes": float(rng.integers(0, 400)) / 4,
            "valid_from": rng.choice([None, "2026-11-22"], p=[0.8, 0.2]),
            "valid_to": rng.choice([None, "2026-11-21", "2026-11-22"], p=[0.6, 0.2, 0.2]),
        }
        for i, (a, b) in enumerate([("C1", "C2"), ("C2", "C3"), ("C1", "C3"), ("C1", "C2")])
        if rng.random() < 0.7
    ]
    people = [f"V{i}" for i in range(int(rng.integers(2, 6)))]
    hours = ("08:00", "10:15", "12:00", "17:30", "20:00", "22:00")
    spans = []
    for who in people:
        for day in days:
            a, b = np.sort(rng.choice(len(hours), 2, replace=False)).tolist()
            spans.append(
                {"provider_id": who, "start": at(f"{day} {hours[a]}"), "end": at(f"{day} {hours[b]}")}
            )
    if len(days) > 1:
        spans.append({"provider_id": "V0", "start": at("sat 22:00"), "end": at("sun 04:00")})
    requests, roles, asked = [], [], []
    for i in range(int(rng.integers(2, 7))):
        first, last = np.sort(rng.integers(0, len(days), 2)).tolist()
        row = {
            "request_id": f"R{i}",
            "community_id": str(rng.choice(places)),
            "skill": None,
            "earliest": at(f"{days[first]} 08:00"),
            "latest": at(f"{days[last if rng.random() < 0.5 else first]} 22:00"),
            "minutes": int(rng.choice([45, 60, 120])),
            "people": int(rng.choice([1, 1, 1, 2, 3])),
            "min_serve": None,
            "priority": int(rng.integers(1, 6)),
        }
        if row["people"] > 1 and rng.random() < 0.5:
            row["min_serve"] = int(rng.integers(1, row["people"] + 1))
        elif rng.random() < 0.3:
            row["people"] = 1
            roles += [
                {"request_id": f"R{i}", "role": "lead", "skill": "any", "count": 1, "after": None},
                {
                    "request_id": f"R{i}",
                    "role": "next",
                    "skill": "any",
                    "count": 1,
                    "after": rng.choice([None, "lead"]),
                },
            ]
            if roles[-1]["after"] is not None:
                roles[-1] |= {"after_least": 30, "after_most": 90}
            if rng.random() < 0.3:
                row["min_serve"] = 1
        requests.append(row)
        for good in ("rice", "chairs"):
            if rng.random() < 0.6:
                asked.append({"request_id": f"R{i}", "good": good, "amount": float(rng.integers(1, 4))})
    goods = [
        {
            "owner_id": owner,
            "good": good,
            "amount": float(rng.integers(0, 5)),
            "lent": good == "chairs" and owner != "C3",
            "period": None if good == "chairs" else rng.choice([None, "day", "week", "month"]),
        }
        for owner in places
        for good in ("rice", "chairs")
        if rng.random() < 0.7
    ]
    tables = {
        "communities": pd.DataFrame({"community_id": places, "lat": [30.5, 30.52, 30.5], "lon": 120.6}),
        "volunteers": pd.DataFrame(
            {"volunteer_id": people, "community_id": "C1", "max_travel_minutes": 500.0}
        ),
        "skills": pd.DataFrame({"provider_id": people, "skill": "any"}),
        "availability": pd.DataFrame(spans).drop_duplicates(),
        "requests": pd.DataFrame(requests),
    }
    overlap = tables["availability"].sort_values(["provider_id", "start"])
    ends = overlap.groupby("provider_id")["end"].shift()
    tables["availability"] = overlap[ends.isna() | (overlap["start"] >= ends)]
    for name, rows in (
        ("agreements", agreements),
        ("roles", roles),
        ("goods", goods),
        ("request_goods", asked),
    ):
        if rows:
            tables[name] = pd.DataFrame(rows, dtype=object)
    return tables
