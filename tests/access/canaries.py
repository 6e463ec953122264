"""Values that stand nowhere else, planted into every field the register classes personal, confidential or secret, and a
search for them in whatever leaves the site or lies in its stores. Everyone is invented.

Free words get a telephone number besides, whatever their class: that must not even be public where the words are.
"""

import gzip
import logging
import re
import zipfile
from base64 import b32encode, b64decode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.sessions.backends.db import SessionStore as OldStore
from django.contrib.sessions.models import Session as OldSession
from django.core.mail import EmailMessage
from django.db import connection, models, transaction
from django.test import Client
from redis import Redis

from config.logs import formatter
from matching.models import Shortfall
from supplies.accounts import services as accounts
from supplies.accounts.models import Session
from supplies.accounts.sessions import SessionStore
from supplies.append_only import rewriting
from supplies.attachments.uploads import in_memory
from supplies.change_requests import services as corrections
from supplies.duplicates.services import merge
from supplies.free_text import FreeText
from supplies.intake.models import Correction, Import, ImportedLine, ImportedRow, StagedRow
from supplies.journal import mail, once
from supplies.needs import services as asking
from supplies.notices import following
from supplies.opendata import dump as published
from supplies.opendata.dictionary import COLUMNS, DOWNLOADS
from supplies.opendata.dump import MANIFEST, SIGNATURE
from supplies.opendata.fhir import EXTENSIONS
from supplies.opendata.formats import FORMS
from supplies.opendata.signing import key_made_at_first_use
from supplies.organisations import services as people
from supplies.organisations.desk import Verb
from supplies.organisations.models import User
from supplies.privacy.register import Class, entries
from supplies.privacy.services import reveal
from supplies.receipts import services as receiving
from supplies.receipts import thanking
from supplies.sealing import sealed_columns
from supplies.shipments import services as moving
from supplies.shipments import sightings
from supplies.upkeep import programs
from tests.access.tiers import Canary, Reader, may_read, owners_of, sides_of
from tests.every_route import HOLE, every_route
from tests.makers import (
    NOW,
    make_appeal,
    make_donation,
    make_foreign_need,
    make_listing,
    make_member,
    make_organisation,
    make_pair,
    make_pair_of_needs,
    make_proposal,
    make_shipment,
)
from tests.owner import as_owner
from tests.sign_in import sign_in
from tests.supplies.attachments.hostile import pdf
from tests.supplies.organisations.verdicts import call, verified
from tests.supplies.privacy.cast import Match, make_match

# Free words in which no verb takes a number: test_a_name_holds_no_number.
NAMES = frozenset({"supplies.Organisation.name", "supplies.Facility.name"})
GUARDED = frozenset({Class.PERSONAL, Class.CONFIDENTIAL, Class.SECRET})
# What holds no value that could be told apart from others: keys, dates, numbers, choices.
NOT_PLANTED = (
    models.ForeignKey,
    models.DateField,
    models.BooleanField,
    models.IntegerField,
    models.FloatField,
    models.UUIDField,
)


@dataclass(frozen=True)
class World:
    """One of everything, with the canaries in it."""

    match: Match
    canaries: tuple[Canary, ...]
    unplanted: frozenset[str]


def plant() -> World:
    """A world with a row of every kind, and a canary in each guarded field of each row; and what was published of it."""
    match = _one_of_everything()
    number = iter(range(1, 9_999))
    canaries: list[Canary] = []
    unplanted: set[str] = set()
    faces = {(model, face.column): face for model, face in sealed_columns()}
    whose: dict[
        Any, tuple[frozenset[UUID], frozenset[int]]
    ] = {}  # a row has many fields, and one answer for all
    for entry in entries():
        model = apps.get_model(entry.model)
        field: Any = model._meta.get_field(entry.field)
        is_guarded, is_free = entry.kind in GUARDED, isinstance(field, FreeText)
        if not (is_guarded or is_free) or f"{entry.model}.{entry.field}" in NAMES:
            continue
        if field.primary_key or field.choices or isinstance(field, NOT_PLANTED):
            unplanted.add(f"{entry.model}.{entry.field}")
            continue
        for row in model._base_manager.order_by("pk"):
            n = next(number)
            where = f"{entry.model}.{entry.field}"
            token, phone = f"canary{n:04}q", f"1380000{n:04}"
            if face := faces.get((model, entry.field)):
                words = [phone if face.name == "phone" else token]
                face.seal_into(row, f"{token}@demo.invalid" if face.name == "email" else words[0])
                row.save(update_fields=list(face.columns))
            elif model in (Session, OldSession) and field.name == "session_data":
                words = [token]
                _plant_session(row, token)
            elif isinstance(field, models.CharField | models.TextField):
                words = [token] * is_guarded + [phone] * is_free
                words = [_write(row, field, word) for word in words] if not is_free else words
                if is_free:
                    _write(row, field, " ".join(words))
            else:
                unplanted.add(where)
                break
            if (model, row.pk) not in whose:
                whose[model, row.pk] = sides_of(row), owners_of(row)
            sides, owners = whose[model, row.pk]
            canaries += [
                Canary(where, word, entry.seen_by, word.startswith("1380000"), sides, owners)
                for word in words
            ]
    published.write(key_made_at_first_use(at=NOW), at=NOW)
    return World(match, tuple(canaries), frozenset(unplanted))


