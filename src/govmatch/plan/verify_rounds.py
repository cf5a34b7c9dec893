"""The check of a plan of rounds: visits, tours, teams and costs, from the tables up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_asks import Asks, read_asks
from govmatch.plan.verify_certificate import check_certificate, check_funnel, check_linked
from govmatch.plan.verify_columns import BoolArray, IntArray, ObjectArray, at_or
from govmatch.plan.verify_floors import check_floors
from govmatch.plan.verify_frames import LIMIT_DOUBT, SUM_TOLERANCE, Faults, Rows, clock, numbers, read_rows
from govmatch.plan.verify_limits import Shut, check_limits
from govmatch.plan.verify_paths import hundredths
from govmatch.plan.verify_quotas import check_quotas
from govmatch.plan.verify_rounds_reasons import check_round_reasons
from govmatch.plan.verify_slots import NEVER, utc_micros
from govmatch.plan.verify_sums import check_load, check_unmet
from govmatch.plan.verify_travel import FloatArray, TravelTimes
from govmatch.plan.verify_way import check_route

ROUND_COLUMNS = ("late_cost", "tour", "order", "return_minutes")
ROUND_TERMS = (
    "travel_cost", "route_cost", "dialect_cost", "hometown_cost", "level_cost", "wait_cost", "late_cost",
    "load_cost", "face_cost", "bond_cost",
)  # fmt: skip

WAY_TOLERANCE = 0.0011
"""Minutes: ways are rounded up to thousandths."""

TIME_TOLERANCE = 1e-4
"""Minutes by which two ways of reckoning a time may differ."""

_MICROS = 60_000_000
_MOST = 1_000_000  # people; a request asks for fewer


@dataclass(frozen=True)
class Visits:
    """The rows of known requests, roles and providers, and their exact times in minutes."""

    rows: Rows  # by request
    q: IntArray  # ask
    start: FloatArray  # minutes after the horizon's start
    end: FloatArray
    zero: int
    late: FloatArray  # stated terms and places
    tour: FloatArray
    order: FloatArray
    back: FloatArray

    def fault(self, faults: Faults, code: str, wrong: BoolArray, say: Callable[[int], str]) -> None:
        """Record a fault for every row of the mask."""
        self.rows.fault(faults, code, wrong, say)

    def when(self, minutes: float) -> str:
        """Return an instant for a message."""
        stamp = pd.Timestamp(self.zero, unit="m") + pd.Timedelta(round(float(minutes) * 60_000), unit="ms")
        return f"{stamp.isoformat()}Z"


def check_rounds(problem: Any, plan: Any, faults: Faults) -> None:
    """Check a plan of rounds against its problem."""
    asks = read_asks(problem)
    facts = asks.by_request
    visits = _visits(problem, plan.assignments, asks, faults)
    _check_identity(visits, asks, faults)
    surplus = _check_skills(visits, asks, faults)
    slot = _check_slots(visits, asks, faults)
    _check_windows(visits, asks, bool(problem.policy.rounds.soft), faults)
    cost = _check_tours(problem, visits, asks, faults)
    cost += _check_late(problem.policy.rounds, visits, asks, faults)
    cost += _check_terms(visits, asks, surplus, faults)
    _check_capacities(visits, facts, faults)
    load = check_load(visits.rows, facts, faults) / 100.0
    at = check_unmet(plan.unmet, visits.rows, facts, faults)
    _check_teams(visits, asks, slot, faults)
    ended = getattr(plan.certificate, "termination", None)
    optimal = isinstance(ended, str) and ended == "optimal"
    stopped = isinstance(ended, str) and ended in ("time_limit", "cancelled")
    by_ask = replace(visits.rows, r=visits.q, q=visits.q)
    shut: dict[str, Shut | None] = {**check_limits(by_ask, problem, asks.facts, faults)}
    if check_quotas(by_ask, asks.facts, faults):
        shut["quota"] = None
    check_round_reasons(plan.unmet, at, optimal, asks, shut, faults)
    people = np.clip(np.nan_to_num(numbers(plan.unmet["people"])), -_MOST, _MOST)
    unserved = float((facts.requests.unmet_cost[at] * people)[at >= 0].sum())
    short = check_floors(getattr(plan, "floors", None), visits.rows, facts, faults)
    primal = 100 * float(cost.sum() + load.sum()) + unserved + short
    check_certificate(plan.certificate, problem, facts, visits.rows, primal, faults)
    check_linked(plan.linked, facts, faults)
    check_funnel(plan.funnel, plan.certificate, not stopped, facts, faults, asked=len(asks.request))
    faults.checked = {
        "assignments": len(plan.assignments),
        "unmet": len(plan.unmet),
        "slots": len(facts.slots.start),
        **faults.checked,
    }


def _visits(problem: Any, frame: pd.DataFrame, asks: Asks, faults: Faults) -> Visits:
    facts = asks.by_request
    rows = read_rows(frame, facts, faults)
    known = (facts.requests.ids.at(frame["request_id"]) >= 0) & (
        facts.providers.ids.at(frame["provider_id"]) >= 0
    )
    zero = int(problem.horizon[0])
    times = {}
    for name in ("start", "end"):
        micros = utc_micros(frame[name])[known]
        times[name] = np.where(micros == NEVER, np.nan, (micros - zero * _MICROS) / _MICROS)
    place = {
        (int(r), str(role)): q
        for q, (r, role) in enumerate(zip(asks.request.tolist(), asks.role.tolist(), strict=True))
    }
    names = rows.text["role"]
    q = np.array(
        [place.get((r, str(name)), -1) for r, name in zip(rows.r.tolist(), names.tolist(), strict=True)],
        dtype=np.int64,
    )
    linked = facts.requests.linked[rows.r]
    rows.fault(
        faults,
        "duplicate_served",
        linked,
        lambda i: "the request is linked to another report of the same need and is not served itself",
    )
    rows.fault(
        faults,
        "wrong_role",
        (q < 0) & ~linked,
        lambda i: (
            f"role {names[i]!r}; expected one of {', '.join(map(repr, asks.role[asks.request == rows.r[i]]))}"
        ),
    )
    keep = q >= 0
    kept = replace(
        rows,
        r=rows.r[keep],
        q=rows.q[keep],
        p=rows.p[keep],
        **{
            part: {name: values[keep] for name, values in getattr(rows, part).items()}
            for part in ("text", "time", "number", "flag")
        },
    )
    late, tour, order, back = (numbers(frame[name])[known][keep] for name in ROUND_COLUMNS)
    return Visits(kept, q[keep], times["start"][keep], times["end"][keep], zero, late, tour, order, back)


def _check_identity(visits: Visits, asks: Asks, faults: Faults) -> None:
    rows, facts = visits.rows, asks.by_request
    who, wish = facts.providers, asks.facts.requests
    kind = np.where(rows.p < who.n_volunteers, "volunteer", "organization").astype(object)
    charged = at_or(facts.organizations.ids.values, who.organization[rows.p], None)
    for code, name, right in (
        ("wrong_kind", "provider_kind", kind),
        ("wrong_organization", "organization_id", charged),
        ("wrong_community", "community_id", wish.community[visits.q]),
    ):
        stated = rows.text[name]
        visits.fault(
            faults,
            code,
            stated != right,
            _unlike(name, stated, right),
        )
    low, needed = who.clearance[rows.p], wish.roles.clearance[visits.q]
    visits.fault(
        faults, "clearance_too_low", low < needed, lambda i: f"clearance {low[i]}; {needed[i]} is needed"
    )
    visits.fault(
        faults,
        "forbidden_pair",
        asks.facts.is_forbidden(visits.q, rows.p),
        lambda i: "the pins forbid this provider for this request, or a party of it is kin",
    )
    visits.fault(
        faults,
        "pin_broken",
        asks.facts.is_passed_over(visits.q, rows.p),
        lambda i: "the pins assign others to this request",
    )


def _check_skills(visits: Visits, asks: Asks, faults: Faults) -> IntArray:
    """Check the needs of each visit's role; return the levels held above them."""
    facts, rows = asks.facts, visits.rows
    wish, width = facts.requests, max(1, len(facts.skills))
    day = np.maximum(facts.calendar.day(wish.earliest[visits.q]), facts.calendar.day(rows.time["slot_start"]))
    begin = np.searchsorted(wish.roles.need_role, visits.q)
    end = np.searchsorted(wish.roles.need_role, visits.q, side="right")
    surplus = np.zeros(len(visits.q), dtype=np.int64)
    for i, p in enumerate(rows.p.tolist()):
        ids = rows.text["request_id"][i], rows.text["provider_id"][i]
        for k in range(int(begin[i]), int(end[i])):
            skill, level = wish.roles.need_skill[k], int(wish.roles.need_level[k])
            code = facts.skills.position.get(skill, -1)
            key = p * width + code
            j = int(np.searchsorted(facts.skill_key, key))
            if code < 0 or j == len(facts.skill_key) or facts.skill_key[j] != key:
                faults.add("wrong_skill", f"the provider does not hold {skill!r}", *ids)
                continue
            own, until = int(facts.skill_level[j]), int(facts.skill_until[j])
            surplus[i] += own - level
            if own < level:
                faults.add("level_too_low", f"level {own} of {skill!r} is held; {level} is needed", *ids)
            if wish.roles.need_certified[k] and until == NEVER:
                faults.add("certificate_missing", f"no certificate of {skill!r}; one is needed", *ids)
            elif wish.roles.need_certified[k] and until < day[i]:
                text = f"the certificate of {skill!r} ends on {np.datetime64(until, 'D')}, before the job"
                faults.add("certificate_expired", text, *ids)
    return surplus


