import datetime as dt
import gzip
import time
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from govmatch.errors import InvalidInput
from govmatch.model import files
from govmatch.model.files import COLUMN_REFERENCE, read_tables, write_atomically, write_tables


def put(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    data = content.encode(encoding) if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def workbook(path: Path, **sheets) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


CHINESE = "社区编号,名称,镇街\n330481001001,西山社区,硖石街道\n330481001002,,硖石街道\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["communities.csv", "Communities.CSV", "社区.csv", "社区与村.csv.gz"])
def test_encodings_delimiters_and_names(tmp_path, encoding, delimiter, name):
    put(tmp_path, name, CHINESE.replace(",", delimiter), encoding)
    frame = read_tables(tmp_path)["communities"]
    assert frame.to_dict("list") == {
        "community_id": ["330481001001", "330481001002"],
        "name": ["西山社区", None],
        "town": ["硖石街道"] * 2,
    }


def test_everything_is_text_and_ids_keep_their_zeros(tmp_path):
    put(
        tmp_path,
        "requests.csv",
        'request_id,community_id,people,note\n007, C1 ,2,"a, ""b""\nc"\n\n,,,\n8,C2,,\n',
    )
    frame = read_tables(tmp_path)["requests"]
    assert frame.to_dict("list") == {
        "request_id": ["007", "8"],
        "community_id": ["C1", "C2"],
        "people": ["2", None],
        "note": ['a, "b"\nc', None],
    }
    assert (frame.dtypes == "object").all()


def test_a_header_alone_is_an_empty_table(tmp_path):
    put(tmp_path, "requests.csv", "request_id,community_id\r\n")
    frame = read_tables(tmp_path)["requests"]
    assert list(frame.columns) == ["request_id", "community_id"]
    assert len(frame) == 0


def test_blank_cells_beyond_the_header_do_not_count(tmp_path):
    put(tmp_path, "requests.csv", "request_id,community_id,,\nR1,C1,,\nR2,C2, , ,\n")
    assert read_tables(tmp_path)["requests"].shape == (2, 2)


def test_tables_come_in_the_order_of_the_schema_and_other_files_stay(tmp_path):
    for name in ("requests.csv", "communities.csv"):
        put(tmp_path, name, "community_id\nC1\n")
    for name in ("notes.txt", "~$requests.xlsx", ".requests.csv", COLUMN_REFERENCE):
        put(tmp_path, name, b"\0\0")
    (tmp_path / "old.csv").mkdir()
    assert list(read_tables(tmp_path)) == ["communities", "requests"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("requests.csv", b"", "requests.csv is empty; expected a first line with the names of the columns"),
        ("requests.csv", b"\n  \n", "requests.csv is empty"),
        ("requests.csv", ",,\n,\n", "requests.csv is empty"),
        (
            "requests.csv",
            "request_id\nR1\nR2,x\n",
            "requests.csv, line 3: 2 cells, .* first row names 1 columns",
        ),
        ("requests.csv", 'request_id,b\n"R1\nx",1\nR2,2,3\n', "requests.csv, line 4: 3 cells"),
        ("requests.csv", 'request_id\n"R1', "requests.csv, line 2: the row cannot be read as CSV"),
        ("requests.csv", "request_id\nR1\0\n", "requests.csv, line 2: a NUL byte at byte 13"),
        ("requests.csv", "a,,c\n1,2,3\n", "requests.csv: column 2 holds cells but has no name"),
        ("requests.csv", "a,b,a\n1,2,3\n", "requests.csv: the first row names the column 'a' twice"),
        ("requests.csv", "request_id".encode("utf-16"), "requests.csv is UTF-16; expected UTF-8 or GB18030"),
        (
            "requests.csv",
            b"request_id\n\xff\xff\n",
            r"neither UTF-8 \(see byte 11\) nor GB18030 \(see byte 11\)",
        ),
        ("requests.csv", CHINESE.encode()[:-5], "requests.csv: damaged UTF-8 at byte "),
        ("requests.csv", CHINESE.encode() + b"\xc4\xe3", "requests.csv: damaged UTF-8 at byte 93"),
        ("requests.csv", b"\xef\xbb\xbfa\n\xc4\xe3", "requests.csv: damaged UTF-8 at byte 5"),
        ("requests.xlsx", b"PK\x03\x04 no", "requests.xlsx is damaged or not an .xlsx workbook"),
        (
            "requsts.csv",
            "a\n1\n",
            r"requsts.csv: 'requsts' is not the name of a table \(nearest: requests\); the tables are c",
        ),
        (
            "weather.csv",
            "a\n1\n",
            "weather.csv: 'weather' is not the name of a table; the tables are communities,",
        ),
    ],
)
def test_faults_name_the_file_and_the_place(tmp_path, name, content, words):
    put(tmp_path, name, content)
    with pytest.raises(InvalidInput, match=words):
        read_tables(tmp_path)


