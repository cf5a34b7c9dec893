"""What runs in a process of its own: one day of teams, solved by one of the two."""

from __future__ import annotations

import json
import sys
import time

from benchmarks.teams.days import day
from benchmarks.work import peak_mb
from govmatch.solve import teams
from govmatch.solve.control import Control
from govmatch.solve.team_instance import faults, lower_bound, plan_cost


def main(who: str, requests: int, people: int, seed: int, seconds: float) -> None:
    """Solve, check and count the plan, by the same code for both, and print one line of JSON."""
    instance = day(requests, people, seed)
    if who == "cpsat":
        from benchmarks.teams import plain

        begun = time.perf_counter()
        used, bound = plain.solve(instance, seconds)
    else:
        teams.solve(day(20, 30, 0))  # compilation is not in the figures
        begun = time.perf_counter()
        found = teams.solve(instance, Control(seconds))
        used, bound = found.used, float(lower_bound(instance, found.price))
    took = time.perf_counter() - begun
    told: dict[str, float | None] = {"seconds": took, "mb": peak_mb(), "cost": None, "gap": None}
    if used is not None:
        if wrong := faults(instance, used):
            raise RuntimeError(f"{who}: {wrong[:3]}")
        cost = plan_cost(instance, used)
        told |= {"cost": cost, "gap": (cost - bound) / max(1, abs(cost))}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], *(int(text) for text in sys.argv[2:5]), float(sys.argv[5]))
