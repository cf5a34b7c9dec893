"""What the tables say, as arrays by position. Plain numpy; made by `encode`, read by every later room.

Conventions: position -1 means none; times are int64 minutes since 1970-01-01T00:00Z; days are
int32 local days since 1970-01-01 in the policy's zone; coordinates are WGS-84 degrees, NaN where
unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Int32Array = NDArray[np.int32]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
TextArray = NDArray[np.object_]


@dataclass(frozen=True)
class Nodes:
    """Nodes of the alliance by position: communities, then party units, then organisations."""

    node_id: TextArray  # (N,)
    name: TextArray  # (N,)
    n_communities: int
    n_units: int

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.node_id)


@dataclass(frozen=True)
class Sessions:
    """Group sessions, by position; each is a provider of a `Supply`, after all others, with one slot."""

    row: IntArray  # (S,) row in tables["sessions"]
    holder: IntArray  # (S,) position among volunteers, then organisations, of the tables; -1: nobody
    fewest: IntArray  # (S,) people with whom it is held
    open_cost: IntArray  # (S,) hundredths of an equivalent minute

    @property
    def n(self) -> int:
        """Number of sessions."""
        return len(self.row)


def _no_sessions() -> Sessions:
    return Sessions(*(np.zeros(0, np.int64) for _ in range(4)))


@dataclass(frozen=True)
class Supply:
    """Providers (volunteers, organisations with staff of their own, sessions), their skills and slots."""

    provider_id: TextArray  # (P,)
    n_volunteers: int
    home: Int32Array  # (P,) node where a route to this provider ends: its organisation, else its community
    community: Int32Array  # (P,) community position
    organization: Int32Array  # (P,) organisation position that is charged
    lat: FloatArray  # (P,)
    lon: FloatArray  # (P,)
    mode: NDArray[np.int8]  # (P,) position in schema.MODES
    max_travel_minutes: FloatArray  # (P,)
    clearance: NDArray[np.int8]  # (P,)
    dialect: Int32Array  # (P,) code in `dialects`
    hometown: Int32Array  # (P,) code in `hometowns`
    day_cap: IntArray  # (P,) jobs a day
    week_cap: IntArray  # (P,) jobs a week
    organization_week_cap: IntArray  # (O,) -1: no limit

    skills: TextArray  # (K,) names; position is the code
    skill_provider: Int32Array  # (S,) ascending
    skill_code: Int32Array  # (S,)
    skill_level: NDArray[np.int8]  # (S,)
    skill_until: Int32Array  # (S,) last certified day, -1: not certified

    slot_provider: Int32Array  # (T,) ascending, then by start
    slot_start: IntArray  # (T,)
    slot_end: IntArray  # (T,)
    slot_capacity: IntArray  # (T,) 1 for a volunteer, the staff at once for an organisation
    slot_day: Int32Array  # (T,) local day of the start
    slot_week: Int32Array  # (T,) ISO week of that day, as (day + 3) // 7 (weeks begin on Monday)
    slot_assumed: BoolArray  # (T,) from a preset, not from the availability table

    dialects: TextArray
    hometowns: TextArray

    sessions: Sessions = field(default_factory=_no_sessions)

    @property
    def n_providers(self) -> int:
        """Number of providers."""
        return len(self.provider_id)

    @property
    def n_people(self) -> int:
        """Number of providers that are no session; they come first."""
        return len(self.provider_id) - self.sessions.n

    @cached_property
    def assumed_share(self) -> float:
        """Share of slots that come from presets."""
        return float(self.slot_assumed.mean()) if len(self.slot_assumed) else 0.0


@dataclass(frozen=True)
class Demand:
    """Requests that ask for somebody (linked duplicates are left out), by position."""

    request_id: TextArray  # (R,)
    row: IntArray  # (R,) row in tables["requests"]
    community: Int32Array  # (R,)
    lat: FloatArray  # (R,)
    lon: FloatArray  # (R,)
    earliest: IntArray  # (R,)
    latest: IntArray  # (R,)
    wished: IntArray  # (R,) waiting is counted from here; `earliest` but for the roles of a team
    minutes: IntArray  # (R,)
    people: IntArray  # (R,)
    min_serve: IntArray  # (R,) fewest people with whom it is served
    priority: NDArray[np.int8]  # (R,)
    clearance: NDArray[np.int8]  # (R,)
    group: TextArray  # (R,) "" where none
    dialect: Int32Array  # (R,) code in Supply.dialects; -1 none asked; -2 asked, nobody speaks it
    hometown: Int32Array  # (R,) likewise
    unmet_cost: IntArray  # (R,) hundredths of an equivalent minute per person
    role: TextArray  # (R,) name of the single role; "" for a team
    need_ptr: IntArray  # (R + 1,) needs of request r: need_ptr[r]:need_ptr[r + 1]
    need_skill: Int32Array  # (M,) code in Supply.skills; -2: a skill that nobody offers
    need_skill_name: TextArray  # (M,)
    need_level: NDArray[np.int8]  # (M,)
    need_certified: BoolArray  # (M,)
    forbid_request: Int32Array  # (F,) pairs that pins forbid
    forbid_provider: Int32Array  # (F,)
    assign_request: Int32Array  # (A,) ascending; whoever is not among these pairs serves no such request
    assign_provider: Int32Array  # (A,)

    @property
    def n_requests(self) -> int:
        """Number of requests that ask for somebody."""
        return len(self.request_id)


@dataclass(frozen=True)
class Bonds:
    """Volunteers who must not, or would rather, be sent to one request together; each pair once."""

    apart: IntArray  # (n, 2) providers, the smaller position first; ascending
    together: IntArray  # (n, 2) likewise
    cost: int  # hundredths, once where one of two of `together` comes without the other

    def __len__(self) -> int:
        return len(self.apart) + len(self.together)


@dataclass(frozen=True)
class Series:
    """Recurring requests, each a series of dated requests in a `Demand`, by position."""

    request_id: TextArray  # (S,) as in the table
    of: IntArray  # (R,) series of each request of the Demand, -1: it does not recur
    people: IntArray  # (S,) who come to one visit
    faces: IntArray  # (S,) most different providers; -1: no limit
    known_series: IntArray  # (K,) ascending; pairs of a series and a provider who served the resident before
    known_provider: IntArray  # (K,)

    @property
    def n(self) -> int:
        """Number of series."""
        return len(self.request_id)


@dataclass(frozen=True)
class Teams:
    """Roles of the requests whose people come together or not at all, by position.

    In a `Demand`, such a request has the people and the needs of all its roles.
    """

    request: IntArray  # (Q,) position in Demand, ascending
    role: TextArray  # (Q,) name
    people: IntArray  # (Q,)
    least: IntArray  # (Q,) fewest people of this role with whom the request is served
    minutes: IntArray  # (Q,)
    clearance: NDArray[np.int8]  # (Q,)
    after: IntArray  # (Q,) position here of the role after whose start it starts; -1: at the team's start
    after_least: IntArray  # (Q,) minutes
    after_most: IntArray  # (Q,) minutes
    need_ptr: IntArray  # (Q + 1,) as in Demand, by role
    need_skill: Int32Array  # (M,)
    need_skill_name: TextArray  # (M,)
    need_level: NDArray[np.int8]  # (M,)
    need_certified: BoolArray  # (M,)


@dataclass(frozen=True)
class Goods:
    """Stocks of goods and what requests ask of them, in lots, by position."""

    kind: TextArray  # (K,) names of what is asked, ascending
    lot: IntArray  # (K,) millionths of the unit
    row: IntArray  # (S,) row in tables["goods"] of each stock of a kind that is asked
    stock_kind: IntArray  # (S,)
    owner: IntArray  # (S,) node
    stock: IntArray  # (S,) lots in each period
    period: NDArray[np.int8]  # (S,) position in schema.PERIODS
    request: IntArray  # (W,) position in Demand, ascending
    asked_kind: IntArray  # (W,) each once a request
    asked: IntArray  # (W,) lots, >= 1
