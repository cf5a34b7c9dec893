"""Slow and obvious oracles: every pair looked at in plain Python, optima by HiGHS or by enumeration.

Nothing here comes from the library: rules are read from the documentation, and applied straight to
`problem.tables`. Money is int hundredths of an equivalent minute.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_matrix

TERMS = ("travel_cost", "route_cost", "dialect_cost", "hometown_cost", "level_cost", "wait_cost")
STAGES = ("skill", "level", "certificate", "window", "path", "distance", "clearance", "excluded", "cost")
EPOCH = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))


def known(value):
    """Return None for every kind of missing cell."""
    return None if value is None or value is pd.NaT or value is pd.NA or value != value else value


def records(problem, name):
    table = problem.tables.get(name)
    if table is None:
        return []
    return [{k: known(v) for k, v in row.items()} for row in table.to_dict("records")]


def hundredths(minutes):
    return math.floor(minutes * 100 + 0.5)


def to_minutes(moment, up=False):
    seconds = (moment.to_pydatetime(warn=False) - EPOCH) / timedelta(seconds=1)
    return math.ceil(seconds / 60) if up else math.floor(seconds / 60)


def gcj02(lat, lon):
    """WGS-84 to GCJ-02, as it has stood in many a program since 2013."""
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    dy = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    dy += (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    dy += (20.0 * math.sin(y * pi) + 40.0 * math.sin(y / 3.0 * pi)) * 2.0 / 3.0
    dy += (160.0 * math.sin(y / 12.0 * pi) + 320.0 * math.sin(y * pi / 30.0)) * 2.0 / 3.0
    dx = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    dx += (20.0 * math.sin(6.0 * x * pi) + 20.0 * math.sin(2.0 * x * pi)) * 2.0 / 3.0
    dx += (20.0 * math.sin(x * pi) + 40.0 * math.sin(x / 3.0 * pi)) * 2.0 / 3.0
    dx += (150.0 * math.sin(x / 12.0 * pi) + 300.0 * math.sin(x / 30.0 * pi)) * 2.0 / 3.0
    magic = 1 - 0.00669342162296594323 * math.sin(lat / 180.0 * pi) ** 2
    dy = dy * 180.0 / (6378245.0 * (1 - 0.00669342162296594323) / (magic * math.sqrt(magic)) * pi)
    dx = dx * 180.0 / (6378245.0 / math.sqrt(magic) * math.cos(lat / 180.0 * pi) * pi)
    return lat + dy, lon + dx


def place(row):
    """Return a row's own WGS-84 place, or None."""
    if row is None or row["lat"] is None or row["lon"] is None:
        return None
    lat, lon = row["lat"], row["lon"]
    if row["crs"] == "wgs84" or not (0.8293 <= lat <= 55.8271 and 72.004 <= lon <= 137.8347):
        return lat, lon
    if row["crs"] != "gcj02":
        raise NotImplementedError(row["crs"])
    y, x = lat, lon
    for _ in range(30):
        fy, fx = gcj02(y, x)
        y, x = y + lat - fy, x + lon - fx
    return y, x


def haversine_km(a, b):
    (lat1, lon1), (lat2, lon2) = a, b
    p, q = math.radians(lat1), math.radians(lat2)
    h = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(min(1.0, math.sqrt(h)))


