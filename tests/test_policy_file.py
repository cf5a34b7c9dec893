import dataclasses
import re
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from govmatch.errors import InvalidPolicy
from govmatch.model.policy import (
    Fit,
    Load,
    Policy,
    Preset,
    Presets,
    Rounds,
    Route,
    Slots,
    Stability,
    TravelRules,
    Unmet,
)
from govmatch.model.policy_file import profile_names
from govmatch.model.schema import EDGE_KINDS, MODES


def test_an_empty_file_is_the_default_policy(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text("", encoding="utf-8")
    assert Policy.from_toml(path) == Policy(name="rules")
    assert Policy.read("default") == Policy.profile("default") == Policy()


def test_units_are_converted_and_the_rest_stays():
    policy = Policy.from_text(
        """
        time_zone = "America/Los_Angeles"
        [unmet]
        base_minutes = "2.5 h"
        group_minutes = { elderly = 30, "新居民" = "1 小时" }
        [route.hop_minutes]
        tier = 1
        [travel]
        speed_kmh = { walk = "1.25 m/s", car = "30 km/h" }
        [slots]
        long_minutes = "4 h"
        """
    )
    assert policy.unmet == Unmet(150.0, 240.0, {"elderly": 30, "新居民": 60.0})
    assert policy.route == Route(hop_minutes={"tier": 1})
    assert policy.travel == TravelRules(speed_kmh={"walk": 4.5, "ebike": 18.0, "car": 30.0})
    assert policy.slots.long_minutes == 240
    assert isinstance(policy.slots.long_minutes, int)
    assert (policy.name, policy.time_zone) == ("<text>", "America/Los_Angeles")


def test_rounds_are_off_unless_the_policy_says_so():
    assert not Policy().rounds.on
    text = '[rounds]\non = true\nstart = "organization"\nrest_minutes = "0.5 h"\nlargest_late_minutes = 2\n'
    rounds = Policy.from_text(text).rounds
    assert rounds == Rounds(on=True, start="organization", rest_minutes=30, largest_late_minutes=2.0)
    assert rounds.soft
    assert not Rounds(on=True).soft
    assert "[rounds]\non = true\n" in Policy.from_text(text).to_toml()


def test_a_change_costs_nothing_unless_the_policy_says_so():
    assert Policy().stability.change_minutes == 0
    policy = Policy.from_text('[stability]\nchange_minutes = "0.5 h"')
    assert policy.stability == Stability(30.0)
    assert "[stability]" in policy.to_toml()
    assert policy.fingerprint != Policy().fingerprint
    words = "stability.change_minutes: found -1; expected a number of minutes from 0 to 10,000,000"
    with pytest.raises(InvalidPolicy, match=words):
        Policy.from_text("[stability]\nchange_minutes = -1")


def test_slots_and_presets_replace_the_default_ones():
    policy = Policy.from_text(
        """
        [slots.hours]
        early = ["06:00", "08:00"]
        night = ["20:00", "24:00"]
        [presets]
        default = "sometimes"
        [presets.named.sometimes]
        days = ["Sat", "sunday", 0, "周三"]
        slots = ["night"]
        """
    )
    assert policy.slots.hours == {"early": ("06:00", "08:00"), "night": ("20:00", "24:00")}
    assert policy.presets == Presets("sometimes", {"sometimes": Preset((5, 6, 0, 2), ("night",))})


def test_the_profiles_are_three_examples_that_say_so():
    names = profile_names()
    assert names == ("default", "neighbours-first", "share-widely", "vulnerable-first")
    for name in names[1:]:
        policy = Policy.read(name)
        assert policy.name == name
        assert {"elderly", "child", "new_resident", "disabled", "bereaved"} <= set(policy.unmet.group_minutes)
        assert policy == Policy.from_text(policy.to_toml())
    assert Policy.profile("neighbours-first").route.max_hops < Policy().route.max_hops
    assert Policy.profile("vulnerable-first").unmet.group_minutes["disabled"] == 720
    assert Policy.profile("share-widely").load.further_job_minutes > Policy().load.further_job_minutes


CASES = [  # text, line, words
    ("[unmet]\nbase_minutes = ", 2, "not TOML: Invalid value"),
    ("[unmet\n", 1, "not TOML"),
    ("a = 1\na = 2", 2, "not TOML: Cannot overwrite a value"),
    ("\n[unmt]\nbase_minutes = 3", 2, r"unmt: unknown key 'unmt' \(nearest: unmet\); expected name, "),
    ("[unmet]\n\nbase_minute = 3", 3, r"unmet.base_minute: unknown key .* \(nearest: base_minutes\)"),
    (
        "[unmet]\n# x\nbase_minutes = '45 km'",
        3,
        "unmet.base_minutes: found '45 km'; expected a number of minutes",
    ),
    (
        "[unmet]\nbase_minutes = '45'",
        2,
        "found '45'; expected a number of minutes from 0 to 10,000,000, plain or as text",
    ),
    ("[unmet]\nbase_minutes = -1", 2, "unmet.base_minutes: found -1; expected a number of minutes from 0"),
    ("[unmet]\nbase_minutes = '-1 h'", 2, "unmet.base_minutes: found -60.0; expected"),
    ("[unmet]\nbase_minutes = nan", 2, "found nan"),
    ("[unmet]\nbase_minutes = inf", 2, "found inf"),
    ("[unmet]\nbase_minutes = true", 2, "found True"),
    ("[unmet]\nbase_minutes = [1,\n 2]", 2, r"found \[1, 2\]"),
    (f"[unmet]\nbase_minutes = 1{'0' * 400}", 2, "found 1000.*…; expected"),
    ("name = 3", 1, "name: found 3; expected text"),
    ("unmet = 3", 1, "unmet: found 3; expected a table of keys"),
    ("name = 'a'\nunmet.group_minutes.elderly = -5", 2, "unmet.group_minutes.elderly: found -5"),
    ("[unmet]\ngroup_minutes = {a = 1, b = -1}", 2, "unmet.group_minutes.b: found -1"),
    ("[unmet.group_minutes]\na = 1\n'老人' = '3 km/h'", 3, "unmet.group_minutes.老人: found '3 km/h'"),
    ("[route]\nmax_hops = 2.5", 2, "route.max_hops: found 2.5; expected a whole number from 0 to 20"),
    ("[route]\nmax_hops = '2 h'", 2, "route.max_hops: found '2 h'; expected a whole number from 0 to 20$"),
    (
        "[route.hop_minutes]\nteir = 1",
        2,
        r"route.hop_minutes.teir: unknown key 'teir' \(nearest: tier\); expected tier, joint",
    ),
    ("[travel]\nmode = 'plane'", 2, "travel.mode: found 'plane'; expected one of walk, ebike, car"),
    (
        "[travel.speed_kmh]\nplane = 900",
        2,
        "travel.speed_kmh.plane: unknown key 'plane'; expected walk, ebike, car",
    ),
    (
        "[travel.speed_kmh]\nwalk = '5 min'",
        2,
        "travel.speed_kmh.walk: found '5 min'; expected a number of km/h from 0.1 to 500",
    ),
    ("[travel.speed_kmh]\nwalk = 0", 2, "travel.speed_kmh.walk: found 0"),
    ("[travel]\ndetour = 0.5", 2, "travel.detour: found 0.5; expected a number from 1 to 10$"),
    ("[travel]\nmax_minutes = '2 d'", 2, "travel.max_minutes: found '2 d'"),
    (
        "[load]\njobs_per_day = 3000",
        2,
        "load.jobs_per_day: found 3000; expected a whole number from 0 to 1,000",
    ),
    ("[rounds]\non = 1", 2, "rounds.on: found 1; expected true or false"),
    ('[rounds]\nstart = "office"', 2, "rounds.start: found 'office'.*; expected one of"),
    ("[rounds]\nlate_minutes = -1", 2, "rounds.late_minutes: found -1; expected a number from 0 to 1,000"),
    (
        "[slots]\nlong_minutes = '0.01 h'",
        2,
        "slots.long_minutes: found 0.6; expected a whole number of minutes",
    ),
    (
        "\ntime_zone = 'Asia/Shanghia'",
        2,
        r"time_zone: found 'Asia/Shanghia'.*; expected the name of a time zone",
    ),
    ("time_zone = 'Asia'", 1, "time_zone: found 'Asia'"),
    ("time_zone = '/etc/passwd'", 1, "time_zone: found '/etc/passwd'"),
    ("time_zone = 8", 1, "time_zone: found 8"),
    (
        "[slots.hours]\nmorning = ['12:00', '08:00']",
        2,
        r"slots.hours.morning: found \('12:00', '08:00'\); expected two times",
    ),
    ("[slots.hours]\nmorning = ['8:00', '12:00']", 2, "expected two times of a day, the earlier first"),
    ("[slots.hours]\nmorning = ['08:00', '25:00']", 2, "slots.hours.morning"),
    ("[slots.hours]\nmorning = ['08:00']", 2, "slots.hours.morning"),
    ("[slots.hours]\nmorning = '08:00-12:00'", 2, "slots.hours.morning: found '08:00-12:00'"),
    (
        "[slots.hours]\nmorning = ['08:00', '12:00']\nafternoon = ['11:00', '18:00']",
        3,
        r"hours.afternoon: \['11:00', '18:00'\] overlaps 'morning', \['08:00', '12:00'\]; slots must lie",
    ),
    (
        "name = 'x'\n[slots.hours]\nmorning = ['08:00', '12:00']",
        2,
        "presets.named.always.slots: unknown slot 'afternoon'; slots.hours has morning",
    ),
    (
        "[presets]\ndefault = 'a'\n[presets.named.a]\ndays = [0]\nslots = ['evenings']",
        5,
        r"presets.named.a.slots: unknown slot 'evenings' \(nearest: evening\); slots.hours has morning,",
    ),
    ("[presets]\ndefault = 'weekend'", 2, r"presets.default: unknown preset 'weekend' \(nearest: weekends\)"),
    (
        "[presets.named.a]\ndays = [0]\nslots = []",
        1,
        "presets.default: unknown preset 'weekends'; presets.named has a",
    ),
    (
        "[presets.named.a]\ndays = [7]\nslots = []",
        2,
        r"presets.named.a.days: found \(7,\); expected a list of different weekdays",
    ),
    ("[presets.named.a]\ndays = ['payday']\nslots = []", 2, "presets.named.a.days: found"),
    ("[presets.named.a]\ndays = [1, 'tue']\nslots = []", 2, r"presets.named.a.days: found \(1, 1\)"),
    ("[presets.named.a]\ndays = 3\nslots = []", 2, "presets.named.a.days: found 3"),
    (
        "[presets.named.a]\ndays = []\nslots = [1]",
        3,
        r"presets.named.a.slots: found \(1,\); expected a list of names",
    ),
    ("\n[presets.named.a]\nslots = []", 2, "presets.named.a.days: missing; expected days, slots"),
    (
        "[presets.named.a]\ndays = []\nslots = []\nfree = 1",
        4,
        "presets.named.a.free: unknown key 'free'; expected days, slots",
    ),
]


@pytest.mark.parametrize(("text", "line", "words"), CASES, ids=[c[0][:40] for c in CASES])
def test_faults_name_the_file_the_line_and_the_key(tmp_path, text, line, words):
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidPolicy, match=words) as caught:
        Policy.from_toml(path)
    assert re.match(rf"rules\.toml, line {line}[,:] ", str(caught.value))


