"""The desk itself: Django's admin, whose first page says what is waiting."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _


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

    # One signs in, and changes one's password, where everybody does: with the same waiting and the same second factor.

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        index = reverse("admin:index", current_app=self.name)
        if request.user.is_authenticated:
            if not self.has_permission(request):
                raise PermissionDenied
            return redirect(index)
        asked = request.GET.get("next", "")
        fits = url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure())
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': asked if fits else index})}")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("change-password")

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
