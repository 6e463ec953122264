"""Goods named in free text, each with its figure and its requirements, and what is not wanted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from supplies.catalogue.dictionary import Dictionary, Mentioned, Quoted
from supplies.intake.figures import (
    CLOSING,
    EACH,
    HAN,
    HERE,
    MEASURE,
    MODEL,
    NUMBERING,
    OPENING,
    PACKAGE,
    SENTENCE,
    SIZE_WORD,
    SIZED,
    STRENGTH,
    blanked,
    counted_in,
    demanded,
    depth_at,
    figure_in,
    may_count,
    noun_in,
    outside_brackets,
    packed_in,
    tidied,
)
from supplies.intake.reading.findings import Finding, found
from supplies.intake.reading.plain import TAKEN, Reading
from supplies.intake.reading.quantities import UNITS, counts_in, says_content, says_per_day

_SENTENCE_ENDS = "。;!?" + TAKEN
_NOT_GOODS = re.compile(
    r"床单位|口罩机|防护服生产|病床数|手套箱|中药房|救护车辆保障|N95级|防护用品生产|口罩厂|呼吸机治疗|无创呼吸机治疗|有创呼吸机治疗|ECMO治疗|疫苗接种|氧气站|酒精棉球?|酒精灯|口罩生产线|\d+-beds?\b|(?:at least|minimum|min\.?|>=?)\s*\d+\s?%\s*alcohol"
)
_ENUMERATED = re.compile(rf"[(]\d{{1,2}}[)](?=\s*[{HAN}]{{2}})")
_THE_OTHER_TOO = re.compile(r"(有创|无创)\s*[/、及和与]\s*$")
_UNWANTED_BEFORE = re.compile(
    r"(?:暂?时?不(?:再)?(?:需要?|接[受收]|收|要(?!求)|缺(?!少))|无需|勿(?:再)?(?:捐|送|寄)|谢绝|拒收|删去|删除|不想要|别(?:再)?(?:往[^,。]{0,20})?[寄拉送]|not accepting|取消(?:需求)?|撤销需求|停止接[收受]|(?:do|does|did) ?n[o']?t (?:need|want|require|accept)|no longer (?:need|require|accept)|don't (?:need|send|accept)|no need for|not (?:accept|need)|cannot accept|can't accept|(?:please )?do not send|no more(?! than)|not in need of|enough(?! for)|sufficient|plenty of)",
    re.IGNORECASE,
)
_UNWANTED_AFTER = re.compile(
    r"^[^\d]{0,8}(?:另?已?有渠道|无需捐赠|先?不用寄|够了|不用了|不必|撤回|暂停(?:接[受收])?|已?能(?:够)?满足|两?项?撤回|already ok|已(?:经)?(?:基本)?(?:足够|充足|够用?|满足|饱和|到齐|到位|解决|齐)|储备充足|充足|足够|够用|(?:暂时?|已)?不(?:再)?(?:缺(?!少)|需要?|接[受收]|收)|无需|(?:is|are|have been|has been)?\s*(?:no longer (?:needed|required|accepted)|not (?:needed|required|accepted)|sufficient|enough|covered|well stocked|fully stocked|in good supply))",
    re.IGNORECASE,
)
_NOT_ASKED = re.compile(
    r"(?:敝公司|我公司|愿[^,。]{0,5}(?:提供|捐)|(?<![\u3400-\u9fff])供\s*:|供方|现货(?!\?)|闲置|我司|供给|供应(?!紧|不足)|可捐|已领|已发|已寄|寄出|分配表|日产|月产|产能|直供|厂家|出售|已(?:经)?(?:收到|接收|到(?!位|齐)|到货|购买|采购|落实|发放|捐)|收到(?!后)|感谢[^,。]{0,30}(?:捐|送|提供|支援)|捐赠了|捐来|捐出|库存|现存|现有|目前仅有|剩余?|仅剩|只剩|尚余|仅存|"
    r"(?:可以?|能够?|愿意?|我们?|本公司|我司|现)(?:提供|捐赠|捐)(?!渠道|热线|接收)|"
    r"\b(?:in stock|stock (?:of|is)|we have(?! (?:an? )?(?:urgent|need))|have received|received|donated|can (?:offer|supply|donate|provide|give)|giving away|offering|left in|remaining|thank(?:s| you)|our company|we (?:make|sew|produce))\b)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"待补|新增|需要?|急缺|紧缺|缺(?!陷|勤|乏症)|短缺|求购|求捐|求助|征集|募集|希望|欢迎捐|\b(?:need|needs|needed|require[ds]?|request(?:ed|ing)?|short of|shortage|lack|looking for|seek(?:ing)?|wanted|run(?:ning)? out|urgently|would welcome)\b",
    re.IGNORECASE,
)
_CONTRAST = re.compile(
    r"但是?|然而|不过|仍然?(?=急?[需缺])|另外?(?=[需急])|其余|尤其|特别是|\b(?:but|however|still need|while|whereas|yet)\b",
    re.IGNORECASE,
)
_EACH_OF_THESE = re.compile(
    rf"(?:各|每[种样])\s*(?:需要?|约)?\s*(?P<figure>\d[\d,]*\s*[万千百]?\s*(?:{UNITS})?)\s*:"
)
_JOINT = re.compile(
    r"共计?|合计|总计|总共|\b(?:in total|total(?:ling)?|altogether|combined)\b", re.IGNORECASE
)
_ALL = re.compile(
    r"(?:以上|上述|所有|各类|全部|均|都|\ball(?: of (?:the above|these))?\b)[^\n。;]{0,12}(?:不限|无上限|多多益善|越多越好|大量|unlimited|no limit|as many as|as much as)|数量不限\)\s*:",
    re.IGNORECASE,
)
_PROFILE = re.compile(
    r"床位|编制|职工|员工|医护|医生|护士|人员|患者|病人|病例|病区|科室|人口|面积|占地|平方|元|资金|公里|电话|邮编|年|月|日|楼|层|级|名|住院|门诊|staff|beds|patients|doctors|nurses|people|population|floor|km|employees",
    re.IGNORECASE,
)
_PER_PERSON = re.compile(
    r"每人|每班|人均|每家|每院|每个科室|每个病区|per hospital|per (?:person|nurse|worker|shift|patient)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"符合|标准|型号|要求|必须|须|需(?:有|带|为|具)|无菌|灭菌|独立包装|单独包装|防[^护疫控]|带|无[^法]|呼吸阀|阀|规格|尺[寸码]|大小|加[大长厚]|一次性|医用|医疗|级|类|款|式|效期|有效期|质检|合格|注册证|检测报告|证明|品牌|3M|霍尼|或以上|及以上|同等|不低于|优先|均可|都可|GB|YY|NIOSH|FFP|EN\s?\d|class|level|type|grade|certified|compl|standard|with|without|valve|sterile|powder|latex|size|brand|expir|individually|fluid|disposable|reusable|or (?:better|equivalent|higher)|[SMLX]{1,3}码|cm|mm",
    re.IGNORECASE,
)
_SIZE_ALONE = re.compile(
    rf"\s*(?:规格|每[瓶桶]|容量)?\s*:?\s*(?P<size>\d+(?:\.\d+)?\s*{MEASURE})\s*(?:装|规格)?\s*",
    re.IGNORECASE,
)
_JOIN = re.compile(
    r"^\s*(?:[/|(]|或者?|or|with)?\s*(?:医用|一次性|(?:[a-z-]+\s+){0,2}(?:medical|disposable|protective)?)?\s*$",
    re.IGNORECASE,
)
_CONNECTOR = re.compile(r"\s+(?:and|plus|&)\s+|(?:以及|[和及与+&])(?=\S)", re.IGNORECASE)
_NO_LIMIT = re.compile(
    r"不限(?!于|制)|无限|不设上限|无上限|多多益善|越多越好|尽可能多|尽量多|有多少[要收]多少|多少都[要行收]|大量|需求量?(?:较|很|极|巨)?大|"
    r"\b(?:as (?:much|many) as (?:possible|you can)|unlimited|no (?:upper |set )?(?:limit|amount)|any (?:amount|quantity|number))\b|^\W*(?:any|everything|lots)\W*$",
    re.IGNORECASE,
)
_SENTINEL = re.compile(
    r"[(\[]?[^()\n]{0,12}[“\"'‘]?(?<!\d)1[”\"'’]?(?:的?[都均])?\s*(?:=|为|是|表示|代表|即|指|means?|:)\s*(?:“?有?需要?(?:求)?|“?要|无数量要求|(?:数量)?不限|needed|want(?:ed)?|required|yes)[^()\n]{0,20}[)\]]?|[^()\n,;]{0,14}(?:不限|需要?求?)[^()\n,;]{0,6}填\s*1(?!\d)",
    re.IGNORECASE,
)
_STILL = re.compile(
    r"(?:还|尚|仍|目前|现)*(?:缺口?|差|需)(?=.*\d)|应为|实为|调整为|改为|更正为|still (?:need|short)|changed to|now",
    re.IGNORECASE,
)
_OF_WHICH = re.compile(
    r"\(\s*(?:其中|包括|包含|含|of which|including)\s*:?(?P<parts>[^()]*)\)", re.IGNORECASE
)
_CLASS_IN_NAME = re.compile(r"KN(?:90|95|100)|FFP[123]|Type I{1,2}R?\b", re.IGNORECASE)
_GRADED = {"RESP_MED", "RESP_PART", "MASK_SURG"}  # items whose names are often those of their grades
_GRADE = re.compile(r"(?:k?n(?:95|99|100)|ffp[123]|kf94|ds2|p2|p100|type ii?r?)s?", re.IGNORECASE)
_NOT_A_THING = re.compile(
    r"电梯|资金|善款|捐款|场地|志愿者|司机|人手|房屋|住宿|货车|卡车|money|funds|elevator|volunteers|drivers?|\bcash\b|lift",
    re.IGNORECASE,
)
_FIGURE_SLASH = re.compile(rf"(?<=\d) +/ +(?=[{HAN}A-Za-z])|(?<=[{HAN}]) +/ +(?=[{HAN}A-Za-z]+ ?\d)")
_ITEMS_LEAD = re.compile(
    r"(?:品名|名称|物资|物品|items?|goods|products?)(?:名称)?\s*:[^\n]*\n\s*(?=(?:规格|标准|数量|型号|standards?|quantit))",
    re.IGNORECASE,
)
_COLUMN_LEAD = re.compile(
    r"\s*(?:(?P<number>(?:对应|需求|所需)?数量|quantit(?:y|ies)|qty)|(?:产品|执行|对应|相应)?(?:标准|要求|规格|型号|规格型号)|standards?|requirements?|specifications?)(?:依次|分别)?(?:为|是)?\s*:\s*",
    re.IGNORECASE,
)


@dataclass
class Draft:
    """One kind of goods as a text names it. `figure` is text for `read_quantity`; spans are of the plain text."""

    names: tuple[str, ...]
    start: int
    end: int
    items: tuple[str, ...] = ()
    figure: str = ""
    content: str = ""  # what one package holds, where it is said apart from the figure
    size: str = ""  # 500 ml, said before the number of bottles
    daily: str = ""  # the figure of a rate per day
    requirements: list[str] = field(default_factory=list)
    is_joint: bool = False
    is_unlimited: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        return bool(self.items)

    @property
    def counted(self) -> str:
        """The figure with what one package holds."""
        pack = re.search(rf"{PACKAGE}$", self.figure, re.IGNORECASE)
        if self.size and pack and not self.content:
            return f"{self.figure}({self.size}/{pack[0]})"
        return (
            f"{self.figure}({self.content})"
            if self.figure and self.content and not says_content(self.figure)
            else self.figure
        )


@dataclass
class Goods:
    drafts: list[Draft]
    unwanted: list[str]
    findings: list[Finding]


@dataclass(frozen=True)
class _Span:
    start: int
    end: int


def find_goods(reading: Reading, dictionary: Dictionary) -> Goods:
    """The goods a text asks for, in its order; what was understood is taken out of the text."""
    return _Finder(reading, dictionary).find()


class _Finder:
    def __init__(self, reading: Reading, dictionary: Dictionary) -> None:
        self.reading, self.dictionary = reading, dictionary
        self.text = _ENUMERATED.sub(blanked, reading.rest)
        self.text = _ITEMS_LEAD.sub(lambda lead: lead[0].replace("/", "、"), self.text)
        self.text = _WHOLE_DAY.sub(blanked, self.text)
        if not any(_is_head_of_slashes(line) for line in self.text.split("\n")):
            self.text = _FIGURE_SLASH.sub(lambda slash: slash[0].replace("/", "、"), self.text)
        self.sentinel = self._take_sentinel()
        self.mentions, self.quotes = self._named_and_quoted()
        self.goods = Goods([], [], [])
        self.taken: list[_Span] = []
        self.columns: dict[str, int] = {}
        self.ignored: set[int] = set()  # columns of a table that say what is there, not what is wanted
        self.line_first = 0
        self.is_rumour = bool(_RUMOUR.search(self.text))
        self.last_list: list[Draft] = []

    def _take_sentinel(self) -> bool | None:
        """What the writer says a 1 stands for: True for “without limit”, False for “wanted”; None if nothing is said."""
        said = _SENTINEL.search(self.text)
        if said is None:
            return None
        line = self.text[said.start() :].split("\n")[0]
        self.text = self.text[: said.start()] + " " * len(said[0]) + self.text[said.end() :]
        self.reading.take(*said.span())
        return bool(_NO_LIMIT.search(line) or "无数量要求" in line)

    def _named_and_quoted(self) -> tuple[list[Mentioned], list[Quoted]]:
        """Names of goods and standards: of two that overlap wholly, the longer is what was meant (N95口罩, NIOSH N95)."""
        named, quoted = self.dictionary.mentions(self.text), self.dictionary.quotations(self.text)
        others = [Quoted(*match.span()) for match in _NOT_GOODS.finditer(self.text)]
        named = [one for one in named if any(item.code != "OTHER" for item in one.items)]
        named = sorted([*named, *self._bleach(named, quoted)])
        names = [one for one in named if not any(_lies_in(one, other) for other in (*quoted, *others))]
        return names, [
            one
            for one in quoted
            if not any(other.start <= one.start and one.end <= other.end for other in names)
            and self.text[one.start : one.end].upper()
            != "N95"  # a word for a grade, not a quotation of the American standard
        ]

    def _bleach(self, named: list[Mentioned], quoted: list[Quoted]) -> Iterator[Mentioned]:
        """A bare 84 among goods is the disinfectant; a figure with a unit behind it is a count."""
        bleach = self.dictionary.items.get("BLEACH84")
        if bleach is None or not named:
            return
        spans = [(one.start, one.end) for one in named] + [(one.start, one.end) for one in quoted]
        for match in _BLEACH.finditer(self.text):
            if not any(start <= match.start() < end for start, end in spans):
                yield Mentioned(*match.span(), (bleach,))

    def find(self) -> Goods:
        start = 0
        for line in self.text.split("\n"):
            end = start + len(line)
            if not self._row(start, end):
                self._line(start, end)
            start = end + 1
        for span in self.taken:
            self.reading.take(span.start, span.end)
        for draft in self.goods.drafts if self.sentinel is not None else []:
            if draft.figure.strip() == "1":
                draft.figure, draft.is_unlimited = "", bool(self.sentinel)
        return self.goods

    def _within(self, start: int, end: int) -> list[Mentioned]:
        return [one for one in self.mentions if start <= one.start and one.end <= end]

    # -- rows of a table ----------------------------------------------------------------------------------

    def _row(self, start: int, end: int) -> bool:
        """A line of a pasted table: cells between tabs, bars or wide gaps."""
        cells = self._cells(start, end)
        if len(cells) < 2:
            return False
        line = self.text[start:end]
        words = [self.text[cell.start : cell.end].strip() for cell in cells]
        if self._across(start, end, cells, words):
            return True
        if self._is_head(words):
            self.taken.append(_Span(start, end))
            return True
        if (
            not self.columns
            and "\t" not in line
            and line.count("|") == 1
            and not any(map(_FIGURE.fullmatch, words))
        ):
            return False  # two names of one thing
        named = [(cell, found_here) for cell in cells if (found_here := self._within(cell.start, cell.end))]
        place = self.columns.get("name")
        if named:
            cell, mentions = named[0]
        elif place is not None and place < len(cells) and re.search(rf"[{HAN}A-Za-z]", words[place]):
            cell, mentions = cells[place], []
        else:
            return False
        if (
            any(count["unit"] for count in counts_in(MODEL.sub(" ", words[cells.index(cell)])))
            or len(named) > 2
        ):
            return False  # a sentence with wide gaps
        others = [
            (at, one, word)
            for at, (one, word) in enumerate(zip(cells, words, strict=True))
            if one is not cell
        ]
        number, unit, spec = self._columns_of(others)
        spec += [
            self.text[q.start : q.end] for q in self.quotes if cell.start <= q.start and q.end <= cell.end
        ]
        if mentions and re.fullmatch(r"[/×—-]|无|否|N|no|不需要", number, re.IGNORECASE):
            self.goods.unwanted += [self.reading.written(one.start, one.end) for one in mentions]
            self.taken.append(_Span(start, end))
            return True
        names = self._names(mentions, cell) if mentions else (words[cells.index(cell)],)
        draft = Draft(names, cell.start, cell.end, self._codes(mentions))
        if mentions and (rest := self._leftover(cell, mentions)):
            draft.requirements.append(rest)
        if held := next((one for one in spec if says_content(one)), ""):
            for part in STRENGTH.sub("", held).split(","):
                draft.content = packed_in(draft.content, part.strip())
        aside = re.search(rf"\(({UNITS})\)", self.text[cell.start : cell.end])
        unit = (
            unit
            or self.unit_of_number
            or (aside[1] if aside and re.fullmatch(r"[\d,. ]+[万千百]?", number) else "")
        )
        draft.requirements += spec
        if (
            self.daily_at is not None
            and self.daily_at < len(words)
            and _FIGURE.fullmatch(words[self.daily_at])
        ):
            draft.daily = words[self.daily_at]
        draft.figure = f"{number}{unit}" if number else ""
        draft.size = next((one.removesuffix("装").strip() for one in spec if SIZED.fullmatch(one)), "")
        self.goods.drafts.append(draft)
        self.taken.append(_Span(start, end))
        return True

    def _cells(self, start: int, end: int) -> list[_Span]:
        line = self.text[start:end]
        separator = self._separator(line, self.text[end + 1 :].split("\n")[0])
        cells, position = [], 0
        for match in [*re.finditer(separator, line), None]:
            stop = match.start() if match else len(line)
            if line[position:stop].strip() or separator in {r"\t", ",", ";"}:
                cells.append(_Span(start + position, start + stop))
            position = match.end() if match else 0
        return cells

    def _across(self, start: int, end: int, cells: list[_Span], words: list[str]) -> bool:
        """A table whose head names the goods, a column each: the rows below hold figures or standards."""
        named = [self._within(cell.start, cell.end) for cell in cells]
        whole = [
            bool(found)
            and re.fullmatch(rf"(?:{UNITS})?", tidied(self._without_names(cell, found))) is not None
            for cell, found in zip(cells, named, strict=True)
        ]
        if sum(whole) >= 3 and not any(map(_FIGURE.fullmatch, words)):
            self.across = [
                Draft(self._names(found, cell), cell.start, cell.end, self._codes(found))
                if is_whole
                else None
                for cell, found, is_whole in zip(cells, named, whole, strict=True)
            ]
            self.taken.append(_Span(start, end))
            return True
        figures_here = sum(bool(_FIGURE.fullmatch(word)) for word in words)
        if not self.across or len(cells) > len(self.across) or (any(named) and figures_here < 2):
            return False
        columns = self.across[: len(cells)]
        figures = [(draft, word) for draft, word in zip(columns, words, strict=True) if draft is not None]
        if any(_FIGURE.fullmatch(word) for _draft, word in figures):
            for draft, word in figures:
                if word and draft not in self.goods.drafts and not re.fullmatch(r"[/×0—-]|无", word):
                    said = re.search(rf"\(({UNITS})\)", self.text[draft.end : draft.end + 6])
                    draft.figure = word if _FIGURE.fullmatch(word) else ""
                    if said and re.fullmatch(r"[\d,. ]+[万千百]?", draft.figure):
                        draft.figure += said[1]
                    self.goods.drafts.append(draft)
        else:
            for draft, word in figures:
                draft.requirements += [word] if word and word != "无" else []
        self.taken.append(_Span(start, end))
        return True

    across: list[Draft | None] = []

    def _separator(self, line: str, below: str) -> str:
        """What divides the cells of a line. Commas and slashes do once a head divided by them was met."""
        if "\t" in line:
            return r"\t"
        if line.count("|") >= 2 or " | " in line:
            return r"\s*\|\s*"
        for sign in (",", ";", " / "):
            words = [word.strip() for word in line.split(sign)]
            figures = [word.strip() for word in below.split(sign)]
            across = len(figures) == len(words) and sum(bool(_FIGURE.fullmatch(one)) for one in figures) >= 2
            names = (
                sum(bool(self.dictionary.mentions(word)) for word in words)
                if across and len(words) > 3
                else 0
            )
            if len(words) > 2 and (names >= 3 or sum(map(_is_a_head, words)) >= 2):
                self.divided = (sign, len(words))
            if self.divided == (sign, len(words)):
                return re.escape(sign)
        return r" {2,}"

    divided = ("", 0)
    unit_of_number = ""
    daily_at: int | None = None

    def _is_head(self, words: list[str]) -> bool:
        roles: dict[str, int] = {}
        for at, word in enumerate(words):
            for role, pattern in _HEADS.items():
                if pattern.fullmatch(word) or pattern.fullmatch(word.split(" ")[0]):
                    roles.setdefault(role, at)
        missing = next((at for at, word in enumerate(words) if _STILL_HEAD.fullmatch(word)), None)
        if missing is not None:
            roles["number"] = missing
        if "name" in roles and sum(map(_is_a_head, words)) >= 2:
            self.columns = roles
            counted = _COUNTED_HEAD.fullmatch(words[roles["number"]]) if "number" in roles else None
            self.unit_of_number = counted["unit"] if counted else ""
            self.daily_at = next((at for at, word in enumerate(words) if _DAILY_HEAD.fullmatch(word)), None)
            self.ignored = {
                at
                for at, word in enumerate(words)
                if _STOCK_HEAD.fullmatch(word)
                or at == self.daily_at
                or (missing is not None and _PLAN_HEAD.fullmatch(word))
            }
            return True
        return bool(words) and all(re.fullmatch(r"[-=:+\s]+", word) for word in words)

    def _columns_of(self, others: list[tuple[int, _Span, str]]) -> tuple[str, str, list[str]]:
        number = unit = ""
        spec: list[str] = []
        for at, _cell, word in others:
            if at == 0 and re.fullmatch(r"\d{1,3}[.、)]?", word) and self.columns.get("number") != at:
                continue  # the number of the row
            known = self.columns.get("number")
            if at in self.ignored:
                continue
            if SIZED.fullmatch(word) and known != at:
                spec.append(word)
                continue
            is_figure = _FIGURE.fullmatch(word) or re.fullmatch(r"[/×√✓✔—-]|[YN]", word)
            if known == at or (known is None and not number and is_figure):
                number = number or word
            elif re.fullmatch(rf"(?:{UNITS})(?:/{UNITS})?", word):
                unit = unit or word
            elif word:
                spec.append(word)
        if re.search(rf"(?:{UNITS})\s*$", number):
            unit = ""
        return number, unit, spec

    # -- sentences ----------------------------------------------------------------------------------------

    def _line(self, start: int, end: int) -> None:
        self.line_first = len(self.goods.drafts)
        words = self.text[start:end]
        before = self.goods.drafts[-1] if self.goods.drafts else None
        if before is not None and not before.figure and _FIGURE.fullmatch(words.strip()):
            below = self._figures_below(start)
            waiting = [draft for draft in self.goods.drafts[-len(below) :] if not draft.figure]
            if len(below) == 1 or len(waiting) == len(below):
                for draft, figure in zip(waiting, below, strict=True):
                    draft.figure = figure
            self.taken.append(_Span(start, end))
            return
        for sentence in _split(self.text, start, end, _SENTENCE_ENDS):
            if not self._column(sentence):
                self._sentence(self._unnumbered(sentence))
        drafts = self.goods.drafts[self.line_first :] or self.goods.drafts
        if (led := _EACH_OF_THESE.search(words)) and not any(draft.figure for draft in drafts):
            for draft in drafts:
                draft.figure = led["figure"].strip()
        if _ALL.search(words):
            self._without_limit(drafts)

    def _figures_below(self, start: int) -> list[str]:
        """The lines from here that are nothing but figures: one for each of as many goods above, or one's own."""
        figures = []
        for line in self.text[start:].split("\n"):
            if not _FIGURE.fullmatch(line.strip()):
                break
            figures.append(line.strip())
        return figures

    def _unnumbered(self, sentence: _Span) -> _Span:
        numbered = NUMBERING.match(self.text[sentence.start : sentence.end])
        if numbered and re.search(
            rf"[{HAN}A-Za-z]", self.text[sentence.start + numbered.end() : sentence.end]
        ):
            return _Span(sentence.start + numbered.end(), sentence.end)
        return sentence

    def _without_limit(self, drafts: list[Draft]) -> None:
        for draft in drafts:
            draft.is_unlimited = draft.is_unlimited or not draft.figure

    def _column(self, sentence: _Span) -> bool:
        """“标准：、、YY 0469、GB 19083” or “数量：200、500” beside a list of as many goods."""
        words = self.text[sentence.start : sentence.end]
        lead = _COLUMN_LEAD.match(words)
        if lead is None or len(self.last_list) < 2:
            return False
        ways = [re.split(way, words[lead.end() :]) for way in (r"、", r" / ", r"/", r",(?!\d{3}(?!\d))")]
        cells = next((cells for cells in ways if len(cells) == len(self.last_list)), max(ways, key=len))
        if len(cells) < 2:
            return False
        if len(cells) != len(self.last_list):
            self.goods.findings.append(found("uneven-lists", items=len(self.last_list), standards=len(cells)))
            if lead["number"]:
                return False  # whose figure is whose would be a guess
        for draft, cell in zip(self.last_list, map(str.strip, cells), strict=False):
            if lead["number"]:
                draft.figure = draft.figure or counted_in(HERE + cell)
            elif cell and not re.fullmatch(r"无|/|-+|none|n/?a", cell, re.IGNORECASE):
                draft.requirements.append(cell)
        self.taken.append(sentence)
        return True

    def _sentence(self, sentence: _Span) -> None:
        mood = "not asked" if self.is_rumour else ""
        is_per_day = False
        first = len(self.goods.drafts)
        for clause in self._clauses(sentence):
            words = self.text[clause.start : clause.end]
            mentions = self._within(clause.start, clause.end)
            lead = words[: mentions[0].start - clause.start] if mentions else words
            tail = self.text[mentions[-1].end : clause.end] if mentions else ""
            if _CONTRAST.search(lead):
                mood, is_per_day = "", False
            if _UNWANTED_BEFORE.search(lead):
                mood = "unwanted"
            elif _NOT_ASKED.search(lead):
                mood = "" if mentions and _asks_after(lead) and not self.is_rumour else "not asked"
            elif mood and _ASKS.search(lead) and not self.is_rumour:
                mood = ""
            is_per_day = is_per_day or says_per_day(lead)
            if (
                mentions
                and all(item.code == "BED" for one in mentions for item in one.items)
                and _OF_THE_HOUSE.search(self.text[sentence.start : clause.end])
            ):
                continue
            if mentions and (mood == "unwanted" or _UNWANTED_AFTER.match(tail)):
                clause, mentions = self._before_the_last(clause, mentions, mood, is_per_day)
                self._not_wanted(mentions, clause)
            elif mentions and (mood or _TOLD_AFTER.match(tail)):
                continue
            elif mood:
                mood = self._aside(clause, mood, first)
            elif mentions:
                self._clause(clause, mentions, is_per_day)
            else:
                self._loose(clause, sentence, first)
        self._share(first)
        if len(self.goods.drafts) - first > 1:
            self.last_list = self.goods.drafts[first:]

    def _before_the_last(
        self, clause: _Span, mentions: list[Mentioned], mood: str, is_per_day: bool
    ) -> tuple[_Span, list[Mentioned]]:
        """“监护仪20台、移动DR已解决”: what is counted before the last 、 is still asked for."""
        cut = self.text.rfind("、", clause.start, mentions[-1].start)
        earlier = [one for one in mentions if one.end <= cut]
        if (
            mood
            or not earlier
            or not any(c["unit"] for c in counts_in(MODEL.sub(blanked, self.text[clause.start : cut])))
        ):
            return clause, mentions
        self._clause(_Span(clause.start, cut), earlier, is_per_day)
        return _Span(cut + 1, clause.end), [one for one in mentions if one.start > cut]

    def _aside(self, clause: _Span, mood: str, first: int) -> str:
        """“带呼吸阀的不要” is a demand on the goods before it; “已到200套” is over with its clause."""
        words = self.text[clause.start : clause.end]
        in_list = ":" in self.text[max(0, clause.start - 60) : clause.start].rpartition("\n")[2]
        if mood == "unwanted" and in_list and re.fullmatch(r"\s*[a-z ]{3,20}\s*", words, re.IGNORECASE):
            self.goods.unwanted.append(words.strip())
            self.taken.append(clause)
        elif (
            mood == "unwanted" and "、" in words and ":" in self.text[max(0, clause.start - 30) : clause.end]
        ):
            self._not_wanted([], clause)
        elif (
            mood == "unwanted" and len(self.goods.drafts) > first and not counts_in(MODEL.sub(blanked, words))
        ):
            self.goods.drafts[-1].requirements.append(demanded(words))
            self.taken.append(clause)
        elif mood == "not asked" and not _THANKS.search(words) and len(self.goods.drafts) > first:
            return ""
        return mood

    def _clauses(self, sentence: _Span) -> Iterator[_Span]:
        for clause in _split(self.text, sentence.start, sentence.end, ","):
            cut = _CONTRAST.search(self.text, clause.start + 1, clause.end)
            if cut and self._within(clause.start, cut.start()):
                yield _Span(clause.start, cut.start())
                yield _Span(cut.start(), clause.end)
            else:
                yield clause

    def _not_wanted(self, mentions: list[Mentioned], clause: _Span) -> None:
        for piece in _split(self.text, clause.start, clause.end, "、"):
            inside = [one for one in mentions if piece.start <= one.start and one.end <= piece.end]
            noun = "" if inside else noun_in(self.text[piece.start : piece.end].rpartition(":")[2], [])
            self.goods.unwanted += [self.reading.written(one.start, one.end) for one in inside]
            if (
                noun not in {"", SENTENCE}
                and "、" in self.text[clause.start : clause.end]
                and _IS_NAME.fullmatch(noun)
            ):
                self.goods.unwanted.append(noun)
        self.taken.append(clause)

    def _clause(self, clause: _Span, mentions: list[Mentioned], is_per_day: bool) -> None:
        """A clause that names goods: cut at 、 and “and”, then one piece for every group of names."""
        words = self.text[clause.start : clause.end]
        if (parts := _OF_WHICH.search(words)) and self._counts_goods(clause, parts):
            inner = _Span(clause.start + parts.start("parts"), clause.start + parts.end("parts"))
            for part in _split(self.text, inner.start, inner.end, ",;、"):
                if within := self._within(part.start, part.end):
                    self._clause(part, within, is_per_day)
            self.taken.append(clause)
            return
        if self._only_grades(clause, mentions):
            self.goods.drafts[-1].requirements.append(demanded(words))
            self.taken.append(clause)
            return
        drafts: list[Draft] = []
        for piece in self._pieces(clause):
            inside = self._within(piece.start, piece.end)
            if not inside:
                self._loose(piece, clause, len(self.goods.drafts) - len(drafts))
                continue
            if self._is_kit(piece, inside):
                words = self.text[piece.start : piece.end]
                self._unknown(piece, noun_in(words, counts_in(outside_brackets(words)[0])), words)
                continue
            for part, names in self._groups(piece, inside):
                if self._is_grade_of_last(names, part):
                    self.goods.drafts[-1].requirements.append(demanded(self.text[part.start : part.end]))
                    continue
                if not self._quotes_in(part) and _NO.match(
                    self._without_names(part, names).replace(HERE, "")
                ):
                    self.goods.unwanted += [self.reading.written(one.start, one.end) for one in names]
                    continue
                draft = self._draft(part, names)
                if other := _THE_OTHER_TOO.search(self.text[: names[0].start]):  # 有创/无创呼吸机 are two
                    self._other_ventilator(f"{other[1]}呼吸机", names[0])
                outside, asides = outside_brackets(self.text[part.start : part.end])
                if _PER_PERSON.search(self.text[clause.start : part.end]):
                    draft.figure = ""
                elif is_per_day or says_per_day(outside):
                    draft.daily, draft.figure = draft.figure, ""
                elif rate := next((aside for aside in asides if says_per_day(aside)), ""):
                    draft.daily = counted_in(HERE + rate)
                drafts.append(draft)
                self.goods.drafts.append(draft)
        self.taken.append(clause)

    def _other_ventilator(self, name: str, beside: Mentioned) -> None:
        for one in self.dictionary.mentions(name):
            self.goods.drafts.append(Draft((name,), beside.start, beside.end, self._codes([one])))

    def _is_grade_of_last(self, names: list[Mentioned], part: _Span) -> bool:
        """“等同的NIOSH N95、FFP2标准”, “3M 8210 或 KN95”: a grade of the goods named before it on this line."""
        lead = self.text[max(0, names[0].start - 6) : names[0].start]
        told = re.search(r"标准|可|accept", self.text[names[-1].end : part.end]) or re.search(
            r"或|\bor\b|等同", lead
        )
        return bool(told) and self._only_grades(part, names)

    def _counts_goods(self, clause: _Span, parts: re.Match[str]) -> bool:
        """Whether the brackets split a total into goods, each with its figure."""
        start = clause.start + parts.start("parts")
        within = self._within(start, clause.start + parts.end("parts"))
        return bool(within) and bool(counts_in(MODEL.sub(blanked, parts["parts"])))

    def _only_grades(self, clause: _Span, mentions: list[Mentioned]) -> bool:
        """“NIOSH N95 or FFP2” after respirators: what is accepted, not more goods."""
        if len(self.goods.drafts) <= self.line_first:
            return False
        kinds = {item.code for one in mentions for item in one.items}
        related = kinds & _GRADED and set(self.goods.drafts[-1].items) & _GRADED
        only = all(_GRADE.fullmatch(self.text[one.start : one.end]) for one in mentions)
        told = bool(self._quotes_in(clause)) or bool(
            re.search(
                r"标准|接受|可以?|均可|等同|\bor\b|\baccept",
                self.text[self.text.rfind("\n", 0, clause.start) + 1 : clause.end],
            )
        )
        return bool(related) and only and told and not figure_in(self._without_names(clause, mentions))[0]

    def _is_kit(self, piece: _Span, inside: list[Mentioned]) -> bool:
        """“洗漱用品（毛巾2、肥皂1）1000套”: the brackets hold the parts of one thing that is counted outside."""
        if any(not depth_at(self.text, piece.start, one.start) for one in inside):
            return False
        outside = outside_brackets(self.text[piece.start : piece.end])[0]
        counts = counts_in(MODEL.sub(blanked, outside))
        return bool(counts) and bool(noun_in(outside, counts))

    def _pieces(self, clause: _Span) -> Iterator[_Span]:
        for piece in _split(self.text, clause.start, clause.end, "、"):
            start = piece.start
            for joint in _CONNECTOR.finditer(self.text, piece.start, piece.end):
                if depth_at(self.text, piece.start, joint.start()):
                    continue
                if self._within(start, joint.start()) and self._opens_goods(joint.end(), piece.end):
                    yield _Span(start, joint.start())
                    start = joint.end()
            yield _Span(start, piece.end)

    def _opens_goods(self, start: int, end: int) -> bool:
        return bool(self._within(start, end)) or any(
            count["unit"] for count in counts_in(self.text[start:end])
        )

    def _groups(self, piece: _Span, mentions: list[Mentioned]) -> Iterator[tuple[_Span, list[Mentioned]]]:
        """Names that stand together are one kind of goods; else each has the figure on its side."""
        outer = [one for one in mentions if not depth_at(self.text, piece.start, one.start)]
        outer = [one for at, one in enumerate(outer) if not (at and self._is_form(outer[at - 1], one))]
        groups: list[list[Mentioned]] = []
        for one in outer or mentions:
            if groups and self._is_joined(groups[-1][-1], one):
                groups[-1].append(one)
            else:
                groups.append([one])
        if len(groups) == 1:
            yield piece, groups[0]
            return
        figure_first = bool(counts_in(MODEL.sub(blanked, self.text[piece.start : groups[0][0].start])))
        start = piece.start
        for at, group in enumerate(groups):
            last = at == len(groups) - 1
            end = piece.end if last else group[-1].end if figure_first else groups[at + 1][0].start
            yield _Span(start, end), group
            start = end

    def _is_form(self, medicine: Mentioned, one: Mentioned) -> bool:
        """“enoxaparin 40 mg syringes”: the syringes are how the medicine comes."""
        between = self.text[medicine.end : one.start]
        return (
            all(item.is_medicine for item in medicine.items)
            and any(item.code == "SYRINGE" for item in one.items)
            and not re.search(r"[,、;和及]|and", between)
        )

    def _is_joined(self, one: Mentioned, other: Mentioned) -> bool:
        between = self.text[one.end : other.start]
        same = {item.code for item in one.items} & {item.code for item in other.items}
        return bool(same) and bool(_JOIN.match(between))

    def _draft(self, part: _Span, names: list[Mentioned]) -> Draft:
        draft = Draft(self._names(names, part), names[0].start, names[-1].end, self._codes(names))
        rest = self._without_names(part, names)
        quoted = [
            self.text[start:end] for start, end in self.quotes if part.start <= start and end <= part.end
        ]
        is_measured = any(item.base_unit.kind in {"volume", "mass"} for one in names for item in one.items)
        figure, content, requirement = figure_in(rest, is_measured=is_measured)
        if _SINGLE.search(rest) and re.fullmatch(r"[\d,. ]+", figure):
            figure += "只"
        draft.figure, draft.content = figure, content
        draft.is_joint = bool(figure and _JOINT.search(rest))
        draft.is_unlimited = not figure and bool(_NO_LIMIT.search(rest.replace(HERE, " ")))
        grade = _CLASS_IN_NAME.search(" ".join(draft.names)) if quoted else None
        quoted = [f"{grade[0]} {quote}" for quote in quoted] if grade else quoted
        draft.requirements += [*quoted, *([requirement] if requirement else [])]
        return draft

    def _without_names(self, part: _Span, names: list[Mentioned]) -> str:
        """The piece with its names and standards blanked; a mark stands where the names stood."""
        text = list(self.text[part.start : part.end])
        for start, end in [*((one.start, one.end) for one in names), *self.quotes]:
            if part.start <= start and end <= part.end:
                text[start - part.start : end - part.start] = [" "] * (end - start)
        end = names[-1].end
        if form := _FORM.match(self.text, end, part.end):
            end = form.end()
            text[form.start() - part.start : end - part.start] = [HERE] * (end - form.start())
        text[names[0].start - part.start] = HERE
        for at in range(names[0].start - part.start + 1, end - part.start):
            text[at] = HERE if text[at] in " /|" else text[at]
        return "".join(text)

    def _leftover(self, cell: _Span, mentions: list[Mentioned]) -> str:
        return tidied(self._without_names(cell, mentions))

    def _names(self, mentions: list[Mentioned], part: _Span) -> tuple[str, ...]:
        names = [self.reading.plain.text[mentions[0].start : mentions[0].end]]
        for before, one in pairwise(mentions):
            word = self.reading.plain.text[one.start : one.end]
            if self.text[before.end : one.start].strip():
                names.append(word)
            else:
                names[-1] += word
        if form := _FORM.match(self.text, mentions[-1].end, part.end):
            names[-1] += form[0]
        return tuple(dict.fromkeys(names))

    def _codes(self, mentions: list[Mentioned]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.code for one in mentions for item in one.items))

    # -- clauses without a known name ---------------------------------------------------------------------

    def _loose(self, clause: _Span, sentence: _Span, first: int) -> None:
        """A clause that names nothing known: a figure or a requirement of what came before, or goods nobody knows."""
        words = self.text[clause.start : clause.end]
        if not words.strip():
            return
        if ("、" in words and clause != sentence) or (
            "、" in words and not self._within(clause.start, clause.end)
        ):
            pieces = list(_split(self.text, clause.start, clause.end, "、"))
            if len(pieces) > 1:
                for piece in pieces:
                    self._loose(piece, sentence, first)
                return
        before = self.goods.drafts[-1] if len(self.goods.drafts) > min(first, self.line_first) else None
        in_line = self.goods.drafts[self.line_first :]
        cleaned = MODEL.sub(blanked, self._without_quotes(clause))
        counts = [
            count
            for count in counts_in(cleaned)
            if may_count(count) and (count["unit"] or len(count["number"]) >= 2)
        ]
        noun = noun_in(words, counts)
        if before is not None and not before.figure and (size := _SIZE_ALONE.fullmatch(words)):
            before.size = size["size"]
        elif in_line and counts and not noun and EACH.search(words):
            here = self.goods.drafts[first:] if self._within(sentence.start, sentence.end) else in_line
            figure = figure_in(f"{HERE}{words}")[0] if len(here) > 1 or not SIZE_WORD.search(words) else ""
            for draft in here:
                draft.figure = draft.figure or figure
        elif titled := self._titled(clause, sentence, first):
            self._unknown(clause, titled, words)
        elif before is not None and words.strip().startswith("其中"):
            before.requirements.append(demanded(words))
        elif before is not None and not before.figure and says_content(words) and figure_in(words)[0] == "":
            before.content = packed_in(before.content, words.strip(" ,、()"))
        elif before is not None and counts and not noun and (not before.figure or _STILL.search(words)):
            figure, content, _rest = figure_in(f"{HERE}{_STILL.sub('', words)}")
            if says_per_day(words):
                before.daily = before.daily or figure
            else:
                before.figure, before.content = figure or before.figure, content or before.content
            before.is_joint = bool(_JOINT.search(words)) and len(self.goods.drafts) - first > 1
        elif (
            in_line
            and _NO_LIMIT.search(words)
            and not noun_in(_NO_LIMIT.sub(" ", words), counts).strip("数量均可也都")
        ):
            self._without_limit(in_line)
        elif before is not None and (_CONDITION.search(words) or self._quotes_in(clause)) and not counts:
            before.requirements.append(demanded(words))
        elif (
            noun not in {"", SENTENCE}
            and counts
            and not _PROFILE.search(noun)
            and self._is_list(clause, sentence, first)
            and self._is_counted(counts, clause, sentence)
        ) or (
            noun
            and self._is_among_goods(clause, sentence)
            and _IS_NAME.fullmatch(noun)
            and not _PROFILE.search(noun)
        ):
            self._unknown(clause, noun, words)
        else:
            return
        self.taken.append(clause)

    def _without_quotes(self, clause: _Span) -> str:
        text = list(self.text[clause.start : clause.end])
        for start, end in self.quotes:
            if clause.start <= start and end <= clause.end:
                text[start - clause.start : end - clause.start] = [" "] * (end - start)
        return "".join(text)

    def _titled(self, clause: _Span, sentence: _Span, first: int) -> str:
        """“拖鞋：防滑，300双” among goods: what stands before the colon, if the sentence counts something."""
        if (
            clause.start != sentence.start
            or len(self.goods.drafts) > first
            or len(self.goods.drafts) == self.line_first
        ):
            return ""
        title = re.match(rf"\s*([{HAN}A-Za-z]{{2,8}}):", self.text[clause.start : clause.end])
        counts = counts_in(MODEL.sub(blanked, self.text[sentence.start : sentence.end]))
        return title[1] if title and not _LIST_LEAD.match(title[0]) and any(c["unit"] for c in counts) else ""

    def _is_counted(self, counts: list[re.Match[str]], clause: _Span, sentence: _Span) -> bool:
        """With a unit; in English lists the plural does: 50 walkie-talkies."""
        words = self.text[clause.start : clause.end].strip()
        plural = bool(re.match(r"(?:and )?\d[\d,]*\s+[a-z][a-z -]*s$", words, re.IGNORECASE))
        return any(count["unit"] for count in counts) or (
            plural and bool(self._within(sentence.start, sentence.end))
        )

    def _quotes_in(self, clause: _Span) -> bool:
        return any(clause.start <= start and end <= clause.end for start, end in self.quotes)

    def _unknown(self, clause: _Span, noun: str, words: str) -> None:
        if _NOT_A_THING.search(noun) or noun in {"", SENTENCE}:
            return
        if refused := _NOT_THESE.search(noun):
            self.goods.unwanted.append(noun[: refused.start()])
            return
        draft = Draft((noun,), clause.start, clause.end)
        draft.figure, draft.content, _rest = figure_in(words.replace(noun, HERE * len(noun), 1))
        draft.is_unlimited = not draft.figure and bool(_NO_LIMIT.search(words))
        self.goods.drafts.append(draft)

    def _is_list(self, clause: _Span, sentence: _Span, first: int) -> bool:
        """Goods stand in this sentence, or the line is a number of a list, or the text asks here."""
        line = self.text.rfind("\n", 0, clause.start) + 1
        lead = self.text[line : clause.start]
        return (
            len(self.goods.drafts) > first
            or bool(self._within(sentence.start, sentence.end))
            or self._counts_much(sentence)
            or bool(NUMBERING.match(self.text[line : clause.end]))
            or bool(_ASKS.search(self.text[line : clause.end]))
            or bool(self.goods.drafts and not lead.strip())
        )

    def _counts_much(self, sentence: _Span) -> bool:
        """Two clauses or more that count something: an inventory, whatever it names."""
        clauses = [
            self.text[one.start : one.end] for one in _split(self.text, sentence.start, sentence.end, ",、")
        ]
        return sum(any(count["unit"] for count in counts_in(words)) for words in clauses) >= 2

    def _is_among_goods(self, clause: _Span, sentence: _Span) -> bool:
        """A name without a figure between names that are known, separated by 、."""
        around = self.text[max(0, clause.start - 1) : clause.start] + self.text[clause.end : clause.end + 1]
        words = self.text[sentence.start : sentence.end]
        listed = "、" in words and bool(_LIST_LEAD.match(words.lstrip())) and bool(self.goods.drafts)
        known = len(self._within(sentence.start, sentence.end)) >= 2 or (
            len(self.goods.drafts) > self.line_first and self.goods.drafts[-1].start >= sentence.start
        )
        return listed or ("、" in around and known)

    def _share(self, first: int) -> None:
        """“口罩、防护服各1000套”: the figure is every one's; “共1000”: nobody's alone."""
        drafts = self.goods.drafts[first:]
        if len(drafts) < 2:
            return
        last = drafts[-1]
        said = self.text[drafts[0].start : last.end + 20].split("\n")[0]
        if last.figure and EACH.search(said) and not any(draft.figure for draft in drafts[:-1]):
            for draft in drafts[:-1]:
                draft.figure = last.figure
        elif last.is_joint and not any(draft.figure for draft in drafts[:-1]):
            for draft in drafts:
                draft.figure, draft.is_joint = "", False
                draft.findings.append(found("joint-quantity"))


