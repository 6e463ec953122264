"""The desk itself: Django's admin, whose first page says what is waiting."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods


@dataclass(frozen=True)
class Card:
    """A pile of work, counted."""

    rank: int
    title: str
    count: int
    url: str


class DeskSite(admin.AdminSite):
    site_header = _("Tongzhou desk")
    site_title = _("Tongzhou desk")
    index_title = _("What is waiting")
    empty_value_display = "–"
    enable_nav_sidebar = False  # the first page lists everything; a list needs the width

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Django's views answer any method like GET; here what is not known is refused."""
        return require_http_methods(["GET", "HEAD", "POST"])(super().admin_view(view, cacheable))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        cards = sorted(self.cards(request), key=lambda card: card.rank)
        return super().index(request, {"cards": cards, **(extra_context or {})})

    def cards(self, request: HttpRequest) -> Iterator[Card]:
        """What waits at each list this person sees: one query a card."""
        for model, desk in self._registry.items():
            if not hasattr(desk, "waits") or not desk.has_view_permission(request):
                continue
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            for pile in desk.waits(request):
                url = f"{address}?{pile.query}" if pile.query else address
                yield Card(pile.rank, str(pile.title), pile.rows.count(), url)


class DeskConfig(AdminConfig):
    """Takes the place of django.contrib.admin in INSTALLED_APPS."""

    default_site = "config.admin_site.DeskSite"
