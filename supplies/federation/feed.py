"""What another instance publishes, read as somebody else's: nothing is believed that its pinned key has not signed, and of what
is signed every value is looked at. The formats are ours (docs/open-data.md)."""

import base64
import binascii
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.translation import gettext as _

from supplies.errors import Refused
from supplies.federation.models import TOLD
from supplies.needs.models import QuantityKind, Urgency
from supplies.opendata.dump import NAME, SCHEMA_VERSION
from supplies.quantity import MOST

MANIFEST, SIGNATURE, KEY = "/open/manifest.json", "/open/manifest.json.sig", "/open/key/"
KIND = "needs"  # the one file that is read; the others are sums and directories of theirs
MOST_OF_MANIFEST, MOST_OF_SMALL = 1 << 20, 1 << 14  # bytes
MOST_ROWS, MOST_BYTES, MOST_OF_A_ROW = 2_000_000, 1 << 30, 1 << 16
FILE = re.compile(r"[a-z_]{1,40}\.jsonl\.gz", re.ASCII)
CODE = re.compile(r"[\w./:+() -]{0,40}", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class NotToBeRead(Refused):
    """What came is not what it should be; nothing of it is taken."""

    code = "not-to-be-read"


# -- Key and manifest ------------------------------------------------------------------------------------------


def read_json(content: bytes | str) -> Mapping[str, Any]:
    """One JSON object. Raises ValueError for anything else, however deep or large."""
    try:
        found = json.loads(content, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _refuse(word: str) -> None:
    raise ValueError(word)


def read_key(content: bytes) -> tuple[str, str]:
    """The instance and its public key, as /open/key/ tells them. Raises NotToBeRead."""
    try:
        said = read_json(content)
        instance, public = _words(said, "instance", 200), _words(said, "public_key", 44)
        if not instance or said.get("algorithm") != "Ed25519":
            raise ValueError
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
    except ValueError:
        raise NotToBeRead(_("What stands at /open/key/ is not a key.")) from None
    return instance, public


def fingerprint(public: str) -> str:
    """SHA-256 of the key's 32 bytes in groups of four, for two people to read to each other."""
    digest = hashlib.sha256(base64.b64decode(public)).hexdigest()
    return " ".join(digest[place : place + 4] for place in range(0, 64, 4))


def is_signed(content: bytes, signature: bytes, public: str) -> bool:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public))
    try:
        key.verify(base64.b64decode(signature.strip(), validate=True), content)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


@dataclass(frozen=True)
class Manifest:
    """What was signed. `rows`, `bytes` and `file_sha256` are of the file of needs, compressed as it lies there."""

    sha256: str
    instance: str
    dump: str
    made_at: datetime
    licence: str
    licence_url: str
    file: str
    rows: int
    bytes: int
    file_sha256: str

    @property
    def path(self) -> str:
        return f"/open/dumps/{self.dump}/{self.file}"


