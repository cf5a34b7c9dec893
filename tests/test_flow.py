"""The flow tier against the LP by HiGHS, from any prices, and ended by clock, signal and gap."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from govmatch._kernels.auction import open_book
from govmatch._kernels.clear import clear_roots
from govmatch._kernels.market import FAR, SIZE, START, UNMET_COST, Network
from govmatch.errors import InvalidInput
from govmatch.solve import flow
from govmatch.solve.certificate import Proof, flow_cost, infeasibilities, lower_bound, prove
from govmatch.solve.control import Control
from govmatch.solve.instance import Instance, Solution
from tests.instances import optimal_cost, random_instance

ROOT = Path(__file__).parents[1]


def scarce(n_requests: int, n_nodes: int, arcs: int, seed: int = 0) -> Instance:
    """Make an instance of requests and nodes of one unit, several arcs a request, dear to leave."""
    rng = np.random.default_rng(seed)
    n_arcs = n_requests * arcs
    return Instance(
        request=np.repeat(np.arange(n_requests), arcs),
        node=rng.integers(0, n_nodes, n_arcs),
        group=np.arange(n_arcs),
        cost=rng.integers(0, 4_000, n_arcs),
        demand=np.ones(n_requests, np.int64),
        unmet_cost=np.full(n_requests, 20_000),
        capacity=np.ones(n_nodes, np.int64),
        parent=np.full(n_nodes, -1),
        load_cost=np.zeros(n_nodes, np.int64),
    )


def late(seconds: float = 1.0) -> Control:
    """Return a control whose deadline has passed."""
    control = Control(60)
    control.deadline = time.monotonic() - seconds
    return control


def proved(instance: Instance, solution: Solution) -> Proof:
    """Prove a solution by the cost, the bound and the constraints, each asked for apart."""
    assert infeasibilities(instance, solution) == []
    proof = prove(instance, solution)
    assert proof.primal == flow_cost(instance, solution.flow, solution.unmet)
    assert proof.bound == lower_bound(instance, solution.request_dual, solution.price)
    assert (solution.price >= 0).all()
    return proof


@pytest.fixture(scope="module")
def hard() -> Instance:
    """Make a solve of several seconds; the kernels are compiled before."""
    flow.solve(scarce(300, 150, 6))
    return scarce(60_000, 60_000, 8)


@pytest.mark.kernels
@pytest.mark.parametrize("block", range(4))
def test_random_instances_reach_the_lp_optimum_with_equal_bound(block: int) -> None:
    for seed in range(block * 60, block * 60 + 60):
        instance = random_instance(seed)
        solution = flow.solve(instance)
        proof = proved(instance, solution)
        assert proof.primal == proof.bound, f"seed {seed}"
        assert proof.primal == pytest.approx(optimal_cost(instance), abs=1e-6), f"seed {seed}"
        assert solution.termination == "optimal"


@pytest.mark.kernels
def test_trees_that_count_as_large_reach_the_lp_optimum_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "TREE", 1)
    for seed in range(1000, 1120):
        instance = random_instance(seed, 12)
        if seed % 4:
            instance = replace(instance, demand=np.ones_like(instance.demand))
        if seed % 2:
            instance = replace(instance, load_cost=np.zeros_like(instance.load_cost))
        solution = flow.solve(instance)
        proof = proved(instance, solution)
        assert proof.primal == proof.bound, f"seed {seed}"
        assert proof.primal == pytest.approx(optimal_cost(instance), abs=1e-6), f"seed {seed}"


@pytest.mark.kernels
def test_a_large_root_is_priced_so_that_as_many_want_in_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[tuple[int, int, int]] = []

    def looked_at(net: Network, price: np.ndarray, top: np.ndarray) -> None:
        clear_roots(net, price, top)
        for x in np.unique(top[top >= 0]):
            more = least = 0
            for q in range(len(net.row)):
                arcs = range(net.row[q, START], net.row[q, START] + net.row[q, SIZE])
                inside, outside = FAR, int(net.row[q, UNMET_COST])
                for i in arcs:
                    k = net.arc_node[i]
                    cost = int(net.arc_cost[i] + price[k])
                    inside, outside = (
                        (min(inside, cost), outside) if top[k] == x else (inside, min(outside, cost))
                    )
                more += inside < outside
                least += inside <= outside
            wanted.append((more, int(net.capacity[x]), least))

    monkeypatch.setattr(flow, "clear_roots", looked_at)
    rng = np.random.default_rng(7)
    n, places = 150, 140
    instance = Instance(
        request=np.repeat(np.arange(n), 3),
        node=rng.integers(0, places, 3 * n),
        group=np.arange(3 * n),
        cost=rng.integers(0, 1_000, 3 * n),
        demand=np.ones(n, np.int64),
        unmet_cost=np.full(n, 2_000),
        capacity=np.concatenate([np.ones(places, np.int64), [60]]),
        parent=np.concatenate([np.full(places, places), [-1]]),
        load_cost=np.zeros(places + 1, np.int64),
    )
    solution = flow.solve(instance)
    assert proved(instance, solution).gap == 0
    assert solution.flow.sum() == 60
    ((more, capacity, least),) = wanted
    assert more <= capacity <= least


@pytest.mark.kernels
def test_prices_to_start_from_do_not_change_the_cost() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        instance = random_instance(seed)
        n_nodes = len(instance.parent)
        plain = flow.solve(instance)
        least = proved(instance, plain).primal
        for start in (
            plain.price,
            np.zeros(n_nodes, np.int64),
            rng.integers(0, 100, n_nodes),
            rng.integers(-50, 50, n_nodes),
            np.full(n_nodes, 10**6),
        ):
            given = start.copy()
            solution = flow.solve(instance, start=start)
            proof = proved(instance, solution)
            assert proof.primal == proof.bound == least, f"seed {seed}"
            assert (start == given).all()


@pytest.mark.kernels
def test_a_flow_to_start_from_does_not_change_the_cost() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        instance = random_instance(seed)
        n_arcs, n_nodes = len(instance.request), len(instance.parent)
        plain = flow.solve(instance)
        least = proved(instance, plain).primal
        for start, used in (
            (plain.price, plain.flow > 0),
            (plain.price, rng.random(n_arcs) < 0.5),
            (rng.integers(-5, 60, n_nodes), plain.flow > 0),
            (rng.integers(0, 60, n_nodes), rng.random(n_arcs) < 0.3),
            (np.full(n_nodes, 10**6), np.ones(n_arcs, np.bool_)),
        ):
            solution = flow.solve(instance, start=start, used=used)
            proof = proved(instance, solution)
            assert proof.primal == proof.bound == least, f"seed {seed}"


def test_prices_of_fewer_arcs_start_a_larger_instance() -> None:
    whole = scarce(3_000, 1_300, 12)
    few = np.arange(len(whole.request)) % 12 < 4
    part = replace(
        whole,
        **{name: getattr(whole, name)[few] for name in ("request", "node", "group", "cost")},
    )
    before = flow.solve(part)
    used = np.zeros(len(whole.request), np.bool_)
    used[few] = before.flow > 0
    for solution in (
        flow.solve(whole, start=before.price),
        flow.solve(whole, start=before.price, used=used),
    ):
        proof = proved(whole, solution)
        assert proof.primal == proof.bound == proved(whole, flow.solve(whole)).primal


@pytest.mark.kernels
def test_a_deadline_in_the_past_gives_a_flow_and_a_true_bound() -> None:
    for seed in range(60):
        instance = random_instance(seed)
        solution = flow.solve(instance, late())
        proof = proved(instance, solution)
        assert proof.bound <= optimal_cost(instance) + 1e-6, f"seed {seed}"
        assert proof.primal >= optimal_cost(instance) - 1e-6, f"seed {seed}"
        assert solution.termination == ("time_limit" if len(instance.request) else "optimal")


def test_a_deadline_far_away_gives_the_optimum() -> None:
    for instance in (random_instance(5), scarce(3_000, 1_300, 12)):
        solution = flow.solve(instance, Control(60))
        assert solution.termination == "optimal"
        assert proved(instance, solution).gap == 0


@pytest.mark.parametrize("seconds", [0.01, 0.5])
def test_a_deadline_stops_a_solve_that_takes_longer(hard: Instance, seconds: float) -> None:
    begin = time.monotonic()
    solution = flow.solve(hard, Control(seconds))
    assert time.monotonic() - begin < seconds + 2.0  # 0.5 without coverage and neighbours
    assert solution.termination == "time_limit"
    proof = proved(hard, solution)
    assert proof.bound < proof.primal
    assert solution.flow.sum() > 40_000


def test_a_signal_from_another_thread_ends_a_solve(hard: Instance) -> None:
    cancel = threading.Event()
    timer = threading.Timer(0.3, cancel.set)
    begin = time.monotonic()
    timer.start()
    solution = flow.solve(hard, Control(cancel=cancel))
    assert time.monotonic() - begin < 2.5
    assert solution.termination == "cancelled"
    assert proved(hard, solution).bound < proved(hard, solution).primal


def test_ctrl_c_ends_a_solve() -> None:
    script = """
