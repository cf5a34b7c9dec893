"""The alliance's edges, from the frame that people read to the arrays that paths are computed on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.model.encoded import Nodes
from govmatch.model.policy import Policy
from govmatch.model.schema import EDGE_KINDS, TABLES
from govmatch.reach.paths import FIRST_DAY, LAST_DAY, EdgeArrays

EDGE_COLUMNS = ("from_id", "to_id", "kind", "hop_minutes", "valid_from", "valid_to", "agreement_id")
DEAREST_HOP = float(TABLES["agreements"].column("hop_minutes").high or 0)  # minutes


def edge_frame(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Return edges, given as tuples in the order of `EDGE_COLUMNS`, as the frame of `Alliance.edges`."""
    frame = pd.DataFrame(list(rows), columns=list(EDGE_COLUMNS), dtype=object)
    dtypes = {"hop_minutes": "float64", "valid_from": "datetime64[us]", "valid_to": "datetime64[us]"}
    for column, dtype in dtypes.items():
        frame[column] = np.array(frame[column].tolist(), dtype=dtype)
    return frame


def edge_arrays(
    edges: pd.DataFrame, nodes: Nodes, policy: Policy, quotas: Mapping[str, int] | None = None
) -> EdgeArrays:
    """Turn the frame of `Alliance.edges` into arrays by position, priced by `policy`.

    An edge costs its own ``hop_minutes`` or else the policy's price of its kind, rounded to hundredths
    as ``floor(100 x + 0.5)``. A kind that the policy does not price is closed: its edges are left out,
    their own price notwithstanding. Nodes that `nodes` lacks get the positions behind it.
    `quotas` are those of agreements, by id; of edges that cost the same, those without one come first,
    and one of 0 closes the agreement.

    Raises
    ------
    InvalidInput
        A missing column, an unknown kind, a price out of range.
    """
    missing = [c for c in EDGE_COLUMNS if c not in edges.columns]
    if missing:
        raise InvalidInput(f"the edges lack the columns {', '.join(missing)}")
    kind = pd.Index(EDGE_KINDS).get_indexer(pd.Index(edges["kind"]))
    if (kind < 0).any():
        row = int(np.argmax(kind < 0))
        raise InvalidInput(
            f"edges[{row}].kind is {edges['kind'].iloc[row]!r}; expected one of {', '.join(EDGE_KINDS)}"
        )
    price = np.array([policy.route.hop_minutes.get(k, np.nan) for k in EDGE_KINDS], dtype=np.float64)
    limits = quotas or {}
    quota = np.array([limits.get(key, -1) for key in edges["agreement_id"]], dtype=np.int64)
    is_open = ~np.isnan(price[kind]) & (quota != 0)
    own = edges["hop_minutes"].to_numpy(dtype=np.float64)
    minutes = np.where(np.isnan(own), price[kind], own)[is_open]
    wrong = ~((minutes >= 0) & (minutes <= DEAREST_HOP))
    if wrong.any():
        row = int(np.flatnonzero(is_open)[np.argmax(wrong)])
        raise InvalidInput(
            f"edges[{row}] costs {minutes[np.argmax(wrong)]} minutes a hop; expected 0 to {DEAREST_HOP:,.0f}"
        )
    ends = edges.loc[is_open, ["from_id", "to_id"]].to_numpy(dtype=object)
    known = pd.Index(nodes.node_id, dtype=object, tupleize_cols=False)
    place = known.get_indexer(pd.Index(ends.ravel(), dtype=object))
    extra, behind = np.unique(ends.ravel()[place < 0].astype(str), return_inverse=True)
    place[place < 0] = nodes.n + behind
    position = place.reshape(-1, 2).astype(np.int32)
    order = np.argsort(quota[is_open] >= 0, kind="stable")
    return EdgeArrays(
        tail=np.ascontiguousarray(position[order, 0]),
        head=np.ascontiguousarray(position[order, 1]),
        kind=kind[is_open][order].astype(np.int8),
        cost=np.floor(minutes * 100 + 0.5).astype(np.int64)[order],
        first_day=_day_numbers(edges.loc[is_open, "valid_from"], FIRST_DAY)[order],
        last_day=_day_numbers(edges.loc[is_open, "valid_to"], LAST_DAY)[order],
        extra_id=extra.astype(object),
        quota=quota[is_open][order],
    )


def _day_numbers(values: pd.Series[Any], otherwise: int) -> NDArray[np.int32]:
    days = values.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), otherwise, days.astype(np.int64)).astype(np.int32)
