import datetime as dt
import importlib
from dataclasses import replace
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from govmatch.errors import InvalidInput, UnknownId
from govmatch.model.encoded import Nodes
from govmatch.model.policy import Policy, Route
from govmatch.reach.alliance import Alliance, edges_for
from govmatch.reach.edges import edge_arrays
from govmatch.reach.paths import reach_paths


def tables():
    """Two communities with a party unit each under one committee; two organisations; two agreements."""
    return {
        "communities": pd.DataFrame({"community_id": ["C1", "C2"], "name": ["西山社区", "桐溪社区"]}),
        "party_units": pd.DataFrame(
            {
                "unit_id": ["U0", "U1", "U2"],
                "name": ["联合党委", "西山支部", "桐溪支部"],
                "parent_id": [None, "U0", "U0"],
                "community_id": [None, "C1", "C2"],
            }
        ),
        "organizations": pd.DataFrame(
            {
                "organization_id": ["O1", "O2"],
                "name": ["蓝天救援队", "爱心课堂"],
                "community_id": ["C2", None],
                "party_unit_id": [None, "U2"],
            }
        ),
        "agreements": pd.DataFrame(
            {
                "agreement_id": ["A1", "A2"],
                "from_id": ["C1", "O2"],
                "to_id": ["C2", "C1"],
                "kind": ["federation", "membership"],
                "hop_minutes": [None, 3.5],
                "valid_from": [None, "2026-07-02"],
                "valid_to": [None, "2026-07-04"],
            }
        ),
    }


AUTUMN = dt.date(2026, 10, 1)  # the membership A2 has ended


def ruled(**route):
    return replace(Policy(), route=Route(**route))


def test_the_graph_holds_nodes_tiers_and_agreements():
    graph = Alliance.from_tables(tables()).graph
    assert isinstance(graph, nx.MultiGraph)
    assert list(graph) == ["C1", "C2", "U0", "U1", "U2", "O1", "O2"]
    assert graph.nodes["U1"] == {"kind": "party_unit", "name": "西山支部"}
    assert {d["kind"] for _, d in graph.nodes(data=True)} == {"community", "party_unit", "organization"}
    tiers = {k for _, _, k, d in graph.edges(keys=True, data=True) if d["kind"] == "tier"}
    assert tiers == {f"tier:{pair}" for pair in ("U1:U0", "U2:U0", "U1:C1", "U2:C2", "O1:C2", "O2:U2")}
    agreement = graph.edges["O2", "C1", "A2"]
    assert agreement == {
        "kind": "membership",
        "hop_minutes": 3.5,
        "valid_from": dt.date(2026, 7, 2),
        "valid_to": dt.date(2026, 7, 4),
    }


def test_edges_are_those_of_the_graph_as_it_is_now():
    alliance = Alliance.from_tables(tables())
    edges = alliance.edges().set_index("agreement_id")
    assert list(edges.columns) == ["from_id", "to_id", "kind", "hop_minutes", "valid_from", "valid_to"]
    assert len(edges) == 8 and edges.index.isna().sum() == 6
    assert edges.loc["A2", "hop_minutes"] == 3.5 and np.isnan(edges.loc["A1", "hop_minutes"])
    assert edges.loc["A2", "valid_to"] == pd.Timestamp("2026-07-04") and pd.isna(edges.loc["A1", "valid_to"])
    assert edges["valid_from"].dtype == "datetime64[us]" and edges["hop_minutes"].dtype == "float64"
    alliance.graph.remove_edge("C1", "C2", "A1")
    alliance.graph.add_edge("C1", "O1", kind="joint_building")
    now = alliance.edges()
    assert now["agreement_id"].dropna().tolist() == ["A2"]
    assert now.loc[now["kind"] == "joint_building", ["from_id", "to_id"]].values.tolist() == [["C1", "O1"]]


def test_no_edges_are_an_empty_frame_of_the_same_dtypes():
    edges = Alliance.from_tables({"communities": tables()["communities"]}).edges()
    assert len(edges) == 0
    assert edges.dtypes.equals(Alliance.from_tables(tables()).edges().dtypes)


