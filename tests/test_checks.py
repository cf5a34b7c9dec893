"""Faults within and between tables, each found where it is and nowhere else."""

import numpy as np
import pandas as pd
import pytest

from govmatch.errors import InvalidTables
from govmatch.model import checks
from govmatch.model.checks import on_cycle
from govmatch.model.problem import Problem
from tests.small_tables import changed, village, with_rows


def faults(tables, **arguments):
    """All faults as (table, row, column, code) and their messages."""
    with pytest.raises(InvalidTables) as caught:
        Problem.from_tables(tables, **arguments)
    found = caught.value.violations
    places = list(zip(found["table"], found["row"], found["column"], found["code"], strict=True))
    return places, found["message"].tolist()


@pytest.mark.parametrize(
    ("tables", "place", "words"),
    [
        (
            with_rows("communities", {"community_id": "C1"}),
            ("communities", 2, "community_id", "duplicate_key"),
            "'C1' stands in an earlier row too",
        ),
        (
            with_rows("volunteers", {"volunteer_id": "V2", "community_id": "C1"}),
            ("volunteers", 3, "volunteer_id", "duplicate_key"),
            "'V2' stands in an earlier row too",
        ),
        (
            with_rows("requests", {"request_id": "R3", "community_id": "C1"}),
            ("requests", 3, "request_id", "duplicate_key"),
            "'R3' stands in an earlier row too",
        ),
        (
            with_rows("skills", {"provider_id": "V1", "skill": "repair", "level": 5}),
            ("skills", 4, "provider_id", "duplicate_key"),
            "an earlier row has the same provider_id, skill: 'V1 / repair'",
        ),
        (
            with_rows("pins", {"request_id": "R1", "provider_id": "O1"}),
            ("pins", 1, "request_id", "duplicate_key"),
            "an earlier row has the same request_id, provider_id: 'R1 / O1'",
        ),
        (
            with_rows("visits", {"request_id": "R1"}, {"request_id": "R1"}),
            ("visits", 1, "request_id", "duplicate_key"),
            "an earlier row has the same request_id: 'R1'",
        ),
        (
            with_rows("organizations", {"organization_id": "C1"}),
            ("organizations", 2, "organization_id", "ambiguous_id"),
            "'C1' is also in communities, and what refers to it could mean either",
        ),
        (
            with_rows("volunteers", {"volunteer_id": "O2", "community_id": "C1"}),
            ("volunteers", 3, "volunteer_id", "ambiguous_id"),
            "'O2' is also in organizations",
        ),
        (
            with_rows("volunteers", {"volunteer_id": "V4"}),
            ("volunteers", 3, "community_id", "no_home"),
            "'V4' has neither organization_id nor community_id",
        ),
        (
            with_rows("agreements", {"agreement_id": "A2", "from_id": "U1", "to_id": "U1", "kind": "tier"}),
            ("agreements", 1, "to_id", "self_reference"),
            "both sides are 'U1'; expected two different ones",
        ),
        (
            changed("agreements", valid_from="2026-05-02", valid_to="2026-05-01"),
            ("agreements", 0, "valid_to", "inverted_window"),
            "valid_to is before valid_from; '2026-05-02 to 2026-05-01'",
        ),
        (
            with_rows(
                "availability", {"provider_id": "V3", "start": "2026-05-01 09:00", "end": "2026-05-01 09:00"}
            ),
            ("availability", 3, "end", "inverted_window"),
            "end is not after start; '2026-05-01 09:00:00+08:00 to 2026-05-01 09:00:00+08:00'",
        ),
        (
            with_rows("duty", {"person_id": "D", "start": "2026-05-01 09:00", "end": "2026-05-01 08:00"}),
            ("duty", 0, "end", "inverted_window"),
            "end is not after start",
        ),
        (
            changed("requests", latest=["2026-05-01 08:00", "2026-05-01 18:00", None]),
            ("requests", 0, "latest", "inverted_window"),
            "latest is not after earliest",
        ),
        (
            changed("requests", latest=["2026-05-01 09:59", "2026-05-01 18:00", None]),
            ("requests", 0, "latest", "window_too_short"),
            "the window has 59 minutes, which are fewer than `minutes`",
        ),
        (
            with_rows(
                "availability", {"provider_id": "V1", "start": "2026-05-01 11:29", "end": "2026-05-01 12:00"}
            ),
            ("availability", 3, "start", "overlap"),
            "overlaps another time of 'V1'; expected times of one provider to lie apart",
        ),
        (
            changed("requests", skill=[None, None, None], level=[3, 1, 1]),
            ("requests", 0, "level", "no_skill"),
            "level 3 is asked for and no skill; expected the skill, or the level in roles",
        ),
        (
            changed("requests", skill=[None, None, None], certified=[False, True, False]),
            ("requests", 1, "certified", "no_skill"),
            "a certificate is asked for and no skill",
        ),
        (
            with_rows("skills", {"provider_id": "O2", "skill": "repair"}),
            ("organizations", 1, "capacity_per_slot", "no_capacity"),
            "'O2' has rows of its own in skills and no capacity_per_slot; expected how many people it can",
        ),
        (
            with_rows(
                "availability", {"provider_id": "O2", "start": "2026-05-01 09:00", "end": "2026-05-01 12:00"}
            ),
            ("organizations", 1, "capacity_per_slot", "no_capacity"),
            "'O2' has rows of its own in availability and no capacity_per_slot",
        ),
        (
            with_rows("communities", {"community_id": "North > West"}),
            ("communities", 2, "community_id", "reserved_text"),
            "'North > West' has a free-standing '>'; expected an id without ' > ', which parts paths",
        ),
        (
            with_rows("party_units", {"unit_id": "> U"}),
            ("party_units", 2, "unit_id", "reserved_text"),
            "'> U' has a free-standing '>'",
        ),
        (
            with_rows("organizations", {"organization_id": "O >"}),
            ("organizations", 2, "organization_id", "reserved_text"),
            "'O >' has a free-standing '>'",
        ),
        (
            with_rows(
                "agreements",
                {"agreement_id": "tier:C1:O1", "from_id": "C1", "to_id": "C2", "kind": "federation"},
            ),
            ("agreements", 1, "agreement_id", "reserved_text"),
            "'tier:C1:O1' begins with 'tier:'; expected another id, as those are the ids of tiers",
        ),
        (
            changed("requests", duplicate_of=["R2", None, None]),
            ("pins", 0, "request_id", "linked_request"),
            "request 'R1' has duplicate_of and is not matched by itself; expected the pin on the request",
        ),
        (
            with_rows("roles", {"request_id": "R1", "skill": "repair"}),
            ("requests", 0, "skill", "role_conflict"),
            "the request asks for the skill 'repair' and has rows in roles; expected one or the other",
        ),
        (
            with_rows(
                "roles",
                {"request_id": "R2", "skill": "repair", "count": 2},
                {"request_id": "R2", "skill": "tutoring"},
            ),
            ("roles", 1, "count", "count_conflict"),
            "other rows of the same role say another count than 1",
        ),
        (
            with_rows(
                "roles",
                {"request_id": "R2", "skill": "repair", "minutes": 30},
                {"request_id": "R2", "skill": "tutoring"},
            ),
            ("roles", 1, "minutes", "minutes_conflict"),
            "other rows of the same role say another minutes than",
        ),
        (
            with_rows(
                "roles",
                {"request_id": "R2", "role": "a", "skill": "repair", "after": "c"},
                {"request_id": "R2", "role": "b", "skill": "repair"},
            ),
            ("roles", 0, "after", "unknown_role"),
            "the request has no role 'c' to start after; expected one of its own roles",
        ),
        (
            with_rows(
                "roles",
                {"request_id": "R2", "role": "a", "skill": "repair", "after": "b"},
                {"request_id": "R2", "role": "b", "skill": "repair"},
                {"request_id": "R2", "role": "c", "skill": "repair", "after": "c"},
            ),
            ("roles", 2, "after", "cycle"),
            "following 'c' from role to role leads back to this one",
        ),
        (
            with_rows(
                "roles",
                {
                    "request_id": "R2",
                    "skill": "repair",
                    "role": "a",
                    "after": "b",
                    "after_least": 30,
                    "after_most": 20,
                },
                {"request_id": "R2", "skill": "repair", "role": "b"},
            ),
            ("roles", 0, "after_most", "offset_conflict"),
            "after_most is 20, which is less than after_least; expected as many minutes or more",
        ),
        (
            with_rows("roles", {"request_id": "R2", "skill": "repair", "role": "a", "after_least": 30}),
            ("roles", 0, "after_least", "offset_conflict"),
            "30 minutes after no role; expected the role in `after`",
        ),
        (
            with_rows(
                "roles",
                {"request_id": "R2", "skill": "repair", "role": "a", "after": "b", "after_least": 600},
                {"request_id": "R2", "skill": "repair", "role": "b"},
            ),
            ("roles", 0, "minutes", "window_too_short"),
            "the role ends 630 minutes after the team's start at the earliest, and the window has fewer",
        ),
        (
            changed("requests", min_serve=[2, None, None]),
            ("requests", 0, "min_serve", "count_conflict"),
            "at least 2 people are wanted, more than are asked for in all; expected as many or fewer",
        ),
        (
            changed("requests", resident_id=[None, "P1", "P2"]),
            ("requests", 2, "resident_id", "unknown_reference"),
            "'P2' is not in residents",
        ),
        (
            changed("communities", lon=[120.7, None]),
            ("communities", 1, "lon", "half_coordinate"),
            "lon is missing where lat is 30.6; expected both or neither",
        ),
        (
            changed("communities", lat=[120.7, 30.6], lon=[30.5, 120.8]),
            ("communities", 0, "lat", "swapped_coordinates"),
            "the latitude 120.7 is beyond 90 degrees and the longitude is not; are the two swapped?",
        ),
        (
            changed("communities", lat=[99.0, 30.6]),
            ("communities", 0, "lat", "out_of_range"),
            "expected a number from -90 to 90 degrees; found 99.0",
        ),
        (
            changed("communities", lon=[181.0, 120.8]),
            ("communities", 0, "lon", "out_of_range"),
            "expected a number from -180 to 180 degrees; found 181.0",
        ),
    ],
)
def test_one_fault_is_found_where_it_is(tables, place, words):
    places, messages = faults(tables)
    assert places == [place], messages
    assert words in messages[0]


