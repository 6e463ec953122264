"""The journal at the volunteers' desk: read by everyone who works there, written by nobody."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern

from supplies.journal.models import Event, Outgoing


class SeenAtTheDesk(admin.ModelAdmin):
    """What everybody who works at the desk may read. Nothing is deleted there, and what was done is in the journal."""

    change_form_template = "admin/desk_change_form.html"
    list_per_page = 50
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_staff

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

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


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "subject", "subject_id", "by", "facts")
    list_select_related = ("by",)
    search_fields = ("kind__startswith", "=subject", "=subject_id")
    ordering = ("-pk",)


@admin.register(Outgoing)
class OutgoingAdmin(ReadOnlyAdmin):
    list_display = ("kind", "listener", "due_at", "attempts", "last_error", "done_at")
    list_filter = (("done_at", admin.EmptyFieldListFilter), ("last_error", admin.EmptyFieldListFilter))
    list_select_related = ("event",)
    ordering = ("-pk",)

    @admin.display(description=Event._meta.get_field("kind").verbose_name, ordering="event__kind")
    def kind(self, outgoing: Outgoing) -> str:
        return outgoing.event.kind
