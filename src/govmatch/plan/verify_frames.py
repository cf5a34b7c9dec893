"""A plan's frames taken apart into arrays, and the faults found in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from govmatch.plan.verify_columns import BoolArray, IntArray, ObjectArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_slots import NEVER, utc_minutes
from govmatch.plan.verify_travel import FloatArray

TERMS = (
    "travel_cost", "route_cost", "dialect_cost", "hometown_cost", "level_cost", "wait_cost", "load_cost",
    "face_cost", "bond_cost",
)  # fmt: skip
TERM_TOLERANCE = 0.011  # minutes: one unit of the resolution, and a float's rounding
LIMIT_DOUBT = TERM_TOLERANCE / 2
"""Minutes around a limit within which travel may be said to keep it or to exceed it."""
SUM_TOLERANCE = 1e-6
_LARGEST = 1e100

_TEXT = ("request_id", "role", "provider_id", "provider_kind", "organization_id", "community_id", "route")
_TIMES = ("start", "end", "slot_start", "slot_end")
_NUMBERS = ("hops", "travel_minutes", "cost_minutes", *TERMS)
FLAGS = ("travel_known", "assumed")
ASSIGNMENT_COLUMNS = (*_TEXT, *_TIMES, *_NUMBERS, *FLAGS)


@dataclass
class Faults:
    """What was found so far."""

    rows: list[tuple[str, str | None, str | None, str]] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, message: str, request: object = None, provider: object = None) -> None:
        """Record one fault."""
        who = (None if request is None else str(request), None if provider is None else str(provider))
        self.rows.append((code, *who, message))


@dataclass(frozen=True)
class Rows:
    """Assignments of known requests and providers: `r`, `q` and `p` are positions in the facts.

    `q` is the role; the request's first one where it has none of that name.
    """

    r: IntArray
    q: IntArray
    p: IntArray
    text: dict[str, ObjectArray]
    time: dict[str, IntArray]
    number: dict[str, FloatArray]
    flag: dict[str, ObjectArray]

    def fault(self, faults: Faults, code: str, wrong: BoolArray, say: Callable[[int], str]) -> None:
        """Record a fault for every row of the mask; `say` gives its sentence."""
        for i in np.flatnonzero(wrong).tolist():
            faults.add(code, say(i), self.text["request_id"][i], self.text["provider_id"][i])


def missing_columns(frame: Any, name: str, columns: Sequence[str], faults: Faults) -> bool:
    """Tell whether a frame lacks columns, and record which."""
    if not isinstance(frame, pd.DataFrame):
        faults.add("malformed", f"plan.{name} is a {type(frame).__name__}; expected a pandas DataFrame")
        return True
    absent = [c for c in columns if c not in frame.columns]
    for column in absent:
        faults.add("missing_column", f"plan.{name} has no column {column!r}")
    twice = [c for c in columns if c not in absent and isinstance(frame[c], pd.DataFrame)]
    for column in twice:
        faults.add("malformed", f"plan.{name} has more than one column {column!r}; expected one")
    return bool(absent or twice)


def numbers(column: Any) -> FloatArray:
    """Return a column as float64, NaN for whatever is no number of a size that can be reckoned with."""
    values = pd.Series(column)
    if values.dtype.kind in "iuf":
        found = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        found = np.array([_number(x) for x in values.astype(object)], dtype=np.float64)
    return np.where(np.abs(found) <= _LARGEST, found, np.nan)


def _number(cell: object) -> float:
    if not isinstance(cell, Real | Decimal | str):
        return np.nan
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return np.nan


def texts(column: Any) -> ObjectArray:
    """Return a column as str or None; what is neither is told by its type, as no id or code is."""
    values = pd.Series(column).astype(object).to_numpy(dtype=object, copy=True)
    kind = infer_dtype(values, skipna=True)
    if kind in ("string", "empty"):
        values[pd.isna(values)] = None
        return np.asarray(values)
    return np.array([_text(x) for x in values] + [None], dtype=object)[:-1]


def _text(cell: object) -> str | None:
    if isinstance(cell, str):
        return cell
    missing = cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and np.isnan(cell))
    return None if missing else f"{type(cell).__name__} {cell!r}"


def read_rows(frame: pd.DataFrame, facts: Facts, faults: Faults) -> Rows:
    """Take the rows whose ids are known; record the others."""
    text = {name: texts(frame[name]) for name in _TEXT}
    r = facts.requests.ids.at(text["request_id"])
    p = facts.providers.ids.at(text["provider_id"])
    for i in np.flatnonzero(r < 0).tolist():
        faults.add(
            "unknown_request",
            "the tables hold no such request",
            text["request_id"][i],
            text["provider_id"][i],
        )
    for i in np.flatnonzero(p < 0).tolist():
        faults.add(
            "unknown_provider",
            "the tables hold no such provider",
            text["request_id"][i],
            text["provider_id"][i],
        )
    keep = (r >= 0) & (p >= 0)
    number = {name: numbers(frame[name])[keep] for name in _NUMBERS}
    role = facts.requests.role_at(r[keep], text["role"][keep])
    return Rows(
        r=r[keep],
        q=np.where(role < 0, facts.requests.first_role[r[keep]], role),
        p=p[keep],
        text={name: values[keep] for name, values in text.items()},
        time={name: utc_minutes(frame[name])[keep] for name in _TIMES},
        number=number,
        flag={name: _flags(frame[name], name, text, faults)[keep] for name in FLAGS},
    )


def _flags(column: Any, name: str, text: dict[str, ObjectArray], faults: Faults) -> ObjectArray:
    """Return True, False, or None for whatever is neither, and record that."""
    values: ObjectArray = pd.Series(column).astype(object).to_numpy(dtype=object, copy=True)
    if infer_dtype(values, skipna=False) in ("boolean", "empty"):
        return values
    for i, cell in enumerate(values.tolist()):
        if not isinstance(cell, bool | np.bool_):
            who = text["request_id"][i], text["provider_id"][i]
            faults.add("malformed", f"{name} is {cell!r}; expected True or False", *who)
            values[i] = None
    return values


def clock(minutes: int) -> str:
    """Return an instant for a message."""
    return "no time" if minutes == NEVER else f"{np.datetime64(int(minutes), 'm')}Z"
