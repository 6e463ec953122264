"""The verbs of privacy: show a contact, erase an account, erase a person by her number, erase what is over, give a copy."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session as OldSession
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import BinaryField, ForeignObjectRel, Min, Model
from django.utils.translation import gettext as _

from supplies.accounts import drafts
from supplies.accounts import services as accounts
from supplies.accounts.models import Invitation
from supplies.attachments import services as files
from supplies.attachments.models import Attachment
from supplies.errors import NotYours, Refused, TooMany
from supplies.intake.models import ImportedRow, StagedRow
from supplies.journal.models import Event
from supplies.journal.services import record
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact, words_of
from supplies.organisations.keys import ApiToken
from supplies.organisations.models import Membership, Organisation, User
from supplies.organisations.permissions import may_moderate
from supplies.phones import numbers_in
from supplies.privacy.erasing import Person, forget
from supplies.privacy.models import QUOTA_WINDOW, Erasure, Purpose, Reveal
from supplies.privacy.permissions import Standing, standing
from supplies.sealing import lookups

security = structlog.get_logger("security")
WARN_AT = 0.8  # of the quota: administrators are told before it is used up


@dataclass(frozen=True)
class Shown:
    """A contact as it is shown this once: the log's row, and the values by the name of their field."""

    reveal: Reveal
    contact: Contact
    values: Mapping[str, str]


def reveal(contact: Contact, *, purpose: str, by: User, at: datetime, about: Model | None = None) -> Shown:
    """Show a contact to who has a standing, for a stated purpose. Who saw whose number, and why, is written down first.

    about    the allocation or shipment it is needed for; by default the newest that gives a standing
    Raises   NotYours without a standing, TooMany beyond the account's quota, Refused("erased") for one that has gone meanwhile
    """
    with transaction.atomic():
        _one_at_a_time(by)
        found = Contact.objects.select_related("organisation").filter(pk=contact.pk).first()
        if found is None:
            raise Refused(_("This contact has been erased."), code="erased")
        contact = found
        ground = standing(by, contact, at=at, about=about, purpose=purpose)
        if ground is None or not ground.fields:
            security.warning("refused", code="reveal", account=by.pk, contact=str(contact.pk))
            raise NotYours(
                _("This number is shown to the other side of an agreed match, while it is needed.")
            )
        used = _use(contact, purpose=purpose, by=by, at=at)
        shown = _write_down(contact, ground, purpose=purpose, by=by, at=at)
        if used in _alarms(by):
            record(by, _alarms(by)[used], by=by, at=at, shown=used)
        return Shown(shown, contact, {field: getattr(contact, field) for field in shown.fields})


def _one_at_a_time(user: User) -> None:
    """Two reveals of an account at once would both be the last within its quota."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def quota_of(user: User) -> int:
    """How many different contacts an account may be shown in 24 hours."""
    return settings.REVEALS_A_DAY_AT_THE_DESK if may_moderate(user) else settings.REVEALS_A_DAY


def _alarms(user: User) -> dict[int, str]:
    """At which count the journal notes that somebody was shown many numbers. Nobody gets past the last."""
    quota = quota_of(user)
    return {int(quota * WARN_AT): "reveals.many", quota: "reveals.quota-reached"}


def _use(contact: Contact, *, purpose: str, by: User, at: datetime) -> int:
    """Count one more contact; 0 for one that was counted already or costs nothing. Raises TooMany."""
    if purpose == Purpose.OWN:
        return 0
    counted = Reveal.objects.counted_for(by, at)
    contacts = set(counted.values_list("contact_id", flat=True).distinct())
    if contact.pk in contacts:
        return 0
    if len(contacts) >= quota_of(by):
        oldest = counted.aggregate(at=Min("at"))["at"] or at
        security.warning("refused", code="reveal-quota", account=by.pk, quota=quota_of(by))
        raise TooMany(
            _(
                "You were shown %(count)d numbers within 24 hours, as many as an account may be. Ask an administrator."
            )
            % {"count": len(contacts)},
            code="reveal-quota",
            wait=int((oldest + QUOTA_WINDOW - at).total_seconds()) + 1,
        )
    return len(contacts) + 1


def _write_down(contact: Contact, ground: Standing, *, purpose: str, by: User, at: datetime) -> Reveal:
    filled = [field.value for field in ground.fields if getattr(contact, f"{field.value}_sealed")]
    subject = ground.subject
    shown = Reveal.objects.create(
        contact_id=contact.pk,
        organisation=contact.organisation,
        whose=contact.entered_by,
        fields=filled or [field.value for field in ground.fields],
        by=by,
        on_behalf_of_id=ground.on_behalf_of,
        ground=ground.ground,
        purpose=purpose,
        subject=str(subject._meta.model_name) if subject else "",
        subject_id=str(subject.pk) if subject else "",
        at=at,
    )
    record(contact.organisation, "contact.revealed", by=by, at=at, reveal=str(shown.pk), purpose=purpose)
    return shown


# -- Erasing ----------------------------------------------------------------------------------------------

ERASED_NAME = "erased-"  # what an account and a private donor are called afterwards, with their number
KEPT_AS_NUMBERS = (Membership, ApiToken, LogEntry)  # of an erased account: the first two ended by their verbs


@transaction.atomic
def erase_account(user: User, *, by: User, at: datetime) -> Erasure:
    """Forget a person: her account becomes a number, her contacts and what else is hers go; the journal keeps the number.

    What she posted for a hospital stays the hospital's. Raises Refused("last-administrator").
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise Refused(
            _("You are the only administrator. Make somebody else one first."), code="last-administrator"
        )
    hers = Contact.objects.filter(entered_by=user).values_list("phone_lookup", "email_lookup")
    found_by = {value for phones, mails in hers for value in (*phones, *mails)}
    addresses = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    found_by |= set(lookups([*words_of(" ".join([user.email, *addresses])), *numbers_in(user.username)]))
    return _erase(Erasure.Kind.ACCOUNT, Person(frozenset(found_by), user.pk), by=by, at=at)


