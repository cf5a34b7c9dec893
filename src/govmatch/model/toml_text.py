"""TOML text, and the line on which a key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from govmatch.errors import InvalidInput


def key_line(text: str, path: Sequence[str]) -> int | None:
    """Return the line, counted from 1, on which the statement that sets a key begins.

    A prefix of the lines that parses ends at the end of a statement, so the first line whose shortest
    parsing prefix holds the key is the line sought. A key that is absent gives the line of the table
    around it; None if there is none.

    Parameters
    ----------
    text : str
        TOML that parses.
    path : sequence of str
        The key, from the outermost table.
    """
    text = _of_lines(text)
    lines = text.split("\n")
    for length in range(len(path), 0, -1):
        if _holds(tomllib.loads(text), path[:length]):
            low, high = 1, len(lines)
            while low < high:
                middle = (low + high) // 2
                if _holds(_shortest(lines, middle), path[:length]):
                    high = middle
                else:
                    low = middle + 1
            return low
    return None


def parsed(text: str, source: str) -> dict[str, Any]:
    """Parse TOML, whatever its lines end with.

    Raises
    ------
    InvalidInput
        Naming `source` and the line.
    """
    text = _of_lines(text)
    try:
        return tomllib.loads(text)
    except ValueError as error:
        found = re.search(r"at line (\d+)", str(error))
        # where the text ends too early, the parser names no line
        line = found[1] if found else text.rstrip().count("\n") + 1
        raise InvalidInput(f"{source}, line {line}: not TOML: {error}") from error
    except RecursionError as error:
        raise InvalidInput(f"{source}: not TOML: nested too deeply") from error


def _of_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _shortest(lines: list[str], least: int) -> dict[str, Any]:
    for count in range(least, len(lines)):
        try:
            return tomllib.loads("\n".join(lines[:count]))
        except ValueError:
            continue
    return tomllib.loads("\n".join(lines))


def _holds(values: object, path: Sequence[str]) -> bool:
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True
