"""What donors give: a donation with a line per lot."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import F, GeneratedField, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supplies.catalogue.models import Item, Standard, TransportMode, Unit
from supplies.emergencies.models import Emergency
from supplies.free_text import LongText, ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.organisations.models import Facility, Organisation, User, in_regions_of
from supplies.quantity import QuantityField, new_code, within_bounds
from supplies.regions.models import Region
from supplies.wording import day


class DonationStatus(models.TextChoices):
    WAITING = "waiting", _("waiting for a volunteer")
    PUBLISHED = "published", _("published")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")
    CLOSED = "closed", _("closed")


DONATION_LIFECYCLE = Lifecycle(
    {
        DonationStatus.WAITING: {DonationStatus.PUBLISHED, DonationStatus.REFUSED, DonationStatus.WITHDRAWN},
        DonationStatus.PUBLISHED: {DonationStatus.CLOSED, DonationStatus.WITHDRAWN},
        DonationStatus.REFUSED: set(),
        DonationStatus.WITHDRAWN: set(),
        DonationStatus.CLOSED: {DonationStatus.PUBLISHED},
    }
)


class DonationQuerySet(models.QuerySet["Donation"]):
    def visible_to(self, user: Any) -> Self:
        """One's own, what lies in a coordinator's regions, and for volunteers all. Who gives is not public."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        own = Q(posted_by=user) | Q(organisation__in=user.organisation_ids)
        return self.filter(own | in_regions_of(user, "region__path"))

    def agreed_in_advance(self) -> Self:
        """Whose donor is not asked about each match, as far as there may still be one: a closed one may be published again."""
        over = [DonationStatus.REFUSED, DonationStatus.WITHDRAWN]
        return self.filter(allocates_for_me=True).exclude(status__in=over)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Donation(Moving):
    """A donor gives goods that lie at one place, undirected or for one facility or region."""

    lifecycle = DONATION_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(_("tracking code"), max_length=32, unique=True, default=new_code, editable=False)
    emergency = models.ForeignKey(
        Emergency, models.PROTECT, verbose_name=_("emergency"), related_name="donations"
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, verbose_name=_("donor"), related_name="donations"
    )
    status = models.CharField(
        _("status"), max_length=10, choices=DonationStatus, default=DonationStatus.WAITING
    )
    posted_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("posted by"), related_name="+"
    )
    created_at = models.DateTimeField(_("posted"))
    sender_kind = models.CharField(_("sender"), max_length=12, default="company")
    from_overseas = models.BooleanField(_("goods lie overseas"), default=False)
    region = models.ForeignKey(
        Region, models.PROTECT, verbose_name=_("where the goods lie"), related_name="donations"
    )
    address = ShortText(_("pick-up address"), max_length=300, blank=True)
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    lon = models.FloatField(_("longitude"), null=True, blank=True)
    directed_facility = models.ForeignKey(
        Facility,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("only for this facility"),
        related_name="directed_donations",
    )
    directed_region = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("only for this region"),
        related_name="directed_donations",
    )
    allocates_for_me = models.BooleanField(
        _("allocate for me"), default=False, help_text=_("The donor agrees in advance to every match.")
    )
    source_name = ShortText(_("source"), max_length=120, blank=True)
    source_url = models.URLField(_("source link"), max_length=500, blank=True)
    remark = LongText(_("remark"), max_length=4000, blank=True)
    moderated_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, verbose_name=_("moderated by"), related_name="+"
    )
    moderated_at = models.DateTimeField(_("moderated"), null=True, blank=True)
    refusal = ShortText(_("why refused"), max_length=300, blank=True)

    objects = DonationQuerySet.as_manager()

    class Meta:
        verbose_name = _("donation")
        verbose_name_plural = _("donations")
        constraints = [
            status_is_listed(DonationStatus, "donation_status_is_listed"),
            models.CheckConstraint(
                name="donation_moderated_by_another", condition=~Q(moderated_by=F("posted_by"))
            ),
            models.CheckConstraint(
                name="donation_refused_says_why", condition=~Q(status=DonationStatus.REFUSED) | ~Q(refusal="")
            ),
            models.CheckConstraint(
                name="donation_directed_once", condition=Q(directed_facility=None) | Q(directed_region=None)
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="donation_newest"),
            models.Index(fields=["created_at"], condition=Q(status="waiting"), name="donation_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {day(self.created_at)}"

    @property
    def takes_papers(self) -> bool:
        """Also when all of it is promised: that is when a hospital wants to see them."""
        return self.status not in (DonationStatus.REFUSED, DonationStatus.WITHDRAWN)

    @property
    def may_be_withdrawn(self) -> bool:
        return self.lifecycle.allows(self.status, DonationStatus.WITHDRAWN)

    @property
    def is_directed(self) -> bool:
        return self.directed_facility_id is not None or self.directed_region_id is not None

    @property
    def place(self) -> tuple[float, float]:
        if self.lat is not None and self.lon is not None:
            return self.lat, self.lon
        return self.region.lat or 0.0, self.region.lon or 0.0


class OfferStatus(models.TextChoices):
    WAITING = "waiting", _("waiting for a volunteer")
    OPEN = "open", pgettext_lazy("offer", "open")
    SPENT = "spent", _("given away")
    WITHDRAWN = "withdrawn", _("withdrawn")
    LAPSED = "lapsed", _("lapsed")
    REFUSED = "refused", _("refused")


OFFER_LIFECYCLE = Lifecycle(
    {
        OfferStatus.WAITING: {OfferStatus.OPEN, OfferStatus.REFUSED, OfferStatus.WITHDRAWN},
        OfferStatus.OPEN: {OfferStatus.SPENT, OfferStatus.WITHDRAWN, OfferStatus.LAPSED},
        OfferStatus.SPENT: {OfferStatus.OPEN, OfferStatus.WITHDRAWN, OfferStatus.LAPSED},
        OfferStatus.WITHDRAWN: set(),
        OfferStatus.LAPSED: set(),
        OfferStatus.REFUSED: set(),
    }
)


class OfferQuerySet(models.QuerySet["Offer"]):
    def as_posted(self) -> Self:
        """Of one donation, in the order of its lines."""
        return self.order_by("created_at", "position", "pk")

    def open(self) -> Self:
        return self.filter(status=OfferStatus.OPEN)

    def visible_to(self, user: Any) -> Self:
        """Open offers are public without their donor; the rest is for the donor and for volunteers."""
        if user.is_authenticated and user.watches_over_all:
            return self
        public = Q(status__in=[OfferStatus.OPEN, OfferStatus.SPENT])
        if not user.is_authenticated:
            return self.filter(public)
        return self.filter(public | Q(donation__in=Donation.objects.visible_to(user)))

    def in_region(self, region: Region) -> Self:
        return self.filter(region_path__startswith=region.path)

    def in_emergency(self, emergency: Emergency) -> Self:
        return self.filter(donation__emergency=emergency)

    def about(self, text: str) -> Self:
        """Whose item is called so. Items are looked up first, so that a miss costs no walk through all offers."""
        return self.filter(item__in=list(Item.objects.mentioning(text)))

    def with_names(self) -> Self:
        """With all that programs read, in one query."""
        return self.select_related("item", "donation__organisation", "donation__region")

    def with_place(self) -> Self:
        """With all a page shows. Small tables are read beside, not joined: planning ten joins costs more than the rows."""
        return self.select_related("donation__organisation").prefetch_related(
            "item__category",
            "item__base_unit",
            "item__display_unit",
            "standard",
            "mode",
            "unit",
            "donation__emergency",
            "donation__region__parent__parent",
        )

    def first_to_expire_first(self) -> Self:
        return self.order_by(F("expires_on").asc(nulls_last=True), "pk")

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Offer(Moving):
    """A donor gives a quantity of one lot of an item."""

    lifecycle = OFFER_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    donation = models.ForeignKey(Donation, models.CASCADE, verbose_name=_("donation"), related_name="offers")
    region_path = models.CharField(  # a copy of what the donation says, kept by a trigger as the need's is
        _("path of the region"), max_length=80, blank=True, editable=False
    )
    item = models.ForeignKey(Item, models.PROTECT, verbose_name=_("item"), related_name="offers")
    status = models.CharField(_("status"), max_length=10, choices=OfferStatus, default=OfferStatus.WAITING)
    created_at = models.DateTimeField(_("posted"))
    position = models.PositiveSmallIntegerField(
        _("line"),
        default=0,
        db_default=0,
        editable=False,
        help_text=_("Of what was posted together, from 0."),
    )

    quantity = QuantityField(_("quantity"), help_text=_("In the item's smallest counted unit."))
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, verbose_name=_("unit as offered"), related_name="+"
    )
    pack = QuantityField(_("pack size"), default=1, help_text=_("Only whole packs are sent."))
    min_lot = QuantityField(_("minimum quantity"), default=1)
    as_written = ShortText(_("as written"), max_length=300, blank=True)
    standard = models.ForeignKey(
        Standard, models.PROTECT, null=True, blank=True, verbose_name=_("standard met"), related_name="offers"
    )
    registration_number = models.CharField(_("registration number"), max_length=60, blank=True)
    sterile = models.BooleanField(_("sterile"), default=False)
    lot_number = models.CharField(_("lot number"), max_length=40, blank=True)
    expires_on = models.DateField(_("expires on"), null=True, blank=True)
    available_from = models.DateField(_("available from"))
    available_until = models.DateField(_("available until"), null=True, blank=True)
    mode = models.ForeignKey(
        TransportMode, models.PROTECT, verbose_name=_("how it can travel"), related_name="+"
    )
    max_km = models.PositiveIntegerField(_("farthest, km"), null=True, blank=True)

    quantity_proposed = QuantityField(_("proposed"), default=0, editable=False)
    quantity_allocated = QuantityField(_("promised"), default=0, editable=False)
    quantity_open = GeneratedField(
        verbose_name=_("left"),
        expression=F("quantity") - F("quantity_allocated"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    objects = OfferQuerySet.as_manager()

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            status_is_listed(OfferStatus, "offer_status_is_listed"),
            within_bounds("offer_gives_something", "quantity", "pack", "min_lot", at_least=1),
            within_bounds("offer_quantities_in_bounds", "quantity_proposed", "quantity_allocated"),
            models.CheckConstraint(
                name="offer_not_promised_beyond_what_it_holds",
                condition=Q(quantity_allocated__lte=F("quantity")),
            ),
            models.CheckConstraint(
                name="offer_available_in_order",
                condition=Q(available_until=None) | Q(available_until__gte=F("available_from")),
            ),
        ]
        indexes = [
            models.Index(fields=["item", "id"], condition=Q(status="open"), name="offer_open_by_item"),
            models.Index(fields=["-created_at", "-id"], name="offer_newest"),
            models.Index(fields=["expires_on", "id"], name="offer_by_expiry"),
            models.Index(fields=["lot_number"], condition=~Q(lot_number=""), name="offer_by_lot"),
            models.Index(fields=["region_path"], opclasses=["text_pattern_ops"], name="offer_by_region"),
        ]

    def __str__(self) -> str:
        return f"{self.item} · {self.donation}"

    @property
    def is_over(self) -> bool:
        """Nothing more of it is given: what is left is not left for anybody."""
        return self.status in (OfferStatus.WITHDRAWN, OfferStatus.LAPSED, OfferStatus.REFUSED)

    @property
    def may_be_withdrawn(self) -> bool:
        return self.lifecycle.allows(self.status, OfferStatus.WITHDRAWN)