@transaction.atomic
def erase_number(phone: str, *, by: User, at: datetime) -> Erasure:
    """Forget whoever is reached by a number: contacts, free words, imported rows, what waits in sessions."""
    numbers = numbers_in(phone)
    if not numbers:
        raise ValidationError({"phone": _("Write the whole number, with its area code for a landline.")})
    return _erase(Erasure.Kind.NUMBER, Person(frozenset(lookups(numbers))), by=by, at=at)


def _erase(
    kind: str, person: Person, *, by: User | None, at: datetime, pk: uuid.UUID | None = None
) -> Erasure:
    user = User.objects.filter(pk=person.account).first() if person.account is not None else None
    if user is not None:
        _rename_private_donors(user)
        _make_anonymous(user, by=by, at=at)
    counts = forget(person)
    erasure = Erasure.objects.create(
        pk=pk or uuid.uuid4(),
        kind=kind,
        account=person.account,
        lookups=sorted(person.lookups),
        counts=counts,
        by=by,
        at=at,
    )
    record(erasure, f"person.erased-by-{kind}", by=by, at=at, rows=sum(counts.values()))
    return erasure


def _rename_private_donors(user: User) -> None:
    """A donor that is this person herself bears her name: nobody else acts for it, and it gave as a private person."""
    own = Organisation.objects.filter(memberships__user=user, kind=Organisation.Kind.DONOR)
    shared = Membership.objects.exclude(user=user).values("organisation")
    for donor in own.filter(donations__sender_kind="person").exclude(pk__in=shared).distinct():
        donor.name = donor.normal_name = f"{ERASED_NAME}{donor.pk}"
        donor.credit_code = ""
        donor.save(update_fields=["name", "normal_name", "credit_code"])
        donor.donations.update(address="", lat=None, lon=None)


def _make_anonymous(user: User, *, by: User | None, at: datetime) -> None:
    """Nothing of the account is left but its number; whatever would go with it, if it were deleted, goes: addresses, second
    factors, sessions, answers. So do the files she handed in, and the links by which she let others in."""
    for invitation in Invitation.objects.open(at).filter(by=user):
        accounts.revoke(invitation, by=by or user, at=at)
    for membership in user.memberships.all():
        people.dismiss(membership, by=by, at=at, leaving_no_manager=True)
    for attachment in Attachment.objects.kept().filter(by=user).order_by("pk"):
        files.erase(attachment, by=by, at=at)
    for token in user.api_tokens.filter(revoked_at=None):
        people.revoke_token(token, by=by or user, at=at)
    user.api_tokens.update(name="")
    for relation in user._meta.get_fields(include_hidden=True):
        model: Any = relation.related_model
        if not isinstance(relation, ForeignObjectRel) or model in KEPT_AS_NUMBERS:
            continue
        if relation.on_delete is models.CASCADE:
            model._base_manager.filter(**{relation.field.name: user}).delete()
    about = LogEntry.objects.filter(content_type__app_label="supplies", content_type__model="user")
    about.filter(object_id=str(user.pk)).update(object_repr=str(user))
    user.username, user.first_name, user.last_name, user.email = f"{ERASED_NAME}{user.pk}", "", "", ""
    user.language, user.last_login = "", None
    user.is_active = user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save()


