"""The way of each assignment: the path through the alliance, and the travel."""

from __future__ import annotations

from itertools import pairwise, repeat

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import Ids, IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import LIMIT_DOUBT, TERM_TOLERANCE, Faults, Rows
from govmatch.plan.verify_paths import hundredths

ARROW = " > "


def check_travel(rows: Rows, facts: Facts, faults: Faults) -> IntArray:
    """Check minutes and limit; return the travel term in hundredths."""
    minutes = facts.travel.minutes(rows.p, rows.r)
    known = ~np.isnan(minutes)
    minutes = np.where(known, minutes, facts.policy.travel.unknown_minutes)
    stated = rows.number["travel_minutes"]
    rows.fault(
        faults,
        "wrong_travel",
        ~(np.abs(stated - minutes) <= TERM_TOLERANCE),
        lambda i: f"travel_minutes is {stated[i]:.3f}; {minutes[i]:.3f} by the places and the mode",
    )
    says = rows.flag["travel_known"]
    rows.fault(
        faults,
        "wrong_travel",
        says == ~known,
        lambda i: (
            f"travel_known is {says[i]}; the two places are {'known' if known[i] else 'not both known'}"
        ),
    )
    limit = facts.providers.max_travel[rows.p]
    rows.fault(
        faults,
        "too_far",
        minutes > limit + LIMIT_DOUBT,
        lambda i: f"{minutes[i]:.1f} minutes of travel; at most {limit[i]:.1f} are accepted",
    )
    return hundredths(minutes)


def names_of(route: str, node: Ids) -> list[str]:
    """Take a route apart into ids; an id may itself hold the arrow."""
    parts = route.split(ARROW)
    if all(map(node.position.__contains__, parts)):
        return parts
    names: list[str] = []
    while parts:
        ends = range(len(parts), 0, -1)
        end = next((n for n in ends if ARROW.join(parts[:n]) in node.position), 1)
        names.append(ARROW.join(parts[:end]))
        parts = parts[end:]
    return names


def walk(route: str, hops: dict[tuple[int, int], int], node: Ids) -> tuple[list[int], int, str]:
    """Return positions, cost (-1: not permitted) and what is wrong."""
    names = names_of(route, node)
    places = list(map(node.position.get, names, repeat(-1)))
    if -1 in places:
        return places, -1, f"the alliance has no node {names[places.index(-1)]!r}"
    costs = list(map(hops.get, pairwise(places)))
    if None in costs:
        i = costs.index(None)
        return (
            places,
            -1,
            f"no permitted and valid edge joins {names[i]!r} and {names[i + 1]!r} on that day",
        )
    return places, sum(cost for cost in costs if cost is not None), ""


def check_route(rows: Rows, facts: Facts, faults: Faults) -> IntArray:
    """Check every hop and that no permitted path is cheaper; return the route term in hundredths."""
    paths = facts.paths
    day = facts.calendar.day(rows.time["slot_start"])
    source = paths.node.at(facts.requests.community[rows.r])
    home = paths.node.at(facts.providers.home[rows.p])
    best = paths.cheapest(source, home, day)
    text = rows.text["route"]
    text[text == None] = ""  # noqa: E711 - elementwise
    epoch = paths.epoch(day)
    cost = np.zeros(len(text), dtype=np.int64)
    n_hops, first, last = np.zeros_like(cost), np.zeros_like(cost), np.zeros_like(cost)
    why = np.full(len(text), "", dtype=object)
    which = pd.factorize(text)[0] * (epoch.max(initial=0) + 1) + epoch
    _, example, back = np.unique(which, return_index=True, return_inverse=True)
    walked = [walk(text[i], paths.hops(int(day[i]), int(epoch[i])), paths.node) for i in example.tolist()]
    if walked:
        cost = np.array([w[1] for w in walked], dtype=np.int64)[back]
        n_hops = np.array([len(w[0]) - 1 for w in walked], dtype=np.int64)[back]
        first = np.array([w[0][0] for w in walked], dtype=np.int64)[back]
        last = np.array([w[0][-1] for w in walked], dtype=np.int64)[back]
        why = np.array([w[2] for w in walked], dtype=object)[back]
    rows.fault(faults, "forbidden_path", cost < 0, lambda i: why[i])
    ends = (cost >= 0) & ((first != source) | (last != home))
    rows.fault(
        faults,
        "forbidden_path",
        ends,
        lambda i: (
            f"the route {text[i]!r} does not lead from {paths.node[source[i]]!r} to {paths.node[home[i]]!r}"
        ),
    )
    rows.fault(
        faults,
        "forbidden_path",
        n_hops > paths.max_hops,
        lambda i: f"{n_hops[i]} hops; the policy allows {paths.max_hops}",
    )
    rows.fault(
        faults,
        "forbidden_path",
        best < 0,
        lambda i: "no permitted path joins the community and the provider's home",
    )
    rows.fault(
        faults,
        "wrong_hops",
        rows.number["hops"] != n_hops,
        lambda i: f"hops is {rows.number['hops'][i]:g}; the route has {n_hops[i]}",
    )
    rows.fault(
        faults,
        "path_not_cheapest",
        (cost >= 0) & ~ends & (best >= 0) & (cost > best),
        lambda i: (
            f"the route costs {cost[i] / 100:.2f} minutes; the cheapest permitted one {best[i] / 100:.2f}"
        ),
    )
    return np.where((cost >= 0) & ~ends, cost, np.maximum(best, 0))
