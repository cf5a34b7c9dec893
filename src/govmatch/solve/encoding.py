"""Checked arguments as an `Instance` of int64 costs that cannot overflow, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import fsum

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.solve.arguments import Arguments, BoolArray, Costs
from govmatch.solve.certificate import ROOM, Proof, exact_dot, exact_sum, node_loads
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.required import leaving_cost, leaving_cost_about
from govmatch.solve.scaling import FloatArray, Scale, choose_scale, exact_terms

IntArray = NDArray[np.int64]

LARGEST_FLOAT = 1e300
WHOLE_FLOATS = 2**53

OUTWEIGHING, FAR_DEARER = 2.0**16, 2.0**26
"""To how many times all other costs an unmet cost is lowered at most, and beyond how many it is."""


@dataclass(frozen=True)
class OwnCosts:
    """The caller's costs as floats, and how they were scaled to the instance's."""

    cost: FloatArray
    unmet_cost: FloatArray
    load_cost: FloatArray
    scale: Scale


@dataclass(frozen=True)
class Encoded:
    """An instance with whole costs, in which leaving a required request unserved is never cheaper.

    Attributes
    ----------
    instance : Instance
    required : bool (n_requests,) or None
        None: no request is.
    own : OwnCosts or None
        None where all costs are integers: the instance's are the caller's.
    """

    instance: Instance
    required: BoolArray | None
    own: OwnCosts | None

    @property
    def resolution(self) -> int | float:
        """To what part of the caller's unit costs are looked at."""
        return 1 if self.own is None else self.own.scale.resolution

    def real(self, duals: IntArray) -> Costs:
        """Duals or prices in the caller's unit."""
        return duals if self.own is None else self.own.scale.real(duals)

    def whole(self, duals: Costs) -> IntArray:
        """Duals or prices of the caller's unit in the instance's, rounded."""
        if self.own is None:
            return np.asarray(duals, np.int64)
        return self.own.scale.whole(np.asarray(duals, np.float64))

    def amounts(self, solution: Solution, proof: Proof) -> tuple[int | float, int | float, float]:
        """Return a flow's cost, the bound and the gap, on the caller's own costs."""
        own = self.own
        if own is None:
            return proof.primal, proof.bound, proof.gap
        load = node_loads(self.instance, solution.flow)
        total = fsum(
            exact_terms(own.cost, solution.flow)
            + exact_terms(own.unmet_cost, solution.unmet)
            + exact_terms(own.load_cost, load * (load - 1) // 2)
        )
        bound = own.scale.below(proof.bound)
        if own.scale.exact:
            least = max(own.scale.factor, Fraction(abs(proof.primal)))
            return total, bound, float((proof.primal - proof.bound) / least)
        return total, bound, max(0.0, (total - bound) / max(1.0, abs(total)))


def encode(given: Arguments) -> Encoded:
    """Scale floats, price required requests, and see that nothing can overflow.

    With units the smaller of all demand and the number of arcs, no flow costs more, in absolute value,
    than ``spread = max|cost| * units + max|unmet_cost| * demand + sum_k load_cost_k u_k (u_k - 1) / 2``,
    ``u_k = min(capacity_k, units)``, each cost counted at least once. That, and what leaving all required
    units would cost inside, stays below 2**62.

    Raises
    ------
    InvalidInput
        Where costs times units do not fit, naming the argument that is largest.
    """
    if _all_integers(given):
        whole = _integers(given.cost, given.unmet_cost, given.load_cost)
        return Encoded(_instance(given, *whole), given.required, None)
    cost = _as_floats("cost", given.cost)
    unmet_cost = _as_floats("unmet_cost", given.unmet_cost)
    load_cost = _as_floats("load_cost", given.load_cost)
    scale = _scale(given, cost, unmet_cost, load_cost)
    instance = _instance(given, scale.whole(cost), scale.whole(unmet_cost), scale.whole(load_cost))
    return Encoded(instance, given.required, OwnCosts(cost, unmet_cost, load_cost, scale))


def bound_unmet_cost(given: Arguments) -> Arguments:
    """Lower float unmet costs far beyond all others ("must be served, if possible") to what outweighs any.

    The rounding of all costs then does not go by them. What is optimal at lower unmet costs is so at the
    caller's, and its bound is a bound there, if it leaves no unit of these requests unmet.
    """
    if _all_integers(given):
        return given
    cost, unmet_cost, load_cost = (
        np.asarray(costs, np.float64) for costs in (given.cost, given.unmet_cost, given.load_cost)
    )
    others = _largest(cost) + _largest(load_cost)
    if not 0 < others * FAR_DEARER < unmet_cost.max(initial=0):
        return given
    every = np.ones(len(given.demand), np.bool_)
    with np.errstate(over="ignore"):
        most = leaving_cost_about(_shape(given), cost, unmet_cost, load_cost, every)
    # a whole number, so that amounts in cents stay such
    limit = np.ceil(max(most, others * OUTWEIGHING))
    if limit >= unmet_cost.max():
        return given
    return replace(given, unmet_cost=np.minimum(unmet_cost, limit))


def _all_integers(given: Arguments) -> bool:
    return all(costs.dtype.kind == "i" for costs in (given.cost, given.unmet_cost, given.load_cost))


def _scale(given: Arguments, cost: FloatArray, unmet_cost: FloatArray, load_cost: FloatArray) -> Scale:
    spread = float(_spread(given, cost, unmet_cost, load_cost, LARGEST_FLOAT))
    steps = load_cost * np.clip(given.capacity, 1, max(1, len(cost)))
    largest = float(_largest(cost)) + float(_largest(unmet_cost)) + float(_largest(steps))
    room = spread
    if given.required is not None:
        leaving = leaving_cost_about(_shape(given), cost, unmet_cost, load_cost, given.required)
        largest += leaving
        room += leaving * float(exact_sum(given.demand[given.required]))
        if not room < LARGEST_FLOAT:
            raise InvalidInput(_too_dear(leaving, LARGEST_FLOAT))
    return choose_scale((cost, unmet_cost, load_cost), spread, room, largest)


def _instance(given: Arguments, cost: IntArray, unmet_cost: IntArray, load_cost: IntArray) -> Instance:
    spread = _spread(given, cost, unmet_cost, load_cost, ROOM)
    instance = replace(_shape(given), cost=cost, unmet_cost=unmet_cost, load_cost=load_cost)
    if given.required is None:
        return instance
    leaving = leaving_cost(instance, given.required)
    if spread + leaving * exact_sum(given.demand[given.required]) >= ROOM:
        raise InvalidInput(_too_dear(leaving, ROOM))
    return replace(instance, unmet_cost=np.where(given.required, leaving, unmet_cost))


def _shape(given: Arguments) -> Instance:
    """Lay out an instance without costs."""
    none = np.zeros(0, np.int64)
    return Instance(
        request=given.request,
        node=given.provider,
        group=given.group,
        cost=none,
        demand=given.demand,
        unmet_cost=none,
        capacity=given.capacity,
        parent=given.parent,
        load_cost=np.zeros(len(given.parent), np.int64),
    )


def _spread(given: Arguments, cost: Costs, unmet_cost: Costs, load_cost: Costs, room: float) -> int | float:
    """Return an upper limit on what any flow's costs add up to, refused where it does not fit."""
    free = given.demand if given.required is None else given.demand[~given.required]
    demand = exact_sum(given.demand)
    units = max(1, min(demand, len(cost)))
    most = np.minimum(given.capacity, units)
    parts = {
        "cost": (cost, _largest(cost) * units),
        "unmet_cost": (unmet_cost, _largest(unmet_cost) * max(1, exact_sum(free))),
        "load_cost": (load_cost, _dot(load_cost, np.maximum(1, most * (most - 1) // 2))),
    }
    total = sum(part for _, part in parts.values())
    if not total < room:
        name = max(parts, key=lambda argument: parts[argument][1])
        values = parts[name][0]
        at = int(values.argmax() if values.max().item() >= -values.min().item() else values.argmin())
        raise InvalidInput(
            f"{name}[{at}] is {values[at]}: over up to {demand} units, costs may add up to {total:.3g}; "
            f"expected below {_limit(room)}: give smaller costs, in a coarser unit"
        )
    return total


def _dot(costs: Costs, units: IntArray) -> int | float:
    if costs.dtype.kind == "i":
        return exact_dot(*_integers(costs, units))
    return float(costs @ units) * (1 + 2.0**-20)


def _largest(values: Costs) -> int | float:
    if not len(values):
        return 0
    low: int | float = values.min().item()
    high: int | float = values.max().item()
    return max(-low, high)


def _too_dear(leaving: float, room: float) -> str:
    return (
        "cost is too large for requests that must be served: leaving one of their units must cost "
        f"{leaving:.3g} inside, which over all of them is beyond {_limit(room)}; expected smaller costs, "
        "in a coarser unit"
    )


def _limit(room: float) -> str:
    return "2**62" if room == ROOM else f"{LARGEST_FLOAT:g}"


def _integers(*arrays: Costs) -> list[IntArray]:
    return [np.asarray(array, np.int64) for array in arrays]


def _as_floats(name: str, costs: Costs) -> FloatArray:
    if costs.dtype.kind == "i" and _largest(costs) > WHOLE_FLOATS:
        at = int(np.flatnonzero((costs > WHOLE_FLOATS) | (costs < -WHOLE_FLOATS))[0])
        raise InvalidInput(
            f"{name}[{at}] is {costs[at]}, and other costs are floats, which hold whole numbers up to 2**53 "
            "only; expected integers throughout, or smaller ones"
        )
    return np.asarray(costs, np.float64)
