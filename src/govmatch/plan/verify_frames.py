"""A plan's frames taken apart into arrays, and the faults found in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import BoolArray, IntArray, ObjectArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_slots import NEVER, utc_minutes
from govmatch.plan.verify_travel import FloatArray

TERMS = ("travel_cost", "route_cost", "dialect_cost", "hometown_cost", "level_cost", "wait_cost", "load_cost")
TERM_TOLERANCE = 0.011  # minutes: one unit of the resolution, and a float's rounding
SUM_TOLERANCE = 1e-6

_TEXT = ("request_id", "role", "provider_id", "provider_kind", "organization_id", "community_id", "route")
_TIMES = ("start", "end", "slot_start", "slot_end")
_NUMBERS = ("hops", "travel_minutes", "cost_minutes", *TERMS)
ASSIGNMENT_COLUMNS = (*_TEXT, *_TIMES, *_NUMBERS, "travel_known", "assumed")


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
    """Assignments of known requests and providers: `r` and `p` are positions in the facts."""

    r: IntArray
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
    return bool(absent)


def numbers(column: Any) -> FloatArray:
    """Return a column as float64, NaN for whatever is no finite number."""
    values = pd.to_numeric(pd.Series(column).astype(object), errors="coerce")
    found = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def read_rows(frame: pd.DataFrame, facts: Facts, faults: Faults) -> Rows:
    """Take the rows whose ids are known; record the others."""
    text = {}
    for name in _TEXT:
        values = frame[name].astype(object).to_numpy(dtype=object, copy=True)
        values[pd.isna(values)] = None
        text[name] = values
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
    return Rows(
        r=r[keep],
        p=p[keep],
        text={name: values[keep] for name, values in text.items()},
        time={name: utc_minutes(frame[name])[keep] for name in _TIMES},
        number=number,
        flag={name: frame[name].astype(object).to_numpy()[keep] for name in ("travel_known", "assumed")},
    )


def clock(minutes: int) -> str:
    """Return an instant for a message."""
    return "no time" if minutes == NEVER else f"{np.datetime64(int(minutes), 'm')}Z"
