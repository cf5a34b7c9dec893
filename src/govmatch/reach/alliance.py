"""The alliance as a graph that people may look at and change, and its routes."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import networkx as nx
import numpy as np
import pandas as pd

from govmatch.errors import InvalidInput, UnknownId
from govmatch.model.encoded import Nodes
from govmatch.model.policy import Policy
from govmatch.model.real import as_real
from govmatch.model.schema import EDGE_KINDS
from govmatch.model.suggest import shown
from govmatch.reach.alliance_tables import NODE_KINDS, as_date, edge_rows, node_rows
from govmatch.reach.edges import DEAREST_HOP, edge_arrays, edge_frame
from govmatch.reach.paths import EdgeArrays, reach_paths

_KINDS = tuple(NODE_KINDS.values())


@dataclass(frozen=True)
class Route:
    """A way through the alliance, from the unit that was asked to the one that serves.

    Attributes
    ----------
    nodes : tuple of str
        Ids, both ends included.
    names : tuple of str
        Names of the nodes.
    kinds : tuple of str
        Kind of the edge at each hop, one fewer than nodes.
    hop_minutes : tuple of float
        What each hop costs, in equivalent minutes, rounded to hundredths.
    cost_minutes : float
        Their sum.
    """

    nodes: tuple[str, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    hop_minutes: tuple[float, ...]
    cost_minutes: float

    @property
    def hops(self) -> int:
        """Number of hops."""
        return len(self.kinds)

    def __str__(self) -> str:
        return " > ".join(self.nodes)


class Alliance:
    """Communities, party units and organisations, and the edges over which a request may pass.

    Parameters
    ----------
    graph : networkx.MultiGraph
        Nodes have ``kind`` ("community", "party_unit" or "organization") and ``name``. Edges have
        ``kind`` (of `schema.EDGE_KINDS`) and may have ``hop_minutes`` (None: the policy's price of the
        kind), ``valid_from`` and ``valid_to`` (inclusive local days; None: open).
    policy : Policy, optional
        Prices of the kinds of edges, and the limit of hops.

    Attributes
    ----------
    graph : networkx.MultiGraph
        The graph itself: what is changed here changes routes, and the plans of problems that were
        given this alliance.
    policy : Policy
    """

    def __init__(self, graph: nx.MultiGraph[Any], policy: Policy | None = None) -> None:
        given: object = graph
        if not isinstance(given, nx.MultiGraph) or given.is_directed():
            found = type(graph).__name__
            raise InvalidInput(f"graph is a {found}; expected an undirected networkx.MultiGraph")
        self.graph = graph
        self.policy = policy if policy is not None else Policy()

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any], policy: Policy | None = None) -> Alliance:
        """Build the graph of communities, party_units, organizations and agreements.

        Tiers join an organisation with its community and its party unit, a unit with its parent and
        its community; every row of agreements is an edge of its kind. An edge's key is the
        agreement's id, or ``tier:a:b``.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            pandas, polars or pyarrow; at least ``communities``.
        policy : Policy, optional

        Raises
        ------
        InvalidInput
            No communities, a missing column, an id that is missing, duplicated or unknown, a value that
            is no date or number. The message names table, row and column.
        """
        nodes = node_rows(tables)
        graph: nx.MultiGraph[Any] = nx.MultiGraph()
        graph.add_nodes_from((n.node, {"kind": NODE_KINDS[n.table], "name": n.name}) for n in nodes.values())
        for edge in edge_rows(tables, nodes):
            graph.add_edge(
                edge.a,
                edge.b,
                key=edge.key,
                kind=edge.kind,
                hop_minutes=edge.hop_minutes,
                valid_from=edge.valid_from,
                valid_to=edge.valid_to,
            )
        return cls(graph, policy)

    def edges(self) -> pd.DataFrame:
        """Return the edges as the graph has them now.

        Returns
        -------
        pandas.DataFrame
            ``from_id``, ``to_id``, ``kind`` (object), ``hop_minutes`` (float64, NaN: the policy's price
            of the kind), ``valid_from``, ``valid_to`` (datetime64[us], NaT: open), ``agreement_id``
            (object, None for tiers and for edges that were added without a key).

        Raises
        ------
        InvalidInput
            An edge without a kind or of an unknown one, with a price that is negative or no number,
            with a date that is none; an end without a kind. The message names the edge or node.
        """
        return edge_frame(self._edge_rows())

    def route(self, a: str, b: str, day: dt.date | None = None) -> Route | None:
        """Return the cheapest permitted path from `a` to `b` on a day, or None where there is none.

        At most ``policy.route.max_hops`` hops, over kinds of edges that the policy prices. Of equally
        cheap paths the one with the fewest hops, then the one whose hand-overs stand first in the graph.
        The policy is the alliance's own; plans follow that of their problem.

        Parameters
        ----------
        a, b : str
            Ids of nodes.
        day : datetime.date, optional
            Edges count that are valid on this local day; None: today, in the policy's time zone.

        Raises
        ------
        UnknownId
            No such node. The message names the nearest ids.
        InvalidInput
            A day that is none, or a node or edge that cannot be read.
        """
        for node in (a, b):
            if node not in self.graph:
                raise UnknownId(self._nearest(node))
            self._check_node(node, "the route")
        names = np.array([str(self.graph.nodes[v].get("name", "")) for v in self.graph], dtype=object)
        node_id = np.fromiter(self.graph, dtype=object, count=len(self.graph))
        nodes = Nodes(node_id, names, n_communities=0, n_units=0)
        position = {v: i for i, v in enumerate(self.graph)}
        edges = edge_arrays(self.edges(), nodes, self.policy)
        on = as_date(day, "day") or _today(self.policy.time_zone)
        source = np.array([position[a]], dtype=np.int32)
        paths = reach_paths(nodes, edges, self.policy, source, [(on - dt.date(1970, 1, 1)).days])
        at = paths.route(0, position[b], 0)
        if not at:
            return None
        rows = list(paths.route_edges(0, position[b], 0))
        return Route(
            nodes=tuple(str(nodes.node_id[v]) for v in at),
            names=tuple(str(names[v]) for v in at),
            kinds=tuple(EDGE_KINDS[k] for k in edges.kind[rows]),
            hop_minutes=tuple(float(c) / 100 for c in edges.cost[rows]),
            cost_minutes=int(edges.cost[rows].sum()) / 100,
        )

    def __repr__(self) -> str:
        return f"<Alliance: {', '.join(self._counts())}>"

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{text}</li>" for text in self._counts())
        return f"<b>Alliance 联盟</b><ul>{items}</ul>"

    def _counts(self) -> list[str]:
        kinds = [data.get("kind") for _, data in self.graph.nodes(data=True)]
        edges = [data.get("kind") for _, _, data in self.graph.edges(data=True)]
        nouns = {
            "community": "communities 社区",
            "party_unit": "party units 党组织",
            "organization": "organizations 组织",
        }
        of_kind = ", ".join(f"{edges.count(k)} {k}" for k in EDGE_KINDS if k in edges)
        return [
            *(f"{kinds.count(kind)} {noun}" for kind, noun in nouns.items()),
            f"{len(edges)} edges 联系" + (f" ({of_kind})" if of_kind else ""),
        ]

    def _nearest(self, node: object) -> str:
        ids = [str(v) for v in self.graph]
        named = [str(v) for v, data in self.graph.nodes(data=True) if str(data.get("name")) == str(node)]
        near = named[:3] or difflib.get_close_matches(str(node)[:200], ids, n=3, cutoff=0.3) or ids[:3]
        return f"no node {str(node)[:200]!r} in the alliance; nearest ids: {', '.join(near) or 'none'}"

    def _edge_rows(self) -> Iterator[tuple[Any, ...]]:
        checked: set[Hashable] = set()
        for a, b, key, data in self.graph.edges(keys=True, data=True):
            edge = f"edge {a!r} – {b!r} (key {key!r})"
            for node in (a, b):
                if node not in checked:
                    self._check_node(node, edge)
                    checked.add(node)
            kind = data.get("kind")
            if kind not in EDGE_KINDS:
                found = "no kind" if kind is None else f"the kind {kind!r}"
                raise InvalidInput(f"{edge} has {found}; expected one of {', '.join(EDGE_KINDS)}")
            minutes = data.get("hop_minutes")
            if minutes is not None and not 0 <= as_real(minutes) <= DEAREST_HOP:
                raise InvalidInput(
                    f"{edge} has hop_minutes {shown(minutes)}; "
                    f"expected None (the policy's price of its kind) or 0 to {DEAREST_HOP:,.0f} minutes"
                )
            first = as_date(data.get("valid_from"), f"{edge}: valid_from")
            last = as_date(data.get("valid_to"), f"{edge}: valid_to")
            agreement = key if isinstance(key, str) and not key.startswith("tier:") else None
            yield a, b, kind, minutes, first, last, agreement

    def _check_node(self, node: Hashable, edge: str) -> None:
        kind = self.graph.nodes[node].get("kind")
        if kind not in _KINDS:
            found = "no kind" if kind is None else f"the kind {kind!r}"
            raise InvalidInput(f"node {node!r} of {edge} has {found}; expected one of {', '.join(_KINDS)}")
        if not isinstance(node, str):
            raise InvalidInput(f"node {node!r} of {edge} is a {type(node).__name__}; ids are text")


class ProblemLike(Protocol):
    """What `edges_for` reads of a problem."""

    @property
    def tables(self) -> Mapping[str, Any]:
        """Tables by the names of the schema."""

    @property
    def nodes(self) -> Nodes:
        """Nodes of those tables."""

    @property
    def policy(self) -> Policy:
        """Prices and limits that hold for the problem."""

    @property
    def alliance(self) -> Any:
        """An `Alliance`, or None: that of the tables."""


def edges_for(problem: ProblemLike) -> EdgeArrays:
    """Return the edges of a problem's alliance (or of its tables) by the problem's own policy."""
    if problem.alliance is None:  # without a detour through a graph that nobody can change
        rows = edge_rows(problem.tables, node_rows(problem.tables))
        edges = edge_frame((e.a, e.b, e.kind, e.hop_minutes, e.valid_from, e.valid_to, e.key) for e in rows)
    else:
        edges = problem.alliance.edges()
    return edge_arrays(edges, problem.nodes, problem.policy, _quotas(problem.tables))


def _quotas(tables: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """Return the weekly quotas of agreements that have one, by id."""
    if "agreements" not in tables or "quota_per_week" not in tables["agreements"]:
        return {}
    rows = tables["agreements"][["agreement_id", "quota_per_week"]].dropna()
    return dict(zip(rows["agreement_id"], rows["quota_per_week"].astype("int64"), strict=True))


def _today(time_zone: str) -> dt.date:
    return dt.datetime.now(ZoneInfo(time_zone)).date()
