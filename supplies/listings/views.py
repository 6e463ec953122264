"""The directory of designated hospitals and fever clinics, for everybody."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from supplies.listings.forms import ListedForm
from supplies.listings.models import ListedFacility
from supplies.organisations.models import Organisation

PER_PAGE = 50


@require_safe
def listed_facilities(request: HttpRequest) -> HttpResponse:
    """What public lists name, by name, place and kind; each with its list and the day of it."""
    form = ListedForm(request.GET)
    rows = ListedFacility.objects.current().select_related("region__parent__parent", "organisation")
    rows = rows.saying_whose_of(Organisation.objects.visible_to(request.user))
    rows = form.narrowed(rows) if form.is_valid() else rows.none()
    page = list(_after(rows, request.GET.get("after", "")).by_name()[: PER_PAGE + 1])
    following = ""
    if len(page) > PER_PAGE:
        query = request.GET.copy()
        query["after"] = str(page[PER_PAGE - 1].pk)
        following = f"?{query.urlencode()}"
    context = {"form": form, "rows": page[:PER_PAGE], "following": following}
    return render(request, "listings/listed_facilities.html", context)


def _after(rows: Any, key: str) -> Any:
    """What comes after a row in the order of names; from the first where there is no such row."""
    try:
        last = ListedFacility.objects.filter(pk=UUID(key)).first()
    except ValueError:
        last = None
    return rows.following(last) if last is not None else rows
