"""Bytes of a text file as text: UTF-8 or GB18030, never mojibake."""

from __future__ import annotations

import codecs
import re

from govmatch.errors import InvalidInput

_BOM = codecs.BOM_UTF8
_WIDE = re.compile("[\u0800-\U0010ffff]")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_HIGH_BYTES = bytes(range(0x80, 0x100))
_HIGH = re.compile("[^\x00-\x7f]+")
_PIECE = re.compile("(?<![A-Za-z0-9])[A-Za-z0-9]*[^\x00-\x7f][A-Za-z0-9\u0080-\U0010ffff]*")
_LATIN = re.compile("[A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f]+")
_GREEK_OR_CYRILLIC = re.compile("[\u0391-\u03c9\u0401\u0410-\u044f\u0451]{2}")
_CUT = re.compile(  # UTF-8 some of whose characters lack their last bytes
    rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{1,2}|[\xf0-\xf4][\x80-\xbf]{1,3})*"
    rb"[\xc2-\xf4]?"
)
_REMEDY = "save it as “CSV UTF-8”, or name its encoding"


def decoded(data: bytes, source: str, encoding: str | None = None) -> str:
    """Return the text of `data`: strictly UTF-8, or else strictly GB18030, unless `encoding` is named.

    Bytes that are UTF-8 but for a few places are taken for damaged UTF-8 and not for GB18030, which
    would turn them into other characters without a word. Bytes that are both are what they make
    sense as.

    Parameters
    ----------
    data : bytes
        A UTF-8 byte order mark goes before `encoding`.
    source : str
        For messages.
    encoding : str, optional
        As `known_encoding` returns it.

    Raises
    ------
    InvalidInput
        Naming `source` and the byte; also where both encodings make sense, or none does.
    """
    if encoding is not None and not data.startswith(_BOM):
        return _said(data, source, encoding)
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise InvalidInput(f"{source} is UTF-16; expected UTF-8 or GB18030: save it as “CSV UTF-8”")
    zero = data.find(b"\0")
    if zero >= 0:
        line = data.count(b"\n", 0, zero) + 1
        raise InvalidInput(f"{source}, line {line}: a NUL byte at byte {zero}; this is not a text file")
    if data.isascii():
        return data.decode("ascii")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # with the byte order mark the positions would be counted after it
        start = error.start + (len(_BOM) if data.startswith(_BOM) else 0)
    else:
        if not data.startswith(_BOM) and not _WIDE.search(text):
            return _of_two(data, text, source)
        return _public(text, source, "utf-8", len(_BOM) if data.startswith(_BOM) else 0)
    if data.startswith(_BOM) or _nearly_utf8(data):
        raise InvalidInput(f"{source}: damaged UTF-8 at byte {start}; expected UTF-8 or GB18030")
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{source}: neither UTF-8 (see byte {start}) nor GB18030 (see byte {error.start}); {_REMEDY}"
        ) from error
    if _CUT.fullmatch(data) and not _hanzi(text, b"\xd7"):
        raise InvalidInput(
            f"{source}: damaged UTF-8 at byte {start}, or GB18030 of rare characters; {_REMEDY}"
        )
    return _public(text, source, "gb18030")


def known_encoding(name: object) -> str | None:
    """Return the name of a text encoding as Python calls it; None stays None.

    Raises
    ------
    InvalidInput
        If there is no such encoding.
    """
    if name is None:
        return None
    try:
        known = codecs.lookup(name).name if isinstance(name, str) else None
        "".encode(known or "")
    except (LookupError, ValueError):  # unknown, or no encoding of text; a NUL
        known = None
    if known is None:
        raise InvalidInput(f"encoding: found {name!r:.60}; expected a name such as utf-8, gb18030 or big5")
    return known


def _said(data: bytes, source: str, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeError as error:
        place = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        raise InvalidInput(
            f"{source} is not {encoding}{place}; expected the encoding that was named"
        ) from error
    zero = text.find("\0")
    if zero >= 0:
        line = text.count("\n", 0, zero) + 1
        raise InvalidInput(
            f"{source}, line {line}: a NUL character; this is not a text file, or not {encoding}"
        )
    return text


def _public(text: str, source: str, encoding: str, offset: int = 0) -> str:
    found = _PRIVATE.search(text)
    if found is None:
        return text
    byte = offset + len(text[: found.start()].encode(encoding))
    raise InvalidInput(
        f"{source}: read as {encoding.upper()}, byte {byte} is a private-use character, which has no meaning "
        f"of its own; the file may be Big5: {_REMEDY}"
    )


def _of_two(data: bytes, utf8: str, source: str) -> str:
    """Return the likelier reading of bytes that are UTF-8 of two-byte characters only."""
    try:
        gb = data.decode("gb18030")
    except UnicodeDecodeError:
        return utf8
    if not _hanzi(gb, b"\xf7"):
        return utf8
    signs = {_sign(piece) for piece in _PIECE.findall(utf8)}
    if len(signs) > 1 or "either" in signs:
        byte = next(i for i, b in enumerate(data) if b > 0x7F)
        raise InvalidInput(
            f"{source}: may be UTF-8 or GB18030 (see byte {byte}); {_REMEDY}, utf-8 or gb18030"
        )
    return utf8 if "utf-8" in signs else gb


def _sign(piece: str) -> str:
    """Tell of which encoding a piece speaks that is hanzi in GB18030: é within a word, or ® by itself."""
    if _LATIN.fullmatch(piece) and sum(c.isascii() and c.isalpha() for c in piece) > 1:
        return "utf-8"
    alone = not any(map(str.isascii, piece)) and not _GREEK_OR_CYRILLIC.search(piece)
    return "gb18030" if alone else "either"


def _hanzi(text: str, last: bytes) -> bool:
    """Tell whether all that is not ASCII is hanzi of GB2312, those up to the row of `last`.

    Up to 0xD7 are the common ones, up to 0xF7 all.
    """
    try:
        pairs = "".join(_HIGH.findall(text)).encode("gb2312")
    except UnicodeEncodeError:
        return False
    return all(0xB0 <= lead <= last[0] for lead in pairs[::2])


def _nearly_utf8(data: bytes) -> bool:
    # In GB18030 three bytes rarely form a UTF-8 character by chance; in Chinese UTF-8 most do.
    text = data.decode("utf-8", errors="ignore")
    narrow = len(data.translate(None, _HIGH_BYTES))
    # a character of three bytes has one more than one of two
    wide = len(text.encode()) - narrow - 2 * (len(text) - narrow)
    return wide > data.decode("utf-8", errors="replace").count("\ufffd")