_FORM = re.compile(
    r"胶囊|颗粒|片剂?(?=\s*[\d(、,;。]|$)|口服液|注射液|注射剂|喷雾剂?|滴眼液|冻干粉针?|粉针|干混悬剂|分散片|缓释片"
)
_LIST_LEAD = re.compile(r"[^:、,]{0,14}(?:类|物资|用品|需求?|需要|设备|药品|耗材)\s*:")
_SINGLE = re.compile(r"\bsingle\b|单只", re.IGNORECASE)
_TOLD_AFTER = re.compile(
    r"^\s*(?:日产|月产|产能|可捐|已收到|库存|现存|剩|到货|已到(?!齐)|(?:have |has )?(?:arrived|been delivered))",
    re.IGNORECASE,
)
_BLEACH = re.compile(r"(?:(?<=[、,;:|/\t\n。 ])|^)84(?!\d|\s*[个只件套双副人年岁后前度%.:])", re.MULTILINE)
_OF_THE_HOUSE = re.compile(r"职工|编制|开放|设有|现有|本院|员工|医护|staff|-bed", re.IGNORECASE)
_RUMOUR = re.compile(r"未核实|未经核实|谣言|请勿轻信|\brumou?rs?\b|unverified", re.IGNORECASE)
_NOT_THESE = re.compile(r"\s*(?:不要|不需要?|不用|不收|无需)$")
_NO = re.compile(
    r"^[\s:]*(?:[-—/×]|0\s*[个只件套副双盒箱瓶]?(?:\(.*\))?)\s*$|^\W*(?:n|no|none(?: needed)?|nil|无|无需|不需要?|不要|否)\W*$",
    re.IGNORECASE,
)
_THANKS = re.compile(r"感谢|谢谢|thank", re.IGNORECASE)
_IS_NAME = re.compile(rf"[{HAN}A-Za-z()/\- ]{{2,12}}")
_FIGURE = re.compile(
    rf"(?:约|近)?\s*\d[\d,.]*\s*[万千百十]?\s*(?:余|多)?\s*(?:{UNITS})?(?:\s*以上)?|[一二两三四五六七八九十百千万]+\s*(?:{UNITS})?|不限|若干|大量|无上限|unlimited|any",
    re.IGNORECASE,
)


