"""Faults of coordinates: half a place, a place off the globe, latitude and longitude swapped."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from govmatch.model.encoded import BoolArray, FloatArray
from govmatch.model.sheets import Sheets
from govmatch.model.violations import Violations

_FAR_KM = 500.0
_NEAR_DEGREES = 4.0  # of latitude or longitude; never 500 km
_KM_PER_DEGREE = 111.2

TABLES = ("communities", "organizations", "volunteers", "sessions", "requests")


def check(sheets: Sheets, names: Collection[str], violations: Violations) -> None:
    """Report faults of the coordinates in the tables `names`."""
    lats, lons = [np.zeros(0)], [np.zeros(0)]
    for name in TABLES:
        sheet = sheets[name]
        lat, lon = sheet["lat"].values, sheet["lon"].values
        on_globe = (np.abs(lat) <= 90) & (np.abs(lon) <= 180)
        if name in names:
            _pairs(sheets, name, on_globe, violations)
        lats.append(lat[on_globe])
        lons.append(lon[on_globe])
    every_lat, every_lon = np.concatenate(lats), np.concatenate(lons)
    if not len(every_lat):
        return
    centre = float(np.median(every_lat)), float(np.median(every_lon))
    for name in TABLES:
        if name in names:
            _swapped(sheets, name, centre, violations)


def _pairs(sheets: Sheets, name: str, on_globe: BoolArray, violations: Violations) -> None:
    cells = {column: sheets[name][column] for column in ("lat", "lon")}
    sound = cells["lat"].sound & cells["lon"].sound
    has = {column: ~np.isnan(c.values) for column, c in cells.items()}
    if (has["lat"] != has["lon"]).any():
        for column, other in (("lat", "lon"), ("lon", "lat")):
            message = f"{column} is missing where {other} is {{}}; expected both or neither"
            half = ~has[column] & has[other] & sound
            violations.mask(name, column, "half_coordinate", message, half, cells[other].values)
    off = has["lat"] & has["lon"] & ~on_globe
    if not off.any():
        return
    lat, lon = cells["lat"].values, cells["lon"].values
    swapped = off & (np.abs(lat) > 90) & (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
    message = "the latitude {} is beyond 90 degrees and the longitude is not; are the two swapped?"
    violations.mask(name, "lat", "swapped_coordinates", message, swapped, lat)
    for column, values, limit in (("lat", lat, 90), ("lon", lon, 180)):
        wrong = off & ~swapped & (np.abs(values) > limit)
        message = f"expected a number from -{limit} to {limit} degrees; found {{}}"
        violations.mask(name, column, "out_of_range", message, wrong, values)


def _km(lat: FloatArray, lon: FloatArray, centre: tuple[float, float]) -> FloatArray:
    """Return rough distances from a centre; good enough to tell near from far."""
    aside = np.abs(lon - centre[1])
    aside = np.minimum(aside, 360.0 - aside) * np.cos(np.radians((lat + centre[0]) / 2))
    return _KM_PER_DEGREE * np.hypot(lat - centre[0], aside)


def _swapped(sheets: Sheets, name: str, centre: tuple[float, float], violations: Violations) -> None:
    lat, lon = sheets[name]["lat"].values, sheets[name]["lon"].values
    odd = (np.abs(lat - centre[0]) > _NEAR_DEGREES) | (np.abs(lon - centre[1]) > _NEAR_DEGREES)
    if not odd.any():
        return
    odd &= (np.abs(lat) <= 90) & (np.abs(lon) <= 90)
    odd[odd] = (_km(lat[odd], lon[odd], centre) > _FAR_KM) & (_km(lon[odd], lat[odd], centre) <= _FAR_KM)
    message = (
        f"with the latitude {{}} the place lies more than {_FAR_KM:.0f} km from the middle of all places, "
        "and near it with lat and lon swapped"
    )
    violations.mask(name, "lat", "swapped_coordinates", message, odd, lat)
