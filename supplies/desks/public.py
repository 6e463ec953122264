"""What everybody may look at: how things stand, a hospital, an item, how to give."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time
from itertools import groupby
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from supplies.catalogue.models import (
    Category,
    Item,
    MedicalUse,
    Standard,
    StandardStatus,
    Substitution,
    Verdict,
)
from supplies.catalogue.services import Citation, citations
from supplies.needs.browsing import shown
from supplies.needs.models import (
    Appeal,
    AppealStatus,
    ItemGap,
    Need,
    NeedQuerySet,
    OpenCount,
    OpenThere,
    SenderKind,
    Urgency,
)
from supplies.organisations.models import Organisation
from supplies.organisations.permissions import leads_to, may_hand_in_evidence
from supplies.receipts.models import Receipt

MOST_COUNTED = 10_000  # parcels of a day, beyond which the first page counts no further
MOST_URGENT_SHOWN = 5
NEEDS_SHOWN = 30
SITES_SHOWN = 30
ARRIVED_SHOWN = 10
REGIONS_SHOWN = 40
SUMS = (
    "asked",
    "lines",
    "critical",
    "quantity_promised",
    "quantity_in_transit",
    "quantity_received",
    "quantity_outstanding",
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """How things stand in one look, what is needed most now, and three boxes: search, what I have, follow a code."""
    counts = list(
        OpenCount.objects.values("category", "urgency", "lines", "promised", "in_transit", "counted_at")
    )
    now = timezone.localtime()
    context = {
        "needs": shown(_keys(Need.objects.ours().open().wanting().most_urgent_first(), MOST_URGENT_SHOWN)),
        "urgencies": [(urgency, _total(counts, urgency=urgency.value)) for urgency in Urgency],
        "categories": [
            (category, _total(counts, category=category.pk))
            for category in Category.objects.order_by("position")
        ],
        "lines": _total(counts),
        "promised": sum(row["promised"] for row in counts),
        "in_transit": sum(row["in_transit"] for row in counts),
        "counted_at": max((row["counted_at"] for row in counts), default=None),
        # Of one day only, which an index finds: those of all days are never counted for a visit.
        "received": Receipt.objects.filter(
            corrects=None, at__gte=datetime.combine(now.date(), time(), now.tzinfo), at__lte=now
        )[:MOST_COUNTED].count(),
        "now": now,
        "provinces": OpenThere.objects.filter(region__level="province", critical__gt=0)
        .select_related("region")
        .order_by("-critical", "-lines", "region")[:8],
    }
    return render(request, "desks/home.html", context)


def _total(counts: Iterable[Mapping[str, Any]], **of: Any) -> int:
    return sum(row["lines"] for row in counts if all(row[column] == value for column, value in of.items()))


def _keys(needs: NeedQuerySet, most: int) -> list[UUID]:
    return list(needs.values_list("pk", flat=True)[:most])


@require_safe
def organisation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Who this is and how that is known; of a hospital what it needs, how it takes goods and what arrived.

    A merged one's page is the kept one's.
    """
    if kept := leads_to(pk, request.user):
        return redirect("organisation", kept)
    row = get_object_or_404(
        Organisation.objects.visible_to(request.user).select_related("region__parent__parent").with_yeses(),
        pk=pk,
    )
    rounds = row.verifications.yes().filter(round=row.check_round - 1).order_by("pk")
    sites = list(row.facilities.select_related("region__parent__parent").order_by("name", "pk")[:SITES_SHOWN])
    context: dict[str, Any] = {
        "organisation": row,
        "sites": sites,
        "is_paused": bool(sites) and all(site.is_paused for site in sites),
        "judgements": rounds if row.is_verified and not row.by_source else [],
        "listings": row.listings.current().order_by("source_name", "pk"),
        "aliases": row.aliases.order_by("name", "pk"),
        "is_hospital": row.kind == Organisation.Kind.HOSPITAL,
        "may_hand_in": request.user.is_authenticated and may_hand_in_evidence(request.user, row),
    }
    if context["is_hospital"]:
        context |= _hospital(row)
    return render(request, "desks/organisation.html", context)


