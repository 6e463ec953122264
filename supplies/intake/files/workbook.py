"""Workbooks (.xlsx), read row by row in constant memory: values as they are shown, nothing computed, nothing run.

openpyxl knows the parts of a workbook, its sheets and its number formats. The rows are taken from the XML here, since
its reader says nothing of merged cells, hidden rows and formulas that nobody ever computed.
"""

import re
import sys
from collections.abc import Callable, Container, Iterator
from typing import Any, BinaryIO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from .delimited import Read, fitting
from .structured import NotAList

MOST_PARTS = 2_000
MOST_UNPACKED = 1_200_000_000  # bytes of one part; a million rows of twelve numbers
MOST_PACKED_TIMES = 400  # a bomb is a thousand times as large as its file; sheets of zeros reach two hundred
MOST_COLUMN = 2_000
HEADER_ROWS = 15  # above this a cell merged across columns is the heading of all of them
WIDEST_MERGE, LONGEST_MERGE, MOST_MERGES = 64, 1_000, 20_000
_CHUNK = 262_144
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_ERROR = re.compile(r"#(?:REF!|N/A|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)")

Say = Callable[..., None]
NameSheets = Callable[[list[str]], None]


def read(file: BinaryIO, say: Say, *, sheet: str, name: NameSheets) -> Iterator[Read]:
    """The rows of every sheet that is shown, or of the one that is asked for, one sheet after the other.

    say     hears about the workbook as a whole
    name    hears the names of the sheets that are shown
    Raises  NotAList for what is no sound workbook: too many parts, a bomb, entities, damage; for a sheet it has not
    """
    try:
        with ZipFile(file) as archive:
            refuse_bombs(archive)
            _mention(archive, say)
            book = _Book(archive)
            shown = dict(book.shown(say))
            name(list(shown))
            for one in chosen(list(shown), sheet):
                yield from _Sheet(book, one, shown[one], say).rows()
    except (BadZipFile, EOFError, KeyError, OSError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, RecursionError):
            raise
        raise NotAList("damaged-workbook") from None
    except expat.ExpatError:
        raise NotAList("damaged-workbook") from None


def chosen(names: list[str], sheet: str) -> list[str]:
    """All of them, or the one that is asked for. Raises NotAList if there is none of that name."""
    if sheet and sheet not in names:
        raise NotAList("no-such-sheet", sheet=sheet, known="、".join(names))
    return [sheet] if sheet else names


