"""`assign`: sparse capacitated assignment on a capacity forest, on plain arrays, with its proof."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from govmatch.errors import Infeasible, SolverError
from govmatch.solve import flow, witness
from govmatch.solve.arguments import Arguments, BoolArray, Costs, read_arguments
from govmatch.solve.certificate import exact_sum, prove, valid_duals
from govmatch.solve.control import Control, Signal
from govmatch.solve.encoding import Encoded, bound_unmet_cost, encode
from govmatch.solve.instance import Instance, Solution, Termination

IntArray = NDArray[np.int64]

ARC_SECONDS = 1e-7
"""What is kept back of a time limit for making a flow of what there is, and for its proof."""


@dataclass(frozen=True, eq=False, repr=False)
class Assignment:
    """What `assign` found, and the duals that prove how good it is.

    Costs, duals and the bound are in the caller's unit: int64 and Python integers where all costs given
    were integers, floats where one was not.

    Attributes
    ----------
    flow : int64 (n_arcs,)
        1 where the arc is used, else 0.
    unmet : int64 (n_requests,)
        Units of each request that nobody serves.
    total_cost : int or float
        Of the flow, on the costs given; floats are summed exactly and rounded once.
    request_dual : int64 or float64 (n_requests,)
        u of the bound below. At most the unmet cost of a request that need not be served; of one that
        must be, as large as it takes (where no more could be served, as large as leaving it costs inside).
    price : int64 or float64 (n_nodes,)
        y of the bound below, >= 0: the node's own; an arc pays the sum over its node and all above it.
    bound : int or float
        No feasible flow costs less.
    gap : float
        ``(total_cost - bound) / max(1, |total_cost|)``; infinity where `unmet` shows that a request that
        must be served is not.
    termination : {"optimal", "gap", "time_limit", "cancelled"}
        "optimal": proved, at the resolution. "gap": the gap asked for is proved. Else why it ended early.
    resolution : int or float
        To what part of the unit costs were looked at; 1 for integers.

    Notes
    -----
    Any duals prove a bound, and these prove `bound`::

        sum_r n_r u_r - sum_k phi*_k(y_k) - sum_{(r, g)} max(0, max_{a of r in group g} (u_r - c_a - Y_a))

    where ``Y_a`` sums the prices of the node of arc a and of all above it, and ``phi*_k(y) =
    sum_{j = 1 .. capacity_k} max(0, y - (j - 1) load_cost_k)``.
    """

    flow: IntArray
    unmet: IntArray
    total_cost: int | float
    request_dual: Costs
    price: Costs
    bound: int | float
    gap: float
    termination: Termination
    resolution: int | float

    def __repr__(self) -> str:
        served, unmet = int(self.flow.sum()), exact_sum(self.unmet)
        return (
            f"Assignment({self.termination}: {served} of {served + unmet} units served, "
            f"total_cost={self.total_cost}, bound={self.bound}, gap={self.gap:.3g})"
        )


def assign(
    request: ArrayLike,
    provider: ArrayLike,
    cost: ArrayLike,
    *,
    n_requests: int | None = None,
    demand: ArrayLike = 1,
    capacity: ArrayLike = 1,
    parent: ArrayLike | None = None,
    load_cost: ArrayLike | None = None,
    unmet_cost: ArrayLike | None = None,
    required: ArrayLike | None = None,
    group: ArrayLike | None = None,
    time_limit: float | None = None,
    gap: float = 0.0,
    cancel: Signal | None = None,
) -> Assignment:
    """Assign requests to providers at least cost, and prove it.

    ::

        min   sum_a cost_a x_a + sum_r unmet_cost_r z_r + sum_k load_cost_k load_k (load_k - 1) / 2
        s.t.  sum_{a of r} x_a + z_r = demand_r        every request r; z_r = 0 where it is required
              load_k = sum_{a at or below k} x_a <= capacity_k      every node k of the forest
              x_a in {0, 1}, at most one of a request's arcs of one group

    Arcs may come in any order and be repeated. No argument is modified.

    Parameters
    ----------
    request : array_like of int (n_arcs,)
        The request of each arc, from 0.
    provider : array_like of int (n_arcs,)
        The node of the forest that each arc enters, from 0: any node, a leaf or an inner one.
    cost : array_like of int or float (n_arcs,)
        Of one unit along each arc, in any one unit; may be negative.
    n_requests : int, optional
        Default: as long as `demand`, `unmet_cost` or `required` is, else up to the largest in `request`.
    demand : array_like of int, default 1
        Units that each request needs, >= 0, from as many groups; one number, or (n_requests,).
    capacity : array_like of int, default 1
        Units that each node lets through, >= 0, inner nodes, too; one number, or (n_nodes,). There are as
        many nodes as `parent`, `capacity` or `load_cost` is long, else up to the largest in `provider`.
    parent : array_like of int (n_nodes,), optional
        The node above each node, in any labelling; -1 at a root. Default: every node is a root.
    load_cost : array_like of int or float, optional
        The j-th unit through a node costs ``(j - 1) * load_cost`` more, >= 0; one number, or (n_nodes,).
    unmet_cost : array_like of int or float, optional
        What leaving a unit of each request unserved costs; one number, or (n_requests,). Default: every
        request must be served.
    required : array_like of bool (n_requests,), optional
        True where a request must be served whole, whatever its unmet cost.
    group : array_like of int (n_arcs,), optional
        Arcs of one request with equal group count once: one person's slots. Default: the provider.
    time_limit : float, optional
        Seconds above 0. Reading the arrays, laying them out and proving what was found are not cut short:
        some 0.2 s a million arcs.
    gap : float, default 0.0
        May stop at a proved gap of at most this.
    cancel : object, optional
        With ``is_set()``, such as a `threading.Event`: set from elsewhere, it stops the search.

    Returns
    -------
    Assignment
        Stopped early, by the time limit or `cancel`, it holds the best flow there is, which keeps every
        limit, and a true bound. A request that must be served may then still be unmet, which proves
        nothing: `unmet` tells, `gap` is infinity, and `total_cost` is that of the units served.

    Raises
    ------
    InvalidInput
        A wrong argument (also a ValueError): its type, length or range, a cycle in `parent`, a float that
        is not finite, or costs that times the units do not fit below 2**62. The message names the
        argument and the first wrong position.
    Infeasible
        Requests that must be served cannot all be; its ``witness`` proves it and is checked before.
    SolverError
        An answer that its own proof refuses: a defect, please report it.

    Notes
    -----
    A min-cost flow, so that an optimal flow is integral (Ahuja, Magnanti & Orlin 1993, Network Flows).
    Every answer is proved before it is returned, by code that shares nothing with the solver: see the
    bound at `Assignment`. A cost and bound that are equal mean optimal.

    **Floats.** If a cost, an unmet cost or a load cost is a float, all are read as float64 and scaled to
    int64 by a power of two or ten, without rounding where one exists that fits (whole numbers, halves,
    quarters, …), to the decimal where the floats are rounded decimals (amounts in cents), else as finely
    as fits. `total_cost` is that of the caller's own floats. With B the bound at the scaled costs,

        bound = B / factor - slack,  rounded down,

    is a true bound at the caller's own: slack is 0 for powers of two, where costs are exact or rounded
    down; for powers of ten it is 2**-53 times an upper limit on the sum of absolute costs of any flow
    (a float is its decimal to within that part of itself). ``resolution = 1 / factor``. The duals are those
    of the scaled costs, divided by factor: the formula gives the bound from them, up to rounding.

    **Required requests** get an unmet cost inside that no way of serving them can exceed. It follows from
    the costs, and it, times the units required, must fit as well.

    Examples
    --------
    Two requests, two volunteers; both requests prefer volunteer 0:

    >>> import govmatch as gm
    >>> r = gm.assign([0, 0, 1, 1], [0, 1, 0, 1], [10, 14, 12, 30])
    >>> r.flow
    array([0, 1, 1, 0])
    >>> r
    Assignment(optimal: 2 of 2 units served, total_cost=26, bound=26, gap=0)

    Three requests that may stay unserved at 60; slots 0 and 1 belong to person 2, who does one job:

    >>> r = gm.assign([0, 1, 2], [0, 1, 1], [5, 7, 6], parent=[2, 2, -1], unmet_cost=60)
    >>> r.unmet
    array([0, 1, 1])

    If all three must be served, the proof that they cannot be:

    >>> gm.assign([0, 1, 2], [0, 1, 1], [5, 7, 6], parent=[2, 2, -1])
    Traceback (most recent call last):
        ...
    govmatch.errors.Infeasible: requests 0, 1 and 2 must be served and need 3 units, but can get 1 at most: \
