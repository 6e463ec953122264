"""Firms and other bodies of China: the unified social credit code, 统一社会信用代码."""

import re
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum.cn import uscc

from supplies.catalogue.dictionary import Warning
from supplies.catalogue.marks.gs1 import has_right_check_digit
from supplies.catalogue.marks.mark import CHECK_DIGIT, Mark, Part, Register, wrong_check_digit

GSXT = Register("国家企业信用信息公示系统", "https://www.gsxt.gov.cn/")
CODES_CN = Register("全国组织机构统一社会信用代码数据服务中心", "https://www.cods.org.cn/")
DEPARTMENTS = {
    "11": gettext_lazy("state organ"),
    "12": gettext_lazy("public institution, as most public hospitals are"),
    "13": gettext_lazy("mass organisation of the state"),
    "51": gettext_lazy("social association"),
    "52": gettext_lazy("private non-profit unit, as some private hospitals are"),
    "53": gettext_lazy("foundation"),
    "91": gettext_lazy("enterprise"),
    "92": gettext_lazy("sole trader"),
    "93": gettext_lazy("farmers' cooperative"),
}
SIGNS = set("0123456789ABCDEFGHJKLMNPQRTUWXY")
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def credit_code(match: re.Match[str], on: date) -> Mark | None:
    """18 signs: who registers, what kind, GB/T 2260 of the place, organisation code of GB 11714, check sign."""
    number = re.sub(r"[ -]", "", match["credit"]).upper()
    # The library refuses the rarer kinds that begin with a letter; their check sign is made the same way.
    is_right = set(number) <= SIGNS and uscc.calc_check_digit(number[:17]) == number[17]
    if not is_right and number.isdigit() and (number[:2] not in DEPARTMENTS or has_right_check_digit(number)):
        return None  # eighteen digits are as well the number of a pallet
    odd: list[Warning] = []
    if not is_right:
        odd.append(wrong_check_digit())
    elif number[16] != _organisation_check(number[8:16]):
        text = _("The organisation code inside it (the ninth to seventeenth signs) has a wrong check sign.")
        odd.append(Warning("wrong-organisation-code", text))
    kind = DEPARTMENTS.get(number[:2])
    if kind is None:
        text = _("The first two signs, %(signs)s, are unusual.") % {"signs": number[:2]}
        odd.append(Warning("odd-kind", text))
    parts = (Part(_("kind"), kind or number[:2]), Part(_("region code"), number[2:8]))
    register = GSXT if number[0] == "9" else CODES_CN
    title = gettext_lazy("unified social credit code of an organisation (China)")
    return Mark(
        "credit-code", match[0].strip(), number, title, parts, tuple(odd), CHECK_DIGIT, register, number[2:8]
    )


def _organisation_check(code: str) -> str:
    """The check sign of an organisation code by GB 11714."""
    total = sum(
        ALPHABET.index(sign) * weight for sign, weight in zip(code, ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X0"[11 - total % 11]
