"""Bytes of a text file as text: UTF-8 or GB18030, never mojibake."""

from __future__ import annotations

from govmatch.errors import InvalidInput

_BOM = b"\xef\xbb\xbf"


def decoded(data: bytes, source: str) -> str:
    """Return the text of `data`, strictly UTF-8 or else strictly GB18030.

    Bytes that are UTF-8 but for a few places are taken for damaged UTF-8 and not for GB18030, which
    would turn them into other characters without a word.

    Raises
    ------
    InvalidInput
        Naming `source` and the byte.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InvalidInput(f"{source} is UTF-16; expected UTF-8 or GB18030: save it as “CSV UTF-8”")
    zero = data.find(b"\0")
    if zero >= 0:
        line = data.count(b"\n", 0, zero) + 1
        raise InvalidInput(f"{source}, line {line}: a NUL byte at byte {zero}; this is not a text file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # with the byte order mark the positions would be counted after it
        start = error.start + (len(_BOM) if data.startswith(_BOM) else 0)
    if data.startswith(_BOM) or _nearly_utf8(data):
        raise InvalidInput(f"{source}: damaged UTF-8 at byte {start}; expected UTF-8 or GB18030")
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{source}: neither UTF-8 (see byte {start}) nor GB18030 (see byte {error.start}); "
            "save it as “CSV UTF-8”"
        ) from error


def _nearly_utf8(data: bytes) -> bool:
    # In GB18030 three bytes rarely form a UTF-8 character by chance; in Chinese UTF-8 most do.
    text = data.decode("utf-8", errors="replace")
    wide = sum(c >= "\u0800" for c in text)
    broken = text.count("\ufffd")
    return wide - broken > broken
