"""The sheets that people work with, read back as a spreadsheet program would."""

from __future__ import annotations

import numpy as np
import openpyxl
import pandas as pd
import pytest

import govmatch as gm
from govmatch.errors import InvalidInput
from govmatch.reporting.sheets import coordination_sheet, dispatch_sheet, summary_sheet, write_sheets
from govmatch.reporting.tallies import places, requests_asked
from govmatch.reporting.whom_to_ask import whom_to_ask
from govmatch.reporting.xlsx import Sheet, xlsx_bytes
from tests.handmade import empty_plan, handmade_plan


def test_six_files_and_two_for_outside(tmp_path) -> None:
    plan = handmade_plan()
    inside = gm.write_sheets(plan, tmp_path / "new")
    assert [p.name for p in inside] == [
        "派单表.xlsx", "派单表.csv", "待协调清单.xlsx", "待协调清单.csv", "汇总表.xlsx", "汇总表.csv"
    ]  # fmt: skip
    outside = write_sheets(plan, tmp_path / "new", outside=True)
    assert [p.name for p in outside] == ["汇总表_对外.xlsx", "汇总表_对外.csv"]
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == sorted(p.name for p in inside + outside)


def test_xlsx_has_titles_header_filter_and_says_synthetic(tmp_path) -> None:
    plan = handmade_plan()
    for path in write_sheets(plan, tmp_path)[::2]:
        tab = openpyxl.load_workbook(path).active
        assert tab["A1"].value == path.stem
        assert "2026-11-21" in tab["A2"].value
        assert "合成人员" in tab["A3"].value and "Synthetic people" in tab["A3"].value
        assert tab.freeze_panes == "A5"
        assert tab.auto_filter.ref.startswith("A4:")
        assert all("\n" in cell.value for cell in tab[4])
        assert all(cell.alignment.wrap_text for cell in tab[5])
    plan = handmade_plan(synthetic=False)
    for path in write_sheets(plan, tmp_path)[::2]:
        assert "合成" not in openpyxl.load_workbook(path).active["A3"].value


def test_csv_has_a_byte_order_mark_and_says_synthetic(tmp_path) -> None:
    plan = handmade_plan()
    for path in write_sheets(plan, tmp_path)[1::2]:
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        assert (pd.read_csv(path)["数据 data"] == "合成人员 synthetic people").all()


@pytest.mark.parametrize("text", ["=1+1", "+x", "-x", "@x", "\tx", "\rx"])
def test_no_cell_runs_as_a_formula(tmp_path, text: str) -> None:
    plan = handmade_plan()
    tables = plan.problem.tables
    tables["organizations"]["name"] = text
    tables["organizations"]["contact"] = text
    tables["communities"]["name"] = text
    tables["communities"]["town"] = text
    tables["requests"]["category"] = text
    plan.unmet["category"] = text
    for path in [*write_sheets(plan, tmp_path), *write_sheets(plan, tmp_path, outside=True)]:
        if path.suffix == ".xlsx":
            tab = openpyxl.load_workbook(path).active
            cells = [cell for row in tab.iter_rows() for cell in row if isinstance(cell.value, str)]
            assert not [c.coordinate for c in cells if c.data_type == "f" or c.value.startswith(text[0])]
        else:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False)
            assert not frame.map(lambda cell: cell.startswith(text[0])).any(axis=None)
            assert frame.map(lambda cell: cell.startswith("'" + text[0])).any(axis=None)


def test_dispatch_is_grouped_and_complete() -> None:
    plan = handmade_plan()
    frame = dispatch_sheet(plan).frame
    assert len(frame) == len(plan.assignments)
    units = frame["接单单位 organisation"]
    assert (units != units.shift()).sum() == units.nunique(), "each organisation's rows stand together"
    sent = plan.assignments.set_index("request_id")
    shown = frame.set_index("需求编号 request")
    assert (shown["服务者 provider"] == sent["provider_id"].reindex(shown.index)).all()
    free = sent.index[sent["organization_id"].isna()]
    assert (shown.loc[free, "接单单位 organisation"] == shown.loc[free, "社区 place"]).all()
    charged = sent.index[sent["organization_id"].notna()][0]
    number = sent.at[charged, "organization_id"][1:]
    row = shown.loc[charged]
    assert row["接单单位 organisation"] == f"志愿队{number}"
    assert row["联系方式编号 contact"] == f"K-{number}"
    assert row["流转路径 route"] == f"社区{sent.at[charged, 'community_id'][1:]} → 志愿队{number}"
    assert row["时间 time"] == f"{sent.at[charged, 'start']:%H:%M}–{sent.at[charged, 'end']:%H:%M}"
    assert ("假定" in row["备注 note"]) == sent.at[charged, "assumed"]


