"""The arrays, against the village read by hand and against slots cut one by one."""

import numpy as np
import pandas as pd
import pytest

from govmatch.errors import InvalidInput
from govmatch.model import slots
from govmatch.model.coordinates import wgs84_to_gcj02
from govmatch.model.encoded import Nodes
from govmatch.model.policy import Load, Policy, Preset, Presets, Slots, TravelRules, Unmet
from govmatch.model.problem import Problem
from tests.small_tables import changed, village, with_rows
from tests.towns import hand_town, random_policy, random_town

ZONE = "Asia/Shanghai"


def minute(text, zone=ZONE):
    return int(pd.Timestamp(text, tz=zone).timestamp()) // 60


def day(text):
    return (pd.Timestamp(text) - pd.Timestamp("1970-01-01")).days


def test_nodes_are_communities_then_units_then_organisations():
    nodes = Problem.from_tables(village()).nodes
    assert isinstance(nodes, Nodes)
    assert nodes.node_id.tolist() == ["C1", "C2", "U1", "U2", "O1", "O2"]
    assert nodes.name.tolist() == ["West", "East", "", "", "", ""]
    assert (nodes.n, nodes.n_communities, nodes.n_units) == (6, 2, 2)


def test_providers_are_volunteers_then_organisations_with_staff():
    supply = Problem.from_tables(village()).supply
    assert supply.provider_id.tolist() == ["V1", "V2", "V3", "O1"]
    assert supply.n_volunteers == 3
    assert supply.home.tolist() == [5, 1, 4, 4]
    assert supply.community.tolist() == [0, 1, 1, 1]  # V3's is its organisation's
    assert supply.organization.tolist() == [1, -1, 0, 0]
    np.testing.assert_allclose(supply.lat, [30.55, 30.6, 30.6, 30.6])  # own, community's, organisation's
    np.testing.assert_allclose(supply.lon, [120.75, 120.8, 120.8, 120.8])
    assert supply.mode.tolist() == [0, 1, 2, 1]
    assert supply.clearance.tolist() == [0, 2, 0, 0]
    assert supply.day_cap.tolist() == [1, 2, 2, -1]
    assert supply.week_cap.tolist() == [5, 5, 5, -1]
    assert supply.organization_week_cap.tolist() == [-1, 7]
    assert supply.max_travel_minutes.tolist() == [45.0] * 4
    assert [supply.dialects[code] if code >= 0 else None for code in supply.dialect] == [
        "Wu",
        None,
        "Min",
        None,
    ]


def test_skills_are_named_in_order_and_listed_by_provider():
    supply = Problem.from_tables(village()).supply
    assert supply.skills.tolist() == ["first aid", "repair", "tutoring"]
    rows = zip(supply.skill_provider, supply.skill_code, supply.skill_level, supply.skill_until, strict=True)
    assert sorted((int(p), int(c), int(level), int(u)) for p, c, level, u in rows) == [
        (0, 0, 1, day("2026-12-31")),
        (0, 1, 3, -1),
        (1, 2, 2, -1),
        (3, 1, 1, -1),
    ]
    assert (np.diff(supply.skill_provider) >= 0).all()


def test_a_skill_of_an_organisation_without_staff_is_offered_by_nobody():
    tables = with_rows("skills", {"provider_id": "O2", "skill": "juggling"})
    tables["organizations"]["capacity_per_slot"] = [3, 0]
    problem = Problem.from_tables(tables)
    assert "juggling" not in problem.supply.skills.tolist()
    assert problem.demand.need_skill.tolist() == [1, -2]


