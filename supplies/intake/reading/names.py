"""Names of hospitals and other organisations, made comparable across lists."""

import re
from dataclasses import dataclass
from enum import StrEnum

from .findings import Finding, found
from .text import tidy

_IS_ORGANISATION = re.compile(
    r".{2}(医院|卫生院|保健院|中心|红十字会|基金会|慈善总会|慈善会|指挥部|学院|大学|公司|卫健委|卫生健康委|委员会|诊所|救援队|医疗队)$"
)
_BRACKETS = re.compile(r"[(\[【〔<《]([^()\[\]【】〔〕<>《》]*)[)\]】〕>》]")
_PURPOSE = re.compile(r"^(物资|善款|资金|捐款|接收点?)$")


class NameKind(StrEnum):
    HOSPITAL = "hospital"
    CHARITY = "charity"
    COMPANY = "company"
    OTHER = "other"


@dataclass(frozen=True)
class OrganisationName:
    """An organisation, its other names, and the department or site the brackets name."""

    text: str
    also_known_as: tuple[str, ...] = ()
    part: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def site(self) -> str:
        """The name of the place goods go to: the organisation's, with the department or site if one is named."""
        return f"{self.text}({self.part})" if self.part else self.text


def read_name(cell: object) -> OrganisationName:
    """A name as lists hold it: tabs and line ends, other names, departments or purposes in brackets.

    Two organisations in one cell give the first, with a finding. Raises Unreadable for what is no text.
    """
    written = tidy(cell, most=200)
    first, second = _two_organisations(written.raw)
    findings = (found("two-organisations", first=first, second=second),) if second else ()
    name = tidy(first).text if first else written.text
    brackets = [inner.strip() for inner in _BRACKETS.findall(name) if inner.strip()]
    aliases = tuple(inner for inner in brackets if _IS_ORGANISATION.search(inner))
    parts = [inner for inner in brackets if inner not in aliases and not _PURPOSE.match(inner)]
    return OrganisationName(_BRACKETS.sub("", name).strip() or name, aliases, "、".join(parts), findings)


def _two_organisations(written: str) -> tuple[str, str]:
    words = written.split()
    for cut in range(1, len(words)):
        first, second = " ".join(words[:cut]), " ".join(words[cut:])
        if _IS_ORGANISATION.search(first) and _IS_ORGANISATION.search(second):
            return first, second
    return "", ""


def kind_of_name(name: str) -> NameKind:
    """What the name says the organisation is. Charities receive goods for hospitals; makers give them."""
    text = _BRACKETS.sub("", tidy(name).text)
    if re.search(r"红十字|慈善|基金会|指挥部", text):
        return NameKind.CHARITY
    if re.search(
        r"医院|卫生院|保健院|卫生服务|疾控|疾病预防|精神卫生|急救中心|医疗|诊所|方舱|肿瘤中心|儿童中心", text
    ) and not re.search(r"公司$", text):
        return NameKind.HOSPITAL
    if re.search(r"公司|集团|基因|厂$", text):
        return NameKind.COMPANY
    return NameKind.OTHER
