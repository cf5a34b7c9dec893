"""The certificate's figures, the funnel, and how many reports were linked."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from govmatch.plan.reasons import REASONS
from govmatch.plan.verify_facts import Facts
from govmatch.plan.verify_frames import SUM_TOLERANCE, Faults, Rows, missing_columns, numbers, texts
from govmatch.plan.verify_reasons import STAGES

FIELDS = (
    "primal", "bound", "gap", "termination", "verified", "scope", "pairs", "arcs", "rounds",
    "resolution_minutes", "solver", "policy_fingerprint", "problem_fingerprint", "assumed_share",
    "placed_assumed_share", "synthetic",
)  # fmt: skip
TERMINATIONS = ("optimal", "gap", "searched", "time_limit", "cancelled")
SCOPES = ("all_pairs",)
FUNNEL_COLUMNS = ("reason", "reason_zh", "pairs")
FUNNEL = {**{stage: REASONS[stage][1] for stage in STAGES}, "eligible": "可派"}
SHARE_TOLERANCE = 1e-9
_HALF_UNIT = 0.005  # minutes


def _share(part: Any) -> float:
    return float(np.mean(part)) if len(part) else 0.0


def _close(stated: Any, exact: float, tolerance: float) -> bool:
    return _is_number(stated) and abs(float(stated) - exact) <= tolerance


def _is_number(value: Any) -> bool:
    """Tell whether a value is a real number that a float can hold."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return not math.isnan(float(value))
    except OverflowError:
        return False


def check_certificate(
    certificate: Any, problem: Any, facts: Facts, rows: Rows, primal_units: float, faults: Faults
) -> None:
    """Check the certificate's figures against the problem and the recomputed cost (hundredths)."""
    rounds = bool(problem.policy.rounds.on)
    absent = [name for name in FIELDS if not hasattr(certificate, name)]
    for name in absent:
        faults.add("malformed", f"the certificate has no {name}")
    if absent:
        return
    _check_gap(certificate, primal_units, faults)
    _check_search(certificate, rows, 0.001 if rounds else 0.01, faults)
    for name, allowed in (("termination", TERMINATIONS), ("scope", SCOPES)):
        stated = getattr(certificate, name)
        if not isinstance(stated, str) or stated not in allowed:
            faults.add(f"{name}_wrong", f"{name} is {stated!r}; expected one of {', '.join(allowed)}")
    for name, owner in (("problem", problem), ("policy", problem.policy)):
        stated, own = getattr(certificate, f"{name}_fingerprint"), getattr(owner, "fingerprint", None)
        if not isinstance(stated, str) or stated != own:
            faults.add("fingerprint_wrong", f"{name}_fingerprint is {stated!r}; the {name}'s is {own!r}")
    shares = {
        "assumed_share": _share(facts.slots.assumed),
        "placed_assumed_share": _share((problem.tables["communities"]["placed"] == "assumed").to_numpy()),
    }
    for name, share in shares.items():
        if not _close(getattr(certificate, name), share, SHARE_TOLERANCE):
            faults.add("share_wrong", f"{name} is {getattr(certificate, name)!r}; recomputed {share}")
    stated = certificate.synthetic
    if not isinstance(stated, bool | np.bool_) or bool(stated) != bool(problem.synthetic):
        faults.add("synthetic_wrong", f"synthetic is {stated!r}; the problem's is {problem.synthetic}")


