from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import (
    Coded,
    Day,
    DayFilter,
    EntitledSerializer,
    Named,
    Quantity,
    Readable,
    RowField,
    RowInput,
    RowSerializer,
    WholeNumber,
    Words,
)
from supplies.catalogue.api import (
    InCategoryFilter,
    ItemField,
    StandardField,
    dictionary_of,
    in_base_units,
    shown,
)
from supplies.catalogue.models import Item
from supplies.emergencies.models import Emergency
from supplies.errors import NotYours
from supplies.leaks import masked
from supplies.needs import services
from supplies.needs.models import Appeal, AppealStatus, Need, NeedStatus, Urgency
from supplies.needs.permissions import may_change_appeal, may_change_need
from supplies.organisations.api import is_insider, visible_organisations
from supplies.organisations.keys import Scope
from supplies.organisations.models import Facility
from supplies.organisations.permissions import may_post_for
from supplies.organisations.tokens import signed_in
from supplies.regions.api import InRegionFilter

MOST_LINES = 200

# -- What it looks like -----------------------------------------------------------------------------------


class NeedGauges(Readable):
    """Base units. requested = promised + in transit + received + outstanding; what is proposed binds nobody."""

    requested = WholeNumber(source="quantity", allow_null=True, help_text="Null without a number.")
    proposed = WholeNumber(source="quantity_proposed")
    promised = WholeNumber(source="quantity_promised")
    in_transit = WholeNumber(source="quantity_in_transit")
    received = WholeNumber(source="quantity_received")
    outstanding = WholeNumber(source="quantity_outstanding")


class NeedSerializer(RowSerializer):
    item = Coded()
    category = serializers.CharField(source="item.category_id")
    emergency = serializers.CharField(source="appeal.emergency_id")
    facility = Named(source="appeal.facility")
    organisation = Named(source="appeal.facility.organisation")
    region = Coded(source="appeal.facility.region")
    unit = serializers.CharField(source="item.base_unit_id", help_text="What every quantity here counts.")
    shown = serializers.SerializerMethodField(help_text="The quantity in shown_unit, as a decimal string.")
    shown_unit = serializers.CharField(source="item.display_unit_id")
    gauges = NeedGauges(source="*")
    accepted_standards = serializers.ListField(child=serializers.CharField(), source="standard_codes")
    source_url = Words(source="appeal.source_url", help_text="The public announcement it was taken from.")
    published_on = Day(source="appeal.published_on", allow_null=True, help_text="The day of its source.")
    requirements = Words(help_text="What else it has to be, in the hospital's words.")
    origin = serializers.CharField(help_text="The instance that tells it; empty for what was posted here.")

    class Meta:
        model = Need
        fields = [
            "id",
            "appeal",
            "status",
            "emergency",
            "organisation",
            "facility",
            "region",
            "item",
            "category",
            "quantity_kind",
            "quantity",
            "quantity_assumed",
            "unit",
            "shown",
            "shown_unit",
            "gauges",
            "accepted_standards",
            "medical_grade",
            "sterile",
            "setting",
            "substitutes_welcome",
            "ask_first",
            "requirements",
            "urgency",
            "urgency_assumed",
            "needed_by",
            "needed_by_assumed",
            "deadline_at",
            "min_lot",
            "stock_on_hand",
            "daily_use",
            "counted_on",
            "confirmed_at",
            "confirmed_by_kind",
            "is_grey",
            "source_url",
            "published_on",
            "origin",
            "created_at",
        ]
        read_only_fields = fields

    def get_shown(self, need: Need) -> str | None:
        return shown(need.item, need.quantity)


class AppealDetails(EntitledSerializer):
    """What is not public: where goods are handed over, and what was written in free words."""

    class Meta:
        model = Appeal
        fields = [
            "code",
            "handover_point",
            "courier_address",
            "transport_instructions",
            "receiving_body",
            "source_name",
            "remark",
            "refusal",
        ]
        read_only_fields = fields


