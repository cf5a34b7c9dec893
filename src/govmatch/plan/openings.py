"""Sessions of a problem as openings of an instance, and what became of them in a plan."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.problem import Problem
from govmatch.plan.forest import Layout
from govmatch.reach.costs import RESOLUTION
from govmatch.reach.seats import Seated
from govmatch.reach.units import Units
from govmatch.solve.openings import Openings

IntArray = NDArray[np.int64]

SESSION_COLUMNS = (
    "session_id", "name", "provider_id", "community_id", "skill", "start", "end", "seats", "taken", "held",
    "open_cost",
)  # fmt: skip


def openings_of(candidates: Seated, layout: Layout) -> Openings:
    """Say which nodes of an instance are sessions, what each costs, and who sits together."""
    seats, first = candidates.seats, candidates.first_slot
    node = np.flatnonzero((layout.node >= first) & (layout.node < first + len(seats.slot_provider)))
    session = seats.slot_provider[layout.node[node] - first]
    tie = np.full(len(layout.instance.demand), -1)
    tie[: len(candidates.tie)] = candidates.tie  # of people; goods come after them
    sits = np.zeros(len(tie), np.bool_)
    sits[layout.instance.request[np.isin(layout.instance.node, node)]] = True
    tie[~sits] = -1  # of households that no session could take as a whole
    tie[tie >= 0] = np.unique(tie[tie >= 0], return_inverse=True)[1]
    return Openings(
        node=node,
        cost=seats.sessions.open_cost[session],
        fewest=np.maximum(seats.sessions.fewest[session], 1),
        tie=tie,
    )


def sessions_frame(problem: Problem, assignments: pd.DataFrame) -> pd.DataFrame:
    """Return one row a session (see `Plan.sessions`)."""
    table = problem.tables.get("sessions")
    if table is None:
        return pd.DataFrame(columns=list(SESSION_COLUMNS))
    seated = assignments.loc[assignments["provider_kind"] == "session", "provider_id"].value_counts()
    taken = table["session_id"].map(seated).fillna(0).astype(np.int64)
    frame = table[["session_id", "name", "provider_id", "community_id", "skill", "start", "end"]].copy()
    frame["seats"] = table["seats"].astype(np.int64)
    frame["taken"] = taken
    frame["held"] = taken > 0
    frame["open_cost"] = problem.supply.sessions.open_cost * frame["held"].to_numpy() / RESOLUTION
    return frame


def not_held(problem: Problem, units: Units, candidates: object, provider: IntArray) -> NDArray[np.bool_]:
    """Tell which requests could sit in a session that is not held, (n_requests,).

    `provider`: of everybody who is sent.
    """
    found = np.zeros(problem.demand.n_requests, np.bool_)
    if isinstance(candidates, Seated):
        held = np.zeros(problem.supply.n_providers, np.bool_)
        held[provider] = True
        theirs = problem.supply.slot_provider[candidates.eligible.slot]
        found[units.request[candidates.eligible.request[~held[theirs]]]] = True
    return found
