from types import SimpleNamespace

import numpy as np
import pandas as pd

from govmatch.reporting.console import (
    aligned,
    certificate_text,
    headline,
    plan_record,
    plan_text,
    records,
    violations_text,
    worst_shortages,
)
from tests.handmade import HandmadeCertificate, handmade_plan


def test_columns_line_up_where_chinese_counts_as_two():
    text = aligned(
        pd.DataFrame({"name": ["西山", "abc", None], "n": [1, 20000, 3], "share": ["5.0%", "100.0%", "—"]})
    )
    assert text.splitlines() == [
        "name       n  share",
        "西山       1  5.0%",
        "abc   20,000  100.0%",
        "           3  —",
    ]
    assert aligned(pd.DataFrame({"a": ["1", "10"]})).splitlines() == [" a", " 1", "10"]
    assert aligned(pd.DataFrame({"a": []})) == "a"


def test_long_and_unprintable_cells_do_not_break_the_table():
    text = aligned(pd.DataFrame({"a": ["西" * 100, "x" * 100, "one\ntwo\x1b[31m"]}), widest=60)
    assert text.splitlines() == ["a", "西" * 29 + "…", "x" * 59 + "…", "one two [31m"]


def test_records_hold_only_what_json_has():
    frame = pd.DataFrame(
        {
            "a": [1.5, np.nan, np.inf],
            "b": [1, 2, 3],
            "c": [True, False, True],
            "d": ["x", None, pd.Timestamp("2026-05-20")],
        }
    )
    assert records(frame) == [
        {"a": 1.5, "b": 1, "c": True, "d": "x"},
        {"a": None, "b": 2, "c": False, "d": None},
        {"a": None, "b": 3, "c": True, "d": "2026-05-20 00:00:00"},
    ]
    assert records(frame.head(0)) == []


def test_many_violations_are_cut_and_counted():
    fault = {"table": "requests", "row": -1, "column": "", "code": "missing", "message": "m", "value": None}
    whole = pd.DataFrame([fault, fault | {"row": 1234}, fault])
    text = violations_text(whole, most=2)
    assert [" ".join(line.split()) for line in text.splitlines()[1:]] == [
        "requests missing m",
        "requests 1234 missing m",
        "… and 1 more 另有 1 条; --json lists all",
    ]


def test_a_plan_in_words_and_as_a_record():
    plan = handmade_plan()
    text, told = plan_text(plan), plan_record(plan)
    total = told["total"]
    assert f"{total['requests']} requests for {total['people']} people" in text
    assert total["served"] + total["unmet"] == total["people"]
    assert sum(row["people"] for row in told["by_group"]) == total["people"]
    assert sum(row["people"] for row in told["unmet_by_reason"]) == total["unmet"]
    assert "The ten worst shortages" in text
    assert "Served by group" not in plan_text(plan, details=False)
    assert "synthetic people 合成人员" in headline(plan)
    assert told["synthetic"] is True


def test_the_worst_shortages_are_by_skill_and_town():
    plan = handmade_plan()
    worst = worst_shortages(plan)
    towns = plan.problem.tables["communities"].set_index("community_id")["town"]
    sums = plan.unmet.assign(town=plan.unmet.community_id.map(towns)).groupby(["skill", "town"])
    assert list(worst.unmet_minutes) == sorted(sums.unmet_minutes.sum(), reverse=True)[: len(worst)]
    assert len(worst) <= 10


def test_the_certificate_claims_no_more_than_it_proves():
    plan = handmade_plan()
    assert "最优 optimal: no plan costs less 没有代价更低的方案, over all 1,234,567 eligible pairs" in (
        certificate_text(plan)
    )
    stopped = HandmadeCertificate(termination="time_limit", bound=12000.0, gap=0.028, verified=False)
    text = certificate_text(SimpleNamespace(certificate=stopped))
    assert "time limit: no plan can cost less than 12,000.00" in text
    assert "over the 1,234,567 eligible pairs that were looked at 已考察的可行配对" in text
    assert "gap 间隙 2.8000%" in text
    assert "not done 未做" in text
