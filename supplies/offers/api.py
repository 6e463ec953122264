from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import (
    Coded,
    DayFilter,
    EntitledSerializer,
    Named,
    Quantity,
    Readable,
    RowField,
    RowInput,
    RowSerializer,
    WholeNumber,
    told_beside_the_answer,
)
from supplies.catalogue.api import (
    InCategoryFilter,
    ItemField,
    StandardField,
    counterfeits_of,
    dictionary_of,
    in_base_units,
    shown,
)
from supplies.catalogue.models import Item, TransportMode
from supplies.catalogue.services import MOST_SCANNED, read_package
from supplies.emergencies.models import Emergency
from supplies.errors import NotYours
from supplies.offers import services
from supplies.offers.models import Donation, DonationStatus, Offer, OfferStatus
from supplies.offers.permissions import may_change_donation
from supplies.organisations.api import is_insider, visible_organisations
from supplies.organisations.keys import Scope
from supplies.organisations.models import Facility, Organisation
from supplies.organisations.permissions import acts_for, may_moderate_in
from supplies.organisations.tokens import HasScope, signed_in
from supplies.regions.api import InRegionFilter
from supplies.regions.models import Region

MOST_LINES = 200
SENDERS = ["person", "company", "organisation", "government"]  # as an appeal names whom it takes goods from
NOT_YOURS = _("Only the donor, or a volunteer, may do that.")

# -- What it looks like -----------------------------------------------------------------------------------


class OfferGauges(Readable):
    """Base units. offered = promised + left; what is proposed binds nobody."""

    offered = WholeNumber(source="quantity")
    proposed = WholeNumber(source="quantity_proposed")
    promised = WholeNumber(source="quantity_allocated")
    left = WholeNumber(source="quantity_open")


class OfferGiver(RowSerializer):
    """What would tell who gives."""

    organisation = Named(source="donation.organisation")

    class Meta:
        model = Offer
        fields = ["donation", "organisation", "lot_number", "registration_number"]
        read_only_fields = fields


class OfferSerializer(RowSerializer):
    item = Coded()
    category = serializers.CharField(source="item.category_id")
    emergency = serializers.CharField(source="donation.emergency_id")
    region = Coded(source="donation.region", help_text="Where the goods lie.")
    is_directed = serializers.BooleanField(
        source="donation.is_directed", help_text="Given for one facility or region only."
    )
    unit = serializers.CharField(source="item.base_unit_id", help_text="What every quantity here counts.")
    shown = serializers.SerializerMethodField(help_text="The quantity in shown_unit, as a decimal string.")
    shown_unit = serializers.CharField(source="item.display_unit_id")
    gauges = OfferGauges(source="*")
    giver = serializers.SerializerMethodField(
        help_text="Null unless you act for the donor or watch over all."
    )

    class Meta:
        model = Offer
        fields = [
            "id",
            "status",
            "emergency",
            "region",
            "item",
            "category",
            "quantity",
            "unit",
            "shown",
            "shown_unit",
            "gauges",
            "pack",
            "min_lot",
            "standard",
            "sterile",
            "expires_on",
            "available_from",
            "available_until",
            "mode",
            "max_km",
            "is_directed",
            "created_at",
            "giver",
        ]
        read_only_fields = fields

    def get_shown(self, offer: Offer) -> str | None:
        return shown(offer.item, offer.quantity)

    @extend_schema_field(OfferGiver(allow_null=True))
    def get_giver(self, offer: Offer) -> dict[str, Any] | None:
        donation = offer.donation
        donor, poster = donation.organisation_id, donation.posted_by_id
        if not is_insider(self.context, organisation_id=donor, posted_by_id=poster, region=donation.region):
            return None
        return dict(OfferGiver(offer, context=self.context).data)


class DonationSerializer(EntitledSerializer):
    organisation = Named()
    region = Coded()
    offers = OfferSerializer(many=True)

    class Meta:
        model = Donation
        fields = [
            "id",
            "code",
            "status",
            "emergency",
            "organisation",
            "region",
            "address",
            "created_at",
            "sender_kind",
            "from_overseas",
            "directed_facility",
            "directed_region",
            "allocates_for_me",
            "source_name",
            "source_url",
            "remark",
            "refusal",
            "offers",
        ]
        read_only_fields = fields


# -- What may be sent --------------------------------------------------------------------------------------


