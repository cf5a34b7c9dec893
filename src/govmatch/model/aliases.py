"""Other names for tables, columns and choices: the schema's Chinese ones, variants, and the user's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from govmatch.errors import InvalidInput
from govmatch.model.encoding import decoded
from govmatch.model.schema import TABLES
from govmatch.model.suggest import listed, nearest, shown
from govmatch.model.toml_text import key_line, parsed

Names = Mapping[str, str]
AliasSource = Mapping[str, Any] | str | PathLike[str] | None

_COLUMNS = frozenset(c.name for t in TABLES.values() for c in t.columns)
_CHOICES = frozenset(choice for t in TABLES.values() for c in t.columns for choice in c.choices)


@dataclass(frozen=True)
class Aliases:
    """Other names, all folded by `folded`.

    Attributes
    ----------
    tables : mapping of str to str
        Other name to table.
    columns : mapping of str to str
        Other name to column, wherever a table has that column.
    table_columns : mapping of str to (mapping of str to str)
        By table: other name to column. Goes before `columns`.
    values : mapping of str to str
        Other value to choice, in every column that has that choice.
    column_values : mapping of str to (mapping of str to str)
        By column: other value to value. Goes before `values`.
    """

    tables: Names
    columns: Names
    table_columns: Mapping[str, Names]
    values: Names
    column_values: Mapping[str, Names]

    def table(self, name: str) -> str | None:
        """Return the table that `name` means, or None."""
        key = folded(name)
        return key if key in TABLES else self.tables.get(key)

    def column(self, table: str, name: str) -> str:
        """Return the column of `table` that `name` means; `name` itself if it means none."""
        key = folded(name)
        known = {c.name for c in TABLES[table].columns}
        if key in known:
            return key
        own = self.table_columns.get(table, {}).get(key)
        general = self.columns.get(key)
        return own or (general if general in known else None) or name

    def value(self, table: str, column: str, value: str) -> str:
        """Return the value of a column that `value` means; `value` itself if it means none."""
        key = folded(value)
        own = self.column_values.get(column, {}).get(key)
        if own is not None:
            return own
        choices = TABLES[table].column(column).choices
        if key in choices:
            return key
        general = self.values.get(key)
        return general if general in choices else value


def folded(name: str) -> str:
    """Return a name in the form in which names are compared: width, case and spaces do not count."""
    return re.sub(r"[\s\-]+", "_", unicodedata.normalize("NFKC", name).strip().casefold())


def load_aliases(own: Aliases | AliasSource = None) -> Aliases:
    """Read the aliases that ship with the package, and lay the user's over them.

    Parameters
    ----------
    own : path, mapping or Aliases, optional
        A TOML file with the sections ``[tables]``, ``[columns]``, ``[columns.TABLE]``, ``[values]``
        and ``[values.COLUMN]``, each ``other name = name``; or a mapping of the same form. `Aliases`
        are returned as they are.

    Returns
    -------
    Aliases

    Raises
    ------
    InvalidInput
        Naming the file, line and key of a fault.
    """
    if isinstance(own, Aliases):
        return own
    shipped = _shipped()
    if own is None:
        return shipped
    if isinstance(own, Mapping):
        given = _parsed(own, None, "aliases")
    elif isinstance(own, str | PathLike):
        given = _read(Path(own))
    else:
        raise InvalidInput(f"aliases: found {shown(own)}; expected a path, a mapping or Aliases")
    return Aliases(
        {**shipped.tables, **given.tables},
        {**shipped.columns, **given.columns},
        _merged(shipped.table_columns, given.table_columns),
        {**shipped.values, **given.values},
        _merged(shipped.column_values, given.column_values),
    )


def _read(file: Path) -> Aliases:
    try:
        data = file.read_bytes()
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(f"the alias file {file} cannot be read: {reason}") from error
    return _from_toml(decoded(data, file.name), file.name)


def _from_toml(text: str, source: str) -> Aliases:
    return _parsed(parsed(text, source), text, source)


@cache
def _shipped() -> Aliases:
    text = (files("govmatch.model") / "aliases.toml").read_text(encoding="utf-8")
    own = _from_toml(text, "aliases.toml")
    tables = {folded(t.meaning_zh): t.name for t in TABLES.values()}
    columns = {t.name: {folded(c.meaning_zh): c.name for c in t.columns} for t in TABLES.values()}
    return Aliases(
        {**tables, **own.tables},
        own.columns,
        _merged(columns, own.table_columns),
        own.values,
        own.column_values,
    )


def _merged(under: Mapping[str, Names], over: Mapping[str, Names]) -> dict[str, Names]:
    return {key: {**under.get(key, {}), **over.get(key, {})} for key in {**under, **over}}


def _parsed(whole: Mapping[str, Any], text: str | None, source: str) -> Aliases:
    file = _AliasFile(text, source)
    sections = ("tables", "columns", "values")
    for section, content in whole.items():
        if section not in sections:
            raise file.fault(
                (section,), f"unknown section{nearest(section, sections)}; expected {listed(sections)}"
            )
        if not isinstance(content, dict):
            raise file.fault((section,), f"found {shown(content)}; expected a section [{section}]")
    columns, table_columns = file.split("columns", whole, TABLES, "table")
    values, column_values = file.split("values", whole, _COLUMNS, "column")
    return Aliases(
        file.names(("tables",), whole.get("tables", {}), TABLES, "table"),
        file.names(("columns",), columns, _COLUMNS, "column"),
        {
            table: file.names(
                ("columns", table), names, {c.name for c in TABLES[table].columns}, f"column of {table}"
            )
            for table, names in table_columns.items()
        },
        file.names(("values",), values, _CHOICES, "choice"),
        {
            column: file.names(("values", column), names, None, "value")
            for column, names in column_values.items()
        },
    )


@dataclass(frozen=True)
class _AliasFile:
    text: str | None  # None: a mapping, which has no lines
    source: str

    def fault(self, path: tuple[str, ...], sentence: str) -> InvalidInput:
        line = "" if self.text is None else f", line {key_line(self.text, path)}"
        return InvalidInput(f"{self.source}{line}, {'.'.join(map(str, path))}: {sentence}")

    def split(
        self, section: str, whole: Mapping[str, Any], known: Any, what: str
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        content = whole.get(section, {})
        narrow = {k: v for k, v in content.items() if isinstance(v, dict)}
        for name in narrow:
            if name not in known:
                raise self.fault((section, name), f"unknown {what} {shown(name)}{nearest(name, known)}")
        return {k: v for k, v in content.items() if k not in narrow}, narrow

    def names(self, path: tuple[str, ...], content: dict[str, Any], known: Any, what: str) -> dict[str, str]:
        for name, target in content.items():
            if not isinstance(target, str):
                raise self.fault(
                    (*path, name), f"found {shown(target)}; expected the name of a {what} as text"
                )
            if known is not None and target not in known:
                raise self.fault((*path, name), f"unknown {what} {shown(target)}{nearest(target, known)}")
        return {folded(name): target for name, target in content.items()}


def aliased(table: str, frame: pd.DataFrame, aliases: Aliases, source: str) -> pd.DataFrame:
    """Return one frame of a known table with the schema's columns and choices; `source` is for messages."""
    given: list[object] = list(frame.columns)
    columns = [aliases.column(table, c) if isinstance(c, str) else c for c in given]
    for position, name in enumerate(columns):
        first = columns.index(name)
        if first != position:
            raise InvalidInput(
                f"{source}: the columns {shown(given[first])} and {shown(given[position])} "
                f"both mean {shown(name)}; keep one"
            )
    renamed = frame.set_axis(columns, axis=1)
    choices = {c.name for c in TABLES[table].columns if c.choices or c.name in aliases.column_values}
    for name in choices.intersection(columns):
        cells = renamed[name]
        meant = {v: aliases.value(table, name, v) for v in {c for c in cells if isinstance(c, str)}}
        if any(v != m for v, m in meant.items()):
            changed = [meant[c] if isinstance(c, str) else c for c in cells]
            renamed[name] = pd.Series(changed, index=renamed.index, dtype=object)
    return renamed
