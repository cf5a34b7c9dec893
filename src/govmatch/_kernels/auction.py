"""Prices near the optimum: requests bid for places in the forest, outbid each other, and stay."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit
from govmatch._kernels.market import AT, BID, FAR, HUB, REST, SIZE, START, UNMET_COST, Network

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

LARGEST_STEP = 1 << 56

POLL = 4096
"""Bids between two looks at the stop flag."""

WALK = -1
"""What ``Book.toll`` says in a tree that is too large to be kept up to date: walk up and see."""


LOAD, CAPACITY, LOW, PARENT, LOAD_COST, HEAP_START, HEAP_SIZE, PLACE = range(8)
"""Columns of ``Book.page``: one cache line a node."""


class Book(NamedTuple):
    """The bids that hold a place, and for every node the lowest of them below it.

    Below each node stands a heap of the rows whose used arc enters it and of its children with units,
    by the bid that would have to be outbid to free a unit. A child stands as ``-2 - child``. In
    ``Network.row`` stand a row's bid, the price at its used arc's node above which the request would rather
    go, and the row's place in that node's heap.
    """

    used: I64  # (n_rows,) arc or `REST`
    page: I64  # (n_nodes, 8) units, the most of them, the lowest bid (`FAR`: none), parent, load
    # cost, where the heap stands (-1: none, as it takes all that comes), its size, the position in
    # the parent's heap
    toll: I64  # (n_nodes,) what a unit that enters pays, or `WALK`
    floor: I64  # (n_nodes,) the price below which a place is not to be had
    root: I32  # (n_nodes,) first node of its tree, -1 in a large tree
    tree_size: I32  # (n_nodes,) at roots
    heap: I32  # (sum of sizes,)


@jit
def toll_and_place(k: int, page: I64, floor: I64) -> tuple[int, int]:
    """Return what a unit that enters `k` pays, and the node below which it outbids another (-1: nobody)."""
    price = FAR
    extra = 0
    least = 0
    at = -1
    while True:
        least = max(least, extra + floor[k])
        if page[k, LOAD] == page[k, CAPACITY]:
            if extra + page[k, LOW] < price:
                price = extra + page[k, LOW]
                at = k
            break
        if page[k, LOAD_COST] > 0:
            if extra + page[k, LOW] < price:
                price = extra + page[k, LOW]
                at = k
            extra += page[k, LOAD_COST] * page[k, LOAD]
        k = page[k, PARENT]
        if k < 0:
            if extra <= price:
                price = extra
                at = -1
            break
    return max(price, least), at


@jit
def refresh_tolls(first: int, size: int, page: I64, floor: I64, toll: I64) -> None:
    """Write the tolls of one tree anew."""
    for k in range(first, first + size):
        if page[k, LOAD] == page[k, CAPACITY]:
            t = page[k, LOW]
        else:
            up = page[k, PARENT]
            t = page[k, LOAD_COST] * page[k, LOAD] + (toll[up] if up >= 0 else 0)
            if page[k, LOAD_COST] > 0:
                t = min(t, page[k, LOW])
        toll[k] = max(t, floor[k])


def blank_book_page(net: Network) -> tuple[I64, int]:
    """Make ``Book.page`` of a network, and count the places of all heaps."""
    page = np.zeros((len(net.parent), 8), np.int64)
    page[:, CAPACITY] = net.capacity
    page[:, PARENT] = net.parent
    page[:, LOAD_COST] = net.load_cost
    # a heap holds no more than the arcs that enter and the children, however many units come from below
    entries = np.bincount(net.arc_node, minlength=len(page))
    entries += np.bincount(net.parent[net.parent >= 0], minlength=len(page))
    heaps = np.minimum(net.capacity, entries)[:-1]
    page[:-1, HEAP_START] = np.cumsum(heaps) - heaps
    page[-1, HEAP_START] = -1
    return page, int(heaps.sum())


@jit
def open_book(book: Book) -> None:
    """Clear all bids; ask the floor everywhere."""
    page = book.page
    book.used[:] = REST
    for k in range(len(page)):
        page[k, LOAD] = 0
        page[k, LOW] = FAR
        page[k, HEAP_SIZE] = 0
    for k in range(len(page)):
        if book.root[k] < 0:
            book.toll[k] = WALK
        elif book.root[k] == k:
            refresh_tolls(k, book.tree_size[k], page, book.floor, book.toll)


@jit
def auction(
    net: Network,
    book: Book,
    ring: I64,
    waiting: int,
    eps: int,
    patience: int,
    growth: int,
    stop: NDArray[np.uint8],
) -> int:
    """Let the waiting units bid until each holds a place or rests; return the last eps.

    A unit goes to its cheapest arc, prices included, and bids up to what its second choice costs, and
    `eps` more (Bertsekas 1979; with several like units, Bertsekas & Castañon 1989). Whoever held the
    cheapest unit of the first full node above is outbid. After every `patience` bids `eps` grows: where
    many want little, small steps would hardly end.

    Parameters
    ----------
    ring : int64 (capacity,)
        A ring whose first `waiting` entries are rows, or ``n_rows + hub`` for a unit of a hub.
    """
    n_rows = len(net.row)
    row, arc_node, arc_cost, arc_row = net.row, net.arc_node, net.arc_cost, net.arc_row
    used, page, toll, floor, heap = book.used, book.page, book.toll, book.floor, book.heap
    root, tree_size = book.root, book.tree_size
    head = 0
    length = len(ring)
    tail = waiting % length
    bids = 0
    limit = patience
    while waiting > 0:
        who = ring[head]
        head += 1
        if head == length:
            head = 0
        waiting -= 1
        hub = who - n_rows
        if hub < 0:
            first = row[who, START]
            last = first + row[who, SIZE]
            best = row[who, UNMET_COST]
        else:
            q = net.hub_start[hub]
            first = row[q, START]
            q += net.hub_size[hub] - 1
            last = row[q, START] + row[q, SIZE]
            best = net.hub_unmet_cost[hub]
        second = best
        choice = -1
        for i in range(first, last):
            c = arc_cost[i]
            if c >= second:
                if hub < 0:
                    break
                continue
            if hub >= 0 and used[arc_row[i]] >= 0:
                continue
            price = toll[arc_node[i]]
            if price < 0:
                price, _ = toll_and_place(arc_node[i], page, floor)
            price += c
            if price < best:
                second = best
                best = price
                choice = i
            elif price < second:
                second = price
        if choice < 0:
            continue
        bids += 1
        if bids % POLL == 0 and stop[0]:
            break
        if bids == limit:
            eps = min(eps * growth, LARGEST_STEP)
            limit += patience
        _, evict = toll_and_place(arc_node[choice], page, floor)
        out = -1
        out_node = -1
        if evict >= 0:
            k = evict
            while True:
                out = heap[page[k, HEAP_START]]
                if out >= 0:
                    break
                k = -2 - out
            out_node = arc_node[used[out]]
            used[out] = REST
            ring[tail] = out if row[out, HUB] < 0 else n_rows + row[out, HUB]
            tail += 1
            if tail == length:
                tail = 0
            waiting += 1
        q = arc_row[choice]
        node = arc_node[choice]
        used[q] = choice
        # above this price at the node it would rather take its second choice
        row[q, BID] = second - arc_cost[choice] + eps
        for step in range(2):
            entry = out if step == 0 else q
            if entry < 0:
                continue
            change = 2 * step - 1
            k = out_node if step == 0 else node
            comes = step == 1
            goes = step == 0
            stirs = page[k, HEAP_START] >= 0
            while k >= 0:
                if stirs:
                    base = page[k, HEAP_START]
                    size = page[k, HEAP_SIZE]
                    if comes:
                        p = size
                        size += 1
                    else:
                        p = row[entry, AT] if entry >= 0 else page[-2 - entry, PLACE]
                    if goes:
                        size -= 1
                        moved = heap[base + size]
                        if p == size:
                            moved = -1
                            p = -1
                    else:
                        moved = entry
                    page[k, HEAP_SIZE] = size
                    if p >= 0:
                        key = (
                            row[moved, BID]
                            if moved >= 0
                            else page[-2 - moved, LOW]
                            - page[-2 - moved, LOAD_COST] * (page[-2 - moved, LOAD] - 1)
                        )
                        while p > 0:
                            e = heap[base + ((p - 1) >> 1)]
                            key_e = (
                                row[e, BID]
                                if e >= 0
                                else page[-2 - e, LOW] - page[-2 - e, LOAD_COST] * (page[-2 - e, LOAD] - 1)
                            )
                            if key_e <= key:
                                break
                            heap[base + p] = e
                            if e >= 0:
                                row[e, AT] = p
                            else:
                                page[-2 - e, PLACE] = p
                            p = (p - 1) >> 1
                        while 2 * p + 1 < size:
                            child = 2 * p + 1
                            e = heap[base + child]
                            key_e = (
                                row[e, BID]
                                if e >= 0
                                else page[-2 - e, LOW] - page[-2 - e, LOAD_COST] * (page[-2 - e, LOAD] - 1)
                            )
                            if child + 1 < size:
                                f = heap[base + child + 1]
                                key_f = (
                                    row[f, BID]
                                    if f >= 0
                                    else page[-2 - f, LOW]
                                    - page[-2 - f, LOAD_COST] * (page[-2 - f, LOAD] - 1)
                                )
                                if key_f < key_e:
                                    child += 1
                                    e = f
                                    key_e = key_f
                            if key_e >= key:
                                break
                            heap[base + p] = e
                            if e >= 0:
                                row[e, AT] = p
                            else:
                                page[-2 - e, PLACE] = p
                            p = child
                        heap[base + p] = moved
                        if moved >= 0:
                            row[moved, AT] = p
                        else:
                            page[-2 - moved, PLACE] = p
                    before = page[k, LOW]
                    if size > 0:
                        e = heap[base]
                        page[k, LOW] = (
                            row[e, BID]
                            if e >= 0
                            else page[-2 - e, LOW] - page[-2 - e, LOAD_COST] * (page[-2 - e, LOAD] - 1)
                        )
                    else:
                        page[k, LOW] = FAR
                    stirs = page[k, LOW] != before
                page[k, LOAD] += change
                stirs |= page[k, LOAD_COST] > 0
                comes = step == 1 and page[k, LOAD] == 1
                goes = step == 0 and page[k, LOAD] == 0
                stirs |= comes or goes
                entry = -2 - k
                k = page[k, PARENT]
        at = root[node]
        if at >= 0:
            refresh_tolls(at, tree_size[at], page, floor, toll)
        if out >= 0 and root[out_node] >= 0 and root[out_node] != at:
            at = root[out_node]
            refresh_tolls(at, tree_size[at], page, floor, toll)
    return eps
