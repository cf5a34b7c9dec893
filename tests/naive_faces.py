"""An oracle for few faces beside all else: each pair of a recurring request and a provider is a column."""

from __future__ import annotations

from collections import defaultdict

import pandas as pd

from tests.naive import hundredths
from tests.naive_goods import GoodsWorld
from tests.naive_sessions import GoodsAndSessions, add_sessions
from tests.naive_teams import best_cost

MANY = 100
"""More people than come to any request."""


def series_of(problem, known=()):
    """Say of each recurring request which dated ones it has, and what its faces cost.

    `known` are pairs of its id and a provider who served it before.
    """
    rules, tables = problem.policy.continuity, problem.tables
    visits = tables["visits"].set_index("request_id")
    found = []
    for s, name in enumerate(problem.series.request_id.tolist()):
        dated = problem.demand.request_id[problem.series.of == s].tolist()
        people = problem.demand.people[problem.series.of == s]
        most = visits.loc[name].get("faces")
        found.append(
            {
                "requests": set(dated),
                "free": int(people.max(initial=1)),
                "most": MANY if pd.isna(most) else int(most),
                "further": hundredths(rules.face_minutes),
                "stranger": hundredths(rules.known_minutes),
                "known": {who for request, who in known if request == name},
            }
        )
    return found


def charge_faces(series):
    """Return what adds the faces to an oracle's programme."""

    def further(world, column, rows, again):
        if hasattr(world, "sessions"):
            add_sessions(world, column, rows, again)
        for one in series:
            mine = defaultdict(list)
            for (request, _, provider, _), xs in again.items():
                if request in one["requests"]:
                    mine[provider] += xs
            seen = []
            for provider, xs in mine.items():
                stranger = one["stranger"] if one["known"] and provider not in one["known"] else 0
                seen.append(column(stranger))
                rows += [({x: 1, seen[-1]: -MANY}, -(10**6), 0) for x in xs]
            if seen:
                more = column(one["further"], len(seen))
                rows.append(({**dict.fromkeys(seen, 1), more: -1}, -(10**6), one["free"]))
                rows.append((dict.fromkeys(seen, 1), 0, one["most"]))

    return further


def best_cost_with_faces(flat, series, announced=(), extra=0):
    """Return the cheapest cost of any plan of a town whose visits are written out, hundredths."""
    world = GoodsAndSessions(flat) if "sessions" in flat.features else GoodsWorld(flat)
    return best_cost(flat, announced, world, charge_faces(series), extra)
