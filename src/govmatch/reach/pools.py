"""Profiles of needs, and the slots of those who hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.pairs import ByStart, Qualified
from govmatch.model.encoded import Demand, Supply
from govmatch.reach.paths import Paths

IntArray = NDArray[np.int64]
Need = tuple[int, int, bool]
"""Skill code, level, certified."""

NEVER = np.iinfo(np.int64).max

FAR_DAY = 200_000
"""A local day of the year 2517; later ones need no calendar."""


@dataclass(frozen=True)
class Holders:
    """Providers that hold every skill of a profile at its levels, ascending by position."""

    provider: IntArray
    surplus: IntArray  # levels above those needed, summed over the needs
    until: IntArray  # UTC minute at which the first certificate that is needed ends
    with_skill: int  # providers that hold the skills at any level


def profiles(demand: Demand) -> Iterator[tuple[tuple[Need, ...], IntArray]]:
    """Yield each distinct profile of needs with the requests that have it."""
    rows: dict[tuple[Need, ...], list[IntArray]] = {}
    counts = np.diff(demand.need_ptr)
    for n in np.unique(counts):
        requests = np.flatnonzero(counts == n)
        at = demand.need_ptr[requests][:, None] + np.arange(n)
        table = np.stack(
            [demand.need_skill[at], demand.need_level[at], demand.need_certified[at]], axis=2
        ).astype(np.int64)
        order = np.argsort(table[:, :, 0], axis=1, kind="stable")
        table = np.take_along_axis(table, order[:, :, None], axis=1).reshape(len(requests), -1)
        distinct, which = np.unique(table, axis=0, return_inverse=True)
        which = which.reshape(-1)
        by_profile = np.argsort(which, kind="stable")
        ends = np.cumsum(np.bincount(which, minlength=len(distinct)))
        for j, members in enumerate(np.split(requests[by_profile], ends[:-1])):
            key = tuple((int(s), int(v), bool(c)) for s, v, c in distinct[j].reshape(n, 3))
            rows.setdefault(key, []).append(members)
    for key, parts in rows.items():
        yield key, np.concatenate(parts)


class SkillIndex:
    """Skill rows by skill code, and slots by start and by home."""

    def __init__(self, supply: Supply, time_zone: str) -> None:
        self._supply = supply
        self._until = _day_ends(supply.skill_until, time_zone)
        code = supply.skill_code.astype(np.min_scalar_type(-1 - len(supply.skills)))
        self._order = np.argsort(code, kind="stable")
        self._ptr = np.searchsorted(code[self._order], np.arange(len(supply.skills) + 1))
        self._by_start = np.argsort(supply.slot_start, kind="stable")
        home = supply.home[supply.slot_provider[self._by_start]]
        self._by_home = self._by_start[np.argsort(home, kind="stable")]
        self._place = np.full(supply.n_providers, -1)  # of a provider among those at hand

    def holders(self, needs: tuple[Need, ...]) -> Holders:
        """Find who holds every need of a profile."""
        supply = self._supply
        if not needs:
            provider: IntArray = np.arange(supply.n_providers, dtype=np.int64)
        else:
            provider = supply.skill_provider[self._rows(needs[0])].astype(np.int64)
        surplus = np.zeros(len(provider), np.int64)
        until = np.full(len(provider), NEVER, np.int64)
        short = np.zeros(len(provider), np.bool_)
        for need in needs:
            _, level, certified = need
            row = self._rows(need)
            if need[0] != needs[0][0]:
                at = np.searchsorted(supply.skill_provider[row], provider)
                held = np.zeros(len(provider), np.bool_)
                inside = at < len(row)
                held[inside] = supply.skill_provider[row[at[inside]]] == provider[inside]
                row = row[at[held]]
                provider, short, surplus, until = provider[held], short[held], surplus[held], until[held]
            above = supply.skill_level[row].astype(np.int64) - level
            short = short | (above < 0)
            surplus = surplus + above
            if certified:
                until = np.minimum(until, self._until[row])
        enough = ~short
        return Holders(provider[enough], surplus[enough], until[enough], len(provider))

    def _rows(self, need: Need) -> IntArray:
        """Skill rows of one skill, ascending by provider; none for a skill that nobody offers."""
        code = need[0]
        return self._order[self._ptr[code] : self._ptr[code + 1]] if code >= 0 else self._order[:0]

    def pools(self, holders: Holders, paths: Paths) -> tuple[Qualified, ByStart]:
        """Gather the slots of `holders`, by home and start, and by start alone."""
        place = self._place
        place[holders.provider] = np.arange(len(holders.provider))
        slot, at = self._slots_of(self._by_start)
        until = holders.until[at]
        start, end = self._supply.slot_start[slot], self._supply.slot_end[slot]
        longest = int((end - start).max()) if len(slot) else 0
        by_start = ByStart(self._supply.slot_provider[slot], start, end, until, longest)
        slot, at = self._slots_of(self._by_home)
        place[holders.provider] = -1
        provider = self._supply.slot_provider[slot]
        home = self._supply.home[provider]
        first = np.flatnonzero(np.append(True, home[1:] != home[:-1])[: len(home)])
        return Qualified(
            slot=slot.astype(np.int32),
            provider=provider,
            start=self._supply.slot_start[slot],
            end=self._supply.slot_end[slot],
            epoch=paths.epoch_of_day(self._supply.slot_day[slot]).astype(np.int32),
            until=holders.until[at],
            surplus=holders.surplus[at].astype(np.int32),
            home=home[first],
            home_ptr=np.append(first, len(slot)).astype(np.int64),
            longest=longest,
        ), by_start

    def _slots_of(self, order: IntArray) -> tuple[IntArray, IntArray]:
        """Return the slots of those at hand in an order of all slots, and the place of their owners."""
        at = self._place[self._supply.slot_provider[order]]
        mine = np.flatnonzero(at >= 0)
        return order[mine], at[mine]


def _day_ends(days: NDArray[np.int32], time_zone: str) -> IntArray:
    """UTC minutes at which local days end, 0 for the day -1 of somebody without a certificate."""
    zone = ZoneInfo(time_zone)
    day = np.clip(days, -1, FAR_DAY)
    asked = np.zeros(FAR_DAY + 2, np.bool_)
    asked[day + 1] = True
    epoch, ends = date(1970, 1, 1).toordinal(), np.zeros(FAR_DAY + 2, np.int64)
    for i in np.flatnonzero(asked[1:]).tolist():
        midnight = datetime.combine(date.fromordinal(epoch + i + 1), time(), zone)
        ends[i + 1] = int(midnight.timestamp()) // 60
    return ends[day + 1]
