"""Haining's 236 communities and villages: real names and codes, places laid around the town's seat."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd

from govmatch.datasets.columns import FloatArray, IntArray, TextArray, frame

ZONE = "Asia/Shanghai"
KM_PER_DEGREE = 111.195

# The source has no seat for these two; both adjoin 硖石, 海洲 to its south-west and 海昌 to its north-west.
_ASSUMED_SEATS = {"330481002": (30.5205, 120.6640), "330481003": (30.5530, 120.6690)}

# Square kilometres a place takes up: sub-districts are denser than towns. Half of what an even
# division of the county would give, because places gather around the seat.
_KM2_PER_PLACE = {"街道": 0.9, "镇": 1.8}

XISHAN = "330481001009"

# The account names neither the 18 communities nor Xishan's neighbours: this choice is ours.
_GREAT_XISHAN = {
    "330481001": (
        "西山社区",
        "东山社区",
        "由拳社区",
        "南关厢社区",
        "新华社区",
        "海青桥社区",
        "南苑社区",
        "群园社区",
    ),
    "330481002": ("海洲社区", "白漾社区", "成园社区", "梨园社区"),
    "330481003": ("碧云社区", "硖西社区", "洛隆社区"),
    "330481004": ("桐溪社区", "丰收社区", "经都社区"),
}
_NEIGHBOURS = ("西山社区", "东山社区", "由拳社区", "南关厢社区", "新华社区", "海青桥社区")


@dataclass(frozen=True)
class Places:
    """Communities by position, ordered by code."""

    code: TextArray  # (C,) 12 digits
    name: TextArray  # (C,) 西山社区, 博儒桥村, …
    town: IntArray  # (C,) position in `towns`
    village: IntArray  # (C,) 1: a village, 0: a community
    lat: FloatArray  # (C,) WGS-84
    lon: FloatArray  # (C,)
    great_xishan: IntArray  # (C,) 1: one of the 18
    towns: tuple[str, ...]
    town_codes: tuple[str, ...]
    urban: tuple[bool, ...]  # per town: a sub-district

    @property
    def n(self) -> int:
        """Number of communities."""
        return len(self.code)

    @property
    def xishan(self) -> int:
        """Position of 西山社区."""
        return int(np.flatnonzero(self.code == XISHAN)[0])

    def table(self) -> pd.DataFrame:
        """Return the `communities` table."""
        return frame(
            community_id=self.code,
            name=self.name,
            town=np.array(self.towns, dtype=object)[self.town],
            kind=np.array(["community", "village"], dtype=object)[self.village],
            lat=self.lat,
            lon=self.lon,
            placed=np.full(self.n, "assumed", dtype=object),
        )

    def chosen(self, keep: IntArray) -> Places:
        """Return the places at positions `keep` and their towns only."""
        towns = np.unique(self.town[keep])
        return Places(
            self.code[keep],
            self.name[keep],
            np.searchsorted(towns, self.town[keep]).astype(np.int64),
            self.village[keep],
            self.lat[keep],
            self.lon[keep],
            self.great_xishan[keep],
            tuple(self.towns[t] for t in towns),
            tuple(self.town_codes[t] for t in towns),
            tuple(self.urban[t] for t in towns),
        )


def places() -> Places:
    """Return all 236 places of Haining."""
    towns = sorted(_rows("haining_towns.csv"), key=lambda row: row["town_code"])
    villages = sorted(_rows("haining_villages.csv"), key=lambda row: row["village_code"])
    town_codes = tuple(row["town_code"] for row in towns)
    seats = np.array(
        [_ASSUMED_SEATS.get(row["town_code"]) or (float(row["lat"]), float(row["lon"])) for row in towns]
    )
    urban = tuple(row["town"].endswith("街道") for row in towns)
    names = [_short(row["village"]) for row in villages]
    town = np.array([town_codes.index(row["town_code"]) for row in villages], dtype=np.int64)
    lat, lon = _sunflower(seats, np.array([_KM2_PER_PLACE["街道" if u else "镇"] for u in urban]), town)
    great = [
        name in _GREAT_XISHAN.get(row["town_code"], ()) for row, name in zip(villages, names, strict=True)
    ]
    return Places(
        np.array([row["village_code"] for row in villages], dtype=object),
        np.array(names, dtype=object),
        town,
        np.array([row["village"].endswith("村委会") for row in villages], dtype=np.int64),
        lat,
        lon,
        np.array(great, dtype=np.int64),
        tuple(row["town"] for row in towns),
        town_codes,
        urban,
    )


def neighbourhood(everywhere: Places) -> IntArray:
    """Return the positions of 西山社区 and its five neighbours in 硖石街道."""
    return np.flatnonzero(np.isin(everywhere.name, _NEIGHBOURS) & (everywhere.great_xishan == 1))


def _rows(name: str) -> list[dict[str, str]]:
    text = files("govmatch.datasets").joinpath("data", name).read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def _short(name: str) -> str:
    # the committee's name becomes the place's: 西山社区居委会 → 西山社区, 博儒桥村委会 → 博儒桥村
    for ending in ("居民委员会", "居委会", "委会"):
        if name.endswith(ending):
            return name[: -len(ending)]
    return name


def _sunflower(seats: FloatArray, km2: FloatArray, town: IntArray) -> tuple[FloatArray, FloatArray]:
    """Lay each town's places on a sunflower's seeds around its seat, in the order of their codes.

    The i-th of n places lies at radius ``R * sqrt((i + 1/2) / n)`` and angle ``i`` golden angles,
    where ``pi R^2`` is the area that n places take up (H. Vogel 1979, doi 10.1016/0025-5564(79)90080-4).
    """
    count = np.bincount(town, minlength=len(seats))
    first = np.cumsum(count) - count
    i = np.arange(len(town)) - first[town]
    radius_km = np.sqrt(km2[town] * (i + 0.5) / np.pi)
    angle = i * np.pi * (3 - np.sqrt(5))
    lat = seats[town, 0] + radius_km * np.sin(angle) / KM_PER_DEGREE
    lon = seats[town, 1] + radius_km * np.cos(angle) / (KM_PER_DEGREE * np.cos(np.radians(seats[town, 0])))
    return np.round(lat, 6), np.round(lon, 6)
