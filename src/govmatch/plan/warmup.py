"""Compile, or load from the cache, all kernels before the first request comes."""

from __future__ import annotations

import threading
import time

import numpy as np

from govmatch.datasets import xishan
from govmatch.model.policy import Policy, Rounds
from govmatch.model.problem import Problem
from govmatch.plan.match import match
from govmatch.solve.assignment import assign
from govmatch.solve.matcher import Matcher


def warmup() -> float:
    """Make the kernels of `assign`, `match` and `Matcher` ready, so that no later call waits for them.

    The first time on a machine this compiles for some tens of seconds; the machine code is kept beside the
    package, or in the folder that ``NUMBA_CACHE_DIR`` names, and later processes load it in a second or two.
    A server calls it when it starts.

    Returns
    -------
    float
        Seconds that it took.
    """
    began = time.perf_counter()
    # short supply, several units a request, load costs, arcs in no order, a stop: every kernel runs once
    request = np.tile(np.arange(12), 4)
    provider = (np.arange(48) * 7 + request) % 6
    stop = threading.Event()
    for demand in (1, 2, 2):
        assign(
            request,
            provider,
            10 * np.arange(48) % 97,
            demand=demand,
            capacity=[1, 1, 1, 1, 1, 1, 2, 3],
            parent=[6, 6, 6, 7, 7, 7, -1, -1],
            load_cost=[0, 0, 0, 0, 0, 0, 2, 0],
            unmet_cost=np.arange(100, 112),
            cancel=stop,
        )
        if demand == 2:
            stop.set()
    matcher = Matcher([1, 1, 1], parent=[2, 2, -1])
    first = matcher.add([0, 1], [1, 2], unmet_cost=9)
    matcher.add([0, 1], [1, 2], demand=2, unmet_cost=9)
    matcher.remove(first)
    matcher.set_capacity(2, 2)
    match(Problem.from_tables(xishan(seed=0, requests=60, coupled=0.5)))
    # long tours: a bound that proves the greedy start leaves nothing to the search
    visits = xishan(seed=0, requests=12, coupled=1.0, kinds=("rounds",))
    match(Problem.from_tables(visits, Policy(rounds=Rounds(on=True))))
    tables = xishan(seed=0, requests=20)
    tables["visits"] = tables["requests"][["request_id"]].iloc[:3].assign(weeks=2)
    match(Problem.from_tables(tables))
    return time.perf_counter() - began
