"""Quotas of agreements: how many jobs pass each of them in a week."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import Faults, Rows
from govmatch.plan.verify_way import names_of


class _Edges:
    """The edges between two neighbours, the one that a request takes first."""

    def __init__(self, facts: Facts) -> None:
        paths = facts.paths
        self._paths, self._taken = paths, dict[tuple[int, int, int], int]()
        half = len(paths.tail) // 2  # both directions are kept, one after the other
        self.quota = paths.quota
        self._between: dict[tuple[int, int], list[int]] = {}
        for e in sorted(range(half), key=lambda e: (paths.cost[e], paths.quota[e] >= 0)):
            ends = int(paths.tail[e]), int(paths.head[e])
            self._between.setdefault((min(ends), max(ends)), []).append(e)

    def taken(self, u: int, v: int, day: int, epoch: int) -> int:
        """Return the cheapest valid edge, of equals one without a quota; -1 where there is none."""
        key = min(u, v), max(u, v), epoch
        if key not in self._taken:
            valid = [
                e
                for e in self._between.get(key[:2], [])
                if self._paths.first[e] <= day <= self._paths.last[e]
            ]
            self._taken[key] = valid[0] if valid else -1
        return self._taken[key]


def check_quotas(rows: Rows, facts: Facts, faults: Faults) -> bool:
    """Check every agreement with a quota in every week; tell whether one is used up."""
    if not (facts.paths.quota >= 0).any():
        return False
    edges, node = _Edges(facts), facts.paths.node
    day = facts.calendar.day(rows.time["slot_start"])
    epoch = facts.paths.epoch(day)
    passed: Counter[tuple[int, int]] = Counter()
    for route, d, e in zip(rows.text["route"].tolist(), day.tolist(), epoch.tolist(), strict=True):
        places: list[Any] = [node.position.get(name) for name in names_of(route or "", node)]
        for u, v in pairwise(places):
            edge = -1 if u is None or v is None else edges.taken(u, v, d, e)
            if edge >= 0 and edges.quota[edge] >= 0:
                passed[edge, (d + 3) // 7] += 1
    for (edge, _), jobs in sorted(passed.items()):
        if jobs > edges.quota[edge]:
            name = facts.paths.key[edge]
            text = f"{jobs} jobs pass agreement {name!r} in one week; at most {edges.quota[edge]}"
            faults.add("quota_exceeded", text, None, name)
    return any(jobs >= edges.quota[edge] for (edge, _), jobs in passed.items())
