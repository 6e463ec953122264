"""The desk itself: Django's admin, whose first page says what is waiting."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

MOST_IN_A_LIST = 10_000
MOST_ON_A_CARD = 1_000


@dataclass(frozen=True)
class Card:
    """A pile of work, counted as far as anybody wants to know.

    has_more    whether the pile is higher than was counted
    """

    rank: int
    title: str
    count: int
    has_more: bool
    url: str


def counted(rows: QuerySet[Any], most: int) -> tuple[int, bool]:
    """How many rows there are, up to `most`, and whether there are more."""
    found = rows.order_by().values("pk")[: most + 1].count()
    return min(found, most), found > most


class BoundedPaginator(Paginator):
    """Pages of the first rows of a list, which is neither counted nor skipped through to its end.

    Who looks for a row that lies beyond narrows the list, or turns its order round.
    """

    @cached_property
    def _counted(self) -> tuple[int, bool]:
        return counted(cast(QuerySet[Any], self.object_list), MOST_IN_A_LIST)

    @property
    def count(self) -> int:  # type: ignore[override]
        return self._counted[0]

    @property
    def has_more(self) -> bool:
        return self._counted[1]


LONG = {
    "paginator": BoundedPaginator,
    "show_full_result_count": False,
    "show_facets": admin.ShowFacets.NEVER,
}


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
        from supplies.organisations.visitors import is_own_page  # this module is read before there are models

        asked = request.GET.get("next", "")
        fits = is_own_page(request, asked)
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': asked if fits else index})}")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("change-password")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Every list of the desk may grow to a million rows, whoever has written it."""
        super().register(model_or_iterable, admin_class, **options)
        for desk in self._registry.values():
            vars(desk).update(LONG)

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
                yield Card(pile.rank, str(pile.title), *counted(pile.rows, MOST_ON_A_CARD), url)


class DeskConfig(AdminConfig):
    """Takes the place of django.contrib.admin in INSTALLED_APPS."""

    default_site = "config.admin_site.DeskSite"
