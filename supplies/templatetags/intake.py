"""How what was read is shown."""

from django import template
from django.utils.translation import gettext as _

from supplies.intake.goods import Line
from supplies.needs.models import QuantityKind
from supplies.templatetags.amounts import amount

register = template.Library()


@register.filter
def quantity_read(line: Line) -> str:
    """“5,000 pieces”, or in words that nobody said how many; for goods without an item the figure as written."""
    if line.item is not None and line.quantity is not None:
        return amount(line.item, line.quantity)
    if line.item is not None and line.daily_use:
        return _("%(amount)s a day") % {"amount": amount(line.item, line.daily_use)}
    if line.item is None and line.goods.figure:
        return line.goods.figure
    return str(QuantityKind(line.kind).label)
