"""How many are wanted or given, as people write it in a cell.

A cell is a *number*, a *range*, *unlimited* (wanted without a limit) or *unknown* (wanted, nobody said how many).
These four are kept apart and never stored as one another: a 1 that meant "as many as you can" has once been read
as one piece, and hospitals were called "served".
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

import cn2an

from .findings import Finding, Unreadable, found
from .text import tidy

LARGEST = 10**10


class Kind(StrEnum):
    NUMBER = "number"
    RANGE = "range"
    UNLIMITED = "unlimited"
    UNKNOWN = "unknown"


class Pack(NamedTuple):
    """What one package holds: `content` of `unit` (20 只 in a 盒)."""

    content: int
    unit: str


@dataclass(frozen=True)
class Quantity:
    """`low` and `high` count `unit`s as written; both None unless a number or a range ("at least": high None)."""

    kind: Kind
    low: int | None = None
    high: int | None = None
    unit: str = ""
    is_per_day: bool = False
    pack: Pack | None = None
    findings: tuple[Finding, ...] = ()


UNITS = (
    "人份|毫升|公升|公斤|千克|立方米|升|克|吨|斤|托盘|托|大箱|小箱|个|只|件|套|副|双|对|台|把|支|枝|根|条|张|床|辆|部|顶|块|片|座|组|座|组|"
    "粒|颗|丸|针|盏|具|壶|剂|打|盒|箱|包|袋|卷|瓶|桶|罐|板|筒|份|枚|人次|mL|ml|ML|kg|KG|Kg|L|l|g|"
    "pieces|piece|pcs|pc|pairs|pair|boxes|box|cartons|carton|cases|case|packs|pack|bottles|bottle|sets|set|units|unit|"
    "dozen|tablets|tablet|capsules|capsule|pills|pill|vials|vial|ampoules|ampoule|sachets|sachet|tests|test|doses|dose|pallets|pallet|drums|drum|"
    "litres|liters|litre|liter|gallons|gallon|rolls|roll|bags|bag"
)
_CHINESE_DIGITS = "〇零一二三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟萬億两兩廿"
_POWERS = {
    "十": 10,
    "百": 100,
    "佰": 100,
    "千": 1000,
    "仟": 1000,
    "k": 1000,
    "K": 1000,
    "万": 10**4,
    "萬": 10**4,
    "w": 10**4,
    "W": 10**4,
    "亿": 10**8,
    "億": 10**8,
}

_PLAIN_FIGURE = r"\d+(?:[,'’]\d+)*(?:\.\d+)*(?:[eE][+-]?\d+)?"
_FIGURE = rf"(?<![A-Za-z\d.]){_PLAIN_FIGURE}"
_MIXED = rf"{_FIGURE}(?:\s*[十百千万亿佰仟萬億kKwW](?![a-zA-Z]))*(?:(?<=[万千亿萬億仟])\d+[万百千佰仟])*"
_CHINESE = rf"[{_CHINESE_DIGITS}]+(?:点[{_CHINESE_DIGITS}]+)?"
_NUMBER = rf"(?:{_MIXED}|{_CHINESE})"
_UNIT = rf"(?:{UNITS})(?![a-zA-Z])"

_STANDARD = re.compile(
    r"(?:GB|YY|EN|ISO|ASTM|DB\d*|WS)\s*(?:/\s*T)?\s*[A-Z]?\d{3,6}(?:\.\d+)?(?:\s*[-—–]\s*\d{4})?(?!\d)",
    re.IGNORECASE,
)
_PER_DAY = re.compile(
    r"(?:每[日天](?:需求量?|消耗量?|用量|产量|产能|需|用|产)?|日(?:均|产能|产量|产|消耗量|消耗|耗量|耗|需求量|需|用量|用)(?:量|为|约)?|/\s*[日天]|"
    r"per\s+day|/\s*day|a\s+day|daily)\s*[:：]?",
    re.IGNORECASE,
)
_PER_WEEK = re.compile(r"每周|每月|每年|/\s*[周月]|per (?:week|month)|weekly|monthly", re.IGNORECASE)
_GROUPED_BY_SPACES = re.compile(r"(?<![\d.])\d{1,3}(?: \d{3})+(?![\d ])")
_UNLIMITED = re.compile(
    r"不限|无限|無限|不設上限|不设上限|无上限|多多益善|越多越好|有多少[要收]多少|多少都[要行]|尽可能多|尽量多|大量|需求量?(?:较|很|极|巨)?大|"
    r"\b(?:as (?:much|many) as (?:possible|you can)|unlimited|no (?:upper )?limit|any(?: amount| quantity| number)?|everything|lots)\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"[几数上好][十百千万]|若干|一些|一批|部分|急缺|急需|紧缺|短缺|缺乏|奇缺|告急|需要|需求|均需|都要|待定|未知|不详|不明|有$|要$|缺$|√|✓|✔|"
    r"^(?:y|yes|needed?|urgent(?:ly)?(?: needed)?|some|several|tbd|unknown|\?+|x)$",
    re.IGNORECASE,
)
_NOT_WANTED = re.compile(
    r"^(?:无|没有|不需要|不需|无需|暂不需要|暂不需|不要|不缺|充足|已满足|已足够|够用|no|none|n|not needed|-+|—+|/|N/A)$",
    re.IGNORECASE,
)
_AT_LEAST = re.compile(r"至少|不少于|不低于|以上|起$|>=?|≥|\bat least\b|\bmin(?:imum)?\b|\+$", re.IGNORECASE)
_ABOUT = re.compile(
    r"约|大概|大约|左右|上下|余|多(?=\s*(?:[个只件套副双箱盒瓶]|$))|近|预计|\b(?:about|approx\.?|ca\.?|around|nearly|circa)\b|~(?=\s*\d)|≈",
    re.IGNORECASE,
)
_AFTER_NUMBER = r"(?:余|多)?\s*"

_RANGE = re.compile(
    rf"(?P<low>{_NUMBER})\s*(?P<low_unit>{_UNIT})?\s*(?:-|—|–|~|至|到|to)+\s*(?P<high>{_NUMBER}){_AFTER_NUMBER}(?P<unit>{_UNIT})?"
)
_EITHER = re.compile(rf"\d\s*(?:{_UNIT})?\s*(?:或者?|or\b)\s*\d")
_COUNT = re.compile(rf"(?P<number>{_NUMBER}){_AFTER_NUMBER}(?P<unit>{_UNIT})?")
_CONTENT = re.compile(
    rf"(?P<content>{_NUMBER})\s*(?P<unit>{_UNIT})\s*(?:/|每|装?一|per\s+)\s*(?P<pack>{_UNIT})", re.IGNORECASE
)
_CONTENT_AFTER = re.compile(
    rf"(?:每|一|1)\s*(?P<pack>{_UNIT})\s*(?:装|有|=|为|含|内装)?\s*(?P<content>{_NUMBER})\s*(?P<unit>{_UNIT})"
)
_TIMES = re.compile(
    rf"(?P<number>{_NUMBER})\s*(?P<pack>{_UNIT})\s*[*x×X]\s*(?P<content>{_NUMBER})\s*(?P<unit>{_UNIT})"
)
_CONTENT_OF = re.compile(
    rf"\b(?P<pack>box|boxes|case|cases|carton|cartons|pack|packs|bag|bags)\s+of\s+(?P<content>{_NUMBER})",
    re.IGNORECASE,
)

_PACK_WORDS = {
    "箱": "carton", "大箱": "carton", "小箱": "carton", "carton": "carton", "case": "carton", "盒": "box", "box": "box",
    "包": "pack", "pack": "pack", "袋": "bag", "bag": "bag", "瓶": "bottle", "bottle": "bottle", "桶": "drum", "drum": "drum", "板": "blister",
}  # fmt: skip
_PACKAGE = r"(?:大箱|小箱|箱|盒|包|袋|cartons?|cases?|boxes|box|packs?|bags?)(?![a-zA-Z])"
_BETWEEN = r"\s*(?:[,，、;；×x*]|每|and|with)?\s*"
_LEVEL_AFTER = rf"(?:每|一|1|each\s+|per\s+)\s*({_UNIT})\s*(?:装|有|=|为|含|内装|of|holds?|contains?)?\s*({_NUMBER})\s*({_UNIT})"
_LEVEL_OF = rf"({_NUMBER})\s*({_UNIT})?\s*(?:[a-z]+\s*)?(?:/|每|装?一|per\s+|a\s+)\s*({_UNIT})"
_LEVEL = re.compile(rf"{_LEVEL_AFTER}|{_LEVEL_OF}", re.IGNORECASE)
_TIMES_TWICE = re.compile(
    rf"(?P<number>{_NUMBER})\s*(?P<pack>{_PACKAGE})\s*[*x×X]\s*(?P<outer>{_NUMBER})\s*{_PACKAGE}\s*[*x×X]\s*(?P<inner>{_NUMBER})\s*(?P<unit>{_UNIT})",
    re.IGNORECASE,
)
_BOXES_OF = re.compile(
    rf"(?P<number>{_NUMBER})\s*(?P<pack>cartons?|cases?)\b(?P<between>(?:\s*of\b)?[^\w(]*)(?:\(|of|with|x|×)\s*(?P<outer>{_NUMBER})\s*(?:boxes|packs|bags)\s+of\s+(?P<inner>{_NUMBER})(?:\s*(?P<unit>{_UNIT}))?\s*\)?",
    re.IGNORECASE,
)

# A fraction of a measure is a whole number of the smaller one.
_FINER = {
    "升": ("毫升", 1000), "L": ("毫升", 1000), "l": ("毫升", 1000), "litre": ("毫升", 1000), "litres": ("毫升", 1000),
    "liter": ("毫升", 1000), "liters": ("毫升", 1000),
    "公斤": ("克", 1000), "千克": ("克", 1000), "kg": ("克", 1000), "KG": ("克", 1000), "Kg": ("克", 1000),
    "斤": ("克", 500), "吨": ("克", 10**6),
}  # fmt: skip


def read_quantity(cell: object) -> Quantity:
    """How much a cell asks for or gives.

    cell     a number, a text or None (nobody wrote anything: unknown)
    Raises   Unreadable for negative, zero, fractional and huge numbers, for two readings of one number, for
             "not needed" and for cells that are not numbers or texts
    """
    if cell is None:
        return Quantity(Kind.UNKNOWN)
    if isinstance(cell, bool):
        raise Unreadable("not-a-quantity", cell=cell)
    if isinstance(cell, int | float | Decimal):
        number = Decimal(str(cell)) if isinstance(cell, float) else Decimal(cell)
        return _number(_whole(number, str(number), ""))
    if not isinstance(cell, str):
        raise Unreadable("not-a-quantity", cell=cell)
    return _read_text(cell)


def counts_in(text: str) -> list[re.Match[str]]:
    """Every written number with the unit behind it, as groups `number` and `unit`."""
    return list(_COUNT.finditer(text))


def says_no_limit(text: str) -> bool:
    return bool(_UNLIMITED.search(text))


def says_per_day(text: str) -> bool:
    return bool(_PER_DAY.search(text))


def says_content(text: str) -> bool:
    """Whether a text says what one package holds: 50只/盒, each box of 20."""
    return any(pattern.search(text) for pattern in (_CONTENT, _CONTENT_AFTER, _CONTENT_OF, _TIMES))


def unpacked(text: str) -> str:
    """Packs in packs as packs of pieces: “20箱（每箱40盒，每盒50只）”, “20箱*40盒*50只” and “20 cases (40 boxes of 50)” hold 2000 each.

    Only what is written is multiplied: where a level is missing, nothing is put together.
    """
    text = _TIMES_TWICE.sub(_of_two_levels, _BOXES_OF.sub(_of_two_levels, text))
    levels = [(match.span(), _level(match)) for match in _LEVEL.finditer(text)]
    for (first, one), (second, other) in reversed(list(pairwise(levels))):
        outer, inner = (one, other) if one.unit == other.pack else (other, one)
        if outer.unit != inner.pack or not re.fullmatch(_BETWEEN, text[first[1] : second[0]]):
            continue
        said = f"{outer.content * inner.content}{inner.written}/{outer.pack_written}"
        text = text[: first[0]] + said + text[second[1] :]
    return text


class _Level(NamedTuple):
    """`content` of `unit` in one `pack`, in words that are compared, beside the words that were written."""

    content: int
    unit: str
    pack: str
    written: str
    pack_written: str


def _level(match: re.Match[str]) -> _Level:
    pack, content, unit = match.group(1, 2, 3) if match[1] else match.group(6, 4, 5)
    count = int(content) if content.isascii() and content.isdigit() else 0
    return _Level(count, _pack_word(unit or ""), _pack_word(pack), unit or "pcs", pack)


def _pack_word(word: str) -> str:
    """One word for a kind of package; pieces are themselves."""
    plain = _singular(word)
    return _PACK_WORDS.get(plain, plain)


def _singular(word: str) -> str:
    return re.sub(r"(?<=x)es$|(?<=[a-z])s$", "", word.strip().lower())


def is_content(words: str) -> bool:
    """Whether words say what one package holds, and nothing else."""
    return _LEVEL.fullmatch(words.strip()) is not None


def _of_two_levels(match: re.Match[str]) -> str:
    figures = match.group("number", "outer", "inner")
    if not all(figure.isascii() and figure.isdigit() for figure in figures[1:]):
        return match[0]
    content = int(figures[1]) * int(figures[2])
    between = match.groupdict().get("between") or ""
    return f"{figures[0]}{match['pack']}({content}{match['unit'] or 'pcs'}/{match['pack']}){between}"


def _number(count: tuple[int, str]) -> Quantity:
    return Quantity(Kind.NUMBER, count[0], count[0], count[1])


def _read_text(cell: str) -> Quantity:
    text = tidy(_refuse_raised(cell), most=500).text
    findings: list[Finding] = []
    if standard := _STANDARD.search(text):
        findings.append(found("standard-in-cell", standard=standard[0]))
        text = _STANDARD.sub(" ", text).strip(" ,;:、，；：")
    if not text:
        return Quantity(Kind.UNKNOWN, findings=tuple(findings))
    if _PER_WEEK.search(text):
        findings.append(found("other-rate", cell=cell))
    is_per_day = bool(_PER_DAY.search(text))
    quantity = _read_amount(_PER_DAY.sub(" ", text).strip(), cell)
    return replace(quantity, is_per_day=is_per_day, findings=(*findings, *quantity.findings))


def _refuse_raised(cell: str) -> str:
    """10⁶ would become 106 when made plain."""
    if re.search("[⁰¹²³⁴-⁹₀-₉½⅓⅔¼¾⅛①-⓿]", cell):
        raise Unreadable("ambiguous-number", cell=cell)
    return cell


def _read_amount(text: str, cell: str) -> Quantity:
    text = unpacked(_GROUPED_BY_SPACES.sub(lambda figure: figure[0].replace(" ", ""), text))
    if times := _TIMES.search(text):
        content = Pack(_whole_text(times["content"], cell), times["unit"])
        return replace(_number(_counted(times["number"], times["pack"], cell)), pack=content)
    pack, package, rest = _take_pack(text, cell)
    if _NOT_WANTED.search(rest):
        raise Unreadable("not-wanted", cell=cell)
    if _EITHER.search(rest):
        raise Unreadable("either-number", cell=cell)
    if re.match(r"[-−]\s*\d", rest):
        raise Unreadable("negative", cell=cell)
    if ranged := _RANGE.search(rest):
        quantity = _read_range(ranged, cell)
    elif not re.match(r"[几数上好][十百千万]", rest) and (count := _first_count(rest)):
        quantity = _read_count(count, rest, cell)
    else:
        quantity = _read_words(rest, cell)
    return _packed(quantity, pack, package)


def _packed(quantity: Quantity, pack: Pack | None, package: str) -> Quantity:
    """With what one of its packs holds. Of 20 cartons it is not told by what a box holds."""
    counted, held = _PACK_WORDS.get(_singular(quantity.unit)), _PACK_WORDS.get(_singular(package))
    if pack is None or not counted or not held or counted == held:
        return replace(quantity, pack=pack)
    content = found("second-figure", rest=f"{pack.content}{pack.unit}/{package}")
    return replace(quantity, findings=(*quantity.findings, content))


def _take_pack(text: str, cell: str) -> tuple[Pack | None, str, str]:
    """What one package holds, the word for the package, and the text without it."""
    for pattern in (_CONTENT, _CONTENT_AFTER, _CONTENT_OF):
        if match := pattern.search(text):
            unit = match.groupdict().get("unit") or ""
            content, unit = _whole(_decimal(match["content"], cell), cell, unit)
            package = match["pack"] if pattern is _CONTENT_OF else ""
            rest = f"{text[: match.start()]} {package} {text[match.end() :]}"
            return Pack(content, unit), match["pack"], rest.strip(" ()（）,，、;；:*×x")
    return None, "", text


def _first_count(text: str) -> re.Match[str] | None:
    """The first figure with a unit, else the first figure: in “3M 1860 200个” it is 200."""
    counts = list(_COUNT.finditer(text))
    return next((count for count in counts if count["unit"]), counts[0] if counts else None)


def _read_words(text: str, cell: str) -> Quantity:
    if _UNLIMITED.search(text):
        return Quantity(Kind.UNLIMITED)
    if not text or _UNKNOWN.search(text):
        return Quantity(Kind.UNKNOWN)
    if re.fullmatch(_UNIT, text):
        return Quantity(Kind.UNKNOWN, unit=text)
    return Quantity(Kind.UNKNOWN, findings=(found("no-number", cell=cell),))


def _read_range(match: re.Match[str], cell: str) -> Quantity:
    unit = match["unit"] or match["low_unit"] or ""
    low, high = match["low"], match["high"]
    power = re.search(r"[百千万亿佰仟萬億kKwW]+$", high)
    if power and not re.search(r"[^\d.,]", low):
        low += power[0]  # 1-2万 is 10,000 to 20,000
    (least, unit_read), (most, _) = _counted(low, unit, cell), _counted(high, unit, cell)
    if most < least:
        raise Unreadable("backward-range", cell=cell)
    return Quantity(Kind.RANGE, least, most, unit_read, findings=(found("range", low=least, high=most),))


def _read_count(match: re.Match[str], text: str, cell: str) -> Quantity:
    # 1万5 is fifteen thousand or ten thousand and five; 5OO, 10^6 and 1/2 are not what they begin with.
    if not match["unit"] and re.match(r"[\dA-Za-z^/]", text[match.end() :]):
        raise Unreadable("ambiguous-number", cell=cell)
    count, unit = _counted(match["number"], match["unit"] or "", cell)
    around = f"{text[: match.start()]} {text[match.end() :]}".strip()
    if _AT_LEAST.search(around) or _AT_LEAST.search(text):
        return Quantity(Kind.RANGE, count, None, unit, findings=(found("at-least", low=count),))
    findings = []
    if _ABOUT.search(text):
        findings.append(found("approximate", cell=cell))
    others = [other[0].strip() for other in _COUNT.finditer(text) if other.start() != match.start()]
    if others:
        findings.append(found("second-figure", rest="、".join(others)))
    return Quantity(Kind.NUMBER, count, count, unit, findings=tuple(findings))


def _counted(number: str, unit: str, cell: str) -> tuple[int, str]:
    return _whole(_decimal(number, cell), cell, unit)


def _whole_text(number: str, cell: str) -> int:
    return _whole(_decimal(number, cell), cell, "")[0]


def _whole(number: Decimal, cell: str, unit: str) -> tuple[int, str]:
    """The whole number within what can be stored, with its unit; fractions of a litre become millilitres."""
    if not number.is_finite():
        raise Unreadable("not-a-quantity", cell=cell)
    if number < 0:
        raise Unreadable("negative", cell=cell)
    if number > LARGEST:
        raise Unreadable("huge", cell=cell, most=f"{LARGEST:,}")
    if number == 0:
        raise Unreadable("zero", cell=cell)
    if number != number.to_integral_value() and unit in _FINER:
        unit, factor = _FINER[unit]
        number *= factor
    if number < Decimal("1e-6") or number != number.to_integral_value():
        raise Unreadable("fraction", cell=cell)
    if number > LARGEST:
        raise Unreadable("huge", cell=cell, most=f"{LARGEST:,}")
    return int(number), unit


def _decimal(number: str, cell: str) -> Decimal:
    """The value of a written number: digits with separators and powers (1.2万, 1万5千), or Chinese numerals."""
    if re.match(r"\d", number):
        return _mixed(number.replace(" ", ""), cell)
    try:
        return Decimal(str(cn2an.cn2an(_plain_numerals(number), "normal")))
    except (ValueError, KeyError, InvalidOperation):  # cn2an knows no unit a tenth of 亿
        raise Unreadable("not-a-quantity", cell=cell) from None


def _plain_numerals(number: str) -> str:
    number = number.translate(str.maketrans("萬億兩", "万亿两"))
    return f"一{number}" if re.match("[百千佰仟]万", number) else number


def _mixed(number: str, cell: str) -> Decimal:
    total = Decimal(0)
    try:
        for figure, powers in re.findall(rf"({_PLAIN_FIGURE})([十百千万亿佰仟萬億kKwW]*)", number):
            value = _figure(figure, powers, cell)
            for power in powers:
                value *= _POWERS[power]
            total += value
    except ArithmeticError:
        raise Unreadable("huge", cell=cell, most=f"{LARGEST:,}") from None
    return total


def _figure(figure: str, powers: str, cell: str) -> Decimal:
    separators = set(re.findall(r"[,'’]", figure))
    if separators and not re.fullmatch(r"\d{1,3}(?:[,'’]\d{3})+(?:\.\d+)?", figure):
        raise Unreadable("ambiguous-number", cell=cell)
    # 1.000 is a thousand in half of Europe and one elsewhere.
    if not separators and not powers and re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3})+|.*\..*\..*", figure):
        raise Unreadable("ambiguous-number", cell=cell)
    return Decimal(re.sub(r"[,'’]", "", figure))
