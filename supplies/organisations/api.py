from contextlib import suppress
from typing import Any, cast

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import (
    Coded,
    Day,
    EntitledSerializer,
    Named,
    RowField,
    RowInput,
    RowSerializer,
    Strict,
    WholeNumber,
    Words,
)
from supplies.attachments.models import MOST_FILES, Attachment
from supplies.errors import NotYours
from supplies.leaks import masked
from supplies.organisations import services
from supplies.organisations.keys import Scope
from supplies.organisations.models import Facility, Organisation, Verified
from supplies.organisations.permissions import (
    leads_to,
    may_check,
    may_pause,
    may_read_dock,
    may_watch_in,
    waiting_for,
)
from supplies.organisations.tokens import signed_in
from supplies.organisations.verification import CallLog, Verification
from supplies.regions.api import InRegionFilter
from supplies.regions.models import Region


def visible_organisations(request: Any) -> QuerySet[Organisation]:
    """What a filter may name; when the documentation is made there is no request."""
    return Organisation.objects.visible_to(request.user) if request else Organisation.objects.none()


def is_insider(context: Any, *, organisation_id: Any, posted_by_id: Any, region: Region) -> bool:
    """Whether the reader posted a row, acts for its organisation, or watches over it. Asked once for a whole list.

    context    a serializer's, where the answer is kept
    region     where the row lies
    """
    user = context["request"].user
    if not user.is_authenticated:
        return False
    if "insider_of" not in context:
        context["insider_of"] = user.organisation_ids
    is_ours = posted_by_id == user.pk or organisation_id in context["insider_of"]
    return is_ours or may_watch_in(user, region)


class VerificationSerializer(RowSerializer):
    """How an organisation is known to be what it says. By a day in the past, it waits to be checked again."""

    note = serializers.CharField(
        source="how_verified", help_text="How it was verified; of a refused one, what has to change."
    )
    on = Day(source="verified_on", allow_null=True)
    recheck_on = Day(allow_null=True)

    class Meta:
        model = Organisation
        fields = ["status", "note", "on", "recheck_on", "by_source"]
        read_only_fields = fields


class OrganisationSerializer(RowSerializer):
    region = Coded()
    verification = VerificationSerializer(source="*")

    class Meta:
        model = Organisation
        fields = ["id", "kind", "name", "region", "status", "verification"]
        read_only_fields = fields


class FacilityDetails(EntitledSerializer):
    """What a site says of itself to those who act for it or watch over all."""

    class Meta:
        model = Facility
        fields = ["address", "patients", "beds", "staff", "pause_reason"]
        read_only_fields = fields


class FacilitySerializer(RowSerializer):
    organisation = Named()
    region = Coded()
    dock = serializers.SerializerMethodField(
        help_text="The address where goods are unloaded. Null unless you are signed in and the organisation is verified."
    )
    details = serializers.SerializerMethodField(
        help_text="Null unless you act for the organisation or watch over all."
    )

    class Meta:
        model = Facility
        fields = ["id", "organisation", "name", "region", "timezone", "is_paused", "dock", "details"]
        read_only_fields = fields

    def get_dock(self, facility: Facility) -> str | None:
        may = may_read_dock(self.context["request"].user, facility, is_insider=self._is_insider(facility))
        return masked(facility.address) if may else None

    @extend_schema_field(FacilityDetails(allow_null=True))
    def get_details(self, facility: Facility) -> dict[str, Any] | None:
        if not self._is_insider(facility):
            return None
        return dict(FacilityDetails(facility, context=self.context).data)

    def _is_insider(self, facility: Facility) -> bool:
        return is_insider(
            self.context,
            organisation_id=facility.organisation_id,
            posted_by_id=None,
            region=facility.region,
        )


class CalledFilter(django_filters.FilterSet):
    """By any part of any of its names."""

    def called(self, queryset: Any, name: str, text: str) -> Any:
        return queryset.called(text)


class OrganisationFilter(CalledFilter):
    kind = django_filters.ChoiceFilter(choices=Organisation.Kind.choices)
    status = django_filters.ChoiceFilter(choices=Verified.choices)
    region = InRegionFilter("region")
    q = django_filters.CharFilter(method="called", max_length=100)

    class Meta:
        model = Organisation
        fields: list[str] = []


