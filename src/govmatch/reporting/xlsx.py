"""One sheet as an .xlsx file: title rows, frozen header, filter, widths, wrapped text."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from govmatch.plan.export import escape_cell

_LONGEST_CELL = 32_767  # characters; more makes Excel call the file broken
_LONGEST_TAB = 31
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # not XML 1.0 characters

_INK, _PAPER, _BAND, _RULE = "FF1F3A3D", "FFFFFFFF", "FFF1F6F5", "FFB9CBC9"
_HEADER_ROW = 4


@dataclass(frozen=True)
class Sheet:
    """A sheet before it is a file.

    `frame` has one column name per column, Chinese and English apart by a space; `widths` are in
    characters by column name; `band_by` names the column whose change changes the background.
    """

    title_zh: str
    title: str
    notes: tuple[str, ...]
    frame: pd.DataFrame
    widths: Mapping[str, float] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    band_by: str | None = None


def xlsx_bytes(sheet: Sheet) -> bytes:
    """Return a sheet as the bytes of an .xlsx file; text that would run as a formula is escaped."""
    book = Workbook()
    tab: Any = book.active
    tab.title = sheet.title_zh[:_LONGEST_TAB]
    columns = [str(name) for name in sheet.frame.columns]
    last = get_column_letter(len(columns))
    for row, text in enumerate((sheet.title_zh, sheet.title, "  ".join(sheet.notes)), start=1):
        cell = tab.cell(row, 1, _cell(text))
        cell.font = Font(bold=row == 1, size=(16, 11, 10)[row - 1], color=_INK)
        cell.alignment = Alignment(vertical="center", wrap_text=row == 3)
        tab.merge_cells(f"A{row}:{last}{row}")
    tab.row_dimensions[1].height = 26
    tab.row_dimensions[3].height = 15 * max(1, len(sheet.notes))
    _write_header(tab, columns, sheet)
    _write_rows(tab, columns, sheet)
    tab.freeze_panes = tab.cell(_HEADER_ROW + 1, 1)
    tab.auto_filter.ref = f"A{_HEADER_ROW}:{last}{_HEADER_ROW + len(sheet.frame)}"
    tab.print_title_rows = f"{_HEADER_ROW}:{_HEADER_ROW}"
    tab.page_setup.orientation, tab.page_setup.paperSize = "landscape", tab.PAPERSIZE_A4
    tab.page_setup.fitToWidth, tab.page_setup.fitToHeight = 1, 0
    tab.sheet_properties.pageSetUpPr.fitToPage = True
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _write_header(tab: Any, columns: list[str], sheet: Sheet) -> None:
    for position, name in enumerate(columns, start=1):
        cell = tab.cell(_HEADER_ROW, position, _cell(name.replace(" ", "\n", 1)))
        cell.font = Font(bold=True, color=_PAPER)
        cell.fill = PatternFill("solid", fgColor=_INK)
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        tab.column_dimensions[get_column_letter(position)].width = sheet.widths.get(name, 14)
    tab.row_dimensions[_HEADER_ROW].height = 34


def _write_rows(tab: Any, columns: list[str], sheet: Sheet) -> None:
    at = columns.index(sheet.band_by) if sheet.band_by else None
    models: dict[tuple[int, bool, bool], Any] = {}
    shaded, previous = False, None
    for row, values in enumerate(sheet.frame.itertuples(index=False, name=None), start=_HEADER_ROW + 1):
        if at is not None and values[at] != previous:
            shaded, previous = not shaded, values[at]
        for position, value in enumerate(values, start=1):
            cell = tab.cell(row, position, _cell(value))
            number_format = None if isinstance(value, str) else sheet.formats.get(columns[position - 1])
            look = (position, shaded, number_format is not None)
            if look not in models:
                _style(cell, shaded, number_format)
                models[look] = cell
            # setting each property anew would take three quarters of the time
            cell._style = copy(models[look]._style)


def _style(cell: Any, shaded: bool, number_format: str | None) -> None:
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    cell.border = Border(bottom=Side("hair", color=_RULE))
    if number_format:
        cell.number_format = number_format
    if shaded:
        cell.fill = PatternFill("solid", fgColor=_BAND)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return escape_cell(_ILLEGAL.sub("\ufffd", value))[:_LONGEST_CELL]
    if value is None or pd.isna(value):
        return None
    return value if isinstance(value, int | float | bool | date | datetime | time) else value.item()