def test_swapped_places_far_from_all_others_are_found_where_both_numbers_could_be_latitudes():
    lagos = {"lat": [6.45, 6.5], "lon": [3.4, 3.5]}
    tables = changed("communities", **lagos)
    tables["volunteers"] = tables["volunteers"].assign(lat=[44.0, None, None], lon=[3.4, None, None])
    Problem.from_tables(tables)  # far away, but no nearer when swapped
    tables = changed("communities", lat=[48.1, 48.2], lon=[11.5, 11.6])
    tables["volunteers"] = tables["volunteers"].assign(lat=[11.55, None, 48.0], lon=[48.15, None, 11.5])
    places, messages = faults(tables)
    assert places == [("volunteers", 0, "lat", "swapped_coordinates")]
    assert (
        "more than 500 km from the middle of all places, and near it with lat and lon swapped" in messages[0]
    )


def test_every_overlap_is_found_whatever_the_order_of_rows():
    rng = np.random.default_rng(5)
    for _ in range(40):
        n = int(rng.integers(2, 9))
        start = rng.integers(0, 300, n) * 15 + 10
        frame = pd.DataFrame(
            {
                "provider_id": np.array(["V1", "V2", "O1"], dtype=object)[rng.integers(0, 3, n)],
                "start": np.datetime64("2026-05-01T08:00:00", "us") + start.astype("m8[s]"),
                "end": np.datetime64("2026-05-01T08:00:00", "us")
                + (start + rng.integers(1, 60, n) * 15).astype("m8[s]"),
            }
        )
        ranked = frame.assign(row=range(n)).sort_values(["provider_id", "start", "end", "row"])
        expected = {
            later.row
            for later in ranked.itertuples()
            for other in ranked.itertuples()
            if other.provider_id == later.provider_id
            and (other.start, other.end, other.row) < (later.start, later.end, later.row)
            and other.end > later.start
        }
        tables = {**village(), "availability": frame}
        if expected:
            assert {place[1] for place in faults(tables)[0]} == expected
        else:
            Problem.from_tables(tables)