def test_a_route_names_every_hand_over():
    route = Alliance.from_tables(tables()).route("C1", "O1", AUTUMN)
    # By the tiers C1 > U1 > U0 > U2 > C2 > O1 five hops, more than four; by federation two, 10 + 2 minutes.
    assert route.nodes == ("C1", "C2", "O1") and str(route) == "C1 > C2 > O1"
    assert route.names == ("西山社区", "桐溪社区", "蓝天救援队")
    assert route.kinds == ("federation", "tier")
    assert (route.hop_minutes, route.cost_minutes, route.hops) == ((10.0, 2.0), 12.0, 2)


def test_the_limit_of_hops_decides_between_cheap_and_short():
    def route(max_hops):
        return Alliance.from_tables(tables(), ruled(max_hops=max_hops)).route("C1", "O1", AUTUMN)

    assert (route(5).cost_minutes, route(5).hops) == (10.0, 5)
    assert (route(4).cost_minutes, route(4).hops) == (12.0, 2)
    assert route(1) is None


def test_a_kind_without_a_price_is_closed_even_to_an_edge_with_its_own():
    alliance = Alliance.from_tables(tables(), ruled(hop_minutes={"tier": 2.0}))
    assert alliance.route("C1", "O1") is None
    assert alliance.route("C1", "O2").nodes == ("C1", "U1", "U0", "U2", "O2")


def test_an_edge_counts_on_its_valid_days_only_both_ends_included():
    alliance = Alliance.from_tables(tables())

    def cost(day):
        return alliance.route("C1", "O2", dt.date(2026, 7, day)).cost_minutes

    assert [cost(day) for day in (1, 2, 4, 5)] == [8.0, 3.5, 3.5, 8.0]


def test_without_a_day_a_route_is_that_of_today_where_the_policy_is(monkeypatch):
    alliance = Alliance.from_tables(tables())
    alliance.graph.edges["O2", "C1", "A2"]["valid_to"] = dt.date(2020, 1, 1)
    alliance.graph.edges["O2", "C1", "A2"]["valid_from"] = None
    assert alliance.route("C1", "O2").cost_minutes == 8.0, "the membership ended years ago"

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return dt.datetime(2020, 1, 1, 20, tzinfo=dt.UTC).astimezone(tz)

    monkeypatch.setattr("govmatch.reach.alliance.dt.datetime", Clock)
    assert alliance.route("C1", "O2").cost_minutes == 8.0, "already the second of January in Shanghai"
    alliance.policy = replace(Policy(), time_zone="Europe/London")
    assert alliance.route("C1", "O2").cost_minutes == 3.5


def test_a_route_follows_the_policy_of_the_alliance_and_edges_that_of_the_problem():
    alliance = Alliance.from_tables(tables(), ruled(hop_minutes={"federation": 1.0}))
    assert alliance.route("C1", "C2").cost_minutes == 1.0
    dear = edges_for(problem(alliance, policy=ruled(hop_minutes={"federation": 7.0})))
    assert dear.cost.tolist() == [700]


def test_a_node_reaches_itself_for_nothing():
    route = Alliance.from_tables(tables(), ruled(max_hops=0)).route("C1", "C1")
    assert (route.nodes, route.kinds, route.cost_minutes, route.hops) == (("C1",), (), 0.0, 0)


def test_ties_go_to_fewer_hops_then_to_the_node_that_stands_first():
    graph = nx.MultiGraph()
    for node in "ABCDE":
        graph.add_node(node, kind="community", name=node)
    for a, b, minutes in (
        ("A", "D", 1),
        ("D", "E", 1),
        ("A", "C", 1),
        ("C", "E", 1),
        ("A", "B", 0),
        ("B", "E", 2),
    ):
        graph.add_edge(a, b, kind="tier", hop_minutes=minutes)
    assert Alliance(graph).route("A", "E").nodes == ("A", "B", "E")
    graph.add_edge("A", "E", kind="federation", hop_minutes=2)
    assert Alliance(graph).route("A", "E").nodes == ("A", "E")


