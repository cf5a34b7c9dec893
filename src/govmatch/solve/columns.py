"""Columns of an instance, checked one by one: their dtype, shape, range and order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput

IntArray = NDArray[np.int64]


def check_column(
    name: str,
    values: NDArray[np.signedinteger[Any]],
    shape: tuple[int, ...],
    low: int,
    high: int,
    kind: str = "int64",
) -> None:
    """Refuse a column of another kind or shape, or not within `low` and `high`, both allowed.

    Raises
    ------
    InvalidInput
        It names the column and the first wrong position.
    """
    if values.dtype != np.dtype(kind) or values.shape != shape:
        raise InvalidInput(
            f"{name} has dtype {values.dtype} and shape {values.shape}; expected {kind} and {shape}"
        )
    if values.size and (values.min() < low or values.max() > high):
        wrong = (values < low) | (values > high)
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise InvalidInput(f"{name}[{', '.join(map(str, at))}] is {values[at]}; expected {low} to {high}")


def check_ascending(name: str, values: IntArray) -> None:
    """Refuse a column in which a number is less than the one before it."""
    down = np.flatnonzero(np.diff(values) < 0)
    if len(down):
        raise InvalidInput(f"{name}[{down[0] + 1}] is less than the one before it; expected ascending order")
