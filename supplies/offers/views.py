"""Pages of giving: offer goods, see one's donation, take back what is not promised."""

from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Subquery
from django.forms import HiddenInput
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from supplies.accounts import drafts
from supplies.accounts.keeping import is_kept_or_forgotten, keep_or_forget, once_more
from supplies.attachments.models import Attachment
from supplies.attachments.uploads import reads_past_files, takes_files
from supplies.catalogue.shelf import Shelf
from supplies.catalogue.views import known_by
from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.free_text import told_of
from supplies.offers import services
from supplies.offers.forms import (
    TO,
    Direction,
    DonationForm,
    OfferFormSet,
    Paper,
    PaperForm,
    PapersForm,
    offer_lines,
)
from supplies.offers.models import Donation, Offer
from supplies.offers.permissions import may_change_donation, own_donors
from supplies.organisations.models import Facility, Organisation, User
from supplies.organisations.permissions import acts_for
from supplies.organisations.roles import Role
from supplies.organisations.services import enrol, keep_contact, register
from supplies.organisations.visitors import SignedIn, signed_in, unsent
from supplies.regions.forms import PlaceForm


@signed_in
@reads_past_files
def post(request: SignedIn) -> HttpResponse:
    """Offer goods: in general, or, with ?item= and ?facility= in the address, to one need."""
    going_on = list(Emergency.objects.going_on().newest_first())
    if not going_on:
        return render(request, "no_emergency.html")
    shelf = Shelf.kept()
    if "line" in request.GET:
        return known_by(request, shelf)
    page, at = _address(request), timezone.now()
    if is_kept_or_forgotten(request):
        return keep_or_forget(request, page=page, leads_to="my-gifts", at=at)
    kept = drafts.find(page=page, by=request.user, at=at) if request.method == "GET" else None
    came_back = unsent(request, is_told=kept is None)
    form, to, lines = _fill_in(request, going_on, once_more(came_back, kept), shelf)
    is_sent = request.method == "POST" and not _is_looked_over(request)
    papers = PapersForm(request.POST, request.FILES) if is_sent else PapersForm()
    if is_sent:
        donation = _send(request, form, to, lines, papers)
        if donation is not None:
            return redirect("donation-posted", donation.pk)
    context = {
        "form": form,
        "to": to,
        "lines": lines,
        "papers": papers,
        "kept": kept,
        "has_come_back": came_back is not None,
        "has_lost_files": bool(request.FILES),
        "standards": shelf.standards_known,
        "folded": [form[name] for name in form.folded],
        "has_folded_errors": form.is_bound and bool(set(form.folded) & set(form.errors)),
        "is_only_emergency": len(going_on) == 1,
        "has_donors": bool(form.donors),
    }
    return render(request, "offers/post.html", context)


def _address(request: HttpRequest) -> str:
    """The address of the form, for each need that goods are offered to another one: a draft belongs to it."""
    wanted = {name: request.GET[name][:40] for name in ("item", "facility") if request.GET.get(name)}
    return f"{request.path}?{urlencode(wanted)}" if wanted else request.path


def _is_looked_over(request: HttpRequest) -> bool:
    """Not sent yet: one more line is wanted, a name is looked up, or the regions inside the one that was chosen."""
    return bool({"add", "find", "more"} & set(request.POST))


def _fill_in(
    request: SignedIn, going_on: list[Emergency], typed_before: QueryDict | None, shelf: Shelf
) -> tuple[DonationForm, PlaceForm, OfferFormSet]:
    shared: dict[str, Any] = {
        "prefix": "lines",
        "form_kwargs": {"shelf": shelf, "on": timezone.localdate()},
    }
    typed = request.POST if request.method == "POST" else typed_before
    user = request.user
    if typed is None:
        form = DonationForm(user=user, initial={"emergency": going_on[0].pk, **_wanted(request)})
        form.initial.update(_said_last(user, form.donors[0]) if form.donors else {})
        first = [{"item": request.GET["item"]}] if "item" in request.GET else []
        to, lines = PlaceForm(prefix=TO, beside=form), offer_lines(1)(initial=first, **shared)
    elif request.method == "POST" and not _is_looked_over(request):
        form = DonationForm(typed, user=user)
        to = PlaceForm(typed, prefix=TO, beside=form)
        lines = offer_lines(0)(typed, **shared)
    else:
        blank = DonationForm(user=user)
        form = DonationForm(user=user, initial=_typed_into(blank, typed), beside=blank)
        to = PlaceForm(prefix=TO, initial=_typed_into(PlaceForm(prefix=TO, beside=form), typed), beside=form)
        so_far = offer_lines(0)(typed, **shared).once_more("lines", typed)
        lines = offer_lines(len(so_far) + ("add" in typed))(initial=so_far, **shared)
    if len(going_on) == 1:
        form.fields["emergency"].widget = HiddenInput()
    return form, to, lines


