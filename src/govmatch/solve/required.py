"""What it costs inside to leave a required request unserved: so much that it is never cheaper.

A flow solver lets every request stay unmet at a cost. A required one is given the cost M below. Then an
optimal flow leaves a unit of a required request unmet only where no flow serves them all:

Let x be optimal at M and let a unit of the required request r_0 be unmet in it. Suppose that x' serves
all required requests. The difference x' - x falls apart into cycles of the residual network of x; one of
them takes the unmet arc of r_0 backward and so consists of it (cost -M) and a simple path from r_0 to
the sink. As the required requests' unmet units only decrease, the path uses no unmet arc of a required
request. If every such path costs less than M, the cycle costs less than 0, against the optimality of x.

Such a path leaves r_0 by an arc (at most the largest cost of r_0's arcs). Whenever it comes back from the
forest to the request side, at request r, by a used arc taken backward, it leaves again by another arc of
r, or by the unmet arc of r where r is not required, and pays at most

    span_r = max(max_a c_a, unmet_cost_r if r is not required) - min_a c_a,   a of r.

It comes back to r at most as often as r is served, which is at most n_r and the number of its arcs, and
altogether at most as often as there are distinct providers with any capacity: it leaves each once. Upward
through node k it pays at most ``load_cost_k * (min(capacity_k, arcs below k) - 1)``, once; downward it is
paid. So

    M = 1 + max(0, max_{a of a required r} c_a) + sum of the largest spans, as many as may be
          + sum_k load_cost_k * max(0, min(capacity_k, arcs below k) - 1)

The same argument shows that, where x leaves a unit of r_0 unmet, the sink cannot be reached from r_0 in
the residual network without required requests' unmet arcs: the cut that is the witness (`witness.find`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.certificate import exact_dot, node_loads
from govmatch.solve.instance import Instance

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Costs = TypeVar("Costs", IntArray, FloatArray)


def leaving_cost(instance: Instance, required: BoolArray) -> int:
    """Compute M, exactly. `unmet_cost` of required requests is not read."""
    parts = _parts(instance, instance.cost, instance.unmet_cost, required)
    first, span, times, stepped, units = parts
    middle = exact_dot(span, times)
    return 1 + max(0, int(first)) + middle + exact_dot(instance.load_cost[stepped], units)


def leaving_cost_about(
    instance: Instance, cost: FloatArray, unmet_cost: FloatArray, load_cost: FloatArray, required: BoolArray
) -> float:
    """M for costs that are floats, before they are scaled: a little too large, and without the 1.

    Of `instance` everything but the costs is read.
    """
    shaped = replace(instance, load_cost=(load_cost > 0).astype(np.int64))
    first, span, times, stepped, units = _parts(shaped, cost, unmet_cost, required)
    total = max(0.0, float(first)) + float(span @ times) + float(load_cost[stepped] @ units)
    return total * (1 + 2.0**-20)


def _parts(
    instance: Instance, cost: Costs, unmet_cost: Costs, required: BoolArray
) -> tuple[int | float, Costs, IntArray, IntArray, IntArray]:
    """Return the dearest first arc, spans and how often each counts, nodes with load costs and how many."""
    present, arcs, high, low = _extremes(instance.request, cost, len(instance.demand))
    must = required[present]
    first = high[must].max(initial=0)
    high = np.where(must, high, np.maximum(high, unmet_cost[present]))
    span = high - low
    times = np.minimum(instance.demand[present], arcs)
    provides = np.zeros(len(instance.parent), np.bool_)
    provides[instance.node] = True
    passages = int(np.count_nonzero(provides & (instance.capacity > 0)))
    if float(times.sum(dtype=np.float64)) > passages:
        order = np.argsort(-span, kind="stable")
        span, times = span[order], times[order]
        before = np.cumsum(times) - times
        times = np.clip(passages - before, 0, times)
    stepped = np.flatnonzero(instance.load_cost)
    units = np.zeros(0, np.int64)
    if len(stepped):
        below = node_loads(instance, np.ones(len(instance.node), np.int64))
        units = np.maximum(np.minimum(instance.capacity, below)[stepped] - 1, 0)
    return first.item(), span, times, stepped, units


def _extremes(request: IntArray, cost: Costs, n_requests: int) -> tuple[IntArray, IntArray, Costs, Costs]:
    """Return the requests with arcs, how many, and the largest and the smallest cost of each one's."""
    arcs = np.bincount(request, minlength=n_requests)
    high = np.full(n_requests, cost.min(initial=0), cost.dtype)
    low = np.full(n_requests, cost.max(initial=0), cost.dtype)
    np.maximum.at(high, request, cost)
    np.minimum.at(low, request, cost)
    present = np.flatnonzero(arcs)
    return present, arcs[present], high[present], low[present]
