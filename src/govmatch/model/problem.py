"""A problem: tables, checked and encoded, with the policy, the alliance and the travel that go with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from govmatch.errors import InvalidInput, InvalidTables
from govmatch.model import checks
from govmatch.model.bonds import encode_bonds
from govmatch.model.demand import encode_demand
from govmatch.model.drop import as_given, drop_rows
from govmatch.model.encode import encode_nodes, encode_supply, fall_back, own_places
from govmatch.model.encoded import (
    Bonds,
    BoolArray,
    Demand,
    FloatArray,
    Goods,
    IntArray,
    Nodes,
    Series,
    Supply,
    Teams,
)
from govmatch.model.fingerprint import HasEdges, digest, edges_digest, tables_digest
from govmatch.model.goods import encode_goods
from govmatch.model.horizon import Horizon, check_windows, derived_horizon, given_horizon
from govmatch.model.policy import Policy
from govmatch.model.series import visits_frame
from govmatch.model.sessions import add_sessions, may_sit, siblings
from govmatch.model.sheets import Sheets
from govmatch.model.tables import as_frames, read_sheets
from govmatch.model.times import zone_of
from govmatch.model.travel import Travel
from govmatch.model.violations import Violations, shown

OnError = Literal["raise", "drop"]

_OF_REQUESTS = ("roles", "visits", "request_goods", "pins", "parties")


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """What was asked and what there is. Made by `Problem.from_tables`.

    Attributes
    ----------
    policy : Policy
    travel : Travel or None
        None: great circles by the policy.
    alliance : Alliance or None
        None: as the tables say.
    horizon : tuple of int
        Start and end, minutes since 1970-01-01T00:00Z.
    nodes, supply, demand, teams, series, bonds, goods : Nodes, Supply, Demand, Teams, Series, Bonds, Goods
        The arrays.
    features : frozenset of str
        What the tables ask for beyond single roles in slots: teams, recurrence, goods, quotas, pins, bonds,
        sessions; or the policy: hours, floors, reserve.
    ignored : tuple of str
        Columns that the schema does not know and that resemble none of it, as ``table.column``.
    dropped : DataFrame
        Faults of the rows that ``on_error="drop"`` left out; rows are counted in the tables as given.
    """

    policy: Policy
    travel: Travel | None
    alliance: HasEdges | None
    horizon: Horizon
    nodes: Nodes
    supply: Supply
    demand: Demand
    teams: Teams
    series: Series
    bonds: Bonds
    goods: Goods
    features: frozenset[str]
    ignored: tuple[str, ...]
    dropped: pd.DataFrame
    _sheets: Sheets = field(repr=False)

    @classmethod
    def from_tables(
        cls,
        tables: Mapping[str, Any],
        policy: Policy | None = None,
        travel: Travel | None = None,
        alliance: HasEdges | None = None,
        horizon: Sequence[Any] | None = None,
        on_error: OnError = "raise",
    ) -> Problem:
        """Check tables and encode them.

        Parameters
        ----------
        tables : mapping of str to table
            Table names of the schema; each value a pandas or polars DataFrame, a pyarrow Table, a dict of
            columns or a list of dict records. ``communities`` and ``requests`` are required.
        policy : Policy, optional
            Weights and rules; the default policy if None.
        travel : Travel, optional
            How people get from home to a place.
        alliance : Alliance, optional
            Who passes requests to whom; from the tables if None.
        horizon : (start, end), optional
            Times; naive ones in the policy's zone. If None: the days of the requests' windows, with room
            for ``minutes`` after ``earliest`` and before ``latest``, or, where no request says when, of
            the availability. A window that leaves a given horizon is a fault.
        on_error : {"raise", "drop"}
            "drop" leaves faulty rows out, and those that refer to them, until no fault is left; a request
            goes with any row that says more of it (roles, visits, request_goods, pins, parties).
            Faults of a whole table or column raise all the same.

        Returns
        -------
        Problem

        Raises
        ------
        InvalidTables
            With every fault in its ``violations``.
        InvalidInput
            If an argument is not what it should be.
        """
        policy = _arguments(policy, travel, alliance, on_error)
        zone = zone_of(policy.time_zone)
        asked = None if horizon is None else given_horizon(horizon, zone)
        violations = Violations()
        frames = as_frames(tables, violations)
        settled = _settle(frames, None, policy, asked, on_error, violations)
        supply = encode_supply(settled.sheets, policy, settled.horizon)
        supply = add_sessions(supply, settled.sheets, policy, settled.horizon)
        return cls._of(settled, policy, travel, alliance, encode_nodes(settled.sheets), supply)

    @classmethod
    def _of(
        cls,
        settled: _Settled,
        policy: Policy,
        travel: Travel | None,
        alliance: HasEdges | None,
        nodes: Nodes,
        supply: Supply,
    ) -> Problem:
        demand, teams, series = encode_demand(settled.sheets, supply, policy, settled.horizon)
        bonds = encode_bonds(settled.sheets, policy)
        goods = encode_goods(settled.sheets, demand)
        features = _features(settled.sheets, policy) | ({"teams"} if len(teams.request) else set())
        features |= {"goods"} if len(goods.request) else set()
        if len(bonds) and (demand.people > 1).any():
            features.add("bonds")
        return cls(
            policy,
            travel,
            alliance,
            settled.horizon,
            nodes,
            supply,
            demand,
            teams,
            series,
            bonds,
            goods,
            frozenset(features),
            settled.ignored,
            settled.dropped,
            settled.sheets,
        )

    def with_requests(
        self,
        requests: object,
        roles: object = None,
        pins: object = None,
        on_error: OnError = "raise",
        *,
        parties: object = None,
    ) -> Problem:
        """Return a problem with other requests on the same supply, which is not encoded again.

        Parameters
        ----------
        requests, roles, pins, parties : table
            As in `from_tables`. Earlier roles, pins, parties, visits and goods of requests are gone. The
            horizon stays, and windows that leave it are faults.
        on_error : {"raise", "drop"}
            As in `from_tables`.

        Returns
        -------
        Problem

        Raises
        ------
        InvalidTables, InvalidInput
            As in `from_tables`.
        """
        _arguments(self.policy, self.travel, self.alliance, on_error)
        if requests is None:
            raise InvalidInput("requests must be a table; found None")
        violations = Violations()
        given = {"requests": requests, "roles": roles, "pins": pins, "parties": parties}
        frames = as_frames(given, violations, required=("requests",))
        settled = _settle(frames, self._sheets, self.policy, self.horizon, on_error, violations)
        return self._of(settled, self.policy, self.travel, self.alliance, self.nodes, self.supply)

    @cached_property
    def bases(self) -> tuple[FloatArray, FloatArray]:
        """Where each provider's tours begin and end, degrees, (P,) each, as ``policy.rounds.start`` says.

        Who belongs to no organisation, or to one whose place is unknown, begins at home.
        """
        lat, lon = self.supply.lat.copy(), self.supply.lon.copy()
        if self.policy.rounds.start == "organization":
            there = own_places(self._sheets, "organizations")
            at = self._sheets.positions("organizations", "community_id")
            fall_back(*there, at, *own_places(self._sheets, "communities"))
            known = np.append(~np.isnan(there[0]), False)[self.supply.organization]
            lat[known], lon[known] = (x[self.supply.organization[known]] for x in there)
        return lat, lon

    @cached_property
    def may_sit(self) -> BoolArray:
        """Which requests a seat of a session may serve, (R,)."""
        return may_sit(self.supply, self.demand, self.teams, self.goods)

    @cached_property
    def siblings(self) -> IntArray:
        """The number of each request's household among those that sit together, (R,); -1: it has none."""
        return siblings(self._sheets, self.supply, self.demand, self.may_sit)

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The given tables in canonical form: all columns of the schema, rows in their order."""
        return self._sheets.frames()

    @cached_property
    def visits(self) -> pd.DataFrame:
        """What became of every visit that the table ``visits`` asks for.

        visit_id (None where there is none), request_id, planned and date (local days, NaT where there is
        none), status: "made" (a request of its own), "moved" (so, on another day than planned), "skipped" or
        "outside" (of the horizon), and status_zh.
        """
        return visits_frame(self._sheets, self.policy, self.horizon)

    @cached_property
    def about(self) -> dict[str, str]:
        """What the table ``about`` says."""
        about = self._sheets["about"]
        return dict(zip(about["key"].values.tolist(), about["value"].values.tolist(), strict=True))

    @cached_property
    def synthetic(self) -> bool:
        """Whether ``about`` calls people or requests synthetic."""
        said = self.about.get("synthetic", "").strip().lower()
        if said in ("false", "no", "0", "否"):
            return False
        words = " ".join(self.about.values()).lower()
        return said != "" or "synthetic" in words or "合成" in words

    @cached_property
    def _tables_digest(self) -> str:
        return tables_digest(self._sheets)

    @property
    def fingerprint(self) -> str:
        """A text that differs where the tables, the horizon, the alliance's edges or travel differ.

        The policy has a fingerprint of its own.
        """
        travel = None if self.travel is None else self.travel.fingerprint
        edges = None if self.alliance is None else edges_digest(self.alliance)
        return digest(self._tables_digest, self.horizon, travel, edges)

    def __repr__(self) -> str:
        people = " of synthetic people 合成人员" if self.synthetic else ""
        n_slots = len(self.supply.slot_start)
        return (
            f"<Problem{people}: {self.demand.n_requests:,} requests, "
            f"{self.supply.n_providers:,} providers with {n_slots:,} slots, "
            f"{self.nodes.n_communities:,} communities>"
        )


def _arguments(policy: object, travel: object, alliance: object, on_error: object) -> Policy:
    """Check what is no table, and return the policy that holds."""
    if policy is None:
        policy = Policy()
    if not isinstance(policy, Policy):
        raise InvalidInput(f"policy must be a Policy; found {type(policy).__name__}")
    for name, given in (("travel", travel), ("alliance", alliance)):
        if isinstance(given, type):
            raise InvalidInput(f"{name} is the class {given.__name__} itself; expected an object of it")
    if travel is not None and not (hasattr(travel, "prepare") and hasattr(travel, "fingerprint")):
        raise InvalidInput(
            f"travel must have `prepare` and `fingerprint`, as GreatCircle and RoadGraph do; "
            f"found {type(travel).__name__}"
        )
    if alliance is not None and not hasattr(alliance, "edges"):
        raise InvalidInput(f"alliance must be an Alliance; found {type(alliance).__name__}")
    if on_error not in ("raise", "drop"):
        raise InvalidInput(f"on_error must be 'raise' or 'drop'; found {shown(on_error)}")
    return policy


@dataclass(frozen=True)
class _Settled:
    """Tables without faults."""

    sheets: Sheets
    horizon: Horizon
    ignored: tuple[str, ...]
    dropped: pd.DataFrame


def _settle(
    frames: dict[str, pd.DataFrame],
    kept: Sheets | None,
    policy: Policy,
    horizon: Horizon | None,
    on_error: str,
    violations: Violations,
) -> _Settled:
    """Check tables beside those that are kept, dropping rows round after round where that is wanted."""
    zone = zone_of(policy.time_zone)
    places = {name: np.arange(len(frame)) for name, frame in frames.items()}
    dropped: list[pd.DataFrame] = []
    while True:
        read, ignored = read_sheets(frames, zone, violations)
        only: Collection[str] | None = None
        if kept is None:
            sheets = Sheets.of(zone, read)
        else:
            sheets, only = kept.replaced(read, ("requests", *_OF_REQUESTS)), tuple(read)
        checks.check(sheets, policy, violations, only)
        found = derived_horizon(sheets, policy, violations) if horizon is None else horizon
        if found is not None:
            check_windows(sheets, policy, found, horizon is not None, violations)
        if found is not None and not len(violations):
            told = pd.concat(dropped, ignore_index=True) if dropped else violations.frame()
            return _Settled(sheets, found, ignored, told)
        faults = violations.frame()
        if on_error == "raise" or (faults["row"] < 0).any():
            raise InvalidTables(pd.concat([*dropped, as_given(faults, places)], ignore_index=True))
        dropped.append(drop_rows(frames, places, faults, sheets))
        violations = Violations()


def _features(sheets: Sheets, policy: Policy) -> set[str]:
    """Name what only later tiers can honour."""
    hours = sheets["volunteers"]["max_minutes_per_week"].present.any()
    floors = policy.floors
    asked = {
        "recurrence": sheets["visits"].n > 0,
        "pins": bool((sheets["pins"]["action"].values == "assign").any()),
        "quotas": bool(sheets["agreements"]["quota_per_week"].present.any()),
        "away": bool(sheets["communities"]["away_per_week"].present.any()),
        "hours": bool(hours) or policy.load.minutes_per_week > 0,
        "floors": floors.community_share > 0 or any(share > 0 for share in floors.group_share.values()),
        "reserve": policy.reserve.share > 0,
        "sessions": sheets["sessions"].n > 0,
    }
    return {name for name, is_asked in asked.items() if is_asked}
