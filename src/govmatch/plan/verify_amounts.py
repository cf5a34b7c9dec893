"""Amounts of goods as the tables state them, in millionths, and who asks for any."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from govmatch.plan.verify_columns import BoolArray, Ids, IntArray
from govmatch.plan.verify_recurrence import Dates
from govmatch.plan.verify_slots import Calendar


def millionths(amount: Any) -> int:
    """Return an amount as a whole number of millionths."""
    return int((Decimal(repr(float(amount))) * 1_000_000).to_integral_value())


def asked_amounts(tables: Any, ids: Ids) -> dict[int, dict[str, int]]:
    """Return the millionths of each kind that each row of `requests` asks for; not of linked ones."""
    found: dict[int, dict[str, int]] = {}
    if "request_goods" not in tables:
        return found
    asked = tables["request_goods"]
    linked = tables["requests"]["duplicate_of"].notna().to_numpy(dtype=bool)
    for r, good, amount in zip(
        ids.at(asked["request_id"]).tolist(), asked["good"], asked["amount"], strict=True
    ):
        if not linked[r] and millionths(amount) > 0:
            found.setdefault(r, {})[good] = millionths(amount)
    return found


def starts_on_several_days(
    problem: Any, ids: Ids, earliest: IntArray, latest: IntArray, minutes: IntArray, visits: list[Dates]
) -> BoolArray:
    """Tell which requests need goods and may start on more than one local day."""
    needing = np.array(sorted(asked_amounts(problem.tables, ids)), dtype=np.int64)
    calendar = Calendar(problem.policy.time_zone, int(problem.horizon[0]), int(problem.horizon[1]))
    several = np.zeros(len(earliest), dtype=bool)
    last = latest[needing] - minutes[needing]
    several[needing] = calendar.day(earliest[needing]) != calendar.day(last)
    day = timedelta(days=1)
    for one in visits:
        ends = one.closes - timedelta(minutes=int(minutes[one.row]))
        several[one.row] = one.row in needing and one.opens // day != ends // day
    return several
