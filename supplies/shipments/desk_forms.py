"""What the desk asks before it packs a shipment, takes units apart, splits it, states what it needs on its way, or plans its legs."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.catalogue.models import TransportMode
from supplies.organisations.desk import in_units
from supplies.organisations.models import Organisation, User
from supplies.quantity import MOST
from supplies.regions.models import Region
from supplies.shipments.models import Leg, Shipment, ShipmentLine
from supplies.shipments.packing import unpacked
from supplies.shipments.units import HandlingUnit, UnitKind

MOST_ALIKE = 200
MOST_LEGS = 5
LEGS_IN_SIGHT = 2
SIDES = ("length", "width", "height")


def carriers() -> QuerySet[Organisation]:
    return Organisation.objects.verified().filter(kind=Organisation.Kind.CARRIER).order_by("name")


def _lines(shipment: Shipment) -> list[ShipmentLine]:
    rows = shipment.lines.filter(is_live=True).order_by("pk")
    return list(
        rows.select_related("allocation__offer__item__display_unit", "allocation__offer__item__base_unit")
    )


def _offer_pieces(
    form: forms.Form, lines: dict[str, ShipmentLine], loose: dict[int, int], help_text: str
) -> None:
    """A field for each line: how many of its pieces that are in no unit."""
    for name, line in lines.items():
        item = line.allocation.offer.item
        form.fields[name] = forms.IntegerField(
            label=item.name,
            required=False,
            min_value=0,
            max_value=loose[line.pk],
            help_text=help_text
            % {"unit": item.base_unit, "loose": loose[line.pk], "shown": in_units(item, loose[line.pk])},
        )


def _pieces(form: forms.Form, lines: dict[str, ShipmentLine]) -> list[dict[str, Any]]:
    """What was filled in, as the verbs take it."""
    given = form.cleaned_data
    return [{"line": line, "quantity": number} for name, line in lines.items() if (number := given.get(name))]


def _named(unit: HandlingUnit) -> str:
    return f"{unit.get_kind_display()} {unit.sscc or unit.pk}"


def _thousandths(label: Any, **options: Any) -> forms.DecimalField:
    """An amount that is kept in thousandths of what is typed: grams of kilograms, cm³ of litres."""
    return forms.DecimalField(
        label=label,
        required=False,
        decimal_places=3,
        min_value=Decimal("0.001"),
        max_value=Decimal(MOST) / 1000,
        **options,
    )


class UnitsField(forms.TypedMultipleChoiceField):
    """Some of the units of a shipment."""

    def __init__(self, units: list[HandlingUnit], **options: Any) -> None:
        known = {unit.pk: unit for unit in units}
        super().__init__(
            choices=[(unit.pk, _named(unit)) for unit in units],
            coerce=lambda key: known[int(key)],
            widget=forms.CheckboxSelectMultiple,
            **options,
        )


class PackForm(forms.Form):
    """A unit, or several that are alike, with the pieces of each line that are in each of them."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=UnitKind.choices, initial=UnitKind.CARTON)
    alike = forms.IntegerField(
        label=gettext_lazy("How many that are alike"), min_value=1, max_value=MOST_ALIKE, initial=1
    )
    sscc = forms.CharField(
        label="SSCC",
        max_length=40,
        required=False,
        help_text=gettext_lazy("Of the sender, if it gave one. Empty: the next of this site."),
    )
    weight = _thousandths(gettext_lazy("Weight of each, kg"))
    length = forms.IntegerField(
        label=gettext_lazy("Length, cm"), required=False, min_value=1, max_value=MOST // 10
    )
    width = forms.IntegerField(
        label=gettext_lazy("Width, cm"), required=False, min_value=1, max_value=MOST // 10
    )
    height = forms.IntegerField(
        label=gettext_lazy("Height, cm"), required=False, min_value=1, max_value=MOST // 10
    )

    def __init__(self, shipment: Shipment, user: User, data: Any = None) -> None:
        super().__init__(data)
        loose = unpacked(shipment)
        self._lines = {f"line_{line.pk}": line for line in _lines(shipment) if loose[line.pk]}
        asked = _("Type %(unit)s in each. Not packed yet: %(loose)d %(unit)s, which is %(shown)s.")
        _offer_pieces(self, self._lines, loose, asked)
        alone = shipment.units.live().filter(parent=None).exclude(kind=UnitKind.PALLET).in_order()
        if units := list(alone):
            self.fields["holds"] = UnitsField(
                units,
                label=_("Put on this pallet"),
                required=False,
                help_text=_("Only a pallet holds others."),
            )
        self.order_fields(["kind", "alike", *self._lines, "holds"])

    @staticmethod
    def field_of(key: str) -> str:
        """units.0.length_mm -> length."""
        name = key.split(".")[2] if key.count(".") > 1 else key
        return {
            "gross_weight_g": "weight",
            "length_mm": "length",
            "width_mm": "width",
            "height_mm": "height",
        }.get(name, name)

    def clean(self) -> dict[str, Any]:
        given, alike = self.cleaned_data, self.cleaned_data.get("alike") or 1
        if given.get("sscc") and alike > 1:
            self.add_error(
                "sscc", _("Each has a number of its own: pack them one at a time, or leave this empty.")
            )
        if given.get("holds") and alike > 1:
            self.add_error("alike", _("One pallet at a time."))
        unit = {
            "kind": given.get("kind", ""),
            "sscc": given.get("sscc", ""),
            "gross_weight_g": _thousand(given.get("weight")),
            **{f"{side}_mm": given[side] * 10 for side in SIDES if given.get(side)},
            "contents": _pieces(self, self._lines),
            "holds": given.get("holds", []),
        }
        return {"units": [unit] * alike}


