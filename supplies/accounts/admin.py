"""Accounts at the desk: who acts for whom, second factors, keys of programs, invitations."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.accounts import services
from supplies.accounts.handing import hand, handed
from supplies.accounts.models import Invitation, SecondFactor
from supplies.accounts.numbers import as_name, is_mistyped, is_number
from supplies.accounts.permissions import invitable_roles
from supplies.errors import Refused
from supplies.journal.admin import UnchangedMeanwhile
from supplies.organisations.desk import DeskAdmin, Verb, who
from supplies.organisations.keys import ApiToken, Scope
from supplies.organisations.models import Membership, User
from supplies.organisations.services import (
    dismiss,
    enrol,
    issue_token,
    make_manager,
    refuse_unfit,
    revoke_token,
)
from supplies.organisations.visitors import has_confirmed, lead_to_confirm
from supplies.wording import apart, bracketed

for machinery in (EmailAddress, Authenticator):  # allauth's lists would change what only the verbs may
    admin.site.unregister(machinery)


def may_administer(user: Any) -> bool:
    return bool(user.is_active and user.is_superuser)


# --- People ---


class MembershipForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ("organisation", "role", "regions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fields["organisation"].disabled = self.fields["role"].disabled = True


class MembershipInline(admin.TabularInline):
    """For whom the account acts. A new line enrols; what was once true stays in the list."""

    model = Membership
    form = MembershipForm
    extra = 0
    can_delete = False
    autocomplete_fields = ("organisation", "regions")


class NewUserForm(AdminUserCreationForm):
    """An account with a name of its own; numbers are given by the site alone."""

    def clean_username(self) -> str:
        name = str(super().clean_username())
        if as_name(name) != name or is_number(name) or is_mistyped(name):
            raise forms.ValidationError(
                gettext("Nine digits are an account number. Choose a name with letters.")
            )
        return name


@admin.register(User)
class UserAdmin(UnchangedMeanwhile, DjangoUserAdmin):
    """Accounts. Rights follow from memberships alone, so Django's groups and permissions are not offered."""

    add_form = NewUserForm
    list_display = ("username", "first_name", "acts_for", "is_active", "is_staff", "last_login")
    list_filter = ("memberships__role", "is_active", "is_superuser")
    search_fields = ("username", "first_name", "last_name")
    readonly_fields = ("is_staff", "last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "language")}),
        (_("Access"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    inlines = (MembershipInline,)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # the journal names who did what; an account is closed instead

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("memberships__organisation")

    def get_inlines(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        return [] if obj is None else list(self.inlines)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Nobody locks herself out."""
        own = (
            ("username", "is_active", "is_superuser") if obj == request.user else ("username",) if obj else ()
        )
        return (*self.readonly_fields, *own)

    @admin.display(description=_("acts for"))
    def acts_for(self, user: User) -> str:
        return apart(
            f"{one.organisation.name}{bracketed(one.get_role_display())}" for one in user.memberships.all()
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method == "POST" and not has_confirmed(request):
            return lead_to_confirm(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if not has_confirmed(request):
            return lead_to_confirm(request)
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            user = User.objects.get(pk=id)
            here = request.session.session_key if user == request.user else None
            services.password_is_new(user, by=who(request), at=timezone.now(), but=here)
        return response

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            verb = services.reopen_account if obj.is_active else services.close_account
            verb(obj, by=who(request), at=timezone.now())

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)  # fills the lists from which Django writes its message
        for line in formset.forms:
            if line.has_changed():
                answers = line.cleaned_data
                enrol(
                    form.instance,
                    answers["organisation"],
                    answers["role"],
                    regions=answers["regions"],
                    by=who(request),
                    at=timezone.now(),
                )


class AdministratorsDesk(DeskAdmin):
    """A list of the desk that only administrators act on."""

    def has_act_permission(self, request: HttpRequest) -> bool:
        return may_administer(request.user)


@admin.register(Membership)
class MembershipAdmin(AdministratorsDesk):
    list_display = ("organisation", "user", "role", "is_manager")
    list_filter = ("role", "is_manager")
    list_select_related = ("organisation", "user")
    search_fields = ("organisation__name",)
    ordering = ("organisation__name", "pk")
    fields = ("organisation", "user", "role", "is_manager", "regions")
    actions = (
        Verb("make_manager", _("Let manage"), make_manager),
        Verb("dismiss", _("Dismiss"), dismiss, ends=_("The person acts for the organisation no longer.")),
    )


class WhyForm(forms.Form):
    reason = forms.ChoiceField(label=_("Why?"), choices=services.WhyTaken)


def take_away(factor: SecondFactor, **answers: Any) -> None:
    services.take_factor_away(factor, **answers)
    get_adapter().send_notification_mail("mfa/email/second_factor_taken_away", factor.user)


@admin.register(SecondFactor)
class SecondFactorAdmin(AdministratorsDesk):
    """Who has set one up. For somebody whose device is gone, an administrator takes it away."""

    list_display = ("user", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__first_name")
    ordering = ("-created_at", "pk")
    fields = ("user", "created_at", "last_used_at")
    actions = (Verb("take_away", _("Take away"), take_away, asks=WhyForm, sensitive=True),)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_administer(request.user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SecondFactor]:
        return super().get_queryset(request).filter(type=services.TOTP)


# --- What is shown once after it was added ---


class OnceShownDesk(DeskAdmin):
    """A list whose rows are added here, each with a secret that the list shows right after and never again."""

    handed_as = ""
    once = _("Copy this now; it is shown this once and never again:")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_act_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not has_confirmed(request):
            return lead_to_confirm(request)
        return super().add_view(request, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.by = who(request)
        return form

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if secret := handed(request, self.handed_as):
            self.message_user(request, format_html("{} <code>{}</code>", self.once, secret), messages.WARNING)
        return super().changelist_view(request, extra_context)


class TokenForm(forms.ModelForm):
    by: User
    scopes = forms.MultipleChoiceField(
        label=_("scopes"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ApiToken
        fields = ("user", "name", "scopes", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if expires_at := self.fields.get("expires_at"):
            expires_at.required = False
            expires_at.help_text = _("Empty: in 90 days.")

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                refuse_unfit(asked["user"], asked["scopes"], asked["expires_at"], at=timezone.now())
            except Refused as refusal:
                raise forms.ValidationError(str(refusal.detail), code=refusal.code) from refusal
        return asked


@admin.register(ApiToken)
class ApiTokenAdmin(OnceShownDesk):
    """Keys of programs: an administrator issues them for anyone, everyone else at the desk for themselves."""

    form = TokenForm
    handed_as = "key"
    list_display = (
        "name",
        "hint",
        "user",
        "scopes",
        "created_at",
        "expires_at",
        "last_used_on",
        "revoked_at",
    )
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = ("name", "hint", "user__username")
    ordering = ("-created_at", "pk")
    actions = (
        Verb("revoke", _("Revoke"), revoke_token, ends=_("Programs that use the key are let in no longer.")),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(user=request.user)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        if obj is not None:
            return (
                "name",
                "hint",
                "user",
                "scopes",
                "created_at",
                "expires_at",
                "last_used_on",
                "revoked_at",
            )
        return ("user", "name", "scopes", "expires_at")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            everyone = User.objects.filter(is_active=True).order_by("username")
            kwargs["queryset"] = (
                everyone if request.user.is_superuser else everyone.filter(pk=who(request).pk)
            )
            kwargs["initial"] = request.user.pk
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        asked = form.cleaned_data
        token, secret = issue_token(
            asked["user"],
            name=asked["name"],
            scopes=asked["scopes"],
            expires_at=asked["expires_at"],
            by=who(request),
            at=timezone.now(),
        )
        obj.__dict__.update(token.__dict__)
        hand(request, self.handed_as, secret)


class InvitationForm(forms.ModelForm):
    by: User

    class Meta:
        model = Invitation
        fields = ("organisation", "role")

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or self.cleaned_data
        if not self.errors and asked["role"] not in invitable_roles(self.by, asked["organisation"]):
            raise forms.ValidationError(
                gettext("This role does not fit the organisation, or is not yours to give."),
                code="not-eligible",
            )
        return asked


@admin.register(Invitation)
class InvitationAdmin(OnceShownDesk):
    """Links that let one person act for an organisation. Volunteers see their own."""

    form = InvitationForm
    handed_as = "invitation at the desk"
    list_display = ("organisation", "role", "by", "created_at", "expires_at", "accepted_at", "revoked_at")
    list_select_related = ("organisation", "by")
    list_filter = (("accepted_at", admin.EmptyFieldListFilter), ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("organisation__name",)
    ordering = ("-created_at", "pk")
    autocomplete_fields = ("organisation",)
    actions = (Verb("revoke", _("Take back"), services.revoke),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(by=request.user)

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> tuple[str, ...]:
        added = ("organisation", "role")
        if obj is None:
            return added
        return (*added, "by", "created_at", "expires_at", "accepted_by", "accepted_at", "revoked_at")

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        asked = form.cleaned_data
        invitation, code = services.invite(
            asked["organisation"], role=asked["role"], by=who(request), at=timezone.now()
        )
        obj.__dict__.update(invitation.__dict__)
        hand(request, self.handed_as, request.build_absolute_uri(reverse("invitation", args=[code])))