def _check_slots(visits: Visits, asks: Asks, faults: Faults) -> IntArray:
    """Check that the slots are the providers'; return their positions, -1 where unknown."""
    rows, slots = visits.rows, asks.facts.slots
    places = {
        key: i
        for i, key in enumerate(
            zip(slots.provider.tolist(), slots.start.tolist(), slots.end.tolist(), strict=True)
        )
    }
    time = rows.time
    keys = zip(rows.p.tolist(), time["slot_start"].tolist(), time["slot_end"].tolist(), strict=True)
    slot = np.array([places.get(key, -1) for key in keys], dtype=np.int64)
    visits.fault(
        faults,
        "unknown_slot",
        slot < 0,
        lambda i: f"the provider has no slot {clock(time['slot_start'][i])} to {clock(time['slot_end'][i])}",
    )
    assumed, stated = np.append(slots.assumed, False)[slot], rows.flag["assumed"]
    visits.fault(
        faults,
        "wrong_assumed",
        (slot >= 0) & (stated == ~assumed),
        lambda i: (
            f"assumed is {stated[i]}; the slot {'comes' if assumed[i] else 'does not come'} from a preset"
        ),
    )
    return slot


def _check_windows(visits: Visits, asks: Asks, soft: bool, faults: Faults) -> None:
    """Check that visits last as long as asked, begin in their windows and, unless soft, end in them."""
    wish, start, end = asks.facts.requests, visits.start, visits.end
    minutes = wish.roles.minutes[visits.q]
    visits.fault(
        faults,
        "wrong_end",
        ~(np.abs(end - start - minutes) <= TIME_TOLERANCE),
        lambda i: f"lasts {end[i] - start[i]:.3f} minutes; {minutes[i]} are asked",
    )
    opens = wish.earliest[visits.q] - visits.zero
    closes = asks.by_request.requests.latest[asks.request[visits.q]] - visits.zero
    outside = ~(start >= opens - TIME_TOLERANCE)
    if not soft:
        outside |= ~(start + minutes <= closes + TIME_TOLERANCE)
    visits.fault(
        faults,
        "outside_window",
        outside,
        lambda i: (
            f"{_said(visits, start[i])} to {_said(visits, end[i])} leaves the window "
            f"{visits.when(opens[i])} to {visits.when(closes[i])}"
        ),
    )


