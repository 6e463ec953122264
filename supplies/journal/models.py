"""Who did what, when, sealed so that nobody can bend it; what must leave the process because of it; and which requests
were answered. Written in the verb's own transaction."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Max, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from supplies.append_only import OnlyAdded
from supplies.journal.words import Names, facts_told, told
from supplies.sealing import Sealed
from supplies.wording import moment

# No text of any fact has a space, a letter that is not ASCII, or more than 80 characters: no name, no address, no note.
IDS_AND_NUMBERS = '!exists($.** ? (@.type() == "string" && !(@ like_regex "^[A-Za-z0-9_.:+/-]{0,80}$")))'


# What the daily verification of the journal found, written into the journal itself.
BROKEN, VERIFIED = "journal.broken", "journal.verified"


class EventQuerySet(models.QuerySet["Event"]):
    def about(self, row: models.Model) -> Self:
        return self.filter(subject=row._meta.model_name, subject_id=str(row.pk))

    def alarms(self) -> Self:
        """Verifications that found the journal tampered with, after the last one that found it whole."""
        whole = Event.objects.filter(kind=VERIFIED).order_by().values("kind").annotate(last=Max("pk"))
        return self.filter(kind=BROKEN, pk__gt=Coalesce(Subquery(whole.values("last")), 0))

    def newest_first(self) -> Self:
        return self.order_by("-pk")


class Event(models.Model):
    """One thing that happened. Rows are only ever added."""

    kind = models.CharField(_("what"), max_length=60)
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("who"),
        related_name="+",
    )
    subject = models.CharField(_("about"), max_length=40)
    subject_id = models.CharField(_("its id"), max_length=40)
    facts = models.JSONField(
        _("facts"),
        default=dict,
        blank=True,
        help_text=_("Ids and numbers only; never a name or a telephone number."),
    )

    names: Names | None = None  # of the rows its facts are keys of, once somebody has read them

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal")
        constraints = [
            OnlyAdded(name="events_are_only_added"),
            models.CheckConstraint(
                name="event_facts_are_ids_and_numbers",
                condition=Func(
                    F("facts"),
                    Value(IDS_AND_NUMBERS),
                    function="jsonb_path_match",
                    template="%(function)s(%(expressions)s::jsonpath)",
                    output_field=models.BooleanField(),
                ),
            ),
        ]
        indexes = [models.Index(fields=["subject", "subject_id", "id"], name="event_by_subject")]

    def __str__(self) -> str:
        return f"{self.kind} · {moment(self.at)}"

    @property
    def told(self) -> str:
        return told(self.kind)

    @property
    def facts_told(self) -> list[tuple[str, Any]]:
        return facts_told(self.facts, self.names)


class Unsealed(models.Model):
    """An event that no seal covers yet: put here by a trigger in the event's own transaction, taken away by the sealer."""

    event = models.OneToOneField(
        Event, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
    )

    class Meta:
        verbose_name = _("entry that waits for its seal")
        verbose_name_plural = _("entries that wait for their seal")

    def __str__(self) -> str:
        return str(self.event_id)


class SealQuerySet(models.QuerySet["Seal"]):
    def newest_first(self) -> Self:
        return self.order_by("-number")


class Seal(models.Model):
    """A link of the chain: these events, as they were, came after everything the seal before covers."""

    number = models.PositiveBigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("sealed"))
    events = ArrayField(models.BigIntegerField(), verbose_name=_("journal entries"))
    digest = models.BinaryField(_("digest"), max_length=32)

    objects = SealQuerySet.as_manager()

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        constraints = [
            OnlyAdded(name="seals_are_only_added"),
            models.CheckConstraint(name="seals_are_counted_from_one", condition=Q(number__gte=1)),
            models.CheckConstraint(name="seal_covers_something", condition=Q(events__len__gte=1)),
        ]

    def __str__(self) -> str:
        return str(self.number)


class OutgoingQuerySet(models.QuerySet["Outgoing"]):
    def waiting(self) -> "OutgoingQuerySet":
        return self.filter(done_at=None)


class Outgoing(models.Model):
    """One listener that still has to hear of one event. Done at least once; listeners bear hearing twice."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="outgoing", verbose_name=_("journal entry"))
    listener = models.CharField(_("listener"), max_length=120)
    due_at = models.DateTimeField(_("due"))
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.TextField(_("last error"), blank=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    objects = OutgoingQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing notice")
        verbose_name_plural = _("outgoing notices")
        constraints = [models.UniqueConstraint(F("event"), F("listener"), name="outgoing_once_per_listener")]
        indexes = [models.Index(fields=["due_at"], condition=Q(done_at=None), name="outgoing_waiting")]

    def __str__(self) -> str:
        return self.listener


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def waiting(self) -> Self:
        return self.filter(sent_at=None, given_up_at=None)

    def given_up(self) -> Self:
        return self.filter(given_up_at__isnull=False)


class OutgoingMail(models.Model):
    """A mail that leaves when what it tells of has been committed. Its text is sealed, and gone once it is sent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    letter_sealed = models.BinaryField(default=b"", editable=False)
    created_at = models.DateTimeField(_("written"))
    due_at = models.DateTimeField(_("due"))
    give_up_at = models.DateTimeField(_("tried until"))
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=100, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    given_up_at = models.DateTimeField(_("given up"), null=True, blank=True)

    letter = Sealed()

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        constraints = [
            models.CheckConstraint(
                name="outgoing_mail_is_sent_or_given_up", condition=Q(sent_at=None) | Q(given_up_at=None)
            ),
            models.CheckConstraint(
                name="outgoing_mail_keeps_no_text_once_sent", condition=Q(sent_at=None) | Q(letter_sealed=b"")
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(sent_at=None, given_up_at=None), name="outgoing_mail_waiting"
            )
        ]

    def __str__(self) -> str:
        return moment(self.created_at)


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def of(self, user: Any) -> Self:
        """What an account asked for."""
        return self.filter(by=user)

    def older_than(self, at: datetime) -> Self:
        return self.filter(created_at__lt=at)


class IdempotencyKey(models.Model):
    """A request that was answered. The same request again is given the same answer, and nothing is done twice.

    Who asked, at which address and under which key are one keyed digest, since an address may hold a code and a key is
    its sender's own. The answer is sealed: it may show what is not public.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scope = models.CharField(_("which request"), max_length=64, editable=False)
    route = models.CharField(_("route"), max_length=200)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("who"),
        related_name="+",
    )
    body_digest = models.CharField(max_length=64, editable=False)
    rights_digest = models.CharField(max_length=64, editable=False)
    status = models.PositiveSmallIntegerField(_("status"))
    answer_sealed = models.BinaryField(default=b"", editable=False)
    created_at = models.DateTimeField(_("answered"))

    answer = Sealed()

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("answered request")
        verbose_name_plural = _("answered requests")
        constraints = [
            models.UniqueConstraint(fields=["scope"], name="idempotency_key_is_answered_once"),
            models.CheckConstraint(
                name="idempotency_key_keeps_what_was_done", condition=Q(status__gte=200, status__lt=400)
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_by_age")]

    def __str__(self) -> str:
        return f"{self.route} · {moment(self.created_at)}"
