"""The verifier's own shortest ways on a road graph, from its public nodes and arcs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

FloatArray = NDArray[np.float64]
_BLOCK = 64  # searches at once


def is_road_graph(travel: Any) -> bool:
    """Tell whether a travel plug lays open a road graph."""
    return all(hasattr(travel, name) for name in ("nodes", "arcs", "max_minutes"))


def _on_sphere(lat: FloatArray, lon: FloatArray) -> FloatArray:
    y, x = np.radians(lat), np.radians(lon)
    return np.column_stack((np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)))


class Roads:
    """Minutes along a directed road graph between the nodes nearest to places."""

    def __init__(self, travel: Any) -> None:
        nodes, arcs = travel.nodes, travel.arcs
        index = pd.Index(nodes["node_id"], tupleize_cols=False)
        tail, head = (index.get_indexer(pd.Index(arcs[end], tupleize_cols=False)) for end in ("tail", "head"))
        ways = pd.DataFrame({"tail": tail, "head": head, "minutes": arcs["minutes"].astype(float)})
        fastest = ways.groupby(["tail", "head"], as_index=False)["minutes"].min()
        # before scipy 1.15 the search takes positions of 32 bits only, and the matrix keeps those it is given
        ends = fastest["tail"].to_numpy(dtype=np.int32), fastest["head"].to_numpy(dtype=np.int32)
        self._graph = csr_array((fastest["minutes"].to_numpy(), ends), shape=(len(index), len(index)))
        self._nearest = cKDTree(_on_sphere(*(nodes[c].to_numpy(dtype=np.float64) for c in ("lat", "lon"))))
        self._limit = float(travel.max_minutes)

    def _snap(self, lat: FloatArray, lon: FloatArray) -> NDArray[np.int64]:
        return np.asarray(self._nearest.query(_on_sphere(lat, lon))[1], dtype=np.int64)

    def minutes(self, lat: FloatArray, lon: FloatArray, to_lat: FloatArray, to_lon: FloatArray) -> FloatArray:
        """Return minutes (n,) of known places; infinite where no way is short enough."""
        start, goal, graph = self._snap(lat, lon), self._snap(to_lat, to_lon), self._graph
        if len(np.unique(start)) > len(np.unique(goal)):
            start, goal, graph = goal, start, csr_array(graph.T)
        roots, root = np.unique(start, return_inverse=True)
        answer = np.full(len(start), np.inf)
        for low in range(0, len(roots), _BLOCK):
            block = roots[low : low + _BLOCK]
            times = dijkstra(graph, indices=block, limit=self._limit)
            rows = np.flatnonzero((root >= low) & (root < low + _BLOCK))
            answer[rows] = times[root[rows] - low, goal[rows]]
        return answer
