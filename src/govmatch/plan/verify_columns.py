"""Columns and ids as plain arrays, for the verifier's own reading of the tables."""

from __future__ import annotations

from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.plan.verify_travel import FloatArray, wgs84

IntArray = NDArray[np.int64]
ObjectArray = NDArray[np.object_]
BoolArray = NDArray[np.bool_]


def floats(column: Any) -> FloatArray:
    """Return a column as float64, NaN where absent."""
    return np.asarray(pd.Series(column).to_numpy(dtype=np.float64, na_value=np.nan))


def whole(column: Any, default: float = 0) -> IntArray:
    """Return a column as int64, `default` where absent."""
    values = floats(column)
    return np.where(np.isnan(values), default, values).astype(np.int64)


def objects(column: Any) -> ObjectArray:
    """Return a column as Python objects, None where absent; canonical ones are so already."""
    if isinstance(column, pd.Series | np.ndarray) and pd.api.types.is_object_dtype(column.dtype):
        return np.asarray(column)
    values = pd.Series(column).astype(object)
    array: ObjectArray = values.to_numpy(dtype=object, copy=True)
    array[values.isna().to_numpy()] = None
    return array


def at_or(values: NDArray[Any], place: IntArray, default: Any) -> NDArray[Any]:
    """Take `values` at `place`, `default` where `place` is -1."""
    padded = np.empty(len(values) + 1, dtype=values.dtype)
    padded[:-1] = values
    padded[-1] = default
    return padded[place]


class Ids:
    """Unique ids by position."""

    def __init__(self, values: Any) -> None:
        self.values = objects(values)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, position: int) -> Any:
        return self.values[position]

    @cached_property
    def position(self) -> dict[Any, int]:
        """The position of each id."""
        return dict(zip(self.values.tolist(), range(len(self.values)), strict=True))

    def at(self, ids: Any) -> IntArray:
        """Return the position of each id, -1 where unknown."""
        # half the time of a pandas index, for a lookup or two
        wanted = np.asarray(ids, dtype=object).tolist()
        return np.fromiter(map(self.position.get, wanted, repeat(-1)), np.int64, len(wanted))


def table_of(tables: Any, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a table, or an empty one where it was not given."""
    if name in tables:
        return pd.DataFrame(tables[name])
    return pd.DataFrame({c: pd.Series(dtype=object) for c in columns})


def place_of(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Return the rows' own WGS-84 degrees, NaN where they state none."""
    return wgs84(floats(table["lat"]), floats(table["lon"]), objects(table["crs"]))
