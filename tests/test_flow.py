"""The flow tier against the LP by HiGHS, and its deadline."""

from __future__ import annotations

import time

import numpy as np
import pytest

from govmatch.errors import SolverError
from govmatch.solve import flow
from govmatch.solve.certificate import prove
from govmatch.solve.instance import Instance
from tests.instances import optimal_cost, random_instance


@pytest.mark.kernels
@pytest.mark.parametrize("block", range(4))
def test_random_instances_reach_the_lp_optimum_with_equal_bound(block: int) -> None:
    for seed in range(block * 60, block * 60 + 60):
        instance = random_instance(seed)
        solution = flow.solve(instance)
        proof = prove(instance, solution)
        assert proof.primal == proof.bound, f"seed {seed}"
        assert proof.primal == pytest.approx(optimal_cost(instance), abs=1e-6), f"seed {seed}"
        assert solution.termination == "optimal"


@pytest.mark.kernels
def test_greedy_is_feasible_and_its_bound_is_true() -> None:
    for seed in range(60):
        instance = random_instance(seed)
        solution = flow.greedy(instance)
        proof = prove(instance, solution)
        assert proof.bound <= optimal_cost(instance) + 1e-6
        assert proof.primal >= optimal_cost(instance) - 1e-6
        assert solution.termination == "time_limit"


def test_a_deadline_in_the_past_gives_the_greedy_flow() -> None:
    instance = random_instance(3)
    assert flow.solve(instance, time.monotonic() - 1).termination == "time_limit"


def test_a_deadline_far_away_gives_the_optimum_from_a_process_of_its_own() -> None:
    instance = random_instance(5)
    solution = flow.solve(instance, time.monotonic() + 60)
    assert solution.termination == "optimal"
    assert prove(instance, solution).gap == 0


def test_a_deadline_stops_a_solve_that_takes_longer() -> None:
    rng = np.random.default_rng(0)
    n, m, k = 40_000, 20_000, 24
    instance = Instance(
        request=np.repeat(np.arange(n), k),
        node=rng.integers(0, m, n * k),
        group=np.arange(n * k),
        cost=rng.integers(0, 4_000, n * k),
        demand=np.ones(n, np.int64),
        unmet_cost=np.full(n, 20_000),
        capacity=np.ones(m, np.int64),
        parent=np.full(m, -1),
        load_cost=np.zeros(m, np.int64),
    )
    flow.solve(random_instance(1))  # compiles
    flow.greedy(random_instance(1))
    begin = time.monotonic()
    solution = flow.solve(instance, begin + 1.0)
    assert time.monotonic() - begin < 3.0  # 1.5 without coverage and neighbours
    assert solution.termination == "time_limit"
    proof = prove(instance, solution)
    assert proof.bound < proof.primal


def test_an_instance_without_arcs_leaves_everything_unmet() -> None:
    none = np.zeros(0, np.int64)
    instance = Instance(none, none, none, none, np.array([2, 1]), np.array([10, 7]), none, none, none)
    solution = flow.solve(instance)
    assert solution.unmet.tolist() == [2, 1]
    assert prove(instance, solution).primal == prove(instance, solution).bound == 27


def test_an_instance_without_requests_costs_nothing() -> None:
    none = np.zeros(0, np.int64)
    instance = Instance(none, none, none, none, none, none, np.array([1]), np.array([-1]), np.array([0]))
    assert prove(instance, flow.solve(instance)).primal == 0


def test_a_file_beside_the_script_is_not_run(tmp_path, monkeypatch) -> None:
    mark = tmp_path / "ran"
    (tmp_path / "random.py").write_text(f"open({str(mark)!r}, 'w')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert flow.solve(random_instance(5), time.monotonic() + 60).termination == "optimal"
    assert not mark.exists()


def test_a_failing_process_is_told(monkeypatch) -> None:
    monkeypatch.setattr(flow, "_FIELDS", ("tail", "head"))
    with pytest.raises(SolverError, match=r"(?s)the flow solver's process failed: .*Network"):
        flow.solve(random_instance(5), time.monotonic() + 60)


def test_a_process_that_does_not_start_is_told(monkeypatch) -> None:
    monkeypatch.setattr(flow.sys, "executable", "no such python")
    with pytest.raises(SolverError, match=r"a process for the flow solver could not be started: .*no such"):
        flow.solve(random_instance(5), time.monotonic() + 60)
