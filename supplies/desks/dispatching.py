"""What the desk does to shipments that takes several concepts: gather them into a load, send them on to another hospital."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import TransportMode
from supplies.loads import services as loads
from supplies.loads.models import ConsolidatedLoad
from supplies.organisations.desk import in_units
from supplies.organisations.models import Facility, Organisation, User
from supplies.organisations.permissions import may_coordinate
from supplies.regions.models import Region
from supplies.shipments import rerouting
from supplies.shipments.models import Shipment


class GatherForm(forms.Form):
    hub_region = forms.CharField(
        label=_("Region of the hub"),
        max_length=80,
        help_text=_("Its name or code, e.g. Wuhan or 420100."),
    )
    hub_place = forms.CharField(label=_("Hub"), max_length=120, required=False)
    carrier = forms.ModelChoiceField(
        label=_("Carrier"),
        queryset=Organisation.objects.verified().filter(kind=Organisation.Kind.CARRIER).order_by("name"),
        help_text=_("Who drives from the hub on."),
    )
    mode = forms.ModelChoiceField(
        label=_("Transport"), queryset=TransportMode.objects.order_by("pk"), required=False
    )
    planned_departure_at = forms.DateTimeField(
        label=_("To depart"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )

    def clean_hub_region(self) -> Region:
        found = list(Region.objects.named(self.cleaned_data["hub_region"])[:2])
        if len(found) != 1:
            raise ValidationError(_("Write the code of one region; several or none are called that."))
        return found[0]


def gather(shipments: Sequence[Shipment], **answers: Any) -> ConsolidatedLoad:
    """One vehicle from a hub to where the first of them goes."""
    return loads.gather(shipments[0].consignee, shipments=shipments, **answers)


class RerouteForm(forms.Form):
    """The hospitals that lack everything on board, the most urgent first."""

    to = forms.ChoiceField(label=_("To which hospital?"), widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Why does it go there?"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, shipment: Shipment, user: User, data: Any = None) -> None:
        super().__init__(data)
        self._facilities: dict[str, Facility] = {}
        choices = []
        for one in rerouting.candidates(shipment, user=user):
            if may_coordinate(user, one.facility):
                self._facilities[str(one.facility.pk)] = one.facility
                lacks = "; ".join(f"{need.item} {in_units(need.item, need.lacking)}" for need in one.lacks)
                choices.append((str(one.facility.pk), f"{one.facility} · {lacks}"))
        to = self.fields["to"]
        assert isinstance(to, forms.ChoiceField)
        to.choices = choices
        if not choices:
            to.help_text = gettext("No hospital lacks everything that is on board.")

    def clean_to(self) -> Facility:
        return self._facilities[self.cleaned_data["to"]]
