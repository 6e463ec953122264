"""Lists and announcements from programs: a text is read and answered, a file becomes a batch that is looked through."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import (
    AnyAccept,
    Coded,
    Day,
    Readable,
    RowField,
    RowSerializer,
    Strict,
    WholeNumber,
    Words,
)
from supplies.emergencies.models import Emergency
from supplies.intake import error_file, services
from supplies.intake.announcements import read_announcement
from supplies.intake.confidence import Confidence
from supplies.intake.formats import FORMATS
from supplies.intake.models import (
    BatchStatus,
    Import,
    StagedRow,
    StagedStatus,
    Verdict,
)
from supplies.intake.pasting import as_json
from supplies.intake.permissions import may_import
from supplies.intake.reading.findings import Finding, Unreadable
from supplies.intake.reading.plain import LONGEST
from supplies.needs.models import QuantityKind, SenderKind
from supplies.organisations.keys import Scope
from supplies.organisations.models import User
from supplies.organisations.tokens import HasScope
from supplies.sheets import in_pieces

# -- What it looks like -----------------------------------------------------------------------------------


class FindingSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="Stable, for programs.")
    sentence = serializers.CharField(help_text="For people.")


class ReadLineSerializer(serializers.Serializer):
    """One kind of goods, as written and as read. What was not understood is null, never guessed."""

    words = serializers.CharField()
    as_written = serializers.CharField()
    item = serializers.CharField(allow_null=True, help_text="Code of the catalogue; null where it has none.")
    quantity_kind = serializers.ChoiceField(choices=QuantityKind.choices)
    quantity = WholeNumber(allow_null=True, help_text="In base units.")
    unit = serializers.CharField(allow_null=True)
    daily_use = WholeNumber(allow_null=True)
    standards = serializers.ListField(child=serializers.CharField())
    sterile = serializers.BooleanField()
    conditions = serializers.ListField(child=serializers.CharField())
    is_doubtful = serializers.BooleanField(help_text="A person should look at it.")
    findings = FindingSerializer(many=True)


class ReadContactSerializer(serializers.Serializer):
    name = serializers.CharField()
    number = serializers.CharField()
    extension = serializers.CharField()
    email = serializers.CharField(help_text="Empty if none is given; a contact may have nothing else.")
    confidence = WholeNumber(help_text="In percent: 95 a whole number, 60 masked, 30 incomplete.")


class UnreadSerializer(serializers.Serializer):
    start = WholeNumber(help_text="Characters from the beginning of the text.")
    end = WholeNumber()
    text = serializers.CharField()


class ReadingSerializer(serializers.Serializer):
    organisation = serializers.CharField(help_text="Empty if none is named.")
    region = serializers.CharField(allow_null=True)
    lines = ReadLineSerializer(many=True)
    not_wanted = serializers.ListField(child=serializers.CharField())
    contacts = ReadContactSerializer(many=True)
    handover_point = serializers.CharField()
    courier_address = serializers.CharField()
    transport = serializers.CharField()
    source_url = serializers.CharField()
    needed_by = Day(allow_null=True)
    published_on = Day(allow_null=True)
    updated_on = Day(allow_null=True)
    accepts_overseas = serializers.BooleanField(allow_null=True, help_text="Null: nothing is said.")
    accepted_senders = serializers.ListField(
        child=serializers.ChoiceField(choices=SenderKind.choices), allow_null=True
    )
    accounts_left_out = WholeNumber(help_text="Bank accounts that were found and hidden.")
    unread = UnreadSerializer(many=True)


class BatchSerializer(RowSerializer):
    """A file that came in: how far it is, and what has become of its rows."""

    emergency = Coded()
    file_name = Words()
    problem = serializers.SerializerMethodField(
        help_text="Why the file as a whole cannot be read; null if it can."
    )
    remarks = serializers.SerializerMethodField(help_text="What is to be said about the file as a whole.")
    page = serializers.SerializerMethodField(
        help_text="Where a person looks its rows through, corrects and enters them."
    )

    class Meta:
        model = Import
        fields = [
            "id",
            "status",
            "file_name",
            "format",
            "source",
            "emergency",
            "as_of",
            "started_at",
            "finished_at",
            "rows_total",
            "rows_read",
            "created",
            "changed",
            "unchanged",
            "failed",
            "waiting",
            "problem",
            "remarks",
            "page",
        ]
        read_only_fields = fields

    def get_problem(self, batch: Import) -> str | None:
        return Finding.from_json(batch.problem).sentence if batch.problem else None

    def get_remarks(self, batch: Import) -> list[str]:
        return [finding.sentence for finding in batch.findings]

    def get_page(self, batch: Import) -> str:
        address: str = self.context["request"].build_absolute_uri(
            reverse("admin:supplies_import_change", args=[batch.pk])
        )
        return address


class VerdictCounts(serializers.Serializer):
    """How many of the rows that were read are what."""

    new = WholeNumber()
    changed = WholeNumber()
    unchanged = WholeNumber()
    doubtful = WholeNumber()
    unreadable = WholeNumber()


class OneBatchSerializer(BatchSerializer):
    verdicts = serializers.SerializerMethodField()

    class Meta(BatchSerializer.Meta):
        fields = [*BatchSerializer.Meta.fields, "verdicts"]
        read_only_fields = fields

    @extend_schema_field(VerdictCounts)
    def get_verdicts(self, batch: Import) -> dict[str, int]:
        counted = dict(batch.staged.order_by().values_list("verdict").annotate(Count("pk")))
        return {verdict: counted.get(verdict, 0) for verdict in Verdict.values}


class CellSerializer(Readable):
    """A cell as it stood, without private numbers, and what was made of it."""

    field = serializers.CharField()
    raw = Words()
    read = Words()
    confidence = serializers.ChoiceField(choices=Confidence.choices)


class LineSerializer(Readable):
    """A cell that names goods, and what was made of it. What was not understood is null."""

    heading = Words()
    raw = Words()
    item = serializers.CharField(allow_null=True, help_text="Code of the catalogue; null where it has none.")
    kind = serializers.ChoiceField(choices=QuantityKind.choices)
    quantity = WholeNumber(allow_null=True, help_text="In base units.")
    standards = serializers.ListField(child=serializers.CharField())
    confidence = serializers.ChoiceField(choices=Confidence.choices)


class WhySerializer(Readable):
    field = Words(help_text="The cell or the goods it is about; empty for the row as a whole.")
    code = serializers.CharField(help_text="Stable, for programs.")
    sentence = Words(help_text="For people.")


class StagedRowSerializer(Readable):
    """One row of a batch: as written beside as read, and why it waits."""

    number = WholeNumber(help_text="In the file, from 1.")
    status = serializers.ChoiceField(choices=StagedStatus.choices)
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    name = Words()
    place = Words()
    cells = CellSerializer(many=True)
    lines = LineSerializer(many=True)
    why = WhySerializer(many=True)


def row_as_json(row: StagedRow) -> dict[str, Any]:
    shown = row.shown
    return {
        "number": row.number,
        "status": row.status,
        "verdict": row.verdict,
        "name": shown.get("name", ""),
        "place": shown.get("place", ""),
        "cells": shown.get("cells", []),
        "lines": [{**line, "item": line["item"] or None} for line in shown.get("lines", [])],
        "why": [{"field": one.field, "code": one.code, "sentence": one.sentence} for one in row.findings],
    }


# -- What may be sent --------------------------------------------------------------------------------------


class AnnouncementInput(Strict):
    text = Words(max_length=LONGEST, trim_whitespace=False)
    as_of = Day(required=False, help_text="The day it was published; today if it is not said.")


class ListInput(Strict):
    """A list as it was published. What it says enters only after somebody has looked it through."""

    file = serializers.FileField(help_text="CSV, XLSX, XLS, ODS, JSON or YAML.", use_url=False)
    emergency = RowField(queryset=Emergency.objects.all())
    format = serializers.ChoiceField(
        choices=sorted(FORMATS), required=False, help_text="Found out if it is not said."
    )
    source = serializers.CharField(  # type: ignore[assignment]  # DRF's own name for something else
        required=False, max_length=80, help_text="Lists of one source share what was corrected."
    )
    as_of = Day(required=False, help_text="The newest day the list names if it is not said.")


class BatchFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=BatchStatus.choices)
    emergency = django_filters.CharFilter(field_name="emergency_id", max_length=60)

    class Meta:
        model = Import
        fields: list[str] = []


class StagedRowFilter(django_filters.FilterSet):
    verdict = django_filters.ChoiceFilter(choices=Verdict.choices)
    status = django_filters.ChoiceFilter(choices=StagedStatus.choices)

    class Meta:
        model = StagedRow
        fields: list[str] = []


# -- What can be done --------------------------------------------------------------------------------------


class IntakeView(APIView):
    """Read an announcement as a hospital wrote it, or take in a list. Nothing of either is a need before a person says so."""

    scope = Scope.NEEDS
    parser_classes = [*api_settings.DEFAULT_PARSER_CLASSES, MultiPartParser]  # type: ignore[list-item]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """The body is read whole before a browser's token is looked for in it, or nobody could compare it later."""
        request.body  # noqa: B018
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        summary="Read an announcement, or hand in a list",
        request={"application/json": AnnouncementInput, "multipart/form-data": ListInput},
        responses={200: ReadingSerializer, 201: OneBatchSerializer},
    )
    def post(self, request: Request) -> Response:
        """A text is answered with what it asks for, line by line, and is not kept. A file (two million bytes at most) becomes
        a batch that a worker reads; ask for it again at its Location."""
        if request.content_type.partition(";")[0].strip().lower() == MultiPartParser.media_type:
            return self._taken_in(request)
        given = AnnouncementInput(data=request.data)
        given.is_valid(raise_exception=True)
        as_of = given.validated_data.get("as_of") or timezone.localdate()
        try:
            announcement = read_announcement(given.validated_data["text"], as_of=as_of)
        except Unreadable as fault:
            raise ValidationError({"text": [str(fault)]}) from None
        return Response(ReadingSerializer(as_json(announcement)).data, headers={"Cache-Control": "no-store"})

    def _taken_in(self, request: Request) -> Response:
        if not isinstance(request.user, User) or not may_import(request.user):
            raise PermissionDenied
        given = ListInput(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        file = values.pop("file")
        try:
            services.refuse_unreadable(file.file, name=file.name)
        except Unreadable as fault:
            raise ValidationError({"file": [str(fault)]}) from None
        batch = services.receive(
            file.file, name=file.name, size=file.size, by=request.user, at=timezone.now(), **values
        )
        return Response(
            OneBatchSerializer(batch, context={"request": request}).data,
            status=status.HTTP_201_CREATED,
            headers={"Location": reverse("intake-batch-detail", args=[batch.pk])},
        )


@extend_schema_view(list=extend_schema(summary="Imports"))
class ImportViewSet(ReadOnlyModelViewSet):
    """Files that came in, for those who see them at the desk. They are looked through there."""

    serializer_class, filterset_class = BatchSerializer, BatchFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = Import.objects.all()
    scope = Scope.NEEDS

    def get_queryset(self) -> QuerySet[Import]:
        return Import.objects.visible_to(self.request.user).select_related("emergency").newest_first()

    @extend_schema(summary="An import", responses=OneBatchSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(OneBatchSerializer(self.get_object(), context={"request": request}).data)

    @extend_schema(summary="Rows of an import", responses=StagedRowSerializer(many=True), filters=True)
    @action(detail=True, filterset_class=StagedRowFilter, queryset=StagedRow.objects.all())
    def rows(self, request: Request, pk: str) -> Response:
        """As written beside as read, with why a row waits. Cells hold no telephone numbers; the file that came in does."""
        rows = self.filter_queryset(StagedRow.objects.filter(batch=self._batch(pk)).in_order())
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(
            StagedRowSerializer([row_as_json(row) for row in page], many=True).data
        )

    @extend_schema(summary="What waits or failed", responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=True, filterset_class=None, pagination_class=None, content_negotiation_class=AnyAccept)
    def errors(self, request: Request, pk: str) -> StreamingHttpResponse:
        """The rows that wait or failed, by number and name, with the reasons. With their own columns it is handed out at
        the desk, to whoever handed the list in."""
        batch = self._batch(pk)
        return StreamingHttpResponse(
            in_pieces(error_file.head(None), error_file.pieces(batch, None)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="errors-{batch.pk.hex[:8]}.csv"'},
        )

    def _batch(self, pk: str) -> Import:
        try:
            batch = self.get_queryset().filter(pk=UUID(pk)).first()
        except ValueError:
            batch = None
        if batch is None:
            raise Http404
        return batch
