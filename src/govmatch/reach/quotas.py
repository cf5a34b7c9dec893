"""Quotas of agreements: which ways pass which, and in which week."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import Demand, Supply
from govmatch.ragged import matches
from govmatch.reach.candidates import Arcs, Tolls
from govmatch.reach.limits import Passes
from govmatch.reach.paths import EdgeArrays, Paths

IntArray = NDArray[np.int64]


class Quotas:
    """The weekly quotas of a problem's agreements; a rule is one agreement in one week.

    A job counts in the week of its slot, for every agreement with a quota on its route.

    Attributes
    ----------
    code : str
        The reason of a request that one of them leaves unserved.
    limit : int64 (n_rules,)
    edge : int64 (n_rules,)
        Row of `EdgeArrays` of each rule's agreement.
    """

    code = "quota"

    def __init__(self, edges: EdgeArrays, paths: Paths, supply: Supply) -> None:
        limited = np.flatnonzero(edges.quota >= 0)
        number = np.full(len(edges.quota) + 1, -1)
        number[limited] = np.arange(len(limited))
        self._supply = supply
        self._home = supply.home[supply.slot_provider].astype(np.int64)
        weeks, self._week = np.unique(supply.slot_week, return_inverse=True)
        self._n_weeks = max(1, len(weeks))
        epoch = paths.epoch_of_day(supply.slot_day).astype(np.int64)
        periods, period = np.unique(epoch * self._n_weeks + self._week, return_inverse=True)
        self._period = period.astype(np.int32)
        self._period_epoch, self._period_week = np.divmod(periods, self._n_weeks)
        self.limit: IntArray = np.repeat(edges.quota[limited], self._n_weeks)
        self.edge: IntArray = np.repeat(limited, self._n_weeks)
        self._shape = paths.cost.shape
        keys, passed = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for e in range(paths.cost.shape[0] if len(limited) else 0):
            for source in range(paths.cost.shape[1]):
                nodes, through = paths.edges_passed(source, e)
                which = number[through]
                row, hop = np.nonzero(which >= 0)
                keys.append((e * self._shape[1] + source) * self._shape[2] + nodes[row])
                passed.append(which[row, hop])
        key, edge = np.concatenate(keys), np.concatenate(passed)
        order = np.argsort(key, kind="stable")
        self._key, self._edge = key[order], edge[order]

    def __len__(self) -> int:
        return len(self.limit)

    def passes(self, arcs: Arcs, demand: Demand) -> Passes:
        """Say which quotas each pair counts towards; those of slots beyond the supply's count for none."""
        source = demand.community[arcs.request].astype(np.int64)
        jobs = np.flatnonzero(arcs.slot < len(self._home))
        slot = arcs.slot[jobs]
        key = np.full(len(arcs), -1)
        place = self._period_epoch[self._period[slot]] * self._shape[1] + source[jobs]
        key[jobs] = place * self._shape[2] + self._home[slot]
        arc, at = matches(self._key, key)
        rule = self._edge[at] * self._n_weeks + self._week[arcs.slot[arc]]
        return Passes(arc, rule, np.ones(len(arc), np.int64))

    def tolls(self, price: IntArray) -> Tolls:
        """Lay prices of the rules on all ways."""
        cost = np.zeros((len(self._period_week), *self._shape[1:]), np.int64)
        own = price.reshape(-1, self._n_weeks)
        flat = cost.reshape(len(cost), -1)
        size = self._shape[1] * self._shape[2]
        for p, (epoch, week) in enumerate(zip(self._period_epoch, self._period_week, strict=True)):
            here = slice(*np.searchsorted(self._key, [epoch * size, (epoch + 1) * size]))
            np.add.at(flat[p], self._key[here] - epoch * size, own[self._edge[here], week])
        return Tolls(self._period, cost)
