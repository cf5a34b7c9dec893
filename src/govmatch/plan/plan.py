"""What was decided, and the proof."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.model.policy import Floors
from govmatch.model.problem import Problem
from govmatch.model.travel import PairTravel
from govmatch.plan.bonds import foes_there
from govmatch.plan.decode import Pairs, pair_starts
from govmatch.plan.goods_frames import no_goods, no_stock
from govmatch.reach.candidates import Arcs
from govmatch.reach.costs import RESOLUTION
from govmatch.reach.paths import EdgeArrays, Paths
from govmatch.reach.units import Units
from govmatch.solve.certificate import node_loads
from govmatch.solve.control import Ended
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.rules import Rules

if TYPE_CHECKING:
    from govmatch.plan.rounds import RoundSearch

IntArray = NDArray[np.int64]
By = Literal["group", "community", "category", "town"]


@dataclass(frozen=True)
class Certificate:
    """The proof of a plan: its cost beside a bound that no plan can go below.

    Attributes
    ----------
    primal, bound : float
        Equivalent minutes. Equal means optimal.
    gap : float
        ``(primal - bound) / max(1, |primal|)``.
    termination : str
        "optimal"; "gap": a gap that suffices is proved; "searched": teams, sessions, or few faces for
        recurring requests, were tried until no step made the plan cheaper, or a search of rounds came to its
        end; "time_limit" or "cancelled": what ended it early.
    verified : bool
        Whether the independent verifier found no fault.
    scope : str
        "all_pairs": the bound holds over every eligible pair, generated or not.
    pairs : int
        Eligible pairs of a request and a slot that were looked at: all, unless it ended early.
    arcs : int
        Pairs that were generated.
    rounds : int
        Solves until no pair priced in.
    resolution_minutes : float
        One unit of cost in equivalent minutes.
    solver : str
    policy_fingerprint, problem_fingerprint : str
    assumed_share : float
        Share of slots that come from presets instead of stated availability.
    placed_assumed_share : float
        Share of communities whose coordinates are assumed.
    synthetic : bool
        Whether the tables say that their people are synthetic.
    """

    primal: float
    bound: float
    gap: float
    termination: Ended
    verified: bool
    scope: Literal["all_pairs"]
    pairs: int
    arcs: int
    rounds: int
    resolution_minutes: float
    solver: str
    policy_fingerprint: str
    problem_fingerprint: str
    assumed_share: float
    placed_assumed_share: float
    synthetic: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a plain dict."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Search:
    """The arrays that a plan was read from; for benchmarks, alternates and explanations."""

    units: Units
    instance: Instance
    solution: Solution
    arcs: Arcs  # `request` is the unit
    arc: IntArray  # (instance arcs,) position in `arcs`
    passed: IntArray  # (n_units, n_stages + 1) providers that pass the first j stages
    examined: NDArray[np.bool_]  # (n_units,) whether time was left to look at the pairs
    travel: PairTravel
    edges: EdgeArrays
    paths: Paths
    rules: Rules  # on the instance's arcs


@dataclass(frozen=True, eq=False)
class Plan:
    """Who helps whom, when and through whom; what stays unmet and why; and the certificate.

    Attributes
    ----------
    problem : Problem
    assignments : pandas.DataFrame
        One row per person sent: request_id, role, provider_id, provider_kind ("volunteer",
        "organization" or "session"), organization_id, community_id, start, end, slot_start, slot_end, route,
        hops, travel_minutes, travel_known, cost_minutes and its terms travel_cost, route_cost, dialect_cost,
        hometown_cost, level_cost, wait_cost, load_cost, face_cost, bond_cost (equivalent minutes; the last,
        of coming without somebody who is preferred), assumed (the slot comes from a preset). With rounds,
        travel_minutes is the way from the visit before, or from the tour's start; also late_cost, tour (which
        of the slot's people, from 1), order (place in the tour, from 1), and return_minutes, the way back, at
        the tour's last visit, where ``rounds.cost = "round"`` charges it.
    unmet : pandas.DataFrame
        One row per request with unserved people: request_id, community_id, category, skill, role,
        group, priority, people, reason, reason_zh, eligible, unmet_minutes.
    certificate : Certificate
    funnel : pandas.DataFrame
        Pairs of request and provider by the first condition that they fail: reason, reason_zh, pairs;
        without the requests that no time was left for. With rounds, of role and provider.
    linked : int
        Requests that are further reports of another and were not matched again.
    floors : pandas.DataFrame
        The least that the policy asks for: kind ("group" or "community"), name, asked, least, sent, short
        (people), cost_minutes (of those who are short), price_minutes (what one person less under the floor
        would save, at the prices that prove the bound). Empty without floors.
    seconds : dict
        Wall time by phase.
    search : Search
    incumbent : pandas.DataFrame or None
        Who was announced, where `match` was given an incumbent: request_id, role, provider_id, start,
        possible (whether the tables still allow it, as far as they were looked at: the person, the request
        and its role, a slot, eligibility; capacities aside). The certificate's cost counts everybody here
        who is not sent again, possible or not.
    goods : pandas.DataFrame
        What goods go to whom, one row for each request, kind and owner: request_id, good, owner_id, amount,
        unit, lent, day (local, on which the service starts), period_start and period_end (the span in which
        the owner's stock is used up), route, hops, cost_minutes (equivalent minutes).
    stock : pandas.DataFrame
        What is left, one row for each row of the table `goods` and each of its periods: owner_id, good,
        period_start, period_end, stock, used, left, price_minutes (what one more unit of it is worth, in
        equivalent minutes: one dual of possibly many, of the lots in which it is used).
    """

    problem: Problem
    assignments: pd.DataFrame
    unmet: pd.DataFrame
    certificate: Certificate
    funnel: pd.DataFrame
    linked: int
    search: Search | RoundSearch = field(repr=False)
    floors: pd.DataFrame = field(default_factory=pd.DataFrame)
    seconds: dict[str, float] = field(default_factory=dict, repr=False)
    incumbent: pd.DataFrame | None = field(default=None, repr=False)
    goods: pd.DataFrame = field(default_factory=no_goods, repr=False)
    stock: pd.DataFrame = field(default_factory=no_stock, repr=False)

    def summary(self, by: By | None = None) -> pd.DataFrame:
        """Count what was asked and served.

        Parameters
        ----------
        by : {"group", "community", "category", "town"}, optional
            One row each; without it, one row in all.

        Returns
        -------
        pandas.DataFrame
            requests, people, served, unmet, served_share, mean_travel_minutes, mean_wait_minutes.
        """
        if by not in (None, "group", "community", "category", "town"):
            raise InvalidInput(f"by is {by!r}; expected group, community, category, town or None")
        asked = self._asked
        key = asked[by] if by else pd.Series("all", index=asked.index)
        label = by or "all"
        counts = asked.groupby(key, sort=True).agg(
            requests=("people", "size"), people=("people", "sum"), unmet=("unmet", "sum")
        )
        sent = self.assignments.set_index("request_id")
        at = asked.set_index("request_id").loc[sent.index]
        wait = (sent["start"].dt.tz_convert("UTC") - at["earliest"]).dt.total_seconds() / 60
        keys = at[by].to_numpy() if by else np.full(len(sent), "all", dtype=object)
        means = (
            pd.DataFrame({"key": keys, "travel": sent["travel_minutes"].to_numpy(), "wait": wait.to_numpy()})
            .groupby("key")
            .mean()
        )
        counts["served"] = counts["people"] - counts["unmet"]
        counts["served_share"] = counts["served"] / counts["people"]
        counts["mean_travel_minutes"] = means["travel"].reindex(counts.index)
        counts["mean_wait_minutes"] = means["wait"].reindex(counts.index)
        columns = [
            "requests",
            "people",
            "served",
            "unmet",
            "served_share",
            "mean_travel_minutes",
            "mean_wait_minutes",
        ]
        return counts[columns].rename_axis(label)

    @cached_property
    def _asked(self) -> pd.DataFrame:
        demand, tables = self.problem.demand, self.problem.tables
        unmet = pd.Series(self.unmet["people"].to_numpy(), index=self.unmet["request_id"].to_numpy())
        places = tables["communities"]
        town = places["town"].to_numpy()[demand.community]
        earliest = pd.to_datetime(demand.earliest * 60, unit="s", utc=True)
        return pd.DataFrame(
            {
                "request_id": demand.request_id,
                "group": demand.group,
                "community": places["community_id"].to_numpy()[demand.community],
                "town": town,
                "category": tables["requests"]["category"].to_numpy()[demand.row],
                "people": demand.people,
                "unmet": unmet.reindex(demand.request_id).fillna(0).to_numpy(np.int64),
                "earliest": earliest,
            }
        )

    @cached_property
    def sessions(self) -> pd.DataFrame:
        """Which sessions are held.

        Returns
        -------
        pandas.DataFrame
            One row of the table ``sessions`` each: session_id, name, provider_id, community_id, skill, start,
            end, seats, taken, held, open_cost (equivalent minutes; 0 where it is not held). Empty without
            sessions.
        """
        from govmatch.plan.openings import sessions_frame

        return sessions_frame(self.problem, self.assignments)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Whom to phone: what became of those announced, and who is new.

        Returns
        -------
        pandas.DataFrame
            request_id, role, provider_id, kind, kind_zh, before, after (starts), by request. Kinds: "kept",
            "moved" (the same person for the same request, at another time or in another role), "dropped",
            "gone" (not sent again, and the tables no longer allow it) or "new". Empty without an incumbent.
        """
        from govmatch.plan.changes import changes_frame

        return changes_frame(self.incumbent, self.assignments)

    def cost_of_floors(self, *, time_limit: float | None = None) -> float:
        """Return what the policy's floors cost: how much cheaper a plan without them is, but for shortfalls.

        Both plans count changes of the incumbent, if there was one.

        Parameters
        ----------
        time_limit : float, optional
            Seconds for the plan without floors, as in `match`.

        Returns
        -------
        float
            Equivalent minutes; exact where both plans are optimal, else as near as both of their gaps.
        """
        from govmatch.plan.match import match

        policy = replace(self.problem.policy, floors=Floors())
        features = self.problem.features - {"floors"}
        plain = replace(self.problem, policy=policy, features=features)
        other = match(plain, time_limit=time_limit, incumbent=self.incumbent).certificate.primal
        return self.certificate.primal - float(self.floors["cost_minutes"].sum()) - other

    @cached_property
    def candidate_projects(self) -> pd.DataFrame:
        """Needs that nobody offers, clustered by skill and town: what a new project could serve.

        Returns
        -------
        pandas.DataFrame
            skill, town, requests, people, communities, groups (joined by ", "); largest first.
        """
        rows = self.unmet[self.unmet["reason"] == "no_such_service"]
        towns = self._asked.set_index("request_id")["town"]
        rows = rows.assign(town=towns.reindex(rows["request_id"]).to_numpy())
        found = rows.groupby(["skill", "town"], sort=True).agg(
            requests=("request_id", "size"),
            people=("people", "sum"),
            communities=("community_id", "nunique"),
            groups=("group", lambda g: ", ".join(sorted({x for x in g if x}))),
        )
        return found.sort_values("people", ascending=False, kind="stable").reset_index()

    @cached_property
    def alternates(self) -> pd.DataFrame:
        """The two cheapest other people who are still free for each role of a served request.

        Returns
        -------
        pandas.DataFrame
            request_id, role, provider_id, start, cost_minutes, rank (1, 2). Taken from the generated arcs;
            nobody who is to be kept apart from somebody sent there, nor whom a limit (of an agreement, of
            work elsewhere, of hours, the reserve) does not let go as well.
        """
        search, supply = self.search, self.problem.supply
        if not isinstance(search, Search):
            raise InvalidInput("alternates are of plans without rounds: whoever is free depends on the round")
        demand = search.units.demand
        instance, flow = search.instance, search.solution.flow
        spare = instance.capacity - node_loads(instance, flow)
        free = spare > 0
        above = instance.parent
        while (above >= 0).any():
            inner = above >= 0
            free[inner] &= spare[above[inner]] > 0
            above = np.where(inner, instance.parent[above], -1)
        served = np.bincount(instance.request, weights=flow, minlength=len(instance.demand)) > 0
        first = np.append(True, np.diff(search.arc) != 0)
        usable = first & free[instance.node] & (flow == 0) & served[instance.request]
        usable &= ~search.rules.shut(flow)
        usable &= supply.slot_provider[search.arcs.slot[search.arc]] < supply.n_people  # no seats
        at = search.arc[usable]
        at = at[np.lexsort((search.arcs.cost[at], search.arcs.request[at]))]
        pairs = Pairs(search.arcs.request[at], search.arcs.slot[at])
        cost = search.arcs.cost[at]
        provider = supply.slot_provider[pairs.slot].astype(np.int64)
        if "bonds" in self.problem.features:
            went = search.arc[flow > 0]
            who = supply.slot_provider[search.arcs.slot[went]].astype(np.int64)
            sent = search.units.request[search.arcs.request[went]], who
            kept = ~foes_there(self.problem.bonds, search.units.request[pairs.request], provider, sent)
            pairs, cost, provider = Pairs(pairs.request[kept], pairs.slot[kept]), cost[kept], provider[kept]
        used = self.assignments[["request_id", "provider_id"]].assign(used=True)
        frame = pd.DataFrame(
            {
                "request_id": demand.request_id[pairs.request],
                "role": demand.role[pairs.request],
                "provider_id": supply.provider_id[provider],
                "start": pair_starts(pairs, demand, supply),
                "cost_minutes": cost / RESOLUTION,
            }
        ).drop_duplicates(["request_id", "role", "provider_id"])
        frame = frame.merge(used, how="left", on=["request_id", "provider_id"])
        frame = frame[frame.pop("used").isna()]
        frame["rank"] = frame.groupby(["request_id", "role"], sort=False).cumcount() + 1
        frame = frame[frame["rank"] <= 2].reset_index(drop=True)
        starts = pd.to_datetime(frame["start"] * 60, unit="s", utc=True)
        frame["start"] = starts.dt.tz_convert(self.problem.policy.time_zone)
        return frame

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write assignments, unmet, funnel (CSV) and certificate (JSON); formulas are escaped."""
        from govmatch.plan.export import to_csv

        return to_csv(self, folder)

    def to_json(self, path: str | Path | None = None) -> str | Path:
        """Return the plan as JSON text, or write it to `path` and return that."""
        from govmatch.plan.export import to_json

        return to_json(self, path)

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """Write the frames as Parquet; needs pyarrow."""
        from govmatch.plan.export import to_parquet

        return to_parquet(self, folder)

    def _repr_html_(self) -> str:
        from govmatch.plan.repr_html import plan_repr_html

        return plan_repr_html(self)
