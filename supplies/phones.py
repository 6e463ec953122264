"""Telephone numbers as people write them: found in a text, brought into one form to be compared by, and masked."""

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers

HOME = "CN"  # whose numbers are written without a country
INVISIBLE = (
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"
)

# One character for one, so that a place in the plain text is the same place in what was written.
_PLAIN = {
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # full-width forms
    **{
        code: str(unicodedata.decimal(chr(code)))
        for code in range(0x80, min(sys.maxunicode, 0x1E960))
        if unicodedata.category(chr(code)) == "Nd"
    },
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹣－"), "-"),
    **dict.fromkeys(map(ord, INVISIBLE + "\u00a0\u2009\u3000\t"), " "),
}

_GAP = r"[ .\-]{0,3}"
_EXTENSION = r"(?:\s*(?:转|分机|ext\.?|x|[#])\s*:?\s*(?P<{0}_ext>\d{{1,6}})(?!\d))?"
_CHINESE_DIGITS = "〇零一二三四五六七八九幺"
NUMBER = re.compile(
    rf"""
      (?P<mobile>(?<![\d*])(?:(?:\+|00)?86{_GAP}|0)?(?:
          1[3-9][\d*]{_GAP}[\d*]{{4}}{_GAP}[\d*]{{4}} | 1[3-9]\d{{2}}{_GAP}\d{{3}}{_GAP}\d{{4}}
        | 1[3-9]\d{_GAP}\d{{3}}{_GAP}\d{{5}} | 1(?:[ .\-]\d){{10}} )(?![\d*]))
    | (?P<spoken>(?<![{_CHINESE_DIGITS}])[一幺][三四五六七八九][{_CHINESE_DIGITS}]{{9}}(?![{_CHINESE_DIGITS}]))
    | (?P<abroad>(?<!\d)(?:\+|00)(?!86)[1-9](?:[ .\-()]{{0,2}}\d){{7,14}}(?!\d){_EXTENSION.format("abroad")})
    | (?P<landline>(?<![\d.])(?:(?:\+|00)86{_GAP}(?:\(0\)\s?)?\(?0?|\(?0)(?:10|2\d|[3-9]\d{{2}})\)?[ .\-]{{0,3}}[2-8]\d{{2,3}}[ \-]?\d{{4}}
        (?:-(?P<direct>\d{{2,5}}))?(?!\d){_EXTENSION.format("landline")})
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BARE = rf"(?P<bare>(?<![\d*])(?:\d{{3,4}}[ ]\d{{4}}|\d+(?:[.\-]\d+)*)(?![\d*])){_EXTENSION.format('bare')}"
ANY = re.compile(rf"{NUMBER.pattern}|{_BARE}", re.VERBOSE | re.IGNORECASE)
_PUBLIC_SERVICE = re.compile(r"(?:400|800)-?\d{3}-?\d{4}|95\d{3}|96\d{3,4}|1[12]\d|12\d{3}")
SHORTEST = 5  # digits; what is shorter reaches nobody from outside


class Line(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    ABROAD = "abroad"
    BARE = "bare"


@dataclass(frozen=True)
class Written:
    """A number where it stands in a text. `number` is the form it is compared by; `text` is as written."""

    start: int
    end: int
    text: str
    number: str
    line: Line


def plain(text: str) -> str:
    """The text in plain characters, as long as it was: full-width forms, other scripts' digits, dashes and gaps."""
    return text if text.isascii() else text.translate(_PLAIN)


def found_in(text: str) -> Iterator[Written]:
    """Every number in a text that holds numbers, such as the field for a telephone: also those without an area code."""
    for match in ANY.finditer(plain(text)):
        if "*" not in match[0] and len(_digits(match[0])) >= SHORTEST:
            written = text[match.start() : match.end()]
            yield Written(match.start(), match.end(), written, canonical(match), line_of(match))


def line_of(match: re.Match[str]) -> Line:
    if match["mobile"] or match["spoken"]:
        return Line.MOBILE
    if match["abroad"]:
        return Line.ABROAD
    return Line.LANDLINE if match["landline"] else Line.BARE


def canonical(match: re.Match[str]) -> str:
    """E.164 with the extension after it; the digits alone for what no exchange could have."""
    named = match.groupdict()
    extension = next(
        (named[name] for name in ("direct", "landline_ext", "abroad_ext", "bare_ext") if named.get(name)), ""
    )
    body = match[0]
    if extension:
        body = body[: body.rindex(extension)]
    body = re.sub(r"(?:转|分机|ext\.?|x|#|:|\s|-)+$", "", body, flags=re.IGNORECASE)
    body = "".join(map(_spoken, body))
    number = _e164(re.sub(r"^00(?=[1-9])", "+", body)) or _digits(body)
    return f"{number};ext={extension}" if extension else number


def _spoken(sign: str) -> str:
    """A Chinese digit as an Arabic one; any other sign as it is."""
    place = _CHINESE_DIGITS.find(sign)
    return sign if place < 0 else "1" if sign == "幺" else str(max(0, place - 1))


def _digits(written: str) -> str:
    return "".join(sign for sign in map(_spoken, written) if sign.isdigit())


def _e164(body: str) -> str:
    if re.fullmatch(r"86\D*1[3-9](?:\D*\d){9}", body):
        body = f"+{body}"
    try:
        number = phonenumbers.parse(body, HOME)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def numbers_in(text: str) -> list[str]:
    """The numbers of a telephone field, each once, in the form they are compared by."""
    return list(dict.fromkeys(written.number for written in found_in(text)))


def masked(text: str) -> str:
    """A telephone field as those may see it who could not call: 138****5678, 027-****12. Names written into it are left out."""
    return " / ".join(dict.fromkeys(masked_number(match) for match in ANY.finditer(plain(text))))


def masked_number(match: re.Match[str]) -> str:
    """One number, for those who could not call: a mobile's first three and last four digits, an area and the last two."""
    line = line_of(match)
    if line is Line.MOBILE:
        signs = "".join(sign for sign in map(_spoken, match[0]) if sign in "0123456789*")[-11:]
        return f"{signs[:3]}****{signs[-4:]}"
    if _PUBLIC_SERVICE.fullmatch(match[0]):
        return match[0]
    number = canonical(match).partition(";")[0]
    if line is Line.LANDLINE:
        area = re.sub(r"^\+86(10|2\d|[3-9]\d\d)\d+$", r"\1", number)
        return f"0{area}-****{number[-2:]}"
    if line is Line.ABROAD:
        return f"{number[:3]}****{number[-2:]}"
    digits = _digits(match["bare"])
    return f"{digits[:3]}****{digits[-2:]}" if len(digits) > 8 else "****"
