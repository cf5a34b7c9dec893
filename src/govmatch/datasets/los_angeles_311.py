"""Los Angeles: one real day of residents' requests, real councils and adjacency, synthetic supply.

Source: City of Los Angeles, MyLA311 service requests and EmpowerLA neighborhood councils (city open
data). Nothing of it ships with this package; `docs/los_angeles.md` says how to lay out the folder.

What becomes what: a neighborhood council is a community, the regional alliances are the tier above
the councils, adjacent councils share by federation, a type of request is a skill. Crews and
volunteers are synthetic, sized by the day's own demand.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from govmatch.datasets.columns import (
    HIGHEST_SEED,
    FloatArray,
    IntArray,
    TextArray,
    frame,
    generator,
    localised,
    moments,
    numbered,
    pick,
    whole,
)
from govmatch.errors import InvalidInput
from govmatch.model.policy import Policy, TravelRules
from govmatch.model.suggest import shown

ZONE = "America/Los_Angeles"

_FILES = {
    "requests": (
        "la311_40k.csv.gz",
        (
            *("srnumber", "createddate", "requesttype", "requestsource", "owner", "status"),
            *("latitude", "longitude", "nc"),
        ),
    ),
    "councils": ("councils_data.csv", ("council_id", "council_name", "region_id", "latitude", "longitude")),
    "regions": ("regions_data.csv", ("region_id", "region_name")),
    "adjacency": ("nc_adjacency.csv", ("nc_a", "nc_b")),
    "population": ("NC_pop_2020.csv", ("council_name", "population")),
}  # fmt: skip

_KEYS = {"council_id", "region_id", "nc_a", "nc_b"}
_NUMBERS = _KEYS | {"latitude", "longitude", "nc", "population"}

# (minutes at the door, priority): assumptions, the source holds neither
_TYPES = {
    "Bulky Items": (20, 2),
    "Graffiti Removal": (30, 2),
    "Illegal Dumping Pickup": (30, 3),
    "Metal/Household Appliances": (20, 2),
    "Electronic Waste": (15, 2),
    "Homeless Encampment": (60, 4),
    "Dead Animal Removal": (15, 4),
    "Single Streetlight Issue": (45, 3),
    "Multiple Streetlight Issue": (60, 3),
    "Report Water Waste": (30, 3),
}
_OTHER = (30, 1)
_BY_VOLUNTEERS = ("Graffiti Removal", "Homeless Encampment", "Other", "Feedback")

_SHIFTS = np.array([(420, 540), (540, 660), (660, 780), (780, 900), (900, 1020)])
_DAYS = 2  # a request is to be met on its own day or the next
_CREW_COVER = 0.97  # jobs that crews can take in these days, relative to the jobs that are asked
_VOLUNTEERS_PER_REQUEST = 0.25
_PART = 20


@dataclass(frozen=True)
class _City:
    requests: pd.DataFrame
    councils: pd.DataFrame
    regions: pd.DataFrame
    adjacency: pd.DataFrame
    population: pd.DataFrame


def policy() -> Policy:
    """Return a policy in the city's time zone, with crews that drive."""
    travel = TravelRules(mode="car", max_minutes=60.0)
    return Policy(
        name="los-angeles",
        description="Los Angeles: local time, providers drive",
        time_zone=ZONE,
        travel=travel,
    )


def tables_of_a_day(
    folder: str | os.PathLike[str], day: str | None = None, seed: int = 0
) -> dict[str, pd.DataFrame]:
    """Return the tables of one day; see `govmatch.datasets.los_angeles`."""
    seed = whole("seed", seed, HIGHEST_SEED)
    given: object = folder
    if not isinstance(given, str | os.PathLike):
        raise InvalidInput(f"folder is {shown(folder)}; expected a path")
    city = _read(Path(folder))
    day = _day_of(city.requests, day)
    councils = city.councils.sort_values("council_id", ignore_index=True)
    asked = city.requests[city.requests["createddate"].str[:10] == day]
    open_requests = asked[asked["status"] != "Cancelled"].reset_index(drop=True)
    council = _council_of(open_requests, councils)
    kept = council >= 0
    requests, council = open_requests[kept].reset_index(drop=True), council[kept]
    region = np.searchsorted(np.sort(city.regions["region_id"]), councils["region_id"])
    supply = _supply(requests, council, councils, region, seed, day)
    return {
        "communities": _communities(councils, city.regions),
        "party_units": _tiers(councils, city.regions),
        "agreements": _federation(city.adjacency),
        **supply,
        "requests": _requests(requests, council, councils, day),
        "population": _population(councils, city.population),
        "about": _about(day, len(asked), len(open_requests), len(requests), seed),
    }