def _said(visits: Visits, minutes: float) -> str:
    return visits.when(minutes) if np.isfinite(minutes) else "no time"


def _check_tours(problem: Any, visits: Visits, asks: Asks, faults: Faults) -> FloatArray:
    """Check order, ways, slots and rests of every tour; return the travel term of each row, minutes."""
    rows, policy, facts = visits.rows, problem.policy, asks.facts
    who, time = facts.providers, rows.time
    n = len(visits.q)
    number = np.nan_to_num(visits.tour, nan=-1)
    cap = who.slot_cap[rows.p]
    visits.fault(
        faults,
        "tour_wrong",
        ~((number >= 1) & (number <= cap) & (number == np.floor(number))),
        lambda i: f"tour is {visits.tour[i]:g}; the slot holds {cap[i]}",
    )
    start = np.nan_to_num(visits.start, nan=-1e12)
    turn = np.lexsort((np.arange(n), start, number, time["slot_end"], time["slot_start"], rows.p))
    key = [x[turn] for x in (rows.p, time["slot_start"], time["slot_end"], number)]
    new = np.ones(n, dtype=bool)
    new[1:] = np.any([np.diff(x) != 0 for x in key], axis=0) if n else False
    last = np.append(new[1:], True)[:n]
    p, q = rows.p[turn], visits.q[turn]
    wish = facts.requests
    at = wish.lat[q], wish.lon[q]
    base = asks.base_lat[p], asks.base_lon[p]
    before = [np.where(new, b, np.roll(x, 1)) for b, x in zip(base, at, strict=True)]
    unknown = float(policy.travel.unknown_minutes)
    way, known = _minutes(problem, before, at, who.mode[p], unknown)
    back, _ = _minutes(problem, at, base, who.mode[p], unknown)
    out, _ = _minutes(problem, base, at, who.mode[p], unknown)
    limit = who.max_travel[p]
    opens = (time["slot_start"][turn] - visits.zero).astype(np.float64)
    closes = (time["slot_end"][turn] - visits.zero).astype(np.float64)
    begin, minutes = start[turn], wish.roles.minutes[q]
    free = np.where(new, opens, np.roll(begin + minutes, 1))
    nth = np.arange(n) - np.maximum.accumulate(np.where(new, np.arange(n), 0)) + 1
    rest = _rest_missing(policy.rounds, new, begin, minutes, way, free)
    stated, returns = rows.number["travel_minutes"][turn], visits.back[turn]
    owed = np.where(last, back, 0.0)
    says, term = rows.flag["travel_known"][turn], rows.number["travel_cost"][turn]
    fee = stated + returns if policy.rounds.cost == "round" else out
    found: list[tuple[str, BoolArray, Callable[[int], str]]] = [
        ("wrong_order", visits.order[turn] != nth,
         lambda i: f"order is {visits.order[turn[i]]:g}; by its start it is visit {nth[i]} of the tour"),
        ("wrong_travel", ~(np.abs(stated - way) <= WAY_TOLERANCE),
         lambda i: f"travel_minutes is {stated[i]:.3f}; {way[i]:.3f} by the places and the mode"),
        ("wrong_travel", says == ~known,
         lambda i: f"travel_known is {says[i]}; the two places are {'' if known[i] else 'not both '}known"),
        ("wrong_return", ~(np.abs(returns - owed) <= WAY_TOLERANCE),
         lambda i: f"return_minutes is {returns[i]:.3f}; the way back takes {owed[i]:.3f}"),
        ("too_far", out > limit + LIMIT_DOUBT,
         lambda i: f"{out[i]:.1f} minutes from the tour's start; at most {limit[i]:.1f} are accepted"),
        ("no_room", ~(begin >= free + way - TIME_TOLERANCE),
         lambda i: (
             f"begins at {_said(visits, visits.start[turn[i]])}; with {way[i]:.3f} minutes of way it can "
             f"at {visits.when(free[i] + min(way[i], 1e6))}")),
        ("outside_slot", last & ~(begin + minutes + back <= closes + TIME_TOLERANCE),
         lambda i: (
             f"the tour is back at {visits.when(begin[i] + minutes[i] + min(back[i], 1e6))}; "
             f"the slot ends at {visits.when(closes[i])}")),
        ("rest_missing", rest,
         lambda i: (
             f"more than {policy.rounds.rest_after_minutes} minutes without a rest of "
             f"{policy.rounds.rest_minutes}")),
        ("wrong_cost_term", ~(np.abs(term - fee) <= WAY_TOLERANCE),
         lambda i: f"travel_cost is {term[i]:.3f}; {fee[i]:.3f} by the policy"),
    ]  # fmt: skip
    for code, wrong, say in found:
        for i in np.flatnonzero(wrong).tolist():
            ids = rows.text["request_id"][turn[i]], rows.text["provider_id"][turn[i]]
            faults.add(code, say(i), *ids)
    cost = np.zeros(n)
    cost[turn] = np.where(np.abs(term - fee) <= WAY_TOLERANCE, term, fee)
    return cost


