"""Recurrence: rows of `visits` become dated visits, by wall clock, around holidays.

A series is a request that recurs. Its first day comes from `visits.start`, else from the request's own
window, else from the horizon; every visit opens and closes at the same times of day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import BoolArray, IntArray
from govmatch.model.policy import Policy
from govmatch.model.policy_rules import WEEKDAYS, weekday_of
from govmatch.model.schema import HOLIDAY_RULES
from govmatch.model.sheets import Sheets
from govmatch.model.times import DAY, MINUTE, ceil_minutes
from govmatch.ragged import runs

UNDATED = np.iinfo(np.int64).min // 4
"""First day of a series to which neither table nor horizon gives one."""

KEEP, SKIP, MOVE = (HOLIDAY_RULES.index(rule) for rule in ("keep", "skip", "move"))
_PARTS = re.compile(r"[\s,;/、，；]+")


def weekdays_of(text: str) -> tuple[int, ...] | None:
    """Read weekdays such as ``"mon,thu"`` or ``"周一、周四"``, 0 = Monday; None if they are not such."""
    found = [weekday_of(part) for part in _PARTS.split(text.strip()) if part]
    if not found or len(set(found)) < len(found) or not all(isinstance(day, int) for day in found):
        return None
    return tuple(sorted(found))


def spread(first: int, per_week: int) -> tuple[int, ...]:
    """Spread days over the week as evenly as can be, from a first weekday on."""
    return tuple((first + i * 7 // per_week) % 7 for i in range(per_week))


def least_between(days: tuple[int, ...]) -> int:
    """Return the fewest free days between two of a week's days, from one week to the next, too."""
    ranked = sorted(days)
    return min(b - a for a, b in zip(ranked, [*ranked[1:], ranked[0] + 7], strict=True)) - 1


def recurring(sheets: Sheets) -> BoolArray:
    """Tell which rows of `requests` recur."""
    marked = np.zeros(sheets["requests"].n + 1, dtype=bool)
    marked[sheets.positions("visits", "request_id")] = True
    return marked[:-1]


@dataclass(frozen=True)
class Series:
    """The series by position, in the order of `visits`; linked requests have none."""

    row: IntArray  # (n,) in visits
    request: IntArray  # (n,) row in requests
    first: IntArray  # (n,) local day; UNDATED where unknown
    weeks: IntArray  # (n,)
    weekday: BoolArray  # (n, 7)
    days_between: IntArray  # (n,)
    rule: IntArray  # (n,) position in HOLIDAY_RULES
    opens: IntArray  # (n,) wall-clock microseconds after the visit's midnight
    closes: IntArray  # (n,) likewise; may lie on a later day


