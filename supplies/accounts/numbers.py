"""Account numbers: the name the site gives, nine digits of which the last finds a slip, shown as 4821-7730-2."""

import re
import secrets
import unicodedata

RANDOM_DIGITS = 8
LENGTH = RANDOM_DIGITS + 1
SPACING = re.compile(r"[\s\-‐-―−]+")  # hyphens and dashes of every length
# A quasigroup in which no wrong digit and no two neighbours swapped come out the same (Damm 2004).
DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def new_number() -> str:
    digits = f"{secrets.randbelow(10**RANDOM_DIGITS):0{RANDOM_DIGITS}}"
    return digits + _check(digits)


def shown(name: str) -> str:
    """An account number in groups; any other name as it is."""
    return f"{name[:4]}-{name[4:8]}-{name[8:]}" if is_number(name) else name


def as_name(typed: str) -> str:
    """What somebody typed as the name of her account: a number in any spacing and width becomes its nine digits."""
    plain = unicodedata.normalize("NFKC", typed).strip()
    digits = SPACING.sub("", plain)
    return digits if _has_the_form(digits) else plain


def is_number(name: str) -> bool:
    return _has_the_form(name) and _check(name) == "0"


def is_mistyped(name: str) -> bool:
    """Nine digits that are nobody's number: one is wrong, or two have changed places."""
    return _has_the_form(name) and not is_number(name)


def _has_the_form(text: str) -> bool:
    return len(text) == LENGTH and text.isascii() and text.isdigit()


def _check(digits: str) -> str:
    """The digit that brings the walk through the table back to 0."""
    row = 0
    for digit in digits:
        row = int(DAMM[row][int(digit)])
    return str(row)