def test_dispatch_names_two_alternates_or_none() -> None:
    plan = handmade_plan()
    shown = dispatch_sheet(plan).frame.set_index("需求编号 request")
    ranked = plan.alternates.set_index(["request_id", "rank"])["provider_id"]
    first, second = plan.assignments["request_id"].iloc[:2]
    assert shown.at[first, "备选一 first alternate"] == "", "rank 1 of the first is missing by hand"
    assert shown.at[first, "备选二 second alternate"].startswith(ranked[first, 2])
    assert shown.at[second, "备选一 first alternate"].startswith(ranked[second, 1])
    plan.alternates = plan.alternates.iloc[:0]
    assert (dispatch_sheet(plan).frame["备选一 first alternate"] == "").all()


def test_coordination_says_why_and_whom_to_ask() -> None:
    plan = handmade_plan()
    frame = coordination_sheet(plan).frame
    assert sorted(frame["需求编号 request"]) == sorted(plan.unmet["request_id"])
    cost = plan.unmet.set_index("request_id")["unmet_minutes"].reindex(frame["需求编号 request"])
    assert cost.is_monotonic_decreasing
    nobody = frame[frame["所需技能 skill"] == "pet loss"]
    assert (nobody["原因(英) reason in English"] == "nobody offers what is needed").all()
    assert nobody["可询问 whom to ask"].str.fullmatch(r"志愿队(\d+)；党委\1").all(), "the community's own"
    offered = frame[frame["所需技能 skill"] != "pet loss"]
    assert offered["可询问 whom to ask"].str.contains(r"\(\d+人, \d+\.\d km\)").all()


def test_whom_to_ask_ranks_homes_by_distance() -> None:
    plan = handmade_plan()
    where = places(plan, requests_asked(plan)).set_index("community_id")
    skills = plan.problem.tables["skills"]
    volunteers = plan.problem.tables["volunteers"].set_index("volunteer_id")
    answers = whom_to_ask(plan, where.reset_index())
    for row, answer in zip(plan.unmet.itertuples(), answers, strict=True):
        if row.skill == "pet loss":
            continue
        here = where.loc[row.community_id]
        found: dict[str, float] = {}
        for holder in skills.loc[skills["skill"] == row.skill, "provider_id"]:
            volunteer = volunteers.loc[holder]
            charged = isinstance(volunteer["organization_id"], str)
            home = "C" + volunteer["organization_id"][1:] if charged else volunteer["community_id"]
            east = (where.at[home, "lon"] - here["lon"]) * np.cos(np.radians(here["lat"]))
            name = ("志愿队" if charged else "社区") + home[1:]
            found[name] = 111.195 * np.hypot(where.at[home, "lat"] - here["lat"], east)
        nearest = sorted(found.values())[:3]
        told = [float(part.split(", ")[1].split(" ")[0]) for part in answer.split("；")[:-1]]
        assert told == pytest.approx(nearest, abs=0.051)


def test_several_skills_need_one_person_who_holds_all() -> None:
    plan = handmade_plan()
    plan.unmet = plan.unmet.iloc[:1].assign(skill="tutoring+repair", community_id="C000")
    _need(plan, "tutoring", "repair")
    where = places(plan, requests_asked(plan))
    assert "人" not in whom_to_ask(plan, where)[0]
    skills = plan.problem.tables["skills"]
    both = pd.DataFrame({"provider_id": ["V00000"], "skill": ["repair"]})
    plan.problem.tables["skills"] = pd.concat([skills, both], ignore_index=True)
    assert whom_to_ask(plan, where)[0].count("(1人") == 1


def test_a_skill_may_have_a_plus_in_its_name() -> None:
    plan = handmade_plan()
    plan.unmet = plan.unmet.iloc[:1].assign(skill="tutoring+repair", community_id="C000")
    _need(plan, "tutoring+repair")
    where = places(plan, requests_asked(plan))
    assert "人" not in whom_to_ask(plan, where)[0]
    skills = plan.problem.tables["skills"]
    skills.loc[0, "skill"] = "tutoring+repair"
    assert whom_to_ask(plan, where)[0].count("(1人") == 1


