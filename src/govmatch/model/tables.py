"""Tables as they are given, made canonical, and every fault in them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from govmatch.errors import InvalidInput
from govmatch.model import checks
from govmatch.model.aliases import folded
from govmatch.model.cells import absent
from govmatch.model.misspelt import misspelt
from govmatch.model.policy import Policy
from govmatch.model.reading import read_cells
from govmatch.model.schema import TABLES, Table
from govmatch.model.sheets import Sheet, Sheets
from govmatch.model.times import Zone, zone_of
from govmatch.model.violations import Violations, shown

_REQUIRED = tuple(table.name for table in TABLES.values() if table.required)

ACCEPTED = "a pandas or polars DataFrame, a pyarrow Table, a dict of columns or a list of dict records"


def normalise(
    tables: Mapping[str, Any], policy: Policy | None = None
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, tuple[str, ...]]:
    """Make tables canonical and collect every fault in them.

    Windows are not held against a horizon here; `Problem.from_tables` does that.

    Parameters
    ----------
    tables : mapping of str to table
        Table names of the schema; each value a pandas or polars DataFrame, a pyarrow Table, a dict of
        columns or a list of dict records. None: absent.
    policy : Policy, optional
        Its time zone reads naive times, its presets are the known ones.

    Returns
    -------
    frames : dict of str to DataFrame
        All columns of the schema, canonical dtypes, rows in their order. A faulty cell holds its default.
    violations : DataFrame
        table, row (position; -1: the whole table or column), column, code, message, value.
    ignored : tuple of str
        Columns that the schema does not know and that resemble none of it, as ``table.column``.

    Raises
    ------
    InvalidInput
        If `tables` is no mapping.
    """
    policy = Policy() if policy is None else policy
    violations = Violations()
    frames = as_frames(tables, violations)
    zone = zone_of(policy.time_zone)
    sheets, ignored = read_sheets(frames, zone, violations)
    book = Sheets.of(zone, sheets)
    checks.check(book, policy, violations)
    return book.frames(), violations.frame(), ignored


def as_frames(
    tables: object,
    violations: Violations,
    required: Collection[str] = _REQUIRED,
) -> dict[str, pd.DataFrame]:
    """Take every table as a pandas DataFrame; report unknown, missing and unreadable ones."""
    if not isinstance(tables, Mapping):
        raise InvalidInput(
            f"tables must be a mapping of table names to tables, "
            f"such as {{'communities': …, 'requests': …}}; found {type(tables).__name__}"
        )
    frames: dict[str, pd.DataFrame] = {}
    for key, value in tables.items():
        name = key if isinstance(key, str) else shown(key)
        if name not in TABLES:
            near = difflib.get_close_matches(folded(name[:100]), TABLES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the tables are {', '.join(TABLES)}"
            message = f"there is no such table; {hint}"
            violations.whole(shown(name).strip("'\""), "", "unknown_table", message, name)
        elif value is not None:
            frame = as_frame(value)
            if isinstance(frame, str):
                violations.whole(name, "", "not_a_table", f"expected {ACCEPTED}; {frame}")
                frame = pd.DataFrame()
            frames[name] = frame
    for name in required:
        if name not in frames:
            violations.whole(name, "", "missing_table", f"the table is required: {TABLES[name].meaning}")
    return frames


def as_frame(table: object) -> pd.DataFrame | str:
    """Return one table as a pandas DataFrame, or say what was found instead."""
    if isinstance(table, pd.DataFrame):
        return table
    try:
        if isinstance(table, Mapping):
            columns = {name: _cells(cells) for name, cells in table.items()}
            lengths = sorted({len(cells) for cells in columns.values()})
            if len(lengths) > 1:
                return f"found columns of different lengths: {', '.join(map(str, lengths[:5]))}"
            return pd.DataFrame(columns)
        if isinstance(table, list | tuple):
            if not all(isinstance(record, Mapping) for record in table):
                return "found a list that holds something else than dict records"
            return pd.DataFrame.from_records([dict(record) for record in table], coerce_float=False).astype(
                object
            )
        return _foreign(table)
    except (TypeError, ValueError, OverflowError, NotImplementedError) as error:
        return f"found {type(table).__name__} that cannot be read: {shown(str(error))}"


def _cells(cells: object) -> pd.Series[Any]:
    """Return one column of a dict of columns."""
    if isinstance(cells, str | bytes | Mapping) or np.isscalar(cells) or cells is None:
        raise ValueError(f"a column must be a sequence; found {shown(cells)}")
    if isinstance(cells, np.ndarray | pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        return pd.Series(cells).reset_index(drop=True)
    values = list(cells)  # type: ignore[call-overload]
    # object keeps whole numbers exact where other cells of the column are missing
    return pd.Series(np.fromiter(values, dtype=object, count=len(values)), dtype=object)


def _foreign(table: object) -> pd.DataFrame:
    """Convert a polars DataFrame or a pyarrow Table."""
    frame = nw.from_native(table, eager_only=True)  # type: ignore[call-overload]
    if frame.implementation.is_pyarrow():
        converted: pd.DataFrame = frame.to_native().to_pandas(date_as_object=False, timestamp_as_object=False)
        return converted
    try:
        converted = frame.to_pandas()
    except ImportError:  # polars hands its columns over through pyarrow, which is optional
        converted = pd.DataFrame({name: _cells(frame[name].to_list()) for name in frame.columns})
    return converted


def read_sheets(
    frames: Mapping[str, pd.DataFrame], zone: Zone, violations: Violations
) -> tuple[dict[str, Sheet], tuple[str, ...]]:
    """Make every cell canonical; report those that cannot be, and name the columns that are ignored."""
    sheets: dict[str, Sheet] = {}
    ignored: list[str] = []
    for name, frame in frames.items():
        sheets[name], unknown = _read_sheet(frame, TABLES[name], zone, violations)
        ignored += [f"{name}.{column}" for column in unknown]
    return sheets, tuple(ignored)


def _read_sheet(
    frame: pd.DataFrame, table: Table, zone: Zone, violations: Violations
) -> tuple[Sheet, list[str]]:
    places: dict[str, list[int]] = {}
    labels: list[object] = list(frame.columns)
    for place, label in enumerate(labels):
        places.setdefault(label if isinstance(label, str) else shown(label), []).append(place)
    given = frozenset(places)
    cells = {}
    for column in table.columns:
        found = places.pop(column.name, [])
        if len(found) > 1:
            message = f"the column stands {len(found)} times; expected once"
            violations.whole(table.name, column.name, "duplicate_column", message, column.name)
        elif not found and column.required and frame.shape[1]:
            message = f"the column is required: {column.meaning}"
            violations.whole(table.name, column.name, "missing_column", message)
        if len(found) == 1:
            cells[column.name] = read_cells(frame.iloc[:, found[0]], table, column, zone, violations)
        else:
            cells[column.name] = absent(column, len(frame))
    slips = misspelt(places, given, table)
    for name, near in slips.items():
        message = f"{table.name} has no column {{}}; did you mean {near}? Rename the column or leave it out"
        violations.whole(table.name, shown(name).strip("'\""), "misspelt_column", message, name)
    return Sheet(table, len(frame), cells), [name for name in places if name not in slips]
