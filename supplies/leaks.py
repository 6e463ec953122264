"""Numbers that must not be published, found in what people write in their own words: telephones, bank accounts, identity
numbers, handles of messengers, addresses of mail. What was written stays; `masked` is what may be shown to everybody."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.phones import ANY, NUMBER, SHORTEST, masked_number, plain
from supplies.wording import listed

_MASK = "••••"
MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")  # an address of mail, wherever one is looked for
_PHONE_LABEL = r"(?:电话|手机|座机|热线|总机|传真|联系方式|拨打|致电|来电|\btel\b|\bphone\b|\bmobile\b|\bcell\b|\bcall\b|\bfax\b)"
_ACCOUNT_LABEL = r"(?:账号|帐号|账户|帐户|卡号|行号|\baccount\b|\ba/c\b|\biban\b|\bcard\b)"
_HANDLE_LABEL = r"(?:微信|薇信|威信|v信|wechat|weixin|(?<![a-z])[wv]x|qq群?|扣扣)"
_GOODS_LABEL = r"(?:运单|快递单|物流单|订单|单号|条码|批号|\bwaybill|\btracking|\bbarcode|\bgtin|\budi|\blot)(?:号码?|\s?no\.?|\s?number)?"
_MOBILE = r"(?:\+?86)?1[3-9]\d{9}(?!\d)"
_FOUND = re.compile(
    rf"""(?P<link>https?://[^\s,。;、)<>"']+)
    | (?P<mail>{MAIL.pattern})
    | (?P<certificate>[械药准备进许妆消]字?号?\s*[A-Z]?(?!{_MOBILE})\d{{6,14}}(?!\d))
    | (?P<standard>\b(?:GB|YY|WS|EN|ISO|IEC|ASTM|ANSI|AAMI|NIOSH|DIN|JIS|FZ|HG|SH|AQ|GA)(?:/?[A-Z]{{1,3}})?[ -]*F?\d{{2,5}}(?:\.\d+)?(?:[-:]\d{{2,4}})?(?!\d|-\d{{5}}))
    | (?P<credit>(?<=信用代码)\s*:?\s*[0-9A-Z]{{18}}(?![0-9A-Z]))
    | (?P<goods>{_GOODS_LABEL}[ :#]*(?!{_MOBILE}|0\d{{2,3}}-)[\dA-Z-]{{6,}}|\(01\)[ ]?\d{{14}}(?!\d))
    | (?P<handle>{_HANDLE_LABEL}\s*(?:(?:号码?|id)\s*:?|:)\s*(?P<named>[a-z0-9][a-z0-9_-]{{4,}})
        | {_HANDLE_LABEL}\s*(?P<numbered>(?=[a-z_-]*\d)[a-z0-9][a-z0-9_-]{{4,}}))
    | (?P<passport>(?:护照|passport)[^\dA-Z\n]{{0,8}}(?P<passport_number>[A-Z]{{1,2}}\d{{7,8}}(?!\d)))
    | (?P<labelled_account>{_ACCOUNT_LABEL}[^\d\n]{{0,12}}(?P<account_number>(?<!\d)\d(?:[ -]?\d){{7,}}))
    | (?P<identity>(?<![\dA-Za-z])\d{{6}}[ ]?\d{{8}}[ ]?\d{{3}}[\dXx](?![\dA-Za-z]))
    | (?P<labelled_phone>{_PHONE_LABEL}(?:号码?)?\s*:?\s*(?P<phones>[\d(+][\d()+ ,、/;转.\-]{{4,}}))
    | {NUMBER.pattern}
    | (?P<local>(?<=\()[2-8]\d{{6,7}}(?=\)))
    | (?P<card>(?<![\dA-Za-z.-])\d{{4}}(?:[ -]\d{{4}}){{2,3}}(?:[ -]\d{{1,4}})?(?![\dA-Za-z]))
    | (?P<account>(?<![\dA-Za-z.])\d{{12,}}(?![\dA-Za-z]))
    | (?P<person>(?<=联系人)\s*:\s*(?P<surname>[一-鿿])(?P<given>(?!某)[一-鿿]{{1,2}})(?![一-鿿]))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FIVE_DIGITS = re.compile(r"(?:\d\D{0,3}){5}")
_SPOKEN = re.compile(r"[一幺][三四五六七八九][〇零一二三四五六七八九幺]{9}")
_WORDS = ("@", "联系人", "微信", "薇信", "威信", "v信", "wechat", "weixin", "wx", "vx", "qq", "扣扣")
_IN_A_LINK = re.compile(rf"(?<!\d){_MOBILE}")


class Leak(StrEnum):
    PHONE = "phone"
    ACCOUNT = "account"
    IDENTITY = "identity"
    HANDLE = "handle"
    MAIL = "mail"
    PERSON = "person"


NAMES: Mapping[Leak, Any] = {
    Leak.PHONE: gettext_lazy("a telephone number"),
    Leak.ACCOUNT: gettext_lazy("a number like that of a bank account"),
    Leak.IDENTITY: gettext_lazy("a number like that of an identity card"),
    Leak.HANDLE: gettext_lazy("a name in a messenger"),
    Leak.MAIL: gettext_lazy("an address of mail"),
    Leak.PERSON: gettext_lazy("the name of a person"),
}


@dataclass(frozen=True)
class Hidden:
    """`text` may be shown to everybody; `leaks` counts what was hidden by kind."""

    text: str
    leaks: Mapping[Leak, int]


@dataclass(frozen=True)
class _Span:
    """A stretch of the text and what stands in its place."""

    start: int
    end: int
    mask: str
    leak: Leak


def hide(text: str) -> Hidden:
    """The text with every private number masked; a mobile keeps its first three and last four digits.

    Links, standards, certificates, waybills, barcodes and organisations' credit codes stay, but for a mobile inside a link.
    """
    if not _is_worth_a_look(text):
        return Hidden(text, {})
    flat = plain(text)
    pieces, position, leaks = [], 0, Counter[Leak]()
    for span in _spans(flat):
        pieces += [text[position : span.start], span.mask]
        position = span.end
        leaks[span.leak] += 1
    return Hidden("".join([*pieces, text[position:]]), dict(leaks))


def _is_worth_a_look(text: str) -> bool:
    """Quickly: most texts hold neither five digits nor one of the words, and lists show hundreds of them."""
    if _FIVE_DIGITS.search(text):
        return True
    lower = text.lower()
    return any(word in lower for word in _WORDS) or _SPOKEN.search(text) is not None


def masked(text: str) -> str:
    """What everybody may read of a text."""
    return hide(text).text


def warnings(texts: Iterable[tuple[str, Any]]) -> list[str]:
    """What to tell those who wrote: (name of the field, its text) in, a sentence for each that holds a private number."""
    sentences = []
    for name, text in texts:
        hidden = hide(text) if isinstance(text, str) else None
        if hidden and hidden.leaks:
            what = listed(NAMES[leak] for leak in hidden.leaks)
            sentences.append(
                _("“%(field)s” holds %(what)s. We have hidden it; the public does not see it.")
                % {"field": name, "what": what}
            )
    return sentences


def _spans(flat: str) -> Iterator[_Span]:
    for match in _FOUND.finditer(flat):
        kind = _kind(match)
        if kind == "link":
            yield from _phones(flat, match.start(), match.end(), _IN_A_LINK)
        elif kind == "labelled_phone":
            yield from _phones(flat, *match.span("phones"), ANY)
        elif kind in ("phone", "local"):
            yield from _phones(flat, match.start(), match.end(), ANY)
        elif kind == "labelled_account":
            yield _Span(*match.span("account_number"), _MASK, Leak.ACCOUNT)
        elif kind == "passport":
            yield _Span(*match.span("passport_number"), _MASK, Leak.IDENTITY)
        elif kind == "handle":
            yield _Span(*match.span("named" if match["named"] else "numbered"), _MASK, Leak.HANDLE)
        elif kind == "identity":
            leak = Leak.IDENTITY if is_identity_number(match[0]) else Leak.ACCOUNT
            yield _Span(match.start(), match.end(), _MASK, leak)
        elif (kind == "card" and passes_luhn(match[0])) or (
            kind == "account" and not _counts_goods_or_time(match[0])
        ):
            yield _Span(match.start(), match.end(), _MASK, Leak.ACCOUNT)
        elif kind == "mail":
            yield _Span(match.start() + 1, match.start() + match[0].index("@"), _MASK, Leak.MAIL)
        elif kind == "person":
            yield _Span(*match.span("given"), "某", Leak.PERSON)


_KINDS = (
    "link", "mail", "certificate", "standard", "credit", "goods", "handle", "passport", "labelled_account", "identity",
    "labelled_phone", "local", "card", "account", "person",
)  # fmt: skip


def _kind(match: re.Match[str]) -> str:
    return next((kind for kind in _KINDS if match[kind] is not None), "phone")


def _phones(flat: str, start: int, end: int, pattern: re.Pattern[str]) -> Iterator[_Span]:
    for number in pattern.finditer(flat, start, end):
        digits = sum(map(str.isdigit, number[0]))
        spoken = "spoken" in number.groupdict() and number["spoken"]
        if "*" in number[0] or (digits < SHORTEST and not spoken):
            continue
        mask = f"{number[0][-11:-8]}****{number[0][-4:]}" if pattern is _IN_A_LINK else masked_number(number)
        if mask != number[0]:
            yield _Span(number.start(), number.end(), mask, Leak.PHONE)


def passes_luhn(number: str) -> bool:
    """The check digit of bank cards (ISO/IEC 7812)."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return len(digits) > 11 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_identity_number(number: str) -> bool:
    """A resident's number holds a date of birth in its digits 7 to 14 or is right in its check digit (GB 11643)."""
    signs = number.replace(" ", "").upper()
    remainder = sum(int(sign) * pow(2, 17 - place, 11) for place, sign in enumerate(signs[:17])) % 11
    return _is_day(signs[6:14]) or signs[17] == "10X98765432"[remainder]


def _is_day(digits: str) -> bool:
    try:
        return 1900 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).year <= 2100
    except ValueError:
        return False


def _counts_goods_or_time(number: str) -> bool:
    """A trade item's number with its check digit (GTIN-12 to 14), or a moment such as 20200203121530."""
    if len(number) in (12, 14) and number.startswith("20") and _is_day(number[:8]):
        return True
    if len(number) not in (12, 13, 14):
        return False
    weights = (3 if place % 2 else 1 for place in range(len(number)))
    return sum(int(digit) * weight for digit, weight in zip(reversed(number), weights, strict=True)) % 10 == 0