def test_tiers_in_a_circle_are_found_and_what_hangs_on_it_is_not_blamed():
    units = {"unit_id": ["U1", "U2", "U3", "U4"], "parent_id": ["U3", "U1", "U2", "U1"]}
    places, messages = faults({**village(), "party_units": units})
    assert places == [("party_units", row, "parent_id", "cycle") for row in range(3)]
    assert messages[0] == "following 'U3' upwards leads back to this unit"
    assert faults({**village(), "party_units": {"unit_id": ["U1", "U2"], "parent_id": ["U1", None]}})[0] == [
        ("party_units", 0, "parent_id", "cycle")
    ]


def test_duplicates_of_each_other_are_found_and_chains_are_fine():
    circle = changed("requests", duplicate_of=["R2", "R1", None])
    assert faults({**circle, "pins": None})[0] == [
        ("requests", row, "duplicate_of", "cycle") for row in range(2)
    ]
    chain = changed("requests", duplicate_of=["R2", "R3", None])
    problem = Problem.from_tables({**chain, "pins": None})
    assert problem.demand.request_id.tolist() == ["R3"]


def test_cycles_against_walking_up_from_every_node():
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = int(rng.integers(0, 12))
        parent = rng.integers(-1, max(n, 1), n).astype(np.int32)
        expected = []
        for node in range(n):
            at = parent[node]
            for _ in range(n):
                if at in (-1, node):
                    break
                at = parent[at]
            expected.append(at == node)
        assert on_cycle(parent).tolist() == expected