def entries(since: datetime | None = None) -> list[dict[str, Any]]:
    """Who was erased, as a list to keep apart from the backups: a restored one is made to forget them by `replay`."""
    rows = Erasure.objects.filter(at__gte=since) if since else Erasure.objects.all()
    names = ("pk", "kind", "account", "lookups", "at")
    return [
        {"id": str(pk), "kind": kind, "account": account, "lookups": found_by, "at": at.isoformat()}
        for pk, kind, account, found_by, at in rows.order_by("at", "pk").values_list(*names)
    ]


@transaction.atomic
def replay(listed: Iterable[Mapping[str, Any]], *, at: datetime) -> int:
    """Erase again, in a restored backup, whom it still remembers; returns how many. Those it knows as erased are passed over.

    listed    what `entries` gave
    """
    known = set(Erasure.objects.values_list("pk", flat=True))
    new = [entry for entry in listed if uuid.UUID(entry["id"]) not in known]
    for entry in new:
        person = Person(frozenset(entry["lookups"]), entry["account"])
        when = datetime.fromisoformat(entry["at"])
        _erase(entry["kind"], person, by=None, at=min(when, at), pk=uuid.UUID(entry["id"]))
    return len(new)


def erase_expired(*, at: datetime) -> dict[str, int]:
    """Erase what its time is over for: contacts on their day, raw rows of lists as long after they were last seen, sessions."""
    over = at - timedelta(days=people.KEPT_DAYS)
    return {
        "contacts": people.erase_contacts(at=at),
        "imported rows": ImportedRow.objects.filter(seen_in__started_at__lt=over)
        .exclude(raw_sealed=b"")
        .update(raw_sealed=b""),
        "staged rows": StagedRow.objects.filter(batch__started_at__lt=over)
        .exclude(raw_sealed=b"")
        .update(raw_sealed=b""),
        "sessions": accounts.end_what_has_run_out(at=at)
        + OldSession.objects.filter(expire_date__lt=at).delete()[0],
        "drafts": drafts.drop_old(at=at),
    }


# -- A copy of one's own data -----------------------------------------------------------------------------

AUTHOR = frozenset({"posted_by", "entered_by", "created_by"})


def copy_of(user: User, *, at: datetime) -> dict[str, Any]:
    """All that is kept about a person, for herself. Her contacts are shown to her, and written down like any other.

    What she posted comes whole; of what she only decided about, which may hold others' data, the kind, the number and the day.
    """
    own = Contact.objects.filter(entered_by=user).select_related("organisation").order_by("pk")
    shown = [reveal(contact, purpose=Purpose.OWN, by=user, at=at) for contact in own]
    account = ("username", "first_name", "last_name", "email", "language", "date_joined", "last_login")
    return {
        "account": {name: getattr(user, name) for name in ("pk", *account)},
        "acts_for": list(user.memberships.values("organisation__name", "role")),
        "contacts": [
            {"organisation": one.contact.organisation.name, "erase_on": one.contact.erase_on, **one.values}
            for one in shown
        ],
        "shown_to_others": list(
            Reveal.objects.filter(whose=user).exclude(by=user).values("at", "fields", "ground", "purpose")
        ),
        "addresses": list(EmailAddress.objects.filter(user=user).values("email", "verified")),
        "second_factors": list(
            Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")
        ),
        "signed_in": list(user.browser_sessions.values("browser", "began_at", "seen_at")),
        "drafts": [
            {"page": draft.page, "kept_at": draft.kept_at, "fields": dict(drafts.fields_of(draft).lists())}
            for draft in user.drafts.newest_first()
        ],
        "invitations": list(
            Invitation.objects.filter(by=user).values(
                "organisation__name", "role", "created_at", "accepted_at", "revoked_at"
            )
        ),
        "registered": list(Organisation.objects.filter(registered_by=user).values("name", "created_at")),
        "handed_in": list(Attachment.objects.filter(by=user).values("kind", "media_type", "at", "erased_at")),
        "keys_of_programs": list(
            user.api_tokens.values("name", "scopes", "created_at", "expires_at", "last_used_on")
        ),
        "posted": dict(_posted(user)),
        "journal": list(Event.objects.filter(by=user).values("at", "kind", "subject", "subject_id")),
    }


def _posted(user: User) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if field.name in AUTHOR and field.related_model is User and model is not Contact:
                names = [
                    one.name
                    for one in model._meta.local_concrete_fields
                    if one.name not in AUTHOR and not isinstance(one, BinaryField)  # what is sealed
                ]
                yield (
                    model._meta.label_lower,
                    list(model._base_manager.filter(**{field.name: user}).values(*names)),
                )
