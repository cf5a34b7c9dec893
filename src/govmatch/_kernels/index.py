"""From arcs in any order to rows, chains and a forest without nodes that cannot bind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit
from govmatch._kernels.market import HUB, SIZE, START, UNMET_COST, Network

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

SHORT = 64
"""Rows up to this size are sorted by insertion."""

NEAR = 4
"""Arcs of a request by which it is near others."""


@jit
def top_down(parent: I64) -> I32:
    """Order the nodes of a forest so that a parent comes before its children, (n_nodes,) int32."""
    n = len(parent)
    depth = np.full(n, -1, np.int32)
    path = np.empty(n, np.int32)
    deepest = 0
    for start in range(n):
        size = 0
        k = start
        while k >= 0 and depth[k] < 0:
            path[size] = k
            size += 1
            k = parent[k]
        d = 0 if k < 0 else depth[k] + 1
        while size > 0:
            size -= 1
            depth[path[size]] = d
            d += 1
        deepest = max(deepest, d)
    place = np.zeros(deepest + 2, np.int64)
    for k in range(n):
        place[depth[k] + 1] += 1
    for d in range(deepest + 1):
        place[d + 1] += place[d]
    for k in range(n):
        path[place[depth[k]]] = k
        place[depth[k]] += 1
    return path


@jit
def binding_nodes(
    order: I32, parent: I64, capacity: I64, load_cost: I64, node: I64
) -> tuple[I32, I64, I32, I64, I64]:
    """Drop the nodes that can never bind, and number the others tree by tree, parents first.

    A node cannot bind when no more units can come to it than it takes, or when a node above it takes
    no more than it does; in both cases only if its load costs nothing. Its own price is then 0 in
    some optimal dual.

    Returns
    -------
    enter : int32 (n_nodes,)
        The kept node that a unit which enters this one comes to first, by new number.
    kept : int64 (n_kept,)
        Old numbers.
    kept_parent : int32 (n_kept + 1,)
        By new numbers; less than the node's own.
    kept_capacity, kept_load_cost : int64 (n_kept + 1,)
        The last kept node is a root without a limit, for what meets no binding node.
    """
    n = len(parent)
    come = np.zeros(n, np.int64)
    for a in range(len(node)):
        come[node[a]] += 1
    for i in range(n - 1, -1, -1):
        k = order[i]
        up = parent[k]
        if up >= 0:
            come[up] += min(come[k], capacity[k])
    tight = np.empty(n, np.int64)
    binds = np.zeros(n, np.bool_)
    above = np.empty(n, np.int64)  # the next binding node above, -1: none
    size = np.zeros(n, np.int64)  # binding nodes below, by their topmost one
    top = np.empty(n, np.int64)
    n_kept = 0
    for i in range(n):
        k = order[i]
        up = parent[k]
        tight[k] = np.int64(1) << 62 if up < 0 else tight[up]
        above[k] = -1 if up < 0 else (up if binds[up] else above[up])
        top[k] = k if above[k] < 0 else top[above[k]]
        if (load_cost[k] > 0 and come[k] > 1) or (capacity[k] < come[k] and capacity[k] < tight[k]):
            binds[k] = True
            n_kept += 1
            tight[k] = min(tight[k], capacity[k])
            size[top[k]] += 1
    place = np.empty(n, np.int64)
    taken = 0
    for k in range(n):
        if binds[k] and above[k] < 0:
            place[k] = taken
            taken += size[k]
    enter = np.empty(n, np.int32)
    kept = np.empty(n_kept, np.int64)
    kept_parent = np.full(n_kept + 1, -1, np.int32)
    kept_capacity = np.empty(n_kept + 1, np.int64)
    kept_load_cost = np.zeros(n_kept + 1, np.int64)
    for i in range(n):
        k = order[i]
        up = above[k]
        if not binds[k]:
            enter[k] = n_kept if up < 0 else enter[up]
            continue
        x = place[top[k]]
        place[top[k]] += 1
        enter[k] = x
        kept[x] = k
        if up >= 0:
            kept_parent[x] = enter[up]
        # one more than can come: a node with room to spare is never full
        kept_capacity[x] = min(capacity[k], come[k] + 1)
        kept_load_cost[x] = load_cost[k]
    kept_capacity[n_kept] = len(node) + 1
    return enter, kept, kept_parent, kept_capacity, kept_load_cost


@jit
def roots(parent: I64) -> I32:
    """Return the root of each node; parents come first."""
    root = np.empty(len(parent), np.int32)
    for k in range(len(parent)):
        root[k] = k if parent[k] < 0 else root[parent[k]]
    return root


@jit
def small_trees(parent: I64, largest: int) -> tuple[I32, I32]:
    """Return each node's root, -1 in trees of more than `largest`, and the sizes of trees at their roots."""
    root = roots(parent)
    size = np.zeros(len(parent), np.int32)
    for k in range(len(parent)):
        size[root[k]] += 1
    for k in range(len(parent)):
        if size[root[k]] > largest:
            root[k] = -1
    return root, size


