import csv
import datetime as dt
from pathlib import Path

import jsonschema
import pytest

from govmatch.errors import InvalidInput
from govmatch.model.files import COLUMN_REFERENCE, read_tables
from govmatch.model.reference import column_reference, reference_markdown, schema_json, templates
from govmatch.model.schema import TABLES

PAGE = Path(__file__).parents[1] / "docs" / "tables.md"


def test_templates_have_every_column_and_no_row():
    frames = templates()
    assert list(frames) == list(TABLES)
    for name, frame in frames.items():
        assert list(frame.columns) == [c.name for c in TABLES[name].columns]
        assert len(frame) == 0


def test_written_templates_are_read_back(tmp_path):
    folder = tmp_path / "new"
    written = templates(folder)
    back = read_tables(folder)
    assert {n: list(f.columns) for n, f in back.items()} == {n: list(f.columns) for n, f in written.items()}
    assert (folder / "requests.csv").read_bytes().startswith(b"\xef\xbb\xbfrequest_id,community_id,")
    with (folder / COLUMN_REFERENCE).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(t.columns) for t in TABLES.values())
    minutes = next(r for r in rows if (r["table 表"], r["column 列"]) == ("requests", "minutes"))
    assert minutes["列名"] == "时长"
    assert minutes["default 默认"] == "60"
    assert minutes["unit 单位"] == "minute"
    assert minutes["range 范围"] == "1 … 1,440"


def test_templates_replace_nothing(tmp_path):
    (tmp_path / "requests.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"holds requests.csv already; expected a folder without tables"):
        templates(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["requests.csv"]


def test_the_reference_names_what_a_cell_may_hold():
    rows = column_reference().set_index(["table 表", "column 列"])
    assert rows.loc[("volunteers", "mode"), "choices 取值"] == "walk / ebike / car"
    assert rows.loc[("skills", "provider_id"), "references 引用"] == "volunteers / organizations"
    assert rows.loc[("requests", "request_id"), "required 必填"] == "yes 是"
    assert rows.loc[("requests", "certified"), "default 默认"] == "false"


def test_the_json_schema_is_one_and_says_what_the_schema_says():
    schema = schema_json()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["communities", "requests"]
    requests = schema["properties"]["requests"]
    assert requests["items"]["required"] == ["request_id", "community_id"]
    assert requests["x-key"] == ["request_id"]
    assert requests["items"]["properties"]["minutes"] == {
        "type": ["integer", "null"],
        "title": "时长",
        "description": "duration 时长",
        "x-kind": "int",
        "minimum": 1,
        "maximum": 1440,
        "default": 60,
        "x-unit": "minute",
    }
    for table in TABLES.values():
        assert set(schema["properties"][table.name]["items"]["properties"]) == {c.name for c in table.columns}


GOOD = {
    "communities": [{"community_id": "C1", "kind": "village", "lat": 30.5}],
    "requests": [{"request_id": "R1", "community_id": "C1", "minutes": None, "skill": None}],
}


@pytest.mark.parametrize(
    ("table", "cells", "words"),
    [
        ("communities", {"kind": "city"}, "'city' is not one of"),
        ("communities", {"lat": 91}, "91 is greater than the maximum of 90"),
        ("requests", {"request_id": ""}, "should be non-empty"),
        ("requests", {"minutes": 0}, "0 is less than the minimum of 1"),
        ("requests", {"minutes": "60"}, "'60' is not of type 'integer', 'null'"),
        ("requests", {"request_id": None}, "None is not of type 'string'"),
    ],
)
def test_the_json_schema_refuses(table, cells, words):
    validator = jsonschema.Draft202012Validator(schema_json())
    validator.validate(GOOD)
    bad = {**GOOD, table: [{**GOOD[table][0], **cells}]}
    (error,) = validator.iter_errors(bad)
    assert words in error.message
    assert not validator.is_valid({**GOOD, "weather": []})
    assert not validator.is_valid({"requests": []})


def test_times_have_examples_that_can_be_read():
    earliest = schema_json()["properties"]["requests"]["items"]["properties"]["earliest"]
    assert all(dt.datetime.fromisoformat(e) for e in earliest["examples"])


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference_markdown(), (
        "docs/tables.md is older than the schema: govmatch schema --markdown > docs/tables.md"
    )


@pytest.mark.parametrize("folder", [3, "a\0b", ["a"]])
def test_templates_into_what_is_no_folder(folder):
    with pytest.raises(InvalidInput, match=r"folder: found .*; expected a path"):
        templates(folder)
