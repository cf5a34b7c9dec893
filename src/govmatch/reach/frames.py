"""Tables of any library that narwhals knows, before their columns are looked at."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from govmatch.errors import InvalidInput


def eager_frame(table: Any, name: str) -> nw.DataFrame[Any]:
    """Return a table behind narwhals' interface.

    Raises
    ------
    InvalidInput
        It is no DataFrame, or has a column twice. The message calls it `name`.
    """
    labels = table.columns if isinstance(table, pd.DataFrame) else getattr(table, "column_names", ())
    names = list(labels)  # narwhals refuses twins in words of its own, which differ by version
    twice = [label for i, label in enumerate(names) if label in names[:i]]
    if twice:
        raise InvalidInput(f"{name} has the column {twice[0]!r} twice; expected each column once")
    try:
        frame: nw.DataFrame[Any] = nw.from_native(table, eager_only=True)
    except TypeError as error:
        raise InvalidInput(f"{name} is a {type(table).__name__}; expected a DataFrame") from error
    return frame
