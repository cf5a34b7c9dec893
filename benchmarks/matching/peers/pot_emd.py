"""POT's network simplex: requests send, providers receive, and whoever stays alone has a partner to do so.

Its sparse arcs have no capacity of their own, so a request may ask for one person only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ot
from numpy.typing import NDArray
from scipy.sparse import coo_array

from benchmarks.matching.instances import Instance, IntArray

PIVOTS = 2**31 - 1


@dataclass(frozen=True)
class Model:
    """Masses of both sides, and the costs: an array where every pair has an arc, else a sparse one."""

    sent: NDArray[np.float64]
    received: NDArray[np.float64]
    cost: NDArray[np.float64] | coo_array


def build(instance: Instance) -> Model:
    """Balance both sides with one more node each, unless all must be served."""
    n, m = len(instance.demand), len(instance.capacity)
    demand, capacity = instance.demand.astype(float), instance.capacity.astype(float)
    if not len(instance.unmet_cost) and len(instance.cost) == n * m and capacity.sum() == demand.sum():
        cost = np.empty((n, m))
        cost[instance.request, instance.provider] = instance.cost
        return Model(demand, capacity, cost)
    requests, providers = np.arange(n), np.arange(m)
    # where all must be served, no arc leads to the partner of the unmet
    unmet = requests if len(instance.unmet_cost) else requests[:0]
    rows = np.concatenate([instance.request, unmet, np.full(m + 1, n)])
    columns = np.concatenate([instance.provider, np.full(len(unmet), m), providers, [m]])
    cost = np.concatenate([instance.cost, instance.unmet_cost, np.zeros(m + 1, np.int64)])
    return Model(
        np.append(demand, capacity.sum()),
        np.append(capacity, demand.sum()),
        coo_array((cost.astype(float), (rows, columns)), shape=(n + 1, m + 1)),
    )


def solve(model: Model) -> NDArray[np.float64] | coo_array:
    """Return the plan, as an array or sparse as the costs were."""
    return ot.emd(model.sent, model.received, model.cost, numItermax=PIVOTS)


def read(instance: Instance, model: Model, answer: NDArray[np.float64] | coo_array) -> IntArray:
    """Look up the mass on each arc."""
    if isinstance(answer, np.ndarray):
        return np.rint(answer[instance.request, instance.provider]).astype(np.int64)
    plan, width = coo_array(answer), len(instance.capacity) + 1
    moved = plan.data > 0.5
    used = plan.row[moved].astype(np.int64) * width + plan.col[moved]
    return np.isin(instance.request * width + instance.provider, used).astype(np.int64)
