"""The schema told to others: empty templates, a JSON Schema, the reference page. All from `schema.TABLES`."""

from __future__ import annotations

from os import PathLike
from typing import Any

import pandas as pd

from govmatch.errors import InvalidInput
from govmatch.model.files import COLUMN_REFERENCE, as_path, write_atomically
from govmatch.model.schema import TABLES, Column, Table

_JSON_TYPES = {
    "id": "string",
    "text": "string",
    "choice": "string",
    "time": "string",
    "date": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
}
_KINDS = {
    "id": "id 编号",
    "text": "text 文本",
    "choice": "choice 选项",
    "time": "time 时间",
    "date": "date 日期",
    "int": "whole number 整数",
    "float": "number 数值",
    "bool": "true or false 是否",
}
_TIMES = ["2026-05-20T08:30:00+08:00", "2026-05-20 08:30"]


def templates(folder: str | PathLike[str] | None = None) -> dict[str, pd.DataFrame]:
    """Return an empty table of every kind, and write them as files if a folder is given.

    Parameters
    ----------
    folder : path, optional
        Made if it is absent. Gets ``TABLE.csv`` for every table, with its first row only, and
        ``列说明.csv``, which says what each column means, in English and Chinese (UTF-8 with a byte
        order mark, so that spreadsheets read the Chinese).

    Returns
    -------
    dict of str to pandas.DataFrame
        By table of the schema: no rows, all columns.

    Raises
    ------
    InvalidInput
        If `folder` is no path, or a file that would be written is there already; nothing is written then.
    OSError
        If the folder cannot be made or written.
    """
    frames = {
        name: pd.DataFrame({c.name: pd.Series(dtype=object) for c in table.columns})
        for name, table in TABLES.items()
    }
    if folder is not None:
        target = as_path(folder, "folder")
        whole = {**frames, COLUMN_REFERENCE.removesuffix(".csv"): column_reference()}
        there = [name for name in whole if (target / f"{name}.csv").exists()]
        if there:
            raise InvalidInput(
                f"{str(target)!r} holds {there[0]}.csv already; expected a folder without tables, "
                "so that nothing is lost"
            )
        for name, frame in whole.items():
            text = frame.to_csv(index=False, lineterminator="\n")
            write_atomically(target / f"{name}.csv", text.encode("utf-8-sig"))
    return frames


def column_reference() -> pd.DataFrame:
    """Return one row for every column of every table.

    Returns
    -------
    pandas.DataFrame
        table, 表, column, 列, kind, required, default, unit, range, choices, references, meaning; all
        text.
    """
    rows = [
        {
            "table 表": table.name,
            "表名": table.meaning_zh,
            "column 列": column.name,
            "列名": column.meaning_zh,
            "kind 类型": _KINDS[column.kind],
            "required 必填": _needed(column),
            "default 默认": _default(column),
            "unit 单位": column.unit,
            "range 范围": _range(column),
            "choices 取值": " / ".join(column.choices),
            "references 引用": " / ".join(column.references),
            "meaning 说明": column.meaning,
        }
        for table in TABLES.values()
        for column in table.columns
    ]
    return pd.DataFrame(rows, dtype=object)


def schema_json() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of all tables.

    Returns
    -------
    dict
        An object whose properties are the tables, each an array of objects, one a row. ``x-unit``,
        ``x-references`` (the tables that hold the id), ``x-key`` (the columns that together are unique)
        and ``x-kind`` say what JSON Schema has no word for.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "govmatch tables",
        "description": "Requests, providers and the alliance between them 需求、供给与联盟",
        "type": "object",
        "properties": {name: _table_schema(table) for name, table in TABLES.items()},
        "required": [name for name, table in TABLES.items() if table.required],
        "additionalProperties": False,
    }


def _table_schema(table: Table) -> dict[str, Any]:
    rows = {
        "type": "object",
        "properties": {c.name: _column_schema(c) for c in table.columns},
        "required": [c.name for c in table.columns if c.required],
    }
    described = {"title": table.meaning_zh, "description": f"{table.meaning} {table.meaning_zh}"}
    key = {"x-key": list(table.key)} if table.key else {}
    return {"type": "array", **described, "items": rows, **key}


