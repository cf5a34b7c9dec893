"""What series cost at least: the flow's bound, and what their faces add at the same prices. Plain numpy.

Prices of the capacity forest part the series from each other (Fisher 1981, The Lagrangian relaxation method).
What is left of one series is a facility location without capacities: with no face it pays for every unit;
with one face or two it is reckoned face by face and pair by pair; with three or more it pays for the faces
and the cheapest arc of each request, whoever comes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.certificate import exact_sum, lower_bound, prices_above, valid_duals
from govmatch.solve.series_instance import SeriesInstance

IntArray = NDArray[np.int64]

BLOCK = 64
"""Faces that are paired with all others at once."""


def series_bound(
    instance: SeriesInstance,
    request_dual: IntArray,
    price: IntArray,
    outside: IntArray,
    stop: Callable[[], bool] = bool,
    without: Callable[[IntArray, IntArray], int] | None = None,
) -> int:
    """Return a lower bound on every assignment, faces included.

    Parameters
    ----------
    instance : SeriesInstance
    request_dual : int64 (n_requests,)
        For requests outside all series, and those that ask for several people; no arc that was left out
        costs less, with the prices above it.
    price : int64 (n_nodes,)
        Own prices of the nodes, >= 0.
    outside : int64 (n_requests,)
        What an arc that was left out costs at least, with the prices above it.
    stop : callable
        Once it is true, the faces of the series that are left count as free: the bound stays true.
    without : callable, optional
        Returns the bound without faces that request duals and own prices give, where it is not that of the
        flow: of a plan with more in it, parted by the same prices.
    """
    arcs = instance.flow
    dual, own = valid_duals(arcs, request_dual, price)
    dear = arcs.cost + prices_above(arcs.parent, own)[arcs.node]
    single = (instance.series >= 0) & (arcs.demand == 1)
    floor = np.minimum(arcs.unmet_cost, outside)
    cheapest = floor.copy()
    np.minimum.at(cheapest, arcs.request, dear)
    dual = np.where(single, cheapest, dual)
    at = np.flatnonzero(single[arcs.request])
    order = at[np.argsort(instance.series[arcs.request[at]], kind="stable")]
    ends = np.searchsorted(instance.series[arcs.request[order]], np.arange(len(instance.free) + 1))
    members = np.flatnonzero(single)
    members = members[np.argsort(instance.series[members], kind="stable")]
    firsts = np.searchsorted(instance.series[members], np.arange(len(instance.free) + 1))
    added = []
    for s in range(len(instance.free)):
        if stop():
            break
        if firsts[s] < firsts[s + 1]:
            mine, theirs = members[firsts[s] : firsts[s + 1]], order[ends[s] : ends[s + 1]]
            added.append(_added(instance, s, mine, theirs, dear, floor, cheapest))
    least = lower_bound(arcs, dual, own) if without is None else without(dual, own)
    return least + exact_sum(np.array(added, np.int64))


def _added(
    instance: SeriesInstance,
    series: int,
    members: IntArray,
    arcs: IntArray,
    dear: IntArray,
    floor: IntArray,
    cheapest: IntArray,
) -> int:
    """Return what a series costs at least beyond the cheapest arcs of its requests."""
    least = int(cheapest[members].sum())
    found = [int(instance.flow.unmet_cost[members].sum())]  # nobody comes
    face, place = np.unique(instance.face[arcs], return_inverse=True)
    row = np.searchsorted(members, instance.flow.request[arcs])
    matrix = np.repeat(floor[members][:, None], len(face) + 1, axis=1)  # the last: somebody left out
    np.minimum.at(matrix, (row, place.reshape(-1)), dear[arcs])
    own = np.zeros(len(face) + 1, np.int64)
    own[:-1] = instance.stranger_cost * instance.is_strange(np.full(len(face), series), face)
    most = int(instance.most[series])
    further = [instance.further_cost * max(0, n - int(instance.free[series])) for n in range(4)]
    found.append(further[1] + int((matrix.sum(axis=0) + own).min()))
    if most < 0 or most >= 2:
        found.append(further[2] + _pairs(matrix, own))
    if most < 0 or most >= 3:
        found.append(further[3] + least)
    return max(0, min(found) - least)


def _pairs(matrix: IntArray, own: IntArray) -> int:
    """Return the least that two faces leave to pay, without the price of the second."""
    n, best = len(own), np.iinfo(np.int64).max
    for begin in range(0, n, BLOCK):  # with those behind only: each pair once
        block = slice(begin, begin + BLOCK)
        both = own[block, None] + own[begin:]
        for costs in matrix:
            both += np.minimum(costs[block, None], costs[begin:])
        best = min(best, int(both.min()))
    return best
