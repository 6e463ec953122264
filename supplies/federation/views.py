"""What hospitals need elsewhere, by what other instances tell: a page of its own, so that nobody takes it for ours."""

from typing import Any

from django import forms
from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from supplies.federation.models import ForeignNeed, ForeignNeedQuerySet, Peer
from supplies.search import first

PER_PAGE = 20


class ElsewhereFilter(forms.Form):
    origin = forms.ModelChoiceField(
        Peer.objects.none(),
        required=False,
        label=_("Told by"),
        empty_label=_("all"),
        to_field_name="instance",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["origin"].queryset = Peer.objects.active().order_by("name", "pk")  # type: ignore[attr-defined]


@require_safe
def elsewhere(request: HttpRequest) -> HttpResponse:
    """Open needs of other instances, the most urgent first, a page at a time."""
    form = ElsewhereFilter(request.GET)
    needs: list[ForeignNeed] = []
    is_valid = form.is_valid()
    if is_valid:
        rows = ForeignNeed.objects.visible_to(request.user).open().with_place().most_urgent_first()
        if form.cleaned_data["origin"]:
            rows = rows.filter(peer=form.cleaned_data["origin"])
        try:
            needs = first(_after(rows, request.GET.get("after", "")), PER_PAGE + 1)
        except BadSignature:
            form.add_error(
                None, _("This page's address was changed or cut off. Start again from the first page.")
            )
            is_valid = False
    after = _next(request, needs[PER_PAGE - 1]) if len(needs) > PER_PAGE else ""
    peers = list(Peer.objects.active().order_by("name", "pk"))
    context = {
        "form": form,
        "needs": needs[:PER_PAGE],
        "after": after,
        "peers": peers,
        "is_any_matched": any(peer.is_matched for peer in peers),
    }
    return render(request, "federation/elsewhere.html", context, status=200 if is_valid else 400)


def _after(needs: ForeignNeedQuerySet, key: str) -> ForeignNeedQuerySet:
    """What follows the row of a key. Raises BadSignature for a key that did not come from here."""
    if not key:
        return needs
    urgency, pk = Signer(salt="needs-elsewhere").unsign(key).split("~")
    return needs.filter(urgency__gte=urgency).filter(Q(urgency__gt=urgency) | Q(urgency=urgency, pk__gt=pk))


def _next(request: HttpRequest, need: ForeignNeed) -> str:
    query = request.GET.copy()
    query["after"] = Signer(salt="needs-elsewhere").sign(f"{need.urgency}~{need.pk}")
    return f"?{query.urlencode()}"
