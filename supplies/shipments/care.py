"""What a shipment needs on its way: a temperature, papers for dangerous goods, a vehicle that takes it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from supplies.catalogue.keeping import EARTHLY
from supplies.catalogue.models import Item
from supplies.errors import NotEligible
from supplies.journal.services import record
from supplies.organisations.models import User
from supplies.shipments.locking import locked_before_departure
from supplies.shipments.models import Shipment, ShipmentLine
from supplies.shipments.units import HandlingUnit, UnitKind

HEAVIEST_CARTON_G = (
    50_000  # WHO, Guidelines for Medicine Donations: what one person and a clinic's shelf can take
)


class Caution(NamedTuple):
    """Something to look at before it leaves. Nothing is refused because of it."""

    code: str
    detail: str


def propose(shipment: Shipment, lines: Iterable[ShipmentLine]) -> None:
    """Fill in, in memory, what the catalogue says of the items on board. Raises NotEligible for goods that no temperature suits."""
    items = []
    for line in lines:
        item = line.allocation.offer.item
        line.un_number, line.hazard_class = item.un_number, item.hazard_class
        items.append(item)
    shipment.min_temp_c, shipment.max_temp_c = common_temperatures(items)


def common_temperatures(kept: Iterable[Shipment | Item]) -> tuple[int | None, int | None]:
    """Not colder and not warmer than all of these allow, in °C. Raises NotEligible where no temperature does."""
    rows = list(kept)
    least = max((row.min_temp_c for row in rows if row.min_temp_c is not None), default=None)
    most = min((row.max_temp_c for row in rows if row.max_temp_c is not None), default=None)
    if least is not None and most is not None and least > most:
        raise NotEligible(
            _("No temperature suits all of it. Let what is kept at different temperatures travel apart."),
            code="no-common-temperature",
        )
    return least, most


@transaction.atomic
def declare(
    shipment: Shipment,
    *,
    by: User | None,
    at: datetime,
    lines: Iterable[Mapping[str, Any]] = (),
    **stated: int | None,
) -> Shipment:
    """State what only the sender knows, before it leaves. What is not given stays.

    stated   min_temp_c, max_temp_c, stated_weight_g, stated_volume_cm3; None takes it back
    lines    per line: {"line": ShipmentLine, "un_number": "1170", "hazard_class": "3"}; both empty: not dangerous
    """
    (shipment,) = locked_before_departure(shipment)
    for name, value in stated.items():
        setattr(shipment, name, value)
    _check_temperatures(shipment)
    shipment.save(update_fields=list(stated))
    known = {line.pk: line for line in shipment.lines.all()}
    named = [_named(known, position, given) for position, given in enumerate(lines)]
    ShipmentLine.objects.bulk_update(named, ["un_number", "hazard_class"])
    record(shipment, "shipment.declared", by=by, at=at)
    return shipment


def _check_temperatures(shipment: Shipment) -> None:
    least, most = shipment.min_temp_c, shipment.max_temp_c
    for name, value in {"min_temp_c": least, "max_temp_c": most}.items():
        if value is not None and not EARTHLY[0] <= value <= EARTHLY[1]:
            raise ValidationError({name: _("Give degrees Celsius between -200 and 100.")})
    if least is not None and most is not None and least > most:
        raise ValidationError({"max_temp_c": _("This is colder than the coldest that is allowed.")})


def _named(known: Mapping[int, ShipmentLine], position: int, given: Mapping[str, Any]) -> ShipmentLine:
    line = known.get(getattr(given.get("line"), "pk", None) or 0)
    if line is None:
        raise ValidationError({f"lines.{position}.line": _("This line is not on the shipment.")})
    line.un_number, line.hazard_class = given.get("un_number", ""), given.get("hazard_class", "")
    if line.un_number and not (
        len(line.un_number) == 4 and line.un_number.isascii() and line.un_number.isdigit()
    ):
        raise ValidationError({f"lines.{position}.un_number": _("A UN number has four digits, as 1170.")})
    if bool(line.un_number) != bool(line.hazard_class):
        missing = "hazard_class" if line.un_number else "un_number"
        raise ValidationError(
            {f"lines.{position}.{missing}": _("Dangerous goods have a UN number and a class; give both.")}
        )
    return line


def gross_weight(shipment: Shipment, units: Sequence[HandlingUnit]) -> int | None:
    """In grams: as stated, or else of the outermost units once each of them was weighed."""
    return shipment.stated_weight_g or _sum(unit.gross_weight_g for unit in units if unit.parent_id is None)


def volume(shipment: Shipment, units: Sequence[HandlingUnit]) -> int | None:
    """In cm³: as stated, or else of the outermost units once each of them was measured."""
    return shipment.stated_volume_cm3 or _sum(unit.volume for unit in units if unit.parent_id is None)


def _sum(parts: Iterable[int | None]) -> int | None:
    known = list(parts)
    return sum(part or 0 for part in known) if known and None not in known else None


def cautions(
    shipment: Shipment, lines: Sequence[ShipmentLine], units: Sequence[HandlingUnit]
) -> Iterator[Caution]:
    """What somebody should look at before it leaves. The rows are loaded with their items; nothing is asked of the database."""
    items = [(line, line.allocation.offer.item) for line in lines]
    is_cold = shipment.min_temp_c is not None or shipment.max_temp_c is not None
    for unit in units:
        if unit.kind != UnitKind.PALLET and (unit.gross_weight_g or 0) > HEAVIEST_CARTON_G:
            yield Caution("too-heavy", _("%(unit)s weighs more than 50 kg. Pack it anew.") % {"unit": unit})
    for line, item in items:
        if item.is_dangerous and not line.un_number:
            yield Caution(
                "no-un-number",
                _("%(item)s is dangerous goods: state its UN number and class.") % {"item": item.name},
            )
    if not is_cold and any(item.is_cold_chain for _line, item in items):
        yield Caution("no-temperature", _("Something on board has to be kept cold: state the temperature."))
    if shipment.mode is None:
        return
    if is_cold and not shipment.mode.keeps_cold:
        yield Caution(
            "mode-without-cold", _("%(mode)s does not keep goods cold.") % {"mode": shipment.mode.name}
        )
    if any(line.un_number for line in lines) and not shipment.mode.takes_dangerous:
        yield Caution(
            "mode-without-dangerous",
            _("%(mode)s does not take dangerous goods.") % {"mode": shipment.mode.name},
        )