def _is_head_of_slashes(line: str) -> bool:
    return line.count(" / ") > 1 and sum(map(_is_a_head, line.split(" / "))) > 1


_WHOLE_DAY = re.compile(
    r"(?<!\d)20\d\d\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*[日号]|(?<!\d)20\d\d[-./]\d{1,2}[-./]\d{1,2}(?!\d)"
)


def _is_a_head(word: str) -> bool:
    heads = (*_HEADS.values(), _STOCK_HEAD, _DAILY_HEAD, _STILL_HEAD, _PLAN_HEAD)
    first = word.split(" ")[0]
    return any(head.fullmatch(word) or head.fullmatch(first) for head in heads)


_STILL_HEAD = re.compile(
    r"(?:还|尚|仍)?(?:差|缺)(?:口|额|少)?(?:数量?)?|short(?: by)?|shortfall|missing|gap|outstanding",
    re.IGNORECASE,
)
_PLAN_HEAD = re.compile(r"计划|原需求?|总需求?|目标|planned?|target", re.IGNORECASE)
_STOCK_HEAD = re.compile(
    r"(?:.*(?:库存|现有|现存|存量|已有|已到|已收|结余|on hand|received).*|(?:in )?stock)", re.IGNORECASE
)
_DAILY_HEAD = re.compile(
    r"日(?:均)?(?:用|消耗|需求?|耗)量?|每[日天](?:用|消耗|需求?)?量?|daily use|per day|burn rate",
    re.IGNORECASE,
)
_COUNTED_HEAD = re.compile(r"(?:申请|需求?|需要)?(?P<unit>箱|盒|件|瓶|包|桶|袋)数")
_HEADS = {
    "name": re.compile(
        r"(?:物资|物品|产品|品|商品|货品|设备|药品|耗材)?\s*(?:名称?|品名|种类|项目|物资|物品)|(?:items?|products?|goods|description|supplies)(?:\s*\S+)?",
        re.IGNORECASE,
    ),
    "number": re.compile(
        r"(?:申请|需求?|需要)?(?:箱|盒|件|瓶|包|桶|袋)数|(?:需求|需要|申请|缺口|所需|计划|急需)?(?:数量|数|量)(?:[\s(].*)?|申请|申领|需求|需要|所需|qty(?:[\s(].*)?|quantity|amount|number(?: needed)?|needed",
        re.IGNORECASE,
    ),
    "unit": re.compile(r"(?:计量)?单位|units?", re.IGNORECASE),
    "spec": re.compile(
        r"(?:规格|型号|标准|要求|备注|技术要求|执行标准|规格型号|参数|说明)+(?:[/、和]?(?:规格|型号|标准|要求))*|specifications?|standards?|remarks?|notes?",
        re.IGNORECASE,
    ),
    "at": re.compile(r"序号|编号|no\.?|#", re.IGNORECASE),
}


