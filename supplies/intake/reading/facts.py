"""What an announcement says beside goods: who asks, whom to call, where to send, from whom, and which account to hide.

Each reader takes what it understood out of the text, so that no stretch is read twice and what is left was read by nobody.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from .contacts import MAIL, Line, Person, by_mail, numbers_in
from .plain import BESIDE, TAKEN, Reading

_HAN = r"\u3400-\u9fff"
_END = rf"[\n。;!?{TAKEN}]"

# -- links, mails, accounts -----------------------------------------------------------------------------

_LINK = re.compile(
    rf"(?:(?:原文|官方|公告|来源|信息)?(?:链接|网址|出处|来源)|source|link)?\s*:?\s*(?P<link>https?://[^\s,。;、)<>\"'{_HAN}{TAKEN}]+)",
    re.IGNORECASE,
)
_ACCOUNT_WORD = (
    r"(?:银行)?[账帐][户号](?:名称?|名)?|户\s*名|卡\s*号|开户(?:银?行|名|单位)|收款(?:单位|人|账户)|行\s*号|汇款(?:附言|备注)|"
    r"银行卡|account(?:\s*(?:name|no\.?|number|holder))?|iban|swift(?:\s*code)?|bank(?:\s*(?:name|account|transfer))?|beneficiary|sort code|支付宝|"
    r"(?:捐款|资金|善款)(?:账户|账号|渠道|通道)"
)
_SENTENCE = re.compile(rf"[^\n。;{TAKEN}]+")
_ACCOUNT = re.compile(
    rf"(?:{_ACCOUNT_WORD})\s*(?:[:为是]|(?=\d))\s*(?:[^\n。;.{TAKEN}]|\.(?!\s))*",
    re.IGNORECASE,
)
_ACCOUNT_NUMBER = re.compile(
    r"(?<![\dA-Za-z.])(?:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?|\d(?:[ -]?\d){11,24})(?![\dA-Za-z])"
)


def take_links(reading: Reading) -> str:
    """The first link; the others are taken too."""
    found = reading.take_all(_LINK)
    return found[0]["link"].rstrip(".") if found else ""


class Mail(NamedTuple):
    start: int
    address: str


def take_mails(reading: Reading) -> list[Mail]:
    """Addresses to write to; one that money is sent to is an account."""
    found = []
    for match in list(MAIL.finditer(reading.rest)):
        lead = reading.rest[max(0, match.start() - BESIDE) : match.start()].rpartition("\n")[2]
        if not re.search(rf"(?:{_ACCOUNT_WORD})\W*$", lead, re.IGNORECASE):
            found.append(Mail(match.start(), match["mail"]))
        reading.take(*match.span())
    return found


def take_accounts(reading: Reading) -> int:
    """Take lines about money away and say how many accounts they held. None of it is ever stored as a need."""
    accounts = end = 0
    for sentence in list(_SENTENCE.finditer(reading.rest)):
        start = max(end, sentence.start())
        until = sentence.end() + 2  # a line end and a figure: the number may stand on the next line
        while start < sentence.end() and (said := _ACCOUNT.search(reading.rest, start, until)):
            if said.end() >= sentence.end():
                said = _ACCOUNT.match(reading.rest, said.start()) or said
            end = said.end()
            accounts += len(_ACCOUNT_NUMBER.findall(reading.rest[start:end]))
            reading.settle(start, end)
            start = end
    return accounts


def take_bare_accounts(reading: Reading) -> int:
    """Long numbers that nothing else explains. Read after the numbers to call, of which two in a row look alike."""
    accounts = 0
    for match in list(_ACCOUNT_NUMBER.finditer(reading.rest)):
        if sum(sign.isdigit() for sign in match[0]) >= 15:
            accounts += 1
            reading.settle(*match.span())
    return accounts


# -- people ---------------------------------------------------------------------------------------------

_ROLE = "老师|主任|副主任|医生|大夫|护士长|护士|先生|女士|科长|处长|院长|副院长|经理|同志|部长|队长|干事|师傅|助理|秘书|书记|小姐|警官|教授|药师|股长|站长|会长|会计|出纳|校长|保管|主管"
_PERSON_ZH = rf"(?:[{_HAN}]{{1,3}}某{{0,2}}(?:{_ROLE})|[{_HAN}]{{1,2}}某{{1,2}}|某[{_HAN}]{{1,2}})"
_TITLE_EN = r"(?:Dr|Mr|Mrs|Ms|Miss|Prof|Professor|Nurse|Sister)\.?"
_PERSON_EN = rf"(?:{_TITLE_EN} [A-Z][\w'-]+(?: [A-Z][\w'-]+)?|[A-Z][a-z'-]+(?: [A-Z][\w'-]+){{1,2}})"
_CALL = (
    r"(?:物资|捐赠|接收|科室|紧急|24小时|值班|办公|设备科|固定|移动|咨询|爱心|对外){0,4}(?:联系|联络|值班|服务|咨询|收件|捐赠|接收|收货|办公)?(?:电话|手机|座机|热线|方式|号码|总机)(?:号码)?|"
    r"(?:联系|负责|收件|收货|接收|经办|对接|联络)人(?:员)?(?:及?电话|及?联系方式)?|(?:请)?(?:致电|拨打|来电|联系|咨询)|微信同号|手机同微信|"
    r"contact(?: person| us| details)?|phone|tel(?:ephone)?|mobile|cell|call|attn|whatsapp|name|hotline"
)
_LABELS = re.compile(rf"(?:(?:{_CALL})(?![a-z])[\s.:,/()]*)+", re.IGNORECASE)
_LABEL = re.compile(rf"(?:{_CALL})(?![a-z])[ .:/()]*", re.IGNORECASE)  # commas part the columns of a table
_SAID_AT_END = re.compile(
    r"(?:contact(?: person)?|attn|name)\s*:\s*(?P<name>[A-Z][\w'-]{1,20}(?: (?!(?:office|department|ward|desk|unit|team|hotline|number|stores?)\b)[\w'-]{1,20}){1,2})$",
    re.IGNORECASE,
)
_NAMED_AT_END = re.compile(rf"(?P<name>{_PERSON_ZH}|{_PERSON_EN})\s*(?:\([^()\n]{{1,8}}\)?)?[\s:,、/()-]*$")
_LEADS_TO_NAME = re.compile(r"^.*[科部办室处院人系联拨找打员管是叫请与和或问收给至到向即](?=.)")
_SAME_PERSON = re.compile(
    r"(?:[ \t/、,:或和及()]|办公室|手机|座机|电话|单位|值班|tel|mobile|office)*", re.IGNORECASE
)
_SHORT_NAME_AT_END = re.compile(rf"(?:^|[\s:,;、/(){TAKEN}])(?P<name>[{_HAN}·]{{2,4}})[\s:,/(-]*$")
_NAME_AFTER = re.compile(rf"^[\s:,(/-]*(?:找|联系|是)?\s*(?P<name>{_PERSON_ZH}|{_PERSON_EN})")
_NAME_IN_BRACKETS = re.compile(rf"\s*\((?P<name>{_PERSON_ZH}|{_PERSON_EN})\)")
_NAME_ABOVE = re.compile(rf"(?:^|(?<=\n))[ \t]*(?P<name>{_PERSON_ZH}|{_PERSON_EN})[ \t:]*\n\Z")
_NAME_LINE = re.compile(
    rf"(?:(?:联系|负责|收件|收货|接收|经办|对接|联络)人(?:员)?|contact(?: person)?|attn|name)\s*:\s*(?P<names>(?:{_PERSON_ZH}|{_PERSON_EN}|[{_HAN}·]{{2,4}})(?:(?>\s*[、/,]\s*|\s+)(?:{_PERSON_ZH}|{_PERSON_EN}|[{_HAN}·]{{2,4}})){{0,7}})\s*(?=$|[\n;,。{TAKEN}]|{_CALL})",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"(?:科|部|办|室|处|院|局|中心|电话|手机|联系|地址|热线|方式|号码|总机|值班|分机|时间|微信|同号|如下|咨询|物资|捐赠|白天|夜间|座机|以及|或者|或|和|及)$|^(?:请|如|有|为|我|本|可|转|或|电|拨|打|这|那|都|任|无|白天|晚上|夜间|票据|物资)"
)
_LONGEST_LEAD = 80  # characters before a number among which its name and labels stand


def take_people(reading: Reading, mails: Iterable[Mail] = ()) -> tuple[Person, ...]:
    """Every number with the name that stands with it; names on a line of their own belong to the numbers that follow."""
    people: dict[str, Person] = {}
    stand: dict[str, int] = {}  # where each of them stands
    waiting = _names_waiting(reading)
    end_before, name_before = 0, ""
    for start, end, person in numbers_in(reading.rest):
        if person.line is Line.SERVICE and _IS_TRANSPORT.search(_line_around(reading.rest, start, end)):
            continue
        clause = _start_of_clause(reading.rest, start, end_before)
        before = reading.rest[clause:start]
        name, name_start = _name_before(before)
        if not name and (beside := _NAME_IN_BRACKETS.match(reading.rest, end)):
            name, end = beside["name"], beside.end()
        if not name and not before.strip() and (above := _NAME_ABOVE.search(reading.rest, 0, clause)):
            name = above["name"]
            reading.take(*above.span("name"))
        if (
            not name
            and end_before
            and _SAME_PERSON.fullmatch(reading.rest[end_before:start].replace(TAKEN, ""))
        ):
            name = name_before
        if not name and (after := _name_after(reading.rest[end : end + BESIDE], before)):
            name, end = after[0], end + after[1]
        if not name:
            name = _name_waiting(waiting, start)
        first = clause + (name_start if name_start is not None else _label_start(before))
        reading.take(first, end)
        end_before, name_before = end, name
        stand.setdefault(person.number + person.extension, start)
        people.setdefault(person.number + person.extension, replace(person, name=name))
    for name_span in waiting:
        reading.take(name_span.start, name_span.end)
        if (
            people
            and len(name_span.names) > 1
            and name_span.names[0] not in {one.name for one in people.values()}
        ):
            key, shared = next(reversed(people.items()))  # one line for all who are named
            if shared.name in name_span.names:
                del people[key]
            stand |= {f"{shared.number}{name}": stand.get(key, name_span.start) for name in name_span.names}
            people |= {f"{shared.number}{name}": replace(shared, name=name) for name in name_span.names}
    for mail in mails:
        _reach_by_mail(people, stand, mail, _name_waiting(waiting, mail.start))
    reading.take_all(_LABEL)
    return tuple(people.values())


def _reach_by_mail(people: dict[str, Person], stand: Mapping[str, int], mail: Mail, name: str) -> None:
    """An address is whose number stands last before it, or else next; one more of it is a contact of its own."""
    free = [key for key in stand if key in people and not people[key].email]
    before = [key for key in free if stand[key] < mail.start]
    if beside := before[-1:] or free[:1]:
        people[beside[0]] = replace(people[beside[0]], email=mail.address)
    else:
        people.setdefault(mail.address, by_mail(name, mail.address))


@dataclass
class _Waiting:
    start: int
    end: int
    names: list[str]


def _names_waiting(reading: Reading) -> list[_Waiting]:
    return [
        _Waiting(
            match.start(),
            match.end(),
            re.findall(rf"{_PERSON_ZH}|{_PERSON_EN}|[{_HAN}·]{{2,4}}", match["names"]),
        )
        for match in _NAME_LINE.finditer(reading.rest)
    ]


def _name_waiting(waiting: list[_Waiting], place: int) -> str:
    """The next name of the nearest line of names before this place, at most a hundred signs away."""
    near = [one for one in waiting if one.end <= place <= one.end + 100]
    if not near:
        return ""
    names = near[-1].names
    return names.pop(0) if len(names) > 1 else names[0] if names else ""


def _start_of_clause(text: str, start: int, least: int) -> int:
    least = max(least, start - _LONGEST_LEAD)
    cut = max((text.rfind(sign, least, start) for sign in ";\n。!?" + TAKEN), default=-1)
    return max(cut + 1, least)


def _name_before(before: str) -> tuple[str, int | None]:
    plain = before
    while (label := re.search(rf"(?:{_LABELS.pattern})$", plain, re.IGNORECASE)) and label.start() < len(
        plain
    ):
        plain = plain[: label.start()]
    plain = plain.rstrip(" \t:,、/()-")
    for pattern in (_NAMED_AT_END, _SHORT_NAME_AT_END, _SAID_AT_END):
        found = pattern.search(plain)
        if found is None:
            continue
        role = re.search(rf"(?:{_ROLE})$", found["name"])
        lead = _LEADS_TO_NAME.match(found["name"][: role.start()]) if role else None
        start = found.start("name") + (lead.end() if lead else 0)
        name = plain[start : found.end("name")]
        if not _NO_NAME.search(name):
            return name.strip(), _label_start(plain[:start])
    return "", None


def _line_around(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - BESIDE) : start], text[end : end + BESIDE]
    return before.rpartition("\n")[2] + after.split("\n")[0]


def _name_after(after: str, before: str) -> tuple[str, int] | None:
    found = _NAME_AFTER.match(after.split("\n")[0])
    if (
        found is None
        or re.match(r"\s*[:：]?\s*[\d(+]", after[found.end() :])
        or re.search(r"[\w]{5}", _LABELS.sub("", before))
    ):
        return None
    return found["name"], found.end()


def _label_start(before: str) -> int:
    """Where the label begins that leads to the number: 联系电话:, Phone."""
    plain = before.rstrip()
    start = len(plain)
    while label := re.search(rf"(?:{_CALL})[\s:,/()]*$", plain[:start].rstrip(" :,/()"), re.IGNORECASE):
        if label.start() >= start:
            break
        start = label.start()
    return start


_IS_TRANSPORT = re.compile(r"绿色通道|专项通道|顺丰|快递公司|物流专线|邮政专线|green channel", re.IGNORECASE)


# -- addresses ------------------------------------------------------------------------------------------

_COURIER = (
    r"(?:快递|邮寄|寄送|寄件|收件|邮政|快件|包裹|物流)(?:接收|收货)?(?:地址|地点|收件地址)|快递(?:收货|收件|接收)?(?=\s*:)|寄(?:至|到|往)|邮寄(?:至|到)|请寄|寄件请写|快件请投|收件(?:处|地点)|请发[^\n:,。]{0,10}至|"
    r"courier(?: address)?|mailing address|postal address|ship(?:ping)?(?: address| to)|send (?:parcels |packages |donations )?to|mail(?:ed)? to"
)
_HANDOVER = (
    r"(?:交接|对接|现场(?:接收|捐赠|交接)?|送货|送达|自送|车辆|卸货|接收|收货|捐赠(?:物资)?(?:接收|收货|交接)?|物资(?:接收|交接|收货)|接货|自提|面交)(?:地址|地点|处|点)|(?:车辆|现场)?(?:交接|对接)(?=\s*:)|(?:国内)?货车(?=\s*:)|送货(?=\s*:)|整车请开到|接货地|bring to|by (?:car|truck|van)(?=\s*:)|送货?(?:直接)?(?:至|到|往)|"
    r"hand-?over(?: point| address| place)?|drop[- ]?off(?: point| address| location)?|deliver(?:y|ies)?(?: address| point| to| by hand to)|loading dock|receiving (?:address|point|dock)"
)
_PLAIN_ADDRESS = (
    r"(?:医院|单位|详细|通讯|通信|联系|我院)?地\s*址\d?|(?:收货|收件|接收)(?=\s*:)|address|location"
)
_ADDRESS = re.compile(
    rf"(?P<courier>{_COURIER})|(?P<handover>{_HANDOVER})|(?P<plain>{_PLAIN_ADDRESS})", re.IGNORECASE
)
_WORDS_BEFORE = re.compile(r"(?:快递|邮寄|寄送)[^\n]{0,8}$")
_ADDRESS_ENDS = re.compile(
    rf"[\n;。!?{TAKEN}]|\.(?=\s|$)|[,、 ]\s*(?=(?:{_CALL})|(?:邮编|请|注明|并|如|需|收件人|联系|电话))|(?=邮编|联系人|收件人|电话)",
    re.IGNORECASE,
)
_LONGEST_ADDRESS = 200
_LOOKS_LIKE_A_PLACE = re.compile(
    r"[省市区县镇乡村路街道号楼栋院库港门口室]|\b(?:road|rd|street|st|avenue|ave|lane|building|district|gate|dock|city|hospital|warehouse|drive|blvd|floor)\b",
    re.IGNORECASE,
)
_BARE_ADDRESS = re.compile(
    rf"(?<![{_HAN}])(?=[{_HAN}\d]{{4,40}}(?:号|路|街))(?:[{_HAN}]{{2,7}}省)?(?:[{_HAN}]{{2,7}}?[市州])(?:[{_HAN}]{{1,7}}?[区县市])?[{_HAN}\d]{{0,20}}?(?:路|街|大道|巷|村|镇)[{_HAN}\d\-]{{0,6}}号?[{_HAN}\d]{{0,12}}"
)


_PLACE = re.compile(rf"(?:所在|所属)?(?:地区|城市|省市区?|区域|县市区?)\s*:\s*(?P<place>[{_HAN} ]{{2,30}})")


def take_place(reading: Reading) -> str:
    """The region a form names on a line of its own."""
    found = _PLACE.search(reading.rest)
    if found is None:
        return ""
    reading.take(*found.span())
    return found["place"].replace(" ", "")


@dataclass(frozen=True)
class Addresses:
    """Where a courier goes and where goods are handed over; an address without such a word serves couriers."""

    courier: str = ""
    handover: str = ""


def take_addresses(reading: Reading) -> Addresses:
    found: dict[str, str] = {}
    for match in list(_ADDRESS.finditer(reading.rest)):
        if TAKEN in reading.rest[match.start() : match.end()]:
            continue
        kind = str(match.lastgroup)
        value = _address_after(
            reading.rest,
            match.end(),
            needs_colon=match[0][0] not in "寄送请" and match[0][-1] not in "至到往",
        )
        if value is None:
            continue
        start, end = value
        text = reading.written(start, end).strip(" :,、()（）：，")
        reading.take(match.start(), end)
        found.setdefault(kind, " ".join(text.split()))
    if not found and (bare := _BARE_ADDRESS.search(reading.rest)):
        reading.take(*bare.span())
        found["plain"] = reading.written(*bare.span())
    courier = (
        found.get("courier") or found.get("plain", "")
        if "handover" not in found
        else found.get("courier", "")
    )
    handover = found.get("handover") or (found.get("plain", "") if "courier" in found else "")
    if "handover" in found and "plain" in found and not courier:
        courier = found["plain"]
    return Addresses(courier, handover)


def _address_after(text: str, start: int, *, needs_colon: bool) -> tuple[int, int] | None:
    lead = re.match(r"(?:\s*\([^)\n]{0,12}\))?\s*[:为是至]?\s*", text[start : start + BESIDE])
    assert lead is not None
    if needs_colon and not re.search(r"[:为是至\n]", lead[0]) and not re.match(r"[A-Za-z]", text[start - 1]):
        return None
    start += lead.end()
    ending = _ADDRESS_ENDS.search(text, start, start + _LONGEST_ADDRESS + 1)
    end = ending.start() if ending else min(len(text), start + _LONGEST_ADDRESS + 1)
    value = text[start:end]
    if len(value.strip()) < 3 or len(value) > _LONGEST_ADDRESS or not _LOOKS_LIKE_A_PLACE.search(value):
        return None
    return start, end


# -- rules ----------------------------------------------------------------------------------------------

_SIGN = rf"(?:[^\n。;,!?.{TAKEN}]|\.(?=\S))"
_CLAUSE = re.compile(rf"{_SIGN}+")
_ABROAD = r"(?:境外|海外|国外|国际|overseas|abroad|foreign|international)"
_REFUSES_ABROAD = re.compile(
    rf"(?:(?:不|未|无法|谢绝|拒绝|停止|不能|cannot|can't|not|unable|no){_SIGN}{{0,25}}{_ABROAD}|{_ABROAD}{_SIGN}{{0,20}}(?:不接|不予|暂不|不收|谢绝|not|cannot))",
    re.IGNORECASE,
)
_ASKED_ABROAD = re.compile(
    rf"是否{_SIGN}{{0,60}}{_ABROAD}{_SIGN}{{0,60}}[:?]\s*(?:(?P<no>否|不|no)|是|可以?|能|yes){_SIGN}*",
    re.IGNORECASE,
)
_TAKES_ABROAD = re.compile(
    rf"(?:(?:接[受收]|欢迎|可以?|收|accept|welcome|take){_SIGN}{{0,20}}{_ABROAD}|{_ABROAD}{_SIGN}{{0,30}}(?:可|欢迎|接[受收]|清关|报关|welcome|accept|customs))",
    re.IGNORECASE,
)
_PERSONS = r"(?:个人|私人|individuals?|private (?:persons?|senders?|donors?|individuals?))"
_BODIES = r"(?:单位|企业|机构|公司|团体|组织|organi[sz]ations?|companies|charities|institutions?)"
_REFUSES_PERSONS = re.compile(
    rf"(?:(?:不|谢绝|暂不|拒绝|无法|not?|cannot|can't|unable|no){_SIGN}{{0,25}}{_PERSONS}|(?:只|仅|限|only){_SIGN}{{0,20}}{_BODIES}|对象\s*:{_SIGN}{{0,20}}(?:不收|不接[受收]|不含)个人|{_BODIES}{_SIGN}{{0,15}}\bonly\b|{_PERSONS}{_SIGN}{{0,12}}(?:不接|暂不|不予|cannot|not))",
    re.IGNORECASE,
)
_TAKES_PERSONS = re.compile(
    rf"(?:接[受收]|欢迎|可以?|accept|welcome){_SIGN}{{0,20}}{_PERSONS}|{_PERSONS}{_SIGN}{{0,20}}(?:均可|都可|皆可|可以|welcome|accepted)",
    re.IGNORECASE,
)
_TRANSPORT = re.compile(
    r"(?:绿色通道|专项通道|救灾捐赠物资|救援物资|物资通行|通行证|派车|车辆接|接应|顺丰|邮政|\bems\b|中通|圆通|韵达|京东物流|德邦|自行送|送货上门|运输|发件|寄件|快递公司|卸货|报备|green channel|permit|police|pick ?up|courier|freight|logistics|trucks?|vehicle|customs|清关|报关|免税)",
    re.IGNORECASE,
)
_TO_BE_WRITTEN = re.compile(r"备注|注明|标注|写明|强调|label|mark", re.IGNORECASE)


class Sender(StrEnum):
    PERSON = "person"
    COMPANY = "company"
    ORGANISATION = "organisation"
    GOVERNMENT = "government"


@dataclass(frozen=True)
class Rules:
    """From whom goods may come. None: nothing is said."""

    accepts_overseas: bool | None = None
    senders: frozenset[str] | None = None
    transport: str = ""


def take_rules(reading: Reading) -> Rules:
    overseas = _asked_abroad(reading)
    if overseas is None and _take_clauses(reading, _REFUSES_ABROAD):
        overseas = False
    elif overseas is None and _take_clauses(reading, _TAKES_ABROAD):
        overseas = True
    senders: frozenset[str] | None = None
    if refused := _take_clauses(reading, _REFUSES_PERSONS):
        senders = _bodies(" ".join(reading.plain.text[start:end] for start, end in refused))
    elif _take_clauses(reading, _TAKES_PERSONS):
        senders = frozenset(Sender)
    transport = _take_clauses(reading, _TRANSPORT, goes_on=_TO_BE_WRITTEN)
    said = [reading.written(start, end).strip(" ,、，") for start, end in transport]
    return Rules(overseas, senders, "\n".join(said))


def _asked_abroad(reading: Reading) -> bool | None:
    """The answer a form gives: 是否接受境外捐赠：否."""
    for sentence in _SENTENCE.finditer(reading.rest):
        if said := _ASKED_ABROAD.search(reading.rest, sentence.start(), sentence.end()):
            reading.take(sentence.start(), said.end())
            return said["no"] is None
    return None


def _take_clauses(
    reading: Reading, saying: re.Pattern[str], *, goes_on: re.Pattern[str] | None = None
) -> list[tuple[int, int]]:
    """Take every clause that says it, with the next one behind a comma if that goes on: where they stood.

    A clause is cut before it is searched: a pattern that begins with all that may stand before it takes the square of the time.
    """
    spans: list[tuple[int, int]] = []
    clauses = [clause.span() for clause in _CLAUSE.finditer(reading.rest)]
    for at, (start, end) in enumerate(clauses):
        if spans and start < spans[-1][1]:
            continue
        if saying.search(reading.rest, start, end):
            after = clauses[at + 1] if at + 1 < len(clauses) else (0, 0)
            if goes_on and reading.rest[end : after[0]] == "," and goes_on.search(reading.rest, *after):
                end = after[1]
            spans.append((start, end))
    for start, end in spans:
        reading.take(start, end)
    return spans


def _bodies(said: str) -> frozenset[str]:
    """The senders a rule names; every public one where it only says whom it refuses, or just “units”."""
    if not re.search(r"只|仅|限|对象|only", said, re.IGNORECASE) or re.search(r"单位", said):
        return frozenset(set(Sender) - {Sender.PERSON})
    named = {
        Sender.COMPANY: r"企业|公司|compan|business",
        Sender.ORGANISATION: r"组织|机构|团体|慈善|基金会|红十字|organi[sz]ation|charit|institution|NGO",
        Sender.GOVERNMENT: r"政府|机关|government|public bod",
    }
    found = {kind for kind, words in named.items() if re.search(words, said, re.IGNORECASE)}
    return frozenset(found or set(Sender) - {Sender.PERSON})


# -- who asks -------------------------------------------------------------------------------------------

_BODY = r"(?:医院|卫生院|保健院|医疗中心|中心医院|急救中心|疾控中心|疾病预防控制中心|血液中心|血站|卫生服务中心|隔离点|康复驿站|养老院|福利院|护理院|方舱(?!医院)|卫生站|卫生室|红十字会|慈善总会|慈善会|卫健委|卫生健康委员会|卫生局|指挥部|医共体|医疗集团|诊所|肿瘤中心|救治中心)"
_WING = r"(?:\s*\([^()\n]{1,16}\)|[东西南北新老本总分]?[A-Za-z\u3400-\u9fff]{0,6}(?:院区|分院|院部|校区))?"
_ORGANISATION = re.compile(
    rf"(?P<name>[{_HAN}A-Za-z0-9·]{{1,24}}?{_BODY}(?:附属[{_HAN}]{{1,10}}医院)?{_WING})"
)
_LABEL_OF_NAME = re.compile(
    rf"(?:^|(?<=[\n\t|;,。\[(【:]))[ ]*(?:(?:医院|单位|机构|受赠(?:单位|方)|受捐(?:单位|方)|接收单位|求助(?:单位|医院)|需求(?:单位|医院|方)|申请单位)(?:全称|名称)?|hospital(?: name)?|facility|organi[sz]ation|name of (?:the )?hospital|institution)\s*:\s*(?P<name>[^\n;,。{TAKEN}]{{3,60}})",
    re.IGNORECASE,
)
_HOSPITAL_EN = re.compile(
    r"(?P<name>(?<![A-Za-z])(?:The )?(?:(?:St\.?|[A-Z][\w'’&-]{0,30})(?: (?:of|and|the|for|&))? ){1,7}(?:Hospital|Clinic|Infirmary|Medical Cent(?:er|re)|Health Cent(?:er|re)|Health Department|Health Post|Nursing Home|Red Cross)(?: No\.? ?\d+)?(?: of [A-Z]\w+(?: [A-Z]\w+)*)?)"
)
_SHOUTED = re.compile(
    r"(?P<name>(?<![A-Z])[A-Z]{2,24}(?:[ &]{1,3}[A-Z]{1,24}){0,5} (?:HOSPITAL|CLINIC|MEDICAL CENT(?:ER|RE)|HEALTH CENT(?:ER|RE)))"
)
_CHARITY = re.compile(r"红十字会|慈善|指挥部|Red Cross")
_NOT_OF_THE_NAME = re.compile(
    r"^(?:.*(?:关于|我是|这里是|转发|紧急求助|紧急求援|求助|求援|告急|急需|公告|现有|来自|支援|支持|援助|帮帮|收件人|请寄|因为|由于|位于|感谢|通过|联系|寄往|寄至|寄到|送往|送至|送到|为了|所在地|所在|代收|一切物资由|统一由|我们|大家好|各位|目前|近日|今天|昨日|今日|作为|隶属于))+(?=.{4})"
)
_STREET = re.compile(r"^.*(?:[路街道巷村]\s*\d+\s*号|\d+号|大道)(?=.{4})")
_NO_ORGANISATION = re.compile(
    r"^(?:我|本|各|该|贵|多家|一些|定点|其他|其它|部分|基层|全市|全省|所有|上述|这|那|[一二三四五六七八九十]?家|三甲|县级|市级|省级)*(?:医院|卫生院|诊所|指挥部|红十字会)$|.*(?:某地|请转交|有需要|需要的|捐赠请|附近|各大).*|^The Hospital$|^(?:Our|This|Your|Dear|Each|Every|All) "
)


def take_organisation(reading: Reading, addresses: Addresses) -> str:
    """The first name of a hospital or charity: after its label, in the order of the text, or at the end of an address."""
    return _organisation_in(reading) or next(
        (
            name
            for text in (addresses.courier, addresses.handover)
            if text and (name := _organisation_in(Reading(text)))
        ),
        "",
    )


_COUNTS_GOODS = re.compile(r"\d\s*[个只件套副双台盒箱瓶包支张]")


def _organisation_in(reading: Reading) -> str:
    labelled = _LABEL_OF_NAME.search(reading.rest)
    if labelled and len(labelled["name"].strip()) > 2 and not _COUNTS_GOODS.search(labelled["name"]):
        name = reading.written(*labelled.span("name")).strip()
        reading.take(*labelled.span())
        _take_again(reading, labelled["name"].strip())
        return name
    names: list[tuple[bool, int, int]] = []
    for match in [
        *_SHOUTED.finditer(reading.rest),
        *_ORGANISATION.finditer(reading.rest),
        *_HOSPITAL_EN.finditer(reading.rest),
    ]:
        start, end = match.span("name")
        for leads in (_NOT_OF_THE_NAME, _STREET):
            lead = leads.match(reading.rest[start:end])
            start += lead.end() if lead else 0
        name = reading.rest[start:end]
        if _NO_ORGANISATION.search(name) or len(name) < 4:
            continue
        names.append((bool(_CHARITY.search(name)), start, end))
    if not names:
        return ""
    best = min(names)[1:]  # a charity only where no hospital is named
    name, plain = reading.written(*best), reading.rest[best[0] : best[1]]
    reading.take(*best)
    _take_again(reading, plain)
    return " ".join(name.split())


def _take_again(reading: Reading, name: str) -> None:
    for match in list(re.finditer(re.escape(name), reading.rest)) if name.strip() else []:
        reading.take(*match.span())
