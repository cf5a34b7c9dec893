"""An oracle for goods: lots of stocks as columns beside the people, the best plan by HiGHS."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date
from fractions import Fraction

from tests.naive import records
from tests.naive_teams import TeamWorld, best_cost


class GoodsWorld(TeamWorld):
    """A problem as dicts and lists, with what is asked and owned."""

    def __init__(self, problem):
        super().__init__(problem)
        linked = {r["request_id"] for r in records(problem, "requests") if r["duplicate_of"]}
        self.asked, self.lot = defaultdict(dict), {}
        for row in records(problem, "request_goods"):
            amount = round(Fraction(row["amount"]) * 10**6)
            if amount and row["request_id"] not in linked:
                self.asked[row["request_id"]][row["good"]] = amount
                self.lot[row["good"]] = math.gcd(self.lot.get(row["good"], 0), amount)
        for good, coarse in self.lot.items():
            rows = [row for row in records(problem, "goods") if row["good"] == good]
            fine = math.gcd(coarse, *(round(Fraction(row["amount"]) * 10**6) for row in rows))
            if all(kinds.get(good, 0) / fine <= 100 for kinds in self.asked.values()):
                self.lot[good] = fine

    def needs(self, r):
        """Lots of each kind that a request asks for."""
        return {good: n // self.lot[good] for good, n in self.asked.get(r["request_id"], {}).items()}

    def team(self, r):
        """Also who needs goods and could start on several days."""
        team, people, fewest = super().team(r)
        if self.needs(r) and not team:
            (role,) = self.roles(r)
            team = self.day(r["earliest"]) != self.day(r["latest"] - role["minutes"])
        return team, people, fewest

    def period(self, row, day):
        """What the days share on which one stock is used."""
        if row["lent"]:
            return day
        return {
            None: 0,
            "horizon": 0,
            "day": day,
            "week": date.fromordinal(day.toordinal() - day.weekday()),
            "month": (day.year, day.month),
        }[row["period"]]

    def supply(self, r, on, minute, column, rows, uses, limits):
        """Let a request that is on take its lots on the day of a start."""
        day = self.day(minute)
        paths = self.paths(r["community_id"], day)
        for good, lots in self.needs(r).items():
            xs = []
            for row in records(self.problem, "goods"):
                if row["good"] == good and row["owner_id"] in paths:
                    way = paths[row["owner_id"]][0]
                    x = column(math.floor(Fraction(way, lots) + Fraction(1, 2)), lots)
                    xs.append(x)
                    key = "stock", row["owner_id"], good, self.period(row, day)
                    uses[key].append(x)
                    limits[key] = round(Fraction(row["amount"]) * 10**6) // self.lot[good]
            rows.append(({**dict.fromkeys(xs, 1), on: -lots}, 0, 0))


def best_cost_with_goods(problem, announced=(), extra=0):
    """Return the cheapest cost of any plan, hundredths."""
    return best_cost(problem, announced, GoodsWorld(problem), extra=extra)
