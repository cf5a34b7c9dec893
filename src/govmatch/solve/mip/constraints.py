"""Linear constraints, collected kind by kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Rows:
    """Linear constraints ``low <= A x <= high``, collected kind by kind."""

    def __init__(self, n_columns: int) -> None:
        self._n_columns, self._n = n_columns, 0
        self._row: list[IntArray] = []
        self._column: list[IntArray] = []
        self._value: list[FloatArray] = []
        self._low: list[FloatArray] = []
        self._high: list[FloatArray] = []
        self.capacity: tuple[int, IntArray] = (0, np.zeros(0, np.int64))
        """The first row of those of capacities, and the node of each."""
        self.limit = 0
        """The first row of those of rules, behind which come those of floors."""

    def add(self, low: ArrayLike, high: ArrayLike, *terms: tuple[ArrayLike, ArrayLike, ArrayLike]) -> int:
        """Add rows, as many as there are limits; a term has rows of these, columns and factors.

        Returns the number of the first.
        """
        limits = np.broadcast_arrays(np.asarray(low, np.float64), np.asarray(high, np.float64))
        for row, column, value in terms:
            row, column, value = np.broadcast_arrays(row, column, np.asarray(value, np.float64))
            self._row.append(row.astype(np.int64) + self._n)
            self._column.append(column.astype(np.int64))
            self._value.append(value)
        self._low.append(limits[0])
        self._high.append(limits[1])
        self._n += len(limits[0])
        return self._n - len(limits[0])

    def matrix(self) -> tuple[csr_matrix, FloatArray, FloatArray]:
        """Return the matrix and both limits."""
        entries = (np.concatenate(self._row), np.concatenate(self._column))
        shape = (self._n, self._n_columns)
        matrix = csr_matrix((np.concatenate(self._value), entries), shape=shape)
        return matrix, np.concatenate(self._low), np.concatenate(self._high)
