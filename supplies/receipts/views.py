"""Pages of moving: one shipment for those it concerns, the hospital's count of what arrived, what is asked of the sender
about it, and where it could go instead."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supplies.attachments.models import Attachment, Kind
from supplies.attachments.uploads import takes_files
from supplies.errors import Refused
from supplies.free_text import told_of
from supplies.organisations.permissions import may_coordinate
from supplies.organisations.visitors import SignedIn, signed_in
from supplies.receipts import services, thanking
from supplies.receipts.forms import (
    AnswerForm,
    CorrectionForm,
    CountForm,
    NoteForm,
    RerouteForm,
    SettleForm,
    ThanksForm,
    put_beside,
)
from supplies.receipts.models import DiscrepancyTicket, Receipt, ReceiptLine, Thanks
from supplies.receipts.permissions import may_answer, may_reroute, may_settle
from supplies.shipments import rerouting
from supplies.shipments.models import SHIPMENT_LIFECYCLE, Shipment, ShipmentLine, ShipmentStatus
from supplies.shipments.permissions import may_count


@signed_in
@require_safe
def shipment(request: SignedIn, pk: UUID) -> HttpResponse:
    """What is on board, where it was seen, and what was counted."""
    row = _visible(request, pk)
    receipt = Receipt.objects.standing().filter(shipment=row).first()
    thanks = Thanks.objects.filter(shipment=row).first()
    may = may_count(request.user, row)
    files = Attachment.objects.about(row).kept().oldest_first()
    context = {
        "shipment": row,
        "lines": _lines(row),
        "receipt": receipt,
        "files": files if may else files.filter(kind=Kind.PHOTO),
        "tickets": DiscrepancyTicket.objects.visible_to(request.user).filter(shipment=row).count(),
        "is_to_count": row.status == ShipmentStatus.DELIVERED and may,
        "is_to_sign_for": may and SHIPMENT_LIFECYCLE.allows(row.status, ShipmentStatus.DELIVERED),
        "is_to_correct": receipt is not None and may,
        "is_to_thank": receipt is not None and may and (thanks is None or thanks.withheld_at is None),
        "thanks": thanks if thanks and (may or thanks.withheld_at is None) else None,
        "is_to_reroute": row.status in rerouting.UNDER_WAY and may_reroute(request.user, row),
    }
    return render(request, "shipments/shipment.html", context)


@signed_in
@takes_files
def count(request: SignedIn, pk: UUID) -> HttpResponse:
    """Line by line: good, damaged, wrong, expired, refused. The rest is missing and needed again."""
    row = _to_count(request, pk)
    if row.status != ShipmentStatus.DELIVERED:
        messages.info(request, _("This shipment is %(status)s.") % {"status": row.get_status_display()})
        return redirect("shipment", row.pk)
    return _counting(request, row, None)


@signed_in
@takes_files
def correct(request: SignedIn, pk: UUID) -> HttpResponse:
    """The same count anew, filled in as it was, and what was wrong with it."""
    row = _to_count(request, pk)
    before = Receipt.objects.standing().filter(shipment=row).first()
    if before is None:
        return redirect("shipment", row.pk)
    return _counting(request, row, before)


def _counting(request: SignedIn, row: Shipment, before: Receipt | None) -> HttpResponse:
    lines, kind = _lines(row), CorrectionForm if before else NoteForm
    old = {line.line_id: line for line in before.lines.all()} if before else {}
    if request.method == "POST":
        forms_ = [CountForm(request.POST, line=line) for line in lines]
        note = kind(request.POST, request.FILES)
        is_right = all([note.is_valid(), *(form.is_valid() for form in forms_)])
        # What a browser does not hand in again is kept first, whether or not the count is right.
        if _keep_proofs(request, row, note) and is_right and _receive(request, row, forms_, note, before):
            return redirect("shipment", row.pk)
    else:
        forms_ = [CountForm(line=line, before=old.get(line.pk)) for line in lines]
        note = kind(initial={"received_by": before.received_by} if before else None)
    context = {
        "shipment": row,
        "forms": forms_,
        "note": note,
        "before": before,
        "files": Attachment.objects.about(row).kept().oldest_first(),
    }
    return render(request, "shipments/count.html", context)


def _keep_proofs(request: SignedIn, row: Shipment, note: NoteForm) -> bool:
    """Keep the photograph and the signature, or say beside them what is wrong with them."""
    is_kept = True
    for name, kind in (("photo", Kind.PHOTO), ("signature", Kind.SIGNATURE)):
        file = note.cleaned_data.get(name)
        if not file:
            continue
        try:
            services.keep_proof(row, file.file, size=file.size, kind=kind, by=request.user, at=timezone.now())
        except ValidationError as fault:
            note.add_error(name, fault.message_dict["file"])
            is_kept = False
        except Refused as refusal:
            note.add_error(name, str(refusal.detail))
            is_kept = False
    return is_kept


def _receive(
    request: SignedIn, row: Shipment, forms_: list[CountForm], note: NoteForm, before: Receipt | None
) -> bool:
    said = {name: note.cleaned_data[name] for name in ("note", "received_by")}
    counts = [form.counts for form in forms_]
    try:
        if before:
            because = note.cleaned_data["because"]
            services.correct(row, counts=counts, because=because, by=request.user, at=timezone.now(), **said)
        else:
            services.receive(row, counts=counts, by=request.user, at=timezone.now(), **said)
    except ValidationError as fault:
        for sentence in put_beside(forms_, fault):
            note.add_error(None, sentence)
    except Refused as refusal:
        note.add_error(None, str(refusal.detail))
    else:
        messages.success(request, _("Counted. Thank you: the donor and the volunteers see it now."))
        for form in forms_:
            if form.is_more_than_shipped:
                told = _("%(item)s: more than was shipped. If that was a slip, correct the count below.")
                messages.warning(request, told % {"item": form.item.name})
        for sentence in told_of(note):
            messages.warning(request, sentence)
        return True
    return False


@signed_in
def tickets(request: SignedIn, pk: UUID) -> HttpResponse:
    """What did not arrive as promised: the sender answers, the hospital or a volunteer settles."""
    row = _visible(request, pk)
    rows = list(
        DiscrepancyTicket.objects.visible_to(request.user).filter(shipment=row).with_goods().order_by("pk")
    )
    if not rows:
        raise Http404
    shown = [_asked(request, ticket) for ticket in rows]
    if request.method == "POST":
        asked = next((one for one in shown if str(one["ticket"].pk) == request.POST.get("ticket")), None)
        if asked is None:
            raise Http404
        form = asked.get(request.POST.get("do", ""))
        if form is None:
            raise PermissionDenied
        if form.is_valid() and _did(request, asked["ticket"], form):
            return redirect("tickets", row.pk)
    return render(request, "receipts/tickets.html", {"shipment": row, "asked": shown})


def _asked(request: SignedIn, ticket: DiscrepancyTicket) -> dict[str, Any]:
    """A ticket with the forms that this reader may fill in."""
    said = request.POST if request.POST.get("ticket") == str(ticket.pk) else None
    asked: dict[str, Any] = {
        "ticket": ticket,
        "item": ticket.discrepancy.receipt_line.line.allocation.offer.item,
    }
    names: dict[str, tuple[type[forms.Form], bool]] = {
        "answer": (AnswerForm, ticket.status == "open" and may_answer(request.user, ticket)),
        "settle": (SettleForm, ticket.status != "settled" and may_settle(request.user, ticket)),
    }
    for name, (form, may) in names.items():
        if may:
            data = said if said and said.get("do") == name else None
            initial = {"outcome": ticket.proposed} if ticket.proposed else None
            asked[name] = form(data, initial=initial, auto_id=f"id_{ticket.pk}_%s")
    return asked


def _did(request: SignedIn, ticket: DiscrepancyTicket, form: forms.Form) -> bool:
    verb: Any = services.answer if isinstance(form, AnswerForm) else services.settle
    try:
        verb(ticket, by=request.user, at=timezone.now(), **form.cleaned_data)
    except Refused as refusal:
        form.add_error(None, str(refusal.detail))
        return False
    messages.success(request, _("Written down. The other side is told."))
    for sentence in told_of(form):
        messages.warning(request, sentence)
    return True


@signed_in
def reroute(request: SignedIn, pk: UUID) -> HttpResponse:
    """Which hospitals lack everything on board, and why it goes to one of them."""
    row = _visible(request, pk)
    if not may_reroute(request.user, row):
        raise PermissionDenied
    found = {
        str(one.facility.pk): one
        for one in rerouting.candidates(row, user=request.user)
        if may_coordinate(request.user, one.facility)
    }
    form = RerouteForm(request.POST if request.method == "POST" else None)
    form.fields["to"].choices = [(key, one.facility.name) for key, one in found.items()]  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        to = found[form.cleaned_data["to"]].facility
        try:
            rerouting.reroute(
                row, to=to, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now()
            )
        except Refused as refusal:
            form.add_error(None, str(refusal.detail))
        else:
            messages.success(
                request, _("It goes to %(name)s now. Everybody concerned is told.") % {"name": to.name}
            )
            return redirect("shipment", row.pk)
    context = {"shipment": row, "form": form, "candidates": found, "lines": _lines(row)}
    return render(request, "receipts/reroute.html", context)


@signed_in
def thank(request: SignedIn, pk: UUID) -> HttpResponse:
    """A word of the hospital to those who gave, once it has counted."""
    row = _to_count(request, pk)
    before = Thanks.objects.filter(shipment=row).first()
    form = ThanksForm(
        request.POST if request.method == "POST" else None, initial={"words": before.words if before else ""}
    )
    if request.method == "POST" and form.is_valid():
        try:
            thanking.thank(row, words=form.cleaned_data["words"], by=request.user, at=timezone.now())
        except Refused as refusal:
            form.add_error(None, str(refusal.detail))
        else:
            messages.success(request, _("Your thanks stand beside the shipment and the donation."))
            for sentence in told_of(form):
                messages.warning(request, sentence)
            return redirect("shipment", row.pk)
    return render(request, "receipts/thank.html", {"shipment": row, "form": form})


def _to_count(request: SignedIn, pk: UUID) -> Shipment:
    row = _visible(request, pk)
    if not may_count(request.user, row):
        raise PermissionDenied
    return row


def _visible(request: SignedIn, pk: UUID) -> Shipment:
    rows = Shipment.objects.visible_to(request.user).select_related(
        "carrier", "consignor", "consignee__organisation", "consignee__region__parent__parent", "mode"
    )
    return get_object_or_404(rows, pk=pk)


def _lines(row: Shipment) -> list[ShipmentLine]:
    """Each with the count that holds, as `count`."""
    lines = list(
        row.lines.select_related("allocation__offer__item__display_unit", "allocation__need__item").order_by(
            "pk"
        )
    )
    counts = {line.line_id: line for line in ReceiptLine.objects.standing().filter(line__in=lines)}
    for line in lines:
        line.count = counts.get(line.pk)  # type: ignore[attr-defined]
    return lines
