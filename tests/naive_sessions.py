"""An oracle for group sessions: seats, openings, minima and siblings written out, the best plan by HiGHS."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from functools import cached_property

from tests.naive import hundredths, place, records, to_minutes
from tests.naive_goods import GoodsWorld
from tests.naive_teams import TeamWorld, best_cost


class SessionWorld(TeamWorld):
    """A problem as dicts and lists, in which sessions are providers of the kind "session"."""

    def __init__(self, problem):
        super().__init__(problem)
        self.sessions = {s["session_id"]: s for s in records(problem, "sessions")}
        firm = {v["volunteer_id"]: v["organization_id"] for v in records(problem, "volunteers")}
        for name, s in self.sessions.items():
            until = date(3000, 1, 1) if s["certified"] else None
            self.skills[name][s["skill"]] = {"level": s["level"], "certified_until": until}
            holder = s["provider_id"]
            for request, banned in set(self.forbidden):
                if holder is not None and banned in (holder, firm.get(holder)):
                    self.forbidden.add((request, name))

    @cached_property
    def providers(self):
        people = super().providers
        home = {p["id"]: p["home"] for p in people} | {name: name for name in self.organizations}
        travel = self.policy.travel
        return people + [
            {
                "id": name,
                "kind": "session",
                "home": home.get(s["provider_id"], s["community_id"]),
                "organization": None,
                "place": place(s) or place(self.communities[s["community_id"]]),
                "mode": travel.mode,
                "max_travel": travel.max_minutes,
                "clearance": s["clearance"],
                "dialect": None,
                "hometown": None,
                "preset": None,
                "capacity": s["seats"],
            }
            for name, s in self.sessions.items()
        ]

    def time(self, s):
        return to_minutes(s["start"], up=True), to_minutes(s["end"])

    @cached_property
    def slots(self):
        whole, self.providers = self.providers, [p for p in self.providers if p["kind"] != "session"]
        found = TeamWorld.slots.func(self)
        self.providers = whole
        for s in self.sessions.values():
            a, b = self.time(s)
            mine = found.get(s["provider_id"], [])
            mine[:] = [x for x in mine if x["end"] <= a or x["start"] >= b]
        for name, s in self.sessions.items():
            a, b = self.time(s)
            a, b = max(a, self.begin), min(b, self.finish)
            found[name] = [{"start": a, "end": b, "day": self.day(a), "assumed": False}] if a < b else []
        return found

    @cached_property
    def may_sit(self):
        """Ids of the requests that a seat may serve."""
        return {
            r["request_id"]
            for r in self.requests
            if not self.team(r)[0]
            and not self.needs(r)
            and len(self.roles(r)[0]["needs"]) == 1
            and r["request_id"] not in self.assigned
        }

    def examine(self, r, p):
        if p["kind"] == "session" and r["request_id"] not in self.may_sit:
            return [(0, None, None)]
        return super().examine(r, p)

    @cached_property
    def households(self):
        """Lists of requests that sit together, as far as they could sit at all."""
        of, found = defaultdict(list), []
        for r in self.requests:
            home = (self.residents.get(r["resident_id"]) or {"household_id": None})["household_id"]
            if home is not None and r["request_id"] in self.may_sit:
                of[home, self.roles(r)[0]["needs"][0][0]].append(r)
        for rows in of.values():
            rows.sort(key=lambda r: r["earliest"])
            latest = None
            for r in rows:
                if latest is None or r["earliest"] >= latest:
                    found.append([])
                    latest = r["latest"]
                found[-1].append(r)
                latest = max(latest, r["latest"])
        return found


def add_sessions(world, column, rows, again):
    """Open sessions, keep to their minima, and seat households together."""
    seat = defaultdict(list)  # columns by request and session
    for (request, _, provider, _), xs in again.items():
        if provider in world.sessions:
            seat[request, provider] += xs
    held = {}
    for name, s in world.sessions.items():
        held[name] = column(hundredths(s["open_minutes"]))
        xs = [x for (_, provider), mine in seat.items() if provider == name for x in mine]
        rows.append(({**dict.fromkeys(xs, 1), held[name]: -s["seats"]}, -(10**6), 0))
        rows.append(({**dict.fromkeys(xs, 1), held[name]: -s["min_seats"]}, 0, 10**6))
    for members in world.households:
        could = [r for r in members if any(seat[r["request_id"], name] for name in world.sessions)]
        if len(could) < 2:
            continue
        people = sum(r["people"] for r in could)
        for name, s in world.sessions.items():
            whole = all(seat[r["request_id"], name] for r in could) and people <= s["seats"]
            together = column(0, int(whole))
            for r in could:
                xs = seat[r["request_id"], name]
                if xs:
                    rows.append(({**dict.fromkeys(xs, 1), together: -r["people"]}, 0, 0))


class GoodsAndSessions(SessionWorld, GoodsWorld):
    """A problem with both."""


def best_session_cost(problem, announced=(), extra=0):
    """Return the cheapest cost of any plan, hundredths, goods and whatever else there is included."""
    return best_cost(problem, announced, GoodsAndSessions(problem), add_sessions, extra)
