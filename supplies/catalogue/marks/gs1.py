"""GS1: what a scanner reads, and bare numbers of goods, pallets and places."""

import calendar
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date

from biip import ParseConfig, ParseError
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_prefixes import GS1Prefix
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum import ean

from supplies.catalogue.dictionary import Warning
from supplies.catalogue.marks.mark import CHECK_DIGIT, Mark, Part, Register, bare, wrong_check_digit

GS1 = Register("Verified by GS1", "https://www.gs1.org/services/verified-by-gs1")
SOON_DAYS = 90
PLACES = tuple(str(ai) for ai in range(410, 418))
SCANNED = (
    "00",
    "01",
    "02",
    "10",
    "11",
    "13",
    "15",
    "17",
    "20",
    "21",
    "30",
    "37",
    "240",
    "241",
    "400",
    *PLACES,
)
NAMES = {
    "00": gettext_lazy("number of the carton or pallet (SSCC)"),
    "01": gettext_lazy("trade item (GTIN)"),
    "02": gettext_lazy("trade item inside (GTIN)"),
    "10": gettext_lazy("lot"),
    "11": gettext_lazy("made on"),
    "13": gettext_lazy("packed on"),
    "15": gettext_lazy("best before"),
    "17": gettext_lazy("expires on"),
    "21": gettext_lazy("serial number"),
    "30": gettext_lazy("count"),
    "37": gettext_lazy("count"),
    "240": gettext_lazy("further product number"),
    "400": gettext_lazy("order number"),
}
DATES = ("11", "13", "15", "17")
NOT_ORIGIN = gettext_lazy(
    "%(who)s. The prefix says where the number was issued, not where the goods were made."
)


def read_yymmdd(text: str, on: date) -> date | None:
    """A day of a GS1 code; day 00 is the last of the month. None if there is no such day.

    The century is the one in which the year lies at most 49 years back and 50 years ahead (GS1 General Specifications 7.12).
    """
    if not re.fullmatch(r"[0-9]{6}", text):
        return None
    ahead = int(text[:2]) - on.year % 100
    century = on.year // 100 * 100 + (-100 if ahead > 50 else 100 if ahead < -49 else 0)
    year, month, day = century + int(text[:2]), int(text[2:4]), int(text[4:])
    if not 1 <= month <= 12:
        return None
    last = calendar.monthrange(year, month)[1]
    return date(year, month, day or last) if day <= last else None


def scanned(match: re.Match[str], on: date) -> Mark | None:
    """A GS1 element string, as a scanner gives it or as it is printed with brackets."""
    text = match[0].strip()
    raw = re.sub(r"^\][A-Za-z][0-9]", "", text).lstrip("\x1d")
    elements, unread = _elements_in_brackets(raw) if raw.startswith("(") else _elements(raw)
    if not elements:
        return None
    parts: list[Part] = []
    odd: list[Warning] = []
    for element in elements:
        parts += _element_parts(element, on)
        odd += _element_oddities(element, on)
    if unread:
        shown = unread.replace("\x1d", " ")[:60]
        odd.append(Warning("unread", _("“%(text)s” in it could not be read.") % {"text": shown}))
    values = {element.ai.ai: element.value for element in reversed(elements)}
    odd += _contradictions(elements, on)
    odd += _swallowed(values)
    gtin = values.get("01", values.get("02", ""))
    mark = Mark(
        "gs1",
        text.replace("\x1d", "␝"),
        bare(text),
        gettext_lazy("scanned GS1 code"),
        tuple(parts),
        (),
        CHECK_DIGIT,
        GS1 if gtin or "00" in values else None,
        gtin=gtin,
        lot=values.get("10", ""),
        serial=values.get("21", ""),
        made_on=read_yymmdd(values.get("11", ""), on),
        expires_on=read_yymmdd(values.get("17", ""), on),
    )
    return replace(mark, oddities=(*odd, *_ageing(mark, on)))


def _elements(raw: str) -> tuple[list[GS1ElementString], str]:
    """The elements of a scanned string, and what follows the last that can be read."""
    found: list[GS1ElementString] = []
    while raw:
        element = _element(GS1ElementString.extract, raw)
        if element is None or (element.ai.ai not in NAMES and element.ai.ai not in PLACES + SCANNED):
            return found, raw
        found.append(element)
        raw = raw[len(element) :].lstrip("\x1d")
    return found, ""


BRACKETED = re.compile(r"\(\s*([0-9]{2,4})\s*\)\s*([^(]*)")


def _elements_in_brackets(text: str) -> tuple[list[GS1ElementString], str]:
    found: list[GS1ElementString] = []
    unread: list[str] = []
    for match in BRACKETED.finditer(text):
        value = re.sub(r"\s", "", match[2])
        element = _element(GS1ElementString.parse, match[1] + value)
        if element is None:
            unread.append(match[0].strip())
        else:
            found.append(element)
    return found, " ".join(unread)


