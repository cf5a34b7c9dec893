"""The reserve: certified people who are kept free, by town and hour."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import Demand
from govmatch.model.problem import Problem
from govmatch.ragged import runs
from govmatch.reach.candidates import Arcs
from govmatch.reach.limits import Passes

IntArray = NDArray[np.int64]

URGENT = 5
"""Priority of what cannot wait, for which the reserve is."""

HOUR = 60


def towns(problem: Problem) -> IntArray:
    """Return each community's town by number, (n_communities,); one without a town is a town of its own."""
    places = problem.tables["communities"]
    names: list[tuple[str, str]] = [
        ("town", town) if town else ("community", key)
        for town, key in zip(places["town"].fillna(""), places["community_id"], strict=True)
    ]
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], np.int64)


class Reserve:
    """Jobs of certified people under way in a town within an hour; a rule is one town in one hour.

    Hours are those of UTC. A person counts in the town where they live, an organisation's staff where it is
    registered.

    Attributes
    ----------
    limit : int64 (n_rules,)
    """

    code = "reserve"

    def __init__(self, problem: Problem) -> None:
        supply, policy = problem.supply, problem.policy.reserve
        wanted = np.isin(supply.skills, policy.skills) if policy.skills else np.ones(len(supply.skills), bool)
        until = np.full(supply.n_providers, -1)
        held = np.flatnonzero(wanted[supply.skill_code])
        np.maximum.at(until, supply.skill_provider[held], supply.skill_until[held])
        place = np.where(np.arange(supply.n_providers) < supply.n_people, supply.community, -1)  # no sessions
        slot = np.flatnonzero(
            (until[supply.slot_provider] >= supply.slot_day) & (place[supply.slot_provider] >= 0)
        )
        self._town = np.full(len(supply.slot_provider), -1)
        self._town[slot] = towns(problem)[place[supply.slot_provider[slot]]]
        self._start = supply.slot_start
        row, hour = _hours(supply.slot_start[slot], supply.slot_end[slot])
        slot = slot[row]
        # a volunteer with two slots within an hour is one person
        provider = supply.slot_provider[slot].astype(np.int64)
        staff = provider >= supply.n_volunteers
        person = np.where(staff, supply.n_providers + slot, provider)
        _, first = np.unique(np.stack([person, hour]), axis=1, return_index=True)
        keys = np.stack([self._town[slot], hour])[:, first]
        rules, rule = np.unique(keys, axis=1, return_inverse=True)
        free = np.bincount(rule.reshape(-1), supply.slot_capacity[slot[first]], rules.shape[1])
        share = Fraction(str(policy.share))
        kept = (free.astype(np.int64) * share.numerator) // share.denominator
        self.limit: IntArray = free.astype(np.int64) - kept
        self._first_hour = int(rules[1].min(initial=0))
        self._span = int(rules[1].max(initial=0)) - self._first_hour + 1
        self._key = rules[0] * self._span + rules[1] - self._first_hour

    def passes(self, arcs: Arcs, demand: Demand) -> Passes:
        """Say in which hours each pair is under way; what cannot wait does not count."""
        counts = (self._town[arcs.slot] >= 0) & (demand.priority[arcs.request] < URGENT)
        arc = np.flatnonzero(counts)
        start = np.maximum(demand.earliest[arcs.request[arc]], self._start[arcs.slot[arc]])
        row, hour = _hours(start, start + demand.minutes[arcs.request[arc]])
        key = self._town[arcs.slot[arc[row]]] * self._span + hour - self._first_hour
        return Passes(arc[row], np.searchsorted(self._key, key), np.ones(len(row), np.int64))


def _hours(start: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """List the hours that each time touches: its position, the hour."""
    first = start // HOUR
    row, nth = runs(np.maximum((end - 1) // HOUR - first + 1, 0))
    return row, first[row] + nth
