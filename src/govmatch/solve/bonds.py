"""People who must not, or would rather, be sent to one request together.

Neither changes what prices prove: without both, a plan costs as much or less. A plan keeps the one and pays
for the other; the exact step has rows for both.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from govmatch.ragged import matches

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Bonds:
    """Pairs of groups of an `Instance`.

    Attributes
    ----------
    apart : int64 (n, 2)
        Who never serve one request together.
    together : int64 (m, 2)
        Of whom one who serves a request without the other costs `cost`.
    cost : int
    nameless : int
        Groups from here on may be anybody.
    settled : int64 (k, 2)
        Owner (see `Meetings`) and position in `together` of what arcs cost already.
    """

    apart: IntArray
    together: IntArray
    cost: int
    nameless: int = 1 << 62
    settled: IntArray = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    def within(self, teams: IntArray, n_teams: int, number: IntArray) -> Bonds:
        """Return the bonds of a part: some of the teams, and requests by their new number, -1: none."""
        place = np.concatenate([np.full(n_teams, -1), np.where(number >= 0, len(teams) + number, -1)])
        place[teams] = np.arange(len(teams))
        owner = place[self.settled[:, 0]]
        kept = np.stack([owner, self.settled[:, 1]], axis=1)[owner >= 0]
        return replace(self, settled=kept)


class Meetings:
    """Where bonds may matter: a person, here, is a group at one owner, which is a team or a request alone.

    Parameters
    ----------
    bonds : Bonds
    owner : int64 (n_arcs,)
        -1 where one person comes at most.
    group : int64 (n_arcs,)

    Attributes
    ----------
    person : int64 (n_arcs,)
        -1 where there are no bonds.
    owner : int64 (n_persons,)
    apart, together : int64 (n, 2)
        Persons of one owner; -1 in `together` where no arc brings the other.
    pair : int64 (m,)
        Position in the bonds' `together` of each pair of persons.
    """

    def __init__(self, bonds: Bonds, owner: IntArray, group: IntArray) -> None:
        self.cost = bonds.cost
        bonded = np.unique(np.append(bonds.apart, bonds.together))
        at = np.flatnonzero((owner >= 0) & np.isin(group, bonded))
        span = int(owner.max(initial=0)) + 1
        keys, which = np.unique(group[at] * span + owner[at], return_inverse=True)
        self.person = np.full(len(owner), -1)
        self.person[at] = which.reshape(-1)
        self._group, self.owner = np.divmod(keys, span)
        self.n = len(keys)
        _, self.apart = self._met(bonds.apart, span)
        self.apart = self.apart[(self.apart >= 0).all(axis=1)]
        met, self.together = self._met(bonds.together, span)
        known = bonds.settled[bonds.settled[:, 0] < span]
        open_ = ~np.isin(met, known[:, 1] * span + known[:, 0])
        self.pair, self.together = met[open_] // span, self.together[open_]

    def _met(self, pairs: IntArray, span: int) -> tuple[IntArray, IntArray]:
        """Return every pair at every owner that one of the two may come to, as a key, and both persons."""
        keys, persons = [], []
        for side in (0, 1):
            pair, person = matches(self._group, pairs[:, side])
            keys.append(pair * span + self.owner[person])
            persons.append(person)
        every = np.unique(np.concatenate(keys))
        found = np.full((len(every), 2), -1)
        for side in (0, 1):
            found[np.searchsorted(every, keys[side]), side] = persons[side]
        return every, found

    def present(self, flow: IntArray) -> BoolArray:
        """Tell which persons come, (n_persons,); the last, of -1, never does."""
        here = np.zeros(self.n + 1, np.bool_)
        here[self.person[flow > 0]] = True
        here[-1] = False
        return here

    def clashing(self, flow: IntArray, cost: IntArray) -> IntArray:
        """Return arcs by which somebody comes who has to keep apart from another there: the dearer one."""
        here = self.present(flow)
        both = self.apart[here[self.apart].all(axis=1)]
        if not len(both):
            return np.zeros(0, np.int64)
        used = np.flatnonzero((flow > 0) & (self.person >= 0))
        price = np.zeros(self.n, np.int64)
        price[self.person[used]] = cost[used]
        # of equals the second
        out = np.where(price[both[:, 0]] > price[both[:, 1]], both[:, 0], both[:, 1])
        found: IntArray = used[np.isin(self.person[used], out)]
        return found

    def lonely(self, flow: IntArray) -> int:
        """Return what all cost who come without those whom they prefer."""
        here = self.present(flow)[self.together]
        return self.cost * int((here[:, 0] != here[:, 1]).sum())

    def toll(self, flow: IntArray | None = None, *, surely: bool = False) -> IntArray:
        """Return what each arc's coming costs more, and less, if all others come as they do in a flow.

        Without a flow, nobody does. `surely`: only for those whom no arc brings, whatever the flow.
        """
        here = np.zeros(self.n + 1, np.bool_) if flow is None else self.present(flow)
        number = np.zeros(self.n + 1, np.int64)
        for side in (0, 1):
            mine, theirs = self.together[:, side], self.together[:, 1 - side]
            if surely:
                mine, theirs = mine[theirs < 0], theirs[theirs < 0]
            np.add.at(number, mine, 1 - 2 * here[theirs])
        number[-1] = 0
        tolls: IntArray = self.cost * number[self.person]
        return tolls

    @property
    def mattering(self) -> IntArray:
        """Arcs of persons who may meet there those from whom they are kept apart, or whom they prefer."""
        met = np.zeros(self.n + 1, np.bool_)
        for pairs in (self.apart, self.together):
            met[pairs[(pairs >= 0).all(axis=1)]] = True
        return np.flatnonzero(met[self.person])

    def pairs_of(self, pairs: IntArray) -> dict[int, list[tuple[int, int]]]:
        """Return the groups of pairs of persons, both of whom may come, by owner."""
        both = pairs[(pairs >= 0).all(axis=1)]
        found: dict[int, list[tuple[int, int]]] = {}
        groups = self._group[both].tolist()
        for owner, (one, other) in zip(self.owner[both[:, 0]].tolist(), groups, strict=True):
            found.setdefault(owner, []).append((one, other))
        return found
