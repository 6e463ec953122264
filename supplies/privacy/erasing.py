"""Forgetting a person wherever she is written: contacts, sealed values, free words, sessions, mails, answers kept for a week.

She is known by keyed hashes of her numbers and addresses alone. So a list of who was erased holds nothing of them, and still
makes a restored backup forget them again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.sessions.models import Session as OldSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast

from supplies.accounts.models import Session
from supplies.journal.models import IdempotencyKey, OutgoingMail
from supplies.leaks import MAIL
from supplies.notices.models import Following
from supplies.organisations.contacts import Contact, words_of
from supplies.phones import SHORTEST, found_in
from supplies.privacy.register import Class, Reason, entries
from supplies.sealing import known_keys, lookup, sealed_columns

GONE = "••••"
# What a text must hold at least to be looked at: five digits, eleven spoken ones, or an address of mail.
WORTH_A_LOOK = r"([0-9０-９٠-٩۰-۹][^0-9０-９٠-٩۰-۹]{0,3}){5}|[〇零一二三四五六七八九幺]{11}|@"
# Rows that hold ids, numbers and codes by their nature; what is only ever added there stays as it is.
IDS_ONLY = frozenset(
    {
        "supplies.event",
        "supplies.outgoing",
        "supplies.reveal",
        "supplies.erasure",
        "supplies.figure",
        "matching.matchingrun",
        "matching.familyrun",
    }
)
IDS_ONLY_IN = frozenset(
    {
        "admin.LogEntry.object_id",
        "matching.Proposal.because",
        "matching.Proposal.condition",
        "supplies.TrackingEvent.external_id",
        "supplies.TrackingEvent.disposition",
        "supplies.TrackingEvent.vocabulary",
        "supplies.TrackingEvent.code",
    }
)
# Gone through by verbs of their own, below: what names her there goes as a whole.
WHOLE_ROWS = (Contact, Session, OldSession, EmailAddress, OutgoingMail, IdempotencyKey, Following)
AT_A_TIME = 1000


@dataclass(frozen=True)
class Person:
    """Whom to forget: what is hers by its lookups, and her account where she has one."""

    lookups: frozenset[str]
    account: int | None = None

    def is_hers(self, value: str) -> bool:
        return any(lookup(value, key) in self.lookups for key in known_keys().values())

    def forget_in(self, text: str) -> str:
        """The text without her numbers and addresses; everybody else's stay."""
        hers = [(number.start, number.end) for number in found_in(text) if self.is_hers(number.number)]
        hers += [match.span() for match in MAIL.finditer(text) if any(map(self.is_hers, words_of(match[0])))]
        for start, end in sorted(hers, reverse=True):
            text = text[:start] + GONE + text[end:]
        return text


def forget(person: Person) -> dict[str, int]:
    """Erase a person everywhere; returns how many rows of what. Call inside a transaction.

    A model that keeps more of people than columns tell, such as files, has `forget_person(person) -> int`.
    """
    counts: Counter[str] = Counter()
    counts["supplies.contact"] += _contacts(person)
    counts["account.emailaddress"] += _addresses(person)
    counts["supplies.outgoingmail"] += _mails(person)
    counts["supplies.idempotencykey"] += _answers(person)
    counts["supplies.following"] += _followings(person)
    for model, columns in texts():
        counts[model._meta.label_lower] += _rewrite(model, columns, person)
    for model in apps.get_models():
        if hasattr(model, "forget_person"):
            counts[model._meta.label_lower] += model.forget_person(person)
    counts["supplies.session"] += _sessions(person)
    return {name: count for name, count in sorted(counts.items()) if count}


def _contacts(person: Person) -> int:
    hers = Q(phone_lookup__overlap=list(person.lookups)) | Q(email_lookup__overlap=list(person.lookups))
    if person.account is not None:
        hers |= Q(entered_by=person.account)
    erased, _by_model = Contact.objects.filter(hers).delete()
    return erased


def _addresses(person: Person) -> int:
    """An address of hers that some other account has named, too. Those of her own account have gone with it."""
    kept = EmailAddress.objects.only("pk", "email").iterator(AT_A_TIME)
    hers = [address.pk for address in kept if any(map(person.is_hers, words_of(address.email)))]
    EmailAddress.objects.filter(pk__in=hers).delete()
    return len(hers)


def _followings(person: Person) -> int:
    """Whoever asks to be forgotten is told of no shipment any more."""
    return Following.objects.filter(email_lookup__overlap=list(person.lookups)).delete()[0]


