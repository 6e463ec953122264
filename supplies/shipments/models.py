"""The promise on its way: a shipment, what is on board, the legs of its journey."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supplies.allocations.models import Allocation
from supplies.append_only import OnlyAdded
from supplies.catalogue.keeping import HazardClass, dangerous_with_number_and_class, temperatures_in_order
from supplies.catalogue.models import TransportMode
from supplies.free_text import ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.organisations.models import Facility, Organisation, User, in_regions_of
from supplies.quantity import QuantityField, new_code, within_bounds
from supplies.regions.models import Region
from supplies.shipments.tracking import SightingStatus, TemperatureField, TrackingEvent
from supplies.wording import moment


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
OUTCOMES = (S.ACCEPTED, S.PARTLY_ACCEPTED, S.REFUSED)  # of a hospital's count
SHIPMENT_LIFECYCLE = Lifecycle(
    {
        S.DRAFT: {S.BOOKED, S.CANCELLED},
        S.BOOKED: {S.IN_TRANSIT, S.CANCELLED},
        S.IN_TRANSIT: {S.AT_THE_DOOR, S.DELIVERED, S.RETURNING, S.LOST},
        S.AT_THE_DOOR: {S.DELIVERED, S.RETURNING, S.LOST},
        S.DELIVERED: set(OUTCOMES),
        S.RETURNING: {S.RETURNED, S.LOST},
        # A count that was wrong is corrected.
        S.ACCEPTED: {S.PARTLY_ACCEPTED, S.REFUSED},
        S.PARTLY_ACCEPTED: {S.ACCEPTED, S.REFUSED},
        S.REFUSED: {S.ACCEPTED, S.PARTLY_ACCEPTED},
        S.RETURNED: set(),
        S.LOST: set(),
        S.CANCELLED: set(),
    }
)
ENDED = [status for status, after in SHIPMENT_LIFECYCLE.moves.items() if not after]
TROUBLED = [S.RETURNING, S.LOST, S.REFUSED, S.PARTLY_ACCEPTED]
IN_TROUBLE = Q(status__in=TROUBLED, settled_at=None)
ON_ITS_WAY = [S.BOOKED, S.IN_TRANSIT, S.AT_THE_DOOR, S.RETURNING]
NOT_OVER = Q(status__in=[S.DRAFT, *ON_ITS_WAY, S.DELIVERED]) | IN_TROUBLE
# Since when it waits for the next thing, as far as it was written down: made, left, or signed for.
WAITS_SINCE = Case(
    When(status__in=[S.DRAFT, S.BOOKED], then="created_at"),
    When(status=S.DELIVERED, then="delivered_at"),
    default="departed_at",
)
OUT_OF_RANGE = Q(coldest_c__lt=F("min_temp_c")) | Q(warmest_c__gt=F("max_temp_c"))
TROUBLED_FIRST = Case(When(IN_TROUBLE, then=0), default=1)


class ShipmentQuerySet(models.QuerySet["Shipment"]):
    def under_way(self) -> Self:
        return self.filter(status__in=ON_ITS_WAY)

    def said_to_be_delivered(self) -> Self:
        """Signed for, says the carrier, and nobody has confirmed it here. Not what one says of a hub on the way."""
        later = Leg.objects.filter(shipment=OuterRef("pk"))
        later = later.filter(Q(departed_at=None) | Q(departed_at__gt=OuterRef("sighted_at")))
        told = self.filter(status__in=[S.IN_TRANSIT, S.AT_THE_DOOR], sighting_status=SightingStatus.DELIVERED)
        return told.filter(~Exists(later))

    def unseen_since(self, moment: datetime) -> Self:
        """On the road, and no carrier has said a word of it since."""
        moving = self.filter(status__in=[S.IN_TRANSIT, S.AT_THE_DOOR, S.RETURNING])
        return moving.annotate(heard=Greatest("departed_at", "sighted_at")).filter(heard__lt=moment)

    def overdue(self, today: date) -> Self:
        """Expected before today, and not signed for yet."""
        return self.filter(status__in=[S.BOOKED, S.IN_TRANSIT, S.AT_THE_DOOR], expected_on__lt=today)

    def alarming(self) -> Self:
        """A logger told a temperature outside what was stated, and the goods were not counted yet."""
        return self.filter(OUT_OF_RANGE, status__in=[*ON_ITS_WAY, S.DELIVERED])

    def in_trouble(self) -> Self:
        """Returning, lost, refused or accepted in part, and nobody has talked it over with the sender yet."""
        return self.filter(IN_TROUBLE)

    def visible_to(self, user: Any) -> Self:
        """A carrier sees its own shipments, and those of which a leg of its own is still to be travelled; donors and
        hospitals those that carry their goods; a coordinator those that leave or enter her regions; volunteers all."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        mine = Organisation.objects.of(user).values("pk")
        own = Q(carrier__in=mine) | Q(consignor__in=mine) | Q(consignee__organisation__in=mine)
        ahead = Q(pk__in=Leg.objects.ahead_of(mine).values("shipment"))
        return self.filter(
            own | ahead | in_regions_of(user, "consignee__region__path", "consignor__region__path")
        )

    def with_carriers_to_come(self) -> Self:
        """A row for each leg that is still to be travelled, as `to_come`; of a draft nobody has to know yet."""
        ahead = Q(legs__arrived_at=None, carrier__isnull=False)
        return self.annotate(to_come=models.FilteredRelation("legs", condition=ahead))

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
            models.Prefetch("legs", Leg.objects.with_names().in_order()),
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
    min_temp_c = models.SmallIntegerField(_("not colder than, °C"), null=True, blank=True)
    max_temp_c = models.SmallIntegerField(_("not warmer than, °C"), null=True, blank=True)
    coldest_c = TemperatureField(_("coldest reading, °C"), null=True, blank=True, editable=False)
    warmest_c = TemperatureField(_("warmest reading, °C"), null=True, blank=True, editable=False)
    stated_weight_g = QuantityField(_("gross weight as stated, g"), null=True, blank=True)
    stated_volume_cm3 = QuantityField(_("volume as stated, cm³"), null=True, blank=True)
    settled_at = models.DateTimeField(_("trouble settled"), null=True, blank=True)
    settlement = ShortText(_("how it was settled"), max_length=300, blank=True)
    rerouted_because = ShortText(_("why it goes to another facility"), max_length=300, blank=True)
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
            temperatures_in_order("shipment_temperatures_in_order"),
            within_bounds("shipment_weighs_something", "stated_weight_g", "stated_volume_cm3", at_least=1),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="shipment_newest"),
            models.Index(fields=["carrier", "status"], name="shipment_by_carrier"),
            models.Index(
                TROUBLED_FIRST, F("created_at").desc(), F("id").desc(), name="shipment_troubled_first"
            ),
            models.Index(
                F("status"), WAITS_SINCE, F("id"), name="shipment_waits_longest", condition=NOT_OVER
            ),
            models.Index(fields=["-created_at", "-id"], name="shipment_out_of_range", condition=OUT_OF_RANGE),
            models.Index(
                fields=["expected_on"],
                name="shipment_by_expected_day",
                condition=Q(status__in=[S.BOOKED, S.IN_TRANSIT, S.AT_THE_DOOR]),
            ),
            models.Index(
                Greatest("departed_at", "sighted_at"),
                name="shipment_unseen",
                condition=Q(status__in=[S.IN_TRANSIT, S.AT_THE_DOOR, S.RETURNING]),
            ),
        ]

    def __str__(self) -> str:
        return self.waybill or self.code[:8]

    @property
    def is_said_to_be_delivered(self) -> bool:
        told = self.sighting_status == SightingStatus.DELIVERED and self.status in (
            S.IN_TRANSIT,
            S.AT_THE_DOOR,
        )
        return told and Shipment.objects.said_to_be_delivered().filter(pk=self.pk).exists()

    @property
    def is_out_of_range(self) -> bool:
        """A reading lay outside what was stated."""
        return any(self.is_outside(degrees) for degrees in (self.coldest_c, self.warmest_c))

    def is_outside(self, degrees: Decimal | None) -> bool:
        too_cold = degrees is not None and self.min_temp_c is not None and degrees < self.min_temp_c
        return too_cold or (degrees is not None and self.max_temp_c is not None and degrees > self.max_temp_c)


