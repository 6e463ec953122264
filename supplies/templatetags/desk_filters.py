"""What of the filters of a list at the desk is chosen, to be told where they are folded."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import ngettext

register = template.Library()


@register.simple_tag
def chosen_in(changelist: Any, specs: Iterable[Any]) -> list[str]:
    """The choices that narrow the list. The first of each filter is the usual one."""
    return [
        str(choice["display"])
        for spec in specs
        for number, choice in enumerate(spec.choices(changelist))
        if choice.get("selected") and number
    ]


@register.filter
def age(since: date | datetime) -> str:
    """How long something has waited, in days and hours; since a day, in days."""
    if not isinstance(since, datetime):
        return _days((timezone.localdate() - since).days)
    days, seconds = divmod(int((timezone.now() - since).total_seconds()), 24 * 3600)
    minutes = seconds // 60
    hours = ngettext("%(n)d hour", "%(n)d hours", minutes // 60) % {"n": minutes // 60}
    if days:
        return f"{_days(days)} {hours}" if minutes >= 60 else _days(days)
    return hours if minutes >= 60 else ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}


def _days(days: int) -> str:
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
