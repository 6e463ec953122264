"""The dry run: rows of a file read, compared with what is known, and laid out to be looked through. Nothing else changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, Prefetch

from supplies.intake.confidence import DOUBTS, Confidence, confidence
from supplies.intake.corrections import cell_of, figure_of, place_of
from supplies.intake.directory import dock_address
from supplies.intake.formats import Listed
from supplies.intake.goods import Line
from supplies.intake.models import Import, ImportedLine, ImportedRow, LineStatus, StagedRow, Verdict, stored
from supplies.intake.opening import Numbered, digest, dumps, is_row
from supplies.intake.reading.findings import Finding, Unreadable, found
from supplies.intake.reading.text import as_written
from supplies.intake.understanding import Run, Understood, understand
from supplies.leaks import masked
from supplies.needs.models import NeedStatus, QuantityKind

MOST_REPEATS = 99
LONGEST_ROW = 1_000_000  # characters; a row is a line of a table, not a book
LONGEST_CELL = 600  # characters shown of one


@dataclass
class Reading:
    """A staged row beside what it says now; None where it cannot be read."""

    row: StagedRow
    raw: Any
    understood: Understood | None = None
    known: ImportedRow | None = None
    findings: list[Finding] = field(default_factory=list)


def stage(batch: Import, run: Run, numbered: Iterable[Numbered]) -> list[StagedRow]:
    """Lay out the next rows of a batch, each under its number in the file; those of a second sheet count on from the first."""
    rows = []
    last = batch.staged.aggregate(last=Max("number"))["last"] or 0
    for number_in_file, raw in numbered:
        last = number = max(number_in_file, last + 1)
        row = StagedRow(batch=batch, number=number)
        text = dumps(raw)
        row.raw = text if len(text) <= LONGEST_ROW else dumps(as_written(raw, most=LONGEST_CELL))
        rows.append((row, raw if len(text) <= LONGEST_ROW else None))
    read(batch, run, rows)
    return StagedRow.objects.bulk_create([row for row, _raw in rows])


def read(batch: Import, run: Run, rows: Sequence[tuple[StagedRow, Any]]) -> list[Reading]:
    """Read rows and compare them; what is found is set on them, in memory."""
    readings = [_understood(run, Reading(row, raw)) for row, raw in rows]
    _tell_apart(batch, readings)
    known = _known([reading.row.key for reading in readings if reading.understood])
    for reading in readings:
        reading.known = known.get(reading.row.key)
        _judge(run, reading)
    return readings


def _understood(run: Run, reading: Reading) -> Reading:
    row = reading.row
    row.key = row.base = row.scope = ""
    try:
        if len(row.raw) > LONGEST_ROW:
            raise Unreadable("too-long", length=len(row.raw), most=LONGEST_ROW)
        reading.understood = understand(run, reading.raw)
    except Unreadable as error:
        reading.findings = [error.finding]
        return reading
    row.base, row.scope = reading.understood.base, reading.understood.scope
    return reading


def _tell_apart(batch: Import, readings: Sequence[Reading]) -> None:
    """A second row of one organisation in one file has a key of its own."""
    others = StagedRow.objects.filter(batch=batch, base__in={reading.row.base for reading in readings} - {""})
    others = others.exclude(pk__in=[reading.row.pk for reading in readings])
    taken = set(others.values_list("key", flat=True))
    for reading in readings:
        row = reading.row
        keys = (row.base if times == 1 else f"{row.base}#{times}" for times in range(1, MOST_REPEATS + 1))
        if reading.understood is None:
            continue
        row.key = next((key for key in keys if key not in taken), "")
        taken.add(row.key)
        if not row.key:
            name = reading.understood.listed.name.text
            reading.findings = [found("repeated-too-often", name=name).at("name")]
            reading.understood, row.base = None, ""


def _known(keys: Sequence[str]) -> dict[str, ImportedRow]:
    lines = ImportedLine.objects.select_related("need", "offer").order_by("position")
    rows = (
        ImportedRow.objects.filter(key__in=keys)
        .select_related("seen_in")
        .prefetch_related(Prefetch("lines", lines))
    )
    return {row.key: row for row in rows}


# -- judging ----------------------------------------------------------------------------------------------


def _judge(run: Run, reading: Reading) -> None:
    row, understood = reading.row, reading.understood
    if understood is None:
        row.verdict, row.problems = Verdict.UNREADABLE, stored(reading.findings)
        row.shown = _unread(run, reading)
        return
    organisation, doubts = run.directory.find(understood.listed, understood.region, gives=run.kind.gives)
    findings = [*understood.findings, *doubts]
    lines = [_line(understood, line, _line_before(reading.known, line)) for line in understood.lines]
    lines += _gone(reading.known, understood)
    row.shown = {
        "name": understood.listed.name.site,
        "called": understood.listed.name.text,
        "place": place_of(understood.listed),
        "cells": _cells(understood, organisation.name if organisation else "", findings),
        "lines": lines,
    }
    row.problems = stored([*findings, *(finding for line in understood.lines for finding in line.findings)])
    row.verdict = _verdict(reading, findings)
    if newer := newer_list(reading.known, run):
        row.verdict, row.problems = Verdict.UNCHANGED, stored([newer])


def _verdict(reading: Reading, findings: Sequence[Finding]) -> Verdict:
    assert reading.understood is not None
    if reading.known is not None and is_unchanged(reading.known, reading.understood):
        return Verdict.UNCHANGED
    if any(line.waits for line in reading.understood.lines) or {one.code for one in findings} & DOUBTS:
        return Verdict.DOUBTFUL
    return Verdict.NEW if reading.known is None else Verdict.CHANGED


def newer_list(known: ImportedRow | None, run: Run) -> Finding | None:
    """What says that a row was seen in a list of a later day: an older one, handed in afterwards, sets nothing back.

    Nor does one of the same day that has been entered before: what differs was said after it.
    """
    day = known.seen_in.as_of if known is not None else None
    if known is None or day is None:
        return None
    said_since = bool(run.said_before) and day == run.as_of and known.seen_in.sha256 != run.said_before
    return found("older-list", day=day.isoformat()) if day > run.as_of or said_since else None


def is_unchanged(known: ImportedRow, understood: Understood) -> bool:
    """Whether the row says what it said, and nothing that waited has become clear."""
    if known.digest != digest(understood.raw):
        return False
    waiting = {line.heading for line in known.lines.all() if line.status == LineStatus.WAITING}
    return not any(line.goods.heading in waiting and not line.waits for line in understood.lines)


def _line_before(known: ImportedRow | None, line: Line) -> ImportedLine | None:
    if known is None:
        return None
    return next((before for before in known.lines.all() if before.heading == line.goods.heading), None)


# -- what is shown of it ----------------------------------------------------------------------------------


def _line(understood: Understood, line: Line, before: ImportedLine | None) -> dict[str, Any]:
    quantity = line.goods.quantity
    return {
        "heading": line.goods.heading,
        "raw": line.goods.as_written[:LONGEST_CELL],
        "figure": figure_of(line.goods),
        "unit": quantity.unit if quantity else "",
        "within": cell_of(understood.base, line.goods.heading),
        "item": line.item.code if line.item else "",
        "kind": str(line.kind),
        "quantity": line.quantity,
        "daily_use": line.daily_use,
        "standards": [standard.code for standard in line.standards],
        "sterile": line.is_sterile,
        "confidence": str(line.confidence),
        "waits": line.waits,
        **_change(line, before),
    }


def _change(line: Line, before: ImportedLine | None) -> dict[str, Any]:
    """What would become of it: asked for in addition, a new number, only written otherwise, or nothing."""
    if before is None:
        return {"change": "added"}
    if before.raw == line.goods.raw and not settles(before, line):
        return {"change": "same"}
    if is_new_number(before, line) and before.quantity != line.quantity:
        return {"change": "number", "was": before.quantity, "was_kind": before.quantity_kind}
    return {"change": "read-anew" if before.is_undecided else "written"}


def settles(before: ImportedLine, line: Line) -> bool:
    """Whether what waited can be told now: somebody has said since what the words mean."""
    return before.status == LineStatus.WAITING and not line.waits


def is_new_number(before: ImportedLine, line: Line) -> bool:
    same_goods = line.item is not None and line.item.pk == before.item_id and not line.waits
    is_open = before.need is not None and before.need.status == NeedStatus.OPEN
    return same_goods and is_open and line.kind == QuantityKind.NUMBER


def _gone(known: ImportedRow | None, understood: Understood) -> list[dict[str, Any]]:
    """What the row asked for before and does not any more: it stays open."""
    if known is None:
        return []
    here = {line.goods.heading for line in understood.lines}
    return [
        {
            "heading": line.heading,
            "raw": "",
            "item": line.item_id or "",
            "kind": line.quantity_kind,
            "quantity": line.quantity,
            "standards": [],
            "sterile": line.is_sterile,
            "confidence": Confidence.SURE,
            "waits": False,
            "change": "gone",
        }
        for line in known.lines.all()
        if line.heading not in here and (line.need_id or line.offer_id)
    ]


def _cells(understood: Understood, organisation: str, findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Every cell but the goods: as it stood, masked, and what was made of it."""
    listed = understood.listed
    texts = {
        "name": (listed.name.site, organisation),
        "place": (place_of(listed), understood.region.code),
        "address": (listed.address, dock_address(listed.address)),
        "url": (listed.link, ""),
        "remark": (listed.remark, ""),
        "contacts": ("", str(len(listed.people))),
        "published_on": ("", str(listed.published_on or "")),
        "updated_on": ("", str(listed.updated_on or "")),
        "qualification": (listed.certificate, ""),
    }
    return [
        {
            "field": name,
            "raw": masked(raw)[:LONGEST_CELL],
            "read": read[:LONGEST_CELL],
            "confidence": str(
                confidence([one for one in findings if one.field in _FIELDS.get(name, (name,))])
            ),
        }
        for name, (raw, read) in texts.items()
        if raw or (read and read != "0")
    ]