def test_hops_are_rounded_to_hundredths_halves_upwards():
    graph = nx.MultiGraph()
    graph.add_nodes_from("ABC", kind="community", name="")
    graph.add_edge("A", "B", kind="tier", hop_minutes=0.125)
    graph.add_edge("B", "C", kind="tier", hop_minutes=0.004)
    route = Alliance(graph).route("A", "C")
    assert route.hop_minutes == (0.13, 0.0) and route.cost_minutes == 0.13


def test_editing_the_graph_changes_routes():
    alliance = Alliance.from_tables(tables())
    alliance.graph.add_node("NEW", kind="party_unit", name="新支部")
    alliance.graph.add_edge("C1", "NEW", kind="tier", hop_minutes=0.5)
    alliance.graph.add_edge("NEW", "O1", kind="tier", hop_minutes=np.float64(0.5))
    assert alliance.route("C1", "O1", AUTUMN).nodes == ("C1", "NEW", "O1")
    alliance.graph.remove_node("NEW")
    assert alliance.route("C1", "O1", AUTUMN).nodes == ("C1", "C2", "O1")


@pytest.mark.parametrize(
    ("node", "attributes", "message"),
    [
        ("O1", {}, r"edge 'C1' – 'O1' \(key 'new'\) has no kind; expected one of tier, joint_building"),
        ("O1", {"kind": "friend"}, r"edge 'C1' – 'O1' \(key 'new'\) has the kind 'friend'"),
        ("O1", {"kind": "tier", "hop_minutes": -1}, "has hop_minutes -1; expected None .* or 0 to 100,000"),
        ("O1", {"kind": "tier", "hop_minutes": float("nan")}, "has hop_minutes nan"),
        ("O1", {"kind": "tier", "hop_minutes": "5"}, "has hop_minutes '5'"),
        ("O1", {"kind": "tier", "hop_minutes": True}, "has hop_minutes True"),
        ("O1", {"kind": "tier", "hop_minutes": 10**400}, "has hop_minutes 1000.*…; expected None"),
        ("O1", {"kind": "tier", "hop_minutes": 10**5000}, "has hop_minutes int too long to be written"),
        ("O1", {"kind": "tier", "valid_from": "soon"}, "valid_from is 'soon'; expected a date such as"),
        ("O1", {"kind": "tier", "valid_to": 20260704}, "valid_to is 20260704; expected a date"),
        ("X9", {"kind": "tier"}, r"node 'X9' of edge 'C1' – 'X9' .* has no kind; expected one of community"),
    ],
)
def test_an_edit_that_cannot_be_read_is_named(node, attributes, message):
    alliance = Alliance.from_tables(tables())
    alliance.graph.add_edge("C1", node, key="new", **attributes)
    for ask in (alliance.edges, lambda: alliance.route("C1", "C2")):
        with pytest.raises(InvalidInput, match=message):
            ask()


def test_nodes_added_wrongly_are_named_when_used():
    alliance = Alliance.from_tables(tables())
    alliance.graph.add_node("X1")
    alliance.graph.add_node(5, kind="planet")
    assert alliance.route("C1", "C2") is not None
    with pytest.raises(InvalidInput, match="node 'X1' of the route has no kind"):
        alliance.route("X1", "C1")
    with pytest.raises(InvalidInput, match="node 5 of the route has the kind 'planet'"):
        alliance.route("C1", 5)
    alliance.graph.nodes[5]["kind"] = "community"
    with pytest.raises(InvalidInput, match="node 5 of the route is a int; ids are text"):
        alliance.route("C1", 5)


@pytest.mark.parametrize("day", ["2026-07-02", dt.datetime(2026, 7, 2, 9), np.datetime64("2026-07-02")])
def test_a_day_may_be_any_kind_of_date(day):
    alliance = Alliance.from_tables(tables())
    alliance.graph.edges["O2", "C1", "A2"]["valid_to"] = np.datetime64("NaT", "D")
    alliance.graph.edges["O2", "C1", "A2"]["valid_from"] = pd.NaT
    assert alliance.route("C1", "O2", day).cost_minutes == 3.5


