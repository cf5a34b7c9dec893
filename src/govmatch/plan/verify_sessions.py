"""Sessions: seats, the fewest, what holding them costs, their holders, and households together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import BoolArray, IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import LIMIT_DOUBT, SUM_TOLERANCE, Faults, Rows, clock, numbers, texts
from govmatch.plan.verify_funnel import COST_DOUBT
from govmatch.plan.verify_incumbent import Stays
from govmatch.plan.verify_paths import hundredths

_FRAME = ("session_id", "taken", "held", "open_cost")


def check_sessions(rows: Rows, plan: Any, facts: Facts, faults: Faults) -> int:
    """Check every seat that is taken and every session; return what those held cost, hundredths."""
    seats = facts.seats
    if not len(seats):
        return 0
    session = rows.p - seats.first
    seated = session >= 0
    rows.fault(
        faults,
        "seat_wrong",
        seated & ~facts.sits[rows.r],
        lambda i: "a seat; only a request for one skill, of no team and without assigned providers takes one",
    )
    taken = np.bincount(session[seated], minlength=len(seats))
    for s in np.flatnonzero((taken > 0) & (taken < seats.fewest)).tolist():
        text = f"is held with {taken[s]}; it needs {seats.fewest[s]}"
        faults.add("session_below_minimum", text, None, seats.ids[s])
    _check_holders(rows, facts, taken > 0, faults)
    _check_households(rows, facts, faults)
    frame = _told(plan)
    if frame is not None:
        _check_frame(frame, facts, taken, faults)
    return int(seats.open_cost[taken > 0].sum())


def _told(plan: Any) -> Any:
    """Return what a plan says of its sessions; cells of any kind may be what it is made from."""
    try:
        return getattr(plan, "sessions", None)
    except (TypeError, ValueError, KeyError) as error:
        return error


def _check_holders(rows: Rows, facts: Facts, held: BoolArray, faults: Faults) -> None:
    """Check that nobody is sent elsewhere during a session that they hold."""
    seats = facts.seats
    for s in np.flatnonzero(held & (seats.holder >= 0)).tolist():
        begin, finish = (int(x[s]) for x in seats.stated)
        away = (rows.p == seats.holder[s]) & (rows.time["start"] < finish) & (rows.time["end"] > begin)
        text = f"holds session {seats.ids[s]!r} from {clock(begin)} to {clock(finish)}"
        for i in np.flatnonzero(away).tolist():
            faults.add("holder_away", text, rows.text["request_id"][i], rows.text["provider_id"][i])


def _check_frame(frame: Any, facts: Facts, taken: IntArray, faults: Faults) -> None:
    """Check what the plan says of each session."""
    seats = facts.seats
    if not isinstance(frame, pd.DataFrame) or any(c not in frame.columns for c in _FRAME):
        faults.add("malformed", f"plan.sessions is no table with the columns {', '.join(_FRAME)}")
        return
    if texts(frame["session_id"]).tolist() != seats.ids.tolist():
        faults.add("sessions_wrong", "plan.sessions does not have the rows of the table sessions")
        return
    cost = np.where(taken > 0, seats.open_cost, 0) / 100.0
    told = numbers(frame["taken"]), frame["held"].tolist(), numbers(frame["open_cost"])
    for s, (number, held, price) in enumerate(zip(*told, strict=True)):
        right = f"{taken[s]} are seated at a cost of {cost[s]:.2f}"
        if (
            number != taken[s]
            or bool(held) != bool(taken[s] > 0)
            or not abs(price - cost[s]) <= SUM_TOLERANCE
        ):
            text = f"plan.sessions says taken {number:g}, held {held}, open_cost {price:g}; {right}"
            faults.add("sessions_wrong", text, None, seats.ids[s])


def could_sit(
    facts: Facts, request: IntArray, stays: Stays | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pairs (r, s) of requests and sessions that are surely eligible, and those that may be."""
    seats, wish, who, fit = facts.seats, facts.requests, facts.providers, facts.policy.fit
    roles = wish.roles
    request = np.unique(request[facts.sits[request]])
    role = wish.first_role[request]
    need = np.searchsorted(roles.need_role, role)
    asked = pd.DataFrame({"r": request, "q": role, "need": need, "skill": roles.need_skill[need]})
    offered = pd.DataFrame({"s": np.arange(len(seats)), "skill": seats.skill})
    pairs = asked.merge(offered, on="skill")
    r, s, q = (pairs[c].to_numpy(dtype=np.int64) for c in ("r", "s", "q"))
    need, p = pairs["need"].to_numpy(dtype=np.int64), seats.first + s
    begins = np.maximum(seats.start[s], wish.earliest[r])
    right = seats.level[s] >= roles.need_level[need]
    right &= seats.certified[s] | ~roles.need_certified[need]
    right &= np.minimum(seats.end[s], wish.latest[r]) - begins >= roles.minutes[q]
    right &= (wish.people[r] == 1) | (seats.start[s] <= wish.earliest[r])
    right &= seats.start[s] < seats.end[s]
    right &= who.clearance[p] >= roles.clearance[q]
    right &= ~facts.is_forbidden(r, p)
    r, s, p, need, begins = (x[right] for x in (r, s, p, need, begins))
    node = facts.paths.node
    day = facts.calendar.day(seats.start[s])
    way = facts.paths.cheapest(node.at(wish.community[r]), node.at(who.home[p]), day)
    travel = facts.travel.minutes(p, r)
    travel = np.where(np.isnan(travel), facts.policy.travel.unknown_minutes, travel)
    cost = (
        hundredths(travel) + way + hundredths(fit.level_minutes * (seats.level[s] - roles.need_level[need]))
    )
    cost += hundredths(fit.wait_minutes * (begins - wish.earliest[r]) / 60.0)
    for name, price in (("dialect", fit.dialect_minutes), ("hometown", fit.hometown_minutes)):
        wanted = getattr(wish, name)[r]
        cost += (wanted != None).astype(np.int64) * int(hundredths(price))  # noqa: E711 - elementwise
    found = pd.DataFrame({"r": r, "s": s})

    def within(sign: int, more: IntArray | int) -> pd.DataFrame:
        near = travel <= who.max_travel[p] + sign * LIMIT_DOUBT
        worth = cost < wish.worth[r] + more + sign * COST_DOUBT
        return pd.DataFrame(found[(way >= 0) & near & worth])

    # who stays where it was announced may be that much dearer
    stay = 0 if stays is None else stays.change * stays.named[r]
    return within(-1, 0), within(1, stay)


