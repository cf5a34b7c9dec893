"""Prices of capacities under which series, each at its cheapest with its faces, cost much in all.

The same reckoning as in ``solve.series_bound``, which checks what comes out, but in floats and with the
loads that tell where prices should rise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.ascent import climb
from govmatch._kernels.faces import CAP, FREE, Market
from govmatch._kernels.jit import helper, jit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Booth(NamedTuple):
    """Faces by series, and nodes from the roots down."""

    face_ptr: I64  # (n_series + 1,) different faces of each series
    own: I64  # (n_pairs,) what each costs for not being known
    place: I64  # (n_arcs,) position of its face among those of the series
    simple: I64  # (n_series,) 1: its requests ask for one person each, and faces matter
    floor: F64  # (n_requests,) what an arc that was left out costs at least, or leaving a unit unmet
    order: I64  # (n_nodes,) parents first


@helper
def serve_loose(m: Market, b: Booth, above: F64, r: int, load: I64, kept: F64, arcs: I64) -> float:
    """Take the cheapest arcs of a request one by one, whoever they are of."""
    units, total = m.unit_ptr[r + 1] - m.unit_ptr[r], 0.0
    for i in range(units):
        kept[i], arcs[i] = b.floor[r], -1
    for a in range(m.arc_ptr[r], m.arc_ptr[r + 1]):
        cost = m.cost[a] + above[m.node[a]]
        i = units
        while i > 0 and kept[i - 1] > cost:
            if i < units:
                kept[i], arcs[i] = kept[i - 1], arcs[i - 1]
            i -= 1
        if i < units:
            kept[i], arcs[i] = cost, a
    for i in range(units):
        total += kept[i]
        if arcs[i] >= 0:
            load[m.node[arcs[i]]] += 1
    return total


@helper
def serve_faces(m: Market, b: Booth, above: F64, s: int, load: I64, dear: F64, arc: I64) -> float:
    """Serve a series by nobody, one face, two, or whoever is cheapest for the price of three."""
    first, members = m.member_ptr[s], m.member_ptr[s + 1] - m.member_ptr[s]
    n, base = b.face_ptr[s + 1] - b.face_ptr[s], b.face_ptr[s]
    unmet = 0.0
    rest = np.zeros(members + 1)  # of the cheapest arcs from a request on
    cheapest = np.empty(members, np.int64)
    alone = np.zeros(n)
    for k in range(members):
        r = m.member[first + k]
        unmet += m.unmet[r]
        floor = b.floor[r]
        for j in range(n):
            dear[k * n + j], arc[k * n + j] = floor, -1
        least, at = floor, -1
        for a in range(m.arc_ptr[r], m.arc_ptr[r + 1]):
            cost = m.cost[a] + above[m.node[a]]
            j = k * n + b.place[a]
            if cost < dear[j]:
                dear[j], arc[j] = cost, a
                if cost < least:
                    least, at = cost, a
        rest[k], cheapest[k] = least, at
        for j in range(n):
            alone[j] += dear[k * n + j]
    for k in range(members - 1, -1, -1):
        rest[k] += rest[k + 1]
    best, p, q = unmet, -1, -1
    price = m.further * max(0, 1 - m.rule[s, FREE])
    for j in range(n):
        if alone[j] + b.own[base + j] + price < best:
            best, p = alone[j] + b.own[base + j] + price, j
    if m.rule[s, CAP] >= 2:
        price = m.further * max(0, 2 - m.rule[s, FREE])
        if price + rest[0] < best:
            ranked = np.argsort(alone)
            for i in range(n):
                f = ranked[i]
                for h in range(i):
                    g = ranked[h]
                    total = float(price + b.own[base + f] + b.own[base + g])
                    for k in range(members):
                        total += min(dear[k * n + f], dear[k * n + g])
                        if total + rest[k + 1] >= best:
                            break
                    else:
                        best, p, q = total, f, g
    if m.rule[s, CAP] >= 3 and m.further * max(0, 3 - m.rule[s, FREE]) + rest[0] < best:
        best, p = m.further * max(0, 3 - m.rule[s, FREE]) + rest[0], -2
    if p == -1:
        return best
    for k in range(members):
        a = cheapest[k]
        if p >= 0:
            a = arc[k * n + p]
            if q >= 0 and dear[k * n + q] < dear[k * n + p]:
                a = arc[k * n + q]
        if a >= 0:
            load[m.node[a]] += 1
    return best


@helper
def serve_all(m: Market, b: Booth, price: F64, load: I64, work: F64, arc: I64) -> float:
    """Serve every series at its cheapest at prices; return what they cost, less what the capacities earn."""
    above = np.empty(len(price))
    for i in range(len(b.order)):
        k = b.order[i]
        up = m.parent[k]
        above[k] = price[k] + (above[up] if up >= 0 else 0.0)
    load[:] = 0
    total = 0.0
    for s in range(len(b.simple)):
        if b.simple[s]:
            total += serve_faces(m, b, above, s, load, work, arc)
        else:
            for i in range(m.member_ptr[s], m.member_ptr[s + 1]):
                total += serve_loose(m, b, above, m.member[i], load, work, arc)
    for i in range(len(b.order) - 1, -1, -1):
        k = b.order[i]
        if m.parent[k] >= 0:
            load[m.parent[k]] += load[k]
        units = earning(m, k, price[k])
        total -= units * price[k] - m.load_cost[k] * (units * (units - 1) // 2)
    return total


@helper
def earning(m: Market, k: int, price: float) -> int:
    """Return how many units a node lets through gladly at its price."""
    step = m.load_cost[k]
    if step == 0:
        return int(m.capacity[k])
    return min(int(m.capacity[k]), int(np.ceil(price / step)))


@jit
def ascend(
    m: Market, b: Booth, price: F64, worth: float, steps: int, room: int, flag: NDArray[np.uint8]
) -> float:
    """Improve prices by subgradient steps; return the bound that the best of them give, in floats.

    The steps (see `climb`) go towards `worth`, and are shorter where they have not helped for long.

    Parameters
    ----------
    price : float64 (n_nodes,)
        Own prices, >= 0; replaced by the best found.
    worth : float
        A cost that can be reached, or a guess of it.
    room : int
        The largest product of a series' requests and faces, and of any request's units.
    """
    n = len(price)
    best, at, way, more = price.copy(), price.copy(), np.zeros(n), np.zeros(n)
    load, work, arc = np.zeros(n, np.int64), np.empty(room), np.empty(room, np.int64)
    found, length, failed = -np.inf, 1.0, 0
    for _step in range(steps):
        if flag[0]:
            break
        bound = serve_all(m, b, at, load, work, arc)
        if bound > found:
            found, failed = bound, 0
            best[:] = at
        else:
            failed += 1
            if failed == 5:
                failed = 0
                length *= 0.7
                at[:] = best
                way[:] = 0.0
                continue
        for k in range(n):
            more[k] = float(load[k] - earning(m, k, at[k]))
        if not climb(at, way, more, length, worth - bound):
            break
    price[:] = best
    return found
