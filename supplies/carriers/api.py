"""What carriers' programs send: many events at once, and webhooks."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import exceptions, serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from supplies.api_fields import RowField, Strict, WholeNumber, Words
from supplies.carriers import services
from supplies.carriers.generic import MOST_EVENTS, said
from supplies.carriers.interfaces import NotRead, NotSigned, Said, interface_of
from supplies.carriers.models import CarrierAccount, carriers_of
from supplies.catalogue.keeping import EARTHLY
from supplies.errors import NotYours
from supplies.organisations.keys import Scope
from supplies.organisations.models import Organisation
from supplies.organisations.tokens import HasScope, signed_in
from supplies.shipments.tracking import Step

OUTCOMES = [(name, name) for name in ("created", "duplicate", "parked", "refused")]

# -- What it looks like -----------------------------------------------------------------------------------


class OutcomeSerializer(serializers.Serializer):
    index = WholeNumber(help_text="The place of the event in what was sent, from 0.")
    status = serializers.ChoiceField(choices=OUTCOMES)
    shipment = serializers.UUIDField(allow_null=True)
    event = WholeNumber(allow_null=True)
    flags = serializers.ListField(
        child=serializers.CharField(),
        help_text="unknown-code, after-end, out-of-range: kept, and a person looks at it.",
    )
    code = serializers.CharField(help_text="Why it was refused, for programs; else empty.")
    detail = serializers.CharField(help_text="Why it was refused, in words.")


class BatchAnswer(serializers.Serializer):
    created = WholeNumber()
    duplicate = WholeNumber()
    parked = WholeNumber(help_text="Their shipment is not yours, or not yet; applied when it is.")
    refused = WholeNumber()
    results = OutcomeSerializer(many=True)


# -- What may be sent --------------------------------------------------------------------------------------


class BatchEvent(serializers.Serializer):
    """One event. Send `step`, or `code` with the `vocabulary` it is of, or both."""

    names = serializers.CharField(
        max_length=60, help_text="The shipment: its waybill number, tracking code or id."
    )
    external_id = serializers.CharField(
        max_length=80, help_text="Your id of the event: sent again, it is written once."
    )
    occurred_at = serializers.DateTimeField()
    step = serializers.ChoiceField(choices=Step.choices, required=False)
    vocabulary = serializers.CharField(max_length=30, required=False, help_text="generic if absent.")
    code = serializers.CharField(max_length=60, required=False)
    label = serializers.CharField(max_length=160, required=False)  # type: ignore[assignment]
    disposition = serializers.CharField(max_length=40, required=False)
    place = serializers.CharField(max_length=120, required=False)
    note = serializers.CharField(max_length=300, required=False)
    temperature_c = serializers.DecimalField(
        max_digits=4,
        decimal_places=1,
        min_value=EARTHLY[0],
        max_value=EARTHLY[1],
        required=False,
        allow_null=True,
        help_text="What a logger read, in degrees Celsius.",
    )
    logger = serializers.CharField(max_length=40, required=False, help_text="Which logger read it.")


@extend_schema_field(BatchEvent(many=True))
class Events(serializers.ListField):
    """Looked at one by one later, so that a wrong one loses no other."""

    child = serializers.DictField()


class BatchInput(Strict):
    events = Events(min_length=1, max_length=MOST_EVENTS)
    carrier = RowField(
        queryset=Organisation.objects.none(), required=False, help_text="Needed by who reports for several."
    )


KNOWN = frozenset(BatchEvent().fields)
SENT = {
    "events": [
        {
            "names": "DEMO112300001",
            "external_id": "truck7-0001",
            "occurred_at": "2026-11-23T08:05:00+08:00",
            "step": "loading",
            "place": "武汉",
        },
        {
            "names": "DEMO112300001",
            "external_id": "truck7-0002",
            "occurred_at": "2026-11-23T11:40:00+08:00",
            "vocabulary": "kuaidi100",
            "code": "5",
        },
    ]
}
ANSWERED = {
    "created": 1,
    "duplicate": 0,
    "parked": 1,
    "refused": 0,
    "results": [
        {
            "index": 0,
            "status": "created",
            "shipment": "6f1c52fe-3a0f-4c5e-9a43-0b5a2c6f0001",
            "event": 4711,
            "flags": [],
            "code": "",
            "detail": "",
        },
        {
            "index": 1,
            "status": "parked",
            "shipment": None,
            "event": None,
            "flags": [],
            "code": "",
            "detail": "",
        },
    ],
}

# -- What can be done --------------------------------------------------------------------------------------


class TrackingEventsView(APIView):
    """A driver is back online: up to 1,000 events of many shipments of the calling carrier."""

    permission_classes = [IsAuthenticated, HasScope]
    scope = Scope.SHIPMENTS

    @extend_schema(
        operation_id="tracking_events_create",
        summary="Report many events",
        request=BatchInput,
        responses=BatchAnswer,
        examples=[
            OpenApiExample("What a driver has seen", SENT, request_only=True),
            OpenApiExample("What became of it", ANSWERED, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Each event is judged by itself: the answer says what became of it, in the order sent. Sent again, nothing is done
        twice. An event of a shipment that is not yours, or not yet, is parked and applied when it is."""
        user = signed_in(request)
        theirs = carriers_of(user)
        form = BatchInput(data=request.data, context={"request": request})
        form.fields["carrier"].queryset = theirs  # type: ignore[attr-defined]
        form.is_valid(raise_exception=True)
        carrier = form.validated_data.get("carrier") or _only(list(theirs[:2]))
        told = [_read(event) for event in form.validated_data["events"]]
        outcomes = services.take_in(carrier, told, by=user, at=timezone.now())
        _warn(request, told)
        return Response(_answer(outcomes))


