"""Taking part: an account in a minute, and a hospital with the door goods are brought to."""

from typing import Any

from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.organisations.models import User
from supplies.regions.forms import PlaceForm


class LongEnough(MinimumLengthValidator):
    """Django's rule in words that are translated here."""

    def get_error_message(self) -> str:
        return gettext("This password is too short: it needs at least %(number)d characters.") % {
            "number": self.min_length
        }

    def get_help_text(self) -> str:
        return gettext("At least %(number)d characters.") % {"number": self.min_length}


class SignUpForm(UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = _("A name to sign in with. Others do not see it.")
        self.fields["password1"].help_text = _("At least ten characters; three words you remember are good.")
        self.fields["password2"].help_text = ""


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
