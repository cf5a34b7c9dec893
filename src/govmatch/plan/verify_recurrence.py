"""The verifier's own reading of recurrence: dates one by one, by Python's calendar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import Ids, IntArray, ObjectArray, objects, whole

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENGLISH = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Dated = tuple[int, str, int, int]
"""Row in requests, id, earliest and latest in minutes since 1970."""


def _weekday(word: str) -> int:
    word = word.casefold()
    if word.isdigit():
        return int(word)
    return _ENGLISH.index(word[:3]) if word[:3] in _ENGLISH else min("一二三四五六日天".index(word[-1]), 6)


def _plain(cell: Any, zone: ZoneInfo | None = None) -> datetime | None:
    """Return a time by the wall clock, without its zone; None where there is none."""
    if pd.isna(cell):
        return None
    stamp = pd.Timestamp(cell)
    stamp = stamp if zone is None or stamp.tzinfo is None else stamp.tz_convert(zone)
    return stamp.tz_localize(None).to_pydatetime()


def _instant(wall: datetime, zone: ZoneInfo) -> timedelta:
    """Return the time since 1970 at which the clock first shows a time, or would have."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC) - _EPOCH


class _Days:
    """Holidays, and weekend days that are worked."""

    def __init__(self, tables: Any) -> None:
        self.kind: dict[date, str] = {}
        if "holidays" in tables:
            listed = tables["holidays"]
            for day, kind in zip(listed["date"], listed["kind"], strict=True):
                self.kind[pd.Timestamp(day).date()] = kind

    def off(self, day: date) -> bool:
        return self.kind.get(day) == "holiday"

    def worked(self, day: date) -> bool:
        return not self.off(day) and (day.weekday() < 5 or self.kind.get(day) == "workday")

    def around(self, days: list[date], rule: str, between: int) -> list[date]:
        """Return the days on which the visits take place."""
        if rule == "keep":
            return days
        taken = {day for day in days if not self.off(day)}
        for day in days if rule == "move" else []:
            if not self.off(day):
                continue
            for other in (day + step * _DAY for step in range(1, 7 - day.weekday())):
                near = any(other + shift * _DAY in taken for shift in range(-between, between + 1))
                if self.worked(other) and not near:
                    taken.add(other)
                    break
        return sorted(taken)


@dataclass(frozen=True)
class Dates:
    """One row of `visits`: the first day, and the times of day of each visit."""

    row: int
    name: str
    minutes: int
    visit: dict[Any, Any]
    day: date
    opens: timedelta
    closes: timedelta


def read_visits(problem: Any) -> list[Dates]:
    """Read every row of `visits` whose request is no further report of another."""
    tables = problem.tables
    if "visits" not in tables:
        return []
    zone, begin = ZoneInfo(problem.policy.time_zone), timedelta(minutes=int(problem.horizon[0]))
    at = Ids(tables["requests"]["request_id"]).at(tables["visits"]["request_id"])
    columns = ["request_id", "minutes", "duplicate_of", "earliest", "latest"]
    asked = tables["requests"][columns].iloc[at].to_dict("records")
    found = []
    for row, request, visit in zip(at.tolist(), asked, tables["visits"].to_dict("records"), strict=True):
        if pd.notna(request["duplicate_of"]):
            continue
        earliest, latest = (_plain(request[name], zone) for name in ("earliest", "latest"))
        own = earliest or latest
        origin = None if own is None else datetime.combine(own.date(), datetime.min.time())
        opens = timedelta(0) if earliest is None or origin is None else earliest - origin
        closes = _DAY if latest is None or origin is None else latest - origin
        first = _plain(visit["start"])
        if first is None and origin is None:
            first = datetime.combine((_EPOCH + begin).astimezone(zone).date(), datetime.min.time())
            first += _DAY if _instant(first, zone) < begin else timedelta(0)
        day = (first or origin or datetime.min).date()
        found.append(Dates(row, request["request_id"], int(request["minutes"]), visit, day, opens, closes))
    return found


