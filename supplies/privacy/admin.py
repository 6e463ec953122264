"""Privacy at the desk: be shown a contact for a purpose, read the log of what was shown, forget a person who asks."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from supplies.errors import Refused
from supplies.journal.models import Event
from supplies.organisations.contacts import Contact
from supplies.organisations.desk import DeskAdmin, Verb, Waiting, sentence, who
from supplies.organisations.models import Organisation, User
from supplies.organisations.roles import Role
from supplies.privacy import services
from supplies.privacy.models import PURPOSES, QUOTA_WINDOW, Erasure, Field, Ground, Reveal
from supplies.wording import listed

ALARMS = ("reveals.many", "reveals.quota-reached")


class PurposeForm(forms.Form):
    purpose = forms.ChoiceField(
        label=_("What do you need the number for?"),
        choices=[(purpose.value, purpose.label) for purpose in PURPOSES[Ground.DESK]],
    )


class ShowContacts(Verb):
    """Shows the contacts of the chosen organisations on a page, this once. The log keeps who was shown which, and why."""

    def do(
        self, desk: DeskAdmin, request: HttpRequest, rows: list[Any], answers: Mapping[str, Any]
    ) -> TemplateResponse:
        at, shown = timezone.now(), []
        for row in rows:
            if not self.is_allowed(desk, request.user, row):
                desk.say_refused(
                    request, row, gettext("You may not do this here; it lies outside your regions.")
                )
                continue
            try:
                shown += [
                    (row, self.verb(contact, by=who(request), at=at, **answers))
                    for contact in _contacts_of(row)
                ]
            except Refused as refusal:
                desk.say_refused(request, row, sentence(refusal))
        context = {
            **desk.admin_site.each_context(request),
            "title": self.short_description,
            "opts": desk.opts,
            "shown": shown,
            "back": desk.back_from(request),
        }
        return TemplateResponse(
            request, "admin/shown.html", context, headers={"Cache-Control": "private, no-store"}
        )


def _contacts_of(organisation: Organisation) -> QuerySet[Contact]:
    return Contact.objects.filter(organisation=organisation).order_by("pk")


# An action of the organisation's page at the desk (`supplies.desks.admin`): organisations do not know of matches.
REVEAL = ShowContacts(
    "reveal", _("Show how to reach them"), services.reveal, asks=PurposeForm, sensitive=True
)


class ManyFilter(admin.SimpleListFilter):
    title = _("accounts that were shown many")
    parameter_name = "many"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("within a day"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Reveal]) -> QuerySet[Reveal]:
        return queryset.filter(by__in=alarms().values("by")) if self.value() == "yes" else queryset


def alarms() -> QuerySet[Event]:
    """The accounts that came near their quota of numbers, or to its end, within the window it counts in."""
    return Event.objects.filter(kind__in=ALARMS, at__gt=timezone.now() - QUOTA_WINDOW)


@admin.register(Reveal)
class RevealAdmin(DeskAdmin):
    """Who was shown whose number, and why; for auditors and administrators."""

    list_display = (
        "at",
        "by",
        "on_behalf_of",
        "ground",
        "purpose",
        "organisation",
        "what",
        "subject",
        "subject_id",
    )
    list_filter = (ManyFilter, "ground", "purpose")
    list_select_related = ("by", "on_behalf_of", "organisation")
    search_fields = ("=by__username", "=subject_id", "=contact_id", "organisation__name")
    ordering = ("-at", "-pk")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and request.user.has_role(Role.AUDITOR, Role.ADMIN)

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        if not request.user.is_superuser:
            return []
        return [Waiting(5, _("accounts that were shown many numbers within a day"), alarms(), "many=yes")]

    @admin.display(description=_("what was shown"))
    def what(self, reveal: Reveal) -> str:
        return listed(Field(name).label for name in reveal.fields)


class WhomForm(forms.Form):
    phone = forms.CharField(
        label=_("Telephone"),
        max_length=60,
        required=False,
        help_text=_("Of somebody who has no account: everything that is reached by this number is erased."),
    )
    account = forms.ModelChoiceField(
        label=_("Account"),
        queryset=User.objects.filter(is_active=True),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text=_(
            "The number of an account whose owner asks for it, and who has shown that she is its owner."
        ),
    )

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if not self.errors and bool(values.get("phone")) == bool(values.get("account")):
            raise ValidationError(gettext("Name a telephone number or an account, one of the two."))
        return values


@admin.register(Erasure)
class ErasureAdmin(DeskAdmin):
    """Who was erased, by number only; and the page to erase a person who asks for it. For administrators."""

    change_list_template = "admin/erasures.html"
    list_display = ("at", "kind", "account", "by", "counts")
    list_select_related = ("by",)
    fields = ("at", "kind", "account", "by", "counts")
    ordering = ("-at", "-pk")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.erase_view)
        return [path("erase/", view, name="supplies_erasure_erase"), *super().get_urls()]

    def erase_view(self, request: HttpRequest) -> HttpResponse:
        """Whom to erase; only a POST erases."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = WhomForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._erase(request, form):
            return HttpResponseRedirect(reverse("admin:supplies_erasure_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Erase a person"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/ask.html", context)

    def _erase(self, request: HttpRequest, form: WhomForm) -> bool:
        at, given = timezone.now(), form.cleaned_data
        try:
            if given["account"]:
                erasure = services.erase_account(given["account"], by=who(request), at=at)
            else:
                erasure = services.erase_number(given["phone"], by=who(request), at=at)
        except ValidationError as fault:
            form.add_error("phone", fault.message_dict["phone"])
            return False
        except Refused as refusal:
            form.add_error("account", str(refusal.detail))
            return False
        rows = sum(erasure.counts.values())
        said = ngettext(
            "Erased; %(count)d row held something.", "Erased; %(count)d rows held something.", rows
        )
        self.message_user(request, said % {"count": rows}, messages.SUCCESS)
        return True
