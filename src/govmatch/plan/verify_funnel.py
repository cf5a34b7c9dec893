"""The verifier's own funnel: who is left for a request after each condition."""

from __future__ import annotations

from typing import Any

import numpy as np

from govmatch.plan.verify_columns import BoolArray, IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import LIMIT_DOUBT
from govmatch.plan.verify_incumbent import Stays
from govmatch.plan.verify_paths import hundredths
from govmatch.plan.verify_teams import after_start

MOST_PLUG_PAIRS = 2000
"""Pairs for which a travel plug of somebody else's is asked on behalf of one reason."""

COST_DOUBT = 1
"""Hundredths by which a cost may be off: travel alone is a float that two formulas may round apart."""

Need = tuple[str, int, bool]
_ALWAYS = np.iinfo(np.int64).max


class Funnel:
    """Counts of providers left after each stage, for one role at a time."""

    def __init__(self, facts: Facts, stays: Stays | None = None) -> None:
        self._facts, self._stays = facts, stays
        roles = facts.requests.roles
        self._need = np.searchsorted(roles.need_role, np.arange(len(roles.request) + 1)).tolist()
        self.least, self._steps = after_start(facts)
        self._day = facts.calendar.day(facts.requests.earliest[roles.request] + self.least)
        width = max(1, len(facts.skills))
        skill = facts.skill_key % width
        self._order = np.argsort(skill.astype(np.min_scalar_type(width)), kind="stable")
        self._begin = np.searchsorted(skill[self._order], np.arange(width + 1))
        self._holder = facts.skill_key // width
        self._of: dict[str, tuple[IntArray, IntArray, IntArray]] = {}
        self._holders: dict[
            tuple[tuple[Need, ...], bool], tuple[IntArray, IntArray, IntArray, BoolArray]
        ] = {}
        self._counts: dict[Any, list[int]] = {}
        self._home: IntArray | None = None
        self._slots: dict[int, IntArray] = {}

    def needs(self, q: int) -> tuple[Need, ...]:
        """Return what a role needs: skill, level, certified."""
        roles = self._facts.requests.roles
        return tuple(
            (str(roles.need_skill[j]), int(roles.need_level[j]), bool(roles.need_certified[j]))
            for j in range(self._need[q], self._need[q + 1])
        )

    def _sits(self, q: int) -> bool:
        """Tell whether a seat may serve the role."""
        return bool(self._facts.sits[self._facts.requests.roles.request[q]])

    def providers(self, r: int) -> int:
        """Return how many providers there are for a request: seats count where it may take one."""
        return len(self._facts.providers.ids) if self._facts.sits[r] else self._facts.seats.first

    def starts(self, q: int) -> list[int]:
        """Return every time at which a team's role may start."""
        facts, wish = self._facts, self._facts.requests
        r, step = int(wish.roles.request[q]), int(facts.policy.slots.start_minutes)
        mine = slice(wish.first_role[r], wish.first_role[r + 1])
        takes = int((self.least[mine] + wish.roles.minutes[mine]).max())
        begins = np.arange(wish.earliest[r], wish.latest[r] - takes + 1, step)
        later = np.arange(self._steps[q] + 1) * step
        found = np.unique(begins[:, None] + self.least[q] + later)
        return [int(s) for s in found if s + wish.roles.minutes[q] <= wish.latest[r]]

    def _of_skill(self, skill: str) -> tuple[IntArray, IntArray, IntArray]:
        """Return who holds a skill, ascending, at which level and certified until when."""
        if skill not in self._of:
            code = self._facts.skills.position.get(skill)
            rows = self._order[:0] if code is None else self._order[self._begin[code] : self._begin[code + 1]]
            levels, ends = self._facts.skill_level[rows], self._facts.skill_until[rows]
            self._of[skill] = self._holder[rows], levels, ends
        return self._of[skill]

    def holders(self, q: int) -> tuple[IntArray, IntArray, IntArray, BoolArray]:
        """Return who holds all skills: providers, surplus, last certified day, level reached."""
        needs, sits = self.needs(q), self._sits(q)
        if (needs, sits) in self._holders:
            return self._holders[needs, sits]
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
        if not sits:
            people = who < self._facts.seats.first
            who, surplus, until, enough = who[people], surplus[people], until[people], enough[people]
        self._holders[needs, sits] = who, surplus, until, enough
        return self._holders[needs, sits]

    def by_need(self, q: int, start: int | None = None) -> list[int]:
        """Return counts after skill, level and certificate, valid on the first day or that of `start`."""
        day = int(self._day[q]) if start is None else int(self._facts.calendar.day(np.array([start]))[0])
        key = self.needs(q), self._sits(q), day
        if key not in self._counts:
            who, _, until, enough = self.holders(q)
            self._counts[key] = [len(who), int(enough.sum()), int((enough & (until >= day)).sum())]
        return self._counts[key]

    def in_time(self, q: int, start: int | None = None) -> tuple[IntArray, IntArray, IntArray]:
        """Return who has what a role needs and a slot for it, that slot's start, and the job's."""
        facts, wish = self._facts, self._facts.requests
        if q not in self._slots:
            holders, _, until, enough = self.holders(q)
            last = np.full(len(facts.providers.ids), -1, dtype=np.int64)
            last[holders[enough]] = until[enough]
            last[facts.providers.clearance < wish.roles.clearance[q]] = -1
            self._slots[q] = np.flatnonzero(last[facts.slots.provider] >= facts.slots.day)
        at, r, minutes = self._slots[q], int(wish.roles.request[q]), int(wish.roles.minutes[q])
        earliest, latest = int(wish.earliest[r]), int(wish.latest[r])
        if start is not None:
            earliest, latest = start, start + minutes
        opens = facts.slots.start[at]
        begins = np.maximum(opens, earliest)
        fits = np.minimum(facts.slots.end[at], latest) - begins >= minutes
        if start is not None or wish.people[r] > 1:
            fits &= opens <= earliest
        return facts.slots.provider[at][fits], opens[fits], begins[fits]

    def counts(self, q: int, start: int | None = None) -> tuple[list[int], list[int]] | None:
        """Return the least and the most that may be left after each stage, for a team's role at a start.

        They differ where travel lies within half the resolution of a limit, or a cost within a
        hundredth of that of leaving the request: either answer is then right. None where a plug
        would be asked for too many pairs.
        """
        facts, wish, who = self._facts, self._facts.requests, self._facts.providers
        r, minutes = int(wish.roles.request[q]), int(wish.roles.minutes[q])
        earliest, latest, together = int(wish.earliest[r]), int(wish.latest[r]), bool(wish.people[r] > 1)
        wished, worth, day_of = earliest, int(wish.worth[r]), int(self._day[q])
        people = 1
        if start is not None:
            wished += int(self.least[q])
            earliest, latest, together = start, start + minutes, True
            worth *= int(wish.people[r])
            people = int(wish.people[r])
            day_of = int(facts.calendar.day(np.array([start]))[0])
        holders, surplus, until, enough = self.holders(q)
        n = len(who.ids)
        left = np.zeros(n, dtype=bool)
        left[holders[enough & (until >= day_of)]] = True
        above, valid = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        above[holders], valid[holders] = surplus, until
        slots = facts.slots
        begins = np.maximum(slots.start, earliest)
        fits = np.minimum(slots.end, latest) - begins >= minutes
        if together:
            fits &= slots.start <= earliest
        at = np.flatnonzero(fits)
        p, day = slots.provider[at], slots.day[at]
        kept = left[p] & (valid[p] >= (day if start is None else day_of))
        p, day, begins = p[kept], day[kept], begins[at][kept]
        found = [*self.by_need(q, start), len(np.unique(p))]

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
        cost += hundredths(fit.wait_minutes * (begins - wished) / 60.0)
        for asked, own, price in (
            (wish.dialect[r], who.dialect[p], fit.dialect_minutes),
            (wish.hometown[r], who.hometown[p], fit.hometown_minutes),
        ):
            if asked is not None:
                cost += (own != asked).astype(np.int64) * int(hundredths(price))
        if self._stays is not None and self._stays.named[r]:
            worth += self._stays.change * people
            cost += self._stays.change * ~self._stays.keeps(q, p, begins)
        cleared, banned = who.clearance[p] >= wish.roles.clearance[q], facts.is_forbidden(r, p)
        banned |= facts.is_passed_over(r, p)
        if facts.has_assigned(r):
            worth = _ALWAYS - COST_DOUBT  # before any other work

        def passing(sign: int) -> list[int]:
            passes, counted = np.ones(len(p), dtype=bool), []
            near = travel <= who.max_travel[p] + sign * LIMIT_DOUBT
            for condition in (near, cleared, ~banned, cost < worth + sign * COST_DOUBT):
                passes &= condition
                counted.append(len(np.unique(p[passes])))
            return counted

        return [*found, *passing(-1)], [*found, *passing(1)]