@jit
def row_sizes(request: I64, n_requests: int) -> tuple[I64, bool]:
    """Count the arcs of each request; tell whether they come in the order of requests."""
    size = np.zeros(n_requests, np.int64)
    ordered = True
    before = np.int64(-1)
    for a in range(len(request)):
        r = request[a]
        size[r] += 1
        ordered &= r >= before
        before = r
    return size, ordered


@jit
def arcs_by(key: I64, start: I64) -> I32:
    """Sort by counting: arcs of key k at ``start[k]`` and after, in their order, (n_arcs,) int32."""
    place = start.copy()
    found = np.empty(len(key), np.int32)
    for a in range(len(key)):
        k = key[a]
        found[place[k]] = a
        place[k] += 1
    return found


@jit
def sort_rows(start: I64, size: I32, arc: I32, cost: I64) -> None:
    """Sort the arcs of each row by cost, in place."""
    key = np.empty(SHORT, np.int64)
    value = np.empty(SHORT, np.int32)
    for r in range(len(start)):
        lo = start[r]
        n = size[r]
        if n > SHORT:
            order = np.argsort(cost[arc[lo : lo + n]])
            arc[lo : lo + n] = arc[lo : lo + n][order]
            continue
        for i in range(n):
            a = arc[lo + i]
            c = cost[a]
            j = i
            while j > 0 and key[j - 1] > c:
                key[j] = key[j - 1]
                value[j] = value[j - 1]
                j -= 1
            key[j] = c
            value[j] = a
        for i in range(n):
            arc[lo + i] = value[i]


@jit
def near_together(start: I64, size: I64, arc: I32, node: I64, enter: I32, parent: I32) -> tuple[I32, I32]:
    """Order requests and trees so that those which meet stand near each other.

    By breadth-first search over the first few arcs of each request: what a search then touches is mostly
    in the processor's cache (Cuthill & McKee 1969 order a matrix so).

    Parameters
    ----------
    start, size : int64 (n_requests,)
        Of the arcs of each request in `arc`, cheapest first.
    enter : int32
        The kept node for each node that an arc enters.
    parent : int32 (n_kept + 1,)
        Of the kept nodes, tree by tree, parents first. The last one, which takes everything, brings nothing
        together.

    Returns
    -------
    order : int32 (n_requests,)
    place : int32 (n_kept + 1,)
        New numbers of the kept nodes; trees stay together, and the last node the last.
    """
    n, n_kept = len(start), len(parent) - 1
    root = np.empty(n_kept + 1, np.int32)
    for k in range(n_kept + 1):
        root[k] = k if parent[k] < 0 else root[parent[k]]
    # the trees of each request's first arcs, the requests of each tree
    near = np.empty((n, NEAR), np.int32)
    first = np.zeros(n_kept + 2, np.int64)
    for r in range(n):
        for i in range(min(size[r], NEAR)):
            near[r, i] = root[enter[node[arc[start[r] + i]]]]
            first[near[r, i] + 1] += 1
    for t in range(n_kept + 1):
        first[t + 1] += first[t]
    free = first.copy()
    comes = np.empty(first[-1], np.int32)
    for r in range(n):
        for i in range(min(size[r], NEAR)):
            comes[free[near[r, i]]] = r
            free[near[r, i]] += 1
    order = np.empty(n, np.int32)
    seen = np.zeros(n, np.bool_)
    begin = np.full(n_kept + 1, -1, np.int32)  # new number of each tree's first node
    begin[n_kept] = n_kept
    length = np.zeros(n_kept + 1, np.int32)
    for k in range(n_kept):
        length[root[k]] += 1
    found = 0
    taken = 0
    for s in range(n):
        if seen[s]:
            continue
        seen[s] = True
        order[found] = s
        looked = found
        found += 1
        while looked < found:
            r = order[looked]
            looked += 1
            for i in range(min(size[r], NEAR)):
                t = near[r, i]
                if begin[t] >= 0:
                    continue
                begin[t] = taken
                taken += length[t]
                for j in range(first[t], first[t + 1]):
                    if not seen[comes[j]]:
                        seen[comes[j]] = True
                        order[found] = comes[j]
                        found += 1
    place = np.empty(n_kept + 1, np.int32)
    for k in range(n_kept + 1):
        t = root[k]
        if begin[t] < 0:  # nobody's first arcs enter this tree
            begin[t] = taken
            taken += length[t]
        place[k] = begin[t] + k - t
    return order, place