def _check_gap(certificate: Any, primal_units: float, faults: Faults) -> None:
    """Check cost, bound and gap, and that only a closed gap is called optimal."""
    primal, bound, gap = certificate.primal, certificate.bound, certificate.gap
    for name, value in (("primal", primal), ("bound", bound), ("gap", gap)):
        if value is not None and not _is_number(value):
            faults.add("malformed", f"the certificate's {name} is {value!r}; expected a number or None")
            return
    if not _close(primal, primal_units / 100.0, _HALF_UNIT):
        faults.add("primal_wrong", f"primal is {primal}; the plan costs {primal_units / 100:.2f} minutes")
    if bound is None or primal is None:
        if gap is not None and not math.isinf(gap):
            faults.add("gap_wrong", f"gap is {gap} without a primal and a bound")
    elif not math.isfinite(bound) or bound > primal + SUM_TOLERANCE:
        faults.add("bound_above_primal", f"bound is {bound}, primal {primal}")
    else:
        # In minutes or in hundredths: they differ for plans that cost less than a minute only.
        right = [(primal - bound) / max(unit, abs(primal)) for unit in (1.0, 0.01)]
        if not any(_close(gap, value, 1e-9 * max(1.0, abs(value))) for value in right):
            faults.add("gap_wrong", f"gap is {gap}; (primal - bound) / max(1, |primal|) is {right[0]}")
    finished = isinstance(certificate.termination, str) and certificate.termination == "optimal"
    if finished and not (gap is not None and gap <= 1e-9):
        faults.add("termination_wrong", f"termination is 'optimal' with gap {gap}")


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _check_search(certificate: Any, rows: Rows, resolution: float, faults: Faults) -> None:
    """Check what the certificate says of the search: used pairs <= arcs <= pairs, at least one round."""
    for name, least in (("pairs", 0), ("arcs", 0), ("rounds", 1)):
        value = getattr(certificate, name)
        if not _whole(value) or value < least:
            text = f"the certificate's {name} is {value!r}; expected a whole number of {least} or more"
            faults.add("search_wrong", text)
    pairs, arcs = certificate.pairs, certificate.arcs
    if _whole(pairs) and _whole(arcs) and arcs > pairs:
        faults.add("search_wrong", f"{arcs} arcs were generated; only {pairs} pairs are eligible")
    used = pd.DataFrame({"r": rows.r, "p": rows.p, "s": rows.time["slot_start"], "e": rows.time["slot_end"]})
    n_used = len(used.drop_duplicates())
    if _whole(arcs) and arcs < n_used:
        faults.add("search_wrong", f"{arcs} arcs were generated; the plan uses {n_used}")
    stated = certificate.resolution_minutes
    if not _close(stated, resolution, 1e-12):
        faults.add("search_wrong", f"resolution_minutes is {stated!r}; costs are of {resolution:g}")
    if not isinstance(certificate.solver, str) or not certificate.solver:
        faults.add("search_wrong", f"solver is {certificate.solver!r}; expected the solver's name")
    if not isinstance(certificate.verified, bool | np.bool_):
        faults.add("search_wrong", f"verified is {certificate.verified!r}; expected True or False")


def check_linked(stated: Any, facts: Facts, faults: Faults) -> None:
    """Check how many requests are further reports of another."""
    linked = int(facts.requests.linked.sum())
    if not _whole(stated) or stated != linked:
        faults.add("linked_wrong", f"linked is {stated!r}; {linked} requests name another in duplicate_of")


def check_funnel(
    frame: Any, certificate: Any, finished: bool, facts: Facts, faults: Faults, asked: int | None = None
) -> None:
    """Check the funnel's rows, and that its pairs are those of the requests (or `asked`) looked at."""
    if missing_columns(frame, "funnel", FUNNEL_COLUMNS, faults):
        return
    names, chinese, pairs = texts(frame["reason"]), texts(frame["reason_zh"]), numbers(frame["pairs"])
    if names.tolist() != list(FUNNEL):
        text = f"its rows are {', '.join(map(str, names))}; expected {', '.join(FUNNEL)}"
        faults.add("funnel_wrong", f"plan.funnel: {text}")
        return
    for name, text_, count in zip(names.tolist(), chinese.tolist(), pairs.tolist(), strict=True):
        if text_ != FUNNEL[name]:
            text = f"reason_zh is {text_!r}; {FUNNEL[name]!r} says {name!r}"
            faults.add("funnel_wrong", f"plan.funnel: {text}")
        if not (count >= 0 and count == int(count)):
            text = f"{name} counts {count:g} pairs; expected a whole number of 0 or more"
            faults.add("funnel_wrong", f"plan.funnel: {text}")
            return
    total, n = int(pairs.sum()), len(facts.providers.ids)
    linked = facts.requests.linked
    if asked is None:
        asked = int((~linked).sum() + (~linked & facts.requests.team)[facts.requests.roles.request].sum())
        asked -= int((~linked & facts.requests.team).sum())  # a team counts as often as it has roles
    seats, sits = len(facts.seats), int(facts.sits.sum())
    expected = asked * (n - seats) + sits * seats  # seats count for requests that may take one
    if (total != expected) if finished else (total > expected or (n > 0 and not seats and total % n != 0)):
        text = f"its pairs add up to {total}; {asked} requests and {n} providers make {expected}"
        text += "" if finished else f", or whole multiples of {n} where the search was stopped"
        faults.add("funnel_wrong", f"plan.funnel: {text}")
    held = int(pairs[-2:].sum())
    stated: Any = getattr(certificate, "pairs", None)
    if _whole(stated) and stated < held:
        text = f"{held} providers have an eligible slot, yet the certificate counts {stated} eligible pairs"
        faults.add("funnel_wrong", f"plan.funnel: {text}")
