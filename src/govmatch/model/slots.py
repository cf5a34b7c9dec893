"""Bookable slots from availability, and from presets where none is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.model.encoded import BoolArray, Int32Array, IntArray
from govmatch.model.horizon import Horizon
from govmatch.model.policy import Policy, Preset
from govmatch.model.sheets import Sheets
from govmatch.model.times import DAY, MINUTE, Zone, ceil_minutes
from govmatch.ragged import runs

MAX_SLOTS = 50_000_000


@dataclass(frozen=True)
class Pieces:
    """The named hours of every local day of the horizon, in order, in minutes."""

    start: IntArray
    end: IntArray
    day: Int32Array
    name: NDArray[np.int64]  # position in `names`
    names: tuple[str, ...]

    @classmethod
    def of(cls, policy: Policy, horizon: Horizon, zone: Zone) -> Pieces:
        """Lay the policy's hours over the days; those wholly outside the horizon are left out."""
        names = tuple(policy.slots.hours)
        bounds = [[_clock(text) for text in policy.slots.hours[name]] for name in names]
        ranked = sorted(range(len(names)), key=lambda i: bounds[i])  # they lie apart; the policy sees to it
        edges = zone.local(np.array([horizon[0], max(horizon[0], horizon[1] - 1)]) * MINUTE) // DAY
        days = np.arange(edges[0], edges[1] + 1) if horizon[0] < horizon[1] else np.zeros(0, dtype=np.int64)
        which = np.tile(np.array(ranked, dtype=np.int64), len(days))
        day = np.repeat(days, len(names))
        clock = np.array(bounds, dtype=np.int64).reshape(-1, 2)[which]
        start = zone.instant(day * DAY + clock[:, 0] * MINUTE)[0] // MINUTE
        end = zone.instant(day * DAY + clock[:, 1] * MINUTE)[0] // MINUTE
        start, end = np.maximum(start, horizon[0]), np.minimum(end, horizon[1])
        keep = start < end
        return cls(start[keep], end[keep], day[keep].astype(np.int32), which[keep], names)

    def of_preset(self, preset: Preset) -> NDArray[np.intp]:
        """Return the positions of the pieces in which a habit is free."""
        weekday = (self.day + 3) % 7  # 1970-01-01 was a Thursday
        wanted = [i for i, slot in enumerate(self.names) if slot in preset.slots]
        return np.flatnonzero(np.isin(weekday, preset.days) & np.isin(self.name, wanted))


def _clock(text: str) -> int:
    """Return the minute of the day that a clock time such as 08:30 names."""
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


@dataclass(frozen=True)
class Slots:
    """Slots by provider, then by start."""

    provider: Int32Array
    start: IntArray
    end: IntArray
    assumed: BoolArray


def slots_of(
    sheets: Sheets, policy: Policy, horizon: Horizon, provider_of: Int32Array, preset_of: Int32Array
) -> Slots:
    """Return the slots of all providers.

    Parameters
    ----------
    sheets : Sheets
    policy : Policy
    horizon : tuple of int
        Minutes.
    provider_of : int32 (n_volunteers + n_organizations,)
        Provider of each row of the two tables; -1: no provider.
    preset_of : int32 (n_providers,)
        Position in the policy's presets that stands in where nothing is known; -1: none.
    """
    provider, start, end = _availability(sheets, horizon, provider_of)
    listed = np.zeros(len(preset_of), dtype=bool)
    rows = sheets.positions("availability", "provider_id")
    who = provider_of[rows[rows >= 0]]
    listed[who[who >= 0]] = True
    preset_of = np.where(listed, -1, preset_of)
    assuming = preset_of >= 0
    long = np.flatnonzero(end - start > policy.slots.long_minutes)
    if not len(long) and not assuming.any():
        return Slots(provider, start, end, np.zeros(len(start), dtype=bool))
    pieces = Pieces.of(policy, horizon, sheets.zone)
    parts = [(provider, start, end)]
    if len(long):
        short = np.ones(len(start), dtype=bool)
        short[long] = False
        parts = [
            (provider[short], start[short], end[short]),
            _cut(provider[long], start[long], end[long], pieces),
        ]
    known = sum(len(part[0]) for part in parts)
    for code, preset in enumerate(policy.presets.named.values()):
        who = np.flatnonzero(preset_of == code).astype(np.int32)
        if len(who):
            free = pieces.of_preset(preset)
            _afford(len(who) * len(free) + known)
            parts.append(
                (
                    np.repeat(who, len(free)),
                    np.tile(pieces.start[free], len(who)),
                    np.tile(pieces.end[free], len(who)),
                )
            )
    provider, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    assumed = np.arange(len(provider)) >= known
    order = np.argsort(
        provider.astype(np.int64) * (horizon[1] - horizon[0] + 1) + start - horizon[0], kind="stable"
    )
    return Slots(provider[order], start[order], end[order], assumed[order])


def _afford(n: int) -> None:
    if n > MAX_SLOTS:
        raise InvalidInput(
            f"the horizon gives {n:,} slots of availability, expected at most {MAX_SLOTS:,}; "
            "give a shorter horizon="
        )


def _availability(
    sheets: Sheets, horizon: Horizon, provider_of: Int32Array
) -> tuple[Int32Array, IntArray, IntArray]:
    """Return stated times, clipped to the horizon and whole minutes, by provider and start."""
    sheet = sheets["availability"]
    rows = sheets.positions("availability", "provider_id")
    start = np.maximum(ceil_minutes(sheet["start"].values), horizon[0])
    end = np.minimum(sheet["end"].values // MINUTE, horizon[1])
    provider = np.append(provider_of, np.int32(-1))[rows]
    keep = (provider >= 0) & (start < end)
    order = sheets.known_order("availability")
    if order is None:
        order = np.lexsort((start, provider))
    if not keep.all():
        order = order[keep[order]]
    return provider[order], start[order], end[order]


def _cut(
    provider: Int32Array, start: IntArray, end: IntArray, pieces: Pieces
) -> tuple[Int32Array, IntArray, IntArray]:
    """Cut times at the bounds of the named hours; what lies outside all hours is not bookable."""
    first = np.searchsorted(pieces.end, start, side="right")
    count = np.maximum(np.searchsorted(pieces.start, end, side="left") - first, 0)
    _afford(int(count.sum()))
    row, nth = runs(count)
    piece = first[row] + nth
    return provider[row], np.maximum(start[row], pieces.start[piece]), np.minimum(end[row], pieces.end[piece])
