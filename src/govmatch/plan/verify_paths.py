"""The verifier's own paths through the alliance: layered shortest paths, valid day by day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.plan.verify_columns import Ids, IntArray
from govmatch.plan.verify_slots import NEVER, whole_days

_FAR = np.int64(2**60)
_FARTHEST = 1e15  # hundredths; beyond it nothing is told apart
_CHUNK = 256  # sources at once


def hundredths(minutes: Any) -> IntArray:
    """Round to hundredths of an equivalent minute, halves upwards."""
    units = np.floor(np.asarray(minutes, dtype=np.float64) * 100.0 + 0.5)
    return np.clip(units, -_FARTHEST, _FARTHEST).astype(np.int64)


def _pairs(table: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    both = table[[a, b]].dropna()
    return pd.DataFrame({"from_id": both[a].to_numpy(), "to_id": both[b].to_numpy()})


def edges_of(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the alliance's edges as the tables state them: the tiers, then the agreements."""
    tiers = []
    if "organizations" in tables:
        tiers.append(_pairs(tables["organizations"], "organization_id", "community_id"))
        tiers.append(_pairs(tables["organizations"], "organization_id", "party_unit_id"))
    if "party_units" in tables:
        tiers.append(_pairs(tables["party_units"], "unit_id", "parent_id"))
        tiers.append(_pairs(tables["party_units"], "unit_id", "community_id"))
    parts = [pd.concat(tiers, ignore_index=True).assign(kind="tier")] if tiers else []
    if "agreements" in tables:
        named = ["agreement_id", "from_id", "to_id", "kind", "hop_minutes", "valid_from", "valid_to"]
        parts.append(tables["agreements"][named].astype({"hop_minutes": "float64"}))
    if not parts:
        return pd.DataFrame({"from_id": [], "to_id": [], "kind": []}, dtype=object)
    return pd.concat(parts, ignore_index=True)


class Paths:
    """Cheapest permitted paths of at most `max_hops` hops, in hundredths of a minute.

    Layer by layer: the cheapest walk of at most h + 1 hops to a node is the cheaper of the walk of
    at most h hops and one more hop from a neighbour's (Bellman 1958; Ford 1956).
    """

    def __init__(
        self, edges: pd.DataFrame, policy: Any, nodes: NDArray[np.object_], quotas: Mapping[Any, int]
    ) -> None:
        known = pd.concat(
            [pd.Series(nodes, dtype=object), edges["from_id"], edges["to_id"]], ignore_index=True
        )
        self.node = Ids(known.dropna().unique())
        self.max_hops = int(policy.route.max_hops)
        price = edges["kind"].map(dict(policy.route.hop_minutes)).to_numpy(dtype=np.float64, na_value=np.nan)
        own = edges["hop_minutes"] if "hop_minutes" in edges else pd.Series(np.nan, index=edges.index)
        minutes = pd.to_numeric(own, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        minutes = np.where(np.isnan(minutes), price, minutes)
        named = edges["agreement_id"] if "agreement_id" in edges else pd.Series(None, index=edges.index)
        key = named.to_numpy(dtype=object)
        quota = np.array([quotas.get(one, -1) for one in key], dtype=np.int64)
        open_ = ~np.isnan(price) & (quota != 0)
        ends = [self.node.at(edges[side])[open_] for side in ("from_id", "to_id")]
        days = [
            whole_days(edges[bound])[open_] if bound in edges else np.full(int(open_.sum()), NEVER)
            for bound in ("valid_from", "valid_to")
        ]
        cost = hundredths(minutes[open_])
        self.key, self.quota = key[open_], quota[open_]
        self.tail, self.head = np.concatenate(ends), np.concatenate(ends[::-1])
        self.cost = np.tile(cost, 2)
        self.first = np.tile(days[0], 2)
        self.last = np.tile(np.where(days[1] == NEVER, np.iinfo(np.int64).max, days[1]), 2)
        self._epochs = np.unique(
            np.concatenate((self.first, self.last[self.last < np.iinfo(np.int64).max] + 1))
        )
        self._columns: dict[tuple[int, int], IntArray] = {}
        self._hops: dict[int, dict[tuple[int, int], int]] = {}

    def epoch(self, day: IntArray) -> IntArray:
        """Return a number that days share between which no edge begins or ends to be valid."""
        return np.searchsorted(self._epochs, day, side="right")

    def _valid(self, day: int) -> NDArray[np.bool_]:
        return (self.first <= day) & (day <= self.last)

    def hops(self, day: int, epoch: int) -> dict[tuple[int, int], int]:
        """Return the cheapest valid hop between neighbours on a day of an epoch."""
        if epoch not in self._hops:
            rows = np.flatnonzero(self._valid(day))
            rows = rows[np.argsort(-self.cost[rows], kind="stable")]
            ends = zip(self.tail[rows].tolist(), self.head[rows].tolist(), strict=True)
            self._hops[epoch] = dict(zip(ends, self.cost[rows].tolist(), strict=True))
        return self._hops[epoch]

    def _search(self, sources: IntArray, day: int) -> IntArray:
        """Return costs (sources, nodes); `_FAR` where no permitted path exists."""
        n = len(self.node)
        rows = np.flatnonzero(self._valid(day))
        rows = rows[np.argsort(self.tail[rows], kind="stable")]
        head, cost = self.head[rows], self.cost[rows]
        begin = np.searchsorted(self.tail[rows], np.arange(n + 1))
        degree = np.diff(begin)
        best = np.full(len(sources) * n, _FAR)
        fresh = np.arange(len(sources)) * n + sources
        best[fresh] = 0
        for _ in range(self.max_hops):
            # Only who became cheaper in the last layer can make a neighbour cheaper.
            at = fresh % n
            count = degree[at]
            hop = (
                np.arange(count.sum())
                - np.repeat(np.cumsum(count) - count, count)
                + np.repeat(begin[at], count)
            )
            reached = np.repeat(fresh - at, count) + head[hop]
            layer = best.copy()
            np.minimum.at(layer, reached, np.repeat(best[fresh], count) + cost[hop])
            fresh = np.flatnonzero(layer < best)
            best = layer
        return best.reshape(len(sources), n)

    def cheapest(self, source: IntArray, home: IntArray, day: IntArray) -> IntArray:
        """Return the cost of the cheapest permitted path of each triple, -1 where there is none.

        Parameters
        ----------
        source, home : int64 (n,)
            Positions in `node`.
        day : int64 (n,)
            The local day on which every hop must be valid.
        """
        epoch = self.epoch(day)
        answer = np.full(len(source), _FAR)
        for key in np.unique(epoch):
            rows = np.flatnonzero(epoch == key)
            wanted, place = np.unique(source[rows], return_inverse=True)
            missing = np.array(
                [s for s in wanted.tolist() if (int(key), s) not in self._columns], dtype=np.int64
            )
            for at in range(0, len(missing), _CHUNK):
                part = missing[at : at + _CHUNK]
                for s, costs in zip(part.tolist(), self._search(part, int(day[rows[0]])), strict=True):
                    self._columns[int(key), s] = costs
            table = np.stack([self._columns[int(key), s] for s in wanted.tolist()])
            answer[rows] = table[place, home[rows]]
        return np.where(answer >= _FAR // 2, -1, answer)
