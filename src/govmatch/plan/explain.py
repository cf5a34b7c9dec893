"""Why a request went to whom, or to nobody."""

from __future__ import annotations

import difflib
import html
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.errors import InvalidInput, UnknownId
from govmatch.model.schema import EDGE_KINDS
from govmatch.plan.bonds import bond_notes
from govmatch.plan.decode import Pairs, local_times, pair_starts, pair_terms
from govmatch.plan.explain_rounds import explain_rounds
from govmatch.plan.faces import visits_told
from govmatch.plan.goods_told import goods_told
from govmatch.plan.pins import contradiction
from govmatch.plan.plan import Plan, Search
from govmatch.plan.reasons import BEFORE_PAIRS, REASONS, STAGE_LABELS
from govmatch.plan.unserved import best_starts
from govmatch.reach.costs import RESOLUTION
from govmatch.reach.travel import checked_minutes

IntArray = NDArray[np.int64]

STAGES = (*STAGE_LABELS, ("worth its cost", "成本合理"))

OTHERS = 3
"""Candidates that are shown beside the chosen ones."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """The account of one request.

    Attributes
    ----------
    request_id : str
    status : str
        "served", "partly_served", "unmet", "linked" (a further report of another request) or "recurring".
    reason, reason_zh : str
        For unserved people; empty where everybody came.
    candidates : pandas.DataFrame
        For each role the chosen arcs and the next three by cost: role, provider_id, start, chosen,
        busy_with (the request that holds the slot), cost_minutes (without load) and its terms;
        where the tables have bonds, also bonds: from whom of those chosen the provider is kept apart, and
        with whom the provider prefers to come. Of a team that is not served, at the start for which most
        providers are left. With rounds: every visit that is made, with role, tour, order and the way to it,
        then the nearest others of each role by the way from their tour's start, with the cost that does not
        depend on the round.
    route : pandas.DataFrame
        The path of the first chosen arc, hop by hop: node_id, name, edge, hop_minutes.
    funnel : pandas.DataFrame
        role, stage, stage_zh, providers that are left after it; without the later stages where the time
        limit came before they were looked at. With rounds the last stage is the way there and back.
    duplicate_of : str
        The request to which a linked one is linked.
    conflict : tuple of str
        Requests whose pins cannot all be honoured; without any one of them the others could be.
    visits : pandas.DataFrame
        Of a recurring request, whose visits are explained by their own ids: request_id, earliest,
        provider_id, reason.
    goods : pandas.DataFrame
        Of a request that needs goods, those who send some of each kind, then the three in reach who have most
        left, then three out of reach who have some: good, asked, owner_id, sent, left
        (on the day of the service, or the first on which it may start), reached (whether the alliance leads
        there that day), missing (of that kind, beside what is left in reach; 0 where it is served).
    """

    request_id: str
    status: str
    reason: str
    reason_zh: str
    candidates: pd.DataFrame
    route: pd.DataFrame
    funnel: pd.DataFrame
    duplicate_of: str = ""
    conflict: tuple[str, ...] = ()
    visits: pd.DataFrame = field(default_factory=pd.DataFrame)
    goods: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __str__(self) -> str:
        lines = [self._headline()]
        if self.conflict:
            lines.append("pins that contradict 相互冲突的指定: " + ", ".join(self.conflict))
        if len(self.route):
            hops = [
                f"{name} ({node})" if name else str(node)
                for name, node in zip(self.route["name"], self.route["node_id"], strict=True)
            ]
            lines.append("route 流转: " + " > ".join(hops))
        if len(self.candidates):
            lines.append(self.candidates.to_string(index=False, float_format=lambda x: f"{x:.2f}"))
        for frame in (self.goods, self.funnel, self.visits):
            if len(frame):
                lines.append(frame.to_string(index=False))
        return "\n".join(lines)

    def _headline(self) -> str:
        if self.status == "linked":
            twin = self.duplicate_of
            return f"{self.request_id}: linked to {twin}, not served twice 已并入 {twin}"
        if self.status == "recurring":
            served, faces = self.visits["provider_id"], set()
            for names in served[served != ""]:
                faces |= set(names.split(", "))
            n, m = len(served), int((served != "").sum())
            chinese = f"{n} 次服务,{m} 次已派,{len(faces)} 人"
            return f"{self.request_id}: {m} of {n} visits by {len(faces)} face(s) {chinese}"
        if self.status == "served":
            chosen = ", ".join(self.candidates.loc[self.candidates["chosen"], "provider_id"])
            return f"{self.request_id}: served by {chosen} 已派单"
        word = "partly served 部分派单" if self.status == "partly_served" else "unmet 未派单"
        return f"{self.request_id}: {word}: {self.reason}: {REASONS[self.reason][0]} {self.reason_zh}"

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{html.escape(self._headline())}</b></p>"]
        for title, frame in (
            ("route 流转", self.route),
            ("candidates 候选", self.candidates),
            ("goods 物资", self.goods),
            ("funnel 筛选", self.funnel),
            ("visits 定期服务", self.visits),
        ):
            if len(frame):
                parts.append(f"<p>{title}</p>{frame.to_html(index=False, border=0)}")
        return "".join(parts)


def explain(plan: Plan, request_id: str) -> Explanation:
    """Explain one request of a plan.

    Parameters
    ----------
    plan : Plan
    request_id : str

    Returns
    -------
    Explanation

    Raises
    ------
    UnknownId
        The problem has no such request.
    InvalidInput
        `plan` is no plan.
    """
    if not isinstance(plan, Plan):
        raise InvalidInput(f"plan is a {type(plan).__name__}; expected a Plan: match(problem)")
    requests, demand = plan.problem.tables["requests"], plan.problem.demand
    ids, asked = requests["request_id"].tolist(), demand.request_id.tolist()
    if request_id not in ids and request_id not in asked:
        near = difflib.get_close_matches(str(request_id)[:200], ids[:5000], n=3)
        hint = f"; near: {', '.join(near)}" if near else ""
        raise UnknownId(f"the problem has no request {request_id!r}{hint}")
    if request_id not in asked:
        row, empty = ids.index(request_id), pd.DataFrame()
        at = np.flatnonzero(demand.row == row)
        if len(at):
            mine = demand.request_id[at].tolist()
            starts = local_times(demand.earliest[at], plan.problem.policy.time_zone)
            told = visits_told(mine, plan.assignments, plan.unmet, starts)
            return Explanation(request_id, "recurring", "", "", empty, empty, empty, visits=told)
        twin = str(requests["duplicate_of"].iloc[row])
        return Explanation(request_id, "linked", "", "", empty, empty, empty, duplicate_of=twin)

    request = asked.index(request_id)
    if not isinstance(plan.search, Search):
        return Explanation(request_id, *explain_rounds(plan, plan.search, request))
    units = _units(plan.search, request)
    candidates, pairs = _candidates(plan, plan.search, units)
    unmet = plan.unmet[plan.unmet["request_id"] == request_id]
    reason = str(unmet["reason"].iloc[0]) if len(unmet) else ""
    chosen = int(candidates["chosen"].sum()) if len(candidates) else 0
    status = "served" if not reason else "partly_served" if chosen else "unmet"
    return Explanation(
        request_id,
        status,
        reason,
        REASONS[reason][1] if reason else "",
        candidates,
        _route(plan, plan.search, pairs) if chosen else pd.DataFrame(),
        _funnel(plan.search, units),
        conflict=tuple(contradiction(plan.search, plan.problem.demand.assign_request, request))
        if reason == "pin_conflict"
        else (),
        goods=goods_told(plan, plan.search.paths, request),
    )


def _units(search: Search, request: int) -> IntArray:
    """Return the request's unit, or one of each role: at the chosen start, else where most are left."""
    mine = np.flatnonzero(search.units.request == request)
    if search.units.role[mine[0]] < 0:
        return mine
    sent = search.instance.request[search.solution.flow > 0]
    best = best_starts(search.units, search.passed)
    used = mine[np.isin(mine, sent)]
    roles = search.units.role[used]
    others = best[np.isin(best, mine) & ~np.isin(search.units.role[best], roles)]
    found = np.concatenate([used, others])
    ordered: IntArray = found[np.argsort(search.units.role[found], kind="stable")]
    return ordered


