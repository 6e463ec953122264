from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from supplies.listings.models import ListedAs
from supplies.regions.forms import PlaceForm


class ListedForm(PlaceForm):
    """How the directory is narrowed."""

    q = forms.CharField(label=_("Name of the hospital"), max_length=60, required=False)
    kind = forms.ChoiceField(
        label=_("Listed as"), choices=[("", _("— either —")), *ListedAs.choices], required=False
    )

    field_order = ["q", "kind", "province", "city", "district"]

    def narrowed(self, rows: Any) -> Any:
        if text := " ".join(self.cleaned_data["q"].split()):
            rows = rows.called(text)
        if kind := self.cleaned_data["kind"]:
            rows = rows.listed_as(kind)
        return rows.in_region(self.region) if self.region is not None else rows
