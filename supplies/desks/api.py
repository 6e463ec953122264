from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from supplies.api_fields import Coded, Day, Moment, Named, Words
from supplies.desks.carriers import TOO_FEW, WINDOWS, lanes, records
from supplies.desks.tracking import Line, track
from supplies.organisations.models import Organisation
from supplies.organisations.permissions import may_watch
from supplies.organisations.tokens import HasScope
from supplies.shipments.models import Shipment


class SightingSerializer(serializers.Serializer):
    at = Moment()
    step = serializers.CharField(help_text="Stable, for programs.")
    what = serializers.CharField(help_text="For people.")
    where = Coded(allow_null=True, help_text="The region where it happened, if one is known.")


class StopSerializer(serializers.Serializer):
    region = Coded()
    at = Moment(
        allow_null=True, help_text="When it left there or, of the last, was handed over; null while ahead."
    )


class ExpectedSerializer(serializers.Serializer):
    """What past journeys between the two provinces took: four of five from `from_days` to `to_days`."""

    from_days = serializers.IntegerField()
    to_days = serializers.IntegerField()
    median_days = serializers.IntegerField()
    journeys = serializers.IntegerField(help_text="How many journeys of the last year say so; five at least.")
    earliest_on = Day(allow_null=True, help_text="Null before it has left.")
    on = Day(allow_null=True)
    latest_on = Day(allow_null=True)


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


class ParcelSerializer(serializers.Serializer):
    """A shipment with goods of a donation."""

    code = serializers.CharField()
    status = serializers.CharField()
    status_label = serializers.CharField()
    to = Named(help_text="The hospital's site.")
    to_region = Coded(source="to.region")
    delivered_at = Moment(allow_null=True)
    thanks = Words(help_text="The hospital's thanks; empty without.")
    lines = TrackLineSerializer(many=True)


class TrackSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=["appeal", "donation", "shipment", "report"])
    code = serializers.CharField()
    status = serializers.CharField()
    status_label = serializers.CharField()
    created_at = Moment()
    expected_on = Day(
        allow_null=True, help_text="The middle of what past journeys took, or else the day the carrier named."
    )
    expected = ExpectedSerializer(allow_null=True, help_text="Null where too few have gone that way.")
    to = Named(allow_null=True, help_text="The hospital's site.")
    to_region = Coded(source="to.region", allow_null=True)
    from_region = Coded(allow_null=True)
    refusal = Words(help_text="Why a volunteer sent it back; empty otherwise.")
    is_paused = serializers.BooleanField(
        help_text="The hospital is not accepting goods for now; a coordinator decides where the goods go."
    )
    route = StopSerializer(many=True, help_text="Of a shipment, by the names of regions.")
    thanks = Words(help_text="Of a shipment, the hospital's thanks; empty without.")
    shipments = ParcelSerializer(many=True, help_text="Of a donation, the latest first.")
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


class ShareSerializer(serializers.Serializer):
    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    percent = serializers.IntegerField(allow_null=True, help_text="Null while there are too few to say.")


class CarrierRecordSerializer(serializers.Serializer):
    """Of the shipments you see that left in the window, and that the carrier carried last."""

    carrier = Named()
    days = serializers.IntegerField(help_text="The window: so many days until now.")
    carried = serializers.IntegerField()
    delivered = serializers.IntegerField()
    on_time = ShareSerializer(help_text="Of those with an expected day that arrived or are overdue.")
    damaged_or_short = ShareSerializer(
        source="bad", help_text="Of those that were counted; it need not be the carrier's fault."
    )
    lost = serializers.IntegerField()
    median_days = serializers.FloatField(allow_null=True, help_text="From departure to signature.")
    sightings_each = serializers.FloatField(source="seen_each", allow_null=True)


class LaneSerializer(serializers.Serializer):
    origin = serializers.CharField()
    destination = serializers.CharField()
    delivered = serializers.IntegerField(source="count")
    median_days = serializers.FloatField(source="days")


class CarrierRecordsSerializer(serializers.Serializer):
    too_few = serializers.IntegerField(help_text="Of fewer, no share and no median is told.")
    records = CarrierRecordSerializer(many=True, help_text="The busiest first; of one carrier, every window.")
    lanes = LaneSerializer(many=True, help_text="Of one carrier, region to region, the busiest first.")


class CarrierRecordsQuery(serializers.Serializer):
    days = serializers.ChoiceField(choices=WINDOWS, default=WINDOWS[1])
    carrier = serializers.PrimaryKeyRelatedField(
        queryset=Organisation.objects.filter(kind=Organisation.Kind.CARRIER),
        pk_field=serializers.UUIDField(),
        required=False,
    )


class CarrierRecordsView(APIView):
    """How carriers did: for volunteers, coordinators of their regions, and whoever else watches at the desk."""

    permission_classes = [IsAuthenticated, HasScope]

    @extend_schema(
        summary="Carriers' record",
        parameters=[
            OpenApiParameter("days", int, enum=WINDOWS, default=WINDOWS[1]),
            OpenApiParameter("carrier", OpenApiTypes.UUID, description="One carrier, in every window."),
        ],
        responses=CarrierRecordsSerializer,
    )
    def get(self, request: Request) -> Response:
        """On time, how fast, damaged or short, lost: what the page of the desk shows."""
        if not may_watch(request.user):
            raise PermissionDenied
        asked = CarrierRecordsQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        rows, at = Shipment.objects.visible_to(request.user), timezone.now()
        window, chosen = asked.validated_data["days"], asked.validated_data.get("carrier")
        if chosen is not None:
            rows = rows.filter(carrier=chosen)
        told = {
            "too_few": TOO_FEW,
            "records": [
                row for days in (WINDOWS if chosen else [window]) for row in records(rows, days=days, at=at)
            ],
            "lanes": lanes(rows, days=window, at=at) if chosen else [],
        }
        return Response(CarrierRecordsSerializer(told).data)
