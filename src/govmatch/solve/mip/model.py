"""A part as one mixed-integer programme, solved by HiGHS through SciPy.

On these programmes HiGHS was two to five times as fast as CP-SAT (measured: see benchmarks/README.md), and it
comes with SciPy: their linear relaxation is nearly whole, and a proof rests on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import vstack

from govmatch.errors import SolverError
from govmatch.solve.control import Control
from govmatch.solve.mip.apart import Joined, milp_apart
from govmatch.solve.mip.columns import columns
from govmatch.solve.mip.part import Part
from govmatch.solve.mip.rows import rows

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SECONDS, PAUSE = 10.0, 0.02
"""Time limit of one solve, which Python waits for when it ends; and time between two looks at `cancel`."""

SHARE = 0.8
"""Of the time that is left: HiGHS looks at its clock now and then only."""

GRACE = 0.2
"""Seconds after the deadline for which a solve that does not end by itself is awaited."""

DOUBT = 0.5
"""By how much a bound reckoned in floats may be off; costs are whole numbers."""

RELATIVE_DOUBT = 1e-8
"""The same, of the largest cost."""

ENDED = (0, 1)
"""Status of a solve that found the optimum, or was ended by its time."""


@dataclass(frozen=True)
class Outcome:
    """What a solve of a part found.

    Attributes
    ----------
    bound : int
        No plan of the part costs less.
    request : int64 (n_roles,) or None
        The request that serves each role, -1 where its team is not served; None where no plan was found.
    people : int64 (n_roles,)
        How many come.
    used : int64 (any,)
        The arcs of the plan.
    """

    bound: int
    request: IntArray | None
    people: IntArray
    used: IntArray


def _left_behind(
    work: Callable[[], OptimizeResult | Joined], control: Control
) -> OptimizeResult | Joined | None:
    """Call what cannot be stopped in a thread, and go on without it where `control` says so."""
    done: Queue[OptimizeResult | Joined | BaseException] = Queue()

    def run() -> None:
        try:
            done.put(work())
        except BaseException as error:  # told to the caller
            done.put(error)

    Thread(target=run).start()
    while True:
        try:
            found = done.get(timeout=PAUSE)
        except Empty:
            if control.poll() and (control.reason == "cancelled" or control.late(GRACE)):
                return None
            continue
        if isinstance(found, BaseException):
            raise found
        return found


@dataclass(frozen=True)
class Relaxed:
    """Prices of a part's linear relaxation.

    Attributes
    ----------
    node : int64 (n_nodes,)
        Own prices of capacities.
    limit : int64 (n_rules + n_floors,)
    """

    node: IntArray
    limit: IntArray


def relax(part: Part, control: Control, seconds: float) -> Relaxed | None:
    """Solve the linear relaxation of a part with limits; None where HiGHS did not, as for lack of time."""
    at = columns(part)
    n = 0 if part.rules is None else len(part.rules.limit)
    n += 0 if part.floors is None else len(part.floors.limit)
    node = np.zeros(len(part.instance.parent), np.int64)
    if not len(at.cost):
        return Relaxed(node, np.zeros(n, np.int64))
    every = rows(part, at)
    matrix, low, high = every.matrix()
    equal = low == high
    upper, lower = np.isfinite(high) & ~equal, np.isfinite(low) & ~equal

    bounds: Any = np.stack([np.zeros(len(at.cost)), at.most], axis=1)  # SciPy's stubs know no such array

    def work() -> OptimizeResult:
        return linprog(
            at.cost,
            A_ub=vstack([matrix[upper], -matrix[lower]]),
            b_ub=np.concatenate([high[upper], -low[lower]]),
            A_eq=matrix[equal],
            b_eq=low[equal],
            bounds=bounds,
            method="highs-ds",
            options={"time_limit": seconds},
        )

    found = _left_behind(work, control)
    if found is None or isinstance(found, Joined) or found.status != 0:
        return None
    price = np.zeros(len(low), np.int64)
    price[upper] = np.round(np.maximum(-found.ineqlin.marginals[: int(upper.sum())], 0))
    first, tight = every.capacity
    node[tight] = price[first : first + len(tight)]
    return Relaxed(node, price[every.limit : every.limit + n])


def solve(part: Part, control: Control, most: float = SECONDS) -> Outcome | None:
    """Solve a part, or bound it as well as there is time for; None where nothing was proved.

    It has a share of the time that is left, and `most` seconds at most.

    HiGHS cannot be interrupted through SciPy: after `cancel`, and where it goes on after the deadline, it is
    left to its time limit, in a thread.

    Raises
    ------
    SolverError
        HiGHS failed.
    """
    at, tree = columns(part), part.tree
    if not len(at.cost):
        return Outcome(0, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
    matrix, low, high = rows(part, at).matrix()

    def work() -> OptimizeResult | Joined:
        if part.openings is not None:
            seconds = max(0.01, SHARE * control.left(most))
            return milp_apart(at.cost, at.most, matrix, low, high, seconds, part.openings.slack)
        return milp(
            at.cost,
            integrality=np.ones(len(at.cost), np.int64),
            bounds=Bounds(0, at.most),
            constraints=LinearConstraint(matrix, low, high),
            options={"time_limit": max(0.01, SHARE * control.left(most)), "mip_rel_gap": 0.0},
        )

    found = _left_behind(work, control)
    if found is None:
        return None
    if found.status not in ENDED:
        raise SolverError(f"HiGHS ended with status {found.status}: {found.message}")
    if found.mip_dual_bound is None or not np.isfinite(found.mip_dual_bound):
        return None
    doubt = max(DOUBT, RELATIVE_DOUBT * float(np.abs(at.cost).max(initial=0)))
    bound = int(np.ceil(found.mip_dual_bound - doubt)) + int(tree.worth.sum())
    people = np.zeros(len(tree.role_team), np.int64)
    if found.x is None:
        return Outcome(bound, None, people, people[:0])
    used = np.flatnonzero(np.round(found.x[: at.missing]) > 0)
    chosen = np.round(found.x[at.state + tree.n_starts : at.unit]) > 0
    request = np.full(len(tree.role_team), -1)
    request[tree.state_role[chosen]] = tree.state_request[chosen]
    role = part.role[part.instance.request[used]]
    people += np.bincount(role[role >= 0], minlength=len(people))
    return Outcome(bound, request, people, used)
