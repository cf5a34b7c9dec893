"""`gm.Matcher` against its naive twin: a Hypothesis state machine, random days, several threads, memory.

After every call the twin checks all that can be seen (`naive_matcher.Twin`).
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

import govmatch as gm
from tests.fuzz import random_day, trouble_on_day
from tests.naive_assign import Case, brute_force, or_tools
from tests.naive_matcher import Twin, observe

COST = st.one_of(st.integers(0, 2), st.integers(-9, 30), st.sampled_from([10**9, -(10**9)]))
UNMET = st.one_of(st.just(50), st.integers(-5, 30), st.just(10**9))
CAPACITY = st.one_of(st.integers(0, 3), st.just(10**9))
LOAD_COST = st.sampled_from([0, 0, 0, 1, 4])
NODE = st.integers(-1, 12)


@st.composite
def forests(draw: st.DrawFn) -> list[int]:
    """Parents of at most seven nodes, labelled in any order."""
    n = draw(st.integers(0, 7))
    above = [draw(st.integers(-1, k - 1)) for k in range(n)]
    label = draw(st.permutations(range(n)))
    parent = [-1] * n
    for k, p in enumerate(above):
        parent[label[k]] = label[p] if p >= 0 else -1
    return parent


class MatcherMachine(RuleBasedStateMachine):
    """Every event of a day, those that cannot be too. What the calls give is checked by the twin."""

    handles = Bundle("handles")
    gone = Bundle("gone")
    copies = Bundle("copies")

    @initialize(parent=forests(), data=st.data())
    def start(self, parent: list[int], data: st.DataObject) -> None:
        capacity = [data.draw(CAPACITY) for _ in parent]
        load_cost = [data.draw(LOAD_COST) for _ in parent]
        self.twin = Twin(capacity, parent, load_cost)

    @rule(target=handles, data=st.data(), demand=st.sampled_from([1, 1, 2, 3]), unmet_cost=UNMET)
    def add(self, data: st.DataObject, demand: int, unmet_cost: int) -> object:
        nodes, costs, group = self._arcs(data)
        given = {} if group is None else {"group": group}
        h = self.twin.call("add", nodes, costs, demand=demand, unmet_cost=unmet_cost, **given)
        return multiple() if h is None else h

    @rule(h=handles, data=st.data())
    def add_arcs(self, h: int, data: st.DataObject) -> None:
        nodes, costs, group = self._arcs(data)
        self.twin.call("add_arcs", h, nodes, costs, **({} if group is None else {"group": group}))

    @rule(h=handles, data=st.data(), cost=COST)
    def set_cost(self, h: int, data: st.DataObject, cost: int) -> None:
        self.twin.call("set_cost", h, self._near(h, data), cost)

    @rule(target=gone, h=consumes(handles))
    def remove(self, h: int) -> int:
        self.twin.call("remove", h)
        return h

    @rule(h=handles, data=st.data())
    def pin(self, h: int, data: st.DataObject) -> None:
        self.twin.call("pin", h, self._near(h, data))

    @rule(h=handles)
    def unpin(self, h: int) -> None:
        self.twin.call("unpin", h)

    @rule(node=NODE, c=CAPACITY)
    def set_capacity(self, node: int, c: int) -> None:
        self.twin.call("set_capacity", node, c)

    @rule(capacity=CAPACITY, data=st.data(), load_cost=LOAD_COST)
    def add_node(self, capacity: int, data: st.DataObject, load_cost: int) -> None:
        parent = data.draw(st.integers(-1, len(self.twin.naive.parent) - 1))
        self.twin.call("add_node", capacity, parent, load_cost)

    @rule(node=NODE)
    def close_node(self, node: int) -> None:
        self.twin.call("close_node", node)

    @rule(h=gone, what=st.sampled_from(["remove", "unpin", "pin", "set_cost", "add_arcs"]))
    def use_a_removed_handle(self, h: int, what: str) -> None:
        rest = {"pin": (0,), "set_cost": (0, 1), "add_arcs": ([], [])}.get(what, ())
        self.twin.call(what, h, *rest)

    @rule(capacity=st.integers(-3, 2), parent=st.sampled_from([-2, -1, 99]), load_cost=st.integers(-2, 0))
    def add_a_node_that_may_be_wrong(self, capacity: int, parent: int, load_cost: int) -> None:
        self.twin.call("add_node", capacity, parent, load_cost)

    @rule()
    def reload(self) -> None:
        self.twin.reload()

    @rule(target=copies)
    def keep_a_copy(self) -> Twin:
        return self.twin.copy()

    @rule(kept=consumes(copies))
    def a_copy_is_as_it_was(self, kept: Twin) -> None:
        kept.check(None)

    @rule(node=st.integers(0, 6), data=st.data())
    def what_if(self, node: int, data: st.DataObject) -> None:
        live = self.twin.live

        def change(twin: Twin) -> None:
            twin.call("set_capacity", node, data.draw(CAPACITY))
            if live:
                twin.call("remove", data.draw(st.sampled_from(live)))

        self.twin.what_if(change)

    @invariant()
    def optimal(self) -> None:
        if hasattr(self, "twin"):
            assert self.twin.real.certificate().gap == 0

    def _arcs(self, data: st.DataObject) -> tuple[list[int], list[int], list[int] | None]:
        last = len(self.twin.naive.parent) - 1
        place = st.integers(0, last) if last >= 0 else st.nothing()
        wrong = st.sampled_from([-1, last + 1])
        rare = data.draw(st.integers(0, 19)) == 0
        nodes = data.draw(st.lists(wrong if rare else place, max_size=5)) if rare or last >= 0 else []
        costs = [data.draw(COST) for _ in nodes]
        group = data.draw(st.none() | st.lists(st.integers(0, 2), min_size=len(nodes), max_size=len(nodes)))
        return nodes, costs, group

    def _near(self, h: int, data: st.DataObject) -> int:
        nodes = [p for p, _, _ in self.twin.naive.live[h].arcs] if h in self.twin.naive.live else []
        return data.draw(st.sampled_from(nodes) | NODE if nodes else NODE)


TestMatcherMachine = MatcherMachine.TestCase
TestMatcherMachine.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.parametrize("block", range(4))
def test_random_days_stay_optimal(block: int) -> None:
    for seed in range(block * 40, block * 40 + 40):
        trouble = trouble_on_day(*random_day(seed), with_assign=seed % 5 == 0)
        assert not trouble, f"tests.fuzz.check_seed('matcher', {seed}): {trouble}"


@pytest.mark.kernels
def test_short_days_stay_optimal() -> None:
    for seed in range(1_000, 1_050):
        trouble = trouble_on_day(*random_day(seed, 20), with_assign=seed % 5 == 0)
        assert not trouble, f"random_day({seed}, 20): {trouble}"


@pytest.mark.kernels
def test_adding_and_removing_a_request_restores_the_optimum() -> None:
    rng = random.Random(5)
    m = gm.Matcher([1] * 12)
    kept = [
        m.add(rng.sample(range(12), 3), [rng.randint(0, 3) for _ in range(3)], unmet_cost=9)
        for _ in range(14)
    ]
    for _ in range(10):
        before = m.total_cost
        h = m.add(rng.sample(range(12), 3), [0, 0, 0], unmet_cost=1_000)
        m.remove(h)
        assert m.total_cost == before
    for h in kept:
        m.remove(h)
    assert m.total_cost == 0 and len(m) == 0
    assert m.certificate().bound == 0


@pytest.mark.kernels
def test_a_chain_of_pushes_through_everybody() -> None:
    n = 60
    m = gm.Matcher([1] * n)
    chain = [m.add([k, k + 1], [0, 0], unmet_cost=100) for k in range(n - 1)]
    last = m.add([0], [0], unmet_cost=100)
    assert m.total_cost == 0 and m.assignment(last).tolist() == [0]
    assert m.certificate().gap == 0
    m.close_node(n - 1)
    assert m.total_cost == 100 and m.certificate().gap == 0
    m.remove(chain[n // 2])
    assert m.total_cost == 0 and m.certificate().gap == 0


BAD_CALLS: dict[str, tuple[Callable[[gm.Matcher], object], str]] = {
    "no such provider": (
        lambda m: m.add([3], [1], unmet_cost=5),
        "providers[0] is 3; expected a node from 0 to 2",
    ),
    "a provider below 0": (
        lambda m: m.add([-1], [1], unmet_cost=5),
        "providers[0] is -1; expected a node from 0 to 2",
    ),
    "a provider that is not whole": (
        lambda m: m.add([0.5], [1], unmet_cost=5),
        "providers has dtype float64; expected integers",
    ),
    "fewer costs than providers": (
        lambda m: m.add([0, 1], [1], unmet_cost=5),
        "costs has 1 numbers; expected 2, one for each arc",
    ),
    "fewer groups than providers": (
        lambda m: m.add([0, 1], [1, 2], unmet_cost=5, group=[0]),
        "group has 1 numbers; expected 2, one for each arc",
    ),
    "a cost that is not whole": (
        lambda m: m.add([0], [1.5], unmet_cost=5),
        "costs has dtype float64; expected integers",
    ),
    "a cost that is no number": (
        lambda m: m.add([0], [float("nan")], unmet_cost=5),
        "costs has dtype float64; expected integers",
    ),
    "a cost beyond int64": (
        lambda m: m.add([0], [2**63], unmet_cost=5),
        "costs[0] is 9223372036854775808; expected an integer below 2**63",
    ),
    "a cost that no sum holds": (
        lambda m: m.add([0], [2**62], unmet_cost=5),
        "costs[0] is 4611686018427387904; expected at most 2**40, up or down",
    ),
    "an unmet cost that no sum holds": (
        lambda m: m.add([0], [1], unmet_cost=2**62),
        "unmet_cost is 4611686018427387904; expected from -1099511627776 to 1099511627776",
    ),
    "a demand whose cost no sum holds": (
        lambda m: m.add([0], [1], demand=2**40, unmet_cost=2**40),
        "demand is 1099511627776; expected from 0 to 1048576",
    ),
    "an unmet cost that is not whole": (
        lambda m: m.add([0], [1], unmet_cost=1.5),
        "unmet_cost has dtype float64; expected integers",
    ),
    "no unmet cost": (
        lambda m: m.add([0], [1], unmet_cost=None),
        "unmet_cost has dtype object; expected integers",
    ),
    "a demand below 0": (
        lambda m: m.add([0], [1], demand=-1, unmet_cost=5),
        "demand is -1; expected from 0 to 1048576",
    ),
    "a demand that is not whole": (
        lambda m: m.add([0], [1], demand=1.5, unmet_cost=5),
        "demand has dtype float64; expected integers",
    ),
    "no such provider for more arcs": (
        lambda m: m.add_arcs(0, [1, 3], [1, 1]),
        "providers[1] is 3; expected a node from 0 to 2",
    ),
    "a cost that no sum holds, of more arcs": (
        lambda m: m.add_arcs(0, [1], [-(2**62)]),
        "costs[0] is -4611686018427387904; expected at most 2**40, up or down",
    ),
    "more arcs of nobody": (
        lambda m: m.add_arcs(9, [1], [1]),
        "no live request has the handle 9",
    ),
    "a new cost that is not whole": (
        lambda m: m.set_cost(0, 0, 0.5),
        "cost has dtype float64; expected integers",
    ),
    "a new cost that no sum holds": (
        lambda m: m.set_cost(0, 0, 2**62),
        "cost is 4611686018427387904; expected from -1099511627776 to 1099511627776",
    ),
    "a new cost of no arc": (
        lambda m: m.set_cost(0, 2, 1),
        "provider is 2; request 0 has no arc to it",
    ),
    "removing nobody": (
        lambda m: m.remove(9),
        "no live request has the handle 9",
    ),
    "a handle that is text": (
        lambda m: m.remove("0"),
        "no live request has the handle '0'",
    ),
    "a handle that is a truth": (
        lambda m: m.remove(False),
        "no live request has the handle False",
    ),
    "a handle below 0": (
        lambda m: m.remove(-1),
        "no live request has the handle -1",
    ),
    "pinning nobody": (
        lambda m: m.pin(9, 0),
        "no live request has the handle 9",
    ),
    "pinning to no arc": (
        lambda m: m.pin(0, 2),
        "provider is 2; request 0 has no arc to it",
    ),
    "pinning to nowhere": (
        lambda m: m.pin(0, 7),
        "provider is 7; request 0 has no arc to it",
    ),
    "unpinning nobody": (
        lambda m: m.unpin(9),
        "no live request has the handle 9",
    ),
    "a capacity below 0": (
        lambda m: m.set_capacity(0, -1),
        "c is -1; expected 0 or more",
    ),
    "a capacity that is not whole": (
        lambda m: m.set_capacity(0, 0.5),
        "c has dtype float64; expected integers",
    ),
    "the capacity of nowhere": (
        lambda m: m.set_capacity(3, 1),
        "node is 3; expected from 0 to 2",
    ),
    "the capacity of node -1": (
        lambda m: m.set_capacity(-1, 1),
        "node is -1; expected from 0 to 2",
    ),
    "closing nowhere": (
        lambda m: m.close_node(3),
        "node is 3; expected from 0 to 2",
    ),
    "closing node -1": (
        lambda m: m.close_node(-1),
        "node is -1; expected from 0 to 2",
    ),
    "a new node below nowhere": (
        lambda m: m.add_node(1, 3),
        "parent is 3; expected from -1 to 2",
    ),
    "a new node of capacity below 0": (
        lambda m: m.add_node(-1),
        "capacity is -1; expected 0 or more",
    ),
    "a new node of load cost below 0": (
        lambda m: m.add_node(1, load_cost=-1),
        "load_cost is -1; expected from 0 to 1099511627776",
    ),
}


@pytest.mark.kernels
@pytest.mark.parametrize(("call", "message"), BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_a_wrong_call_is_refused_and_changes_nothing(
    call: Callable[[gm.Matcher], object], message: str
) -> None:
    m = gm.Matcher([1, 1, 2], parent=[2, 2, -1], load_cost=[0, 0, 3])
    handles = [m.add([0, 1], [4, 6], unmet_cost=20), m.add([0], [5], unmet_cost=20)]
    before = observe(m, handles)
    with pytest.raises((gm.InvalidInput, gm.UnknownId), match=f"^{re.escape(message)}$"):
        call(m)
    assert observe(m, handles) == before
    assert m.add([1], [0], unmet_cost=50) == 2


WRONG_STARTS: dict[str, tuple[Callable[[], object], str]] = {
    "one capacity for an unknown number of nodes": (
        lambda: gm.Matcher(5),
        "capacity is 5; expected one number for each node",
    ),
    "a capacity below 0": (
        lambda: gm.Matcher([1, -1]),
        "capacity[1] is -1; expected 0 or more",
    ),
    "a capacity that is not whole": (
        lambda: gm.Matcher([0.5]),
        "capacity has dtype float64; expected integers",
    ),
    "a cycle": (
        lambda: gm.Matcher([1, 1], parent=[1, 0]),
        "parent has the cycle 0 → 1 → 0; expected a forest, in which every way up ends at a -1",
    ),
    "a node above itself": (
        lambda: gm.Matcher([1], parent=[0]),
        "parent has the cycle 0 → 0; expected a forest, in which every way up ends at a -1",
    ),
    "a parent that is none": (
        lambda: gm.Matcher([1, 1], parent=[2, -1]),
        "parent[0] is 2; expected a node from 0 to 1, or -1 at a root",
    ),
    "too few parents": (
        lambda: gm.Matcher([1, 1], parent=[-1]),
        "capacity has 2 numbers; expected 1, one for each node, as parent says",
    ),
    "a load cost below 0": (
        lambda: gm.Matcher([1], load_cost=[-1]),
        "load_cost[0] is -1; expected 0 or more",
    ),
    "a load cost that no sum holds": (
        lambda: gm.Matcher([2**40], load_cost=[2**62]),
        "load_cost[0] is 4611686018427387904; expected at most 2**40 = 1099511627776",
    ),
    "too many load costs": (
        lambda: gm.Matcher([1], load_cost=[1, 1]),
        "load_cost has 2 numbers; expected 1, one for each node, as capacity says",
    ),
}


@pytest.mark.parametrize(("start", "message"), WRONG_STARTS.values(), ids=WRONG_STARTS.keys())
def test_a_wrong_start_is_refused(start: Callable[[], object], message: str) -> None:
    with pytest.raises(gm.InvalidInput, match=f"^{re.escape(message)}$"):
        start()


@pytest.mark.kernels
@pytest.mark.parametrize("size", [10**12, 10**15, 10**17, 2**59, 2**60, 2**61, 2**62 - 1])
def test_costs_are_summed_right_or_refused(size: int) -> None:
    """Each is within int64; together they are not, sooner or later."""
    m = gm.Matcher([1, 1, 1, 4], parent=[3, 3, 3, -1])
    arcs = [
        ([0, 1], [size, -size]),
        ([0, 2], [-size, size]),
        ([0, 1, 2], [size - 1, 0, -size]),
        ([3], [-size]),
    ]
    accepted = []
    for nodes, costs in arcs:
        before = observe(m, list(range(len(accepted))))
        try:
            m.add(nodes, costs, unmet_cost=size)
        except gm.InvalidInput:
            assert observe(m, list(range(len(accepted)))) == before
            break
        accepted.append((nodes, costs))
        case = Case(
            request=[r for r, (nodes, _) in enumerate(accepted) for _ in nodes],
            provider=[p for nodes, _ in accepted for p in nodes],
            cost=[c for _, costs in accepted for c in costs],
            n_requests=len(accepted),
            demand=[1] * len(accepted),
            capacity=[1, 1, 1, 4],
            parent=[3, 3, 3, -1],
            load_cost=[0] * 4,
            unmet_cost=[size] * len(accepted),
        )
        assert m.total_cost == brute_force(case)
        assert m.certificate().gap == 0
    assert accepted or size > 2**40  # the largest cost that a matcher takes


@pytest.mark.parametrize("cost", [2**40, -(2**40)])
def test_many_units_of_the_largest_cost_are_summed_right(cost: int) -> None:
    """3,000 of them move in one event."""
    n, unmet = 3_000, 2**40
    m = gm.Matcher([10**9])
    handles = [m.add([0], [cost], unmet_cost=unmet) for _ in range(n)]
    assert m.total_cost == n * cost
    m.set_capacity(0, 0)
    assert m.total_cost == n * unmet
    m.set_capacity(0, n)
    assert m.total_cost == n * cost
    for h in handles:
        m.remove(h)
    assert m.total_cost == 0
    m = gm.Matcher([1] * n)
    h = m.add(list(range(n)), [cost] * n, demand=n, unmet_cost=unmet)
    assert m.total_cost == m.certificate().primal == n * cost
    m.remove(h)
    assert m.total_cost == 0


def test_memory_grows_with_live_requests_not_with_history() -> None:
    rng = random.Random(1)
    m = gm.Matcher([1] * 50)
    live: list[int] = []
    sizes = []
    for step in range(4_000):
        nodes = rng.sample(range(50), 4)
        live.append(m.add(nodes, [rng.randint(0, 9) for _ in nodes], unmet_cost=100))
        if len(live) > 40:
            m.remove(live.pop(rng.randrange(len(live))))
        if step in (500, 3_999):
            sizes.append(len(m.snapshot()))
    assert sizes[1] < 1.5 * sizes[0] + 1_000, sizes


def test_a_restored_matcher_never_reuses_a_handle() -> None:
    m = gm.Matcher([1])
    h = m.add([0], [1], unmet_cost=5)
    m.remove(h)
    again = gm.Matcher.restore(m.snapshot())
    assert again.add([0], [1], unmet_cost=5) != h
    with pytest.raises(gm.UnknownId):
        again.remove(h)


@pytest.mark.parametrize("torn", [b"", b"not a snapshot", "half"])
def test_bytes_that_are_no_snapshot_are_refused(torn: bytes | str) -> None:
    m = gm.Matcher([1, 2])
    m.add([0, 1], [1, 2], unmet_cost=5)
    data = m.snapshot()
    assert isinstance(data, bytes)
    with pytest.raises(gm.InvalidInput):
        gm.Matcher.restore(data[: len(data) // 2] if isinstance(torn, str) else torn)


def test_several_threads_call_one_matcher() -> None:
    n_nodes, n_threads = 30, 4
    m = gm.Matcher([1] * n_nodes, parent=[-1] * n_nodes)
    live: list[dict[int, tuple[list[int], list[int], int]]] = [{} for _ in range(n_threads)]
    faults: list[BaseException] = []
    start = threading.Barrier(n_threads)

    def work(me: int) -> None:
        rng = random.Random(me)
        mine = live[me]
        try:
            start.wait()
            for _ in range(250):
                if mine and rng.random() < 0.4:
                    h = rng.choice(list(mine))
                    m.remove(h)
                    del mine[h]
                elif mine and rng.random() < 0.2:
                    h = rng.choice(list(mine))
                    nodes, costs, unmet = mine[h]
                    cost = rng.randint(0, 5)
                    m.set_cost(h, nodes[0], cost)
                    mine[h] = (nodes, [cost, *costs[1:]], unmet)
                else:
                    nodes = rng.sample(range(n_nodes), 4)
                    costs = [rng.randint(0, 3) for _ in nodes]
                    h = m.add(nodes, costs, unmet_cost=20)
                    assert h not in mine
                    mine[h] = (nodes, costs, 20)
                h = rng.choice(list(mine)) if mine else None
                if h is not None:
                    assert set(m.assignment(h).tolist()) <= set(mine[h][0])
                assert m.certificate().gap == 0
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive(), "a thread hangs"
    assert not faults, faults
    handles = [h for mine in live for h in mine]
    assert len(set(handles)) == len(handles) == len(m)
    requests = [spec for mine in live for spec in mine.values()]
    case = Case(
        request=[r for r, (nodes, _, _) in enumerate(requests) for _ in nodes],
        provider=[p for nodes, _, _ in requests for p in nodes],
        cost=[c for _, costs, _ in requests for c in costs],
        n_requests=len(requests),
        demand=[1] * len(requests),
        capacity=[1] * n_nodes,
        parent=[-1] * n_nodes,
        load_cost=[0] * n_nodes,
        unmet_cost=[unmet for _, _, unmet in requests],
    )
    assert m.total_cost == or_tools(case)
    assert m.certificate().bound == m.total_cost


def test_a_closed_node_takes_nobody_and_is_named() -> None:
    m = gm.Matcher([1, 1])
    m.close_node(1)
    with pytest.raises(
        gm.InvalidInput, match=r"^providers\[1\] is 1, which is closed; expected an open node$"
    ):
        m.add([0, 1], [1, 1], unmet_cost=9)
    again = gm.Matcher.restore(m.snapshot())
    with pytest.raises(gm.InvalidInput, match=r"^node 1 is closed; expected an open one$"):
        again.set_capacity(1, 1)
    assert again.add_node(1) == 2
    assert again.assignment(again.add([2], [1], unmet_cost=9)).tolist() == [2]


def test_an_event_takes_no_longer_the_more_nodes_were_closed() -> None:
    """A rolling horizon opens and closes slots day by day."""
    m = gm.Matcher([1])
    for _ in range(20_000):
        m.close_node(m.add_node(1))
    begun = time.perf_counter()
    for _ in range(300):
        m.remove(m.add([0], [1], unmet_cost=9))
    assert time.perf_counter() - begun < 0.5  # 0.03; 6 when the closed nodes were listed each time