def _minutes(
    problem: Any, origin: Any, goal: Any, mode: IntArray, unknown: float
) -> tuple[FloatArray, BoolArray]:
    """Return the minutes of ways, and which are known."""
    places = (np.asarray(origin[0]), np.asarray(origin[1]), mode), (goal[0], goal[1])
    here = np.arange(len(mode))
    minutes = TravelTimes(problem.travel, problem.policy, *places).minutes(here, here)
    known = ~np.isnan(minutes)
    return np.where(known, minutes, unknown), known


def _rest_missing(
    rounds: Any, new: BoolArray, begin: FloatArray, minutes: IntArray, way: FloatArray, free: FloatArray
) -> BoolArray:
    """Tell at which visits somebody works and travels for too long without a rest."""
    missing = np.zeros(len(begin), dtype=bool)
    if rounds.rest_minutes == 0:
        return missing
    since = 0.0
    for i in range(len(begin)):
        if new[i] or begin[i] - way[i] - free[i] >= rounds.rest_minutes - TIME_TOLERANCE:
            since = begin[i] - way[i]
        missing[i] = begin[i] + minutes[i] - since > rounds.rest_after_minutes + TIME_TOLERANCE
    return missing


def _check_late(rounds: Any, visits: Visits, asks: Asks, faults: Faults) -> FloatArray:
    """Check the price of lateness; that of the largest is charged to one visit that has it."""
    lateness = np.maximum(0.0, visits.start - (asks.due[visits.q] - visits.zero))
    lateness = np.nan_to_num(lateness) if rounds.soft else np.zeros(len(visits.q))
    each, once = (int(hundredths(x)) / 100.0 for x in (rounds.late_minutes, rounds.largest_late_minutes))
    right: FloatArray = each * lateness
    largest = float(lateness.max(initial=0.0))
    extra = once * largest
    rest = visits.late - right
    payers = np.flatnonzero((lateness >= largest - TIME_TOLERANCE) & (np.abs(rest - extra) <= WAY_TOLERANCE))
    if extra > 0:
        at = payers if len(payers) else np.flatnonzero(lateness >= largest)
        right[at[:1]] += extra
    visits.fault(
        faults,
        "wrong_late_cost",
        ~(np.abs(visits.late - right) <= WAY_TOLERANCE),
        lambda i: (
            f"late_cost is {visits.late[i]:.3f}; {right[i]:.3f} for {lateness[i]:.3f} minutes after the "
            "latest begin"
        ),
    )
    return right


