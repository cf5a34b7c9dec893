"""Digests of problems: equal where nothing that matters differs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.sheets import Sheets

if TYPE_CHECKING:
    from hashlib import blake2b


class HasEdges(Protocol):
    """An alliance, as far as a problem knows it."""

    def edges(self) -> pd.DataFrame:
        """Return one row an edge."""
        ...


def tables_digest(sheets: Sheets) -> str:
    """Return a digest of every cell of the given tables; referring ids count as the rows they refer to."""
    total = hashlib.blake2b(digest_size=20)
    for name, sheet in sorted(sheets.sheets.items()):
        if not sheet.given:
            continue
        _feed(total, name, sheet.n)
        for column in sheet.table.columns:
            cells = sheet[column.name]
            if column.references:
                values: NDArray[Any] = sheets.positions(name, column.name)
            elif cells.codes is not None and cells.uniques is not None and sheet.table.key != (column.name,):
                _feed(total, cells.uniques.tolist())
                values = cells.codes
            else:
                values = cells.values
            _feed(total, column.name, values)
            if cells.missing is not None:
                _feed(total, cells.missing)
    return total.hexdigest()


def digest(*values: object) -> str:
    """Return a digest of plain values, arrays and lists of these."""
    total = hashlib.blake2b(digest_size=20)
    _feed(total, *values)
    return total.hexdigest()


def edges_digest(alliance: HasEdges) -> str:
    """Return a digest of an alliance's edges as they are now, in whatever order they are listed."""
    edges = alliance.edges()
    rows = edges[sorted(edges.columns)].astype(object).where(edges.notna(), None).itertuples(index=False)
    return digest(sorted(repr(tuple(row)) for row in rows))


def _feed(total: blake2b, *values: object) -> None:
    """Add values, each led by its kind and length so that no two lists of values read alike."""
    for value in values:
        if isinstance(value, np.ndarray) and value.dtype.kind != "O":
            _chunk(total, f"array{value.dtype.str}{value.shape}", np.ascontiguousarray(value).tobytes())
        elif isinstance(value, np.ndarray | list | tuple):
            flat = value.tolist() if isinstance(value, np.ndarray) else list(value)
            _sequence(total, flat)
        else:
            _chunk(total, type(value).__name__, repr(value).encode("utf-8", "surrogatepass"))


def _sequence(total: blake2b, values: list[object]) -> None:
    if all(isinstance(value, str) for value in values):
        _chunk(total, "lengths", np.fromiter(map(len, values), dtype=np.int64, count=len(values)).tobytes())  # type: ignore[arg-type]
        _chunk(total, "texts", "".join(values).encode("utf-8", "surrogatepass"))  # type: ignore[arg-type]
        return
    _chunk(total, "list", str(len(values)).encode())
    _feed(total, *values)


def _chunk(total: blake2b, kind: str, data: bytes) -> None:
    total.update(f"{kind}:{len(data)}:".encode())
    total.update(data)
