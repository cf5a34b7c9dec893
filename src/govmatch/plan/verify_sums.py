"""Across rows: capacities, load, people, and what is unserved."""

from __future__ import annotations

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import TERM_TOLERANCE, Faults, Rows, numbers, texts
from govmatch.plan.verify_paths import hundredths

UNMET_COLUMNS = (
    "request_id", "community_id", "category", "skill", "role", "group", "priority", "people", "reason",
    "reason_zh", "eligible", "unmet_minutes",
)  # fmt: skip


def _over(key: list[IntArray], limit: IntArray) -> list[tuple[int, int, int]]:
    """Return (a row, jobs, limit) of every group of equal keys with more rows than its limit."""
    if not len(limit):
        return []
    frame = pd.DataFrame({f"k{i}": k for i, k in enumerate(key)})
    grouped = frame.groupby(list(frame.columns), sort=False)
    jobs = grouped["k0"].transform("size").to_numpy()
    over = np.flatnonzero((jobs > limit) & (grouped.cumcount().to_numpy() == 0))
    return [(int(i), int(jobs[i]), int(limit[i])) for i in over]


def check_capacities(rows: Rows, facts: Facts, faults: Faults) -> None:
    """Check slots, days, weeks, organisation-weeks, and that no person is sent to one request twice."""
    who = facts.providers
    person = rows.p < who.n_volunteers
    day = facts.calendar.day(rows.time["slot_start"])
    week = (day + 3) // 7
    ids = rows.text["provider_id"]

    same_slot = [rows.p, rows.time["slot_start"], rows.time["slot_end"]]
    for i, jobs, limit in _over(same_slot, who.slot_cap[rows.p]):
        code = "double_booking" if person[i] else "slot_capacity"
        faults.add(code, f"{jobs} jobs in one slot that holds {limit}", None, ids[i])

    for i, jobs, limit in _over([rows.p, day], who.day_cap[rows.p]):
        faults.add("day_capacity", f"{jobs} jobs on one day; at most {limit}", None, ids[i])
    for i, jobs, limit in _over([rows.p, week], who.week_cap[rows.p]):
        faults.add("week_capacity", f"{jobs} jobs in one week; at most {limit}", None, ids[i])

    firm = who.organization[rows.p]
    charged = np.flatnonzero(firm >= 0)
    for i, jobs, limit in _over([firm[charged], week[charged]], facts.organizations.week_cap[firm[charged]]):
        name = facts.organizations.ids[firm[charged][i]]
        faults.add("organization_capacity", f"{jobs} jobs in one week; at most {limit}", None, name)

    staff = np.where(person, 1, np.minimum(who.slot_cap[rows.p], facts.requests.people[rows.r]))
    staff = np.where(facts.requests.team[rows.r], len(rows.r), staff)  # checked with their roles
    for i, jobs, limit in _over([rows.r, rows.p], staff):
        text = f"is sent {jobs} times; has {limit} to send to this request"
        faults.add("person_twice", text, rows.text["request_id"][i], ids[i])


def check_load(rows: Rows, facts: Facts, faults: Faults) -> IntArray:
    """Check the price of each further job of a volunteer's week; return it in hundredths."""
    week = (facts.calendar.day(rows.time["slot_start"]) + 3) // 7
    frame = pd.DataFrame({"p": rows.p, "week": week, "start": rows.time["start"]})
    ordered = frame.sort_values("start", kind="stable")
    earlier = ordered.groupby(["p", "week"], sort=False).cumcount().reindex(frame.index).to_numpy(np.int64)
    units = np.where(rows.p < facts.providers.n_volunteers, earlier, 0)
    cost = units * int(hundredths(facts.policy.load.further_job_minutes))
    stated = rows.number["load_cost"]
    rows.fault(
        faults,
        "wrong_load_cost",
        ~(np.abs(stated - cost / 100.0) <= TERM_TOLERANCE),
        lambda i: (
            f"load_cost is {stated[i]:.2f}; this is job {units[i] + 1} of the week, {cost[i] / 100:.2f}"
        ),
    )
    return np.asarray(cost, dtype=np.int64)


def check_unmet(frame: pd.DataFrame, rows: Rows, facts: Facts, faults: Faults) -> IntArray:
    """Check that assigned and unserved people add up to those asked; return positions of the unmet."""
    wish = facts.requests
    ids = texts(frame["request_id"])
    at = wish.ids.at(ids)
    for i in np.flatnonzero(at < 0).tolist():
        faults.add("unknown_request", "plan.unmet names a request that the tables do not hold", ids[i])
    seen: set[int] = set()
    for r in at[at >= 0].tolist():
        if r in seen or wish.linked[r]:
            text = "stands in plan.unmet twice" if r in seen else "is linked, yet stands in plan.unmet"
            faults.add("unmet_wrong", text, wish.ids[r])
        seen.add(r)
    people = numbers(frame["people"])
    left = np.bincount(at[at >= 0], weights=np.nan_to_num(people[at >= 0]), minlength=len(wish.ids))
    served = np.bincount(rows.r, minlength=len(wish.ids))
    for r in np.flatnonzero(~wish.linked & (served > wish.people)).tolist():
        faults.add("people_exceeded", f"{served[r]} people are sent; {wish.people[r]} are asked", wish.ids[r])
    open_ = ~wish.linked & (served <= wish.people) & (served + left != wish.people)
    for r in np.flatnonzero(open_).tolist():
        text = f"{served[r]} people are sent and {left[r]:g} stand as unserved; {wish.people[r]} are asked"
        faults.add("people_missing", text, wish.ids[r])

    price = wish.unmet_cost[at] / 100.0 * people
    stated = numbers(frame["unmet_minutes"])
    cells = {name: texts(frame[name]) for name in ("community_id", "category", "group")}
    right = {
        "community_id": wish.community,
        "category": wish.category,
        "group": wish.group,
    }
    priority = numbers(frame["priority"])
    for i in np.flatnonzero(at >= 0).tolist():
        r = at[i]
        if not abs(stated[i] - price[i]) <= TERM_TOLERANCE:
            text = f"unmet_minutes is {stated[i]:.2f}; {price[i]:.2f} by the policy"
            faults.add("wrong_unmet_cost", text, ids[i])
        if not people[i] >= 1:
            faults.add("unmet_wrong", f"people is {people[i]:g}; expected 1 or more", ids[i])
        wrong = [name for name, values in right.items() if (cells[name][i] or "") != (values[r] or "")]
        if priority[i] != wish.priority[r]:
            wrong.append("priority")
        if wrong:
            faults.add("unmet_wrong", f"{', '.join(wrong)} of the row differ from the request's", ids[i])
    return at
