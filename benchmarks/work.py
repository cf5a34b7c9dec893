"""What runs in a process of its own: make a day, match it, or give its arcs to one peer.

Prints one line of JSON. Imports and the first compilation are done on something small before
anything is measured, and told apart.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

PHASES = ("check", "encode", "reach", "candidates", "solve", "price_out", "decode", "verify")


def peak_mb() -> float | None:
    """Peak resident memory of this process in MB; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def make(size: str, seed: int, tables_file: Path) -> dict[str, Any]:
    """Make the day's tables and keep them in a file."""
    import pandas as pd

    from benchmarks.sizes import SIZES

    began = time.perf_counter()
    tables = SIZES[size].tables(seed)
    seconds = time.perf_counter() - began
    pd.to_pickle(tables, tables_file)
    return {"generate": seconds}


@contextmanager
def _encoding() -> Iterator[list[float]]:
    """Collect the seconds that `Problem.from_tables` spends on encoding; the rest is checking."""
    from govmatch.model import problem

    seconds: list[float] = []

    def timed(step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            began = time.perf_counter()
            result = step(*arguments)
            seconds.append(time.perf_counter() - began)
            return result

        return run

    steps = ("encode_nodes", "encode_supply", "encode_demand")
    with ExitStack() as stack:
        for name in steps:
            stack.enter_context(patch.object(problem, name, timed(getattr(problem, name))))
        yield seconds


def match(tables_file: Path, arcs_file: Path) -> dict[str, Any]:
    """From DataFrames to a verified plan, phase by phase; the final arcs go to a file for the peers."""
    import pandas as pd

    import govmatch as gm
    from benchmarks.network import save

    began = time.perf_counter()
    gm.match(gm.Problem.from_tables(gm.datasets.xishan(seed=0, requests=20)))
    first = time.perf_counter() - began

    tables = pd.read_pickle(tables_file)
    before = peak_mb()
    began = time.perf_counter()
    with _encoding() as encoding:
        problem = gm.Problem.from_tables(tables)
    read = time.perf_counter() - began
    plan = gm.match(problem)
    total = time.perf_counter() - began
    peak = peak_mb()

    certificate = plan.certificate
    objective = round(certificate.primal / certificate.resolution_minutes)
    save(arcs_file, plan.search.instance, objective)
    seconds = {"check": read - sum(encoding), "encode": sum(encoding), **plan.seconds}
    return {
        "first": first,
        "seconds": {phase: seconds.get(phase, 0.0) for phase in PHASES},
        "total": total,
        "peak_mb": peak,
        "peak_before_mb": before,
        "requests": len(tables["requests"]),
        "providers": int(problem.supply.n_providers),
        "slots": len(problem.supply.slot_provider),
        "pairs": int(certificate.pairs),
        "arcs": int(certificate.arcs),
        "rounds": int(certificate.rounds),
        "gap": certificate.gap,
        "verified": certificate.verified,
        "scope": certificate.scope,
        "termination": certificate.termination,
        "objective": objective,
    }


def give(name: str, arcs_file: Path) -> dict[str, Any]:
    """Give a day's arcs to one peer; building and solving are measured apart."""
    from benchmarks.network import cost_of, load
    from benchmarks.peers import PEERS

    day = load(arcs_file)
    began = time.perf_counter()
    peer = import_module(f"benchmarks.peers.{PEERS[name].module}")
    if hasattr(peer, "warm"):
        peer.warm()
    first = time.perf_counter() - began
    told: dict[str, Any] = {"version": version(PEERS[name].distribution), "first": first}
    why = peer.refuses(day) if hasattr(peer, "refuses") else ""
    if why:
        return {**told, "refused": why}
    began = time.perf_counter()
    model = peer.build(day)
    built = time.perf_counter()
    answer = peer.solve(model)
    solved = time.perf_counter()
    objective = answer if isinstance(answer, int) else cost_of(day, answer)
    if objective != int(day.objective):
        raise ValueError(f"{name} found {objective} where the plan costs {int(day.objective)}")
    return {
        **told,
        "build": built - began,
        "solve": solved - built,
        "peak_mb": peak_mb(),
        "objective": objective,
    }


def main(arguments: list[str]) -> None:
    """Do the task that the first argument names."""
    task, *rest = arguments
    if task == "make":
        told = make(rest[0], int(rest[1]), Path(rest[2]))
    elif task == "match":
        told = match(Path(rest[0]), Path(rest[1]))
    else:
        told = give(rest[0], Path(rest[1]))
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