def _need(plan, *skills: str) -> None:
    """Make the first unserved request need these skills, and no other anything."""
    demand = plan.problem.demand
    at = list(demand.request_id).index(plan.unmet["request_id"].iloc[0])
    demand.need_ptr = np.where(np.arange(len(demand.request_id) + 1) > at, len(skills), 0)
    demand.need_skill_name = np.array(skills, dtype=object)


def test_sheets_of_communities_alone(tmp_path) -> None:
    plan = handmade_plan()
    tables = plan.problem.tables
    for name in ("organizations", "party_units", "skills"):
        del tables[name]
    tables["communities"][["lat", "lon"]] = np.nan
    write_sheets(plan, tmp_path)
    assert (coordination_sheet(plan).frame["可询问 whom to ask"] == "").all()
    assert (dispatch_sheet(plan).frame["联系方式编号 contact"] == "").all()


def test_summary_adds_up() -> None:
    plan = handmade_plan(400)
    frame = summary_sheet(plan).frame
    level = frame["层级 level"].str.split(" ").str[0]
    for column in ("需求人次 asked", "已服务 served", "未满足 unmet"):
        sums = frame[column].astype(int).groupby(level).sum()
        assert sums.nunique() == 1
    assert (frame["需求人次 asked"] == frame["已服务 served"] + frame["未满足 unmet"]).all()
    assert frame["需求人次 asked"].iloc[0] == 400
    assert frame["已服务 served"].iloc[0] == len(plan.assignments)


def _counts(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["需求人次 asked", "已服务 served", "未满足 unmet"]]


def test_outside_no_count_under_five_is_shown() -> None:
    plan = handmade_plan(400)
    inside, outside = (summary_sheet(plan, outside=o).frame for o in (False, True))
    assert ((_counts(inside) > 0) & (_counts(inside) < 5)).any(axis=None)
    told = _counts(outside).astype(int)
    assert ((told == 0) | (told >= 5)).all(axis=None)
    assert (told.iloc[0] == _counts(inside).iloc[0]).all(), "the whole is told as it is"
    towns = outside["层级 level"].str.startswith("镇街")
    assert (told[towns].sum() == told.iloc[0]).all(), "each town is in one row"
    assert "、".join(outside.loc[towns, "镇街 town"]) == "镇00、镇01、镇02"
    alone = outside[towns & ~outside["镇街 town"].str.contains("、")].set_index("镇街 town")
    same = inside[inside["层级 level"].str.startswith("镇街")].set_index("镇街 town").loc[alone.index]
    assert len(alone) and (_counts(alone).astype(int) == _counts(same)).all(axis=None)
    notes = " ".join(summary_sheet(plan, outside=True).notes)
    assert "joined with the next" in notes and "与相邻镇街、社区合并" in notes


def test_four_and_four_of_eight_unmet_are_not_told(tmp_path) -> None:
    plan = handmade_plan(110, towns=2, per_town=1)
    asked, unmet = plan.problem.tables["requests"], plan.unmet
    asked["community_id"] = np.where(np.arange(110) < 50, "C000", "C001")
    missing = [*range(4), *range(50, 54)]
    plan.unmet = unmet.iloc[:8].assign(request_id=asked["request_id"].iloc[missing].to_numpy())
    plan.assignments = pd.DataFrame({"request_id": asked["request_id"].drop(missing).to_numpy()})
    path = write_sheets(plan, tmp_path, outside=True)[1]
    assert _counts(pd.read_csv(path, dtype=str)).values.tolist() == [["110", "102", "8"]]


@pytest.mark.parametrize(("n", "asked"), [(3, "<5"), (9, 9)])
def test_outside_few_unmet_in_all_leave_at_most_what_was_asked(n: int, asked: object) -> None:
    plan = handmade_plan(n, towns=1, per_town=1)
    requests = plan.problem.tables["requests"]["request_id"]
    plan.unmet = plan.unmet.iloc[:0]
    plan.assignments = pd.DataFrame({"request_id": requests[1:].to_numpy()})
    plan.unmet = pd.DataFrame({"request_id": requests[:1], "people": 1})
    first = summary_sheet(plan, outside=True).frame.iloc[0]
    assert first[["需求人次 asked", "已服务 served", "未满足 unmet", "服务率 share"]].tolist() == [
        asked, "*", "*", "*"
    ]  # fmt: skip


