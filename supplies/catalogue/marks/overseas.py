"""United States and Europe: clearances, approvals of respirators, CE marks and the papers beside them."""

import re
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.catalogue.dictionary import Warning
from supplies.catalogue.marks.mark import Mark, Part, Register, bare, odd_year

FDA_510K = Register("FDA 510(k)", "https://www.accessdata.fda.gov/scripts/cdrh/cfdocs/cfpmn/pmn.cfm")
FDA_DE_NOVO = Register("FDA De Novo", "https://www.accessdata.fda.gov/scripts/cdrh/cfdocs/cfpmn/denovo.cfm")
FDA_PMA = Register("FDA PMA", "https://www.accessdata.fda.gov/scripts/cdrh/cfdocs/cfpma/pma.cfm")
FDA_SITES = Register(
    "FDA registration & listing", "https://www.accessdata.fda.gov/scripts/cdrh/cfdocs/cfrl/rl.cfm"
)
NIOSH = Register("NIOSH Certified Equipment List", "https://wwwn.cdc.gov/niosh-cel/")
NANDO = Register("NANDO", "https://webgate.ec.europa.eu/single-market-compliance-space/notified-bodies")
EUDAMED = Register("EUDAMED", "https://ec.europa.eu/tools/eudamed")
NO_NUMBER = gettext_lazy("that these words stand there")
SUBMISSIONS = {
    "K": ("us-510k", gettext_lazy("510(k) premarket notification (US FDA)"), FDA_510K),
    "DEN": ("us-de-novo", gettext_lazy("De Novo classification (US FDA)"), FDA_DE_NOVO),
    "P": ("us-pma", gettext_lazy("premarket approval (US FDA)"), FDA_PMA),
}


def submission(match: re.Match[str], on: date) -> Mark:
    """K201234: two digits of the year in which it was received, and a serial number."""
    letters, digits = match["letters"].upper(), match["digits"]
    kind, title, register = SUBMISSIONS[letters]
    two = int(digits[:2])
    year = two + (1900 if two >= 76 else 2000)  # the law on devices is of 1976
    odd = tuple(odd_year(year, 1976, on.year))
    parts = (Part(_("year of receipt"), str(year)), Part(_("serial number"), digits[2:]))
    return Mark(kind, match[0].strip(), letters + digits, title, parts, odd, register=register)


def us_site(match: re.Match[str], on: date) -> Mark:
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


def niosh(match: re.Match[str], on: date) -> Mark:
    schedule, serial = match["schedule"].upper(), match["serial"]
    odd: tuple[Warning, ...] = ()
    if schedule not in SCHEDULES:
        text = _("NIOSH has no schedule %(schedule)s that is known here.") % {"schedule": schedule}
        odd = (Warning("odd-schedule", text),)
    parts = (Part(_("kind"), SCHEDULES.get(schedule, schedule)), Part(_("serial number"), serial))
    title = gettext_lazy("approval of a respirator (US NIOSH)")
    return Mark("niosh", match[0].strip(), f"TC{schedule}{serial}", title, parts, odd, register=NIOSH)


def notified_body(match: re.Match[str], on: date) -> Mark:
    number = match["number"]
    title = gettext_lazy("CE mark with the number of a notified body")
    parts = (Part(_("notified body"), number),)
    text = _("See whether this body is notified for these goods.")
    odd = (Warning("ask-the-body", text),)
    return Mark("ce-body", match[0].strip(), f"CE{number}", title, parts, odd, register=NANDO)


def ce(match: re.Match[str], on: date) -> Mark:
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


def document(match: re.Match[str], on: date) -> Mark:
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


def eudamed(match: re.Match[str], on: date) -> Mark:
    parts = (Part(_("country"), match["country"]), Part(_("role"), EU_ROLES[match["role"]]))
    text = _("This is a paper of a firm, not of goods: it does not say that these goods are registered.")
    title = gettext_lazy("registration number of a firm (EUDAMED)")
    odd = (Warning("not-of-goods", text),)
    return Mark("eu-srn", match[0], bare(match[0]), title, parts, odd, register=EUDAMED)
