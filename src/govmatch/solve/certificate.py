"""The proof that a flow is optimal: its cost beside a bound from duals. Plain numpy, no solver, no kernel.

Sums over a forest are taken by pointer doubling, in log2(depth) rounds, so that a chain of a hundred
thousand nodes costs little more than a flat forest (Hillis & Steele 1986, Data parallel algorithms).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import SolverError
from govmatch.solve.instance import Instance, Solution

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

ROOM = 2**62
"""Costs, duals and their sums stay below it."""

BLOCK_ARCS = 1 << 15
"""Arcs looked at together: their intermediate arrays stay in the processor's cache."""


@dataclass(frozen=True)
class Proof:
    """Cost of a feasible flow and a lower bound on every flow, in the instance's units."""

    primal: int
    bound: int

    @property
    def gap(self) -> float:
        """``(primal - bound) / max(1, |primal|)``."""
        return (self.primal - self.bound) / max(1, abs(self.primal))


def exact_sum(values: IntArray) -> int:
    """Sum int64 numbers exactly: the high and the low halves apart, which cannot overflow."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def exact_dot(left: IntArray, right: IntArray) -> int:
    """``sum_i left_i right_i`` exactly, in Python's integers where int64 might overflow."""
    if not len(left):
        return 0
    largest = [max(-int(side.min()), int(side.max())) for side in (left, right)]
    if largest[0] * largest[1] < ROOM:
        return exact_sum(left * right)
    return sum(a * b for a, b in zip(left.tolist(), right.tolist(), strict=True))


def prices_above(parent: IntArray, price: IntArray) -> IntArray:
    """Sum the prices of each node and of all nodes above it, (n_nodes,) int64."""
    total, jump = np.append(price, 0), _with_root(parent)
    while jump.max() >= 0:
        total += total[jump]
        jump = jump[jump]
    return total[:-1]


def node_loads(instance: Instance, flow: IntArray) -> IntArray:
    """Units of flow through each node, (n_nodes,) int64."""
    return _loads(instance, flow, np.flatnonzero(flow != 0))


def _loads(instance: Instance, flow: IntArray, used: IntArray) -> IntArray:
    n_nodes, jump = len(instance.parent), _with_root(instance.parent)
    load = np.bincount(instance.node[used], weights=flow[used], minlength=n_nodes)
    while jump.max() >= 0:
        laden = np.flatnonzero((load != 0) & (jump[:-1] >= 0))
        load += np.bincount(jump[laden], weights=load[laden], minlength=n_nodes)
        jump = jump[jump]
    return load.astype(np.int64)


def _with_root(parent: IntArray) -> IntArray:
    """Add one node above all roots, which is its own parent: the last, so that -1 is its number, too."""
    return np.append(parent, -1)