class OfferLineInput(RowInput):
    item = ItemField(help_text="The code of an item.")
    quantity = Quantity(help_text="Of `unit`, or of the item's base unit.")
    unit = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="The unit as spoken, such as 双, pair or 盒, or a unit's code; absent for base units.",
    )
    pack_content = Quantity(required=False, help_text="Base units in one pack, where the unit is a pack.")
    pack = Quantity(
        required=False, help_text="Only whole packs are sent; base units. pack_content unless given."
    )
    min_lot = Quantity(required=False, help_text="Base units.")
    standard = StandardField(required=False, allow_null=True, help_text="The code of the standard met.")
    scanned = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=MOST_SCANNED,
        help_text="What a scanner reads from the package; lot and expiry are taken from it where they are not given.",
    )
    mode = RowField(queryset=TransportMode.objects.all(), required=False)
    max_km = WholeNumber(required=False, allow_null=True, min_value=1, max_value=25_000)

    class Meta:
        model = Offer
        fields = [
            "item",
            "quantity",
            "unit",
            "pack_content",
            "pack",
            "min_lot",
            "standard",
            "registration_number",
            "scanned",
            "sterile",
            "lot_number",
            "expires_on",
            "available_from",
            "available_until",
            "mode",
            "max_km",
        ]
        extra_kwargs = {"available_from": {"required": False}}

    def validate(self, line: dict[str, Any]) -> dict[str, Any]:
        line = in_base_units(line, dictionary_of(self))
        content = line.pop("pack_content", None)
        return {**self._as_printed(line), "pack": line.get("pack") or content or 1}

    def _as_printed(self, line: dict[str, Any]) -> dict[str, Any]:
        """The line with lot and expiry from the scanned code; what is odd about codes is told beside the answer."""
        scanned, number = line.pop("scanned", ""), line.get("registration_number", "")
        if not scanned and not number:
            return line
        printed = read_package(
            registration_number=number,
            scanned=scanned,
            lot_number=line.get("lot_number", ""),
            expires_on=line.get("expires_on"),
            counterfeits=counterfeits_of(self),
            on=timezone.localdate(),
        )
        told = told_beside_the_answer(self.context["request"])
        told += [{"field": field, "detail": sentence} for field, sentence in printed.remarks]
        return {**line, "lot_number": printed.lot_number, "expires_on": printed.expires_on}


class DonationInput(RowInput):
    organisation = RowField(queryset=Organisation.objects.all(), help_text="The donor you act for.")
    emergency = RowField(queryset=Emergency.objects.all())
    region = RowField(queryset=Region.objects.all(), help_text="Where the goods lie.")
    directed_facility = RowField(queryset=Facility.objects.all(), required=False, allow_null=True)
    directed_region = RowField(queryset=Region.objects.all(), required=False, allow_null=True)
    sender_kind = serializers.ChoiceField(choices=SENDERS, required=False)
    allocates_for_me = serializers.BooleanField(
        required=False,
        help_text="Your yes to every match in advance; the donor's standing consent unless given.",
    )
    lines = OfferLineInput(many=True, max_length=MOST_LINES)  # type: ignore[call-arg]

    class Meta:
        model = Donation
        fields = [
            "organisation",
            "emergency",
            "region",
            "lines",
            "sender_kind",
            "from_overseas",
            "address",
            "directed_facility",
            "directed_region",
            "allocates_for_me",
            "source_name",
            "source_url",
            "remark",
        ]


class OfferChange(RowInput):
    """What may be changed of an offer; quantities are base units."""

    quantity = Quantity(required=False)
    min_lot = Quantity(required=False)
    mode = RowField(queryset=TransportMode.objects.all(), required=False)
    max_km = WholeNumber(required=False, allow_null=True, min_value=1, max_value=25_000)

    class Meta:
        model = Offer
        fields = sorted(services.CHANGEABLE)


# -- How lists are narrowed --------------------------------------------------------------------------------


class DonationFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=DonationStatus.choices)
    emergency = django_filters.ModelChoiceFilter(queryset=Emergency.objects.all())
    organisation = django_filters.ModelChoiceFilter(queryset=visible_organisations)

    class Meta:
        model = Donation
        fields: list[str] = []


