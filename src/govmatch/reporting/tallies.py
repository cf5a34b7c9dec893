"""What a plan did, counted: by request, place, flow and hour. Pictures, pages and sheets read these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.model.coordinates import to_wgs84
from govmatch.model.schema import CRS
from govmatch.reporting.words import bilingual

if TYPE_CHECKING:
    from govmatch.plan.plan import Plan

Floats = NDArray[np.float64]

COUNTS = ["people", "served", "unmet"]


def need_plan(plan: object) -> None:
    """Raise `InvalidInput` if `plan` is not what `gm.match` returns."""
    if not all(hasattr(plan, name) for name in ("problem", "assignments", "unmet", "certificate")):
        raise InvalidInput(f"plan is a {type(plan).__name__}; expected a Plan: match(problem)")


def requests_asked(plan: Plan) -> pd.DataFrame:
    """Return one row per request that asks for somebody (linked duplicates are left out).

    Returns
    -------
    pandas.DataFrame
        request_id, community_id, community, town, category, group, priority, earliest, people, served,
        unmet. ``people`` is what was sent and what is missing together.
    """
    tables, demand = plan.problem.tables, plan.problem.demand
    asked = dated_requests(plan)[["request_id", "community_id", "category", "priority", "earliest"]]
    asked["group"] = pd.Series(demand.group, dtype=object)
    asked["category"] = asked["category"].fillna("").astype(object)
    communities = tables["communities"].set_index("community_id")
    asked["community"] = _name_or_id(communities["name"]).reindex(asked["community_id"]).to_numpy()
    asked["town"] = communities["town"].fillna("").reindex(asked["community_id"]).to_numpy()
    asked["served"] = _per_request(asked, plan.assignments.groupby("request_id").size())
    asked["unmet"] = _per_request(asked, plan.unmet.groupby("request_id")["people"].sum())
    asked["people"] = asked["served"] + asked["unmet"]
    return asked


def dated_requests(plan: Plan) -> pd.DataFrame:
    """Return the rows of `requests` that ask for somebody, a row for each visit of those that recur."""
    demand, series = plan.problem.demand, plan.problem.series
    asked: pd.DataFrame = plan.problem.tables["requests"].iloc[demand.row].reset_index(drop=True)
    visit = np.flatnonzero(series.of >= 0)
    if len(visit):
        asked["request_id"] = demand.request_id
        for name in ("earliest", "latest"):
            times = pd.to_datetime(getattr(demand, name)[visit] * 60, unit="s", utc=True)
            told = asked[name].to_numpy(dtype=object)
            told[visit] = times.tz_convert(plan.problem.policy.time_zone).to_numpy(dtype=object)
            asked[name] = pd.Series(told).astype(asked[name].dtype)
    return asked


def tally(asked: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Sum people, served and unmet of `requests_asked` over `by`, with requests and served_share."""
    counted = asked.groupby(by, sort=True, dropna=False).agg(
        requests=("request_id", "size"), **{name: (name, "sum") for name in COUNTS}
    )
    counted = counted.reset_index()
    counted["served_share"] = share(counted["served"], counted["people"])
    return counted


def share(part: pd.Series, whole: pd.Series) -> pd.Series:
    """Return part / whole, NaN where the whole is nothing."""
    return part.astype("float64") / whole.astype("float64").where(whole > 0)


def places(plan: Plan, asked: pd.DataFrame) -> pd.DataFrame:
    """Return every community with its WGS-84 place and its counts.

    Returns
    -------
    pandas.DataFrame
        community_id, name, town, lat, lon (degree, NaN where unknown), assumed (bool: laid out, not
        surveyed), people, served, unmet, served_share (NaN where nothing was asked).
    """
    communities = plan.problem.tables["communities"]
    lat, lon = _wgs84(communities)
    counts = asked.groupby("community_id")[COUNTS].sum().reindex(communities["community_id"], fill_value=0)
    whole = pd.DataFrame(
        {
            "community_id": communities["community_id"].to_numpy(),
            "name": _name_or_id(communities.set_index("community_id")["name"]).to_numpy(),
            "town": communities["town"].fillna("").to_numpy(),
            "lat": lat,
            "lon": lon,
            "assumed": (communities["placed"] == "assumed").to_numpy(dtype=bool),
            **{name: counts[name].to_numpy(dtype=np.int64) for name in COUNTS},
        }
    )
    whole["served_share"] = share(whole["served"], whole["people"])
    return whole


def flows(plan: Plan) -> pd.DataFrame:
    """Count people sent from one community to another, most first.

    Returns
    -------
    pandas.DataFrame
        from_id (the volunteer's community, else the organisation's), to_id, people. People who come
        from no known community are left out; a community that helps itself is a row too.
    """
    sent = pd.DataFrame(
        {
            "from_id": provider_communities(plan).reindex(plan.assignments["provider_id"]).to_numpy(),
            "to_id": plan.assignments["community_id"].to_numpy(),
        },
        dtype=object,
    )
    counted = sent.dropna().groupby(["from_id", "to_id"]).size().rename("people").reset_index()
    order = ["people", "from_id", "to_id"]
    return pd.DataFrame(counted).sort_values(order, ascending=[False, True, True], ignore_index=True)


