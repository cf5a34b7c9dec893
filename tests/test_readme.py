"""What the READMEs name is there."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import govmatch as gm
from benchmarks.table import END, START
from govmatch.cli import main
from govmatch.model.schema import TABLES

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")
PAGES = (*READMES, "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    inside = [link for link in links if not link.startswith("http")]
    assert [link for link in inside if not ((ROOT / page).parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_names_of_the_library_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for dotted in set(re.findall(r"\bgm\.([A-Za-z_]+(?:\.[A-Za-z_]+)?)", text)):
        value = gm
        for part in dotted.split("."):
            assert hasattr(value, part), f"{page}: gm.{dotted}"
            value = getattr(value, part)


@pytest.mark.parametrize("page", READMES)
def test_the_commands_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"^govmatch ([a-z]+) ", text, re.MULTILINE))
    assert named == set(main.commands)
    for name in named:
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


@pytest.mark.parametrize("page", READMES)
def test_make_knows_what_is_named(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make ([a-z]+)", text)) & {"demo", "test"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert (
        text.index("make demo")
        < text.index("make test")
        < text.index("import govmatch")
        < text.index("docs/rooms.svg")
    )


@pytest.mark.parametrize("page", READMES)
def test_every_table_is_listed(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    names = TABLES if isinstance(TABLES, dict) else [table.name for table in TABLES]
    assert [name for name in names if f"`{name}`" not in text] == []


@pytest.mark.parametrize("page", READMES)
def test_the_benchmark_has_its_place(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text.index(START) < text.index(END)


def test_the_five_lines_run(tmp_path, monkeypatch):
    """The README's own code, on a small day so that the test stays short."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0]
    assert len(code.strip().splitlines()) == 7
    monkeypatch.chdir(tmp_path)
    small = code.replace(
        "gm.datasets.haining(seed=0)", "gm.datasets.xishan(seed=0, requests=40, volunteers=500)"
    )
    assert small != code
    told = {}
    exec(small, told)
    assert told["plan"].certificate.gap == 0
    assert (tmp_path / "day.html").stat().st_size > 1_000
