"""Random flow instances and an obvious oracle for them: the LP by HiGHS (integral, as it is a flow)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from govmatch.solve.instance import Instance


def random_instance(seed: int, largest: int = 7) -> Instance:
    """A small instance with ties, zero capacities, load costs, groups and demands above one."""
    rng = np.random.default_rng(seed)
    n_requests, n_slots = rng.integers(1, largest), rng.integers(1, largest)
    n_people, n_firms = rng.integers(1, 4), rng.integers(1, 3)
    owner = n_slots + rng.integers(0, n_people, n_slots)
    firm = n_slots + n_people - 1 + rng.integers(0, n_firms + 1, n_people)
    firm[firm == n_slots + n_people - 1] = -1
    parent = np.concatenate([owner, firm, np.full(n_firms, -1)])
    pairs = np.unique(rng.integers(0, n_requests * n_slots, rng.integers(0, 3 * largest)))
    request, node = pairs // n_slots, pairs % n_slots
    return Instance(
        request=request,
        node=node,
        group=owner[node],
        cost=rng.integers(0, 30, len(pairs)),
        demand=rng.integers(1, 4, n_requests),
        unmet_cost=rng.integers(5, 60, n_requests),
        capacity=np.concatenate(
            [rng.integers(0, 3, n_slots), rng.integers(0, 4, n_people), rng.integers(0, 6, n_firms)]
        ),
        parent=parent,
        load_cost=np.concatenate(
            [np.zeros(n_slots, int), rng.integers(0, 8, n_people), np.zeros(n_firms, int)]
        ),
    )


def above(instance: Instance, node: int) -> list[int]:
    """A node and all nodes above it."""
    chain = []
    while node >= 0:
        chain.append(int(node))
        node = int(instance.parent[node])
    return chain


def optimal_cost(instance: Instance) -> float:
    """The LP optimum: one variable an arc, an unmet unit of a request, and a unit of load of a node."""
    n_arcs, n_requests = len(instance.request), len(instance.demand)
    cost = [*instance.cost, *instance.unmet_cost]
    upper: list[float | None] = [1.0] * n_arcs + [None] * n_requests
    units = []
    for k, capacity in enumerate(instance.capacity):
        count = min(int(capacity), n_arcs)
        units.append(range(len(cost), len(cost) + count))
        cost += [j * int(instance.load_cost[k]) for j in range(count)]
        upper += [1.0] * count
    equal = np.zeros((n_requests + len(instance.parent), len(cost)))
    right = np.concatenate([instance.demand, np.zeros(len(instance.parent))])
    for a in range(n_arcs):
        equal[instance.request[a], a] = 1
        for k in above(instance, int(instance.node[a])):
            equal[n_requests + k, a] = 1
    for r in range(n_requests):
        equal[r, n_arcs + r] = 1
    for k, columns in enumerate(units):
        equal[n_requests + k, list(columns)] = -1
    groups: dict[tuple[int, int], list[int]] = {}
    for a in range(n_arcs):
        groups.setdefault((int(instance.request[a]), int(instance.group[a])), []).append(a)
    once = np.zeros((len(groups), len(cost)))
    for row, members in zip(once, groups.values(), strict=True):
        row[members] = 1
    found = linprog(
        cost,
        A_ub=once if len(groups) else None,
        b_ub=np.ones(len(groups)) if len(groups) else None,
        A_eq=equal,
        b_eq=right,
        bounds=[(0, u) for u in upper],
        method="highs",
    )
    return float(found.fun)
