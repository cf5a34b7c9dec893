"""The flow tier: an instance in, its optimum and duals out.

Prices near the optimum come from an auction, whose step falls from coarse to fine; then only what is
exactly right is kept, and shortest paths place what is left over and fill what is lacking. Both kinds
of path keep the prices legal, so that at the end they prove the optimum (Bertsekas 1998, Network
Optimization; Jonker & Volgenant 1987; Ahuja, Magnanti & Orlin 1993).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels import index, settle
from govmatch._kernels.auction import Book, auction, blank_book_page, open_book
from govmatch._kernels.augment import augment
from govmatch._kernels.clear import clear_roots, pass_lacks_up
from govmatch._kernels.floor import first_prices
from govmatch._kernels.greedy import keep_what_fits, serve
from govmatch._kernels.market import (
    HUB,
    LEVEL,
    REST,
    SIZE,
    START,
    UNMET_COST,
    USED,
    Flow,
    Network,
    blank_flow,
    blank_log,
    blank_scratch,
)
from govmatch._kernels.relieve import relieve
from govmatch._kernels.reverse import reverse_auction
from govmatch.errors import InvalidInput
from govmatch.solve.certificate import lower_bound, prices_above, prove
from govmatch.solve.control import Control
from govmatch.solve.instance import Instance, Solution, Termination
from govmatch.solve.layout import Layout, lay_out

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FEATURES = frozenset({"single_role", "several_people", "load_cost", "pins", "recurrence"})
"""What the tier can honour."""

SMALL = 20_000
"""Arcs up to which a solve takes milliseconds and needs no thread of its own."""

FINE, COARSE = 0.6, 12
"""The last step of the auction, in differences between a request's successive arcs; the first step, in
last steps."""

PATIENCE, GROWTH = 2.5, 4
"""Bids a unit after which the first step is too small, and by how much it grows then."""

LATER_PATIENCE, ASK_PATIENCE = 6.0, 40
"""The same for later steps, which double; and asks a lacking node."""

TREE = 64
"""Largest tree of the forest whose tolls are kept up to date."""

SLICE = 4096
"""Paths between two looks at the gap."""


@dataclass
class _State:
    """A layout with the flow and prices on it."""

    layout: Layout
    flow: Flow
    listed: bool = False  # whether the layout has entries

    def list_entries(self) -> None:
        if not self.listed:
            self.layout = self.layout.with_entries()
            self.listed = True


def solve(
    instance: Instance,
    control: Control | None = None,
    start: IntArray | None = None,
    used: BoolArray | None = None,
) -> Solution:
    """Solve an instance exactly, or as well as `control` leaves time for.

    Parameters
    ----------
    instance : Instance
    control : Control, optional
        Ends the search by its deadline, signal or gap, or at Ctrl-C.
    start : int64 (n_nodes,), optional
        Own prices of the nodes, >= 0, that are thought to be near the optimum, such as those of an
        instance with fewer arcs. They change how long it takes, not the optimum.
    used : bool (n_arcs,), optional
        Arcs of a flow that is optimal, or nearly so, at the prices of `start`. What is right of it is
        kept, and only the rest is searched for.

    Returns
    -------
    Solution
        With termination "optimal", or why it ended early, and duals that still prove a bound.

    Raises
    ------
    InvalidInput
        Costs so large that sums of a few do not fit 62 bits.
    """
    control = control if control is not None else Control()
    _check_headroom(instance)
    return control.run(_solve, instance, control, start, used, small=len(instance.request) <= SMALL)


def _check_headroom(instance: Instance) -> None:
    largest = sum(
        max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))
        for values in (instance.cost, instance.unmet_cost)
    )
    units = int(np.minimum(instance.capacity, len(instance.request)).max(initial=0))
    largest += int(instance.load_cost.max(initial=0)) * units
    if largest >= 1 << 58:
        raise InvalidInput(
            f"costs reach {largest}, arcs, unmet and load costs together; "
            f"expected less than 2**58 = {1 << 58}"
        )


def _solve(instance: Instance, control: Control, start: IntArray | None, used: BoolArray | None) -> Solution:
    if not len(instance.request):
        nothing, free = np.zeros(0, np.int64), np.zeros(len(instance.parent), np.int64)
        return Solution(nothing, instance.demand.copy(), instance.unmet_cost.copy(), free, "optimal")
    layout = lay_out(instance)
    net = layout.net
    state = _State(layout, blank_flow(net, layout.page, layout.hub_demand))
    if start is None or used is None:
        _approximate(state, instance, control, start)
    else:
        _take_over(state, instance, start, used)
    flow = state.flow
    sources = settle.sources(net, flow)
    scratch = blank_scratch(net)
    log = blank_log(0)
    look = _Look(control)
    for part in _slices(sources, control):
        augment(net, flow, scratch, part, log, control.flag)
        if (found := look.ended(state, instance)) is not None:
            return found
    lacking = np.flatnonzero(flow.surplus < 0)
    if len(lacking):
        state.list_entries()
        for part in _slices(lacking, control):
            relieve(state.layout.net, flow, scratch, part, log, control.flag)
            if (found := look.ended(state, instance)) is not None:
                return found
    return _solution(state, instance, flow.held[:, USED], "optimal")


def _slices(sources: IntArray, control: Control) -> list[IntArray]:
    if not control.gap or len(sources) <= SLICE:
        return [sources]
    return np.array_split(sources, -(-len(sources) // SLICE))


def _approximate(state: _State, instance: Instance, control: Control, start: IntArray | None) -> None:
    """Find prices near the optimum, and keep of the bids what is exactly right at them."""
    layout, flow = state.layout, state.flow
    net = layout.net
    units = _units(layout)
    book = _blank_book(state)
    if start is None:
        used, load = np.full(len(net.row), REST, np.int64), np.zeros(len(net.parent), np.int64)
        if serve(net, _dearest_first(layout), layout.hub_demand, used, load, control.flag):
            first_prices(net, layout.hub_demand, used, load, book.floor)
    else:
        book.floor[:-1] = _start_prices(instance, layout, start)
    dear = 1 + max(0, int(instance.unmet_cost.max(initial=0))) - min(0, int(instance.cost.min(initial=0)))
    fine = _fine_step(net)
    eps, patience, growth = COARSE * fine, PATIENCE, GROWTH
    ring = np.empty(len(units) + 1, np.int64)
    while True:
        open_book(book)
        ring[:-1] = units
        limit = max(1000, int(patience * len(units)))
        reached = auction(net, book, ring, len(units), eps, limit, growth, control.flag)
        flow.held[:, USED] = book.used
        settle.price_nodes(net, book, dear, flow.price)
        if not control.flag[0] and book.floor.any():
            _reverse(state, reached, control)
        if patience == LATER_PATIENCE:
            reached = eps
        if (eps == fine and reached == fine) or control.flag[0]:
            break
        # from a little below: prices rise more cheaply than they fall
        np.maximum(flow.price - reached, 0, out=book.floor)
        eps, patience, growth = max(fine, reached // GROWTH), LATER_PATIENCE, 2
    _settle(state, _crowded_trees(state, book))


def _settle(state: _State, top: NDArray[np.int32]) -> None:
    """Keep of the bids what is exactly right at the prices, those of crowded trees' roots adjusted before."""
    flow, crowded = state.flow, bool((top >= 0).any())
    if crowded:
        clear_roots(state.layout.net, flow.price, top)
    settle.clear(flow, state.layout.hub_demand)
    settle.keep_tight(state.layout.net, flow)
    settle.fill_priced(state.layout.net, flow)
    if crowded:
        state.list_entries()
        pass_lacks_up(state.layout.net, flow, top)


