"""Every error that govmatch raises on purpose, in one tree.

GovmatchError
├── InvalidTables        tables that break the schema; `.violations` lists every fault
├── InvalidPolicy        a policy file or value that cannot be read; names the line
├── InvalidInput         a wrong argument to a public function (also a ValueError)
├── UnsupportedFeature   the chosen method cannot honour something the tables ask for
├── UnknownId            an id that the plan or problem does not hold (also a KeyError)
├── MissingExtra         an optional dependency is absent; says what to install
├── Infeasible           requests that must be served cannot all be; `.witness` proves it
├── PlanFaults           a plan that the independent check rejects; `.faults` lists why
└── SolverError          a solver failed or gave an answer that is not feasible: a defect, please report it
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from govmatch.solve.witness import Witness


class GovmatchError(Exception):
    """Base of all errors that govmatch raises on purpose."""


class InvalidTables(GovmatchError):
    """Tables that break the schema.

    Attributes
    ----------
    violations : pandas.DataFrame
        One row a fault: table, row, column, code, message, value.
    """

    def __init__(self, violations: pd.DataFrame) -> None:
        self.violations = violations
        columns = [violations[name].head(5) for name in ("table", "row", "column", "message")]
        shown = []
        for table, row, column, message in zip(*columns, strict=True):
            place = f"{table}[{row}]" if row >= 0 else table
            shown.append(f"  {place}.{column}: {message}" if column else f"  {place}: {message}")
        more = len(violations) - len(shown)
        if more > 0:
            shown.append(f"  … and {more} more; see `.violations`")
        super().__init__(f"{len(violations)} fault(s) in the tables:\n" + "\n".join(shown))


class InvalidPolicy(GovmatchError):
    """A policy that cannot be read. The message names the file, line and key."""


class InvalidInput(GovmatchError, ValueError):
    """A wrong argument to a public function. The message names the argument."""


class UnsupportedFeature(GovmatchError):
    """The chosen method lacks something that the tables ask for.

    Attributes
    ----------
    features : tuple of str
        The features that the method lacks, by name.
    """

    def __init__(self, features: Iterable[str], reasons: Iterable[str]) -> None:
        self.features = tuple(features)
        super().__init__(f"not supported yet: {', '.join(self.features)}. " + " ".join(reasons))


class UnknownId(GovmatchError, KeyError):
    """An id that the plan or problem does not hold."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class MissingExtra(GovmatchError, ImportError):
    """An optional dependency is absent. The message gives the pip line."""


class Infeasible(GovmatchError):
    """Requests that must be served cannot all be served.

    Attributes
    ----------
    witness : Witness or None
        The proof: ``requests`` S, disjoint ``nodes`` K of the forest and the ``arcs`` of S that enter no
        node of K and none below. S needs ``demand`` units; K lets ``capacity`` through, and the arcs bring
        ``ways`` at most, one for each request and group; and ``demand > capacity + ways``. None where a
        pin of a `Matcher` cannot be kept: the message says why.
    """

    def __init__(self, why: Witness | str) -> None:
        self.witness = None if isinstance(why, str) else why
        super().__init__(str(why))


class PlanFaults(GovmatchError):
    """A plan that the independent check rejects.

    Attributes
    ----------
    faults : pandas.DataFrame
        One row a fault: code, request_id, provider_id, message.
    """

    def __init__(self, faults: pd.DataFrame) -> None:
        self.faults = faults
        columns = [faults[name].head(5) for name in ("code", "request_id", "provider_id", "message")]
        shown = []
        for code, request, provider, message in zip(*columns, strict=True):
            who = " ← ".join(str(x) for x in (request, provider) if isinstance(x, str))
            shown.append(f"  {code}: {who}: {message}" if who else f"  {code}: {message}")
        more = len(faults) - len(shown)
        if more > 0:
            shown.append(f"  … and {more} more; see `.faults`")
        super().__init__(f"{len(faults)} fault(s) in the plan:\n" + "\n".join(shown))


class SolverError(GovmatchError, ArithmeticError):
    """A solver failed, or gave an answer that is not feasible: a defect, please report it."""
