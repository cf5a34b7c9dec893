"""The benchmark's peers agree with a plain LP, and its table lands where the README wants it."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from benchmarks.isolate import in_own_process
from benchmarks.network import cost_of, load, save
from benchmarks.peers import PEERS, scipy_linprog
from benchmarks.table import END, START, table, write_between_markers
from benchmarks.work import PHASES
from govmatch.solve.instance import Instance


def _forest_day(seed, tmp_path):
    """Requests for one or several people, two slots a person, a day's cap and a growing load cost."""
    rng = np.random.default_rng(seed)
    n_requests, n_people = 12, 6
    slot_of = np.arange(2 * n_people)
    parent = np.concatenate([2 * n_people + slot_of // 2, np.full(n_people, -1)])
    reached = rng.random((n_requests, 2 * n_people)) < 0.5
    request, node = np.nonzero(reached)
    instance = Instance(
        request=request,
        node=node,
        group=node // 2,
        cost=rng.integers(0, 5_000, len(request)),
        demand=rng.integers(1, 4, n_requests),
        unmet_cost=rng.integers(3_000, 9_000, n_requests),
        capacity=np.concatenate([np.ones(2 * n_people, np.int64), rng.integers(1, 3, n_people)]),
        parent=parent,
        load_cost=np.concatenate([np.zeros(2 * n_people, np.int64), rng.integers(0, 900, n_people)]),
    )
    path = tmp_path / "arcs.npz"
    save(path, instance, 0)
    day = load(path)
    least = cost_of(day, scipy_linprog.solve(scipy_linprog.build(day)))
    save(path, instance, least)
    return path


@pytest.mark.parametrize("name", [name for name in PEERS if name not in ("scipy", "scipy-dense")])
def test_a_peer_finds_the_same_cost(name, tmp_path):
    # looked for, not imported: highspy and ortools cannot share this process
    if find_spec(PEERS[name].distribution) is None:
        pytest.skip(f"{name} comes with govmatch[bench]")
    told = in_own_process(["peer", name, str(_forest_day(3, tmp_path))], 60)
    assert told["objective"] > 0
    assert told["build"] >= 0
    assert told["solve"] >= 0


def test_a_peer_with_another_cost_is_told(tmp_path):
    path = _forest_day(4, tmp_path)
    day = dict(np.load(path))
    np.savez(path, **{**day, "objective": day["objective"] + 1})
    with pytest.raises(RuntimeError, match=r"ortools found \d+ where the plan costs \d+"):
        in_own_process(["peer", "ortools", str(path)], 60)


def test_a_peer_that_is_too_slow_is_ended(tmp_path):
    assert in_own_process(["peer", "ortools", str(_forest_day(5, tmp_path))], 0.01) is None


def test_the_dense_peer_takes_flat_days_only(tmp_path):
    told = in_own_process(["peer", "scipy-dense", str(_forest_day(6, tmp_path))], 60)
    assert told["refused"] == "nested capacities"

    rng = np.random.default_rng(7)
    cost = rng.integers(0, 1_000, (5, 4))
    request, node = (part.reshape(-1) for part in np.indices(cost.shape))
    flat = Instance(
        request=request,
        node=node,
        group=node,
        cost=cost.reshape(-1),
        demand=np.ones(5, np.int64),
        unmet_cost=np.full(5, 5_000),
        capacity=np.ones(4, np.int64),
        parent=np.full(4, -1),
        load_cost=np.zeros(4, np.int64),
    )
    rows, columns = linear_sum_assignment(cost.T)
    least = int(cost.T[rows, columns].sum()) + 5_000
    save(tmp_path / "flat.npz", flat, least)
    assert in_own_process(["peer", "scipy-dense", str(tmp_path / "flat.npz")], 60)["objective"] == least


def test_a_flow_that_is_none_is_refused(tmp_path):
    day = load(_forest_day(8, tmp_path))
    with pytest.raises(ValueError, match="does not balance"):
        cost_of(day, np.zeros(len(day.tail)))
    with pytest.raises(ValueError, match="not integral"):
        cost_of(day, np.full(len(day.tail), 0.5))
    with pytest.raises(ValueError, match="breaks a capacity"):
        cost_of(day, day.upper + 1)


def _results():
    run = {
        "first": 1.5,
        "seconds": dict.fromkeys(PHASES, 0.25),
        "total": 2.0,
        "generate": 3.0,
        "peak_mb": 400.0,
        "gap": 0.0,
        "verified": True,
        **dict.fromkeys(("requests", "providers", "slots", "pairs", "arcs", "rounds"), 1234),
    }
    peers = {
        "ortools": [{"version": "9.15", "build": 1.0, "solve": 0.05, "peak_mb": 210.4}],
        "networkx": [{"over": 600.0}],
        "scipy-dense": [{"version": "1.17", "refused": "a dense matrix"}],
    }
    setup = {
        "date": "2026-01-01",
        "machine": "Linux",
        "cores": 2,
        "python": "3.11",
        "seed": 5,
        "repeat": 1,
        "cap": 600.0,
    }
    return {
        "setup": setup,
        "sizes": {"haining": {"label": "Haining", "label_zh": "海宁", "runs": [run], "peers": peers}},
    }


def test_the_table_tells_times_caps_and_refusals():
    text = table(_results())
    assert "| eligible pairs | 1,234 |" in text
    assert "| … besides the flow solver, s | 1.75 |" in text
    assert "| OR-Tools SimpleMinCostFlow, arc by arc · 9.15 | 1.00 + 0.050, 210 MB |" in text
    assert "| networkx network_simplex | > 600 s |" in text
    assert "cannot: a dense matrix" in text
    assert "`--seed 5`" in text
    assert "synthetic" in text
    assert "| 核验 verify，秒 | 0.25 |" in table(_results(), chinese=True)


def test_the_table_replaces_the_old_one(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"a\n{START}\nold\n{END}\nb\n", encoding="utf-8")
    write_between_markers(readme, "new")
    assert readme.read_text(encoding="utf-8") == f"a\n{START}\nnew\n{END}\nb\n"
    readme.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match=r"README\.md lacks"):
        write_between_markers(readme, "new")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell a process's peak memory")
def test_peak_memory_is_told(tmp_path):
    assert 20 < in_own_process(["peer", "ortools", str(_forest_day(9, tmp_path))], 60)["peak_mb"] < 2_000
