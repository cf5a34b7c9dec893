"""Goods of one request, told: who sends how much, and who else has some."""

from __future__ import annotations

import numpy as np
import pandas as pd

from govmatch.model.goods import GRID
from govmatch.model.times import MINUTE, zone_of
from govmatch.plan.plan import Plan
from govmatch.reach.paths import Paths

COLUMNS = ("good", "asked", "owner_id", "sent", "left", "reached", "missing")


OTHERS = 3
"""Owners that are shown beside those who send some: in reach, those with most left, and out of reach."""


def goods_told(plan: Plan, paths: Paths, request: int) -> pd.DataFrame:
    """Return owners of each kind that a request needs, those who send some first, and some others.

    Parameters
    ----------
    plan : Plan
    paths : Paths
    request : int
        Position in the problem's demand.

    Returns
    -------
    pandas.DataFrame
        good, asked, owner_id (None where nobody owns any), sent, left, reached, missing; no rows where
        nothing is asked. See `Explanation.goods`.
    """
    goods, demand, zone = plan.problem.goods, plan.problem.demand, zone_of(plan.problem.policy.time_zone)
    wants = np.flatnonzero(goods.request == request)
    mine = plan.goods[plan.goods["request_id"] == demand.request_id[request]]
    day = int(zone.day(demand.earliest[request : request + 1] * MINUTE)[0])
    if len(mine):
        day = int(mine["day"].to_numpy("datetime64[D]").astype(np.int64)[0])
    epoch = int(paths.epoch_of_day(np.array([day]))[0]) if len(wants) else 0
    node = {name: v for v, name in enumerate(plan.problem.nodes.node_id.tolist())}
    rows: list[tuple[object, ...]] = []
    for want in wants.tolist():
        kind = int(goods.asked_kind[want])
        name, lot = goods.kind[kind], int(goods.lot[kind])
        stock = _on(plan.stock[plan.stock["good"] == name], day)
        sent = mine[mine["good"] == name].set_index("owner_id")["amount"].to_dict()
        found = [
            (
                owner,
                sent.get(owner, 0.0),
                left,
                bool(paths.cost[epoch, demand.community[request], node[owner]] >= 0),
            )
            for owner, left in zip(stock["owner_id"], stock["left"], strict=True)
        ]
        found.sort(key=lambda one: (-one[1], not one[3], -one[2], str(one[0])))
        whole = sum(round(left * GRID) // lot * lot for _, _, left, reached in found if reached)
        missing = 0.0 if len(mine) else max(0, int(goods.asked[want]) * lot - whole) / GRID
        asked = int(goods.asked[want]) * lot / GRID
        here = [one for one in found if one[1] > 0]
        for near in (True, False):
            here += [one for one in found if one[1] <= 0 and one[3] == near and (near or one[2] > 0)][:OTHERS]
        rows += [(name, asked, *one, missing) for one in here or [(None, 0.0, 0.0, False)]]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _on(stock: pd.DataFrame, day: int) -> pd.DataFrame:
    """Return the rows of the periods in which a local day lies."""
    first, last = (
        column.dt.tz_localize(None).to_numpy("datetime64[D]").astype(np.int64)
        for column in (stock["period_start"], stock["period_end"] - pd.Timedelta(minutes=1))
    )
    return stock[(first <= day) & (day <= last)]
