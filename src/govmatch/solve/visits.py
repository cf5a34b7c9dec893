"""Visits with times: who makes which visit, in which order and when, with the way between them.

Routing with time windows, skills and linked starts, known as home health care routing and scheduling
(Mankowska, Meisel & Bierwirth 2014). Solved by simulated annealing from a greedy start.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels import tours as kernel
from govmatch._kernels.anneal import anneal
from govmatch._kernels.insert import insert_requests
from govmatch.solve.control import Control, Ended
from govmatch.solve.visit_bound import lower_bound
from govmatch.solve.visit_instance import NO_LIMIT, VisitInstance, check

IntArray = NDArray[np.int64]

CHAINS = 2
"""Searches side by side, each with random numbers of its own; the best counts."""

MOVES_A_VISIT, MOST_MOVES = 20_000, 10_000_000
"""Moves of one search where no time limit is given."""

INSERTING, GRACE, SLICE = 0.5, 0.3, 16
"""Share of a time limit for the greedy start; seconds that it has at least, so that a short limit does not
leave all unmet; and requests between two looks at the clock."""

STEPS = 500
"""Temperatures of a search."""

HOT, COLD = 2.0, 0.01
"""The first and the last temperature, in mean costs of a visit at the start."""


@dataclass(frozen=True)
class VisitSolution:
    """Tours found, and a number below which no tours can cost.

    Attributes
    ----------
    tour : int64 (n_visits,)
        -1 where a visit is not made.
    begin : int64 (n_visits,)
        When it begins; what stands there for a visit that is not made has no meaning.
    cost, bound : int
    termination : {"optimal", "gap", "time_limit", "cancelled", "searched"}
        "optimal" where cost and bound are equal; "gap": the gap asked for is proved; "searched": the search
        came to its end.
    """

    tour: IntArray
    begin: IntArray
    cost: int
    bound: int
    termination: Ended


def solve(
    instance: VisitInstance, control: Control | None = None, seed: int = 0, bound: int | None = None
) -> VisitSolution:
    """Seek tours of little cost; none is optimal by proof, but the bound says how far it can be.

    Parameters
    ----------
    instance : VisitInstance
    control : Control, optional
        With a time limit, the search takes that long. Without, it makes a number of moves that grows with the
        visits, and the same seed finds the same tours.
    seed : int, default 0
    bound : int, optional
        A number below which no tours can cost, in the place of the instance's own, such as one that holds
        over more options.

    Returns
    -------
    VisitSolution

    Raises
    ------
    InvalidInput
        Arrays whose lengths, ranges or order are wrong.
    """
    control = control if control is not None else Control()
    check(instance)
    return control.run(_solve, instance, control, seed, bound)


def _solve(instance: VisitInstance, control: Control, seed: int, bound: int | None) -> VisitSolution:
    visits = _pack(instance)
    start = kernel.blank_tours(visits)
    _insert(instance, visits, start, control)
    bound = lower_bound(instance) if bound is None else bound
    searches = [_Search(visits, start, control, bound, (seed, i)) for i in range(CHAINS)]
    with ThreadPoolExecutor(CHAINS) as pool:
        list(pool.map(_Search.run, searches))
    best = min(searches, key=lambda search: search.cost)
    tour, begin = best.tours()
    return VisitSolution(tour, begin, best.cost, bound, control.ended(best.cost, bound))


def _insert(instance: VisitInstance, visits: kernel.Visits, start: kernel.Tours, control: Control) -> None:
    """Make the requests greedily, as far as a share of the time suffices; the search goes on from there.

    Those that are dearest to leave come first, by visit, and of these the ones that are due first.
    """
    begun, cancelled = time.monotonic(), np.zeros(1, np.uint8)
    share = np.inf if control.deadline is None else INSERTING * (control.deadline - begun)
    count = np.bincount(instance.request, minlength=len(instance.unmet_cost))
    order = np.lexsort((_first_due(instance), -(instance.unmet_cost // np.maximum(count, 1))))
    for part in np.split(order, range(SLICE, len(order), SLICE)):
        control.poll()
        cancelled[0] = control.reason == "cancelled"
        insert_requests(visits, start, part, cancelled)
        if time.monotonic() > begun + max(share, GRACE):
            return


def _first_due(instance: VisitInstance) -> IntArray:
    due = np.full(len(instance.unmet_cost), NO_LIMIT)
    np.minimum.at(due, instance.request, instance.due)
    return due


class _Search:
    """One chain of moves, cooled by the time that has passed, or by the moves made."""

    def __init__(
        self, visits: kernel.Visits, start: kernel.Tours, control: Control, bound: int, seed: tuple[int, int]
    ) -> None:
        self._visits, self._control = visits, control
        self._bound = bound
        self._rng = np.random.default_rng(seed)
        self._tours = kernel.Tours(*(part.copy() for part in start))
        n = len(visits.visit)
        self._best = np.zeros((n + 1, 2), np.int64)
        self._best[:n] = start.chain[:n, [kernel.TOUR, kernel.BEGIN]]
        self._best[n, 0] = kernel.total_cost(visits, start)

    @property
    def cost(self) -> int:
        """What the best tours so far cost."""
        return int(self._best[-1, 0])

    def run(self) -> None:
        """Search until the time or the moves are used up."""
        n = len(self._visits.visit)
        if not n:
            return
        made = int((self._tours.chain[:n, kernel.TOUR] >= 0).sum())
        mean = (self.cost - self._unmet()) / made if made else self.cost / n
        hot, cold = HOT * max(mean, 1.0), COLD * max(mean, 1.0)
        begun, moves, total = time.monotonic(), 100, min(MOVES_A_VISIT * n, MOST_MOVES)
        done = 0
        while not (self._control.flag[0] or self._control.near(self.cost, self._bound)):
            share = self._share(begun, done / total)
            if share >= 1:
                return
            step_begun = time.monotonic()
            temperature = hot * (cold / hot) ** share
            anneal(self._rng, self._visits, self._tours, temperature, moves, self._best, self._control.flag)
            done += moves
            if self._control.deadline is None:
                moves = max(1, total // STEPS)
            else:
                rate = moves / max(1e-6, time.monotonic() - step_begun)
                moves = int(min(4 * moves, 1 + rate * (self._control.deadline - begun) / STEPS))

    def _share(self, begun: float, done: float) -> float:
        if self._control.deadline is None:
            return done
        return (time.monotonic() - begun) / max(1e-9, self._control.deadline - begun)

    def _unmet(self) -> int:
        return int(self._visits.request[self._tours.made == 0, kernel.UNMET_COST].sum())

    def tours(self) -> tuple[IntArray, IntArray]:
        """Return the tour of each visit, and when it begins."""
        return self._best[:-1, 0].copy(), self._best[:-1, 1].copy()


def _pack(instance: VisitInstance) -> kernel.Visits:
    """Lay the columns out as the kernels want them."""
    n, t = len(instance.place), len(instance.person)
    visit = np.zeros((n, 11), np.int64)
    for column, values in (
        (kernel.PLACE, instance.place),
        (kernel.MINUTES, instance.minutes),
        (kernel.EARLIEST, instance.earliest),
        (kernel.DUE, instance.due),
        (kernel.LATEST, instance.latest),
        (kernel.LATE_COST, instance.late_cost),
        (kernel.REQUEST, instance.request),
    ):
        visit[:, column] = values
    numbers = np.arange(n)
    visit[:, kernel.OPTIONS] = np.searchsorted(instance.option_visit, numbers)
    visit[:, kernel.OPTIONS_END] = np.searchsorted(instance.option_visit, numbers, side="right")
    links = len(instance.link_first)
    owner = np.concatenate([instance.link_first, instance.link_second])
    order = np.argsort(owner, kind="stable")
    visit[:, kernel.LINKS] = np.searchsorted(owner[order], numbers)
    visit[:, kernel.LINKS_END] = np.searchsorted(owner[order], numbers, side="right")
    requests = np.arange(len(instance.unmet_cost))
    first = np.searchsorted(instance.request, requests)
    last = np.searchsorted(instance.request, requests, side="right")
    promises = (
        np.searchsorted(instance.promise_request, requests),
        np.searchsorted(instance.promise_request, requests, side="right"),
    )
    tour = (
        instance.person,
        instance.mode,
        instance.begin,
        instance.end,
        instance.node,
    )
    link = (instance.link_first, instance.link_second, instance.link_least, instance.link_most)
    numbered = np.arange(len(instance.option_visit))
    option = (
        instance.option_tour,
        instance.option_cost,
        instance.option_out,
        instance.option_back,
        np.searchsorted(instance.entry_option, numbered),
        np.searchsorted(instance.entry_option, numbered, side="right"),
    )
    return kernel.Visits(
        travel=np.ascontiguousarray(instance.travel),
        visit=visit,
        request=np.stack([first, last, instance.unmet_cost, *promises], axis=1),
        promise=np.stack([instance.promise_floor, instance.promise_people], axis=1),
        floor=np.stack([instance.allowed, instance.short_cost], axis=1),
        link=np.stack(link, axis=1).reshape(links, 4),
        linked=order % max(1, links),
        option=np.stack(option, axis=1),
        entry=np.stack([instance.entry_rule, instance.entry_weight], axis=1),
        limit=instance.limit,
        tour=np.stack(tour, axis=1).reshape(t, 5),
        node=np.stack([instance.parent, instance.capacity, instance.load_cost], axis=1),
        cost=np.array([instance.travel_cost, instance.largest_late_cost]),
        rest=np.array([instance.rest, instance.rest_after]),
    )