class World:
    """A problem as dicts and lists."""

    def __init__(self, problem):
        self.problem, self.policy = problem, problem.policy
        self.zone = ZoneInfo(problem.policy.time_zone)
        self.begin, self.finish = (int(x) for x in problem.horizon)
        self.communities = {c["community_id"]: c for c in records(problem, "communities")}
        self.organizations = {o["organization_id"]: o for o in records(problem, "organizations")}
        self.residents = {r["resident_id"]: r for r in records(problem, "residents")}
        self.skills = defaultdict(dict)
        for row in records(problem, "skills"):
            self.skills[row["provider_id"]][row["skill"]] = row
        self.forbidden = {
            (p["request_id"], p["provider_id"]) for p in records(problem, "pins") if p["action"] == "forbid"
        }
        kin = records(problem, "kin")
        self.forbidden |= {
            (row["request_id"], k["volunteer_id"])
            for row in records(problem, "parties")
            for k in kin
            if k["resident_id"] == row["resident_id"]
        }
        self.assigned = defaultdict(set)
        for p in records(problem, "pins"):
            if p["action"] == "assign":
                self.assigned[p["request_id"]].add(p["provider_id"])
        self._paths = {}

    def day(self, minutes):
        return (EPOCH + timedelta(minutes=minutes)).astimezone(self.zone).date()

    @cached_property
    def providers(self):
        policy, found = self.policy, []
        for v in records(self.problem, "volunteers"):
            firm = self.organizations.get(v["organization_id"])
            town = self.communities.get(v["community_id"])
            firm_town = self.communities.get(firm["community_id"]) if firm else None
            found.append(
                {
                    "id": v["volunteer_id"],
                    "kind": "volunteer",
                    "home": v["organization_id"] or v["community_id"],
                    "organization": v["organization_id"],
                    "place": place(v) or place(firm) or place(town or firm_town),
                    "mode": v["mode"] or policy.travel.mode,
                    "max_travel": policy.travel.max_minutes
                    if v["max_travel_minutes"] is None
                    else v["max_travel_minutes"],
                    "clearance": v["clearance"],
                    "dialect": v["dialect"],
                    "hometown": v["hometown"],
                    "preset": v["preset"],
                    "capacity": 1,
                    "day_cap": policy.load.jobs_per_day
                    if v["max_jobs_per_day"] is None
                    else v["max_jobs_per_day"],
                    "week_cap": policy.load.jobs_per_week
                    if v["max_jobs_per_week"] is None
                    else v["max_jobs_per_week"],
                }
            )
        for name, o in self.organizations.items():
            if not o["capacity_per_slot"]:
                continue
            found.append(
                {
                    "id": name,
                    "kind": "organization",
                    "home": name,
                    "organization": name,
                    "place": place(o) or place(self.communities.get(o["community_id"])),
                    "mode": policy.travel.mode,
                    "max_travel": policy.travel.max_minutes,
                    "clearance": o["clearance"],
                    "dialect": None,
                    "hometown": None,
                    "preset": None,
                    "capacity": int(o["capacity_per_slot"]),
                    "day_cap": None,
                    "week_cap": None,
                }
            )
        return found

    def clock(self, day, text):
        hour, minute = (int(x) for x in text.split(":"))
        day = day + timedelta(days=hour // 24)
        local = datetime(day.year, day.month, day.day, hour % 24, minute, tzinfo=self.zone)
        return round((local - EPOCH) / timedelta(minutes=1))

    @cached_property
    def pieces(self):
        """(start, end, weekday, name) of the named hours on every day of the horizon."""
        day, last, found = self.day(self.begin), self.day(max(self.begin, self.finish - 1)), []
        while day <= last:
            for name, (opens, closes) in self.policy.slots.hours.items():
                found.append((self.clock(day, opens), self.clock(day, closes), day.weekday(), name))
            day += timedelta(days=1)
        return found

    @cached_property
    def slots(self):
        """List of slots by provider id."""
        stated = defaultdict(list)
        for row in records(self.problem, "availability"):
            stated[row["provider_id"]].append((to_minutes(row["start"], up=True), to_minutes(row["end"])))
        found = {}
        for p in self.providers:
            mine = []
            presets = self.policy.presets
            if p["id"] in stated:
                for start, end in stated[p["id"]]:
                    start, end = max(start, self.begin), min(end, self.finish)
                    if end - start <= self.policy.slots.long_minutes:
                        mine.append((start, end, False))
                    else:
                        mine += [(max(start, a), min(end, b), False) for a, b, _, _ in self.pieces]
            else:
                name = p["preset"] if p["preset"] in presets.named else None
                if name is None and "availability" not in self.problem.tables:
                    name = presets.default
                if name is not None:
                    habit = presets.named[name]
                    mine += [
                        (max(a, self.begin), min(b, self.finish), True)
                        for a, b, weekday, piece in self.pieces
                        if weekday in habit.days and piece in habit.slots
                    ]
            found[p["id"]] = [
                {"start": a, "end": b, "day": self.day(a), "assumed": assumed}
                for a, b, assumed in mine
                if b > a
            ]
        return found

    @cached_property
    def requests(self):
        """Requests that ask for somebody."""
        policy, found = self.policy, []
        roles = defaultdict(list)
        for row in records(self.problem, "roles"):
            roles[row["request_id"]].append(row)
        for r in records(self.problem, "requests"):
            if r["duplicate_of"]:
                continue
            if roles[r["request_id"]]:
                rows = roles[r["request_id"]]
                needs = [(x["skill"], x["level"], x["certified"]) for x in rows]
                role, people = rows[0]["role"], rows[0]["count"]
            else:
                needs = [(r["skill"], r["level"], r["certified"])] if r["skill"] else []
                role, people = "helper", r["people"]
            group = r["group"] or (self.residents.get(r["resident_id"]) or {"group": None})["group"] or ""
            unmet = policy.unmet
            price = unmet.base_minutes + unmet.priority_minutes * (r["priority"] - 1)
            price += unmet.group_minutes.get(group, 0)
            found.append(
                {
                    **r,
                    "needs": needs,
                    "role": role,
                    "people": int(people),
                    "group": group,
                    "place": place(r) or place(self.communities[r["community_id"]]),
                    "earliest": self.begin if r["earliest"] is None else to_minutes(r["earliest"], up=True),
                    "latest": self.finish if r["latest"] is None else to_minutes(r["latest"]),
                    "unmet_cost": hundredths(price),
                }
            )
        return found

    @cached_property
    def edges(self):
        """(a, b, cost, first day, last day) of the open kinds."""
        prices, found = self.policy.route.hop_minutes, []

        def add(a, b, kind, hop=None, first=None, last=None, key=None):
            quota = self.quotas.get(key)
            if a and b and kind in prices and quota != 0:
                found.append((a, b, hundredths(prices[kind] if hop is None else hop), first, last, key))

        if self.problem.alliance is not None:
            for e in self.problem.alliance.edges().to_dict("records"):
                e = {k: known(v) for k, v in e.items()}
                add(
                    e["from_id"],
                    e["to_id"],
                    e["kind"],
                    e["hop_minutes"],
                    as_day(e["valid_from"]),
                    as_day(e["valid_to"]),
                    e["agreement_id"],
                )
            return found
        for o in self.organizations.values():
            add(o["organization_id"], o["community_id"], "tier")
            add(o["organization_id"], o["party_unit_id"], "tier")
        for u in records(self.problem, "party_units"):
            add(u["unit_id"], u["parent_id"], "tier")
            add(u["unit_id"], u["community_id"], "tier")
        for a in records(self.problem, "agreements"):
            add(
                a["from_id"],
                a["to_id"],
                a["kind"],
                a["hop_minutes"],
                as_day(a["valid_from"]),
                as_day(a["valid_to"]),
                a["agreement_id"],
            )
        return found

    @cached_property
    def quotas(self):
        """Weekly quota by agreement."""
        rows = records(self.problem, "agreements")
        return {a["agreement_id"]: a["quota_per_week"] for a in rows if a.get("quota_per_week") is not None}

    def agreements(self, route, day):
        """Agreements with a quota that a route passes on a day, those that cost least first."""
        for u, v in itertools.pairwise(route):
            valid = [
                (cost, key in self.quotas, key)
                for a, b, cost, first, last, key in self.edges
                if {a, b} == {u, v} and not (first and day < first) and not (last and day > last)
            ]
            key = min(valid, key=lambda e: e[:2])[2]
            if key in self.quotas:
                yield key

    def paths(self, source, day):
        """Cheapest (cost, nodes) from a node to every node that at most `max_hops` hops reach."""
        if (source, day) not in self._paths:
            best = {source: (0, (source,))}
            for _ in range(self.policy.route.max_hops):
                longer = dict(best)
                for a, b, cost, first, last, _ in self.edges:
                    if (first and day < first) or (last and day > last):
                        continue
                    for u, v in ((a, b), (b, a)):
                        if u in best and (v not in longer or best[u][0] + cost < longer[v][0]):
                            longer[v] = (best[u][0] + cost, (*best[u][1], v))
                best = longer
            self._paths[source, day] = best
        return self._paths[source, day]

    def travel_minutes(self, p, r):
        """One-way minutes, None where a place is unknown."""
        if p["place"] is None or r["place"] is None:
            return None
        travel = self.problem.travel
        rules = self.policy.travel if travel is None else travel
        if not hasattr(rules, "detour"):
            one = [
                np.array([x]) for x in (*p["place"], ("walk", "ebike", "car").index(p["mode"]), *r["place"])
            ]
            pairs = travel.prepare(one[0], one[1], one[2].astype(np.int8), one[3], one[4])
            return float(pairs.minutes(np.zeros(1, np.int32), np.zeros(1, np.int32))[0])
        return haversine_km(p["place"], r["place"]) * rules.detour / rules.speed_kmh[p["mode"]] * 60

    def examine(self, r, p):
        """Yield (stage reached, slot, terms…) for every slot of a pair; stage len(STAGES) fails none."""
        held = self.skills[p["id"]]
        if any(skill not in held for skill, _, _ in r["needs"]):
            return [(0, None, None)]
        if any(held[skill]["level"] < level for skill, level, _ in r["needs"]):
            return [(1, None, None)]
        untils = [as_day(held[skill]["certified_until"]) for skill, _, certified in r["needs"] if certified]
        if any(u is None or u < self.day(r["earliest"]) for u in untils):
            return [(2, None, None)]
        found = []
        minutes = self.travel_minutes(p, r)
        travel = self.policy.travel.unknown_minutes if minutes is None else minutes
        fit = self.policy.fit
        for slot in self.slots[p["id"]]:
            start = max(r["earliest"], slot["start"])
            fits = min(r["latest"], slot["end"]) - start >= r["minutes"]
            if r["people"] > 1:
                fits = fits and start == r["earliest"]
            if not fits or any(u < slot["day"] for u in untils):
                found.append((3, slot, None))
                continue
            way = self.paths(r["community_id"], slot["day"]).get(p["home"])
            if way is None:
                found.append((4, slot, None))
                continue
            surplus = sum(held[skill]["level"] - level for skill, level, _ in r["needs"])
            terms = {
                "travel_cost": hundredths(min(travel, 1e12)),
                "route_cost": way[0],
                "dialect_cost": hundredths(fit.dialect_minutes) * (r["dialect"] not in (None, p["dialect"])),
                "hometown_cost": hundredths(fit.hometown_minutes)
                * (r["hometown"] not in (None, p["hometown"])),
                "level_cost": hundredths(fit.level_minutes * surplus),
                "wait_cost": hundredths(fit.wait_minutes * (start - r["earliest"]) / 60),
            }
            more = {
                "start": start,
                "route": way[1],
                "travel_minutes": travel,
                "travel_known": minutes is not None,
                "cost": sum(terms.values()),
                **terms,
            }
            stage = 9
            if travel > p["max_travel"]:
                stage = 5
            elif p["clearance"] < r["clearance"]:
                stage = 6
            elif {(r["request_id"], p["id"]), (r["request_id"], p["organization"])} & self.forbidden:
                stage = 7
            elif (
                r["request_id"] in self.assigned
                and not {p["id"], p["organization"]} & self.assigned[r["request_id"]]
            ):
                stage = 7
            elif more["cost"] >= r["unmet_cost"] and r["request_id"] not in self.assigned:
                stage = 8
            found.append((stage, slot, more))
        return found or [(3, None, None)]


def as_day(value):
    value = known(value)
    return value.date() if isinstance(value, datetime) else value


def eligible_pairs(problem, any_cost=False):
    """Return all eligible (request, slot) pairs; with `any_cost` also those dearer than leaving it.

    Columns: request_id, provider_id, slot_start, slot_end (minutes UTC), start, route, travel_minutes,
    travel_known, cost and its terms (hundredths), assumed, people_at_once.
    """
    world = World(problem)
    rows = []
    for r in world.requests:
        for p in world.providers:
            for stage, slot, more in world.examine(r, p):
                if stage >= (8 if any_cost else 9):
                    rows.append(
                        {
                            "request_id": r["request_id"],
                            "provider_id": p["id"],
                            "slot_start": slot["start"],
                            "slot_end": slot["end"],
                            "assumed": slot["assumed"],
                            "people_at_once": p["capacity"],
                            **more,
                        }
                    )
    columns = ["request_id", "provider_id", "slot_start", "slot_end", "start", "cost", *TERMS]
    return pd.DataFrame(rows, columns=None if rows else columns)


def count_reasons(problem):
    """Return, by request id, how many providers are left at first and after each of `STAGES`."""
    world = World(problem)
    counts = {}
    for r in world.requests:
        reached = [max(stage for stage, _, _ in world.examine(r, p)) for p in world.providers]
        counts[r["request_id"]] = [sum(x >= j for x in reached) for j in range(len(STAGES) + 1)]
    return pd.DataFrame.from_dict(counts, orient="index", columns=["all", *STAGES])


def optimum_with_pins(problem, extra):
    """Return the least cost where a person missing at an assigned request costs `extra`; how many are."""
    cost, _, unmet = optimum(problem, extra=extra)
    return cost, sum(n for name, n in unmet.items() if name in World(problem).assigned)


def optimum(problem, series=(), extra=0, announced=()):
    """Return (cost in hundredths, chosen pairs with their number, unmet people by request id).

    A mixed-integer program over all eligible pairs, every capacity written out. Each of `series` is a dict of
    requests (ids), free and most faces, further (cost of a face beyond the free ones), known (ids of
    providers, or none) and stranger (cost of a face that is not known where one is). Whoever is
    missing at a request to which somebody is assigned costs `extra`. Each of those announced, (request_id,
    role, provider_id, start in minutes), who is not sent again costs what the policy says of a change.
    """
    from tests.naive_limits import add_limits

    world = World(problem)
    providers = {p["id"]: p for p in world.providers}
    requests = {r["request_id"]: r for r in world.requests}
    pairs = eligible_pairs(problem, any_cost=len(announced) > 0 or "floors" in problem.features)
    chosen = pairs.to_dict("records")
    cost, upper, rows = [], [], []  # rows: (coefficients by variable, low, high)

    def variable(price, most):
        cost.append(price)
        upper.append(most)
        return len(cost) - 1

    served, slot_use, day_use, week_use, firm_use, person_use = (defaultdict(list) for _ in range(6))
    again = defaultdict(list)
    passing = defaultdict(list)
    sent = []
    for row in chosen:
        p, r = providers[row["provider_id"]], requests[row["request_id"]]
        x = variable(row["cost"], min(r["people"], p["capacity"]))
        day = world.day(row["slot_start"])
        week = day.isocalendar()[:2]
        sent.append((x, p, r, row["slot_start"], row["start"], r["minutes"]))
        served[r["request_id"]].append(x)
        again[r["request_id"], r["role"], p["id"], row["start"]].append(x)
        slot_use[p["id"], row["slot_start"], row["slot_end"]].append(x)
        person_use[r["request_id"], p["id"]].append(x)
        if p["kind"] == "volunteer":
            day_use[p["id"], day].append(x)
            week_use[p["id"], week].append(x)
        firm = world.organizations.get(p["organization"])
        if firm and firm["capacity_per_week"] is not None:
            firm_use[p["organization"], week].append(x)
        for key in world.agreements(row["route"], day):
            passing[key, week].append(x)
    unmet = {}
    for name, r in requests.items():
        unmet[name] = variable(r["unmet_cost"] + extra * (name in world.assigned), r["people"])
        rows.append((dict.fromkeys([*served[name], unmet[name]], 1), r["people"], r["people"]))
    for (name, start, end), xs in slot_use.items():
        equal = sum((s["start"], s["end"]) == (start, end) for s in world.slots[name])
        rows.append((dict.fromkeys(xs, 1), 0, providers[name]["capacity"] * equal))
    for (request, name), xs in person_use.items():
        rows.append((dict.fromkeys(xs, 1), 0, min(requests[request]["people"], providers[name]["capacity"])))
    for (name, _), xs in day_use.items():
        rows.append((dict.fromkeys(xs, 1), 0, providers[name]["day_cap"]))
    for (name, _), xs in week_use.items():
        steps = [
            variable(j * hundredths(world.policy.load.further_job_minutes), 1)
            for j in range(min(providers[name]["week_cap"], len(xs)))
        ]
        rows.append(({**dict.fromkeys(xs, 1), **dict.fromkeys(steps, -1)}, 0, 0))
    for (name, _), xs in firm_use.items():
        rows.append((dict.fromkeys(xs, 1), 0, world.organizations[name]["capacity_per_week"]))
    for (key, _), xs in passing.items():
        rows.append((dict.fromkeys(xs, 1), 0, world.quotas[key]))
    missing = {name: ({x: 1}, 0, requests[name]["people"]) for name, x in unmet.items()}
    add_limits(world, sent, missing, variable, rows)
    for one in series:
        faces = []
        for name in {row["provider_id"] for row in chosen}:
            price = one["stranger"] if one["known"] and name not in one["known"] else 0
            faces.append(variable(price, 1))
            for x, row in enumerate(chosen):
                if row["provider_id"] == name and row["request_id"] in one["requests"]:
                    rows.append(({x: 1, faces[-1]: -upper[x]}, -upper[x], 0))
        if faces:
            rows.append((dict.fromkeys(faces, 1), 0, one["most"]))
            beyond = variable(one["further"], len(faces))
            rows.append(({**dict.fromkeys(faces, 1), beyond: -1}, -len(faces), one["free"]))
    changed = stay(announced, again, world.policy, variable, rows)
    value, x = solve_integer(cost, upper, rows)
    value += changed
    flow = x[: len(chosen)]
    taken = pairs.assign(people=flow)[flow > 0] if len(chosen) else pairs.assign(people=[])
    return value, taken, {name: int(x[v]) for name, v in unmet.items() if x[v]}


def stay(announced, again, policy, variable, rows):
    """Let those announced save their change where they are sent again; return what all changes cost."""
    price = hundredths(policy.stability.change_minutes)
    for key, number in Counter(announced).items():
        kept = variable(-price, number)
        rows.append(({**dict.fromkeys(again[key], 1), kept: -1}, 0, 10**6))
    return price * len(announced)


def optimal_cost(problem):
    """Return the cheapest cost of any plan, hundredths."""
    return optimum(problem)[0]


def solve_integer(cost, upper, rows):
    """Minimise cost @ x, 0 <= x <= upper integer, low <= coefficients @ x <= high for each row."""
    if not cost:
        return 0, np.zeros(0, int)
    entries = [(i, j, c) for i, (coefficients, _, _) in enumerate(rows) for j, c in coefficients.items()]
    i, j, c = zip(*entries, strict=True)
    matrix = csr_matrix((c, (i, j)), shape=(len(rows), len(cost)))
    limits = LinearConstraint(matrix, [low for _, low, _ in rows], [high for _, _, high in rows])
    bounds = 0, np.array(upper, float)
    answer = milp(
        np.array(cost, float),
        integrality=np.ones(len(cost)),
        bounds=bounds,
        constraints=limits,
        options={"mip_rel_gap": 0},
    )
    if not answer.success:
        raise RuntimeError(answer.message)
    x = np.round(answer.x).astype(int)
    return int(np.dot(np.array(cost, dtype=np.int64), x)), x


def above(parent, node):
    """Return a node and all nodes above it."""
    found = []
    while node >= 0:
        found.append(int(node))
        node = parent[node]
    return found


def brute_force(instance, enumerate_up_to=12):
    """Return the least cost of a `solve.Instance`, by HiGHS and, where it is tiny, by enumeration too."""
    a, n = len(instance.request), len(instance.demand)
    cost, upper, rows = [int(c) for c in instance.cost], [1] * a, []
    users, groups, served = defaultdict(list), defaultdict(list), defaultdict(list)
    for x in range(a):
        for k in above(instance.parent, instance.node[x]):
            users[k].append(x)
        groups[int(instance.request[x]), int(instance.group[x])].append(x)
        served[int(instance.request[x])].append(x)
    for r in range(n):
        cost.append(int(instance.unmet_cost[r]))
        upper.append(int(instance.demand[r]))
        rows.append(
            (dict.fromkeys([*served[r], len(cost) - 1], 1), int(instance.demand[r]), int(instance.demand[r]))
        )
    rows += [(dict.fromkeys(xs, 1), 0, 1) for xs in groups.values()]
    for k, xs in users.items():
        steps = []
        for j in range(min(int(instance.capacity[k]), len(xs))):
            steps.append(len(cost))
            cost.append(j * int(instance.load_cost[k]))
            upper.append(1)
        rows.append(({**dict.fromkeys(xs, 1), **dict.fromkeys(steps, -1)}, 0, 0))
    best = solve_integer(cost, upper, rows)[0]
    if a <= enumerate_up_to:
        tried = [_priced(instance, flow) for flow in itertools.product((0, 1), repeat=a)]
        tried = min(cost for cost in tried if cost is not None)
        if tried != best:
            raise RuntimeError(f"HiGHS says {best}, enumeration {tried}")
    return best


def _priced(instance, flow):
    """Return the cost of a 0/1 flow, None where it is not allowed."""
    total = 0
    load, groups, served = defaultdict(int), defaultdict(int), defaultdict(int)
    for x in np.flatnonzero(flow):
        total += int(instance.cost[x])
        served[int(instance.request[x])] += 1
        groups[int(instance.request[x]), int(instance.group[x])] += 1
        for k in above(instance.parent, instance.node[x]):
            load[k] += 1
    if any(u > 1 for u in groups.values()) or any(u > instance.capacity[k] for k, u in load.items()):
        return None
    for r, demand in enumerate(instance.demand):
        if served[r] > demand:
            return None
        total += (int(demand) - served[r]) * int(instance.unmet_cost[r])
    return total + sum(int(instance.load_cost[k]) * u * (u - 1) // 2 for k, u in load.items())