import signal, threading, time
from govmatch.solve import flow
from tests.test_flow import scarce

flow.solve(scarce(300, 150, 6))
hard = scarce(60_000, 60_000, 8)
threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]).start()
begin = time.monotonic()
try:
    flow.solve(hard)
except KeyboardInterrupt:
    print(time.monotonic() - begin)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert 0.09 < float(done.stdout) < 2.0


@pytest.mark.kernels
def test_a_gap_that_suffices_is_kept() -> None:
    for seed in range(60):
        instance = random_instance(seed)
        for gap in (0.01, 0.5):
            solution = flow.solve(instance, Control(gap=gap))
            assert solution.termination in ("gap", "optimal")
            proof = proved(instance, solution)
            assert proof.gap <= (gap if solution.termination == "gap" else 0), f"seed {seed}"
            assert proof.bound <= optimal_cost(instance) + 1e-6 <= proof.primal + 2e-6, f"seed {seed}"


def test_a_gap_that_suffices_ends_a_solve_before_the_optimum() -> None:
    instance = scarce(6_000, 2_700, 12)
    solution = flow.solve(instance, Control(gap=0.5))
    assert solution.termination == "gap"
    assert 0 < proved(instance, solution).gap <= 0.5


def test_costs_whose_sums_do_not_fit_are_refused() -> None:
    instance = scarce(3, 2, 2)
    most = 2**58 - 1 - 20_000
    fits = replace(instance, cost=np.array([0, 0, 0, 0, 0, most]))
    assert proved(fits, flow.solve(fits)).gap == 0
    for change in (
        {"cost": np.array([0, 0, 0, 0, 0, most + 1])},
        {"cost": np.array([0, 0, 0, 0, 0, -most - 1])},
        {"cost": np.array([0, 0, 0, 0, 0, -(2**63)])},
        {"unmet_cost": np.array([2**58, 0, 0])},
        {"load_cost": np.array([2**58, 0])},
    ):
        with pytest.raises(
            InvalidInput,
            match=r"costs reach \d+, arcs, unmet and load costs together; expected less than 2\*\*58",
        ):
            flow.solve(replace(instance, **change))


