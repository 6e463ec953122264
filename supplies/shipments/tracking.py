"""What was seen of a shipment, and what the words of carriers and standards mean here."""

from collections.abc import Iterable
from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supplies.append_only import OnlyAdded
from supplies.catalogue.keeping import EARTHLY
from supplies.editions.models import ReferenceRow
from supplies.free_text import ShortText
from supplies.organisations.models import User
from supplies.wording import moment


class TemperatureField(models.DecimalField):
    """Degrees Celsius with one decimal, as loggers tell them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"max_digits": 4, "decimal_places": 1}
        validators = [MinValueValidator(EARTHLY[0]), MaxValueValidator(EARTHLY[1])]
        super().__init__(*args, **{"validators": validators, **kwargs})


class SightingStatus(models.TextChoices):
    """What carriers' words come to, in the usual course: of two at one instant, the later of these happened last."""

    NOT_FOUND = "not_found", _("not known to the carrier")
    EXPIRED = "expired", _("no news for long")
    INFO_RECEIVED = "info_received", _("announced to the carrier")
    PICKED_UP = "picked_up", _("picked up")
    IN_TRANSIT = "in_transit", _("in transit")
    CUSTOMS = "customs", _("at customs")
    EXCEPTION = "exception", _("held up")
    ARRIVED_DESTINATION = "arrived_destination", _("in the place it goes to")
    OUT_FOR_DELIVERY = "out_for_delivery", _("out for delivery")
    READY_FOR_PICKUP = "ready_for_pickup", _("ready to be picked up")
    DELIVERY_FAILED = "delivery_failed", _("could not be handed over")
    DELIVERED = "delivered", _("signed for, says the carrier")
    REFUSED = "refused", pgettext_lazy("goods that arrived", "refused")
    RETURNING = "returning", _("returning")
    RETURNED = "returned", _("returned")
    DAMAGED = "damaged", _("damaged")
    PARTIALLY_ACCEPTED = "partially_accepted", _("accepted in part")
    ACCEPTED = "accepted", pgettext_lazy("goods that arrived", "accepted")
    LOST = "lost", _("lost")
    CANCELLED = "cancelled", _("cancelled")


class TrackingCode(ReferenceRow):
    """A carrier's or a standard's word for what happened to a parcel, and what it means here."""

    vocabulary = models.CharField(_("vocabulary"), max_length=30)
    code = models.CharField(_("code"), max_length=60)
    label = models.CharField(_("label"), max_length=160, blank=True)
    status = models.CharField(_("means"), max_length=30)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("carrier's status code")
        verbose_name_plural = _("carriers' status codes")
        constraints = [models.UniqueConstraint(fields=["vocabulary", "code"], name="tracking_code_once")]

    def __str__(self) -> str:
        return f"{self.vocabulary} {self.code}"


class Step(models.TextChoices):
    """Business steps, named as in GS1 CBV 2.0."""

    PACKING = "packing", _("packing")
    LOADING = "loading", _("loading")
    DEPARTING = "departing", _("departing")
    TRANSPORTING = "transporting", _("transporting")
    ARRIVING = "arriving", _("arriving")
    RECEIVING = "receiving", _("receiving")
    INSPECTING = "inspecting", _("inspecting")
    ACCEPTING = "accepting", _("accepting")
    VOID_SHIPPING = "void_shipping", _("shipping called off")
    HOLDING = "holding", _("holding")
    RETURNING = "returning", _("returning")
    OTHER = "other", pgettext_lazy("a step of a journey", "something else")


# The steps in the usual course of a journey: of two things seen at one instant, the later of these happened last.
COURSE = (
    Step.OTHER,
    Step.PACKING,
    Step.LOADING,
    Step.DEPARTING,
    Step.TRANSPORTING,
    Step.HOLDING,
    Step.ARRIVING,
    Step.RETURNING,
    Step.RECEIVING,
    Step.INSPECTING,
    Step.ACCEPTING,
    Step.VOID_SHIPPING,
)


