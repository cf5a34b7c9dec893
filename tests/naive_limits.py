"""Limits beside capacities for the oracles: work away from home, hours, the reserve, floors; hour by hour."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from math import ceil, floor

from tests.naive import hundredths, records


def lives(world, provider):
    """The community of a volunteer, or of an organisation."""
    for v in records(world.problem, "volunteers"):
        if v["volunteer_id"] == provider["id"]:
            firm = world.organizations.get(v["organization_id"])
            return v["community_id"] or (firm["community_id"] if firm else None)
    firm = world.organizations.get(provider["id"])  # a session is no organisation
    return firm["community_id"] if firm else None


def certified(world, provider, day):
    """Whether a provider holds a certificate of the reserve on a day."""
    wanted = world.policy.reserve.skills
    return any(
        (not wanted or skill in wanted)
        and row["certified_until"]
        and str(row["certified_until"])[:10] >= str(day)
        for skill, row in world.skills[provider["id"]].items()
    )


def town_of(world, community):
    row = world.communities[community]
    return row["town"] or ("itself", community)


def add_limits(world, sent, missing, variable, rows):
    """Write out all limits.

    `sent` lists (column, provider, request, slot's start, start, minutes); `missing` has for each request
    the coefficients and the constant that count who is missing.
    """
    policy = world.policy
    away, hours, busy = defaultdict(list), defaultdict(list), defaultdict(list)
    volunteers = {v["volunteer_id"]: v for v in records(world.problem, "volunteers")}
    for x, p, r, slot_start, start, minutes in sent:
        day = world.day(slot_start)
        week = day.isocalendar()[:2]
        home = lives(world, p)
        if p["kind"] == "volunteer":
            if home is not None and home != r["community_id"]:
                away[home, week].append(x)
            hours[p["id"], week].append((x, minutes))
        if r["priority"] < 5 and home is not None and certified(world, p, day):
            for hour in range(start // 60, (start + minutes - 1) // 60 + 1):
                busy[town_of(world, home), hour].append(x)
    for (home, _), xs in away.items():
        most = world.communities[home]["away_per_week"]
        if most is not None:
            rows.append((dict.fromkeys(xs, 1), 0, most))
    for (name, _), pairs in hours.items():
        most = volunteers[name]["max_minutes_per_week"]
        most = most if most is not None else policy.load.minutes_per_week or None
        if most is not None:
            rows.append((dict(pairs), 0, most))
    if policy.reserve.share > 0:
        free = defaultdict(int)
        for p in world.providers:
            home, seen = lives(world, p), set()
            for slot in world.slots[p["id"]] if home is not None else []:
                if not certified(world, p, slot["day"]):
                    continue
                for hour in range(slot["start"] // 60, (slot["end"] - 1) // 60 + 1):
                    if p["kind"] != "volunteer" or hour not in seen:
                        free[town_of(world, home), hour] += p["capacity"]
                    seen.add(hour)
        for key, xs in busy.items():
            kept = floor(Decimal(str(policy.reserve.share)) * free[key])
            rows.append((dict.fromkeys(xs, 1), 0, free[key] - kept))
    price = hundredths(policy.floors.price_minutes)
    floors = [("group", name, share) for name, share in policy.floors.group_share.items()]
    floors += [("community_id", name, policy.floors.community_share) for name in world.communities]
    for key, name, share in floors:
        mine = [r for r in world.requests if r[key] == name and r["request_id"] in missing]
        asked = sum(missing[r["request_id"]][2] for r in mine)
        least = ceil(Decimal(str(share)) * asked)
        if share > 0 and asked:
            coefficients, constant = {}, 0
            for r in mine:
                part, more, _ = missing[r["request_id"]]
                coefficients |= part
                constant += more
            short = variable(price, asked)
            rows.append(({**coefficients, short: -1}, -(10**6), asked - least - constant))
