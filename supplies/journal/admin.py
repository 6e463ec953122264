"""The journal at the volunteers' desk: read by everyone who works there, written by nobody."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supplies.journal.models import Event, Outgoing, Seal

Text = str | Promise


@dataclass(frozen=True)
class Waiting:
    """Work that waits: shown with its count on the desk's first page, the lowest rank first.

    query    what narrows the list to these rows, e.g. "status=waiting"
    """

    rank: int
    title: Text
    rows: QuerySet
    query: str = ""


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that verbs write: not added, edited or deleted by hand, not even by a superuser."""

    list_per_page = 50
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_staff

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AlarmFilter(admin.SimpleListFilter):
    title = _("verification")
    parameter_name = "alarm"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("found it tampered with"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Event]:
        alarms: QuerySet[Event] = queryset.alarms() if self.value() == "yes" else queryset
        return alarms


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "subject", "subject_id", "by", "facts")
    list_filter = (AlarmFilter,)
    list_select_related = ("by",)
    search_fields = ("kind__startswith", "=subject", "=subject_id")
    ordering = ("-pk",)

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        return [Waiting(1, _("alarms: the journal was tampered with"), Event.objects.alarms(), "alarm=yes")]


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

    @admin.display(description=Event._meta.get_field("kind").verbose_name, ordering="event__kind")
    def kind(self, outgoing: Outgoing) -> str:
        return outgoing.event.kind
