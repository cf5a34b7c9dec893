"""The problem as a whole: arguments, dropping, other requests, fingerprints, speed."""

import time

import numpy as np
import pandas as pd
import pytest

from govmatch.errors import InvalidInput, InvalidTables
from govmatch.model.policy import Policy
from govmatch.model.problem import Problem
from govmatch.model.schema import TABLES
from govmatch.reach.alliance import Alliance
from govmatch.reach.travel import GreatCircle
from tests.small_tables import changed, village, with_rows


class Plug:
    """Travel and alliance in one, as far as a problem looks at them."""

    def __init__(self, fingerprint="plug", hop=1.0, order=1):
        self.fingerprint = fingerprint
        self._edges = pd.DataFrame(
            {
                "from_id": ["C1", "U1"],
                "to_id": ["C2", "C1"],
                "hop_minutes": [hop, np.nan],
                "valid_to": [None, None],
            }
        )[::order]

    def prepare(self, *places):
        raise NotImplementedError

    def edges(self):
        return self._edges


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"policy": {"name": "x"}}, "policy must be a Policy; found dict"),
        ({"travel": 30.0}, "travel must have `prepare` and `fingerprint`, .*; found float"),
        ({"travel": GreatCircle}, "travel is the class GreatCircle itself; expected an object of it"),
        ({"alliance": Alliance}, "alliance is the class Alliance itself; expected an object of it"),
        ({"alliance": []}, "alliance must be an Alliance; found list"),
        ({"on_error": "ignore"}, "on_error must be 'raise' or 'drop'; found 'ignore'"),
        ({"horizon": "2026-05-01"}, r"horizon must be a pair \(start, end\) of times .*; found '2026-05-01'"),
        ({"horizon": ("2026-05-01", "soon")}, "in the years 1900 to 2199; found 'soon'"),
        ({"horizon": ("2026-05-01", None)}, "found None"),
        ({"horizon": (1, 2)}, "found 1"),
        ({"horizon": ("2026-05-02", "2026-05-01")}, "horizon must end after its start"),
        (
            {"horizon": ("2026-05-01", "2030-05-01")},
            "span at most 732 days; found '2026-05-01' to '2030-05-01'",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises(InvalidInput, match=words):
        Problem.from_tables(village(), **arguments)


def test_a_horizon_in_a_gap_of_the_clock_is_an_error():
    policy = Policy(time_zone="Europe/Berlin")
    with pytest.raises(InvalidInput, match="found '2026-03-29 02:30'"):
        Problem.from_tables(village(), policy, horizon=("2026-03-29 02:30", "2026-03-30"))
    Problem.from_tables(village(), policy, horizon=("2026-04-29T02:30Z", pd.Timestamp("2026-05-03")))


def test_what_a_problem_says_of_itself():
    problem = Problem.from_tables(village())
    assert repr(problem) == (
        "<Problem of synthetic people 合成人员: 3 requests, 4 providers with 6 slots, 2 communities>"
    )
    assert problem.about == {"synthetic": "people"}
    assert problem.synthetic
    assert problem.features == frozenset()
    assert problem.ignored == ()
    assert len(problem.dropped) == 0
    assert list(problem.dropped.columns) == ["table", "row", "column", "code", "message", "value"]
    assert problem.travel is None
    assert problem.alliance is None


@pytest.mark.parametrize(
    ("about", "synthetic"),
    [
        ({}, False),
        ({"title": "Los Angeles"}, False),
        ({"title": "synthetic people"}, True),
        ({"人员": "合成人员"}, True),
        ({"synthetic": "no", "title": "not synthetic"}, False),
        ({"synthetic": "yes"}, True),
    ],
)
def test_synthetic_is_what_about_says(about, synthetic):
    table = {"key": list(about), "value": list(about.values())}
    assert Problem.from_tables({**village(), "about": table}).synthetic is synthetic


@pytest.mark.parametrize(
    ("tables", "feature"),
    [
        (with_rows("visits", {"request_id": "R1"}), "recurrence"),
        (with_rows("request_goods", {"request_id": "R1", "good": "rice", "amount": 1}), "goods"),
        (changed("agreements", quota_per_week=3), "quotas"),
        (with_rows("pins", {"request_id": "R2", "provider_id": "V1"}), "pins"),
        (changed("requests", people=[1, 4, 1]), "teams"),
    ],
)
def test_what_later_tiers_do_is_named(tables, feature):
    assert Problem.from_tables(tables).features == {feature}


def test_nothing_asked_and_nobody_there_is_a_problem_too():
    tables = {"communities": village()["communities"], "requests": pd.DataFrame()}
    problem = Problem.from_tables(tables)
    assert problem.demand.n_requests == 0
    assert problem.supply.n_providers == 0
    assert problem.supply.assumed_share == 0.0
    assert problem.horizon == (0, 0)
    assert len(problem.tables["requests"]) == 0
    empty = {name: [] for name in TABLES}
    assert Problem.from_tables(empty).nodes.n == 0


# dropping


def test_faulty_rows_are_dropped_with_all_that_refers_to_them():
    tables = changed("communities", lat=[30.5, "north"])
    problem = Problem.from_tables(tables, on_error="drop")
    said = set(zip(problem.dropped["table"], problem.dropped["row"], problem.dropped["code"], strict=True))
    assert said == {
        ("communities", 1, "not_a_number"),
        ("party_units", 1, "unknown_reference"),
        ("organizations", 0, "unknown_reference"),
        ("volunteers", 1, "unknown_reference"),
        ("requests", 1, "unknown_reference"),
        ("agreements", 0, "unknown_reference"),
        ("volunteers", 2, "unknown_reference"),
        ("availability", 0, "unknown_reference"),
        ("availability", 2, "unknown_reference"),
        ("skills", 0, "unknown_reference"),
        ("skills", 2, "unknown_reference"),
        ("pins", 0, "unknown_reference"),
    }
    assert problem.supply.provider_id.tolist() == ["V1"]
    assert problem.demand.request_id.tolist() == ["R1", "R3"]
    assert problem.tables["availability"]["provider_id"].tolist() == ["V1"]


def test_rows_are_counted_as_they_were_given_whatever_the_index_and_the_round():
    tables = with_rows("party_units", *[{"unit_id": f"U{i}", "parent_id": f"U{i - 1}"} for i in range(3, 8)])
    tables["party_units"] = tables["party_units"].set_axis(list("abcdefg"))
    tables["party_units"].loc["c", "kind"] = "club"
    problem = Problem.from_tables(tables, on_error="drop")
    assert problem.dropped["row"].tolist() == [2, 3, 4, 5, 6]
    assert problem.tables["party_units"]["unit_id"].tolist() == ["U1", "U2"]


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("roles", {"request_id": "R2", "skill": "repair", "level": 9}),
        ("pins", {"request_id": "R2", "provider_id": "V1", "action": "fordib"}),
        ("pins", {"request_id": "R2", "provider_id": "V9", "action": "assign"}),
        ("visits", {"request_id": "R2", "weeks": 0}),
        ("request_goods", {"request_id": "R2", "good": "rice", "amount": -1}),
    ],
)
def test_a_request_goes_with_a_row_that_says_more_of_it(table, row):
    problem = Problem.from_tables(with_rows(table, row), on_error="drop")
    assert problem.demand.request_id.tolist() == ["R1", "R3"]
    message = problem.dropped.set_index("code").loc["incomplete_request", "message"]
    assert (
        message
        == f"a faulty row of {table} says more of request 'R2'; without it the request would ask for less"
    )


