"""From positions back to ids: what goods go where, what is left of them, and who lacks them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.encoded import IntArray
from govmatch.model.goods import GRID, encode_periods, period_days, period_of
from govmatch.model.problem import Problem
from govmatch.model.schema import PERIODS, TABLES
from govmatch.model.times import DAY, MINUTE, zone_of
from govmatch.plan.decode import local_times, way_texts
from govmatch.plan.goods_wheel import Sent
from govmatch.plan.reasons import REASONS
from govmatch.plan.unserved import OUTRUN
from govmatch.reach.costs import RESOLUTION
from govmatch.reach.paths import Paths
from govmatch.reach.stock import Stock

COLUMNS = (
    "request_id", "good", "owner_id", "amount", "unit", "lent", "day", "period_start", "period_end", "route",
    "hops", "cost_minutes",
)  # fmt: skip
STOCK_COLUMNS = ("owner_id", "good", "period_start", "period_end", "stock", "used", "left", "price_minutes")


def no_goods() -> pd.DataFrame:
    """Return the frame of goods of a plan without any."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})


def no_stock() -> pd.DataFrame:
    """Return the frame of stocks of a plan without any."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in STOCK_COLUMNS})


def _table(problem: Problem) -> pd.DataFrame:
    """Return the table `goods`, without rows where it was not given."""
    columns = TABLES["goods"].columns
    none = pd.DataFrame({column.name: pd.Series(dtype=object) for column in columns})
    return problem.tables.get("goods", none)


def goods_frame(problem: Problem, stock: Stock, sent: Sent, paths: Paths) -> pd.DataFrame:
    """One row for each request, kind and owner, ordered by request, kind, owner."""
    goods, table = problem.goods, _table(problem)
    source = stock.slot_stock[sent.slot]
    request = goods.request[sent.want]
    order = np.lexsort((goods.row[source], goods.asked_kind[sent.want], problem.demand.row[request], request))
    want, source, slot, day = sent.want[order], source[order], sent.slot[order], sent.day[order]
    lots, cost, request = sent.lots[order], sent.cost[order], request[order]
    row, kind = goods.row[source], goods.asked_kind[want]
    epoch = paths.epoch_of_day(day).astype(np.int64)
    community = problem.demand.community[request].astype(np.int64)
    routes, hops = way_texts(epoch, community, goods.owner[source], paths)
    begin, end = _spans(problem, stock.slot_period[slot], goods.period[source])
    return pd.DataFrame(
        {
            "request_id": problem.demand.request_id[request],
            "good": goods.kind[kind],
            "owner_id": table["owner_id"].to_numpy()[row],
            "amount": lots * goods.lot[kind] / GRID,
            "unit": table["unit"].to_numpy()[row],
            "lent": table["lent"].to_numpy(dtype=bool)[row],
            "day": day.astype("datetime64[D]").astype("datetime64[s]"),
            "period_start": begin,
            "period_end": end,
            "route": routes,
            "hops": hops,
            "cost_minutes": cost / RESOLUTION,
        }
    )


def _spans(
    problem: Problem, number: IntArray, period: NDArray[np.int8]
) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Return the local times at which periods begin and end."""
    zone, name = zone_of(problem.policy.time_zone), problem.policy.time_zone
    found = []
    for days, edge in zip(period_days(number, period), problem.horizon, strict=True):
        minutes = zone.instant(days * DAY)[0] // MINUTE
        found.append(local_times(np.where(period == 0, edge, minutes), name))
    return found[0], found[1]


