import pandas as pd
import pytest

from govmatch.errors import InvalidInput
from govmatch.model.aliases import aliased, folded, load_aliases
from govmatch.model.schema import TABLES


def test_every_chinese_name_of_the_schema_is_understood():
    known = load_aliases()
    for table in TABLES.values():
        assert known.table(table.meaning_zh) == table.name
        meanings = [c.meaning_zh for c in table.columns]
        assert len(set(meanings)) == len(meanings), f"{table.name}: one Chinese name for two columns"
        for column in table.columns:
            assert known.column(table.name, column.meaning_zh) == column.name


@pytest.mark.parametrize(
    ("table", "column", "given", "meant"),
    [
        ("communities", "kind", "村", "village"),
        ("communities", "kind", "社区", "community"),
        ("volunteers", "mode", "步行", "walk"),
        ("volunteers", "mode", "E-Bike", "ebike"),
        ("volunteers", "mode", "CAR", "car"),
        ("communities", "crs", "GCJ-02", "gcj02"),
        ("pins", "action", "回避", "forbid"),
        ("volunteers", "mode", "飞机", "飞机"),
        ("organizations", "kind", "村", "村"),
    ],
)
def test_choices(table, column, given, meant):
    assert load_aliases().value(table, column, given) == meant


def test_names_are_compared_without_width_case_and_spaces():
    assert folded("  Request-ID ") == folded("request  id") == "request_id"
    assert load_aliases().column("requests", "Request ID") == "request_id"
    assert load_aliases().column("requests", "需求编号 ") == "request_id"
    assert load_aliases().column("communities", "需求编号") == "需求编号"


def test_a_user_s_file_is_laid_over(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        '[tables]\n"热线" = "requests"\n[columns]\n"点位" = "community_id"\n'
        '[columns.requests]\n"编号" = "resident_id"\n[values]\n"摩托" = "car"\n'
        '[values.skill]\n"水电" = "plumbing"\n',
        encoding="gb18030",
    )
    frame = pd.DataFrame({"编号": ["P1"], "点位": ["C1"], "技能": ["水电"], "工单号": ["R1"]})
    named = aliased(load_aliases(path).table("热线"), frame, load_aliases(path), "热线")
    assert named.to_dict("list") == {
        "resident_id": ["P1"],
        "community_id": ["C1"],
        "skill": ["plumbing"],
        "request_id": ["R1"],
    }
    own = load_aliases({"values": {"摩托": "car"}})
    assert own.value("volunteers", "mode", "摩托") == "car"
    assert load_aliases(own) is own


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tables", "own.toml.*not TOML"),
        (
            "[tables]\na = 'requests'\n\n[colums]\n",
            r"own.toml, line 4, colums: unknown section \(nearest: columns\)",
        ),
        ("tables = 3", r"own.toml, line 1, tables: found 3; expected a section \[tables\]"),
        (
            "[tables]\na='requets'",
            r"own.toml, line 2, tables.a: unknown table 'requets' \(nearest: requests\)",
        ),
        ("[tables]\na=1", "own.toml, line 2, tables.a: found 1; expected the name of a table as text"),
        ("[columns.reqests]\n", r"line 1, columns.reqests: unknown table 'reqests' \(nearest: requests\)"),
        (
            "[columns.requests]\na='unit_id'",
            "line 2, columns.requests.a: unknown column of requests 'unit_id'",
        ),
        ("[columns]\na='skil'", r"line 2, columns.a: unknown column 'skil' \(nearest: skill\)"),
        ("[values]\na='flying'", "line 2, values.a: unknown choice 'flying'"),
        ("[values.skil]\na='b'", r"line 1, values.skil: unknown column 'skil' \(nearest: skill\)"),
    ],
)
def test_faults_of_the_file_name_the_line(tmp_path, text, words):
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=words):
        load_aliases(path)


def test_other_faults(tmp_path):
    with pytest.raises(InvalidInput, match=r"the alias file .*none.toml cannot be read: No such file"):
        load_aliases(tmp_path / "none.toml")
    with pytest.raises(InvalidInput, match=r"^aliases, tables.a: unknown table 'b'"):
        load_aliases({"tables": {"a": "b"}})


@pytest.mark.parametrize("aliases", [3, b"a.toml", ["a"], True])
def test_aliases_of_a_wrong_type(aliases):
    with pytest.raises(InvalidInput, match=r"aliases: found .*; expected a path, a mapping or Aliases"):
        load_aliases(aliases)


def test_an_alias_file_that_no_file_can_be():
    with pytest.raises(InvalidInput, match=r"the alias file .* cannot be read: embedded null byte"):
        load_aliases("a\0b")
