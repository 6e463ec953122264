"""Pages that show several concepts: a code followed, and one's own desk."""

import re
from typing import Any

import segno
from django.conf import settings
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from supplies.allocations.models import Allocation
from supplies.change_requests.models import ChangeRequest
from supplies.desks.tracking import Line, track
from supplies.needs.models import Appeal, Need
from supplies.notices.following import FOLLOWED
from supplies.offers.models import Donation
from supplies.organisations.models import Facility, Organisation
from supplies.organisations.visitors import SignedIn, private, signed_in
from supplies.search import first
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
    "shipped": _("shipped"),
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
    return private(render(request, "desks/track.html", {"code": code, "is_wrong": bool(code)}))


@require_safe
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """What has become of an appeal, a donation, a shipment or a report. The code is the key, so nothing may pass it on."""
    found = track(code.lower())
    if found and found.kind == "report":
        return private(redirect("reported", found.code))
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
    """One's own desk: what waits first, then what one has posted."""
    user = request.user
    own = Organisation.objects.of(user)
    shipments = Shipment.objects.select_related(
        "consignor", "consignee__organisation", "carrier"
    ).newest_first()
    to_me = shipments.filter(consignee__organisation__in=own).exclude(status=ShipmentStatus.CANCELLED)
    appeals = Appeal.objects.filter(posted_by=user) | Appeal.objects.filter(facility__organisation__in=own)
    donations = Donation.objects.filter(posted_by=user) | Donation.objects.filter(organisation__in=own)
    promises = Allocation.objects.filter(
        need__appeal__facility__organisation__in=own
    ) | Allocation.objects.filter(offer__donation__organisation__in=own)
    grey = Need.objects.grey().filter(site__in=Facility.objects.of(user))
    said = ChangeRequest.objects.visible_to(user).open().filter(organisation__in=own)
    context = {
        "to_confirm": first(
            grey.select_related("item__display_unit", "appeal__facility").most_urgent_first(), ROWS_ON_A_DESK
        ),
        "said_to_be_wrong": said.count(),
        "to_count": to_me.filter(status=ShipmentStatus.DELIVERED),
        "shipments": to_me.exclude(status=ShipmentStatus.DELIVERED)[:ROWS_ON_A_DESK],
        "sent": shipments.filter(Q(consignor__in=own) | Q(carrier__in=own))[:ROWS_ON_A_DESK],
        "appeals": appeals.select_related("facility")
        .annotate(lines=Count("needs", distinct=True))
        .newest_first()[:ROWS_ON_A_DESK],
        "donations": donations.select_related("organisation")
        .annotate(lines=Count("offers", distinct=True))
        .newest_first()[:ROWS_ON_A_DESK],
        "allocations": promises.with_sides().newest_first()[:ROWS_ON_A_DESK],
        "sites": Facility.objects.of(user)
        .filter(organisation__kind=Organisation.Kind.HOSPITAL)
        .select_related("organisation", "region__parent__parent")
        .order_by("name", "pk"),
    }
    return render(request, "desks/mine.html", context)