def _write(row: models.Model, field: Any, text: str) -> str:
    """Returns what was written: a tracking code has an alphabet of its own."""
    if field.name == "code":
        text = text.replace("0", "z").replace("1", "y")  # the alphabet of tracking codes
        text = text.ljust(min(26, field.max_length), "2")
    # Straight into the column, past what is only ever added: no verb has to allow it.
    with as_owner(), transaction.atomic(), rewriting(), connection.cursor() as cursor:
        table, column, pk = row._meta.db_table, field.column, row._meta.pk.column  # type: ignore[union-attr]
        cursor.execute(f'UPDATE "{table}" SET "{column}" = %s WHERE "{pk}" = %s', [text, row.pk])
    return text


def _plant_session(row: Any, token: str) -> None:
    kept = type(row).get_session_store_class()(session_key=row.session_key)
    kept["unsent"] = {"path": "/", "typed": f"remark={token}"}
    kept.save()


def _one_of_everything() -> Match:
    match = make_match()
    user, at = match.nurse, NOW
    key_made_at_first_use(at=at)
    make_appeal(match.site, by=user, remark="x", handover_point="x")
    refused = make_appeal(match.site, by=user, published=False)
    asking.refuse(refused, reason="x", by=make_member("volunteer"), at=at)
    make_donation(match.donor, by=match.giver, remark="x", address="x")
    shipment = make_shipment(match.allocation, carrier=match.carrier, status="in_transit")
    sightings.report(
        shipment, occurred_at=at, step="transporting", note="x", place="x", by=match.driver, at=at
    )
    moving.deliver(shipment, by=None, at=at)
    count = {"accepted": 60, "refused": 10, "refusal": "other", "refusal_words": "x"}
    receiving.receive(shipment, counts=[{"line": shipment.lines.get(), **count}], note="x", by=user, at=at)
    for ticket in shipment.tickets.order_by("pk"):
        answered = receiving.answer(ticket, proposed="written_off", answer="x", by=match.giver, at=at)
        receiving.settle(answered, outcome="written_off", note="x", by=user, at=at)
    thanking.thank(shipment, words="x", by=user, at=at)
    following.ask(make_shipment(status="booked"), email="x@demo.invalid", language="en", at=at)
    people.issue_token(user, name="x", scopes=["read"], at=at, expires_at=at + timedelta(days=90))
    people.pause(match.site, reason="x", by=user, at=at)
    people.resume(match.site, by=user, at=at)
    checked = make_organisation(verified=False)
    call(checked, make_member("volunteer"), note="x")
    verified(checked)
    _doubles(match)
    reveal(match.hospital_contact, purpose="own", by=user, at=at)
    said = corrections.report(
        match.allocation.need, kind="duplicate", duplicate_of="x", words="x", by=None, at=at
    )
    corrections.decline(said.change_request, reason="x", by=make_member("volunteer"), at=at)
    _imported(match)
    make_foreign_need(source_name="x", source_url="x", place_en="x")
    _an_account(user)
    _evidence(match)
    proposal = make_proposal(
        quantity_left_out=10,
        deviation="other",
        deviation_note="x",
        ended_because="x",
        status="approved",
        approved_by=make_member("volunteer"),
        approved_at=at,
    )
    Shortfall.objects.create(
        need=proposal.need, family_run=proposal.family_run, missing=7, cause="waits", figure=3, as_of=at
    )
    return match


