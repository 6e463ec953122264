"""The verbs of who looks a batch through: a row is right, is left out, or says something else than was read."""

from datetime import datetime
from typing import Any, cast

from django.db import transaction
from django.utils.translation import gettext as _

from supplies.catalogue.models import Item, Unit
from supplies.errors import Refused
from supplies.intake.models import (
    BatchStatus,
    Correction,
    Import,
    StagedRow,
    StagedStatus,
)
from supplies.intake.opening import loads
from supplies.intake.staging import read
from supplies.intake.understanding import Run
from supplies.journal.services import record
from supplies.needs.models import QuantityKind
from supplies.organisations.models import Organisation, User
from supplies.quantity import MOST
from supplies.regions.models import Region

READ_AGAIN_AT_MOST = 500  # other rows with the same words; the rest are read again when they are entered

# -- looking through ------------------------------------------------------------------------------------


@transaction.atomic
def review(row: StagedRow, *, by: User, at: datetime) -> StagedRow:
    """A volunteer says that the whole row is right as it is read: its doubtful lines wait no longer.

    Raises MoveRefused, Refused("not-open") unless the batch is being looked through, Refused where something is unread.
    """
    row = _open_row(row)
    if not row.key:
        raise Refused(_("This row cannot be read. Correct what it says, or leave it out."), code="unreadable")
    if any(not line["item"] for line in row.shown["lines"]):
        raise Refused(_("Choose the item of the catalogue first."), code="item-missing")
    return _decided(row, StagedStatus.REVIEWED, by=by, at=at)


@transaction.atomic
def leave_out(row: StagedRow, *, by: User, at: datetime) -> StagedRow:
    """A volunteer says that this row is not to be entered."""
    return _decided(_open_row(row), StagedStatus.LEFT_OUT, by=by, at=at)


@transaction.atomic
def take_back(row: StagedRow, *, by: User, at: datetime) -> StagedRow:
    """Nothing is decided about the row any more."""
    return _decided(_open_row(row), StagedStatus.STAGED, by=by, at=at)


def _open_row(row: StagedRow) -> StagedRow:
    """The batch first, as whoever enters it does."""
    batch = Import.objects.select_for_update().get(pk=row.batch_id)
    if batch.status != BatchStatus.READ:
        raise Refused(_("This import is not being looked through just now."), code="not-open")
    rows = StagedRow.objects.select_for_update(of=("self",)).select_related("batch__emergency")
    return rows.get(pk=row.pk)


def _decided(row: StagedRow, status: str, *, by: User, at: datetime) -> StagedRow:
    row.move_to(status)
    is_open = status == StagedStatus.STAGED
    row.reviewed_by, row.reviewed_at = (None, None) if is_open else (by, at)
    row.save(update_fields=["status", "reviewed_by", "reviewed_at"])
    record(row, f"import-row.{status}", by=by, at=at)
    return row


# -- corrections ----------------------------------------------------------------------------------------


@transaction.atomic
def correct_goods(
    row: StagedRow, *, heading: str, item: Item | None = None, by: User, at: datetime
) -> StagedRow:
    """These words mean another item; without one they are nothing that is wanted."""
    row = _open_row(row)
    line = _line_of(row, heading)
    means: dict[str, Any] = {"item": item} if item else {"is_nothing": True}
    say(row.batch.source, Correction.Kind.ITEM, line["heading"], by=by, at=at, **means)
    return _read_again(row, at=at, shown__lines__contains=[{"heading": line["heading"]}])


@transaction.atomic
def correct_quantity(
    row: StagedRow,
    *,
    heading: str,
    quantity: int | None = None,
    quantity_kind: str = QuantityKind.NUMBER,
    everywhere: bool = False,
    by: User,
    at: datetime,
) -> StagedRow:
    """This cell means another quantity.

    quantity    in the unit the item is shown in, where the kind is a number
    everywhere  the same value means so in every cell of this column, as a 1 that says "wanted"
    """
    row = _open_row(row)
    line = _line_of(row, heading)
    means: dict[str, Any] = {"quantity_kind": quantity_kind}
    if quantity_kind == QuantityKind.NUMBER:
        if quantity is None:
            raise Refused(_("Say how many, or that there is no limit or no number."), code="quantity-missing")
        means["quantity"] = _in_base_units(quantity, line["item"])
    kind = Correction.Kind.VALUE if everywhere else Correction.Kind.CELL
    within = line["heading"] if everywhere else line["within"]
    say(row.batch.source, kind, line["figure"], within=within, by=by, at=at, **means)
    same = {"heading": line["heading"], "figure": line["figure"]}
    return _read_again(row, at=at, shown__lines__contains=[same])


