"""Signing in, up and out, the language of the pages, registering a hospital, pausing a site."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from supplies.errors import Refused
from supplies.organisations import services
from supplies.organisations.forms import HospitalForm, SignUpForm
from supplies.organisations.models import Facility, Organisation, Role, Verified
from supplies.organisations.names import normal_name
from supplies.organisations.permissions import may_pause
from supplies.organisations.visitors import SignedIn, signed_in, unsent


class SignIn(LoginView):
    template_name = "organisations/sign_in.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    pass


@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """An account in a minute; afterwards one goes on where one was."""
    after = request.POST.get("next") or request.GET.get("next") or ""
    if not url_has_allowed_host_and_scheme(after, {request.get_host()}, request.is_secure()):
        after = reverse("mine")
    if request.user.is_authenticated:
        return redirect(after)
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.save())
        return redirect(after)
    return render(request, "organisations/sign_up.html", {"form": form, "next": after})


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
@require_http_methods(["GET", "HEAD", "POST"])
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
                return redirect("post-appeal", facility.pk)
    else:
        typed = request.POST or waiting or request.GET
        form = HospitalForm(initial=typed.dict())
    return render(request, "organisations/register_hospital.html", {"form": form})


@transaction.atomic
def _register(request: SignedIn, form: HospitalForm) -> Facility:
    """The new hospital's site; of a hospital that is known by this name already, its first site."""
    values, region, at = form.cleaned_data, form.region, timezone.now()
    assert region is not None  # the form has insisted on one
    known = Organisation.objects.filter(
        kind=Organisation.Kind.HOSPITAL, normal_name=normal_name(values["name"]), region=region
    ).exclude(status=Verified.REFUSED)
    site = Facility.objects.filter(organisation__in=known).order_by("name", "pk").first()
    if site is not None:
        messages.info(request, _("%(name)s is registered already; go on here.") % {"name": site.name})
        return site
    try:
        hospital = services.register(
            kind=Organisation.Kind.HOSPITAL, name=values["name"], region=region, by=request.user, at=at
        )
    except Refused as refusal:
        raise ValidationError({"name": str(refusal.detail)}) from refusal
    services.enrol(request.user, hospital, Role.HOSPITAL, by=request.user, at=at)
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
        messages.success(request, _("Nothing more is sent to %(name)s for now.") % {"name": facility.name})
    return redirect("mine")
