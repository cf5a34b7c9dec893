"""Bonds between people, as columns and rows: never both, or a price for one without the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch.ragged import matches, runs
from govmatch.solve.bonds import Meetings
from govmatch.solve.mip.constraints import Rows
from govmatch.solve.mip.part import Part

IntArray = NDArray[np.int64]


def _owners(part: Part) -> IntArray:
    """Return the team, or the request that stands alone and asks for several, of each arc; -1: none."""
    owner: IntArray = part.tree.owners(part.role, part.instance.demand)[part.instance.request]
    return owner


def _meetings(part: Part) -> Meetings | None:
    if part.bonds is None:
        return None
    named = part.instance.group < part.bonds.nameless
    return Meetings(part.bonds, np.where(named, _owners(part), -1), part.instance.group)


def bond_costs(part: Part) -> IntArray:
    """Return what each column costs that tells whether one of two comes without the other."""
    meetings = _meetings(part)
    if meetings is None:
        return np.zeros(0, np.int64)
    return np.full(len(meetings.together), meetings.cost)


def bond_rows(part: Part, column: int, found: Rows) -> None:
    """Keep people apart, and pay where one comes without the other; the columns begin at `column`.

    Whoever comes by a nameless arc may be the one who is missed, so such arcs excuse the price.
    """
    meetings = _meetings(part)
    if meetings is None or part.bonds is None:
        return
    at = np.flatnonzero(meetings.person >= 0)
    order = at[np.argsort(meetings.person[at], kind="stable")]
    first = np.searchsorted(meetings.person[order], np.arange(meetings.n + 1))

    def arcs_of(persons: IntArray) -> tuple[IntArray, IntArray]:
        """Return the rows and the arcs of persons, one each row; none of -1."""
        begin = first[np.maximum(persons, 0)]
        row, nth = runs(np.where(persons >= 0, first[np.maximum(persons, 0) + 1] - begin, 0))
        return row, order[begin[row] + nth]

    if len(meetings.apart):
        one = np.ones(len(meetings.apart))
        terms = [(*arcs_of(meetings.apart[:, side]), 1) for side in (0, 1)]
        found.add(-np.inf * one, one, *terms)
    together = meetings.together
    if len(together):
        n = np.arange(len(together))
        owner = meetings.owner[together.max(axis=1)]
        excuse = _nameless(part, owner)
        for side in (0, 1):
            found.add(
                np.full(len(n), -np.inf),
                np.zeros(len(n)),
                (*arcs_of(together[:, side]), 1),
                (*arcs_of(together[:, 1 - side]), -1),
                (*excuse, -1),
                (n, column + n, -1),
            )


def _nameless(part: Part, owner: IntArray) -> tuple[IntArray, IntArray]:
    """Return the rows and the nameless arcs of the owner of each row."""
    assert part.bonds is not None
    arc = np.flatnonzero(part.instance.group >= part.bonds.nameless)
    mine = _owners(part)[arc]
    order = np.argsort(mine, kind="stable")
    arc, mine = arc[order], mine[order]
    row, at = matches(mine, owner)
    return row, arc[at]
