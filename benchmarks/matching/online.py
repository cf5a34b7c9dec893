"""A day, one event after the other: every event a `Matcher` call and the reading of what it changed.

Runs in a process of its own and prints one line of JSON.

* an arrival is ``add``; the request's own assignment is read, and that of every request that moved;
* a cancellation is ``remove`` of a live request; the assignments of those that moved are read;
* a decline takes the assigned arc away: ``set_cost`` to one more than the request's unmet cost, at
  which no optimum uses it; then as for an arrival.

After a quarter of the arrivals, a half, three quarters and all, the live requests are matched from
scratch by `govmatch.assign`, whose cost must be the matcher's, and kept in files for the peer.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.matching.instances import Instance, IntArray, compact
from benchmarks.matching.work import assigned, proved, settle
from benchmarks.work import peak_mb

KINDS = ("arrival", "cancellation", "decline")
CANCELLED, DECLINED = 0.05, 0.10  # so many a hundred arrivals
CHECKS = 4
WARM_REQUESTS = 500


@dataclass
class Day:
    """A day's requests, and a matcher that is told of them."""

    instance: Instance  # with all bookable nodes; `cost` is changed by declines
    matcher: Any
    rng: np.random.Generator
    first: IntArray  # (n_requests + 1,) where each request's arcs begin
    live: list[int] = field(default_factory=list)
    handle: dict[int, Any] = field(default_factory=dict)  # of live requests
    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    moved: int = 0

    def arrive(self, request: int) -> None:
        """Add a request and read who serves it."""
        arcs = slice(self.first[request], self.first[request + 1])
        providers, costs = self.instance.provider[arcs], self.instance.cost[arcs].copy()
        unmet_cost = int(self.instance.unmet_cost[request])

        def call() -> Any:
            return self.matcher.add(providers, costs, unmet_cost=unmet_cost)

        self.handle[request] = self._timed("arrival", call)
        self.live.append(request)

    def cancel(self) -> None:
        """Remove a random live request."""
        at = int(self.rng.integers(len(self.live)))
        self.live[at], self.live[-1] = self.live[-1], self.live[at]
        handle = self.handle.pop(self.live.pop())

        def call() -> None:
            self.matcher.remove(handle)

        self._timed("cancellation", call, gone=handle)

    def decline(self) -> None:
        """Take away the arc of a random live request that is served; where none is found, do nothing."""
        for _ in range(100):
            request = self.live[int(self.rng.integers(len(self.live)))]
            handle = self.handle[request]
            served = assigned_to(self.matcher.assignment(handle))
            if len(served):
                break
        else:
            return
        provider, dear = int(served[0]), int(self.instance.unmet_cost[request]) + 1
        arcs = np.arange(self.first[request], self.first[request + 1])
        self.instance.cost[arcs[self.instance.provider[arcs] == provider]] = dear

        def call() -> Any:
            self.matcher.set_cost(handle, provider, dear)
            return handle

        self._timed("decline", call)

    def _timed(self, kind: str, call: Callable[[], Any], gone: Any = None) -> Any:
        matcher, moved = self.matcher, 0
        began = time.perf_counter()
        handle = call()
        if handle is not None:
            matcher.assignment(handle)
        for other in matcher.changed:
            if other != gone:
                matcher.assignment(other)
                moved += 1
        self.seconds[kind].append(time.perf_counter() - began)
        self.moved += moved
        return handle

    def now(self) -> Instance:
        """Return the live requests and their arcs as an instance of its own."""
        live = np.sort(np.array(self.live, np.int64))
        number = np.full(len(self.instance.demand), -1)
        number[live] = np.arange(len(live))
        kept = number[self.instance.request] >= 0
        return compact(
            Instance(
                request=number[self.instance.request[kept]],
                provider=self.instance.provider[kept],
                cost=self.instance.cost[kept],
                demand=self.instance.demand[live],
                unmet_cost=self.instance.unmet_cost[live],
                capacity=self.instance.capacity,
                parent=self.instance.parent,
                load_cost=self.instance.load_cost,
            )
        )


def assigned_to(answer: Any) -> IntArray:
    """Return the providers of an assignment as an array; empty where the request is unmet."""
    return np.zeros(0, np.int64) if answer is None else np.asarray(answer, np.int64).reshape(-1)


def started(instance: Instance, seed: int) -> Day:
    """Return a day on which nothing has happened."""
    import govmatch as gm

    return Day(
        instance,
        gm.Matcher(instance.capacity, parent=instance.parent),
        np.random.default_rng(seed),
        np.searchsorted(instance.request, np.arange(len(instance.demand) + 1)),
    )


def play(day: Day, requests: range) -> None:
    """Let the requests arrive, with cancellations and declines between them."""
    for request in requests:
        day.arrive(request)
        cancelled, declined = day.rng.random(2)
        if cancelled < CANCELLED:
            day.cancel()
        if declined < DECLINED and day.live:
            day.decline()


def measure(shape_name: str, requests: int, seed: int, folder: Path) -> dict[str, Any]:
    """Play a day, and match from scratch at a few points of it."""
    from benchmarks.matching import county
    from benchmarks.matching.regimes import ONLINE

    shape = ONLINE[shape_name]
    shape = shape.shrunk(requests) if requests else shape
    warm = started(county.day(shape.shrunk(WARM_REQUESTS), seed), seed)
    play(warm, range(len(warm.instance.demand)))
    small = warm.now()
    small.save(folder / "small.npz")
    assigned(small)

    day = started(county.day(shape, seed), seed)
    del warm, small
    settle()
    edges = np.linspace(0, len(day.instance.demand), CHECKS + 1).astype(int).tolist()
    checks = []
    for number in range(CHECKS):
        before = {kind: len(day.seconds[kind]) for kind in KINDS}
        play(day, range(edges[number], edges[number + 1]))
        now = day.now()
        began = time.perf_counter()
        result = assigned(now)
        seconds = time.perf_counter() - began
        objective, kept = proved(now, result), int(day.matcher.total_cost)
        if objective != kept:
            raise ValueError(f"the matcher keeps {kept} where matching from scratch costs {objective}")
        name = f"check-{number}.npz"
        now.save(folder / name)
        checks.append({"file": name, "live": len(day.live), "assign": seconds, "objective": objective})
    last = [second for kind in KINDS for second in day.seconds[kind][before[kind] :]]
    every = [second for kind in KINDS for second in day.seconds[kind]]
    return {
        "arrivals": shape.requests,
        "volunteers": shape.volunteers,
        "cap": shape.cap,
        "scarcity": shape.scarcity,
        "arcs": len(day.instance.cost),
        "events": {**{kind: latency(day.seconds[kind]) for kind in KINDS}, "all": latency(every)},
        "last_quarter": latency(last),
        "moved": day.moved / max(1, len(every)),
        "peak_mb": peak_mb(),
        "checks": checks,
    }


def latency(seconds: list[float]) -> dict[str, float]:
    """Count, mean and percentiles, in milliseconds."""
    if not seconds:
        return {"count": 0}
    ms = 1000 * np.array(seconds)
    p50, p99, p999 = np.percentile(ms, [50, 99, 99.9]).tolist()
    return {
        "count": len(ms),
        "mean": float(ms.mean()),
        "p50": p50,
        "p99": p99,
        "p999": p999,
        "max": float(ms.max()),
    }


if __name__ == "__main__":
    name, requests, seed, folder = sys.argv[1:]
    print(json.dumps(measure(name, int(requests), int(seed), Path(folder))))