def test_a_role_that_counts_others_than_the_request_does_is_a_fault():
    tables = changed("requests", people=[1, 3, 1], latest=["2026-05-01 12:00", "2026-05-01 10:00", None])
    tables["roles"] = pd.DataFrame({"request_id": ["R2"], "skill": ["repair"], "count": [2]})
    places, messages = faults(tables)
    assert places == [("requests", 1, "people", "count_conflict")]
    assert "the request asks for 3 people and its role counts others" in messages[0]
    tables["roles"]["count"] = 3
    assert Problem.from_tables(tables).demand.people.tolist() == [1, 3, 1]


def test_windows_must_lie_in_a_given_horizon():
    horizon = ("2026-05-01 08:30", "2026-05-01 17:00")
    places, messages = faults(village(), horizon=horizon)
    assert places == [("requests", 1, "earliest", "outside_horizon")]
    assert "'2026-05-01 08:00:00+08:00' lies outside the horizon, 2026-05-01 08:30:00+08:00 to" in messages[0]
    problem = Problem.from_tables(village(), horizon=("2026-05-01", "2026-05-02"))
    assert problem.fingerprint == Problem.from_tables(village()).fingerprint
    places, _ = faults(village(), horizon=("2026-05-01", "2026-05-01 17:59"))
    assert places == [("requests", 1, "latest", "outside_horizon")]


def test_a_derived_horizon_leaves_open_windows_the_time_that_they_take():
    tables = changed("requests", earliest=[None, None, "2026-05-01 23:30"], latest=None, minutes=60)
    problem = Problem.from_tables(tables)
    assert problem.horizon == _midnights("2026-05-01", "2026-05-03")
    assert problem.demand.latest.tolist() == [problem.horizon[1]] * 3
    tables = changed("requests", earliest=[None, None, "2026-05-01 23:00"], latest=None, minutes=60)
    assert Problem.from_tables(tables).horizon == _midnights("2026-05-01", "2026-05-02")
    tables = changed("requests", earliest=[None, None, "2026-05-01 23:00:01"], latest=None, minutes=60)
    assert Problem.from_tables(tables).horizon == _midnights("2026-05-01", "2026-05-03")
    tables = changed("requests", earliest=None, latest=[None, None, "2026-05-02 00:30"], minutes=60)
    assert Problem.from_tables(tables).horizon == _midnights("2026-05-01", "2026-05-03")


