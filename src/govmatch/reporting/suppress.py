"""Counts for outside readers: small ones withheld, and totals that would give them away.

The table is a tree: cells (town, community, category, group) below their community, below their
town, below the whole. A count of 1 to `SMALL` - 1 people is withheld. A total is told only if
nobody can narrow a withheld cell down by subtraction: the cells that no lower total covers, told
ones taken off, leave a remainder R = Σ x_i with known limits l_i ≤ x_i ≤ h_i, hence

    max(l_i, R - Σ_{j≠i} h_j)  ≤  x_i  ≤  min(h_i, R - Σ_{j≠i} l_j),

and that range must be as wide as a small count's own (1 to 4), or as l_i to h_i where that is
narrower. Told totals cover disjoint sets of withheld cells, so no two of them together say more.
(Feasibility intervals: Hundepool et al., *Statistical Disclosure Control*, Wiley 2012, chapter 4.)
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SMALL = 5
FEWER = f"<{SMALL}"
WITHHELD = "*"

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEVELS = ("all", "town", "community")


def shielded(low: Ints, high: Ints, remainder: int) -> bool:
    """Tell whether a known sum leaves every term's range wide.

    Parameters
    ----------
    low, high : ndarray of int64, shape (k,)
        Known limits of each withheld term.
    remainder : int
        The known sum of the terms.

    Returns
    -------
    bool
        True for k = 0.
    """
    least = np.maximum(low, remainder - (high.sum() - high))
    most = np.minimum(high, remainder - (low.sum() - low))
    return bool((most - least >= np.minimum(high - low, SMALL - 2)).all())


def small(counts: Ints) -> Bools:
    """Tell which counts are of 1 to `SMALL` - 1 people. A zero counts nobody and may be told."""
    return (counts > 0) & (counts < SMALL)


def withhold(cells: pd.DataFrame, keys: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Decide what outside readers may see of cells and of their totals.

    Parameters
    ----------
    cells : pandas.DataFrame
        The keys of the levels (whole, town, community), then people, served and unmet, with
        people = served + unmet > 0.
    keys : tuple of str
        Columns that name a cell's town and its community.

    Returns
    -------
    cells, totals : pandas.DataFrame
        ``cells`` with bool columns ``people_told`` and ``parts_told`` (served, unmet and their
        share). ``totals``: one row per community, town and whole with ``level``, the keys (absent
        above their level), people, served, unmet, people_told, parts_told.
    """
    told = cells.copy()
    people, served, unmet = (told[name].to_numpy(dtype=np.int64) for name in ("people", "served", "unmet"))
    people_told = ~small(people)
    parts_told = people_told & ~small(served) & ~small(unmet)
    told["people_told"], told["parts_told"] = people_told, parts_told

    # limits that a reader knows of what is withheld
    people_low, people_high = np.ones_like(people), np.full_like(people, SMALL - 1)
    parts_low = np.where(people_told, 1, 0).astype(np.int64)
    parts_high = np.where(people_told, people - 1, SMALL - 1).astype(np.int64)

    people_open, parts_open = ~people_told, ~parts_told
    rows = []
    for depth in (len(keys), *range(len(keys) - 1, -1, -1)):
        names = list(keys[:depth])
        groups = told.groupby(names, sort=True, dropna=False).indices if names else {(): np.arange(len(told))}
        for key, members in groups.items():
            at = np.asarray(members, dtype=np.int64)
            total_people, total_unmet = int(people[at].sum()), int(unmet[at].sum())
            bare = at[people_open[at]]
            tell_people = not _is_small(total_people) and shielded(
                people_low[bare], people_high[bare], int(people[bare].sum())
            )
            bare_parts = at[parts_open[at]]
            tell_parts = (
                tell_people
                and not _is_small(total_unmet)
                and not _is_small(total_people - total_unmet)
                and all(
                    shielded(parts_low[bare_parts], parts_high[bare_parts], int(part[bare_parts].sum()))
                    for part in (served, unmet)
                )
            )
            if tell_people:
                people_open[at] = False
            if tell_parts:
                parts_open[at] = False
            values = key if isinstance(key, tuple) else (key,)
            rows.append(
                {
                    "level": LEVELS[depth],
                    **dict(zip(keys, (*values, *[None] * (len(keys) - depth)), strict=True)),
                    "people": total_people,
                    "served": total_people - total_unmet,
                    "unmet": total_unmet,
                    "people_told": tell_people,
                    "parts_told": tell_parts,
                }
            )
    columns = ["level", *keys, "people", "served", "unmet", "people_told", "parts_told"]
    return told, pd.DataFrame(rows, columns=columns)


def _is_small(count: int) -> bool:
    return 0 < count < SMALL
