"""Figures beside the names of goods, as texts write them: which number counts, what one package holds, what is demanded besides."""

import re

from supplies.intake.reading.plain import TAKEN
from supplies.intake.reading.quantities import UNITS, counts_in, says_content, unpacked

HAN = r"\u3400-\u9fff"
OPENING, CLOSING = "([{【〔《<", ")]}】〕》>"
EACH = re.compile(
    r"各(?:自|种)?(?=\s*[需\d约一二三四五六七八九十百千万])|分别(?=\d)|每[种样](?=\s*\d)|\beach\b",
    re.IGNORECASE,
)
_PER_DAY_WORDS = re.compile(
    r"(?:每[日天]|日均?)(?:需求?|消耗|用|使用|耗)?量?(?:约|为)?|per day|a day|daily", re.IGNORECASE
)
MODEL = re.compile(
    r"3M\s*[-A-Za-z\d+/、,.]*|\bsizes?\s*\d+(?:\.\d+)?|Tyvek\s*\d+|(?:型号|model(?: no\.?)?|品牌|brand)\s*:?\s*[-A-Za-z\d+/.]+|(?<![A-Za-z\d])(?:18[67]0s?|9132|8210|9123|9001|9010|20[59]\d|6200|7502|4565)(?![\d个只件套万])|"
    r"\d+(?:\.\d+)?\s*(?:%|％|°|度|码|号(?!\S)|cm|mm|层|级|类|岁|寸|fr|mg|毫克|ug|μg|iu|万?单位|kpa|mg/ml)(?:\s*[*x×/]\s*\d+(?:\.\d+)?\s*(?:cm|mm|码)?)*|(?:N|KN|P|R|FFP|DS|KF|PM|KP)\d+|[A-Z]{1,3}-?\d+[A-Z]?(?![A-Za-z\d个只])|第?[一二三四五六七八九十]+(?:次性|层|级|类|型|线|期|种|用|体|代|楼|院)|(?:level|class|type|grade)\s*[IV\d]+[A-Za-z]?",
    re.IGNORECASE,
)
MEASURE = r"(?:ml|毫升|公升|升|lit(?:er|re)s?|L|g|克|kg|公斤|千克)"
PACKAGE = r"(?:瓶|桶|支|袋|盒|bottles?|drums?|jerr[iy]\s?cans?|cans?|bags?)"
_MEASURED_PACK = re.compile(
    rf"(?P<size>\d+(?:\.\d+)?\s*{MEASURE})\s*(?:装|规格|/|每)?\s*(?:{PACKAGE})?\s*(?:装|规格)?\s*[)*x×,: ]*\s*(?P<count>\d[\d,.]*\s*[万千百]?)\s*(?P<pack>{PACKAGE})",
    re.IGNORECASE,
)
_PACK_MEASURED = re.compile(
    rf"(?P<count>\d[\d,.]*\s*[万千百]?)\s*(?P<pack>{PACKAGE})\s*[(*x× ]*(?:of|每瓶|每桶|规格)?\s*(?P<size>\d+(?:\.\d+)?\s*{MEASURE})(?:装|/{PACKAGE})?\)?",
    re.IGNORECASE,
)
_SIZE_SAID = re.compile(
    rf"(?:规格\s*:?\s*)\d+(?:\.\d+)?\s*{MEASURE}|\d+(?:\.\d+)?\s*{MEASURE}\s*(?:装|规格)", re.IGNORECASE
)
SIZED = re.compile(rf"\d+(?:\.\d+)?\s*{MEASURE}\s*(?:装|规格)?(?!\s*/)", re.IGNORECASE)
_PER_PACK = re.compile(r"(\d+)\s*(?:per|/|a)\s*(box|case|carton|pack)\b", re.IGNORECASE)
_COUNTED = "|".join(unit for unit in UNITS.split("|") if unit.isascii() and len(unit) > 2)
NUMBERING = re.compile(
    rf"^[\s(]*(?:[1-9]\d?\s*(?:[.)、:](?!\d)|\s(?!(?:{_COUNTED})\b)(?=\D))+|[-*•·●○◆■▪–—]\s*|[①-⑳]\s*|[(]?[一二三四五六七八九十]{1, 2}[、.)]\s*|[a-h][.)]\s)"
)
_ASKING = re.compile(
    r"^(?:(?:我院|本院|医院|我们|目前|当前|现|还|另|仍|最|急|亟|尚|特|特别|尤其|主要|极|十分|非常|严重|紧急)*(?:需要?(?!求)|缺(?!氧|血)少?|缺乏|短缺|紧缺|求购?|征集|募集|需求(?:物资)?(?:为|有|如下)?|包括|有|为|如)(?:捐赠)?(?:的)?(?:物资)?(?:主要)?(?:有|为|包括|如下)?|以及|及|和|与|或|各类|各种|等|大量|少量|(?:an?|the|some|any|more|also|and|or|we|our(?: hospital)?|urgently|need(?:ed|s|ing)?|require[ds]?|please|additional|further|for|of|in|are|is|most)\b\s*)+[\s:]*",
    re.IGNORECASE,
)
_AND_SO_ON = re.compile(
    r"\s*(?:等+(?:医用|医疗|防护|相关|各类|紧缺|急需)*(?:物资|用品|物品|设备|耗材|产品)?|etc\.?|and so on|and the like|\.\.\.|…+)[。.!]*\s*$",
    re.IGNORECASE,
)
_LONGEST_NAME = 24
CHANGED = re.compile(
    r"(?:由|从|from)\s*\d[\d,.万千]*\s*\w{0,2}?\s*(?:调整|改|更正|变更|增加?|减少?|扩大|提高|上调|下调|降低?|changed?)?(?:为|成|到|至|to)\s*",
    re.IGNORECASE,
)
CORRECTED = re.compile(
    rf"\d[\d,.]{{0,12}} ?[万千百]? ?(?:{UNITS})?[”\"'’)」』]? ?(?:系?笔误 ?,?)? ?(?:应为|实为|更正为) ?(?=\d)"
)
_WORDS_OF_NUMBERS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "eighty": 80, "hundred": 100, "thousand": 1000,
}  # fmt: skip
_NUMBER_WORDS = re.compile(
    rf"(?<!few )(?<!several )(?<!some )\b(?:(?:{'|'.join(_WORDS_OF_NUMBERS)})\b[ -]?)+", re.IGNORECASE
)
_MEDICINE_UNIT = re.compile(
    r"\b(?P<unit>capsules?|tablets?|vials?|syringes?|ampoules?|sachets?|doses?)\s+(?P<count>\d[\d,]*)(?!\w)",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?: \d{3})+(?![\d ])")