def test_a_pin_that_forbids_who_is_not_there_goes_alone():
    tables = with_rows("pins", {"request_id": "R2", "provider_id": "V9", "action": "forbid"})
    problem = Problem.from_tables(tables, on_error="drop")
    assert problem.demand.request_id.tolist() == ["R1", "R2", "R3"]
    assert problem.dropped["code"].tolist() == ["unknown_reference"]


def test_faults_of_a_whole_column_raise_even_when_dropping():
    tables = village()
    tables["requests"] = tables["requests"].drop(columns="community_id")
    with pytest.raises(InvalidTables, match="the column is required: where"):
        Problem.from_tables(tables, on_error="drop")


def test_a_fault_that_dropping_uncovers_is_told_with_what_was_dropped():
    tables = {
        "communities": village()["communities"],
        "requests": pd.DataFrame(
            {
                "request_id": ["a", "b", "c"],
                "community_id": ["C9", "C1", "C1"],
                "earliest": ["2026-05-01", None, None],
            }
        ),
    }
    with pytest.raises(InvalidTables, match="give horizon=") as caught:
        Problem.from_tables(tables, on_error="drop")
    assert caught.value.violations["code"].tolist() == ["unknown_reference", "no_horizon"]
    assert caught.value.violations["row"].tolist() == [0, -1]


