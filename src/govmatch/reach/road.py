"""Travel on a road graph: directed arcs in minutes, places snapped to the nearest node."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from govmatch.errors import InvalidInput
from govmatch.model.encoded import BoolArray, FloatArray, Int32Array
from govmatch.model.real import as_real
from govmatch.model.suggest import shown
from govmatch.reach.frames import eager_frame
from govmatch.reach.travel import EARTH_KM, coordinates, outside_places, positions, unit_vectors

BLOCK_NODES = 64  # destinations of one call of dijkstra: 64 rows of 50,000 nodes are 26 MB
CACHE_BYTES = 128_000_000


class RoadGraph:
    """Minutes along the fastest way of a directed road graph.

    A place stands for the node nearest to it; the way from the place to its node takes no time (see
    `snap_metres` for how far that is). The mode of the traveller is ignored: the minutes are those of
    the arcs. Ways of more than `max_minutes` are not searched for and count as no way.

    Parameters
    ----------
    nodes : DataFrame
        ``node_id``, ``lon``, ``lat`` (degrees, WGS-84). pandas, polars or pyarrow.
    arcs : DataFrame
        ``tail``, ``head`` (ids of nodes) and minutes. Of parallel arcs the fastest counts.
    max_minutes : float
        Positive; may be infinite.
    minutes : str
        Name of the column of `arcs` that holds the minutes.

    Attributes
    ----------
    nodes : pandas.DataFrame
        ``node_id``, ``lon``, ``lat`` as given.
    arcs : pandas.DataFrame
        ``tail``, ``head``, ``minutes`` as given.
    max_minutes : float

    Raises
    ------
    InvalidInput
        A missing column, no node at all, a node id that is missing or there twice, a coordinate that is
        unknown or out of range, an arc between unknown nodes, minutes that are negative, infinite or no
        number. The message names the row.
    """

    def __init__(self, nodes: Any, arcs: Any, *, max_minutes: float = 60.0, minutes: str = "minutes") -> None:
        if not as_real(max_minutes) > 0:
            raise InvalidInput(f"max_minutes is {shown(max_minutes)}; expected a positive number")
        column: object = minutes
        if not isinstance(column, str):
            raise InvalidInput(f"minutes is {shown(minutes)}; expected the name of a column of arcs")
        self.max_minutes = float(max_minutes)
        self.nodes = _frame(nodes, "nodes", {"node_id": "node_id", "lon": "lon", "lat": "lat"})
        self.arcs = _frame(arcs, "arcs", {"tail": "tail", "head": "head", "minutes": minutes})
        if not len(self.nodes):
            raise InvalidInput("nodes is empty; a road graph needs at least one node")
        ids = _ids(self.nodes, "nodes", "node_id")
        _refuse(np.asarray(ids.isna()), self.nodes, "nodes", "node_id", "an id")
        _refuse(ids.duplicated(), self.nodes, "nodes", "node_id", "an id that no row above has")
        lat, lon = (_numbers(self.nodes, "nodes", c) for c in ("lat", "lon"))
        _refuse(~(np.abs(lat) <= 90), self.nodes, "nodes", "lat", "-90 to 90 degrees")
        _refuse(~(np.abs(lon) <= 180), self.nodes, "nodes", "lon", "-180 to 180 degrees")
        self._tree = cKDTree(unit_vectors(lat, lon))
        tail, head = (ids.get_indexer(_ids(self.arcs, "arcs", c)) for c in ("tail", "head"))
        _refuse(tail < 0, self.arcs, "arcs", "tail", "the id of a node")
        _refuse(head < 0, self.arcs, "arcs", "head", "the id of a node")
        cost = _numbers(self.arcs, "arcs", "minutes")
        _refuse(~((cost >= 0) & np.isfinite(cost)), self.arcs, "arcs", "minutes", "0 or more minutes")
        self._reversed = _reversed_graph(tail, head, cost, len(ids))

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the coordinates, the arcs that count, and `max_minutes`."""
        digest = hashlib.sha256(f"road_graph {self.max_minutes!r}".encode())
        graph = self._reversed
        for array in (self._tree.data, graph.indptr, graph.indices, graph.data):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def prepare(
        self,
        origin_lat: ArrayLike,
        origin_lon: ArrayLike,
        origin_mode: ArrayLike,
        destination_lat: ArrayLike,
        destination_lon: ArrayLike,
    ) -> RoadPairs:
        """Snap every place to its nearest node, once; parameters as `govmatch.model.travel.Travel` has them.

        The mode is ignored.

        Raises
        ------
        InvalidInput
            Arrays of unequal lengths, or degrees out of range.
        """
        origin, _ = self._snap(*coordinates(origin_lat, origin_lon, "origin"))
        destination, _ = self._snap(*coordinates(destination_lat, destination_lon, "destination"))
        return RoadPairs(self._reversed, self.max_minutes, origin, destination)

    def snap(self, lat: ArrayLike, lon: ArrayLike) -> Int32Array:
        """Return the rows of `nodes` nearest to places, int32 (n,); -1 where a coordinate is NaN."""
        return self._snap(*coordinates(lat, lon, "place"))[0]

    def snap_metres(self, lat: ArrayLike, lon: ArrayLike) -> FloatArray:
        """Return how far places are from their nearest nodes, float64 (n,) metres; NaN where unknown."""
        return self._snap(*coordinates(lat, lon, "place"))[1]

    def _snap(self, lat: FloatArray, lon: FloatArray) -> tuple[Int32Array, FloatArray]:
        known = ~(np.isnan(lat) | np.isnan(lon))
        node = np.full(len(lat), -1, dtype=np.int32)
        metres = np.full(len(lat), np.nan)
        if known.any():
            chord, nearest = self._tree.query(unit_vectors(lat[known], lon[known]))
            node[known] = nearest
            metres[known] = 2000 * EARTH_KM * np.arcsin(np.minimum(chord / 2, 1))
        return node, metres

    def __repr__(self) -> str:
        return (
            f"<RoadGraph: {len(self.nodes)} nodes, {len(self.arcs)} arcs, up to {self.max_minutes:g} minutes>"
        )


