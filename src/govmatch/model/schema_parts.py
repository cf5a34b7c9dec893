"""What tables are made of: columns, and those that several tables have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "int", "float", "bool", "time", "date", "choice"]

NODE_TABLES = ("communities", "party_units", "organizations")
PROVIDER_TABLES = ("volunteers", "organizations")

CRS = ("wgs84", "gcj02", "bd09")


@dataclass(frozen=True)
class Column:
    """One column. `low` and `high` are inclusive; `references` names the tables an id must be in."""

    name: str
    kind: Kind
    meaning: str
    meaning_zh: str
    required: bool = False
    default: str | int | float | bool | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One table. `key` columns together are unique; `required` tables must have been given."""

    name: str
    meaning: str
    meaning_zh: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    required: bool = False

    def column(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(c for c in self.columns if c.name == name)


def place() -> tuple[Column, ...]:
    """Return the columns of a place."""
    return (
        Column("lat", "float", "latitude", "纬度", unit="degree", low=-90, high=90),
        Column("lon", "float", "longitude", "经度", unit="degree", low=-180, high=180),
        Column("crs", "choice", "datum of lat and lon", "坐标系", default="wgs84", choices=CRS),
    )


def fk(name: str, tables: tuple[str, ...], en: str, zh: str, required: bool = False) -> Column:
    """Return a column that refers to a row of other tables."""
    return Column(name, "id", en, zh, required=required, references=tables)


def identifier(name: str, en: str, zh: str) -> Column:
    """Return a column of ids that may not be missing."""
    return Column(name, "id", en, zh, required=True)


def text(name: str, en: str, zh: str, default: str | None = None) -> Column:
    """Return a column of text."""
    return Column(name, "text", en, zh, default=default)


def clearance(en: str, zh: str) -> Column:
    """Return a column of clearances."""
    return Column("clearance", "int", en, zh, default=0, low=0, high=3)


def level(en: str, zh: str) -> Column:
    """Return a column of levels."""
    return Column("level", "int", en, zh, default=1, low=1, high=5)
