"""Limits that are no capacity of a node: rules on what passes arcs, floors under who is served."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.ragged import matches
from govmatch.solve.coupled import Coupled, Found

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """Each rule lets so much of its arcs through.

    Attributes
    ----------
    arc, rule : int64 (n_entries,)
        An arc that counts for a rule; each pair once.
    weight : int64 (n_entries,)
        What one unit of the arc counts, > 0.
    limit : int64 (n_rules,)
    """

    arc: IntArray
    rule: IntArray
    weight: IntArray
    limit: IntArray

    def usage(self, flow: IntArray) -> IntArray:
        """Sum what counts for each rule, (n_rules,)."""
        used = np.zeros(len(self.limit), np.int64)
        np.add.at(used, self.rule, self.weight * flow[self.arc])
        return used

    def tolls(self, price: IntArray, n_arcs: int) -> IntArray:
        """Sum the prices of each arc's rules, (n_arcs,)."""
        toll = np.zeros(n_arcs, np.int64)
        np.add.at(toll, self.arc, self.weight * price[self.rule])
        return toll

    def of(self, arcs: IntArray, n_arcs: int) -> Rules:
        """Return the rules for some of the arcs, in a new order; each of `arcs` once."""
        place = np.full(n_arcs, -1)
        place[arcs] = np.arange(len(arcs))
        keep = place[self.arc] >= 0
        return Rules(place[self.arc[keep]], self.rule[keep], self.weight[keep], self.limit)

    def copied(self, origin: IntArray, taken: IntArray) -> Rules:
        """Return the rules for arcs that are copies of others, beside what is `taken` already, (n_arcs,)."""
        by_arc = np.argsort(self.arc, kind="stable")
        copy, at = matches(self.arc[by_arc], origin)
        entry = by_arc[at]
        return Rules(copy, self.rule[entry], self.weight[entry], self.limit - self.usage(taken))

    def shut(self, flow: IntArray) -> BoolArray:
        """Tell through which arcs a rule lets no unit more, (n_arcs,)."""
        found = np.zeros(len(flow), np.bool_)
        found[self.arc[(self.usage(flow)[self.rule] + self.weight) > self.limit[self.rule]]] = True
        return found

    @property
    def heaviest(self) -> IntArray:
        """What one unit counts for each rule at most, (n_rules,)."""
        found = np.ones(len(self.limit), np.int64)
        np.maximum.at(found, self.rule, self.weight)
        return found

    def to_close(self, flow: IntArray, worth: IntArray) -> BoolArray:
        """Choose arcs to close, (n_arcs,), so that rules that are reached hold; `worth` says which stay."""
        full = self.usage(flow) > self.limit - self.heaviest
        entry = np.flatnonzero(full[self.rule])
        used = flow[self.arc[entry]] > 0
        order = entry[np.lexsort((-worth[self.arc[entry]], ~used, self.rule[entry]))]
        rule = self.rule[order]
        total = np.cumsum(self.weight[order])
        first = np.searchsorted(rule, rule)
        through = total - total[first] + self.weight[order[first]]
        closed = np.zeros(len(flow), np.bool_)
        closed[self.arc[order[through > self.limit[rule]]]] = True
        return closed


@dataclass(frozen=True)
class Floors:
    """Of each floor's people so many may be missing; each further one costs its `price`.

    A member is a request that stands alone, by number, or a team, by its number after all requests. What
    leaving a member costs in the instance contains the prices of its floors: as if nobody were free to be
    missing.

    Attributes
    ----------
    member, floor : int64 (n_entries,)
        A member that counts for a floor; each pair once.
    limit, price : int64 (n_floors,)
    """

    member: IntArray
    floor: IntArray
    limit: IntArray
    price: IntArray

    def missing(self, people: IntArray) -> IntArray:
        """Count who is missing under each floor, (n_floors,); `people` are missing of each member."""
        found = np.zeros(len(self.limit), np.int64)
        np.add.at(found, self.floor, people[self.member])
        return found

    def of(self, place: IntArray, people: IntArray) -> Floors:
        """Return the floors of some members, by place, (n_members,); at -1 all its `people` are missing."""
        inside = place[self.member] >= 0
        gone = np.zeros(len(self.limit), np.int64)
        np.add.at(gone, self.floor[~inside], people[self.member[~inside]])
        return Floors(place[self.member[inside]], self.floor[inside], self.limit - gone, self.price)

    def by_member(self, value: IntArray, n: int) -> IntArray:
        """Sum a value of each member's floors, (n,)."""
        found = np.zeros(n, np.int64)
        np.add.at(found, self.member, value[self.floor])
        return found


@dataclass(frozen=True)
class Limits:
    """Rules and floors together; their prices are one array, those of rules first."""

    rules: Rules
    floors: Floors

    @property
    def n(self) -> int:
        """How many prices there are."""
        return len(self.rules.limit) + len(self.floors.limit)

    def dearest(self, worth: int) -> IntArray:
        """Return what each price is at most, (n,), where no request or team costs more than `worth`."""
        return np.concatenate([np.full(len(self.rules.limit), worth), self.floors.price])

    def priced(self, coupled: Coupled, price: IntArray, *, tolls: bool = True) -> Coupled:
        """Return the instance in which prices stand for the limits.

        Without `tolls` arcs cost what they cost, and whoever is missing what the prices of floors say.
        """
        at, n_rules = coupled, len(self.rules.limit)
        if tolls and price[:n_rules].any():
            at = at.tolled(self.rules.tolls(price[:n_rules], len(coupled.instance.request)))
        if len(self.floors.limit):
            free = self.floors.price - price[n_rules:]
            at = at.lowered(self.floors.by_member(free, coupled.n_members))
        return at

    def earned(self, price: IntArray) -> int:
        """Return what a bound at prices lacks to be one on all plans, to be taken off."""
        n_rules = len(self.rules.limit)
        free = price[:n_rules] * self.rules.limit
        return int(free.sum()) + int((price[n_rules:] * self.floors.limit).sum())

    def over(self, coupled: Coupled, found: Found) -> IntArray:
        """Return by how much each limit is exceeded, (n,); negative where there is room."""
        missing = self.floors.missing(coupled.missing(found.served, found.flow, found.unmet))
        return np.concatenate([self.rules.usage(found.flow) - self.rules.limit, missing - self.floors.limit])

    def cost(self, coupled: Coupled, found: Found, price: IntArray) -> int:
        """Return what a plan costs, whose cost in ``priced(coupled, price, tolls=False)`` is known."""
        own = price[len(self.rules.limit) :]
        missing = self.floors.missing(coupled.missing(found.served, found.flow, found.unmet))
        short = np.maximum(missing - self.floors.limit, 0)
        return found.proof.primal + int((self.floors.price * short - own * missing).sum())