class RoadPairs:
    """Places of a `RoadGraph`, by their nodes; keeps the times to the destinations asked for last.

    Parameters
    ----------
    reversed_graph : csr_array (N, N)
        Minutes of the arc j → i at [i, j].
    max_minutes : float
    origin, destination : int32 (n,)
        Nodes; -1 where a place is unknown.
    """

    def __init__(
        self,
        reversed_graph: csr_array[np.float64],
        max_minutes: float,
        origin: Int32Array,
        destination: Int32Array,
    ) -> None:
        self._graph = reversed_graph
        self._max_minutes = max_minutes
        self._origin_known = origin >= 0
        self._origin_nodes, self._origin = np.unique(origin, return_inverse=True)
        self._destination = destination
        self._row_limit = max(BLOCK_NODES, CACHE_BYTES // max(8 * len(self._origin_nodes), 1))
        self._rows: OrderedDict[int, FloatArray] = OrderedDict()
        self._lock = Lock()

    def minutes(self, origins: Int32Array, destinations: Int32Array) -> FloatArray:
        """Return the minutes of pairs: NaN where a place is unknown, infinity where no way leads.

        Parameters
        ----------
        origins, destinations : int32 (n,)
            Positions in the places that were prepared.

        Raises
        ------
        InvalidInput
            Unequal lengths, or a position that is outside the places.
        """
        o, d = positions(origins, destinations)
        n_origins, n_destinations = len(self._origin), len(self._destination)
        outside = (o < 0) | (o >= n_origins) | (d < 0) | (d >= n_destinations)
        if outside.any():
            raise outside_places(int(np.argmax(outside)), o, d, n_origins, n_destinations)
        minutes = np.full(len(o), np.nan)
        node = self._destination[d]
        known = np.flatnonzero(self._origin_known[o] & (node >= 0))
        known = known[np.argsort(node[known], kind="stable")]
        wanted, begins = np.unique(node[known], return_index=True)
        ends = np.append(begins[1:], len(known))
        for at in range(0, len(wanted), BLOCK_NODES):
            part = slice(at, at + BLOCK_NODES)
            for row, begin, end in zip(self._times(wanted[part]), begins[part], ends[part], strict=True):
                pairs = known[begin:end]
                minutes[pairs] = row[self._origin[o[pairs]]]
        return minutes

    def _times(self, to: Int32Array) -> list[FloatArray]:
        """Return, for each node of `to`, the minutes from every node of an origin."""
        with self._lock:
            found = {v: self._rows[v] for v in to.tolist() if v in self._rows}
        missing = [v for v in to.tolist() if v not in found]
        if missing:
            times = dijkstra(self._graph, indices=missing, limit=self._max_minutes)
            found |= {v: row[self._origin_nodes] for v, row in zip(missing, times, strict=True)}
        with self._lock:
            for v in to.tolist():
                self._rows[v] = found[v]
                self._rows.move_to_end(v)
            while len(self._rows) > self._row_limit:
                self._rows.popitem(last=False)
        return [found[v] for v in to.tolist()]


def _reversed_graph(
    tail: NDArray[np.intp], head: NDArray[np.intp], minutes: FloatArray, n: int
) -> csr_array[np.float64]:
    # scipy adds up parallel entries, so only the fastest may remain. An arc of 0 minutes stays: an
    # entry that is stored explicitly is an arc to csgraph.
    order = np.lexsort((minutes, tail, head))
    tail, head, minutes = tail[order], head[order], minutes[order]
    fastest = np.append(True, (tail[1:] != tail[:-1]) | (head[1:] != head[:-1]))[: len(tail)]
    kept = fastest & (tail != head)
    entries = (minutes[kept], (head[kept].astype(np.int32), tail[kept].astype(np.int32)))
    return coo_array(entries, shape=(n, n)).tocsr()


def _frame(table: Any, name: str, columns: dict[str, str]) -> pd.DataFrame:
    """Return the columns of a table by the names that they get here."""
    given = eager_frame(table, name)
    missing = [c for c in columns.values() if c not in given.columns]
    if missing:
        raise InvalidInput(
            f"{name} lacks the column {', '.join(map(repr, missing))}; it has {', '.join(given.columns)}"
        )
    return pd.DataFrame({new: given[old].to_numpy() for new, old in columns.items()})


def _ids(frame: pd.DataFrame, table: str, column: str) -> pd.Index[Any]:
    values = frame[column]
    if values.dtype == object:
        unhashable = np.array([not isinstance(v, Hashable) for v in values], dtype=np.bool_)
        _refuse(unhashable, frame, table, column, "an id: a text or a number")
    index: pd.Index[Any] = pd.Index(values, tupleize_cols=False)
    return index


def _numbers(frame: pd.DataFrame, table: str, column: str) -> FloatArray:
    values = frame[column]
    if values.dtype.kind not in "biuf":  # texts may hold numbers; dates and other objects do not
        values = pd.Series([v if isinstance(v, str) else as_real(v) for v in values], dtype=object)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse(np.isnan(numbers), frame, table, column, "a number")
    return numbers


def _refuse(wrong: BoolArray, frame: pd.DataFrame, table: str, column: str, expected: str) -> None:
    """Raise for the first wrong row."""
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidInput(
            f"{table}[{row}].{column} is {shown(frame[column].iloc[row])}; expected {expected}"
        )
