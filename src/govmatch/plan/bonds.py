"""Bonds between volunteers in a plan: what the solver sees of them, what they cost, and what they forbid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import Bonds, Supply
from govmatch.model.problem import Problem
from govmatch.plan.wheel import Result
from govmatch.ragged import matches
from govmatch.reach.candidates import ANY, Arcs
from govmatch.reach.units import Units
from govmatch.solve.bonds import Bonds as SolverBonds
from govmatch.solve.bonds import Meetings

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def bonds_of(problem: Problem) -> SolverBonds | None:
    """Return the bonds as groups of an `Instance`, which are the providers; None where none can matter."""
    if "bonds" not in problem.features:
        return None
    return SolverBonds(problem.bonds.apart, problem.bonds.together, problem.bonds.cost)


def touched(result: Result, bonds: SolverBonds) -> bool:
    """Tell whether a flow sends two who keep apart, or one of two who prefer each other, to one request."""
    instance, flow = result.layout.instance, result.solution.flow
    owner = np.where(instance.demand > 1, np.arange(len(instance.demand)), -1)
    met = Meetings(bonds, owner[instance.request], instance.group)
    return len(met.clashing(flow, instance.cost)) > 0 or met.lonely(flow) > 0


def over(relaxed: Result, found: Result) -> Result:
    """Keep the better bound of a search with bonds and of the flow without."""
    bound = max(found.proof.bound, relaxed.proof.bound)
    return replace(found, proof=replace(found.proof, bound=bound), rounds=found.rounds + relaxed.rounds)


def bond_costs(
    bonds: Bonds, request: IntArray, provider: IntArray, people: IntArray, n_providers: int
) -> IntArray:
    """Charge everybody sent to a request of several people for each who is preferred and does not come.

    Parameters
    ----------
    bonds : Bonds
    request, provider : int64 (n,)
        Who is sent where.
    people : int64 (n_requests,)
    n_providers : int

    Returns
    -------
    int64 (n,)
        Hundredths.
    """
    cost = np.zeros(len(request), np.int64)
    of, friend = _partners(bonds.together, np.where(people[request] > 1, provider, -1))
    missed = ~np.isin(request[of] * n_providers + friend, request * n_providers + provider)
    np.add.at(cost, of[missed], bonds.cost)
    return cost


def foes_there(
    bonds: Bonds, request: IntArray, provider: IntArray, sent: tuple[IntArray, IntArray]
) -> BoolArray:
    """Tell of whom, (n,), somebody is sent to the request from whom the provider is kept apart.

    `sent` are the requests and providers of those sent.
    """
    of, foe = _partners(bonds.apart, provider)
    span = 1 + max(int(pairs.max(initial=0)) for pairs in (sent[1], foe))
    met = np.isin(request[of] * span + foe, sent[0] * span + sent[1])
    found = np.zeros(len(request), np.bool_)
    found[of[met]] = True
    return found


def _partners(pairs: IntArray, provider: IntArray) -> tuple[IntArray, IntArray]:
    """Return for each provider all others of its pairs, as positions in `provider` and the others."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    row = np.flatnonzero(np.isin(provider, both[:, 0]))
    of, at = matches(both[:, 0], provider[row])
    return row[of], both[at, 1]


def kept_apart(
    problem: Problem, units: Units, outside_cost: IntArray, arcs: Arcs, come: IntArray
) -> BoolArray:
    """Tell which requests lack people only as those who could come keep apart from one another.

    Enough are eligible, but however they are chosen, those of them who may come together are fewer than it
    takes, or no more than come already. At most one comes of a clique of people who all keep apart: no more
    come than there are cliques that cover everybody. Where not all eligible pairs are known, nothing is told.

    Parameters
    ----------
    outside_cost : int64 (n_units,)
        As in `Candidates`.
    come : int64 (n_requests,)
        How many are sent.
    """
    demand, teams, supply = problem.demand, problem.teams, problem.supply
    found = np.zeros(demand.n_requests, np.bool_)
    if "bonds" not in problem.features or not len(problem.bonds.apart):
        return found
    foes: dict[int, set[int]] = defaultdict(set)
    for one, other in problem.bonds.apart.tolist():
        foes[one].add(other)
        foes[other].add(one)
    open_ = (come < demand.people) & (demand.people > 1)
    open_[units.request[outside_cost != ANY]] = False
    arc = np.flatnonzero(open_[units.request[arcs.request]])
    who = supply.slot_provider[arcs.slot[arc]].astype(np.int64)
    whose, role = units.request[arcs.request[arc]], units.role[arcs.request[arc]]
    places = _places(supply)
    must = np.append(teams.least >= teams.people, False)
    for r in np.unique(whose[np.isin(who, problem.bonds.apart)]).tolist():
        mine = whose == r
        wanted = [(mine, max(int(come[r]) + 1, int(demand.min_serve[r]) if not come[r] else 0))]
        if not come[r]:
            wanted += [(mine & (role == q), int(teams.people[q])) for q in np.unique(role[mine]) if must[q]]
        for rows, needed in wanted:
            eligible = np.unique(who[rows])
            several = int(np.minimum(places[eligible], needed).sum()) - len(eligible)
            found[r] |= len(eligible) + several >= needed > _most(eligible.tolist(), foes) + several
    return found


def _places(supply: Supply) -> IntArray:
    """Return how many people each provider may send to one request."""
    places = np.zeros(supply.n_providers, np.int64)
    np.maximum.at(places, supply.slot_provider, supply.slot_capacity)
    places[: supply.n_volunteers] = 1
    return places


def _most(people: Collection[int], foes: dict[int, set[int]]) -> int:
    """Return how many of some people may come together, at most."""
    cliques: list[set[int]] = []
    for one in people:
        mine = foes.get(one, set())
        home = next((clique for clique in cliques if clique <= mine), None) if mine else None
        if home is None:
            cliques.append({one})
        else:
            home.add(one)
    return len(cliques)


def bond_notes(problem: Problem, chosen: Collection[int], provider: IntArray, several: bool) -> list[str]:
    """Say of each provider whom they keep apart from, of those chosen, and with whom they prefer to come."""
    ids, bonds = problem.supply.provider_id, problem.bonds
    notes = []
    for p in provider.tolist():
        said = []
        if several:
            for other in sorted(_others(bonds.apart, p) & set(chosen)):
                said.append(f"kept apart from {ids[other]} 须与 {ids[other]} 回避同组")
            for other in sorted(_others(bonds.together, p)):
                said.append(f"prefers to come with {ids[other]} 愿与 {ids[other]} 同组")
        notes.append("; ".join(said))
    return notes


def _others(pairs: IntArray, person: int) -> set[int]:
    rows = pairs[(pairs == person).any(axis=1)]
    return set(rows[rows != person].tolist())