def stock_frame(problem: Problem, stock: Stock, sent: Sent) -> pd.DataFrame:
    """One row for each row of `goods` and each of its periods in the horizon."""
    goods, table = problem.goods, _table(problem)
    zone = zone_of(problem.policy.time_zone)
    edges = zone.day(np.array([problem.horizon[0], max(problem.horizon) - 1]) * MINUTE)
    days = np.arange(edges[0], edges[1] + 1, dtype=np.int64)
    of_row = encode_periods(table["period"], table["lent"].to_numpy(dtype=bool))
    rows, numbers = [], []
    for period in range(len(PERIODS)):
        mine = np.flatnonzero(of_row == period)
        own = np.unique(period_of(days, np.full(len(days), period)))
        rows.append(np.repeat(mine, len(own)))
        numbers.append(np.tile(own, len(mine)))
    row, number = np.concatenate(rows), np.concatenate(numbers)
    order = np.lexsort((number, row))
    row, number = row[order], number[order]
    begin, end = _spans(problem, number, of_row[row])
    frame = pd.DataFrame(
        {
            "owner_id": table["owner_id"].to_numpy()[row],
            "good": table["good"].to_numpy()[row],
            "period_start": begin,
            "period_end": end,
            "stock": table["amount"].to_numpy(dtype=np.float64)[row],
        }
    )
    lot = goods.lot[goods.stock_kind[stock.slot_stock]]
    used = np.bincount(sent.slot, sent.lots, len(lot)).astype(np.int64) * lot
    key = pd.MultiIndex.from_arrays([goods.row[stock.slot_stock], stock.slot_period])
    told = pd.DataFrame({"used": used, "price": sent.price / lot * (GRID / RESOLUTION)}, index=key)
    told = told.reindex(pd.MultiIndex.from_arrays([row, number])).fillna(0.0)
    frame["used"] = told["used"].to_numpy() / GRID
    frame["left"] = np.round(frame["stock"] * GRID - told["used"].to_numpy()) / GRID
    frame["price_minutes"] = told["price"].to_numpy()
    return frame


def lacking(problem: Problem, stock: Stock, sent: Sent) -> NDArray[np.bool_]:
    """Tell for which requests some kind is short on each day, (n_requests,), beside what the plan uses."""
    goods, pairs = problem.goods, stock.pairs
    left = goods.stock[stock.slot_stock] - np.bincount(sent.slot, sent.lots, len(stock.slot_stock)).astype(
        np.int64
    )
    state = pairs.request - stock.n_people
    in_reach = np.bincount(state, left[pairs.slot - stock.n_slots], len(stock.state_want))
    short = in_reach < goods.asked[stock.state_want]
    start_short = np.zeros(len(stock.start), np.bool_)
    start_short[stock.link_start[short[stock.link_state]]] = True
    of = np.zeros(len(stock.start), np.int64)
    of[stock.link_start] = goods.request[stock.state_want[stock.link_state]]
    linked = np.unique(stock.link_start)
    found = np.zeros(problem.demand.n_requests, np.bool_)
    found[of[linked]] = True
    found[of[linked[~start_short[linked]]]] = False
    return found


def tell_lacking(problem: Problem, stock: Stock, sent: Sent, unmet: pd.DataFrame) -> pd.DataFrame:
    """Put the goods in the place of reasons that say that enough people could come, where nobody does."""
    demand, goods = problem.demand, problem.goods
    amount = _table(problem)["amount"].to_numpy(dtype=np.float64)[goods.row]
    owned = np.bincount(goods.stock_kind, amount, len(goods.kind))
    unknown = np.zeros(demand.n_requests, np.bool_)
    unknown[goods.request[owned[goods.asked_kind] == 0]] = True
    at = pd.Index(demand.request_id).get_indexer(pd.Index(unmet["request_id"]))
    told = unmet["reason"].isin(OUTRUN) | ((unmet["reason"] == "time") & (unmet["eligible"] > 0))
    nobody = told.to_numpy() & (unmet["people"].to_numpy() == demand.people[at])
    reason = unmet["reason"].to_numpy(dtype=object, copy=True)
    reason[nobody & lacking(problem, stock, sent)[at]] = "goods"
    reason[nobody & unknown[at]] = "no_such_goods"
    return unmet.assign(reason=reason, reason_zh=[REASONS[code][1] for code in reason])
