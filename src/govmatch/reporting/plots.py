"""Pictures of a plan, drawn with matplotlib. Titles stand in Chinese and English."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from govmatch.errors import MissingExtra
from govmatch.reporting import tallies
from govmatch.reporting.words import SHARE_BOUNDS, SHARE_WORDS, SYNTHETIC, Words, bilingual, reason_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from govmatch.plan.plan import Plan

CJK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Hiragino Sans GB",
    "Heiti SC",
    "STHeiti",
    "SimHei",
    "SimSun",
    "Noto Sans CJK JP",
    "Noto Serif CJK SC",
    "Arial Unicode MS",
    "Droid Sans Fallback",
)
_TEAL, _WARM, _GREY, _INK = "#1b7a6d", "#b8431c", "#b9bfb8", "#1c2a29"
_SHARES = ("#b23a24", "#dd8440", "#e6c268", "#7dbba6", "#1b7a6d")  # least served … most
_FLOWS = 80


def plot_map(plan: Plan, ax: Axes | None = None) -> Axes:
    """Draw the communities: area for what was asked, colour for the share that is served.

    Parameters
    ----------
    plan : Plan
        The plan.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.axes.Axes
        Longitude and latitude (WGS-84, degree). Places whose coordinates are assumed have a dotted
        rim; grey ones asked for nothing.

    Raises
    ------
    InvalidInput
        If `plan` is not a Plan.
    MissingExtra
        If matplotlib is not installed.
    """
    canvas = _Canvas(plan, ax, (8.6, 6.2))
    where = _placed(plan).sort_values("people", ascending=False, kind="stable")
    most = max(1, int(where["people"].max())) if len(where) else 1
    area = 10 + 360 * where["people"] / most
    colour = _share_colours(where["served_share"])
    for assumed, style in ((False, "-"), (True, ":")):
        rows = where["assumed"] == assumed
        canvas.ax.scatter(
            where.loc[rows, "lon"],
            where.loc[rows, "lat"],
            s=area[rows],
            c=colour[rows.to_numpy()],
            edgecolors=_INK,
            linewidths=0.7,
            linestyles=style,
            alpha=0.92,
        )
    canvas.town_names(where)
    for colour_of, bounds in zip(_SHARES, SHARE_WORDS, strict=True):
        canvas.ax.scatter([], [], s=50, c=colour_of, label=bounds)
    if where["assumed"].any():
        words = canvas.words(("place assumed", "位置为推定"))
        canvas.ax.scatter([], [], s=50, c="none", edgecolors=_INK, linestyles=":", label=words)
    canvas.legend(("served", "服务率"))
    return canvas.finished(("Asked for and served, by community", "各社区需求与服务率"), where)


def plot_flows(plan: Plan, ax: Axes | None = None) -> Axes:
    """Draw the largest flows of people from the community they come from to the one that asked.

    Parameters and returns are those of `plot_map`; the 80 largest flows between two places are shown,
    wider for more people.
    """
    canvas = _Canvas(plan, ax, (8.6, 6.2))
    where = _placed(plan)
    at = where.set_index("community_id")[["lon", "lat"]]
    flows = tallies.flows(plan)
    flows = flows[flows["from_id"].isin(at.index) & flows["to_id"].isin(at.index)]
    flows = flows[flows["from_id"] != flows["to_id"]].head(_FLOWS)
    canvas.ax.scatter(where["lon"], where["lat"], s=9, c=_GREY, zorder=1)
    for row in tallies.rows(flows):
        canvas.ax.annotate(
            "",
            xy=tuple(at.loc[row.to_id]),
            xytext=tuple(at.loc[row.from_id]),
            arrowprops={
                "arrowstyle": "-|>,head_width=0.18,head_length=0.3",
                "connectionstyle": "arc3,rad=0.18",
                "color": _TEAL,
                "alpha": 0.55,
                "linewidth": 0.5 + 0.6 * math.sqrt(row.people),
                "shrinkA": 0,
                "shrinkB": 1,
            },
        )
    canvas.town_names(where)
    return canvas.finished(("Largest flows between communities", "社区间流向"), where)


def plot_unmet(plan: Plan, ax: Axes | None = None) -> Axes:
    """Draw how many people are missing, by reason.

    Parameters, returns and errors are those of `plot_map`; the axes count people.
    """
    canvas = _Canvas(plan, ax, (8.0, 3.8))
    counted = tallies.unmet_by_reason(plan).iloc[::-1]
    words = [canvas.words(reason_words(code), "\n") for code in counted["reason"]]
    drawn = canvas.ax.barh(range(len(counted)), counted["people"], color=_WARM, height=0.62)
    canvas.ax.set_yticks(range(len(counted)), words)
    canvas.ax.bar_label(drawn, padding=4)
    canvas.ax.set_xlim(0, 1.12 * max(1, int(counted["people"].max()) if len(counted) else 0))
    canvas.ax.set_xlabel(canvas.words(("people", "人次")))
    return canvas.finished(("Unmet, by reason", "未满足的原因"))


def plot_day(plan: Plan, ax: Axes | None = None) -> Axes:
    """Draw the day's rhythm: people by local hour, as wished and as planned.

    Parameters, returns and errors are those of `plot_map`; the x axis is the hour of the day.
    """
    canvas = _Canvas(plan, ax, (8.6, 3.8))
    asked = tallies.requests_asked(plan)
    hours = tallies.starts_by_hour(plan, asked)
    for shift, column, colour, words in (
        (-0.2, "asked", _GREY, ("wished from", "期望最早时间")),
        (0.2, "served", _TEAL, ("starts as planned", "安排开始")),
    ):
        canvas.ax.bar(
            hours["hour"] + shift, hours[column], width=0.38, color=colour, label=canvas.words(words)
        )
    busy = hours.loc[(hours["asked"] > 0) | (hours["served"] > 0), "hour"]
    first, last = (int(busy.min()), int(busy.max())) if len(busy) else (8, 20)
    canvas.ax.set_xticks(range(first, last + 1))
    canvas.ax.set_xlim(first - 0.7, last + 0.7)
    canvas.ax.set_ylim(0, 1.08 * max(1, int(hours[["asked", "served"]].to_numpy().max())))
    canvas.ax.set_xlabel(canvas.words(("hour of the day", "时刻")))
    canvas.ax.set_ylabel(canvas.words(("people", "人次")))
    canvas.legend()
    return canvas.finished(("The day's rhythm", "一天的节奏"))


class _Canvas:
    """An axes, the words that its fonts can show, and what every picture says."""

    def __init__(self, plan: Plan, ax: Axes | None, size: tuple[float, float]) -> None:
        tallies.need_plan(plan)
        try:
            from matplotlib import font_manager, get_cachedir, pyplot
        except ImportError as absent:
            raise MissingExtra('pictures need matplotlib: pip install "govmatch[plots]"') from absent
        self.plan = plan
        self.ax: Any = pyplot.subplots(figsize=size, layout="constrained")[1] if ax is None else ax
        installed = {font.name for font in font_manager.fontManager.ttflist}
        self.chinese = next((name for name in CJK_FONTS if name in installed), None)
        if self.chinese is None:
            warnings.warn(
                "matplotlib knows no Chinese font, so labels are in English only; one is in the package "
                "fonts-wqy-microhei (apt install fonts-wqy-microhei). A font installed after matplotlib was "
                f"first used is known once the list of fonts in {get_cachedir()} is deleted",
                stacklevel=3,
            )
        self.family = [self.chinese, "DejaVu Sans"] if self.chinese else ["DejaVu Sans"]

    def words(self, words: Words, between: str = " ") -> str:
        """Return Chinese and English, or English alone if no font can show Chinese."""
        return bilingual(words, between) if self.chinese else words[0]

    def town_names(self, where: pd.DataFrame) -> None:
        """Write each town's name in the middle of its places; one that no font can show is left out."""
        from matplotlib import patheffects

        halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
        for town, at in where.groupby("town")[["lon", "lat"]].mean().iterrows():
            if self.chinese or str(town).isascii():
                self.ax.text(
                    at["lon"],
                    at["lat"],
                    str(town),
                    fontfamily=self.family,
                    fontsize=9,
                    ha="center",
                    va="center",
                    path_effects=halo,
                )

    def legend(self, title: Words | None = None) -> None:
        """Add a legend in a font that can show it."""
        drawn = self.ax.legend(
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            alignment="left",
            prop={"family": self.family, "size": 9},
            title=self.words(title) if title else None,
            frameon=False,
        )
        drawn.get_title().set_fontfamily(self.family)

    def finished(self, title: Words, geographic: pd.DataFrame | None = None) -> Axes:
        """Set the titles, the note on synthetic people and the look; return the axes."""
        ax = self.ax
        ax.set_title(self.words(title), loc="left", pad=24, fontfamily=self.family, fontsize=13, color=_INK)
        note = tallies.days_text(self.plan)
        if not self.chinese and not note.isascii():
            note = "".join(sign for sign in note if sign < "\u2e80").strip()
        if self.plan.certificate.synthetic:
            note = f"{note} · {self.words(SYNTHETIC)}"
        ax.annotate(
            note,
            (0, 1),
            (0, 8),
            xycoords="axes fraction",
            textcoords="offset points",
            fontfamily=self.family,
            fontsize=9,
            color=_WARM if self.plan.certificate.synthetic else _INK,
            annotation_clip=False,
        )
        if geographic is not None:
            middle = float(geographic["lat"].mean()) if len(geographic) else 0.0
            ax.set_aspect(1.0 / max(0.05, math.cos(math.radians(middle))))
            ax.set_xlabel(self.words(("longitude", "经度")))
            ax.set_ylabel(self.words(("latitude", "纬度")))
            ax.margins(0.06)
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=9)
        for text in (ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels()):
            text.set_fontfamily(self.family)
        drawn: Axes = ax
        return drawn


def _placed(plan: Plan) -> pd.DataFrame:
    where = tallies.places(plan, tallies.requests_asked(plan))
    return where.dropna(subset=["lat", "lon"])


def _share_colours(share: pd.Series) -> Any:
    steps = np.searchsorted(SHARE_BOUNDS, share.fillna(0.0).to_numpy(), side="right")
    return np.where(share.isna(), _GREY, np.array(_SHARES, dtype=object)[steps])
