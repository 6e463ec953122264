"""The pages of accounts: signing in and up, the second factor, one's own account, keys of programs, members of an organisation."""

from base64 import b64encode
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account import views as machinery
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.account.stages import LoginStageController
from allauth.account.utils import perform_login
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django import forms
from django.contrib import messages
from django.contrib.auth.views import LogoutView
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from supplies.accounts import services
from supplies.accounts.forms import (
    CodeForm,
    FirstCodeForm,
    InviteForm,
    KeyForm,
    NameForm,
    SignInForm,
    SignUpForm,
)
from supplies.accounts.handing import hand, handed
from supplies.accounts.models import Invitation, Session
from supplies.accounts.numbers import is_number, shown
from supplies.accounts.permissions import invitable_roles
from supplies.errors import Refused
from supplies.organisations.keys import ApiToken
from supplies.organisations.models import Membership, Organisation, User
from supplies.organisations.permissions import manages
from supplies.organisations.services import dismiss, issue_token, make_manager, revoke_token
from supplies.organisations.visitors import (
    SignedIn,
    confirmed,
    has_used_second_factor,
    is_own_page,
    signed_in,
)

SECRET = "second factor being set up"  # pragma: allowlist secret # in the session
CODES_SHOWN_UNTIL = "recovery codes shown until"
CODES_SHOWN_FOR = timedelta(minutes=10)
typed_in_secret = sensitive_post_parameters()


def after(request: HttpRequest, otherwise: str) -> str:
    """Where one was going, if that lies on this site."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    fits = is_own_page(request, asked)
    return asked if fits else reverse(otherwise)


def start_of(user: Any) -> str:
    """Where somebody's work waits: for the desk its queues, for everybody else her own page."""
    return "admin:index" if user.is_staff else "mine"


def waiting(response: HttpResponse, form: Any) -> HttpResponse:
    """The answer to a form; where one has to wait it says so to programs too."""
    if seconds := getattr(form, "held_for", 0):
        response.status_code = 429
        response["Retry-After"] = str(seconds)
    return response


# --- The door ---


@never_cache
@typed_in_secret
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(after(request, start_of(request.user)))
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        onwards = after(request, start_of(form.user))
        record_authentication(request, form.user, method="password")
        response: HttpResponse = perform_login(request, form.user, redirect_url=onwards)
        return response
    context = {"form": form, "next": request.POST.get("next") or request.GET.get("next") or ""}
    return waiting(render(request, "accounts/sign_in.html", context), form)


@never_cache
@typed_in_secret
def sign_up(request: HttpRequest) -> HttpResponse:
    """An account in a minute; afterwards one goes on where one was."""
    onwards = after(request, "mine")
    if request.user.is_authenticated:
        return redirect(onwards)
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = services.open_account(form.number, form.cleaned_data["password1"], at=timezone.now())
        except Refused:
            form.draw_again()
        else:
            record_authentication(request, user, method="password")
            number = f"{reverse('account-number')}?{urlencode({'next': onwards})}"
            response: HttpResponse = perform_login(request, user, redirect_url=number, signup=True)
            return response
    return render(request, "accounts/sign_up.html", {"form": form, "next": onwards})


@signed_in
@require_safe
def account_number(request: SignedIn) -> HttpResponse:
    """The number once more, by itself, before one goes on."""
    context = {"number": shown(request.user.username), "next": after(request, "mine")}
    return render(request, "accounts/number.html", context)


class SignOut(LogoutView):
    pass


class Confirm(machinery.ReauthenticateView):
    """Who sits there, once more, before something grave."""

    template_name = "accounts/confirm.html"

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        return waiting(super().form_invalid(form), form)

    def get_default_success_url(self) -> str:
        return reverse("account")


# --- The second factor ---


