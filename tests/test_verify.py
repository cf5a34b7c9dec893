"""The parts of the verifier against the oracle's own derivations, and what it says."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import govmatch as gm
from govmatch.plan.reasons import REASONS
from govmatch.plan.verify_facts import read_facts
from govmatch.plan.verify_funnel import Funnel
from govmatch.plan.verify_slots import NEVER, utc_minutes, whole_days
from govmatch.plan.verify_travel import great_circle_km, wgs84
from tests import naive
from tests.towns import at, free, hand_town, random_policy, random_town, request, volunteer

ROOT = Path(__file__).parents[1]


def problem_of(seed, largest=10):
    return gm.Problem.from_tables(random_town(seed, largest), policy=random_policy(seed))


@pytest.fixture(scope="module")
def problem():
    return gm.Problem.from_tables(hand_town())


@pytest.fixture(scope="module")
def plan(problem):
    return gm.match(problem)


def test_shares_no_code_with_what_it_checks():
    """Its modules import one another, the errors and the reasons' texts; nothing else of the library."""
    allowed = ("govmatch.errors", "govmatch.plan.reasons")
    for path in sorted((ROOT / "src/govmatch/plan").glob("verify*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                own = name.startswith("govmatch.plan.verify_") or name in allowed
                assert own or name.split(".")[0] != "govmatch", f"{path.name} imports {name}"


# what it says


def test_what_a_verification_says(problem, plan):
    verification = gm.verify(problem, plan)
    assert verification
    assert repr(verification).startswith("Verification(ok, checked 14 assignments, 5 unmet, ")
    assert "已核验" in verification._repr_html_()
    verification.raise_for_faults()


def test_faults_are_raised_on_request(problem, plan):
    bad = plan.assignments.assign(wait_cost=plan.assignments["wait_cost"] + 1)
    verification = gm.verify(problem, replace(plan, assignments=bad))
    assert not verification
    assert "wrong_cost_term x14" in repr(verification)
    assert "<table" in verification._repr_html_()
    with pytest.raises(
        gm.GovmatchError, match=r"(?s)28 fault.*R01 ← V1: wait_cost is 1.00; 0.00.*and 23 more"
    ) as e:
        verification.raise_for_faults()
    assert len(e.value.faults) == 28
    assert set(e.value.faults.columns) == {"code", "request_id", "provider_id", "message"}


@pytest.mark.parametrize(
    "column", ["start", "slot_end", "hops", "travel_minutes", "load_cost", "route", "role"]
)
@pytest.mark.parametrize("junk", ["?", None, float("inf"), -1, 1e300])
def test_junk_in_a_column_is_a_fault_and_no_crash(problem, plan, column, junk):
    bad = plan.assignments.astype({column: object})
    bad[column] = junk
    verification = gm.verify(problem, replace(plan, assignments=bad))
    assert not verification.ok
    assert len(verification.faults) >= len(bad)


@pytest.mark.parametrize("column", ["people", "unmet_minutes", "eligible", "reason", "skill", "request_id"])
@pytest.mark.parametrize("junk", ["?", None, float("inf"), -1, 1e300])
def test_junk_among_the_unmet_is_a_fault_and_no_crash(problem, plan, column, junk):
    bad = plan.unmet.astype({column: object})
    bad[column] = junk
    verification = gm.verify(problem, replace(plan, unmet=bad))
    assert not verification.ok


@pytest.mark.parametrize("frame", ["assignments", "unmet", "funnel"])
@pytest.mark.parametrize(
    "junk",
    [["a", "b"], {"a": 1}, 1 + 2j, np.array([1, 2]), pd.NA, b"x", 10**400, 1e308, "\ud800"],
    ids=[
        "list",
        "dict",
        "complex",
        "array",
        "NA",
        "bytes",
        "huge",
        "near the last float",
        "half a character",
    ],
)
@pytest.mark.filterwarnings("error")
def test_odd_cells_are_faults_and_no_crash(problem, plan, frame, junk):
    """Not even a warning, in whatever column they stand."""
    for column in getattr(plan, frame).columns:
        bad = getattr(plan, frame).astype({column: object})
        bad[column] = pd.Series([junk, *bad[column][1:]], index=bad.index, dtype=object)
        verification = gm.verify(problem, replace(plan, **{frame: bad}))
        blank = junk is pd.NA and (frame, column) in {
            ("assignments", "organization_id"),
            ("unmet", "category"),
            ("unmet", "group"),
        }
        assert blank or not verification.ok, column


@pytest.mark.filterwarnings("error")
def test_a_column_of_complex_numbers(problem, plan):
    bad = plan.assignments.assign(wait_cost=plan.assignments["wait_cost"] + 0j)
    assert "wrong_cost_term" in set(gm.verify(problem, replace(plan, assignments=bad)).faults["code"])


@pytest.mark.parametrize("nothing", [None, 7, "plan.csv", {}])
def test_what_is_no_plan_or_problem(problem, plan, nothing):
    kind = type(nothing).__name__
    with pytest.raises(gm.InvalidInput, match=rf"^plan is a {kind}; expected a Plan, such as match"):
        gm.verify(problem, nothing)
    with pytest.raises(gm.InvalidInput, match=rf"^problem is a {kind}; expected a Problem, such as Problem"):
        gm.verify(nothing, plan)


def test_text_instead_of_times_is_read(problem, plan):
    """A plan that went through CSV is still the same plan."""
    written = plan.assignments.assign(
        **{c: plan.assignments[c].astype(str) for c in ("start", "end", "slot_start", "slot_end")}
    )
    assert gm.verify(problem, replace(plan, assignments=written)).ok


def test_rows_in_another_order(problem, plan):
    shuffled = plan.assignments.sample(frac=1, random_state=1).set_index("provider_id", drop=False)
    assert gm.verify(problem, replace(plan, assignments=shuffled, unmet=plan.unmet.iloc[::-1])).ok


def test_out_of_time(problem, plan):
    """A request that nobody looked at before the time limit has that as its reason."""
    cut = replace(plan, certificate=replace(plan.certificate, termination="time_limit"))
    unmet = plan.unmet.assign(reason="time", reason_zh=REASONS["time"][1], eligible=0)
    assert gm.verify(problem, replace(cut, unmet=unmet)).ok
    halved = plan.funnel.assign(pairs=0)
    assert gm.verify(problem, replace(cut, unmet=unmet, funnel=halved)).ok


def test_who_is_left_over_when_time_runs_out_is_not_at_capacity(problem, plan):
    """Who has eligible providers left says "time"; only an optimal plan says "capacity"."""
    cut = replace(plan, certificate=replace(plan.certificate, termination="time_limit"))
    faults = gm.verify(problem, cut).faults
    assert faults["message"].tolist() == ["reason 'capacity'; only an optimal plan says so"]
    late = plan.unmet["reason"] == "capacity"
    texts = {"reason": "time", "reason_zh": REASONS["time"][1]}
    unmet = plan.unmet.assign(**{c: plan.unmet[c].mask(late, text) for c, text in texts.items()})
    assert gm.verify(problem, replace(cut, unmet=unmet)).ok
    wrong = unmet.assign(eligible=unmet["eligible"] + late)
    message = gm.verify(problem, replace(cut, unmet=wrong)).faults["message"].tolist()
    assert len(message) == 1
    assert "eligible is" in message[0]
    everybody = plan.unmet.assign(**texts, eligible=1)
    message = gm.verify(problem, replace(cut, unmet=everybody)).faults["message"].tolist()
    assert "reason 'time'; the first empty stage is 'no_such_service'" in message
    assert "reason 'distance'; recomputed 'capacity'" not in message


def test_no_requests_and_no_supply():
    tables = hand_town()
    empty = {**tables, "requests": tables["requests"].iloc[:0]}
    for table in ("roles", "pins"):
        empty.pop(table)
    problem = gm.Problem.from_tables(empty)
    assert gm.verify(problem, gm.match(problem)).ok
    bare = {name: tables[name] for name in ("communities", "requests")}
    bare["requests"] = bare["requests"].drop(columns="resident_id")
    problem = gm.Problem.from_tables({**bare, "volunteers": tables["volunteers"].iloc[:0]})
    plan = gm.match(problem)
    assert set(plan.unmet["reason"]) == {"no_supply"}
    assert gm.verify(problem, plan).ok


# times


def test_minutes_and_days():
    times = pd.Series(["2026-11-21 08:00:30+08:00", None, "nonsense"])
    assert utc_minutes(times).tolist() == [29_919_840 + 480, NEVER, NEVER]
    assert utc_minutes(times, up=True).tolist()[0] == 29_919_840 + 481
    assert whole_days(pd.Series(["1970-01-03", None])).tolist() == [2, NEVER]


def same_slots(problem):
    facts, world = read_facts(problem), naive.World(problem)
    slots = facts.slots
    mine = sorted(
        zip(
            [facts.providers.ids[p] for p in slots.provider],
            slots.start.tolist(),
            slots.end.tolist(),
            pd.to_datetime(slots.day, unit="D").date,
            slots.assumed.tolist(),
            strict=True,
        )
    )
    theirs = sorted(
        (name, s["start"], s["end"], s["day"], s["assumed"])
        for name, rows in world.slots.items()
        for s in rows
    )
    assert mine == theirs
    return mine


@pytest.mark.parametrize("seed", range(25))
def test_slots(seed):
    same_slots(problem_of(seed))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_slots_where_clocks_change(zone):
    """Ten days of autumn 2026, in which both changes of clocks in the list fall."""
    days = pd.date_range("2026-10-24", "2026-11-02", tz=zone)
    tables = {
        "communities": pd.DataFrame({"community_id": ["C"]}),
        "volunteers": pd.DataFrame([volunteer("V1", "C"), volunteer("V2", "C", preset="always")]),
        "availability": pd.DataFrame(
            {
                "provider_id": "V1",
                "start": days + pd.Timedelta(minutes=31.5),
                "end": days + pd.Timedelta(hours=22, seconds=40),
            }
        ),
        "requests": pd.DataFrame(
            [{"request_id": "R", "community_id": "C", "earliest": days[0], "latest": days[-1]}]
        ),
    }
    policy = gm.Policy(time_zone=zone)
    problem = gm.Problem.from_tables(tables, policy=policy)
    found = same_slots(problem)
    assert sum(row[0] == "V2" for row in found) == 27
    encoded = problem.supply
    assert sorted(zip(encoded.slot_start.tolist(), encoded.slot_end.tolist(), strict=True)) == sorted(
        row[1:3] for row in found
    )


def test_seconds_shrink_a_slot():
    tables = hand_town()
    tables["availability"].loc[0, "start"] = at("sat 08:00") + pd.Timedelta(seconds=1)
    tables["availability"].loc[0, "end"] = at("sat 11:59") + pd.Timedelta(seconds=59)
    first = next(row for row in same_slots(gm.Problem.from_tables(tables)) if row[0] == "V1")
    assert (first[2] - first[1]) == 238


def test_a_day_without_named_hours():
    """Nothing stands in for unknown times, and what is long has no bounds to be cut at."""
    bare = gm.Policy().slots.__class__(hours={})
    habit = gm.Policy().presets.named["always"].__class__((0, 5), ())
    presets = gm.Policy().presets.__class__(default="never", named={"never": habit})
    tables = hand_town()
    tables["volunteers"]["preset"] = tables["volunteers"]["preset"].map({"weekends": "never"})
    problem = gm.Problem.from_tables(tables, policy=gm.Policy(slots=bare, presets=presets))
    found = same_slots(problem)
    assert not any(row[4] for row in found)
    assert max(row[2] - row[1] for row in found) <= bare.long_minutes
    assert gm.verify(problem, gm.match(problem)).ok


# ways


@pytest.mark.parametrize("seed", range(20))
def test_paths(seed):
    problem = problem_of(seed)
    facts, world = read_facts(problem), naive.World(problem)
    paths = facts.paths
    for day in {row["day"] for rows in world.slots.values() for row in rows}:
        number = np.datetime64(day, "D").astype(int)
        for source in world.communities:
            best = world.paths(source, day)
            home = np.arange(len(paths.node))
            found = paths.cheapest(
                paths.node.at([source]).repeat(len(home)), home, np.full(len(home), number)
            )
            assert found.tolist() == [best.get(node, (-1,))[0] for node in paths.node.values]


def test_a_node_of_ones_own_may_hold_the_arrow():
    """The tables forbid it, but an alliance may be edited in any way."""
    tables = hand_town()
    alliance = gm.Alliance.from_tables(tables)
    for end in ("C1", "O2"):
        alliance.graph.add_edge("a > b", end, kind="tier", hop_minutes=0.25, valid_from=None, valid_to=None)
    alliance.graph.nodes["a > b"].update(kind="organization", name="outside the tables")
    problem = gm.Problem.from_tables(tables, alliance=alliance)
    plan = gm.match(problem)
    assert "C1 > a > b > O2" in set(plan.assignments["route"])
    assert gm.verify(problem, plan).ok


# places


def test_datums():
    lat, lon = np.array([30.5254, 39.9, 23.1]), np.array([120.6886, 116.4, 113.3])
    moved = np.array([naive.gcj02(*point) for point in zip(lat, lon, strict=True)]).T
    crs = np.array(["gcj02"] * 3, dtype=object)
    back = wgs84(moved[0], moved[1], crs)
    np.testing.assert_allclose(back, (lat, lon), rtol=0, atol=1e-10)
    assert 0.2 < great_circle_km(lat, lon, *moved).min() < great_circle_km(lat, lon, *moved).max() < 0.8

    def bd09(lat, lon):
        turn = np.pi * 3000 / 180
        z, theta = (
            np.hypot(lon, lat) + 2e-5 * np.sin(lat * turn),
            np.arctan2(lat, lon) + 3e-6 * np.cos(lon * turn),
        )
        return z * np.sin(theta) + 0.006, z * np.cos(theta) + 0.0065

    back = wgs84(*bd09(*moved), np.array(["bd09"] * 3, dtype=object))
    np.testing.assert_allclose(back, (lat, lon), rtol=0, atol=1e-10)
    paris = wgs84(
        np.array([48.85, np.nan]), np.array([2.35, np.nan]), np.array(["gcj02", "bd09"], dtype=object)
    )
    np.testing.assert_array_equal(paris, ([48.85, np.nan], [2.35, np.nan]))


@pytest.mark.parametrize("crs", ["wgs84", "gcj02", "bd09"])
def test_every_datum_in_a_plan(crs):
    tables = hand_town()
    for table in ("communities", "volunteers"):
        tables[table]["crs"] = crs
    problem = gm.Problem.from_tables(tables)
    assert gm.verify(problem, gm.match(problem)).ok


class Crow:
    """Somebody's own way of travelling: straight, at a speed by mode, not at all beyond a meridian."""

    fingerprint = "crow"

    def prepare(self, lat, lon, mode, to_lat, to_lon):
        crow = Crow()
        crow.ends = lat, lon, mode, to_lat, to_lon
        return crow

    def minutes(self, origins, destinations):
        lat, lon, mode, to_lat, to_lon = self.ends
        way = np.hypot(lat[origins] - to_lat[destinations], lon[origins] - to_lon[destinations])
        return np.where(lon[origins] > 120.69, np.inf, way * 500 / (1 + mode[origins]))


@pytest.mark.parametrize("seed", range(4))
def test_a_plug_of_somebody_elses(seed):
    problem = gm.Problem.from_tables(random_town(seed, 12), policy=random_policy(seed), travel=Crow())
    plan = gm.match(problem)
    assert gm.verify(problem, plan).ok
    assert round(plan.certificate.primal * 100) == naive.optimal_cost(problem)


def test_other_speeds(plan):
    tables = hand_town()
    slow = gm.GreatCircle(detour=2.0, speed_kmh={"walk": 3.0, "ebike": 9.0, "car": 20.0})
    problem = gm.Problem.from_tables(tables, travel=slow)
    assert gm.verify(problem, gm.match(problem)).ok
    assert "wrong_travel" in set(gm.verify(problem, plan).faults["code"])


def test_an_alliance_of_ones_own(plan):
    tables = hand_town()
    alliance = gm.Alliance.from_tables(tables)
    alliance.graph.remove_edge("U1", "U2", "tier:U2:U1")
    problem = gm.Problem.from_tables(tables, alliance=alliance)
    assert gm.verify(problem, gm.match(problem)).ok
    faults = gm.verify(problem, plan).faults
    assert faults.loc[faults["code"] == "forbidden_path", "request_id"].tolist() == ["R17"]


# reasons


@pytest.mark.parametrize("seed", range(25))
def test_the_funnel(seed):
    problem = problem_of(seed)
    facts, counts = read_facts(problem), naive.count_reasons(problem)
    funnel = Funnel(facts)
    for r in np.flatnonzero(~facts.requests.linked):
        low, high = funnel.counts(int(r))
        assert low == high == counts.loc[facts.requests.ids[r]].tolist()[1:]


def lonely(limit=None, **policy):
    """One volunteer, one request, the volunteer's limit in minutes."""
    tables = {
        "communities": pd.DataFrame({"community_id": ["C1"], "lat": [30.5], "lon": [120.7]}),
        "volunteers": pd.DataFrame([volunteer("V", "C1", lat=30.53, lon=120.72, max_travel_minutes=limit)]),
        "availability": free(("V", "sat 08:00", "sat 12:00")),
        "requests": pd.DataFrame([request("R", "C1")]),
    }
    return gm.Problem.from_tables(tables, policy=gm.Policy(**policy))


@pytest.mark.parametrize("off", [-0.02, -0.005, -0.003, -0.001, 0.0, 0.001, 0.003, 0.005, 0.02])
def test_travel_at_the_limit(off):
    """Whether it is just kept or just exceeded, the plan passes; beyond the doubt, one answer is right."""
    way = gm.match(lonely()).assignments["travel_minutes"].iloc[0]
    problem = lonely(way + off)
    plan = gm.match(problem)
    assert gm.verify(problem, plan).ok
    assert plan.unmet["reason"].tolist() == ([] if off >= 0 else ["distance"])
    if off < 0:
        wrong = plan.unmet.assign(reason="capacity", reason_zh=REASONS["capacity"][1])
        faults = gm.verify(problem, replace(plan, unmet=wrong)).faults
        beyond = ["reason 'capacity'; recomputed 'distance'"] if off == -0.02 else []
        assert faults["message"].tolist() == beyond


@pytest.mark.parametrize("off", [-0.05, -0.01, 0.0, 0.01, 0.05])
def test_cost_at_that_of_leaving_it(off):
    """A hundredth of doubt, as travel alone is rounded from a float."""
    way = gm.match(lonely()).assignments["cost_minutes"].iloc[0]
    unmet = gm.Policy().unmet.__class__(base_minutes=round(way + off, 2), priority_minutes=0.0)
    problem = lonely(unmet=unmet)
    plan = gm.match(problem)
    assert gm.verify(problem, plan).ok
    assert plan.unmet["reason"].tolist() == ([] if off > 0 else ["cost"])
    if off <= 0:
        wrong = plan.unmet.assign(reason="capacity", reason_zh=REASONS["capacity"][1])
        faults = gm.verify(problem, replace(plan, unmet=wrong)).faults
        beyond = ["reason 'capacity'; recomputed 'cost'"] if off < 0 else []
        assert faults["message"].tolist() == beyond


def test_several_people_start_together():
    """Nobody is free from the earliest time on: for several people that has a reason of its own."""
    tables = hand_town()
    tables["requests"] = pd.DataFrame(
        [
            request("R1", "C1", "tutoring", "sat 07:00-12:00", people=2),
            request("R2", "C1", "tutoring", "sat 07:00-08:00"),
        ]
    )
    for table in ("roles", "pins"):
        tables.pop(table)
    problem = gm.Problem.from_tables(tables)
    plan = gm.match(problem)
    assert plan.unmet["reason"].tolist() == ["together", "window"]
    assert gm.verify(problem, plan).ok
    swapped = plan.unmet.assign(
        reason=["window", "together"], reason_zh=[REASONS[c][1] for c in ("window", "together")]
    )
    faults = gm.verify(problem, replace(plan, unmet=swapped)).faults
    assert faults["message"].tolist() == [
        f"reason {code!r}; 'together' is for several people and 'window' for one, {n} are asked"
        for code, n in (("window", 2), ("together", 1))
    ]


def test_a_pin_on_an_organisation_holds_for_everybody_charged_to_it(problem, plan):
    """O2 has no staff of its own; its volunteers V3 and V4 must not be sent."""
    sent = plan.assignments[plan.assignments["organization_id"].isin(["O1", "O2"])]
    assert set(sent["organization_id"]) == {"O1", "O2"}
    for row in sent.itertuples():
        tables = hand_town()
        pin = {"request_id": row.request_id, "provider_id": row.organization_id, "action": "forbid"}
        tables["pins"] = pd.concat([tables["pins"], pd.DataFrame([pin])], ignore_index=True)
        pinned = gm.Problem.from_tables(tables)
        faults = gm.verify(pinned, plan).faults
        who = faults.loc[faults["code"] == "forbidden_pair", ["request_id", "provider_id"]]
        assert (row.request_id, row.provider_id) in set(who.itertuples(index=False, name=None))
        assert gm.verify(pinned, gm.match(pinned)).ok


def test_a_costly_plug_is_not_asked_for_a_whole_funnel(monkeypatch):
    monkeypatch.setattr("govmatch.plan.verify_funnel.MOST_PLUG_PAIRS", 0)
    problem = gm.Problem.from_tables(hand_town(), travel=Crow())
    verification = gm.verify(problem, gm.match(problem))
    assert verification.ok
    assert verification.checked["reasons"] < verification.checked["unmet"]


# load


def test_further_jobs_are_charged_by_start():
    tables = {
        "communities": pd.DataFrame({"community_id": ["C"]}),
        "volunteers": pd.DataFrame([volunteer("V", "C")]),
        "availability": free(*(("V", f"{day} 08:00", f"{day} 09:00") for day in ("sat", "sun", "mon"))),
        "requests": pd.DataFrame(
            [
                request("R1", "C", window="sun 08:00-09:00"),
                request("R2", "C", window="sat 08:00-09:00"),
                request("R3", "C", window="mon 08:00-09:00"),
            ]
        ),
    }
    problem = gm.Problem.from_tables(tables)
    plan = gm.match(problem)
    loads = dict(zip(plan.assignments["request_id"], plan.assignments["load_cost"], strict=True))
    assert loads == {"R1": 6.0, "R2": 0.0, "R3": 0.0}  # Monday begins a week of its own
    swapped = plan.assignments.assign(
        load_cost=plan.assignments["request_id"].map({"R1": 0.0, "R2": 6.0, "R3": 0.0})
    )
    faults = gm.verify(problem, replace(plan, assignments=swapped)).faults
    assert (faults["code"] == "wrong_load_cost").sum() == 2
