"""Policies as TOML text: read into nested dicts, written from them, and the profiles that ship."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from govmatch.errors import InvalidInput, InvalidPolicy
from govmatch.model.encoding import decoded
from govmatch.model.policy_rules import SHAPE, WEEKDAYS, Each, Fault, converted, first_fault, unknown_key
from govmatch.model.suggest import listed, nearest, shown
from govmatch.model.toml_text import key_line, parsed

_NOTES = {
    "unmet": "what leaving one person's work undone costs 未满足的代价",
    "route": "how a request travels through the alliance; kinds that are not listed are closed 流转",
    "travel": "travel of people who state nothing themselves 出行",
    "fit": "prices of a less than perfect fit 匹配度",
    "load": "jobs of one volunteer 工作量",
    "recurrence": "visits that fall on a holiday 定期服务遇节假日",
    "continuity": "the same carer for all visits of a recurring request 固定服务者",
    "slots": "pieces of a day 时段",
    "presets": "assumed availability where none is known 空闲时段预设",
    "rounds": "several visits of one person in one slot 巡访",
    "teams": "who is sent together 同组人员",
    "stability": "what changing an announced plan costs 计划稳定性",
    "floors": "the least share of each group and community that is served 保底比例",
    "reserve": "certified people who are kept free for emergencies 应急储备",
}


def profile_names() -> tuple[str, ...]:
    """Return the names of the example policies that ship with the package, ``default`` first."""
    folder = files("govmatch.model") / "profiles"
    shipped = (entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return ("default", *sorted(name.removesuffix(".toml") for name in shipped))


def profile_text(name: str) -> str:
    """Return the TOML text of a shipped policy; the default one is empty, for it is the code's.

    Raises
    ------
    InvalidPolicy
        If there is no such profile; the message lists those that are.
    """
    names = profile_names()
    if name not in names:
        raise InvalidPolicy(
            f"unknown profile {shown(name)}{nearest(name, names)}; the profiles are {listed(names)}"
        )
    if name == "default":
        return ""
    return (files("govmatch.model") / "profiles" / f"{name}.toml").read_text(encoding="utf-8")


def is_profile(source: str | PathLike[str]) -> bool:
    """Tell whether a text is meant as the name of a profile: no file is there, nor could it be one."""
    text = str(source)
    return text in profile_names() or not (
        Path(source).exists() or text.endswith(".toml") or {*text} & {*"/\\"}
    )


def file_text(path: str | PathLike[str]) -> str:
    """Return the text of a policy file.

    Raises
    ------
    InvalidPolicy
        If it cannot be read, or `path` is no path.
    """
    if not isinstance(path, str | PathLike):
        raise InvalidPolicy(f"path: found {shown(path)}; expected the path of a policy file")
    file = Path(path)
    try:
        return decoded(file.read_bytes(), file.name)
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidPolicy(f"the policy file {file} cannot be read: {reason}") from error


def policy_values(text: str, source: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Read a policy's TOML.

    Parameters
    ----------
    text : str
        Keys as the fields of `Policy`; numbers plain, in the unit that the key names, or text with a
        unit. What is not said stays as in `defaults`. A table whose keys are names (groups, kinds of edge,
        slots, presets) replaces the default one; ``travel.speed_kmh`` adds to it.
    source : str
        For messages.
    defaults : mapping
        The values of a whole policy.

    Returns
    -------
    dict
        The values of a whole policy, checked.

    Raises
    ------
    InvalidPolicy
        Naming `source`, the line and key, what was found and what is expected.
    """
    try:
        values = converted(parsed(text, source))
    except InvalidInput as error:
        raise InvalidPolicy(str(error)) from error
    fault = unknown_key(values)
    if fault is None:
        whole: dict[str, Any] = _laid_over(defaults, values, SHAPE)
        fault = first_fault(whole)
    if fault is not None:
        raise InvalidPolicy(f"{source}{_place(text, fault)}, {'.'.join(fault.path)}: {fault.sentence}")
    return whole


def _place(text: str, fault: Fault) -> str:
    line = key_line(text, fault.path)
    if fault.related and not _stands(text, fault.path):
        line = key_line(text, fault.related)
    return "" if line is None else f", line {line}"


def _stands(text: str, path: tuple[str, ...]) -> bool:
    values: Any = parsed(text, "")
    for key in path:
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True


def _laid_over(under: Any, over: Any, shape: Any) -> Any:
    adds = isinstance(shape, dict) or (isinstance(shape, Each) and shape.all_of)
    if not (adds and isinstance(over, dict)):
        return over
    inner = {key: shape[key] if isinstance(shape, dict) else shape.of for key in over}
    return {**under, **{key: _laid_over(under.get(key), value, inner[key]) for key, value in over.items()}}


def policy_text(values: Mapping[str, Any]) -> str:
    """Return a policy's values as TOML that reads back to the same values.

    Parameters
    ----------
    values : mapping
        The values of a whole policy.
    """
    lines = [f"{key} = {_toml(value)}" for key, value in values.items() if not isinstance(value, Mapping)]
    for section, content in values.items():
        if isinstance(content, Mapping):
            lines += ["", f"# {_NOTES[section]}", *_section((section,), content)]
    return "\n".join(lines) + "\n"


def _section(path: tuple[str, ...], content: Mapping[str, Any]) -> list[str]:
    plain = {k: v for k, v in content.items() if not isinstance(v, Mapping)}
    lines = [f"[{'.'.join(map(_key, path))}]", *(f"{_key(k)} = {_toml(v, k)}" for k, v in plain.items())]
    for key, value in content.items():
        if isinstance(value, Mapping):
            lines += _section((*path, key), value)
    return lines


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else _text(name)


def _toml(value: Any, key: str = "") -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_text(WEEKDAYS[v]) if key == 'days' else _text(v) for v in value)}]"
    return repr(value).lower() if isinstance(value, bool) else repr(value)


def _text(value: str) -> str:
    # what JSON escapes TOML escapes alike, but for DEL
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
