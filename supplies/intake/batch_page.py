"""What the page of a batch shows: how far it is, how many rows of each kind, and so many rows at once, by their number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import Item
from supplies.intake.confidence import Confidence
from supplies.intake.entering import missing
from supplies.intake.models import BatchStatus, Import, StagedRow, StagedStatus, Verdict
from supplies.intake.reading.findings import Finding
from supplies.needs.models import QuantityKind
from supplies.regions.models import Region

ROWS_SHOWN = 20
MISSING_SHOWN = 20
FIELDS: Mapping[str, Any] = {
    "name": _("name"),
    "place": _("place"),
    "address": _("address"),
    "url": _("link"),
    "remark": _("remark"),
    "contacts": _("contacts"),
    "published_on": _("published"),
    "updated_on": _("updated"),
    "qualification": _("certificate"),
    "supplies": _("goods"),
}
CHANGES: Mapping[str, Any] = {
    "added": _("would be added"),
    "same": _("stays as it is"),
    "number": _("its number would change"),
    "written": _("written differently; what was entered stays"),
    "read-anew": _("would be read anew"),
    "gone": _("missing from the row now; it stays open"),
}
ABOUT = {"province": "place", "city": "place", "district": "place"}  # fields of findings -> cells


@dataclass(frozen=True)
class Cell:
    """A cell as it stood beside what was made of it. `line` is the stored line where it names goods."""

    field: str
    label: str
    raw: str
    read: Any
    confidence: Confidence
    sentences: Sequence[str]
    line: Mapping[str, Any] | None = None
    item: Item | None = None
    change: Any = ""
    was: Any = None

    @property
    def needs_help(self) -> bool:
        return self.confidence in (Confidence.DOUBTFUL, Confidence.UNREAD)


@dataclass(frozen=True)
class Row:
    """A staged row to be looked at. `sentences` are about the row as a whole."""

    staged: StagedRow
    cells: Sequence[Cell]
    sentences: Sequence[str]

    @property
    def is_open(self) -> bool:
        return self.staged.status in (StagedStatus.STAGED, StagedStatus.REVIEWED, StagedStatus.FAILED)

    @property
    def is_place_unsure(self) -> bool:
        return any(cell.field == "place" and cell.needs_help for cell in self.cells)

    @property
    def is_name_unsure(self) -> bool:
        return any(cell.field == "name" and cell.needs_help for cell in self.cells)


def page_of(batch: Import, *, verdict: str = "", after: int = 0) -> dict[str, Any]:
    """The batch for its page. The number of queries does not depend on the number of rows.

    verdict   only rows judged so
    after     rows behind this number
    """
    counts = dict(batch.staged.order_by().values_list("verdict").annotate(Count("pk")))
    rows = batch.staged.filter(number__gt=after).select_related("row", "reviewed_by").in_order()
    if verdict in Verdict.values:
        rows = rows.filter(verdict=verdict)
    found = list(rows[: ROWS_SHOWN + 1])
    has_more, shown = len(found) > ROWS_SHOWN, found[:ROWS_SHOWN]
    return {
        "rows": _rows(shown),
        "next_after": shown[-1].number if has_more else None,
        "verdict": verdict,
        "after": after,
        "filters": _filters(counts, verdict),
        "decided": dict(batch.staged.order_by().values_list("status").annotate(Count("pk"))),
        "remarks": [finding.sentence for finding in batch.findings],
        **_missing(batch),
    }


def _filters(counts: Mapping[str, int], chosen: str) -> list[dict[str, Any]]:
    every = {"query_string": "?", "selected": not chosen, "label": _("All"), "count": sum(counts.values())}
    return [
        every,
        *(
            {
                "query_string": f"?verdict={verdict.value}",
                "selected": verdict == chosen,
                "label": verdict.label,
                "count": counts.get(verdict, 0),
            }
            for verdict in Verdict
        ),
    ]


def _missing(batch: Import) -> dict[str, Any]:
    """What an earlier list of the source holds and this one does not: named before anything is flagged."""
    if batch.status != BatchStatus.READ or not batch.is_whole:
        return {}
    gone = missing(batch)
    names = [
        row.shown.get("name", "") for row in gone.only("shown").order_by("row_number", "pk")[:MISSING_SHOWN]
    ]
    return {"missing": gone.count(), "missing_names": names}


def _rows(staged: Sequence[StagedRow]) -> list[Row]:
    lines = [line for row in staged for line in row.shown.get("lines", ())]
    codes = {line["item"] for line in lines} - {""}
    items = {
        item.pk: item
        for item in Item.objects.filter(pk__in=codes).select_related("display_unit", "base_unit")
    }
    places = [_read(row, "place") for row in staged]
    regions = {region.pk: region for region in Region.objects.filter(pk__in=set(places) - {""})}
    return [_row(row, items, regions) for row in staged]


def _read(row: StagedRow, field: str) -> str:
    return next((cell["read"] for cell in row.shown.get("cells", ()) if cell["field"] == field), "")


def _row(row: StagedRow, items: Mapping[str, Item], regions: Mapping[str, Region]) -> Row:
    said: dict[str, list[Finding]] = {}
    for finding in row.findings:
        said.setdefault(ABOUT.get(finding.field, finding.field), []).append(finding)
    cells = [_cell(cell, said.pop(cell["field"], ()), regions) for cell in row.shown.get("cells", ())]
    cells += [
        _line(line, said.pop(line["heading"], ()), items.get(line["item"]))
        for line in row.shown.get("lines", ())
    ]
    return Row(row, cells, [finding.sentence for findings in said.values() for finding in findings])


def _cell(cell: Mapping[str, Any], findings: Iterable[Finding], regions: Mapping[str, Region]) -> Cell:
    read = cell["read"]
    if cell["field"] == "place" and read in regions:
        read = f"{regions[read].name} · {read}"
    return Cell(
        field=cell["field"],
        label=str(FIELDS.get(cell["field"], cell["field"])),
        raw=cell["raw"],
        read=read,
        confidence=Confidence(cell["confidence"]),
        sentences=[finding.sentence for finding in findings],
    )


def _line(line: Mapping[str, Any], findings: Iterable[Finding], item: Item | None) -> Cell:
    kind = QuantityKind(line["kind"])
    return Cell(
        field="",
        label=line["heading"],
        raw=line["raw"],
        read=kind.label if kind != QuantityKind.NUMBER else "",
        confidence=Confidence(line["confidence"]),
        sentences=[finding.sentence for finding in findings],
        line=line,
        item=item,
        change=CHANGES[line["change"]],
        was=line.get("was"),
    )
