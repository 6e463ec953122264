import math

import pytest

from supplies.organisations.keys import ALPHABET, is_whole, new_key
from supplies.organisations.tokens import TokenAuthentication
from tests.makers import NOW


def test_a_key_holds_256_random_bits_and_a_check() -> None:
    key = new_key()

    assert len(key) == len("tz_") + 43 + 6
    assert math.log2(len(ALPHABET)) * 43 >= 256
    assert is_whole(key)
    assert len({new_key() for _ in range(100)}) == 100


@pytest.mark.django_db
def test_a_key_cut_off_or_mistyped_is_refused_without_asking_the_database(
    django_assert_num_queries: object,
) -> None:
    key = new_key()
    other = ALPHABET[ALPHABET.index(key[10]) - 1]
    spoiled = [
        key[:-1],
        key[3:],
        key[:10] + other + key[11:],
        key + "0",
        key.replace("tz_", "xx_"),
        "",
        "tz_",
        "é",
    ]

    with django_assert_num_queries(0):  # type: ignore[operator]
        assert [TokenAuthentication.find(text, at=NOW) for text in spoiled] == [None] * len(spoiled)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert TokenAuthentication.find(key, at=NOW) is None
