"""The matching benchmark: its instances, its peers against a plain LP, its rules and its tables."""

import json
import random
from argparse import Namespace
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array

from benchmarks.isolate import ProcessKilled, in_own_process
from benchmarks.matching import county, online, online_table, run, table
from benchmarks.matching.bipartite import refusals
from benchmarks.matching.instances import Instance, arcs_below, compact, cost_of, load
from benchmarks.matching.peers import PEERS
from benchmarks.matching.programme import programme_of
from benchmarks.matching.regimes import ONLINE, REGIMES, goal_of
from benchmarks.matching.shapes import Shape
from benchmarks.matching.work import assigned, proved

TINY = Shape(40, 50, arcs=6, places=4, skills=2)
SHAPES = {
    "slots": TINY,
    "short": replace(TINY, volunteers=12),
    "deep": replace(TINY, volunteers=25, forest="deep"),
    "quota": replace(TINY, volunteers=25, forest="deep", members=25, organisation_share=0.3),
    "load": replace(TINY, cap=3, volunteers=20, load_cost=150),
    "several": replace(TINY, volunteers=80, demand=(2, 3)),
    "flat": replace(TINY, cap=1, forest="flat"),
    "flat-short": replace(TINY, cap=1, volunteers=25, forest="flat"),
    "square": Shape(square=12),
}
MATCHINGS = ("flat", "flat-short", "square")


def _least(instance):
    """The optimum by an LP over arcs and load steps."""
    programme = programme_of(instance)
    entries = (programme.value.astype(float), (programme.row, programme.column))
    rows = coo_array(entries, shape=(len(programme.lower), len(programme.cost))).toarray()
    bounds = np.concatenate([programme.upper, -programme.lower]).astype(float)
    found = linprog(programme.cost, A_ub=np.concatenate([rows, -rows]), b_ub=bounds, bounds=(0, 1))
    saved = int((instance.demand * instance.unmet_cost).sum()) if len(instance.unmet_cost) else 0
    return round(found.fun) + saved


INSTANCES = {name: county.instance(shape, 7) for name, shape in SHAPES.items()}
LEAST = {name: _least(instance) for name, instance in INSTANCES.items()}


# ----------------------------------------------------------------------------------------------- instances


def test_a_seed_repeats_an_instance(tmp_path):
    once, again, other = (county.instance(TINY, seed) for seed in (1, 1, 2))
    once.save(tmp_path / "instance.npz")
    read = load(tmp_path / "instance.npz")
    assert all((getattr(read, name) == getattr(again, name)).all() for name in vars(again))
    assert len(once.cost) != len(other.cost) or (once.cost != other.cost).any()


@pytest.mark.parametrize("name", SHAPES)
def test_an_instance_is_what_its_shape_says(name):
    instance, shape = INSTANCES[name], SHAPES[name]
    assert (np.diff(instance.request) >= 0).all()
    assert (arcs_below(instance) > 0).all()
    assert {array.dtype for array in vars(instance).values()} == {np.dtype(np.int64)}
    pairs = np.stack([instance.request, instance.provider])
    assert np.unique(pairs, axis=1).shape == pairs.shape
    depth = 0
    above = instance.parent
    while (above >= 0).any():
        above = np.where(above >= 0, instance.parent[above], -1)
        depth += 1
    assert depth == {"flat": 0, "slots": 1, "deep": 3}["flat" if shape.square else shape.forest]
    if not shape.square:
        assert np.bincount(instance.request).max() <= shape.arcs
        assert set(instance.unmet_cost) <= {3000, 5000, 7000, 9000}
        assert shape.demand[0] <= instance.demand.min() <= instance.demand.max() <= shape.demand[1]


def test_a_hot_spot_moves_requests_to_one_community():
    spread, hot = (county.instance(replace(TINY, requests=400, volunteers=900, hot=hot), 3) for hot in (0, 1))
    # the same arcs again and again: their volunteers are fewer
    assert len(hot.capacity) < 0.7 * len(spread.capacity)


