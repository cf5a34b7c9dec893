import os
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govmatch.errors import InvalidInput
from govmatch.reach import road
from govmatch.reach.road import RoadGraph

NODES = pd.DataFrame({"node_id": ["a", "b", "c", "d"], "lon": [0.0, 0.01, 0.02, 0.03], "lat": [0.0] * 4})
ARCS = pd.DataFrame({"tail": ["a", "b", "c"], "head": ["b", "c", "a"], "minutes": [1.0, 2.0, 4.0]})


def all_minutes(graph, frame=NODES):
    """Minutes between all nodes, asked for at their own coordinates."""
    n = len(frame)
    places = frame["lat"].to_numpy(), frame["lon"].to_numpy()
    pairs = graph.prepare(*places, np.zeros(n, dtype=np.int8), *places)
    o, d = (a.ravel().astype(np.int32) for a in np.indices((n, n)))
    return pairs.minutes(o, d).reshape(n, n)


def test_arcs_are_directed_and_what_no_way_reaches_is_infinite():
    inf = np.inf
    assert all_minutes(RoadGraph(NODES, ARCS)).tolist() == [
        [0, 1, 3, inf],
        [6, 0, 2, inf],
        [4, 5, 0, inf],
        [inf, inf, inf, 0],
    ]


def test_ways_longer_than_max_minutes_count_as_none():
    assert all_minutes(RoadGraph(NODES, ARCS, max_minutes=4))[:3, :3].tolist() == [
        [0, 1, 3],
        [np.inf, 0, 2],
        [4, np.inf, 0],
    ]


def test_the_fastest_of_parallel_arcs_counts_and_a_loop_counts_for_nothing():
    arcs = pd.DataFrame({"tail": list("aaab"), "head": list("bbba"), "minutes": [3.0, 1.0, 2.0, 9.0]})
    loops = pd.DataFrame({"tail": ["a"], "head": ["a"], "minutes": [0.5]})
    assert all_minutes(RoadGraph(NODES, pd.concat([arcs, loops])))[0, :2].tolist() == [0, 1]


def test_an_arc_of_no_minutes_is_an_arc():
    arcs = pd.DataFrame({"tail": ["a", "b", "b"], "head": ["b", "c", "c"], "minutes": [0.0, 5.0, 0.0]})
    assert all_minutes(RoadGraph(NODES, arcs))[0].tolist() == [0, 0, 0, np.inf]


def test_a_graph_without_arcs():
    minutes = all_minutes(RoadGraph(NODES, ARCS.iloc[:0]))
    assert minutes.tolist() == np.where(np.eye(4), 0, np.inf).tolist()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_minutes_are_those_of_networkx(data):
    n = data.draw(st.integers(1, 7))
    ends = st.integers(0, n - 1)
    arc = st.tuples(ends, ends, st.sampled_from([0.0, 0.25, 1.0, 3.5, 20.0]))
    rows = data.draw(st.lists(arc, max_size=14))
    frame = pd.DataFrame({"node_id": range(n), "lon": [0.01 * i for i in range(n)], "lat": 0.0})
    arcs = pd.DataFrame(rows, columns=["tail", "head", "minutes"])
    oracle = nx.MultiDiGraph()
    oracle.add_nodes_from(range(n))
    oracle.add_weighted_edges_from(rows)
    expected = np.full((n, n), np.inf)
    for tail, reached in nx.all_pairs_dijkstra_path_length(oracle, cutoff=25.0):
        for head, minutes in reached.items():
            expected[tail, head] = minutes
    assert all_minutes(RoadGraph(frame, arcs, max_minutes=25.0), frame).tolist() == expected.tolist()


