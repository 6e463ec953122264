"""Pages of moving: one shipment for those it concerns, and the hospital's count of what arrived."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supplies.errors import Refused
from supplies.free_text import told_of
from supplies.organisations.visitors import SignedIn, signed_in
from supplies.receipts import services
from supplies.receipts.forms import CountForm, NoteForm, put_beside
from supplies.shipments.models import Shipment, ShipmentLine, ShipmentStatus
from supplies.shipments.permissions import may_count


@signed_in
@require_safe
def shipment(request: SignedIn, pk: UUID) -> HttpResponse:
    """What is on board, where it was seen, and what was counted."""
    row = _visible(request, pk)
    is_to_count = row.status == ShipmentStatus.DELIVERED and may_count(request.user, row)
    context = {"shipment": row, "lines": _lines(row), "is_to_count": is_to_count}
    return render(request, "shipments/shipment.html", context)


@signed_in
def count(request: SignedIn, pk: UUID) -> HttpResponse:
    """Line by line: good, damaged, wrong, expired. The rest is missing and needed again."""
    row = _visible(request, pk)
    if not may_count(request.user, row):
        raise PermissionDenied
    if row.status != ShipmentStatus.DELIVERED:
        messages.info(request, _("This shipment is %(status)s.") % {"status": row.get_status_display()})
        return redirect("shipment", row.pk)
    lines = _lines(row)
    if request.method == "POST":
        forms, note = [CountForm(request.POST, line=line) for line in lines], NoteForm(request.POST)
        if all([note.is_valid(), *(form.is_valid() for form in forms)]) and _receive(
            request, row, forms, note
        ):
            return redirect("shipment", row.pk)
    else:
        forms, note = [CountForm(line=line) for line in lines], NoteForm()
    return render(request, "shipments/count.html", {"shipment": row, "forms": forms, "note": note})


def _receive(request: SignedIn, row: Shipment, forms: list[CountForm], note: NoteForm) -> bool:
    try:
        services.receive(
            row,
            counts=[form.counts for form in forms],
            by=request.user,
            at=timezone.now(),
            note=note.cleaned_data["note"],
        )
    except ValidationError as fault:
        for sentence in put_beside(forms, fault):
            note.add_error(None, sentence)
    except Refused as refusal:
        note.add_error(None, str(refusal.detail))
    else:
        messages.success(request, _("Counted. Thank you: the donor and the volunteers see it now."))
        for sentence in told_of(note):
            messages.warning(request, sentence)
        return True
    return False


def _visible(request: SignedIn, pk: UUID) -> Shipment:
    rows = Shipment.objects.visible_to(request.user).select_related(
        "carrier", "consignor", "consignee__organisation", "consignee__region__parent__parent", "mode"
    )
    return get_object_or_404(rows, pk=pk)


def _lines(row: Shipment) -> list[ShipmentLine]:
    return list(
        row.lines.select_related(
            "allocation__offer__item__display_unit", "allocation__need", "receipt_line"
        ).order_by("pk")
    )
