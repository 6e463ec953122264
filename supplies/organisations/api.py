from typing import Any, cast

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import Coded, Named, RowSerializer, Strict
from supplies.errors import NotYours
from supplies.organisations import services
from supplies.organisations.models import Facility, Organisation, Scope, Verified
from supplies.organisations.permissions import may_pause, may_watch
from supplies.organisations.tokens import signed_in
from supplies.regions.api import InRegionFilter


def visible_organisations(request: Any) -> QuerySet[Organisation]:
    """What a filter may name; when the documentation is made there is no request."""
    return Organisation.objects.visible_to(request.user) if request else Organisation.objects.none()


def is_insider(context: Any, *, organisation_id: Any, posted_by_id: Any) -> bool:
    """Whether the reader posted a row, acts for its organisation, or watches over all. Asked once for a whole list.

    context    a serializer's, where the answer is kept
    """
    user = context["request"].user
    if not user.is_authenticated:
        return False
    if "insider_of" not in context:
        context["watches"] = may_watch(user)
        context["insider_of"] = user.organisation_ids
    return context["watches"] or posted_by_id == user.pk or organisation_id in context["insider_of"]


class OrganisationSerializer(RowSerializer):
    region = Coded()

    class Meta:
        model = Organisation
        fields = ["id", "kind", "name", "region", "status"]
        read_only_fields = fields


class FacilitySerializer(RowSerializer):
    organisation = Named()
    region = Coded()

    class Meta:
        model = Facility
        fields = [
            "id",
            "organisation",
            "name",
            "region",
            "timezone",
            "patients",
            "beds",
            "staff",
            "is_paused",
            "pause_reason",
        ]
        read_only_fields = fields


class OrganisationFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=Organisation.Kind.choices)
    status = django_filters.ChoiceFilter(choices=Verified.choices)
    region = InRegionFilter("region")
    q = django_filters.CharFilter(field_name="name", lookup_expr="mentions", max_length=100)

    class Meta:
        model = Organisation
        fields: list[str] = []


class FacilityFilter(django_filters.FilterSet):
    organisation = django_filters.ModelChoiceFilter(queryset=visible_organisations)
    region = InRegionFilter("region")
    q = django_filters.CharFilter(field_name="name", lookup_expr="mentions", max_length=100)

    class Meta:
        model = Facility
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="Organisations"), retrieve=extend_schema(summary="An organisation")
)
class OrganisationViewSet(ReadOnlyModelViewSet):
    """Hospitals, carriers and charities that were verified. Who donates is not public."""

    serializer_class, filterset_class = OrganisationSerializer, OrganisationFilter
    queryset = Organisation.objects.all()

    def get_queryset(self) -> QuerySet[Organisation]:
        return (
            Organisation.objects.visible_to(self.request.user).select_related("region").order_by("name", "pk")
        )


class PauseInput(Strict):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


@extend_schema_view(list=extend_schema(summary="Facilities"), retrieve=extend_schema(summary="A facility"))
class FacilityViewSet(ReadOnlyModelViewSet):
    """The sites where goods arrive, down to their district."""

    serializer_class, filterset_class = FacilitySerializer, FacilityFilter
    queryset = Facility.objects.all()
    scope = Scope.NEEDS

    def get_queryset(self) -> QuerySet[Facility]:
        rows = Facility.objects.visible_to(self.request.user)
        return rows.select_related("organisation", "region").order_by("name", "pk")

    @extend_schema(summary="Stop sending", request=PauseInput, responses=FacilitySerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """At once: nothing is matched to it, and what is proposed to it ends."""
        facility = self._yours()
        given = PauseInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        reason = given.validated_data.get("reason", "")
        services.pause(facility, reason=reason, by=signed_in(request), at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(summary="Take goods again", request=None, responses=FacilitySerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        services.resume(self._yours(), by=signed_in(request), at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)

    def _yours(self) -> Facility:
        facility = cast(Facility, self.get_object())
        if not may_pause(self.request.user, facility):
            raise NotYours(_("Only the hospital itself, or a volunteer, may do that."))
        return facility