class AppealSerializer(RowSerializer):
    facility = Named()
    organisation = Named(source="facility.organisation")
    region = Coded(source="facility.region")
    needs = NeedSerializer(many=True)
    source_name = Words(
        source="public_source", help_text="The list it was taken from; empty for one that was posted here."
    )
    source_url = serializers.SerializerMethodField(help_text="The public announcement.")
    receiving_body = serializers.SerializerMethodField(
        help_text="Who receives on the hospital's behalf. Empty unless you are signed in."
    )
    details = serializers.SerializerMethodField(
        help_text="Null unless you act for the hospital, posted the appeal, or watch over all."
    )

    class Meta:
        model = Appeal
        fields = [
            "id",
            "status",
            "emergency",
            "organisation",
            "facility",
            "region",
            "created_at",
            "source_name",
            "source_url",
            "published_on",
            "valid_until",
            "accepted_senders",
            "accepts_overseas",
            "receiving_body",
            "needs",
            "details",
        ]
        read_only_fields = fields

    def get_source_url(self, appeal: Appeal) -> str:
        return masked(appeal.source_url)

    def get_receiving_body(self, appeal: Appeal) -> str:
        return masked(appeal.receiving_body) if self.context["request"].user.is_authenticated else ""

    @extend_schema_field(AppealDetails(allow_null=True))
    def get_details(self, appeal: Appeal) -> dict[str, Any] | None:
        site, poster = appeal.facility, appeal.posted_by_id
        if not is_insider(
            self.context, organisation_id=site.organisation_id, posted_by_id=poster, region=site.region
        ):
            return None
        return dict(AppealDetails(appeal, context=self.context).data)


# -- What may be sent --------------------------------------------------------------------------------------


class NeedLineInput(RowInput):
    item = ItemField(help_text="The code of an item.")
    quantity = Quantity(
        required=False,
        help_text="Of `unit`, or of the item's base unit; absent where quantity_kind is not number.",
    )
    unit = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="The unit as spoken, such as 双, pair or 盒, or a unit's code; absent for base units.",
    )
    pack_content = Quantity(required=False, help_text="Base units in one pack, where the unit is a pack.")
    quantity_assumed = Quantity(required=False)
    min_lot = Quantity(required=False, help_text="Base units.")
    stock_on_hand = Quantity(required=False, min_value=0, help_text="Base units.")
    daily_use = Quantity(required=False, min_value=0, help_text="Base units.")
    urgency = serializers.ChoiceField(choices=Urgency.choices, required=False)
    accepted_standards = serializers.ListField(child=StandardField(), required=False, max_length=50)

    class Meta:
        model = Need
        fields = [
            "item",
            "quantity_kind",
            "quantity",
            "quantity_assumed",
            "unit",
            "pack_content",
            "accepted_standards",
            "medical_grade",
            "sterile",
            "setting",
            "substitutes_welcome",
            "ask_first",
            "requirements",
            "urgency",
            "needed_by",
            "min_lot",
            "stock_on_hand",
            "daily_use",
            "counted_on",
        ]
        extra_kwargs = {"needed_by": {"required": False}, "counted_on": {"required": False}}

    def validate(self, line: dict[str, Any]) -> dict[str, Any]:
        return in_base_units(line, dictionary_of(self))


class AppealInput(RowInput):
    facility = RowField(queryset=Facility.objects.select_related("organisation", "region"))
    emergency = RowField(queryset=Emergency.objects.all())
    lines = NeedLineInput(many=True, max_length=MOST_LINES)  # type: ignore[call-arg]

    class Meta:
        model = Appeal
        fields = [
            "facility",
            "emergency",
            "lines",
            "source_name",
            "source_url",
            "published_on",
            "valid_until",
            "handover_point",
            "courier_address",
            "accepted_senders",
            "accepts_overseas",
            "receiving_body",
            "transport_instructions",
            "remark",
        ]


class NeedChange(RowInput):
    """What may be changed of a line; quantities are base units."""

    quantity = Quantity(required=False)
    urgency = serializers.ChoiceField(choices=Urgency.choices, required=False)
    min_lot = Quantity(required=False)
    stock_on_hand = Quantity(required=False, min_value=0, allow_null=True)
    daily_use = Quantity(required=False, min_value=0, allow_null=True)

    class Meta:
        model = Need
        fields = sorted(services.CHANGEABLE)


# -- How lists are narrowed --------------------------------------------------------------------------------


class AppealFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=AppealStatus.choices)
    emergency = django_filters.ModelChoiceFilter(queryset=Emergency.objects.all())
    organisation = django_filters.ModelChoiceFilter(
        queryset=visible_organisations, field_name="facility__organisation"
    )
    region = InRegionFilter("facility__region")

    class Meta:
        model = Appeal
        fields: list[str] = []


