"""The volunteers' desk for reference tables: rows are corrected, and the correction lasts."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from supplies.editions import services
from supplies.editions.models import ReferenceEdition
from supplies.journal.admin import ReadOnlyAdmin, SeenAtTheDesk, UnchangedMeanwhile


class ReferenceAdmin(UnchangedMeanwhile, SeenAtTheDesk):
    """Saving goes through `keep_edit`; the code of a row that others refer to stays what it is."""

    provenance = ("source", "is_verified", "edited_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        fixed = ("edited_at",)
        return fixed if obj is None else (obj._meta.pk.name, *fixed)  # type: ignore[union-attr]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        services.keep_edit(obj, by=cast(AbstractBaseUser, request.user), at=timezone.now())

    # A deleted row would come back with the next loading; correct it or mark it instead.
    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(ReferenceEdition)
class ReferenceEditionAdmin(ReadOnlyAdmin):
    list_display = ("table", "version", "loaded_at", "note", "sha256")
    list_filter = ("table",)
    ordering = ("-loaded_at", "table")
