"""Columns whose names are nearly those of the schema: slips that would silently lose what they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from govmatch.model.aliases import folded
from govmatch.model.schema import TABLES, Table

_NEAR = 0.8  # of difflib's ratio
_LONGEST = 100  # characters that are compared

# ordinary words that resemble a column and mean something else
_WORDS = frozenset("place model contract content county country present late state".split())
_COLUMNS = frozenset(column.name for table in TABLES.values() for column in table.columns)


def misspelt(unknown: Iterable[str], given: Collection[str], table: Table) -> dict[str, str]:
    """Return, for each unknown column that resembles one of the table, the one that it resembles.

    A column beside the one that it resembles is no slip, nor is one that another table has.

    Parameters
    ----------
    unknown : iterable of str
        Names that the table does not have.
    given : collection of str
        All names as they are given.
    table : Table
    """
    lacking = [column.name for column in table.columns if column.name not in given]
    found = {}
    for name in unknown:
        key = folded(name[:_LONGEST])
        near = get_close_matches(key, lacking, n=1, cutoff=_NEAR)
        if near and (key == near[0] or key not in _WORDS | _COLUMNS):
            found[name] = near[0]
    return found
