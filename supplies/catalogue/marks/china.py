"""China: registrations, filings and licences of devices, medicines and disinfectants."""

import re
from collections.abc import Iterator
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.catalogue.dictionary import Warning
from supplies.catalogue.marks.mark import FORM_ONLY, Mark, Part, Register, bare, odd_year

NMPA = Register("国家药监局 NMPA", "https://www.nmpa.gov.cn/datasearch/")
UDI = Register("国家药监局 UDI", "https://udi.nmpa.gov.cn/")
PROVINCES = {
    "京": "110000", "津": "120000", "冀": "130000", "晋": "140000", "蒙": "150000", "辽": "210000", "吉": "220000",
    "黑": "230000", "沪": "310000", "苏": "320000", "浙": "330000", "皖": "340000", "闽": "350000", "赣": "360000",
    "鲁": "370000", "豫": "410000", "鄂": "420000", "湘": "430000", "粤": "440000", "桂": "450000", "琼": "460000",
    "渝": "500000", "川": "510000", "贵": "520000", "黔": "520000", "云": "530000", "滇": "530000", "藏": "540000",
    "陕": "610000", "甘": "620000", "青": "630000", "宁": "640000", "新": "650000",
}  # fmt: skip
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


def registration(match: re.Match[str], on: date) -> Mark:
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
    odd = (*odd_year(int(year), FORM_SINCE, on.year), *_odd_class(issuer, origin, risk))
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


def old_registration(match: re.Match[str], on: date) -> Mark:
    """国食药监械(准)字2013第3641234号, as numbers were given until September 2014."""
    issuer, origin, form = match["issuer"], match["origin"], match["form"].replace(" ", "")
    year, digits = match["year"], match["digits"]
    number = f"{issuer}{form}{origin}字{year}第{digits}号"
    parts = [_issued_by(issuer[0]), Part(_("origin"), ORIGINS[origin]), Part(_("registered"), year)]
    first, last = OLD_FORMS[form]
    odd = list(odd_year(int(year), first, min(last, on.year)))
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


def filing(match: re.Match[str], on: date) -> Mark:
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
        odd += odd_year(int(digits[:4]), FORM_SINCE, on.year)
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


def licence(match: re.Match[str], on: date) -> Mark:
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


def medicine(match: re.Match[str], on: date) -> Mark:
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


def disinfectant(match: re.Match[str], on: date) -> Mark:
    text = _("This is the licence of a maker of disinfectants. It is no registration of a medical device.")
    return Mark(
        "cn-disinfectant",
        match[0].strip(),
        bare(match[0]),
        gettext_lazy("hygiene licence of a maker of disinfectants (China)"),
        (_issued_by(match["issuer"]), Part(_("year"), match["year"])),
        (Warning("not-a-device", text), *odd_year(int(match["year"]), 2002, on.year)),
        region=_region(match["issuer"]),
    )


def issuing_agency(match: re.Match[str], on: date) -> Mark:
    title = gettext_lazy("device identifier (UDI) of the agency MA")
    return Mark("udi-ma", match[0], match[0], title, (), (), FORM_ONLY, UDI)


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
