"""How rows are written: each writer takes rows one by one and hands out pieces, so that a million need no more memory than ten.

All write the columns of the dictionary, in its order and by its names.
"""

import json
import re
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import IO, Any

from django.conf import settings
from django.utils.feedgenerator import Atom1Feed
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from supplies import sheets
from supplies.opendata.columns import moment
from supplies.opendata.dictionary import COLUMNS
from supplies.opendata.dump import lines
from supplies.opendata.rows import Shelf

FORMS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "atom": "application/atom+xml; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
}
AT_ONCE = 500  # rows of a piece
MOST_OF_XLSX = 1_048_576  # rows of a sheet, two of them taken by names and hashtags
PIECE = 1 << 16


@dataclass(frozen=True)
class About:
    """What a file says of itself."""

    kind: str
    made_at: datetime
    licence: str
    licence_url: str
    origin: str
    dictionary: str

    @property
    def said(self) -> dict[str, str]:
        return {
            "dataset": self.kind,
            "made_at": moment(self.made_at),
            "licence": self.licence,
            "licence_url": self.licence_url,
            "origin": self.origin,
            "dictionary": self.dictionary,
        }

    def file_name(self, form: str) -> str:
        """Age and licence stand in the name of a file that has no place for them inside."""
        return f"{self.kind}-{self.made_at:%Y%m%dT%H%MZ}-{self.licence}.{form}"


