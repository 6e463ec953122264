"""Who takes part, at the desk: organisations to verify, sites to pause."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
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
)
from supplies.organisations.models import (
    Contact,
    Facility,
    Membership,
    Organisation,
    Purpose,
    Verification,
    Verified,
)

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
    fields = ("user", "role", "is_manager")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")


@admin.register(Organisation)
class OrganisationAdmin(DeskAdmin):
    region_of = "region"
    list_display = ("name", "kind", "region", "status", "credit_code", "source", "created_at")
    list_filter = (by_status(Verified.UNVERIFIED), "kind")
    list_select_related = ("region",)
    search_fields = ("name", "normal_name", "=credit_code")
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
        ShowContacts(
            "reveal",
            _("Show how to reach them"),
            services.reveal_contacts,
            asks=PurposeForm,
            sensitive=True,
        ),
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