@jit
def split_rows(start: I64, size: I64, hub_of: I32, arc: I32, group: I64) -> tuple[I64, I32, I64]:
    """Make rows of requests: start, size and request of each.

    A request without a hub is one row; one with a hub, whose arcs stand in the order of their groups, is a
    row a group.
    """
    row_start = np.empty(len(arc) + len(start), np.int64)
    row_size = np.empty(len(arc) + len(start), np.int32)
    row_request = np.empty(len(arc) + len(start), np.int64)
    n = 0
    for r in range(len(start)):
        last = start[r] + size[r]
        if hub_of[r] < 0:
            row_start[n], row_size[n], row_request[n] = start[r], size[r], r
            n += 1
            continue
        i = start[r]
        while i < last:
            row_start[n], row_request[n] = i, r
            j = i + 1
            while j < last and group[arc[j]] == group[arc[i]]:
                j += 1
            row_size[n] = j - i
            n += 1
            i = j
    return row_start[:n], row_size[:n], row_request[:n]


@jit
def mean_differences(net: Network) -> NDArray[np.float64]:
    """Average, by request, the difference between successive arcs that cost less than leaving it unmet.

    Requests with fewer than two such arcs are left out.
    """
    n, n_hubs = len(net.row), len(net.hub_start)
    found = np.empty(n + n_hubs, np.float64)
    counted = 0
    for who in range(n + n_hubs):
        if who < n and net.row[who, HUB] >= 0:
            continue
        if who < n:
            first, rows, limit = who, 1, net.row[who, UNMET_COST]
        else:
            hub = who - n
            first, rows, limit = net.hub_start[hub], net.hub_size[hub], net.hub_unmet_cost[hub]
        low, high, arcs = limit, limit, 0
        for q in range(first, first + rows):
            for i in range(net.row[q, START], net.row[q, START] + net.row[q, SIZE]):
                c = net.arc_cost[i]
                if c >= limit:
                    break
                low = min(low, c)
                high = c if arcs == 0 else max(high, c)
                arcs += 1
        if arcs > 1:
            found[counted] = (high - low) / (arcs - 1)
            counted += 1
    return found[:counted]


@jit
def lay_rows(
    order: I32, start: I64, size: I32, arc: I32, node: I64, cost: I64, enter: I32
) -> tuple[I64, I32, I32, I32, I64]:
    """Copy rows in an order: start by row; arc, row, kept node and cost by place."""
    begin = np.empty(len(order), np.int64)
    laid = np.empty(len(arc), np.int32)
    arc_row = np.empty(len(arc), np.int32)
    arc_node = np.empty(len(arc), np.int32)
    arc_cost = np.empty(len(arc), np.int64)
    at = 0
    for q in range(len(order)):
        r = order[q]
        begin[q] = at
        for i in range(start[r], start[r] + size[r]):
            a = arc[i]
            laid[at] = a
            arc_row[at] = q
            arc_node[at] = enter[node[a]]
            arc_cost[at] = cost[a]
            at += 1
    return begin, laid, arc_row, arc_node, arc_cost


@jit
def child_chains(parent: I32) -> tuple[I32, I32]:
    """Chain the children of each node: the first child, and the next one of the same parent."""
    first = np.full(len(parent), -1, np.int32)
    following = np.full(len(parent), -1, np.int32)
    for k in range(len(parent) - 1, -1, -1):
        up = parent[k]
        if up >= 0:
            following[k] = first[up]
            first[up] = k
    return first, following


@jit
def entries(row: I32, node: I32, cost: I64, n_nodes: int) -> tuple[I64, I32, I32, I32, I64]:
    """List the arcs that enter each node: start and size by node; arc, row and cost by place."""
    size = np.zeros(n_nodes, np.int32)
    for a in range(len(node)):
        size[node[a]] += 1
    start = np.empty(n_nodes, np.int64)
    taken = np.int64(0)
    for k in range(n_nodes):
        start[k] = taken
        taken += size[k]
    place = start.copy()
    entry_arc = np.empty(len(node), np.int32)
    entry_row = np.empty(len(node), np.int32)
    entry_cost = np.empty(len(node), np.int64)
    for a in range(len(node)):
        i = place[node[a]]
        place[node[a]] += 1
        entry_arc[i] = a
        entry_row[i] = row[a]
        entry_cost[i] = cost[a]
    return start, size, entry_arc, entry_row, entry_cost
