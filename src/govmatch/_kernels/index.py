"""From arcs in any order to rows, chains and a forest without nodes that cannot bind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

SHORT = 24
"""Rows up to this size are sorted by insertion."""


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
) -> tuple[I64, I64, I32, I64, I64]:
    """Drop the nodes that can never bind, and number the others tree by tree, parents first.

    A node cannot bind when no more units can come to it than it takes, or when a node above it takes
    no more than it does; in both cases only if its load costs nothing. Its own price is then 0 in
    some optimal dual.

    Returns
    -------
    enter : int64 (n_nodes,)
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
    enter = np.empty(n, np.int64)
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
def small_trees(parent: I64, largest: int) -> tuple[I32, I32]:
    """Return each node's root, -1 in trees of more than `largest`, and the sizes of trees at their roots."""
    root = np.empty(len(parent), np.int32)
    size = np.zeros(len(parent), np.int32)
    for k in range(len(parent)):
        root[k] = k if parent[k] < 0 else root[parent[k]]
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
    for r in range(len(start)):
        lo = start[r]
        hi = lo + size[r]
        rising = True
        for i in range(lo + 1, hi):
            if cost[arc[i]] < cost[arc[i - 1]]:
                rising = False
                break
        if rising:
            continue
        if hi - lo > SHORT:
            order = np.argsort(cost[arc[lo:hi]])
            arc[lo:hi] = arc[lo:hi][order]
            continue
        for i in range(lo + 1, hi):
            a = arc[i]
            c = cost[a]
            j = i
            while j > lo and cost[arc[j - 1]] > c:
                arc[j] = arc[j - 1]
                j -= 1
            arc[j] = a


@jit
def mean_differences(start: I64, size: I64, cost: I64, limit: I64) -> NDArray[np.float64]:
    """Average, by row, the difference between successive arcs below the row's limit.

    Rows with fewer than two such arcs are left out.
    """
    found = np.empty(len(start), np.float64)
    n = 0
    for r in range(len(start)):
        last = start[r] + size[r] - 1
        while last > start[r] and cost[last] >= limit[r]:
            last -= 1
        if last > start[r]:
            found[n] = (cost[last] - cost[start[r]]) / (last - start[r])
            n += 1
    return found[:n]


@jit
def lay_rows(start: I64, size: I32, arc: I32, node: I64, cost: I64, enter: I64) -> tuple[I32, I32, I64]:
    """Copy the arcs in the order of `arc`: row, kept node, cost."""
    arc_row = np.empty(len(arc), np.int32)
    arc_node = np.empty(len(arc), np.int32)
    arc_cost = np.empty(len(arc), np.int64)
    for r in range(len(start)):
        for i in range(start[r], start[r] + size[r]):
            a = arc[i]
            arc_row[i] = r
            arc_node[i] = enter[node[a]]
            arc_cost[i] = cost[a]
    return arc_row, arc_node, arc_cost


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