@pytest.mark.parametrize("thing", [None, {}, "plan"])
def test_what_is_not_a_plan_is_told(thing, tmp_path) -> None:
    words = f"plan is a {type(thing).__name__}; expected a Plan"
    with pytest.raises(InvalidInput, match=words):
        gm.write_sheets(thing, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_empty_plan_has_sheets(tmp_path) -> None:
    for path in [*write_sheets(empty_plan(), tmp_path), *write_sheets(empty_plan(), tmp_path, outside=True)]:
        assert path.stat().st_size > 0


def test_of_no_requests_no_day_is_told() -> None:
    plan = empty_plan()
    plan.problem.horizon = (0, 0)
    for sheet in (dispatch_sheet(plan), coordination_sheet(plan), summary_sheet(plan)):
        assert "无需求 no requests" in sheet.title and "1970" not in sheet.title


def test_a_cell_that_excel_would_refuse_is_made_fit() -> None:
    frame = pd.DataFrame(
        {
            "甲 a": ["x\x00y\ud800", "z" * 100_000, None, pd.NaT],
            "乙 b": [np.int64(3), np.float64(2.5), np.bool_(True), 7],
        },
        dtype=object,
    )
    tab = openpyxl.load_workbook(__import__("io").BytesIO(xlsx_bytes(Sheet("表", "t", (), frame)))).active
    assert tab["A5"].value == "x\ufffdy\ufffd"
    assert len(tab["A6"].value) == 32_767
    assert tab["A7"].value is None and tab["A8"].value is None
    assert [tab[f"B{r}"].value for r in range(5, 9)] == [3, 2.5, True, 7]


def test_a_real_plan_is_told_in_full(tmp_path) -> None:
    tables = gm.datasets.xishan(requests=60, volunteers=2000)
    plan = gm.match(gm.Problem.from_tables(tables))
    paths = write_sheets(plan, tmp_path)
    write_sheets(plan, tmp_path, outside=True)
    dispatch, coordination, summary = (pd.read_csv(path, dtype=str) for path in paths[1::2])
    assert len(dispatch) == len(plan.assignments)
    assert len(coordination) == len(plan.unmet)
    totals = plan.summary().iloc[0]
    first = summary.iloc[0]
    assert [int(first[c]) for c in ("需求人次 asked", "已服务 served", "未满足 unmet")] == [
        totals["people"],
        totals["served"],
        totals["unmet"],
    ]
    assert dispatch["备选一 first alternate"].notna().any()
    by_town = (
        summary[summary["层级 level"].str.startswith("镇街")]
        .set_index("镇街 town")["需求人次 asked"]
        .astype(int)
    )
    assert by_town.to_dict() == plan.summary(by="town")["people"].to_dict()


def test_tables_that_say_almost_nothing(tmp_path) -> None:
    times = {"earliest": ["2026-05-20 09:00", None], "latest": ["2026-05-20 12:00", None]}
    tables = {
        "communities": pd.DataFrame({"community_id": ["a"]}),
        "requests": pd.DataFrame(
            {"request_id": ["=r", "s"], "community_id": "a", "skill": ["x", "y"], **times}
        ),
        "organizations": pd.DataFrame(
            {"organization_id": ["o"], "community_id": "a", "capacity_per_slot": 1, "name": [None]}
        ),
        "skills": pd.DataFrame({"provider_id": ["o"], "skill": ["x"]}),
        "availability": pd.DataFrame(
            {"provider_id": ["o"], "start": ["2026-05-20 08:00"], "end": ["2026-05-20 12:00"]}
        ),
    }
    plan = gm.match(gm.Problem.from_tables(tables))
    write_sheets(plan, tmp_path)
    dispatch = dispatch_sheet(plan).frame.iloc[0]
    assert dispatch["接单单位 organisation"] == "o", "without a name, the id"
    assert "缺坐标" in dispatch["备注 note"]
    assert coordination_sheet(plan).frame["可询问 whom to ask"].tolist() == ["o"]
    assert isinstance(gm.report(plan), str)
