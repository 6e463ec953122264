"""Pages that show several concepts: a code followed, and one's own desk."""

import re
from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from supplies.allocations.models import Allocation
from supplies.change_requests.models import ChangeRequest
from supplies.desks.hospital import Waiting, to_confirm, waiting
from supplies.desks.tracking import Line, track
from supplies.needs.models import Appeal, Need
from supplies.notices.following import FOLLOWED
from supplies.organisations.models import Facility, Membership, Organisation
from supplies.organisations.visitors import SignedIn, private, signed_in
from supplies.papers.models import Certificate
from supplies.receipts.models import DiscrepancyTicket, TicketStatus
from supplies.shipments.models import Shipment, ShipmentStatus

GAUGES = {
    "requested": _("asked for"),
    "proposed": _("proposed"),
    "promised": _("promised"),
    "in_transit": _("in transit"),
    "received": _("received"),
    "outstanding": _("still needed"),
    "offered": _("offered"),
    "left": _("left"),
    "shipped": _("quantity"),
    "accepted": _("good"),
    "damaged": _("damaged"),
    "wrong_item": _("wrong item"),
    "expired": _("expired"),
    "refused": pgettext_lazy("a part of the goods", "refused"),
    "missing": _("missing"),
    "surplus": _("more than shipped"),
}
ALWAYS_TOLD = {"outstanding", "left", "accepted"}
NOT_NEEDED = {"withdrawn", "refused"}
ROWS_ON_A_DESK = 20


@require_safe
def find_code(request: HttpRequest) -> HttpResponse:
    """The box for a tracking code; a code as people copy it, with spaces and capitals."""
    code = re.sub(r"[\s-]", "", request.GET.get("code", "")).lower()[:40]
    if code and re.fullmatch(r"[0-9a-z]+", code):
        return redirect("track", code)
    return private(
        render(
            request,
            "desks/track.html",
            {"code": code, "is_wrong": bool(code), "is_empty": "code" in request.GET and not code},
        )
    )


@require_safe
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """What has become of an appeal, a donation, a shipment or a report; a certificate's code leads to it. The code is the key, so nothing may pass it on."""
    found = track(code.lower())
    if found is None and Certificate.objects.filter(code=code.lower()).exists():
        return private(redirect("certificate", code.lower()))
    if found and found.kind == "report":
        return private(redirect("reported", found.code))
    if found and found.code != code.lower():
        messages.info(request, _("What had this code travels with another shipment now. Here is its way."))
        return private(redirect("track", found.code))
    context: dict[str, Any] = {"code": code, "track": found, "is_wrong": found is None}
    if found:
        link = f"{settings.SITE_ADDRESS}{reverse('track', args=[found.code])}"
        context |= {
            "lines": [(line, _told(line)) for line in found.lines],
            "parcels": [
                (parcel, [(line, _told(line)) for line in parcel.lines]) for parcel in found.shipments
            ],
            "link": link,
            "may_follow": found.kind == "shipment" and found.status in FOLLOWED,
            "picture": SafeString(_picture(link)),  # nosec B703 # drawn here, of squares alone
        }
    return private(render(request, "desks/track.html", context, status=200 if found else 404))


def _picture(link: str) -> str:
    """A QR code as SVG, as large as the place it stands in."""
    drawn: str = segno.make(link, error="m", micro=False).svg_inline(omitsize=True, border=2)
    return drawn


def _told(line: Line) -> list[tuple[Any, int | None]]:
    """The gauges of a line that say something: nothing lost and nothing damaged need not be told."""
    told = {name: quantity for name, quantity in line.gauges.items() if quantity != 0 or name in ALWAYS_TOLD}
    if line.status in NOT_NEEDED:
        told.pop("outstanding", None)
    return [(GAUGES[name], quantity) for name, quantity in told.items()]


@signed_in
@require_safe
def mine(request: SignedIn) -> HttpResponse:
    """A short doorway: what waits for this person, in whatever role, and where her work lies."""
    user = request.user
    own = Organisation.objects.of(user)
    memberships = list(Membership.objects.filter(user=user).select_related("organisation"))
    kinds = {row.organisation.kind for row in memberships}
    moved = Shipment.objects.filter(Q(consignor__in=own) | Q(carrier__in=own))
    context = {
        "waiting": _waits(user, kinds),
        "is_hospital": Organisation.Kind.HOSPITAL in kinds,
        "acts": bool(kinds),
        "posted": Appeal.objects.filter(posted_by=user)
        .exclude(facility__organisation__in=own)
        .select_related("facility")
        .newest_first()[:ROWS_ON_A_DESK],
        "sent": moved.select_related("consignor", "consignee").newest_first()[:ROWS_ON_A_DESK],
        "allocations": Allocation.objects.filter(offer__donation__organisation__in=own)
        .with_sides()
        .newest_first()[:ROWS_ON_A_DESK],
    }
    return render(request, "desks/mine.html", context)


def _waits(user: Any, kinds: set[str]) -> list[Waiting]:
    """What waits for somebody who acts for organisations of these kinds."""
    own, at = Organisation.objects.of(user), timezone.now()
    rows = []
    if Organisation.Kind.HOSPITAL in kinds:
        hospital = reverse("my-hospital")
        arrived = Shipment.objects.filter(
            consignee__organisation__in=own, status=ShipmentStatus.DELIVERED
        ).aggregate(count=Count("pk"), since=Min("delivered_at"))
        quiet = to_confirm(Need.objects.filter(site__in=Facility.objects.of(user)), at=at)
        unsure = quiet.aggregate(count=Count("pk"), since=Min("confirmed_at"))
        wrong = ChangeRequest.objects.visible_to(user).open().filter(organisation__in=own)
        said = wrong.aggregate(count=Count("pk"), since=Min("created_at"))
        rows += [
            Waiting(_("Arrived, not counted"), action=_("Count what arrived"), address=hospital, **arrived),
            Waiting(
                _("Not confirmed lately"),
                action=_("Say what is still needed"),
                address=f"{hospital}#still-needed",
                **unsure,
            ),
            Waiting(
                _("Said to be wrong with your hospital or its needs"),
                action=_("Look at it"),
                address=reverse("change-requests"),
                **said,
            ),
        ]
    if Organisation.Kind.DONOR in kinds:
        asked = DiscrepancyTicket.objects.filter(shipment__consignor__in=own, status=TicketStatus.OPEN)
        oldest = asked.order_by("opened_at", "pk").values_list("shipment", flat=True).first()
        told = asked.aggregate(count=Count("pk"), since=Min("opened_at"))
        address = reverse("tickets", args=[oldest]) if oldest else ""
        what = _("The hospital asks what became of goods you sent")
        rows.append(Waiting(what, action=_("Answer it"), address=address, **told))
    if Organisation.Kind.CARRIER in kinds:
        booked = Shipment.objects.filter(carrier__in=own, status=ShipmentStatus.BOOKED)
        told = booked.aggregate(count=Count("pk"), since=Min("created_at"))
        oldest = booked.order_by("created_at", "pk").values_list("pk", flat=True).first()
        address = reverse("dock-shipment", args=[oldest]) if oldest else reverse("dock")
        rows.append(
            Waiting(_("Booked with you, not picked up"), action=_("Take it over"), address=address, **told)
        )
    return waiting(*rows)