class FileOf(RowField):
    """A file of the organisation that is judged; one of another is answered like one that does not exist."""

    def get_queryset(self) -> QuerySet[Attachment]:
        return Attachment.objects.about(self.context["organisation"]).kept()


class VerdictInput(RowInput):
    evidence = serializers.ListField(
        child=FileOf(queryset=Attachment.objects.none()),
        required=False,
        max_length=MOST_FILES,
        help_text="Files of this organisation that show it.",
    )

    class Meta:
        model = Verification
        fields = ["verdict", "motive", "public_note", "recheck_on", "evidence"]


class CallSerializer(RowSerializer):
    class Meta:
        model = CallLog
        fields = ["id", "origin", "outcome", "note", "at"]
        read_only_fields = fields


class CallInput(RowInput):
    class Meta:
        model = CallLog
        fields = ["origin", "outcome", "note"]


class FileSerializer(RowSerializer):
    class Meta:
        model = Attachment
        fields = ["id", "kind", "media_type", "size", "at"]
        read_only_fields = fields


class CheckSerializer(serializers.Serializer):
    """What is known so far in the round that is under way."""

    yeses = WholeNumber(help_text="Two verify it.")
    waits_for_you = serializers.BooleanField(help_text="Whether your judgement would count.")
    calls = CallSerializer(many=True)
    files = FileSerializer(many=True)


class FacilityFilter(CalledFilter):
    organisation = django_filters.ModelChoiceFilter(queryset=visible_organisations)
    region = InRegionFilter("region")
    q = django_filters.CharFilter(method="called", max_length=100)

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
    scope = Scope.VERIFY

    def get_queryset(self) -> QuerySet[Organisation]:
        return (
            Organisation.objects.visible_to(self.request.user).select_related("region").order_by("name", "pk")
        )

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """One that was merged leads to what it was merged into."""
        with suppress(ValidationError):
            if kept := leads_to(kwargs["pk"], request.user):
                return redirect("organisation-detail", pk=kept)
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(summary="What is known of an organisation", responses=CheckSerializer)
    @action(detail=True)
    def check(self, request: Request, pk: str) -> Response:
        """For the volunteers' desk: calls and files of this round, and whether a yes of yours would count."""
        organisation = self._to_judge()
        waiting = waiting_for(request.user, Organisation.objects.filter(pk=organisation.pk))
        known = {
            "yeses": organisation.verifications.yes().filter(round=organisation.check_round).count(),
            "waits_for_you": waiting.exists(),
            "calls": organisation.calls.filter(round=organisation.check_round).order_by("pk"),
            "files": Attachment.objects.about(organisation).kept().oldest_first(),
        }
        return Response(CheckSerializer(known, context=self.get_serializer_context()).data)

    @extend_schema(summary="Log a call", request=CallInput, responses={201: CallSerializer})
    @action(detail=True, methods=["post"])
    def calls(self, request: Request, pk: str) -> Response:
        """A call that was made to find out about it; never the number itself."""
        organisation = self._to_judge()
        given = CallInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        call = services.log_call(
            organisation, **given.validated_data, by=signed_in(request), at=timezone.now()
        )
        return Response(CallSerializer(call).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Verify or refuse", request=VerdictInput, responses=OrganisationSerializer)
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, pk: str) -> Response:
        """Your verdict. The second yes, by somebody else than the first, verifies; a no refuses and begins anew."""
        organisation = self._to_judge()
        context = {**self.get_serializer_context(), "organisation": organisation}
        given = VerdictInput(data=request.data, context=context)
        given.is_valid(raise_exception=True)
        judged = services.verify(
            organisation, **given.validated_data, by=signed_in(request), at=timezone.now()
        )
        return Response(self.get_serializer(judged).data)

    def _to_judge(self) -> Organisation:
        organisation = cast(Organisation, self.get_object())
        if not may_check(self.request.user, organisation):
            raise NotYours(
                _("Only the volunteers' desk verifies organisations, coordinators in their regions.")
            )
        return organisation


class PauseInput(Strict):
    reason = Words(required=False, allow_blank=True, max_length=200)


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