SENTENCE = "—"  # stands for words that are no name of goods
_NO_NOUN = re.compile(
    r"的|那种|任务|[来里]$|^[请那这]|[吗呢么谁您]|[一二三四五六七八九十\d]家|每家|^按|计$|我|们|已|了|^应|^为|岗位|来自|其中|^[每共]|现有|老人|护工|卡口|轮着|穿|合计|承担|接诊|收治|受.*委托|测算"
)
HERE = "\ue000"  # where the name stood


# 20、30个, 20/30套: from one to the other, or two amounts. What is measured (5、10ml) is a size.
_PIECES = "|".join(unit for unit in UNITS.split("|") if not re.fullmatch(MEASURE, unit, re.IGNORECASE))
_NEITHER = r"[^\sA-Za-z\d.,、/*×x+~–—-]"  # what a list is numbered by, a model or a range is not one of them
EITHER = re.compile(
    rf"(?:(?<={_NEITHER})|(?<={_NEITHER} )|(?<=[\t|]))\d{{1,7}}(?:[、/]\d{{1,7}}){{1,3}} ?[万千百]? ?(?:{_PIECES})(?![a-zA-Z])(?=[\s,;。、)]|$)"
)


def as_either(match: re.Match[str]) -> str:
    """The same with 或 between the figures, where they are alike enough to be amounts of one thing."""
    figures = re.findall(r"\d+", match[0])
    low, *_between, high = sorted(map(int, figures))
    if high > 10 * low or any(map(MODEL.fullmatch, figures)):
        return match[0]
    return re.sub("[、/]", "或", match[0])


def blanked(match: re.Match[str]) -> str:
    return " " * len(match[0])