def test_an_unknown_id_names_the_nearest():
    alliance = Alliance.from_tables(tables())
    with pytest.raises(UnknownId, match=r"no node 'O9' in the alliance; nearest ids: O[12], O[12]"):
        alliance.route("C1", "O9")
    with pytest.raises(UnknownId, match="no node '爱心课堂' in the alliance; nearest ids: O2"):
        alliance.route("爱心课堂", "C1")
    with pytest.raises(UnknownId, match="nearest ids: C1, C2, U0"):
        alliance.route("?????", "C1")
    with pytest.raises(UnknownId, match="nearest ids: none"):
        Alliance(nx.MultiGraph()).route("a", "b")


@pytest.mark.parametrize("graph", [nx.Graph(), nx.MultiDiGraph(), "graph"])
def test_another_kind_of_graph_is_refused(graph):
    with pytest.raises(InvalidInput, match=r"graph is a .*; expected an undirected networkx.MultiGraph"):
        Alliance(graph)


def with_cell(table, row, column, value):
    changed = tables()
    changed[table][column] = changed[table][column].astype(object)
    changed[table].loc[row, column] = value
    return changed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "tables has nothing; expected communities"),
        (None, "tables is a NoneType; expected a mapping of name to DataFrame"),
        (["communities"], "tables is a list; expected a mapping"),
        (
            {"communities": pd.DataFrame([["C1", "C2"]], columns=["community_id"] * 2)},
            r"tables\['communities'\] has the column 'community_id' twice; expected each column once",
        ),
        (
            with_cell("agreements", 1, "hop_minutes", 10**400),
            r"agreements\[1\].hop_minutes is 1000.*…; expected minutes",
        ),
        ({"communities": 5}, r"tables\['communities'\] is a int; expected a DataFrame"),
        (with_cell("communities", 1, "community_id", None), r"communities\[1\].community_id is missing"),
        (
            with_cell("communities", 1, "community_id", "C1"),
            r"communities\[1\].community_id: 'C1' is already",
        ),
        (with_cell("organizations", 0, "organization_id", "U1"), r"'U1' is already the id .* of party_units"),
        (
            with_cell("party_units", 2, "parent_id", "U9"),
            r"party_units\[2\].parent_id is 'U9', .* nearest: U",
        ),
        (with_cell("organizations", 0, "community_id", "U1"), r"not the id of a row of communities"),
        (with_cell("agreements", 0, "to_id", "Q"), r"agreements\[0\].to_id is 'Q', which is not the id of a"),
        (
            with_cell("agreements", 1, "agreement_id", "A1"),
            r"agreements\[1\].agreement_id: 'A1' is there twice",
        ),
        (with_cell("agreements", 1, "agreement_id", "tier:x"), r"agreements\[1\].agreement_id is 'tier:x'"),
        (
            with_cell("agreements", 1, "hop_minutes", "x"),
            r"agreements\[1\].hop_minutes is 'x'; expected minutes",
        ),
        (with_cell("agreements", 1, "valid_to", "x"), r"agreements\[1\].valid_to is 'x'; expected a date"),
    ],
)
def test_tables_that_cannot_be_read_are_named(given, message):
    with pytest.raises(InvalidInput, match=message):
        Alliance.from_tables(given)


def test_an_agreement_of_an_unknown_kind_is_named():
    with pytest.raises(InvalidInput, match=r"edge 'C1' – 'C2' \(key 'A1'\) has the kind 'pact'"):
        Alliance.from_tables(with_cell("agreements", 0, "kind", "pact")).edges()


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_polars_and_pyarrow_tables_give_the_same_edges(library):
    for needed in (library, "pyarrow"):  # polars takes columns of pandas over through pyarrow
        pytest.importorskip(needed, reason=f"{needed} is optional; it comes with govmatch[dev]")
    module = importlib.import_module(library)
    convert = module.from_pandas if library == "polars" else module.Table.from_pandas
    given = {name: convert(frame) for name, frame in tables().items()}
    pd.testing.assert_frame_equal(Alliance.from_tables(given).edges(), Alliance.from_tables(tables()).edges())


def test_a_pyarrow_table_with_a_column_twice_is_named():
    pa = pytest.importorskip("pyarrow", reason="pyarrow is optional; it comes with govmatch[dev]")
    twins = pa.Table.from_arrays([pa.array(["C1"]), pa.array(["C2"])], names=["community_id"] * 2)
    with pytest.raises(InvalidInput, match="has the column 'community_id' twice"):
        Alliance.from_tables({"communities": twins})


