"""CSV read and written: encoding and delimiter found out, damage named with its place."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from govmatch.errors import InvalidInput
from govmatch.model.encoding import decoded
from govmatch.model.rows import cell, framed, of_columns

_DELIMITERS = (",", ";", "\t")
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_SPECIAL = re.compile(r'[,"\r\n]')


def csv_frame(path: Path, encoding: str | None = None) -> pd.DataFrame:
    """Read a ``.csv`` or ``.csv.gz`` file.

    Parameters
    ----------
    path : Path
        The file: UTF-8 with or without a byte order mark, or GB18030 (which holds GBK and GB2312);
        cells parted by comma, semicolon or tab, whichever the first line has most of.
    encoding : str, optional
        As `govmatch.model.encoding.known_encoding` returns it; found out if absent.

    Returns
    -------
    pandas.DataFrame
        Every cell text, None where empty; blank rows are left out.

    Raises
    ------
    InvalidInput
        Naming the file, and the line or byte, if it is empty, damaged or in another encoding, or if a
        row has fewer or more cells than the first.
    """
    text = decoded(_content(path), path.name, encoding)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise InvalidInput(f"{path.name} is empty; expected a first line with the names of the columns")
    bare = "".join(first.split('"')[::2])
    delimiter = max(_DELIMITERS, key=bare.count)
    plain = None if '"' in text else _plain(lines, delimiter, path.name, "'" in text)
    return framed(_rows(text, delimiter, path.name), path.name, whole=True) if plain is None else plain


def _plain(lines: list[str], delimiter: str, source: str, escapes: bool) -> pd.DataFrame | None:
    """Return rows that all have as many cells as the first; None if any has not."""
    filled = [line for line in lines if line.strip(" ")]
    header = [cell(c) for c in filled[0].split(delimiter)]
    width = len(header)
    if None in header or {line.count(delimiter) for line in filled} != {width - 1}:
        return None
    cells = delimiter.join(filled[1:]).split(delimiter) if len(filled) > 1 else []
    columns: list[list[Any]] = []
    for first in range(width):
        texts = cells[first::width]
        columns.append([cell(t) for t in texts] if escapes else [t.strip() or None for t in texts])
    frame = of_columns(header, columns, source)
    blank = frame.isna().all(axis=1) if frame.iloc[:, 0].hasnans else pd.Series(dtype=bool)
    return frame.loc[~blank].reset_index(drop=True) if blank.any() else frame


def _rows(text: str, delimiter: str, source: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    line = 1
    try:
        for cells in reader:
            rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(f"{source}, line {line}: the row cannot be read as CSV: {error}") from error
    return rows


def _content(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path.name} cannot be read: {error.strerror}") from error
    if path.suffix.casefold() == ".gz":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise InvalidInput(f"{path.name} is damaged or not gzip: {error}") from error
    return data


def csv_text(frame: pd.DataFrame, dates: Collection[str]) -> str:
    """Return a frame as CSV text that a spreadsheet opens safely.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its column names are different.
    dates : collection of str
        The columns whose times are days.
    """
    columns = [_texts(cells, name in dates) for name, cells in frame.items()]
    header = ",".join(_quoted(str(name)) for name in frame.columns)
    if len(columns) == 1:  # an empty line would be no row
        return "\n".join([header, *(text or '""' for text in columns[0]), ""])
    return "\n".join([header, *map(",".join, zip(*columns, strict=True)), ""])


def _texts(cells: pd.Series, as_date: bool) -> list[str]:
    """Return the cells as the text that stands in the file, empty where nothing is."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        return _by_value(cells, lambda t: t.strftime("%Y-%m-%d") if as_date else t.isoformat())
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
        # of a narrow float its own text is the shorter one
        narrow = isinstance(cells.dtype, np.dtype) and cells.dtype != "float64"
        numbers = cells.to_numpy() if narrow else cells.astype(object)
        return ["" if m else str(n) for n, m in zip(numbers, cells.isna(), strict=True)]
    objects = cells.astype(object)
    if pd.api.types.infer_dtype(objects, skipna=True) == "string":
        return _by_value(objects, _text)
    return ["" if m else _text(v) for v, m in zip(objects, objects.isna(), strict=True)]


def _by_value(cells: pd.Series, text: Callable[[Any], str]) -> list[str]:
    # the same few values stand in many rows
    codes, values = pd.factorize(cells)
    texts = [*(text(v) for v in values), ""]  # -1 stands for what is absent
    return [texts[code] for code in codes.tolist()]


def _text(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return _quoted("'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text
