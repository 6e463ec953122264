"""Certificates at the desk: what was issued, and calling one back."""

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from supplies.organisations.desk import DeskAdmin, DeskInline, Verb, in_units
from supplies.papers import services
from supplies.papers.models import Certificate, CertifiedGoods


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