class SplitForm(forms.Form):
    """What travels apart: pieces of each line that are in no unit, and whole units."""

    reason = forms.CharField(
        label=gettext_lazy("Why?"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, shipment: Shipment, user: User, data: Any = None) -> None:
        super().__init__(data)
        self._lines = {f"line_{line.pk}": line for line in _lines(shipment)}
        asked = _("Type %(unit)s that travel apart. Not packed yet: %(loose)d %(unit)s, which is %(shown)s.")
        _offer_pieces(self, self._lines, unpacked(shipment), asked)
        if units := list(shipment.units.live().in_order()):
            self.fields["units"] = UnitsField(units, label=_("Whole units"), required=False)
        self.order_fields([*self._lines, "units", "reason"])

    def clean(self) -> dict[str, Any]:
        """The answers of the verb: lines with their pieces, units, and why."""
        given = self.cleaned_data
        return {
            "lines": _pieces(self, self._lines),
            "units": given.get("units", []),
            "reason": given.get("reason", ""),
        }


class UnpackForm(forms.Form):
    """Which units are taken apart."""

    def __init__(self, shipment: Shipment, user: User, data: Any = None) -> None:
        super().__init__(data)
        units = list(shipment.units.live().in_order())
        self.fields["units"] = UnitsField(units, label=_("Units to take apart"))


class DeclareForm(forms.Form):
    """What only the sender knows: the temperature, weight and volume in all, and which lines are dangerous goods."""

    min_temp_c = forms.IntegerField(label=gettext_lazy("Not colder than, °C"), required=False)
    max_temp_c = forms.IntegerField(label=gettext_lazy("Not warmer than, °C"), required=False)
    weight = _thousandths(
        gettext_lazy("Weight in all, kg"), help_text=gettext_lazy("Empty: what its units weigh.")
    )
    volume = _thousandths(gettext_lazy("Volume in all, l"))

    def __init__(self, shipment: Shipment, user: User, data: Any = None) -> None:
        initial: dict[str, Any] = {
            "min_temp_c": shipment.min_temp_c,
            "max_temp_c": shipment.max_temp_c,
            "weight": _thousandth(shipment.stated_weight_g),
            "volume": _thousandth(shipment.stated_volume_cm3),
        }
        self._lines = _lines(shipment)
        for line in self._lines:
            initial |= {f"un_number_{line.pk}": line.un_number, f"hazard_class_{line.pk}": line.hazard_class}
        super().__init__(data, initial=initial)
        for line in self._lines:
            names = {"name": line.allocation.offer.item.name}
            self.fields[f"un_number_{line.pk}"] = forms.CharField(
                label=_("%(name)s: UN number") % names,
                required=False,
                max_length=4,
                help_text=_("Only of dangerous goods, as 1170."),
            )
            self.fields[f"hazard_class_{line.pk}"] = forms.CharField(
                label=_("%(name)s: class") % names, required=False, max_length=5
            )

    def field_of(self, key: str) -> str:
        """lines.1.un_number -> un_number_17."""
        if not key.startswith("lines."):
            return key
        _all, position, name = key.split(".")
        return f"{name}_{self._lines[int(position)].pk}"

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "min_temp_c": given.get("min_temp_c"),
            "max_temp_c": given.get("max_temp_c"),
            "stated_weight_g": _thousand(given.get("weight")),
            "stated_volume_cm3": _thousand(given.get("volume")),
            "lines": [
                {
                    "line": line,
                    "un_number": given.get(f"un_number_{line.pk}", ""),
                    "hazard_class": given.get(f"hazard_class_{line.pk}", ""),
                }
                for line in self._lines
            ],
        }


