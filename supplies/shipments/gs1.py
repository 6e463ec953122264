"""Numbers of GS1: what the last digit has to be, and the number on a parcel (SSCC)."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from supplies.errors import Refused

SSCC = re.compile(r"[0-9]{18}", re.ASCII)
NOT_ITS_DIGITS = re.compile(
    r"^\]C1|[\s\x1d-]"
)  # what a reader says of the symbol, and what people write between
BODY = (
    16  # digits of an SSCC between the first, which extends the serial, and the last, which checks the others
)


def check_digit(digits: str) -> str:
    """The last digit of a number of GS1 (SSCC, GTIN, GLN), from all digits before it.

    From the right, digits count three times and once in turn (GS1 General Specifications, 7.9).
    """
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def is_right(number: str) -> bool:
    return check_digit(number[:-1]) == number[-1]


def read_sscc(text: str) -> str:
    """The eighteen digits of an SSCC as it is typed or scanned: with spaces, with (00), 00 or ]C1 before it.

    Raises ValidationError. Which digit was mistyped nobody can know, so none is proposed.
    """
    number = NOT_ITS_DIGITS.sub("", text).removeprefix("(00)")
    if len(number) == 20:
        number = number.removeprefix("00")
    if not SSCC.fullmatch(number):
        raise ValidationError(_("An SSCC has 18 digits. Type those under the bars, after (00)."))
    if not is_right(number):
        raise ValidationError(_("The last digit does not fit the others. Read the number once more."))
    return number


def is_ours(sscc: str) -> bool:
    """Whether it lies among the numbers that only this site gives."""
    return bool(settings.GS1_PREFIX) and sscc[1:].startswith(settings.GS1_PREFIX)


def make_sscc(serial: int) -> str:
    """The SSCC of a serial number of ours; empty where the operator has no GS1 company prefix.

    Raises Refused once the prefix is used up: no number is ever given twice.
    """
    prefix: str = settings.GS1_PREFIX
    if not prefix:
        return ""
    width = BODY - len(prefix)
    extension, rest = divmod(serial, 10**width)
    if extension > 9:
        raise Refused(
            _("All numbers of the GS1 company prefix are given. The operator has to set another."),
            code="sscc-used-up",
        )
    digits = f"{extension}{prefix}{rest:0{width}d}"
    return digits + check_digit(digits)