def _mails(person: Person) -> int:
    """A letter that names her is to her, and leaves no more."""
    letters = OutgoingMail.objects.exclude(letter_sealed=b"").iterator(AT_A_TIME)
    hers = [mail.pk for mail in letters if person.forget_in(mail.letter) != mail.letter]
    OutgoingMail.objects.filter(pk__in=hers).delete()
    return len(hers)


def _answers(person: Person) -> int:
    """Of an answer that names her nothing is left: beside her number stands her name, which nothing tells from other words.

    That the request was answered stays known, so that it is not done a second time.
    """
    kept = IdempotencyKey.objects.exclude(answer_sealed=b"").iterator(AT_A_TIME)
    hers = [row.pk for row in kept if person.forget_in(row.answer) != row.answer]
    return IdempotencyKey.objects.filter(pk__in=hers).update(answer_sealed=b"")


def texts() -> Iterator[tuple[type[models.Model], list[str]]]:
    """Every model that keeps text, with the names under which its rows tell it: columns, and faces of sealed columns.

    What the register calls reference data, the site's own machinery or a secret was written by nobody about anybody.
    """
    nobodys = {
        (entry.model, entry.field)
        for entry in entries()
        if entry.purpose in (Reason.REFERENCE, Reason.OPERATE) or entry.kind == Class.SECRET
    }
    sealed: dict[type[models.Model], list[str]] = {}
    for model, face in sealed_columns():
        if (model._meta.label, face.column) not in nobodys:
            sealed.setdefault(model, []).append(face.name)
    for model in apps.get_models():
        if model._meta.label_lower in IDS_ONLY or model._meta.proxy or model in WHOLE_ROWS:
            continue
        names = [
            field.name
            for field in model._meta.local_concrete_fields
            if _keeps_words(field)
            and (model._meta.label, field.name) not in nobodys
            and f"{model._meta.label}.{field.name}" not in IDS_ONLY_IN
        ]
        if names or model in sealed:
            yield model, names + sealed.get(model, [])


def _keeps_words(field: Any) -> bool:
    if isinstance(field, models.JSONField):
        return True
    is_text = isinstance(field, models.CharField | models.TextField)
    return is_text and not (field.primary_key or field.choices or field.unique)


def _rewrite(model: type[models.Model], columns: list[str], person: Person) -> int:
    """Take her out of the rows that name her. Each is read again under its lock before it is changed."""
    own = {field.name for field in model._meta.local_concrete_fields}
    stored = {name: name if name in own else f"{name}_sealed" for name in columns}
    condition, texts = Q(pk__in=[]), {}
    for name, column in stored.items():
        if name == column:
            texts[f"text_of_{name}"] = Cast(column, models.TextField())
            condition |= Q(**{f"text_of_{name}__regex": WORTH_A_LOOK})
        else:
            condition |= ~Q(**{column: b""})
    rows = model._base_manager.alias(**texts).filter(condition).only("pk", *stored.values())
    named = [row.pk for row in rows.iterator(AT_A_TIME) if _changes(row, columns, person)]
    for row in model._base_manager.filter(pk__in=named).select_for_update(of=("self",)).order_by("pk"):
        changes = _changes(row, columns, person)
        for name, value in changes.items():
            setattr(row, name, value)
        row.save(update_fields=[stored[name] for name in changes])
    return len(named)


def _changes(row: models.Model, columns: Iterable[str], person: Person) -> dict[str, Any]:
    changes = {}
    for name in columns:
        value = getattr(row, name)
        after = _cleared(value, person)
        if after != value:
            changes[name] = after
    return changes


def _cleared(value: Any, person: Person) -> Any:
    """A text, or anything JSON holds, without her."""
    if isinstance(value, str):
        return person.forget_in(value)
    if isinstance(value, dict):
        return {person.forget_in(key): _cleared(inner, person) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cleared(inner, person) for inner in value]
    if type(value) is int and len(str(value)) >= SHORTEST:
        return GONE if person.forget_in(str(value)) == GONE else value
    return value


def _sessions(person: Person) -> int:
    """End the sessions of her account, and those in which something of hers waits to be sent."""
    return sum(_sessions_in(table, person) for table in (Session, OldSession))


def _sessions_in(table: Any, person: Person) -> int:
    hers = []
    for session in table.objects.iterator(AT_A_TIME):
        kept = session.get_decoded()
        if kept.get("_auth_user_id") == str(person.account) or _cleared(kept, person) != kept:
            hers.append(session.pk)
    table.objects.filter(pk__in=hers).delete()
    return len(hers)
