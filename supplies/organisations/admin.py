"""Who takes part, at the desk: organisations to verify, sites to pause, accounts and their roles, keys of programs."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.errors import Refused
from supplies.organisations import services
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    NoteForm,
    ReasonForm,
    Verb,
    Waiting,
    by_status,
    sentence,
    who,
)
from supplies.organisations.models import (
    ApiToken,
    Contact,
    Facility,
    Membership,
    Organisation,
    Purpose,
    Scope,
    User,
    Verification,
    Verified,
)
from supplies.wording import apart, bracketed

admin.site.unregister(Group)  # groups follow from roles; `enrol` sets them


def masked(text: str, *, keep: int = 1) -> str:
    """The first letters, so that two contacts can be told apart, and nothing to call or write to."""
    return f"{text[:keep]}**" if text else "–"


class PurposeForm(forms.Form):
    purpose = forms.ChoiceField(label=_("What do you need the number for?"), choices=Purpose)


class ShowContacts(Verb):
    """Shows the contacts in a message, once; the journal keeps who read them and why."""

    def _one(self, desk: DeskAdmin, request: HttpRequest, row: Any, answers: Mapping[str, Any]) -> bool:
        try:
            contacts = self.verb(row, **answers)
        except Refused as refusal:
            desk.say_refused(request, row, sentence(refusal))
            return False
        for contact in contacts:
            told = [
                text for text in (row.name, contact.post, contact.name, contact.phone, contact.email) if text
            ]
            messages.info(request, " · ".join(told))
        return True


class FacilityInline(DeskInline):
    model = Facility
    fields = ("name", "region", "address", "patients", "beds", "staff", "is_paused", "pause_reason")
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Facility]:
        return super().get_queryset(request).select_related("region")


class ContactInline(DeskInline):
    model = Contact
    fields = ("post", "masked_name", "masked_phone", "masked_email", "source", "erase_on")

    @admin.display(description=_("name"))
    def masked_name(self, contact: Contact) -> str:
        return masked(contact.name)

    @admin.display(description=_("telephone"))
    def masked_phone(self, contact: Contact) -> str:
        return masked(contact.phone, keep=3)

    @admin.display(description=_("e-mail"))
    def masked_email(self, contact: Contact) -> str:
        return masked(contact.email)


class VerificationInline(DeskInline):
    model = Verification
    fields = ("at", "verdict", "note", "by")
    ordering = ("-at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Verification]:
        return super().get_queryset(request).select_related("by")


class MemberInline(DeskInline):
    model = Membership
    fields = ("user", "role")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")


@admin.register(Organisation)
class OrganisationAdmin(DeskAdmin):
    region_of = "region"
    list_display = ("name", "kind", "region", "status", "credit_code", "source", "created_at")
    list_filter = (by_status(Verified.UNVERIFIED), "kind")
    list_select_related = ("region",)
    search_fields = ("name", "=credit_code")
    ordering = ("created_at", "pk")
    fields = ("name", "kind", "region", "status", "credit_code", "allocates_for_me", "source", "created_at")
    inlines = (FacilityInline, VerificationInline, ContactInline, MemberInline)
    actions = (
        Verb(
            "verify",
            _("Verify"),
            services.verify,
            asks=NoteForm,
            fits=[Verified.UNVERIFIED, Verified.REFUSED],
            verdict=Verified.VERIFIED,
        ),
        Verb(
            "refuse",
            _("Refuse"),
            services.verify,
            asks=NoteForm,
            fits=[Verified.UNVERIFIED, Verified.VERIFIED],
            verdict=Verified.REFUSED,
        ),
        ShowContacts("reveal", _("Show how to reach them"), services.reveal_contacts, asks=PurposeForm),
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = self.get_queryset(request).filter(status=Verified.UNVERIFIED)
        return [Waiting(30, _("organisations to verify"), rows, "status=unverified")]


@admin.register(Facility)
class FacilityAdmin(DeskAdmin):
    region_of = "region"
    list_display = ("name", "organisation", "region", "address", "patients", "is_paused", "pause_reason")
    list_filter = ("is_paused", "organisation__kind")
    list_select_related = ("organisation", "region")
    search_fields = ("name", "organisation__name", "=gln")
    ordering = ("name", "pk")
    actions = (
        Verb("pause", _("Pause: nothing more is sent there"), services.pause, asks=ReasonForm),
        Verb("resume", _("Resume"), services.resume),
    )


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


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Accounts. Rights follow from memberships alone, so Django's groups and permissions are not offered."""

    list_display = ("username", "first_name", "acts_for", "is_active", "is_staff", "last_login")
    list_filter = ("memberships__role", "is_active", "is_superuser")
    search_fields = ("username", "first_name", "last_name", "email")
    readonly_fields = ("is_staff", "last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "language")}),
        (_("Access"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    inlines = (MembershipInline,)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # the journal names who did what; an account is made inactive instead

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("memberships__organisation")

    def get_inlines(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        return [] if obj is None else list(self.inlines)

    @admin.display(description=_("acts for"))
    def acts_for(self, user: User) -> str:
        return apart(
            f"{one.organisation.name}{bracketed(one.get_role_display())}" for one in user.memberships.all()
        )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)  # fills the lists from which Django writes its message
        for line in formset.forms:
            if line.has_changed():
                answers = line.cleaned_data
                services.enrol(
                    form.instance,
                    answers["organisation"],
                    answers["role"],
                    regions=answers["regions"],
                    by=who(request),
                    at=timezone.now(),
                )


class TokenForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("scopes"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ApiToken
        fields = ("user", "name", "scopes", "expires_at")


@admin.register(ApiToken)
class ApiTokenAdmin(DeskAdmin):
    """Keys of programs: an administrator issues them for anyone, everyone else at the desk for themselves."""

    form = TokenForm
    list_display = ("name", "hint", "user", "scopes", "created_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = ("name", "hint", "user__username")
    ordering = ("-created_at", "pk")
    actions = (Verb("revoke", _("Revoke"), services.revoke_token),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_act_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(user=request.user)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        if obj is not None:
            return ("name", "hint", "user", "scopes", "created_at", "expires_at", "revoked_at")
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
        token, secret = services.issue_token(
            asked["user"],
            name=asked["name"],
            scopes=asked["scopes"],
            expires_at=asked["expires_at"],
            at=timezone.now(),
        )
        obj.__dict__.update(token.__dict__)
        self.message_user(
            request,
            format_html(
                "{} <code>{}</code>",
                gettext("Copy the secret now; it is shown this once and never again:"),
                secret,
            ),
            messages.WARNING,
        )
