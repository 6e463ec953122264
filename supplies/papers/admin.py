"""Papers at the desk: those of a shipment, to print; certificates, what was issued, and calling one back."""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.organisations.desk import DeskAdmin, DeskInline, Verb, in_units
from supplies.papers import services
from supplies.papers.models import Certificate, CertifiedGoods
from supplies.papers.printing import labels_of
from supplies.receipts.admin import CountedShipmentAdmin
from supplies.receipts.models import Receipt
from supplies.shipments.models import Shipment


class WhyForm(forms.Form):
    note = forms.CharField(
        label=_("Why is it called back?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
        help_text=_("Whoever checks it is told that it is not valid any more, not why."),
    )


class GoodsInline(DeskInline):
    model = CertifiedGoods
    fields = ("facility", "item", "amount", "last_on")
    ordering = ("last_on", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CertifiedGoods]:
        return super().get_queryset(request).select_related("facility", "item__display_unit")

    @admin.display(description=_("good"))
    def amount(self, line: CertifiedGoods) -> str:
        return in_units(line.item, line.accepted)


@admin.register(Certificate)
class CertificateAdmin(DeskAdmin):
    region_of = "donation.region"
    list_display = ("__str__", "donor", "issued_at", "issued_by", "called_back_at")
    list_select_related = ("donation__organisation", "issued_by")
    search_fields = ("=code", "donation__organisation__name")
    fields = ("code", "donation", "issued_at", "issued_by", "called_back_at", "called_back_because")
    ordering = ("-issued_at", "-pk")
    inlines = (GoodsInline,)
    actions = (Verb("call_back", _("Call back"), services.call_back, asks=WhyForm),)

    @admin.display(description=_("donor"))
    def donor(self, certificate: Certificate) -> str:
        return certificate.donation.organisation.name


PRINTED = {
    "labels": _("Labels for the parcels"),
    "packing-list": _("Packing list"),
    "waybill": _("Waybill"),
    "receipt": _("Receipt"),
}
MOST_AT_ONCE = 50  # shipments; each has its labels drawn while somebody waits


class PrintLabels(Verb):
    """Changes nothing: the labels of all chosen shipments as one file."""

    def __call__(self, desk: DeskAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
        chosen = list(rows[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            desk.message_user(
                request,
                gettext("Choose at most %(most)d at once.") % {"most": MOST_AT_ONCE},
                messages.ERROR,
            )
            return None
        return labels_of(chosen)


# A page that knows shipments and their papers belongs here.
admin.site.unregister(Shipment)


@admin.register(Shipment)
class PrintedShipmentAdmin(CountedShipmentAdmin):
    fieldsets = (  # type: ignore[assignment]
        *CountedShipmentAdmin.fieldsets[:2],
        (_("For printing"), {"fields": ("papers",)}),
        *CountedShipmentAdmin.fieldsets[2:],
    )
    actions = (  # type: ignore[assignment]
        *CountedShipmentAdmin.actions,
        PrintLabels("labels", _("Print labels"), labels_of),
    )

    @admin.display(description=_("papers"))
    def papers(self, shipment: Shipment) -> str:
        names = dict(PRINTED)
        if not Receipt.objects.standing().filter(shipment=shipment).exists():
            del names["receipt"]
        links = [
            (reverse("shipment-paper", args=[shipment.pk, name]), title) for name, title in names.items()
        ]
        return format_html_join(" · ", '<a href="{}">{}</a>', links)
