"""Teams at fixed times: all roles or none, with a bound from prices and a plan kept optimal by a `Matcher`.

For a given set of served teams, who goes where is a flow, and a `Matcher` holds its optimum while teams come
and go. Which teams to serve is tried one by one, in the order of what they save at prices that a dual ascent
has found; those prices prove how far from the optimum the plan can be at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.bundles import Bundles, ascend, team_costs
from govmatch._kernels.index import top_down
from govmatch.solve.control import Control, Ended
from govmatch.solve.matcher import Matcher
from govmatch.solve.team_instance import PARTS, TeamInstance, check, lower_bound, plan_cost

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

STEPS = 2_000
"""Steps of the dual ascent."""


@dataclass(frozen=True)
class TeamSolution:
    """A plan of teams, prices, and what they prove.

    Attributes
    ----------
    used : bool (n_arcs,)
    price : int64 (n_nodes,)
        Own prices, >= 0, in parts of the unit of cost, that prove `bound` (see `team_instance.lower_bound`).
    cost, bound : int
    termination : {"optimal", "gap", "time_limit", "cancelled", "searched"}
        "gap": the gap asked for is proved. "searched": no team that was tried made the plan cheaper.
    """

    used: BoolArray
    price: IntArray
    cost: int
    bound: int
    termination: Ended

    @property
    def gap(self) -> float:
        """``(cost - bound) / max(1, |cost|)``."""
        return (self.cost - self.bound) / max(1, abs(self.cost))


def solve(instance: TeamInstance, control: Control | None = None) -> TeamSolution:
    """Choose teams and their people at little cost, and prove how little it can be.

    Parameters
    ----------
    instance : TeamInstance
    control : Control, optional
        Ends the search by its deadline, signal or gap; there is always a plan, and a true bound.

    Returns
    -------
    TeamSolution

    Raises
    ------
    InvalidInput
        Columns whose lengths, ranges or order are wrong.
    """
    control = control if control is not None else Control()
    check(instance)
    return control.run(_solve, instance, control)


def _solve(instance: TeamInstance, control: Control) -> TeamSolution:
    bundles = _pack(instance)
    price = np.zeros(len(instance.capacity))
    ascend(bundles, price, float(instance.unmet_cost.sum()), STEPS, control.flag)
    whole = np.round(price * PARTS).astype(np.int64)
    bound = lower_bound(instance, whole)
    team = np.zeros(len(instance.unmet_cost))
    team_costs(bundles, price, np.zeros(len(price), np.int64), team)
    plan = _Plan(instance, bundles)
    plan.fill(team, bound, control)
    used = plan.used()
    cost = plan_cost(instance, used)
    return TeamSolution(used, whole, cost, bound, control.ended(cost, bound))


def _pack(instance: TeamInstance) -> Bundles:
    roles, arcs = np.arange(len(instance.unmet_cost) + 1), np.arange(len(instance.count) + 1)
    return Bundles(
        first_role=np.searchsorted(instance.role_request, roles),
        first_arc=np.searchsorted(instance.arc_role, arcs),
        people=instance.count,
        node=instance.node,
        cost=instance.cost,
        unmet_cost=instance.unmet_cost,
        capacity=instance.capacity,
        parent=instance.parent,
        order=top_down(instance.parent).astype(np.int64),
    )


class _Plan:
    """The served teams, each role a request of a `Matcher`, so that their people are always the cheapest."""

    def __init__(self, instance: TeamInstance, bundles: Bundles) -> None:
        self._instance, self._bundles = instance, bundles
        self._matcher = Matcher(instance.capacity, instance.parent)
        self._handles: dict[int, list[int]] = {}  # of the served requests
        self._role: dict[int, int] = {}  # of each handle
        self._lacking: set[int] = set()  # handles
        self._roles = np.diff(bundles.first_role)
        self._unmet = int(instance.unmet_cost[self._roles > 0].sum())

    @property
    def cost(self) -> int:
        """What the plan costs."""
        return self._matcher.total_cost + self._unmet

    def fill(self, team: NDArray[np.float64], bound: int, control: Control) -> None:
        """Try all requests, those first that save most; end where none can make the plan cheaper."""
        saves = self._instance.unmet_cost - team
        order = np.argsort(-saves, kind="stable")
        waiting = [int(r) for r in order if self._roles[r] and np.isfinite(team[r])]
        moved = True
        while moved:
            moved = False
            # whoever loses more at the prices than plan and bound are apart is in no better plan
            waiting = [r for r in waiting if r not in self._handles and bound - saves[r] < self.cost]
            for r in waiting:
                if control.flag[0] or control.near(self.cost, bound):
                    return
                moved |= self._try(r)

    def _try(self, r: int) -> bool:
        """Serve a request, without those who lack somebody then; take it back where that costs no less."""
        before = self.cost
        self._add(r)
        out = self._drop_lacking()
        if r not in self._handles:
            out.remove(r)
        if self.cost < before:
            return True
        if r in self._handles:
            self._remove(r)
        for s in out:
            self._add(s)
        self._drop_lacking()
        return False

    def _drop_lacking(self) -> list[int]:
        """Take out requests that lack somebody, the cheapest to leave first; return them."""
        out = []
        while self._lacking:
            requests = {int(self._instance.role_request[self._role[h]]) for h in self._lacking}
            out.append(min(requests, key=lambda r: (int(self._instance.unmet_cost[r]), r)))
            self._remove(out[-1])
        return out

    def _add(self, r: int) -> None:
        """Take a request in, role by role, until somebody is lacking."""
        instance, bundles = self._instance, self._bundles
        self._handles[r] = []
        self._unmet -= int(instance.unmet_cost[r])
        for q in range(bundles.first_role[r], bundles.first_role[r + 1]):
            arcs = slice(bundles.first_arc[q], bundles.first_arc[q + 1])
            handle = self._matcher.add(
                instance.node[arcs],
                instance.cost[arcs],
                demand=int(instance.count[q]),
                unmet_cost=self._limit(r),
            )
            self._handles[r].append(handle)
            self._role[handle] = q
            self._note()
            if handle in self._lacking:
                break

    def _limit(self, r: int) -> int:
        """Return what one absence costs inside: more than the whole team saves, so that none is worth it."""
        bundles, cost = self._bundles, self._instance.cost
        arcs = slice(bundles.first_arc[bundles.first_role[r]], bundles.first_arc[bundles.first_role[r + 1]])
        return int(self._instance.unmet_cost[r]) + 1 - int(np.minimum(cost[arcs], 0).sum())

    def _remove(self, r: int) -> None:
        for handle in self._handles.pop(r):
            self._matcher.remove(handle)
            del self._role[handle]
            self._lacking.discard(handle)
            self._note()
        self._unmet += int(self._instance.unmet_cost[r])

    def _note(self) -> None:
        """Note who lacks somebody after a change."""
        for handle in self._matcher.changed:
            q = self._role.get(handle)
            if q is None:
                continue
            if len(self._matcher.assignment(handle)) < int(self._instance.count[q]):
                self._lacking.add(handle)
            else:
                self._lacking.discard(handle)

    def used(self) -> BoolArray:
        """Return the arcs of the plan, (n_arcs,)."""
        used = np.zeros(len(self._instance.arc_role), np.bool_)
        for handle, q in self._role.items():
            arcs = slice(self._bundles.first_arc[q], self._bundles.first_arc[q + 1])
            used[arcs] = np.isin(self._instance.node[arcs], self._matcher.assignment(handle))
        return used
