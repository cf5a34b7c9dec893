"""Steps from one plan to another: open what would save more than it costs, close what does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.certificate import prices_above
from govmatch.solve.instance import Instance
from govmatch.solve.openings import Openings

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Held:
    """Which openings may be used, and which serves each tie."""

    on: BoolArray  # (n_openings,)
    seat: IntArray  # (n_ties,) -1: none

    def only(self, on: BoolArray) -> Held:
        """Return the same without some openings."""
        seat = np.where((self.seat >= 0) & ~np.append(on, False)[self.seat], -1, self.seat)
        return Held(self.on & on, seat)

    def without(self, ties: IntArray) -> Held:
        """Return the same with nobody of some ties seated."""
        seat = self.seat.copy()
        seat[ties] = -1
        return Held(self.on, seat)


@dataclass(frozen=True)
class _Guests:
    """Who could come into which opening: requests that are free, and ties as one."""

    opening: IntArray
    owner: IntArray  # the request; of a tie, the number of requests and its own
    size: IntArray
    gain: IntArray  # what all of them cost now, less there


def stepped(
    instance: Instance, openings: Openings, held: Held, flow: IntArray, unmet: IntArray, own: IntArray
) -> Held:
    """Return what to hold instead, by what each request costs in a plan at its own prices.

    Parameters
    ----------
    instance : Instance
    openings : Openings
    held : Held
    flow : int64 (n_arcs,)
    unmet : int64 (n_requests,)
    own : int64 (n_nodes,)
    """
    of = openings.of_arcs(instance)
    priced = instance.cost + prices_above(instance.parent, own)[instance.node]
    held = held.only(_worth(instance, openings, of, flow, priced))
    now = np.where(unmet > 0, instance.unmet_cost, 0)
    used = np.flatnonzero((flow > 0) & ~np.append(~held.on, False)[of])
    np.maximum.at(now, instance.request[used], np.where(of[used] >= 0, instance.cost[used], priced[used]))
    shut = np.flatnonzero((flow > 0) & np.append(~held.on, False)[of])  # their guests need another way
    now[instance.request[shut]] = instance.unmet_cost[instance.request[shut]]
    taken = np.bincount(of[used[of[used] >= 0]], minlength=openings.n)
    guests = _guests(instance, openings, of, now)
    return _opened(openings, held, guests, instance.capacity[openings.node] - taken, len(instance.demand))


def _worth(
    instance: Instance, openings: Openings, of: IntArray, flow: IntArray, priced: IntArray
) -> BoolArray:
    """Tell which openings save what they cost, beside the other ways of those who come."""
    other = instance.unmet_cost.copy()
    outside = np.flatnonzero(of < 0)
    np.minimum.at(other, instance.request[outside], priced[outside])
    used = np.flatnonzero((of >= 0) & (flow > 0))
    saved = np.zeros(openings.n, np.int64)
    np.add.at(saved, of[used], other[instance.request[used]] - instance.cost[used])
    return saved > openings.cost


def _guests(instance: Instance, openings: Openings, of: IntArray, now: IntArray) -> _Guests:
    """Collect who would gain by coming."""
    n = len(instance.demand)
    at = np.flatnonzero(of >= 0)
    request = instance.request[at]
    gain = now[request] - instance.cost[at]
    tie = openings.tie[request]
    at, request, gain = (
        at[(gain > 0) | (tie >= 0)],
        request[(gain > 0) | (tie >= 0)],
        gain[(gain > 0) | (tie >= 0)],
    )
    tie = openings.tie[request]
    owner = np.where(tie >= 0, n + tie, request)
    keys, which = np.unique(owner * openings.n + of[at], return_inverse=True)
    total = np.zeros(len(keys), np.int64)
    np.add.at(total, which, gain)
    owners, opening = np.divmod(keys, openings.n)
    size = np.bincount(which, minlength=len(keys))
    good = np.flatnonzero(total > 0)
    order = good[np.lexsort((owners[good], -total[good] / size[good], opening[good]))]
    return _Guests(opening[order], owners[order], size[order], total[order])


def _opened(openings: Openings, held: Held, guests: _Guests, room: IntArray, n_requests: int) -> Held:
    """Open in the order of what each would save, whoever has come elsewhere left out."""
    begin = np.searchsorted(guests.opening, np.arange(openings.n + 1))
    gone = np.zeros(n_requests + openings.n_ties, np.bool_)
    on, seat = held.on.copy(), held.seat.copy()

    def coming(s: int) -> tuple[IntArray, int]:
        mine = np.arange(begin[s], begin[s + 1])
        mine = mine[~gone[guests.owner[mine]]]
        if on[s]:  # the flow fills it with others
            mine = mine[guests.owner[mine] >= n_requests]
        mine = mine[np.cumsum(guests.size[mine]) <= room[s]]
        if not on[s] and guests.size[mine].sum() < openings.fewest[s]:
            return mine[:0], 0
        return mine, int(guests.gain[mine].sum()) - (0 if on[s] else int(openings.cost[s]))

    first = np.array([coming(s)[1] for s in range(openings.n)], np.int64)
    for s in np.argsort(-first, kind="stable")[: int((first > 0).sum())].tolist():
        mine, saved = coming(s)
        if saved <= 0:
            continue
        on[s] = True
        owner = guests.owner[mine]
        gone[owner] = True
        seat[owner[owner >= n_requests] - n_requests] = s
    return Held(on, seat)