def _doubles(match: Match) -> None:
    """A listing and another name of the hospital, and two organisations that were made one."""
    make_listing(match.site.organisation, address="x", source_url="https://example.org/x")
    people.add_alias(match.site.organisation, name="演练旧名", kind="old", source="x", by=match.nurse, at=NOW)
    pair = make_pair(make_organisation(), make_organisation())
    merge(pair, keep=pair.one, by=make_member("volunteer"), at=NOW)
    make_pair(make_organisation(), make_organisation())
    needs = make_appeal(match.site, lines=[{}, {}]).needs.order_by("pk")
    make_pair_of_needs(*needs)


def _an_account(user: User) -> None:
    """All that belongs to an account: an address, a second factor, a session of now and one of before, an answer, a mail."""
    User.objects.filter(pk=user.pk).update(first_name="x", email="x@demo.invalid")
    EmailAddress.objects.create(user=user, email="x@demo.invalid", verified=True, primary=True)
    accounts.keep_factor(user, secret=b32encode(b"a secret of this test").decode(), at=NOW)
    for store in (SessionStore, OldStore):
        session = store()
        session["x"] = 1
        session.create()
    asked = once.Asked(f"account:{user.pk}", user, "POST /x/", "POST x/", "x", b"x")
    once.keep(asked, once.Answer(200, {}, "x"), at=NOW)
    mail.write(EmailMessage("x", "x", to=["x@demo.invalid"]), at=NOW)


def _evidence(match: Match) -> None:
    content = pdf(b"(x)")
    with in_memory(content) as file:
        people.hand_in_evidence(
            match.site.organisation, file, size=len(content), kind="letter", by=match.nurse, at=NOW
        )


def _imported(match: Match) -> None:
    batch = Import.objects.create(
        format="wuhan2020",
        emergency=match.allocation.need.appeal.emergency,
        file_name="x.json",
        sha256="0" * 64,
        as_of=NOW.date(),
        started_at=NOW,
        status="read",
        source="x",
    )
    row = ImportedRow(
        key="x",
        format="wuhan2020",
        scope="",
        seen_in=batch,
        row_number=1,
        digest="0" * 64,
        shown={"name": "x"},
    )
    row.raw = "x"
    row.save(force_insert=True)
    ImportedLine.objects.create(
        row=row, position=0, heading="x", as_written="x", raw="x", quantity_kind="unknown"
    )
    staged = StagedRow(
        batch=batch, number=1, key="x", base="x", verdict="new", shown={"name": "x", "cells": [], "lines": []}
    )
    staged.raw = "x"
    staged.save(force_insert=True)
    Correction.objects.create(
        source="x", kind="item", within="x", as_written="x", is_nothing=True, by=match.nurse, at=NOW
    )


# -- searching ----------------------------------------------------------------------------------------------

_BETWEEN_DIGITS = re.compile(rb"(?<=\d)[ \-.]+(?=\d)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")


def found_in(data: bytes, canaries: Iterable[Canary]) -> list[Canary]:
    """The canaries that stand in it, also with gaps between their digits, or in hexadecimal as a dump writes bytes. All are
    plain letters and digits, which no escaping of JSON, HTML or an address changes."""
    joined, lower = data + b"\n" + _BETWEEN_DIGITS.sub(b"", data), data.lower()
    return [canary for canary in canaries if canary.raw in joined or canary.hexadecimal in lower]


def unpacked(data: bytes) -> bytes:
    """What is in it in base64, such as the body of a message to the broker, beside it in clear."""
    found = [data]
    for match in _BASE64.finditer(data):
        with suppress(ValueError):
            found.append(b64decode(match[0] + b"=" * (-len(match[0]) % 4)))
    return b"\n".join(found)


