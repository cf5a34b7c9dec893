"""A slow, obvious Matcher that re-solves from scratch, and `Twin`, which holds the real one against it.

`NaiveMatcher` keeps the live requests and nodes in dictionaries and asks the OR-Tools oracle for the
optimum after every change. `Twin.call` makes one call on both and checks everything that can be seen.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import permutations

import numpy as np

import govmatch as gm
from tests.naive_assign import Case, bound_of, bound_of_prices, chain_above, or_tools


@dataclass
class Request:
    """A live request: its arcs as (node, cost, group), and the nodes that it is pinned to."""

    demand: int
    unmet_cost: int
    arcs: list[tuple[int, int, int]] = field(default_factory=list)
    pins: set[int] = field(default_factory=set)


class Impossible(gm.GovmatchError):
    """Pins that no assignment keeps."""


class NaiveMatcher:
    """The API of `gm.Matcher`, by re-solving. Which of several optima is taken is not its business."""

    def __init__(
        self, capacity: list[int], parent: list[int] | None = None, load_cost: list[int] | None = None
    ) -> None:
        self.capacity = list(capacity)
        self.parent = [-1] * len(capacity) if parent is None else list(parent)
        self.load_cost = [0] * len(capacity) if load_cost is None else list(load_cost)
        self.closed: set[int] = set()
        self.live: dict[int, Request] = {}
        self.next_handle = 0
        self.total_cost = 0

    def __len__(self) -> int:
        return len(self.live)

    def copy(self) -> NaiveMatcher:
        """A deep copy."""
        twin = copy.copy(self)
        twin.capacity, twin.parent, twin.load_cost = self.capacity[:], self.parent[:], self.load_cost[:]
        twin.closed = set(self.closed)
        twin.live = {h: replace(r, arcs=r.arcs[:], pins=set(r.pins)) for h, r in self.live.items()}
        return twin

    def add(
        self,
        providers: list[int],
        costs: list[int],
        *,
        demand: int = 1,
        unmet_cost: int,
        group: list[int] | None = None,
    ) -> int:
        if demand < 0:
            raise gm.InvalidInput("demand")
        handle = self.next_handle
        self.live[handle] = Request(demand, unmet_cost)
        self.next_handle += 1
        self.add_arcs(handle, providers, costs, group)
        return handle

    def add_arcs(
        self, h: int, providers: list[int], costs: list[int], group: list[int] | None = None
    ) -> None:
        group = providers if group is None else group
        if not len(providers) == len(costs) == len(group):
            raise gm.InvalidInput("lengths")
        for node in providers:
            self._open(node)
        self._known(h).arcs += list(zip(providers, costs, group, strict=True))
        self._clear_pins(h)
        self._solve()

    def set_cost(self, h: int, provider: int, cost: int) -> None:
        request = self._with_arc(h, provider)
        request.arcs = [(p, cost if p == provider else c, g) for p, c, g in request.arcs]
        self._solve()

    def remove(self, h: int) -> None:
        self._known(h)
        del self.live[h]
        self._solve()

    def pin(self, h: int, provider: int) -> None:
        self._with_arc(h, provider).pins.add(provider)
        self._clear_pins(h)
        self._solve()

    def unpin(self, h: int) -> None:
        self._known(h).pins.clear()
        self._solve()

    def set_capacity(self, node: int, c: int) -> None:
        self._open(node)
        if c < 0:
            raise gm.InvalidInput("capacity")
        self.capacity[node] = c
        self._solve()

    def add_node(self, capacity: int, parent: int = -1, load_cost: int = 0) -> int:
        if capacity < 0 or load_cost < 0 or not -1 <= parent < len(self.parent):
            raise gm.InvalidInput("node")
        self.capacity.append(capacity)
        self.parent.append(parent)
        self.load_cost.append(load_cost)
        return len(self.parent) - 1

    def close_node(self, node: int) -> None:
        self._place(node)
        self.closed.add(node)
        self.capacity[node] = 0
        self._solve()

    def may_refuse(self, name: str, args: tuple[object, ...]) -> bool:
        """Whether the API leaves it open if a call that changes nothing (or little) is an error."""
        match name, args:
            case "pin", (int() as h, int() as node):
                return h in self.live and node in self.live[h].pins
            case "unpin", (int() as h,):
                return h in self.live and not self.live[h].pins
            case "close_node", (int() as node,):
                return node in self.closed
        return False

    def case(self) -> tuple[list[int], Case]:
        """The handles of the live requests, and all of them as one `Case`."""
        handles = sorted(self.live)
        rows = [(r, *arc) for r, h in enumerate(handles) for arc in self.live[h].arcs]
        request, provider, cost, group = (
            (list(part) for part in zip(*rows, strict=True)) if rows else [[]] * 4
        )
        return handles, Case(
            request=request,
            provider=provider,
            cost=cost,
            n_requests=len(handles),
            demand=[self.live[h].demand for h in handles],
            capacity=self.capacity,
            parent=self.parent,
            load_cost=self.load_cost,
            unmet_cost=[self.live[h].unmet_cost for h in handles],
            group=group,
            pins=tuple((r, p) for r, h in enumerate(handles) for p in sorted(self.live[h].pins)),
        )

    def _known(self, h: int) -> Request:
        if h not in self.live:
            raise gm.UnknownId(h)
        return self.live[h]

    def _clear_pins(self, h: int) -> None:
        """Refuse pins of which it is not clear whom they mean, in the order in which they are looked at."""
        request = self.live[h]
        if request.demand == 1 and len(request.pins) <= 1:
            return
        if len(request.pins) > request.demand:
            raise Impossible("more pins than units")
        for pin in request.pins:
            if len({g for p, _, g in request.arcs if p == pin}) > 1:
                raise gm.InvalidInput("a pin on several groups")

    def _place(self, node: int) -> None:
        if not 0 <= node < len(self.parent):
            raise gm.InvalidInput("node")

    def _open(self, node: int) -> None:
        self._place(node)
        if node in self.closed:
            raise gm.InvalidInput("closed")

    def _with_arc(self, h: int, provider: int) -> Request:
        request = self._known(h)
        if all(p != provider for p, _, _ in request.arcs):
            raise gm.InvalidInput("no arc")
        return request

    def _solve(self) -> None:
        case = self.case()[1]
        optimum = or_tools(case)
        if optimum is None:
            raise Impossible("the pins cannot be kept")
        self.total_cost = optimum


def without_pins(case: Case) -> tuple[Case, int] | None:
    """An equal case that says pins by costs, and what must be added to its optimum; None: it cannot say them.

    A request of one unit is left only its pinned arcs and must be served. Of a request of several, each
    pinned provider's arcs get a reward that outweighs every other cost; they must be of one group, so that
    it is given once.
    """
    per_unit = sum(map(abs, case.cost)) + sum(map(abs, case.unmet)) * (1 + max(case.demand, default=0))
    reward = 1 + 2 * per_unit + 2 * sum(case.load_cost) * (1 + sum(case.demand)) ** 2
    # a reward so large that gm.assign refuses what its units may add up to cannot be said
    if case.pins and reward * (1 + sum(case.demand)) >= 2**56:
        return None
    cost, dropped, offset, required = list(case.cost), set(), 0, [False] * case.n_requests
    for r, p in case.pins:
        arcs = [a for a, q in enumerate(case.request) if q == r]
        pinned = [a for a in arcs if case.provider[a] == p]
        if case.demand[r] == 1:
            required[r] = True
            dropped |= set(arcs) - set(pinned)
            continue
        if len({case.groups[a] for a in pinned}) > 1:
            return None
        offset += reward
        for a in pinned:
            cost[a] -= reward
    keep = [a for a in range(len(cost)) if a not in dropped]
    return (
        replace(
            case,
            request=[case.request[a] for a in keep],
            provider=[case.provider[a] for a in keep],
            cost=[cost[a] for a in keep],
            group=[case.groups[a] for a in keep],
            required=required if any(required) else None,
            pins=(),
        ),
        offset,
    )


def serving_cost(request: Request, nodes: list[int]) -> int | None:
    """The least cost at which these nodes, each as often as named, serve a request; None: they cannot."""
    best = None
    wanted = sorted(nodes)
    arcs = [arc for arc in request.arcs if arc[0] in set(nodes)]
    cheapest: dict[tuple[int, int], int] = {}
    for node, cost, group in arcs:
        cheapest[node, group] = min(cost, cheapest.get((node, group), cost))
    groups = sorted({g for _, g in cheapest})
    for order in permutations(groups, len(wanted)):
        costs = [cheapest.get(pair) for pair in zip(wanted, order, strict=True)]
        if None not in costs:
            total = sum(c for c in costs if c is not None)
            best = total if best is None else min(best, total)
    return best


def observe(m: gm.Matcher, handles: list[int], *, whole: bool = True) -> dict[str, object]:
    """Everything that can be seen of a matcher from outside; if not `whole`, its assignments alone."""
    if not whole:
        return {"assignment": {h: m.assignment(h).tolist() for h in handles}}
    proof = m.certificate()
    return {
        "total_cost": m.total_cost,
        "assignment": {h: m.assignment(h).tolist() for h in handles},
        "dual": {h: int(m.request_dual(h)) for h in handles},
        "prices": m.prices().tolist(),
        "certificate": (proof.primal, proof.bound, proof.gap),
        "changed": list(m.changed),
        "len": len(m),
        "snapshot": m.snapshot(),
    }


class Twin:
    """A `gm.Matcher` and its naive twin; after every call all that can be seen is checked."""

    def __init__(
        self,
        capacity: list[int],
        parent: list[int] | None = None,
        load_cost: list[int] | None = None,
        *,
        with_assign: bool = True,
    ) -> None:
        self.real = gm.Matcher(capacity, parent=parent, load_cost=load_cost)
        self.naive = NaiveMatcher(capacity, parent, load_cost)
        self.with_assign = with_assign
        self.known: set[int] = set()
        self.removed: set[int] = set()
        self.n_refused = 0
        self.check(None)

    @property
    def live(self) -> list[int]:
        """Handles of the live requests."""
        return sorted(self.naive.live)

    def call(self, name: str, *args: object, **named: object) -> int | None:
        """Make one call on both; returns the handle or node it gives, or None, also where it was refused."""
        twin, expected, value = self.naive.copy(), None, None
        if name == "add":
            twin.next_handle = max(self.known, default=-1) + 1  # only so that it is one not in use
        try:
            value = getattr(twin, name)(*args, **named)
        except gm.GovmatchError as error:
            expected = error
        may_refuse = expected is not None or self.naive.may_refuse(name, args)
        before = observe(self.real, self.live, whole=may_refuse)
        try:
            got = getattr(self.real, name)(*args, **named)
        except gm.GovmatchError as error:
            assert may_refuse, f"refused {name}{args}: {error}"
            _same_kind(expected, error)
            after = observe(self.real, self.live)
            assert after == before, f"{name}{args} was refused and changed {_differing(before, after)}"
            self.n_refused += 1
            return None
        assert expected is None, f"{name}{args} must be refused: {expected!r}"
        if name == "add":
            assert type(got) is int, f"a handle is an int, not {type(got)}"
            assert got not in self.known, f"handle {got} was used before"
            twin.live[got] = twin.live.pop(value)
            self.known.add(got)
        elif name == "add_node":
            assert got == value, f"the new node is {got}, not {value}"
        else:
            assert got is None, f"{name} returns {got!r}"
        if name == "remove":
            self.removed.add(int(args[0]))
        self.naive = twin
        self.check(before["assignment"])
        return got

    def copy(self) -> Twin:
        """A twin of deep copies."""
        twin = copy.copy(self)
        twin.real, twin.naive = copy.deepcopy(self.real), self.naive.copy()
        twin.known, twin.removed = set(self.known), set(self.removed)
        self._same_as(twin.real)
        return twin

    def reload(self) -> None:
        """Go on with what a snapshot restores."""
        restored = gm.Matcher.restore(self.real.snapshot())
        self._same_as(restored)
        self.real = restored

    def what_if(self, change: Callable[[Twin], object]) -> None:
        """Do something to a deep copy: nothing of it may be seen here."""
        before = observe(self.real, self.live)
        change(self.copy())
        assert observe(self.real, self.live) == before, "a change of a copy is seen in the original"

    def check(self, before: object) -> None:
        """Check the state, and against the assignments `before` the last call what it says has changed."""
        real, naive = self.real, self.naive
        handles, case = naive.case()
        assert type(real.total_cost) is int
        assert real.total_cost == naive.total_cost, (
            f"total_cost {real.total_cost}, optimum {naive.total_cost}"
        )
        proof = real.certificate()
        assert (proof.primal, proof.bound, proof.gap) == (naive.total_cost, naive.total_cost, 0), proof
        assert len(real) == len(handles)
        served = {h: real.assignment(h) for h in handles}
        for nodes in served.values():
            assert nodes.dtype == np.int64 and nodes.ndim == 1, nodes
            assert (np.diff(nodes) >= 0).all(), f"not ascending: {nodes}"
        nodes_of = {h: nodes.tolist() for h, nodes in served.items()}
        self._check_assignment(nodes_of)
        self._check_duals(case, handles)
        for h in [*list(self.removed)[-1:], max(self.known, default=0) + 7]:
            _raises_unknown(lambda h=h: real.assignment(h))
            _raises_unknown(lambda h=h: real.request_dual(h))
        if isinstance(before, dict):
            old = {h: nodes for h, nodes in before.items() if nodes}
            new = {h: nodes for h, nodes in nodes_of.items() if nodes}
            moved = sorted(h for h in old.keys() | new.keys() if old.get(h) != new.get(h))
            changed = real.changed
            assert isinstance(changed, list) and all(type(h) is int for h in changed), changed
            assert changed == moved, f"changed says {changed}, what moved is {moved}"
        if self.with_assign and (said := without_pins(case)) is not None:
            plain, offset = said
            assert gm.assign(**plain.arguments()).total_cost + offset == naive.total_cost, (
                "gm.assign disagrees"
            )

    def _check_assignment(self, nodes_of: dict[int, list[int]]) -> None:
        naive = self.naive
        cost, load = 0, [0] * len(naive.capacity)
        for h, nodes in nodes_of.items():
            request = naive.live[h]
            assert len(nodes) <= request.demand, f"{h}: {nodes} for a demand of {request.demand}"
            assert request.pins <= set(nodes), f"{h} is pinned to {request.pins}, served by {nodes}"
            serving = serving_cost(request, nodes)
            assert serving is not None, f"{h} has no arcs of distinct groups to {nodes}"
            cost += serving + request.unmet_cost * (request.demand - len(nodes))
            for node in nodes:
                for k in chain_above(naive.parent, node):
                    cost += load[k] * naive.load_cost[k]
                    load[k] += 1
        over = [k for k, units in enumerate(load) if units > naive.capacity[k]]
        assert not over, f"nodes {over} carry more than their capacity"
        assert cost == naive.total_cost, f"the assignments cost {cost}, total_cost is {naive.total_cost}"

    def _check_duals(self, case: Case, handles: list[int]) -> None:
        price = self.real.prices()
        assert price.dtype == np.int64 and price.shape == (len(case.capacity),), price
        assert (price >= 0).all(), price
        proved = bound_of_prices(case, price.tolist())
        assert proved == self.naive.total_cost, f"the prices prove {proved}, not {self.naive.total_cost}"
        duals = [self.real.request_dual(h) for h in handles]
        assert all(isinstance(u, int | np.integer) for u in duals), duals
        if not case.pins:
            proved = bound_of(case, [int(u) for u in duals], price.tolist())
            assert proved == self.naive.total_cost, f"the duals prove {proved}, not {self.naive.total_cost}"
            for r, u in enumerate(duals):
                assert not case.demand[r] or u <= case.unmet[r], "a dual above its unmet cost"

    def _same_as(self, other: gm.Matcher) -> None:
        mine, theirs = observe(self.real, self.live), observe(other, self.live)
        for seen in (mine, theirs):
            del seen["changed"], seen["snapshot"]
        assert mine == theirs, f"the copy differs in {_differing(mine, theirs)}"


def _same_kind(expected: Exception | None, error: Exception) -> None:
    assert str(error).strip(), "an error says what is wrong"
    if isinstance(expected, gm.UnknownId):
        assert isinstance(error, gm.UnknownId) and isinstance(error, KeyError), repr(error)
    elif isinstance(expected, Impossible):
        assert isinstance(error, gm.Infeasible), repr(error)


def _differing(one: dict[str, object], other: dict[str, object]) -> list[str]:
    return [name for name in one if one[name] != other[name]]


def _raises_unknown(call: Callable[[], object]) -> None:
    try:
        call()
    except gm.UnknownId:
        return
    raise AssertionError("an unknown or removed handle must raise UnknownId")