def organization_places(plan: Plan, places: pd.DataFrame) -> pd.DataFrame:
    """Return lat, lon (WGS-84) by organisation id: its own place, else its community's."""
    tables = plan.problem.tables
    if "organizations" not in tables:
        return pd.DataFrame({"lat": [], "lon": []}, dtype=np.float64)
    organizations = tables["organizations"]
    lat, lon = _wgs84(organizations)
    of_community = places.set_index("community_id")[["lat", "lon"]].reindex(organizations["community_id"])
    own = np.isfinite(lat) & np.isfinite(lon)
    return pd.DataFrame(
        {
            "lat": np.where(own, lat, of_community["lat"].to_numpy()),
            "lon": np.where(own, lon, of_community["lon"].to_numpy()),
        },
        index=organizations["organization_id"].to_numpy(),
    )


def provider_communities(plan: Plan) -> pd.Series:
    """Return each provider's community: its own, else its organisation's. Index: provider id."""
    tables = plan.problem.tables
    parts: list[pd.Series] = []
    of_organization = pd.Series(dtype=object)
    if "organizations" in tables:
        organizations = tables["organizations"]
        of_organization = organizations.set_index("organization_id")["community_id"].astype(object)
        parts.append(of_organization)
    if "volunteers" in tables:
        volunteers = tables["volunteers"].set_index("volunteer_id")
        own = volunteers["community_id"].astype(object)
        charged = of_organization.reindex(volunteers["organization_id"].to_numpy())
        parts.append(own.where(own.notna(), pd.Series(charged.to_numpy(), index=own.index, dtype=object)))
    whole = pd.concat(parts) if parts else of_organization
    return whole[~whole.index.duplicated()]


def starts_by_hour(plan: Plan, asked: pd.DataFrame) -> pd.DataFrame:
    """Count, by local hour of day 0 … 23, services that start and requests whose earliest wish it is.

    Returns
    -------
    pandas.DataFrame, 24 rows
        hour, asked (people), served (people).
    """
    zone = plan.problem.policy.time_zone
    wished = asked["earliest"].dt.tz_convert(zone).dt.hour
    started = plan.assignments["start"].dt.tz_convert(zone).dt.hour
    hours = range(24)
    return pd.DataFrame(
        {
            "hour": list(hours),
            "asked": asked["people"].groupby(wished).sum().reindex(hours, fill_value=0).to_numpy(np.int64),
            "served": started.value_counts().reindex(hours, fill_value=0).to_numpy(np.int64),
        }
    )


def shortages(plan: Plan, n: int = 10) -> pd.DataFrame:
    """Return the `n` (community, category, reason) that leave most people unserved, dearest first.

    Returns
    -------
    pandas.DataFrame
        community_id, category, reason, reason_zh, people, unmet_minutes.
    """
    unmet = plan.unmet
    counted = (
        unmet.assign(category=unmet["category"].fillna(""))
        .groupby(["community_id", "category", "reason", "reason_zh"], dropna=False)[
            ["people", "unmet_minutes"]
        ]
        .sum()
        .reset_index()
    )
    order = ["unmet_minutes", "people", "community_id", "category", "reason"]
    return counted.sort_values(order, ascending=[False, False, True, True, True], ignore_index=True).head(n)


def unmet_by_reason(plan: Plan) -> pd.DataFrame:
    """Return reason, reason_zh, requests, people; most people first."""
    counted = plan.unmet.groupby(["reason", "reason_zh"], dropna=False).agg(
        requests=("request_id", "nunique"), people=("people", "sum")
    )
    return counted.reset_index().sort_values(["people", "reason"], ascending=[False, True], ignore_index=True)


def rows(frame: pd.DataFrame) -> list[Any]:
    """Return the rows as named tuples, whose fields a type checker leaves alone."""
    return list(frame.itertuples(index=False))


def node_names(plan: Plan) -> dict[str, str]:
    """Return the name of every node of the alliance by id; the id itself where there is no name."""
    tables = plan.problem.tables
    names: dict[str, str] = {}
    for table, key in (
        ("organizations", "organization_id"),
        ("party_units", "unit_id"),
        ("communities", "community_id"),
    ):
        if table in tables:
            frame = tables[table]
            names.update(
                (i, n or i) for i, n in zip(frame[key], frame["name"].fillna("").astype(str), strict=True)
            )
    return names


def days(plan: Plan) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and last local day of the horizon."""
    start, end = plan.problem.horizon
    zone = plan.problem.policy.time_zone
    first, last = (
        pd.Timestamp(m * 60, unit="s", tz="UTC").tz_convert(zone) for m in (start, max(start, end - 1))
    )
    return first.normalize(), last.normalize()


def days_text(plan: Plan) -> str:
    """Return the horizon's days as text: one day, or first – last; or that nothing was asked."""
    if len(plan.problem.tables["requests"]) == 0:  # then the horizon may be of no day at all
        return bilingual(("no requests", "无需求"))
    first, last = (f"{d:%Y-%m-%d}" for d in days(plan))
    return first if first == last else f"{first} – {last}"


def _wgs84(table: pd.DataFrame) -> tuple[Floats, Floats]:
    codes = table["crs"].map({name: code for code, name in enumerate(CRS)}).to_numpy(dtype=np.int64)
    return to_wgs84(table["lat"].to_numpy(dtype=np.float64), table["lon"].to_numpy(dtype=np.float64), codes)


def _name_or_id(names: pd.Series) -> pd.Series:
    shown = names.fillna("").astype(str)
    return shown.where(shown != "", shown.index.astype(str))


def _per_request(asked: pd.DataFrame, counts: pd.Series) -> NDArray[np.int64]:
    return counts.reindex(asked["request_id"]).fillna(0).to_numpy(dtype=np.int64)
