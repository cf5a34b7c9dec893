"""The verifier's own reading of time: local days, and the bookable slots of every provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.plan.verify_columns import Ids, IntArray

NEVER = -(2**60)
"""Stands for a missing time or day; differences of two such still fit."""
_MINUTE = 60_000_000  # microseconds
_DAY = 1440


def _times(column: Any, utc: bool) -> pd.Series[Any]:
    """Return a column as times, NaT for whatever is none."""
    values = pd.Series(column)
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = values.astype(object).map(lambda x: x if isinstance(x, str | date) else None)
    return pd.to_datetime(values, utc=utc, errors="coerce", format="ISO8601")


def utc_minutes(column: Any, up: bool = False) -> IntArray:
    """Return minutes since 1970 in UTC, rounded down or `up`; `NEVER` where absent or not a time."""
    times = _times(column, utc=True).dt.tz_localize(None)
    micros = times.to_numpy("datetime64[us]")
    counts = micros.astype(np.int64)
    minutes = -(-counts // _MINUTE) if up else counts // _MINUTE
    minutes[np.isnat(micros)] = NEVER
    return np.asarray(minutes, dtype=np.int64)


def utc_micros(column: Any) -> IntArray:
    """Return microseconds since 1970 in UTC; `NEVER` where absent or not a time."""
    micros = _times(column, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
    counts = micros.astype(np.int64)
    counts[np.isnat(micros)] = NEVER
    return np.asarray(counts)


def whole_days(column: Any) -> IntArray:
    """Return days since 1970 of a column of dates; `NEVER` where absent."""
    days = _times(column, utc=False).to_numpy("datetime64[D]")
    counts: IntArray = days.astype(np.int64)
    counts[np.isnat(days)] = NEVER
    return counts


class Calendar:
    """Local days of the policy's zone between two instants (minutes UTC)."""

    def __init__(self, zone: str, start: int, end: int) -> None:
        self.zone = zone
        stamps = pd.DatetimeIndex(
            np.array([start, end]).astype("datetime64[m]").astype("datetime64[s]"), tz="UTC"
        )
        stamps = stamps.tz_convert(zone).tz_localize(None)
        bounds = np.asarray(stamps.to_numpy("datetime64[D]")).astype(np.int64)
        self.days: IntArray = np.arange(bounds[0] - 1, bounds[1] + 2, dtype=np.int64)
        self._midnights = self.at(self.days, 0)

    def at(self, days: IntArray, minute: int) -> IntArray:
        """Return the instants at which the local clock shows `minute` minutes past midnight."""
        naive = pd.DatetimeIndex((days * _DAY + minute).astype("datetime64[m]").astype("datetime64[s]"))
        first = np.ones(len(naive), dtype=bool)
        local = naive.tz_localize(self.zone, ambiguous=first, nonexistent="shift_forward")
        return utc_minutes(local)

    def day(self, minutes: IntArray) -> IntArray:
        """Return the local day of each instant (days since 1970)."""
        place = np.searchsorted(self._midnights, minutes, side="right") - 1
        return self.days[np.clip(place, 0, len(self.days) - 1)]


