from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from supplies.api_fields import Coded, Day, Moment, Named, Words
from supplies.desks.tracking import Line, track


class SightingSerializer(serializers.Serializer):
    at = Moment()
    step = serializers.CharField(help_text="Stable, for programs.")
    what = serializers.CharField(help_text="For people.")


class TrackLineSerializer(serializers.Serializer):
    item = Coded()
    status = serializers.CharField()
    status_label = serializers.CharField()
    unit = serializers.CharField(source="item.base_unit_id", help_text="What the gauges count.")
    gauges = serializers.DictField(
        child=serializers.IntegerField(allow_null=True),
        help_text="Base units; which ones depends on the kind.",
    )
    shown = serializers.SerializerMethodField(help_text="The gauges in shown_unit, as decimal strings.")
    shown_unit = serializers.CharField(source="item.display_unit_id")

    def get_shown(self, line: Line) -> dict[str, str | None]:
        amounts = {name: line.shown(name) for name in line.gauges}
        return {
            name: None if amount is None else f"{amount.normalize():f}" for name, amount in amounts.items()
        }


class TrackSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=["appeal", "donation", "shipment", "report"])
    code = serializers.CharField()
    status = serializers.CharField()
    status_label = serializers.CharField()
    created_at = Moment()
    expected_on = Day(allow_null=True)
    to = Named(allow_null=True, help_text="The hospital's site.")
    to_region = Coded(source="to.region", allow_null=True)
    from_region = Coded(allow_null=True)
    refusal = Words(help_text="Why a volunteer sent it back; empty otherwise.")
    timeline = SightingSerializer(many=True)
    lines = TrackLineSerializer(many=True)


class TrackView(APIView):
    """What has become of an appeal, a donation, a shipment or a report. Needs its code and no login; names nobody."""

    @extend_schema(summary="Follow a code", responses=TrackSerializer)
    def get(self, request: Request, code: str) -> Response:
        found = track(code)
        if found is None:
            raise Http404
        return Response(TrackSerializer(found).data, headers={"Cache-Control": "no-store"})
