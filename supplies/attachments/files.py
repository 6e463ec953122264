"""Sealed files on disk: written once, never changed, readable with the key in their row and not without.

A file is a row of parts, each sealed on its own (AES-GCM) and numbered, the last one marked: a part that was changed,
moved or cut off does not open, and nothing is handed out before it has been checked. Its key seals nothing else, so a
counter will do as the nonce.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

PART = 65_536  # bytes
TAG = 16


@dataclass(frozen=True)
class Written:
    size: int
    sha256: str


def put(name: str, source: BinaryIO, *, key: bytes) -> Written:
    """Seal what `source` holds, part by part, and have it on the disk before returning. Size and digest are the source's."""
    path = _path(name)
    for folder in (
        path.parent.parent,
        path.parent,
    ):  # `parents` would make the upper one for everybody to look into
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    cipher, digest, size = AESGCM(key), hashlib.sha256(), 0
    source.seek(0)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        for number, (part, is_last) in enumerate(_parts(source)):
            digest.update(part)
            size += len(part)
            out.write(cipher.encrypt(_nonce(number, is_last=is_last), part, None))
        out.flush()
        os.fsync(out.fileno())
    listing = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(listing)
    finally:
        os.close(listing)
    return Written(size, digest.hexdigest())


def _parts(source: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    part = source.read(PART)
    while part:
        following = source.read(PART)
        yield part, not following
        part = following


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")


def read(name: str, *, key: bytes, size: int) -> Iterator[bytes]:
    """What was put, part by part.

    Raises   FileNotFoundError at once for a file that is gone or has not its length; InvalidTag for a changed part
    """
    path, parts = _path(name), -(-size // PART)
    if path.stat().st_size != size + parts * TAG:
        raise FileNotFoundError(f"{path} is not as long as it was written")
    return _unsealed(path, AESGCM(key), parts)


def _unsealed(path: Path, cipher: AESGCM, parts: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        for number in range(parts):
            nonce = _nonce(number, is_last=number == parts - 1)
            yield cipher.decrypt(nonce, file.read(PART + TAG), None)


def remove(name: str) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        _path(name).unlink()


def is_there(name: str) -> bool:
    return _path(name).is_file()


def folders() -> Iterator[tuple[str, list[tuple[str, float]]]]:
    """What lies on the disk, a folder at a time: the beginning its names share, and each name with its time of writing."""
    root = Path(settings.PRIVATE_ROOT)
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        yield folder.name, [(file.name, file.stat().st_mtime) for file in sorted(folder.iterdir())]


def _path(name: str) -> Path:
    return Path(settings.PRIVATE_ROOT, name[:2], name)
