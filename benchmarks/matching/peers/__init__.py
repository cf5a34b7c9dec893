"""The registry of peers. Each is a module with these names, and runs in a process of its own.

``build(instance)``
    the peer's model, by the calls and in the form that suit it best;
``solve(model)``
    what the peer answers;
``read(instance, model, answer)``
    the flow on each of the instance's arcs, for the check; not measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.matching.bipartite import Takes


@dataclass(frozen=True)
class Peer:
    """One peer: its name, its module in this folder, whose version is told, what it can take."""

    label: str
    module: str
    distribution: str
    takes: Takes


PEERS = {
    "ortools": Peer("OR-Tools SimpleMinCostFlow", "ortools_flow", "ortools", "flows"),
    "ortools-lsa": Peer("OR-Tools SimpleLinearSumAssignment", "ortools_assignment", "ortools", "matchings"),
    "cpsat": Peer("OR-Tools CP-SAT", "ortools_cpsat", "ortools", "flows"),
    "highspy": Peer("HiGHS through highspy", "highspy_lp", "highspy", "flows"),
    "scipy-sparse": Peer("SciPy min_weight_full_bipartite_matching", "scipy_sparse", "scipy", "matchings"),
    "scipy-dense": Peer("SciPy linear_sum_assignment", "scipy_dense", "scipy", "matrices"),
    "lapx-sparse": Peer("lapx lapmod", "lapx_sparse", "lapx", "matchings"),
    "lapx-dense": Peer("lapx lapjvr", "lapx_dense", "lapx", "matrices"),
    "pot": Peer("POT emd", "pot_emd", "pot", "transport"),
    "networkx": Peer("networkx network_simplex", "networkx_flow", "networkx", "flows"),
}
