from typing import Any

import django_filters
from django.conf import settings
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import Moment, RowField, RowSerializer, Strict, WholeNumber
from supplies.errors import Refused
from supplies.notices import following, services
from supplies.notices.models import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint
from supplies.notices.permissions import managed_by
from supplies.notices.posting import LONGEST_URL
from supplies.organisations.keys import Scope
from supplies.organisations.models import Organisation
from supplies.organisations.tokens import HasScope, signed_in
from supplies.shipments.models import Shipment

# -- What it looks like -----------------------------------------------------------------------------------


class WebhookEndpointSerializer(RowSerializer):
    class Meta:
        model = WebhookEndpoint
        fields = [
            "id",
            "organisation",
            "url",
            "kinds",
            "status",
            "disabled_because",
            "old_secret_until",
            "created_at",
            "succeeded_at",
        ]
        read_only_fields = fields


class WebhookSecretSerializer(WebhookEndpointSerializer):
    """With the secret that messages are signed with. It is told this once."""

    secret = serializers.CharField(help_text="whsec_…; keep it now.")

    class Meta(WebhookEndpointSerializer.Meta):
        fields = [*WebhookEndpointSerializer.Meta.fields, "secret"]
        read_only_fields = fields


class WebhookDeliverySerializer(RowSerializer):
    message_id = serializers.CharField(help_text="The header webhook-id, the same at every attempt.")

    class Meta:
        model = WebhookDelivery
        fields = [
            "id",
            "endpoint",
            "message_id",
            "kind",
            "status",
            "created_at",
            "next_at",
            "attempts",
            "tried_at",
            "took_ms",
            "http_status",
            "problem",
            "excerpt",
        ]
        read_only_fields = fields


class ReplayedSerializer(serializers.Serializer):
    count = WholeNumber(help_text="How many are sent again.")


class FollowedSerializer(serializers.Serializer):
    detail = serializers.CharField(help_text="For people.")


# -- What may be sent --------------------------------------------------------------------------------------


class ManagedOrganisation(RowField):
    """An organisation the reader manages; any other is answered like one that does not exist."""

    def get_queryset(self) -> QuerySet[Organisation]:
        return managed_by(self.context["request"].user)


class EndpointInput(Strict):
    organisation = ManagedOrganisation(queryset=Organisation.objects.none())
    url = serializers.CharField(max_length=LONGEST_URL, help_text="https on its usual port.")
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=[(kind, kind) for kind in settings.WEBHOOK_KINDS]),
        min_length=1,
        max_length=len(settings.WEBHOOK_KINDS),
    )


class SinceInput(Strict):
    since = Moment(help_text="Everything that was given up and is not older than this.")


class FollowInput(Strict):
    email = serializers.EmailField(
        max_length=254, help_text="Sealed, for this shipment alone, and erased two weeks after it ended."
    )


# -- How lists are narrowed --------------------------------------------------------------------------------


def visible_endpoints(request: Any) -> QuerySet[WebhookEndpoint]:
    """What a filter may name; when the documentation is made there is no request."""
    rows = WebhookEndpoint.objects.standing()
    return rows.visible_to(request.user) if request else rows.none()


class EndpointFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(
        choices=[one for one in EndpointStatus.choices if one[0] != EndpointStatus.REMOVED]
    )

    class Meta:
        model = WebhookEndpoint
        fields: list[str] = []


class DeliveryFilter(django_filters.FilterSet):
    endpoint = django_filters.ModelChoiceFilter(queryset=visible_endpoints)
    status = django_filters.ChoiceFilter(choices=DeliveryStatus.choices)
    kind = django_filters.CharFilter(max_length=60)

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []


# -- What can be done ----------------------------------------------------------------------------------------

PLAIN = {"request": None, "responses": WebhookEndpointSerializer}