def _read(folder: Path) -> _City:
    read = {}
    for name, (file, columns) in _FILES.items():
        path = folder / file
        if not path.is_file():
            raise InvalidInput(
                f"folder {str(folder)!r} holds no {file}; expected the files {', '.join(_names())}"
            )
        try:
            table = pd.read_csv(path)
        except (ValueError, OSError, EOFError) as fault:
            raise InvalidInput(f"{file} cannot be read as CSV: {fault}") from fault
        missing = [column for column in columns if column not in table.columns]
        if missing:
            found = ", ".join(map(str, table.columns))
            raise InvalidInput(f"{file} lacks the column(s) {', '.join(missing)}; found {found}")
        for column in _NUMBERS.intersection(columns):
            table[column] = _number(table[column], file)
        for column in _KEYS.intersection(columns):
            table[column] = table[column].astype(np.int64)
        read[name] = table
    city = _City(**read)
    lost = ~city.councils["region_id"].isin(city.regions["region_id"])
    if lost.any():
        raise InvalidInput(
            f"councils_data.csv row {int(lost.argmax()) + 2}: no such region in regions_data.csv"
        )
    return city


def _number(column: pd.Series[Any], file: str) -> pd.Series[Any]:
    values = pd.to_numeric(column, errors="coerce")
    key = column.name in _KEYS
    wrong = values.isna() | ~values.between(0, 999) if key else values.isna() & column.notna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        expected = "a whole number from 0 to 999" if key else "a number"
        raise InvalidInput(
            f"{file} row {row + 2}, column {column.name}: found {column.tolist()[row]!r}; expected {expected}"
        )
    return values


def _names() -> list[str]:
    return [file for file, _ in _FILES.values()]


def _day_of(requests: pd.DataFrame, day: str | None) -> str:
    created = pd.to_datetime(requests["createddate"], errors="coerce", format="%Y-%m-%d %H:%M:%S")
    if created.isna().any():
        row = int(created.isna().to_numpy().argmax())
        found = requests["createddate"].iloc[row]
        raise InvalidInput(
            f"{_FILES['requests'][0]} row {row + 2}, column createddate: found {found!r}; "
            "expected a time such as '2018-01-02 08:30:00'"
        )
    count = created.dt.strftime("%Y-%m-%d").value_counts().sort_index()
    if count.empty:
        raise InvalidInput(f"{_FILES['requests'][0]} holds no requests")
    if day is None:
        return str(count.idxmax())
    if day not in count.index.tolist():
        raise InvalidInput(
            f"day is {shown(day)}, on which nothing was asked; the file holds {', '.join(count.index)}"
        )
    return day


def _council_of(requests: pd.DataFrame, councils: pd.DataFrame) -> IntArray:
    """Return each request's council: as recorded, else the nearest by centre, else -1."""
    ids = councils["council_id"].to_numpy()
    recorded = requests["nc"].fillna(-1).to_numpy().astype(np.int64)
    position = np.minimum(np.searchsorted(ids, recorded), len(ids) - 1)
    known = ids[position] == recorded
    lat, lon = requests["latitude"].to_numpy(), requests["longitude"].to_numpy()
    lost = np.flatnonzero(~known & ~np.isnan(lat))
    north = lat[lost, None] - councils["latitude"].to_numpy()
    east = (lon[lost, None] - councils["longitude"].to_numpy()) * np.cos(np.radians(34.0))
    council = np.where(known, position, -1)
    council[lost] = np.argmin(north**2 + east**2, axis=1)
    return council.astype(np.int64)


def _community_id(council_id: object) -> TextArray:
    return numbered("NC-", np.asarray(council_id), 3)


