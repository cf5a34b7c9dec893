"""Bands of arcs: sums, costs, and few faces within them, against enumeration."""

import itertools

import numpy as np
import pytest

from govmatch.solve.bands import Bands, joined, no_bands
from govmatch.solve.certificate import flow_cost
from govmatch.solve.control import Control
from govmatch.solve.instance import Instance, Solution
from govmatch.solve.series import Search
from govmatch.solve.series_instance import MUST, SeriesInstance, faces_cost, total_cost


def whole(*values):
    return np.array(values, np.int64)


BANDS = Bands(
    arc=whole(0, 2, 1, 0),
    rule=whole(0, 0, 1, 1),
    weight=whole(2, 3, 1, 1),
    limit=whole(4, 9),
    least=whole(0, 2),
    lack=whole(0, 7),
)


def test_a_band_sums_weights_and_charges_what_is_lacking():
    flow = whole(1, 0, 1)
    assert BANDS.usage(flow).tolist() == [5, 1]
    assert not BANDS.kept(flow)
    assert BANDS.kept(whole(1, 1, 0))
    assert BANDS.cost(flow) == 7
    assert BANDS.cost(whole(0, 0, 0)) == 14
    ptr, band, weight = BANDS.by_arc(3)
    assert ptr.tolist() == [0, 2, 3, 4]
    assert (band.tolist(), weight.tolist()) == ([0, 1, 1, 0], [2, 1, 1, 3])


def test_bands_are_joined_in_order():
    both = joined([BANDS, no_bands(), BANDS])
    assert both.rule.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert both.usage(whole(1, 0, 1)).tolist() == [5, 1, 5, 1]
    assert len(joined([]).limit) == 0


def random_instance(seed):
    """Two series of two visits and one single request, a few slots, and bands on some arcs."""
    rng = np.random.default_rng(seed)
    request, node = np.nonzero(rng.random((5, 4)) < 0.6)
    n = len(request)
    flow = Instance(
        request=request,
        node=node,
        group=node,
        cost=rng.integers(0, 60, n),
        demand=np.ones(5, np.int64),
        unmet_cost=rng.integers(40, 90, 5),
        capacity=rng.integers(1, 3, 4),
        parent=np.full(4, -1),
        load_cost=np.zeros(4, np.int64),
    )
    arc, band = np.nonzero(rng.random((n, 2)) < 0.5)
    bands = Bands(
        arc=arc,
        rule=band,
        weight=np.where(band == 0, rng.integers(1, 3, len(arc)), 1),
        limit=whole(int(rng.integers(2, 5)), 9),
        least=whole(0, int(rng.integers(0, 4))),
        lack=whole(0, int(rng.integers(0, 50))),
    )
    none = np.zeros(0, np.int64)
    return SeriesInstance(
        flow=flow,
        face=node % 3,
        series=whole(0, 0, 1, 1, -1),
        free=whole(1, 1),
        most=whole(-1, 2),
        known_series=none,
        known_face=none,
        further_cost=int(rng.integers(0, 40)),
        stranger_cost=0,
        bands=bands,
    )


def cheapest(instance):
    """Enumerate all assignments."""
    best = None
    arcs = [[-1, *np.flatnonzero(instance.flow.request == r).tolist()] for r in range(5)]
    for chosen in itertools.product(*arcs):
        flow = np.zeros(len(instance.flow.request), np.int64)
        used = [a for a in chosen if a >= 0]
        flow[used] = 1
        load = np.bincount(instance.flow.node[used], minlength=4)
        faces = {int(instance.face[a]) for a in used if instance.series[instance.flow.request[a]] == 1}
        if (load > instance.flow.capacity).any() or len(faces) > 2 or not instance.bands.kept(flow):
            continue
        unmet = whole(*(int(a < 0) for a in chosen))
        cost = flow_cost(instance.flow, flow, unmet) + faces_cost(instance, flow) + instance.bands.cost(flow)
        best = cost if best is None else min(best, cost)
    return best


@pytest.mark.kernels
def test_a_search_keeps_to_bands_and_mostly_finds_the_best():
    exact = 0
    for seed in range(20):
        instance = random_instance(seed)
        nobody = np.zeros(len(instance.flow.request), np.int64)
        start = Solution(
            nobody, instance.flow.demand, np.zeros(5, np.int64), np.zeros(4, np.int64), "searched"
        )
        search = Search(instance, start, Control())
        search.start_anew(np.zeros(4, np.int64))
        search.improve(0)
        assert total_cost(instance, search.best) == search.cost >= cheapest(instance)
        exact += search.cost == cheapest(instance)
    assert exact >= 14  # 16 of 20


def test_whoever_must_come_is_served_before_all_others():
    flow = Instance(
        request=whole(0, 1),
        node=whole(0, 0),
        group=whole(0, 0),
        cost=whole(0, 50),
        demand=whole(1, 1),
        unmet_cost=whole(90, MUST),
        capacity=whole(1),
        parent=whole(-1),
        load_cost=whole(0),
    )
    none = np.zeros(0, np.int64)
    instance = SeriesInstance(
        flow, whole(0, 0), whole(-1, 0), whole(1), whole(-1), none, none, 0, 0, no_bands()
    )
    start = Solution(whole(0, 0), whole(1, 1), whole(0, 0), whole(0), "searched")
    search = Search(instance, start, Control())
    search.start_anew(whole(0))
    assert search.best.flow.tolist() == [0, 1]
    assert search.cost == 140
