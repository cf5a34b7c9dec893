"""Why a request went to whom, or to nobody, where people make rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model.schema import EDGE_KINDS
from govmatch.plan.reasons import BEFORE_PAIRS, REASONS, STAGE_LABELS
from govmatch.reach.costs import RESOLUTION
from govmatch.reach.ways import PARTS

if TYPE_CHECKING:
    from govmatch.plan.plan import Plan
    from govmatch.plan.rounds import RoundSearch

IntArray = NDArray[np.int64]

STAGES = (*STAGE_LABELS, ("way there and back", "往返路程"))

OTHERS = 3
"""Others who could come, that are shown beside the chosen ones."""

_SHOWN = ("role", "provider_id", "start", "tour", "order", "travel_minutes", "cost_minutes")
_TERMS = (
    "travel_cost", "route_cost", "dialect_cost", "hometown_cost", "level_cost", "late_cost", "load_cost",
)  # fmt: skip


def explain_rounds(
    plan: Plan, search: RoundSearch, position: int
) -> tuple[str, str, str, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return status, reason, its Chinese, candidates, route and funnel of a request.

    The funnel has the rows of every role. Candidates are the visits that are made, then the nearest
    others who could come in each role: of these travel_minutes is the way from their tour's start, and
    cost_minutes are the terms that do not depend on the round.
    """
    request_id = str(plan.problem.demand.request_id[position])
    made = plan.assignments[plan.assignments["request_id"] == request_id]
    unmet = plan.unmet[plan.unmet["request_id"] == request_id]
    reason = str(unmet["reason"].iloc[0]) if len(unmet) else ""
    asks = np.flatnonzero(search.asks.request == position)
    return (
        "unmet" if reason else "served",
        reason,
        REASONS[reason][1] if reason else "",
        _candidates(plan, search, made, asks),
        _route(plan, search, made) if len(made) else pd.DataFrame(),
        pd.concat([_funnel(search, q, len(asks) > 1) for q in asks.tolist()], ignore_index=True),
    )


def _candidates(plan: Plan, search: RoundSearch, made: pd.DataFrame, asks: IntArray) -> pd.DataFrame:
    supply, options = plan.problem.supply, search.options
    chosen = made[[*_SHOWN, *_TERMS]].assign(chosen=True)
    sent = set(made["provider_id"])
    parts = [chosen]
    for q in asks.tolist():
        lo, hi = np.searchsorted(options.ask, [q, q + 1])
        at = lo + np.argsort(options.terms[lo:hi] * PARTS // RESOLUTION + options.out[lo:hi], kind="stable")
        provider = supply.slot_provider[options.slot[at]]
        ids = supply.provider_id[provider]
        other = pd.DataFrame(
            {
                "role": search.asks.demand.role[q],
                "provider_id": ids,
                "travel_minutes": options.out[at] / PARTS,
                "cost_minutes": options.terms[at] / RESOLUTION,
                "chosen": False,
            }
        ).drop_duplicates("provider_id")
        parts.append(other[~other["provider_id"].isin(sent)].head(OTHERS))
    kept = [part for part in parts if len(part)]
    if not kept:
        return pd.DataFrame()
    frame = pd.concat(kept, ignore_index=True)
    return frame[[c for c in ("role", "provider_id", "chosen", *_SHOWN[2:], *_TERMS) if c in frame.columns]]


def _funnel(search: RoundSearch, q: int, named: bool) -> pd.DataFrame:
    known = len(STAGES) if search.examined[q] else BEFORE_PAIRS
    funnel = pd.DataFrame(STAGES[:known], columns=["stage", "stage_zh"])
    counts = search.passed[q, :known].copy()
    if known == len(STAGES):
        options = search.options
        mine = options.slot[np.searchsorted(options.ask, q) : np.searchsorted(options.ask, q + 1)]
        counts[-1] = len(np.unique(search.provider_of[mine]))
    funnel["providers"] = counts
    if named:
        funnel.insert(0, "role", search.asks.demand.role[q])
    return funnel


def _route(plan: Plan, search: RoundSearch, made: pd.DataFrame) -> pd.DataFrame:
    """Hop by hop: which node hands the request on, over which kind of edge, at what cost."""
    supply, nodes = plan.problem.supply, plan.problem.nodes
    first = made.iloc[0]
    provider = int(np.flatnonzero(supply.provider_id == first["provider_id"])[0])
    starts = supply.slot_start == int(first["slot_start"].timestamp()) // 60
    slot = np.flatnonzero(starts & (supply.slot_provider == provider))[:1]
    epoch = int(search.paths.epoch_of_day(supply.slot_day[slot])[0])
    row = np.flatnonzero(plan.problem.demand.request_id == first["request_id"])[0]
    ends = int(plan.problem.demand.community[row]), int(supply.home[provider]), epoch
    way, edges = list(search.paths.route(*ends)), list(search.paths.route_edges(*ends))
    return pd.DataFrame(
        {
            "node_id": search.paths.node_id[way],
            "name": [nodes.name[v] if v < nodes.n else "" for v in way],
            "edge": ["", *(EDGE_KINDS[search.edges.kind[e]] for e in edges)],
            "hop_minutes": [0.0, *(search.edges.cost[e] / RESOLUTION for e in edges)],
        }
    )
