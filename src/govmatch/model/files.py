"""Tables from and to folders of CSV and .xlsx files, and writing that leaves no half file."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import cast

import pandas as pd

from govmatch.errors import InvalidInput
from govmatch.model.aliases import Aliases, AliasSource, aliased, load_aliases
from govmatch.model.csv_file import csv_rows
from govmatch.model.schema import TABLES
from govmatch.model.suggest import listed, nearest, shown
from govmatch.model.workbook import workbook_rows

COLUMN_REFERENCE = "列说明.csv"  # what `templates` writes beside the tables

_ENDINGS = (".csv", ".csv.gz", ".xlsx")
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")


def read_tables(path: str | PathLike[str], aliases: Aliases | AliasSource = None) -> dict[str, pd.DataFrame]:
    """Read tables from a folder of files, or from one workbook whose sheets are tables.

    Parameters
    ----------
    path : path
        A folder of ``.csv``, ``.csv.gz`` and ``.xlsx`` files named as tables (``requests.csv``) or by
        an alias (``群众点单.csv``); or one ``.xlsx`` file. CSV is UTF-8 or GB18030, its cells parted
        by comma, semicolon or tab. Other kinds of files in the folder are left alone, and so are
        hidden ones and ``列说明.csv``.
    aliases : path, mapping or Aliases, optional
        The user's alias file or its content, laid over the shipped one.

    Returns
    -------
    dict of str to pandas.DataFrame
        By table of the schema. Every cell is text without spaces around it (``007`` stays so), a
        datetime of a workbook, or None where empty. An apostrophe before what a spreadsheet would run
        as a formula is taken off. Columns that no alias knows keep their names.

    Raises
    ------
    InvalidInput
        Naming the file, and the line or cell: nothing there, a damaged file, another encoding, a row
        longer than the header, one table twice, a table that is unknown.
    """
    known = load_aliases(aliases)
    place = Path(path)
    if not place.exists():
        raise InvalidInput(f"there is no folder {str(place)!r}; expected a folder of CSV or .xlsx files")
    if place.is_dir():
        sources = list(_folder(place, known))
    elif _ending(place) == ".xlsx":
        sources = list(_workbook(place, known))
    else:
        raise InvalidInput(
            f"{str(place)!r} is not a folder; expected a folder of CSV or .xlsx files, or one .xlsx"
        )
    if not sources:
        raise InvalidInput(
            f"{str(place)!r} holds no tables; expected files such as requests.csv or 群众点单.xlsx"
        )
    tables: dict[str, pd.DataFrame] = {}
    origin: dict[str, str] = {}
    for name, source, rows in sources:
        if name in tables:
            raise InvalidInput(
                f"the table {name} comes twice: from {origin[name]} and from {source}; keep one"
            )
        tables[name] = aliased(name, _frame(rows, source), known, source)
        origin[name] = source
    return {name: tables[name] for name in TABLES if name in tables}


Source = tuple[str, str, Sequence[tuple[int, Sequence[object]]]]


def _ending(path: Path) -> str | None:
    name = path.name.casefold()
    return next((e for e in sorted(_ENDINGS, key=len, reverse=True) if name.endswith(e)), None)


def _folder(folder: Path, aliases: Aliases) -> Iterator[Source]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InvalidInput(f"the folder {str(folder)!r} cannot be read: {error.strerror}") from error
    for file in entries:
        ending = _ending(file)
        # a spreadsheet that has a file open puts ~$name beside it
        if (
            ending is None
            or file.name.startswith((".", "~$"))
            or file.name == COLUMN_REFERENCE
            or file.is_dir()
        ):
            continue
        stem = file.name[: -len(ending)]
        table = aliases.table(stem)
        if ending == ".xlsx":
            yield from _workbook(file, aliases, table)
        elif table is None:
            raise _unknown(f"{file.name}: {shown(stem)}", stem, aliases)
        else:
            yield table, file.name, csv_rows(file)


def _workbook(file: Path, aliases: Aliases, table: str | None = None) -> Iterator[Source]:
    sheets = workbook_rows(file)
    if not sheets:
        raise InvalidInput(f"{file.name} is empty; expected a sheet whose first row names the columns")
    if table is not None and len(sheets) == 1:
        yield table, file.name, next(iter(sheets.values()))
        return
    for title, rows in sheets.items():
        name = aliases.table(title)
        if name is None:
            raise _unknown(f"{file.name}: the sheet {shown(title)}", title, aliases)
        yield name, f"{file.name}, sheet {title!r}", rows


def _unknown(what: str, name: str, aliases: Aliases) -> InvalidInput:
    return InvalidInput(
        f"{what} is not the name of a table{nearest(name, [*TABLES, *aliases.tables])}; "
        f"the tables are {listed(TABLES)}"
    )


def _frame(rows: Sequence[tuple[int, Sequence[object]]], source: str) -> pd.DataFrame:
    filled = [(line, cells) for line, cells in rows if any(_cell(c) is not None for c in cells)]
    if not filled:
        raise InvalidInput(f"{source} is empty; expected a first row with the names of the columns")
    header = [_cell(c) for c in filled[0][1]]
    while header[-1] is None:
        header.pop()
    width = len(header)
    body: list[Sequence[object]] = []
    for line, cells in filled[1:]:
        if len(cells) > width:
            if any(_cell(c) is not None for c in cells[width:]):
                raise InvalidInput(
                    f"{source}, line {line}: {len(cells)} cells, but the first row names {width} columns"
                )
            cells = cells[:width]
        elif len(cells) < width:
            cells = [*cells, *[None] * (width - len(cells))]
        body.append(cells)
    cells_by_column = zip(*body, strict=True) if body else [()] * width
    columns: dict[str, list[object]] = {}
    for position, (name, values) in enumerate(zip(header, cells_by_column, strict=True)):
        column = [_cell(v) for v in values]
        if name is None:
            if any(v is not None for v in column):
                raise InvalidInput(
                    f"{source}: column {position + 1} holds cells but has no name in the first row"
                )
            continue
        if str(name) in columns:
            raise InvalidInput(f"{source}: the first row names the column {shown(str(name))} twice")
        columns[str(name)] = column
    return pd.DataFrame({n: pd.Series(c, dtype=object) for n, c in columns.items()}, columns=list(columns))


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:1] == "'" and _ESCAPED.match(text):
        return text[1:]
    return text or None


def write_tables(tables: Mapping[str, pd.DataFrame], folder: str | PathLike[str]) -> list[Path]:
    """Write tables as CSV that `read_tables` reads back and that a spreadsheet opens safely.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        By table of the schema.
    folder : path
        Made if it is absent. Each file appears whole or not at all.

    Returns
    -------
    list of Path
        ``TABLE.csv``: UTF-8 without a byte order mark; times in ISO 8601, with their offset if they
        have one; absent cells empty; text that a spreadsheet would run as a formula begins with ``'``.

    Raises
    ------
    InvalidInput
        If a table is unknown.
    OSError
        If the folder cannot be made or written.
    """
    for name in tables:
        if name not in TABLES:
            raise InvalidInput(
                f"unknown table {shown(name)}{nearest(name, TABLES)}; the tables are {listed(TABLES)}"
            )
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, frame in tables.items():
        texts = {column: _texts(frame[column], column in _dates(name)) for column in frame.columns}
        path = target / f"{name}.csv"
        write_atomically(
            path, pd.DataFrame(texts, columns=frame.columns).to_csv(index=False, lineterminator="\n")
        )
        paths.append(path)
    return paths


def _dates(table: str) -> set[str]:
    return {c.name for c in TABLES[table].columns if c.kind == "date"}


def _texts(cells: pd.Series, as_date: bool) -> pd.Series:
    """Return the cells as the text that stands in the file."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        if as_date:
            return cast("pd.Series", cells.dt.strftime("%Y-%m-%d"))
        # the same few times stand in many rows
        texts = {time: time.isoformat() for time in cells.dropna().unique()}
        return cells.astype(object).map(texts, na_action="ignore")
    if pd.api.types.is_bool_dtype(cells):
        return cells.astype(object).map({True: "true", False: "false"})
    if pd.api.types.is_numeric_dtype(cells):
        return cells
    return cells.astype(object).map(_text, na_action="ignore")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def write_atomically(path: str | PathLike[str], content: str | bytes) -> None:
    """Write a file so that it appears whole or not at all, whatever interrupts.

    The content goes to a hidden file in the same folder, which then takes the place of `path`.

    Parameters
    ----------
    path : path
        The file. Its folder is made if it is absent; a file that is there is replaced.
    content : str or bytes
        Text is written as UTF-8; what UTF-8 cannot hold (half of a surrogate pair) becomes ``?``.

    Raises
    ------
    OSError
        If the file cannot be written; nothing is left behind.
    """
    target = Path(path)
    data = content.encode("utf-8", errors="replace") if isinstance(content, str) else content
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with half.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            half.unlink()
        raise
