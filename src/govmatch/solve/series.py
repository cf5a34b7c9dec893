"""Series of requests that would be served by few different providers: a flow first, then fewer faces.

Choosing few faces for each series is a facility location with shared capacities, hard in general. It starts
from the optimal flow without faces, or from nobody, and makes each series anew beside the others, alone or
together with those that are in its way; a little dearer is accepted at first. Now and then the flow is asked
again, with the arcs of further faces dearer by their price, which makes no plan dearer (majorise, minimise;
Hunter & Lange 2004, A tutorial on MM algorithms). What it costs at least is said by `series_bound`, at prices
that `raise_prices` finds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.face_prices import Booth, ascend
from govmatch._kernels.faces import Desk, Market, exchange, load_units, sweep
from govmatch._kernels.index import top_down
from govmatch.solve import flow
from govmatch.solve.bands import no_bands
from govmatch.solve.certificate import prices_above
from govmatch.solve.control import Control
from govmatch.solve.instance import Solution
from govmatch.solve.series_instance import MUST, SeriesInstance, total_cost, used_faces

IntArray = NDArray[np.int64]

ROUNDS, EVERY = 60, 10
"""Passes of exchanges over all series, and after how many the flow is asked."""

SLACK, COOL = 0.3, 0.8
"""By what share of a further face's price an exchange may be dearer, at first; and after which share of the
passes by nothing (Dueck & Scheuer 1990, Threshold accepting)."""

STEPS = 120
"""Steps of the ascent of prices."""

SMALL, TRIES = 20_000, 30
"""Arcs up to which series are served in so many orders at the start."""

UNLIMITED = 1 << 30


class Search:
    """The best assignment so far, and the ways to a better one.

    Parameters
    ----------
    instance : SeriesInstance
    start : Solution
        Any feasible flow, which may break the caps on faces; best the optimal one.
    control : Control
        Ends each way by its deadline or signal, or at Ctrl-C.

    Attributes
    ----------
    best : Solution
        Feasible, within the caps, no dearer than `start` where that kept them; its duals are of some flow.
    cost : int
        What it costs, faces included.
    """

    def __init__(self, instance: SeriesInstance, start: Solution, control: Control) -> None:
        self.instance = instance
        self.market, self._most = lay_market(instance)
        self._control = control
        self._order = np.argsort(-np.diff(self.market.member_ptr), kind="stable")  # long series first
        self._members = self._order[self._order < len(instance.free)]
        self._draw = np.random.default_rng(0)
        self.best = start
        control.run(self._begin, start.flow)
        self.cost = total_cost(instance, self.best)

    def _begin(self, units: IntArray) -> None:
        """Make every series anew once, to keep within the caps at least, whatever the time."""
        desk = self._desk(units)
        sweep(self.market, desk, self._members, np.zeros(1, np.uint8))
        sweep(self.market, desk, self._order, self._control.flag)
        self.best = self._solution(desk)

    def start_anew(self, price: IntArray) -> None:
        """Serve all series one after the other, from nobody; by loads, and by own prices of the nodes.

        A small instance is served in many orders at prices moved at random, too.
        """
        order = self._must_first(self._order)
        tries: list[tuple[IntArray | None, IntArray]] = [(None, order), (price, order)]
        if len(self.market.node) <= SMALL:
            most = 1 + self.instance.further_cost
            for _ in range(TRIES):
                noise = self._draw.integers(0, most, len(price)) * self._draw.integers(0, 2, len(price))
                tries.append((price + noise, self._must_first(self._draw.permutation(self._order))))
        for own, order in tries:
            if self._control.poll():
                return
            self._control.run(self._anew, own, order)

    def _must_first(self, order: IntArray) -> IntArray:
        """Put series before others in which somebody has to come."""
        market = self.market
        must = np.zeros(len(self._order), np.bool_)
        must[market.series[market.unmet >= MUST]] = True
        return order[np.argsort(~must[order], kind="stable")]

    def _anew(self, price: IntArray | None, order: IntArray) -> None:
        market = self.market
        if price is not None:
            above = prices_above(market.parent, price)
            market = market._replace(
                cost=market.cost + above[market.node], load_cost=np.zeros_like(market.load_cost)
            )
        desk = self._desk(np.zeros(len(self.market.node), np.int64))
        sweep(market, desk, order, self._control.flag)
        sweep(self.market, desk, order, self._control.flag)
        self._keep(self._solution(desk))

    def improve(self, bound: int) -> None:
        """Exchange and flow by turns, until nothing is gained any more.

        Parameters
        ----------
        bound : int
            What any assignment costs at least, if that is known: reaching it or the gap, the search ends.
        """
        self._control.run(self._improve, bound)

    def _improve(self, bound: int) -> None:
        control = self._control
        desk = self._desk(self.best.flow)
        n = len(self._order)
        for turn in range(ROUNDS):
            if control.poll() or control.near(self.cost, bound):
                return
            slack = int(SLACK * self.instance.further_cost * max(0.0, 1 - turn / (COOL * ROUNDS)) ** 2)
            order, draw = self._draw.permutation(self._members), int(self._draw.integers(1 << 62))
            exchange(self.market, desk, order, turn * n, draw, slack, control.flag)
            if not slack:
                sweep(self.market, desk, self._draw.permutation(self._order), control.flag)
            self._keep(self._solution(desk))
            if (turn + 1) % EVERY == 0 and self.instance.bands is None and not control.poll():
                self._flow()
                desk = desk if slack else self._desk(self.best.flow)

    def _keep(self, found: Solution) -> None:
        cost = total_cost(self.instance, found)
        if cost <= self.cost:
            self.cost, self.best = cost, found

    def _flow(self) -> None:
        """Turn to the flow with each new face dearer by its price: it is at least as good as the best."""
        instance, best = self.instance, self.best
        series = instance.series[instance.flow.request]
        mine = np.flatnonzero(series >= 0)
        width = int(instance.face.max(initial=0)) + 1
        old = used_faces(instance, np.flatnonzero(best.flow))
        count = np.bincount(old[0], minlength=len(instance.free))
        new = mine[~np.isin(series[mine] * width + instance.face[mine], old[0] * width + old[1])]
        extra = np.zeros(len(series), np.int64)
        extra[new] = instance.further_cost * (count >= instance.free)[series[new]]
        extra[new] += instance.stranger_cost * instance.is_strange(series[new], instance.face[new])
        closed = np.zeros(len(series), np.bool_)
        closed[new] = (instance.most >= 0)[series[new]]
        keep = np.flatnonzero(~closed)
        dearer = replace(
            instance.flow,
            request=instance.flow.request[keep],
            node=instance.flow.node[keep],
            group=instance.flow.group[keep],
            cost=(instance.flow.cost + extra)[keep],
        )
        inner = Control()
        inner.flag = self._control.flag
        found = flow.solve(dearer, inner, best.price, best.flow[keep] > 0)
        if self._control.poll():
            return
        units = np.zeros(len(series), np.int64)
        units[keep] = found.flow
        self._keep(replace(self.best, flow=units, unmet=found.unmet, price=found.price))

    def _desk(self, units: IntArray) -> Desk:
        market, instance = self.market, self.instance
        n_units, n_faces = int(market.unit_ptr[-1]), int(instance.face.max(initial=0)) + 1
        members, units_, faces = self._most
        desk = Desk(
            held=np.full(n_units, -1),
            load=np.zeros(len(instance.flow.parent), np.int64),
            used=np.zeros(len(market.band_rule), np.int64),
            first_unit=np.full(n_faces, -1),
            after=np.full(n_units, -1),
            before=np.full(n_units, -1),
            local=np.full(n_faces, -1),
            best=np.zeros(members * faces, np.int64),
            name=np.zeros(faces, np.int64),
            kept=np.zeros(units_, np.int64),
            chosen=np.zeros(faces, np.int64),
            old=np.zeros(8 * members * units_, np.int64),
            stamp=np.full(len(self._order), -1),
        )
        held = np.full(n_units, -1)
        used = np.flatnonzero(units)
        request = instance.flow.request[used]
        held[market.unit_ptr[request] + np.arange(len(used)) - np.searchsorted(request, request)] = used
        load_units(market, desk, held)
        return desk

    def _solution(self, desk: Desk) -> Solution:
        instance = self.instance.flow
        units = np.zeros(len(instance.request), np.int64)
        units[desk.held[desk.held >= 0]] = 1
        served = np.bincount(instance.request[units > 0], minlength=len(instance.demand))
        return replace(self.best, flow=units, unmet=instance.demand - served)


def raise_prices(
    instance: SeriesInstance, price: IntArray, outside: IntArray, worth: int, control: Control
) -> IntArray:
    """Improve own prices of the nodes, for `series_bound`.

    Parameters
    ----------
    instance : SeriesInstance
    price : int64 (n_nodes,)
        Where to begin, >= 0.
    outside : int64 (n_requests,)
        As for `series_bound`.
    worth : int
        What some assignment costs.
    control : Control
        Ends it by its deadline or signal, or at Ctrl-C.

    Returns
    -------
    int64 (n_nodes,)
    """
    market, _ = lay_market(instance)
    booth, room = lay_booth(instance, market, outside)
    found = price.astype(np.float64)
    control.run(ascend, market, booth, found, float(worth), STEPS, room, control.flag)
    return np.round(found).astype(np.int64)


def lay_market(instance: SeriesInstance) -> tuple[Market, tuple[int, int, int]]:
    """Lay out what the kernels read, and the most requests of a series, units of a request, faces."""
    arcs, n_series = instance.flow, len(instance.free)
    n = len(arcs.demand)
    alone = instance.series < 0
    series = instance.series.copy()
    series[alone] = n_series + np.arange(int(alone.sum()))
    total = n_series + int(alone.sum())
    member = np.argsort(series, kind="stable")
    member_ptr = np.searchsorted(series[member], np.arange(total + 1))
    rule = np.full((total, 2), UNLIMITED)
    rule[:n_series, 0] = instance.free
    rule[:n_series, 1] = np.where(instance.most >= 0, instance.most, UNLIMITED)
    order = np.lexsort((instance.known_face, instance.known_series))
    known_ptr = np.searchsorted(instance.known_series[order], np.arange(total + 1))
    width = int(instance.face.max(initial=0)) + 1
    pairs = np.unique(series[arcs.request] * width + instance.face) // width
    bands = no_bands() if instance.bands is None else instance.bands
    band_ptr, band, band_weight = bands.by_arc(len(arcs.request))
    market = Market(
        arc_ptr=np.searchsorted(arcs.request, np.arange(n + 1)),
        cost=arcs.cost,
        node=arcs.node,
        group=arcs.group,
        face=instance.face,
        unit_ptr=np.concatenate([[0], np.cumsum(arcs.demand)]),
        unmet=arcs.unmet_cost,
        series=series,
        member_ptr=member_ptr,
        member=member,
        rule=rule,
        known_ptr=known_ptr,
        known_face=instance.known_face[order],
        has_known=(np.diff(known_ptr) > 0).astype(np.int64),
        parent=arcs.parent,
        capacity=arcs.capacity,
        load_cost=arcs.load_cost,
        band_ptr=band_ptr,
        band=band,
        band_weight=band_weight,
        band_rule=np.stack([bands.limit, bands.least, bands.lack], axis=1),
        further=instance.further_cost,
        stranger=instance.stranger_cost,
    )
    faces = int(np.bincount(pairs, minlength=1).max()) if len(pairs) else 0
    most = (int(np.diff(member_ptr).max(initial=0)), int(arcs.demand.max(initial=0)), faces)
    return market, most


def lay_booth(instance: SeriesInstance, market: Market, outside: IntArray) -> tuple[Booth, int]:
    """Lay out the faces of each series, and the largest work space that a series needs."""
    width = int(instance.face.max(initial=0)) + 1
    total, n_series = len(market.member_ptr) - 1, len(instance.free)
    of = market.series[instance.flow.request]
    pairs, place = np.unique(of * width + instance.face, return_inverse=True)
    series, face = pairs // width, pairs % width
    face_ptr = np.searchsorted(series, np.arange(total + 1))
    own = np.zeros(len(pairs), np.int64)
    real = series < n_series
    own[real] = instance.stranger_cost * instance.is_strange(series[real], face[real])
    simple = np.zeros(total, np.int64)
    simple[instance.series[(instance.series >= 0) & (instance.flow.demand == 1)]] = 1
    booth = Booth(
        face_ptr=face_ptr,
        own=own,
        place=place.reshape(-1) - face_ptr[of],
        simple=simple,
        floor=np.minimum(instance.flow.unmet_cost, outside).astype(np.float64),
        order=top_down(instance.flow.parent).astype(np.int64),
    )
    spread = int((np.diff(face_ptr) * np.diff(market.member_ptr)).max(initial=0))
    return booth, max(1, spread, int(instance.flow.demand.max(initial=0)))
