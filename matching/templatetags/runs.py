"""How pages write the figures of a run."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.translation import gettext as _

from supplies.needs.models import Urgency
from supplies.templatetags.amounts import thousands

register = template.Library()
register.filter(thousands)
SAME = 0.0005  # less than what a page shows of a share


@register.filter
def share(part: float | None) -> str:
    """0.125 as "12.5 %"; a dash where there is no whole."""
    return "–" if part is None else f"{100 * part:.1f} %"


@register.filter
def more_or_less(number: float | None) -> str:
    """A difference of counts: "+12", "−3", "±0"."""
    if number is None:
        return "–"
    return f"{'+' if number > 0 else '−' if number < 0 else '±'}{abs(number):,.0f}"


@register.filter
def points(difference: float | None) -> str:
    """A difference of shares in percentage points: "+1.5"."""
    if difference is None:
        return "–"
    sign = "±" if abs(difference) < SAME else "+" if difference > 0 else "−"
    return _("%(number)s points") % {"number": f"{sign}{abs(100 * difference):.1f}"}


@register.simple_tag
def urgency(level: int) -> str:
    """The class of a need as a word in its colour; what the class means can be asked for."""
    known = Urgency(level)
    return format_html(
        '<span class="urgency urgency-{}" title="{}">{}</span>', level, known.label, known.word
    )


@register.simple_tag
def bar(fill: Any) -> str:
    """What was there before the run, and what it adds, as a picture; the numbers stand beside it."""
    before = 100 * (fill.before or 0.0)
    added = 100 * (fill.after or 0.0) - before
    return format_html(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar-before" x="0" y="0" height="10" width="{}"/>'
        '<rect class="bar-added" x="{}" y="0" height="10" width="{}"/></svg>',
        *(f"{number:.2f}" for number in (before, before, added)),
    )
