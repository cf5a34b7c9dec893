"""One CSV file as rows of text: encoding and delimiter found out, damage named with its place."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from pathlib import Path

from govmatch.errors import InvalidInput
from govmatch.model.encoding import decoded

Rows = list[tuple[int, list[str]]]

_DELIMITERS = (",", ";", "\t")


def csv_rows(path: Path) -> Rows:
    """Read a ``.csv`` or ``.csv.gz`` file.

    Parameters
    ----------
    path : Path
        The file: UTF-8 with or without a byte order mark, or GB18030 (which holds GBK and GB2312);
        cells parted by comma, semicolon or tab, whichever the first line has most of.

    Returns
    -------
    list of (int, list of str)
        The line on which a row begins, counted from 1, and its cells; blank lines are left out.

    Raises
    ------
    InvalidInput
        Naming the file, and the line or byte, if it is empty, damaged or in another encoding.
    """
    text = decoded(_content(path), path.name)
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    if not first:
        raise InvalidInput(f"{path.name} is empty; expected a first line with the names of the columns")
    bare = "".join(first.split('"')[::2])
    delimiter = max(_DELIMITERS, key=bare.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: Rows = []
    line = 1
    try:
        for cells in reader:
            if cells:
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(f"{path.name}, line {line}: the row cannot be read as CSV: {error}") from error
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
