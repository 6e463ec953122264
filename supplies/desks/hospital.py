"""The hospital's workspace: what waits for its people first, then what they asked for and what is on its way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Q, Subquery, TextField
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from supplies.accounts.drafts import KEPT
from supplies.accounts.models import Draft
from supplies.attachments.models import Attachment
from supplies.change_requests.models import ChangeRequest
from supplies.desks.hospital_copy import copy_of
from supplies.journal.services import record
from supplies.needs.models import Appeal, Need, NeedQuerySet, NeedStatus, Reminded
from supplies.organisations.models import Facility, Membership, Organisation, OrganisationQuerySet
from supplies.organisations.pace import days_to_verify
from supplies.organisations.visitors import SignedIn, private, signed_in
from supplies.receipts.models import DiscrepancyTicket, Thanks, TicketStatus
from supplies.shipments.models import ON_ITS_WAY, Shipment, ShipmentStatus

NEEDS_SHOWN = 20
APPEALS_SHOWN = 5
SHIPMENTS_SHOWN = 40
COUNTED = (ShipmentStatus.ACCEPTED, ShipmentStatus.PARTLY_ACCEPTED)


@dataclass(frozen=True)
class Waiting:
    """Something that waits for somebody: how often, since when, and the one thing to do about it."""

    what: str | Promise
    count: int
    since: datetime | None
    action: str | Promise
    address: str


def waiting(*rows: Waiting) -> list[Waiting]:
    """Those there is something of, in the order given: it is the order of doing."""
    return [row for row in rows if row.count]


def own_hospitals(user: Any) -> OrganisationQuerySet:
    return Organisation.objects.of(user).standing().filter(kind=Organisation.Kind.HOSPITAL)


def to_confirm(needs: NeedQuerySet, *, at: datetime) -> NeedQuerySet:
    """Of which nobody has said lately that they are still needed: grey or told of, or ended for want of a word."""
    quiet = Q(status=NeedStatus.OPEN) & (Q(is_grey=True) | Q(reminded__gt=Reminded.NOT_YET))
    ended = Q(status=NeedStatus.LAPSED, deadline_at__gt=at)
    return needs.filter(quiet | ended)


@signed_in
@require_safe
def my_hospital(request: SignedIn) -> HttpResponse:
    """All that an equipment officer has to look at, on one page; of several hospitals, all of them."""
    user, at = request.user, timezone.now()
    hospitals = list(_with_state(own_hospitals(user), user))
    sites = list(
        Facility.objects.filter(organisation__in=hospitals, merged_into=None)
        .select_related("region__parent__parent")
        .order_by("name", "pk")
    )
    by_id = {hospital.pk: hospital for hospital in hospitals}
    for site in sites:
        site.organisation = by_id[site.organisation_id]
    needs = Need.objects.filter(site__in=sites).select_related("item__display_unit", "appeal__facility")
    quiet = list(to_confirm(needs, at=at).most_urgent_first()[:NEEDS_SHOWN])
    shipments = _shipments(sites)
    appeals = (
        Appeal.objects.filter(facility__in=sites)
        .select_related("facility")
        .annotate(lines=Count("needs"))
        .newest_first()[:APPEALS_SHOWN]
        if sites
        else []
    )
    to_count = [row for row in shipments if row.status == ShipmentStatus.DELIVERED]
    to_settle = [row for row in shipments if row.is_to_settle]
    context = {
        "hospitals": hospitals,
        "sites": sites,
        "waiting": _waiting(hospitals, quiet, to_count, to_settle),
        "quiet": quiet,
        "open": list(needs.open().most_urgent_first()[: NEEDS_SHOWN + 1]),
        "most_shown": NEEDS_SHOWN,
        "to_count": to_count,
        "on_the_way": [row for row in shipments if row.status in ON_ITS_WAY],
        "to_thank": [row for row in shipments if row.status in COUNTED and not row.is_thanked],
        "appeals": list(appeals),
        "drafts": _drafts(user, sites, at),
        "days_to_verify": days_to_verify() if any(not row.is_verified for row in hospitals) else None,
    }
    return render(request, "desks/hospital.html", context)


def _with_state(hospitals: OrganisationQuerySet, user: Any) -> Iterable[Any]:
    """Each with how far it has come, how many act for it, and what is said to be wrong with it."""
    papers = Attachment.objects.kept().filter(subject="organisation", subject_id=OuterRef("key"))
    said = ChangeRequest.objects.visible_to(user).open().filter(organisation=OuterRef("pk")).order_by()
    counted = said.values("organisation")
    team = Membership.objects.filter(organisation=OuterRef("pk")).order_by().values("organisation")
    return (
        hospitals.annotate(key=Cast("pk", TextField()))
        .annotate(
            has_papers=Exists(papers),
            has_asked=Exists(Appeal.objects.filter(facility__organisation=OuterRef("pk"))),
            people=Subquery(team.annotate(n=Count("user", distinct=True)).values("n")),
            said_wrong=Subquery(counted.annotate(n=Count("pk")).values("n")),
            said_since=Subquery(counted.annotate(since=Min("created_at")).values("since")),
        )
        .order_by("name", "pk")
    )


def _shipments(sites: list[Facility]) -> list[Any]:
    """To these sites: under way, to be counted, or counted; the newest."""
    answered = DiscrepancyTicket.objects.filter(shipment=OuterRef("pk"), status=TicketStatus.ANSWERED)
    rows = Shipment.objects.filter(
        consignee__in=sites, status__in=[*ON_ITS_WAY, ShipmentStatus.DELIVERED, *COUNTED]
    )
    rows = rows.select_related("consignor", "consignee", "carrier").annotate(
        is_to_settle=Exists(answered), is_thanked=Exists(Thanks.objects.filter(shipment=OuterRef("pk")))
    )
    return list(rows.newest_first()[:SHIPMENTS_SHOWN]) if sites else []


def _waiting(
    hospitals: list[Any], quiet: list[Need], to_count: list[Any], to_settle: list[Any]
) -> list[Waiting]:
    since = min((row.said_since for row in hospitals if row.said_since), default=None)
    return waiting(
        Waiting(
            _("Arrived, not counted"),
            len(to_count),
            min((row.delivered_at for row in to_count if row.delivered_at), default=None),
            _("Count what arrived"),
            reverse("count-shipment", args=[to_count[-1].pk]) if to_count else "",
        ),
        Waiting(
            _("Not confirmed lately"),
            len(quiet),
            min((need.confirmed_at for need in quiet), default=None),
            _("Say what is still needed"),
            "#still-needed",
        ),
        Waiting(
            _("The sender has answered about what was missing"),
            len(to_settle),
            None,
            _("Settle it"),
            reverse("tickets", args=[to_settle[-1].pk]) if to_settle else "",
        ),
        Waiting(
            _("Said to be wrong with your hospital or its needs"),
            sum(row.said_wrong or 0 for row in hospitals),
            since,
            _("Look at it"),
            reverse("change-requests"),
        ),
    )


def _drafts(user: Any, sites: list[Facility], at: datetime) -> list[tuple[Draft, Facility | None]]:
    """What was begun and not sent, each with the site it is for, where that is one's own."""
    pages = {reverse("post-appeal", args=[site.pk]): site for site in sites}
    kept = Draft.objects.filter(user=user, kept_at__gt=at - KEPT).defer("typed_sealed").newest_first()
    kept = kept.exclude(page__startswith=reverse("post-donation"))
    return [(draft, pages.get(draft.page)) for draft in kept]


@signed_in
@require_POST
def download(request: SignedIn) -> HttpResponse:
    """All that concerns the hospitals a person acts for, as tables in one file."""
    at = timezone.now()
    content, rows = copy_of(own_hospitals(request.user))
    record(request.user, "list.downloaded", by=request.user, at=at, list="hospital", rows=rows)
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="tongzhou-hospital-{timezone.localdate(at)}.zip"'
    return private(response)
