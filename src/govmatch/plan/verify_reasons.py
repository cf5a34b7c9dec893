"""Are the stated reasons true? Need and level of every unserved request, the whole funnel of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from govmatch.plan.reasons import REASONS
from govmatch.plan.verify_bonds import Bonds, may_clash
from govmatch.plan.verify_columns import IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import Faults, numbers, texts
from govmatch.plan.verify_funnel import Funnel
from govmatch.plan.verify_incumbent import Stays
from govmatch.plan.verify_limits import Shut

STAGES = (
    "no_such_service", "level", "certificate", "window", "path", "distance", "clearance", "excluded", "cost",
)  # fmt: skip
SAMPLE = 16
"""Unserved requests whose whole funnel is recomputed."""

_WINDOW = STAGES.index("window")
LIMITED = {
    "quota": "no agreement's quota is used up",
    "away": "no community's jobs elsewhere are used up",
    "hours": "every volunteer has time for one more job",
    "reserve": "more certified people are free than are kept everywhere",
}
_OUTRUN = ("capacity", "pin_conflict", "apart", "session", *LIMITED)  # enough are eligible
_ENOUGH = (*_OUTRUN, "faces", "goods", "no_such_goods")
_BY_NEED = 3  # stages that the needs alone decide


def first_short(counts: Sequence[int], n_providers: int, needed: int) -> tuple[int, int]:
    """Return the first stage that leaves too few, and who is left before it: -1 is all providers."""
    if n_providers < needed:
        return -1, n_providers
    before = n_providers
    for stage, count in enumerate(counts):
        if count < needed:
            return stage, before
        before = count
    return len(STAGES), before


def _code(stage: int, several: bool, assigned: bool = False, anybody: bool = False) -> str:
    if stage < 0 and anybody:
        return "people"
    if stage == _WINDOW and several:
        return "together"
    code = "no_supply" if stage < 0 else "capacity" if stage >= len(STAGES) else STAGES[stage]
    return {"excluded": "pinned", "capacity": "pin_conflict"}.get(code, code) if assigned else code


class _Claims:
    """What is stated of each unserved request, checked against its needs; a sample, the whole way."""

    def __init__(
        self,
        frame: pd.DataFrame,
        at: IntArray,
        spent: set[str],
        shut: Mapping[str, Shut],
        facts: Facts,
        stays: Stays | None,
        faults: Faults,
        full: IntArray,
        bonds: Bonds,
    ) -> None:
        self._bonds, self._shut = bonds, shut
        self._at, self._spent, self._facts, self._faults = at, spent, facts, faults
        self._closed = set(full.tolist())
        self._reason, self._role = texts(frame["reason"]), texts(frame["role"])
        self._zh, self._skill = texts(frame["reason_zh"]), texts(frame["skill"])
        self._eligible = numbers(frame["eligible"])
        self._funnel = Funnel(facts, stays)
        provider = facts.slots.provider[facts.slots.provider < facts.seats.first]
        self._places = int(facts.providers.slot_cap[provider].max(initial=1))

    def _roles(self, r: int) -> range:
        wish = self._facts.requests
        return range(int(wish.first_role[r]), int(wish.first_role[r + 1]))

    def _needed(self, q: int) -> int:
        """Return how many providers a role needs, each of whom may send as many as has places."""
        roles = self._facts.requests.roles
        return -(-int(roles.people[q]) // self._places) if roles.must[q] else 1

    def _fault(self, code: str, text: str, r: int) -> None:
        self._faults.add(code, text, self._facts.requests.ids[r])

    def claim(self, i: int, finished: bool) -> str | None:
        """Check a row by the needs alone; return the reason to look at further, if any."""
        wish, r = self._facts.requests, int(self._at[i])
        reason, several = self._reason[i], bool(wish.people[r] > 1)
        needs = [need[0] for q in self._roles(r) for need in self._funnel.needs(q)]
        asked, shown = "+".join(needs), self._skill[i] or ""
        if sorted(shown.split("+")) != sorted(asked.split("+")):
            self._fault("unmet_wrong", f"skill is {shown!r}; the request needs {asked!r}", r)
        if reason not in REASONS:
            self._fault("reason_wrong", f"reason {reason!r}; expected one of {', '.join(REASONS)}", r)
            return None
        if reason == ("window" if several else "together"):
            text = f"reason {reason!r}; 'together' is for several people and 'window' for one"
            self._fault("reason_wrong", f"{text}, {wish.people[r]} are asked", r)
            return None
        if self._zh[i] != REASONS[reason][1]:
            text = f"reason_zh is {self._zh[i]!r}; {REASONS[reason][1]!r} says {reason!r}"
            self._fault("reason_wrong", text, r)
        assigned = bool(self._facts.has_assigned(r))
        if reason in (("excluded", "capacity") if assigned else ("pinned", "pin_conflict")):
            text = "somebody is assigned" if assigned else "nobody is assigned"
            self._fault("reason_wrong", f"reason {reason!r}; {text} to it", r)
            return None
        if reason in LIMITED and reason not in self._spent:
            self._fault("reason_wrong", f"reason {reason!r}; {LIMITED[reason]}", r)
            return None
        if reason in self._shut and not self._is_shut(r, self._shut[reason]):
            text = f"reason {reason!r}; nobody whom this limit stops holds what it needs and is there in time"
            self._fault("reason_wrong", text, r)
            return None
        if reason == "apart" and not (several and self._may_clash(r)):
            self._fault("reason_wrong", "reason 'apart'; no two who keep apart hold what it needs", r)
            return None
        if reason in (("time",) if finished else _OUTRUN):
            text = (
                "only a plan whose search ended early says so" if finished else "only an optimal plan says so"
            )
            self._fault("reason_wrong", f"reason {reason!r}; {text}", r)
            return None
        self._check_role(i, r)
        if reason in ("time", "faces") and self._eligible[i] == 0 and not finished:
            return None  # nobody looked at it before the search ended
        if (reason == "faces") != (r in self._closed and reason in ("faces", "capacity", "time")):
            text = "as many providers as it may have" if r in self._closed else "may have further providers"
            self._fault("reason_wrong", f"reason {reason!r}; the recurring request has {text}", r)
            return None
        stated = "capacity" if reason in ("time", *_ENOUGH) else str(reason)
        n = self._funnel.providers(r)
        stages = [first_short(self._funnel.by_need(q), n, self._needed(q))[0] for q in self._roles(r)]
        early = _code(min(stages), several, anybody=n > 0)
        if (early != "capacity" or stated in ("no_supply", "people", *STAGES[:_BY_NEED])) and stated != early:
            text = f"the first empty stage is {early!r}"
            text = "somebody passes that stage" if early == "capacity" else text
            self._fault("reason_wrong", f"reason {reason!r}; {text}", r)
            return None
        return stated

    def _is_shut(self, r: int, shut: Shut) -> bool:
        """Tell whether a limit stops somebody who could otherwise come, as far as needs and times say."""
        return any(
            bool(shut(r, q, *self._funnel.in_time(q, start)).any())
            for q in self._roles(r)
            for start in (self._funnel.starts(q) if self._facts.requests.team[r] else [None])
        )

    def _may_clash(self, r: int) -> bool:
        able = np.zeros(len(self._facts.providers.ids), dtype=np.bool_)
        for q in self._roles(r):
            holders, _, _, enough = self._funnel.holders(q)
            able[holders[enough]] = True
        return may_clash(self._bonds, able)

    def _check_role(self, i: int, r: int) -> None:
        wish, shown = self._facts.requests, self._role[i] or ""
        names = [wish.roles.name[q] for q in self._roles(r)]
        if not wish.team[r]:
            if shown != names[0]:
                self._fault("unmet_wrong", "role of the row differs from the request's", r)
            return
        if self._reason[i] in ("time", *_ENOUGH):
            names = [""] if len(names) > 1 else ["", *names]
        if shown not in names:
            text = f"role {shown!r} with reason {self._reason[i]!r}; expected {' or '.join(map(repr, names))}"
            self._fault("unmet_wrong", text, r)

    def recount(self, i: int, claim: str) -> bool:
        """Check a row through the whole funnel; tell whether that could be done."""
        wish, r = self._facts.requests, int(self._at[i])
        if wish.team[r]:
            return self._recount_team(i, r, claim)
        counts = self._funnel.counts(self._roles(r)[0])
        if counts is None:
            return False
        wrong = self._tell_apart(i, r, claim, *counts)
        if wrong:
            self._fault("reason_wrong", wrong, r)
        return True

    def _tell_apart(self, i: int, r: int, stated: str, low: list[int], high: list[int]) -> str:
        """Return what is wrong with a reason, given the least and the most left after each stage."""
        several, eligible = bool(self._facts.requests.people[r] > 1), float(self._eligible[i])
        assigned = bool(self._facts.has_assigned(r))
        n = self._funnel.providers(r)
        expected, left = first_short(high, n, 1)
        codes = [_code(stage, several, assigned) for stage in range(len(STAGES) + 1)]
        codes[-1] = "capacity"
        if expected < 0:
            return "" if stated == "no_supply" else f"reason {stated!r}; recomputed 'no_supply'"
        stage = codes.index(stated) if stated in codes else -1
        least, most, after = [n, *low], [n, *high], [*low, 0]
        if stage < 0 or most[stage] == 0 or after[stage] > 0:
            return f"reason {stated!r}; recomputed {codes[expected]!r}"
        if not max(1, least[stage]) <= eligible <= most[stage]:
            return f"eligible is {eligible:g}; recomputed {left if stage == expected else most[stage]}"
        return ""

    def _recount_team(self, i: int, r: int, claim: str) -> bool:
        """Recount every role at the start for which most are left."""
        found, n = [], self._funnel.providers(r)
        for q in self._roles(r):
            best: list[int] | None = None
            for start in self._funnel.starts(q):
                counts = self._funnel.counts(q, start)
                if counts is None or counts[0] != counts[1]:
                    return False  # nobody can tell within the resolution
                best = counts[0] if best is None else max(best, counts[0], key=lambda c: c[::-1])
            stage, left = first_short(best or [0] * len(STAGES), n, self._needed(q))
            found.append((stage, q, left))
        stage, q, left = min(found)
        expected = _code(
            stage, bool(self._facts.requests.people[r] > 1), bool(self._facts.has_assigned(r)), n > 0
        )
        expected = "capacity" if expected == "pin_conflict" else expected
        name = self._facts.requests.roles.name[q] if stage < len(STAGES) else ""
        if claim != expected or (name and name != self._role[i]):
            text = f"reason {claim!r} of role {self._role[i]!r}; recomputed {expected!r} of {name!r}"
            self._fault("reason_wrong", text, r)
        elif left != self._eligible[i]:
            self._fault("reason_wrong", f"eligible is {self._eligible[i]:g}; recomputed {left}", r)
        return True


def check_reasons(
    frame: pd.DataFrame,
    at: IntArray,
    finished: bool,
    spent: set[str],
    shut: Mapping[str, Shut],
    facts: Facts,
    stays: Stays | None,
    faults: Faults,
    full: IntArray,
    bonds: Bonds,
) -> None:
    """Check codes, texts and needs of all unserved requests, and the whole funnel of `SAMPLE` of them.

    `spent` has the reasons of limits that are used up, `shut` says for whom; `full` are the requests that
    recur and have as many faces as they may have; `bonds`, who keeps apart.
    """
    claims = _Claims(frame, at, spent, shut, facts, stays, faults, full, bonds)
    stated = {i: claims.claim(i, finished) for i in np.flatnonzero(at >= 0).tolist()}
    known = np.array([i for i, claim in stated.items() if claim is not None], dtype=np.int64)
    kinds = pd.Series([stated[i] for i in known.tolist()], dtype=object)
    turn = kinds.groupby(kinds).cumcount().to_numpy(dtype=np.int64)
    sample = known[np.argsort(turn, kind="stable")][:SAMPLE]  # every reason before any a second time
    faults.checked["reasons"] = sum(claims.recount(i, str(stated[i])) for i in sample.tolist())
