"""The journal at the volunteers' desk: read by everyone who works there, written by nobody. And what all desks build on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.errors import Refused
from supplies.journal import mail as letters
from supplies.journal.models import Event, IdempotencyKey, Outgoing, OutgoingMail, Seal
from supplies.journal.words import names_in
from supplies.wording import apart

Text = str | Promise
EVENTS_SHOWN = 20  # of what happened to a row, on its page
OFTEN = 5  # attempts after which somebody should look why a notice is not heard


@dataclass(frozen=True)
class Waiting:
    """Work that waits: shown with its count on the desk's first page, the lowest rank first.

    query    what narrows the list to these rows, e.g. "status=waiting"
    since    the column that says since when a row waits; empty where none does
    """

    rank: int
    title: Text
    rows: QuerySet
    query: str = ""
    since: str = ""


class SeenAtTheDesk(admin.ModelAdmin):
    """What everybody who works at the desk may read. Nothing is deleted there, and what was done is in the journal."""

    change_form_template = "admin/desk_change_form.html"
    list_per_page = 50
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_staff

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Below a row stands what happened to it, the latest first."""
        if obj is not None:
            events = Event.objects.filter(subject=obj._meta.model_name, subject_id=str(obj.pk))
            context["history"] = named(events.select_related("by").order_by("-pk")[:EVENTS_SHOWN])
        return super().render_change_form(request, context, add, change, form_url, obj)

    def question(
        self, request: HttpRequest, title: Text, action: str, rows: list[tuple[Any, str]], **known: Any
    ) -> HttpResponse:
        """The page between choosing an action and doing it: which rows, what will come of it, and what has to be filled in."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "action": action,
            "rows": rows,
            "checkbox": ACTION_CHECKBOX_NAME,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/ask.html", {**context, **known})

    def get_urls(self) -> list[URLPattern]:
        """Without Django's own history and deletion: a door less is one less to guard."""
        kept: list[URLPattern] = super().get_urls()
        return [url for url in kept if not (url.name or "").endswith(("_history", "_delete"))]


class ReadOnlyAdmin(SeenAtTheDesk):
    """Rows that verbs write: not added, edited or deleted by hand, not even by a superuser."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UnchangedMeanwhile(admin.ModelAdmin):
    """Rows that are edited by hand: nobody saves over what somebody else has saved since she opened the page."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)  # a class made for this request
        if obj is not None:
            form.clean = _refusing_what_is_stale(form.clean)
        return form

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            # What was refused keeps the version it was made from, so that saving again does not simply win.
            context["version"] = request.POST.get(VERSION) or version_of(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)


VERSION = "version"  # the hidden field of templates/admin/change_form.html


def _refusing_what_is_stale(clean: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def checked(form: Any) -> Any:
        if form.data.get(VERSION) != version_of(form.instance, lock=True):
            raise ValidationError(
                _(
                    "Somebody changed this while you had it open, so nothing was saved."
                    " Open it again in another window, compare, and make your change there."
                )
            )
        return clean(form)

    return checked


def version_of(row: models.Model, *, lock: bool = False) -> str:
    """PostgreSQL's own version of a row, which no way of writing forgets to change. Locked, it stays until the end."""
    meta = row._meta
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT xmin::text FROM "{meta.db_table}" WHERE "{meta.pk.column}" = %s{" FOR UPDATE" if lock else ""}',  # nosec B608 # names of our own tables and columns
            [meta.pk.get_db_prep_value(row.pk, connection)],
        )
        found = cursor.fetchone()
    return str(found[0]) if found else ""


class AlarmFilter(admin.SimpleListFilter):
    title = gettext_lazy("verification")
    parameter_name = "alarm"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("found it tampered with"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Event]:
        alarms: QuerySet[Event] = queryset.alarms() if self.value() == "yes" else queryset
        return alarms


def named(events: Iterable[Event]) -> list[Event]:
    """With the names of the rows their facts are keys of, in as many queries for many as for one."""
    found = list(events)
    names = names_in(event.facts for event in found)
    for event in found:
        event.names = names
    return found