class ShipmentLine(models.Model):
    """A whole allocation on board. What does not fit travels as an allocation of its own, split off before."""

    shipment = models.ForeignKey(Shipment, models.CASCADE, related_name="lines")
    allocation = models.ForeignKey(
        Allocation, models.PROTECT, related_name="lines", verbose_name=_("allocation")
    )
    is_live = models.BooleanField(
        _("on board"), default=True, editable=False, help_text=_("False once the shipment was cancelled.")
    )
    un_number = models.CharField(_("UN number"), max_length=4, blank=True)
    hazard_class = models.CharField(
        _("class of dangerous goods"), max_length=3, choices=HazardClass, blank=True
    )

    class Meta:
        verbose_name = _("shipment line")
        verbose_name_plural = _("shipment lines")
        constraints = [
            models.UniqueConstraint(
                fields=["allocation"], condition=Q(is_live=True), name="allocation_on_one_shipment"
            ),
            dangerous_with_number_and_class("shipment_line_dangerous_with_number_and_class"),
        ]

    def __str__(self) -> str:
        return str(self.allocation)


class LegQuerySet(models.QuerySet["Leg"]):
    def in_order(self) -> Self:
        return self.order_by("shipment", "sequence")

    def to_go(self) -> Self:
        """Planned or under way."""
        return self.filter(arrived_at=None)

    def ahead_of(self, carriers: models.QuerySet[Organisation, Any]) -> Self:
        """What these carriers have to travel yet, of shipments that are booked and have not ended."""
        gone = [S.DRAFT, S.DELIVERED, S.RETURNING, *ENDED]
        return self.to_go().filter(carrier__in=carriers).exclude(shipment__status__in=gone)

    def travelled(self) -> Self:
        """Under way or behind it."""
        return self.filter(departed_at__isnull=False)

    def with_names(self) -> Self:
        return self.select_related("carrier", "mode", "from_region", "to_region")


