"""The desk's form of what travels apart: pieces of each line that are in no unit, and whole units."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from supplies.organisations.desk import in_units
from supplies.organisations.models import User
from supplies.shipments.models import Shipment
from supplies.shipments.packing import unpacked


class SplitForm(forms.Form):
    units = forms.TypedMultipleChoiceField(
        label=_("Whole units"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(label=_("Why?"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, shipment: Shipment, user: User, data: Any = None) -> None:
        super().__init__(data)
        self._units = {unit.pk: unit for unit in shipment.units.live().order_by("pk")}
        lines = shipment.lines.filter(is_live=True).select_related(
            "allocation__offer__item__display_unit", "allocation__need__item__display_unit"
        )
        self._lines = {f"line_{line.pk}": line for line in lines.order_by("pk")}
        loose = unpacked(shipment)
        for name, line in self._lines.items():
            item = line.allocation.offer.item
            self.fields[name] = forms.IntegerField(
                label=item.name,
                required=False,
                min_value=0,
                max_value=loose[line.pk],
                help_text=_("Pieces that travel apart, of %(loose)d in no unit; all of it is %(all)s.")
                % {"loose": loose[line.pk], "all": in_units(item, line.allocation.quantity)},
            )
        units = self.fields["units"]
        assert isinstance(units, forms.TypedMultipleChoiceField)
        units.choices = [
            (pk, f"{unit.get_kind_display()} {unit.sscc or pk}") for pk, unit in self._units.items()
        ]
        if not self._units:
            del self.fields["units"]
        self.order_fields([*self._lines, "units", "reason"])

    def clean(self) -> dict[str, Any]:
        """The answers of the verb: lines with their pieces, units, and why."""
        given = self.cleaned_data
        pieces = {name: given.get(name) for name in self._lines}
        return {
            "lines": [
                {"line": self._lines[name], "quantity": number} for name, number in pieces.items() if number
            ],
            "units": [self._units[pk] for pk in given.get("units", [])],
            "reason": given.get("reason", ""),
        }
