"""How pages write quantities, places, times and free words. Knows the rows by their attributes only."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from supplies import wording
from supplies.leaks import masked

register = template.Library()
NAMED_OF_A_GIFT = 3
register.filter("listed", wording.listed)
register.filter("bracketed", wording.bracketed)
register.filter("masked", masked)  # what people wrote in their own words, for everybody to read


def _is_chinese() -> bool:
    return (get_language() or "").startswith("zh")


def _unit_name(unit: Any, is_one: bool) -> str:
    """只(单只手套) is spoken 只; more than one box are boxes."""
    name = str(unit.name).partition("(")[0]
    if _is_chinese() or is_one or name.endswith("s"):
        return name
    return f"{name}es" if name.endswith("x") else f"{name}s"


@register.filter
def amount(item: Any, quantity: int | None) -> str:
    """A quantity of base units in the unit people use: 2,000 gloves are "1,000 pairs"."""
    if quantity is None:
        return "—"
    shown = item.shown(quantity)
    number = f"{int(shown):,}" if shown == int(shown) else f"{shown.normalize():,f}"
    return f"{number} {_unit_name(item.display_unit, shown == 1)}"


@register.filter
def goods(lots: Iterable[Any]) -> str:
    """What a gift is of, to tell it from another: the first names of its lots."""
    names = list(dict.fromkeys(lot.item.name for lot in lots))
    return wording.listed(names[:NAMED_OF_A_GIFT]) + ("…" if len(names) > NAMED_OF_A_GIFT else "")


@register.filter
def thousands(number: float | None) -> str:
    """1234567 as "1,234,567"."""
    return "–" if number is None else f"{number:,.0f}"


@register.filter
def asked_for(need: Any) -> str:
    """What a need asks for, in words where there is no number."""
    about = amount(need.item, need.quantity_assumed)
    if need.quantity_kind == "unlimited":
        return _("without limit (about %(amount)s assumed)") % {"amount": about}
    if need.quantity_kind == "unknown":
        return _("number not known, about %(amount)s assumed") % {"amount": about}
    return amount(need.item, need.quantity)


@register.filter
def place(region: Any) -> str:
    """A region with what it lies in: 湖北省 武汉市 武昌区; in English the smallest first."""
    names = []
    while region is not None:
        names.append(region.name)
        # A province's country is not read: it goes without saying.
        region = None if region.level in ("province", "country") else region.parent
    return " ".join(reversed(names)) if _is_chinese() else ", ".join(names)


@register.filter
def of_path(by_path: dict[str, Any], path: str) -> Any:
    """What is known of a region, by its path."""
    return by_path.get(path)


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago something was, in the largest whole unit."""
    if moment is None:
        return ""
    minutes = int((timezone.now() - moment).total_seconds() // 60)
    if minutes < 1:
        return _("less than a minute ago")
    if minutes < 60:
        return ngettext("%(n)d minute ago", "%(n)d minutes ago", minutes) % {"n": minutes}
    if minutes < 24 * 60:
        hours = minutes // 60
        return ngettext("%(n)d hour ago", "%(n)d hours ago", hours) % {"n": hours}
    days = minutes // (24 * 60)
    return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}


@register.filter
def as_read_by(text: str, user: Any) -> str:
    """Free words on a page for those they concern: as they were written, unless the reader only watches."""
    return text if getattr(user, "reads_as_written", False) else masked(text)
