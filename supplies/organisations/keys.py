"""How the key of a program is spelled: `tz_`, 256 random bits, and a check that finds one cut off or mistyped."""

import secrets
import string
import zlib

PREFIX = "tz_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_BITS = 256
RANDOM_LENGTH = 43  # characters; 62 ** 43 is just above 2 ** 256
CHECK_LENGTH = 6  # characters that hold the 32 bits of a CRC


def new_key() -> str:
    random = _spelled(secrets.randbits(RANDOM_BITS), RANDOM_LENGTH)
    return PREFIX + random + _check(random)


def is_whole(key: str) -> bool:
    """Whether somebody may have been given this key. One that was mistyped is told from a wrong one without asking the database."""
    random, check = key[len(PREFIX) : -CHECK_LENGTH], key[-CHECK_LENGTH:]
    return key.startswith(PREFIX) and len(random) == RANDOM_LENGTH and check == _check(random)


def _check(random: str) -> str:
    return _spelled(zlib.crc32(random.encode()), CHECK_LENGTH)


def _spelled(number: int, length: int) -> str:
    signs = []
    for _ in range(length):
        number, sign = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[sign])
    return "".join(reversed(signs))
