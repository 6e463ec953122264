"""Carriers that tell us: by which interface, signed with which secret, and what they told of shipments nobody knows yet."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import CheckConstraint, Exists, F, Index, OuterRef, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from supplies.organisations.models import Organisation, User
from supplies.organisations.roles import Role
from supplies.sealing import Sealed
from supplies.shipments.models import Leg, Shipment, ShipmentStatus
from supplies.shipments.tracking import TrackingEvent


class Speaks(models.TextChoices):
    """The interfaces of supplies/carriers/interfaces.py."""

    GENERIC = "generic", _("generic: Standard Webhooks")
    KUAIDI100 = "kuaidi100", "快递100"


class CarrierAccountQuerySet(models.QuerySet["CarrierAccount"]):
    def open(self) -> Self:
        return self.filter(is_open=True)

    def whose_word_delivers(self) -> Self:
        return self.open().filter(delivers=True)


class CarrierAccount(models.Model):
    """A carrier's way to tell us: webhooks arrive at /hooks/carriers/{id}/, signed with its secret.

    old_secret   what was the secret before, good until `old_secret_until`: two are live while the carrier changes over
    poll_key, customer, company   what a query is signed with, and the carrier's name over there; empty where nothing is asked
    delivers     the carrier's "delivered" moves our status, by the verb, as its own program could
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    carrier = models.ForeignKey(Organisation, models.PROTECT, verbose_name=_("carrier"), related_name="+")
    name = models.CharField(_("name"), max_length=80)
    interface = models.CharField(_("interface"), max_length=20, choices=Speaks)
    secret_sealed = models.BinaryField(default=b"", editable=False)
    old_secret_sealed = models.BinaryField(default=b"", editable=False)
    old_secret_until = models.DateTimeField(_("the secret before is good until"), null=True, editable=False)
    poll_key_sealed = models.BinaryField(default=b"", editable=False)
    customer = models.CharField(_("customer number there"), max_length=60, blank=True)
    company = models.CharField(_("the carrier's code there"), max_length=40, blank=True)
    polls = models.BooleanField(_("ask by ourselves"), default=False)
    delivers = models.BooleanField(_("its “delivered” moves our status"), default=False)
    is_open = models.BooleanField(_("open"), default=True)
    created_at = models.DateTimeField(_("opened"), editable=False)
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, verbose_name=_("by"), related_name="+"
    )

    secret = Sealed()
    old_secret = Sealed()
    poll_key = Sealed()

    objects = CarrierAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("carrier's account")
        verbose_name_plural = _("carriers' accounts")
        constraints = [
            CheckConstraint(
                name="carrier_account_interface_is_listed", condition=Q(interface__in=Speaks.values)
            ),
            CheckConstraint(name="carrier_account_has_a_secret", condition=~Q(secret_sealed=b"")),
            CheckConstraint(
                name="carrier_account_old_secret_ends",
                condition=Q(old_secret_sealed=b"") | Q(old_secret_until__isnull=False),
            ),
            UniqueConstraint(fields=["carrier", "name"], name="carrier_account_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def secrets(self, at: datetime) -> list[str]:
        """Those that are good now, the newest first."""
        is_changing = self.old_secret_until is not None and at < self.old_secret_until
        return [self.secret, *([self.old_secret] if is_changing and self.old_secret_sealed else [])]


class CarrierHookQuerySet(models.QuerySet["CarrierHook"]):
    def older_than(self, at: datetime) -> Self:
        return self.filter(received_at__lt=at)


class CarrierHook(models.Model):
    """A webhook that came, as it came; known by the carrier's id of it, so that a second time is a replay."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(
        CarrierAccount, models.PROTECT, verbose_name=_("carrier's account"), related_name="hooks"
    )
    known_as = models.CharField(_("known as"), max_length=64, editable=False)
    received_at = models.DateTimeField(_("received"))
    body_sealed = models.BinaryField(default=b"", editable=False)
    counts = models.JSONField(_("what became of it"), default=dict)

    body = Sealed()

    objects = CarrierHookQuerySet.as_manager()

    class Meta:
        verbose_name = _("carrier's webhook")
        verbose_name_plural = _("carriers' webhooks")
        constraints = [UniqueConstraint(fields=["account", "known_as"], name="carrier_hook_once")]
        indexes = [Index(fields=["received_at"], name="carrier_hook_by_age")]

    def __str__(self) -> str:
        return self.known_as[:8]


class ParkedEventQuerySet(models.QuerySet["ParkedEvent"]):
    def waiting(self) -> Self:
        return self.filter(applied_at=None, given_up_at=None)

    def given_up(self) -> Self:
        return self.filter(given_up_at__isnull=False)

    def older_than(self, at: datetime) -> Self:
        return self.filter(parked_at__lt=at)

    def that_fit(self) -> Self:
        """Those whose shipment there is by now; of one whose leg a carrier has travelled it may speak for ever."""
        theirs = Shipment.objects.filter(carrier=OuterRef("carrier")).exclude(status=ShipmentStatus.DRAFT)
        by_waybill = theirs.exclude(waybill="").exclude(status=ShipmentStatus.CANCELLED)
        travelled = Leg.objects.travelled().filter(carrier=OuterRef("carrier"))
        return self.filter(
            Exists(by_waybill.filter(waybill=OuterRef("names")))
            | Exists(theirs.filter(code=OuterRef("names")))
            | Exists(theirs.filter(pk=OuterRef("names_id")))
            | Exists(travelled.exclude(waybill="").filter(waybill=OuterRef("names")))
            | Exists(travelled.filter(shipment__code=OuterRef("names")))
            | Exists(travelled.filter(shipment=OuterRef("names_id")))
        )


class ParkedEvent(models.Model):
    """What a carrier told of a shipment that it does not carry here, not yet: kept until there is one.

    names      the waybill number, tracking code or id of a shipment, as told; `names_id` where it is an id
    known_as   digest of what names it and the sender's id of the event
    payload    the word and what it was read from, as JSON; gone once it was applied
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    carrier = models.ForeignKey(Organisation, models.PROTECT, verbose_name=_("carrier"), related_name="+")
    names = models.CharField(_("names"), max_length=60)
    names_id = models.UUIDField(null=True, editable=False)
    known_as = models.CharField(max_length=64, editable=False)
    vocabulary = models.CharField(_("vocabulary"), max_length=30, blank=True)
    code = models.CharField(_("code"), max_length=60, blank=True)
    occurred_at = models.DateTimeField(_("happened"))
    payload_sealed = models.BinaryField(default=b"", editable=False)
    parked_at = models.DateTimeField(_("told"))
    by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, verbose_name=_("who"), related_name="+"
    )
    applied_at = models.DateTimeField(_("applied"), null=True, editable=False)
    event = models.ForeignKey(
        TrackingEvent,
        models.PROTECT,
        null=True,
        editable=False,
        verbose_name=_("tracking event"),
        related_name="+",
    )
    given_up_at = models.DateTimeField(_("reported"), null=True, editable=False)

    payload = Sealed()

    objects = ParkedEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event that fits no shipment")
        verbose_name_plural = _("events that fit no shipment")
        constraints = [
            UniqueConstraint(fields=["carrier", "known_as"], name="parked_event_once"),
            CheckConstraint(
                name="parked_event_applied_is_an_event",
                condition=Q(applied_at=None, event=None) | Q(applied_at__isnull=False, event__isnull=False),
            ),
        ]
        indexes = [
            Index(
                fields=["carrier", "names"],
                condition=Q(applied_at=None, given_up_at=None),
                name="parked_event_waiting",
            ),
            Index(fields=["parked_at"], name="parked_event_by_age"),
        ]

    def __str__(self) -> str:
        return self.names


class PolledNumber(models.Model):
    """When we asked last of a waybill number: whoever asks too often is locked out."""

    account = models.ForeignKey(CarrierAccount, models.CASCADE, related_name="+")
    waybill = models.CharField(_("waybill number"), max_length=60)
    asked_at = models.DateTimeField(_("asked"))

    class Meta:
        verbose_name = _("number asked about")
        verbose_name_plural = _("numbers asked about")
        constraints = [UniqueConstraint(F("account"), F("waybill"), name="polled_number_once")]

    def __str__(self) -> str:
        return self.waybill


def carriers_of(user: Any) -> models.QuerySet[Organisation]:
    """The carriers whose events the person reports; an administrator for all."""
    carriers = Organisation.objects.filter(kind=Organisation.Kind.CARRIER)
    if user.is_superuser:
        return carriers
    return carriers.filter(memberships__user=user, memberships__role=Role.CARRIER).distinct()
