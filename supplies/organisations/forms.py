"""Taking part: a hospital with the door goods are brought to, and how to reach whoever posts."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from supplies.regions.forms import PlaceForm


class HospitalForm(PlaceForm):
    name = forms.CharField(label=_("Name of the hospital"), max_length=200, min_length=2)
    address = forms.CharField(
        label=_("Address of the dock"),
        max_length=300,
        help_text=_("Street, number and gate where goods are unloaded."),
    )
    beds = forms.IntegerField(
        label=_("Beds"),
        required=False,
        min_value=0,
        max_value=100_000,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    field_order = ["name", "province", "city", "district", "address", "beds"]

    def clean(self) -> dict[str, Any] | None:
        self.require_region(down_to="district")
        return self.cleaned_data


class ContactForm(forms.Form):
    """How to reach the person who posts. Sealed, never on a page."""

    contact_name = forms.CharField(label=_("Your name"), max_length=60)
    contact_phone = forms.RegexField(
        r"^[0-9０-９+＋()（）\-－ 转ext.,，/]{5,40}$",
        label=_("Telephone"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        error_messages={"invalid": _("Write a telephone number, with its area code for a landline.")},
        help_text=_("Kept private: volunteers check with you, and the other side of a match reaches you."),
    )
    contact_post = forms.CharField(label=_("Department or post"), max_length=80, required=False)

    def clean_contact_phone(self) -> str:
        phone = str(self.cleaned_data["contact_phone"])
        if sum(character.isdigit() for character in phone) < 5:
            raise forms.ValidationError(self.fields["contact_phone"].error_messages["invalid"])
        return phone