node 2 lets 1 through
    """
    control = Control(time_limit, cancel, gap)
    given = read_arguments(
        request,
        provider,
        cost,
        n_requests=n_requests,
        demand=demand,
        capacity=capacity,
        parent=parent,
        load_cost=load_cost,
        unmet_cost=unmet_cost,
        required=required,
        group=group,
    )
    if control.deadline is not None:
        control.deadline -= ARC_SECONDS * len(given.request)
    encoded, solution = _solved(given, control)
    must = encoded.required
    if solution.termination == "gap" and (_unserved(solution, must) or _gap(encoded, solution) > control.gap):
        # costs with what leaving a required unit costs inside, or finer than they can be told, prove nothing
        control.gap = 0.0
        solution = flow.solve(encoded.instance, control)
    if solution.termination == "optimal" and must is not None and _unserved(solution, must):
        raise Infeasible(_proved_witness(encoded.instance, must, solution))
    return _told(encoded, solution, control)


def _solved(given: Arguments, control: Control) -> tuple[Encoded, Solution]:
    encoded, bounded = encode(given), bound_unmet_cost(given)
    if bounded is given:
        return encoded, flow.solve(encoded.instance, control)
    finer = encode(bounded)
    solution = flow.solve(finer.instance, control)
    if not (solution.unmet[bounded.unmet_cost < given.unmet_cost] > 0).any():
        return finer, solution
    # what stays unmet in spite of it is to be weighed at its own cost
    if control.reason is None:
        return encoded, flow.solve(encoded.instance, control)
    # no time for that: the flow is one, and any duals prove a bound
    dual, price = (encoded.whole(finer.real(duals)) for duals in (solution.request_dual, solution.price))
    return encoded, Solution(solution.flow, solution.unmet, dual, price, control.reason)


def _gap(encoded: Encoded, solution: Solution) -> float:
    """Return the gap on the caller's own costs."""
    return encoded.amounts(solution, prove(encoded.instance, solution, encoded.required))[2]


