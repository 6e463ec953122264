"""{% unread as count %}: how many notices wait for the reader. One query from an index of unread rows; none for strangers."""

from typing import Any

from django import template

from supplies.notices.inbox import Notice

register = template.Library()
MOST = 99  # beyond which nobody counts


@register.simple_tag(takes_context=True)
def unread(context: Any) -> str:
    user = context.get("user")
    if user is None or not user.is_authenticated:
        return ""
    count = Notice.objects.of(user).unread().order_by()[: MOST + 1].count()
    return f"{MOST}+" if count > MOST else str(count or "")
