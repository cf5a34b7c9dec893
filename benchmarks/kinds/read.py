"""From a plan of govmatch to the day that its peer sees, and to the answer that the plan is on that day."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.kinds.day import Answer, Asked, BoolArray, Day, IntArray, Offered, Rules, Stocks
from govmatch.model.goods import GRID
from govmatch.model.problem import Problem
from govmatch.model.times import MINUTE, zone_of
from govmatch.plan.match import candidates_of
from govmatch.plan.plan import Plan, Search
from govmatch.reach.candidates import Arcs
from govmatch.reach.paths import Paths
from govmatch.reach.seats import Seated
from govmatch.reach.travel import GreatCircle


def day_of(plan: Plan, pairs: Arcs | None = None) -> Day:
    """Return the day on the pairs of the plan's last round, or on others."""
    problem, search = plan.problem, plan.search
    assert isinstance(search, Search)
    pairs = search.arcs if pairs is None else pairs
    units = search.units
    return Day(
        asked=_asked(problem, search),
        offered=_offered(problem),
        stocks=_stocks(problem, search),
        rules=_rules(problem, search, pairs),
        option_request=whole(units.request),
        option_role=whole(units.role),
        option_start=whole(units.demand.earliest),
        option_minutes=whole(units.demand.minutes),
        pair_option=whole(pairs.request),
        pair_slot=whole(pairs.slot),
        pair_cost=whole(pairs.cost),
    )


def all_pairs(plan: Plan) -> Arcs:
    """Return every eligible pair of a small town that costs less than leaving the request, and every seat."""
    problem, search = plan.problem, plan.search
    assert isinstance(search, Search)
    travel = problem.travel if problem.travel is not None else GreatCircle.from_policy(problem.policy)
    k = max(1, len(problem.supply.slot_provider))
    found = candidates_of(problem, search.units, search.paths, travel, None)
    if not isinstance(found, Seated):
        return found.cheapest(k=k)
    found.cheapest()
    # seats for each request by itself: who sits together is the peer's own rule
    return found.people.cheapest(k=k).merged(found.eligible)[0]


def answer_of(plan: Plan, day: Day) -> Answer:
    """Return what the plan is on its day; every pair that it uses has to be among the day's.

    Raises
    ------
    ValueError
        A pair, or a way of goods, is not among the day's.
    """
    search, problem = plan.search, plan.problem
    assert isinstance(search, Search)
    units = np.bincount(search.arc, search.solution.flow, len(search.arcs)).astype(np.int64)
    used = np.flatnonzero(units)
    place = {
        pair: i for i, pair in enumerate(zip(day.pair_option.tolist(), day.pair_slot.tolist(), strict=True))
    }
    sent = np.zeros(day.n_pairs, np.int64)
    for i, n in zip(used.tolist(), units[used].tolist(), strict=True):
        pair = int(search.arcs.request[i]), int(search.arcs.slot[i])
        if pair not in place:
            raise ValueError(f"the plan sends somebody along a pair {pair} that the day does not have")
        sent[place[pair]] = n
    return Answer(sent, _lots(plan, problem, day))