@never_cache
@typed_in_secret
def second_factor(request: HttpRequest) -> HttpResponse:
    """The second step of signing in; and the way on for a session that began before it was needed."""
    stage = None
    if request.user.is_authenticated:
        user, onwards = request.user, after(request, "home")
        assert isinstance(user, User)
        if has_used_second_factor(request):
            return redirect(onwards)
        if not services.has_factor(user):
            return redirect(f"{reverse('set-up-second-factor')}?{urlencode({'next': onwards})}")
    else:
        stage = LoginStageController.enter(request, AuthenticateStage.key)
        if stage is None:
            return redirect("sign-in")
        user, onwards = stage.login.user, ""
    form = CodeForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        post_authentication(request, form.factor)
        if form.factor.type == services.RECOVERY_CODES:
            left = len(services.recovery_codes_left(user))
            messages.warning(request, _("%(left)d recovery codes are left.") % {"left": left})
        if stage is not None:
            response: HttpResponse = stage.exit()
            return response
        request.session.cycle_key()
        return redirect(onwards)
    return waiting(render(request, "accounts/second_factor.html", {"form": form, "next": onwards}), form)


def _has_to_use_it_first(request: SignedIn) -> bool:
    """A session from before the second factor must not replace it."""
    return services.has_factor(request.user) and not has_used_second_factor(request)


@never_cache
@confirmed
def set_up_second_factor(request: SignedIn) -> HttpResponse:
    """Show a secret, as a picture and to type; take its first code as proof that an app has it."""
    onwards = after(request, "account")
    if _has_to_use_it_first(request):
        return redirect("second-factor")
    adapter = get_adapter()
    if SECRET not in request.session:
        request.session[SECRET] = adapter.encrypt(generate_totp_secret())
    secret = adapter.decrypt(request.session[SECRET])
    form = FirstCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _take(request, secret, form.cleaned_data["code"])
        except Refused as refusal:
            form.add_error("code", str(refusal.detail))
        else:
            return redirect(f"{reverse('recovery-codes')}?{urlencode({'next': onwards})}")
    url = adapter.build_totp_url(request.user, secret)
    context = {
        "form": form,
        "next": onwards,
        "picture": b64encode(adapter.build_totp_svg(url).encode()).decode(),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "replaces": services.has_factor(request.user),
    }
    return render(request, "accounts/set_up_second_factor.html", context)


def _take(request: SignedIn, secret: str, code: str) -> None:
    user, at = request.user, timezone.now()
    services.set_up_factor(user, secret=secret, code=code, at=at)
    del request.session[SECRET]
    record_authentication(request, user, method="mfa", type=services.TOTP)
    request.session[CODES_SHOWN_UNTIL] = (at + CODES_SHOWN_FOR).timestamp()
    request.session.cycle_key()
    services.end_sessions(user, but=request.session.session_key)
    get_adapter().send_notification_mail("mfa/email/second_factor_set_up", user)


@never_cache
@confirmed
def recovery_codes(request: SignedIn) -> HttpResponse:
    """GET: the codes, while they are new; later how many are left. POST: new ones."""
    if _has_to_use_it_first(request):
        return redirect("second-factor")
    if not services.has_factor(request.user):
        return redirect("set-up-second-factor")
    if request.method == "POST":
        at = timezone.now()
        services.renew_recovery_codes(request.user, at=at)
        request.session[CODES_SHOWN_UNTIL] = (at + CODES_SHOWN_FOR).timestamp()
        return redirect("recovery-codes")
    codes = services.recovery_codes_left(request.user)
    context = {
        "codes": codes if _are_shown(request) else [],
        "left": len(codes),
        "next": after(request, "account"),
    }
    return render(request, "accounts/recovery_codes.html", context)


