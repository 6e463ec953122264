"""Organisations to check at the desk, those first behind whom most waits."""

from typing import Any

from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from supplies.duplicates.services import propose_two
from supplies.needs.models import Need, NeedStatus
from supplies.offers.models import Offer, OfferStatus
from supplies.organisations.admin import OrganisationAdmin
from supplies.organisations.desk import TogetherVerb, count_of
from supplies.organisations.models import Organisation
from supplies.privacy.admin import REVEAL

admin.site.unregister(Organisation)


@admin.register(Organisation)
class OrganisationQueue(OrganisationAdmin):
    list_display = ("name", "kind", "region", "standing", "behind", "source", "created_at")
    actions = (*OrganisationAdmin.actions, REVEAL, TogetherVerb("same", _("These two are one"), propose_two))
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
