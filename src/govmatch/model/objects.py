"""Operations on arrays of objects that numpy does not name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch.model.encoded import BoolArray


def each(function: Callable[[Any], object], values: NDArray[Any]) -> NDArray[Any]:
    """Return ``function(value)`` of every value, as objects. For odd cells and distinct values only: slow."""
    return np.asarray(np.frompyfunc(function, 1, 1)(values), dtype=object)


def each_pair(
    function: Callable[[Any], tuple[object, object]], values: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both results of ``function(value)`` of every value, as `each` does."""
    first, second = np.frompyfunc(function, 1, 2)(values)
    return np.asarray(first, dtype=object), np.asarray(second, dtype=object)


def spread(values: NDArray[Any], codes: NDArray[Any], absent: Any) -> NDArray[Any]:
    """Return ``values[codes]``, and `absent` where the code is -1."""
    found: NDArray[Any] = np.append(values, np.array([absent], dtype=values.dtype))[codes]
    return found


def is_none(values: NDArray[Any]) -> BoolArray:
    """Tell which objects are None."""
    nothing: Any = None
    return np.asarray(values == nothing, dtype=bool)
