"""Prices that prove more: a dual ascent over single requests and teams together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.index import top_down
from govmatch._kernels.lagrange import Forest, Room, Tree, Ways, ascend, choose
from govmatch.solve.certificate import prices_above
from govmatch.solve.control import Control
from govmatch.solve.instance import Instance
from govmatch.solve.team_tree import FAR, TeamTree, lacking_states, state_depths

IntArray = NDArray[np.int64]

STEPS = 600
"""Steps of the ascent."""


@dataclass(frozen=True)
class Choice:
    """The cheapest way to serve each team.

    Attributes
    ----------
    cost : int64 (n_teams,)
        FAR where there is none.
    request : int64 (n_roles,)
        The request that serves each role; -1 where there is none.
    push : int64 (n_roles,)
        How many people of it have to come.
    """

    cost: IntArray
    request: IntArray
    push: IntArray


class Prices:
    """An instance with teams, laid out for what prices tell."""

    def __init__(self, instance: Instance, tree: TeamTree, in_team: NDArray[np.bool_]) -> None:
        self._tree_of = tree
        order = np.lexsort((instance.cost, instance.request))
        n = len(instance.demand)
        people, absence = instance.demand.copy(), instance.unmet_cost.astype(np.float64)
        people[tree.state_request] = tree.role_people[tree.state_role]
        short = tree.absence[tree.role_team].astype(np.float64)
        absence[tree.state_request] = np.where(tree.must, np.inf, short)[tree.state_role]
        self._ways = Ways(
            np.searchsorted(instance.request[order], np.arange(n + 1)),
            instance.node[order],
            instance.cost[order].astype(np.float64),
            people,
            absence,
            np.full(n, np.inf),
        )
        self._alone = np.flatnonzero(~in_team & (instance.demand > 0))
        self._tree = _packed(tree)
        self._role_first = np.searchsorted(tree.role_team, np.arange(len(tree.worth) + 1))
        self._forest = Forest(
            top_down(instance.parent).astype(np.int64),
            instance.parent,
            np.minimum(instance.capacity, max(1, len(instance.request))).astype(np.float64),
            instance.load_cost.astype(np.float64),
        )
        most, wide = int(people.max(initial=1)), int(np.diff(self._tree.cost_first).max(initial=1))
        hanging = int(np.diff(self._tree.group_first).max(initial=0))
        self._room = Room(
            above=np.zeros(len(instance.parent)),
            load=np.zeros(len(instance.parent)),
            state=np.zeros(int(self._tree.cost_first[-1])),
            taken=np.zeros(most, np.int64),
            least=np.zeros(most),
            own=np.zeros(wide),
            sums=np.zeros((hanging + 1, wide)),
            stack=np.zeros((len(self._tree.request) + 1, 2), np.int64),
            team=np.zeros(len(tree.worth)),
            come=np.zeros((len(tree.role_team), 2), np.int64),
        )

    def cheapest(self, price: IntArray, outside: IntArray | None = None) -> Choice:
        """Choose the cheapest way to serve each team at own prices, >= 0.

        With `outside`, (n_requests,), the costs are a bound on all ways: those that are not among the arcs
        cost so much at least, prices included.
        """
        ways, room, tree = self._ways, self._room, self._tree_of
        if outside is not None:
            ways = ways._replace(outside=np.where(outside < FAR, outside.astype(np.float64), np.inf))
        choose(ways, self._tree, self._forest, price.astype(np.float64), room)
        cost = np.where(room.team < FAR, room.team, FAR).astype(np.int64)
        request, come = room.come[:, 0].copy(), room.come[:, 1].copy()
        needed = np.bincount(tree.role_team, np.where(tree.must, 0, come), len(cost)) <= tree.needed
        push = np.where(tree.must | (needed & (tree.needed > 0))[tree.role_team], come, 0)
        return Choice(cost, request, np.where(request >= 0, push, 0))

    def raised(self, price: IntArray, worth: int, control: Control) -> IntArray:
        """Return prices that prove at least as much, but for rounding; `worth` is what some plan costs."""
        found = np.maximum(price, 0).astype(np.float64)
        ascend(
            self._ways,
            self._alone,
            self._tree,
            self._role_first,
            self._forest,
            found,
            float(worth),
            STEPS,
            self._room,
            control.flag,
        )
        return np.round(found).astype(np.int64)


def _packed(tree: TeamTree) -> Tree:
    """Sort states children first, and the links by parent, role and state."""
    n_states = tree.n_starts + len(tree.state_role)
    role = tree.state_role[tree.link_state - tree.n_starts]
    order = np.lexsort((tree.link_state, role, tree.link_parent))
    parent, role, child = tree.link_parent[order], role[order], tree.link_state[order]
    new = np.flatnonzero(np.append(True, (parent[1:] != parent[:-1]) | (role[1:] != role[:-1]))[: len(child)])
    closed = np.zeros(n_states, np.uint8)
    closed[lacking_states(tree)] = 1
    team = np.concatenate([tree.start_team, tree.role_team[tree.state_role]])
    none = np.full(tree.n_starts, -1)
    return Tree(
        order=np.argsort(-state_depths(tree), kind="stable"),
        request=np.concatenate([none, tree.state_request]),
        role=np.concatenate([none, tree.state_role]),
        cost_first=np.concatenate([[0], np.cumsum(tree.needed[team] + 1)]).astype(np.int64),
        group_first=np.searchsorted(parent[new], np.arange(n_states + 1)),
        child_first=np.append(new, len(child)),
        child=child,
        closed=closed,
        start_first=np.searchsorted(tree.start_team, np.arange(len(tree.worth) + 1)),
        worth=tree.worth.astype(np.float64),
    )


def best_duals(instance: Instance, price: IntArray) -> IntArray:
    """Return the request duals that prove most beside given own prices, (n_requests,).

    A unit of a request is worth the dearest of its cheapest ways, or its unmet cost.
    """
    dual = instance.unmet_cost.copy()
    cost = instance.cost + prices_above(instance.parent, np.maximum(price, 0))[instance.node]
    first = np.searchsorted(instance.request, np.arange(len(dual)))
    size = np.bincount(instance.request, minlength=len(dual))
    one = np.flatnonzero((instance.demand == 1) & (size > 0))
    if len(one):
        least = np.minimum.reduceat(cost, first[size > 0])
        cheapest = np.zeros(len(dual), np.int64)
        cheapest[size > 0] = least
        dual[one] = np.minimum(dual[one], cheapest[one])
    for r in np.flatnonzero((instance.demand > 1) & (size >= instance.demand)).tolist():
        at = slice(first[r], first[r] + size[r])
        order = np.lexsort((cost[at], instance.group[at]))
        group = instance.group[at][order]
        own = np.sort(cost[at][order][np.append(True, group[1:] != group[:-1])])
        if len(own) >= instance.demand[r]:
            dual[r] = min(int(dual[r]), int(own[instance.demand[r] - 1]))
    return dual