def test_the_cheapest_of_the_nearest_are_taken():
    few, many = (county.instance(replace(TINY, arcs=arcs), 3) for arcs in (2, 6))
    least = np.full(TINY.requests, 10**9)
    np.minimum.at(least, few.request, few.cost)
    nearest = np.full(TINY.requests, 10**9)
    np.minimum.at(nearest, many.request, many.cost)
    assert (nearest <= least).all()


def test_nodes_that_no_arc_reaches_are_left_out():
    whole = county.day(TINY, 7)
    small = compact(whole)
    assert len(small.capacity) < len(whole.capacity)
    assert (whole.capacity[whole.provider] == small.capacity[small.provider]).all()
    up, small_up = whole.parent[whole.provider], small.parent[small.provider]
    assert len(np.unique(np.stack([up, small_up]), axis=1)[0]) == len(np.unique(up))


def test_a_flow_that_is_none_has_no_cost():
    instance = INSTANCES["slots"]
    nobody = np.zeros(len(instance.cost), np.int64)
    assert cost_of(instance, nobody) == instance.unmet_cost.sum()
    with pytest.raises(ValueError, match="not 0 or 1"):
        cost_of(instance, nobody + 0.5)
    with pytest.raises(ValueError, match="does not meet the demand"):
        cost_of(instance, nobody + 1)
    with pytest.raises(ValueError, match="does not meet the demand"):
        cost_of(INSTANCES["square"], np.zeros(144))
    busy = replace(instance, demand=instance.demand * 99, unmet_cost=instance.unmet_cost)
    with pytest.raises(ValueError, match="above its capacity"):
        cost_of(busy, nobody + 1)


def test_load_costs_grow_with_the_load():
    three, one, none = np.arange(3), np.ones(3, np.int64), np.zeros(3, np.int64)
    unmet_cost = np.full(3, 100)
    pair = Instance(three, none, one, one, unmet_cost, np.array([3]), np.array([-1]), np.array([10]))
    assert cost_of(pair, one) == 3 + 10 + 20


# --------------------------------------------------------------------------------------------------- peers


@pytest.mark.parametrize("name", [name for name in PEERS if name != "highspy"])
def test_a_peer_finds_the_optimum(name):
    peer = PEERS[name]
    if find_spec({"lapx": "lap", "pot": "ot"}.get(peer.distribution, peer.distribution)) is None:
        pytest.skip(f"{name} comes with govmatch[bench]")
    module = import_module(f"benchmarks.matching.peers.{peer.module}")
    taken = {key: instance for key, instance in INSTANCES.items() if not refusals(instance)[peer.takes]}
    assert set(taken) == (set(SHAPES) if peer.takes == "flows" else set(MATCHINGS))
    for key, instance in taken.items():
        model = module.build(instance)
        flow = module.read(instance, model, module.solve(model))
        assert cost_of(instance, flow) == LEAST[key], key


def test_highspy_finds_the_optimum_in_a_process_of_its_own(tmp_path):
    if find_spec("highspy") is None:
        pytest.skip("highspy comes with govmatch[bench]")
    INSTANCES["load"].save(tmp_path / "instance.npz")
    INSTANCES["square"].save(tmp_path / "small.npz")
    told = in_own_process(["give", "highspy", str(tmp_path)], 60, run.WORK)
    assert told["objective"] == LEAST["load"]
    assert told["build"] > 0 and told["solve"] > 0


@pytest.mark.skipif(find_spec("ot") is None, reason="POT comes with govmatch[bench]")
def test_pot_takes_capacities_above_one():
    instance = county.instance(replace(SHAPES["flat-short"], cap=2), 7)
    assert refusals(instance)["transport"] == ""
    assert refusals(instance)["matchings"] == "several requests a provider"
    peer = import_module("benchmarks.matching.peers.pot_emd")
    model = peer.build(instance)
    assert cost_of(instance, peer.read(instance, model, peer.solve(model))) == _least(instance)


