"""Counts for outside readers: places are joined until no count is small.

A count of 1 to `SMALL` - 1 people is never told, nor what gives it away. Stars in single cells cannot do
that: the star itself says that a count is small, and a sum of few stars often has one solution. So counts
are told for groups of neighbours in a public order instead (`groups_told`): a group is closed as soon as
its counts are fit to be told, and the rest goes to the last group. Told groups share no place, and what
is told above them is their sum. A reader who knows this rule learns of a place in a group of k ≥ 2 that
the sums before the last place were unfit, and no more. Each count of each place in it can still be any of
five values or more:

- Sums of served S ≥ 5 and unmet U ≥ 5: the place's (served, unmet) may be (1, u) for every u in 0 … U, and
  the last place's (S - 1, U - u), the others' (0, 0); every sum before the last is then unfit, as it has
  one served. Likewise (s, 1) for every s in 0 … S. Of people, 1 + u.
- Only one of the two, say S ≥ 5 and U = 0 (a zero counts nobody and may be known): the place's served may
  be 0 … 4, the last place's S - 4 … S.

Kinds of request (category × group) below a place told alone are told if all of them are fit, else none
(`kinds_told`): then any single one may be the unfit one, with any of 1 … 4 for each of its counts. If the
served or unmet of the whole are unfit themselves, both are withheld everywhere, and groups are closed by
their people alone: then one of the two is any of 1 … 4, wherever it may be.

This guards what one sheet tells. It does not guard what a reader compares with another sheet of the same
day (a second run, another policy), or knows from elsewhere.
(The rule may be known because what it tells could have come from many tables; compare "simulatable
auditing", Kenthapadi, Mishra and Nissim, PODS 2005.)
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SMALL = 5
FEWER = f"<{SMALL}"
WITHHELD = "*"

Ints = NDArray[np.int64]

COLUMNS = ["level", "towns", "communities", "category", "group", "served", "unmet", "parts"]


def fit(served: int, unmet: int, parts: bool = True) -> bool:
    """Tell whether counts of somebody may be told: people `SMALL` or more, parts (if told) so or none."""
    enough = served + unmet >= SMALL
    return enough and not (parts and (0 < served < SMALL or 0 < unmet < SMALL))


def groups_told(counts: Ints, parts: bool = True) -> list[list[int]]:
    """Join neighbours until each group is fit to be told.

    Parameters
    ----------
    counts : ndarray of int64, shape (n, 2)
        Served and unmet of each place, in an order that does not depend on them; their sum is fit.
    parts : bool, default True
        Whether served and unmet are to be told, or their sum alone.

    Returns
    -------
    list of list of int
        Positions; each in one group, in the given order.
    """
    groups: list[list[int]] = []
    group: list[int] = []
    for at in range(len(counts)):
        group.append(at)
        if _fit_sum(counts[group], parts):
            groups.append(group)
            group = []
    while group and groups:
        group = groups.pop() + group
        if _fit_sum(counts[group], parts):
            break
    return [*groups, group] if group else groups


def kinds_told(counts: Ints, parts: bool = True) -> bool:
    """Tell whether all kinds of request of one place may be told: served and unmet, shape (n, 2)."""
    return all(fit(int(served), int(unmet), parts) for served, unmet in counts)


def publish(cells: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that outside readers may see.

    Parameters
    ----------
    cells : pandas.DataFrame
        town, community_id, category, group, served, unmet; served + unmet > 0.
    places : pandas.DataFrame
        town and community_id of every community, asked for or not: a public list.

    Returns
    -------
    pandas.DataFrame
        level ("all", "town", "community", "cell"), towns and communities (tuples: whose sum it is),
        category, group, served, unmet, parts (bool: served and unmet may be told; else their sum alone).
        The first row is the whole; of a whole of 1 to 4 people it is the only row and ``parts`` False.
    """
    keys = ["town", "community_id"]
    listed = places[keys].drop_duplicates().sort_values(keys, ignore_index=True)
    summed = cells.groupby(keys)[["served", "unmet"]].sum()
    counts = summed.reindex(pd.MultiIndex.from_frame(listed), fill_value=0).to_numpy(dtype=np.int64)
    served, unmet = (int(n) for n in counts.sum(axis=0))
    parts = served + unmet == 0 or fit(served, unmet)
    rows: list[tuple[object, ...]] = [("all", (), (), None, None, served, unmet, parts)]
    if fit(served, unmet, parts):
        rows += _towns(cells, listed, counts, parts)
    return pd.DataFrame(rows, columns=COLUMNS)


def _towns(cells: pd.DataFrame, listed: pd.DataFrame, counts: Ints, parts: bool) -> list[tuple[object, ...]]:
    towns = listed["town"].to_numpy(dtype=object)
    names = list(dict.fromkeys(towns))
    of_town = [np.flatnonzero(towns == name) for name in names]
    sums = np.array([counts[at].sum(axis=0) for at in of_town], dtype=np.int64)
    groups = groups_told(sums, parts)
    rows: list[tuple[object, ...]] = []
    for group in groups:
        joined = tuple(names[i] for i in group)
        if len(groups) > 1 or len(names) == 1:
            rows.append(("town", joined, (), None, None, *sums[group].sum(axis=0).tolist(), parts))
        if len(group) == 1:  # inside a group of several, sums of communities would tell its towns apart
            at = of_town[group[0]]
            ids = listed["community_id"].to_numpy(dtype=object)[at]
            rows += _communities(cells, joined, ids, counts[at], parts)
    return rows


def _communities(
    cells: pd.DataFrame, town: tuple[str, ...], ids: NDArray[np.object_], counts: Ints, parts: bool
) -> list[tuple[object, ...]]:
    groups = groups_told(counts, parts)
    rows: list[tuple[object, ...]] = []
    for group in groups:
        joined = tuple(ids[group])
        if len(groups) > 1 or len(ids) == 1:
            rows.append(("community", town, joined, None, None, *counts[group].sum(axis=0).tolist(), parts))
        if len(group) > 1:
            continue
        kinds = cells[(cells["town"] == town[0]) & (cells["community_id"] == joined[0])]
        if kinds_told(kinds[["served", "unmet"]].to_numpy(dtype=np.int64), parts):
            rows += [
                ("cell", town, joined, *kind, parts)
                for kind in kinds[["category", "group", "served", "unmet"]].itertuples(index=False)
            ]
    return rows


def _fit_sum(counts: Ints, parts: bool) -> bool:
    served, unmet = counts.sum(axis=0)
    return fit(int(served), int(unmet), parts)
