"""Which encoding the bytes of a text are in. Imports nothing, so that a limited process can ask it as well.

UTF-8 and UTF-16 show themselves. GB18030 and Big5 do not: most bytes are text in both. What tells them apart is that
people write common characters, and that a text read in the wrong one of the two is half full of rare ones. Where
that does not decide, nothing is guessed: a wrong hospital is worse than a question.
"""

import re
from collections.abc import Iterator
from itertools import islice

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Big5 as Excel writes it in Taiwan and Hong Kong; eleven of its symbols (• ‧ ／ …) have other twins elsewhere.
_CODECS = {"big5": "cp950"}
_TRAILS = bytes(range(0xA1, 0xFF))


def _characters(codec: str, leads: range, trails: bytes) -> frozenset[str]:
    pairs = (bytes([lead, trail]).decode(codec, "ignore") for lead in leads for trail in trails)
    return frozenset(filter(None, pairs))


# The first level of each table holds its common characters: 3,755 of GB 2312 and 5,401 of Big5.
_COMMON = {
    "gb18030": _characters("gb2312", range(0xB0, 0xD8), _TRAILS),
    "big5": _characters("big5", range(0xA4, 0xC6), bytes(range(0x40, 0x7F)) + _TRAILS)
    | _characters("big5", range(0xC6, 0xC7), bytes(range(0x40, 0x7F))),
}
_SURE = 0.85  # of the characters are common ones; 0.998 of the lists of 2020 are
_JUDGED = 200_000  # characters; that the rest can be read at all is looked at, too
_APART = 0.15  # by which the other reading has to be worse; there it is by 0.4 and more


class Undecodable(ValueError):
    """The bytes are in no encoding that can be told; `code` says why, `line` where."""

    def __init__(self, code: str, line: int) -> None:
        self.code, self.line = code, line
        super().__init__(code)


def codec_of(encoding: str) -> str:
    """What Python calls it."""
    return _CODECS.get(encoding, encoding)


def decoded(raw: bytes) -> tuple[str, str]:
    """The encoding of a whole text, and the text. Raises Undecodable."""
    encoding = guess(raw)
    try:
        return encoding, raw.decode(codec_of(encoding))
    except UnicodeDecodeError as error:
        raise why_not(raw, encoding, error.start) from None


def guess(raw: bytes) -> str:
    """utf-8, utf-8-sig, utf-16, utf-16-le, utf-16-be, gb18030 or big5. Whether all of `raw` is shows in decoding it.

    Raises Undecodable when it may be GB18030 as well as Big5.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return encoding
    if utf16 := _utf16_without_mark(raw):
        return utf16
    if not _reads_as_utf8(raw):
        return _chinese(raw)
    if _may_be_chinese(raw):
        raise Undecodable("encoding-unsure", 1)
    return "utf-8"


def why_not(raw: bytes, encoding: str, start: int) -> Undecodable:
    """Why the bytes from `start` on are no text in an encoding."""
    line = raw.count(b"\n", 0, start) + 1
    if not encoding.startswith("utf-8"):
        return Undecodable("encoding", line)
    return Undecodable("surrogate" if _is_whole_but_for_surrogates(raw) else "damaged-utf8", line)


# -- Chinese ----------------------------------------------------------------------------------------------


def _chinese(raw: bytes) -> str:
    """GB18030 or Big5, whichever reading has the common characters."""
    shares = dict(_shares(raw))
    if not shares:
        return "gb18030"  # neither; decoding says where it breaks
    (sure, best), *others = sorted(((share, name) for name, share in shares.items()), reverse=True)
    if sure < _SURE or any(sure - share < _APART for share, _name in others):
        raise Undecodable("encoding-unsure", 1)
    return best


def _shares(raw: bytes) -> Iterator[tuple[str, float]]:
    """Of each encoding the bytes are text in: how many of the Chinese characters are common ones, 0 to 1."""
    for encoding, common in _COMMON.items():
        try:
            text = raw.decode(codec_of(encoding))
        except UnicodeDecodeError:
            continue
        written = list(islice(filter(_is_chinese, text), _JUDGED))
        yield encoding, sum(map(common.__contains__, written)) / max(1, len(written))


def _is_chinese(character: str) -> bool:
    """Also what only one of the two knows as a private character, which nobody writes."""
    return "\u3400" <= character <= "\u9fff" or "\ue000" <= character <= "\ufaff" or character > "\uffff"


# An accent within a word, and a degree: Hôpital, 8 °C.
_WESTERN = re.compile("(?<=[A-Za-z])[\u00c0-\u00ff]|[\u00c0-\u00ff](?=[A-Za-z])|(?<=[\\d ])[\u00b0\u00b1]")


def _may_be_chinese(raw: bytes) -> bool:
    """Whether what reads as UTF-8 is as good as Chinese: pairs of bytes only, such as the notorious 联通.

    Characters of three bytes are UTF-8: no common character begins with their first byte.
    """
    text = raw.decode("utf-8", "replace")
    if text.isascii() or max(text) > "\u07ff" or _WESTERN.sub("", text).isascii():
        return False
    return any(share >= _SURE for _encoding, share in _shares(raw))


# -- Unicode ----------------------------------------------------------------------------------------------


def _utf16_without_mark(raw: bytes) -> str:
    """UTF-16 shows in its digits, commas and line ends: a NUL beside an ASCII byte, mostly on the same side."""
    first, second = raw[0:4096:2], raw[1:4096:2]
    little = sum(not high and 0 < low < 0x80 for low, high in zip(first, second, strict=False))
    big = sum(not high and 0 < low < 0x80 for high, low in zip(first, second, strict=False))
    if len(raw) % 2 or max(little, big) < max(2, len(first) // 50):
        return ""
    if max(little, big) < len(first) // 2 and _is_utf8(raw):
        return ""  # UTF-8 with a few NUL characters, which is refused by name
    return "utf-16-le" if little > big else "utf-16-be"


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _reads_as_utf8(raw: bytes) -> bool:
    """True also for UTF-8 with a few damaged characters: GB18030 would turn all of it into other characters."""
    text = raw.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    if not damaged or _is_whole_but_for_surrogates(raw):
        return True
    sound = sum(ord(character) > 0x7FF for character in text) - damaged
    return sound > 10 * damaged


def _is_whole_but_for_surrogates(raw: bytes) -> bool:
    try:
        raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
