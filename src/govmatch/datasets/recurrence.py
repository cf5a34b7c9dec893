"""Synthetic recurring requests: who is visited how often, and by whom from now on.

The generator's day becomes the first of `WEEKS` weeks. Only what recurs asks for anything after that day, and
only carers are free then: those who are free on the day, hold the skill that recurs, and live in a community
that asks for it so. So the tables grow with what recurs, not with the county.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from govmatch.datasets.columns import IntArray, frame, generator
from govmatch.datasets.holidays import known_years, listed
from govmatch.ragged import matches

WEEKS = 4

_PART = 41
_OFFSETS = (0, 2, 3, 4)
"""Days after the first of a week on which somebody is visited: `visits.per_week` spreads them so."""

_FREE = 0.6
"""Share of carers who are also free on each of the later days of a week."""

_AWAY = 0.1
"""Share of the weeks, after the first, in which a carer is away."""

_KNOWN = 0.5
"""Share of those visited who know somebody."""

_LIMITED = 0.2
"""Share of those visited who want few faces."""


@dataclass(frozen=True)
class _Rhythm:
    """How often a service recurs: shares of once, twice and three times a week; what happens on holidays."""

    skill: str
    often: tuple[float, float, float]
    holiday: str = "move"


RHYTHMS = (
    _Rhythm("elder_company", (0.6, 0.3, 0.1)),
    _Rhythm("meal_delivery", (0.0, 0.3, 0.7), "keep"),
    _Rhythm("house_cleaning", (1.0, 0.0, 0.0)),
    _Rhythm("health_check", (1.0, 0.0, 0.0)),
    _Rhythm("physiotherapy", (0.3, 0.7, 0.0)),
    _Rhythm("nursing_care", (0.2, 0.5, 0.3), "keep"),
    _Rhythm("bereaved_company", (1.0, 0.0, 0.0)),
    _Rhythm("tutoring", (0.4, 0.6, 0.0), "skip"),
)


def recurrence(tables: dict[str, pd.DataFrame], seed: int, share: float) -> dict[str, pd.DataFrame]:
    """Let a share of the requests recur, with a free day between two visits, for `WEEKS` weeks.

    Requests keep their window, which is that of the first visit. Carers are free at the same hours on each
    day that they are; half of those visited know one of them. In years whose holidays are not known every
    visit is kept.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As `govmatch.datasets.haining` gives them, of one day.
    seed : int
    share : float
        From 0 to 1, of all requests; fewer recur where fewer are of a service that does (`RHYTHMS`), for one
        person, and of no team.

    Returns
    -------
    dict of str to DataFrame
        visits, history, availability with the later days, about, and holidays where they are known.
    """
    rng = generator(seed, _PART)
    requests = tables["requests"]
    row, rhythm = _chosen(rng, tables, share)
    skill = requests["skill"].to_numpy(dtype=object)[row]
    community = requests["community_id"].to_numpy(dtype=object)[row]
    often = np.array([one.often for one in RHYTHMS])[rhythm]
    per_week = 1 + (rng.random(len(row))[:, None] > np.cumsum(often, axis=1)[:, :-1]).sum(axis=1)
    few = rng.random(len(row)) < _LIMITED
    of, carer = _carers(tables, skill, community)
    ids = requests["request_id"].to_numpy(dtype=object)[row]
    first = requests["earliest"].min()
    years = sorted({first.year, (first + pd.Timedelta(weeks=WEEKS)).year})
    minded = set(years) <= set(known_years())
    rules = [one.holiday if minded else "keep" for one in RHYTHMS]
    words = (
        "what recurs, later hours and who knows whom are synthetic 定期服务、此后时间与相识关系均为合成数据"
    )
    said = frame(key=np.array(["recurrence"], dtype=object), value=np.array([words], dtype=object))
    changed = {"about": pd.concat([tables["about"], said], ignore_index=True)}
    if minded:
        changed["holidays"] = listed(years)
    return changed | {
        "visits": frame(
            request_id=ids,
            per_week=per_week,
            days_between=np.where(per_week > 1, 1, 0),
            weeks=np.full(len(row), WEEKS),
            holiday=np.array(rules, dtype=object)[rhythm],
            faces=pd.Series(pd.array(1 + per_week, dtype="Int64")).mask(~few),
        ),
        "history": _history(rng, requests, ids, of, carer),
        "availability": _later(rng, tables["availability"], np.unique(carer.astype(str)).astype(object)),
    }


def _chosen(
    rng: np.random.Generator, tables: dict[str, pd.DataFrame], share: float
) -> tuple[IntArray, IntArray]:
    """Return rows of requests, ascending, and the rhythm of each."""
    requests = tables["requests"]
    rhythm = pd.Index([one.skill for one in RHYTHMS]).get_indexer(pd.Index(requests["skill"]))
    free = (rhythm >= 0) & (requests["people"] == 1).to_numpy() & requests["duplicate_of"].isna().to_numpy()
    free &= ~requests["request_id"].isin(requests["duplicate_of"]).to_numpy()
    for other in ("roles", "request_goods"):
        if other in tables:
            free &= ~requests["request_id"].isin(tables[other]["request_id"]).to_numpy()
    if "resident_id" in requests:
        free &= requests["resident_id"].isna().to_numpy()
    at = np.flatnonzero(free)
    row = np.sort(rng.choice(at, min(len(at), round(share * len(requests))), replace=False))
    return row, rhythm[row].astype(np.int64)


def _carers(
    tables: dict[str, pd.DataFrame], skill: np.ndarray, community: np.ndarray
) -> tuple[IntArray, np.ndarray]:
    """Return for each request, by position, who could come: volunteers of the community, free on the day."""
    free = tables["volunteers"]["volunteer_id"].isin(tables["availability"]["provider_id"])
    lives = tables["volunteers"].loc[free, ["volunteer_id", "community_id"]]
    held = tables["skills"].merge(lives, left_on="provider_id", right_on="volunteer_id")
    code, _ = pd.MultiIndex.from_arrays(
        [np.concatenate([held["skill"], skill]), np.concatenate([held["community_id"], community])]
    ).factorize()
    mine = code[: len(held)]
    order = np.argsort(mine, kind="stable")
    of, at = matches(mine[order].astype(np.int64), code[len(held) :].astype(np.int64))
    return of, held["provider_id"].to_numpy(dtype=object)[order[at]]


def _history(
    rng: np.random.Generator, requests: pd.DataFrame, ids: np.ndarray, of: IntArray, carer: np.ndarray
) -> pd.DataFrame:
    """Let some of those visited have been visited before, by somebody who could come again."""
    count = np.bincount(of, minlength=len(ids))
    met = np.flatnonzero((rng.random(len(ids)) < _KNOWN) & (count > 0))
    who = np.searchsorted(of, met) + np.floor(rng.random(len(met)) * count[met]).astype(np.int64)
    start = requests.set_index("request_id")["earliest"].reindex(ids[met]) - pd.Timedelta(days=7)
    dates = start.dt.strftime("%Y-%m-%d").tolist()
    past = [f"{name}@{date}" for name, date in zip(ids[met].tolist(), dates, strict=True)]
    return frame(
        request_id=np.array([*past, None], dtype=object)[:-1],
        provider_id=carer[who],
        start=pd.DatetimeIndex(start),
    )


def _later(rng: np.random.Generator, free: pd.DataFrame, carers: np.ndarray) -> pd.DataFrame:
    """Append the pieces of carers on the later days."""
    mine = free[free["provider_id"].isin(carers)]
    code, people = pd.factorize(mine["provider_id"])
    usual = rng.random((len(people), len(_OFFSETS))) < _FREE
    usual[:, 0] = True
    here = rng.random((len(people), WEEKS)) >= _AWAY
    here[:, 0] = True
    parts = [free]
    for week in range(WEEKS):
        for number, offset in enumerate(_OFFSETS):
            if week or offset:
                comes = mine[(usual[:, number] & here[:, week])[code]]
                later = pd.Timedelta(days=7 * week + offset)
                parts.append(comes.assign(start=comes["start"] + later, end=comes["end"] + later))
    return pd.concat(parts, ignore_index=True)
