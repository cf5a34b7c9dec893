import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import govmatch as gm
from govmatch.errors import InvalidInput

ZONE = "America/Los_Angeles"


@pytest.fixture(scope="session")
def real():
    """The folder of the city's rows."""
    data = Path(os.environ.get("GOVMATCH_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (data / "la_311").is_dir():
        pytest.skip("Los Angeles' requests are absent; GOVMATCH_DATA names the folder that holds la_311/")
    return data / "la_311"


@pytest.fixture
def small(tmp_path):
    """A made-up city of three councils in the files' layout."""
    requests = pd.DataFrame(
        {
            "srnumber": ["1-1", "1-2", "1-3", "1-4", "1-5"],
            "createddate": ["2018-03-11 08:30:15"] * 4 + ["2018-03-12 09:00:00"],
            "requesttype": ["Bulky Items", "Graffiti Removal", "Bulky Items", "Bulky Items", "Other"],
            "requestsource": ["Call"] * 5,
            "owner": ["BOS", "OCB", "BOS", "BOS", "ITA"],
            "status": ["Closed", "Open", "Cancelled", "Closed", "Closed"],
            "latitude": [34.01, 34.19, 34.0, np.nan, 34.1],
            "longitude": [-118.3, -118.41, -118.3, np.nan, -118.4],
            "nc": [1, 999, 1, np.nan, 2],
        }
    )
    requests.to_csv(tmp_path / "la311_40k.csv.gz", index=False)
    pd.DataFrame(
        {
            "council_id": [3, 1, 2],
            "council_name": ["North", "South", "Middle"],
            "region_id": [20, 10, 10],
            "latitude": [34.2, 34.0, 34.1],
            "longitude": [-118.4, -118.3, -118.4],
        }
    ).to_csv(tmp_path / "councils_data.csv", index=False)
    pd.DataFrame({"region_id": [10, 20], "region_name": ["Lower", "Upper"]}).to_csv(
        tmp_path / "regions_data.csv", index=False
    )
    pd.DataFrame({"nc_a": [1, 2], "nc_b": [2, 3]}).to_csv(tmp_path / "nc_adjacency.csv", index=False)
    pd.DataFrame({"council_name": ["South", "North"], "population": [10_000, 20_000]}).to_csv(
        tmp_path / "NC_pop_2020.csv", index=False
    )
    return tmp_path


def spoil(folder, file, **columns):
    table = pd.read_csv(folder / file).astype(object)
    for column, value in columns.items():
        table.loc[0, column] = value
    table.to_csv(folder / file, index=False)


def test_councils_regions_and_adjacency_become_the_alliance(small):
    tables = gm.datasets.los_angeles(small)
    named = tables["communities"].set_index("community_id")
    assert named.loc["NC-003", ["name", "town"]].tolist() == ["North", "Upper"]
    units = tables["party_units"].set_index("unit_id")
    assert units.loc["COUNCIL-003", ["parent_id", "community_id"]].tolist() == ["REGION-20", "NC-003"]
    assert set(tables["agreements"]["kind"]) == {"federation"}
    assert tables["population"]["count"].tolist() == [10_000, 20_000]


def test_requests_keep_their_times_places_and_types(small):
    requests = gm.datasets.los_angeles(small, day="2018-03-11")["requests"].set_index("request_id")
    assert list(requests.index) == ["1-1", "1-2"]
    assert requests.loc["1-1", "earliest"] == pd.Timestamp("2018-03-11 08:30", tz=ZONE)
    assert requests.loc["1-1", "latest"] == pd.Timestamp("2018-03-12 23:59", tz=ZONE)
    assert requests.loc["1-1", "skill"] == "bulky_items"
    assert requests.loc["1-2", "community_id"] == "NC-003"  # unknown council: the nearest


def test_what_was_left_out_is_said(small):
    about = gm.datasets.los_angeles(small)["about"].set_index("key")["value"]
    assert about["left_out"] == (
        "of 4 requests of the day 1 were cancelled and 1 have neither council nor coordinates"
    )
    assert about["people"] == "synthetic"
    assert "MyLA311" in about["source"]


def test_the_policy_keeps_the_citys_time():
    policy = gm.datasets.los_angeles_policy()
    assert policy.time_zone == ZONE
    assert policy.travel.mode == "car"


def test_the_made_up_city_is_matched(small):
    tables = gm.datasets.los_angeles(small)
    problem = gm.Problem.from_tables(tables, policy=gm.datasets.los_angeles_policy())
    plan = gm.match(problem)
    gm.verify(problem, plan).raise_for_faults()
    assert set(plan.assignments["request_id"]) == {"1-1", "1-2"}


def test_a_missing_file_is_named(small):
    (small / "regions_data.csv").unlink()
    with pytest.raises(InvalidInput, match=r"holds no regions_data.csv; expected the files la311_40k.csv.gz"):
        gm.datasets.los_angeles(small)


def test_a_missing_column_is_named(small):
    pd.DataFrame({"nc_a": [1], "b": [2]}).to_csv(small / "nc_adjacency.csv", index=False)
    with pytest.raises(InvalidInput, match=r"nc_adjacency.csv lacks the column\(s\) nc_b; found nc_a, b"):
        gm.datasets.los_angeles(small)


@pytest.mark.parametrize("content", [b"", b"not gzip", b"\x1f\x8b\x08\x00"])
def test_an_unreadable_file_is_named(small, content):
    (small / "la311_40k.csv.gz").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"la311_40k.csv.gz cannot be read as CSV"):
        gm.datasets.los_angeles(small)


@pytest.mark.parametrize(
    ("file", "column", "value", "words"),
    [
        ("councils_data.csv", "council_id", "x", "column council_id: found 'x'; expected a whole number"),
        ("councils_data.csv", "council_id", -4, "column council_id: found -4; expected a whole number"),
        ("councils_data.csv", "region_id", 77, "row 2: no such region in regions_data.csv"),
        ("la311_40k.csv.gz", "latitude", "north", "row 2, column latitude: found 'north'; expected a number"),
        (
            "la311_40k.csv.gz",
            "createddate",
            "noon",
            "row 2, column createddate: found 'noon'; expected a time",
        ),
    ],
)
def test_a_wrong_value_is_named(small, file, column, value, words):
    spoil(small, file, **{column: value})
    with pytest.raises(InvalidInput, match=words):
        gm.datasets.los_angeles(small)


def test_a_day_without_requests_is_named(small):
    with pytest.raises(InvalidInput, match="nothing was asked; the file holds 2018-03-11, 2018-03-12"):
        gm.datasets.los_angeles(small, day="2018-05-05")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seed": -1}, "seed is -1; expected a whole number from 0"),
        ({"seed": 10**400}, "seed is 1000.*…; expected a whole number"),
        ({"day": ["2018-03-11"]}, r"day is \['2018-03-11'\], on which nothing was asked"),
        ({"folder": None}, "folder is None; expected a path"),
    ],
)
def test_a_wrong_argument_is_named(small, arguments, words):
    with pytest.raises(InvalidInput, match=words):
        gm.datasets.los_angeles(**{"folder": small, **arguments})


def test_a_file_without_requests_is_named(small):
    pd.read_csv(small / "la311_40k.csv.gz").head(0).to_csv(small / "la311_40k.csv.gz", index=False)
    with pytest.raises(InvalidInput, match=r"la311_40k.csv.gz holds no requests"):
        gm.datasets.los_angeles(small)


def test_a_real_day_is_matched_and_verified(real):
    tables = gm.datasets.los_angeles(real, day="2018-01-02")
    assert len(tables["communities"]) == 99
    assert len(tables["agreements"]) == 237
    assert len(tables["requests"]) > 3_500
    problem = gm.Problem.from_tables(tables, policy=gm.datasets.los_angeles_policy())
    assert problem.synthetic
    plan = gm.match(problem)
    gm.verify(problem, plan).raise_for_faults()
    assert plan.certificate.termination == "optimal"
    assert plan.certificate.gap == 0
    served = 1 - plan.unmet["people"].sum() / len(tables["requests"])
    assert 0.6 < served < 1
    assert str(plan.assignments["start"].dtype).endswith(f"{ZONE}]")
