"""What a coordinator orders for the time being: what nobody is proposed, and whose goods go where or nowhere."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import Item
from supplies.emergencies.models import Emergency
from supplies.free_text import ShortText
from supplies.needs.models import Need
from supplies.offers.models import Offer
from supplies.organisations.models import Facility, User, in_regions_of
from supplies.regions.models import Region
from supplies.wording import apart, moment


class OrderKind(models.TextChoices):
    FREEZE = "freeze", _("freeze: nothing new is proposed")
    RESERVE = "reserve", _("reserve an offer for a place")
    PREFER = "prefer", _("prefer a place: one class more urgent")
    FORBID = "forbid", _("forbid an offer to a place")


def _is_for_one_place() -> Q:
    return Q(region=None, facility__isnull=False) | Q(region__isnull=False, facility=None)


def _says_what_it_is_about() -> Q:
    """A freeze names no offer and may be as wide as its emergency; the others name one place, two of them an offer."""
    of_an_offer = Q(kind__in=["reserve", "forbid"], offer__isnull=False, item=None) & _is_for_one_place()
    return (
        Q(kind="freeze", offer=None, facility=None)
        | Q(kind="prefer", offer=None) & _is_for_one_place()
        | of_an_offer
    )


class OrderQuerySet(models.QuerySet["Order"]):
    def in_force(self, at: datetime) -> Self:
        return self.filter(ended_at=None, until_at__gt=at)

    def visible_to(self, user: Any) -> Self:
        """Those who watch over everything see all; a coordinator those of her regions, and what holds everywhere."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        everywhere = Q(kind=OrderKind.FREEZE, region=None)
        hers = in_regions_of(user, "region__path", "facility__region__path", "offer__donation__region__path")
        return self.filter(everywhere | hers) if user.coordinated else self.none()

    def with_sides(self) -> Self:
        return self.select_related(
            "emergency",
            "item",
            "region",
            "facility__region",
            "offer__item",
            "offer__donation__organisation",
            "by",
        )

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Order(models.Model):
    """One order, with its reason, from when it was given until it runs out or is ended. What it says never changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=OrderKind)
    emergency = models.ForeignKey(
        Emergency, models.PROTECT, verbose_name=_("emergency"), related_name="orders"
    )
    item = models.ForeignKey(
        Item, models.PROTECT, null=True, blank=True, verbose_name=_("item"), related_name="+",
        help_text=_("Empty: all goods."),
    )  # fmt: skip
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, verbose_name=_("region"), related_name="+"
    )
    facility = models.ForeignKey(
        Facility, models.PROTECT, null=True, blank=True, verbose_name=_("hospital"), related_name="+"
    )
    offer = models.ForeignKey(
        Offer, models.PROTECT, null=True, blank=True, verbose_name=_("offer"), related_name="+"
    )
    reason = ShortText(
        _("reason"), max_length=300, help_text=_("Who is held up by it reads this. No names, no numbers.")
    )
    until_at = models.DateTimeField(_("until"))
    by = models.ForeignKey(User, models.PROTECT, verbose_name=_("ordered by"), related_name="+")
    created_at = models.DateTimeField(_("ordered"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("ended by"), related_name="+"
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.CheckConstraint(name="order_kind_is_listed", condition=Q(kind__in=OrderKind.values)),
            models.CheckConstraint(name="order_says_why", condition=~Q(reason="")),
            models.CheckConstraint(name="order_runs_out_later", condition=Q(until_at__gt=F("created_at"))),
            models.CheckConstraint(
                name="order_ended_by_somebody",
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
            models.CheckConstraint(name="order_says_what_it_is_about", condition=_says_what_it_is_about()),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="order_newest")]

    def __str__(self) -> str:
        return apart([str(self.get_kind_display()), self.about])

    @property
    def site(self) -> Facility | None:
        """The hospital it is about, or the one that turned out to be the same."""
        return self.facility and self.facility.standing_for

    @property
    def place(self) -> Facility | Region | None:
        return self.site or self.region

    @property
    def goods(self) -> str:
        """What it is about: one offer, one item, or everything."""
        if self.offer is not None:
            return f"{self.offer.item} ({self.offer.donation.organisation.name})"
        return str(self.item) if self.item else gettext("all goods")

    @property
    def about(self) -> str:
        return apart([self.goods, str(self.place or gettext("everywhere"))])

    @property
    def until(self) -> str:
        return moment(self.until_at)

    def covers(self, need: Need) -> bool:
        """Whether the need lies in its place and is of its goods."""
        at = need.appeal.facility
        in_place = self.site in (None, at) and (
            self.region is None or at.region.path.startswith(self.region.path)
        )
        return in_place and self.item_id in (None, need.item_id)


def frozen(emergency: Emergency, at: datetime) -> Q:
    """Which needs nothing new is proposed to just now."""
    found = Q(pk__in=[])
    for order in (
        Order.objects.in_force(at).filter(emergency=emergency, kind=OrderKind.FREEZE).select_related("region")
    ):
        inside = Q(appeal__emergency=emergency)
        if order.item_id:
            inside &= Q(item=order.item_id)
        if order.region is not None:
            inside &= Q(region_path__startswith=order.region.path)
        found |= inside
    return found


def against(need: Need, offer: Offer, at: datetime) -> Order | None:
    """The order that keeps this offer from this need, if one does."""
    orders = Order.objects.in_force(at).filter(emergency=need.appeal.emergency_id, offer=offer)
    for order in orders.with_sides().newest_first():
        keeps = order.kind == OrderKind.FORBID if order.covers(need) else order.kind == OrderKind.RESERVE
        if keeps:
            return order
    return None
