"""The volunteers' desk for the catalogue: what can be asked for, and what is accepted instead of what."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import (
    Category,
    CounterfeitMark,
    Item,
    Standard,
    Substitution,
    TransportMode,
    Unit,
    UnitRule,
)
from supplies.editions.admin import ReferenceAdmin

EDITED = ("edited_at", admin.EmptyFieldListFilter)


@admin.register(Category)
class CategoryAdmin(ReferenceAdmin):
    list_display = ("code", "name_zh", "name_en", "position")
    ordering = ("position", "code")


@admin.register(Unit)
class UnitAdmin(ReferenceAdmin):
    list_display = ("code", "name_zh", "name_en", "rec20", "kind")
    list_filter = ("kind",)
    search_fields = ("code", "name_zh", "name_en", "rec20")
    ordering = ("code",)


@admin.register(Item)
class ItemAdmin(ReferenceAdmin):
    list_display = (
        "code",
        "name_zh",
        "name_en",
        "category",
        "display_unit",
        "assumed_quantity",
        "plausible_max",
        "is_active",
        "is_verified",
        "edited_at",
    )
    list_filter = (
        "category",
        "is_active",
        "is_medicine",
        "is_cold_chain",
        "is_dangerous",
        "is_verified",
        EDITED,
    )
    list_select_related = ("category", "display_unit")
    search_fields = ("code", "name_zh", "name_en", "synonyms", "unspsc", "hs6", "gtin")
    autocomplete_fields = ("base_unit", "display_unit", "ambiguous_with")
    ordering = ("category__position", "code")


@admin.register(UnitRule)
class UnitRuleAdmin(ReferenceAdmin):
    list_display = ("code", "spoken", "unit", "base_unit", "is_package", "numerator", "denominator", "note")
    list_filter = ("is_package", "base_unit", EDITED)
    list_select_related = ("unit", "base_unit")
    search_fields = ("code", "spoken", "note")
    autocomplete_fields = ("unit", "base_unit", "items")
    ordering = ("code",)


@admin.register(Standard)
class StandardAdmin(ReferenceAdmin):
    list_display = (
        "code",
        "title",
        "issuer",
        "status",
        "valid_from",
        "withdrawn_on",
        "replaced_by",
        "is_verified",
    )
    list_filter = ("status", "medical_use", "sterile", "issuer", "is_verified", EDITED)
    list_select_related = ("replaced_by",)
    search_fields = ("code", "title", "issuer", "aliases")
    autocomplete_fields = ("items", "replaced_by")
    ordering = ("code",)


@admin.register(Substitution)
class SubstitutionAdmin(ReferenceAdmin):
    list_display = (
        "offered",
        "satisfies",
        "item",
        "verdict",
        "relation",
        "jurisdiction",
        "use_scope",
        "is_wasteful",
        "is_verified",
        "edited_at",
    )
    list_filter = ("verdict", "relation", "jurisdiction", "is_wasteful", "is_verified", EDITED)
    list_select_related = ("offered", "satisfies", "item")
    search_fields = ("offered__code", "satisfies__code", "item__code", "condition", "condition_zh")
    autocomplete_fields = ("offered", "satisfies", "item")
    ordering = ("item", "satisfies", "offered")


@admin.register(TransportMode)
class TransportModeAdmin(ReferenceAdmin):
    list_display = ("code", "name_zh", "name_en", "km_per_day", "max_km", "rec19")
    ordering = ("km_per_day",)


@admin.register(CounterfeitMark)
class CounterfeitMarkAdmin(ReferenceAdmin):
    when_empty = _(
        "No known counterfeit is kept here. An administrator adds marks that a public warning names; goods that bear them are warned of or held back."
    )
    list_display = (
        "__str__",
        "lot_from",
        "lot_to",
        "jurisdiction",
        "source",
        "stated_on",
        "is_active",
        "is_verified",
        "edited_at",
    )
    list_filter = ("is_active", "jurisdiction", "is_verified")
    search_fields = ("maker", "model", "number", "number_pattern", "=gtin", "source", "wrong", "wrong_zh")
    ordering = ("-stated_on", "pk")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
