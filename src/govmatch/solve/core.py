"""The hard core: the people whom teams fight over, exactly; everybody else at their price.

Prices on the capacities of everybody outside the core take these capacities out of the problem, at no more
than what they are worth (Lagrangian relaxation of some constraints, Geoffrion 1974). What is left is small
enough for a mixed-integer programme. Its optimum, or its bound, is a bound on all plans, and its teams are
a plan's.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.certificate import Proof, lower_bound, node_loads, prices_above, valid_duals
from govmatch.solve.control import Control
from govmatch.solve.coupled import LARGE, Coupled, Found, Served, better, follow
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.mip.model import Outcome, solve
from govmatch.solve.mip.part import Part
from govmatch.solve.rules import Limits
from govmatch.solve.team_prices import best_duals
from govmatch.solve.team_tree import FAR

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


DEAREST, WIDER = 128, 8
"""Trees of the forest that are kept at first, the dearest; how many times as many where they say no more."""

ROUNDS, MOST_ARCS = 12, 60_000
"""Rounds in which the core grows, and arcs beyond which it does not."""


SMALL = 5_000
"""Arcs up to which the core is all there is."""

STALE = 0.05
"""In a large instance a round that closes less than this share of the gap is the last of its width."""


SHARE = 0.4
"""Of the time that is left, after which no round begins: the search team by team wants the rest."""


def sharpen(coupled: Coupled, found: Found, control: Control) -> Found:
    """Improve a plan and its bound by the core, which grows by the people who are then wanted twice."""
    parent = coupled.instance.parent
    price, best = np.maximum(found.price, 0), found
    root = roots(parent)
    dear = by_tree(root, prices_above(parent, price))
    dearest, wide = np.argsort(-dear, kind="stable")[: int((dear > 0).sum())], DEAREST
    kept = np.zeros(len(root), np.bool_)
    kept[dearest[:wide]] = True
    floor = int(dear[kept].min(initial=1 << 60))
    if len(coupled.instance.request) <= SMALL:
        kept[:] = True
    late = time.monotonic() + SHARE * control.left(math.inf)
    if coupled.meetings is not None:
        kept[root[coupled.instance.node[coupled.meetings.mattering]]] = True
    begun = coupled.bound(best_duals(coupled.alone, price), price)
    large = len(coupled.instance.request) > LARGE
    for _ in range(ROUNDS):
        if time.monotonic() >= late or coupled.suffices(best.proof, control):
            break
        gap = best.proof.gap
        core = Core(coupled, price, kept[root], best.proof.primal - begun)
        outcome = solve(core.part, control)
        if outcome is None:
            break
        bound = max(best.proof.bound, min(outcome.bound + core.constant, best.proof.primal))
        best = replace(best, proof=Proof(best.proof.primal, bound))
        if outcome.request is None or control.poll() or best.proof.gap <= control.gap:
            break
        tried = core.plan(outcome, best) if kept.all() else None
        if tried is None:
            leaning = coupled.leaning(core.flow(outcome))
            tried = follow(leaning, core.served(outcome, price), control, price)
        best = better(best, tried)
        more = by_tree(root, prices_above(parent, np.maximum(tried.price, 0))) >= floor
        more |= by_tree(root, core.excess(outcome)) > 0
        grows = bool((more & ~kept).any())
        kept |= more
        if not grows or (large and best.proof.gap > gap * (1 - STALE)):
            if wide >= len(dearest):
                break
            wide *= WIDER
            kept[dearest[:wide]] = True
            floor = int(dear[dearest[:wide]].min())
        if np.isin(coupled.instance.node, np.flatnonzero(kept[root])).sum() > MOST_ARCS:
            break
    return best


def roots(parent: IntArray) -> IntArray:
    """Return the root of each node, (n_nodes,)."""
    root = np.arange(len(parent))
    while (parent[root] >= 0).any():
        root = np.where(parent[root] >= 0, parent[root], root)
    return root


def by_tree(root: IntArray, values: IntArray) -> IntArray:
    """Return the largest value of each tree at its root, (n_nodes,)."""
    most = np.zeros(len(root), np.int64)
    np.maximum.at(most, root, values)
    return most


class Core:
    """A part of an instance in which some nodes keep their capacity and all others have a price.

    Attributes
    ----------
    part : Part
        The arcs into kept trees, and for each request the cheapest ways elsewhere, without a limit.
    constant : int
        What a bound on the part lacks to be one on all plans.
    arc : int64 (n_part_arcs,)
        The instance's arc; -1 of a way elsewhere.
    team : int64 (n_teams_of_part,)
        Its teams' numbers.
    role : int64
        Its roles' numbers.
    request : int64
        Its requests' numbers.
    """

    def __init__(
        self, coupled: Coupled, price: IntArray, kept: BoolArray, limit: int, limits: Limits | None = None
    ) -> None:
        instance, tree, outside = coupled.instance, coupled.tree, coupled.outside
        dual = np.minimum(best_duals(coupled.alone, price), outside)
        _, own = valid_duals(instance, dual, price)
        self._coupled = coupled
        relaxed = np.where(kept, 0, own)
        cost = instance.cost + prices_above(instance.parent, relaxed)[instance.node]
        hard = kept[instance.node]
        # an arc that loses more at the prices than plan and bound are apart is in no better plan
        loss = instance.cost + prices_above(instance.parent, own)[instance.node] - dual[instance.request]
        hard &= coupled.in_team[instance.request] | (loss <= limit)
        touched = np.zeros(len(instance.demand), np.bool_)
        touched[instance.request[hard]] = True
        teams = np.unique(tree.role_team[coupled.role[touched & coupled.in_team]])
        in_core = touched & ~coupled.in_team
        in_core[tree.state_request[np.isin(tree.role_team[tree.state_role], teams)]] = True
        # the cheapest ways elsewhere, as many as people are asked for
        people = np.where(coupled.in_team, np.append(tree.role_people, 0)[coupled.role], instance.demand)
        else_arc = np.flatnonzero(~kept[instance.node] & in_core[instance.request])
        order = else_arc[np.lexsort((cost[else_arc], instance.request[else_arc]))]
        request = instance.request[order]
        rank = np.arange(len(order)) - np.searchsorted(request, request)
        order = order[rank < people[request]]
        own_arc = np.flatnonzero(hard & in_core[instance.request])
        fill = np.flatnonzero(in_core & (outside < FAR))
        fill = np.repeat(fill, people[fill])
        self._build(cost, own_arc, order, fill, in_core, teams, outside, kept, limits)
        rest = replace(coupled.alone, demand=np.where(in_core, 0, coupled.alone.demand))
        apart = ~in_core[rest.request] & ~kept[rest.node]  # those into kept trees are in no better plan
        alone = lower_bound(rest.of_arcs(apart), dual, relaxed)
        value = np.minimum(coupled.prices.cheapest(own, outside).cost, tree.worth)
        value[teams] = 0
        self.constant = alone + int(value.sum())
        self.team = teams

    def _build(
        self,
        cost: IntArray,
        own: IntArray,
        elsewhere: IntArray,
        fill: IntArray,
        in_core: BoolArray,
        teams: IntArray,
        outside: IntArray,
        kept: BoolArray,
        limits: Limits | None,
    ) -> None:
        instance, tree = self._coupled.instance, self._coupled.tree
        self.request = np.flatnonzero(in_core)
        number = np.full(len(in_core), -1)
        number[self.request] = np.arange(len(self.request))
        self.arc = np.concatenate([own, elsewhere, np.full(len(fill), -1)])
        free = len(instance.parent)  # one node more, without a limit
        request = np.concatenate([instance.request[own], instance.request[elsewhere], fill])
        node = np.concatenate([instance.node[own], np.full(len(elsewhere) + len(fill), free)])
        others = int(instance.group.max(initial=0)) + 1
        group = np.concatenate([instance.group[own], others + np.arange(len(elsewhere) + len(fill))])
        costs = np.concatenate([cost[own], cost[elsewhere], outside[fill]])
        order = np.argsort(request, kind="stable")
        self.arc = self.arc[order]
        part = Instance(
            request=number[request[order]],
            node=node[order],
            group=group[order],
            cost=costs[order],
            demand=np.where(self._coupled.in_team, 0, instance.demand)[self.request],
            unmet_cost=instance.unmet_cost[self.request],
            capacity=np.append(np.where(kept, instance.capacity, len(order)), len(order)),
            parent=np.append(instance.parent, -1),
            load_cost=np.append(np.where(kept, instance.load_cost, 0), 0),
        )
        self.role = np.flatnonzero(np.isin(tree.role_team, teams))
        start = np.flatnonzero(np.isin(tree.start_team, teams))
        state = np.flatnonzero(np.isin(tree.role_team[tree.state_role], teams))
        states = np.full(tree.n_starts + len(tree.state_role), -1)
        states[np.append(start, tree.n_starts + state)] = np.arange(len(start) + len(state))
        link = np.flatnonzero(states[tree.link_state] >= 0)
        small = replace(
            tree,
            worth=tree.worth[teams],
            absence=tree.absence[teams],
            fewest=tree.fewest[teams],
            role_team=np.searchsorted(teams, tree.role_team[self.role]),
            role_people=tree.role_people[self.role],
            must=tree.must[self.role],
            start_team=np.searchsorted(teams, tree.start_team[start]),
            state_role=np.searchsorted(self.role, tree.state_role[state]),
            state_request=number[tree.state_request[state]],
            link_state=states[tree.link_state[link]],
            link_parent=states[tree.link_parent[link]],
            lots=np.flatnonzero(np.isin(self.role, tree.lots)),
        )
        self.part = Part(part, small)
        if self._coupled.bonds is not None:
            bonds = self._coupled.bonds.within(teams, len(tree.worth), number)
            self.part = replace(self.part, bonds=replace(bonds, nameless=others))
        if limits is not None:
            arcs = np.where(self.arc >= 0, self.arc, len(instance.request))
            rules = limits.rules.of(arcs, len(instance.request) + 1)
            place = np.full(self._coupled.n_members, -1)
            place[self.request] = np.arange(len(self.request))
            place[len(instance.demand) + teams] = len(self.request) + np.arange(len(teams))
            people = np.concatenate([np.where(self._coupled.in_team, 0, instance.demand), tree.persons])
            self.part = replace(self.part, rules=rules, floors=limits.floors.of(place, people))

    def served(self, outcome: Outcome, price: IntArray) -> Served:
        """Make a choice of all teams from that of the core, and by prices elsewhere."""
        coupled, tree = self._coupled, self._coupled.tree
        choice = coupled.choices.cheapest(price)
        on, request, push = choice.cost < tree.worth, choice.request, choice.push
        on[self.team] = False
        assert outcome.request is not None
        chosen = outcome.request >= 0
        role = self.role[chosen]
        on[tree.role_team[role]] = True
        request[role] = self.request[outcome.request[chosen]]
        counts = tree.must[role] | (tree.needed[tree.role_team[role]] > 0)
        push[role] = np.where(counts, outcome.people[chosen], 0)
        return Served(on, request, push)

    def excess(self, outcome: Outcome) -> IntArray:
        """Return by how much the core's plan exceeds the capacity of each node of the instance."""
        instance = self._coupled.instance
        beyond: IntArray = np.maximum(node_loads(instance, self.flow(outcome)) - instance.capacity, 0)
        return beyond

    def flow(self, outcome: Outcome) -> IntArray:
        """Return the core's plan on the arcs of the instance, as far as they are in it."""
        arc = self.arc[outcome.used]
        flow = np.zeros(len(self._coupled.instance.request), np.int64)
        flow[arc[arc >= 0]] = 1
        return flow

    def plan(self, outcome: Outcome, found: Found) -> Found | None:
        """Take the plan as it is, if every node is kept and nobody comes who is not among the arcs."""
        coupled, instance = self._coupled, self._coupled.instance
        arcs = self.arc[outcome.used]
        if (arcs < 0).any():
            return None
        used = np.zeros(len(instance.request), np.int64)
        used[arcs] = 1
        come = np.bincount(instance.request[arcs], minlength=len(instance.demand))
        served = self.served(outcome, np.maximum(found.price, 0))
        solution = Solution(used, instance.demand - come, found.request_dual, found.price, "optimal")
        kept, flow, unmet, cost = coupled.plan(served, solution)
        return replace(found, served=kept, flow=flow, unmet=unmet, proof=Proof(cost, found.proof.bound))
