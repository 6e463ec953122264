"""Emergencies at the desk: everyone there reads them, an administrator opens them and moves their phase."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supplies.emergencies import services
from supplies.emergencies.models import Emergency, Phase
from supplies.errors import Refused
from supplies.journal.admin import ReadOnlyAdmin, UnchangedMeanwhile

ENDS = _("End: nothing more is collected")
AFTER_THE_END = _(
    "Nobody can post a need or an offer for it any more, and nothing is matched for it."
    " What is promised or under way still arrives. “Respond” begins it again."
)


@admin.register(Emergency)
class EmergencyAdmin(UnchangedMeanwhile, ReadOnlyAdmin):
    list_display = (
        "called",
        "code",
        "status",
        "began_on",
        "proposal_hours",
        "remind_days",
        "grey_days",
        "confirm_days",
        "ship_within_days",
    )
    list_filter = ("status",)
    search_fields = ("code", "name_zh", "name_en")
    readonly_fields = ("status",)
    autocomplete_fields = ("regions",)
    ordering = ("-began_on", "code")
    actions = ("respond", "recover", "end")

    @admin.display(description=_("name"), ordering="name_zh")
    def called(self, emergency: Emergency) -> str:
        return emergency.name

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Emergency | None = None) -> tuple[str, ...]:
        return ("status",) if obj is None else ("code", "status")

    @admin.action(description=_("Respond"), permissions=["change"])
    def respond(self, request: HttpRequest, emergencies: QuerySet[Emergency]) -> None:
        self._enter(request, emergencies, Phase.RESPOND)

    @admin.action(description=_("Recover"), permissions=["change"])
    def recover(self, request: HttpRequest, emergencies: QuerySet[Emergency]) -> None:
        self._enter(request, emergencies, Phase.RECOVER)

    @admin.action(description=ENDS, permissions=["change"])
    def end(self, request: HttpRequest, emergencies: QuerySet[Emergency]) -> HttpResponse | None:
        if "answered" not in request.POST:
            return self.question(
                request, ENDS, "end", [(row.pk, str(row)) for row in emergencies], warns=AFTER_THE_END
            )
        self._enter(request, emergencies, Phase.OVER)
        return None

    def _enter(self, request: HttpRequest, emergencies: QuerySet[Emergency], phase: Phase) -> None:
        by = request.user if isinstance(request.user, AbstractBaseUser) else None
        for emergency in emergencies:
            try:
                services.enter_phase(emergency, phase, by=by, at=timezone.now())
            except Refused as refusal:
                self.message_user(request, f"{emergency}: {refusal.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{emergency}: {phase.label}", messages.SUCCESS)