_FIELDS: Mapping[str, tuple[str, ...]] = {"place": ("province", "city", "district")}


def _unread(run: Run, reading: Reading) -> dict[str, Any]:
    """Of a row that cannot be used: what its format makes of it, or else the cells the findings are about."""
    listed = _listed(run, reading.raw)
    if listed is not None:
        place = place_of(listed)
        cells = [("name", listed.name.site), ("place", place)]
        name, called = listed.name.site, listed.name.text
    else:
        raw = reading.raw if is_row(reading.raw) else {}
        fields = dict.fromkeys(["name", *(finding.field for finding in reading.findings if finding.field)])
        cells = [(one, as_written(raw[one]).strip('"')) for one in fields if one in raw and one != "contacts"]
        name = masked(as_written(raw["name"], most=80).strip('"')) if "name" in raw else ""
        called = place = ""
    return {
        "name": name,
        "called": called,
        "place": place,
        "cells": [
            {
                "field": one,
                "raw": masked(text)[:LONGEST_CELL],
                "read": "",
                "confidence": str(
                    confidence([f for f in reading.findings if f.field in _FIELDS.get(one, (one,))])
                ),
            }
            for one, text in cells
        ],
        "lines": [],
    }


def _listed(run: Run, raw: Any) -> Listed | None:
    try:
        return run.kind.read(raw) if is_row(raw) else None
    except Unreadable:
        return None
