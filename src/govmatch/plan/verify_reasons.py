"""Are the stated reasons true? Need and level of every unserved request, the whole funnel of some."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import BoolArray, IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import TERM_TOLERANCE, Faults, numbers
from govmatch.plan.verify_paths import hundredths

STAGES = (
    "no_such_service", "level", "certificate", "window", "path", "distance", "clearance", "excluded", "cost",
)  # fmt: skip
REASONS = ("no_supply", *STAGES, "capacity", "time")
SAMPLE = 16
"""Unserved requests whose whole funnel is recomputed."""
MOST_PLUG_PAIRS = 2000
"""Pairs for which a travel plug of somebody else's is asked on behalf of one reason."""

_ALWAYS = np.iinfo(np.int64).max


class Funnel:
    """Counts of providers left after each stage, for one request at a time."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._holders: dict[
            tuple[tuple[str, int, bool], ...], tuple[IntArray, IntArray, IntArray, BoolArray]
        ] = {}
        self._home: IntArray | None = None
        width = max(1, len(facts.skills))
        skill = facts.skill_key % width
        self._order = np.argsort(skill.astype(np.min_scalar_type(width)), kind="stable")
        self._begin = np.searchsorted(skill[self._order], np.arange(width + 1))
        self._holder = facts.skill_key // width
        self._counts: dict[tuple[Any, int], list[int]] = {}

    def needs(self, r: int) -> tuple[tuple[str, int, bool], ...]:
        """Return what a request needs: skill, level, certified."""
        wish = self._facts.requests
        low, high = np.searchsorted(wish.need_request, [r, r + 1]).tolist()
        return tuple(
            (str(wish.need_skill[j]), int(wish.need_level[j]), bool(wish.need_certified[j]))
            for j in range(low, high)
        )

    def _of_skill(self, skill: str) -> tuple[IntArray, IntArray, IntArray]:
        """Return who holds a skill, ascending, at which level and certified until when."""
        code = self._facts.skills.position.get(skill)
        rows = self._order[:0] if code is None else self._order[self._begin[code] : self._begin[code + 1]]
        return self._holder[rows], self._facts.skill_level[rows], self._facts.skill_until[rows]

    def holders(self, r: int) -> tuple[IntArray, IntArray, IntArray, BoolArray]:
        """Return who holds all skills: providers, surplus, last certified day, level reached."""
        needs = self.needs(r)
        if needs in self._holders:
            return self._holders[needs]
        who = np.arange(len(self._facts.providers.ids))
        enough, surplus, until = np.ones(len(who), dtype=bool), np.zeros_like(who), np.full(len(who), _ALWAYS)
        for skill, level, certified in needs:
            mine, held, ends = self._of_skill(skill)
            at = np.minimum(np.searchsorted(mine, who), max(0, len(mine) - 1))
            holds = mine[at] == who if len(mine) else np.zeros(len(who), dtype=bool)
            who, at = who[holds], at[holds]
            enough, surplus, until = enough[holds], surplus[holds], until[holds]
            enough = enough & (held[at] >= level)
            surplus = surplus + held[at] - level
            until = np.minimum(until, ends[at]) if certified else until
        self._holders[needs] = who, surplus, until, enough
        return self._holders[needs]

    def by_need(self, r: int) -> list[int]:
        """Return counts after skill, level and certificate."""
        day = int(self._facts.calendar.day(self._facts.requests.earliest[[r]])[0])
        key = self.needs(r), day
        if key not in self._counts:
            who, _, until, enough = self.holders(r)
            self._counts[key] = [len(who), int(enough.sum()), int((enough & (until >= day)).sum())]
        return self._counts[key]

    def counts(self, r: int) -> list[int] | None:
        """Return counts after each of `STAGES`; None where a plug would be asked for too many pairs."""
        facts, wish, who = self._facts, self._facts.requests, self._facts.providers
        holders, surplus, until, enough = self.holders(r)
        first_day = facts.calendar.day(wish.earliest[[r]])[0]
        n = len(who.ids)
        left = np.zeros(n, dtype=bool)
        left[holders[enough & (until >= first_day)]] = True
        above, valid = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        above[holders], valid[holders] = surplus, until
        slots = facts.slots
        earliest, latest, minutes = wish.earliest[r], wish.latest[r], wish.minutes[r]
        begins = np.maximum(slots.start, earliest)
        fits = np.minimum(slots.end, latest) - begins >= minutes
        if wish.people[r] > 1:
            fits &= slots.start <= earliest
        at = np.flatnonzero(fits)
        p, day = slots.provider[at], slots.day[at]
        kept = left[p] & (valid[p] >= day)
        p, day, begins = p[kept], day[kept], begins[at][kept]
        found = [*self.by_need(r), len(np.unique(p))]

        if self._home is None:
            self._home = facts.paths.node.at(who.home)
        source = facts.paths.node.at([wish.community[r]])[0]
        way = facts.paths.cheapest(np.full(len(p), source, dtype=np.int64), self._home[p], day)
        p, begins, way = p[way >= 0], begins[way >= 0], way[way >= 0]
        found.append(len(np.unique(p)))
        if facts.travel.is_foreign and len(p) > MOST_PLUG_PAIRS:
            return None
        travel = facts.travel.minutes(p, np.full(len(p), r, dtype=np.int64))
        travel = np.where(np.isnan(travel), facts.policy.travel.unknown_minutes, travel)
        fit = facts.policy.fit
        cost = hundredths(travel) + way + hundredths(fit.level_minutes * above[p])
        cost += hundredths(fit.wait_minutes * (begins - earliest) / 60.0)
        for asked, own, price in (
            (wish.dialect[r], who.dialect[p], fit.dialect_minutes),
            (wish.hometown[r], who.hometown[p], fit.hometown_minutes),
        ):
            if asked is not None:
                cost += (own != asked).astype(np.int64) * int(hundredths(price))
        banned = np.array([q for request, q in facts.forbidden if request == r], dtype=np.int64)
        passes = np.ones(len(p), dtype=bool)
        for condition in (
            travel <= who.max_travel[p] + TERM_TOLERANCE / 2,
            who.clearance[p] >= wish.clearance[r],
            ~np.isin(p, banned),
            cost < wish.unmet_cost[r],
        ):
            passes &= condition
            found.append(len(np.unique(p[passes])))
        return found


def reason_of(counts: Iterable[int], n_providers: int) -> tuple[str, int]:
    """Return the reason code that counts after each stage amount to, and who is left before it."""
    if n_providers == 0:
        return "no_supply", 0
    before = n_providers
    for stage, count in zip(STAGES, counts, strict=False):
        if count == 0:
            return stage, before
        before = count
    return "capacity", before


def check_reasons(frame: pd.DataFrame, at: IntArray, finished: bool, facts: Facts, faults: Faults) -> None:
    """Check codes and needs of all unserved requests, and the whole funnel of `SAMPLE` of them."""
    reason, skill = frame["reason"].tolist(), frame["skill"].tolist()
    eligible = numbers(frame["eligible"])
    n = len(facts.providers.ids)
    funnel = Funnel(facts)
    for i in np.flatnonzero(at >= 0).tolist():
        r = int(at[i])
        name = facts.requests.ids[r]
        if reason[i] == "time" and not finished:
            continue  # nobody looked at it before the time limit
        if reason[i] not in REASONS[:-1]:
            faults.add("reason_wrong", f"reason {reason[i]!r}; expected one of {', '.join(REASONS)}", name)
            continue
        asked = "+".join(need[0] for need in funnel.needs(r))
        shown = skill[i] if isinstance(skill[i], str) else ""
        if sorted(shown.split("+")) != sorted(asked.split("+")):
            faults.add("unmet_wrong", f"skill is {shown!r}; the request needs {asked!r}", name)
        early, _ = reason_of(funnel.by_need(r), n)
        states_need = reason[i] in ("no_supply", *STAGES[:3])
        if (early != "capacity" or states_need) and reason[i] != early:
            text = (
                "somebody passes that stage" if early == "capacity" else f"the first empty stage is {early!r}"
            )
            faults.add("reason_wrong", f"reason {reason[i]!r}; {text}", name)

    known = np.array(
        [i for i in np.flatnonzero(at >= 0).tolist() if reason[i] in REASONS[:-1]], dtype=np.int64
    )
    kinds = pd.Series(reason, dtype=object).iloc[known].astype(str)
    turn = kinds.groupby(kinds).cumcount().to_numpy()
    sample = known[np.argsort(turn, kind="stable")][:SAMPLE]  # every reason before any a second time
    checked = 0
    for i in sample.tolist():
        counts = funnel.counts(int(at[i]))
        if counts is None:
            continue
        checked += 1
        expected, left = reason_of(counts, n)
        name = facts.requests.ids[int(at[i])]
        if reason[i] != expected:
            faults.add("reason_wrong", f"reason {reason[i]!r}; recomputed {expected!r}", name)
        elif eligible[i] != left:
            faults.add("reason_wrong", f"eligible is {eligible[i]:g}; recomputed {left}", name)
    faults.checked["reasons"] = checked
