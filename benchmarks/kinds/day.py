"""A day as the peer sees it: facts by position, and the eligible pairs with what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

URGENT = 5
"""Priority for which the reserve is."""


@dataclass(frozen=True, eq=False)
class Asked:
    """Requests, the roles of teams and the starts of teams; -1 means none.

    A team's people come together or not at all. A role without `after` starts so many minutes after its team
    as it would after a role.

    Attributes
    ----------
    people, fewest, unmet_cost, priority, community : int64 (n_requests,)
        `unmet_cost` in hundredths of an equivalent minute, for each person.
    team, assigned : bool (n_requests,)
        `assigned`: somebody is pinned to it; it goes before all others.
    day : int64 (n_requests,)
        Local day on which its window opens.
    household, series : int64 (n_requests,)
        Who may have to sit together; of which recurring request it is a visit.
    role_request, role_people, role_after, role_least, role_most : int64 (n_roles,)
        `role_after` is a position here; the last two are minutes.
    role_must : bool (n_roles,)
    start_request, start_minute, start_day : int64 (n_starts,)
        The starts that a team may choose; minutes since 1970 UTC, local days.
    step : int
        Minutes between two starts.
    """

    people: IntArray
    fewest: IntArray
    unmet_cost: IntArray
    priority: IntArray
    community: IntArray
    team: BoolArray
    assigned: BoolArray
    day: IntArray
    household: IntArray
    series: IntArray
    role_request: IntArray
    role_people: IntArray
    role_after: IntArray
    role_least: IntArray
    role_most: IntArray
    role_must: BoolArray
    start_request: IntArray
    start_minute: IntArray
    start_day: IntArray
    step: int


@dataclass(frozen=True, eq=False)
class Offered:
    """Slots and whose they are: volunteers first, then organisations' staff, then sessions.

    Attributes
    ----------
    slot_provider, slot_start, slot_end, slot_capacity, slot_day, slot_week : int64 (n_slots,)
        Minutes since 1970 UTC; local days and ISO weeks.
    slot_certified : bool (n_slots,)
        Whether the provider counts for the reserve on that day.
    community, firm, day_cap, week_cap, minutes_per_week : int64 (n_providers,)
        `firm` is the organisation that is charged; -1: none, or no limit.
    n_volunteers, n_people : int
        `n_people`: the first session.
    firm_week_cap : int64 (n_firms,)
    session_fewest, session_cost : int64 (n_sessions,)
    """

    slot_provider: IntArray
    slot_start: IntArray
    slot_end: IntArray
    slot_capacity: IntArray
    slot_day: IntArray
    slot_week: IntArray
    slot_certified: BoolArray
    community: IntArray
    firm: IntArray
    day_cap: IntArray
    week_cap: IntArray
    minutes_per_week: IntArray
    n_volunteers: int
    n_people: int
    firm_week_cap: IntArray
    session_fewest: IntArray
    session_cost: IntArray


@dataclass(frozen=True, eq=False)
class Stocks:
    """What requests need of goods, and the ways on which it may come.

    Attributes
    ----------
    want_request, want_lots : int64 (n_wants,)
    way_want, way_day, way_stock, way_period, way_cost : int64 (n_ways,)
        `way_day`: local day of the service; `way_cost`: hundredths, of one lot.
    lots : int64 (n_stocks,)
        What there is in each period.
    """

    want_request: IntArray
    want_lots: IntArray
    way_want: IntArray
    way_day: IntArray
    way_stock: IntArray
    way_period: IntArray
    way_cost: IntArray
    lots: IntArray


@dataclass(frozen=True, eq=False)
class Rules:
    """What limits a plan beside capacities, and what it pays for beside pairs.

    Attributes
    ----------
    load_cost : int
        What the second job of a volunteer in a week costs; the third costs as much more again.
    apart, together : int64 (n, 2)
    lonely_cost : int
    pass_pair, pass_quota : int64 (n_passes,)
        A pair's way passes an agreement that has a quota.
    quota : int64 (n_quotas,)
        Jobs a week.
    away_per_week, town : int64 (n_communities,)
    reserve_share : Fraction
    floor_member, floor_of : int64 (n_members,)
        A request that counts for a floor.
    floor_allowed : int64 (n_floors,)
        How many people may be missing before the others cost `floor_cost`.
    floor_cost : int
    face_free, face_most : int64 (n_series,)
        -1: no limit.
    known : int64 (n, 2)
        Series and provider who know each other.
    face_cost, stranger_cost : int
    """

    load_cost: int
    apart: IntArray
    together: IntArray
    lonely_cost: int
    pass_pair: IntArray
    pass_quota: IntArray
    quota: IntArray
    away_per_week: IntArray
    town: IntArray
    reserve_share: Fraction
    floor_member: IntArray
    floor_of: IntArray
    floor_allowed: IntArray
    floor_cost: int
    face_free: IntArray
    face_most: IntArray
    known: IntArray
    face_cost: int
    stranger_cost: int


@dataclass(frozen=True, eq=False)
class Day:
    """All of it, with the options of requests and the eligible pairs.

    Attributes
    ----------
    option_request, option_role, option_start, option_minutes : int64 (n_options,)
        A request by itself (role -1, from when its window opens), or a role at one of its starts.
    pair_option, pair_slot, pair_cost : int64 (n_pairs,)
        Hundredths of an equivalent minute.
    """

    asked: Asked
    offered: Offered
    stocks: Stocks
    rules: Rules
    option_request: IntArray
    option_role: IntArray
    option_start: IntArray
    option_minutes: IntArray
    pair_option: IntArray
    pair_slot: IntArray
    pair_cost: IntArray

    @property
    def n_pairs(self) -> int:
        """Number of pairs."""
        return len(self.pair_cost)

    @cached_property
    def pair_request(self) -> IntArray:
        """The request of each pair, (n_pairs,)."""
        return self.option_request[self.pair_option]

    @cached_property
    def pair_provider(self) -> IntArray:
        """The provider of each pair, (n_pairs,)."""
        return self.offered.slot_provider[self.pair_slot]

    @cached_property
    def pair_begin(self) -> IntArray:
        """When the service of each pair begins, (n_pairs,), minutes since 1970 UTC."""
        return np.maximum(self.option_start[self.pair_option], self.offered.slot_start[self.pair_slot])

    @cached_property
    def needs_goods(self) -> BoolArray:
        """Which requests need goods, (n_requests,)."""
        found = np.zeros(len(self.asked.people), np.bool_)
        found[self.stocks.want_request] = True
        return found


@dataclass(frozen=True, eq=False)
class Answer:
    """A plan.

    Attributes
    ----------
    sent : int64 (n_pairs,)
        People along each pair; only organisations and sessions send or seat several.
    lots : int64 (n_ways,)
    """

    sent: IntArray
    lots: IntArray
