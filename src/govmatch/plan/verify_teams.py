"""Teams: who must come, that they are different people, and that their starts go together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from govmatch.plan.verify_columns import BoolArray, IntArray
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import Faults, Rows, clock


def after_start(facts: Facts) -> tuple[IntArray, IntArray]:
    """Return at how many minutes after its team's start each role starts, and how many steps later it may."""
    roles = facts.requests.roles
    least, steps, up = np.zeros_like(roles.least), np.zeros_like(roles.steps), np.arange(len(roles.after))
    for _ in range(len(up) + 1):
        known = up >= 0
        if not known.any():
            break
        least[known] += roles.least[up[known]]
        steps[known] += roles.steps[up[known]]
        up[known] = roles.after[up[known]]
    return least, steps


def check_teams(rows: Rows, facts: Facts, faults: Faults) -> None:
    """Check every team that anybody is sent to."""
    wish = facts.requests
    at = np.flatnonzero(wish.team[rows.r])
    if not len(at):
        return
    least, steps = after_start(facts)
    frame = pd.DataFrame({"r": rows.r[at], "q": rows.q[at], "p": rows.p[at], "start": rows.time["start"][at]})
    for _, team in frame.groupby("r", sort=True):
        r = int(team["r"].iloc[0])
        _check_people(r, team, facts, faults)
        _check_starts(r, team, facts, least, steps, faults)


def _check_people(r: int, team: pd.DataFrame, facts: Facts, faults: Faults) -> None:
    wish, name = facts.requests, facts.requests.ids[r]
    roles = wish.roles
    sent = team["q"].value_counts()
    for q in range(wish.first_role[r], wish.first_role[r + 1]):
        come, asked = int(sent.get(q, 0)), int(roles.people[q])
        if come > asked:
            faults.add(
                "people_exceeded", f"{come} people are sent as {roles.name[q]!r}; {asked} are asked", name
            )
        elif come < asked and roles.must[q]:
            text = f"{come} people are sent as {roles.name[q]!r}; the team needs {asked}"
            faults.add("team_incomplete", text, name)
    if len(team) < wish.fewest[r]:
        faults.add("team_incomplete", f"{len(team)} people are sent; the team needs {wish.fewest[r]}", name)
    person = team.loc[team["p"] < facts.providers.n_volunteers, "p"]
    for p in person[person.duplicated()].unique().tolist():
        faults.add("person_twice", "serves the same team twice", name, facts.providers.ids[p])


def _check_starts(
    r: int, team: pd.DataFrame, facts: Facts, least: IntArray, steps: IntArray, faults: Faults
) -> None:
    """Check that all starts come from one start of the team, on the policy's steps."""
    wish, name, step = facts.requests, facts.requests.ids[r], int(facts.policy.slots.start_minutes)
    roles = wish.roles
    start = team.groupby("q")["start"]
    for q in start.nunique()[lambda n: n > 1].index.tolist():
        faults.add("wrong_start", f"not all who come as {roles.name[q]!r} start together", name)
    begins = dict(zip(team["q"].tolist(), team["start"].tolist(), strict=True))
    lowest, highest = int(wish.earliest[r]), None
    for q, begin in begins.items():
        up, offset, slack = _follows(q, begins, facts)
        base = begin - offset - (begins[up] if up >= 0 else int(wish.earliest[r]))
        if base % step:
            text = (
                f"{roles.name[q]!r} starts at {clock(begin)}, which is no whole number of {step} minutes late"
            )
            faults.add("wrong_start", text, name)
        elif up >= 0 and not 0 <= base // step <= slack:
            text = f"{roles.name[q]!r} starts {begin - begins[up]} minutes after {roles.name[up]!r}"
            text += f"; expected {offset} to {offset + slack * step}"
            faults.add("wrong_start", text, name)
        elif up < 0:
            lowest = max(lowest, begin - offset - slack * step)
            highest = min(highest, begin - offset) if highest is not None else begin - offset
    if highest is not None and highest < lowest:
        faults.add("wrong_start", "the roles' starts come from no one start of the team in its window", name)


def _follows(q: int, begins: dict[int, int], facts: Facts) -> tuple[int, int, int]:
    """Return the nearest role above for which somebody comes, -1: the start; and minutes and steps to it."""
    roles = facts.requests.roles
    up, offset, slack = int(roles.after[q]), int(roles.least[q]), int(roles.steps[q])
    while up >= 0 and up not in begins:
        offset, slack, up = offset + int(roles.least[up]), slack + int(roles.steps[up]), int(roles.after[up])
    return up, offset, slack


def team_starts(r: int, begins: dict[int, int], facts: Facts) -> tuple[int, int]:
    """Return the first and the last start of a team that its roles' starts allow."""
    step = int(facts.policy.slots.start_minutes)
    lowest, highest = int(facts.requests.earliest[r]), None
    for q, begin in begins.items():
        up, offset, slack = _follows(q, begins, facts)
        if up < 0:
            lowest = max(lowest, begin - offset - slack * step)
            highest = begin - offset if highest is None else min(highest, begin - offset)
    highest = lowest if highest is None else highest
    return min(lowest, highest), max(lowest, highest)


def waited_in_teams(rows: Rows, facts: Facts) -> tuple[BoolArray, IntArray]:
    """Return which rows are of teams, and the minutes from their earliest start, which are 0 elsewhere."""
    wish = facts.requests
    least, _ = after_start(facts)
    team = wish.team[rows.r]
    return team, np.where(team, rows.time["start"] - wish.earliest[rows.r] - least[rows.q], 0)
