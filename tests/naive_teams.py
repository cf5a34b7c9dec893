"""An oracle for teams: every start of every role written out, the best plan by HiGHS."""

from __future__ import annotations

import itertools
from collections import defaultdict

from tests.naive import World, hundredths, records, solve_integer, stay
from tests.naive_limits import add_limits


class TeamWorld(World):
    """A problem as dicts and lists, with the roles of each request."""

    def needs(self, r):
        """No goods are known here; see `naive_goods`."""
        return {}

    def roles(self, r):
        """Roles of a request, by name, in the order of their rows."""
        rows = [x for x in records(self.problem, "roles") if x["request_id"] == r["request_id"]]
        found = {}
        for x in rows:
            role = found.setdefault(
                x["role"],
                {
                    "name": x["role"],
                    "people": x["count"],
                    "leader": bool(x["leader"]),
                    "minutes": x["minutes"] or r["minutes"],
                    "clearance": r["clearance"] if x["clearance"] is None else x["clearance"],
                    "after": x["after"],
                    "least": x["after_least"] or 0,
                    "most": x["after_most"] if x["after_most"] is not None else x["after_least"] or 0,
                    "needs": [],
                },
            )
            role["needs"].append((x["skill"], x["level"], x["certified"]))
        if found:
            return list(found.values())
        return [
            {
                "name": "helper",
                "people": r["people"],
                "leader": False,
                "minutes": r["minutes"],
                "clearance": r["clearance"],
                "after": None,
                "least": 0,
                "most": 0,
                "needs": r["needs"],
            }
        ]

    def team(self, r):
        """Whether its people come together or not at all, and the fewest of them."""
        roles = self.roles(r)
        people = sum(role["people"] for role in roles)
        fewest = r["min_serve"] if r["min_serve"] is not None else people if len(roles) > 1 else 1
        fewest = max(fewest, sum(role["people"] for role in roles if role["leader"]))
        long = r["latest"] - r["earliest"] > self.policy.slots.long_minutes
        return len(roles) > 1 or (people > 1 and (fewest > 1 or long)), people, fewest

    def starts(self, r):
        """Yield every way to start all roles, as {name: start}."""
        roles = {role["name"]: role for role in self.roles(r)}
        step = self.policy.slots.start_minutes
        order = []
        while len(order) < len(roles):
            order += [n for n, x in roles.items() if n not in order and (x["after"] in (None, *order))]
        for first in range(r["earliest"], r["latest"] + 1, step):
            offsets = [range(roles[n]["least"], roles[n]["most"] + 1, step) for n in order]
            for chosen in itertools.product(*offsets):
                begins = {}
                for name, offset in zip(order, chosen, strict=True):
                    up = roles[name]["after"]
                    begins[name] = offset + (first if up is None else begins[up])
                if all(begins[n] + roles[n]["minutes"] <= r["latest"] for n in order):
                    yield begins

    def lateness(self, r, name):
        """Minutes after the team's earliest start at which a role starts at the earliest."""
        roles = {role["name"]: role for role in self.roles(r)}
        total = 0
        while name is not None:
            total, name = total + roles[name]["least"], roles[name]["after"]
        return total

    def ways(self, r, role, start, any_cost=False):
        """Yield (provider, slot, cost) for a role at a start."""
        worth = r["unmet_cost"] * self.team(r)[1]
        asked = {**r, **role, "earliest": start, "latest": start + role["minutes"], "people": 2}
        waited = start - r["earliest"] - self.lateness(r, role["name"])
        wait = hundredths(self.policy.fit.wait_minutes * waited / 60)
        for p in self.providers:
            for stage, slot, more in self.examine({**asked, "unmet_cost": worth - wait}, p):
                if stage >= 9 - any_cost:
                    yield p, slot, {**more, "cost": more["cost"] + wait}


