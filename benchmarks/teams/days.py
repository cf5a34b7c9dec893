"""Synthetic days of team requests."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from govmatch.solve.team_instance import TeamInstance

TIMES, FREE, SKILLS, CANDIDATES = 6, 3, 8, 20
"""Times of a day; at how many of them a person is free; skills, of which a person holds three in ten; the
nearest people that each role sees."""

CAP = 2
"""Jobs of a person a day."""


def day(requests: int, people: int, seed: int) -> TeamInstance:
    """Make a day: each request at one time, one to three roles of one or two people.

    People live in a square at 50 a square kilometre. An arc costs 100 a kilometre plus the person's own 0–299
    plus 0–96 for the pair; staying unmet costs (2,000 × priority + 1,000) a person, priorities 1–4.
    """
    rng = np.random.default_rng(seed)
    side = np.sqrt(people / 50)
    home, own = rng.random((people, 2)) * side, rng.integers(0, 300, people)
    holds = rng.random((people, SKILLS)) < 0.3
    free = rng.random((people, TIMES)).argsort(axis=1) < FREE
    slot = np.full((people, TIMES), -1)
    slot[free] = np.arange(free.sum())
    place, when = rng.random((requests, 2)) * side, rng.integers(0, TIMES, requests)
    roles = rng.integers(1, 4, requests)
    role_request = np.repeat(np.arange(requests), roles)
    skill = rng.random((requests, SKILLS)).argsort(axis=1)[
        role_request, np.concatenate([np.arange(n) for n in roles])
    ]
    count = rng.integers(1, 3, len(role_request))
    arcs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for s in range(SKILLS):
        for t in range(TIMES):
            who = np.flatnonzero(holds[:, s] & free[:, t])
            asking = np.flatnonzero((skill == s) & (when[role_request] == t))
            if len(who) and len(asking):
                far, near = cKDTree(home[who]).query(
                    place[role_request[asking]], range(1, 1 + min(CANDIDATES, len(who)))
                )
                cost = (100 * far).astype(np.int64) + own[who[near]] + rng.integers(0, 97, near.shape)
                arcs.append((np.repeat(asking, near.shape[1]), slot[who[near], t].ravel(), cost.ravel()))
    role, node, cost = (np.concatenate(columns) for columns in zip(*arcs, strict=True))
    order = np.argsort(role, kind="stable")
    people_of_request = np.bincount(role_request, count, minlength=requests).astype(np.int64)
    slots = int(free.sum())
    return TeamInstance(
        role_request=role_request,
        count=count,
        arc_role=role[order],
        node=node[order],
        cost=cost[order],
        unmet_cost=(2_000 * rng.integers(1, 5, requests) + 1_000) * people_of_request,
        capacity=np.concatenate([np.ones(slots, np.int64), np.full(people, CAP)]),
        parent=np.concatenate([slots + np.nonzero(free)[0], np.full(people, -1)]),
    )
