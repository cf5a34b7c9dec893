"""Are the stated reasons true, where people make rounds? Role by role, from the tables up."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from govmatch.plan.reasons import REASONS
from govmatch.plan.verify_asks import Asks
from govmatch.plan.verify_columns import IntArray
from govmatch.plan.verify_frames import LIMIT_DOUBT, Faults, numbers, texts
from govmatch.plan.verify_funnel import Funnel
from govmatch.plan.verify_limits import Shut
from govmatch.plan.verify_paths import hundredths
from govmatch.plan.verify_reasons import LIMITED, SAMPLE, STAGES, first_short
from govmatch.plan.verify_travel import TravelTimes

Person = tuple[int, int, int]
"""A provider; of an organisation's own people also the slot and which of them."""

PLAIN = {"excluded": "pinned", "capacity": "pin_conflict"}
"""Reasons of requests to which nobody is assigned, and what they are where somebody is."""

PROVED = {False: "capacity", True: "pin_conflict"}
"""The reason that only an optimal plan states, by whether somebody is assigned."""

_ROUND = 0.0025
"""Minutes: both ways are rounded up to thousandths before they are held against the slot."""


def check_round_reasons(
    frame: pd.DataFrame,
    at: IntArray,
    optimal: bool,
    asks: Asks,
    shut: Mapping[str, Shut | None],
    faults: Faults,
) -> None:
    """Check codes, texts and needs of all unserved requests, and the reasons of `SAMPLE` of them.

    `shut` holds the limits that are used up somewhere, by reason, and whom each stops, where that is known.
    """
    stated, chinese, skill, role = (texts(frame[name]) for name in ("reason", "reason_zh", "skill", "role"))
    eligible, wish = numbers(frame["eligible"]), asks.by_request.requests
    funnel = Funnel(asks.facts)
    claims: list[int] = []
    for i in np.flatnonzero(at >= 0).tolist():
        r, reason, name = int(at[i]), stated[i], wish.ids[int(at[i])]
        needs = [need[0] for q in np.flatnonzero(asks.request == r).tolist() for need in funnel.needs(q)]
        if sorted((skill[i] or "").split("+")) != sorted("+".join(needs).split("+")):
            text = f"skill is {skill[i] or ''!r}; the request needs {'+'.join(needs)!r}"
            faults.add("unmet_wrong", text, name)
        roles = asks.role[asks.request == r]
        if (role[i] or "") != (roles[0] if len(roles) == 1 else ""):
            faults.add("unmet_wrong", "role of the row differ from the request's", name)
        if reason not in REASONS or reason == "together":
            known = [code for code in REASONS if code != "together"]
            faults.add("reason_wrong", f"reason {reason!r}; expected one of {', '.join(known)}", name)
            continue
        if chinese[i] != REASONS[reason][1]:
            text = f"reason_zh is {chinese[i]!r}; {REASONS[reason][1]!r} says {reason!r}"
            faults.add("reason_wrong", text, name)
        assigned = bool(asks.by_request.has_assigned(r))
        if reason in (("time",) if optimal else PROVED.values()):
            text = "only a plan without a proof says so" if optimal else "only an optimal plan says so"
            faults.add("reason_wrong", f"reason {reason!r}; {text}", name)
        elif reason in (PLAIN if assigned else PLAIN.values()):
            text = "somebody is assigned to it" if assigned else "nobody is assigned to it"
            faults.add("reason_wrong", f"reason {reason!r}; {text}", name)
        elif reason in LIMITED and reason not in shut:
            faults.add("reason_wrong", f"reason {reason!r}; {LIMITED[reason]}", name)
        elif not _stops(shut.get(reason), asks, funnel, r):
            text = "nobody whom this limit stops holds what it needs and is there in time"
            faults.add("reason_wrong", f"reason {reason!r}; {text}", name)
        elif not (reason == "time" and eligible[i] == 0):  # nobody looked at it before the search ended
            claims.append(i)
    kinds = pd.Series([stated[i] for i in claims], dtype=object)
    turn = kinds.groupby(kinds).cumcount().to_numpy(dtype=np.int64)
    checked = 0
    for i in np.array(claims, dtype=np.int64)[np.argsort(turn, kind="stable")][:SAMPLE].tolist():
        right = _right(asks, funnel, int(at[i]))
        if right is None:
            continue
        checked += 1
        assigned = bool(asks.by_request.has_assigned(int(at[i])))
        claim = PROVED[assigned] if stated[i] in ("time", *LIMITED) else stated[i]
        if not any(claim == code and least <= eligible[i] <= most for code, least, most in right):
            code, least, _ = right[0]
            told = "time" if code in PROVED.values() and not optimal else code
            text = f"reason {stated[i]!r} with {eligible[i]:g} eligible; recomputed {told!r} with {least}"
            faults.add("reason_wrong", text, wish.ids[int(at[i])])
    faults.checked["reasons"] = checked


def _stops(shut: Shut | None, asks: Asks, funnel: Funnel, r: int) -> bool:
    """Tell whether a limit stops somebody who could otherwise come, as far as needs and times say."""
    mine = np.flatnonzero(asks.request == r).tolist()
    return shut is None or any(bool(shut(q, q, *funnel.in_time(q, None)).any()) for q in mine)


