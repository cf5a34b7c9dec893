"""Assigned requests that cannot all be served: a smallest set of them that contradict each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch.plan.plan import Search
from govmatch.solve import flow

IntArray = NDArray[np.int64]


def contradiction(search: Search, assigned: NDArray[np.int32], request: int) -> list[str]:
    """Return the ids of requests, this one among them, whose pins cannot all be honoured.

    Without any one of them the others could be: requests are left out one by one as long as those that
    stay cannot all be served (a deletion filter, Chinneck & Dravnieks 1991). Requests of teams are not
    looked at; empty where the pins of the others are not why it is unserved.

    Parameters
    ----------
    search : Search
    assigned : int32 (any,)
        Positions in the problem's demand of requests to which somebody is assigned.
    request : int
        Position in the problem's demand.
    """
    units = search.units
    member = np.flatnonzero((units.role < 0) & np.isin(units.request, assigned))
    own = member[units.request[member] == request]
    if not len(own):
        return []
    kept = member
    if not _lacking(search, kept):
        return []
    for unit in member[member != own[0]].tolist():
        fewer = kept[kept != unit]
        if _lacking(search, fewer):
            kept = fewer
    ids: list[str] = units.demand.request_id[kept].tolist()
    return ids


def _lacking(search: Search, units: IntArray) -> bool:
    """Tell whether somebody is missing if only these units are served."""
    instance = search.instance
    arcs = np.flatnonzero(np.isin(instance.request, units))
    demand = np.zeros_like(instance.demand)
    demand[units] = instance.demand[units]
    only = replace(
        instance.of_arcs(arcs),
        cost=np.zeros(len(arcs), np.int64),
        demand=demand,
        unmet_cost=np.ones_like(demand),
        load_cost=np.zeros_like(instance.load_cost),
    )
    return bool(flow.solve(only).unmet.sum())
