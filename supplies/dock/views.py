"""Pages for a phone at the dock: a code is scanned or typed, and the shipment moves on."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supplies.attachments.models import Kind
from supplies.attachments.uploads import takes_files
from supplies.dock.codes import find
from supplies.dock.forms import CodeForm, MoveForm, ProofForm
from supplies.dock.moves import VERBS, Move, may_say, next_moves
from supplies.errors import Refused
from supplies.organisations.visitors import SignedIn, signed_in
from supplies.receipts.services import keep_proof
from supplies.shipments.models import Shipment, ShipmentStatus
from supplies.shipments.permissions import may_count
from supplies.shipments.units import HandlingUnit


@signed_in
@require_safe
def scan(request: SignedIn) -> HttpResponse:
    """The box for a code, with a camera where the phone has one."""
    form = CodeForm(request.GET if "code" in request.GET else None)
    shipments: list[Shipment] = []
    status = 400 if form.is_bound else 200
    if form.is_valid():
        try:
            found = find(form.cleaned_data["code"], user=request.user)
        except ValidationError as fault:
            form.add_error("code", fault)
        else:
            shipments, status = found.shipments, 200
            if len(shipments) == 1:
                parcel = f"#{found.sscc}" if found.sscc else ""
                return redirect(reverse("dock-shipment", args=[shipments[0].pk]) + parcel)
            if not shipments:
                form.add_error("code", _("No shipment of yours has this code. Look at the label once more."))
                status = 404
    context = {"form": form, "shipments": shipments, "now": timezone.now()}
    return render(request, "dock/scan.html", context, status=status)


@signed_in
@takes_files
def shipment(request: SignedIn, pk: UUID) -> HttpResponse:
    """What is on board, how many of its parcels were seen, and what this person can say of it next."""
    rows = Shipment.objects.visible_to(request.user).select_related(
        "carrier", "consignor", "consignee__organisation", "consignee__region__parent__parent"
    )
    row = get_object_or_404(rows, pk=pk)
    move, proof = MoveForm(request.POST or None), ProofForm()
    if request.method == "POST":
        if not may_say(request.user, row, request.POST.get("move", "")):
            raise PermissionDenied
        proof = ProofForm(request.POST, request.FILES)
        is_right = all([move.is_valid(), proof.is_valid()])
        if is_right and _keep_proofs(request, row, proof):
            return _move(request, row, **move.cleaned_data)
    context = {
        "shipment": row,
        "parcels": HandlingUnit.objects.live().filter(shipment=row).exclude(sscc="").in_order(),
        "lines": row.lines.select_related("allocation__offer__item__display_unit").order_by("pk"),
        "moves": [step for step in next_moves(row) if may_say(request.user, row, step)],
        "is_to_count": row.status == ShipmentStatus.DELIVERED and may_count(request.user, row),
        "form": CodeForm(auto_id="id_scan_%s"),
        "move": move,
        "proof": proof,
        "now": timezone.now(),
    }
    status = 400 if move.is_bound and move.errors else 200
    return render(request, "dock/shipment.html", context, status=status)


def _keep_proofs(request: SignedIn, row: Shipment, proof: ProofForm) -> bool:
    """Keep the pictures, or say beside them what is wrong; then nothing moves."""
    for name, kind in (("photo", Kind.PHOTO), ("signature", Kind.SIGNATURE)):
        file: Any = proof.cleaned_data.get(name)
        try:
            if file:
                keep_proof(row, file.file, size=file.size, kind=kind, by=request.user, at=timezone.now())
        except ValidationError as fault:
            proof.add_error(name, fault.message_dict["file"])
        except Refused as refusal:
            proof.add_error(name, str(refusal.detail))
    return proof.is_valid()


def _move(request: SignedIn, row: Shipment, *, move: str, pressed_at: datetime | None) -> HttpResponse:
    at = timezone.now()
    try:
        row = VERBS[move](row, by=request.user, at=at, occurred_at=pressed_at and min(pressed_at, at))
    except Refused as refusal:
        messages.error(request, f"{Move(move).label}: {refusal.detail}")
    else:
        messages.success(request, _("Written down: %(move)s.") % {"move": Move(move).label})
    # Past a hub it may be another carrier's, and out of this one's sight.
    if Shipment.objects.visible_to(request.user).filter(pk=row.pk).exists():
        return redirect("dock-shipment", row.pk)
    return redirect("dock")
