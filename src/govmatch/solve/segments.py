"""Places in arrays that grow: segments of 1, 2, 4, … that are used again when they are given back."""

from __future__ import annotations

from typing import Any


class Segments:
    """Hands out runs of places from 0 upward.

    Attributes
    ----------
    top : int
        No place from here on was ever handed out.
    """

    def __init__(self) -> None:
        self.top = 0
        self._free: dict[int, list[int]] = {}

    def take(self, length: int) -> int:
        """Return where a run of at least `length` places begins; -1 for none."""
        if length == 0:
            return -1
        size = 1 << (length - 1).bit_length()
        free = self._free.get(size)
        if free:
            return free.pop()
        start = self.top
        self.top += size
        return start

    def give(self, start: int, length: int) -> None:
        """Take a run back."""
        if length:
            self._free.setdefault(1 << (length - 1).bit_length(), []).append(start)

    def to_json(self) -> list[Any]:
        """Return what `from_json` reads."""
        return [self.top, sorted([size, starts] for size, starts in self._free.items() if starts)]

    @classmethod
    def from_json(cls, told: list[Any]) -> Segments:
        """Make what `to_json` told."""
        segments = cls()
        segments.top, free = told
        segments._free = {size: list(starts) for size, starts in free}
        return segments