@transaction.atomic
def correct_unit(
    row: StagedRow,
    *,
    heading: str,
    unit: Unit,
    times: int | None = None,
    each: int | None = None,
    everywhere: bool = False,
    by: User,
    at: datetime,
) -> StagedRow:
    """The word for the unit in this cell means that unit, or so many of it: 1 箱 is 20 boxes of 50.

    each        base units of the item in one such unit, where it is a package
    everywhere  for all goods of the source; otherwise for these alone, since what a carton holds depends on what is in it
    """
    row = _open_row(row)
    line = _line_of(row, heading)
    if not line["unit"]:
        raise Refused(_("This cell names no unit. Correct its quantity."), code="unit-missing")
    times = (times or 1) * (each or 1)
    if times > MOST:
        raise Refused(
            _("The quantity must be more than nothing and at most ten thousand million."), code="too-many"
        )
    means: dict[str, Any] = {"unit": _base_unit_of(line["item"]) if each else unit}
    if times > 1:
        means |= {"quantity_kind": QuantityKind.NUMBER, "quantity": times}
    within = "" if everywhere else line["heading"]
    say(row.batch.source, Correction.Kind.UNIT, line["unit"], within=within, by=by, at=at, **means)
    same = {"unit": line["unit"], **({"heading": within} if within else {})}
    return _read_again(row, at=at, shown__lines__contains=[same])


@transaction.atomic
def correct_place(row: StagedRow, *, region: Region, by: User, at: datetime) -> StagedRow:
    """A place written like this lies there."""
    row = _open_row(row)
    if not (place := row.shown["place"]):
        raise Refused(
            _("The row names no place, so there is nothing to remember. Leave it out."), code="place-missing"
        )
    say(row.batch.source, Correction.Kind.PLACE, place, region=region, by=by, at=at)
    return _read_again(row, at=at, shown__place=place)


@transaction.atomic
def correct_name(row: StagedRow, *, organisation: Organisation, by: User, at: datetime) -> StagedRow:
    """Whoever is called so in the lists of this source is that organisation."""
    row = _open_row(row)
    if not (name := row.shown["called"]):
        raise Refused(
            _("The row names nobody, so there is nothing to remember. Leave it out."), code="name-missing"
        )
    say(row.batch.source, Correction.Kind.NAME, name, organisation=organisation, by=by, at=at)
    return _read_again(row, at=at, shown__called=name)


@transaction.atomic
def undo_correction(correction: Correction, *, by: User, at: datetime) -> Correction:
    """The words mean again what the site makes of them. What was entered stays; the journal keeps who said what."""
    correction = Correction.objects.select_for_update().get(pk=correction.pk)
    if correction.undone_at is not None:
        raise Refused(_("This correction is undone already."), code="undone")
    for name, nothing in _NOTHING_SAID.items():
        setattr(correction, name, nothing)
    correction.undone_at = at
    correction.save()
    record(correction, "correction.undone", by=by, at=at)
    return correction


_NOTHING_SAID: dict[str, Any] = {
    "item": None,
    "unit": None,
    "region": None,
    "organisation": None,
    "quantity_kind": "",
    "quantity": None,
    "is_nothing": False,
}


def say(
    source: str, kind: str, as_written: str, *, within: str = "", by: User, at: datetime, **means: Any
) -> Correction:
    """Keep what words mean from now on, in place of what was said of them before."""
    values = {**_NOTHING_SAID, **means, "by": by, "at": at, "undone_at": None}
    correction, _made = Correction.objects.update_or_create(
        source=source, kind=kind, within=within[:600], as_written=as_written[:300], defaults=values
    )
    said = {name: str(getattr(value, "pk", value)) for name, value in means.items()}
    record(correction, "correction.made", by=by, at=at, **said)
    return correction


def _line_of(row: StagedRow, heading: str) -> dict[str, Any]:
    for line in row.shown["lines"]:
        if line["heading"] == heading and line["change"] != "gone":
            return cast("dict[str, Any]", line)
    raise Refused(_("The row has no such line any more. Open it again."), code="line-missing")


def _in_base_units(quantity: int, item_code: str) -> int:
    return quantity * _item_of(item_code).display_factor


def _base_unit_of(item_code: str) -> Unit:
    return _item_of(item_code).base_unit


def _item_of(code: str) -> Item:
    item = Item.objects.filter(pk=code).select_related("base_unit").first()
    if item is None:
        raise Refused(_("Choose the item of the catalogue first."), code="item-missing")
    return item


def _read_again(row: StagedRow, *, at: datetime, **same: Any) -> StagedRow:
    """Read the row once more, and others of its batch that use the same words."""
    batch = row.batch
    others = StagedRow.objects.to_decide().filter(batch=batch, **same).exclude(pk=row.pk).in_order()
    rows = [row, *others.select_for_update(of=("self",))[:READ_AGAIN_AT_MOST]]
    for one in rows:
        if one.status in {StagedStatus.FAILED, StagedStatus.LEFT_OUT}:
            one.move_to(StagedStatus.STAGED)
    read(batch, Run.of(batch, at=at), [(one, loads(one.raw)) for one in rows])
    StagedRow.objects.bulk_update(rows, ["status", "verdict", "key", "base", "scope", "shown", "problems"])
    return row
