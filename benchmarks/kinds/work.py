"""What runs in a process of its own: one day with some kinds of coupling."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from benchmarks.work import peak_mb

ROUNDS = "[rounds]\non = true\nlate_minutes = 2\n"
PROMISE = "[floors]\ncommunity_share = 0.8\ngroup_share = {elderly = 0.95}\n[reserve]\nshare = 0.2\n"


def measure(town: str, kinds: list[str], share: float, seed: int, seconds: float) -> dict[str, Any]:
    """Match a day in so many seconds; "floors" among the kinds is a policy with floors and a reserve.

    "rounds" is a policy with rounds and soft ends, too.
    """
    import govmatch as gm

    # imports and the first compilation are not in the figures
    gm.match(gm.Problem.from_tables(gm.datasets.xishan(seed=0, requests=40, coupled=0.2)), time_limit=60)
    laid = [kind for kind in kinds if kind != "floors"]
    tables = getattr(gm.datasets, town)(seed=seed, coupled=share, kinds=laid)
    rules = (ROUNDS if "rounds" in kinds else "") + (PROMISE if "floors" in kinds else "")
    policy = gm.Policy.from_text(rules)
    began = time.perf_counter()
    problem = gm.Problem.from_tables(tables, policy=policy)
    plan = gm.match(problem, time_limit=max(1.0, seconds - (time.perf_counter() - began)))
    took = time.perf_counter() - began
    certificate = plan.certificate
    if not certificate.verified:
        raise ValueError("the plan is not verified")
    return {
        "requests": problem.demand.n_requests,
        "unserved": len(plan.unmet),
        "goods": len(plan.goods),
        "held": int(plan.sessions["held"].sum()) if len(plan.sessions) else 0,
        "gap": certificate.gap,
        "termination": certificate.termination,
        "seconds": took,
        "mb": peak_mb(),
    }


if __name__ == "__main__":
    given = sys.argv[1:]
    print(json.dumps(measure(given[0], given[1].split("+"), float(given[2]), int(given[3]), float(given[4]))))
