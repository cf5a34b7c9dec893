"""The least cost of rounds by trying everything, from the tables alone, for requests of one person each."""

from __future__ import annotations

import itertools


def least_cost(
    requests,
    people,
    slots,
    *,
    cost,
    late,
    largest,
    unmet,
    holds=lambda mine: True,
    assigned=None,
    floor=(0, 0),
):
    """Return the least cost of any tours on the line of `rounds_town`, in minutes.

    Every person has one slot; nothing costs anything but ways, lateness, and requests left alone. `holds`
    tells whether limits let everybody make their requests, by person. `assigned` names who alone may make a
    request; as few of these as can be are left. `floor`: how many requests are to be made, and
    the price of each that is not.
    """
    assigned = assigned or {}
    home = {p["volunteer_id"]: p["lat"] * 1000 for p in people}
    span = {s["provider_id"]: (_minutes(s["start"]), _minutes(s["end"])) for s in slots}
    best = None  # assigned requests left, cost
    for choice in itertools.product([None, *home], repeat=len(requests)):
        mine = {who: [r for r, c in zip(requests, choice, strict=True) if c == who] for who in home}
        chosen = list(zip((r["request_id"] for r in requests), choice, strict=True))
        if not holds(mine) or any(c is not None and c not in assigned.get(r, home) for r, c in chosen):
            continue
        left = sum(c is None and r in assigned for r, c in chosen)
        for orders in itertools.product(*(itertools.permutations(stops) for stops in mine.values())):
            short = max(0, floor[0] - sum(c is not None for c in choice))
            total, worst = unmet * sum(c is None for c in choice) + floor[1] * short, 0.0
            feasible = True
            for who, order in zip(mine, orders, strict=True):
                at, now = home[who], span[who][0]
                for stop in order:
                    there = stop["lat"] * 1000
                    way = abs(there - at)
                    now = max(now + way, _minutes(stop["earliest"]))
                    due = _minutes(stop["latest"]) - stop["minutes"]
                    lateness = max(0.0, now - due)
                    feasible &= lateness <= 1e-9 or late + largest > 0
                    total += late * lateness + (way if cost == "round" else abs(there - home[who]))
                    worst = max(worst, lateness)
                    now += stop["minutes"]
                    at = there
                if order:
                    total += abs(at - home[who]) if cost == "round" else 0.0
                    feasible &= now + abs(at - home[who]) <= span[who][1] + 1e-9
            total += largest * worst
            if feasible and (best is None or (left, total) < best):
                best = left, total
    return best[1]


def limits_hold(mine, people, communities, quota):
    """Tell whether hours, jobs elsewhere and the one agreement's quota let people make their requests."""
    lives = {p["volunteer_id"]: p["community_id"] for p in people}
    hours = {p["volunteer_id"]: p["max_minutes_per_week"] for p in people}
    away = {who: sum(r["community_id"] != lives[who] for r in rows) for who, rows in mine.items()}
    elsewhere = {c["community_id"]: c["away_per_week"] for c in communities}
    for place, most in elsewhere.items():
        if most is not None and sum(n for who, n in away.items() if lives[who] == place) > most:
            return False
    return sum(away.values()) <= quota and all(
        hours[who] is None or sum(r["minutes"] for r in rows) <= hours[who] for who, rows in mine.items()
    )


def _minutes(stamp):
    return stamp.hour * 60 + stamp.minute
