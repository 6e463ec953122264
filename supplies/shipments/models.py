"""The promise on its way: a shipment, what was seen of it, and what the hospital counted."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Self

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Collate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supplies.allocations.models import Allocation
from supplies.append_only import OnlyAdded
from supplies.catalogue.models import TransportMode
from supplies.editions.models import ReferenceRow
from supplies.free_text import ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.organisations.models import Facility, Organisation, User, in_regions_of
from supplies.quantity import QuantityField, new_code, within_bounds


class ShipmentStatus(models.TextChoices):
    DRAFT = "draft", _("being put together")
    BOOKED = "booked", _("booked with a carrier")
    IN_TRANSIT = "in_transit", _("in transit")
    AT_THE_DOOR = "at_the_door", _("at the door")
    DELIVERED = "delivered", _("delivered, not counted yet")
    ACCEPTED = "accepted", pgettext_lazy("goods that arrived", "accepted")
    PARTLY_ACCEPTED = "partly_accepted", _("accepted in part")
    REFUSED = "refused", pgettext_lazy("goods that arrived", "refused")
    RETURNING = "returning", _("returning")
    RETURNED = "returned", _("returned")
    LOST = "lost", _("lost")
    CANCELLED = "cancelled", _("cancelled")


S = ShipmentStatus
SHIPMENT_LIFECYCLE = Lifecycle(
    {
        S.DRAFT: {S.BOOKED, S.CANCELLED},
        S.BOOKED: {S.IN_TRANSIT, S.CANCELLED},
        S.IN_TRANSIT: {S.AT_THE_DOOR, S.DELIVERED, S.RETURNING, S.LOST},
        S.AT_THE_DOOR: {S.DELIVERED, S.RETURNING, S.LOST},
        S.DELIVERED: {S.ACCEPTED, S.PARTLY_ACCEPTED, S.REFUSED},
        S.RETURNING: {S.RETURNED, S.LOST},
        S.ACCEPTED: set(),
        S.PARTLY_ACCEPTED: set(),
        S.REFUSED: set(),
        S.RETURNED: set(),
        S.LOST: set(),
        S.CANCELLED: set(),
    }
)
ENDED = [status for status in S if not SHIPMENT_LIFECYCLE.moves[status]]
TROUBLED = [S.RETURNING, S.LOST, S.REFUSED, S.PARTLY_ACCEPTED]
IN_TROUBLE = Q(status__in=TROUBLED, settled_at=None)
TROUBLED_FIRST = Case(When(IN_TROUBLE, then=0), default=1)


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


class ShipmentQuerySet(models.QuerySet["Shipment"]):
    def under_way(self) -> Self:
        return self.filter(status__in=[S.BOOKED, S.IN_TRANSIT, S.AT_THE_DOOR, S.RETURNING])

    def said_to_be_delivered(self) -> Self:
        """Signed for, says the carrier, and nobody has confirmed it here."""
        return self.filter(status__in=[S.IN_TRANSIT, S.AT_THE_DOOR], sighting_status=SightingStatus.DELIVERED)

    def in_trouble(self) -> Self:
        """Returning, lost, refused or accepted in part, and nobody has talked it over with the sender yet."""
        return self.filter(IN_TROUBLE)

    def visible_to(self, user: Any) -> Self:
        """A carrier sees its own shipments; donors and hospitals those that carry their goods; a coordinator those that
        leave or enter her regions; volunteers all."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        mine = Organisation.objects.of(user).values("pk")
        own = Q(carrier__in=mine) | Q(consignor__in=mine) | Q(consignee__organisation__in=mine)
        return self.filter(own | in_regions_of(user, "consignee__region__path", "consignor__region__path"))

    def with_route(self) -> Self:
        return self.select_related(
            "carrier", "consignor", "consignee__region__parent", "consignee__organisation", "mode"
        ).prefetch_related(
            models.Prefetch(
                "lines",
                ShipmentLine.objects.select_related(
                    "allocation__offer__item__display_unit", "allocation__need"
                ).order_by("pk"),
            ),
            models.Prefetch("events", TrackingEvent.objects.order_by("occurred_at", "pk")),
        )

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Shipment(Moving):
    """Goods of one donor on their way to one facility.

    `status` is ours and moves along the lifecycle; the sighting columns are the carrier's last word, kept as said, and
    `sighting_status` is what its words come to.
    """

    lifecycle = SHIPMENT_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(_("tracking code"), max_length=32, unique=True, default=new_code, editable=False)
    status = models.CharField(
        _("status"), max_length=16, choices=ShipmentStatus, default=ShipmentStatus.DRAFT
    )
    consignor = models.ForeignKey(
        Organisation, models.PROTECT, verbose_name=_("from"), related_name="shipments_sent"
    )
    consignee = models.ForeignKey(Facility, models.PROTECT, verbose_name=_("to"), related_name="shipments")
    carrier = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("carrier"),
        related_name="shipments_carried",
    )
    mode = models.ForeignKey(
        TransportMode, models.PROTECT, null=True, blank=True, verbose_name=_("transport"), related_name="+"
    )
    waybill = models.CharField(_("waybill number"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("by"), related_name="+"
    )
    departed_at = models.DateTimeField(_("departed"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    expected_on = models.DateField(_("expected on"), null=True, blank=True)
    settled_at = models.DateTimeField(_("trouble settled"), null=True, blank=True)
    settlement = ShortText(_("how it was settled"), max_length=300, blank=True)
    sighting_vocabulary = models.CharField(_("vocabulary of the last sighting"), max_length=30, blank=True)
    sighting_code = models.CharField(_("code of the last sighting"), max_length=60, blank=True)
    sighting_label = ShortText(_("last sighting"), max_length=160, blank=True)
    sighting_status = models.CharField(
        _("says the carrier"), max_length=20, choices=SightingStatus, blank=True, db_default="", default=""
    )
    sighted_at = models.DateTimeField(_("seen"), null=True, blank=True)

    objects = ShipmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        constraints = [
            status_is_listed(ShipmentStatus, "shipment_status_is_listed"),
            models.CheckConstraint(
                name="shipment_sighting_status_is_listed",
                condition=Q(sighting_status__in=["", *SightingStatus.values]),
            ),
            models.CheckConstraint(
                name="shipment_moves_with_a_carrier",
                condition=Q(status__in=[S.DRAFT, S.CANCELLED]) | Q(carrier__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["carrier", "waybill"],
                condition=~Q(waybill="") & ~Q(status=S.CANCELLED),
                name="shipment_waybill_once",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="shipment_newest"),
            models.Index(fields=["carrier", "status"], name="shipment_by_carrier"),
            models.Index(
                TROUBLED_FIRST, F("created_at").desc(), F("id").desc(), name="shipment_troubled_first"
            ),
        ]

    def __str__(self) -> str:
        return self.waybill or self.code[:8]

    @property
    def is_said_to_be_delivered(self) -> bool:
        under_way = self.status in (S.IN_TRANSIT, S.AT_THE_DOOR)
        return under_way and self.sighting_status == SightingStatus.DELIVERED


class ShipmentLine(models.Model):
    """A whole allocation on board. What does not fit travels as an allocation of its own, split off before."""

    shipment = models.ForeignKey(Shipment, models.CASCADE, related_name="lines")
    allocation = models.ForeignKey(
        Allocation, models.PROTECT, related_name="lines", verbose_name=_("allocation")
    )
    is_live = models.BooleanField(
        _("on board"), default=True, editable=False, help_text=_("False once the shipment was cancelled.")
    )

    class Meta:
        verbose_name = _("shipment line")
        verbose_name_plural = _("shipment lines")
        constraints = [
            models.UniqueConstraint(
                fields=["allocation"], condition=Q(is_live=True), name="allocation_on_one_shipment"
            ),
        ]

    def __str__(self) -> str:
        return str(self.allocation)


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


def _in_course(field: str, course: Sequence[str]) -> Case:
    """The place of a column's value in a course, to sort by; -1 for none."""
    places = [When(**{field: value}, then=Value(place)) for place, value in enumerate(course)]
    return Case(*places, default=Value(-1), output_field=models.SmallIntegerField())


class TrackingEventQuerySet(models.QuerySet["TrackingEvent"]):
    def sightings(self) -> Self:
        """What carries a carrier's word; our own verbs write events without one."""
        return self.exclude(code="")

    def understood(self) -> Self:
        return self.exclude(status="")

    def last_first(self) -> Self:
        """By `TrackingEvent.place_in_order`, backwards; text sign by sign, whatever the language of the database."""
        texts = ("external_id", "vocabulary", "code", "label")
        return self.order_by(
            "-occurred_at",
            _in_course("status", SightingStatus.values).desc(),
            _in_course("step", COURSE).desc(),
            *(Collate(name, "C").desc() for name in texts),
        )


class TrackingEvent(models.Model):
    """What was seen: what, when, where, why. Rows are only ever added.

    status         what the carrier's word meant here when it was recorded; empty for a code that nobody knew
    is_after_end   it was told of a shipment whose way was over already
    """

    shipment = models.ForeignKey(Shipment, models.PROTECT, related_name="events")
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
            OnlyAdded(name="tracking_events_are_only_added", may_change=["place", "label", "note"]),
        ]
        indexes = [models.Index(fields=["shipment", "occurred_at", "id"], name="tracking_event_in_order")]

    def __str__(self) -> str:
        return f"{self.get_step_display()} · {timezone.localtime(self.occurred_at):%Y-%m-%d %H:%M}"

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
        """What a person should look at, for programs: "unknown-code", "after-end"."""
        is_unknown = bool(self.code) and not self.status
        return ["unknown-code"] * is_unknown + ["after-end"] * self.is_after_end


def last_sighting(events: Iterable[TrackingEvent]) -> TrackingEvent | None:
    """The carrier's last word: the same for every order of the same events, with or without duplicates."""
    words = (event for event in events if event.code)
    return max(words, key=lambda event: event.place_in_order, default=None)


def sighting_status(events: Iterable[TrackingEvent]) -> str:
    """What the carrier's words come to: the meaning of the last that has one. Empty where none has."""
    last = last_sighting(event for event in events if event.status)
    return last.status if last else ""


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(shipment__in=Shipment.objects.visible_to(user))


class Receipt(models.Model):
    """The hospital's count of what arrived: proof of delivery."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    shipment = models.OneToOneField(
        Shipment, models.PROTECT, related_name="receipt", verbose_name=_("shipment")
    )
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("counted by")
    )
    at = models.DateTimeField(_("counted at"))
    note = ShortText(_("note"), max_length=500, blank=True)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [OnlyAdded(name="receipts_are_only_added", may_change=["note"])]
        indexes = [models.Index(fields=["-at", "id"], name="receipt_newest")]

    def __str__(self) -> str:
        return str(self.shipment)


class ReceiptLine(models.Model):
    """Per line: counted = accepted + damaged + wrong item + expired; counted + missing = shipped, unless too much came."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="lines")
    line = models.OneToOneField(
        ShipmentLine, models.PROTECT, related_name="receipt_line", verbose_name=_("line")
    )
    shipped = QuantityField(_("shipped"), editable=False)
    counted = QuantityField(_("counted"))
    accepted = QuantityField(_("good"))
    damaged = QuantityField(_("damaged"), default=0)
    wrong_item = QuantityField(_("wrong item"), default=0)
    expired = QuantityField(_("expired"), default=0)
    missing = QuantityField(_("missing"), default=0)
    surplus = QuantityField(_("more than shipped"), default=0)

    class Meta:
        verbose_name = _("receipt line")
        verbose_name_plural = _("receipt lines")
        constraints = [
            within_bounds(
                "receipt_line_in_bounds",
                "shipped",
                "counted",
                "accepted",
                "damaged",
                "wrong_item",
                "expired",
                "missing",
                "surplus",
            ),
            models.CheckConstraint(
                name="receipt_line_adds_up_to_what_was_counted",
                condition=Q(counted=F("accepted") + F("damaged") + F("wrong_item") + F("expired")),
            ),
            models.CheckConstraint(
                name="receipt_line_adds_up_to_what_was_shipped",
                condition=Q(shipped=F("counted") + F("missing") - F("surplus")),
            ),
            models.CheckConstraint(
                name="receipt_line_not_short_and_over", condition=Q(missing=0) | Q(surplus=0)
            ),
            OnlyAdded(name="receipt_lines_are_only_added"),
        ]

    def __str__(self) -> str:
        return str(self.line)


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(receipt_line__receipt__in=Receipt.objects.visible_to(user))


class Discrepancy(models.Model):
    """Something of a shipment that did not arrive as promised; a ticket to the sender."""

    class Kind(models.TextChoices):
        DAMAGED = "damaged", _("damaged")
        MISSING = "missing", _("missing")
        WRONG_ITEM = "wrong_item", _("wrong item")
        EXPIRED = "expired", _("expired")
        SURPLUS = "surplus", _("more than shipped")

    receipt_line = models.ForeignKey(
        ReceiptLine, models.PROTECT, related_name="discrepancies", verbose_name=_("receipt line")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    quantity = QuantityField(_("quantity"))

    objects = DiscrepancyQuerySet.as_manager()

    class Meta:
        verbose_name = _("discrepancy")
        verbose_name_plural = _("discrepancies")
        constraints = [
            models.UniqueConstraint(fields=["receipt_line", "kind"], name="discrepancy_once_per_kind"),
            OnlyAdded(name="discrepancies_are_only_added"),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_line} · {self.get_kind_display()}"
