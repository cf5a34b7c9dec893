"""Limits beside capacities: jobs away from home, minutes of a volunteer's week, the reserve."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import IntArray, ObjectArray, floats, objects, table_of, whole
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import Faults, Rows

_URGENT = 5
_HOUR = 60


def check_limits(rows: Rows, problem: Any, facts: Facts, faults: Faults) -> set[str]:
    """Check all of them; return the reasons of those that are used up somewhere."""
    checks = {"away": _check_away, "hours": _check_hours, "reserve": _check_reserve}
    return {reason for reason, check in checks.items() if check(rows, problem, facts, faults)}


def _week(rows: Rows, facts: Facts) -> IntArray:
    return (facts.calendar.day(rows.time["slot_start"]) + 3) // 7


def _lives(tables: Any) -> ObjectArray:
    """Return the community of each volunteer: its own, else its organisation's."""
    volunteers = table_of(tables, "volunteers", ("volunteer_id", "organization_id", "community_id"))
    owners = table_of(tables, "organizations", ("organization_id", "community_id"))
    firms = dict(zip(objects(owners["organization_id"]), objects(owners["community_id"]), strict=True))
    own = objects(volunteers["community_id"])
    firm = [firms.get(name) for name in objects(volunteers["organization_id"])]
    return np.array([a if a is not None else b for a, b in zip(own, firm, strict=True)], dtype=object)


def _check_away(rows: Rows, problem: Any, facts: Facts, faults: Faults) -> bool:
    """Check how many jobs a week a community's volunteers do elsewhere."""
    places = problem.tables["communities"]
    if "away_per_week" not in places or not places["away_per_week"].notna().any():
        return False
    limits = dict(zip(objects(places["community_id"]), floats(places["away_per_week"]), strict=True))
    person = np.flatnonzero(rows.p < facts.providers.n_volunteers)
    frame = pd.DataFrame(
        {
            "home": _lives(problem.tables)[rows.p[person]],
            "place": facts.requests.community[rows.r[person]],
            "week": _week(rows, facts)[person],
        }
    )
    away = frame[frame["home"] != frame["place"]]
    jobs = away.groupby(["home", "week"], sort=True, as_index=False).size()
    spent = 0.0 in limits.values()
    for home, n in zip(jobs["home"], jobs["size"], strict=True):
        if n > limits[home]:
            text = f"volunteers of {home!r} do {n} jobs elsewhere in one week; at most {limits[home]:g}"
            faults.add("away_exceeded", text, None, None)
        spent |= n >= limits[home]
    return bool(spent)


def _check_hours(rows: Rows, problem: Any, facts: Facts, faults: Faults) -> bool:
    """Check the minutes of every volunteer's jobs in every week."""
    volunteers = table_of(problem.tables, "volunteers", ("volunteer_id", "max_minutes_per_week"))
    usual = int(problem.policy.load.minutes_per_week)
    most = whole(volunteers["max_minutes_per_week"], usual if usual > 0 else 2**40)
    if not (most < 2**40).any():
        return False
    person = np.flatnonzero(rows.p < facts.providers.n_volunteers)
    minutes = facts.requests.roles.minutes
    frame = pd.DataFrame(
        {"p": rows.p[person], "week": _week(rows, facts)[person], "minutes": minutes[rows.q[person]]}
    )
    longest = int(minutes.max(initial=0))
    spent = bool((most < longest).any())
    sums = frame.groupby(["p", "week"], sort=True, as_index=False)["minutes"].sum()
    for p, total in zip(sums["p"].tolist(), sums["minutes"].tolist(), strict=True):
        if total > most[p]:
            text = f"works {total} minutes in one week; at most {most[p]}"
            faults.add("hours_exceeded", text, None, facts.providers.ids[p])
        spent |= bool(total + longest > most[p])
    return spent


def _check_reserve(rows: Rows, problem: Any, facts: Facts, faults: Faults) -> bool:
    """Check how many certified people work in each town and hour beside those who are kept free."""
    rule = problem.policy.reserve
    if not rule.share > 0:
        return False
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
    spent = False
    columns = (there["town"], there["places"].tolist(), there["size"].astype(int).tolist())
    for place, n, used in zip(*columns, strict=True):
        limit = n - int(keep * n)
        if used > limit:
            text = f"{used} jobs take certified people of {place[1]!r} in one hour; at most {limit} of {n}"
            faults.add("reserve_used", text, None, None)
        spent |= used >= limit
    return spent
