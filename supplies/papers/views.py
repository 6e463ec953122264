"""Printing, certifying, and checking a certificate."""

import re
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from supplies.errors import Refused
from supplies.offers.models import Donation
from supplies.organisations.visitors import SignedIn, private, signed_in
from supplies.papers import documents, filling, services
from supplies.papers.models import Certificate
from supplies.papers.permissions import may_certify
from supplies.papers.printing import as_pdf, coded, printed, shipment_of

CODE = re.compile(r"[2-9a-z]{26}")


@signed_in
@require_safe
def print_paper(request: SignedIn, pk: UUID, paper: str) -> HttpResponse:
    """A paper of a shipment, for those who see the shipment."""
    return printed(shipment_of(request.user, pk), paper)


@signed_in
@require_POST
def certify(request: SignedIn, pk: UUID) -> HttpResponse:
    """Issue the certificate of a gift, or show the one that still holds."""
    donation = get_object_or_404(Donation.objects.visible_to(request.user), pk=pk)
    if not may_certify(request.user, donation):
        raise PermissionDenied
    try:
        certificate = services.certify(donation, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
        return redirect("donation", donation.pk)
    return redirect("certificate", certificate.code)


@require_safe
def find_certificate(request: HttpRequest) -> HttpResponse:
    """The box for the code of a certificate; as people copy it, with spaces and capitals."""
    code = re.sub(r"[\s-]", "", request.GET.get("code", "")).lower()[:40]
    if CODE.fullmatch(code):
        return redirect("certificate", code)
    return private(render(request, "papers/certificate.html", {"code": code, "is_wrong": bool(code)}))


@require_safe
def certificate(request: HttpRequest, code: str) -> HttpResponse:
    """Whether it is genuine, with what stands on it, to hold beside the paper. The code is the key."""
    row = coded(code)
    if row is None:
        context = {"code": code, "is_wrong": True}
        return private(render(request, "papers/certificate.html", context, status=404))
    context = {
        "code": code,
        "certificate": row,
        "gift": filling.gift(row),
        "standing": services.standing_of(row),
        "is_own": Certificate.objects.visible_to(request.user).filter(pk=row.pk).exists(),
    }
    return private(render(request, "papers/certificate.html", context))


@require_safe
def certificate_file(request: HttpRequest, code: str) -> HttpResponse:
    """The certificate to print. Whoever holds its code has it already."""
    row = coded(code)
    if row is None or services.standing_of(row) == services.Standing.CALLED_BACK:
        raise Http404
    return private(as_pdf(documents.certificate(filling.gift(row)), f"certificate-{row.code[:8]}.pdf"))
