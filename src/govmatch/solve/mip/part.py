"""A part of an instance with teams that is solved exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.bonds import Bonds
from govmatch.solve.instance import Instance
from govmatch.solve.mip.face_rows import PartFaces
from govmatch.solve.mip.openings import PartOpenings
from govmatch.solve.rules import Floors, Rules
from govmatch.solve.team_tree import TeamTree

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """Requests and teams that are free to change.

    Attributes
    ----------
    instance : Instance
        Demand and unmet cost of a team's state are not read.
    tree : TeamTree
    rules : Rules, optional
    floors : Floors, optional
    bonds : Bonds, optional
    openings : PartOpenings, optional
    faces : PartFaces, optional
    """

    instance: Instance
    tree: TeamTree
    rules: Rules | None = None
    floors: Floors | None = None
    bonds: Bonds | None = None
    openings: PartOpenings | None = None
    faces: PartFaces | None = None

    @cached_property
    def role(self) -> IntArray:
        """The role of each request that is a state of a team, else -1, (n_requests,)."""
        found = np.full(len(self.instance.demand), -1)
        found[self.tree.state_request] = self.tree.state_role
        return found

    @cached_property
    def entries(self) -> tuple[IntArray, IntArray]:
        """Every node and every arc at or below it, as two columns."""
        nodes, arcs = [], []
        at, arc = self.instance.node, np.arange(len(self.instance.node))
        while len(at):
            nodes.append(at)
            arcs.append(arc)
            up = self.instance.parent[at]
            at, arc = up[up >= 0], arc[up >= 0]
        return np.concatenate([*nodes, at]), np.concatenate([*arcs, arc])
