"""{% news as rows %}: what coordinators told lately and still holds, for a note on a page. One query, and one more where something is new."""

from django import template
from django.utils import timezone

from supplies.announcements.models import Announcement
from supplies.search import first

register = template.Library()
AT_ONCE = 3


@register.simple_tag
def news() -> list[Announcement]:
    found: list[Announcement] = first(
        Announcement.objects.news(at=timezone.now()).with_giver().newest_first(), AT_ONCE
    )
    return found