def _unlike(name: str, stated: ObjectArray, right: ObjectArray) -> Callable[[int], str]:
    return lambda i: f"{name} {stated[i]!r}; expected {right[i]!r}"


def _misstated(name: str, stated: FloatArray, exact: FloatArray) -> Callable[[int], str]:
    return lambda i: f"{name} is {stated[i]:.2f}; {exact[i]:.2f} by the policy"


def _check_terms(visits: Visits, asks: Asks, surplus: IntArray, faults: Faults) -> FloatArray:
    """Check the terms that do not depend on the round, and the totals; return their sum, minutes."""
    rows, facts = visits.rows, asks.facts
    fit, who, wish = facts.policy.fit, facts.providers, facts.requests
    right = {
        "route_cost": check_route(rows, asks.by_request, faults),
        "level_cost": hundredths(fit.level_minutes * surplus),
        "wait_cost": np.zeros(len(visits.q), dtype=np.int64),
        "face_cost": np.zeros(len(visits.q), dtype=np.int64),
        "bond_cost": np.zeros(len(visits.q), dtype=np.int64),
    }
    for name, asked, own, price in (
        ("dialect_cost", wish.dialect[visits.q], who.dialect[rows.p], fit.dialect_minutes),
        ("hometown_cost", wish.hometown[visits.q], who.hometown[rows.p], fit.hometown_minutes),
    ):
        misses = (asked != None) & (asked != own)  # noqa: E711 - elementwise
        right[name] = misses.astype(np.int64) * int(hundredths(price))
    total = np.zeros(len(visits.q))
    for name, units in right.items():
        stated, exact = rows.number[name], units / 100.0
        total += exact
        visits.fault(
            faults,
            "wrong_cost_term",
            ~(np.abs(stated - exact) <= SUM_TOLERANCE),
            _misstated(name, stated, exact),
        )
    added = np.sum([visits.late if t == "late_cost" else rows.number[t] for t in ROUND_TERMS], axis=0)
    cost = rows.number["cost_minutes"]
    visits.fault(
        faults,
        "wrong_total",
        ~(np.abs(added - cost) <= SUM_TOLERANCE),
        lambda i: f"cost_minutes is {cost[i]:.4f}; its terms add up to {added[i]:.4f}",
    )
    return total