def test_truncated_gzip_is_named(tmp_path):
    whole = gzip.compress(CHINESE.encode() * 50)
    (tmp_path / "communities.csv.gz").write_bytes(whole[:-20])
    with pytest.raises(InvalidInput, match=r"communities.csv.gz is damaged or not gzip"):
        read_tables(tmp_path)
    (tmp_path / "communities.csv.gz").write_bytes(b"plain text")
    with pytest.raises(InvalidInput, match=r"communities.csv.gz is damaged or not gzip"):
        read_tables(tmp_path)


def test_one_table_twice_names_both_files(tmp_path):
    put(tmp_path, "requests.csv", "request_id\nR1\n")
    put(tmp_path, "群众点单.csv", "request_id\nR1\n")
    with pytest.raises(InvalidInput, match=r"requests comes twice: from requests.csv and from 群众点单.csv"):
        read_tables(tmp_path)


def test_two_columns_of_one_meaning_are_named(tmp_path):
    put(tmp_path, "requests.csv", "需求编号,工单号\nR1,R2\n")
    with pytest.raises(
        InvalidInput, match=r"requests.csv: the columns '需求编号' and '工单号' both mean 'request_id'"
    ):
        read_tables(tmp_path)


def test_a_place_that_is_no_folder(tmp_path):
    with pytest.raises(InvalidInput, match=r"there is no folder .*nowhere"):
        read_tables(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match=r"holds no tables; expected files such as requests.csv"):
        read_tables(tmp_path)
    path = put(tmp_path, "requests.csv", "request_id\n")
    with pytest.raises(
        InvalidInput, match=r"requests.csv' is not a folder; expected a folder of CSV or .xlsx"
    ):
        read_tables(path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    put(tmp_path, "requests.csv", "request_id\n")

    def refused(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(InvalidInput, match=r"requests.csv cannot be read: Permission denied"):
        read_tables(tmp_path)
    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(InvalidInput, match=r"the folder .* cannot be read: Permission denied"):
        read_tables(tmp_path)


def test_a_workbook_of_sheets(tmp_path):
    when = dt.datetime(2026, 5, 20, 8, 30)
    path = workbook(
        tmp_path / "全部.xlsx",
        社区=[["社区编号", "纬度", "类型"], [330481001001, 30.5, "村"], [], [7.0, None, " "]],
        requests=[
            ["request_id", "earliest", "certified"],
            [" 007 ", when, True],
            ["8", dt.date(2026, 5, 21), 0.25],
        ],
        empty=[],
    )
    for place in (path, tmp_path):
        tables = read_tables(place)
        assert tables["communities"].to_dict("list") == {
            "community_id": ["330481001001", "7"],
            "lat": ["30.5", None],
            "kind": ["village", None],
        }
        requests = tables["requests"].to_dict("list")
        assert requests["request_id"] == ["007", "8"]
        assert requests["earliest"] == [when, dt.datetime(2026, 5, 21)]
        assert requests["certified"] == ["true", "0.25"]


def test_a_workbook_named_as_a_table_has_one_sheet_of_any_name(tmp_path):
    workbook(tmp_path / "群众点单.xlsx", Sheet1=[["需求编号"], ["R1"]], Sheet2=[])
    assert read_tables(tmp_path)["requests"].request_id.tolist() == ["R1"]
    workbook(tmp_path / "群众点单.xlsx", Sheet1=[["需求编号"], ["R1"]], Sheet2=[["x"]])
    with pytest.raises(InvalidInput, match=r"群众点单.xlsx: the sheet 'Sheet1' is not the name of a table"):
        read_tables(tmp_path)


def test_times_and_durations_of_a_workbook(tmp_path):
    workbook(tmp_path / "about.xlsx", s=[["key", "value"], [dt.time(8, 30), dt.timedelta(hours=30)]])
    assert read_tables(tmp_path)["about"].to_dict("list") == {
        "key": ["08:30:00"],
        "value": ["1 day, 6:00:00"],
    }


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["#N/A"], r"about.xlsx, sheet 's', cell A2: the error value #N/A"),
        ([None] * 27 + [123456789012345678], r"cell AB2: a number of more than 15 digits"),
        (["=1+1"], r"cell A2: a formula without a stored value; open the file in a spreadsheet and save it"),
    ],
)
def test_cells_that_cannot_be_trusted(tmp_path, cells, words):
    workbook(tmp_path / "about.xlsx", s=[["key"], cells])
    with pytest.raises(InvalidInput, match=words):
        read_tables(tmp_path)


