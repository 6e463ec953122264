"""The language of the pages, papers handed in, registering a hospital, pausing a site."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from supplies.attachments.forms import FileForm
from supplies.attachments.models import Attachment
from supplies.attachments.uploads import takes_files
from supplies.errors import Refused
from supplies.free_text import told_of
from supplies.organisations import services
from supplies.organisations.forms import HospitalForm
from supplies.organisations.models import Facility, Organisation
from supplies.organisations.pace import days_to_verify
from supplies.organisations.permissions import acts_for, may_check, may_hand_in_evidence, may_pause
from supplies.organisations.roles import Role
from supplies.organisations.visitors import SignedIn, is_own_page, signed_in, unsent


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the language in the cookie, and on the account of whoever is signed in."""
    response = set_language(request)
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in ("zh-hans", "en"):
        request.user.language = language
        request.user.save(update_fields=["language"])
    return response


@signed_in
def register_hospital(request: SignedIn) -> HttpResponse:
    """A hospital that is not listed yet, with its dock; then on to what it needs."""
    waiting = unsent(request)
    if request.method == "POST" and "more" not in request.POST:
        form = HospitalForm(request.POST)
        if form.is_valid():
            try:
                facility = _register(request, form)
            except ValidationError as fault:
                for field, sentences in fault.message_dict.items():
                    for sentence in sentences:
                        form.add_error(field if field in form.fields else None, sentence)
            else:
                for sentence in told_of(form):
                    messages.warning(request, sentence)
                if acts_for(request.user, facility.organisation) and facility.organisation.awaits_check:
                    return redirect("hand-in-evidence", facility.organisation_id)
                return redirect("post-appeal", facility.pk)
    else:
        typed = request.POST or waiting or request.GET
        form = HospitalForm(initial=typed.dict())
    return render(request, "organisations/register_hospital.html", {"form": form})


@transaction.atomic
def _register(request: SignedIn, form: HospitalForm) -> Facility:
    """The new hospital's site; of a hospital that is known by this name already, its first site."""
    if form.known is not None:
        messages.info(request, _("%(name)s is registered already; go on here.") % {"name": form.known.name})
        return form.known
    values, region, at = form.cleaned_data, form.region, timezone.now()
    assert region is not None  # the form has insisted on one
    try:
        hospital = services.register(
            kind=Organisation.Kind.HOSPITAL, name=values["name"], region=region, by=request.user, at=at
        )
    except Refused as refusal:
        raise ValidationError({"name": str(refusal.detail)}) from refusal
    services.enrol(request.user, hospital, Role.HOSPITAL, by=request.user, at=at, is_manager=True)
    return services.open_facility(
        hospital,
        name=values["name"],
        region=region,
        address=values["address"],
        beds=values["beds"],
        by=request.user,
        at=at,
    )


@signed_in
@require_POST
def pause(request: SignedIn, pk: UUID) -> HttpResponse:
    """Nothing more, at once; or: we take goods again."""
    sites = Facility.objects.visible_to(request.user).select_related("organisation", "region")
    facility = get_object_or_404(sites, pk=pk)
    if not may_pause(request.user, facility):
        raise PermissionDenied
    if facility.is_paused:
        services.resume(facility, by=request.user, at=timezone.now())
        messages.success(request, _("%(name)s takes goods again.") % {"name": facility.name})
    else:
        services.pause(facility, reason=_("Asked by the hospital"), by=request.user, at=timezone.now())
        messages.success(
            request,
            _(
                "Nothing more is sent to %(name)s for now: what was proposed is taken back, and who has goods on the way is told."
            )
            % {"name": facility.name},
        )
    return redirect("my-hospital" if facility.organisation_id in request.user.organisation_ids else "mine")


@signed_in
@takes_files
def hand_in_evidence(request: SignedIn, pk: UUID) -> HttpResponse:
    """A letter with a seal, a licence: for those who act for it, and for volunteers. Nobody else reads it."""
    row = get_object_or_404(
        Organisation.objects.visible_to(request.user).select_related("region__parent__parent"), pk=pk
    )
    if not may_hand_in_evidence(request.user, row):
        raise PermissionDenied
    back = request.POST.get("next", "")
    if not is_own_page(request, back):
        back = reverse("hand-in-evidence", args=[row.pk])
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    keep = partial(form.keep, row, services.hand_in_evidence, by=request.user, at=timezone.now())
    if request.method == "POST" and form.is_valid() and keep():
        messages.success(request, _("The file is in, sealed. Volunteers read it, and nobody else."))
        return redirect(back)
    files = Attachment.objects.about(row).kept().oldest_first()
    if not may_check(request.user, row):
        files = files.filter(by=request.user)
    context: dict[str, Any] = {"organisation": row, "form": form, "files": files, "next": back}
    if row.kind == Organisation.Kind.HOSPITAL and not row.is_verified and acts_for(request.user, row):
        sites = row.facilities.filter(merged_into=None).order_by("name", "pk")[:1]
        context |= {"is_new_hospital": True, "sites": sites, "days_to_verify": days_to_verify()}
    return render(request, "organisations/evidence.html", context)
