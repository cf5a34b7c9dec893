"""Who comes to the visits of a recurring request: the price of each new face, and the visits one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.encoded import Series
from govmatch.model.policy import Continuity
from govmatch.reach.costs import hundredths

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def is_known(series: Series, of: IntArray, provider: IntArray, n_providers: int) -> BoolArray:
    """Tell which providers served the resident of a series before, (n,)."""
    pairs = series.known_series * n_providers + series.known_provider
    return np.isin(of * n_providers + provider, pairs)


def has_known(series: Series) -> BoolArray:
    """Tell which series have somebody who served their resident before, (S,)."""
    return np.bincount(series.known_series, minlength=series.n) > 0


def face_costs(
    series: Series,
    rules: Continuity,
    request: IntArray,
    provider: IntArray,
    start: IntArray,
    n_providers: int,
) -> IntArray:
    """Charge each new face of a series on its first visit; hundredths, (n,).

    Parameters
    ----------
    series : Series
    rules : Continuity
    request, provider, start : int64 (n,)
        Of each person sent. Of equal starts the earlier row counts first.
    n_providers : int
    """
    cost = np.zeros(len(request), np.int64)
    of = series.of[request]
    order = np.lexsort((start, of))
    order = order[of[order] >= 0]
    if not len(order):
        return cost
    pair = of[order] * n_providers + provider[order]
    first = np.zeros(len(order), np.bool_)
    first[np.unique(pair, return_index=True)[1]] = True
    new = order[first]
    mine = of[new]
    turn = np.arange(len(new)) - np.searchsorted(mine, mine)
    cost[new] = np.where(turn >= series.people[mine], hundredths(rules.face_minutes), 0)
    strange = has_known(series)[mine] & ~is_known(series, mine, provider[new], n_providers)
    cost[new] += np.where(strange, hundredths(rules.known_minutes), 0)
    return cost


def full_series(series: Series, request: IntArray, provider: NDArray[np.int32]) -> BoolArray:
    """Tell which requests recur and have as many faces as they may have, (n_requests,)."""
    width = int(provider.max(initial=0)) + 1
    of = series.of[request]
    pairs = np.unique(of[of >= 0] * width + provider[of >= 0])
    faces = np.bincount(pairs // width, minlength=series.n)
    full = np.append((series.faces >= 0) & (faces >= series.faces), False)
    found: BoolArray = full[series.of]
    return found


def visits_told(
    ids: list[str], assignments: pd.DataFrame, unmet: pd.DataFrame, starts: pd.DatetimeIndex
) -> pd.DataFrame:
    """Tell a recurring request visit by visit: request_id, earliest, provider_id (by ", "), reason."""
    sent = assignments[assignments["request_id"].isin(ids)]
    who = sent.groupby("request_id")["provider_id"].agg(", ".join)
    why = unmet.set_index("request_id")["reason"]
    return pd.DataFrame(
        {
            "request_id": ids,
            "earliest": starts,
            "provider_id": who.reindex(ids).fillna("").to_numpy(dtype=object),
            "reason": why.reindex(ids).fillna("").to_numpy(dtype=object),
        }
    )
