"""What a stranger fills in to say that something is wrong, and what whoever decides answers."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from supplies import phones
from supplies.catalogue.forms import AmountField
from supplies.catalogue.shelf import Shelf
from supplies.change_requests import services
from supplies.change_requests.models import CAN_BE_WRONG, ChangeRequest, What, Wrong
from supplies.needs.models import Need
from supplies.organisations.contacts import Contact
from supplies.organisations.forms import PhoneField


class ReportForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What is wrong?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is wrong.")},
    )
    amount = AmountField(label=_("If the quantity is wrong: the right one"), required=False)
    duplicate_of = forms.CharField(
        label=_("If it is a duplicate: which one is it the same as?"),
        help_text=_("Its address here, or its name."),
        max_length=300,
        required=False,
    )
    words = forms.CharField(
        label=_("In your own words"),
        help_text=_("How do you know? No names or telephone numbers; the hospital and volunteers read this."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    # People do not see it, programs that fill in every field do.
    website = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    ASKED_ONLY_IF: ClassVar = {"amount": Wrong.WRONG_QUANTITY, "duplicate_of": Wrong.DUPLICATE}

    def __init__(self, *args: Any, what: What, subject: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subject = subject
        choices = [(kind.value, kind.label) for kind in CAN_BE_WRONG[what]]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        if isinstance(subject, Need):
            self.fields["amount"].help_text = _("Counted in: %(unit)s") % {
                "unit": subject.item.display_unit.name
            }
        else:
            del self.fields["amount"]

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise ValidationError(_("This field has to stay empty."))
        return ""

    def clean(self) -> dict[str, Any]:
        """What the verb takes: the quantity in base units, and each answer only where it was asked for."""
        given = dict(super().clean() or {})
        given.pop("website", None)
        amount = given.pop("amount", None)
        given["quantity"] = None
        for name, kind in self.ASKED_ONLY_IF.items():
            if given.get("kind") != kind:
                self.errors.pop(name, None)
        if given.get("kind") == Wrong.WRONG_QUANTITY and amount is not None:
            try:
                given["quantity"] = Shelf.kept().to_base(self.subject.item, amount)
            except ValidationError as fault:
                self.add_error("amount", fault.messages)
        if given.get("kind") != Wrong.DUPLICATE:
            given["duplicate_of"] = ""
        return given


class RightNumberForm(forms.Form):
    """Which of a hospital's numbers is wrong, and the right one."""

    contact = forms.ChoiceField(label=_("Which number is wrong"), required=False)
    telephone = PhoneField(label=_("The right number"), required=False)

    def __init__(self, *args: Any, about: ChangeRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.contacts = {str(one.pk): one for one in services.numbers_of(about.subject)}
        numbers = [
            (pk, f"{phones.masked(one.phone)} {one.post}".strip()) for pk, one in self.contacts.items()
        ]
        at_first = [] if len(numbers) == 1 else [("", _("none of these"))]
        self.fields["contact"].choices = [*at_first, *numbers]  # type: ignore[attr-defined]

    def clean_contact(self) -> Contact | None:
        return self.contacts.get(self.cleaned_data["contact"])


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer"),
        help_text=_(
            "Whoever reported it reads this. Of a fake organisation everybody does: how you found out."
        ),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    quantity = forms.IntegerField(
        label=_("The right quantity"),
        help_text=_("In the smallest counted unit. Leave it empty to take the one reported last."),
        min_value=1,
        required=False,
    )


class NumberAnswerForm(RightNumberForm):
    """An answer where a telephone number is wrong."""

    answer = AnswerForm.base_fields["answer"]


class RefusalForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Whoever reported it reads this."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
