"""Columns and ids as plain arrays, for the verifier's own reading of the tables."""

from __future__ import annotations

from functools import cached_property
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
    if isinstance(column, pd.Series) and pd.api.types.is_object_dtype(column.dtype):
        return np.asarray(column.to_numpy())
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
        self._index: pd.Index[Any] = pd.Index(self.values, dtype=object)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, position: int) -> Any:
        return self.values[position]

    @cached_property
    def position(self) -> dict[Any, int]:
        """Positions, for few ids at a time."""
        return dict(zip(self.values.tolist(), range(len(self.values)), strict=True))

    def at(self, ids: Any) -> IntArray:
        """Return the position of each id, -1 where unknown."""
        wanted: pd.Index[Any] = pd.Index(np.asarray(ids, dtype=object), dtype=object)
        return np.asarray(self._index.get_indexer(wanted), dtype=np.int64)


def table_of(tables: Any, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a table, or an empty one where it was not given."""
    if name in tables:
        return pd.DataFrame(tables[name])
    return pd.DataFrame({c: pd.Series(dtype=object) for c in columns})


def place_of(table: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Return the rows' own WGS-84 degrees, NaN where they state none."""
    return wgs84(floats(table["lat"]), floats(table["lon"]), objects(table["crs"]))
