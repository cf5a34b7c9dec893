"""Random small towns in which requests recur beside teams, goods, sessions, bonds and limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from govmatch.model.policy import Continuity, Floors, Load, Policy, Reserve, Stability
from tests.towns import ZONE

KINDS = (
    "teams",
    "bonds and teams",
    "limits",
    "teams and bonds and limits",
    "goods",
    "goods and teams and limits",
    "sessions",
    "sessions and teams",
    "teams and goods and sessions and bonds and limits",
)


def recurring_town(kind, seed, largest=4):
    """Return (tables, policy, horizon, pairs of a recurring request and who served it before).

    A few people are free in some of two to four weeks. `kind` names what there is beside recurrence.
    """
    rng = np.random.default_rng(seed)
    weeks, some = int(rng.integers(2, 5)), set(kind.split(" and "))
    saturdays = [pd.Timestamp("2026-11-21") + pd.Timedelta(days=7 * week) for week in range(weeks)]
    people = [f"V{i}" for i in range(int(rng.integers(3, 6)))]

    def clock(day, hour):
        return pd.Timestamp(f"{day.date()} {hour:02d}:00", tz=ZONE)

    def spot():
        return {"lat": 30.5 + round(0.06 * rng.random(), 3), "lon": 120.6 + round(0.06 * rng.random(), 3)}

    tables = {
        "communities": pd.DataFrame(
            {"community_id": ["C1", "C2"], "lat": [30.5, 30.55], "lon": [120.6, 120.63]}
        ),
        "agreements": pd.DataFrame(
            {"agreement_id": ["A"], "from_id": ["C1"], "to_id": ["C2"], "kind": ["federation"]}
        ),
        "volunteers": pd.DataFrame(
            [{"volunteer_id": who, "community_id": f"C{rng.integers(1, 3)}", **spot()} for who in people]
        ),
    }
    skills = [(who, skill) for who in people for skill in ("art", "design") if rng.random() < 0.75]
    tables["skills"] = pd.DataFrame(
        [
            {
                "provider_id": who,
                "skill": skill,
                "level": 1,
                "certified_until": "2027-12-31" if rng.random() < 0.5 else None,
            }
            for who, skill in skills or [("V0", "art")]
        ]
    )
    tables["availability"] = pd.DataFrame(
        [
            {"provider_id": who, "start": clock(day, a), "end": clock(day, b)}
            for who in people
            for day in saturdays
            for a, b in ((8, 10), (10, 12))
            if rng.random() < 0.6
        ]
        + [{"provider_id": "V0", "start": clock(saturdays[0], 14), "end": clock(saturdays[0], 16)}]
    )
    asked, roles, visits, goods = [], [], [], []
    for i in range(int(rng.integers(2, largest + 1))):
        a, b = ((8, 10), (10, 12), (8, 12), (9, 11))[int(rng.integers(4))]
        several = 2 if "bonds" in some and rng.random() < 0.6 else 1
        several = 2 if rng.random() < 0.15 else several
        row = {
            "request_id": f"R{i}",
            "community_id": f"C{rng.integers(1, 3)}",
            "earliest": clock(saturdays[0], a),
            "latest": clock(saturdays[0], b),
            "minutes": 60,
            "skill": "art" if rng.random() < 0.8 else None,
            "people": several,
            "priority": int(rng.integers(1, 4)),
            "min_serve": several if "teams" in some and rng.random() < 0.4 else None,
            "resident_id": f"P{rng.integers(3)}",
            "group": "elderly" if rng.random() < 0.5 else None,
            **spot(),
        }
        if "teams" in some and rng.random() < 0.5:
            row |= {"skill": None, "people": 1, "min_serve": 1 if rng.random() < 0.3 else None}
            both = rng.permutation(["art", "design"]).tolist()
            roles += [
                {"request_id": f"R{i}", "role": f"of {skill}", "skill": skill, "count": 1} for skill in both
            ]
        asked.append(row)
        if rng.random() < 0.85:
            least = max(several, sum(r["request_id"] == f"R{i}" for r in roles))
            most = least + int(rng.integers(0, 2)) if rng.random() < 0.35 else None
            visits.append({"request_id": f"R{i}", "weeks": weeks, "faces": most})
        if "goods" in some and rng.random() < 0.6:
            goods.append({"request_id": f"R{i}", "good": "rice", "amount": int(rng.integers(1, 3))})
    tables["requests"] = pd.DataFrame(asked)
    tables["residents"] = pd.DataFrame(
        {"resident_id": ["P0", "P1", "P2"], "household_id": ["H", "H" if rng.random() < 0.5 else None, None]}
    )
    tables["visits"] = pd.DataFrame(
        visits or [{"request_id": "R0", "weeks": weeks, "faces": None}], dtype=object
    )
    if roles:
        tables["roles"] = pd.DataFrame(roles)
    if goods:
        stock = [("C1", int(rng.integers(0, 6)), "horizon"), ("C2", int(rng.integers(0, 3)), "week")]
        tables["request_goods"] = pd.DataFrame(goods)
        tables["goods"] = pd.DataFrame(
            [{"owner_id": o, "good": "rice", "amount": n, "period": p, "unit": "bag"} for o, n, p in stock]
        )
    if "sessions" in some:
        tables["sessions"] = pd.DataFrame(
            [
                {
                    "session_id": f"S{week}{place}",
                    "community_id": place,
                    "skill": "art",
                    "level": 1,
                    "start": clock(day, 9),
                    "end": clock(day, 10),
                    "seats": int(rng.integers(2, 4)),
                    "min_seats": int(rng.integers(1, 3)),
                    "open_minutes": float(rng.choice([0.0, 20.0])),
                }
                for week, day in enumerate(saturdays)
                for place in ("C1", "C2")
                if rng.random() < 0.5
            ]
            or [
                {
                    "session_id": "S",
                    "community_id": "C1",
                    "skill": "art",
                    "start": clock(saturdays[0], 9),
                    "end": clock(saturdays[0], 10),
                    "seats": 2,
                    "min_seats": 1,
                }
            ]
        )
    if "bonds" in some:
        pairs = [(p, q) for i, p in enumerate(people) for q in people[i + 1 :] if rng.random() < 0.35]
        tables["bonds"] = pd.DataFrame(
            [
                {"provider_id": p, "other_id": q, "kind": str(rng.choice(["apart", "apart", "together"]))}
                for p, q in pairs or [("V0", "V1")]
            ]
        )
    policy = replace(
        Policy(),
        continuity=Continuity(float(rng.choice([0.0, 5.0, 30.0, 90.0])), float(rng.choice([0.0, 20.0]))),
        load=Load(int(rng.integers(1, 4)), int(rng.integers(1, 5)), float(rng.choice([0.0, 6.0]))),
        stability=Stability(20.0),
    )
    if "limits" in some:
        if rng.random() < 0.5:
            tables["communities"]["away_per_week"] = [int(n) for n in rng.integers(0, 3, 2)]
        if rng.random() < 0.5:
            tables["volunteers"]["max_minutes_per_week"] = int(rng.integers(1, 4)) * 60
        if rng.random() < 0.5:
            tables["agreements"]["quota_per_week"] = int(rng.integers(0, 3))
        if rng.random() < 0.5:
            groups = {"elderly": float(rng.choice([0.5, 0.8, 1.0]))}
            share = float(rng.choice([0.0, 0.6]))
            policy = replace(policy, floors=Floors(groups, share, float(rng.choice([10.0, 200.0]))))
        if rng.random() < 0.5:
            policy = replace(policy, reserve=Reserve(float(rng.choice([0.34, 0.5]))))
    known = [(row["request_id"], str(rng.choice(people))) for row in visits if rng.random() < 0.3]
    if known:
        tables["history"] = pd.DataFrame(
            [{"request_id": r, "provider_id": p, "start": "2026-11-02 09:00"} for r, p in known]
        )
    end = saturdays[-1] + pd.Timedelta(days=7)
    return tables, policy, ("2026-11-21", str(end.date())), known
