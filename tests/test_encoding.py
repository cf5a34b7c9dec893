import codecs

import pytest

from govmatch.errors import InvalidInput
from govmatch.model.encoding import decoded, known_encoding


@pytest.mark.parametrize(
    "text", ["name\n庐\n", "a,芦芦\n", "隆拢", "路", "一,姚,小", "倩", "社区,王强", "社區編號,張", "老人,𠮷"]
)
def test_gb18030_that_is_utf8_by_chance_is_read_as_chinese(text):
    assert decoded(text.encode("gb18030"), "a.csv") == text


@pytest.mark.parametrize(
    "text",
    ["café", "José,Núñez\nnaïve", "Иван", "西", "西山,®", "℃", "a", "", "«Иван»", "«西»", "\U0001f600"],
)
def test_utf8_stays_utf8(text):
    assert decoded(text.encode(), "a.csv") == text
    assert decoded(codecs.BOM_UTF8 + text.encode(), "a.csv") == text


@pytest.mark.parametrize("text", ["®", "по", "café ®", "5°C", "Aé"])
def test_a_byte_order_mark_or_a_name_decides(text):
    data = text.encode()
    assert decoded(codecs.BOM_UTF8 + data, "a.csv") == text
    assert decoded(data, "a.csv", "utf-8") == text
    assert decoded(data, "a.csv", "gb18030") == data.decode("gb18030")
    assert decoded(codecs.BOM_UTF8 + data, "a.csv", "gb18030") == text


@pytest.mark.parametrize("text", ["по", "x\ncafé ®", "5°C", "Aé"])
def test_what_may_be_either_is_not_guessed(text):
    with pytest.raises(InvalidInput, match=r"a.csv: may be UTF-8 or GB18030 \(see byte \d\); save it as"):
        decoded(text.encode(), "a.csv")


@pytest.mark.parametrize(
    "data",
    ["name\n西".encode()[:-1], "name\n西".encode()[:-1] + b"\n", "西,a".encode()[:2] + b",a"],
)
def test_utf8_cut_within_its_only_character(data):
    with pytest.raises(InvalidInput, match=r"a.csv: damaged UTF-8 at byte \d, or GB18030 of rare char"):
        decoded(data, "a.csv")
    assert "瑗" in decoded(data, "a.csv", "gbk")


def test_private_use_characters_are_no_text():
    data = "社區編號,名稱\nC1,西山社區".encode("big5")
    with pytest.raises(
        InvalidInput, match=r"a.csv: read as GB18030, byte 0 is a private-use .* the file may be Big5"
    ):
        decoded(data, "a.csv")
    assert decoded(data, "a.csv", "big5") == "社區編號,名稱\nC1,西山社區"
    for mark, byte in ((b"", 4), (codecs.BOM_UTF8, 7)):
        with pytest.raises(InvalidInput, match=f"read as UTF-8, byte {byte} is a private-use character"):
            decoded(mark + "西,\ue000".encode(), "a.csv")


def test_another_encoding_than_the_named_one():
    with pytest.raises(InvalidInput, match=r"a.csv is not utf-8 at byte 2; expected the encoding that was"):
        decoded(b"a,\xff", "a.csv", "utf-8")
    with pytest.raises(InvalidInput, match=r"a.csv, line 2: a NUL character; .* or not utf-8"):
        decoded(b"a\nb\0", "a.csv", "utf-8")
    assert decoded("a,西".encode("utf-16"), "a.csv", "utf-16") == "a,西"


@pytest.mark.parametrize("name", ["klingon", "rot13", "hex", "", "a\0b", 3, b"utf-8", ["utf-8"]])
def test_names_of_no_encoding(name):
    with pytest.raises(InvalidInput, match=r"encoding: found .*; expected a name such as utf-8, gb18030"):
        known_encoding(name)


def test_names_of_encodings():
    assert known_encoding(None) is None
    assert [known_encoding(n) for n in ("UTF8", "GBK", "utf_8_sig")] == ["utf-8", "gbk", "utf-8-sig"]
