"""The registry of peers. Each is a module with two or three names, and runs in a process of its own.

``build(day)``
    the peer's model, as a user would build it;
``solve(model)``
    the flow on each arc of the day's network, or the cost of the optimum itself;
``refuses(day)``, where there is something that the peer cannot take
    why not, or an empty text;
``warm()``, where something is compiled at first use
    the first use.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """One peer: what the table calls it, its module in this folder, whose version is told."""

    label: str
    module: str
    distribution: str


PEERS = {
    "govmatch": Peer("govmatch's flow tier, with duals", "govmatch_flow", "govmatch"),
    "ortools": Peer("OR-Tools SimpleMinCostFlow, arc by arc", "ortools_by_hand", "ortools"),
    "highspy": Peer("HiGHS through highspy", "highspy_lp", "highspy"),
    "scipy": Peer("SciPy linprog (HiGHS)", "scipy_linprog", "scipy"),
    "scipy-dense": Peer("SciPy linear_sum_assignment, dense", "scipy_dense", "scipy"),
    "pulp": Peer("PuLP with CBC", "pulp_cbc", "pulp"),
    "networkx": Peer("networkx network_simplex", "networkx_flow", "networkx"),
}