def _typed_into(form: Any, typed: Any) -> dict[str, Any]:
    return {
        name: field.widget.value_from_datadict(typed, {}, form.add_prefix(name))
        for name, field in form.fields.items()
    }


def _said_last(user: User, donor: Organisation) -> dict[str, Any]:
    """What the same person typed about herself and this donor when she gave last: nobody types it each time."""
    given = Donation.objects.filter(organisation=donor, posted_by=user).newest_first()
    kind = Subquery(given.values("sender_kind")[:1])
    contact = donor.contacts.filter(facility=None).typed_by(user).annotate(sender_kind=kind).first()
    if contact is None:
        return {}
    said = {f"contact_{name}": getattr(contact, name) for name in ("name", "phone", "post")}
    return said | ({"sender_kind": contact.sender_kind} if contact.sender_kind else {})


def _wanted(request: SignedIn) -> dict[str, Any]:
    """The hospital a visitor came from. An address that names none we can show is simply not prefilled."""
    try:
        pk = UUID(request.GET.get("facility", ""))
    except ValueError:
        return {}
    site = Facility.objects.visible_to(request.user).filter(pk=pk).first()
    return {"direction": Direction.HOSPITAL, "hospital": site.name} if site else {}


def _send(
    request: SignedIn, form: DonationForm, to: PlaceForm, lines: OfferFormSet, papers: PapersForm
) -> Donation | None:
    """Post it whole, or put what is wrong beside its field and store nothing."""
    is_right = form.is_valid() & lines.is_valid() & papers.is_valid()
    if form.cleaned_data.get("direction") == Direction.REGION and not (to.is_valid() and to.region):
        to.add_error("province", _("Which region? Choose at least the province."))
        is_right = False
    with papers.looked_at() as files:
        if not is_right or papers.errors:
            return None
        return _keep(request, form, to, lines, files)


def _keep(
    request: SignedIn, form: DonationForm, to: PlaceForm, lines: OfferFormSet, files: list[Paper]
) -> Donation | None:
    try:
        with transaction.atomic():
            donation = _post(request, form, to, lines)
            for file in files:
                services.keep_paper(
                    donation,
                    file.clean,
                    size=file.size,
                    kind=file.kind,
                    by=request.user,
                    at=timezone.now(),
                    look=file.as_seen,
                )
            drafts.drop(page=_address(request), by=request.user)
    except ValidationError as fault:
        faults = {
            "donor_name" if field == "name" else field: said for field, said in fault.message_dict.items()
        }
        _put_beside(form, lines, faults)
        return None
    except Refused as refusal:
        field = "donor_name" if refusal.code == "already-registered" else None
        form.add_error(field, str(refusal.detail))
        return None
    for sentence in told_of(form):
        messages.warning(request, sentence)
    for line in lines.filled:
        for oddity in line.oddities:
            messages.warning(request, oddity)
    return donation


def _post(request: SignedIn, form: DonationForm, to: PlaceForm, lines: OfferFormSet) -> Donation:
    values, at, user = form.cleaned_data, timezone.now(), request.user
    assert form.region is not None  # the form has insisted on one
    donor = values["donor"]
    if donor is None:
        kind = Organisation.Kind.DONOR
        donor = register(kind=kind, name=values["donor_name"], region=form.region, by=user, at=at)
        enrol(user, donor, Role.DONOR, by=user, at=at, is_manager=True)
    keep_contact(
        donor,
        at=at,
        name=values["contact_name"],
        phone=values["contact_phone"],
        post=values["contact_post"],
        by=user,
    )
    is_for_region = values["direction"] == Direction.REGION
    return services.post(
        donor,
        emergency=values["emergency"],
        region=form.region,
        lines=[{**line.line, **form.travel(timezone.localdate(at))} for line in lines.filled],
        by=user,
        at=at,
        directed_region=to.region if is_for_region else None,
        **form.details,
    )