def test_files_that_are_none(tmp_path):
    with pytest.raises(InvalidPolicy, match=r"the policy file .*none.toml cannot be read: No such file"):
        Policy.read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"name = '\xff\xff'")
    with pytest.raises(InvalidPolicy, match=r"bad.toml: neither UTF-8 \(see byte 8\) nor GB18030"):
        Policy.read(tmp_path / "bad.toml")
    with pytest.raises(
        InvalidPolicy,
        match=r"unknown profile 'share-wideley' \(nearest: share-widely\); the profiles are def",
    ):
        Policy.read("share-wideley")
    (tmp_path / "deep.toml").write_text("a=" + "[" * 100_000, encoding="utf-8")
    with pytest.raises(InvalidPolicy, match=r"deep.toml.*: not TOML"):
        Policy.read(tmp_path / "deep.toml")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Policy(unmet=Unmet(-1)), "^unmet.base_minutes: found -1; expected a number of minutes"),
        (lambda: Policy(unmet={"base_minutes": 1}), r"^unmet: found \{'base_minutes': 1\}; expected Unmet"),
        (lambda: Policy(fit=Fit("15 min")), "^fit.dialect_minutes: found '15 min'"),
        (lambda: Policy(load=Load(True)), "^load.jobs_per_day: found True"),
        (lambda: Policy(route=Route(2, [])), r"^route.hop_minutes: found \[\]; expected a table of keys"),
        (lambda: Policy(route=Route(2, {1: 2})), "^route.hop_minutes.1: unknown key 1; expected tier"),
        (lambda: Policy(unmet=Unmet(1, 1, {3: 1})), "^unmet.group_minutes.3: unknown key 3; expected text"),
        (
            lambda: Policy(travel=TravelRules(speed_kmh={"walk": 4})),
            "^travel.speed_kmh.ebike: missing; expected walk, ebike, car",
        ),
        (lambda: Policy(slots=Slots(hours={"a": ["08:00", "09:00"]})), "^slots.hours.a: found"),
        (
            lambda: Policy(presets=Presets(named={"a": Preset([1], ())})),
            r"^presets.named.a.days: found \[1\]",
        ),
        (lambda: dataclasses.replace(Policy(), time_zone="Mars/Utopia"), "^time_zone: found 'Mars/Utopia'"),
    ],
)
def test_a_policy_made_in_python_passes_the_same_checks(make, words):
    with pytest.raises(InvalidPolicy, match=words):
        make()


