"""What the desk asks before it approves, allocates by hand, starts a run or takes one back."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from matching.fitting import offers_for
from matching.models import DeviationReason, MatchingPolicy, Proposal
from supplies.emergencies.models import Emergency
from supplies.needs.models import Need
from supplies.offers.models import Offer
from supplies.organisations.desk import in_units, reason_form
from supplies.organisations.models import User
from supplies.wording import apart


class CalledForm(forms.Form):
    called = forms.BooleanField(
        label=_("I have called, and they said yes"),
        help_text=_("Your account and the time go into the journal as the one who called."),
    )


class WhyForm(forms.Form):
    """Why an approval departs from what was proposed."""

    reason = forms.ChoiceField(label=_("Why"), choices=[("", "—"), *DeviationReason.choices])
    note = forms.CharField(
        label=_("Note"),
        help_text=_("For whoever reads the report. No names, no telephone numbers."),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class OutOfTurnForm(WhyForm):
    reason = forms.ChoiceField(
        label=_("Why before the more urgent"),
        choices=WhyForm.base_fields["reason"].choices,  # type: ignore[attr-defined]
        help_text=_(
            "More urgent proposals of the same goods wait. Go back to approve them first, or say why not."
        ),
    )


class FewerForm(WhyForm):
    quantity = forms.IntegerField(label=_("How many"), min_value=1)
    field_order = ("quantity", "reason", "note")

    def __init__(self, proposal: Proposal, user: User, data: Any = None) -> None:
        super().__init__(data)
        item, self.pack = proposal.need.item, proposal.offer.pack
        known = {
            "amount": in_units(item, proposal.quantity),
            "quantity": proposal.quantity,
            "unit": item.base_unit,
            "pack": self.pack,
        }
        hint = _("Proposed: %(amount)s, which is %(quantity)d %(unit)s. Any number below it is right.")
        if self.pack > 1:
            hint = _(
                "Proposed: %(amount)s, which is %(quantity)d %(unit)s, in packs of %(pack)d: type a multiple of %(pack)d."
            )
        self.fields["quantity"].help_text = hint % known

    def clean_quantity(self) -> int:
        quantity: int = self.cleaned_data["quantity"]
        if quantity % self.pack:
            raise forms.ValidationError(
                _("Only whole packs are sent: type a multiple of %(pack)d.") % {"pack": self.pack}
            )
        return quantity


DeclineForm = reason_form(
    _(
        "Volunteers and both sides can read it with the proposal; the pair is not proposed again."
        " No names, no telephone numbers."
    )
)


class ByHandForm(WhyForm):
    """Offers that may go to a need by the rules of the matching, the nearest first."""

    offer = forms.ChoiceField(label=_("Offer"))
    quantity = forms.IntegerField(
        label=_("Quantity"), help_text=_("In the item's smallest counted unit, in whole packs."), min_value=1
    )
    field_order = ("offer", "quantity", "reason", "note")

    def __init__(self, need: Need, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["offer"].choices = [  # type: ignore[attr-defined]
            (str(offer.pk), _offered(offer, km)) for offer, km in offers_for(need, as_of=at)
        ]

    def clean_offer(self) -> Offer:
        return Offer.objects.get(pk=self.cleaned_data["offer"])


def _offered(offer: Offer, km: int) -> str:
    goods = f"{offer.item} ({offer.standard})" if offer.standard else str(offer.item)
    left = in_units(offer.item, offer.quantity_open)
    return apart([offer.donation.organisation.name, goods, left, f"{km:,} km"])


UndoForm = reason_form(
    _(
        "Ends every proposal of this run that nobody has answered; what was approved stands."
        " The reason is kept with each. No names, no telephone numbers."
    ),
    label=_("Why it is taken back"),
)


class StartForm(forms.Form):
    emergency = forms.ModelChoiceField(
        label=_("Emergency"), queryset=Emergency.objects.none(), empty_label=None
    )
    policy = forms.ModelChoiceField(
        label=_("Policy"), queryset=MatchingPolicy.objects.none(), initial="urgency", empty_label=None
    )
    is_dry = forms.BooleanField(
        label=_("Dry run"), required=False, help_text=_("Computes and counts; proposes nothing.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        emergency, policy = self.fields["emergency"], self.fields["policy"]
        assert isinstance(emergency, forms.ModelChoiceField)
        assert isinstance(policy, forms.ModelChoiceField)
        emergency.queryset = Emergency.objects.going_on().newest_first()
        policy.queryset = MatchingPolicy.objects.offered()
