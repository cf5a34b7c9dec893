"""An independent check of a plan: everything it states is derived anew from the tables.

Shares no code with `reach`, `solve`, the kernels or the encoder. That no eligible pair was
forgotten is not seen from here; the tests show it by brute force.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from govmatch.errors import InvalidInput, PlanFaults
from govmatch.plan.verify_bonds import check_bonds, read_bonds
from govmatch.plan.verify_certificate import check_certificate, check_funnel, check_linked
from govmatch.plan.verify_faces import check_faces, reached
from govmatch.plan.verify_facts import read_facts
from govmatch.plan.verify_floors import check_floors
from govmatch.plan.verify_frames import ASSIGNMENT_COLUMNS, Faults, missing_columns, numbers, read_rows
from govmatch.plan.verify_goods import check_goods, check_goods_reasons
from govmatch.plan.verify_incumbent import check_changes, read_stays
from govmatch.plan.verify_limits import check_limits
from govmatch.plan.verify_quotas import check_quotas
from govmatch.plan.verify_reasons import check_reasons
from govmatch.plan.verify_rounds import ROUND_COLUMNS, check_rounds
from govmatch.plan.verify_rows import check_rows
from govmatch.plan.verify_sessions import check_session_reasons, check_sessions
from govmatch.plan.verify_sums import (
    UNMET_COLUMNS,
    check_capacities,
    check_load,
    check_unmet,
)
from govmatch.plan.verify_teams import check_teams

_MOST = 1_000_000  # people; a request asks for fewer
_PROBLEM = ("tables", "policy", "horizon", "travel", "alliance", "synthetic")
_PLAN = ("assignments", "unmet", "certificate", "funnel", "linked")
_COLUMNS = ("code", "request_id", "provider_id", "message")


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes
    ----------
    ok : bool
        Whether there is no fault.
    faults : pandas.DataFrame
        One row a fault: code (such as ``double_booking``), request_id, provider_id (None where the
        fault is not of one), message.
    checked : dict of str to int
        How many assignments, unserved requests, slots, paths and reasons were looked at.
    """

    ok: bool
    faults: pd.DataFrame
    checked: dict[str, int]

    def raise_for_faults(self) -> None:
        """Raise if there is a fault.

        Raises
        ------
        PlanFaults
            With the faults as `.faults`.
        """
        if not self.ok:
            raise PlanFaults(self.faults)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        what = ", ".join(f"{count} {name}" for name, count in self.checked.items())
        if self.ok:
            return f"Verification(ok, checked {what})"
        codes = ", ".join(f"{code} x{n}" for code, n in self.faults["code"].value_counts().items())
        return f"Verification({len(self.faults)} fault(s): {codes}; checked {what})"

    def _repr_html_(self) -> str:
        head = f"<p><b>{'✓ verified 已核验' if self.ok else '✗ faults 有误'}</b> — {escape(repr(self))}</p>"
        return head if self.ok else head + str(self.faults.head(20).to_html(index=False))


def verify(problem: Any, plan: Any) -> Verification:
    """Check a plan against its problem, from the tables up.

    Re-derives dated visits, slots, eligibility, windows and starts, the cheapest alliance path, travel,
    every cost term, loads, capacities, goods and what is left of them, faces, bonds, neutrality, sessions and
    who sits together, who is left unserved and why, and the certificate's figures.

    Parameters
    ----------
    problem : Problem
        Its tables, policy, horizon, travel, alliance and fingerprints are read, nothing else.
    plan : Plan
        Its `assignments`, `unmet`, `certificate`, `funnel`, `linked`, `incumbent`, `goods` and `stock` are
        read; nothing in them is trusted, but what the incumbent says was announced.

    Returns
    -------
    Verification
        A malformed plan gives faults too.

    Raises
    ------
    InvalidInput
        If `problem` is no problem or `plan` is no plan.

    Notes
    -----
    Plans of rounds are checked by tours: ways, order, slots, rests, roles, lateness.
    Reasons of unserved requests are checked against the needs for all, through the whole funnel for
    a sample. That the plan is the cheapest rests on the certificate's bound, which is checked where
    it is made.
    """
    for value, name, parts, usual in (
        (problem, "Problem", _PROBLEM, "Problem.from_tables(tables)"),
        (plan, "Plan", _PLAN, "match(problem)"),
    ):
        if not all(hasattr(value, part) for part in parts):
            raise InvalidInput(
                f"{name.lower()} is a {type(value).__name__}; expected a {name}, such as {usual} gives"
            )
    faults = Faults()
    lacking = missing_columns(plan.assignments, "assignments", ASSIGNMENT_COLUMNS, faults)
    lacking |= missing_columns(plan.unmet, "unmet", UNMET_COLUMNS, faults)
    if problem.policy.rounds.on:
        lacking |= missing_columns(plan.assignments, "assignments", ROUND_COLUMNS, faults)
    if not lacking and problem.policy.rounds.on:
        check_rounds(problem, plan, faults)
    elif not lacking:
        _check(problem, plan, faults)
    table = pd.DataFrame(faults.rows, columns=list(_COLUMNS), dtype=object)
    return Verification(table.empty, table, faults.checked)


def _check(problem: Any, plan: Any, faults: Faults) -> None:
    facts = read_facts(problem)
    rows = read_rows(plan.assignments, facts, faults)
    stays = read_stays(getattr(plan, "incumbent", None), facts, faults)
    cost = check_rows(rows, facts, stays, faults)
    changes = check_changes(rows, facts, stays, faults)
    check_teams(rows, facts, faults)
    check_capacities(rows, facts, faults)
    load = check_load(rows, facts, faults)
    shut = check_limits(rows, problem, facts, faults)
    spent = {*shut, *(("quota",) if check_quotas(rows, facts, faults) else ())}
    floors = check_floors(getattr(plan, "floors", None), rows, facts, faults)
    faces = check_faces(rows, facts, faults)
    bonds = read_bonds(problem.tables, facts.providers.ids)
    bonded = check_bonds(rows, facts, bonds, faults)
    opened = check_sessions(rows, plan, facts, faults)
    store, ways_of_goods = check_goods(plan, problem, rows, facts, faults)
    at = check_unmet(plan.unmet, rows, facts, faults)
    ended = getattr(plan.certificate, "termination", None)
    stopped = isinstance(ended, str) and ended in ("time_limit", "cancelled")
    early = stopped or (isinstance(ended, str) and ended == "gap")
    full = reached(rows, facts)
    check_reasons(plan.unmet, at, not early, spent, shut, facts, stays, faults, full, bonds)
    check_goods_reasons(plan.unmet, at, rows, store, faults)
    people = np.clip(np.nan_to_num(numbers(plan.unmet["people"])), -_MOST, _MOST).astype(np.int64)
    unserved = int((facts.requests.unmet_cost[at] * people)[at >= 0].sum())
    check_session_reasons(plan.unmet, at, rows, facts, stays, faults)
    primal = int(cost.sum() + load.sum() + faces.sum() + bonded.sum()) + ways_of_goods
    primal += unserved + changes + floors + opened
    check_certificate(plan.certificate, problem, facts, rows, primal, faults)
    check_linked(plan.linked, facts, faults)
    check_funnel(plan.funnel, plan.certificate, not stopped, facts, faults)
    faults.checked = {
        "assignments": len(plan.assignments),
        "unmet": len(plan.unmet),
        "slots": len(facts.slots.start),
        **faults.checked,
    }
