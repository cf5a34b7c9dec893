"""What must hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch.ragged import matches
from govmatch.solve.mip.bond_rows import bond_rows
from govmatch.solve.mip.columns import Columns
from govmatch.solve.mip.constraints import Rows
from govmatch.solve.mip.face_rows import face_rows
from govmatch.solve.mip.openings import opening_rows
from govmatch.solve.mip.part import Part
from govmatch.solve.rules import Floors

IntArray = NDArray[np.int64]


def rows(part: Part, at: Columns) -> Rows:
    """State all constraints of a part."""
    found = Rows(len(at.cost))
    _requests(part, at, found)
    found.capacity = _capacities(part, at, found)
    _starts(part, at, found)
    _people(part, at, found)
    bond_rows(part, at.bond, found)
    if part.rules is not None:
        limit = part.rules.limit
        found.limit = found.add(
            np.full(len(limit), -np.inf), limit, (part.rules.rule, part.rules.arc, part.rules.weight)
        )
    if part.floors is not None:
        _floors(part, part.floors, at, found)
    if part.openings is not None:
        opening_rows(part.openings, at.opening, at.bundle, found)
    if part.faces is not None:
        face_rows(part.faces, at.face, found)
    return found


def _requests(part: Part, at: Columns, found: Rows) -> None:
    """Serve or miss everybody whom a request that stands alone asks for."""
    instance = part.instance
    alone = np.flatnonzero(part.role < 0)
    row = np.full(len(instance.demand), -1)
    row[alone] = np.arange(len(alone))
    arc = np.flatnonzero(row[instance.request] >= 0)
    demand = instance.demand[alone]
    missing = (row[alone], at.missing + alone, 1)
    found.add(demand, demand, (row[instance.request[arc]], arc, 1), missing)


def _capacities(part: Part, at: Columns, found: Rows) -> tuple[int, IntArray]:
    """Keep to every node's capacity, and count the units of laden ones; return the first row, and nodes."""
    capacity = part.instance.capacity
    node, arc = part.entries
    below = np.bincount(node, minlength=len(capacity))
    tight = np.flatnonzero(below > capacity)
    row = np.full(len(capacity), -1)
    row[tight] = np.arange(len(tight))
    inside = row[node] >= 0
    first = found.add(np.full(len(tight), -np.inf), capacity[tight], (row[node[inside]], arc[inside], 1))
    laden = np.unique(at.unit_node)
    row[:] = -1
    row[laden] = np.arange(len(laden))
    inside = row[node] >= 0
    unit = at.unit + np.arange(len(at.unit_node))
    none = np.zeros(len(laden))
    found.add(none, none, (row[node[inside]], arc[inside], 1), (row[at.unit_node], unit, -1))
    return first, tight


def _starts(part: Part, at: Columns, found: Rows) -> None:
    """Choose one start of each team that is served and one linked state of each of its roles."""
    tree = part.tree
    teams, n_starts = np.arange(len(tree.worth)), tree.n_starts
    on, none = at.team + teams, np.zeros(len(teams))
    found.add(none, none, (tree.start_team, at.state + np.arange(n_starts), 1), (teams, on, -1))
    roles = np.arange(len(tree.role_team))
    states = at.state + n_starts + np.arange(len(tree.state_role))
    none = np.zeros(len(roles))
    found.add(none, none, (tree.state_role, states, 1), (roles, at.team + tree.role_team, -1))
    # who is chosen has a parent that is chosen, and every chosen parent has one state of each role after it
    role = tree.state_role[tree.link_state - n_starts]
    _, first, of = np.unique(
        tree.link_parent * (len(roles) + 1) + role, return_index=True, return_inverse=True
    )
    n = np.arange(len(first))
    parent = at.state + tree.link_parent[first]
    found.add(np.zeros(len(n)), np.full(len(n), np.inf), (of, at.state + tree.link_state, 1), (n, parent, -1))
    child, of = np.unique(tree.link_state, return_inverse=True)
    n = np.arange(len(child))
    low, high = np.zeros(len(n)), np.full(len(n), np.inf)
    found.add(low, high, (of, at.state + tree.link_parent, 1), (n, at.state + child, -1))


def _people(part: Part, at: Columns, found: Rows) -> None:
    """Send the people that each chosen state asks for, all of them different."""
    instance, tree = part.instance, part.tree
    of = np.full(len(instance.demand), -1)
    of[tree.state_request] = np.arange(len(tree.state_request))
    arc = np.flatnonzero(part.role[instance.request] >= 0)
    state = of[instance.request[arc]]
    asked, must = tree.role_people[tree.state_role], tree.must[tree.state_role]
    column = at.state + tree.n_starts + np.arange(len(asked))
    zero = np.zeros(len(asked))
    found.add(np.where(must, 0, -np.inf), zero, (state, arc, 1), (np.arange(len(asked)), column, -asked))
    n = np.arange(len(arc))
    found.add(np.full(len(arc), -np.inf), np.zeros(len(arc)), (n, arc, 1), (n, column[state], -1))
    team = tree.role_team[part.role[instance.request[arc]]]
    teams = np.arange(len(tree.worth))
    never = np.full(len(teams), np.inf)
    found.add(np.zeros(len(teams)), never, (team, arc, 1), (teams, at.team + teams, -tree.fewest))
    # nobody twice: of a team, or of a request that stands alone
    owner = instance.request + len(teams)
    owner[arc] = team
    span = int(instance.group.max(initial=0)) + 1
    _, which, count = np.unique(owner * span + instance.group, return_inverse=True, return_counts=True)
    several = np.flatnonzero(count > 1)
    row = np.full(len(count), -1)
    row[several] = np.arange(len(several))
    inside = np.flatnonzero(row[which] >= 0)
    found.add(np.full(len(several), -np.inf), np.ones(len(several)), (row[which[inside]], inside, 1))


def _floors(part: Part, floors: Floors, at: Columns, found: Rows) -> None:
    """Count who is missing under each floor; so many may be, all others are short."""
    instance, tree, n = part.instance, part.tree, len(part.instance.demand)
    alone = np.flatnonzero(floors.member < n)
    entry = np.flatnonzero(floors.member >= n)
    team = floors.member[entry] - n
    limit = floors.limit.copy()
    np.subtract.at(limit, floors.floor[entry], tree.persons[team])
    # everybody who comes to a team is not missing
    person = (part.role >= 0) & ~np.isin(part.role, tree.lots)
    arc = np.flatnonzero(person[instance.request])
    of = tree.role_team[part.role[instance.request[arc]]]
    order = np.argsort(of, kind="stable")
    which, place = matches(of[order], team)
    row = floors.floor[entry[which]]
    short = np.arange(len(limit))
    found.add(
        np.full(len(limit), -np.inf),
        limit,
        (floors.floor[alone], at.missing + floors.member[alone], 1),
        (row, arc[order][place], -1),
        (short, at.short + short, -1),
    )
