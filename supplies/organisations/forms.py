"""Taking part: a hospital with the door goods are brought to; and finding out about it."""

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from supplies import phones
from supplies.attachments.models import Attachment
from supplies.leaks import MAIL
from supplies.organisations.likely import likely_sites, site_known_as
from supplies.organisations.models import Alias, Facility, Organisation
from supplies.organisations.services import TRUSTED_DAYS
from supplies.organisations.verification import CallLog, CallOrigin, CallOutcome, Verification
from supplies.phones import found_in
from supplies.regions.forms import PlaceForm
from supplies.wording import apart, unchosen


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

    is_another = forms.BooleanField(label=_("It is none of these: add it"), required=False)

    field_order = ["name", "province", "city", "district", "is_another", "address", "beds"]
    also_needed = ("province", "city", "district")

    @cached_property
    def likely(self) -> list[Facility]:
        """What it may be registered as already, as soon as its name and its city are said."""
        name, place = self._typed("name"), self.region
        return likely_sites(name, place) if name and place is not None and self._typed("city") else []

    @cached_property
    def known(self) -> Facility | None:
        """What goes by this very name in the same district: there one goes on."""
        return site_known_as(self.cleaned_data["name"], self.region) if self.region else None

    def clean(self) -> dict[str, Any] | None:
        self.require_region(down_to="district")
        if not self.errors and not self.cleaned_data["is_another"] and self.likely and not self.known:
            self.add_error("is_another", _("Choose the hospital above, or say that it is another one."))
        return self.cleaned_data


class PhoneField(forms.RegexField):
    """A telephone number as people write it, with what stands beside it."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Telephone"))
        super().__init__(
            r"^[0-9０-９+＋()（）\-－ 转ext.,，/]{5,40}$",
            max_length=40,
            error_messages={"invalid": _("Write a telephone number, with its area code for a landline.")},
            **options,
        )

    def clean(self, value: Any) -> str:
        phone = str(super().clean(value))
        if phone and sum(character.isdigit() for character in phone) < 5:
            raise forms.ValidationError(self.error_messages["invalid"])
        return phone


class ContactForm(forms.Form):
    """How to reach the person who posts. Sealed, never on a page."""

    contact_name = forms.CharField(label=_("Your name"), max_length=60)
    contact_phone = PhoneField(
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        help_text=_("Kept private: volunteers check with you, and the other side of a match reaches you."),
    )
    contact_post = forms.CharField(label=_("Department or post"), max_length=80, required=False)


MOST_CONTACTS = 10


class FurtherContacts(forms.CharField):
    """Others who can be asked, one a line: a name, and a number or an e-mail address, as an announcement names them.

    Clean, it is a list of {"name", "phone", "email"}.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", _("Others who can be asked"))
        options.setdefault(
            "help_text",
            _("One a line: name, and telephone or e-mail. Kept private like the first."),
        )
        super().__init__(required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), **options)

    def clean(self, value: Any) -> list[dict[str, str]]:
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        if len(lines) > MOST_CONTACTS:
            raise forms.ValidationError(_("At most %(n)d, please.") % {"n": MOST_CONTACTS})
        return [self._read(line) for line in lines]

    def _read(self, line: str) -> dict[str, str]:
        rest, email = line, ""
        if mail := MAIL.search(rest):
            email, rest = mail[0], rest.replace(mail[0], " ")
        numbers = list(found_in(rest))
        if not numbers and not email:
            raise forms.ValidationError(
                _("“%(line)s” has neither a telephone number nor an e-mail address.") % {"line": line[:60]}
            )
        phone = " / ".join(number.text.strip() for number in numbers)
        for number in reversed(numbers):
            rest = rest[: number.start] + " " + rest[number.end :]
        name = re.sub(r"[\s,，、;；:：/]+", " ", rest).strip(" -")
        return {"name": name, "phone": phone, "email": email}


class AboutOne(forms.Form):
    """A form about one organisation."""

    def __init__(self, *args: Any, organisation: Organisation | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organisation = organisation


def _text_of(column: str, model: Any = Verification, *, rows: int = 2, **options: Any) -> forms.CharField:
    """A text with the label, the help, the length and the checks of its column."""
    field = model._meta.get_field(column)
    return forms.CharField(
        label=capfirst(field.verbose_name),
        help_text=field.help_text,
        max_length=field.max_length,
        validators=list(field.validators),
        widget=forms.Textarea(attrs={"rows": rows}),
        **options,
    )


class CallForm(AboutOne):
    """Which number, what came of it. A kept contact counts as a number the organisation gave itself."""

    number = forms.ChoiceField(label=_("Number"))
    outcome = forms.ChoiceField(label=_("Outcome"), choices=unchosen(CallOutcome.choices))
    note = _text_of("note", CallLog, required=False)
    call_back_on = forms.DateField(
        label=_("Call back on"),
        help_text=CallLog._meta.get_field("call_back_on").help_text,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contacts = self.organisation.contacts.right().order_by("pk") if self.organisation else ()
        self.contacts = {str(contact.pk): contact for contact in contacts}
        kept = [
            (pk, apart([CallOrigin.GIVEN.label, f"{contact.post} {phones.masked(contact.phone)}".strip()]))
            for pk, contact in self.contacts.items()
            if contact.phone
        ]
        self.fields["number"].choices = unchosen([*CallOrigin.choices, *kept])  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        number = given.pop("number", "")
        contact = self.contacts.get(number)
        return {**given, "contact": contact, "origin": number if contact is None else CallOrigin.GIVEN}


class RefuseForm(AboutOne):
    public_note = _text_of("public_note")
    motive = _text_of("motive")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["public_note"].label = _("What has to change?")
        self.fields["public_note"].help_text = _("The organisation reads this; no names, no numbers.")


class BelieveForm(AboutOne):
    public_note = _text_of("public_note")
    motive = _text_of("motive")
    evidence = forms.ModelMultipleChoiceField(
        label=_("Files that show it"),
        queryset=Attachment.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    recheck_on = forms.DateField(
        label=_("Check again on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recheck_on"].initial = timezone.localdate() + timedelta(days=TRUSTED_DAYS)
        if self.organisation is not None:
            files = Attachment.objects.about(self.organisation).kept().oldest_first()
            self.fields["evidence"].queryset = files  # type: ignore[attr-defined]


class AliasForm(forms.Form):
    name = forms.CharField(label=_("Other name"), max_length=200)
    kind = forms.ChoiceField(label=_("What kind of name"), choices=Alias.Kind)
    source = forms.CharField(
        label=_("Source"), max_length=200, required=False, help_text=_("Where this name stands.")
    )


class CreditCodeForm(forms.Form):
    credit_code = forms.CharField(
        label=_("Unified social credit code"),
        max_length=40,
        help_text=_("18 digits and capitals, as on the certificate. Empty takes it away."),
        required=False,
    )
