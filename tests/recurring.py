"""Small towns with recurring requests, beside the same towns with every visit written out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from govmatch.model.policy import Continuity, Load, Policy

MONDAY = pd.Timestamp("2026-05-04")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONE = "Asia/Shanghai"


def stamp(day, clock):
    return f"{day.date()} {clock}"


def recurring_town(seed):
    """Return (tables, flat tables, series for the oracle, policy)."""
    rng = np.random.default_rng(seed)
    weeks = int(rng.integers(1, 4))
    horizon = (str(MONDAY.date()), str((MONDAY + pd.Timedelta(days=7 * weeks)).date()))
    policy = replace(
        Policy(),
        continuity=Continuity(float(rng.choice([0.0, 20.0, 60.0])), float(rng.choice([0.0, 15.0]))),
        load=Load(int(rng.integers(1, 3)), int(rng.integers(2, 6)), float(rng.choice([0.0, 6.0]))),
    )
    communities = pd.DataFrame({"community_id": ["C1", "C2"], "lat": [30.50, 30.55], "lon": [120.70, 120.72]})
    agreements = pd.DataFrame(
        {"agreement_id": ["A"], "from_id": ["C1"], "to_id": ["C2"], "kind": ["federation"]}
    )
    people = [f"V{i}" for i in range(int(rng.integers(2, 6)))]
    volunteers = pd.DataFrame(
        {
            "volunteer_id": people,
            "community_id": rng.choice(["C1", "C2"], len(people)),
            "lat": 30.5 + 0.05 * rng.random(len(people)).round(3),
            "lon": 120.7 + 0.05 * rng.random(len(people)).round(3),
        }
    )
    free = [
        {"provider_id": who, "start": stamp(day, a), "end": stamp(day, b)}
        for who in people
        for day in pd.date_range(MONDAY, periods=7 * weeks)
        for a, b in (("08:00", "12:00"), ("13:00", "17:00"))
        if rng.random() < 0.45
    ]
    free = free or [{"provider_id": "V0", "start": stamp(MONDAY, "08:00"), "end": stamp(MONDAY, "12:00")}]
    off = MONDAY + pd.Timedelta(days=int(rng.integers(0, 7)))
    requests, visits, flat, series, history = [], [], [], [], []
    for i in range(int(rng.integers(1, 5))):
        name = f"R{i}"
        several = int(rng.random() < 0.2) + 1
        a, b = [("08:00", "12:00"), ("13:00", "17:00"), ("08:00", "17:00")][int(rng.integers(0, 3))]
        a, b = ("09:00", "11:00") if several > 1 else (a, b)
        base = {
            "request_id": name,
            "community_id": str(rng.choice(["C1", "C2"])),
            "minutes": 60,
            "priority": int(rng.integers(1, 3)),
            "people": several,
            "resident_id": "P" if i == 0 else None,
        }
        first = MONDAY + pd.Timedelta(days=int(rng.integers(0, 7)))
        base |= {"earliest": stamp(first, a), "latest": stamp(first, b)}
        requests.append(base)
        if rng.random() < 0.2:
            flat.append(base)
            continue
        wanted = sorted(rng.choice(7, int(rng.integers(1, 4)), replace=False).tolist())
        most = int(rng.integers(several, 4)) if rng.random() < 0.4 else None
        rule = "skip" if rng.random() < 0.5 else "keep"
        visits.append(
            {
                "request_id": name,
                "weekdays": ",".join(DAYS[day] for day in wanted),
                "weeks": weeks,
                "faces": most,
                "holiday": rule,
            }
        )
        dates = [
            day
            for day in pd.date_range(first, periods=7 * weeks)
            if day.weekday() in wanted
            and day < MONDAY + pd.Timedelta(days=7 * weeks)
            and not (rule == "skip" and day == off)
        ]
        if not dates:
            visits.pop()
            flat.append(base)
            continue
        ids = [f"{name}@{day.date()}" for day in dates]
        flat += [
            {**base, "request_id": one, "earliest": stamp(day, a), "latest": stamp(day, b)}
            for one, day in zip(ids, dates, strict=True)
        ]
        known = set()
        if rng.random() < 0.5:
            known.add(str(rng.choice(people)))
            history += [
                {"request_id": f"{name}@2026-04-01", "provider_id": who, "start": "2026-04-01 09:00"}
                for who in known
            ]
        if i == 0 and rng.random() < 0.5:
            known.add(people[0])
            history.append(
                {
                    "request_id": "old",
                    "provider_id": people[0],
                    "resident_id": "P",
                    "start": "2026-03-01 09:00",
                }
            )
        series.append(
            {
                "requests": set(ids),
                "free": several,
                "most": 99 if most is None else most,
                "further": round(100 * policy.continuity.face_minutes),
                "known": known,
                "stranger": round(100 * policy.continuity.known_minutes),
            }
        )
    tables = {
        "communities": communities,
        "agreements": agreements,
        "volunteers": volunteers,
        "availability": pd.DataFrame(free),
        "residents": pd.DataFrame({"resident_id": ["P"]}),
    }
    listed = {**tables, "requests": pd.DataFrame(requests)}
    if visits:
        listed["visits"] = pd.DataFrame(visits)
        listed["holidays"] = pd.DataFrame({"date": [str(off.date())]})
    if history:
        listed["history"] = pd.DataFrame(history).assign(rating=5)
    return listed, {**tables, "requests": pd.DataFrame(flat)}, series, policy, horizon
