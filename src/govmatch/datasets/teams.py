"""Synthetic requests that need a team: what several people do together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from govmatch.datasets.columns import generator, pick
from govmatch.datasets.services import SERVICES

_PART = 7
_LATEST = "23:55"


@dataclass(frozen=True)
class _Role:
    """One role: who, how many, for how long, and when after which other."""

    name: str
    skill: str
    count: int = 1
    minutes: int = 60
    leader: bool = False
    level: int = 1
    after: str | None = None
    least: int = 0
    most: int = 0


@dataclass(frozen=True)
class _Kind:
    """One kind of team; `fewest` people suffice, everybody where it is None."""

    name: str
    share: float
    roles: tuple[_Role, ...]
    fewest: int | None = None
    priority: int = 3


KINDS = (
    _Kind(
        "微爱童行 Course for children",
        3,
        (
            _Role("designer 课程设计", "childcare", minutes=90, leader=True),
            _Role("teacher 授课", "art_teaching", 2, 90),
        ),
    ),
    _Kind(
        "双人调解 Mediation by two",
        3,
        (
            _Role("chair 主调", "dispute_mediation", minutes=90, leader=True),
            _Role("second 副调", "dispute_mediation", minutes=90),
        ),
    ),
    _Kind(
        "居家助浴 Bathing at home",
        2,
        (_Role("carer 照护", "elder_company", 2, 60), _Role("health 测压", "health_check", minutes=30)),
    ),
    _Kind(
        "适老化改造 Making a home safe",
        3,
        (
            _Role("survey 评估", "fire_check", minutes=30),
            _Role("repair 施工", "home_repair", 2, 90, after="survey 评估", least=30, most=150),
        ),
    ),
    _Kind(
        "社区活动 Neighbourhood event",
        3,
        (
            _Role("lead 组织", "event_help", minutes=120, leader=True),
            _Role("helper 帮手", "event_help", 3, 120),
            _Role("performer 演出", "performance", 2, 60, after="lead 组织", least=30, most=30),
        ),
        fewest=4,
        priority=2,
    ),
    _Kind(
        "居民监理 Residents watch a renovation",
        1,
        (_Role("resident 居民", "environment_patrol", 9, 60),),
        fewest=6,
    ),
    _Kind(
        "走失寻人 Search party",
        1,
        (
            _Role("leader 带队", "lost_elder_search", minutes=120, leader=True),
            _Role("searcher 搜寻", "lost_elder_search", 4, 120),
        ),
        fewest=3,
        priority=5,
    ),
)


def teams(
    requests: pd.DataFrame, roles: pd.DataFrame, seed: int, share: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Turn a share of the requests that stand alone into requests of teams.

    Where, for whom and when they begin stays as it was; their window is made wide enough.
    """
    rng = generator(seed, _PART)
    taken = requests["request_id"].isin(roles["request_id"]) | requests["duplicate_of"].notna()
    taken |= requests["request_id"].isin(requests["duplicate_of"])
    free = np.flatnonzero(~taken.to_numpy())
    chosen = np.sort(rng.choice(free, round(share * len(free)), replace=False))
    kind = pick(rng, np.array([k.share for k in KINDS]), len(chosen))
    span = np.array([_span(k) for k in KINDS])[kind]
    slack = pick(rng, np.array([3.0, 3.0, 2.0, 1.0]), len(chosen)) * 60
    requests = requests.copy()
    earliest = requests["earliest"].iloc[chosen]
    day = earliest.dt.normalize()
    last = day + pd.Timedelta(f"{_LATEST}:00")
    need = pd.to_timedelta(span, unit="min")
    earliest = earliest.where(earliest + need <= last, (last - need).dt.floor("15min"))
    latest = np.minimum(earliest + need + pd.to_timedelta(slack, unit="min"), last)
    at = requests.index[chosen]
    named = [KINDS[k] for k in kind]
    for column, values in (
        ("category", [k.name for k in named]),
        ("skill", None),
        ("level", 1),
        ("certified", False),
        ("people", 1),
        ("clearance", 0),
        ("priority", [k.priority for k in named]),
        ("earliest", earliest),
        ("latest", latest),
        ("minutes", 60),
    ):
        requests.loc[at, column] = values
    requests["min_serve"] = pd.Series(pd.NA, index=requests.index, dtype="Int64")
    requests.loc[at, "min_serve"] = pd.array([k.fewest for k in named], dtype="Int64")
    certified = {s.skill: s.certified for s in SERVICES}
    rows = [
        {
            "request_id": request,
            "role": role.name,
            "skill": role.skill,
            "level": role.level,
            "certified": certified[role.skill],
            "count": role.count,
            "leader": role.leader,
            "minutes": role.minutes,
            "after": role.after,
            "after_least": role.least,
            "after_most": role.most if role.after else None,
        }
        for request, one in zip(requests["request_id"].iloc[chosen], named, strict=True)
        for role in one.roles
    ]
    return requests, pd.concat([roles, pd.DataFrame(rows)], ignore_index=True)


def _span(kind: _Kind) -> int:
    """Return how many minutes a team takes at least, from its start to the end of its last role."""
    begins = {role.name: role.least for role in kind.roles}
    return max(begins[role.name] + role.minutes for role in kind.roles)
