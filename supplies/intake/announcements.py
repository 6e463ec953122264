"""What a hospital wrote for everybody, read into what an appeal is made of. What cannot be read is kept, never guessed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from supplies.catalogue.dictionary import Dictionary
from supplies.intake.formats.listed import ListedGoods
from supplies.intake.goods import Line, Reader
from supplies.intake.mentions.drafts import Draft, Span
from supplies.intake.mentions.finder import find_goods
from supplies.intake.mentions.lost import lost_figures
from supplies.intake.reading import facts
from supplies.intake.reading.contacts import Person
from supplies.intake.reading.days import take_days
from supplies.intake.reading.findings import Finding, Unreadable, found
from supplies.intake.reading.plain import TAKEN, Reading, plain_of
from supplies.intake.reading.quantities import Kind, Quantity, read_quantity
from supplies.leaks import masked
from supplies.needs.models import QuantityKind
from supplies.regions.models import Region
from supplies.regions.services import Places


@dataclass(frozen=True)
class Unread:
    """A stretch of what was written that no reader understood; `start` and `end` count its characters."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Announcement:
    """One announcement, read.

    lines       what it asks for, in its order; a line that `waits` has to be looked at
    unwanted    goods it says it does not want, as written
    accounts    bank accounts that were found and left out
    unread      what was understood by nobody, in its order
    """

    organisation: str
    region: Region | None
    lines: tuple[Line, ...]
    unwanted: tuple[str, ...]
    people: tuple[Person, ...]
    handover: str
    courier: str
    transport: str
    link: str
    needed_by: date | None
    published_on: date | None
    updated_on: date | None
    accepts_overseas: bool | None
    senders: frozenset[str] | None
    accounts: int
    unread: tuple[Unread, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def told_on(self) -> date | None:
        """The later of the days it was published and updated on."""
        return max(filter(None, (self.published_on, self.updated_on)), default=None)


def read_announcement(
    text: str, *, as_of: date, dictionary: Dictionary | None = None, places: Places | None = None
) -> Announcement:
    """Read an announcement as it stood on a day. Raises Unreadable for what is no text or too long."""
    reading = Reading(text)
    link = facts.take_links(reading)
    mails = facts.take_mails(reading)
    accounts = facts.take_accounts(reading)
    days = take_days(reading, as_of)
    people = facts.take_people(reading, mails)
    accounts += facts.take_bare_accounts(reading)
    place = facts.take_place(reading)
    addresses = facts.take_addresses(reading)
    places = places or Places()
    organisation = _from_its_place(facts.take_organisation(reading, addresses), places)
    rules = facts.take_rules(reading)
    reader = Reader(as_of, gives=False, dictionary=dictionary or Dictionary())
    goods = find_goods(reading, reader.dictionary)
    asked, told = _asked_and_told(_merged(goods.drafts))
    announcement = Announcement(
        organisation=organisation,
        region=_region(places, (place, addresses.courier, addresses.handover, *_parts(organisation))),
        lines=tuple(_read(reader, draft, reading) for draft in asked),
        unwanted=tuple(dict.fromkeys(goods.unwanted)),
        people=people,
        handover=addresses.handover,
        courier=addresses.courier,
        transport=rules.transport,
        link=link,
        needed_by=days.needed_by,
        published_on=days.published_on,
        updated_on=days.updated_on,
        accepts_overseas=rules.accepts_overseas,
        senders=rules.senders,
        accounts=accounts,
        unread=(),
        findings=(
            *goods.findings,
            *(found("only-a-rate", cell=masked(reading.written(span.start, span.end))) for span in told),
        ),
    )
    lost = lost_figures(reading, list(_said(announcement)), asked)
    return replace(announcement, unread=tuple(_kept(reading, [*_unread(reading), *told, *lost])))


def _said(announcement: Announcement) -> Iterable[str]:
    """All that is read, in words."""
    for line in announcement.lines:
        yield from (line.goods.as_written, *line.conditions, str(line.daily_use))
    for person in announcement.people:
        yield from (person.name, person.raw, person.extension, person.email)
    yield from (announcement.organisation, announcement.handover, announcement.courier)
    yield from (announcement.transport, announcement.link, *announcement.unwanted)
    days = (announcement.needed_by, announcement.published_on, announcement.updated_on)
    yield from (f"{on.year} {on.month} {on.day}" for on in days if on)


# -- lines ----------------------------------------------------------------------------------------------


def _merged(drafts: list[Draft]) -> list[Draft]:
    """Goods named again without anything new are named once; “口罩” says nothing more where 医用外科口罩 is asked for."""
    kept: list[Draft] = []
    for draft in drafts:
        twin = next((one for one in kept if _is_same(one, draft)), None)
        if twin is None:
            kept.append(draft)
            continue
        if draft.figure and not twin.figure:
            twin.figure, twin.content, twin.names = draft.figure, draft.content, draft.names
        twin.daily = twin.daily or draft.daily
        twin.told = twin.told and draft.told
        twin.requirements += [wish for wish in draft.requirements if wish not in twin.requirements]
        twin.is_unlimited = (twin.is_unlimited or draft.is_unlimited) and not twin.figure
    return [draft for draft in kept if not _is_covered(draft, kept)]


def _asked_and_told(drafts: list[Draft]) -> tuple[list[Draft], list[Span]]:
    """What is asked for, and the sentences that only tell how fast something is used up."""
    told = (draft.told for draft in drafts if draft.is_only_a_rate)
    return [draft for draft in drafts if not draft.is_only_a_rate], list(dict.fromkeys(filter(None, told)))


def _is_same(one: Draft, other: Draft) -> bool:
    if one.figure and other.figure and one.figure != other.figure:
        return False
    if not one.is_known or not other.is_known:
        return one.names[0].casefold() == other.names[0].casefold()
    if one.figure and other.figure and one.names != other.names:
        return False
    near = any(a in b or b in a for a in map(_bare, one.names) for b in map(_bare, other.names))
    return set(one.items) == set(other.items) and near


def _bare(name: str) -> str:
    return name.replace(" ", "").casefold()


def _is_covered(draft: Draft, every: Iterable[Draft]) -> bool:
    """A loose word for several items, without a figure or a wish of its own, beside a line for one of them."""
    if draft.figure or draft.requirements or len(draft.items) < 2:
        return False
    return any(
        one is not draft
        and set(one.items) < set(draft.items)
        and any(_bare(word) in _bare(name) for word in draft.names for name in one.names)
        for one in every
    )


def _read(reader: Reader, draft: Draft, reading: Reading) -> Line:
    quantity, findings = _quantity(draft)
    goods = ListedGoods(
        names=draft.names,
        specification=" ".join(draft.requirements)[:500],
        quantity=quantity,
        figure=draft.counted or ("不限" if draft.is_unlimited else ""),
        raw=masked(reading.written(draft.start, draft.end)),
        findings=(*draft.findings, *findings),
    )
    conditions = tuple(map(masked, draft.requirements))
    if not draft.is_known:
        unknown = found("unknown-item", item=goods.heading).at(goods.heading)
        findings = (*goods.findings, unknown)
        return Line(goods, None, QuantityKind.UNKNOWN, waits=True, findings=findings, conditions=conditions)
    line = reader.read(goods)
    if draft.daily:
        line = replace(line, daily_use=_daily_use(reader, goods, draft.daily))
    return replace(line, conditions=conditions)


def _daily_use(reader: Reader, goods: ListedGoods, figure: str) -> int | None:
    """In base units; None if the figure of the rate cannot be counted."""
    try:
        rate = replace(read_quantity(figure), is_per_day=True)
    except Unreadable:
        return None
    return reader.read(replace(goods, quantity=rate)).daily_use


def _quantity(draft: Draft) -> tuple[Quantity | None, tuple[Finding, ...]]:
    if draft.is_unlimited and not draft.figure:
        return Quantity(Kind.UNLIMITED), ()
    try:
        quantity = read_quantity(draft.counted or None)
    except Unreadable as error:
        return None, (error.finding,)
    return quantity, quantity.findings


# -- places ---------------------------------------------------------------------------------------------


def _region(places: Places, texts: Iterable[str]) -> Region | None:
    """Where the hospital lies, by what it says, its addresses and its name; the smaller place of two that agree."""
    found_so_far = [
        meant
        for text in (plain_of(one).text for one in texts)
        if text and (meant := places.resolve("", "", "", text).region or _abroad(places, text))
    ]
    if not found_so_far:
        return None
    best = found_so_far[0]
    for one in found_so_far[1:]:
        if one.path.startswith(best.path):
            best = one
    return best


def _parts(name: str) -> list[str]:
    """The name itself, and what it says in brackets: a wing of the house, or where it is."""
    return re.split(r"[()]", plain_of(name).text)


def _from_its_place(name: str, places: Places) -> str:
    """A name without the words before the place it begins with: 帮襄阳市示例医院 is 襄阳市示例医院."""
    plain = plain_of(name).text
    own = _parts(name)[0]
    if len(plain) != len(name) or places.resolve("", "", "", plain).region:
        return name
    for cut in range(1, min(10, len(plain) - 6, len(own))):
        place = re.match(r"[\u3400-\u9fff]{2,6}?[省市县区州旗]", plain[cut:])
        if place and places.resolve("", "", "", plain[cut:]).region:
            return name[cut:]
    return name


def _abroad(places: Places, text: str) -> Region | None:
    """A place written in Latin letters, as a word of its own."""
    words = re.findall(r"[a-z]+", text.lower())
    for length in (3, 2, 1):
        for at in range(len(words) - length + 1):
            if rows := places.named(" ".join(words[at : at + length]), "district", "prefecture", "province"):
                return rows[0]
    return None


# -- what is left ---------------------------------------------------------------------------------------

_SAYS_NOTHING = re.compile(
    r"(?:关于|现|特|兹|我院|本院|我们|医院|急需|紧缺|需求|所需|需要|接受|接收|征集|募集|社会|各界|爱心|防护|医用|医疗|防疫|抗疫|疫情|防控|期间|物资|用品|捐赠|求助|公告|通告|公示|启事|倡议书|清单|信息|名称|如下|以下|主要|包括|种类|目前|当前|情况|及|和|与|的|等|了|为|向|"
    r"联系|方式|电话|地址|时间|日期|发布|更新|来源|备注|说明|其他|其它|感谢|谢谢|衷心|支持|帮助|您|请|大家|转发|扩散|十分|非常|严重|急|缺|需|新型|冠状病毒|肺炎|新冠|不足|告急|"
    r"we|are|is|in|of|the|our|hospital|urgent(?:ly)?|need(?:s|ed)?|for|help|please|thank(?:s| you)?|donations?|supplies|medical|ppe|list|following|contact|dear|all|and|to|required?|request|appeal|items?|[\W_])*",
    re.IGNORECASE,
)
_LIST_NUMBER = re.compile(r"^(?:\d{1,2}|[①-⒛❶-➓]|[一二三四五六七八九十]{1,3})(?!\d)")
_STRETCH = re.compile(rf"[^{TAKEN}\n。;；!！?？]+")


def _unread(reading: Reading) -> Iterable[Span]:
    for match in _STRETCH.finditer(reading.rest):
        words = match[0].strip(" \t,，、:：.()（）-—/|*·")
        if not words or _SAYS_NOTHING.fullmatch(_LIST_NUMBER.sub("", words)):
            continue
        if len(words) < 2 and not words.isdigit():
            continue
        start = match.start() + match[0].index(words)
        yield Span(start, start + len(words))


def _kept(reading: Reading, spans: Iterable[Span]) -> Iterable[Unread]:
    """In their order; those that overlap are one."""
    together: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start):
        if together and span.start < together[-1].end:
            together[-1] = Span(together[-1].start, max(together[-1].end, span.end))
        else:
            together.append(span)
    places = reading.plain.places
    for span in together:
        words = masked(reading.written(span.start, span.end))
        yield Unread(places[span.start], places[span.end - 1] + 1, words)
