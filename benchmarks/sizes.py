"""The registry of sizes: each name makes one day's tables from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import govmatch as gm

if TYPE_CHECKING:
    import pandas as pd

Tables = dict[str, "pd.DataFrame"]


@dataclass(frozen=True)
class Size:
    """One size: what it is called in the table, and how a seed becomes its tables."""

    label: str
    label_zh: str
    tables: Callable[[int], Tables]


SIZES = {
    "xishan": Size("Xishan, a day", "西山社区一天", lambda seed: gm.datasets.xishan(seed=seed)),
    "great_xishan": Size(
        "Great Xishan, a day", "大西山一天", lambda seed: gm.datasets.great_xishan(seed=seed)
    ),
    "haining": Size("Haining, an ordinary day", "海宁平常一天", lambda seed: gm.datasets.haining(seed=seed)),
    "stress": Size(
        "Haining, the stress day", "海宁压力日", lambda seed: gm.datasets.haining(seed=seed, requests=20_000)
    ),
}
QUICK = ("xishan",)