class NeedFilter(django_filters.FilterSet):
    region = InRegionFilter("region_path")
    category = InCategoryFilter()
    item = django_filters.ModelChoiceFilter(queryset=Item.objects.all())
    organisation = django_filters.ModelChoiceFilter(
        queryset=visible_organisations, field_name="site__organisation"
    )
    emergency = django_filters.ModelChoiceFilter(
        queryset=Emergency.objects.all(), field_name="appeal__emergency"
    )
    status = django_filters.ChoiceFilter(choices=NeedStatus.choices)
    urgency = django_filters.ChoiceFilter(choices=Urgency.choices)
    fresh = django_filters.BooleanFilter(
        field_name="is_grey", exclude=True, label=_("Whether it was confirmed lately.")
    )
    needed_by_after = DayFilter(field_name="needed_by", lookup_expr="gte", label=_("On this day or later."))
    needed_by_before = DayFilter(
        field_name="needed_by", lookup_expr="lte", label=_("On this day or earlier.")
    )
    q = django_filters.CharFilter(
        method="about", max_length=100, label=_("Part of an item's or a hospital's name.")
    )

    class Meta:
        model = Need
        fields: list[str] = []

    def about(self, queryset: Any, name: str, text: str) -> QuerySet[Need]:
        return queryset.about(text)  # type: ignore[no-any-return]


# -- What can be done ----------------------------------------------------------------------------------------


@extend_schema_view(list=extend_schema(summary="Appeals"), retrieve=extend_schema(summary="An appeal"))
class AppealViewSet(mixins.CreateModelMixin, ReadOnlyModelViewSet):
    """What hospitals publish, with a need for each item."""

    serializer_class, filterset_class = AppealSerializer, AppealFilter
    queryset = Appeal.objects.all()
    scope = Scope.NEEDS

    def get_queryset(self) -> QuerySet[Appeal]:
        needs = Need.objects.visible_to(self.request.user).with_goods().as_posted()
        rows = Appeal.objects.visible_to(self.request.user).select_related(
            "facility__organisation", "facility__region"
        )
        if self.action == "list":
            rows = rows.ours()
        return rows.prefetch_related(Prefetch("needs", needs)).newest_first()

    @extend_schema(summary="Post an appeal", request=AppealInput, responses={201: AppealSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """It appears when a volunteer has read it; meanwhile its code says where it stands."""
        given = AppealInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        facility = values.pop("facility")
        if not may_post_for(request.user, facility):
            raise NotYours(services.NOT_YOURS)
        appeal = services.post(facility, by=signed_in(request), at=timezone.now(), **values)
        return Response(self._shown(appeal), status=status.HTTP_201_CREATED)

    @extend_schema(summary="Withdraw an appeal", request=None, responses=AppealSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Takes every line back. What is promised already stays promised."""
        appeal = self.get_object()
        if not may_change_appeal(request.user, appeal):
            raise NotYours(services.NOT_YOURS)
        return Response(self._shown(services.withdraw(appeal, by=signed_in(request), at=timezone.now())))

    def _shown(self, appeal: Appeal) -> Any:
        return self.get_serializer(self.get_queryset().get(pk=appeal.pk)).data


@extend_schema_view(list=extend_schema(summary="Needs"), retrieve=extend_schema(summary="A need"))
class NeedViewSet(ReadOnlyModelViewSet):
    """What is needed, most urgent first. Readable without login once it was published."""

    serializer_class, filterset_class = NeedSerializer, NeedFilter
    queryset = Need.objects.all()
    scope = Scope.NEEDS

    def get_queryset(self) -> QuerySet[Need]:
        rows = Need.objects.visible_to(self.request.user)
        # What another instance tells is in its own list; one who was promised to it finds it by its id.
        return (rows.ours() if self.action == "list" else rows).with_names().most_urgent_first()

    @extend_schema(summary="Change a need", request=NeedChange, responses=NeedSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """A number may not go below what is promised, on its way or received already."""
        need = self._yours()
        given = NeedChange(data=request.data, partial=True, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return self._answer(
            services.change(need, by=signed_in(request), at=timezone.now(), **given.validated_data)
        )

    @extend_schema(summary="Not needed any more", request=None, responses=NeedSerializer)
    @action(detail=True, methods=["post"], url_path="not-needed")
    def not_needed(self, request: Request, pk: str) -> Response:
        """Withdraws the line. What is promised already stays promised."""
        return self._answer(services.withdraw_need(self._yours(), by=signed_in(request), at=timezone.now()))

    @extend_schema(summary="Still needed", request=None, responses=NeedSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Keeps the line fresh; one that has lapsed is open again."""
        return self._answer(services.confirm(self._yours(), by=signed_in(request), at=timezone.now()))

    def _yours(self) -> Need:
        need: Need = self.get_object()
        if not may_change_need(self.request.user, need):
            raise NotYours(services.NOT_YOURS)
        return need

    def _answer(self, need: Need) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=need.pk)).data)
