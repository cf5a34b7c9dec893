import inspect
import json
import re
import runpy
import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner

import govmatch as gm
from govmatch.cli import main
from govmatch.model.reference import reference_markdown

FILES = {"assignments.csv", "unmet.csv", "funnel.csv", "certificate.json", "report.html"} | {
    f"{sheet}.{ending}" for sheet in ("派单表", "待协调清单", "汇总表") for ending in ("xlsx", "csv")
}


def run(*arguments):
    # before click 8.2 the two outputs are one unless it is told; since then it does not take the word
    apart = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
    return CliRunner(**apart).invoke(main, [str(a) for a in arguments])


@pytest.fixture
def folder(tmp_path):
    """Three requests, of which a day's two volunteers can serve two."""
    path = tmp_path / "tables"
    day = "2026-05-20"
    tables = {
        "communities": {"community_id": ["C1", "C2"], "name": ["西山社区", ""], "town": ["硖石街道", None]},
        "volunteers": {"volunteer_id": ["V1", "V2"], "community_id": ["C1", "C2"]},
        "skills": {"provider_id": ["V1", "V2"], "skill": ["tutoring", "repair"]},
        "availability": {
            "provider_id": ["V1", "V2"],
            "start": [f"{day} 08:00"] * 2,
            "end": [f"{day} 12:00"] * 2,
        },
        "requests": {
            "request_id": ["R1", "R2", "R3"],
            "community_id": ["C1", "C2", "C1"],
            "category": ["Tutoring", "Repair", "Pets"],
            "skill": ["tutoring", "repair", "pet_loss"],
            "earliest": [f"{day} 09:00"] * 3,
            "latest": [f"{day} 11:00"] * 3,
        },
    }
    gm.write_tables({name: pd.DataFrame(columns) for name, columns in tables.items()}, path)
    return path


@pytest.fixture
def faulty(folder):
    requests = pd.read_csv(folder / "requests.csv")
    requests.loc[1, "community_id"] = "C9"
    requests.loc[2, "minutes"] = -5
    requests.to_csv(folder / "requests.csv", index=False)
    return folder


def test_help_names_the_commands_and_loads_nothing_heavy():
    done = run("--help")
    assert done.exit_code == 0
    assert all(name in done.output for name in ("demo", "check", "match", "template", "schema"))
    code = (
        "import sys; from govmatch.cli import main; main(['--help'], standalone_mode=False);"
        "print({'pandas', 'numpy', 'ortools', 'numba'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip().endswith(b"set()")


def test_the_version_and_the_module(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["govmatch", "--version"])
    with pytest.raises(SystemExit) as left:
        runpy.run_module("govmatch", run_name="__main__")
    assert left.value.code == 0
    assert capsys.readouterr().out.strip() == f"govmatch, version {gm.__version__}"


def test_check_tells_what_there_is(folder):
    done = run("check", folder)
    assert done.exit_code == 0
    assert "requests            3\n" in done.output
    assert (
        "3 requests to match 待匹配需求, 2 providers 服务者, 2 slots 时段 (0.0% assumed 假定)" in done.output
    )
    assert done.output.endswith("no faults 无错误\n")


def test_check_mentions_features_and_columns_that_are_not_used(folder):
    (folder / "request_goods.csv").write_text("request_id,good,amount,note\nR1,rice,1,x\n", encoding="utf-8")
    done = run("check", folder)
    assert done.exit_code == 0
    assert "columns that are not used 未使用的列: request_goods.note" in done.output
    assert "asked for beyond single roles 另有要求: goods" in done.output
    done = run("match", folder, "-o", folder.parent / "out")
    assert done.exit_code == 0


def test_faults_are_a_table_and_exit_status_2(faulty):
    done = run("check", faulty)
    assert done.exit_code == 2
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["table", "row", "column", "code", "message", "value"]
    assert any(line.split()[:3] == ["requests", "1", "community_id"] and "C9" in line for line in lines)
    assert any(line.split()[:3] == ["requests", "2", "minutes"] for line in lines)
    assert "2 fault(s) in the tables 数据表共有 2 处错误" in done.stderr


def test_faults_for_machines(faulty):
    done = run("check", faulty, "--json")
    assert done.exit_code == 2
    fault = json.loads(done.stdout)
    assert (fault["ok"], fault["error"]) == (False, "InvalidTables")
    assert {(v["table"], v["row"], v["column"]) for v in fault["violations"]} == {
        ("requests", 1, "community_id"),
        ("requests", 2, "minutes"),
    }


def test_faulty_rows_may_be_left_out(faulty, tmp_path):
    done = run("check", faulty, "--on-error", "drop")
    assert done.exit_code == 0
    assert "left out 已剔除:" in done.output
    assert done.output.endswith("no other faults 无其他错误\n")
    told = json.loads(run("check", faulty, "--on-error", "drop", "--json").stdout)
    assert told["requests"] == 1
    assert len(told["dropped"]) == 2
    done = run("match", faulty, "-o", tmp_path / "out", "--on-error", "drop")
    assert done.exit_code == 0
    assert "left out 已剔除:" in done.stderr


def test_match_writes_the_plan_the_sheets_and_the_page(folder, tmp_path):
    out = tmp_path / "new" / "out"
    done = run("match", folder, "-o", out)
    assert done.exit_code == 0, done.output
    assert {p.name for p in out.iterdir()} == FILES
    assert "3 requests for 3 people 点单 3 件,需 3 人次; served 已满足 2 (66.7%)" in done.output
    assert "最优 optimal: no plan costs less" in done.output
    assert "pet_loss" in done.output
    assigned = pd.read_csv(out / "assignments.csv")
    assert dict(zip(assigned.request_id, assigned.provider_id, strict=True)) == {"R1": "V1", "R2": "V2"}
    assert json.loads((out / "certificate.json").read_text(encoding="utf-8"))["gap"] == 0


def test_match_for_machines(folder, tmp_path):
    done = run("match", folder, "-o", tmp_path / "out", "--json", "--time-limit", "30")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["total"] == {"requests": 3, "people": 3, "served": 2, "unmet": 1}
    assert told["certificate"]["verified"] is True
    assert told["shortages"] == [
        {"skill": "pet_loss", "town": "硖石街道", "reason": "no_such_service"} | told["shortages"][0]
    ]
    assert {p.rsplit("/")[-1].rsplit("\\")[-1] for p in told["files"]} == FILES
    assert done.stdout.isascii()


def test_outside_readers_get_the_summary_alone(folder, tmp_path):
    done = run("match", folder, "-o", tmp_path / "out", "--outside")
    assert done.exit_code == 0
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "certificate.json",
        "汇总表_对外.csv",
        "汇总表_对外.xlsx",
    }
    told = json.loads((tmp_path / "out" / "certificate.json").read_text(encoding="utf-8"))
    assert told["gap"] == 0 and {"primal", "bound", "pairs"}.isdisjoint(told)


