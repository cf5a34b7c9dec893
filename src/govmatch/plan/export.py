"""A plan as files: CSV that a spreadsheet opens safely, JSON, Parquet."""

from __future__ import annotations

import importlib
import io
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from govmatch.errors import MissingExtra
from govmatch.model.files import write_atomically

if TYPE_CHECKING:
    from govmatch.plan.plan import Plan

FRAMES = ("assignments", "unmet", "funnel")

# A cell that begins with one of these runs as a formula in at least one spreadsheet program
# (OWASP, "CSV Injection"; OWASP ASVS 5.0, 1.2.10). The full-width forms are read as the plain ones.
_FORMULA_STARTS = tuple("=+-@\t\r\n\0＝＋－＠")


def escape_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before text that a spreadsheet would run as a formula.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any frame. Numbers, times and absent cells stay as they are, -5 as a number too.

    Returns
    -------
    pandas.DataFrame
        A copy; text cells that begin with ``= + - @``, a tab, a line break or NUL (or a full-width
        ``＝ ＋ － ＠``) begin with ``'`` instead. Column names are treated alike.
    """
    safe = frame.copy()
    for position in range(safe.shape[1]):
        cells = safe.iloc[:, position]
        if pd.api.types.is_object_dtype(cells) or isinstance(
            cells.dtype, pd.StringDtype | pd.CategoricalDtype
        ):
            escaped = [escape_cell(value) for value in cells.astype(object)]
            text: Any = pd.Series(escaped, index=safe.index, dtype=object)
            safe.isetitem(position, text)
    safe.columns = pd.Index([escape_cell(name) for name in safe.columns])
    return safe


def escape_cell(value: Any) -> Any:
    """Return `value`, with an apostrophe before it if it is text that would run as a formula."""
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return `frame` as CSV: escaped, UTF-8 with a byte order mark, so that Excel reads Chinese."""
    # With "\n" alone a carriage return inside a cell would stand unquoted and end the row.
    text = escape_formulas(frame).to_csv(index=False, lineterminator="\r\n")
    return text.encode("utf-8-sig", errors="replace")


def to_csv(plan: Plan, folder: str | PathLike[str]) -> list[Path]:
    """Write a plan's frames as CSV and its certificate as JSON.

    Parameters
    ----------
    plan : Plan
        The plan.
    folder : path
        Made if it is absent. Each file appears whole or not at all.

    Returns
    -------
    list of Path
        ``assignments.csv``, ``unmet.csv``, ``funnel.csv`` (UTF-8 with a byte order mark; text that
        a spreadsheet would run as a formula begins with an apostrophe) and ``certificate.json``; also
        ``changes.csv`` where there is an incumbent, ``floors.csv`` where there are floors, ``goods.csv`` and
        ``stock.csv`` where goods are needed, ``sessions.csv`` where there are sessions.

    Raises
    ------
    OSError
        If the folder cannot be made or written.
    """
    return _write(plan, folder, ".csv", csv_bytes)


def to_json(plan: Plan, path: str | PathLike[str] | None = None) -> str:
    """Return a plan as JSON text, and write it if a path is given.

    Parameters
    ----------
    plan : Plan
        The plan.
    path : path, optional
        A file; it appears whole or not at all.

    Returns
    -------
    str
        Keys ``certificate``, ``linked``, ``assignments``,
        ``unmet``, ``funnel`` (lists of records), and ``changes`` where there is an incumbent, ``floors``
        where there are floors, ``goods`` and ``stock`` where goods are asked for, ``sessions`` where there
        are sessions. Times are ISO 8601 with their offset, absent values null.
    """
    whole: dict[str, Any] = {"certificate": certificate_record(plan), "linked": int(plan.linked)}
    for name, frame in _frames(plan).items():
        whole[name] = _records(frame)
    text = json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    if path is not None:
        write_atomically(path, text)
    return text


def to_parquet(plan: Plan, folder: str | PathLike[str]) -> list[Path]:
    """Write a plan's frames as Parquet and its certificate as JSON.

    Parameters, returns and errors are those of `to_csv`; the files end in ``.parquet``.

    Raises
    ------
    MissingExtra
        If pyarrow is not installed.
    """
    try:
        importlib.import_module("pyarrow")
    except ImportError as absent:
        raise MissingExtra('to_parquet needs pyarrow: pip install "pyarrow"') from absent
    return _write(plan, folder, ".parquet", _parquet_bytes)


def certificate_record(plan: Plan) -> dict[str, Any]:
    """Return the certificate as a plain dict; numbers that are not finite become None."""
    return {name: _plain(value) for name, value in asdict(plan.certificate).items()}


OUTSIDE = (
    "gap",
    "termination",
    "verified",
    "scope",
    "resolution_minutes",
    "solver",
    "policy_fingerprint",
    "problem_fingerprint",
    "assumed_share",
    "placed_assumed_share",
    "synthetic",
)


def outside_certificate(plan: Plan) -> dict[str, Any]:
    """Return what outside readers may see of the certificate.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    dict
        Its fields without primal, bound, pairs, arcs and rounds: exact costs and sizes tell of single
        people where few are unserved.
    """
    record = certificate_record(plan)
    return {name: record[name] for name in OUTSIDE}


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _frames(plan: Plan) -> dict[str, pd.DataFrame]:
    names = [*FRAMES]
    if plan.incumbent is not None:
        names.append("changes")
    if len(plan.floors):
        names.append("floors")
    if len(plan.stock):
        names += ["goods", "stock"]
    if len(plan.problem.tables.get("sessions", ())):
        names.append("sessions")
    return {name: getattr(plan, name) for name in names}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    whole = frame.astype(object)
    columns = [[_plain(v) for v in whole[name].where(whole[name].notna(), None)] for name in whole]
    return [dict(zip(whole.columns, row, strict=True)) for row in zip(*columns, strict=True)]


def _parquet_bytes(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()


def _write(
    plan: Plan, folder: str | PathLike[str], suffix: str, encode: Callable[[pd.DataFrame], bytes]
) -> list[Path]:
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    certificate = json.dumps(certificate_record(plan), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    files: dict[Path, bytes | str] = {
        target / f"{name}{suffix}": encode(frame) for name, frame in _frames(plan).items()
    }
    files[target / "certificate.json"] = certificate
    for path, data in files.items():
        write_atomically(path, data)
    return list(files)
