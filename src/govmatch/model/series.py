"""Dated visits as requests of their own: a `Demand` and `Teams` with recurring requests spread out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from govmatch.model.encode import provider_numbers
from govmatch.model.encoded import Demand, Int32Array, IntArray, Series, Teams
from govmatch.model.horizon import Horizon
from govmatch.model.policy import Policy
from govmatch.model.recurrence import expand, read_series, recurring, visit_ids, within
from govmatch.model.sheets import Sheets
from govmatch.ragged import runs


def spread_out(
    demand: Demand, teams: Teams, sheets: Sheets, policy: Policy, horizon: Horizon
) -> tuple[Demand, Teams, Series]:
    """Replace each recurring request by its visits within the horizon, in its place and in their order."""
    n = demand.n_requests
    if not recurring(sheets).any():
        none = np.zeros(0, dtype=np.int64)
        empty = np.array([], dtype=object)
        return demand, teams, Series(empty, np.full(n, -1), none, none, none, none)
    series = read_series(sheets, policy, horizon[0])
    visits = expand(series, sheets)
    made = np.flatnonzero(
        within(visits, sheets["requests"]["minutes"].values[series.request[visits.series]], horizon)
    )
    of_row = np.full(sheets["requests"].n, -1, dtype=np.int64)
    of_row[demand.row] = np.arange(n)
    base = of_row[series.request]  # of each series, in `demand`
    once = np.setdiff1d(np.arange(n), base)
    at = np.concatenate([once, base[visits.series[made]]])
    number = np.concatenate([np.full(len(once), -1), visits.series[made]])
    source = np.concatenate([np.full(len(once), -1), made])
    order = np.lexsort((np.append(visits.earliest, 0)[source], at))
    at, number, source = at[order], number[order], source[order]
    dated = source >= 0
    spread = _copied(demand, at)
    mine = source[dated]
    spread.request_id[dated] = visit_ids(demand.request_id[at[dated]], visits.day[mine])
    spread.earliest[dated] = visits.earliest[mine]
    spread.latest[dated] = np.minimum(visits.latest[mine], horizon[1])
    spread = replace(spread, wished=spread.earliest.copy())
    faces = sheets["visits"]["faces"]
    known = _known(sheets, series.request)
    told = Series(
        request_id=demand.request_id[base],
        of=number,
        people=demand.people[base],
        faces=np.where(faces.present, faces.values, -1)[series.row].astype(np.int64),
        known_series=known[0],
        known_provider=known[1],
    )
    return spread, _copied_teams(teams, at), told


def _runs(ptr: IntArray, at: IntArray) -> tuple[IntArray, IntArray]:
    """Return the positions ``ptr[i]:ptr[i + 1]`` of each i of `at`, run after run, and where runs begin."""
    count = ptr[at + 1] - ptr[at]
    new = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return np.arange(int(new[-1])) - np.repeat(new[:-1] - ptr[at], count), new


def _copied(demand: Demand, at: IntArray) -> Demand:
    need, ptr = _runs(demand.need_ptr, at)
    forbid_request, forbid_provider = _copied_pins(demand.forbid_request, demand.forbid_provider, at)
    assign_request, assign_provider = _copied_pins(demand.assign_request, demand.assign_provider, at)
    by_request = (
        "request_id", "row", "community", "lat", "lon", "earliest", "latest", "wished", "minutes", "people",
        "min_serve", "priority", "clearance", "group", "dialect", "hometown", "unmet_cost", "role",
    )  # fmt: skip
    by_need = ("need_skill", "need_skill_name", "need_level", "need_certified")
    return replace(
        demand,
        **{name: getattr(demand, name)[at] for name in by_request},
        **{name: getattr(demand, name)[need] for name in by_need},
        need_ptr=ptr,
        forbid_request=forbid_request,
        forbid_provider=forbid_provider,
        assign_request=assign_request,
        assign_provider=assign_provider,
    )


def _copied_pins(request: Int32Array, provider: Int32Array, at: IntArray) -> tuple[Int32Array, Int32Array]:
    """Repeat the pins of each request for all of its visits."""
    order = np.argsort(request, kind="stable")
    pair, ptr = _runs(np.searchsorted(request[order], np.arange(int(at.max(initial=-1)) + 2)), at)
    return np.repeat(np.arange(len(at)), np.diff(ptr)).astype(np.int32), provider[order][pair]


def _copied_teams(teams: Teams, at: IntArray) -> Teams:
    first = np.searchsorted(teams.request, np.arange(int(at.max(initial=-1)) + 2))
    role, ptr = _runs(first, at)
    need, need_ptr = _runs(teams.need_ptr, role)
    shift = np.arange(len(role)) - role
    columns = ("role", "people", "least", "minutes", "clearance", "after_least", "after_most")
    by_need = ("need_skill", "need_skill_name", "need_level", "need_certified")
    return replace(
        teams,
        **{name: getattr(teams, name)[role] for name in columns},
        **{name: getattr(teams, name)[need] for name in by_need},
        request=np.repeat(np.arange(len(at)), np.diff(ptr)),
        after=np.where(teams.after[role] >= 0, teams.after[role] + shift, -1),
        need_ptr=need_ptr,
    )


def _known(sheets: Sheets, request: IntArray) -> tuple[IntArray, IntArray]:
    """Return the providers who, by `history`, served the resident of a series, or the series itself."""
    history = sheets["history"]
    row = sheets.positions("history", "provider_id")
    provider = np.where(row >= 0, provider_numbers(sheets)[row], -1) if history.n else row
    useful = provider >= 0
    resident = sheets.positions("requests", "resident_id")[request]
    theirs = sheets.positions("history", "resident_id")
    past = np.array([str(name).rpartition("@")[0] for name in history["request_id"].values], dtype=object)
    whole = sheets.register("requests").find(history["request_id"].values)
    base = np.where(whole >= 0, whole, sheets.register("requests").find(past))
    series, who = [], []
    for key, wanted in ((theirs, resident), (base, request)):
        usable = np.flatnonzero(useful & (key >= 0))
        ranked = usable[np.argsort(key[usable], kind="stable")]
        low, high = (np.searchsorted(key[ranked], wanted, side=side) for side in ("left", "right"))
        of, nth = runs(np.where(wanted >= 0, high - low, 0))
        series.append(of)
        who.append(provider[ranked[low[of] + nth]])
    width = int(provider.max(initial=0)) + 1
    pairs = np.unique(np.concatenate(series) * width + np.concatenate(who)).astype(np.int64)
    return pairs // width, pairs % width


STATUS_ZH = {"made": "安排", "moved": "改期", "skipped": "跳过", "outside": "超出计划期"}


def visits_frame(sheets: Sheets, policy: Policy, horizon: Horizon) -> pd.DataFrame:
    """Tell what became of each visit; see `Problem.visits`."""
    series = read_series(sheets, policy, horizon[0])
    visits = expand(series, sheets)
    request = series.request[visits.series]
    names = sheets["requests"]["request_id"].values[request]
    made = within(visits, sheets["requests"]["minutes"].values[request], horizon)
    status = np.where(visits.day == visits.planned, "made", "moved").astype(object)
    status[~made] = "outside"
    status[~visits.held] = "skipped"
    ids = visit_ids(names, visits.day)
    ids[~visits.held] = None
    planned, day = (
        days.astype("datetime64[D]").astype("datetime64[s]") for days in (visits.planned, visits.day)
    )
    day[~visits.held] = np.datetime64("NaT")
    return pd.DataFrame(
        {
            "visit_id": pd.Series(ids, dtype=object),
            "request_id": names,
            "planned": planned,
            "date": day,
            "status": status,
            "status_zh": [STATUS_ZH[one] for one in status],
        }
    )