@extend_schema_view(list=extend_schema(summary="Webhooks"), retrieve=extend_schema(summary="A webhook"))
class WebhookEndpointViewSet(ReadOnlyModelViewSet):
    """Where the events of the organisations you manage are sent, signed as in Standard Webhooks."""

    serializer_class, filterset_class = WebhookEndpointSerializer, EndpointFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = WebhookEndpoint.objects.all()
    scope = Scope.WEBHOOKS

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return WebhookEndpoint.objects.standing().visible_to(self.request.user).newest_first()

    @extend_schema(summary="Add a webhook", request=EndpointInput, responses={201: WebhookSecretSerializer})
    def create(self, request: Request) -> Response:
        """The secret stands in this answer and in no other."""
        given = EndpointInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        endpoint, _secret = services.add(**given.validated_data, by=signed_in(request), at=timezone.now())
        return self._with_secret(endpoint, status.HTTP_201_CREATED)

    @extend_schema(summary="Remove a webhook", **PLAIN)
    @action(detail=True, methods=["post"])
    def remove(self, request: Request, pk: str) -> Response:
        """For good. What waits is not sent any more."""
        return self._done(services.remove(self.get_object(), by=signed_in(request), at=timezone.now()))

    @extend_schema(summary="Send a test", request=None, responses={202: WebhookDeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """A message of type webhook.test, on the way of every other. Read its delivery to see what came of it."""
        delivery = services.test(self.get_object(), by=signed_in(request), at=timezone.now())
        shown = WebhookDeliverySerializer(delivery, context=self.get_serializer_context()).data
        return Response(shown, status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Change the secret", request=None, responses=WebhookSecretSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """The secret before signs beside the new one for 24 hours. The new one stands in this answer and in no other."""
        endpoint, _secret = services.rotate(self.get_object(), by=signed_in(request), at=timezone.now())
        return self._with_secret(endpoint)

    @extend_schema(summary="Switch a webhook off", **PLAIN)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """What waits stays; of what happens meanwhile it is not told."""
        return self._done(services.disable(self.get_object(), by=signed_in(request), at=timezone.now()))

    @extend_schema(summary="Switch a webhook on", **PLAIN)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        """Sends first what has waited."""
        return self._done(services.enable(self.get_object(), by=signed_in(request), at=timezone.now()))

    @extend_schema(summary="Send again what was given up", request=SinceInput, responses=ReplayedSerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Every message since a moment, under the id it had."""
        given = SinceInput(data=request.data)
        given.is_valid(raise_exception=True)
        endpoint = self.get_object()
        count = services.replay_failed(
            endpoint, by=signed_in(request), at=timezone.now(), **given.validated_data
        )
        return Response({"count": count})

    def _done(self, endpoint: WebhookEndpoint) -> Response:
        return Response(self.get_serializer(endpoint).data)

    def _with_secret(self, endpoint: WebhookEndpoint, status_code: int = status.HTTP_200_OK) -> Response:
        shown = WebhookSecretSerializer(endpoint, context=self.get_serializer_context()).data
        return Response(shown, status=status_code, headers={"Cache-Control": "no-store"})


@extend_schema_view(
    list=extend_schema(summary="Deliveries of webhooks"), retrieve=extend_schema(summary="A delivery")
)
class WebhookDeliveryViewSet(ReadOnlyModelViewSet):
    """What was sent to the webhooks you manage, and how it was answered. Kept for thirty days."""

    serializer_class, filterset_class = WebhookDeliverySerializer, DeliveryFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = WebhookDelivery.objects.all()
    scope = Scope.WEBHOOKS

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        return WebhookDelivery.objects.visible_to(self.request.user).newest_first()

    @extend_schema(summary="Send a message again", request=None, responses=WebhookDeliverySerializer)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Under the id it had. One that waits is sent anyway."""
        delivery = services.replay(self.get_object(), by=signed_in(request), at=timezone.now())
        return Response(self.get_serializer(delivery).data)


class FollowView(APIView):
    """Being told by mail what becomes of one shipment. Needs its code and no login."""

    permission_classes: list[Any] = []

    @extend_schema(
        summary="Follow a shipment by mail", request=FollowInput, responses={202: FollowedSerializer}
    )
    def post(self, request: Request, code: str) -> Response:
        """A link is sent to the address; nothing is told before its reader has opened it and said yes. One and the same
        answer, whatever is known of the address, and whether or not it was asked enough today."""
        shipment = get_object_or_404(Shipment, code=code.lower())
        given = FollowInput(data=request.data)
        given.is_valid(raise_exception=True)
        if not following.may_be_followed(shipment):
            raise Refused(
                _("This shipment's way is over; there is nothing more to tell of it."), code="way-is-over"
            )
        following.ask(
            shipment,
            email=given.validated_data["email"],
            language=get_language() or "",
            at=timezone.now(),
        )
        return Response(
            FollowedSerializer({"detail": following.ASKED}).data,
            status=status.HTTP_202_ACCEPTED,
            headers={"Cache-Control": "no-store"},
        )
