"""The frames of a plan of rounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from govmatch.model.encoded import Supply
from govmatch.model.problem import Problem
from govmatch.plan.decode import Pairs, local_times, pair_terms, route_texts
from govmatch.plan.reasons import REASONS, STAGE_REASONS, first_empty_stage
from govmatch.ragged import runs
from govmatch.reach.asks import Asks
from govmatch.reach.candidates import Candidates
from govmatch.reach.costs import RESOLUTION, hundredths
from govmatch.reach.options import FAR, Options, Stops
from govmatch.reach.paths import Paths
from govmatch.reach.ways import PARTS, in_parts

IntArray = NDArray[np.int64]

MILLISECONDS = 60_000 // PARTS
"""Of one part of a minute."""


@dataclass(frozen=True)
class Made:
    """Visits that are made: what they are for, in which slot, by which of its people, and when."""

    ask: IntArray
    slot: IntArray
    number: IntArray  # of the tour, from 0 within the slot
    begin: IntArray  # parts of a minute after the horizon's start

    def __len__(self) -> int:
        return len(self.ask)

    def take(self, at: NDArray[np.integer]) -> Made:
        """Return them in another order."""
        return Made(self.ask[at], self.slot[at], self.number[at], self.begin[at])


@dataclass(frozen=True)
class Legs:
    """The ways of tours, visit by visit."""

    order: IntArray  # place in the tour, from 1
    minutes: NDArray[np.float64]  # from the visit before, or from the tour's start; NaN: unknown
    way: IntArray  # parts, as the policy takes unknown ones
    back: IntArray  # parts: the way back at a tour's last visit, else 0
    out: IntArray  # parts from the tour's start


def _legs(made: Made, supply: Supply, stops: Stops, unknown: float) -> Legs:
    n = len(made)
    order = np.lexsort((made.ask, made.begin, made.number, made.slot))
    tour = made.slot[order] * (int(made.number.max(initial=0)) + 1) + made.number[order]
    new = np.append(True, tour[1:] != tour[:-1])[:n]
    last = np.append(new[1:], True)[:n]
    provider = supply.slot_provider[made.slot[order]].astype(np.int64)
    base, mode, place = stops.of_provider[provider], supply.mode[provider], stops.of_ask[made.ask[order]]
    origin = np.where(new, base, np.roll(place, 1))
    minutes = stops.ways.minutes(mode, origin, place)
    first = np.maximum.accumulate(np.where(new, np.arange(n), 0))
    at = np.empty(n, np.int64)
    at[order] = np.arange(n)
    back = in_parts(stops.ways.minutes(mode, place, base), unknown, FAR)
    return Legs(
        order=(np.arange(n) - first + 1)[at],
        minutes=minutes[at],
        way=in_parts(minutes, unknown, FAR)[at],
        back=np.where(last, back, 0)[at],
        out=in_parts(stops.ways.minutes(mode, base, place), unknown, FAR)[at],
    )


def _loads(made: Made, supply: Supply, step: int) -> IntArray:
    """Charge the j-th job of a volunteer in a week, by start, with j - 1 steps; hundredths, (n,)."""
    provider = supply.slot_provider[made.slot].astype(np.int64)
    week = supply.slot_week[made.slot].astype(np.int64)
    order = np.lexsort((made.ask, made.begin, week, provider))
    n = len(order)
    new = np.append(True, (np.diff(provider[order]) != 0) | (np.diff(week[order]) != 0))[:n]
    first = np.maximum.accumulate(np.where(new, np.arange(n), 0))
    charged = np.zeros(n, np.int64)
    charged[order] = (np.arange(n) - first) * step
    return np.where(provider < supply.n_volunteers, charged, 0)


def rounds_assignments(
    problem: Problem, supply: Supply, asks: Asks, made: Made, stops: Stops, paths: Paths
) -> pd.DataFrame:
    """One row a visit, ordered by request, then start, then role; costs in equivalent minutes.

    The way back of a tour is charged to its last visit, the largest lateness to the first visit that has it.
    """
    demand, policy, nodes = asks.demand, problem.policy, problem.nodes
    made = made.take(np.lexsort((made.slot, made.ask, made.begin, demand.row[made.ask])))
    pairs = Pairs(made.ask, made.slot)
    provider = supply.slot_provider[made.slot].astype(np.int64)
    legs = _legs(made, supply, stops, policy.travel.unknown_minutes)
    terms = pair_terms(pairs, demand, supply, policy, paths, legs.minutes)
    load = _loads(made, supply, int(hundredths(policy.load.further_job_minutes)))
    routes, hops = route_texts(pairs, demand, supply, nodes, paths)
    round_cost = policy.rounds.cost == "round"
    travel = (legs.way + legs.back if round_cost else legs.out) / PARTS
    late = np.zeros(len(made))
    if policy.rounds.soft:
        begin = made.begin + problem.horizon[0] * PARTS
        lateness = np.maximum(0, begin - asks.due[made.ask] * PARTS) / PARTS
        late = int(hundredths(policy.rounds.late_minutes)) * lateness / RESOLUTION
        if len(late):
            price = int(hundredths(policy.rounds.largest_late_minutes))
            late[int(lateness.argmax())] += price * float(lateness.max()) / RESOLUTION
    own = (terms.route + terms.dialect + terms.hometown + terms.level + load) / RESOLUTION
    firm = supply.organization[provider]
    names = [nodes.node_id[nodes.n_communities + nodes.n_units + f] if f >= 0 else None for f in firm]
    minutes = demand.minutes[made.ask] * PARTS
    return pd.DataFrame(
        {
            "request_id": demand.request_id[made.ask],
            "role": demand.role[made.ask],
            "provider_id": supply.provider_id[provider],
            "provider_kind": np.where(provider < supply.n_volunteers, "volunteer", "organization").astype(
                object
            ),
            "organization_id": pd.Series(names, dtype=object),
            "community_id": nodes.node_id[demand.community[made.ask]],
            "start": _times(problem, made.begin),
            "end": _times(problem, made.begin + minutes),
            "slot_start": local_times(supply.slot_start[made.slot], policy.time_zone),
            "slot_end": local_times(supply.slot_end[made.slot], policy.time_zone),
            "route": routes,
            "hops": hops,
            "travel_minutes": legs.way / PARTS,
            "travel_known": ~np.isnan(legs.minutes),
            "cost_minutes": own + travel + late,
            "travel_cost": travel,
            "route_cost": terms.route / RESOLUTION,
            "dialect_cost": terms.dialect / RESOLUTION,
            "hometown_cost": terms.hometown / RESOLUTION,
            "level_cost": terms.level / RESOLUTION,
            "wait_cost": np.zeros(len(made)),
            "load_cost": load / RESOLUTION,
            "face_cost": np.zeros(len(made)),
            "bond_cost": np.zeros(len(made)),
            "late_cost": late,
            "assumed": supply.slot_assumed[made.slot],
            "tour": made.number + 1,
            "order": legs.order,
            "return_minutes": legs.back / PARTS,
        }
    )


def _times(problem: Problem, parts: IntArray) -> pd.DatetimeIndex:
    stamps = (problem.horizon[0] * 60_000 + parts * MILLISECONDS).astype("datetime64[ms]")
    return pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(problem.policy.time_zone)


def _too_few(asks: Asks, options: Options, supply: Supply, mine: IntArray) -> bool:
    """Tell whether the roles `mine` of a request take more people than there are for all of them at once."""
    if asks.people[mine].sum() == 1:
        return False
    rows: list[IntArray] = []
    columns: list[IntArray] = []
    n = 0
    for q in mine.tolist():
        slot = options.slot[slice(*np.searchsorted(options.ask, [q, q + 1]))]
        provider = supply.slot_provider[slot].astype(np.int64)
        own = provider >= supply.n_volunteers
        # the own people of an organisation are persons of their slot; more than are asked do not count
        times = np.where(own, np.minimum(supply.slot_capacity[slot], asks.people[mine].sum()), 1)
        of, nth = runs(times)
        width = int(asks.people[mine].sum())
        person = np.where(own, supply.n_providers + slot * width, provider)
        person = np.unique(person[of] + nth)
        for _ in range(int(asks.people[q])):
            rows.append(np.full(len(person), n))
            columns.append(person)
            n += 1
    who, column = np.unique(np.concatenate(columns), return_inverse=True)
    ones = np.ones(len(column), np.int8)
    graph = csr_array((ones, (np.concatenate(rows), column.reshape(-1))), shape=(n, len(who)))
    return bool((maximum_bipartite_matching(graph, perm_type="column") < 0).any())


def rounds_unmet(
    problem: Problem,
    asks: Asks,
    candidates: Candidates,
    options: Options,
    worth: IntArray,
    least: IntArray,
    shut: NDArray[np.object_],
    served: NDArray[np.bool_],
    optimal: bool,
) -> pd.DataFrame:
    """One row per request that is not served, with the reason; only an optimal plan says "capacity".

    A limit is the reason where it stops everybody who could come in one of the roles.

    Parameters
    ----------
    worth : int64 (n_requests,)
        What leaving one person of each request costs, with its floors, in hundredths of a minute.
    least : int64 (n_requests,)
        What each request costs at least beside its ways, in hundred-thousandths of a minute.
    shut : object (Q,)
        The reason where limits stop everybody, else "".
    served : bool (n_requests,)
    """
    demand = problem.demand
    request = np.flatnonzero(~served & (demand.people > 0))
    reason, left, _ = first_empty_stage(candidates.passed, np.ones(len(asks), np.int64))
    able = np.bincount(options.ask, minlength=len(asks)) > 0
    reason[(reason == "capacity") & ~able] = "way"
    reason[~candidates.examined], left[~candidates.examined] = "time", 0
    first = np.searchsorted(asks.request, request)
    codes, rest = reason[first], left[first]
    assigned = np.isin(request, demand.assign_request)
    for i, r in enumerate(request.tolist()):
        mine = np.flatnonzero(asks.request == r)
        stuck = mine[reason[mine] != "capacity"]
        if len(stuck):
            codes[i], rest[i] = reason[stuck[0]], left[stuck[0]]
        elif _too_few(asks, options, problem.supply, mine):
            codes[i] = "people"
        elif not assigned[i] and least[r] >= worth[r] * demand.people[r] * 1000:
            codes[i] = "cost"
        elif (shut[mine] != "").any():
            codes[i] = shut[mine][shut[mine] != ""][0]
        elif not optimal:
            codes[i] = "time"
    codes[(codes == "excluded") & assigned] = "pinned"
    codes[(codes == "capacity") & assigned] = "pin_conflict"
    return pd.DataFrame(
        {
            "request_id": demand.request_id[request],
            "community_id": problem.nodes.node_id[demand.community[request]],
            "category": problem.tables["requests"]["category"].to_numpy()[demand.row[request]],
            "skill": [
                "+".join(demand.need_skill_name[demand.need_ptr[r] : demand.need_ptr[r + 1]]) for r in request
            ],
            "role": demand.role[request],
            "group": demand.group[request],
            "priority": demand.priority[request].astype(np.int64),
            "people": demand.people[request],
            "reason": codes,
            "reason_zh": [REASONS[code][1] for code in codes],
            "eligible": rest,
            "unmet_minutes": demand.people[request] * demand.unmet_cost[request] / RESOLUTION,
        }
    )


def rounds_funnel(candidates: Candidates) -> pd.DataFrame:
    """Pairs of role and provider by the first condition that they fail; the last row fails none."""
    totals = candidates.passed[candidates.examined].sum(axis=0)
    lost = [*(totals[:-1] - totals[1:]), totals[-1]]
    chinese = [*(REASONS[c][1] for c in STAGE_REASONS), "可派"]
    return pd.DataFrame({"reason": [*STAGE_REASONS, "eligible"], "reason_zh": chinese, "pairs": lost})
