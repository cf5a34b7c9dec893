"""Columns as they are given, of whatever dtype, read by the kind that the schema gives them."""

from __future__ import annotations

from decimal import Decimal
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import infer_dtype, is_bool_dtype, is_numeric_dtype

from govmatch.model import times
from govmatch.model.cells import Cells, Reader
from govmatch.model.encoded import BoolArray, TextArray
from govmatch.model.objects import each, each_pair, is_none, spread
from govmatch.model.schema import Column, Table
from govmatch.model.times import Zone
from govmatch.model.violations import Violations

MAX_ID = 200  # characters
MAX_TEXT = 10_000

_EXACT = 2.0**53  # beyond it a float may have lost its last digits
_TRUE = frozenset(("true", "t", "yes", "y", "1", "1.0", "是"))
_FALSE = frozenset(("false", "f", "no", "n", "0", "0.0", "否"))


def read_cells(
    series: pd.Series[Any], table: Table, column: Column, zone: Zone, violations: Violations
) -> Cells:
    """Return a given column in canonical form; what cannot be read is reported and counts as missing."""
    reader = Reader(series, table.name, column, violations)
    if column.kind in ("id", "text", "choice"):
        return _read_texts(reader, identity=table.key == (column.name,))
    if column.kind in ("int", "float"):
        return _read_numbers(reader)
    if column.kind == "bool":
        return _read_bools(reader)
    return _read_times(reader, zone)


# texts


def _read_texts(reader: Reader, identity: bool) -> Cells:
    """Read ids, texts and choices; the ids of a key of one column are not numbered."""
    series, column = reader.series, reader.column
    if isinstance(series.dtype, pd.StringDtype):
        codes, found = pd.factorize(series)
        return _numbered(reader, codes, np.asarray(found, dtype=object))
    if isinstance(series.dtype, np.dtype) and series.dtype.kind == "O":
        values = series.to_numpy(dtype=object)
        kind = infer_dtype(values, skipna=False)
        if kind == "string" and (identity or column.references):
            fits = not identity or (max(map(len, values), default=0) <= MAX_ID and _encodes("".join(values)))
            if fits and not (values == "").any():
                return Cells(values.copy())
        if kind == "string" or infer_dtype(values, skipna=True) in ("string", "empty"):
            return _numbered(reader, *pd.factorize(values))
        missing = np.asarray(pd.isna(values), dtype=bool)
        texts, as_id = each_pair(_one_text, np.where(missing, "", values))
    else:
        codes, found = pd.factorize(series)
        texts, as_id = each_pair(_one_text, np.asarray(found, dtype=object))
        texts, as_id = spread(texts, codes, ""), spread(as_id, codes, True)
    unreadable = is_none(texts)
    if column.kind == "text":
        reader.fault("not_a_text", "expected a text; found {}", unreadable)
    else:
        message = "expected an id: a text, or a whole number that has kept all its digits; found {}"
        reader.fault("not_an_id", message, unreadable | ~as_id.astype(bool))
    return _numbered(reader, *pd.factorize(texts))


def _one_text(value: object) -> tuple[str | None, bool]:
    """Return the text of one cell and whether it can serve as an id; None: no text."""
    if isinstance(value, str):
        return str(value), True
    if isinstance(value, bool | np.bool_):
        return str(value), False
    if _is_whole(value):  # Python prints no integers of more than 4,300 digits
        return ("9" * (MAX_TEXT + 1) if int(value).bit_length() > 3000 else str(int(value))), True
    if isinstance(value, float | np.floating | Decimal):
        number = float(value)
        whole = number.is_integer() and abs(number) <= _EXACT
        return (str(int(number)) if whole else str(value)), whole
    return None, False


def _is_whole(value: object) -> TypeGuard[int]:
    """Tell whether a cell is a whole number; numpy counts its time spans among them."""
    return isinstance(value, Integral) and not isinstance(value, bool | np.timedelta64)


