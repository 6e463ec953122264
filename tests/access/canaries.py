"""Values that stand nowhere else, planted into every field the register classes personal, confidential or secret, and a
search for them in whatever leaves the site or lies in its stores. Everyone is invented.

Free words get a telephone number besides, whatever their class: that must not even be public where the words are.
"""

import re
from base64 import b32encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as OldStore
from django.contrib.sessions.models import Session as OldSession
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.db import connection, models, transaction
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from supplies.accounts import services as accounts
from supplies.accounts.models import Session
from supplies.accounts.sessions import SessionStore
from supplies.append_only import rewriting
from supplies.attachments.uploads import in_memory
from supplies.free_text import FreeText
from supplies.intake.models import Import, ImportedLine, ImportedRow
from supplies.journal import mail, once
from supplies.needs import services as asking
from supplies.organisations import services as people
from supplies.organisations.models import User
from supplies.privacy.register import Class, entries
from supplies.privacy.services import reveal
from supplies.sealing import sealed_columns
from supplies.shipments import services as moving
from tests.makers import (
    NOW,
    make_appeal,
    make_donation,
    make_member,
    make_organisation,
    make_shipment,
)
from tests.matching.test_admin import make_proposal
from tests.owner import as_owner
from tests.supplies.attachments.hostile import pdf
from tests.supplies.organisations.verdicts import call, verified
from tests.supplies.privacy.cast import Match, make_match

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
class Canary:
    """A value and where it was planted: "supplies.Contact.phone"."""

    where: str
    value: str


@dataclass(frozen=True)
class World:
    """One of everything, with the canaries in it."""

    match: Match
    canaries: tuple[Canary, ...]
    unplanted: frozenset[str]


def plant() -> World:
    """A world with a row of every kind, and a canary in each guarded field of each row."""
    match = _one_of_everything()
    number = iter(range(1, 9_999))
    canaries: list[Canary] = []
    unplanted: set[str] = set()
    faces = {(model, face.column): face for model, face in sealed_columns()}
    for entry in entries():
        model = apps.get_model(entry.model)
        field: Any = model._meta.get_field(entry.field)
        is_guarded, is_free = entry.kind in GUARDED, isinstance(field, FreeText)
        if not (is_guarded or is_free):
            continue
        if field.primary_key or field.choices or isinstance(field, NOT_PLANTED):
            unplanted.add(f"{entry.model}.{entry.field}")
            continue
        for row in model._base_manager.order_by("pk"):
            n = next(number)
            where = f"{entry.model}.{entry.field}"
            token, phone = f"canary{n:04}q", f"1380000{n:04}"
            if face := faces.get((model, entry.field)):
                face.seal_into(row, phone if face.name == "phone" else token)
                row.save(update_fields=list(face.columns))
                canaries.append(Canary(where, phone if face.name == "phone" else token))
            elif model in (Session, OldSession) and field.name == "session_data":
                _plant_session(row, token)
                canaries.append(Canary(where, token))
            elif isinstance(field, models.CharField | models.TextField):
                words = [token] * is_guarded + [phone] * is_free
                _write(row, field, " ".join(words) if is_free else token)
                canaries += [Canary(where, word) for word in words]
            else:
                unplanted.add(where)
                break
    return World(match, tuple(canaries), frozenset(unplanted))


def _write(row: models.Model, field: Any, text: str) -> None:
    if field.max_length == 26 or field.name == "code":
        text = text.replace("0", "z").replace("1", "y")  # the alphabet of tracking codes
    # Straight into the column, past what is only ever added: no verb has to allow it.
    with as_owner(), transaction.atomic(), rewriting(), connection.cursor() as cursor:
        table, column, pk = row._meta.db_table, field.column, row._meta.pk.column  # type: ignore[union-attr]
        cursor.execute(f'UPDATE "{table}" SET "{column}" = %s WHERE "{pk}" = %s', [text, row.pk])


def _plant_session(row: Any, token: str) -> None:
    kept = type(row).get_session_store_class()(session_key=row.session_key)
    kept["unsent"] = {"path": "/", "typed": f"remark={token}"}
    kept.save()


