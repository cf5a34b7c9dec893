"""What became of an announced plan."""

from __future__ import annotations

import pandas as pd

KINDS = {"kept": "不变", "moved": "改动", "dropped": "撤下", "gone": "已不可行", "new": "新派"}
COLUMNS = ["request_id", "role", "provider_id", "kind", "kind_zh", "before", "after"]

_PERSON = ["request_id", "provider_id"]
_SAME = [*_PERSON, "role", "start"]


def changes_frame(incumbent: pd.DataFrame | None, assignments: pd.DataFrame) -> pd.DataFrame:
    """Compare those announced with those sent, person by person (see `Plan.changes`)."""
    if incumbent is None:
        return pd.DataFrame(columns=COLUMNS)
    old, new = incumbent.reset_index(drop=True), assignments[_SAME].reset_index(drop=True)
    zone = new["start"].dt.tz
    old = old.assign(start=old["start"].dt.tz_convert(zone), old=old.index)
    new = new.assign(new=new.index)
    kept = _paired(old, new, _SAME)
    left, right = old.drop(kept["old"]), new.drop(kept["new"])
    moved = _paired(left, right, _PERSON)
    lost, come = left.drop(moved["old"]), right.drop(moved["new"])
    parts = [
        _part(new.loc[kept["new"]], "kept", old.loc[kept["old"], "start"], new.loc[kept["new"], "start"]),
        _part(new.loc[moved["new"]], "moved", old.loc[moved["old"], "start"], new.loc[moved["new"], "start"]),
        _part(lost[lost["possible"]], "dropped", lost.loc[lost["possible"], "start"], None),
        _part(lost[~lost["possible"]], "gone", lost.loc[~lost["possible"], "start"], None),
        _part(come, "new", None, come["start"]),
    ]
    frame = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    for name in ("before", "after"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.tz_convert(zone)
    frame["kind_zh"] = frame["kind"].map(KINDS).astype(object)
    return frame[COLUMNS].sort_values("request_id", kind="stable", ignore_index=True)


def _paired(old: pd.DataFrame, new: pd.DataFrame, same: list[str]) -> pd.DataFrame:
    """Pair rows that agree, each once: an organisation may send several people."""
    old = old.assign(nth=old.groupby(same, sort=False).cumcount())
    new = new.assign(nth=new.groupby(same, sort=False).cumcount())
    keys = [*same, "nth"]
    return old[[*keys, "old"]].merge(new[[*keys, "new"]], on=keys)


def _part(rows: pd.DataFrame, kind: str, before: pd.Series | None, after: pd.Series | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **{name: rows[name].to_numpy() for name in ("request_id", "role", "provider_id")},
            "kind": kind,
            "before": pd.NaT if before is None else before.array,
            "after": pd.NaT if after is None else after.array,
        }
    )
