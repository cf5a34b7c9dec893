"""Make an instance from a shape and a seed: communities in a plane, skills, half-day slots, priorities.

Volunteers of one skill who are free in one half-day form a bucket; a request sees the cheapest of the
nearest in its bucket, found with one k-d tree a bucket. The cost of an arc is 100 a kilometre, what
the volunteer's calls cost in general (0 to 299), and what the two have in common (0 to 96).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from benchmarks.matching.instances import Instance, IntArray, compact
from benchmarks.matching.shapes import Shape

SLOTS, DAYS = 14, 7
KM2_PER_PLACE = 900 / 236  # Haining's density of communities, about
SCATTER_KM = 0.4
LOOK = 1.5  # so many times the arcs are looked at; the cheapest of them are taken
QUERY_ROWS = 100_000  # requests asked of a tree at once, so that memory stays small


@dataclass(frozen=True)
class Roster:
    """Who lives where, who has which skill, who is free when."""

    place: IntArray  # (n_volunteers,)
    at: NDArray[np.float32]  # (n_volunteers, 2) km
    holders: list[NDArray[np.int32]]  # by skill: the volunteers who have it
    free: NDArray[np.bool_]  # (n_volunteers, SLOTS)
    liking: NDArray[np.int32]  # (n_volunteers,)


def instance(shape: Shape, seed: int) -> Instance:
    """Return the arrays of one instance; nodes that no arc reaches are left out."""
    return compact(day(shape, seed))


def day(shape: Shape, seed: int) -> Instance:
    """Return the arrays with every bookable node of the whole roster."""
    rng = np.random.default_rng(seed)
    if shape.square:
        return _square(shape.square, rng)
    side = np.sqrt(shape.places * KM2_PER_PLACE)
    centre = rng.uniform(0, side, (shape.places, 2)).astype(np.float32)
    share = rng.dirichlet(np.full(shape.places, 2.0))
    wanted = 1 / np.arange(1, shape.skills + 1) ** 0.8
    wanted /= wanted.sum()
    roster = _roster(shape, centre, share, wanted + wanted[::-1], rng)

    n = shape.requests
    place = rng.choice(shape.places, n, p=share)
    place[rng.random(n) < shape.hot] = share.argmax()
    at = _near(centre[place], rng)
    skill, slot = rng.choice(shape.skills, n, p=wanted), rng.integers(0, SLOTS, n)
    who, cost = _cheapest(shape.arcs, at, skill, slot, roster)

    given = who >= 0
    request = np.repeat(np.arange(n), given.sum(1))
    volunteer = who[given].astype(np.int64)
    leaf, capacity, parent, load_cost = _forest(shape, roster)
    priority = 1 + rng.choice(len(shape.priorities), n, p=np.array(shape.priorities) / sum(shape.priorities))
    return Instance(
        request=request,
        provider=leaf[volunteer, slot[request]] if leaf.size else volunteer,
        cost=cost[given].astype(np.int64),
        demand=rng.integers(shape.demand[0], shape.demand[1] + 1, n),
        unmet_cost=2000 * priority + 1000,
        capacity=capacity,
        parent=parent,
        load_cost=load_cost,
    )


def _roster(
    shape: Shape,
    centre: NDArray[np.float32],
    share: NDArray[np.float64],
    held: NDArray[np.float64],
    rng: np.random.Generator,
) -> Roster:
    n = shape.volunteers
    place = rng.choice(shape.places, n, p=share)
    return Roster(
        place=place,
        at=_near(centre[place], rng),
        holders=[np.flatnonzero(rng.random(n, np.float32) < part).astype(np.int32) for part in held],
        free=np.stack([rng.random(n, np.float32) < 0.3 for _ in range(SLOTS)], axis=1),
        liking=rng.integers(0, 300, n, np.int32),
    )


def _near(centre: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    return centre + SCATTER_KM * rng.standard_normal(centre.shape, np.float32)


def _cheapest(
    k: int, at: NDArray[np.float32], skill: IntArray, slot: IntArray, roster: Roster
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return volunteers and costs, (n_requests, k); -1 where the bucket has fewer."""
    who, cost = np.full((len(at), k), -1, np.int32), np.zeros((len(at), k), np.int32)
    bucket = skill * SLOTS + slot
    order = np.argsort(bucket, kind="stable")
    n_buckets = len(roster.holders) * SLOTS
    edge = np.searchsorted(bucket[order], np.arange(n_buckets + 1))
    for number in range(n_buckets):
        held = roster.holders[number // SLOTS]
        there = held[roster.free[held, number % SLOTS]]
        asking = order[edge[number] : edge[number + 1]]
        if not len(asking) or not len(there):
            continue
        tree = cKDTree(roster.at[there], balanced_tree=False, compact_nodes=False)
        looked, taken = min(int(LOOK * k), len(there)), min(k, len(there))
        for first in range(0, len(asking), QUERY_ROWS):
            rows = asking[first : first + QUERY_ROWS]
            far, which = tree.query(at[rows], k=np.arange(1, looked + 1))
            found = there[which]
            common = (rows[:, None] * 7919 + found * np.int64(104729)) % 97
            price = (100 * far).astype(np.int32) + roster.liking[found] + common.astype(np.int32)
            best = np.sort(np.argpartition(price, taken - 1, axis=1)[:, :taken], axis=1)
            who[rows, :taken] = np.take_along_axis(found, best, axis=1)
            cost[rows, :taken] = np.take_along_axis(price, best, axis=1)
    return who, cost


def _forest(shape: Shape, roster: Roster) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return the leaf of each (volunteer, slot), and capacity, parent and load cost of each node.

    "flat": the volunteers. "slots": slot → volunteer. "deep": slot → volunteer's day → volunteer's
    week → organisation. Leaves come first, each level above follows.
    """
    n = len(roster.place)
    people = np.arange(n)
    if shape.forest == "flat":
        return np.zeros((0, 0), np.int64), *_nodes([(np.full(n, shape.cap), None)])
    volunteer, slot = np.nonzero(roster.free)
    leaf = np.cumsum(roster.free.reshape(-1)).reshape(roster.free.shape) - 1
    slots, week = np.ones(len(volunteer), np.int64), np.full(n, shape.cap)
    if shape.forest == "slots":
        return leaf, *_nodes([(slots, volunteer), (week, None)], shape.load_cost)
    rank = np.empty(n, np.int64)
    rank[np.argsort(roster.place, kind="stable")] = people
    organisation = rank // shape.members
    reach = np.ceil(shape.organisation_share * shape.cap * np.bincount(organisation)).astype(np.int64)
    days = (np.ones(n * DAYS, np.int64), np.repeat(people, DAYS))
    day_of = volunteer * DAYS + slot // (SLOTS // DAYS)
    return leaf, *_nodes([(slots, day_of), days, (week, organisation), (reach, None)], shape.load_cost)


def _nodes(
    level: list[tuple[IntArray, IntArray | None]], load_cost: int = 0
) -> tuple[IntArray, IntArray, IntArray]:
    """Return the levels' nodes, numbered one level after the other.

    The load cost is the volunteers', whose level is the last but one of a deep forest, else the last.
    """
    first = np.cumsum([0, *(len(capacity) for capacity, _ in level)])
    parent = [
        np.full(len(capacity), -1) if above is None else above + first[i + 1]
        for i, (capacity, above) in enumerate(level)
    ]
    charged = 2 if len(level) == 4 else len(level) - 1
    loads = [
        np.full(len(capacity), load_cost if i == charged else 0) for i, (capacity, _) in enumerate(level)
    ]
    return np.concatenate([capacity for capacity, _ in level]), np.concatenate(parent), np.concatenate(loads)


def _square(n: int, rng: np.random.Generator) -> Instance:
    """Return a dense square as in the OR-Library: uniform costs of 1 to 1,000, all must be served."""
    one, none = np.ones(n, np.int64), np.zeros(0, np.int64)
    return Instance(
        request=np.repeat(np.arange(n), n),
        provider=np.tile(np.arange(n), n),
        cost=rng.integers(1, 1001, n * n),
        demand=one,
        unmet_cost=none,
        capacity=one,
        parent=-one,
        load_cost=0 * one,
    )