def _communities(councils: pd.DataFrame, regions: pd.DataFrame) -> pd.DataFrame:
    names = regions.set_index("region_id")["region_name"]
    n = len(councils)
    return frame(
        community_id=_community_id(councils["council_id"]),
        name=councils["council_name"].to_numpy(dtype=object),
        town=councils["region_id"].map(names).to_numpy(dtype=object),
        kind=np.full(n, "community", dtype=object),
        lat=councils["latitude"].to_numpy(),
        lon=councils["longitude"].to_numpy(),
        placed=np.full(n, "surveyed", dtype=object),
    )


def _tiers(councils: pd.DataFrame, regions: pd.DataFrame) -> pd.DataFrame:
    """Two tiers: a regional alliance, and below it one unit a council, which serves that council."""
    above = numbered("REGION-", regions["region_id"], 2)
    n, m = len(regions), len(councils)
    none = np.full(n, None, dtype=object)
    return frame(
        unit_id=np.concatenate([above, numbered("COUNCIL-", councils["council_id"], 3)]),
        name=np.concatenate(
            [regions["region_name"].to_numpy(dtype=object), councils["council_name"].to_numpy(dtype=object)]
        ),
        kind=np.repeat(np.array(["committee", "branch"], dtype=object), [n, m]),
        parent_id=np.concatenate([none, numbered("REGION-", councils["region_id"], 2)]),
        community_id=np.concatenate([none, _community_id(councils["council_id"])]),
    )


def _federation(adjacency: pd.DataFrame) -> pd.DataFrame:
    n = len(adjacency)
    return frame(
        agreement_id=numbered("F-", np.arange(1, n + 1), 4),
        from_id=_community_id(adjacency["nc_a"]),
        to_id=_community_id(adjacency["nc_b"]),
        kind=np.full(n, "federation", dtype=object),
    )


def _skill(kind: pd.Series[Any]) -> TextArray:
    return kind.str.lower().str.replace(r"[^a-z]+", "_", regex=True).to_numpy(dtype=object)


def _requests(requests: pd.DataFrame, council: IntArray, councils: pd.DataFrame, day: str) -> pd.DataFrame:
    n = len(requests)
    minutes, priority = (
        np.array([_TYPES.get(kind, _OTHER) for kind in requests["requesttype"]]).reshape(n, 2).T
    )
    # to the minute, as slots are
    created = localised(requests["createddate"].to_numpy(dtype="datetime64[m]"), ZONE)
    return frame(
        request_id=requests["srnumber"].to_numpy(dtype=object),
        community_id=_community_id(councils["council_id"].to_numpy()[council]),
        category=requests["requesttype"].to_numpy(dtype=object),
        skill=_skill(requests["requesttype"]),
        earliest=created,
        latest=moments(day, np.full(n, _DAYS * 1440 - 1), ZONE),
        minutes=minutes,
        priority=priority,
        lat=requests["latitude"].to_numpy(),
        lon=requests["longitude"].to_numpy(),
        channel=requests["requestsource"].to_numpy(dtype=object),
        submitted=created,
    )  # fmt: skip


