"""Who wants to be told of what: programs by HTTP, with what became of each telling; and people by mail, of one shipment."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supplies.journal.models import Event
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.notices.signing import key_of
from supplies.organisations.contacts import words_of
from supplies.organisations.models import Membership, Organisation, User
from supplies.sealing import LookupField, Sealed, lookups
from supplies.shipments.models import Shipment
from supplies.wording import moment

TEST = "webhook.test"  # the kind of a trial, which nothing in the journal stands behind
EXCERPT = 300  # characters of an answer that are kept

# How long after each attempt that failed the next is made: the example of Standard Webhooks 1.0.0, three days in all.
RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
ATTEMPTS = len(RETRIES) + 1


class EndpointStatus(models.TextChoices):
    ACTIVE = "active", pgettext_lazy("webhook", "active")
    DISABLED = "disabled", pgettext_lazy("webhook", "disabled")
    REMOVED = "removed", pgettext_lazy("webhook", "removed")


class Disabled(models.TextChoices):
    """Why nothing is sent there."""

    BY_HAND = "by_hand", _("switched off by hand")
    GONE = "gone", _("it answered that it is gone (410)")
    FAILING = "failing", _("nothing got through for three days")


ENDPOINT_LIFECYCLE = Lifecycle(
    {
        EndpointStatus.ACTIVE: {EndpointStatus.DISABLED, EndpointStatus.REMOVED},
        EndpointStatus.DISABLED: {EndpointStatus.ACTIVE, EndpointStatus.REMOVED},
        EndpointStatus.REMOVED: set(),
    }
)


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def active(self) -> Self:
        return self.filter(status=EndpointStatus.ACTIVE)

    def standing(self) -> Self:
        """Not removed."""
        return self.exclude(status=EndpointStatus.REMOVED)

    def visible_to(self, user: Any) -> Self:
        """Those of the organisations a person manages; an administrator's all. Their addresses may hold secrets."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        managed = Membership.objects.managing().filter(user=user)
        return self.filter(organisation__in=managed.values("organisation"))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class WebhookEndpoint(Moving):
    """An address of an organisation's program that is told of events.

    old_secret   signs beside the secret until `old_secret_until`, so that a secret can be changed without a gap
    slow_until   until then it is sent one message at a time, so that it holds up nobody
    """

    lifecycle = ENDPOINT_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, verbose_name=_("organisation"), related_name="webhook_endpoints"
    )
    url = models.CharField(_("address"), max_length=500)
    kinds = ArrayField(models.CharField(max_length=60), verbose_name=_("told of"))
    status = models.CharField(
        _("status"), max_length=10, choices=EndpointStatus, default=EndpointStatus.ACTIVE
    )
    disabled_because = models.CharField(_("why"), max_length=10, choices=Disabled, blank=True)
    secret_sealed = models.BinaryField(default=b"", editable=False)
    old_secret_sealed = models.BinaryField(default=b"", editable=False)
    old_secret_until = models.DateTimeField(_("old secret signs until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("by"), related_name="+"
    )
    succeeded_at = models.DateTimeField(_("last got through"), null=True, blank=True)
    slow_until = models.DateTimeField(_("slow until"), null=True, blank=True)

    secret = Sealed()
    old_secret = Sealed()

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints = [
            status_is_listed(EndpointStatus, "webhook_endpoint_status_is_listed"),
            models.CheckConstraint(
                name="webhook_endpoint_says_why_it_is_disabled",
                condition=Q(Q(status=EndpointStatus.DISABLED), ~Q(disabled_because=""))
                | Q(~Q(status=EndpointStatus.DISABLED), disabled_because=""),
            ),
            models.CheckConstraint(
                name="webhook_endpoint_keeps_secrets_until_removed",
                condition=Q(Q(status=EndpointStatus.REMOVED), secret_sealed=b"", old_secret_sealed=b"")
                | Q(~Q(status=EndpointStatus.REMOVED), ~Q(secret_sealed=b"")),
            ),
            models.CheckConstraint(
                name="webhook_endpoint_is_told_of_something", condition=Q(kinds__len__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return self.url

    def keys(self, at: datetime) -> tuple[bytes, ...]:
        """What a message is signed with just now: the newest first."""
        old = self.old_secret if self.old_secret_until and at < self.old_secret_until else ""
        return tuple(key_of(secret) for secret in (self.secret, old) if secret)


class DeliveryStatus(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("webhook", "to be sent")
    DELIVERED = "delivered", pgettext_lazy("webhook", "delivered")
    FAILED = "failed", pgettext_lazy("webhook", "given up")


DELIVERY_LIFECYCLE = Lifecycle(
    {
        DeliveryStatus.WAITING: {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED},
        DeliveryStatus.DELIVERED: {DeliveryStatus.WAITING},
        DeliveryStatus.FAILED: {DeliveryStatus.WAITING},
    }
)


class Problem(models.TextChoices):
    """What went wrong at the last attempt."""

    ADDRESS = "address", _("the address leads to no place that may be reached")
    NO_ANSWER = "no_answer", _("no answer, or not in time")
    STATUS = "status", _("answered with an error")
    REDIRECT = "redirect", _("it leads elsewhere; that is not followed")


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def waiting(self) -> Self:
        return self.filter(status=DeliveryStatus.WAITING)

    def leased(self, at: datetime) -> Self:
        """Somebody is sending it just now."""
        return self.waiting().filter(lease_until__gt=at)

    def due(self, at: datetime) -> Self:
        return self.waiting().filter(Q(lease_until=None) | Q(lease_until__lte=at), next_at__lte=at)

    def visible_to(self, user: Any) -> Self:
        return self.filter(endpoint__in=WebhookEndpoint.objects.standing().visible_to(user).values("pk"))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class WebhookDelivery(Moving):
    """One event for one endpoint, and how the last attempt to tell of it went.

    Its id is the message's, the same at every attempt. `began_at` is when the first of the attempts was due: a replay begins
    anew. Whoever sends it holds it until `lease_until`; if that passes, whoever it was has died and another sends it.
    """

    lifecycle = DELIVERY_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    event = models.ForeignKey(
        Event, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("journal entry")
    )
    kind = models.CharField(_("what"), max_length=60)
    status = models.CharField(
        _("status"), max_length=10, choices=DeliveryStatus, default=DeliveryStatus.WAITING
    )
    created_at = models.DateTimeField(_("created"))
    began_at = models.DateTimeField(_("first attempt due"))
    next_at = models.DateTimeField(_("next attempt"))
    lease_until = models.DateTimeField(_("being sent until"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    tried_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    took_ms = models.PositiveIntegerField(_("milliseconds"), null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(_("status code of the answer"), null=True, blank=True)
    problem = models.CharField(_("problem"), max_length=10, choices=Problem, blank=True)
    excerpt = models.CharField(_("beginning of the answer"), max_length=EXCERPT, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery of a webhook")
        verbose_name_plural = _("deliveries of webhooks")
        constraints = [
            status_is_listed(DeliveryStatus, "webhook_delivery_status_is_listed"),
            models.UniqueConstraint(fields=["endpoint", "event"], name="webhook_delivery_once_per_event"),
            models.CheckConstraint(
                name="webhook_delivery_is_of_an_event_or_a_trial",
                condition=Q(event__isnull=False) | Q(kind=TEST),
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_at", "id"],
                condition=Q(status=DeliveryStatus.WAITING),
                name="webhook_delivery_due",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(status=DeliveryStatus.WAITING, lease_until__isnull=False),
                name="webhook_delivery_leased",
            ),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="webhook_delivery_log"),
            models.Index(fields=["created_at"], name="webhook_delivery_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {moment(self.created_at)}"

    @property
    def message_id(self) -> str:
        """What the other side knows the message again by."""
        return f"msg_{self.pk.hex}"


# -- Mails about one shipment ------------------------------------------------------------------------------


class FollowingQuerySet(models.QuerySet["Following"]):
    def of(self, email: str) -> Self:
        """Those with this address, whichever key sealed it."""
        return self.filter(email_lookup__overlap=lookups(words_of(email)))

    def confirmed(self) -> Self:
        return self.filter(confirmed_at__isnull=False)


class Following(models.Model):
    """An address that is told what becomes of one shipment, once whoever reads its mail has said so.

    asked_at   when a mail that asks to confirm was last sent there
    erase_at   when the row goes: soon without a confirmation; else some days after the shipment's way was over
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    shipment = models.ForeignKey(
        Shipment, models.CASCADE, verbose_name=_("shipment"), related_name="followings"
    )
    email_sealed = models.BinaryField(editable=False)
    email_lookup = LookupField()
    language = models.CharField(_("language"), max_length=10)
    asked_at = models.DateTimeField(_("asked"))
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    erase_at = models.DateTimeField(_("to be erased"))

    email = Sealed(found_by=words_of)

    objects = FollowingQuerySet.as_manager()

    class Meta:
        verbose_name = _("follower of a shipment")
        verbose_name_plural = _("followers of shipments")
        constraints = [
            models.CheckConstraint(name="following_has_an_address", condition=~Q(email_sealed=b"")),
        ]
        indexes = [
            GinIndex(fields=["email_lookup"], name="following_by_email"),
            models.Index(fields=["erase_at"], name="following_by_end"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