@never_cache
@confirmed
@require_safe
def recovery_codes_file(request: SignedIn) -> HttpResponse:
    if not _are_shown(request):
        raise Http404
    lines = [shown(request.user.username), "", *services.recovery_codes_left(request.user), ""]
    response = HttpResponse("\r\n".join(lines), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    return response


@signed_in
@require_POST
def recovery_codes_kept(request: SignedIn) -> HttpResponse:
    """From now on nobody sees them here any more."""
    request.session.pop(CODES_SHOWN_UNTIL, None)
    return redirect(after(request, "account"))


def _are_shown(request: HttpRequest) -> bool:
    return bool(timezone.now().timestamp() < request.session.get(CODES_SHOWN_UNTIL, 0))


# --- One's own account ---


@signed_in
@require_safe
def account(request: SignedIn) -> HttpResponse:
    user = request.user
    memberships = user.memberships.select_related("organisation").order_by("organisation__name", "pk")
    context = {
        "number": shown(user.username),
        "has_number": is_number(user.username),
        "name_form": NameForm(instance=user),
        "address": EmailAddress.objects.filter(user=user, verified=True).first(),
        "has_factor": services.has_factor(user),
        "codes_left": len(services.recovery_codes_left(user)),
        "sessions": Session.objects.of(user).latest_first(),
        "here": request.session.session_key,
        "memberships": memberships,
        "keys": ApiToken.objects.valid(timezone.now()).filter(user=user).count(),
    }
    return render(request, "accounts/account.html", context)


@signed_in
@require_POST
def change_name(request: SignedIn) -> HttpResponse:
    form = NameForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if form.is_valid():
        services.rename(request.user, name=form.cleaned_data["first_name"])
        messages.success(request, _("Saved."))
    else:
        messages.error(request, " ".join(map(str, form.errors["first_name"])))
    return redirect("account")


@signed_in
@require_POST
def choose_reminders(request: SignedIn) -> HttpResponse:
    services.remind_by_mail(request.user, wanted="wanted" in request.POST)
    messages.success(request, _("Saved."))
    return redirect("account")


@signed_in
@require_POST
def end_other_sessions(request: SignedIn) -> HttpResponse:
    services.end_sessions(request.user, but=request.session.session_key)
    messages.success(request, _("You are signed in here only."))
    return redirect("account")


class ChangePassword(machinery.PasswordChangeView):
    template_name = "accounts/change_password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        user = form.user
        services.password_is_new(user, by=user, at=timezone.now(), but=self.request.session.session_key)
        messages.success(self.request, _("Your password is changed. Every other browser is signed out."))
        return response

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        return waiting(super().form_invalid(form), form)


class ResetPassword(machinery.PasswordResetView):
    template_name = "accounts/reset_password.html"


class ResetSent(machinery.PasswordResetDoneView):
    template_name = "accounts/reset_sent.html"


class ResetByLink(machinery.PasswordResetFromKeyView):
    template_name = "accounts/reset_by_link.html"
    success_url = reverse_lazy("sign-in")

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        response: HttpResponse = super().render_to_response(context, **options)
        if context.get("token_fail"):
            response.status_code = 404
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        services.password_is_new(self.reset_user, by=self.reset_user, at=timezone.now())
        messages.success(self.request, _("Your password is new. Sign in with it."))
        return response


class Mail(machinery.EmailView):
    template_name = "accounts/mail.html"
    success_url = reverse_lazy("account")


class MailCode(machinery.ConfirmEmailVerificationCodeView):
    template_name = "accounts/mail_code.html"

    def _verify_form_valid(self, form: forms.Form) -> HttpResponse:
        try:
            with transaction.atomic():
                response: HttpResponse = super()._verify_form_valid(form)
        except IntegrityError:  # another account has confirmed the same address this very moment
            messages.error(self.request, _("Another account has just taken this address."))
            return redirect("account")
        messages.success(self.request, _("You can now sign in with this address too."))
        return response


mail = confirmed(Mail.as_view())
mail_code = signed_in(MailCode.as_view())


# --- Keys of programs ---


@never_cache
@signed_in
@require_safe
def keys(request: SignedIn) -> HttpResponse:
    now = timezone.now()
    tokens = [(token, token.is_valid(now)) for token in request.user.api_tokens.newest_first()]
    return render(request, "accounts/keys.html", {"tokens": tokens, "secret": handed(request, "key")})


@never_cache
@confirmed
def issue_key(request: SignedIn) -> HttpResponse:
    at = timezone.now()
    form = KeyForm(request.POST or None, user=request.user, at=at)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            _token, secret = issue_token(
                request.user,
                name=asked["name"],
                scopes=asked["scopes"],
                expires_at=asked["expires_on"],
                at=at,
            )
        except Refused as refusal:
            form.add_error(None, str(refusal.detail))
        else:
            hand(request, "key", secret)
            return redirect("keys")
    return render(request, "accounts/issue_key.html", {"form": form})


@signed_in
@require_POST
def revoke_key(request: SignedIn, pk: UUID) -> HttpResponse:
    token = get_object_or_404(ApiToken, user=request.user, pk=pk)
    revoke_token(token, by=request.user, at=timezone.now())
    messages.success(request, _("%(name)s opens nothing any more.") % {"name": token.name})
    return redirect("keys")


# --- Who acts for an organisation ---


def _organisation_of(request: SignedIn, pk: UUID) -> Organisation:
    """One the person acts for; another's is as if it did not exist."""
    mine = Organisation.objects.all() if request.user.is_superuser else Organisation.objects.of(request.user)
    return get_object_or_404(mine, pk=pk)


def _managed(request: SignedIn, organisation: Organisation) -> Organisation:
    if not manages(request.user, organisation):
        raise PermissionDenied
    return organisation


@never_cache
@signed_in
@require_safe
def members(request: SignedIn, pk: UUID) -> HttpResponse:
    organisation, now = _organisation_of(request, pk), timezone.now()
    rows = organisation.memberships.select_related("user").order_by("-is_manager", "pk")
    leads = manages(request.user, organisation)
    roles = invitable_roles(request.user, organisation) if leads else []
    context = {
        "organisation": organisation,
        "members": [(row, _called(row.user)) for row in rows],
        "leads": leads,
        "form": InviteForm(roles=roles) if roles else None,
        "invitations": Invitation.objects.open(now).filter(organisation=organisation).newest_first()
        if leads
        else [],
        "link": handed(request, f"invitation:{organisation.pk}"),
    }
    return render(request, "accounts/members.html", context)


def _called(user: User) -> str:
    """How a member is shown to the others: as she calls herself, else by the end of her number."""
    if user.first_name:
        return user.first_name
    return f"…{shown(user.username)[-6:]}" if is_number(user.username) else user.username


@signed_in
@require_POST
def invite(request: SignedIn, pk: UUID) -> HttpResponse:
    organisation = _managed(request, _organisation_of(request, pk))
    form = InviteForm(request.POST, roles=invitable_roles(request.user, organisation))
    if form.is_valid():
        _invitation, code = services.invite(
            organisation, role=form.cleaned_data["role"], by=request.user, at=timezone.now()
        )
        link = request.build_absolute_uri(reverse("invitation", args=[code]))
        hand(request, f"invitation:{organisation.pk}", link)
    else:
        messages.error(request, " ".join(map(str, form.errors["role"])))
    return redirect("members", organisation.pk)


@signed_in
@require_POST
def revoke_invitation(request: SignedIn, pk: UUID) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.select_related("organisation"), pk=pk)
    organisation = _managed(request, _organisation_of(request, invitation.organisation_id))
    return _done(request, organisation, services.revoke, invitation)


