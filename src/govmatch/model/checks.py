"""Faults that one cell alone does not show: keys, references, windows, places, tiers, roles.

Each check first asks a cheap question of the whole table; only where the answer is bad are rows
looked at.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from govmatch.model import places
from govmatch.model.bond_checks import check_bonds, check_parties, refuse_linked
from govmatch.model.encoded import BoolArray, Int32Array, IntArray
from govmatch.model.goods import check_amounts, check_periods
from govmatch.model.policy import Policy
from govmatch.model.recurrence_checks import check_visits
from govmatch.model.roles import NOWHERE, SAID_ONCE, Roles, read_roles
from govmatch.model.schema import NODE_TABLES, PROVIDER_TABLES, Table
from govmatch.model.sessions import check_sessions
from govmatch.model.sheets import Sheets
from govmatch.model.times import MINUTE
from govmatch.model.violations import Violations

STEP = " > "  # parts the nodes where a path is written out
TIER = "tier:"  # begins the ids of the tiers' own edges

MAX_COMBINATIONS = 2**62  # of a key's values; more do not fit one number


def check(
    sheets: Sheets, policy: Policy, violations: Violations, only: Collection[str] | None = None
) -> None:
    """Report faults within and between tables; those of the tables in `only`, if it is given."""
    names = [name for name, s in sheets.sheets.items() if s.given and (only is None or name in only)]
    for name in names:
        _keys(sheets, name, violations)
        _references(sheets, name, violations)
        if name in NODE_TABLES:
            _node_ids(sheets, name, violations)
    places.check(sheets, names, violations)
    for name, one in _CHECKS.items():
        if name in names:
            one(sheets, policy, violations)
    if only is None:
        _ambiguous_ids(sheets, violations)


def key_codes(sheets: Sheets, table: Table) -> IntArray | None:
    """Return one number a row that is equal where the key's columns are; -1 where one is missing.

    None if the key has more combinations than numbers.
    """
    sheet = sheets[table.name]
    total, lost = np.zeros(sheet.n, dtype=np.int64), np.zeros(sheet.n, dtype=bool)
    size = 1
    for name in table.key:
        cells = sheet[name]
        if table.column(name).references:
            codes: NDArray[Any] = sheets.positions(table.name, name)
            width = len(sheets.register(*table.column(name).references).ids)
        else:
            codes = cells.codes if cells.codes is not None else pd.factorize(cells.values)[0]
            width = len(codes) if cells.uniques is None else len(cells.uniques)
        size *= width + 1
        if size > MAX_COMBINATIONS:
            return None
        lost |= codes < 0
        total = total * (width + 1) + codes
    return np.where(lost, -1, total) if lost.any() else total


def _keys(sheets: Sheets, name: str, violations: Violations) -> None:
    sheet = sheets[name]
    table = sheet.table
    if not table.key or sheet.n == 0:
        return
    if len(table.key) == 1 and not table.column(table.key[0]).references:
        for group in (PROVIDER_TABLES, NODE_TABLES):
            if name in group and sheets.register(*group).unique:
                return
        cells = sheet[table.key[0]]
        if not sheets.register(name).unique:
            twice = pd.Series(cells.values, dtype=object).duplicated().to_numpy() & cells.present
            violations.mask(
                name, table.key[0], "duplicate_key", "{} stands in an earlier row too", twice, cells.values
            )
        return
    codes = key_codes(sheets, table)
    if codes is None:
        frame = pd.DataFrame({column: sheet[column].values for column in table.key})
        twice = frame.duplicated().to_numpy()
    else:
        ranked = np.sort(codes)
        if not ((ranked[1:] == ranked[:-1]) & (ranked[1:] >= 0)).any():
            return
        twice = pd.Series(codes).duplicated().to_numpy() & (codes >= 0)
    message = f"an earlier row has the same {', '.join(table.key)}: {{}}"
    values = np.full(sheet.n, None, dtype=object)
    for row in np.flatnonzero(twice):
        values[row] = " / ".join(str(sheet[column].values[row]) for column in table.key)
    violations.mask(name, table.key[0], "duplicate_key", message, twice, values)


def _references(sheets: Sheets, name: str, violations: Violations) -> None:
    sheet = sheets[name]
    for column in sheet.table.columns:
        if not column.references:
            continue
        found = sheets.positions(name, column.name)
        if sheet.n == 0 or found.min() >= 0:
            continue
        cells = sheet[column.name]
        message = f"{{}} is not in {' or '.join(column.references)}"
        unknown = (found < 0) & cells.present & cells.sound
        violations.mask(name, column.name, "unknown_reference", message, unknown, cells.values)


def _ambiguous_ids(sheets: Sheets, violations: Violations) -> None:
    """Find ids that name two things which one column may refer to."""
    for group in (NODE_TABLES, PROVIDER_TABLES[::-1]):
        if sheets.register(*(PROVIDER_TABLES if group[0] in PROVIDER_TABLES else NODE_TABLES)).unique:
            continue
        for rank, name in enumerate(group):
            cells = sheets[name][sheets[name].table.key[0]]
            for earlier in group[:rank]:
                both = (sheets.register(earlier).find(cells.values) >= 0) & cells.present
                message = f"{{}} is also in {earlier}, and what refers to it could mean either"
                column = sheets[name].table.key[0]
                violations.mask(name, column, "ambiguous_id", message, both, cells.values)


def _node_ids(sheets: Sheets, name: str, violations: Violations) -> None:
    """Find ids that would read as several nodes where a path is written out."""
    column = sheets[name].table.key[0]
    values = sheets[name][column].values
    # a blank before and after: "A >" and "> A" part a path as well
    steps = np.fromiter((STEP in f" {value} " for value in values), dtype=bool, count=len(values))
    message = f"{{}} has a free-standing '{STEP.strip()}'; expected an id without '{STEP}', which parts paths"
    violations.mask(name, column, "reserved_text", message, steps, values)


def on_cycle(parent: Int32Array) -> BoolArray:
    """Tell which nodes of a functional graph lie on a cycle; -1 is no parent."""
    n = len(parent)
    above = np.append(np.where(parent < 0, n, parent), n)
    for _ in range(max(1, n).bit_length()):
        above = above[above]
    found = np.zeros(n + 1, dtype=bool)
    found[above] = True
    return found[:n]


def _cycle(sheets: Sheets, name: str, column: str, what: str, violations: Violations) -> None:
    parent = sheets.positions(name, column)
    if sheets[name].n == 0 or parent.max() < 0:
        return
    values = sheets[name][column].values
    violations.mask(
        name, column, "cycle", f"following {{}} upwards leads back to this {what}", on_cycle(parent), values
    )


def _party_units(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    _cycle(sheets, "party_units", "parent_id", "unit", violations)


def _inverted(
    sheets: Sheets, name: str, start: str, end: str, violations: Violations, slack: int = 0
) -> BoolArray:
    """Report rows whose end is not after their start; return the rows that have both in order."""
    first, last = sheets[name][start], sheets[name][end]
    both = first.present & last.present
    wrong = (last.values < first.values + 1 - slack) & both
    if wrong.any():
        frame = sheets[name].frame(sheets.zone)
        spans = (frame[start].astype(str) + " to " + frame[end].astype(str)).to_numpy(dtype=object)
        message = f"{end} is {'before' if slack else 'not after'} {start}; {{}}"
        violations.mask(name, end, "inverted_window", message, wrong, spans)
    return both & ~wrong


def _organizations(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    staff = sheets["organizations"]["capacity_per_slot"]
    unsaid = ~staff.present & staff.sound
    if not unsaid.any():
        return
    register = sheets.register(*PROVIDER_TABLES)
    first = register.starts["organizations"]
    for name in ("availability", "skills"):
        rows = sheets.positions(name, "provider_id")
        has = np.zeros(len(unsaid), dtype=bool)
        has[rows[rows >= first] - first] = True
        message = (
            f"{{}} has rows of its own in {name} and no capacity_per_slot; "
            "expected how many people it can send at once, 0 for none"
        )
        ids = sheets["organizations"]["organization_id"].values
        violations.mask("organizations", "capacity_per_slot", "no_capacity", message, has & unsaid, ids)
        unsaid &= ~has


def _agreements(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    ids = sheets["agreements"]["agreement_id"].values
    tiers = np.fromiter((str(text).startswith(TIER) for text in ids), dtype=bool, count=len(ids))
    message = f"{{}} begins with '{TIER}'; expected another id, as those are the ids of tiers"
    violations.mask("agreements", "agreement_id", "reserved_text", message, tiers, ids)
    _inverted(sheets, "agreements", "valid_from", "valid_to", violations, slack=1)
    start, end = (sheets.positions("agreements", column) for column in ("from_id", "to_id"))
    same = (start == end) & (start >= 0)
    if same.any():
        values = sheets["agreements"]["to_id"].values
        message = "both sides are {}; expected two different ones"
        violations.mask("agreements", "to_id", "self_reference", message, same, values)


def _volunteers(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    sheet = sheets["volunteers"]
    homes = [sheet["organization_id"], sheet["community_id"]]
    if all(cells.missing is not None for cells in homes):
        homeless = ~homes[0].present & ~homes[1].present & homes[0].sound & homes[1].sound
        message = "{} has neither organization_id nor community_id; expected at least one of them"
        violations.mask(
            "volunteers", "community_id", "no_home", message, homeless, sheet["volunteer_id"].values
        )
    preset = sheet["preset"]
    if preset.uniques is not None and preset.codes is not None and len(preset.uniques):
        unknown = np.array([name not in policy.presets.named for name in preset.uniques] + [False])
        if unknown.any():
            names = ", ".join(policy.presets.named) or "none"
            message = f"the policy has no preset {{}}; it has {names}"
            violations.mask(
                "volunteers", "preset", "unknown_preset", message, unknown[preset.codes], preset.values
            )


def _availability(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    sheet = sheets["availability"]
    fine = _inverted(sheets, "availability", "start", "end", violations)
    provider = sheets.positions("availability", "provider_id")
    fine &= provider >= 0
    start, end = sheet["start"].values, sheet["end"].values
    if not fine.any():
        return
    minute = start // MINUTE
    span = int(minute.max() - minute.min()) + 1
    order = sheets.order("availability", provider.astype(np.int64) * span + (minute - minute.min()))
    if not fine.all():
        order = order[fine[order]]
    ranked, begins, ends = provider[order], start[order], end[order]
    if not ((ranked[1:] == ranked[:-1]) & (ends[:-1] > begins[1:])).any():
        return
    order = order[np.lexsort((ends, begins, ranked))]
    latest = pd.Series(end[order]).groupby(provider[order]).cummax()
    before = latest.groupby(provider[order]).shift(1, fill_value=np.iinfo(np.int64).min).to_numpy()
    clash = np.zeros(sheet.n, dtype=bool)
    clash[order[before > start[order]]] = True
    message = "overlaps another time of {}; expected times of one provider to lie apart"
    violations.mask("availability", "start", "overlap", message, clash, sheet["provider_id"].values)


def _duty(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    _inverted(sheets, "duty", "start", "end", violations)


def _requests(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    _inverted(sheets, "requests", "earliest", "latest", violations)
    _cycle(sheets, "requests", "duplicate_of", "request", violations)
    requests = sheets["requests"]
    none = ~requests["skill"].present
    level, certified = requests["level"].values, requests["certified"].values
    message = "level {} is asked for and no skill; expected the skill, or the level in roles"
    violations.mask("requests", "level", "no_skill", message, none & (level > 1), level)
    message = "a certificate is asked for and no skill; expected the skill, or the certificate in roles"
    violations.mask("requests", "certified", "no_skill", message, none & certified.astype(bool), certified)
    listed, least = read_roles(sheets), requests["min_serve"]
    people = requests["people"].values.astype(np.int64)
    counts = np.bincount(listed.request, weights=listed.people, minlength=requests.n).astype(np.int64)
    people = np.where(counts > 0, counts, people)
    message = "at least {} people are wanted, more than are asked for in all; expected as many or fewer"
    violations.mask(
        "requests",
        "min_serve",
        "count_conflict",
        message,
        least.present & (least.values > people),
        least.values,
    )


def _roles(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    roles, requests = sheets["roles"], sheets["requests"]
    request = sheets.positions("roles", "request_id")
    known = np.flatnonzero(request >= 0)
    if not len(known):
        return
    has_roles = np.zeros(requests.n, dtype=bool)
    has_roles[request[known]] = True
    skill = requests["skill"]
    message = "the request asks for the skill {} and has rows in roles; expected one or the other"
    violations.mask(
        "requests", "skill", "role_conflict", message, has_roles & skill.present & skill.sound, skill.values
    )
    found = read_roles(sheets)
    for column in SAID_ONCE:
        cells = roles[column]
        values = cells.values if cells.codes is None else cells.codes
        first = found.first[found.of_row[known]]
        differs = np.zeros(roles.n, dtype=bool)
        differs[known] = (values[known] != values[first]) | (cells.present[known] != cells.present[first])
        message = f"other rows of the same role say another {column} than {{}}; expected one {column} a role"
        violations.mask("roles", column, f"{column}_conflict", message, differs, cells.values)
    _chains(sheets, found, violations)
    people, count = requests["people"].values, roles["count"].values
    group = found.of_row[known]
    single = pd.Series(group).groupby(request[known]).transform("nunique").to_numpy() == 1
    against = single & (people[request[known]] > 1) & (people[request[known]] != count[known])
    wrong = np.zeros(requests.n, dtype=bool)
    wrong[request[known[against]]] = True
    message = "the request asks for {} people and its role counts others; expected the same number"
    violations.mask("requests", "people", "count_conflict", message, wrong, people)


def _chains(sheets: Sheets, found: Roles, violations: Violations) -> None:
    """Report roles that follow no role of their request, themselves, or with impossible offsets."""
    roles = sheets["roles"]

    def rows(wrong: BoolArray) -> BoolArray:
        lines = np.zeros(roles.n, dtype=bool)
        lines[found.first[wrong]] = True
        return lines

    after = roles["after"].values
    message = "the request has no role {} to start after; expected one of its own roles"
    violations.mask("roles", "after", "unknown_role", message, rows(found.after == NOWHERE), after)
    circle = on_cycle(np.maximum(found.after, -1).astype(np.int32))
    message = "following {} from role to role leads back to this one"
    violations.mask("roles", "after", "cycle", message, rows(circle & (found.after >= 0)), after)
    message = "after_most is {}, which is less than after_least; expected as many minutes or more"
    most = roles["after_most"].values
    violations.mask(
        "roles", "after_most", "offset_conflict", message, rows(found.after_most < found.after_least), most
    )
    alone = (found.after < 0) & ((found.after_least != 0) | (found.after_most != 0))
    message = "{} minutes after no role; expected the role in `after`"
    values = roles["after_least"].values
    violations.mask(
        "roles", "after_least", "offset_conflict", message, rows(alone & (found.after == -1)), values
    )


def _pins(sheets: Sheets, policy: Policy, violations: Violations) -> None:
    refuse_linked(sheets, "pins", "pin", violations)


_CHECKS = {
    "party_units": _party_units,
    "organizations": _organizations,
    "agreements": _agreements,
    "volunteers": _volunteers,
    "availability": _availability,
    "duty": _duty,
    "requests": _requests,
    "roles": _roles,
    "pins": _pins,
    "bonds": check_bonds,
    "parties": check_parties,
    "visits": check_visits,
    "sessions": check_sessions,
    "goods": check_periods,
    "request_goods": check_amounts,
}
