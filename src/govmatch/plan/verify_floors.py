"""Floors: what every group and community was promised, who was sent, and what falling short costs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import TERM_TOLERANCE, Faults, Rows, missing_columns, numbers, texts
from govmatch.plan.verify_paths import hundredths

FLOOR_COLUMNS = ("kind", "name", "asked", "least", "sent", "short", "cost_minutes", "price_minutes")


def check_floors(frame: Any, rows: Rows, facts: Facts, faults: Faults) -> int:
    """Check `plan.floors` row by row; return what falling short costs, in hundredths."""
    right = _recounted(rows, facts)
    whole = sum(cost for *_, cost in right.values())
    if not right and (frame is None or (isinstance(frame, pd.DataFrame) and frame.empty)):
        return 0
    if frame is None:
        faults.add("floors_wrong", "plan.floors is missing; the policy has floors")
        return whole
    if missing_columns(frame, "floors", FLOOR_COLUMNS, faults):
        return whole
    stated = list(zip(texts(frame["kind"]), texts(frame["name"]), strict=True))
    if len(stated) != len(right) or set(stated) != set(right):
        text = f"it has {len(stated)} floors; the policy asks for {len(right)}: other names, or some twice"
        faults.add("floors_wrong", f"plan.floors: {text}")
        return whole
    columns = {name: numbers(frame[name]) for name in FLOOR_COLUMNS[2:7]}
    for i, key in enumerate(stated):
        *counts, cost = right[key]
        for (column, found), true in zip(columns.items(), (*counts, cost / 100.0), strict=True):
            if not abs(found[i] - true) <= TERM_TOLERANCE:
                text = f"{column} of {key[0]} {key[1]!r} is {found[i]:g}; recounted {true:g}"
                faults.add("floors_wrong", f"plan.floors: {text}")
    price, dearest = numbers(frame["price_minutes"]), float(facts.policy.floors.price_minutes)
    for i in np.flatnonzero(~((price >= 0) & (price <= dearest + TERM_TOLERANCE))).tolist():
        text = f"price_minutes of {stated[i][0]} {stated[i][1]!r} is {price[i]:g}; expected 0 to {dearest:g}"
        faults.add("floors_wrong", f"plan.floors: {text}")
    return whole


def _recounted(rows: Rows, facts: Facts) -> dict[tuple[str, str], tuple[int, int, int, int, int]]:
    """Count again, by kind and name: asked, least, sent, short and cost in hundredths."""
    wish, rule = facts.requests, facts.policy.floors
    sent = np.bincount(rows.r, minlength=len(wish.ids))
    open_: IntArray = np.flatnonzero(~wish.linked)
    asks = pd.DataFrame(
        {
            "group": wish.group[open_],
            "community": wish.community[open_],
            "asked": wish.people[open_],
            "sent": sent[open_],
        }
    )
    found = {}
    for kind in ("group", "community"):
        sums = asks.groupby(kind)[["asked", "sent"]].sum()
        if kind == "group":  # those that nobody is of are told, too
            sums = sums.reindex(list(rule.group_share), fill_value=0)
        for name, asked, come in zip(sums.index, sums["asked"].tolist(), sums["sent"].tolist(), strict=True):
            share = rule.group_share[name] if kind == "group" else rule.community_share
            if share > 0:
                least = -int(-asked * Fraction(str(share)) // 1)
                short = max(0, least - come)
                found[kind, name] = (asked, least, come, short, short * int(hundredths(rule.price_minutes)))
    return found