def test_numpy_numbers_are_numbers():
    policy = Policy(unmet=Unmet(np.float64(3.5)), load=Load(np.int64(2)))
    assert Policy.from_text(policy.to_toml()) == dataclasses.replace(policy, name="default")


def test_the_fingerprint_tells_rules_apart_and_nothing_else():
    plain = Policy()
    assert len(plain.fingerprint) == 40
    same = Policy(name="x", description="y", unmet=Unmet(240, np.float64(240)), load=Load(np.int64(2)))
    assert same.fingerprint == plain.fingerprint
    assert Policy.from_text(plain.to_toml()).fingerprint == plain.fingerprint
    others = [Policy.profile(name) for name in profile_names()]
    others += [Policy(time_zone="UTC"), Policy(unmet=Unmet(group_minutes={"elderly": 1}))]
    assert len({p.fingerprint for p in others}) == len(others)
    turned = Policy(route=Route(hop_minutes=dict(reversed(Route().hop_minutes.items()))))
    assert turned.fingerprint == plain.fingerprint


_minutes = st.floats(0, 1e7) | st.integers(0, 10**7)
_hops = st.floats(0, 1e5) | st.integers(0, 10**5)
_names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(
    st.builds(
        Policy,
        name=_names,
        description=_names,
        unmet=st.builds(Unmet, _minutes, _minutes, st.dictionaries(_names, _minutes, max_size=4)),
        route=st.builds(Route, st.integers(0, 20), st.dictionaries(st.sampled_from(EDGE_KINDS), _hops)),
        travel=st.builds(TravelRules, st.sampled_from(MODES), st.floats(1, 10)),
        fit=st.builds(Fit, _minutes, _minutes, _minutes, _minutes),
        load=st.builds(Load, st.integers(0, 1000), st.integers(0, 7000), _minutes),
        rounds=st.builds(
            Rounds, st.booleans(), st.sampled_from(["home", "organization"]), late_minutes=st.floats(0, 1000)
        ),
        stability=st.builds(Stability, _minutes),
    )
)
def test_to_toml_and_back(policy):
    assert Policy.from_text(policy.to_toml()) == policy