def read_series(sheets: Sheets, policy: Policy, horizon_start: int | None) -> Series:
    """Read the series; `horizon_start`, in minutes, dates those that no table dates."""
    visits, requests = sheets["visits"], sheets["requests"]
    at = sheets.positions("visits", "request_id").astype(np.int64)
    linked = np.append(requests["duplicate_of"].present, True)
    row = np.flatnonzero(~linked[at])
    request = at[row]
    earliest, latest = requests["earliest"], requests["latest"]
    wall = [sheets.zone.local(cells.values[request]) for cells in (earliest, latest)]
    has = [cells.present[request] for cells in (earliest, latest)]
    own = np.where(has[0], wall[0], wall[1]) // DAY
    otherwise = UNDATED
    if horizon_start is not None:  # the first local day that begins within the horizon
        otherwise = int(sheets.zone.local(np.array([horizon_start * MINUTE - 1]))[0] // DAY) + 1
    start = visits["start"]
    first = np.where(
        start.present[row], start.values[row].astype(np.int64), np.where(has[0] | has[1], own, otherwise)
    )
    rule = np.full(len(row), HOLIDAY_RULES.index(policy.recurrence.holiday))
    for code, name in enumerate(HOLIDAY_RULES):
        rule[visits["holiday"].values[row] == name] = code
    return Series(
        row=row,
        request=request,
        first=first,
        weeks=visits["weeks"].values[row].astype(np.int64),
        weekday=_weekdays(sheets, row, first),
        days_between=visits["days_between"].values[row].astype(np.int64),
        rule=rule,
        opens=np.where(has[0], wall[0] - own * DAY, 0),
        closes=np.where(has[1], wall[1] - own * DAY, DAY),
    )


def _weekdays(sheets: Sheets, row: IntArray, first: IntArray) -> BoolArray:
    """Return each series' days of the week; those that are not read are none."""
    visits = sheets["visits"]
    per_week = np.where(visits["per_week"].present, visits["per_week"].values, 1)[row].astype(np.int64)
    found = np.zeros((len(row), 7), dtype=bool)
    cells = visits["weekdays"]
    codes = np.asarray(cells.codes)[row]
    texts = [] if cells.uniques is None else cells.uniques.tolist()
    for code, text in enumerate(texts):
        days = weekdays_of(text)
        if days is not None:
            found[np.ix_(codes == code, days)] = True
    for n in np.unique(per_week[codes < 0]).tolist():
        for begin in range(7):
            mine = (codes < 0) & (per_week == n) & ((first + 3) % 7 == begin)
            found[np.ix_(mine, spread(begin, min(n, 7)))] = True
    return found


@dataclass(frozen=True)
class Calendar:
    """Days off, and weekend days that are worked instead, ascending."""

    holidays: IntArray
    workdays: IntArray

    @classmethod
    def of(cls, sheets: Sheets) -> Calendar:
        """Read the table `holidays`."""
        days = sheets["holidays"]["date"]
        off = sheets["holidays"]["kind"].values == "holiday"
        listed = days.values.astype(np.int64)
        return cls(np.unique(listed[off & days.present]), np.unique(listed[~off & days.present]))

    def is_workday(self, day: IntArray) -> BoolArray:
        """Tell which days are worked."""
        usual = (day + 3) % 7 < 5
        return np.isin(day, self.workdays) | (usual & ~np.isin(day, self.holidays))


@dataclass(frozen=True)
class Visits:
    """All visits that the series ask for, by series and planned day, before the horizon is looked at."""

    series: IntArray  # (n,) position in Series
    planned: IntArray  # (n,) local day
    day: IntArray  # (n,) local day after holidays; -1 - planned where the visit is skipped
    held: BoolArray  # (n,) not skipped
    earliest: IntArray  # (n,) minutes
    latest: IntArray  # (n,) minutes


def expand(series: Series, sheets: Sheets) -> Visits:
    """Lay the series over the days; those that are undated have none."""
    which, weekday = np.nonzero(series.weekday & (series.first != UNDATED)[:, None])
    begin = series.first[which] + (weekday - (series.first[which] + 3)) % 7
    pair, week = runs(series.weeks[which])
    of, planned = which[pair], begin[pair] + 7 * week
    order = np.lexsort((planned, of))
    of, planned = of[order], planned[order]
    day, held = _around_holidays(series, of, planned, Calendar.of(sheets))
    zone = sheets.zone
    opens, _ = zone.instant(day * DAY + series.opens[of])
    closes, _ = zone.instant(day * DAY + series.closes[of])
    return Visits(of, planned, day, held, ceil_minutes(opens), closes // MINUTE)


def _around_holidays(
    series: Series, of: IntArray, planned: IntArray, calendar: Calendar
) -> tuple[IntArray, BoolArray]:
    """Move or skip what falls on a holiday, the earlier visits of a series first."""
    day, rule = planned.copy(), series.rule[of]
    struck = np.isin(planned, calendar.holidays) & (rule != KEEP)
    held = ~struck
    moving = np.flatnonzero(struck & (rule == MOVE))
    if not len(moving):
        return day, held
    low = int(planned.min()) - 14
    width = int(planned.max()) + 15 - low
    taken = (of * width + planned - low)[held]
    turn = np.arange(len(moving)) - np.searchsorted(of[moving], of[moving])
    for rank in range(int(turn.max()) + 1):
        left = moving[turn == rank]
        for step in range(1, 7):
            to = planned[left] + step
            fits = ((to + 3) // 7 == (planned[left] + 3) // 7) & calendar.is_workday(to)
            fits &= _apart(of[left] * width + to - low, series.days_between[of[left]], taken)
            chosen = left[fits]
            day[chosen], held[chosen] = to[fits], True
            left = left[~fits]
        done = moving[(turn == rank) & held[moving]]
        taken = np.concatenate([taken, of[done] * width + day[done] - low])
    return day, held


def _apart(key: IntArray, days_between: IntArray, taken: IntArray) -> BoolArray:
    """Tell which days of series lie far enough from the days that are taken."""
    free = np.ones(len(key), dtype=bool)
    for distance in range(int(days_between.max(initial=0)) + 1):
        near = np.isin(key - distance, taken) | np.isin(key + distance, taken)
        free &= ~near | (distance > days_between)
    return free


def within(visits: Visits, minutes: IntArray, horizon: tuple[int, int]) -> BoolArray:
    """Tell which visits are made: those that begin in the horizon, with room for `minutes` before its end."""
    starts, ends = horizon
    made: BoolArray = visits.held & (visits.earliest >= starts) & (visits.earliest + minutes <= ends)
    return made


def visit_ids(request_id: NDArray[np.object_], day: IntArray) -> NDArray[np.object_]:
    """Return the ids of dated visits: the request's, and the date behind an ``@``."""
    dates = np.datetime_as_string(day.astype("datetime64[D]")).tolist()
    found = np.empty(len(dates), dtype=object)
    found[:] = [f"{name}@{date}" for name, date in zip(request_id.tolist(), dates, strict=True)]
    return found


def days_text(days: tuple[int, ...]) -> str:
    """Write weekdays."""
    return ",".join(WEEKDAYS[day] for day in days)