# Impossible days are told of here rather than refused there.
ANY_DAY = ParseConfig(gs1_element_strings_verify_date=False, rcn_verify_variable_measure=False)


def _element(read: Callable[..., GS1ElementString], raw: str) -> GS1ElementString | None:
    try:
        return read(raw, config=ANY_DAY)
    except (ParseError, ValueError, IndexError, ArithmeticError):
        return None


def _element_parts(element: GS1ElementString, on: date) -> Iterator[Part]:
    ai, value = element.ai.ai, element.value
    label = NAMES.get(ai, _("place (GLN)") if ai in PLACES else element.ai.description)
    day = read_yymmdd(value, on) if ai in DATES else None
    yield Part(label, day.isoformat() if day else value)
    if ai in ("01", "02"):
        yield from _prefix(value[1:])


def _element_oddities(element: GS1ElementString, on: date) -> Iterator[Warning]:
    ai, value = element.ai.ai, element.value
    is_number = ai in ("00", "01", "02") or ai in PLACES
    if is_number and not has_right_check_digit(value):
        yield wrong_check_digit()
    if ai in DATES and read_yymmdd(value, on) is None:
        yield Warning("no-such-day", _("There is no day “%(text)s” (year, month, day).") % {"text": value})


def _contradictions(elements: Iterable[GS1ElementString], on: date) -> Iterator[Warning]:
    said: dict[str, set[str]] = {}
    for element in elements:
        said.setdefault(element.ai.ai, set()).add(element.value)
    for ai, values in said.items():
        if len(values) > 1 and ai in NAMES:
            facts = {"what": NAMES[ai], "values": ", ".join(sorted(values))}
            yield Warning("conflict", _("It says two things of one: %(what)s %(values)s.") % facts)
    made, expires = (read_yymmdd(min(said.get(ai, {""})), on) for ai in ("11", "17"))
    if made and expires and expires <= made:
        yield Warning("conflict", _("It expires before it was made."))
    if made and made > on:
        yield Warning(
            "made-later", _("It says that it was made on %(day)s, which is still to come.") % {"day": made}
        )


def _swallowed(values: dict[str, str]) -> Iterator[Warning]:
    """A lot without an end takes what follows into itself: the scanner sent no separator."""
    if "17" not in values and re.search(r"17[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]$", values.get("10", "")):
        text = _("The lot seems to hold the expiry: the scanner sends no separator. Compare with the print.")
        yield Warning("separator-lost", text)


def _ageing(mark: Mark, on: date) -> Iterator[Warning]:
    if mark.expires_on is None:
        return
    left = (mark.expires_on - on).days
    if left <= 0:
        yield Warning("expired", _("It expired on %(day)s.") % {"day": mark.expires_on})
    elif left <= SOON_DAYS:
        yield Warning("expires-soon", _("It expires soon, on %(day)s.") % {"day": mark.expires_on})


def has_right_check_digit(number: str) -> bool:
    return number.isdigit() and number.isascii() and ean.calc_check_digit(number[:-1]) == number[-1]


def _prefix(digits: str) -> Iterator[Part]:
    """Who issued the number, from the digits of its GS1 prefix."""
    prefix = GS1Prefix.extract(digits) if digits.isascii() and digits.isdigit() else None
    if prefix is not None:
        yield Part(_("number issued by"), str(NOT_ORIGIN) % {"who": f"{prefix.usage} ({prefix.value})"})


NUMBER_KINDS = {
    8: ("gtin", gettext_lazy("GTIN-8")),
    12: ("gtin", gettext_lazy("GTIN-12 (UPC)")),
    13: ("gtin", gettext_lazy("GTIN-13 (EAN) or a place number (GLN)")),
    14: ("gtin", gettext_lazy("GTIN-14")),
    18: ("sscc", gettext_lazy("number of the carton or pallet (SSCC)")),
}


def digits(match: re.Match[str], on: date) -> Mark | None:
    """A bare number of a length that GS1 uses. Eight digits may as well be a day or a lot, so a word has to say so."""
    number = re.sub(r"[ -]", "", match["digits"])
    if len(number) not in NUMBER_KINDS or (len(number) == 8 and not match["word"]):
        return None
    kind, title = NUMBER_KINDS[len(number)]
    odd = () if has_right_check_digit(number) else (wrong_check_digit(),)
    if odd and not match["word"] and len(number) != 13 and len(number) != 14:
        return None
    body = {12: f"0{number}", 13: number}.get(
        len(number), number[1:]
    )  # an eight-digit number has prefixes of its own
    return Mark(
        kind,
        match[0].strip(),
        number,
        title,
        tuple(_prefix(body)) if len(number) > 8 else (),
        odd,
        CHECK_DIGIT,
        GS1,
        gtin=number.zfill(14) if kind == "gtin" else "",
    )