def _only(carriers: list[Organisation]) -> Organisation:
    if not carriers:
        raise NotYours(_("Only a carrier reports what it has seen."))
    if len(carriers) > 1:
        raise serializers.ValidationError({"carrier": [_("You report for several carriers: say for which.")]})
    return carriers[0]


def _read(event: dict[str, Any]) -> Said | NotRead:
    try:
        if unknown := set(event) - KNOWN:
            raise NotRead(
                _("There is no field called %(name)s.") % {"name": min(unknown)[:40]}, code="unknown-field"
            )
        if not event.get("external_id"):
            raise NotRead(_("Give each event an external_id of your own."), code="external-id-missing")
        return said(event)
    except NotRead as fault:
        return fault


def _warn(request: Request, told: list[Said | NotRead]) -> None:
    """Free words that hold a private number are kept and hidden; whoever sent them is told once."""
    words = Words()
    words.bind("events", BatchInput(context={"request": request}))
    text = "\n".join(
        f"{each.word.note} {each.word.place} {each.word.label}" for each in told if isinstance(each, Said)
    )
    words.to_internal_value(text)


def _answer(outcomes: list[services.Outcome]) -> dict[str, Any]:
    counts = Counter(outcome.status for outcome in outcomes)
    return {
        **{name: counts[name] for name, _label in OUTCOMES},
        "results": [{"index": index, **vars(outcome)} for index, outcome in enumerate(outcomes)],
    }


class SignatureWrong(exceptions.APIException):
    status_code = status.HTTP_401_UNAUTHORIZED


class HookView(APIView):
    """Where a carrier's own webhooks arrive: read as they are, by the carrier's interface, and answered once they are stored."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request, account: UUID) -> Response:
        row = get_object_or_404(CarrierAccount.objects.open().select_related("carrier"), pk=account)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            outcomes = services.take_hook(row, request._request.body, headers, at=timezone.now())
        except NotSigned as refusal:
            raise SignatureWrong(str(refusal.detail), refusal.code) from refusal
        except NotRead as fault:
            raise serializers.ValidationError(str(fault.detail), fault.code) from fault
        thanks = interface_of(row.interface).thanks()
        answer = {"status": "duplicate"} if outcomes is None else {"status": "taken", **_answer(outcomes)}
        return Response({**answer, **thanks})