def test_slots_stand_by_provider_and_start():
    supply = Problem.from_tables(village()).supply
    assert supply.slot_provider.tolist() == [0, 1, 3, 3, 3, 3]
    assert supply.slot_start.tolist() == [
        minute(f"2026-05-01 {clock}") for clock in ("09:00", "08:00", "07:00", "08:00", "12:00", "18:00")
    ]
    assert supply.slot_end.tolist() == [
        minute(f"2026-05-01 {clock}") for clock in ("11:30", "10:00", "08:00", "12:00", "18:00", "20:00")
    ]
    assert supply.slot_capacity.tolist() == [1, 1, 3, 3, 3, 3]
    assert set(supply.slot_day.tolist()) == {day("2026-05-01")}
    monday = day("2026-04-27")
    assert set(supply.slot_week.tolist()) == {(monday + 3) // 7}
    assert (monday + 3) % 7 == 0
    assert not supply.slot_assumed.any()


def test_parts_of_minutes_are_not_bookable():
    tables = village()
    tables["availability"] = {
        "provider_id": ["V1", "V2"],
        "start": ["2026-05-01 09:00:01", "2026-05-01 09:00:10"],
        "end": ["2026-05-01 10:00:59", "2026-05-01 09:00:50"],
    }
    supply = Problem.from_tables(tables).supply
    assert supply.slot_provider.tolist() == [0]
    assert supply.slot_start.tolist() == [minute("2026-05-01 09:01")]
    assert supply.slot_end.tolist() == [minute("2026-05-01 10:00")]


def test_demand_by_hand():
    demand = Problem.from_tables(village()).demand
    assert demand.request_id.tolist() == ["R1", "R2", "R3"]
    assert demand.community.tolist() == [0, 1, 0]
    np.testing.assert_allclose(demand.lat, [30.5, 30.6, 30.5])
    assert demand.earliest.tolist() == [minute(f"2026-05-01 {c}") for c in ("09:00", "08:00", "00:00")]
    assert demand.latest.tolist() == [
        minute(t) for t in ("2026-05-01 12:00", "2026-05-01 18:00", "2026-05-02")
    ]
    assert demand.group.tolist() == ["elderly", "child", ""]
    assert [demand.priority.tolist(), demand.people.tolist()] == [[1, 3, 5], [1, 1, 1]]
    assert demand.role.tolist() == ["helper"] * 3
    assert demand.need_ptr.tolist() == [0, 1, 1, 2]
    assert demand.need_skill_name.tolist() == ["repair", "juggling"]
    assert demand.need_skill.tolist() == [1, -2]
    dialects = Problem.from_tables(village()).supply.dialects.tolist()
    assert demand.dialect.tolist() == [dialects.index("Wu"), -2, -1]
    assert demand.hometown.tolist() == [-1, -1, -1]
    assert demand.forbid_request.tolist() == [0, 0]
    assert demand.forbid_provider.tolist() == [2, 3]  # O1's volunteer and its own staff


def test_who_forbids_an_organisation_forbids_everybody_charged_to_it_once():
    tables = changed("volunteers", organization_id=["O2", "O2", "O1"])
    tables["pins"] = pd.DataFrame(
        [
            ("R3", "O2", "forbid"),
            ("R3", "V1", "forbid"),
            ("R1", "V3", "forbid"),
            ("R1", "O1", "forbid"),
            ("R2", "O1", "assign"),
        ],
        columns=["request_id", "provider_id", "action"],
    )
    demand = Problem.from_tables(tables).demand
    pairs = list(zip(demand.forbid_request.tolist(), demand.forbid_provider.tolist(), strict=True))
    assert pairs == [(0, 2), (0, 3), (2, 0), (2, 1)]  # O2 has no staff of its own, and V1 stands once
    assert (demand.forbid_request.dtype, demand.forbid_provider.dtype) == (np.int32, np.int32)


def test_forbidden_pairs_against_looking_at_every_pin():
    rng = np.random.default_rng(3)
    for seed in range(20):
        tables = random_town(seed)
        people = tables["volunteers"].set_index("volunteer_id")["organization_id"]
        firms = tables["organizations"]["organization_id"].tolist()
        asked = tables["requests"]["request_id"].tolist()
        everybody = [*people.index, *firms]
        pins = {(asked[rng.integers(len(asked))], everybody[rng.integers(len(everybody))]) for _ in range(12)}
        tables["pins"] = pd.DataFrame(sorted(pins), columns=["request_id", "provider_id"]).assign(
            action="forbid"
        )
        problem = Problem.from_tables(tables)
        ids = problem.supply.provider_id.tolist()
        expected = {
            (r, p) for r, pinned in pins for p in ids if p == pinned or people.get(p, default=p) == pinned
        }
        found = [
            (problem.demand.request_id[r], ids[p])
            for r, p in zip(problem.demand.forbid_request, problem.demand.forbid_provider, strict=True)
        ]
        assert set(found) == expected
        assert len(found) == len(expected)


def test_every_stated_hour_of_a_long_time_is_bookable_by_the_default_policy():
    tables = village()
    tables["availability"] = {
        "provider_id": ["V1"], "start": ["2026-05-01 19:30"], "end": ["2026-05-02 07:00"]
    }  # fmt: skip
    supply = Problem.from_tables(tables, horizon=("2026-05-01", "2026-05-03")).supply
    clocks = ["2026-05-01 19:30", "2026-05-01 21:00", "2026-05-02 00:00", "2026-05-02 07:00"]
    assert supply.slot_start.tolist() == [minute(clock) for clock in clocks[:-1]]
    assert supply.slot_end.tolist() == [minute(clock) for clock in clocks[1:]]
    assert supply.slot_day.tolist() == [day("2026-05-01"), day("2026-05-01"), day("2026-05-02")]


def test_unmet_cost_is_base_priority_and_group():
    policy = Policy(unmet=Unmet(base_minutes=100.125, priority_minutes=10.5, group_minutes={"child": 3.333}))
    demand = Problem.from_tables(village(), policy).demand
    assert demand.unmet_cost.tolist() == [10013, 10013 + 2100 + 333, 10013 + 4200]


def test_linked_duplicates_ask_for_nobody():
    tables = changed("requests", duplicate_of=["R2", None, None])
    demand = Problem.from_tables({**tables, "pins": None}).demand
    assert demand.request_id.tolist() == ["R2", "R3"]
    assert demand.row.tolist() == [1, 2]
    assert len(demand.forbid_request) == 0
    assert demand.need_ptr.tolist() == [0, 0, 1]


def test_roles_say_what_one_person_holds():
    tables = with_rows(
        "roles",
        {"request_id": "R2", "role": "tutor", "skill": "tutoring", "level": 2, "count": 2},
        {"request_id": "R2", "role": "tutor", "skill": "first aid", "certified": True, "count": 2},
    )
    tables["requests"]["latest"] = ["2026-05-01 12:00", "2026-05-01 12:00", None]
    problem = Problem.from_tables(tables)
    demand = problem.demand
    assert demand.role.tolist() == ["helper", "tutor", "helper"]
    assert demand.people.tolist() == [1, 2, 1]
    assert demand.need_ptr.tolist() == [0, 1, 3, 4]
    assert demand.need_skill_name.tolist() == ["repair", "tutoring", "first aid", "juggling"]
    assert demand.need_level.tolist() == [1, 2, 1, 1]
    assert demand.need_certified.tolist() == [False, False, True, False]
    assert problem.features == frozenset()


@pytest.mark.parametrize(
    "tables",
    [
        changed("requests", people=[1, 2, 1]),
        with_rows("roles", {"request_id": "R2", "skill": "repair", "count": 2}),
        with_rows(
            "roles",
            {"request_id": "R2", "role": "a", "skill": "repair"},
            {"request_id": "R2", "role": "b", "skill": "repair"},
        ),
    ],
)
def test_several_roles_or_several_people_at_an_open_time_are_a_team(tables):
    problem = Problem.from_tables(tables)
    assert problem.features == {"teams"}
    assert problem.demand.need_ptr[-1] == len(problem.demand.need_skill)


def test_the_roles_of_teams_are_columns_of_their_own():
    tables = with_rows(
        "roles",
        {
            "request_id": "R2",
            "role": "tutor",
            "skill": "tutoring",
            "level": 2,
            "after": "chair",
            "after_least": 10,
        },
        {"request_id": "R1", "role": "only", "skill": "repair", "minutes": 30, "clearance": 2},
        {"request_id": "R2", "role": "chair", "skill": "repair", "leader": True, "count": 2, "minutes": 20},
        {
            "request_id": "R2",
            "role": "tutor",
            "skill": "first aid",
            "certified": True,
            "after": "chair",
            "after_least": 10,
        },
    )
    tables["requests"] = tables["requests"].assign(skill=[None, None, "repair"], people=[1, 1, 3])
    tables["requests"]["min_serve"] = [None, 2, 3]
    problem = Problem.from_tables(tables)
    demand, teams = problem.demand, problem.teams
    assert problem.features == {"teams"}
    assert demand.people.tolist() == [1, 3, 3]
    assert demand.min_serve.tolist() == [1, 2, 3]
    assert demand.role.tolist() == ["only", "", "helper"]
    assert demand.minutes[0] == 30
    assert demand.clearance[0] == 2
    assert demand.need_skill_name.tolist() == ["repair", "tutoring", "first aid", "repair", "repair"]
    assert teams.request.tolist() == [1, 1, 2]
    assert teams.role.tolist() == ["tutor", "chair", "helper"]
    assert teams.people.tolist() == [1, 2, 3]
    assert teams.least.tolist() == [0, 2, 0]
    assert teams.minutes.tolist() == [30, 20, 45]
    assert teams.after.tolist() == [1, -1, -1]
    assert teams.after_least.tolist() == [10, 0, 0]
    assert teams.after_most.tolist() == [10, 0, 0]
    assert teams.need_ptr.tolist() == [0, 2, 3, 4]
    assert teams.need_skill_name.tolist() == ["tutoring", "first aid", "repair", "repair"]
    assert teams.need_level.tolist() == [2, 1, 1, 1]
    assert teams.need_certified.tolist() == [False, True, False, False]


def test_without_min_serve_everybody_of_several_roles_is_needed():
    tables = with_rows(
        "roles",
        {"request_id": "R2", "skill": "repair", "role": "a", "count": 2},
        {"request_id": "R2", "skill": "repair", "role": "b"},
    )
    problem = Problem.from_tables(tables)
    assert problem.demand.min_serve.tolist() == [1, 3, 1]
    assert problem.teams.least.tolist() == [2, 1]


def test_coordinates_of_other_datums_are_converted():
    lat, lon = wgs84_to_gcj02([30.5, 30.6], [120.7, 120.8])
    tables = changed("communities", lat=lat, lon=lon, crs="gcj02")
    found, expected = Problem.from_tables(tables), Problem.from_tables(village())
    np.testing.assert_allclose(found.supply.lat, expected.supply.lat, atol=1e-9)
    np.testing.assert_allclose(found.demand.lon, expected.demand.lon, atol=1e-9)
    assert found.fingerprint != expected.fingerprint


def test_places_that_nobody_knows_stay_unknown():
    tables = changed("communities", lat=None, lon=None)
    tables["volunteers"] = tables["volunteers"].drop(columns=["lat", "lon"])
    problem = Problem.from_tables(tables)
    assert np.isnan(problem.supply.lat).all()
    assert np.isnan(problem.demand.lon).all()


def test_an_absent_roster_of_times_is_filled_by_presets():
    tables = changed("volunteers", preset=["evenings", None, "always"])
    del tables["availability"]
    policy = Policy(presets=Presets(default="weekends"))
    supply = Problem.from_tables(tables, policy, horizon=("2026-05-01", "2026-05-04")).supply
    said = [
        (supply.provider_id[p], pd.Timestamp(s * 60, unit="s", tz="UTC").tz_convert(ZONE).strftime("%a %H"))
        for p, s in zip(supply.slot_provider, supply.slot_start, strict=True)
    ]
    weekend = ["Sat 08", "Sat 12", "Sun 08", "Sun 12"]
    always = [f"{d} {h}" for d in ("Fri", "Sat", "Sun") for h in ("08", "12", "18")]
    assert said == [
        ("V1", "Fri 18"),
        *(("V2", w) for w in weekend),
        *(("V3", a) for a in always),
        *(("O1", w) for w in weekend),
    ]
    assert supply.slot_assumed.all()
    assert supply.assumed_share == 1.0
    assert supply.slot_capacity[-1] == 3


def test_who_states_nothing_beside_a_roster_of_times_is_free_only_by_a_preset_of_his_own():
    tables = changed("volunteers", preset=["always", None, "always"])
    supply = Problem.from_tables(tables).supply
    assert supply.provider_id[supply.slot_provider].tolist() == ["V1", "V2", *["V3"] * 3, *["O1"] * 4]
    assert supply.slot_assumed.tolist() == [False, False, True, True, True, False, False, False, False]
    tables["availability"] = tables["availability"].iloc[:0]
    supply = Problem.from_tables(tables).supply
    assert supply.provider_id[supply.slot_provider].tolist() == [*["V1"] * 3, *["V3"] * 3]


def test_clocks_that_change_move_the_named_hours():
    policy = Policy(
        time_zone="Europe/Berlin",
        slots=Slots(hours={"night": ("00:00", "06:00"), "day": ("06:00", "24:00")}),
        presets=Presets(default="all", named={"all": Preset((6,), ("night", "day"))}),
    )
    tables = {
        "communities": {"community_id": ["C"]},
        "volunteers": {"volunteer_id": ["V"], "community_id": ["C"]},
        "requests": {"request_id": ["R"], "community_id": ["C"]},
    }
    supply = Problem.from_tables(tables, policy, horizon=("2026-03-28", "2026-03-31")).supply
    assert (supply.slot_end - supply.slot_start).tolist() == [5 * 60, 18 * 60]
    assert supply.slot_start.tolist()[0] == minute("2026-03-29", "Europe/Berlin")


def test_so_many_slots_that_memory_would_not_hold_them_are_an_error(monkeypatch):
    monkeypatch.setattr(slots, "MAX_SLOTS", 10)
    tables = changed("volunteers", preset="always")
    tables["availability"] = tables["availability"].iloc[:0]
    with pytest.raises(InvalidInput, match="the horizon gives 36 slots of availability, expected at most 10"):
        Problem.from_tables(tables, horizon=("2026-05-01", "2026-05-05"))


def naive_slots(problem):
    """Slots of the availability table, row by row and day by day."""
    policy, found = problem.policy, []
    frame = problem.tables.get("availability", pd.DataFrame())
    first, last = (pd.Timestamp(edge * 60, unit="s", tz="UTC").tz_convert(ZONE) for edge in problem.horizon)
    for row in frame.itertuples():
        if row.provider_id not in problem.supply.provider_id:
            continue
        start, end = max(row.start.ceil("min"), first), min(row.end.floor("min"), last)
        if end - start <= pd.Timedelta(minutes=policy.slots.long_minutes):
            pieces = [(start, end)]
        else:
            days = pd.date_range(start.normalize(), end.normalize(), freq="D")
            pieces = [
                (max(start, date + pd.Timedelta(a + ":00")), min(end, date + pd.Timedelta(b + ":00")))
                for date in days
                for a, b in policy.slots.hours.values()
            ]
        found += [(row.provider_id, a, b) for a, b in pieces if a < b]
    order = {provider: i for i, provider in enumerate(problem.supply.provider_id)}
    return sorted(found, key=lambda slot: (order[slot[0]], slot[1]))


@pytest.mark.parametrize("seed", range(30))
def test_slots_against_cutting_one_by_one(seed):
    tables, policy = (hand_town(), Policy()) if seed == 0 else (random_town(seed), random_policy(seed))
    problem = Problem.from_tables(tables, policy)
    supply = problem.supply
    stated = ~supply.slot_assumed
    found = [
        (supply.provider_id[p], *(pd.Timestamp(t * 60, unit="s", tz="UTC").tz_convert(ZONE) for t in (a, b)))
        for p, a, b in zip(
            supply.slot_provider[stated], supply.slot_start[stated], supply.slot_end[stated], strict=True
        )
    ]
    assert found == naive_slots(problem)


def test_row_order_of_the_supply_tables_changes_no_array_that_is_sorted():
    rng = np.random.default_rng(1)
    for seed in range(5):
        tables = random_town(seed)
        expected = Problem.from_tables(tables).supply
        for name in ("availability", "skills"):
            if name in tables:
                tables[name] = tables[name].iloc[rng.permutation(len(tables[name]))]
        found = Problem.from_tables(tables).supply
        for name in (
            "skills",
            "skill_provider",
            "skill_code",
            "skill_level",
            "slot_provider",
            "slot_start",
            "slot_end",
        ):
            assert getattr(found, name).tolist() == getattr(expected, name).tolist()


def test_own_limits_come_before_the_policys():
    tables = changed("volunteers", max_jobs_per_week=[9, None, 0], max_travel_minutes=[None, 12.5, None])
    policy = Policy(
        load=Load(jobs_per_day=3, jobs_per_week=4), travel=TravelRules(mode="car", max_minutes=60.0)
    )
    supply = Problem.from_tables(tables, policy).supply
    assert supply.day_cap.tolist() == [1, 3, 3, -1]
    assert supply.week_cap.tolist() == [9, 4, 0, -1]
    assert supply.max_travel_minutes.tolist() == [60.0, 12.5, 60.0, 60.0]
    assert supply.mode.tolist() == [0, 2, 2, 2]
