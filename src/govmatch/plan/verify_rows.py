"""Row by row: whether this provider may serve this request in this slot, and each cost term."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import BoolArray, IntArray, at_or
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import SUM_TOLERANCE, TERM_TOLERANCE, TERMS, Faults, Rows, clock
from govmatch.plan.verify_incumbent import Stays
from govmatch.plan.verify_paths import hundredths
from govmatch.plan.verify_slots import NEVER
from govmatch.plan.verify_teams import waited_in_teams
from govmatch.plan.verify_way import check_route, check_travel


def _check_identity(rows: Rows, facts: Facts, faults: Faults) -> None:
    who, wish = facts.providers, facts.requests
    rows.fault(
        faults,
        "duplicate_served",
        wish.linked[rows.r],
        lambda i: "the request is linked to another report of the same need and is not served itself",
    )
    roles = wish.roles.name
    rows.fault(
        faults,
        "wrong_role",
        rows.text["role"] != roles[rows.q],
        lambda i: (
            f"role {rows.text['role'][i]!r}; expected "
            + " or ".join(map(repr, roles[wish.first_role[rows.r[i]] : wish.first_role[rows.r[i] + 1]]))
        ),
    )
    kind = np.where(rows.p < who.n_volunteers, "volunteer", "organization").astype(object)
    kind[rows.p >= facts.seats.first] = "session"
    rows.fault(
        faults,
        "wrong_kind",
        rows.text["provider_kind"] != kind,
        lambda i: f"provider_kind {rows.text['provider_kind'][i]!r}; expected {kind[i]!r}",
    )
    charged = at_or(facts.organizations.ids.values, who.organization[rows.p], None)
    rows.fault(
        faults,
        "wrong_organization",
        rows.text["organization_id"] != charged,
        lambda i: (
            f"organization_id {rows.text['organization_id'][i]!r}; the provider is charged to {charged[i]!r}"
        ),
    )
    place = wish.community[rows.r]
    rows.fault(
        faults,
        "wrong_community",
        rows.text["community_id"] != place,
        lambda i: f"community_id {rows.text['community_id'][i]!r}; the request arises in {place[i]!r}",
    )


def _check_skills(rows: Rows, facts: Facts, faults: Faults) -> IntArray:
    """Check needs; return the levels held above those needed, summed over a row's needs."""
    wish = facts.requests.roles
    begin = np.searchsorted(wish.need_role, rows.q)
    counts = np.searchsorted(wish.need_role, rows.q, side="right") - begin
    row = np.repeat(np.arange(len(rows.r)), counts)
    need = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(begin, counts)
    code = facts.skills.at(wish.need_skill[need])
    key = rows.p[row] * max(1, len(facts.skills)) + code
    at = np.searchsorted(facts.skill_key, key)
    inside = np.minimum(at, max(0, len(facts.skill_key) - 1))
    held = (code >= 0) & (at < len(facts.skill_key))
    if len(facts.skill_key):
        held &= facts.skill_key[inside] == key
        level, until = facts.skill_level[inside], facts.skill_until[inside]
    else:
        level = until = np.zeros(len(row), dtype=np.int64)
    first_day = facts.calendar.day(rows.time["start"])
    slot_day = facts.calendar.day(rows.time["slot_start"])
    certified = wish.need_certified[need]
    none = held & certified & (until == NEVER)
    late = held & certified & ~none & (until < np.maximum(first_day, slot_day)[row])
    asked, minimum = wish.need_skill[need], wish.need_level[need]

    def say(code_: str, wrong: BoolArray, text: Callable[[int], str]) -> None:
        for j in np.flatnonzero(wrong).tolist():
            ids = rows.text["request_id"][row[j]], rows.text["provider_id"][row[j]]
            faults.add(code_, text(j), *ids)

    say("wrong_skill", ~held, lambda j: f"the provider does not hold {asked[j]!r}")
    say(
        "level_too_low",
        held & (level < minimum),
        lambda j: f"level {level[j]} of {asked[j]!r} is held; {minimum[j]} is needed",
    )
    say("certificate_missing", none, lambda j: f"no certificate of {asked[j]!r}; one is needed")
    say(
        "certificate_expired",
        late,
        lambda j: (
            f"the certificate of {asked[j]!r} ends on {np.datetime64(int(until[j]), 'D')}, before the job"
        ),
    )
    surplus = np.zeros(len(rows.r), dtype=np.int64)
    np.add.at(surplus, row, np.where(held, level - minimum, 0))
    return surplus


