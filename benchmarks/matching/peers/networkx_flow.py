"""networkx's `network_simplex` on a multigraph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from benchmarks.matching.instances import Instance, IntArray
from benchmarks.matching.network import Flow, flow_of


@dataclass(frozen=True)
class Model:
    """The graph, whose arcs have their number as key, and the arrays that it came from."""

    graph: nx.MultiDiGraph
    flow: Flow


def build(instance: Instance) -> Model:
    """Add the nodes with their demand (networkx counts it the other way round) and the arcs."""
    flow, graph = flow_of(instance), nx.MultiDiGraph()
    graph.add_nodes_from((node, {"demand": -supply}) for node, supply in enumerate(flow.supply.tolist()))
    columns = (flow.tail.tolist(), flow.head.tolist(), flow.upper.tolist(), flow.cost.tolist())
    graph.add_edges_from(
        (tail, head, arc, {"capacity": upper, "weight": cost})
        for arc, (tail, head, upper, cost) in enumerate(zip(*columns, strict=True))
    )
    return Model(graph, flow)


def solve(model: Model) -> dict[int, Any]:
    """Return the flow as nested dictionaries."""
    return nx.network_simplex(model.graph)[1]


def read(instance: Instance, model: Model, answer: dict[int, Any]) -> IntArray:
    """Look up every arc."""
    ends = zip(model.flow.tail.tolist(), model.flow.head.tolist(), strict=True)
    flows = [answer[tail][head][arc] for arc, (tail, head) in enumerate(ends)]
    return np.array(flows[: len(instance.cost)], np.int64)
