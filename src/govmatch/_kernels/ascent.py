"""One step of a dual ascent, the same for every problem that has prices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch._kernels.jit import helper

F64 = NDArray[np.float64]


@helper
def climb(at: F64, way: F64, more: F64, length: float, missing: float) -> bool:
    """Move prices along a smoothed direction; return whether there is one.

    Polyak's step towards a bound that is higher by `missing`, with the direction smoothed by those before
    it (Held, Wolfe & Crowder 1974; Camerini, Fratta & Maffioli 1975).

    Parameters
    ----------
    at, way, more : float64 (n_nodes,)
        Own prices, >= 0, and the direction, both replaced; how the bound grows with each price.
    """
    size = 0.0
    for k in range(len(at)):
        way[k] = 0.7 * way[k] + more[k]
        if at[k] <= 0 and way[k] < 0:
            way[k] = 0.0
        size += way[k] * way[k]
    if size == 0:
        return False
    step = length * max(missing, 1.0) / size
    for k in range(len(at)):
        at[k] = max(0.0, at[k] + step * way[k])
    return True
