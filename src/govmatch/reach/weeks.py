"""Limits of a week: jobs of a community's volunteers elsewhere, and the time of one volunteer's jobs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import Demand
from govmatch.model.problem import Problem
from govmatch.reach.candidates import Arcs
from govmatch.reach.limits import Passes

IntArray = NDArray[np.int64]


class _Weekly:
    """Limits of owners in each week; a rule is one owner in one week."""

    code = ""

    def __init__(self, problem: Problem, owner: IntArray, limit: IntArray) -> None:
        """`owner`, (P,), of each provider has `limit`; -1: none."""
        supply = problem.supply
        weeks, week = np.unique(supply.slot_week, return_inverse=True)
        limited = np.flatnonzero(limit >= 0)
        number = np.full(len(limit) + 1, -1)
        number[limited] = np.arange(len(limited))
        own = number[owner[supply.slot_provider]]
        # the rule of each slot
        self._rule = np.where(own >= 0, own * len(weeks) + week.reshape(-1), -1)
        self.limit: IntArray = np.repeat(limit[limited], len(weeks))

    def _limited(self, arcs: Arcs) -> tuple[IntArray, IntArray]:
        rule = self._rule[arcs.slot]
        arc = np.flatnonzero(rule >= 0)
        return arc, rule[arc]


class Away(_Weekly):
    """Jobs that the volunteers of a community do in others; those of an organisation's own staff are free."""

    code = "away"

    def __init__(self, problem: Problem) -> None:
        supply = problem.supply
        quota = problem.tables["communities"]["away_per_week"]
        limit = quota.fillna(-1).to_numpy(np.int64)
        owner = supply.community.astype(np.int64)
        owner[supply.n_volunteers :] = -1
        super().__init__(problem, owner, limit)
        self._home = supply.community[supply.slot_provider]

    def passes(self, arcs: Arcs, demand: Demand) -> Passes:
        """Say which pairs take a volunteer away from home."""
        arc, rule = self._limited(arcs)
        away = demand.community[arcs.request[arc]] != self._home[arcs.slot[arc]]
        return Passes(arc[away], rule[away], np.ones(int(away.sum()), np.int64))


class Hours(_Weekly):
    """Minutes of a volunteer's jobs; of those who could exceed their limit."""

    code = "hours"

    def __init__(self, problem: Problem, demand: Demand) -> None:
        supply, usual = problem.supply, problem.policy.load.minutes_per_week
        stated = problem.tables["volunteers"]["max_minutes_per_week"]
        limit = np.full(supply.n_providers, -1)
        limit[: supply.n_volunteers] = stated.fillna(usual if usual > 0 else -1).to_numpy(np.int64)
        longest = int(demand.minutes.max(initial=0))
        limit[: supply.n_volunteers][
            supply.week_cap[: supply.n_volunteers] * longest <= limit[: supply.n_volunteers]
        ] = -1
        super().__init__(problem, np.arange(supply.n_providers), limit)

    def passes(self, arcs: Arcs, demand: Demand) -> Passes:
        """Say how long each job of a limited volunteer is."""
        arc, rule = self._limited(arcs)
        return Passes(arc, rule, demand.minutes[arcs.request[arc]])
