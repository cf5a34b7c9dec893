"""The capacity forest of a problem, and the instance that a set of arcs makes on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import Demand, Supply
from govmatch.model.policy import Policy
from govmatch.reach.candidates import Arcs
from govmatch.reach.costs import hundredths
from govmatch.reach.stays import Stays
from govmatch.solve.instance import Instance

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Forest:
    """Slot → volunteer-day → volunteer-week → organisation-week; the first nodes are the slots."""

    parent: IntArray  # (n_nodes,) -1 at a root
    capacity: IntArray  # (n_nodes,)
    load_cost: IntArray  # (n_nodes,)


def capacity_forest(supply: Supply, policy: Policy) -> Forest:
    """Lay out the nodes of every slot.

    An organisation's own staff is limited by its slots and by the organisation's week; days, weeks
    and load costs of a person are for volunteers.
    """
    n_slots = len(supply.slot_provider)
    provider = supply.slot_provider.astype(np.int64)
    week = supply.slot_week.astype(np.int64)
    person = provider < supply.n_volunteers
    slots = np.flatnonzero(person)

    day_owner, day_of = _distinct(provider[slots], supply.slot_day[slots].astype(np.int64))
    week_owner, week_of = _distinct(provider[slots], week[slots])
    charged = supply.organization[provider].astype(np.int64)
    limited = (charged >= 0) & (_limit(supply, charged) >= 0)
    firms, firm_of = _distinct(charged[limited], week[limited])

    first_day = n_slots
    first_week = first_day + len(day_owner)
    first_firm = first_week + len(week_owner)
    parent = np.full(first_firm + len(firms), -1)
    firm_of_slot = np.full(n_slots, -1)
    firm_of_slot[limited] = first_firm + firm_of
    parent[:n_slots] = firm_of_slot
    parent[slots] = first_day + day_of
    parent[first_day + day_of] = first_week + week_of
    parent[first_week + week_of] = firm_of_slot[slots]

    capacity = np.concatenate(
        [
            supply.slot_capacity,
            supply.day_cap[day_owner],
            supply.week_cap[week_owner],
            supply.organization_week_cap[firms],
        ]
    ).astype(np.int64)
    load_cost = np.zeros(len(parent), np.int64)
    load_cost[first_week:first_firm] = hundredths(policy.load.further_job_minutes)
    return Forest(parent, capacity, load_cost)


def _distinct(owner: IntArray, time: IntArray) -> tuple[IntArray, IntArray]:
    """Return the owner of each distinct pair, ascending, and which pair each position is."""
    first = int(time.min(initial=0))
    span = int(time.max(initial=0)) - first + 1
    pairs, which = np.unique(owner * span + (time - first), return_inverse=True)
    return pairs // span, which.reshape(-1)


def _limit(supply: Supply, organization: IntArray) -> IntArray:
    if not len(supply.organization_week_cap):
        return np.full(len(organization), -1)
    return supply.organization_week_cap[np.maximum(organization, 0)]


@dataclass(frozen=True)
class Layout:
    """An instance and where its positions come from."""

    instance: Instance
    arc: IntArray  # (instance arcs,) position in `Arcs`
    node: IntArray  # (instance nodes,) position in `Forest`

    def carries(self, units: IntArray) -> NDArray[np.bool_]:
        """Tell which arcs of the instance are used where so many units go along each of `Arcs`."""
        if len(self.arc) == len(units):
            return units > 0
        used: NDArray[np.bool_] = _copy(self.arc) < units[self.arc]
        return used


def _copy(arc: IntArray) -> IntArray:
    """Return, of arcs whose copies follow each other, which copy each is, from 0."""
    at = np.arange(len(arc))
    first: IntArray = np.maximum.accumulate(np.where(np.diff(arc, prepend=-1) > 0, at, 0))
    return at - first


def lay_out(
    arcs: Arcs,
    demand: Demand,
    supply: Supply,
    forest: Forest,
    n_alone: int | None = None,
    stays: Stays | None = None,
) -> Layout:
    """Make the instance of `arcs`; forest nodes that no arc reaches are left out.

    An organisation may send several of its own people to one request, so its arc is repeated, each
    copy a person of its own; a volunteer's arcs to one request count as one person. So it is with the
    roles of one team, which are the rows of `demand` from `n_alone` on. Copies beyond those announced cost
    what changing a person does more.
    """
    provider = supply.slot_provider[arcs.slot].astype(np.int64)
    several = demand.people > 1
    several[n_alone if n_alone is not None else len(several) :] = True
    staff = np.flatnonzero((provider >= supply.n_volunteers) & several[arcs.request])
    if len(staff):
        copies = np.ones(len(arcs), np.int64)
        rooms = np.maximum(supply.slot_capacity[arcs.slot[staff]], 1)
        copies[staff] = np.minimum(demand.people[arcs.request[staff]], rooms)
        arc = np.repeat(np.arange(len(arcs)), copies)
        own = np.zeros(len(arcs), np.bool_)
        own[staff] = True
        group = np.where(own[arc], supply.n_providers + np.arange(len(arc)), provider[arc])
        request, slot, cost = arcs.request[arc], arcs.slot[arc], arcs.cost[arc]
        if stays is not None:
            announced = stays.announced(arcs.request, arcs.slot)[arc]
            further = (announced > 0) & (_copy(arc) >= announced)
            cost = cost + np.where(further, stays.change[request], 0)
    else:
        arc, group = np.arange(len(arcs)), provider
        request, slot, cost = arcs.request, arcs.slot, arcs.cost

    used = np.zeros(len(forest.parent), np.bool_)
    used[slot] = True
    at = np.flatnonzero(used)
    while len(at):
        at = forest.parent[at]
        at = at[at >= 0]
        at = at[~used[at]]
        used[at] = True
    node = np.flatnonzero(used)
    number = np.cumsum(used) - 1
    parent = forest.parent[node]
    return Layout(
        Instance(
            request=request,
            node=number[slot],
            group=group,
            cost=cost,
            demand=demand.people,
            unmet_cost=demand.unmet_cost,
            capacity=forest.capacity[node],
            parent=np.where(parent >= 0, number[parent], -1),
            load_cost=forest.load_cost[node],
        ),
        arc,
        node,
    )