def tables() -> Iterator[tuple[str, bytes]]:
    """Every table as its rows are written out."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{table}" t')
            yield table, (cursor.fetchone()[0] or "").encode()


def dump() -> bytes:
    """What pg_dump writes of the database, as text. It sees what was committed."""
    taken: list[bytes] = []
    ran = programs.write_from(
        "pg_dump", "--format=plain", "--no-owner", to=lambda out: taken.append(out.read())
    )
    assert ran.code == 0, ran.said
    return taken[0]


def opened() -> Iterator[tuple[str, bytes]]:
    """Every sealed column, opened; and what waits in sessions."""
    for model, face in sealed_columns():
        for row in model._base_manager.all():
            yield f"{model._meta.label}.{face.name}", str(getattr(row, face.name)).encode()
    for session in (*Session.objects.all(), *OldSession.objects.all()):
        yield session._meta.label, str(session.get_decoded()).encode()


def kept_elsewhere() -> Iterator[tuple[str, bytes]]:
    """Valkey, the cache and the broker alike; and the files the site writes beside its database."""
    for url in {str(settings.CACHES["default"]["LOCATION"]), str(settings.BROKER_URL)}:
        # Celery has names of its own for a socket and a number of a database.
        with Redis.from_url(
            url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
        ) as client:
            for key in client.scan_iter("*"):
                yield f"valkey:{key!r}", unpacked(bytes(key) + b"\n" + _value(client, key))
    for root in (settings.STATE_DIR, settings.PRIVATE_ROOT, settings.EMAIL_FILE_PATH, settings.OPEN_DATA_DIR):
        for file in Path(root).rglob("*"):
            if file.is_file() and "postgres" not in file.parts and "valkey" not in file.parts:
                yield str(file), unzipped(file.read_bytes())


def unzipped(data: bytes) -> bytes:
    """What is packed, as it reads once it is unpacked: a file of a dump, the parts of a workbook."""
    if data.startswith(b"\x1f\x8b"):
        return gzip.decompress(data)
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(BytesIO(data)) as packed:
            return b"\n".join(packed.read(name) for name in packed.namelist())
    return data


def _value(client: Any, key: bytes) -> bytes:
    """What stands under a key, of whatever kind it is; nothing where it has run out meanwhile."""
    read: dict[bytes, Callable[[], Any]] = {
        b"string": lambda: client.get(key),
        b"list": lambda: client.lrange(key, 0, -1),
        b"hash": lambda: client.hgetall(key),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1),
        b"none": lambda: b"",
    }
    value = read[client.type(key)]()
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    return value if isinstance(value, bytes) else b"\n".join(value or ())


class Lines(logging.StreamHandler):
    """The log as the site writes it, kept to be searched, down to what only debugging says."""

    def __init__(self) -> None:
        super().__init__(StringIO())
        self.setFormatter(formatter(as_words=False))

    @property
    def written(self) -> bytes:
        return self.stream.getvalue().encode()  # type: ignore[no-any-return]


@contextmanager
def logged() -> Iterator[Lines]:
    lines, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(lines)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(lines)
        root.setLevel(level)


# -- crawling -----------------------------------------------------------------------------------------------

ROWS_OF = {
    "account/keys": "supplies.ApiToken",
    "allocations": "supplies.Allocation",
    "announcements": "supplies.Announcement",
    "answers": "matching.Proposal",
    "appeals": "supplies.Appeal",
    "appeals/new": "supplies.Facility",
    "attachments": "supplies.Attachment",
    "categories": "supplies.Category",
    "contacts": "supplies.Contact",
    "donations": "supplies.Donation",
    "donors": "supplies.Organisation",
    "emergencies": "supplies.Emergency",
    "facilities": "supplies.Facility",
    "invitations": "supplies.Invitation",
    "items": "supplies.Item",
    "loads": "supplies.ConsolidatedLoad",
    "listed-facilities": "supplies.ListedFacility",
    "matching-runs": "matching.MatchingRun",
    "memberships": "supplies.Membership",
    "foreign-needs": "supplies.ForeignNeed",
    "needs": "supplies.Need",
    "offers": "supplies.Offer",
    "organisations": "supplies.Organisation",
    "promises": "supplies.Allocation",
    "proposals": "matching.Proposal",
    "shortfalls": "matching.Shortfall",
    "mine/said-to-be-wrong": "supplies.ChangeRequest",
    "regions": "supplies.Region",
    "report/need": "supplies.Need",
    "reveals": "supplies.Reveal",
    "hooks/carriers": "supplies.CarrierAccount",
    "dock": "supplies.Shipment",
    "mine/gifts": "supplies.Donation",
    "desk/saved-lists": "supplies.SavedList",
    "inbox": "supplies.Notice",
    "notices": "supplies.Notice",
    "saved-searches": "supplies.SavedSearch",
    "searches": "supplies.SavedSearch",
    "webhooks": "supplies.WebhookEndpoint",
    "webhooks/deliveries": "supplies.WebhookDelivery",
    "webhook-endpoints": "supplies.WebhookEndpoint",
    "webhook-deliveries": "supplies.WebhookDelivery",
    "tickets": "supplies.DiscrepancyTicket",
    "intake-batches": "supplies.Import",
    "shipments": "supplies.Shipment",
    "fhir/SupplyRequest": "supplies.Need",
    "fhir/SupplyDelivery": "supplies.Shipment",
    "standards": "supplies.Standard",
}
MOST_ROWS = 20
# At the desk: of machinery a few, one to act on, and no page that only leads to another.
FEW, FEW_ROWS = {"Event", "Outgoing", "Membership", "User", "Seal", "OutgoingMail", "Reveal"}, 3
WORDS = {
    "what": ["need"],
    "channel": ["wecom", "dingtalk"],
    "word": ["x"],
    "code": ["2" * 26],
    "uidb36": ["x"],
    "key": ["y-z"],
    "url": ["nothing/"],
    "content_type_id": ["1"],
    "kind": [*DOWNLOADS],
    "form": [*FORMS],
    "extension": [*EXTENSIONS],
    "paper": ["labels", "packing-list", "waybill", "receipt"],
    "file": [*(f"{kind}.jsonl.gz" for kind in COLUMNS), MANIFEST, SIGNATURE],
}


def addresses() -> list[str]:
    """Every address that can be opened, with the keys of the rows there are in its holes; lists of the desk also whole."""
    leading = "admin:django.views.generic.base.RedirectView"
    return sorted(
        {address for route in every_route() if route.name != leading for address in _filled(route.pattern)}
    )


def _filled(pattern: str) -> Iterator[str]:
    hole = HOLE.search(pattern)
    if hole is None:
        yield f"/{pattern}"
        if pattern.startswith(settings.DESK_PATH):
            yield f"/{pattern}?status=all"
        return
    before = pattern[: hole.start()]
    values = _values(hole[1] or hole[2], before.rstrip("/"))
    for value in values[:1] if "/do/<" in pattern[hole.end() :] else values:
        yield from _filled(f"{before}{value}{pattern[hole.end() :]}")


def _values(hole: str, place: str) -> list[str]:
    if hole in WORDS:
        return WORDS[hole]
    if hole == "dump":
        return [folder.name for folder in published.kept()]
    if hole == "app_label":
        return ["supplies", "matching"]
    if hole == "action":
        model = _model_at(place.removesuffix("/do").rpartition("/")[0])
        return [verb.__name__ for verb in admin.site._registry[model].actions if isinstance(verb, Verb)]
    if place.endswith("desk/r/1"):
        return ["1"]
    model = _model_at(place)
    most = FEW_ROWS if model.__name__ in FEW else MOST_ROWS
    return [str(pk) for pk in model._base_manager.order_by("pk").values_list("pk", flat=True)[:most]]


def _model_at(place: str) -> type[models.Model]:
    """Of which kind the rows are whose keys stand behind a place: "appeals", "api/v1/appeals", "desk/supplies/appeal"."""
    if place.startswith(settings.DESK_PATH) and place not in ROWS_OF:
        return apps.get_model(*place.removeprefix(settings.DESK_PATH).split("/")[:2])
    place = place.removeprefix("api/v1/")
    assert place in ROWS_OF, f"say in tests/access/canaries.py which rows stand behind {place!r}"
    return apps.get_model(ROWS_OF[place])


def crawl(
    reader: Reader, canaries: Iterable[Canary], where: Iterable[str]
) -> tuple[list[tuple[str, Canary]], int]:
    """What the reader is shown that is not for her, and how many addresses opened: in bodies, headers and cookies."""
    client = Client(headers={"accept-language": "en"}, raise_request_exception=False)
    if reader.user is not None:
        sign_in(client, reader.user)
    forbidden = [canary for canary in canaries if not may_read(reader, canary)]
    hits, count = [], 0
    for address in where:
        answer = client.get(address)
        count += answer.status_code == 200
        hits += [(address, canary) for canary in found_in(sent(answer), forbidden)]
    return hits, count


def sent(answer: Any) -> bytes:
    """All of an answer: body, unpacked, headers, cookies."""
    body = b"".join(answer) if answer.streaming else answer.content
    return b"\n".join([unzipped(body), str(dict(answer.headers)).encode(), answer.cookies.output().encode()])