def _crowded_trees(state: _State, book: Book) -> NDArray[np.int32]:
    """Return the root of each node in a large tree whose root has a price; -1 elsewhere.

    Also -1 everywhere where requests need several people.
    """
    large = book.root < 0
    if len(state.layout.hub_demand) or not large.any():
        return np.full(len(large), -1, np.int32)
    root = index.roots(state.layout.net.parent)
    return np.where(large & (state.flow.price[root] > 0), root, -1).astype(np.int32)


def _fine_step(net: Network) -> int:
    """Take the step from the differences between arcs that matter, at the middle request: some may be odd."""
    differences = index.mean_differences(net)
    return max(1, int(FINE * np.median(differences))) if len(differences) else 1


def _take_over(state: _State, instance: Instance, start: IntArray, used: BoolArray) -> None:
    """Keep of a flow what is exactly right at the prices given."""
    layout, flow, net = state.layout, state.flow, state.layout.net
    flow.price[:-1] = _start_prices(instance, layout, start)
    flow.held[:, USED] = REST
    at = np.flatnonzero(used[layout.arc])
    flow.held[net.arc_row[at], USED] = at
    settle.clear(flow, layout.hub_demand)
    settle.keep_tight(net, flow)
    settle.fill_priced(net, flow)


def _start_prices(instance: Instance, layout: Layout, start: IntArray) -> IntArray:
    """Sum own prices from the roots down, for all kept nodes but the last; 0 where none can be."""
    price = prices_above(instance.parent, np.maximum(start, 0))[layout.kept]
    return np.where(layout.net.capacity[:-1] > len(instance.request), 0, price)


