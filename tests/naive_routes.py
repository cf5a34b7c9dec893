"""Routes by trying every walk; slow and obvious."""

from __future__ import annotations


def all_walks(edges, source, max_hops, day):
    """Yield (nodes, cost) of every walk of at most `max_hops` hops over edges valid on `day`.

    `edges` are (a, b, cost, first_day, last_day), undirected.
    """
    stack = [((source,), 0)]
    while stack:
        nodes, cost = stack.pop()
        yield nodes, cost
        if len(nodes) > max_hops:
            continue
        for a, b, price, first, last in edges:
            if not first <= day <= last:
                continue
            for u, v in {(a, b), (b, a)}:
                if nodes[-1] == u:
                    stack.append(((*nodes, v), cost + price))


def best_walks(edges, source, max_hops, day):
    """Return node -> (cost, hops, nodes): cheapest, then shortest, then lowest from the end backwards."""
    best = {}
    for nodes, cost in all_walks(edges, source, max_hops, day):
        key = (cost, len(nodes) - 1, nodes[::-1])
        if nodes[-1] not in best or key < best[nodes[-1]]:
            best[nodes[-1]] = key
    return {v: (cost, hops, back[::-1]) for v, (cost, hops, back) in best.items()}
