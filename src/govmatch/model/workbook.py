"""One .xlsx workbook as rows of cells: numbers become decimal text, times stay times."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from govmatch.errors import InvalidInput

Cell = str | dt.datetime | None
SheetRows = list[tuple[int, list[Cell]]]

_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})
_EXACT = 10**15  # a spreadsheet keeps 15 digits of a number


def workbook_rows(path: Path) -> dict[str, SheetRows]:
    """Read every sheet that holds something.

    Parameters
    ----------
    path : Path
        The workbook.

    Returns
    -------
    dict of str to list of (int, list)
        By sheet: the number of a row, counted from 1, and its cells as text, None or datetime.
        Whole numbers have no decimal point, so that ``330481001001`` stays a code.

    Raises
    ------
    InvalidInput
        Naming the file, sheet and cell: a damaged file, an error value, a formula whose value was
        never stored, a number of more digits than a spreadsheet keeps.
    """
    sheets, formulas = _load(path, values=False)
    if formulas:
        # their results stand in the same file, beside them
        with_values, _ = _load(path, values=True)
        for title, cells in formulas.items():
            for row, column in cells:
                value = with_values[title][row][1][column]
                if value is None:
                    raise InvalidInput(
                        f"{path.name}, sheet {title!r}, cell {_name(sheets[title][row][0], column)}: "
                        "a formula without a stored value; open the file in a spreadsheet and save it"
                    )
        sheets = with_values
    return {title: rows for title, raw in sheets.items() if (rows := _texts(path, title, raw))}


def _load(
    path: Path, values: bool
) -> tuple[dict[str, list[tuple[int, list[Any]]]], dict[str, list[tuple[int, int]]]]:
    from openpyxl import load_workbook  # 0.2 s, for those who have workbooks

    sheets: dict[str, list[tuple[int, list[Any]]]] = {}
    formulas: dict[str, list[tuple[int, int]]] = {}
    try:
        book = load_workbook(path, read_only=True, data_only=values)
        try:
            for sheet in book.worksheets:
                rows, found = _cells(sheet)
                sheets[sheet.title] = rows
                if found:
                    formulas[sheet.title] = found
        finally:
            book.close()
    except Exception as error:
        # what a damaged archive makes the reader raise is of every kind
        raise InvalidInput(f"{path.name} is damaged or not an .xlsx workbook: {error}") from error
    return sheets, formulas


def _cells(sheet: Any) -> tuple[list[tuple[int, list[Any]]], list[tuple[int, int]]]:
    # some programs store a wrong size of the sheet
    sheet.reset_dimensions()
    rows: list[tuple[int, list[Any]]] = []
    formulas: list[tuple[int, int]] = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        formulas += [(len(rows), i) for i, cell in enumerate(cells) if cell.data_type == "f"]
        rows.append((number, [cell.value for cell in cells]))
    return rows, formulas


def _texts(path: Path, title: str, raw: list[tuple[int, list[Any]]]) -> SheetRows:
    rows: SheetRows = []
    for number, values in raw:
        cells: list[Cell] = []
        for column, value in enumerate(values):
            if isinstance(value, str):
                if value in _ERRORS:
                    raise InvalidInput(
                        f"{path.name}, sheet {title!r}, cell {_name(number, column)}: the error value {value}"
                    )
                cells.append(value)
            elif value is None or isinstance(value, dt.datetime):
                cells.append(value)
            else:
                cells.append(_text(value, f"{path.name}, sheet {title!r}, cell {_name(number, column)}"))
        if any(cell is not None for cell in cells):
            rows.append((number, cells))
    return rows


def _text(value: Any, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and abs(value) >= _EXACT:
        raise InvalidInput(
            f"{where}: a number of more than 15 digits, of which a spreadsheet keeps 15; "
            "format the column as text and enter it again"
        )
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def _name(row: int, column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
