"""The proof that a flow is optimal: its cost beside a bound from duals. Plain numpy, no solver, no kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import SolverError
from govmatch.solve.instance import Instance, Solution

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Proof:
    """Cost of a feasible flow and a lower bound on every flow, in the instance's units."""

    primal: int
    bound: int

    @property
    def gap(self) -> float:
        """``(primal - bound) / max(1, |primal|)``."""
        return (self.primal - self.bound) / max(1, abs(self.primal))


def prices_above(parent: IntArray, price: IntArray) -> IntArray:
    """Sum the prices of each node and of all nodes above it, (n_nodes,) int64."""
    total, above = price.copy(), parent.copy()
    while (above >= 0).any():
        inner = above >= 0
        total[inner] += price[above[inner]]
        above[inner] = parent[above[inner]]
    return total


def node_loads(instance: Instance, flow: IntArray) -> IntArray:
    """Units of flow through each node, (n_nodes,) int64."""
    load = np.zeros(len(instance.parent), np.int64)
    at, units = instance.node, flow
    while len(at):
        np.add.at(load, at, units)
        above = instance.parent[at]
        at, units = above[above >= 0], units[above >= 0]
    return load


def load_costs(load: IntArray, load_cost: IntArray) -> IntArray:
    """Cost of carrying `load` units where the j-th unit costs ``(j - 1) * load_cost``."""
    return load_cost * (load * (load - 1) // 2)


def flow_cost(instance: Instance, flow: IntArray, unmet: IntArray) -> int:
    """Cost of a flow: arcs, unmet units and loads."""
    loads = load_costs(node_loads(instance, flow), instance.load_cost)
    return int((instance.cost * flow).sum() + (instance.unmet_cost * unmet).sum() + loads.sum())


def infeasibilities(instance: Instance, solution: Solution) -> list[str]:
    """Name every constraint that a flow breaks; empty where it is feasible."""
    flow, faults = solution.flow, []
    if ((flow < 0) | (flow > 1)).any():
        faults.append("an arc carries less than 0 or more than 1 unit")
    served = np.bincount(instance.request, weights=flow, minlength=len(instance.demand)).astype(np.int64)
    if (served + solution.unmet != instance.demand).any() or (solution.unmet < 0).any():
        faults.append("a request's served and unmet units are not its demand")
    if (node_loads(instance, flow) > instance.capacity).any():
        faults.append("a node carries more than its capacity")
    used = flow > 0
    pairs = np.stack([instance.request[used], instance.group[used]])
    if pairs.shape[1] != np.unique(pairs, axis=1).shape[1]:
        faults.append("a request has two units of one group")
    return faults


def lower_bound(instance: Instance, request_dual: IntArray, price: IntArray) -> int:
    """Compute the bound that any duals give.

        sum_r demand_r u_r - sum_k phi*_k(y_k) - sum_{(r, group)} max(0, max_a (u_r - c_a - Y_a))

    where ``Y_a`` sums the prices of all nodes above arc a and ``phi*_k(y) = sum_{j <= capacity_k}
    max(0, y - (j - 1) load_cost_k)``. `u` above the unmet cost and negative prices are cut off, so
    that the bound is true whatever is passed. Weak duality of the min-cost flow (Ahuja, Magnanti &
    Orlin 1993, ch. 9) with the convex load costs conjugated.
    """
    u = np.minimum(request_dual, instance.unmet_cost)
    y = np.maximum(price, 0)
    surplus = np.maximum(
        0, u[instance.request] - instance.cost - prices_above(instance.parent, y)[instance.node]
    )
    return int((instance.demand * u).sum()) - _conjugate(instance, y) - _grouped(instance, surplus)


def _conjugate(instance: Instance, y: IntArray) -> int:
    """Sum of phi*: the units j with (j - 1) * load_cost < y, at most capacity many, each earn y less that."""
    step = instance.load_cost
    safe = np.maximum(step, 1)
    units = np.where(step > 0, np.minimum(instance.capacity, -(-y // safe)), instance.capacity)
    return int((units * y - step * (units * (units - 1) // 2)).sum())


def _grouped(instance: Instance, surplus: IntArray) -> int:
    found = np.flatnonzero(surplus)
    order = found[np.lexsort((surplus[found], instance.group[found], instance.request[found]))]
    request, group = instance.request[order], instance.group[order]
    last = np.ones(len(order), np.bool_)
    last[:-1] = (request[1:] != request[:-1]) | (group[1:] != group[:-1])
    return int(surplus[order][last].sum())


def prove(instance: Instance, solution: Solution) -> Proof:
    """Pair a feasible flow with the bound that its duals give.

    Raises
    ------
    SolverError
        Where the flow is not feasible: a defect of the solver that made it.
    """
    faults = infeasibilities(instance, solution)
    if faults:
        raise SolverError("the solver returned an infeasible flow: " + "; ".join(faults))
    return Proof(
        flow_cost(instance, solution.flow, solution.unmet),
        lower_bound(instance, solution.request_dual, solution.price),
    )
