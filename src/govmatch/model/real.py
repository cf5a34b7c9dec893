"""Numbers as people give them: what float64 holds, and what it does not."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real

import numpy as np


def as_real(value: object) -> float:
    """Return a real number as float; NaN for anything else, and for integers beyond float64.

    True and False are no numbers here: they are given by mistake.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real | Decimal):
        return np.nan
    try:
        return float(value)
    except (OverflowError, ValueError):  # 10**400; a signalling NaN
        return np.nan
