"""Limits beside capacities that rounds keep: quotas of agreements, work away from home, hours of a week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.plan.decode import Pairs
from govmatch.ragged import matches
from govmatch.reach.asks import Asks
from govmatch.reach.candidates import Arcs
from govmatch.reach.limits import AllLimits, Passes
from govmatch.reach.options import Options
from govmatch.reach.paths import EdgeArrays, Paths
from govmatch.reach.quotas import Quotas
from govmatch.reach.weeks import Away, Hours

IntArray = NDArray[np.int64]


def limits_of(problem: Problem, asks: Asks, edges: EdgeArrays, paths: Paths) -> AllLimits:
    """List the limits that do not depend on when a visit starts."""
    parts = (Quotas(edges, paths, problem.supply), Away(problem), Hours(problem, asks.demand))
    return AllLimits(parts, len(problem.supply.slot_provider))


def _passes(limits: AllLimits, ask: IntArray, slot: IntArray, asks: Asks) -> Passes:
    return limits.passes(Arcs(ask, slot, np.zeros(len(ask), np.int64)), asks.demand)


@dataclass(frozen=True)
class Entries:
    """What options of visits count for rules; rules that cannot bind are left out."""

    option: IntArray  # (n,) ascending
    rule: IntArray  # (n,)
    weight: IntArray  # (n,)
    limit: IntArray  # (n_rules,)


def entries_of(limits: AllLimits, options: Options, asks: Asks, option: IntArray, visit: IntArray) -> Entries:
    """Return the entries of the options of visits.

    Parameters
    ----------
    limits : AllLimits
    options : Options
    asks : Asks
    option, visit : int64 (n,)
        Of which of `options` each option of a visit is, and of which visit.
    """
    passes = _passes(limits, options.ask, options.slot, asks)
    own, at = matches(passes.arc, option)
    rule, weight = passes.rule[at], passes.weight[at]
    # all visits together, each at its heaviest
    keys, which = np.unique(rule * (int(visit.max(initial=0)) + 1) + visit[own], return_inverse=True)
    heaviest = np.zeros(len(keys), np.int64)
    np.maximum.at(heaviest, which.reshape(-1), weight)
    most = np.zeros(len(limits), np.int64)
    np.add.at(most, keys // (int(visit.max(initial=0)) + 1), heaviest)
    binds = most > limits.limit
    number = np.cumsum(binds) - 1
    kept = binds[rule]
    return Entries(own[kept], number[rule[kept]], weight[kept], limits.limit[binds])


def shut_off(limits: AllLimits, options: Options, asks: Asks, made: Pairs) -> NDArray[np.object_]:
    """Return of each ask the reason why nobody could come any more, (Q,); "" where a limit stops not all.

    `made` are the visits that are made. Of several reasons it is the last in the order of the kinds.
    """
    used = np.zeros(len(limits), np.int64)
    passes = _passes(limits, made.request, made.slot, asks)
    np.add.at(used, passes.rule, passes.weight)
    passes = _passes(limits, options.ask, options.slot, asks)
    full = np.flatnonzero(used[passes.rule] + passes.weight > limits.limit[passes.rule])
    shut = np.zeros(len(options), np.bool_)
    shut[passes.arc[full]] = True
    last = np.full(len(asks), -1)
    np.maximum.at(last, options.ask[passes.arc[full]], passes.rule[full])
    last[options.ask[~shut]] = -1
    reason: NDArray[np.object_] = np.append(limits.code, "")[last]
    return reason