def _clock(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


@dataclass(frozen=True)
class Pieces:
    """The policy's named hours on every local day of the horizon, ascending by start."""

    start: IntArray
    end: IntArray
    weekday: IntArray
    name: NDArray[np.object_]


def pieces_of(calendar: Calendar, hours: Any, start: int, end: int) -> Pieces:
    """Lay the named hours over the days that touch [start, end)."""
    first, last = calendar.day(np.array([start, max(start, end - 1)]))
    days = np.arange(first, last + 1, dtype=np.int64)
    none = np.empty(0, dtype=np.int64)
    begins, ends, weekdays, names = [none], [none], [none], [np.empty(0, dtype=object)]
    for name, (opens, closes) in hours.items():
        begins.append(calendar.at(days, _clock(opens)))
        ends.append(calendar.at(days, _clock(closes)))
        weekdays.append((days + 3) % 7)  # 1970-01-01 was a Thursday
        names.append(np.full(len(days), name, dtype=object))
    opening = np.concatenate(begins)
    order = np.argsort(opening, kind="stable")
    closing, weekday, name_of = (np.concatenate(parts)[order] for parts in (ends, weekdays, names))
    return Pieces(opening[order], closing, weekday, name_of)


@dataclass(frozen=True)
class Slots:
    """Bookable slots by position; `day` is the local day of the start."""

    provider: IntArray
    start: IntArray
    end: IntArray
    day: IntArray
    assumed: NDArray[np.bool_]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The slots as columns, with their positions, for joins."""
        return pd.DataFrame(
            {"p": self.provider, "s": self.start, "e": self.end, "slot": np.arange(len(self.start))}
        )


def _cut(
    owner: IntArray, start: IntArray, end: IntArray, pieces: Pieces
) -> tuple[IntArray, IntArray, IntArray]:
    """Intersect long rows with the pieces; parts of no length remain and are dropped later."""
    low = np.searchsorted(np.maximum.accumulate(pieces.end), start, side="right")
    high = np.maximum(np.searchsorted(pieces.start, end, side="left"), low)
    counts = high - low
    row = np.repeat(np.arange(len(owner)), counts)
    piece = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low, counts)
    return owner[row], np.maximum(start[row], pieces.start[piece]), np.minimum(end[row], pieces.end[piece])


def _presets(
    policy: Any, wanted: NDArray[np.object_], stated: NDArray[np.bool_], table_given: bool, pieces: Pieces
) -> tuple[IntArray, IntArray, IntArray]:
    """Slots of the providers whose times nobody stated."""
    named = policy.presets.named
    codes, values = pd.factorize(pd.Series(wanted, dtype=object))
    none = np.empty(0, dtype=np.int64)
    chosen: list[tuple[IntArray, IntArray, IntArray]] = [(none, none, none)]
    known = np.append(np.isin(np.asarray(values, dtype=object), list(named)), False)[codes]
    for name, habit in named.items():
        states_it = np.append(np.asarray(values, dtype=object) == name, False)[codes]
        falls_back = (~known) & (not table_given and name == policy.presets.default)
        owners = np.flatnonzero(~stated & (states_it | falls_back))
        fits = np.isin(pieces.weekday, list(habit.days)) & np.isin(pieces.name.astype(str), list(habit.slots))
        place = np.flatnonzero(fits)
        piece = np.tile(place, len(owners))
        chosen.append((np.repeat(owners, len(place)), pieces.start[piece], pieces.end[piece]))
    owner, start, end = (np.concatenate(part) for part in zip(*chosen, strict=True))
    return owner, start, end


def slots_of(
    policy: Any,
    calendar: Calendar,
    horizon: tuple[int, int],
    providers: Ids,
    preset: NDArray[np.object_],
    availability: pd.DataFrame | None,
) -> Slots:
    """Derive every provider's slots.

    Rows of `availability` are clipped to the horizon; what is then longer than the policy's
    `long_minutes` is cut at its named hours. Who has no row gets the preset they name, or the
    policy's default where the table is absent.
    """
    begin, finish = horizon
    pieces = pieces_of(calendar, policy.slots.hours, begin, finish)
    stated = np.zeros(len(providers), dtype=bool)
    none = np.empty(0, dtype=np.int64)
    owner = start = end = none
    if availability is not None:
        rows = providers.at(availability["provider_id"])
        stated[rows[rows >= 0]] = True
        start = np.maximum(utc_minutes(availability["start"], up=True), begin)
        end = np.minimum(utc_minutes(availability["end"]), finish)
        kept = (rows >= 0) & (end > start)
        owner, start, end = rows[kept], start[kept], end[kept]
        long = end - start > policy.slots.long_minutes
        parts = _cut(owner[long], start[long], end[long], pieces)
        owner, start, end = (
            np.concatenate((short, cut))
            for short, cut in zip((owner[~long], start[~long], end[~long]), parts, strict=True)
        )
    given = len(owner)
    extra = _presets(policy, preset, stated, availability is not None, pieces)
    owner, start, end = (np.concatenate(both) for both in zip((owner, start, end), extra, strict=True))
    assumed = np.arange(len(owner)) >= given
    start, end = np.maximum(start, begin), np.minimum(end, finish)
    kept = end > start
    start = start[kept]
    return Slots(owner[kept], start, end[kept], calendar.day(start), assumed[kept])