def _supply(
    requests: pd.DataFrame, council: IntArray, councils: pd.DataFrame, region: IntArray, seed: int, day: str
) -> dict[str, pd.DataFrame]:
    """Draw crews (one a region, agency and type of request) and volunteers in the councils."""
    rng = generator(seed, _PART)
    crews = (
        pd.DataFrame(
            {
                "region": region[council],
                "owner": requests["owner"].to_numpy(dtype=object),
                "kind": requests["requesttype"].to_numpy(dtype=object),
            }
        )
        .groupby(["region", "owner", "kind"], as_index=False)
        .size()
    )
    slots = len(_SHIFTS) * _DAYS
    staff = np.ceil(crews["size"].to_numpy() * _CREW_COVER * rng.uniform(0.85, 1.15, len(crews)) / slots)
    base = _base(rng, crews["region"].to_numpy(), region)
    crew_id = numbered("CREW-", np.arange(1, len(crews) + 1), 4)
    kinds = crews["kind"].to_numpy(dtype=object)
    organizations = frame(
        organization_id=crew_id,
        name=crews["owner"].to_numpy(dtype=object) + " crew (synthetic), " + kinds,
        kind=np.full(len(crews), "public_institution", dtype=object),
        field=kinds,
        community_id=_community_id(councils["council_id"].to_numpy()[base]),
        party_unit_id=numbered("REGION-", councils["region_id"].to_numpy()[base], 2),
        capacity_per_slot=staff.astype(np.int64),
    )
    n = round(len(requests) * _VOLUNTEERS_PER_REQUEST)
    busy: FloatArray = np.bincount(council, minlength=len(councils)).astype(np.float64)
    home = pick(rng, busy + 1.0, n)
    volunteer_id = numbered("V-", np.arange(1, n + 1), 5)
    north, east = rng.normal(0, 0.008, (2, n)).clip(-0.02, 0.02)
    volunteers = frame(
        volunteer_id=volunteer_id,
        community_id=_community_id(councils["council_id"].to_numpy()[home]),
        lat=councils["latitude"].to_numpy()[home] + north,
        lon=councils["longitude"].to_numpy()[home] + east,
    )
    offered = np.array(_BY_VOLUNTEERS, dtype=object)[pick(rng, np.array([6.0, 1.5, 1.5, 0.2]), n)]
    skills = frame(
        provider_id=np.concatenate([crew_id, volunteer_id]),
        skill=_skill(pd.Series(np.concatenate([kinds, offered]), dtype=object)),
        level=np.concatenate([np.full(len(crews), 2), rng.integers(1, 4, n)]),
    )
    availability = _availability(rng, crew_id, volunteer_id, day)
    return {
        "organizations": organizations,
        "volunteers": volunteers,
        "skills": skills,
        "availability": availability,
    }


def _base(rng: np.random.Generator, crew_region: IntArray, region: IntArray) -> IntArray:
    """Draw a council of its region as each crew's base."""
    order = np.argsort(region, kind="stable")
    count = np.bincount(region)
    first = np.cumsum(count) - count
    within = (rng.random(len(crew_region)) * count[crew_region]).astype(np.int64)
    return np.asarray(order[first[crew_region] + within], dtype=np.int64)


def _availability(
    rng: np.random.Generator,
    crew_id: TextArray,
    volunteer_id: TextArray,
    day: str,
) -> pd.DataFrame:
    pieces = np.concatenate([_SHIFTS + 1440 * d for d in range(_DAYS)])
    starts = rng.choice([540, 780, 1020], len(volunteer_id)) + 1440 * rng.integers(
        0, _DAYS, len(volunteer_id)
    )
    crew = np.tile(pieces, (len(crew_id), 1))
    return frame(
        provider_id=np.concatenate([np.repeat(crew_id, len(pieces)), volunteer_id]),
        start=moments(day, np.concatenate([crew[:, 0], starts]), ZONE),
        end=moments(day, np.concatenate([crew[:, 1], starts + 180]), ZONE),
    )


def _population(councils: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    counted = councils[["council_id", "council_name"]].merge(
        population.drop_duplicates("council_name"), on="council_name"
    )
    counts: FloatArray = counted["population"].to_numpy(dtype=np.float64)
    return frame(
        community_id=_community_id(counted["council_id"]),
        group=np.full(len(counted), "all", dtype=object),
        count=np.round(counts).astype(np.int64),
    )


def _about(day: str, asked: int, open_requests: int, kept: int, seed: int) -> pd.DataFrame:
    facts = {
        "title": f"Los Angeles, requests of {day}",
        "title_zh": f"洛杉矶 {day} 的居民诉求",
        "people": "synthetic",
        "synthetic": "crews, volunteers, durations and priorities are synthetic; requests, places and "
        "councils are real 服务队伍、志愿者、时长与优先级为合成数据;诉求、地点与社区委员会为真实数据",
        "source": "City of Los Angeles open data: MyLA311 service requests, EmpowerLA neighborhood councils",
        "left_out": f"of {asked} requests of the day {asked - open_requests} were cancelled and "
        f"{open_requests - kept} have neither council nor coordinates",
        "seed": str(seed),
    }
    return frame(key=np.array(list(facts), dtype=object), value=np.array(list(facts.values()), dtype=object))
