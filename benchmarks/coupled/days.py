"""The days, and the arrays of one: arcs on a capacity forest, and teams with their states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import govmatch as gm

if TYPE_CHECKING:
    import pandas as pd

Tables = dict[str, "pd.DataFrame"]
IntArray = NDArray[np.int64]

SHARE = 0.1
"""Share of the requests that need a team."""

GOAL = 0.5
"""The gap to reach, in %."""


@dataclass(frozen=True)
class Size:
    """One day: its name in the table, how a seed becomes its tables, and the gap to reach in %, if any."""

    label: str
    tables: Callable[[int], Tables]
    goal: float | None = GOAL


SIZES = {
    "xishan": Size("Xishan, a day", lambda seed: gm.datasets.xishan(seed=seed, coupled=SHARE)),
    "great_xishan": Size(
        "Great Xishan, a day", lambda seed: gm.datasets.great_xishan(seed=seed, coupled=SHARE)
    ),
    "haining": Size("Haining, an ordinary day", lambda seed: gm.datasets.haining(seed=seed, coupled=SHARE)),
    "stress": Size(
        "Haining, the stress day",
        lambda seed: gm.datasets.haining(seed=seed, requests=20_000, coupled=SHARE),
        goal=None,
    ),
    "quick": Size(
        "Xishan, 40 requests", lambda seed: gm.datasets.xishan(seed=seed, requests=40, coupled=SHARE)
    ),
}
FULL = tuple(name for name in SIZES if name != "quick")


@dataclass(frozen=True)
class Arrays:
    """A day as both solvers see it: the fields of `solve.instance.Instance` and `solve.team_tree.TeamTree`.

    `unmet_cost` of a request that is a team's state is not read.
    """

    request: IntArray
    node: IntArray
    group: IntArray
    cost: IntArray
    demand: IntArray
    unmet_cost: IntArray
    capacity: IntArray
    parent: IntArray
    load_cost: IntArray
    worth: IntArray
    absence: IntArray
    fewest: IntArray
    role_team: IntArray
    role_people: IntArray
    must: NDArray[np.bool_]
    start_team: IntArray
    state_role: IntArray
    state_request: IntArray
    link_state: IntArray
    link_parent: IntArray

    @property
    def team(self) -> IntArray:
        """The team of each request, -1 where it stands alone, (n_requests,)."""
        found = np.full(len(self.demand), -1)
        found[self.state_request] = self.role_team[self.state_role]
        return found


def arrays(instance: Any, tree: Any) -> Arrays:
    """Join an instance and its teams."""
    return Arrays(
        **{f.name: getattr(instance if hasattr(instance, f.name) else tree, f.name) for f in fields(Arrays)}
    )


def save(file: Path, day: Arrays) -> None:
    """Keep a day in a file for the other process."""
    np.savez(file, **{f.name: getattr(day, f.name) for f in fields(Arrays)})


def load(file: Path) -> Arrays:
    """Read what `save` wrote."""
    with np.load(file) as kept:
        return Arrays(**{f.name: kept[f.name] for f in fields(Arrays)})
