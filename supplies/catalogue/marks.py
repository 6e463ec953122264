"""Numbers and codes printed on goods: what each part of them says, and what is odd about them.

Only the form of a number is looked at. Whether it was ever given, and to these goods, stands in a register; each mark
names the one to ask. Nothing here says that goods are genuine.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from biip import ParseConfig, ParseError
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_prefixes import GS1Prefix
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum import ean
from stdnum.cn import uscc

from supplies.catalogue.dictionary import Warning

MOST_READ = 2000  # characters; nothing printed on a box is longer
MOST_MARKS = 20
SOON_DAYS = 90

FORM_ONLY = gettext_lazy("the form of the number")
CHECK_DIGIT = gettext_lazy("the form of the number and its check digit")
NO_NUMBER = gettext_lazy("that these words stand there")


class Part(NamedTuple):
    """What one piece of a number says, for people."""

    label: str | Promise
    says: str | Promise


class Register(NamedTuple):
    """Where somebody can ask whether a number exists."""

    name: str
    url: str


NMPA = Register("国家药监局 NMPA", "https://www.nmpa.gov.cn/datasearch/")
UDI = Register("国家药监局 UDI", "https://udi.nmpa.gov.cn/")
FDA_510K = Register("FDA 510(k)", "https://www.accessdata.fda.gov/scripts/cdrh/cfdocs/cfpmn/pmn.cfm")
FDA_DE_NOVO = Register("FDA De Novo", "https://www.accessdata.fda.gov/scripts/cdrh/cfdocs/cfpmn/denovo.cfm")
FDA_PMA = Register("FDA PMA", "https://www.accessdata.fda.gov/scripts/cdrh/cfdocs/cfpma/pma.cfm")
FDA_SITES = Register(
    "FDA registration & listing", "https://www.accessdata.fda.gov/scripts/cdrh/cfdocs/cfrl/rl.cfm"
)
NIOSH = Register("NIOSH Certified Equipment List", "https://wwwn.cdc.gov/niosh-cel/")
NANDO = Register("NANDO", "https://webgate.ec.europa.eu/single-market-compliance-space/notified-bodies")
EUDAMED = Register("EUDAMED", "https://ec.europa.eu/tools/eudamed")
GSXT = Register("国家企业信用信息公示系统", "https://www.gsxt.gov.cn/")
CODES_CN = Register("全国组织机构统一社会信用代码数据服务中心", "https://www.cods.org.cn/")
GS1 = Register("Verified by GS1", "https://www.gs1.org/services/verified-by-gs1")


@dataclass(frozen=True)
class Mark:
    """One number or code that was found.

    kind        stable, for programs
    text        as it was written
    number      as it is compared: half width, without spaces and signs
    checked     what was looked at, as the object of a sentence
    region      the six digits of GB/T 2260 it names, or empty
    gtin …      what a scanned code holds; empty or None where it does not
    """

    kind: str
    text: str
    number: str
    title: str | Promise
    parts: tuple[Part, ...] = ()
    oddities: tuple[Warning, ...] = ()
    checked: str | Promise = FORM_ONLY
    register: Register | None = None
    region: str = ""
    gtin: str = ""
    lot: str = ""
    serial: str = ""
    expires_on: date | None = None
    made_on: date | None = None


@dataclass(frozen=True)
class Reading:
    """All marks of a text in the order written, and the words that are left when they are taken out."""

    marks: tuple[Mark, ...]
    rest: str

    @property
    def numbers(self) -> set[str]:
        return {mark.number for mark in self.marks}

    @property
    def gtins(self) -> set[str]:
        return {mark.gtin for mark in self.marks if mark.gtin}

    @property
    def lots(self) -> set[str]:
        return {mark.lot for mark in self.marks if mark.lot}

    @property
    def expiries(self) -> set[date]:
        return {mark.expires_on for mark in self.marks if mark.expires_on}


def read_marks(text: str, *, on: date) -> Reading:
    """Every number and code a text holds. Never raises, whatever the text."""
    rest = plain(text[:MOST_READ])
    found: list[tuple[int, Mark]] = []
    for pattern, read in FORMS:
        for match in pattern.finditer(rest):
            if len(found) < MOST_MARKS and (mark := read(match, on)) is not None:
                found.append((match.start(), mark))
                rest = rest[: match.start()] + "\n" * len(match[0]) + rest[match.end() :]
    found.sort(key=lambda pair: pair[0])
    return Reading(tuple(mark for _at, mark in found), re.sub(r"[\n\x1d]+", "\n", rest).strip())


def bare(text: str) -> str:
    """A number as compared: half width, upper case, letters and digits only."""
    return re.sub(r"[^0-9A-Z\u4e00-\u9fff]+", "", plain(text).upper())


TRADITIONAL = str.maketrans(
    "國準進許註備藥監號類產營經衛證蘇贛遼雲隴陝寧貴瓊閩晉滬〔〕【】",
    "国准进许注备药监号类产营经卫证苏赣辽云陇陕宁贵琼闽晋沪()()",
)
SEPARATORS = re.compile(r"<GS>|\{GS\}|\[GS\]|<FNC1>|\{FNC1\}|\[FNC1\]|\^\]|\\x1d|␝", re.IGNORECASE)


def plain(text: str) -> str:
    """Half width, in simplified signs where numbers use them; however a scanner writes the separator, it is one sign."""
    return SEPARATORS.sub("\x1d", unicodedata.normalize("NFKC", text)).translate(TRADITIONAL)


# -- China: registrations, filings, licences ---------------------------------------------------------------

PROVINCES = {
    "京": "110000", "津": "120000", "冀": "130000", "晋": "140000", "蒙": "150000", "辽": "210000", "吉": "220000",
    "黑": "230000", "沪": "310000", "苏": "320000", "浙": "330000", "皖": "340000", "闽": "350000", "赣": "360000",
    "鲁": "370000", "豫": "410000", "鄂": "420000", "湘": "430000", "粤": "440000", "桂": "450000", "琼": "460000",
    "渝": "500000", "川": "510000", "贵": "520000", "黔": "520000", "云": "530000", "滇": "530000", "藏": "540000",
    "陕": "610000", "甘": "620000", "青": "630000", "宁": "640000", "新": "650000",
}  # fmt: skip
ISSUER = rf"国|[{''.join(PROVINCES)}]"
ORIGINS = {
    "准": gettext_lazy("made in mainland China"),
    "进": gettext_lazy("imported"),
    "许": gettext_lazy("from Hong Kong, Macao or Taiwan"),
    "试": gettext_lazy("on trial, valid for two years at most"),
}
CLASSES = {
    "1": gettext_lazy("class I, low risk"),
    "2": gettext_lazy("class II, medium risk"),
    "3": gettext_lazy("class III, high risk"),
}
CATALOGUE = {  # 医疗器械分类目录 of 2017, in force since August 2018
    "01": gettext_lazy("active surgical instruments"),
    "02": gettext_lazy("passive surgical instruments"),
    "03": gettext_lazy("neurosurgical and cardiovascular instruments"),
    "04": gettext_lazy("orthopaedic instruments"),
    "05": gettext_lazy("radiotherapy"),
    "06": gettext_lazy("medical imaging"),
    "07": gettext_lazy("diagnosis and monitoring"),
    "08": gettext_lazy("respiration, anaesthesia and first aid"),
    "09": gettext_lazy("physiotherapy"),
    "10": gettext_lazy("transfusion, dialysis and extracorporeal circulation"),
    "11": gettext_lazy("disinfection and sterilisation"),
    "12": gettext_lazy("active implants"),
    "13": gettext_lazy("passive implants"),
    "14": gettext_lazy("infusion, nursing and protection: masks, suits and gloves are here"),
    "15": gettext_lazy("carrying patients"),
    "16": gettext_lazy("ophthalmology"),
    "17": gettext_lazy("dentistry"),
    "18": gettext_lazy("obstetrics, reproduction and contraception"),
    "19": gettext_lazy("rehabilitation"),
    "20": gettext_lazy("traditional Chinese medicine"),
    "21": gettext_lazy("software"),
    "22": gettext_lazy("clinical laboratory"),
    "40": gettext_lazy("in-vitro diagnostic reagents"),
}
BEFORE_2018 = {  # the last two digits of 68xx, 医疗器械分类目录 of 2002
    "21": gettext_lazy("electronic instruments of diagnosis"),
    "54": gettext_lazy("operating and treatment room equipment"),
    "56": gettext_lazy("ward nursing equipment"),
    "57": gettext_lazy("disinfection and sterilisation equipment"),
    "64": gettext_lazy("hygienic materials and dressings: masks and suits were here"),
    "66": gettext_lazy("polymer products"),
}
FORM_SINCE = (
    2014  # the year in which the present form of numbers began (order 4 of 2014, in force on 1 October)
)
OLD_FORMS = {"食药监械": (2004, 2014), "药监械": (2000, 2014), "药管械": (2000, 2004)}


def _registration(match: re.Match[str], on: date) -> Mark:
    """国械注准20153640012: issuer, origin, year of the first registration, class, category, serial number."""
    issuer, origin, digits = match["issuer"], match["origin"], re.sub(r"[ -]", "", match["digits"])
    title = gettext_lazy("registration of a medical device (China)")
    number = f"{issuer}械注{origin}{digits}"
    parts = [_issued_by(issuer), Part(_("origin"), ORIGINS[origin])]
    if len(digits) != 11:
        text = _("After the words there are %(found)d digits; such a number has 11.") % {"found": len(digits)}
        short = (Warning("wrong-length", text),)
        return Mark("cn-registration", match[0].strip(), number, title, tuple(parts), short, register=NMPA)
    year, risk, category, serial = digits[:4], digits[4], digits[5:7], digits[7:]
    parts += [
        Part(_("first registered"), year),
        Part(_("class"), CLASSES.get(risk, risk)),
        Part(_("category"), _category(category, int(year))),
        Part(_("serial number"), serial),
    ]
    odd = (*_odd_year(int(year), FORM_SINCE, on.year), *_odd_class(issuer, origin, risk))
    return Mark(
        "cn-registration",
        match[0].strip(),
        number,
        title,
        tuple(parts),
        odd,
        register=NMPA,
        region=_region(issuer),
    )


def _old_registration(match: re.Match[str], on: date) -> Mark:
    """国食药监械(准)字2013第3641234号, as numbers were given until September 2014."""
    issuer, origin, form = match["issuer"], match["origin"], match["form"].replace(" ", "")
    year, digits = match["year"], match["digits"]
    number = f"{issuer}{form}{origin}字{year}第{digits}号"
    parts = [_issued_by(issuer[0]), Part(_("origin"), ORIGINS[origin]), Part(_("registered"), year)]
    first, last = OLD_FORMS[form]
    odd = list(_odd_year(int(year), first, min(last, on.year)))
    if len(digits) == 7:
        parts += [
            Part(_("class"), CLASSES.get(digits[0], digits[0])),
            Part(_("category"), _category(digits[1:3], int(year))),
            Part(_("serial number"), digits[3:]),
        ]
        odd += _odd_class(issuer[0], origin, digits[0], is_old=True)
    else:
        text = _("After the words there are %(found)d digits; such a number has 7.") % {"found": len(digits)}
        odd.append(Warning("wrong-length", text))
    text = _(
        "Numbers of this form were given until September 2014 and were valid for a few years; goods made since then carry a new one."
    )
    odd.append(Warning("old-form", text))
    title = gettext_lazy("registration of a medical device (China), old form")
    return Mark(
        "cn-registration-old",
        match[0].strip(),
        bare(number),
        title,
        tuple(parts),
        tuple(odd),
        register=NMPA,
        region=_region(issuer[0]),
    )


def _filing(match: re.Match[str], on: date) -> Mark:
    """国械备20150001号, 苏苏械备20150012号: class I is filed, not registered."""
    issuer, digits = match["issuer"], match["digits"]
    is_imported = issuer == "国"
    parts = [
        _issued_by(issuer[0]),
        Part(_("class"), CLASSES["1"]),
        Part(
            _("origin"), _("imported, or from Hong Kong, Macao or Taiwan") if is_imported else ORIGINS["准"]
        ),
    ]
    odd: list[Warning] = []
    if len(digits) == 8:
        parts += [Part(_("filed"), digits[:4]), Part(_("serial number"), digits[4:])]
        odd += _odd_year(int(digits[:4]), FORM_SINCE, on.year)
    else:
        text = _("After the words there are %(found)d digits; such a number has 8.") % {"found": len(digits)}
        odd.append(Warning("wrong-length", text))
    text = _(
        "A filing is for class I. Masks for care and surgery, respirators and suits for isolation are class II and are registered: a filing does not stand for them."
    )
    odd.append(Warning("class-one-only", text))
    return Mark(
        "cn-filing",
        match[0].strip(),
        f"{issuer}械备{digits}",
        gettext_lazy("filing of a class I medical device (China)"),
        tuple(parts),
        tuple(odd),
        register=NMPA,
        region=_region(issuer[0]),
    )


LICENCES = {
    "生产许": gettext_lazy("licence of a maker"),
    "生产备": gettext_lazy("filing of a maker"),
    "经营许": gettext_lazy("licence of a dealer"),
    "经营备": gettext_lazy("filing of a dealer"),
}


def _licence(match: re.Match[str], on: date) -> Mark:
    text = _("This is a paper of a firm, not of goods: it does not say that these goods are registered.")
    return Mark(
        "cn-licence",
        match[0].strip(),
        bare(match[0]),
        LICENCES[match["what"]],
        (_issued_by(match["issuer"][0]),),
        (Warning("not-of-goods", text),),
        register=NMPA,
        region=_region(match["issuer"][0]),
    )


MEDICINES = {
    "H": gettext_lazy("chemical medicine"),
    "Z": gettext_lazy("traditional Chinese medicine"),
    "S": gettext_lazy("biological product"),
    "B": gettext_lazy("former health medicine"),
    "T": gettext_lazy("reagent of diagnosis"),
    "F": gettext_lazy("excipient"),
    "J": gettext_lazy("imported, packed in China"),
}


def _medicine(match: re.Match[str], on: date) -> Mark:
    digits, letters = match["digits"], match["letters"]
    odd: tuple[Warning, ...] = ()
    if len(digits) != 8:
        text = _("After the letter there are %(found)d digits; such a number has 8.") % {"found": len(digits)}
        odd = (Warning("wrong-length", text),)
    return Mark(
        "cn-medicine",
        match[0].strip(),
        f"国药准字{letters}{digits}",
        gettext_lazy("approval of a medicine (China)"),
        (Part(_("kind"), MEDICINES[letters[0]]),),
        odd,
        register=NMPA,
    )


def _disinfectant(match: re.Match[str], on: date) -> Mark:
    text = _("This is the licence of a maker of disinfectants. It is no registration of a medical device.")
    return Mark(
        "cn-disinfectant",
        match[0].strip(),
        bare(match[0]),
        gettext_lazy("hygiene licence of a maker of disinfectants (China)"),
        (_issued_by(match["issuer"]), Part(_("year"), match["year"])),
        (Warning("not-a-device", text), *_odd_year(int(match["year"]), 2002, on.year)),
        region=_region(match["issuer"]),
    )


def _issued_by(issuer: str) -> Part:
    if issuer == "国":
        return Part(_("issued by"), _("the state"))
    return Part(_("issued by"), _("the province of the sign %(sign)s") % {"sign": issuer})


def _region(issuer: str) -> str:
    return PROVINCES.get(issuer, "")


def _category(digits: str, year: int) -> str:
    """The two digits and what they stood for; both catalogues where the year does not tell which one was used."""
    known = [] if year < 2018 and digits != "40" else [CATALOGUE.get(digits)]
    known += [BEFORE_2018.get(digits)] if year <= 2018 else []
    words = [str(name) for name in known if name]
    return f"{digits} ({words[0]})" if words else digits


def _odd_year(year: int, first: int, last: int) -> Iterator[Warning]:
    if not first <= year <= last:
        facts = {"year": year, "first": first, "last": last}
        text = _("The year %(year)d is odd: numbers of this form are of %(first)d to %(last)d.") % facts
        yield Warning("odd-year", text)


def _odd_class(issuer: str, origin: str, risk: str, *, is_old: bool = False) -> Iterator[Warning]:
    """The state registers class III and what comes from outside; the provinces class II made at home."""
    if risk not in CLASSES:
        yield Warning(
            "odd-class", _("The class %(risk)s is odd: there are classes 1, 2 and 3.") % {"risk": risk}
        )
    elif risk == "1" and not is_old:
        yield Warning("odd-class", _("Class I is filed, not registered: such a number should not exist."))
    elif issuer == "国" and origin == "准" and risk != "3":
        yield Warning(
            "odd-class",
            _(
                "The state registers goods made in mainland China in class III only; class II is registered by provinces."
            ),
        )
    elif issuer != "国" and origin in "进许":
        yield Warning("odd-class", _("What is imported is registered by the state, not by a province."))
    elif issuer != "国" and risk == "3":
        yield Warning("odd-class", _("Provinces do not register class III."))


# -- United States and Europe ------------------------------------------------------------------------------

SUBMISSIONS = {
    "K": ("us-510k", gettext_lazy("510(k) premarket notification (US FDA)"), FDA_510K),
    "DEN": ("us-de-novo", gettext_lazy("De Novo classification (US FDA)"), FDA_DE_NOVO),
    "P": ("us-pma", gettext_lazy("premarket approval (US FDA)"), FDA_PMA),
}


def _submission(match: re.Match[str], on: date) -> Mark:
    """K201234: two digits of the year in which it was received, and a serial number."""
    letters, digits = match["letters"].upper(), match["digits"]
    kind, title, register = SUBMISSIONS[letters]
    two = int(digits[:2])
    year = two + (1900 if two >= 76 else 2000)  # the law on devices is of 1976
    odd = tuple(_odd_year(year, 1976, on.year))
    parts = (Part(_("year of receipt"), str(year)), Part(_("serial number"), digits[2:]))
    return Mark(kind, match[0].strip(), letters + digits, title, parts, odd, register=register)


def _us_site(match: re.Match[str], on: date) -> Mark:
    text = _(
        "The FDA registers sites and lists what they make; it gives no certificate for that, and it approves nothing by it."
    )
    return Mark(
        "us-registration",
        match[0].strip(),
        match["digits"],
        gettext_lazy("registration of a site (US FDA)"),
        (),
        (Warning("not-of-goods", text),),
        register=FDA_SITES,
    )


SCHEDULES = {
    "13F": gettext_lazy("self-contained breathing apparatus"),
    "14G": gettext_lazy("gas mask"),
    "19C": gettext_lazy("supplied-air respirator"),
    "21C": gettext_lazy("powered air-purifying respirator with particulate filter"),
    "23C": gettext_lazy("respirator with chemical cartridge"),
    "84A": gettext_lazy("air-purifying respirator with particulate filter, such as N95"),
}


def _niosh(match: re.Match[str], on: date) -> Mark:
    schedule, serial = match["schedule"].upper(), match["serial"]
    odd: tuple[Warning, ...] = ()
    if schedule not in SCHEDULES:
        text = _("NIOSH has no schedule %(schedule)s that is known here.") % {"schedule": schedule}
        odd = (Warning("odd-schedule", text),)
    parts = (Part(_("kind"), SCHEDULES.get(schedule, schedule)), Part(_("serial number"), serial))
    title = gettext_lazy("approval of a respirator (US NIOSH)")
    return Mark("niosh", match[0].strip(), f"TC{schedule}{serial}", title, parts, odd, register=NIOSH)


def _notified_body(match: re.Match[str], on: date) -> Mark:
    number = match["number"]
    title = gettext_lazy("CE mark with the number of a notified body")
    parts = (Part(_("notified body"), number),)
    text = _("See whether this body is notified for these goods.")
    odd = (Warning("ask-the-body", text),)
    return Mark("ce-body", match[0].strip(), f"CE{number}", title, parts, odd, register=NANDO)


def _ce(match: re.Match[str], on: date) -> Mark:
    text = _(
        "No number stands beside it. Masks of class I and simple gear need none; respirators (EN 149) and suits against infection need the number of a notified body."
    )
    title = gettext_lazy("CE mark without a number")
    return Mark("ce", match[0], "CE", title, (), (Warning("no-body", text),), NO_NUMBER)


DOCUMENTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "2016/425": (
        gettext_lazy("Regulation (EU) 2016/425: personal protective equipment"),
        gettext_lazy("It protects the wearer. It does not make goods a medical device."),
    ),
    "89/686": (
        gettext_lazy("Directive 89/686/EEC: personal protective equipment, repealed"),
        gettext_lazy("Regulation (EU) 2016/425 took its place in April 2018."),
    ),
    "2017/745": (
        gettext_lazy("Regulation (EU) 2017/745: medical devices"),
        gettext_lazy("Masks of class I are declared by their maker; no body checks them beforehand."),
    ),
    "93/42": (
        gettext_lazy("Directive 93/42/EEC: medical devices, repealed"),
        gettext_lazy("Regulation (EU) 2017/745 took its place in May 2021."),
    ),
    "13485": (
        gettext_lazy("ISO 13485: quality management of a maker"),
        gettext_lazy("This is a certificate of a firm, not of goods."),
    ),
    "9001": (
        gettext_lazy("ISO 9001: quality management of a firm"),
        gettext_lazy("This is a certificate of a firm, not of goods."),
    ),
}


def _document(match: re.Match[str], on: date) -> Mark:
    key = (match["law"] or match["iso"]).replace(" ", "")
    title, remark = DOCUMENTS[key]
    return Mark(
        "eu-law" if match["law"] else "iso-management",
        match[0].strip(),
        key,
        title,
        (),
        (Warning("what-it-is", remark),),
        NO_NUMBER,
    )


EU_ROLES = {
    "MF": gettext_lazy("maker"),
    "AR": gettext_lazy("authorised representative"),
    "IM": gettext_lazy("importer"),
    "PR": gettext_lazy("producer of systems and procedure packs"),
}


def _eudamed(match: re.Match[str], on: date) -> Mark:
    parts = (Part(_("country"), match["country"]), Part(_("role"), EU_ROLES[match["role"]]))
    text = _("This is a paper of a firm, not of goods: it does not say that these goods are registered.")
    title = gettext_lazy("registration number of a firm (EUDAMED)")
    odd = (Warning("not-of-goods", text),)
    return Mark("eu-srn", match[0], bare(match[0]), title, parts, odd, register=EUDAMED)


# -- Firms: 统一社会信用代码 ------------------------------------------------------------------------------------

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


def _credit_code(match: re.Match[str], on: date) -> Mark | None:
    """18 signs: who registers, what kind, GB/T 2260 of the place, organisation code of GB 11714, check sign."""
    number = re.sub(r"[ -]", "", match["credit"]).upper()
    # The library refuses the rarer kinds that begin with a letter; their check sign is made the same way.
    is_right = set(number) <= SIGNS and uscc.calc_check_digit(number[:17]) == number[17]
    if (
        not is_right
        and number.isdigit()
        and (number[:2] not in DEPARTMENTS or _has_right_check_digit(number))
    ):
        return None  # eighteen digits are as well the number of a pallet
    odd: list[Warning] = []
    if not is_right:
        odd.append(_wrong_check_digit())
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


def _wrong_check_digit() -> Warning:
    return Warning(
        "wrong-check-digit", _("The check digit is wrong: something was misread, mistyped or made up.")
    )


# -- GS1: numbers and scanned codes ------------------------------------------------------------------------

PLACES = tuple(str(ai) for ai in range(410, 418))
SCANNED = (
    "00",
    "01",
    "02",
    "10",
    "11",
    "13",
    "15",
    "17",
    "20",
    "21",
    "30",
    "37",
    "240",
    "241",
    "400",
    *PLACES,
)
NAMES = {
    "00": gettext_lazy("number of the carton or pallet (SSCC)"),
    "01": gettext_lazy("trade item (GTIN)"),
    "02": gettext_lazy("trade item inside (GTIN)"),
    "10": gettext_lazy("lot"),
    "11": gettext_lazy("made on"),
    "13": gettext_lazy("packed on"),
    "15": gettext_lazy("best before"),
    "17": gettext_lazy("expires on"),
    "21": gettext_lazy("serial number"),
    "30": gettext_lazy("count"),
    "37": gettext_lazy("count"),
    "240": gettext_lazy("further product number"),
    "400": gettext_lazy("order number"),
}
DATES = ("11", "13", "15", "17")
NOT_ORIGIN = gettext_lazy(
    "%(who)s. The prefix says where the number was issued, not where the goods were made."
)


def read_yymmdd(text: str, on: date) -> date | None:
    """A day of a GS1 code; day 00 is the last of the month. None if there is no such day.

    The century is the one in which the year lies at most 49 years back and 50 years ahead (GS1 General Specifications 7.12).
    """
    if not re.fullmatch(r"[0-9]{6}", text):
        return None
    ahead = int(text[:2]) - on.year % 100
    century = on.year // 100 * 100 + (-100 if ahead > 50 else 100 if ahead < -49 else 0)
    year, month, day = century + int(text[:2]), int(text[2:4]), int(text[4:])
    if not 1 <= month <= 12:
        return None
    last = calendar.monthrange(year, month)[1]
    return date(year, month, day or last) if day <= last else None


def _scanned(match: re.Match[str], on: date) -> Mark | None:
    """A GS1 element string, as a scanner gives it or as it is printed with brackets."""
    text = match[0].strip()
    raw = re.sub(r"^\][A-Za-z][0-9]", "", text).lstrip("\x1d")
    elements, unread = _elements_in_brackets(raw) if raw.startswith("(") else _elements(raw)
    if not elements:
        return None
    parts: list[Part] = []
    odd: list[Warning] = []
    for element in elements:
        parts += _element_parts(element, on)
        odd += _element_oddities(element, on)
    if unread:
        shown = unread.replace("\x1d", " ")[:60]
        odd.append(Warning("unread", _("“%(text)s” in it could not be read.") % {"text": shown}))
    values = {element.ai.ai: element.value for element in reversed(elements)}
    odd += _contradictions(elements, on)
    odd += _swallowed(values)
    gtin = values.get("01", values.get("02", ""))
    mark = Mark(
        "gs1",
        text.replace("\x1d", "␝"),
        bare(text),
        gettext_lazy("scanned GS1 code"),
        tuple(parts),
        (),
        CHECK_DIGIT,
        GS1 if gtin or "00" in values else None,
        gtin=gtin,
        lot=values.get("10", ""),
        serial=values.get("21", ""),
        made_on=read_yymmdd(values.get("11", ""), on),
        expires_on=read_yymmdd(values.get("17", ""), on),
    )
    return replace(mark, oddities=(*odd, *_ageing(mark, on)))


def _elements(raw: str) -> tuple[list[GS1ElementString], str]:
    """The elements of a scanned string, and what follows the last that can be read."""
    found: list[GS1ElementString] = []
    while raw:
        element = _element(GS1ElementString.extract, raw)
        if element is None or (element.ai.ai not in NAMES and element.ai.ai not in PLACES + SCANNED):
            return found, raw
        found.append(element)
        raw = raw[len(element) :].lstrip("\x1d")
    return found, ""


BRACKETED = re.compile(r"\(\s*([0-9]{2,4})\s*\)\s*([^(]*)")


def _elements_in_brackets(text: str) -> tuple[list[GS1ElementString], str]:
    found: list[GS1ElementString] = []
    unread: list[str] = []
    for match in BRACKETED.finditer(text):
        value = re.sub(r"\s", "", match[2])
        element = _element(GS1ElementString.parse, match[1] + value)
        if element is None:
            unread.append(match[0].strip())
        else:
            found.append(element)
    return found, " ".join(unread)


# Impossible days are told of here rather than refused there.
ANY_DAY = ParseConfig(gs1_element_strings_verify_date=False, rcn_verify_variable_measure=False)


def _element(read: Callable[..., GS1ElementString], raw: str) -> GS1ElementString | None:
    try:
        return read(raw, config=ANY_DAY)
    except (ParseError, ValueError, IndexError, ArithmeticError):
        return None


def _element_parts(element: GS1ElementString, on: date) -> Iterator[Part]:
    ai, value = element.ai.ai, element.value
    label = NAMES.get(ai, _("place (GLN)") if ai in PLACES else element.ai.description)
    day = read_yymmdd(value, on) if ai in DATES else None
    yield Part(label, day.isoformat() if day else value)
    if ai in ("01", "02"):
        yield from _prefix(value[1:])


def _element_oddities(element: GS1ElementString, on: date) -> Iterator[Warning]:
    ai, value = element.ai.ai, element.value
    is_number = ai in ("00", "01", "02") or ai in PLACES
    if is_number and not _has_right_check_digit(value):
        yield _wrong_check_digit()
    if ai in DATES and read_yymmdd(value, on) is None:
        yield Warning("no-such-day", _("There is no day “%(text)s” (year, month, day).") % {"text": value})


def _contradictions(elements: Iterable[GS1ElementString], on: date) -> Iterator[Warning]:
    said: dict[str, set[str]] = {}
    for element in elements:
        said.setdefault(element.ai.ai, set()).add(element.value)
    for ai, values in said.items():
        if len(values) > 1 and ai in NAMES:
            facts = {"what": NAMES[ai], "values": ", ".join(sorted(values))}
            yield Warning("conflict", _("It says two things of one: %(what)s %(values)s.") % facts)
    made, expires = (read_yymmdd(min(said.get(ai, {""})), on) for ai in ("11", "17"))
    if made and expires and expires <= made:
        yield Warning("conflict", _("It expires before it was made."))
    if made and made > on:
        yield Warning(
            "made-later", _("It says that it was made on %(day)s, which is still to come.") % {"day": made}
        )


def _swallowed(values: dict[str, str]) -> Iterator[Warning]:
    """A lot without an end takes what follows into itself: the scanner sent no separator."""
    if "17" not in values and re.search(r"17[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]$", values.get("10", "")):
        text = _("The lot seems to hold the expiry: the scanner sends no separator. Compare with the print.")
        yield Warning("separator-lost", text)


def _ageing(mark: Mark, on: date) -> Iterator[Warning]:
    if mark.expires_on is None:
        return
    left = (mark.expires_on - on).days
    if left <= 0:
        yield Warning("expired", _("It expired on %(day)s.") % {"day": mark.expires_on})
    elif left <= SOON_DAYS:
        yield Warning("expires-soon", _("It expires soon, on %(day)s.") % {"day": mark.expires_on})


def _has_right_check_digit(number: str) -> bool:
    return number.isdigit() and number.isascii() and ean.calc_check_digit(number[:-1]) == number[-1]


def _prefix(digits: str) -> Iterator[Part]:
    """Who issued the number, from the digits of its GS1 prefix."""
    prefix = GS1Prefix.extract(digits) if digits.isascii() and digits.isdigit() else None
    if prefix is not None:
        yield Part(_("number issued by"), str(NOT_ORIGIN) % {"who": f"{prefix.usage} ({prefix.value})"})


NUMBER_KINDS = {
    8: ("gtin", gettext_lazy("GTIN-8")),
    12: ("gtin", gettext_lazy("GTIN-12 (UPC)")),
    13: ("gtin", gettext_lazy("GTIN-13 (EAN) or a place number (GLN)")),
    14: ("gtin", gettext_lazy("GTIN-14")),
    18: ("sscc", gettext_lazy("number of the carton or pallet (SSCC)")),
}


def _digits(match: re.Match[str], on: date) -> Mark | None:
    """A bare number of a length that GS1 uses. Eight digits may as well be a day or a lot, so a word has to say so."""
    number = re.sub(r"[ -]", "", match["digits"])
    if len(number) not in NUMBER_KINDS or (len(number) == 8 and not match["word"]):
        return None
    kind, title = NUMBER_KINDS[len(number)]
    odd = () if _has_right_check_digit(number) else (_wrong_check_digit(),)
    if odd and not match["word"] and len(number) != 13 and len(number) != 14:
        return None
    body = {12: f"0{number}", 13: number}.get(
        len(number), number[1:]
    )  # an eight-digit number has prefixes of its own
    return Mark(
        kind,
        match[0].strip(),
        number,
        title,
        tuple(_prefix(body)) if len(number) > 8 else (),
        odd,
        CHECK_DIGIT,
        GS1,
        gtin=number.zfill(14) if kind == "gtin" else "",
    )


def _issuing_agency(match: re.Match[str], on: date) -> Mark:
    title = gettext_lazy("device identifier (UDI) of the agency MA")
    return Mark("udi-ma", match[0], match[0], title, (), (), FORM_ONLY, UDI)


# -- All forms ---------------------------------------------------------------------------------------------

Reader = Callable[[re.Match[str], date], "Mark | None"]
S = r"[ \t]*"
NOT_BEFORE, NOT_AFTER = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
AIS = "|".join(SCANNED)
# The first form that fits takes its signs, so what is longer or more certain comes first.
FORMS: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(pattern, re.ASCII | re.IGNORECASE), reader)
    for pattern, reader in (
        (rf"(?:\][A-Za-z][0-9])?\x1d?(?:\({S}(?:{AIS}){S}\){S}[^\s(,;\u4e00-\u9fff]+\s*)+", _scanned),
        (rf"(?P<word>\][EI][0-9])(?P<digits>[0-9]{{8,14}}){NOT_AFTER}", _digits),
        (r"\][A-Za-z][0-9][^\s\u4e00-\u9fff]+", _scanned),
        (rf"{NOT_BEFORE}\x1d?(?:01[0-9]{{14}}|02[0-9]{{14}}|00[0-9]{{18}})(?:[0-9][^\s\u4e00-\u9fff]*|\x1d[^\s\u4e00-\u9fff]+)?(?![^\s\u4e00-\u9fff,;])", _scanned),
        (rf"(?P<issuer>{ISSUER}){S}械{S}注{S}\(?(?P<origin>[准进许])\)?{S}字?{S}(?P<digits>[0-9](?:[ -]?[0-9]){{10}}(?![0-9])|[0-9]{{4,16}}){S}号?", _registration),
        (rf"(?P<issuer>(?:{ISSUER})[\u4e00-\u9fff]??){S}(?P<form>食{S}药{S}监{S}械|药{S}监{S}械|药{S}管{S}械){S}\(?{S}(?P<origin>[准进许试]){S}\)?{S}字{S}\(?(?P<year>[0-9]{{4}})\)?{S}(?:年{S})?第?{S}(?P<digits>[0-9]{{4,10}}){S}号?", _old_registration),
        (rf"(?P<issuer>国|(?:{ISSUER})[\u4e00-\u9fff]?){S}械{S}备{S}字?{S}(?P<digits>[0-9]{{4,14}}){S}号?", _filing),
        (rf"(?P<issuer>(?:{ISSUER})[\u4e00-\u9fff]??){S}食?药[监管]械(?P<what>生产许|生产备|经营许|经营备)(?:可|案)?{S}[0-9]{{4,14}}{S}号?", _licence),
        (rf"国药准字{S}(?P<letters>[HZSBTFJ][JC]?){S}(?P<digits>[0-9]{{4,12}})", _medicine),
        (rf"(?P<issuer>[{''.join(PROVINCES)}]){S}卫{S}消{S}证{S}字{S}\(?(?P<year>[0-9]{{4}})\)?{S}第?{S}[0-9A-Z-]{{2,8}}{S}号?", _disinfectant),
        (rf"{NOT_BEFORE}MA\.156\.[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*", _issuing_agency),
        (rf"{NOT_BEFORE}(?P<country>[A-Z]{{2}})-(?P<role>MF|AR|IM|PR)-[0-9]{{9}}{NOT_AFTER}", _eudamed),
        (rf"{NOT_BEFORE}TC{S}[-–]?{S}(?P<schedule>[0-9]{{2}}[A-Z]){S}[-–]?{S}(?P<serial>[0-9]{{3,5}}){NOT_AFTER}", _niosh),
        (rf"{NOT_BEFORE}(?P<letters>K|DEN){S}(?P<digits>[0-9]{{6}}){NOT_AFTER}", _submission),
        (rf"{NOT_BEFORE}PMA{S}(?:No\.?|:)?{S}(?P<letters>P){S}(?P<digits>[0-9]{{6}}){NOT_AFTER}", _submission),
        (rf"{NOT_BEFORE}FDA{S}(?:reg(?:istration|\.)?|FEI)[^0-9\n]{{0,20}}(?P<digits>[0-9]{{7,10}}){NOT_AFTER}", _us_site),
        (rf"{NOT_BEFORE}CE{S}[-:/]?{S}(?P<number>[0-9]{{4}}){NOT_AFTER}", _notified_body),
        (rf"{NOT_BEFORE}(?:\(?E[UC]\)?{S})?(?:(?P<law>2016/425|89/686|2017/745|93/42)(?:/E[EC]C)?|(?:EN{S})?ISO{S}(?P<iso>13485|9001)(?:{S}[:-]{S}[0-9]{{4}})?){NOT_AFTER}", _document),
        (rf"{NOT_BEFORE}CE{NOT_AFTER}", _ce),
        (rf"(?P<word>(?:GTIN|EAN|UPC|SSCC|GLN|UDI-?DI)(?:-?[0-9]{{1,2}})?{S}[:.]?{S})(?P<digits>[0-9](?:[ -]?[0-9]){{7,17}}){NOT_AFTER}", _digits),
        (rf"{NOT_BEFORE}(?P<credit>[0-9A-Z]{{2}}[ -]?[0-9]{{6}}[ -]?[0-9A-HJ-NP-RTUW-Y]{{9}}[ -]?[0-9A-HJ-NP-RTUW-Y]){NOT_AFTER}", _credit_code),
        (rf"(?P<word>){NOT_BEFORE}(?P<digits>[0-9](?:[ -]?[0-9]){{7,17}}){NOT_AFTER}", _digits),
    )
)  # fmt: skip
