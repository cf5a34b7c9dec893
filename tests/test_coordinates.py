import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from govmatch.errors import InvalidInput
from govmatch.model import coordinates as co
from govmatch.model.schema import CRS

WGS84, GCJ02, BD09 = range(3)


def test_codes_are_the_schema_s():
    assert CRS == ("wgs84", "gcj02", "bd09")


@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [  # points that implementations of the formula in a dozen languages agree on
        ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),  # Shanghai
        ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),  # Shenzhen
        ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),  # Beijing
        ((39.915, 116.404), (39.91640428150164, 116.41024449916938)),
    ],
)
def test_gcj02_known_points(wgs, gcj):
    assert np.allclose(co.wgs84_to_gcj02([wgs[0]], [wgs[1]]), [[gcj[0]], [gcj[1]]], atol=1e-12, rtol=0)
    assert np.allclose(co.to_wgs84([gcj[0]], [gcj[1]], [GCJ02]), [[wgs[0]], [wgs[1]]], atol=1e-11, rtol=0)


def test_bd09_known_point():
    lat, lon = co.wgs84_to_bd09([39.915], [116.404])
    assert np.allclose([lat[0], lon[0]], [39.922699552216216, 116.41662724378733], atol=1e-12, rtol=0)
    back = co.to_wgs84(lat, lon, [BD09])
    assert np.allclose([back[0][0], back[1][0]], [39.915, 116.404], atol=1e-11, rtol=0)


def test_round_trip_over_china_is_exact():
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(1, 55.5, 20_000), rng.uniform(72.1, 137.7, 20_000)
    codes = rng.integers(0, 3, 20_000)
    gcj, bd = co.wgs84_to_gcj02(lat, lon), co.wgs84_to_bd09(lat, lon)
    stated = [np.choose(codes, [plain, gcj[i], bd[i]]) for i, plain in enumerate((lat, lon))]
    back = co.to_wgs84(stated[0], stated[1], codes)
    assert np.abs(back[0] - lat).max() < 1e-11
    assert np.abs(back[1] - lon).max() < 1e-11


@pytest.mark.filterwarnings("error")
@given(
    st.lists(st.tuples(st.floats(), st.floats(), st.integers(0, 2)), max_size=20),
)
def test_any_float_passes_without_a_warning(rows):
    lat, lon, codes = (np.array([r[i] for r in rows], dtype=t) for i, t in enumerate((float, float, int)))
    back = co.to_wgs84(lat, lon, codes)
    outside = ~co.inside_china(lat, lon)
    assert np.array_equal(back[0][outside], lat[outside], equal_nan=True)
    assert np.array_equal(back[1][outside], lon[outside], equal_nan=True)
    assert np.all(np.abs(back[0][~outside] - lat[~outside]) < 0.02)
    assert np.all(np.abs(back[1][~outside] - lon[~outside]) < 0.03)


@pytest.mark.parametrize("code", [WGS84, GCJ02, BD09])
def test_abroad_and_unknown_places_stay(code):
    lat, lon = np.array([48.8566, np.nan, 30.5, np.inf]), np.array([2.3522, 120.0, np.nan, 120.0])
    for change in (co.wgs84_to_gcj02, co.wgs84_to_bd09, lambda a, o: co.to_wgs84(a, o, [code] * 4)):
        new_lat, new_lon = change(lat, lon)
        assert np.array_equal(new_lat, lat, equal_nan=True)
        assert np.array_equal(new_lon, lon, equal_nan=True)


def test_the_input_is_left_alone_and_empty_columns_work():
    lat, lon = np.array([30.5]), np.array([120.7])
    lat.setflags(write=False)
    co.to_wgs84(lat, lon, [GCJ02])
    assert lat[0] == 30.5
    assert [len(c) for c in co.to_wgs84([], [], [])] == [0, 0]


def test_wrong_arguments_are_named():
    with pytest.raises(InvalidInput, match=r"must have one shape; found \(2,\), \(1,\) and \(1,\)"):
        co.to_wgs84([1.0, 2.0], [1.0], [0])
    with pytest.raises(InvalidInput, match=r"crs_codes holds 7; expected 0 to 2, for wgs84, gcj02, bd09"):
        co.to_wgs84([1.0], [1.0], [7])
