"""Canonical tables as columns of arrays, and where each id stands in the tables that it refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.cells import Cells, absent
from govmatch.model.encoded import Int32Array, IntArray, TextArray
from govmatch.model.objects import spread
from govmatch.model.schema import TABLES, Table
from govmatch.model.times import Zone


@dataclass
class Sheet:
    """One canonical table."""

    table: Table
    n: int
    cells: dict[str, Cells]
    given: bool = True

    def __getitem__(self, column: str) -> Cells:
        return self.cells[column]

    def frame(self, zone: Zone) -> pd.DataFrame:
        """Return the table as a DataFrame with all columns of the schema, rows in their order."""
        columns = {c.name: _series(self.cells[c.name], c.kind, zone) for c in self.table.columns}
        return pd.DataFrame(columns, index=pd.RangeIndex(self.n), copy=True)  # who edits it edits a copy


def _series(cells: Cells, kind: str, zone: Zone) -> pd.Series[Any]:
    values, missing = cells.values, cells.missing
    if kind == "int" and missing is not None:
        return pd.Series(pd.arrays.IntegerArray(values, missing), copy=False)
    if kind == "time":
        stamps = values.astype("datetime64[us]")
        if missing is not None:
            stamps[missing] = np.datetime64("NaT", "us")
        return pd.Series(stamps).dt.tz_localize("UTC").dt.tz_convert(zone.name)
    if kind == "date":
        days = values.astype("datetime64[D]").astype("datetime64[us]")
        if missing is not None:
            days[missing] = np.datetime64("NaT", "us")
        return pd.Series(days)
    if kind in ("id", "text", "choice"):
        return pd.Series(values, dtype=object, copy=False)
    return pd.Series(values, copy=False)


@dataclass
class Register:
    """The ids of one or several tables, found by hash; a position counts through the tables in order."""

    ids: TextArray
    starts: dict[str, int]
    unique: bool
    _index: pd.Index[Any]
    _first: NDArray[np.intp] | None

    @classmethod
    def of(cls, sheets: Iterable[Sheet]) -> Register:
        """Register the keys of sheets."""
        starts, parts, n = {}, [np.array([], dtype=object)], 0
        for sheet in sheets:
            starts[sheet.table.name] = n
            parts.append(sheet[sheet.table.key[0]].values)
            n += sheet.n
        ids = np.concatenate(parts)
        index = pd.Index(ids, dtype=object)
        if index.is_unique:
            return cls(ids, starts, True, index, None)
        first = np.flatnonzero(~index.duplicated())
        return cls(ids, starts, False, index[first], first)

    def find(self, values: TextArray) -> Int32Array:
        """Return the position of each text, the first where several rows have it; -1: nowhere."""
        found = self._index.get_indexer(pd.Index(values, dtype=object))
        if self._first is not None:
            found = np.append(self._first, -1)[found]
        return found.astype(np.int32)


@dataclass
class Sheets:
    """All tables of a problem; absent ones have no rows."""

    zone: Zone
    sheets: dict[str, Sheet]
    _registers: dict[tuple[str, ...], Register] = field(default_factory=dict)
    _positions: dict[tuple[str, str], Int32Array] = field(default_factory=dict)
    _orders: dict[str, NDArray[np.intp]] = field(default_factory=dict)

    def __getitem__(self, table: str) -> Sheet:
        return self.sheets[table]

    @classmethod
    def of(cls, zone: Zone, given: Mapping[str, Sheet]) -> Sheets:
        """Complete given sheets by empty ones."""
        return cls(
            zone, {name: given[name] if name in given else _empty(table) for name, table in TABLES.items()}
        )

    def replaced(self, given: Mapping[str, Sheet], emptied: Iterable[str]) -> Sheets:
        """Return these sheets with others in some places; what is known of the rest is kept."""
        changed = dict(given) | {name: _empty(TABLES[name]) for name in emptied if name not in given}
        registers = {tables: r for tables, r in self._registers.items() if not changed.keys() & set(tables)}
        positions = {key: p for key, p in self._positions.items() if key[0] not in changed}
        orders = {name: o for name, o in self._orders.items() if name not in changed}
        return Sheets(self.zone, self.sheets | changed, registers, positions, orders)

    def register(self, *tables: str) -> Register:
        """Return the register of the keys of `tables`."""
        if tables not in self._registers:
            self._registers[tables] = Register.of(self.sheets[name] for name in tables)
        return self._registers[tables]

    def positions(self, table: str, column: str) -> Int32Array:
        """Return where each id of a referring column stands; -1: it is missing, or nowhere."""
        key = (table, column)
        if key not in self._positions:
            cells = self.sheets[table][column]
            register = self.register(*self.sheets[table].table.column(column).references)
            if cells.codes is not None and cells.uniques is not None:
                found = spread(register.find(cells.uniques), cells.codes, -1)
            else:
                found = register.find(cells.values)
            if cells.missing is not None:
                found = np.where(cells.missing, np.int32(-1), found)
            self._positions[key] = found
        return self._positions[key]

    def order(self, table: str, keys: IntArray) -> NDArray[np.intp]:
        """Return the rows of a table by ascending `keys`, which are the same at every call."""
        if table not in self._orders:
            ascending = len(keys) < 2 or bool((keys[1:] >= keys[:-1]).all())
            self._orders[table] = np.arange(len(keys)) if ascending else np.argsort(keys)
        return self._orders[table]

    def known_order(self, table: str) -> NDArray[np.intp] | None:
        """Return what `order` returned for a table; None: it was never asked."""
        return self._orders.get(table)

    def frames(self) -> dict[str, pd.DataFrame]:
        """Return the given tables as DataFrames."""
        return {name: sheet.frame(self.zone) for name, sheet in self.sheets.items() if sheet.given}


def _empty(table: Table) -> Sheet:
    return Sheet(table, 0, {c.name: absent(c, 0) for c in table.columns}, given=False)
