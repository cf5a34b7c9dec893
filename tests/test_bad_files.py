"""Whatever stands in the files: exit status 0, or 2 and a sentence; never a traceback."""

import codecs
import gzip
import json
import tempfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from govmatch.cli import main
from govmatch.errors import InvalidInput
from govmatch.model.files import read_tables
from govmatch.model.schema import TABLES

DAY = "2026-05-20"
GOOD = {
    "communities": "社区编号,名称,镇街,纬度,经度\n"
    "C1,西山社区,硖石街道,30.53,120.68\nC2,东山社区,硖石街道,,\n",
    "volunteers": "志愿者编号,所在社区,出行方式\nV1,C1,步行\nV2,C2,\n",
    "skills": "服务者编号,技能,等级\nV1,辅导,2\nV2,维修,1\n",
    "availability": f"服务者编号,开始,结束\nV1,{DAY} 08:00,{DAY} 12:00\nV2,{DAY} 08:00:00,{DAY} 12:00:00\n",
    "requests": "需求编号,所在社区,所需技能,最早开始,最晚结束,人群\n"
    f"R1,C1,辅导,{DAY} 09:00,{DAY} 11:00,老人\nR2,C2,维修,,,\n",
}
MARKS = [b'"', b",", b";", b"\n", b"\r", b"\0", b"\t", b"\xef\xbb\xbf"]


def put(folder, files):
    for name, data in files.items():
        (folder / name).write_bytes(data)


def exit_status(*arguments):
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exit_code in (0, 2), done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    if done.exit_code == 2:
        assert done.output.strip()
    return done.exit_code


def encoded(text, how):
    if how == "bom":
        return codecs.BOM_UTF8 + text.encode()
    if how == "crlf":
        return text.replace("\n", "\r\n").encode()
    if how in (";", "\t"):
        return text.replace(",", how).encode()
    return text.encode(how)


@pytest.mark.parametrize("how", ["utf-8", "bom", "crlf", ";", "\t", "gb18030"])
def test_every_good_form_gives_the_same_tables(tmp_path, how):
    put(tmp_path, {f"{name}.csv": encoded(text, how) for name, text in GOOD.items()})
    assert exit_status("check", tmp_path) == 0
    plain = tmp_path / "plain"
    plain.mkdir()
    put(plain, {f"{name}.csv": text.encode() for name, text in GOOD.items()})
    expected = read_tables(plain)
    for name, frame in read_tables(tmp_path).items():
        pd.testing.assert_frame_equal(frame, expected[name])


@st.composite
def damaged(draw):
    """Bytes of a good file, once damaged or more often."""
    name = draw(st.sampled_from(sorted(GOOD)))
    data = encoded(
        GOOD[name], draw(st.sampled_from(["utf-8", "bom", "crlf", ";", "\t", "gb18030", "utf-16"]))
    )
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(data)))
        lines = data.splitlines(keepends=True) or [b""]
        line = draw(st.integers(0, len(lines) - 1))
        damage = draw(st.sampled_from(["cut", "head", "insert", "mark", "remove", "twice", "line", "order"]))
        data = {
            "cut": data[:at],
            "head": data[at:],
            "insert": data[:at] + draw(st.binary(min_size=1, max_size=6)) + data[at:],
            "mark": data[:at] + draw(st.sampled_from(MARKS)) + data[at:],
            "remove": data[:at] + data[at + draw(st.integers(1, 9)) :],
            "twice": data + data,
            "line": b"".join(lines[:line] + lines[line + 1 :]),
            "order": b"".join(lines[:1] + lines[:0:-1]),
        }[damage]
    return name, data


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged(), st.sampled_from(["check", "drop", "json"]))
def test_damaged_csv(file, how):
    name, data = file
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), {f"{n}.csv": text.encode() for n, text in GOOD.items()} | {f"{name}.csv": data})
        extra = {"check": [], "drop": ["--on-error", "drop"], "json": ["--json"]}[how]
        exit_status("check", folder, *extra)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["requests.csv", "requests.csv.gz", "requests.xlsx"]), st.binary(max_size=200))
def test_random_bytes(name, data):
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), {"communities.csv": GOOD["communities"].encode(), name: data})
        exit_status("check", folder)


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.binary(max_size=4), st.booleans())
def test_damaged_archives(at, until, other, workbook):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        put(place, {"communities.csv": GOOD["communities"].encode()})
        path = place / ("requests.xlsx" if workbook else "requests.csv.gz")
        if workbook:
            book = openpyxl.Workbook()
            for line in GOOD["requests"].splitlines():
                book.active.append(line.split(","))
            book.save(path)
        else:
            path.write_bytes(gzip.compress(GOOD["requests"].encode(), mtime=0))
        data = path.read_bytes()
        first, last = sorted((int(at * len(data)), int(until * len(data))))
        path.write_bytes(data[:first] + other + data[last:])
        exit_status("check", folder)


_cells = st.text(max_size=8) | st.sampled_from(
    [
        "",
        "NaN",
        "inf",
        "-1",
        "9" * 400,
        "1e400",
        "是",
        "2026-02-30",
        "24:00",
        "=1+1",
        "V1",
        "C1",
        "x" * 100_000,
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_cells_under_known_columns(data):
    name = data.draw(st.sampled_from(sorted(TABLES)))
    columns = data.draw(
        st.lists(st.sampled_from([c.name for c in TABLES[name].columns]), min_size=1, max_size=6, unique=True)
    )
    rows = data.draw(st.lists(st.lists(_cells, min_size=len(columns), max_size=len(columns)), max_size=4))
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        put(place, {f"{n}.csv": text.encode() for n, text in GOOD.items()})
        text = frame.to_csv(index=False, lineterminator="\n")
        put(place, {f"{name}.csv": text.encode("utf-8", "replace")})
        exit_status("check", place)
        exit_status("check", place, "--on-error", "drop", "--json")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=120) | st.text(max_size=80).map(lambda t: t.encode("utf-8", "replace")))
def test_any_policy_and_alias_file(data):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tables = place / "tables"
        tables.mkdir()
        put(tables, {f"{n}.csv": text.encode() for n, text in GOOD.items()})
        put(place, {"own.toml": data})
        exit_status("check", tables, "--policy", place / "own.toml")
        exit_status("check", tables, "--aliases", place / "own.toml")


@settings(max_examples=15, deadline=None)
@given(damaged())
def test_what_passes_the_check_can_be_matched(file):
    name, data = file
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tables, out = place / "tables", place / "out"
        tables.mkdir()
        put(tables, {f"{n}.csv": text.encode() for n, text in GOOD.items()} | {f"{name}.csv": data})
        checked = exit_status("check", tables)
        matched = exit_status("match", tables, "-o", out, "--json")
        assert matched == checked
        if matched == 0:
            assert json.loads((out / "certificate.json").read_text(encoding="utf-8"))["verified"] is True


def test_utf8_cut_within_a_character_is_never_taken_for_gb18030(tmp_path):
    put(tmp_path, {"communities.csv": GOOD["communities"].encode()})
    put(tmp_path, {"volunteers.csv": "志愿者编号,所在社区\nV1,C1\n".encode()[:-1] + b"\xe5\xa4"})
    with pytest.raises(InvalidInput, match=r"volunteers\.csv: damaged UTF-8 at byte"):
        read_tables(tmp_path)