def _midnights(*days):
    return tuple(int(pd.Timestamp(day, tz="Asia/Shanghai").timestamp()) // 60 for day in days)


def test_a_window_open_on_one_side_is_as_long_as_a_given_horizon_leaves_it():
    tables = changed(
        "requests", earliest=[None, None, "2026-05-01 23:30"], latest=["2026-05-01 12:00", None, None]
    )
    places, messages = faults(tables, horizon=("2026-05-01", "2026-05-02"))
    assert places == [("requests", 2, "latest", "window_too_short")]
    assert "the window has 30 minutes" in messages[0]


def test_a_slip_of_the_pen_in_the_year_is_a_fault_and_does_not_stretch_the_horizon():
    n = 9
    requests = {
        "request_id": [f"R{i}" for i in range(n)],
        "community_id": ["C1"] * n,
        "earliest": ["2026-05-01 09:00"] * (n - 1) + ["2062-05-01 09:00"],
        "latest": ["2026-05-01 19:00"] * (n - 1) + ["2062-05-01 19:00"],
    }
    tables = {**village(), "requests": requests, "pins": None}
    places, messages = faults(tables)
    assert places == [
        ("requests", 8, "earliest", "outside_horizon"),
        ("requests", 8, "latest", "outside_horizon"),
    ]
    assert "lies more than 366 days from the middle of the requests' times" in messages[0]
    problem = Problem.from_tables(tables, on_error="drop")
    assert problem.horizon[1] - problem.horizon[0] == 1440


def test_of_two_years_the_later_is_taken_for_the_slip():
    tables = changed("requests", earliest=["2026-05-01", "2062-05-01", None], latest=None)
    assert faults(tables)[0] == [("requests", 1, "earliest", "outside_horizon")]


def test_a_day_without_a_clock_time_is_a_whole_day():
    tables = changed("requests", earliest=["2026-05-03", None, None], latest=None)
    midnight, later = (
        pd.Timestamp("2026-05-03", tz="Asia/Shanghai"),
        pd.Timestamp("2026-05-04", tz="Asia/Shanghai"),
    )
    expected = (int(midnight.timestamp()) // 60, int(later.timestamp()) // 60)
    assert Problem.from_tables(tables).horizon == expected
    tables = changed("requests", earliest=["2026-05-03 12:00", None, None], latest="2026-05-04 00:00")
    assert Problem.from_tables(tables).horizon == expected


def test_keys_of_more_combinations_than_numbers_are_compared_as_texts(monkeypatch):
    monkeypatch.setattr(checks, "MAX_COMBINATIONS", 2)
    tables = with_rows("skills", {"provider_id": "V1", "skill": "repair", "level": 5})
    assert faults(tables)[0] == [("skills", 4, "provider_id", "duplicate_key")]
    Problem.from_tables(village())


def test_without_any_time_there_is_no_horizon():
    tables = village()
    tables["requests"] = {"request_id": ["R1"], "community_id": ["C1"]}
    assert Problem.from_tables(tables).horizon == Problem.from_tables(village()).horizon
    tables["availability"] = {
        "provider_id": ["V1", "V2"],
        "start": ["2026-05-01 09:00", "2032-05-01 09:00"],
        "end": ["2026-05-01 19:00", "2032-05-01 19:00"],
    }
    places, messages = faults(tables)
    assert places == [("availability", -1, "", "horizon_too_long")]
    assert "give horizon=" in messages[0]
    del tables["availability"]
    places, messages = faults(tables)
    assert places == [("requests", -1, "", "no_horizon")]
    assert "no request has earliest or latest" in messages[0]


def test_a_bad_cell_is_blamed_once():
    tables = changed("requests", latest=["2026-05-01 12:00", "tonight", None], minutes=[60, 30, 10**6])
    places, _ = faults(tables)
    assert sorted(places) == [
        ("requests", 1, "latest", "not_a_time"),
        ("requests", 2, "minutes", "out_of_range"),
    ]


def test_an_organisation_without_a_capacity_may_have_volunteers_and_one_with_none_may_have_rows():
    tables = with_rows("skills", {"provider_id": "O2", "skill": "repair"})
    tables["organizations"]["capacity_per_slot"] = [3, 0]
    assert Problem.from_tables(tables).supply.n_providers == 4
    tables["organizations"]["capacity_per_slot"] = [3, "many"]
    assert faults(tables)[0] == [("organizations", 1, "capacity_per_slot", "not_an_integer")]


def test_signs_within_a_word_are_no_reserved_text():
    tables = with_rows("communities", {"community_id": "A>B"}, {"community_id": "A >B"})
    assert Problem.from_tables(tables).nodes.n_communities == 4


def test_pins_on_linked_requests_are_dropped_with_them():
    tables = changed("requests", duplicate_of=["R2", None, None])
    problem = Problem.from_tables(tables, on_error="drop")
    assert problem.demand.request_id.tolist() == ["R2", "R3"]
    assert problem.dropped["code"].tolist() == ["linked_request", "incomplete_request"]
