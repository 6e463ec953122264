"""What is promised: a quantity of one offer to one need. It reserves both sides until it is shipped or released."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from supplies.free_text import ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.needs.models import Need
from supplies.offers.models import Offer
from supplies.organisations.models import Organisation, User, in_regions_of
from supplies.quantity import QuantityField, within_bounds


class AllocationStatus(models.TextChoices):
    RESERVED = "reserved", _("reserved")
    BOOKED = "booked", _("booked on a shipment")
    SHIPPED = "shipped", _("shipped")
    SETTLED = "settled", _("counted on arrival")
    LOST = "lost", _("lost on the way")
    RETURNED = "returned", _("returned to the donor")
    RELEASED = "released", _("released")
    REROUTED = "rerouted", _("sent on to another facility")


S = AllocationStatus
ALLOCATION_LIFECYCLE = Lifecycle(
    {
        S.RESERVED: {S.BOOKED, S.RELEASED},
        S.BOOKED: {S.RESERVED, S.SHIPPED, S.REROUTED},
        S.SHIPPED: {S.SETTLED, S.LOST, S.RETURNED, S.REROUTED},
        S.SETTLED: set(),
        S.LOST: set(),
        S.RETURNED: set(),
        S.RELEASED: set(),
        S.REROUTED: set(),
    }
)


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def reserved(self) -> Self:
        return self.filter(status=AllocationStatus.RESERVED)

    def to_decide(self) -> Self:
        """Reserved for a facility that is not accepting goods for now, and nobody has said yet whether that stays so."""
        return self.reserved().filter(need__site__is_paused=True, kept_because="")

    def overdue(self, at: datetime) -> Self:
        return self.reserved().filter(due_at__lte=at)

    def visible_to(self, user: Any) -> Self:
        """The two sides, the carrier that moves it, and those who watch over one of the sides."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        mine = Organisation.objects.of(user)
        return self.filter(
            Q(offer__donation__organisation__in=mine)
            | Q(offer__donation__posted_by=user)
            | Q(need__appeal__facility__organisation__in=mine)
            | Q(lines__shipment__carrier__in=mine)
            | in_regions_of(user, "need__appeal__facility__region__path", "offer__donation__region__path")
        ).distinct()

    def with_sides(self) -> Self:
        """With both sides; small tables are read beside, not joined."""
        return self.select_related(
            "need__appeal__facility__organisation", "offer__donation__organisation"
        ).prefetch_related(
            "need__item__display_unit",
            "need__item__category",
            "need__appeal__facility__region",
            "offer__item__display_unit",
            "offer__donation__region",
        )

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Allocation(Moving):
    lifecycle = ALLOCATION_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    need = models.ForeignKey(Need, models.PROTECT, verbose_name=_("need"), related_name="allocations")
    offer = models.ForeignKey(Offer, models.PROTECT, verbose_name=_("offer"), related_name="allocations")
    quantity = QuantityField(_("quantity"), editable=False)
    quantity_credited = QuantityField(
        _("back in the donor's stock"),
        default=0,
        editable=False,
        help_text=_("Of what was counted, what the donor has again: it never left, or came back."),
    )
    quantity_packed = QuantityField(
        _("packed"),
        db_default=0,
        default=0,
        editable=False,
        help_text=_("Pieces that are in handling units of the shipment it is on."),
    )
    status = models.CharField(
        _("status"), max_length=10, choices=AllocationStatus, default=AllocationStatus.RESERVED
    )
    because = models.JSONField(
        _("why"),
        default=dict,
        blank=True,
        help_text=_("Numbers and codes of the proposal, and whose yes it rests on."),
    )
    created_at = models.DateTimeField(_("promised"))
    created_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("by"), related_name="+"
    )
    due_at = models.DateTimeField(_("to be shipped by"))
    ended_because = ShortText(_("why it ended"), max_length=300, blank=True)
    kept_because = ShortText(
        _("why it is kept though its hospital is not accepting goods for now"), max_length=300, blank=True
    )
    split_from = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("split from")
    )

    objects = AllocationQuerySet.as_manager()

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints = [
            status_is_listed(AllocationStatus, "allocation_status_is_listed"),
            within_bounds("allocation_promises_something", "quantity", at_least=1),
            models.CheckConstraint(
                name="allocation_not_over_packed",
                condition=Q(quantity_packed__gte=0, quantity_packed__lte=F("quantity")),
            ),
            models.CheckConstraint(
                name="allocation_credited_once_counted",
                condition=Q(quantity_credited=0)
                | Q(status="settled", quantity_credited__gt=0, quantity_credited__lte=F("quantity")),
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status="reserved"), name="allocation_due"),
            models.Index(fields=["-created_at", "-id"], name="allocation_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.offer.item} · {self.offer.item.shown(self.quantity):,f}"
