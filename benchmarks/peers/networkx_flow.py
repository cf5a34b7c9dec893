"""networkx's `network_simplex` on a multigraph."""

from __future__ import annotations

import networkx as nx

from benchmarks.network import Day


def build(day: Day) -> nx.MultiDiGraph:
    """Add the nodes with their demand (networkx counts it the other way round) and the arcs."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from((node, {"demand": -supply}) for node, supply in enumerate(day.supply.tolist()))
    columns = (day.tail.tolist(), day.head.tolist(), day.upper.tolist(), day.price.tolist())
    graph.add_edges_from(
        (tail, head, {"capacity": capacity, "weight": cost})
        for tail, head, capacity, cost in zip(*columns, strict=True)
    )
    return graph


def solve(model: nx.MultiDiGraph) -> int:
    """Return the least cost."""
    cost, _ = nx.network_simplex(model)
    return int(cost)