def test_policy_by_name_and_by_file(folder, tmp_path):
    seen = set()
    own = tmp_path / "own.toml"
    own.write_text("[unmet]\nbase_minutes = '1 h'\n", encoding="utf-8")
    for policy in ("default", "neighbours-first", own):
        told = json.loads(run("match", folder, "-o", tmp_path / "out", "--json", "--policy", policy).stdout)
        seen.add(told["certificate"]["policy_fingerprint"])
    assert len(seen) == 3
    own.write_text("[unmet]\nbase_minutes = '1 km'\n", encoding="utf-8")
    done = run("match", folder, "-o", tmp_path / "out", "--policy", own)
    assert done.exit_code == 2
    assert "govmatch: own.toml, line 2, unmet.base_minutes: found '1 km'; expected a number" in done.stderr
    done = run("check", folder, "--policy", "nobody-first", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["message"].startswith("unknown profile 'nobody-first'")


def test_aliases_of_the_user(folder, tmp_path):
    (folder / "requests.csv").rename(folder / "热线.csv")
    done = run("check", folder)
    assert done.exit_code == 2
    assert "热线.csv: '热线' is not the name of a table" in done.stderr
    own = tmp_path / "own.toml"
    own.write_text('[tables]\n"热线" = "requests"\n', encoding="utf-8")
    assert run("check", folder, "--aliases", own).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "{}/nowhere"], "there is no folder"),
        (["match", "{}/tables", "-o", "{}/tables"], "the folder of the tables; expected another"),
        (["match", "{}/tables"], "Missing option '-o'"),
        (["match", "{}/tables", "-o", "{}/out", "--time-limit", "0"], "not in the range x>0"),
        (
            ["match", "{}/tables", "-o", "{}/out", "--time-limit", "nan"],
            "time_limit is nan; expected seconds",
        ),
        (["match", "{}/tables", "-o", "{}/tables/requests.csv"], "requests.csv"),
        (["template", "{}/tables"], "requests.csv already|communities.csv already"),
        (["demo", "--size", "moon"], "'moon' is not one of"),
        (["check", "{}/tables", "--on-error", "ignore"], "'ignore' is not one of"),
    ],
)
def test_wrong_input_ends_with_2_and_a_sentence(folder, arguments, words):
    done = run(*(a.format(folder.parent) for a in arguments))
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert re.search(words, done.stderr), done.stderr


def test_template_then_check_says_what_is_missing_but_not_how_files_are_named(tmp_path):
    done = run("template", tmp_path / "new")
    assert done.exit_code == 0
    assert "23 empty tables and 列说明.csv are in" in done.output
    assert run("check", tmp_path / "new").exit_code in (0, 2)
    told = json.loads(run("template", tmp_path / "other", "--json").stdout)
    assert "requests" in told["tables"]