def _put_beside(form: DonationForm, lines: OfferFormSet, faults: dict[str, list[str]]) -> None:
    """What every line has in common stands once in the form, and so does its fault."""
    common = {
        field.rpartition(".")[2]: said
        for field, said in faults.items()
        if field.rpartition(".")[2] in form.per_line
    }
    rest = {field: said for field, said in faults.items() if field.rpartition(".")[2] not in form.per_line}
    for field, sentences in {**common, **lines.put_beside(rest)}.items():
        for sentence in sentences:
            form.add_error(field if field in form.fields else None, sentence)


@signed_in
@require_safe
def posted(request: SignedIn, pk: UUID) -> HttpResponse:
    return render(request, "offers/posted.html", {"donation": _visible(request, pk)})


@signed_in
@require_safe
def donation(request: SignedIn, pk: UUID) -> HttpResponse:
    """One donation with its lines: for its donor and for volunteers."""
    row = _visible(request, pk)
    offers = list(Offer.objects.filter(donation=row).with_place().first_to_expire_first())
    may_change = may_change_donation(request.user, row)
    files = Attachment.objects.about(row).kept().oldest_first() if may_change else []
    context = {
        "donation": row,
        "offers": offers,
        "has_promised": any(offer.quantity_allocated for offer in offers),
        "may_change": may_change,
        "is_own": row.posted_by_id == request.user.pk or row.organisation_id in request.user.organisation_ids,
        "files": files,
    }
    return render(request, "offers/donation.html", context)


@signed_in
@takes_files
def papers(request: SignedIn, pk: UUID) -> HttpResponse:
    """A photograph or document more, when the goods are offered already: for whoever may change the donation."""
    row = _visible(request, pk)
    if not may_change_donation(request.user, row):
        raise PermissionDenied
    form = PaperForm(request.POST, request.FILES) if request.method == "POST" else PaperForm()
    keep = partial(form.keep, row, services.keep_paper, by=request.user, at=timezone.now())
    if request.method == "POST" and form.is_valid() and keep():
        messages.success(request, _("The file is in, sealed, and stands with the offer."))
        return redirect("donation-papers", row.pk)
    files = Attachment.objects.about(row).kept().oldest_first()
    return render(request, "offers/papers.html", {"donation": row, "form": form, "files": files})


def _visible(request: HttpRequest, pk: UUID) -> Donation:
    rows = Donation.objects.visible_to(request.user).select_related(
        "emergency",
        "organisation",
        "region__parent__parent",
        "directed_facility",
        "directed_region__parent__parent",
    )
    return get_object_or_404(rows, pk=pk)


@signed_in
@require_POST
def consent(request: SignedIn, pk: UUID) -> HttpResponse:
    """Agree in advance to every match, or be asked each time again: once for all that a donor offers."""
    donor = get_object_or_404(own_donors(request.user), pk=pk)
    if not acts_for(request.user, donor):
        raise PermissionDenied
    if request.POST.get("agreed") == "yes":
        services.consent(donor, by=request.user, at=timezone.now())
        messages.success(request, _("Agreed in advance: what you offer from now on goes where it fits."))
    else:
        services.ask_each_time(donor, by=request.user, at=timezone.now())
        messages.success(
            request,
            _("You are asked before each promise from now on. What is promised already stays promised."),
        )
    return redirect("my-gifts")


@signed_in
@require_POST
def withdraw(request: SignedIn, pk: UUID) -> HttpResponse:
    row = _visible(request, pk)
    _take_back(request, row, services.withdraw, row)
    return redirect("donation", row.pk)


@signed_in
@require_POST
def withdraw_offer(request: SignedIn, pk: UUID) -> HttpResponse:
    mine = Donation.objects.visible_to(request.user)
    offer = get_object_or_404(
        Offer.objects.filter(donation__in=mine).select_related("donation__organisation"), pk=pk
    )
    _take_back(request, offer.donation, services.withdraw_offer, offer)
    return redirect("donation", offer.donation_id)


def _take_back(request: SignedIn, donation: Donation, verb: Any, row: Any) -> None:
    if not may_change_donation(request.user, donation):
        raise PermissionDenied
    try:
        verb(row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
    else:
        is_promised = Offer.objects.filter(donation=donation, quantity_allocated__gt=0).exists()
        kept = _("Taken back. What is promised already stays promised.")
        messages.success(request, kept if is_promised else _("Taken back. Nothing of it was promised."))
