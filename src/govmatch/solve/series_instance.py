"""Series of requests that pay for their faces: the arrays that a solver sees, and what a plan costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import SolverError
from govmatch.solve.bands import Bands
from govmatch.solve.certificate import flow_cost, infeasibilities
from govmatch.solve.instance import Instance, Solution

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MUST = 1 << 42
"""Unmet cost of whoever has to come: more than all that is natural, less than a face too many."""


@dataclass(frozen=True)
class SeriesInstance:
    """A flow instance whose requests belong to series that pay for their faces.

    A series costs ``further_cost`` for each different face beyond `free`, and ``stranger_cost`` for each that
    is not known where it knows any.

    Attributes
    ----------
    flow : Instance
        Arcs ascending by request.
    face : int64 (n_arcs,)
        Whom a request sees when it is served by an arc.
    series : int64 (n_requests,)
        -1: none.
    free, most : int64 (n_series,)
        Faces that cost nothing; faces that are allowed, -1 for any number.
    known_series, known_face : int64 (n_pairs,)
        Ascending by series.
    further_cost, stranger_cost : int
    bands : Bands, optional
        Further limits of a plan; a search that knows them asks no flow on its way.
    """

    flow: Instance
    face: IntArray
    series: IntArray
    free: IntArray
    most: IntArray
    known_series: IntArray
    known_face: IntArray
    further_cost: int
    stranger_cost: int
    bands: Bands | None = None

    def is_strange(self, series: IntArray, face: IntArray) -> BoolArray:
        """Tell which pairs of a series and a face cost `stranger_cost`."""
        width = int(self.face.max(initial=0)) + 1
        known = np.isin(series * width + face, self.known_series * width + self.known_face)
        return ~known & (np.bincount(self.known_series, minlength=len(self.free)) > 0)[series]


def used_faces(instance: SeriesInstance, used: IntArray) -> tuple[IntArray, IntArray]:
    """Return the different pairs of a series and a face among used arcs, ascending."""
    width = int(instance.face.max(initial=0)) + 1
    series = instance.series[instance.flow.request[used]]
    pairs = np.unique(series[series >= 0] * width + instance.face[used][series >= 0])
    return pairs // width, pairs % width


def faces_cost(instance: SeriesInstance, units: IntArray) -> int:
    """Return what the faces of a flow cost."""
    series, face = used_faces(instance, np.flatnonzero(units))
    count = np.bincount(series, minlength=len(instance.free))
    further = int(np.maximum(count - instance.free, 0).sum()) * instance.further_cost
    return further + int(instance.is_strange(series, face).sum()) * instance.stranger_cost


def total_cost(instance: SeriesInstance, solution: Solution) -> int:
    """Return what a feasible assignment costs, faces and what bands lack included.

    Raises
    ------
    SolverError
        It breaks a constraint: a defect of what made it.
    """
    faults = infeasibilities(instance.flow, solution)
    count = np.bincount(used_faces(instance, np.flatnonzero(solution.flow))[0], minlength=len(instance.free))
    if ((instance.most >= 0) & (count > instance.most)).any():
        faults.append("a series has more faces than it may have")
    bands = instance.bands
    if bands is not None and not bands.kept(solution.flow):
        faults.append("a band has more than its most")
    if faults:
        raise SolverError("the solver returned an infeasible assignment: " + "; ".join(faults))
    lacking = 0 if bands is None else bands.cost(solution.flow)
    cost = flow_cost(instance.flow, solution.flow, solution.unmet)
    return cost + faces_cost(instance, solution.flow) + lacking
