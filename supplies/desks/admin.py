"""Lists of the desk that take several concepts: organisations to check, those first behind whom most waits; shipments."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.carriers.services import as_id
from supplies.desks.carriers import TOO_FEW, WINDOWS, lanes, records
from supplies.desks.dispatching import GatherForm, RerouteForm, gather
from supplies.duplicates.services import propose_two
from supplies.needs.models import Need, NeedStatus
from supplies.offers.models import Offer, OfferStatus
from supplies.organisations.admin import OrganisationAdmin
from supplies.organisations.desk import count_of
from supplies.organisations.models import Organisation
from supplies.organisations.previewing import OneVerb
from supplies.papers.admin import PrintedShipmentAdmin
from supplies.privacy.admin import REVEAL
from supplies.shipments.admin import MergeVerb
from supplies.shipments.models import Shipment
from supplies.shipments.rerouting import UNDER_WAY, reroute

admin.site.unregister(Organisation)
admin.site.unregister(Shipment)


@admin.register(Organisation)
class OrganisationQueue(OrganisationAdmin):
    list_display = ("name", "kind", "region", "standing", "behind", "source", "created_at")
    actions = (*OrganisationAdmin.actions, REVEAL, MergeVerb("same", _("These two are one"), propose_two))
    ordering = ()  # by what is counted below, which is no column
    fieldsets = (
        (None, {"fields": ("name", "kind", "region", "behind", "credit_code", "source", "allocates_for_me")}),
        *OrganisationAdmin.fieldsets[1:],
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        asked = Need.objects.filter(status__in=[NeedStatus.WAITING, NeedStatus.OPEN])
        given = Offer.objects.filter(status__in=[OfferStatus.WAITING, OfferStatus.OPEN])
        rows = (
            super()
            .get_queryset(request)
            .annotate(
                asked=count_of(asked, "appeal__facility__organisation"),
                given=count_of(given, "donation__organisation"),
            )
            .annotate(behind=F("asked") + F("given"))
        )
        # Of those that wait, which are some hundred; all that there are come in an order that an index knows.
        is_queue = request.GET.get("status", "waiting") in ("waiting", "again")
        return rows.order_by(*(["-behind"] if is_queue else []), "created_at", "pk")

    @admin.display(description=_("lines behind it"), ordering="behind")
    def behind(self, organisation: Any) -> int:
        return int(organisation.behind)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.carriers_view)
        return [path("carriers/", view, name="supplies_organisation_carriers"), *super().get_urls()]

    def carriers_view(self, request: HttpRequest) -> HttpResponse:
        """How carriers did, of the shipments this person watches over; of one carrier, in every window and lane by lane."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows, at = Shipment.objects.visible_to(request.user), timezone.now()
        days = request.GET.get("days", "")
        window = int(days) if days in map(str, WINDOWS) else WINDOWS[1]
        carrier, chosen = None, request.GET.get("carrier", "")
        if chosen:
            carrier = Organisation.objects.filter(
                pk__in=[as_id(chosen)], kind=Organisation.Kind.CARRIER
            ).first()
            if carrier is None:
                raise Http404
            rows = rows.filter(carrier=carrier)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Carriers' record"),
            "opts": self.opts,
            "carrier": carrier,
            "records": [
                row for each in (WINDOWS if carrier else [window]) for row in records(rows, days=each, at=at)
            ],
            "lanes": lanes(rows, days=window, at=at) if carrier else [],
            "window": window,
            "too_few": TOO_FEW,
            "windows": [
                {
                    "query_string": f"?days={each}" + (f"&carrier={carrier.pk}" if carrier else ""),
                    "selected": each == window,
                    "display": gettext("the last %(days)d days") % {"days": each},
                }
                for each in WINDOWS
            ],
            "media": self.media,
        }
        return TemplateResponse(request, "admin/carriers.html", context)


@admin.register(Shipment)
class ShipmentDesk(PrintedShipmentAdmin):
    actions = (  # type: ignore[assignment]
        *PrintedShipmentAdmin.actions,
        MergeVerb("gather", _("Gather into one load"), gather, asks=GatherForm),
        OneVerb("reroute", _("Send on to another hospital"), reroute, asks=RerouteForm, fits=UNDER_WAY),
    )
