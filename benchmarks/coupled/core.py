"""`python -m benchmarks.coupled.core`: the programmes that one match solves exactly, by HiGHS and by CP-SAT.

The two take turns, in one process; HiGHS by the code of `solve/mip`, CP-SAT by the peer's model.
"""

from __future__ import annotations

import argparse
import time
from unittest.mock import patch

import govmatch as gm
from benchmarks.coupled import plain
from benchmarks.coupled.days import arrays
from govmatch.solve import core
from govmatch.solve.control import Control
from govmatch.solve.mip import model
from govmatch.solve.mip.part import Part


def parts_of(problem: gm.Problem, seconds: float) -> list[Part]:
    """Match, and return what was given to the exact solver, round by round."""
    found: list[Part] = []

    def kept(part: Part, control: Control) -> model.Outcome | None:
        found.append(part)
        return model.solve(part, control)

    with patch.object(core, "solve", kept):
        gm.match(problem, time_limit=seconds)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Print a line for each core."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coupled.core", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--coupled", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60.0, help="for the match, and for each solve")
    asked = parser.parse_args(arguments)
    tables = gm.datasets.haining(seed=asked.seed, requests=asked.requests, coupled=asked.coupled)
    for part in parts_of(gm.Problem.from_tables(tables), asked.seconds):
        began = time.perf_counter()
        outcome = model.solve(part, Control(asked.seconds))
        between = time.perf_counter()
        used, bound, _ = plain.solve(arrays(part.instance, part.tree), asked.seconds)
        ended = time.perf_counter()
        print(
            f"{len(part.instance.cost):,} arcs, {len(part.tree.worth)} teams: "
            f"HiGHS {between - began:.2f} s, bound {'none' if outcome is None else outcome.bound}; "
            f"CP-SAT {ended - between:.2f} s, bound {bound}{'' if used is not None else ', no plan'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
