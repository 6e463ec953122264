"""Who takes part in the crawl, and which of the planted values each may read: what the register says, and no more."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import models

from supplies.allocations.models import Allocation
from supplies.needs.models import Appeal
from supplies.organisations import services as people
from supplies.organisations.models import Membership, Organisation, User
from supplies.privacy.register import Stage
from supplies.shipments.models import Shipment
from tests.makers import NOW, make_member, make_organisation, make_region, make_user
from tests.supplies.privacy.cast import Match

WATCHING = frozenset({"volunteer", "coordinator", "auditor", "admin"})
READING_AS_WRITTEN = frozenset({"volunteer", "coordinator", "admin"})


@dataclass(frozen=True)
class Reader:
    """role    "elsewhere" is somebody signed in whom nothing here concerns, in whichever role
    bodies  the organisations the person acts for
    """

    role: str
    user: User | None = None
    bodies: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class Canary:
    """A planted value.

    where      "supplies.Contact.phone_sealed"
    stage      who may read its field, as the register says
    is_number  a private number within free words: masked for all but those who read the words as they were written
    sides      the organisations its row belongs to or was promised to
    owners     the accounts its row names
    """

    where: str
    value: str
    stage: str = Stage.NOBODY
    is_number: bool = False
    sides: frozenset[UUID] = field(default=frozenset(), repr=False)
    owners: frozenset[int] = field(default=frozenset(), repr=False)

    @cached_property
    def raw(self) -> bytes:
        return self.value.encode()

    @cached_property
    def hexadecimal(self) -> bytes:
        return self.raw.hex().encode()


def readers(match: Match) -> Mapping[str, Reader]:
    """The eight roles; those at the desk oversee the match, and beside its three sides stands one in each role elsewhere."""
    found = {
        "anonymous": Reader("anonymous"),
        "stranger": Reader("elsewhere", make_user()),
        "admin": Reader("admin", make_user(is_staff=True, is_superuser=True)),
    }
    for role, person in (("hospital", match.nurse), ("donor", match.giver), ("carrier", match.driver)):
        found[role] = Reader(role, person, _bodies(person))
        found[f"{role} elsewhere"] = Reader("elsewhere", make_member(role))
    for role in ("volunteer", "auditor"):
        found[role] = Reader(role, make_member(role))
    for name, role, region in (
        ("coordinator", "coordinator", match.site.region),
        ("coordinator elsewhere", "elsewhere", make_region("110101")),
    ):
        person = make_user()
        body = make_organisation("coordinator")
        people.enrol(person, body, "coordinator", by=None, at=NOW, regions=[region])
        found[name] = Reader(role, person)
    return found


def _bodies(person: User) -> frozenset[UUID]:
    return frozenset(Membership.objects.filter(user=person).values_list("organisation", flat=True))


def may_read(reader: Reader, canary: Canary) -> bool:
    """Whether a page that the reader opens may hold the value. Nobody is shown a contact by opening a page."""
    watches, is_hers = reader.role in WATCHING, _is_hers(reader, canary)
    if canary.is_number:
        return canary.stage != Stage.REVEALED and (
            reader.role in READING_AS_WRITTEN or (is_hers and canary.stage != Stage.EVERYONE)
        )
    return {
        Stage.EVERYONE: True,
        Stage.SIGNED_IN: reader.user is not None,
        Stage.CODE: watches or is_hers,
        Stage.PARTIES: watches or is_hers,
        Stage.REVEALED: False,
        Stage.OWNER: watches or is_hers,
        Stage.ALONE: reader.user is not None and reader.user.pk in canary.owners,
        Stage.SELF: reader.role == "admin" or is_hers,
        Stage.COLLEAGUES: reader.role == "admin" or is_hers,
        Stage.DESK: watches,
        Stage.AUDITORS: reader.role in ("auditor", "admin") or is_hers,
        Stage.NOBODY: False,
    }[Stage(canary.stage)]


def _is_hers(reader: Reader, canary: Canary) -> bool:
    return bool(reader.bodies & canary.sides) or (reader.user is not None and reader.user.pk in canary.owners)


# -- whose a row is -----------------------------------------------------------------------------------------------


def sides_of(row: models.Model) -> frozenset[UUID]:
    """The organisations a row leads to; for what is promised and shipped, both sides and the carrier."""
    found = set(_led_to(row, set()))
    if isinstance(row, User):
        found |= _bodies(row)
    for allocation in _promised(row):
        found |= set(_led_to(allocation, set()))
        for shipment in Shipment.objects.filter(lines__allocation=allocation):
            found |= set(_led_to(shipment, set()))
    return frozenset(found)


def _promised(row: models.Model) -> Iterable[Allocation]:
    if isinstance(row, Appeal):
        return Allocation.objects.filter(need__appeal=row)
    return [row] if isinstance(row, Allocation) else []


def _led_to(row: models.Model, seen: set[Any]) -> Iterable[UUID]:
    if (type(row), row.pk) in seen:
        return
    seen.add((type(row), row.pk))
    if isinstance(row, Organisation):
        yield row.pk
        return
    for key in row._meta.concrete_fields:
        if isinstance(key, models.ForeignKey) and key.related_model is not User:
            following = getattr(row, key.name)
            if following is not None:
                yield from _led_to(following, seen)


def owners_of(row: models.Model) -> frozenset[int]:
    """The accounts a row names, or is."""
    if isinstance(row, User):
        return frozenset({row.pk})
    keys = [key for key in row._meta.concrete_fields if key.related_model is User]
    return frozenset(getattr(row, key.attname) for key in keys) - {None}
