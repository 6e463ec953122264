from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import Coded, Readable, RowSerializer, WholeNumber, Words
from supplies.catalogue.api import InCategoryFilter
from supplies.catalogue.models import Item
from supplies.federation.models import TOLD, ForeignNeed, Peer
from supplies.needs.models import Urgency
from supplies.regions.api import InRegionFilter


class Origin(Readable):
    """The instance that tells the need; together with `origin_id` it names it everywhere."""

    instance = serializers.CharField(source="peer.instance")
    name = serializers.CharField(source="peer.name", help_text="What our operator calls it.")
    address = serializers.CharField(source="peer.address")
    licence = serializers.CharField(source="peer.licence")
    licence_url = serializers.CharField(source="peer.licence_url")


class ForeignNeedSerializer(RowSerializer):
    origin = Origin(source="*")
    link = serializers.CharField(help_text="Its page where it is from.")
    facility_name = Words()
    organisation_name = Words()
    region = Coded(
        allow_null=True, help_text="Null where we do not know the place; then see place_zh, place_en."
    )
    place_zh, place_en = Words(), Words()
    item = Coded(
        allow_null=True, help_text="Null where we do not know the item, or count it in another unit."
    )
    item_zh, item_en = Words(), Words()
    quantity = WholeNumber(allow_null=True, help_text="Of `unit`; null without a number.")
    outstanding = WholeNumber(allow_null=True, help_text="Of `unit`: what nobody there has promised yet.")
    source_name, source_url = Words(), Words()
    need = serializers.SerializerMethodField(
        help_text="The need that stands for it in our matching; null where it is not matched here."
    )

    class Meta:
        model = ForeignNeed
        fields = [
            "id",
            "origin",
            "origin_id",
            "link",
            "emergency",
            "status",
            "organisation_name",
            "facility_name",
            "region",
            "region_code",
            "place_zh",
            "place_en",
            "item",
            "item_code",
            "item_zh",
            "item_en",
            "quantity_kind",
            "quantity",
            "outstanding",
            "unit",
            "standards",
            "medical_grade",
            "sterile",
            "urgency",
            "needed_by",
            "confirmed_at",
            "posted_at",
            "source_name",
            "source_url",
            "first_seen_at",
            "told_at",
            "need",
        ]
        read_only_fields = fields

    def get_need(self, need: ForeignNeed) -> UUID | None:
        return need.need_id if need.is_matched else None


class ForeignNeedFilter(django_filters.FilterSet):
    region = InRegionFilter("region__path")
    category = InCategoryFilter()
    item = django_filters.ModelChoiceFilter(queryset=Item.objects.all())
    status = django_filters.ChoiceFilter(choices=[(status.value, status.label) for status in TOLD])
    urgency = django_filters.ChoiceFilter(choices=Urgency.choices)
    origin = django_filters.ModelChoiceFilter(
        queryset=Peer.objects.active(), field_name="peer", to_field_name="instance"
    )

    class Meta:
        model = ForeignNeed
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="Needs elsewhere"), retrieve=extend_schema(summary="A need elsewhere")
)
class ForeignNeedViewSet(ReadOnlyModelViewSet):
    """What other instances tell of their hospitals. In none of our counts and files; to answer one, follow its link."""

    serializer_class, filterset_class = ForeignNeedSerializer, ForeignNeedFilter
    queryset = ForeignNeed.objects.all()

    def get_queryset(self) -> QuerySet[ForeignNeed]:
        return ForeignNeed.objects.visible_to(self.request.user).with_place().most_urgent_first()
