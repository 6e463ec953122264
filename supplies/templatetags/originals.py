"""{% original appeal %}: how the desk's page of an appeal, which knows no lists, shows the text it came from."""

from typing import Any

from django import template

from supplies.desks.originals import original_of
from supplies.needs.models import Appeal

register = template.Library()


@register.inclusion_tag("admin/_original.html", takes_context=True)
def original(context: Any, appeal: Appeal) -> dict[str, Any]:
    user = context["user"]
    return {"appeal": appeal, "text": original_of(appeal, user), "user": user}
