"""The page: complete, escaped, without a request to any host, and without an error in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

import govmatch as gm
from govmatch.errors import InvalidInput
from govmatch.plan.reasons import REASONS
from govmatch.plan.repr_html import plan_repr_html
from govmatch.reporting.html import report
from govmatch.reporting.page_parts import bars, both, hour_columns, key_figure
from tests.handmade import empty_plan, handmade_plan

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "link", "input", "br"}
EVIL = '<script>document.title="run"</script>"\'&'


class _Balanced(HTMLParser):
    """Notes tags, attributes, and whether every tag is closed in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text.append(data)


def _read(page: str) -> _Balanced:
    parser = _Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def test_page_tells_the_plan(tmp_path) -> None:
    plan = handmade_plan()
    page = gm.report(plan)
    assert isinstance(page, str)
    text = "".join(_read(page).text)
    assert "合成人员 synthetic people" in text
    assert "12,345.67" in text and "已证明最优" in text and "1,234,567" in text
    assert f"{len(plan.assignments):,}" in text
    assert "GeoNames (https://www.geonames.org), CC BY 4.0" in text, "attributions are told"
    assert "pet loss" in text
    for reason in set(plan.unmet["reason_zh"]):
        assert reason in text
    path = tmp_path / "day.html"
    assert report(plan, path) == path
    assert path.read_text("utf-8") == page, "the same plan gives the same page"


def test_page_asks_no_host() -> None:
    page = report(handmade_plan())
    parsed = _read(page)
    assert (
        "content",
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-inline'",
    ) in (parsed.attributes)
    for name, value in parsed.attributes:
        if name in {"src", "href", "srcset", "action", "data", "poster", "xlink:href"}:
            assert value == "data:,", f"{name}={value}"
        assert not (name.startswith("on")), "no handlers in attributes"
    style = page[page.index("<style>") : page.index("</style>")]
    assert "@import" not in style
    assert re.findall(r"url\(([^)]*)\)", page) == ["#tip"] * page.count("url(#tip)")
    script = page[page.index("<script>") :]
    for call in ("fetch", "XMLHttpRequest", "WebSocket", "import(", "http:", "https:"):
        assert call not in script


def test_every_text_is_escaped() -> None:
    plan = handmade_plan()
    tables = plan.problem.tables
    tables["communities"]["name"] = EVIL
    tables["communities"]["town"] = EVIL
    tables["organizations"]["name"] = EVIL
    tables["requests"]["category"] = EVIL
    plan.problem.demand.group = np.full(len(tables["requests"]), EVIL, dtype=object)
    plan.problem.about["title"] = EVIL
    plan.problem.about["source"] = EVIL
    plan.assignments["request_id"] = EVIL + plan.assignments["request_id"]
    plan.assignments["provider_id"] = EVIL
    plan.candidate_projects["skill"] = EVIL
    plan.unmet["category"] = EVIL
    for column in ("reason", "reason_zh"):
        plan.unmet[column] = EVIL
    for page in (report(plan), plan_repr_html(plan)):
        parsed = _read(page)
        assert parsed.tags.count("script") == page.count("<script>") == ("<html" in page)
        assert EVIL in "".join(parsed.text)


@pytest.mark.parametrize("gap", [0.0, 0.0123])
def test_certificate_in_words(gap: float) -> None:
    page = report(handmade_plan(gap=gap, verified=False, synthetic=False, termination="time_limit"))
    assert "1,234,567 eligible pairs of request and slot that were looked at" in page
    assert ("已证明最优" in page) == (gap == 0)
    assert ("no plan is cheaper by more than 1.23%" in page) == (gap > 0)
    assert "未通过 not passed" in page
    assert "time limit" in page
    assert "合成" not in page


def test_an_empty_plan_has_a_page() -> None:
    text = "".join(_read(report(empty_plan())).text)
    assert "全部满足" in text


def test_of_no_requests_no_day_is_told() -> None:
    plan = empty_plan()
    plan.problem.horizon = (0, 0)
    page = str(report(plan))
    assert "无需求 no requests" in page and "1970" not in page


@pytest.mark.parametrize("thing", [None, {}, "plan"])
def test_what_is_not_a_plan_is_told(thing) -> None:
    with pytest.raises(InvalidInput, match=f"plan is a {type(thing).__name__}; expected a Plan"):
        report(thing)


def test_the_reason_of_several_who_start_together_is_told() -> None:
    plan = handmade_plan()
    plan.unmet["reason"], (_, plan.unmet["reason_zh"]) = "together", REASONS["together"]
    page = str(report(plan))
    assert REASONS["together"][0] in page and REASONS["together"][1] in page


def test_places_without_coordinates() -> None:
    plan = handmade_plan()
    communities = plan.problem.tables["communities"]
    communities.loc[0, ["lat", "lon"]] = np.nan
    assert "1 communities without coordinates" in report(plan)
    communities[["lat", "lon"]] = np.nan
    page = report(plan)
    assert "各社区均无坐标" in page and 'id="map"' not in page


def test_one_place_is_drawn_in_the_middle() -> None:
    plan = handmade_plan(towns=1, per_town=1)
    page = report(plan)
    assert 'cx="500.0"' in page


def test_only_the_first_rows_are_listed() -> None:
    page = report(handmade_plan(500))
    assert "first 300 of" in page
    assert page.count("<td") < 5000


def test_parts() -> None:
    assert both(("x", "x")) == "x"
    assert "lang" in both(("x", "甲"))
    assert "width:50.0%" in key_figure("1", "", ("a", "b"), meter=0.5)
    assert 'title="&lt;b&gt;"' in bars([(("a", "b"), 1.0, "1", "<b>")])
    assert "<rect" not in hour_columns([]).split("legend")[0]


def test_card_for_notebooks() -> None:
    plan = handmade_plan()
    card = plan_repr_html(plan)
    text = "".join(_read(card).text)
    assert "已证明最优 proved optimal" in text and "合成人员" in text
    assert "<script" not in card and "http" not in card
    other = plan_repr_html(handmade_plan(gap=0.5, synthetic=False, verified=False, termination="time_limit"))
    assert "已考察的 looked-at 1,234,567 个配对 pairs" in other and "全部 all 1,234,567" in text
    assert "gap 50.00%" in other and "合成" not in other and "not verified" in other
    assert "—" in plan_repr_html(empty_plan())


@pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: the page was not opened in a browser"
)
def test_page_opens_in_a_browser_without_an_error(tmp_path) -> None:
    page = tmp_path / "day.html"
    text = str(report(handmade_plan()))
    # The page's own script sorts and filters; what it did is read back from the document.
    drive = """<script>
    const heads = document.querySelectorAll("[data-find] th");
    for (const at of [6, 6, 0]) heads[at].click();
    document.querySelector("[data-hides]").click();
    const find = document.getElementById("find");
    find.value = "R00001"; find.dispatchEvent(new Event("input"));
    const shown = document.querySelectorAll("[data-find] tbody tr:not([hidden])");
    document.title = "drove " + shown.length;
    </script></body>"""
    page.write_text(text.replace("</body>", drive), encoding="utf-8")
    run = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0",
            f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri(),
        ],
        capture_output=True,
        timeout=60,
        check=True,
    )  # fmt: skip
    console = [line for line in run.stderr.decode("utf-8", "replace").splitlines() if "CONSOLE" in line]
    assert console == []
    document = run.stdout.decode("utf-8")
    assert "<title>drove 1</title>" in document
    assert 'class="map noflows"' in document