def _reverse(state: _State, eps: int, control: Control) -> None:
    flow = state.flow
    settle.clear(flow, state.layout.hub_demand)
    settle.keep_bids(state.layout.net, flow)
    settle.fill_priced(state.layout.net, flow)
    lacking = np.flatnonzero(flow.surplus < 0)
    if not len(lacking):
        return
    state.list_entries()
    ring = np.empty(len(flow.price) + 1, np.int32)
    ring[: len(lacking)] = lacking
    limit = max(1000, ASK_PATIENCE * len(lacking))
    reverse_auction(state.layout.net, flow, ring, len(lacking), eps, limit, control.flag)


def _units(layout: Layout) -> IntArray:
    """List the units that bid: rows without a hub, and a hub as often as it has units."""
    simple = np.flatnonzero(layout.net.row[:, HUB] < 0)
    hubs = np.arange(len(layout.hub_demand)) + len(layout.net.row)
    return np.concatenate([simple, np.repeat(hubs, layout.hub_demand)])


def _dearest_first(layout: Layout) -> IntArray:
    """Order rows without a hub, and hubs, by what serving them saves."""
    net = layout.net
    simple = np.flatnonzero(net.row[:, HUB] < 0)
    saves = net.row[simple, UNMET_COST]
    able = net.row[simple, SIZE] > 0
    saves[able] -= net.arc_cost[net.row[simple[able], START]]
    hubs = np.arange(len(layout.hub_demand)) + len(net.row)
    order = np.argsort(-np.concatenate([saves, net.hub_unmet_cost]), kind="stable")
    return np.concatenate([simple, hubs])[order]


def _blank_book(state: _State) -> Book:
    net = state.layout.net
    n_nodes = len(net.parent)
    root, tree_size = index.small_trees(net.parent, TREE)
    page, places = blank_book_page(net)
    return Book(
        used=np.empty(len(net.row), np.int64),
        page=page,
        toll=np.empty(n_nodes, np.int64),
        floor=np.zeros(n_nodes, np.int64),
        root=root,
        tree_size=tree_size,
        heap=np.empty(places, np.int32),
    )


class _Look:
    """Whether the search ends: it was stopped, or the gap that suffices is proved.

    A look at the gap takes as long as a pass over all arcs; none is taken before as much time has passed
    as the last one took.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._next = 0.0

    def ended(self, state: _State, instance: Instance) -> Solution | None:
        """Return what there is where the search ends here."""
        if self._control.flag[0]:
            return _early(state, instance, self._control)
        begun = time.monotonic()
        if not self._control.gap or begun < self._next:
            return None
        found = _early(state, instance, self._control)
        if prove(instance, found).gap <= self._control.gap:
            return found
        self._next = 2 * time.monotonic() - begun
        return None


def _early(state: _State, instance: Instance, control: Control) -> Solution:
    """Repair what is there: keep the used arcs that fit, dearest requests first, then add what fits."""
    layout, net = state.layout, state.layout.net
    used, load = state.flow.held[:, USED].copy(), np.zeros(len(net.parent), np.int64)
    order, never = _dearest_first(layout), np.zeros(1, np.uint8)
    keep_what_fits(net, order, used, load)
    serve(net, order, layout.hub_demand, used, load, never)
    found = _solution(state, instance, used, control.reason if control.reason is not None else "gap")
    # prices of a search cut short may prove less than none: then each request's cheapest arc is the bound
    cheapest = instance.unmet_cost.copy()
    able = np.flatnonzero(net.row[:, SIZE])
    np.minimum.at(cheapest, layout.row_request[able], net.arc_cost[net.row[able, START]])
    free = np.zeros_like(found.price)
    if lower_bound(instance, cheapest, free) > lower_bound(instance, found.request_dual, found.price):
        return replace(found, request_dual=cheapest, price=free)
    return found


def _solution(state: _State, instance: Instance, used: IntArray, termination: Termination) -> Solution:
    layout, flow = state.layout, state.flow
    taken = np.zeros(len(instance.request), np.int64)
    taken[layout.arc[used[used >= 0]]] = 1
    parent = layout.net.parent
    own = flow.price - np.where(parent >= 0, flow.price[parent], 0)
    price = np.zeros(len(instance.parent), np.int64)
    # below 0 only where nothing comes through: 0 is as right there
    price[layout.kept] = np.maximum(own[:-1], 0)
    dual = np.empty(len(instance.demand), np.int64)
    simple = layout.net.row[:, HUB] < 0
    dual[layout.row_request[simple]] = flow.held[simple, LEVEL]
    dual[layout.hub_request] = flow.hub_level
    beyond = layout.hub_request[layout.hub_demand < instance.demand[layout.hub_request]]
    dual[beyond] = instance.unmet_cost[beyond]
    served = np.bincount(instance.request[taken > 0], minlength=len(dual))
    return Solution(taken, instance.demand - served, dual, price, termination)