def test_what_cannot_be_expressed_is_told():
    assert refusals(INSTANCES["several"])["transport"] == "several people a request"
    assert refusals(INSTANCES["deep"])["matchings"] == "a forest"
    loads = replace(INSTANCES["flat"], load_cost=INSTANCES["flat"].capacity)
    assert refusals(loads)["matrices"] == "load costs"
    wide = replace(INSTANCES["flat"], capacity=np.ones(10**7, np.int64), parent=np.full(10**7, -1))
    wide = replace(wide, load_cost=np.zeros(10**7, np.int64))
    assert refusals(wide)["matrices"] == "400,000,000 cells"
    assert refusals(wide)["matchings"] == ""


@pytest.mark.parametrize("name", SHAPES)
def test_ours_is_the_optimum_and_proved(name):
    assert proved(INSTANCES[name], assigned(INSTANCES[name])) == LEAST[name]


def test_a_claim_that_does_not_hold_is_refused():
    instance = INSTANCES["slots"]
    cost = int(instance.unmet_cost.sum())
    claim = Namespace(flow=np.zeros(len(instance.cost)), total_cost=cost, bound=cost, gap=0.0)
    claim.termination = "optimal"
    assert proved(instance, claim) == cost
    with pytest.raises(ValueError, match=f"told {cost + 1} for a flow that costs {cost}"):
        proved(instance, Namespace(**{**vars(claim), "total_cost": cost + 1}))
    with pytest.raises(ValueError, match="ended gap"):
        proved(instance, Namespace(**{**vars(claim), "termination": "gap"}))


# ----------------------------------------------------------------------------------------------------- run


def test_one_rule_sets_the_goals():
    goals = {
        name: REGIMES[name].goal for name in ("ample", "balanced", "tight", "short-1", "short-2", "ds-3")
    }
    assert goals == {"ample": 30, "balanced": 20, "tight": 15, "short-1": 8, "short-2": 8, "ds-3": 8}
    assert REGIMES["hot-balanced"].goal == 8
    assert REGIMES["square-800"].goal is None
    assert not REGIMES["province"].peers
    ratios = [REGIMES[f"ds-{ratio}"].shape.scarcity for ratio in (0.1, 0.75, 1, 1.5, 2.4, 3)]
    assert ratios == pytest.approx([0.1, 0.75, 1, 1.5, 2.4, 3])
    assert goal_of(ONLINE["day-1"]) == 15


def test_a_run_is_kept_and_gone_on_with(tmp_path, capsys, monkeypatch):
    kept = tmp_path / "run.json"
    asked = ["--requests", "30", "--repeat", "1", "--peers", "ortools", "--json", str(kept), "--resume"]
    run.main([*asked, "--regimes", "deep", "--seed", "5", "--folder", str(tmp_path)])
    told = json.loads(kept.read_text(encoding="utf-8"))
    assert told["setup"]["seed"] == 5
    done = told["regimes"]["deep"]
    assert done["runs"][0]["objective"] == done["peers"]["ortools"][0]["objective"]
    assert done["runs"][0]["passes"] > 1
    assert "| deep forest | 30 ×" in capsys.readouterr().out

    monkeypatch.setattr(run, "in_own_process", None)
    run.main([*asked, "--regimes", "deep"])
    assert "`--seed 5`" in capsys.readouterr().out


def _asked(**changed):
    given = {"peers": ["ortools", "pot", "networkx"], "repeat": 2, "requests": 0, "cap": 5.0}
    return Namespace(**{**given, **changed})


def _answers(monkeypatch, peers, arcs=100, refused=""):
    """Stand in for the processes: each peer's answers by name, the last one again and again."""
    calls = []

    def answer(arguments, cap, module):
        task = arguments[0]
        if task == "make":
            refusals = {"flows": "", "transport": refused}
            return {"requests": 9, "volunteers": 9, "arcs": arcs, "refusals": refusals}
        name = arguments[1] if task == "give" else "ours"
        calls.append(name)
        told = peers[name]
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(run, "in_own_process", answer)
    return calls


def _answer(solve, objective=50):
    return {"build": 1.0, "solve": solve, "peak_mb": 100.0, "objective": objective, "version": "1"}


OURS = {"seconds": 0.5, "passes": 9.0, "peak_mb": 50.0, "objective": 50}