def _numbered(reader: Reader, codes: NDArray[np.intp], uniques: TextArray) -> Cells:
    """Check distinct texts and fill gaps. An empty text is none."""
    column = reader.column
    texts = uniques.tolist()
    keep = np.array([text != "" for text in texts], dtype=bool)
    missing = ~spread(keep, codes, False)
    limit = MAX_TEXT if column.kind == "text" else MAX_ID
    fits = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) <= limit
    if not fits.all():
        message = f"expected at most {limit:,} characters; found {{}}"
        reader.fault("too_long", message, ~spread(fits, codes, True))
        keep &= fits
    if not _encodes("".join(texts)):  # one look at all of them, as this is rare
        encodes = np.array([_encodes(text) for text in texts], dtype=bool)
        message = "expected text that UTF-8 can hold, without halves of surrogate pairs; found {}"
        reader.fault("not_encodable", message, ~spread(encodes, codes, True))
        keep &= encodes
    if column.kind == "choice":
        texts = [text.strip() for text in texts]
        known = np.array([text in column.choices for text in texts], dtype=bool)
        message = f"expected one of {', '.join(column.choices)}; found {{}}"
        reader.fault("not_a_choice", message, ~spread(known | ~keep, codes, True))
        keep &= known
    gone = reader.gaps(missing)
    if gone is not None or column.kind == "choice" or not keep.all():
        # distinct texts that are left, the default last, and for each old code its new one
        wanted = np.array(
            [text if kept else None for text, kept in zip(texts, keep, strict=True)], dtype=object
        )
        merged, uniques = pd.factorize(np.append(wanted, np.array([column.default], dtype=object)))
        if gone is not None:
            codes = np.where(gone, len(wanted), codes)
        codes = merged[codes]
    filled = gone if column.default is None else None
    return Cells(spread(uniques, codes, None), filled, reader.faulty, codes, uniques)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# numbers


def _read_numbers(reader: Reader) -> Cells:
    """Read whole numbers and floats."""
    column = reader.column
    whole = column.kind == "int"
    wrong = "not_an_integer" if whole else "not_a_number"
    expected = f"expected {'a whole number' if whole else 'a number'}{_range(column)}; found {{}}"
    values, missing, unreadable = _raw_numbers(reader.series)
    if unreadable is not None:
        reader.fault(wrong, expected, unreadable)
    if values.dtype.kind == "f":
        endless = np.isinf(values)
        if endless.any():
            reader.fault("not_finite", expected, endless)
            values = np.where(endless, np.nan, values)
        if whole:
            reader.fault(wrong, expected, (values != np.floor(values)) & ~np.isnan(values))
    if column.name not in ("lat", "lon"):  # places are checked in pairs
        low = -np.inf if column.low is None else column.low
        high = np.inf if column.high is None else column.high
        reader.fault("out_of_range", expected, (values < low) | (values > high))
    gone = reader.gaps(missing)
    if gone is not None:
        values = np.where(gone, 0 if whole else np.nan, values)
    return reader.fill(values.astype(np.int64 if whole else np.float64), gone)


def _range(column: Column) -> str:
    """Return the column's range as part of a sentence."""
    return (
        f" of at least {column.low:,}" if column.high is None else f" from {column.low:,} to {column.high:,}"
    )


def _raw_numbers(series: pd.Series[Any]) -> tuple[NDArray[Any], BoolArray | None, BoolArray | None]:
    """Return int64 or float64 values, where they are missing, and what is no number."""
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iuf":
        values = series.to_numpy()
        if dtype.kind == "i":
            return values, None, None
        values = values.astype(np.float64)
        missing = np.isnan(values)
        return values, missing if missing.any() else None, None
    missing = series.isna().to_numpy(dtype=bool)
    if missing.all():
        return np.full(len(series), np.nan), missing, None
    if is_numeric_dtype(dtype) and not is_bool_dtype(dtype) and dtype.kind in "iuf":
        return series.to_numpy(dtype=np.float64, na_value=np.nan), missing, None
    cells = np.array(series.to_numpy(dtype=object), dtype=object)
    cells[missing] = None
    if infer_dtype(cells, skipna=True) == "string":
        codes, texts = pd.factorize(cells)
        found = spread(each(_one_number, texts), codes, np.nan)
    else:
        found = each(_one_number, cells)
    unreadable = is_none(found)
    values = np.where(unreadable, np.nan, found).astype(np.float64)
    missing = np.isnan(values) & ~unreadable
    return values, missing, unreadable if unreadable.any() else None