def test_tables_of_a_problem_may_be_edited_without_harm():
    problem = Problem.from_tables(village())
    for frame in problem.tables.values():
        for column in frame.columns:
            frame.loc[0, column] = frame[column].iloc[-1]
    assert problem.fingerprint == Problem.from_tables(village()).fingerprint
    assert problem.demand.request_id.tolist() == ["R1", "R2", "R3"]


def test_dropping_times_does_not_make_a_roster_absent():
    tables = village()
    tables["availability"]["end"] = tables["availability"]["start"]
    problem = Problem.from_tables(tables, on_error="drop")
    assert len(problem.supply.slot_start) == 0


# other requests


def test_other_requests_on_the_same_supply_are_as_if_given_at_once():
    first = Problem.from_tables(
        with_rows("visits", {"request_id": "R1"}), horizon=("2026-05-01", "2026-05-02")
    )
    requests = village()["requests"].iloc[[2, 0]]
    roles = {"request_id": ["R1"], "skill": ["tutoring"]}
    requests = requests.assign(skill=["repair", None])
    pins = {"request_id": ["R3"], "provider_id": ["V2"], "action": ["forbid"]}
    found = first.with_requests(requests, roles, pins)
    tables = {**village(), "requests": requests, "roles": roles, "pins": pins}
    expected = Problem.from_tables(tables, horizon=("2026-05-01", "2026-05-02"))
    assert found.supply is first.supply
    for name, array in vars(expected.demand).items():
        np.testing.assert_array_equal(getattr(found.demand, name), array)
    assert found.features == frozenset()
    assert found.fingerprint == expected.fingerprint
    assert first.fingerprint != expected.fingerprint
    assert set(found.tables) == set(expected.tables)
    assert first.demand.request_id.tolist() == ["R1@2026-05-01", "R2", "R3"]


def test_other_requests_are_checked_beside_the_kept_tables():
    problem = Problem.from_tables(village())
    requests = pd.DataFrame(
        {
            "request_id": ["A", "B", "C"],
            "community_id": ["C1", "C9", "C2"],
            "latest": [None, None, "2026-06-01"],
        }
    )
    with pytest.raises(InvalidTables) as caught:
        problem.with_requests(requests)
    assert set(caught.value.violations["code"]) == {"unknown_reference", "outside_horizon"}
    kept = problem.with_requests(requests, on_error="drop")
    assert kept.demand.request_id.tolist() == ["A"]
    assert kept.dropped["row"].tolist() == [1, 2]
    with pytest.raises(InvalidTables, match="'Z' is not in requests"):
        problem.with_requests(requests.iloc[:1], pins={"request_id": ["Z"], "provider_id": ["V1"]})
    with pytest.raises(InvalidInput, match="requests must be a table; found None"):
        problem.with_requests(None)
    assert problem.with_requests([]).demand.n_requests == 0