def _check_times(rows: Rows, facts: Facts, faults: Faults) -> None:
    """Check slot, window and start."""
    wish, time = facts.requests, rows.time
    earliest, latest, minutes = wish.earliest[rows.r], wish.latest[rows.r], wish.roles.minutes[rows.q]
    claimed = pd.DataFrame(
        {"p": rows.p, "s": time["slot_start"], "e": time["slot_end"], "row": np.arange(len(rows.p))}
    )
    slots = facts.slots.frame
    used = np.zeros(len(facts.providers.ids), dtype=bool)
    used[rows.p] = True
    slots = slots[used[slots["p"].to_numpy()]].drop_duplicates(["p", "s", "e"])
    found = claimed.merge(slots, on=["p", "s", "e"], how="inner")
    slot = np.full(len(rows.p), -1, dtype=np.int64)
    slot[found["row"].to_numpy()] = found["slot"].to_numpy()
    rows.fault(
        faults,
        "unknown_slot",
        slot < 0,
        lambda i: f"the provider has no slot {clock(time['slot_start'][i])} to {clock(time['slot_end'][i])}",
    )
    start, end = time["start"], time["end"]
    rows.fault(
        faults,
        "outside_window",
        (start < earliest) | (end > latest),
        lambda i: (
            f"{clock(start[i])} to {clock(end[i])} leaves "
            f"the window {clock(earliest[i])} to {clock(latest[i])}"
        ),
    )
    rows.fault(
        faults,
        "outside_slot",
        (start < time["slot_start"]) | (end > time["slot_end"]),
        lambda i: f"{clock(start[i])} to {clock(end[i])} leaves the slot",
    )
    right = np.where(wish.people[rows.r] > 1, earliest, np.maximum(earliest, time["slot_start"]))
    rows.fault(
        faults,
        "wrong_start",
        (start != right) & ~wish.team[rows.r],
        lambda i: f"starts at {clock(start[i])}; the earliest that fits is {clock(right[i])}",
    )
    rows.fault(
        faults,
        "wrong_end",
        end != start + minutes,
        lambda i: f"lasts {end[i] - start[i]} minutes; {minutes[i]} are asked",
    )
    stated = rows.flag["assumed"]
    assumed = np.append(facts.slots.assumed, False)[slot]
    rows.fault(
        faults,
        "wrong_assumed",
        (slot >= 0) & (stated == ~assumed),
        lambda i: (
            f"assumed is {stated[i]}; the slot {'comes' if assumed[i] else 'does not come'} from a preset"
        ),
    )


def _check_term(name: str, units: IntArray, rows: Rows, faults: Faults) -> IntArray:
    """Check a stated term; return it in hundredths, recomputed where it is wrong.

    Where travel lies on the edge between two hundredths, either is right.
    """
    stated, exact = rows.number[name], units / 100.0
    right = np.abs(stated - exact) <= (TERM_TOLERANCE if name == "travel_cost" else SUM_TOLERANCE)
    rows.fault(
        faults,
        "wrong_cost_term",
        ~right,
        lambda i: f"{name} is {stated[i]:.2f}; {exact[i]:.2f} by the policy",
    )
    return np.where(right, hundredths(np.where(right, stated, 0.0)), units)


def check_rows(rows: Rows, facts: Facts, stays: Stays | None, faults: Faults) -> IntArray:
    """Check every row by itself.

    Returns
    -------
    int64 (n,)
        Cost of each row in hundredths, without the load.
    """
    _check_identity(rows, facts, faults)
    surplus = _check_skills(rows, facts, faults)
    _check_times(rows, facts, faults)
    who, wish, fit = facts.providers, facts.requests, facts.policy.fit
    rows.fault(
        faults,
        "clearance_too_low",
        who.clearance[rows.p] < wish.roles.clearance[rows.q],
        lambda i: f"clearance {who.clearance[rows.p[i]]}; {wish.roles.clearance[rows.q[i]]} is needed",
    )
    related = facts.is_related(rows.r, rows.p)
    rows.fault(faults, "not_neutral", related, lambda i: "a party of this request is kin of this provider")
    banned = facts.is_forbidden(rows.r, rows.p) & ~related
    rows.fault(faults, "forbidden_pair", banned, lambda i: "the pins forbid this provider for this request")
    rows.fault(
        faults,
        "pin_broken",
        facts.is_passed_over(rows.r, rows.p),
        lambda i: "the pins assign others to this request",
    )

    waited = np.where(
        wish.people[rows.r] > 1, 0, np.maximum(rows.time["slot_start"] - wish.earliest[rows.r], 0)
    )
    team, late = waited_in_teams(rows, facts)
    waited = np.where(team, late, waited)
    asked = {"dialect": wish.dialect[rows.r], "hometown": wish.hometown[rows.r]}
    own = {"dialect": who.dialect[rows.p], "hometown": who.hometown[rows.p]}
    right: dict[str, IntArray] = {
        "travel_cost": check_travel(rows, facts, faults),
        "route_cost": check_route(rows, facts, faults),
        "level_cost": hundredths(fit.level_minutes * surplus),
        "wait_cost": hundredths(fit.wait_minutes * waited / 60.0),
    }
    for name, price in (("dialect", fit.dialect_minutes), ("hometown", fit.hometown_minutes)):
        misses = (asked[name] != None) & (asked[name] != own[name])  # noqa: E711 - elementwise
        right[f"{name}_cost"] = misses.astype(np.int64) * int(hundredths(price))
    cost = np.zeros(len(rows.r), dtype=np.int64)
    for name, units in right.items():
        cost += _check_term(name, units, rows, faults)
    alone = np.where(team, wish.people[rows.r], 1)
    worth = wish.worth[rows.r] * alone
    saves = np.zeros(len(rows.r), dtype=np.int64)  # by leaving it, less than by sending
    if stays is not None:
        kept = stays.kept(rows.q, rows.p, rows.time["start"])
        saves = stays.change * stays.named[rows.r] * (alone - ~kept)
    rows.fault(
        faults,
        "dearer_than_unmet",
        (cost >= worth + saves) & ~facts.has_assigned(rows.r),
        lambda i: f"costs {cost[i] / 100:.2f} minutes; leaving it unserved costs {worth[i] / 100:.2f}",
    )
    total = np.sum([rows.number[name] for name in TERMS], axis=0)
    rows.fault(
        faults,
        "wrong_total",
        ~(np.abs(total - rows.number["cost_minutes"]) <= SUM_TOLERANCE),
        lambda i: f"cost_minutes is {rows.number['cost_minutes'][i]:.4f}; its terms add up to {total[i]:.4f}",
    )
    return cost