def noun_in(words: str, counts: list[re.Match[str]]) -> str:
    """What is left of a clause when its figures, verbs and brackets are gone."""
    text = re.sub(
        r"\bsizes?\s+[\d.]+(?:\s*(?:to|-)\s*[\d.]+(?!\s*(?:pairs|pcs|pieces|boxes|sets|\d)))?",
        blanked,
        words,
        flags=re.IGNORECASE,
    )
    for count in counts:
        text = text.replace(count[0], " ", 1)
    text = re.sub(r"\([^()]*\)?", " ", text)
    text = re.sub(
        r"^\s*(?:[^:]{0,14}(?:类|物资|用品|需求?|需要|设备|药品|耗材)|[^:]{0,8}[栏注述])\s*:", "", text
    )
    text = _AND_SO_ON.sub("", NUMBERING.sub("", text))
    text = _ASKING.sub("", text.strip(" :.-()"))
    text = re.sub(
        r"(?:[一二三四五六七八九十\d]+家(?=一?共)|[两二三四五六\d]种|一共|就[够行好]|即可|规格|拟?请支援|照旧|不变|还要|数量|qty|quantity|每样|约|大约|左右|至少|需求量?|各|共计?|合计|以上|每[日天月]|日均?(?:消耗|用|需|耗)量?|余|多|份|不限|若干|大量|of|about|around|approx\.?|at least|total|each|per day|x|×|\*|=)",
        " ",
        text,
        flags=re.IGNORECASE,
    )
    noun = " ".join(text.split()).strip(" :.,-()/+~—")
    is_name = re.search(rf"[{HAN}A-Za-z]{{2}}", noun) and len(noun) <= _LONGEST_NAME
    return noun if is_name and not _NO_NOUN.search(noun) else SENTENCE if is_name else ""


def figure_in(text: str, *, is_measured: bool = True) -> tuple[str, str, str]:
    """The quantity in a piece, what one package holds, and what is demanded beside it; a mark stands for the names.

    is_measured    whether the goods are counted by volume or weight; of others 5 ml is a size
    """
    text = unpacked(_SAYINGS.sub(blanked, text))
    text = re.sub(r"(?<=\s)[x×](?=\d)", "x ", _NUMBER_WORDS.sub(_in_digits, text))
    text = _REACTIONS.sub("tests", _ONE_THING.sub("1", text))
    text = _TUBS.sub("boxes", _BOXES_IN_CASE.sub(_held_by_case, text))
    text = re.sub(r"\b[Bb]etween (\d[\d,]*) and (\d[\d,]*)", r"\1-\2", text)
    text = _THOUSANDS.sub(lambda figure: figure[0].replace(" ", ""), text)
    text = _PER_PACK.sub(r"\1 pcs per \2", _MEDICINE_UNIT.sub(r"\g<count> \g<unit>", text))
    text = _TIMES_EACH.sub(r"\g<count>(\g<content>/\g<pack>)", _SOME.sub(blanked, text))
    text = CORRECTED.sub(lambda said: HERE * len(said[0]), text)
    text = CHANGED.sub(lambda said: HERE * len(said[0]), text)
    text = _BOXED.sub(
        r"\g<count>\g<pack>(\g<content>只/\g<pack>)",
        _BOXES_OF.sub(r"\g<count>(\g<content> pcs/\g<pack>)", text),
    )
    text = _PACKED_TWICE.sub(_packed, _EACH_TIMES.sub(r"\g<count>\g<pack>(\g<each>)", text))
    if is_measured:
        text = nested(text)
        text = _BY_SIZE.sub(r"\g<count>瓶(\g<size>/瓶)", text)
        measured = _MEASURED_PACK.search(text) or _PACK_MEASURED.search(text)
        if measured:
            figure = f"{measured['count']}{measured['pack']}({measured['size']}/{measured['pack']})"
            return figure, "", _beside(text[: measured.start()] + " " + text[measured.end() :])
    demanded, demands = outside_brackets(text)
    kept, asides = outside_brackets(text if is_measured else STRENGTH.sub(blanked, text))
    cleaned = MODEL.sub(blanked, kept)
    cleaned = _SIZE_SAID.sub(blanked, cleaned)
    without_sizes = SIZED.sub(blanked, cleaned)
    if not is_measured or counts_in(without_sizes):
        cleaned = without_sizes
    content = next((aside for aside in asides if says_content(aside)), "")
    aside_unit = next((aside.strip() for aside in asides if re.fullmatch(UNITS, aside.strip())), "")
    if inline := _CONTENTS.search(cleaned):
        content, cleaned = content or inline[0], _CONTENTS.sub(blanked, cleaned)
    figure = counted_in(cleaned)
    if aside_unit and re.fullmatch(r"[\d,. ]+[万千百]?", figure):
        figure, demands = figure + aside_unit, [one for one in demands if one.strip() != aside_unit]
    size = next((aside.strip() for aside in asides if SIZED.fullmatch(aside.strip())), "")
    if is_measured and size and re.fullmatch(r"(?:x\s*)?[\d,. ]+[万千百]?", figure):
        figure = f"{figure.lstrip('x ')}瓶({size.removesuffix('装')}/瓶)"
    if not figure:
        used, figure = _figure_aside([aside for aside in asides if aside != content])
        demands = [one for one in demands if one != used]
    demands = [one for one in demands if one != content]
    return (
        figure,
        content,
        _beside(" ".join([demanded.replace(figure, " ") if figure else demanded, *demands])),
    )


