from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supplies.dock.moves import Move
from supplies.receipts.forms import ProofField
from supplies.shipments import sightings


class CodeForm(forms.Form):
    # An empty press is told in the page's words and language, not in the browser's.
    use_required_attribute = False

    code = forms.CharField(
        label=_("Number or code"),
        max_length=300,
        error_messages={"required": _("Type the number first.")},
        strip=False,  # what stands between the numbers of a bar code is no space to be taken off
        help_text=_("The number under the bars, the tracking code or the waybill number."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "enterkeyhint": "go",
            }
        ),
    )


class MoveForm(forms.Form):
    """A button that was pressed at the dock, and when, where that was before it could be sent."""

    move = forms.ChoiceField(choices=Move.choices)
    pressed_at = forms.DateTimeField(required=False)

    def clean_pressed_at(self) -> datetime | None:
        pressed_at: datetime | None = self.cleaned_data["pressed_at"]
        fault = sightings.impossible(pressed_at, at=timezone.now()) if pressed_at else ""
        if fault:
            raise forms.ValidationError(fault, code="time-impossible")
        return pressed_at


def _picture(kind: str, **attrs: Any) -> forms.FileInput:
    return forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp", kind: "", **attrs})


class ProofForm(forms.Form):
    photo = ProofField(
        label=_("Photograph of the goods"),
        help_text=_("Only the two sides, the carrier and the desk see it."),
        widget=_picture("data-shrink", capture="environment"),
    )
    signature = ProofField(
        label=_("Signature of who takes it"),
        help_text=_("Only the hospital and the desk see it."),
        widget=_picture("data-sign"),
    )
