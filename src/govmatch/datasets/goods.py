"""Synthetic goods and funds: who owns how much of what, and which requests need any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from govmatch.datasets.columns import FloatArray, frame, generator, pick
from govmatch.errors import InvalidInput
from govmatch.model.real import as_real
from govmatch.model.suggest import shown

_PART = 31
_FIRMS, _COMMUNITIES = 160, 40
_SECOND = 0.25  # share of those who need goods that need a second kind
_AMPLE = 1.1  # stock over what is asked, on average


@dataclass(frozen=True)
class _Kind:
    """One kind: how often it is asked for, the smallest amount, and at most how many times that."""

    name: str
    unit: str
    share: float
    amount: float
    most: int
    lent: bool = False
    period: str | None = None


KINDS = (
    _Kind("rice 大米", "kg", 4, 5.0, 20),
    _Kind("cooking oil 食用油", "litre", 2, 2.5, 8),
    _Kind("quilts 棉被", "piece", 1, 1.0, 4),
    _Kind("school bags 书包", "piece", 2, 1.0, 20),
    _Kind("nursing pads 护理垫", "pack", 2, 1.0, 12),
    _Kind("first-aid kits 急救包", "piece", 1, 1.0, 3),
    _Kind("wheelchairs 轮椅", "piece", 3, 1.0, 2, lent=True),
    _Kind("nursing beds 护理床", "piece", 1, 1.0, 1, lent=True),
    _Kind("umbrellas 雨伞", "piece", 1, 1.0, 10, lent=True),
    _Kind("love fund 爱心基金", "yuan", 3, 50.0, 20, period="week"),
)


def goods(tables: Mapping[str, pd.DataFrame], seed: int, share: float) -> dict[str, pd.DataFrame]:
    """Let firms and communities own goods, and a share of the requests need some.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Canonical `communities`, `organizations` and `requests`; nothing in them is changed.
    seed : int
    share : float
        Of the requests that are matched by themselves, 0 to 1.

    Returns
    -------
    dict of str to DataFrame
        `goods` (up to 200 owners of ten kinds, together about a tenth more than is asked) and
        `request_goods`.

    Raises
    ------
    InvalidInput
        A share that is none.
    """
    if not 0 <= as_real(share) <= 1:
        raise InvalidInput(f"share is {shown(share)}; expected a share from 0 to 1")
    rng = generator(seed, _PART)
    requests = tables["requests"]
    free = requests["request_id"].to_numpy(dtype=object)[requests["duplicate_of"].isna().to_numpy()]
    chosen = np.sort(rng.choice(len(free), round(share * len(free)), replace=False))
    weights = np.array([kind.share for kind in KINDS], dtype=np.float64)
    first = pick(rng, weights, len(chosen))
    second = (first + 1 + pick(rng, np.ones(len(KINDS) - 1), len(chosen))) % len(KINDS)
    both = rng.random(len(chosen)) < _SECOND
    of = np.concatenate([np.arange(len(chosen)), np.flatnonzero(both)])
    kind = np.concatenate([first, second[both]])
    order = np.lexsort((kind, of))
    of, kind = of[order], kind[order]
    most = np.array([k.most for k in KINDS])[kind]
    unit = np.array([k.amount for k in KINDS])[kind]
    amount = (1 + np.floor(rng.random(len(kind)) ** 2 * most)) * unit
    names = np.array([k.name for k in KINDS], dtype=object)
    return {
        "goods": _owned(tables, rng, np.bincount(kind, amount, len(KINDS)).astype(np.float64)),
        "request_goods": frame(request_id=free[chosen[of]], good=names[kind], amount=amount),
    }


def _owned(
    tables: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    asked: FloatArray,
) -> pd.DataFrame:
    """Share what there is of each kind among owners, in whole amounts."""
    owners = np.concatenate(
        [
            rng.permutation(tables[table][column].to_numpy(dtype=object))[:most]
            for table, column, most in (
                ("organizations", "organization_id", _FIRMS),
                ("communities", "community_id", _COMMUNITIES),
            )
        ]
    )
    parts = []
    for kind, total in zip(KINDS, asked.tolist(), strict=True):
        share = rng.pareto(2.0, len(owners)) + 0.1
        lots = np.ceil(share / share.sum() * _AMPLE * total / kind.amount)
        parts.append(
            frame(
                owner_id=owners,
                good=np.full(len(owners), kind.name, dtype=object),
                amount=lots * kind.amount,
                unit=np.full(len(owners), kind.unit, dtype=object),
                lent=np.full(len(owners), kind.lent),
                period=np.full(len(owners), kind.period, dtype=object),
            )
        )
    return pd.concat(parts, ignore_index=True)
