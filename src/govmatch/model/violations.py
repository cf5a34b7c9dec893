"""Faults of the tables, gathered in batches and told as one DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMNS = ("table", "row", "column", "code", "message", "value")
WHOLE = -1  # the row of a fault that concerns a whole table or column

_SHOWN = 60


def shown(value: object) -> str:
    """Return a value as a person would want to see it in a sentence: quoted, and never long."""
    try:
        text = repr(value) if isinstance(value, str | bytes) else str(value)
    except ValueError:  # Python refuses to print integers of more than 4,300 digits
        text = f"a very large {type(value).__name__}"
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"
    return text.encode("utf-8", "replace").decode("utf-8")


class Violations:
    """A growing list of faults."""

    def __init__(self) -> None:
        self._parts: list[pd.DataFrame] = []

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def whole(self, table: str, column: str, code: str, message: str, value: object = None) -> None:
        """Add a fault of a whole table (`column` empty) or a whole column."""
        self.rows(table, column, code, message, [WHOLE], [value])

    def rows(
        self,
        table: str,
        column: str,
        code: str,
        message: str,
        rows: NDArray[np.intp] | Sequence[int],
        values: Sequence[object] | NDArray[Any],
    ) -> None:
        """Add one fault a row; ``{}`` in `message` stands for the value."""
        found = [None if value is None else shown(value) for value in values]
        self._parts.append(
            pd.DataFrame(
                {
                    "table": table,
                    "row": np.asarray(rows, dtype=np.int64),
                    "column": column,
                    "code": code,
                    "message": [message.replace("{}", text or "nothing") for text in found],
                    "value": np.array(found, dtype=object),
                }
            )
        )

    def mask(
        self, table: str, column: str, code: str, message: str, mask: NDArray[np.bool_], values: NDArray[Any]
    ) -> None:
        """Add a fault for every row where `mask` holds; `values` are all rows' values."""
        rows = np.flatnonzero(mask)
        if len(rows):
            self.rows(table, column, code, message, rows, values[rows].tolist())

    def frame(self) -> pd.DataFrame:
        """Return the faults: table, row (-1: all), column ("" for a whole table), code, message, value."""
        if not self._parts:
            empty = {name: pd.Series([], dtype=object) for name in COLUMNS}
            return pd.DataFrame(empty).astype({"row": np.int64})
        return pd.concat(self._parts, ignore_index=True)
