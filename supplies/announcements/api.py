from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.announcements.models import Announcement, Kind
from supplies.api_fields import Coded, Named, RowSerializer
from supplies.regions.api import InRegionFilter


class AnnouncementSerializer(RowSerializer):
    emergency = serializers.CharField(source="emergency_id")
    region = Coded(allow_null=True, help_text="Nothing means everywhere.")
    giver = Named()
    replaces = serializers.UUIDField(source="replaces_id", allow_null=True)
    replaced_by = serializers.UUIDField(source="successor.pk", allow_null=True, default=None)
    is_standing = serializers.BooleanField(help_text="Neither replaced nor withdrawn.")

    class Meta:
        model = Announcement
        fields = [
            "id",
            "kind",
            "emergency",
            "region",
            "title_zh",
            "title_en",
            "text_zh",
            "text_en",
            "reason",
            "giver",
            "replaces",
            "replaced_by",
            "is_standing",
            "at",
        ]
        read_only_fields = fields


class AnnouncementFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=Kind.choices)
    region = InRegionFilter("region")
    is_standing = django_filters.BooleanFilter(
        method="that_stand", label=_("Neither replaced nor withdrawn.")
    )

    class Meta:
        model = Announcement
        fields = ["emergency"]

    def that_stand(self, queryset: Any, name: str, is_standing: bool) -> QuerySet[Announcement]:
        standing = Announcement.objects.standing()
        return queryset.filter(pk__in=standing) if is_standing else queryset.exclude(pk__in=standing)  # type: ignore[no-any-return]


@extend_schema_view(
    list=extend_schema(summary="Announcements"), retrieve=extend_schema(summary="An announcement")
)
class AnnouncementViewSet(ReadOnlyModelViewSet):
    """What coordinators told everybody: announcements, corrections of rumours, that enough has come; and what replaced them."""

    serializer_class, filterset_class = AnnouncementSerializer, AnnouncementFilter
    queryset = Announcement.objects.all()

    def get_queryset(self) -> QuerySet[Announcement]:
        rows = Announcement.objects.visible_to(self.request.user)
        return rows.select_related("giver", "region", "replaced_by").newest_first()
