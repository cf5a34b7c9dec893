"""Goods and money in whole lots: what requests ask for, and what owners have of it.

The lot of a kind is the greatest common divisor of all amounts that requests ask of it and owners have of it,
in millionths of its unit; or, where some request then asked for more than `FINE_LOTS`, of those that requests
ask alone. A stock is as many whole lots as fit in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import BoolArray, Demand, Goods, IntArray, TextArray
from govmatch.model.policy import Policy
from govmatch.model.schema import MOST_AMOUNT, PERIODS
from govmatch.model.sheets import Sheets
from govmatch.model.times import MINUTE, Zone
from govmatch.model.violations import Violations
from govmatch.ragged import matches

GRID = 1_000_000
"""Parts of a unit that are told apart."""

FINE_LOTS = 100
"""Lots of one kind that a request may ask for where what owners have decides on the lot, too."""

MOST_LOTS = 1_000
"""Lots of one kind that a request may ask for."""

_HORIZON, _DAY, _WEEK, _MONTH = range(len(PERIODS))


@dataclass(frozen=True)
class _Asked:
    """Rows of `request_goods` that ask for something, of requests that are matched by themselves."""

    row: IntArray  # (n,)
    request: IntArray  # (n,) row in requests
    kind: IntArray  # (n,)
    amount: IntArray  # (n,) millionths
    names: TextArray  # (K,) ascending
    lot: IntArray  # (K,) millionths


def _millionths(amount: NDArray[np.float64]) -> IntArray:
    sound = np.clip(np.nan_to_num(amount), 0, MOST_AMOUNT)
    return np.rint(sound * GRID).astype(np.int64)


def _asked(sheets: Sheets) -> _Asked:
    sheet = sheets["request_goods"]
    request = sheets.positions("request_goods", "request_id").astype(np.int64)
    amount = _millionths(sheet["amount"].values)
    alone = np.append(~sheets["requests"]["duplicate_of"].present, False)[request]
    row = np.flatnonzero(alone & (amount > 0) & sheet["good"].present & sheet["amount"].sound)
    names, kind = np.unique(sheet["good"].values[row].astype(str), return_inverse=True)
    kind = kind.reshape(-1).astype(np.int64)
    order = np.argsort(kind, kind="stable")
    first = np.searchsorted(kind[order], np.arange(len(names)))
    lot = np.gcd.reduceat(amount[row][order], first) if len(row) else amount[:0]
    return _Asked(row, request[row], kind, amount[row], names.astype(object), lot)


def asks_goods(sheets: Sheets) -> BoolArray:
    """Tell which rows of `requests` need goods."""
    needs = np.zeros(sheets["requests"].n, dtype=bool)
    needs[_asked(sheets).request] = True
    return needs


def on_several_days(zone: Zone, first: IntArray, last: IntArray) -> BoolArray:
    """Tell which spans of minutes touch more than one local day."""
    several: BoolArray = zone.day(first * MINUTE) != zone.day(last * MINUTE)
    return several


def period_of(day: IntArray, period: NDArray[np.int8] | IntArray) -> IntArray:
    """Return a number that local days of one period share: 0, the day, its ISO week or its month."""
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.choose(period, [np.zeros_like(day), day, (day + 3) // 7, month])


def period_days(number: IntArray, period: NDArray[np.int8] | IntArray) -> tuple[IntArray, IntArray]:
    """Return the first local day of each day, week or month, and the first after it; 0 of the horizon."""
    months = [
        (number + more).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for more in (0, 1)
    ]
    none = np.zeros_like(number)
    first = np.choose(period, [none, number, number * 7 - 3, months[0]])
    return first, np.choose(period, [none, number + 1, number * 7 + 4, months[1]])


def encode_goods(sheets: Sheets, demand: Demand) -> Goods:
    """Encode stocks of the kinds that are asked, and what every request, or dated visit, asks of them."""
    asked, sheet = _asked(sheets), sheets["goods"]
    known = {name: k for k, name in enumerate(asked.names.tolist())}
    kind = np.array([known.get(name, -1) for name in sheet["good"].values.tolist()], dtype=np.int64)
    row = np.flatnonzero(kind >= 0)
    owned = _millionths(sheet["amount"].values[row])
    lot = _lots(asked, kind[row], owned)
    # every visit of a request that recurs has that request's row
    by_request = np.lexsort((asked.kind, asked.request))
    of, at = matches(asked.request[by_request], demand.row)
    at = by_request[at]
    return Goods(
        kind=asked.names,
        lot=lot,
        row=row,
        stock_kind=kind[row],
        owner=sheets.positions("goods", "owner_id")[row].astype(np.int64),
        stock=owned // np.append(lot, 1)[kind[row]],
        period=encode_periods(sheet["period"].values, sheet["lent"].values)[row],
        request=of,
        asked_kind=asked.kind[at],
        asked=asked.amount[at] // np.append(lot, 1)[asked.kind[at]],
    )


def _lots(asked: _Asked, kind: IntArray, owned: IntArray) -> IntArray:
    """Return the lot of each kind, (K,)."""
    fine, most = asked.lot.copy(), np.zeros(len(asked.lot), dtype=np.int64)
    np.gcd.at(fine, kind, owned)  # of nothing and a number, the number
    np.maximum.at(most, asked.kind, asked.amount)
    return np.where(most <= FINE_LOTS * fine, fine, asked.lot)


def encode_periods(period: Iterable[Any], lent: NDArray[Any]) -> NDArray[np.int8]:
    """Return the position in `PERIODS` of every row of `goods`; lent goods are away for a day."""
    known = {name: i for i, name in enumerate(PERIODS)}
    stated = np.array([known.get(name, _HORIZON) for name in period], dtype=np.int8)
    return np.where(lent.astype(bool), _DAY, stated).astype(np.int8)


def check_periods(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    """Report lent goods that would come back at another time than the next day."""
    period, lent = sheets["goods"]["period"], sheets["goods"]["lent"].values.astype(bool)
    wrong = lent & period.present & (period.values != PERIODS[_DAY])
    message = (
        "the goods are lent and the period is {}; expected day or nothing: what is lent is back the next day"
    )
    violations.mask("goods", "period", "period_conflict", message, wrong, period.values)
    _check_units(sheets, violations)


def _check_units(sheets: Sheets, violations: Violations) -> None:
    """Report a kind whose stocks are counted in different units: what requests ask of it has none."""
    good, unit = sheets["goods"]["good"], sheets["goods"]["unit"]
    first: dict[object, tuple[int, object]] = {}
    for i in np.flatnonzero(good.sound & good.present & (unit.values != "")).tolist():
        row, stated = first.setdefault(good.values[i], (i, unit.values[i]))
        if unit.values[i] != stated:
            message = (
                f"{{}} is the unit of {good.values[i]!r}, and {stated!r} is in row {row}; expected one unit"
            )
            violations.rows("goods", "unit", "unit_conflict", message, [i], [unit.values[i]])


def check_amounts(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    """Report amounts too small to be told from 0, and of so many lots that no plan is found for them."""
    amount = sheets["request_goods"]["amount"]
    small = amount.sound & (amount.values > 0) & (_millionths(amount.values) == 0)
    message = "{} is asked for; expected 0 or at least a millionth"
    violations.mask("request_goods", "amount", "too_small", message, small, amount.values)
    asked = _asked(sheets)
    many = np.flatnonzero(asked.amount // np.append(asked.lot, 1)[asked.kind] > MOST_LOTS)
    for kind in np.unique(asked.kind[many]).tolist():
        wrong = np.zeros(sheets["request_goods"].n, dtype=bool)
        wrong[asked.row[many[asked.kind[many] == kind]]] = True
        message = (
            f"{{}} of {asked.names[kind]!r} is more than {MOST_LOTS:,} lots of {asked.lot[kind] / GRID:g}, "
            "the greatest common divisor of what requests ask of it; expected fewer: round the amounts"
        )
        violations.mask("request_goods", "amount", "too_many_lots", message, wrong, amount.values)
