"""Numbers that must not be published, found in free text: telephones, bank accounts, identity numbers, addresses of mail."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .text import tidy_lines


class Leak(StrEnum):
    PHONE = "phone"
    ACCOUNT = "account"
    IDENTITY = "identity"
    MAIL = "mail"
    PERSON = "person"


@dataclass(frozen=True)
class Hidden:
    """`text` may be shown to everybody; `leaks` counts what was hidden by kind."""

    text: str
    leaks: Mapping[Leak, int]


_LINK = r"https?://[^\s，。；、）)]+"
_MASK = "••••"
_NUMBERS = re.compile(
    rf"""(?P<link>{_LINK})
    | (?P<mail>[\w.+-]+@[\w-]+\.[\w.-]+)
    | (?P<certificate>[械药准备进许妆消]字?号?\s*[A-Z]?\d{{6,}})
    | (?P<uscc>(?<=信用代码)\s*:?\s*[0-9A-Z]{{18}})
    | (?P<identity>(?<![\dA-Za-z])\d{{17}}[\dXx](?![\dA-Za-z]))
    | (?P<mobile>(?<![\d*])(?:\+?86[-\s]?)?1[3-9]\d[-\s]?[\d*]{{4}}[-\s]?\d{{4}}(?![\d*]))
    | (?P<account>(?<![\dA-Za-z.])\d(?:[ -]?\d){{11,24}}(?![\dA-Za-z]))
    | (?P<landline>(?<!\d)\(?0\d{{2,3}}\)?[-—–\s]{{0,2}}[2-8]\d{{6,7}}(?!\d))
    | (?P<local>(?<=\()[2-8]\d{{6,7}}(?=\))|(?:(?<=电话)|(?<=[Tt]el)|(?<=手机))\s*:?\s*[2-8]\d{{6,7}}(?!\d))
    | (?P<person>(?<=联系人)\s*:\s*(?P<surname>[一-鿿])(?!某)[一-鿿]{{1,2}}(?![一-鿿]))
    """,
    re.VERBOSE,
)
_KIND = {
    "mail": Leak.MAIL, "identity": Leak.IDENTITY, "mobile": Leak.PHONE, "account": Leak.ACCOUNT,
    "landline": Leak.PHONE, "local": Leak.PHONE, "person": Leak.PERSON,
}  # fmt: skip


def hide(text: object) -> Hidden:
    """The text with every private number masked. Links, certificates and organisations' credit codes stay.

    A mobile keeps its first three and last four digits (138****1234), the form in which the authorities allow it.
    """
    leaks: Counter[Leak] = Counter()

    def mask(match: re.Match[str]) -> str:
        kind = str(match.lastgroup)
        leak = _KIND.get(kind)
        if leak is Leak.IDENTITY and not _is_identity_number(match[0]):
            leak = Leak.ACCOUNT
        if leak is None or (kind == "mobile" and "*" in match[0]):
            return match[0]
        leaks[leak] += 1
        return _MASKS[kind](match) if kind in _MASKS else _MASK

    return Hidden(_NUMBERS.sub(mask, tidy_lines(text).text), dict(leaks))


def _masked_mobile(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])[-11:]
    return f"{digits[:3]}****{digits[-4:]}"


def _masked_landline(match: re.Match[str]) -> str:
    return f"{match[0][:4]}{_MASK}"


def _masked_local(match: re.Match[str]) -> str:
    return re.sub(r"\d+", _MASK, match[0])


def _masked_mail(match: re.Match[str]) -> str:
    return f"{match[0][0]}{_MASK}{match[0][match[0].index('@') :]}"


def _masked_person(match: re.Match[str]) -> str:
    return f":{match['surname']}某"


_MASKS: Mapping[str, Callable[[re.Match[str]], str]] = {
    "mobile": _masked_mobile,
    "landline": _masked_landline,
    "local": _masked_local,
    "mail": _masked_mail,
    "person": _masked_person,
}


def _is_identity_number(number: str) -> bool:
    """A resident's number holds a date of birth in its digits 7 to 14 (GB 11643)."""
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2100
