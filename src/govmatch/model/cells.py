"""Canonical columns, and what reading any of them has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.encoded import BoolArray, TextArray
from govmatch.model.schema import Column
from govmatch.model.violations import Violations


@dataclass
class Cells:
    """A canonical column.

    `values` by kind: id, text and choice object (str or None); int int64; float float64; bool bool;
    time int64 instants; date int32 days. Where `missing`, `values` holds None, NaN or 0. Texts may come
    with `codes` into `uniques`, -1 for None.
    """

    values: NDArray[Any]
    missing: BoolArray | None = None  # no default took its place; None: nowhere
    faulty: BoolArray | None = None
    codes: NDArray[np.intp] | None = None
    uniques: TextArray | None = None

    @property
    def present(self) -> BoolArray:
        """Where there is a value, of its own or by default."""
        return np.ones(len(self.values), dtype=bool) if self.missing is None else ~self.missing

    @property
    def sound(self) -> BoolArray:
        """Where no fault was found."""
        return np.ones(len(self.values), dtype=bool) if self.faulty is None else ~self.faulty


def absent(column: Column, n: int) -> Cells:
    """Return the cells of a column that was not given."""
    kind = column.kind
    if kind in ("id", "text", "choice"):
        uniques = np.array([] if column.default is None else [column.default], dtype=object)
        codes = np.full(n, len(uniques) - 1, dtype=np.intp)
        values = np.full(n, column.default, dtype=object)
        return Cells(values, _all(n) if column.default is None else None, None, codes, uniques)
    dtype = {"int": np.int64, "float": np.float64, "bool": np.bool_, "time": np.int64, "date": np.int32}[kind]
    if column.default is not None:
        return Cells(np.full(n, column.default, dtype=dtype))
    return Cells(np.full(n, np.nan if kind == "float" else 0, dtype=dtype), _all(n))


def _all(n: int) -> BoolArray:
    return np.ones(n, dtype=bool)


def _or(left: BoolArray | None, right: BoolArray) -> BoolArray | None:
    if not right.any():
        return left
    return right if left is None else left | right


class Reader:
    """What the readers of all kinds share: the series, where it is from, and where faults go."""

    def __init__(self, series: pd.Series[Any], table: str, column: Column, violations: Violations) -> None:
        if isinstance(series.dtype, pd.SparseDtype):
            series = pd.Series(np.asarray(series))
        self.series, self.table, self.column, self.violations = series, table, column, violations
        self.n = len(series)
        self.faulty: BoolArray | None = None

    def fault(self, code: str, message: str, mask: BoolArray) -> None:
        """Report the cells of `mask` unless an earlier fault did."""
        if self.faulty is not None:
            mask = mask & ~self.faulty
        if not mask.any():
            return
        rows = np.flatnonzero(mask)
        found = self.series.iloc[rows].to_numpy(dtype=object)
        self.violations.rows(self.table, self.column.name, code, message, rows, found.tolist())
        self.faulty = _or(self.faulty, mask)

    def gaps(self, missing: BoolArray | None) -> BoolArray | None:
        """Report gaps where a value is required, and return where a value is missing, faults included."""
        if missing is not None and not missing.any():
            missing = None
        if missing is not None and self.column.required:
            message = f"a value is required: {self.column.meaning}"
            self.fault("null", message, missing)
        if self.faulty is None:
            return missing
        return self.faulty if missing is None else missing | self.faulty

    def fill(self, values: NDArray[Any], missing: BoolArray | None) -> Cells:
        """Put the default where nothing is."""
        if missing is None or self.column.default is None:
            return Cells(values, missing, self.faulty)
        values = values.copy()
        values[missing] = self.column.default
        return Cells(values, None, self.faulty)