def _hospital(row: Organisation) -> dict[str, Any]:
    """What everybody may know of what a hospital needs and got."""
    needs = Need.objects.ours().filter(site__organisation=row)
    keys = _keys(needs.open().most_urgent_first(), NEEDS_SHOWN + 1)
    appeals = Appeal.objects.filter(status=AppealStatus.PUBLISHED, facility__organisation=row)
    arrived = (
        needs.public()
        .filter(quantity_received__gt=0)
        .values("item")
        .annotate(received=Sum("quantity_received"))
        .order_by("-received", "item")[:ARRIVED_SHOWN]
    )
    items = Item.objects.select_related("display_unit").in_bulk([each["item"] for each in arrived])
    counted = Receipt.objects.filter(corrects=None, shipment__consignee__organisation=row)
    return {
        "needs": shown(keys[:NEEDS_SHOWN]),
        "has_more": len(keys) > NEEDS_SHOWN,
        "appeal": appeals.newest_first().first(),
        "arrived": [(items[each["item"]], each["received"]) for each in arrived],
        "counted": counted.aggregate(parcels=Count("pk"), last=Max("at")),
    }


@require_safe
def item(request: HttpRequest, code: str) -> HttpResponse:
    """What an item is, what it may be called, what is accepted instead of it, and where how much is lacking."""
    row = get_object_or_404(
        Item.objects.active().select_related("category", "base_unit", "display_unit"), pk=code
    )
    gaps = list(
        row.gaps.select_related("region").order_by("-critical", "-quantity_outstanding", "region")[
            :REGIONS_SHOWN
        ]
    )
    edges = Substitution.objects.filter(item=row).select_related("offered", "satisfies")
    today = timezone.localdate()
    context = {
        "item": row,
        "confused": row.ambiguous_with.order_by("code"),
        "standards": sorted(
            (
                (standard, standard.is_in_force(today))
                for standard in row.standards.exclude(status="impossible").order_by("code")
            ),
            key=lambda pair: not pair[1],  # what one may buy today comes first
        ),
        "instead": _by_verdict(edges),
        "gaps": gaps,
        "sum": _summed(row, gaps),
        "counted_at": gaps[0].counted_at if gaps else None,
    }
    return render(request, "desks/item.html", context)


def _by_verdict(edges: Iterable[Substitution]) -> list[tuple[Verdict, list[Substitution]]]:
    """Accepted first, then what the hospital has to agree to, then what is refused."""
    order = list(Verdict)
    rows = sorted(
        edges, key=lambda edge: (order.index(Verdict(edge.verdict)), edge.satisfies_id, edge.offered_id)
    )
    return [
        (Verdict(verdict), list(group)) for verdict, group in groupby(rows, key=lambda edge: edge.verdict)
    ]


def _summed(row: Item, gaps: Iterable[ItemGap]) -> SimpleNamespace | None:
    """All regions together, as the quantity bar reads a need."""
    gaps = list(gaps)
    if not gaps:
        return None
    sums: dict[str, Any] = {name: sum(getattr(gap, name) for gap in gaps) for name in SUMS}
    return SimpleNamespace(**sums, item=row, quantity_proposed=0)


def _numbered(
    edges: Iterable[Substitution],
) -> tuple[list[tuple[Substitution, list[int]]], dict[Citation, int]]:
    """The edges with the numbers of their sources, each of which is told once, below."""
    sources: dict[Citation, int] = {}
    rows = [
        (edge, [sources.setdefault(one, len(sources) + 1) for one in citations(edge.source)])
        for edge in edges
    ]
    return rows, sources


@require_safe
def how_to_give(request: HttpRequest) -> HttpResponse:
    """What to do before one buys, what may never be sent and why, how to pack, and who takes from whom."""
    refused = (
        Substitution.objects.rejected()
        .select_related("offered", "satisfies", "item")
        .order_by("item__category__position", "item", "offered")
    )
    rows, sources = _numbered(refused)
    context = {
        "industrial": Standard.objects.filter(medical_use=MedicalUse.NO)
        .exclude(status=StandardStatus.IMPOSSIBLE)
        .order_by("code"),
        "refused": rows,
        "sources": sources,
        "dangerous": Item.objects.active().filter(is_dangerous=True).by_category(),
        "senders": list(SenderKind),
    }
    return render(request, "desks/how_to_give.html", context)
