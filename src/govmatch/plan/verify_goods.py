"""Goods and money: amounts, owners, ways, periods and stocks, reckoned anew from the tables."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.verify_amounts import asked_amounts, millionths
from govmatch.plan.verify_columns import IntArray, objects, table_of
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import (
    SUM_TOLERANCE,
    TERM_TOLERANCE,
    Faults,
    Rows,
    clock,
    missing_columns,
    numbers,
    texts,
)
from govmatch.plan.verify_slots import utc_minutes, whole_days
from govmatch.plan.verify_teams import after_start, team_starts
from govmatch.plan.verify_way import walk

GOODS_COLUMNS = (
    "request_id", "good", "owner_id", "amount", "unit", "lent", "day", "period_start", "period_end", "route",
    "hops", "cost_minutes",
)  # fmt: skip
STOCK_COLUMNS = ("owner_id", "good", "period_start", "period_end", "stock", "used", "left", "price_minutes")
_ENOUGH = ("capacity", "pin_conflict", "quota", "away", "hours", "reserve", "goods", "no_such_goods")
_FINE = 100  # lots
_EPOCH = date(1970, 1, 1)
Key = tuple[str, str, int]
"""Owner, kind, first day of the period; 0 of the horizon."""


@dataclass(frozen=True)
class Owned:
    """One row of `goods`."""

    owner: str
    good: str
    amount: int  # millionths
    unit: str
    lent: bool
    period: str

    def first_day(self, day: int) -> int:
        """Return the first day of the period in which a day lies; 0 of the horizon."""
        at = _EPOCH + timedelta(days=day)
        if self.period == "week":
            at -= timedelta(days=at.weekday())
        elif self.period == "month":
            at = at.replace(day=1)
        return 0 if self.period == "horizon" else (at - _EPOCH).days

    def next_day(self, first: int) -> int:
        """Return the first day after a period."""
        at = _EPOCH + timedelta(days=first)
        if self.period == "month":
            at = (at + timedelta(days=31)).replace(day=1)
        else:
            at += timedelta(days={"day": 1, "week": 7, "horizon": 0}[self.period])
        return (at - _EPOCH).days


class Store:
    """What is asked and owned, by the tables."""

    def __init__(self, problem: Any, facts: Facts) -> None:
        self.facts, wish = facts, facts.requests
        self.asked = asked_amounts(problem.tables, wish.base)  # by row of the table
        columns = ("owner_id", "good", "amount", "unit", "lent", "period")
        table = table_of(problem.tables, "goods", columns)
        self.owned: dict[tuple[str, str], Owned] = {}
        self.owners: dict[str, list[Owned]] = defaultdict(list)
        for owner, good, amount, unit, lent, period in zip(
            *(objects(table[c]) for c in columns), strict=True
        ):
            often = "day" if lent else "horizon" if period is None else period
            row = Owned(owner, good, millionths(amount), unit, bool(lent), often)
            self.owned[owner, good] = row
            self.owners[good].append(row)
        self.lot = self._lots()
        self.horizon = tuple(int(edge) for edge in problem.horizon)
        self.used: dict[Key, int] = defaultdict(int)
        self._spans: dict[tuple[str, int], tuple[int, int]] = {}
        self._reached: dict[tuple[Any, str, int], list[Owned]] = {}
        self._after, _ = after_start(facts)
        # all ways are looked for at once
        source = facts.paths.node.at(wish.community[self.needing()])
        first = facts.calendar.day(wish.earliest[self.needing()])
        facts.paths.cheapest(source, source, first)

    def _lots(self) -> dict[str, int]:
        """Return the lot of each kind that is asked, in millionths."""
        asked: dict[str, list[int]] = defaultdict(list)
        for kinds in self.asked.values():
            for good, amount in kinds.items():
                asked[good].append(amount)
        found = {}
        for good, amounts in asked.items():
            found[good] = math.gcd(*amounts, *(row.amount for row in self.owners[good]))
            if max(amounts) > _FINE * found[good]:
                found[good] = math.gcd(*amounts)
        return found

    def needs(self, r: int) -> dict[str, int]:
        """Return the millionths of each kind that a request asks for."""
        return self.asked.get(int(self.facts.requests.row[r]), {})

    def needing(self) -> IntArray:
        """Return the requests, and dated visits, that need goods."""
        return np.flatnonzero(np.isin(self.facts.requests.row, list(self.asked)))

    def span(self, row: Owned, first: int) -> tuple[int, int]:
        """Return the minutes at which a period begins and ends."""
        if row.period == "horizon":
            return self.horizon[0], self.horizon[1]
        if (row.period, first) not in self._spans:
            begin, end = self.facts.calendar.at(np.array([first, row.next_day(first)]), 0)
            self._spans[row.period, first] = int(begin), int(end)
        return self._spans[row.period, first]

    def days(self, r: int) -> list[int]:
        """Return the local days on which a request's service may start."""
        wish, calendar = self.facts.requests, self.facts.calendar
        first = int(wish.earliest[r])
        if not wish.team[r]:
            return [int(calendar.day(np.array([first]))[0])]
        roles = slice(int(wish.first_role[r]), int(wish.first_role[r + 1]))
        last = int(wish.latest[r]) - int((self._after[roles] + wish.roles.minutes[roles]).max())
        starts = np.arange(first, last + 1, int(self.facts.policy.slots.start_minutes))
        return [int(day) for day in np.unique(calendar.day(starts))]

    def left(self, r: int, good: str, day: int) -> int:
        """Return the lots of a kind that are left, on a day, with owners whom a request reaches."""
        community, lot = self.facts.requests.community[r], self.lot[good]
        if (community, good, day) not in self._reached:
            paths, rows = self.facts.paths, self.owners[good]
            node = paths.node.at([row.owner for row in rows])
            source = paths.node.at([community] * len(rows))
            cost = paths.cheapest(source, node, np.full(len(rows), day)).tolist()
            self._reached[community, good, day] = [
                row for row, way in zip(rows, cost, strict=True) if way >= 0
            ]
        return sum(
            row.amount // lot - self.used[row.owner, good, row.first_day(day)] // lot
            for row in self._reached[community, good, day]
        )

    def lacks(self, r: int) -> bool:
        """Tell whether on every day too little is left of something that a request needs."""
        return all(
            any(self.left(r, good, day) < amount // self.lot[good] for good, amount in self.needs(r).items())
            for day in self.days(r)
        )

    def unknown(self, r: int) -> list[str]:
        """Return the kinds of which nobody owns anything."""
        return [g for g in self.needs(r) if not any(row.amount > 0 for row in self.owners[g])]


@dataclass(frozen=True)
class _Given:
    """The rows of `plan.goods`."""

    frame: pd.DataFrame

    def __iter__(self) -> Iterator[dict[str, Any]]:
        columns: dict[str, Any] = {
            **{name: texts(self.frame[name]) for name in ("request_id", "good", "owner_id", "unit", "route")},
            **{name: numbers(self.frame[name]) for name in ("amount", "hops", "cost_minutes")},
            "lent": objects(self.frame["lent"]),
            "day": whole_days(self.frame["day"]),
            **{name: utc_minutes(self.frame[name]) for name in ("period_start", "period_end")},
        }
        for cells in zip(*columns.values(), strict=True):
            yield dict(zip(columns, cells, strict=True))


def check_goods(plan: Any, problem: Any, rows: Rows, facts: Facts, faults: Faults) -> tuple[Store, int]:
    """Check what goods go where; return the stocks with what is used of them, and the cost in hundredths."""
    store = Store(problem, facts)
    frame = getattr(plan, "goods", None)
    stated = getattr(plan, "stock", None)
    if not store.asked and frame is None:
        return store, 0
    lacking = missing_columns(frame, "goods", GOODS_COLUMNS, faults)
    lacking |= missing_columns(stated, "stock", STOCK_COLUMNS, faults)
    if lacking:
        return store, 0
    frame, stated = pd.DataFrame(frame), pd.DataFrame(stated)
    wish, served = facts.requests, set(rows.r.tolist())
    days = _service_days(rows, facts, store.needing())
    taken: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    cost, n = 0, 0
    seen: set[tuple[int, str, str]] = set()
    dates: dict[int, set[int]] = defaultdict(set)
    for row in _Given(frame):
        n += 1
        r = int(wish.ids.at([row["request_id"]])[0])
        if r < 0:
            faults.add(
                "unknown_request", "plan.goods names a request that the tables do not hold", row["request_id"]
            )
            continue
        good = row["good"]
        if good not in store.needs(r):
            faults.add(
                "goods_not_asked", f"{good!r} goes to it, which it does not ask for", row["request_id"]
            )
            continue
        owned = store.owned.get((row["owner_id"], good))
        if owned is None:
            text = f"{good!r} comes from {row['owner_id']!r}, who owns none"
            faults.add("goods_unowned", text, row["request_id"], row["owner_id"])
            continue
        amount = millionths(row["amount"]) if row["amount"] > 0 else 0
        if amount <= 0 or amount % store.lot[good] or abs(row["amount"] * 1e6 - amount) > SUM_TOLERANCE:
            text = f"{row['amount']:g} of {good!r}; expected whole lots of {store.lot[good] / 1e6:g}"
            faults.add("goods_amount", text, row["request_id"], row["owner_id"])
            continue
        if (r, good, owned.owner) in seen:
            text = f"{good!r} from {owned.owner!r} stands in plan.goods twice"
            faults.add("goods_twice", text, row["request_id"], row["owner_id"])
        seen.add((r, good, owned.owner))
        dates[r].add(int(row["day"]))
        taken[r][good] += amount
        first = _check_day(row, owned, days.get(r), store, faults)
        store.used[owned.owner, good, first] += amount
        cost += _check_way(
            row, owned, store.needs(r)[good] // store.lot[good], amount // store.lot[good], r, facts, faults
        )
    for r in sorted(r for r, told in dates.items() if len(told) > 1):
        text = f"its goods are of {', '.join(map(_told, sorted(dates[r])))}; a service starts on one day"
        faults.add("wrong_day", text, wish.ids[r])
    for r in store.needing().tolist():
        if wish.linked[r]:
            continue
        for good, amount in store.needs(r).items():
            came = taken[r][good]
            if r not in served and came:
                faults.add(
                    "goods_for_nobody", f"{came / 1e6:g} of {good!r} go to it and nobody does", wish.ids[r]
                )
            elif r in served and came != amount:
                code = "goods_missing" if came < amount else "goods_exceeded"
                faults.add(
                    code, f"{came / 1e6:g} of {good!r} go to it; {amount / 1e6:g} are asked", wish.ids[r]
                )
    for (owner, good, first), used in sorted(store.used.items()):
        held = store.owned[owner, good].amount
        if used > held // store.lot[good] * store.lot[good]:
            when = "" if not first else f" from {_EPOCH + timedelta(days=first)} on"
            text = f"{used / 1e6:g} of {good!r} are used{when}; the stock is {held / 1e6:g}, in lots of "
            faults.add("stock_exceeded", f"{text}{store.lot[good] / 1e6:g}", None, owner)
    _check_stock(stated, store, facts, faults)
    faults.checked["goods"] = n
    return store, cost


def _service_days(rows: Rows, facts: Facts, needing: IntArray) -> dict[int, tuple[int, int]]:
    """Return the first and the last local day on which each served request's service may have started."""
    wish, calendar = facts.requests, facts.calendar
    some = np.isin(rows.r, needing)
    found = {}
    frame = pd.DataFrame({"r": rows.r[some], "q": rows.q[some], "start": rows.time["start"][some]})
    begins: dict[int, dict[int, int]] = defaultdict(dict)
    for r, q, start in frame.itertuples(index=False):
        begins[int(r)][int(q)] = int(start)
    for r, starts in begins.items():
        low, high = min(starts.values()), max(starts.values())
        if wish.team[r]:
            low, high = team_starts(r, starts, facts)
        first, last = calendar.day(np.array([low, high]))
        found[r] = (int(first), int(last))
    return found


def _check_day(
    row: dict[str, Any], owned: Owned, days: tuple[int, int] | None, store: Store, faults: Faults
) -> int:
    """Check the day and the period of a row; return the first day of the period."""
    day = int(row["day"])
    who = row["request_id"], row["owner_id"]
    if days is not None and not days[0] <= day <= days[1]:
        told = _EPOCH + timedelta(days=days[0])
        faults.add("wrong_day", f"day is {_told(day)}; the service starts on {told}", *who)
        day = days[0]
    if not abs(day) < 10**6:
        if days is None:
            faults.add("wrong_day", "day is no date", *who)
        day = 0
    first = owned.first_day(day)
    for name, right in zip(("period_start", "period_end"), store.span(owned, first), strict=True):
        if row[name] != right:
            text = f"{name} is {clock(row[name])}; expected {clock(right)}, by {owned.period}"
            faults.add("wrong_period", text, *who)
    if row["unit"] != owned.unit or row["lent"] != owned.lent:
        text = f"unit {row['unit']!r} and lent {row['lent']}; expected {owned.unit!r} and {owned.lent}"
        faults.add("goods_wrong", text, *who)
    return first


def _told(day: int) -> str:
    return "no date" if not abs(day) < 10**6 else str(_EPOCH + timedelta(days=day))


def _check_way(
    row: dict[str, Any], owned: Owned, asked: int, lots: int, r: int, facts: Facts, faults: Faults
) -> int:
    """Check route, hops and cost of a row; return the cost in hundredths."""
    paths, day = facts.paths, np.array([row["day"] if abs(row["day"]) < 10**6 else 0])
    who = row["request_id"], row["owner_id"]
    source, home = paths.node.at([facts.requests.community[r]]), paths.node.at([owned.owner])
    best = int(paths.cheapest(source, home, day)[0])
    places, cost, why = walk(
        row["route"] or "", paths.hops(int(day[0]), int(paths.epoch(day)[0])), paths.node
    )
    if best < 0:
        why = "no permitted path joins the community and the owner"
    elif not why and (places[0] != source[0] or places[-1] != home[0]):
        why = f"the route {row['route']!r} does not lead from {paths.node[source[0]]!r} to {owned.owner!r}"
    elif not why and len(places) - 1 > paths.max_hops:
        why = f"{len(places) - 1} hops; the policy allows {paths.max_hops}"
    if why:
        faults.add("forbidden_path", why, *who)
        return 0
    if cost > best:
        text = f"the route costs {cost / 100:.2f} minutes; the cheapest permitted one {best / 100:.2f}"
        faults.add("path_not_cheapest", text, *who)
    if row["hops"] != len(places) - 1:
        faults.add("wrong_hops", f"hops is {row['hops']:g}; the route has {len(places) - 1}", *who)
    # the way's share of one lot, halves upwards
    right = lots * ((cost * 2 + asked) // (asked * 2))
    if not abs(row["cost_minutes"] - right / 100) <= TERM_TOLERANCE / 2:
        text = f"cost_minutes is {row['cost_minutes']:.2f}; {right / 100:.2f} by the way"
        faults.add("wrong_goods_cost", text, *who)
    return int(right)


def _check_stock(frame: pd.DataFrame, store: Store, facts: Facts, faults: Faults) -> None:
    """Check what is said to be used and left of every stock in every period."""
    if not store.asked and not len(frame):
        return
    owner, good = texts(frame["owner_id"]), texts(frame["good"])
    begin, end = (utc_minutes(frame[name]) for name in ("period_start", "period_end"))
    stock, used, left, price = (numbers(frame[name]) for name in ("stock", "used", "left", "price_minutes"))
    seen: set[tuple[str, str, int]] = set()
    last = max(store.horizon[0], store.horizon[1] - 1)
    lo, hi = facts.calendar.day(np.array([store.horizon[0], last])).tolist()
    wanted = {}
    for row in store.owned.values():
        for first in {row.first_day(day) for day in range(lo, hi + 1)}:
            wanted[row.owner, row.good, store.span(row, first)[0]] = row, first
    for i in range(len(frame)):
        key = (owner[i], good[i], int(begin[i]))
        if key not in wanted or key in seen:
            text = f"{good[i]!r} from {clock(begin[i])} on: "
            text += "stands in plan.stock twice" if key in seen else "the tables hold no such stock"
            faults.add("stock_wrong", text, None, owner[i])
            continue
        seen.add(key)
        row, first = wanted[key]
        spent = store.used[row.owner, row.good, first]
        right = (row.amount / 1e6, spent / 1e6, (row.amount - spent) / 1e6)
        told = (stock[i], used[i], left[i])
        if end[i] != store.span(row, first)[1] or not np.allclose(told, right, rtol=1e-12, atol=1e-9):
            text = f"{good[i]!r}: stock, used and left are " + ", ".join(f"{x:g}" for x in told)
            text += "; expected " + ", ".join(f"{x:g}" for x in right)
            faults.add("stock_wrong", text, None, owner[i])
        if not price[i] >= 0:
            faults.add("stock_wrong", f"price_minutes is {price[i]:g}; expected 0 or more", None, owner[i])
    for owner_id, kind, _ in wanted.keys() - seen:
        faults.add("stock_wrong", f"{kind!r}: a period is missing in plan.stock", None, owner_id)


def check_goods_reasons(frame: pd.DataFrame, at: IntArray, rows: Rows, store: Store, faults: Faults) -> None:
    """Check that those who are said to lack goods do, and that no other reason is told where they do."""
    if not store.asked and not frame["reason"].isin(["goods", "no_such_goods"]).any():
        return
    wish, served = store.facts.requests, set(rows.r.tolist())
    eligible = numbers(frame["eligible"]).tolist()
    for i, reason in enumerate(texts(frame["reason"]).tolist()):
        r = int(at[i])
        looked_at = reason == "time" and eligible[i] > 0
        if r < 0 or not (reason in _ENOUGH or looked_at):
            continue
        right = "goods" if store.needs(r) and store.lacks(r) else ""
        right = "no_such_goods" if store.unknown(r) else right
        right = "" if r in served else right
        stated = reason if reason in ("goods", "no_such_goods") else ""
        if stated != right:
            text = {
                "": "enough of what it needs is left in reach" if r not in served else "somebody comes",
                "goods": "too little of what it needs is left in reach",
                "no_such_goods": "nobody owns " + ", ".join(map(repr, store.unknown(r))),
            }[right]
            faults.add("reason_wrong", f"reason {reason!r}; {text}", wish.ids[r])
