import math
import os
import pickle
from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govmatch.errors import InvalidInput
from govmatch.model.policy import Policy, TravelRules
from govmatch.model.problem import Problem
from govmatch.model.schema import MODES
from govmatch.plan.decode import Pairs, assignments_frame
from govmatch.plan.explain import explain
from govmatch.plan.match import match
from govmatch.reach.travel import GreatCircle, checked_minutes
from tests.towns import hand_town

pytestmark = pytest.mark.kernels

SPEEDS = {"walk": 4.5, "ebike": 18.0, "car": 30.0}


def haversine_minutes(lat1, lon1, lat2, lon2, mode, circle):
    a, b = np.radians(lat1), np.radians(lat2)
    square = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    km = 2 * 6371.0088 * np.arcsin(np.sqrt(np.clip(square, 0, 1)))
    speed = np.array([circle.speed_kmh[m] for m in MODES])[mode]
    return km * circle.detour / speed * 60


def pair_of(circle, lat1, lon1, lat2, lon2, mode=0):
    pairs = circle.prepare([lat1], [lon1], np.array([mode], dtype=np.int8), [lat2], [lon2])
    return float(pairs.minutes(np.array([0], dtype=np.int32), np.array([0], dtype=np.int32))[0])


def test_blocks_agree_with_the_haversine_formula_over_a_county():
    rng = np.random.default_rng(1)
    p, r, n = 300, 200, 5_000
    lat1, lon1 = 30.2 + 0.5 * rng.random(p), 120.3 + 0.8 * rng.random(p)
    lat2, lon2 = 30.2 + 0.5 * rng.random(r), 120.3 + 0.8 * rng.random(r)
    mode = rng.integers(0, 3, p).astype(np.int8)
    o, d = rng.integers(0, p, n).astype(np.int32), rng.integers(0, r, n).astype(np.int32)
    circle = GreatCircle()
    got = circle.prepare(lat1, lon1, mode, lat2, lon2).minutes(o, d)
    expected = haversine_minutes(lat1[o], lon1[o], lat2[d], lon2[d], mode[o], circle)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)


@settings(max_examples=200, deadline=None)
@given(*[st.floats(-90, 90), st.floats(-180, 180)] * 2, st.integers(0, 2))
def test_any_two_places_agree_with_the_haversine_formula(lat1, lon1, lat2, lon2, mode):
    circle = GreatCircle()
    expected = haversine_minutes(lat1, lon1, lat2, lon2, mode, circle)
    # Towards the antipodes the haversine itself loses digits: asin has no slope left there.
    half_round = math.pi * 6371.0088 * circle.detour / list(SPEEDS.values())[mode] * 60
    tolerance = 1e-6 if expected < 0.95 * half_round else 0.1
    assert pair_of(circle, lat1, lon1, lat2, lon2, mode) == pytest.approx(expected, rel=0, abs=tolerance)


def test_one_degree_of_the_equator_on_foot():
    assert pair_of(GreatCircle(1.0, SPEEDS), 0, 0, 0, 1) == pytest.approx(
        6371.0088 * math.pi / 180 / 4.5 * 60
    )


def test_the_antipode_is_half_way_round():
    half_round = 6371.0088 * math.pi / 4.5 * 60
    assert pair_of(GreatCircle(1.0, SPEEDS), 0, 0, 0, 180) == pytest.approx(half_round)