# fingerprints


def test_a_fingerprint_differs_wherever_a_cell_does():
    full = {name: table.astype(object).copy() for name, table in village().items()}
    for name, table in TABLES.items():
        full.setdefault(name, _one_row(table))
    full["requests"]["duplicate_of"] = [None, None, None]
    full["bonds"] = pd.DataFrame([{"provider_id": "V1", "other_id": "V2", "kind": "apart"}])
    full["parties"] = pd.DataFrame([{"request_id": "R2", "resident_id": "P1"}])
    full["kin"] = pd.DataFrame([{"volunteer_id": "V1", "resident_id": "P1"}])
    full["holidays"]["date"] = ["2026-05-04"]
    full["roles"] = pd.DataFrame(
        [
            {"request_id": "R2", "role": "x", "skill": "repair", "after": "y"},
            {"request_id": "R2", "role": "y", "skill": "repair"},
            {"request_id": "R2", "role": "other", "skill": "repair"},
        ],
        dtype=object,
    )
    full = Problem.from_tables(full).tables
    seen = {Problem.from_tables(full).fingerprint: "nothing"}
    for name, table in TABLES.items():
        for column in table.columns:
            place = f"{name}.{column.name}"
            for values in _other(full[name], column):
                try:
                    found = Problem.from_tables(
                        {**full, name: full[name].assign(**{column.name: values})}
                    ).fingerprint
                except InvalidTables:
                    continue
                assert found not in seen, f"{place} counts no more than {seen[found]}"
                seen[found] = place
                break
    # what others refer to, and half of a pair, cannot be changed alone
    alone = {
        f"{name}.{c.name}"
        for name, table in TABLES.items()
        for c in table.columns
        if not (c.references or c.name in (*table.key, "lat", "lon", "latest", "valid_from", "end"))
    }
    assert alone <= set(seen.values())


def _one_row(table):
    given = {
        "owner_id": "C1",
        "request_id": "R2",
        "provider_id": "V2",
        "community_id": "C1",
        "amount": 1,
        "count": 1,
        "seats": 4,
    }
    times = {"start": "2026-05-01 08:00", "end": "2026-05-01 09:00"}
    row = {c.name: {**given, **times}.get(c.name, "x") for c in table.columns if c.required}
    return pd.DataFrame([row], dtype=object)


def _other(frame, column):
    old = frame[column.name].tolist() if column.name in frame else [None] * len(frame)
    ids = ("C2", "C1") if "communities" in column.references else ("V3", "O1", "U1", "R3", "P1", "x")
    texts = {"preset": ("weekends", "always"), "weekdays": ("tue",)}.get(column.name, ("other",))
    candidates = {
        "id": (*ids, "other"),
        "text": texts,
        "choice": column.choices,
        "int": (3, 2, 1),
        "float": (30.55 if column.name == "lat" else 120.77,),
        "bool": (True,),
        "time": ("2026-05-01 08:30+08:00",),
        "date": ("2026-11-11",),
    }[column.kind]
    now = column.default if pd.isna(old[0]) else old[0]
    return [[value, *old[1:]] for value in candidates if value != now]


def test_a_fingerprint_holds_the_horizon_the_edges_and_travel():
    horizons = [None, ("2026-05-01", "2026-05-03"), ("2026-04-30", "2026-05-02")]
    plugs = [None, Plug(), Plug("other"), Plug(hop=2.0)]
    made = [Problem.from_tables(village(), horizon=h).fingerprint for h in horizons]
    made += [Problem.from_tables(village(), travel=p).fingerprint for p in plugs[1:3]]
    made += [Problem.from_tables(village(), alliance=p).fingerprint for p in plugs[1::2]]
    assert len(set(made)) == 7
    turned = Problem.from_tables(village(), alliance=Plug(order=-1))
    assert turned.fingerprint == made[5]
    turned.alliance._edges.loc[0, "hop_minutes"] = 2.0
    assert turned.fingerprint == made[6]


