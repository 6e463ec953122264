"""What donors give, at the desk: donations to moderate."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from supplies.attachments.models import Attachment
from supplies.catalogue.services import Counterfeits
from supplies.offers import services
from supplies.offers.forms import SENDERS
from supplies.offers.models import Donation, DonationStatus, Offer, OfferStatus
from supplies.offers.permissions import may_change_donation
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    ReasonForm,
    Verb,
    Waiting,
    by_status,
    count_of,
    in_units,
    source_link,
)
from supplies.organisations.previewing import PreviewedVerb


class OfferInline(DeskInline):
    """The words of the source beside what was read from them."""

    model = Offer
    fields = (
        "as_written",
        "item",
        "given",
        "standard",
        "lot_number",
        "expires_on",
        "available_from",
        "status",
        "warnings",
    )
    show_change_link = True
    ordering = ("created_at", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        return (
            super()
            .get_queryset(request)
            .select_related("item__display_unit", "standard", "donation__organisation")
        )

    @admin.display(description=_("quantity"))
    def given(self, offer: Offer) -> str:
        return in_units(offer.item, offer.quantity)

    @cached_property
    def counterfeits(self) -> Counterfeits:
        return Counterfeits()  # an inline lives as long as its request

    @admin.display(description=_("warnings"), empty_value="")
    def warnings(self, offer: Offer) -> str:
        """Known counterfeits that the number on these goods is like: to be compared before it is published."""
        return " ".join(hit.sentence for hit in services.counterfeits_like(offer, self.counterfeits))


@admin.register(Donation)
class DonationAdmin(DeskAdmin):
    decided_in = (DonationStatus.WAITING,)
    region_of = "region"
    is_public = True
    list_display = (
        "organisation",
        "region",
        "lines",
        "directed_to",
        "source",
        "status",
        "posted_by",
        "created_at",
    )
    list_filter = (by_status(DonationStatus.WAITING), "emergency", "allocates_for_me")
    list_select_related = ("organisation", "region", "directed_facility", "directed_region", "posted_by")
    search_fields = ("organisation__name", "=code")
    ordering = ("created_at", "pk")
    fieldsets = (
        (
            None,
            {"fields": ("status", "refusal", "emergency", "organisation", "sender", "source", "remark")},
        ),
        (_("Goods"), {"fields": ("region", "address", "from_overseas", "directed_to", "allocates_for_me")}),
        (_("Trail"), {"fields": ("code", "posted_by", "created_at", "moderated_by", "moderated_at")}),
    )
    inlines = (OfferInline,)
    change_form_template = "admin/donation.html"
    actions = (
        PreviewedVerb("publish", _("Publish"), services.publish, fits=[DonationStatus.WAITING]),
        PreviewedVerb("refuse", _("Refuse"), services.refuse, asks=ReasonForm, fits=[DonationStatus.WAITING]),
        PreviewedVerb(
            "withdraw",
            _("Withdraw for the donor"),
            services.withdraw,
            fits=[DonationStatus.WAITING, DonationStatus.PUBLISHED],
        ),
    )

    @admin.display(description=_("sender"))
    def sender(self, row: Donation) -> str:
        return str(dict(SENDERS).get(row.sender_kind, row.sender_kind))

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = self.get_queryset(request).filter(status=DonationStatus.WAITING)
        return [Waiting(20, _("donations to moderate"), rows, "status=waiting", "created_at")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Donation]:
        rows: QuerySet[Donation] = (
            super().get_queryset(request).annotate(line_count=count_of(Offer.objects.all(), "donation"))
        )
        return rows

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        donation = kwargs.get("obj")
        if donation is not None and may_change_donation(request.user, donation):
            context["files"] = Attachment.objects.about(donation).kept().select_related("by").oldest_first()
            context["may_read_files"] = True
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("lines"), ordering="line_count")
    def lines(self, donation: Any) -> int:
        return int(donation.line_count)

    @admin.display(description=_("only for"))
    def directed_to(self, donation: Donation) -> str:
        return str(donation.directed_facility or donation.directed_region or "–")

    @admin.display(description=_("source"))
    def source(self, donation: Donation) -> str:
        return source_link(donation.source_name, donation.source_url)


@admin.register(Offer)
class OfferAdmin(DeskAdmin):
    region_of = "donation.region"
    is_public = True
    list_display = (
        "item",
        "donor",
        "region",
        "given",
        "left",
        "standard",
        "lot_number",
        "expires_on",
        "status",
    )
    list_filter = (by_status(), "item__category", "mode")
    list_select_related = (
        "item__display_unit",
        "standard",
        "donation__organisation",
        "donation__region",
    )
    search_fields = ("~item", "donation__organisation__name", "=lot_number")
    ordering = ("expires_on", "pk")
    fieldsets = (
        (None, {"fields": ("status", "donation", "as_written", "item", "given", "standard")}),
        (
            _("Lot"),
            {
                "fields": (
                    "registration_number",
                    "sterile",
                    "lot_number",
                    "expires_on",
                    "available_from",
                    "available_until",
                    "mode",
                    "max_km",
                )
            },
        ),
        (
            _("In the smallest counted unit"),
            {"fields": ("pack", "min_lot", "quantity_proposed", "quantity_allocated", "quantity_open")},
        ),
    )
    actions = (
        Verb(
            "withdraw",
            _("Withdraw what is not promised"),
            services.withdraw_offer,
            ends=_("What is left is offered to nobody any more. What is promised stays promised."),
            fits=[OfferStatus.WAITING, OfferStatus.OPEN, OfferStatus.SPENT],
        ),
    )

    @admin.display(description=_("donor"), ordering="donation__organisation__name")
    def donor(self, offer: Offer) -> str:
        return offer.donation.organisation.name

    @admin.display(description=_("where the goods lie"), ordering="donation__region__path")
    def region(self, offer: Offer) -> str:
        return str(offer.donation.region)

    @admin.display(description=_("quantity"), ordering="quantity")
    def given(self, offer: Offer) -> str:
        return in_units(offer.item, offer.quantity)

    @admin.display(description=_("left"), ordering="quantity_open")
    def left(self, offer: Offer) -> str:
        return in_units(offer.item, offer.quantity_open)
