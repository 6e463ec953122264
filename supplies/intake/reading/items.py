"""Lists of goods as people write them in one cell, taken apart: names, figures, requirements."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .findings import Finding, found
from .quantities import UNITS
from .text import tidy, tidy_lines

_BREAKS = "；;\n"
_COMMAS = "、,，。"
_OPENING, _CLOSING = "([{【〔《", ")]}】〕》"
_ASKING = re.compile(
    r"^(?:(?:现|还|另|仍|急|亟|尚)?(?:需要|需|缺少|缺乏|缺|求)(?!求|氧|血)|紧缺|增加了?|以及|及|和|与|各类|医院现?需)+[:：]?\s*"
)
_NUMBERING = re.compile(r"^[ (]*(?:[1-9]|1\d)\s*[.、)]+\s*(?=[^\d\s])", re.MULTILINE)
_AND_SO_ON = re.compile(
    r"[\s,，、]*(?:等+(?:医用|医疗|防护|相关)*(?:物资|用品|物品|设备)?|etc\.?|and so on)[。.!！]*$",
    re.IGNORECASE,
)
_FIGURE_AT_END = re.compile(
    rf"^(?P<name>.*?[^\d.,万千百约×x*\s])\s*[:：]?\s*(?P<figure>[约近]?\s*\d[\d,.]*\s*[万千百]*\s*(?:余|多)?\s*(?:{UNITS})(?:\s*/\s*(?:{UNITS}))?|[:：]\s*\d[\d,.]*\s*[万千百]*)$"
)
_CHINESE_FIGURE_AT_END = re.compile(
    rf"^(?P<name>.+?)\s*(?P<figure>[一二两三四五六七八九十百千万亿]+\s*(?:{UNITS}))$"
)
_REQUIREMENT = re.compile(r"^(?P<name>[^:：]{2,30})[:：]\s*(?P<requirement>\D.*)$", re.DOTALL)


@dataclass(frozen=True)
class Mention:
    """One kind of goods in a list.

    names         the name and its synonyms, as the writer joined them with / or |
    figure        the text of a quantity written behind the name, for `read_quantity`; "" if none
    requirement   what the writer demands of the goods (standard, brand, property); "" if nothing
    """

    names: tuple[str, ...]
    figure: str = ""
    requirement: str = ""


@dataclass(frozen=True)
class GoodsList:
    mentions: tuple[Mention, ...]
    findings: tuple[Finding, ...] = ()


def read_heading(cell: object) -> tuple[str, ...]:
    """The names joined in one heading: “护目镜/防护眼镜”, “医用防护口罩 | N95口罩”. A slash in brackets does not join."""
    text = tidy(cell, most=200).text
    return tuple(name for part in _split(text, "/|") if (name := part.strip()))


def read_goods(cell: object) -> GoodsList:
    """The goods of a free text: separated by 、 or ； or lines, with figures or requirements written behind the name.

    Goods named twice are kept once, with a finding.
    """
    text = _NUMBERING.sub("", tidy_lines(cell).text)
    open_ended = _AND_SO_ON.search(text)
    text = _AND_SO_ON.sub("", text)
    mentions = [_mention(part) for part in _parts(text) if _ASKING.sub("", part).strip()]
    kept, findings = _once([mention for mention in mentions if mention.names])
    if open_ended:
        findings.append(found("and-so-on"))
    return GoodsList(tuple(kept), tuple(findings))


def pair_lists(items: object, requirements: object) -> GoodsList:
    """Two parallel lists, as in “护目镜、N95口罩” beside “、GB 19083-2010”; empty slots mean no requirement."""
    goods = [part.strip() for part in _split(tidy(items, most=2000).text, _COMMAS)]
    wishes = [part.strip() for part in _split(tidy(requirements, most=2000).text, _COMMAS)]
    while goods and not goods[-1]:
        goods.pop()
    findings = []
    if any(wishes) and len(wishes) != len(goods):
        findings.append(found("uneven-lists", items=len(goods), standards=len(wishes)))
    wishes += [""] * len(goods)
    mentions = [
        replace(_mention(item), requirement=wish) for item, wish in zip(goods, wishes, strict=False) if item
    ]
    kept, repeated = _once(mentions)
    return GoodsList(tuple(kept), (*findings, *repeated))


def _parts(text: str) -> list[str]:
    """Cut at ； and line ends; at 、 too, unless the part is “name: requirement, requirement”."""
    parts: list[str] = []
    for piece in _split(text, _BREAKS):
        whole = _REQUIREMENT.match(piece.strip())
        parts += [piece] if whole and not _ASKING.match(whole["name"]) else _split(piece, _COMMAS)
    return [part.strip() for part in parts if part.strip()]


def _mention(part: str) -> Mention:
    part = _ASKING.sub("", part.strip()).strip(" 。.")
    if figured := _FIGURE_AT_END.match(part) or _CHINESE_FIGURE_AT_END.match(part):
        return Mention(
            read_heading(figured["name"].rstrip(" :：")), figure=figured["figure"].lstrip(" :：").strip()
        )
    if required := _REQUIREMENT.match(part):
        return Mention(read_heading(required["name"]), requirement=required["requirement"].strip())
    return Mention(read_heading(part))


def _once(mentions: Sequence[Mention]) -> tuple[list[Mention], list[Finding]]:
    kept: dict[str, Mention] = {}
    findings = []
    for mention in mentions:
        key = mention.names[0].casefold()
        if key in kept:
            findings.append(found("repeated-item", item=mention.names[0]))
        kept.setdefault(key, mention)
    return list(kept.values()), findings


def _split(text: str, separators: str) -> list[str]:
    """Split outside brackets; a comma between digits belongs to the number (10,000)."""
    parts, start, depth = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in _OPENING) - (character in _CLOSING and depth > 0)
        if character in separators and not depth and not _is_in_number(text, position):
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _is_in_number(text: str, position: int) -> bool:
    around = text[position - 1 : position] + text[position + 1 : position + 2]
    return text[position] in ",." and len(around) == 2 and around.isdigit()
