import pytest

from govmatch.model.toml_text import key_line

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