def test_unknown_places_give_nan_and_others_snap_to_the_nearest_node():
    graph = RoadGraph(NODES, ARCS)
    pairs = graph.prepare([0.001, np.nan], [0.001, 0.0], [0, 0], [0.0, 0.0], [0.012, np.nan])
    minutes = pairs.minutes(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    assert minutes[0] == 1 and np.isnan(minutes[1:]).all()
    assert graph.snap([0.001, np.nan], [0.019, 0.0]).tolist() == [2, -1]


def test_snap_metres_is_the_great_circle_distance():
    metres = RoadGraph(NODES, ARCS).snap_metres([0.0, 0.01, np.nan], [0.0, 0.01, 0.0])
    assert metres[0] == 0 and np.isnan(metres[2])
    assert metres[1] == pytest.approx(6371008.8 * np.radians(0.01))


def test_blocks_and_the_bounded_cache_change_no_answer(monkeypatch):
    monkeypatch.setattr(road, "BLOCK_NODES", 1)
    monkeypatch.setattr(road, "CACHE_BYTES", 1)
    places = NODES["lat"].to_numpy(), NODES["lon"].to_numpy()
    pairs = RoadGraph(NODES, ARCS).prepare(*places, np.zeros(4, dtype=np.int8), *places)
    o, d = (a.ravel().astype(np.int32) for a in np.indices((4, 4)))
    first = pairs.minutes(o, d)
    assert len(pairs._rows) == 1
    assert pairs.minutes(o[::-1], d[::-1])[::-1].tolist() == first.tolist()


def test_other_columns_other_frames_and_other_ids():
    pl = pytest.importorskip("polars", reason="polars is optional; it comes with govmatch[dev]")
    nodes = pl.DataFrame({"node_id": [7, 9], "lon": [0.0, 0.01], "lat": [0.0, 0.0]})
    arcs = pl.DataFrame({"tail": [7], "head": [9], "normal": [1.5], "blue": [1.0]})
    places = pd.DataFrame(nodes.to_dict(as_series=False))
    assert all_minutes(RoadGraph(nodes, arcs, minutes="normal"), places)[0, 1] == 1.5
    graph = RoadGraph(nodes, arcs, minutes="blue")
    assert graph.arcs.to_dict("list") == {"tail": [7], "head": [9], "minutes": [1.0]}
    assert graph.nodes.to_dict("list") == {"node_id": [7, 9], "lon": [0.0, 0.01], "lat": [0.0, 0.0]}
    assert repr(graph) == "<RoadGraph: 2 nodes, 1 arcs, up to 60 minutes>"


def test_the_fingerprint_changes_with_what_changes_minutes():
    base = RoadGraph(NODES, ARCS).fingerprint
    assert RoadGraph(NODES, ARCS.iloc[::-1]).fingerprint == base
    assert RoadGraph(NODES, ARCS, max_minutes=30).fingerprint != base
    assert RoadGraph(NODES, ARCS.assign(minutes=1.0)).fingerprint != base
    assert RoadGraph(NODES.assign(lat=1.0), ARCS).fingerprint != base


@pytest.mark.parametrize(
    ("nodes", "arcs", "message"),
    [
        (NODES.drop(columns="lon"), ARCS, "nodes lacks the column 'lon'; it has node_id, lat"),
        (NODES, ARCS.drop(columns="minutes"), "arcs lacks the column 'minutes'"),
        ([1, 2], ARCS, "nodes is a list; expected a DataFrame"),
        (NODES.iloc[:0], ARCS.iloc[:0], "nodes is empty"),
        (NODES.assign(node_id=list("abca")), ARCS, r"nodes\[3\].node_id is 'a'; expected an id that no row"),
        (NODES.assign(node_id=["a", None, "c", "d"]), ARCS, r"nodes\[1\].node_id is .*expected an id"),
        (NODES.assign(lat=[0, 91, 0, 0]), ARCS, r"nodes\[1\].lat is .*91.*; expected -90 to 90"),
        (NODES.assign(lon=[0, 0, np.inf, 0]), ARCS, r"nodes\[2\].lon is .*inf.*; expected -180 to 180"),
        (NODES.assign(lon=[0, 0, "x", 0]), ARCS, r"nodes\[2\].lon is 'x'; expected a number"),
        (NODES, ARCS.assign(tail=list("axc")), r"arcs\[1\].tail is 'x'; expected the id of a node"),
        (NODES, ARCS.assign(head=[1, 2, 3]), r"arcs\[0\].head is .*1.*; expected the id of a node"),
        (NODES, ARCS.assign(minutes=[1, -2, 1]), r"arcs\[1\].minutes is .*-2.*; expected 0 or more"),
        (NODES, ARCS.assign(minutes=[1, 2, np.nan]), r"arcs\[2\].minutes is .*nan.*; expected a number"),
        (NODES, ARCS.assign(minutes=[np.inf, 2, 3]), r"arcs\[0\].minutes is .*inf.*; expected 0 or more"),
    ],
)
def test_wrong_graphs_are_named(nodes, arcs, message):
    with pytest.raises(InvalidInput, match=message):
        RoadGraph(nodes, arcs)


def objects(*values):
    return pd.Series(values, dtype=object)


@pytest.mark.parametrize(
    ("nodes", "arcs", "message"),
    [
        (
            NODES,
            ARCS.assign(minutes=objects(1, 10**400, 2)),
            r"arcs\[1\].minutes is 10.*…; expected a number",
        ),
        (NODES, ARCS.assign(minutes=objects(1, None, 2)), r"arcs\[1\].minutes is .*; expected a number"),
        (NODES, ARCS.assign(minutes=objects("1.5", {}, 2)), r"arcs\[1\].minutes is \{\}; expected a number"),
        (NODES, ARCS.assign(minutes=[1, 2j, 3]), r"arcs\[0\].minutes is .*; expected a number"),
        (
            NODES.assign(lat=objects(0, 0, 0, 10**5000)),
            ARCS,
            r"nodes\[3\].lat is int too long to be written; expected a number",
        ),
        (
            NODES.assign(node_id=objects("a", ["b"], "c", "d")),
            ARCS,
            r"nodes\[1\].node_id is \['b'\]; expected an id: a text or a number",
        ),
        (
            NODES,
            ARCS.assign(tail=objects("a", "b", ["c"])),
            r"arcs\[2\].tail is \['c'\]; expected an id: a text or a number",
        ),
        (
            pd.concat([NODES, NODES[["lon"]]], axis=1),
            ARCS,
            "nodes has the column 'lon' twice; expected each column once",
        ),
        (NODES, pd.concat([ARCS, ARCS], axis=1), "arcs has the column 'tail' twice"),
    ],
)
def test_cells_and_columns_that_python_trips_over_are_named(nodes, arcs, message):
    with pytest.raises(InvalidInput, match=message):
        RoadGraph(nodes, arcs)


@pytest.mark.parametrize("column", [["minutes"], None, 3])
def test_the_column_of_minutes_is_named_by_a_text(column):
    with pytest.raises(InvalidInput, match=r"minutes is .*; expected the name of a column of arcs"):
        RoadGraph(NODES, ARCS, minutes=column)


def test_ends_may_be_read_as_minutes_too():
    arcs = pd.DataFrame({"tail": [1], "head": [2]})
    graph = RoadGraph(NODES.iloc[:2].assign(node_id=[1, 2]), arcs, minutes="tail")
    assert graph.arcs.to_dict("list") == {"tail": [1], "head": [2], "minutes": [1]}


@pytest.mark.parametrize("limit", [0, -1, np.nan, "60", None, True, 10**400])
def test_a_wrong_limit_is_named(limit):
    with pytest.raises(InvalidInput, match=r"max_minutes is .*; expected a positive number"):
        RoadGraph(NODES, ARCS, max_minutes=limit)


def test_wrong_pairs_are_named():
    pairs = RoadGraph(NODES, ARCS).prepare([0.0], [0.0], [0], [0.0], [0.0])
    with pytest.raises(InvalidInput, match=r"pair 1 is \(0, 1\); expected positions below 1 origins"):
        pairs.minutes(np.array([0, 0]), np.array([0, 1]))
    with pytest.raises(InvalidInput, match="1 origins and 2 destinations"):
        pairs.minutes(np.array([0]), np.array([0, 0]))


def test_manhattan_agrees_with_networkx():
    folder = (
        Path(os.environ.get("GOVMATCH_DATA", Path(__file__).parents[2] / "shared" / "data")) / "manhattan"
    )
    if not (folder / "road_arcs.csv.gz").exists():
        pytest.skip("Manhattan's road graph is absent; GOVMATCH_DATA names the folder that holds manhattan/")
    nodes, arcs = pd.read_csv(folder / "road_nodes.csv.gz"), pd.read_csv(folder / "road_arcs.csv.gz")
    graph = RoadGraph(nodes, arcs, minutes="minutes_normal")
    rng = np.random.default_rng(0)
    home, place = (nodes.iloc[rng.choice(len(nodes), k, replace=False)] for k in (400, 12))
    pairs = graph.prepare(home["lat"], home["lon"], np.zeros(400), place["lat"], place["lon"])
    o, d = (a.ravel() for a in np.indices((400, 12)))
    got = pairs.minutes(o.astype(np.int32), d.astype(np.int32))

    oracle = nx.DiGraph()
    for tail, head, minutes in arcs[["tail", "head", "minutes_normal"]].itertuples(index=False):
        if not oracle.has_edge(tail, head) or minutes < oracle[tail][head]["weight"]:
            oracle.add_edge(tail, head, weight=minutes)
    # Where two nodes lie at one place, either may be the nearest.
    snapped = nodes["node_id"].to_numpy()[graph.snap(home["lat"], home["lon"])]
    to = nodes["node_id"].to_numpy()[graph.snap(place["lat"], place["lon"])]
    times = [nx.single_source_dijkstra_path_length(oracle.reverse(copy=False), v) for v in to]
    expected = np.array([[by_node[u] for by_node in times] for u in snapped]).ravel()
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)
    assert got.mean() == pytest.approx(expected.mean(), rel=0, abs=1e-9)
    assert (graph.snap_metres(home["lat"], home["lon"]) < 0.5).all()
