"""Faults of relations between people: bonds with oneself or that contradict, parties of linked requests."""

from __future__ import annotations

import numpy as np

from govmatch.model.policy import Policy
from govmatch.model.sheets import Sheets
from govmatch.model.violations import Violations


def check_bonds(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    """Report a bond with oneself, and a preference of two who are kept apart by another row."""
    one, other = (
        sheets.positions("bonds", column).astype(np.int64) for column in ("provider_id", "other_id")
    )
    ids, kind = sheets["bonds"]["other_id"].values, sheets["bonds"]["kind"].values
    known = (one >= 0) & (other >= 0)
    message = "both people are {}; expected two different ones"
    violations.mask("bonds", "other_id", "self_reference", message, known & (one == other), ids)
    width = int(max(one.max(initial=0), other.max(initial=0))) + 1
    pair = np.where(known, np.minimum(one, other) * width + np.maximum(one, other), -1)
    parted = np.flatnonzero(known & (kind == "apart"))
    keys, first = np.unique(pair[parted], return_index=True)
    clash = np.flatnonzero(known & (kind == "together") & np.isin(pair, keys))
    if not len(clash):
        return
    row = parted[first[np.searchsorted(keys, pair[clash])]]
    mine = sheets["bonds"]["provider_id"].values
    for at, before in zip(clash.tolist(), row.tolist(), strict=True):
        message = f"{{}} are kept apart by row {before} and prefer each other in this one; expected either"
        violations.rows("bonds", "kind", "bond_conflict", message, [at], [f"{mine[at]} / {ids[at]}"])


def check_parties(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    """Report parties of requests that are further reports of another."""
    refuse_linked(sheets, "parties", "party", violations)


def refuse_linked(sheets: Sheets, table: str, what: str, violations: Violations) -> None:
    """Report rows on requests that are linked to another and not matched by themselves."""
    request = sheets.positions(table, "request_id")
    linked = np.append(sheets["requests"]["duplicate_of"].present, False)[request]
    message = (
        f"request {{}} has duplicate_of and is not matched by itself; expected the {what} on the request "
        "that it duplicates"
    )
    values = sheets[table]["request_id"].values
    violations.mask(table, "request_id", "linked_request", message, linked, values)
