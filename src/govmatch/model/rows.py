"""Rows of cells, the first of which names the columns, as a frame of text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from govmatch.errors import InvalidInput
from govmatch.model.suggest import shown

Rows = Sequence[tuple[int, Sequence[object]]]

_ESCAPED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def framed(rows: Rows, source: str, whole: bool) -> pd.DataFrame:
    """Return rows as a frame; rows without any text are left out.

    Parameters
    ----------
    rows : sequence of (int, sequence)
        The line of a row, counted from 1, and its cells.
    source : str
        For messages.
    whole : bool
        Whether a row must have a cell for every column; a workbook does not store the last empty ones.

    Raises
    ------
    InvalidInput
        Naming `source` and the line or column.
    """
    filled = [(line, cells) for line, cells in rows if any(cell(c) is not None for c in cells)]
    if not filled:
        raise InvalidInput(f"{source} is empty; expected a first row with the names of the columns")
    header = [cell(c) for c in filled[0][1]]
    while header[-1] is None:
        header.pop()
    width = len(header)
    body: list[Sequence[object]] = []
    for line, cells in filled[1:]:
        count = len(cells)
        if count > width:
            if any(cell(c) is not None for c in cells[width:]):
                raise _uneven(source, line, count, width)
            cells = cells[:width]
        elif count < width:
            if whole:
                raise _uneven(source, line, count, width)
            cells = [*cells, *[None] * (width - count)]
        body.append(cells)
    columns = zip(*body, strict=True) if body else [()] * width
    return of_columns(header, [[cell(v) for v in values] for values in columns], source)


def of_columns(header: Sequence[object], columns: Sequence[Sequence[object]], source: str) -> pd.DataFrame:
    """Return columns of clean cells as a frame; those without name and cells are left out.

    Raises
    ------
    InvalidInput
        If a column with cells has no name, or a name comes twice.
    """
    named: dict[str, pd.Series] = {}
    for position, (name, column) in enumerate(zip(header, columns, strict=True)):
        if name is None:
            if any(v is not None for v in column):
                raise InvalidInput(
                    f"{source}: column {position + 1} holds cells but has no name in the first row"
                )
            continue
        if str(name) in named:
            raise InvalidInput(f"{source}: the first row names the column {shown(str(name))} twice")
        named[str(name)] = pd.Series(column, dtype=object)
    return pd.DataFrame(named, columns=list(named))


def cell(value: object) -> object:
    """Return text without spaces around it and the apostrophe that guards a formula; None if empty."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:1] == "'" and _ESCAPED.match(text):
        return text[1:]
    return text or None


def _uneven(source: str, line: int, count: int, width: int) -> InvalidInput:
    cells = "1 cell" if count == 1 else f"{count} cells"
    return InvalidInput(f"{source}, line {line}: {cells}, but the first row names {width} columns")
