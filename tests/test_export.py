"""A plan as files: nothing runs as a formula, everything comes back."""

from __future__ import annotations

import builtins
import json

import numpy as np
import pandas as pd
import pytest

from govmatch.errors import MissingExtra
from govmatch.plan.export import escape_formulas, outside_certificate, to_csv, to_json, to_parquet
from tests.handmade import empty_plan, handmade_plan

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\0x", "=x", "＋x", "－x", "＠x"]


@pytest.mark.parametrize("text", DANGEROUS)
@pytest.mark.parametrize("dtype", [object, "str", "category"])
def test_text_that_would_run_begins_with_an_apostrophe(text: str, dtype: str) -> None:
    frame = pd.DataFrame({"a": pd.Series([text, "plain", None], dtype=dtype)})
    safe = escape_formulas(frame)
    assert safe["a"].iloc[0] == "'" + text
    assert safe["a"].iloc[1] == "plain"
    assert pd.isna(safe["a"].iloc[2])
    assert frame["a"].iloc[0] == text, "the caller's frame is left alone"


def test_numbers_and_times_stay_and_headers_are_escaped() -> None:
    frame = pd.DataFrame({"=h": [-5, -1], "t": pd.Timestamp("2026-01-01"), "f": [-1.5, np.nan]})
    safe = escape_formulas(frame)
    assert list(safe.columns) == ["'=h", "t", "f"]
    assert safe.iloc[:, 0].tolist() == [-5, -1]
    assert safe["f"].iloc[0] == -1.5


def test_columns_of_one_name_are_both_escaped() -> None:
    frame = pd.DataFrame([["=a", "=b"]], columns=["x", "x"])
    assert escape_formulas(frame).iloc[0].tolist() == ["'=a", "'=b"]


def test_csv_opens_in_excel_and_comes_back(tmp_path) -> None:
    plan = handmade_plan()
    plan.assignments.loc[0, "role"] = "=HYPERLINK(1)"
    paths = to_csv(plan, tmp_path / "new" / "folder")
    assert [p.name for p in paths] == ["assignments.csv", "unmet.csv", "funnel.csv", "certificate.json"]
    assert paths[0].read_bytes().startswith(b"\xef\xbb\xbf")
    back = pd.read_csv(paths[0])
    assert len(back) == len(plan.assignments)
    assert back["role"].iloc[0] == "'=HYPERLINK(1)"
    assert pd.read_csv(paths[1])["reason_zh"].tolist() == plan.unmet["reason_zh"].tolist()
    assert json.loads(paths[3].read_text("utf-8"))["synthetic"] is True


def test_json_is_strict_and_the_same_each_time(tmp_path) -> None:
    plan = handmade_plan(gap=float("nan"), bound=np.float64(3.0))
    plan.assignments.loc[0, "travel_minutes"] = np.nan
    text = to_json(plan)
    assert text == to_json(plan, tmp_path / "plan.json")
    assert (tmp_path / "plan.json").read_text("utf-8") == text
    read = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert read["certificate"]["gap"] is None
    assert read["certificate"]["bound"] == 3.0
    assert read["linked"] == 2
    first = read["assignments"][0]
    assert first["travel_minutes"] is None
    assert first["start"].endswith("+08:00")
    assert isinstance(first["hops"], int) and isinstance(first["travel_known"], bool)
    assert len(read["unmet"]) == len(plan.unmet)


def test_outside_readers_get_a_certificate_without_exact_costs() -> None:
    told = outside_certificate(handmade_plan(gap=float("inf")))
    assert {"primal", "bound", "pairs", "arcs", "rounds"}.isdisjoint(told)
    kept = {"gap", "termination", "verified", "scope", "policy_fingerprint", "problem_fingerprint",
            "assumed_share", "placed_assumed_share", "synthetic"}  # fmt: skip
    assert kept <= set(told)
    assert told["gap"] is None and told["termination"] == "optimal" and told["synthetic"] is True


def test_half_a_surrogate_does_not_stop_an_export(tmp_path) -> None:
    plan = handmade_plan()
    plan.unmet["category"] = plan.unmet["category"].astype(object)
    plan.unmet.loc[0, "category"] = "bad \ud800"
    to_json(plan, tmp_path / "plan.json")
    assert "bad ?" in (tmp_path / "plan.json").read_text("utf-8")
    assert "bad ?" in to_csv(plan, tmp_path)[1].read_text("utf-8")


def test_parquet_keeps_zones(tmp_path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is optional; it comes with govmatch[dev]")
    plan = handmade_plan()
    paths = to_parquet(plan, tmp_path)
    back = pd.read_parquet(paths[0])
    assert (back["start"] == plan.assignments["start"]).all()
    assert str(back["start"].dt.tz) == "Asia/Shanghai"
    assert [p.suffix for p in paths] == [".parquet", ".parquet", ".parquet", ".json"]


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch) -> None:
    whole = builtins.__import__

    def without(name, *rest, **named):
        if name == "pyarrow":
            raise ImportError(name)
        return whole(name, *rest, **named)

    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match="pip install"):
        to_parquet(handmade_plan(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_empty_plan_exports(tmp_path) -> None:
    plan = empty_plan()
    assert json.loads(to_json(plan))["assignments"] == []
    assert len(pd.read_csv(to_csv(plan, tmp_path)[0])) == 0
