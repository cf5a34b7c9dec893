"""Teams, their roles and the starts of these: how they hang together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

FAR = 1 << 52
"""More than any team costs; sums over all roles of one still fit."""


@dataclass(frozen=True)
class TeamTree:
    """Teams, their roles, and how the states of roles hang together.

    The first states are the starts of teams; each of the others is a role at a start, served by one request
    of an `Instance`. A role's state goes with the states to which it is linked, of the role that it follows
    or of the team.

    Attributes
    ----------
    worth : int64 (n_teams,)
        What a team costs that stays unserved.
    absence : int64 (n_teams,)
        What each person costs who is missing where others come.
    fewest : int64 (n_teams,)
        Fewest people with whom a team is served.
    role_team, role_people : int64 (n_roles,)
    must : bool (n_roles,)
        Whether everybody of the role has to come where anybody does; else absences are paid for.
    start_team : int64 (n_starts,)
    state_role, state_request : int64 (n_states - n_starts,)
        Role and request of each further state.
    link_state, link_parent : int64 (n_links,)
    lots : int64 (any,)
        Roles of goods: all of them come, and nobody is missing where they do not.
    """

    worth: IntArray
    absence: IntArray
    fewest: IntArray
    role_team: IntArray
    role_people: IntArray
    must: NDArray[np.bool_]
    start_team: IntArray
    state_role: IntArray
    state_request: IntArray
    link_state: IntArray
    link_parent: IntArray
    lots: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def needed(self) -> IntArray:
        """How many people of the roles in which somebody may be missing have to come, (n_teams,)."""
        sure = np.bincount(self.role_team, self.role_people * self.must, len(self.worth)).astype(np.int64)
        needed: IntArray = np.maximum(self.fewest - sure, 0)
        return needed

    @property
    def asked(self) -> IntArray:
        """How many people and lots each team asks for, (n_teams,)."""
        return np.bincount(self.role_team, self.role_people, len(self.worth)).astype(np.int64)

    @property
    def persons(self) -> IntArray:
        """How many people each team asks for, (n_teams,)."""
        lots = np.bincount(self.role_team[self.lots], self.role_people[self.lots], len(self.worth))
        persons: IntArray = self.asked - lots.astype(np.int64)
        return persons

    def owners(self, role: IntArray, demand: IntArray) -> IntArray:
        """Return numbers of teams, then of requests alone, that ask for several people, (n_requests,).

        -1: others. `role` is the role that each request is a state of, else -1.
        """
        n = len(self.worth)
        team = np.where(self.persons > 1, np.arange(n), -1)
        alone = np.where(demand > 1, n + np.arange(len(demand)), -1)
        return np.where(role >= 0, np.append(team[self.role_team], -1)[role], alone)

    @property
    def n_starts(self) -> int:
        """How many starts all teams have together."""
        return len(self.start_team)


def state_depths(tree: TeamTree) -> IntArray:
    """Return how many links lie between each state and its team's start, (n_states,)."""
    depth = np.zeros(tree.n_starts + len(tree.state_role), np.int64)
    for _ in range(len(tree.role_team)):
        deeper = depth.copy()
        np.maximum.at(deeper, tree.link_state, depth[tree.link_parent] + 1)
        if (deeper == depth).all():
            break
        depth = deeper
    return depth


def lacking_states(tree: TeamTree) -> IntArray:
    """Return the states on which a role should hang that has no state there."""
    n_states, span = tree.n_starts + len(tree.state_role), len(tree.role_team) + 1
    role = tree.state_role[tree.link_state - tree.n_starts]
    parents, roles = np.divmod(np.unique(tree.link_parent * span + role), span)
    found = np.bincount(parents, minlength=n_states)
    above = np.full(len(tree.role_team), -1)  # the role that a role follows
    up = parents - tree.n_starts
    above[roles[up >= 0]] = tree.state_role[up[up >= 0]]
    wanted_by_role = np.bincount(above[above >= 0], minlength=len(tree.role_team))
    at_start = np.bincount(tree.role_team[above < 0], minlength=len(tree.worth))
    wanted = np.concatenate([at_start[tree.start_team], wanted_by_role[tree.state_role]])
    return np.flatnonzero(found < wanted)
