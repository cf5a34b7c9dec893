"""What runs in a process of its own: make an instance, match it, or give it to one peer.

Prints one line of JSON. Each process solves something small of the same shape first, so that imports
and compilation are not measured; then garbage is collected and what lives is frozen out of the
collector's sight, which stays on.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.matching.instances import Instance, cost_of, load
from benchmarks.matching.peers import PEERS
from benchmarks.work import peak_mb

SMALL_REQUESTS = 200
SUMS = 101


def make(shape_name: str, requests: int, seed: int, folder: Path) -> dict[str, Any]:
    """Make a regime's instance, with at most so many requests where that is not 0, and a small one."""
    from benchmarks.matching import county
    from benchmarks.matching.bipartite import refusals
    from benchmarks.matching.regimes import REGIMES

    shape = REGIMES[shape_name].shape
    shape = shape.shrunk(requests) if requests else shape
    began = time.perf_counter()
    instance = county.instance(shape, seed)
    seconds = time.perf_counter() - began
    instance.save(folder / "instance.npz")
    county.instance(shape.shrunk(SMALL_REQUESTS), seed).save(folder / "small.npz")
    return {
        "generate": seconds,
        "generate_mb": peak_mb(),
        "requests": len(instance.demand),
        "volunteers": shape.volunteers or shape.square,
        "arcs": len(instance.cost),
        "nodes": len(instance.capacity),
        "refusals": refusals(instance),
    }


def assigned(instance: Instance) -> Any:
    """Call `govmatch.assign` as its user would, with the arrays that the instance needs."""
    import govmatch as gm

    needed: dict[str, Any] = {}
    if (instance.demand != 1).any():
        needed["demand"] = instance.demand
    if (instance.parent >= 0).any():
        needed["parent"] = instance.parent
    if (instance.load_cost > 0).any():
        needed["load_cost"] = instance.load_cost
    if len(instance.unmet_cost):
        needed["unmet_cost"] = instance.unmet_cost
    return gm.assign(
        instance.request,
        instance.provider,
        instance.cost,
        n_requests=len(instance.demand),
        capacity=instance.capacity,
        **needed,
    )


def settle() -> None:
    """Collect garbage, and spare the collector what is alive."""
    gc.collect()
    gc.freeze()


def ours(folder: Path) -> dict[str, Any]:
    """Measure the whole `assign` call, and one sum over the costs beside it."""
    began = time.perf_counter()
    assigned(load(folder / "small.npz"))
    first = time.perf_counter() - began
    instance = load(folder / "instance.npz")
    before = peak_mb()
    settle()
    began = time.perf_counter()
    result = assigned(instance)
    seconds = time.perf_counter() - began
    peak = peak_mb()
    sums = []
    for _ in range(SUMS):
        began = time.perf_counter()
        instance.cost.sum()
        sums.append(time.perf_counter() - began)
    objective = proved(instance, result)
    return {
        "first": first,
        "seconds": seconds,
        "sum_seconds": median(sums),
        "passes": seconds / median(sums),
        "peak_mb": peak,
        "peak_before_mb": before,
        "objective": objective,
    }


def proved(instance: Instance, result: Any) -> int:
    """Return the cost of a result, counted again.

    Raises
    ------
    ValueError
        If the flow is not feasible, costs something else than was told, or is not proved optimal.
    """
    counted, told = cost_of(instance, np.asarray(result.flow)), int(result.total_cost)
    if counted != told:
        raise ValueError(f"govmatch told {told} for a flow that costs {counted}")
    if result.termination != "optimal" or result.gap != 0 or int(result.bound) != told:
        raise ValueError(f"govmatch ended {result.termination} with {told} and the bound {result.bound}")
    return counted


def give(name: str, folder: Path) -> dict[str, Any]:
    """Give the instance to one peer; building and solving are measured apart."""
    began = time.perf_counter()
    peer = import_module(f"benchmarks.matching.peers.{PEERS[name].module}")
    small = load(folder / "small.npz")
    model = peer.build(small)
    peer.read(small, model, peer.solve(model))
    told = {"version": version(PEERS[name].distribution), "first": time.perf_counter() - began}
    instance = load(folder / "instance.npz")
    del model
    settle()
    try:
        began = time.perf_counter()
        model = peer.build(instance)
        built = time.perf_counter()
        answer = peer.solve(model)
        solved = time.perf_counter()
    except (MemoryError, RuntimeError) as error:
        return {**told, "failed": f"{type(error).__name__}: {error}"[:200]}
    return {
        **told,
        "build": built - began,
        "solve": solved - built,
        "peak_mb": peak_mb(),
        "objective": cost_of(instance, peer.read(instance, model, answer)),
    }


def main(arguments: list[str]) -> None:
    """Do the task that the first argument names."""
    task, *rest = arguments
    if task == "make":
        told = make(rest[0], int(rest[1]), int(rest[2]), Path(rest[3]))
    elif task == "ours":
        told = ours(Path(rest[0]))
    else:
        told = give(rest[0], Path(rest[1]))
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