class RegionField(forms.CharField):
    """A place by its name or code."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        found = list(Region.objects.named(text)[:2])
        if len(found) != 1:
            raise ValidationError(
                _("Several places are called that: write the code.")
                if found
                else _("There is no such place. Write its name or code, e.g. Wuhan or 420100.")
            )
        return found[0]


def _moment(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


class LegsForm(forms.Form):
    """Where the journey begins and, leg by leg, where it goes on to. What is left empty is no leg; none: from end to end in one."""

    def __init__(self, shipment: Shipment, user: User, data: Any = None) -> None:
        legs = list(shipment.legs.in_order().select_related("from_region", "to_region"))
        begin = legs[0].from_region_id if legs else shipment.consignor.region_id
        super().__init__(
            data, initial={"from_region": begin, "from_place": legs[0].from_place if legs else ""}
        )
        self.fields["from_region"] = RegionField(label=_("Begins in"), max_length=60)
        self.fields["from_place"] = forms.CharField(label=_("At the place"), max_length=120, required=False)
        for number in range(MOST_LEGS):
            self._offer(number, legs[number] if number < len(legs) else None)
        if not legs:
            booked = {"carrier": shipment.carrier_id, "waybill": shipment.waybill, "mode": shipment.mode_id}
            self.initial.update({f"{name}_0": value for name, value in booked.items()})

    def _offer(self, number: int, leg: Leg | None) -> None:
        of = {"n": number + 1}
        fields: dict[str, forms.Field] = {
            "to_region": RegionField(label=_("Leg %(n)d: goes to") % of, max_length=60, required=False),
            "to_place": forms.CharField(
                label=_("Leg %(n)d: at the place") % of, max_length=120, required=False
            ),
            "carrier": forms.ModelChoiceField(carriers(), label=_("Leg %(n)d: carrier") % of, required=False),
            "mode": forms.ModelChoiceField(
                TransportMode.objects.order_by("pk"), label=_("Leg %(n)d: transport") % of, required=False
            ),
            "waybill": forms.CharField(
                label=_("Leg %(n)d: waybill number") % of, max_length=60, required=False
            ),
            "planned_departure_at": _moment(_("Leg %(n)d: departs") % of),
            "planned_arrival_at": _moment(_("Leg %(n)d: arrives") % of),
        }
        for name, field in fields.items():
            self.fields[f"{name}_{number}"] = field
            if leg is not None:
                known = leg.to_region_id if name == "to_region" else getattr(leg, name)
                self.initial[f"{name}_{number}"] = getattr(known, "pk", known)

    def _of_leg(self, number: int) -> list[BoundField]:
        return [field for field in self if field.name.endswith(f"_{number}")]

    def in_sight(self) -> list[BoundField]:
        """Where it begins, and the first legs."""
        begin = [self["from_region"], self["from_place"]]
        return [*begin, *(field for number in range(LEGS_IN_SIGHT) for field in self._of_leg(number))]

    def folded(self) -> Iterator[tuple[str, list[BoundField], bool]]:
        """The other legs, which few journeys have: the title of each, its fields, and whether anything stands in it."""
        for number in range(LEGS_IN_SIGHT, MOST_LEGS):
            fields = self._of_leg(number)
            is_open = any(field.value() or field.errors for field in fields)
            yield _("Leg %(n)d") % {"n": number + 1}, fields, is_open

    @staticmethod
    def field_of(key: str) -> str:
        """legs.1.carrier -> carrier_1."""
        if not key.startswith("legs."):
            return key
        _all, number, name = key.split(".")
        return "from_region" if name == "from_region" else f"{name}_{number}"

    def clean(self) -> dict[str, Any]:
        return {"legs": list(self._legs())}

    def _legs(self) -> Iterator[dict[str, Any]]:
        given = self.cleaned_data
        region, place, is_over = given.get("from_region"), given.get("from_place", ""), False
        for number in range(MOST_LEGS):
            to, carrier = given.get(f"to_region_{number}"), given.get(f"carrier_{number}")
            if to is None and carrier is None:
                is_over = True
                continue
            if is_over:
                self.add_error(f"to_region_{number}", _("Fill in the leg before this one first."))
            for name, value in {"to_region": to, "carrier": carrier}.items():
                if value is None and f"{name}_{number}" not in self.errors:
                    self.add_error(f"{name}_{number}", _("A leg has a place it goes to, and a carrier."))
            names = ("to_place", "mode", "waybill", "planned_departure_at", "planned_arrival_at")
            yield {
                "from_region": region,
                "from_place": place,
                "to_region": to,
                "carrier": carrier,
                **{name: given.get(f"{name}_{number}") for name in names},
                "waybill": given.get(f"waybill_{number}", ""),
                "to_place": given.get(f"to_place_{number}", ""),
            }
            region, place = to, given.get(f"to_place_{number}", "")


def _thousand(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * 1000)


def _thousandth(amount: int | None) -> Decimal | None:
    return None if amount is None else Decimal(amount) / 1000
