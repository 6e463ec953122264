"""What somebody types who asks what goods are good for."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from matching.lookup import ANYWHERE, MOST_TEXT, Asked
from supplies.api_fields import FIRST_DAY, LAST_DAY, NOT_A_DAY
from supplies.catalogue.models import Item, Standard
from supplies.needs.models import Setting

NOT_KNOWN = ("", gettext_lazy("not known"))
YES_OR_NO = [NOT_KNOWN, ("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))]
COUNTRIES = [
    ("CN", gettext_lazy("China")),
    ("US", gettext_lazy("United States")),
    ("EU", gettext_lazy("European Union")),
]
ANSWERS = {"yes": True, "no": False}


class CheckForm(forms.Form):
    """One field for everything that is printed or scanned; the rest narrows the answer."""

    q = forms.CharField(
        label=gettext_lazy("What it is, and what is printed on it"),
        max_length=MOST_TEXT,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Name, standard, registration number, barcode: type, paste or scan, in any order. For example: N95口罩 GB 19083-2010."
        ),
    )
    item = forms.CharField(max_length=30, required=False, widget=forms.HiddenInput)
    standard = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    setting = forms.ChoiceField(
        label=gettext_lazy("Where it is to be used"),
        choices=[("", ANYWHERE), *Setting.choices],
        required=False,
    )
    sterile = forms.ChoiceField(label=gettext_lazy("Sterile"), choices=YES_OR_NO, required=False)
    valve = forms.ChoiceField(label=gettext_lazy("With a valve"), choices=YES_OR_NO, required=False)
    expires = forms.DateField(
        label=gettext_lazy("Expires on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    country = forms.ChoiceField(label=gettext_lazy("Rules of"), choices=COUNTRIES, required=False)

    narrowing = ("setting", "sterile", "valve", "expires", "country")

    def clean_item(self) -> str:
        return self._known(Item.objects.active(), "item")

    def clean_standard(self) -> str:
        return self._known(Standard.objects.all(), "standard")

    def _known(self, rows: Any, name: str) -> str:
        code: str = self.cleaned_data[name]
        if code and not rows.filter(pk=code).exists():
            raise forms.ValidationError(_("The catalogue has no “%(code)s”.") % {"code": code})
        return code

    def clean_expires(self) -> Any:
        day = self.cleaned_data["expires"]
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError(NOT_A_DAY)
        return day

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if not self.errors and not (values["q"] or values["item"] or values["standard"]):
            self.add_error(
                "q", _("Say what you have: a name, a standard, or a number that is printed on it.")
            )
        return values

    @property
    def is_narrowed(self) -> bool:
        return any(self.data.get(name) for name in self.narrowing)

    @property
    def asked(self) -> Asked:
        """After a valid clean."""
        values = self.cleaned_data
        return Asked(
            text=values["q"],
            item=values["item"],
            standard=values["standard"],
            sterile=ANSWERS.get(values["sterile"]),
            has_valve=ANSWERS.get(values["valve"]),
            expires_on=values["expires"],
            setting=values["setting"],
            country=values["country"] or "CN",
        )