@signed_in
@require_POST
def dismiss_member(request: SignedIn, pk: int) -> HttpResponse:
    """A manager lets somebody go; everybody may go herself."""
    membership = get_object_or_404(Membership.objects.select_related("user"), pk=pk)
    organisation = _organisation_of(request, membership.organisation_id)
    if membership.user != request.user:
        _managed(request, organisation)
    response = _done(request, organisation, dismiss, membership)
    return redirect("account") if membership.user == request.user else response


@signed_in
@require_POST
def promote_member(request: SignedIn, pk: int) -> HttpResponse:
    membership = get_object_or_404(Membership, pk=pk)
    organisation = _managed(request, _organisation_of(request, membership.organisation_id))
    return _done(request, organisation, make_manager, membership)


def _done(request: SignedIn, organisation: Organisation, verb: Any, row: Any) -> HttpResponse:
    try:
        verb(row, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
    return redirect("members", organisation.pk)


@never_cache
@signed_in
def invitation(request: SignedIn, code: str) -> HttpResponse:
    """Where the link of an invitation leads: to a yes. One that lets nobody in says the same whatever has become of it."""
    at = timezone.now()
    if request.method == "POST":
        try:
            membership = services.accept(code, by=request.user, at=at)
        except Refused as refusal:
            messages.error(request, str(refusal.detail))
        else:
            name = membership.organisation.name
            messages.success(request, _("You now act for %(name)s.") % {"name": name})
            return redirect("account")
    found = services.invitation_called(code, at=at)
    status = 200 if found else 404
    return render(request, "accounts/invitation.html", {"invitation": found}, status=status)