def _one_of_everything() -> Match:
    match = make_match()
    user, at = match.nurse, NOW
    make_appeal(match.site, by=user, remark="x", handover_point="x")
    refused = make_appeal(match.site, by=user, published=False)
    asking.refuse(refused, reason="x", by=make_member("volunteer"), at=at)
    make_donation(match.donor, by=match.giver, remark="x", address="x")
    shipment = make_shipment(match.allocation, carrier=match.carrier, status="in_transit")
    moving.report(shipment, occurred_at=at, step="transporting", note="x", place="x", by=match.driver, at=at)
    moving.deliver(shipment, by=None, at=at)
    moving.receive(
        shipment, counts=[{"line": shipment.lines.get(), "accepted": 60}], note="x", by=user, at=at
    )
    people.issue_token(user, name="x", scopes=["read"], at=at, expires_at=at + timedelta(days=90))
    people.pause(match.site, reason="x", by=user, at=at)
    people.resume(match.site, by=user, at=at)
    checked = make_organisation(verified=False)
    call(checked, make_member("volunteer"), note="x")
    verified(checked)
    reveal(match.hospital_contact, purpose="own", by=user, at=at)
    _imported(match)
    _an_account(user)
    _evidence(match)
    make_proposal(
        quantity_left_out=10,
        deviation="other",
        deviation_note="x",
        ended_because="x",
        status="declined",
        approved_by=make_member("volunteer"),
        approved_at=at,
    )
    return match


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


# -- searching ----------------------------------------------------------------------------------------------

_BETWEEN_DIGITS = re.compile(rb"(?<=\d)[ \-.]+(?=\d)")


def found_in(data: bytes, canaries: Iterable[Canary]) -> list[Canary]:
    """The canaries that stand in it, also with gaps between their digits. All are plain letters and digits, which no escaping
    of JSON, HTML or an address changes."""
    joined = data + b"\n" + _BETWEEN_DIGITS.sub(b"", data)
    return [canary for canary in canaries if canary.value.encode() in joined]


def tables() -> Iterator[tuple[str, bytes]]:
    """Every table as a dump holds it."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{table}" t')
            yield table, (cursor.fetchone()[0] or "").encode()


def opened() -> Iterator[tuple[str, bytes]]:
    """Every sealed column, opened; and what waits in sessions."""
    for model, face in sealed_columns():
        for row in model._base_manager.all():
            yield f"{model._meta.label}.{face.name}", str(getattr(row, face.name)).encode()
    for session in (*Session.objects.all(), *OldSession.objects.all()):
        yield session._meta.label, str(session.get_decoded()).encode()


def kept_elsewhere() -> Iterator[tuple[str, bytes]]:
    """The cache, and the files the site writes beside its database."""
    client = cache._cache.get_client(None)  # type: ignore[attr-defined]
    for key in client.scan_iter("*"):
        value = b""
        with suppress(Exception):  # a counter or a list, which holds no text of ours
            value = bytes(client.get(key) or b"")
        yield f"cache:{key!r}", bytes(key) + value
    for root in (settings.STATE_DIR, settings.PRIVATE_ROOT):
        for file in Path(root).rglob("*"):
            if file.is_file() and "postgres" not in file.parts and "valkey" not in file.parts:
                yield str(file), file.read_bytes()


# -- crawling -----------------------------------------------------------------------------------------------

ROWS_OF = {
    "needs": "supplies.Need",
    "appeals": "supplies.Appeal",
    "new": "supplies.Facility",
    "donations": "supplies.Donation",
    "offers": "supplies.Offer",
    "shipments": "supplies.Shipment",
    "facilities": "supplies.Facility",
    "organisations": "supplies.Organisation",
    "allocations": "supplies.Allocation",
    "promises": "supplies.Allocation",
    "contacts": "supplies.Contact",
    "answers": "matching.Proposal",
    "proposals": "matching.Proposal",
    "matching-runs": "matching.MatchingRun",
    "regions": "supplies.Region",
    "categories": "supplies.Category",
    "items": "supplies.Item",
    "standards": "supplies.Standard",
    "emergencies": "supplies.Emergency",
    "reveals": "supplies.Reveal",
}
ELSEWHERE = ("desk/",)  # the desk is crawled by its own list of pages


def addresses(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Every address that can be opened, with the keys of the rows there are in its holes."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = before + _text(pattern)
        if here.startswith(ELSEWHERE):
            continue
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern):
            yield from _filled(here)


def _text(pattern: Any) -> str:
    if isinstance(pattern.pattern, RegexPattern):
        text = str(pattern.pattern).lstrip("^").removesuffix("$").removesuffix("\\Z")
        return re.sub(r"\(\?P<pk>[^)]*\)", "<pk>", text)
    return str(pattern.pattern)


def _filled(address: str) -> Iterator[str]:
    hole = re.search(r"<[^>]+>", address)
    if hole is None:
        yield f"/{address}"
        return
    segment = address[: hole.start()].rstrip("/").rpartition("/")[2]
    if segment == "track":  # a code nobody has; who holds one is no stranger
        yield f"/{address[: hole.start()]}{'2' * 26}/"
        return
    for pk in apps.get_model(ROWS_OF[segment])._base_manager.values_list("pk", flat=True)[:20]:
        yield f"/{address[: hole.start()]}{pk}{address[hole.end() :]}"
