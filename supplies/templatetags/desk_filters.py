"""What of the filters of a list at the desk is chosen, to be told where they are folded."""

from collections.abc import Iterable
from typing import Any

from django import template

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