def _one_number(value: object) -> float | None:
    """Return the number that one cell holds, NaN if it is empty; None: no number."""
    if value is None:
        return np.nan
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return np.nan
        if "_" in text or text.lower().lstrip("+-") == "nan":  # Python's own spellings
            return None
        try:
            return float(text)
        except ValueError:
            return None
    if isinstance(value, bool | np.bool_ | np.timedelta64) or not isinstance(value, Real | Decimal):
        return None
    try:
        return float(value)
    except OverflowError:
        return np.inf


# truth


def _read_bools(reader: Reader) -> Cells:
    """Read truth values: true/false, 1/0, yes/no, 是/否."""
    series = reader.series
    if isinstance(series.dtype, np.dtype) and series.dtype.kind == "b":
        return Cells(series.to_numpy(copy=True))
    cells = np.where(series.isna().to_numpy(dtype=bool), "", series.to_numpy(dtype=object))
    said = each(_one_bool, cells).astype(np.int64)
    missing = said == _EMPTY
    reader.fault("not_a_bool", "expected true or false (1/0, yes/no, 是/否); found {}", said == _NEITHER)
    return reader.fill(said == 1, reader.gaps(missing))


_NEITHER, _EMPTY = -1, -2


def _one_bool(value: object) -> int:
    """Return 1, 0, or why a cell is neither."""
    if _is_whole(value):
        return value if value in (0, 1) else _NEITHER
    if not isinstance(value, str | bool | np.bool_ | float | np.floating):
        return _NEITHER
    text = str(value).strip().lower()
    return 1 if text in _TRUE else 0 if text in _FALSE else _NEITHER if text else _EMPTY


# times


def _read_times(reader: Reader, zone: Zone) -> Cells:
    """Read instants, or days where the kind is date."""
    dates = reader.column.kind == "date"
    expected = "a date such as 2026-05-01" if dates else "a time such as 2026-05-01 09:00"
    stamps = times.stamps_of(reader.series)
    reader.fault("not_a_time", f"expected {expected}; found {{}}", stamps.unreadable)
    ticks, known = stamps.microseconds, ~stamps.missing
    low, high = (times.FIRST_DATE, times.LAST_DATE) if dates else (times.FIRST_TIME, times.LAST_TIME)
    outside = (stamps.beyond | (ticks < low) | (ticks >= high)) & known
    if outside.any():
        years = "1 to 9999" if dates else "1900 to 2199"
        reader.fault("out_of_range", f"expected {expected} in the years {years}; found {{}}", outside)
        ticks = np.where(outside, 0, ticks)
    aware = stamps.aware & known & ~stamps.unreadable
    naive = known & ~stamps.unreadable & ~aware
    if aware.any() and naive.any():
        message = "{} has no zone in a column that elsewhere names one; expected it everywhere or nowhere"
        reader.fault("mixed_zones", message, naive)
    if dates:
        local = np.where(aware, zone.local(np.where(aware, ticks, 0)), ticks) if aware.any() else ticks
        values: NDArray[Any] = (local // times.DAY).astype(np.int32)
    else:
        doubtful = None
        values = ticks
        if not aware.all():
            values, doubtful = zone.instant(ticks)
        if doubtful is not None:
            message = (
                f"the clocks of {zone.name} skip {{}} or show it twice; expected an offset from UTC beside it"
            )
            reader.fault("no_such_local_time", message, doubtful & naive)
        if aware.any():
            values = np.where(aware, ticks, values)
    gone = reader.gaps(stamps.missing if stamps.missing.any() else None)
    if gone is not None:
        values = np.where(gone, 0, values).astype(values.dtype)
    return reader.fill(values, gone)
