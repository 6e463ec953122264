"""The file a backup is: a ZIP with a manifest, the database as pg_dump writes it, and the private files.

The manifest is written last, so that a file without one was cut short.
"""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from supplies.journal.chain import Head
from supplies.upkeep.contents import Table

FORMAT = 1
MANIFEST, DATABASE, FILES = "manifest.json", "database.dump", "files/"
CHUNK = 1 << 20


class Unfit(Exception):
    """A backup that cannot be trusted; `faults` are sentences."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Part:
    bytes: int
    sha256: str


@dataclass
class Manifest:
    """What has to be found again. No key stands in it, only the ids of those that are needed."""

    made_at: str
    postgresql: int
    migrations: list[str]
    tables: dict[str, Table]
    keys: list[str]
    head: Head | None
    parts: dict[str, Part] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    def written(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    @classmethod
    def read(cls, text: bytes) -> Self:
        try:
            said: dict[str, Any] = json.loads(text)
            if said.get("format") != FORMAT:
                raise Unfit(
                    f"The backup has format {said.get('format')}; this release reads format {FORMAT}."
                )
            said["tables"] = {name: Table(**table) for name, table in said["tables"].items()}
            said["parts"] = {name: Part(**part) for name, part in said["parts"].items()}
            said["head"] = Head(**said["head"]) if said["head"] else None
            return cls(**said)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unfit("The manifest of the backup cannot be read.") from error


# --- Writing ---


class Writer:
    """Adds parts to a backup, one after the other, and remembers what they were."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts: dict[str, Part] = {}

    def add(self, name: str, source: IO[bytes]) -> None:
        hashed, size = hashlib.sha256(), 0
        with self._archive.open(name, "w", force_zip64=True) as out:
            while chunk := source.read(CHUNK):
                hashed.update(chunk)
                size += len(chunk)
                out.write(chunk)
        self.parts[name] = Part(size, hashed.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        manifest.parts = self.parts
        self._archive.writestr(MANIFEST, manifest.written())


@contextmanager
def writing(file: Path) -> Iterator[Writer]:
    """A backup that appears under its name once it is whole, readable by its owner only."""
    handle, unfinished = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # with mode 0600
    try:
        with os.fdopen(handle, "wb") as out:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
                yield Writer(archive)
            out.flush()
            os.fsync(out.fileno())
        os.replace(unfinished, file)
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


# --- Reading ---


class Reader:
    """A backup to be restored."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(name)

    @property
    def files(self) -> list[str]:
        return [name for name in self.manifest.parts if name.startswith(FILES)]

    def faults(self) -> Iterator[str]:
        """Parts that are missing, torn, or not in the manifest."""
        present = set(self._archive.namelist()) - {MANIFEST}
        for name in sorted(present - self.manifest.parts.keys()):
            yield f"The backup holds {name}, which its manifest does not name."
        for name, part in self.manifest.parts.items():
            if name not in present:
                yield f"The backup lacks {name}."
            elif ".." in PurePosixPath(name).parts or name.startswith("/"):
                yield f"The backup holds {name}, which leads out of its folder."
            elif self._sum(name) != part:
                yield f"{name} in the backup is damaged."

    def _sum(self, name: str) -> Part | None:
        hashed, size = hashlib.sha256(), 0
        try:
            with self.open(name) as source:
                while chunk := source.read(CHUNK):
                    hashed.update(chunk)
                    size += len(chunk)
        except (OSError, EOFError, zipfile.BadZipFile):
            return None
        return Part(size, hashed.hexdigest())

    def unpack(self, folder: Path) -> None:
        """Put the private files where they belong, readable by their owner only."""
        for name in self.files:
            file = folder / name.removeprefix(FILES)
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (
                self.open(name) as source,
                os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
            ):
                while chunk := source.read(CHUNK):
                    out.write(chunk)


@contextmanager
def reading(file: Path) -> Iterator[Reader]:
    """Raises Unfit for what is not a backup, or is not all of one."""
    try:
        archive = zipfile.ZipFile(file)
    except FileNotFoundError as error:
        raise Unfit(f"There is no file {file}.") from error
    except (OSError, zipfile.BadZipFile) as error:
        raise Unfit(f"{file} is not a backup, or was cut short.") from error
    with archive:
        if MANIFEST not in archive.namelist():
            raise Unfit(f"{file} was cut short: it has no manifest.")
        yield Reader(archive, Manifest.read(archive.read(MANIFEST)))