def best_cost(problem, announced=(), world=None, further=None, extra=0):
    """Return the cheapest cost of any plan, hundredths; `announced` as in `naive.optimum`.

    `further` adds to the programme what another `world` knows. Each person or team missing at a request to
    which somebody is assigned costs `extra`.
    """
    world = TeamWorld(problem) if world is None else world
    cost, upper, rows = [], [], []
    uses = defaultdict(list)  # columns by what they use up
    limits, again = {}, defaultdict(list)
    any_cost = len(announced) > 0 or "floors" in problem.features
    sent, left = [], {}

    def column(price, most=1):
        cost.append(price)
        upper.append(most)
        return len(cost) - 1

    def send(p, slot, price, most, r, start, minutes, route):
        x = column(price, most)
        sent.append((x, p, r, slot["start"], start, minutes))
        day = world.day(slot["start"])
        week = day.isocalendar()[:2]
        key = "slot", p["id"], slot["start"], slot["end"]
        equal = sum((s["start"], s["end"]) == key[2:] for s in world.slots[p["id"]])
        limits[key] = p["capacity"] * equal
        uses[key].append(x)
        if p["kind"] == "volunteer":
            limits["day", p["id"], day], limits["week", p["id"], week] = p["day_cap"], p["week_cap"]
            uses["day", p["id"], day].append(x)
            uses["week", p["id"], week].append(x)
        firm = world.organizations.get(p["organization"])
        if firm and firm["capacity_per_week"] is not None:
            limits["firm", p["organization"], week] = firm["capacity_per_week"]
            uses["firm", p["organization"], week].append(x)
        for agreement in world.agreements(route, day):
            limits["quota", agreement, week] = world.quotas[agreement]
            uses["quota", agreement, week].append(x)
        return x

    bonds = {
        (kind, *sorted([row["provider_id"], row["other_id"]]))
        for row in records(problem, "bonds")
        for kind in [row["kind"]]
    }

    def bind(sent, people):
        """Keep people apart at one request, and charge who comes without the other."""
        for kind, one, other in sorted(bonds if people > 1 else []):
            here, there = sent.get(one, []), sent.get(other, [])
            if kind == "apart" and here and there:
                rows.append((dict.fromkeys([*here, *there], 1), 0, 1))
            if kind == "together" and (here or there):
                alone = column(hundredths(world.policy.teams.together_minutes))
                for xs, ys in ((here, there), (there, here)):
                    rows.append(({**dict.fromkeys(xs, 1), **dict.fromkeys(ys, -1), alone: -1}, -(10**6), 0))

    for r in world.requests:
        team, people, fewest = world.team(r)
        if not team:
            served, persons = [], defaultdict(list)
            (role,) = world.roles(r)
            for p in world.providers:
                for stage, slot, more in world.examine({**r, **role, "people": people}, p):
                    if stage >= 9 - any_cost:
                        served.append(
                            send(
                                p,
                                slot,
                                more["cost"],
                                min(people, p["capacity"]),
                                r,
                                more["start"],
                                role["minutes"],
                                more["route"],
                            )
                        )
                        persons[p["id"], min(people, p["capacity"])].append(served[-1])
                        again[r["request_id"], role["name"], p["id"], more["start"]].append(served[-1])
            missing = column(r["unmet_cost"] + extra * (r["request_id"] in world.assigned), people)
            left[r["request_id"]] = {missing: 1}, 0, people
            rows.append((dict.fromkeys([*served, missing], 1), people, people))
            rows += [(dict.fromkeys(xs, 1), 0, most) for (_, most), xs in persons.items()]
            bind({name: xs for (name, _), xs in persons.items()}, people)
            if world.needs(r):
                on = column(0)
                rows.append(({**dict.fromkeys(served, 1), on: -people}, -people, 0))
                world.supply(r, on, r["earliest"], column, rows, uses, limits)
            continue
        roles, plans, coming, ever = world.roles(r), [], [], defaultdict(list)
        for begins in world.starts(r):
            on, everybody, persons = column(0), [], defaultdict(list)
            plans.append(on)
            for role in roles:
                xs = []
                for p, slot, more in world.ways(r, role, begins[role["name"]], any_cost):
                    x = send(
                        p,
                        slot,
                        more["cost"] - r["unmet_cost"],
                        min(role["people"], p["capacity"]),
                        r,
                        begins[role["name"]],
                        role["minutes"],
                        more["route"],
                    )
                    xs.append(x)
                    again[r["request_id"], role["name"], p["id"], begins[role["name"]]].append(x)
                    if p["kind"] == "volunteer":
                        persons[p["id"]].append(x)
                        ever[p["id"]].append(x)
                must = role["leader"]
                must |= len(roles) > 1 and r["min_serve"] is None
                rows.append(({**dict.fromkeys(xs, 1), on: -role["people"]}, 0 if must else -(10**6), 0))
                everybody += xs
                coming += xs
            rows.append(({**dict.fromkeys(everybody, 1), on: -fewest}, 0, 10**6))
            rows += [(dict.fromkeys(xs, 1), 0, 1) for xs in persons.values()]
            if world.needs(r):
                world.supply(r, on, min(begins.values()), column, rows, uses, limits)
        bind(ever, people)
        absent = column(extra * (r["request_id"] in world.assigned))
        rows.append(({**dict.fromkeys(plans, 1), absent: 1}, 1, 1))
        left[r["request_id"]] = dict.fromkeys(coming, -1), people, people
        whole = column(people * r["unmet_cost"])
        rows.append(({whole: 1}, 1, 1))
    for key, xs in uses.items():
        rows.append((dict.fromkeys(xs, 1), 0, limits[key]))
        if key[0] == "week":
            step = hundredths(world.policy.load.further_job_minutes)
            steps = [column(j * step) for j in range(min(limits[key], len(xs)))]
            rows.append(({**dict.fromkeys(xs, 1), **dict.fromkeys(steps, -1)}, 0, 0))
    add_limits(world, sent, left, column, rows)
    if further is not None:
        further(world, column, rows, again)
    changed = stay(announced, again, world.policy, column, rows)
    return solve_integer(cost, upper, [row for row in rows if row[0]])[0] + changed
