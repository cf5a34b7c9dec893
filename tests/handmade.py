"""Plans made by hand, without a solver, for the tests of what shows a plan."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from govmatch.model.policy import Policy
from govmatch.plan.goods_frames import no_goods, no_stock
from govmatch.plan.reasons import REASONS

ZONE = "Asia/Shanghai"
DAY = pd.Timestamp("2026-11-21", tz=ZONE)
SKILLS = ("tutoring", "repair", "escort", "mediation", "pet loss")
CATEGORIES = (
    "课业辅导 Tutoring",
    "小修小补 Small repairs",
    "陪诊就医 Medical escort",
    "矛盾调解 Mediation",
    "宠物离世安抚 Pet loss",
)
GROUPS = ("elderly", "child", "new_resident", "disabled", "")


@dataclass(frozen=True)
class HandmadeCertificate:
    primal: float = 12345.67
    bound: float = 12345.67
    gap: float = 0.0
    termination: str = "optimal"
    verified: bool = True
    scope: str = "all_pairs"
    pairs: int = 1_234_567
    arcs: int = 45_678
    rounds: int = 3
    resolution_minutes: float = 0.01
    solver: str = "ortools"
    policy_fingerprint: str = "p" * 16
    problem_fingerprint: str = "q" * 16
    assumed_share: float = 0.25
    placed_assumed_share: float = 0.9
    synthetic: bool = True


def handmade_plan(
    requests: int = 60, towns: int = 3, per_town: int = 4, seed: int = 0, **certificate: Any
) -> Any:
    """A plan with every frame of the real one; about a sixth is unserved."""
    rng = np.random.default_rng(seed)
    n = towns * per_town
    communities = pd.DataFrame(
        {
            "community_id": [f"C{i:03d}" for i in range(n)],
            "name": [f"社区{i:03d}" for i in range(n)],
            "town": [f"镇{i // per_town:02d}" for i in range(n)],
            "lat": 30.4 + 0.03 * (np.arange(n) // per_town % 4) + rng.normal(0, 0.008, n),
            "lon": 120.5 + 0.07 * (np.arange(n) // per_town // 4) + rng.normal(0, 0.012, n),
            "crs": "wgs84",
            "placed": np.where(np.arange(n) % 3 == 0, "surveyed", "assumed"),
        }
    )
    organizations = pd.DataFrame(
        {
            "organization_id": [f"O{i:03d}" for i in range(n)],
            "name": [f"志愿队{i:03d}" for i in range(n)],
            "field": "service 服务",
            "community_id": communities["community_id"],
            "lat": np.nan,
            "lon": np.nan,
            "crs": "wgs84",
            "contact": [f"K-{i:03d}" for i in range(n)],
        }
    )
    party_units = pd.DataFrame(
        {
            "unit_id": [f"U{i:03d}" for i in range(n)],
            "name": [f"党委{i:03d}" for i in range(n)],
            "kind": "committee",
            "parent_id": None,
            "community_id": communities["community_id"],
        }
    )
    m = 2 * requests
    charged = rng.integers(0, n, m)
    volunteers = pd.DataFrame(
        {
            "volunteer_id": [f"V{i:05d}" for i in range(m)],
            "organization_id": [f"O{o:03d}" if i % 4 else None for i, o in enumerate(charged)],
            "community_id": [f"C{o:03d}" if i % 3 else None for i, o in enumerate(charged)],
        }
    )
    volunteers.loc[volunteers["organization_id"].isna(), "community_id"] = "C001"
    skills = pd.DataFrame(
        {"provider_id": volunteers["volunteer_id"], "skill": np.take(SKILLS[:4], np.arange(m) % 4)}
    )
    kind = rng.integers(0, 5, requests)
    at = np.minimum(rng.geometric(min(1.0, 2.0 / n), requests) - 1, n - 1)
    hours = rng.choice([8, 9, 10, 14, 15, 18, 19], requests)
    table = pd.DataFrame(
        {
            "request_id": [f"R{i:05d}" for i in range(requests)],
            "community_id": [f"C{c:03d}" for c in at],
            "category": np.take(CATEGORIES, kind),
            "skill": np.take(SKILLS, kind),
            "group": np.take(GROUPS, rng.integers(0, 5, requests)),
            "priority": rng.integers(1, 6, requests),
            "people": 1,
            "earliest": DAY + pd.to_timedelta(hours, unit="h"),
            "latest": DAY + pd.to_timedelta(hours + 3, unit="h"),
            "duplicate_of": None,
        }
    ).astype({"group": object, "duplicate_of": object})
    served = np.flatnonzero((kind < 4) & (rng.random(requests) < 0.9))
    missing = np.setdiff1d(np.arange(requests), served)
    by = rng.permutation(m)[: len(served)]
    minutes = rng.gamma(3, 4, len(served)).round(2)
    sent = volunteers.iloc[by].reset_index(drop=True)
    start = table["earliest"].iloc[served].reset_index(drop=True)
    where = table["community_id"].iloc[served].reset_index(drop=True)
    assignments = pd.DataFrame(
        {
            "request_id": table["request_id"].iloc[served].to_numpy(),
            "role": "helper",
            "provider_id": sent["volunteer_id"],
            "provider_kind": "volunteer",
            "organization_id": sent["organization_id"],
            "community_id": where,
            "start": start,
            "end": start + pd.Timedelta(minutes=60),
            "slot_start": start,
            "slot_end": start + pd.Timedelta(hours=3),
            "route": [
                f"{c} > {o}" if isinstance(o, str) else c
                for c, o in zip(where, sent["organization_id"], strict=True)
            ],
            "hops": sent["organization_id"].notna().astype("int64"),
            "travel_minutes": minutes,
            "travel_known": True,
            "cost_minutes": minutes + 2.0,
            "travel_cost": minutes,
            "route_cost": 2.0,
            "dialect_cost": 0.0,
            "hometown_cost": 0.0,
            "level_cost": 0.0,
            "wait_cost": 0.0,
            "load_cost": 0.0,
            "face_cost": 0.0,
            "bond_cost": 0.0,
            "assumed": np.arange(len(served)) % 7 == 0,
        }
    )
    codes = np.where(
        kind[missing] == 4, "no_such_service", rng.choice(["capacity", "distance", "path"], len(missing))
    )
    unmet = table.iloc[missing].reset_index(drop=True)[
        ["request_id", "community_id", "category", "skill", "group", "priority", "people"]
    ]
    unmet.insert(4, "role", "helper")
    unmet["reason"] = codes.astype(object)
    unmet["reason_zh"] = [REASONS[c][1] for c in codes]
    unmet["eligible"] = 3
    unmet["unmet_minutes"] = 240.0 * unmet["priority"]
    rest = rng.permutation(m)[: 2 * len(served)]
    alternates = pd.DataFrame(
        {
            "request_id": np.repeat(assignments["request_id"].to_numpy(), 2),
            "role": "helper",
            "provider_id": volunteers["volunteer_id"].to_numpy()[rest],
            "start": assignments["start"].repeat(2).reset_index(drop=True),
            "cost_minutes": 20.0,
            "rank": np.tile([1, 2], len(served)),
        }
    ).iloc[1:]
    funnel = pd.DataFrame(
        {
            "reason": ["level", "window"],
            "reason_zh": [REASONS["level"][1], REASONS["window"][1]],
            "pairs": [900, 200],
        }
    )
    start_minute = int(DAY.timestamp() // 60)
    problem = SimpleNamespace(
        tables={
            "communities": communities.astype(object).astype({"lat": float, "lon": float}),
            "organizations": organizations,
            "party_units": party_units,
            "volunteers": volunteers,
            "skills": skills,
            "requests": table,
        },
        policy=Policy(),
        horizon=(start_minute, start_minute + 1440),
        demand=SimpleNamespace(
            request_id=table["request_id"].to_numpy(dtype=object),
            row=np.arange(requests),
            group=table["group"].to_numpy(),
            need_ptr=np.arange(requests + 1),
            need_skill_name=table["skill"].to_numpy(dtype=object),
        ),
        series=SimpleNamespace(of=np.full(requests, -1)),
        about={
            "title": "海宁 Haining",
            "attribution": "Places: GeoNames (https://www.geonames.org), CC BY 4.0",
        },
        synthetic=True,
    )
    return SimpleNamespace(
        problem=problem,
        assignments=assignments,
        unmet=unmet,
        alternates=alternates,
        funnel=funnel,
        linked=2,
        incumbent=None,
        floors=pd.DataFrame(),
        goods=no_goods(),
        stock=no_stock(),
        seconds={"solve": 0.5},
        candidate_projects=pd.DataFrame(
            {
                "skill": ["pet loss"],
                "town": ["镇00"],
                "requests": [7],
                "people": [7],
                "communities": [3],
                "groups": ["elderly"],
            }
        ),
        certificate=HandmadeCertificate(**certificate),
    )


def empty_plan() -> Any:
    """A plan of no requests."""
    plan = handmade_plan()
    for name in ("assignments", "unmet", "alternates", "funnel", "candidate_projects"):
        setattr(plan, name, getattr(plan, name).iloc[:0])
    problem = plan.problem
    problem.tables["requests"] = problem.tables["requests"].iloc[:0]
    problem.series = SimpleNamespace(of=np.zeros(0, dtype=np.int64))
    problem.demand = SimpleNamespace(
        request_id=np.array([], dtype=object),
        row=np.array([], dtype=np.int64),
        group=np.array([], dtype=object),
        need_ptr=np.zeros(1, dtype=np.int64),
        need_skill_name=np.array([], dtype=object),
    )
    return plan