@pytest.mark.kernels
def test_an_instance_without_arcs_leaves_everything_unmet() -> None:
    none = np.zeros(0, np.int64)
    instance = Instance(none, none, none, none, np.array([2, 1]), np.array([10, 7]), none, none, none)
    for control in (None, late(), Control(gap=0.5)):
        solution = flow.solve(instance, control, none)
        assert solution.unmet.tolist() == [2, 1]
        assert proved(instance, solution).primal == proved(instance, solution).bound == 27


@pytest.mark.kernels
def test_an_instance_without_requests_costs_nothing() -> None:
    none = np.zeros(0, np.int64)
    instance = Instance(none, none, none, none, none, none, np.array([1]), np.array([-1]), np.array([0]))
    for control, start in ((None, None), (late(), None), (Control(gap=0.5), np.array([5]))):
        solution = flow.solve(instance, control, start)
        assert proved(instance, solution).primal == 0


def test_a_solve_cut_short_proves_no_less_than_the_cheapest_arcs() -> None:
    instance = scarce(3_000, 3_000, 8)
    cheapest = instance.unmet_cost.copy()
    np.minimum.at(cheapest, instance.request, instance.cost)
    for seconds in (1e-6, 0.002, 0.005, 0.01, 0.02):
        solution = flow.solve(instance, Control(seconds))
        assert proved(instance, solution).bound >= int((instance.demand * cheapest).sum())


def test_auctions_look_at_the_flag_while_they_bid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only when their step grows, which may be seconds later."""
    real, real_reverse = flow.auction, flow.reverse_auction
    bids, unasked = [], []

    def auction(net, book, *rest):
        stopped = np.ones(1, np.uint8)
        real(net, book, *rest[:-1], stopped)
        bids.append(int((book.used >= 0).sum()))
        rest[0][: rest[1]] = np.arange(rest[1])  # the ring anew
        open_book(book)
        return real(net, book, *rest)

    def reverse(net, state, ring, waiting, eps, limit, flag):
        real_reverse(net, state, ring, waiting, eps, limit, np.ones(1, np.uint8))
        unasked.append(int((state.surplus < 0).sum()))

    monkeypatch.setattr(flow, "auction", auction)
    monkeypatch.setattr(flow, "reverse_auction", reverse)
    # twice as many as there are places, who are dear to leave: bids do not end soon
    instance = scarce(60_000, 30_000, 8)
    flow.solve(instance)
    assert bids
    assert max(bids) <= 4_096
    assert max(unasked) > 1_000


def test_prices_are_near_before_the_exact_search_where_several_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A place that lacks a unit gets it from whoever would rather let another go, not only from who rests."""
    falls: list[float] = []
    real = flow.relieve

    def relieve(net, state, *rest):
        before = state.price.copy()
        real(net, state, *rest)
        fall = before - state.price
        falls.append(float(fall[fall > 0].mean()))

    monkeypatch.setattr(flow, "relieve", relieve)
    instance = scarce(2_500, 3_000, 20)
    rng = np.random.default_rng(4)
    several = replace(
        instance,
        demand=rng.integers(2, 4, 2_500),
        unmet_cost=rng.integers(1, 5, 2_500) * 2_000 + 1_000,
        capacity=np.full(3_000, 1),
    )
    solution = flow.solve(several)
    assert proved(several, solution).gap == 0
    assert solution.unmet.sum() > 1_000
    assert falls
    assert max(falls) < 200  # some 100; without it thousands