def read_manifest(content: bytes) -> Manifest:
    """One whose signature was checked. Raises NotToBeRead for one that is not as it should be, or of another version."""
    try:
        said = read_json(content)
        if said.get("schema_version") != SCHEMA_VERSION:
            raise NotToBeRead(_("It is written in another version of the format."))
        (part,) = [part for part in said["files"] if part["kind"] == KIND]
        made = Manifest(
            hashlib.sha256(content).hexdigest(),
            _words(said, "instance", 200),
            _words(said, "dump", 20),
            _moment(said, "made_at"),
            _words(said, "licence", 100),
            _link(said, "licence_url", 300),
            _words(part, "name", 60),
            _whole(part, "rows", 0, MOST_ROWS),
            _whole(part, "bytes", 1, MOST_BYTES),
            _words(part, "sha256", 64),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NotToBeRead(_("The manifest cannot be read (%(what)s).") % {"what": str(error)[:60]}) from None
    if not (NAME.fullmatch(made.dump) and FILE.fullmatch(made.file) and DIGEST.fullmatch(made.file_sha256)):
        raise NotToBeRead(_("The manifest cannot be read (%(what)s).") % {"what": "file"})
    return made


# -- Rows ------------------------------------------------------------------------------------------------------


def lines(path: Path) -> Iterator[bytes]:
    """The rows of a file as they stand. Raises NotToBeRead for one that is too long, or where the file is broken."""
    try:
        with gzip.open(path) as file:
            while line := file.readline(MOST_OF_A_ROW + 1):
                if len(line) > MOST_OF_A_ROW:
                    raise NotToBeRead(_("A row of the file is longer than any row may be."))
                yield line
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise NotToBeRead(_("The file is not packed as it should be.")) from None


def check_file(path: Path, manifest: Manifest) -> None:
    """Raises NotToBeRead unless it is the file that was signed, with as many rows as were said."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if path.stat().st_size != manifest.bytes or digest != manifest.file_sha256:
        raise NotToBeRead(_("The file is not the one that was signed; it is fetched anew next time."))
    count = 0
    for _line in lines(path):
        count += 1
        if count > manifest.rows:
            break
    if count != manifest.rows:
        raise NotToBeRead(_("The file has not as many rows as its manifest says."))


def read_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a ForeignNeed but for what we make of its codes. Raises ValueError naming the column that cannot be read."""
    read: dict[str, Any] = {}
    for field, (column, reader) in COLUMNS.items():
        try:
            read[field] = reader(row, column)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(column) from None
    if (read["quantity_kind"] == QuantityKind.NUMBER) != (read["quantity"] is not None):
        raise ValueError("quantity")
    return read


def _words(row: Mapping[str, Any], column: str, most: int) -> str:
    """Text of a length, none of it what cannot be stored or is not seen."""
    text = row.get(column)
    if not isinstance(text, str) or len(text) > most:
        raise ValueError(column)
    text.encode()  # a lone half of a pair is no text: UnicodeEncodeError is a ValueError
    if any(mark < " " or "\x7f" <= mark < "\xa0" or mark in HIDDEN for mark in text):
        raise ValueError(column)
    return text.strip()


HIDDEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they turn what follows around


def _link(row: Mapping[str, Any], column: str, most: int) -> str:
    """A web address; empty for anything else, which is not worth losing the row."""
    text = _words(row, column, most)
    return text if urlsplit(text).scheme in ("http", "https") else ""


def _whole(row: Mapping[str, Any], column: str, least: int, most: int) -> int:
    number = row[column]
    if type(number) is not int or not least <= number <= most:
        raise ValueError(column)
    return number


def _moment(row: Mapping[str, Any], column: str) -> datetime:
    found = datetime.fromisoformat(_words(row, column, 40))
    if found.tzinfo is None:
        raise ValueError(column)
    return found.astimezone(UTC)


Reader = Callable[[Mapping[str, Any], str], Any]


def _text(most: int) -> Reader:
    return lambda row, column: _words(row, column, most)


def _or_none(reader: Reader) -> Reader:
    return lambda row, column: None if row.get(column) is None else reader(row, column)


def _amount(least: int) -> Reader:
    return _or_none(lambda row, column: _whole(row, column, least, MOST))


def _id(row: Mapping[str, Any], column: str) -> UUID:
    return UUID(_words(row, column, 36))


def _day(row: Mapping[str, Any], column: str) -> date:
    return date.fromisoformat(_words(row, column, 10))


def _truth(row: Mapping[str, Any], column: str) -> bool:
    if not isinstance(row[column], bool):
        raise ValueError(column)
    return bool(row[column])


def _code(row: Mapping[str, Any], column: str) -> str:
    code = _words(row, column, 40)
    if not CODE.fullmatch(code):
        raise ValueError(column)
    return code


def _codes(row: Mapping[str, Any], column: str) -> list[str]:
    codes = row.get(column)
    if not isinstance(codes, list) or len(codes) > 50:
        raise ValueError(column)
    return [_code({column: code}, column) for code in codes]


def _one_of(words: Any) -> Reader:
    known = set(words)

    def read(row: Mapping[str, Any], column: str) -> Any:
        if row.get(column) not in known:
            raise ValueError(column)
        return row[column]

    return read


def _place(language: str) -> Reader:
    """What it lies in, the widest first, by the names of that language."""

    def read(row: Mapping[str, Any], column: str) -> str:
        levels = (f"{level}_{language}" for level in ("adm1", "adm2", "adm3"))
        return " ".join(
            name for level in levels if (name := _words({level: row.get(level) or ""}, level, 90))
        )

    return read


COLUMNS: Mapping[str, tuple[str, Reader]] = {
    "origin_id": ("id", _id),
    "appeal_id": ("appeal", _id),
    "emergency": ("emergency", _code),
    "status": ("status", _one_of(str(status) for status in TOLD)),
    "facility_name": ("facility_name", _text(200)),
    "organisation_name": ("organisation_name", _text(200)),
    "region_code": ("region", _code),
    "place_zh": ("adm1_zh", _place("zh")),
    "place_en": ("adm1_en", _place("en")),
    "item_code": ("item", _code),
    "item_zh": ("item_zh", _text(200)),
    "item_en": ("item_en", _text(200)),
    "unit": ("unit", _code),
    "quantity_kind": ("quantity_kind", _one_of(QuantityKind.values)),
    "quantity": ("quantity", _amount(1)),
    "outstanding": ("outstanding", _amount(0)),
    "standards": ("standards", _codes),
    "medical_grade": ("medical_grade", _or_none(_truth)),
    "sterile": ("sterile", _or_none(_truth)),
    "urgency": ("urgency", _one_of(Urgency.values)),
    "needed_by": ("needed_by", _or_none(_day)),
    "confirmed_at": ("confirmed_at", _moment),
    "posted_at": ("created_at", _moment),
    "source_name": ("source_name", _text(200)),
    "source_url": ("source_url", lambda row, column: _link(row, column, 500)),
}
