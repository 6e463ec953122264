"""Contact fields are sealed at rest: AES-GCM, bound to table, column and row, so that a value moved elsewhere
does not open. Keys come from FIELD_KEYS ("id:base64", newest first); the newest seals, all of them open."""

import base64
import os
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

NONCE_BYTES = 12


@lru_cache
def _keys(listed: tuple[str, ...]) -> dict[bytes, AESGCM]:
    keys = {}
    for entry in listed:
        name, _colon, secret = entry.partition(":")
        try:
            keys[name.encode()] = AESGCM(base64.b64decode(secret, validate=True))
        except ValueError as error:
            raise ImproperlyConfigured(
                f"FIELD_KEYS: key {name!r} is not base64 of 16, 24 or 32 bytes."
            ) from error
    if not keys:
        raise ImproperlyConfigured("FIELD_KEYS is empty: contacts cannot be kept without a key.")
    return keys


def seal(text: str, *, context: str) -> bytes:
    """key id, colon, nonce, ciphertext. Empty text stays empty."""
    if not text:
        return b""
    keys = _keys(tuple(settings.FIELD_KEYS))
    name, cipher = next(iter(keys.items()))
    nonce = os.urandom(NONCE_BYTES)
    return name + b":" + nonce + cipher.encrypt(nonce, text.encode(), context.encode())


def unseal(sealed: bytes, *, context: str) -> str:
    """The text again. Raises KeyError for a lost key, InvalidTag for a value that was moved or changed."""
    if not sealed:
        return ""
    name, _colon, rest = bytes(sealed).partition(b":")
    cipher = _keys(tuple(settings.FIELD_KEYS))[name]
    return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], context.encode()).decode()


class Sealed:
    """A readable face on a sealed column: `phone = Sealed()` reads and writes the column `phone_sealed`.

    The row needs its primary key before the first write, which a UUID default gives it.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def _context(self, row: models.Model) -> str:
        return f"{row._meta.db_table}:{self.name}:{row.pk}"

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        if row is None:
            return self
        return unseal(getattr(row, f"{self.name}_sealed"), context=self._context(row))

    def __set__(self, row: Any, text: str) -> None:
        if text != self.__get__(row):  # sealing again would look like a change that nobody made
            setattr(row, f"{self.name}_sealed", seal(text, context=self._context(row)))
