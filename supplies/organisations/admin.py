"""Who takes part, at the desk: organisations to verify, sites to pause."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies import phones
from supplies.attachments.forms import FileForm
from supplies.attachments.models import Attachment
from supplies.errors import Refused
from supplies.leaks import masked
from supplies.organisations import services
from supplies.organisations.contacts import Contact
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    StatusFilter,
    Verb,
    Waiting,
    answered_in,
    change_url,
    reason_form,
    sentence,
    who,
)
from supplies.organisations.forms import AliasForm, BelieveForm, CallForm, CreditCodeForm, RefuseForm
from supplies.organisations.models import Facility, Membership, Organisation, User, Verified
from supplies.organisations.permissions import may_moderate, waiting_for
from supplies.organisations.verification import Verdict
from supplies.wording import bracketed

admin.site.unregister(Group)  # groups follow from roles; `enrol` sets them


class FacilityInline(DeskInline):
    model = Facility
    fields = ("name", "region", "address", "patients", "beds", "staff", "is_paused", "pause_reason")
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Facility]:
        return super().get_queryset(request).select_related("region")


class ContactInline(DeskInline):
    model = Contact
    """Masked, so that two can be told apart; for those who may be shown them. An auditor reads the log instead."""

    fields = ("post", "masked_name", "masked_phone", "masked_email", "source", "erase_on", "found_wrong_at")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_moderate(request.user)

    @admin.display(description=_("name"))
    def masked_name(self, contact: Contact) -> str:
        return f"{contact.name[:1]}**" if contact.name else "–"

    @admin.display(description=_("telephone"))
    def masked_phone(self, contact: Contact) -> str:
        return phones.masked(contact.phone) or "–"

    @admin.display(description=_("e-mail"))
    def masked_email(self, contact: Contact) -> str:
        return masked(contact.email) or "–"


class MemberInline(DeskInline):
    model = Membership
    fields = ("user", "role", "is_manager")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")


class CheckVerb(Verb):
    """Finding out about one organisation, by a form that stands on its page. What is refused keeps what was typed."""

    is_asked_on_the_page = True
    ends_the_work = False  # whether nothing is left to decide for whoever did it

    def form(self, request: HttpRequest, rows: QuerySet, **options: Any) -> forms.Form:
        asks: Any = self.asks
        form: forms.Form = asks(answered_in(request), organisation=rows.first(), **options)
        return form

    def __call__(self, desk: DeskAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        if rows.count() != 1:
            desk.message_user(request, gettext("Choose one organisation at a time."), messages.ERROR)
            return None
        row, form = rows.get(), self.form(request, rows)
        if not self.is_allowed(desk, request.user, row):
            desk.say_refused(request, row, gettext("You may not do this here; it lies outside your regions."))
            return None
        if form.is_valid() and self._done(desk, row, form, by=who(request)):
            desk.message_user(request, f"{desk.name_of(row)} · {self.done(row)}", messages.SUCCESS)
            return None
        return desk.ask(request, self, rows, form)

    def done(self, row: Organisation) -> str:
        """What to say of it afterwards."""
        return str(self.short_description)

    def _done(self, desk: DeskAdmin, row: Organisation, form: forms.Form, *, by: User) -> bool:
        at = timezone.now()
        try:
            desk.check_claim(row, by=by, at=at)
            self.verb(row, **self.answers, **form.cleaned_data, by=by, at=at)
        except Refused as refusal:
            form.add_error(None, sentence(refusal))
        except ValidationError as fault:
            for field, sentences in fault.message_dict.items():
                form.add_error(field if field in form.fields else None, sentences)
        else:
            if self.ends_the_work:
                desk.give_back(row, by=by)
            return True
        return False

    def offered_for(self, desk: DeskAdmin, user: Any, row: Any) -> bool:
        """Never to somebody who has a hand in the organisation."""
        foreign = Organisation.objects.filter(pk=row.pk).foreign_to(user)
        return super().offered_for(desk, user, row) and foreign.exists()


class Judge(CheckVerb):
    """A verdict, after which the desk goes on to the next that waits."""

    ends_the_work = True


class Believe(Judge):
    """Offered while a yes is wanted, and not twice to one person."""

    def offered_for(self, desk: DeskAdmin, user: Any, row: Any) -> bool:
        open_to_her = Organisation.objects.filter(pk=row.pk).open_to(user)
        return super().offered_for(desk, user, row) and row.awaits_check and open_to_her.exists()

    def done(self, row: Organisation) -> str:
        if Organisation.objects.get(pk=row.pk).awaits_check:
            return gettext("Your yes is written down; another volunteer has to say so too.")
        return gettext("Verified: two have said yes.")


class CheckFilter(StatusFilter):
    """What waits for this person first; then by status."""

    first = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        own = [
            ("waiting", _("for you to check")),
            ("again", _("for you to check again")),
            ("call_back", _("to call back today")),
        ]
        return [*own, *super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet:
        status = {"waiting": Verified.UNVERIFIED, "again": Verified.VERIFIED}.get(self.value())
        if self.value() == "call_back":
            return waiting_for(request.user, queryset).to_call_back(timezone.localdate())
        if status is None:
            return super().queryset(request, queryset)
        return waiting_for(request.user, queryset).filter(status=status)


@admin.register(Organisation)
class OrganisationAdmin(DeskAdmin):
    """The queue of those to check, and a page that holds all it takes: what is known, calls, files, the verdict."""

    change_form_template = "admin/check_organisation.html"
    region_of = "region"
    is_public = True
    decided_in = (Verified.UNVERIFIED,)
    list_display = ("name", "kind", "region", "standing", "credit_code", "source", "created_at")
    list_filter = (CheckFilter, "kind")
    list_select_related = ("region",)
    search_fields = ("name", "aliases__name", "=credit_code")
    ordering: ClassVar[tuple[str, ...]] = ("created_at", "pk")
    fieldsets = (
        (None, {"fields": ("name", "kind", "region", "credit_code", "source", "allocates_for_me")}),
        (_("Trail"), {"fields": ("created_at", "registered_by", "verified_by", "seconded_by")}),
    )
    inlines = (FacilityInline, ContactInline, MemberInline)
    actions: Sequence[Verb] = (
        CheckVerb("call", _("Log a call"), services.log_call, asks=CallForm),
        Believe("believe", _("I believe it"), services.verify, asks=BelieveForm, verdict=Verdict.YES),
        Judge(
            "refuse",
            _("Refuse"),
            services.verify,
            asks=RefuseForm,
            fits=[Verified.UNVERIFIED, Verified.VERIFIED],
            verdict=Verdict.NO,
        ),
        Verb("add_name", _("Add another name"), services.add_alias, asks=AliasForm),
        Verb("note_code", _("Note the credit code"), services.note_credit_code, asks=CreditCodeForm),
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = waiting_for(request.user, self.get_queryset(request))
        new, again = rows.filter(status=Verified.UNVERIFIED), rows.filter(status=Verified.VERIFIED)
        return [
            Waiting(25, _("to call back today"), rows.to_call_back(timezone.localdate()), "status=call_back"),
            Waiting(30, _("organisations to verify"), new, "status=waiting", "created_at"),
            Waiting(40, _("organisations to check again"), again, "status=again", "to_check_since"),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        return rows.with_yeses()

    @admin.display(description=_("verification"), ordering="status")
    def standing(self, organisation: Any) -> str:
        if organisation.to_check_since is not None:
            told = gettext("to be checked again since %(day)s") % {"day": organisation.to_check_since}
        else:
            told = organisation.get_status_display()
        so_far = bracketed(gettext("one of two"))
        return f"{told}{so_far}" if organisation.yeses else told

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.next_view)
        return [path("<uuid:after>/next/", view, name="supplies_organisation_next"), *super().get_urls()]

    def next_view(self, request: HttpRequest, after: UUID) -> HttpResponse:
        """On to the next that waits for this person; to the list where none does."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._on_to(self.following(request, after))

    def following(self, request: HttpRequest, after: UUID) -> Organisation | None:
        """The next that waits for this person."""
        rows: QuerySet[Organisation] = waiting_for(request.user, self.get_queryset(request))
        return rows.exclude(pk=after).first()

    def _on_to(self, following: Organisation | None) -> HttpResponse:
        if following is None:
            return HttpResponseRedirect(reverse("admin:supplies_organisation_changelist"))
        return HttpResponseRedirect(change_url(following))

    def do_view(self, request: HttpRequest, object_id: str, action: str) -> HttpResponse:
        """After a verdict, on to the next one that waits: two hundred in a night."""
        answer = super().do_view(request, object_id, action)
        judged = isinstance(self.get_actions_of_one(request).get(action, (None,))[0], Judge)
        if not judged or not isinstance(answer, HttpResponseRedirect):
            return answer
        row = Organisation.objects.filter(pk=unquote(object_id))
        if waiting_for(request.user, row).exists():
            return answer
        following = self.following(request, row.get().pk)
        if following is not None:
            self.message_user(
                request, gettext("Shown now, the next to check: %(name)s") % {"name": self.name_of(following)}
            )
        return self._on_to(following)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        organisation = kwargs.get("obj")
        if organisation is not None:
            context |= self._page(request, organisation)
        return super().render_change_form(request, context, *args, **kwargs)

    def _page(self, request: HttpRequest, organisation: Organisation) -> dict[str, Any]:
        rows, base = (
            Organisation.objects.filter(pk=organisation.pk),
            change_url(organisation).removesuffix("change/"),
        )
        asked = {
            name: {
                "url": f"{base}do/{name}/",
                "title": title,
                "form": verb.form(request, rows, auto_id=f"{name}_%s"),
            }
            for name, (verb, _name, title) in self.get_actions_of_one(request).items()
            if isinstance(verb, CheckVerb) and verb.offered_for(self, request.user, organisation)
        }
        round_ = organisation.check_round
        return {
            "organisation": organisation,
            "standing": self.standing(organisation),
            "asked": asked,
            "listings": organisation.listings.order_by("-as_of", "pk"),
            "aliases": organisation.aliases.order_by("name", "pk"),
            "was_merged": organisation.merged.order_by("name", "pk"),
            "judgements": organisation.verifications.select_related("by").order_by("-pk"),
            "calls": organisation.calls.select_related("by").order_by("-pk"),
            "convincing": organisation.calls.convincing().filter(round=round_).exists(),
            "files": Attachment.objects.about(organisation).kept().select_related("by").oldest_first(),
            "file_form": FileForm(auto_id="file_%s") if self.may_act_on(request.user, organisation) else None,
            "here": change_url(organisation),
        }


@admin.register(Facility)
class FacilityAdmin(DeskAdmin):
    region_of = "region"
    is_public = True
    list_display = ("name", "organisation", "region", "address", "patients", "is_paused", "pause_reason")
    list_filter = ("is_paused", "organisation__kind")
    list_select_related = ("organisation", "region")
    search_fields = ("name", "organisation__name", "=gln")
    ordering = ("name", "pk")
    actions = (
        Verb(
            "pause",
            _("Not accepting goods for now: nothing more is sent there"),
            services.pause,
            asks=reason_form(
                _("The hospital's own people and everybody at the desk read it. No names, no numbers.")
            ),
        ),
        Verb("resume", _("Accept goods again"), services.resume),
    )
