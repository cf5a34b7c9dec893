"""Teams at fixed times as columns, checked; what a plan of them costs, and what prices prove of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.solve.arguments import refuse_cycles
from govmatch.solve.columns import check_ascending, check_column

IntArray = NDArray[np.int64]

PARTS = 256
"""Prices are whole numbers of such parts of the unit of cost."""

FAR = 1 << 62
"""More than any team costs."""

MOST, MOST_PEOPLE = 1 << 40, 1 << 20
"""Costs and capacities up to which a `Matcher` takes them, and people of a role."""


@dataclass(frozen=True)
class TeamInstance:
    """Requests of several roles, of which all people come or none.

    ::

        min   sum_a cost_a x_a + sum_r unmet_cost_r z_r
        s.t.  sum_{a of q} x_a = count_q (1 - z_r)          every role q of every request r
              sum_{a at or below k} x_a <= capacity_k       every node k of the forest
              x_a, z_r in {0, 1}

    A person who could take two roles of one request is one person by the capacity of the slot.

    Attributes
    ----------
    role_request : int64 (n_roles,)
        Ascending.
    count : int64 (n_roles,)
        People of a role, >= 1.
    arc_role : int64 (n_arcs,)
        Ascending; the arcs of a role enter different nodes.
    node, cost : int64 (n_arcs,)
    unmet_cost : int64 (n_requests,)
        >= 0.
    capacity, parent : int64 (n_nodes,)
        `parent` is -1 at a root.
    """

    role_request: IntArray
    count: IntArray
    arc_role: IntArray
    node: IntArray
    cost: IntArray
    unmet_cost: IntArray
    capacity: IntArray
    parent: IntArray


def check(instance: TeamInstance) -> None:
    """Refuse columns whose lengths, ranges or order are wrong.

    Raises
    ------
    InvalidInput
        It names the column and the first wrong position.
    """
    roles, arcs = len(instance.role_request), len(instance.arc_role)
    requests, nodes = len(instance.unmet_cost), len(instance.capacity)
    for name, size, low, high in (
        ("role_request", roles, 0, requests - 1),
        ("count", roles, 1, MOST_PEOPLE),
        ("arc_role", arcs, 0, roles - 1),
        ("node", arcs, 0, nodes - 1),
        ("cost", arcs, -MOST, MOST),
        ("unmet_cost", requests, 0, MOST),
        ("capacity", nodes, 0, MOST),
        ("parent", nodes, -1, nodes - 1),
    ):
        check_column(name, getattr(instance, name), (size,), low, high)
    for name in ("role_request", "arc_role"):
        check_ascending(name, getattr(instance, name))
    refuse_cycles(instance.parent)
    _fits(instance)
    pair = instance.arc_role * nodes + instance.node
    order = np.argsort(pair, kind="stable")
    twice = np.flatnonzero(np.diff(pair[order]) == 0)
    if len(twice):
        raise InvalidInput(f"arc {order[twice[0] + 1]} enters the same node as another of its role")


def _fits(instance: TeamInstance) -> None:
    """Refuse costs whose sums do not fit, in all or for one request."""
    cost = float(
        np.abs(instance.cost.astype(np.float64)).sum() + instance.unmet_cost.astype(np.float64).sum()
    )
    if cost * PARTS >= 1 << 61:
        raise InvalidInput(f"costs reach {cost:.4g}, all together; expected less than 2**53")
    worth = instance.unmet_cost.astype(np.float64) + 1
    np.subtract.at(worth, instance.role_request[instance.arc_role], np.minimum(instance.cost, 0))
    wrong = np.flatnonzero(worth > MOST)
    if len(wrong):
        raise InvalidInput(
            f"unmet_cost[{wrong[0]}] is {instance.unmet_cost[wrong[0]]}; expected less than 2**40 = {MOST} "
            "with what the request's negative arc costs may save"
        )


def faults(instance: TeamInstance, used: NDArray[np.bool_]) -> list[str]:
    """Say what is wrong with a plan: a role with too few or too many people, a node over its capacity."""
    found: list[str] = []
    people = np.bincount(instance.arc_role[used], minlength=len(instance.count))
    served = served_requests(instance, used)
    wrong = np.flatnonzero(people != instance.count * served[instance.role_request])
    found += [f"role {q} has {people[q]} people of {instance.count[q]}" for q in wrong]
    load = np.bincount(instance.node[used], minlength=len(instance.capacity))
    above = instance.parent
    through = load.copy()
    while (above >= 0).any():
        inside = above >= 0
        np.add.at(through, above[inside], load[inside])
        above = np.where(inside, instance.parent[above], -1)
    found += [
        f"node {k} carries {through[k]}, more than {instance.capacity[k]}"
        for k in np.flatnonzero(through > instance.capacity)
    ]
    return found


def served_requests(instance: TeamInstance, used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which requests have anybody, (n_requests,); those without roles are served."""
    served: NDArray[np.bool_] = np.ones(len(instance.unmet_cost), np.bool_)
    served[instance.role_request] = False
    served[instance.role_request[instance.arc_role[used]]] = True
    return served


def plan_cost(instance: TeamInstance, used: NDArray[np.bool_]) -> int:
    """Sum the costs of the arcs used and of the requests unmet."""
    unmet = instance.unmet_cost[~served_requests(instance, used)]
    return int(instance.cost[used].sum()) + int(unmet.sum())


def lower_bound(instance: TeamInstance, price: IntArray) -> int:
    """Return what no plan can undercut, whatever the prices; they count in parts of the unit of cost.

    ::

        sum_r min(unmet_cost_r, sum_{q of r} the count_q least cost_a + Y_a) - sum_k capacity_k price_k

    where ``Y_a`` sums the prices, >= 0, of the node of arc a and of all above it: the Lagrangian bound, which
    keeps "all or none" and so is no worse than that of the linear relaxation (Geoffrion 1974).
    """
    above, up = price.copy(), instance.parent
    while (up >= 0).any():
        above += np.where(up >= 0, price[up], 0)
        up = np.where(up >= 0, instance.parent[up], -1)
    # less is as true a bound, and its sums fit
    reduced = np.minimum(instance.cost * PARTS + above[instance.node], MOST * PARTS)
    order = np.lexsort((reduced, instance.arc_role))
    role = instance.arc_role[order]
    first = np.searchsorted(role, np.arange(len(instance.count)))
    cheapest = order[np.arange(len(role)) - first[role] < instance.count[role]]
    team = np.zeros(len(instance.unmet_cost), np.int64)
    np.add.at(team, instance.role_request[instance.arc_role[cheapest]], reduced[cheapest])
    short = np.bincount(instance.arc_role, minlength=len(instance.count)) < instance.count
    team[instance.role_request[short]] = FAR
    cost = np.minimum(team, instance.unmet_cost * PARTS)
    paid = sum(int(p) * int(c) for p, c in zip(price[price > 0], instance.capacity[price > 0], strict=True))
    # plans cost whole numbers
    return -((paid - int(cost.sum())) // PARTS)
