"""Instants and days: reading columns of times, and one time zone as a table of offsets.

Instants are int64 microseconds since 1970-01-01T00:00Z; days are counted from 1970-01-01.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import infer_dtype

from govmatch.model.encoded import BoolArray, Int32Array, IntArray
from govmatch.model.objects import each, each_pair, is_none

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


FIRST_TIME, LAST_TIME = _instant(1900), _instant(2200)  # times outside are taken for slips of the pen
FIRST_DATE, LAST_DATE = _instant(1), _instant(9999) + 365 * DAY  # 9999-12-31 is a common "for ever"

_PATTERN = (
    r"^\s*([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
    r"(?:[T\s]\s*([0-9]{1,2})[:：时]([0-9]{1,2})分?(?:[:：]([0-9]{1,2})(?:[.,]([0-9]{1,9}))?)?)?"
    r"\s*(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?\s*$"
)
_LONGEST = 60


def ceil_minutes(instants: IntArray) -> IntArray:
    """Return the first whole minutes not before instants."""
    return -(-instants // MINUTE)


@dataclass(frozen=True)
class Zone:
    """A time zone from 1900 to 2200: ``offsets[i]`` holds before ``changes[i]``, the last one after all."""

    name: str
    changes: IntArray  # (k,) instants
    offsets: IntArray  # (k + 1,) microseconds east of UTC

    def local(self, instants: IntArray) -> IntArray:
        """Return wall-clock microseconds of instants."""
        if not len(instants):
            return instants
        low, high = np.searchsorted(self.changes, [instants.min(), instants.max()], side="right")
        if low == high:
            shift = self.offsets[low]
        else:
            shift = self.offsets[np.searchsorted(self.changes, instants, side="right")]
        local: IntArray = instants + shift
        return local

    def instant(self, local: IntArray) -> tuple[IntArray, BoolArray | None]:
        """Return instants of wall-clock microseconds, and where the clock does not tell just one.

        A time that the clock skipped or showed twice is read with the offset before the change, and
        marked in the second array (None: there is none such).
        """
        if not len(local):
            return local, None
        before, after = self.offsets[:-1], self.offsets[1:]
        opens, closes = self.changes + np.minimum(before, after), self.changes + np.maximum(before, after)
        edges = [local.min(), local.max()]
        first, last = (
            np.searchsorted(closes, edges[0], side="right"),
            np.searchsorted(opens, edges[1], side="right"),
        )
        if first == last:
            return local - self.offsets[first], None
        index = np.searchsorted(closes, local, side="right")
        doubtful = index != np.searchsorted(opens, local, side="right")
        return local - self.offsets[index], doubtful if doubtful.any() else None

    def day(self, instants: IntArray) -> Int32Array:
        """Return the local days of instants."""
        return np.asarray(self.local(instants) // DAY, dtype=np.int32)


@lru_cache(maxsize=16)
def zone_of(name: str) -> Zone:
    """Read a zone of the IANA database."""
    zone = ZoneInfo(name)

    def offset(seconds: int) -> int:
        found = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset() or timedelta()
        return found // timedelta(microseconds=1)

    step = 7 * 86_400
    start, stop = FIRST_TIME // SECOND - step, LAST_TIME // SECOND + step
    changes, offsets = [], [offset(start)]
    for low in range(start, stop, step):
        high = low + step
        if offset(high) == offsets[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
        changes.append(high * SECOND)
        offsets.append(offset(high))
    return Zone(name, np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64))


@dataclass
class Stamps:
    """A column of times as it was written: wall-clock or, where `aware`, absolute microseconds."""

    microseconds: IntArray
    aware: BoolArray
    missing: BoolArray
    unreadable: BoolArray
    beyond: BoolArray  # a date that exists in no calendar we use


def _plain(values: NDArray[Any], aware: bool) -> Stamps:
    """Read an array of numpy's datetime64, whatever its unit."""
    unit = np.datetime_data(values.dtype)[0]
    missing, ticks = np.isnat(values), values.view(np.int64)
    beyond = np.zeros(len(values), dtype=bool)
    if unit == "ns":
        ticks = ticks // 1000
    elif unit != "us":
        factor = {"ms": 1000, "s": SECOND}[unit]
        beyond = ((ticks > LAST_DATE // factor) | (ticks < FIRST_DATE // factor)) & ~missing
        ticks = np.where(beyond | missing, 0, ticks) * factor
    ticks = np.where(missing, 0, ticks) if missing.any() else ticks
    return Stamps(ticks, np.full(len(values), aware), missing, np.zeros(len(values), dtype=bool), beyond)


def _one(value: object) -> tuple[int | None, bool]:
    """Read one object that stands for a time; None: it does not."""
    if isinstance(value, np.datetime64):
        year = int(value.astype("datetime64[Y]").astype(np.int64)) + 1970
        return (
            int(value.astype("datetime64[us]").astype(np.int64)) if 0 < year < 10_000 else LAST_DATE + DAY
        ), False
    if isinstance(value, datetime):
        if not 0 < value.year < 10_000:
            return LAST_DATE + DAY, False
        plain = value.to_pydatetime(warn=False) if isinstance(value, pd.Timestamp) else value
        aware = plain.utcoffset() is not None
        if aware and not 1 < plain.year < 9999:  # its instant may lie in a year that Python lacks
            return LAST_DATE + DAY, True
        moment = plain.astimezone(UTC) if aware else plain.replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(microseconds=1), aware
    if isinstance(value, date):
        return (datetime(value.year, value.month, value.day, tzinfo=UTC) - _EPOCH) // timedelta(
            microseconds=1
        ), False
    return None, False


def parse(texts: NDArray[np.object_]) -> Stamps:
    """Read times written as text: ISO 8601, and forms such as 2026/5/1 9:00 or 2026年5月1日 9时30分."""
    n = len(texts)
    series = pd.Series(texts, dtype=object)
    series = series.where(series.str.len() <= _LONGEST, "?")
    parts = series.str.extract(_PATTERN)
    matched = parts[0].notna().to_numpy(dtype=bool)
    blank = series.str.strip().eq("").to_numpy(dtype=bool)

    def number(column: int, absent: str) -> IntArray:
        return parts[column].fillna(absent).to_numpy(dtype=object).astype(np.int64)

    year, month, day = number(0, "1970"), number(1, "1"), number(2, "1")
    hour, minute, second = number(3, "0"), number(4, "0"), number(5, "0")
    fraction = parts[6].fillna("0").str.ljust(6, "0").str.slice(0, 6).to_numpy(dtype=object).astype(np.int64)
    months = (year - 1970) * 12 + month - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1)
    fits = (
        (month >= 1) & (month <= 12) & (day >= 1) & (days.astype("datetime64[M]").astype(np.int64) == months)
    )
    fits &= (year >= 1) & (minute < 60) & (second < 60)
    fits &= (hour < 24) | ((hour == 24) & (minute == 0) & (second == 0) & (fraction == 0))
    zone = parts[7].fillna("").str.replace(":", "").str.upper()
    aware = zone.ne("").to_numpy(dtype=bool)
    digits = zone.mask(zone.isin(["", "Z"]), "+0000").str.ljust(5, "0")
    sign = np.where(digits.str.slice(0, 1).eq("-").to_numpy(dtype=bool), -1, 1)
    east_hour = digits.str.slice(1, 3).to_numpy(dtype=object).astype(np.int64)
    east_minute = digits.str.slice(3, 5).to_numpy(dtype=object).astype(np.int64)
    fits &= (east_hour <= 15) & (east_minute < 60)
    wall = days.astype(np.int64) * DAY + hour * (60 * MINUTE) + minute * MINUTE + second * SECOND + fraction
    stamps = wall - sign * (east_hour * 60 + east_minute) * MINUTE
    good = matched & fits
    return Stamps(np.where(good, stamps, 0), aware & good, blank, ~good & ~blank, np.zeros(n, dtype=bool))


