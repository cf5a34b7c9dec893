import os
import tracemalloc
from dataclasses import replace
from itertools import pairwise
from time import perf_counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from govmatch.errors import InvalidInput
from govmatch.model.encoded import Nodes
from govmatch.model.policy import Policy, Route
from govmatch.reach.paths import FIRST_DAY, LAST_DAY, EdgeArrays, reach_paths
from tests.naive_routes import best_walks


def make_nodes(n):
    ids = np.array([f"N{i}" for i in range(n)], dtype=object)
    return Nodes(ids, ids, n_communities=n, n_units=0)


def make_edges(rows, extra=()):
    a, b, cost, first, last = (list(c) for c in zip(*rows, strict=True)) if rows else ([] for _ in range(5))
    return EdgeArrays(
        tail=np.array(a, dtype=np.int32),
        head=np.array(b, dtype=np.int32),
        kind=np.zeros(len(a), dtype=np.int8),
        cost=np.array(cost, dtype=np.int64),
        first_day=np.array(first, dtype=np.int32),
        last_day=np.array(last, dtype=np.int32),
        extra_id=np.array(extra, dtype=object),
        quota=np.full(len(a), -1, dtype=np.int64),
    )


def always(a, b, cost):
    return a, b, cost, FIRST_DAY, LAST_DAY


def at_most(hops):
    return replace(Policy(), route=Route(max_hops=hops))


DAYS = range(20_000, 20_004)


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 6))
    node = st.integers(0, n - 1)
    first = st.one_of(st.just(FIRST_DAY), st.integers(19_999, 20_004))
    last = st.one_of(st.just(LAST_DAY), st.integers(19_999, 20_004))
    edge = st.tuples(node, node, st.integers(0, 5), first, last)
    return n, draw(st.lists(edge, max_size=8)), draw(st.integers(0, 4))


@pytest.mark.kernels
@settings(max_examples=150, deadline=None)
@given(graphs())
@example((1, [], 0))
@example((2, [always(0, 1, 0)], 1))
@example((3, [always(0, 1, 1), always(1, 2, 1), always(0, 2, 2)], 2))  # equal cost: fewer hops
def test_paths_are_those_that_trying_every_walk_finds(graph):
    n, rows, max_hops = graph
    paths = reach_paths(
        make_nodes(n), make_edges(rows), at_most(max_hops), np.arange(n, dtype=np.int32), DAYS
    )
    for day in DAYS:
        epoch = int(paths.epoch_of_day([day])[0])
        for source in range(n):
            best = best_walks(rows, source, max_hops, day)
            for node in range(n):
                cost, hops, walk = best.get(node, (-1, -1, ()))
                assert paths.cost[epoch, source, node] == cost
                assert len(paths.route(source, node, epoch)) - 1 == hops
                assert paths.route(source, node, epoch) == walk
                along = paths.route_edges(source, node, epoch)
                assert sum(rows[e][2] for e in along) == max(cost, 0)
                for (u, v), e in zip(pairwise(walk), along, strict=True):
                    assert {rows[e][0], rows[e][1]} == {u, v} and rows[e][3] <= day <= rows[e][4]


def test_without_a_binding_limit_costs_are_those_of_networkx():
    rng = np.random.default_rng(3)
    rows = [always(int(a), int(b), int(c)) for a, b, c in rng.integers(0, 40, (90, 3))]
    paths = reach_paths(make_nodes(40), make_edges(rows), at_most(20), np.arange(40, dtype=np.int32), [1])
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(40))
    graph.add_weighted_edges_from((a, b, c) for a, b, c, _, _ in rows)
    expected = dict(nx.all_pairs_dijkstra_path_length(graph))
    got = [{v: c for v, c in enumerate(row) if c >= 0} for row in paths.cost[0].tolist()]
    assert got == [expected[v] for v in range(40)]


def test_the_limit_of_hops_prefers_a_dear_short_way():
    rows = [always(0, 1, 1), always(1, 2, 1), always(2, 3, 1), always(0, 3, 50)]
    source = np.array([0], dtype=np.int32)
    assert reach_paths(make_nodes(4), make_edges(rows), at_most(3), source, [1]).cost[0, 0, 3] == 3
    limited = reach_paths(make_nodes(4), make_edges(rows), at_most(2), source, [1])
    assert limited.cost[0, 0, 3] == 50
    assert limited.route(0, 3, 0) == (0, 3)


def test_days_with_the_same_edges_share_an_epoch():
    rows = [always(0, 1, 4), (0, 1, 1, 11, 12), (0, 1, 1, 15, 15)]
    paths = reach_paths(
        make_nodes(2), make_edges(rows), Policy(), np.array([0], dtype=np.int32), range(10, 17)
    )
    epoch = paths.epoch_of_day(range(10, 17)).tolist()
    assert epoch[0] == epoch[3] == epoch[4] == epoch[6] and epoch[1] == epoch[2]
    assert len(paths.cost) == len(set(epoch)) == 3
    assert [int(paths.cost[e, 0, 1]) for e in paths.epoch_of_day(range(10, 17))] == [4, 1, 1, 4, 4, 1, 4]