def test_schema_for_people_and_machines():
    assert json.loads(run("schema").stdout) == gm.schema_json() == json.loads(run("schema", "--json").stdout)
    assert run("schema", "--markdown").stdout_bytes.decode("utf-8") == reference_markdown()
    assert json.loads(run("schema", "--markdown", "--json").stdout)["markdown"] == reference_markdown()


def test_an_interrupt_ends_with_130_and_leaves_nothing(folder, tmp_path, monkeypatch):
    out = tmp_path / "out"

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("govmatch.model.files.os.fsync", interrupted)
    done = run("match", folder, "-o", out)
    assert done.exit_code == 130
    assert "interrupted; no file is left half-written" in done.stderr
    assert list(out.iterdir()) == []


def test_a_reader_who_has_gone_is_no_fault(monkeypatch):
    def gone():
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("govmatch.schema_json", gone, raising=False)
    done = run("schema")
    assert done.exit_code == 0
    assert "Traceback" not in done.output


def test_an_interrupt_outside_of_a_command_is_130_too(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("govmatch.cli.click.Group.invoke", interrupted)
    assert run("schema").exit_code == 130


def test_too_little_memory_is_told(monkeypatch):
    def large():
        raise MemoryError

    monkeypatch.setattr("govmatch.schema_json", large, raising=False)
    done = run("schema")
    assert done.exit_code == 2
    assert "govmatch: the memory of this machine does not suffice" in done.stderr


@pytest.mark.parametrize("command", ["match", "check"])
def test_the_encoding_can_be_named(folder, tmp_path, command):
    (folder / "communities.csv").write_bytes("community_id,name\nC1,小小\nC2,\n".encode("gb18030"))
    arguments = [command, folder, *(["-o", tmp_path / "out"] if command == "match" else [])]
    done = run(*arguments)
    assert done.exit_code == 2
    assert "communities.csv: may be UTF-8 or GB18030 (see byte 21)" in done.stderr
    done = run(*arguments, "--encoding", "gbk")
    assert done.exit_code == 0, done.output
    done = run(*arguments, "--encoding", "klingon")
    assert done.exit_code == 2
    assert "encoding: found 'klingon'; expected a name such as utf-8" in done.stderr


def test_match_tells_columns_and_rows_that_are_not_used(faulty, tmp_path):
    frame = pd.read_csv(faulty / "communities.csv")
    frame.assign(weather="fine").to_csv(faulty / "communities.csv", index=False)
    done = run("match", faulty, "-o", tmp_path / "out", "--on-error", "drop")
    assert done.exit_code == 0, done.output
    assert "columns that are not used 未使用的列: communities.weather" in done.stderr
    assert "left out 已剔除:" in done.stderr
    told = json.loads(run("match", faulty, "-o", tmp_path / "out", "--on-error", "drop", "--json").stdout)
    assert told["ignored"] == ["communities.weather"]
    assert {(row["table"], row["row"]) for row in told["dropped"]} == {("requests", 1), ("requests", 2)}
    told = json.loads(run("demo", "--size", "xishan", "--requests", "0", "-o", tmp_path, "--json").stdout)
    assert (told["ignored"], told["dropped"]) == ([], [])


@pytest.mark.parametrize(("limit", "status"), [("1e9", 0), ("1e300", 0), ("inf", 0), ("nan", 2), ("-1", 2)])
def test_any_time_limit_is_taken_or_refused_in_words(folder, tmp_path, limit, status):
    done = run("match", folder, "-o", tmp_path / "out", "--time-limit", limit)
    assert done.exit_code == status, done.output
    assert isinstance(done.exception, SystemExit | None)
    if status:
        assert "time" in done.stderr


def test_demo_tells_the_day_and_says_that_people_are_synthetic(tmp_path):
    out = tmp_path / "demo"
    done = run("demo", "--size", "xishan", "--requests", "60", "--seed", "3", "-o", out)
    assert done.exit_code == 0, done.output
    first = done.output.splitlines()[:3]
    assert "synthetic people" in first[0]
    assert "合成人员" in first[0]
    assert "西山" in first[2]
    for heading in (
        "What was asked 群众点单",
        "Served by group 按人群",
        "Served by community",
        "Certificate 最优性证书",
        "Written 已写入",
    ):
        assert heading in done.output
    assert {p.name for p in out.iterdir()} == FILES


def test_demo_for_machines_and_of_an_empty_day(tmp_path):
    told = json.loads(run("demo", "--size", "xishan", "--requests", "0", "-o", tmp_path, "--json").stdout)
    assert told["ok"] is True
    assert told["synthetic"] is True
    assert told["total"] == {"requests": 0, "people": 0, "served": 0, "unmet": 0}
    done = run(
        "demo", "--size", "great-xishan", "--requests", "0", "-o", tmp_path, "--policy", "share-widely"
    )
    assert done.exit_code == 0, done.output
    assert "nothing 无" in done.output
