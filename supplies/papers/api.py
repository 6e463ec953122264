"""The papers for programs: a carrier's system prints the labels, a donor's files the certificate."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from supplies.api_fields import Coded, Day, Moment, Named, WholeNumber, Words
from supplies.errors import NotYours
from supplies.offers.models import Donation
from supplies.organisations.keys import Scope
from supplies.organisations.tokens import HasScope, signed_in
from supplies.papers import services
from supplies.papers.models import Certificate
from supplies.papers.permissions import may_certify
from supplies.papers.printing import PAPERS, coded, printed, shipment_of

# -- What it looks like -----------------------------------------------------------------------------------


class CertifiedGoodsSerializer(serializers.Serializer):
    facility = Named()
    region = Coded(source="facility.region")
    item = Coded()
    accepted = WholeNumber(help_text="In base units.")
    unit = serializers.CharField(source="item.base_unit_id")
    last_on = Day()


class CertificateSerializer(serializers.Serializer):
    """For whoever holds its code: what was certified, and whether it still holds."""

    code = serializers.CharField()
    standing = serializers.SerializerMethodField()
    donor = Words(source="donation.organisation.name")
    issued_at = Moment()
    lines = CertifiedGoodsSerializer(many=True)

    @extend_schema_field(serializers.ChoiceField(choices=[one.value for one in services.Standing]))
    def get_standing(self, certificate: Certificate) -> str:
        return services.standing_of(certificate).value


# -- What can be done ----------------------------------------------------------------------------------------


class PaperView(APIView):
    """Papers of a shipment, for those who see the shipment."""

    permission_classes = [IsAuthenticated, HasScope]
    scope = Scope.SHIPMENTS

    @extend_schema(
        summary="A paper of a shipment, as PDF",
        parameters=[OpenApiParameter("paper", str, "path", enum=sorted(PAPERS))],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: UUID, paper: str) -> HttpResponse:
        """Labels of 100 by 150 mm, one for each parcel; packing list, waybill and receipt on A4. In the language of Accept-Language."""
        return printed(shipment_of(request.user, pk), paper)


class CertifyView(APIView):
    """The certificate of a donation."""

    permission_classes = [IsAuthenticated, HasScope]
    scope = Scope.OFFERS

    @extend_schema(summary="Certify a donation", request=None, responses={201: CertificateSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Of what hospitals accepted until now; the last one again if nothing has changed since."""
        donation = get_object_or_404(Donation.objects.visible_to(request.user), pk=pk)
        if not may_certify(request.user, donation):
            raise NotYours(_("Only the donor, or a volunteer, may have this certified."))
        certificate = services.certify(donation, by=signed_in(request), at=timezone.now())
        return _answer(certificate.code, status.HTTP_201_CREATED)


class CertificateView(APIView):
    """Is a certificate genuine? Needs its code and no login."""

    @extend_schema(summary="Verify a certificate", responses=CertificateSerializer)
    def get(self, request: Request, code: str) -> Response:
        return _answer(code)


def _answer(code: str, status_code: int = status.HTTP_200_OK) -> Response:
    found = coded(code)
    if found is None:
        raise Http404
    shown = CertificateSerializer(found).data
    return Response(shown, status=status_code, headers={"Cache-Control": "no-store"})