class EventList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = named(self.result_list)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Each entry in words; its own page has besides them the codes that programs read."""

    list_display = ("at", "what", "about", "by", "in_words")
    fields = ("at", "what", "about", "by", "in_words", "kind", "subject", "subject_id", "facts")
    readonly_fields = ("what", "about", "in_words")
    list_filter = (AlarmFilter,)
    list_select_related = ("by",)
    search_fields = ("subject_id__exact",)
    ordering = ("-pk",)

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        return [
            Waiting(1, _("alarms: the journal was tampered with"), Event.objects.alarms(), "alarm=yes", "at")
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EventList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        event = super().get_object(request, object_id, from_field)
        return event and named([event])[0]

    @admin.display(description=Event._meta.get_field("kind").verbose_name, ordering="kind")
    def what(self, event: Event) -> str:
        return format_html('<span title="{}">{}</span>', event.kind, event.told)

    @admin.display(description=Event._meta.get_field("subject").verbose_name, ordering="subject")
    def about(self, event: Event) -> str:
        """What kind of thing it happened to, leading to its page where the desk has one."""
        model = next((one for one in apps.get_models() if one._meta.model_name == event.subject), None)
        if model is None:
            return f"{event.subject} {event.subject_id}"
        words = f"{capfirst(model._meta.verbose_name)} {event.subject_id[:8]}"
        if not self.admin_site.is_registered(model):
            return words
        page = reverse(
            f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[event.subject_id]
        )
        return format_html('<a href="{}">{}</a>', page, words)

    @admin.display(description=Event._meta.get_field("facts").verbose_name)
    def in_words(self, event: Event) -> str:
        return apart(f"{name}: {fact}" for name, fact in event.facts_told) or "–"


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    """The chain over the journal. Not even the site's own role in the database can do more here than add."""

    list_display = ("number", "at", "count", "hexadecimal")
    fields = ("number", "at", "count", "hexadecimal", "events")
    readonly_fields = fields
    ordering = ("-pk",)

    @admin.display(description=Event._meta.verbose_name_plural)
    def count(self, seal: Seal) -> int:
        return len(seal.events)

    @admin.display(description=Seal._meta.get_field("digest").verbose_name)
    def hexadecimal(self, seal: Seal) -> str:
        return bytes(seal.digest).hex()


@admin.register(Outgoing)
class OutgoingAdmin(ReadOnlyAdmin):
    list_display = ("kind", "listener", "due_at", "attempts", "last_error", "done_at")
    list_filter = (("done_at", admin.EmptyFieldListFilter), ("last_error", admin.EmptyFieldListFilter))
    list_select_related = ("event",)
    ordering = ("-pk",)

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        stuck = Outgoing.objects.waiting().filter(attempts__gte=OFTEN)
        title = gettext_lazy("notices inside the site that fail again and again")
        return [Waiting(95, title, stuck, "done_at__isempty=1&last_error__isempty=0", "due_at")]

    @admin.display(description=Event._meta.get_field("kind").verbose_name, ordering="event__kind")
    def kind(self, outgoing: Outgoing) -> str:
        return outgoing.event.kind


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """Mails without their text, which nobody reads here."""

    list_display = ("created_at", "sent_at", "given_up_at", "attempts", "last_error", "due_at")
    list_filter = (("given_up_at", admin.EmptyFieldListFilter), ("sent_at", admin.EmptyFieldListFilter))
    ordering = ("-created_at", "pk")
    actions = ("try_again",)

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = OutgoingMail.objects.given_up().exclude(letter_sealed=b"")
        return [
            Waiting(
                96, gettext_lazy("mails that could not be sent"), rows, "given_up_at__isempty=0", "created_at"
            )
        ]

    def has_try_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    @admin.action(description=gettext_lazy("Try again for a day"), permissions=["try"])
    def try_again(self, request: HttpRequest, mails: QuerySet[OutgoingMail]) -> None:
        assert isinstance(request.user, AbstractBaseUser)
        for mail in mails:
            try:
                letters.try_again(mail, by=request.user, at=timezone.now())
            except Refused as refusal:
                self.message_user(request, f"{mail}: {refusal.detail}", messages.ERROR)
            else:
                self.message_user(request, _("%(mail)s is tried again.") % {"mail": mail}, messages.SUCCESS)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """Which requests were answered, and whose; not what was said."""

    list_display = ("created_at", "route", "by", "status")
    list_select_related = ("by",)
    ordering = ("-created_at", "pk")