def test_an_unknown_coordinate_on_either_side_gives_nan():
    pairs = GreatCircle().prepare([30.0, np.nan], [120.0, 120.0], [0, 0], [30.1, 30.1], [120.0, np.nan])
    minutes = pairs.minutes(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    assert np.isnan(minutes).tolist() == [False, True, True, True]


def test_no_places_and_no_pairs():
    pairs = GreatCircle().prepare([], [], [], [], [])
    assert pairs.minutes(np.array([], dtype=np.int32), np.array([], dtype=np.int32)).shape == (0,)


def test_the_policy_gives_detour_and_speeds():
    rules = TravelRules(detour=2.0, speed_kmh={**SPEEDS, "car": 60.0})
    circle = GreatCircle.from_policy(replace(Policy(), travel=rules))
    assert circle == GreatCircle(2.0, {**SPEEDS, "car": 60.0})
    assert pair_of(circle, 0, 0, 0, 1, mode=2) == pytest.approx(6371.0088 * math.pi / 180 * 2)


def test_the_fingerprint_changes_with_what_matters_and_with_nothing_else():
    base = GreatCircle(1.3, SPEEDS)
    assert base.fingerprint == GreatCircle(1.3, dict(reversed(SPEEDS.items()))).fingerprint
    assert base.fingerprint != GreatCircle(1.4, SPEEDS).fingerprint
    assert base.fingerprint != GreatCircle(1.3, {**SPEEDS, "walk": 5.0}).fingerprint


def test_it_can_be_pickled():
    assert pickle.loads(pickle.dumps(GreatCircle(1.5, SPEEDS))) == GreatCircle(1.5, SPEEDS)


@pytest.mark.parametrize(
    ("detour", "speeds", "message"),
    [
        (0.9, SPEEDS, "detour is 0.9; expected a finite number of 1 or more"),
        (math.nan, SPEEDS, "detour is nan"),
        ("1", SPEEDS, "detour is '1'"),
        (10**400, SPEEDS, "detour is 1000.*…; expected a finite number of 1 or more"),
        (1.3, {**SPEEDS, "car": 10**400}, r"speed_kmh\['car'\] is 1000.*…; expected a finite number above 0"),
        (1.3, 18.0, "speed_kmh is 18.0; expected a mapping"),
        (1.3, {**SPEEDS, "horse": 20}, "speed_kmh has the mode 'horse'; expected walk, ebike, car"),
        (1.3, {"walk": 4.5, "car": 30.0}, "speed_kmh lacks the mode 'ebike'"),
        (1.3, {**SPEEDS, "walk": 0}, r"speed_kmh\['walk'\] is 0; expected a finite number above 0"),
        (1.3, {**SPEEDS, "walk": math.inf}, r"speed_kmh\['walk'\] is inf"),
    ],
)
def test_wrong_rules_are_named(detour, speeds, message):
    with pytest.raises(InvalidInput, match=message):
        GreatCircle(detour, speeds)


def test_a_number_that_python_does_not_write_is_described():
    with pytest.raises(InvalidInput, match="detour is int too long to be written; expected a finite"):
        GreatCircle(10**5000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [], [0], [], []), r"origin_lat has shape \(1,\), origin_lon \(0,\)"),
        ((["x"], [1.0], [0], [], []), "origin_lat and origin_lon are to be numbers in degrees"),
        (([10**400], [1.0], [0], [], []), "origin_lat and origin_lon are to be numbers in degrees"),
        (([120.0], [30.0], [0], [], []), "origin 0 lies at lat 120.0, lon 30.0; expected ±90 and ±180"),
        (([], [], [], [0.0], [np.inf]), "destination 0 lies at lat 0.0, lon inf"),
        (([1.0], [1.0], [0, 0], [], []), r"origin_mode has shape \(2,\); expected \(1,\)"),
        (([1.0], [1.0], [0.5], [], []), "origin_mode has dtype float64"),
        (([1.0, 1.0], [1.0, 1.0], [0, 3], [], []), r"origin_mode\[1\] is 3; expected 0 to 2"),
    ],
)
def test_wrong_places_are_named(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        GreatCircle().prepare(*arguments)


@pytest.mark.parametrize(
    ("origins", "destinations", "message"),
    [
        ([0, 1], [0], "2 origins and 1 destinations; expected pairs"),
        ([0, 2], [0, 0], r"pair 1 is \(2, 0\); expected positions below 2 origins and 1 destinations"),
        ([0, 0], [0, -1], r"pair 1 is \(0, -1\)"),
        ([2**40], [0], r"pair 0 is"),
        ([0.0], [0], "origins has shape .1,. and dtype float64; expected integers"),
        ([[0]], [0], r"origins has shape \(1, 1\)"),
    ],
)
def test_wrong_pairs_are_named(origins, destinations, message):
    pairs = GreatCircle().prepare([0.0, 1.0], [0.0, 1.0], [0, 0], [0.0], [0.0])
    with pytest.raises(InvalidInput, match=message):
        pairs.minutes(np.array(origins), np.array(destinations))


class CrowPairs:
    """A plug of a user: answers with what it was made with."""

    def __init__(self, answer):
        self._answer = answer

    def minutes(self, origins, destinations):
        return self._answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros(2), r"CrowPairs.minutes returned float64 of shape \(2,\); expected .* shape \(3,\)"),
        (np.zeros((3, 1)), r"returned float64 of shape \(3, 1\)"),
        (np.zeros(3, dtype=np.float32), r"returned float32 of shape \(3,\); expected a float64 array"),
        (np.array(["1", "2", "3"]), r"CrowPairs.minutes returned <U1 of shape"),
        ([1.0, 2.0, 3.0], r"CrowPairs.minutes returned a list; expected a float64 array of shape \(3,\)"),
        (None, "CrowPairs.minutes returned a NoneType"),
        (
            np.array([1.0, -50.0, 2.0]),
            r"CrowPairs.minutes returned -50.0 minutes from origin 5 to destination 8; expected 0 or more",
        ),
        (np.array([np.nan, np.inf, -np.inf]), "returned -inf minutes from origin 6 to destination 9"),
    ],
)
def test_an_answer_of_a_plug_that_no_loop_may_trust_is_named(answer, message):
    with pytest.raises(InvalidInput, match=message):
        checked_minutes(CrowPairs(answer), np.array([4, 5, 6]), np.array([7, 8, 9]))