def cell(value: Any) -> Any:
    """A value of JSON as a cell: nothing as nothing, yes and no in English, a list with semicolons."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return ";".join(map(str, value))
    return value


def _cells(kind: str, rows: Iterable[Any], shelf: Shelf) -> Iterator[list[Any]]:
    columns = COLUMNS[kind]
    for row in rows:
        yield [cell(column.value(row, shelf)) for column in columns]


def head(kind: str) -> list[list[str]]:
    """The row of names, and the row of HXL hashtags under it."""
    return [[column.name for column in COLUMNS[kind]], [column.tag for column in COLUMNS[kind]]]


def csv(about: About, rows: Iterable[Any], shelf: Shelf) -> Iterator[bytes]:
    names, tags = head(about.kind)
    pieces = _in_lists(_cells(about.kind, rows, shelf))
    yield from (piece.encode() for piece in sheets.in_pieces(names, _behind([tags], pieces)))


def _behind(first: list[list[Any]], pieces: Iterator[list[list[Any]]]) -> Iterator[list[list[Any]]]:
    yield first
    yield from pieces


def _in_lists(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    while piece := list(islice(rows, AT_ONCE)):
        yield piece


def jsonl(about: About, rows: Iterable[Any], shelf: Shelf) -> Iterator[bytes]:
    yield from lines(about.kind, rows, shelf)


def geojson(about: About, rows: Iterable[Any], shelf: Shelf) -> Iterator[bytes]:
    """A FeatureCollection (RFC 7946) of points in the middle of regions; a flow is a line between two."""
    columns, shape = COLUMNS[about.kind], SHAPES.get(about.kind, _point)
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    start = {"type": "FeatureCollection", **about.said}
    yield f'{encode(start)[:-1]},"features":['.encode()
    between = "\n"
    for row in rows:
        properties = {column.name: column.value(row, shelf) for column in columns}
        feature = {
            "type": "Feature",
            "id": properties["id"],
            "geometry": shape(properties, row, shelf),
            "properties": properties,
        }
        yield f"{between}{encode(feature)}".encode()
        between = ",\n"
    yield b"\n]}\n"


def _point(properties: Mapping[str, Any], row: Any, shelf: Shelf) -> dict[str, Any] | None:
    if properties["lat"] is None:
        return None
    return {"type": "Point", "coordinates": [properties["lon"], properties["lat"]]}


def _line(properties: Mapping[str, Any], row: Any, shelf: Shelf) -> dict[str, Any] | None:
    start = shelf.place(row.came_from)
    if start.lat is None or properties["lat"] is None:
        return None
    return {
        "type": "LineString",
        "coordinates": [[start.lon, start.lat], [properties["lon"], properties["lat"]]],
    }


SHAPES: Mapping[str, Callable[[Mapping[str, Any], Any, Shelf], dict[str, Any] | None]] = {"flows": _line}


# -- Spreadsheets ----------------------------------------------------------------------------------------------


def rows_of_a_sheet() -> int:
    """What the operator lets a sheet hold, and never more than the format does."""
    return min(settings.OPEN_DATA_SHEET_ROWS, MOST_OF_XLSX - 2)


def xlsx(about: About, rows: Iterable[Any], shelf: Shelf) -> IO[bytes]:
    """A workbook in a file that is gone once it is closed: a sheet of rows, and one that says what it is."""
    book = Workbook(write_only=True)
    book.properties.title, book.properties.creator = about.kind, about.origin
    book.properties.description = f"{about.licence} {about.licence_url}"
    sheet = book.create_sheet(about.kind)
    for line in head(about.kind):
        sheet.append(line)
    for line in _cells(about.kind, rows, shelf):
        sheet.append([_sheet_cell(value) for value in line])
    beside = book.create_sheet("about")
    for name, value in about.said.items():
        beside.append([name, _sheet_cell(value)])
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by whoever sends it
    book.save(file)
    file.seek(0)
    return file


def _sheet_cell(value: Any) -> Any:
    """No formula, and no character that XML cannot hold."""
    safe = sheets.safe(value)
    return ILLEGAL_CHARACTERS_RE.sub("", safe) if isinstance(safe, str) else safe


def in_parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


# -- Feeds -----------------------------------------------------------------------------------------------------

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
TITLES = {
    "needs": ("item_zh", "item_en", "facility_name"),
    "offers": ("item_zh", "item_en", "adm1_zh"),
    "gaps": ("item_zh", "item_en", "adm1_zh", "adm2_zh"),
    "flows": ("item_zh", "item_en", "from_zh", "adm2_zh", "month"),
}
SUMMARIES = {
    "needs": ("status", "quantity", "unit", "outstanding", "urgency", "needed_by", "region", "confirmed_at"),
    "offers": ("lots", "offered", "promised", "left", "unit"),
    "gaps": ("level", "needed", "promised", "in_transit", "received", "gap", "coverage", "age_days", "unit"),
    "flows": ("shipped", "accepted", "unit"),
}


class PagedAtom(Atom1Feed):
    """Atom (RFC 4287) with pages (RFC 5005): `first` and, where there are any, `next` and `previous`."""

    def add_root_elements(self, handler: Any) -> None:
        super().add_root_elements(handler)
        handler.addQuickElement("link", "", {"rel": "license", "href": self.feed["licence_url"]})
        for relation, address in self.feed["pages"].items():
            if address:
                handler.addQuickElement("link", "", {"rel": relation, "href": address})


def stable_id(*parts: str) -> str:
    """The same for the same words, on every instance and for good."""
    return uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(parts)).urn


def atom(
    about: About,
    rows: Iterable[Any],
    shelf: Shelf,
    *,
    title: str,
    home: str,
    address: str,
    pages: Mapping[str, str | None],
    link: Callable[[Mapping[str, Any]], str],
) -> bytes:
    """One page of a feed.

    home   the page for people      address  of this page of the feed
    pages  relation -> address      link     a row's values -> the page about it
    """
    feed = PagedAtom(
        title=title,
        link=home,
        description="",
        feed_url=address,
        feed_guid=stable_id(about.origin, about.kind, pages["first"] or ""),
        author_name=about.origin or title,
        feed_copyright=f"{about.licence} {about.licence_url}",
        pages=pages,
        licence_url=about.licence_url,
    )
    for row in rows:
        values = {column.name: column.value(row, shelf) for column in COLUMNS[about.kind]}
        is_uuid = about.kind == "needs"
        feed.add_item(
            title=_said(" · ".join(str(values[name]) for name in TITLES[about.kind] if values[name])),
            link=link(values),
            description=_said(" · ".join(f"{name}: {cell(values[name])}" for name in SUMMARIES[about.kind])),
            unique_id=f"urn:uuid:{values['id']}" if is_uuid else stable_id(about.origin, values["id"]),
            pubdate=getattr(row, "created_at", None),
            updateddate=row.updated_at or about.made_at,
            categories=[values["item"], values["emergency"]],
        )
    return feed.writeString("utf-8").encode()


def _said(text: str) -> str:
    return NOT_IN_XML.sub("", text)
