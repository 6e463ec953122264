"""Contact fields are sealed at rest: AES-GCM, bound to table, column and row, so that a value moved elsewhere
does not open. Keys come from FIELD_KEYS ("id:base64", newest first); the newest seals, all of them open.

What has to be found without being opened has lookups beside it: keyed hashes (HMAC) that are equal where the values are.
Sealed values and lookups both begin with the id of their key, which tells what `rotate_field_keys` has still to do.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from inspect import getattr_static
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ImproperlyConfigured
from django.db import models

NONCE_BYTES = 12
LOOKUP_BYTES = 16  # 128 bits: no two people's numbers meet by chance
LONGEST_KEY_ID = 20


@dataclass(frozen=True)
class Key:
    """One field key: what seals with it, and what makes lookups, which is another secret derived from it."""

    name: str
    cipher: AESGCM
    lookup: bytes


@lru_cache
def _keys(listed: tuple[str, ...]) -> Mapping[str, Key]:
    keys: dict[str, Key] = {}
    for entry in listed:
        name, _colon, secret = entry.partition(":")
        try:
            raw = base64.b64decode(secret, validate=True)
            cipher = AESGCM(raw)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"FIELD_KEYS: key {name!r} is not base64 of 16, 24 or 32 bytes."
            ) from error
        if not name or len(name) > LONGEST_KEY_ID or name in keys:
            raise ImproperlyConfigured(
                f"FIELD_KEYS: {name!r} names no key; an id has 1 to {LONGEST_KEY_ID} characters and stands once."
            )
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tongzhou lookup").derive(raw)
        keys[name] = Key(name, cipher, derived)
    if not keys:
        raise ImproperlyConfigured("FIELD_KEYS is empty: contacts cannot be kept without a key.")
    return keys


def known_keys() -> Mapping[str, Key]:
    """The keys by their id, the newest first."""
    return _keys(tuple(settings.FIELD_KEYS))


def newest_key() -> Key:
    return next(iter(known_keys().values()))


# -- Values -----------------------------------------------------------------------------------------------


def seal_bytes(value: bytes, *, context: str) -> bytes:
    """key id, colon, nonce, ciphertext. Nothing stays nothing."""
    if not value:
        return b""
    key, nonce = newest_key(), os.urandom(NONCE_BYTES)
    return key.name.encode() + b":" + nonce + key.cipher.encrypt(nonce, value, context.encode())


def unseal_bytes(sealed: bytes, *, context: str) -> bytes:
    """The value again. Raises KeyError for a lost key, InvalidTag for a value that was moved or changed."""
    if not sealed:
        return b""
    name, _colon, rest = bytes(sealed).partition(b":")
    cipher = known_keys()[name.decode()].cipher
    return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], context.encode())


def seal(text: str, *, context: str) -> bytes:
    return seal_bytes(text.encode(), context=context)


def unseal(sealed: bytes, *, context: str) -> str:
    return unseal_bytes(sealed, context=context).decode()


# -- Lookups ----------------------------------------------------------------------------------------------


def lookup(value: str, key: Key | None = None) -> str:
    """What a value is found by without being opened: key id, colon, keyed hash."""
    key = key or newest_key()
    digest = hmac.digest(key.lookup, value.encode(), hashlib.sha256)[:LOOKUP_BYTES]
    return f"{key.name}:{digest.hex()}"


def lookups(values: Iterable[str]) -> list[str]:
    """What any of the values may be found by, under every known key."""
    return [lookup(value, key) for value in values for key in known_keys().values()]


# -- Columns ----------------------------------------------------------------------------------------------


class LookupField(ArrayField):
    """The lookups of a sealed column; to the database an array of text like any other."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("base_field", models.CharField(max_length=LONGEST_KEY_ID + 1 + 2 * LOOKUP_BYTES))
        super().__init__(**{"default": list, "editable": False, "blank": True, **options})

    def deconstruct(self) -> Any:
        name, _path, args, options = super().deconstruct()
        return name, "django.contrib.postgres.fields.ArrayField", args, options


class Sealed:
    """A readable face on a sealed column: `phone = Sealed()` reads and writes the column `phone_sealed`.

    found_by   text -> what it is to be found by; the column `phone_lookup` then holds the lookups of these

    The row needs its primary key before the first write, which a UUID default gives it.
    """

    def __init__(self, *, found_by: Callable[[str], Iterable[str]] | None = None) -> None:
        self.found_by = found_by

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.column, self.lookup_column = name, f"{name}_sealed", f"{name}_lookup"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column, self.lookup_column) if self.found_by else (self.column,)

    def _context(self, row: models.Model) -> str:
        return f"{row._meta.db_table}:{self.name}:{row.pk}"

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        if row is None:
            return self
        return unseal(getattr(row, self.column), context=self._context(row))

    def __set__(self, row: Any, text: str) -> None:
        if text != self.__get__(row):  # sealing again would look like a change that nobody made
            self.seal_into(row, text)

    def seal_into(self, row: models.Model, text: str) -> None:
        """Seal with the newest key, lookups included, even what is sealed already."""
        setattr(row, self.column, seal(text, context=self._context(row)))
        if self.found_by:
            setattr(row, self.lookup_column, [lookup(value) for value in self.found_by(text)])


def sealed_columns(registry: Any = apps) -> Iterator[tuple[type[models.Model], Sealed]]:
    """Every sealed column of every model, found by looking; the next one needs no entry anywhere."""
    for model in registry.get_models():
        for name in dir(model):
            face = getattr_static(model, name)
            if isinstance(face, Sealed) and not model._meta.proxy:
                yield model, face
