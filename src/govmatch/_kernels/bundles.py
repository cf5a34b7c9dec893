"""Each team at its cheapest under prices, and prices that rise where too many want the same people."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.ascent import climb
from govmatch._kernels.jit import helper, jit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Bundles(NamedTuple):
    """Requests of roles, roles of arcs, all in order; nodes from the roots down by `order`."""

    first_role: I64  # (n_requests + 1,)
    first_arc: I64  # (n_roles + 1,)
    people: I64  # (n_roles,) of a role
    node: I64  # (n_arcs,)
    cost: I64  # (n_arcs,)
    unmet_cost: I64  # (n_requests,)
    capacity: I64  # (n_nodes,)
    parent: I64  # (n_nodes,) -1 at a root
    order: I64  # (n_nodes,) parents first


@helper
def take_cheapest(bundles: Bundles, above: F64, q: int, taken: I64, least: F64) -> float:
    """Choose the cheapest arcs of a role at prices; return their cost, infinite if there are too few."""
    n, found, total = bundles.people[q], 0, 0.0
    if n > bundles.first_arc[q + 1] - bundles.first_arc[q]:
        return np.inf
    for a in range(bundles.first_arc[q], bundles.first_arc[q + 1]):
        cost = bundles.cost[a] + above[bundles.node[a]]
        if found == n and cost >= least[n - 1]:
            continue
        j = found if found < n else n - 1
        while j > 0 and least[j - 1] > cost:
            least[j] = least[j - 1]
            taken[j] = taken[j - 1]
            j -= 1
        least[j] = cost
        taken[j] = a
        found = min(n, found + 1)
    for j in range(n):
        total += least[j]
    return total


@helper
def sum_prices(bundles: Bundles, price: F64, above: F64) -> None:
    """Sum each node's own price and those above it."""
    for k in bundles.order:
        up = bundles.parent[k]
        above[k] = price[k] + (above[up] if up >= 0 else 0.0)


@jit
def team_costs(bundles: Bundles, price: F64, load: I64, team: F64) -> float:
    """Serve every team that is worth it at prices; return what they and the others cost in all.

    Parameters
    ----------
    price : float64 (n_nodes,)
        Own prices, >= 0.
    load : int64 (n_nodes,)
        Filled: how many come through each node.
    team : float64 (n_requests,)
        Filled: the cost of each team's cheapest people, prices included.
    """
    above = np.empty(len(price), np.float64)
    sum_prices(bundles, price, above)
    load[:] = 0
    most, arcs = 0, 0
    for q in range(len(bundles.people)):
        most = max(most, bundles.first_arc[q + 1] - bundles.first_arc[q])
    for r in range(len(team)):
        first, last = bundles.first_role[r], bundles.first_role[r + 1]
        arcs = max(arcs, bundles.first_arc[last] - bundles.first_arc[first])
    taken = np.empty(arcs, np.int64)
    least = np.empty(most, np.float64)
    total = 0.0
    for r in range(len(team)):
        cost, size = 0.0, 0
        for q in range(bundles.first_role[r], bundles.first_role[r + 1]):
            cost += take_cheapest(bundles, above, q, taken[size:], least)
            if cost == np.inf:
                break
            size += bundles.people[q]
        team[r] = cost
        if cost < bundles.unmet_cost[r]:
            total += cost
            for i in range(size):
                load[bundles.node[taken[i]]] += 1
        else:
            total += bundles.unmet_cost[r]
    for i in range(len(bundles.order) - 1, -1, -1):
        k = bundles.order[i]
        if bundles.parent[k] >= 0:
            load[bundles.parent[k]] += load[k]
    return total


@jit
def ascend(bundles: Bundles, price: F64, worth: float, steps: int, stop: NDArray[np.uint8]) -> float:
    """Improve prices by subgradient steps; return the bound that the best of them prove.

    The steps (see `climb`) go towards `worth`, and are shorter where they have not helped for long.

    Parameters
    ----------
    price : float64 (n_nodes,)
        Own prices, >= 0; replaced by the best found.
    worth : float
        A cost that can be reached, or a guess of it.
    """
    n = len(price)
    best, at, way, more = price.copy(), price.copy(), np.zeros(n), np.zeros(n)
    load, team = np.zeros(n, np.int64), np.zeros(len(bundles.unmet_cost))
    found, length, failed = -np.inf, 1.0, 0
    for _step in range(steps):
        if stop[0]:
            break
        bound = team_costs(bundles, at, load, team)
        for k in range(n):
            bound -= at[k] * bundles.capacity[k]
        if bound > found:
            found, failed = bound, 0
            best[:] = at
        else:
            failed += 1
            if failed == 20:
                failed = 0
                length *= 0.7
                at[:] = best
                continue
        for k in range(n):
            more[k] = float(load[k] - bundles.capacity[k])
        if not climb(at, way, more, 0.3 * length, worth - bound):
            break
    price[:] = best
    return found
