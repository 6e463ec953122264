"""Counting what arrived."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.catalogue.forms import AmountField
from supplies.shipments.models import ShipmentLine

KINDS = ("accepted", "damaged", "wrong_item", "expired")


class CountForm(forms.Form):
    """The count of one line, in the unit people use. What is neither counted here nor there is missing."""

    accepted = AmountField(label=gettext_lazy("Good"))
    damaged = AmountField(label=gettext_lazy("Damaged"), required=False)
    wrong_item = AmountField(label=gettext_lazy("Wrong item"), required=False)
    expired = AmountField(label=gettext_lazy("Expired"), required=False)

    def __init__(self, data: Any = None, *, line: ShipmentLine) -> None:
        super().__init__(data, prefix=f"line-{line.pk}")
        self.line = line
        self.item = line.allocation.offer.item

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        for kind in KINDS:
            amount = (values.get(kind) or 0) * self.item.display_factor
            if amount != int(amount):
                self.add_error(kind, _("This is not a whole number of pieces."))
            values[kind] = int(amount)
        return values

    @property
    def counts(self) -> dict[str, Any]:
        """The line as `receipts.services.receive` takes it."""
        return {"line": self.line, **{kind: self.cleaned_data[kind] for kind in KINDS}}


class NoteForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("Note"), max_length=500, required=False)


def put_beside(forms_: Sequence[CountForm], fault: ValidationError) -> list[str]:
    """Show "lines.1.accepted" beside the second line; returns what concerns no field."""
    rest: list[str] = []
    for name, sentences in fault.message_dict.items():
        parts = name.split(".")
        if len(parts) == 3 and parts[2] in KINDS:
            for sentence in sentences:
                forms_[int(parts[1])].add_error(parts[2], sentence)
        else:
            rest += sentences
    return rest
