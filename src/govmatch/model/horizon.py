"""The span of time that a problem plans, and requests' windows held against it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from govmatch.errors import InvalidInput
from govmatch.model.encoded import BoolArray, IntArray
from govmatch.model.policy import Policy
from govmatch.model.recurrence import expand, read_series, recurring, within
from govmatch.model.roles import read_roles, starts_after
from govmatch.model.sheets import Sheets
from govmatch.model.times import DAY, FIRST_TIME, LAST_TIME, MINUTE, Zone, ceil_minutes, stamps_of
from govmatch.model.violations import Violations, shown

Horizon = tuple[int, int]  # minutes since 1970-01-01T00:00Z; the end is not part of it

LONGEST_DAYS = 366


def given_horizon(horizon: object, zone: Zone) -> Horizon:
    """Read the argument ``horizon=(start, end)``.

    Raises
    ------
    InvalidInput
        If it is no pair of times in order, at most two years apart.
    """
    expected = "horizon must be a pair (start, end) of times such as ('2026-05-01', '2026-05-02 18:00')"
    if isinstance(horizon, str | bytes) or not isinstance(horizon, Sequence) or len(horizon) != 2:
        raise InvalidInput(f"{expected}; found {shown(horizon)}")
    column = np.empty(2, dtype=object)
    column[:] = list(horizon)
    stamps = stamps_of(pd.Series(column, dtype=object))
    instants, doubtful = zone.instant(stamps.microseconds)
    instants = np.where(stamps.aware, stamps.microseconds, instants)
    wrong = (
        stamps.missing | stamps.unreadable | stamps.beyond | (instants < FIRST_TIME) | (instants >= LAST_TIME)
    )
    if doubtful is not None:
        wrong |= doubtful & ~stamps.aware
    if wrong.any():
        raise InvalidInput(
            f"{expected}, in the years 1900 to 2199; found {shown(horizon[int(np.argmax(wrong))])}"
        )
    start, end = -(-int(instants[0]) // MINUTE), int(instants[1]) // MINUTE
    if not start < end <= start + 2 * LONGEST_DAYS * 1440:
        raise InvalidInput(
            f"horizon must end after its start and span at most {2 * LONGEST_DAYS} days; "
            f"found {shown(horizon[0])} to {shown(horizon[1])}"
        )
    return start, end


def derived_horizon(sheets: Sheets, policy: Policy, violations: Violations) -> Horizon | None:
    """Span the days of the requests' windows or, where they have none, of the availability.

    A window that is open on one side is at least as long as the request takes. Recurring requests count
    with all their visits, as far as a horizon reaches.
    Without any time there is a horizon, empty, only if nothing is asked; else None, and a fault says why.
    """
    requests = sheets["requests"]
    ends = [requests["earliest"], requests["latest"]]
    recurs = recurring(sheets)
    begins, closes = _recurring_spans(sheets, policy)
    wished = np.concatenate([begins, *(cells.values[cells.present & ~recurs] for cells in ends)])
    if len(wished):
        middle = int(np.sort(wished)[(len(wished) - 1) // 2])  # one of them, so that not all are far from it
        reach = LONGEST_DAYS * DAY
        for column, cells in zip(("earliest", "latest"), ends, strict=True):
            far = (np.abs(cells.values - middle) > reach) & cells.present & ~recurs
            if far.any():
                message = (
                    f"{{}} lies more than {LONGEST_DAYS} days from the middle of the requests' times; "
                    "expected nearer, or a horizon that is given"
                )
                values = requests.frame(sheets.zone)[column].astype(str).to_numpy(dtype=object)
                violations.mask("requests", column, "outside_horizon", message, far, values)
        near = [cells.present & ~recurs & (np.abs(cells.values - middle) <= reach) for cells in ends]
        took = requests["minutes"].values * MINUTE
        starts, stops = (cells.values for cells in ends)
        seen = np.abs(begins - middle) <= reach
        firsts = np.concatenate([starts[near[0]], (stops // MINUTE * MINUTE - took)[near[1]], begins[seen]])
        lasts = np.concatenate(
            [(ceil_minutes(starts) * MINUTE + took)[near[0]], stops[near[1]], closes[seen]]
        )
        return _days(sheets.zone, int(firsts.min()), int(lasts.max()))
    times = sheets["availability"]
    free = times["start"].present & times["end"].present
    if free.any():
        start, end = int(times["start"].values[free].min()), int(times["end"].values[free].max())
        if end - start <= 2 * LONGEST_DAYS * DAY:
            return _days(sheets.zone, start, end)
        message = f"the times span more than {2 * LONGEST_DAYS} days and no request says when; give horizon="
        violations.whole("availability", "", "horizon_too_long", message)
        return None
    if requests.n == 0:
        return 0, 0
    message = "no request has earliest or latest and availability has no times; give horizon="
    violations.whole("requests", "", "no_horizon", message)
    return None


def _recurring_spans(sheets: Sheets, policy: Policy) -> tuple[IntArray, IntArray]:
    """Return when the visits that are held begin and end, microseconds."""
    visits = expand(read_series(sheets, policy, None), sheets)
    return visits.earliest[visits.held] * MINUTE, visits.latest[visits.held] * MINUTE


def _days(zone: Zone, start: int, end: int) -> Horizon:
    """Widen a span to whole local days."""
    first, last = zone.local(np.array([start, end - 1]))
    midnights, _ = zone.instant(np.array([first // DAY * DAY, (last // DAY + 1) * DAY]))
    return int(midnights[0]) // MINUTE, int(midnights[1]) // MINUTE


def windows(sheets: Sheets, policy: Policy, horizon: Horizon) -> tuple[IntArray, IntArray]:
    """Return every request's window in minutes; what it does not say is the horizon's.

    One that recurs has the window of its first day, on which it need not be visited.
    """
    requests = sheets["requests"]
    earliest, latest = requests["earliest"], requests["latest"]
    begin = np.where(earliest.present, ceil_minutes(earliest.values), horizon[0])
    end = np.where(latest.present, latest.values // MINUTE, horizon[1])
    series = read_series(sheets, policy, horizon[0])
    for column, offset in ((begin, series.opens), (end, series.closes)):
        column[series.request] = (series.first * DAY + offset) // MINUTE  # by wall clock
    begin[series.request] = sheets.zone.instant(begin[series.request] * MINUTE)[0] // MINUTE
    end[series.request] = sheets.zone.instant(end[series.request] * MINUTE)[0] // MINUTE
    return begin, end


def check_windows(
    sheets: Sheets, policy: Policy, horizon: Horizon, given: bool, violations: Violations
) -> None:
    """Report windows that are too short and, where the horizon was given, those that leave it."""
    requests = sheets["requests"]
    earliest, latest = windows(sheets, policy, horizon)
    recurs = recurring(sheets)
    minutes = requests["minutes"]
    sound = requests["earliest"].sound & requests["latest"].sound & minutes.sound
    outside = np.zeros(requests.n, dtype=bool)  # of a derived horizon: reported when it was derived
    for column, beyond in (
        ("earliest", (earliest < horizon[0]) | (earliest >= horizon[1])),
        ("latest", (latest > horizon[1]) | (latest <= horizon[0])),
    ):
        beyond &= requests[column].present & ~outside & ~recurs
        outside |= beyond
        if given and beyond.any():
            bounds = pd.to_datetime(np.array(horizon) * 60, unit="s", utc=True).tz_convert(sheets.zone.name)
            message = f"{{}} lies outside the horizon, {bounds[0]} to {bounds[1]}"
            values = requests.frame(sheets.zone)[column].astype(str).to_numpy(dtype=object)
            violations.mask("requests", column, "outside_horizon", message, beyond, values)
    inverted = (
        requests["earliest"].present
        & requests["latest"].present
        & (requests["latest"].values <= requests["earliest"].values)
    )
    short = (latest - earliest < minutes.values) & sound & ~inverted & ~outside
    if short.any():
        message = "the window has {} minutes, which are fewer than `minutes`"
        violations.mask("requests", "latest", "window_too_short", message, short, latest - earliest)
    fine = sound & ~inverted & ~outside
    _check_roles(sheets, latest - earliest, fine, violations)
    if not len(violations):  # dates of faulty rows mean nothing
        _check_recurrence(sheets, policy, horizon, violations)


def _check_recurrence(sheets: Sheets, policy: Policy, horizon: Horizon, violations: Violations) -> None:
    """Report series without a visit in the horizon."""
    series = read_series(sheets, policy, horizon[0])
    visits = expand(series, sheets)
    made = within(visits, sheets["requests"]["minutes"].values[series.request[visits.series]], horizon)
    lost = np.bincount(visits.series[made], minlength=len(series.row)) == 0
    if not lost.any():
        return
    wrong = np.zeros(sheets["visits"].n, dtype=bool)
    wrong[series.row[lost]] = True
    bounds = pd.to_datetime(np.array(horizon) * 60, unit="s", utc=True).tz_convert(sheets.zone.name)
    message = (
        f"no visit of {{}} falls into the horizon, {bounds[0]} to {bounds[1]}, after holidays; expected "
        "another start, weekdays, weeks or horizon"
    )
    values = sheets["visits"]["request_id"].values
    violations.mask("visits", "request_id", "never_in_horizon", message, wrong, values)


def _check_roles(sheets: Sheets, span: IntArray, fine: BoolArray, violations: Violations) -> None:
    """Report roles that cannot end within their request's window, whenever the team starts."""
    roles = read_roles(sheets)
    takes = starts_after(roles)[0] + roles.minutes
    long = np.flatnonzero(fine[roles.request] & (takes > span[roles.request]))
    if not len(long):
        return
    wrong = np.zeros(sheets["roles"].n, dtype=bool)
    wrong[roles.first[long]] = True
    values = np.zeros(sheets["roles"].n, dtype=np.int64)
    values[roles.first[long]] = takes[long]
    message = "the role ends {} minutes after the team's start at the earliest, and the window has fewer"
    violations.mask("roles", "minutes", "window_too_short", message, wrong, values)
