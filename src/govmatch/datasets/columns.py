"""Drawing whole columns at once: seeded generators, ids, choices by weight, local times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from govmatch.errors import InvalidInput
from govmatch.model.suggest import shown

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
TextArray = NDArray[np.object_]


HIGHEST_SEED = 2**63 - 1


def whole(name: str, value: object, high: int) -> int:
    """Return a whole number from 0 to `high`, or say that the argument `name` is none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value <= high:
        raise InvalidInput(f"{name} is {shown(value)}; expected a whole number from 0 to {high:,}")
    return int(value)


def generator(seed: int, part: int) -> np.random.Generator:
    """Return the generator of one part of the tables; parts do not disturb each other."""
    return np.random.Generator(np.random.PCG64([seed, part]))


def numbered(prefix: str, numbers: ArrayLike, width: int) -> TextArray:
    """Return `prefix` followed by each number, zero-padded to `width` digits.

    Built from digit codes because formatting 200,000 numbers one by one takes longer than drawing
    everything else about them.
    """
    values = np.asarray(numbers, dtype=np.int64)
    codes = np.empty((len(values), len(prefix) + width), dtype=np.uint32)
    codes[:, : len(prefix)] = np.frombuffer(prefix.encode("utf-32-le"), dtype=np.uint32)
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    codes[:, len(prefix) :] = values[:, None] // powers % 10 + ord("0")
    return np.asarray(codes.view(f"<U{codes.shape[1]}").ravel(), dtype=object)


def spread(total: int, weights: FloatArray, at_least: int = 0) -> IntArray:
    """Share `total` among `weights` in whole numbers that add up to it (largest remainders)."""
    share = (total - at_least * len(weights)) * weights / weights.sum()
    whole = np.floor(share).astype(np.int64)
    short = total - at_least * len(weights) - int(whole.sum())
    whole[np.argsort(whole - share, kind="stable")[:short]] += 1
    return np.asarray(whole + at_least, dtype=np.int64)


def pick(rng: np.random.Generator, weights: FloatArray, size: int) -> IntArray:
    """Draw `size` positions of `weights`, each with its share."""
    bounds = np.cumsum(weights) / weights.sum()
    drawn = np.searchsorted(bounds, rng.random(size), side="right")
    return np.minimum(drawn, len(weights) - 1).astype(np.int64)


def pick_by_row(rng: np.random.Generator, table: FloatArray, rows: IntArray) -> IntArray:
    """Draw for every entry of `rows` a column of that row of `table`, each with its share of the row.

    Row r's cumulated shares are shifted by r, so that one sorted search serves all rows.
    """
    bounds = np.cumsum(table, axis=1) / table.sum(axis=1, keepdims=True)
    bounds[:, -1] = 1.0
    shifted = (bounds + np.arange(len(table))[:, None]).ravel()
    flat = np.searchsorted(shifted, rows + rng.random(len(rows)), side="right")
    return np.asarray(np.clip(flat - rows * table.shape[1], 0, table.shape[1] - 1), dtype=np.int64)


def texts(values: Sequence[str], positions: IntArray) -> TextArray:
    """Return the text at each position; -1 gives None. Equal texts share one object."""
    table = np.array([*values, None], dtype=object)
    return np.asarray(table[positions])


def moments(day: str, minutes: IntArray, zone: str) -> pd.DatetimeIndex:
    """Return local midnight of `day` plus `minutes` on the clock, in `zone`."""
    return localised(np.datetime64(day, "us") + minutes.astype("timedelta64[m]"), zone)


def localised(local: NDArray[np.datetime64], zone: str) -> pd.DatetimeIndex:
    """Read clock times in `zone`: an hour that comes twice is the first, one that is skipped the next."""
    index = pd.DatetimeIndex(local.astype("datetime64[us]"))
    return index.tz_localize(zone, ambiguous=np.ones(len(index), dtype=bool), nonexistent="shift_forward")


def frame(**columns: Any) -> pd.DataFrame:
    """Return a DataFrame whose object columns stay object (pandas 3 would guess `str`)."""
    kept = {
        name: pd.Series(values, dtype=object)
        if isinstance(values, np.ndarray) and values.dtype == object
        else values
        for name, values in columns.items()
    }
    return pd.DataFrame(kept)


def optional_int(values: IntArray, absent: int = -1) -> pd.Series[Any]:
    """Return whole numbers in which `absent` becomes a missing value."""
    return pd.Series(pd.array(values, dtype="Int64")).mask(values == absent)
