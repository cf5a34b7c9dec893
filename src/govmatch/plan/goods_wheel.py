"""The wheel with goods: what a request needs of them is a role of its team, filled by lots of stocks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.plan.forest import Layout
from govmatch.plan.team_wheel import team_tree
from govmatch.plan.wheel import Result
from govmatch.reach.candidates import Arcs
from govmatch.reach.stock import Stock, local_days
from govmatch.reach.units import Units, team_worth
from govmatch.solve.team_tree import TeamTree

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Sent:
    """Goods of a plan, by position; one row for each request, kind and owner.

    Attributes
    ----------
    want : int64 (n,)
        Position in `Goods.request`.
    slot : int64 (n,)
        Position in `Stock.slot_stock`.
    day : int64 (n,)
        Local day on which the service starts.
    lots, cost : int64 (n,)
        The cost of all of them, hundredths.
    price : int64 (n_stock_slots,)
        Dual of one more lot, hundredths.
    """

    want: IntArray
    slot: IntArray
    day: IntArray
    lots: IntArray
    cost: IntArray
    price: IntArray


def teams_with_goods(units: Units, stock: Stock) -> IntArray:
    """Return the request of each team: of people alone, of people and goods, of one role and goods."""
    return np.sort(np.concatenate([units.team, units.request[stock.alone]]))


def goods_tree(problem: Problem, units: Units, stock: Stock) -> TeamTree:
    """Say which units make up each team (see `teams_with_goods`)."""
    goods, demand = problem.goods, problem.demand
    old, alone = team_tree(problem, units), units.request[stock.alone]
    team = teams_with_goods(units, stock)
    worth = team_worth(problem)[team]
    of_old, of_alone = np.searchsorted(team, units.team), np.searchsorted(team, alone)
    of_want = np.searchsorted(team, goods.request)
    lots = np.bincount(of_want, goods.asked, len(team)).astype(np.int64)
    # roles: of teams, of what would stand alone, of goods
    role_team = np.concatenate([of_old[old.role_team], of_alone, of_want])
    by_team = np.argsort(role_team, kind="stable")
    role = np.empty(len(by_team), np.int64)
    role[by_team] = np.arange(len(by_team))
    people = np.concatenate([old.role_people, demand.people[alone], goods.asked])
    must = np.concatenate(
        [old.must, demand.min_serve[alone] >= demand.people[alone], np.ones(len(goods.asked), np.bool_)]
    )
    n_old, n_alone = len(old.role_team), len(alone)
    start_team = np.concatenate([of_old[old.start_team], of_alone])
    starts = np.argsort(start_team, kind="stable")
    start = np.empty(len(starts), np.int64)
    start[starts] = np.arange(len(starts))
    state_role = np.concatenate(
        [old.state_role, n_old + np.arange(n_alone), n_old + n_alone + stock.state_want]
    )
    n_goods = len(stock.state_want)
    state_request = np.concatenate(
        [old.state_request, stock.alone, stock.n_people + np.arange(n_goods)]
    ).astype(np.int64)
    # states are numbered after all starts
    first = len(starts)
    moved = np.concatenate([start[: old.n_starts], first + np.arange(len(old.state_role))])
    first_alone = first + len(old.state_role)
    return TeamTree(
        worth=worth,
        absence=demand.unmet_cost[team],
        fewest=demand.min_serve[team] + lots,
        role_team=role_team[by_team],
        role_people=people[by_team],
        must=must[by_team],
        start_team=start_team[starts],
        state_role=role[state_role],
        state_request=state_request,
        link_state=np.concatenate(
            [
                moved[old.link_state],
                first_alone + np.arange(n_alone),
                first_alone + n_alone + stock.link_state,
            ]
        ),
        link_parent=np.concatenate([moved[old.link_parent], start[old.n_starts :], start[stock.link_start]]),
        lots=np.sort(role[n_old + n_alone :]),
    )


def sent_goods(problem: Problem, units: Units, result: Result, stock: Stock) -> Sent:
    """Read the goods of a flow."""
    arcs, layout, flow = result.arcs, result.layout, result.solution.flow
    lots = np.bincount(layout.arc, flow, len(arcs)).astype(np.int64)
    used = np.flatnonzero((lots > 0) & (arcs.request >= stock.n_people))
    state, slot = arcs.request[used] - stock.n_people, arcs.slot[used] - stock.n_slots
    price = np.zeros(len(stock.slot_stock), np.int64)
    own = layout.node - stock.n_slots
    mine = (own >= 0) & (own < len(price))
    price[own[mine]] = np.maximum(result.solution.price[mine], 0)
    return Sent(
        want=stock.state_want[state],
        slot=slot,
        day=_days(problem, units, np.unique(arcs.request[lots > 0]), stock)[state],
        lots=lots[used],
        cost=lots[used] * arcs.cost[used],
        price=price,
    )


def _days(problem: Problem, units: Units, used: IntArray, stock: Stock) -> IntArray:
    """Return the local day on which the service of each state of goods starts, (n_states,).

    It is that of the first start of its team that goes with all states in use, by their units.
    """
    request = problem.goods.request[stock.state_want]
    roles = used[(used >= units.n_alone) & (used < stock.n_people)]
    least, most = _after_start(problem)
    first, last = np.full(problem.demand.n_requests, -1 << 60), np.full(problem.demand.n_requests, 1 << 60)
    begin, role = units.demand.earliest[roles], units.role[roles]
    np.maximum.at(first, units.request[roles], begin - most[role])
    np.minimum.at(last, units.request[roles], begin - least[role])
    in_use = np.zeros(len(stock.state_want), np.bool_)
    in_use[used[used >= stock.n_people] - stock.n_people] = True
    state, start = stock.link_state, stock.link_start
    minute = stock.start[start]
    fits = in_use[state] & (first[request[state]] <= minute) & (minute <= last[request[state]])
    state, start = state[fits], start[fits]
    wanted = np.bincount(request[in_use], minlength=problem.demand.n_requests)
    together = np.bincount(start, minlength=len(stock.start))[start] == wanted[request[state]]
    begun = np.full(problem.demand.n_requests, 1 << 60)
    np.minimum.at(begun, request[state[together]], stock.start[start[together]])
    known = np.where(begun < 1 << 60, begun, 0)
    return local_days(problem, known[request])


def _after_start(problem: Problem) -> tuple[IntArray, IntArray]:
    """Return how many minutes after its team's start each role may start, at least and at most."""
    teams, step = problem.teams, problem.policy.slots.start_minutes
    least, most = np.zeros(len(teams.after), np.int64), np.zeros(len(teams.after), np.int64)
    up = np.arange(len(teams.after))
    slack = (teams.after_most - teams.after_least) // step * step
    while len(up) and (up >= 0).any():
        least += np.where(up >= 0, teams.after_least[up], 0)
        most += np.where(up >= 0, teams.after_least[up] + slack[up], 0)
        up = np.where(up >= 0, teams.after[up], -1)
    return least, most


def of_people(result: Result, stock: Stock) -> Result:
    """Take the goods out of a result."""
    arcs, layout, solution = result.arcs, result.layout, result.solution
    n = stock.n_people
    mine, kept = arcs.request < n, layout.instance.request < n  # both come first
    instance = layout.instance
    part = replace(instance.of_arcs(kept), demand=instance.demand[:n], unmet_cost=instance.unmet_cost[:n])
    return replace(
        result,
        arcs=Arcs(arcs.request[mine], arcs.slot[mine], arcs.cost[mine]),
        layout=Layout(part, layout.arc[kept], layout.node),
        solution=replace(
            solution,
            flow=solution.flow[kept],
            unmet=solution.unmet[:n],
            request_dual=solution.request_dual[:n],
        ),
    )