def test_texts_that_run_together_alike_are_told_apart():
    one, other = (
        Problem.from_tables(changed("communities", name=names)).fingerprint
        for names in (["ab", "c"], ["a", "bc"])
    )
    assert one != other


# speed


def large(n_volunteers, n_skills, times_each, n_requests, seed=0):
    """Tables of a county's size, rows in no order."""
    rng = np.random.default_rng(seed)
    communities = np.array([f"{330481001000 + i}" for i in range(236)], dtype=object)
    firms = np.array([f"O-{i:05d}" for i in range(4_000)], dtype=object)
    people = np.array([f"V-{i:06d}" for i in range(n_volunteers)], dtype=object)
    skills = np.array([f"skill {i}" for i in range(60)], dtype=object)
    held = rng.permutation(np.unique(rng.integers(0, n_volunteers * 60, n_skills * 11 // 10))[:n_skills])
    who = rng.permutation(
        np.repeat(np.arange(n_volunteers), times_each) * times_each
        + np.tile(np.arange(times_each), n_volunteers)
    )
    dawn = np.datetime64("2026-05-01T08:00", "us")
    start = dawn + (who % times_each).astype("m8[D]") + rng.integers(0, 60, len(who)).astype("m8[m]")
    asked = dawn + rng.integers(0, 2_880, n_requests).astype("m8[m]")

    def pick(values, n):
        return values[rng.integers(0, len(values), n)]

    return {
        "communities": pd.DataFrame(
            {
                "community_id": communities,
                "lat": 30.4 + rng.random(236) / 5,
                "lon": 120.6 + rng.random(236) / 3,
            }
        ),
        "organizations": pd.DataFrame(
            {"organization_id": firms, "capacity_per_slot": rng.integers(0, 3, len(firms))}
        ),
        "volunteers": pd.DataFrame(
            {
                "volunteer_id": people,
                "organization_id": np.where(rng.random(n_volunteers) < 0.5, pick(firms, n_volunteers), None),
                "community_id": pick(communities, n_volunteers),
                "lat": 30.4 + rng.random(n_volunteers) / 5,
                "lon": 120.6 + rng.random(n_volunteers) / 3,
                "clearance": rng.integers(0, 4, n_volunteers),
                "dialect": pick(np.array(["Wu", "Min", None], dtype=object), n_volunteers),
            }
        ),
        "skills": pd.DataFrame(
            {
                "provider_id": people[held // 60],
                "skill": skills[held % 60],
                "level": rng.integers(1, 6, len(held)),
            }
        ),
        "availability": pd.DataFrame(
            {
                "provider_id": people[who // times_each],
                "start": start,
                "end": start + rng.integers(60, 240, len(who)).astype("m8[m]"),
            }
        ),
        "requests": pd.DataFrame(
            {
                "request_id": np.array([f"R-{i}" for i in range(n_requests)], dtype=object),
                "community_id": pick(communities, n_requests),
                "skill": pick(skills, n_requests),
                "earliest": asked,
                "latest": asked + np.timedelta64(4, "h"),
            }
        ),
    }


@pytest.mark.parametrize("storage", ["str", "object"])
def test_a_fifth_of_a_county_is_checked_and_encoded_in_no_time(storage):
    tables = large(40_000, 100_000, 3, 4_000)
    if storage == "object":
        tables = {
            name: frame.astype({c: object for c in frame.columns if frame[c].dtype == "str"})
            for name, frame in tables.items()
        }
    begun = time.perf_counter()
    problem = Problem.from_tables(tables)
    took = time.perf_counter() - begun
    assert problem.supply.n_volunteers == 40_000
    assert len(problem.supply.slot_start) == 120_000
    assert took < 4.0  # 0.1 s on a quiet machine of two cores
    begun = time.perf_counter()
    problem.with_requests(tables["requests"])
    assert time.perf_counter() - begun < 2.0