def _funnel(search: Search, units: IntArray) -> pd.DataFrame:
    """Who is left after each stage, role by role."""
    parts = []
    for unit in units.tolist():
        known = len(STAGES) if search.examined[unit] else BEFORE_PAIRS
        part = pd.DataFrame(STAGES[:known], columns=["stage", "stage_zh"])
        part.insert(0, "role", search.units.demand.role[unit])
        part["providers"] = search.passed[unit, :known]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _candidates(plan: Plan, search: Search, units: IntArray) -> tuple[pd.DataFrame, Pairs]:
    """Return for each unit the chosen arcs, then the next by cost; and their pairs."""
    problem = plan.problem
    demand, supply = search.units.demand, problem.supply
    sent = np.zeros(len(search.arcs), np.int64)
    np.add.at(sent, search.arc, search.solution.flow)
    rows = []
    for unit in units.tolist():
        arcs = np.flatnonzero(search.arcs.request == unit)
        arcs = arcs[np.argsort(search.arcs.cost[arcs], kind="stable")]
        chosen = sent[arcs] > 0
        rows += [arcs[chosen], arcs[~chosen][:OTHERS]]
    shown = np.concatenate(rows)
    pairs = Pairs(search.arcs.request[shown], search.arcs.slot[shown])
    provider = supply.slot_provider[pairs.slot]
    travel = checked_minutes(search.travel, provider, pairs.request.astype(np.int32))
    terms = pair_terms(pairs, demand, supply, problem.policy, search.paths, travel)
    used = np.flatnonzero(sent > 0)
    taken_in = np.bincount(search.arcs.slot[used], sent[used], len(supply.slot_capacity))
    seats = supply.slot_provider[search.arcs.slot[used]] >= supply.n_people
    used = used[~seats | (taken_in >= supply.slot_capacity)[search.arcs.slot[used]]]
    holder = dict(
        zip(
            search.arcs.slot[used].tolist(),
            search.units.request[search.arcs.request[used]].tolist(),
            strict=True,
        )
    )
    own = int(search.units.request[units[0]])
    taken = [holder.get(int(s)) for s in pairs.slot]
    ids = problem.demand.request_id
    frame = pd.DataFrame(
        {
            "role": demand.role[pairs.request],
            "provider_id": supply.provider_id[provider],
            "start": local_times(pair_starts(pairs, demand, supply), problem.policy.time_zone),
            "chosen": sent[shown] > 0,
            "busy_with": ["" if r in (None, own) else str(ids[r]) for r in taken],
            "cost_minutes": terms.total / RESOLUTION,
            "travel_cost": terms.travel / RESOLUTION,
            "route_cost": terms.route / RESOLUTION,
            "dialect_cost": terms.dialect / RESOLUTION,
            "hometown_cost": terms.hometown / RESOLUTION,
            "level_cost": terms.level / RESOLUTION,
            "wait_cost": terms.wait / RESOLUTION,
        }
    )
    if "bonds" in problem.features:
        several = bool(problem.demand.people[own] > 1)
        chosen = provider[sent[shown] > 0].tolist()
        frame["bonds"] = bond_notes(problem, chosen, provider.astype(np.int64), several)
    return frame, pairs


def _route(plan: Plan, search: Search, pairs: Pairs) -> pd.DataFrame:
    """Hop by hop: which node hands the request on, over which kind of edge, at what cost."""
    supply = plan.problem.supply
    demand = search.units.demand
    provider = int(supply.slot_provider[pairs.slot[0]])
    epoch = int(search.paths.epoch_of_day(supply.slot_day[pairs.slot[:1]])[0])
    ends = int(demand.community[pairs.request[0]]), int(supply.home[provider]), epoch
    named = plan.problem.nodes
    nodes, edges = list(search.paths.route(*ends)), list(search.paths.route_edges(*ends))
    return pd.DataFrame(
        {
            "node_id": search.paths.node_id[nodes],
            "name": [named.name[v] if v < named.n else "" for v in nodes],
            "edge": ["", *(EDGE_KINDS[search.edges.kind[e]] for e in edges)],
            "hop_minutes": [0.0, *(search.edges.cost[e] / RESOLUTION for e in edges)],
        }
    )