def _unserved(solution: Solution, must: BoolArray | None) -> bool:
    return must is not None and bool((solution.unmet[must] > 0).any())


def _proved_witness(instance: Instance, must: BoolArray, solution: Solution) -> witness.Witness:
    found = witness.find(instance, must, solution)
    if found is None:
        raise SolverError("the solver left a required request unserved that could be served")
    faults = witness.check(instance, must, found)
    if faults:
        raise SolverError("the witness of infeasibility proves nothing: " + "; ".join(faults))
    return found


def _told(encoded: Encoded, solution: Solution, control: Control) -> Assignment:
    """Prove a solution and tell it in the caller's unit."""
    must = encoded.required
    proof = prove(encoded.instance, solution, must)
    total, bound, gap = encoded.amounts(solution, proof)
    termination = solution.termination
    proved = proof.primal == proof.bound
    if _unserved(solution, must):
        gap = math.inf
    elif proved:
        termination = "optimal"
    elif termination == "optimal":
        raise SolverError(f"the duals prove {bound} and not the cost {total} of what is said to be optimal")
    elif gap <= control.gap:
        termination = "gap"
    dual, price = valid_duals(encoded.instance, solution.request_dual, solution.price, must)
    return Assignment(
        flow=solution.flow,
        unmet=solution.unmet,
        total_cost=total,
        request_dual=encoded.real(dual),
        price=encoded.real(price),
        bound=bound,
        gap=gap,
        termination=termination,
        resolution=encoded.resolution,
    )
