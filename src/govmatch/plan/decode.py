"""From positions back to ids: the frames of a plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.encoded import Demand, Nodes, Supply
from govmatch.model.policy import Policy
from govmatch.model.problem import Problem
from govmatch.plan.bonds import bond_costs
from govmatch.plan.faces import face_costs
from govmatch.plan.reasons import REASONS, STAGE_REASONS
from govmatch.plan.unserved import OUTRUN, best_starts, reasons
from govmatch.ragged import runs
from govmatch.reach.candidates import Candidates
from govmatch.reach.costs import RESOLUTION, Terms, hundredths, price_terms
from govmatch.reach.floors import FloorRows
from govmatch.reach.paths import Paths
from govmatch.reach.seats import Seated
from govmatch.reach.travel import checked_minutes
from govmatch.reach.units import Units

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ObjectArray = NDArray[np.object_]


@dataclass(frozen=True)
class Pairs:
    """Request–slot pairs by position."""

    request: IntArray  # (n,)
    slot: IntArray  # (n,)


def local_times(minutes: IntArray, time_zone: str) -> pd.DatetimeIndex:
    """UTC minutes as times in a zone."""
    return pd.DatetimeIndex((minutes * 60).astype("datetime64[s]")).tz_localize("UTC").tz_convert(time_zone)


def provider_kinds(provider: NDArray[np.integer], supply: Supply) -> NDArray[np.object_]:
    """Name the kind of each provider: "volunteer", "organization" or "session"."""
    kinds = np.array(["volunteer", "organization", "session"], dtype=object)
    which = (provider >= supply.n_volunteers).astype(np.int64) + (provider >= supply.n_people)
    return np.asarray(kinds[which])


def pair_starts(pairs: Pairs, demand: Demand, supply: Supply) -> IntArray:
    """Return the earliest start that fits, UTC minutes, (n,)."""
    return np.maximum(demand.earliest[pairs.request], supply.slot_start[pairs.slot])


def surplus_levels(pairs: Pairs, demand: Demand, supply: Supply) -> IntArray:
    """Return the levels held above those needed, summed over each request's needs, (n,)."""
    pair, need = runs(np.diff(demand.need_ptr)[pairs.request])
    need += demand.need_ptr[pairs.request[pair]]
    n_skills = max(1, len(supply.skills))
    keys = supply.skill_provider.astype(np.int64) * n_skills + supply.skill_code
    order = np.argsort(keys, kind="stable")  # they are often sorted already
    wanted = supply.slot_provider[pairs.slot[pair]].astype(np.int64) * n_skills + demand.need_skill[need]
    row = order[np.searchsorted(keys, wanted, sorter=order)]
    above = supply.skill_level[row].astype(np.int64) - demand.need_level[need]
    return np.bincount(pair, weights=above, minlength=len(pairs.request)).astype(np.int64)


def pair_terms(
    pairs: Pairs,
    demand: Demand,
    supply: Supply,
    policy: Policy,
    paths: Paths,
    travel_minutes: NDArray[np.float64],
) -> Terms:
    """Price eligible pairs term by term."""
    provider = supply.slot_provider[pairs.slot]
    request = pairs.request
    epoch = paths.epoch_of_day(supply.slot_day[pairs.slot])
    asked, spoken = demand.dialect[request], supply.dialect[provider]
    town, from_town = demand.hometown[request], supply.hometown[provider]
    return price_terms(
        policy,
        travel_minutes=travel_minutes,
        route_cost=paths.cost[epoch, demand.community[request], supply.home[provider]].astype(np.int64),
        wrong_dialect=(asked != -1) & (asked != spoken),
        wrong_hometown=(town != -1) & (town != from_town),
        surplus_levels=surplus_levels(pairs, demand, supply),
        waited_minutes=pair_starts(pairs, demand, supply) - demand.wished[request],
    )


def route_texts(
    pairs: Pairs, demand: Demand, supply: Supply, nodes: Nodes, paths: Paths
) -> tuple[list[str], IntArray]:
    """Write the cheapest permitted path of each pair as "A > B > C", and its hops."""
    home = supply.home[supply.slot_provider[pairs.slot]].astype(np.int64)
    community = demand.community[pairs.request].astype(np.int64)
    epoch = paths.epoch_of_day(supply.slot_day[pairs.slot]).astype(np.int64)
    return way_texts(epoch, community, home, paths)


