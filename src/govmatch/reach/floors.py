"""Floors: how many people of each group's and each community's requests have to be sent at least."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.reach.costs import hundredths

IntArray = NDArray[np.int64]
ObjectArray = NDArray[np.object_]

KINDS = ("group", "community")


@dataclass(frozen=True)
class FloorRows:
    """The floors of a problem, groups first, then communities with somebody who asks.

    Attributes
    ----------
    kind, name : object (n_floors,)
    asked, least : int64 (n_floors,)
        People asked for, and how many of them have to be sent.
    request, floor : int64 (n_entries,)
        A position in the problem's demand that counts for a floor.
    price : int
        What each person who is sent too few costs, hundredths of an equivalent minute.
    """

    kind: ObjectArray
    name: ObjectArray
    asked: IntArray
    least: IntArray
    request: IntArray
    floor: IntArray
    price: int

    def __len__(self) -> int:
        return len(self.asked)

    @property
    def allowed(self) -> IntArray:
        """How many people may be missing, (n_floors,)."""
        return self.asked - self.least

    def raised(self, problem: Problem) -> Problem:
        """Return the problem in which leaving people costs as if nobody were free to be missing."""
        extra = np.bincount(self.request, minlength=problem.demand.n_requests).astype(np.int64) * self.price
        unmet_cost = problem.demand.unmet_cost + extra
        return replace(problem, demand=replace(problem.demand, unmet_cost=unmet_cost))

    def sent(self, people: IntArray) -> IntArray:
        """Count the people sent under each floor, (n_floors,); `people` are sent to each request."""
        found = np.zeros(len(self), np.int64)
        np.add.at(found, self.floor, people[self.request])
        return found


def floors_of(problem: Problem) -> FloorRows:
    """List the floors that the policy asks for."""
    policy, demand = problem.policy.floors, problem.demand
    names = problem.nodes.node_id[: problem.nodes.n_communities]
    columns: list[tuple[str, str, float, IntArray]] = [
        ("group", group, share, np.flatnonzero(demand.group == group))
        for group, share in policy.group_share.items()
    ]
    if policy.community_share > 0:
        order = np.argsort(demand.community, kind="stable")
        first = np.searchsorted(demand.community[order], np.arange(len(names) + 1))
        columns += [
            ("community", name, policy.community_share, order[first[i] : first[i + 1]])
            for i, name in enumerate(names.tolist())
        ]
    # a group that nobody is of is told, too: its name may be mistaken
    columns = [c for c in columns if c[2] > 0 and (len(c[3]) or c[0] == "group")]
    asked = np.array([demand.people[request].sum() for *_, request in columns], np.int64)
    shares = [Fraction(str(share)) for _, _, share, _ in columns]
    least = [
        -(-n * share.numerator // share.denominator) for n, share in zip(asked.tolist(), shares, strict=True)
    ]
    return FloorRows(
        kind=np.array([kind for kind, *_ in columns], dtype=object),
        name=np.array([name for _, name, *_ in columns], dtype=object),
        asked=asked,
        least=np.array(least, np.int64),
        request=np.concatenate([np.zeros(0, np.int64), *(request for *_, request in columns)]),
        floor=np.repeat(np.arange(len(columns)), [len(request) for *_, request in columns]),
        price=int(hundredths(policy.price_minutes)),
    )