def _figure_aside(asides: list[str]) -> tuple[str, str]:
    """The brackets that hold nothing but a figure, and it; of sizes counted one by one the sum: L码300套、XL码200套 are 500."""
    for aside in asides:
        plain = MODEL.sub(blanked, aside)
        sizes = [count for count in counts_in(plain) if count["unit"]]
        if (
            len(sizes) > 1
            and len({size["unit"] for size in sizes}) == 1
            and len(SIZE_WORD.findall(aside)) >= len(sizes)
        ):
            figures = [size["number"].replace(",", "") for size in sizes]
            if all(map(str.isdigit, figures)):
                return "", f"{sum(map(int, figures))}{sizes[0]['unit']}"
        plain = _LETTER_SIZES.sub(blanked, plain)
        words = _QUALIFIES_BEFORE.sub("", re.sub(rf"\d[\d,.]*\s*[万千百]?\s*(?:{UNITS})?", "", plain))
        if len(re.findall(rf"[{HAN}A-Za-z]", words)) > 2:
            continue
        if (sizes or re.fullmatch(r"\s*[约x×]?\s*\d[\d,]*\s*\+?\s*", plain)) and (
            figure := counted_in(HERE + plain)
        ):
            return aside, figure
    return "", ""


def packed_in(inner: str, outer: str) -> str:
    """50只/盒 in 40盒/箱 is 2000只/箱; of two contents that do not fit together the first."""
    one, other = _HOLDS.fullmatch(inner), _HOLDS.fullmatch(outer)
    if not inner:
        return outer
    if one is None or other is None or one["pack"] != other["unit"]:
        return inner
    return f"{int(one['count']) * int(other['count'])}{one['unit']}/{other['pack']}"


_LETTER_SIZES = re.compile(
    r"(?:sizes?\s+)?\bX{0,3}[SML]\b(?:\s*(?:and|or|to|[/,、-])\s*X{0,3}[SML]\b)*\s*[,;]?", re.IGNORECASE
)
_HOLDS = re.compile(rf"(?P<count>\d+)\s*(?P<unit>{UNITS})\s*/\s*(?P<pack>{UNITS})")


def _in_digits(words: re.Match[str]) -> str:
    total = part = 0
    for word in re.findall(r"[a-z]+", words[0].lower()):
        value = _WORDS_OF_NUMBERS[word]
        part = max(part, 1) * value if value >= 100 else part + value
    return f"{total + part} "


def nested(text: str) -> str:
    """500ml×20瓶/箱 are 10 litres a case."""
    return _NESTED.sub(lambda pack: f"{int(pack['size']) * int(pack['inner'])}ml/{pack['outer']}", text)


def cases_hold(words: str) -> str:
    """What one case holds, of “10 boxes of 100 per case”; else nothing."""
    said = _BOXES_IN_CASE.fullmatch(words.strip())
    return _held_by_case(said) if said else ""


def _held_by_case(match: re.Match[str]) -> str:
    """10 boxes of 100 per case: a case holds a thousand."""
    return f"{int(match['boxes']) * int(match['pieces'])} pcs per {match['case']}"


def _packed(match: re.Match[str]) -> str:
    """500毫升×20瓶×5箱: a hundred bottles of 500 ml."""
    bottles = int(match["inner"]) * int(match["outer"])
    return f"{bottles}{match['pack']}({match['size']}/{match['pack']})"