def refuse_bombs(archive: ZipFile) -> None:
    parts = archive.infolist()
    if len(parts) > MOST_PARTS:
        raise NotAList("too-many-parts", parts=len(parts), most=MOST_PARTS)
    if any(part.flag_bits & 1 for part in parts):
        raise NotAList("locked")
    for part in parts:
        times = part.file_size / max(1, part.compress_size)
        if part.file_size > MOST_UNPACKED or (part.file_size > 10_000_000 and times > MOST_PACKED_TIMES):
            raise NotAList("bomb", size=part.file_size // 10**6)


def _mention(archive: ZipFile, say: Say) -> None:
    names = archive.namelist()
    if any(name.endswith("vbaProject.bin") for name in names):
        say("macros")
    if any(name.startswith("xl/externalLinks/") for name in names):
        say("external-links")


class _Book:
    """What all sheets of a workbook share: shared strings, and which number formats are days."""

    def __init__(self, archive: ZipFile) -> None:
        sys.modules.setdefault("numpy", None)  # type: ignore[arg-type]  # openpyxl would load them, and needs neither
        sys.modules.setdefault("PIL", None)  # type: ignore[arg-type]
        from openpyxl.reader.excel import ExcelReader
        from openpyxl.styles.stylesheet import apply_stylesheet

        self.archive = archive
        try:
            reader: Any = ExcelReader(archive.fp, read_only=True, data_only=True, keep_links=False)
            reader.read_manifest()
            reader.read_workbook()
            apply_stylesheet(reader.archive, reader.wb)
            self.sheets = [
                (sheet.name, sheet.state, rel.target) for sheet, rel in reader.parser.find_sheets()
            ]
        except (MemoryError, RecursionError, BadZipFile):
            raise
        except Exception as error:  # what damaged or hostile parts provoke in openpyxl has many names
            is_attack = type(error).__module__.startswith("defusedxml")
            raise NotAList("entities" if is_attack else "damaged-workbook") from None
        self.epoch = reader.wb.epoch
        self.days: set[int] = set(reader.wb._date_formats)
        self.spans: set[int] = set(reader.wb._timedelta_formats)
        path = next((name for name in archive.namelist() if name.lower() == "xl/sharedstrings.xml"), None)
        self.strings = list(_strings(archive, path)) if path else []

    def shown(self, say: Say) -> Iterator[tuple[str, str]]:
        for name, state, path in self.sheets:
            if state not in (None, "visible"):
                say("hidden-sheet", sheet=name)
            elif path in self.archive.namelist() and "chartsheet" not in path:
                yield name, path

    def day(self, number: float, style: int) -> str:
        from openpyxl.utils.datetime import from_excel

        try:
            moment = from_excel(number, self.epoch, timedelta=style in self.spans)
        except (OverflowError, ValueError):
            return plain(number)
        return str(moment).removesuffix(" 00:00:00")


def plain(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def _chunks(archive: ZipFile, path: str) -> Iterator[bytes]:
    read = 0
    with archive.open(path) as part:
        while chunk := part.read(_CHUNK):
            read += len(chunk)
            if read > MOST_UNPACKED:
                raise NotAList("bomb", size=read // 10**6)
            yield chunk


def _parser() -> Any:
    """A parser of XML that follows nothing: a workbook has no use for entities."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_declared: object) -> None:
        raise NotAList("entities")

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    return parser


def _local(tag: str) -> str:
    return tag.rpartition(":")[2] if ":" in tag else tag


def _strings(archive: ZipFile, path: str) -> Iterator[str]:
    """The texts of all cells, each once. A reading aid beside a text (rPh) is no part of it."""
    parser, state = _parser(), {"t": False, "aid": False}
    done: list[str] = []
    text: list[str] = []

    def start(tag: str, _attributes: Any) -> None:
        tag = _local(tag)
        if tag == "si":
            text.clear()
        elif tag == "rPh":
            state["aid"] = True
        state["t"] = tag == "t" and not state["aid"]

    def end(tag: str) -> None:
        tag = _local(tag)
        if tag == "si":
            done.append("".join(text))
        elif tag == "rPh":
            state["aid"] = False
        state["t"] = False

    def words(written: str) -> None:
        if state["t"]:
            text.append(written)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, words
    for chunk in _chunks(archive, path):
        parser.Parse(chunk, False)
        yield from done
        done.clear()
    parser.Parse(b"", True)
    yield from done


_COLUMNS: dict[str, int] = {}


def _column(letters: str) -> int:
    """A is 0."""
    if letters not in _COLUMNS:
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter) - 64
        _COLUMNS[letters] = number - 1
    return _COLUMNS[letters]


Spans = dict[tuple[int, int], tuple[int, int]]  # of merged cells: the first row and column -> the last


class Merges:
    """The merged cells of a sheet whose rows come one by one; false when there are none."""

    def __init__(self, spans: Spans) -> None:
        self.spans = {
            (top, left): (bottom, right)
            for (top, left), (bottom, right) in spans.items()
            if right - left <= WIDEST_MERGE and bottom - top <= LONGEST_MERGE
        }
        self.reaching: dict[int, tuple[int, str]] = {}  # column -> last row, text

    def __bool__(self) -> bool:
        return bool(self.spans)

    def fill(self, number: int, cells: dict[int, str], numeric: Container[int]) -> None:
        """Write a merged text into every cell of row `number` that it covers: a hospital into each of its rows, a
        heading over its columns. A number is never repeated: it was written once.
        """
        for column, (last, text) in list(self.reaching.items()):
            if number > last:
                del self.reaching[column]
            elif cells:
                cells.setdefault(column, text)
        for column, text in list(cells.items()):
            span = self.spans.get((number, column))
            if span is None or column in numeric:
                continue
            last_row, last_column = span
            across = last_column if number <= HEADER_ROWS else column
            for covered in range(column, across + 1):
                cells.setdefault(covered, text)
                if last_row > number:
                    self.reaching[covered] = last_row, text


class _Sheet:
    """One sheet on its way past: the row that is being read, and the merged cells that reach into it."""

    def __init__(self, book: _Book, name: str, path: str, say: Say) -> None:
        self.book, self.name, self.path, self.say = book, name, path, say
        self.done: list[Read] = []
        self.number = 0
        self.cells: dict[int, str] = {}
        self.numeric: set[int] = set()
        self.said: list[tuple[str, dict[str, str]]] = []
        self.column, self.kind, self.style = 0, "n", 0
        self.text: list[str] = []
        self.is_value = self.is_formula = self.is_aid = False
        self.merges = Merges(self._merged())

    def _merged(self) -> Spans:
        """They stand behind the rows, so the sheet is gone through before."""
        merged: Spans = {}
        rest = b""
        for chunk in _chunks(self.book.archive, self.path):
            for left, top, right, bottom in _MERGED.findall(rest + chunk):
                first, last = _column(left.decode()), _column(right.decode())
                merged[int(top), first] = int(bottom), last
            if len(merged) > MOST_MERGES:
                raise NotAList("too-many-merged", most=MOST_MERGES)
            rest = chunk[-100:]
        return merged

    def rows(self) -> Iterator[Read]:
        parser = _parser()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._words
        for chunk in _chunks(self.book.archive, self.path):
            parser.Parse(chunk, False)
            yield from self.done
            self.done.clear()
        parser.Parse(b"", True)
        yield from self.done

    # -- what the parser sees -----------------------------------------------------------------------------

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = _local(tag)
        if tag == "c":
            self._start_cell(attributes)
        elif tag == "v" or (tag == "t" and not self.is_aid):
            self.is_value = True
        elif tag == "f":
            self.is_formula = True
        elif tag == "row":
            self.number = int(attributes.get("r") or self.number + 1)
            self.column = -1
            if attributes.get("hidden") in {"1", "true"}:
                self.said.append(("hidden-row", {}))
        elif tag == "rPh":
            self.is_aid = True
        elif tag == "col" and attributes.get("hidden") in {"1", "true"}:
            self.say("hidden-columns", sheet=self.name)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        self.column = _column(place.rstrip("0123456789")) if place else self.column + 1
        self.kind, self.style = attributes.get("t", "n"), int(attributes.get("s", 0))
        self.is_formula = False
        self.text = []

    def _words(self, written: str) -> None:
        if self.is_value:
            self.text.append(written)

    def _end(self, tag: str) -> None:
        tag = _local(tag)
        if tag in {"v", "t"}:
            self.is_value = False
        elif tag == "c":
            self._end_cell()
        elif tag == "row":
            self._end_row()
        elif tag == "rPh":
            self.is_aid = False

    def _end_cell(self) -> None:
        text = "".join(self.text)
        if not text:
            if self.is_formula:
                self.said.append(("formula", {"cell": self._place()}))
            return
        if self.column > MOST_COLUMN:
            self.said.append(("too-many-columns", {"most": str(MOST_COLUMN)}))
        elif self.kind == "e" or _ERROR.fullmatch(text):
            self.said.append(("cell-error", {"cell": self._place(), "error": text}))
        else:
            self.cells[self.column] = self._shown(text)

    def _shown(self, text: str) -> str:
        if self.kind == "s":
            at = int(text)
            return self.book.strings[at] if 0 <= at < len(self.book.strings) else ""
        if self.kind == "b":
            return "TRUE" if text == "1" else "FALSE"
        if self.kind != "n":
            return text
        try:
            number = float(text)
        except ValueError:
            return text
        if self.style in self.book.days:
            return self.book.day(number, self.style)
        self.numeric.add(self.column)
        # The text is exact where it is short; 1.3812345678E10 is a telephone.
        return text if text.isdigit() and len(text) < 16 else plain(number)

    def _place(self) -> str:
        letters, number = "", self.column + 1
        while number:
            number, digit = divmod(number - 1, 26)
            letters = chr(65 + digit) + letters
        return f"{letters}{self.number}"

    def _end_row(self) -> None:
        if self.merges:
            self.merges.fill(self.number, self.cells, self.numeric)
        if self.cells:
            cells = [""] * (max(self.cells) + 1)
            for column, text in self.cells.items():
                cells[column] = text
            row = fitting(Read(self.number, cells, self.said, self.name))
            if row.cells or row.said:
                self.done.append(row)
        self.cells, self.said, self.numeric = {}, [], set()
