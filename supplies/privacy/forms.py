"""What a person says when she asks for a number, or to be forgotten."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from supplies.allocations.models import Allocation
from supplies.privacy.models import Purpose
from supplies.shipments.models import Shipment


class RevealForm(forms.Form):
    """The buttons of a page fill it in: for what the number is needed, and for which match or delivery."""

    purpose = forms.ChoiceField(choices=Purpose.choices)
    allocation = forms.ModelChoiceField(Allocation.objects.none(), required=False)
    shipment = forms.ModelChoiceField(Shipment.objects.none(), required=False)

    def __init__(self, data: Any, *, user: Any) -> None:
        super().__init__(data)
        for name, model in (("allocation", Allocation), ("shipment", Shipment)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = model.objects.visible_to(user)

    @property
    def asked(self) -> dict[str, Any]:
        """The rest of what `privacy.services.reveal` wants to know."""
        values = self.cleaned_data
        return {"purpose": values["purpose"], "about": values["allocation"] or values["shipment"]}


class EraseForm(forms.Form):
    is_sure = forms.BooleanField(
        label=_("Yes, erase me. I know that it cannot be undone and that I cannot sign in any more.")
    )