def _measured(monkeypatch, peers, asked=None, name="balanced", results=None, **kwargs):
    calls = _answers(monkeypatch, {"ours": OURS, **peers}, **kwargs)
    done = run._measure(name, random.Random(1), asked or _asked(), Path(), results or {"regimes": {}})
    return done, calls


def test_another_cost_fails_the_run_and_names_both(monkeypatch):
    peers = {"ortools": _answer(1.0), "pot": _answer(1.0, objective=51)}
    with pytest.raises(RuntimeError, match=r"balanced with seed \d+: pot found 51, govmatch 50"):
        _measured(monkeypatch, peers)


def test_a_slow_peer_is_not_repeated_and_one_over_the_cap_not_asked_for_more(monkeypatch):
    peers = {"ortools": _answer(1.0), "pot": _answer(10.1), "networkx": None}
    done, calls = _measured(monkeypatch, peers)
    assert calls == ["ours", "ortools", "pot", "networkx", "ours", "ortools"]
    assert done["peers"]["networkx"] == [{"over": 5.0}]
    assert done["made"][0]["seed"] != done["made"][1]["seed"]

    results = {"regimes": {"balanced": done}}
    larger, calls = _measured(monkeypatch, peers, name="large", results=results, arcs=200)
    assert "networkx" not in calls
    assert larger["peers"]["networkx"] == [{"over": 5.0, "at_arcs": 100}]
    _, calls = _measured(monkeypatch, peers, name="small", results=results, arcs=99)
    assert "networkx" in calls
    _, calls = _measured(monkeypatch, peers, name="square-100", results=results, arcs=200)
    assert "networkx" in calls


def test_a_killed_peer_and_a_refusal_are_told(monkeypatch):
    peers = {"ortools": _answer(1.0), "networkx": ProcessKilled("ended by signal 9")}
    done, calls = _measured(monkeypatch, peers, refused="a forest")
    assert "pot" not in calls
    text = table.table({"setup": _setup(), "regimes": {"balanced": done}})
    assert "failed: ended by signal 9" in text
    assert "no: a forest" in text


def test_our_own_time_is_never_left_out(monkeypatch):
    calls = _answers(monkeypatch, {"ours": None, "ortools": _answer(1.0)})
    done = run._measure("balanced", random.Random(1), _asked(peers=["ortools"]), Path(), {"regimes": {}})
    assert calls.count("ours") == 2
    text = table.table({"setup": _setup(), "regimes": {"balanced": done}})
    assert "| > 3600 s |" in text
    assert "no peer or no figure" in text


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--regimes", "moon"], "moon: not one of small,"),
        (["--online", "--regimes", "ample"], "ample: not one of day,"),
        (["--peers", "gurobi"], "gurobi: not one of ortools,"),
        (["--resume"], "--resume needs --json"),
        (["--quick", "--write-readme"], "regimes at their own size"),
    ],
)
def test_a_wrong_option_is_told(arguments, words, capsys):
    with pytest.raises(SystemExit):
        run.main(arguments)
    assert words in capsys.readouterr().err


# -------------------------------------------------------------------------------------------------- tables


def _setup():
    return {
        "date": "2026-01-01",
        "python": "3.11",
        "machine": "Linux",
        "cores": 2,
        "seed": 5,
        "repeat": 2,
        "cap": 5.0,
    }


def _done(ours, solve, requests=20_000):
    made = {"requests": requests, "volunteers": 27_000, "arcs": 640_000}
    return {
        "label": "a label",
        "requests_at_most": 0,
        "made": [made],
        "runs": [{**OURS, "seconds": ours}] * 2,
        "peers": {"ortools": [_answer(solve)] * 2, "pot": [{"refused": "a forest"}]},
    }