def test_a_plug_that_prepares_something_else_is_named():
    with pytest.raises(InvalidInput, match="prepare returned a NoneType without `minutes`"):
        checked_minutes(None, np.array([0]), np.array([0]))


def test_a_sound_answer_is_passed_on_contiguous_and_writeable():
    answer = np.array([0.0, 9.0, np.nan, 9.0, np.inf, 9.0])[::2]
    answer.flags.writeable = False
    passed = checked_minutes(CrowPairs(answer), np.arange(3), np.arange(3))
    np.testing.assert_array_equal(passed, [0.0, np.nan, np.inf])
    assert passed.flags.c_contiguous and passed.flags.writeable


class Wrong:
    """A whole plug whose answers have the mistake that it is made with."""

    fingerprint = "wrong"

    def __init__(self, mistake):
        self._mistake = mistake

    def prepare(self, *places):
        return self

    def minutes(self, origins, destinations):
        return self._mistake(np.full(len(origins), 5.0))


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda m: m[:-1], r"Wrong.minutes returned float64 of shape .*; expected a float64 array of shape"),
        (lambda m: m - 55, "Wrong.minutes returned -50.0 minutes from origin .*; expected 0 or more"),
        (list, "Wrong.minutes returned a list"),
    ],
)
def test_no_plan_is_made_of_answers_that_are_wrong(mistake, message):
    problem = Problem.from_tables(hand_town(), travel=Wrong(mistake))
    with pytest.raises(InvalidInput, match=message):
        match(problem)


def test_decoding_and_explaining_ask_as_carefully_as_the_search():
    problem = Problem.from_tables(hand_town())
    plan = match(problem)
    search = replace(plan.search, travel=Wrong(lambda minutes: minutes[:-1]))
    with pytest.raises(InvalidInput, match="returned float64 of shape"):
        explain(replace(plan, search=search), plan.assignments["request_id"].iloc[0])
    pairs = Pairs(search.arcs.request, search.arcs.slot)
    with pytest.raises(InvalidInput, match="returned float64 of shape"):
        assignments_frame(problem, search.units, pairs, search, search.paths)


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="the speed of compiled code")
def test_a_million_pairs_take_a_fraction_of_a_second():
    rng = np.random.default_rng(2)
    pairs = GreatCircle().prepare(
        rng.random(5_000), rng.random(5_000), np.zeros(5_000, dtype=np.int8), rng.random(500), rng.random(500)
    )
    o, d = rng.integers(0, 5_000, 10**6).astype(np.int32), rng.integers(0, 500, 10**6).astype(np.int32)
    pairs.minutes(o[:1], d[:1])
    started = perf_counter()
    pairs.minutes(o, d)
    assert perf_counter() - started < 0.5, "loose; 0.01 s were measured"
