"""govmatch decides who helps whom, when, and through whom.

Every public name stands in ``__all__`` and is loaded when it is first used, so that
``import govmatch`` costs almost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from . import datasets
    from .errors import (
        GovmatchError,
        Infeasible,
        InvalidInput,
        InvalidPolicy,
        InvalidTables,
        MissingExtra,
        PlanFaults,
        SolverError,
        UnknownId,
        UnsupportedFeature,
    )
    from .model.files import read_tables, write_tables
    from .model.policy import Policy
    from .model.problem import Problem
    from .model.reference import schema_json, templates
    from .plan.explain import explain
    from .plan.match import match
    from .plan.plan import Certificate, Plan
    from .plan.verify import Verification, verify
    from .plan.warmup import warmup
    from .reach.alliance import Alliance
    from .reach.road import RoadGraph
    from .reach.travel import GreatCircle
    from .reporting.html import report
    from .reporting.plots import plot_day, plot_flows, plot_map, plot_unmet
    from .reporting.sheets import write_sheets
    from .solve.assignment import Assignment, assign
    from .solve.matcher import Matcher

__all__ = [
    "Alliance",
    "Assignment",
    "Certificate",
    "GovmatchError",
    "GreatCircle",
    "Infeasible",
    "InvalidInput",
    "InvalidPolicy",
    "InvalidTables",
    "Matcher",
    "MissingExtra",
    "Plan",
    "PlanFaults",
    "Policy",
    "Problem",
    "RoadGraph",
    "SolverError",
    "UnknownId",
    "UnsupportedFeature",
    "Verification",
    "__version__",
    "assign",
    "datasets",
    "explain",
    "match",
    "plot_day",
    "plot_flows",
    "plot_map",
    "plot_unmet",
    "read_tables",
    "report",
    "schema_json",
    "templates",
    "verify",
    "warmup",
    "write_sheets",
    "write_tables",
]

_HOME = {
    "errors": (
        "GovmatchError",
        "Infeasible",
        "InvalidInput",
        "InvalidPolicy",
        "InvalidTables",
        "MissingExtra",
        "PlanFaults",
        "SolverError",
        "UnknownId",
        "UnsupportedFeature",
    ),
    "model.files": ("read_tables", "write_tables"),
    "model.policy": ("Policy",),
    "model.problem": ("Problem",),
    "model.reference": ("schema_json", "templates"),
    "plan.explain": ("explain",),
    "plan.match": ("match",),
    "plan.plan": ("Certificate", "Plan"),
    "plan.verify": ("Verification", "verify"),
    "plan.warmup": ("warmup",),
    "reach.alliance": ("Alliance",),
    "reach.road": ("RoadGraph",),
    "reach.travel": ("GreatCircle",),
    "reporting.html": ("report",),
    "reporting.plots": ("plot_day", "plot_flows", "plot_map", "plot_unmet"),
    "reporting.sheets": ("write_sheets",),
    "solve.assignment": ("Assignment", "assign"),
    "solve.matcher": ("Matcher",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "datasets":
        return import_module(".datasets", __name__)
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
