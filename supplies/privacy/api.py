"""Contacts, masked, and each shown for a reason; and the log of what was shown."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.allocations.models import Allocation
from supplies.api_fields import Moment, Named, RowField, RowSerializer, Strict
from supplies.organisations.api import FacilitySerializer, FacilityViewSet
from supplies.organisations.contacts import Contact
from supplies.organisations.keys import Scope
from supplies.organisations.models import Facility
from supplies.organisations.tokens import HasScope, signed_in
from supplies.phones import masked
from supplies.privacy import services
from supplies.privacy.models import PURPOSES, Purpose, Reveal
from supplies.privacy.permissions import FIELDS, reachable
from supplies.shipments.models import Shipment

# -- What it looks like -----------------------------------------------------------------------------------


class ContactSerializer(RowSerializer):
    organisation = Named()
    facility = Named(allow_null=True)
    phone = serializers.SerializerMethodField(help_text="Masked: 138****5678.")
    may_be_shown = serializers.SerializerMethodField(
        help_text="The fields `reveal` shows you now; none where you have no part in a match."
    )
    purposes = serializers.SerializerMethodField(help_text="What they may be shown to you for.")

    class Meta:
        model = Contact
        fields = ["id", "organisation", "facility", "phone", "may_be_shown", "purposes"]
        read_only_fields = fields

    def get_phone(self, contact: Contact) -> str:
        return masked(contact.phone)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_may_be_shown(self, contact: Any) -> list[str]:
        return sorted({field.value for ground in _grounds(contact) for field in FIELDS[ground]})

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=Purpose.choices)))
    def get_purposes(self, contact: Any) -> list[str]:
        return list(
            dict.fromkeys(purpose.value for ground in _grounds(contact) for purpose in PURPOSES[ground])
        )


def _grounds(contact: Any) -> list[Any]:
    return [ground for ground in FIELDS if getattr(contact, f"is_{ground.value}")]


class ShownSerializer(serializers.Serializer):
    """A contact, shown this once. Fields that may not be shown, or are not known, are empty."""

    id = serializers.UUIDField(source="contact.pk")
    name = serializers.CharField(source="values.name", default="")
    phone = serializers.CharField(source="values.phone", default="")
    email = serializers.CharField(source="values.email", default="")
    post = serializers.CharField(source="contact.post")
    purpose = serializers.ChoiceField(source="reveal.purpose", choices=Purpose.choices)
    reveal = serializers.UUIDField(source="reveal.pk", help_text="The row of the log that says so.")
    at = Moment(source="reveal.at")


class RevealInput(Strict):
    purpose = serializers.ChoiceField(choices=Purpose.choices)
    allocation = RowField(
        queryset=Allocation.objects.all(), required=False, help_text="The match it is needed for."
    )
    shipment = RowField(
        queryset=Shipment.objects.all(), required=False, help_text="The delivery it is needed for."
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if "allocation" in given and "shipment" in given:
            raise serializers.ValidationError(
                {"shipment": [_("Name the allocation or the shipment, not both.")]}
            )
        return {"purpose": given["purpose"], "about": given.get("allocation") or given.get("shipment")}


class RevealSerializer(RowSerializer):
    organisation = Named(help_text="Whose contact it is.")
    on_behalf_of = Named(allow_null=True, help_text="Whom the person acted for who was shown it.")

    class Meta:
        model = Reveal
        fields = [
            "id",
            "at",
            "contact_id",
            "organisation",
            "fields",
            "ground",
            "purpose",
            "on_behalf_of",
            "subject",
            "subject_id",
        ]
        read_only_fields = fields


class ReachableFacilitySerializer(FacilitySerializer):
    contacts = serializers.SerializerMethodField(help_text="Empty unless you are signed in.")

    class Meta(FacilitySerializer.Meta):
        fields = [*FacilitySerializer.Meta.fields, "contacts"]
        read_only_fields = fields

    @extend_schema_field(ContactSerializer(many=True))
    def get_contacts(self, facility: Facility) -> Any:
        rows = reachable(
            Contact.objects.of_facility(facility), self.context["request"].user, at=timezone.now()
        )
        shown = rows.select_related("organisation", "facility").order_by("pk")
        return ContactSerializer(shown, many=True, context=self.context).data


# -- How lists are narrowed --------------------------------------------------------------------------------


def seen(model: Any) -> Any:
    return lambda request: model.objects.visible_to(request.user) if request else model.objects.none()


class ContactFilter(django_filters.FilterSet):
    facility = django_filters.ModelChoiceFilter(
        queryset=seen(Facility), method="at_facility", label=_("The contacts of a site and of its house.")
    )
    allocation = django_filters.ModelChoiceFilter(
        queryset=seen(Allocation), method="of_allocation", label=_("Of both sides of a match.")
    )
    shipment = django_filters.ModelChoiceFilter(
        queryset=seen(Shipment), method="of_shipment", label=_("Of both ends of a shipment, and its carrier.")
    )

    class Meta:
        model = Contact
        fields: list[str] = []

    @extend_schema_field(OpenApiTypes.UUID)
    def at_facility(self, queryset: Any, name: str, facility: Facility) -> Any:
        return queryset.filter(pk__in=Contact.objects.of_facility(facility).values("pk"))

    @extend_schema_field(OpenApiTypes.UUID)
    def of_allocation(self, queryset: Any, name: str, allocation: Allocation) -> Any:
        hospital = Q(pk__in=Contact.objects.of_facility(allocation.need.appeal.facility).values("pk"))
        return queryset.filter(hospital | Q(organisation=allocation.offer.donation.organisation_id))

    @extend_schema_field(OpenApiTypes.UUID)
    def of_shipment(self, queryset: Any, name: str, shipment: Shipment) -> Any:
        door = Q(pk__in=Contact.objects.of_facility(shipment.consignee).values("pk"))
        others = [shipment.consignor_id, shipment.carrier_id]
        return queryset.filter(door | Q(organisation__in=[pk for pk in others if pk]))


# -- What can be done ----------------------------------------------------------------------------------------


@extend_schema_view(list=extend_schema(summary="Contacts"), retrieve=extend_schema(summary="A contact"))
class ContactViewSet(ReadOnlyModelViewSet):
    """How to reach others, masked. The two sides of a match, a carrier and the desk are shown them by `reveal`."""

    serializer_class, filterset_class = ContactSerializer, ContactFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = Contact.objects.all()
    scope = Scope.CONTACTS

    def get_queryset(self) -> QuerySet[Contact]:
        rows = reachable(Contact.objects.right(), self.request.user, at=timezone.now())
        return rows.select_related("organisation", "facility").order_by("pk")

    @extend_schema(summary="Be shown a contact", request=RevealInput, responses=ShownSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def reveal(self, request: Request, pk: str) -> Response:
        """For a stated purpose, and for the match or delivery it is needed for. Written down; its owner reads that."""
        contact = self.get_object()
        given = RevealInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        shown = services.reveal(contact, by=signed_in(request), at=timezone.now(), **given.validated_data)
        return Response(ShownSerializer(shown).data, headers={"Cache-Control": "private, no-store"})


@extend_schema_view(
    list=extend_schema(summary="Who was shown your contacts"), retrieve=extend_schema(summary="One showing")
)
class RevealViewSet(ReadOnlyModelViewSet):
    """What was shown of the contacts you entered and of those of your organisation; auditors read all of it."""

    serializer_class = RevealSerializer
    permission_classes = [IsAuthenticated, HasScope]
    queryset = Reveal.objects.all()

    def get_queryset(self) -> QuerySet[Reveal]:
        return Reveal.objects.visible_to(self.request.user).with_sides().newest_first()


class ReachableFacilityViewSet(FacilityViewSet):
    """The sites where goods arrive, down to their district; for those signed in also the dock and masked numbers."""

    def get_serializer_class(self) -> Any:
        return ReachableFacilitySerializer if self.action == "retrieve" else FacilitySerializer
