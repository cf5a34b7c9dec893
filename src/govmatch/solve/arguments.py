"""The arguments of `assign`, checked; each fault is a sentence that names the argument and the position."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from govmatch.errors import InvalidInput

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Costs = IntArray | FloatArray
Array = TypeVar("Array", IntArray, Costs)

MOST = 2**31 - 1
"""Arcs, requests or nodes; the kernels count them in int32."""

SHOWN = 8
"""Nodes of a cycle named in a message."""


@dataclass(frozen=True)
class Arguments:
    """What `assign` was given, as arrays of one length each, in the caller's units.

    Attributes
    ----------
    request, provider, group : int64 (n_arcs,)
    cost : int64 or float64 (n_arcs,)
    demand : int64 (n_requests,)
    unmet_cost : int64 or float64 (n_requests,)
        0 where the request is required.
    required : bool (n_requests,) or None
        None: no request is.
    capacity, parent : int64 (n_nodes,)
    load_cost : int64 or float64 (n_nodes,)
    """

    request: IntArray
    provider: IntArray
    group: IntArray
    cost: Costs
    demand: IntArray
    unmet_cost: Costs
    required: BoolArray | None
    capacity: IntArray
    parent: IntArray
    load_cost: Costs


def read_arguments(
    request: ArrayLike,
    provider: ArrayLike,
    cost: ArrayLike,
    n_requests: int | None,
    demand: ArrayLike,
    capacity: ArrayLike,
    parent: ArrayLike | None,
    load_cost: ArrayLike | None,
    unmet_cost: ArrayLike | None,
    required: ArrayLike | None,
    group: ArrayLike | None,
) -> Arguments:
    """Check the arguments of `assign`; arrays that fit are passed on, not copied, and never changed.

    Raises
    ------
    InvalidInput
        The first argument that is wrong, its first wrong position, what it holds and what is expected.
    """
    at = _one_each("request", whole("request", request), None)
    if len(at) > MOST:
        raise InvalidInput(f"request has {len(at)} arcs; expected at most 2**31 - 1")
    node = _one_each("provider", whole("provider", provider), len(at))
    price = _one_each("cost", _costs("cost", cost), len(at))
    person = node if group is None else _one_each("group", whole("group", group), len(at))
    units, room = whole("demand", demand), whole("capacity", capacity)
    above = None if parent is None else whole("parent", parent)
    step = _costs("load_cost", 0 if load_cost is None else load_cost)
    unmet = _costs("unmet_cost", 0 if unmet_cost is None else unmet_cost)
    mask = None if required is None else _mask(required)
    n_requests = _length(
        "request", at, [("demand", units), ("unmet_cost", unmet), ("required", mask)], _stated(n_requests)
    )
    n_nodes = _length("node", node, [("parent", above), ("capacity", room), ("load_cost", step)], None)
    in_range("request", at, 0, n_requests - 1, _one_of("a request", n_requests))
    in_range("provider", node, 0, n_nodes - 1, _one_of("a node", n_nodes))
    for name, values in (("demand", units), ("capacity", room), ("load_cost", step)):
        in_range(name, values, 0, None, "0 or more")
    if above is None:
        above = np.full(n_nodes, -1)
    elif above.ndim == 0:
        raise InvalidInput(f"parent is {above}; expected one number for each node, -1 at a root")
    in_range("parent", above, -1, n_nodes - 1, f"{_one_of('a node', n_nodes)}, or -1 at a root")
    refuse_cycles(above)
    must = _must(mask, n_requests, all_must=unmet_cost is None)
    unmet = _filled(unmet, n_requests)
    return Arguments(
        request=at,
        provider=node,
        group=person,
        cost=price,
        demand=_filled(units, n_requests),
        unmet_cost=unmet if must is None else np.where(must, unmet.dtype.type(0), unmet),
        required=must,
        capacity=_filled(room, n_nodes),
        parent=above,
        load_cost=_filled(step, n_nodes),
    )


def _read(name: str, value: ArrayLike) -> NDArray[np.generic]:
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        where = int(np.flatnonzero(np.ma.getmaskarray(value))[0])
        raise InvalidInput(f"{name}[{where}] is masked; expected an array without missing values")
    try:
        return np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(f"{name} cannot be read as an array of numbers: {error}") from error


def whole(name: str, value: ArrayLike) -> IntArray:
    """Return integers as int64, of any shape."""
    array = _read(name, value)
    if array.dtype.kind not in "iu" and (array.size or array.dtype.kind != "f"):
        raise InvalidInput(f"{name} has dtype {array.dtype}; expected integers")
    if array.dtype == np.uint64:
        in_range(name, array.astype(np.uint64), None, 2**63 - 1, "an integer below 2**63")
    return np.require(array, np.int64, ["C", "A", "W"])


def _costs(name: str, value: ArrayLike) -> Costs:
    """Return integers as int64 and finite floats as float64, of any shape."""
    array = _read(name, value)
    if array.dtype.kind != "f":
        if array.dtype.kind not in "iu":
            raise InvalidInput(f"{name} has dtype {array.dtype}; expected integers or floats")
        return whole(name, array)
    if array.dtype.itemsize > 8:
        raise InvalidInput(f"{name} has dtype {array.dtype}; expected integers or floats of at most 64 bits")
    if not array.size:
        return np.zeros(array.shape, np.int64)
    floats = np.require(array, np.float64, ["C", "A", "W"])
    if not (math.isfinite(floats.min()) and math.isfinite(floats.max())):  # a NaN is both
        hint = " (a request that must be served: `required`)" if name == "unmet_cost" else ""
        wrong = int(np.flatnonzero(~np.isfinite(floats))[0])
        found = floats.reshape(-1)[wrong]
        raise InvalidInput(f"{_place(name, floats, wrong)} is {found}; expected a finite number{hint}")
    return floats


def _mask(value: ArrayLike) -> BoolArray:
    array = _read("required", value)
    if array.dtype != np.bool_ and (array.size or array.dtype.kind != "f"):
        raise InvalidInput(f"required has dtype {array.dtype}; expected bool, True where it must be served")
    return array.astype(np.bool_)


def _one_each(name: str, array: Array, length: int | None) -> Array:
    """See that there is one number for each arc."""
    if array.ndim != 1:
        raise InvalidInput(f"{name} has shape {array.shape}; expected (n_arcs,), one number for each arc")
    if length is not None and len(array) != length:
        raise InvalidInput(f"{name} has {len(array)} numbers; expected {length}, one for each arc in request")
    return array


def _stated(n_requests: int | None) -> int | None:
    if n_requests is None:
        return None
    if isinstance(n_requests, bool) or not isinstance(n_requests, int | np.integer):
        raise InvalidInput(f"n_requests is {n_requests!r}; expected a whole number, or None")
    if not 0 <= n_requests <= MOST:
        raise InvalidInput(f"n_requests is {n_requests}; expected 0 or more and below 2**31")
    return int(n_requests)


def _length(
    noun: str, arcs: IntArray, given: Sequence[tuple[str, NDArray[np.generic] | None]], stated: int | None
) -> int:
    """Count requests or nodes: as stated, as the arrays given are long, or as the arcs say."""
    length, source = stated, "n_requests"
    for name, array in given:
        if array is None or array.ndim == 0:
            continue
        if array.ndim > 1:
            raise InvalidInput(f"{name} has shape {array.shape}; expected one number, or one for each {noun}")
        if length is None:
            length, source = len(array), name
        elif len(array) != length:
            raise InvalidInput(
                f"{name} has {len(array)} numbers; expected {length}, one for each {noun}, as {source} says"
            )
    if length is None:
        length = int(arcs.max(initial=-1)) + 1
    if length > MOST:
        name = "request" if noun == "request" else "provider"
        raise InvalidInput(f"{name} goes up to {length - 1}; expected {noun}s from 0 on, below 2**31 - 1")
    return length


def in_range(
    name: str, values: NDArray[np.integer | np.floating], low: int | None, high: int | None, expected: str
) -> None:
    """Refuse the first number below `low` or above `high`."""
    if not values.size:
        return
    numbers = values.reshape(-1)
    under = low is not None and numbers.min() < low
    if under or (high is not None and numbers.max() > high):
        wrong = np.zeros(len(numbers), np.bool_)
        wrong |= numbers < low if low is not None else False
        wrong |= numbers > high if high is not None else False
        first = int(np.flatnonzero(wrong)[0])
        raise InvalidInput(f"{_place(name, values, first)} is {numbers[first]}; expected {expected}")


def _place(name: str, array: NDArray[np.generic], position: int) -> str:
    return f"{name}[{position}]" if array.ndim else name


def _one_of(what: str, number: int) -> str:
    return f"{what} from 0 to {number - 1}" if number else f"{what}, and there is none"


def _filled(array: Array, length: int) -> Array:
    return np.full(length, array) if array.ndim == 0 else array


def _must(mask: BoolArray | None, n_requests: int, *, all_must: bool) -> BoolArray | None:
    """Return the mask of requests that must be served; None where none must."""
    if mask is None:
        return np.ones(n_requests, np.bool_) if all_must and n_requests else None
    must = np.full(n_requests, mask) if mask.ndim == 0 else mask
    if all_must and not must.all():
        first = int(np.flatnonzero(~must)[0])
        raise InvalidInput(
            f"required[{first}] is False and unmet_cost is None; expected unmet_cost, what leaving a unit of "
            "such a request unserved costs, or required all True"
        )
    return must if must.any() else None


def refuse_cycles(parent: IntArray) -> None:
    """Refuse a node from which no way up ends: after log2(n) doublings every way has ended in a forest."""
    jump, doublings = np.append(parent, -1), len(parent).bit_length()
    for _ in range(doublings + 1):
        if jump.max() < 0:
            return
        jump = jump[jump]
    node = int(jump.max())
    cycle = [node]
    while (node := int(parent[node])) != cycle[0]:
        cycle.append(node)
    smallest = cycle.index(min(cycle))
    cycle = cycle[smallest:] + cycle[:smallest]
    shown = [str(k) for k in cycle[:SHOWN]] + ["…"] * (len(cycle) > SHOWN) + [str(cycle[0])]
    raise InvalidInput(
        f"parent has the cycle {' → '.join(shown)}; expected a forest, in which every way up ends at a -1"
    )