_TIMES_EACH = re.compile(
    r"(?P<count>\d[\d,]*\s*(?P<pack>[箱盒包袋件]|boxes|box|cartons?|cases?|packs?))\s*[*x×]\s*(?P<content>\d[\d,]*\s*[个只件套副双片支条])",
    re.IGNORECASE,
)
_BOXED = re.compile(r"(?P<content>\d+)[个只片]装\s*[×x*]\s*(?P<count>\d[\d,]*)\s*(?P<pack>[盒箱包袋])")
_BOXES_OF = re.compile(
    r"(?P<count>\d[\d,]*\s*(?P<pack>boxes|box|cases|cartons|packs|tubs|canisters|packets))\s+of\s+(?P<content>\d[\d,]*)(?!\w|\s*(?:boxes|packs|bags)\b)",
    re.IGNORECASE,
)
_NESTED = re.compile(
    r"(?P<size>\d+)\s*(?P<measure>ml|毫升)\s*[*x×]\s*(?P<inner>\d+)\s*(?:瓶|支|袋)\s*/\s*(?P<outer>箱|件)",
    re.IGNORECASE,
)
_SAYINGS = re.compile(
    r"(?:帮|拉|搭)(?:我们|他们|大家)?一把|一[件套个只台]?[都也](?:没|不)|(?:三|两|几)班"
)  # words with a numeral that count nothing
_REACTIONS = re.compile(r"\breactions?\b", re.IGNORECASE)
_TUBS = re.compile(r"\b(?:tubs?|canisters?|packets?)\b(?=\s+of\s+\d)", re.IGNORECASE)
_ONE_THING = re.compile(rf"\bone(?=\s+(?:[a-z-]+\s+){{0,2}}{HERE})", re.IGNORECASE)
_BOXES_IN_CASE = re.compile(
    r"(?P<boxes>\d{1,5})\s*(?:boxes|packs)\s+of\s+(?P<pieces>\d{1,6})\s*(?:per|/|in a|a)\s*(?P<case>case|carton)",
    re.IGNORECASE,
)
_SOME = re.compile(r"[几数上好多][十百千万]+余?")
_BY_SIZE = re.compile(
    rf"(?P<count>\d{{1,5}})\s*[x×*]\s*(?P<size>\d+(?:\.\d+)?\s*{MEASURE})(?![a-z])", re.IGNORECASE
)
_PACKED_TWICE = re.compile(
    rf"(?P<size>\d+(?:\.\d+)?\s*{MEASURE})\s*[*x×]\s*(?P<inner>\d{{1,5}})\s*(?P<pack>{PACKAGE})\s*[*x×]\s*(?P<outer>\d{{1,6}})\s*(?:箱|件|cartons?|cases?)",
    re.IGNORECASE,
)
_EACH_TIMES = re.compile(
    r"(?P<each>每(?P<pack>[箱盒包袋])\s*\d[\d,]*\s*[个只件套副双片支条])\s*[*x×]\s*(?P<count>\d[\d,]*)\s*(?P=pack)"
)
_CONTENTS = re.compile(
    rf"(?:每|一)\s*(?:{UNITS})\s*(?:装|有|=|为|含)?\s*\d[\d,]*\s*(?:{UNITS})|\d[\d,]*\s*(?:{UNITS})\s*(?:/|每|per )\s*(?:{UNITS})"
)
STRENGTH = re.compile(
    r"\d+(?:\.\d+)?\s*(?:mg|g|ug|μg|iu|万?单位|毫克|克)(?:/\s*(?:ml|支|片|粒|瓶))?\s*(?:[*x×](?=\s*\d+\s*[粒片支袋]))?",
    re.IGNORECASE,
)
SIZE_WORD = re.compile(
    r"(?:X{0,3}[SML]|[中大小]|加大|特大|\d{2,3})\s*(?:码|号)|\b(?:size )?X{0,3}[SML]\b", re.IGNORECASE
)


def outside_brackets(text: str) -> tuple[str, list[str]]:
    asides = [aside for aside in re.findall(r"[(\[【<]([^()\[\]【】<>]*)[)\]】>]?", text) if aside.strip()]
    return re.sub(r"[(\[【<][^()\[\]【】<>]*[)\]】>]?", blanked, text), asides


