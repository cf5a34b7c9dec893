"""The incumbent: an earlier plan's people, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.model.problem import Problem
from govmatch.plan.plan import Plan
from govmatch.reach.stays import Announced

IDS = ("request_id", "role", "provider_id")
COLUMNS = (*IDS, "start")


@dataclass(frozen=True, eq=False)
class Incumbent:
    """Who was announced, as a frame and by position."""

    frame: pd.DataFrame
    announced: Announced

    def told(self, possible: NDArray[np.bool_]) -> pd.DataFrame:
        """Return the frame with whether each person could still be sent."""
        return self.frame.assign(possible=possible)


def read_incumbent(incumbent: Any, problem: Problem) -> Incumbent:
    """Take the people of a plan or of its assignments.

    Requests and people that the tables no longer have are no fault.

    Raises
    ------
    InvalidInput
        No plan and no such frame, a plan of another time zone, a lacking column, an id that is no text, a
        start that is no time, a volunteer who is named twice for one request.
    """
    zone = problem.policy.time_zone
    if isinstance(incumbent, Plan):
        theirs = incumbent.problem.policy.time_zone
        if theirs != zone:
            raise InvalidInput(f"incumbent is a plan for time zone {theirs!r}; the policy's is {zone!r}")
        incumbent = incumbent.assignments
    if not isinstance(incumbent, pd.DataFrame):
        raise InvalidInput(
            f"incumbent is a {type(incumbent).__name__}; expected a Plan, or a pandas DataFrame such as "
            "its assignments"
        )
    for name in COLUMNS:
        if (incumbent.columns == name).sum() != 1:
            found = "no" if name not in incumbent.columns else "more than one"
            raise InvalidInput(f"incumbent has {found} column {name!r}; expected {', '.join(COLUMNS)}")
    ids = {name: _texts(incumbent[name], name) for name in IDS}
    start = _times(incumbent["start"], zone)
    frame = pd.DataFrame({**ids, "start": start.tz_convert(zone)})
    demand, supply = problem.demand, problem.supply
    provider = _positions(supply.provider_id, ids["provider_id"])
    _refuse_twice(frame, (provider >= 0) & (provider < supply.n_volunteers))
    announced = Announced(
        request=_positions(demand.request_id, ids["request_id"]),
        role=ids["role"],
        provider=provider,
        start=start.tz_localize(None).to_numpy("datetime64[m]").astype(np.int64),
    )
    return Incumbent(frame, announced)


def _positions(known: NDArray[np.object_], ids: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return where each id stands among those known; -1: nowhere."""
    return pd.Index(known).get_indexer(pd.Index(ids)).astype(np.int64)


def _refuse_twice(frame: pd.DataFrame, person: NDArray[np.bool_]) -> None:
    """Refuse one person twice for one request; only organisations, also unknown ones, send several."""
    twice = np.flatnonzero(frame.duplicated(["request_id", "provider_id"]).to_numpy() & person)
    if not len(twice):
        return
    who, request = (frame[name].iloc[twice[0]] for name in ("provider_id", "request_id"))
    raise InvalidInput(f"incumbent row {twice[0]}: names {who!r} a second time for request {request!r}")


def _texts(column: pd.Series[Any], name: str) -> NDArray[np.object_]:
    values = column.astype(object).to_numpy(dtype=object)
    for i, value in enumerate(values.tolist()):
        if not isinstance(value, str):
            raise InvalidInput(f"incumbent row {i}: {name} is {value!r}; expected text")
    return values


def _times(column: pd.Series[Any], zone: str) -> pd.DatetimeIndex:
    """Return times in UTC to the minute; naive ones are of the policy's zone."""
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = pd.Series([_time(value, i, zone) for i, value in enumerate(column)], dtype="object")
        times = pd.DatetimeIndex(pd.to_datetime(column, utc=True))
    else:
        times = pd.DatetimeIndex(column)
        if times.tz is None:
            times = times.tz_localize(zone, ambiguous=np.ones(len(times), bool), nonexistent="shift_forward")
    lacking = np.flatnonzero(times.isna())
    if len(lacking):
        raise InvalidInput(f"incumbent row {lacking[0]}: start is missing; expected a time")
    return times.tz_convert("UTC").floor("min").as_unit("s")


def _time(value: Any, row: int, zone: str) -> pd.Timestamp | None:
    try:
        moment = pd.Timestamp(value) if not isinstance(value, bool | int | float) else pd.NaT
    except (ValueError, TypeError, OverflowError):
        raise InvalidInput(f"incumbent row {row}: start is {value!r}; expected a time") from None
    if moment is pd.NaT or pd.isna(moment):
        return None
    if moment.tz is None:
        moment = moment.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return moment.tz_convert("UTC")
