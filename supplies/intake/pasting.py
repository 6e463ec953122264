"""From an announcement to the form that posts it: what was read, as the fields of `needs.forms` hold it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from supplies.intake.announcements import Announcement
from supplies.intake.goods import Line, requirements_of
from supplies.intake.reading.contacts import Person
from supplies.intake.reading.findings import Finding, found
from supplies.leaks import masked
from supplies.needs.models import QuantityKind, SenderKind
from supplies.organisations.models import Facility, Organisation, User, Verified
from supplies.organisations.names import normal_name
from supplies.search import first

PREFIX = "lines"  # of the form's lines
HOSPITALS_SHOWN = 5


@dataclass(frozen=True)
class Stretch:
    """A piece of what was written. `is_unread` when nobody understood it."""

    text: str
    is_unread: bool


def stretches(text: str, announcement: Announcement) -> Iterator[Stretch]:
    """The announcement from its beginning to its end, with what was not understood marked where it stands."""
    place = 0
    for unread in announcement.unread:
        if unread.start > place:
            yield Stretch(text[place : unread.start], False)
        yield Stretch(text[unread.start : unread.end], True)
        place = unread.end
    if place < len(text):
        yield Stretch(text[place:], False)


def hospitals_meant(announcement: Announcement, name: str, *, by: User) -> list[Facility]:
    """Those the reader acts for, then hospitals of this name, of the place the text names first. A person chooses."""
    known = (
        Facility.objects.filter(organisation__kind=Organisation.Kind.HOSPITAL)
        .exclude(organisation__status=Verified.REFUSED)
        .select_related("organisation", "region__parent__parent")
    )
    own = list(known.filter(organisation__in=by.organisation_ids).order_by("name", "pk")[:HOSPITALS_SHOWN])
    if not name:
        return own
    named = first(known.filter(name__mentions=normal_name(name)).order_by("name", "pk"), HOSPITALS_SHOWN)
    place = announcement.region.path if announcement.region else ""
    nearest = sorted(named, key=lambda site: not (place and site.region.path.startswith(place)))
    return [*own, *(site for site in nearest if site not in own)]


def fields_of(
    announcement: Announcement, *, published_on: date | None = None, today: date
) -> dict[str, list[str]]:
    """The fields of the form that posts an appeal, as a browser would send them.

    published_on    what is said of an announcement that does not tell its day itself
    """
    told_on = announcement.told_on or published_on
    known = [line for line in announcement.lines if line.item is not None]
    values: dict[str, Any] = {
        "handover_point": announcement.handover,
        "courier_address": announcement.courier,
        "transport_instructions": announcement.transport,
        "accepted_senders": sorted(announcement.senders or SenderKind.values),
        "accepts_overseas": "on" if announcement.accepts_overseas is not False else None,
        "source_url": announcement.link,
        "published_on": told_on if told_on and told_on <= today else None,
        **_contacts(announcement.people),
        "remark": remark_of(announcement),
        f"{PREFIX}-TOTAL_FORMS": max(1, len(known)),
        f"{PREFIX}-INITIAL_FORMS": 0,
    }
    for at, line in enumerate(known):
        values |= {
            f"{PREFIX}-{at}-{name}": value for name, value in _fields_of_line(line, announcement).items()
        }
    return {name: _as_sent(value) for name, value in values.items() if value not in (None, "")}


def _contacts(people: Sequence[Person]) -> dict[str, str]:
    """Who is called first, and everybody else with number and address, one a line."""
    caller = next((one for one in people if one.number), None)
    lines = [
        " ".join(filter(None, [one.name, "" if one is caller else number_of(one), one.email]))
        for one in people
        if one is not caller or one.email
    ]
    return {
        "contact_name": caller.name if caller else "",
        "contact_phone": number_of(caller) if caller else "",
        "contact_others": "\n".join(lines),
    }


def _as_sent(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def number_of(person: Person) -> str:
    return f"{person.number}-{person.extension}" if person.extension else person.number


def _fields_of_line(line: Line, announcement: Announcement) -> dict[str, Any]:
    item = line.item
    assert item is not None
    fields: dict[str, Any] = {
        "item": item.code,
        "quantity_kind": line.kind,
        "standards": ", ".join(standard.code for standard in line.standards),
        "setting": "general",
        "medical_grade": "on" if item.needs_medical_grade else None,
        "sterile": "on" if line.is_sterile else None,
        "substitutes_welcome": "on",
        "requirements": requirements_of(line),
        "needed_by": announcement.needed_by,
        "words": masked(line.goods.as_written)[:300],
        "doubt": masked(" ".join(finding.sentence for finding in line.findings))[:1000],
    }
    if line.kind == QuantityKind.NUMBER and line.quantity is not None:
        usual = line.quantity % item.display_factor == 0
        fields["amount"] = line.quantity // item.display_factor if usual else line.quantity
        fields["unit"] = None if usual else item.base_unit_id
    if line.daily_use and line.daily_use % item.display_factor == 0:
        fields["daily_use"] = line.daily_use // item.display_factor
    return fields


def remark_of(announcement: Announcement) -> str:
    """What has no field of its own, in the words of the announcement: goods the catalogue does not hold, refusals, and what nobody understood, so that whoever looks it over decides and nothing is lost."""
    unknown = [line.goods.as_written for line in announcement.lines if line.item is None]
    said = [
        *(_("Also asked for: %(goods)s") % {"goods": goods} for goods in unknown),
        *(_("Not needed: %(goods)s") % {"goods": goods} for goods in announcement.unwanted),
        *(_("Not read: %(words)s") % {"words": unread.text} for unread in announcement.unread),
    ]
    return masked("\n".join(said))[:4000]


def remarks_on(announcement: Announcement) -> list[Finding]:
    """What a reader should be told about the announcement as a whole."""
    left_out = found("accounts-left-out", count=announcement.accounts)
    return [*announcement.findings, *([left_out] if announcement.accounts else [])]


def as_json(announcement: Announcement) -> dict[str, Any]:
    """The reading for a program. Numbers of people are given as the text had them: it came from who asks."""
    return {
        "organisation": announcement.organisation,
        "region": announcement.region.code if announcement.region else None,
        "lines": [_line_as_json(line) for line in announcement.lines],
        "not_wanted": list(announcement.unwanted),
        "contacts": [
            {"name": one.name, "number": one.number, "extension": one.extension, "email": one.email}
            | {"confidence": one.confidence}
            for one in announcement.people
        ],
        "handover_point": announcement.handover,
        "courier_address": announcement.courier,
        "transport": announcement.transport,
        "source_url": announcement.link,
        "needed_by": announcement.needed_by,
        "published_on": announcement.published_on,
        "updated_on": announcement.updated_on,
        "accepts_overseas": announcement.accepts_overseas,
        "accepted_senders": sorted(announcement.senders) if announcement.senders else None,
        "accounts_left_out": announcement.accounts,
        "unread": [{"start": one.start, "end": one.end, "text": one.text} for one in announcement.unread],
    }


def _line_as_json(line: Line) -> dict[str, Any]:
    return {
        "words": line.goods.heading,
        "as_written": line.goods.as_written,
        "item": line.item.code if line.item else None,
        "quantity_kind": line.kind,
        "quantity": line.quantity,
        "unit": line.item.base_unit_id if line.item else None,
        "daily_use": line.daily_use,
        "standards": [standard.code for standard in line.standards],
        "sterile": line.is_sterile,
        "conditions": list(line.conditions),
        "is_doubtful": line.waits or bool(line.findings),
        "findings": _sentences(line.findings),
    }


def _sentences(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [{"code": finding.code, "sentence": finding.sentence} for finding in findings]