class OfferFilter(django_filters.FilterSet):
    region = InRegionFilter("region_path")
    category = InCategoryFilter()
    item = django_filters.ModelChoiceFilter(queryset=Item.objects.all())
    organisation = django_filters.ModelChoiceFilter(
        queryset=visible_organisations, method="given_by", label=_("A donor you act for or watch over.")
    )
    emergency = django_filters.ModelChoiceFilter(
        queryset=Emergency.objects.all(), field_name="donation__emergency"
    )
    status = django_filters.ChoiceFilter(choices=OfferStatus.choices)
    expires_after = DayFilter(field_name="expires_on", lookup_expr="gte", label=_("On this day or later."))
    expires_before = DayFilter(field_name="expires_on", lookup_expr="lte", label=_("On this day or earlier."))
    q = django_filters.CharFilter(method="about", max_length=100, label=_("Part of an item's name."))

    class Meta:
        model = Offer
        fields: list[str] = []

    @extend_schema_field(OpenApiTypes.UUID)
    def given_by(self, queryset: Any, name: str, organisation: Organisation) -> QuerySet[Offer]:
        # Only among donations the reader may see: a filter must not tell who gave what is shown without its donor.
        seen = Donation.objects.visible_to(self.request.user)
        return queryset.filter(donation__in=seen.filter(organisation=organisation))  # type: ignore[no-any-return]

    def about(self, queryset: Any, name: str, text: str) -> QuerySet[Offer]:
        return queryset.about(text)  # type: ignore[no-any-return]


# -- What can be done ----------------------------------------------------------------------------------------


@extend_schema_view(list=extend_schema(summary="Donations"), retrieve=extend_schema(summary="A donation"))
class DonationViewSet(mixins.CreateModelMixin, ReadOnlyModelViewSet):
    """What donors give, with an offer for each lot. One's own; volunteers see all."""

    serializer_class, filterset_class = DonationSerializer, DonationFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = Donation.objects.all()
    scope = Scope.OFFERS

    def get_queryset(self) -> QuerySet[Donation]:
        offers = Offer.objects.with_names().as_posted()
        rows = Donation.objects.visible_to(self.request.user).select_related("organisation", "region")
        return rows.prefetch_related(Prefetch("offers", offers)).newest_first()

    @extend_schema(summary="Offer goods", request=DonationInput, responses={201: DonationSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """They enter the matching when a volunteer has read the offer; meanwhile its code says where it stands."""
        given = DonationInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        organisation = values.pop("organisation")
        if not acts_for(request.user, organisation):
            if not may_moderate_in(request.user, organisation.region):
                raise NotYours(NOT_YOURS)
            if "allocates_for_me" in values:
                raise NotYours(_("Only the donor can agree to matches in advance."))
        donation = services.post(organisation, by=signed_in(request), at=timezone.now(), **values)
        return Response(self._shown(donation), status=status.HTTP_201_CREATED)

    @extend_schema(summary="Withdraw a donation", request=None, responses=DonationSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Takes back what is not promised yet. What is promised stays promised."""
        donation = self.get_object()
        if not may_change_donation(request.user, donation):
            raise NotYours(NOT_YOURS)
        return Response(self._shown(services.withdraw(donation, by=signed_in(request), at=timezone.now())))

    def _shown(self, donation: Donation) -> Any:
        return self.get_serializer(self.get_queryset().get(pk=donation.pk)).data


@extend_schema_view(list=extend_schema(summary="Offers"), retrieve=extend_schema(summary="An offer"))
class OfferViewSet(ReadOnlyModelViewSet):
    """What is offered, newest first. Readable without login; who gives is not told."""

    serializer_class, filterset_class = OfferSerializer, OfferFilter
    queryset = Offer.objects.all()
    scope = Scope.OFFERS

    def get_queryset(self) -> QuerySet[Offer]:
        return Offer.objects.visible_to(self.request.user).with_names().newest_first()

    @extend_schema(summary="Change an offer", request=OfferChange, responses=OfferSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """The quantity may not go below what is promised of it."""
        offer = self._yours()
        given = OfferChange(data=request.data, partial=True, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return self._answer(
            services.change(offer, by=signed_in(request), at=timezone.now(), **given.validated_data)
        )

    @extend_schema(summary="Withdraw an offer", request=None, responses=OfferSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Takes back what is not promised yet. What is promised stays promised."""
        return self._answer(services.withdraw_offer(self._yours(), by=signed_in(request), at=timezone.now()))

    def _yours(self) -> Offer:
        offer: Offer = self.get_object()
        if not may_change_donation(self.request.user, offer.donation):
            raise NotYours(NOT_YOURS)
        return offer

    def _answer(self, offer: Offer) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=offer.pk)).data)
