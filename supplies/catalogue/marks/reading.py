"""Finding marks in a text: every form of number, the more certain first."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from supplies.catalogue.marks import china, firms, gs1, overseas
from supplies.catalogue.marks.mark import Mark, plain

MOST_READ = 2000  # characters; nothing printed on a box is longer
MOST_MARKS = 20


@dataclass(frozen=True)
class Reading:
    """All marks of a text in the order written, and the words that are left when they are taken out."""

    marks: tuple[Mark, ...]
    rest: str

    @property
    def numbers(self) -> set[str]:
        return {mark.number for mark in self.marks}

    @property
    def gtins(self) -> set[str]:
        return {mark.gtin for mark in self.marks if mark.gtin}

    @property
    def lots(self) -> set[str]:
        return {mark.lot for mark in self.marks if mark.lot}

    @property
    def expiries(self) -> set[date]:
        return {mark.expires_on for mark in self.marks if mark.expires_on}


def read_marks(text: str, *, on: date) -> Reading:
    """Every number and code a text holds. Never raises, whatever the text."""
    rest = plain(text[:MOST_READ])
    found: list[tuple[int, Mark]] = []
    for pattern, read in FORMS:
        for match in pattern.finditer(rest):
            if len(found) < MOST_MARKS and (mark := read(match, on)) is not None:
                found.append((match.start(), mark))
                rest = rest[: match.start()] + "\n" * len(match[0]) + rest[match.end() :]
    found.sort(key=lambda pair: pair[0])
    return Reading(tuple(mark for _at, mark in found), re.sub(r"[\n\x1d]+", "\n", rest).strip())


Reader = Callable[[re.Match[str], date], Mark | None]
S = r"[ \t]*"
ISSUER = rf"国|[{''.join(china.PROVINCES)}]"
NOT_BEFORE, NOT_AFTER = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
AIS = "|".join(gs1.SCANNED)
# The first form that fits takes its signs, so what is longer or more certain comes first.
FORMS: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(pattern, re.ASCII | re.IGNORECASE), reader)
    for pattern, reader in (
        (rf"(?:\][A-Za-z][0-9])?\x1d?(?:\({S}(?:{AIS}){S}\){S}[^\s(,;\u4e00-\u9fff]+\s*)+", gs1.scanned),
        (rf"(?P<word>\][EI][0-9])(?P<digits>[0-9]{{8,14}}){NOT_AFTER}", gs1.digits),
        (r"\][A-Za-z][0-9][^\s\u4e00-\u9fff]+", gs1.scanned),
        (rf"{NOT_BEFORE}\x1d?(?:01[0-9]{{14}}|02[0-9]{{14}}|00[0-9]{{18}})(?:[0-9][^\s\u4e00-\u9fff]*|\x1d[^\s\u4e00-\u9fff]+)?(?![^\s\u4e00-\u9fff,;])", gs1.scanned),
        (rf"(?P<issuer>{ISSUER}){S}械{S}注{S}\(?(?P<origin>[准进许])\)?{S}字?{S}(?P<digits>[0-9](?:[ -]?[0-9]){{10}}(?![0-9])|[0-9]{{4,16}}){S}号?", china.registration),
        (rf"(?P<issuer>(?:{ISSUER})[\u4e00-\u9fff]??){S}(?P<form>食{S}药{S}监{S}械|药{S}监{S}械|药{S}管{S}械){S}\(?{S}(?P<origin>[准进许试]){S}\)?{S}字{S}\(?(?P<year>[0-9]{{4}})\)?{S}(?:年{S})?第?{S}(?P<digits>[0-9]{{4,10}}){S}号?", china.old_registration),
        (rf"(?P<issuer>国|(?:{ISSUER})[\u4e00-\u9fff]?){S}械{S}备{S}字?{S}(?P<digits>[0-9]{{4,14}}){S}号?", china.filing),
        (rf"(?P<issuer>(?:{ISSUER})[\u4e00-\u9fff]??){S}食?药[监管]械(?P<what>生产许|生产备|经营许|经营备)(?:可|案)?{S}[0-9]{{4,14}}{S}号?", china.licence),
        (rf"国药准字{S}(?P<letters>[HZSBTFJ][JC]?){S}(?P<digits>[0-9]{{4,12}})", china.medicine),
        (rf"(?P<issuer>[{''.join(china.PROVINCES)}]){S}卫{S}消{S}证{S}字{S}\(?(?P<year>[0-9]{{4}})\)?{S}第?{S}[0-9A-Z-]{{2,8}}{S}号?", china.disinfectant),
        (rf"{NOT_BEFORE}MA\.156\.[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*", china.issuing_agency),
        (rf"{NOT_BEFORE}(?P<country>[A-Z]{{2}})-(?P<role>MF|AR|IM|PR)-[0-9]{{9}}{NOT_AFTER}", overseas.eudamed),
        (rf"{NOT_BEFORE}TC{S}[-–]?{S}(?P<schedule>[0-9]{{2}}[A-Z]){S}[-–]?{S}(?P<serial>[0-9]{{3,5}}){NOT_AFTER}", overseas.niosh),
        (rf"{NOT_BEFORE}(?P<letters>K|DEN){S}(?P<digits>[0-9]{{6}}){NOT_AFTER}", overseas.submission),
        (rf"{NOT_BEFORE}PMA{S}(?:No\.?|:)?{S}(?P<letters>P){S}(?P<digits>[0-9]{{6}}){NOT_AFTER}", overseas.submission),
        (rf"{NOT_BEFORE}FDA{S}(?:reg(?:istration|\.)?|FEI)[^0-9\n]{{0,20}}(?P<digits>[0-9]{{7,10}}){NOT_AFTER}", overseas.us_site),
        (rf"{NOT_BEFORE}CE{S}[-:/]?{S}(?P<number>[0-9]{{4}}){NOT_AFTER}", overseas.notified_body),
        (rf"{NOT_BEFORE}(?:\(?E[UC]\)?{S})?(?:(?P<law>2016/425|89/686|2017/745|93/42)(?:/E[EC]C)?|(?:EN{S})?ISO{S}(?P<iso>13485|9001)(?:{S}[:-]{S}[0-9]{{4}})?){NOT_AFTER}", overseas.document),
        (rf"{NOT_BEFORE}CE{NOT_AFTER}", overseas.ce),
        (rf"(?P<word>(?:GTIN|EAN|UPC|SSCC|GLN|UDI-?DI)(?:-?[0-9]{{1,2}})?{S}[:.]?{S})(?P<digits>[0-9](?:[ -]?[0-9]){{7,17}}){NOT_AFTER}", gs1.digits),
        (rf"{NOT_BEFORE}(?P<credit>[0-9A-Z]{{2}}[ -]?[0-9]{{6}}[ -]?[0-9A-HJ-NP-RTUW-Y]{{9}}[ -]?[0-9A-HJ-NP-RTUW-Y]){NOT_AFTER}", firms.credit_code),
        (rf"(?P<word>){NOT_BEFORE}(?P<digits>[0-9](?:[ -]?[0-9]){{7,17}}){NOT_AFTER}", gs1.digits),
    )
)  # fmt: skip
