"""The desk itself: Django's admin, whose first page says what is waiting."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, F, Min, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

MOST_IN_A_LIST = 10_000
MOST_ON_A_CARD = 1_000


@dataclass(frozen=True)
class Card:
    """A pile of work, counted as far as anybody wants to know.

    has_more    whether the pile is higher than was counted
    since       since when the oldest waits; None where nothing does, or it is not known
    """

    rank: int
    title: str
    count: int
    has_more: bool
    url: str
    since: date | None = None


def counted(rows: QuerySet[Any], most: int) -> tuple[int, bool]:
    """How many rows there are, up to `most`, and whether there are more."""
    found = rows.order_by().values("pk")[: most + 1].count()
    return min(found, most), found > most


def counted_since(rows: QuerySet[Any], most: int, since: str) -> tuple[int, bool, date | None]:
    """As `counted`, and the least value of a column: in the column's own order, so that the oldest is among those counted."""
    if not since:
        return *counted(rows, most), None
    oldest_first = rows.order_by(F(since).asc(nulls_last=True)).values(since)[: most + 1]
    found = oldest_first.aggregate(count=Count("*"), since=Min(since))
    return min(found["count"], most), found["count"] > most, found["since"]


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
        cards = sorted(self.cards(request), key=lambda card: (not card.count, card.rank))
        known = {"cards": cards, "saved": self.saved(request)}
        return super().index(request, {**known, **(extra_context or {})})

    def cards(self, request: HttpRequest) -> Iterator[Card]:
        """What waits at each list this person sees: one query a card."""
        for model, desk in self._registry.items():
            if not hasattr(desk, "waits") or not desk.has_view_permission(request):
                continue
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            for pile in desk.waits(request):
                url = f"{address}?{pile.query}" if pile.query else address
                count, has_more, since = counted_since(pile.rows, MOST_ON_A_CARD, pile.since)
                yield Card(pile.rank, str(pile.title), count, has_more, url, since)

    # A list that somebody comes back to: its address under a name of her own.

    def get_urls(self) -> list[Any]:
        return [
            path("saved-lists/save/", self.admin_view(self.save_list_view), name="save_list"),
            path("saved-lists/<int:pk>/forget/", self.admin_view(self.forget_list_view), name="forget_list"),
            *super().get_urls(),
        ]

    def saved(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """The lists of this person, with their addresses; of those that are still there for her."""
        from supplies.claims.models import SavedList

        return [
            (kept, f"{address}?{kept.query}" if kept.query else address)
            for kept in SavedList.objects.of(request.user)
            if (address := self.address_of(request, kept.model))
        ]

    def address_of(self, request: HttpRequest, model: str) -> str:
        """Where the list of a model is, given as "supplies.appeal"; empty if there is none this person sees."""
        for known, desk in self._registry.items():
            if known._meta.label_lower == model and desk.has_view_permission(request):
                return reverse(f"admin:{known._meta.app_label}_{known._meta.model_name}_changelist")
        return ""

    def save_list_view(self, request: HttpRequest) -> HttpResponse:
        """POST: keep a filtered list under a name, and show it again."""
        from supplies.claims.services import save_list

        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        model = request.POST.get("model", "")
        address = self.address_of(request, model)
        if not address:
            raise Http404
        asked = QueryDict(request.POST.get("query", ""), mutable=True)
        for passing in ("p", "all", "e"):  # a page of it, not the list
            asked.pop(passing, None)
        query = asked.urlencode()
        try:
            kept = save_list(
                request.POST.get("name", ""), model, query, by=cast(Any, request.user), at=timezone.now()
            )
        except ValidationError as fault:
            messages.error(request, " ".join(fault.messages))
        else:
            messages.success(
                request, _("“%(name)s” stands on the first page of the desk from now on.") % {"name": kept}
            )
        return redirect(f"{address}?{query}" if query else address)

    def forget_list_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """POST: one's own list is kept no longer."""
        from supplies.claims.models import SavedList
        from supplies.claims.services import forget_list

        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        forget_list(get_object_or_404(SavedList.objects.of(request.user), pk=pk))
        return redirect("admin:index")


class DeskConfig(AdminConfig):
    """Takes the place of django.contrib.admin in INSTALLED_APPS."""

    default_site = "config.admin_site.DeskSite"
