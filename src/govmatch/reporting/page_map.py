"""The map of places and the flows between them, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from govmatch.reporting.page_parts import text
from govmatch.reporting.tallies import rows
from govmatch.reporting.words import SHARE_BOUNDS, SHARE_WORDS

FLOWS = 60
WIDTH = 1000.0
_MARGIN = 46.0
_LARGEST = 13.5  # radius of the place that asks most


def map_svg(places: pd.DataFrame, flows: pd.DataFrame) -> str:
    """Return the map, or an empty string if no place has coordinates.

    Parameters
    ----------
    places, flows : pandas.DataFrame
        As `tallies.places` and `tallies.flows` return them.
    """
    known = places[np.isfinite(places["lat"]) & np.isfinite(places["lon"])]
    if known.empty:
        return ""
    x, y, height = _projected(known)
    at = {i: (px, py) for i, px, py in zip(known["community_id"], x, y, strict=True)}
    names = dict(zip(known["community_id"], known["name"], strict=True))
    drawn = [_flow(row, at, names) for row in rows(top_flows(flows, at))]
    return (
        f'<svg id="map" class="map" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" '
        'aria-label="地图 map"><defs><marker id="tip" viewBox="0 0 6 6" refX="4.6" refY="3" orient="auto" '
        'markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse"><path d="M0 0L6 3L0 6Z"/></marker>'
        "</defs>"
        f"<g>{_circles(known, x, y)}</g><g>{''.join(drawn)}</g><g>{_towns(known, x, y)}</g></svg>"
    )


def top_flows(flows: pd.DataFrame, at: Collection[str], n: int = FLOWS) -> pd.DataFrame:
    """Return the `n` largest flows between two different places that are both in `at`."""
    between = flows[
        (flows["from_id"] != flows["to_id"]) & flows["from_id"].isin(at) & flows["to_id"].isin(at)
    ]
    return between[["from_id", "to_id", "people"]].head(n)


def share_class(share: float) -> str:
    """Return the class of a served share: s0 (least served) … s4, none where nothing was asked."""
    return "none" if math.isnan(share) else f"s{sum(share >= bound for bound in SHARE_BOUNDS)}"


def map_legend() -> str:
    """Return the legend and the two switches."""
    dots = "".join(
        f'<span><svg viewBox="0 0 18 18"><circle class="s{k}" cx="9" cy="9" r="7"/></svg>{text(b)}</span>'
        for k, b in enumerate(SHARE_WORDS)
    )
    return (
        f'<div class="legend"><span>服务率 served:</span>{dots}<span><svg viewBox="0 0 18 18">'
        '<circle cx="9" cy="9" r="7" fill="none" stroke="currentColor" stroke-dasharray="2 2"/></svg>'
        "位置为推定 place assumed</span>"
        "<span>圆面积=需求人次 area: people asked for</span>"
        '<label><input type="checkbox" checked data-hides="noflows"> 流向 flows</label>'
        '<label><input type="checkbox" checked data-hides="nonames"> 镇街名 towns</label></div>'
    )


def _projected(known: pd.DataFrame) -> tuple[list[float], list[float], float]:
    """Return x, y in SVG units and the height: equirectangular about the middle latitude."""
    lat, lon = known["lat"].to_numpy(), known["lon"].to_numpy()
    east = (lon - lon.min()) * math.cos(math.radians((lat.min() + lat.max()) / 2))
    north = lat.max() - lat
    span = max(float(east.max()), float(north.max()) / 1.4)
    scale = (WIDTH - 2 * _MARGIN) / span if span > 0 else 0.0
    left = (WIDTH - scale * float(east.max())) / 2
    height = max(260.0, scale * float(north.max()) + 2 * _MARGIN)
    top = (height - scale * float(north.max())) / 2
    return list(left + scale * east), list(top + scale * north), height


def _flow(row: Any, at: dict[str, tuple[float, float]], names: dict[str, str]) -> str:
    (x0, y0), (x1, y1) = at[row.from_id], at[row.to_id]
    bend = 0.18
    middle = ((x0 + x1) / 2 + bend * (y0 - y1), (y0 + y1) / 2 + bend * (x1 - x0))
    hover = f"{names[row.from_id]} → {names[row.to_id]}: {row.people:,}"
    return (
        f'<path class="flow" d="M{x0:.1f} {y0:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {x1:.1f} {y1:.1f}" '
        f'stroke-width="{min(7.0, 0.8 + 0.7 * math.sqrt(row.people)):.2f}" marker-end="url(#tip)">'
        f"<title>{text(hover)}</title></path>"
    )


def _circles(known: pd.DataFrame, x: list[float], y: list[float]) -> str:
    most = max(1, int(known["people"].max()))
    order = np.argsort(-known["people"].to_numpy(), kind="stable")
    communities = rows(known)
    parts = []
    for i in order:
        row = communities[i]
        radius = 2.2 + (_LARGEST - 2.2) * math.sqrt(row.people / most)
        share = "—" if math.isnan(row.served_share) else f"{row.served_share:.0%}"
        hover = (
            f"{row.town} {row.name}\n需求 asked {row.people:,} · 已服务 served {row.served:,} ({share}) · "
            f"未满足 unmet {row.unmet:,}" + ("\n位置为推定 place assumed" if row.assumed else "")
        )
        kind = share_class(row.served_share) + (" assumed" if row.assumed else "")
        parts.append(
            f'<circle class="{kind}" cx="{x[i]:.1f}" cy="{y[i]:.1f}" r="{radius:.1f}">'
            f"<title>{text(hover)}</title></circle>"
        )
    return "".join(parts)


def _towns(known: pd.DataFrame, x: list[float], y: list[float]) -> str:
    middle = (
        pd.DataFrame({"town": known["town"].to_numpy(), "x": x, "y": y}).groupby("town").mean().reset_index()
    )
    return "".join(
        f'<text class="town" x="{row.x:.1f}" y="{row.y:.1f}">{text(row.town)}</text>'
        for row in rows(middle)
        if row.town
    )
