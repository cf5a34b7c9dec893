"""Teams and single requests, start to end: prices, then the core, then team by team."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.control import Control
from govmatch.solve.core import sharpen
from govmatch.solve.coupled import Coupled, Found, Served, better, choose, follow
from govmatch.solve.team_live import improve

IntArray = NDArray[np.int64]


def search(
    coupled: Coupled, control: Control, before: Served | None = None, start: IntArray | None = None
) -> Found:
    """Seek a plan of little cost and a bound near it.

    Parameters
    ----------
    coupled : Coupled
    control : Control
        Ends the search by its deadline, signal or gap; there is always a plan, and a true bound.
    before : Served, optional
        A choice to begin with, such as that of an instance with fewer arcs.
    start : int64 (n_nodes,), optional
        Own prices near the optimum.
    """
    best = choose(coupled, control, before, start)
    for step in (_befriended, _improved, sharpen, _befriended, _improved, _befriended):
        if control.poll() or coupled.suffices(best.proof, control):
            break
        best = step(coupled, best, control)
    return best


def _befriended(coupled: Coupled, found: Found, control: Control) -> Found:
    """Solve again as if everybody else came as before, while that lets friends meet at less cost."""
    best = found
    while coupled.bonds is not None and len(coupled.bonds.together):
        tried = follow(coupled.leaning(best.flow), best.served, control, best.price)
        cheaper = tried.proof.primal < best.proof.primal
        best = better(best, tried)
        if not cheaper or control.poll():
            break
    return best


def _improved(coupled: Coupled, found: Found, control: Control) -> Found:
    served = improve(coupled, found, control)
    return found if served is None else better(found, follow(coupled, served, control, found.price))