def _lots(plan: Plan, problem: Problem, day: Day) -> IntArray:
    goods, stocks = problem.goods, day.stocks
    found = np.zeros(len(stocks.way_want), np.int64)
    if not len(plan.goods):
        return found
    table = problem.tables["goods"]["owner_id"].to_numpy()
    request, kind = problem.demand.request_id[goods.request], goods.kind[goods.asked_kind]
    owner = table[goods.row]
    ways = zip(stocks.way_want.tolist(), stocks.way_day.tolist(), stocks.way_stock.tolist(), strict=True)
    place = {(request[w], kind[w], owner[s], d): i for i, (w, d, s) in enumerate(ways)}
    lot = dict(zip(goods.kind.tolist(), goods.lot.tolist(), strict=True))
    days = plan.goods["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    columns = (plan.goods[name].tolist() for name in ("request_id", "good", "owner_id", "amount"))
    for *who, amount, on in zip(*columns, days.tolist(), strict=True):
        way = (*who, on)
        if way not in place:
            raise ValueError(f"the plan sends goods along a way {way} that the day does not have")
        found[place[way]] = round(amount * GRID / lot[who[1]])
    return found


def _asked(problem: Problem, search: Search) -> Asked:
    demand, teams, units = problem.demand, problem.teams, search.units
    zone = zone_of(problem.policy.time_zone)
    n = demand.n_requests
    return Asked(
        people=whole(demand.people),
        fewest=whole(demand.min_serve),
        unmet_cost=whole(demand.unmet_cost),
        priority=whole(demand.priority),
        community=whole(demand.community),
        team=_marked(n, teams.request),
        assigned=_marked(n, demand.assign_request),
        day=whole(zone.day(demand.earliest * MINUTE)),
        household=whole(problem.siblings) if problem.supply.sessions.n else np.full(n, -1),
        series=whole(problem.series.of),
        role_request=whole(teams.request),
        role_people=whole(teams.people),
        role_after=whole(teams.after),
        role_least=whole(teams.after_least),
        role_most=whole(teams.after_most),
        role_must=teams.least >= teams.people,
        start_request=whole(units.team[units.start_team]),
        start_minute=whole(units.start),
        start_day=whole(zone.day(units.start * MINUTE)),
        step=problem.policy.slots.start_minutes,
    )


def _offered(problem: Problem) -> Offered:
    supply, load = problem.supply, problem.policy.load
    minutes = np.full(supply.n_providers, -1)
    minutes[: supply.n_volunteers] = _filled(
        problem.tables["volunteers"]["max_minutes_per_week"], load.minutes_per_week or -1
    )
    firm = whole(supply.organization)
    return Offered(
        slot_provider=whole(supply.slot_provider),
        slot_start=whole(supply.slot_start),
        slot_end=whole(supply.slot_end),
        slot_capacity=whole(supply.slot_capacity),
        slot_day=whole(supply.slot_day),
        slot_week=whole(supply.slot_week),
        slot_certified=_certified(problem),
        community=whole(supply.community),
        firm=firm,
        day_cap=whole(supply.day_cap),
        week_cap=whole(supply.week_cap),
        minutes_per_week=minutes,
        n_volunteers=supply.n_volunteers,
        n_people=supply.n_people,
        firm_week_cap=whole(supply.organization_week_cap),
        session_fewest=whole(supply.sessions.fewest),
        session_cost=whole(supply.sessions.open_cost),
    )


def _certified(problem: Problem) -> BoolArray:
    """Tell whose certificate, of those that the reserve asks for, holds on the day of each slot."""
    supply, wanted = problem.supply, set(problem.policy.reserve.skills)
    until = np.full(supply.n_providers, -1)
    for provider, code, last in zip(
        supply.skill_provider.tolist(), supply.skill_code.tolist(), supply.skill_until.tolist(), strict=True
    ):
        if provider < supply.n_people and (not wanted or supply.skills[code] in wanted):
            until[provider] = max(until[provider], last)
    certified: BoolArray = until[supply.slot_provider] >= supply.slot_day
    return certified & (supply.community[supply.slot_provider] >= 0)


def _stocks(problem: Problem, search: Search) -> Stocks:
    """List every way of goods on every local day on which their request may start."""
    goods, demand, paths, units = problem.goods, problem.demand, search.paths, search.units
    zone = zone_of(problem.policy.time_zone)
    days: dict[int, set[int]] = {}
    for request, start in zip(units.team[units.start_team].tolist(), units.start.tolist(), strict=True):
        days.setdefault(request, set()).add(int(zone.day(np.array([start * MINUTE]))[0]))
    rows: list[tuple[IntArray, ...]] = []
    for want, (request, kind, lots) in enumerate(
        zip(goods.request.tolist(), goods.asked_kind.tolist(), goods.asked.tolist(), strict=True)
    ):
        own = int(zone.day(demand.earliest[[request]] * MINUTE)[0])
        of_kind = np.flatnonzero((goods.stock_kind == kind) & (goods.stock > 0))
        for day in sorted(days.get(request, {own})):
            epoch = int(paths.epoch_of_day(day))
            route = paths.cost[epoch, demand.community[request], goods.owner[of_kind]].astype(np.int64)
            stock, route = of_kind[route >= 0], route[route >= 0]
            span = [_span(day, int(period)) for period in goods.period[stock]]
            same = np.full(len(stock), want), np.full(len(stock), day)
            rows.append((*same, stock, np.array(span, np.int64), (2 * route + lots) // (2 * lots)))
    none = np.zeros(0, np.int64)
    of_want, on_day, stock, period, cost = (
        np.concatenate([none, *(row[i] for row in rows)]) for i in range(5)
    )
    return Stocks(
        want_request=whole(goods.request),
        want_lots=whole(goods.asked),
        way_want=of_want,
        way_day=on_day,
        way_stock=stock,
        way_period=period,
        way_cost=cost,
        lots=whole(goods.stock),
    )


def _span(day: int, period: int) -> int:
    """Return a number that the days of one horizon, day, ISO week or month share."""
    month = np.datetime64(day, "D").astype("datetime64[M]").astype(int)
    return (0, day, (day + 3) // 7, int(month))[period]


def _rules(problem: Problem, search: Search, pairs: Arcs) -> Rules:
    policy, bonds, series = problem.policy, problem.bonds, problem.series
    members, of, allowed = _floors(problem)
    passed, quotas = _passes(problem, search, pairs)
    towns = problem.tables["communities"]["town"].fillna("").tolist()
    names = [town or i for i, town in enumerate(towns)]  # one without a town is a town of its own
    known = np.stack([series.known_series, series.known_provider], axis=1)
    return Rules(
        load_cost=_hundredths(policy.load.further_job_minutes),
        apart=whole(bonds.apart),
        together=whole(bonds.together),
        lonely_cost=_hundredths(policy.teams.together_minutes),
        pass_pair=passed,
        pass_quota=quotas,
        quota=whole(search.edges.quota),
        away_per_week=_filled(problem.tables["communities"]["away_per_week"], -1),
        town=np.array([names.index(name) for name in names], np.int64),
        reserve_share=Fraction(str(policy.reserve.share)),
        floor_member=members,
        floor_of=of,
        floor_allowed=allowed,
        floor_cost=_hundredths(policy.floors.price_minutes),
        face_free=whole(series.people),
        face_most=whole(series.faces),
        known=known.astype(np.int64),
        face_cost=_hundredths(policy.continuity.face_minutes),
        stranger_cost=_hundredths(policy.continuity.known_minutes),
    )


def _floors(problem: Problem) -> tuple[IntArray, IntArray, IntArray]:
    """List who counts for which floor, and how many people of each may be missing."""
    policy, demand = problem.policy.floors, problem.demand
    asked = [(np.flatnonzero(demand.group == group), share) for group, share in policy.group_share.items()]
    if policy.community_share > 0:
        everywhere = np.unique(demand.community)
        asked += [(np.flatnonzero(demand.community == c), policy.community_share) for c in everywhere]
    asked = [(rows, share) for rows, share in asked if share > 0 and len(rows)]
    allowed = []
    for rows, share in asked:
        people = int(demand.people[rows].sum())
        allowed.append(people + (-Fraction(str(share)) * people).__floor__())
    return (
        np.concatenate([np.zeros(0, np.int64), *(rows for rows, _ in asked)]),
        np.repeat(np.arange(len(asked)), [len(rows) for rows, _ in asked]),
        np.array(allowed, np.int64),
    )


def _passes(problem: Problem, search: Search, pairs: Arcs) -> tuple[IntArray, IntArray]:
    """Say which pairs' ways pass which agreements with a quota."""
    supply, units, paths, quota = problem.supply, search.units, search.paths, search.edges.quota
    if not (quota >= 0).any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    source = whole(units.demand.community[pairs.request])
    home = whole(supply.home[supply.slot_provider[pairs.slot]])
    epoch = whole(paths.epoch_of_day(supply.slot_day[pairs.slot]))
    ways: dict[tuple[int, int], dict[int, list[int]]] = {}
    pair, passed = [], []
    order = np.lexsort((source, epoch))
    for i in order.tolist():
        key = int(source[i]), int(epoch[i])
        if key not in ways:
            ways[key] = _quotas_on_ways(paths, *key, quota)
        for edge in ways[key].get(int(home[i]), ()):
            pair.append(i)
            passed.append(edge)
    return np.array(pair, np.int64), np.array(passed, np.int64)


def _quotas_on_ways(paths: Paths, source: int, epoch: int, quota: IntArray) -> dict[int, list[int]]:
    """Return the agreements with a quota on the way to each node."""
    nodes, edges = paths.edges_passed(source, epoch)
    return {
        node: [edge for edge in along if edge >= 0 and quota[edge] >= 0]
        for node, along in zip(nodes.tolist(), edges.tolist(), strict=True)
    }


def whole(values: Any) -> IntArray:
    """Return whole numbers as int64."""
    return np.asarray(values).astype(np.int64)


def _filled(column: pd.Series[Any], otherwise: int) -> IntArray:
    found: IntArray = column.fillna(otherwise).to_numpy(np.int64)
    return found


def _marked(n: int, at: Any) -> BoolArray:
    found = np.zeros(n, np.bool_)
    found[at] = True
    return found


def _hundredths(minutes: float) -> int:
    return int(np.floor(minutes * 100 + 0.5))
