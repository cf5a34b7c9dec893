"""For each unserved request: which organisations and committees might still help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from govmatch.reporting.tallies import node_names, organization_places, provider_communities

if TYPE_CHECKING:
    from govmatch.plan.plan import Plan

NEAREST = 3
_KM_PER_DEGREE = 111.195  # of a great circle, at the earth's mean radius


def whom_to_ask(plan: Plan, places: pd.DataFrame) -> list[str]:
    """Name, for each row of `plan.unmet`, whom a coordinator asks first.

    Parameters
    ----------
    plan : Plan
        The plan.
    places : pandas.DataFrame
        As `tallies.places` returns it.

    Returns
    -------
    list of str
        The nearest three organisations (communities, for volunteers of none) whose people hold all the
        skills, with how many hold them and how far it is; where nobody does, organisations of the
        community; and always the committee that leads the community, if one is known.
    """
    names = node_names(plan)
    homes = pd.concat([places.set_index("community_id")[["lat", "lon"]], organization_places(plan, places)])
    holders = _holders(plan)
    committees = _committees(plan)
    neighbours = _organizations_by_community(plan)
    needs = _needs(plan)
    homes_of = {wanted: _homes_of_holders(holders, wanted) for wanted in set(needs)}
    known: dict[tuple[str, frozenset[str]], str] = {}
    keys = list(zip(plan.unmet["community_id"], needs, strict=True))
    for key in dict.fromkeys(keys):
        community, wanted = key
        asked = _nearest(homes_of[wanted], homes, community, names)
        if not asked:
            asked = [names[i] for i in neighbours.get(community, [])[:NEAREST]]
        if community in committees:
            asked.append(names[committees[community]])
        known[key] = "；".join(dict.fromkeys(asked))
    return [known[key] for key in keys]


def _needs(plan: Plan) -> list[frozenset[str]]:
    """Return, for each row of `plan.unmet`, the skills that one person must hold all of."""
    demand = plan.problem.demand
    position = {request: at for at, request in enumerate(demand.request_id)}
    bounds = [
        demand.need_ptr[position[request] : position[request] + 2] for request in plan.unmet["request_id"]
    ]
    return [frozenset(demand.need_skill_name[first:last]) for first, last in bounds]


def _holders(plan: Plan) -> pd.DataFrame:
    """Return provider_id, skill, home (organisation, else community) of every skill row."""
    tables = plan.problem.tables
    if "skills" not in tables:
        return pd.DataFrame({"provider_id": [], "skill": [], "home": []}, dtype=object)
    home = provider_communities(plan)
    if "organizations" in tables:
        ids = tables["organizations"]["organization_id"].to_numpy()
        home = pd.concat([pd.Series(ids, index=ids, dtype=object), home])
    if "volunteers" in tables:
        charged = tables["volunteers"].set_index("volunteer_id")["organization_id"].dropna().astype(object)
        home = pd.concat([charged, home])
    home = home[~home.index.duplicated()]
    held: pd.DataFrame = tables["skills"][["provider_id", "skill"]].copy()
    held["home"] = home.reindex(held["provider_id"]).to_numpy()
    return held


def _homes_of_holders(holders: pd.DataFrame, wanted: frozenset[str]) -> pd.Series:
    """Count, by home, who holds all the skills."""
    held = holders[holders["skill"].isin(wanted)]
    if len(wanted) > 1:
        complete = held.groupby("provider_id")["skill"].transform("nunique") == len(wanted)
        held = held[complete].drop_duplicates("provider_id")
    return held["home"].value_counts()


def _nearest(counted: pd.Series, homes: pd.DataFrame, community: str, names: dict[str, str]) -> list[str]:
    at = homes.reindex(counted.index)
    here = homes.reindex([community])
    north = at["lat"].to_numpy() - here["lat"].to_numpy()
    east = (at["lon"].to_numpy() - here["lon"].to_numpy()) * np.cos(np.radians(here["lat"].to_numpy()))
    ranked = pd.DataFrame(
        {
            "home": counted.index.astype(object),
            "holders": counted.to_numpy(),
            "km": _KM_PER_DEGREE * np.hypot(north, east),
        }
    ).sort_values(["km", "holders", "home"], ascending=[True, False, True], na_position="last")
    return [
        f"{names.get(home, home)} ({n}人" + (f", {km:.1f} km)" if km == km else ")")
        for home, n, km in ranked.head(NEAREST).itertuples(index=False)
    ]


def _committees(plan: Plan) -> dict[str, str]:
    """Return, for each community, the committee that leads it, else any unit that names it."""
    tables = plan.problem.tables
    if "party_units" not in tables:
        return {}
    units = tables["party_units"].dropna(subset=["community_id"])
    units = units.assign(other=units["kind"] != "committee").sort_values(["other", "unit_id"])
    first = units.drop_duplicates("community_id")
    return dict(zip(first["community_id"], first["unit_id"], strict=True))


def _organizations_by_community(plan: Plan) -> dict[str, list[str]]:
    tables = plan.problem.tables
    if "organizations" not in tables:
        return {}
    registered = tables["organizations"].dropna(subset=["community_id"])
    found: dict[str, list[str]] = {}
    for community, organization in zip(
        registered["community_id"], registered["organization_id"], strict=True
    ):
        found.setdefault(community, []).append(organization)
    return found
