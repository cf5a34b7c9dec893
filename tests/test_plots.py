"""The pictures: drawn without a warning, in a font that can show them."""

from __future__ import annotations

import sys
import warnings

import pytest

import govmatch as gm
from govmatch.errors import InvalidInput, MissingExtra
from tests.handmade import empty_plan, handmade_plan

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import font_manager, pyplot  # noqa: E402

from govmatch.reporting.plots import CJK_FONTS  # noqa: E402

PICTURES = [gm.plot_map, gm.plot_flows, gm.plot_unmet, gm.plot_day]
CHINESE = any(font.name in CJK_FONTS for font in font_manager.fontManager.ttflist)


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def _texts(ax) -> str:
    return "\n".join(text.get_text() for text in ax.figure.findobj(matplotlib.text.Text))


def _without_chinese(monkeypatch) -> None:
    fonts = [f for f in font_manager.fontManager.ttflist if f.name not in CJK_FONTS]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", fonts)


@pytest.mark.skipif(not CHINESE, reason="no Chinese font on this machine: Chinese labels were not drawn")
@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("plan", [handmade_plan(), empty_plan()], ids=["plan", "empty"])
def test_pictures_in_chinese(picture, plan, tmp_path) -> None:
    ax = picture(plan)
    ax.figure.savefig(tmp_path / "a.png", dpi=40)  # a glyph that the font lacks would warn, and fail
    assert "合成人员 synthetic people" in _texts(ax)
    assert ("2026-11-21" if len(plan.assignments) else "无需求 no requests") in _texts(ax)


@pytest.mark.parametrize("picture", PICTURES)
def test_pictures_without_a_chinese_font_never_show_boxes(picture, monkeypatch, tmp_path) -> None:
    _without_chinese(monkeypatch)
    with pytest.warns(UserWarning, match=r"fonts-wqy-microhei.* the list of fonts in .* is deleted"):
        ax = picture(handmade_plan())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax.figure.savefig(tmp_path / "a.png", dpi=40)
    assert not [sign for sign in _texts(ax) if sign >= "\u2e80"], "no Chinese sign is left"
    assert "synthetic people" in _texts(ax)


def test_town_names_that_any_font_shows_stay(monkeypatch) -> None:
    _without_chinese(monkeypatch)
    plan = handmade_plan()
    plan.problem.tables["communities"]["town"] = "Xiashi"
    with pytest.warns(UserWarning, match="English only"):
        assert "Xiashi" in _texts(gm.plot_map(plan))


@pytest.mark.parametrize("picture", PICTURES)
def test_pictures_go_where_they_are_told(picture, monkeypatch) -> None:
    _without_chinese(monkeypatch)
    _, ax = pyplot.subplots()
    with pytest.warns(UserWarning, match="Chinese font"):
        assert picture(handmade_plan(synthetic=False), ax=ax) is ax
    assert "synthetic" not in _texts(ax)


def test_bars_are_the_counts(monkeypatch) -> None:
    _without_chinese(monkeypatch)
    plan = handmade_plan()
    with pytest.warns(UserWarning, match="Chinese font"):
        unmet, day = gm.plot_unmet(plan), gm.plot_day(plan)
    counted = plan.unmet.groupby("reason")["people"].sum().sort_values().tolist()
    assert sorted(bar.get_width() for bar in unmet.patches) == counted
    assert sum(bar.get_height() for bar in day.patches) == 60 + len(plan.assignments)


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("thing", [None, {}])
def test_what_is_not_a_plan_is_told(picture, thing) -> None:
    with pytest.raises(InvalidInput, match=f"plan is a {type(thing).__name__}; expected a Plan"):
        picture(thing)


def test_of_no_requests_no_day_is_told(monkeypatch) -> None:
    plan = empty_plan()
    plan.problem.horizon = (0, 0)
    _without_chinese(monkeypatch)
    with pytest.warns(UserWarning, match="English only"):
        texts = _texts(gm.plot_day(plan))
    assert "no requests" in texts and "1970" not in texts and "无需求" not in texts


def test_without_matplotlib_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r'pip install "govmatch\[plots\]"'):
        gm.plot_map(handmade_plan())
