"""Mail, through the journal: it leaves if and when what it tells of has been committed.

`Outbox` is the site's EMAIL_BACKEND, so whatever sends mail by Django's means, ours or a library's, passes here. A worker
carries the mails to settings.MAIL_CARRIER, for a day if need be. A mail is sent twice only if the worker is killed in the
moment between the carrier's yes and the commit; its Message-ID is the same then, by which mailboxes know it again.
"""

import base64
import json
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import format_datetime, make_msgid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.errors import MoveRefused
from supplies.journal.models import OutgoingMail
from supplies.journal.services import record, ring

log = logging.getLogger(__name__)
TRIED_FOR = timedelta(days=1)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
A_ROUND = (
    50  # mails, each of which a dead carrier may hold up for EMAIL_TIMEOUT; a task stays below ten minutes
)
UNSENT_KEPT, LISTED = timedelta(days=7), timedelta(days=30)
PLAIN = ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to")


class Outbox(BaseEmailBackend):
    """What Django calls a backend: it writes down."""

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        return len([write(message, at=timezone.now()) for message in email_messages if message.recipients()])


@transaction.atomic
def write(message: EmailMessage, *, at: datetime) -> OutgoingMail:
    """Put a mail into the outbox, in the transaction of what it tells of. Raises BadHeaderError for a broken heading."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    message.extra_headers.setdefault("Message-ID", make_msgid(domain=domain))
    message.extra_headers.setdefault("Date", format_datetime(at))
    message.message()
    mail = OutgoingMail(created_at=at, due_at=at, give_up_at=at + TRIED_FOR)
    mail.letter = json.dumps(_folded(message))
    mail.save(force_insert=True)
    transaction.on_commit(lambda: ring("journal.carry_mail"), robust=True)
    return mail


def carry(*, at: datetime) -> int:
    """Carry what waits to the carrier, each mail in a transaction of its own. Returns how many were taken."""
    taken = [_carry_next(at=at) for _mail in range(A_ROUND)]
    if taken[-1] is not None:
        ring("journal.carry_mail")
    return taken.count(True)


@transaction.atomic
def _carry_next(*, at: datetime) -> bool | None:
    """Whether the next mail was taken; None where none waits."""
    waiting = OutgoingMail.objects.waiting().filter(due_at__lte=at).order_by("due_at", "pk")
    mail = waiting.select_for_update(skip_locked=True).first()
    if mail is None:
        return None
    try:
        get_connection(settings.MAIL_CARRIER).send_messages([_unfolded(json.loads(mail.letter))])
    except Exception as error:
        _put_off(mail, type(error).__name__, at=at)
    else:
        mail.sent_at, mail.last_error, mail.letter_sealed = at, "", b""
    mail.attempts += 1
    mail.save()
    return mail.sent_at is not None


def _put_off(mail: OutgoingMail, why: str, *, at: datetime) -> None:
    """The kind of error only: the carrier's words quote addresses."""
    mail.last_error = why[:100]
    mail.due_at = at + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(mail.attempts, 10))
    if at >= mail.give_up_at:
        mail.given_up_at = at
        record(mail, "mail.given_up", by=None, at=at, attempts=mail.attempts + 1)
        log.error("A mail was given up after %d attempts (%s).", mail.attempts + 1, why)


@transaction.atomic
def try_again(mail: OutgoingMail, *, by: AbstractBaseUser, at: datetime) -> OutgoingMail:
    """Somebody has mended what kept it from leaving."""
    mail = OutgoingMail.objects.select_for_update().get(pk=mail.pk)
    if mail.given_up_at is None or not mail.letter_sealed:
        raise MoveRefused(_("Only a mail that was given up within the last week can be tried again."))
    mail.given_up_at, mail.due_at, mail.give_up_at, mail.attempts = None, at, at + TRIED_FOR, 0
    mail.save()
    record(mail, "mail.tried_again", by=by, at=at)
    transaction.on_commit(lambda: ring("journal.carry_mail"), robust=True)
    return mail


def forget(*, at: datetime) -> int:
    """Drop the text of what was given up long ago, and the rows of what is long over. Returns how many rows."""
    OutgoingMail.objects.given_up().filter(given_up_at__lt=at - UNSENT_KEPT).update(letter_sealed=b"")
    over = OutgoingMail.objects.exclude(pk__in=OutgoingMail.objects.waiting().values("pk"))
    return over.filter(created_at__lt=at - LISTED).delete()[0]


def _folded(message: EmailMessage) -> dict[str, Any]:
    """A mail as JSON; `_unfolded` makes the same mail of it again."""
    attached = []
    for attachment in message.attachments:
        if not isinstance(attachment, tuple):
            raise TypeError(
                "Attach a name, the content and its type; a ready-made part cannot be put into the outbox."
            )
        name, content, kind = attachment
        is_text = isinstance(content, str)
        attached.append([name, content if is_text else base64.b64encode(content).decode(), kind, is_text])
    return {
        **{name: getattr(message, name) for name in PLAIN},
        "headers": message.extra_headers,
        "subtype": message.content_subtype,
        "alternatives": [list(one) for one in getattr(message, "alternatives", [])],
        "attachments": attached,
    }


def _unfolded(letter: dict[str, Any]) -> EmailMessage:
    message = EmailMultiAlternatives(**{name: letter[name] for name in PLAIN}, headers=letter["headers"])
    message.content_subtype = letter["subtype"]
    for content, kind in letter["alternatives"]:
        message.attach_alternative(content, kind)
    for name, content, kind, is_text in letter["attachments"]:
        message.attach(name, content if is_text else base64.b64decode(content), kind)
    return message
