"""Tables from and to folders of CSV and .xlsx files, and writing that leaves no half file."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path

import pandas as pd

from govmatch.errors import InvalidInput
from govmatch.model.aliases import Aliases, AliasSource, aliased, load_aliases
from govmatch.model.csv_file import csv_frame, csv_text
from govmatch.model.encoding import known_encoding
from govmatch.model.rows import framed
from govmatch.model.schema import TABLES
from govmatch.model.suggest import listed, nearest, shown
from govmatch.model.workbook import workbook_rows

COLUMN_REFERENCE = "列说明.csv"  # what `templates` writes beside the tables

_ENDINGS = (".csv", ".csv.gz", ".xlsx")
_NO_TABLES = frozenset(  # endings of files that may well be named as a table, and are none
    ".md .pdf .html .htm .doc .docx .toml .png .jpg .jpeg .svg .py .ipynb .bak .tmp .part".split()
)


def read_tables(
    path: str | PathLike[str], aliases: Aliases | AliasSource = None, encoding: str | None = None
) -> dict[str, pd.DataFrame]:
    """Read tables from a folder of files, or from one workbook whose sheets are tables.

    Parameters
    ----------
    path : path
        A folder of ``.csv``, ``.csv.gz`` and ``.xlsx`` files named as tables (``requests.csv``) or by
        an alias (``群众点单.csv``); or one ``.xlsx`` file. CSV is UTF-8 or GB18030, its cells parted
        by comma, semicolon or tab. Files of other names and kinds in the folder are left alone, and so
        are hidden ones and ``列说明.csv``.
    aliases : path, mapping or Aliases, optional
        The user's alias file or its content, laid over the shipped one.
    encoding : str, optional
        The encoding of all CSV files that have no UTF-8 byte order mark, such as ``"gb18030"`` or
        ``"big5"``; found out for every file if absent.

    Returns
    -------
    dict of str to pandas.DataFrame
        By table of the schema. Every cell is text without spaces around it (``007`` stays so), a
        datetime of a workbook, or None where empty. An apostrophe before what a spreadsheet would run
        as a formula is taken off. Columns that no alias knows keep their names.

    Raises
    ------
    InvalidInput
        Naming the file, and the line or cell: nothing there, a damaged file, an encoding that is
        another or cannot be told, a row shorter or longer than the header, one table twice, a table
        that is unknown or of a kind of file that is not read.
    """
    known = load_aliases(aliases)
    place = as_path(path, "path")
    spoken = known_encoding(encoding)
    if not os.path.exists(place):
        raise InvalidInput(f"there is no folder {str(place)!r}; expected a folder of CSV or .xlsx files")
    if place.is_dir():
        sources = list(_folder(place, known, spoken))
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
    for name, source, frame in sources:
        if name in tables:
            raise InvalidInput(
                f"the table {name} comes twice: from {origin[name]} and from {source}; keep one"
            )
        tables[name] = aliased(name, frame, known, source)
        origin[name] = source
    return {name: tables[name] for name in TABLES if name in tables}


Source = tuple[str, str, pd.DataFrame]


def _ending(path: Path) -> str | None:
    name = path.name.casefold()
    return next((e for e in sorted(_ENDINGS, key=len, reverse=True) if name.endswith(e)), None)


def _folder(folder: Path, aliases: Aliases, encoding: str | None) -> Iterator[Source]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InvalidInput(f"the folder {str(folder)!r} cannot be read: {error.strerror}") from error
    for file in entries:
        # a spreadsheet that has a file open puts ~$name beside it
        if file.name.startswith((".", "~$")) or file.name == COLUMN_REFERENCE or file.is_dir():
            continue
        ending = _ending(file)
        if ending is None:
            _refuse_a_table(file, aliases)
            continue
        stem = file.name[: -len(ending)]
        table = aliases.table(stem)
        if ending == ".xlsx":
            yield from _workbook(file, aliases, table)
        elif table is None:
            raise _unknown(f"{file.name}: {shown(stem)}", stem, aliases)
        else:
            yield table, file.name, csv_frame(file, encoding)


def _refuse_a_table(file: Path, aliases: Aliases) -> None:
    stem = file.name.split(".")[0]
    table = aliases.table(stem)
    if table is not None and file.suffix.casefold() not in _NO_TABLES and not file.name.endswith("~"):
        raise InvalidInput(
            f"{file.name} is named as the table {table}, but a file of this kind is not read; "
            f"save it as {stem}.csv (“CSV UTF-8”) or {stem}.xlsx, or move it out of the folder"
        )


def _workbook(file: Path, aliases: Aliases, table: str | None = None) -> Iterator[Source]:
    sheets = workbook_rows(file)
    if not sheets:
        raise InvalidInput(f"{file.name} is empty; expected a sheet whose first row names the columns")
    if table is not None and len(sheets) == 1:
        yield table, file.name, framed(next(iter(sheets.values())), file.name, whole=False)
        return
    for title, rows in sheets.items():
        name = aliases.table(title)
        if name is None:
            raise _unknown(f"{file.name}: the sheet {shown(title)}", title, aliases)
        source = f"{file.name}, sheet {title!r}"
        yield name, source, framed(rows, source, whole=False)


def _unknown(what: str, name: str, aliases: Aliases) -> InvalidInput:
    return InvalidInput(
        f"{what} is not the name of a table{nearest(name, [*TABLES, *aliases.tables])}; "
        f"the tables are {listed(TABLES)}"
    )


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
        If a table is unknown or no DataFrame, or has a column twice; nothing is written then.
    OSError
        If the folder cannot be made or written.
    """
    if not isinstance(tables, Mapping):
        raise InvalidInput(f"tables: found {shown(tables)}; expected a mapping of table names to DataFrames")
    for name, frame in tables.items():
        if name not in TABLES:
            raise InvalidInput(
                f"unknown table {shown(name)}{nearest(name, TABLES)}; the tables are {listed(TABLES)}"
            )
        if not isinstance(frame, pd.DataFrame):
            raise InvalidInput(f"the table {name}: found {shown(frame)}; expected a pandas DataFrame")
        twice = frame.columns[frame.columns.duplicated()]
        if len(twice):
            raise InvalidInput(f"the table {name} has the column {shown(twice[0])} twice; expected it once")
    target = as_path(folder, "folder")
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, frame in tables.items():
        paths.append(target / f"{name}.csv")
        write_atomically(paths[-1], csv_text(frame, _dates(name)))
    return paths


def _dates(table: str) -> set[str]:
    return {c.name for c in TABLES[table].columns if c.kind == "date"}


def as_path(value: object, what: str) -> Path:
    """Return a path as such.

    Raises
    ------
    InvalidInput
        If it is none, or one that no file can have.
    """
    found = os.fspath(value) if isinstance(value, PathLike) else value
    if not isinstance(found, str) or "\0" in found:
        raise InvalidInput(f"{what}: found {shown(value)}; expected a path")
    return Path(found)


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
