"""Synthetic inhabitants: people by group and community, newcomers' homes, places of dense demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from govmatch.datasets.columns import FloatArray, IntArray, frame, generator
from govmatch.datasets.geography import Places
from govmatch.datasets.services import GROUPS

HOMETOWNS = ("浙江海宁", "四川", "贵州", "河南", "安徽", "云南", "江西")
DIALECTS = ("海宁话", "四川话", "贵州话", "河南话", "安徽话", "云南话", "江西话")

_PART = 1
_HOT_SPOTS = 10
_SHARE = (0.22, 0.13, 0.02, 0.0015)  # elderly, child, disabled, bereaved


@dataclass(frozen=True)
class Inhabitants:
    """People by community position; the same for a community in whichever data set it appears."""

    count: IntArray  # (C, groups) people by group, in the order of services.GROUPS
    origin: IntArray  # (C,) commonest home of its new residents, position in HOMETOWNS
    heat: FloatArray  # (C,) how much denser than usual its requests are

    def chosen(self, keep: IntArray) -> Inhabitants:
        """Return the communities at positions `keep`."""
        return Inhabitants(self.count[keep], self.origin[keep], self.heat[keep])

    def table(self, places: Places) -> pd.DataFrame:
        """Return the `population` table: one row a community and group, and one for all."""
        named = ["all", *GROUPS[1:]]
        counts = np.column_stack([self.count.sum(axis=1), self.count[:, 1:]])
        return frame(
            community_id=np.repeat(places.code, len(named)),
            group=np.tile(np.array(named, dtype=object), places.n),
            count=counts.ravel(),
        )


def inhabitants(places: Places, seed: int) -> Inhabitants:
    """Draw the inhabitants of all places."""
    rng = generator(seed, _PART)
    n = places.n
    urban = np.array(places.urban)[places.town]
    typical = np.where(places.village == 1, 2600.0, np.where(urban, 6500.0, 4800.0))
    total = typical * rng.lognormal(0.0, 0.3, n)
    newcomers = np.clip(rng.normal(0.24, 0.1, n) + 0.08 * (places.village == 0), 0.04, 0.6)
    elderly, child, disabled, bereaved = (total * share * rng.uniform(0.8, 1.2, n) for share in _SHARE)
    new = total * newcomers
    rest = np.maximum(total - elderly - child - disabled - bereaved - new, 100)
    count = np.column_stack([rest, elderly, child, new, disabled, bereaved]).astype(np.int64)
    origin = rng.integers(1, len(HOMETOWNS), n)
    heat = rng.lognormal(0.0, 0.35, n)
    heat[rng.choice(n, _HOT_SPOTS, replace=False)] *= 3.5
    heat[places.xishan] = 2.5
    return Inhabitants(count, origin, heat)
