"""What a reader noticed: a code with its words, made into a sentence only when somebody reads it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from supplies.leaks import masked

SENTENCES: Mapping[str, Any] = {
    # text and encodings
    "encoding": _(
        "The file is not readable as UTF-8, UTF-16, GB18030 or Big5 (first bad byte in line %(line)s)."
    ),
    "damaged-utf8": _(
        "The file is UTF-8, but line %(line)s holds a damaged character; save it again as UTF-8."
    ),
    "nul": _(
        "The text holds a NUL character (line %(line)s); it may be a spreadsheet saved as text. Remove it."
    ),
    "surrogate": _("The text holds half a character (lone surrogate, line %(line)s); type it again."),
    "too-long": _("The text has %(length)s characters; at most %(most)s are read."),
    "not-text": _("A text was expected, not “%(cell)s”."),
    # files
    "encoding-unsure": _(
        "The text may be GB18030 (mainland) or Big5 (Taiwan, Hong Kong), and neither is certain. "
        "Name the encoding, or save the file as UTF-8."
    ),
    "not-in-encoding": _("The file is not %(encoding)s (first bad byte in line %(line)s)."),
    "is-empty": _("The file is empty."),
    "is-csv": _("This is really text with commas (CSV). Give it the ending .csv and send it again."),
    "is-tsv": _("This is really text with tabs. Give it the ending .tsv and send it again."),
    "is-semicolon": _("This is really text with semicolons. Give it the ending .csv and send it again."),
    "is-bar": _("This is really text with vertical bars. Give it the ending .csv and send it again."),
    "is-json": _("This is really JSON. Give it the ending .json and send it again."),
    "is-yaml": _("This is really YAML. Give it the ending .yaml and send it again."),
    "is-xlsx": _("This is really an Excel workbook. Give it the ending .xlsx and send it again."),
    "is-xls": _("This is really an old Excel workbook. Give it the ending .xls and send it again."),
    "is-xlsb": _("This is really a binary Excel workbook (.xlsb). Open it and save it as .xlsx."),
    "is-ods": _("This is really an OpenDocument sheet. Give it the ending .ods and send it again."),
    "is-html": _("This is really a web page, perhaps saved as .xls. Open it and save it as .xlsx."),
    "is-xml": _("This is really XML; no list is read from that. Save it as .xlsx or .csv."),
    "is-pdf": _("This is really a PDF. Keep it as evidence, and type the lines from it."),
    "is-picture": _("This is really a picture. Keep it as evidence, and type the lines from it."),
    "is-word": _("This is really a text document (Word). Paste its text, or save its table as .xlsx."),
    "is-slides": _("This is really a presentation; no list is read from that."),
    "is-archive": _("This is really a packed archive. Unpack it and send the files one by one."),
    "is-damaged-zip": _(
        "This is really a zip file or workbook that is damaged. Save it again and send it once more."
    ),
    "is-locked": _(
        "This is really a workbook locked with a password. Save it without one and send it again."
    ),
    "is-program": _("This is really a program; it is not opened."),
    "is-database": _("This is really a database; save the table as .csv."),
    "is-binary": _("This is really no text and no workbook; nobody can tell what it is."),
    "locked": _("The workbook is locked with a password. Save it without one and send it again."),
    "bomb": _("The file unpacks to %(size)s megabytes, as no honest list does; it is not read."),
    "too-many-parts": _("The workbook has %(parts)s parts, at most %(most)s are opened."),
    "too-many-merged": _("The sheet has more than %(most)s merged cells; undo them and send it again."),
    "entities": _("The workbook declares entities, as only an attack does; it is not read."),
    "damaged-workbook": _("The workbook is damaged or was cut off. Save it again and send it once more."),
    "bad-yaml": _("The file is not readable YAML (line %(line)s)."),
    "yaml-repeats": _("The YAML repeats itself too often (line %(line)s); write the rows out."),
    "duplicate-key": _("“%(key)s” stands twice in one row (line %(line)s), with two values."),
    "too-hard": _("The file takes more memory than a list may; split it and send the parts."),
    "took-too-long": _("The file takes too long to be read; split it and send the parts."),
    "too-many-rows": _("The file has more than %(most)s rows. Those were read; split it and send the rest."),
    "handed-back": _(
        "These are rows of an import that were handed back mended. No other row is taken to be missing."
    ),
    "not-whole": _("Only the first %(rows)s rows could be read. No row is taken to be missing."),
    "row-too-long": _("The row is longer than a million characters; it is not read."),
    "too-many-columns": _("The row has more than %(most)s filled columns; it is not read."),
    "unclosed-quote": _("A quotation mark in this line is never closed; close it or take it away."),
    "hidden-row": _("The row is hidden in its sheet; it is read all the same."),
    "hidden-sheet": _("The sheet “%(sheet)s” is hidden; it is not read."),
    "hidden-columns": _("The sheet “%(sheet)s” has hidden columns; they are read all the same."),
    "formula": _(
        "Cell %(cell)s holds a formula that was never computed. Open the file, save it, and send it again."
    ),
    "cell-error": _("Cell %(cell)s holds the error %(error)s; it is taken as empty."),
    "macros": _("The workbook holds macros; they were not run."),
    "external-links": _("Some cells come from other workbooks; they are read as they were last saved."),
    # tables
    "other-header": _(
        "The table has no column “%(missing)s”, so it is not read as “%(source)s”; map it anew."
    ),
    "new-columns": _("The table has columns that its mapping does not know: %(columns)s. They are not used."),
    "missing-columns": _("Columns that the table had before are missing: %(columns)s."),
    "beyond-header": _("The row goes on beyond the last heading: %(cells)s."),
    "no-such-sheet": _("There is no sheet “%(sheet)s” in the workbook; it has: %(known)s."),
    "as-above": _("Empty, so it takes what stands above, as the mapping says: %(columns)s."),
    "sheet-skipped": _("The sheet “%(sheet)s” has other headings; it is not read."),
    "no-rows": _("There is no row in the file that could be read."),
    "total-row": _("“%(cell)s” adds up other rows; it is no need of its own."),
    "private-person": _(
        "A private person gives this; ask, and enter the gift by hand. No name is taken from a list."
    ),
    "settled": _("The list says “%(state)s”: nothing is open here any more."),
    "not-approved": _(
        "The list's own volunteers have not approved this row; it is not taken over as moderated."
    ),
    "no-name-column": _("Say which column holds the name of the hospital or donor."),
    "no-goods-column": _("Say which columns hold goods."),
    "no-plan": _("The mapping is not one that this site wrote."),
    "needs-mapping": _("Nobody has said yet what the columns of this table are: %(columns)s. Map them once."),
    "list-of-carriers": _("This is a list of carriers: nobody asks for goods in it, and none are given."),
    "list-of-channels": _(
        "This is a list of accounts for gifts of money; bank accounts are never taken over."
    ),
    "list-of-gifts": _("This lists gifts of money by companies; there are no goods in it."),
    "list-of-faults": _("This is another program's list of faults, not a list of needs."),
    "list-of-regions": _("This is a table of regions; it belongs to the regions, not to the needs."),
    "list-of-words": _("This is a table of words or kinds (a look-up table), not a list of needs."),
    "list-of-counts": _("This counts requests by month; it names nobody who needs anything."),
    "list-of-hospitals": _(
        "This is a directory of hospitals: it asks for nothing. Take it in by the command import_directory."
    ),
    # quantities
    "not-a-quantity": _(
        "“%(cell)s” is not a quantity; write a whole number, “不限” (no limit) or leave it empty."
    ),
    "negative": _("The quantity %(cell)s is negative; write how many are wanted."),
    "zero": _("The quantity is zero; leave the line out if nothing is wanted."),
    "not-wanted": _("“%(cell)s” says that nothing is wanted."),
    "fraction": _("The quantity %(cell)s is not a whole number; goods are counted in whole pieces."),
    "huge": _("The quantity %(cell)s is more than %(most)s, the largest that can be asked for or given."),
    "ambiguous-number": _("“%(cell)s” can be read as two different numbers; write it without separators."),
    "either-number": _(
        "“%(cell)s” names two numbers: which is meant, or whether from one to the other, has to be asked."
    ),
    "backward-range": _("The range “%(cell)s” ends below its beginning."),
    "no-number": _("“%(cell)s” names no number; the quantity is taken as unknown."),
    "range": _("The text names a range, %(low)s to %(high)s; the lower figure is certain."),
    "at-least": _("The text says “at least %(low)s”; more is welcome."),
    "approximate": _("The figure in “%(cell)s” is approximate."),
    "second-figure": _("The cell also says “%(rest)s”; only the first figure is used."),
    "other-rate": _("“%(cell)s” is a rate per week, month or year; it is read as one quantity."),
    "only-a-rate": _(
        "“%(cell)s” only tells how much is used. Whether any is asked for, and how much, is not said: it is no need."
    ),
    "joint-quantity": _("One figure is given for several goods together; how many of each is not known."),
    "standard-in-cell": _("The quantity cell also names the standard “%(standard)s”."),
    # items
    "synonyms": _("“%(cell)s” can mean several goods; it is read as %(item)s."),
    "repeated-item": _("“%(item)s” is named twice; it is counted once."),
    "and-so-on": _("The list ends with “等” (and so on): more may be wanted than is written."),
    "uneven-lists": _("There are %(items)s goods but %(standards)s requirements; the rest have none."),
    # people, places, dates
    "no-number-in-contact": _("A contact holds no telephone number that could be read."),
    "two-organisations": _("Two organisations in one name: “%(first)s” and “%(second)s”; the first is used."),
    "impossible-date": _("“%(cell)s” is not a date of the calendar."),
    # rows of a list
    "not-a-list": _("The file is not a list of rows; expected JSON as published, a list of objects."),
    "bad-json": _("The file is not readable JSON (line %(line)s): it may have been cut off."),
    "not-a-list-of-cells": _("“%(field)s” should be a list of objects."),
    "unread-cell": _("The list's own reader could not read this cell; the quantity is taken as unknown."),
    "row-not-an-object": _("The row is not an object with named fields."),
    "missing": _("“%(field)s” is missing."),
    "older-list": _("A list of %(day)s said more about this row; this older one changes nothing."),
    "unknown-place": _("The place “%(place)s” is not in the table of regions."),
    "no-place": _("No place is named. Say which column holds it, or choose a region for such rows."),
    "place-of-address": _("The row names no place of its own; %(region)s is read from its address."),
    "unsure-place": _("“%(place)s” does not agree with itself; it is read as %(region)s."),
    "place-of-city": _("The district “%(place)s” is not in the table of regions; the city is used."),
    "unknown-item": _("“%(item)s” is not in the catalogue."),
    "no-goods": _("The row names no goods that could be read."),
    "unusual-quantity": _(
        "%(quantity)s %(unit)s of %(item)s is outside the plausible %(low)s to %(high)s; a volunteer decides."
    ),
    "quantity-not-given": _("The list gives no quantity for %(item)s; a volunteer has to ask."),
    "not-countable": _("%(item)s: %(sentence)s The quantity is taken as unknown."),
    "unit-not-given": _(
        "%(item)s: %(quantity)s of what is not said, and a bottle can hold anything. The quantity is taken as unknown."
    ),
    "unsure-item": _("“%(cell)s” is perhaps %(item)s; a volunteer decides."),
    "no-certificate": _(
        "No certificate of the maker is given; a volunteer publishes the donation when it is shown."
    ),
    "standard-impossible": _("%(item)s: %(sentence)s"),
    "standard-withdrawn": _("%(item)s: %(sentence)s"),
    "standard-not-yet-in-force": _("%(item)s: %(sentence)s"),
    "standard-unverified": _("%(item)s: %(sentence)s"),
    "standard-wrong-item": _("%(item)s: %(sentence)s"),
    "standard-class-not-stated": _("%(item)s: %(sentence)s"),
    "standard-unknown": _("%(item)s: %(sentence)s"),
    "near-name": _("“%(name)s” is taken to be “%(known)s”, known in the same place."),
    "repeated-too-often": _("“%(name)s” stands in the list more than ninety-nine times."),
    "asked-already": _(
        "%(item)s is asked for by the same facility in another row already; it is counted once."
    ),
    "not-a-hospital": _(
        "“%(name)s” does not read like a hospital or a charity; it is kept as a receiving body."
    ),
    "address-several": _("The address names several places; the first is used."),
    "bad-link": _("The source link is not a web address; it is kept in the raw row only."),
    "leak-hidden": _("%(count)s telephone, bank or identity numbers were hidden in the public remark."),
    "accounts-left-out": _("%(count)s bank accounts were found and left out; money is not collected here."),
    "goods-in-remark": _("The remark names more goods: %(goods)s. Ask whether they are needed."),
    "line-gone": _(
        "%(item)s was asked for before and is missing from the row now; it stays open until somebody asks."
    ),
    "line-changed": _("%(item)s is written differently now; what was entered stays until somebody asks."),
    "row-gone": _("%(count)s rows of an earlier list are missing from this one; they stay as they are."),
    "not-stored": _("The row could not be stored; the log of the server says why."),
    "too-big": _("The file has %(size)s megabytes; at most %(most)s are read."),
    "cannot-open": _("The file cannot be opened: %(reason)s."),
    "refused": _("%(sentence)s"),
    # public lists of hospitals
    "listed-twice": _("“%(name)s” stands in the list twice; it is kept once."),
    "number-in-name": _("The name holds a telephone number or the like; take it out of the name."),
    "not-a-table": _("The file is not readable as CSV: %(reason)s."),
    "no-column": _("No column is called “%(column)s”; the first line has to name the columns."),
    # review
    "corrected": _("A volunteer has said what “%(cell)s” means in lists of this source."),
    "not-goods": _("“%(cell)s” is left out: a volunteer has said that it is nothing that is wanted."),
    "reading-stopped": _(
        "Reading stopped at row %(row)s, since the program failed there %(times)s times. Tell whoever runs the site, "
        "and hand the list in again when it is mended."
    ),
    "entering-stopped": _(
        "Entering stopped at row %(row)s or one of the next, since the program failed there %(times)s times. "
        "What stands before is entered. Tell whoever runs the site; leave the row out, or enter again when it is mended."
    ),
    "file-lost": _("The file is no longer there. Hand it in again."),
    "which-emergency": _("Several emergencies go on, or none. Say for which one this is asked."),
    "format-unknown": _(
        "No format that is known here can read this file. Choose its format, or its columns."
    ),
}


@dataclass(frozen=True)
class Finding:
    """Something a volunteer should know about one cell. `field` is empty when it is about the whole row."""

    code: str
    words: Mapping[str, str] = field(default_factory=dict)
    field: str = ""

    @property
    def sentence(self) -> str:
        return str(SENTENCES[self.code]) % self.words

    def at(self, place: str) -> "Finding":
        """The same finding, said about a named field."""
        return replace(self, field=place)

    def as_json(self) -> dict[str, Any]:
        words = {name: masked(word) for name, word in self.words.items()}
        return {"code": self.code, "field": self.field, "words": words}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Finding":
        return cls(stored["code"], stored["words"], stored["field"])


def found(code: str, **words: object) -> Finding:
    """A finding with its words; long quotations are shortened so that a sentence stays a sentence."""
    return Finding(code, {name: shorten(str(word)) for name, word in words.items()})


def shorten(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


class Unreadable(ValueError):
    """A cell or file that cannot be read; `finding` says which and why."""

    def __init__(self, code: str, **words: object) -> None:
        self.finding = found(code, **words)
        super().__init__(code)

    def __str__(self) -> str:
        return self.finding.sentence

    def at(self, place: str) -> "Unreadable":
        """The same refusal, said about a named field."""
        self.finding = self.finding.at(place)
        return self


@contextmanager
def about(field: str) -> Iterator[None]:
    """What is unreadable inside is said about this field."""
    try:
        yield
    except Unreadable as error:
        raise error.at(field) from None
