"""What pages of supplies tell of matching, which they know nothing of: how many matches wait for the reader's yes."""

from typing import Any

from django import template
from django.db.models import Count, Min

from matching.models import Proposal

register = template.Library()


@register.simple_tag
def matches_waiting(user: Any) -> dict[str, Any]:
    """`count` of the matches that wait for this person's yes, and `since` when the oldest does."""
    return Proposal.objects.waiting_for(user).aggregate(count=Count("pk"), since=Min("approved_at"))