def _check_capacities(visits: Visits, facts: Any, faults: Faults) -> None:
    """Check days, weeks and organisation-weeks."""
    rows, who = visits.rows, facts.providers
    day = facts.calendar.day(rows.time["slot_start"])
    firm = who.organization[rows.p]
    limits = at_or(facts.organizations.week_cap, firm, np.iinfo(np.int64).max)
    names = at_or(facts.organizations.ids.values, firm, None)
    ids = rows.text["provider_id"]
    for code, owner, period, cap, named, span in (
        ("day_capacity", rows.p, day, who.day_cap[rows.p], ids, "on one day"),
        ("week_capacity", rows.p, (day + 3) // 7, who.week_cap[rows.p], ids, "in one week"),
        ("organization_capacity", firm, (day + 3) // 7, limits, names, "in one week"),
    ):
        frame = pd.DataFrame({"owner": owner, "period": period})
        grouped = frame.groupby(["owner", "period"], sort=False)["owner"]
        jobs, nth = grouped.transform("size").to_numpy(), grouped.cumcount().to_numpy()
        for i in np.flatnonzero((jobs > cap) & (nth == 0)).tolist():
            faults.add(code, f"{jobs[i]} jobs {span}; at most {cap[i]}", None, named[i])


def _check_teams(visits: Visits, asks: Asks, slot: IntArray, faults: Faults) -> None:
    """Check that requests are served in whole, by different people, who start as the roles say."""
    rows, n = visits.rows, len(asks.request)
    sent = np.bincount(visits.q, minlength=n)
    served = np.bincount(rows.r, minlength=len(asks.by_request.requests.ids)) > 0
    ids = asks.by_request.requests.ids
    for q in np.flatnonzero(served[asks.request] & (sent != asks.people)).tolist():
        text = f"{sent[q]} people are sent as {asks.role[q]!r}; {asks.people[q]} are asked, all or none"
        faults.add("team_incomplete", text, ids[asks.request[q]])
    staff = rows.p >= asks.facts.providers.n_volunteers
    person = pd.DataFrame(
        {"r": rows.r, "p": rows.p, "s": np.where(staff, slot, -1), "t": np.where(staff, visits.tour, -1)}
    )
    for i in np.flatnonzero(person.duplicated().to_numpy()).tolist():
        text = "is sent twice to one request"
        faults.add("person_twice", text, rows.text["request_id"][i], rows.text["provider_id"][i])
    first = np.full(n, np.nan)
    for i in np.lexsort((visits.start, visits.q))[::-1].tolist():
        first[visits.q[i]] = visits.start[i]
    apart = ~(np.abs(visits.start - first[visits.q]) <= TIME_TOLERANCE)
    visits.fault(
        faults,
        "not_together",
        apart,
        lambda i: (
            f"starts {visits.start[i] - first[visits.q[i]]:.3f} minutes after the first of its role; "
            "people of one role start together"
        ),
    )
    root: dict[int, int] = {}
    for q in np.flatnonzero(np.bincount(asks.request)[asks.request] > 1).tolist():
        before = int(asks.after[q])
        least, most = (int(asks.least[q]), int(asks.most[q])) if before >= 0 else (0, 0)
        other = before if before >= 0 else root.setdefault(int(asks.request[q]), q)
        gap = first[q] - first[other]
        if sent[q] and sent[other] and not least - TIME_TOLERANCE <= gap <= most + TIME_TOLERANCE:
            text = (
                f"{asks.role[q]!r} starts {gap:.3f} minutes after {asks.role[other]!r}; {least} to {most} "
                "are asked"
            )
            faults.add("wrong_offset", text, ids[asks.request[q]])
