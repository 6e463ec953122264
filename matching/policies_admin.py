"""Policies at the desk: read by everyone there, changed by an administrator."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from matching import services
from matching.models import MatchingPolicy
from matching.permissions import may_set_policies
from supplies.journal.admin import ReadOnlyAdmin, UnchangedMeanwhile
from supplies.organisations.desk import who


@admin.register(MatchingPolicy)
class MatchingPolicyAdmin(UnchangedMeanwhile, ReadOnlyAdmin):
    """Everyone at the desk reads the policies, an administrator changes them; a run keeps a copy of the one it was made with."""

    list_display = (
        "code",
        "name_zh",
        "name_en",
        "is_offered",
        "waits_from_urgency",
        "facility_percent",
    )
    ordering = ("code",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "code",
                    "name_zh",
                    "name_en",
                    "is_offered",
                    "order",
                    "facility_percent",
                    "ageing_days",
                    "parcel_km",
                )
            },
        ),
        (
            _("Waiting for a better partner"),
            {
                "fields": (
                    "waits_from_urgency",
                    "wait_limit_km",
                    "wait_growth_days",
                    "last_chance_days",
                    "small_first_km",
                    "wait_parcel_km",
                )
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: MatchingPolicy | None = None) -> tuple[str, ...]:
        return () if obj is None else ("code",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_set_policies(request.user)

    def has_change_permission(self, request: HttpRequest, obj: MatchingPolicy | None = None) -> bool:
        return may_set_policies(request.user)

    def save_model(self, request: HttpRequest, obj: MatchingPolicy, form: Any, change: bool) -> None:
        services.set_policy(obj, by=who(request), at=timezone.now())
