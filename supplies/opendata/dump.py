"""The nightly dump: a folder of JSON Lines with a signed manifest, there as a whole or not at all.

OPEN_DATA_DIR/20261126T031500Z/
    manifest.json        what is in it, with the SHA-256 of every file and of the manifest before
    manifest.json.sig    Ed25519 over the manifest's bytes, in base64 (supplies/opendata/signing.py)
    needs.jsonl.gz, …    a row a line, in the order of their ids, each with `origin` and `id`

A folder whose name begins with a dot is not finished. The newest of the others is in force.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from supplies.offers.models import Offer
from supplies.opendata import rows
from supplies.opendata.dictionary import COLUMNS
from supplies.opendata.models import SigningKey
from supplies.opendata.rows import EVERYBODY, Shelf
from supplies.opendata.signing import instance, signature
from supplies.shipments.models import ShipmentLine

SCHEMA_VERSION = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.json.sig"
STAMP = "%Y%m%dT%H%M%SZ"
NAME = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
QUICKLY = 4  # of gzip: a fifth larger than its best, in a third of the time


@dataclass(frozen=True)
class Part:
    """bytes and sha256 are of the file as it lies there, compressed."""

    name: str
    kind: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Dump:
    """One that is finished; `manifest` as it was signed."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def made_at(self) -> datetime:
        return datetime.strptime(self.name, STAMP).replace(tzinfo=UTC)

    @property
    def parts(self) -> list[Part]:
        return [Part(**said) for said in self.manifest["files"]]


# -- Reading ---------------------------------------------------------------------------------------------------


def root() -> Path:
    return Path(settings.OPEN_DATA_DIR)


def kept() -> list[Path]:
    """The folders of finished dumps, oldest first."""
    if not root().is_dir():
        return []
    return sorted(path for path in root().iterdir() if NAME.fullmatch(path.name))


def newest() -> Dump | None:
    folders = kept()
    return named(folders[-1].name) if folders else None


def named(name: str) -> Dump | None:
    """The dump of this name; None where there is none, or not any more."""
    folder = root() / name
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes()) if NAME.fullmatch(name) else None
    except FileNotFoundError:
        return None
    return None if manifest is None else Dump(folder, manifest)


# -- Writing ---------------------------------------------------------------------------------------------------


def every_row(kind: str, *, at: datetime) -> Iterable[Any]:
    """The rows of a file, everything of its kind that is public."""
    open_offers = Offer.objects.visible_to(EVERYBODY)
    sources: dict[str, Callable[[], Iterable[Any]]] = {
        "needs": lambda: rows.needs(rows.public_needs()).iterator(rows.AT_ONCE),
        "offers": lambda: rows.offers(open_offers),
        "gaps": lambda: rows.gaps(rows.public_needs(), rows.offers(open_offers), at=at),
        "flows": lambda: rows.flows(ShipmentLine.objects.all()),
        "organisations": rows.organisations,
        "facilities": rows.facilities,
        "items": rows.items,
        "regions": rows.regions,
    }
    return sources[kind]()


def write(key: SigningKey, *, at: datetime) -> Dump:
    """Write a whole dump, then let it appear. Whatever goes wrong before leaves the one before in force.

    One that was made for this very second already is that dump.
    """
    root().mkdir(mode=0o755, parents=True, exist_ok=True)
    before, name = newest(), at.astimezone(UTC).strftime(STAMP)
    if known := named(name):
        return known
    unfinished = root() / f".{name}.{os.getpid()}"
    unfinished.mkdir()
    try:
        shelf = Shelf(instance(key))
        parts = [_write_part(unfinished, kind, shelf, at=at) for kind in COLUMNS]
        manifest = _manifest(shelf.origin, parts, before, name, at=at)
        _put(unfinished / MANIFEST, manifest)
        _put(unfinished / SIGNATURE, signature(key, manifest))
        _sync(unfinished)
        unfinished.rename(root() / name)
        _sync(root())
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return Dump(root() / name, json.loads(manifest))


def _manifest(origin: str, parts: list[Part], before: Dump | None, name: str, *, at: datetime) -> bytes:
    said = {
        "instance": origin,
        "dump": name,
        "made_at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "licence": settings.OPEN_DATA_LICENCE,
        "licence_url": settings.OPEN_DATA_LICENCE_URL,
        "schema_version": SCHEMA_VERSION,
        "files": [asdict(part) for part in parts],
        "previous": sha256_of(before.folder / MANIFEST) if before else None,
    }
    return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"


def _write_part(folder: Path, kind: str, shelf: Shelf, *, at: datetime) -> Part:
    path, count = folder / f"{kind}.jsonl.gz", 0
    with path.open("xb") as file:
        out = _Hashed(file)
        # Neither a name nor a time in its head: the same rows are the same bytes.
        with gzip.GzipFile("", "wb", QUICKLY, out, mtime=0) as packed:  # type: ignore[arg-type]
            for piece in lines(kind, every_row(kind, at=at), shelf):
                packed.write(piece)
                count += piece.count(b"\n")
        file.flush()
        os.fsync(file.fileno())
    return Part(path.name, kind, count, out.bytes, out.sha256.hexdigest())


def lines(kind: str, found: Iterable[Any], shelf: Shelf) -> Iterator[bytes]:
    """JSON Lines in pieces: one object a row, with the names of the dictionary."""
    columns, piece = COLUMNS[kind], []
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for row in found:
        piece.append(encode({column.name: column.value(row, shelf) for column in columns}))
        if len(piece) == 500:
            yield ("\n".join(piece) + "\n").encode()
            piece.clear()
    if piece:
        yield ("\n".join(piece) + "\n").encode()


class _Hashed:
    """A file that knows its length and digest."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.bytes, self.sha256 = file, 0, hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.bytes += len(content)
        self.sha256.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()


def _put(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    listing = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(listing)
    finally:
        os.close(listing)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def forget(*, at: datetime) -> None:
    """Remove dumps older than OPEN_DATA_KEEP_DAYS, but never the newest, and what was left unfinished a day ago."""
    oldest = at - timedelta(days=settings.OPEN_DATA_KEEP_DAYS)
    for folder in kept()[:-1]:
        if folder.name < oldest.astimezone(UTC).strftime(STAMP):
            shutil.rmtree(folder, ignore_errors=True)
    for folder in root().glob(".*"):
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < (at - timedelta(days=1)).timestamp():
                shutil.rmtree(folder, ignore_errors=True)
