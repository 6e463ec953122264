"""Reads one file that somebody handed in. Runs in a process of its own that may use little memory and time.

Started by `supplies.limited` as parser NAME ENCODING SHEET < FILE, it prints lines of JSON while it reads:

    {"really": "csv", "encoding": "gb18030"}                      what the file is, by its content
    {"sheets": [name, …]}                                         those of a workbook, whichever is read
    {"rows": [[number, row, [[code, words], …], sheet], …]}       rows that are not empty, and what is odd about them
    {"said": [code, words]}                                       something about the file as a whole
    {"refused": [code, words]}                                    no row can be read
    {"cut": [code, words]}                                        the rows so far could be read, the rest not
    {"end": true, "peak": bytes}                                  that was the whole file

An output without {"end"} is one of a process that was ended by its limits.
"""

import io
import json
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO

from supplies import limited
from supplies.intake.files import delimited, kinds, other_workbooks, prose, structured, workbook
from supplies.intake.files.structured import NotAList
from supplies.intake.reading.encodings import Undecodable, codec_of, decoded

MEMORY = 300_000_000  # bytes of address space; what is resident is less
SECONDS = 60
MOST_ROWS = 200_000
BATCH = 200  # rows in a line
MOST_BATCH = 1_000_000  # characters in a line, about


class TooManyRows(ValueError):
    """The file goes on; what was read is good."""


class Parser:
    def __init__(self, file: BinaryIO, name: str, encoding: str, sheet: str) -> None:
        self.file, self.name, self.encoding, self.sheet = file, name, encoding, sheet
        self.given = 0

    def tell(self, **what: Any) -> None:
        sys.stdout.write(json.dumps(what) + "\n")

    def tell_rows(self, batch: list[str]) -> None:
        sys.stdout.write(f'{{"rows": [{", ".join(batch)}]}}\n')
        self.given += len(batch)

    def say(self, code: str, **words: object) -> None:
        self.tell(said=[code, {name: str(word) for name, word in words.items()}])

    def run(self) -> None:
        size = self.file.seek(0, io.SEEK_END)
        self.file.seek(0)
        really = kinds.what_it_is(self.file, size, self.encoding, self.name)
        if not kinds.is_as_claimed(self.name, really):
            if really in kinds.READABLE - kinds.WORKBOOKS:
                self._text()  # a text that cannot be read at all has that said of it first
            raise NotAList("not-what-it-says", really=really)
        if really not in kinds.READABLE:
            raise NotAList("not-readable", really=really)
        if really in kinds.WORKBOOKS:
            self.tell(really=really, encoding="")
            read = workbook.read if really == "xlsx" else other_workbooks.read
            self.give(read(self.file, self.say, sheet=self.sheet, name=lambda names: self.tell(sheets=names)))
            return
        encoding, text = self._text()
        self.tell(really=really, encoding=encoding)
        if really == "json":
            self.give(delimited.Read(number, row, []) for number, row in structured.read_json(text))
        elif really == "yaml":
            self.give(delimited.Read(*row) for row in structured.read_yaml(text))
        elif really == "announcement":
            self.give(delimited.Read(number, row, []) for number, row in prose.rows(text))
        else:
            del text
            self.file.seek(0)
            lines = io.TextIOWrapper(self.file, codec_of(encoding), newline="")
            self.give(delimited.read(lines, kinds.DELIMITERS[really]))

    def _text(self) -> tuple[str, str]:
        """All of the text, so that no row of a damaged file is given before the damage is seen."""
        raw = self.file.read()
        if self.encoding:
            try:
                encoding, text = self.encoding, raw.decode(codec_of(self.encoding))
            except UnicodeDecodeError as error:
                line = raw.count(b"\n", 0, error.start) + 1
                raise NotAList("not-in-encoding", encoding=self.encoding, line=line) from None
        else:
            encoding, text = decoded(raw)
        if "\0" in text:
            raise NotAList("nul", line=text.count("\n", 0, text.index("\0")) + 1)
        return encoding, text

    def give(self, rows: Iterable[delimited.Read]) -> None:
        batch: list[str] = []
        length = 0
        try:
            for count, row in enumerate(rows, start=1):
                if count > MOST_ROWS:
                    raise TooManyRows
                batch.append(json.dumps(row))
                length += len(batch[-1])
                if len(batch) == BATCH or length > MOST_BATCH:
                    self.tell_rows(batch)
                    batch, length = [], 0
        finally:  # a limit that is reached takes nothing from the rows before it
            if batch:
                self.tell_rows(batch)


def main() -> None:
    limited.limit(memory=MEMORY, seconds=SECONDS, written=0)
    parser = Parser(sys.stdin.buffer, *sys.argv[1:4])
    try:
        parser.run()
    except NotAList as why:
        _stop(parser, why.code, why.words)
    except Undecodable as why:
        _stop(parser, why.code, {"line": str(why.line)})
    except TooManyRows:
        _stop(parser, "too-many-rows", {"most": f"{MOST_ROWS:,}"})
    except (MemoryError, RecursionError):
        _stop(parser, "too-hard", {})
    parser.tell(end=True, peak=limited.peak())
    sys.stdout.flush()


def _stop(parser: Parser, code: str, words: dict[str, str]) -> None:
    parser.tell(**{"cut" if parser.given else "refused": [code, words]})
