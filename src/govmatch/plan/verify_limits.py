"""Limits beside capacities: jobs away from home, minutes of a volunteer's week, the reserve."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import BoolArray, IntArray, ObjectArray, floats, objects, table_of, whole
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import Faults, Rows

_URGENT = 5
_HOUR = 60

Shut = Callable[[int, int, IntArray, IntArray, IntArray], BoolArray]
"""Tells whom a limit stops: request, role, providers, starts of their slots and of the job."""


def check_limits(rows: Rows, problem: Any, facts: Facts, faults: Faults) -> dict[str, Shut]:
    """Check all of them; return by reason those that are used up somewhere."""
    checks = {"away": _check_away, "hours": _check_hours, "reserve": _check_reserve}
    found = {reason: check(rows, problem, facts, faults) for reason, check in checks.items()}
    return {reason: shut for reason, shut in found.items() if shut is not None}


def _week(slot_start: IntArray, facts: Facts) -> IntArray:
    return (facts.calendar.day(slot_start) + 3) // 7


def _lives(tables: Any) -> ObjectArray:
    """Return the community of each volunteer: its own, else its organisation's."""
    volunteers = table_of(tables, "volunteers", ("volunteer_id", "organization_id", "community_id"))
    owners = table_of(tables, "organizations", ("organization_id", "community_id"))
    firms = dict(zip(objects(owners["organization_id"]), objects(owners["community_id"]), strict=True))
    own = objects(volunteers["community_id"])
    firm = [firms.get(name) for name in objects(volunteers["organization_id"])]
    return np.array([a if a is not None else b for a, b in zip(own, firm, strict=True)], dtype=object)


def _check_away(rows: Rows, problem: Any, facts: Facts, faults: Faults) -> Shut | None:
    """Check how many jobs a week a community's volunteers do elsewhere."""
    places = problem.tables["communities"]
    if "away_per_week" not in places or not places["away_per_week"].notna().any():
        return None
    limits = dict(zip(objects(places["community_id"]), floats(places["away_per_week"]), strict=True))
    person = np.flatnonzero(rows.p < facts.providers.n_volunteers)
    lives, week = _lives(problem.tables), _week(rows.time["slot_start"], facts)
    frame = pd.DataFrame(
        {
            "home": lives[rows.p[person]],
            "place": facts.requests.community[rows.r[person]],
            "week": week[person],
        }
    )
    away = frame[frame["home"] != frame["place"]]
    jobs = away.groupby(["home", "week"], sort=True, as_index=False).size()
    spent, used = 0.0 in limits.values(), {}
    for home, week_of, n in zip(*(jobs[name].tolist() for name in ("home", "week", "size")), strict=True):
        used[home, week_of] = n
        if n > limits[home]:
            text = f"volunteers of {home!r} do {n} jobs elsewhere in one week; at most {limits[home]:g}"
            faults.add("away_exceeded", text, None, None)
        spent |= n >= limits[home]

    def shut(r: int, q: int, p: IntArray, slot_start: IntArray, start: IntArray) -> BoolArray:
        place = facts.requests.community[r]
        found = np.zeros(len(p), dtype=bool)
        for i, (one, week_of) in enumerate(zip(p.tolist(), _week(slot_start, facts).tolist(), strict=True)):
            home = lives[one] if one < facts.providers.n_volunteers else None
            if home is not None and home != place:
                found[i] = used.get((home, week_of), 0) + 1 > limits[home]
        return found

    return shut if spent else None


def _check_hours(rows: Rows, problem: Any, facts: Facts, faults: Faults) -> Shut | None:
    """Check the minutes of every volunteer's jobs in every week."""
    volunteers = table_of(problem.tables, "volunteers", ("volunteer_id", "max_minutes_per_week"))
    usual = int(problem.policy.load.minutes_per_week)
    most = whole(volunteers["max_minutes_per_week"], usual if usual > 0 else 2**40)
    if not (most < 2**40).any():
        return None
    person = np.flatnonzero(rows.p < facts.providers.n_volunteers)
    minutes = facts.requests.roles.minutes
    frame = pd.DataFrame(
        {
            "p": rows.p[person],
            "week": _week(rows.time["slot_start"], facts)[person],
            "minutes": minutes[rows.q[person]],
        }
    )
    longest = int(minutes.max(initial=0))
    spent, used = bool((most < longest).any()), {}
    sums = frame.groupby(["p", "week"], sort=True, as_index=False)["minutes"].sum()
    for p, week, total in zip(*(sums[name].tolist() for name in ("p", "week", "minutes")), strict=True):
        used[p, week] = total
        if total > most[p]:
            text = f"works {total} minutes in one week; at most {most[p]}"
            faults.add("hours_exceeded", text, None, facts.providers.ids[p])
        spent |= bool(total + longest > most[p])

    def shut(r: int, q: int, p: IntArray, slot_start: IntArray, start: IntArray) -> BoolArray:
        found = np.zeros(len(p), dtype=bool)
        for i, (one, week) in enumerate(zip(p.tolist(), _week(slot_start, facts).tolist(), strict=True)):
            if one < facts.providers.n_volunteers:
                found[i] = used.get((one, week), 0) + minutes[q] > most[one]
        return found

    return shut if spent else None


