"""How the names and codes of organisations are compared: the one rule for imports, directories and duplicates."""

import re
import unicodedata
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from rapidfuzz import fuzz
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError as NotACode

from supplies.regions.services import bare

NOT_COMPARED = re.compile(r"[\W_]+")
NEARLY_EQUAL = 92  # of 100; 第二医院 and 第五医院 are far below
SHORTEST_TO_MISSPELL = 6  # characters of a compared name; of a shorter one every slip makes another word
SHORTEST_TO_DIFFER = 7  # where one character stands for another, and the district is the same
# 第二医院 and 第五医院, the eastern and the western campus, a hospital of men and one of women are never one.
_TELLS_APART = re.compile(r"[\d一二三四五六七八九十东西南北中男女妇儿口眼]")
_GENERIC = re.compile(
    r"第?[\d一二三四五六七八九十]+|人民|中心|中医|中西医结合|妇幼|保健|妇女|儿童|红十字会|慈善总会|慈善会|卫生局|卫生服务|社区"
    r"|疾病预防控制|疾控|精神卫生|传染病|医院|卫生院|[省市县区院]"
)


@lru_cache(maxsize=32_768)  # a list compares each name with all of its city
def normal_name(name: str) -> str:
    """The comparable form: plain characters, no white space, no punctuation or brackets, lower case."""
    return NOT_COMPARED.sub("", unicodedata.normalize("NFKC", name).casefold())


@lru_cache(maxsize=32_768)
def short_name(name: str, city: str) -> str:
    """The name as compared, without the city it may begin with: 武汉市汉口医院, 武汉汉口医院 and 汉口医院 are one."""
    key = normal_name(name)
    for prefix in (normal_name(city), bare(city)) if city else ():
        if key.startswith(prefix) and len(key) > len(prefix) + 2:
            return key.removeprefix(prefix).removeprefix("市")
    return key


def tells_apart(key: str) -> tuple[str, ...]:
    """The characters of a compared name by which two hospitals of one city differ on purpose: numbers, directions, whom they treat."""
    return tuple(_TELLS_APART.findall(key))


def is_specific(key: str) -> bool:
    """Whether a compared name says more than what kind of house it is: a 人民医院 is in every county."""
    return len(_GENERIC.sub("", key)) >= 2


def is_near(one: str, other: str) -> bool:
    """Whether two compared names of one city differ by no more than a slip of the pen."""
    if one == other:
        return True
    return tells_apart(one) == tells_apart(other) and fuzz.ratio(one, other) >= NEARLY_EQUAL


def keys_of(short: str) -> set[str]:
    """What names that differ by one character share: the name itself, and the name without one of its characters."""
    if len(short) < SHORTEST_TO_MISSPELL:
        return {short}
    return {short, *(short[:place] + short[place + 1 :] for place in range(len(short)))}


def may_be_one(one: str, other: str, *, same_district: bool) -> bool:
    """Whether two compared names of one city that share a key may be one house's."""
    if not same_district and not (is_specific(one) and is_specific(other)):
        return False
    is_one_sign = same_district and min(len(one), len(other)) >= SHORTEST_TO_DIFFER
    return is_near(one, other) or (is_one_sign and tells_apart(one) == tells_apart(other))


def plain_code(text: str) -> str:
    """A unified social credit code as it is stored: plain characters in capitals, without spaces."""
    return re.sub(r"[\s-]+", "", unicodedata.normalize("NFKC", text)).upper()


def is_credit_code(code: str) -> None:
    """Raise ValidationError for what cannot be a unified social credit code (GB 32100-2015): its form, its check digit."""
    try:
        uscc.validate(code)
    except NotACode:
        raise ValidationError(
            _(
                "This is no unified social credit code: 18 digits and capitals, of which the last checks the others. "
                "Compare it with the certificate, or leave it empty."
            )
        ) from None
