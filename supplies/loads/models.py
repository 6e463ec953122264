"""Shipments of several donors that travel to one facility together, from a hub on."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import TransportMode
from supplies.free_text import ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.organisations.models import Facility, Organisation, User, in_regions_of
from supplies.regions.models import Region
from supplies.shipments.models import Leg, Shipment


class LoadStatus(models.TextChoices):
    PLANNED = "planned", _("being gathered")
    IN_TRANSIT = "in_transit", _("in transit")
    AT_THE_DOOR = "at_the_door", _("at the door")
    DELIVERED = "delivered", _("delivered")
    CANCELLED = "cancelled", _("cancelled")


S = LoadStatus
LOAD_LIFECYCLE = Lifecycle(
    {
        S.PLANNED: {S.IN_TRANSIT, S.CANCELLED},
        S.IN_TRANSIT: {S.AT_THE_DOOR, S.DELIVERED},
        S.AT_THE_DOOR: {S.DELIVERED},
        S.DELIVERED: set(),
        S.CANCELLED: set(),
    }
)


class ConsolidatedLoadQuerySet(models.QuerySet["ConsolidatedLoad"]):
    def visible_to(self, user: Any) -> Self:
        """Its carrier, the facility, a coordinator of where it goes; volunteers all. Not the donors: what else is on
        board is not theirs to know."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        mine = Organisation.objects.of(user).values("pk")
        own = Q(carrier__in=mine) | Q(consignee__organisation__in=mine)
        return self.filter(own | in_regions_of(user, "consignee__region__path"))

    def with_names(self) -> Self:
        return self.select_related("carrier", "consignee__region", "hub_region", "mode").prefetch_related(
            models.Prefetch(
                "places", LoadedShipment.objects.select_related("shipment__consignor").order_by("pk")
            )
        )

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class ConsolidatedLoad(Moving):
    """One vehicle from a hub to one facility, with shipments of several donors on it."""

    lifecycle = LOAD_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(_("status"), max_length=12, choices=LoadStatus, default=LoadStatus.PLANNED)
    consignee = models.ForeignKey(Facility, models.PROTECT, verbose_name=_("to"), related_name="loads")
    hub_region = models.ForeignKey(
        Region, models.PROTECT, verbose_name=_("region of the hub"), related_name="+"
    )
    hub_place = ShortText(_("hub"), max_length=120, blank=True)
    carrier = models.ForeignKey(
        Organisation, models.PROTECT, verbose_name=_("carrier"), related_name="loads_carried"
    )
    mode = models.ForeignKey(
        TransportMode, models.PROTECT, null=True, blank=True, verbose_name=_("transport"), related_name="+"
    )
    planned_departure_at = models.DateTimeField(_("to depart"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("by"), related_name="+"
    )
    departed_at = models.DateTimeField(_("departed"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    objects = ConsolidatedLoadQuerySet.as_manager()

    class Meta:
        verbose_name = _("consolidated load")
        verbose_name_plural = _("consolidated loads")
        constraints = [status_is_listed(LoadStatus, "load_status_is_listed")]
        indexes = [models.Index(fields=["-created_at", "-id"], name="load_newest")]

    def __str__(self) -> str:
        return f"{self.consignee} · {self.hub_place or self.hub_region}"


class LoadedShipment(models.Model):
    """A shipment's place on a load: the leg it travels with it."""

    load = models.ForeignKey(
        ConsolidatedLoad, models.PROTECT, related_name="places", verbose_name=_("consolidated load")
    )
    shipment = models.OneToOneField(
        Shipment, models.PROTECT, related_name="place_on_load", verbose_name=_("shipment")
    )
    leg = models.OneToOneField(Leg, models.PROTECT, related_name="place_on_load", verbose_name=_("leg"))

    class Meta:
        verbose_name = _("shipment on a load")
        verbose_name_plural = _("shipments on loads")

    def __str__(self) -> str:
        return str(self.shipment)