def counted_in(text: str) -> str:
    """The figure of a piece with the words that qualify it; a bare number counts only beside the name."""
    counts = [
        count for count in counts_in(text) if may_count(count) and not _OF_PEOPLE.match(text, count.end())
    ]
    with_unit = [count for count in counts if count["unit"]]
    if counts and re.search(rf"{HERE}\s*(?:要|缺|来|需要)\s*$", text[: counts[0].start()]):
        return _qualified(text, counts[0])
    if with_unit:
        return _qualified(text, with_unit[0])
    for count in counts:
        if "." in count["number"] and not re.search(r"[万千百kKwW]", count["number"]):
            continue  # 7.5 is a size
        before, after = text[: count.start()], text[count.end() :]
        if re.search(
            rf"(?:{HERE}|[:x×*=]|需求?|要|缺|差|来|\bneed|\bwant|\.{{2,}}|\s[–—-]+|数量|约|近|至少|需要|共|需求量)\s*(?:大约|at least|about|around|approx\.?)?\s*$",
            before,
        ) or re.match(rf"\s*(?:[x×]\s*)?(?:[a-z-]+\s+){{0,4}}{HERE}", after):
            return _qualified(text, count)
        if re.fullmatch(rf"[\s{HERE}]*", after) and re.search(rf"{HERE}\s+$", before):
            return _qualified(text, count)
    return ""


def may_count(count: re.Match[str]) -> bool:
    """Not the “one” of 一次性, and not a numeral alone without its unit."""
    number = count["number"]
    return bool(count["unit"]) or bool(re.match(r"\d", number)) or len(number) >= 2


def _qualified(text: str, count: re.Match[str]) -> str:
    before = _QUALIFIES_BEFORE.search(text[: count.start()])
    after = _QUALIFIES_AFTER.match(text[count.end() :])
    start = before.start() if before else count.start()
    return text[start : count.end() + (after.end() if after else 0)].strip(" :,、()")


_OF_PEOPLE = re.compile(r"人|月|小时|病区|科室|班")
_QUALIFIES_BEFORE = re.compile(
    rf"(?:约|近|大约|大概|至少|不少于|不低于|最少|最低|预计|>=?|≥|~|about|around|approx\.?|at least|min\.?|nearly|日均?(?:消耗|用|需|耗)量?|[每日][日天均]?(?:需求?|消耗|用|产)?量?|(?:\d[\d.,]*\s*[万千百]?\s*(?:{UNITS})?|[一二两三四五六七八九十百千万]+)\s*(?:-|—|–|~|至|到|to)+|(?:\d{{1,7}}(?: ?或者? ?| or ))+)\s*:?\s*$",
    re.IGNORECASE,
)
_QUALIFIES_AFTER = re.compile(
    rf"\s*(?:以上|左右|上下|余|多|起|\+|or more|at least|/\s*[日天]|每[日天]|/\s*day|per day|a day|daily|(?:-|—|–|~|至|到|to)+\s*\d[\d.,]*\s*[万千百]?)|(?: ?或者? ?| or )\d[\d.,]* ?[万千百]? ?(?:{UNITS})(?![a-zA-Z])",
    re.IGNORECASE,
)


def _beside(text: str) -> str:
    """What is demanded: before the name without the verbs that ask, after it as written."""
    before, here, after = text.partition(HERE)
    return " ".join(filter(None, (tidied(before), demanded(after)))) if here else tidied(text)


def demanded(text: str) -> str:
    words = " ".join(_AND_SO_ON.sub("", text.replace(HERE, " ").replace(TAKEN, " ")).split())
    words = _PER_DAY_WORDS.sub("", EACH.sub(" ", words)).strip(" :,、;()/x×*.")
    return "" if _SAYS_COUNT.fullmatch(words) or not re.search(rf"[{HAN}A-Za-z]", words) else words


_SAYS_COUNT = re.compile(
    r"(?:数量|需求量?|不限|若干|大量|需要?|各|共计?|约|一批|个|只|套|均|都|急|缺|紧|多多益善|越多越好|较?大|left|of|needed|\s)*",
    re.IGNORECASE,
)


def tidied(text: str) -> str:
    words = _AND_SO_ON.sub("", text.replace(HERE, " ").replace(TAKEN, " "))
    words = _PER_DAY_WORDS.sub("", EACH.sub(" ", words))
    words = _ASKING.sub("", " ".join(words.split()).strip(" :,、;()/x×*"))
    if _SAYS_COUNT.fullmatch(words):
        return ""
    return words.strip(" :,、;()/.-") if re.search(rf"[{HAN}A-Za-z]", words) else ""


def depth_at(text: str, start: int, place: int) -> int:
    depth = 0
    for sign in text[start:place]:
        depth += (sign in OPENING) - (sign in CLOSING and depth > 0)
    return depth