class Leg(models.Model):
    """A part of the journey with one carrier, from hub to hub. A shipment without legs is one leg from end to end.

    What the shipment says of carrier, waybill and mode is what its leg under way says, or else its next one.
    """

    shipment = models.ForeignKey(Shipment, models.CASCADE, related_name="legs", verbose_name=_("shipment"))
    sequence = models.PositiveSmallIntegerField(_("number of the leg"))
    from_region = models.ForeignKey(
        Region, models.PROTECT, verbose_name=_("from the region"), related_name="+"
    )
    from_place = ShortText(_("from the place"), max_length=120, blank=True)
    to_region = models.ForeignKey(Region, models.PROTECT, verbose_name=_("to the region"), related_name="+")
    to_place = ShortText(_("to the place"), max_length=120, blank=True)
    carrier = models.ForeignKey(
        Organisation, models.PROTECT, verbose_name=_("carrier"), related_name="legs_carried"
    )
    mode = models.ForeignKey(
        TransportMode, models.PROTECT, null=True, blank=True, verbose_name=_("transport"), related_name="+"
    )
    waybill = models.CharField(_("waybill number"), max_length=60, blank=True)
    is_shared = models.BooleanField(
        _("with other shipments"),
        default=False,
        help_text=_("Of a consolidated load, which it is changed by."),
    )
    planned_departure_at = models.DateTimeField(_("to depart"), null=True, blank=True)
    planned_arrival_at = models.DateTimeField(_("to arrive"), null=True, blank=True)
    departed_at = models.DateTimeField(_("departed"), null=True, blank=True)
    arrived_at = models.DateTimeField(_("arrived"), null=True, blank=True)

    objects = LegQuerySet.as_manager()

    class Meta:
        verbose_name = _("leg")
        verbose_name_plural = _("legs")
        constraints = [
            models.UniqueConstraint(fields=["shipment", "sequence"], name="leg_has_its_number"),
            models.UniqueConstraint(
                fields=["shipment"],
                condition=Q(departed_at__isnull=False, arrived_at=None),
                name="leg_under_way_is_one",
            ),
            models.CheckConstraint(
                name="leg_arrives_after_it_departed",
                condition=Q(arrived_at=None) | Q(arrived_at__gte=F("departed_at"), departed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="leg_is_planned_in_order",
                condition=Q(planned_departure_at=None)
                | Q(planned_arrival_at=None)
                | Q(planned_arrival_at__gte=F("planned_departure_at")),
            ),
        ]
        indexes = [
            models.Index(fields=["carrier", "waybill"], name="leg_by_waybill", condition=~Q(waybill="")),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} · {self.carrier}"

    @property
    def where_from(self) -> str:
        return self.from_place or self.from_region.name

    @property
    def where_to(self) -> str:
        return self.to_place or self.to_region.name


class Rearrangement(models.Model):
    """Why what was put together or booked was changed before it departed. Rows are only ever added."""

    class Kind(models.TextChoices):
        SPLIT = "split", _("split")
        MERGED = "merged", _("merged")
        REASSIGNED = "reassigned", _("given to another carrier")

    shipment = models.ForeignKey(
        Shipment, models.PROTECT, related_name="rearrangements", verbose_name=_("shipment")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    other = models.ForeignKey(
        Shipment,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("other shipment"),
        help_text=_("Split off from this one, or taken into it."),
    )
    carrier_before = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("carrier before"),
    )
    reason = ShortText(_("reason"), max_length=300)
    at = models.DateTimeField(_("when"))
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who")
    )

    class Meta:
        verbose_name = _("rearrangement")
        verbose_name_plural = _("rearrangements")
        constraints = [
            models.CheckConstraint(name="rearrangement_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="rearrangement_kind_is_listed", condition=Q(kind__in=["split", "merged", "reassigned"])
            ),
            OnlyAdded(name="rearrangements_are_only_added", may_change=["reason"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {moment(self.at)}"
