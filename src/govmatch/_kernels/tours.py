"""Tours: who visits whom in which order, and the earliest times at which that can be done.

A *visit* is one person's part of a request. A *tour* is one bookable stretch of one person's time: it
leaves a place, makes its visits one after the other, and is back at a place before its end. Visits of one
request may be linked by the time between their starts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import helper

I64 = NDArray[np.int64]

NOBODY = -1
"""The tour of a visit that is not made."""

PLACE, MINUTES, EARLIEST, DUE, LATEST, LATE_COST, REQUEST, OPTIONS, OPTIONS_END, LINKS, LINKS_END = range(11)
"""Columns of ``Visits.visit``: where; how long; begins no earlier; a begin after `DUE` costs `LATE_COST` per
unit of time; begins no later; of which request; its options and its links (of ``Visits.linked``)."""

FIRST_VISIT, VISITS_END, UNMET_COST, FLOORS, FLOORS_END = range(5)
"""Columns of ``Visits.request``: its visits stand together; what making none of them costs; its entries of
``Visits.promise``."""

FLOOR, PEOPLE = range(2)
"""Columns of ``Visits.promise``: a floor that a request counts for, and how many people."""

ALLOWED, SHORT_COST = range(2)
"""Columns of ``Visits.floor``: people who may be missing; what each further one costs."""

FIRST, SECOND, LEAST, MOST = range(4)
"""Columns of ``Visits.link``: `LEAST` <= begin of `SECOND` - begin of `FIRST` <= `MOST`."""

OPTION_TOUR, OPTION_COST, OUT, BACK, RULES, RULES_END = range(6)
"""Columns of ``Visits.option``: a tour that a visit may be made on, ascending, and what that costs; the time
from the tour's start to the visit, and from there to the tour's end; its entries of ``Visits.entry``."""

RULE, WEIGHT = range(2)
"""Columns of ``Visits.entry``: a rule that an option counts for, and how much."""

PERSON, MODE, BEGINS, ENDS, NODE = range(5)
"""Columns of ``Visits.tour``: visits of one request are made by different people; how the person travels;
when the tour begins at the earliest and ends at the latest; the node of the forest to which its visits are
charged."""

PARENT, CAPACITY, LOAD_COST = range(3)
"""Columns of ``Visits.node``: -1 at a root; visits that it lets through; what each costs more than the one
before."""

AFTER, BEFORE, TOUR, BEGIN, CHOSEN = range(5)
"""Columns of ``Tours.chain``: what comes next and before; the tour (`NOBODY`: not made); when it begins; by
which option."""

TRAVEL, LATE, OTHER, OVER, LOGGED, WORST, OLD_WORST = range(7)
"""Entries of ``Tours.sums``: time on the way; cost of being late; all other cost; how many limits are
exceeded; entries of the log; the largest lateness of all tours, and what it was."""

LATENESS, LARGEST, MARK, LISTED, OLD_LATENESS, OLD_LARGEST = range(6)
"""Columns of ``Tours.timed``: cost of being late on a tour, its largest lateness; the rest is work space."""


class Visits(NamedTuple):
    """What does not change while tours are sought: the columns above."""

    travel: NDArray[np.int32]  # (n_modes, n_places, n_places) time from visit to visit
    visit: I64  # (n_visits, 11)
    request: I64  # (n_requests, 5)
    promise: I64  # (n_promises, 2) by request
    floor: I64  # (n_floors, 2)
    link: I64  # (n_links, 4)
    linked: I64  # (2 n_links,) links by visit
    option: I64  # (n_options, 6) by visit
    entry: I64  # (n_entries, 2) by option
    limit: I64  # (n_rules,) what each rule lets through
    tour: I64  # (n_tours, 5)
    node: I64  # (n_nodes, 3)
    cost: I64  # (2,) of one unit of time on the way; of one unit of the largest lateness
    rest: I64  # (2,) how long a rest is, 0: none is needed; how long nobody goes without one


class Tours(NamedTuple):
    """The tours as chains, of which ``n_visits + k`` is both the head and the end of tour k."""

    chain: I64  # (n_visits + n_tours, 5)
    timed: I64  # (n_tours, 6)
    load: I64  # (n_nodes,)
    used: I64  # (n_rules,)
    missing: I64  # (n_floors,) people
    made: I64  # (n_requests,) visits made
    sums: I64  # (7,)
    log: I64  # (size, 3) what was done: visit, the one before it, its option (`NOBODY`: it was put in)
    old_begin: I64  # (n_visits,) work space
    rest: I64  # (n_visits,) work space: the rest before a visit


def blank_tours(visits: Visits) -> Tours:
    """No visit is made."""
    n, t = len(visits.visit), len(visits.tour)
    chain = np.zeros((n + t, 5), np.int64)
    chain[:, AFTER] = chain[:, BEFORE] = np.arange(n + t)
    chain[:n, TOUR] = NOBODY
    chain[n:, TOUR] = np.arange(t)
    sums = np.zeros(7, np.int64)
    some = visits.request[:, VISITS_END] > visits.request[:, FIRST_VISIT]
    sums[OTHER] = visits.request[some, UNMET_COST].sum()
    missing = np.zeros(len(visits.floor), np.int64)
    for r in np.flatnonzero(some):
        for i in range(visits.request[r, FLOORS], visits.request[r, FLOORS_END]):
            missing[visits.promise[i, FLOOR]] += visits.promise[i, PEOPLE]
    sums[OTHER] += (visits.floor[:, SHORT_COST] * np.maximum(0, missing - visits.floor[:, ALLOWED])).sum()
    return Tours(
        chain=chain,
        timed=np.zeros((t, 6), np.int64),
        load=np.zeros(len(visits.node), np.int64),
        used=np.zeros(len(visits.limit), np.int64),
        missing=missing,
        made=np.zeros(len(visits.request), np.int64),
        sums=sums,
        log=np.zeros((4 * n + 8, 3), np.int64),
        old_begin=np.zeros(n, np.int64),
        rest=np.zeros(n, np.int64),
    )


@helper
def option(visits: Visits, x: int, k: int) -> int:
    """Return where the options of visit `x` name tour `k`; -1: they do not."""
    lo, hi = visits.visit[x, OPTIONS], visits.visit[x, OPTIONS_END]
    while lo < hi:
        mid = (lo + hi) >> 1
        if visits.option[mid, OPTION_TOUR] < k:
            lo = mid + 1
        else:
            hi = mid
    return lo if lo < visits.visit[x, OPTIONS_END] and visits.option[lo, OPTION_TOUR] == k else -1


@helper
def way(visits: Visits, tours: Tours, k: int, p: int, q: int) -> int:
    """Return the time on the way from `p` to `q`, visits of tour `k` or its ends; none without a visit."""
    n = len(visits.visit)
    if p < n and q < n:
        return int(visits.travel[visits.tour[k, MODE], visits.visit[p, PLACE], visits.visit[q, PLACE]])
    if q < n:
        return int(visits.option[tours.chain[q, CHOSEN], OUT])
    return int(visits.option[tours.chain[p, CHOSEN], BACK]) if p < n else 0


@helper
def charge(visits: Visits, tours: Tours, chosen: int, units: int) -> None:
    """Count a visit by an option more (1) or less (-1), on all nodes above its tour and for its rules."""
    for i in range(visits.option[chosen, RULES], visits.option[chosen, RULES_END]):
        rule = visits.entry[i, RULE]
        tours.sums[OVER] -= int(tours.used[rule] > visits.limit[rule])
        tours.used[rule] += units * visits.entry[i, WEIGHT]
        tours.sums[OVER] += int(tours.used[rule] > visits.limit[rule])
    node = visits.tour[visits.option[chosen, OPTION_TOUR], NODE]
    while node >= 0:
        load = tours.load[node]
        if units > 0:
            tours.sums[OTHER] += visits.node[node, LOAD_COST] * load
            tours.sums[OVER] += load >= visits.node[node, CAPACITY]
        else:
            tours.sums[OTHER] -= visits.node[node, LOAD_COST] * (load - 1)
            tours.sums[OVER] -= load > visits.node[node, CAPACITY]
        tours.load[node] = load + units
        node = visits.node[node, PARENT]


@helper
def miss(visits: Visits, tours: Tours, r: int, units: int) -> None:
    """Count the people of a request as missing (1), or no longer (-1), and what that costs, floors too."""
    tours.sums[OTHER] += units * visits.request[r, UNMET_COST]
    for i in range(visits.request[r, FLOORS], visits.request[r, FLOORS_END]):
        f = visits.promise[i, FLOOR]
        before = max(0, tours.missing[f] - visits.floor[f, ALLOWED])
        tours.missing[f] += units * visits.promise[i, PEOPLE]
        after = max(0, tours.missing[f] - visits.floor[f, ALLOWED])
        tours.sums[OTHER] += visits.floor[f, SHORT_COST] * (after - before)


@helper
def count(visits: Visits, tours: Tours, x: int, units: int) -> None:
    """Count a visit of a request more (1) or less (-1); it is unmet while none is made."""
    r = visits.visit[x, REQUEST]
    made = tours.made[r]
    if made == 0:
        miss(visits, tours, r, -1)
    tours.made[r] = made + units
    if made + units == 0:
        miss(visits, tours, r, 1)


@helper
def write_down(tours: Tours, x: int, p: int, chosen: int) -> None:
    """Add an entry to the log."""
    i = tours.sums[LOGGED]
    tours.log[i, 0] = x
    tours.log[i, 1] = p
    tours.log[i, 2] = chosen
    tours.sums[LOGGED] = i + 1


@helper
def take_out(visits: Visits, tours: Tours, x: int) -> None:
    """Let visit `x` not be made, and write that down."""
    chain, sums = tours.chain, tours.sums
    k, p, q, chosen = chain[x, TOUR], chain[x, BEFORE], chain[x, AFTER], chain[x, CHOSEN]
    sums[TRAVEL] += way(visits, tours, k, p, q) - way(visits, tours, k, p, x) - way(visits, tours, k, x, q)
    sums[OTHER] -= visits.option[chosen, OPTION_COST]
    charge(visits, tours, chosen, -1)
    chain[p, AFTER] = q
    chain[q, BEFORE] = p
    chain[x, TOUR] = NOBODY
    count(visits, tours, x, -1)
    write_down(tours, x, p, chosen)


@helper
def put_in(visits: Visits, tours: Tours, x: int, p: int, chosen: int) -> None:
    """Make visit `x` by one of its options right after `p` on that tour, and write that down."""
    chain, sums = tours.chain, tours.sums
    k, q = visits.option[chosen, OPTION_TOUR], chain[p, AFTER]
    chain[x, CHOSEN] = chosen
    sums[TRAVEL] += way(visits, tours, k, p, x) + way(visits, tours, k, x, q) - way(visits, tours, k, p, q)
    sums[OTHER] += visits.option[chosen, OPTION_COST]
    charge(visits, tours, chosen, 1)
    chain[p, AFTER] = x
    chain[q, BEFORE] = x
    chain[x, BEFORE] = p
    chain[x, AFTER] = q
    chain[x, TOUR] = k
    count(visits, tours, x, 1)
    write_down(tours, x, p, NOBODY)


@helper
def undo(visits: Visits, tours: Tours) -> None:
    """Take back all that is written down, the last first."""
    for i in range(tours.sums[LOGGED] - 1, -1, -1):
        x, p, chosen = tours.log[i, 0], tours.log[i, 1], tours.log[i, 2]
        if chosen == NOBODY:
            take_out(visits, tours, x)
        else:
            put_in(visits, tours, x, p, chosen)
        tours.sums[LOGGED] = i


@helper
def whole(visits: Visits, tours: Tours) -> bool:
    """Tell whether what is written down keeps all limits but those of time.

    A request's visits are all made or none, by different people; no node is over its capacity, no rule over
    its limit.
    """
    if tours.sums[OVER] > 0:
        return False
    for i in range(tours.sums[LOGGED]):
        r = visits.visit[tours.log[i, 0], REQUEST]
        first, last = visits.request[r, FIRST_VISIT], visits.request[r, VISITS_END]
        if tours.made[r] != 0 and tours.made[r] != last - first:
            return False
        if tours.made[r] == 0:
            continue
        for x in range(first, last):
            person = visits.tour[tours.chain[x, TOUR], PERSON]
            for y in range(x + 1, last):
                if visits.tour[tours.chain[y, TOUR], PERSON] == person:
                    return False
    return True


@helper
def list_tour(timed: I64, k: int, listed: int) -> int:
    """List a tour to be timed anew, once; return how many there are."""
    if k >= 0 and timed[k, MARK] == 0:
        timed[k, MARK] = 1
        timed[listed, LISTED] = k
        return listed + 1
    return listed


@helper
def list_tours(visits: Visits, tours: Tours) -> tuple[int, int]:
    """List the tours that are written down and those that meet them through links; count tours and links."""
    visit, link, linked = visits.visit, visits.link, visits.linked
    chain, timed, log = tours.chain, tours.timed, tours.log
    n = len(visit)
    listed = 0
    for i in range(tours.sums[LOGGED]):
        x = log[i, 0]
        if log[i, 2] != NOBODY:
            listed = list_tour(timed, visits.option[log[i, 2], OPTION_TOUR], listed)
        listed = list_tour(timed, chain[x, TOUR], listed)
        # whoever is linked with it may begin earlier now
        for j in range(visit[x, LINKS], visit[x, LINKS_END]):
            y = link[linked[j], FIRST] + link[linked[j], SECOND] - x
            listed = list_tour(timed, chain[y, TOUR], listed)
    i = 0
    links = 0
    while i < listed:
        x = chain[n + timed[i, LISTED], AFTER]
        while x < n:
            for j in range(visit[x, LINKS], visit[x, LINKS_END]):
                y = link[linked[j], FIRST] + link[linked[j], SECOND] - x
                listed = list_tour(timed, chain[y, TOUR], listed)
                links += 1
            x = chain[x, AFTER]
        i += 1
    return listed, links


@helper
def time_anew(visits: Visits, tours: Tours) -> tuple[int, bool]:
    """Time what is written down; return how many tours were timed, and whether all keep their times.

    Every visit begins as early as it can, which is best for all of them at once: links only ever push
    later, so the earliest times are the least solution of the longest-path inequalities. Where rests are
    needed, one is taken before the visit that would be over too late without, if waiting is none.
    ``Tours.old_begin`` and ``timed`` keep what was.
    """
    visit, tour = visits.visit, visits.tour
    chain, timed, old_begin = tours.chain, tours.timed, tours.old_begin
    n = len(visit)
    rest, longest = visits.rest[0], visits.rest[1]
    listed, links = list_tours(visits, tours)
    kept = True
    for i in range(listed):
        k = timed[i, LISTED]
        timed[k, MARK] = 0
        timed[k, OLD_LATENESS] = timed[k, LATENESS]
        timed[k, OLD_LARGEST] = timed[k, LARGEST]
        now = tour[k, BEGINS]
        since = now
        x = chain[n + k, AFTER]
        while x < n:
            old_begin[x] = chain[x, BEGIN]
            free, there = now, way(visits, tours, k, chain[x, BEFORE], x)
            now = max(free + there, visit[x, EARLIEST])
            if rest > 0:
                tours.rest[x] = 0
                if chain[x, BEFORE] >= n or now - there - free >= rest:
                    since = now - there
                elif now + visit[x, MINUTES] - since > longest:
                    tours.rest[x] = rest
                    now = max(free + rest + there, visit[x, EARLIEST])
                    since = now - there
            chain[x, BEGIN] = now
            kept &= now <= visit[x, LATEST]
            now += visit[x, MINUTES]
            x = chain[x, AFTER]
    if kept and links > 0:
        kept = settle_links(visits, tours, listed, links)
    was, worst, fell = tours.sums[WORST], 0, False
    for i in range(listed):
        k = timed[i, LISTED]
        late, largest, back = 0, 0, tour[k, ENDS]
        x = chain[n + k, AFTER]
        while x < n:
            lateness = chain[x, BEGIN] - visit[x, DUE]
            if lateness > 0:
                late += visit[x, LATE_COST] * lateness
                largest = max(largest, lateness)
            x = chain[x, AFTER]
        x = chain[n + k, BEFORE]
        if x < n:
            back = chain[x, BEGIN] + visit[x, MINUTES] + way(visits, tours, k, x, n + k)
        kept &= back <= tour[k, ENDS] and (rest == 0 or rested(visits, tours, k))
        tours.sums[LATE] += late - timed[k, LATENESS]
        timed[k, LATENESS] = late
        timed[k, LARGEST] = largest
        worst = max(worst, largest)
        fell |= largest < timed[k, OLD_LARGEST] == was
    tours.sums[OLD_WORST] = was
    tours.sums[WORST] = timed[:, LARGEST].max() if fell and worst < was else max(was, worst)
    return listed, kept


@helper
def rested(visits: Visits, tours: Tours, k: int) -> bool:
    """Tell whether nobody works and travels for too long without a rest on tour `k`, the way back aside."""
    visit, chain, n = visits.visit, tours.chain, len(visits.visit)
    free, since = visits.tour[k, BEGINS], 0
    x = chain[n + k, AFTER]
    while x < n:
        leaves = chain[x, BEGIN] - way(visits, tours, k, chain[x, BEFORE], x)
        if chain[x, BEFORE] >= n or leaves - free >= visits.rest[0]:
            since = leaves
        free = chain[x, BEGIN] + visit[x, MINUTES]
        if free - since > visits.rest[1]:
            return False
        x = chain[x, AFTER]
    return True


@helper
def settle_links(visits: Visits, tours: Tours, listed: int, links: int) -> bool:
    """Push visits of the listed tours later until all links hold; False: some cannot, or not in time.

    After s sweeps every visit begins no earlier than any chain of s links makes it (Bellman 1958): where
    more sweeps than links change something, the links go round in a circle and contradict each other.
    """
    travel, visit, tour, link, linked = visits.travel, visits.visit, visits.tour, visits.link, visits.linked
    chain, timed = tours.chain, tours.timed
    n = len(visit)
    for _sweep in range(links + 2):
        moved = False
        for i in range(listed):
            k = timed[i, LISTED]
            x = chain[n + k, AFTER]
            while x < n:
                for j in range(visit[x, LINKS], visit[x, LINKS_END]):
                    a, b = link[linked[j], FIRST], link[linked[j], SECOND]
                    y = a + b - x
                    if chain[y, TOUR] < 0:
                        continue
                    now = chain[y, BEGIN] + (link[linked[j], LEAST] if x == b else -link[linked[j], MOST])
                    if chain[x, BEGIN] >= now:
                        continue
                    moved = True
                    z = x
                    while z < n and chain[z, BEGIN] < now:
                        if now > visit[z, LATEST]:
                            return False
                        chain[z, BEGIN] = now
                        following = chain[z, AFTER]
                        if following < n:
                            ahead = travel[tour[k, MODE], visit[z, PLACE], visit[following, PLACE]]
                            now += visit[z, MINUTES] + ahead + tours.rest[following]
                        z = following
                x = chain[x, AFTER]
        if not moved:
            return True
    return False


@helper
def forget_times(visits: Visits, tours: Tours, listed: int) -> None:
    """Put back the times of before `time_anew`, while the chains are still those that were timed."""
    n = len(visits.visit)
    tours.sums[WORST] = tours.sums[OLD_WORST]
    for i in range(listed):
        k = tours.timed[i, LISTED]
        x = tours.chain[n + k, AFTER]
        while x < n:
            tours.chain[x, BEGIN] = tours.old_begin[x]
            x = tours.chain[x, AFTER]
        tours.sums[LATE] += tours.timed[k, OLD_LATENESS] - tours.timed[k, LATENESS]
        tours.timed[k, LATENESS], tours.timed[k, LARGEST] = (
            tours.timed[k, OLD_LATENESS],
            tours.timed[k, OLD_LARGEST],
        )


@helper
def total_cost(visits: Visits, tours: Tours) -> int:
    """Sum all costs."""
    sums = tours.sums
    return int(visits.cost[0] * sums[TRAVEL] + sums[LATE] + sums[OTHER] + visits.cost[1] * sums[WORST])
