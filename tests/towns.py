"""Small towns for tests: one made by hand that uses every column, and random ones. Synthetic people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from govmatch.model.policy import (
    Fit,
    Load,
    Policy,
    Presets,
    Route,
    Slots,
    TravelRules,
    Unmet,
)

ZONE = "Asia/Shanghai"


def at(text):
    """A time of the week from Saturday 2026-11-21, such as "sat 09:30"."""
    day, clock = text.split()
    days = ("sat", "sun", "mon", "tue").index(day)
    return pd.Timestamp(f"2026-11-21 {clock}", tz=ZONE) + pd.Timedelta(days=days)


def frame(columns, *rows):
    return pd.DataFrame([dict(zip(columns.split(), row, strict=True)) for row in rows])


def free(*rows):
    return pd.DataFrame([{"provider_id": p, "start": at(a), "end": at(b)} for p, a, b in rows])


def request(request_id, community_id, skill=None, window="sat 08:00-12:00", **more):
    day, hours = window.split()
    first, last = hours.split("-")
    return {
        "request_id": request_id,
        "community_id": community_id,
        "skill": skill,
        "earliest": at(f"{day} {first}"),
        "latest": at(f"{day} {last}"),
        **more,
    }


def volunteer(volunteer_id, community_id, **more):
    return {"volunteer_id": volunteer_id, "community_id": community_id, **more}


def hand_town():
    """Three communities, three party units, two organisations, nine volunteers, sixteen requests."""
    requests = [
        request("R01", "C1", "tutoring", level=2, group="child", dialect="Wu", hometown="Anhui"),
        request("R02", "C1", "tutoring", "sat 09:00-11:30", minutes=90, people=2, priority=4),
        request("R03", "C2", "first aid", "sat 08:00-20:00", certified=True, priority=5, group="elderly"),
        request("R04", "C2", "repair", "sat 13:00-18:00", lat=30.531, lon=120.69, crs="wgs84"),
        request("R05", "C3", "repair", "sun 09:00-12:00", minutes=45, clearance=1, resident_id="P1"),
        request("R06", "C1", "repair", "sun 14:00-17:00", minutes=120, priority=1),
        request("R07", "C1", None, "sun 09:00-11:00", minutes=30, people=3),
        request("R08", "C2", "pet loss", "sat 08:00-18:00"),
        request("R09", "C2", "repair", "sat 13:00-18:00", duplicate_of="R04"),
        request("R10", "C1", "tutoring", level=5),
        request("R11", "C3", None, "mon 18:00-21:00", minutes=60, group="disabled", clearance=2),
        request("R12", "C1", "tutoring", "sat 08:00-12:00", minutes=60, priority=1),
        request("R13", "C1", "tutoring", "sat 08:00-12:00", minutes=60, priority=2),
        request("R14", "C2", None, "sat 13:00-18:00"),
        request("R15", "C1", "repair", "sun 18:00-21:00", priority=5),
        request("R16", "C1", "first aid", "mon 18:30-20:30", certified=True, minutes=30),
    ]
    volunteers = [
        volunteer("V1", "C1", lat=30.52, lon=120.68, mode="walk", dialect="Wu"),
        volunteer("V2", "C1", organization_id="O1", max_jobs_per_day=1, hometown="Anhui"),
        volunteer("V3", "C2", organization_id="O2", clearance=2, mode="car"),
        volunteer("V4", "C3", organization_id="O2", max_jobs_per_week=2),
        volunteer("V5", "C2", lat=30.54, lon=120.70, crs="gcj02", clearance=1),
        volunteer("V6", "C3", max_travel_minutes=30.0, clearance=3),
        volunteer("V7", "C1", preset="weekends"),
        volunteer("V8", "C2"),
        volunteer("V9", "C1", mode="walk", max_travel_minutes=5.0, lat=30.6, lon=120.8),
    ]
    return {
        "communities": pd.DataFrame(
            [
                {"community_id": "C1", "name": "西山", "town": "硖石", "lat": 30.525, "lon": 120.685},
                {
                    "community_id": "C2",
                    "name": "东山",
                    "town": "硖石",
                    "lat": 30.535,
                    "lon": 120.695,
                    "crs": "gcj02",
                },
                {
                    "community_id": "C3",
                    "name": "北村",
                    "town": "斜桥",
                    "kind": "village",
                    "placed": "assumed",
                },
            ]
        ),
        "party_units": frame(
            "unit_id name kind parent_id community_id",
            ("U1", "committee", "committee", None, "C1"),
            ("U2", "branch", "branch", "U1", "C2"),
            ("U3", "joint unit", "joint_unit", None, None),
        ),
        "organizations": frame(
            "organization_id name kind field community_id party_unit_id "
            "clearance capacity_per_slot capacity_per_week",
            ("O1", "助学社", "social_organization", "service", "C1", "U2", 0, 2, 6),
            ("O2", "维修队", "enterprise", "repair", "C2", None, 1, None, 3),
        ),
        "agreements": frame(
            "agreement_id from_id to_id kind hop_minutes valid_from valid_to",
            ("A1", "C1", "C2", "federation", 8.0, None, None),
            ("A2", "C2", "O1", "joint_building", None, "2026-01-01", "2026-12-31"),
            ("A3", "C3", "U3", "membership", None, None, None),
            ("A4", "U3", "C1", "joint_building", 1.5, None, "2026-11-21"),
            ("A5", "C1", "C2", "membership", 3.25, "2026-11-22", None),
            ("A6", "C3", "C1", "federation", 20.0, None, None),
            ("A7", "O2", "C1", "joint_building", 4.0, None, "2026-11-20"),
        ),
        "volunteers": pd.DataFrame(volunteers),
        "availability": free(
            ("V1", "sat 08:00", "sat 12:00"),
            ("V1", "sat 13:00", "sat 15:00"),
            ("V1", "sun 08:30", "sun 11:30"),
            ("V2", "sat 08:00", "sat 20:30"),
            ("V3", "sat 12:30", "sat 17:00"),
            ("V3", "sun 09:30", "sun 12:00"),
            ("V3", "sun 14:00", "sun 17:00"),
            ("V4", "sat 13:00", "sat 18:00"),
            ("V4", "sun 10:00", "sun 16:30"),
            ("V5", "sat 09:00", "sat 11:00"),
            ("V5", "sat 17:00", "sat 20:00"),
            ("V5", "mon 18:00", "mon 21:00"),
            ("V6", "mon 18:30", "mon 20:30"),
            ("V6", "sat 13:00", "sat 17:00"),
            ("V9", "sat 08:00", "sat 12:00"),
            ("V9", "sun 18:00", "sun 21:00"),
            ("O1", "sat 08:30", "sat 11:30"),
            ("O1", "sun 08:30", "sun 11:30"),
        ),
        "skills": frame(
            "provider_id skill level certified_until",
            ("V1", "tutoring", 3, None),
            ("V1", "first aid", 2, "2026-11-20"),
            ("V2", "tutoring", 2, None),
            ("V2", "repair", 1, None),
            ("V2", "first aid", 1, None),
            ("V3", "repair", 4, None),
            ("V3", "first aid", 1, "2027-05-01"),
            ("V4", "repair", 2, None),
            ("V5", "first aid", 1, "2026-11-22"),
            ("V5", "repair", 1, None),
            ("V6", "repair", 1, None),
            ("V7", "tutoring", 1, None),
            ("V7", "mediation", 2, None),
            ("V8", "repair", 5, None),
            ("V9", "repair", 1, None),
            ("O1", "tutoring", 2, None),
            ("O1", "mediation", 3, None),
        ),
        "requests": pd.DataFrame(
            [*requests, request("R17", "C2", window="sat 08:00-12:00", minutes=30, category="mediation")]
        ),
        "roles": frame(
            "request_id role skill level count",
            ("R17", "mediator", "mediation", 1, 1),
            ("R17", "mediator", "tutoring", 1, 1),
        ),
        "pins": frame("request_id provider_id action", ("R04", "V3", "forbid"), ("R12", "V1", "forbid")),
        "residents": frame("resident_id community_id group", ("P1", "C3", "elderly")),
        "population": frame("community_id group count", ("C1", "all", 5000)),
        "about": frame("key value", ("synthetic", "people"), ("title", "hand-made town")),
    }


_SKILLS = ("tutoring", "repair", "first aid", "mediation")
_CLOCKS = ("08:00", "09:15", "10:30", "12:00", "13:30", "15:00", "16:20", "18:00", "19:30", "21:00")


def _span(rng, days):
    a, b = sorted(rng.choice(len(_CLOCKS), 2, replace=False))
    return rng.choice(days), _CLOCKS[a], _CLOCKS[b]


def random_policy(seed):
    """Prices and limits of every kind, now and then so high or low that they bind."""
    rng = np.random.default_rng(seed)
    kinds = {"tier": 2.0, "joint_building": 5.25, "membership": 0.5, "federation": 10.0}
    return Policy(
        unmet=Unmet(
            base_minutes=float(rng.choice([10.0, 30.0, 240.0])),
            priority_minutes=float(rng.choice([0.0, 12.5, 240.0])),
            group_minutes={"elderly": 33.3},
        ),
        route=Route(
            max_hops=int(rng.integers(2, 6)),
            hop_minutes={kind: price for kind, price in kinds.items() if rng.random() < 0.9},
        ),
        travel=TravelRules(
            mode=str(rng.choice(["walk", "ebike", "car"])),
            max_minutes=float(rng.choice([15.0, 45.0, 300.0])),
            unknown_minutes=float(rng.choice([7.125, 15.0, 60.0])),
        ),
        fit=Fit(
            wait_minutes=float(rng.choice([0.0, 1.7, 20.0, 0.015, 0.022, 0.075])),
            level_minutes=float(rng.choice([3.333, 0.015, 0.022, 0.075, 1.005])),
        ),
        load=Load(
            jobs_per_day=int(rng.integers(1, 4)),
            jobs_per_week=int(rng.integers(1, 6)),
            further_job_minutes=float(rng.choice([0.0, 6.0, 45.55])),
        ),
        slots=Slots(long_minutes=int(rng.choice([300, 480]))),
        presets=Presets(default=str(rng.choice(["always", "workdays", "weekends"]))),
    )


def random_town(seed, largest=8):
    """A town of a few requests and volunteers in which every rule may bind."""
    rng = np.random.default_rng(seed)
    days = ("sat", "sun", "mon")[: int(rng.integers(1, 4))]
    easy = rng.random() < 0.5  # most pairs are eligible, so that capacities bind
    n_c, n_o = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    n_v, n_r = int(rng.integers(1, largest)), int(rng.integers(1, largest))
    places = [f"C{i}" for i in range(n_c)]
    firms = [f"O{i}" for i in range(n_o)]
    units = ["U0", "U1"]

    def maybe(value, share=0.5):
        return value if rng.random() < share else None

    def pick(values):
        return values[int(rng.integers(len(values)))]

    def where():
        known = rng.random() < 0.7
        return {
            "lat": round(30.5 + rng.random() * 0.1, 4) if known else None,
            "lon": round(120.6 + rng.random() * 0.1, 4) if known else None,
            "crs": pick(("wgs84", "gcj02")),
        }

    communities = [
        {"community_id": c, "name": c, "town": f"T{i % 2}", **where()} for i, c in enumerate(places)
    ]
    organizations = [
        {
            "organization_id": o,
            "community_id": maybe(pick(places), 0.8),
            "party_unit_id": maybe(pick(units)),
            "clearance": int(rng.integers(0, 3)),
            "capacity_per_slot": maybe(int(rng.integers(0, 3)), 0.6),
            "capacity_per_week": maybe(int(rng.integers(0, 5))),
            **where(),
        }
        for o in firms
    ]
    nodes = [*places, *units, *firms]
    agreements = [
        {
            "agreement_id": f"A{i}",
            "from_id": a,
            "to_id": b,
            "kind": pick(("tier", "joint_building", "membership", "federation")),
            "hop_minutes": maybe(float(rng.integers(0, 40)) / 4),
            "valid_from": maybe(pick(("2026-11-21", "2026-11-22")), 0.3),
            "valid_to": maybe("2026-11-22", 0.3),
        }
        for i, (a, b) in enumerate(rng.choice(nodes, (int(rng.integers(0, 9)), 2)).tolist())
        if a != b
    ]
    volunteers = [
        {
            "volunteer_id": f"V{i}",
            "community_id": pick(places),
            "organization_id": maybe(pick(firms)),
            "mode": maybe(pick(("walk", "ebike", "car"))),
            "max_travel_minutes": maybe(float(rng.integers(5, 60))),
            "max_jobs_per_day": maybe(int(rng.integers(0, 4))),
            "max_jobs_per_week": maybe(int(rng.integers(0, 5))),
            "clearance": int(rng.integers(0, 3)),
            "dialect": maybe(pick(("Wu", "Hui"))),
            "hometown": maybe(pick(("Anhui", "Henan"))),
            "preset": maybe(pick(("always", "weekends", "evenings"))),
            **where(),
        }
        for i in range(n_v)
    ]
    # who has no staff of its own (an empty cell) must not have rows of its own
    staffed = [o["organization_id"] for o in organizations if o["capacity_per_slot"] is not None]
    spans = []
    for provider in [*(v["volunteer_id"] for v in volunteers), *staffed]:
        taken = {}
        for _ in range(int(rng.integers(0, 4))):
            day, a, b = _span(rng, days)
            if all(b <= c or d <= a for c, d in taken.get(day, [])):
                taken.setdefault(day, []).append((a, b))
                spans.append((provider, f"{day} {a}", f"{day} {b}"))
        if len(days) > 1 and rng.random() < 0.2:
            spans.append((provider, "sat 23:00", "sun 03:00"))
    skills = [
        {
            "provider_id": provider,
            "skill": skill,
            "level": int(rng.integers(1, 4)),
            "certified_until": maybe(pick(("2026-11-20", "2026-11-21", "2026-11-22", "2027-01-01")), 0.7),
        }
        for provider in [*(v["volunteer_id"] for v in volunteers), *staffed]
        for skill in _SKILLS
        if rng.random() < (0.9 if easy else 0.5)
    ]
    stating = {span[0] for span in spans} | {row["provider_id"] for row in skills}
    for firm in organizations:
        if firm["capacity_per_slot"] is None and firm["organization_id"] in stating:
            firm["capacity_per_slot"] = 0
    requests = []
    for i in range(n_r):
        day, a, b = _span(rng, days)
        if easy and rng.random() < 0.7:
            a, b = _CLOCKS[0], _CLOCKS[-1]
        elif day == "sun" and rng.random() < 0.2:
            a, b = "00:30", "02:30"
        minutes = int((at(f"{day} {b}") - at(f"{day} {a}")).total_seconds() // 60)
        requests.append(
            request(
                f"R{i}",
                pick(places),
                maybe(pick(_SKILLS), 0.7),
                f"{day} {a}-{b}",
                level=1 if easy else int(rng.integers(1, 3)),
                certified=bool(rng.random() < (0.1 if easy else 0.3)),
                people=int(rng.integers(1, 4)) if minutes <= 300 and rng.random() < 0.4 else 1,
                minutes=int(rng.integers(1, min(minutes, 120) + 1)),
                priority=int(rng.integers(1, 6)),
                group=maybe(pick(("elderly", "child"))),
                clearance=0 if easy else int(rng.integers(0, 2)),
                dialect=maybe(pick(("Wu", "Hui", "Gan")), 0.3),
                hometown=maybe("Anhui", 0.3),
                **where(),
            )
        )
    pins = [
        {"request_id": r, "provider_id": p, "action": "forbid"}
        for r, p in {
            (f"R{rng.integers(n_r)}", f"V{rng.integers(n_v)}" if rng.random() < 0.6 else pick(firms))
            for _ in range(int(rng.integers(0, 4)))
        }
    ]
    roles = []
    if rng.random() < 0.3:
        requests[0]["skill"] = None
        requests[0]["people"] = 1
        roles = [
            {"request_id": "R0", "role": "pair", "skill": skill, "level": 1, "count": 1}
            for skill in rng.choice(_SKILLS, 2, replace=False).tolist()
        ]
    for asked in requests:
        if asked["skill"] is None:  # a level or a certificate belongs to a skill
            asked |= {"level": 1, "certified": False}
    tables = {
        "communities": pd.DataFrame(communities),
        "party_units": frame(
            "unit_id parent_id community_id", ("U0", None, places[0]), ("U1", "U0", places[-1])
        ),
        "organizations": pd.DataFrame(organizations),
        "volunteers": pd.DataFrame(volunteers),
        "requests": pd.DataFrame(requests),
    }
    if rng.random() < 0.8:
        tables["availability"] = (
            free(*spans) if spans else pd.DataFrame(columns=["provider_id", "start", "end"])
        )
    for name, rows in (("agreements", agreements), ("skills", skills), ("pins", pins), ("roles", roles)):
        if rows:
            tables[name] = pd.DataFrame(rows)
    return tables
