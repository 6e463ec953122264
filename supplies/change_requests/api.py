from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from supplies.api_fields import Moment, Quantity, Readable, RowField, Strict, WholeNumber, Words
from supplies.change_requests import services
from supplies.change_requests.models import ChangeRequestStatus, Report, What, Wrong
from supplies.needs.models import Appeal, Need
from supplies.organisations.models import Facility, Organisation, User
from supplies.organisations.tokens import HasScope

# -- What it looks like -----------------------------------------------------------------------------------


class AsItStood(Readable):
    """What was shown when it was first reported; null where it does not apply."""

    status = serializers.CharField(source="as_it_stood.status", default=None, allow_null=True)
    quantity = WholeNumber(source="as_it_stood.quantity", default=None, allow_null=True)
    is_paused = serializers.BooleanField(source="as_it_stood.is_paused", default=None, allow_null=True)


class ReportSerializer(Readable, serializers.ModelSerializer):
    """A report, for whoever holds its code. Names nobody."""

    about = serializers.ChoiceField(choices=What.choices, source="change_request.what")
    id = serializers.UUIDField(source="change_request.subject.pk", help_text="Of what it is about.")
    kind = serializers.ChoiceField(choices=Wrong.choices, source="change_request.kind")
    status = serializers.ChoiceField(choices=ChangeRequestStatus.choices, source="change_request.status")
    as_it_stood = AsItStood(source="change_request")
    quantity = WholeNumber(allow_null=True, help_text="The right one, as it was reported; base units.")
    duplicate_of = Words()
    words = Words()
    at = Moment()
    withdrawn_at = Moment(allow_null=True)
    decided_at = Moment(source="change_request.decided_at", allow_null=True)
    answer = Words(source="change_request.answer", help_text="Of whoever decided it; empty until then.")

    class Meta:
        model = Report
        fields = [
            "code",
            "about",
            "id",
            "kind",
            "status",
            "as_it_stood",
            "quantity",
            "duplicate_of",
            "words",
            "at",
            "withdrawn_at",
            "decided_at",
            "answer",
        ]
        read_only_fields = fields


# -- What may be sent --------------------------------------------------------------------------------------


class ReportInput(Strict):
    """One of need, appeal, facility and organisation, and what is wrong with it."""

    need = RowField(
        queryset=Need.objects.select_related(
            "item", "appeal__facility__organisation", "appeal__facility__region"
        ),
        required=False,
    )
    appeal = RowField(
        queryset=Appeal.objects.select_related("facility__organisation", "facility__region"), required=False
    )
    facility = RowField(queryset=Facility.objects.select_related("organisation", "region"), required=False)
    organisation = RowField(queryset=Organisation.objects.select_related("region"), required=False)
    kind = serializers.ChoiceField(choices=Wrong.choices)
    quantity = Quantity(required=False, help_text="The right one, in base units, for wrong_quantity.")
    duplicate_of = Words(required=False, allow_blank=True, max_length=300)
    words = Words(required=False, allow_blank=True, max_length=500)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        named = [given.pop(what) for what in What.values if what in given]
        if len(named) != 1:
            raise serializers.ValidationError(
                {"need": [_("Name one need, appeal, facility or organisation, and only one.")]}
            )
        return {**given, "subject": named[0]}


# -- What can be done ----------------------------------------------------------------------------------------


class ReportViewSet(GenericViewSet):
    """Say what is wrong with what is shown, without an account. It changes nothing until somebody has decided it."""

    serializer_class = ReportSerializer
    queryset = Report.objects.all()
    permission_classes = [HasScope]
    lookup_field, lookup_value_regex = "code", "[2-9a-z]{26}"

    @extend_schema(summary="Report something wrong", request=ReportInput, responses={201: ReportSerializer})
    def create(self, request: Request) -> Response:
        """Keep the code of the answer: it is the only way to see what becomes of the report."""
        given = ReportInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        by = request.user if isinstance(request.user, User) else None
        made = services.report(values.pop("subject"), by=by, at=timezone.now(), **values)
        return self._answer(made.code, status.HTTP_201_CREATED)

    @extend_schema(summary="A report, by its code", responses=ReportSerializer)
    def retrieve(self, request: Request, code: str) -> Response:
        """Where it stands, and what was answered."""
        return self._answer(code)

    @extend_schema(summary="Take a report back", request=None, responses=ReportSerializer)
    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, code: str) -> Response:
        """It was a mistake. Once it is decided it stays decided."""
        services.take_back(self._coded(code), at=timezone.now())
        return self._answer(code)

    def _coded(self, code: str) -> Report:
        found = Report.objects.with_subject().filter(code=code).first()
        if found is None:
            raise Http404
        return found

    def _answer(self, code: str, status_code: int = status.HTTP_200_OK) -> Response:
        shown = self.get_serializer(self._coded(code)).data
        return Response(shown, status=status_code, headers={"Cache-Control": "no-store"})