def load_costs(load: IntArray, load_cost: IntArray) -> IntArray:
    """Cost of carrying `load` units where the j-th unit costs ``(j - 1) * load_cost``."""
    return load_cost * (load * (load - 1) // 2)


def flow_cost(instance: Instance, flow: IntArray, unmet: IntArray, required: BoolArray | None = None) -> int:
    """Cost of a flow: arcs, unmet units and loads.

    Units of a `required` request have no unmet cost: where one is unmet, this is no feasible flow's.
    """
    used = np.flatnonzero(flow != 0)
    return _cost(instance, flow, unmet, used, _loads(instance, flow, used), required)


def _cost(
    instance: Instance,
    flow: IntArray,
    unmet: IntArray,
    used: IntArray,
    load: IntArray,
    required: BoolArray | None,
) -> int:
    left = unmet if required is None else np.where(required, 0, unmet)
    stepped = np.flatnonzero(instance.load_cost)
    pairs = load[stepped] * (load[stepped] - 1) // 2
    return (
        exact_dot(instance.cost[used], flow[used])
        + exact_dot(instance.unmet_cost, left)
        + exact_dot(instance.load_cost[stepped], pairs)
    )


def infeasibilities(instance: Instance, solution: Solution) -> list[str]:
    """Name every constraint that a flow breaks; empty where it is feasible."""
    used = np.flatnonzero(solution.flow != 0)
    return _faults(instance, solution, used, _loads(instance, solution.flow, used))


def _faults(instance: Instance, solution: Solution, used: IntArray, load: IntArray) -> list[str]:
    flow, faults = solution.flow, []
    if len(flow) and (flow.min() < 0 or flow.max() > 1):
        faults.append("an arc carries less than 0 or more than 1 unit")
    request = instance.request[used]
    served = np.bincount(request, weights=flow[used], minlength=len(instance.demand)).astype(np.int64)
    if (served + solution.unmet != instance.demand).any() or (solution.unmet < 0).any():
        faults.append("a request's served and unmet units are not its demand")
    if (load > instance.capacity).any():
        faults.append("a node carries more than its capacity")
    several = np.flatnonzero(served[request] > 1)
    request, group = request[several], instance.group[used[several]]
    order = np.lexsort((group, request))
    request, group = request[order], group[order]
    if ((request[1:] == request[:-1]) & (group[1:] == group[:-1])).any():
        faults.append("a request has two units of one group")
    return faults


def lower_bound(
    instance: Instance, request_dual: IntArray, price: IntArray, required: BoolArray | None = None
) -> int:
    """Compute the bound that any duals give.

        sum_r demand_r u_r - sum_k phi*_k(y_k) - sum_{(r, group)} max(0, max_a (u_r - c_a - Y_a))

    where ``Y_a`` sums the prices of all nodes above arc a and ``phi*_k(y) = sum_{j <= capacity_k}
    max(0, y - (j - 1) load_cost_k)``. `u` above the unmet cost and negative prices are cut off, so
    that the bound is true whatever is passed. Weak duality of the min-cost flow (Ahuja, Magnanti &
    Orlin 1993, ch. 9) with the convex load costs conjugated.

    Parameters
    ----------
    instance : Instance
    request_dual : int64 (n_requests,)
    price : int64 (n_nodes,)
    required : bool (n_requests,), optional
        Requests that may not stay unmet. They have no unmet option, so that their dual is free and is
        not cut at ``instance.unmet_cost``, which is not read.
    """
    u, y = valid_duals(instance, request_dual, price, required)
    found, surplus = _surplus(instance, u, prices_above(instance.parent, y))
    return exact_dot(instance.demand, u) - _conjugate(instance, y) - _grouped(instance, found, surplus)


def valid_duals(
    instance: Instance, request_dual: IntArray, price: IntArray, required: BoolArray | None = None
) -> tuple[IntArray, IntArray]:
    """Cut duals to what a bound may use: at the unmet cost where there is one, and prices at 0."""
    u = np.minimum(request_dual, instance.unmet_cost)
    if required is not None:
        u = np.where(required, np.minimum(request_dual, ROOM - 1), u)
    return u, _cut(instance.parent, np.maximum(price, 0))


def _surplus(instance: Instance, u: IntArray, above: IntArray) -> tuple[IntArray, IntArray]:
    """Return the arcs whose dual exceeds their cost and the prices above them, and by how much."""
    arcs, excess = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(instance.cost), BLOCK_ARCS):
        block = slice(start, start + BLOCK_ARCS)
        dear = above.take(instance.node[block])
        dear += instance.cost[block]
        dual = u.take(instance.request[block])
        found = np.flatnonzero(dual > dear)
        arcs.append(found + start)
        excess.append(dual[found] - dear[found])
    return np.concatenate(arcs), np.concatenate(excess)


def _cut(parent: IntArray, y: IntArray) -> IntArray:
    """Lower prices whose sum along some chain int64 might not hold; no solver gives any."""
    if int(y.max(initial=0)) * len(y) < ROOM:
        return y
    if prices_above(parent, y.astype(np.float64)).max() < ROOM:
        return y
    return np.minimum(y, ROOM // len(y))


def _conjugate(instance: Instance, y: IntArray) -> int:
    """Sum of phi*: the units j with (j - 1) * load_cost < y, at most capacity many, each earn y less that."""
    priced = np.flatnonzero(y)
    y, step, capacity = y[priced], instance.load_cost[priced], instance.capacity[priced]
    units = np.where(step > 0, np.minimum(capacity, -(-y // np.maximum(step, 1))), capacity)
    # twice the load cost of that many units, in two factors of which neither overflows
    return exact_dot(units, y) - exact_dot(step * np.maximum(units - 1, 0), units) // 2


def _grouped(instance: Instance, found: IntArray, surplus: IntArray) -> int:
    """Sum over the pairs of a request and a group the largest surplus among the arcs found."""
    request = instance.request[found]
    if len(found) < 2 or np.bincount(request).max() == 1:
        return exact_sum(surplus)
    group = instance.group[found]
    order = np.lexsort((surplus, group, request))
    request, group = request[order], group[order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = (request[1:] != request[:-1]) | (group[1:] != group[:-1])
    return exact_sum(surplus[order][last])


def prove(instance: Instance, solution: Solution, required: BoolArray | None = None) -> Proof:
    """Pair a feasible flow with the bound that its duals give.

    Parameters
    ----------
    instance : Instance
    solution : Solution
    required : bool (n_requests,), optional
        Requests that may not stay unmet; see `flow_cost` and `lower_bound`.

    Raises
    ------
    SolverError
        Where the flow is not feasible: a defect of the solver that made it.
    """
    used = np.flatnonzero(solution.flow != 0)
    load = _loads(instance, solution.flow, used)
    faults = _faults(instance, solution, used, load)
    if faults:
        raise SolverError("the solver returned an infeasible flow: " + "; ".join(faults))
    return Proof(
        _cost(instance, solution.flow, solution.unmet, used, load, required),
        lower_bound(instance, solution.request_dual, solution.price, required),
    )