def test_the_table_sets_the_goal_beside_what_was_reached():
    def row(name, *done):
        return table.table({"setup": _setup(), "regimes": {name: _done(*done)}}).splitlines()[4]

    told = (
        "| a label | 20,000 × 27,000, 2 | 0.37 | 640,000 | **0.10** | 50 | 9 | 2.10 (ortools) | 21 × | 31 × |"
    )
    assert row("balanced", 0.1, 2.1).startswith(told)
    assert row("balanced", 0.1, 2.1).endswith("| ≥ 20 ×: ✓ |")
    assert row("balanced", 0.1, 1.9).endswith("| ≥ 20 ×: **not reached** |")
    assert row("balanced", 1.0, 1.9).endswith("| ≥ 20 ×: **not reached**, below the floor |")
    assert row("square-800", 1.0, 0.1).endswith("| to be right: ✓ |")
    assert row("province", 119.0, 0.1).endswith("| ≤ 120 s, ≤ 12 GB: ✓ |")
    assert row("province", 121.0, 0.1).endswith("| ≤ 120 s, ≤ 12 GB: **not reached** |")


def test_the_growth_is_fitted():
    sizes = {f"scale-{n}": _done(n**1.1 / 1e6, n**1.5 / 1e6, n) for n in (1_000, 10_000, 100_000)}
    text = table.table({"setup": _setup(), "regimes": sizes})
    assert "| govmatch | 1.10, goal ≤ 1.15: ✓ | 1.10 | 1.10, 1.10 |" in text
    assert "| ortools | 1.50 | 1.50 | 1.50, 1.50 |" in text
    # shrunk ones are all of one size
    shrunk = {name: {**done, "requests_at_most": 100} for name, done in sizes.items()}
    assert "Growth" not in table.table({"setup": _setup(), "regimes": shrunk})


def _day(scarcity, p99, mean, solve, name="day"):
    told = {"count": 9, "mean": mean, "p50": 0.1, "p99": p99, "p999": 9.0, "max": 9.5}
    day = {
        "requests_at_most": 0,
        "arrivals": 20_000,
        "volunteers": 200_000,
        "cap": 2,
        "scarcity": scarcity,
        "events": {"arrival": told, "decline": {"count": 0}, "all": told},
        "last_quarter": told,
        "moved": 1.5,
        "checks": [{"live": 18_000}],
        "resolve": {"assign": 0.2, "peer_build": 0.1, "peer_solve": solve},
    }
    return online_table.table({"setup": _setup(), "online": {name: day, "day-2.4": {"over": 3600.0}}})


def test_the_online_table_sets_the_goal_beside_what_was_reached():
    text = _day(0.05, 0.9, 1.0, 2.0)
    assert "| 0.05 | all | 9 | 0.100 | 0.900 | 9.000 | 9.500 | 1.000 | p99 ≤ 1, p99.9 ≤ 10: ✓ |" in text
    assert "| 2,000 × | 200 × | 1.50 | ≥ 1,000 ×: ✓ |" in text
    assert "> 3600 s: **not reached**" in text
    assert "| decline |" not in text
    assert "p99 ≤ 1, p99.9 ≤ 10: **not reached**" in _day(0.05, 1.1, 1.0, 2.0)
    assert "≥ 1,000 ×: **not reached**" in _day(0.05, 1.1, 3.0, 2.0)
    assert "p99 ≤ 5: ✓; ≤ 1: **not reached**" in _day(1.0, 4.0, 1.0, None, "day-1")


def test_the_readme_has_a_place_for_both_tables():
    text = run.README.read_text(encoding="utf-8")
    for start, end in (table.MARKERS, online_table.MARKERS):
        assert text.count(start) == text.count(end) == 1


# -------------------------------------------------------------------------------------------------- online


def test_a_day_ends_at_the_optimum():
    shape = replace(TINY, requests=150, volunteers=80)
    day = online.started(county.day(shape, 2), 2)
    online.play(day, range(shape.requests))
    counts = {kind: len(seconds) for kind, seconds in day.seconds.items()}
    assert counts["arrival"] == 150
    assert 1 <= counts["cancellation"] <= 20
    assert 5 <= counts["decline"] <= 30
    now = day.now()
    assert len(now.demand) == len(day.live) == 150 - counts["cancellation"]
    assert int(day.matcher.total_cost) == _least(now)


def test_latencies_are_percentiles_in_milliseconds():
    told = online.latency([i / 1000 for i in range(1001)])
    assert told == pytest.approx(
        {"count": 1001, "mean": 500, "p50": 500, "p99": 990, "p999": 999, "max": 1000}
    )
    assert online.latency([]) == {"count": 0}
