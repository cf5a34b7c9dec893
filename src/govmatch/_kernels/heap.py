"""A binary heap on two arrays, smallest key first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import jit

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


@jit
def push(key: I64, value: I32, size: int, k: int, v: int) -> int:
    """Add value `v` with key `k` to the first `size` entries; return the new size."""
    i = size
    while i > 0:
        above = (i - 1) >> 1
        if key[above] <= k:
            break
        key[i] = key[above]
        value[i] = value[above]
        i = above
    key[i] = k
    value[i] = v
    return size + 1


@jit
def drop_first(key: I64, value: I32, size: int) -> int:
    """Remove entry 0; return the new size."""
    size -= 1
    k = key[size]
    v = value[size]
    i = 0
    child = 1
    while child < size:
        if child + 1 < size and key[child + 1] < key[child]:
            child += 1
        if key[child] >= k:
            break
        key[i] = key[child]
        value[i] = value[child]
        i = child
        child = 2 * i + 1
    key[i] = k
    value[i] = v
    return size