def _check_households(rows: Rows, facts: Facts, faults: Faults) -> None:
    """Check that those of a household who could sit sit in one session, all or none of them."""
    seats, wish, home = facts.seats, facts.requests, facts.households
    seated = rows.p >= seats.first
    mine = pd.DataFrame({"r": rows.r[seated], "s": rows.p[seated] - seats.first})
    mine["home"] = home[mine["r"].to_numpy()]
    mine = mine[mine["home"] >= 0]
    if mine.empty:
        return
    every = np.flatnonzero(np.isin(home, mine["home"].unique()))
    surely, _ = could_sit(facts, every)
    could = set(surely["r"].tolist())
    members = pd.Series(every).groupby(home[every])
    for number, sits in mine.groupby("home"):
        theirs = [r for r in members.get_group(number).tolist() if r in could or r in set(sits["r"])]
        if len(theirs) < 2:
            continue
        sessions = sorted({str(seats.ids[s]) for s in sits["s"]})
        lacking = [r for r in theirs if int((sits["r"] == r).sum()) != wish.people[r]]
        if len(sessions) > 1:
            text = f"the household of these requests sits in {' and '.join(sessions)}; expected one session"
            faults.add("siblings_apart", text, wish.ids[int(sits["r"].iloc[0])])
        for r in lacking:
            text = f"others of the household sit in {sessions[0]}; all that could sit sit there, or none"
            faults.add("siblings_apart", text, wish.ids[r])


def check_session_reasons(
    frame: pd.DataFrame, at: IntArray, rows: Rows, facts: Facts, stays: Stays | None, faults: Faults
) -> None:
    """Check who is said to lack a session that is not held."""
    reason, known = texts(frame["reason"]), at >= 0
    claims = np.flatnonzero(known & (reason == "session"))
    others = np.flatnonzero(known & (reason == "capacity"))
    if not len(facts.seats):
        may = sure = np.zeros(0, dtype=np.int64)
    else:
        held = np.bincount(rows.p, minlength=len(facts.providers.ids))[facts.seats.first :] > 0
        surely, maybe = could_sit(facts, at[np.append(claims, others)], stays)
        sure = surely.loc[~held[surely["s"].to_numpy()], "r"].to_numpy()
        may = maybe.loc[~held[maybe["s"].to_numpy()], "r"].to_numpy()
    for i in claims[~np.isin(at[claims], may)].tolist():
        text = "reason 'session'; no session that could take it is left unheld"
        faults.add("reason_wrong", text, facts.requests.ids[at[i]])
    for i in others[np.isin(at[others], sure)].tolist():
        text = "reason 'capacity'; a session that could take it is not held, which is 'session'"
        faults.add("reason_wrong", text, facts.requests.ids[at[i]])
