"""The journal at the volunteers' desk: read by everyone who works there, written by nobody. And what all desks build on."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from supplies.journal.models import Event, Outgoing


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


class UnchangedMeanwhile(admin.ModelAdmin):
    """Rows that are edited by hand: nobody saves over what somebody else has saved since she opened the page."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # a class made for this request
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
            f'SELECT xmin::text FROM "{meta.db_table}" WHERE "{meta.pk.column}" = %s{" FOR UPDATE" if lock else ""}',
            [meta.pk.get_db_prep_value(row.pk, connection)],
        )
        found = cursor.fetchone()
    return str(found[0]) if found else ""


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
