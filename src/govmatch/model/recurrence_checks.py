"""Faults of recurrence that the tables alone show: weekdays, distances, holidays, ids."""

from __future__ import annotations

import re

import numpy as np

from govmatch.model.policy import Policy
from govmatch.model.recurrence import (
    KEEP,
    UNDATED,
    days_text,
    expand,
    least_between,
    read_series,
    recurring,
    spread,
    weekdays_of,
)
from govmatch.model.roles import read_roles
from govmatch.model.sheets import Sheets
from govmatch.model.violations import Violations

_DATED = re.compile(r"(.*)@[0-9]{4}-[0-9]{2}-[0-9]{2}", re.DOTALL)


def check_visits(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    """Report faults of `visits`, beside those that the schema names."""
    visits = sheets["visits"]
    known = sheets.positions("visits", "request_id") >= 0
    before = len(violations)
    _days(sheets, violations)
    _requests(sheets, violations)
    if len(violations) == before and known.all() and all(c.faulty is None for c in visits.cells.values()):
        _holidays(sheets, policy, violations)


def _days(sheets: Sheets, violations: Violations) -> None:
    visits = sheets["visits"]
    cells, per_week = visits["weekdays"], visits["per_week"]
    texts = [] if cells.uniques is None else cells.uniques.tolist()
    read = [weekdays_of(text) for text in texts]
    codes = np.asarray(cells.codes)
    unknown = np.array([days is None for days in read] + [False])[codes]
    message = "found {}; expected different weekdays such as mon,thu or 周一、周四"
    violations.mask("visits", "weekdays", "unknown_weekday", message, unknown, cells.values)
    count = np.array([0 if days is None else len(days) for days in read] + [0])[codes]
    wrong = (codes >= 0) & ~unknown & per_week.present & (per_week.values != count)
    message = "{} visits a week, and weekdays names another number of days; expected the same"
    violations.mask("visits", "per_week", "count_conflict", message, wrong, per_week.values)
    usual = [least_between(spread(0, n)) for n in range(1, 8)]
    asked = np.where(per_week.present, per_week.values, 1)
    room = np.array(usual)[np.clip(asked, 1, 7) - 1]
    named = np.array([6 if days is None else least_between(days) for days in read] + [6])[codes]
    room = np.where(codes >= 0, named, room)
    apart = visits["days_between"].values
    told = [days_text(d) if d is not None else "" for d in read] + [""]
    values = np.empty(visits.n, dtype=object)
    values[:] = [
        f"{told[code]}, {n} a week, {free} days" if code >= 0 else f"{n} a week, {free} days"
        for code, n, free in zip(codes.tolist(), np.where(codes >= 0, count, asked), room, strict=True)
    ]
    message = "more free days are asked for than lie between the visits ({}); expected as many or fewer"
    violations.mask("visits", "days_between", "gap_conflict", message, apart > room, values)


def _requests(sheets: Sheets, violations: Violations) -> None:
    visits, requests = sheets["visits"], sheets["requests"]
    at = sheets.positions("visits", "request_id")
    ids = visits["request_id"].values
    linked = np.append(requests["duplicate_of"].present, False)[at]
    message = (
        "request {} has duplicate_of and is not matched by itself; expected visits of the request "
        "that it duplicates"
    )
    violations.mask("visits", "request_id", "linked_request", message, linked, ids)
    roles = read_roles(sheets)
    listed = np.bincount(roles.request, weights=roles.people, minlength=requests.n)
    people = np.append(np.where(listed > 0, listed, requests["people"].values), 0)[at]
    faces = visits["faces"]
    message = "at most {} different people, and more come to one visit; expected as many or more"
    few = faces.present & (faces.values < people)
    violations.mask("visits", "faces", "count_conflict", message, few, faces.values)
    recurs = set(requests["request_id"].values[recurring(sheets)].tolist())
    if not recurs:
        return
    own = requests["request_id"].values
    found = [_DATED.fullmatch(str(name)) for name in own]
    taken = np.array([match is not None and match[1] in recurs for match in found], dtype=bool)
    message = "{} reads as a dated visit of a request that recurs; expected an id without @ and a date"
    violations.mask("requests", "request_id", "reserved_text", message, taken, own)


def _holidays(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    """Report series that mind holidays in years of which none is listed."""
    series = read_series(sheets, policy, None)
    minds = (series.rule != KEEP) & (series.first != UNDATED)
    if not minds.any():
        return
    visits = expand(series, sheets)
    years = visits.planned.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    days = sheets["holidays"]["date"].values.astype("datetime64[D]")
    listed = np.unique(days.astype("datetime64[Y]").astype(np.int64) + 1970)
    blank = minds[visits.series] & ~np.isin(years, listed)
    year = np.zeros(sheets["visits"].n, dtype=np.int64)
    year[series.row[visits.series[blank]]] = years[blank]
    message = (
        "holidays are minded, and the table holidays lists none of {}; expected that year's, "
        "such as gm.datasets.chinese_holidays gives, or holiday = keep"
    )
    violations.mask("visits", "holiday", "no_holidays", message, year > 0, year)
