"""The nearest known name, for messages about unknown ones."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: object, known: Iterable[str]) -> str:
    """Return `` (nearest: …)`` for the known name that resembles `name`, or nothing."""
    if not isinstance(name, str):
        return ""
    found = get_close_matches(name[:200].casefold(), list(known), n=1, cutoff=0.6)
    return f" (nearest: {found[0]})" if found else ""


def listed(names: Iterable[str]) -> str:
    """Return the names as one readable list."""
    return ", ".join(names)


def shown(value: object, width: int = 60) -> str:
    """Return a value as it is quoted in messages, cut to `width` characters."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        text = f"{type(value).__name__} too long to be written"
    return text if len(text) <= width else text[: width - 1] + "…"