# `TrackingEvent.place_in_order`, backwards, as the database is asked for it, and what that is filled in with: text sign by
# sign, whatever its language.
LAST_FIRST = (
    "occurred_at DESC, array_position(%(statuses)s, status::text) DESC NULLS LAST, array_position(%(course)s, step::text) DESC,"
    ' external_id COLLATE "C" DESC, vocabulary COLLATE "C" DESC, code COLLATE "C" DESC, label COLLATE "C" DESC'
)
ORDERS: dict[str, Any] = {"statuses": SightingStatus.values, "course": list(COURSE)}


class TrackingEventQuerySet(models.QuerySet["TrackingEvent"]):
    def sightings(self) -> Self:
        """What carries a carrier's word; our own verbs write events without one."""
        return self.exclude(code="")


class TrackingEvent(models.Model):
    """What was seen: what, when, where, why. Rows are only ever added.

    status         what the carrier's word meant here when it was recorded; empty for a code that nobody knew
    is_after_end   it was told of a shipment whose way was over already
    temperature_c  what the logger read; None for what is no reading
    """

    shipment = models.ForeignKey("supplies.Shipment", models.PROTECT, related_name="events")
    external_id = models.CharField(_("the sender's id of the event"), max_length=80, blank=True)
    occurred_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"))
    step = models.CharField(_("step"), max_length=16, choices=Step)
    disposition = ShortText(_("disposition"), max_length=40, blank=True)
    place = ShortText(_("where"), max_length=120, blank=True)
    vocabulary = models.CharField(_("vocabulary"), max_length=30, blank=True)
    code = models.CharField(_("code"), max_length=60, blank=True)
    label = ShortText(_("label"), max_length=160, blank=True)
    status = models.CharField(
        _("means"), max_length=20, choices=SightingStatus, blank=True, db_default="", default=""
    )
    note = ShortText(_("note"), max_length=300, blank=True)
    is_after_end = models.BooleanField(_("after the end"), db_default=False, default=False)
    temperature_c = TemperatureField(_("temperature, °C"), null=True, blank=True)
    logger = models.CharField(_("logger"), max_length=40, blank=True, db_default="", default="")
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who")
    )

    objects = TrackingEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("tracking event")
        verbose_name_plural = _("tracking events")
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "external_id"], condition=~Q(external_id=""), name="tracking_event_once"
            ),
            models.CheckConstraint(
                name="tracking_event_status_is_listed", condition=Q(status__in=["", *SightingStatus.values])
            ),
            models.CheckConstraint(
                name="tracking_event_temperature_is_earthly",
                condition=Q(temperature_c=None, logger="")
                | Q(
                    temperature_c__isnull=False, temperature_c__gte=EARTHLY[0], temperature_c__lte=EARTHLY[1]
                ),
            ),
            OnlyAdded(name="tracking_events_are_only_added", may_change=["place", "label", "note", "logger"]),
        ]
        indexes = [models.Index(fields=["shipment", "occurred_at", "id"], name="tracking_event_in_order")]

    def __str__(self) -> str:
        return f"{self.get_step_display()} · {moment(self.occurred_at)}"

    @property
    def place_in_order(self) -> tuple[Any, ...]:
        """When it happened, then the course of a journey, then the sender's id: one order, however events arrived.

        What is equal even in that is told apart by its words, and what is equal in those says the same.
        """
        rank = SightingStatus.values.index(self.status) if self.status else -1
        course = COURSE.index(Step(self.step))
        return self.occurred_at, rank, course, self.external_id, self.vocabulary, self.code, self.label

    @property
    def flags(self) -> list[str]:
        """What a person should look at, for programs: "unknown-code", "after-end", "out-of-range"."""
        found = {
            "unknown-code": bool(self.code) and not self.status,
            "after-end": self.is_after_end,
            "out-of-range": self.temperature_c is not None and self.shipment.is_outside(self.temperature_c),
        }
        return [name for name, is_so in found.items() if is_so]


def last_sighting(events: Iterable[TrackingEvent]) -> TrackingEvent | None:
    """The carrier's last word: the same for every order of the same events, with or without duplicates."""
    words = (event for event in events if event.code)
    return max(words, key=lambda event: event.place_in_order, default=None)


def sighting_status(events: Iterable[TrackingEvent]) -> str:
    """What the carrier's words come to: the meaning of the last that has one. Empty where none has."""
    last = last_sighting(event for event in events if event.status)
    return last.status if last else ""
