"""The rows of a batch that wait or failed, as a sheet: the columns they came with, in their order, and why. Mended, it is
handed in like any list; it holds a part of its list, so no row is missing from it.

The cells hold everybody's names and telephones. Whoever handed the list in has them already, and gets them back; anybody
else gets the rows by number and name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from supplies.intake.models import SURE, Import, StagedRow, StagedStatus
from supplies.intake.opening import MENDED, is_row, loads
from supplies.intake.reading.text import as_written

PIECE = 500


def columns_of(batch: Import) -> list[str]:
    """The columns of the original, in the order in which the rows name them."""
    seen: dict[str, None] = {}
    for row in _rows(batch):
        seen |= dict.fromkeys(_cells(row))
    return list(seen)


def head(columns: list[str] | None) -> list[str]:
    """The columns, and those that are added; by their mark they are left out when the sheet comes back mended."""
    added = [f"{MENDED}{name}" for name in (_("row"), _("verdict"), _("reason"))]
    return [*(columns if columns is not None else [_("name")]), *added]


def pieces(batch: Import, columns: list[str] | None) -> Iterator[list[list[Any]]]:
    """So many rows at once; without columns, each by its name. The language of the request is gone when they are sent."""
    language = translation.get_language()
    piece: list[list[Any]] = []
    for row in _rows(batch):
        with translation.override(language):
            piece.append([*_beginning(row, columns), *_ending(row)])
        if len(piece) == PIECE:
            yield piece
            piece = []
    yield piece


def _rows(batch: Import) -> Iterator[StagedRow]:
    rows = batch.staged.to_decide().exclude(status=StagedStatus.STAGED, verdict__in=SURE)
    return rows.in_order().iterator(chunk_size=PIECE)


def _beginning(row: StagedRow, columns: list[str] | None) -> list[str]:
    if columns is None:
        return [row.shown.get("name", "")]
    cells = _cells(row)
    return [_text(cells.get(column)) for column in columns]


def _ending(row: StagedRow) -> list[Any]:
    why = " ".join(finding.sentence for finding in row.findings)
    return [row.number, str(row.get_verdict_display()), why]


def _cells(row: StagedRow) -> Mapping[str, Any]:
    raw = loads(row.raw) if row.raw else {}
    return {str(name): cell for name, cell in raw.items()} if is_row(raw) else {"": raw}


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else as_written(cell, most=32_000)