def _right(asks: Asks, funnel: Funnel, r: int) -> list[tuple[str, int, int]] | None:
    """Return the reasons that are right for a request, with the least and the most left before.

    More than one where a way or a cost lies so near a limit that both sides of it are right. None where
    a plug would be asked too often.
    """
    n = len(asks.facts.providers.ids)
    found: list[tuple[str, int, int]] = []
    spent = [0.0, 0.0]
    left = (0, 0)
    crews: tuple[list[set[Person]], list[set[Person]]] = ([], [])
    for k, q in enumerate(np.flatnonzero(asks.request == r).tolist()):
        counts = funnel.counts(q)
        if counts is None:
            return None
        assigned = bool(asks.facts.has_assigned(q))
        (low, before_low), (high, before_high) = (_reason_of(c, n, assigned) for c in counts)
        able, persons = zip(*(_able(asks, funnel, q, sign) for sign in (-1, 1)), strict=True)
        before = sorted((before_low, before_high))
        if high != "capacity":
            return [*found, (high, before[0], before[1])]
        if low != "capacity":
            found.append((low, before[0], before[1]))
        if able[1] is None:
            return [*found, ("way", before[0], before[1])]
        if able[0] is None:
            found.append(("way", before[0], before[1]))
        people = int(asks.people[q])
        spent[0] += people * (able[1] - 0.01)
        spent[1] += people * ((able[0] if able[0] is not None else able[1]) + 0.01)
        left = (before[0], before[1]) if k == 0 else left
        for crew, mine in zip(crews, persons, strict=True):
            crew.extend([mine] * people)
    if not _enough(crews[1]):
        return [*found, ("people", *left)]
    if not _enough(crews[0]):
        found.append(("people", *left))
    wish = asks.by_request.requests
    worth = float(wish.worth[r]) / 100.0 * int(wish.people[r])
    assigned = bool(asks.by_request.has_assigned(r))
    if spent[1] >= worth and not assigned:
        found.append(("cost", *left))
    if spent[0] < worth or assigned:
        found.append((PROVED[assigned], *left))
    return found


def _reason_of(counts: list[int], n: int, assigned: bool) -> tuple[str, int]:
    """Return the reason that counts after each stage amount to, and who is left before it."""
    stage, left = first_short(counts, n, 1)
    code = "no_supply" if stage < 0 else "capacity" if stage >= len(STAGES) else STAGES[stage]
    return "pinned" if code == "excluded" and assigned else code, left


def _enough(crew: list[set[Person]]) -> bool:
    """Tell whether everybody who is asked for can be somebody else, by augmenting paths."""
    taken: dict[Person, int] = {}

    def place(k: int, tried: set[Person]) -> bool:
        for person in crew[k]:
            if person in tried:
                continue
            tried.add(person)
            if person not in taken or place(taken[person], tried):
                taken[person] = k
                return True
        return False

    return all(place(k, set()) for k in range(len(crew)))


def _able(asks: Asks, funnel: Funnel, q: int, sign: int) -> tuple[float | None, set[Person]]:
    """Return the least that a visit costs beside its round, minutes, and who could make it.

    None: nobody's slot holds it.

    `sign` is 1 where a doubtful way is taken as short enough, else -1.
    """
    facts, wish, who = asks.facts, asks.facts.requests, asks.facts.providers
    holders, surplus, until, enough = funnel.holders(q)
    n = len(who.ids)
    above, valid, able = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    above[holders], valid[holders], able[holders] = surplus, until, enough
    able &= (who.clearance >= wish.roles.clearance[q]) & ~facts.is_forbidden(q, np.arange(n))
    able &= ~facts.is_passed_over(q, np.arange(n))
    slots = facts.slots
    day = np.maximum(slots.day, facts.calendar.day(wish.earliest[[q]])[0])
    long = np.minimum(slots.end, wish.latest[q]) - np.maximum(slots.start, wish.earliest[q])
    at = np.flatnonzero(
        able[slots.provider] & (valid[slots.provider] >= day) & (long >= wish.roles.minutes[q])
    )
    p = slots.provider[at]
    source = np.full(len(at), facts.paths.node.at([wish.community[q]])[0], dtype=np.int64)
    way = facts.paths.cheapest(source, facts.paths.node.at(who.home[p]), slots.day[at])
    at, p, way = at[way >= 0], p[way >= 0], way[way >= 0]
    if not len(at):
        return None, set()
    travel, policy = facts.travel, facts.policy
    out = travel.minutes(p, np.full(len(p), q, dtype=np.int64))
    here = np.full(len(p), wish.lat[q]), np.full(len(p), wish.lon[q]), who.mode[p]
    base = asks.base_lat[p], asks.base_lon[p]
    each = np.arange(len(p))
    back = TravelTimes(travel.plug, policy, here, base).minutes(each, each)
    unknown = float(policy.travel.unknown_minutes)
    out, back = (np.where(np.isnan(x), unknown, x) for x in (out, back))
    begin = np.maximum(wish.earliest[q], slots.start[at] + out)
    end = np.minimum(wish.latest[q], slots.end[at] - back)
    fits = (out <= who.max_travel[p] + sign * LIMIT_DOUBT) & (
        end - begin - wish.roles.minutes[q] >= (-_ROUND if sign > 0 else _ROUND)
    )
    if not fits.any():
        return None, set()
    fit = policy.fit
    cost = way + hundredths(fit.level_minutes * above[p])
    for asked, own, price in (
        (wish.dialect[q], who.dialect[p], fit.dialect_minutes),
        (wish.hometown[q], who.hometown[p], fit.hometown_minutes),
    ):
        if asked is not None:
            cost = cost + (own != asked).astype(np.int64) * int(hundredths(price))
    minutes = cost / 100.0 + (out if policy.rounds.cost == "home" else 0.0)
    persons: set[Person] = set()
    most = int(asks.people[asks.request == asks.request[q]].sum())
    for slot, provider in zip(at[fits].tolist(), p[fits].tolist(), strict=True):
        if provider < who.n_volunteers:
            persons.add((provider, -1, 0))
        else:
            persons |= {(provider, slot, j) for j in range(min(most, int(who.slot_cap[provider])))}
    return float(minutes[fits].min()), persons