def visit_lengths(problem: Any, visits: list[Dates]) -> dict[int, int]:
    """Return the minutes of the window of a visit on the first day, by row of `requests` that recurs."""
    zone, found = ZoneInfo(problem.policy.time_zone), {}
    for one in visits:
        midnight = datetime.combine(one.day, datetime.min.time())
        ends = (_instant(midnight + shift, zone) // _MINUTE for shift in (one.opens, one.closes))
        opens, closes = ends
        found[one.row] = closes - opens
    return found


def dated_visits(problem: Any, visits: list[Dates]) -> Iterator[Dated]:
    """Lay every row of `visits` over the calendar; yield the visits that the horizon holds."""
    policy, days = problem.policy, _Days(problem.tables)
    zone = ZoneInfo(policy.time_zone)
    begin, end = (timedelta(minutes=int(edge)) for edge in problem.horizon)
    for one in visits:
        visit, day = one.visit, one.day
        per_week = 1 if pd.isna(visit["per_week"]) else int(visit["per_week"])
        if pd.isna(visit["weekdays"]):
            wanted = {(day.weekday() + 7 * i // per_week) % 7 for i in range(per_week)}
        else:
            wanted = {_weekday(word) for word in re.findall(r"\w+", visit["weekdays"])}
        planned = [day + i * _DAY for i in range(7 * int(visit["weeks"]))]
        planned = [each for each in planned if each.weekday() in wanted]
        rule = policy.recurrence.holiday if pd.isna(visit["holiday"]) else visit["holiday"]
        for held in days.around(planned, rule, int(visit["days_between"])):
            midnight = datetime.combine(held, datetime.min.time())
            start, finish = _instant(midnight + one.opens, zone), _instant(midnight + one.closes, zone)
            start = -(-start // _MINUTE) * _MINUTE
            if begin <= start and start + one.minutes * _MINUTE <= end:
                name = f"{one.name}@{held.isoformat()}"
                yield one.row, name, start // _MINUTE, min(finish, end) // _MINUTE


def dated_rows(
    problem: Any, visits: list[Dates], ids: ObjectArray, earliest: IntArray, latest: IntArray
) -> tuple[IntArray, ObjectArray, IntArray, IntArray]:
    """Return rows of `requests`, one a dated visit where it recurs, with their ids and windows."""
    found: dict[int, list[Dated]] = {}
    for visit in dated_visits(problem, visits):
        found.setdefault(visit[0], []).append(visit)
    if not found:
        return np.arange(len(ids)), ids, earliest, latest
    rows: list[Dated] = []
    for r in range(len(ids)):
        rows += found.get(r, [(r, ids[r], int(earliest[r]), int(latest[r]))])
    columns = list(zip(*rows, strict=True))
    names = np.empty(len(rows), dtype=object)
    names[:] = columns[1]
    return (np.array(columns[0]), names, np.array(columns[2]), np.array(columns[3]))


def caps_and_known(tables: Any) -> tuple[dict[int, int], dict[int, frozenset[str]]]:
    """Return, by row of `requests` that recurs, its most faces, and who served it or its resident before."""
    if "visits" not in tables:
        return {}, {}
    asked, visits = tables["requests"], tables["visits"]
    ids = Ids(asked["request_id"])
    rows = ids.at(visits["request_id"]).tolist()
    caps = dict(zip(rows, whole(visits["faces"], 10**6).tolist(), strict=True))
    known: dict[int, frozenset[str]] = dict.fromkeys(rows, frozenset())
    if "history" not in tables:
        return caps, known
    history = tables["history"]
    by_name: dict[str, set[str]] = {}
    by_resident: dict[str, set[str]] = {}
    for name, who, resident in zip(
        *(objects(history[c]) for c in ("request_id", "provider_id", "resident_id")), strict=True
    ):
        name = name if name in ids.position else name.rpartition("@")[0]
        by_name.setdefault(name, set()).add(who)
        if resident is not None:
            by_resident.setdefault(resident, set()).add(who)
    resident = objects(asked["resident_id"])
    for r in rows:
        known[r] = frozenset(by_name.get(ids[r], set()) | by_resident.get(resident[r], set()))
    return caps, known
