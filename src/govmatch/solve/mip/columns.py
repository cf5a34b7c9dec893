"""What is decided: arcs, people missing, teams and their states, units of laden nodes, floors missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.ragged import runs
from govmatch.solve.mip.bond_rows import bond_costs
from govmatch.solve.mip.face_rows import face_columns
from govmatch.solve.mip.openings import opening_costs
from govmatch.solve.mip.part import Part

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The variables of a part, one after the other.

    Arcs, missing, teams, states, units, short, bonds, openings, bundles, faces.

    Attributes
    ----------
    cost : float64 (n,)
    most : float64 (n,)
        Upper limits; all are whole and >= 0.
    missing, team, state, unit, short, bond, opening, bundle, face : int
        Where each kind begins.
    unit_node : int64 (n_units,)
        The node of each unit of load.
    """

    cost: FloatArray
    most: FloatArray
    missing: int
    team: int
    state: int
    unit: int
    short: int
    opening: int
    bundle: int
    face: int
    unit_node: IntArray
    bond: int


def columns(part: Part) -> Columns:
    """Lay out the variables of a part and their costs, as in `Coupled.plan` less the worth of all teams."""
    instance, tree = part.instance, part.tree
    in_team = part.role >= 0
    absence = np.zeros(len(in_team), np.int64)
    absence[in_team] = tree.absence[tree.role_team[part.role[in_team]]]
    node, _ = part.entries
    below = np.bincount(node, minlength=len(instance.parent))
    units = np.where(instance.load_cost > 0, np.minimum(below, instance.capacity), 0)
    unit_node, nth = runs(units)
    n_states = tree.n_starts + len(tree.state_role)
    price = np.zeros(0, np.int64) if part.floors is None else part.floors.price
    face_cost, face_most = face_columns(part.faces)
    cost = (
        instance.cost - absence[instance.request],
        np.where(in_team, 0, instance.unmet_cost),
        tree.absence * tree.asked - tree.worth,
        np.zeros(n_states, np.int64),
        instance.load_cost[unit_node] * nth,
        price,
        bond_costs(part),
        *opening_costs(part.openings),
        face_cost,
    )
    most = (
        np.ones(len(instance.cost)),
        np.where(in_team, 0, instance.demand),
        np.ones(len(tree.worth)),
        np.ones(n_states),
        np.ones(len(unit_node)),
        np.full(len(price), np.inf),
        *(np.ones(len(one)) for one in cost[6:-1]),
        face_most,
    )
    begin = np.cumsum([len(values) for values in cost])
    return Columns(
        cost=np.concatenate(cost).astype(np.float64),
        most=np.concatenate(most).astype(np.float64),
        missing=int(begin[0]),
        team=int(begin[1]),
        state=int(begin[2]),
        unit=int(begin[3]),
        short=int(begin[4]),
        bond=int(begin[5]),
        opening=int(begin[6]),
        bundle=int(begin[7]),
        face=int(begin[8]),
        unit_node=unit_node,
    )