def way_texts(
    epoch: IntArray, community: IntArray, home: IntArray, paths: Paths
) -> tuple[list[str], IntArray]:
    """Write the cheapest permitted path from each community to each node, and its hops."""
    n_sources, n_nodes = paths.cost.shape[1:]
    distinct, which = np.unique((epoch * n_sources + community) * n_nodes + home, return_inverse=True)
    origin, end = np.divmod(distinct, n_nodes)
    first = np.flatnonzero(np.diff(origin, prepend=-1))
    routes: list[tuple[int, ...]] = []
    for e, c, homes in zip(
        (origin[first] // n_sources).tolist(),
        (origin[first] % n_sources).tolist(),
        np.split(end, first[1:]),
        strict=False,
    ):
        routes += paths.routes(c, homes, e)
    names = paths.node_id.tolist()
    texts = [" > ".join([str(names[v]) for v in route]) for route in routes]
    hops = np.array([len(route) - 1 for route in routes], np.int64)
    which = which.reshape(-1)
    return [texts[i] for i in which.tolist()], hops[which]


def load_costs(pairs: Pairs, demand: Demand, supply: Supply, policy: Policy) -> IntArray:
    """Charge the j-th job of a volunteer in a week, by start, with j - 1 steps; hundredths, (n,)."""
    provider = supply.slot_provider[pairs.slot].astype(np.int64)
    week = supply.slot_week[pairs.slot].astype(np.int64)
    order = np.lexsort((pairs.slot, pair_starts(pairs, demand, supply), week, provider))
    same = np.zeros(len(order), np.bool_)
    same[1:] = (np.diff(provider[order]) == 0) & (np.diff(week[order]) == 0)
    place = np.arange(len(order))
    first = np.maximum.accumulate(np.where(same, 0, place))
    charged = np.zeros(len(order), np.int64)
    charged[order] = (place - first) * int(hundredths(policy.load.further_job_minutes))
    return np.where(provider < supply.n_volunteers, charged, 0)


def assignments_frame(
    problem: Problem, units: Units, pairs: Pairs, candidates: Candidates | Seated, paths: Paths
) -> pd.DataFrame:
    """One row per person sent, ordered by request, start, role; costs in equivalent minutes.

    `pairs.request` is the unit.
    """
    demand, supply, policy, nodes = units.demand, problem.supply, problem.policy, problem.nodes
    start = pair_starts(pairs, demand, supply)
    order = np.lexsort((pairs.slot, units.role[pairs.request], start, demand.row[pairs.request]))
    pairs, start = Pairs(pairs.request[order], pairs.slot[order]), start[order]
    request, provider = pairs.request, supply.slot_provider[pairs.slot]
    travel = checked_minutes(candidates.travel, provider, request.astype(np.int32))
    terms = pair_terms(pairs, demand, supply, policy, paths, travel)
    load = load_costs(pairs, demand, supply, policy)
    whose, who = units.request[request], provider.astype(np.int64)
    face = face_costs(problem.series, policy.continuity, whose, who, start, supply.n_providers)
    bond = bond_costs(problem.bonds, whose, who, problem.demand.people, supply.n_providers)
    routes, hops = route_texts(pairs, demand, supply, nodes, paths)
    firm = supply.organization[provider]
    first_firm = nodes.n_communities + nodes.n_units
    zone = policy.time_zone
    return pd.DataFrame(
        {
            "request_id": demand.request_id[request],
            "role": demand.role[request],
            "provider_id": supply.provider_id[provider],
            "provider_kind": provider_kinds(provider, supply),
            "organization_id": pd.Series(
                [nodes.node_id[first_firm + f] if f >= 0 else None for f in firm], dtype=object
            ),
            "community_id": nodes.node_id[demand.community[request]],
            "start": local_times(start, zone),
            "end": local_times(start + demand.minutes[request], zone),
            "slot_start": local_times(supply.slot_start[pairs.slot], zone),
            "slot_end": local_times(supply.slot_end[pairs.slot], zone),
            "route": routes,
            "hops": hops,
            "travel_minutes": np.where(np.isnan(travel), policy.travel.unknown_minutes, travel),
            "travel_known": ~np.isnan(travel),
            "cost_minutes": (terms.total + load + face + bond) / RESOLUTION,
            "travel_cost": terms.travel / RESOLUTION,
            "route_cost": terms.route / RESOLUTION,
            "dialect_cost": terms.dialect / RESOLUTION,
            "hometown_cost": terms.hometown / RESOLUTION,
            "level_cost": terms.level / RESOLUTION,
            "wait_cost": terms.wait / RESOLUTION,
            "load_cost": load / RESOLUTION,
            "face_cost": face / RESOLUTION,
            "bond_cost": bond / RESOLUTION,
            "assumed": supply.slot_assumed[pairs.slot],
        }
    )


def unmet_frame(
    problem: Problem,
    units: Units,
    pairs: Pairs,
    candidates: Candidates | Seated,
    blocked: ObjectArray,
    full: BoolArray,
    apart: BoolArray,
    unheld: BoolArray,
    *,
    finished: bool,
) -> pd.DataFrame:
    """One row per request with unserved people, with the reason; only a finished search says "capacity".

    `blocked`, (n_requests,): the reason where somebody free could come, but for a limit, else ""; `full`,
    (n_requests,): those that recur and have as many faces as they may have; `apart`, (n_requests,): those
    for which too few may come together; `unheld`, (n_requests,): those that could sit in a session that is
    not held.
    """
    demand = problem.demand
    come = np.bincount(units.request[pairs.request], minlength=demand.n_requests)
    left_out = demand.people - come
    request = np.flatnonzero(left_out > 0)
    told = reasons(problem, units, candidates, blocked)
    reason, left, role, unseen = (part[request] for part in told)
    reason[unheld[request] & (reason == "capacity")] = "session"
    if not finished:
        reason[np.isin(reason, OUTRUN)] = "time"
    reason[unseen], left[unseen] = "time", 0
    reason[apart[request] & np.isin(reason, ["capacity", "pin_conflict"])] = "apart"
    reason[full[request] & np.isin(reason, ["capacity", "time"])] = "faces"
    category = problem.tables["requests"]["category"].to_numpy()[demand.row[request]]
    return pd.DataFrame(
        {
            "request_id": demand.request_id[request],
            "community_id": problem.nodes.node_id[demand.community[request]],
            "category": category,
            "skill": [
                "+".join(demand.need_skill_name[demand.need_ptr[r] : demand.need_ptr[r + 1]]) for r in request
            ],
            "role": role,
            "group": demand.group[request],
            "priority": demand.priority[request].astype(np.int64),
            "people": left_out[request],
            "reason": reason,
            "reason_zh": [REASONS[code][1] for code in reason],
            "eligible": left,
            "unmet_minutes": left_out[request] * demand.unmet_cost[request] / RESOLUTION,
        }
    )


def floors_frame(floors: FloorRows, people: IntArray, price: IntArray) -> pd.DataFrame:
    """One row per floor; costs in minutes.

    Parameters
    ----------
    floors : FloorRows
    people : int64 (n_requests,)
        Who are sent to each request.
    price : int64 (n_floors,)
        Of one person more, if any.
    """
    sent = floors.sent(people)
    short = np.maximum(floors.least - sent, 0)
    return pd.DataFrame(
        {
            "kind": floors.kind,
            "name": floors.name,
            "asked": floors.asked,
            "least": floors.least,
            "sent": sent,
            "short": short,
            "cost_minutes": short * floors.price / RESOLUTION,
            # where people are short, one less asked for saves what one costs, whatever proved the bound
            "price_minutes": np.where(short > 0, floors.price, price if len(price) else 0) / RESOLUTION,
        }
    )


def funnel_frame(units: Units, candidates: Candidates | Seated) -> pd.DataFrame:
    """Pairs of request and provider by the first condition that they fail; the last row fails none.

    Every role of a team counts as a request, at the start for which most are left. Requests that no time
    was left for are not counted.
    """
    counted = best_starts(units, candidates.passed)
    counted = counted[candidates.examined[counted]]
    totals = candidates.passed[counted].sum(axis=0)
    lost = [*(totals[:-1] - totals[1:]), totals[-1]]
    codes = [*STAGE_REASONS, "eligible"]
    chinese = [*(REASONS[c][1] for c in STAGE_REASONS), "可派"]
    return pd.DataFrame({"reason": codes, "reason_zh": chinese, "pairs": lost})