def test_a_formula_counts_with_its_stored_value(tmp_path):
    import zipfile

    plain = workbook(tmp_path / "plain.xlsx", s=[["key", "value"], [1, "=40+2"]])
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(tmp_path / "about.xlsx", "w") as new:
        for item in old.namelist():
            new.writestr(
                item, old.read(item).replace(b"<v />", b"<v>42</v>").replace(b"<v></v>", b"<v>42</v>")
            )
    plain.unlink()
    assert read_tables(tmp_path)["about"].to_dict("list") == {"key": ["1"], "value": ["42"]}


def test_an_empty_workbook(tmp_path):
    workbook(tmp_path / "requests.xlsx", s=[])
    with pytest.raises(InvalidInput, match=r"requests.xlsx is empty; expected a sheet whose first row"):
        read_tables(tmp_path)


def test_what_is_written_is_read_back(tmp_path):
    tables = {
        "requests": pd.DataFrame(
            {
                "request_id": ["007", "=1+1", "'=x", "'quoted", "-5", '西山\u3000, "a"\n;b', "@x"],
                "people": pd.array([1, 2, None, 4, 5, 6, 7], dtype="Int64"),
                "lat": [30.123456789012345, np.nan, -1.5, 0, 1e-7, 2, 3],
                "certified": [True, False, True, False, True, False, True],
                "earliest": pd.to_datetime(["2026-05-20 08:00", None, *["2026-05-20 09:30"] * 5]).tz_localize(
                    "Asia/Shanghai"
                ),
                "note": [True, None, dt.date(2026, 1, 2), 3, 1.5, "", pd.NaT],
            }
        ),
        "agreements": pd.DataFrame({"agreement_id": ["A"], "valid_from": pd.to_datetime(["2026-05-20"])}),
    }
    paths = write_tables(tables, tmp_path / "new" / "out")
    assert [p.name for p in paths] == ["requests.csv", "agreements.csv"]
    back = read_tables(tmp_path / "new" / "out")
    requests = back["requests"].to_dict("list")
    assert requests["request_id"] == tables["requests"].request_id.tolist()
    assert requests["people"] == ["1", "2", None, "4", "5", "6", "7"]
    assert [float(v) for v in requests["lat"] if v] == tables["requests"].lat.dropna().tolist()
    assert requests["certified"] == ["true", "false"] * 3 + ["true"]
    assert requests["earliest"][:3] == ["2026-05-20T08:00:00+08:00", None, "2026-05-20T09:30:00+08:00"]
    assert requests["note"] == ["true", None, "2026-01-02", "3", "1.5", None, None]
    assert back["agreements"].valid_from.tolist() == ["2026-05-20"]
    again = write_tables(back, tmp_path / "again")
    assert [p.read_bytes() for p in again] == [
        (tmp_path / "new" / "out" / n).read_bytes() for n in ("agreements.csv", "requests.csv")
    ]
    text = paths[0].read_text(encoding="utf-8")
    assert "'=1+1" in text
    assert "'-5" not in text


def test_writing_an_unknown_table(tmp_path):
    with pytest.raises(InvalidInput, match=r"unknown table 'requets' \(nearest: requests\)"):
        write_tables({"requets": pd.DataFrame()}, tmp_path)


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    write_atomically(path, "old 旧")
    monkeypatch.setattr(files.os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]
    assert path.read_text(encoding="utf-8") == "old 旧"


def test_half_a_surrogate_pair_becomes_a_question_mark(tmp_path):
    write_atomically(tmp_path / "x" / "a.txt", "a\ud800b")
    assert (tmp_path / "x" / "a.txt").read_bytes() == b"a?b"


@pytest.mark.parametrize(
    ("content", "line", "cells"),
    [
        ("request_id,community_id,people\nR1,C1,2\nR2,C2\n", 3, "2 cells"),
        ("request_id,community_id,people\nR1,C1,2\n\nR2\n", 4, "1 cell"),
        ('request_id,community_id,people\n"R\n1",C1,2\nR2,C2\n', 4, "2 cells"),
        ("request_id;community_id;people\r\nR1;C1;2\r\nR2;C2", 3, "2 cells"),
    ],
)
def test_a_truncated_row_is_not_filled_with_defaults(tmp_path, content, line, cells):
    put(tmp_path, "requests.csv", content)
    with pytest.raises(
        InvalidInput, match=f"requests.csv, line {line}: {cells}, but the first row names 3 columns"
    ):
        read_tables(tmp_path)


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_with_and_without_quotes_a_file_reads_alike(tmp_path, quote, end):
    rows = [f"{quote}request_id{quote},note,", "", " R1 ,'=1,", ",,", "  ", "R2, ,", ""]
    put(tmp_path, "requests.csv", end.join(rows))
    frame = read_tables(tmp_path)["requests"]
    assert frame.to_dict("list") == {"request_id": ["R1", "R2"], "note": ["=1", None]}
    assert list(frame.index) == [0, 1]
    rows = [f"{quote}request_id{quote},note", "R1,x", ",", " ,y", "R2,"]
    put(tmp_path, "requests.csv", end.join(rows))
    frame = read_tables(tmp_path)["requests"]
    assert frame.to_dict("list") == {"request_id": ["R1", None, "R2"], "note": ["x", "y", None]}
    assert list(frame.index) == [0, 1, 2]


