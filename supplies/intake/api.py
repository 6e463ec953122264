"""The reader of announcements for programs."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from supplies.api_fields import Day, Strict, WholeNumber, Words
from supplies.intake.announcements import read_announcement
from supplies.intake.pasting import as_json
from supplies.intake.reading.findings import Unreadable
from supplies.intake.reading.plain import LONGEST
from supplies.needs.models import QuantityKind, SenderKind
from supplies.organisations.models import Scope

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


# -- What may be sent --------------------------------------------------------------------------------------


class AnnouncementInput(Strict):
    text = Words(max_length=LONGEST, trim_whitespace=False)
    as_of = Day(required=False, help_text="The day it was published; today if it is not said.")


# -- What can be done --------------------------------------------------------------------------------------


class IntakeView(APIView):
    """Read an announcement as a hospital wrote it. Nothing is stored: what was read is for a person to correct and to post."""

    scope = Scope.NEEDS

    @extend_schema(summary="Read an announcement", request=AnnouncementInput, responses=ReadingSerializer)
    def post(self, request: Request) -> Response:
        """What the text asks for, line by line, with what nobody understood and where it stands."""
        given = AnnouncementInput(data=request.data)
        given.is_valid(raise_exception=True)
        as_of = given.validated_data.get("as_of") or timezone.localdate()
        try:
            announcement = read_announcement(given.validated_data["text"], as_of=as_of)
        except Unreadable as fault:
            raise ValidationError({"text": [str(fault)]}) from None
        return Response(ReadingSerializer(as_json(announcement)).data, headers={"Cache-Control": "no-store"})
