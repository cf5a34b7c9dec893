"""The verifier's own funnel: who is left for a request after each condition."""

from __future__ import annotations

from typing import Any

import numpy as np

from govmatch.plan.verify_columns import BoolArray, IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import LIMIT_DOUBT
from govmatch.plan.verify_paths import hundredths

MOST_PLUG_PAIRS = 2000
"""Pairs for which a travel plug of somebody else's is asked on behalf of one reason."""

COST_DOUBT = 1
"""Hundredths by which a cost may be off: travel alone is a float that two formulas may round apart."""

Need = tuple[str, int, bool]
_ALWAYS = np.iinfo(np.int64).max


class Funnel:
    """Counts of providers left after each stage, for one request at a time."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        wish = facts.requests
        self._need = np.searchsorted(wish.need_request, np.arange(len(wish.base) + 1)).tolist()
        self._day = facts.calendar.day(wish.earliest)
        width = max(1, len(facts.skills))
        skill = facts.skill_key % width
        self._order = np.argsort(skill.astype(np.min_scalar_type(width)), kind="stable")
        self._begin = np.searchsorted(skill[self._order], np.arange(width + 1))
        self._holder = facts.skill_key // width
        self._of: dict[str, tuple[IntArray, IntArray, IntArray]] = {}
        self._holders: dict[tuple[Need, ...], tuple[IntArray, IntArray, IntArray, BoolArray]] = {}
        self._counts: dict[Any, list[int]] = {}
        self._home: IntArray | None = None

    def needs(self, r: int) -> tuple[Need, ...]:
        """Return what a request needs: skill, level, certified."""
        wish = self._facts.requests
        return tuple(
            (str(wish.need_skill[j]), int(wish.need_level[j]), bool(wish.need_certified[j]))
            for j in range(self._need[wish.row[r]], self._need[wish.row[r] + 1])
        )

    def _of_skill(self, skill: str) -> tuple[IntArray, IntArray, IntArray]:
        """Return who holds a skill, ascending, at which level and certified until when."""
        if skill not in self._of:
            code = self._facts.skills.position.get(skill)
            rows = self._order[:0] if code is None else self._order[self._begin[code] : self._begin[code + 1]]
            levels, ends = self._facts.skill_level[rows], self._facts.skill_until[rows]
            self._of[skill] = self._holder[rows], levels, ends
        return self._of[skill]

    def holders(self, r: int) -> tuple[IntArray, IntArray, IntArray, BoolArray]:
        """Return who holds all skills: providers, surplus, last certified day, level reached."""
        needs = self.needs(r)
        if needs in self._holders:
            return self._holders[needs]
        who = self._of_skill(needs[0][0])[0] if needs else np.arange(len(self._facts.providers.ids))
        enough, surplus, until = np.ones(len(who), dtype=bool), np.zeros_like(who), np.full(len(who), _ALWAYS)
        for skill, level, certified in needs:
            mine, held, ends = self._of_skill(skill)
            if mine is not who:
                at = np.minimum(np.searchsorted(mine, who), max(0, len(mine) - 1))
                holds = mine[at] == who if len(mine) else np.zeros(len(who), dtype=bool)
                held, ends = held[at[holds]], ends[at[holds]]
                who, enough, surplus, until = who[holds], enough[holds], surplus[holds], until[holds]
            enough = enough & (held >= level)
            surplus = surplus + held - level
            until = np.minimum(until, ends) if certified else until
        self._holders[needs] = who, surplus, until, enough
        return self._holders[needs]

    def by_need(self, r: int) -> list[int]:
        """Return counts after skill, level and certificate."""
        day = int(self._day[r])
        key = self.needs(r), day
        if key not in self._counts:
            who, _, until, enough = self.holders(r)
            self._counts[key] = [len(who), int(enough.sum()), int((enough & (until >= day)).sum())]
        return self._counts[key]

    def counts(self, r: int) -> tuple[list[int], list[int]] | None:
        """Return the least and the most that may be left after each stage.

        They differ where travel lies within half the resolution of a limit, or a cost within a
        hundredth of that of leaving the request: either answer is then right. None where a plug
        would be asked for too many pairs.
        """
        facts, wish, who = self._facts, self._facts.requests, self._facts.providers
        holders, surplus, until, enough = self.holders(r)
        n = len(who.ids)
        left = np.zeros(n, dtype=bool)
        left[holders[enough & (until >= self._day[r])]] = True
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
        cleared, banned = who.clearance[p] >= wish.clearance[r], facts.is_forbidden(r, p)
        worth = int(wish.unmet_cost[r])

        def passing(sign: int) -> list[int]:
            passes, counted = np.ones(len(p), dtype=bool), []
            near = travel <= who.max_travel[p] + sign * LIMIT_DOUBT
            for condition in (near, cleared, ~banned, cost < worth + sign * COST_DOUBT):
                passes &= condition
                counted.append(len(np.unique(p[passes])))
            return counted

        return [*found, *passing(-1)], [*found, *passing(1)]
