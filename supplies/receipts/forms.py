"""Counting what arrived, in the unit people use; answering and settling what did not; sending it elsewhere."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.attachments.inspection import WHY
from supplies.attachments.models import MOST_BYTES
from supplies.catalogue.forms import AmountField
from supplies.receipts.models import PARTS, Outcome, ReceiptLine, Refusal
from supplies.shipments.models import ShipmentLine
from supplies.wording import unchosen

WORDS = ("refusal", "refusal_words")


class CountForm(forms.Form):
    """The count of one line, in the unit people use. What is neither counted here nor there is missing."""

    accepted = AmountField(label=gettext_lazy("Good"))
    damaged = AmountField(label=gettext_lazy("Damaged"), required=False)
    wrong_item = AmountField(label=gettext_lazy("Wrong item"), required=False)
    expired = AmountField(label=gettext_lazy("Expired"), required=False)
    refused = AmountField(label=gettext_lazy("Refused"), required=False)
    refusal = forms.ChoiceField(
        label=gettext_lazy("Why refused?"),
        choices=unchosen(Refusal.choices),
        required=False,
    )
    refusal_words = forms.CharField(
        label=gettext_lazy("Why refused, in words"), max_length=200, required=False
    )

    def __init__(self, data: Any = None, *, line: ShipmentLine, before: ReceiptLine | None = None) -> None:
        self.line, self.item = line, line.allocation.offer.item
        super().__init__(data, prefix=f"line-{line.pk}", initial=self._as_before(before) if before else None)
        unit = {"unit": self.item.display_unit.name}
        self.fields["accepted"].help_text = _("Fit for use. All on this line is counted in: %(unit)s") % unit

    def _as_before(self, before: ReceiptLine) -> dict[str, Any]:
        amounts = {kind: getattr(before, kind) for kind in PARTS}
        shown = {kind: f"{self.item.shown(amount):f}" for kind, amount in amounts.items() if amount}
        words = {name: getattr(before, name) for name in WORDS}
        return {"accepted": "0", **shown, **words}

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        for kind in PARTS:
            amount = (values.get(kind) or 0) * self.item.display_factor
            if amount != int(amount):
                self.add_error(kind, _("This is not a whole number of pieces."))
            values[kind] = int(amount)
        return values

    @property
    def is_more_than_shipped(self) -> bool:
        return bool(sum(self.cleaned_data[kind] for kind in PARTS) > self.line.allocation.quantity)

    @property
    def counts(self) -> dict[str, Any]:
        """The line as `receipts.services.receive` takes it."""
        return {"line": self.line, **{name: self.cleaned_data[name] for name in (*PARTS, *WORDS)}}


class ProofField(forms.FileField):
    """A picture: kept as soon as it is sent, since a browser does not hand it in again."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs["error_messages"] = {"empty": WHY["empty"]}
        super().__init__(**kwargs)
        self.widget.attrs.update({"data-most-bytes": MOST_BYTES, "data-too-large": WHY["too-large"]})


class NoteForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("Note"), max_length=500, required=False)
    photo = ProofField(
        label=gettext_lazy("Photograph of the goods"),
        help_text=gettext_lazy(
            "For what is damaged, wrong or refused. Only the two sides and the desk see it."
        ),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp", "data-shrink": ""}),
    )
    received_by = forms.CharField(
        label=gettext_lazy("Received by"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("Your name stays with your hospital and the desk."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    signature = ProofField(
        label=gettext_lazy("Signature"),
        help_text=gettext_lazy(
            "A picture of it, if your browser shows no field to sign in. The typed name is enough."
        ),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp", "data-sign": ""}),
    )


class CorrectionForm(NoteForm):
    because = forms.CharField(label=gettext_lazy("What was wrong with the first count?"), max_length=300)


ENDS = unchosen(choice for choice in Outcome.choices if choice[0] != Outcome.MISCOUNTED)


class AnswerForm(forms.Form):
    proposed = forms.ChoiceField(
        label=gettext_lazy("What becomes of it?"),
        choices=ENDS,
    )
    answer = forms.CharField(
        label=gettext_lazy("Answer"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class SettleForm(forms.Form):
    outcome = forms.ChoiceField(
        label=gettext_lazy("How did it end?"),
        choices=ENDS,
    )
    note = forms.CharField(label=gettext_lazy("Note"), max_length=300, required=False)


class ThanksForm(forms.Form):
    words = forms.CharField(
        label=gettext_lazy("Your thanks"),
        max_length=500,
        help_text=gettext_lazy(
            "Everybody with the code of the shipment or of the donation reads it. No names of people, no telephone numbers."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class RerouteForm(forms.Form):
    to = forms.ChoiceField(label=gettext_lazy("To which hospital?"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("Why does it go there?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


def put_beside(forms_: Sequence[CountForm], fault: ValidationError) -> list[str]:
    """Show "lines.1.accepted" beside the second line; returns what concerns no field."""
    rest: list[str] = []
    for name, sentences in fault.message_dict.items():
        parts = name.split(".")
        if len(parts) == 3 and parts[2] in (*PARTS, *WORDS):
            for sentence in sentences:
                forms_[int(parts[1])].add_error(parts[2], sentence)
        else:
            rest += sentences
    return rest