@given(st.text(st.sampled_from("[]{}=.'\"#\n ,-0123456789eabcdminutesrouteunmet_"), max_size=60))
def test_any_text_is_a_policy_or_named_invalid(text):
    try:
        Policy.from_text(text, "x.toml")
    except InvalidPolicy as error:
        assert str(error).startswith("x.toml")


def test_a_policy_loads_neither_numpy_nor_pandas():
    code = (
        "import sys, govmatch; govmatch.Policy.profile('share-widely');"
        "print({'numpy', 'pandas'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_faults_name_the_line_whatever_lines_end_with(tmp_path, end):
    path = tmp_path / "own.toml"
    path.write_bytes(
        end.join(["# own", "[unmet]", "base_minutes = 3", "", "[travel]", "detour = 99"]).encode()
    )
    with pytest.raises(InvalidPolicy, match=r"own.toml, line 6, travel.detour: found 99; expected a number"):
        Policy.from_toml(path)
    path.write_bytes(end.join(["[unmet]", "base_minutes = 3", "group_minutes = "]).encode())
    with pytest.raises(InvalidPolicy, match=r"own.toml, line 3: not TOML"):
        Policy.from_toml(path)


@pytest.mark.parametrize(
    "day", ["mon-fri", "Monat", "sunny", "sat/sun", "周末", "周一至周五", "星期", "7", "", "M"]
)
def test_only_whole_names_are_weekdays(day):
    text = f'[presets.named.x]\nslots = []\n\ndays = ["{day}"]'
    with pytest.raises(
        InvalidPolicy,
        match=r"line 4, presets.named.x.days: found .*; expected a list of different weekdays: 0",
    ):
        Policy.from_text(text)


@pytest.mark.parametrize(
    "names",
    [
        ["mon", "Tue", " wed ", "thu", "fri", "sat", "SUN"],
        ["monday", "tuesday", "wednesday", "thursday", "Friday", "saturday", "sunday"],
        [f"周{n}" for n in "一二三四五六日"],
        [f"星期{n}" for n in "一二三四五六天"],
        [*"012345", 6],
    ],
)
def test_names_of_weekdays(names):
    days = str(names).replace("'", '"')
    policy = Policy.from_text(f"[presets]\ndefault = 'x'\n[presets.named.x]\nslots = []\ndays = {days}")
    assert policy.presets.named["x"].days == (0, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Policy.from_toml("a\0b"), "the policy file a\0b cannot be read: embedded null byte"),
        (lambda: Policy.from_toml(None), "path: found None; expected the path of a policy file"),
        (lambda: Policy.read(None), "found None; expected the name of a profile or a path"),
        (lambda: Policy.read("a\0b"), "unknown profile 'a.*b'"),
        (lambda: Policy.profile(None), "unknown profile None; the profiles are default, "),
        (lambda: Policy.from_text(None), "text: found None; expected TOML as text"),
        (
            lambda: Policy(unmet=Unmet(base_minutes=10**5000)),
            "unmet.base_minutes: found int too long to be written; expected a number of minutes",
        ),
        (
            lambda: Policy.from_text(f"[unmet]\nbase_minutes = 1{'0' * 5000}"),
            "line 2: not TOML|line 1: not TOML",
        ),
        (
            lambda: Policy(route=Route(hop_minutes={"tier": 100_001})),
            "route.hop_minutes.tier: found 100001; expected a number of minutes from 0 to 100,000,",
        ),
    ],
)
def test_wrong_arguments_are_told_in_words(make, words):
    with pytest.raises(InvalidPolicy, match=words):
        make()


def test_numbers_of_every_type_become_floats_and_ints():
    third = Fraction(1, 3)
    policy = Policy(
        unmet=Unmet(third, np.float32(0.5), {"elderly": 7}),
        load=Load(np.int64(2), 5, third),
        presets=Presets("x", {"x": Preset((np.int8(1),), ())}),
    )
    assert policy.unmet == Unmet(1 / 3, 0.5, {"elderly": 7.0})
    numbers = (policy.unmet.base_minutes, policy.unmet.group_minutes["elderly"], policy.load.jobs_per_day)
    assert [type(n) for n in (*numbers, policy.presets.named["x"].days[0])] == [float, float, int, int]
    assert Policy.from_text(policy.to_toml()) == policy
    assert "Fraction" not in policy.to_toml()


def test_whom_a_policy_was_made_from_does_not_change_it():
    prices = {"tier": 2.0}
    policy = Policy(route=Route(hop_minutes=prices))
    prices["tier"] = -1
    assert policy.route.hop_minutes == {"tier": 2.0}