def _check_reserve(rows: Rows, problem: Any, facts: Facts, faults: Faults) -> Shut | None:
    """Check how many certified people work in each town and hour beside those who are kept free."""
    rule = problem.policy.reserve
    if not rule.share > 0:
        return None
    places, who, slots = problem.tables["communities"], facts.providers, facts.slots
    town = {
        key: ("town", name) if name else ("community", key)
        for key, name in zip(objects(places["community_id"]), objects(places["town"]), strict=True)
    }
    owners = table_of(problem.tables, "organizations", ("organization_id", "community_id"))
    firms = dict(zip(objects(owners["organization_id"]), objects(owners["community_id"]), strict=True))
    staff = [firms[name] for name in who.ids.values[who.n_volunteers :].tolist() if name in firms]
    staff += [None] * (len(who.ids) - who.n_volunteers - len(staff))
    home = [*_lives(problem.tables).tolist(), *staff]
    wanted = (
        np.isin(facts.skills.values, list(rule.skills)) if rule.skills else np.ones(len(facts.skills), bool)
    )
    n_skills = max(1, len(facts.skills))
    last = np.full(len(who.ids), -(2**60))
    held = wanted[facts.skill_key % n_skills] if len(facts.skills) else np.zeros(0, bool)
    np.maximum.at(last, facts.skill_key[held] // n_skills, facts.skill_until[held])

    def hours(p: IntArray, start: IntArray, end: IntArray, **more: Any) -> pd.DataFrame:
        """One row for each hour of UTC that people with a valid certificate are there."""
        sure = last[p] >= facts.calendar.day(more.pop("slot", start))
        frame = pd.DataFrame({"p": p, "first": start // _HOUR, "last": (end - 1) // _HOUR, **more})[sure]
        frame["town"] = pd.Series([town.get(home[i]) for i in frame["p"]], frame.index, dtype=object)
        frame = frame[frame["town"].notna()]
        count = (frame["last"] - frame["first"] + 1).clip(lower=0).to_numpy()
        frame = frame.loc[frame.index.repeat(count)]
        frame["hour"] = frame["first"] + frame.groupby(level=0).cumcount()
        return frame

    free = hours(slots.provider, slots.start, slots.end, places=who.slot_cap[slots.provider])
    person = free["p"] < who.n_volunteers
    free = pd.concat([free[person].drop_duplicates(["p", "hour"]), free[~person]])
    keep = Fraction(str(rule.share))
    easy = np.flatnonzero(facts.requests.priority[rows.r] < _URGENT)
    begin = rows.time["start"][easy]
    busy = hours(
        rows.p[easy],
        begin,
        begin + facts.requests.roles.minutes[rows.q[easy]],
        slot=rows.time["slot_start"][easy],
    )
    there = free.groupby(["town", "hour"], sort=True, as_index=False)["places"].sum()
    jobs = busy.groupby(["town", "hour"], as_index=False).size()
    there = there.merge(jobs, on=["town", "hour"], how="left").fillna({"size": 0})
    full: set[tuple[Any, int]] = set()
    columns = (there[name].tolist() for name in ("town", "hour", "places", "size"))
    for place, hour, n, size in zip(*columns, strict=True):
        used = int(size)
        limit = n - int(keep * n)
        if used > limit:
            text = f"{used} jobs take certified people of {place[1]!r} in one hour; at most {limit} of {n}"
            faults.add("reserve_used", text, None, None)
        if used >= limit:
            full.add((place, hour))

    def shut(r: int, q: int, p: IntArray, slot_start: IntArray, start: IntArray) -> BoolArray:
        found = np.zeros(len(p), dtype=bool)
        if facts.requests.priority[r] < _URGENT:
            job = hours(p, start, start + facts.requests.roles.minutes[q], slot=slot_start)
            wanted = [key in full for key in zip(job["town"], job["hour"], strict=True)]
            found[job.index[wanted]] = True
        return found

    return shut if full else None