def test_it_shows_what_it_holds():
    alliance = Alliance.from_tables(tables())
    assert "2 communities" in repr(alliance) and "8 edges" in repr(alliance)
    assert "<li>3 party units 党组织</li>" in alliance._repr_html_()
    assert "联盟" in alliance._repr_html_()


def nodes_of(alliance):
    ids = np.array(list(alliance.graph), dtype=object)
    return Nodes(ids, ids, n_communities=2, n_units=3)


def problem(alliance=None, policy=None):
    return SimpleNamespace(
        tables=tables(),
        nodes=nodes_of(Alliance.from_tables(tables())),
        policy=policy or Policy(),
        alliance=alliance,
    )


def test_a_problem_without_an_alliance_takes_that_of_its_tables():
    edges = edges_for(problem())
    assert len(edges.tail) == 8 and len(edges.extra_id) == 0
    assert sorted(edges.cost.tolist()) == [200] * 6 + [350, 1000]
    day = (dt.date(2026, 7, 2) - dt.date(1970, 1, 1)).days
    assert edges.first_day.max() == day and edges.last_day.min() == day + 2


def test_the_edges_of_tables_are_those_of_the_graph_made_of_them():
    direct, through = edges_for(problem()), edges_for(problem(Alliance.from_tables(tables())))

    def rows(edges):
        ends = np.sort([edges.tail, edges.head], axis=0)
        return sorted(zip(*ends, edges.kind, edges.cost, edges.first_day, edges.last_day, strict=True))

    assert rows(direct) == rows(through)


def test_a_problem_prices_its_alliance_by_its_own_policy():
    edges = edges_for(problem(policy=ruled(hop_minutes={"federation": 1.0})))
    assert edges.cost.tolist() == [100]


def test_paths_of_a_problem_are_the_routes_of_its_alliance():
    alliance = Alliance.from_tables(tables())
    alliance.graph.add_node("NEW", kind="organization", name="新")
    alliance.graph.add_edge("C1", "NEW", kind="tier", hop_minutes=0.5)
    alliance.graph.add_edge("NEW", "U2", kind="tier", hop_minutes=0.25)
    given = problem(alliance)
    first = (dt.date(2026, 7, 1) - dt.date(1970, 1, 1)).days
    days = range(first, first + 6)
    paths = reach_paths(given.nodes, edges_for(given), given.policy, np.arange(2, dtype=np.int32), days)
    for day in days:
        epoch = int(paths.epoch_of_day([day])[0])
        for source, a in enumerate(("C1", "C2")):
            for node, b in enumerate(given.nodes.node_id):
                route = alliance.route(a, b, dt.date(1970, 1, 1) + dt.timedelta(days=day))
                assert route.nodes == tuple(paths.node_id[v] for v in paths.route(source, node, epoch))
                assert round(route.cost_minutes * 100) == paths.cost[epoch, source, node]


def test_frames_of_edges_that_cannot_be_read_are_named():
    alliance = Alliance.from_tables(tables())
    edges, nodes = alliance.edges(), nodes_of(alliance)
    with pytest.raises(InvalidInput, match="the edges lack the columns kind"):
        edge_arrays(edges.drop(columns="kind"), nodes, Policy())
    with pytest.raises(InvalidInput, match=r"edges\[0\].kind is 'pact'; expected one of tier"):
        edge_arrays(edges.assign(kind="pact"), nodes, Policy())
    with pytest.raises(InvalidInput, match=r"edges\[0\] costs -1.0 minutes a hop; expected 0 to 100,000"):
        edge_arrays(edges.assign(hop_minutes=-1.0), nodes, Policy())


def test_columns_that_may_be_absent_may_be_absent():
    given = {
        "communities": pd.DataFrame({"community_id": ["C1"]}),
        "organizations": pd.DataFrame({"organization_id": ["O1"], "community_id": ["C1"]}),
    }
    assert Alliance.from_tables(given).route("C1", "O1").names == ("", "")
    with pytest.raises(InvalidInput, match=r"communities\[0\].community_id is missing"):
        Alliance.from_tables({"communities": pd.DataFrame({"name": ["西山社区"]})})
