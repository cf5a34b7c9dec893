"""Teams tried one by one on a `Matcher`, which keeps everybody else's places optimal meanwhile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.control import Control
from govmatch.solve.coupled import Coupled, Found, Served
from govmatch.solve.matcher import Matcher
from govmatch.solve.team_prices import Choice
from govmatch.solve.team_tree import FAR

IntArray = NDArray[np.int64]
Way = list[tuple[int, int]]
"""By role, the request that serves it and how many people have to come."""

SWEEPS, PATIENCE = 4, 100
"""Times that all teams are tried at most, and failures one after the other that end a time."""

SHARE = 0.8
"""Of the time that is left."""


def improve(coupled: Coupled, found: Found, control: Control) -> Served | None:
    """Serve, move and leave teams as long as that makes the plan cheaper; None where nothing did."""
    inner = control.part(SHARE)  # who is to come is solved anew for what is found
    live = _Live(coupled, found, inner)
    if inner.poll():
        return None
    begun, price = live.cost, np.maximum(found.price, 0)
    for turn in range(SWEEPS):
        # first in the order of prices that prove much
        if not live.sweep(found.proof.bound, inner, None if turn else price) and turn:
            break
    return live.served(found.served) if live.cost < begun else None


class _Live:
    """All requests that stand alone, and the roles of the teams that are on, in a `Matcher`."""

    def __init__(self, coupled: Coupled, found: Found, control: Control) -> None:
        self._coupled, self._tree, instance = coupled, coupled.tree, coupled.instance
        n = len(instance.demand)
        self._first = np.searchsorted(instance.request, np.arange(n + 1))
        self._matcher = Matcher(instance.capacity, instance.parent, instance.load_cost)
        self._role_first = np.searchsorted(self._tree.role_team, np.arange(len(self._tree.worth) + 1))
        self._ways: dict[int, Way] = {}  # of the roles of each team that is on
        self._handles: dict[int, list[int]] = {}
        self._team: dict[int, int] = {}  # of each handle
        self._lacking: set[int] = set()  # teams
        self._unserved = int(self._tree.worth.sum())
        self._apart = {(int(r), int(g)) for r, g in found.served.apart}
        meetings = coupled.meetings
        self._kept_apart = {} if meetings is None else meetings.pairs_of(meetings.apart)
        self._cost = coupled.instance.cost + (0 if meetings is None else meetings.toll(surely=True))
        self._preferred = {} if meetings is None else meetings.pairs_of(meetings.together)
        self._lonely: dict[int, int] = {}  # what teams cost to which one comes without the other
        for r in np.flatnonzero(~coupled.in_team & (instance.demand > 0)).tolist():
            if control.poll():
                return
            self._matcher.add(
                **self._arcs(r), demand=int(instance.demand[r]), unmet_cost=int(instance.unmet_cost[r])
            )
        for t in np.flatnonzero(found.served.on).tolist():
            self._add(t, self._way(t, found.served))
        self._drop_lacking()

    @property
    def cost(self) -> int:
        """What the plan costs."""
        return self._matcher.total_cost + self._unserved + sum(self._lonely.values())

    def sweep(self, bound: int, control: Control, price: IntArray | None = None) -> bool:
        """Try teams that may make the plan cheaper, those first that save most; say whether one did.

        What they save is reckoned at the prices of the plan, if no others are given. Who loses more at
        others, which prove `bound`, than plan and bound are apart, is in no better plan.
        """
        coupled, tree = self._coupled, self._tree
        at = np.maximum(self._matcher.prices(), 0) if price is None else price
        choice = coupled.choices.cheapest(at)
        saves = tree.worth - choice.cost
        if price is None:
            for t, handles in self._handles.items():
                saves[t] -= tree.worth[t] - self._at_prices(t, handles)
        moved, failed = False, 0
        for t in np.argsort(-saves, kind="stable").tolist():
            if failed == PATIENCE or control.poll() or control.near(self.cost, bound):
                break
            if price is None:
                promises = saves[t] > 0 or (t in self._handles and tree.worth[t] < choice.cost[t])
            else:
                promises = t not in self._handles and bound - saves[t] < self.cost
            if not promises or choice.cost[t] >= FAR:
                continue
            way = self._way(t, choice) if saves[t] > 0 else None
            if self._ways.get(t) == way:
                continue
            better = self._try(t, way)
            failed = 0 if better else failed + 1
            moved |= better
        return moved

    def _at_prices(self, t: int, handles: list[int]) -> int:
        """Price a team that is on at the duals of its roles."""
        people = self._tree.role_people[self._roles(t)].tolist()
        return sum(self._matcher.request_dual(h) * n for h, n in zip(handles, people, strict=True))

    def _way(self, t: int, chosen: Choice | Served) -> Way:
        at = self._roles(t)
        return list(zip(chosen.request[at].tolist(), chosen.push[at].tolist(), strict=True))

    def _try(self, t: int, way: Way | None) -> bool:
        """Serve a team so, or not at all; take it back where that costs no less."""
        before = self.cost
        old = self._ways.get(t)
        if old is not None:
            self._remove(t)
        if way is not None:
            self._add(t, way)
        out = self._drop_lacking()
        if self.cost < before:
            return True
        if t in self._handles:
            self._remove(t)
        again = {s: r for s, r in out.items() if s != t}
        if old is not None:
            again[t] = old
        for s, r in again.items():
            self._add(s, r)
        self._drop_lacking()
        return False

    def _roles(self, t: int) -> slice:
        return slice(int(self._role_first[t]), int(self._role_first[t + 1]))

    def _arcs(self, r: int, without: set[int] | None = None) -> dict[str, IntArray]:
        instance = self._coupled.instance
        at = slice(int(self._first[r]), int(self._first[r + 1]))
        node, cost, group = instance.node[at], self._cost[at], instance.group[at]
        if without:
            keep = ~np.isin(group, list(without))
            node, cost, group = node[keep], cost[keep], group[keep]
        return {"providers": node, "costs": cost, "group": group}

    def _add(self, t: int, way: Way) -> None:
        tree = self._tree
        self._ways[t], self._handles[t] = way, []
        self._unserved += self._absent(t) - int(tree.worth[t])
        for q, (r, push) in zip(range(self._role_first[t], self._role_first[t + 1]), way, strict=True):
            without = {g for s, g in self._apart if s == r}
            limit = tree.worth[t] + 1 if push else tree.absence[t]
            handle = self._matcher.add(
                **self._arcs(r, without), demand=push or int(tree.role_people[q]), unmet_cost=int(limit)
            )
            self._handles[t].append(handle)
            self._team[handle] = t
            self._note()
        self._judge(t)

    def _remove(self, t: int) -> None:
        handles = self._handles.pop(t)
        for handle in handles:
            del self._team[handle]
        for handle in handles:
            self._matcher.remove(handle)
            self._note()
        self._unserved -= self._absent(t)
        del self._ways[t]
        self._lacking.discard(t)
        self._lonely.pop(t, None)
        self._unserved += int(self._tree.worth[t])

    def _absent(self, t: int) -> int:
        """Return what those cost who are not asked for by a team that is on."""
        people: list[int] = self._tree.role_people[self._roles(t)].tolist()
        missing = sum(n - push for n, (_, push) in zip(people, self._ways[t], strict=True) if push)
        return int(self._tree.absence[t]) * missing

    def _note(self) -> None:
        """Look at every team whose people a change moved."""
        for handle in self._matcher.changed:
            t = self._team.get(handle)
            if t is not None and len(self._handles[t]) == self._role_first[t + 1] - self._role_first[t]:
                self._judge(t)

    def _judge(self, t: int) -> None:
        tree, instance = self._tree, self._coupled.instance
        come, persons = 0, []
        short = False
        roles = range(self._role_first[t], self._role_first[t + 1])
        for q, handle, (r, _) in zip(roles, self._handles[t], self._ways[t], strict=True):
            nodes = self._matcher.assignment(handle)
            come += len(nodes)
            short |= bool(tree.must[q]) and len(nodes) < tree.role_people[q]
            at = slice(int(self._first[r]), int(self._first[r + 1]))
            mine = instance.node[at]
            persons += [int(instance.group[at][np.flatnonzero(mine == k)[0]]) for k in np.unique(nodes)]
        short |= any(p in persons and q in persons for p, q in self._kept_apart.get(t, ()))
        if t in self._preferred and self._coupled.bonds is not None:
            alone = sum((p in persons) != (q in persons) for p, q in self._preferred[t])
            self._lonely[t] = self._coupled.bonds.cost * alone
        if short or come < tree.fewest[t] or len(set(persons)) < len(persons):
            self._lacking.add(t)
        else:
            self._lacking.discard(t)

    def _drop_lacking(self) -> dict[int, Way]:
        """Take out teams that lack somebody, the cheapest to leave first; return them."""
        out = {}
        while self._lacking:
            t = min(self._lacking, key=lambda s: (int(self._tree.worth[s]), s))
            out[t] = self._ways[t]
            self._remove(t)
        return out

    def served(self, before: Served) -> Served:
        """Return which teams are on, and by which requests."""
        on, request, push = np.zeros_like(before.on), before.request.copy(), before.push.copy()
        for t, way in self._ways.items():
            on[t] = True
            request[self._roles(t)], push[self._roles(t)] = np.array(way).T
        return replace(before, on=on, request=request, push=push)