def _asks_after(lead: str) -> bool:
    """“收到…，现仍急需口罩”: what comes last before the names counts."""
    asked = max((match.end() for match in _ASKS.finditer(lead)), default=-1)
    told = max((match.end() for match in _NOT_ASKED.finditer(lead)), default=-1)
    return asked > told


def _lies_in(one: Mentioned | Quoted, other: Mentioned | Quoted) -> bool:
    inside = other.start <= one.start and one.end <= other.end
    return inside and one.end - one.start < other.end - other.start


def _split(text: str, start: int, end: int, separators: str) -> Iterator[_Span]:
    """Cut outside brackets; a comma or point between digits belongs to the number, unless a new number begins."""
    depth, begun = 0, start
    for place in range(start, end):
        sign = text[place]
        depth += (sign in OPENING) - (sign in CLOSING and depth > 0)
        ends = sign in separators or (sign == "." and ";" in separators and _ends_sentence(text, place, end))
        if ends and (sign == TAKEN or (not depth and not _in_number(text, place, end))):
            if place > begun:
                yield _Span(begun, place)
            begun, depth = place + 1, 0 if sign == TAKEN else depth
    if end > begun:
        yield _Span(begun, end)


def _ends_sentence(text: str, place: int, end: int) -> bool:
    """A point before a gap, not after a number of a list or the short form of a word."""
    return bool(re.match(r"\.(?:\s|$)", text[place:end])) and bool(
        re.search(r"[A-Za-z]{3}$|\d\d$|\)$", text[:place][-4:])
    )


def _in_number(text: str, place: int, end: int) -> bool:
    return (
        text[place] == ","
        and text[place - 1 : place].isdigit()
        and bool(re.match(r"\d{3}(?!\d)", text[place + 1 : end]))
    )
