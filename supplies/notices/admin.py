"""Webhooks at the desk: an administrator sees where events are sent and how it goes, and switches one off."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from supplies.notices import services
from supplies.notices.models import EndpointStatus, WebhookDelivery, WebhookEndpoint
from supplies.notices.permissions import may_disable
from supplies.organisations.desk import DeskAdmin, Verb


class ForAdministrators(DeskAdmin):
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and bool(
            getattr(request.user, "is_superuser", False)
        )

    def has_act_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ForAdministrators):
    list_display = ("url", "organisation", "status", "disabled_because", "succeeded_at", "created_at")
    list_filter = ("status", "disabled_because")
    list_select_related = ("organisation",)
    search_fields = ("url", "organisation__name")
    ordering = ("-created_at", "-pk")
    fields = (
        "url",
        "organisation",
        "kinds",
        "status",
        "disabled_because",
        "old_secret_until",
        "succeeded_at",
        "slow_until",
        "created_at",
    )
    actions = (
        Verb("disable", _("Switch off"), services.disable, may=may_disable, fits=[EndpointStatus.ACTIVE]),
    )


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ForAdministrators):
    list_display = (
        "created_at",
        "kind",
        "endpoint",
        "status",
        "attempts",
        "http_status",
        "problem",
        "next_at",
    )
    list_filter = ("status", "problem")
    list_select_related = ("endpoint",)
    ordering = ("-created_at", "-pk")
    fields = (
        "endpoint",
        "kind",
        "status",
        "attempts",
        "next_at",
        "tried_at",
        "took_ms",
        "http_status",
        "problem",
        "excerpt",
        "created_at",
    )
