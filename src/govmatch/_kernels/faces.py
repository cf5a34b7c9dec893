"""Few faces for each series of requests: series by series anew, alone or with those that are in the way.

A series is a set of requests that would rather be served by few different providers (its faces). Requests
outside all series are series of their own here, for which no face costs anything. What is known of the
series at hand, ``Bench``, is a matrix of its requests and faces.

Arcs may belong to bands (see `solve.bands`): no arc is taken that would exceed one, and below its least a
unit is worth what its lack would cost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import helper, jit

I64 = NDArray[np.int64]

FAR = 1 << 60
"""Cost of what cannot be."""

TOO_MANY = 1 << 50
"""Cost of each face beyond the most; more than all else."""

LARGEST = 8
"""Series that one move takes apart."""

FREE, CAP = 0, 1
"""Columns of ``Market.rule``: faces that cost nothing; most faces."""

MOST, LEAST, LACK = 0, 1, 2
"""Columns of ``Market.band_rule``; the last: what each unit below the least costs."""


class Market(NamedTuple):
    """What does not change."""

    arc_ptr: I64  # (n_requests + 1,) arcs ascending by request
    cost: I64  # (n_arcs,)
    node: I64  # (n_arcs,)
    group: I64  # (n_arcs,) counts once for a request
    face: I64  # (n_arcs,)
    unit_ptr: I64  # (n_requests + 1,) units that each request needs
    unmet: I64  # (n_requests,)
    series: I64  # (n_requests,)
    member_ptr: I64  # (n_series + 1,)
    member: I64  # (n_requests,) requests by series, in the order in which they are served
    rule: I64  # (n_series, 2)
    known_ptr: I64  # (n_series + 1,) pairs of a series and a face that is known, by face
    known_face: I64
    has_known: I64  # (n_series,)
    parent: I64  # (n_nodes,)
    capacity: I64  # (n_nodes,)
    load_cost: I64  # (n_nodes,)
    band_ptr: I64  # (n_arcs + 1,) the bands of each arc
    band: I64
    band_weight: I64  # what one unit counts
    band_rule: I64  # (n_bands, 3)
    further: int  # cost of a face beyond the free ones
    stranger: int  # cost of a face that is not known where somebody is


class Desk(NamedTuple):
    """The assignment, and work space."""

    held: I64  # (n_units,) arc, -1: unmet
    load: I64  # (n_nodes,)
    used: I64  # (n_bands,)
    first_unit: I64  # (n_faces,) chain of the units that a face holds; -1: none
    after: I64  # (n_units,)
    before: I64  # (n_units,) -1: the first
    local: I64  # (n_faces,) place on the bench; -1: none
    best: I64  # (most_members * most_faces,) cheapest cost of a face for a request
    name: I64  # (most_faces,) the faces on the bench
    kept: I64  # (most_units,) costs of a request's cheapest faces, ascending
    chosen: I64  # (most_faces,) 1: on the list
    old: I64  # (LARGEST * most_units,) what the units held before
    stamp: I64  # (n_series,) the last move that took it apart


@helper
def room(m: Market, d: Desk, arc: int) -> bool:
    """Tell whether a unit more fits through the node of an arc, all above and its bands."""
    for i in range(m.band_ptr[arc], m.band_ptr[arc + 1]):
        if d.used[m.band[i]] + m.band_weight[i] > m.band_rule[m.band[i], MOST]:
            return False
    node = m.node[arc]
    while node >= 0:
        if d.load[node] >= m.capacity[node]:
            return False
        node = m.parent[node]
    return True


@helper
def marginal(m: Market, d: Desk, arc: int) -> int:
    """Return the cost of an arc with that of the loads above, less what its bands lack."""
    cost, node = m.cost[arc], m.node[arc]
    while node >= 0:
        cost += m.load_cost[node] * d.load[node]
        node = m.parent[node]
    for i in range(m.band_ptr[arc], m.band_ptr[arc + 1]):
        if d.used[m.band[i]] < m.band_rule[m.band[i], LEAST]:
            cost -= m.band_rule[m.band[i], LACK]
    return int(cost)


@helper
def put(m: Market, d: Desk, unit: int, arc: int) -> int:
    """Serve a unit; return what its arc and loads cost."""
    cost = marginal(m, d, arc)
    node, face = m.node[arc], m.face[arc]
    while node >= 0:
        d.load[node] += 1
        node = m.parent[node]
    for i in range(m.band_ptr[arc], m.band_ptr[arc + 1]):
        d.used[m.band[i]] += m.band_weight[i]
    d.held[unit] = arc
    first = d.first_unit[face]
    d.after[unit], d.before[unit] = first, -1
    if first >= 0:
        d.before[first] = unit
    d.first_unit[face] = unit
    return cost


@helper
def take(m: Market, d: Desk, unit: int) -> int:
    """Free a unit; return what its arc and loads cost."""
    arc = d.held[unit]
    node, face = m.node[arc], m.face[arc]
    while node >= 0:
        d.load[node] -= 1
        node = m.parent[node]
    for i in range(m.band_ptr[arc], m.band_ptr[arc + 1]):
        d.used[m.band[i]] -= m.band_weight[i]
    before, after = d.before[unit], d.after[unit]
    if before >= 0:
        d.after[before] = after
    else:
        d.first_unit[face] = after
    if after >= 0:
        d.before[after] = before
    d.held[unit] = -1
    return marginal(m, d, arc)


@helper
def strange(m: Market, s: int, face: int) -> int:
    """Return what a face costs for not being known."""
    if not m.has_known[s]:
        return 0
    lo, hi = m.known_ptr[s], m.known_ptr[s + 1]
    while lo < hi:
        mid = (lo + hi) // 2
        if m.known_face[mid] < face:
            lo = mid + 1
        else:
            hi = mid
    return 0 if lo < m.known_ptr[s + 1] and m.known_face[lo] == face else m.stranger


@helper
def faces_cost(m: Market, d: Desk, s: int) -> int:
    """Return what the faces of a series cost, those beyond the most `TOO_MANY` each."""
    n, cost = 0, 0
    for i in range(m.member_ptr[s], m.member_ptr[s + 1]):
        r = m.member[i]
        for u in range(m.unit_ptr[r], m.unit_ptr[r + 1]):
            if d.held[u] >= 0 and d.local[m.face[d.held[u]]] != -2:
                face = m.face[d.held[u]]
                d.local[face] = -2
                cost += strange(m, s, face)
                n += 1
    for i in range(m.member_ptr[s], m.member_ptr[s + 1]):
        r = m.member[i]
        for u in range(m.unit_ptr[r], m.unit_ptr[r + 1]):
            if d.held[u] >= 0:
                d.local[m.face[d.held[u]]] = -1
    cost += m.further * max(0, n - m.rule[s, FREE])
    return int(cost + TOO_MANY * max(0, n - m.rule[s, CAP]))


@helper
def empty(m: Market, d: Desk, s: int) -> int:
    """Free all units of a series; return what they cost, faces and unmet units included."""
    cost = faces_cost(m, d, s)
    for i in range(m.member_ptr[s + 1] - 1, m.member_ptr[s] - 1, -1):
        r = m.member[i]
        for u in range(m.unit_ptr[r + 1] - 1, m.unit_ptr[r] - 1, -1):
            cost += take(m, d, u) if d.held[u] >= 0 else m.unmet[r]
    return cost


@helper
def lay_bench(m: Market, d: Desk, s: int, ignore_load: bool) -> int:
    """Fill the bench with the cheapest free arc of each face for each request; return how many faces."""
    n, width = 0, len(d.name)
    for k in range(m.member_ptr[s + 1] - m.member_ptr[s]):
        r = m.member[m.member_ptr[s] + k]
        for a in range(m.arc_ptr[r], m.arc_ptr[r + 1]):
            face = m.face[a]
            if d.local[face] < 0:
                d.local[face] = n
                d.name[n] = face
                for j in range(m.member_ptr[s + 1] - m.member_ptr[s]):
                    d.best[j * width + n] = FAR
                n += 1
            if ignore_load:
                cost = m.cost[a]
            elif room(m, d, a):
                cost = marginal(m, d, a)
            else:
                continue
            at = k * width + d.local[face]
            d.best[at] = min(d.best[at], cost)
    for j in range(n):
        d.local[d.name[j]] = -1
    return n


@helper
def worst_kept(m: Market, d: Desk, s: int, n: int, k: int, skip: int) -> int:
    """Return what the dearest unit of a request costs with the faces on the list but `skip`."""
    r = m.member[m.member_ptr[s] + k]
    units, width = m.unit_ptr[r + 1] - m.unit_ptr[r], len(d.name)
    for i in range(units):
        d.kept[i] = m.unmet[r]
    for j in range(n):
        cost = d.best[k * width + j]
        if d.chosen[j] and j != skip and units and cost < d.kept[units - 1]:
            i = units - 1
            while i > 0 and d.kept[i - 1] > cost:
                d.kept[i] = d.kept[i - 1]
                i -= 1
            d.kept[i] = cost
    return int(d.kept[units - 1]) if units else -FAR


@helper
def saving(m: Market, d: Desk, s: int, n: int, j: int, skip: int) -> int:
    """Return what a face saves beside those on the list but `skip`, without what it costs itself."""
    total, width = 0, len(d.name)
    for k in range(m.member_ptr[s + 1] - m.member_ptr[s]):
        cost = d.best[k * width + j]
        if cost < FAR:
            worst = worst_kept(m, d, s, n, k, skip)
            if cost < worst:
                total += worst - cost
    return total


@helper
def choose(m: Market, d: Desk, s: int, n: int) -> None:
    """Put faces on the list: the one that saves most, again and again; then better ones in their places."""
    members = m.member_ptr[s + 1] - m.member_ptr[s]
    width, listed = len(d.name), 0
    worst = np.empty(members, np.int64)
    for j in range(n):
        d.chosen[j] = 0
    for _ in range(4 * n + 4):
        out = -1
        for k in range(members):
            worst[k] = worst_kept(m, d, s, n, k, -1)
        best, gain = -1, 0
        if listed < m.rule[s, CAP]:
            price = m.further if listed >= m.rule[s, FREE] else 0
            for j in range(n):
                if d.chosen[j]:
                    continue
                saved = -price - strange(m, s, d.name[j])
                for k in range(members):
                    cost = d.best[k * width + j]
                    if cost < worst[k]:
                        saved += worst[k] - cost
                if saved > gain:
                    best, gain = j, saved
        if best < 0:  # nobody more: somebody else instead
            for f in range(n):
                if not d.chosen[f]:
                    continue
                for k in range(members):
                    worst[k] = worst_kept(m, d, s, n, k, f)
                own = -strange(m, s, d.name[f])
                for k in range(members):
                    cost = d.best[k * width + f]
                    if cost < worst[k]:
                        own += worst[k] - cost
                price = m.further if listed > m.rule[s, FREE] else 0
                if own < price and price - own > gain:
                    best, out, gain = n, f, price - own
                for j in range(n):
                    if d.chosen[j]:
                        continue
                    saved = -own - strange(m, s, d.name[j])
                    for k in range(members):
                        cost = d.best[k * width + j]
                        if cost < worst[k]:
                            saved += worst[k] - cost
                    if saved > gain:
                        best, out, gain = j, f, saved
        if best < 0:
            return
        if out >= 0:
            d.chosen[out] = 0
            listed -= 1
        if best < n:
            d.chosen[best] = 1
            listed += 1


@helper
def fill(m: Market, d: Desk, s: int, n: int) -> int:
    """Serve an empty series by the faces on the list, each request at least cost; return what it costs."""
    total = 0
    for j in range(n):
        d.local[d.name[j]] = 1 if d.chosen[j] else 0
    for i in range(m.member_ptr[s], m.member_ptr[s + 1]):
        r = m.member[i]
        for u in range(m.unit_ptr[r], m.unit_ptr[r + 1]):
            best, least = -1, m.unmet[r]
            for a in range(m.arc_ptr[r], m.arc_ptr[r + 1]):
                if d.local[m.face[a]] != 1 or not room(m, d, a):
                    continue
                if m.cost[a] >= least and m.band_ptr[a] == m.band_ptr[a + 1]:
                    continue
                cost = marginal(m, d, a)
                if cost >= least:
                    continue
                double = False
                for v in range(m.unit_ptr[r], u):
                    double |= d.held[v] >= 0 and m.group[d.held[v]] == m.group[a]
                if not double:
                    best, least = a, cost
            total += put(m, d, u, best) if best >= 0 else m.unmet[r]
    for j in range(n):
        d.local[d.name[j]] = -1
    return total + faces_cost(m, d, s)


@helper
def remember(m: Market, d: Desk, s: int, place: int) -> int:
    """Note what the units of a series hold; return the place behind."""
    for i in range(m.member_ptr[s], m.member_ptr[s + 1]):
        r = m.member[i]
        for u in range(m.unit_ptr[r], m.unit_ptr[r + 1]):
            d.old[place] = d.held[u]
            place += 1
    return place


@helper
def restore(m: Market, d: Desk, s: int, place: int) -> int:
    """Give the units of an empty series what was noted; return the place behind."""
    for i in range(m.member_ptr[s], m.member_ptr[s + 1]):
        r = m.member[i]
        for u in range(m.unit_ptr[r], m.unit_ptr[r + 1]):
            if d.old[place] >= 0:
                put(m, d, u, d.old[place])
            place += 1
    return place


@helper
def serve_anew(m: Market, d: Desk, s: int) -> int:
    """Serve an empty series; return what it costs."""
    n = lay_bench(m, d, s, False)
    choose(m, d, s, n)
    return fill(m, d, s, n)


@helper
def in_the_way(m: Market, d: Desk, s: int, face: int, team: I64, move: int, draw: int) -> int:
    """List a series, and those that hold what a face would serve it with; return how many."""
    team[0] = s
    d.stamp[s] = move
    n = 1
    for i in range(m.member_ptr[s], m.member_ptr[s + 1]):
        r = m.member[i]
        for a in range(m.arc_ptr[r], m.arc_ptr[r + 1]):
            if m.face[a] != face or room(m, d, a):
                continue
            u = d.first_unit[face]
            while u >= 0 and n < LARGEST:
                # whoever shares a full node with this arc
                shares, node = False, m.node[a]
                while node >= 0 and not shares:
                    if d.load[node] >= m.capacity[node]:
                        other = m.node[d.held[u]]
                        while other >= 0 and other != node:
                            other = m.parent[other]
                        shares = other == node
                    node = m.parent[node]
                if shares:
                    t = m.series[unit_request(m, u)]
                    if d.stamp[t] != move and (draw + t) % 4 != 0:
                        d.stamp[t] = move
                        team[n] = t
                        n += 1
                u = d.after[u]
    return n


@helper
def unit_request(m: Market, u: int) -> int:
    """Return the request of a unit."""
    lo, hi = 0, len(m.unit_ptr) - 1
    while hi - lo > 1:
        mid = (lo + hi) // 2
        if m.unit_ptr[mid] <= u:
            lo = mid
        else:
            hi = mid
    return lo


@jit
def load_units(m: Market, d: Desk, held: I64) -> None:
    """Serve units of an empty desk by the arcs of `held`; -1 leaves one unmet."""
    for u in range(len(held)):
        if held[u] >= 0:
            put(m, d, u, held[u])


@jit
def sweep(m: Market, d: Desk, order: I64, flag: NDArray[np.uint8]) -> int:
    """Serve each series of `order` anew where that is cheaper, or has fewer faces than it may have.

    Returns how many changed.
    """
    changed = 0
    for s in order:
        if flag[0]:
            break
        remember(m, d, s, 0)
        before = empty(m, d, s)
        if serve_anew(m, d, s) < before:
            changed += 1
        else:
            empty(m, d, s)
            restore(m, d, s, 0)
    return changed


@jit
def exchange(
    m: Market, d: Desk, order: I64, move: int, draw: int, slack: int, flag: NDArray[np.uint8]
) -> int:
    """Give each series of `order` one of the faces that suit it best, making those anew that are in the way.

    What costs more than `slack` more is undone. Returns how much was saved.
    """
    team = np.empty(LARGEST, np.int64)
    saved = 0
    for s in order:
        if flag[0]:
            break
        move += 1
        draw = (draw * 6364136223846793005 + 1442695040888963407) & 0x7FFFFFFFFFFFFFFF
        n = lay_bench(m, d, s, True)
        if n == 0:
            continue
        members = m.member_ptr[s + 1] - m.member_ptr[s]
        # one of the best few
        wanted, rank = -1, (draw >> 33) % 6
        for j in range(n):
            d.chosen[j] = 0
        for _ in range(min(rank + 1, n)):
            wanted, most = -1, -1
            for j in range(n):
                if d.chosen[j]:
                    continue
                total = -strange(m, s, d.name[j])
                for k in range(members):
                    r = m.member[m.member_ptr[s] + k]
                    total += max(0, m.unmet[r] - d.best[k * len(d.name) + j])
                if total > most:
                    wanted, most = j, total
            if wanted < 0:
                break
            d.chosen[wanted] = 1
        if wanted < 0:
            continue
        size = in_the_way(m, d, s, d.name[wanted], team, move, draw >> 20)
        place, before = 0, 0
        for i in range(size):
            place = remember(m, d, team[i], place)
        for i in range(size - 1, -1, -1):
            before += empty(m, d, team[i])
        after = 0
        for i in range(size):
            after += serve_anew(m, d, team[i])
        if after <= before + slack:
            saved += before - after
        else:
            for i in range(size - 1, -1, -1):
                empty(m, d, team[i])
            place = 0
            for i in range(size):
                place = restore(m, d, team[i], place)
    return saved
