"""What runs in a process of its own: plan a day with some kinds of coupling, or give it to the peer."""

from __future__ import annotations

import json
import pickle
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.kinds.check import cost_of
from benchmarks.work import peak_mb

RESOLUTION = 100
"""Units of cost in a minute."""

ROUNDS = "[rounds]\non = true\nlate_minutes = 2\n"
PROMISE = "[floors]\ncommunity_share = 0.8\ngroup_share = {elderly = 0.95}\n[reserve]\nshare = 0.2\n"


def measure(
    town: str, kinds: list[str], share: float, seed: int, seconds: float, file: Path
) -> dict[str, Any]:
    """Match a day in so many seconds, and keep it for the peer in a file.

    "floors" among the kinds is a policy with floors and a reserve, "rounds" one with rounds and soft ends,
    which the peer does not make: nothing is kept for it.

    Raises
    ------
    ValueError
        The plan is not verified, or costs something else when it is counted again.
    """
    import govmatch as gm
    from benchmarks.kinds.read import answer_of, day_of

    # imports and the first compilation are not in the figures
    gm.warmup()
    gm.match(gm.Problem.from_tables(gm.datasets.xishan(seed=0, requests=40, coupled=0.2)), time_limit=60)
    laid = [kind for kind in kinds if kind != "floors"]
    tables = getattr(gm.datasets, town)(seed=seed, coupled=share, kinds=laid)
    rules = (ROUNDS if "rounds" in kinds else "") + (PROMISE if "floors" in kinds else "")
    policy = gm.Policy.from_text(rules)
    began = time.perf_counter()
    problem = gm.Problem.from_tables(tables, policy=policy)
    plan = gm.match(problem, time_limit=max(1.0, seconds - (time.perf_counter() - began)))
    took, peak = time.perf_counter() - began, peak_mb()
    certificate = plan.certificate
    if not certificate.verified:
        raise ValueError("the plan is not verified")
    stated, bound = (round(x * RESOLUTION) for x in (certificate.primal, certificate.bound))
    pairs, ways, left = certificate.pairs, 0, 0
    if "rounds" not in kinds:
        day = day_of(plan)
        cost, left = cost_of(day, answer_of(plan, day))
        if cost != stated:
            raise ValueError(f"the plan says that it costs {stated}; counted again it costs {cost}")
        pairs, ways = day.n_pairs, len(day.stocks.way_cost)
        file.write_bytes(pickle.dumps(day))
    return {
        "requests": problem.demand.n_requests,
        "unserved": len(plan.unmet),
        "goods": len(plan.goods),
        "held": int(plan.sessions["held"].sum()) if len(plan.sessions) else 0,
        "pairs": pairs,
        "ways": ways,
        "cost": stated,
        "left": left,
        "bound": bound,
        "gap": certificate.gap,
        "termination": certificate.termination,
        "seconds": took,
        "mb": peak,
    }


def peer(file: Path, seconds: float) -> dict[str, Any]:
    """Give a day to the one model; its plan is counted again.

    It may cost less than the model says, unless that is optimal: a model that ran out of time charges now and
    then for what nobody does.

    Raises
    ------
    ValueError
        The plan breaks a rule, or costs something else than the model proved, or more than it says.
    """
    from benchmarks.kinds import plain

    day = pickle.loads(file.read_bytes())
    began = time.perf_counter()
    told = plain.solve(day, seconds)
    found: dict[str, Any] = {
        "seconds": time.perf_counter() - began,
        "build": told.build_seconds,
        "mb": peak_mb(),
    }
    found |= {"status": told.status, "bound": told.bound, "cost": told.cost, "left": told.left}
    if told.answer is None or told.cost is None:
        return found
    cost, left = cost_of(day, told.answer)
    if left != told.left or cost > told.cost or (cost < told.cost and told.status == "optimal"):
        raise ValueError(
            f"the model says that its plan costs {told.cost} and leaves {told.left} assigned; "
            f"counted again it is {cost} and {left}"
        )
    return found | {"cost": cost}


def main(arguments: list[str]) -> None:
    """Do the task that the first argument names, and print one line of JSON."""
    task, *rest = arguments
    if task == "ours":
        town, kinds, share, seed, seconds, file = rest
        told = measure(town, kinds.split("+"), float(share), int(seed), float(seconds), Path(file))
    else:
        told = peer(Path(rest[0]), float(rest[1]))
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
