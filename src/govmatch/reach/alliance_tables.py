"""Nodes and edges of the alliance, read from tables that may be raw or checked."""

from __future__ import annotations

import datetime as dt
import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from govmatch.errors import InvalidInput
from govmatch.model.suggest import shown
from govmatch.reach.frames import eager_frame

NODE_KINDS = {"communities": "community", "party_units": "party_unit", "organizations": "organization"}
_ID_COLUMNS = {"communities": "community_id", "party_units": "unit_id", "organizations": "organization_id"}
_TIERS = (  # table, column whose value is the other end of a tier, table of that end
    ("party_units", "parent_id", "party_units"),
    ("party_units", "community_id", "communities"),
    ("organizations", "community_id", "communities"),
    ("organizations", "party_unit_id", "party_units"),
)


@dataclass(frozen=True)
class NodeRow:
    """A community, party unit or organisation."""

    node: str
    table: str
    name: str


@dataclass(frozen=True)
class EdgeRow:
    """A tier or an agreement; None where the policy's price holds or the time is open."""

    a: str
    b: str
    key: str
    kind: str | None
    hop_minutes: float | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


def node_rows(tables: Mapping[str, Any]) -> dict[str, NodeRow]:
    """Return the nodes by id: communities, then party units, then organisations, in the order of rows.

    Raises
    ------
    InvalidInput
        No communities, an id that is missing, or two rows of one id, in whichever tables.
    """
    given: object = tables
    if not isinstance(given, Mapping):
        raise InvalidInput(f"tables is a {type(tables).__name__}; expected a mapping of name to DataFrame")
    if "communities" not in tables:
        raise InvalidInput(f"tables has {', '.join(map(str, tables)) or 'nothing'}; expected communities")
    nodes: dict[str, NodeRow] = {}
    for table, column in _ID_COLUMNS.items():
        pairs = zip(_required(tables, table, column), _column(tables, table, "name"), strict=True)
        for row, (node, name) in enumerate(pairs):
            if node in nodes:
                raise InvalidInput(
                    f"{table}[{row}].{column}: {node!r} is already the id of a row of {nodes[node].table}; "
                    "the nodes of an alliance need ids of their own"
                )
            nodes[node] = NodeRow(node, table, "" if name is None else str(name))
    return nodes


def edge_rows(tables: Mapping[str, Any], nodes: Mapping[str, NodeRow]) -> Iterator[EdgeRow]:
    """Yield the tiers, then the agreements.

    Raises
    ------
    InvalidInput
        An end that is no node where it belongs, an agreement whose id is missing or there twice, a value
        that is no number or no date.
    """
    yield from _tier_rows(tables, nodes)
    yield from _agreement_rows(tables, nodes)


def _tier_rows(tables: Mapping[str, Any], nodes: Mapping[str, NodeRow]) -> Iterator[EdgeRow]:
    """Yield the tiers: units with their parents and communities, organisations with both."""
    for table, column, other in _TIERS:
        ids = _required(tables, table, _ID_COLUMNS[table])
        for row, (node, end) in enumerate(zip(ids, _column(tables, table, column), strict=True)):
            if end is None:
                continue
            if str(end) not in nodes or nodes[str(end)].table != other:
                known = [n.node for n in nodes.values() if n.table == other]
                raise _unknown(f"{table}[{row}].{column}", str(end), known, f"the id of a row of {other}")
            yield EdgeRow(node, str(end), f"tier:{node}:{end}", "tier")


def _agreement_rows(tables: Mapping[str, Any], nodes: Mapping[str, NodeRow]) -> Iterator[EdgeRow]:
    ids = _required(tables, "agreements", "agreement_id")
    ends = {c: _required(tables, "agreements", c) for c in ("from_id", "to_id")}
    given = {c: _column(tables, "agreements", c) for c in ("kind", "hop_minutes", "valid_from", "valid_to")}
    seen: set[str] = set()
    for row, agreement in enumerate(ids):
        where = f"agreements[{row}]"
        if agreement in seen:
            raise InvalidInput(f"{where}.agreement_id: {agreement!r} is there twice; it is the key")
        if agreement.startswith("tier:"):
            raise InvalidInput(
                f"{where}.agreement_id is {agreement!r}; ids that begin with 'tier:' are tiers'"
            )
        seen.add(agreement)
        for column, values in ends.items():
            if values[row] not in nodes:
                what = "the id of a community, party unit or organization"
                raise _unknown(f"{where}.{column}", values[row], nodes, what)
        minutes = given["hop_minutes"][row]
        try:
            price = None if minutes is None else float(minutes)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidInput(f"{where}.hop_minutes is {shown(minutes)}; expected minutes") from error
        yield EdgeRow(
            ends["from_id"][row],
            ends["to_id"][row],
            agreement,
            given["kind"][row],
            price,
            as_date(given["valid_from"][row], f"{where}.valid_from"),
            as_date(given["valid_to"][row], f"{where}.valid_to"),
        )


def as_date(value: Any, what: str) -> dt.date | None:
    """Return a date, None where there is none, or say that `what` is no date."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, np.datetime64):
        value = None if np.isnat(value) else value.astype("datetime64[D]").item()
    if isinstance(value, dt.datetime):
        return value.date()
    if value is None or isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"):
            try:
                return dt.datetime.strptime(value.strip(), form).date()
            except ValueError:
                continue
    raise InvalidInput(f"{what} is {shown(value)}; expected a date such as 2026-07-04")


def _column(tables: Mapping[str, Any], table: str, column: str) -> list[Any]:
    """Return a column of an optional table as a list, None where a value is missing."""
    if table not in tables:
        return []
    frame = eager_frame(tables[table], f"tables[{table!r}]")
    if column not in frame.columns:
        return [None] * len(frame)
    return [None if _is_missing(v) else v for v in frame[column].to_list()]


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value


def _required(tables: Mapping[str, Any], table: str, column: str) -> list[str]:
    values = _column(tables, table, column)
    if None in values:
        raise InvalidInput(f"{table}[{values.index(None)}].{column} is missing; every row needs one")
    return [str(v) for v in values]


def _unknown(where: str, value: str, ids: Iterable[str], expected: str) -> InvalidInput:
    near = difflib.get_close_matches(value[:200], list(ids), n=3, cutoff=0.3)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    return InvalidInput(f"{where} is {value[:200]!r}, which is not {expected}{hint}")
