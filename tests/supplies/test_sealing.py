"""What is sealed opens in its own place only; what is to be found is found under every key. Keys and numbers are made up."""

import base64
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from django.core.exceptions import ImproperlyConfigured

from supplies import sealing

OLD, NEW = (
    f"{name}:{base64.b64encode(bytes([number]) * 32).decode()}" for number, name in enumerate(("old", "new"))
)


def test_a_value_opens_where_it_was_sealed_and_nowhere_else(settings: Any) -> None:
    settings.FIELD_KEYS = [NEW]
    sealed = sealing.seal("000-1234", context="table:phone:1")

    assert sealing.unseal(sealed, context="table:phone:1") == "000-1234"
    assert sealed.startswith(b"new:")
    assert b"1234" not in sealed
    with pytest.raises(InvalidTag):
        sealing.unseal(sealed, context="table:phone:2")


def test_bytes_are_sealed_like_text_and_nothing_stays_nothing() -> None:
    assert sealing.unseal_bytes(sealing.seal_bytes(b"\x00\xff", context="x"), context="x") == b"\x00\xff"
    assert sealing.seal("", context="x") == b""
    assert sealing.unseal(b"", context="x") == ""


def test_a_value_of_an_older_key_opens_and_one_of_a_lost_key_does_not(settings: Any) -> None:
    settings.FIELD_KEYS = [OLD]
    sealed = sealing.seal("000-1234", context="x")

    settings.FIELD_KEYS = [NEW, OLD]
    assert sealing.unseal(sealed, context="x") == "000-1234"
    settings.FIELD_KEYS = [NEW]
    with pytest.raises(KeyError):
        sealing.unseal(sealed, context="x")


def test_a_lookup_is_equal_where_the_values_are_and_tells_nothing_without_the_key(settings: Any) -> None:
    settings.FIELD_KEYS = [NEW, OLD]

    assert sealing.lookup("+8600012345") == sealing.lookup("+8600012345")
    assert sealing.lookup("+8600012345") != sealing.lookup("+8600012346")
    assert sealing.lookup("+8600012345").startswith("new:")
    assert len(set(sealing.lookups(["+8600012345"]))) == 2


def test_what_makes_lookups_is_not_what_seals(settings: Any) -> None:
    settings.FIELD_KEYS = [NEW]

    assert sealing.newest_key().lookup != base64.b64decode(NEW.split(":")[1])


@pytest.mark.parametrize(
    "keys", [[], ["k1:nonsense"], ["k1:YWJj"], [NEW, NEW], [f":{NEW}"], [f"{'k' * 21}{NEW}"]]
)
def test_keys_that_cannot_be_used_are_refused_by_name(settings: Any, keys: list[str]) -> None:
    settings.FIELD_KEYS = keys

    with pytest.raises(ImproperlyConfigured, match="FIELD_KEYS"):
        sealing.seal("x", context="x")
