"""The volunteers' desk for places."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.utils import timezone

from supplies.editions.admin import ReferenceAdmin
from supplies.regions import services
from supplies.regions.models import Region


@admin.register(Region)
class RegionAdmin(ReferenceAdmin):
    list_display = ("code", "name_zh", "name_en", "level", "parent", "scheme", "edited_at")
    list_filter = ("level", "scheme", "datum", ("edited_at", admin.EmptyFieldListFilter))
    list_select_related = ("parent",)
    search_fields = ("code", "name_zh", "name_en", "aliases")
    autocomplete_fields = ("parent",)
    ordering = ("path",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        services.edit(obj, by=cast(AbstractBaseUser, request.user), at=timezone.now())