def test_no_days_make_one_epoch_with_every_edge():
    paths = reach_paths(
        make_nodes(2), make_edges([(0, 1, 7, 5, 5)]), Policy(), np.array([0], dtype=np.int32), []
    )
    assert paths.cost.tolist() == [[[0, 7]]]
    assert paths.epoch_of_day([]).shape == (0,)
    with pytest.raises(InvalidInput, match="for no day at all"):
        paths.epoch_of_day([5])


def test_a_day_outside_the_horizon_is_named():
    paths = reach_paths(make_nodes(1), make_edges([]), Policy(), np.array([0], dtype=np.int32), [3, 4])
    with pytest.raises(InvalidInput, match="day 5 is not among the 2 days"):
        paths.epoch_of_day([3, 5])


def test_nodes_beyond_those_of_the_tables_are_passed_and_named():
    edges = make_edges([always(0, 2, 1), always(2, 1, 1)], extra=["NEW"])
    paths = reach_paths(make_nodes(2), edges, Policy(), np.array([0], dtype=np.int32), [1])
    assert [paths.node_id[v] for v in paths.route(0, 1, 0)] == ["N0", "NEW", "N1"]


def test_the_dearest_hops_of_the_schema_add_up_and_dearer_ones_are_refused():
    dearest = 10_000_000  # hundredths
    source = np.array([0], dtype=np.int32)
    rows = [always(i, i + 1, dearest) for i in range(20)]
    assert (
        reach_paths(make_nodes(21), make_edges(rows), at_most(20), source, [1]).cost[0, 0, 20] == 20 * dearest
    )
    rows = [always(i, i + 1, 6 * dearest) for i in range(20)]
    with pytest.raises(InvalidInput, match=r"20 hops of 600000\.0 minutes do not fit 32 bits"):
        reach_paths(make_nodes(21), make_edges(rows), at_most(20), source, [1])


@pytest.mark.parametrize(
    ("rows", "sources", "message"),
    [
        ([always(0, 5, 1)], [0], "head holds a position outside the 2 nodes"),
        ([always(0, 1, 1)], [-1], "sources holds a position outside the 2 nodes"),
        ([always(0, 1, 1), always(0, 1, -2)], [0], "edge 1 has a negative cost"),
    ],
)
def test_wrong_arrays_are_named(rows, sources, message):
    with pytest.raises(InvalidInput, match=message):
        reach_paths(make_nodes(2), make_edges(rows), Policy(), np.array(sources, dtype=np.int32), [1])


def test_routes_asked_across_sources_and_epochs_are_each_their_own():
    rows = [always(0, 1, 4), always(1, 2, 1), (0, 2, 1, 11, 12)]
    paths = reach_paths(
        make_nodes(3), make_edges(rows), Policy(), np.array([0, 1], dtype=np.int32), range(10, 14)
    )
    before, during = paths.epoch_of_day([10, 11]).tolist()
    asked = [(0, 2, before), (1, 0, before), (0, 2, during), (1, 0, during), (0, 2, before)]
    found = [(0, 1, 2), (1, 0), (0, 2), (1, 2, 0), (0, 1, 2)]
    assert [paths.route(*ask) for ask in asked] == found


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="millions of steps")
def test_twenty_epochs_take_the_room_of_their_costs():
    rng = np.random.default_rng(1)
    n, communities, epochs = 2_000, 100, 20
    rows = [always(int(a), int(b), 100) for a, b in rng.integers(0, n, (5_000, 2))]
    rows += [(0, day + 1, 50, day, day) for day in range(epochs)]
    nodes, edges = make_nodes(n), make_edges(rows)
    tracemalloc.start()
    paths = reach_paths(nodes, edges, Policy(), np.arange(communities, dtype=np.int32), range(epochs))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert paths.cost.shape == (epochs, communities, n)
    assert peak < 2 * paths.cost.nbytes, "five times the costs, were the rounds kept"


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="the speed of compiled code")
def test_a_county_is_reached_within_a_second():
    rng = np.random.default_rng(0)
    n, m, communities = 5_000, 12_000, 236
    rows = [
        always(int(a), int(b), int(c) * 50)
        for a, b, c in np.c_[rng.integers(0, n, (m, 2)), rng.integers(1, 20, m)]
    ]
    nodes, edges = make_nodes(n), make_edges(rows)
    reach_paths(nodes, edges, at_most(1), np.zeros(1, dtype=np.int32), [1])  # compile
    started = perf_counter()
    paths = reach_paths(nodes, edges, Policy(), np.arange(communities, dtype=np.int32), [1])
    seconds = perf_counter() - started
    assert paths.cost.shape == (1, communities, n)
    assert seconds < 1, "loose, for machines under load; 0.06 s were measured"