def _column_schema(column: Column) -> dict[str, Any]:
    kind = _JSON_TYPES[column.kind]
    schema: dict[str, Any] = {
        "type": kind if column.required else [kind, "null"],
        "title": column.meaning_zh,
        "description": f"{column.meaning} {column.meaning_zh}",
        "x-kind": column.kind,
    }
    if column.choices:
        schema["enum"] = [*column.choices, *([] if column.required else [None])]
    if column.kind == "id" and column.required:
        schema["minLength"] = 1
    if column.kind == "date":
        schema["format"] = "date"
    if column.kind == "time":
        schema["examples"] = _TIMES
    optional = {
        "minimum": column.low,
        "maximum": column.high,
        "default": column.default,
        "x-unit": column.unit or None,
        "x-references": list(column.references) or None,
    }
    return schema | {name: value for name, value in optional.items() if value is not None}


def reference_markdown() -> str:
    """Return the reference page of all tables, in Markdown (``docs/tables.md``)."""
    lines = [
        "# Tables 数据表",
        "",
        "Every table and column that govmatch reads. This page is generated from the schema: "
        "`govmatch schema --markdown`.",
        "govmatch 读取的全部数据表与列;本页由上述命令生成。",
        "",
        "- Required are `communities`, `requests` and some supply: `volunteers`, or `organizations` with "
        "`capacity_per_slot`. 必需:社区、群众点单,以及志愿者或有派人能力的组织。",
        "- Files are CSV (UTF-8 or GB18030; comma, semicolon or tab; as many cells in every row as in the "
        "first) or .xlsx, named as the tables; the Chinese names below, of tables and columns, are "
        "understood as well. "
        "文件可为 CSV 或 .xlsx,CSV 各行列数须与首行一致;中文表名、列名均可识别。",
        "- A time without an offset is read in the policy's time zone; a date is a local day, both ends "
        "included. 不带时区的时间按政策时区解读。",
        "- An empty cell means absent: the default, if there is one. 空单元格取默认值。",
        "",
        "| table 表 | 表名 | what it holds |",
        "| --- | --- | --- |",
        *(f"| [{t.name}](#{t.name}) | {t.meaning_zh} | {_escaped(t.meaning)} |" for t in TABLES.values()),
    ]
    for table in TABLES.values():
        lines += ["", f"## {table.name}", "", f"{table.meaning_zh}: {table.meaning}."]
        if table.key:
            lines += ["", f"Unique 唯一: {', '.join(f'`{k}`' for k in table.key)}."]
        lines += [
            "",
            "| column 列 | 列名 | kind 类型 | default 默认 | allowed 允许 | meaning |",
            "| --- | --- | --- | --- | --- | --- |",
            *(_markdown_row(c) for c in table.columns),
        ]
    return "\n".join(lines) + "\n"


def _markdown_row(column: Column) -> str:
    name = f"**{column.name}**" if column.required else column.name
    default = "required 必填" if column.required else _default(column)
    references = f"in {' or '.join(column.references)}" if column.references else ""
    allowed = ", ".join(f"`{c}`" for c in column.choices) or _range(column) or references
    unit = f" ({column.unit})" if column.unit else ""
    return (
        f"| {name} | {column.meaning_zh} | {_KINDS[column.kind]}{unit} | {default} | {allowed} "
        f"| {_escaped(column.meaning)} |"
    )


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _needed(column: Column) -> str:
    return "yes 是" if column.required else ""


def _default(column: Column) -> str:
    if isinstance(column.default, bool):
        return str(column.default).lower()
    return "" if column.default is None else str(column.default)


def _range(column: Column) -> str:
    if column.low is None and column.high is None:
        return ""
    return f"{_bound(column.low)} … {_bound(column.high)}".strip()


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:,}"