def stamps_of(series: pd.Series[Any]) -> Stamps:
    """Read a column of any dtype as times."""
    dtype = series.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _plain(series.dt.tz_convert(None).to_numpy(), aware=True)
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return _plain(series.to_numpy(), aware=False)
    n = len(series)
    missing = np.array(series.isna(), dtype=bool)
    stamps = Stamps(
        np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool), missing, ~missing, np.zeros(n, dtype=bool)
    )
    if missing.all() or (isinstance(dtype, np.dtype) and dtype.kind != "O"):
        return stamps
    values = series.to_numpy(dtype=object)
    if infer_dtype(values, skipna=True) == "string":
        is_text = ~missing
    else:
        is_text = each(lambda value: isinstance(value, str), values).astype(bool)
    if is_text.any():
        codes, texts = pd.factorize(values[is_text])
        read = parse(texts)
        stamps.microseconds[is_text] = read.microseconds[codes]
        stamps.aware[is_text] = read.aware[codes]
        stamps.missing[is_text] = read.missing[codes]
        stamps.unreadable[is_text] = read.unreadable[codes]
    rest = ~is_text & ~missing
    if rest.any():
        ticks, aware = each_pair(_one, values[rest])
        unreadable = is_none(ticks)
        stamps.microseconds[rest] = np.where(unreadable, 0, ticks).astype(np.int64)
        stamps.aware[rest] = aware.astype(bool)
        stamps.unreadable[rest] = unreadable
    return stamps
