"""The flow tier: an instance in, its optimum and duals out, within a time limit."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.greedy import take_in_order
from govmatch.errors import SolverError
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.network import Network, build, flow_of, solution_of

IntArray = NDArray[np.int64]

FEATURES = frozenset({"single_role", "several_people", "load_cost"})
"""What the tier can honour."""

_FIELDS = ("tail", "head", "capacity", "cost", "supply", "binding", "up")


def solve(instance: Instance, deadline: float | None = None) -> Solution:
    """Solve an instance exactly, or greedily where `deadline` comes first.

    Parameters
    ----------
    instance : Instance
    deadline : float, optional
        A value of ``time.monotonic()``. OR-Tools cannot be interrupted and holds the GIL, so with
        a deadline it runs in a process of its own that is ended when time is up.

    Returns
    -------
    Solution
        With termination "optimal", or "time_limit" and duals that still prove a bound.
    """
    network = build(instance)
    if deadline is None:
        return solution_of(instance, network, flow_of(network))
    flow = _flow_by(network, deadline)
    if flow is None:
        return greedy(instance)
    return solution_of(instance, network, flow)


def greedy(instance: Instance) -> Solution:
    """Serve what saves most first. The duals ignore capacity: each request at its cheapest arc."""
    gain = instance.cost - instance.unmet_cost[instance.request]
    order = np.lexsort((instance.cost, gain))
    order = order[gain[order] < 0]
    left, flow = instance.demand.copy(), np.zeros(len(instance.request), np.int64)
    take_in_order(
        order,
        instance.request,
        instance.node,
        instance.group,
        instance.parent,
        left,
        instance.capacity.copy(),
        flow,
    )
    dual = instance.unmet_cost.copy()
    np.minimum.at(dual, instance.request, instance.cost)
    return Solution(flow, left, dual, np.zeros(len(instance.parent), np.int64), "time_limit")


def _flow_by(network: Network, deadline: float) -> IntArray | None:
    left = deadline - time.monotonic()
    if left <= 0:
        return None
    packed = io.BytesIO()
    np.savez(packed, **{name: getattr(network, name) for name in _FIELDS})
    # -P and a path at the end: no file beside the user's script stands in for the standard library
    start = f"import sys; sys.path.append({str(Path(__file__).parents[2])!r}); "
    start += "from govmatch.solve.worker import main; main()"
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", start],
            input=packed.getvalue(),
            capture_output=True,
            timeout=max(0.0, deadline - time.monotonic()),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        raise SolverError(f"a process for the flow solver could not be started: {error}") from error
    if done.returncode:
        raise SolverError("the flow solver's process failed: " + done.stderr.decode(errors="replace")[-500:])
    return np.asarray(np.load(io.BytesIO(done.stdout)), np.int64)
