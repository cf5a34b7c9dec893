"""A small instance with faces and all else, solved whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from govmatch.solve.control import Control
from govmatch.solve.core import SMALL
from govmatch.solve.mip.face_rows import PartFaces
from govmatch.solve.mip.model import solve
from govmatch.solve.opened_core import part_openings
from govmatch.solve.ruled import whole_core
from govmatch.solve.series_beside import Beside

IntArray = NDArray[np.int64]


def solve_whole(beside: Beside, primal: int, control: Control) -> tuple[int, IntArray | None] | None:
    """Return a bound on all plans and, if one was found, a plan's flow; None where nothing was proved.

    Parameters
    ----------
    beside : Beside
    primal : int
        What some plan costs.
    control : Control
    """
    coupled = beside.coupled
    if len(coupled.instance.request) > SMALL:
        return None
    core = whole_core(beside.natural, beside.limits)
    part = replace(core.part, faces=_faces(beside, core.arc))
    if coupled.openings is not None:
        part = replace(part, openings=part_openings(coupled, core.arc, primal))
    outcome = solve(part, control)
    if outcome is None:
        return None
    arcs = core.arc[outcome.used]
    if outcome.request is None or (arcs < 0).any():
        return outcome.bound + core.constant, None
    flow = np.zeros(len(coupled.instance.request), np.int64)
    flow[arcs] = 1
    return outcome.bound + core.constant, flow


def _faces(beside: Beside, arc: IntArray) -> PartFaces:
    """Say which arcs of a part show whom to which series; `arc` is the instance's, -1 none."""
    faces = beside.faces
    at = np.flatnonzero(arc >= 0)
    series = faces.series[faces.flow.request[arc[at]]]
    at, series = at[series >= 0], series[series >= 0]
    width = int(faces.face.max(initial=0)) + 1
    keys, pair = np.unique(series * width + faces.face[arc[at]], return_inverse=True)
    of, who = np.divmod(keys, width)
    strange = np.zeros(len(keys), np.int64)
    if len(keys):
        strange = faces.stranger_cost * faces.is_strange(of, who)
    return PartFaces(
        arc=at,
        pair=pair.reshape(-1),
        pair_series=of,
        pair_cost=strange,
        free=faces.free,
        most=faces.most,
        further_cost=faces.further_cost,
    )
