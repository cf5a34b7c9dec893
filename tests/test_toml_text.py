import pytest

from govmatch.errors import InvalidInput
from govmatch.model.toml_text import key_line, parsed

TEXT = '''# a comment
name = """
[unmet]
base = 1
"""

[unmet]
base = [
  1,  # x
  2,
]
a.b = 1
"q.x" = 2 # c = 3
inline = { c = 3 }

[route.hops] # [unmet]
tier = 1\r
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["name"], 2),
        (["unmet"], 7),
        (["unmet", "base"], 8),
        (["unmet", "a"], 12),
        (["unmet", "a", "b"], 12),
        (["unmet", "q.x"], 13),
        (["unmet", "inline", "c"], 14),
        (["unmet", "absent"], 7),
        (["route"], 16),
        (["route", "hops", "tier"], 17),
        (["route", "hops", "tier", "deeper"], 17),
        (["absent"], None),
    ],
)
def test_the_line_on_which_a_key_is_set(path, line):
    assert key_line(TEXT, path) == line


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_are_counted_whatever_they_end_with(end):
    text = TEXT.replace("\r\n", "\n").replace("\n", end)
    assert key_line(text, ["unmet", "base"]) == 8
    assert key_line(text, ["route", "hops", "tier"]) == 17
    assert parsed(text, "x")["unmet"]["q.x"] == 2
    with pytest.raises(InvalidInput, match=r"own.toml, line 3: not TOML"):
        parsed(end.join(["a = 1", "", "b = ", "c = 3"]), "own.toml")