@pytest.mark.parametrize(
    "name",
    ["pins.tsv", "communities.xls", "requests.tsv", "requests.ods", "点单.et", "requests.csv.zip", "pins"],
)
def test_a_table_in_a_file_that_is_not_read_is_named(tmp_path, name):
    put(tmp_path, "volunteers.csv", "volunteer_id\nV1\n")
    put(tmp_path, name, "a\n")
    stem = name.split(".")[0]
    with pytest.raises(
        InvalidInput, match=rf"{name} is named as the table \w+, .* not read; save it as {stem}\.csv"
    ):
        read_tables(tmp_path)


def test_papers_named_as_tables_stay(tmp_path):
    put(tmp_path, "requests.csv", "request_id\nR1\n")
    for name in ("about.md", "requests.pdf", "requests.csv~", "requests.csv.bak", "weather.tsv", "LICENSE"):
        put(tmp_path, name, b"\0")
    assert list(read_tables(tmp_path)) == ["requests"]


def test_the_encoding_can_be_named(tmp_path):
    put(tmp_path, "communities.csv", "community_id,name\nC1,西山社區\n", "big5")
    with pytest.raises(InvalidInput, match=r"communities.csv: read as GB18030, byte 23 is a private-use"):
        read_tables(tmp_path)
    assert read_tables(tmp_path, encoding="big5")["communities"].name.tolist() == ["西山社區"]
    with pytest.raises(InvalidInput, match=r"encoding: found 'big-6'"):
        read_tables(tmp_path, encoding="big-6")


@pytest.mark.parametrize("path", [None, 3, "a\0b", b"a", ["a"]])
def test_paths_that_are_none(path):
    with pytest.raises(InvalidInput, match=r"path: found .*; expected a path"):
        read_tables(path)
    with pytest.raises(InvalidInput, match=r"folder: found .*; expected a path"):
        write_tables({}, path)


def test_a_name_longer_than_any_file_has(tmp_path):
    with pytest.raises(InvalidInput, match=r"there is no folder 'xxx"):
        read_tables("x" * 5000)


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        (None, "tables: found None; expected a mapping of table names to DataFrames"),
        ({"requests": 3}, "the table requests: found 3; expected a pandas DataFrame"),
        ({3: pd.DataFrame()}, "unknown table 3; the tables are communities"),
        (
            {"requests": pd.DataFrame([[1, 2]], columns=["a", "a"])},
            "the table requests has the column 'a' twice; expected it once",
        ),
    ],
)
def test_what_cannot_be_written(tmp_path, tables, words):
    with pytest.raises(InvalidInput, match=words):
        write_tables(tables, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_numbers_and_categories_are_written_as_they_are(tmp_path):
    frame = pd.DataFrame(
        {
            "a": np.array([0.1, np.nan, 2], dtype="float32"),
            "b": pd.Categorical(["x,y", None, "=z"]),
            "c": pd.array([True, None, False], dtype="boolean"),
            "d": pd.array(["\rq", None, '"'], dtype="string"),
            "e": np.array([1, 2, 3], dtype="int8"),
            "f": [np.bool_(True), 1, 1.0],
        }
    )
    (path,) = write_tables({"requests": frame}, tmp_path)
    assert path.read_bytes().decode() == (
        'a,b,c,d,e,f\n0.1,"x,y",true,"\'\rq",1,true\n,,,,2,1\n2.0,\'=z,false,"""",3,1.0\n'
    )
    (path,) = write_tables({"about": pd.DataFrame({"key": ["a", None]})}, tmp_path)
    assert path.read_bytes() == b'key\na\n""\n'


def test_a_county_is_written_and_read_in_seconds(tmp_path):
    n = 300_000
    begin = pd.Timestamp("2026-05-20 08:00", tz="Asia/Shanghai")
    starts = begin + pd.to_timedelta(np.arange(n) % 60 * 60, unit="s")
    ids = [f"V{i}" for i in range(n)]
    frame = pd.DataFrame({"provider_id": ids, "start": starts, "end": starts, "note": "x"})
    clock = time.process_time()
    write_tables({"availability": frame}, tmp_path)
    back = read_tables(tmp_path)["availability"]
    assert time.process_time() - clock < 2.5
    assert back.provider_id.tolist() == ids
