"""The roles of requests: several rows of the table `roles` may speak of one role."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.model.cells import Cells
from govmatch.model.encoded import BoolArray, IntArray, TextArray
from govmatch.model.sheets import Sheets

NOWHERE = -2

SAID_ONCE = ("count", "leader", "minutes", "clearance", "after", "after_least", "after_most")
"""Columns of which all rows of a role say the same."""


@dataclass(frozen=True)
class Roles:
    """Distinct roles by request, then by their first row."""

    request: IntArray  # (Q,) row in requests, ascending
    first: IntArray  # (Q,) the first row that speaks of it
    of_row: IntArray  # (n_rows,) -1 where the request is unknown
    name: TextArray  # (Q,)
    people: IntArray  # (Q,)
    leader: BoolArray  # (Q,)
    minutes: IntArray  # (Q,)
    clearance: IntArray  # (Q,)
    after: IntArray  # (Q,) position here; -1: none; NOWHERE: the request has no such role
    after_least: IntArray  # (Q,)
    after_most: IntArray  # (Q,)


def read_roles(sheets: Sheets) -> Roles:
    """Read the distinct roles; what a role leaves unsaid is the request's."""
    roles, requests = sheets["roles"], sheets["requests"]
    request = sheets.positions("roles", "request_id").astype(np.int64)
    code = np.asarray(roles["role"].codes, dtype=np.int64)
    width = int(code.max(initial=0)) + 2
    key = np.where((request >= 0) & (code >= 0), request * width + code, -1)
    known = np.flatnonzero(key >= 0)
    keys, first, which = np.unique(key[known], return_index=True, return_inverse=True)
    order = np.lexsort((known[first], keys // width))
    keys, first = keys[order], known[first[order]]
    of_row = np.full(roles.n, -1, dtype=np.int64)
    of_row[known] = np.argsort(order)[which.reshape(-1)]
    asked = request[first]

    def stated(column: str, otherwise: NDArray[np.int64]) -> IntArray:
        cells = roles[column]
        return np.where(cells.present[first], cells.values[first], otherwise).astype(np.int64)

    least = roles["after_least"].values[first].astype(np.int64)
    return Roles(
        request=asked,
        first=first,
        of_row=of_row,
        name=roles["role"].values[first],
        people=roles["count"].values[first].astype(np.int64),
        leader=roles["leader"].values[first].astype(bool),
        minutes=stated("minutes", requests["minutes"].values[asked]),
        clearance=stated("clearance", requests["clearance"].values[asked]),
        after=_after(roles["after"], roles["role"], keys, asked, first, width),
        after_least=least,
        after_most=stated("after_most", least),
    )


def _after(
    after: Cells, role: Cells, keys: IntArray, request: IntArray, first: IntArray, width: int
) -> IntArray:
    """Find the role that each role follows."""
    names = {} if role.uniques is None else {name: i for i, name in enumerate(role.uniques.tolist())}
    found = np.full(len(first), -1, dtype=np.int64)
    place = {int(key): i for i, key in enumerate(keys)}
    for q in np.flatnonzero(after.present[first]).tolist():
        code = names.get(after.values[first[q]])
        found[q] = NOWHERE if code is None else place.get(int(request[q]) * width + code, NOWHERE)
    return found


def starts_after(roles: Roles) -> tuple[IntArray, IntArray]:
    """Return how many minutes after the team's start each role starts, at least and at most, (Q,).

    Of roles that follow each other in a circle the figures have no meaning.
    """
    least, most, up = np.zeros_like(roles.after), np.zeros_like(roles.after), np.arange(len(roles.after))
    for _ in range(len(up)):
        inner = np.flatnonzero(up >= 0)
        inner = inner[roles.after[up[inner]] >= 0]
        if not len(inner):
            break
        least[inner] += roles.after_least[up[inner]]
        most[inner] += roles.after_most[up[inner]]
        up[np.setdiff1d(np.flatnonzero(up >= 0), inner)] = -1
        up[inner] = roles.after[up[inner]]
    return least, most
