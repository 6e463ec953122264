"""Matching runs over the API: starting one, and what came of it."""

from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from matching import services
from matching.models import FamilyRun, MatchingPolicy, MatchingRun, RunStatus, Trigger
from matching.permissions import NOT_A_VOLUNTEER, may_run
from matching.results import summary
from supplies.api_fields import RowField, RowSerializer, Strict
from supplies.emergencies.models import Emergency
from supplies.errors import NotYours
from supplies.organisations.keys import Scope
from supplies.organisations.tokens import HasScope, signed_in


class FamilyRunSerializer(RowSerializer):
    class Meta:
        model = FamilyRun
        fields = [
            "family",
            "status",
            "needs",
            "offers",
            "proposals",
            "units",
            "kept",
            "superseded",
            "stale",
            "seconds",
            "shortfalls",
            "failure",
        ]
        read_only_fields = fields


class UrgencyFill(serializers.Serializer):
    """Units of one class of urgency: still wanted, served before the run, proposed by it; the fill from 0 to 1."""

    needs = serializers.IntegerField()
    wanted = serializers.IntegerField()
    served = serializers.IntegerField()
    proposed = serializers.IntegerField()
    fill_before = serializers.FloatField(allow_null=True)
    fill_after = serializers.FloatField(allow_null=True)


class RunSummary(serializers.Serializer):
    needs = serializers.IntegerField()
    offers = serializers.IntegerField()
    proposals = serializers.IntegerField()
    units = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="Proposals of earlier runs that stay.")
    superseded = serializers.IntegerField(help_text="Proposals of earlier runs taken back for better ones.")
    stale = serializers.IntegerField(help_text="Left out because a need or an offer changed meanwhile.")
    failed = serializers.IntegerField(help_text="Families that could not be matched.")
    by_urgency = serializers.DictField(child=UrgencyFill())
    shortfalls = serializers.DictField(
        child=serializers.IntegerField(), help_text="Reason to number of needs."
    )
    seconds = serializers.DictField(child=serializers.FloatField())


class MatchingRunSerializer(RowSerializer):
    class Meta:
        model = MatchingRun
        fields = [
            "id",
            "emergency",
            "status",
            "trigger",
            "policy",
            "only",
            "is_dry",
            "as_of",
            "editions",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields


class MatchingRunDetailSerializer(MatchingRunSerializer):
    summary = serializers.SerializerMethodField()
    families = FamilyRunSerializer(many=True)

    class Meta(MatchingRunSerializer.Meta):
        fields = [*MatchingRunSerializer.Meta.fields, "summary", "families"]
        read_only_fields = fields

    @extend_schema_field(RunSummary)
    def get_summary(self, run: MatchingRun) -> dict[str, Any]:
        return dict(RunSummary(summary(run)).data)


class MatchingRunInput(Strict):
    emergency = RowField(queryset=Emergency.objects.all())
    policy = RowField(queryset=MatchingPolicy.objects.offered(), required=False)
    families = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=200, help_text="All if absent."
    )
    is_dry = serializers.BooleanField(required=False, help_text="Compute and count; propose nothing.")


class MatchingRunFilter(django_filters.FilterSet):
    emergency = django_filters.ModelChoiceFilter(queryset=Emergency.objects.all())
    status = django_filters.ChoiceFilter(choices=RunStatus.choices)
    trigger = django_filters.ChoiceFilter(choices=Trigger.choices)

    class Meta:
        model = MatchingRun
        fields: list[str] = []


@extend_schema_view(list=extend_schema(summary="Matching runs"))
class MatchingRunViewSet(mixins.CreateModelMixin, ReadOnlyModelViewSet):
    """The matching of an emergency, done by workers. For volunteers, coordinators and auditors."""

    serializer_class, filterset_class = MatchingRunSerializer, MatchingRunFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = MatchingRun.objects.all()
    scope = Scope.MATCHING

    def get_queryset(self) -> QuerySet[MatchingRun]:
        rows = MatchingRun.objects.visible_to(self.request.user).newest_first()
        if self.action == "list":
            return rows
        families = FamilyRun.objects.defer("problem", "plan", "rows").order_by("family")
        return rows.prefetch_related(Prefetch("families", families))

    @extend_schema(summary="A matching run", responses=MatchingRunDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With what came of it: counts, units, fill by urgency and seconds by phase."""
        return self._detail(self.get_object())

    @extend_schema(
        summary="Start a matching run", request=MatchingRunInput, responses={201: MatchingRunDetailSerializer}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Queues the run; workers take it up at once. Read it again to see how it goes."""
        if not may_run(request.user):
            raise NotYours(NOT_A_VOLUNTEER)
        given = MatchingRunInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        emergency = values.pop("emergency")
        if "policy" in values:
            values["policy"] = values["policy"].pk
        run = services.start(
            emergency, trigger=Trigger.HAND, by=signed_in(request), at=timezone.now(), **values
        )
        return self._detail(self.get_queryset().get(pk=run.pk), status.HTTP_201_CREATED)

    def _detail(self, run: MatchingRun, code: int = status.HTTP_200_OK) -> Response:
        return Response(
            MatchingRunDetailSerializer(run, context=self.get_serializer_context()).data, status=code
        )
