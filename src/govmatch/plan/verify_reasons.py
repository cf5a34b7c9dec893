"""Are the stated reasons true? Need and level of every unserved request, the whole funnel of some."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from govmatch.plan.reasons import REASONS
from govmatch.plan.verify_columns import IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import Faults, numbers, texts
from govmatch.plan.verify_funnel import Funnel

STAGES = (
    "no_such_service", "level", "certificate", "window", "path", "distance", "clearance", "excluded", "cost",
)  # fmt: skip
SAMPLE = 16
"""Unserved requests whose whole funnel is recomputed."""

_WINDOW = STAGES.index("window")
_BY_NEED = 3  # stages that the needs alone decide


def reason_of(counts: Sequence[int], n_providers: int, people: int = 1) -> tuple[str, int]:
    """Return the reason code that counts after each stage amount to, and who is left before it."""
    if n_providers == 0:
        return "no_supply", 0
    before = n_providers
    for stage, count in zip(STAGES, counts, strict=False):
        if count == 0:
            return ("together" if stage == "window" and people > 1 else stage), before
        before = count
    return "capacity", before


def _tell_apart(
    stated: str, eligible: float, low: list[int], high: list[int], n_providers: int, people: int
) -> str:
    """Return what is wrong with a reason, given the least and the most left after each stage."""
    expected, left = reason_of(high, n_providers, people)
    if n_providers == 0:
        return "" if stated == expected else f"reason {stated!r}; recomputed {expected!r}"
    codes = [*STAGES, "capacity"]
    if people > 1:
        codes[_WINDOW] = "together"
    stage = codes.index(stated) if stated in codes else -1
    least, most, after = [n_providers, *low], [n_providers, *high], [*low, 0]
    if stage < 0 or most[stage] == 0 or after[stage] > 0:
        return f"reason {stated!r}; recomputed {expected!r}"
    if not max(1, least[stage]) <= eligible <= most[stage]:
        return f"eligible is {eligible:g}; recomputed {left if stated == expected else most[stage]}"
    return ""


def check_reasons(
    frame: pd.DataFrame, at: IntArray, finished: bool, facts: Facts, faults: Faults, full: IntArray
) -> None:
    """Check codes, texts and needs of all unserved requests, and the whole funnel of `SAMPLE` of them.

    `full` are the requests that recur and have as many faces as they may have.
    """
    closed = set(full.tolist())
    stated, chinese, skill = (texts(frame[name]) for name in ("reason", "reason_zh", "skill"))
    eligible, wish = numbers(frame["eligible"]), facts.requests
    n = len(facts.providers.ids)
    funnel = Funnel(facts)
    claims: dict[int, str] = {}
    for i in np.flatnonzero(at >= 0).tolist():
        r = int(at[i])
        name, reason = wish.ids[r], stated[i]
        asked, shown = "+".join(need[0] for need in funnel.needs(r)), skill[i] or ""
        if sorted(shown.split("+")) != sorted(asked.split("+")):
            faults.add("unmet_wrong", f"skill is {shown!r}; the request needs {asked!r}", name)
        if reason not in REASONS:
            faults.add("reason_wrong", f"reason {reason!r}; expected one of {', '.join(REASONS)}", name)
            continue
        if reason == ("window" if wish.people[r] > 1 else "together"):
            text = f"reason {reason!r}; 'together' is for several people and 'window' for one"
            faults.add("reason_wrong", f"{text}, {wish.people[r]} are asked", name)
            continue
        if chinese[i] != REASONS[reason][1]:
            text = f"reason_zh is {chinese[i]!r}; {REASONS[reason][1]!r} says {reason!r}"
            faults.add("reason_wrong", text, name)
        if reason == ("time" if finished else "capacity"):
            text = (
                "only a plan whose search ended early says so" if finished else "only an optimal plan says so"
            )
            faults.add("reason_wrong", f"reason {reason!r}; {text}", name)
            continue
        if reason in ("time", "faces") and eligible[i] == 0 and not finished:
            continue  # nobody looked at it before the search ended
        if (reason == "faces") != (r in closed and reason in ("faces", "capacity", "time")):
            text = "as many providers as it may have" if r in closed else "may have further providers"
            faults.add("reason_wrong", f"reason {reason!r}; the recurring request has {text}", name)
            continue
        claim = "capacity" if reason in ("time", "faces") else reason
        early, _ = reason_of(funnel.by_need(r), n)
        if (early != "capacity" or claim in ("no_supply", *STAGES[:_BY_NEED])) and claim != early:
            text = f"the first empty stage is {early!r}"
            text = "somebody passes that stage" if early == "capacity" else text
            faults.add("reason_wrong", f"reason {reason!r}; {text}", name)
        else:
            claims[i] = claim

    known = np.array(list(claims), dtype=np.int64)
    kinds = pd.Series(list(claims.values()), dtype=object)
    turn = kinds.groupby(kinds).cumcount().to_numpy(dtype=np.int64)
    sample = known[np.argsort(turn, kind="stable")][:SAMPLE]  # every reason before any a second time
    checked = 0
    for i in sample.tolist():
        r = int(at[i])
        counts = funnel.counts(r)
        if counts is None:
            continue
        checked += 1
        wrong = _tell_apart(claims[i], float(eligible[i]), *counts, n, int(wish.people[r]))
        if wrong:
            faults.add("reason_wrong", wrong, wish.ids[r])
    faults.checked["reasons"] = checked
